---@meta symbi.yaml

---@class symbi.yaml
local M = {}

---@param text string
---@param options? { source?: string, text?: boolean } text: every scalar stays text
---@return any value, string? message, symbi.Failure? err
function M.decode(text, options) end

---@param value any
---@return string? text, string? message, symbi.Failure? err
function M.encode(value) end

return M
