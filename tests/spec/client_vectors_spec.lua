--- The client against what was recorded from the SDKs (shared vectors, rest/): calls, errors, URLs, configuration. Where ours differs on
-- purpose (rest-api.md: the "ours" lines), the difference stands here.
local core = require "symbi.core"
local symbi = require "symbi"
local json, null = symbi.json, symbi.null

local folder = (os.getenv "SYMBI_VECTORS" or "../shared/vectors") .. "/rest/"
assert(core.crypto.random(2)) -- fetched once per state

local function vectors(name)
    local f = io.open(folder .. name, "rb")
    if not f then return nil end
    local text = f:read "*a"
    f:close()
    return assert(json.decode(text, { bigint = "string" }))
end

local function same(a, b, extra_ok)
    if a == nil then a = null end
    if b == nil then b = null end
    if type(a) ~= "table" or type(b) ~= "table" then return a == b end
    for k, v in pairs(a) do if not same(v, b[k], extra_ok) then return false end end
    for k, v in pairs(b) do
        if a[k] == nil and v ~= null and not (extra_ok and type(k) == "string") then return false end
    end
    return true
end

local function single_prefix(path) return (path:gsub("^/api/v1/api/v1/", "/api/v1/")) end

-- name=value pairs as recorded, form-decoded
local function form(text)
    local out = {}
    for pair in text:gmatch "[^&]+" do
        local k, v = pair:match "^([^=]*)=(.*)$"
        local function plain(s) return (s:gsub("+", " "):gsub("%%(%x%x)", function(h) return string.char(tonumber(h, 16)) end)) end
        out[#out + 1] = plain(k) .. "=" .. plain(v)
    end
    table.sort(out)
    return table.concat(out, "&")
end

-- "schema" is what a tool has on the wire; the SDK's sending of it as tool_schema is a slip (rest-api.md 4.7)
local function canonical(body)
    if type(body) ~= "table" then return body end
    local out = {}
    for k, v in pairs(body) do out[k == "tool_schema" and "schema" or k] = canonical(v) end
    return core.is_array(body) and core.array(out) or out
end

local function arguments(call)
    local args, n = {}, #call.args
    for i, a in ipairs(call.args) do args[i] = type(a) == "table" and a["$model"] and a.value or a end
    if call.kwargs.input_data ~= nil then return { args[1], call.kwargs.input_data }, 2 end -- any value: given in its place
    local named = {}
    local any
    for k, v in pairs(call.kwargs) do
        named[k] = type(v) == "table" and v["$model"] and v.value or v
        any = true
    end
    if any then
        n = n + 1
        args[n] = named
    end
    return args, n
end

describe("recorded calls", function()
    it("are sent alike and answered alike", function()
        local file = vectors "client_calls.json"
        if not file then return pending "no vectors" end
        local wrong = {}
        for _, c in ipairs(file.cases) do
            local seen
            local want = single_prefix(c.request.path)
            local client = assert(symbi.client {
                api_key = "test-key", base_url = "http://server/api/v1", env = {}, dotenv = false, cron_passthrough = true,
                transport = function(rq)
                    local path, query = rq.url:match "^http://server([^?]*)%??(.*)$"
                    if rq.method ~= c.request.method or path ~= want then return { status = 404, headers = {}, body = "" } end
                    seen = { query = query, body = rq.body, headers = {} }
                    for _, h in ipairs(rq.headers) do seen.headers[h[1]] = h[2] end
                    local body = c.response.body
                    return { status = c.response.status, headers = {}, body = c.response.status == 204 and "" or json.encode(body) }
                end,
            })
            local target = c.call.target == "client" and client or client[c.call.target]
            local args, n = arguments(c.call)
            local function note(text) wrong[#wrong + 1] = c.id .. ": " .. text end
            if not target[c.call.method] then note "no such method"
            else
                local value, message, err = target[c.call.method](target, (table.unpack or unpack)(args, 1, n))
                if not seen then note("not sent: " .. tostring(message))
                else
                    local query = seen.query
                    if c.call.method == "list_agents" then query = query:gsub("format=objects", "") end
                    if form(query) ~= form(c.request.raw_query) then note("query " .. query) end
                    local body = seen.body and json.decode(seen.body)
                    if not same(canonical(c.request.body_json), canonical(body)) then note("body " .. tostring(seen.body)) end
                    if seen.headers.Authorization ~= c.request.headers.Authorization then note "Authorization" end
                    if (seen.headers["Content-Type"] ~= nil) ~= (seen.body ~= nil) then note "Content-Type" end
                    if err then note("failed: " .. tostring(message))
                    elseif c.returns == null then
                        if value ~= true then note "should be true" end
                    elseif not same(c.returns, value, true) then note(json.encode(c.returns) .. " is " .. json.encode(value)) end
                end
            end
        end
        assert.same({}, wrong)
    end)
end)

describe("recorded failures", function()
    it("are told by the same classes", function()
        local file = vectors "error_mapping.json"
        if not file then return pending "no vectors" end
        local wrong = {}
        for _, c in ipairs(file.cases) do
            local sent, sleeps, clock = 0, {}, 0
            local client = assert(symbi.client {
                api_key = "k", base_url = "http://server/api/v1", max_retries = c.max_retries, timeout = 600, env = {}, dotenv = false,
                refresh = c.tokens ~= "api_key" and function()
                    if c.tokens == "ok" then return "new-token" end
                    return nil, "refused"
                end or nil,
                transport = {
                    now = function() return clock end,
                    sleep = function(ms)
                        sleeps[#sleeps + 1] = ms / 1000
                        clock = clock + ms / 1000
                        return true
                    end,
                    request = function()
                        if c.server_script == "connection refused" then return nil, "refused", core.error("EIO", "refused", { reason = "refused" }) end
                        sent = sent + 1
                        local s = c.server_script[sent] or c.server_script[#c.server_script]
                        if s.status == "close" then return nil, "reset", core.error("EIO", "reset", { reason = "reset" }) end
                        local headers = {}
                        for k, v in pairs(s.headers) do headers[#headers + 1] = { k, v } end
                        return { status = s.status, headers = headers, body = s.status == 304 and "" or s.body }
                    end,
                },
            })
            local value, message, err = client:request(c.method, "x")
            local py = c.python_sdk_1_10
            local function note(text) wrong[#wrong + 1] = c.id .. ": " .. text end
            local requests, pauses = c.requests_seen, c.sleeps_seconds
            local reset = type(c.server_script) == "table" and c.server_script[1].status == "close"
            local ok, name, text = py.ok, py.exception, py.message
            if c.method == "POST" and reset then ok, name, requests, pauses = false, "ConnectionError", 1, {} -- may have been processed: never again
            elseif type(c.server_script) == "table" and py.exception == "AuthenticationExpiredError" and c.tokens == "ok" then requests = math.min(requests, 2) -- one refresh
            elseif py.exception == "TypeError" then
                if type(c.server_script) == "table" and c.server_script[1].status == 403 then name, text = "PermissionDeniedError", "Insufficient permissions for this operation"
                else name, text = "APIError", nil end
            end
            if ok then
                if value == nil then note("failed: " .. tostring(message)) end
            elseif value ~= nil then note "should fail"
            else
                if not err:is(name) then note(tostring(err) .. " is no " .. name) end
                if type(text) == "string" and text ~= message then note(message) end
                if type(py.status_code) == "number" and name == py.exception and err.status_code ~= py.status_code then note "status_code" end
                if type(py.response_text) == "string" and err.response_text ~= py.response_text then note "response_text" end
            end
            if sent ~= requests then note(sent .. " requests, not " .. requests) end
            if #sleeps ~= #pauses then note(#sleeps .. " pauses") end
            for i, s in ipairs(pauses) do
                if sleeps[i] and (sleeps[i] < s or sleeps[i] > s * 1.26) then note("pause of " .. sleeps[i]) end
            end
        end
        assert.same({}, wrong)
    end)
end)

describe("recorded URLs", function()
    it("are joined as JS does, and as Python where the base has a path of its own", function()
        local file = vectors "url_join.json"
        if not file then return pending "no vectors" end
        local wrong = {}
        for _, c in ipairs(file.cases) do
            local path = c.base_url:match "^%a+://[^/]*(.*)$":gsub("/+$", "")
            local ours = path == "" or path:find "/api/v1$"
            local want = ours and c.js_1_14 or c.py_1_14_4
            local got, message = symbi.wire.endpoint(c.base_url, c.endpoint)
            if got ~= want then wrong[#wrong + 1] = c.id .. ": " .. want .. " is " .. tostring(got or message) end
        end
        assert.same({}, wrong)
    end)
end)

-- ---- configuration ----------------------------------------------------------------------------------------------------------------

local function write(path, text)
    local f = assert(io.open(path, "wb"))
    f:write(text)
    f:close()
end

-- The few forms of Python in `action`.
local function act(c, dir)
    local function where(name) return dir .. "/" .. name end
    local options = { env = c.env, dotenv = type(c.dotenv) == "string" and where ".env" or false }
    local a = c.action
    local inside = a:match "Client%((.-)%)"
    if inside then
        options.api_key = inside:match 'api_key="([^"]*)"'
        options.base_url = inside:match 'base_url="([^"]*)"'
        local file, map = inside:match '^"([^"]+)"', inside:match "^(%b{})"
        options.config = file and where(file) or map and assert(json.decode(map))
        local client, message, err = symbi.client(options)
        if not client then return nil, message, err end
        if a:find "reload_configuration" then assert(client:reload_configuration()) end
        local t = client.manager:to_dict(true)
        client:close()
        return t
    end
    local m = symbi.config.manager(options)
    if a:find "get_config%(%)" and not a:find "load" then return m:get_config() end
    local file = a:match "m%.load%(['\"]([^'\"]+)['\"]%)"
    local ok, message, err = m:load(file and where(file) or nil)
    if not ok then return nil, message, err end
    local save, format, rest = a:match 'save_to_file%("([^"]+)"(.-)%)(.*)$'
    if save then
        local exclude = not format:find "exclude_secrets=False"
        ok, message, err = m:save_to_file(where(save), format:match '"(%w+)"' or "yaml", exclude)
        if not ok then return nil, message, err end
        if rest:find "load" then
            m = symbi.config.manager(options)
            assert(m:load(where(save)))
        end
    end
    return m:to_dict(true), m
end

-- Ours: .env is read for the sections, too, where the environment says nothing.
local SECTION = { AUTH = "auth", DB = "database", VECTOR = "vector", LOGGING = "logging" }
local function dotenv_sections(c, want)
    if type(c.dotenv) ~= "string" then return end
    for key, value in c.dotenv:gmatch "([%w_]+)=([^\n]*)" do
        local section, name = key:upper():match "^SYMBIONT_(%u+)_([%u_]+)$"
        local t = section and SECTION[section] and want[SECTION[section]]
        if type(t) == "table" and t[name:lower()] ~= nil and not c.env[key:upper()] and not c.env[key:lower()] then
            local old = t[name:lower()]
            value = value:match '^"(.*)"$' or value:match "^'(.*)'$" or value
            if type(old) == "boolean" then value = value:lower() == "true" or value == "1" or value:lower() == "on" or value:lower() == "yes"
            elseif type(old) == "number" then value = tonumber(value) end
            t[name:lower()] = value
        end
    end
end

describe("recorded configurations", function()
    it("come out alike", function()
        local file = vectors "config.json"
        if not file then return pending "no vectors" end
        local wrong = {}
        for _, c in ipairs(file.cases) do
            local dir = os.tmpname()
            os.remove(dir)
            assert(symbi.io.mkdir(dir))
            if type(c.dotenv) == "string" then write(dir .. "/.env", c.dotenv) end
            for name, text in pairs(c.files) do write(dir .. "/" .. name, text) end
            local got, message, err = act(c, dir)
            local again
            if c.action:find "reload" then -- what the same sources give without a reload
                local plain = {}
                for k, x in pairs(c) do plain[k] = x end
                plain.action = c.action:gsub("[%a_]+%.reload[%w_]*%(%);?%s*", "")
                again = act(plain, dir)
            end
            assert(symbi.io.remove_tree(dir))
            local function note(text) wrong[#wrong + 1] = c.id .. ": " .. text end
            local e = c.error
            if e then
                local text = type(e.message) == "string" and e.message or ""
                local foreign = type(e.errors) == "table" and type(c.dotenv) == "string" -- keys of .env that the SDK does not know
                for _, x in ipairs(foreign and e.errors or {}) do
                    foreign = foreign and x.type == "extra_forbidden" and #x.loc == 1 and c.dotenv:lower():find(tostring(x.loc[1]):lower(), 1, true) ~= nil
                end
                if text:find "JWT secret key" or foreign or c.action:find "Client%(%{" then -- ours: not an error
                    if not got then note("refused: " .. message) end
                elseif got then note "should fail"
                else
                    if not err:is "ConfigurationError" then note(tostring(err)) end
                    local head = text:match "^(Invalid %a+ in config file: )" or text:match "^Unsupported.*" or text:match "^Configuration not loaded.*"
                    if head and message:sub(1, #head) ~= head then note(message) end
                    for _, secret in ipairs { "SECRET", "zz" } do if message:find(secret, 1, true) then note "tells a value" end end
                end
            elseif type(c.config) == "table" then
                local want = c.config
                if got then dotenv_sections(c, want) end
                if got and c.action:find "reload" then want = again end -- ours: reload reads the same sources
                if not got then note("refused: " .. message)
                elseif not same(want, got) then note(json.encode(want) .. " is " .. json.encode(got)) end
            end
        end
        assert.same({}, wrong)
    end)
end)
