--- Methods out of the rows of symbi.api: arguments into a request, an answer into a value.
local api = require "symbi.api"
local core = require "symbi.core"
local errors = require "symbi.errors"
local model = require "symbi.api.model"
local adapt = require "symbi.client.adapt"
local pipeline = require "symbi.client.pipeline"

local M = {}
local wire, null = core.wire, core.null

local function invalid(e, text, err)
    return errors.fail("ValidationError", e.name .. ": " .. text, { errors = err and err.errors, model = err and err.model })
end

-- ---- arguments --------------------------------------------------------------------------------------------------------------------

local function named_table(t) return type(t) == "table" and not core.is_array(t) and t[1] == nil end

-- The arguments by name. They are given in order, or all by name in one table; a table where a plain value is expected names the rest.
local function collect(e, given)
    local args, values, n = e.args, {}, given.n
    if n == 0 then return values end
    while n > 0 and given[n] == nil do n = n - 1 end
    for i = 1, n do
        local v, a = given[i], args[i]
        if i == n and named_table(v) and not (a and a.table) then
            for k, x in pairs(v) do
                local known
                for j = i, #args do
                    if args[j].name == k or args[j].wire == k then known = args[j].name end
                end
                if not known then return invalid(e, "unknown argument '" .. tostring(k) .. "'") end
                values[known] = x
            end
            return values
        end
        if not a then return invalid(e, "takes at most " .. #args .. " argument" .. (#args == 1 and "" or "s") .. ", got " .. n) end
        values[a.name] = v
    end
    return values
end

-- A template in pieces: text, and {name=, from=} for what an argument, or a field of one, gives. Each is read once.
local templates = {}
local function pieces_of(template)
    local list, at = {}, 1
    while true do
        local first, last, name = template:find("{([%w_.]+)}", at)
        list[#list + 1] = template:sub(at, (first or 0) - 1)
        if not first then break end
        local from, field = name:match "^([%w_]+)%.([%w_]+)$"
        list[#list + 1] = { name = field or name, from = from }
        at = last + 1
    end
    templates[template] = list
    return list
end

-- Puts the arguments of the path in. Second result: there are none.
local function path_of(e, template, values)
    local list = templates[template] or pieces_of(template)
    if not list[2] then return template, true end
    local out = {}
    for i = 1, #list do
        local piece = list[i]
        if type(piece) == "table" then
            local name, from = piece.name, piece.from
            local v
            if from then v = type(values[from]) == "table" and values[from][name] else v = values[name] end
            if type(v) == "number" and v % 1 == 0 and math.abs(v) < 2 ^ 53 then v = string.format("%d", v) end
            if type(v) ~= "string" then return invalid(e, (v == nil or v == false) and name .. " is missing" or name .. " must be a string") end
            local text, why = wire.escape(v, "segment")
            if not text then return invalid(e, name .. " cannot be used in a path: " .. why) end
            piece = text
        end
        out[i] = piece
    end
    return table.concat(out)
end

local function without_nulls(t)
    local out = {}
    for k, v in pairs(t) do if v ~= null then out[k] = v end end
    return core.object(out)
end

-- The value of a whole-body model as it is sent.
local function model_value(e, a, value, unset, checked)
    if type(value) ~= "table" then return invalid(e, a.name .. (value == nil and " is missing" or " must be a table")) end
    if not checked or (e.loose and not named_table(value)) then return value end
    if e.loose and (value.dsl ~= nil or value.dslSource ~= nil or value.metadata ~= nil) then return value end
    local out, message, err = model.read(a.model, value, { exact = true, nulls = unset ~= "omit" })
    if out == nil then return invalid(e, message, err) end
    if e.as_given then return value end
    if unset == "omit" then out = without_nulls(out) end
    return out
end

-- One argument of the body or the query, or nil with a message when it does not fit.
local function field_value(e, a, value, checked)
    if value == nil or value == null then
        if a.default ~= nil then return a.default end
        if a.required then return invalid(e, a.name .. " is missing") end
        return nil
    end
    if not checked then return value end
    local out, message, err = model.field_value(a.field, value, a.name)
    if out == nil then return invalid(e, message, err) end
    return out
end

--- The request of a call: {method, path, query, body}, or nil, message, err. given: {n=, ...}.
function M.request(self, e, given)
    local values, message, err = collect(e, given)
    if not values then return nil, message, err end
    local checked = self.config.validation_mode ~= "performance"
    if adapt.touched[e.name] then
        values, message, err = adapt.arguments(self, e, values)
        if not values then return nil, message, err end
    end
    local call = { method = e.method, query = {}, endpoint = e, values = values }
    call.path, message, err = path_of(e, e.path, values)
    if not call.path then return nil, message, err end
    local fixed = message -- nothing of the arguments stands in it
    local body
    for _, a in ipairs(e.args) do
        local v = values[a.name]
        if a.where == "body" then
            body, message, err = model_value(e, a, v, e.unset, checked)
            if body == nil then return nil, message, err end
        elseif a.where == "query_model" then
            local t
            t, message, err = model_value(e, a, v, "omit", checked)
            if t == nil then return nil, message, err end
            for _, f in ipairs(model.get(a.model).fields) do
                if t[f.name] ~= nil and t[f.name] ~= null then call.query[#call.query + 1] = { f.name, t[f.name] } end
            end
        elseif a.where == "fields" or a.where == "query" then
            v, message, err = field_value(e, a, v, checked)
            if v == nil and message then return nil, message, err end
            if a.where == "fields" then
                body = body or core.object {}
                body[a.wire] = v
            elseif v ~= nil and type(v) == "table" then
                for _, x in ipairs(v) do call.query[#call.query + 1] = { a.wire, x } end
            elseif v ~= nil then
                call.query[#call.query + 1] = { a.wire, v }
            end
        end
    end
    if adapt.touched[e.name] then adapt.request(self, e, call, body) end
    call.fixed, call.quiet = fixed and #call.query == 0, true
    if body ~= nil then
        call.body, message, err = pipeline.encode(body)
        if not call.body then return nil, message, err end
    end
    return call
end

-- ---- answers ------------------------------------------------------------------------------------------------------------------------

local function cut(list, n)
    if type(list) ~= "table" or type(n) ~= "number" then return list end
    for i = #list, math.max(n, 0) + 1, -1 do list[i] = nil end
    return list
end

local KEEP = { keep = true, own = true }

local function answer(self, e, call, response)
    if e.gives == "nothing" or e.gives == "alive" then return true end
    local value, message, err = pipeline.decode(call, response)
    if value == nil then
        if message ~= "empty" then return nil, message, err end
        if e.gives == "any" and not e.pick then return true end
        return errors.fail("APIError", "Invalid JSON in response" .. pipeline.hint(response.body), { status_code = response.status, response_text = response.body, request = { method = call.method, url = call.url } })
    end
    local mode, touched = self.config.validation_mode, adapt.touched[e.name]
    if touched then value = adapt.before(e, value) end
    if e.gives ~= "any" and mode ~= "performance" then
        local checked
        checked, message, err = model.read(e.gives, value, KEEP)
        if checked ~= nil then value = checked
        elseif mode == "strict" then
            err.message = e.name .. ": the answer is not what it should be: " .. message
            err.status_code, err.response_text = response.status, response.body
            return nil, err.message, err
        else
            self:log("warning", e.name .. ": the answer is not what it should be: " .. message)
        end
    end
    if e.cut then
        local n = call.values[e.cut]
        if n == nil then
            for _, a in ipairs(e.args) do if a.name == e.cut then n = a.default end end
        end
        if e.cut_in then
            if type(value) == "table" then cut(value[e.cut_in], n) end
        else
            cut(value, n)
        end
    end
    if e.pick then
        local picked = type(value) == "table" and value[e.pick]
        if picked == nil or picked == null then
            if e.otherwise ~= nil then return e.otherwise end
            return errors.fail("APIError", e.name .. ": the answer has no field " .. e.pick, { status_code = response.status, response_text = response.body })
        end
        return picked
    end
    return touched and adapt.after(self, e, value, call.values) or value
end

local function unsupported(e, call, err)
    local text = e.full .. ": the server does not serve " .. call.path .. "; use the embedded runtime (symbi.runtime) or a symbi server"
    return errors.fail("UnsupportedError", text, { status_code = err.status_code, response_text = err.response_text, request = err.request, cause = err })
end

local NOTHING = {}

--- Calls an endpoint.
function M.call(self, e, ...)
    local n, per = select("#", ...), self.per_call
    local call, message, err
    if n == 0 and not e.args[1] and not adapt.touched[e.name] then -- nothing to look at
        call = { method = e.method, path = e.path, values = NOTHING, fixed = true, quiet = true }
    else
        call, message, err = M.request(self, e, { n = n, ... })
        if not call then return nil, message, err end
    end
    if per then call.headers, call.timeout, call.idempotency_key = per.headers, per.timeout, per.idempotency_key end
    local response
    response, message, err = pipeline.send(self, call)
    if not response and e.instead and pipeline.is_unserved(err) then
        call.path, call.fixed = path_of(e, e.instead, call.values), false
        response, message, err = pipeline.send(self, call)
    end
    if response then return answer(self, e, call, response) end
    if e.gives == "alive" and (err.status_code == 503 or err:is "ConnectionError" or err:is "TimeoutError") then return false end
    if pipeline.is_unserved(err) then
        if e.name == "re_execute_agent" then return adapt.re_execute(self, e, call, err) end
        if not api.in_runtime(e) or err.status_code == 501 then return unsupported(e, call, err) end
    end
    return nil, message, err
end

return M
