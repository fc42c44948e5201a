--- symbi.metrics: snapshots, and where they go.
--   s = metrics.snapshot{ timestamp =, system = { cpu_usage_percent = 1.5 } }      checked, with defaults
--   e = metrics.file("metrics.json")      metrics.otlp{ endpoint = "http://localhost:4318" }      metrics.composite{ e1, e2 }
--   c = metrics.collector(client.metrics, e, { interval_seconds = 60 }); c:start(); c:tick() from the program's loop; c:stop()
-- An exporter is a table with export(self, snapshot) -> true, or nil, message, err, and perhaps shutdown(self).
local core = require "symbi.core"
local datetime = require "symbi.api.datetime"
local digits = require "symbi.metrics.digits"
local errors = require "symbi.errors"
local model = require "symbi.api.model"

local M = { runtime = require "symbi.metrics.runtime" }
local null = core.null

local SECTIONS = { { "scheduler", "SchedulerMetrics" }, { "task_manager", "TaskManagerMetrics" }, { "load_balancer", "LoadBalancerMetrics" }, { "system", "SystemResourceMetrics" } }

-- ---- snapshots ----------------------------------------------------------------------------------------------------------------------

--- A snapshot out of a table: unknown keys at the top are ignored, inside a section they are an error. Without a timestamp: now.
function M.snapshot(t)
    t = t or {}
    local given = { timestamp = t.timestamp or datetime.from_unix(os.time()) }
    for _, s in ipairs(SECTIONS) do
        if t[s[1]] ~= null then given[s[1]] = t[s[1]] end
    end
    return M.from_dict(given)
end

-- What a field can hold: a number, the digits of a whole one that no Lua holds, and null, as which a file has what is not a number.
local function is_number(x) return type(x) == "number" or x == null or type(x) == "string" and x:find "^%-?%d+$" ~= nil end

--- As snapshot, but the timestamp must be there, and a section that is named.
function M.from_dict(t)
    if type(t) ~= "table" or type(t.timestamp) ~= "string" then return errors.fail("ValidationError", "MetricsSnapshot: timestamp is missing", { model = "MetricsSnapshot" }) end
    if not core.json.encode(t.timestamp) then return errors.fail("ValidationError", "MetricsSnapshot: timestamp is not UTF-8", { model = "MetricsSnapshot" }) end
    local out = { timestamp = t.timestamp }
    for _, s in ipairs(SECTIONS) do
        local v = t[s[1]]
        if v ~= nil then
            local section, message, err = model.get("metrics." .. s[2]).read(v)
            if section == nil then return nil, message, err end
            for k, x in pairs(section) do
                if not is_number(x) then return errors.fail("ValidationError", "MetricsSnapshot: " .. s[1] .. "." .. k .. " must be a number") end
            end
            out[s[1]] = section
        end
    end
    return out
end

--- Without the sections that are absent.
function M.to_dict(snapshot)
    local out = { timestamp = snapshot.timestamp }
    for _, s in ipairs(SECTIONS) do out[s[1]] = snapshot[s[1]] end
    return out
end

-- A number as the SDK writes it: the shortest text that reads back the same, ".0" on a whole float.
local function number(x, is_float)
    if type(x) == "string" then return x end -- an integer that this Lua's numbers cannot hold
    if x == null then return "null" end
    if math.type then is_float = math.type(x) == "float" end -- luacheck: ignore 143
    if not is_float and x % 1 == 0 and (math.type or math.abs(x) < 2 ^ 63) then return string.format("%d", x) end -- luacheck: ignore 143
    return digits.python(x)
end

local function ascii(text)
    return (core.json.encode(text):gsub("[\194-\244][\128-\191]*", function(c)
        local b = { c:byte(1, -1) }
        local cp = #b == 2 and b[1] % 32 or #b == 3 and b[1] % 16 or b[1] % 8
        for i = 2, #b do cp = cp * 64 + b[i] % 64 end
        if cp < 65536 then return string.format("\\u%04x", cp) end
        cp = cp - 65536
        return string.format("\\u%04x\\u%04x", 55296 + math.floor(cp / 1024), 56320 + cp % 1024)
    end):gsub("\127", "\\u007f"))
end

--- The text of a snapshot: compact, or indented by two spaces.
function M.encode(snapshot, compact)
    local colon, comma, open, close = ":", ",", "", ""
    if not compact then colon, comma, open, close = ": ", ",\n", "\n", "\n" end
    local function indent(n) return compact and "" or ("  "):rep(n) end
    local parts = { indent(1) .. '"timestamp"' .. colon .. ascii(snapshot.timestamp) }
    for _, s in ipairs(SECTIONS) do
        local section = snapshot[s[1]]
        if section then
            local rows = {}
            for _, f in ipairs(model.get("metrics." .. s[2]).fields) do
                rows[#rows + 1] = indent(2) .. '"' .. f.name .. '"' .. colon .. number(section[f.name], f.type.kind == "float")
            end
            parts[#parts + 1] = indent(1) .. '"' .. s[1] .. '"' .. colon .. "{" .. open .. table.concat(rows, comma) .. close .. indent(1) .. "}"
        end
    end
    return "{" .. open .. table.concat(parts, comma) .. close .. "}"
end

-- ---- file ---------------------------------------------------------------------------------------------------------------------------

local File = {}
File.__index = File

--- Writes each snapshot over the last one, whole or not at all. cfg: a path, or { path =, compact = true } (pretty_print is known too).
function M.file(cfg)
    if type(cfg) == "string" then cfg = { path = cfg } end
    cfg = cfg or {}
    local compact = cfg.compact
    if compact == nil then compact = not cfg.pretty_print end
    local path = cfg.path or "metrics.json"
    if type(path) ~= "string" or path == "" then return errors.fail("MetricsConfigError", "the metrics file has no path", { config_field = "path" }) end
    return setmetatable({ path = path, compact = compact }, File)
end

local function failed_write(message, err) return errors.fail("MetricsExportError", "Failed to write metrics file: " .. tostring(message), { backend = "file", cause = err }) end

function File:export(snapshot)
    local io = require "symbi.io"
    local folder = self.path:match "^(.*)/[^/]*$"
    if folder and folder ~= "" and not io.stat(folder) then
        local ok, message, err = io.mkdir(folder, { parents = true })
        if not ok then return failed_write(message, err) end
    end
    local ok, message, err = io.write_file(self.path, M.encode(snapshot, self.compact))
    if not ok then return failed_write(message, err) end
    return true
end

function File:shutdown() return true end

-- ---- OTLP over HTTP -------------------------------------------------------------------------------------------------------------------

local Otlp = {}
Otlp.__index = Otlp
Otlp.__tostring = function(self) return "symbi OTLP exporter to " .. tostring(self.endpoint) end -- headers may hold a key

--- Sends snapshots as OTLP/HTTP JSON. cfg: { endpoint = "http://localhost:4318", headers = {}, timeout_seconds = 10, max_retries = 2, protocol = "http",
-- transport = }. The time is that of a whole export. What a collector answers 429, 502, 503 or 504 to is sent again, when it says or after 1, 2 s.
function M.otlp(cfg)
    cfg = cfg or {}
    local protocol = cfg.protocol or "http"
    if protocol ~= "http" and protocol ~= "httpjson" then
        return errors.fail("MetricsConfigError", "OTLP over " .. tostring(protocol) .. " is not supported; use protocol = \"http\" (port 4318)", { config_field = "protocol" })
    end
    local endpoint = (cfg.endpoint or "http://localhost:4318"):gsub("/+$", "")
    local u, message = core.wire.url(endpoint)
    if not u then return errors.fail("MetricsConfigError", "endpoint: " .. message, { config_field = "endpoint" }) end
    if not endpoint:find "/v1/metrics$" then endpoint = endpoint .. "/v1/metrics" end
    return setmetatable({ endpoint = endpoint, headers = cfg.headers or {}, timeout = cfg.timeout_seconds or 10, retries = cfg.max_retries or 2, transport = cfg.transport }, Otlp)
end

-- A value of an attribute, in the form that names its type; integers beyond 2^53 are their digits, as the protocol has them.
local function any_value(v)
    local t = type(v)
    if t == "boolean" then return { boolValue = v } end
    if t == "number" then
        if (math.type and math.type(v) == "float") or v % 1 ~= 0 then return { doubleValue = v } end -- luacheck: ignore 143
        return { intValue = v > -2 ^ 53 and v < 2 ^ 53 and v or string.format("%d", v) }
    end
    if t ~= "table" then return { stringValue = tostring(v) } end
    local list = core.array {}
    for i, x in ipairs(v) do list[i] = any_value(x) end
    return { arrayValue = { values = list } }
end

-- Attributes in the order of their names.
local function attributes(map)
    local names, list = {}, core.array {}
    for name in pairs(map or {}) do names[#names + 1] = name end
    table.sort(names)
    for i, name in ipairs(names) do list[i] = { key = name, value = any_value(map[name]) } end
    return list
end

local function int_value(v) return type(v) == "number" and (v <= -2 ^ 53 or v >= 2 ^ 53) and string.format("%.0f", v) or v end

--- Any metrics as the body of an OTLP/HTTP JSON request: { resource = { name = value }, scope = { name =, version = }, metrics = { { name =,
-- description =, unit =, kind = "gauge" or "sum" (which only grows), int = true, points = { { value =, attributes = } } } },
-- time_unix_nano = "...", start_unix_nano = "..." }. Times are decimal text.
function M.otlp_body(data)
    local list = core.array {}
    for i, m in ipairs(data.metrics) do
        local points = core.array {}
        for k, p in ipairs(m.points or {}) do
            points[k] = { attributes = attributes(p.attributes), startTimeUnixNano = data.start_unix_nano, timeUnixNano = data.time_unix_nano }
            if m.int then points[k].asInt = int_value(p.value) else points[k].asDouble = tonumber(p.value) end
        end
        list[i] = { name = m.name, description = m.description or "", unit = m.unit or "" }
        if m.kind == "sum" then list[i].sum = { aggregationTemporality = 2, isMonotonic = true, dataPoints = points }
        else list[i].gauge = { dataPoints = points } end
    end
    return {
        resourceMetrics = core.array { {
            resource = { attributes = attributes(data.resource), droppedAttributesCount = 0 },
            scopeMetrics = core.array { { scope = { name = data.scope.name, version = data.scope.version or "" }, metrics = list } },
        } },
    }
end

--- The request's body, a table in the form of ExportMetricsServiceRequest.
function M.otlp_payload(snapshot)
    local seconds, micro = datetime.to_unix(snapshot.timestamp)
    local nanos = seconds and string.format("%.0f%06d000", seconds, micro) or "0"
    local list = {}
    for _, s in ipairs(SECTIONS) do
        local section = snapshot[s[1]]
        for _, f in ipairs(section and model.get("metrics." .. s[2]).fields or {}) do
            local value = tonumber(section[f.name])
            if value and value - value == 0 then list[#list + 1] = { name = s[1] .. "." .. f.name, points = { { value = section[f.name] } } } end
        end
    end
    return M.otlp_body {
        resource = { ["service.name"] = "symbiont-scheduler", ["service.namespace"] = "symbiont" }, scope = { name = "symbiont.scheduler", version = core.version },
        metrics = list, time_unix_nano = nanos,
    }
end

local AGAIN = { [429] = true, [502] = true, [503] = true, [504] = true }

local function otlp_failed(message, fields)
    fields = fields or {}
    fields.backend = "otlp"
    return errors.fail("MetricsExportError", "OTLP export failed: " .. message, fields)
end

function Otlp:export(snapshot)
    local t = require("symbi.client.transport").pick(self.transport)
    local headers = { { "Content-Type", "application/json" } }
    for k, v in pairs(self.headers) do headers[#headers + 1] = { k, tostring(v) } end
    local body, why = core.json.encode(M.otlp_payload(snapshot))
    if not body then return otlp_failed("the snapshot cannot be written as JSON: " .. tostring(why)) end
    local attempt, over = 0, t.now() + self.timeout
    while true do
        local r, message, err = t.request {
            url = self.endpoint, method = "POST", headers = headers, body = body, timeout_ms = math.max(1, math.ceil((over - t.now()) * 1000)), max_bytes = 65536, by_operator = true,
        }
        if not r then return otlp_failed(tostring(message), { cause = err }) end
        if r.status >= 200 and r.status <= 299 then
            local said = core.json.decode(r.body or "")
            said = type(said) == "table" and type(said.partialSuccess) == "table" and said.partialSuccess or {}
            local lost = tonumber(said.rejectedDataPoints)
            if not lost or lost <= 0 then return true end
            local text = type(said.errorMessage) == "string" and ": " .. said.errorMessage:sub(1, 200):gsub("%c", " ") or ""
            return otlp_failed(string.format("%s rejected %.0f data points%s", self.endpoint, lost, text), { status_code = r.status, response_text = r.body })
        end
        local pause = 2 ^ attempt
        for _, h in ipairs(r.headers or {}) do
            if h[1]:lower() == "retry-after" then pause = tonumber(h[2]:match "^%s*(%d+)%s*$") or pause end
        end
        if not AGAIN[r.status] or attempt >= self.retries or t.now() + pause >= over then
            return otlp_failed(self.endpoint .. " answered " .. r.status, { status_code = r.status, response_text = r.body })
        end
        t.sleep(math.ceil(pause * 1000))
        attempt = attempt + 1
    end
end

function Otlp:shutdown() return true end

-- ---- several --------------------------------------------------------------------------------------------------------------------------

local Composite = {}
Composite.__index = Composite

--- All of the exporters, in order. It fails when there are some and all failed.
function M.composite(exporters, log)
    return setmetatable({ exporters = exporters or {}, log = log }, Composite)
end

function Composite:export(snapshot)
    local messages = {}
    for _, e in ipairs(self.exporters) do
        local ok, message = e:export(snapshot)
        if not ok then
            messages[#messages + 1] = tostring(message)
            if self.log then self.log("warning", tostring(message)) end
        end
    end
    if #self.exporters > 0 and #messages == #self.exporters then
        return errors.fail("MetricsExportError", "All exporters failed: " .. table.concat(messages, "; "), { backend = "composite" })
    end
    return true
end

function Composite:shutdown()
    for _, e in ipairs(self.exporters) do
        if e.shutdown then pcall(e.shutdown, e) end
    end
    return true
end

-- ---- now and then -----------------------------------------------------------------------------------------------------------------------

local Collector = {}
Collector.__index = Collector

local function kibibytes(file, name)
    local f = io.open(file)
    local kib = f and f:read("*a"):match(name .. ":%s*(%d+) kB")
    if f then f:close() end
    return tonumber(kib)
end

-- This process, as far as it can be seen from here: its time and memory, and the disk of the folder that it runs in.
local function own_numbers(self)
    local now, cpu = self.now(), os.clock()
    local percent = 0
    if self.last_at and now > self.last_at then percent = math.max(0, (cpu - self.last_cpu) / (now - self.last_at) * 100) end
    self.last_at, self.last_cpu = now, cpu
    local own, all = kibibytes("/proc/self/status", "VmRSS"), kibibytes("/proc/meminfo", "MemTotal")
    local there, symio = pcall(require, "symbi.io")
    local disk = there and symio.disk and symio.disk "." or { used_bytes = 0, total_bytes = 0 }
    return M.snapshot { system = {
        cpu_usage_percent = percent, memory_usage_bytes = own and own * 1024 or math.floor(collectgarbage "count" * 1024), memory_usage_percent = own and all and own / all * 100 or 0,
        disk_usage_bytes = disk.used_bytes, disk_usage_percent = disk.total_bytes > 0 and disk.used_bytes / disk.total_bytes * 100 or 0,
    } }
end

-- What GET metrics says, as a snapshot.
local function from_server(client)
    local m, message, err = client:get_metrics()
    if not m then return nil, message, err end
    local source = type(m.system) == "table" and m.system or m
    local function pick(...)
        for _, name in ipairs { ... } do
            if type(source[name]) == "number" then return source[name] end
            if type(m[name]) == "number" then return m[name] end
        end
        return nil
    end
    return M.snapshot {
        system = {
            cpu_usage_percent = pick("cpu_usage_percent", "cpu_usage"), memory_usage_bytes = pick("memory_usage_bytes", "memory_usage"),
            memory_usage_percent = pick "memory_usage_percent", disk_usage_bytes = pick "disk_usage_bytes", disk_usage_percent = pick "disk_usage_percent",
        },
    }
end

--- collector([client or client.metrics,] exporter[, { interval_seconds = 60, log =, now =, collect = function() -> snapshot }]).
function M.collector(client, exporter, options)
    if exporter == nil or (exporter.export == nil and type(exporter) == "table" and client.export and not client.get_metrics) then client, exporter, options = nil, client, exporter end
    if type(exporter) ~= "table" or not exporter.export then error("symbi.metrics.collector: an exporter is expected", 2) end
    options = options or {}
    return setmetatable({
        client = client, exporter = exporter, interval = options.interval_seconds or 60, log = options.log, collect_with = options.collect,
        now = options.now or function() return require("symbi.client.transport").pick().now() end, running = false,
    }, Collector)
end

--- A snapshot as it would be exported now.
function Collector:collect()
    if self.collect_with then return self.collect_with() end
    if self.client then return from_server(self.client) end
    return own_numbers(self)
end

local function export(self)
    local snapshot, message = self:collect()
    local ok = snapshot
    if snapshot then ok, message = self.exporter:export(snapshot) end
    if not ok and self.log then self.log("warning", tostring(message)) end
    self.next_at = self.now() + self.interval
    return ok and true or nil, message
end

--- Exports once, at once; from then on tick does.
function Collector:start()
    if self.running then return true end
    self.running = true
    export(self)
    return true
end

--- Call it now and then: exports when the interval is over. True when it did; false when nothing was due; nil, message when it failed. now: where the
-- caller has looked at the clock (options.now) already.
function Collector:tick(now)
    if not self.running or (now or self.now()) < self.next_at then return false end
    return export(self)
end
Collector.poll = Collector.tick

function Collector:stop()
    if not self.running then return true end
    self.running = false
    if self.exporter.shutdown then self.exporter:shutdown() end
    return true
end

return M
