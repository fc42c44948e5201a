---@meta symbi.jwt

---@alias symbi.jwt.Algorithm "HS256"|"HS384"|"HS512"|"ES256"|"ES256-DER"|"RS256"|"EdDSA"

---@class symbi.jwt.VerifyOptions
---@field alg symbi.jwt.Algorithm
---@field secret? string
---@field key? symbi.crypto.Key|string a key or PEM text
---@field jwks? table
---@field now? integer seconds
---@field leeway? integer
---@field max_lifetime? integer
---@field exp_optional? boolean
---@field float_times? boolean
---@field check_iat? boolean
---@field issuer? string
---@field audience? string
---@field refuse_audience? boolean
---@field typ? string
---@field required? string[] names of claims
---@field short_secret_ok? boolean

---@class symbi.jwt.SignOptions
---@field alg symbi.jwt.Algorithm
---@field secret? string
---@field key? symbi.crypto.Key|string
---@field header? table<string, any>
---@field short_secret_ok? boolean

---@class symbi.jwt
local M = {}

--- err.reason tells which of reasons() it was.
---@param token string
---@param options symbi.jwt.VerifyOptions
---@return table? claims, table|string|nil header_or_message, symbi.Failure? err
function M.verify(token, options) end

--- Nothing is verified.
---@param token string
---@return { header: table, claims: table, signature: string, signed: string }? parts, string? message, symbi.Failure? err
function M.decode(token) end

---@param claims table|string a table, or JSON text
---@param options symbi.jwt.SignOptions
---@return string? token, string? message, symbi.Failure? err
function M.sign(claims, options) end

---@param set table
---@param kid? string
---@param alg symbi.jwt.Algorithm
---@return symbi.crypto.Key? key, string? message, symbi.Failure? err
function M.jwks(set, kid, alg) end

---@return table<string, string>
function M.reasons() end

return M
