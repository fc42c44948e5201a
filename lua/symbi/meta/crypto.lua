---@meta symbi.crypto

---@class symbi.crypto.Hasher : userdata
local Hasher = {}
---@param data string
function Hasher:add(data) end
---@param raw? boolean
---@return string
function Hasher:finish(raw) end
function Hasher:close() end

---@alias symbi.crypto.SignatureForm "raw"|"der"

---@class symbi.crypto.Key : userdata
local Key = {}
---@return "ed25519"|"p256"|"rsa"
function Key:kind() end
---@return boolean
function Key:is_private() end
---@return string
function Key:id() end
---@param raw? boolean
---@return string
function Key:public(raw) end
--- Ed25519 only.
---@param raw? boolean
---@return string? seed, string? message, symbi.Failure? err
function Key:seed(raw) end
---@return string? pem, string? message, symbi.Failure? err
function Key:public_pem() end
---@return string? pem, string? message, symbi.Failure? err
function Key:private_pem() end
---@return table? jwk, string? message, symbi.Failure? err
function Key:jwk() end
--- SHA-256 of the SubjectPublicKeyInfo.
---@param raw? boolean
---@return string
function Key:fingerprint(raw) end
--- RFC 7638.
---@param raw? boolean
---@return string
function Key:thumbprint(raw) end
--- Ed25519.
---@param data string
---@param raw? boolean
---@return string? signature, string? message, symbi.Failure? err
function Key:sign(data, raw) end
---@param data string
---@param signature string
---@return boolean
function Key:verify(data, signature) end
---@param data string
---@param form symbi.crypto.SignatureForm
---@param raw? boolean
---@return string? signature, string? message, symbi.Failure? err
function Key:es256_sign(data, form, raw) end
---@param data string
---@param signature string
---@param form symbi.crypto.SignatureForm
---@return boolean ok, string? why
function Key:es256_verify(data, signature, form) end
---@param data string
---@param signature string bytes
---@return boolean ok, string? why
function Key:rs256_verify(data, signature) end
function Key:close() end

--- Hashes, keys and signatures come out as hex, or as bytes where the last argument is true; they go in as either.
---@class symbi.crypto
local M = {}

---@param data string
---@param raw? boolean
---@return string
function M.sha256(data, raw) end
---@param key string
---@param data string
---@param raw? boolean
---@return string
function M.hmac_sha256(key, data, raw) end
---@param hash "sha256"|"sha384"|"sha512"
---@param key string
---@param data string
---@param raw? boolean
---@return string
function M.hmac(hash, key, data, raw) end
---@return symbi.crypto.Hasher
function M.hasher() end
--- In constant time.
---@param a string
---@param b string
---@return boolean
function M.equal(a, b) end
---@param n integer
---@return string? bytes, string? message, symbi.Failure? err
function M.random(n) end
---@param bytes string
---@return string
function M.hex(bytes) end
---@param text string
---@return string? bytes, string? message, symbi.Failure? err
function M.unhex(text) end
--- A new key, or one of a seed, or a public one.
---@param from? { seed?: string, public?: string }
---@return symbi.crypto.Key? key, string? message, symbi.Failure? err
function M.ed25519(from) end
---@param from? { public?: string } x and y
---@return symbi.crypto.Key? key, string? message, symbi.Failure? err
function M.p256(from) end
---@param text string
---@return symbi.crypto.Key? key, string? message, symbi.Failure? err
function M.key_from_pem(text) end
--- Public keys only.
---@param jwk table|string
---@return symbi.crypto.Key? key, string? message, symbi.Failure? err
function M.key_from_jwk(jwk) end
---@param key string
---@param nonce string
---@param plain string
---@param ad? string
---@return string? sealed, string? message, symbi.Failure? err
function M.aes256gcm_seal(key, nonce, plain, ad) end
---@param key string
---@param nonce string
---@param sealed string
---@param ad? string
---@return string? plain, string? message, symbi.Failure? err
function M.aes256gcm_open(key, nonce, sealed, ad) end
---@param password string
---@param salt string
---@param cost { m: integer, t: integer, p: integer, n?: integer }
---@param raw? boolean
---@return string? hash, string? message, symbi.Failure? err
function M.argon2id(password, salt, cost, raw) end
---@param password string
---@param cost? { m?: integer, t?: integer, p?: integer }
---@return string? phc, string? message, symbi.Failure? err
function M.argon2id_hash(password, cost) end
---@param phc string
---@param password string
---@return boolean? ok, string? message, symbi.Failure? err
function M.argon2id_verify(phc, password) end

return M
