---@meta symbi.tool

--- One argument; a type name alone is short for {type = name}.
---@class symbi.tool.Argument
---@field name? string where args is a list
---@field type? string "string" unless said otherwise
---@field position? integer
---@field required? boolean
---@field default? any
---@field description? string
---@field [string] any what else a manifest may say of an argument

---@class symbi.tool.Declaration
---@field name string
---@field description? string
---@field version? string
---@field risk_tier? string
---@field human_approval? boolean
---@field capability? string
---@field timeout_seconds? integer
---@field args? table<string, string|symbi.tool.Argument>|symbi.tool.Argument[]
---@field run fun(args: table<string, any>): any

---@class symbi.tool.Tool
---@field name string
---@field description string
---@field run fun(args: table<string, any>): any
---@field manifest table what symbi.toolclad takes

--- The module behind symbi.tool{...}.
---@class symbi.tool
local M = {}

---@param declaration symbi.tool.Declaration
---@return symbi.tool.Tool
function M.declare(declaration) end

return M
