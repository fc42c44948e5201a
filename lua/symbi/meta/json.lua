---@meta symbi.json

---@class symbi.json
---@field null lightuserdata
local M = {}

---@param text string
---@param options? { bigint?: "error"|"string"|"number", null?: any }
---@return any value, string? message, symbi.Failure? err
function M.decode(text, options) end

--- Names of objects are sorted.
---@param value any
---@param options? { pretty?: boolean, canonical?: boolean }
---@return string? text, string? message, symbi.Failure? err
function M.encode(value, options) end

--- The one form of RFC 8785.
---@param value any
---@return string? text, string? message, symbi.Failure? err
function M.canonical(value) end

return M
