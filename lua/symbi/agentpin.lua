--- symbi.agentpin: domain-anchored identity for agents: key pairs, credentials, discovery documents, pins, trust bundles, revocation,
-- delegation, mutual authentication, transports, DNS and agent cards. No server is needed. C decides (symbi.core.agentpin); this file has
-- the names, and the arguments as people give them. Everything that depends on the time takes `now` (Unix seconds).
--
--   keys = agentpin.generate_key_pair()               keys.private_key_pem, keys.public_key_pem
--   kid = agentpin.generate_key_id(keys.public_key_pem)
--   jwt = agentpin.issue_credential{private_key_pem=, kid=, issuer="example.com", agent_id=, capabilities={"read:data"}, ttl_secs=3600}
--   result = agentpin.verify_credential(jwt)          result.valid, result.agent_id, result.capabilities, result.steps, ...
--
-- A refused credential is a result (result.valid == false, result.error_code); nil, message, err is trouble of our own.
local core = require("symbi.core").agentpin
local crypto = require("symbi.core").crypto

local M = {
    codes = core.codes, reasons = core.reasons, limits = core.limits,
    AGENTPIN_VERSION = "0.1",
    EntityType = { MAKER = "maker", DEPLOYER = "deployer", BOTH = "both" },
    AgentStatus = { ACTIVE = "active", SUSPENDED = "suspended", DEPRECATED = "deprecated" },
    DelegationRole = { MAKER = "maker", DEPLOYER = "deployer" },
    DataClassification = { PUBLIC = "public", INTERNAL = "internal", CONFIDENTIAL = "confidential", RESTRICTED = "restricted" },
    TrustLevel = { TOFU = "tofu", VERIFIED = "verified", PINNED = "pinned" },
    PinningResult = { FIRST_USE = "first_use", MATCHED = "matched", CHANGED = "changed" },
    RevocationReason = {
        KEY_COMPROMISE = "key_compromise", AFFILIATION_CHANGED = "affiliation_changed", SUPERSEDED = "superseded",
        CESSATION_OF_OPERATION = "cessation_of_operation", PRIVILEGE_WITHDRAWN = "privilege_withdrawn", POLICY_VIOLATION = "policy_violation",
    },
    ErrorCode = core.codes,
}

-- ---- keys -----------------------------------------------------------------------------------------------------------------

--- A new key pair: {private_key_pem=, public_key_pem=}, also at [1] and [2].
function M.generate_key_pair()
    local private, public, err = core.keypair()
    if not private then return nil, public, err end
    return { private, public, private_key_pem = private, public_key_pem = public }
end

M.generate_key_id = core.key_id
M.pem_to_jwk = core.jwk
M.jwk_to_pem = core.jwk_to_pem
M.jwk_thumbprint = core.thumbprint
--- A key parsed once, for many uses: load_key(pem) from PEM, jwk_key(jwk) from a JWK.
M.load_key = core.key
M.jwk_key = core.jwk_key
M.sign_data = core.sign
--- verify_signature(public_key, data, signature) -> boolean
M.verify_signature = core.check_signature
function M.sha256_hash(data) return crypto.sha256(data, true) end
function M.sha256_hex(data) return crypto.sha256(data) end

-- ---- issuing --------------------------------------------------------------------------------------------------------------

--- issue_credential{...}, or in the order of the Python SDK (private_key_pem, kid, issuer, agent_id, capabilities, audience, constraints,
-- delegation_chain, ttl_secs). private_key takes a key object: parsing PEM costs as much as signing.
function M.issue_credential(options, kid, issuer, agent_id, capabilities, audience, constraints, chain, ttl)
    if type(options) ~= "table" then
        options = {
            private_key = options, kid = kid, issuer = issuer, agent_id = agent_id, capabilities = capabilities, audience = audience,
            constraints = constraints, delegation_chain = chain, ttl_secs = ttl,
        }
    end
    return core.issue(options)
end

M.decode_jwt_unverified = core.decode
--- verify_jwt(jwt, public_key) -> {header, payload, signature}: the signature alone, nothing else.
M.verify_jwt = core.verify_jwt
M.claimed_issuer = core.claimed_issuer

-- ---- capabilities, constraints --------------------------------------------------------------------------------------------

M.parse_capability = core.capability_parse
M.capability_matches = core.capability_matches
M.capabilities_subset = core.capabilities_subset
M.capabilities_hash = core.capabilities_hash
M.validate_capability = core.capability_validate
M.Capability = {
    CORE_ACTIONS = { "read", "write", "execute", "admin", "delegate", "delete" },
    create = function(action, resource) return action .. ":" .. resource end,
    parse = core.capability_parse, matches = core.capability_matches, validate_capability = core.capability_validate,
}
M.parse_rate_limit = core.rate_limit
M.domain_pattern_matches = core.domain_matches
M.constraints_subset_of = core.constraints_subset
M.domain_ok = core.domain_ok

--- Lists of allowed domains: {} is everybody, false is nobody.
M.allowed_domains = {
    allows = core.domains_allow,
    intersect = core.domains_intersect,
    from_constraints = function(constraints)
        local list = type(constraints) == "table" and constraints.allowed_domains
        return type(list) == "table" and list or require("symbi.core").array {}
    end,
}

-- ---- documents ------------------------------------------------------------------------------------------------------------

--- build_discovery_document{entity=, entity_type=, public_keys=, agents=, max_delegation_depth=, updated_at=, a2a_endpoint=, now=}, or the
-- same in this order.
function M.build_discovery_document(entity, entity_type, keys, agents, depth, updated_at, a2a_endpoint)
    if type(entity) == "table" then return core.discovery_build(entity) end
    return core.discovery_build {
        entity = entity, entity_type = entity_type, public_keys = keys, agents = agents, max_delegation_depth = depth,
        updated_at = updated_at, a2a_endpoint = a2a_endpoint,
    }
end

M.validate_discovery_document = core.discovery_validate
M.find_key_by_kid = core.find_key
M.find_agent_by_id = core.find_agent
--- A document parsed once, for many uses (also a trust bundle): verify takes it wherever it takes a table.
M.document = core.document

--- validate_credential_against_discovery(payload, document): steps 7 to 9 for a payload that was verified before. true, or nil and why.
function M.validate_credential_against_discovery(payload, document)
    local agent = core.find_agent(document, payload.sub)
    local function no(code, message) return nil, message, require("symbi.core").error(code, message) end
    if not agent then return no("AGENT_NOT_FOUND", "Agent '" .. tostring(payload.sub) .. "' not found in discovery document") end
    if agent.status ~= "active" then return no("AGENT_INACTIVE", "Agent '" .. payload.sub .. "' status is " .. tostring(agent.status)) end
    if not core.capabilities_subset(agent.capabilities, payload.capabilities, false) then
        return no("CAPABILITY_EXCEEDED", "Credential capabilities exceed discovery document")
    end
    if not core.constraints_subset(agent.constraints, payload.constraints, true) then
        return no("CONSTRAINT_VIOLATION", "Credential constraints are less restrictive than discovery defaults")
    end
    return true
end

M.build_revocation_document = core.revocation_build
--- check_revocation(doc, jti, agent_id, kid[, entity]): true, or nil, message, err.
function M.check_revocation(doc, jti, agent_id, kid, entity) return core.revocation_check(doc, entity, jti, agent_id, kid) end
function M.add_revoked_credential(doc, jti, reason, now) return core.revocation_add(doc, "credential", jti, reason, now) end
function M.add_revoked_agent(doc, agent_id, reason, now) return core.revocation_add(doc, "agent", agent_id, reason, now) end
function M.add_revoked_key(doc, kid, reason, now) return core.revocation_add(doc, "key", kid, reason, now) end

--- A new key for a domain: {old_kid=, kid=, jwk=, private_key_pem=, public_key_pem=}.
function M.prepare_rotation(old_kid)
    local keys, message, err = M.generate_key_pair()
    if not keys then return nil, message, err end
    local kid = core.key_id(keys.public_key_pem)
    return {
        old_kid = old_kid, kid = kid, new_kid = kid, jwk = core.jwk(keys.public_key_pem, kid),
        private_key_pem = keys.private_key_pem, public_key_pem = keys.public_key_pem,
    }
end
function M.apply_rotation(doc, plan, now) return core.rotation_apply(doc, plan.jwk or plan, now) end
--- complete_rotation(doc, revocation, old_kid, reason[, now]) -> new document, new revocation document
M.complete_rotation = core.rotation_complete

-- ---- delegation -----------------------------------------------------------------------------------------------------------

M.canonical_attestation_input = core.attestation_input
M.create_attestation = core.attestation_create
M.verify_attestation = core.attestation_verify
M.verify_chain_depth = core.chain_depth

-- ---- mutual authentication ------------------------------------------------------------------------------------------------

M.create_challenge = core.challenge
M.create_response = core.response
--- verify_response(response, challenge, public_key[, {now=, binding=, kid=, nonce_store=}]) -> boolean
M.verify_response = core.response_verify
function M.verify_response_with_nonce_store(response, challenge, key, store, options)
    local o = { nonce_store = store }
    for k, v in pairs(options or {}) do o[k] = v end
    return core.response_verify(response, challenge, key, o)
end
--- Remembers what was used: store:use(nonce, expires[, now]); also the replay_store of a verification.
M.create_nonce_store = core.nonces
M.InMemoryNonceStore = core.nonces

-- ---- transports -----------------------------------------------------------------------------------------------------------

M.http = { extract = core.http_extract, format = function(jwt) return "AgentPin " .. jwt end }
M.mcp = {
    extract = core.mcp_extract,
    format = function(jwt) return { agentpin_credential = jwt } end,
    capability = function(required) return { agentpin = { version = "0.1", required = required == true } } end,
}
M.websocket = { extract = core.ws_extract, format = core.ws_format }
M.grpc = { extract = core.grpc_extract, format = function(jwt) return jwt end, METADATA_KEY = "agentpin-credential" }

M.dns = { parse = core.dns_parse, name = core.dns_name, match = core.dns_match, pick = core.dns_pick }

-- ---- agent cards ----------------------------------------------------------------------------------------------------------

M.a2a = {
    canonical = core.card_canonical,
    build = core.card_build,
    sign = core.card_sign,
    verify_extension = core.card_verify,
    verify_with_discovery = core.card_verify_with_discovery,
    endpoint_host = core.card_host,
    derive_discovery = core.card_discovery,
}

local Cards = {}
Cards.__index = Cards

--- A store of agent cards by host. A card takes another's place only when the same key signed it.
function M.a2a.store() return setmetatable({ cards = {}, n = 0 }, Cards) end

function Cards:register(card)
    local ok, message, err = core.card_verify(card)
    if not ok then return nil, message, err end
    local host
    host, message, err = core.card_host(card, true)
    if not host then return nil, message, err end
    local held = self.cards[host]
    if held and not core.card_same_key(card, held) then
        message = "a card of " .. host .. " is held already, signed by another key: remove it first"
        return nil, message, require("symbi.core").error("KEY_PIN_MISMATCH", message)
    end
    if not held then self.n = self.n + 1 end
    self.cards[host] = card
    return self.n
end

function Cards:card(host) return self.cards[host] end
function Cards:remove(host)
    if not self.cards[host] then return false end
    self.cards[host] = nil
    self.n = self.n - 1
    return true
end

--- The discovery document derived from a held card, as a resolver gives it.
function Cards:discovery(host)
    local card = self.cards[host]
    if not card then return nil, "no card of " .. tostring(host) end
    return core.card_discovery(card)
end
function Cards:revocation() return false end

-- ---- pins, bundles, verification: files and networks are in symbi.agentpin.* ------------------------------------------------

M.create_pin_store = core.pins
M.KeyPinStore = { new = core.pins, from_json = core.pins_parse }

--- check_pinning(store, domain, jwk[, now]): "first_use" or "matched", or nil, message, err (KEY_PIN_MISMATCH).
function M.check_pinning(store, domain, jwk, now)
    local is, message, err = store:check(domain, jwk, now)
    if is ~= "changed" then return is, message, err end
    message = string.format("Key for domain '%s' has changed since last pinned (kid: '%s')", domain, tostring(jwk.kid))
    return nil, message, require("symbi.core").error("KEY_PIN_MISMATCH", message)
end

function M.create_trust_bundle(created_at)
    local now = type(created_at) == "string" and core.parse_time(created_at) or created_at
    return core.bundle_create(nil, nil, now)
end
M.build_trust_bundle = core.bundle_create
M.check_trust_bundle = core.bundle_check
M.find_bundle_discovery = core.bundle_discovery
M.find_bundle_revocation = core.bundle_revocation

local files = { open_pin_store = true, load_trust_bundle = true, save_trust_bundle = true, save_key_pair = true }
local online = {
    verify_credential = true, verify_credential_offline = true, verify_credential_with_bundle = true, verify_credential_with_resolver = true,
    verify = true, fetch_discovery_document = true, fetch_revocation_document = true, resolver = true, new = true,
}

return setmetatable(M, {
    __index = function(self, name)
        local value
        if files[name] then value = require("symbi.agentpin.files")[name]
        elseif online[name] then value = require("symbi.agentpin.verify")[name] end
        if value ~= nil then rawset(self, name, value) end
        return value
    end,
})
