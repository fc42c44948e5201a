--- Transports for an nginx request (or timer): cosockets, so that the worker never waits. Tools run in the worker's own spawner, over its
-- Unix socket:
--   init_worker_by_lua_block { symbi.io.ngx.spawner{ gate = gate, dir = "/run/symbi" } }     one per worker, mode 0600
-- A COMMIT effect goes to options.commit(effect), which hands the transaction to a writer outside the worker.
-- A guarded request (every one but a model's) connects only to addresses that were judged: it resolves by itself, through the name servers
-- of M.resolver{...} or of /etc/resolv.conf (symbi.io.dns).
-- luacheck: globals ngx
local common = require "symbi.io.common"
local core = require "symbi.core"
local dns = require "symbi.io.dns"
local route = require "symbi.io.ngx_route"
local symio = require "symbi.io"
local netguard, wire = core.netguard, core.wire

local M = {}
local Ngx = {}
Ngx.__index = Ngx

local PHASES = { rewrite = true, access = true, content = true, timer = true, ssl_cert = true, ssl_session_fetch = true, preread = true }
local CONNECT_MS, TIMEOUT_MS, IDLE_MS, POOL = 10000, 120000, 60000, 32

local function fail(code, ...)
    local message = string.format(...)
    return nil, message, core.error(code, message)
end

-- Cosockets exist in some phases only; elsewhere a timer (ngx.timer.at(0, ...)) is the way.
local function can_wait()
    local phase = ngx.get_phase()
    if PHASES[phase] then return true end
    return fail("EPHASE", "nothing can be waited for in nginx's %s phase; do it in ngx.timer.at(0, ...)", phase)
end

--- options: tools, approve, store as everywhere; commit = function(effect) -> receipt; spawner = path of a socket (default: the one that
-- M.spawner started in this worker).
-- Certificates are always checked.
function M.new(options)
    local self = common.new(Ngx, options)
    self.writer = options and options.commit
    self.socket = options and options.spawner or M.socket
    self.transport = { kind = "ngx", http = M.http, sleep = M.sleep, exec = function(plan) return M.exec(plan, self.socket) end }
    return self
end

--- Which name servers guarded requests ask: { servers = { "10.0.0.2", "127.0.0.1:5353" }, timeout_ms = 2000, ipv6 = true }. nginx's
-- own `resolver` directive cannot be used for them, since it connects to addresses that nobody has judged.
M.resolver = dns.configure

--- Starts this worker's spawner. dir: a folder that the worker may write to. Returns the socket's path.
function M.spawner(options)
    local path = string.format("%s/symbi-spawn-%d.sock", options.dir, ngx.worker.pid())
    local pid, message, err = symio.spawner { listen = path, gate = options.gate, permit_ttl_ms = options.permit_ttl_ms }
    if not pid then return nil, message, err end
    M.socket = path
    return path
end

local function ms_left(deadline)
    ngx.update_time()
    return math.floor((deadline - ngx.now()) * 1000)
end

-- A connection for a request to u; also whether it was used before. address: where exactly (judged before), or nil to leave the name to
-- nginx. Kept ones are told apart by everything that makes a connection: the address, the way, the certificate shown.
local function connect(u, address, way, deadline)
    local sock = ngx.socket.tcp()
    local left = ms_left(deadline)
    if left <= 0 then return fail("ETIMEOUT", "%s: no answer in time", u.authority) end
    sock:settimeouts(math.min(CONNECT_MS, left), left, left)
    local options = { pool = u.scheme .. ":" .. u.authority .. "@" .. (address or "") .. (way and way.key or ""), pool_size = POOL }
    local ok, why
    if way and way.unix then
        ok, why = sock:connect("unix:" .. way.unix, options)
    else
        local host, port = address or u.host, u.port
        if way and way.proxy then host, port = way.proxy.host, way.proxy.port end
        if host:find(":", 1, true) then host = "[" .. host .. "]" end
        ok, why = sock:connect(host, port, options)
    end
    if not ok then
        local message = "cannot connect to " .. (way and way.called or u.authority) .. ": " .. tostring(why)
        return nil, message, core.error(why == "timeout" and "ETIMEOUT" or "EIO", message, { reason = why == "connection refused" and "refused" or "connect" })
    end
    local used = (sock:getreusedtimes() or 0) > 0
    if used then return sock, used end
    if u.tls and way and way.proxy then
        local message, err
        ok, message, err = route.tunnel(sock, u, way.proxy)
        if not ok then
            sock:close()
            return nil, message, err
        end
    end
    if u.tls then
        if way and way.cert then sock:setclientcert(way.cert, way.pkey) end
        -- resty.core raises where a certificate is of another name
        local called
        called, ok, why = pcall(sock.sslhandshake, sock, nil, u.host, true)
        if not called then ok, why = nil, "the certificate is not accepted, or of another name" end
        if not ok then
            sock:close()
            if tostring(why):find("host mismatch", 1, true) and not u.host:find "%a" then why = why .. "; nginx compares names only, so name the host instead of its address" end
            local message = string.format("TLS with %s failed: %s (nginx needs lua_ssl_trusted_certificate and lua_ssl_verify_depth)", u.authority, tostring(why))
            return nil, message, core.error("EIO", message, { reason = "tls" })
        end
    end
    return sock, used
end

-- Sends and reads one answer. The third result tells whether any byte of it had come.
local function exchange(sock, u, bytes, h, deadline, on_data)
    local ok, why = sock:send(bytes)
    if not ok then return nil, { "EIO", "cannot send to " .. u.authority .. ": " .. tostring(why) }, false end
    local began, body = false, {}
    while true do
        local left = ms_left(deadline)
        if left <= 0 then return nil, { "ETIMEOUT", u.authority .. ": no answer in time" }, began end
        sock:settimeout(left)
        local piece
        piece, why = sock:receiveany(65536)
        local part, done, rest
        if piece then
            began = true
            part, done, rest = h:feed(piece)
            if part == nil then return nil, { rest and rest.code or "EIO", done }, began end
        elseif why == "closed" then
            local message, err
            done, message, err = h:eof()
            if not done then return nil, { err.code, u.authority .. ": " .. message }, began end
            part, rest = "", "closed"
        else
            return nil, { why == "timeout" and "ETIMEOUT" or "EIO", u.authority .. ": " .. (why == "timeout" and "no answer in time" or tostring(why)) }, began
        end
        local head = h:head()
        if #part > 0 then
            if on_data and head.status >= 200 and head.status < 300 then
                local fed, message, err = on_data(part)
                if not fed then return nil, { type(err) == "table" and err.code or "EIO", message }, true end
            else
                body[#body + 1] = part
            end
        end
        if done then
            return { status = head.status, headers = head.headers, body = table.concat(body), again = head.keep_alive and rest == "" }
        end
    end
end

local function refused(message, err)
    if err and err.code == "EDENIED" then err.reason = "denied" end
    return nil, message, err
end

-- Where rq may go: a list of judged addresses, or { false } for "the name, as nginx resolves it" (what the operator named).
local function where(rq, u, way, deadline)
    local target, message, err
    if rq.by_operator then
        target, message, err = netguard.operator(rq.url, rq.guard)
        if not target then return refused(message, err) end
        return { false }
    end
    target, message, err = netguard.check(rq.url, rq.guard)
    if not target then return refused(message, err) end
    if way and way.proxy then return { false } end -- names are judged; addresses are the proxy's affair
    local found = { target.address }
    if not target.address then
        found, message, err = dns.lookup(u.host, deadline)
        if not found then return nil, message, err end
    end
    found, message, err = netguard.pick(rq.url, found, rq.guard)
    if not found then return refused(message, err) end
    return found
end

-- One request and its answer, without redirects.
local function once(rq, u, deadline, limits, on_data)
    local bytes, addresses, way, message, err
    way, message, err = route.read(rq)
    if way == nil then return nil, message, err end
    addresses, message, err = where(rq, u, way, deadline)
    if not addresses then return nil, message, err end
    bytes, message, err = wire.request { url = rq.url, method = rq.method, headers = rq.headers, body = rq.body }
    if not bytes then return nil, message, err end
    if way and way.proxy and not u.tls then bytes = route.absolute(bytes, u, way.proxy) end
    for i, address in ipairs(addresses) do
        for _ = 1, POOL + 1 do
            local sock, used, problem = connect(u, address or nil, way, deadline)
            if not sock then
                if i == #addresses then return nil, used, problem end
                break -- the next address
            end
            local h = wire.http1 { kind = "response", head = rq.method == "HEAD", max_head = limits.head, max_body = limits.body }
            local r, failed, began = exchange(sock, u, bytes, h, deadline, rq.stream and on_data)
            h:close()
            if r then
                if not (r.again and sock:setkeepalive(IDLE_MS, POOL)) then sock:close() end
                r.again = nil
                return r
            end
            sock:close()
            -- a kept connection that the server had closed meanwhile: nothing was answered, so a fresh one is tried
            if not used or began or rq.once then return nil, failed[2], core.error(failed[1], failed[2]) end
        end
    end
    return fail("EIO", "%s: every kept connection was dead", u.authority)
end

local function least(a, b)
    if not a or a <= 0 then return b and b > 0 and b or nil end
    if not b or b <= 0 then return a end
    return math.min(a, b)
end

local ABOUT_BODY = { ["content-type"] = true, ["content-encoding"] = true, ["content-language"] = true }

-- The request that a redirect asks for.
local function redirected(rq, hop)
    local next_rq = { url = hop.url, method = hop.get and "GET" or rq.method, body = not hop.get and rq.body or nil, guard = rq.guard, stream = rq.stream, proxy = rq.proxy, headers = {} }
    for k, v in pairs(rq.headers or {}) do
        local pair = type(v) == "table" and v or { k, v }
        local name = tostring(pair[1]):lower()
        if (not hop.cross_origin or netguard.keeps_header(name)) and not (hop.get and ABOUT_BODY[name]) then
            next_rq.headers[#next_rq.headers + 1] = pair
        end
    end
    return next_rq
end

local function location(r)
    for _, h in ipairs(r.headers) do
        if h[1]:lower() == "location" then return h[2] end
    end
end

--- One HTTP request over a cosocket: the table that io.http takes, its response table. on_data(bytes) gets a streamed body.
function M.http(rq, on_data)
    local ok, message, err = can_wait()
    if not ok then return nil, message, err end
    local limits = rq.guard and rq.guard:limits() or {}
    local most = { body = least(rq.max_bytes, limits.max_bytes), head = limits.max_header_bytes }
    ngx.update_time()
    local deadline = ngx.now() + (least(least(rq.timeout_ms, limits.timeout_ms), nil) or TIMEOUT_MS) / 1000
    local hops = 0
    while true do
        local u, r
        -- what the guard says comes first: it knows what a disguised address means
        if not rq.by_operator then
            u, message, err = netguard.check(rq.url, rq.guard)
            if not u then return refused(message, err) end
        end
        u, message, err = wire.url(rq.url)
        if not u then return nil, message, err end
        r, message, err = once(rq, u, deadline, most, on_data)
        if not r then return nil, message, err end
        if rq.unix_socket or rq.client_cert then return r end -- what belongs to the first host goes nowhere else
        local hop
        hop, message, err = netguard.redirect {
            policy = rq.guard, url = rq.url, method = rq.method, status = r.status, location = location(r), hops = hops, body_bytes = #(rq.body or ""),
        }
        if hop == nil then return refused(message, err) end
        if not hop then return r end
        hops = hops + 1
        rq = redirected(rq, hop)
    end
end

-- Our own spawner may have been killed. What it was at is not run again, and orders from before it are not taken: the next call finds it well.
local function revive(path) return path == M.socket and symio.spawner_revive() end

--- Runs a plan in the spawner behind `path`.
function M.exec(plan, path)
    local ok, message, err = can_wait()
    if not ok then return nil, message, err end
    if not path then return fail("ESTATE", "no tool spawner serves this worker: call symbi.io.ngx.spawner{...} in init_worker_by_lua") end
    local patience = (plan.timeout_ms or 0) + 10000
    local sock = ngx.socket.tcp()
    sock:settimeouts(1000, 5000, patience)
    local why
    ok, why = sock:connect("unix:" .. path)
    if not ok and revive(path) then
        sock = ngx.socket.tcp()
        sock:settimeouts(1000, 5000, patience)
        ok, why = sock:connect("unix:" .. path)
    end
    if not ok then return fail("EIO", "cannot reach the tool spawner at %s: %s", path, tostring(why)) end
    local frame
    frame, message, err = symio.exec_encode(plan) -- takes the order: from here on the tool is never started a second time
    if not frame then
        sock:close()
        return nil, message, err
    end
    ok, why = sock:send(frame)
    local head, rest
    if ok then head, why = sock:receive(16) end
    if head then
        local n
        n, message, err = symio.exec_frame_len(head)
        if not n then
            sock:close()
            return nil, message, err
        end
        rest, why = sock:receive(n - 16)
    end
    if not rest then
        sock:close()
        revive(path)
        return fail("EIO", "the tool spawner ended while the tool was at work (%s); the tool is not run again", tostring(why))
    end
    sock:setkeepalive(IDLE_MS, POOL)
    return symio.exec_decode(head .. rest)
end

local function send(effect, run)
    local rq, message, err = common.request(effect)
    if not rq then return nil, message, err end
    local r
    r, message, err = M.http(rq, function(bytes) return run:feed(effect.id, bytes) end)
    if not r then return nil, message, err end
    return r
end

function Ngx:model(effect, run) return send(effect, run) end
function Ngx:http(effect, run) return send(effect, run) end

function M.sleep(ms)
    local ok, message, err = can_wait()
    if not ok then return nil, message, err end
    ngx.sleep((ms > 0 and ms or 1) / 1000) -- nginx warns of 0
    return true
end

function Ngx:approve(effect) return common.approve(self, effect, M.sleep) end

-- LuaJIT yields through pcall, so a callback may wait.
function Ngx:tool(effect, run)
    return common.tool(self, effect, run, function(plan) return M.exec(plan, self.socket) end, pcall)
end

function Ngx:sleep(effect)
    local ok, message, err = M.sleep(effect.ms or 0)
    if not ok then return nil, message, err end
    return {}
end

--- Effects that are open at once, as light threads of this request.
function Ngx.fork(_, f) return (ngx.thread.spawn(f)) end

function Ngx.join(_, ms, handles)
    local timer
    if ms >= 0 then
        timer = ngx.thread.spawn(function() ngx.sleep((ms > 0 and ms or 1) / 1000) end) -- a Lua function is what it takes
        handles[#handles + 1] = timer
    end
    local ok, message = ngx.thread.wait(unpack(handles))
    if timer then ngx.thread.kill(timer) end
    if not ok then error(message, 0) end
end

function Ngx.give_up(_, thread) ngx.thread.kill(thread) end

function Ngx:commit(effect)
    if not self.writer then return common.commit(self, effect) end
    local receipt, message, err = self.writer(effect)
    if not receipt then return nil, message, err end
    return { receipt = receipt }
end

return M
