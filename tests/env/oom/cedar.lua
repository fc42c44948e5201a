-- Policies, entities, one decision, one text that does not parse.
local core = require "symbi.core"
return function()
    local set = assert(core.cedar.policies [[
        @id("a") permit (principal == Agent::"x", action, resource) when { context.n < 5 && resource in Tool::"t" };
        @id("b") forbid (principal, action, resource) when { context.tags.contains("bad") };
    ]])
    local none, message = core.cedar.policies "permit (principal, action, resource"
    return set and none == nil and message ~= nil
end
