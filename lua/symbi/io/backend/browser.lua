--- The executor of browser tools. Where the browser may go, what a command does and what its answer means is decided in C (symbi/browser.h);
-- here bytes are waited for, requests to hosts outside are made under the network guard, and a picture is written.
--   options of the transports (and of symbi.runtime): browser = { program = path of chromium, no_sandbox = true (root has to say so;
--   SYMBI_BROWSER_NO_SANDBOX=1 says it too) }
--   secrets = as for HTTP tools (symbi.io.backend.http): what the auth flows of a manifest name
-- One browser per manifest and set of transports: it begins with the first command and ends with the set, or when something went wrong with it.
local core = require "symbi.core"

local M = {}

local function symio() return require("symbi").io end

local function fail(code, ...)
    local message = string.format(...)
    return nil, message, core.error(code, message)
end

-- ---- a browser -------------------------------------------------------------------------------------------------------------------

-- Where a running browser listens, from its own list. Only the loopback interface is asked, whatever the manifest says (C says so again).
local function discover(set, endpoint)
    local port = endpoint:match("^http://[^/]-:(%d+)/?$") or endpoint:match("^http://[^/:]+/?$") and "80"
    local host = endpoint:match("^http://(%[::1%])") or "127.0.0.1"
    if not port then return fail("EDENIED", "'%s' is no address of a running browser (http://127.0.0.1:PORT)", endpoint) end
    local guard = core.netguard.policy { allow = { host .. ":" .. port }, only = { host .. ":" .. port } }
    local r, message, err = set.transport.http { url = ("http://%s:%s/json/version"):format(host, port), guard = guard, timeout_ms = 5000, max_bytes = 65536 }
    if not r then return fail(err and err.code or "EIO", "no browser answers at %s (start it with --remote-debugging-port=%s): %s", endpoint, port, tostring(message)) end
    local told = r.status == 200 and core.json.decode(r.body)
    local url = type(told) == "table" and told.webSocketDebuggerUrl
    local path = type(url) == "string" and url:match("^ws://[^/]+(/devtools/browser/[%w%-]+)$")
    if not path then return fail("EPARSE", "what answers at %s is no browser", endpoint) end
    return ("ws://%s:%s%s"):format(host, port, path)
end

local function open(set, plan)
    local settings, options = plan.detail.settings, set.browser or {}
    local endpoint, message, err
    if settings.connect == "live" then
        endpoint, message, err = discover(set, settings.endpoint)
        if not endpoint then return nil, message, err end
    end
    local no_sandbox = options.no_sandbox
    if no_sandbox == nil then no_sandbox = os.getenv "SYMBI_BROWSER_NO_SANDBOX" == "1" end
    local b
    b, message, err = symio().browser(plan, { program = options.program, no_sandbox = no_sandbox, endpoint = endpoint })
    if not b then return nil, message, err end
    return { browser = b, close = function() b:close() end }
end

-- ---- one command --------------------------------------------------------------------------------------------------------------------

-- A request of a page to a host outside of its scope. The guard is the strict one: nothing of this machine's network, each address judged;
-- redirects go back to the browser, which asks again.
local function fetch(set, rq)
    local headers = {}
    for i, h in ipairs(rq.headers) do headers[i] = h end
    local r = set.transport.http { url = rq.url, method = rq.method, headers = headers, body = rq.body ~= "" and rq.body or nil, timeout_ms = 20000, max_bytes = 8 * 1024 * 1024,
        guard = core.netguard.policy { max_redirects = 0 } }
    if not r then return 0, {}, "" end
    return r.status, r.headers, r.body
end

local function wait(set, b)
    local due = b:due()
    local ms = math.max(1, math.min(due or 1000, 1000))
    local wants = b:wants()
    if wants == "" then return true end
    local up, message, err = set.transport.ready(b:fd(), wants, ms)
    if up == nil then return nil, message, err end
    return true
end

-- Until the command is over. nil, message, err when waiting failed.
local function drive(set, b)
    while true do
        local ok, message, err = b:step()
        if not ok then return nil, message, err end
        if b:done() then return true end
        local rq = b:wanted()
        if rq then
            b:fetched(rq.id, fetch(set, rq))
        else
            ok, message, err = wait(set, b)
            if not ok then return nil, message, err end
        end
    end
end

-- The picture goes where the plan says, in a folder of its own.
local function keep_picture(b, plan)
    local png, digest = b:picture()
    local path = plan.detail.picture
    if not png or not path then return nil end
    local ok, message, err = symio().mkdir(path:match("^(.*)/[^/]*$"), { mode = 448, parents = true }) -- 0700
    if ok then ok, message, err = symio().write_file(path, png, 384) end
    if not ok then return nil, message, err end
    return { sha256 = digest, bytes = #png }
end

-- What the command gave, as its hash is taken: the text, or the canonical JSON.
local function keep_content(raw, path)
    local content = raw.content
    if content == nil then return true end
    local ok, message, err
    if type(content) ~= "string" then
        content, message, err = core.json.canonical(content)
        if not content then return nil, message, err end
    end
    ok, message, err = symio().evidence_write(path, content)
    if not ok then return nil, message, err end
    raw.output_file = path
    return true
end

-- The secrets that the plan names, for the machine.
local function hand_over(set, b, plan)
    if #plan.secrets == 0 then return true end
    local values, message, err = require("symbi.io.backend.http").secrets(set, plan)
    if not values then return nil, message, err end
    for name, value in pairs(values) do
        local ok
        ok, message, err = b:secret(name, value)
        if not ok then return nil, message, err end
    end
    return true
end

-- The set's browser for this manifest, when no other command is using it.
local function acquire(set, plan)
    local key = "browser:" .. plan.detail.settings.tool
    local until_ms = symio().monotonic() + 60000
    while true do
        local held, message, err = set:keep(key, function() return open(set, plan) end)
        if not held then return nil, message, err end
        if held.browser:ended() and not held.busy then
            set:forget(key)
            held:close()
        elseif not held.busy then
            held.busy = true
            return held, key
        else
            if symio().monotonic() > until_ms then return fail("ETIMEOUT", "the browser is at work for somebody else") end
            set.transport.sleep(20)
        end
    end
end

local function release(set, held, key)
    held.busy = false
    if not held.browser:ended() then return end
    set:forget(key)
    held:close()
end

function M.perform(set, plan)
    if set.transport.kind == "ngx" then return fail("EUNSUPPORTED", "browser tools cannot run in an nginx worker: use the host (symbi-lua serve) for agents that browse") end
    local evidence = plan.detail.evidence
    if evidence then -- what cannot be kept is not done
        local ok, message, err = symio().evidence_prepare(evidence)
        if not ok then return nil, message, err end
    end
    local held, key, err = acquire(set, plan)
    if not held then return nil, key, err end
    local b, raw = held.browser, nil
    local ok, message
    ok, message, err = hand_over(set, b, plan)
    if not ok then
        release(set, held, key)
        return nil, message, err
    end
    ok, message, err = b:begin(plan)
    if ok then ok, message, err = drive(set, b) end
    if ok then raw, message, err = b:reply() end
    if raw then
        local shot, why = keep_picture(b, plan)
        local status = raw.status
        raw = require("symbi.secrets").redact(raw)
        raw.status, raw.screenshot = status, shot
        if why then raw.status, raw.error = "error", "the screenshot cannot be written: " .. why end
        if evidence then
            ok, why = keep_content(raw, evidence)
            if not ok then raw.status, raw.error = "error", "the evidence cannot be written: " .. why end
        end
        set.page_state = b:state()
    elseif ok == nil and not b:ended() then
        set:forget(key) -- waiting failed in the middle: nobody knows where it stands
        held:close()
        return nil, message, err
    end
    release(set, held, key)
    if not raw then return nil, message, err end
    return raw
end

return M
