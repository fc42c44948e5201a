--- HTTP tools for real: a server that answers, one that misbehaves, secrets that are nowhere, and an agent that calls such a tool through the gate.
local symbi = require "symbi"
local core, symio = require "symbi.core", symbi.io

local function shell_word(s) return "'" .. s:gsub("'", "'\\''") .. "'" end

-- The stand-in server: its base URL and a function that ends it.
local function server()
    local out = os.tmpname()
    os.execute("python3 tests/tools/http-hostile.py --seconds 60 >" .. shell_word(out) .. " 2>/dev/null </dev/null &")
    for _ = 1, 500 do
        local text = symio.read_file(out)
        local base = text and text:match "^(http://[%d.:]+)\n"
        if base then
            os.remove(out)
            return base, function()
                symio.http { by_operator = true, url = base .. "/quit", timeout_ms = 2000 }
            end
        end
        symio.sleep(20)
    end
    error("the stand-in server did not start")
end

local HEAD = '[tool]\nname = "h"\nversion = "1"\ndescription = "d"\ntimeout_seconds = 3\n[args.q]\ntype = "string"\n'

-- A plan as an executor gets it: checked, on no trail, redeemed.
local function redeemed(toml, args, options)
    local tool = assert(symbi.toolclad.parse(toml))
    local gate = assert(symbi.gate.open { policies = { { name = "p", text = "permit(principal, action, resource);" } }, tools = { tool } })
    local verdict = gate:check { kind = "tool_call", agent = "bot", name = "h", arguments = args or {} }
    assert(verdict.allowed, verdict.reason)
    assert(gate:commit(verdict))
    local plan = assert(gate:redeem(verdict, verdict.permit, options))
    gate:close()
    return tool, plan
end

local function set(options)
    options = options or {}
    if options.allow_private_hosts == nil then options.allow_private_hosts = { "127.0.0.1" } end
    return symio.auto(options)
end

-- Performs one call: the envelope (with C's view of the answer), or nil, message, err.
local function call(toml, args, options)
    local tool, plan = redeemed(toml, args, options and options.plan)
    local io = set(options)
    local raw, message, err = require("symbi.io.backend.http").perform(io, plan)
    io:finish()
    if not raw then return nil, message, err end
    return assert(tool:envelope(plan, raw)), raw, plan
end

local function manifest(base, http, output)
    return HEAD .. "[http]\n" .. http:gsub("BASE", (base:gsub("%%", "%%%%"))) .. "\n[output]\n" .. (output or 'format = "json"') .. "\n"
end

describe("HTTP tools", function()
    local base, quit
    setup(function() base, quit = server() end)
    teardown(function() quit() symio.close() end)
    after_each(function()
        symbi.secrets.forget()
        symio.close()
    end)

    it("send what the manifest says", function()
        local e = assert(call(manifest(base, [[method = "post"
url = 'BASE/echo/{q}?k={_secret:key}'
headers = { Authorization = 'Bearer {_secret:key}', "X-Q" = '{q}' }
body_template = '{"q":"{q}","k":"{_secret:key}"}']]), { q = 'a/b "c" é' }, { secrets = function(name) return name == "key" and "tok&1" or nil end }))
        assert.equal("success", e.status)
        assert.equal(200, e.http_status)
        assert.equal("POST", e.results.method)
        assert.equal("/echo/a/b%20%22c%22%20%C3%A9?k=[REDACTED]", e.results.target) -- the answer repeats the secret, in the form it was sent in
        assert.equal('a/b "c" é', core.json.decode((e.results.body:gsub("%[REDACTED%]", ""))).q)
        assert.equal("application/json", e.results.headers["content-type"])
        assert.equal("Bearer [REDACTED]", e.results.headers.authorization)
        assert.truthy(e.http_url:find("?k={_secret:key}", 1, true))
        assert.falsy(core.json.encode(e):find("tok", 1, true))
        assert.truthy(e.output_hash:match "^sha256:%x+$")
        assert.truthy(e.timestamp:match "^20%d%d%-")
    end)

    it("look secrets up: callback or store, then the environment", function()
        local m = manifest(base, "url = 'BASE/echo'\nheaders = { \"X-K\" = '{_secret:Path_1}' }")
        local asked = {}
        local e, message, err = call(m, {}, { secrets = function(name) asked[#asked + 1] = name end })
        assert.is_nil(e)
        assert.same({ "Path_1" }, asked)
        assert.equal("Secret 'Path_1' not found (set TOOLCLAD_SECRET_PATH_1)", message)
        assert.equal("ENOTFOUND", err.code)
        local store = symbi.secrets.open { backend = "env", prefix = "S_", env = function(name) return name == "S_Path_1" and "from-the-store" or nil end, scope = { bot = { "Path_*" }, other = { "x" } } }
        e = assert(call(m, {}, { secrets = store:for_agent "bot" }))
        assert.equal("[REDACTED]", e.results.headers["x-k"])
        e, message, err = call(m, {}, { secrets = store:for_agent "other" })
        assert.is_nil(e) -- a refusal is not looked past
        assert.equal("EDENIED", err.code, message)
        store:close()
        e, message = call(m, {}, { secrets = function() return "a\r\nX-Evil: 1" end })
        assert.is_nil(e)
        assert.truthy(message:find("line break", 1, true))
        assert.falsy(message:find("Evil", 1, true))
        e, message, err = call(m, {}, { secrets = function() return 7 end })
        assert.is_nil(e)
        assert.equal("ESCHEMA", err.code, message)
        assert.has_error(function() call(m, {}, { secrets = function() error "boom" end }) end)
    end)

    it("send nothing when a secret is missing", function()
        local before = core.json.decode(symio.http { by_operator = true, url = base .. "/hits" }.body).hits
        assert.is_nil((call(manifest(base, "url = 'BASE/echo?k={_secret:nope_x}'"))))
        assert.equal(before, core.json.decode(symio.http { by_operator = true, url = base .. "/hits" }.body).hits)
    end)

    it("give a request once, and only for a plan that a gate gave out", function()
        local tool, plan = redeemed(manifest(base, "url = 'BASE/echo'"))
        assert.is_table(core.toolrequest.resolve(plan, {}))
        assert.has_error(function() core.toolrequest.resolve(plan, {}) end)
        assert.has_error(function() core.toolrequest.resolve(assert(tool:plan {}), {}) end)
    end)

    it("follow no redirect, and reach nothing private that nobody named", function()
        for _, to in ipairs { "http://169.254.169.254/latest/meta-data/", base .. "/hits", "http://[::1]/", "file:///etc/passwd" } do
            local e = assert(call(manifest(base, "url = 'BASE/redirect/" .. to:gsub("[:/%[%]]", function(c) return ("%%%02X"):format(c:byte()) end) .. "'", 'format = "text"')))
            assert.equal("error (HTTP 302)", e.status)
            assert.equal(302, e.exit_code)
        end
        for _, host in ipairs { "http://169.254.169.254/latest/", "http://metadata.google.internal/", "http://[::ffff:127.0.0.1]/", "http://localhost/", "http://10.0.0.1/" } do
            local e = assert(call(manifest(base, "url = '" .. host .. "'"), {}, { allow_private_hosts = {} }))
            assert.equal("error", e.status, host)
            assert.equal(0, e.http_status)
            assert.equal(-1, e.exit_code)
            assert.truthy(e.error:find("SSRF", 1, true) or e.error:find("URL", 1, true), e.error)
        end
        for _, host in ipairs { "http://2130706433/", "http://0x7f.1/", "http://user@127.0.0.1/" } do -- no plan comes of these
            assert.has_error(function() call(manifest(base, "url = '" .. host .. "'")) end)
        end
        local e = assert(call(manifest(base, "url = 'BASE/echo'"), {}, { allow_private_hosts = {} }))
        assert.truthy(e.error:find("non-public", 1, true), e.error)
    end)

    it("take what a server does without harm", function()
        local t = {
            ["/headers"] = { "error" }, ["/slow"] = { "timeout" }, ["/short"] = { "error" }, ["/huge"] = { "error" },
            ["/status/204"] = { "success" }, ["/status/500"] = { "server_error (HTTP 500)" }, ["/status/404"] = { "client_error (HTTP 404)" },
        }
        for path, want in pairs(t) do
            local e = assert(call(manifest(base, "url = 'BASE" .. path .. "'", 'format = "text"')))
            assert.equal(want[1], e.status, path .. ": " .. tostring(e.error))
            assert.is_table(e.results)
        end
        -- what is more than was announced is not read; a bomb stays packed; bytes become text
        local e = assert(call(manifest(base, "url = 'BASE/long'", 'format = "text"')))
        assert.equal("four", e.results.raw_output)
        local raw
        e, raw = assert(call(manifest(base, "url = 'BASE/bomb'\nheaders = { \"Accept-Encoding\" = \"gzip\" }")))
        assert.is_true(#raw.body < 1024 * 1024)
        assert.is_string(e.results.raw_output)
        e = assert(call(manifest(base, "url = 'BASE/bytes'", 'format = "text"')))
        assert.equal("\239\191\189\239\191\189\0 bytes", e.results.raw_output)
        -- printf '\xff\xfe\0 bytes' | sha256sum
        assert.equal("sha256:" .. core.crypto.sha256("\255\254\0 bytes"), e.output_hash)
    end)

    it("wait for each other's servers side by side", function()
        local host = require "symbi.io.host"
        local one, two = manifest(base, "url = 'BASE/slow'"), manifest(base, "url = 'BASE/echo/{q}'")
        local order = {}
        local results = assert(host.run {
            function() local e = call(one) order[#order + 1] = "slow" return e end,
            function() local e = call(two, { q = "a" }) order[#order + 1] = "quick" return e end,
            function() local e = call(two, { q = "b" }) order[#order + 1] = "quick" return e end,
        })
        assert.equal("timeout", results[1][1].status)
        assert.equal("/echo/a", results[2][1].results.target)
        assert.equal("/echo/b", results[3][1].results.target)
        assert.same({ "quick", "quick", "slow" }, order)
    end)

    it("keep evidence where the manifest asks for it", function()
        local dir = os.tmpname()
        os.remove(dir)
        assert(symio.mkdir(dir, { mode = 448 }))
        local m = manifest(base, "url = 'BASE/echo?k={_secret:key}'") .. "[tool.evidence]\ncapture = true\n"
        local e = assert(call(m, {}, { secrets = function() return "hunter22" end, plan = { evidence_dir = dir } }))
        local text, info = assert(symio.read_file_info(e.output_file, {}))
        assert.truthy(e.output_file:find(dir, 1, true))
        assert.truthy(text:find("[REDACTED]", 1, true))
        assert.falsy(text:find("hunter22", 1, true))
        assert.equal(384, info.mode % 512)
        assert(symio.remove_tree(dir))
    end)

    it("are called outside of a run", function()
        local tool = assert(symbi.toolclad.parse('[tool]\nname = "h"\n[args.t]\ntype = "scope_target"\n[http]\nurl = "' .. base .. '/echo/{t}"\nheaders = { X-K = "{_secret:k}" }\n[output]\nformat = "json"\n'))
        local o = { policies = { { name = "p", text = "permit(principal, action, resource);" } }, scope = { domains = { "*.example.com" } }, secrets = function() return "hunter2-token" end,
            allow_private_hosts = { "127.0.0.1" } }
        local e = assert(symbi.toolclad.execute(tool, { t = "a.example.com" }, o))
        assert.equal("success", e.status)
        assert.equal("[REDACTED]", e.results.headers["x-k"])
        local nothing, message, err = symbi.toolclad.execute(tool, { t = "a.example.org" }, o)
        assert.is_nil(nothing)
        assert.truthy(message:find("OUT_OF_SCOPE", 1, true))
        assert.equal("EDENIED", err.code)
    end)

    it("are called by an agent, through policy, scope and trail", function()
        local dir = os.tmpname()
        os.remove(dir)
        for _, d in ipairs { "", "/tools", "/policies", "/agents", "/scope" } do assert(symio.mkdir(dir .. d, { mode = 448 })) end
        assert(symio.write_file(dir .. "/tools/look.clad.toml", '[tool]\nname = "look"\nversion = "1"\ndescription = "d"\n[args.target]\ntype = "scope_target"\nrequired = true\n[args.q]\ntype = "string"\n'
            .. "[http]\nurl = '" .. base .. "/echo/{target}?q={q}'\nheaders = { Authorization = 'Bearer {_secret:look_key}' }\n[output]\nformat = \"json\"\n"))
        assert(symio.write_file(dir .. "/policies/p.cedar", 'permit(principal, action, resource);'))
        assert(symio.write_file(dir .. "/scope/scope.toml", '[scope]\ndomains = ["*.example.com"]\n'))
        assert(symio.write_file(dir .. "/agents/bot.toml", '[agent]\nid = "bot"\ntools = ["look"]\n'))
        assert(symio.write_file(dir .. "/replay.json", core.json.encode {
            { tool_calls = { { name = "look", arguments = { target = "www.evil.com", q = "x" } } } },
            { tool_calls = { { name = "look", arguments = { target = "www.example.com", q = "{_secret:look_key}" } } }, expect = { last_tool = "not in scope" } },
            { tool_calls = { { name = "look", arguments = { target = "www.example.com", q = "the quarter" } } } },
            { content = "done", expect = { last_tool = { "q=the%20quarter", "Bearer [REDACTED]" } } },
        }))
        local rt = assert(symbi.runtime { policies = dir .. "/policies", tools = dir .. "/tools", agents = dir .. "/agents", state = dir .. "/state", project_dir = dir, replay = dir .. "/replay.json",
            secrets = function(name) return name == "look_key" and "hunter2-token" or nil end, allow_private_hosts = { "127.0.0.1" } })
        local agent = assert(rt:agent "bot")
        local seen = {}
        local result = assert(agent:run("look", { watch = function(kind, data) if kind == "event" then seen[#seen + 1] = core.json.encode(data) end end }))
        assert.is_true(result.completed, tostring(result.error))
        assert.equal("done", result.output)
        assert.equal(2, result.denied)
        local all = table.concat(seen, "\n")
        assert.truthy(all:find("OUT_OF_SCOPE", 1, true))
        assert.falsy(all:find("hunter2", 1, true))
        assert.is_true(rt:verify().ok ~= false)
        -- an edit of the scope file holds from the next run on, and a file that went is as if it named nothing
        for content, code in pairs { ['[scope]\ndomains = ["www.evil.com", "www.example.com", "elsewhere.example"]\n'] = "ALLOWED", ["[scope]\ntargets = [7]\n"] = "OUT_OF_SCOPE", [false] = "OUT_OF_SCOPE" } do
            if content then assert(symio.write_file(dir .. "/scope/scope.toml", content)) else symio.remove(dir .. "/scope/scope.toml") end
            rt:rescope(agent.gate)
            assert.equal(code, agent.gate:check({ kind = "tool_call", agent = "bot", name = "look", arguments = { target = "elsewhere.example" } }).code)
        end
        assert(symio.write_file(dir .. "/scope/scope.toml", '[scope]\ndomains = ["*.example.com"]\n'))
        agent:close()
        rt:close()
        -- nowhere on disk either
        local grep = io.popen("grep -rl hunter2-token " .. shell_word(dir) .. "; true")
        local found = grep:read "*a"
        grep:close()
        assert.equal("", found)
        -- a scope file that cannot be read keeps every target out; one that was named and is missing keeps the runtime from opening
        assert(symio.write_file(dir .. "/scope/scope.toml", '[scope]\ndomain = ["*.example.com"]\n'))
        rt = assert(symbi.runtime { policies = dir .. "/policies", tools = dir .. "/tools", project_dir = dir, no_audit = true })
        local gate = assert(rt:open_gate())
        local v = gate:check { kind = "tool_call", agent = "bot", name = "look", arguments = { target = "www.example.com" } }
        assert.equal("OUT_OF_SCOPE", v.code)
        assert.truthy(v.reason:find("scope is not usable", 1, true), v.reason)
        gate:close()
        rt:close()
        local nothing, message, err = symbi.runtime { policies = dir .. "/policies", project_dir = dir, no_audit = true, allow_private_hosts = { "10.0.0.1/8" } }
        assert.is_nil(nothing)
        assert.equal("ESCHEMA", err.code, message)
        nothing, message, err = symbi.runtime { policies = dir .. "/policies", tools = dir .. "/tools", project_dir = dir, no_audit = true, scope = dir .. "/none.toml" }
        assert.is_nil(nothing)
        assert.equal("ENOTFOUND", err.code, message)
        rt = assert(symbi.runtime { policies = dir .. "/policies", tools = dir .. "/tools", project_dir = dir .. "/tools", no_audit = true, require_scope = true })
        gate = assert(rt:open_gate())
        assert.equal("OUT_OF_SCOPE", gate:check({ kind = "tool_call", agent = "bot", name = "look", arguments = { target = "www.example.com" } }).code)
        gate:close()
        rt:close()
        assert(symio.remove_tree(dir))
    end)
end)
