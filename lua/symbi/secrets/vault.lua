--- symbi.secrets.vault: secrets in HashiCorp Vault or OpenBao: KV version 1 or 2, with a token, an AppRole or a Kubernetes service account.
--   secrets.open{ backend = "vault", url = "https://vault.example:8200", auth = { method = "token", token = } or { method = "approle", role_id =,
--     secret_id =, mount_path = "approle" } or { method = "kubernetes", role =, token_path =, mount_path = "kubernetes" }, namespace =,
--     mount_path = "secret", api_version = "v2", path = "agents/{agent}/secrets/{key}", http = function(request) }
-- https only, except to this machine with insecure_loopback = true. Nothing of an answer's body goes into an error.
local core = require "symbi.core"
local C = core.secrets

local M = {}
local Vault = {}
Vault.__index = Vault
Vault.__tostring = function(self) return "symbi secrets in Vault at " .. tostring(self.base) end -- and not what opens it

local DEFAULT_PATH = "agents/{agent}/secrets/{key}"
local KUBERNETES_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"

local function fail(code, ...)
    local message = string.format(...)
    return nil, message, core.error(code, message)
end

-- The transport of the place this runs in: cosockets, the host's scheduler, or a blocking call.
-- luacheck: globals ngx
local function transport(rq)
    local io = require "symbi.io"
    if type(ngx) == "table" and type(ngx.get_phase) == "function" then return io.ngx.http(rq) end
    local host = package.loaded["symbi.io.host"]
    if host and host.running() then return host.http(rq) end
    return io.http(rq)
end

local function loopback(host)
    return host == "localhost" or host == "::1" or host:find "^127%.%d+%.%d+%.%d+$" ~= nil
end

local known = {
    backend = true, url = true, auth = true, namespace = true, mount_path = true, api_version = true, path = true, field = true, http = true, insecure_loopback = true,
    timeout_ms = true, scope = true, audit = true, audit_mode = true, redactor = true, now = true,
}

local function segments(text, what)
    if type(text) ~= "string" or text == "" then error("symbi.secrets: " .. what .. " must be a path", 4) end
    for part in (text .. "/"):gmatch "([^/]*)/" do
        if not C.valid_key(part) then error("symbi.secrets: " .. what .. " '" .. text .. "' is not a plain path", 4) end
    end
    return text
end

local auth_fields = {
    token = { "token" }, approle = { "role_id", "secret_id" }, kubernetes = { "role" },
}

function M.open(o)
    for k in pairs(o) do
        if not known[k] then error("symbi.secrets.open: the backend vault has no option '" .. tostring(k) .. "'", 3) end
    end
    local url, message, err = core.wire.url(o.url or "")
    if not url then return nil, message, err end
    if not url.tls and not (o.insecure_loopback and loopback(url.host)) then
        return fail("EDENIED", "Vault is reached over https (http only to this machine, with insecure_loopback = true)")
    end
    if url.query or url.fragment or (url.path ~= "" and url.path ~= "/") then -- not quoted: what is too much in it may be a token
        return fail("EINVAL", "the URL of Vault is scheme, host and port, and nothing else")
    end
    local auth = o.auth or {}
    local fields = auth_fields[auth.method or ""]
    if not fields then
        return fail("EUNSUPPORTED", "Vault: auth.method must be \"token\", \"approle\" or \"kubernetes\"")
    end
    for _, f in ipairs(fields) do
        if type(auth[f]) ~= "string" or auth[f] == "" then return fail("EINVAL", "Vault: auth.%s is missing", f) end
    end
    if o.api_version ~= nil and o.api_version ~= "v1" and o.api_version ~= "v2" then error("symbi.secrets.open: api_version must be \"v1\" or \"v2\"", 3) end
    local path = o.path or DEFAULT_PATH
    segments((path:gsub("{agent}", "a"):gsub("{key}", "k")), "path")
    if not path:find("{key}", 1, true) then error("symbi.secrets: path must have {key} in it", 3) end
    return setmetatable({
        name = "vault", base = o.url:gsub("/+$", ""), auth = auth, namespace = o.namespace, mount = segments(o.mount_path or "secret", "mount_path"), v1 = o.api_version == "v1",
        path = path, field = o.field, http = o.http or transport, timeout_ms = o.timeout_ms or 30000, clock = o.now or os.time,
    }, Vault)
end

-- One request. What the answer says beyond its status never goes into a message.
local function send(self, method, path, body, token)
    local headers = { { "Accept", "application/json" }, { "X-Vault-Request", "true" } }
    if token then headers[#headers + 1] = { "X-Vault-Token", token } end
    if self.namespace then headers[#headers + 1] = { "X-Vault-Namespace", self.namespace } end
    if body then headers[#headers + 1] = { "Content-Type", "application/json" } end
    local r, message, err = self.http {
        url = self.base .. "/v1/" .. path, method = method, headers = headers, body = body and core.json.encode(body) or nil, timeout_ms = self.timeout_ms,
        max_bytes = 4 * 1024 * 1024, by_operator = true,
    }
    if not r then
        local code = err and err.code or "EIO"
        if code == "ETIMEOUT" then return fail(code, "Operation timed out: Vault did not answer in time") end
        return fail(code, "Connection error: %s", tostring(message))
    end
    return r
end

local function decoded(r)
    local t = core.json.decode(r.body or "")
    if type(t) ~= "table" then return fail("EPARSE", "Parse error: the answer of Vault is no JSON object") end
    return t
end

local function login(self)
    local auth, body = self.auth
    local mount = segments(auth.mount_path or auth.method, "auth.mount_path")
    if auth.method == "approle" then
        body = { role_id = auth.role_id, secret_id = auth.secret_id }
    else
        local io = require "symbi.io"
        local jwt, message, err = io.read_file(auth.token_path or KUBERNETES_TOKEN, 65536)
        if not jwt then return nil, message, err end
        body = { role = auth.role, jwt = (jwt:gsub("%s+$", "")) }
    end
    local r, message, err = send(self, "POST", "auth/" .. mount .. "/login", body)
    if not r then return nil, message, err end
    if r.status ~= 200 then return fail("EDENIED", "Authentication failed: Vault answered %d to the %s login", r.status, auth.method) end
    local t
    t, message, err = decoded(r)
    if not t then return nil, message, err end
    local a = t.auth
    if type(a) ~= "table" or type(a.client_token) ~= "string" or a.client_token == "" then return fail("EPARSE", "Authentication failed: the answer of Vault has no token") end
    self.token = a.client_token
    local life = type(a.lease_duration) == "number" and a.lease_duration or 0
    self.token_until = life > 0 and self.clock() + life * 0.8 or nil
    return self.token
end

local function token_of(self)
    if self.auth.method == "token" then return self.auth.token end
    if self.token and (not self.token_until or self.clock() < self.token_until) then return self.token end
    return login(self)
end

local function refused(r, key)
    local s = r.status
    if s == 404 then return fail("ENOTFOUND", "Secret not found: %s", key) end
    if s == 403 or s == 401 then return fail("EDENIED", "Permission denied accessing secret: %s", key) end
    if s == 429 then return fail("ELIMIT", "Rate limit exceeded: Vault answered 429") end
    return fail("EIO", "Backend error: Vault answered %d", s)
end

-- With a fresh token once where a token that was logged in for is refused: it may have been revoked.
local function request(self, method, path, body)
    local token, message, err = token_of(self)
    if not token then return nil, message, err end
    local r
    r, message, err = send(self, method, path, body, token)
    if r and r.status == 403 and self.auth.method ~= "token" and self.token then
        self.token = nil
        token, message, err = token_of(self)
        if not token then return nil, message, err end
        r, message, err = send(self, method, path, body, token)
    end
    if not r then return nil, message, err end
    return r
end

-- The path of a secret (or, without a key, of the folder it is in). Names were checked: nothing in them ends a segment.
local function locate(self, kind, agent, key)
    local path = self.path
    if path:find("{agent}", 1, true) then
        if not agent then return fail("EINVAL", "Vault: secrets belong to agents here: use store:for_agent(id), or a path without {agent}") end
        if not C.valid_key(agent) then return fail("EINVAL", "Vault: '%s' cannot stand in a path", agent:sub(1, 128):gsub("%c", "?")) end
        path = path:gsub("{agent}", (agent:gsub("%%", "%%%%")))
    end
    if key then
        if not C.valid_key(key) then return fail("EINVAL", "Invalid secret key format: %s", key:sub(1, 128):gsub("%c", "?")) end
        path = path:gsub("{key}", (key:gsub("%%", "%%%%")))
    else
        path = path:match "^(.*)/[^/]*{key}[^/]*$" or ""
    end
    local full = self.mount .. (self.v1 and "" or "/" .. kind) .. (path ~= "" and "/" .. path or "")
    return full
end

local function text_of(v)
    if type(v) == "string" then return v end
    return core.json.encode(v)
end

function Vault:get(key, agent, scope)
    if agent and not (scope and scope:allows(agent, key)) then return fail("EDENIED", "Permission denied accessing secret: %s", key:sub(1, 128):gsub("%c", "?")) end
    local path, message, err = locate(self, "data", agent, key)
    if not path then return nil, message, err end
    local r
    r, message, err = request(self, "GET", path)
    if not r then return nil, message, err end
    if r.status ~= 200 then return refused(r, key) end
    local t
    t, message, err = decoded(r)
    if not t then return nil, message, err end
    local data = t.data
    if not self.v1 then data = type(data) == "table" and data.data or nil end
    if type(data) ~= "table" then return fail("ENOTFOUND", "Secret not found: %s", key) end
    local v
    if self.field then v = data[self.field] else v = data.value end
    if (v == nil or v == core.null) and not self.field then v = data.content end
    if v == nil or v == core.null then return fail("ENOTFOUND", "Secret not found: %s (Vault has it, without a field %s)", key, self.field or "value") end
    return text_of(v)
end

function Vault:list(agent, scope)
    local path, message, err = locate(self, "metadata", agent, nil)
    if not path then return nil, message, err end
    local r
    r, message, err = request(self, "GET", path .. "?list=true")
    if not r then return nil, message, err end
    local out = core.array {}
    if r.status == 404 then return out end
    if r.status ~= 200 then return refused(r, "(list)") end
    local t
    t, message, err = decoded(r)
    if not t then return nil, message, err end
    local keys = type(t.data) == "table" and t.data.keys
    if type(keys) ~= "table" then return fail("EPARSE", "Parse error: the answer of Vault has no keys") end
    for _, k in ipairs(keys) do
        if type(k) == "string" and C.valid_key(k) and (not agent or (scope and scope:allows(agent, k))) then out[#out + 1] = k end
    end
    table.sort(out)
    return out
end

-- The agent's right to write was asked by the store.
function Vault:set(key, value, agent)
    local path, message, err = locate(self, "data", agent, key)
    if not path then return nil, message, err end
    local data = { [self.field or "value"] = value }
    local r
    r, message, err = request(self, "POST", path, self.v1 and data or { data = data })
    if not r then return nil, message, err end
    if r.status ~= 200 and r.status ~= 204 then return refused(r, key) end
    return true
end

--- Removes every version.
function Vault:delete(key, _, agent)
    local path, message, err = locate(self, "metadata", agent, key)
    if not path then return nil, message, err end
    local r
    r, message, err = request(self, "DELETE", path)
    if not r then return nil, message, err end
    if r.status ~= 200 and r.status ~= 204 then return refused(r, key) end
    return true
end

function Vault:close()
    self.token = nil
end

return M
