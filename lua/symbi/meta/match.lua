---@meta symbi.match

---@class symbi.match.Options
---@field nocase? boolean
---@field multiline? boolean
---@field dotall? boolean
---@field whole? boolean
---@field classes? "ascii"|"unicode"|"python"
---@field memory? integer bytes

---@class symbi.match.Line
---@field line integer
---@field from integer
---@field to integer
---@field rules integer[]

---@class symbi.match.Set : userdata
local Set = {}
--- The patterns that match somewhere, ascending.
---@param text string
---@return integer[]? list, string? message, symbi.Failure? err
function Set:run(text) end
---@param text string
---@return boolean? found, string? message, symbi.Failure? err
function Set:test(text) end
--- Where pattern i matches first, as string.find counts.
---@param text string
---@param i? integer
---@return integer? from, integer|string|nil to_or_message, symbi.Failure? err
function Set:find(text, i) end
---@param text string
---@param options? { ends?: "lf"|"crlf"|"python"|"none", max?: integer }
---@return symbi.match.Line[]? list, string? message, symbi.Failure? err
function Set:lines(text, options) end
---@return integer
function Set:count() end
---@param i? integer
---@return boolean
function Set:anchored(i) end
---@return table<string, integer>
function Set:stats() end
function Set:close() end

---@class symbi.match
---@field limits table<string, integer>
local M = {}

---@param patterns string|(string|table)[] a pattern, or a list of patterns and {pattern, nocase=, ...}
---@param options? symbi.match.Options
---@return symbi.match.Set? set, string? message, symbi.Failure? err
function M.set(patterns, options) end

return M
