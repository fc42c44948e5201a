--- The client's contract (tests/contract/client.lua) over real sockets: blocking, and in the loop of symbi.io.host; and many calls at once.
local symbi = require "symbi"
local symio = symbi.io
local host = require "symbi.io.host"
local contract = require "tests.contract.client"

local out = os.tmpname()
local function word(s) return "'" .. s:gsub("'", "'\\''") .. "'" end

local function with_server(f)
    os.execute("python3 tests/tools/symbi-standin.py --seconds 60 >" .. word(out) .. " 2>/dev/null </dev/null &")
    local port
    for _ = 1, 100 do
        local file = io.open(out)
        port = file and file:read "*l"
        if file then file:close() end
        if port then break end
        symio.sleep(50)
    end
    assert(port, "the stand-in server does not start (python3)")
    local base = "http://127.0.0.1:" .. port
    local ok, message = pcall(f, base)
    for _ = 1, 100 do -- until nobody answers: then no kept connection is left either
        if not symio.http { by_operator = true, url = base .. "/quit", timeout_ms = 2000 } then break end
    end
    os.remove(out)
    if not ok then error(message, 0) end
end

local function warm() -- what is opened once per state
    symbi.crypto.random(2)
    symio.http { by_operator = true, url = "http://127.0.0.1:1/", timeout_ms = 100 }
end
warm()

describe("the client over sockets", function()
    it("keeps its contract, waiting", function()
        with_server(function(base)
            local failures, count = contract(base)
            assert.same({}, failures)
            assert.truthy(count > 150)
        end)
    end)

    it("keeps its contract in a loop", function()
        with_server(function(base)
            local results = assert(host.run { function() return contract(base) end })
            assert.same({}, results[1][1])
        end)
    end)

    it("has many calls in flight from sequential code", function()
        with_server(function(base)
            local c = assert(symbi.client { api_key = "test-key", base_url = base, env = {}, dotenv = false })
            local tasks = {}
            for i = 1, 200 do
                tasks[i] = function()
                    local r = assert(c:request("GET", "sleep/50"))
                    return r.slept
                end
            end
            local began = symio.monotonic()
            local results = assert(host.run(tasks))
            local took = symio.monotonic() - began
            for i = 1, 200 do assert.equal(50, results[i][1]) end
            assert.truthy(took < 5, "200 calls of 50 ms took " .. took .. " s")
        end)
    end)
end)
