-- An agent from a `.symbi` file: what the file defines, what it compiles to, and what it may do. Run it: ./symbi-lua scripts/dsl.lua
local symbi = require "symbi"
local dsl = symbi.dsl

local here = arg and arg[0]:match("^(.*)/[^/]*$") or "scripts"
local path = here .. "/agents/reporter.symbi"

-- a file with a mistake: where, what was expected, and the fix
local broken = symbi.try(dsl.parse("agnt reporter {}\nagent x { policy p { allow read } }", "broken.symbi"))
for _, e in ipairs(broken:errors()) do print(("broken.symbi:%d:%d: %s"):format(e.line, e.column, e.message)) end

-- what cannot be enforced is refused, with what can
local _, _, err = symbi.try(dsl.parse("agent x { with privacy = \"high\" { } }", "vague.symbi")):compile()
for _, p in ipairs(err.problems) do print(("vague.symbi:%d:%d: %s; what works: %s"):format(p.line, p.col, p.message, p.nearest)) end

-- the agent: data, rules, limits
local file = symbi.try(dsl.load(path))
local data = symbi.try(file:extract())
print(data.agents[1].name .. ": " .. data.metadata.description)
local narrow = symbi.try(file:compile())
for _, o in ipairs(narrow:describe().obligations) do print("line " .. o.line .. " obliges the gate: " .. o.rule) end

-- a gate whose policies allow everything, and the agent's rules beside them
local gate = symbi.try(symbi.gate.open { policies = { { name = "all.cedar", text = "permit(principal, action, resource);" } }, tools = here .. "/quickstart/tools",
    audit = symbi.try(symbi.audit.open(symbi.try(symbi.store.memory()), { key = symbi.crypto.ed25519() })) })
symbi.try(gate:narrow(narrow))
for _, call in ipairs {
    { "list_files", "scripts/agents" }, { "list_files", "tests" }, { "checksum", "scripts/dsl.lua" }, { "remove_file", "scripts/dsl.lua" },
} do
    local v = gate:check { agent = "reporter", name = call[1], arguments = { path = call[2] } }
    print(("%-11s %-16s %s"):format(call[1], call[2], v.allowed and "allowed" or v.code .. ": " .. v.reason))
end
gate:close()
