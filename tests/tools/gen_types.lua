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
        "retry_after? integer", "request? { method: string, url: string }", "errors? table[]", "reason? string", "cause? any", "is fun(self: symbi.Error, name: string): boolean" } do add("---@field " .. f) end
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
        "raise fun(self: symbi.Client): symbi.Client", "close fun(self: symbi.Client)", "agentpin table", "metrics_client symbi.client.metrics",
        "configure_client fun(self: symbi.Client, settings: table|string): table?, string?, symbi.Error?", "get_configuration fun(self: symbi.Client): table",
        "reload_configuration fun(self: symbi.Client): table?, string?, symbi.Error?", "authenticate_jwt fun(self: symbi.Client, token: string, options?: { refresh?: string }): table?, string?, symbi.Error?", "auth_manager symbi.auth.Manager?", "chat fun(self: symbi.Client): nil, string, symbi.Error",
        "set_tokens fun(self: symbi.Client, tokens: { access?: string, refresh?: string }): boolean", "refresh_token fun(self: symbi.Client): table?, string?, symbi.Error?",
        "validate_permissions fun(self: symbi.Client, action: string): boolean", "get_user_roles fun(self: symbi.Client): string[]",
        "wait_for_review_completion fun(self: symbi.Client, review_id: string, timeout?: number, options?: { interval?: number }): symbi.ReviewSession?, string?, symbi.Error?",
        "manager symbi.ConfigManager" } do add("---@field " .. f) end
    for _, g in ipairs(groups) do add("---@field " .. g .. " symbi.client." .. g) end
    for _, e in ipairs(api.endpoints) do
        if not e.group then add(method_line(e, e.name)) end
    end
    add ""
    add "---@class symbi.ClientOptions"
    for _, f in ipairs(model.get("config.ClientConfig").fields) do
        add("---@field " .. f.name .. "? " .. (f.name == "timeout" and "number" or type_of(f.type, "config")))
    end
    for _, f in ipairs { 'validation_mode? "strict"|"development"|"performance"', "config? string|table", "headers? table<string, string>", 'transport? "auto"|"blocking"|"host"|"ngx"|function|table',
        "retry? { rate_limit?: boolean, server_errors?: boolean }", "max_response_bytes? integer", "refresh? fun(client: symbi.Client): string", "log? fun(level: string, text: string)",
        "cron_passthrough? boolean", "raise? boolean", "env? table|function", "dotenv? string|false", "embedded? boolean", "proxy? string", "ca_file? string", "ca_path? string", "client_cert? string",
        "client_key? string", "client_key_password? string", "unix_socket? string", 'http_version? "1.1"|"2"' } do add("---@field " .. f) end
    add ""
    add "---@class symbi.ConfigManager"
    for _, f in ipairs { "load fun(self, path?: string, force?: boolean, given?: table): table?, string?, symbi.Error?", "reload fun(self): table?, string?, symbi.Error?",
        "get_config fun(self): table?, string?, symbi.Error?", "get_source fun(self, name: string): string?, string?, symbi.Error?", "to_dict fun(self, secrets?: boolean): table?, string?, symbi.Error?",
        'save_to_file fun(self, path: string, format?: "yaml"|"json", exclude_secrets?: boolean): boolean?, string?, symbi.Error?', "validate_required_settings fun(self): table<string, string>" } do add("---@field " .. f) end
    add ""
    add "---@alias symbi.client fun(options?: symbi.ClientOptions): symbi.Client?, string?, symbi.Error?"
    return table.concat(out, "\n") .. "\n"
end

if arg and arg[0] and arg[0]:find "gen_types" then io.write(generate()) end
return generate
