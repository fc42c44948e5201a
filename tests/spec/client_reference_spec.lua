--- The reference pages of the client are what tests/tools/gen_reference.lua makes of the endpoint tables; the map from Python leads to calls that are
-- there, and leaves none of the installed SDK out.
local symbi = require "symbi"
local api = require "symbi.api"
local generate = require "tests.tools.gen_reference"
local python_map = require "tests.tools.python_map"

local function read(path)
    local f = assert(io.open(path, "rb"))
    local text = f:read "*a"
    f:close()
    return text
end

describe("the reference", function()
    for kind, path in pairs { methods = "scripts/guide/reference.md", models = "scripts/guide/reference-models.md", python = "scripts/guide/reference-python.md" } do
        it(path .. " is current", function()
            assert.is_true(generate[kind]() == read(path), "run: lua5.4 tests/tools/gen_reference.lua " .. kind .. " >" .. path)
        end)
    end

    it("has a summary of every endpoint and of nothing else", function()
        local summaries, used = require "symbi.api.summaries", {}
        for _, e in ipairs(api.endpoints) do
            local key = summaries[e.full] and e.full or e.name
            assert.is_string(summaries[key], e.full)
            assert.truthy(#summaries[key] < 80 and not summaries[key]:find "%.$", e.full)
            used[key] = true
        end
        for key in pairs(summaries) do assert.truthy(used[key], key) end
    end)

    it("maps Python to what is there", function()
        local c = assert(symbi.client { api_key = "k", base_url = "http://h", env = {}, dotenv = false, transport = function() return { status = 200, headers = {}, body = "{}" } end })
        local objects = {
            client = c, manager = assert(symbi.auth.manager { jwt_secret_key = ("x"):rep(40) }), settings = symbi.config.manager { env = {}, dotenv = false },
            exporter = assert(symbi.metrics.file "/tmp/never-written.json"), scanner = symbi.skills.scanner {}, loader = symbi.skills.loader { load_paths = {} },
            verifier = symbi.webhook.hmac { secret = ("x"):rep(32), header = "X-Signature" }, symbi = symbi,
        }
        objects.collector = symbi.metrics.collector(c.metrics, objects.exporter)
        local dir = os.tmpname()
        os.remove(dir)
        objects.memory, objects.levels = assert(symbi.memory.markdown(dir)), assert(symbi.memory.manager {})
        local n = 0
        for _, section in ipairs(python_map()) do
            for _, row in ipairs(section) do
                local lua = row[2]
                if not lua:find "^%(" and not lua:find "%.X[.(]" and not lua:find "^err:" then
                    local names = {}
                    for word in lua:match "^[%w_.:]+":gmatch "[%w_]+" do names[#names + 1] = word end
                    local value = objects[names[1]]
                    assert.truthy(value ~= nil, lua)
                    for i = 2, #names do
                        value = value[names[i]]
                        assert.truthy(value ~= nil, row[1] .. ": " .. lua)
                    end
                    n = n + 1
                end
            end
        end
        assert.truthy(n > 150, n)
        symbi.io.remove_tree(dir)
        objects.manager:close()
        c:close()
    end)

    it("leaves no public call of the installed SDK out", function()
        local build = os.getenv "SYMBI_BUILD" or "build"
        local python
        for _, path in ipairs { build .. "/peers/py/bin/python", "build/peers/py/bin/python" } do
            local f = io.open(path, "rb")
            if f then
                f:close()
                python = python or path
            end
        end
        if not python then return pending "no symbiont-sdk here (tests/bench/peers/install py build)" end
        local p = io.popen(python .. " tests/tools/python-calls.py 2>&1")
        local text = p:read "*a"
        p:close()
        if not text:find("Client.health_check", 1, true) then return pending("the SDK does not load: " .. text:sub(1, 200)) end
        local known, missing = {}, {}
        for _, section in ipairs(python_map()) do
            for _, row in ipairs(section) do known[row[1]] = true end
        end
        for line in text:gmatch "[^\n]+" do
            if not known[line] then missing[#missing + 1] = line end
        end
        assert.same({}, missing)
    end)
end)
