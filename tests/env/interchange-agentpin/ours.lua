--- tests/env/interchange-agentpin/ours.lua: our side of the interchange.
--   make N SEED OUT      N random cases issued by us, one JSON object per line, with what must come out
--   judge IN             cases of a peer: verified by us and compared with what the peer says; prints "ok" or "bad ..." for each
local symbi = require "symbi"
local agentpin = symbi.agentpin
local json = symbi.json

local pieces = { "data", "report", "codebase.github.com/org/repo", "a.b.c", "ärger", "☃", "😀", "q\"uote", "back\\slash", "x:y", "tab\there", "<&>", "*", "7" }
local actions = { "read", "write", "execute", "delegate", "com.example.scan" }
local function any(list) return list[math.random(#list)] end

local function domain()
    local label = {}
    for i = 1, math.random(1, 3) do
        label[i] = ("x"):rep(math.random(1, 4)):gsub("x", function() return string.char(math.random(97, 122)) end) .. math.random(0, 99)
    end
    return table.concat(label, ".") .. ".example"
end

-- Ways in which a case is wrong, with the code that everybody must give. "" is a good one.
local faults = { "", "", "", "", "wrong_key", "exceed", "suspended", "revoked_agent", "revoked_credential", "revoked_key", "audience", "tampered", "expired", "unknown_agent", "unknown_kid",
    "constraint", "entity", "raw_signature" }

local function swap(jwt, part, f)
    local parts = {}
    for p in jwt:gmatch "[^.]+" do parts[#parts + 1] = p end
    parts[part] = f(parts[part])
    return table.concat(parts, ".")
end

local function make_case(n)
    local keys, other = assert(agentpin.generate_key_pair()), assert(agentpin.generate_key_pair())
    local iss, kid, fault = domain(), "kid-" .. math.random(1e6), any(faults)
    local agent_id = any { "urn:agentpin:" .. iss .. ":a" .. n, "plain", "0b9a3c1e-5f42-4f0e-9f7a-2f1f0f4f9a11", "übung ☃ \"" .. n }
    local declared, caps = symbi.array {}, symbi.array {}
    for i = 1, math.random(1, 5) do
        local c = any(actions) .. ":" .. any(pieces)
        declared[i] = c
        if math.random() < 0.7 then caps[#caps + 1] = math.random() < 0.5 and c or (c:sub(-1) == "*" and c or c .. ".sub") end
    end
    if fault == "exceed" then caps[#caps + 1] = "write:never-declared-" .. n end
    local constraints
    if math.random() < 0.4 or fault == "constraint" then
        constraints = { rate_limit = fault == "constraint" and "101/hour" or math.random(1, 100) .. "/hour", allowed_domains = symbi.array { "a.client.com" }, data_classification_max = "internal" }
    end
    local audience = any { "verifier.com", "*", false }
    if fault == "audience" then audience = "someone.else" end
    local jwt = assert(agentpin.issue_credential {
        private_key_pem = (fault == "wrong_key" and other or keys).private_key_pem, kid = fault == "unknown_kid" and "nope" or kid, issuer = iss,
        agent_id = fault == "unknown_agent" and "ghost" or agent_id, capabilities = caps, audience = audience or nil, constraints = constraints,
        ttl_secs = fault == "expired" and -3600 or math.random(60, 86400), now = fault == "expired" and os.time() - 60 or nil,
    })
    if fault == "tampered" then jwt = swap(jwt, 3, function(s) return s:sub(1, 20) .. (s:sub(21, 21) == "A" and "B" or "A") .. s:sub(22) end) end
    if fault == "raw_signature" then jwt = swap(jwt, 3, function() return ("A"):rep(86) end) end
    local jti = assert(agentpin.decode_jwt_unverified(jwt)).payload.jti
    local doc = assert(agentpin.build_discovery_document {
        entity = fault == "entity" and "other.example" or iss, entity_type = any { "maker", "deployer", "both" }, public_keys = symbi.array { assert(agentpin.pem_to_jwk(keys.public_key_pem, kid)) },
        agents = symbi.array { {
            agent_id = agent_id, name = "N", capabilities = declared, status = fault == "suspended" and "suspended" or "active",
            constraints = { rate_limit = "100/hour", allowed_domains = symbi.array { "*.client.com" }, data_classification_max = "confidential" },
        } }, max_delegation_depth = math.random(0, 3),
    })
    local rev = assert(agentpin.build_revocation_document(doc.entity))
    if fault == "revoked_agent" then rev = assert(agentpin.add_revoked_agent(rev, agent_id, "superseded")) end
    if fault == "revoked_credential" then rev = assert(agentpin.add_revoked_credential(rev, jti, "key_compromise")) end
    if fault == "revoked_key" then rev = assert(agentpin.add_revoked_key(rev, kid, "superseded")) end
    local pins = agentpin.create_pin_store()
    local result = assert(agentpin.verify_credential_offline(jwt, doc, rev, { audience = "verifier.com", pin_store = pins }))
    local data = any(pieces) .. n
    local attestation = assert(agentpin.create_attestation {
        private_key_pem = keys.private_key_pem, kid = kid, domain = iss, role = "maker", agent_id = "t", delegatee_domain = "d.example", delegatee_agent_id = "s", capabilities = symbi.array { "read:data", "write:x" },
    })
    local challenge = assert(agentpin.create_challenge())
    return {
        n = n, fault = fault, jwt = jwt, discovery = doc, revocation = rev, audience = "verifier.com", valid = result.valid, code = result.error_code, public_key_pem = keys.public_key_pem,
        private_key_pem = keys.private_key_pem, key_id = agentpin.generate_key_id(keys.public_key_pem), jwk = doc.public_keys[1], thumbprint = agentpin.jwk_thumbprint(doc.public_keys[1]), data = data,
        pins = assert(pins:to_json()), signature = assert(agentpin.sign_data(keys.private_key_pem, data)), attestation = attestation, challenge = challenge,
        response = assert(agentpin.create_response(challenge, keys.private_key_pem, kid)),
    }
end

local function judge(c)
    local result, message = agentpin.verify_credential_offline(c.jwt, c.discovery, c.revocation, { audience = c.audience, pin_store = agentpin.create_pin_store() })
    if not result then return "verify: " .. message end
    local code = c.code
    if code == symbi.null then code = nil end
    if result.valid ~= c.valid or result.error_code ~= code then return "verdict " .. tostring(result.error_code) .. " (" .. tostring(result.error_message) .. "), the peer says " .. tostring(code) end
    local pins, bad = agentpin.KeyPinStore.from_json(c.pins) -- what the peer pinned is pinned for us
    if not pins then return "pins: " .. bad end
    if c.valid then
        result = assert(agentpin.verify_credential_offline(c.jwt, c.discovery, c.revocation, { audience = c.audience, pin_store = pins }))
        if not result.valid or result.key_pinning.status ~= "pinned" then return "pins: " .. tostring(result) end
    end
    if agentpin.generate_key_id(c.public_key_pem) ~= c.key_id then return "key id" end
    local jwk = agentpin.pem_to_jwk(c.public_key_pem, c.jwk.kid)
    if jwk.x ~= c.jwk.x or jwk.y ~= c.jwk.y then return "JWK" end
    if agentpin.jwk_thumbprint(c.jwk) ~= c.thumbprint then return "thumbprint" end
    if agentpin.jwk_to_pem(c.jwk) ~= c.public_key_pem then return "PEM" end
    if agentpin.verify_signature(c.public_key_pem, c.data, c.signature) ~= true then return "signature" end
    local ok
    ok, message = agentpin.verify_attestation(c.attestation, c.public_key_pem, "d.example", "s", symbi.array { "read:data", "write:x" })
    if not ok then return "attestation: " .. message end
    ok, message = agentpin.verify_response(c.response, c.challenge, c.public_key_pem)
    if ok ~= true then return "response: " .. tostring(message) end
    local again = assert(agentpin.sign_data(c.private_key_pem, c.data)) -- their private key is readable for us
    if agentpin.verify_signature(c.public_key_pem, c.data, again) ~= true then return "private key" end
end

if arg[1] == "make" then
    math.randomseed(tonumber(arg[3]))
    local f = assert(io.open(arg[4], "wb"))
    for n = 1, tonumber(arg[2]) do f:write(assert(json.encode(make_case(n))), "\n") end
    f:close()
else
    for line in io.lines(arg[2]) do
        local c = assert(json.decode(line))
        local why = judge(c)
        print(why and "bad case " .. c.n .. " (" .. tostring(c.fault) .. "): " .. why or "ok")
    end
end
