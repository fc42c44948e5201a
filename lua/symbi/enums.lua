--- symbi.enums.AgentState.IDLE == "idle": the members of the SDK's enumerations, each under its upper-case name.
local model = require "symbi.api.model"

local made = {}
return setmetatable({}, {
    __index = function(_, name)
        if made[name] then return made[name] end
        local m = model.get(name)
        if not m or m.kind ~= "enum" then return nil end
        local e = {}
        for _, v in ipairs(m.values) do e[v:upper()] = v end
        made[name] = e
        return e
    end,
})
