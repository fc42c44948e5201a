-- A credential issued, verified against documents, a bundle and through the machine; pins, nonces, edits.
local core = require "symbi.core"
local agentpin = core.agentpin
local NOW = 1780000000

return function()
    local private, public = agentpin.keypair()
    if not private then return nil, public end
    local jwk, message = agentpin.jwk(public, "k1")
    if not jwk then return nil, message end
    local jwt, why = agentpin.issue { private_key_pem = private, kid = "k1", issuer = "example.com", agent_id = "a", capabilities = { "read:x" }, audience = "v.com", now = NOW }
    if not jwt then return nil, why end
    local doc, no_doc = agentpin.discovery_build {
        entity = "example.com", entity_type = "both", public_keys = { jwk }, agents = { { agent_id = "a", capabilities = { "read:*" }, status = "active" } }, now = NOW,
    }
    if not doc then return nil, no_doc end
    local rev, no_rev = agentpin.revocation_build("example.com", NOW)
    if not rev then return nil, no_rev end
    local pins, nonces = agentpin.pins(), agentpin.nonces()
    if not pins or not nonces then return nil, "no memory for stores" end
    local result, trouble = agentpin.verify(jwt, doc, rev, { now = NOW, audience = "v.com", pin_store = pins, replay_store = nonces })
    if not result then return nil, trouble end
    -- short of memory or not, these never pass
    local other = agentpin.verify(jwt, doc, rev, { now = NOW, audience = "w.com" })
    assert(not (other and other.valid))
    local gone = agentpin.revocation_add(rev, "agent", "a", "superseded", NOW)
    if gone then
        local refused = agentpin.verify(jwt, doc, gone, { now = NOW })
        assert(not (refused and refused.valid))
    end
    local m, no_m = agentpin.online(jwt, { now = NOW, audience = "v.com", pin_store = pins })
    if not m then return nil, no_m end
    while true do
        local ask, bad = m:next()
        if not ask then return nil, bad end
        if ask.kind == "done" then break end
        local ok, closed = m:resolve(ask.id, ask.document == "discovery" and { document = doc } or { document = rev })
        if not ok then return nil, closed end
    end
    local answered = m:result()
    m:close()
    local text, no_text = pins:to_json(true)
    if not text then return nil, no_text end
    local again, unread = agentpin.pins_parse(text)
    if not again then return nil, unread end
    local clash, unmerged = pins:merge(again)
    if not clash then return nil, unmerged end
    return result.valid and result.steps[5].ok and answered.valid and answered.capabilities[1] == "read:x" and again:count() == 1 and result:to_table().agent_id == "a"
end
