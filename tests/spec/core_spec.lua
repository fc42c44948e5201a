--- symbi.core as such and the facade: constants, null, arrays, limits, error objects, loading.
local core = require "symbi.core"
local symbi = require "symbi"

describe("symbi.core", function()
    it("names every status code once, OK being 0 and the others negative", function()
        assert.equal(0, core.status.OK)
        local seen = {}
        for name, number in pairs(core.status) do
            assert.is_nil(seen[number], name)
            seen[number] = name
            if name ~= "OK" then assert.is_true(number < 0, name) end
        end
        assert.equal(-3, core.status.EPARSE)
        assert.equal(-16, core.status.EPERMIT)
    end)

    it("has deny as decision zero", function()
        assert.same({ deny = 0, allow = 1, modify = 2, step_up = 3, defer = 4 }, core.decisions)
    end)

    it("has a null that is cjson's", function()
        local ok, cjson = pcall(require, "cjson")
        if not ok then return pending("no lua-cjson for this VM") end
        assert.equal(cjson.null, core.null)
        assert.is_truthy(core.null)
    end)

    it("can be opened again in the same state", function()
        local before = package.loaded["symbi.core"]
        package.loaded["symbi.core"] = nil
        local again = require "symbi.core"
        package.loaded["symbi.core"] = before
        assert.equal(core.version, again.version)
        assert.is_true(core.is_array(again.array()))
        assert.equal(before.options, again.options)
    end)

    it("works on a coroutine other than the one that loaded it", function()
        local out
        coroutine.wrap(function()
            package.loaded["symbi.core"] = nil
            out = require("symbi.core").array { 1, 2 }
        end)()
        package.loaded["symbi.core"] = core
        collectgarbage()
        assert.is_true(core.is_array(out))
    end)

    it("keeps its metatables to itself", function()
        assert.is_false(getmetatable(core.array()))
        assert.is_false(getmetatable(core.error("EIO", "x")))
    end)
end)

describe("arrays", function()
    it("are marked tables or plain sequences", function()
        assert.is_true(core.is_array(core.array()))
        assert.is_true(core.is_array { 1, 2, 3 })
        assert.is_false(core.is_array {})
        assert.is_false(core.is_array { a = 1 })
        assert.is_false(core.is_array { 1, 2, a = 3 })
        assert.is_false(core.is_array { [2] = "x" })
        assert.is_false(core.is_array("abc"))
        assert.is_false(core.is_array(nil))
    end)

    it("fill holes with null up to n", function()
        local t = core.array({ 1, nil, 3, nil }, 5)
        assert.equal(5, #t)
        assert.equal(core.null, t[2])
        assert.equal(core.null, t[4])
        assert.equal(core.null, t[5])
        assert.equal(3, t[3])
    end)

    it("refuse what cannot be one", function()
        assert.has_error(function() core.array("x") end)
        assert.has_error(function() core.array({}, -1) end)
        assert.has_error(function() core.array({}, 1.5) end)
        assert.has_error(function() core.array({}, 1e300) end)
        assert.has_error(function() core.array(setmetatable({}, {})) end)
    end)

    it("turn back into objects", function()
        local t = core.array()
        assert.equal(t, core.object(t))
        assert.is_false(core.is_array(t))
        assert.has_error(function() core.object { 1 } end)
    end)
end)

describe("limits", function()
    it("can be read and set, and raise on what they do not know", function()
        local before = core.limits()
        assert.equal(128, before.doc_depth)
        assert.equal(64, core.limits({ doc_depth = 64 }).doc_depth)
        assert.equal(64, core.limits().doc_depth)
        core.limits { doc_depth = 128 }
        local ok, message = pcall(core.limits, { doc_dept = 1 })
        assert.is_false(ok)
        assert.matches("doc_dept", message, 1, true)
        assert.has_error(function() core.limits { doc_depth = "many" } end)
        assert.has_error(function() core.limits { doc_depth = -1 } end)
        assert.has_error(function() core.limits { doc_depth = 1e9 } end)
        assert.has_error(function() core.limits { doc_depth = 0 / 0 } end)
        assert.has_error(function() core.limits { [1] = 1 } end)
        assert.same(before, core.limits())
    end)

    it("change all or nothing", function()
        local before = core.limits()
        assert.has_error(function() core.limits { doc_bytes = 5, doc_depth = -1 } end)
        assert.same(before, core.limits())
    end)

    it("take whole numbers as numbers or exact text", function()
        assert.equal(1000, core.limits({ run_bytes = "1000" }).run_bytes)
        core.limits { run_bytes = 67108864 }
        assert.has_error(function() core.limits { run_bytes = "10x" } end)
        assert.has_error(function() core.limits { run_bytes = "99999999999999999999" } end)
    end)
end)

describe("error objects", function()
    it("print their message and answer to code and name", function()
        local e = core.error("EIO", "it broke", { name = "NotFoundError", status = 404 })
        assert.equal("it broke", tostring(e))
        assert.equal("EIO", e.code)
        assert.equal(404, e.status)
        assert.is_true(e:is "EIO")
        assert.is_true(e:is "NotFoundError")
        assert.is_false(e:is "EPARSE")
        assert.has_error(function() e:is() end)
    end)
end)

describe("the facade", function()
    it("loads what is there and is nil for what is not", function()
        assert.equal(core.version, symbi.version)
        assert.is_nil(symbi.no_such_module)
        assert.is_nil(symbi[1])
        assert.is_nil(symbi["../x"])
    end)

    it("turns failures into raised strings with try", function()
        assert.equal(1, (symbi.try(1)))
        assert.same({ 1, 2, 3 }, { symbi.try(1, 2, 3) })
        local ok, message = pcall(symbi.try, nil, "no luck", core.error("EIO", "no luck"))
        assert.is_false(ok)
        assert.equal("string", type(message))
        assert.matches("no luck", message, 1, true)
        assert.is_nil((symbi.try(nil)))
    end)

    it("sets no global", function()
        for _, name in ipairs { "symbi", "core", "json" } do assert.is_nil(rawget(_G, name)) end
    end)
end)

describe("symbi.tool", function()
    local function run() return {} end

    it("makes a contract with positions", function()
        local t = symbi.tool { name = "count", description = "counts", args = { path = "path", n = { type = "integer", required = true } }, run = run }
        assert.equal("count", t.name)
        assert.equal(run, t.run)
        assert.equal("callback", t.manifest.tool.dispatch)
        assert.same({ type = "path", position = 2 }, t.manifest.args.path)
        assert.same({ type = "integer", required = true, position = 1 }, t.manifest.args.n)
    end)

    it("keeps the order of a list", function()
        local t = symbi.tool { name = "x", args = { { name = "b" }, { name = "a", type = "integer" } }, run = run }
        assert.same({ type = "string", position = 1 }, t.manifest.args.b)
        assert.same({ type = "integer", position = 2 }, t.manifest.args.a)
    end)

    it("raises on misuse, naming the field", function()
        local function message(d)
            local ok, text = pcall(symbi.tool, d)
            assert.is_false(ok)
            return text
        end
        assert.matches("nme", message { nme = "x", run = run }, 1, true)
        assert.matches("'name' is missing", message { run = run }, 1, true)
        assert.matches("no function 'run'", message { name = "x" }, 1, true)
        assert.matches("../x", message { name = "../x", run = run }, 1, true)
        assert.matches("argument 'a'", message { name = "x", run = run, args = { a = 5 } }, 1, true)
        assert.matches("'a' stands twice", message { name = "x", run = run, args = { { name = "a" }, { name = "a" } } }, 1, true)
        assert.matches("timeout_seconds", message { name = "x", run = run, timeout_seconds = 0.5 }, 1, true)
        assert.matches("a table is expected", message("x"), 1, true)
    end)
end)
