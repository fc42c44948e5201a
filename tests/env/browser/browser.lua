-- tests/env/browser/browser.lua PORT DIR PART: what tests/env/browser/run checks, one line "ok ..." per fact.
local symbi = require "symbi"
local core = require "symbi.core"
local port, dir, part = arg[1], arg[2], arg[3]
local base = "http://localhost:" .. port

local WITH = { navigate = "url", click = "selector", type_text = "text", submit_form = "selector", execute_js = "expression", wait_for = "selector", scroll = "direction" }
local ALL = { "navigate", "click", "type_text", "submit_form", "snapshot", "extract_html", "screenshot", "execute_js", "wait_for", "go_back", "list_tabs", "network_timing", "scroll" }

local BOX = os.getenv "BROWSER_BOX" and 'sandbox = "bwrap"\nsandbox_network = true\n' or ""

local function manifest(browser, scope, seconds, more)
    local t = { ('[tool]\nname = "web"\nversion = "1"\ndescription = "d"\ntimeout_seconds = %d\n' .. BOX .. '[browser]\n%s\n[browser.scope]\n%s\n'):format(seconds or 60, browser or "startup_timeout_seconds = 60", scope or 'allowed_domains = ["localhost"]'), more or "" }
    for _, c in ipairs(ALL) do
        t[#t + 1] = ('[browser.commands.%s]\ndescription = "d"\n'):format(c)
        if WITH[c] then
            t[#t + 1] = ('[browser.commands.%s.args.%s]\nrequired = true\nsanitize = []\n%s'):format(c, WITH[c], c == "navigate" and 'type = "url"\nschemes = ["http", "https"]\n' or "")
        elseif c == "extract_html" or c == "snapshot" then
            t[#t + 1] = ('[browser.commands.%s.args.selector]\nsanitize = []\n'):format(c)
        end
    end
    t[#t + 1] = '[browser.commands.wait_for.args.timeout_ms]\ntype = "integer"\nmin = 100\nmax = 30000\n[output]\nformat = "json"\n[output.schema]\n'
    return table.concat(t)
end

local function fact(name, yes, shown)
    if yes then print("ok " .. name) else print(name .. ": " .. tostring(shown)) end
end

-- A gate with such a tool, and one call after the other.
local function session(o)
    o = o or {}
    local tool = assert(symbi.toolclad.parse(manifest(o.browser, o.scope, o.seconds, o.more), "web.clad.toml"))
    local set = assert(core.toolclad.toolset { tool })
    local gate = assert(symbi.gate.open { policies = assert(symbi.cedar.policies "permit(principal, action, resource);"), tools = set })
    local io_ = symbi.io.auto { browser = o.options, secrets = o.secrets }
    if o.http then io_.transport = setmetatable({ http = o.http }, { __index = io_.transport }) end
    local s = { io = io_ }
    function s.call(name, args)
        local e, message, err = symbi.toolclad.execute("web." .. name, args or {}, { gate = gate, io = io_, evidence_dir = dir .. "/evidence" })
        if e then return e, e.results end
        return { status = "refused", error = message, code = err and err.code }, {}
    end
    function s.go(path) return s.call("navigate", { url = base .. path }) end
    function s.js(text) return s.call("execute_js", { expression = text }) end
    function s.browser()
        local _, held = next(io_.kept)
        return held and held.browser
    end
    function s.close()
        io_:finish()
        gate:close()
    end
    return s
end

local function shown(e) return core.json.encode(e):sub(1, 600) end

local parts = {}

function parts.commands()
    local s = session()
    local e, r = s.go "/"
    fact("navigate", e.status == "success" and r.title == "Front" and r.domain == "localhost" and r.url == base .. "/", shown(e))
    fact("page_state", r.page_state.has_forms == true and r.page_state.page_loaded == true and r.page_state.tab_count == 1, shown(e))
    e, r = s.call "snapshot"
    fact("snapshot", r.content:find('- heading "Hello"', 1, true) and r.content:find('- link "In"', 1, true) and r.content:find('- textbox "Name"', 1, true), shown(e))
    e, r = s.call("snapshot", { selector = "#f" })
    fact("snapshot of a part", r.content:find('button "Send"', 1, true) and not r.content:find("Hello", 1, true), shown(e))
    e, r = s.call("extract_html", { selector = "h1" })
    fact("extract_html", r.content == "<h1>Hello</h1>", shown(e))
    e = s.call("extract_html", { selector = "h9" })
    fact("extract_html of nothing", e.status == "error" and e.error:find "no element matches h9", shown(e))
    e, r = s.call "screenshot"
    local png = assert(symbi.io.read_file(r.screenshot_path))
    fact("screenshot", png:sub(2, 4) == "PNG" and e.output_hash == "sha256:" .. core.crypto.sha256(png), shown(e))
    local st = symbi.io.stat(r.screenshot_path)
    fact("its file is private", st.mode % 64 == 0, st.mode)
    e, r = s.js "({a: [1, 'x', null], b: 2 > 1})"
    fact("execute_js", e.status == "success" and r.content.a[2] == "x" and r.content.b == true, shown(e))
    e = s.js "throw new Error('no')"
    fact("execute_js that fails", e.status == "error" and e.error:find "Error: no", shown(e))
    s.call("click", { selector = "#name" })
    s.call("type_text", { text = "O'Neil; é {x}" })
    e, r = s.call("submit_form", { selector = "#f" })
    fact("type_text and submit_form", r.title == "posted" and r.url == base .. "/post", shown(e))
    e, r = s.call "go_back"
    fact("go_back", r.url == base .. "/", shown(e))
    e, r = s.call("click", { selector = "#in" })
    fact("click", r.url == base .. "/two", shown(e))
    s.go "/late"
    e = s.call("wait_for", { selector = "#late", timeout_ms = 30000 })
    fact("wait_for", e.status == "success", shown(e))
    e = s.call("wait_for", { selector = "#never", timeout_ms = 300 })
    fact("wait_for nothing", e.status == "error" and e.error:find "nothing matched #never", shown(e))
    s.go "/tall"
    e, r = s.call("scroll", { direction = "down" })
    fact("scroll", r.content.y == 600, shown(e))
    e, r = s.call "network_timing"
    fact("network_timing", r.content.navigation and r.content.resource_count, shown(e))
    e, r = s.call "list_tabs"
    fact("list_tabs", #r.content == 1 and r.content[1].active and r.content[1].url == base .. "/tall", shown(e))
    fact("interaction_count", r.interaction_count == 20, r.interaction_count)
    s.close()
end

-- In bubblewrap: its processes see a machine that they cannot write to, and chromium's own sandbox is on there, also where root started it.
function parts.boxed()
    local s = session()
    local e, r = s.go "/"
    fact("navigate in a box", e.status == "success" and r.title == "Front" and e.sandbox == "bwrap", shown(e))
    local pid, profile = s.browser():pid(), s.browser():profile()
    local function read(path)
        local f = io.open(path, "rb")
        local text = f and f:read "*a" or ""
        if f then f:close() end
        return text
    end
    local function children(of) return read(("/proc/%d/task/%d/children"):format(of, of)) end
    local seen, queue, renderers, confined, args = 0, { pid }, 0, 0, ""
    while #queue > 0 do
        local at = table.remove(queue)
        seen = seen + 1
        local line = read("/proc/" .. at .. "/cmdline")
        args = args .. line
        if line:find("--type=renderer", 1, true) then
            renderers = renderers + 1
            local status = read("/proc/" .. at .. "/status")
            if status:find "Seccomp:%s*2" and status:find "NoNewPrivs:%s*1" and status:find "CapEff:%s*0000000000000000" then confined = confined + 1 end
        end
        for child in children(at):gmatch "%d+" do queue[#queue + 1] = tonumber(child) end
    end
    fact("chromium's own sandbox is on", renderers > 0 and confined == renderers and not args:find("--no-sandbox", 1, true), renderers .. " renderers, " .. confined .. " confined")
    local root = tonumber(children(tonumber(children(pid):match "%d+") or 0):match "%d+")
    local mounts = root and read("/proc/" .. root .. "/mountinfo") or ""
    fact("its root is read-only", mounts:find "\n?%d+ %d+ %S+ / / ro[, ]" or mounts:find " /%S* / ro[, ]", mounts:sub(1, 300))
    fact("its profile is its own", mounts:find(" " .. profile .. " rw", 1, true), mounts:sub(1, 300))
    e = s.call "screenshot"
    fact("a screenshot from a box", e.status == "success", shown(e))
    s.close()
end

function parts.scope()
    local s = session()
    local e, r
    local function refused(name) fact(name, e.status == "denied" and e.error:find("127.0.0.1", 1, true) and r.domain ~= "127.0.0.1", shown(e)) end
    e = s.call("navigate", { url = "http://127.0.0.1:" .. port .. "/" })
    fact("a URL outside is refused before anything starts", e.status == "refused" and not s.browser(), shown(e))
    s.go "/"
    e, r = s.call("click", { selector = "#out" })
    refused "a link"
    fact("the page stays", r.url == base .. "/", shown(e))
    e, r = s.go "/redirect"
    refused "a redirect"
    e, r = s.go "/meta"
    refused "a meta refresh"
    e, r = s.go "/js"
    refused "a script that navigates"
    e, r = s.go "/redirect-file"
    fact("a redirect to a file", e.status == "error" and r.domain == "localhost", shown(e))
    e, r = s.go "/jsfile"
    fact("a script that opens a file", r.url == base .. "/jsfile", shown(e))
    s.js "location.href='chrome://version'"
    e, r = s.js "location.href='javascript:1'; location.href"
    fact("chrome: and javascript:", r.domain == "localhost", shown(e))
    s.go "/pop"
    e, r = s.call("click", { selector = "#blank" })
    fact("a link in a new tab", r.page_state.tab_count == 1 and r.domain == "localhost", shown(e))
    e, r = s.call("click", { selector = "#open" })
    fact("window.open", r.page_state.tab_count == 1 and r.domain == "localhost", shown(e))
    e, r = s.call("click", { selector = "#good" })
    fact("a new tab inside becomes the one", r.url == base .. "/two" and r.page_state.tab_count == 2, shown(e))
    e, r = s.go "/frame"
    fact("a frame", e.status == "success" and r.blocked and r.blocked[1].url:find "frame%-out", shown(e))
    e, r = s.go "/parts"
    local seen = {}
    for _, b in ipairs(r.blocked or {}) do seen[b.url:match "/(%a+)%-out" or ""] = true end
    fact("images, scripts, styles, fetch, beacons and workers", seen.img and seen.script and seen.css and seen.fetch and seen.beacon and seen.worker, shown(r))
    s.go "/pre"
    e, r = s.js "fetch('http://127.0.0.1:1/').then(()=>'in',()=>'refused')"
    fact("fetch of a script", r.content == "refused", shown(e))
    s.close()
    -- blocked names inside an allowed wildcard, for WebSockets too
    s = session { scope = 'allowed_domains = ["localhost", "*.localhost"]\nblocked_domains = ["admin.localhost"]' }
    s.go "/"
    e, r = s.js(("fetch('http://admin.localhost:%s/x').then(()=>'in',()=>'refused')"):format(port))
    fact("a blocked name under an allowed one", r.content == "refused", shown(e))
    s.close()
end

function parts.pages()
    local s = session()
    local e = s.go "/download"
    fact("a download", e.status == "error" and e.error:find "downloads are refused", shown(e))
    local r
    e, r = s.go "/alert"
    fact("dialogs", r.title == "after", shown(e))
    s.go "/cover"
    e = s.call("click", { selector = "#b" })
    fact("a covered button", e.status == "error" and e.error:find "covers it", shown(e))
    e = s.call("click", { selector = "a[[" })
    fact("a bad selector", e.status == "error" and e.error:find "not a valid selector", shown(e))
    s.go "/dirty"
    e, r = s.call("click", { selector = "#in" })
    fact("a page that spoils its own DOM", r.url == base .. "/two", shown(e))
    s.go "/half"
    e, r = s.call "snapshot"
    fact("half a character", e.status == "success" and r.content:find("a\239\191\189b", 1, true), shown(e))
    e = s.go "/giant"
    fact("a giant page", e.status == "success", shown(e))
    e, r = s.call "extract_html"
    fact("is cut", e.truncated == true and #r.content <= 1048576, shown(e))
    s.close()
    s = session { seconds = 15 } -- what a hanging page uses up
    s.go "/hang"
    e = s.call "snapshot"
    fact("a page that hangs", e.status == "timeout", shown(e))
    e, r = s.go "/two"
    fact("and a new browser after it", e.status == "success" and r.interaction_count == 1, shown(e))
    s.close()
end

-- Beside other tasks of the host's loop, two browsers at once.
function parts.host()
    local host = require "symbi.io.host"
    local ticks, left = 0, 2
    local function visit()
        local s = session()
        local e, r = s.go "/"
        fact("navigate in the loop", s.io.transport.kind == "host" and r.title == "Front", shown(e))
        e, r = s.call("click", { selector = "#in" })
        fact("click in the loop", r.title == "Two", shown(e))
        left = left - 1
        while left > 0 do host.sleep(5) end
        s.close()
    end
    local longest, last = 0, symbi.io.monotonic()
    assert(host.run { visit, visit, function()
        while left > 0 do
            host.sleep(5)
            local now = symbi.io.monotonic()
            ticks, longest, last = ticks + 1, math.max(longest, now - last), now
        end
    end })
    fact("others go on", ticks > 20, ticks)
end

function parts.limits()
    local s = session { browser = "startup_timeout_seconds = 60\nmax_interactions = 2" }
    s.go "/"
    s.call "snapshot"
    local e = s.call "snapshot"
    fact("max_interactions", e.error:find "exceeded max interactions %(2%)", shown(e))
    s.close()
    s = session { browser = "startup_timeout_seconds = 60\nidle_timeout_seconds = 1" }
    s.go "/"
    symbi.io.sleep(1300)
    e = s.call "snapshot"
    fact("idle_timeout_seconds", e.error:find "idle timeout", shown(e))
    s.close()
    local seconds, begun = 3
    repeat -- a slow machine needs more for a session that begins at all
        s = session { browser = ("startup_timeout_seconds = 60\nsession_timeout_seconds = %d"):format(seconds) }
        e = s.go "/"
        begun = e.status == "success" and s.browser() ~= nil and s.browser():pid() > 0
        if begun then
            symbi.io.sleep(seconds * 1000 + 200)
            e = s.call "snapshot"
            fact("session_timeout_seconds", e.error and e.error:find "session timeout", shown(e))
        end
        s.close()
        seconds = seconds * 2
    until begun or seconds > 60
    fact("it had begun", begun, shown(e))
    s = session { options = { program = "/nonexistent/chromium" } }
    e = s.go "/"
    fact("no such program", e.error:find "cannot start", shown(e))
    s.close()
    if not os.getenv "SYMBI_BROWSER_NO_SANDBOX" then return end
    s = session { options = { no_sandbox = false } }
    e = s.go "/"
    fact("root without a word", e.error:find "SYMBI_BROWSER_NO_SANDBOX=1", shown(e))
    s.close()
end

function parts.killed()
    local s = session()
    s.go "/"
    os.execute("kill -9 " .. s.browser():pid())
    local e = s.call "snapshot"
    for _ = 1, 200 do -- in a box what was killed is bwrap, and the rest follows
        if e.status ~= "success" then break end
        symbi.io.sleep(50)
        e = s.call "snapshot"
    end
    fact("chromium is killed", e.status == "error" and e.error:find "killed %(signal 9%)", shown(e))
    local _, r = s.go "/two"
    fact("the next call has a new one", r.title == "Two", shown(r))
    s.close()
    -- a program that is no browser
    s = session { options = { program = "/bin/true" } }
    e = s.go "/"
    fact("what is no browser", e.error:find "the browser ended", shown(e))
    s.close()
    s = session { options = { program = "/bin/cat" }, browser = "startup_timeout_seconds = 2" }
    e = s.go "/"
    fact("what does not talk", e.status ~= "success", shown(e))
    s.close()
end

-- Logins without the model, against a page with a password and a one-time code.
function parts.auth()
    local function flow(name, path, more)
        return ('[browser.auth_flows.%s]\nlogin_url = "%s%s"\nusername_selector = "#user"\npassword_selector = "#pass"\nsubmit_selector = "#go"\nsecret_ref = "vault:test/web-login"\n%s\n')
            :format(name, base, path, more)
    end
    local totp = 'mfa_handler = "totp"\nmfa_selector = "#otp"\nmfa_secret_ref = "vault:test/seed"'
    local more = '[browser.commands.login]\ndescription = "d"\n[browser.commands.login.args.service]\nrequired = true\n' .. flow("shop", "/signin", 'success_indicator = "url_contains=/account"\n' .. totp) ..
        flow("app", "/signin-app", 'success_indicator = "element=#me"') .. flow("away", "/signin-away", 'success_indicator = "url_contains=/account"') ..
        flow("plain", "/signin-text", 'success_indicator = "url_contains=/account"')
    local password = "s3cr3t pass; {x}"
    local kept = { test_web_login_username = "alice", test_web_login_password = password, test_seed = "jbsw y3dp ehpk 3pxp" }
    local function secrets(name) return kept[name] end
    local scope = 'allowed_domains = ["localhost", "*.localhost"]'
    local s = session { more = more, scope = scope, secrets = secrets }
    local function login(service) return s.call("login", { service = service }) end
    local e, r = login "shop"
    fact("a login with a one-time code", e.status == "success" and r.content.authenticated == true and r.content.service == "shop" and r.title == "Account" and r.url == base .. "/account", shown(e))
    fact("is_authenticated", r.page_state.is_authenticated == true, shown(e))
    fact("no credentials in the result", not core.json.encode(e):find("s3cr3t", 1, true), shown(e))
    local sent = {}
    for line in io.lines(dir .. "/log") do if line:find "POST" then sent[#sent + 1] = line end end
    local text = table.concat(sent, "\n")
    fact("they were sent once, to that host", select(2, text:gsub("pass=s3cr3t", "")) == 1 and text:find("localhost:" .. port .. " POST /signin user=alice&pass=s3cr3t+pass", 1, true) and
        text:find "POST /code otp=%d%d%d%d%d%d" and not text:find "app%.localhost", text)
    e, r = login "app"
    fact("a page that draws its form later", e.status == "success" and r.content.service == "app", shown(e))
    s.call("navigate", { url = "http://app.localhost:" .. port .. "/two" })
    e, r = login "away"
    fact("a login page that leads elsewhere", e.status == "error" and e.error:find "no credentials" and r.content == nil, shown(e))
    e = login "plain"
    fact("a password field that shows it", e.status == "error" and e.error:find "no password field", shown(e))
    e = login "nobody"
    fact("an unknown service", e.status == "refused" and e.error:find "no auth flow", shown(e))
    s.close()
    kept.test_web_login_password = "wrong"
    s = session { more = more, scope = scope, secrets = secrets, seconds = 20 }
    e, r = login "shop"
    fact("a wrong password", e.status == "error" and e.error:find "did not succeed" and r.content == nil and r.page_state.is_authenticated == false, shown(e))
    s.close()
    kept.test_web_login_password = nil
    s = session { more = more, scope = scope, secrets = secrets }
    e = login "shop"
    fact("a secret that is not there", e.status ~= "success" and e.error:find "test_web_login_password", shown(e))
    s.close()
end

-- [tool.evidence] and [browser.state]: what is kept of each step, and what is told.
function parts.evidence()
    local s = session { more = '[tool.evidence]\ncapture = true\nscreenshots = true\n[browser.state]\nfields = ["url", "tab_count"]\n' }
    local function pictured(e)
        local r = e.results
        local png = r.screenshot_path and symbi.io.read_file(r.screenshot_path)
        return png and png:sub(2, 4) == "PNG" and r.screenshot_hash == "sha256:" .. core.crypto.sha256(png)
    end
    local e, r = s.go "/"
    fact("a picture of each step", e.status == "success" and pictured(e), shown(e))
    fact("state.fields", r.page_state.url == base .. "/" and r.page_state.tab_count == 1 and r.page_state.title == nil and r.page_state.has_forms == nil, shown(e))
    local first = r.screenshot_path
    e, r = s.call "snapshot"
    local text = symbi.io.read_file(e.output_file)
    fact("the content is kept", text == r.content and e.output_hash == "sha256:" .. core.crypto.sha256(text) and pictured(e) and r.screenshot_path ~= first, shown(e))
    fact("privately", symbi.io.stat(e.output_file).mode % 64 == 0 and symbi.io.stat(r.screenshot_path).mode % 64 == 0, shown(e))
    e = s.js "({b: 1, a: [2]})"
    fact("as its hash was taken", symbi.io.read_file(e.output_file) == '{"a":[2],"b":1}' and e.output_hash == "sha256:" .. core.crypto.sha256 '{"a":[2],"b":1}', shown(e))
    e = s.call("click", { selector = "#out" })
    fact("a refused step has its picture too", e.status == "denied" and pictured(e), shown(e))
    e = s.call "screenshot"
    fact("a picture is not taken twice", e.status == "success" and pictured(e) and e.output_hash == e.results.screenshot_hash, shown(e))
    s.close()
end

-- Requests to hosts outside go through us.
function parts.policy()
    local asked = {}
    local s = session { scope = 'allow_external = true\nallowed_domains = ["localhost"]\nblocked_domains = ["evil.com"]', http = function(rq)
        asked[#asked + 1] = rq.url
        if rq.url == "http://example.com/" then
            return { status = 200, headers = { { "Content-Type", "text/html" } }, body = "<title>Ext</title><a id=r href=/redir>x</a>" }
        elseif rq.url:find "redir" then
            return { status = 302, headers = { { "Location", "http://169.254.169.254/latest" } }, body = "" }
        end
        return nil, "no"
    end }
    local e, r = s.call("navigate", { url = "http://example.com/" })
    fact("a page outside", r.title == "Ext" and asked[1] == "http://example.com/", shown(e))
    e, r = s.call("click", { selector = "#r" })
    fact("that leads to a metadata service", e.status == "denied" and e.error:find "SSRF" and r.domain == "example.com", shown(e))
    e = s.call("navigate", { url = "http://127.0.0.1:" .. port .. "/" })
    fact("this machine", e.status == "refused" and e.error:find "SSRF", shown(e))
    e = s.call("navigate", { url = "http://evil.com/" })
    fact("a blocked host", e.status == "refused", shown(e))
    s.close()
end

function parts.dies()
    local s = session()
    s.go "/"
    print "ready"
    io.stdout:flush()
    symbi.io.sleep(60000)
end

function parts.live()
    local live = ('startup_timeout_seconds = 60\nconnect = "live"\nendpoint = "http://localhost:%s"'):format(os.getenv "LIVE_PORT")
    local s = session { browser = live }
    local e, r = s.go "/"
    fact("navigate", r.title == "Front" and r.page_state.tab_count == 1, shown(e))
    e, r = s.call("click", { selector = "#out" })
    fact("a link outside", e.status == "denied" and r.domain == "localhost", shown(e))
    s.go "/pop"
    e, r = s.call("click", { selector = "#blank" })
    fact("a new tab outside", r.page_state.tab_count == 1, shown(e))
    e, r = s.call("click", { selector = "#good" })
    fact("a new tab inside", r.title == "Two" and r.page_state.tab_count == 2, shown(e))
    e, r = s.call "list_tabs"
    fact("only our tabs", #r.content == 2, shown(e))
    s.go "/parts"
    e = s.call "snapshot"
    fact("snapshot", e.status == "success", shown(e))
    s.close()
    s = session { browser = 'connect = "live"\nendpoint = "http://127.0.0.1:9"' }
    e = s.go "/"
    fact("nobody there", e.error:find "remote%-debugging%-port", shown(e))
    s.close()
    s = session { browser = ('connect = "live"\nendpoint = "http://127.0.0.1:%s"'):format(port) }
    e = s.go "/"
    fact("no browser there", e.error:find "is no browser", shown(e))
    s.close()
end

parts[part]()
