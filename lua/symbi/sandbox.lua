--- symbi.sandbox: Lua code that nobody vouches for, run in a Lua state of its own with an allow-list of functions, a memory limit and a
-- deadline. What may be called and what ends a run is decided in C (bindings/lsandbox*.c); see guide/lua-sandbox.md.
--   result, message, err = symbi.sandbox.run(text, { name=, memory_bytes=, deadline_ms=, output_bytes=, args={...}, globals={...} })
--   result, message, err = symbi.sandbox.run_file(path, options)
-- result: what the chunk returned ([1], [2], ..., n), output (what it printed), memory_bytes (the most it had). Values go in and out as
-- plain data, copied. err.code: EPARSE, EEVAL (the script's own error), ETIMEOUT, ELIMIT (memory, output), those of reading a file.
local core = require "symbi.core"

local M = { run = core.sandbox.run, limits = core.sandbox.limits }

--- The same for a file. Its name in messages is the path.
function M.run_file(path, options)
    local io = require "symbi.io"
    local text, message, err = io.read_file(path, M.limits.script_bytes)
    if not text then return nil, message, err end
    local o = {}
    for k, v in pairs(options or {}) do o[k] = v end
    o.name = o.name or "@" .. path
    return M.run(text, o)
end

return M
