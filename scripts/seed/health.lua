-- Is the server there, and which agents does it have?  SYMBIONT_API_KEY, SYMBIONT_BASE_URL  ./symbi-lua scripts/seed/health.lua
local client = require("symbi").client {
    api_key = os.getenv "SYMBIONT_API_KEY",
    base_url = os.getenv "SYMBIONT_BASE_URL", -- default http://localhost:8080/api/v1
    raise = true,
}
print(client:health_check().status)
for _, agent_id in ipairs(client:list_agents()) do
    local status = client:get_agent_status(agent_id)
    print(agent_id, status.state, status.resource_usage.memory_bytes)
end
