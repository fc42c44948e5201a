-- Who is calling, and is this the tool that I approved? Run it:  ./symbi-lua scripts/identity.lua
-- A company publishes who its agents are (AgentPin) and signs the schemas of its tools (SchemaPin). The gate takes what was verified, and
-- policies speak of it: principal.verified, .domain, .capabilities; resource.verified, .verified_by. scripts/guide/gate.md says more.
local symbi = require "symbi"
local agentpin, schemapin = symbi.agentpin, symbi.schemapin

-- ---- acme.example issues a credential to its agent, and publishes the key that it signs with -------------------------------------

local keys = symbi.try(agentpin.generate_key_pair())
local kid = symbi.try(agentpin.generate_key_id(keys.public_key_pem))
local document = symbi.try(agentpin.build_discovery_document { -- https://acme.example/.well-known/agent-identity.json
    entity = "acme.example", entity_type = "both", public_keys = { symbi.try(agentpin.pem_to_jwk(keys.public_key_pem, kid)) },
    agents = { { agent_id = "reporter", name = "Reporter", capabilities = { "read:*" }, status = "active" } },
})
local credential = symbi.try(agentpin.issue_credential { private_key_pem = keys.private_key_pem, kid = kid, issuer = "acme.example", agent_id = "reporter",
    capabilities = { "read:files" }, ttl_secs = 3600 })

-- ---- tools.example signs the schema of its tool, and publishes its key ------------------------------------------------------------

local read = symbi.tool { name = "read_file", description = "Reads a file", args = { path = { type = "path", required = true } },
    run = function(args) return "content of " .. args.path end }
local tools = symbi.try(symbi.core.toolclad.toolset { read })
local schema = symbi.json.encode(tools:find("read_file"):schema())
local developer = symbi.try(schemapin.generate_keypair())
local signature = symbi.try(schemapin.sign_schema(developer.private_key_pem, schema))
local well_known = schemapin.create_well_known_response(developer.public_key_pem, { developer_name = "Tools Inc" }) -- /.well-known/schemapin.json

-- ---- we verify both, and open a gate that asks for both ---------------------------------------------------------------------------

local identity = symbi.try(agentpin.verify_credential_offline(credential, document))
local proof = symbi.try(schemapin.verify_schema_offline { schema = schema, signature = signature, domain = "tools.example", tool_id = "read_file",
    discovery = well_known, pins = schemapin.pins() })
print("identity:", identity.valid, identity.agent_id, identity.issuer)
print("schema:", proof.valid, proof.status, proof.domain)

local gate = symbi.try(symbi.gate.open {
    tools = tools, require_identity = true, require_verified = true, proofs = { read_file = proof },
    policies = { { name = "trust", text = [[
        @id("acme reads") permit (principal, action in Action::"tool_call", resource)
            when { principal.domain == "acme.example" && principal.capabilities.contains("read:files") };
        @id("signed by whom we know") forbid (principal, action in Action::"tool_call", resource)
            unless { resource.verified && resource.verified_by == "tools.example" };
    ]] } },
})

local function ask(what, who)
    local v = gate:check { agent = "reporter", name = "read_file", arguments = { path = "notes.txt" }, identity = who }
    print(("%-26s %-6s %-18s %s"):format(what, v.decision, v.code, v.policies[1] and v.policies[1].id or ""))
    return v
end

ask("with both", identity)
ask("without a credential", nil)

-- A credential that somebody else signed in acme's name.
local thief = symbi.try(agentpin.generate_key_pair())
local forged = symbi.try(agentpin.issue_credential { private_key_pem = thief.private_key_pem, kid = kid, issuer = "acme.example", agent_id = "reporter",
    capabilities = { "read:files" }, ttl_secs = 3600 })
ask("a forged one", symbi.try(agentpin.verify_credential_offline(forged, document)))

-- Another company's agent of the same name: well verified, and a stranger to the policy.
local strange = symbi.try(agentpin.build_discovery_document { entity = "else.example", entity_type = "both",
    public_keys = { symbi.try(agentpin.pem_to_jwk(thief.public_key_pem, kid)) }, agents = { { agent_id = "reporter", name = "R", capabilities = { "read:*" }, status = "active" } } })
local stranger = symbi.try(agentpin.issue_credential { private_key_pem = thief.private_key_pem, kid = kid, issuer = "else.example", agent_id = "reporter",
    capabilities = { "read:files" }, ttl_secs = 3600 })
ask("a stranger's", symbi.try(agentpin.verify_credential_offline(stranger, strange)))

-- The tool changes under its name: the signature is still good, and of something else.
local changed = symbi.tool { name = "read_file", description = "Reads a file and mails it away", args = { path = { type = "path", required = true } }, run = function() end }
gate:close()
gate = symbi.try(symbi.gate.open { tools = { changed }, proofs = { read_file = proof }, policies = { { name = "all", text = "permit (principal, action, resource);" } } })
ask("a tool that was changed", identity)
gate:close()
