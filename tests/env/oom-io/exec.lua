-- Tools: blocking, in a loop, and as bytes for a socket. The plans are made before memory runs short.
package.path = "./lua/?.lua;./lua/?/init.lua"
require "symbi.core" -- brings symbi.cio with it here
local cio = require "symbi.cio"
package.loaded["symbi.io"] = cio
local symbi = require "symbi"
rawset(symbi, "io", cio)
local HERE = "tests/env/nginx"
local gate = assert(symbi.gate.open { policies = HERE .. "/policies", tools = HERE .. "/tools" })
local function plan_of(name, arguments)
    local verdict = gate:check { kind = "tool_call", agent = "reader", name = name, arguments = arguments }
    assert(verdict.allowed and gate:commit(verdict))
    return assert(gate:redeem(verdict, verdict.permit, { env = { "PATH=/usr/bin:/bin" } }))
end
local plans = {}
for i = 1, 3 do plans[i] = plan_of("count_lines", { path = "Makefile" }) end

local function work()
    local r, message = cio.exec(plans[1])
    if not r then error(message, 0) end
    local loop = cio.loop()
    local id, kind, value
    id, message = loop:exec(plans[2])
    if not id then error(message, 0) end
    id, kind, value, message = loop:wait(5000)
    if not value then error(id == nil and kind or message or "nothing came", 0) end
    loop:close()
    local frame
    frame, message = cio.exec_encode(plans[3])
    if not frame then error(message, 0) end
end

return function()
    local ok, message = pcall(work)
    cio.close()
    if not ok then return nil, message end
    return true, "done"
end
