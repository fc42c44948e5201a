--- symbi.cedar from Lua: sets, entities, decisions, messages.
local core = require "symbi.core"
local cedar = require "symbi.cedar"

assert(cedar.policies("")) -- the hash of a set fetches its algorithm once per state and keeps it: not a leftover of the first test

local function set(text, options) return assert(cedar.policies(text, options)) end

describe("symbi.cedar", function()
    it("allows by a permit and names it", function()
        local s = set [[permit(principal == User::"alice", action, resource);]]
        local a = s:authorize { principal = 'User::"alice"', action = 'Action::"view"', resource = { type = "Doc", id = "d" } }
        assert.equal("allow", a.decision)
        assert.same({ "policy0" }, a.reasons)
        assert.same({}, a.errors)
        a = s:authorize { principal = 'User::"bob"', action = 'Action::"view"', resource = 'Doc::"d"' }
        assert.equal("deny", a.decision)
        assert.same({}, a.reasons)
    end)

    it("takes JSON as a text, too", function()
        local json = [[ {"effect":"permit","principal":{"op":"==","entity":{"type":"User","id":"a"}},"action":{"op":"All"},"resource":{"op":"All"},"conditions":[]}]]
        local ents = assert(cedar.entities '\n[{"uid":{"type":"User","id":"a"},"attrs":{"n":1},"parents":[]}]')
        local a = assert(cedar.policies(json)):authorize { principal = 'User::"a"', action = 'Action::"x"', resource = 'R::"r"', entities = ents }
        assert.equal("allow", a.decision)
        assert.is_truthy(cedar.schema '{"":{"entityTypes":{"User":{}},"actions":{}}}')
        -- what is wrong is told with its place, and nothing is taken by halves
        for _, bad in ipairs { '{"effect":"permit"', '{"effect":"permit","effect":"forbid"}', '{"effect":"allow"}', "{", '{"a":' .. ("["):rep(100000) } do
            local none, message, err = cedar.policies(bad)
            assert.is_nil(none)
            assert.is_string(message)
            assert.is_truthy(err.code)
            assert.is_nil((cedar.schema(bad)))
        end
        for _, bad in ipairs { "[", '[{"uid":{"type":"U","id":"a"}},', "[1]", '[{"uid":{"type":"U","id":"a"},"attrs":null}]' } do
            local none, message = cedar.entities(bad)
            assert.is_nil(none)
            assert.is_string(message)
        end
        assert.has_error(function() cedar.entities "{}" end)
        assert.is_nil((cedar.policies "[]"))
    end)

    it("lets a forbid win over a permit", function()
        local s = set [[permit(principal, action, resource); forbid(principal, action, resource) when { context.risk > 5 };]]
        local rq = { principal = 'U::"a"', action = 'Action::"x"', resource = 'R::"r"', context = { risk = 3 } }
        assert.equal("allow", s:authorize(rq).decision)
        rq.context.risk = 6
        local a = s:authorize(rq)
        assert.equal("deny", a.decision)
        assert.same({ "policy1" }, a.reasons)
    end)

    it("reads entities written as Lua tables", function()
        local s = set [[permit(principal in Group::"admins", action, resource) when { principal.level >= 3 && principal.ip.isInRange(ip("10.0.0.0/8")) };]]
        local ents = assert(cedar.entities {
            { uid = 'User::"a"', attrs = { level = 3, ip = cedar.ip "10.1.2.3" }, parents = { 'Group::"staff"' } },
            { uid = 'Group::"staff"', parents = { { type = "Group", id = "admins" } } },
        })
        assert.equal(2, ents:count())
        local rq = { principal = 'User::"a"', action = 'Action::"x"', resource = 'R::"r"', entities = ents }
        assert.equal("allow", s:authorize(rq).decision)
        rq.principal = 'User::"b"'
        assert.equal("deny", s:authorize(rq).decision)
        ents:close()
        assert.has_error(function() s:authorize(rq) end)
        rq.entities = {}
        assert.equal("deny", s:authorize(rq).decision)
        rq.principal = 'User::"a"'
        rq.entities = { { uid = { type = "User", id = "a" }, attrs = { level = 2 }, parents = { { type = "Group", id = "admins" } } } }
        assert.equal("deny", s:authorize(rq).decision)
    end)

    it("lists what went wrong in a policy, with its place", function()
        local s = set { { name = "a.cedar", text = "permit(principal, action, resource);\nforbid(principal, action, resource)\nwhen { context.nope == 1 };" } }
        local a = s:authorize { principal = 'U::"a"', action = 'Action::"x"', resource = 'R::"r"' }
        assert.equal("allow", a.decision) -- plain Cedar skips what errs...
        assert.is_true(a.forbid_error) -- ...and a gate must look at this
        assert.equal("a.cedar#1", a.errors[1].policy)
        assert.equal("attr_does_not_exist", a.errors[1].kind)
        assert.equal("forbid", a.errors[1].effect)
        assert.equal(3, a.errors[1].line)
    end)

    it("refuses the whole of a set with one error, and says where", function()
        local s, message, err = cedar.policies { { name = "good.cedar", text = "permit(principal, action, resource);" },
            { name = "bad.cedar", text = "permit(principal,\n  action = Action::\"x\", resource);" } }
        assert.is_nil(s)
        assert.equal("EPARSE", err.code)
        assert.equal("bad.cedar", err.path)
        assert.equal(2, err.line)
        assert.equal(10, err.col or err.column)
        assert.matches("==", message, 1, true)
    end)

    it("tells how a string in the scope is written, or rewrites it when asked", function()
        local text = 'forbid(principal, action == "tool_call", resource) when { resource.name == "write_file" };'
        local _, message = cedar.policies(text)
        assert.matches('action in Action::"tool_call"', message, 1, true)
        local s = set(text, { legacy_scope = true })
        assert.equal(1, #s:warnings())
        assert.matches('action in Action::"tool_call"', s:warnings()[1], 1, true)
        local ents = assert(cedar.entities {
            { uid = 'Action::"tool_call::write_file"', parents = { 'Action::"tool_call"' } },
            { uid = 'Resource::"default"', attrs = { name = "write_file" } },
        })
        local a = s:authorize { principal = 'Agent::"a"', action = 'Action::"tool_call::write_file"', resource = 'Resource::"default"', entities = ents }
        assert.same({ "policy0" }, a.reasons)
    end)

    it("treats Symbi:: as an alias when asked", function()
        local s = set([[permit(principal is Symbi::Agent, action == Symbi::Action::"x", resource);]], { symbi_alias = true })
        assert.equal("allow", s:authorize { principal = 'Agent::"a"', action = 'Action::"x"', resource = 'R::"r"' }.decision)
        s = set [[permit(principal is Symbi::Agent, action == Symbi::Action::"x", resource);]]
        assert.equal("deny", s:authorize { principal = 'Agent::"a"', action = 'Action::"x"', resource = 'R::"r"' }.decision)
    end)

    it("knows its policies", function()
        local text = '@id("mine") @note permit(principal, action, resource);\n  forbid(principal == ?principal, action, resource);'
        local s = set({ { name = "f", text = text } }, { annotated_ids = true })
        local p = s:policies()
        assert.equal(2, s:count())
        assert.equal("mine", p[1].id)
        assert.same({ id = "mine", note = true }, p[1].annotations)
        assert.equal("f#1", p[2].id)
        assert.equal("template", p[2].role)
        assert.equal("forbid", p[2].effect)
        assert.equal("f", p[2].source)
        assert.equal(2, p[2].line)
        assert.equal(3, p[2].col)
        assert.matches("^forbid.*;$", p[2].text)
        assert.matches("^%x+$", s:hash())
        assert.equal(64, #s:hash())
        assert.are_not.equal(s:hash(), set("permit(principal, action, resource);"):hash())
    end)

    it("refuses a context that is no Cedar data, without deciding", function()
        local s = set "permit(principal, action, resource);"
        local a, message, err = s:authorize { principal = 'U::"a"', action = 'Action::"x"', resource = 'R::"r"', context = { a = { b = 1.5 } } }
        assert.is_nil(a)
        assert.equal("ESCHEMA", err.code)
        assert.equal("/context/a/b", err.path)
        assert.matches("decimal", message)
        a, message, err = s:authorize { principal = 'U::"a"', action = 'Action::"x"', resource = 'R::"r"', context = { x = core.null } }
        assert.is_nil(a)
        assert.matches("null", message)
        assert.equal("ESCHEMA", err.code)
    end)

    it("raises on misuse", function()
        local s = set "permit(principal, action, resource);"
        assert.has_error(function() s:authorize() end)
        assert.has_error(function() s:authorize { principal = 1, action = 'A::"a"', resource = 'A::"a"' } end)
        assert.has_error(function() s:authorize { principal = 'A::"a"', action = 'A::"a"', resource = 'A::"a"', contxt = {} } end)
        assert.has_error(function() cedar.policies(1) end)
        assert.has_error(function() cedar.policies({ { text = 1 } }) end)
        assert.has_error(function() cedar.policies("", { nope = true }) end)
        s:close()
        s:close()
        assert.has_error(function() s:count() end)
    end)

    it("reads and refuses uids", function()
        local kind, id = cedar.uid [[ A::B :: "x\n" ]]
        assert.equal("A::B", kind)
        assert.equal("x\n", id)
        for _, bad in ipairs { "", "User", "User::", 'User::"a', '::"a"', 'if::"a"', '"a"', 'User::"a" x', 'User::\'a\'' } do
            local u, message, err = cedar.uid(bad)
            assert.is_nil(u, bad)
            assert.is_string(message)
            assert.equal("EPARSE", err.code)
        end
    end)

    it("gives the empty set, which denies", function()
        local s = set {}
        assert.equal(0, s:count())
        assert.equal("deny", s:authorize { principal = 'U::"a"', action = 'Action::"x"', resource = 'R::"r"' }.decision)
    end)
end)

describe("symbi.cedar with a schema", function()
    local text = [[
        entity Team; entity User in [Team] { name: String, age?: Long, ip?: ipaddr } tags Long;
        entity Doc { owner: User };
        action view, edit appliesTo { principal: User, resource: Doc, context: { mfa: Bool } };
    ]]
    local function world(schema)
        return assert(cedar.entities({
            { uid = 'User::"a"', attrs = { name = "a", ip = "10.0.0.1" }, parents = { 'Team::"t"' }, tags = { x = 1 } },
            { uid = 'Doc::"d"', attrs = { owner = { type = "User", id = "a" } } },
        }, schema))
    end

    it("reads both forms and gives them back", function()
        local schema = assert(cedar.schema(text))
        assert.same({}, schema:warnings())
        local json = schema:json()
        assert.equal("EntityOrCommon", json[""].entityTypes.User.shape.attributes.name.type)
        assert.equal("String", schema:json(true)[""].entityTypes.User.shape.attributes.name.type)
        local again = assert(cedar.schema(json))
        assert.same(schema:json(true), again:json(true))
        assert.same(schema:json(true), assert(cedar.schema(schema:text())):json(true))
        assert.equal(1, #assert(cedar.schema("entity U { a: Long, a: String };")):warnings())
        schema:close()
        assert.has_error(function() schema:json() end)
    end)

    it("names the place of a mistake", function()
        local s, _, err = cedar.schema("entity User {\n  name: Strin\n};\nentity")
        assert.is_nil(s)
        assert.equal("EPARSE", err.code)
        assert.equal(4, err.line)
        local t, message
        t, message, err = cedar.schema("entity User {\n  name: Strin\n};")
        assert.is_nil(t)
        assert.equal("ESCHEMA", err.code)
        assert.matches("Strin", message)
    end)

    it("types entities and contexts by it, and checks requests", function()
        local schema = assert(cedar.schema(text))
        local s = set [[permit(principal in Team::"t", action == Action::"view", resource)
            when { principal.ip.isInRange(ip("10.0.0.0/8")) && resource.owner == principal && context.mfa };]]
        local rq = { principal = 'User::"a"', action = 'Action::"view"', resource = 'Doc::"d"', context = { mfa = true } }
        rq.entities, rq.schema = world(schema), schema
        assert.equal("allow", assert(s:authorize(rq)).decision)
        rq.context = {}
        local a, _, err = s:authorize(rq)
        assert.is_nil(a)
        assert.equal("/context", err.path)
        rq.context = { mfa = 1 }
        assert.is_nil((s:authorize(rq)))
        rq.unchecked = true
        assert.is_truthy(s:authorize(rq))
        rq.resource, rq.unchecked = 'User::"a"', nil
        assert.is_nil((s:authorize(rq)))
        assert.is_nil((cedar.entities({ { uid = 'User::"a"', attrs = { nope = 1 } } }, schema)))
    end)

    it("validates policies", function()
        local schema = assert(cedar.schema(text))
        local r = assert(set([[permit(principal, action == Action::"view", resource) when { principal has age && principal.age > 3 };]]):validate(schema))
        assert.same({ valid = true, errors = {}, warnings = {} }, r)
        r = assert(set("permit(principal, action, resource) when {\n  principal.age > 3 };"):validate(schema))
        assert.is_false(r.valid)
        assert.equal("unsafe_optional_attribute_access", r.errors[1].kind)
        assert.equal("policy0", r.errors[1].policy)
        assert.equal(2, r.errors[1].line)
        local never = set [[permit(principal is Doc, action, resource);]]
        r = assert(never:validate(schema))
        assert.is_true(r.valid)
        assert.equal(2, #r.warnings)
        assert.is_false(assert(never:validate(schema, { action_errors = true })).valid)
        assert.has_error(function() never:validate() end)
        assert.has_error(function() never:validate(schema, { nope = 1 }) end)
    end)

    it("links templates and writes both forms of policies", function()
        local s = set [[permit(principal == ?principal, action, resource) when { resource.owner == principal };]]
        local linked = assert(s:link("policy0", "for-a", { principal = 'User::"a"' }))
        local rq = { principal = 'User::"a"', action = 'Action::"view"', resource = 'Doc::"d"', entities = world() }
        assert.equal("deny", s:authorize(rq).decision)
        assert.same({}, linked:authorize(rq).reasons) -- without a schema the owner is a record
        rq.entities = world(assert(cedar.schema(text)))
        assert.same({ "for-a" }, linked:authorize(rq).reasons)
        assert.is_nil((s:link("policy0", "x", {})))
        assert.is_nil((s:link("nope", "x", { principal = 'User::"a"' })))
        local json = linked:to_json()
        assert.equal("for-a", json.templateLinks[1].newId)
        assert.same({ "for-a" }, assert(cedar.policies(json)):authorize(rq).reasons)
        assert.equal("permit", linked:to_json(1).effect)
        assert.equal('permit(principal == ?principal, action, resource) when { resource.owner == principal };', linked:to_cedar(1))
        assert.is_nil((linked:to_json(9)))
        assert.equal("deny", assert(cedar.policies { effect = "forbid", principal = { op = "All" }, action = { op = "All" }, resource = { op = "All" },
            conditions = core.array() }):authorize(rq).decision)
    end)

    -- Whatever is pushed may set the collector going, and that somebody's finaliser.
    it("is whole to the end of a call whose set a finaliser closes or asks", function()
        local many = {}
        for i = 1, 60 do many[i] = ('@n("%d") permit(principal, action, resource) when { context.x == %d || 1 + context.y > 0 };'):format(i, i) end
        many = table.concat(many, "\n")
        local request = { principal = 'A::"a"', action = 'A::"x"', resource = 'A::"r"', context = { x = 7 }, explain = true }
        local schema = assert(cedar.schema "entity A; action x appliesTo { principal: A, resource: A, context: { x: Long, y: Long } };")
        local wild
        local function litter()
            for _ = 1, 30 do
                if newproxy then getmetatable(newproxy(true)).__gc = function() wild() end else setmetatable({}, { __gc = function() wild() end }) end
            end
        end
        local methods = {
            function(s) return s:authorize(request) end, function(s) return s:policies() end, function(s) return s:validate(schema) end,
            function(s) return s:warnings() end, function(s) return s:to_json() end, function(s) return s:to_cedar() end,
        }
        for round = 1, 4 do
            for k, method in ipairs(methods) do
                local s = set(many)
                local want = s:count()
                wild = function() -- luacheck: ignore
                    if round % 2 == 0 then s:close() else pcall(s.authorize, s, request) end
                end
                litter()
                local pause, mul = collectgarbage("setpause", 1), collectgarbage("setstepmul", 100000)
                local ok, r = pcall(method, s)
                collectgarbage("setpause", pause)
                collectgarbage("setstepmul", mul)
                if ok and k == 1 then
                    assert.equal(want - 1, #r.errors)
                    assert.same({ "policy6" }, r.reasons)
                    assert.is_table(r.explained)
                elseif ok and k == 2 then
                    assert.equal(want, #r)
                    assert.equal("60", r[60].annotations.n)
                elseif not ok then
                    assert.matches("closed", r)
                end
                wild = function() end
                s:close()
            end
        end
        collectgarbage()
        collectgarbage()
    end)
end)
