-- The gate: opening it from policies and a declared tool, an allowed and a denied check, a tool's contract, small and large tables, a change of
-- arguments, the parts of a verdict, reloading.
package.path = "./lua/?.lua;./lua/?/init.lua"
local symbi = require "symbi"
local function open()
    return symbi.gate.open {
        policies = { { name = "demo", text = [[
            permit (principal == Agent::"bot", action == Action::"tool_call::add", resource) when { context.input.a < 100 };
            @instead("modify a = 9") forbid (principal, action, resource) when { context.input has a && context.input.a == 50 };
        ]] } },
        tools = { symbi.tool { name = "add", description = "Adds", args = { a = { type = "integer", required = true } },
            run = function(args) return args.a end } },
        agent_identity = { bot = "urn:bot" }, identity_issuer = "acme.example", require_verified = { "other" }, profile = { "add" },
    }
end
assert(open())
local wide = {}
for i = 1, 100 do wide["k" .. i] = i end
return function()
    local gate, message = open()
    if not gate then return nil, message end
    local function ask(a, context) return gate:check({ agent = "bot", name = "add", arguments = { a = a } }, { context = context }) end
    local yes, no, other = ask(2, { list = { 1, 2 } }), ask(200), ask(50, wide)
    if not yes or not no or not other then return nil, "no verdict" end
    -- short of memory a verdict is a denial, never an allowance of what the policy refuses
    assert(not no.allowed and not other.allowed)
    if not yes.allowed then return nil, "denied: " .. tostring(yes.reason) end
    if other.decision ~= "modify" then return nil, "denied: " .. tostring(other.reason) end
    assert(other.input.a == 9 and other.proposed.a == 50 and #other.policies == 2 and yes.policies[1].source == "demo")
    local ok
    ok, message = gate:commit(other)
    if not ok then return nil, message end
    local plan
    plan, message = gate:redeem(other, other.permit)
    if not plan then return nil, message end
    assert(plan.arguments.a == 9 and #gate:warnings() == 1)
    local set
    set, message = symbi.cedar.policies '@instead("defer") forbid (principal, action, resource);'
    if not set then return nil, message end
    ok, message = symbi.core.gate.ready(set)
    if not ok then return nil, message end
    ok, message = gate:reload(set)
    if not ok then return nil, message end
    assert(not ask(2).allowed)
    gate:close()
    return true
end
