--- symbi.io: transports. The functions in C (files, http, exec, loop, store; symbi/io.so) are loaded when one is first used; so are
-- the drivers in Lua: symbi.io.blocking, .host, .ngx, .drive, .replay.
--   io = symbi.io.auto{tools=, approve=}   the transports that fit here: what run:next's effects are performed with
--   response = symbi.io.fetch{url=, ...}   one request, judged by the network guard, with the transport that fits here
local compat = require "symbi.compat"

local M = {}

local loaded = package.loaded
local FILES = { blocking = true, dns = true, drive = true, host = true, ngx = true, replay = true, common = true }

-- The C module has this file's name, and Lua files win the search: it is looked up on package.cpath by hand.
local function open_c()
    local tried = {}
    for template in package.cpath:gmatch("[^;]+") do
        local path = template:gsub("%?", "symbi/io")
        local f = io.open(path, "rb")
        if f then
            f:close()
            local open, message = package.loadlib(path, "luaopen_symbi_io")
            if open then return open("symbi.io", path) end
            tried[#tried + 1] = message
        end
    end
    error("symbi.io: the C module symbi/io.so is not to be found on package.cpath (it is built by make, and not by make IO=none)"
        .. (tried[1] and ": " .. table.concat(tried, "; ") or ""), 3)
end

local c

--- The C module itself.
function M.core()
    c = c or open_c()
    return c
end

--- Which drivers fit: in an nginx request cosockets, inside symbi.io.host's scheduler its coroutines, else blocking calls. What
-- is installed is never asked, only what runs.
function M.kind()
    -- luacheck: globals ngx
    if ngx and type(ngx) == "table" and type(ngx.get_phase) == "function" then return "ngx" end
    local host = loaded["symbi.io.host"]
    if host and host.running() then return "host" end
    return "blocking"
end

--- Transports for the place this runs in. options: kind = "blocking" | "host" | "ngx" (instead of looking), tools = what
-- declares the Lua functions of callback tools, approve = function(effect) -> true or false, who; see symbi.io.common.
function M.auto(options)
    options = options or {}
    local name = options.kind or M.kind()
    if name ~= "blocking" and name ~= "host" and name ~= "ngx" then error("symbi.io.auto: unknown kind '" .. tostring(name) .. "'", 2) end
    return require("symbi.io." .. name).new(options)
end

--- One request with whatever waits well here: cosockets in nginx, the loop inside a task of symbi.io.host, else a blocking call. Takes and
-- returns what symbi.io.http does; on_data(bytes, status) is needed for stream = true.
function M.fetch(rq, on_data)
    local name = M.kind()
    if name ~= "blocking" then return require("symbi.io." .. name).http(rq, on_data) end
    if rq.stream then error("symbi.io.fetch: a streamed request is read through symbi.io.transfer here", 2) end
    return M.core().http(rq)
end

return setmetatable(M, {
    __index = function(self, name)
        if type(name) ~= "string" then return nil end
        local value
        if FILES[name] and compat.searchpath("symbi.io." .. name) then value = require("symbi.io." .. name) else value = M.core()[name] end
        rawset(self, name, value)
        return value
    end,
})
