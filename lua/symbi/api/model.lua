--- Models: tables checked against the shapes of symbi.api.shapes, without classes.
--   X = model.get "Agent"            or "schedules.ScheduleDetail"
--   copy, message, err = X(t)        a checked copy with defaults; err.errors lists what is wrong, err.model names the model
--   ok, message, err = X.check(t)    the same without the copy
--   X.fields                         {{name=, type=, required=, default=, ...}, ...}
-- What comes over the wire is read as tolerantly as the SDK reads it ("5" is an integer, "yes" a boolean); what is sent is checked
-- exactly (options.exact).
local core = require "symbi.core"
local datetime = require "symbi.api.datetime"

local M = {}
local null = core.null
local MAX_DEPTH, MAX_ERRORS, MAX_DIGITS = 64, 100, 4300

local shapes = require "symbi.api.shapes"
local sources = {}
for _, set in ipairs { shapes, (require "symbi.api.shapes_more") } do
    for module, list in pairs(set) do sources[module] = list end
end

-- ---- reading the notation -----------------------------------------------------------------------------------------------------

-- A type as a table: {kind="str"|...|"list"|"set"|"dict"|"union"|"ref", of=, name=}.
local function parse_type(text)
    local first, depth = text:sub(1, 1), 0
    for i = 1, #text do
        local c = text:sub(i, i)
        if c:find "[%[{<]" then depth = depth + 1 elseif c:find "[%]}>]" then depth = depth - 1
        elseif c == "|" and depth == 0 then
            return { kind = "union", text = text, parse_type(text:sub(1, i - 1)), parse_type(text:sub(i + 1)) }
        end
    end
    if first == "[" then return { kind = "list", text = text, of = parse_type(text:sub(2, -2)) } end
    if first == "<" then return { kind = "set", text = text, of = parse_type(text:sub(2, -2)) } end
    if first == "{" then return { kind = "dict", text = text, of = parse_type(text:sub(2, -2)) } end
    if text:find "^%u" then return { kind = "ref", text = text, name = text } end
    return { kind = text, text = text }
end

local function parse_field(text)
    local head, default = text:match "^(.-)=(.*)$"
    head = head or text
    local f = {}
    for key, number in head:gmatch " (%a[%w_]*) (%S+)" do f[key:gsub("!", "")] = tonumber((number:gsub("!", ""))) end
    local name, kind = head:match "^([^:]+):(%S+)"
    f.required = head:find("!", 1, true) ~= nil
    kind = kind:gsub("!", "")
    f.nullable = kind:sub(-1) == "?"
    if f.nullable then kind = kind:sub(1, -2) end
    local plain, other = name:match "^([%w_]+)%(([%w_]+)%)$"
    f.name, f.other = plain or name, other
    f.type = parse_type(kind)
    if default == "now" then f.now = true
    elseif default == "empty" then f.default = kind:sub(1, 1) == "[" and core.array {} or core.object {}
    elseif default then
        local value, message = core.json.decode(default)
        if value == nil then error("symbi.api: default of " .. f.name .. ": " .. tostring(message)) end
        f.default = value
    end
    return f
end

local function parse_shape(module, name, text)
    local s = { name = name, module = module, full = module .. "." .. name }
    local values = text:match "^enum (.*)$"
    if values then
        s.kind, s.values, s.set = "enum", {}, {}
        for v in values:gmatch "%S+" do
            s.values[#s.values + 1] = v
            s.set[v] = true
        end
        return s
    end
    s.kind, s.extra, s.fields, s.by_name = "model", "ignore", {}, {}
    local mode, rest = text:match "^(%l+); (.*)$"
    if mode and not mode:find(":", 1, true) then
        text = rest
        s.extra = mode == "open" and "allow" or "forbid"
        s.dataclass = mode == "exact"
    end
    for part in (text .. "; "):gmatch "(.-); " do
        local f = parse_field(part)
        s.fields[#s.fields + 1] = f
        s.by_name[f.name] = f
        if f.other then s.by_name[f.other] = f end
    end
    return s
end

--- Fields written in the notation of the shapes: "limit:int=10; status:str?".
function M.fields(text)
    local out = {}
    for part in (text .. "; "):gmatch "(.-); " do out[#out + 1] = parse_field(part) end
    return out
end

--- Checks one value against a field's type; what = how messages name it.
function M.field_value(f, value, what)
    local state = { errors = {}, count = 0, exact = true }
    local out = M.check_type(f.type, value, what, state)
    if state.count == 0 then return out end
    local message = state.errors[1].path .. " " .. state.errors[1].message
    return require("symbi.errors").fail("ValidationError", message, { errors = state.errors })
end

-- Where a bare name is looked for: the SDK's main module first, but the configuration is that of config.py, which refuses unknown keys.
local ORDER = { "models", "reasoning", "schedules", "channels", "metrics", "memory", "auth", "config" }
local CONFIG = { ClientConfig = true, DatabaseConfig = true, AuthConfig = true, VectorConfig = true, LoggingConfig = true }
local parsed = {}

local function find(name, near)
    local module, bare = name:match "^(%l+)%.(.+)$"
    if not module then
        bare = name
        if near and sources[near] and sources[near][bare] then module = near
        elseif not near and CONFIG[bare] then module = "config"
        else
            for _, m in ipairs(ORDER) do
                if sources[m][bare] then
                    module = m
                    break
                end
            end
        end
    end
    local text = module and sources[module] and sources[module][bare]
    if not text then return nil end
    local full = module .. "." .. bare
    if not parsed[full] then parsed[full] = parse_shape(module, bare, text) end
    return parsed[full]
end

-- ---- checking ---------------------------------------------------------------------------------------------------------------

local RULES = {
    missing = "missing", enum = "enum", greater_than_equal = "range", less_than_equal = "range", string_too_long = "length", extra_forbidden = "unknown",
    datetime = "format",
}

local function fault(state, path, detail, message)
    state.count = state.count + 1
    if state.count <= MAX_ERRORS then
        state.errors[#state.errors + 1] = { path = path, rule = RULES[detail] or "type", detail = detail, message = message }
    end
    return nil
end

local function key_path(path, key) return path == "" and tostring(key) or path .. "." .. tostring(key) end

local function is_list(t)
    if core.is_array(t) then return true end
    local mt = getmetatable(t)
    return mt == nil and (next(t) == nil or t[1] ~= nil)
end

local function is_object(t)
    if core.is_array(t) then return false end
    return next(t) == nil or t[1] == nil
end

local TRUE = { ["1"] = true, ["true"] = true, yes = true, on = true, t = true, y = true }
local FALSE = { ["0"] = true, ["false"] = true, no = true, off = true, f = true, n = true }

--- The boolean that a word means, or nil.
function M.boolean(text)
    text = text:lower()
    if TRUE[text] then return true end
    if FALSE[text] then return false end
    return nil
end

local function integral(x) return x % 1 == 0 and x - x == 0 end
local function whole_number(x) return math.type ~= nil and math.type(x) == "integer" end -- luacheck: ignore 143
local function to_int(x) -- the integer subtype where there is one
    if math.type and math.type(x) == "float" then return math.tointeger(x) or x end -- luacheck: ignore 143
    return x
end

local scalar = {}

function scalar.any(value) return value end

function scalar.str(value, path, state)
    if type(value) == "string" then return value end
    return fault(state, path, "string_type", "must be a string")
end

function scalar.int(value, path, state)
    local t = type(value)
    if t == "number" then
        -- a number with a point or an exponent counts where a 64-bit integer has its value
        if integral(value) and value >= -2 ^ 63 and value < 2 ^ 63 then return to_int(value) end
        return fault(state, path, "int_from_float", integral(value) and "is beyond the whole numbers of 64 bits; give its digits as a string" or "must be a whole number")
    end
    if not state.exact then
        if t == "boolean" then return value and 1 or 0 end
        if t == "string" then
            local digits = value:match "^%s*([+-]?%d+)%s*$" or value:match "^%s*([+-]?%d+)%.0*%s*$"
            digits = digits and #digits <= MAX_DIGITS and digits:gsub("^+", ""):gsub("^(-?)0+(%d)", "%1%2")
            local n = digits and tonumber(digits)
            -- what no number of this Lua holds exactly stays as its digits, as the decoder of answers leaves it
            if n then return (whole_number(n) or n > -2 ^ 53 and n < 2 ^ 53) and to_int(n) or digits end
            return fault(state, path, "int_parsing", "must be a whole number")
        end
    end
    return fault(state, path, "int_type", "must be a whole number")
end

function scalar.float(value, path, state)
    local t = type(value)
    if t == "number" then return value end
    if not state.exact then
        if t == "boolean" then return value and 1 or 0 end
        if t == "string" then
            local n = not value:find "[xXpP]" and tonumber(value)
            if n then return n end
            return fault(state, path, "float_parsing", "must be a number")
        end
    end
    return fault(state, path, "float_type", "must be a number")
end

function scalar.bool(value, path, state)
    local t = type(value)
    if t == "boolean" then return value end
    if not state.exact then
        if t == "number" then
            if value == 0 then return false end
            if value == 1 then return true end
            return fault(state, path, "bool_parsing", "must be true or false")
        end
        if t == "string" then
            local b = M.boolean(value)
            if b ~= nil then return b end
            return fault(state, path, "bool_parsing", "must be true or false")
        end
    end
    return fault(state, path, "bool_type", "must be true or false")
end

function scalar.datetime(value, path, state)
    local t = type(value)
    if t ~= "string" and t ~= "number" then return fault(state, path, "datetime_type", "must be a date and time (RFC 3339)") end
    local text = datetime.normal(value)
    if text then return text end
    return fault(state, path, "datetime", "must be a date and time (RFC 3339), such as 2026-01-31T12:00:00Z")
end

local check_shape

-- A value that nothing else refers to afterwards.
local function copy(value, depth)
    if type(value) ~= "table" or depth > MAX_DEPTH then return value end
    local out = {}
    for k, v in pairs(value) do out[k] = copy(v, depth + 1) end
    return core.is_array(value) and core.array(out) or core.object(out)
end

local function check(t, value, path, state, near, depth)
    if depth > MAX_DEPTH then return fault(state, path, "depth", "is nested too deeply") end
    local kind = t.kind
    local f = scalar[kind]
    if f then return f(value, path, state) end
    if kind == "list" or kind == "set" then
        if type(value) ~= "table" or not is_list(value) then return fault(state, path, "list_type", "must be a list") end
        local out, seen, n = {}, {}, #value
        for i = 1, n do
            local v = value[i]
            if v == nil then v = null end
            v = check(t.of, v, path .. "[" .. i .. "]", state, near, depth + 1)
            if kind == "list" then out[i] = v
            elseif v ~= nil and not seen[v] then
                seen[v] = true
                out[#out + 1] = v
            end
        end
        return core.array(out)
    end
    if kind == "dict" then
        if type(value) ~= "table" or not is_object(value) then return fault(state, path, "dict_type", "must be an object (a table with string keys)") end
        local out = {}
        for k, v in pairs(value) do
            if type(k) ~= "string" then fault(state, path, "string_type", "has a key that is no string")
            else out[k] = check(t.of, v, key_path(path, k), state, near, depth + 1) end
        end
        return core.object(out)
    end
    if kind == "union" then
        local exact = state.exact
        for _, way in ipairs { true, false } do
            for i = 1, #t do
                local try = { errors = {}, count = 0, exact = way or exact, now = state.now }
                local out = check(t[i], value, path, try, near, depth + 1)
                if try.count == 0 then return out end
            end
        end
        return fault(state, path, "union", "must be " .. t.text:gsub("|", " or "))
    end
    local shape = find(t.name, near)
    if not shape then error("symbi.api: unknown shape " .. t.name) end
    return check_shape(shape, value, path, state, depth + 1)
end

function check_shape(shape, value, path, state, depth)
    if shape.kind == "enum" then
        if type(value) == "string" and shape.set[value] then return value end
        return fault(state, path, "enum", "must be one of " .. table.concat(shape.values, ", "))
    end
    if type(value) ~= "table" or not is_object(value) then return fault(state, path, "model_type", "must be an object (a table with string keys)") end
    local out = {}
    -- the SDK's dataclasses check which keys are there, and nothing else
    local loose = shape.dataclass and not state.exact
    local fields = shape.fields
    for i = 1, #fields do
        local f = fields[i]
        local v = value[f.name]
        if v == nil and f.other then v = value[f.other] end
        local at = path == "" and f.name or path .. "." .. f.name
        if v == nil then
            if f.required then fault(state, at, "missing", "is missing")
            elseif f.now then out[f.name] = datetime.from_unix(state.now or os.time())
            elseif f.default ~= nil then
                if f.type.kind == "ref" then out[f.name] = check(f.type, f.default, at, state, shape.module, depth + 1)
                else out[f.name] = copy(f.default, 0) end
            elseif state.nulls then out[f.name] = null end
        elseif loose then out[f.name] = v
        elseif v == null and f.nullable then out[f.name] = null
        else
            local of, got = scalar[f.type.kind]
            if of and depth < MAX_DEPTH then got = of(v, at, state) else got = check(f.type, v, at, state, shape.module, depth + 1) end
            out[f.name] = got
            local n = type(got) == "number" and got or f.type.kind == "int" and tonumber(got)
            if n then
                if f.ge and n < f.ge then fault(state, at, "greater_than_equal", "must be at least " .. f.ge) end
                if f.le and n > f.le then fault(state, at, "less_than_equal", "must be at most " .. f.le) end
            elseif type(got) == "string" and f.max_length then
                local _, characters = got:gsub("[^\128-\191]", "")
                if characters > f.max_length then fault(state, at, "string_too_long", "is longer than " .. f.max_length .. " characters") end
            end
        end
    end
    for k, v in pairs(value) do
        if type(k) ~= "string" then fault(state, path, "string_type", "has a key that is no string")
        elseif not shape.by_name[k] then
            if shape.extra == "forbid" then fault(state, key_path(path, k), "extra_forbidden", "is not a field of " .. shape.name)
            elseif shape.extra == "allow" or state.keep then out[k] = v end
        end
    end
    return core.object(out)
end

-- ---- what is right as it stands -------------------------------------------------------------------------------------------------

-- Is value what read(..., {keep = true}) would make of it, for the plain case that all of it is there and in its final form? Then nothing
-- has to be copied. A false answer says nothing: the long way decides.
local same
local math_type = math.type -- luacheck: ignore 143

-- What is looked at for each field, or false for a shape that the long way has to read.
local function plan_of(shape)
    if shape.kind ~= "model" or shape.extra == "forbid" or shape.dataclass then return false end
    local plan = { n = #shape.fields, names = {}, kinds = {}, types = {}, optional = {}, nullable = {} }
    for i, f in ipairs(shape.fields) do
        if f.other then return false end
        plan.names[i], plan.types[i], plan.nullable[i] = f.name, f.type, f.nullable
        plan.kinds[i] = (f.ge or f.le or f.max_length) and "bounded" or f.type.kind
        plan.optional[i] = not f.required and not f.now and f.default == nil
    end
    return plan
end

local function same_shape(shape, value, depth)
    local plan = shape.plan
    if plan == nil then
        plan = plan_of(shape)
        shape.plan = plan
    end
    if not plan or type(value) ~= "table" or value[1] ~= nil or core.is_array(value) then return false end
    local names, kinds = plan.names, plan.kinds
    for i = 1, plan.n do
        local v, kind = value[names[i]], kinds[i]
        local good
        if kind == "str" then good = type(v) == "string"
        elseif kind == "int" and math_type then good = math_type(v) == "integer"
        else good = v ~= nil and v ~= null and kind ~= "bounded" and same(plan.types[i], v, shape.module, depth + 1) end
        if not good and not (v == nil and plan.optional[i]) and not (v == null and plan.nullable[i]) then return false end
    end
    return true
end

function same(t, value, near, depth)
    local kind = t.kind
    if kind == "ref" then
        local shape = t.shape or find(t.name, near)
        t.shape = shape
        if not shape or depth > MAX_DEPTH then return false end
        if shape.kind == "enum" then return type(value) == "string" and shape.set[value] == true end
        return same_shape(shape, value, depth)
    end
    local is = type(value)
    if kind == "str" then return is == "string" end
    if kind == "datetime" then return is == "string" and datetime.normal(value) == value end
    if kind == "int" then
        if math_type then return math_type(value) == "integer" end
        return is == "number" and integral(value) and value >= -2 ^ 63 and value < 2 ^ 63
    end
    if kind == "float" then return is == "number" end
    if kind == "bool" then return is == "boolean" end
    if kind == "any" then return true end
    if depth > MAX_DEPTH or is ~= "table" then return false end
    if kind == "list" then
        if not core.is_array(value) then return false end
        for i = 1, #value do
            if not same(t.of, value[i], near, depth + 1) then return false end
        end
        return true
    end
    if kind ~= "dict" or value[1] ~= nil or core.is_array(value) then return false end
    for k, v in pairs(value) do
        if type(k) ~= "string" or not same(t.of, v, near, depth + 1) then return false end
    end
    return true
end

function M.check_type(t, value, path, state) return check(t, value, path, state, nil, 0) end

-- ---- what is handed out ---------------------------------------------------------------------------------------------------------

local function run(shape, value, options)
    local state = { errors = {}, count = 0, exact = options.exact, keep = options.keep, nulls = options.nulls, now = options.now }
    local out = check_shape(shape, value, "", state, 0)
    if state.count == 0 then return out end
    table.sort(state.errors, function(a, b) return a.path < b.path end)
    local first = state.errors[1]
    local message = shape.name .. ": " .. (first.path == "" and "it" or first.path) .. " " .. first.message
    if state.count > 1 then message = message .. " (and " .. state.count - 1 .. " more)" end
    return require("symbi.errors").fail("ValidationError", message, { errors = state.errors, model = shape.name })
end

local objects = {}

--- The model or enum of that name ("Agent", "metrics.MetricsSnapshot"), or nil.
function M.get(name)
    if type(name) ~= "string" then return nil end
    local shape = find(name)
    if not shape then return nil end
    if objects[shape] then return objects[shape] end
    local X = { name = shape.name, kind = shape.kind, fields = shape.fields, values = shape.values, extra = shape.extra, full = shape.full }
    --- ok, message, err: options.exact refuses what only a tolerant reader would take.
    function X.check(value, options)
        local out, message, err = run(shape, value, options or {})
        if out == nil then return nil, message, err end
        return true
    end
    --- A checked copy. options: exact, keep (unknown keys), nulls (unset optional fields as null), now (Unix seconds).
    function X.read(value, options) return run(shape, value, options or {}) end
    objects[shape] = setmetatable(X, { __call = function(_, value) return run(shape, value, {}) end })
    return objects[shape]
end

--- Every shape: a sorted list of full names.
function M.names()
    local out = {}
    for module, list in pairs(sources) do
        for name in pairs(list) do out[#out + 1] = module .. "." .. name end
    end
    table.sort(out)
    return out
end

--- Reads a value by the text of a type: "Agent", "[ScheduleSummary]", "{CircuitBreakerStatus}", "any". options as for a model's read, and
-- own: the value is the caller's own, as json.decode made it, and may be returned itself.
local types = {}
function M.read(text, value, options)
    local t = types[text]
    if not t then
        t = parse_type(text)
        types[text] = t
    end
    if options.own and options.keep and same(t, value, nil, 0) then return value end
    if t.kind == "ref" then
        t.object = t.object or M.get(t.name)
        return t.object.read(value, options)
    end
    local state = { errors = {}, count = 0, exact = options.exact, keep = options.keep, nulls = options.nulls, now = options.now }
    local out = check(t, value, "", state, nil, 0)
    if state.count == 0 then return out end
    local first = state.errors[1]
    local message = (first.path == "" and "the value" or first.path) .. " " .. first.message
    return require("symbi.errors").fail("ValidationError", message, { errors = state.errors, model = text })
end

return M
