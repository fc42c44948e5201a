--- symbi.policy and symbi-lua policy: check, lint, evaluate, explain, test, replay.
local symbi = require "symbi"
local policy = require "symbi.policy"
local cli = require "symbi.cli.policy"

assert(symbi.cedar.policies({}):hash()) -- the digest algorithm is fetched once per state and kept: not a leftover of the first test

local function write(path, text)
    local f = assert(io.open(path, "wb"))
    assert(f:write(text))
    f:close()
end

local made = {}
local function folder(files)
    local dir = os.tmpname()
    os.remove(dir)
    assert(symbi.io.mkdir(dir))
    made[#made + 1] = dir
    for name, text in pairs(files or {}) do
        local sub = name:match("^(.*)/")
        if sub and not symbi.io.stat(dir .. "/" .. sub) then assert(symbi.io.mkdir(dir .. "/" .. sub)) end
        write(dir .. "/" .. name, text)
    end
    return dir
end
local function remove(dir)
    for _, e in ipairs(symbi.io.list_dir(dir) or {}) do
        if e.type == "directory" then remove(dir .. "/" .. e.name) else os.remove(dir .. "/" .. e.name) end
    end
    os.remove(dir)
end
local function clean()
    for _, dir in ipairs(made) do remove(dir) end
    made = {}
    collectgarbage()
end

--- The command: status, what it printed, what it complained about.
local function run(...)
    local args = { ... }
    local out, bad, old_print, old_stderr = {}, {}, print, io.stderr
    _G.print = function(...) -- luacheck: ignore
        local parts = {}
        for i = 1, select("#", ...) do parts[i] = tostring((select(i, ...))) end
        out[#out + 1] = table.concat(parts, "\t")
    end
    io.stderr = { write = function(_, ...) bad[#bad + 1] = table.concat { ... } return true end } -- luacheck: ignore
    local ok, status, message = pcall(cli.main, args, {})
    _G.print, io.stderr = old_print, old_stderr -- luacheck: ignore
    assert(ok, status)
    if status == nil and message then status, bad[#bad + 1] = 1, message end
    return status, table.concat(out, "\n"), table.concat(bad)
end

local function has(text, part) assert(text:find(part, 1, true), "[" .. part .. "] is not in:\n" .. text) end

local ALL = "permit(principal, action, resource);"

describe("policy check", function()
    after_each(clean)
    it("reads every file, those of surfaces too", function()
        local dir = folder { ["a.cedar"] = ALL .. ALL, ["http/b.cedar"] = "permit(principal == ?principal, action, resource);", ["c.txt"] = "nothing" }
        local status, out = run("check", dir)
        assert.equal(0, status)
        has(out, "a.cedar: 2 policies")
        has(out, "b.cedar: 0 policies, 1 template")
        assert.is_nil(out:find("c.txt", 1, true))
    end)
    it("names file, line and column of each fault", function()
        local dir = folder { ["a.cedar"] = ALL .. "\npermit(principal action, resource);", ["b.cedar"] = "forbid(", ["c.cedar"] = ALL }
        local status, out, bad = run("check", dir)
        assert.equal(1, status)
        has(bad, "a.cedar:2:18: ")
        has(bad, "b.cedar:1:8: ")
        has(out, "c.cedar: 1 policy")
        local _, json = run("check", "--json", dir)
        local report = assert(symbi.json.decode(json))
        assert.is_false(report.ok)
        assert.same({ 2, 18 }, { report.files[1].line, report.files[1].column })
    end)
    it("refuses what no gate puts in force", function()
        local dir = folder { ["a.cedar"] = ALL .. '\n@instead("sometimes") forbid(principal, action, resource);', ["b.cedar"] = '@instead("defer 5m") forbid(principal, action, resource);' }
        local status, out, bad = run("check", dir)
        assert.equal(1, status)
        has(bad, "a.cedar:2")
        has(bad, "@instead: it says")
        has(out, "b.cedar: 1 policy")
        status, out = run("lint", dir)
        assert.equal(1, status)
        has(out .. bad, "@instead")
    end)
    it("finds one id in two files", function()
        local dir = folder { ["a.cedar"] = '@id("x") ' .. ALL, ["b.cedar"] = '@id("x") ' .. ALL }
        local status, _, bad = run("check", dir)
        assert.equal(1, status)
        has(bad, "(all files together)")
    end)
    it("warns of the seed's dialect, and refuses it with --strict", function()
        local dir = folder { ["a.cedar"] = 'forbid(principal, action == "tool_call", resource);' }
        local status, _, bad = run("check", dir)
        assert.equal(0, status)
        has(bad, "warning: ")
        has(bad, 'action in Action::"tool_call"')
        assert.equal(1, (run("check", "--strict", dir)))
    end)
    it("reads JSON lists", function()
        local dir = folder { ["a.cedar"] = '[{"name":"x","source":"permit(principal, action, resource);","active":true},{"name":"y","source":"broken","active":false}]' }
        local status, out = run("check", dir)
        assert.equal(0, status)
        has(out, "1 policy")
        write(dir .. "/a.cedar", '[{"name":"x","source":"permit(principal","active":true}]')
        local _, bad
        status, _, bad = run("check", dir)
        assert.equal(1, status)
        has(bad, "a.cedar:x:1:")
    end)
    it("reads Cedar's JSON form", function()
        local dir = folder { ["a.json"] = '{"effect":"permit","principal":{"op":"All"},"action":{"op":"==","entity":{"type":"Action","id":"tool_call"}},"resource":{"op":"All"},"conditions":[]}' }
        local status, out = run("check", dir .. "/a.json")
        assert.equal(0, status)
        has(out, "1 policy")
        status, out = run("lint", dir .. "/a.json")
        assert.equal(1, status)
        has(out, "is the group")
        write(dir .. "/a.json", '{"effect":"perhaps"}')
        local bad
        status, out, bad = run("check", dir .. "/a.json")
        assert.equal(1, status)
        assert.equal("", out)
        has(bad, "a.json")
    end)
    it("has no answer where there is nothing to read", function()
        assert.equal(2, (run("check", folder())))
        local status, _, bad = run("check", "/nowhere/at/all")
        assert.equal(1, status)
        has(bad, "/nowhere/at/all")
    end)
    it("tells misuse", function()
        assert.equal(2, (run("chek")))
        assert.equal(2, (run("check", "--wide")))
        assert.equal(2, (run("check", "--json=yes")))
        assert.equal(2, (run("check", "--policies")))
        assert.equal(2, (run()))
        assert.equal(0, (run("--help")))
        assert.equal(2, (run("check", "--rest", "x"))) -- members of the table that are no options
        assert.equal(2, (run("check", "--module", "x")))
    end)
end)

describe("policy lint", function()
    after_each(clean)
    it("is clean on the policies of the quickstart", function()
        local status, out = run("lint", "--tools", "scripts/quickstart/tools", "scripts/quickstart/policies")
        assert.equal(0, status)
        has(out, "0 faults and 0 notes in 1 file")
    end)
    it("finds faults of text and of meaning, across files", function()
        local dir = folder {
            ["a.cedar"] = 'permit(principal == Agent::"t\208\176sk", action, resource);\n',
            ["b.cedar"] = "forbid(principal, action, resource) when { context.risk > 5 };\n" .. ALL .. "\n",
            ["c.cedar"] = 'permit(principal, action == Action::"respond", resource);',
        }
        local status, out = run("lint", dir)
        assert.equal(1, status)
        has(out, "a.cedar:1:21: error: Agent::")
        has(out, "[non_ascii_id]")
        has(out, "[confusable]")
        has(out, "b.cedar:1:52: warning: ")
        has(out, "[can_error]")
        has(out, "c.cedar:1:1: warning: ")
        has(out, "b.cedar#1 covers all of it [shadowed]")
    end)
    it("says where a file does not parse", function()
        local dir = folder { ["a.cedar"] = "permit(\n" }
        local status, out = run("lint", dir)
        assert.equal(1, status)
        has(out, "[parse]")
    end)
    it("has upstream's rules alone with --upstream", function()
        local dir = folder { ["a.cedar"] = 'permit(principal == Tool::"t\208\176sk", action like "x", resource' }
        assert.equal(0, (run("lint", "--upstream", dir)))
        write(dir .. "/a.cedar", 'permit(principal == Agent::"t\208\176sk", action, resource);')
        local status, out = run("lint", "--upstream", dir)
        assert.equal(1, status)
        has(out, "a.cedar:1  Agent::")
        assert.equal(2, (run("lint", "--upstream", folder())))
    end)
    it("gives notes without calling them faults", function()
        local dir = folder { ["a.cedar"] = 'permit(principal, action in Action::"tool_call", resource);' }
        local status, out = run("lint", "--json", dir)
        assert.equal(0, status)
        local report = symbi.json.decode(out)
        assert.equal("no_answer", report.findings[1].rule)
        assert.equal(0, report.faults)
    end)
end)

describe("policy evaluate", function()
    after_each(clean)
    local function evaluate(event, files, options)
        options = options or {}
        options.policies = files and folder(files) or "/nowhere/at/all"
        return policy.evaluate(event, options)
    end
    local bash = { tool_name = "Bash", tool_input = { command = "ls" } }

    it("denies where there is nothing, unless told otherwise", function()
        assert.same({ "deny", "policies_dir_missing" }, { evaluate(bash).decision, evaluate(bash).cause })
        local r = evaluate(bash, nil, { missing = "allow" })
        assert.equal("allow", r.decision)
        assert.equal("policies directory '/nowhere/at/all' does not exist; allowing by default (operator should create policies)", r.reason)
        r = evaluate(bash, { ["a.cedar"] = "// empty" })
        assert.same({ "deny", "no_policies" }, { r.decision, r.cause })
        r = evaluate(bash, { ["a.cedar"] = "// empty" }, { missing = "allow" })
        assert.equal("allow", r.decision)
        assert.equal("no .cedar policies loaded from '" .. r.policies_dir .. "'; allowing by default", r.reason)
    end)
    it("words its reasons as upstream does", function()
        assert.equal("allow policies matched: a_0, a_1", evaluate(bash, { ["a.cedar"] = ALL .. ALL }).reason)
        assert.equal("deny policies matched: b_0", evaluate(bash, { ["a.cedar"] = ALL, ["b.cedar"] = "forbid(principal, action, resource);" }).reason)
        assert.equal("denied by default-deny (1 policies loaded, none allow this)", evaluate(bash, { ["a.cedar"] = 'permit(principal, action == Action::"tool_call::Read", resource);' }).reason)
        local r = evaluate(bash, { ["a.cedar"] = ALL, ["z.cedar"] = "permit(" })
        assert.equal("deny", r.decision)
        has(r.reason, "Cedar parse error in ")
        has(r.reason, "/z.cedar: 1:8: ")
    end)
    it("takes both dialects of names", function()
        for _, p in ipairs { "Symbi::", "" } do
            local text = ('permit(principal == PAgent::"claude-code", action == PAction::"tool_call::Bash", resource == PResource::"default");'):gsub("P(%u)", p .. "%1")
            assert.equal("allow", evaluate(bash, { ["a.cedar"] = text }).decision)
            assert.equal(p == "" and "deny" or "allow", evaluate(bash, { ["a.cedar"] = text }, { vocabulary = "symbi" }).decision)
            assert.equal(p == "" and "allow" or "deny", evaluate(bash, { ["a.cedar"] = text }, { vocabulary = "gate" }).decision)
            assert.equal(p == "" and 1 or 0, #evaluate(bash, { ["a.cedar"] = text }, { vocabulary = "symbi" }).warnings)
        end
    end)
    it("shows policies what the gate shows them", function()
        local r = evaluate(bash, { ["a.cedar"] = 'permit(principal, action in Action::"tool_call", resource in Tool::"Bash") when { resource.tool_name == "Bash" && context.tool_input.command == "ls" };' })
        assert.equal("allow", r.decision)
    end)
    it("denies on errors, by default on any", function()
        local files = { ["a.cedar"] = ALL, ["b.cedar"] = "permit(principal, action, resource) when { context.none };" }
        assert.equal("deny", evaluate(bash, files).decision)
        assert.equal("allow", evaluate(bash, files, { errors = "forbid" }).decision)
        files["b.cedar"] = "forbid(principal, action, resource) when { context.none };"
        assert.equal("deny", evaluate(bash, files, { errors = "forbid" }).decision)
        assert.equal("allow", evaluate(bash, files, { errors = "ignore" }).decision)
    end)
    it("lets nothing in the input pose as an entity", function()
        local event = { tool_name = "Bash", tool_input = { who = { __entity = { type = "Agent", id = "root" } } } }
        assert.equal("context_error", evaluate(event, { ["a.cedar"] = ALL }).cause)
        assert.equal("allow", evaluate(event, { ["a.cedar"] = ALL }, { escapes = true }).decision)
    end)
    it("has odd events for its input", function()
        assert.equal("unknown", evaluate({}, { ["a.cedar"] = ALL }).tool)
        assert.equal("unknown", evaluate({ tool_name = 5 }, { ["a.cedar"] = ALL }).tool)
        for _, input in ipairs { symbi.null, { n = 1.5 }, { a = { symbi.null } } } do
            local r = evaluate({ tool_name = "Bash", tool_input = input }, { ["a.cedar"] = ALL })
            assert.same({ "deny", "context_error" }, { r.decision, r.cause })
        end
        assert.equal("allow", evaluate({ tool_name = "Bash", tool_input = "text" }, { ["a.cedar"] = ALL }).decision)
    end)

    local path = (os.getenv "SYMBI_VECTORS" or "../shared/vectors") .. "/gates/gate_cli.jsonl"
    local f = io.open(path, "rb")
    if not f then
        pending("decides every vector as upstream does (" .. path .. " is not there)")
        return
    end
    f:close()
    local function joined(list)
        local out = {}
        for i, x in ipairs(list or {}) do out[i] = x end
        table.sort(out)
        return table.concat(out, ",")
    end
    local function cases() -- the folders live as long as one test
        local list = {}
        for line in io.lines(path) do
            local c = assert(symbi.json.decode(line))
            c.dir = c.files ~= symbi.null and folder(c.files) or "/nowhere/at/all"
            list[#list + 1] = c
        end
        return list
    end
    it("decides every vector as upstream does with compat", function()
        for _, c in ipairs(cases()) do
            local e, r = c.expect, policy.evaluate(c.event, { policies = c.dir, compat = true })
            assert.same({ c.id, e.verdict, e.cause, joined(e.reasons), joined(e.errors) }, { c.id, r.decision, r.cause, joined(r.reasons), joined(r.errors) })
            if e.loaded then assert.equal(e.loaded, r.loaded) end
            if e.file then has(r.reason, e.file) end
        end
    end)
    it("differs by default only where the guide says", function()
        local g = assert(io.open("scripts/guide/policy.md", "rb"))
        local guide = g:read "*a"
        g:close()
        for _, c in ipairs(cases()) do
            local e, r = c.expect, policy.evaluate(c.event, { policies = c.dir })
            if r.decision ~= e.verdict then
                local text = ""
                for _, t in pairs(c.files ~= symbi.null and c.files or {}) do text = text .. t end
                local key = e.cause == "policies_dir_missing" and "missing-folder" or e.cause == "no_policies" and "no-policies"
                    or e.cause == "parse_error" and text:find("^%s*%[") and "json-lists"
                    or e.verdict == "allow" and #(e.errors or {}) > 0 and "policy-errors"
                    or e.verdict == "allow" and r.cause == "context_error" and "reserved-input"
                    or e.verdict == "deny" and text:find('[^:]Action::"') and "bare-types"
                    or e.verdict == "deny" and (text:find("resource%.") or text:find("in Symbi::Action")) and "gate-attributes"
                assert(key, c.id .. ": " .. e.verdict .. " upstream, " .. r.decision .. " here, and no row of the guide says why: " .. r.reason)
                has(guide, "| `" .. key .. "` |")
            end
        end
    end)
end)

describe("policy evaluate on the command line", function()
    after_each(clean)
    it("prints the verdict, or one object", function()
        local dir = folder { ["a.cedar"] = ALL, ["in.json"] = '{"tool_name":"Bash","tool_input":{"command":"ls"}}' }
        local status, out, bad = run("evaluate", "--input", dir .. "/in.json", "--policies", dir)
        assert.equal(0, status)
        assert.equal("allow", out)
        assert.same({ decision = "allow", reason = "allow policies matched: a_0", tool = "Bash", policies_dir = dir }, symbi.json.decode(bad))
        status, out, bad = run("evaluate", "--input", dir .. "/in.json", "--policies", dir, "--json")
        assert.equal(0, status)
        assert.equal("", bad)
        assert.equal("allow", symbi.json.decode(out).decision)
        status = run("evaluate", "--input", dir .. "/in.json", "--policies", dir .. "/none", "--exit-code")
        assert.equal(3, status)
        status, out = run("evaluate", "--input=" .. dir .. "/in.json", "--policies=" .. dir .. "/none", "--allow-empty", "--exit-code")
        assert.equal(0, status)
        assert.equal("allow", out)
    end)
    it("has status 2 for what it cannot read, and for misuse", function()
        local dir = folder { ["a.cedar"] = ALL, ["bad.json"] = '{"tool_name":', ["list.json"] = "[1]", ["good.json"] = "{}" }
        local status, out, bad = run("evaluate", "--input", dir .. "/bad.json", "--policies", dir)
        assert.equal(2, status)
        assert.equal("", out)
        has(bad, "bad.json:1:14: ")
        assert.equal(2, (run("evaluate", "--input", dir .. "/list.json", "--policies", dir)))
        assert.equal(2, (run("evaluate", "--input", dir .. "/none.json", "--policies", dir)))
        assert.equal(2, (run("evaluate", "--policies", dir)))
        assert.equal(2, (run("evaluate", "--stdin", "--input", dir .. "/good.json")))
        assert.equal(2, (run("evaluate", "--input", dir .. "/good.json", "--missing=perhaps")))
        assert.equal(2, (run("evaluate", "--input", dir .. "/good.json", "--missing=deny", "--allow-empty")))
        assert.equal(2, (run("evaluate", "--input", dir .. "/good.json", "extra")))
    end)
end)

describe("policy explain", function()
    after_each(clean)
    it("says which condition did not hold, and with what values", function()
        local dir = folder { ["a.cedar"] = '@id("docs") permit(principal, action == Action::"tool_call::read", resource) when { context.input.path like "docs/*" };\n@id("other") permit(principal == Agent::"x", action, resource);' }
        local status, out = run("explain", "--agent", "bot", "--tool", "read", "--args", '{"path":"secret"}', "--policies", dir)
        assert.equal(0, status)
        has(out, "deny DEFAULT_DENY")
        has(out, "permit docs (" .. dir .. "/a.cedar:1): does not apply: a condition does not hold")
        has(out, 'context.input.path = "secret"')
        has(out, "1 more are about something else")
        local _, all = run("explain", "--agent=bot", "--tool=read", '--args={"path":"secret"}', "--policies", dir, "--all")
        has(all, "permit other")
        local _, json = run("explain", "--agent=bot", "--tool=read", '--args={"path":"docs/x"}', "--policies", dir, "--json")
        local r = symbi.json.decode(json)
        assert.same({ "allow", "satisfied", "scope" }, { r.decision, r.policies[1].outcome, r.policies[2].outcome })
    end)
    it("takes events, actions and plain requests", function()
        local dir = folder {
            ["a.cedar"] = ALL, ["event.json"] = '{"tool_name":"Bash","tool_input":{"command":"ls"}}', ["action.json"] = '{"action":{"agent":"bot","kind":"respond"},"facts":{"context":{"x":1}}}',
            ["request.json"] = [[{"principal":"User::\"a\"","action":"Action::\"view\"","resource":{"type":"Doc","id":"d"},"context":{"x":1}}]],
        }
        for _, name in ipairs { "event", "action", "request" } do
            local status, out = run("explain", "--input", dir .. "/" .. name .. ".json", "--policies", dir)
            assert.equal(0, status)
            has(out, "allow")
            has(out, "permit " .. dir .. "/a.cedar#0")
        end
        assert.equal(2, (run("explain", "--policies", dir)))
        assert.equal(2, (run("explain", "--agent", "a", "--mode", "loose", "--policies", dir)))
        assert.equal(1, (run("explain", "--agent", "a", "--tool", "t", "--args", "[", "--policies", dir)))
    end)
    it("says by name what is wrong with a question, and never breaks over one", function()
        local dir = folder { ["a.cedar"] = ALL }
        for input, part in pairs {
            ['{"action":5}'] = "action must be an object", ['{"action":null,"name":5}'] = "action must be an object",
            ['{"action":{"name":["t"]}}'] = "action.name must be a string", ['{"action":{"agent":5,"name":"t","arguments":[]}}'] = "action.agent must be a string",
            ['{"action":{"agent":"a","name":"t","arguments":"x"}}'] = "action.arguments must be an object", ['{"request":5}'] = "action.name must be a string, got nil", ['{"name":"t","request":5}'] = "action: unknown option 'request'",
            ['{"action":{"agent":"a","name":"t"},"facts":{"now":"x"}}'] = "facts: field 'now'", ['{"action":{"agent":"a","name":"t"},"facts":7}'] = "facts must be an object",
            ['{"action":{"agent":"a","name":"t"},"facts":{"risk":3}}'] = "stands in facts.context",
        } do
            write(dir .. "/q.json", input)
            local status, out, bad = run("explain", "--input", dir .. "/q.json", "--policies", dir)
            assert.equal(1, status, input .. tostring(out))
            has(bad, part)
        end
    end)

    it("tells when policies were not asked", function()
        local dir = folder { ["a.cedar"] = ALL }
        local status, out = run("explain", "--agent", "reporter", "--tool", "none", "--policies", dir, "--tools", "scripts/quickstart/tools")
        assert.equal(0, status)
        has(out, "UNKNOWN_TOOL")
        has(out, "policies were not asked")
    end)
end)

describe("policy test", function()
    after_each(clean)
    local policies = '@id("docs") permit(principal, action == Action::"tool_call::read", resource) when { context.input.path like "docs/*" };\n@id("answers") permit(principal, action == Action::"respond", resource);'
    it("runs JSON, JSON Lines and TOML", function()
        local dir = folder {
            ["p/a.cedar"] = policies,
            ["t.json"] = [[{"policies":"p","cases":[
                {"name":"one","agent":"bot","tool":"read","arguments":{"path":"docs/x"},"decision":"allow","reasons":["docs"],"code":"ALLOWED"},
                {"name":"two","action":{"agent":"bot","kind":"respond","content":"hi"},"expect":{"decision":"allow","reason":["answers"]}},
                {"name":"three","request":{"principal":"Agent::\"bot\"","action":"Action::\"respond\"","resource":"Resource::\"default\""},"decision":"ALLOW","num_errors":0}]}]],
            ["t.jsonl"] = '{"policies":"p"}\n{"agent":"bot","tool":"read","arguments":{"path":"x"},"decision":"deny","code":"DEFAULT_DENY","reasons":[]}\n\n{"agent":"bot","kind":"respond","decision":"allow"}\n',
            ["t.toml"] = 'policies = "p"\n[[case]]\nname = "four"\nagent = "bot"\ntool = "read"\narguments = { path = "docs/y" }\ndecision = "allow"\n',
        }
        local status, out, bad = run("test", dir .. "/t.json", dir .. "/t.jsonl", dir .. "/t.toml")
        assert.equal("", bad)
        assert.equal(0, status)
        has(out, "6 passed, 0 failed")
        has(out, "ok  one ")
    end)
    it("takes entities for both kinds of cases", function()
        local dir = folder {
            ["p/a.cedar"] = 'permit(principal in Team::"red", action, resource);',
            ["t.json"] = [[{"policies":"p","entities":[{"uid":"Agent::\"bot\"","parents":["Team::\"red\""]}],"cases":[
                {"name":"one","agent":"bot","tool":"read","arguments":{"path":"x"},"decision":"allow"},
                {"name":"two","agent":"other","tool":"read","arguments":{"path":"x"},"decision":"deny"},
                {"name":"three","request":{"principal":"Agent::\"bot\"","action":"Action::\"x\"","resource":"R::\"r\""},"decision":"allow"}]}]],
        }
        local status, out, bad = run("test", dir .. "/t.json")
        assert.equal("", bad)
        assert.equal(0, status, out)
    end)
    it("shows what came out otherwise", function()
        local dir = folder {
            ["p/a.cedar"] = policies,
            ["t.json"] = [[{"policies":"p","cases":[
                {"name":"one","agent":"bot","tool":"read","arguments":{"path":"x"},"decision":"allow"},
                {"name":"two","agent":"bot","kind":"respond","decision":"allow","reasons":["docs"]},
                {"name":"three","agent":"bot","kind":"respond","decision":"allow","code":"FORBIDDEN"},
                {"name":"four","agent":"bot","kind":"respond","decision":"allow","reason":"docs"},
                {"name":"five","agent":"bot","kind":"respond","decision":"allow"}]}]],
        }
        local status, out = run("test", dir .. "/t.json")
        assert.equal(3, status)
        has(out, "FAIL  one")
        has(out, "decision deny, expected allow")
        has(out, "reasons [answers], expected [docs]")
        has(out, "code ALLOWED, expected FORBIDDEN")
        has(out, "reasons [answers] lack some of [docs]")
        has(out, "1 passed, 4 failed")
        local _, json = run("test", "--json", dir .. "/t.json")
        local r = symbi.json.decode(json)
        assert.same({ 1, 4, false, true }, { r.passed, r.failed, r.cases[1].ok, r.cases[5].ok })
    end)
    it("is not misled by a misspelt case", function()
        local dir = folder { ["p/a.cedar"] = policies }
        for text, why in pairs {
            ['{"policies":"p","cases":[{"agent":"bot","kind":"respond","descision":"deny"}]}'] = "unknown member 'descision'",
            ['{"policies":"p","cases":[{"agent":"bot","kind":"respond"}]}'] = "expects no decision",
            ['{"policies":"p","cases":[]}'] = "holds no cases",
            ['{"policies":"p","case":3}'] = "there is no list",
            ['{"policy":"p","cases":[]}'] = "unknown member 'policy'",
            ['{"policies":"p","cases":[7]}'] = "is no object",
            ['{"policies":"none","cases":[{"kind":"respond","decision":"allow"}]}'] = "none",
            ['{"policies":"p","cases":[{"kind":"respond","decision":"allow","facts":{"time":3}}]}'] = "time",
            ["nonsense"] = "t.json",
        } do
            write(dir .. "/t.json", text)
            local status, _, bad = run("test", dir .. "/t.json")
            assert.equal(1, status, text)
            has(bad, why)
        end
        assert.equal(2, (run("test")))
    end)
end)

describe("policy replay", function()
    after_each(clean)
    it("asks a candidate set what the trail recorded", function()
        local dir = folder {
            ["old/a.cedar"] = '@id("old") permit(principal, action, resource);\n@id("no") forbid(principal, action == Action::"tool_call::wipe", resource);',
            ["new/a.cedar"] = '@id("new") permit(principal, action in Action::"tool_call", resource) unless { context.input.path like "secret*" || (context has ticket && context.ticket == "closed") };',
        }
        local tools = {}
        for i, name in ipairs { "read", "wipe", "ask" } do
            tools[i] = symbi.tool { name = name, description = "d", human_approval = name == "ask", args = { path = { type = "path", required = true } }, run = function() end }
        end
        local store = assert(symbi.store.open(dir .. "/state"))
        local audit = assert(symbi.audit.open(store))
        local gate = assert(symbi.gate.open { policies = dir .. "/old", tools = tools, audit = audit })
        local function decide(action, facts)
            local v = gate:check(action, facts)
            if v.decision == "step_up" then
                assert(gate:approve(v.action_digest, true, "ann"))
                v = gate:check(action, facts)
            end
            assert(gate:commit(v, facts))
        end
        decide({ agent = "bot", name = "read", arguments = { path = "a" } })                                            -- the same
        decide({ agent = "bot", name = "read", arguments = { path = "secret/a" } })                                     -- newly denied
        decide({ agent = "bot", name = "read", arguments = { path = "a" } }, { context = { ticket = "closed" } })       -- newly denied, by a fact
        decide({ agent = "bot", name = "wipe", arguments = { path = "a" } })                                            -- newly allowed
        decide({ agent = "bot", name = "ask", arguments = { path = "a" } })                                             -- a person approved it
        decide({ agent = "bot", kind = "respond", content = "done" })                                                   -- newly denied
        decide({ agent = "bot", name = "read", arguments = {} })                                                        -- no matter of policy
        decide({ agent = "bot", name = "nothing", arguments = {} })
        gate:close()
        audit:close()
        store:close()
        local status, out, bad = run("replay", "--state", dir .. "/state", "--policies", dir .. "/new")
        assert.equal("", bad)
        assert.equal(3, status)
        has(out, "6 decisions asked again: 1 newly allowed (+), 3 newly denied (-), 2 the same by another policy (~), 0 the same (=)")
        has(out, "left alone: 1 (not a matter of policy (INVALID_ARGUMENTS))")
        has(out, "left alone: 1 (not a matter of policy (UNKNOWN_TOOL))")
        local _, json = run("replay", "--state", dir .. "/state", "--policies", dir .. "/new", "--json")
        local effects, last = {}, nil
        for line in json:gmatch("[^\n]+") do
            last = symbi.json.decode(line)
            if last.effect then effects[#effects + 1] = last.effect .. " " .. last.kind .. " " .. last.name end
        end
        assert.same({ "denied_now tool_call read", "denied_now tool_call read", "allowed_now tool_call wipe", "denied_now respond " }, effects)
        assert.equal(2, last.summary.skipped)
        status, out = run("replay", "--state", dir .. "/state", "--policies", dir .. "/old", "--all")
        assert.equal(0, status)
        has(out, "6 the same (=)")
        assert.equal(2, (run("replay", "--state", dir .. "/state")))
        assert.equal(1, (run("replay", "--state", dir .. "/none", "--policies", dir .. "/new")))
        write(dir .. "/new/b.cedar", "broken")
        assert.equal(1, (run("replay", "--state", dir .. "/state", "--policies", dir .. "/new")))
    end)
    it("asks about what was proposed, and leaves alone what was proved", function()
        local dir = folder {
            ["old/a.cedar"] = ALL .. [[
                @instead("modify path = \"public\"") forbid(principal, action, resource) when { context.input.path == "private" };
                @instead("defer") forbid(principal, action, resource) when { context.input.path == "busy" };]],
            ["new/a.cedar"] = ALL .. 'forbid(principal, action, resource) when { context.input.path == "private" };',
        }
        local store = assert(symbi.store.open(dir .. "/state"))
        local audit = assert(symbi.audit.open(store))
        local read = symbi.tool { name = "read", description = "d", args = { path = { type = "path", required = true } }, run = function() end }
        local gate = assert(symbi.gate.open { policies = dir .. "/old", tools = { read }, audit = audit })
        local agentpin = symbi.agentpin
        local keys = assert(agentpin.generate_key_pair())
        local document = assert(agentpin.build_discovery_document { entity = "acme.example", entity_type = "both", public_keys = { assert(agentpin.pem_to_jwk(keys.public_key_pem, "k")) },
            agents = { { agent_id = "bot", name = "B", capabilities = { "read:*" }, status = "active" } } })
        local who = assert(agentpin.verify_credential_offline(assert(agentpin.issue_credential { private_key_pem = keys.private_key_pem, kid = "k", issuer = "acme.example",
            agent_id = "bot", capabilities = { "read:x" }, ttl_secs = 600 }), document))
        for _, path in ipairs { "private", "busy", "free" } do assert(gate:commit(gate:check { agent = "bot", name = "read", arguments = { path = path } })) end
        assert(gate:commit(gate:check { agent = "bot", name = "read", arguments = { path = "free" }, identity = who }))
        gate:close()
        audit:close()
        store:close()
        local status, out, bad = run("replay", "--state", dir .. "/state", "--policies", dir .. "/old", "--all")
        assert.equal("", bad)
        assert.equal(0, status)
        has(out, "3 decisions asked again: 0 newly allowed (+), 0 newly denied (-), 0 the same by another policy (~), 3 the same (=)")
        has(out, "cannot be proved again (identity)")
        status, out = run("replay", "--state", dir .. "/state", "--policies", dir .. "/new")
        assert.equal(3, status)
        has(out, "1 newly allowed (+), 1 newly denied (-)")
    end)
end)

describe("policy validate and schema", function()
    after_each(clean)
    local tools = "scripts/quickstart/tools"
    -- schema, format and translate write to io.stdout, which tests cannot catch: they are run as the host in tests/env/policy
    it("checks against the gate's own requests, with what tools declare", function()
        local dir = folder { ["a.cedar"] = 'permit(principal, action == Action::"tool_call::count_lines", resource) when { context.input.path like "docs/*" && resource in Tool::"count_lines" };' }
        assert.equal(0, (run("validate", "--tools", tools, dir)))
        write(dir .. "/a.cedar", '@id("bad") permit(principal, action == Action::"tool_call::count_lines", resource)\nwhen { context.input.paht == "x" };')
        local status, out = run("validate", "--tools", tools, dir)
        assert.equal(3, status)
        has(out, dir .. "/a.cedar:2:")
        has(out, "bad: ")
        has(out, "[unsafe_attribute_access]")
        write(dir .. "/a.cedar", 'permit(principal, action == Action::"tool_call::none", resource);')
        assert.equal(3, (run("validate", "--tools", tools, dir)))
        write(dir .. "/a.cedar", 'permit(principal, action == Action::"delegate::writer", resource) when { resource.kind == "delegate" };')
        assert.equal(0, (run("validate", "--tools", tools, dir))) -- agents are no matter of manifests
    end)
    it("knows the host's facts", function()
        local dir = folder { ["a.cedar"] = 'permit(principal, action in Action::"tool_call", resource) when { context has ticket && context.ticket == "x" };' }
        assert.equal(0, (run("validate", "--tools", tools, "--facts", "ticket?: String", dir)))
        local status, out = run("validate", "--tools", tools, "--facts", "ticket?: Long", "--json", dir)
        assert.equal(3, status)
        local r = symbi.json.decode(out)
        assert.is_false(r.valid)
        assert.equal(dir .. "/a.cedar", r.errors[1].source)
        local bad
        status, out, bad = run("validate", "--tools", tools, "--facts", "ticket: Nothing", dir)
        assert.equal("", out)
        assert.equal(1, status)
        has(bad, "--facts: ")
    end)
    it("takes any schema, in both forms", function()
        local dir = folder {
            ["p/a.cedar"] = 'permit(principal == User::"a", action == Action::"view", resource) when { resource.public };',
            ["s.cedarschema"] = "entity User; entity Doc = { public: Bool }; action view appliesTo { principal: User, resource: Doc };",
            ["s.json"] = '{"":{"entityTypes":{"User":{},"Doc":{"shape":{"type":"Record","attributes":{}}}},"actions":{"view":{"appliesTo":{"principalTypes":["User"],"resourceTypes":["Doc"]}}}}}',
            ["bad.cedarschema"] = "entity User;\nentity {",
        }
        assert.equal(0, (run("validate", "--schema", dir .. "/s.cedarschema", dir .. "/p")))
        assert.equal(3, (run("validate", "--schema", dir .. "/s.json", dir .. "/p")))
        local status, _, bad = run("validate", "--schema", dir .. "/bad.cedarschema", dir .. "/p")
        assert.equal(1, status)
        has(bad, "bad.cedarschema:2:")
        assert.equal(2, (run("validate", "--schema", dir .. "/s.json", "--tools", tools, dir .. "/p")))
    end)
    it("writes a schema that the engine reads, for every tool", function()
        local odd = symbi.tool { name = "odd", description = "d", args = { n = { type = "number" }, b = { type = "boolean", required = true } }, run = function() end }
        local set = assert(require "symbi.core".toolclad.toolset { odd })
        local text = assert(set:cedar_schema("", { 'permit(principal, action == Action::"delegate::a b", resource);' }))
        local schema = assert(symbi.cedar.schema(text))
        has(text, '"b": Bool')
        has(text, 'action "delegate::a b"')
        assert.is_nil(text:find('"n"', 1, true)) -- a fraction has no one Cedar type
        assert(assert(symbi.cedar.policies 'permit(principal, action == Action::"tool_call::odd", resource) when { context.input.b };'):validate(schema).valid)
    end)
end)

describe("policy format and translate", function()
    after_each(clean)
    it("lay files out in place, and tell which are not", function()
        local dir = folder { ["a.cedar"] = "permit(principal,action,resource);// all\n" }
        local path = dir .. "/a.cedar"
        local status, out = run("format", "--check", path)
        assert.equal(3, status)
        has(out, "a.cedar is not formatted")
        assert.equal(0, (run("format", "--write", path)))
        assert.equal(0, (run("format", "--check", path)))
        local f = assert(io.open(path, "rb"))
        local text = f:read "*a"
        f:close()
        has(text, "permit (")
        has(text, "// all")
        assert.equal(2, (run("format", "--check", "--write", path)))
        assert.equal(2, (run("format")))
        write(path, "permit(\n  broken")
        local bad
        status, out, bad = run("format", "--write", path)
        assert.equal("", out)
        assert.equal(1, status)
        has(bad, "a.cedar:2:")
        assert.equal(1, (run("translate", dir .. "/none.cedar")))
        assert.equal(2, (run("translate")))
        assert.equal(2, (run("translate", "--to", "xml", path)))
        assert.equal(1, (run("translate", path)))
    end)
end)

describe("policies beside the rules of .symbi agents", function()
    after_each(clean)
    local AGENTS = [[
agent bot {
    policy p { deny: remove_file audit: all require: ticket != "" }
}
agent small { with memory = "64MB" { } }
]]
    local function world()
        return folder {
            ["policies/all.cedar"] = "permit(principal, action, resource);", ["agents/bot.symbi"] = AGENTS,
            ["cases.json"] = '{"agents":"agents","policies":"policies","cases":['
                .. '{"name":"a rule denies","agent":"bot","tool":"remove_file","arguments":{"path":"x"},"facts":{"context":{"ticket":"T"}},"decision":"deny","code":"DSL_DENIED"},'
                .. '{"name":"a fact is missing","agent":"bot","tool":"read_file","decision":"deny","code":"OBLIGATION_UNMET"},'
                .. '{"name":"both allow","agent":"bot","tool":"read_file","facts":{"context":{"ticket":"T"}},"decision":"allow","code":"ALLOWED"},'
                .. '{"name":"not a defined agent","agent":"else","tool":"remove_file","decision":"allow"}]}',
        }
    end

    it("are explained, rule by rule", function()
        local dir = world()
        local function explain(...) return run("explain", "--policies", dir .. "/policies", "--agents", dir .. "/agents", ...) end
        local status, out = explain("--agent", "bot", "--tool", "remove_file")
        assert.equal(0, status)
        assert.truthy(out:find("deny DSL_DENIED", 1, true), out)
        assert.truthy(out:find("rules of agent bot", 1, true))
        assert.truthy(out:find("bot.symbi:2): applies", 1, true))
        assert.truthy(out:find("record does not have the attribute `ticket`", 1, true))
        status, out = explain("--agent", "bot", "--tool", "read_file", "--facts", '{"context":{"ticket":"T"}}', "--json")
        assert.equal(0, status)
        local t = assert(symbi.json.decode(out))
        assert.equal("allow", t.decision)
        assert.equal(3, #t.rules)
        assert.equal(2, t.rules[2].line)
        status, out = explain("--agent", "small", "--tool", "read_file")
        assert.equal(0, status)
        assert.truthy(out:find("deny OBLIGATION_UNMET", 1, true))
        status, out = explain("--agent", "small", "--tool", "read_file", "--memory", "64000000")
        assert.equal(0, status)
        assert.truthy(out:find("allow ALLOWED", 1, true))
    end)

    it("decide the cases of a test", function()
        local dir = world()
        local status, out = run("test", dir .. "/cases.json")
        assert.equal(0, status, out)
        assert.truthy(out:find("4 passed, 0 failed", 1, true), out)
        write(dir .. "/agents/bot.symbi", "agent bot { }")
        status, out = run("test", dir .. "/cases.json")
        assert.equal(3, status)
        assert.truthy(out:find("2 passed, 2 failed", 1, true), out)
    end)

    it("never widen what policies allow", function()
        local dir = world()
        write(dir .. "/policies/all.cedar", 'permit(principal, action == Action::"tool_call::read_file", resource);')
        write(dir .. "/agents/bot.symbi", "agent bot { policy p { allow: remove_file } }")
        local status, out = run("explain", "--policies", dir .. "/policies", "--agents", dir .. "/agents", "--agent", "bot", "--tool", "remove_file")
        assert.equal(0, status)
        assert.truthy(out:find("deny DEFAULT_DENY", 1, true), out)
        status, out = run("explain", "--policies", dir .. "/policies", "--agents", dir .. "/agents", "--agent", "bot", "--tool", "read_file")
        assert.equal(0, status)
        assert.truthy(out:find("deny DSL_DENIED", 1, true), out)
    end)

    it("are refused with one line where something is wrong", function()
        local dir = world()
        local function refused(pattern, ...)
            local status, out, bad, message = run("explain", "--policies", dir .. "/policies", "--tool", "t", ...)
            local text = tostring(out) .. tostring(bad) .. tostring(message)
            assert(status ~= 0 and text:find(pattern, 1, true), text)
        end
        refused("is not defined in", "--agents", dir .. "/agents", "--agent", "nobody")
        refused("go with --agents", "--sandbox", "docker")
        refused("--sandbox is docker", "--sandbox", "jail", "--agents", dir .. "/agents")
        refused("needs a whole number", "--memory", "1.5", "--agents", dir .. "/agents")
        write(dir .. "/agents/bot.symbi", "agnt bot { }")
        refused("bot.symbi:1:1", "--agents", dir .. "/agents", "--agent", "bot")
        write(dir .. "/agents/bot.symbi", "agent bot { }")
        write(dir .. "/agents/two.symbi", "agent bot { }")
        refused("is defined in", "--agents", dir .. "/agents", "--agent", "bot")
        os.remove(dir .. "/agents/bot.symbi")
        os.remove(dir .. "/agents/two.symbi")
        refused("no agent is defined", "--agents", dir .. "/agents", "--agent", "bot")
    end)
end)
