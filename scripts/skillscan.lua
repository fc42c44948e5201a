-- Scans folders of skills and says which an agent may use: symbi-lua scripts/skillscan.lua DIR...
-- Each DIR holds one folder per skill. Exit status 1 when one is rejected.
local symbi = require "symbi"

local paths = {}
for i = 1, #arg do paths[i] = arg[i] end
if #paths == 0 then paths = { ".agents/skills" } end

local loader = assert(symbi.skills.loader { load_paths = paths, profile = "strict" })
local skills, rejected = loader:load_all()

for _, skill in ipairs(skills) do
    print(("ok        %-24s %-10s %s"):format(skill.name, skill.signature_status, skill.path))
end
for _, r in ipairs(rejected) do
    print(("rejected  %-24s %-10s %s"):format(r.name or "?", r.reason, r.message))
    for _, finding in ipairs(r.skill and r.skill.scan_result and r.skill.scan_result.findings or {}) do
        print(("          %s:%s  %s: %s"):format(finding.file, finding.line or "-", finding.severity, finding.message))
    end
end
print(#skills .. " may be used, " .. #rejected .. " rejected")
os.exit(#rejected == 0 and 0 or 1, true)
