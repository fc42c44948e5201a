--- Proofs at the gate from Lua: AgentPin credentials and SchemaPin signatures as objects that only their verifications make.
local symbi = require "symbi"
local agentpin, schemapin = symbi.agentpin, symbi.schemapin

local ALL = "permit(principal, action, resource);"
local read = symbi.tool { name = "read", description = "reads", args = { path = "path", n = { type = "integer", min = 1, max = 9 }, x = "number" }, run = function(a) return a.path end }
local tools = assert(symbi.core.toolclad.toolset { read })

-- A verified credential of `sub` by `issuer`; forged: signed with a key that the issuer does not publish.
local function identity(issuer, sub, forged)
    local keys = assert(agentpin.generate_key_pair())
    local document = assert(agentpin.build_discovery_document { entity = issuer, entity_type = "both", public_keys = { assert(agentpin.pem_to_jwk(keys.public_key_pem, "k")) },
        agents = { { agent_id = sub, name = "N", capabilities = { "read:*" }, status = "active" } } })
    if forged then keys = assert(agentpin.generate_key_pair()) end
    local jwt = assert(agentpin.issue_credential { private_key_pem = keys.private_key_pem, kid = "k", issuer = issuer, agent_id = sub, capabilities = { "read:x" }, ttl_secs = 600 })
    return assert(agentpin.verify_credential_offline(jwt, document))
end

local function proof(schema, more)
    local pair = assert(schemapin.generate_keypair())
    local o = { schema = schema, signature = assert(schemapin.sign_schema(pair.private_key_pem, schema)), domain = "tools.example", tool_id = "read",
        discovery = schemapin.create_well_known_response(pair.public_key_pem, { developer_name = "D" }) }
    for k, v in pairs(more or {}) do o[k] = v end
    return assert(schemapin.verify_schema_offline(o))
end

local function open(policies, more)
    local o = { policies = { { name = "p", text = policies } }, tools = tools }
    for k, v in pairs(more or {}) do o[k] = v end
    return assert(symbi.gate.open(o))
end

local function code(gate, who, agent) return gate:check { agent = agent or "bot", name = "read", arguments = { path = "a" }, identity = who }.code end

describe("proofs at the gate", function()
    it("fill principal and resource", function()
        local good = identity("acme.example", "bot")
        local gate = open([[permit(principal, action, resource) when { principal.verified && principal.domain == "acme.example" && principal.capabilities.contains("read:x")
            && resource.verified && resource.verified_by == "tools.example" };]], { proofs = { read = proof(symbi.json.encode(tools:find("read"):schema())) } })
        local v = gate:check { agent = "bot", name = "read", arguments = { path = "a" }, identity = good }
        assert.same({ "ALLOWED", true, true }, { v.code, v.identified, v.tool_verified })
        assert.equal("DEFAULT_DENY", code(gate, nil))
        assert.equal("DEFAULT_DENY", code(gate, identity("else.example", "bot")))
        assert(gate:prove("read", nil))
        assert.equal("DEFAULT_DENY", code(gate, good))
        -- stating is not proving
        assert.equal("DEFAULT_DENY", gate:check({ agent = "bot", name = "read", arguments = { path = "a" } },
            { agent = { domain = "acme.example", capabilities = { "read:x" }, verified = true } }).code)
        gate:close()
    end)

    it("deny when they are bad, asked for or not", function()
        local schema = symbi.json.encode(tools:find("read"):schema())
        local gate = open(ALL)
        assert.equal("ALLOWED", code(gate, nil))
        assert.equal("IDENTITY_INVALID", code(gate, identity("acme.example", "bot", true)))
        assert.equal("IDENTITY_MISMATCH", code(gate, identity("acme.example", "eve")))
        for what, result in pairs { TOOL_PROOF_INVALID = proof(schema, { signature = symbi.json.encode("x") }), TOOL_CHANGED = proof('{"name":"read","description":"other"}') } do
            assert(gate:prove("read", result))
            assert.equal(what, code(gate, nil))
        end
        gate:close()
        gate = open(ALL, { require_identity = true, identity_issuer = "acme.example", agent_identity = { bot = "urn:agentpin:acme.example:bot" }, require_verified = { "read" } })
        assert.equal("IDENTITY_REQUIRED", code(gate, nil))
        assert.equal("IDENTITY_REQUIRED", gate:check { agent = "bot", kind = "respond", content = "x" }.code)
        assert.equal("IDENTITY_MISMATCH", code(gate, identity("acme.example", "bot")))
        assert.equal("IDENTITY_MISMATCH", code(gate, identity("else.example", "urn:agentpin:acme.example:bot")))
        local good = identity("acme.example", "urn:agentpin:acme.example:bot")
        assert.equal("TOOL_UNVERIFIED", code(gate, good))
        assert(gate:prove("read", proof(schema)))
        assert.equal("ALLOWED", code(gate, good))
        gate:close()
    end)

    it("are objects, and nothing that looks like one", function()
        local gate = open(ALL)
        for _, x in ipairs { { valid = true, agent_id = "bot", issuer = "acme.example" }, "bot", true, gate, tools } do
            assert.has_error(function() code(gate, x) end)
            assert.has_error(function() gate:prove("read", x) end)
        end
        assert.has_error(function() gate:prove("read", identity("acme.example", "bot")) end)
        assert.has_error(function() code(gate, proof '{"name":"read"}') end)
        local good = identity("acme.example", "bot")
        assert.has_error(function() good.valid = true end)
        local ok, _, err = gate:prove("missing", proof '{"name":"read"}')
        assert.is_nil(ok)
        assert.equal("ENOTFOUND", err.code)
        local none
        none, _, err = symbi.gate.open { policies = {}, tools = tools, proofs = { missing = proof '{"name":"read"}' } }
        assert.is_nil(none)
        assert.equal("ENOTFOUND", err.code)
        assert.has_error(function() symbi.gate.open { policies = {}, agent_identity = { "x", 1 } } end)
        assert.has_error(function() symbi.gate.open { policies = {}, require_verified = { 1 } } end)
        assert.has_error(function() symbi.gate.open { policies = {}, require_identity = "yes" } end)
        gate:close()
    end)

    it("stay good for as long as the gate and the verdict need them", function()
        local gate = open(ALL, { proofs = { read = proof(symbi.json.encode(tools:find("read"):schema())) } })
        local v = gate:check { agent = "bot", name = "read", arguments = { path = "a" }, identity = identity("acme.example", "bot") }
        collectgarbage()
        collectgarbage()
        assert.is_true(v.tool_verified)
        assert(gate:commit(v))
        assert.equal("ALLOWED", code(gate, nil))
        gate:close()
    end)

    it("go with every action of a run", function()
        for _, sub in ipairs { "bot", "eve" } do
            local rt = assert(symbi.runtime { policies = { { name = "p", text = ALL } }, tools = { read }, no_audit = true, require_identity = true,
                model = { provider = "openai", base_url = "http://127.0.0.1:1", name = "x" } })
            local agent = assert(rt:agent { id = "bot", tools = { "read" }, limits = { max_iterations = 2 } })
            local script, n = { '{"tool_calls":[{"id":"a","name":"read","arguments":{"path":"a"}}]}', '{"content":"done"}' }, 0
            local io = setmetatable({ model = function() n = n + 1 return { neutral = script[n] } end }, { __index = symbi.io.auto { tools = { read } } })
            local result = assert(agent:run("go", { io = io, identity = identity("acme.example", sub) }))
            assert.equal(sub == "bot", result.completed)
            assert.equal(sub == "bot" and 1 or 0, tonumber(result.tool_calls))
            agent:close()
            rt:close()
        end
    end)

    it("have a script that shows them", function()
        local printed, old = {}, print
        _G.print = function(a, b) printed[#printed + 1] = ((tostring(a) .. " " .. (b == nil and "" or tostring(b))):gsub("%s+", " "):gsub(" $", "")) end -- luacheck: ignore
        local ok, err = pcall(dofile, "scripts/identity.lua")
        _G.print = old -- luacheck: ignore
        assert(ok, err)
        assert.same({
            "identity: true", "schema: true",
            "with both allow ALLOWED acme reads",
            "without a credential deny IDENTITY_REQUIRED",
            "a forged one deny IDENTITY_INVALID",
            "a stranger's deny DEFAULT_DENY",
            "a tool that was changed deny TOOL_CHANGED",
        }, printed)
    end)
end)
