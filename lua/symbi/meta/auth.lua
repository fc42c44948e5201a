---@meta symbi.auth

---@class symbi.auth.User
---@field user_id string
---@field roles string[]
---@field permissions string[]
---@field key_id? string of an API key
---@field agent_scope? string[] of an API key

---@class symbi.auth.Tokens
---@field access string
---@field refresh? string
---@field access_token? string
---@field token_type? string
---@field expires_in? integer

---@class symbi.auth.ManagerOptions : symbi.auth.ManagerConfig
---@field api_keys_file? string
---@field store? symbi.store.Store revocation survives a restart
---@field now? fun(): integer
---@field key? symbi.crypto.Key
---@field sign_key? symbi.crypto.Key
---@field plain_tokens? boolean
---@field short_secret? boolean
---@field insecure_accept_any_api_key? boolean

--- The SDK's auth configuration.
---@class symbi.auth.ManagerConfig
---@field jwt_secret_key? string
---@field jwt_algorithm? string
---@field jwt_expiration_seconds? integer
---@field jwt_refresh_expiration_seconds? integer
---@field enable_refresh_tokens? boolean
---@field token_issuer? string
---@field token_audience? string

---@class symbi.auth.Manager
local Manager = {}
---@return integer
function Manager:now() end
---@param role { name: string, permissions: string[], description?: string, expires_at?: integer }
---@return any ok, string? message, symbi.Failure? err
function Manager:create_role(role) end
---@param method string "api_key", "jwt", or for the registered providers
---@param credentials table
---@return symbi.auth.User? user, string? message, symbi.Failure? err
function Manager:authenticate(method, credentials) end
---@param token string
---@return symbi.auth.User? user, string? message, symbi.Failure? err
function Manager:authenticate_with_jwt(token) end
--- The SDK's other name of it.
---@param token string
---@return symbi.auth.User? user, string? message, symbi.Failure? err
function Manager:validate_token(token) end
---@param key string
---@return symbi.auth.User? user, string? message, symbi.Failure? err
function Manager:authenticate_with_api_key(key) end
---@param name string
---@param provider (fun(credentials: table): symbi.auth.User?)|table
function Manager:register_auth_provider(name, provider) end
---@param user symbi.auth.User
---@param action string
---@return boolean
function Manager:validate_permissions(user, action) end
---@param user symbi.auth.User
---@param agent_id string
---@return boolean
function Manager:may_agent(user, agent_id) end
---@param user symbi.auth.User
---@return string[]
function Manager:get_user_permissions(user) end
---@param user symbi.auth.User
---@return symbi.auth.Tokens? tokens, string? message, symbi.Failure? err
function Manager:generate_tokens(user) end
---@param user symbi.auth.User
---@param token_type "access"|"refresh"|"api_key"
---@param seconds? integer
---@return string? token, string? message, symbi.Failure? err
function Manager:generate_token(user, token_type, seconds) end
---@param token string
---@return symbi.auth.Tokens? tokens, string? message, symbi.Failure? err
function Manager:refresh_token(token) end
---@param token string
---@return any ok, string? message, symbi.Failure? err
function Manager:logout(token) end
function Manager:close() end

--- The file of API keys.
---@class symbi.auth.Keys
local Keys = {}
---@return any keys, string? message, symbi.Failure? err
function Keys:load() end
function Keys:forget() end
---@param presented string
---@param now? integer
---@return table? hit, string? message, symbi.Failure? err
function Keys:check(presented, now) end
---@param options { key_id: string, description?: string, agent_scope?: string[], permissions?: string[], expires_at?: integer, cost?: table }
---@param now? integer
---@return string? key, string? message, symbi.Failure? err
function Keys:create(options, now) end
---@param key_id string
---@return any ok, string? message, symbi.Failure? err
function Keys:revoke(key_id) end
---@return table[]? list, string? message, symbi.Failure? err
function Keys:list() end
function Keys:close() end

--- Tokens for those who need no manager: as symbi.jwt.
---@class symbi.auth.Jwt
---@field sign fun(claims: table|string, options: symbi.jwt.SignOptions): string?, string?, symbi.Failure?
---@field encode fun(claims: table|string, options: symbi.jwt.SignOptions): string?, string?, symbi.Failure? the same
---@field verify fun(token: string, options: symbi.jwt.VerifyOptions): table?, any, symbi.Failure?
---@field decode fun(token: string): table?, string?, symbi.Failure?

---@class symbi.auth
---@field AuthMethod table<string, string>
---@field Permission table<string, string>
---@field TokenType table<string, string>
---@field jwt symbi.auth.Jwt as symbi.jwt
local M = {}

---@param options symbi.auth.ManagerOptions
---@return symbi.auth.Manager? manager, string? message, symbi.Failure? err
function M.manager(options) end
---@param path string
---@param options? { legacy?: boolean }
---@return symbi.auth.Keys
function M.api_keys(path, options) end
--- The token of an Authorization header.
---@param header? string
---@return string?
function M.bearer(header) end
---@param text string
---@return string? token, string? message, symbi.Failure? err
function M.check_token(text) end
---@param presented string
---@param expected string
---@return boolean
function M.same_token(presented, expected) end
---@param text string
---@return string? name, string? message, symbi.Failure? err
function M.environment(text) end

return M
