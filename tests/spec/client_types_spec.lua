--- lua/symbi/types.lua is what tests/tools/gen_types.lua makes of the endpoint tables.
local generate = require "tests.tools.gen_types"

describe("lua/symbi/types.lua", function()
    it("is current", function()
        local f = assert(io.open("lua/symbi/types.lua", "rb"))
        local text = f:read "*a"
        f:close()
        assert.equal(generate(), text, "run: lua5.4 tests/tools/gen_types.lua >lua/symbi/types.lua")
    end)
end)
