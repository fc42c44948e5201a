--- symbi.comm from Lua: rule sets, the list, answers, what is refused, and the runtime's vectors.
local core = require "symbi.core"
local symbi = require "symbi"
local comm = symbi.comm

assert(comm.rules({}):hash()) -- the digest algorithm is fetched once per state and kept: not a leftover of the first test

local function rules(list, options) return assert(comm.rules(list, options)) end

describe("symbi.comm", function()
    it("decides by the first rule that matches", function()
        local r = rules {
            { id = "team", from_agent = "analyst", to_agent = "report-*", action = "allow", priority = 10, max_depth = 3, reason = "same team" },
            { id = "mail", from_agent = "*", to_agent = "mailer", action = "send_message", effect = "deny", reason = "no mail" },
        }
        local a = r:evaluate { sender = "analyst", recipient = "report-1", action = "send_message" }
        assert.is_true(a.allowed)
        assert.equal("allow", a.effect)
        assert.equal("same team", a.reason)
        assert.same({ id = "team", from_agent = "analyst", to_agent = "report-*", action = "allow", effect = "allow", reason = "same team", priority = 10, max_depth = 3 }, a.rule)
        a = r:evaluate("x", "mailer", "send_message")
        assert.same({ allowed = false, effect = "deny", reason = "[mail] no mail", rule = r:get "mail" }, a)
        assert.is_nil(a.rule.max_depth) -- not null, which is true in Lua
        a = r:evaluate("x", "y", "send_message")
        assert.same({ allowed = false, effect = "deny", reason = "No matching rule and default is deny" }, a)
        a = r:evaluate("analyst", "report-1", "send_message", 4)
        assert.equal("max_depth exceeded", a.reason)
        assert.equal("team", a.rule.id)
        assert.same({ true, "same team", "team" }, { r:check("analyst", "report-1", "delegate", 3) })
        assert.same({ false, "max_depth exceeded", "team" }, { r:check("analyst", "report-1", "delegate", 4) })
        local allowed, reason, id = r:check("", "y", "z")
        assert.same({ false, "the sender is empty" }, { allowed, reason })
        assert.is_nil(id)
    end)

    it("takes tables of every shape that JSON has", function()
        local doc = symbi.json.decode [[{"rules":[{"fromAgent":"a","toAgent":"b","action":"m","effect":"deny","maxDepth":null}],"default":"allow"}]]
        local r = rules(doc)
        assert.is_false((r:check("a", "b", "m")))
        assert.is_true((r:check("a", "b", "n")))
        assert.is_false((rules({}):check("a", "b", "n")))
        assert.is_true((rules({}, { default = "allow" }):check("a", "b", "n")))
        assert.is_true((rules({ rules = {}, default = "allow" }):check("a", "b", "n")))
        assert.equal(r, rules(r))
        assert.is_true((rules(r:list(), { default = "allow" }):check("a", "b", "n")))
        assert.equal("[]", symbi.json.encode(rules({}):list()))
        assert.equal(1, r:count())
        assert.is_nil(r:get "nope")
        assert.truthy(r:hash():find("^" .. ("%x"):rep(64) .. "$"))
    end)

    it("denies at a tie, unless told otherwise", function()
        local list = { { from = "a", to = "*", action = "allow" }, { from = "*", to = "b", action = "deny" } }
        assert.is_false((rules(list):check("a", "b", "m")))
        assert.is_true((rules(list, { ties = "first" }):check("a", "b", "m")))
    end)

    it("refuses a document whole and names rule and field", function()
        local r, message, err = comm.rules { { from = "a", to = "b", action = "m" }, { id = "x", from = "a", to = "b", action = "m", max_depht = 3 } }
        assert.is_nil(r)
        assert.truthy(message:find("rule 2 ('x'): max_depht is no field of a rule", 1, true))
        assert.equal("ESCHEMA", err.code)
        assert.equal("/1/max_depht", err.path)
        assert.is_nil((comm.rules { { from = "a", to = "b", action = "m", max_depth = 1.5 } }))
        assert.is_nil((comm.rules { { from = "a", to = "b", action = print } }))
        assert.is_nil((comm.rules { { from = "a\255", to = "b", action = "m" } }))
        r = rules({ { from = "a", to = "b", action = "m", team = { "x" } } }, { keep_unknown = true })
        assert.same({ "x" }, r:list()[1].team)
    end)

    it("refuses a malformed question", function()
        local r = rules({}, { default = "allow" })
        local a, message, err = r:evaluate { sender = "a", recipient = "b" }
        assert.is_nil(a)
        assert.truthy(message:find("evaluate: action is missing", 1, true))
        assert.equal("/action", err.path)
        assert.is_nil((r:evaluate { sender = "a", recipient = "b", action = "m", dept = 1 }))
        assert.is_nil((r:evaluate("a", "b", "")))
        assert.is_nil((r:evaluate(("x"):rep(257), "b", "m")))
        assert.is_table(r:evaluate(("x"):rep(256), "b", "m"))
    end)

    it("raises on misuse", function()
        assert.has_error(function() comm.rules() end)
        assert.has_error(function() comm.rules("x") end)
        assert.has_error(function() comm.rules({}, { default = "open" }) end)
        assert.has_error(function() comm.rules({}, { tie = "first" }) end)
        assert.has_error(function() comm.rules({}, 3) end)
        assert.has_error(function() comm.list(3) end)
        local r = rules {}
        assert.has_error(function() r:check("a", "b") end)
        assert.has_error(function() r:check("a", "b", "m", 0) end)
        assert.has_error(function() r:check("a", "b", "m", 1.5) end)
        assert.has_error(function() r:check({}, "b", "m") end)
        assert.has_error(function() r.check({}, "a", "b", "m") end)
        assert.has_error(function() r:evaluate(nil, "b", "m") end)
        r:close()
        r:close()
        assert.has_error(function() r:check("a", "b", "m") end)
        assert.has_error(function() comm.list(r) end)
        local l = assert(comm.list())
        assert.has_error(function() l:add(3) end)
        assert.has_error(function() l:add({}, { replaced = true }) end)
        l:close()
        l:close()
        assert.has_error(function() l:count() end)
        assert.has_error(function() l:add {} end)
    end)

    it("keeps a list that changes one rule at a time", function()
        local l = assert(comm.list())
        local rule = assert(l:add { from_agent = "a", to_agent = "*", action = "allow" })
        assert.equal("rule-1", rule.id)
        assert.equal("allow", rule.effect)
        assert.equal(0, rule.priority)
        local before = l:rules()
        assert(l:add { id = "stop", from_agent = "*", to_agent = "b", action = "deny", effect = "allow" })
        assert.truthy(l:get("stop").warning)
        assert.is_true((before:check("a", "b", "m")))
        assert.is_false((l:check("a", "b", "m")))
        local added, message, err = l:add { id = "stop", from_agent = "*", to_agent = "*", action = "allow" }
        assert.is_nil(added)
        assert.equal("EEXISTS", err.code)
        assert.truthy(message:find("'stop'", 1, true))
        assert(l:add({ id = "stop", from_agent = "*", to_agent = "c", action = "deny" }, { replace = true }))
        assert.is_true((l:check("a", "b", "m")))
        assert.equal(2, l:count())
        assert.same({ "rule-1", "stop" }, { l:list()[1].id, l:list()[2].id })
        assert.is_true(l:remove "rule-1")
        added, message, err = l:remove "rule-1"
        assert.is_nil(added)
        assert.equal("ENOTFOUND", err.code)
        assert.truthy(message:find("rule-1", 1, true))
        local second = assert(comm.list(before))
        assert.is_true((second:check("a", "b", "m")))
        assert.is_true(second:evaluate("a", "b", "m").allowed)
        assert.is_nil((comm.list { { from = "a" } }))
        l:close()
        assert.is_true((before:check("a", "b", "m"))) -- a set stands on its own
    end)

    it("survives being closed from a finaliser", function()
        if not newproxy and _VERSION == "Lua 5.1" then return end
        for i = 1, 200 do
            local r = rules { { id = "i" .. i, from = "a", to = "b", action = "deny", reason = ("x"):rep(i) } }
            if newproxy then
                local p = newproxy(true)
                getmetatable(p).__gc = function() r:close() end
            else
                setmetatable({}, { __gc = function() r:close() end })
            end
            collectgarbage("step", 0)
            local ok, a = pcall(r.evaluate, r, "a", "b", "m")
            if ok then assert.equal("[i" .. i .. "] " .. ("x"):rep(i), a.reason) end
        end
    end)

    it("states its limits", function()
        assert.same({ rules = 4096, name = 256, reason = 1024, nesting = 32, conditions = 256 }, comm.limits)
        local list = {}
        for i = 1, comm.limits.rules do list[i] = { from = "a", to = "b", action = "m" } end
        assert.equal(comm.limits.rules, rules(list):count())
        list[#list + 1] = list[1]
        local r, _, err = comm.rules(list)
        assert.is_nil(r)
        assert.equal("ELIMIT", err.code)
    end)

    it("has a script that shows it", function()
        local printed, old = {}, print
        _G.print = function(line) printed[#printed + 1] = line:gsub("%s+", " ") end -- luacheck: ignore
        local ok, err = pcall(dofile, "scripts/communication.lua")
        _G.print = old -- luacheck: ignore
        assert(ok, err)
        assert.same({
            "sender recipient action depth effect why",
            "collector analyst send_message 1 allow matched rule pipeline",
            "collector analyst delegate 1 deny No matching rule and default is deny",
            "analyst report-eu send_message 1 allow analysts file reports",
            "report-eu analyst send_message 1 deny No matching rule and default is deny",
            "lead analyst delegate 1 allow matched rule lead",
            "lead analyst delegate 3 deny max_depth exceeded",
            "lead mailer delegate 1 deny [outside] mail leaves the house",
            " with rule-1: questions are welcome",
            "without: No matching rule and default is deny",
            'refused: /action: the rule: action must be "allow" or "deny" in lower case to be the effect',
        }, printed)
    end)

    it("equals the runtime's vectors", function()
        local path = (os.getenv "SYMBI_VECTORS" or "../shared/vectors") .. "/gates/communication_runtime.jsonl"
        local f = io.open(path)
        if not f then
            pending("no " .. path)
            return
        end
        local n = 0
        for line in f:lines() do
            local v = assert(core.json.decode(line))
            local r = rules { rules = v.rules, mode = v.mode }
            local a = assert(r:evaluate(v.request.sender, v.request.recipient, "send_message"))
            assert.equal(v.expect.decision, a.effect, v.id)
            if v.expect.reason then assert.equal(v.expect.reason, a.reason, v.id) end
            n = n + 1
        end
        f:close()
        assert.is_true(n > 0)
    end)
end)
