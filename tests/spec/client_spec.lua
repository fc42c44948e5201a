--- symbi.client and symbi.config, without a network: settings and their sources, .env, arguments, answers of different servers, tokens.
local symbi = require "symbi"
local dotenv = require "symbi.client.dotenv"
local symio, json = symbi.io, symbi.json

symbi.crypto.random(2) -- fetched once per state

local function answer(body, status) return { status = status or 200, headers = {}, body = type(body) == "string" and body or json.encode(body) } end

-- A client whose requests go to f(rq, n), and the list of what it sent.
local function with(f, options)
    local sent = {}
    options = options or {}
    options.base_url, options.api_key, options.env, options.dotenv = options.base_url or "http://h", options.api_key or "k", options.env or {}, false
    options.transport = {
        now = function() return #sent end,
        sleep = function() return true end,
        request = function(rq)
            sent[#sent + 1] = rq
            return f(rq, #sent)
        end,
    }
    return assert(symbi.client(options)), sent
end

local function fails(class, part, value, message, err)
    assert.is_nil(value)
    assert.truthy(err and err:is(class), tostring(err) .. " is no " .. class)
    assert.truthy(message:find(part, 1, true), message)
    return err
end

describe("symbi.config", function()
    local dir
    before_each(function()
        dir = os.tmpname()
        os.remove(dir)
        assert(symio.mkdir(dir))
    end)
    after_each(function() assert(symio.remove_tree(dir)) end)
    local function write(name, text)
        local f = assert(io.open(dir .. "/" .. name, "wb"))
        f:write(text)
        f:close()
        return dir .. "/" .. name
    end

    it("ranks its sources and says which one won", function()
        local m = symbi.config.manager { env = { SYMBIONT_TIMEOUT = "7", SYMBIONT_MAX_RETRIES = "1", SYMBIONT_AUTH_TOKEN_ISSUER = "env" }, dotenv = write(".env", "SYMBIONT_MAX_RETRIES=9\nSYMBIONT_VECTOR_PORT=1\nOTHER=1\n") }
        local c = assert(m:load(write("c.yaml", "timeout: 8\nauth:\n  jwt_secret_key: file\n"), true, { base_url = "http://arg/api/v1/" }))
        assert.same({ "http://arg/api/v1", 8, 1, "file", "env", 1, "development" }, { c.base_url, c.timeout, c.max_retries, c.auth.jwt_secret_key, c.auth.token_issuer, c.vector.port, c.validation_mode })
        for name, source in pairs { base_url = "argument", timeout = "file", max_retries = "environment", auth = "file", ["auth.token_issuer"] = "environment", ["vector.port"] = "dotenv", api_key = "default" } do
            assert.equal(source, m:get_source(name), name)
        end
        fails("ConfigurationError", "unknown setting", m:get_source "nothing")
        write("c.yaml", "timeout: 9\n")
        assert.equal(9, assert(m:reload()).timeout)
        assert.equal("http://arg/api/v1", m.config.base_url)
        write("c.yaml", "timeout: [\n")
        fails("ConfigurationError", "Invalid YAML in config file", m:reload())
        assert.equal(9, m.config.timeout) -- what was in force stays
    end)

    it("refuses what it cannot use, without telling values", function()
        local function load(env, file, given)
            local m = symbi.config.manager { env = env or {}, dotenv = false }
            return m:load(file, true, given)
        end
        fails("ConfigurationError", "SYMBIONT_TIMEOUT", load { SYMBIONT_TIMEOUT = "hunter2" })
        local _, message = load { SYMBIONT_TIMEOUT = "hunter2" }
        assert.is_nil(message:find("hunter2", 1, true))
        fails("ConfigurationError", "timeout must be more than 0", load { SYMBIONT_TIMEOUT = "0" })
        fails("ConfigurationError", "max_retries must be", load { SYMBIONT_MAX_RETRIES = "-1" })
        fails("ConfigurationError", "strict, performance or development", load { SYMBIONT_VALIDATION_MODE = "loose" })
        fails("ConfigurationError", "true or false", load { SYMBIONT_ENABLE_DEBUG = "maybe" })
        fails("ConfigurationError", "unknown key 'foo'", load(nil, write("a.json", '{"foo":1}')))
        fails("ConfigurationError", "Invalid JSON", load(nil, write("a.json", '{"timeout":1,"timeout":2}')))
        fails("ConfigurationError", "no mapping", load(nil, write("a.json", "[1]")))
        fails("ConfigurationError", "must not be null", load(nil, write("a.json", '{"timeout":null}')))
        fails("ConfigurationError", "Unsupported config file format: .ini", load(nil, write("a.ini", "")))
        fails("ConfigurationError", "not found", load(nil, dir .. "/none.yml"))
        assert.equal(0.5, assert(load(nil, nil, { timeout = 0.5 })).timeout)
    end)

    it("prints and saves without secrets", function()
        local m = symbi.config.manager { env = { SYMBIONT_API_KEY = "s3cret", SYMBIONT_DB_PASSWORD = "s3cret" }, dotenv = false }
        fails("ConfigurationError", "Call load() first", m:get_config())
        local c = assert(m:load())
        assert.is_nil(tostring(c):find("s3cret", 1, true))
        for _, format in ipairs { "yaml", "json" } do
            local path = dir .. "/o." .. format
            assert(m:save_to_file(path, format))
            local text = assert(symio.read_file(path))
            assert.is_nil(text:find("s3cret", 1, true))
            assert.equal(384, symio.stat(path).mode % 512)
            assert(m:save_to_file(path, format, false))
            assert.equal("s3cret", assert(symbi.config.manager({ env = {}, dotenv = false }):load(path)).api_key)
        end
        fails("ConfigurationError", "Unsupported format: xml", m:save_to_file(dir .. "/o", "xml"))
    end)

    it("reads .env files", function()
        local function parse(text) return dotenv.parse(text, function(name) return name == "HOME" and "/h" or nil end) end
        local t, warnings = parse("\239\187\191export A = 1 # one\r\nB='a$b # x'\nC=\"x\\n\\\"y\\\"\" # c\nD=${A}-${HOME}-${NONE:-none}\nE=\nF=a#b\n# G=1\n\nbad line here\nH=\"open\nI=1\"\nJ=last\nJ=it\nlower=1\n")
        assert.same({ A = "1", B = "a$b # x", C = 'x\n"y"', D = "1-/h-none", E = "", F = "a#b", H = "open\nI=1", J = "it", LOWER = "1" }, t)
        assert.same({ ".env line 9 is malformed and was skipped" }, warnings)
        assert.is_nil((parse("A=1\0")))
        assert.is_nil((parse(("A=1\n"):rep(300000))))
        t, warnings = parse("A='never closed\nB=2")
        assert.same({ B = "2" }, t)
        assert.equal(1, #warnings)
        assert.same({}, (parse("=1\n'\n\"\nexport\n")))
        -- as python-dotenv has them
        assert.same({ A = "#1", B = "", C = "a #b", D = "x${y", E = "d", F = "${A:b}-#1", G = "${A:b:-d}}" },
            (parse "A=#1\nB= # no value\nC='a #b'\nD=x${y\nE=${:-d}\nF=${A:b}-${A}\nG=${NONE:-${A:b}:-d}}\n"))
        local slow = os.clock() -- each of these took minutes
        for _, text in ipairs { "A=" .. ("${"):rep(100000), "A=x" .. (" "):rep(200000) .. "x", "A=" .. (" #"):rep(100000) } do assert.truthy(parse(text)) end
        assert.truthy(os.clock() - slow < 5)
    end)
end)

describe("symbi.client", function()
    it("is made from tables, files and nothing at all", function()
        local c = assert(symbi.client { env = {}, dotenv = false })
        assert.equal("http://localhost:8080/api/v1", c.base_url)
        assert.is_nil(c.api_key)
        assert.equal(c.schedules, c.schedules)
        assert.equal(symbi.agentpin, c.agentpin)
        assert.is_nil(c.nothing)
        c:close()
        assert.equal("t", assert(symbi.client { config = { api_key = "t" }, env = {}, dotenv = false }).api_key)
        assert.equal("x", assert(symbi.client { config = { api_key = "t" }, api_key = "x", base_url = "", env = {}, dotenv = false }).api_key)
        assert.has_error(function() symbi.client { apikey = "x" } end)
        assert.has_error(function() symbi.client "http://h" end)
        fails("ConfigurationError", "base_url", symbi.client { base_url = "http://u:p@h", env = {}, dotenv = false })
        local _, said = symbi.client { base_url = "nonsense", env = {}, dotenv = false }
        assert.equal("base_url: not a usable URL: it must start with http:// or https://", said)
        fails("UnsupportedError", "symbi.runtime", symbi.client { embedded = true })
        local ok, e = pcall(symbi.client, { base_url = "nonsense", raise = true, env = {}, dotenv = false })
        assert.is_false(ok)
        assert.truthy(e:is "ConfigurationError")
    end)

    it("sends no key where there is none", function()
        local c, sent = with(function() return answer "{}" end, { config = {} })
        c.api_key = nil
        assert.truthy(c:request("GET", "x"))
        for _, h in ipairs(sent[1].headers) do assert.not_equal("authorization", h[1]:lower()) end
        assert.is_true(sent[1].by_operator)
    end)

    it("takes arguments in order, by name, and both", function()
        local c, sent = with(function() return answer "[]" end)
        assert(c.reasoning:get_journal_entries("a", 3, 4))
        assert(c.reasoning:get_journal_entries("a", { limit = 4, from_sequence = 3 }))
        assert(c.reasoning:get_journal_entries { agent_id = "a", limit = 4, from_sequence = 3 })
        for i = 1, 3 do assert.equal("http://h/api/v1/agents/a/reasoning/journal?from_sequence=3&limit=4", sent[i].url) end
        fails("ValidationError", "unknown argument 'limits'", c.reasoning:get_journal_entries("a", { limits = 4 }))
        fails("ValidationError", "at most 3 arguments", c.reasoning:get_journal_entries("a", 1, 2, 3))
        fails("ValidationError", "agent_id is missing", c.reasoning:get_journal_entries())
        fails("ValidationError", "limit must be a whole number", c.reasoning:get_journal_entries("a", { limit = "4" }))
        fails("ValidationError", "must be a table", c.schedules:create "x")
        fails("ValidationError", "cron_expression is missing", c.schedules:create { name = "n", agent_name = "a" })
        assert.equal(3, #sent)
    end)

    it("checks answers as strictly as it is told", function()
        local bad = { status = "healthy", uptime_seconds = "soon", timestamp = "2026-01-01T00:00:00Z", version = "1" }
        local notes = {}
        local c = with(function() return answer(bad) end, { log = function(level, text) notes[#notes + 1] = level .. ": " .. text end })
        assert.equal("soon", assert(c:health_check()).uptime_seconds)
        assert.same({ "warning: health_check: the answer is not what it should be: HealthResponse: uptime_seconds must be a whole number" }, notes)
        c = with(function() return answer(bad) end, { validation_mode = "strict" })
        local err = fails("ValidationError", "uptime_seconds must be a whole number", c:health_check())
        assert.equal(200, err.status_code)
        local sent
        c, sent = with(function() return answer(bad) end, { validation_mode = "performance" })
        assert(c:health_check())
        assert(c.schedules:create { name = 5 })
        assert.equal('{"name":5}', sent[2].body)
    end)

    it("speaks to servers of every age", function()
        local c, sent = with(function(_, n)
            if n == 1 then return answer("", 405) end
            return answer { agent_id = "a", state = "busy", last_activity = "2026-01-01T00:00:00Z", resource_usage = { memory_bytes = 1, cpu_percent = 0, active_tasks = 0 } }
        end)
        local s = assert(c:get_agent_status "a")
        assert.same({ "busy", "busy" }, { s.state, s.state_sdk })
        assert.same({ "http://h/api/v1/agents/a/status", "http://h/api/v1/agents/a" }, { sent[1].url, sent[2].url })
        c, sent = with(function(_, n) return n == 1 and answer("", 404) or answer { execution_id = "e" } end)
        assert.equal("e", assert(c:execute_workflow { workflow_id = "w", parameters = {} }).execution_id)
        assert.equal("http://h/api/v1/workflows", sent[2].url)
        c, sent = with(function(_, n) return n == 1 and answer("", 404) or answer { execution_id = "e" } end)
        assert.equal("e", assert(c:re_execute_agent "a").execution_id)
        assert.equal("http://h/api/v1/agents/a/execute", sent[2].url)
        assert.equal("{}", sent[2].body)
        c = with(function() return answer("", 404) end)
        fails("UnsupportedError", "other input", c:re_execute_agent("a", { x = 1 }))
        fails("UnsupportedError", "toolclad.list_tools: the server does not serve tools", c.toolclad:list_tools())
        fails("NotFoundError", "Resource not found", c.schedules:get "j")
        c = with(function() return answer({ error = "no", code = "TOOL_NOT_FOUND" }, 404) end)
        local err = fails("NotFoundError", "Resource not found", c.toolclad:get_tool_info "x")
        assert.is_false(err:is "UnsupportedError")
        assert.equal("TOOL_NOT_FOUND", err.code)
        c = with(function() return answer({ error = "no", code = "NOT_IMPLEMENTED" }, 501) end)
        fails("UnsupportedError", "does not serve", c.endpoints:list_http_endpoints())
        c, sent = with(function() return answer { job_id = "j", next_run = symbi.null, status = "created" } end)
        assert(c.schedules:create { name = "n", agent_name = "a", cron_expression = "0 9 * * *" })
        assert.equal("0 0 9 * * *", json.decode(sent[1].body).cron_expression)
        assert(c:send_message("a", { sender = "b", payload = { x = 1 } }))
        assert.equal('{"x":1}', json.decode(sent[2].body).payload)
        c = with(function(_, n) return n == 1 and answer { "a", "b" } or answer { { id = "a" }, { id = "b" } } end)
        assert.same({ "a", "b" }, assert(c:list_agents()))
        assert.same({ "a", "b" }, assert(c:list_agents()))
    end)

    it("retries what a server asks to try later, only when told to", function()
        local busy = { status = 503, headers = { { "Retry-After", "2" } }, body = "" }
        local c, sent = with(function() return busy end)
        assert.equal(2, fails("ServerError", "503", c:request("GET", "x")).retry_after)
        assert.equal(1, #sent)
        c, sent = with(function(_, n) return n < 3 and busy or answer "{}" end, { retry = { server_errors = true } })
        assert(c:request("GET", "x"))
        assert.equal(3, #sent)
        c, sent = with(function() return busy end, { retry = { server_errors = true } })
        fails("ServerError", "503", c:request("POST", "x", { body = {} })) -- may have been processed
        assert.equal(1, #sent)
        c, sent = with(function(_, n) return n == 1 and { status = 429, headers = {}, body = "" } or answer "{}" end, { retry = { rate_limit = true } })
        assert(c:request("POST", "x", { body = {} }))
        assert.equal(2, #sent)
        assert.is_true(sent[1].once) -- and the transport is told not to repeat it by itself
        c, sent = with(function() return { status = 429, headers = { { "Retry-After", "999999" } }, body = "" } end, { retry = { rate_limit = true } })
        fails("RateLimitError", "Rate limit", c:request("GET", "x")) -- longer than the deadline
        assert.equal(1, #sent)
    end)

    it("checks, uses, renews and forgets tokens", function()
        local secret = "unit-test-secret-key-0123456789abcdef"
        local c = with(function() return answer "{}" end)
        fails("ConfigurationError", "JWT secret key is required", c:authenticate_jwt "x")
        fails("TokenRefreshError", "No refresh token available", c:refresh_token())
        assert.is_false(c:validate_permissions "read")
        assert.same({}, c:get_user_roles())
        local m = assert(symbi.auth.manager { jwt_secret_key = secret, token_issuer = "symbiont", token_audience = "symbiont-api" })
        local pair = assert(m:generate_tokens { user_id = "u", roles = { "user" } })
        local sent
        c, sent = with(function(_, n) return n == 2 and answer("expired", 401) or answer "{}" end, { auth = { jwt_secret_key = secret } })
        fails("AuthenticationError", "Invalid JWT token", c:authenticate_jwt(pair.refresh)) -- not an access token
        local user = assert(c:authenticate_jwt(pair.access, { refresh = pair.refresh }))
        assert.equal("u", user.user_id)
        assert.is_true(user.authenticated)
        assert.is_true(c:validate_permissions "WRITE")
        assert.is_false(c:validate_permissions "admin")
        assert.same({ "user" }, c:get_user_roles())
        local function bearer(rq)
            for _, h in ipairs(rq.headers) do if h[1] == "Authorization" then return h[2] end end
        end
        assert(c:request("GET", "x"))
        assert.equal("Bearer " .. pair.access, bearer(sent[1]))
        assert(c:request("GET", "x")) -- 401, renewed, again
        assert.equal(3, #sent)
        assert.not_equal(bearer(sent[2]), bearer(sent[3]))
        c:set_tokens { access = "a", refresh = "not a token" }
        fails("TokenRefreshError", "Failed to refresh token", c:refresh_token())
        assert(c:request("GET", "x"))
        assert.equal("Bearer k", bearer(sent[4])) -- all tokens are gone, the key is left
        c:close()
        m:close()
        fails("ConfigurationError", "closed", c:request("GET", "x"))
    end)

    it("never puts the key into a message", function()
        local c = with(function() return nil, "refused", symbi.error("EIO", "refused", { reason = "refused" }) end, { api_key = "s3cret\n", max_retries = 0 })
        local _, message, err = c:health_check()
        assert.is_nil((message .. tostring(err) .. tostring(c)):find("s3cret", 1, true))
        fails("ValidationError", "X-A", with(function() return answer "{}" end):request("GET", "x", { headers = { ["X-A"] = "a\r\nX-B: c" } }))
        fails("ValidationError", "name is not valid", with(function() return answer "{}" end):request("GET", "x", { headers = { ["X A"] = "a" } }))
    end)

    it("waits for a review", function()
        local session = { review_id = "r", status = "analyzing", submitted_by = "s", submitted_at = "2026-01-01T00:00:00Z", state = { type = "x" }, tool = { name = "t", description = "d", schema = { properties = {} }, provider = { name = "p" } } }
        local c = with(function(_, n)
            if n == 3 then session.status = "approved" end
            return answer(session)
        end)
        assert.equal("approved", assert(c:wait_for_review_completion("r", 300, { interval = 1 })).status)
        session.status = "analyzing"
        c = with(function() return answer(session) end)
        fails("TimeoutError", "did not complete within 3 seconds", c.tool_review:wait_for_review_completion("r", 3, { interval = 1 }))
    end)

    it("has every method under its names", function()
        local c = with(function() return answer "{}" end)
        local api = require "symbi.api"
        for _, e in ipairs(api.endpoints) do
            local home = e.group and c[e.group] or c
            assert.is_function(home[e.name], e.full)
            if e.alias then assert.is_function(home[e.alias], e.full) end
        end
        for _, flat in ipairs { "store_secret", "add_memory", "search_vectors", "trigger_webhook", "list_mcp_tools", "compile_dsl", "deploy_agent", "add_communication_rule" } do
            assert.is_function(c[flat], flat)
        end
        assert.equal(c.metrics.snapshot, c.metrics_client.get_metrics_snapshot)
        assert.is_nil(c.run_loop)
        assert.truthy(#require("symbi.client").methods() > 110)
    end)

    it("has a manager of tokens that follows the settings", function()
        local c = with(nil, { config = { auth = { jwt_secret_key = ("a"):rep(40) } } })
        local m = assert(c.auth_manager)
        assert.equal(m, c.auth_manager)
        local old = assert(m:generate_token({ user_id = "u" }, "access"))
        assert.equal("u", assert(c:authenticate_jwt(old)).user_id)
        assert(c:reload_configuration())
        assert.equal(m, c.auth_manager) -- what it revoked stays revoked
        assert(c:configure_client { auth = { jwt_secret_key = ("b"):rep(40) } })
        local _, message = c:authenticate_jwt(old) -- signed with the key of before
        assert.equal("Invalid JWT token", message)
        assert(c:authenticate_jwt(assert(c.auth_manager:generate_token({ user_id = "v" }, "access"))))
        c:close()
        assert.is_nil(with().auth_manager)
        assert.equal(symbi.jwt.sign, symbi.auth.jwt.encode)
    end)

    it("says what is not there yet", function()
        fails("UnsupportedError", "not there yet", with():chat { on_chunk = print })
        fails("UnsupportedError", "not there yet", symbi.client { embedded = true })
    end)
end)
