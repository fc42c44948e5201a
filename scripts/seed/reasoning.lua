-- A reasoning loop on the server, its journal, a policy for it, and what the runtime learned about its tools.
local client = require("symbi").client { raise = true }
local response = client.reasoning:run_loop("agent-1", {
    config = { max_iterations = 10, timeout_ms = 60000 },
    initial_message = "Analyze the latest sales data and create a report.",
})
print(response.result.output, response.result.iterations)
-- the journal, for replay and audit
local journal = client.reasoning:get_journal_entries("agent-1", { limit = 50 })
print(#journal .. " journal entries")
-- a Cedar policy on actions
client.reasoning:add_cedar_policy("agent-1", {
    name = "deny-file-write",
    source = 'forbid(principal, action == "tool_call", resource) when { resource.name == "write_file" };',
    active = true,
})
print(#client.reasoning:list_cedar_policies "agent-1" .. " policies")
-- circuit breakers and how tools fared
local breakers = client.reasoning:get_circuit_breaker_status "agent-1"
local profiles = client.reasoning:get_tool_profiles "agent-1"
print(breakers.search.state, profiles[1].tool_name)
