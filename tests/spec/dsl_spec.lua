--- symbi.dsl from Lua: parsing, errors, formatting, data, compiling, agents in a runtime, the command line.
local core = require "symbi.core"
local symbi = require "symbi"
local dsl = symbi.dsl

local function parse(text) return assert(dsl.parse(text, "t.symbi")) end

local dirs = {}
local function folder(files)
    local dir = os.tmpname()
    os.remove(dir)
    assert(symbi.io.mkdir(dir))
    dirs[#dirs + 1] = dir
    for name, text in pairs(files) do
        local sub = name:match("^(.*)/[^/]*$")
        if sub and not symbi.io.stat(dir .. "/" .. sub) then assert(symbi.io.mkdir(dir .. "/" .. sub)) end
        assert(symbi.io.write_file(dir .. "/" .. name, text))
    end
    return dir
end

local function clean()
    for _, dir in ipairs(dirs) do os.execute("rm -rf '" .. dir .. "'") end
    dirs = {}
end

-- Runs a verb with print and io.stderr caught: exit status, output, complaints.
local function cli(module, ...)
    local out, err, old_print, old_stderr, old_stdout = {}, {}, print, io.stderr, io.stdout
    local function sink(list) return { write = function(self, ...)
        for i = 1, select("#", ...) do list[#list + 1] = tostring((select(i, ...))) end
        return self
    end, flush = function() end } end
    _G.print = function(...) -- luacheck: ignore
        local t = {}
        for i = 1, select("#", ...) do t[i] = tostring((select(i, ...))) end
        out[#out + 1] = table.concat(t, "\t") .. "\n"
    end
    io.stderr, io.stdout = sink(err), sink(out) -- luacheck: ignore
    local ok, status, message = pcall(require("symbi.cli." .. module).main, { ... }, {})
    _G.print = old_print -- luacheck: ignore
    io.stderr, io.stdout = old_stderr, old_stdout -- luacheck: ignore
    assert(ok, status)
    return status, table.concat(out), table.concat(err) .. tostring(message or "")
end

local AGENT = [[
# reads
metadata { version = "1.0" tags = ["a", "b"] }
agent bot(x: String) -> Out {
    capabilities = ["files"]
    policy p {
        allow: read(path) if path.starts_with("/pub/")
        audit: read
        require: ticket != ""
    }
    with timeout = 5m, max_tool_calls = 2 { }
}
]]

local READ = symbi.tool { name = "read", description = "d", capability = "files", args = { path = { type = "string", required = true } }, run = function(a) return "content of " .. a.path end }
local WIPE = symbi.tool { name = "wipe", description = "d", args = { path = { type = "string", required = true } }, run = function() error "must not run" end }
local ALL = { { name = "all.cedar", text = "permit(principal, action, resource);" } }

describe("symbi.dsl", function()
    after_each(clean)

    it("says where, what was expected and the fix", function()
        local f = parse "agnt a {}\nagent b {\n  polcy p { }\n}\n"
        assert.is_false(f:ok())
        local e = f:errors()
        assert.equal(2, #e)
        assert.same({ 1, 1, 1, 5 }, { e[1].line, e[1].column, e[1].end_line, e[1].end_column })
        assert.equal("'agnt'", e[1].found)
        assert.equal("did you mean 'agent'?", e[1].hint)
        assert.same({ 3, 3 }, { e[2].line, e[2].column })
        for _, method in ipairs { "format", "sexp", "extract", "compile" } do
            local v, message, err = f[method](f)
            assert.is_nil(v)
            assert.equal("EPARSE", err.code)
            assert.equal(1, err.line)
            assert.truthy(message:find("t.symbi:1:1: expected one of", 1, true))
        end
        assert.is_true(parse(""):ok())
        assert.equal("t.symbi", f:source())
        assert.equal("agnt a {}", f:text():match "^[^\n]*")
    end)

    it("formats, keeps comments, and formats to itself", function()
        local f = parse "agent a{# c\ncapabilities=[x,y]}\n"
        local text = assert(f:format())
        assert.equal("agent a {\n    # c\n    capabilities = [x, y]\n}\n", text)
        local again = parse(text)
        assert.is_true(again:equal(f))
        assert.equal(text, again:format())
        assert.is_false(parse("agent b {}"):equal(f))
        assert.equal("(program (agent_definition (identifier) (comment) (capabilities_declaration (array (expression (value (identifier))) (expression (value (identifier)))))))", f:sexp())
    end)

    it("gives what a file defines as data", function()
        local d = assert(parse(AGENT .. 'schedule s { cron: "0 0 9 * * *" }\nschedule bad { }\nmemory m { retention "30d" }'):extract())
        assert.same({ version = "1.0", tags = { "a", "b" } }, { version = d.metadata.version, tags = { d.metadata.tags[1], d.metadata.tags[2] } })
        assert.equal('"1.0"', d.metadata_raw.version)
        assert.equal("bot", d.agents[1].name)
        assert.equal("files", d.agents[1].capabilities[1])
        assert.equal(300, d.agents[1].with[1].timeout)
        assert.equal("allow", d.policies[1].rules[1].effect)
        assert.equal('path.starts_with("/pub/")', d.policies[1].rules[1].guard)
        assert.equal("UTC", d.schedules[1].timezone)
        assert.equal(2592000, d.memories[1].retention_secs)
        assert.equal(1, #d.problems)
        assert.equal("schedule 'bad': must specify either 'cron' or 'at'", d.problems[1].message)
        assert.equal(13, d.problems[1].line)
    end)

    it("compiles to rules, obligations and limits", function()
        local n, problems = assert(parse(AGENT):compile())
        assert.same(0, #problems)
        local d = n:describe()
        assert.equal("bot", d.agent)
        assert.same({ timeout_ms = 300000, max_tool_calls = 2 }, d.limits)
        assert.same({ "audit: read", 'require: ticket != ""' }, { d.obligations[1].rule, d.obligations[2].rule })
        assert(core.cedar.policies(d.rules)) -- what is shown is Cedar
        assert(core.cedar.policies(d.audit))
        assert.equal(64, #n:hash())
        assert.not_equal(n:hash(), assert(parse("agent bot { }"):compile()):hash())
        assert.equal("x", assert(parse("agent bot { }"):compile { principal = "x" }):describe().principal)
    end)

    it("refuses what nothing enforces, each with what works", function()
        local n, message, err = parse('agent a {\n policy p { deny: x if matches(y, "a") }\n with privacy = "high" { }\n}'):compile()
        assert.is_nil(n)
        assert.equal("ESCHEMA", err.code)
        assert.equal(2, err.line)
        assert.truthy(message:find("regular expressions; what works: starts_with", 1, true))
        assert.equal(2, #err.problems)
        assert.same({ 3, "refused", "setting" }, { err.problems[2].line, err.problems[2].severity, err.problems[2].construct })
        n, message, err = parse("agent a { }"):compile { agent = "b" }
        assert.is_nil(n)
        assert.equal("ENOTFOUND", err.code)
        assert.truthy(message:find("'b'", 1, true))
    end)

    it("names what it takes as data only", function()
        local _, problems = assert(parse('agent a { }\nschedule s { cron: "0 7 * * *", agent: "a" }\nschedule t { at: "2030-01-01", agent: "a" }\nwebhook w { path "/x" }\n'
            .. 'channel c { platform: "slack" policy p { deny: x } }\nmemory m { store markdown }'):compile())
        local seen = {}
        for i, p in ipairs(problems) do seen[i] = { p.line, p.severity, p.construct } end
        assert.same({ { 2, "note", "schedule" }, { 4, "note", "webhook" }, { 5, "note", "channel" }, { 6, "note", "memory" } }, seen)
        assert.truthy(problems[1].message:find("nothing starts the agent", 1, true))
    end)

    it("binds by the manifest where there is one", function()
        local tools = assert(core.toolclad.toolset { READ })
        local n = assert(parse('agent a { policy p { deny: read(where) if where == "/x" deny: read("/y") } }'):compile { tools = tools })
        assert.truthy(n:describe().rules:find('context["input"]["path"] == "/x"', 1, true))
        assert.truthy(n:describe().rules:find('context["input"]["path"] == "/y"', 1, true))
        local _, message = parse('agent a { policy p { deny: read(a, b) } }'):compile { tools = tools }
        assert.truthy(message:find("read has no argument 2", 1, true))
        local _, problems = assert(parse('agent a { policy p { deny: raed } }'):compile { tools = tools })
        assert.truthy(problems[1].message:find("no tool is called 'raed'", 1, true))
    end)

    it("narrows a gate, and only narrows it", function()
        local n = assert(parse(AGENT):compile())
        local store = assert(symbi.store.memory())
        local audit = assert(symbi.audit.open(store, { key = symbi.crypto.ed25519() }))
        local gate = assert(symbi.gate.open { policies = ALL, tools = { READ, WIPE }, audit = audit })
        assert(gate:narrow(n))
        local facts = { context = { ticket = "T-1" } }
        local function check(name, path, f) return gate:check({ agent = "bot", name = name, arguments = { path = path } }, f or facts) end
        local v = check("read", "/pub/a")
        assert.is_true(v.allowed)
        assert.is_true(v.audited)
        assert.equal("audit: read (t.symbi:7)", v.audit_rule)
        v = check("read", "/etc/passwd")
        assert.same({ false, "DSL_DENIED" }, { v.allowed, v.code })
        assert.is_true(v.audited)
        v = check("wipe", "/pub/a")
        assert.same({ "DSL_DENIED", false }, { v.code, v.audited })
        v = check("read", "/pub/a", {})
        assert.equal("OBLIGATION_UNMET", v.code)
        assert.same({ "t.symbi", 8 }, { v.policies[1].source, v.policies[1].line })
        assert.truthy(v.reason:find('require: ticket != "" (t.symbi:8)', 1, true))
        v = check("read", "/pub/a", { context = { ticket = "T-1" }, tool_calls = 2 })
        assert.equal("BUDGET_TOOL_CALLS", v.code)
        v = gate:check({ agent = "other", name = "read", arguments = { path = "/pub/a" } }, facts)
        assert.equal("DSL_DENIED", v.code)
        assert(gate:narrow(nil))
        assert.is_true(check("wipe", "/x").allowed)
        -- a policy of the gate that denies is not widened by an allow rule
        local strict = assert(symbi.gate.open { policies = { { name = "p", text = 'permit(principal, action, resource); forbid(principal, action == Action::"tool_call::read", resource);' } }, tools = { READ }, audit = audit })
        assert(strict:narrow(n))
        v = strict:check({ agent = "bot", name = "read", arguments = { path = "/pub/a" } }, facts)
        assert.equal("FORBIDDEN", v.code)
        gate:close()
        strict:close()
        audit:close()
        store:close()
    end)

    it("holds limits that only the host can meet", function()
        local n = assert(parse('agent bot { with sandbox = "gvisor", memory = "64MB" { } }'):compile())
        local gate = assert(symbi.gate.open { policies = ALL, tools = { READ } })
        local action = { agent = "bot", name = "read", arguments = { path = "/a" } }
        for _, t in ipairs { { nil, "OBLIGATION_UNMET" }, { { sandbox = "docker", memory_bytes = 1000 }, "OBLIGATION_UNMET" }, { { sandbox = "tier2" }, "OBLIGATION_UNMET" },
            { { sandbox = "gvisor", memory_bytes = 64000001 }, "OBLIGATION_UNMET" }, { { sandbox = "firecracker", memory_bytes = 64000000 }, "ALLOWED" } } do
            assert(gate:narrow(n, t[1]))
            assert.equal(t[2], gate:check(action).code)
        end
        assert.has_error(function() gate:narrow(n, { sandbox = "shed" }) end)
        assert.has_error(function() gate:narrow(n, { sandbx = "e2b" }) end)
        assert.has_error(function() gate:narrow({}) end)
        gate:close()
    end)

    it("raises on misuse, and not on input", function()
        assert.has_error(function() dsl.parse() end)
        assert.has_error(function() parse("agent a {}"):compile(3) end)
        assert.has_error(function() parse("agent a {}"):compile { tools = {} } end)
        assert.has_error(function() parse("agent a {}"):compile { agnt = "a" } end)
        local f = parse "agent a {}"
        f:close()
        f:close()
        assert.has_error(function() f:ok() end)
        local n = assert(parse("agent a {}"):compile())
        n:close()
        n:close()
        assert.has_error(function() n:describe() end)
        for _, text in ipairs { "\0", "\255\254", ("("):rep(1000), ("\n"):rep(100000), ("x"):rep(dsl.limits.bytes) } do
            local g, message, err = dsl.parse(text)
            if g then assert(g:ok() or #g:errors() > 0) else assert.equal("ELIMIT", err.code, message) end
        end
        local g, _, err = dsl.parse(("x"):rep(dsl.limits.bytes + 1), "big.symbi")
        assert.is_nil(g)
        assert.same({ "ELIMIT", "big.symbi" }, { err.code, err.path })
        assert.equal(5400000, dsl.duration "1h 30m")
        assert.is_nil((dsl.duration "soon"))
        assert.equal("docker", dsl.sandbox "Tier1")
        assert.is_nil(dsl.sandbox "shed")
        assert.equal("allow", assert(dsl.policy_text("policy p\nallow x\nend")).rules[1].action)
    end)

    it("runs an agent with its rules and limits enforced", function()
        local dir = folder {
            ["agents/bot.symbi"] = AGENT,
            ["replay.json"] = [[{"turns": [
                {"content": "one", "tool_calls": [{"id": "c1", "name": "read", "arguments": {"path": "/pub/a"}}, {"id": "c2", "name": "read", "arguments": {"path": "/etc/shadow"}}]},
                {"content": "two", "tool_calls": [{"id": "c3", "name": "wipe", "arguments": {"path": "/pub/a"}}], "expect": {"any_tool": "content of /pub/a"}},
                {"content": "three", "tool_calls": [{"id": "c4", "name": "read", "arguments": {"path": "/pub/b"}}, {"id": "c5", "name": "read", "arguments": {"path": "/pub/c"}}]},
                {"content": "done"}]}]],
        }
        local runtime = assert(symbi.runtime { policies = ALL, tools = { READ, WIPE }, agents = dir .. "/agents", state = dir .. "/state", replay = dir .. "/replay.json" })
        local agent = assert(runtime:agent "bot")
        assert.same({ "bot", "files" }, { agent.id, agent.definition.capabilities[1] })
        local result = assert(agent:run("go", { context = { ticket = "T-1" } }))
        assert.is_true(result.completed)
        assert.equal("done", result.output)
        assert.same({ 2, 3 }, { result.tool_calls, result.denied })
        local codes, marks = {}, 0
        for entry in symbi.audit.entries(runtime.store) do
            for _, d in ipairs(entry.data.decisions or {}) do
                codes[#codes + 1] = d.name .. " " .. d.code
                if d.audit then marks = marks + 1 end
            end
        end
        assert.same({ "read ALLOWED", "read DSL_DENIED", "wipe DSL_DENIED", "read ALLOWED", "read BUDGET_TOOL_CALLS", " ALLOWED" }, codes)
        assert.equal(4, marks) -- each call of read, whatever came of it
        agent:close()
        -- without the fact that it requires nothing goes, not even an answer
        runtime.replay = dir .. "/replay.json"
        agent = assert(runtime:agent(dir .. "/agents/bot.symbi"))
        result = assert(agent:run "go")
        assert.is_false(result.completed)
        agent:close()
        runtime:close()
    end)

    it("finds definitions, and refuses two of one name", function()
        local dir = folder { ["agents/a.symbi"] = "agent a { }", ["agents/a.toml"] = '[agent]\nid = "a"\n', ["agents/two.symbi"] = "agent x { }\nagent y { policy p { deny: any } }",
            ["agents/bad.symbi"] = "agent bad {", ["agents/vague.dsl"] = 'agent vague { with privacy = "x" { } }' }
        local runtime = assert(symbi.runtime { policies = ALL, tools = { READ }, agents = dir .. "/agents", no_audit = true })
        local agent, message, err, _
        agent, message = runtime:agent "a"
        assert.is_nil(agent)
        assert.truthy(message:find("defined twice", 1, true))
        agent, message = runtime:agent "two"
        assert.is_nil(agent)
        assert.truthy(message:find("say which", 1, true))
        agent = assert(runtime:agent(dir .. "/agents/two.symbi#y"))
        assert.equal("DSL_DENIED", agent.gate:check({ agent = "y", name = "read", arguments = { path = "x" } }).code)
        agent:close()
        agent, message, err = runtime:agent "bad"
        assert.is_nil(agent)
        assert.equal("EPARSE", err.code)
        assert.truthy(message:find("bad.symbi:1:12: ", 1, true))
        agent, _, err = runtime:agent "vague"
        assert.is_nil(agent)
        assert.equal(1, #err.problems)
        agent, message = runtime:agent "nobody"
        assert.is_nil(agent)
        assert.truthy(message)
        runtime:close()
    end)

    it("checks, formats, compiles and shows on the command line", function()
        local dir = folder { ["a.symbi"] = "agent a{ }", ["b.symbi"] = "agent b {\n}\n", ["bad.dsl"] = "agnt x {}\nagent y { foo }", ["note.txt"] = "x",
            ["vague.symbi"] = 'agent v { with privacy = "x" { } }', ["sched.symbi"] = "schedule s { }" }
        local status, out, err, _
        status, out, err = cli("dsl", "check", dir .. "/a.symbi", dir .. "/b.symbi")
        assert.same({ 0, "2 files, 0 faults\n", "" }, { status, out, err })
        status, out, err = cli("dsl", "check", dir)
        assert.equal(1, status)
        assert.truthy(err:find("bad.dsl:1:1: error: expected one of", 1, true))
        assert.truthy(err:find("bad.dsl:2:11: error: ", 1, true))
        assert.truthy(err:find("vague.symbi:1:16: error: nothing enforces the setting 'privacy'; what works: deny rules", 1, true))
        assert.truthy(err:find("sched.symbi:1: error: schedule 's': must specify either 'cron' or 'at'", 1, true))
        assert.truthy(out:find("5 files, 4 faults", 1, true))
        assert.equal(0, (cli("dsl", "check", "--syntax", dir .. "/vague.symbi")))
        status, out = cli("dsl", "check", "--json", dir .. "/bad.dsl")
        local report = symbi.json.decode(out)
        assert.same({ 1, false, 2, 1 }, { status, report.ok, #report.findings, report.findings[1].line })
        assert.equal(2, (cli("dsl", "check")))
        assert.equal(2, (cli("dsl", "nope")))
        assert.equal(2, (cli("dsl", "check", "--nope", dir)))
        assert.equal(2, (cli "dsl"))
        assert.is_nil((cli("dsl", "check", dir .. "/none.symbi")))

        status, out, err = cli("dsl", "fmt", "--check", dir .. "/a.symbi", dir .. "/b.symbi")
        assert.same({ 2, "", "would format " .. dir .. "/a.symbi\n" }, { status, out, err })
        status, out = cli("dsl", "fmt", dir .. "/a.symbi")
        assert.same({ 0, "agent a {\n}\n" }, { status, out })
        status, out = cli("dsl", "fmt", "--write", dir .. "/a.symbi", dir .. "/b.symbi")
        assert.same({ 0, "formatted " .. dir .. "/a.symbi\n" }, { status, out })
        assert.equal("agent a {\n}\n", symbi.io.read_file(dir .. "/a.symbi"))
        assert.equal(0, (cli("dsl", "fmt", "--check", dir .. "/a.symbi", dir .. "/b.symbi")))
        status, _, err = cli("dsl", "fmt", "--write", dir .. "/bad.dsl")
        assert.equal(1, status)
        assert.truthy(err:find("bad.dsl:1:1: ", 1, true))
        assert.equal("agnt x {}\nagent y { foo }", symbi.io.read_file(dir .. "/bad.dsl")) -- what is broken is left alone
        assert.equal(2, (cli("dsl", "fmt")))
        assert.equal(2, (cli("dsl", "fmt", "--stdin", dir .. "/a.symbi")))
        assert.equal(2, (cli("dsl", "fmt", dir .. "/a.symbi", dir .. "/b.symbi")))
        assert.equal(2, (cli("dsl", "fmt", "--write", "--check", dir)))

        assert(symbi.io.write_file(dir .. "/agent.symbi", AGENT))
        status, out, err = cli("dsl", "compile", dir .. "/agent.symbi")
        assert.same({ 0, "" }, { status, err })
        for _, text in ipairs { '@rule("allow: read(path) if path.starts_with(\\"/pub/\\")")', "line 8  require: ticket", "timeout_ms = 300000 ms", "both this set and the gate's policies" } do
            assert.truthy(out:find(text, 1, true), text)
        end
        status, out, err = cli("dsl", "compile", dir .. "/vague.symbi")
        assert.same({ 1, "" }, { status, out })
        assert.truthy(err:find("vague.symbi:1:16: refused: ", 1, true))
        status, out = cli("dsl", "compile", "--json", dir .. "/vague.symbi")
        assert.equal(1, status)
        assert.equal(1, #symbi.json.decode(out).problems)
        assert.equal(1, (cli("dsl", "compile", "--agent", "nobody", dir .. "/agent.symbi")))

        status, out = cli("dsl", "show", dir .. "/agent.symbi")
        assert.equal(0, status)
        for _, text in ipairs { "METADATA", "tags", "a, b", "(x: String) -> Out", 'allow: read(path) if path.starts_with("/pub/")', "timeout = 5m" } do assert.truthy(out:find(text, 1, true), text) end
        status, out = cli("dsl", "show", "--json", dir .. "/sched.symbi")
        assert.equal(1, status)
        assert.equal("schedule", symbi.json.decode(out).problems[1].kind)
        status, out = cli("dsl", "show", folder { ["h.symbi"] = 'webhook w { path "/x" secret "hunter2" }' } .. "/h.symbi")
        assert.equal(0, status)
        assert.truthy(out:find("(set)", 1, true))
        assert.is_nil(out:find("hunter2", 1, true))
    end)

    it("rewrites a file whole, through a link, and keeps its mode", function()
        local dir = folder { ["a.symbi"] = "agent a{ }" }
        os.execute("chmod 640 '" .. dir .. "/a.symbi' && ln -s a.symbi '" .. dir .. "/l.symbi'")
        assert.is_true(dsl.rewrite(dir .. "/l.symbi", { check = true }))
        assert.equal("agent a{ }", symbi.io.read_file(dir .. "/a.symbi"))
        assert.is_true(dsl.rewrite(dir .. "/l.symbi"))
        assert.is_false(dsl.rewrite(dir .. "/l.symbi"))
        assert.equal("agent a {\n}\n", symbi.io.read_file(dir .. "/a.symbi"))
        assert.equal(416, symbi.io.stat(dir .. "/a.symbi").mode)
        local names = {}
        for _, e in ipairs(symbi.io.list_dir(dir)) do names[#names + 1] = e.name end
        assert.same({ "a.symbi", "l.symbi" }, names) -- nothing is left beside it
    end)

    it("has a script that shows it", function()
        local printed, old_print, old_arg = {}, print, arg
        _G.print = function(line) printed[#printed + 1] = line:gsub("%s+", " ") end -- luacheck: ignore
        _G.arg = { [0] = "scripts/dsl.lua" } -- luacheck: ignore
        local ok, err = pcall(dofile, "scripts/dsl.lua")
        _G.print, _G.arg = old_print, old_arg -- luacheck: ignore
        assert(ok, err)
        assert.truthy(printed[1]:find("broken.symbi:1:1: .*did you mean 'agent'%?"))
        assert.equal("list_files scripts/agents allowed", printed[#printed - 3])
        assert.truthy(printed[#printed - 2]:find("^list_files tests DSL_DENIED"))
        assert.truthy(printed[#printed]:find("deny: remove_file (scripts/agents/reporter.symbi:16)", 1, true))
        for _, path in ipairs { "scripts/agents/reporter.symbi", "scripts/agents/guarded.symbi" } do assert.is_false(dsl.rewrite(path, { check = true })) end
    end)
end)
