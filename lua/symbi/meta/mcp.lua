---@meta symbi.mcp

---@class symbi.mcp.Options
---@field config? string path of mcp-config.toml
---@field record? string path of the approvals
---@field secrets? symbi.secrets.Store|fun(name: string): string?
---@field digest? string of approve: only if it is this one
---@field by? string of approve: who, for the record

---@class symbi.mcp.Server
---@field name string
---@field command? any
---@field url? string
---@field args? string[]
---@field env? string[] names
---@field trust? any
---@field [string] any

---@class symbi.mcp.ListedTool
---@field name string
---@field standing "approved"|"unknown"|"changed"|"signed"
---@field digest string
---@field diff? any
---@field definition table

--- The registry of servers.
---@class symbi.mcp.Registry : userdata
local Registry = {}
---@return string[]
function Registry:names() end
---@param name string
---@return symbi.mcp.Server?
function Registry:server(name) end
---@return string[]
function Registry:warnings() end
function Registry:close() end

---@class symbi.mcp
local M = {}

---@param options? symbi.mcp.Options
---@return symbi.mcp.Server[]? servers, string? message, symbi.Failure? err
function M.servers(options) end
--- What a server lists; starts it.
---@param server string
---@param options? symbi.mcp.Options
---@return symbi.mcp.ListedTool[]? tools, any left_out_or_message, symbi.Failure? err
function M.tools(server, options) end
---@param server string
---@param tool string
---@param options? symbi.mcp.Options
---@return any ok, string? message, symbi.Failure? err
function M.approve(server, tool, options) end
---@param server string
---@param tool? string
---@param options? symbi.mcp.Options
---@return integer? count, string? message, symbi.Failure? err
function M.forget(server, tool, options) end
---@param options? symbi.mcp.Options
---@return symbi.mcp.Registry? registry, string? message, symbi.Failure? err
function M.registry(options) end
---@param options? symbi.mcp.Options
---@return string
function M.record_path(options) end
---@param path string
---@return string? text, string? message, symbi.Failure? err
function M.read_record(path) end
---@param path string
---@param text string
---@return boolean? ok, string? message, symbi.Failure? err
function M.write_record(path, text) end
---@param path string
---@return symbi.io.Lock? lock, string? message, symbi.Failure? err
function M.lock_record(path) end

return M
