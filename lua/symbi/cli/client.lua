--- symbi-lua client METHOD [ARGUMENT...]: any method of symbi.client from the shell. Words become arguments, the answer becomes a table for people
-- or JSON for programs; what is shown of a request never has the key in it.
local args_of = require "symbi.cli.args"
local as_json = args_of.json
local safe = args_of.safe

local M = {}

local usage = [[
usage: symbi-lua client METHOD [ARGUMENT...] [options]
       symbi-lua client methods [WORD] [--json]
       symbi-lua client request VERB PATH [JSON] [options]

METHOD is a method of symbi.client: health_check, get_agent_status, schedules.list, ... ("methods" lists them all, or those with WORD in
their name). Arguments are given in order, or all by name as one JSON object; - reads JSON from standard input. request sends
anything: client request GET agents/agent-1/status

  --json                 print the answer as JSON, errors too ({"error": {...}})
  --dry-run              print the request instead of sending it; the key is not shown
  --base-url URL         the server (default: SYMBIONT_BASE_URL, .env, http://localhost:8080/api/v1)
  --config FILE          settings from a YAML or JSON file
  --timeout SECONDS      for the whole call      --retries N           when no connection comes about
  --strict               answers of another shape are errors
  --idempotency-key KEY  the server may be asked twice
  --proxy URL            or "environment"        --unix-socket PATH    --http-version 1.1|2
  --ca-file FILE         --ca-path DIR           --client-cert FILE    --client-key FILE

The key is SYMBIONT_API_KEY (environment, .env or --config), never an argument: arguments are seen by everybody.
Exit status: 0 done, 1 the call failed, 2 the command or its arguments are wrong, 3 the server refuses (401, 403).]]

-- Options that say which server and how to reach it; also those of status and doctor.
M.server_options = {
    ["base-url"] = "text", config = "text", timeout = "number", retries = "number", proxy = "text", ["ca-file"] = "text", ["ca-path"] = "text",
    ["client-cert"] = "text", ["client-key"] = "text", ["unix-socket"] = "text", ["http-version"] = "text", json = "flag",
}

-- ---- the client ---------------------------------------------------------------------------------------------------------------------

--- A client as the options say; nil and a message when they make no sense. transport: instead of the network.
function M.connect(o, transport)
    local options = { raise = false, transport = transport, config = o.config, base_url = o["base-url"], timeout = o.timeout, max_retries = o.retries, dotenv = o.dotenv, env = o.env }
    for name, option in pairs { proxy = "proxy", ca_file = "ca-file", ca_path = "ca-path", client_cert = "client-cert", client_key = "client-key", unix_socket = "unix-socket", http_version = "http-version" } do
        options[name] = o[option]
    end
    if o.strict then options.validation_mode = "strict" end
    options.log = function(level, text) io.stderr:write("symbi-lua: ", level, ": ", safe(text, 400), "\n") end
    local ok, client, message, err = pcall(require("symbi").client, options)
    if not ok then return require("symbi.errors").fail("ConfigurationError", (tostring(client):gsub("^symbi%.client: ", ""))) end
    return client, message, err
end

-- ---- methods ------------------------------------------------------------------------------------------------------------------------

local EXTRA = { get_configuration = "the settings in force, without secrets" }

-- The row of a method's name: full, alias, or flat where only one group has it.
local function find(name)
    local api = require "symbi.api"
    if api.by_name[name] then return api.by_name[name] end
    local found
    for _, e in ipairs(api.endpoints) do
        if e.group and (name == e.group .. "." .. (e.alias or e.name) or (name == e.name and not e.apart)) then found = found or e end
    end
    return found
end

local function signature(e)
    local out = {}
    for _, a in ipairs(e.args) do
        out[#out + 1] = a.required and a.name or "[" .. a.name .. "]"
    end
    return table.concat(out, " ")
end

-- How many letters differ.
local function distance(a, b)
    local row = {}
    for j = 0, #b do row[j] = j end
    for i = 1, #a do
        local diagonal = row[0]
        row[0] = i
        for j = 1, #b do
            local up = row[j]
            row[j] = math.min(up + 1, row[j - 1] + 1, diagonal + (a:byte(i) == b:byte(j) and 0 or 1))
            diagonal = up
        end
    end
    return row[#b]
end

local function nearest(word)
    local best, least = nil, #word / 3 + 1
    if #word > 60 then return nil end
    for _, e in ipairs(require("symbi.api").endpoints) do
        for _, name in ipairs { e.name, e.full, e.alias and e.group .. "." .. e.alias } do
            local d = distance(word, name)
            if d < least then best, least = name, d end
        end
    end
    return best
end

local function methods(o)
    local api, symbi, summaries = require "symbi.api", require "symbi", require "symbi.api.summaries"
    local rows, list, word = {}, symbi.array {}, o.rest[1]
    if #o.rest > 1 then return args_of.misuse("client", usage, "methods takes one word at most") end
    for _, e in ipairs(api.endpoints) do
        if not word or e.full:find(word, 1, true) then
            local summary = summaries[e.full] or summaries[e.name]
            local args = symbi.array {}
            for i, a in ipairs(e.args) do args[i] = { name = a.name, required = a.required or false, type = a.model or a.type.text } end
            list[#list + 1] = { name = e.full, alias = e.alias and e.group .. "." .. e.alias or nil, method = e.method, path = e.path, arguments = args, gives = e.gives, summary = summary, since = e.since, runtime = api.in_runtime(e) }
            rows[#rows + 1] = { e.full, signature(e), summary }
        end
    end
    if o.json then
        print(as_json(list))
        return 0
    end
    if #rows == 0 then return nil, "no method has '" .. safe(word, 60) .. "' in its name" end
    args_of.print_table({ "METHOD", "ARGUMENTS", "WHAT IT DOES" }, rows)
    return 0
end

-- ---- arguments ----------------------------------------------------------------------------------------------------------------------

local function decode(text, where)
    local value, message = require("symbi").json.decode(text)
    if value == nil then return nil, where .. " is not JSON: " .. tostring(message) end
    return value
end

-- What the words mean, in the order of e.args; a list with n, or nil and a message.
local function arguments(e, words)
    local out = { n = 0 }
    for i, word in ipairs(words) do
        local value, message
        local a = e and e.args[i]
        if word == "-" then
            local text = io.stdin:read(2 ^ 24 + 1) or ""
            if #text > 2 ^ 24 then return nil, "standard input holds more than 16 MiB" end
            value, message = decode(text, "standard input")
            if value == nil then return nil, message end
        elseif word:find "^%s*[{%[]" then
            value, message = decode(word, "'" .. safe(word, 60) .. "'")
            if value == nil then return nil, message end
        elseif a and a.type and (a.type.kind == "str" or a.where == "path") then
            value = word
        else
            value = decode(word, "")
            if value == nil then value = word end
        end
        out[i], out.n = value, i
    end
    return out
end

-- ---- what comes back ------------------------------------------------------------------------------------------------------------------

local function text_of(value)
    local symbi = require "symbi"
    if value == symbi.null then return "-" end
    if type(value) == "table" then
        local text = symbi.json.encode(value)
        return text and safe(text, 100) or "?"
    end
    if type(value) == "number" and value % 1 == 0 and math.abs(value) < 2 ^ 53 then return string.format("%d", value) end
    return safe(tostring(value), 200)
end

local FIRST = { id = 1, job_id = 1, agent_id = 2, name = 3, status = 4, state = 5 } -- what a person looks for first

local function sorted_keys(t)
    local keys = {}
    for k in pairs(t) do keys[#keys + 1] = tostring(k) end
    table.sort(keys, function(a, b)
        local x, y = FIRST[a] or 9, FIRST[b] or 9
        if x ~= y then return x < y end
        return a < b
    end)
    return keys
end

local function print_list(list)
    if #list == 0 then return print "(none)" end
    local seen, objects = {}, true
    for _, row in ipairs(list) do
        if type(row) ~= "table" or require("symbi.core").is_array(row) then objects = false
        else for k in pairs(row) do seen[k] = true end end
    end
    if not objects then
        for _, v in ipairs(list) do print(text_of(v)) end
        return
    end
    local keys, rows, titles = sorted_keys(seen), {}, {}
    while #keys > 8 do keys[#keys] = nil end
    for i, k in ipairs(keys) do titles[i] = safe(k, 40):upper() end
    for i, row in ipairs(list) do
        rows[i] = {}
        for j, k in ipairs(keys) do rows[i][j] = row[k] == nil and "" or text_of(row[k]):sub(1, 60) end
    end
    args_of.print_table(titles, rows)
end

local function show(value)
    local core = require "symbi.core"
    if value == true then print "done"
    elseif type(value) ~= "table" then print(text_of(value))
    elseif core.is_array(value) or #value > 0 then print_list(value)
    else
        local width, keys, lists = 0, sorted_keys(value), {}
        for _, k in ipairs(keys) do width = math.max(width, math.min(#safe(k, 40), 40)) end
        for _, k in ipairs(keys) do
            local v = value[k]
            if type(v) == "table" and core.is_array(v) and type(v[1]) == "table" then lists[#lists + 1] = k
            else print((safe(k, 40) .. (" "):rep(width)):sub(1, math.max(width, 1)) .. "  " .. text_of(v)) end
        end
        for _, k in ipairs(lists) do
            print("\n" .. safe(k, 40) .. ":")
            print_list(value[k])
        end
    end
end

--- An error of the client as a plain table for JSON.
function M.error_table(err, message)
    if type(err) ~= "table" then return { name = "SymbiontError", message = tostring(message) } end
    return { name = err.name, message = err.message, code = err.code, status = err.status_code, details = err.details, retry_after = err.retry_after, request = err.request, reason = type(err.reason) == "string" and err.reason or nil }
end

--- Reports a failure; the exit status.
function M.failed(o, message, err)
    local status = 1
    if type(err) == "table" and err.is then
        if err:is "AuthenticationError" or err:is "PermissionDeniedError" then status = 3 end
        if (err:is "ValidationError" and not err.status_code) or err:is "ConfigurationError" then status = 2 end
    end
    if o.json then
        print(require("symbi").json.encode { error = M.error_table(err, message) })
        return status
    end
    io.stderr:write("symbi-lua: ", type(err) == "table" and err.name and err.name .. ": " or "", safe(message, 1000), "\n")
    if type(err) == "table" then
        local server = err.server_message
        if server then io.stderr:write("  the server says: ", safe(server, 500), err.code and " [" .. safe(err.code, 60) .. "]" or "", "\n") end
        if err.request then io.stderr:write("  request: ", safe(err.request.method, 20), " ", safe(err.request.url, 300), "\n") end
        if err.retry_after then io.stderr:write("  try again in ", safe(err.retry_after, 20), " s\n") end
        if err.reason == "refused" then io.stderr:write("  start the server, or name another one: --base-url, SYMBIONT_BASE_URL\n") end
        if err.name == "AuthenticationError" then io.stderr:write("  set SYMBIONT_API_KEY to a key of this server\n") end
    end
    return status
end

-- The request as it would be sent, without the key.
local function dry(o, rq, key_header)
    local symbi = require "symbi"
    local secret = { authorization = true, ["proxy-authorization"] = true, cookie = true, [key_header:lower()] = true }
    local headers = {}
    for i, h in ipairs(rq.headers) do
        local value = h[2]
        if secret[h[1]:lower()] then value = value:find "^Bearer " and "Bearer (not shown)" or "(not shown)" end
        headers[i] = { h[1], value }
    end
    if o.json then
        local t = {}
        for _, h in ipairs(headers) do t[h[1]] = h[2] end
        print(as_json { method = rq.method, url = rq.url, headers = t, body = rq.body and symbi.json.decode(rq.body, { bigint = "string" }) or nil })
        return 0
    end
    print(rq.method .. " " .. safe(rq.url, 4000))
    for _, h in ipairs(headers) do print(safe(h[1], 200) .. ": " .. safe(h[2], 1000)) end
    if rq.body then
        local value = symbi.json.decode(rq.body, { bigint = "string" })
        print("\n" .. (value ~= nil and symbi.json.encode(value, { pretty = true }) or rq.body))
    end
    return 0
end

-- ---- the call -------------------------------------------------------------------------------------------------------------------------

local function invoke(client, name, e, given)
    if name == "request" then
        if type(given[1]) ~= "string" or type(given[2]) ~= "string" then return nil, "request needs a verb and a path" end
        return client:request(given[1], given[2], { body = given[3] })
    end
    local home = e.group and client[e.group] or client
    return home[e.name](home, require("symbi.compat").unpack(given, 1, given.n))
end

function M.main(argv)
    local flags = { ["dry-run"] = "flag", strict = "flag", ["idempotency-key"] = "text", rest = "ARGUMENT" }
    for k, v in pairs(M.server_options) do flags[k] = v end
    local commands = setmetatable({}, { __index = function(_, word) return not word:find "^%-" and flags or nil end })
    local o, name = args_of.parse("client", usage, commands, argv)
    if not o then return name end
    if name == "methods" then return methods(o) end
    local e = find(name)
    if not e and name ~= "request" and not EXTRA[name] then
        local hint = nearest(name)
        return args_of.misuse("client", "symbi-lua client methods lists them", "there is no method '" .. safe(name, 60) .. "'" .. (hint and "; did you mean '" .. hint .. "'?" or ""))
    end
    local given, message, err
    given, message = arguments(e, o.rest)
    if not given then return args_of.misuse("client", "symbi-lua client --help tells how arguments are given", message) end
    if name == "request" and (type(given[1]) ~= "string" or type(given[2]) ~= "string" or given.n > 3) then
        return args_of.misuse("client", usage, "request takes a verb, a path and perhaps a body in JSON")
    end
    local caught
    local transport = o["dry-run"] and function(rq)
        caught = caught or rq
        return nil, "not sent", { reason = "cancelled" }
    end or nil
    local client
    client, message, err = M.connect(o, transport)
    if not client then return M.failed(o, message, err) end
    if name == "get_configuration" then
        local t
        t, message, err = client.manager:to_dict()
        if not t then return M.failed(o, message, err) end
        if o.json then print(as_json(t)) else show(t) end
        return 0
    end
    local caller = o["idempotency-key"] and client:with { idempotency_key = o["idempotency-key"] } or client
    local value
    value, message, err = invoke(caller, name, e, given)
    local status
    if caught then status = dry(o, caught, client.config.auth.api_key_header or "Authorization")
    elseif value == nil then status = M.failed(o, message, err)
    elseif o.json then
        local text, why = require("symbi").json.encode(value)
        if text then
            print(text)
            status = 0
        else
            status = M.failed(o, why)
        end
    else
        show(value)
        status = 0
    end
    client:close()
    return status
end

return M
