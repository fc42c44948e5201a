--- The Python SDK's public calls and what they are here, as data: sections of { python, lua, note }. Client methods come from the endpoint tables;
-- what has no endpoint stands below. A lua cell that begins with "(" says in words why there is no call.
local api = require "symbi.api"

local CLASSES = { schedules = "ScheduleClient", channels = "ChannelClient", metrics = "MetricsClient", reasoning = "ReasoningClient", toolclad = "ToolCladClient" }

local LOCAL = {
    { title = "Client, without a request",
        { "Client(config, api_key, base_url)", "symbi.client{ config =, api_key =, base_url = }" },
        { "Client.configure_client", "client:configure_client" }, { "Client.get_configuration", "client:get_configuration" },
        { "Client.reload_configuration", "client:reload_configuration" }, { "Client.authenticate_jwt", "client:authenticate_jwt" },
        { "Client.refresh_token", "client:refresh_token" }, { "Client.validate_permissions", "client:validate_permissions" },
        { "Client.get_user_roles", "client:get_user_roles" }, { "Client.wait_for_review_completion", "client:wait_for_review_completion" },
        { "Client.agentpin", "client.agentpin" }, { "Client.channels", "client.channels" }, { "Client.schedules", "client.schedules" },
        { "Client.metrics_client", "client.metrics_client" }, { "Client.reasoning", "client.reasoning" }, { "Client.toolclad", "client.toolclad" },
    },
    { title = "AgentPin",
        { "AgentPinClient.generate_key_pair", "symbi.agentpin.generate_key_pair" }, { "AgentPinClient.generate_key_id", "symbi.agentpin.generate_key_id" },
        { "AgentPinClient.issue_credential", "symbi.agentpin.issue_credential" }, { "AgentPinClient.verify_credential", "symbi.agentpin.verify_credential" },
        { "AgentPinClient.verify_credential_offline", "symbi.agentpin.verify_credential_offline" },
        { "AgentPinClient.verify_credential_with_bundle", "symbi.agentpin.verify_credential_with_bundle" },
        { "AgentPinClient.fetch_discovery_document", "symbi.agentpin.fetch_discovery_document" },
        { "AgentPinClient.build_discovery_document", "symbi.agentpin.build_discovery_document" },
        { "AgentPinClient.validate_discovery_document", "symbi.agentpin.validate_discovery_document" },
        { "AgentPinClient.create_pin_store", "symbi.agentpin.create_pin_store" }, { "AgentPinClient.pin_store", "symbi.agentpin.KeyPinStore" },
        { "AgentPinClient.create_trust_bundle", "symbi.agentpin.create_trust_bundle" }, { "AgentPinClient.load_trust_bundle", "symbi.agentpin.load_trust_bundle" },
        { "AgentPinClient.save_trust_bundle", "symbi.agentpin.save_trust_bundle" },
        { "AgentPinClient.pem_to_jwk", "symbi.agentpin.pem_to_jwk" }, { "AgentPinClient.jwk_to_pem", "symbi.agentpin.jwk_to_pem" },
    },
    { title = "Authentication",
        { "AuthManager(config)", "symbi.auth.manager{ jwt_secret_key = }" },
        { "AuthManager.authenticate", "manager:authenticate" }, { "AuthManager.authenticate_with_api_key", "manager:authenticate_with_api_key" },
        { "AuthManager.authenticate_with_jwt", "manager:authenticate_with_jwt" }, { "AuthManager.create_role", "manager:create_role" },
        { "AuthManager.generate_tokens", "manager:generate_tokens" }, { "AuthManager.get_user_permissions", "manager:get_user_permissions" },
        { "AuthManager.get_user_roles", "(`user.roles`, a list of names)" }, { "AuthManager.logout", "manager:logout" },
        { "AuthManager.refresh_access_token", "manager:refresh_token", "(the old refresh token is then used up)" },
        { "AuthManager.register_auth_provider", "manager:register_auth_provider" }, { "AuthManager.validate_permissions", "manager:validate_permissions" },
        { "AuthProvider.authenticate", "(a provider is a table with a function `authenticate`)" }, { "AuthProvider.validate_token", "(a provider is a table with a function `authenticate`)" },
        { "JWTHandler.generate_token", "manager:generate_token" }, { "JWTHandler.decode_token", "manager:validate_token" },
        { "JWTHandler.refresh_token", "manager:refresh_token" },
        { "RoleManager.create_role", "manager:create_role" }, { "RoleManager.get_role", "(a role is what `create_role` was given; admin, user and readonly are built in)" },
        { "RoleManager.get_permissions_for_roles", "manager:get_user_permissions" }, { "RoleManager.has_permission", "manager:validate_permissions" },
        { "TokenValidator.validate_token", "manager:validate_token" }, { "TokenValidator.blacklist_token", "manager:logout" },
        { "TokenValidator.is_token_blacklisted", "(`manager:validate_token` refuses it)" },
    },
    { title = "Configuration",
        { "ConfigManager()", "symbi.config.manager{ path = }" },
        { "ConfigManager.load", "settings:load" }, { "ConfigManager.reload", "settings:reload" }, { "ConfigManager.get_config", "settings:get_config" },
        { "ConfigManager.get_source", "settings:get_source" }, { "ConfigManager.save_to_file", "settings:save_to_file" }, { "ConfigManager.to_dict", "settings:to_dict" },
        { "ConfigManager.validate_required_settings", "settings:validate_required_settings" },
        { "ClientConfig.validate_base_url", "(checked when a client is made)" },
        { "config.get_config", "symbi.config.get_config" }, { "config.get_config_manager", "symbi.config.get_config_manager" }, { "config.load_config", "symbi.config.load_config" },
    },
    { title = "Memory",
        { "MarkdownMemoryStore(path)", "symbi.memory.markdown(path)" },
        { "MarkdownMemoryStore.save_context", "memory:save_context" }, { "MarkdownMemoryStore.load_context", "memory:load_context" },
        { "MarkdownMemoryStore.delete_context", "memory:delete_context" }, { "MarkdownMemoryStore.list_agent_contexts", "memory:list_agent_contexts" },
        { "MarkdownMemoryStore.compact", "memory:compact" }, { "MarkdownMemoryStore.get_storage_stats", "memory:get_storage_stats" },
        { "AgentMemoryContext(**fields)", "(a table with these fields)" },
        { "MemoryManager(config)", "symbi.memory.manager{ storage_type = }", "(`memory` or `file`; no Redis)" }, { "HierarchicalMemory(store)", "symbi.memory.manager{}" },
        { "MemoryManager.add_memory", "levels:add_memory" }, { "MemoryManager.get_memory", "levels:get_memory" }, { "MemoryManager.search_memory", "levels:search_memory" },
        { "MemoryManager.list_agent_memories", "levels:list_agent_memories" }, { "MemoryManager.get_conversation_context", "levels:get_conversation_context" },
        { "MemoryManager.consolidate_memory", "levels:consolidate_memory" }, { "MemoryManager.delete_memory", "levels:delete_memory" },
        { "HierarchicalMemory.search_memories", "levels:search_memory" }, { "HierarchicalMemory.consolidate_memories", "levels:consolidate_memory" },
        { "InMemoryStore.store", "levels.storage:store" }, { "InMemoryStore.retrieve", "levels.storage:retrieve" }, { "InMemoryStore.delete", "levels.storage:delete" },
        { "InMemoryStore.list_by_agent", "levels.storage:list_by_agent" }, { "QdrantManager(host)", "(not here: `client.vectors` and `client.knowledge` ask a server)" },
    },
    { title = "Metrics",
        { "FileMetricsExporter(config)", "symbi.metrics.file(path)" }, { "OtlpExporter(config)", "symbi.metrics.otlp{ endpoint = }" },
        { "CompositeExporter(exporters)", "symbi.metrics.composite{ ... }" }, { "MetricsCollector(client, exporter)", "symbi.metrics.collector(client.metrics, exporter)" },
        { "FileMetricsExporter.export", "exporter:export" }, { "FileMetricsExporter.shutdown", "exporter:shutdown" },
        { "OtlpExporter.export", "exporter:export" }, { "OtlpExporter.shutdown", "exporter:shutdown" },
        { "CompositeExporter.export", "exporter:export" }, { "CompositeExporter.shutdown", "exporter:shutdown" },
        { "MetricsExporter.export", "exporter:export" }, { "MetricsExporter.shutdown", "exporter:shutdown" },
        { "MetricsCollector.start", "collector:start", "(then `collector:tick()` whenever it suits: Lua has no threads)" }, { "MetricsCollector.stop", "collector:stop" },
        { "MetricsSnapshot.from_dict", "symbi.metrics.from_dict" }, { "MetricsSnapshot.to_dict", "symbi.metrics.to_dict" },
    },
    { title = "Skills",
        { "SkillScanner(rules)", "symbi.skills.scanner{}" }, { "SkillScanner.scan_content", "scanner:scan" }, { "SkillScanner.scan_skill", "scanner:scan_dir" },
        { "SkillLoader(config)", "symbi.skills.loader{ load_paths = {} }" }, { "SkillLoader.load_all", "loader:load_all" }, { "SkillLoader.load_skill", "(`loader:load_all()` with the one folder in `load_paths`)" },
    },
    { title = "Webhooks",
        { "HmacVerifier(secret)", "symbi.webhook.hmac{ secret = }" }, { "JwtVerifier(secret)", "symbi.webhook.jwt{ secret = }" },
        { "HmacVerifier.verify", "verifier:verify" }, { "JwtVerifier.verify", "verifier:verify" }, { "SignatureVerifier.verify", "verifier:verify" },
        { "WebhookProvider.GITHUB.verifier(secret)", "symbi.webhook.GITHUB:verifier(secret)" }, { "WebhookInvocationRequest(**fields)", "symbi.webhook.invocation(fields)" },
        { "WebhookInvocationResponse", "symbi.webhook.parse_response(payload)" },
    },
    { title = "Models, enums, exceptions",
        { "X(**fields)", "symbi.models.X(fields)" }, { "X.MEMBER", "symbi.enums.X.MEMBER" }, { "except NotFoundError", 'err:is "NotFoundError"' },
    },
}

return function()
    local out, seen = {}, {}
    local function endpoint(section, class, e)
        local python = class .. "." .. e.name
        if seen[python] then return end
        seen[python] = true
        local home = e.group and "client." .. e.group or "client"
        local flat = class == "Client" and e.group
        section[#section + 1] = { python, (flat and "client" or home) .. ":" .. e.name, e.alias and "or `" .. home .. ":" .. e.alias .. "`" or nil }
    end
    local client = { title = "Client" }
    out[1] = client
    for _, e in ipairs(api.endpoints) do
        local python = false
        for _, who in ipairs(e.served) do python = python or who == "sdk110" or who == "sdk114" end
        if e.name == "get_status" or e.name == "execute_agent" then python = true end -- newer SDKs have them
        if python and not CLASSES[e.group or ""] then endpoint(client, "Client", e) end
    end
    for _, g in ipairs { "reasoning", "toolclad", "schedules", "channels", "metrics" } do
        local section = { title = CLASSES[g] }
        for _, e in ipairs(api.groups[g]) do endpoint(section, CLASSES[g], e) end
        out[#out + 1] = section
    end
    for _, section in ipairs(LOCAL) do out[#out + 1] = section end
    return out
end
