---@meta symbi.sandbox

---@class symbi.sandbox.Options
---@field name? string
---@field memory_bytes? integer
---@field deadline_ms? integer
---@field output_bytes? integer
---@field args? any[]
---@field globals? table<string, any>
---@field stream? any

---@class symbi.sandbox.Result
---@field [integer] any what the chunk returned
---@field n integer
---@field output string what it printed
---@field memory_bytes integer

---@class symbi.sandbox
---@field limits table<string, integer>
local M = {}

--- Runs Lua that nobody vouches for, in a Lua state of its own.
---@param text string
---@param options? symbi.sandbox.Options
---@return symbi.sandbox.Result? result, string? message, symbi.Failure? err
function M.run(text, options) end

---@param path string
---@param options? symbi.sandbox.Options
---@return symbi.sandbox.Result? result, string? message, symbi.Failure? err
function M.run_file(path, options) end

return M
