---@meta symbi.dsl

---@class symbi.dsl.Error
---@field line integer
---@field column integer
---@field end_line? integer
---@field end_column? integer
---@field found? string
---@field expected? any
---@field hint? string
---@field message string

--- A parsed .symbi file; one with errors too.
---@class symbi.dsl.File : userdata
local File = {}
---@return boolean
function File:ok() end
---@return symbi.dsl.Error[]
function File:errors() end
---@return string
function File:source() end
---@return string
function File:text() end
---@param other symbi.dsl.File
---@return boolean
function File:equal(other) end
---@return string? text, string? message, symbi.Failure? err
function File:format() end
---@return string? text, string? message, symbi.Failure? err
function File:sexp() end
---@return table? data, string? message, symbi.Failure? err
function File:extract() end
--- Rules that cannot be enforced refuse it: err.problems says each.
---@param options? { agent?: string, principal?: string, tools?: symbi.toolclad.Toolset }
---@return symbi.dsl.Narrow? narrow, table[]|string|nil problems_or_message, symbi.Failure? err
function File:compile(options) end
function File:close() end

--- What gate:narrow has in force.
---@class symbi.dsl.Narrow : userdata
local Narrow = {}
---@return table
function Narrow:describe() end
---@return string hex
function Narrow:hash() end
function Narrow:close() end

---@class symbi.dsl
---@field limits table<string, integer>
local M = {}

---@param text string
---@param source? string
---@return symbi.dsl.File? file, string? message, symbi.Failure? err
function M.parse(text, source) end
--- Also for a file with errors.
---@param path string
---@return symbi.dsl.File? file, string? message, symbi.Failure? err
function M.read(path) end
--- A file without errors; err.errors lists them otherwise.
---@param path string
---@return symbi.dsl.File? file, string? message, symbi.Failure? err
function M.load(path) end
---@param path string
---@return boolean
function M.is_definition(path) end
---@param paths string[]
---@return string[]? files, string? message, symbi.Failure? err
function M.files(paths) end
--- Formats a file in place, whole or not at all.
---@param path string
---@param options? { check?: boolean }
---@return boolean? changed, string? message, symbi.Failure? err
function M.rewrite(path, options) end
--- What symbi.runtime makes an agent of.
---@param path string
---@param options? { agent?: string, principal?: string, tools?: symbi.toolclad.Toolset }
---@return table? definition, string? message, symbi.Failure? err
function M.agent(path, options) end
---@param text string
---@return integer? ms, string? message, symbi.Failure? err
function M.duration(text) end
---@param text string
---@return table? policy, string? message, symbi.Failure? err
function M.policy_text(text) end
---@param text string
---@return table? parsed, string? message, symbi.Failure? err
function M.repl(text) end
---@param name string
---@return string?
function M.sandbox(name) end
---@param server string
---@param json string
---@return table? pin, string? message, symbi.Failure? err
function M.mcp_pin(server, json) end

return M
