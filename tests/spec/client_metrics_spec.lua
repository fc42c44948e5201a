--- symbi.metrics: the SDK's files byte for byte (shared vectors), OTLP over HTTP, several exporters, the collector.
local symbi = require "symbi"
local metrics, json, symio = symbi.metrics, symbi.json, symbi.io

local path = (os.getenv "SYMBI_VECTORS" or "../shared/vectors") .. "/rest/metrics_export.json"

local function slurp(name)
    local f = assert(io.open(name, "rb"))
    local text = f:read "*a"
    f:close()
    return text
end

local function fresh()
    local dir = os.tmpname()
    os.remove(dir)
    assert(symio.mkdir(dir))
    return dir
end

local function fake(fails)
    local e = { exports = 0, shutdowns = 0 }
    function e.export()
        e.exports = e.exports + 1
        if fails then return nil, fails end
        return true
    end
    function e.shutdown() e.shutdowns = e.shutdowns + 1 end
    return e
end

describe("symbi.metrics", function()
    it("does what was recorded from the SDK", function()
        local f = io.open(path, "rb")
        if not f then return pending "no vectors" end
        local cases = assert(json.decode(f:read "*a", { bigint = "string" })).cases
        f:close()
        for _, c in ipairs(cases) do
            if c.op == "file_export" then
                local dir = fresh()
                local e = assert(metrics.file { path = dir .. "/m.json", compact = c.compact })
                assert(e:export(assert(metrics.from_dict(c.snapshot))))
                assert.equal(c.bytes, slurp(dir .. "/m.json"), c.id)
                assert.same(#c.files_left_in_dir, #symio.list_dir(dir), c.id)
                assert(symio.remove_tree(dir))
            elseif c.op == "roundtrip" then
                assert.same(c.output, metrics.to_dict(assert(metrics.from_dict(c.input))), c.id)
            elseif c.op == "from_dict" then
                local s, _, err = metrics.from_dict(c.input)
                if c.ok then assert.same(c.ok, s, c.id)
                else
                    assert.is_nil(s, c.id)
                    assert.truthy(err:is "ValidationError")
                end
            elseif c.op == "composite" then
                local list = {}
                for i, fails in ipairs(c.fails) do list[i] = fake(fails == 1 and "boom" .. i - 1 or nil) end
                local all = metrics.composite(list)
                local ok, message, err = all:export { timestamp = "t" }
                if c.raised == symbi.null then assert.truthy(ok, c.id)
                else
                    assert.is_nil(ok, c.id)
                    assert.equal(c.message, message)
                    assert.truthy(err:is(c.raised))
                    assert.equal(c.backend, err.backend)
                end
                all:shutdown()
                for i, e in ipairs(list) do
                    assert.equal(c.export_calls[i], e.exports, c.id)
                    assert.equal(c.shutdown_calls[i], e.shutdowns, c.id)
                end
            else
                assert.equal("otlp", c.op) -- ours can: below
            end
        end
    end)

    local function metrics_vectors(name)
        local f = io.open((os.getenv "SYMBI_VECTORS" or "../shared/vectors") .. "/metrics/" .. name .. ".json", "rb")
        if not f then return nil end
        local text = f:read "*a"
        f:close()
        return assert(json.decode(text, { bigint = "string" })).cases
    end

    -- {$float: "nan"} stands for what JSON has not
    local function floats(v)
        if type(v) ~= "table" then return v end
        if v["$float"] then return v["$float"] == "nan" and 0 / 0 or v["$float"] == "-inf" and -1 / 0 or 1 / 0 end
        local out = {}
        for k, x in pairs(v) do out[k] = floats(x) end
        return out
    end

    it("writes the SDK's files", function()
        local cases = metrics_vectors "seed_file"
        if not cases then return pending "no vectors" end
        local wrong = {}
        for _, c in ipairs(cases) do
            local s = metrics.from_dict(floats(c.input))
            if type(c.exception) == "string" then
                if s then wrong[#wrong + 1] = c.id .. ": accepted" end
            elseif not s then wrong[#wrong + 1] = c.id .. ": refused"
            else
                for form, text in pairs { compact = metrics.encode(s, true), indented = metrics.encode(s, false) } do
                    local want = c[form]:gsub("%-?Infinity", "null"):gsub("NaN", "null") -- ours: JSON
                    local loose = want:gsub('"(%-?[%d.]+)"([,}\n])', "%1%2") -- ours: a number is a number
                    local plain = text
                    if not math.type then loose, plain = loose:gsub("%.0([,}\n])", "%1"), text:gsub("%.0([,}\n])", "%1") end -- 5 and 5.0 are one
                    if text ~= want and plain ~= loose then wrong[#wrong + 1] = c.id .. ": " .. text .. " for " .. want end
                end
            end
        end
        assert.same({}, wrong)
    end)

    it("calls several exporters as the SDK does", function()
        local cases = metrics_vectors "composite"
        if not cases then return pending "no vectors" end
        for _, c in ipairs(cases) do
            local calls, list = {}, {}
            for i = 1, #c.exporters do
                local fails = c.exporters[i] ~= symbi.null and c.exporters[i] or nil
                list[i] = {
                    export = function()
                        calls[#calls + 1] = "export " .. i - 1
                        if fails and fails ~= "shut" then return nil, fails end
                        return true
                    end,
                    shutdown = function()
                        calls[#calls + 1] = "shutdown " .. i - 1
                        if fails == "shut" then error "shut" end
                    end,
                }
            end
            local all = metrics.composite(list)
            local ok, message, err = all:export { timestamp = "t" }
            if c.export_error == symbi.null then assert.truthy(ok, c.id)
            else assert.equal(c.export_error, err.name .. ": " .. message, c.id) end
            all:shutdown()
            assert.same(c.calls, calls, c.id)
        end
    end)

    it("forms OTLP bodies", function()
        local cases = metrics_vectors "otlp_json"
        if not cases then return pending "no vectors" end
        local function plain(v) -- attributes are a map; 64-bit integers may be numbers or digits
            if type(v) ~= "table" then return type(v) == "number" and ("%.17g"):format(v) or v end
            if v[1] and type(v[1]) == "table" and v[1].key then
                local map = {}
                for _, x in ipairs(v) do map[x.key] = plain(x.value) end
                return map
            end
            local out = {}
            for k, x in pairs(v) do out[k] = plain(x) end
            return out
        end
        for _, c in ipairs(cases) do
            local got = assert(json.decode(assert(json.encode(metrics.otlp_body(c)))))
            assert.same(plain(assert(json.decode(c.body))), plain(got), c.id)
        end
    end)

    it("writes the runtime's files", function()
        local cases = metrics_vectors "runtime_file"
        if not cases then return pending "no vectors" end
        for _, c in ipairs(cases) do
            local s, message = metrics.runtime.from_dict(c.input)
            if c.runtime.error then
                if not c.runtime.error:find "floating point `%d+%.0`" then assert.is_nil(s, c.id) end -- ours: 5.0 is a whole number, as in Lua
            else
                assert.truthy(s, c.id .. ": " .. tostring(message))
                assert.equal(c.runtime.compact, metrics.runtime.encode(s, true), c.id)
                assert.equal(c.runtime.pretty, metrics.runtime.encode(s), c.id)
            end
        end
        local _, message = metrics.runtime.from_dict { timestamp = 1, scheduler = {} }
        assert.equal("MetricsSnapshot.scheduler.total_scheduled is missing", message)
    end)

    it("reads the runtime's settings", function()
        local cases = metrics_vectors "runtime_config"
        if not cases then return pending "no vectors" end
        for _, c in ipairs(cases) do
            local got, message, err = metrics.runtime.config(c.input)
            if c.runtime.error then
                assert.is_nil(got, c.id)
                assert.truthy(err:is "MetricsConfigError")
            else
                assert.truthy(got, c.id .. ": " .. tostring(message))
                assert.equal(json.canonical(c.runtime.ok), json.canonical(got), c.id)
            end
        end
        for _, bad in ipairs { { otlp = {} }, { file = {} }, { export_interval_seconds = -1 }, { enabled = "yes" }, { otlp = { endpoint = "x", protocol = "GRPC" } }, { otlp = "x" }, { otlp = { endpoint = "x", headers = { a = 1 } } } } do
            local got, message, err = metrics.runtime.config(bad)
            assert.is_nil(got)
            assert.truthy(err:is "MetricsConfigError" and #message > 10)
        end
    end)

    it("writes numbers as Python and as Rust do", function()
        local digits = require "symbi.metrics.digits"
        for _, row in ipairs { { 0.1, "0.1", "0.1" }, { 1e15, "1000000000000000.0", "1000000000000000.0" }, { 1e16, "1e+16", "1e16" }, { 1e-5, "1e-05", "0.00001" }, { 1e-6, "1e-06", "1e-6" }, { 0.0001, "0.0001", "0.0001" },
            { 100, "100.0", "100.0" }, { 123.456, "123.456", "123.456" }, { -1 / 3, "-0.3333333333333333", "-0.3333333333333333" }, { 5e-324, "5e-324", "5e-324" }, { 1.7976931348623157e308, "1.7976931348623157e+308", "1.7976931348623157e308" },
            { 2.5e-5, "2.5e-05", "0.000025" }, { 0, "0.0", "0.0" }, { 1 / 0, "null", "null" }, { 0 / 0, "null", "null" } } do
            assert.same({ row[2], row[3] }, { digits.python(row[1]), digits.rust(row[1]) })
        end
    end)

    it("makes the folders of a file, and says when it cannot", function()
        local dir = fresh()
        local e = assert(metrics.file(dir .. "/a/b/m.json"))
        assert(e:export(assert(metrics.snapshot { system = { cpu_usage_percent = 0.1 } })))
        assert.truthy(slurp(dir .. "/a/b/m.json"):find('"cpu_usage_percent":0.1', 1, true))
        local ok, message, err = metrics.file(dir .. "/a/b/m.json/x"):export { timestamp = "t" }
        assert.is_nil(ok)
        assert.truthy(message:find("^Failed to write metrics file: "))
        assert.truthy(err:is "MetricsExportError" and err.backend == "file")
        assert(symio.remove_tree(dir))
    end)

    it("escapes what is outside ASCII", function()
        assert.equal('{"timestamp":"\\u00e9\\ud83d\\ude00"}', metrics.encode({ timestamp = "é😀" }, true))
        assert.equal('{"timestamp":"\\u007f\\u0001"}', metrics.encode({ timestamp = "\127\1" }, true)) -- as Python does
    end)

    it("holds any number that a file has, and no other thing", function()
        local function system(value) return metrics.from_dict { timestamp = "t", system = { memory_usage_bytes = value } } end
        local function written(value) return metrics.encode(assert(system(value)), true):match '"memory_usage_bytes":([^,]*),' end
        assert.equal("1e+30", written(1e30)) -- in a field of whole numbers, on every Lua
        assert.equal("-4.3e+103", written(-4.3e103))
        assert.equal("null", written(0 / 0))
        assert.equal("null", written(symbi.null)) -- and what was written can be read again
        assert.equal("18446744073709551616", written "18446744073709551616")
        for _, bad in ipairs { true, "x", "1.5", {} } do
            local s, _, err = system(bad)
            assert.is_nil(s)
            assert.truthy(err:is "ValidationError")
        end
        assert.is_nil((metrics.from_dict { timestamp = "t", system = symbi.null })) -- as the SDK
        assert.is_nil(assert(metrics.snapshot { timestamp = "t", system = symbi.null }).system)
        assert.is_nil((metrics.from_dict { timestamp = "\255" }))
        local list = metrics.otlp_payload(assert(system(0 / 0))).resourceMetrics[1].scopeMetrics[1].metrics
        assert.equal(4, #list) -- OTLP has no such number: the point is left out
    end)

    it("sends OTLP as JSON over HTTP", function()
        local sent
        local e = assert(metrics.otlp { endpoint = "http://collector:4318/", headers = { ["X-Tenant"] = "t1" }, transport = function(rq)
            sent = rq
            return { status = sent.fail and 500 or 200, headers = {}, body = "{}" }
        end })
        assert(e:export(assert(metrics.snapshot { timestamp = "2026-02-15T12:00:00.5Z", scheduler = { jobs_total = 5 } })))
        assert.equal("http://collector:4318/v1/metrics", sent.url)
        local body = assert(json.decode(sent.body)).resourceMetrics[1]
        assert.same({ key = "service.name", value = { stringValue = "symbiont-scheduler" } }, body.resource.attributes[1])
        local list = body.scopeMetrics[1].metrics
        assert.equal(6, #list)
        assert.equal("scheduler.jobs_total", list[1].name)
        assert.same({ { attributes = {}, timeUnixNano = "1771156800500000000", asDouble = 5 } }, list[1].gauge.dataPoints)
        local tenant
        for _, h in ipairs(sent.headers) do if h[1] == "X-Tenant" then tenant = h[2] end end
        assert.equal("t1", tenant)
        local _, _, err = metrics.otlp { protocol = "grpc" }
        assert.truthy(err:is "MetricsConfigError" and err.config_field == "protocol")
        _, _, err = metrics.otlp { endpoint = "http://h:4318/v1/metrics", transport = function() return { status = 500, headers = {}, body = "busy" } end }:export { timestamp = "2026-01-01" }
        assert.truthy(err:is "MetricsExportError" and err.status_code == 500)
    end)

    it("sends OTLP again when the collector asks for it, and says what was lost", function()
        local function export(answers, options)
            local sent, pauses, clock = 0, {}, 0
            options = options or {}
            options.transport = {
                now = function() return clock end,
                sleep = function(ms)
                    pauses[#pauses + 1] = ms / 1000
                    clock = clock + ms / 1000
                end,
                request = function(rq)
                    sent = sent + 1
                    assert.equal("string", type(rq.body))
                    assert.truthy(rq.timeout_ms > 0 and rq.timeout_ms <= (options.timeout_seconds or 10) * 1000)
                    local a = answers[math.min(sent, #answers)]
                    return { status = a[1], headers = a[2] and { { "Retry-After", a[2] } } or {}, body = a[3] or "{}" }
                end,
            }
            local ok, message, err = assert(metrics.otlp(options)):export(assert(metrics.snapshot { system = {} }))
            return ok, message, err, sent, pauses
        end
        for _, status in ipairs { 429, 502, 503, 504 } do
            local ok, _, _, sent, pauses = export { { status }, { status, "3" }, { 200 } }
            assert.is_true(ok)
            assert.equal(3, sent)
            assert.same({ 1, 3 }, pauses)
        end
        for _, status in ipairs { 400, 401, 500, 301 } do assert.equal(1, (select(4, export { { status } }))) end
        local ok, _, err, sent = export { { 503 } }
        assert.is_nil(ok)
        assert.equal(3, sent)
        assert.equal(503, err.status_code)
        assert.equal(1, (select(4, export({ { 503, "60" } })))) -- longer than the time that there is
        assert.equal(1, (select(4, export({ { 503 } }, { max_retries = 0 }))))
        local message
        ok, message, err = export { { 200, nil, '{"partialSuccess":{"rejectedDataPoints":"2","errorMessage":"too\\nold"}}' } }
        assert.is_nil(ok)
        assert.equal("OTLP export failed: http://localhost:4318/v1/metrics rejected 2 data points: too old", message)
        assert.truthy(err:is "MetricsExportError")
        for _, body in ipairs { "", "{}", "no JSON", '{"partialSuccess":{}}', '{"partialSuccess":{"rejectedDataPoints":0,"errorMessage":"note"}}', '{"partialSuccess":5}', "[]" } do assert.is_true((export { { 200, nil, body } })) end
    end)

    it("collects at once and then by tick", function()
        local clock, got, notes = 100, fake(), {}
        local c = metrics.collector(got, { interval_seconds = 10, now = function() return clock end, log = function(_, text) notes[#notes + 1] = text end })
        assert.is_false(c:tick()) -- not started
        c:start()
        c:start()
        assert.equal(1, got.exports)
        clock = 109
        assert.is_false(c:tick())
        clock = 110
        assert.is_true(c:tick())
        assert.equal(2, got.exports)
        c:stop()
        c:stop()
        assert.equal(1, got.shutdowns)
        clock = 200
        assert.is_false(c:tick())
        c:start()
        assert.equal(3, got.exports)
        local broken = metrics.collector(fake "boom", { now = function() return clock end, log = function(_, text) notes[#notes + 1] = text end })
        broken:start()
        assert.same({ "boom" }, notes)
        local client = assert(symbi.client { api_key = "k", base_url = "http://h", env = {}, dotenv = false, transport = function()
            return { status = 200, headers = {}, body = '{"agents":{"total":2},"system":{"cpu_usage":12.5,"memory_usage":77}}' }
        end })
        local s = assert(metrics.collector(client.metrics, got, { interval_seconds = 10 }):collect())
        assert.equal(12.5, s.system.cpu_usage_percent)
        assert.equal(77, s.system.memory_usage_bytes)
        s = assert(metrics.collector(got):collect())
        assert.truthy(s.system.memory_usage_bytes > 100000)
        assert.truthy(s.system.disk_usage_bytes > 0 and s.system.disk_usage_percent > 0 and s.system.disk_usage_percent <= 100)
        assert.truthy(s.system.memory_usage_percent > 0 and s.system.memory_usage_percent < 100)
        local polled = metrics.collector(got, { interval_seconds = 10, now = function() return 0 end })
        polled:start()
        assert.is_false(polled:poll(9))
        assert.is_true(polled:poll(10))
        assert.has_error(function() metrics.collector({}) end)
    end)
end)
