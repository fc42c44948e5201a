-- gate:check from Lua for one tool call (validate, authorise 10 policies, permit; no commit). Prints one JSON object with medians in
-- microseconds, for a call with arguments as a table and as JSON text. Run: luaX tests/bench/gate_bench.lua (paths as for the specs)
local symbi = require "symbi"

local policies = {}
for i = 1, 10 do
    policies[i] = { name = "p" .. i, text = i == 7
        and 'permit(principal == Agent::"bot", action == Action::"tool_call::count", resource) when { context.input.path like "docs/*" };'
        or ('permit(principal == Agent::"agent%d", action == Action::"tool_call::tool%d", resource) when { context.input.path like "x/*" };'):format(i, i) }
end
local gate = assert(symbi.gate.open { policies = policies, tools = {
    symbi.tool { name = "count", description = "d", args = { path = { type = "path", required = true }, n = "integer" }, run = function() end } } })

local clock = symbi.io.monotonic -- seconds
local function median(action)
    local batch, times = 200, {}
    assert(gate:check(action).allowed)
    for _ = 1, 5 do for _ = 1, batch do gate:check(action) end end
    for i = 1, 101 do
        local t = clock()
        for _ = 1, batch do gate:check(action) end
        times[i] = (clock() - t) / batch * 1e6
    end
    table.sort(times)
    return times[51], times[96]
end

local t50, t95 = median { agent = "bot", name = "count", arguments = { path = "docs/a.md", n = 3 } }
local j50, j95 = median { agent = "bot", name = "count", arguments_json = '{"path":"docs/a.md","n":3}' }
print(symbi.json.encode { bench = "gate_check", vm = type(jit) == "table" and jit.version or _VERSION, policies = 10, -- luacheck: ignore jit
    table_us = { median = t50, p95 = t95 }, json_us = { median = j50, p95 = j95 }, target_us = 10 })
