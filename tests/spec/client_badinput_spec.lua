--- Bad input of the client, one row per case: what is done, the class of the one error that comes of it, and what its text must say: what is wrong,
-- or what to change. Real sockets against tests/tools/symbi-standin.py; what needs TLS or nginx is in tests/env/client and tests/env/nginx-client.
local symbi = require "symbi"
local with_server = require "tests.contract.server"
local symio = symbi.io

symbi.crypto.random(2) -- what is opened once per state
symio.http { by_operator = true, url = "http://127.0.0.1:1/", timeout_ms = 100 }

local KEY = "test-key"

local function client(base, options)
    options = options or {}
    options.base_url, options.api_key, options.env, options.dotenv, options.max_retries = options.base_url or base .. "/api/v1", options.api_key or KEY, {}, false, options.max_retries or 0
    return symbi.client(options)
end

-- fault/MODE of the stand-in, or any path.
local function get(path, options)
    return function(base) return client(base, options):request("GET", path) end
end

local function status(id)
    return function(base) return client(base):get_agent_status(id) end
end

-- An answer that no real server is needed for.
local function answer(code, headers, body, options)
    return function()
        options = options or {}
        options.base_url = options.base_url or "https://api.example"
        options.transport = function() return { status = code, headers = headers, body = body } end
        return client("", options):health_check()
    end
end

local function after_close(base)
    local c = client(base)
    c:close()
    return c:health_check()
end

local SERVER = {
    -- what it is, what is done, class, what the message says
    { "HTML", get "fault/html", "APIError", "a page of HTML or XML; does base_url lead to a Symbiont server?" },
    { "HTML from a method", answer(200, {}, "<!doctype html><p>hello"), "APIError", "does base_url lead" },
    { "no body where one is needed", answer(200, {}, ""), "APIError", "it is empty; does base_url lead" },
    { "white space", answer(200, {}, " \r\n\t "), "APIError", "it is empty" },
    { "nothing at all", get "fault/nothing", "ConnectionError", "cut off" },
    { "half a body", get "fault/half", "ConnectionError", "cut off" },
    { "half a head", get "fault/halfhead", "ConnectionError", "the answer was cut off (within its header lines)" },
    { "half a JSON document", answer(200, {}, '{"status":'), "APIError", "Invalid JSON" },
    { "a length that is too long", get "fault/longlength", "ConnectionError", "cut off" },
    { "a length that is too short", get "fault/shortlength", nil, { {} } },
    { "two lengths", get "fault/twolengths", "ConnectionError", "not valid HTTP" },
    { "two lengths in one line", get "fault/lengthlist", "ConnectionError", "a length that is no number" },
    { "a length in hex", get "fault/hexlength", "ConnectionError", "a length that is no number" },
    { "a length with a sign", get "fault/pluslength", "ConnectionError", "a length that is no number" },
    { "64 MB out of a few kB", get("fault/gzipbomb", { max_response_bytes = 1000000 }), "APIError", "max_response_bytes" },
    { "no gzip under its name", get "fault/badgzip", "ConnectionError", "not valid HTTP" },
    { "endless headers", get "fault/headers", "APIError", "larger than allowed" },
    { "a header of 2 MB", get "fault/bigheader", "APIError", "larger than allowed" },
    { "2 GB", get("fault/huge", { max_response_bytes = 100000 }), "APIError", "max_response_bytes" },
    { "2 GB and the ordinary limit", get "fault/huge", "APIError", "max_response_bytes" },
    { "no HTTP", get "fault/garbage", "ConnectionError", "not valid HTTP" },
    { "the wrong shape", function(base) return client(base, { validation_mode = "strict" }).schedules:get "j" end, "NotFoundError", "" },
    { "the wrong shape, strictly", answer(200, {}, '{"status":5}', { validation_mode = "strict" }), "ValidationError", "health_check: the answer is not what it should be: HealthResponse: " },
    { "a list instead of an object", answer(200, {}, "[]", { validation_mode = "strict" }), "ValidationError", "must be an object" },
    { "nesting without end", get "fault/deep", "APIError", "Invalid JSON" },
    { "a key that is there twice", answer(200, {}, '{"status":"a","status":"b"}'), "APIError", "Invalid JSON" },
    { "bytes that are no UTF-8", answer(200, {}, '{"status":"\255"}'), "APIError", "Invalid JSON" },
    { "a byte order mark", answer(200, {}, '\239\187\191{"status":"healthy"}'), "APIError", "Invalid JSON" },
    { "401 forever", get("fault/401", { refresh = function() return "new" end, max_retries = 5 }), "AuthenticationError", "check your credentials" },
    { "a token that expired", get "fault/expired", "AuthenticationExpiredError", "expired" },
    { "a redirect to another host", get "to/other", "APIError", "a redirect to another origin is not followed; correct base_url" },
    { "a redirect to https", get "to/https", "APIError", "correct base_url" },
    { "a redirect from https to http", answer(302, { { "Location", "http://api.example/api/v1/health" } }, ""), "APIError", "a redirect to another origin is not followed; correct base_url" },
    { "a redirect to another port", answer(301, { { "location", "https://api.example:8443/" } }, ""), "APIError", "correct base_url" },
    { "a redirect to a file", answer(302, { { "Location", "file:///etc/passwd" } }, ""), "APIError", "" },
    { "a redirect to nowhere", answer(302, {}, ""), "APIError", "status 302" },
    { "redirects in circles", get "to/loop", "APIError", "more than 3 redirects" },
    { "a redirect of a POST", function(base) return client(base):request("POST", "to/post", { body = {} }) end, "APIError", "a redirect of a POST is not followed; correct base_url" },
    { "connection refused", get("x", { base_url = "http://127.0.0.1:1" }), "ConnectionError", "is the server running?" },
    { "connection reset", get "fault/reset", "ConnectionError", "" },
    { "no answer in time", function(base) return client(base, { timeout = 0.2 }):request("GET", "sleep/5000") end, "TimeoutError", "no answer" },
    { "TLS where the server speaks none", function(base) return client(base, { base_url = base:gsub("^http:", "https:") .. "" }):health_check() end, "ConnectionError", "is its authority trusted (ca_file" },
    { "a host that is no name", get("x", { base_url = "http://no.such.host.invalid" }), "ConnectionError", "cannot be resolved" },
}

local IDS = {
    { "an empty id", status "", "ValidationError", "it is empty; the request would go to the whole collection" },
    { "no id", status(nil), "ValidationError", "agent_id is missing" },
    { "..", status "..", "ValidationError", "agent_id cannot be used in a path" },
    { ".", status ".", "ValidationError", "agent_id cannot be used in a path" },
    { "NUL", status "a\0b", "ValidationError", "agent_id cannot be used in a path" },
    { "a line break", status "a\r\nX: y", "ValidationError", "agent_id cannot be used in a path" },
    { "10 kB", status(("x"):rep(10240)), "ValidationError", "agent_id cannot be used in a path" },
    { "bytes that are no UTF-8", status "\255\254", nil, nil },
    { "a number that is none", status(0 / 0), "ValidationError", "agent_id must be a string" },
    { "a table", status { 1 }, "ValidationError", "agent_id" },
    { "/", status "a/b", "NotFoundError", "Resource not found" },
    { "../", status "../schedules", "NotFoundError", "Resource not found" },
    { "?", status "a?b=c", "NotFoundError", "Resource not found" },
    { "#", status "a#b", "NotFoundError", "Resource not found" },
    { "a space", status "a b", "NotFoundError", "Resource not found" },
    { "%2e%2e", status "%2e%2e", "NotFoundError", "Resource not found" },
}

local PROGRAM = {
    { "use after close", after_close, "ConfigurationError", "the client is closed" },
    { "a number beyond 2^53 where a whole one is wanted", function(base) return client(base).reasoning:get_journal_entries("a", { limit = 2 ^ 70 }) end, "ValidationError", "give its digits as a string" },
    { "and one that is none", function(base) return client(base):request("GET", "x", { query = { n = 1 / 0 } }) end, "ValidationError", "cannot be sent exactly" },
    { "a number that JSON has not", function(base) return client(base):request("POST", "echo", { body = { n = 1 / 0 } }) end, "ValidationError", "cannot be written as JSON" },
    { "a function in a body", function(base) return client(base):request("POST", "echo", { body = { f = print } }) end, "ValidationError", "cannot be written as JSON" },
    { "a key with a line break", function(base) return client(base, { api_key = "test-key\nX: y" }):health_check() end, "ConfigurationError", "a line break?" },
    { "a header with a line break", function(base) return client(base, { headers = { ["X-A"] = "1\r\nX-B: 2" } }):health_check() end, "ValidationError", "X-A has a value that cannot be sent" },
    { "a header that is no name", function(base) return client(base, { headers = { ["X A"] = "1" } }):health_check() end, "ValidationError", "header's name is not valid" },
    { "a base URL with a password", function(base) return client(base, { base_url = "http://u:p@h" }) end, "ConfigurationError", "base_url" },
    { "a base URL that is none", function(base) return client(base, { base_url = "ftp://h" }) end, "ConfigurationError", "base_url" },
}

local function leads(rows)
    with_server(function(base)
        for _, row in ipairs(rows) do
            local name, f, class, part = row[1], row[2], row[3], row[4]
            local ok, value, message, err = pcall(f, base)
            assert.is_true(ok, name .. " raises " .. tostring(value))
            if class then
                assert.is_nil(value, name .. " succeeds")
                assert.truthy(type(err) == "table" and err.is and err:is(class), name .. " is " .. tostring(err) .. ", no " .. class)
                assert.truthy(message:find(part, 1, true), name .. " says: " .. message)
                assert.is_nil((message .. tostring(err)):find(KEY, 1, true), name)
                assert.is_nil(message:find "%c", name .. " has a control character in its message")
                assert.truthy(#message < 1000, name .. " says " .. #message .. " bytes")
            elseif value == nil then
                assert.truthy(type(err) == "table" and type(message) == "string", name)
            end
        end
    end)
end

describe("bad input", function()
    it("of servers", function() leads(SERVER) end)
    it("of ids", function() leads(IDS) end)
    it("of programs", function() leads(PROGRAM) end)

    it("has digits that no number holds", function()
        local c = client("", { base_url = "http://h", transport = function() return { status = 200, headers = {}, body = '{"a":9007199254740993,"b":-18446744073709551616,"c":[12345678901234567890]}' } end })
        local t = assert(c:request("GET", "x"))
        assert.equal("12345678901234567890", t.c[1])
        assert.equal("-18446744073709551616", t.b)
        assert.equal("9007199254740993", type(t.a) == "string" and t.a or string.format("%d", t.a)) -- an integer where Lua has them, else its digits
    end)

    local dir
    before_each(function()
        dir = os.tmpname()
        os.remove(dir)
        assert(symio.mkdir(dir))
    end)
    after_each(function() assert(symio.remove_tree(dir)) end)

    local BOM = "\239\187\191"
    local FILES = { -- name, text, class or the expected timeout, message
        { ".env", "SYMBIONT_TIMEOUT=5\nOTHER=1\nAWS_SECRET=x\nSYMBIONT_UNHEARD=1\n", 5 },
        { ".env", BOM .. "SYMBIONT_TIMEOUT=6", 6 },
        { ".env", "\tSYMBIONT_TIMEOUT\t=\t7\t# seconds\r\n", 7 },
        { ".env", "SYMBIONT_TIMEOUT=1\nSYMBIONT_TIMEOUT=8\n", 8 },
        { ".env", "symbiont_timeout=9\n", 9 },
        { ".env", "this is no line\nSYMBIONT_TIMEOUT=9\n", 9 },
        { ".env", "SYMBIONT_TIMEOUT=soon\n", "ConfigurationError", "SYMBIONT_TIMEOUT" },
        { ".env", "SYMBIONT_TIMEOUT=9007199254740993\n", "ConfigurationError", "timeout" },
        { ".env", "SYMBIONT_TIMEOUT=5\0\n", "ConfigurationError", "NUL" },
        { ".env", ("A=1\n"):rep(300000), "ConfigurationError", "1 MiB" },
        { "c.yaml", "timeout: 5\nfoo: 1\n", "ConfigurationError", "unknown key 'foo'" },
        { "c.yaml", "\ttimeout: 5\n", "ConfigurationError", "Invalid YAML in config file" },
        { "c.yaml", BOM .. "timeout: 6\n", 6 },
        { "c.yaml", "timeout: 5\ntimeout: 6\n", "ConfigurationError", "Invalid YAML in config file" },
        { "c.yaml", "auth:\n  secret: x\n", "ConfigurationError", "unknown key 'auth.secret'" },
        { "c.yaml", "- a\n", "ConfigurationError", "no mapping of settings" },
        { "c.yaml", "timeout: &a [*a]\n", "ConfigurationError", "" },
        { "c.yaml", "timeout: 1e400\n", "ConfigurationError", "too large" },
        { "c.yaml", "", 30 },
        { "c.json", '{"timeout":5,"foo":1}', "ConfigurationError", "unknown key 'foo'" },
        { "c.json", '{"timeout":5,"timeout":6}', "ConfigurationError", "Invalid JSON in config file" },
        { "c.json", BOM .. '{"timeout":5}', "ConfigurationError", "Invalid JSON in config file" },
        { "c.json", '{"timeout":\t5}', 5 },
        { "c.json", '{"timeout":12345678901234567890}', "ConfigurationError", "beyond 64 bits" },
        { "c.json", "", "ConfigurationError", "Invalid JSON in config file" },
        { "c.toml", "timeout = 5", "ConfigurationError", "Unsupported config file format: .toml" },
    }
    it("of files", function()
        for i, row in ipairs(FILES) do
            local path = dir .. "/" .. i .. row[1]
            local f = assert(io.open(path, "wb"))
            f:write(row[2])
            f:close()
            local dotenv = row[1] == ".env"
            local m = symbi.config.manager { env = {}, dotenv = dotenv and path or false }
            local name = ("%s %q"):format(row[1], row[2]:sub(1, 40))
            local ok, c, message, err = pcall(m.load, m, not dotenv and path or nil)
            assert.is_true(ok, name .. " raises " .. tostring(c))
            if type(row[3]) == "number" then
                assert.truthy(c, name .. ": " .. tostring(message))
                assert.equal(row[3], c.timeout, name)
            else
                assert.is_nil(c, name .. " is taken")
                assert.truthy(err:is(row[3]), name)
                assert.truthy(message:find(row[4], 1, true), name .. " says: " .. message)
            end
        end
    end)

    it("is a module of another Lua", function()
        local build, own = os.getenv "SYMBI_BUILD" or "build", _VERSION:match "%d%.%d"
        local other = own == "5.4" and "5.1" or "5.4"
        local path = build .. "/" .. other .. "/symbi/core.so"
        local f = io.open(path, "rb")
        if not f then return pending("no " .. path) end
        f:close()
        if os.getenv "SAN" then return pending "a child without the sanitizers' runtime cannot load it" end
        -- in a process of its own: what it does to this one is not the question
        local p = io.popen(("LUA_CPATH='%s/%s/?.so' LUA_PATH='./lua/?.lua;./lua/?/init.lua' %s -e 'print(pcall(require, \"symbi.core\"))' 2>&1"):format(build, other, os.getenv "SYMBI_VM" or "lua" .. own))
        local text = p:read "*a"
        p:close()
        assert.truthy(text:find "^false", text)
        assert.truthy(text:find("symbi.core is built for", 1, true) or text:find("undefined symbol: lua", 1, true), text)
    end)
end)
