--- symbi.yaml from Lua: both kinds of document, what is refused, and what is written.
local symbi = require "symbi"
local yaml = symbi.yaml

describe("symbi.yaml", function()
    it("decodes configuration and front matter", function()
        local text = "name: yes\nport: 8080\nratio: 0.5\nempty:\nlist: [1, two]\nblock: |\n  a\n  b\n"
        assert.same({ name = "yes", port = 8080, ratio = 0.5, empty = symbi.null, list = { 1, "two" }, block = "a\nb\n" }, assert(yaml.decode(text)))
        assert.same({ name = "yes", port = "8080", ratio = "0.5", empty = "", list = { "1", "two" }, block = "a\nb\n" }, assert(yaml.decode(text, { text = true })))
    end)

    it("names the place", function()
        local value, message, err = yaml.decode("a: 1\na: 2\n", { source = "config.yaml" })
        assert.is_nil(value)
        assert.equal('config.yaml:2:1: the key "a" is there twice', message)
        assert.same({ "EPARSE", 2, 1, "config.yaml" }, { err.code, err.line, err.column, err.path })
    end)

    it("writes what reads back", function()
        for _, value in ipairs {
            { a = { 1, 2, { b = "x y" } }, c = symbi.array {}, d = { e = symbi.null, f = true } }, "no", "12:30", "2001-01-01", "multi\nline", { "- x", "# y", "", "caf\195\169" }, -5, 0.25,
        } do
            local text = assert(yaml.encode(value))
            assert.same(value, assert(yaml.decode(text)), text)
        end
        assert.equal("key:\n  - 1\n  - x\n", yaml.encode { key = { 1, "x" } })
        local text, _, err = yaml.encode { bad = "\255" }
        assert.is_nil(text)
        assert.equal("ESCHEMA", err.code)
        assert.has_error(function() yaml.encode() end)
    end)
end)
