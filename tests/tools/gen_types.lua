--- Writes lua/symbi/types.lua, the LuaCATS annotations of the client, from symbi.api:  lua5.4 tests/tools/gen_types.lua >lua/symbi/types.lua
-- tests/spec/client_types_spec.lua checks that the file is current.
local api = require "symbi.api"
local model = api.model

local PLAIN = { str = "string", int = "integer", float = "number", bool = "boolean", datetime = "string", any = "any" }

local function name_of(shape_name, near)
    local m = model.get((near and near .. "." or "") .. shape_name) or model.get(shape_name)
    return "symbi." .. m.full:gsub("^models%.", "")
end

local function type_of(t, near)
    if PLAIN[t.kind] then return PLAIN[t.kind] end
    if t.kind == "list" or t.kind == "set" then
        local inner = type_of(t.of, near)
        return (inner:find "|" and "(" .. inner .. ")" or inner) .. "[]"
    end
    if t.kind == "dict" then return "table<string, " .. type_of(t.of, near) .. ">" end
    if t.kind == "union" then
        local out = {}
        for i = 1, #t do out[i] = type_of(t[i], near) end
        return table.concat(out, "|")
    end
    return name_of(t.name, near)
end

local function shape_line(full)
    local m = model.get(full)
    local name = "symbi." .. full:gsub("^models%.", "")
    if m.kind == "enum" then return "---@alias " .. name .. " \"" .. table.concat(m.values, "\"|\"") .. "\"" end
    local module, fields = full:match "^(%l+)%.", {}
    for i, f in ipairs(m.fields) do
        fields[i] = f.name .. (f.required and not f.nullable and "" or "?") .. ": " .. type_of(f.type, module)
    end
    return "---@alias " .. name .. " { " .. table.concat(fields, ", ") .. " }"
end

local function method_line(e, name)
    local args = {}
    for i, a in ipairs(e.args) do
        local t = a.model and (a.model:find "^%u" and name_of(a.model) or "table") or type_of(a.type)
        args[i] = a.name .. (a.required and "" or "?") .. ": " .. t
    end
    local gives = e.gives
    if gives == "nothing" or gives == "alive" then gives = "boolean"
    elseif gives == "any" or e.pick then gives = "any"
    elseif gives:find "^%u" then gives = name_of(gives)
    else gives = gives:gsub("^%[(.*)%]$", function(x) return (PLAIN[x] or name_of(x)) .. "[]" end):gsub("^{(.*)}$", function(x) return "table<string, " .. name_of(x) .. ">" end) end
    local self = e.group and "symbi.client." .. e.group or "symbi.Client"
    return "---@field " .. name .. " fun(self: " .. self .. (#args > 0 and ", " or "") .. table.concat(args, ", ") .. "): " .. gives .. "?, string?, symbi.Error?"
end

local function generate()
    local out = { "---@meta", "--- LuaCATS annotations of symbi.client and its models. Made by tests/tools/gen_types.lua from symbi.api; not loaded by anything.", "" }
    local function add(line) out[#out + 1] = line end
    add "---@class symbi.Error"
    for _, f in ipairs { "name string", "kind string", "message string", "code string", "status? integer", "status_code? integer", "response_text? string", "details? table",
        "retry_after? integer", "request? { method: string, url: string }", "errors? table[]", "is fun(self: symbi.Error, name: string): boolean" } do add("---@field " .. f) end
    add ""
    for _, full in ipairs(model.names()) do add(shape_line(full)) end
    local groups = {}
    for g in pairs(api.groups) do groups[#groups + 1] = g end
    table.sort(groups)
    for _, g in ipairs(groups) do
        add ""
        add("---@class symbi.client." .. g)
        for _, e in ipairs(api.groups[g]) do
            add(method_line(e, e.name))
            if e.alias then add(method_line(e, e.alias)) end
        end
    end
    add ""
    local own = { approvals = true, channels = true, metrics = true, reasoning = true, schedules = true, toolclad = true } -- not on the client itself
    local flat = {}
    for _, g in ipairs(groups) do
        if not own[g] then flat[#flat + 1] = "symbi.client." .. g end
    end
    add("---@class symbi.Client: " .. table.concat(flat, ", "))
    for _, f in ipairs { "config table", "api_key? string", "base_url string", "request fun(self: symbi.Client, method: string, path: string, options?: table): any, any, symbi.Error?",
        "with fun(self: symbi.Client, options: { timeout?: number, headers?: table<string, string>, idempotency_key?: string }): symbi.Client",
        "raise fun(self: symbi.Client): symbi.Client", "close fun(self: symbi.Client)" } do add("---@field " .. f) end
    for _, g in ipairs(groups) do add("---@field " .. g .. " symbi.client." .. g) end
    for _, e in ipairs(api.endpoints) do
        if not e.group then add(method_line(e, e.name)) end
    end
    return table.concat(out, "\n") .. "\n"
end

if arg and arg[0] and arg[0]:find "gen_types" then io.write(generate()) end
return generate
