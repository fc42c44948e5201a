--- How the client's requests travel, as one function for every transport: authorities, certificates, proxies, Unix sockets, HTTP/2. Called by
-- tests/env/client/run with the servers that it started; kind is "blocking", "host" or "ngx".
--   failures, count = run(servers, kind)
local symbi = require "symbi"

return function(at, kind)
    local failures, count = {}, 0
    local nginx = kind == "ngx"

    local function check(name, good, seen)
        count = count + 1
        if not good then failures[#failures + 1] = kind .. ": " .. name .. ": " .. tostring(seen) end
    end
    local function client(base, options)
        options = options or {}
        options.base_url, options.api_key, options.env, options.dotenv, options.max_retries, options.timeout = base .. "/api/v1", "test-key", {}, false, 0, options.timeout or 10
        return assert(symbi.client(options))
    end
    local function get(base, options) return client(base, options):request("GET", "echo") end
    local function works(name, expected, base, options)
        local r, message = get(base, options)
        check(name .. " works", r, message)
        for k, v in pairs(r and expected or {}) do check(name .. ": " .. k, r[k] == v, r[k]) end
        return r
    end
    local function fails(name, part, base, options)
        local r, message, err = get(base, options)
        check(name .. " fails", r == nil, r)
        check(name .. " says " .. part, tostring(message):find(part, 1, true), message)
        check(name .. " has a class", type(err) == "table" and err.name == "ConnectionError", err)
        check(name .. " tells no secret", not (tostring(message) .. tostring(err)):find("hunter2", 1, true) and not tostring(message):find("test-key", 1, true), message)
        return err
    end
    local function cannot(name, part, options) -- what cosockets cannot do
        fails(name, part, at.tls, options)
    end
    local function proxied() -- what the proxies saw since they were last asked
        local r = symbi.json.decode(symbi.io.fetch({ url = at.proxy_log, by_operator = true, proxy = "none" }).body)
        return r
    end
    local ca = not nginx and at.ca or nil -- nginx's own configuration names it

    -- ---- authorities
    works("TLS", { protocol = nginx and "HTTP/1.1" or "HTTP/2.0", auth = "Bearer test-key" }, at.tls, { ca_file = ca })
    if nginx then
        cannot("ca_file", "lua_ssl_trusted_certificate; remove ca_file", { ca_file = at.ca })
        cannot("ca_path", "lua_ssl_trusted_certificate; remove ca_path", { ca_path = at.ca_path })
    else
        works("a folder of authorities", {}, at.tls, { ca_path = at.ca_path })
        local err = fails("a certificate that nobody vouches for", "certificate", at.tls)
        check("its reason", err.reason == "tls", err.reason)
        fails("another authority", "certificate", at.tls, { ca_file = at.other_ca })
        fails("an authority that is no file", "nowhere.pem", at.tls, { ca_file = "/nowhere.pem" })
        works("an authority is told apart from another one", {}, at.tls, { ca_file = ca }) -- and what failed before spoils nothing
    end
    local err = fails("a certificate for another name", nginx and "certificate" or "host name", at.tls_other_name, { ca_file = ca })
    check("its reason", err.reason == "tls", err.reason)
    if nginx then fails("a server that is an address", "name the host instead", at.tls_address) end
    fails("TLS where there is none", nginx and "TLS with" or "TLS failed", (at.plain:gsub("^http:", "https:")), { ca_file = ca })

    -- ---- a client's certificate
    works("a client's certificate", { verified = "SUCCESS" }, at.mutual, { ca_file = ca, client_cert = at.cert, client_key = at.key })
    works("in one file", { verified = "SUCCESS" }, at.mutual, { ca_file = ca, client_cert = at.both })
    local bare, message = get(at.mutual, { ca_file = ca }) -- a kept connection with the certificate must not serve this
    check("without it nothing is served", bare == nil and tostring(message):find("status 400", 1, true), message)
    if nginx then cannot("a key with a password", "plain key", { client_cert = at.cert, client_key = at.locked, client_key_password = "hunter2" })
    else
        works("a key with a password", { verified = "SUCCESS" }, at.mutual, { ca_file = ca, client_cert = at.cert, client_key = at.locked, client_key_password = "hunter2" })
        fails("the wrong password", "TLS failed", at.mutual, { ca_file = ca, client_cert = at.cert, client_key = at.locked, client_key_password = "hunter2x" })
        fails("no password asks nobody", "TLS failed", at.mutual, { ca_file = ca, client_cert = at.cert, client_key = at.locked })
    end
    fails("a certificate that is no file", "nowhere.pem", at.mutual, { ca_file = ca, client_cert = "/nowhere.pem" })
    fails("a key that is another's", nginx and "" or "TLS failed", at.mutual, { ca_file = ca, client_cert = at.cert, client_key = at.other_key })
    fails("a key alone", "client_key is given without client_cert", at.mutual, { ca_file = ca, client_key = at.key })

    -- ---- Unix sockets
    works("a Unix socket", { listener = "unix", host = "some.server" }, "http://some.server", { unix_socket = at.unix })
    works("is told apart from the network", { listener = "plain" }, at.plain)
    works("and the other way round", { listener = "unix" }, at.plain, { unix_socket = at.unix })
    fails("a socket where none is", "connect", "http://some.server", { unix_socket = at.unix .. "-none" })
    fails("a socket and a proxy", "exclude each other", "http://some.server", { unix_socket = at.unix, proxy = at.proxy })

    -- ---- proxies
    proxied()
    works("no proxy", { listener = "plain" }, at.plain)
    check("no proxy is asked", #proxied() == 0)
    works("a proxy", { listener = "plain", via = "symbi-test" }, at.plain, { proxy = at.proxy })
    local seen = proxied()
    check("the proxy got the whole URL", #seen == 1 and seen[1].line == "GET " .. at.plain .. "/api/v1/echo HTTP/1.1", symbi.json.encode(seen))
    works("a tunnel", { auth = "Bearer test-key" }, at.tls, { proxy = at.proxy, ca_file = ca })
    seen = proxied()
    check("a tunnel is asked for", #seen == 1 and seen[1].line:find("^CONNECT [%w.]+:%d+ HTTP/1%.1$"), symbi.json.encode(seen))
    check("the proxy does not get the key", seen[1] and not symbi.json.encode(seen):find("test-key", 1, true), symbi.json.encode(seen))
    works("a name that only the proxy knows", { listener = "plain" }, at.known_to_proxy, { proxy = at.proxy })
    works("a proxy with a password", { listener = "plain" }, at.plain, { proxy = at.locked_proxy:gsub("://", "://user:hunter2@") .. "" })
    works("and a tunnel through it", {}, at.tls, { proxy = at.locked_proxy:gsub("://", "://user:hunter2@") .. "", ca_file = ca })
    fails("a tunnel without the password", "the proxy answered 407", at.tls, { proxy = at.locked_proxy, ca_file = ca })
    fails("a proxy that refuses", "the proxy answered 403", "https://forbidden.example:443", { proxy = at.proxy, ca_file = ca })
    err = fails("a proxy that is not there", "", at.tls, { proxy = "http://127.0.0.1:1", ca_file = ca })
    check("its reason", err.reason == "refused" or err.reason == "connect", err.reason)
    fails("a proxy that is none", "", at.tls, { proxy = at.plain, ca_file = ca })
    fails("a strange proxy", nginx and "http:// proxies only" or "proxy must be", at.plain, { proxy = "ftp://user:hunter2@127.0.0.1" })
    fails("a proxy with a line break", nginx and "control character" or "proxy must be", at.plain, { proxy = "http://127.0.0.1\r\nX: hunter2" })
    if nginx then
        cannot("SOCKS", "http:// proxies only", { proxy = "socks5h://127.0.0.1:1" })
        cannot("the environment's proxy", "name the proxy", { proxy = "environment" })
        cannot("a proxy behind TLS", "http:// proxies only", { proxy = at.tls_proxy })
    else -- http_proxy and https_proxy are set to the proxy that asks for a password, no_proxy to the server
        proxied()
        works("SOCKS", { listener = "plain" }, at.known_to_proxy, { proxy = at.socks })
        seen = proxied()
        check("SOCKS gets the name", #seen == 1 and seen[1].line == "SOCKS known.example", symbi.json.encode(seen))
        err = fails("a name that SOCKS does not know", "", "http://unknown.example", { proxy = at.socks })
        check("its reason", err.reason == "connect", err.reason)
        works("a proxy behind TLS", { via = "tls-proxy", line = "GET http://known.example/api/v1/echo HTTP/1.1" }, at.known_to_proxy, { proxy = at.tls_proxy, ca_file = ca })
        fails("a proxy that nobody vouches for", "certificate", at.known_to_proxy, { proxy = at.tls_proxy })
        fails("a proxy of another authority", "certificate", at.known_to_proxy, { proxy = at.tls_proxy, ca_file = at.other_ca })
        works("the environment means nothing by itself", { listener = "plain" }, at.known_directly)
        proxied()
        fails("the environment when asked", "407", (at.known_directly:gsub("^http:", "https:")), { proxy = "environment" })
        works("with its exceptions", { listener = "plain" }, at.plain, { proxy = "environment" })
        check("were heard", #proxied() == 1)
        works("which a named proxy does not know", { via = "symbi-test" }, at.plain, { proxy = at.proxy })
    end

    proxied()

    -- ---- the guard, for requests that the program did not write itself
    local function guarded(rq)
        return symbi.io.fetch(rq)
    end
    local function refused(name, part, rq)
        local r, why, e = guarded(rq)
        check(name .. " is refused", r == nil and tostring(why):find(part, 1, true), why)
        return e
    end
    refused("an address of this machine behind a proxy", "SSRF", { url = at.plain .. "/api/v1/echo", proxy = at.proxy })
    refused("a local name behind a proxy", "SSRF", { url = "http://localhost/", proxy = at.proxy })
    refused("a guarded request over a socket", "by_operator", { url = "http://example.com/", unix_socket = at.unix })
    if not nginx then refused("a guarded request through the environment's proxy", "by_operator", { url = "http://example.com/", proxy = "environment" }) end
    check("the proxy heard of none", #proxied() == 0)
    local r, why = guarded { url = "http://allowed.example/api/v1/echo", proxy = at.proxy }
    check("a public name behind a proxy is the proxy's to find", r and r.status == 200, why)
    proxied()

    -- ---- HTTP/2
    if nginx then cannot("HTTP/2", "HTTP/1.1 only", { http_version = "2" })
    else
        works("HTTP/1.1 on demand", { protocol = "HTTP/1.1" }, at.tls, { ca_file = ca, http_version = "1.1" })
        works("HTTP/2 on demand", { protocol = "HTTP/2.0" }, at.tls, { ca_file = ca, http_version = "2" })
        works("HTTP/2 without TLS", { protocol = "HTTP/2.0" }, at.h2c, { http_version = "2" })
        works("a server without HTTP/2", { protocol = "HTTP/1.1" }, at.mutual, { ca_file = ca, http_version = "2", client_cert = at.both })
        works("HTTP/2 through a tunnel", { protocol = "HTTP/2.0" }, at.tls, { ca_file = ca, http_version = "2", proxy = at.proxy })
        local c = client(at.tls, { ca_file = ca, http_version = "2" })
        local echo = c:request("POST", "body", { body = { text = ("x"):rep(200000) } })
        check("a large body over HTTP/2", echo and echo.length == "200011", echo and echo.length)
        if kind == "host" then
            local handles, host = {}, symbi.io.host.new()
            local before = c:request("GET", "connections").requests
            local good = 0
            for i = 1, 50 do handles[i] = host:fork(function() if c:request("GET", "slow") then good = good + 1 end end) end
            while good < 50 and next(handles) do
                host:join(5000)
                handles = good < 50 and handles or {}
            end
            check("50 requests side by side", good == 50, good)
            local after = c:request("GET", "connections")
            check("shared one connection", after.requests - before == 51, after.requests)
        end
    end
    if nginx then works("HTTP/1.1", { protocol = "HTTP/1.1" }, at.tls, { http_version = "1.1" }) end
    return failures, count
end
