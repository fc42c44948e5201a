-- Hashes and keys.
local crypto = require("symbi.core").crypto
return function()
    local digest = crypto.sha256 "abc"
    local key, message = crypto.ed25519()
    if not key then return nil, message end
    local signature, why = key:sign "text"
    if not signature then return nil, why end
    local good, bad = key:verify("text", signature), key:verify("other", signature)
    if good == nil or bad == nil then return nil, "no memory to verify" end
    assert(bad == false)
    return digest and good and crypto.hmac_sha256("k", "abc")
end
