--- Writes the reference pages of the client from symbi.api:
--     lua5.4 tests/tools/gen_reference.lua methods >scripts/guide/reference.md
--     lua5.4 tests/tools/gen_reference.lua models >scripts/guide/reference-models.md
--     lua5.4 tests/tools/gen_reference.lua python >scripts/guide/reference-python.md
-- tests/spec/client_reference_spec.lua checks that they are current.
local api = require "symbi.api"
local model = api.model
local summaries = require "symbi.api.summaries"

local M = {}

local TITLES = {
    { nil, "System, agents, messages, workflows", "client" },
    { "communication", "Communication rules" }, { "approvals", "Approvals" }, { "reasoning", "Reasoning" }, { "toolclad", "Tools" },
    { "schedules", "Schedules" }, { "channels", "Channels" }, { "metrics", "Metrics" }, { "secrets", "Secrets" }, { "mcp", "MCP servers" },
    { "memory", "Memory" }, { "vectors", "Vectors" }, { "knowledge", "Knowledge" }, { "dsl", "DSL" }, { "deployments", "Deployments" },
    { "http_input", "HTTP input" }, { "endpoints", "HTTP endpoints" }, { "tool_review", "Tool review" },
}

local function page()
    local out = {}
    return out, function(line, ...) out[#out + 1] = select("#", ...) > 0 and string.format(line, ...) or line end
end

local function cell(text) return (text:gsub("|", "\\|")) end

-- The same on every Lua.
local function plain(v) return type(v) == "number" and string.format("%.14g", v) or tostring(v) end

local function anchor(full) return (full:lower():gsub("[^%w_ -]", "")) end

-- A type with links to the models in it.
local function linked(text)
    return (cell(text):gsub("%u[%w_]+", function(name)
        local m = model.get(name)
        return m and "[" .. name .. "](reference-models.md#" .. anchor(m.full) .. ")" or name
    end))
end

local function gives(e)
    if e.gives == "nothing" then return "`true`" end
    if e.gives == "alive" then return "`true` or `false`" end
    if e.pick then return "its `" .. e.pick .. "`" end
    if e.gives == "any" then return "what the server sends" end
    return linked(e.gives)
end

local function argument(a)
    local text = "`" .. a.name .. "`"
    if a.where ~= "path" then text = text .. " " .. linked(a.model or a.type.text) end
    if not a.required then
        local default = a.default
        text = text .. (default ~= nil and type(default) ~= "table" and " = " .. plain(default) or ", may be left out")
    end
    return text
end

local function in_order(e)
    local names, open = {}, 0
    for i, a in ipairs(e.args) do
        if a.required then names[i] = (i > 1 and ", " or "") .. a.name
        else
            names[i] = "[" .. (i > 1 and ", " or "") .. a.name
            open = open + 1
        end
    end
    return table.concat(names) .. ("]"):rep(open)
end

local function who(e)
    local out = {}
    for _, name in ipairs(e.served) do out[name] = true end
    return out.runtime and "yes" or ""
end

local OWN = { approvals = true, channels = true, metrics = true, reasoning = true, schedules = true, toolclad = true }

function M.methods()
    local out, add = page()
    add "# The client's methods"
    add ""
    add "Made from the endpoint tables (`lua/symbi/api`) by `tests/tools/gen_reference.lua`; how calls, errors and retries work is in [Talking to a server](client.md),"
    add "what the types are in [the models](reference-models.md), and which Python call is which in [the map](reference-python.md)."
    add ""
    add "Arguments are given in order, or by name in one table. Paths are below `/api/v1`. \"Runtime\" tells what a released Symbiont runtime (1.19) serves; the"
    add "rest needs the embedded runtime or a symbi server, and is an `UnsupportedError` elsewhere. Every method can be called from the shell:"
    add "`symbi-lua client METHOD`."
    for _, t in ipairs(TITLES) do
        local group, title = t[1], t[2]
        add ""
        add("## %s", title)
        add ""
        if group and not OWN[group] then
            add("`client.%s:` and the name; the same names are on `client` itself.", group)
            add ""
        end
        for _, e in ipairs(api.endpoints) do
            if e.group == group then
                local home = group and "client." .. group or "client"
                add("### %s", e.full)
                add ""
                add("%s", (summaries[e.full] or summaries[e.name]):gsub("^%l", string.upper) .. ".")
                add ""
                add("```\n%s:%s(%s)%s\n%s %s\n```", home, e.name, in_order(e), e.alias and "    " .. home .. ":" .. e.alias .. "(...)" or "", e.method, e.path)
                add ""
                local list = {}
                for i, a in ipairs(e.args) do list[i] = argument(a) end
                if #list > 0 then add("Arguments: %s.", table.concat(list, "; ")) end
                local codes = {}
                for i, c in ipairs(e.errors) do codes[i] = "`" .. c .. "`" end
                add("Gives %s.%s Since SDK %s. Runtime: %s.", gives(e), #codes > 0 and " Codes: " .. table.concat(codes, ", ") .. "." or "", e.since, who(e) == "yes" and "yes" or "no")
                add ""
            end
        end
        if out[#out] == "" then out[#out] = nil end
    end
    add ""
    add "## Codes that any endpoint may answer"
    add ""
    local codes = {}
    for i, c in ipairs(api.common_errors) do codes[i] = "`" .. c .. "`" end
    add("%s", table.concat(codes, ", ") .. ".")
    return table.concat(out, "\n") .. "\n"
end

function M.models()
    local out, add = page()
    add "# The client's models"
    add ""
    add "Made from `lua/symbi/api/shapes*.lua` by `tests/tools/gen_reference.lua`. `symbi.models.X(table)` gives a checked copy with defaults; enums are in `symbi.enums`."
    add "`[T]` is a list, `{T}` an object with values of T, `<T>` a set; *must* be there, *may* be null or left out."
    for _, full in ipairs(model.names()) do
        local m = model.get(full)
        add ""
        add("### %s", full)
        add ""
        if m.kind == "enum" then
            add("One of `%s`.", table.concat(m.values, "`, `"))
        else
            add "| field | type | |"
            add "|---|---|---|"
            for _, f in ipairs(m.fields) do
                local note = {}
                if f.required then note[#note + 1] = "must" end
                if f.nullable then note[#note + 1] = "may be null" end
                if f.default ~= nil then note[#note + 1] = "default " .. (type(f.default) == "table" and "empty" or "`" .. cell(plain(f.default)) .. "`") end
                if f.now then note[#note + 1] = "default now" end
                if f.ge then note[#note + 1] = "at least " .. f.ge end
                if f.le then note[#note + 1] = "at most " .. f.le end
                if f.max_length then note[#note + 1] = "at most " .. f.max_length .. " characters" end
                add("| `%s` | %s | %s |", f.name, linked(f.type.text):gsub("reference%-models%.md", ""), table.concat(note, ", "))
            end
        end
    end
    return table.concat(out, "\n") .. "\n"
end

function M.python()
    local map = require "tests.tools.python_map"
    local out, add = page()
    add "# From the Python SDK to Lua"
    add ""
    add "Every public call of PyPI `symbiont-sdk` (1.10 and the newest at hand), and what it is here. Made by `tests/tools/gen_reference.lua` from the endpoint tables"
    add "and `tests/tools/python_map.lua`; tests compare it with the installed SDK and with symbi-lua. A failed call returns `nil, message, err` where Python raises"
    add "(`raise = true` raises); fields have the same names."
    for _, section in ipairs(map()) do
        add ""
        add("## %s", section.title)
        add ""
        add "| Python | Lua |"
        add "|---|---|"
        for _, row in ipairs(section) do add("| `%s` | %s |", row[1], row[2]:find "^%(" and row[2] or "`" .. row[2] .. "`" .. (row[3] and " " .. row[3] or "")) end
    end
    return table.concat(out, "\n") .. "\n"
end

if arg and arg[0] and arg[0]:find "gen_reference" then io.write(M[arg[1]]()) end
return M
