--- symbi-lua client, status and doctor: what they print, and with which exit status. In this process, against tests/tools/symbi-standin.py.
local symbi = require "symbi"
local with_server = require "tests.contract.server"
local symio, json = symbi.io, symbi.json

symbi.crypto.random(2) -- what is opened once per state
symio.http { by_operator = true, url = "http://127.0.0.1:1/", timeout_ms = 100 }

-- Runs a sub-command: exit status, standard output, standard error.
local function run(verb, words, host)
    local module = require("symbi.cli." .. verb)
    local out, err, old_print, old_err = {}, {}, print, io.stderr
    _G.print = function(...) -- luacheck: ignore
        local parts = {}
        for i = 1, select("#", ...) do parts[i] = tostring((select(i, ...))) end
        out[#out + 1] = table.concat(parts, "\t") .. "\n"
    end
    io.stderr = { write = function(_, ...) -- luacheck: ignore
        for i = 1, select("#", ...) do err[#err + 1] = tostring((select(i, ...))) end
        return true
    end }
    local ok, status, message = pcall(module.main, words, host or {})
    _G.print, io.stderr = old_print, old_err -- luacheck: ignore
    assert.is_true(ok, tostring(status))
    if status == nil and message then
        err[#err + 1] = tostring(message)
        status = 1
    end
    return status or 0, table.concat(out), table.concat(err)
end

local function has(text, part) assert.truthy(text:find(part, 1, true), "'" .. part .. "' is not in:\n" .. text) end

local dir, config, unused -- luacheck: ignore unused
before_each(function()
    dir = os.tmpname()
    os.remove(dir)
    assert(symio.mkdir(dir, { mode = 448 }))
    config = dir .. "/c.json"
    assert(symio.write_file(config, '{"api_key":"test-key"}', 384))
end)
after_each(function() assert(symio.remove_tree(dir)) end)

describe("symbi-lua client", function()
    it("shows answers to people and to programs", function()
        with_server(function(base)
            local function call(words)
                for _, w in ipairs { "--config", config, "--base-url", base, "--retries", "0" } do words[#words + 1] = w end
                return run("client", words)
            end
            local status, out, err = call { "health_check" }
            assert.equal(0, status, err)
            has(out, "status          healthy\n")
            status, out = call { "list_agents", '{"detailed":true}' }
            assert.equal(0, status)
            has(out, "ID       NAME  STATE\nagent-1  one   Running\n")
            status, out = call { "list_agents", "--json" }
            assert.equal(0, status)
            assert.same({ "agent-1", "agent-2" }, json.decode(out))
            status, out = call { "get_agent_status", "agent-1", "--json" }
            assert.equal("active", json.decode(out).state_sdk)
            assert.equal(0, status)
            status, out = call { "schedules.create", '{"name":"n","cron_expression":"0 9 * * *","agent_name":"a"}' }
            assert.equal(0, status)
            has(out, "created")
            status, out = call { "schedules.history", "j", "3", "--json" } -- an alias, arguments in order
            assert.equal(0, status)
            assert.equal(3, #json.decode(out).history)
            status, out = call { "schedules.history", "j", '{"limit":2}' }
            assert.equal(0, status)
            has(out, "history:\n")
            status, out = call { "request", "GET", "echo", "--json" }
            assert.equal(0, status)
            has(json.decode(out).headers["user-agent"], "symbi-lua/")
            status, out = call { "request", "POST", "echo", '{"a":[1,2]}', "--json", "--idempotency-key", "k-1" }
            assert.equal(0, status)
            assert.equal("k-1", json.decode(out).headers["idempotency-key"])
            status, out = call { "toolclad.execute_tool", "nmap", '{"target":"h"}', "--json" }
            assert.equal(0, status)
            assert.equal("nmap h", json.decode(out).command)
        end)
    end)

    it("tells failures apart", function()
        with_server(function(base)
            local function call(words, key)
                for _, w in ipairs { "--config", config, "--base-url", base, "--retries", "0" } do words[#words + 1] = w end
                if key then assert(symio.write_file(config, '{"api_key":"' .. key .. '"}', 384)) end
                return run("client", words)
            end
            local out
            local status, _, err = call { "get_agent_status", "agent-9" }
            assert.equal(1, status)
            has(err, "NotFoundError: Resource not found")
            has(err, "no such agent [AGENT_NOT_FOUND]")
            status, out = call { "get_agent_status", "agent-9", "--json" }
            assert.equal(1, status)
            local e = json.decode(out).error
            assert.same({ "NotFoundError", "AGENT_NOT_FOUND", 404, "agent-9" }, { e.name, e.code, e.status, e.details.agent_id })
            status, unused, err = call { "get_agent_status", "" }
            assert.equal(2, status)
            has(err, "the whole collection")
            status, unused, err = call { "get_agent_status", "a", "b" }
            assert.equal(2, status)
            has(err, "takes at most 1 argument")
            status, unused, err = call { "schedules.create", '{"name":"n"}' }
            assert.equal(2, status)
            has(err, "is missing")
            status, unused, err = call { "schedules.create", '{"name":' }
            assert.equal(2, status)
            has(err, "is not JSON")
            status, unused, err = call({ "health_check" }, "wrong")
            assert.equal(3, status)
            has(err, "SYMBIONT_API_KEY")
            assert.is_nil(err:find("wrong", 1, true))
            status, unused, err = run("client", { "health_check", "--base-url", "http://127.0.0.1:1", "--retries", "0", "--config", config })
            assert.equal(1, status)
            has(err, "start the server, or name another one")
        end)
    end)

    it("shows what it would send, without the key and without sending it", function()
        local status, out = run("client", { "schedules.create", '{"name":"n","cron_expression":"0 9 * * *","agent_name":"a"}', "--dry-run", "--config", config, "--base-url", "http://127.0.0.1:1" })
        assert.equal(0, status)
        has(out, "POST http://127.0.0.1:1/api/v1/schedules\n")
        has(out, "Authorization: Bearer (not shown)")
        has(out, '"cron_expression": "0 0 9 * * *"')
        assert.is_nil(out:find("test-key", 1, true))
        status, out = run("client", { "delete_agent", "a/b", "--dry-run", "--json", "--config", config, "--base-url", "http://h" })
        assert.equal(0, status)
        local t = json.decode(out)
        assert.same({ "DELETE", "http://h/api/v1/agents/a%2Fb", "Bearer (not shown)" }, { t.method, t.url, t.headers.Authorization })
        assert(symio.write_file(config, '{"api_key":"test-key","auth":{"api_key_header":"X-Key"}}', 384))
        status, out = run("client", { "list_agents", "--dry-run", "--config", config, "--base-url", "http://h" })
        assert.equal(0, status)
        has(out, "X-Key: (not shown)")
        assert.is_nil(out:find("test-key", 1, true))
        status, out = run("client", { "get_configuration", "--config", config })
        assert.equal(0, status)
        assert.is_nil(out:find("test-key", 1, true))
    end)

    it("lists its methods and helps", function()
        local api = require "symbi.api"
        local status, out = run("client", { "methods" })
        assert.equal(0, status)
        local _, lines = out:gsub("\n", "")
        assert.equal(#api.endpoints + 1, lines)
        status, out = run("client", { "methods", "sched", "--json" })
        assert.equal(0, status)
        assert.equal("schedules.list", json.decode(out)[1].alias)
        status = run("client", { "methods", "nothing-like-it" })
        assert.equal(1, status)
        local err
        status, unused, err = run("client", { "helth_check" })
        assert.equal(2, status)
        has(err, "did you mean 'health_check'?")
        status, out = run("client", { "--help" })
        assert.equal(0, status)
        has(out, "Exit status")
        assert.equal(2, (run("client", {})))
        assert.equal(2, (run("client", { "health_check", "--nonsense" })))
        assert.equal(2, (run("client", { "request", "GET" })))
        status, unused, err = run("client", { "health_check", "--http-version", "3", "--config", config })
        assert.equal(2, status)
        has(err, 'http_version is "1.1" or "2"')
    end)

    it("shows hostile answers as text", function()
        local connect = require "symbi.cli.client"
        local real = connect.connect
        connect.connect = function(o) return real(o, function() return { status = 200, headers = {}, body = '{"a\\u001b[2J":"\\u001b]0;x\\u0007","list":[{"k":"\\u202eevil"}]}' } end) end
        local status, out = run("client", { "get_status", "--config", config, "--base-url", "http://h" })
        connect.connect = real
        assert.equal(0, status)
        assert.is_nil(out:find("[%z\1-\9\11-\31\127]"))
        assert.is_nil(out:find("\226\128\174", 1, true))
    end)
end)

describe("symbi-lua status", function()
    it("tells how the server is", function()
        with_server(function(base)
            local status, out, err = run("status", { "--config", config, "--base-url", base })
            assert.equal(0, status, err)
            has(out, ": healthy, version 1.19.0, up 12 s")
            has(out, "key       accepted")
            has(out, "behind ours") -- its clock stands still
            status, out = run("status", { "--config", config, "--base-url", base, "--json" })
            assert.equal(0, status)
            local t = json.decode(out)
            assert.same({ true, true, "accepted", "1.19.0" }, { t.reachable, t.healthy, t.key, t.version })
            assert.truthy(t.latency_ms > 0 and t.clock_difference_seconds < -86400)
            assert(symio.write_file(config, '{"api_key":"wrong"}', 384))
            status, unused, err = run("status", { "--config", config, "--base-url", base })
            assert.equal(3, status)
            has(err, "AuthenticationError")
        end)
        local status, out, err = run("status", { "--config", config, "--base-url", "http://127.0.0.1:1" })
        assert.equal(1, status)
        has(out, "http://127.0.0.1:1")
        has(err, "is the server running?")
        status, out = run("status", { "--config", config, "--base-url", "http://127.0.0.1:1", "--json" })
        assert.equal(1, status)
        assert.equal("ConnectionError", json.decode(out).error.name)
        assert.equal(2, (run("status", { "--config", dir .. "/none.json" })))
    end)
end)

describe("symbi-lua doctor", function()
    local function doctor(words, host)
        words[#words + 1] = "--json"
        local status, out, err = run("doctor", words, host)
        local t = json.decode(out)
        assert.truthy(t, out .. err)
        return status, t, function(name, level, part)
            for _, c in ipairs(t.checks) do
                if c.name == name and c.level == level and (not part or (c.text .. " " .. tostring(c.advice)):find(part, 1, true)) then return c end
            end
            error(("no %s %s '%s' in %s"):format(level, name, tostring(part), out), 2)
        end
    end

    it("finds what is wrong, and says what to do", function()
        local function file(name, text, mode) assert(symio.write_file(dir .. "/" .. name, text, mode or 384)) end
        for _, d in ipairs { "policies", "tools", "state" } do assert(symio.mkdir(dir .. "/" .. d, { mode = 448 })) end
        local words = function() return { "--no-server", "--policies", dir .. "/policies", "--tools", dir .. "/tools", "--state", dir .. "/state" } end
        local status, t, found = doctor(words())
        assert.equal(0, status)
        assert.equal("warn", t.worst)
        found("policies", "warn", "no .cedar file")
        found("tools", "ok", "load")
        found("symbi-lua", "ok")
        found("io", "ok", "libcurl/")
        found("state", "ok", "the owner's alone")

        file("policies/a.cedar", 'permit (principal, action == Action::"tool_call::wc", resource);\nforbid (principal, action, resource == Tool::"wc");\n')
        file("tools/bad.clad.toml", "[tool\n")
        status, unused, found = doctor(words())
        assert.equal(1, status)
        found("policies", "fail", "never matches")
        found("tools", "fail", "bad.clad.toml")
        file("policies/a.cedar", "permit (")
        status, unused, found = doctor(words())
        assert.equal(1, status)
        found("policies", "fail", "until it parses")

        file("policies/a.cedar", "permit (principal, action, resource);\n")
        assert(symio.remove(dir .. "/tools/bad.clad.toml"))
        local store = assert(symbi.store.open(dir .. "/state"))
        local audit = assert(symbi.audit.open(store))
        assert(audit:commit { event = { type = "test" }, agent_id = "a" })
        audit:close()
        store:close()
        status, unused, found = doctor(words())
        assert.equal(0, status)
        found("trail", "ok", "1 entries, genuine")
        os.execute("chmod 644 '" .. dir .. "/state/audit.key'; chmod 777 '" .. dir .. "/state'")
        status, unused, found = doctor(words())
        assert.equal(1, status)
        found("state", "fail", "chmod 600")
        found("state", "fail", "chmod 700")
    end)

    it("knows Debian's trap", function()
        local list = dir .. "/dpkg"
        local function package(name, state) return "Package: " .. name .. "\nStatus: install " .. (state or "ok installed") .. "\nVersion: 1.0\n\n" end
        local function examine(text)
            assert(symio.write_file(list, text))
            local checks = require("symbi.cli.doctor").examine { ["no-server"] = true, dpkg = list }
            local out = {}
            for _, c in ipairs(checks) do out[#out + 1] = c.level .. " " .. c.name .. " " .. tostring(c.advice) end
            return table.concat(out, "\n")
        end
        has(examine(package "luajit" .. package "nginx"), "fail luajit apt install luajit2 libnginx-mod-http-lua")
        has(examine(package "luajit"), "warn luajit")
        has(examine(package "nginx"), "warn nginx apt install libnginx-mod-http-lua")
        local fine = examine(package "luajit2" .. package "nginx" .. package "libnginx-mod-http-lua" .. package "lua-resty-core" .. package("luajit", "ok config-files"))
        assert.is_nil(fine:find "luajit apt")
    end)

    it("asks the server", function()
        with_server(function(base)
            local _, _, found = doctor { "--config", config, "--base-url", base }
            found("server", "ok", "version 1.19.0")
            found("key", "ok", "accepted")
            found("clock", "warn", "NTP")
        end)
        local status, _, found = doctor { "--config", config, "--base-url", "http://127.0.0.1:1" }
        assert.equal(1, status)
        found("server", "fail", "SYMBIONT_BASE_URL")
        status, unused, found = doctor { "--config", dir .. "/none.json" }
        assert.equal(1, status)
        found("settings", "fail", "not found")
    end)

    it("prints lines", function()
        local status, out = run("doctor", { "--no-server" })
        assert.equal(0, status, out)
        assert.truthy(out:find "^ok    symbi%-lua")
        assert.truthy(out:find "%d+ ok, %d+ to look at, 0 failed\n$")
        assert.equal(2, (run("doctor", { "--nonsense" })))
    end)
end)
