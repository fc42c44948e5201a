-- Calling an agent through the HTTP input: the request, and both shapes of the answer.
local webhook = require("symbi").webhook
local request = webhook.invocation { prompt = "scan target 10.0.0.1", target = "10.0.0.1" }
print(request.prompt)
local function handle(payload)
    local answer = assert(webhook.parse_response(payload))
    if answer.kind == "execution_started" then
        print("dispatched", answer.message_id, "in", answer.latency_ms, "ms")
    else
        print("LLM completed via", answer.provider, answer.model)
        for _, run in ipairs(answer.tool_runs) do print(" -", run.tool, run.output_preview) end
    end
end
handle { status = "execution_started", agent_id = "a", message_id = "m1", latency_ms = 3, timestamp = "2026-01-01T00:00:00Z" }
handle {
    status = "completed", agent_id = "a", response = "r", model = "m", provider = "p", latency_ms = 9, timestamp = "2026-01-01T00:00:00Z",
    tool_runs = { { tool = "nmap", input = { target = "10.0.0.1" }, output_preview = "22/tcp" } },
}
