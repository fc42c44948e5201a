--- How a client's requests travel: whatever fits where it is called (symbi.io.kind), or what the caller gives.
-- own: it neither keeps nor changes what it is given. prepare: what requests share is read once (symbi.io.prepare).
--   request(rq) -> {status=, headers={{name, value}, ...}, body=}, or nil, message, err;   sleep(ms);   now() seconds that never jump
local core = require "symbi.core"
local symio = require "symbi.io"

local M = {}

local kinds = {}

function kinds.blocking()
    return { own = true, prepare = symio.prepare, request = symio.http, sleep = symio.sleep, now = symio.monotonic }
end

function kinds.host()
    local host = require "symbi.io.host"
    return { own = true, request = host.http, sleep = host.sleep, now = symio.monotonic }
end

-- In nginx nothing of symbi/io.so is needed: cosockets, and nginx's own clock and sleep.
function kinds.ngx()
    -- luacheck: globals ngx
    local http = require("symbi.io.ngx").http
    return {
        request = http,
        sleep = function(ms) ngx.sleep(ms / 1000) end,
        now = function()
            ngx.update_time()
            return ngx.now()
        end,
    }
end

local made = {}

--- What request goes over: kind is nil or "auto" (looked up at every call), "blocking", "host", "ngx", a function, or a table with request
-- and perhaps sleep and now.
function M.pick(kind)
    if kind == nil or kind == "auto" then kind = symio.kind() end
    if made[kind] then return made[kind] end
    if type(kind) == "function" then kind = { request = kind } end
    if type(kind) == "table" then
        if type(kind.request) ~= "function" then error("symbi.client: transport needs a function `request`", 3) end
        local fallback
        -- own and prepare are never those of the fallback: they say how requests travel
        return setmetatable({ request = kind.request, sleep = kind.sleep, now = kind.now, own = false, prepare = false }, {
            __index = function(_, name)
                fallback = fallback or M.pick "auto"
                return fallback[name]
            end,
        })
    end
    if not kinds[kind] then error("symbi.client: unknown transport '" .. tostring(kind) .. "' (known: auto, blocking, host, ngx, or a function)", 3) end
    made[kind] = kinds[kind]()
    return made[kind]
end

--- 0 <= x < 1, not predictable.
function M.random()
    local a, b = core.crypto.random(2):byte(1, 2)
    return (a * 256 + b) / 65536
end

return M
