-- Who is calling? Run it:  ./symbi-lua scripts/agentpin.lua
-- A domain publishes its keys and agents, an agent presents a credential, and each attempt to pass for it ends at the step that notices.
-- No network: the domain's two documents are served from a table. scripts/guide/agentpin.md says more.
local symbi = require "symbi"
local agentpin = symbi.agentpin

-- ---- example.com: a key, a document, a credential -------------------------------------------------------------------------------

local keys = symbi.try(agentpin.generate_key_pair())
local kid = agentpin.generate_key_id(keys.public_key_pem)
local served = { -- what the domain serves under /.well-known/
    discovery = symbi.try(agentpin.build_discovery_document {
        entity = "example.com", entity_type = "both", public_keys = { symbi.try(agentpin.pem_to_jwk(keys.public_key_pem, kid)) },
        agents = { { agent_id = "reporter", name = "Reporter", capabilities = { "read:*", "write:reports" }, credential_ttl_max = 7200, status = "active" } },
        max_delegation_depth = 0,
    }),
    revocation = symbi.try(agentpin.build_revocation_document "example.com"),
}

local function issue(changes)
    local o = { private_key_pem = keys.private_key_pem, kid = kid, issuer = "example.com", agent_id = "reporter", audience = "api.example.org",
        capabilities = { "read:files" }, ttl_secs = 3600 }
    for k, v in pairs(changes or {}) do o[k] = v end
    return symbi.try(agentpin.issue_credential(o))
end

-- ---- api.example.org: verifies, and pins the key ------------------------------------------------------------------------------------

local resolver = {}
function resolver:discovery(domain) return domain == "example.com" and served.discovery or nil, "nobody serves " .. domain end
function resolver:revocation() return served.revocation end

local pins, used = agentpin.create_pin_store(), agentpin.create_nonce_store()

local function try(what, jwt)
    local r = symbi.try(agentpin.verify_credential_with_resolver(jwt, resolver, { audience = "api.example.org", pin_store = pins, replay_store = used }))
    local at = "all steps"
    for _, s in ipairs(r.steps) do
        if s.status == "failed" then at = "step " .. s.step .. ", " .. s.name end
    end
    print(string.format("%-38s %-9s %-22s %-21s %s", what, r.valid and "valid" or "refused", at, r.valid and "key " .. r.key_pinning.status or r.error_code, r.error_message or r.agent_id .. " may " .. table.concat(r.capabilities, ", ")))
end

local mallory = symbi.try(agentpin.generate_key_pair())
local first = issue()
try("the agent", first)
try("the same credential again", first)
try("signed by somebody else", issue { private_key_pem = mallory.private_key_pem })
try("meant for another service", issue { audience = "bank.example" })
try("asking for more than declared", issue { capabilities = { "execute:shell" } })
try("living longer than agreed", issue { ttl_secs = 8000 })
try("expired", issue { now = os.time() - 7200 })
try("an agent nobody declared", issue { agent_id = "ghost" })
try("from a domain written otherwise", issue { issuer = "Example.com" })
try("a path for a domain", issue { issuer = "evil.example/?x=" })

served.revocation = symbi.try(agentpin.add_revoked_agent(served.revocation, "reporter", "policy_violation"))
try("after the agent was revoked", issue())

served.revocation = symbi.try(agentpin.build_revocation_document "example.com")
served.discovery.public_keys = symbi.array { symbi.try(agentpin.pem_to_jwk(mallory.public_key_pem, kid)) }
try("after the domain changed hands", issue { private_key_pem = mallory.private_key_pem })
