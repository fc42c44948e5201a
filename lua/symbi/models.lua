--- symbi.models.Agent(t): a checked copy with defaults, or nil, message, err; see symbi.api.model.
local model = require "symbi.api.model"

return setmetatable({}, {
    __index = function(_, name)
        local m = model.get(name)
        if m and m.kind == "model" then return m end
        return nil
    end,
})
