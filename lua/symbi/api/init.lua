--- symbi.api: the REST contract as data. The client's methods are made from these rows; the server's router and the reference page
-- come from them too.
--   for _, e in ipairs(require("symbi.api").endpoints) do print(e.name, e.method, e.path) end
--
-- A row: { name, method, path template, ... }. Paths are relative to /api/v1; {x} is an argument, {request.x} a field of the body.
--   group, alias      the sub-client it belongs to, its short name there; apart = not on a flat client under this name
--   body = "arg:Type"  the model that is the whole body; unset = "omit" leaves unset optional fields out (else they are sent as null),
--                      as_given sends what the caller wrote, loose accepts other shapes too (they are the server's to judge)
--   fields             the body is an object of these arguments; unset ones are left out; wire(argument):type
--   query, query_model the query: arguments, or the fields of a model
--   gives              type of the answer: a model, [list], {map}, any, nothing (true), alive; pick = the field that is returned
--   cut, cut_in        an argument that the answer's length is held to (servers ignore it), and the list it means
--   errors             codes a server answers with, beyond those of every endpoint (symbi.api.common_errors)
--   served             who calls or serves it besides ours: sdk110 sdk114 js (callers), runtime (1.19 serves it)
--   instead            the path that older servers serve
local model = require "symbi.api.model"

local M = {
    prefix = "/api/v1",
    model = model,
    common_errors = { "UNAUTHORIZED", "TOKEN_EXPIRED", "RATE_LIMITED", "NOT_FOUND", "METHOD_NOT_ALLOWED", "INVALID_JSON", "VALIDATION_FAILED", "NOT_IMPLEMENTED" },
    endpoints = {},
    by_name = {}, -- "schedules.get_schedule", "health_check"
    groups = {},  -- group -> list of rows
}

-- The arguments in the order in which they are given: those of the path, the body, the body's fields, the query.
local function arguments(e)
    local list = {}
    for name in e.path:gmatch "{([%w_]+)}" do
        list[#list + 1] = { name = name, where = "path", required = true, type = { kind = "str", text = "str" } }
    end
    if e.body or e.query_model then
        local name, type_text = (e.body or e.query_model):match "^([%w_]+):(.+)$"
        list[#list + 1] = { name = name, where = e.body and "body" or "query_model", required = true, model = type_text, table = true }
        e.body_type = type_text
    end
    for _, where in ipairs { "fields", "query" } do
        if e[where] then
            for _, f in ipairs(model.fields(e[where])) do
                list[#list + 1] = {
                    name = f.other or f.name, wire = f.name, where = where, required = f.required, default = f.default, field = f, type = f.type,
                    table = f.type.kind == "dict" or f.type.kind == "list" or f.type.kind == "any",
                }
            end
        end
    end
    return list
end

local function words(text)
    local out = {}
    for w in (text or ""):gmatch "%S+" do out[#out + 1] = w end
    return out
end

for _, module in ipairs { "symbi.api.core", "symbi.api.loops", "symbi.api.more" } do
    for _, row in ipairs((require(module))) do
        local e = {}
        for k, v in pairs(row) do if type(k) == "string" then e[k] = v end end
        e.name, e.method, e.path = row[1], row[2], row[3]
        e.errors, e.served = words(row.errors), words(row.served)
        e.since = e.served[1] == "sdk110" and "1.10" or "1.14"
        e.args = arguments(e)
        e.full = (e.group and e.group .. "." or "") .. e.name
        M.endpoints[#M.endpoints + 1] = e
        M.by_name[e.full] = e
        if e.group then
            M.groups[e.group] = M.groups[e.group] or {}
            table.insert(M.groups[e.group], e)
        end
    end
end

--- True when a released runtime serves the endpoint; the others need the embedded runtime or a symbi server.
function M.in_runtime(e)
    for _, who in ipairs(e.served) do
        if who == "runtime" then return true end
    end
    return false
end

return M
