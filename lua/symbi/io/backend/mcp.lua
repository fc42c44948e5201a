--- The executor of MCP tools. What goes out, what an answer means and whether a definition may be used is decided in C (symbi/mcp.h); here
-- bytes go to and fro, between the client and a server's process (symbi/io_pipe.h) or its URL.
--   options of the transports (and of symbi.runtime): mcp = { config = path of mcp-config.toml, record = path of the approvals }, secrets = as
--   for HTTP tools
-- One conversation per server (and sandbox of its process) and set of transports: it begins with the first call and ends with the set. A call goes out once; a
-- conversation in which something went wrong is closed, and the next call begins a new one.
local core = require "symbi.core"

local M = {}
local now_ms = core.toolrequest.now_ms

local function fail(code, ...)
    local message = string.format(...)
    return nil, message, core.error(code, message)
end

local function symio() return require("symbi").io end
local function mono_ms() return symio().monotonic() * 1000 end
local function left(deadline) return deadline - mono_ms() end

-- ---- a conversation --------------------------------------------------------------------------------------------------------------

local Conn = {}
Conn.__index = Conn

local PART_MS = 1000
local FAR_MS = 1000 -- past the end of a job after which whoever began it has gone
local CAN_YIELD_ANYWHERE = _VERSION ~= "Lua 5.1" or rawget(_G, "jit") ~= nil

-- The last words over HTTP (two at most): one after the other, and not for long.
local function say_over_http(set, url, words)
    for _, w in ipairs(words) do
        set.transport.http { url = url, method = w.method, headers = w.headers, body = w.body ~= "" and w.body or nil, by_operator = true, once = true, timeout_ms = PART_MS, max_bytes = 65536 }
    end
end

-- Waiting is not possible everywhere where something is closed (a set ends its objects inside pcall); a session that stays is the server's to
-- forget.
local function part_http(self, words, may_wait)
    if #words == 0 then return end
    local set, url = self.set, self.server.url
    if set.transport.kind ~= "host" then return say_over_http(set, url, words) end
    local host = require "symbi.io.host"
    if not host.running() then return end
    if may_wait or CAN_YIELD_ANYWHERE then return say_over_http(set, url, words) end
    set:fork(function() say_over_http(set, url, words) end)
end

function Conn:close(may_wait)
    local client, pipe = self.client, self.pipe
    self.client, self.pipe = nil, nil
    if not client then return end
    if self.server.url then
        local words = {}
        while true do
            local w = client:part()
            if not w then break end
            words[#words + 1] = w
        end
        part_http(self, words, may_wait)
    elseif pipe then
        local w = client:part()
        if w then pipe:write(w.body) end
    end
    if pipe then pipe:close() end
    client:close()
end

local function open(set, registry, name)
    local client, message, err = core.mcp.client(registry, name)
    if not client then return nil, message, err end
    local server = client:server()
    if server.command and set.transport.kind == "ngx" then
        client:close()
        return fail("EUNSUPPORTED", "MCP server '%s' is a command, and no process is started in an nginx worker: give it a url (streamable HTTP)", name)
    end
    if #server.secrets > 0 then
        local values
        values, message, err = require("symbi.io.backend.http").secrets(set, server)
        if not values then
            client:close()
            return nil, message, err
        end
        for key, value in pairs(values) do
            local ok
            ok, message, err = client:secret(key, value)
            if not ok then
                client:close()
                return nil, message, err
            end
        end
    end
    return setmetatable({ set = set, client = client, server = server }, Conn)
end

local function lost(self, code, ...) self.client:lost(code, string.format(...)) end

local function timed_out(self) lost(self, "ETIMEOUT", "MCP %s of server '%s' timed out after %g s", self.what, self.server.name, self.limit_ms / 1000) end

-- ---- over a process's pipes ------------------------------------------------------------------------------------------------------

-- How a server that closed its output ended, in one line.
local function ended(self, message)
    local e = self.pipe:ended(500)
    if not e then return lost(self, "EIO", "MCP server '%s' closed its output (%s)", self.server.name, message) end
    local last = ""
    for line in e.errors:gmatch("[^\r\n]+") do last = line end
    if e.not_run then return lost(self, "EUNSUPPORTED", "MCP server '%s': %s", self.server.name, e.not_run) end
    lost(self, "EIO", "MCP server '%s' ended in the middle of the %s (%s)%s", self.server.name, self.what, e.signal ~= 0 and "signal " .. e.signal or "exit code " .. e.exit_code,
        last ~= "" and ": " .. last:sub(1, 160) or "")
end

local function pipe_send(self)
    local message, err
    if not self.pipe then
        self.pipe, message, err = symio().mcp_pipe(self.client)
        if not self.pipe then return lost(self, err.code, "MCP server '%s': %s", self.server.name, message) end
    end
    local out
    out, message, err = self.client:take()
    if not out then return lost(self, err.code, "%s", message) end
    local ok
    ok, message, err = self.pipe:write(out.body)
    if not ok then
        if err.code == "EIO" then return ended(self, message) end
        lost(self, err.code, "MCP server '%s': %s", self.server.name, message)
    end
end

local function pipe_receive(self, deadline)
    local bytes, message, err = self.pipe:read()
    if not bytes then
        if err.code == "EIO" then return ended(self, message) end
        return lost(self, err.code, "MCP server '%s': %s", self.server.name, message)
    end
    if bytes ~= "" then return self.client:feed(bytes) end
    local up
    local ms = left(deadline)
    if ms <= 0 then return timed_out(self) end
    if self.set.transport.kind == "host" then
        up, message, err = self.set.transport.ready(self.pipe:fd(), self.pipe:wants(), math.ceil(ms))
    else
        up, message, err = self.pipe:wait(math.ceil(ms))
    end
    if up == nil then lost(self, err and err.code or "EIO", "MCP server '%s': %s", self.server.name, tostring(message)) end
end

-- ---- over HTTP ---------------------------------------------------------------------------------------------------------------------

local function request(self, out, deadline)
    return { url = self.server.url, method = out.method, headers = out.headers, body = out.body ~= "" and out.body or nil, by_operator = true, once = true,
        timeout_ms = math.max(1, math.ceil(left(deadline))), max_bytes = core.limits().tool_output }
end

-- What the server asked in the middle of its answer is answered beside it. `answers` takes those under way.
local function aside(self, deadline, answers)
    while self.client:next() == "send" do
        local out = self.client:take()
        if not out then return end
        local rq = request(self, out, deadline)
        if self.set.transport.kind == "blocking" then
            self.set.transport.http(rq)
        else
            local answer = { over = false }
            answers[#answers + 1] = answer
            answer.thread = self.set:fork(function()
                self.set.transport.http(rq)
                answer.over = true
            end)
        end
    end
end

-- The call may end before its answers have arrived; the end of the run would cut them off.
local MOST_FOR_ANSWERS = 5000
local function delivered(self, deadline, answers)
    local till = math.min(deadline, mono_ms() + MOST_FOR_ANSWERS)
    while true do
        local going = {}
        for _, answer in ipairs(answers) do
            if not answer.over then going[#going + 1] = answer.thread end
        end
        local ms = left(till)
        if #going == 0 or ms <= 0 then return end
        self.set:join(math.ceil(ms), going)
    end
end

-- One POST whose answer is read as it comes: response, or nil, message, err; "answered" when nothing more need be read.
local function stream(self, rq, deadline, answers)
    local client = self.client
    local function take(bytes)
        client:feed(bytes)
        if client:answered() then return false end
        aside(self, deadline, answers)
        return true
    end
    if self.set.transport.kind ~= "blocking" then
        local stopped, rest = false, {}
        local r, message, err = self.set.transport.http(rq, function(bytes, status)
            if status and (status < 200 or status >= 300) then
                rest[#rest + 1] = bytes
                return true
            end
            if take(bytes) then return true end
            stopped = true
            return false, "answered"
        end)
        if stopped then return "answered" end
        if not r then return nil, message, err end
        return { status = r.status, headers = r.headers, body = table.concat(rest) .. r.body }
    end
    local t, message, err = symio().transfer(rq)
    if not t then return nil, message, err end
    local rest, stopped = {}, false
    while true do
        local bytes
        bytes, message, err = t:read()
        if not bytes then break end
        local status = t:status()
        if status < 200 or status >= 300 then
            rest[#rest + 1] = bytes
        elseif not take(bytes) then
            stopped = true
            break
        end
    end
    local r
    if not stopped and message == nil then r, message, err = t:result() end
    t:close()
    if stopped then return "answered" end
    if not r then return nil, message, err end
    return { status = r.status, headers = r.headers, body = table.concat(rest) .. r.body }
end

-- The server asked for a pause. Where it is longer than what is left, waiting for its end is of no use.
local function pause(self, ms, deadline)
    if ms >= left(deadline) then return timed_out(self) end
    local ok, message, err = self.set.transport.sleep(ms)
    if ok == nil then lost(self, err and err.code or "EIO", "%s", tostring(message)) end
end

local function http_send(self, deadline)
    local out, message, err = self.client:take()
    if not out then return lost(self, err.code, "%s", message) end
    if out.after_ms > 0 then pause(self, out.after_ms, deadline) end
    if self.client:broken() then return end
    if left(deadline) <= 0 then return timed_out(self) end
    local r
    local rq = request(self, out, deadline)
    if out.wants_answer then
        rq.stream = true
        local answers = {}
        r, message, err = stream(self, rq, deadline, answers)
        delivered(self, deadline, answers)
    else
        r, message, err = self.set.transport.http(rq)
    end
    if not r then
        if err and err.code == "ETIMEOUT" then return timed_out(self) end
        return self.client:http_broken(err and err.code or "EIO", ("MCP server '%s': %s"):format(self.server.name, tostring(message)))
    end
    if r == "answered" then return self.client:http_end(200, {}, "") end
    if r.status >= 200 and r.status < 300 and out.wants_answer and r.body ~= "" then
        self.client:feed(r.body)
        r.body = ""
    end
    self.client:http_end(r.status, r.headers, r.body)
end

-- ---- approvals ----------------------------------------------------------------------------------------------------------------------

local function fetch_key(self)
    if self.key then return self.key end
    local r = self.set.transport.http { url = self.server.public_key_url, by_operator = true, timeout_ms = 10000, max_bytes = 65536 }
    if not r or r.status ~= 200 then return "" end -- C says what that means
    self.key = r.body
    return self.key
end

-- Only what may change the record is done under its lock.
local function judge(self)
    local mcp, lock = require("symbi.mcp"), nil
    local path = mcp.record_path(self.set.mcp)
    local wants_key = self.client:wants_key()
    local key = wants_key and fetch_key(self) or ""
    local record, message, err
    if wants_key or self.server.trust == "first-use" then
        lock, message, err = mcp.lock_record(path)
        if not lock then return lost(self, err.code, "%s", message) end
    end
    record, message, err = mcp.read_record(path)
    if not record then
        if lock then lock:close() end
        return lost(self, err.code, "%s", message)
    end
    local changed = self.client:judge(record, key, now_ms())
    if changed then
        local ok
        ok, message, err = mcp.write_record(path, changed)
        if not ok then lost(self, err.code, "the approval of the tool cannot be kept: %s", message) end
    end
    if lock then lock:close() end
end

-- ---- jobs ----------------------------------------------------------------------------------------------------------------------------

-- Carries bytes until the job that is open on the conversation is over.
local function drive(self, deadline)
    local client, over_http = self.client, self.server.url ~= nil
    while true do
        local what = client:next()
        if what == "done" or what == "failed" or what == "idle" then return end
        if what == "judge" then
            judge(self)
        elseif what == "send" then
            if over_http then http_send(self, deadline) else pipe_send(self) end
        elseif over_http then
            lost(self, "EIO", "MCP server '%s' gave no answer", self.server.name)
        else
            pipe_receive(self, deadline)
        end
        if left(deadline) <= 0 and client:next() ~= "done" and client:next() ~= "failed" then timed_out(self) end
    end
end

-- The set's conversation with a server, when nobody else is using it.
local function acquire(set, name, box, deadline)
    local mcp = require "symbi.mcp"
    local registry, message, err = set:keep("mcp registry", function() return mcp.registry(set.mcp) end)
    if not registry then return nil, message, err end
    local key = "mcp:" .. name .. box
    while true do
        local conn
        conn, message, err = set:keep(key, function() return open(set, registry, name) end)
        if not conn then return nil, message, err end
        if not conn.busy then
            conn.key = key
            conn.busy, conn.deadline = true, deadline
            return conn
        end
        if left(conn.deadline) < -FAR_MS then -- its task was ended where it waited; this one is closed with the set
            set:forget(key)
            set:keep(key .. " given up at " .. conn.deadline, function() return conn end)
        end
        if left(deadline) <= 0 then return fail("ETIMEOUT", "MCP server '%s' is at work for somebody else", name) end
        set.transport.sleep(20)
    end
end

local function release(set, conn)
    conn.busy = false
    if not conn.client:broken() then return end
    set:forget(conn.key)
    conn:close(true)
end

-- begin(conn) starts the job. Returns result, version, or nil, message, err.
local function job(set, name, box, what, limit_ms, begin)
    local deadline = mono_ms() + limit_ms
    local conn, message, err = acquire(set, name, box, deadline)
    if not conn then return nil, message, err end
    conn.what, conn.limit_ms = what, limit_ms
    local result, version
    local fine, ok
    fine, ok, message, err = pcall(begin, conn) -- a plan without an order raises; nothing in it waits
    if not fine then
        release(set, conn)
        error(ok, 0)
    end
    if ok then
        drive(conn, deadline)
        result, version = conn.client:result(), conn.client:version()
        if not result then message, err = conn.client:failure() end
    end
    release(set, conn)
    if result then return result, version end
    return nil, message, err
end

--- All tools of a server, for an operator: nothing is called. limit_ms defaults to 30 s.
function M.list(set, name, limit_ms)
    return job(set, name, "", "list of tools", limit_ms or 30000, function(conn) return conn.client:list() end)
end

function M.perform(set, plan)
    local detail, started = plan.detail, now_ms()
    local limit = plan.timeout_ms
    if not limit or limit <= 0 then limit = 300000 end
    -- a process that was started in one box serves no plan of another (C says so too)
    local box = plan.sandbox and core.json.canonical(plan.sandbox) .. (plan.cwd or "") or ""
    local process
    local result, message, err = job(set, detail.server, box, "tool '" .. detail.tool .. "'", limit, function(conn)
        process = conn.server.command ~= nil
        return conn.client:call(plan)
    end)
    local raw = { started_ms = started, duration_ms = math.max(0, now_ms() - started), process = process }
    local redact = require("symbi.secrets").redact -- an answer may repeat what the server was given
    if result then
        raw.result, raw.version = redact(result), message
        return raw
    end
    if err and err.code == "EABORT" then return nil, message, err end -- being interrupted is nobody's result
    raw.error, raw.code = redact(tostring(message)), err and err.code or "EIO"
    return raw
end

return M
