-- The gate: opening it from policies and a declared tool, an allowed and a denied check, a tool's contract.
package.path = "./lua/?.lua;./lua/?/init.lua"
local symbi = require "symbi"
local function open()
    return symbi.gate.open {
        policies = { { name = "demo", text = [[
            permit (principal == Agent::"bot", action == Action::"tool_call::add", resource) when { context.input.a < 100 };
        ]] } },
        tools = { symbi.tool { name = "add", description = "Adds", args = { a = { type = "integer", required = true } },
            run = function(args) return args.a end } },
    }
end
assert(open())
return function()
    local gate, message = open()
    if not gate then return nil, message end
    local yes, no = gate:check { agent = "bot", name = "add", arguments = { a = 2 } }, gate:check { agent = "bot", name = "add", arguments = { a = 200 } }
    if not yes or not no then return nil, "no verdict" end
    -- short of memory a verdict is a denial, never an allowance of what the policy refuses
    assert(not no.allowed)
    return yes.allowed, "denied: " .. tostring(yes.reason)
end
