--- Tools written in Lua. A declaration becomes a contract of the same shape as a manifest with dispatch = "callback"; C
-- validates the arguments and decides, and a driver calls `run` only after C consumed the permit.
local compat = require "symbi.compat"

local M = {}

local known = {
    name = "string", description = "string", version = "string", risk_tier = "string", human_approval = "boolean", capability = "string",
    timeout_seconds = "number", args = "table", run = "function",
}

local function misuse(level, ...)
    error("symbi.tool: " .. string.format(...), level + 1)
end

-- One argument: "integer" is short for {type = "integer"}.
local function argument(tool, name, spec, position)
    if type(spec) == "string" then spec = { type = spec } end
    if type(spec) ~= "table" then misuse(4, "tool '%s': argument '%s' is a %s; give a type name or a table", tool, name, type(spec)) end
    local out = {}
    for k, v in pairs(spec) do
        if k ~= "name" then out[k] = v end
    end
    if out.type == nil then out.type = "string" end
    if out.position == nil then out.position = position end
    return out
end

-- args is {path = "path", n = {type = "integer", required = true}}, or a list of {name = ...} where the order matters.
local function arguments(tool, args)
    local out, names = {}, {}
    if #args > 0 then
        for i, spec in ipairs(args) do
            local name = type(spec) == "table" and spec.name
            if type(name) ~= "string" then misuse(4, "tool '%s': item %d of args has no name", tool, i) end
            if out[name] then misuse(4, "tool '%s': argument '%s' stands twice in args", tool, name) end
            out[name] = argument(tool, name, spec, i)
        end
        return out
    end
    for name in pairs(args) do
        if type(name) ~= "string" then misuse(4, "tool '%s': argument names are strings, got a %s", tool, type(name)) end
        names[#names + 1] = name
    end
    table.sort(names)
    for i, name in ipairs(names) do out[name] = argument(tool, name, args[name], i) end
    return out
end

--- Checks a declaration and returns {name=, description=, run=, manifest=}; manifest is what symbi.toolclad takes. Raises on
-- misuse: a declaration is code, not input.
function M.declare(d)
    if type(d) ~= "table" then misuse(2, "a table is expected: symbi.tool{name=, args=, run=}") end
    local fields = {}
    for k in pairs(d) do fields[#fields + 1] = tostring(k) end
    table.sort(fields)
    for _, k in ipairs(fields) do
        local want = known[k]
        if not want then misuse(2, "unknown field '%s' (known: name, description, version, risk_tier, human_approval, capability, timeout_seconds, args, run)", k) end
        if type(d[k]) ~= want then misuse(2, "field '%s': %s expected, got %s", k, want, type(d[k])) end
    end
    if not d.name then misuse(2, "field 'name' is missing") end
    if not d.name:find("^[%w_][%w_.-]*$") or #d.name > 128 then
        misuse(2, "name '%s': letters, digits, '_', '.' and '-' only, at most 128, not starting with '.' or '-'", d.name:sub(1, 140))
    end
    if not d.run then misuse(2, "tool '%s' has no function 'run'", d.name) end
    if d.timeout_seconds and not (compat.is_integer(d.timeout_seconds) and d.timeout_seconds > 0) then
        misuse(2, "tool '%s': timeout_seconds must be a whole number above 0", d.name)
    end
    return {
        name = d.name,
        description = d.description or "",
        run = d.run,
        manifest = {
            tool = {
                name = d.name, version = d.version or "1.0.0", description = d.description or "", dispatch = "callback",
                risk_tier = d.risk_tier or "low", human_approval = d.human_approval or false, capability = d.capability, timeout_seconds = d.timeout_seconds,
            },
            args = arguments(d.name, d.args or {}),
        },
    }
end

return M
