--- symbi.policy_schema: the Cedar schema of the gate's requests (design.md section 6), with the arguments that tools declare. The strict
-- validator then says which policies can fail, or never match. Facts that the host adds are given as Cedar attributes.
local M = {}

local types = { string = "String", integer = "Long", boolean = "Bool" }

local function quoted(s)
    return '"' .. s:gsub('[%c"\\\127]', function(c) return string.format("\\u{%x}", c:byte()) end) .. '"'
end

-- The declared arguments as a record. Lists, objects and fractions have no one Cedar type (a fraction is a decimal, or a String where
-- four digits do not hold it): policies that read them cannot be checked, and say so.
local function input_of(tool)
    local schema = tool:schema()
    local properties, required, lines = schema.inputSchema.properties or {}, {}, {}
    for _, name in ipairs(schema.inputSchema.required or {}) do required[name] = true end
    for name, p in pairs(properties) do
        local kind = types[p.type]
        if kind then lines[#lines + 1] = quoted(name) .. (required[name] and "" or "?") .. ": " .. kind end
    end
    table.sort(lines)
    return "{" .. table.concat(lines, ", ") .. "}"
end

local head = [[
entity Agent = { id: String, name: String, verified: Bool, capabilities?: Set<String>, domain?: String, tags?: Set<String> };
entity Tool;
entity Resource in [Tool] = {
  kind: String, name: String, verified: Bool, verified_by?: String, tool_name?: String, risk_tier?: String, backend?: String, human_approval?: Bool, capability?: String
};
type Loop = { id: String, iteration: Long, tool_calls: Long, denied: Long };
type Budget = { tokens?: Long, time_ms?: Long, tool_calls?: Long };
action "tool_call", "delegate", "send_message";
]]

--- The schema's text. options: tools (a tool set), facts (attributes such as `ticket_severity?: String`), policies (sources, for the
-- names of agents that they mention), names (tools that have no manifest here).
function M.text(options)
    options = options or {}
    local out, seen = { head }, {}
    local function action(id, group, input)
        if seen[id] then return end
        seen[id] = true
        out[#out + 1] = "action " .. quoted(id) .. (group and " in [" .. quoted(group) .. "]" or "") .. " appliesTo {\n  principal: [Agent], resource: [Resource],\n  context: { input: " ..
            input .. ", loop: Loop, budget: Budget, now: Long, surface: String, has_human_approval: Bool" .. (options.facts and options.facts ~= "" and ", " .. options.facts or "") .. " }\n};\n"
    end
    if options.tools then
        for _, name in ipairs(options.tools:names()) do action("tool_call::" .. name, "tool_call", input_of(options.tools:find(name))) end
    end
    for _, s in ipairs(options.policies or {}) do
        for group, name in (type(s) == "table" and s.text or s):gmatch('Action::"(%l[%l_]*)::([^"\\]+)"') do
            if group == "delegate" or group == "send_message" or (group == "tool_call" and not options.tools) then action(group .. "::" .. name, group, "{}") end
        end
    end
    action("respond", nil, "{}")
    action("terminate", nil, "{}")
    return table.concat(out)
end

return M
