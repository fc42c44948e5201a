-- gate:check from Lua for one tool call (validate, authorise 10 policies, permit; no commit); gate_bench.c is the same from C. Prints
-- one JSON object with medians in microseconds: arguments as a table, the same with allowed and permit read off the verdict, and arguments as
-- JSON text. Run: luaX tests/bench/gate_bench.lua (paths as for the specs)
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
local BATCH, SAMPLES = 200, 41

local function median(batch)
    local times = {}
    for _ = 1, 5 do batch() end
    for i = 1, SAMPLES do
        local t = clock()
        batch()
        times[i] = (clock() - t) / BATCH * 1e6
    end
    table.sort(times)
    return { median = times[21], p95 = times[39] }
end

local function check(action)
    assert(gate:check(action).allowed)
    return function() for _ = 1, BATCH do gate:check(action) end end
end
local call = { agent = "bot", name = "count", arguments = { path = "docs/a.md", n = 3 } }
local function used()
    for _ = 1, BATCH do
        local v = gate:check(call)
        if not (v.allowed and v.permit) then error("denied") end
    end
end
-- a table of its own for every call, as a caller who has just decoded a message gives it
local function fresh()
    for _ = 1, BATCH do gate:check { agent = "bot", name = "count", arguments = { path = "docs/a.md", n = 3 } } end
end

print(symbi.json.encode { vm = type(jit) == "table" and jit.version or _VERSION, policies = 10, -- luacheck: ignore jit
    table_us = median(check(call)), used_us = median(used), fresh_us = median(fresh),
    json_us = median(check { agent = "bot", name = "count", arguments_json = '{"path":"docs/a.md","n":3}' }) })
