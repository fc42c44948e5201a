--- What symbi-lua -i is made of, on every VM: completion, compiling, values as text. The session itself is tests/env/repl/run.
local complete = require("symbi.cli.completion").complete
local repl = require "symbi.cli.repl"
local show = require "symbi.show"
local symbi = require "symbi"

describe("completion", function()
    local env = {
        list = { first = 1, second = print, _hidden = 1, ["no name"] = 1, [1] = 2 }, text = "abc", liar = setmetatable({}, { __index = function() error "asked" end }),
        object = setmetatable({ own = 1 }, { __index = { method = print, value = 2 } }), symbi = symbi, number = 1,
    }
    local function names(text) return select(2, complete(text, env)) end

    it("knows globals and keywords", function()
        assert.same({ "liar", "list", "local" }, names "l")
        assert.same({ "list" }, names "x = { lis")
        assert.equal("t", (complete("x = { lis", env)))
        assert.same({}, names "nothing_like_it")
    end)

    it("goes through fields", function()
        assert.same({ "first", "second" }, names "list.")
        assert.same({ "_hidden" }, names "list._")
        assert.equal("irst", (complete("list.f", env)))
        assert.same({ "second" }, names "list:")
        assert.same({ "method", "own", "value" }, names "object.")
        assert.same({ "method" }, names "print(object:")
        assert.same({}, names "list.first.")
        assert.same({}, names "nothing.x")
    end)

    it("knows the methods of strings", function()
        assert.same({ "upper" }, names "text:up")
        assert.same({}, names "text.up")
    end)

    it("asks no metamethod", function()
        assert.same({}, names "liar.x")
        assert.same({}, names "liar.x.y")
    end)

    it("says nothing after a call or an index", function()
        for _, text in ipairs { "f().", "t[1].x", "('x'):up", "f 'x'.le" } do assert.same({}, names(text), text) end
    end)

    it("knows symbi's modules before they are loaded", function()
        assert.same({ "json" }, names "symbi.jso")
        local all = {}
        for _, n in ipairs(names "symbi.") do all[n] = true end
        for _, n in ipairs { "cedar", "client", "gate", "null", "runtime", "sandbox", "secrets", "skills", "version" } do assert.is_true(all[n] or symbi.io == nil, n) end
        assert.is_nil(all.init)
        local inside = {}
        for _, n in ipairs(names "symbi.json.") do inside[n] = true end
        assert.is_true(inside.decode and inside.encode)
    end)
end)

describe("a chunk", function()
    local function run(text)
        local f = assert(repl.compile(text))
        return f()
    end
    it("may be an expression, with or without =", function()
        assert.equal(3, run "1 + 2")
        assert.equal(3, run "=1 + 2")
        assert.equal(3, run "  = 1 + 2")
        assert.equal(2, select("#", run "nil, nil"))
        assert.equal(0, select("#", run "local x = 1"))
        assert.equal(0, select("#", run ""))
    end)
    it("may be incomplete", function()
        for _, text in ipairs { "function f()", "if x then", "x = {", "f(", "=1 +", "for i = 1, 2 do", "x = [[", "return function()" } do
            local f, message = repl.compile(text)
            assert.is_nil(f, text)
            assert.is_nil(message, text)
        end
        assert.equal(2, run "= {\n2\n}"[1])
        assert.equal(5, run("function g()\n return 5\nend\nreturn g()"))
    end)
    it("may be wrong", function()
        for _, text in ipairs { "x = = 1", "end", "1 1", "x = )", "'open", "= = 1" } do
            local f, message = repl.compile(text)
            assert.is_nil(f, text)
            assert.truthy(message, text)
            assert.truthy(message:find("stdin:1:", 1, true), message)
        end
    end)
end)

describe("the history's place", function()
    local function path(t) return repl.history_path(function(k) return t[k] end) end
    it("is one's own, XDG's, or the usual one", function()
        assert.equal("/home/a/.local/state/symbi-lua/history", path { HOME = "/home/a" })
        assert.equal("/s/symbi-lua/history", path { HOME = "/home/a", XDG_STATE_HOME = "/s" })
        assert.equal("/home/a/.local/state/symbi-lua/history", path { HOME = "/home/a", XDG_STATE_HOME = "relative" })
        assert.equal("/x", path { HOME = "/home/a", XDG_STATE_HOME = "/s", SYMBI_LUA_HISTORY = "/x" })
        assert.is_nil(path { HOME = "/home/a", SYMBI_LUA_HISTORY = "" })
        assert.is_nil(path {})
    end)
end)

describe("a value as text", function()
    it("is readable", function()
        assert.equal("nil", show.value(nil))
        assert.equal("true", show.value(true))
        assert.equal("12", show.value(12))
        assert.equal("null", show.value(symbi.null))
        assert.equal('"a\\nb\\t\\"c\\"\\\\"', show.value 'a\nb\t"c"\\')
        assert.equal("{}", show.value {})
        assert.equal('{ 1, 2, a = 3, ["b c"] = 4, ["end"] = 5 }', show.value { 1, 2, ["b c"] = 4, a = 3, ["end"] = 5 })
        assert.equal("{ [3] = 1 }", show.value { [3] = 1 })
        assert.equal("{ 1, [true] = 2 }", show.value { 1, [true] = 2 })
    end)
    it("holds nothing that a terminal obeys", function()
        local all = {}
        for i = 0, 255 do all[#all + 1] = string.char(i) end
        local bad = table.concat(all) .. "\194\155[2J"
        for _, text in ipairs { show.value(bad), show.value { [bad] = bad }, show.value { { bad } } } do
            assert.is_nil(text:find "[%z\1-\9\11-\31\127]")
            assert.is_nil(text:find("\194\155", 1, true))
        end
    end)
    it("ends, whatever it is of", function()
        local cycle = { 1 }
        cycle[2], cycle.me = cycle, cycle
        assert.equal("{ 1, <cycle>, me = <cycle> }", show.value(cycle))
        local deep = {}
        for _ = 1, 1000 do deep = { deep } end
        assert.equal("{ { {...} } }", show.value(deep, { depth = 2 }))
        local long = {}
        for i = 1, 1000 do long[i] = i end
        assert.equal("{ 1, 2, 3, ... 997 more }", show.value(long, { items = 3 }))
        assert.equal('"' .. ("x"):rep(5) .. '"...', show.value(("x"):rep(9), { text = 5 }))
        assert.equal('"ab"...', show.value("ab\195\164", { text = 3 }))
        local asked = setmetatable({ 1 }, { __index = function() error "asked" end, __tostring = function() error "asked" end, __len = function() error "asked" end })
        assert.equal("{ 1 }", show.value(asked))
    end)
    it("leaves to an object what it shows of itself, so that no key is seen", function()
        local hidden = { "sk-hidden-1", ("jwt-hidden-2"):rep(4), "db-hidden-3", "tok-hidden-4" }
        local c = assert(symbi.client { api_key = hidden[1], base_url = "http://h", env = {}, dotenv = false, config = { auth = { jwt_secret_key = hidden[2] }, database = { password = hidden[3] } } })
        local manager = assert(symbi.auth.manager { jwt_secret_key = hidden[2] })
        local folder = os.tmpname()
        os.remove(folder)
        local runtime = assert(symbi.runtime { model = { provider = "anthropic", name = "m", key = hidden[1] }, state = folder })
        c:set_tokens { access = hidden[4] }
        for name, value in pairs { client = c, raising = c:raise(), group = c.schedules, config = c.config, section = c.config.auth, database = c.config.database, settings = c.manager, auth = manager, list = { c, { c.config } },
            vault = assert(symbi.secrets.open { backend = "vault", url = "https://v.example", auth = { method = "token", token = hidden[1] } }),
            otlp = assert(symbi.metrics.otlp { headers = { Authorization = "Bearer " .. hidden[4] } }), runtime = runtime } do
            local text = show.value(value)
            for _, secret in ipairs(hidden) do assert.is_nil(text:find(secret, 1, true), name .. ": " .. text) end
        end
        assert.equal("symbi client of http://h", show.value(c))
        assert.truthy(show.value(c.config.auth):find("jwt_algorithm = HS256, ", 1, true))
        assert.truthy(show.value(c.config.auth):find("jwt_secret_key = (secret)", 1, true))
        assert.equal("{ symbi client of http://h }", show.value { c })
        assert.equal("a?[2J b", show.value(setmetatable({}, { __tostring = function() return "a\27[2J\nb" end })))
        manager:close()
        runtime:close()
        assert(symbi.io.remove_tree(folder))
    end)
    it("takes lines where one is too long", function()
        assert.equal('{\n  "' .. ("a"):rep(30) .. '",\n  x = { 1, 2 }\n}', show.value({ ("a"):rep(30), x = { 1, 2 } }, { width = 40 }))
    end)
end)
