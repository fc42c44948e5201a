--- Transports that wait: for plain Lua, and wherever one run at a time is enough. Ctrl-C gets through every wait.
local common = require "symbi.io.common"
local symio = require "symbi.io"

local M = {}
local Blocking = {}
Blocking.__index = Blocking

-- A descriptor, waited for in a loop of its own.
local function ready(fd, mode, ms)
    local loop = symio.loop()
    local id, message, err = loop:ready(fd, mode, ms)
    if id then id, message, err = loop:wait() end -- id, "ready", up or not
    loop:close()
    if not id then return nil, message, err end
    return err
end

local transport = { kind = "blocking", http = symio.http, sleep = symio.sleep, exec = symio.exec, ready = ready }

function M.new(options) return common.new(Blocking, options, transport) end

-- One request; a streamed body of a good answer goes to the run as it comes.
local function send(effect, run)
    local rq, message, err = common.request(effect)
    if not rq then return nil, message, err end
    if not rq.stream then
        local r
        r, message, err = symio.http(rq)
        if not r then return nil, message, err end
        return { status = r.status, headers = r.headers, body = r.body }
    end
    local t
    t, message, err = symio.transfer(rq)
    if not t then return nil, message, err end
    local rest, reply = {}, nil
    while true do
        local bytes
        bytes, message, err = t:read()
        if not bytes then break end
        local status = t:status()
        if status >= 200 and status < 300 then
            local ok
            ok, message, err = run:feed(effect.id, bytes)
            if not ok then break end
        else
            rest[#rest + 1] = bytes
        end
    end
    if message == nil then
        local r
        r, message, err = t:result()
        reply = r and { status = r.status, headers = r.headers, body = table.concat(rest) .. r.body }
    end
    t:close()
    return reply, message, err
end

function Blocking:model(effect, run) return send(effect, run) end
function Blocking:http(effect, run) return send(effect, run) end
function Blocking:tool(effect, run) return common.tool(self, effect, run, symio.exec, pcall) end
function Blocking:approve(effect) return common.approve(self, effect, symio.sleep) end
function Blocking:commit(effect) return common.commit(self, effect) end

function Blocking:sleep(effect)
    local ok, message, err = symio.sleep(effect.ms or 0)
    if not ok then return nil, message, err end
    return {}
end

return M
