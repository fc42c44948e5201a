-- symbi.cli.args: what a verb shows, to people and to machines.
local args = require "symbi.cli.args"
local symbi = require "symbi"

describe("the output of verbs", function()
    it("is JSON whatever a file is called", function()
        local text = args.json { path = "a\255b", list = symbi.array { { "\192\128" }, "ä" }, none = symbi.array {}, [("k\254")] = 1 }
        local value = assert(symbi.json.decode(text))
        assert.equal("a\\xffb", value.path)
        assert.equal("\\xc0\\x80", value.list[1][1])
        assert.equal("ä", value.list[2])
        assert.equal(1, value["k\\xfe"])
        assert.truthy(text:find('"none":[]', 1, true))
    end)

    it("is an error where no JSON can say it", function()
        local ok, message = pcall(args.json, { f = print })
        assert.is_false(ok)
        assert.truthy(message:find("cannot be written as JSON", 1, true))
    end)

    it("does not obey what it shows", function()
        assert.equal("a?[31mb?c", args.safe "a\27[31mb\nc")
        assert.equal("\\xff?", args.safe "\255\226\128\174")
        assert.equal("ab...", args.safe("ab\195\164cdefg", 6))
    end)
end)
