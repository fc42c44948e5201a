--- symbi.scope: what may be targeted. Deciding is C (bindings/lscope.c); here the file is read.
--   scope = symbi.scope.load "scope/scope.toml"; gate = symbi.gate.open{..., scope = scope}
local core = require "symbi.core"

local M = {}
for name, value in pairs(core.scope) do M[name] = value end

--- The scope of a file, or nil, message, err.
function M.load(path)
    if type(path) ~= "string" then error("symbi.scope.load: a path is expected", 2) end
    local text, message, err = require("symbi").io.read_file(path, core.limits().manifest_bytes)
    if not text then return nil, message, err end
    return core.scope.parse(text, path)
end

--- What a gate gets: a path, a table {targets=, domains=, exclude=}, or a scope as it is. A file that is there and cannot be read or understood gives a
-- scope that nothing is in, so that it is no way around. Returns nil, message, err only where nothing stands at that path.
function M.open(from)
    if type(from) == "userdata" then return from end
    if type(from) == "table" then return core.scope.new(from) end
    local scope, message, err = M.load(from)
    if scope then return scope end
    if err and err.code == "ENOTFOUND" then return nil, message, err end
    return core.scope.broken(tostring(err or message))
end

--- The scope of a project: what was given, else <dir>/scope/scope.toml where there is one; false where nothing says it. The second result is the file.
function M.find(given, dir)
    local path = type(given) == "string" and given or (given == nil and (dir or ".") .. "/scope/scope.toml") or nil
    local scope, message, err = M.open(given == nil and path or given)
    if scope then return scope, path end
    if given == nil and err and err.code == "ENOTFOUND" then return false, path end
    return nil, message, err
end

--- Follows a file: {path=}:changed() is the scope as it is now (false: the file is gone) when the file is another one than at the last look, else nil.
local Watch = {}
Watch.__index = Watch
local function signature(path)
    local info, message, err = require("symbi").io.stat(path)
    if not info then return err and err.code or tostring(message) end
    return info.version
end
function M.watch(path) return setmetatable({ path = path, last = signature(path) }, Watch) end
function Watch:changed()
    local now = signature(self.path)
    if now == self.last then return nil end
    self.last = now
    local scope, _, err = M.open(self.path)
    if scope then return scope end
    return err and err.code == "ENOTFOUND" and false or core.scope.broken(tostring(err))
end

return M
