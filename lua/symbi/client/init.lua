--- symbi.client{}: a Symbiont server as Lua methods.
--   local client = symbi.client { api_key = "...", base_url = "http://localhost:8080/api/v1" }
--   local health, message, err = client:health_check()
-- Every method returns a value, or nil, a message and an error object (symbi.errors); with raise = true it raises that object.
-- Options: the settings of symbi.config (api_key, base_url, timeout, max_retries, validation_mode, auth = {}, ...), config = a file's path or
-- a table of settings, headers = {}, transport = "auto" | "blocking" | "host" | "ngx" | function, retry = { rate_limit =, server_errors = },
-- max_response_bytes (64 MiB), refresh = function(client) -> access token, log = function(level, text), cron_passthrough, raise,
-- env and dotenv as in symbi.config.manager; and how requests travel, for programs and operators alone: proxy (a URL, or "environment"; none
-- without it), ca_file, ca_path, client_cert, client_key, client_key_password, unix_socket, http_version ("1.1" or "2").
local api = require "symbi.api"
local compat = require "symbi.compat"
local config = require "symbi.config"
local core = require "symbi.core"
local errors = require "symbi.errors"
local calls = require "symbi.client.calls"
local pipeline = require "symbi.client.pipeline"

local M = {}

local OPTIONS = {
    config = true, headers = true, transport = true, retry = true, max_response_bytes = true, refresh = true, log = true, cron_passthrough = true, raise = true,
    env = true, dotenv = true, embedded = true,
}
local ROUTE = {
    proxy = true, ca_file = true, ca_path = true, client_cert = true, client_key = true, client_key_password = true, unix_socket = true, http_version = true,
}
local SETTINGS = {
    api_key = true, base_url = true, timeout = true, max_retries = true, enable_caching = true, enable_metrics = true, enable_debug = true, validation_mode = true,
    database = true, auth = true, vector = true, logging = true,
}

local Client = {}
local Group = {}

-- ---- raising ------------------------------------------------------------------------------------------------------------------------

local function deliver(self, value, message, err)
    if self.raising and (value == nil or value == false) and err ~= nil then error(err, 0) end
    if message == nil then return value end
    return value, message, err
end

local function method_of(e)
    return function(self, ...) return deliver(self, calls.call(self, e, ...)) end
end

-- For what is called on a group, or on a client.
local function grouped(e)
    return function(self, ...)
        local client = rawget(self, "client") or self
        return deliver(client, calls.call(client, e, ...))
    end
end

-- ---- groups -------------------------------------------------------------------------------------------------------------------------

local FLAT = {
    communication = true, secrets = true, mcp = true, memory = true, vectors = true, knowledge = true, dsl = true, deployments = true, http_input = true,
    endpoints = true, tool_review = true,
}
local groups = {}
for name, rows in pairs(api.groups) do
    groups[name] = {}
    for _, e in ipairs(rows) do
        local f = grouped(e)
        groups[name][e.name] = f
        if e.alias then groups[name][e.alias] = f end
        if FLAT[name] and not Client[e.name] then Client[e.name] = f end
    end
end
for _, e in ipairs(api.endpoints) do
    if not e.group then Client[e.name] = method_of(e) end
end
groups.metrics_client = groups.metrics

Group.__index = function(self, name) return groups[rawget(self, "group")][name] end
Group.__tostring = function(self) return "symbi client." .. rawget(self, "group") end

local manager_of
local Meta = {}
Meta.__index = function(self, name)
    local method = Client[name]
    if method then return method end
    if groups[name] then
        local group = setmetatable({ client = self, group = name }, Group)
        rawset(self, name, group)
        return group
    end
    if name == "agentpin" then return require("symbi").agentpin end
    if name == "auth_manager" then return (manager_of(self)) end -- nil without a secret
    return nil
end
Meta.__tostring = function(self) return "symbi client of " .. self.base_url end
Meta.__close = function(self) self:close() end

-- ---- making one -----------------------------------------------------------------------------------------------------------------------

local function settle(self, settings)
    self.config, self.api_key, self.base_url = settings, settings.api_key, settings.base_url
    local ok, message, err = pipeline.url(self.base_url, "")
    if not ok then return nil, "base_url: " .. message, err end
    return true
end

--- A client, or nil, message, err.
function M.new(options)
    if options ~= nil and type(options) ~= "table" then error("symbi.client: a table of options is expected", 2) end
    options = options or {}
    for k in pairs(options) do
        if not OPTIONS[k] and not SETTINGS[k] and not ROUTE[k] then error("symbi.client: unknown option '" .. tostring(k) .. "'", 2) end
    end
    local self = setmetatable({
        options = options, raising = options.raise == true, session = {}, per_call = false, routed = false, urls = false, key_header = false, user_agent = "symbi-lua/" .. core.version,
        max_response_bytes = options.max_response_bytes or 64 * 1024 * 1024,
    }, Meta)
    self.agent_header = { "User-Agent", self.user_agent }
    self.route = { proxy = "none" } -- the environment says nothing unless it is asked
    for k in pairs(ROUTE) do
        local v = options[k]
        if v ~= nil and (type(v) ~= "string" or v == "") then error("symbi.client: " .. k .. " must be a string", 2) end
        if v then self.route[k], self.routed = v, true end
    end
    if options.http_version and options.http_version ~= "1.1" and options.http_version ~= "2" then error('symbi.client: http_version is "1.1" or "2"', 2) end
    if options.embedded then
        return deliver(self, errors.fail("UnsupportedError", "symbi.client{embedded = true}: the REST router inside this process is not there yet; use symbi.runtime{...}, or give base_url", { status_code = nil }))
    end
    local path, given = nil, {}
    if type(options.config) == "string" then path = options.config
    elseif type(options.config) == "table" then for k, v in pairs(options.config) do given[k] = v end
    elseif options.config ~= nil then error("symbi.client: config is a file's path or a table", 2) end
    for k in pairs(SETTINGS) do
        if options[k] ~= nil and options[k] ~= "" then given[k] = options[k] end -- an empty text overrides nothing
    end
    self.manager = config.manager { env = options.env, dotenv = options.dotenv, warn = function(text) self:log("warning", text) end }
    local settings, message, err = self.manager:load(path, true, given)
    if not settings then return deliver(self, nil, message, err) end
    local ok
    ok, message, err = settle(self, settings)
    if not ok then return deliver(self, nil, message, err) end
    return self
end

-- What is the client's, with something changed for the calls that follow.
local function derived(self, changes)
    local out = {}
    for k, v in pairs(self) do
        if not (type(v) == "table" and getmetatable(v) == Group) then out[k] = v end
    end
    for k, v in pairs(changes) do out[k] = v end
    return setmetatable(out, Meta)
end

--- The same client, raising error objects.
function Client:raise() return derived(self, { raising = true }) end

--- The same client with other ways for its calls: { timeout = seconds, headers = {}, idempotency_key = text }.
function Client:with(options)
    for k in pairs(options) do
        if k ~= "timeout" and k ~= "headers" and k ~= "idempotency_key" then error("client:with: unknown option '" .. tostring(k) .. "' (known: timeout, headers, idempotency_key)", 2) end
    end
    return derived(self, { per_call = options })
end

function Client:close()
    self.session.closed = true
    pipeline.forget(self)
    self.session.access_token, self.session.refresh_token_text, self.session.user = nil, nil, nil
    if self.session.auth then self.session.auth:close() end
    self.session.auth = nil
end

function Client:log(level, text)
    if self.options.log then self.options.log(level, text) end
end

--- Any request: { body = value, query = {{name, value}, ...} or a table, headers =, timeout =, idempotency_key = }. Returns the decoded body (true
-- where there is none) and the response.
function Client:request(method, path, options)
    options = options or {}
    local per_call = self.per_call or {}
    local call = {
        method = method:upper(), path = path, query = {}, headers = options.headers or per_call.headers, timeout = options.timeout or per_call.timeout,
        idempotency_key = options.idempotency_key or per_call.idempotency_key,
    }
    for k, v in pairs(options.query or {}) do
        call.query[#call.query + 1] = type(v) == "table" and v or { k, v }
    end
    local message, err
    if options.body ~= nil then
        call.body, message, err = pipeline.encode(options.body)
        if not call.body then return deliver(self, nil, message, err) end
    end
    local response
    response, message, err = pipeline.send(self, call)
    if not response then return deliver(self, nil, message, err) end
    local value
    value, message, err = pipeline.decode(call, response)
    if value == nil then
        if message == "empty" then return true, response end
        return deliver(self, nil, message, err)
    end
    return value, response
end

--- A conversation over the runtime's WebSocket: not there yet.
function Client:chat()
    return deliver(self, errors.fail("UnsupportedError", "client:chat: conversations over a WebSocket are not there yet; use client:send_message and client:execute_agent"))
end

-- ---- configuration --------------------------------------------------------------------------------------------------------------------

local function now() return os.time() end

--- Other settings in place of those in force: a table of settings, or a file's path.
function Client:configure_client(settings)
    local path = type(settings) == "string" and settings or nil
    local loaded, message, err = self.manager:load(path, true, type(settings) == "table" and settings or nil)
    if not loaded then return deliver(self, nil, message, err) end
    local ok
    ok, message, err = settle(self, loaded)
    if not ok then return deliver(self, nil, message, err) end
    return { status = "configured", timestamp = now() }
end

function Client:get_configuration() return self.config end

--- Reads the same file, environment and .env again; what was said in the program stays.
function Client:reload_configuration()
    local loaded, message, err = self.manager:reload()
    if not loaded then return deliver(self, nil, message, err) end
    local ok
    ok, message, err = settle(self, loaded)
    if not ok then return deliver(self, nil, message, err) end
    return { status = "reloaded", timestamp = now() }
end

-- ---- tokens -----------------------------------------------------------------------------------------------------------------------------

-- The signer and checker of tokens, made when one is needed: only then a secret is. Other settings are another manager.
local AUTH = { "jwt_secret_key", "jwt_algorithm", "jwt_expiration_seconds", "jwt_refresh_expiration_seconds", "token_issuer", "token_audience", "enable_refresh_tokens" }
function manager_of(self)
    local a, session, same = self.config.auth, self.session, true
    for _, name in ipairs(AUTH) do same = same and session.auth and session.auth.options[name] == a[name] end
    if same then return session.auth end
    if not a.jwt_secret_key or a.jwt_secret_key == "" then
        return errors.fail("ConfigurationError", "JWT secret key is required (auth.jwt_secret_key, SYMBIONT_AUTH_JWT_SECRET_KEY)", { config_key = "auth.jwt_secret_key" })
    end
    local options = {}
    for _, name in ipairs(AUTH) do options[name] = a[name] end
    local m, message = require("symbi.auth").manager(options)
    if not m then return errors.fail("ConfigurationError", "auth: " .. tostring(message)) end
    if session.auth then session.auth:close() end
    session.auth = m
    return m
end

--- Checks an access token here, and uses it for the calls that follow: {user_id=, roles=, permissions=, authenticated = true}.
function Client:authenticate_jwt(token, options)
    local m, message, err = manager_of(self)
    if not m then return deliver(self, nil, message, err) end
    local user, why, cause = m:authenticate_with_jwt(type(token) == "string" and token or "")
    if not user then return deliver(self, errors.fail("AuthenticationError", "Invalid JWT token", { cause = cause or why })) end
    self.session.access_token, self.session.user = token, user
    if options and options.refresh then self.session.refresh_token_text = options.refresh end
    return user
end

--- Tokens that somebody else checked: { access =, refresh = }.
function Client:set_tokens(tokens)
    self.session.access_token, self.session.refresh_token_text = tokens.access, tokens.refresh
    return true
end

function Client:can_refresh()
    if self.options.refresh then return true end
    return self.session.refresh_token_text ~= nil and self.config.auth.enable_refresh_tokens and (self.config.auth.jwt_secret_key or "") ~= ""
end

local function dropped(self, cause)
    self.session.access_token, self.session.refresh_token_text, self.session.user = nil, nil, nil
    return errors.fail("TokenRefreshError", "Failed to refresh token", { cause = cause })
end

--- As refresh_token, but never raising.
function Client:try_refresh()
    if self.options.refresh then
        local ok, token, message = pcall(self.options.refresh, self)
        if not ok or type(token) ~= "string" then return dropped(self, ok and message or token) end
        self.session.access_token = token
        return { access_token = token, token_type = "Bearer", expires_in = self.config.auth.jwt_expiration_seconds }
    end
    if not self.session.refresh_token_text then return errors.fail("TokenRefreshError", "No refresh token available") end
    local m, message, err = manager_of(self)
    if not m then return nil, message, err end
    local pair
    pair, message, err = m:refresh_token(self.session.refresh_token_text)
    if not pair then return dropped(self, err or message) end
    self.session.access_token, self.session.refresh_token_text = pair.access, pair.refresh
    return { access_token = pair.access, token_type = "Bearer", expires_in = self.config.auth.jwt_expiration_seconds }
end

--- A new access token for the refresh token: {access_token=, token_type = "Bearer", expires_in=}. When it fails, all tokens are forgotten.
function Client:refresh_token() return deliver(self, self:try_refresh()) end

--- Whether the roles of the current user (authenticate_jwt) allow an action; false without a user. A local comfort, never a server's check.
function Client:validate_permissions(action)
    if not self.session.user or type(action) ~= "string" then return false end
    local m = manager_of(self)
    return m ~= nil and m:validate_permissions(self.session.user, action:lower())
end

function Client:get_user_roles()
    local user = self.session.user
    return user and user.roles or core.array {}
end

-- ---- more than one request ------------------------------------------------------------------------------------------------------------------

--- Asks every five seconds (options.interval) until a review is approved, rejected or signed.
function Client:wait_for_review_completion(review_id, timeout, options)
    local t = require("symbi.client.transport").pick(self.options.transport)
    local interval = options and options.interval or 5
    local limit = timeout or 300
    local deadline = t.now() + limit
    while true do
        local session, message, err = calls.call(self, api.by_name["tool_review.get_review_session"], review_id)
        if not session then return deliver(self, nil, message, err) end
        if session.status == "approved" or session.status == "rejected" or session.status == "signed" then return session end
        if t.now() + interval > deadline then
            return deliver(self, errors.fail("TimeoutError", "Review " .. tostring(review_id) .. " did not complete within " .. limit .. " seconds"))
        end
        t.sleep(interval * 1000)
    end
end
groups.tool_review.wait_for_review_completion = function(self, ...) return Client.wait_for_review_completion(rawget(self, "client"), ...) end

--- Names of everything that can be called: "health_check", "schedules.create_schedule", ...
function M.methods()
    local out = {}
    for _, e in ipairs(api.endpoints) do out[#out + 1] = e.full end
    table.sort(out)
    return out
end

M.unpack = compat.unpack

return setmetatable(M, { __call = function(_, options) return M.new(options) end })
