-- One governed oneshot of /bin/true, from arguments to evidence envelope: gate, permit, plan, spawner. Prints one number a line: microseconds per
-- call, the median of rounds; the second line in bubblewrap ("-" where it does not work). lua5.4 tests/bench/spawn_bench.lua [CALLS]
local symbi = require "symbi"
local calls = tonumber(arg[1]) or 200
local MANIFEST = '[tool]\nname = "t"\nversion = "1"\ndescription = "d"\n[command]\nexec = ["/bin/true"]\n[output]\nformat = "text"\n[output.schema]\ntype = "object"\n'
local tool = assert(symbi.toolclad.parse(MANIFEST, "bench"))
local gate = assert(symbi.gate.open { policies = assert(symbi.cedar.policies "permit(principal, action, resource);"), tools = assert(symbi.toolclad.toolset { tool }) })
local transports = symbi.io.auto {}

local function median(n, sandbox)
    local t = {}
    for i = 1, n do
        local from = symbi.io.monotonic()
        local envelope, message = symbi.toolclad.execute("t", {}, { gate = gate, io = transports, sandbox = sandbox })
        t[i] = (symbi.io.monotonic() - from) * 1e6
        if not envelope or envelope.status ~= "success" then return nil, message or envelope.error end
    end
    table.sort(t)
    return t[math.floor(n / 2) + 1]
end

assert(median(20))
print(string.format("%.1f", assert(median(calls))))
local boxed = median(math.floor(calls / 4) + 1, "bwrap")
print(boxed and string.format("%.1f", boxed) or "-")
