-- The policy functions in C: lint of a text and of a set, a compat set, an explanation.
local core = require "symbi.core"

return function()
    local list, message = core.policy.lint_text('permit(principal == Agent::"caf\195\169", action, resource); // \194\173')
    if not list then return nil, message end
    local set
    set, message = core.cedar.policies({ { name = "p.cedar", text = 'permit(principal, action == "respond", resource) when { context.x > 3 };' } }, { legacy_scope = true })
    if not set then return nil, message end
    local findings
    findings, message = core.policy.lint(set)
    if not findings then return nil, message end
    assert(#list == 2 and #findings == 2)
    set:close()
    set, message = core.policy.compat { "permit(principal, action, resource);", { text = "forbid(principal, action, resource) when { context.y };" } }
    if not set then return nil, message end
    local gate
    gate, message = core.gate.new { policies = set, compat = true }
    if not gate then return nil, message end
    local verdict, policies = gate:explain({ agent = "bot", kind = "respond" }, { context = { x = 1 } })
    if not verdict then return nil, policies end
    if verdict.code == "OUT_OF_MEMORY" then return nil, "out of memory" end
    assert(verdict.allowed and policies[2].outcome == "error")
    gate:close()
    set:close()
    return true
end
