--- Findings of the skill scanner as SARIF 2.1.0 (OASIS), which code hosts and editors read.
local core = require "symbi.core"

local M = {}

local LEVEL = { critical = "error", high = "error", medium = "warning", warning = "warning", info = "note" }
-- GitHub's scale for security results
local SCORE = { critical = "9.5", high = "8.0", medium = "5.5", warning = "4.0", info = "1.0" }

-- RFC 3986: a path as a relative URI reference.
local function uri(path)
    return (path:gsub("[^%w%-%._~/]", function(c) return string.format("%%%02X", c:byte()) end))
end

local function location(finding)
    local physical = { artifactLocation = { uri = uri(finding.file or "") } }
    if finding.line and finding.line > 0 then
        physical.region = { startLine = finding.line }
        -- columns are counted in characters there, in bytes here: the same only in ASCII
        if finding.column and finding.column > 0 and not (finding.excerpt or ""):find "[\128-\255]" then physical.region.startColumn = finding.column end
        if finding.excerpt and finding.excerpt ~= "" then physical.region.snippet = { text = finding.excerpt } end
    end
    return { physicalLocation = physical }
end

--- The log as a table. scans: list of {root=, findings=}; file names become root/file. rules: as symbi.skills.rules(profile).
function M.log(scans, rules, version)
    local list, index = core.array {}, {}
    local function rule_of(finding)
        if not index[finding.rule] then
            local known = rules[finding.rule] or {}
            list[#list + 1] = {
                id = finding.rule, shortDescription = { text = known.message or finding.message }, defaultConfiguration = { level = LEVEL[known.severity or finding.severity] or "warning" },
                properties = { category = known.category or finding.category, ["security-severity"] = SCORE[known.severity or finding.severity], tags = core.array { "security" } },
            }
            index[finding.rule] = #list - 1
        end
        return index[finding.rule]
    end
    local results = core.array {}
    for _, scan in ipairs(scans) do
        for _, f in ipairs(scan.findings) do
            local at = {}
            for k, v in pairs(f) do at[k] = v end
            at.file = (scan.root or "") .. (f.file or "")
            local text = f.message
            if f.how and f.how ~= "" then text = text .. " (" .. f.how .. ")" end
            results[#results + 1] = {
                ruleId = f.rule, ruleIndex = rule_of(f), level = LEVEL[f.severity] or "warning", message = { text = text }, locations = core.array { location(at) },
                suppressions = f.suppressed and core.array { { kind = "external", justification = f.reason } } or nil,
            }
        end
    end
    return {
        ["$schema"] = "https://json.schemastore.org/sarif-2.1.0.json", version = "2.1.0",
        runs = core.array { { tool = { driver = { name = "symbi-lua skills", version = version, rules = list } }, columnKind = "unicodeCodePoints", results = results } },
    }
end

return M
