-- Tokens: issued, verified with a secret and with a key set, refused.
local core = require "symbi.core"
local jwt, crypto = core.jwt, core.crypto
local secret = ("s"):rep(32)
return function()
    local token, message = jwt.sign({ sub = "a", exp = 1700000600 }, { alg = "HS256", secret = secret })
    if not token then return nil, message end
    local claims, why = jwt.verify(token, { alg = "HS256", secret = secret, now = 1700000000 })
    if not claims then return nil, why end
    local key = crypto.p256()
    local jwk = key and key:jwk()
    local signed = jwk and jwt.sign('{"exp":1700000600}', { alg = "ES256", key = key, header = { kid = "k" } })
    if not signed then return nil, "no memory to sign" end
    jwk.kid = "k"
    local by_set, reason = jwt.verify(signed, { alg = "ES256", jwks = { keys = { jwk } }, now = 1700000000 })
    if not by_set then return nil, reason end
    -- short of memory or not, this one never passes
    assert(jwt.verify(token, { alg = "HS256", secret = secret, now = 1700000600 }) == nil)
    assert(jwt.verify(signed, { alg = "HS256", secret = secret, now = 1700000000 }) == nil)
    local parts = jwt.decode(token)
    return parts and claims.sub == "a" and by_set.exp == 1700000600
end
