-- Verifiers of every scheme, requests that pass and requests that do not, the replay cache with a store.
local core = require "symbi.core"
return function()
    local secret = ("k"):rep(32)
    local store, message = core.audit.memstore()
    if not store then return nil, message end
    local v, why = core.webhook.new { scheme = "github", secrets = { "old", secret }, replay = true, delivery = true }
    if not v then return nil, why end
    v:use_store(store)
    local mac = core.crypto.hmac_sha256(secret, "body")
    if not mac then return nil, "no memory to sign" end
    local headers = { ["X-Hub-Signature-256"] = "sha256=" .. mac, ["X-GitHub-Delivery"] = { "d-1" } }
    local err
    local info, m = v:verify(headers, "body", 1000)
    if not info then return nil, m end
    assert(info.delivery == "d-1" and info.secret == 2)
    info, m, err = v:verify(headers, "body", 1001)
    if err.code == "ENOMEM" then return nil, m end
    assert(info == nil and err.reason == "REPLAYED", m)
    v:close()
    local j = core.webhook.new { scheme = "jwt", secret = secret, issuer = "x" }
    if not j then return nil, "no memory for a verifier" end
    local token = core.jwt.sign({ iss = "x", exp = 2000 }, { alg = "HS256", secret = secret })
    if not token then return nil, "no memory for a token" end
    info, m = j:verify({ { "Authorization", "Bearer " .. token } }, "", 1000)
    if not info then return nil, m end
    assert(info.claims.iss == "x")
    return true
end
