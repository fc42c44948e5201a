-- Browser tools: scope from Lua, what is refused without a browser, and one run through the gate with a real chromium where there is one
-- (tests/env/browser has the rest).
local symbi = require "symbi"
local core = require "symbi.core"
local json = core.json
local sio = symbi.io

local function ran(command)
    local a, _, c = os.execute(command)
    return a == 0 or (a == true and (c == nil or c == 0))
end

local dir, pid, port, serial = nil, nil, nil, 0

local function read(path)
    local f = io.open(path, "rb")
    local s = f and f:read "*a" or ""
    if f then f:close() end
    return s
end

local function serve()
    os.execute(("python3 tests/tools/browser-server.py %s/log > %s/port 2>/dev/null & echo $! > %s/pid"):format(dir, dir, dir))
    for _ = 1, 600 do
        port = read(dir .. "/port"):match "%d+"
        if port then break end
        sio.sleep(100)
    end
    pid = read(dir .. "/pid"):match "%d+"
end

local MANIFEST = [[
[tool]
name = "web"
version = "1"
description = "d"
timeout_seconds = 60
[browser]
startup_timeout_seconds = 60
[browser.scope]
allowed_domains = ["localhost"]
[browser.commands.navigate]
description = "n"
[browser.commands.navigate.args.url]
type = "url"
schemes = ["http", "https"]
required = true
[browser.commands.click]
description = "c"
[browser.commands.click.args.selector]
required = true
sanitize = []
[browser.commands.snapshot]
description = "s"
[output]
format = "json"
[output.schema]
type = "object"
]]

local function play(calls, policies, browser, manifest)
    local turns = {}
    for i, c in ipairs(calls) do turns[i] = { tool_calls = { { id = "c" .. i, name = c[1], arguments = c[2] or core.object() } } } end
    turns[#turns + 1] = { content = "done" }
    assert(sio.write_file(dir .. "/replay.json", json.encode { turns = turns }))
    assert(sio.mkdir(dir .. "/policies", { parents = true }))
    assert(sio.write_file(dir .. "/policies/all.cedar", policies))
    local runtime = assert(symbi.runtime { policies = dir .. "/policies", tools = { (assert(symbi.toolclad.parse(manifest or MANIFEST, "web.clad.toml"))) }, state = dir .. "/state",
        replay = dir .. "/replay.json", browser = browser })
    local agent = assert(runtime:agent { id = "tester" })
    local told, denied = {}, {}
    local result, message = agent:run("go", { watch = function(kind, a, b)
        if kind == "result" then told[#told + 1] = b.value or b.error or b
        elseif kind == "event" then denied[#denied + 1] = json.encode(a) end
    end })
    runtime:close()
    assert(result, message)
    return told, table.concat(denied, "\n")
end

describe("browser tools", function()
    before_each(function()
        serial = serial + 1
        dir = string.format("%s/symbi-browser-spec-%d-%d", os.getenv "TMPDIR" or "/tmp", math.floor(sio.monotonic() * 1000) % 1000000007, serial)
        assert(sio.mkdir(dir, { parents = true, mode = 448 }))
    end)
    after_each(function()
        if pid then os.execute("kill " .. pid) end
        pid = nil
        sio.remove_tree(dir)
    end)

    it("say where a browser may go", function()
        local browser = core.browser
        local scope = { allowed_domains = { "*.example.com" }, blocked_domains = { "admin.*" }, resource_domains = { "cdn.net" }, allow_external = false }
        assert.equal("inside", browser.check_url(scope, "https://a.example.com/x"))
        assert.equal("inside", browser.check_url(scope, "https://cdn.net/x.js", true))
        for _, url in ipairs { "https://example.com", "https://admin.example.com", "https://evil.org#.example.com", "https://a.example.com@evil.org/", "https://cdn.net/x", "file:///etc/passwd" } do
            local where, message, err = browser.check_url(scope, url)
            assert.is_nil(where)
            assert.equal("EDENIED", err.code)
            assert.is_true(#message > 10)
        end
        assert.is_nil((browser.check_url(nil, "https://a.com")))
        local open = { allow_external = true }
        assert.equal("outside", browser.check_url(open, "http://127.0.0.1/"))
        assert.is_nil((browser.judge_url(open, "http://127.0.0.1/")))
        assert.equal("outside", browser.judge_url(open, "https://example.com/"))
        assert.is_false(pcall(browser.check_url, "x", "https://a.com"))
    end)

    it("cannot run in nginx, or from a plan without an order", function()
        local backend = require "symbi.io.backend.browser"
        local value, message, err = backend.perform({ transport = { kind = "ngx" } }, {})
        assert.is_nil(value)
        assert.equal("EUNSUPPORTED", err.code)
        assert.truthy(message:find("nginx", 1, true))
        local tool = assert(symbi.toolclad.parse(MANIFEST, "web.clad.toml"))
        local set = assert(core.toolclad.toolset { tool })
        local dry = assert(set:find "web.snapshot":plan {})
        assert.equal("snapshot", dry.detail.command)
        local ok, raised = pcall(sio.browser, dry)
        assert.is_false(ok)
        assert.truthy(tostring(raised):find("carries no order", 1, true))
    end)

    it("say what is missing", function()
        local told = play({ { "web.snapshot" } }, "permit(principal, action, resource);", { program = "/nonexistent/chromium", no_sandbox = true })
        assert.truthy(told[1].message:find("cannot start", 1, true), told[1].message)
    end)

    it("visit a page, and the gate knows where they are", function()
        if not ran "command -v chromium >/dev/null 2>&1" then return pending "chromium is not installed" end
        if os.getenv "SAN" or os.getenv "LD_PRELOAD" then return pending "not with sanitizers: tests/unit/io_browser_test.c has them" end
        serve()
        local base = "http://localhost:" .. port
        local told, events = play({
            { "web.click", { selector = "#in" } },             -- nothing is there to click yet: policy
            { "web.navigate", { url = base .. "/" } },
            { "web.click", { selector = "#out" } },            -- leads outside
            { "web.click", { selector = "#in" } },
            { "web.snapshot" },
            { "web.navigate", { url = "http://127.0.0.1:" .. port .. "/" } },
        }, [[permit(principal, action in [Action::"tool_call::web.navigate", Action::"tool_call::web.snapshot", Action::"respond"], resource);
            permit(principal, action == Action::"tool_call::web.click", resource) when { context.page_state.domain == "localhost" && context.page_state.page_loaded && context.interaction_count >= 1 };]],
            { no_sandbox = true })
        assert.truthy(events:find("no policy permits", 1, true)) -- the first click
        assert.equal(5, #told)
        assert.equal("success", told[1].status)
        assert.equal("denied", told[2].status)
        assert.truthy(told[2].error:find("127.0.0.1", 1, true))
        assert.equal(base .. "/two", told[3].url)
        assert.truthy(told[4].content:find("Second page", 1, true))
        assert.truthy(told[5].message:find("not in allowed domains", 1, true)) -- no plan is made of it
        assert.is_nil(read(dir .. "/log"):find("127.0.0.1:%d+ GET"))
    end)

    it("tell the gate only what the manifest says", function()
        if not ran "command -v chromium >/dev/null 2>&1" then return pending "chromium is not installed" end
        if os.getenv "SAN" or os.getenv "LD_PRELOAD" then return pending "not with sanitizers: tests/unit/io_browser_test.c has them" end
        serve()
        local told = play({ { "web.navigate", { url = "http://localhost:" .. port .. "/" } }, { "web.click", { selector = "#in" } }, { "web.snapshot" } },
            [[permit(principal, action in [Action::"tool_call::web.navigate", Action::"respond"], resource);
            permit(principal, action == Action::"tool_call::web.click", resource) when { context.page_state has url && !(context.page_state has domain) && context.page_state.page_loaded };
            permit(principal, action == Action::"tool_call::web.snapshot", resource) when { context.page_state.domain == "localhost" };]],
            { no_sandbox = true }, (MANIFEST:gsub("%[browser%.scope%]", '[browser.state]\nfields = ["url", "page_loaded"]\n%0')))
        assert.equal("Two", told[2] and told[2].title, json.encode(told))
        assert.equal(2, #told) -- the snapshot was denied
    end)
end)
