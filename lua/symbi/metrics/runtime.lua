--- symbi.metrics.runtime: the snapshots and the settings of the Symbiont runtime's own metrics, as its files hold them (JSON in the order
-- of declaration, numbers as Rust writes them).
--   s = runtime.from_dict(t)       every section must be there, unknown keys are ignored; whole numbers are not negative
--   text = runtime.encode(s, compact)
--   cfg = runtime.config(t)        with defaults
local core = require "symbi.core"
local digits = require "symbi.metrics.digits"
local errors = require "symbi.errors"

local M = {}
local null = core.null

-- name, kind: "u" a whole number from 0, "f" a number, "f?" or null, "counts" name -> whole number
local SNAPSHOT = {
    { "timestamp", "u" },
    { "scheduler", {
        { "total_scheduled", "u" }, { "uptime_seconds", "u" }, { "running_agents", "u" }, { "queued_agents", "u" }, { "suspended_agents", "u" }, { "max_capacity", "u" },
        { "load_factor", "f" },
    } },
    { "task_manager", { { "total_tasks", "u" }, { "healthy_tasks", "u" }, { "average_uptime_seconds", "f" }, { "total_memory_usage", "u" } } },
    { "load_balancer", {
        { "total_allocations", "u" }, { "active_allocations", "u" }, { "memory_utilization", "f" }, { "cpu_utilization", "f" }, { "allocation_failures", "u" },
        { "average_allocation_time_ms", "f" },
    } },
    { "system", { { "memory_usage_mb", "f" }, { "cpu_usage_percent", "f" } } },
    { "compaction", { { "total_compactions", "u" }, { "total_tokens_saved", "u" }, { "compactions_by_tier", "counts" }, { "context_utilization_ratio", "f?" } }, optional = true },
}

local function fail(class, where, what) return errors.fail(class, where .. " " .. what) end

-- A whole number from 0 below 2^64; one that this Lua cannot hold comes as its digits.
local function whole(v)
    if type(v) == "string" then return v:find "^%d+$" ~= nil and tonumber(v) >= 2 ^ 53 and (#v < 20 or #v == 20 and v <= "18446744073709551615") end
    return type(v) == "number" and v >= 0 and v % 1 == 0 and v < 2 ^ 64
end

local check

local function one(kind, v, where)
    if type(kind) == "table" then return check(kind, v, where) end
    if kind == "u" then
        if whole(v) then return v end
        return fail("ValidationError", where, "must be a whole number, 0 or more")
    end
    if kind == "f?" and (v == nil or v == null) then return null end
    if kind == "counts" then
        if type(v) ~= "table" or core.is_array(v) then return fail("ValidationError", where, "must be an object of whole numbers") end
        local out = core.object {}
        for name, n in pairs(v) do
            if type(name) ~= "string" or not whole(n) then return fail("ValidationError", where .. "." .. tostring(name), "must be a whole number, 0 or more") end
            out[name] = n
        end
        return out
    end
    if type(v) == "string" and v:find "^%-?%d+$" and math.abs(tonumber(v)) >= 2 ^ 53 then v = tonumber(v) end
    if type(v) == "number" then return v end
    return fail("ValidationError", where, "must be a number")
end

function check(fields, t, where)
    if type(t) ~= "table" then return fail("ValidationError", where, "must be an object") end
    local out = {}
    for _, f in ipairs(fields) do
        local v, name = t[f[1]], where .. "." .. f[1]
        if (v == nil or v == null) and f.optional then out[f[1]] = null
        elseif v == nil and f[2] ~= "f?" then return fail("ValidationError", name, "is missing")
        else
            local got, message, err = one(f[2], v, name)
            if got == nil then return nil, message, err end
            out[f[1]] = got
        end
    end
    return out
end

function M.from_dict(t) return check(SNAPSHOT, t, "MetricsSnapshot") end

local function text_of(kind, v, compact, depth)
    local open, close, comma, colon = "{", "}", ",", ":"
    if not compact then
        local pad = ("  "):rep(depth)
        open, close, comma, colon = "{\n  " .. pad, "\n" .. pad .. "}", ",\n  " .. pad, ": "
    end
    if v == null then return "null" end
    if kind == "u" then return type(v) == "string" and v or ("%.0f"):format(v) end
    if kind == "f" or kind == "f?" then return digits.rust(v) end
    local rows = {}
    if kind == "counts" then
        local names = {}
        for name in pairs(v) do names[#names + 1] = name end
        table.sort(names)
        for i, name in ipairs(names) do rows[i] = core.json.encode(name) .. colon .. text_of("u", v[name]) end
        if #rows == 0 then return "{}" end
    else
        for i, f in ipairs(kind) do rows[i] = '"' .. f[1] .. '"' .. colon .. text_of(f[2], v[f[1]], compact, depth + 1) end
    end
    return open .. table.concat(rows, comma) .. close
end

--- The bytes of the runtime's file: indented by two spaces, or compact.
function M.encode(snapshot, compact) return text_of(SNAPSHOT, snapshot, compact, 0) end

local PROTOCOLS = { grpc = true, httpbinary = true, httpjson = true }

local function text(t, name, default, where)
    local v = t[name]
    if v == nil then v = default end
    if type(v) == "string" then return v end
    if v == nil then return fail("MetricsConfigError", where .. name, "is missing") end
    return fail("MetricsConfigError", where .. name, "must be a text")
end

local function seconds(t, name, default, where)
    local v = t[name]
    if v == nil then v = default end
    if whole(v) then return v end
    return fail("MetricsConfigError", where .. name, "must be a whole number, 0 or more")
end

local function flag(t, name, where)
    local v = t[name]
    if v == nil then return true end
    if type(v) == "boolean" then return v end
    return fail("MetricsConfigError", where .. name, "must be true or false")
end

local function section(t, name)
    local v = t[name]
    if v == nil or v == null then return null end
    if type(v) == "table" and not (core.is_array(v) and #v > 0) then return v end
    return fail("MetricsConfigError", name, "must be an object")
end

-- Each row: key, reader, its arguments. The first that fails is the answer.
local function fill(t, rows, where)
    local out = {}
    for _, row in ipairs(rows) do
        local v, message, err = row[2](t, row[1], row[3], where)
        if v == nil then return nil, message, err end
        out[row[1]] = v
    end
    return out
end

local function protocol(t, name, _, where)
    local v, message, err = text(t, name, "grpc", where)
    if v == nil then return nil, message, err end
    if PROTOCOLS[v] then return v end
    return fail("MetricsConfigError", where .. name, "must be grpc, httpbinary or httpjson, not '" .. v .. "'")
end

local function headers(t, name, _, where)
    local v = t[name]
    if v == nil then return core.object {} end
    if type(v) ~= "table" then return fail("MetricsConfigError", where .. name, "must be an object of texts") end
    local out = core.object {}
    for key, value in pairs(v) do
        if type(key) ~= "string" or type(value) ~= "string" then return fail("MetricsConfigError", where .. name, "must be an object of texts") end
        out[key] = value
    end
    return out
end

local function flag_row(t, name, _, where) return flag(t, name, where) end

--- Settings of the runtime's exporters, checked and with their defaults. null stands for a section that is absent.
function M.config(t)
    if type(t) ~= "table" then return fail("MetricsConfigError", "the settings", "must be an object") end
    local out, message, err = fill(t, {
        { "enabled", flag_row }, { "export_interval_seconds", seconds, 60 }, { "service_name", text, "symbiont-scheduler" }, { "service_namespace", text, "symbiont" },
        { "otlp", section }, { "file", section },
    }, "")
    if not out then return nil, message, err end
    if out.otlp ~= null then
        out.otlp, message, err = fill(out.otlp, { { "endpoint", text }, { "protocol", protocol }, { "timeout_seconds", seconds, 10 }, { "headers", headers } }, "otlp.")
        if not out.otlp then return nil, message, err end
    end
    if out.file ~= null then
        out.file, message, err = fill(out.file, { { "path", text }, { "pretty_print", flag_row } }, "file.")
        if not out.file then return nil, message, err end
    end
    return out
end

return M
