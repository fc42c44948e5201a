--- Name resolution over nginx's cosockets, for requests whose addresses are judged before a connection is made (symbi.io.ngx). The
-- messages are made and read in C (symbi.netguard); here are only the sockets, the servers and a small cache.
-- luacheck: globals ngx
local core = require "symbi.core"
local netguard = core.netguard

local M = {}

local MAX_CACHED, MAX_TTL, ATTEMPTS = 512, 60, 2
local settings -- { servers = {{host, port}, ...}, timeout_ms =, ipv6 = }
local cache, cached = {}, 0

local function fail(code, ...)
    local message = string.format(...)
    return nil, message, core.error(code, message)
end

local function server(text)
    local host, port = text:match("^%[([%x:]+)%]:(%d+)$")
    if not host then host, port = text:match("^([%d.]+):(%d+)$") end
    if not host then host, port = text, "53" end
    if netguard.legacy_v4(host) ~= host and not host:find(":", 1, true) then return nil end
    return { host, tonumber(port) }
end

--- { servers = { "10.0.0.2", "127.0.0.1:5353", "[::1]:53" }, timeout_ms = 2000 (for each attempt), ipv6 = true }
function M.configure(options)
    local servers = {}
    for i, text in ipairs(options.servers or {}) do
        servers[i] = server(text) or error("resolver: a name server is an address, with a port if need be, not '" .. tostring(text) .. "'", 2)
    end
    if #servers == 0 then error("resolver: servers is missing", 2) end
    settings = { servers = servers, timeout_ms = options.timeout_ms or 2000, ipv6 = options.ipv6 ~= false }
    cache, cached = {}, 0
end

-- The system's own servers, read once.
local function from_system(path)
    local servers = {}
    local f = io.open(path or "/etc/resolv.conf", "r")
    if f then
        for line in f:lines() do
            local text = line:match("^%s*nameserver%s+(%S+)")
            servers[#servers + 1] = text and server((text:gsub("%%.*$", "")))
        end
        f:close()
    end
    return servers
end

local function ready()
    if settings then return true end
    local servers = from_system()
    if #servers == 0 then
        return fail("ESTATE", "no resolver: guarded requests in nginx resolve names by themselves, and /etc/resolv.conf names no server; call symbi.io.ngx.resolver{ servers = { \"address\" } }")
    end
    settings = { servers = servers, timeout_ms = 2000, ipv6 = true }
    return true
end

local function random_id()
    local bytes = core.crypto.random(2)
    return bytes:byte(1) * 256 + bytes:byte(2)
end

local function over_tcp(to, query, ms)
    local sock = ngx.socket.tcp()
    sock:settimeouts(ms, ms, ms)
    local host = to[1]:find(":", 1, true) and "[" .. to[1] .. "]" or to[1]
    local ok, why = sock:connect(host, to[2])
    local n, bytes
    if ok then ok, why = sock:send(string.char(math.floor(#query / 256), #query % 256) .. query) end
    if ok then n, why = sock:receive(2) end
    if n then bytes, why = sock:receive(n:byte(1) * 256 + n:byte(2)) end
    sock:close()
    return bytes, why
end

-- One question to one server: the answer, or nil and why.
local function ask(to, name, kind, ms)
    local id = random_id()
    local query, message = netguard.dns_query(name, kind, id)
    if not query then return nil, message end
    local sock = ngx.socket.udp()
    sock:settimeout(ms)
    local host = to[1]:find(":", 1, true) and "[" .. to[1] .. "]" or to[1]
    local ok, why = sock:setpeername(host, to[2])
    if ok then ok, why = sock:send(query) end
    local answer
    for _ = 1, 8 do -- what is no answer to this question is passed over
        local bytes
        if not ok then break end
        bytes, why = sock:receive(4096)
        if not bytes then break end
        answer, why = netguard.dns_read(bytes, name, kind, id)
        if answer then break end
    end
    sock:close()
    if answer and answer.truncated then
        local bytes
        bytes, why = over_tcp(to, query, ms)
        if not bytes then return nil, why end
        answer, why = netguard.dns_read(bytes, name, kind, id)
    end
    if answer and answer.rcode ~= 0 and answer.rcode ~= 3 then return nil, "the name server answers with code " .. answer.rcode end
    return answer, why
end

local function query(name, kind, deadline)
    local why
    for _ = 1, ATTEMPTS do
        for _, to in ipairs(settings.servers) do
            ngx.update_time()
            local left = math.floor((deadline - ngx.now()) * 1000)
            if left <= 0 then return fail("ETIMEOUT", "%s: no answer from a name server in time", name) end
            local answer
            answer, why = ask(to, name, kind, math.min(left, settings.timeout_ms))
            if answer then return answer end
        end
    end
    return fail("EIO", "%s cannot be resolved: %s", name, tostring(why))
end

--- The addresses of a host name, at most those of 64 A and 64 AAAA records. They are judged by whoever asked.
function M.lookup(name, deadline)
    local ok, message, err = ready()
    if not ok then return nil, message, err end
    name = name:lower():gsub("%.$", "")
    local known = cache[name]
    if known and known.till > ngx.now() then return known.list end
    local list, ttl = {}, MAX_TTL
    for _, kind in ipairs { "A", "AAAA" } do
        if kind == "A" or settings.ipv6 then
            local answer
            answer, message, err = query(name, kind, deadline)
            if not answer and (kind == "A" or #list == 0) then return nil, message, err end
            for _, address in ipairs(answer or {}) do list[#list + 1] = address end
            if answer and #answer > 0 then ttl = math.min(ttl, answer.ttl) end
        end
    end
    if #list == 0 then return fail("EIO", "%s: the host name cannot be resolved", name) end
    if cached >= MAX_CACHED then cache, cached = {}, 0 end
    if not cache[name] then cached = cached + 1 end
    cache[name] = { list = list, till = ngx.now() + ttl }
    return list
end

--- The texts of a name's TXT records.
function M.txt(name, deadline)
    local ok, message, err = ready()
    if not ok then return nil, message, err end
    return query(name, "TXT", deadline)
end

return M
