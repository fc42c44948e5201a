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

return M
