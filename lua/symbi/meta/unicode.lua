---@meta symbi.unicode

---@class symbi.unicode.Options
---@field casefold? boolean
---@field strip? boolean
---@field lossy? boolean

--- A normalised text with a way back.
---@class symbi.unicode.Normal : userdata
local Normal = {}
---@return string
function Normal:text() end
--- Where byte i of it came from.
---@param i integer
---@return integer
function Normal:at(i) end
---@return integer bytes, integer? first
function Normal:invalid() end
function Normal:close() end

---@class symbi.unicode
local M = {}

---@param text string
---@param options? symbi.unicode.Options
---@return string? text, string? message, symbi.Failure? err
function M.nfkc(text, options) end

---@param text string
---@param options? symbi.unicode.Options
---@return symbi.unicode.Normal? normal, string? message, symbi.Failure? err
function M.normal(text, options) end

--- Of byte i, both from 1.
---@param text string
---@param i integer
---@return integer line, integer column
function M.position(text, i) end

return M
