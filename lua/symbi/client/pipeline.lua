--- One call of the client, from request to answer: URL, headers, deadline, retries, one token refresh, redirects, errors. Nothing is ever sent
-- twice that may have been processed: a request that is not idempotent is repeated only when no connection came about, or with an
-- idempotency key.
local core = require "symbi.core"
local errors = require "symbi.errors"
local transport = require "symbi.client.transport"

local M = {}
local wire, json, null = core.wire, core.json, core.null

local MAX_REDIRECTS, MAX_SLEEP = 3, 30
local IDEMPOTENT = { GET = true, HEAD = true, PUT = true, DELETE = true, OPTIONS = true }
local NOT_SENT = { refused = true, resolve = true, connect = true } -- no connection came about
-- another attempt ends the same way
local FINAL = { tls = true, denied = true, too_large = true, protocol = true, cancelled = true, EDENIED = true, ELIMIT = true, EPARSE = true, EINVAL = true }

-- ---- what is sent -----------------------------------------------------------------------------------------------------------------

-- Where Lua has integers, these are exact whatever their size.
local integer = math.type and function(v) return math.type(v) == "integer" end or function() return false end -- luacheck: ignore

local function query_text(list)
    local out = {}
    for _, pair in ipairs(list) do
        local name, value = pair[1], pair[2]
        if type(value) == "number" then
            if not integer(value) and not (value - value == 0 and math.abs(value) < 2 ^ 53) then
                return nil, "the number " .. tostring(value) .. " of " .. tostring(name) .. " cannot be sent exactly: give its digits as a string"
            end
            value = value % 1 == 0 and string.format("%d", value) or json.encode(value)
        end
        local n, message, err = wire.escape(name, "form")
        local v
        if n then v, message, err = wire.escape(tostring(value), "form") end
        if not v then return nil, message, err end
        out[#out + 1] = n .. "=" .. v
    end
    return table.concat(out, "&")
end

--- The absolute URL of a path below the base URL, with a query ({{name, value}, ...}).
function M.url(base, path, query)
    if query and #query > 0 then
        local text, message = query_text(query)
        if not text then return errors.fail("ValidationError", message) end
        path = path .. (path:find("?", 1, true) and "&" or "?") .. text
    end
    local url, message = wire.endpoint(base, path)
    if not url then
        message = message:gsub("^%d+:%d+: ", "")
        return errors.fail("ConfigurationError", path == "" and message or "the URL of " .. path:sub(1, 200) .. " cannot be formed: " .. message)
    end
    return url
end

local function header_ok(value) return type(value) == "string" and not value:find "[%c\127]" end

local ACCEPT, TYPE = { "Accept", "application/json" }, { "Content-Type", "application/json" }

-- The ordinary case: nothing but our own headers and the key that was found good before. own: what it is given to keeps and changes nothing,
-- so that one list serves every call.
local function plain_headers(self, call, with_key, own)
    if self.options.headers or call.headers or call.idempotency_key then return nil end
    local key, name = self.session.access_token or self.api_key, self.config.auth.api_key_header
    local kept = self.key_header
    if own and with_key and kept and kept.key == key and kept.name == name then
        local list = kept[call.body and 2 or 1]
        if not list then
            list = { ACCEPT, self.agent_header, call.body and TYPE or kept.header, call.body and kept.header or nil }
            kept[call.body and 2 or 1] = list
        end
        return list
    end
    local list = { ACCEPT, self.agent_header }
    if call.body then list[3] = TYPE end
    if not with_key or not key then return list end
    local known = self.key_header
    if not known or known.key ~= key or known.name ~= name then
        if key == "" or not header_ok(key) or (name and name:lower() ~= "authorization") then return nil end
        known = { key = key, name = name, header = { "Authorization", "Bearer " .. key }, with_body = {}, bare = {} }
        self.key_header = known
    end
    list[#list + 1] = known.header
    return list
end

-- Ordinary calls over a transport that prepares requests: all of a request but its URL, its body and its time, or nil for any other call.
-- The key was found good by plain_headers, and changes together with key_header.
local function prepared(self, call, t)
    local kept = self.key_header
    if not kept or kept.key ~= (self.session.access_token or self.api_key) or kept.name ~= self.config.auth.api_key_header then return nil end
    if self.options.headers or call.headers or call.idempotency_key then return nil end
    local of, method = call.body and kept.with_body or kept.bare, call.method
    if of[method] then return of[method] end
    local rq = { method = method, headers = plain_headers(self, call, true, true), max_bytes = self.max_response_bytes, by_operator = true, once = not IDEMPOTENT[method], gzip = true }
    for k, v in pairs(self.route) do rq[k] = v end
    of[method] = t.prepare(rq)
    return of[method]
end

--- Forgets what was prepared: it holds the key.
function M.forget(self)
    local kept = self.key_header
    self.key_header = false
    if not kept then return end
    for _, of in ipairs { kept.with_body, kept.bare } do
        for _, ready in pairs(of) do ready:close() end
    end
end

-- The request's headers; with_key = false for what follows a redirect.
local function headers_of(self, call, with_key, own)
    local plain = plain_headers(self, call, with_key, own)
    if plain then return plain end
    local list, seen = {}, {}
    local function add(name, value)
        local low = name:lower()
        if seen[low] then list[seen[low]] = { name, value } -- the later one counts
        else
            list[#list + 1] = { name, value }
            seen[low] = #list
        end
    end
    add("Accept", "application/json")
    add("User-Agent", self.user_agent)
    if call.body then add("Content-Type", "application/json") end
    local key_header = self.config.auth.api_key_header or "Authorization"
    for _, set in ipairs { self.options.headers or {}, call.headers or {} } do
        for name, value in pairs(set) do
            if type(name) ~= "string" or not name:find "^[%w!#$%%&'*+.^_`|~-]+$" then return errors.fail("ValidationError", "a header's name is not valid") end
            if not header_ok(value) then return errors.fail("ValidationError", "the header " .. name .. " has a value that cannot be sent (control characters)") end
            if name:lower() ~= "authorization" and name:lower() ~= key_header:lower() then add(name, value) end
        end
    end
    if call.idempotency_key then
        if not header_ok(call.idempotency_key) then return errors.fail("ValidationError", "the idempotency key has characters that cannot be sent") end
        add("Idempotency-Key", call.idempotency_key)
    end
    local key = with_key and (self.session.access_token or self.api_key)
    if key and key ~= "" then
        if not header_ok(key) then return errors.fail("ConfigurationError", "the API key or token has characters that cannot be sent in a header (a line break?)", { config_key = "api_key" }) end
        if key_header:lower() == "authorization" then add("Authorization", "Bearer " .. key) else add(key_header, key) end
    end
    return list
end

-- ---- what came back ---------------------------------------------------------------------------------------------------------------

local function header(response, name)
    for _, h in ipairs(response.headers or {}) do
        if h[1]:lower() == name then return h[2] end
    end
end

local EXACT = { bigint = "string" }
local function decode(text) return json.decode(text, EXACT) end

-- code and details of an error in the server's JSON form.
local function said(body)
    if not body:find "^%s*{" then return {} end
    local t = decode(body)
    if type(t) ~= "table" or core.is_array(t) then return {} end
    local out = {}
    if type(t.code) == "string" then out.code = t.code end
    if type(t.details) == "table" then out.details = t.details end
    if type(t.error) == "string" then out.server_message = t.error end
    return out
end

local function failure(name, message, call, response)
    local fields = {}
    local request = { method = call.method, url = call.url }
    if response then
        fields = said(response.body)
        fields.status_code, fields.response_text = response.status, response.body
        local after = header(response, "retry-after")
        if after then fields.retry_after = wire.retry_after(after) end
    end
    fields.request = request
    return errors.fail(name, message, fields)
end

local function generic(code) return code == nil or code == "NOT_FOUND" or code == "METHOD_NOT_ALLOWED" end

--- Whether an answer says that the server has no such endpoint (and not: no such agent).
function M.is_unserved(err)
    local s = err.status_code
    if s == 501 then return err.server_code == "NOT_IMPLEMENTED" end
    return (s == 404 or s == 405) and generic(err.server_code)
end

local function from_status(call, response)
    local s, body = response.status, response.body
    local name, message
    if s == 401 then
        if body:lower():find("expired", 1, true) then name, message = "AuthenticationExpiredError", "Authentication token has expired"
        else name, message = "AuthenticationError", "Authentication failed - check your credentials" end
    elseif s == 403 then
        name = said(body).code == "POLICY_DENIED" and "PolicyDeniedError" or "PermissionDeniedError"
        message = "Insufficient permissions for this operation"
    elseif s == 404 then name, message = "NotFoundError", "Resource not found"
    elseif s == 429 then name, message = "RateLimitError", "Rate limit exceeded - too many requests"
    else
        name = s == 409 and "ConflictError" or s >= 500 and s < 600 and "ServerError" or "APIError"
        message = "API request failed with status " .. s
    end
    local _, m, err = failure(name, message, call, response)
    err.server_code = said(body).code
    return nil, m, err
end

-- ---- the call ---------------------------------------------------------------------------------------------------------------------

local function origin(url)
    local u = wire.url(url)
    return u and u.scheme .. "://" .. u.authority:lower()
end

-- Where a redirect leads, or nil and why not.
local function redirected(call, response, hops)
    local to = header(response, "location")
    if not to then return nil end
    if call.method ~= "GET" and call.method ~= "HEAD" then return nil, "a redirect of a " .. call.method .. " is not followed; correct base_url" end
    if hops >= MAX_REDIRECTS then return nil, "more than " .. MAX_REDIRECTS .. " redirects" end
    local next_url = wire.join(call.url, to)
    if not next_url then return nil, "the redirect leads to something that is no URL" end
    if origin(next_url) ~= origin(call.url) then return nil, "a redirect to another origin is not followed; correct base_url" end
    return next_url
end

local function wait_for(n) return math.min(2 ^ n, MAX_SLEEP) * (1 + transport.random() / 4) end

local function transport_failure(call, attempts, message, err)
    local reason = err and (err.reason or err.code)
    local timeout = reason == "timeout" or (err and err.code == "ETIMEOUT")
    local text = "Request failed after " .. attempts .. " attempt" .. (attempts == 1 and "" or "s") .. ": " .. tostring(message)
    if reason == "too_large" or (err and err.code == "ELIMIT") then
        return errors.fail("APIError", tostring(message) .. " (max_response_bytes)", { reason = reason, request = { method = call.method, url = call.url }, cause = err })
    end
    if reason == "tls" then text = text .. "; is its authority trusted (ca_file, in nginx lua_ssl_trusted_certificate), and the certificate for this host and in date?" end
    return errors.fail(timeout and "TimeoutError" or "ConnectionError", text, { reason = reason, request = { method = call.method, url = call.url }, cause = err })
end

-- Sends a call. url, time and transport are known; status, body, headers: the answer of the first attempt, or false, message, err where it
-- failed, or nothing where it was not made yet.
local function send(self, call, t, limit, deadline, status, body, headers)
    local again = IDEMPOTENT[call.method] or call.idempotency_key ~= nil
    local retries, attempt, hops, refreshed, with_key = self.config.max_retries, 0, 0, false, true
    local message, err
    while true do
        local left = attempt == 0 and hops == 0 and limit or deadline - t.now()
        if left <= 0 then return transport_failure(call, attempt, "no answer within " .. limit .. " s", { reason = "timeout" }) end
        local response
        if status then response, status = { status = status, body = body, headers = headers }, nil
        elseif status == false then response, message, err, status = nil, body, headers, nil
        else
            local list
            list, message, err = headers_of(self, call, with_key, t.own)
            if not list then return nil, message, err end
            local rq = {
                url = call.url, method = call.method, headers = list, body = call.body, timeout_ms = math.max(1, math.ceil(left * 1000)),
                max_bytes = self.max_response_bytes, by_operator = true, once = not again, gzip = true, quiet = call.quiet, proxy = self.route.proxy,
            }
            if self.routed then
                for k, v in pairs(self.route) do rq[k] = v end
            end
            response, message, err = t.request(rq)
        end
        local pause -- seconds until the next attempt
        if not response then
            err = type(err) == "table" and err or { reason = "other" }
            if err.code == "EPHASE" or err.code == "ECANCELLED" then return errors.fail("ConnectionError", message, { reason = err.code, cause = err }) end
            if attempt >= retries or FINAL[err.reason or err.code] or not (again or NOT_SENT[err.reason]) then return transport_failure(call, attempt + 1, message, err) end
            pause = wait_for(attempt)
            if t.now() + pause >= deadline then return transport_failure(call, attempt + 1, message, err) end
        else
            local s = response.status
            response.body = response.body or ""
            if s >= 200 and s < 300 then return response end
            if s == 401 and with_key and not refreshed and attempt < retries and self:can_refresh() then
                refreshed = true
                if not self:try_refresh() then return from_status(call, response) end
                pause = 0
            elseif s >= 300 and s < 400 and s ~= 304 then
                local to, why = redirected(call, response, hops)
                if not to then
                    local _, m, e = from_status(call, response)
                    if why then
                        e.message = m .. ": " .. why
                        m = e.message
                    end
                    return nil, m, e
                end
                call.url, hops, with_key, attempt = to, hops + 1, false, attempt - 1 -- the key stays where it was sent to
                pause = 0
            else
                local retry = self.options.retry or {}
                local after = header(response, "retry-after")
                after = after and wire.retry_after(after)
                local may = (s == 429 and retry.rate_limit) or ((s == 502 or s == 503 or s == 504) and again and retry.server_errors)
                if not may or attempt >= retries then return from_status(call, response) end
                pause = after and after + transport.random() or wait_for(attempt)
                if t.now() + pause >= deadline then return from_status(call, response) end
            end
        end
        attempt = attempt + 1
        if pause > 0 then
            local ok
            ok, message, err = t.sleep(math.ceil(pause * 1000))
            if ok == nil and message then return errors.fail("ConnectionError", tostring(message), { cause = err }) end
        end
    end
end

--- Sends call = {method=, path=, query=, body= (JSON text), headers=, timeout=, idempotency_key=}. Returns the response, or nil, message, err.
-- fixed: the path is one of few; quiet: a good answer's headers are not wanted.
function M.send(self, call)
    if self.session.closed then return errors.fail("ConfigurationError", "the client is closed") end
    local urls = self.urls
    if not urls or urls.of ~= self.base_url then
        urls = { of = self.base_url, at = {} }
        self.urls = urls
    end
    local url = call.fixed and urls.at[call.path]
    if not url then
        local message, err
        url, message, err = M.url(self.base_url, call.path, call.query)
        if not url then return nil, message, err end
        if call.fixed then urls.at[call.path] = url end
    end
    call.url = url
    local t = transport.pick(self.options.transport)
    local limit = call.timeout or self.config.timeout
    local deadline = t.now() + limit
    local ready = call.quiet and t.prepare and limit > 0 and prepared(self, call, t)
    if not ready then return send(self, call, t, limit, deadline) end
    local ms = limit * 1000
    if ms % 1 > 0 then ms = ms - ms % 1 + 1 end
    local status, body, headers = ready:send(ms, call.body, url)
    if status and status >= 200 and status < 300 then return { status = status, body = body } end
    return send(self, call, t, limit, deadline, status or false, body, headers)
end

--- What a body that is no JSON suggests.
function M.hint(body)
    if body:find "^%s*<" then return ": it is a page of HTML or XML; does base_url lead to a Symbiont server?" end
    if not body:find "%S" then return ": it is empty; does base_url lead to a Symbiont server?" end
    return ""
end

--- The body of an answer as a value; an empty one is true where nothing is expected.
function M.decode(call, response)
    local value = decode(response.body)
    if value ~= nil then return value end
    if not response.body:find "%S" then return nil, "empty" end
    return failure("APIError", "Invalid JSON in response" .. M.hint(response.body), call, response)
end

--- A value as the text of a body.
function M.encode(value)
    local text, message = json.encode(value)
    if not text then return errors.fail("ValidationError", "the request cannot be written as JSON: " .. tostring(message)) end
    return text
end

M.null = null
return M
