--- scripts/seed/: the seed's examples that talk to a server, run as programs against the stand-in server (real sockets).
local symbi = require "symbi"
local symio = symbi.io

local function word(s) return "'" .. s:gsub("'", "'\\''") .. "'" end

local WANT = {
    health = { "healthy", "agent-1\tRunning\t1", "agent-2\tRunning\t1" },
    reasoning = { "done: Analyze the latest sales data and create a report.\t2", "50 journal entries", "1 policies", "closed\tsearch" },
    tools = { "1\tnmap", "success\t1767225600-1\t0", "1" },
    communication = { "true\trule-1\t" },
    workflow = { "success", "job-1\tdaily\t0 0 9 * * *\tActive", "5 runs" },
    invocation = { "scan target 10.0.0.1", "dispatched\tm1\tin\t3\tms", "LLM completed via\tp\tm", " -\tnmap\t22/tcp" },
    metrics = { "2026-01-01T00:00:00Z" },
}

describe("scripts/seed", function()
    local port, out, file
    setup(function()
        out, file = os.tmpname(), os.tmpname()
        os.execute("python3 tests/tools/symbi-standin.py --seconds 60 >" .. word(out) .. " 2>/dev/null </dev/null &")
        for _ = 1, 100 do
            local f = io.open(out)
            port = f and f:read "*l"
            if f then f:close() end
            if port then break end
            symio.sleep(50)
        end
        assert(port, "the stand-in server does not start (python3)")
    end)
    teardown(function()
        for _ = 1, 100 do
            if not symio.http { by_operator = true, url = "http://127.0.0.1:" .. port .. "/quit", timeout_ms = 2000 } then break end
        end
        os.remove(out)
        os.remove(file)
    end)

    for name, want in pairs(WANT) do
        it("runs " .. name .. ".lua", function()
            if os.getenv "SAN" then return pending "the sanitizers' runtimes are not in the children" end
            local vm = os.getenv "SYMBI_VM" or "lua5.4"
            local p = assert(io.popen(("SYMBIONT_API_KEY=test-key SYMBIONT_BASE_URL=http://127.0.0.1:%s/api/v1 METRICS_FILE=%s LD_PRELOAD= %s scripts/seed/%s.lua 2>&1"):format(port, word(file), vm, name)))
            local lines = {}
            for l in p:lines() do lines[#lines + 1] = l end
            p:close()
            assert.same(want, lines)
            if name == "metrics" then
                local f = assert(io.open(file, "rb"))
                local t = assert(symbi.json.decode(f:read "*a"))
                f:close()
                assert.equal(1.5, t.system.cpu_usage_percent)
            end
        end)
    end

    it("has scripts at most a line longer than the Python of the seed", function()
        for name, python in pairs { health = 10, reasoning = 21, tools = 6, communication = 13, invocation = 19, metrics = 6 } do -- lines that are not blank
            local n = 0
            for _ in io.lines("scripts/seed/" .. name .. ".lua") do n = n + 1 end
            assert.is_true(n <= python + 1, name .. ": " .. n .. " lines")
        end
    end)

    it("has every script tested", function()
        for _, e in ipairs(assert(symio.list_dir "scripts/seed")) do
            local name = (type(e) == "table" and e.name or e):match "^(.*)%.lua$"
            if name then assert.truthy(WANT[name], name) end
        end
    end)
end)
