-- symbi.io on every VM: files, HTTP against a stand-in server, many things at once, and the wire codecs of symbi.wire.
local symbi = require "symbi"
local core = require "symbi.core"
local symio = symbi.io
local wire = core.wire

local function tmpname()
    local path = os.tmpname()
    os.remove(path)
    return path
end

local function shell_word(s) return "'" .. s:gsub("'", "'\\''") .. "'" end

-- The stand-in model server; returns its base URL and a function that ends it.
local function server(turns)
    local script, out = tmpname(), tmpname()
    assert(symio.write_file(script, turns or '{"turns":[{"content":"hello from the model"},{"content":"second"}]}'))
    os.execute("python3 tests/tools/model-server.py " .. shell_word(script) .. " --seconds 30 >" .. shell_word(out) .. " 2>/dev/null </dev/null &")
    for _ = 1, 500 do
        local text = symio.read_file(out)
        local port = text and text:match("^(%d+)\n")
        if port then
            os.remove(out)
            os.remove(script)
            local base = "http://127.0.0.1:" .. port
            return base, function()
                symio.http { by_operator = true, url = base .. "/quit", timeout_ms = 2000 }
                for _ = 1, 200 do -- until nobody listens any more
                    if not symio.http { by_operator = true, url = base .. "/quit", timeout_ms = 2000 } then return end
                    symio.sleep(10)
                end
            end
        end
        symio.sleep(20)
    end
    error("the stand-in server did not start")
end

local BODY = '{"model":"m","messages":[{"role":"user","content":"hi"}]}'

describe("symbi.io", function()
    after_each(function() symio.close() end)

    it("reads, writes and lists", function()
        local dir = tmpname()
        assert.is_true(symio.mkdir(dir .. "/sub", { parents = true }))
        assert.is_true(symio.write_file(dir .. "/b.txt", "a\0b"))
        assert.is_true(symio.write_file(dir .. "/a.txt", ""))
        assert.equal("a\0b", symio.read_file(dir .. "/b.txt"))
        assert.same({ { name = "a.txt", type = "file" }, { name = "b.txt", type = "file" }, { name = "sub", type = "directory" } }, symio.list_dir(dir))
        local st = symio.stat(dir .. "/b.txt")
        assert.equal("file", st.type)
        assert.equal(3, st.size)
        local nothing, _, err = symio.read_file(dir .. "/b.txt", 2)
        assert.is_nil(nothing)
        assert.equal("ELIMIT", err.code)
        local message
        nothing, message, err = symio.read_file(dir .. "/none")
        assert.is_nil(nothing)
        assert.equal("ENOTFOUND", err.code)
        assert.truthy(message:find("none", 1, true))
        assert(symio.write_file(dir .. "/same", "one"))
        local first = assert(symio.stat(dir .. "/same")).version
        assert.equal(first, select(2, assert(symio.read_file_info(dir .. "/same"))).version)
        assert(symio.write_file(dir .. "/same", "two")) -- as long, and within the same tick of the clock
        assert.not_equal(first, assert(symio.stat(dir .. "/same")).version)
        assert.equal(symio.realpath(dir), symio.realpath(dir .. "/sub/.."))
        local disk = assert(symio.disk(dir))
        assert.truthy(disk.total_bytes > 0 and disk.used_bytes > 0 and disk.used_bytes + disk.free_bytes <= disk.total_bytes)
        assert.equal("ENOTFOUND", select(3, symio.disk(dir .. "/none")).code)
        assert.has_error(function() symio.read_file("a\0b") end)
        os.execute("rm -r " .. shell_word(dir))
    end)

    it("knows time, terminal, environment", function()
        local t = symio.monotonic()
        assert.is_true(symio.sleep(30))
        local passed = symio.monotonic() - t
        assert.is_true(passed >= 0.029 and passed < 2)
        assert.is_boolean(symio.isatty(1))
        local found
        for _, e in ipairs(symio.environ()) do found = found or e:find("^PATH=") end
        assert.truthy(found)
        assert.truthy(symio.cwd():find("^/"))
        assert.has_error(function() symio.sleep(-1) end)
    end)

    it("prepares a request that is sent often", function()
        local base, quit = server()
        local headers = { { "Content-Type", "application/json" }, { "X-Key", "secret" } }
        local rq = { method = "POST", by_operator = true, proxy = "none", url = base .. "/v1/chat/completions", headers = headers }
        local r = symio.prepare(rq)
        rq.url, headers[2][2] = base .. "/nowhere", "another" -- read once
        for _ = 1, 4 do
            local status, body, more = r:send(5000, BODY)
            assert.equal(200, status)
            assert.equal("hello from the model", core.json.decode(body).choices[1].message.content)
            assert.is_nil(more)
            status, body, more = r:send(5000, BODY, base .. "/fault/500/chat/completions")
            assert.equal(500, status)
            assert.is_string(body)
            assert.is_table(more[1])
            local nothing, message, err = r:send(1000, BODY, "http://127.0.0.1:1/")
            assert.is_nil(nothing)
            assert.truthy(message)
            assert.equal("refused", err.reason)
        end
        assert.equal("refused", (select(3, symio.prepare { url = "http://127.0.0.1:1/", by_operator = true, proxy = "none" }:send(1000)).reason))
        assert.equal("loopback", (select(3, symio.prepare { url = "http://127.0.0.1:1/" }:send(1000)).refused)) -- judged like any other
        assert.has_error(function() symio.prepare {}:send(1000) end, "bad argument #3 to 'send' (the request was prepared without url)")
        assert.has_error(function() symio.prepare { url = "http://h/", body = "x" } end)
        assert.has_error(function() symio.prepare { url = "http://h/", stream = true } end)
        assert.has_error(function() symio.prepare { url = "http://h/", unknown = true } end)
        assert.has_error(function() r:send() end)
        assert.has_error(function() r:send(-1) end)
        r:close()
        r:close()
        assert.has_error(function() r:send(1000, BODY) end, "calling 'send' on bad self (the request is closed)")
        quit()
    end)

    it("asks over HTTP", function()
        local base, quit = server()
        local r = assert(symio.http { by_operator = true, url = base .. "/v1/chat/completions", method = "POST", headers = { ["Content-Type"] = "application/json" }, body = BODY })
        assert.equal(200, r.status)
        assert.equal("hello from the model", core.json.decode(r.body).choices[1].message.content)
        assert.is_table(r.headers[1])
        r = assert(symio.http { by_operator = true, url = base .. "/v1/chat/completions", method = "POST", headers = { ["Content-Type"] = "application/json" }, body = BODY, quiet = true })
        assert.is_nil(r.headers) -- as asked; of what went wrong they are always there
        assert(assert(symio.http { by_operator = true, url = base .. "/fault/500/chat/completions", method = "POST", headers = { { "Content-Type", "application/json" } }, body = BODY, quiet = true }).headers[1])
        r = assert(symio.http { by_operator = true, url = base .. "/fault/500/chat/completions", method = "POST", headers = { { "Content-Type", "application/json" } }, body = BODY })
        assert.equal(500, r.status)
        local fails = { cut = { "EIO", "truncated" }, short = { "EIO", "truncated" }, hang = { "ETIMEOUT", "timeout" }, huge = { "ELIMIT", "too_large" } }
        for fault, want in pairs(fails) do
            local nothing, message, err = symio.http { by_operator = true, url = base .. "/fault/" .. fault .. "/chat/completions", method = "POST", body = BODY, timeout_ms = 500, max_bytes = 100000 }
            assert.is_nil(nothing)
            assert.equal(want[1], err.code, fault .. ": " .. message)
            assert.equal(want[2], err.reason, fault .. ": " .. message)
            assert.is_string(message)
        end
        quit()
        symio.close()
        local nothing, message, err
        for _ = 1, 50 do -- until the server has let go of its port
            nothing, message, err = symio.http { by_operator = true, url = base .. "/", timeout_ms = 1000 }
            assert.is_nil(nothing)
            assert.is_string(message)
            if err.reason == "refused" then break end
            symio.sleep(50)
        end
        assert.equal("refused", err.reason)
    end)

    it("streams over HTTP", function()
        local base, quit = server()
        local t = assert(symio.transfer { by_operator = true, url = base .. "/v1/chat/completions", method = "POST", stream = true, body = (BODY:gsub("^{", '{"stream":true,')) })
        local s, n = wire.sse(), 0
        while true do
            local bytes, message = t:read(5000)
            assert.is_nil(message)
            if not bytes then break end
            for _, e in ipairs(assert(s:feed(bytes))) do
                n = n + 1
                if e.data == "[DONE]" then n = n + 1000 end
            end
        end
        assert.is_true(n > 1001)
        assert.equal(200, t:status())
        assert.equal("", t:result().body)
        t:close()
        s:close()
        assert.has_error(function() t:read() end)
        quit()
    end)

    it("refuses nonsense before it connects", function()
        for _, url in ipairs { "file:///etc/passwd", "http://", "http://u:p@h/", "http://h/\r\nX: y" } do
            local nothing, _, err = symio.http { url = url }
            assert.is_nil(nothing)
            assert.truthy(err.code == "EINVAL" or err.code == "EDENIED")
        end
        local nothing, _, err = symio.http { by_operator = true, url = "http://127.0.0.1:1/", headers = { { "X", "a\r\nb" } } }
        assert.is_nil(nothing)
        assert.equal("EINVAL", err.code)
        assert.has_error(function() symio.http { url = "http://127.0.0.1:1/", unknown = 1 } end)
        assert.has_error(function() symio.http {} end)
        assert.has_error(function() symio.http { url = "http://127.0.0.1:1/", headers = { { "X" } } } end)
        assert.has_error(function() symio.http { url = "http://127.0.0.1:1/", headers = { X = 1 } } end)
    end)

    it("does many things in one loop", function()
        local base, quit = server()
        local loop, open = symio.loop(), {}
        local function add(kind, id) open[assert(id)] = kind end
        local started = symio.monotonic()
        for _ = 1, 10 do
            add("http", loop:http { by_operator = true, url = base .. "/v1/chat/completions", method = "POST", body = BODY })
            add("sleep", loop:sleep(100))
        end
        add("failed", loop:http { by_operator = true, url = base .. "/fault/hang/chat/completions", method = "POST", body = BODY, timeout_ms = 300 })
        local given_up = loop:sleep(60000)
        assert.equal(22, loop:count())
        assert.is_true(loop:cancel(given_up))
        assert.is_false(loop:cancel(given_up))
        assert.is_false(loop:wait(0))
        local n = 0
        while true do
            local id, kind, value, message, err = loop:wait(5000)
            assert.is_not_false(id)
            if not id then break end
            n = n + 1
            if open[id] == "failed" then
                assert.is_nil(value)
                assert.is_string(message)
                assert.equal("timeout", err.reason)
            else
                assert.equal(open[id], kind)
                if kind == "http" then assert.equal(200, value.status) end
            end
            open[id] = nil
        end
        assert.equal(21, n)
        assert.is_nil(next(open))
        assert.is_true(symio.monotonic() - started < 5)
        loop:sleep(1000)
        loop:close()
        loop:close()
        assert.has_error(function() loop:wait() end)
        quit()
    end)

    it("runs plain code side by side", function()
        local host = require "symbi.io.host"
        local base, quit = server()
        local t, order = symio.monotonic(), {}
        assert.is_false(host.running())
        local results = assert(host.run {
            function()
                assert(host.running())
                host.sleep(500)
                order[#order + 1] = "slow"
                return "a", nil, "c"
            end,
            function()
                host.sleep(10)
                order[#order + 1] = "quick"
            end,
            function()
                local pieces = 0
                local r = assert(host.http({ by_operator = true, url = base .. "/v1/chat/completions", method = "POST", stream = true, body = (BODY:gsub("^{", '{"stream":true,')) }, function(bytes, status)
                    assert(status == 200)
                    pieces = pieces + #bytes
                    return true
                end))
                return r.status, pieces > 50
            end,
            function()
                return host.http({ by_operator = true, url = base .. "/v1/chat/completions", method = "POST", stream = true, body = (BODY:gsub("^{", '{"stream":true,')) },
                    function() return false, "enough" end)
            end,
        })
        assert.same({ "quick", "slow" }, order)
        assert.equal("a", results[1][1])
        assert.equal("c", results[1][3])
        assert.equal(3, results[1].n)
        assert.equal(200, results[3][1])
        assert.is_true(results[3][2])
        assert.is_nil(results[4][1])
        assert.equal("enough", results[4][2])
        assert.is_true(symio.monotonic() - t < 5)
        assert.has_error(function() host.sleep(1) end)
        local ok, message = pcall(host.run, { function() host.sleep(1) error("broken task") end, function() host.sleep(20) order[3] = "finished" end })
        assert.is_false(ok)
        assert.truthy(tostring(message):find("broken task", 1, true))
        assert.equal("finished", order[3])
        assert.is_false(host.running())
        quit()
    end)

    it("runs nothing without a plan", function()
        assert.has_error(function() symio.exec { argv = { "/bin/true" } } end)
        assert.has_error(function() symio.exec("/bin/true") end)
        assert.has_error(function() symio.start() end)
        assert.has_error(function() symio.exec_encode {} end)
    end)

    it("starts the spawner early, once", function()
        local pid = assert(symio.spawner())
        assert.is_true(pid > 1)
        assert.equal(pid, symio.spawner())
        local nothing, _, err = symio.spawner { max_jobs = 3 }
        assert.is_nil(nothing)
        assert.equal("ESTATE", err.code)
        symio.close()
        assert.is_true(symio.spawner { max_jobs = 3 } ~= pid)
        assert.has_error(function() symio.spawner { nonsense = 1 } end)
    end)

    it("picks its transports", function()
        for _, kind in ipairs { "blocking", "host" } do
            local io = symio.auto { kind = kind }
            for _, effect in ipairs { "model", "tool", "http", "sleep", "approve", "commit" } do assert.is_function(io[effect]) end
            assert.is_false(io:approve({}).approved)
            assert.is_true(symio.auto { kind = kind, approve = function() return true, "me" end }:approve({}).approved)
            assert.is_nil((io:model {}))
            assert.is_nil((io:commit {}))
        end
        assert.has_error(function() symio.auto { kind = "guess" } end)
        assert.same({}, symio.auto():sleep { ms = 1 })
    end)
end)

describe("governed work", function()
    local HERE = "tests/env/nginx"
    after_each(function() symio.close() end)

    -- Everything by hand: LuaJIT's compiled traces may hold on to an object for longer than two collections.
    local function close(runtime)
        runtime:close()
        runtime.policies:close()
        runtime.tools:close()
    end

    local function plan_of(gate, name, arguments)
        local verdict = gate:check { kind = "tool_call", agent = "reader", name = name, arguments = arguments }
        assert.is_true(verdict.allowed, verdict.reason)
        assert(gate:commit(verdict))
        return assert(gate:redeem(verdict, verdict.permit, { env = { "PATH=/usr/bin:/bin" } }))
    end

    it("executes a redeemed plan, once", function()
        local gate = assert(symbi.gate.open { policies = HERE .. "/policies", tools = HERE .. "/tools" })
        local plan = plan_of(gate, "count_lines", { path = "Makefile" })
        local r = assert(symio.exec(plan))
        assert.equal(0, r.exit_code)
        assert.truthy(r.stdout:find("^%d+ Makefile\n$"))
        assert.equal(#r.stdout, r.stdout_bytes)
        assert.equal(symbi.crypto.sha256(r.stdout), r.stdout_sha256)
        assert.is_false(r.timed_out)
        for _, f in ipairs { "exec", "start", "exec_encode" } do
            assert.has_error(function() symio[f](plan) end)
        end
        local job = assert(symio.start(plan_of(gate, "nap", { seconds = 20 })))
        assert.is_false(job:wait(50))
        assert.is_nil((job:result()))
        job:kill()
        assert.is_true(job:wait(3000))
        local nothing, _, err = job:result()
        assert.is_nil(nothing)
        assert.equal("EABORT", err.code)
        job:close()
        local loop = symio.loop()
        local quick, slow = assert(loop:exec(plan_of(gate, "count_lines", { path = "Makefile" }))), assert(loop:exec(plan_of(gate, "nap", { seconds = 20 })))
        local id, kind, value = loop:wait(5000)
        assert.same({ quick, "exec", 0 }, { id, kind, value.exit_code })
        assert.is_false(loop:wait(20))
        assert.is_true(loop:cancel(slow))
        assert.is_nil((loop:wait(1000)))
        loop:close()
        gate:close()
    end)

    it("checks orders in a spawner that serves others", function()
        local gate = assert(symbi.gate.open { policies = HERE .. "/policies", tools = HERE .. "/tools" })
        local other = assert(symbi.gate.open { policies = HERE .. "/policies", tools = HERE .. "/tools" })
        assert.has_error(function() symio.spawner { listen = "/tmp/x" } end)
        assert(symio.spawner { gate = gate })
        symio.sleep(5)
        assert.equal(0, assert(symio.exec(plan_of(gate, "count_lines", { path = "Makefile" }))).exit_code)
        local nothing, _, err = symio.exec(plan_of(other, "count_lines", { path = "Makefile" }))
        assert.is_nil(nothing)
        assert.equal("EPERMIT", err.code)
        symio.close()
        gate:close()
        other:close()
    end)

    it("performs at once what is open at once, and gives it up in time", function()
        local host = require "symbi.io.host"
        local calls = {}
        for i = 1, 4 do calls[i] = '{"id":"c' .. i .. '","name":"nap","arguments":{"seconds":' .. (i == 4 and 2 or 1) .. "}}" end
        local base, quit = server('{"turns":[{"content":"rest","tool_calls":[' .. table.concat(calls, ",") .. ']},{"content":"rested"}]}')
        local runtime = assert(symbi.runtime { policies = HERE .. "/policies", tools = HERE .. "/tools", no_audit = true })
        local function run(limits)
            local agent = assert(runtime:agent { id = "reader", limits = limits })
            local results = {}
            local all = assert(host.run { function()
                return agent:run("rest", { model = { provider = "openai", base_url = base .. "/v1", name = "m" }, io = symio.auto(),
                    watch = function(kind, _, reply)
                        if kind == "result" then
                            -- a tool may not outlive its run: its own deadline and the run's are the same moment, and either may end it
                            results[#results + 1] = reply.exec and (reply.exec.timed_out and "EABORT" or reply.exec.exit_code) or reply.error.code
                        end
                    end })
            end })
            agent:close()
            return all[1][1], results
        end
        local t = symio.monotonic()
        local r, results = run { max_iterations = 3 }
        assert.is_true(r.completed, tostring(r.error))
        assert.same({ 0, 0, 0, 0 }, results)
        t = symio.monotonic() - t
        assert.is_true(t >= 2 and t < 4, "took " .. t .. " s") -- five one after the other
        t = symio.monotonic()
        r, results = run { max_iterations = 3, timeout_ms = 700 }
        assert.equal("timeout", r.reason)
        assert.same({ "EABORT", "EABORT", "EABORT", "EABORT" }, results)
        assert.is_true(symio.monotonic() - t < 2.5)
        close(runtime)
        quit()
    end)

    it("drives runs with a live model, waiting or side by side", function()
        local base, quit = server [[{"turns":[
            {"content":"count, then worse","tool_calls":[{"id":"a","name":"count_lines","arguments":{"path":"Makefile"}},{"id":"b","name":"remove_file","arguments":{"path":"Makefile"}}]},
            {"content":"counted"}]}]]
        local runtime = assert(symbi.runtime { policies = HERE .. "/policies", tools = HERE .. "/tools", no_audit = true })
        local agent = assert(runtime:agent { id = "reader", limits = { max_iterations = 4 } })
        local function once(stream, kind, fault)
            return agent:run("count", { model = { provider = "openai", base_url = base .. (fault and "/fault/" .. fault or "/v1"), name = "m", stream = stream },
                io = symio.auto { kind = kind } })
        end
        local function good(r, message)
            assert.truthy(r, message)
            assert.is_true(r.completed, tostring(r.error))
            assert.equal("counted", r.output)
            assert.equal(1, r.tool_calls)
            assert.equal(1, r.denied)
        end
        for _, stream in ipairs { false, true } do
            good(once(stream, "blocking"))
            local tasks = {}
            for i = 1, 6 do tasks[i] = function() return once(stream, "host") end end
            for _, r in ipairs(assert(require("symbi.io.host").run(tasks))) do good(r[1], r[2]) end
        end
        for _, fault in ipairs { "401", "cut" } do
            for _, stream in ipairs { false, true } do
                local r = once(stream, "blocking", fault)
                assert.is_false(r.completed)
                assert.equal("error", r.reason)
                assert.truthy(r.error.message)
            end
        end
        agent:close()
        close(runtime)
        quit()
    end)
end)

describe("symbi.wire", function()
    it("reads URLs", function()
        assert.same({ scheme = "https", host = "h.example", port = 8443, path = "/p", query = "q=1", tls = true, authority = "h.example:8443" }, wire.url "https://h.example:8443/p?q=1")
        local nothing, message, err = wire.url "http://h/ x"
        assert.is_nil(nothing)
        assert.equal("EPARSE", err.code)
        assert.equal(10, err.column)
        assert.is_string(message)
        assert.equal("http://h/b", wire.join("http://h/a/x", "../b"))
        assert.is_nil((wire.join("http://h/", "ftp://x")))
    end)

    it("reads events byte by byte", function()
        local text, got = "event: a\r\ndata: 1\r\ndata: 2\r\n\r\nid: 7\nretry: 50\ndata:x\n\n", {}
        local s = wire.sse()
        for i = 1, #text do
            for _, e in ipairs(assert(s:feed(text:sub(i, i)))) do got[#got + 1] = e end
        end
        assert.same({ { event = "a", data = "1\n2", id = "" }, { event = "", data = "x", id = "7", retry = 50 } }, got)
        assert.is_false(s:pending())
        assert.equal("7", s:last_id())
        assert.equal(50, s:retry_ms())
        assert(s:feed "id: 8\ndata: y")
        assert.is_true(s:pending())
        assert.equal("7", s:last_id()) -- that event is not whole yet
        s:close()
        s = wire.sse(10)
        assert.is_nil(s:last_id())
        assert.is_nil(s:retry_ms())
        local nothing, _, err = s:feed(("x"):rep(11))
        assert.is_nil(nothing)
        assert.equal("ELIMIT", err.code)
        s:close()
    end)

    it("reads and writes HTTP/1", function()
        local bytes = assert(wire.response { status = 403, headers = { { "X-Policy", "p0" } }, body = "no" })
        local h = wire.http1 { kind = "response" }
        local all = ""
        for i = 1, #bytes do
            local body, done, rest = h:feed(bytes:sub(i, i) .. (i == #bytes and "rest" or ""))
            all = all .. body
            assert.equal(i == #bytes, done)
            assert.equal(done and "rest" or "", rest)
        end
        assert.equal("no", all)
        assert.equal(403, h:head().status)
        assert.same({ "X-Policy", "p0" }, h:head().headers[1])
        h:reset()
        assert.is_nil(h:head())
        assert.is_nil((h:eof()))
        local nothing, _, err = h:feed "SSH-2.0\r\n"
        assert.is_nil(nothing)
        assert.equal("EPARSE", err.code)
        h:close()
        h = wire.http1 { kind = "request" }
        local body, done = h:feed(assert(wire.request { url = "http://h/x", method = "POST", body = "b" }))
        assert.equal("b", body)
        assert.is_true(done)
        assert.equal("POST", h:head().method)
        h:close()
        assert.equal("3\r\nabc\r\n", wire.chunk "abc")
        assert.equal("Not Found", wire.reason(404))
        nothing, _, err = wire.request { url = "http://h/", headers = { { "X", "a\r\nb" } } }
        assert.is_nil(nothing)
        assert.equal("EINVAL", err.code)
    end)
end)
