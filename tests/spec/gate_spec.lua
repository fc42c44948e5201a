--- symbi.gate from Lua: decisions, permits, approvals, folders that change under it, shadow sets, both modes.
local symbi = require "symbi"
local core = require "symbi.core"

assert(symbi.cedar.policies({}):hash()) -- the digest algorithm is fetched once per state and kept: not a leftover of the first test

local function write(path, text)
    local f = assert(io.open(path, "wb"))
    assert(f:write(text))
    f:close()
end

-- The folders' changes are noticed by size and time: tests that write twice within a millisecond write other sizes.
local function folder(files)
    local dir = os.tmpname()
    os.remove(dir)
    assert(symbi.io.mkdir(dir))
    for name, text in pairs(files) do
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

local read = symbi.tool { name = "read", description = "reads", args = { path = { type = "path", required = true } }, run = function(a) return a.path end }
local wipe = symbi.tool { name = "wipe", description = "wipes", human_approval = true, args = { path = { type = "path", required = true } }, run = function() end }

local function open(policies, more)
    local o = { policies = type(policies) == "string" and { { name = "p.cedar", text = policies } } or policies, tools = { read, wipe } }
    for k, v in pairs(more or {}) do o[k] = v end
    return assert(symbi.gate.open(o))
end

local function call(name, arguments) return { agent = "bot", name = name or "read", arguments = arguments or { path = "a" } } end

local ALL = "permit(principal, action, resource);"

describe("symbi.gate", function()
    it("allows with a permit that opens one door once", function()
        local gate = open(ALL)
        local v = gate:check(call())
        assert.is_true(v.allowed)
        assert.equal("allow", v.decision)
        assert.equal("ALLOWED", v.code)
        assert.equal("strict", v.mode)
        assert.equal(124, #v.permit)
        assert.same({ path = "a" }, v.input)
        assert.equal("p.cedar#0", v.policies[1].id)
        assert.equal("p.cedar", v.policies[1].source)
        assert.equal(64, #v.action_digest)
        local plan = assert(gate:redeem(v, v.permit))
        assert.equal("callback", plan.kind)
        assert.same({ path = "a" }, plan.arguments)
        local again, _, err = gate:redeem(v, v.permit)
        assert.is_nil(again)
        assert.equal("EPERMIT", err.code)
        assert.equal("PERMIT_USED", err.reason_code)
        gate:close()
        assert.has_error(function() gate:check(call()) end)
    end)

    it("denies with a code and a policy", function()
        local gate = open(ALL .. '\n@id("no") forbid(principal, action, resource) when { context.input has path && context.input.path like "secret*" };')
        local v = gate:check(call("read", { path = "secret/a" }))
        assert.is_false(v.allowed)
        assert.equal("FORBIDDEN", v.code)
        assert.is_nil(v.permit)
        assert.same({ "no", "p.cedar", 2, "forbid" }, { v.policies[1].id, v.policies[1].source, v.policies[1].line, v.policies[1].effect })
        assert.equal("UNKNOWN_TOOL", gate:check(call("raed")).code)
        assert.equal("INVALID_ARGUMENTS", gate:check(call("read", { path = "../a" })).code)
        assert.equal("INVALID_ARGUMENTS", gate:check(call("read", {})).code)
        assert.equal("BAD_ARGUMENTS_JSON", gate:check { agent = "bot", name = "read", arguments_json = "{" }.code)
        assert.equal("BAD_ACTION", gate:check { agent = "bot", kind = "respond", name = "x" }.code)
        assert.equal("BAD_ACTION", gate:check { agent = "", name = "read", arguments = { path = "a" } }.code)
        assert.equal("BAD_ACTION", gate:check { agent = "bot", kind = "dance" }.code)
        assert.equal("RESERVED_CONTEXT_KEY", gate:check(call(), { context = { now = 1 } }).code)
        assert.equal("BAD_CONTEXT", gate:check(call(), { context = { load = 0.5 } }).code)
        assert.equal("ALLOWED", gate:check(call(), { context = { ticket = "x" } }).code)
        assert.has_error(function() v.code = "ALLOWED" end)
        assert.has_error(function() gate:check { agent = "bot", tool = "read" } end) -- an unknown member
        assert.has_error(function() gate:check { agent = "bot", name = "read", arguments = {}, arguments_json = "{}" } end)
    end)

    it("takes no half of a folder", function()
        local dir = folder { ["a.cedar"] = ALL, ["run/b.cedar"] = "forbid(principal, action, resource);" }
        local function opens(surface) return symbi.gate.open { policies = dir, tools = { read }, surface = surface } end
        local gate = assert(opens "run")
        assert.equal("FORBIDDEN", gate:check(call()).code)
        local function refused(code, says)
            local g, message, err = opens "run"
            assert.is_nil(g)
            assert.truthy(message:find(says, 1, true), message)
            assert.equal(code, err.code)
            local r, why = gate:refresh()
            assert.is_nil(r)
            assert.equal(message, why)
            assert.equal("FORBIDDEN", gate:check(call()).code) -- what was in force stays
        end
        write(dir .. "/run/b.cedar", " \n") -- truncated, and about to be written
        refused("EPARSE", "run/b.cedar is empty")
        for _, name in ipairs { "B.CEDAR", "b.Cedar", "b.cedar.json" } do
            write(dir .. "/run/b.cedar", "forbid(principal, action, resource);")
            write(dir .. "/" .. name, "[]")
            refused("EINVAL", name .. " would not be read")
            os.remove(dir .. "/" .. name)
        end
        os.remove(dir .. "/run/b.cedar")
        os.remove(dir .. "/run")
        write(dir .. "/run", "no folder")
        local g, message = opens "run"
        assert.is_nil(g)
        assert.truthy(message:find("/run", 1, true), message)
        assert.is_nil((gate:refresh()))
        assert.equal("FORBIDDEN", gate:check(call()).code)
        os.remove(dir .. "/run")
        remove(dir) -- gone, and then there again and empty: that denies everything, and says so
        assert.is_nil((gate:refresh()))
        assert(symbi.io.mkdir(dir))
        assert.truthy(gate:refresh())
        assert.equal("NO_POLICIES", gate:check(call()).code)
        remove(dir)
    end)

    it("takes no half of a list", function()
        local allow, forbid = { name = "a", text = ALL }, { name = "b", text = "forbid(principal, action, resource);" }
        local gaps = { allow }
        gaps[3] = forbid
        for _, list in ipairs { gaps, { allow, more = forbid }, { policies = ALL }, { [0] = forbid, allow } } do
            assert.has_error(function() symbi.cedar.policies(list) end)
            assert.has_error(function() symbi.gate.open { policies = list, tools = {} } end)
            assert.has_error(function() symbi.gate.open { policies = list, tools = {}, mode = "compat" } end)
        end
        assert.has_error(function() symbi.gate.open { policies = { allow }, tools = {}, profile = { read = true } } end)
        local audit = assert(symbi.audit.open(symbi.store.memory(), { key = symbi.crypto.ed25519() }))
        assert.has_error(function() audit:commit { evnt = "{}" } end) -- nothing would be recorded
        assert.equal(0, audit:len())
    end)

    it("looks at what it was given when it is used", function()
        -- an options table whose reading closes what it holds, and one whose reading changes it
        local set = assert(symbi.cedar.policies(ALL))
        local meta = { __index = function() set:close() end }
        pcall(core.gate.new, setmetatable({ policies = set }, meta))
        local gate = open(ALL)
        local facts = setmetatable({}, { __index = function() gate:close() end })
        assert.is_true(gate:check(call(), facts).allowed) -- a table's own fields count, and nothing else
        assert.is_true(gate:check(call()).allowed)
        local request = setmetatable({ principal = setmetatable({ id = "a" }, { __index = function() set:close() return "User" end }), action = 'Action::"a"', resource = 'User::"b"' },
            { __index = function() set:close() end })
        set = assert(symbi.cedar.policies(ALL))
        assert.has_error(function() set:authorize(request) end) -- closed meanwhile
        local sly = setmetatable({ name = "read", arguments = { path = "a" } }, { __index = { agent = "bot" } })
        assert.equal("BAD_ACTION", gate:check(sly).code)
    end)

    it("lets no answer mean more than it says", function()
        local gate = open(ALL)
        local function asked()
            local run = assert(core.run.new { gate = gate, no_audit = true, agent_id = "bot", prompt = "go" })
            local e = assert(run:next())
            assert.is_true(run:resolve(e.id, { neutral = [[{"tool_calls":[{"id":"c1","name":"wipe","arguments":{"path":"a"}}]}]] }))
            e = assert(run:next())
            assert.equal("approve", e.kind:lower())
            return run, e.id
        end
        local run, id = asked()
        for _, answer in ipairs { "no", "true", 0, 1, {} } do
            assert.has_error(function() run:resolve(id, { approved = answer, approver = "ann" }) end)
        end
        assert.is_true(run:resolve(id, { approved = false, approver = "ann" }))
        assert.equal("model", assert(run:next()).kind:lower())
        run:close()
        -- a reply whose reading would close the run: its own fields count, and nothing else
        run, id = asked()
        assert.is_true(run:resolve(id, setmetatable({ approver = "ann" }, { __index = function(_, k)
            run:close()
            return k == "approved"
        end })))
        assert.equal("model", assert(run:next()).kind:lower())
        run:close()
        run:close()
        assert.has_error(function() run:next() end)
    end)

    if _VERSION ~= "Lua 5.1" then -- finalisers of tables
        it("is not confused by finalisers", function()
            for i = 1, 60 do
                local set = assert(symbi.cedar.policies(ALL))
                local options = { policies = set, profile = {}, agent_identity = {} }
                for k = 1, 20 do
                    options.profile[k] = "name" .. k .. ("x"):rep(k + 40)
                    options.agent_identity["a" .. k .. i] = "b" .. k .. i .. ("y"):rep(60)
                end
                local gate = open(ALL)
                local action = { kind = "respond", agent = "bot" .. i .. ("y"):rep(60), content = ("z"):rep(500 + i) }
                local wild = function()
                    for what in pairs { policies = 1, profile = 1, agent_identity = 1 } do options[what] = nil end
                    action.agent, action.content = nil, nil
                    set:close()
                    gate:close()
                    collectgarbage()
                end
                local junk = {}
                for k = 1, i do junk[k] = {} end
                setmetatable({}, { __gc = wild })
                pcall(core.gate.new, options)
                setmetatable({}, { __gc = wild })
                pcall(gate.check, gate, action, { context = setmetatable({ x = { y = junk } }, {}) })
            end
        end)
    end

    it("reads small and large tables alike", function()
        local gate = open(ALL .. [[
            forbid(principal, action, resource) when { context has a && context.a == {list: [1, "x", true], deep: {deeper: {n: 3}}, empty: {}} };
            forbid(principal, action, resource) when { context has k100 && context.k007 == 7 && context.k100 == 100 };
            forbid(principal, action, resource) when { context has d && context.d.d.d.d.d.d == 1 };
            forbid(principal, action, resource) when { context has none && context.none == [] };]])
        local null, array = symbi.null, symbi.array
        local function code(context) return gate:check(call(), { context = context }).code end
        assert.equal("FORBIDDEN", code { a = { list = { 1, "x", true }, deep = { deeper = { n = 3 } }, empty = {} } })
        assert.equal("ALLOWED", code { a = { list = { 1, "x", false }, deep = { deeper = { n = 3 } }, empty = {} } })
        local many = {}
        for i = 1, 100 do many[("k%03d"):format(i)] = i end
        assert.equal("FORBIDDEN", code(many)) -- more than the scratch of a call holds
        assert.equal("FORBIDDEN", code { d = { d = { d = { d = { d = { d = 1 } } } } } })
        assert.equal("FORBIDDEN", code { none = array {} }) -- with a metatable
        assert.equal("ALLOWED", code { other = {} })
        assert.equal("BAD_CONTEXT", code { n = null })
        -- what is no data, and where it stands
        for where, context in pairs { ["facts.context/a/b: "] = { a = { b = function() end } }, ["facts.context/n: a number is NaN"] = { n = 0 / 0 },
            ["facts.context/l: the list has no item 1"] = { l = { [2] = 1 } }, ["facts.context/m: a list cannot have"] = { m = { 1, x = 1 } } } do
            local ok, message = pcall(gate.check, gate, call(), { context = context })
            assert.is_false(ok)
            assert.truthy(message:find(where, 1, true), message)
        end
        local itself = {}
        itself.itself = itself
        assert.has_error(function() gate:check(call(), { context = itself }) end)
        assert.has_error(function() gate:check(call(), { contxt = {} }) end)
        assert.has_error(function() gate:check(call(), { [1] = {} }) end)
        assert.has_error(function() gate:check { [1] = "bot" } end)
        assert.has_error(function() gate:check { agent = 1 } end)
        assert.has_error(function() gate:check(call(), { tool_calls = 1.5 }) end)
        -- the same action, however it is written
        local wide = symbi.tool { name = "wide", args = { n = "integer", s = "string", b = "boolean", x = "number" }, run = function() end }
        local other = open(ALL, { tools = { wide } })
        local v = other:check { agent = "bot", name = "wide", arguments = { n = 3, s = "t", b = true, x = 0.5 } }
        assert.equal("ALLOWED", v.code)
        assert.equal(v.action_digest, other:check { agent = "bot", name = "wide", arguments_json = '{"x":0.5,"s":"t","n":3,"b":true}' }.action_digest)
        assert.equal(v.action_digest, other:check { agent = "bot", name = "wide", arguments = setmetatable({ n = 3.0, s = "t", b = true, x = 0.5 }, {}) }.action_digest)
    end)

    it("denies everything without policies", function()
        for _, policies in ipairs { {}, { { name = "x", text = "// nothing" } } } do
            local gate = assert(symbi.gate.open { policies = policies, tools = { read } })
            assert.equal("NO_POLICIES", gate:check(call()).code)
            assert.equal("NO_POLICIES", gate:check { agent = "bot", kind = "respond", content = "hi" }.code)
        end
        local gate = assert(symbi.gate.open { tools = { read } })
        assert.equal("NO_POLICIES", gate:check(call()).code)
    end)

    it("denies when a forbid cannot be evaluated", function()
        local gate = open(ALL .. "forbid(principal, action, resource) when { context.risk > 5 };")
        local v = gate:check(call())
        assert.equal("POLICY_ERROR", v.code)
        assert.truthy(v.policies[1].error)
        assert.equal("ALLOWED", gate:check(call(), { context = { risk = 5 } }).code)
        assert.equal("FORBIDDEN", gate:check(call(), { context = { risk = 6 } }).code)
    end)

    it("knows the groups of agents, actions and tools", function()
        local entities = assert(symbi.cedar.entities {
            { uid = 'Agent::"bot"', attrs = { name = "stored" }, parents = { 'Team::"red"' } },
            { uid = 'Team::"red"', parents = { 'Team::"suspended"' } },
            { uid = 'Action::"tool_call::read"', parents = { 'Action::"harmless"' } },
            { uid = 'Tool::"read"', parents = { 'Toolbox::"files"' } },
        })
        for scope, code in pairs {
            ['principal in Team::"red", action, resource'] = "FORBIDDEN",
            ['principal in Team::"suspended", action, resource'] = "FORBIDDEN",
            ['principal in Team::"blue", action, resource'] = "ALLOWED",
            ['principal, action in Action::"harmless", resource'] = "FORBIDDEN",
            ['principal, action in Action::"tool_call", resource'] = "FORBIDDEN",
            ['principal, action, resource in Toolbox::"files"'] = "FORBIDDEN",
            ['principal, action, resource in Tool::"read"'] = "FORBIDDEN",
        } do
            local gate = open(ALL .. "forbid(" .. scope .. ");", { entities = entities })
            assert.equal(code, gate:check(call()).code, scope)
            gate:close()
        end
        local gate = open('permit(principal, action, resource) when { principal.name == "bot" };', { entities = entities })
        assert.equal("ALLOWED", gate:check(call()).code) -- attributes are the runtime's to state
        gate:close()
        entities:close()
    end)

    it("changes arguments, puts off, and asks a person where a forbid says so", function()
        local gate = open(ALL .. [[
            @instead("modify path = \"public/a\"") forbid(principal, action, resource) when { context.input.path like "private/*" };
            @instead("defer 30s") forbid(principal, action, resource) when { context.input.path == "busy" };
            @instead("step_up") forbid(principal, action, resource) when { context.input.path == "big" };]])
        local v = gate:check(call("read", { path = "private/a" }))
        assert.same({ "modify", "ALLOWED" }, { v.decision, v.code })
        assert.is_false(v.allowed) -- what was asked for is not
        assert.same({ path = "public/a" }, v.input)
        assert.same({ path = "private/a" }, v.proposed)
        assert(gate:commit(v))
        assert.same({ path = "public/a" }, assert(gate:redeem(v, v.permit)).arguments)
        v = gate:check(call("read", { path = "busy" }))
        assert.same({ "defer", "DEFERRED", 30000 }, { v.decision, v.code, tonumber(v.retry_after_ms) })
        assert.is_nil(v.permit)
        v = gate:check(call("read", { path = "big" }))
        assert.same({ "step_up", "APPROVAL_REQUIRED" }, { v.decision, v.code })
        assert(gate:approve(v.action_digest, true, "ann"))
        assert.is_true(gate:check(call("read", { path = "big" })).allowed)
        assert.is_false(gate:check(call("read", { path = "big" })).allowed)
        local set = assert(symbi.cedar.policies('@instead("perhaps") forbid(principal, action, resource);'))
        local ok, message, err = gate:reload(set)
        assert.is_nil(ok)
        assert.equal("ESCHEMA", err.code)
        assert.truthy(message:find("@instead", 1, true))
        assert.equal("modify", gate:check(call("read", { path = "private/a" })).decision)
    end)

    it("warns of what is probably not meant", function()
        assert.same({}, open(ALL):warnings())
        local list = open('permit(principal, action in Action::"tool_call", resource);'):warnings()
        assert.equal(1, #list)
        assert.truthy(list[1]:find("respond", 1, true))
        assert.truthy(assert(symbi.gate.open { tools = { read } }):warnings()[1]:find("no policies", 1, true))
        local both = open('permit(principal, action == "tool_call", resource);'):warnings()
        assert.equal(2, #both) -- the dialect, and no answers
        assert.same({}, open('permit(principal, action in [Action::"tool_call", Action::"respond"], resource);'):warnings())
    end)

    it("says aloud that it asks no policies, and that it decides as upstream does", function()
        local err, said = io.stderr, {}
        io.stderr = { write = function(_, ...) said[#said + 1] = table.concat { ... } return true end } -- luacheck: ignore
        local called, a, b, c = pcall(function()
            return symbi.gate.open { tools = { read }, insecure_allow_all = true, production = false }, symbi.gate.open { policies = { ALL }, mode = "compat", production = false },
                symbi.gate.open { policies = { ALL }, mode = "compat", quiet = true }
        end)
        io.stderr = err -- luacheck: ignore
        assert(called, a)
        assert(a and b and c)
        assert.equal(2, #said)
        assert.truthy(said[1]:find("insecure_allow_all", 1, true))
        assert.truthy(said[2]:find("COMPAT", 1, true))
        assert.equal(1, #a:warnings())
        assert.truthy(a:warnings()[1]:find("policies are not asked", 1, true))
        assert.equal("ALLOWED", a:check(call()).code)
    end)

    it("opens nothing in production, however that is spelled", function()
        local getenv = os.getenv
        for value, closed in pairs { production = true, prod = true, [" Production\t"] = true, PROD = true, nonsense = true, development = false, staging = false, test = false, [""] = false } do
            os.getenv = function(name) if name == "SYMBIONT_ENV" then return value end return getenv(name) end -- luacheck: ignore
            local called, gate, _, err = pcall(symbi.gate.open, { tools = { read }, insecure_allow_all = true, quiet = true })
            os.getenv = getenv -- luacheck: ignore
            assert(called, gate)
            assert.equal(closed, gate == nil, value)
            if closed then assert.equal("EDENIED", err.code) end
        end
    end)

    it("keeps to the profile and the budget", function()
        local gate = open(ALL, { profile = { "wipe" } })
        assert.equal("NOT_IN_PROFILE", gate:check(call()).code)
        gate = open(ALL, { max_tool_calls = 2 })
        assert.equal("ALLOWED", gate:check(call(), { tool_calls = 1 }).code)
        assert.equal("BUDGET_TOOL_CALLS", gate:check(call(), { tool_calls = 2 }).code)
    end)

    it("asks a person, once, for these arguments", function()
        local gate = open(ALL)
        local v = gate:check(call("wipe"))
        assert.equal("step_up", v.decision)
        assert.is_false(v.allowed)
        assert.is_nil(v.permit)
        assert(gate:approve(v.action_digest, true, "ann"))
        assert.equal("APPROVAL_REQUIRED", gate:check(call("wipe", { path = "b" })).code)
        assert.equal("ALLOWED", gate:check(call("wipe")).code)
        assert.equal("APPROVAL_REQUIRED", gate:check(call("wipe")).code)
        assert(gate:approve(v.action_digest, false, "ann"))
        assert.equal("APPROVAL_DENIED", gate:check(call("wipe")).code)
        local ok, _, err = gate:approve(v.action_digest, true, "")
        assert.is_nil(ok)
        assert.equal("EINVAL", err.code)
        assert.has_error(function() gate:approve("short", true, "ann") end)
    end)

    it("makes permits stale when another set comes into force", function()
        local gate = open(ALL)
        local v = gate:check(call())
        assert.equal(1, tonumber(gate:generation()))
        assert.equal(2, tonumber(assert(gate:reload(assert(symbi.gate.policies { { name = "q.cedar", text = ALL } })))))
        local plan, _, err = gate:redeem(v, v.permit)
        assert.is_nil(plan)
        assert.equal("PERMIT_STALE", err.reason_code)
        assert.has_error(function() gate:reload("permit(principal, action, resource);") end)
    end)

    it("refuses a permit whose tool is another one by now", function()
        local function tool(name, more)
            return assert(symbi.toolclad.parse('[tool]\nname = "' .. name .. '"\nversion = "1"\ndescription = "d"\ndispatch = "callback"\n[args.path]\nrequired = true\n' .. (more or ""), "t.clad.toml"))
        end
        local set = symbi.toolclad.toolset
        local store = assert(symbi.store.memory())
        local audit = assert(symbi.audit.open(store, { key = assert(symbi.crypto.ed25519 { seed = ("07"):rep(32) }) }))
        local gate = assert(symbi.gate.open { policies = { { name = "p.cedar", text = ALL } }, tools = { tool "count" }, audit = audit })
        local function decided()
            local v = gate:check { kind = "tool_call", agent = "a", name = "count", arguments = { path = "b" } }
            assert(gate:commit(v))
            return v
        end
        local v = decided()
        assert(gate:retool(assert(set { tool "count", tool "other" }))) -- the same manifest, read again
        assert.truthy(gate:redeem(v, v.permit))
        for _, now in ipairs { assert(set { tool("count", '[args.mode]\ntype = "enum"\nallowed = ["a"]\nrequired = true\n') }), assert(set { tool "other" }) } do
            assert(gate:retool(assert(set { tool "count" })))
            v = decided()
            assert(gate:retool(now))
            local plan, message, err = gate:redeem(v, v.permit)
            assert.is_nil(plan)
            assert.equal("TOOL_REPLAN", err.reason_code)
            assert.equal("EPERMIT", err.code)
            assert.truthy(message:find("re-plan", 1, true))
            local last
            for e in symbi.audit.entries(store) do last = e.data end
            assert.equal("permit_refused TOOL_REPLAN", last.type .. " " .. last.code)
        end
        gate:close()
        audit:close()
        store:close()
    end)

    it("sends a traceparent: of the run that is named, or of the call itself", function()
        local tool = assert(symbi.toolclad.parse('[tool]\nname = "far"\nversion = "1"\ndescription = "d"\n[mcp]\nserver = "s"\ntool = "x"\n[output]\nformat = "json"\n[output.schema]\ntype = "object"\n', "t.clad.toml"))
        local gate = assert(symbi.gate.open { policies = { { name = "p.cedar", text = ALL } }, tools = { tool } })
        local function trace(options)
            local v = gate:check { kind = "tool_call", agent = "a", name = "far", arguments = symbi.object {} }
            local text = assert(gate:redeem(v, v.permit, options)).detail.traceparent
            return text, text and assert(symbi.toolclad.traceparent(text)).trace_id
        end
        local one, id = trace()
        local two, other = trace {}
        assert.truthy(one and two)
        assert.not_equal(id, other)
        one, id = trace { trace_id = "0AF76519-16CD-43DD-8448-EB211C80319C" }
        assert.equal("0af7651916cd43dd8448eb211c80319c", id)
        two, id = trace { trace_id = "0af7651916cd43dd8448eb211c80319c" }
        assert.equal("0af7651916cd43dd8448eb211c80319c", id)
        assert.not_equal(one, two) -- a parent of its own for each call
        assert.is_nil((trace { trace_id = "no trace" }))
        gate:close()
    end)

    it("puts decisions on a trail, and only then lets permits be used", function()
        local store = assert(symbi.store.memory())
        local audit = assert(symbi.audit.open(store, { key = assert(symbi.crypto.ed25519 { seed = ("07"):rep(32) }) }))
        local gate = open(ALL, { audit = audit })
        local v = gate:check(call())
        local plan, _, err = gate:redeem(v, v.permit)
        assert.is_nil(plan)
        assert.equal("NOT_COMMITTED", err.reason_code)
        assert(gate:commit(v))
        assert.is_true(v.committed)
        assert.truthy(gate:redeem(v, v.permit))
        local denied = gate:check(call("nothing"))
        assert(gate:commit(denied))
        local seen = {}
        for e in symbi.audit.entries(store) do
            seen[#seen + 1] = e.data.type .. " " .. (e.data.code or e.data.decisions[1].code)
        end
        assert.same({ "permit_refused NOT_COMMITTED", "policy_evaluated ALLOWED", "policy_evaluated UNKNOWN_TOOL" }, seen)
        gate:close()
        audit:close()
        store:close()
    end)

    describe("with a shadow set", function()
        it("records what that would have said, and obeys the other", function()
            local gate = open(ALL)
            gate:shadow(assert(symbi.gate.policies { { name = "s.cedar", text = 'forbid(principal, action == Action::"tool_call::read", resource);' } }))
            local v = gate:check(call())
            assert.equal("allow", v.decision)
            assert.equal("deny", v.shadow)
            assert.equal("s.cedar#0", v.shadow_policy)
            assert.truthy(v.permit)
            gate:check(call("wipe", {})) -- contract first: not a matter of policy
            local asked, differed = gate:shadow_counts()
            assert.same({ 1, 1 }, { tonumber(asked), tonumber(differed) })
            gate:shadow(nil)
            assert.is_nil(gate:check(call()).shadow)
        end)
    end)

    describe("with strict_policies", function()
        local dialect = ALL .. '\nforbid(principal, action == "tool_call", resource) when { resource.name == "read" };'
        it("refuses the seed's dialect, which is rewritten without", function()
            local gate = open(dialect)
            assert.equal("FORBIDDEN", gate:check(call()).code)
            local strict, message, err = symbi.gate.open { policies = { { name = "p.cedar", text = dialect } }, strict_policies = true }
            assert.is_nil(strict)
            assert.equal("EPARSE", err.code)
            assert.equal(2, err.line)
            assert.truthy(message:find("p.cedar", 1, true))
        end)
        it("takes both spellings of types", function()
            local gate = open('permit(principal == Symbi::Agent::"bot", action == Symbi::Action::"tool_call::read", resource);', { strict_policies = true })
            assert.equal("ALLOWED", gate:check(call()).code)
        end)
    end)

    it("explains without consequences", function()
        local gate = open('@id("docs") permit(principal, action, resource) when { context.input.path like "docs/*" };')
        local v, policies = gate:explain(call())
        assert.equal("DEFAULT_DENY", v.code)
        assert.equal("not_satisfied", policies[1].outcome)
        assert.equal('"a"', policies[1].conditions[1].because[1].values[1].value)
        v, policies = gate:explain(call("read", { path = "docs/a" }))
        assert.equal("ALLOWED", v.code)
        assert.is_nil(v.permit)
        assert.equal("satisfied", policies[1].outcome)
        v, policies = gate:explain(call("nothing"))
        assert.equal("UNKNOWN_TOOL", v.code)
        assert.is_nil(policies)
        local asking = open(ALL)
        assert.equal("APPROVAL_REQUIRED", (asking:explain(call("wipe"))).code)
        assert(asking:approve(asking:check(call("wipe")).action_digest, true, "ann"))
        asking:explain(call("wipe"))
        assert.equal("ALLOWED", asking:check(call("wipe")).code) -- the approval was not used up
    end)
end)

describe("a gate over a folder", function()
    local dir, gate
    local function start(files, more)
        dir = folder(files)
        local o = { policies = dir, tools = { read, wipe } }
        for k, v in pairs(more or {}) do o[k] = v end
        local message, err
        gate, message, err = symbi.gate.open(o)
        return gate, message, err
    end
    after_each(function()
        if gate then gate:close() end
        if dir then remove(dir) end
        gate, dir = nil, nil
        collectgarbage() -- Lua 5.1 keeps what a weak key with a finalizer names for one round more
    end)

    it("reads its files, and notices a change", function()
        assert(start { ["a.cedar"] = ALL, ["notes.txt"] = "not a policy", ["b.cedar"] = "// empty" })
        assert.equal("ALLOWED", gate:check(call()).code)
        assert.is_false(gate:refresh())
        write(dir .. "/c.cedar", 'forbid(principal, action == Action::"tool_call::read", resource);')
        assert.equal(2, tonumber(assert(gate:refresh())))
        assert.equal("FORBIDDEN", gate:check(call()).code)
        assert.is_false(gate:refresh())
        assert.equal(3, tonumber(assert(gate:refresh(true))))
    end)

    it("keeps the old set when an edit is broken, and says so until it is mended", function()
        local store = assert(symbi.store.memory())
        local audit = assert(symbi.audit.open(store, { key = assert(symbi.crypto.ed25519 { seed = ("07"):rep(32) }) }))
        assert(start({ ["a.cedar"] = ALL, ["b.cedar"] = "forbid(principal, action, resource);" }, { audit = audit }))
        local before = gate:check(call())
        assert.equal("FORBIDDEN", before.code)
        write(dir .. "/b.cedar", "forbid(principal, action, resource")
        for _ = 1, 3 do
            local ok, message, err = gate:refresh()
            assert.is_nil(ok)
            assert.equal("EPARSE", err.code)
            assert.truthy(message:find("b.cedar", 1, true))
            assert.equal(1, tonumber(gate:generation()))
            assert.equal("FORBIDDEN", gate:check(call()).code) -- the forbid that the edit broke
            assert.equal(before.policy_hash, gate:check(call()).policy_hash)
        end
        write(dir .. "/b.cedar", "// nothing is forbidden any more")
        assert.equal(2, tonumber(assert(gate:refresh())))
        assert.equal("ALLOWED", gate:check(call()).code)
        local events = {}
        for e in symbi.audit.entries(store) do
            events[#events + 1] = e.data.type
            if e.data.type == "policy_reloaded" then
                assert.equal(64, #e.data.policy_set_hash)
                assert.not_equal(before.policy_hash, e.data.policy_set_hash)
            else
                assert.truthy(e.data.error:find("b.cedar", 1, true))
            end
        end
        assert.same({ "policy_reload_failed", "policy_reloaded" }, events) -- a fault is on the trail once
        gate:close()
        audit:close()
        store:close()
    end)

    it("refuses what it cannot carry out, before the trail says otherwise", function()
        local store = assert(symbi.store.memory())
        local audit = assert(symbi.audit.open(store, { key = assert(symbi.crypto.ed25519 { seed = ("07"):rep(32) }) }))
        assert(start({ ["a.cedar"] = ALL }, { audit = audit }))
        write(dir .. "/b.cedar", '@instead("perhaps") forbid(principal, action, resource);')
        local ok, _, err = gate:refresh()
        assert.is_nil(ok)
        assert.equal("ESCHEMA", err.code)
        assert.truthy(gate:status().broken:find("b.cedar", 1, true))
        write(dir .. "/b.cedar", 'forbid(principal, action == Action::"respond", resource); ')
        write(dir .. "/a.cedar", 'permit(principal, action in Action::"tool_call", resource);')
        assert(gate:refresh())
        local status = gate:status()
        assert.same({ 2, 1, 1, false }, { tonumber(status.generation), status.reloads, status.failures, status.following })
        assert.is_nil(status.broken)
        assert.truthy(status.warnings[1]:find("respond", 1, true))
        local events = {}
        for e in symbi.audit.entries(store) do events[#events + 1] = e.data end
        assert.equal("policy_reload_failed", events[1].type)
        assert.equal("policy_reloaded", events[2].type)
        assert.truthy(events[2].warnings[1]:find("respond", 1, true))
        gate:close()
        audit:close()
        store:close()
    end)

    it("denies everything when the folder is emptied, and keeps the set when it is taken away", function()
        assert(start { ["a.cedar"] = ALL })
        os.remove(dir .. "/a.cedar")
        assert.equal(2, tonumber(assert(gate:refresh())))
        assert.equal("NO_POLICIES", gate:check(call()).code)
        write(dir .. "/a.cedar", ALL)
        assert(gate:refresh())
        remove(dir)
        local ok, _, err = gate:refresh()
        assert.is_nil(ok)
        assert.equal("ENOTFOUND", err.code)
        assert.equal("ALLOWED", gate:check(call()).code)
    end)

    it("adds the folder of its surface", function()
        local files = { ["a.cedar"] = ALL, ["http/no.cedar"] = 'forbid(principal, action == Action::"tool_call::read", resource);', ["other/x.cedar"] = "broken" }
        assert(start(files, { surface = "http" }))
        assert.equal("FORBIDDEN", gate:check(call()).code)
        gate:close()
        gate = assert(symbi.gate.open { policies = dir, tools = { read } })
        assert.equal("ALLOWED", gate:check(call()).code)
        gate:close()
        gate = assert(symbi.gate.open { policies = dir, tools = { read }, surface = "shell" }) -- no such folder: the shared files alone
        assert.equal("ALLOWED", gate:check(call()).code)
        for _, surface in ipairs { "../a", "a/b", ".", "..", "a\\b" } do
            local other, _, err = symbi.gate.open { policies = dir, surface = surface }
            assert.is_nil(other)
            assert.equal("EINVAL", err.code)
        end
        local other, message = symbi.gate.open { policies = dir, tools = { read }, surface = "other" }
        assert.is_nil(other)
        assert.truthy(message:find("other/x.cedar", 1, true))
    end)

    it("reads files that are JSON lists", function()
        local list = symbi.json.encode(symbi.array {
            { name = "tools", source = 'permit(principal, action in Action::"tool_call", resource);', active = true },
            { name = "off", source = "this is not Cedar", active = false },
            { name = "answers", source = 'permit(principal, action == Action::"respond", resource);' },
        })
        assert(start { ["a.cedar"] = list })
        local v = gate:check(call())
        assert.equal("ALLOWED", v.code)
        assert.truthy(v.policies[1].id:find("a.cedar:tools#0", 1, true))
        assert.equal("ALLOWED", gate:check { agent = "bot", kind = "respond", content = "hi" }.code)
        write(dir .. "/a.cedar", '[{"name":"x"}]')
        local ok, message, err = gate:refresh()
        local _
        assert.is_nil(ok)
        assert.equal("ESCHEMA", err.code)
        assert.truthy(message:find("entry 1", 1, true))
        write(dir .. "/a.cedar", "[{")
        ok, _, err = gate:refresh()
        assert.is_nil(ok)
        assert.equal("EPARSE", err.code)
        assert.equal("ALLOWED", gate:check(call()).code)
    end)

    it("is not opened where something is wrong", function()
        local _
        local g, message, err = start { ["a.cedar"] = ALL, ["b.cedar"] = "permit(principal, action, resource)\n" }
        assert.is_nil(g)
        assert.equal("EPARSE", err.code)
        assert.truthy(message:find("b.cedar", 1, true))
        g, _, err = symbi.gate.open { policies = dir .. "/none" }
        assert.is_nil(g)
        assert.equal("ENOTFOUND", err.code)
        g, _, err = symbi.gate.open { policies = { ALL }, insecure_allow_all = true, production = true }
        assert.is_nil(g)
        assert.equal("EDENIED", err.code)
        g, message, err = symbi.gate.open { policies = { '@id("a") ' .. ALL, '@id("a") ' .. ALL } }
        assert.is_nil(g)
        assert.equal("EEXISTS", err.code)
        assert.truthy(message:find("a", 1, true))
    end)

    it("can only be refreshed where it came from a folder", function()
        local plain = open(ALL)
        local ok, _, err = plain:refresh()
        assert.is_nil(ok)
        assert.equal("ESTATE", err.code)
        plain:close()
    end)
end)

describe("a gate in compat mode", function()
    it("decides as upstream's, and says so", function()
        local gate = open(ALL .. "forbid(principal, action, resource) when { context.risk > 5 };", { mode = "compat" })
        local v = gate:check(call())
        assert.equal("ALLOWED", v.code) -- the forbid that fails is skipped
        assert.equal("compat", v.mode)
        assert.is_false(v.context_replaced)
        assert.equal("policy0", v.policies[1].id)
        assert.truthy(v.policies[2].error)
        v = gate:check(call(), { context = { risk = 0.5 } })
        assert.is_true(v.context_replaced)
        assert.equal("ALLOWED", v.code)
        assert.equal("FORBIDDEN", gate:check(call(), { context = { risk = 6 } }).code)
        assert.equal("INVALID_ARGUMENTS", gate:check(call("read", {})).code) -- contracts hold where there are tools
    end)
    it("tells no policies from empty ones", function()
        local gate = assert(symbi.gate.open { mode = "compat", policies = {} })
        assert.equal("NO_POLICIES", gate:check(call()).code)
        gate = assert(symbi.gate.open { mode = "compat", policies = {}, compat_allow = true, production = false })
        assert.equal("ALLOWED", gate:check(call("any name at all", { x = 1 })).code)
        gate = assert(symbi.gate.open { mode = "compat", policies = { "// empty" }, compat_allow = true, production = false })
        assert.equal("DEFAULT_DENY", gate:check(call()).code)
    end)
    it("is not opened by halves, in production, or on a set of another mode", function()
        local g, _, err = symbi.gate.open { mode = "compat", policies = { "permit(principal, action, resource)", "permit(principal, action, resource);" } }
        assert.is_nil(g)
        assert.equal("EPARSE", err.code)
        g, _, err = symbi.gate.open { mode = "compat", policies = {}, compat_allow = true, production = true }
        assert.is_nil(g)
        assert.equal("EDENIED", err.code)
        assert.has_error(function() symbi.gate.open { mode = "compat", policies = assert(symbi.cedar.policies(ALL)) } end)
        assert.has_error(function() symbi.gate.open { mode = "lenient", policies = {} } end)
    end)
    it("is refreshed in its mode", function()
        local dir = folder { ["a.cedar"] = ALL }
        local gate = assert(symbi.gate.open { mode = "compat", policies = dir })
        write(dir .. "/b.cedar", 'forbid(principal == Symbi::Agent::"bot", action, resource);')
        assert.equal(2, tonumber(assert(gate:refresh())))
        assert.equal("ALLOWED", gate:check(call()).code) -- Symbi:: is another type there
        assert.equal("compat", gate:check(call()).mode)
        os.remove(dir .. "/a.cedar")
        os.remove(dir .. "/b.cedar")
        assert(gate:refresh())
        assert.is_false(gate:check(call()).allowed)
        gate:close()
        remove(dir)
    end)
end)
