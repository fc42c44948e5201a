--- Lua values on their way into C and back (bindings/lvalue.c): what every module that takes a table relies on.
local core = require "symbi.core"
local through = core.debug_value

local function refused(v, code, pattern, path)
    local out, message, err = through(v)
    assert.is_nil(out)
    assert.equal("string", type(message))
    assert.equal(code, err.code)
    assert.matches(pattern, message, 1, true)
    if path then assert.equal(path, err.path) end
    assert.equal(message, tostring(err))
end

describe("values", function()
    it("come back as they went", function()
        for _, v in ipairs { true, false, 0, 1, -1, 0.5, -1e-300, 1e300, "", "x", "a\0b", "grüße", core.null } do
            assert.equal(v, (through(v)))
        end
        local t = through { a = { 1, 2, { b = "c" } }, d = {}, [""] = false }
        assert.same({ 1, 2, { b = "c" } }, t.a)
        assert.equal("c", t.a[3].b)
        assert.same({}, t.d)
        assert.is_false(t[""])
        assert.is_true(core.is_array(t.a))
        assert.is_false(core.is_array(t.d))
    end)

    it("keep empty lists apart from empty objects", function()
        assert.is_true(core.is_array(through(core.array())))
        assert.is_false(core.is_array(through {}))
        assert.is_true(core.is_array(through({ x = core.array() }).x))
    end)

    it("keep integers exact up to 2^53", function()
        assert.equal(9007199254740992, (through(9007199254740992)))
        assert.equal(-9007199254740992, (through(-9007199254740992)))
        local math_type = rawget(math, "type")
        if math_type then
            local max = rawget(math, "maxinteger")
            assert.equal(max, (through(max)))
            assert.equal("integer", math_type((through(3.0))), "an integral number is an integer on every VM")
            assert.equal("float", math_type((through(1e300))))
        end
    end)

    it("share nothing with what they came from", function()
        local inner = { 1 }
        local out = through { inner, inner }
        inner[1] = 2
        assert.equal(1, out[1][1])
        assert.are_not.equal(out[1], out[2])
    end)

    it("ignore metamethods", function()
        local t = setmetatable({ a = 1 }, { __index = function() error("called") end, __pairs = function() error("called") end,
            __len = function() error("called") end })
        assert.same({ a = 1 }, through(t))
    end)

    it("survive being large", function()
        local t = {}
        for i = 1, 20000 do t[i] = { id = i, name = "item " .. i } end
        local out = through(t)
        assert.equal(20000, #out)
        assert.same({ id = 777, name = "item 777" }, out[777])
    end)
end)

describe("values that have no counterpart", function()
    it("are named by place", function()
        refused(print, "ESCHEMA", "a function has no counterpart")
        refused({ a = { 1, { b = print } } }, "ESCHEMA", "function", "/a/1/b")
        refused({ ["x/y~z"] = coroutine.create(function() end) }, "ESCHEMA", "thread", "/x~1y~0z")
        refused({ u = io.stdout }, "ESCHEMA", "userdata", "/u")
        refused(0 / 0, "ESCHEMA", "NaN")
        refused({ 1, math.huge }, "ESCHEMA", "infinite", "/1")
        refused(-math.huge, "ESCHEMA", "infinite")
    end)

    it("name the same place each time", function()
        for _ = 1, 20 do
            local t = {}
            for i = 1, 50 do t["k" .. i] = print end
            refused(t, "ESCHEMA", "function", "/k1")
        end
    end)

    it("include lists with holes and tables of both kinds", function()
        refused({ 1, nil, 3 }, "ESCHEMA", "no item 2")
        refused({ x = { [5] = true } }, "ESCHEMA", "no item 1, but an item 5", "/x")
        refused({ 1, 2, name = "x" }, "ESCHEMA", "named key 'name'")
        refused(core.array { a = 1 }, "ESCHEMA", "named key 'a'")
        refused({ [0] = 1 }, "ESCHEMA", "neither a name nor a list position")
        refused({ [1.5] = 1 }, "ESCHEMA", "neither a name nor a list position")
        refused({ [true] = 1 }, "ESCHEMA", "boolean")
        refused({ [-1] = 1 }, "ESCHEMA", "number")
        refused({ [1e15] = 1 }, "ESCHEMA", "no item 1")
        assert.same({ 1, core.null, 3 }, through(core.array({ 1, nil, 3 }, 3)))
    end)
end)

describe("limits on values", function()
    local function nested(n)
        local t = {}
        for _ = 1, n - 1 do t = { t } end
        return t
    end

    it("hold for nesting, at the limit and one beyond", function()
        assert.is_table(through(nested(128)))
        refused(nested(129), "ELIMIT", "nested deeper than 128")
    end)

    it("hold for a table that contains itself", function()
        local t = {}
        t.self = t
        refused(t, "ELIMIT", "does it contain itself?")
        local path = select(3, through(t)).path
        assert.is_true(#path < 240)
        assert.matches("^/self/self/", path)
    end)

    it("hold for the deepest nesting that can be asked for", function()
        core.limits { doc_depth = 2000 }
        finally(function() core.limits { doc_depth = 128 } end)
        assert.is_table(through(nested(2000)))
        refused(nested(2001), "ELIMIT", "nested deeper than 2000")
    end)

    it("hold for the number of values", function()
        core.limits { doc_nodes = 10 }
        finally(function() core.limits { doc_nodes = 4194304 } end)
        assert.is_table(through { 1, 2, 3, 4, 5, 6, 7, 8, 9 })
        refused({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, "ELIMIT", "more than 10 values")
    end)
end)

describe("tables of lua-cjson", function()
    it("are taken as they are", function()
        local ok, cjson = pcall(require, "cjson")
        if not ok then return pending("no lua-cjson for this VM") end
        local t = through(cjson.decode '{"a":[1,null,{"b":"c"}],"n":null}')
        assert.equal(core.null, t.n)
        assert.same({ 1, core.null, { b = "c" } }, t.a)
        assert.equal('["x",null]', cjson.encode(through { "x", cjson.null }))
    end)

    it("are recognised by their array metatable where there is one", function()
        local real = package.loaded.cjson
        local mt, empty = {}, {}
        package.loaded.cjson = { array_mt = mt, empty_array_mt = empty }
        finally(function() package.loaded.cjson = real end)
        assert.is_true(core.is_array(setmetatable({}, mt)))
        assert.is_true(core.is_array(through { x = setmetatable({}, empty) }.x))
        assert.is_false(core.is_array(setmetatable({}, {})))
    end)
end)
