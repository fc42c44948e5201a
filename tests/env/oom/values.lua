-- Values into C and back, and error objects.
local core = require "symbi.core"
local t = { list = core.array { 1, 2, { "x", false, core.null } }, nested = { a = { b = { c = {} } } }, text = ("y"):rep(300) }
for i = 1, 120 do t["key" .. i] = { i, tostring(i) } end
return function()
    local out = core.debug_value(t)
    local none, message, err = core.debug_value { a = { print } }
    return out and out.key120[2] == "120" and none == nil and message ~= nil and err.code == "ESCHEMA" and err:is "ESCHEMA"
end
