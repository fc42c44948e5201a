---@meta symbi.scope

---@class symbi.scope.Definition
---@field targets? string[]
---@field domains? string[]
---@field exclude? string[]

--- What may be targeted.
---@class symbi.scope.Scope : userdata
local Scope = {}
---@param target string
---@return boolean? ok, string? message, symbi.Failure? err
function Scope:check(target) end
---@param url string
---@return boolean? ok, string? message, symbi.Failure? err
function Scope:check_url(url) end
---@param tool symbi.toolclad.Tool
---@param args table<string, any> validated
---@return boolean? ok, string? message, symbi.Failure? err
function Scope:check_tool(tool, args) end
--- Why it is broken, if it is.
---@return string?
function Scope:problem() end
---@return string hex
function Scope:hash() end
function Scope:close() end

---@class symbi.scope.Watch
---@field path string
local Watch = {}
--- The scope as it is now where the file is another one than at the last look; false: the file is gone.
---@return symbi.scope.Scope|false|nil
function Watch:changed() end

---@class symbi.scope
local M = {}

---@param text string
---@param source? string
---@return symbi.scope.Scope? scope, string? message, symbi.Failure? err
function M.parse(text, source) end
---@param definition symbi.scope.Definition
---@return symbi.scope.Scope? scope, string? message, symbi.Failure? err
function M.new(definition) end
--- A scope that nothing is in.
---@param why string
---@return symbi.scope.Scope
function M.broken(why) end
---@param path string
---@return symbi.scope.Scope? scope, string? message, symbi.Failure? err
function M.load(path) end
--- What a gate gets: nil only where nothing stands at that path.
---@param from string|symbi.scope.Scope|symbi.scope.Definition
---@return symbi.scope.Scope? scope, string? message, symbi.Failure? err
function M.open(from) end
--- What was given, else scope/scope.toml of the project; false where nothing says it. The second result is the file.
---@param given? string|symbi.scope.Scope|symbi.scope.Definition
---@param dir? string
---@return symbi.scope.Scope|false|nil scope, string? path_or_message, symbi.Failure? err
function M.find(given, dir) end
---@param path string
---@return symbi.scope.Watch
function M.watch(path) end

return M
