--- What a call of the client costs: client_bench.lua NAME URL. health_check over one kept connection, the same without a network, and whether
-- 10,000 calls leave anything behind. Prints JSON.
local symbi = require "symbi"
local name, url = arg[1], arg[2]

local function best(rounds, calls, f)
    local wall, cpu = math.huge, math.huge
    for _ = 1, rounds do
        local w, c = symbi.io.monotonic(), os.clock()
        for _ = 1, calls do assert(f()) end
        wall, cpu = math.min(wall, (symbi.io.monotonic() - w) / calls * 1e6), math.min(cpu, (os.clock() - c) / calls * 1e6)
    end
    return wall, cpu
end

local body = '{"status":"healthy","uptime_seconds":12,"timestamp":"2026-01-01T00:00:00Z","version":"1.19.0"}'
local still = symbi.client { api_key = "test-key", base_url = url, env = {}, dotenv = false, transport = {
    now = symbi.io.monotonic, sleep = function() end, request = function() return { status = 200, headers = { { "Content-Type", "application/json" } }, body = body } end,
} }
local _, own = best(20, 500, function() return still:health_check() end)
local client = symbi.client { api_key = "test-key", base_url = url, env = {}, dotenv = false }
local wall, cpu = best(20, 250, function() return client:health_check() end)
collectgarbage()
collectgarbage()
local before = collectgarbage "count"
for _ = 1, 10000 do assert(client:health_check()) end
collectgarbage()
collectgarbage()
print(('{"bench": "client", "what": "health_check over a kept connection, %s", "us": %.1f, "cpu_us": %.1f, "own_cpu_us": %.1f, "own_target_us": 25, "kib_grown_in_10000": %.1f}')
    :format(name, wall, cpu, own, collectgarbage "count" - before))
