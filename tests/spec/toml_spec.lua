--- symbi.toml: what comes out as Lua values, and errors with their place.
local symbi = require "symbi"
local toml = symbi.toml

describe("symbi.toml.decode", function()
    it("gives tables, arrays and scalars", function()
        local t = assert(toml.decode [=[
title = "x"
n = 42
f = 1.5
yes = true
list = [1, 2, 3]
empty = []
[a.b]
c = { d = "e" }
[[rows]]
id = 1
[[rows]]
id = 2
]=])
        assert.equal("x", t.title)
        assert.equal(42, t.n)
        assert.equal("42", tostring(t.n):gsub("%.0$", ""))
        assert.equal(1.5, t.f)
        assert.is_true(t.yes)
        assert.same({ 1, 2, 3 }, t.list)
        assert.is_true(symbi.is_array(t.empty))
        assert.equal("e", t.a.b.c.d)
        assert.equal(2, #t.rows)
        assert.equal(2, t.rows[2].id)
    end)

    it("gives date-times as text", function()
        local t = assert(toml.decode "a = 1979-05-27 07:32:00z\nb = 1979-05-27\nc = 07:32:00.5")
        assert.equal("1979-05-27T07:32:00Z", t.a)
        assert.equal("1979-05-27", t.b)
        assert.equal("07:32:00.5", t.c)
    end)

    it("keeps 64-bit integers, as text where the VM has only doubles", function()
        local t = assert(toml.decode "a = 9223372036854775807\nb = 9007199254740992")
        assert.equal("9223372036854775807", type(t.a) == "string" and t.a or string.format("%d", t.a))
        assert.equal(9007199254740992, t.b)
    end)

    it("says where it goes wrong", function()
        local t, message, err = toml.decode("a = 1\nb = yes\n", { source = "x.toml" })
        assert.is_nil(t)
        assert.matches("true and false", message)
        assert.equal("EPARSE", err.code)
        assert.equal(2, err.line)
        assert.equal(5, err.column)
        assert.equal("x.toml", err.path)
    end)

    it("refuses inf and nan as not usable", function()
        local t, _, err = toml.decode "a = inf"
        assert.is_nil(t)
        assert.equal("ESCHEMA", err.code)
    end)

    it("raises on misuse only", function()
        assert.error(function() toml.decode() end)
        assert.error(function() toml.decode {} end)
        assert.error(function() toml.decode("", { sauce = "x" }) end)
        assert.is_nil((toml.decode "\255"))
    end)
end)
