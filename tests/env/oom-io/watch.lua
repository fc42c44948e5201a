-- Watched folders: alone and in a loop.
package.path = "./lua/?.lua;./lua/?/init.lua"
require "symbi.core"
local io = require "symbi.cio"
local function need(v, message)
    if v == nil then error(message or "nothing came", 0) end
    return v
end

local function work()
    local w = need(io.watch({ "tests/env", "tests/none" }, { quiet_ms = 1 }))
    assert(need(w:poll()) == false and w:due() == -1)
    local loop = need(io.loop())
    need(loop:watch(w))
    assert(need(loop:wait(1)) == false and loop:count() == 0)
    w:close()
    loop:close()
end

return function()
    local ok, message = pcall(work)
    io.close()
    if not ok then return nil, message end
    return true, "done"
end
