---@meta symbi.sanitize

---@class symbi.sanitize.Options
---@field profile? "prose"|"identifier"|"seed"|"keep"
---@field markup? boolean comments and fences together
---@field comments? boolean
---@field fences? boolean
---@field redact? boolean
---@field lossy? boolean
---@field once? boolean

---@class symbi.sanitize.Report
---@field dropped integer
---@field comments integer
---@field fences integer
---@field redacted integer
---@field invalid integer
---@field cut any

---@class symbi.sanitize
---@field markers string[]
local M = {}

--- Text without what a person does not see.
---@param text string
---@param options? symbi.sanitize.Options
---@return string? text, symbi.sanitize.Report|string report_or_message, symbi.Failure? err
function M.clean(text, options) end

--- The injection markers in a text.
---@param text string
---@return string[]? list, string? message, symbi.Failure? err
function M.detect(text) end

return M
