--- What every transport of the client must do, as one function without a test framework: it runs as it is in plain Lua, in a task of
-- symbi.io.host and in an nginx worker, against tests/tools/symbi-standin.py.
--   failures, count = run(base_url)      failures: a list of texts
local symbi = require "symbi"

return function(base)
    local failures, count = {}, 0

    local function check(name, good, seen)
        count = count + 1
        if not good then failures[#failures + 1] = name .. ": " .. tostring(seen) end
    end
    local function client(options)
        options = options or {}
        options.base_url, options.api_key = options.base_url or base .. "/api/v1", options.api_key or "test-key"
        options.env, options.dotenv = {}, false
        options.max_retries = options.max_retries or 0
        return assert(symbi.client(options))
    end
    local function fails(name, class, part, value, message, err)
        check(name .. " fails", value == nil, value)
        if value ~= nil or type(err) ~= "table" then
            check(name .. " has an error object", false, err)
            return { is = function() return false end, details = {} }
        end
        check(name .. " is " .. class, err:is(class), err)
        check(name .. " says " .. part, tostring(message):find(part, 1, true), message)
        check(name .. " does not tell the key", not (tostring(message) .. tostring(err)):find("test-key", 1, true), message)
        return err
    end
    local function counted(c, name) return c:request("GET", "counted/" .. name).n end
    local unique = tostring({}):gsub("[^%w]", "")

    -- ---- the ordinary
    local c = client()
    local health, message = c:health_check()
    check("health", health and health.status == "healthy", message)
    local ids = c:list_agents()
    check("agents", ids and #ids == 2 and ids[1] == "agent-1", ids)
    local all = c:list_agents { detailed = true }
    check("agents detailed", all and all[2].name == "two", all)
    local status = c:get_agent_status "agent-1"
    check("state", status and status.state == "Running" and status.state_sdk == "active" and status.execution_mode == "Ephemeral", status and status.state)
    check("metrics", c:get_metrics().total_agents == 2)
    local loop = c.reasoning:run_loop("agent-1", { config = { max_iterations = 3 }, initial_message = "hä?" })
    check("loop", loop and loop.result.output == "done: hä?", loop)
    check("journal is held to the limit", #c.reasoning:get_journal_entries("agent-1", { from_sequence = 5, limit = 7 }) == 7)
    check("history is held to the limit", #c.schedules:history("j", 4).history == 4)
    local made = c.schedules:create { name = "n", cron_expression = "0 9 * * *", agent_name = "agent-1" }
    check("a cron expression of five fields gets its seconds", made and made.status == "created", made)
    check("void", c.reasoning:add_cedar_policy("agent-1", { name = "p", source = "permit(principal, action, resource);" }) == true)
    local echo = c:request("POST", "echo", { body = { a = { 1, 2 }, s = "é" }, query = { { "q", "a b&c" } }, headers = { ["X-Mine"] = "1" } })
    check("echo body", echo and symbi.json.decode(echo.body).s == "é", echo)
    check("echo query", echo.path == "/api/v1/echo?q=a+b%26c", echo.path)
    check("headers", echo.headers["x-mine"] == "1" and echo.headers.accept == "application/json" and echo.headers["content-type"] == "application/json")
    check("key", echo.headers.authorization == "Bearer test-key", echo.headers.authorization)
    check("agent string", echo.headers["user-agent"] == "symbi-lua/" .. symbi.version, echo.headers["user-agent"])
    local other = client { auth = { api_key_header = "X-API-Key" } }:request("GET", "echo")
    check("another header for the key", other.headers["x-api-key"] == "test-key" and other.headers.authorization == nil)
    check("chunked", c:request("GET", "fault/chunked").a == 1)
    check("no content", c:request("GET", "fault/204") == true)

    -- ---- ids
    local err = fails("an id with a path", "NotFoundError", "Resource not found", c:get_agent_status "a/../b?c#d e")
    check("the id went whole", err.request and err.request.url:find("/agents/a%2F..%2Fb%3Fc%23d%20e/status", 1, true), err.request and err.request.url)
    for _, id in ipairs { "", ".", "..", "a\0b", "a\nb", ("x"):rep(10000) } do fails("id " .. #id, "ValidationError", "agent_id", c:get_agent_status(id)) end
    fails("an id that is none", "ValidationError", "agent_id", c:get_agent_status {})
    err = fails("unknown agent", "NotFoundError", "Resource not found", c:get_agent_status "agent-9")
    check("its code", err.code == "AGENT_NOT_FOUND" and err.details.agent_id == "agent-9", err.code)

    -- ---- refusals
    fails("wrong key", "AuthenticationError", "check your credentials", client { api_key = "wrong" }:health_check())
    fails("expired", "AuthenticationExpiredError", "expired", c:request("GET", "fault/expired"))
    err = fails("denied", "PolicyDeniedError", "Insufficient permissions", c:request("GET", "fault/denied"))
    check("denied is a permission error", err:is "PermissionDeniedError" and err.status == 403 and err.details.policy == "p1", err.status)
    fails("409", "ConflictError", "status 409", c:request("GET", "fault/409"))
    fails("503", "ServerError", "status 503", c:request("GET", "fault/503"))
    err = fails("429", "RateLimitError", "Rate limit", c:request("GET", "fault/429"))
    check("retry after", err.retry_after == 7, err.retry_after)
    fails("not served", "UnsupportedError", "use the embedded runtime", c.vectors:list_vector_collections())
    if not (symbi.io.kind() == "host" and _VERSION == "Lua 5.1" and not rawget(_G, "jit")) then -- that Lua cannot wait inside pcall
        local raised, what = pcall(function() return c:raise():get_agent_status "agent-9" end)
        check("raise", not raised and type(what) == "table" and what:is "NotFoundError", what)
    end

    -- ---- answers that are none
    fails("html", "APIError", "Invalid JSON", c:request("GET", "fault/html"))
    fails("half a body", "APIError", "", c:request("GET", "fault/half"))
    fails("half a head", "ConnectionError", "", c:request("GET", "fault/halfhead"))
    fails("two lengths in one line", "ConnectionError", "", c:request("GET", "fault/lengthlist"))
    fails("a length in hex", "ConnectionError", "", c:request("GET", "fault/hexlength"))
    fails("a length with a sign", "ConnectionError", "", c:request("GET", "fault/pluslength"))
    check("compressed, where it was asked for", c:request("GET", "fault/gzip").a == 1)
    fails("a length too long", "APIError", "", c:request("GET", "fault/longlength"))
    fails("two lengths", "APIError", "", c:request("GET", "fault/twolengths"))
    fails("endless headers", "APIError", "", c:request("GET", "fault/headers"))
    fails("a header of 2 MB", "APIError", "", c:request("GET", "fault/bigheader"))
    fails("garbage", "APIError", "", c:request("GET", "fault/garbage"))
    fails("reset", "ConnectionError", "Request failed after 1 attempt", c:request("GET", "fault/reset"))
    fails("deep", "APIError", "Invalid JSON", c:request("GET", "fault/deep"))
    fails("2 GB", "APIError", "max_response_bytes", client { max_response_bytes = 100000 }:request("GET", "fault/huge"))
    check("integers keep their digits", c:request("GET", "fault/bigint").n == "12345678901234567890")
    local strict = client { validation_mode = "strict", transport = nil }
    strict.base_url = base .. "/api/v1"
    check("strict takes what is right", strict:health_check() ~= nil)

    -- ---- redirects
    local there = c:request("GET", "to/self")
    check("same origin is followed", there and there.path == "/api/v1/echo", there)
    check("without the key", there and there.headers.authorization == nil, there and there.headers.authorization)
    check("relative", (c:request("GET", "to/relative") or {}).path == "/api/v1/echo")
    fails("another host", "APIError", "another origin", c:request("GET", "to/other"))
    fails("to https", "APIError", "another origin", c:request("GET", "to/https"))
    fails("user information", "APIError", "", c:request("GET", "to/odd"))
    fails("in circles", "APIError", "", c:request("GET", "to/loop"))
    fails("a POST", "APIError", "redirect of a POST", c:request("POST", "to/post", { body = { a = 1 } }))

    -- ---- deadline, retries
    err = fails("too slow", "TimeoutError", "Request failed after 1 attempt", c:with({ timeout = 0.2 }):request("GET", "sleep/5000"))
    check("a timeout is an APIError", err:is "APIError" and err.status_code == nil)
    fails("nobody there", "ConnectionError", "after 1 attempt", client { base_url = "http://127.0.0.1:1/api/v1" }:health_check())
    local patient = client { max_retries = 2, timeout = 20 }
    fails("reset, again and again", "ConnectionError", "after 2 attempts", client { max_retries = 1 }:request("GET", "fault/reset/get" .. unique))
    local n = counted(c, "get" .. unique) -- the transport itself may replace a kept connection that broke
    check("a GET is repeated", n >= 2 and n <= 4, n)
    fails("a POST that may have been processed", "ConnectionError", "after 1 attempt", patient:request("POST", "fault/reset/post" .. unique, { body = {} }))
    check("is not repeated", counted(c, "post" .. unique) == 1, counted(c, "post" .. unique))
    fails("with an idempotency key", "ConnectionError", "after 2 attempts", client { max_retries = 1 }:request("POST", "fault/reset/key" .. unique, { body = {}, idempotency_key = "k1" }))
    n = counted(c, "key" .. unique)
    check("it is", n >= 2 and n <= 4, n)

    -- ---- tokens
    local asked = 0
    local refreshing = client { api_key = "old", max_retries = 2, refresh = function()
        asked = asked + 1
        return "test-key"
    end }
    check("a token is renewed", refreshing:health_check() ~= nil and asked == 1, asked)
    asked = 0
    fails("401 forever", "AuthenticationError", "check your credentials", client { api_key = "old", max_retries = 5, refresh = function()
        asked = asked + 1
        return "still-wrong"
    end }:health_check())
    check("one refresh per request", asked == 1, asked)

    -- ---- the end
    fails("a key with a line break", "ConfigurationError", "line break", client { api_key = "test-key\r\nX: y" }:health_check())
    c:close()
    fails("after close", "ConfigurationError", "closed", c:health_check())
    return failures, count
end
