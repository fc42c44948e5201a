--- symbi.match: sets of patterns from Lua.
local symbi = require "symbi"
local match = symbi.match

local function set(...) return assert(match.set(...)) end

describe("symbi.match", function()
    it("says which patterns of a set match", function()
        local s = set { [[curl\s.*\|\s*(sh|bash)]], [[\d{3}]], { "SECRET", nocase = true }, { pattern = "^x$", whole = true } }
        assert.same({ 1, 2 }, s:run "curl http://example.org | bash 123")
        assert.same({ 3 }, s:run "a sEcret")
        assert.same({ 4 }, s:run "x")
        assert.same({}, s:run "")
        assert.is_true(s:test "777")
        assert.is_false(s:test "77")
        assert.equal(4, s:count())
        assert.equal(2, s:stats().filtered) -- digits and one letter are too common to look for
        s:close()
        s:close()
        assert.has_error(function() s:run "x" end)
    end)

    it("finds the first place as string.find does", function()
        local s = set([[b+c]])
        assert.same({ 3, 5 }, { s:find "aabbc" })
        assert.is_nil((s:find "aab"))
        assert.same({ ("aabbc"):find "b+c" }, { s:find "aabbc" })
        s = set { "x", "yy" }
        assert.same({ 2, 3 }, { s:find("xyy", 2) })
        assert.has_error(function() s:find("x", 3) end)
        s = set "a\\x00"
        assert.same({ 2, 3 }, { s:find "xa\0b" })
    end)

    it("goes over texts line by line", function()
        local s = set { "needle", "^hay" }
        local text = "hay\nno\r\na needle\r\nhay needle"
        assert.same({
            { line = 1, from = 1, to = 3, rules = { 2 } },
            { line = 3, from = 9, to = 16, rules = { 1 } },
            { line = 4, from = 19, to = 28, rules = { 1, 2 } },
        }, s:lines(text, { ends = "crlf" }))
        assert.equal(17, s:lines(text)[2].to) -- the \r stays in the line
        assert.equal(1, #s:lines(text, { max = 1 }))
        assert.same({}, s:lines(""))
        assert.same({ { line = 1, from = 1, to = 28, rules = { 1, 2 } } }, s:lines(text, { ends = "none" }))
        assert.has_error(function() s:lines(text, { ends = "cr" }) end)
        assert.has_error(function() s:lines(text, { end_ = "cr" }) end)
    end)

    it("has three readings of classes and case", function()
        local nbsp, long_s = "\194\160", "\197\191"
        assert.is_false(set("\\s"):test(nbsp))
        assert.is_true(set("\\s", { classes = "unicode" }):test(nbsp))
        assert.is_true(set({ "soul" }, { classes = "unicode", nocase = true }):test(long_s .. "oul"))
        assert.is_true(set("\\s", { classes = "python" }):test "\28")
        assert.is_false(set("\\s", { classes = "unicode" }):test "\28")
        assert.has_error(function() match.set("a", { classes = "posix" }) end)
    end)

    it("refuses what it does not have, with the place", function()
        local s, message, err = match.set { "fine", "a(?=b)" }
        assert.is_nil(s)
        assert.truthy(message:find("look-around (look-ahead) is not supported", 1, true))
        assert.equal("EPARSE", err.code)
        assert.equal("/1", err.path)
        assert.equal(4, err.column)
        local _, _, large = match.set(("a"):rep(match.limits.pattern + 1))
        assert.equal("ELIMIT", large.code)
        assert.has_error(function() match.set(1) end)
        assert.has_error(function() match.set { 1 } end)
        assert.has_error(function() match.set { { "a", nocas = true } } end)
        assert.has_error(function() match.set("a", { nocas = true }) end)
    end)

    it("takes as long for hostile texts as for others of their length", function()
        local s = set "(a*)*b"
        assert.is_false(s:test(("a"):rep(200000)))
        assert.is_false(set("(x+x+)+y"):test(("x"):rep(200000)))
        assert.is_true(s:stats().bytes < 40 * 1024 * 1024)
    end)
end)
