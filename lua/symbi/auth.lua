--- symbi.auth: who is calling the runtime. Keys, tokens and roles are decided in C (symbi/auth.h); this file reads the key file again when
-- it changes, and has the names of the SDK.
--
--   m = auth.manager{ jwt_secret_key =, api_keys_file = "keys.json", store = store }
--   user, message, err = m:authenticate("jwt", { token = token })      or "api_key", { api_key = key }
--   m:validate_permissions(user, "write")                              true or false
--   tokens = m:generate_tokens(user); m:refresh_token(tokens.refresh); m:logout(tokens.access)
--
-- Differences from the SDK, which closes its eyes there: exp and sub are required, only access tokens open anything, a refresh token is
-- good once, an API key is looked up (any key is taken only with insecure_accept_any_api_key), HMAC keys have 32 bytes or more.
local core = require "symbi.core"

local M = {
    environment = core.auth.environment, -- environment(text): SYMBIONT_ENV's meaning, or nil and why
    check_token = core.auth.check_token, -- check_token(text): a static API token as it is used, or nil and what is weak about it
    same_token = core.auth.same_token,   -- same_token(presented, expected): constant time
    jwt = { verify = core.jwt and core.jwt.verify, decode = core.jwt and core.jwt.decode, sign = core.jwt and core.jwt.sign, encode = core.jwt and core.jwt.sign },
    AuthMethod = { API_KEY = "api_key", JWT = "jwt", OAUTH2 = "oauth2", BASIC = "basic" },
    TokenType = { ACCESS = "access", REFRESH = "refresh", API_KEY = "api_key" },
    Permission = { READ = "read", WRITE = "write", DELETE = "delete", ADMIN = "admin", EXECUTE = "execute" },
}

local function fail(code, fields, ...)
    local message = string.format(...)
    return nil, message, core.error(code, message, fields)
end

--- The token of an Authorization header: exactly "Bearer <token>", nil otherwise.
function M.bearer(header)
    return type(header) == "string" and header:match "^Bearer ([%S]+)$" or nil
end

-- ---- the key file -----------------------------------------------------------------------------------------------------------

local Keys = {}
Keys.__index = Keys

local function octal(mode) return string.format("%04o", mode) end

local function read_keys(path)
    local io = require "symbi.io"
    local text, info, err = io.read_file_info(path, { max = 16 * 1024 * 1024 })
    if not text then
        if err and err.code == "ENOTFOUND" then return "", nil end -- no file is an empty store
        return fail(err and err.code or "EIO", nil, "Failed to read API keys file: %s", tostring(info))
    end
    if info.mode % 64 ~= 0 then
        return fail("EDENIED", nil, "API keys file %s has insecure mode %s; expected 0600. Run: chmod 600 %s", path, octal(info.mode), path)
    end
    return text, info
end

local function same_file(a, b)
    if a == nil or b == nil then return a == b end
    return a.version == b.version
end

--- api_keys(path[, {legacy = false}]): the file of API keys, read again whenever it changes. A file that cannot be read refuses
-- everyone: keys that were good a moment ago are not remembered.
function M.api_keys(path, options)
    return setmetatable({ path = path, legacy = options and options.legacy or false, info = false }, Keys)
end

--- The keys as the file has them now, or nil, message, err.
function Keys:load()
    local io = require "symbi.io"
    local now, message, err = io.stat(self.path)
    if not now and err and err.code ~= "ENOTFOUND" then
        self:forget()
        return fail(err.code, nil, "Failed to read API keys file: %s", message)
    end
    if self.keys and same_file(now, self.info) then return self.keys end
    self:forget()
    local text, info, why = read_keys(self.path)
    if not text then return nil, info, why end
    local keys
    keys, message, err = core.auth.keys(text)
    if not keys then return nil, message, err end
    self.keys, self.info = keys, info
    return keys
end

function Keys:forget()
    if self.keys then self.keys:close() end
    self.keys, self.info = nil, false
end
Keys.close = Keys.forget

--- The record behind a presented key, or nil, "Invalid API key", err (err.reason is for the log).
function Keys:check(presented, now)
    local keys, message, err = self:load()
    if not keys then return nil, message, err end
    return keys:check(presented, now, { legacy = self.legacy })
end

-- Reads, changes and writes under a lock, so that two commands do not undo each other.
local function change(self, f)
    local io = require "symbi.io"
    local path = (io.realpath(self.path)) or self.path -- through a symbolic link the file that it names is locked and replaced, not the link
    local lock, message, err = io.lock(path .. ".lock")
    if not lock then return nil, message, err end
    local keys, result
    self:forget()
    keys, message, err = self:load()
    if keys then
        result, message, err = f(keys)
        if result then
            local ok, m, e = io.write_file(path, keys:text() .. "\n", 384)
            if not ok then result, message, err = nil, m, e end
        end
    end
    self:forget()
    lock:close()
    return result, message, err
end

--- Adds a key and returns it; nothing keeps it. options: key_id, description, agent_scope, permissions, expires_at (seconds), cost.
function Keys:create(options, now)
    return change(self, function(keys) return keys:create(options or {}, now) end)
end

function Keys:revoke(key_id)
    return change(self, function(keys) return keys:revoke(key_id) end)
end

--- The records, without their hashes.
function Keys:list()
    local keys, message, err = self:load()
    if not keys then return nil, message, err end
    return keys:list()
end

-- ---- the manager --------------------------------------------------------------------------------------------------------------

local Manager = { __tostring = function() return "symbi.auth manager" end } -- and not its key
Manager.__index = Manager

local known = {
    jwt_secret_key = true, jwt_algorithm = true, jwt_expiration_seconds = true, jwt_refresh_expiration_seconds = true, token_issuer = true, token_audience = true,
    enable_refresh_tokens = true, api_key_header = true, api_keys_file = true, legacy_api_keys = true, insecure_accept_any_api_key = true, store = true, now = true,
    key = true, sign_key = true, leeway = true, plain_tokens = true, short_secret = true, max_revoked = true,
}

--- options: the fields of the SDK's auth configuration, and api_keys_file, store (revocation survives), now = function() (Unix seconds),
-- key and sign_key (symbi.crypto keys, for EdDSA, ES256, RS256), plain_tokens (without jti, as the SDK makes them), short_secret.
-- A secret is needed only for tokens.
function M.manager(options)
    options = options or {}
    for k in pairs(options) do
        if not known[k] then error("symbi.auth.manager: unknown option '" .. tostring(k) .. "'", 2) end
    end
    local self = setmetatable({ options = options, clock = options.now, providers = {}, api_key_header = options.api_key_header or "Authorization" }, Manager)
    if options.api_keys_file then self.keys = M.api_keys(options.api_keys_file, { legacy = options.legacy_api_keys }) end
    local secret = options.jwt_secret_key
    if secret == core.null then secret = nil end
    local with_tokens = secret ~= nil or options.key ~= nil
    local a, message, err = core.auth.new {
        -- roles are needed without tokens too; then the key is one that nobody knows
        secret = secret or (not options.key and core.crypto.random(32) or nil), key = options.key, sign_key = options.sign_key,
        algorithm = options.jwt_algorithm, issuer = options.token_issuer, audience = options.token_audience,
        access_seconds = options.jwt_expiration_seconds, refresh_seconds = options.jwt_refresh_expiration_seconds, leeway = options.leeway,
        refresh = options.enable_refresh_tokens, plain = options.plain_tokens, short_secret = options.short_secret, max_revoked = options.max_revoked,
    }
    if not a then return nil, message, err end
    self.core, self.tokens = a, with_tokens
    if options.store then a:use_store(options.store) end
    return self
end

function Manager:now()
    return self.clock and self.clock() or nil
end

function Manager:close()
    if self.keys then self.keys:close() end
    self.core:close()
end

local function needs_tokens(self)
    if self.tokens then return true end
    return fail("ESTATE", nil, "JWT secret key is required")
end

--- role: {name=, permissions={...}, description=, expires_at= (Unix seconds)}; replaces one of that name.
function Manager:create_role(role)
    local expires_at = role.expires_at
    if expires_at == core.null then expires_at = nil end
    return self.core:role(role.name, role.permissions or {}, expires_at)
end

--- The user of an access token, or nil, message, err.
function Manager:authenticate_with_jwt(token)
    local ok, message, err = needs_tokens(self)
    if not ok then return nil, message, err end
    local user
    user, message, err = self.core:validate(token, self:now())
    if not user then return nil, message, err end
    user.authenticated = true
    return user
end
Manager.validate_token = Manager.authenticate_with_jwt

--- The user of an API key: {user_id = key_id, roles=, permissions=, key_id=, agent_scope=}. A key without permissions of its own has
-- all of them within its scope; a key acts in no role.
function Manager:authenticate_with_api_key(key)
    if type(key) ~= "string" or key == "" then return fail("EVERIFY", { reason = "MALFORMED" }, "Invalid API key") end
    if self.keys then
        local hit, message, err = self.keys:check(key, self:now())
        if not hit then return nil, message, err end
        return {
            user_id = hit.key_id, key_id = hit.key_id, roles = core.array {}, permissions = hit.permissions, agent_scope = hit.agent_scope,
            authenticated = true, method = "api_key",
        }
    end
    if self.options.insecure_accept_any_api_key then
        return {
            user_id = core.crypto.sha256(key):sub(1, 16), roles = core.array { "user" }, permissions = self.core:permissions({ "user" }, self:now()),
            authenticated = true, method = "api_key",
        }
    end
    return fail("EVERIFY", { reason = "UNKNOWN" }, "Invalid API key")
end

--- provider: a function, or an object with a method authenticate, that takes the credentials and returns a user or nil.
function Manager:register_auth_provider(name, provider)
    self.providers[#self.providers + 1] = { name = name, provider = provider }
end

--- method: "api_key" (credentials.api_key), "jwt" (credentials.token), or another one, for the registered providers in their order.
function Manager:authenticate(method, credentials)
    if method == "api_key" then return self:authenticate_with_api_key(credentials.api_key) end
    if method == "jwt" then return self:authenticate_with_jwt(credentials.token or "") end
    for _, p in ipairs(self.providers) do
        local user
        if type(p.provider) == "function" then user = p.provider(credentials) else user = p.provider:authenticate(credentials) end
        if user then return user end
    end
    return fail("EVERIFY", nil, "no provider knows these credentials")
end

--- Whether a user may do it: by the roles, and for an API key by the key's own permissions. What a token lists as permissions grants nothing.
function Manager:validate_permissions(user, action)
    if type(user) ~= "table" or type(action) ~= "string" then return false end
    if user.method == "api_key" and user.key_id then
        return core.auth.key_allows(user.permissions or {}, action)
    end
    return self.core:permitted(user.roles or {}, action, self:now())
end

--- Whether a user may deal with this agent: everyone but a key whose scope does not name it.
function Manager:may_agent(user, agent_id)
    if type(user) ~= "table" then return false end
    return core.auth.in_scope(user.agent_scope, agent_id)
end

function Manager:get_user_permissions(user)
    if type(user) ~= "table" then return core.array {} end
    if user.method == "api_key" and user.key_id then return user.permissions end
    return self.core:permissions(user.roles or {}, self:now())
end

local function claims(user, seconds)
    return { user_id = user.user_id, roles = user.roles, permissions = user.permissions, seconds = seconds }
end

--- {access=, refresh=} of a new session; refresh is absent where refresh tokens are disabled.
function Manager:generate_tokens(user)
    local ok, message, err = needs_tokens(self)
    if not ok then return nil, message, err end
    local access, refresh, e = self.core:login(claims(user), self:now())
    if not access then return nil, refresh, e end
    return { access = access, refresh = refresh }
end

--- One token of a type ("access", "refresh", "api_key"), for so many seconds.
function Manager:generate_token(user, token_type, seconds)
    local ok, message, err = needs_tokens(self)
    if not ok then return nil, message, err end
    return self.core:issue(token_type or "access", claims(user, seconds), self:now())
end

--- A new pair for a refresh token, which is used up: {access=, refresh=, access_token=, token_type="Bearer", expires_in=}.
function Manager:refresh_token(token)
    local ok, message, err = needs_tokens(self)
    if not ok then return nil, message, err end
    local access, refresh, user = self.core:refresh(token, self:now())
    if not access then return nil, refresh, user end
    return {
        access = access, refresh = refresh, access_token = access, refresh_token = refresh, token_type = "Bearer",
        expires_in = self.options.jwt_expiration_seconds or 3600, user = user,
    }
end

--- Revokes the token and its session.
function Manager:logout(token)
    local ok, message, err = needs_tokens(self)
    if not ok then return nil, message, err end
    return self.core:logout(token, self:now())
end

return M
