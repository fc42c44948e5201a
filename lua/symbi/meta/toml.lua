---@meta symbi.toml

---@class symbi.toml
local M = {}

--- Date-times become strings.
---@param text string
---@param options? { source?: string }
---@return table? value, string? message, symbi.Failure? err
function M.decode(text, options) end

return M
