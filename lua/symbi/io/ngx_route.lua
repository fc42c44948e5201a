--- How a request of symbi.io.ngx travels: through a proxy, over a Unix socket, with a client's certificate. Cosockets can do less than libcurl;
-- what they cannot is an error that says what to do instead, never left out.
-- luacheck: globals ngx
local core = require "symbi.core"

local M = {}

local MAX_FILE, MAX_HEAD = 1024 * 1024, 16384
local SAID = { "proxy", "ca_file", "ca_path", "client_cert", "client_key", "client_key_password", "unix_socket", "http_version" }

local function fail(code, ...)
    local message = string.format(...)
    return nil, message, core.error(code, message)
end

-- ---- proxies ------------------------------------------------------------------------------------------------------------------------

local function proxy_of(text)
    local scheme, rest = text:match "^(%w+)://(.*)$"
    if scheme ~= "http" then
        return fail("EUNSUPPORTED", "proxy: nginx's cosockets reach http:// proxies only (no https, no SOCKS, and not \"environment\": name the proxy)")
    end
    local user, place = rest:match "^([^@/]*)@(.*)$"
    local u, message = core.wire.url("http://" .. (place or rest))
    if not u then return fail("EINVAL", "proxy is no URL: %s", message) end
    local auth
    if user then
        user = user:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
        auth = "Proxy-Authorization: Basic " .. ngx.encode_base64(user) .. "\r\n"
    end
    return { host = u.host, port = u.port, authority = u.authority, auth = auth }
end

--- Asks the proxy behind sock for a tunnel to u.
function M.tunnel(sock, u, proxy)
    local to = (u.host:find(":", 1, true) and "[" .. u.host .. "]" or u.host) .. ":" .. u.port
    local ok, why = sock:send("CONNECT " .. to .. " HTTP/1.1\r\nHost: " .. to .. "\r\n" .. (proxy.auth or "") .. "\r\n")
    local head = ""
    while ok and not head:find("\r\n\r\n", 1, true) do
        if #head > MAX_HEAD then return fail("EIO", "the proxy %s answers with too much", proxy.authority) end
        ok, why = sock:receiveany(4096)
        head = head .. (ok or "")
    end
    local code = not why and head:match "^HTTP/1%.[01] (%d%d%d)"
    local message
    if not ok then message = "the proxy " .. proxy.authority .. " does not answer: " .. tostring(why)
    elseif not code then message = "the proxy " .. proxy.authority .. " does not speak HTTP"
    elseif code:sub(1, 1) ~= "2" then message = u.authority .. ": the proxy answered " .. code .. (code == "407" and " (it wants user:password@ in its URL)" or "")
    elseif not head:find "\r\n\r\n$" then message = "the proxy " .. proxy.authority .. " sent what nobody asked for"
    else return true end
    return nil, message, core.error(why == "timeout" and "ETIMEOUT" or "EIO", message, { reason = "connect" })
end

--- The request as a proxy wants it: with the whole URL.
function M.absolute(bytes, u, proxy)
    local method, target, rest = bytes:match "^(%S+) (%S+)( HTTP/1%.1\r\n.*)$"
    local line = method .. " " .. u.scheme .. "://" .. u.authority .. target
    if not proxy.auth then return line .. rest end
    local stop = rest:find("\r\n", 1, true) + 1
    return line .. rest:sub(1, stop) .. proxy.auth .. rest:sub(stop + 1)
end

-- ---- certificates -------------------------------------------------------------------------------------------------------------------

local function slurp(path, what)
    local f, why = io.open(path, "rb")
    if not f then return fail("EIO", "%s: %s", what, tostring(why)) end
    local text = f:read(MAX_FILE + 1)
    f:close()
    if not text or #text > MAX_FILE then return fail("ELIMIT", "%s: %s is empty, or larger than 1 MiB", what, path) end
    return text
end

local certificates = {} -- read once per worker; a reload of nginx reads them again

local function certificate(cert_path, key_path)
    local known = certificates[cert_path .. "\0" .. key_path]
    if known then return known end
    local ok, ssl = pcall(require, "ngx.ssl")
    if not ok or not ngx.socket.tcp().setclientcert then return fail("EUNSUPPORTED", "client_cert: this nginx lacks lua-resty-core 0.1.25 (cosockets with setclientcert)") end
    local pem, message, err = slurp(cert_path, "client_cert")
    if not pem then return nil, message, err end
    local key
    key, message, err = slurp(key_path, "client_key")
    if not key then return nil, message, err end
    local cert, why = ssl.parse_pem_cert(pem)
    if not cert then return fail("EPARSE", "client_cert: %s: %s", cert_path, tostring(why)) end
    local pkey
    pkey, why = ssl.parse_pem_priv_key(key)
    if not pkey then return fail("EPARSE", "client_key: %s: %s (an encrypted key cannot be used in nginx)", key_path, tostring(why)) end
    known = { cert = cert, pkey = pkey, id = ngx.encode_base64(core.crypto.sha256(pem .. "\0" .. key)) }
    certificates[cert_path .. "\0" .. key_path] = known
    return known
end

-- ---- the whole ----------------------------------------------------------------------------------------------------------------------

local UNSUPPORTED = {
    ca_file = "in nginx the authorities are those of lua_ssl_trusted_certificate; remove ca_file",
    ca_path = "in nginx the authorities are those of lua_ssl_trusted_certificate; remove ca_path",
    client_key_password = "an encrypted key cannot be used in nginx; remove client_key_password and give a plain key",
}

--- The way of a request: false for the ordinary one, else { key = what tells its connections apart, proxy =, unix =, cert =, pkey = }.
function M.read(rq)
    local any
    for _, name in ipairs(SAID) do
        local value = rq[name]
        if value == "" then value = nil end
        if value ~= nil and not (name == "proxy" and value == "none") and not (name == "http_version" and value == "1.1") then
            if type(value) ~= "string" then return fail("EINVAL", "%s must be a string", name) end
            if #value > 4096 or value:find "[%c\127]" then return fail("EINVAL", "%s is too long, or holds a control character", name) end
            if UNSUPPORTED[name] then return fail("EUNSUPPORTED", "%s", UNSUPPORTED[name]) end
            any = true
        end
    end
    if not any then return false end
    if rq.http_version == "2" then return fail("EUNSUPPORTED", "nginx's cosockets speak HTTP/1.1 only; remove http_version") end
    if rq.http_version ~= nil and rq.http_version ~= "1.1" then return fail("EINVAL", "http_version is \"1.1\" or \"2\"") end
    local way = { key = "" }
    local message, err
    if rq.unix_socket then
        if not rq.by_operator then return fail("EINVAL", "unix_socket is for requests of the operator (by_operator)") end
        if rq.proxy and rq.proxy ~= "none" then return fail("EINVAL", "unix_socket and proxy exclude each other") end
        way.unix, way.called, way.key = rq.unix_socket, "unix:" .. rq.unix_socket, "|unix:" .. rq.unix_socket
    elseif rq.proxy and rq.proxy ~= "none" then
        way.proxy, message, err = proxy_of(rq.proxy)
        if not way.proxy then return nil, message, err end
        way.called = "the proxy " .. way.proxy.authority
        way.key = "|proxy:" .. ngx.encode_base64(core.crypto.sha256(rq.proxy))
    end
    if rq.client_key and not rq.client_cert then return fail("EINVAL", "client_key is given without client_cert") end
    if rq.client_cert then
        local c
        c, message, err = certificate(rq.client_cert, rq.client_key or rq.client_cert)
        if not c then return nil, message, err end
        way.cert, way.pkey, way.key = c.cert, c.pkey, way.key .. "|cert:" .. c.id
    end
    return way
end

return M
