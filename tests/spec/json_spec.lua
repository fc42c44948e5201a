--- symbi.json: the cases of tests/vectors/json on every VM, exactness, order, marks of arrays, interchange with lua-cjson,
-- refusals with their place, and calls that finalisers make in the middle of another call.
local core = require "symbi.core"
local json = core.json
local has_int64 = core.lua_abi >= "5.3"

local function unhex(field)
    local digits = field:match("^hex:(.*)$")
    if not digits then return field end
    return (digits:gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end))
end

local function cases()
    local list = {}
    for line in io.lines("tests/vectors/json/cases.tsv") do
        if line:sub(1, 1) ~= "#" then
            local name, expect, text, canonical = line:match("^([^\t]*)\t([^\t]*)\t([^\t]*)\t(.*)$")
            list[#list + 1] = { name = name, accept = expect == "accept", text = unhex(text), canonical = unhex(canonical) }
        end
    end
    return list
end

describe("symbi.json", function()
    it("agrees with every case", function()
        local list = cases()
        assert.is_true(#list > 400)
        for _, c in ipairs(list) do
            local value, message, err = json.decode(c.text)
            if c.accept then
                assert.is_nil(message, c.name)
                -- 64-bit integers are strings on the older VMs, and doubles lose the place where they meet 64-bit integers
                if not c.canonical:find("%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d") then
                    assert.are.equal(c.canonical, json.canonical(value), c.name)
                    assert.are.equal(c.canonical, json.encode(value, { canonical = true }), c.name)
                    local plain = json.encode(value)
                    assert.are.equal(plain, json.encode(json.decode(plain)), c.name)
                    assert.are.equal(plain, json.encode(json.decode(json.encode(value, { pretty = true }))), c.name)
                end
            else
                assert.is_nil(value, c.name)
                assert.are.equal("string", type(message), c.name)
                assert.are.equal("EPARSE", err.code, c.name)
                assert.is_true(err.line >= 1, c.name)
                assert.are.equal(message, tostring(err), c.name)
            end
        end
    end)

    it("says where and what", function()
        local value, message, err = json.decode('{\n "a": [1,],\n}')
        assert.is_nil(value)
        assert.are.equal("2:10: trailing comma: remove the ',' before ']'", message)
        assert.are.equal(2, err.line)
        assert.are.equal(10, err.column)
    end)

    it("decodes to plain Lua data", function()
        local v = json.decode('{"s":"a\\u00e9","i":-3,"f":0.5,"t":true,"n":null,"a":[1,[],{}],"o":{"k":"v"}}')
        assert.are.equal("a\195\169", v.s)
        assert.are.equal(-3, v.i)
        assert.are.equal(0.5, v.f)
        assert.is_true(v.t)
        assert.are.equal(core.null, v.n)
        assert.are.equal(3, #v.a)
        assert.is_true(core.is_array(v.a))
        assert.is_true(core.is_array(v.a[2]))
        assert.is_false(core.is_array(v.a[3]))
        assert.are.equal("v", v.o.k)
        if has_int64 then assert.are.equal("integer", math.type(v.i)) end
    end)

    it("takes scalars at the root", function()
        assert.are.equal(core.null, json.decode("null"))
        assert.is_false(json.decode("false"))
        assert.are.equal("x", json.decode('"x"'))
        assert.are.equal(1.5, json.decode("1.5"))
        assert.are.equal("null", json.encode(nil))
        assert.are.equal("null", json.encode(core.null))
        assert.are.equal("false", json.encode(false))
    end)

    it("puts another value in the place of null", function()
        assert.is_false(json.decode("[null]", { null = false })[1])
        local mark = {}
        assert.are.equal(mark, json.decode('{"a":null}', { null = mark }).a)
    end)

    it("keeps 64-bit integers or says that it cannot", function()
        local text = "[9007199254740992,9007199254740993,-9223372036854775808,9223372036854775807]"
        local v = json.decode(text)
        if has_int64 then
            assert.are.equal(text, json.encode(v))
            assert.are.equal(text, json.encode(json.decode(text, { bigint = "string" })))
            assert.are.equal(text, json.encode(json.decode(text, { bigint = "error" })))
        else
            assert.are.same({ 9007199254740992, "9007199254740993", "-9223372036854775808", "9223372036854775807" }, { v[1], v[2], v[3], v[4] })
            assert.are.equal("9007199254740993", json.decode(text, { bigint = "string" })[2])
            local value, _, err = json.decode("[1,\n9007199254740993]", { bigint = "error" })
            assert.is_nil(value)
            assert.are.equal("EPARSE", err.code)
            assert.are.equal(2, err.line)
        end
        assert.are.equal(9007199254740992, json.decode("9007199254740993", { bigint = "number" }) + 0 - (has_int64 and 1 or 0))
    end)

    it("treats integers beyond 64 bits alike on every VM", function()
        local big = "18446744073709551616"
        assert.is_nil((json.decode(big)))
        assert.is_nil((json.decode(big, { bigint = "error" })))
        assert.are.equal(big, json.decode(big, { bigint = "string" }))
        assert.are.equal(2 ^ 64, json.decode(big, { bigint = "number" }))
        assert.is_nil((json.decode("1" .. ("0"):rep(400), { bigint = "number" })))
    end)

    it("writes numbers the same on every VM", function()
        assert.are.equal('[10,-1,0,1.5,0.1,1e+300,1e-7,0.000001,100000000000000,9007199254740991]',
            json.encode { 10.0, -1, -0.0, 1.5, 0.1, 1e300, 1e-7, 1e-6, 1e14, 2 ^ 53 - 1 })
        assert.are.equal("[1e+21,100000000000000000000,0.1,333333333.3333333]", json.canonical { 1e21, 1e20, 0.1, 333333333.3333333 })
        assert.are.equal("100000000000000000000.0", json.encode(1e20))
    end)

    it("sorts names by UTF-16 unit, few and many", function()
        assert.are.equal('{"":0,"A":1,"a":2,"aa":3,"b":4,"\195\169":5,"\240\159\152\128":6,"\238\128\128":7}',
            json.encode { b = 4, a = 2, aa = 3, A = 1, [""] = 0, ["\195\169"] = 5, ["\238\128\128"] = 7, ["\240\159\152\128"] = 6 })
        for _, n in ipairs { 1, 2, 16, 17, 33, 127, 128, 129, 130, 500, 3000 } do
            local t, want = {}, {}
            for i = 1, n do
                local k = ("k%05d"):format(i * 7919 % 65536)
                t[k] = i
                want[i] = k
            end
            table.sort(want)
            for i, k in ipairs(want) do want[i] = '"' .. k .. '":' .. t[k] end
            assert.are.equal("{" .. table.concat(want, ",") .. "}", json.encode(t))
        end
    end)

    it("sorts long names and names that share a start", function()
        local a, b, c = ("x"):rep(40) .. "a", ("x"):rep(40) .. "b", ("x"):rep(40)
        assert.are.equal(('{"%s":3,"%s":1,"%s":2}'):format(c, a, b), json.encode { [a] = 1, [b] = 2, [c] = 3 })
        assert.are.equal('{"abcdefg":1,"abcdefgh":2,"abcdefghi":3}', json.encode { abcdefghi = 3, abcdefgh = 2, abcdefg = 1 })
        assert.are.equal('{"a":1,"a\\u0000":2,"a\\u0000b":3}', json.encode { ["a\0b"] = 3, ["a\0"] = 2, a = 1 })
    end)

    it("keeps large objects within large objects", function()
        local inner, outer = {}, {}
        for i = 1, 300 do inner["i" .. i] = { i } end
        for i = 1, 150 do outer["o" .. i] = inner end
        local back = json.decode(json.encode(outer))
        for i = 1, 150 do
            for k = 1, 300 do assert.are.equal(k, back["o" .. i]["i" .. k][1]) end
        end
    end)

    it("tells lists from objects", function()
        assert.are.equal("{}", json.encode {})
        assert.are.equal("[]", json.encode(core.array()))
        assert.are.equal("[]", json.encode(json.decode("[]")))
        assert.are.equal('[[],{}]', json.encode { core.array(), core.object() })
        assert.are.equal("[1,null,3]", json.encode(core.array({ 1, nil, 3 }, 3)))
        local backwards = {}
        for i = 300, 1, -1 do backwards[i] = i end
        assert.are.equal(300, #json.decode(json.encode(backwards)))
        assert.are.equal("[1,2]", json.encode { [2] = 2, [1] = 1 })
        local mixed = { 1, 2, 3 }
        mixed[4], mixed[3] = "d", nil
        mixed[3] = "c"
        assert.are.equal('[1,2,"c","d"]', json.encode(mixed))
    end)

    it("refuses what has no JSON form, naming the place", function()
        local function refused(value, code, pattern)
            local text, message, err = json.encode(value)
            assert.is_nil(text)
            assert.are.equal(code, err.code)
            assert.truthy(message:find(pattern), message)
            local again = { json.canonical(value) }
            assert.are.equal(message, again[2])
        end
        refused({ a = { 1, print } }, "ESCHEMA", "^/a/1: a function")
        refused({ 1, 2, nil, 4 }, "ESCHEMA", "no item 3, but an item 4")
        refused({ 1, x = 2 }, "ESCHEMA", "the name 'x'")
        refused({ [10] = 1 }, "ESCHEMA", "no item 1")
        refused({ [1.5] = 1 }, "ESCHEMA", "number that is no list position")
        refused({ [0] = 1 }, "ESCHEMA", "no list position")
        refused({ [true] = 1 }, "ESCHEMA", "boolean")
        refused({ x = { ["a/b~"] = 0 / 0 } }, "ESCHEMA", "^/x/a~1b~0: a number is NaN")
        refused({ 1 / 0 }, "ESCHEMA", "^/0: a number is infinite")
        refused("\255", "ESCHEMA", "UTF%-8")
        refused({ ["\192\128"] = 1 }, "ESCHEMA", "UTF%-8")
        refused(io.stdout, "ESCHEMA", "userdata")
        refused(coroutine.create(function() end), "ESCHEMA", "thread")
        refused(core.array { x = 1 }, "ESCHEMA", "the name 'x'")
        local named = {}
        for i = 1, 200 do named["k" .. i] = i end
        named[1] = 1
        refused(named, "ESCHEMA", "neither list nor object")
        local loop = {}
        loop.loop = loop
        refused(loop, "ELIMIT", "128 levels")
    end)

    it("raises on misuse only", function()
        assert.has_error(function() json.decode() end)
        assert.has_error(function() json.decode {} end)
        assert.has_error(function() json.decode("1", { nul = 1 }) end)
        assert.has_error(function() json.decode("1", { bigint = "maybe" }) end)
        assert.has_error(function() json.encode() end)
        assert.has_error(function() json.encode(1, { prety = true }) end)
        assert.has_error(function() json.encode(1, { pretty = 1 }) end)
        assert.has_error(function() json.encode(1, { pretty = true, canonical = true }) end)
    end)

    it("holds to the limits", function()
        local before = core.limits()
        local function deep(n) return ("["):rep(n) .. ("]"):rep(n) end
        assert.is_truthy(json.decode(deep(128)))
        local value, _, err = json.decode(deep(129))
        assert.is_nil(value)
        assert.are.equal("ELIMIT", err.code)
        core.limits { doc_bytes = 5, output_bytes = 5 }
        assert.is_truthy(json.decode("[1,2]"))
        assert.is_nil((json.decode("[1,2] ")))
        assert.are.equal("[1,2]", json.encode { 1, 2 })
        for _, v in ipairs { { 1, 22 }, { "ab" }, ("x"):rep(4), 123456, core.array { true } } do
            local text, _, e = json.encode(v)
            assert.is_nil(text)
            assert.are.equal("ELIMIT", e.code)
        end
        core.limits { doc_bytes = before.doc_bytes, output_bytes = before.output_bytes, doc_depth = 2000 }
        assert.are.equal(deep(2000), json.encode(json.decode(deep(2000))))
        core.limits { doc_depth = before.doc_depth, doc_nodes = 3 }
        assert.is_truthy(json.decode("[1,2]"))
        assert.is_nil((json.decode("[1,2,3]")))
        core.limits { doc_nodes = before.doc_nodes }
    end)

    it("decodes many records with the same and with different names", function()
        local parts = {}
        for i = 1, 2000 do
            parts[i] = ('{"id":%d,"name":"n%d","k%d":true,"\\u006eote":"x","%s":1}'):format(i, i, i, ("long"):rep(20))
        end
        local v = json.decode("[" .. table.concat(parts, ",") .. "]")
        assert.are.equal(2000, #v)
        for i = 1, 2000 do
            assert.are.equal(i, v[i].id)
            assert.are.equal("n" .. i, v[i].name)
            assert.is_true(v[i]["k" .. i])
            assert.are.equal("x", v[i].note)
            assert.are.equal(1, v[i][("long"):rep(20)])
        end
    end)

    it("may be called by a finaliser in the middle of a call", function()
        local seen = 0
        local function trap()
            local proxy = newproxy and newproxy(true) -- luacheck: ignore
            local meta = proxy and getmetatable(proxy) or {}
            meta.__gc = function()
                local t = {}
                for i = 1, 200 do t["z" .. i] = { i } end
                if json.encode(json.decode(json.encode(t))) == json.encode(t) then seen = seen + 1 end
            end
            return proxy or setmetatable({}, meta)
        end
        local doc = {}
        for i = 1, 400 do doc["key" .. i] = { "value " .. i, { i } } end
        local text = json.encode(doc)
        for _ = 1, 60 do
            for _ = 1, 20 do trap() end
            local back = json.decode(text)
            assert.are.equal(text, json.encode(back))
        end
        doc = nil -- luacheck: ignore
        collectgarbage()
        collectgarbage()
        assert.is_true(seen > 0)
    end)

    it("keeps no memory of a large document", function()
        local live = core.debug_live()
        local text = "[" .. ('"x\\n",'):rep(300000) .. "1]"
        assert.are.equal(300001, #json.decode(text))
        assert.are.equal(#text, #json.encode(json.decode(text)))
        assert.are.equal(live, core.debug_live())
    end)
end)

describe("symbi.json and lua-cjson", function()
    local ok, cjson = pcall(require, "cjson")
    if not ok then
        pending("lua-cjson is not installed for this VM")
        return
    end

    it("share null", function()
        assert.are.equal(cjson.null, core.null)
        assert.are.equal(cjson.null, json.decode("[null]")[1])
        assert.are.equal("[null]", json.encode(cjson.decode("[null]")))
        assert.are.equal("[null]", cjson.encode(json.decode("[null]")))
    end)

    it("take each other's tables", function()
        local text = '{"a":[1,2.5,"x",[true,false]],"b":{"c":null}}'
        assert.are.equal(text, json.encode(cjson.decode(text)))
        assert.are.same(cjson.decode(text), cjson.decode(cjson.encode(json.decode(text))))
    end)

    it("take its marks of arrays where it has them", function()
        if cjson.empty_array then assert.are.equal("[[]]", json.encode { cjson.empty_array }) end
        for _, name in ipairs { "array_mt", "empty_array_mt" } do
            if cjson[name] then assert.are.equal("[]", json.encode(setmetatable({}, cjson[name]))) end
        end
        -- the same with marks as OpenResty's lua-cjson has them, where this one has none
        local mt, before = {}, cjson.array_mt
        cjson.array_mt = mt
        assert.are.equal("[[],[1]]", json.encode { setmetatable({}, mt), setmetatable({ 1 }, mt) })
        cjson.array_mt = before
    end)
end)
