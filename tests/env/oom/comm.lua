-- symbi.comm in C: rules, answers with and without a table, lists, the editable list.
local core = require "symbi.core"

return function()
    local comm = core.comm
    local set, message = comm.rules({ { from = "a", to = "*", action = "*", effect = "allow", max_depth = 3, reason = "a may" } }, { default = "deny" })
    if not set then return nil, message end
    local answer
    answer, message = set:evaluate { sender = "a", recipient = "b", action = "send", depth = 1 }
    if not answer then return nil, message end
    assert(answer.allowed and answer.reason)
    answer, message = set:evaluate("b", "a", "send")
    if not answer then return nil, message end
    assert(not answer.allowed)
    assert(set:check("a", "b", "send") == true)
    assert(#set:list() == 1 and set:count() == 1)
    local list
    list, message = comm.list(set)
    if not list then return nil, message end
    local rule
    rule, message = list:add { from = "b", to = "a", action = "send", effect = "deny", id = "no" }
    if not rule then return nil, message end
    assert(list:get "no" and list:count() == 2 and list:rules():count() == 2)
    local ok
    ok, message = list:remove "no"
    if not ok then return nil, message end
    list:close()
    set:close()
    return true
end
