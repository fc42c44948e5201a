--- symbi.cedar: policy sets, entities, decisions. The engine is C (bindings/lcedar.c); this file only lets entities be written
-- shortly: uids as text, attrs and parents left out, and values such as cedar.ip "10.0.0.1" inside attributes and contexts.
local core = require "symbi.core"

local M = {}
for name, value in pairs(core.cedar) do M[name] = value end

local function uid(value)
    if type(value) ~= "string" then return value end
    local kind, id, err = core.cedar.uid(value)
    if not kind then return nil, id, err end
    return { type = kind, id = id }
end

--- An entity reference as a value: cedar.entity 'User::"alice"', or cedar.entity("User", "alice").
function M.entity(kind, id)
    if id == nil then
        local u, message, err = uid(kind)
        if not u then return nil, message, err end
        return { __entity = u }
    end
    return { __entity = { type = kind, id = id } }
end

for _, name in ipairs { "ip", "decimal", "datetime", "duration" } do
    M[name] = function(text) return { __extn = { fn = name, arg = text } } end
end

--- Policies laid out: cedar.format(text [, {width = 80, indent = 2}]). White space changes, nothing else; comments stay.
M.format = core.format.cedar

-- A text that begins with `first` is JSON (no policy and no schema begins like that) and becomes what it says.
local function from_json(first, from)
    if type(from) ~= "string" or from:match("^%s*(.)") ~= first then return from end
    return core.json.decode(from)
end

--- A policy set: from text, a list of texts and sources, or Cedar's JSON form (as a value or as a text).
function M.policies(from, ...)
    local value, message, err = from_json("{", from)
    if message then return nil, message, err end
    return core.cedar.policies(value, ...)
end

--- A schema: in Cedar's syntax or in its JSON form (as a value or as a text).
function M.schema(from, ...)
    local value, message, err = from_json("{", from)
    if message then return nil, message, err end
    return core.cedar.schema(value, ...)
end

--- A store from a list of {uid=, attrs=, parents=, tags=}; uid and parents may be texts, all but uid may be missing. Or that list as JSON text.
function M.entities(list, ...)
    local message, err
    list, message, err = from_json("[", list)
    if message then return nil, message, err end
    if type(list) ~= "table" then error("symbi.cedar.entities: a list of entities is expected", 2) end
    local out = {}
    for i, e in ipairs(list) do
        if type(e) ~= "table" then
            out[i] = e
        else
            local u
            u, message, err = uid(e.uid)
            if message then return nil, message, err end
            local copy = { uid = u, attrs = e.attrs or {}, tags = e.tags, parents = core.array() }
            for k, p in ipairs(e.parents or {}) do
                copy.parents[k], message, err = uid(p)
                if message then return nil, message, err end
            end
            out[i] = copy
        end
    end
    return core.cedar.entities(out, ...)
end

return M
