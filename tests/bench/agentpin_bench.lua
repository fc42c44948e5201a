--- agentpin_bench.lua CASE: the same verification and issue from Lua: documents as objects (parsed once), as tables, and keys as objects. One JSON
-- object; microseconds of CPU time, medians of rounds.
local symbi = require "symbi"
local agentpin = require "symbi.agentpin"
local f = assert(io.open(arg[1], "rb"))
local case = assert(symbi.json.decode(f:read "*a"))
f:close()

local function measure(run)
    local rounds = {}
    for r = 1, 60 do
        local t = os.clock()
        for _ = 1, 20 do run() end
        rounds[r] = (os.clock() - t) / 20 * 1e6
    end
    table.sort(rounds)
    return rounds[30]
end

local pins = agentpin.create_pin_store()
local doc, rev = agentpin.document(case.discovery), agentpin.document(case.revocation)
local key = assert(agentpin.load_key(case.private_key_pem))
local now = agentpin.decode_jwt_unverified(case.jwt).payload.iat
local options = { audience = "verifier.com", now = now, pin_store = pins }
local issued = { private_key = key, kid = "k-2026-01", issuer = "d0.example.com", agent_id = "urn:agentpin:x:a", audience = "verifier.com", capabilities = { "read:data", "write:report" }, ttl_secs = 3600 }
local rows = symbi.array {
    { name = "verify, document objects", us = measure(function() assert(agentpin.verify_credential_offline(case.jwt, doc, rev, options).valid) end) },
    { name = "verify, tables", us = measure(function() assert(agentpin.verify_credential_offline(case.jwt, case.discovery, case.revocation, options).valid) end) },
    { name = "issue, key object", us = measure(function() assert(agentpin.issue_credential(issued)) end) },
}
issued.private_key, issued.private_key_pem = nil, case.private_key_pem
rows[4] = { name = "issue, PEM each time", us = measure(function() assert(agentpin.issue_credential(issued)) end) }
print(symbi.json.encode { bench = "agentpin-lua", vm = _VERSION, rows = rows })
