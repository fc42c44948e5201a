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
        assert.same({ { timeUnixNano = "1771156800500000000", asDouble = 5 } }, list[1].gauge.dataPoints)
        local tenant
        for _, h in ipairs(sent.headers) do if h[1] == "X-Tenant" then tenant = h[2] end end
        assert.equal("t1", tenant)
        local _, _, err = metrics.otlp { protocol = "grpc" }
        assert.truthy(err:is "MetricsConfigError" and err.config_field == "protocol")
        _, _, err = metrics.otlp { endpoint = "http://h:4318/v1/metrics", transport = function() return { status = 503, headers = {}, body = "busy" } end }:export { timestamp = "2026-01-01" }
        assert.truthy(err:is "MetricsExportError" and err.status_code == 503)
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
        assert.has_error(function() metrics.collector({}) end)
    end)
end)
