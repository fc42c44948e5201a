---@meta symbi.webhook

---@class symbi.webhook.Options
---@field secret? string
---@field secrets? string[] each is tried
---@field header? string
---@field header_name? string the SDK's name of it
---@field prefix? string
---@field legacy? boolean
---@field tolerance? integer
---@field timestamp_header? string
---@field payload? string "{timestamp}.{body}"
---@field issuer? string
---@field required_issuer? string the SDK's name of it
---@field audience? string
---@field leeway? integer
---@field replay? boolean
---@field delivery? boolean
---@field delivery_header? string
---@field replay_max? integer
---@field replay_seconds? integer
---@field max_body? integer

---@class symbi.webhook.Info
---@field header_name string
---@field secret integer which of the secrets it was
---@field timestamp? integer
---@field delivery? string
---@field claims? table
---@field key? string
---@field keep_until? integer

---@class symbi.webhook.Verifier : userdata
local Verifier = {}
---@param headers symbi.Headers
---@param body string
---@param now? integer
---@return symbi.webhook.Info? info, string? message, symbi.Failure? err
function Verifier:verify(headers, body, now) end
---@param store? symbi.store.Store
function Verifier:use_store(store) end
---@return integer
function Verifier:remembered() end
---@return string[]
function Verifier:headers() end
function Verifier:close() end

---@class symbi.webhook.Provider
---@field name string
---@field header_name string
---@field prefix? string
local Provider = {}
---@param secret string|string[]|{ secret: string }
---@param options? symbi.webhook.Options
---@return symbi.webhook.Verifier? verifier, string? message, symbi.Failure? err
function Provider:verifier(secret, options) end

---@alias symbi.webhook.Service "github"|"stripe"|"slack"|"standard"|"custom"

---@class symbi.webhook
---@field reasons table<string, string>
---@field status_values table<string, string>
---@field GITHUB symbi.webhook.Provider
---@field STRIPE symbi.webhook.Provider
---@field SLACK symbi.webhook.Provider
---@field CUSTOM symbi.webhook.Provider
local M = {}

--- An HMAC-SHA256 in a header.
---@param options symbi.webhook.Options
---@return symbi.webhook.Verifier? verifier, string? message, symbi.Failure? err
function M.hmac(options) end

--- An HS256 token in a header; it does not cover the body.
---@param options symbi.webhook.Options
---@return symbi.webhook.Verifier? verifier, string? message, symbi.Failure? err
function M.jwt(options) end

--- A verifier for a service, or without a secret its preset.
---@param name symbi.webhook.Service
---@param secret string|string[]
---@param options? symbi.webhook.Options
---@return symbi.webhook.Verifier? verifier, string? message, symbi.Failure? err
---@overload fun(name: symbi.webhook.Service): symbi.webhook.Provider
function M.provider(name, secret, options) end

---@param config { provider?: string, secret?: string, secrets?: string[], header_name?: string, required_issuer?: string }
---@param options? symbi.webhook.Options
---@return symbi.webhook.Verifier? verifier, string? message, symbi.Failure? err
function M.from_config(config, options) end

--- The HTTP status that answers a refusal.
---@param err? symbi.Failure
---@return integer
function M.status(err) end

--- In nginx's access phase: verifies the request, or answers it and ends it there.
---@param verifier symbi.webhook.Verifier
---@param options? { dict?: string, now?: fun(): integer }
---@return symbi.webhook.Info? info
function M.access(verifier, options) end

---@param fields table<string, any>
---@return table? body, string? message, symbi.Failure? err
function M.invocation(fields) end

---@param response string|table
---@return table? answer, string? message, symbi.Failure? err
function M.parse_response(response) end

return M
