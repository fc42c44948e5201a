-- Hashes, keys of each kind, PEM and JWK, signatures, sealing.
local crypto = require("symbi.core").crypto
return function()
    crypto.sha256 "" -- the context's own, once
    local digest = crypto.sha256 "abc"
    local key, message = crypto.ed25519()
    if not key then return nil, message end
    local signature, why = key:sign "text"
    if not signature then return nil, why end
    local good, bad = key:verify("text", signature), key:verify("other", signature)
    if good == nil or bad == nil then return nil, "no memory to verify" end
    assert(bad == false)
    local p256 = crypto.p256()
    if not p256 then return nil, "no memory for a key" end
    local pem, jwk = p256:private_pem(), p256:jwk()
    if not pem or not jwk then return nil, "no memory to write a key" end
    local again, public = crypto.key_from_pem(pem), crypto.key_from_jwk(jwk)
    if not again or not public then return nil, "no memory to read a key" end
    local es = again:es256_sign("text", "der")
    if not es then return nil, "no memory to sign" end
    local fits, fits_not = public:es256_verify("text", es, "der"), public:es256_verify("other", es, "der")
    if fits == nil or fits_not == nil then return nil, "no memory to verify" end
    assert(fits_not == false)
    local sealed = crypto.aes256gcm_seal(("k"):rep(32), ("n"):rep(12), "text")
    local plain = sealed and crypto.aes256gcm_open(("k"):rep(32), ("n"):rep(12), sealed)
    return digest and good and fits and plain == "text" and crypto.hmac_sha256("k", "abc") and crypto.hmac("sha512", "k", "abc")
end
