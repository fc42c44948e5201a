--- symbi.webhook: who sent this request? Verification of inbound webhooks over the raw body (symbi/webhook.h has the rules; C decides),
-- and the shapes of invocation requests and answers.
--
--   v = webhook.provider("github", secret)                    also "stripe", "slack", "standard", "custom"
--   v = webhook.hmac{ secret =, header = "X-Signature", prefix = "v1=" }
--   v = webhook.jwt{ secret =, header = "Authorization", issuer =, audience = }
--   info, message, err = v:verify(headers, body[, now])       err.reason tells which of webhook.reasons it was, err.header_name where
--
-- secrets = {...} instead of secret: each is tried (rotation). replay = true refuses what was accepted before; v:use_store(store) keeps
-- that through a restart. info.delivery, info.timestamp, info.claims: what was found.
local core = require "symbi.core"

local M = { reasons = core.webhook.reasons }

-- ---- verifiers ------------------------------------------------------------------------------------------------------------

-- header_name and required_issuer are the SDK's names of header and issuer.
local function with(options, fields)
    local o = {}
    for k, v in pairs(options or {}) do o[k] = v end
    if o.header_name ~= nil then o.header, o.header_name = o.header or o.header_name, nil end
    if o.required_issuer ~= nil then o.issuer, o.required_issuer = o.issuer or o.required_issuer, nil end
    for k, v in pairs(fields) do o[k] = v end
    return o
end

--- An HMAC-SHA256 in a header, in hex after the prefix. timestamp_header and payload = "{timestamp}.{body}" for senders that sign a
-- time.
function M.hmac(options) return core.webhook.new(with(options, { scheme = "hmac" })) end

--- An HS256 token in a header, with or without "Bearer ". It does not cover the body.
function M.jwt(options) return core.webhook.new(with(options, { scheme = "jwt" })) end

local headers = {
    github = "X-Hub-Signature-256", stripe = "Stripe-Signature", slack = "X-Slack-Signature", custom = "X-Signature", standard = "webhook-signature",
}
local prefixes = { github = "sha256=", slack = "v0=" }
local Provider = {}
Provider.__index = Provider

--- provider:verifier(secret[, options]): as webhook.provider(name, secret, options).
function Provider:verifier(secret, options)
    if type(secret) == "table" and secret.secret ~= nil then secret = secret.secret end -- verifier{secret = "..."}
    local fields = { scheme = self.name }
    fields[type(secret) == "table" and "secrets" or "secret"] = secret
    return core.webhook.new(with(options, fields))
end

--- The scheme of a service: provider("github", secret[, options]) is a verifier, provider "github" the preset, which makes verifiers
-- with :verifier(secret). legacy = true computes Stripe's and Slack's signatures as today's Symbiont SDKs do (no genuine request
-- has them).
function M.provider(name, secret, options)
    local key = type(name) == "string" and name:lower()
    if not headers[key] then error("symbi.webhook.provider: \"github\", \"stripe\", \"slack\", \"standard\" or \"custom\" is expected, got " .. tostring(name), 2) end
    local p = setmetatable({ name = key, header_name = headers[key], prefix = prefixes[key] }, Provider)
    if secret == nil then return p end
    return p:verifier(secret, options)
end

M.GITHUB, M.STRIPE, M.SLACK, M.CUSTOM = M.provider "github", M.provider "stripe", M.provider "slack", M.provider "custom"

--- A verifier from {provider=, secret= or secrets=, header_name=, required_issuer=}, as configurations have it; options as above.
-- required_issuer asks for a token, whatever the provider.
function M.from_config(config, options)
    local fields = { secret = config.secret, secrets = config.secrets }
    if config.required_issuer and config.required_issuer ~= core.null then
        fields.scheme, fields.issuer = "jwt", config.required_issuer
    else
        fields.scheme = type(config.provider) == "string" and headers[config.provider:lower()] and config.provider:lower() or "custom"
    end
    if config.header_name and config.header_name ~= core.null then
        if fields.scheme ~= "jwt" and config.header_name:lower() ~= headers[fields.scheme]:lower() then
            fields.prefix = prefixes[fields.scheme]
            fields.scheme = "hmac"
        end
        if fields.scheme == "jwt" or fields.scheme == "hmac" then fields.header = config.header_name end
    end
    return core.webhook.new(with(options, fields))
end

-- ---- nginx ----------------------------------------------------------------------------------------------------------------

local STATUS = { REPLAYED = 409, DELIVERED = 409, BODY_TOO_LONG = 413, HEADER_TOO_LONG = 431, REPLAY_FULL = 503, REPLAY_STORE = 503, NONE = 500 }

--- The HTTP status that answers a refusal: 401 unless it is about something else than the signature.
function M.status(err)
    return err and STATUS[err.reason] or 401
end

-- luacheck: globals ngx
local function answer(status, code, message)
    ngx.status = status
    ngx.header["Content-Type"] = "application/json"
    if status == 401 then ngx.header["WWW-Authenticate"] = "Signature" end
    ngx.say(core.json.encode { error = message, code = code, status = status })
    return ngx.exit(status)
end

--- For access_by_lua: verifies the request, or answers it and ends it there. dict: the name of a lua_shared_dict that all workers share,
-- for a verifier with replay or delivery (its own memory is one worker's). Returns info, which stands in ngx.ctx.webhook too.
-- The body must fit into client_body_buffer_size: what nginx wrote to a file is not read back, because that would block.
function M.access(verifier, options)
    options = options or {}
    local dict = options.dict and ngx.shared[options.dict]
    if options.dict and not dict then error("symbi.webhook.access: there is no lua_shared_dict " .. options.dict, 2) end
    ngx.req.read_body()
    local body = ngx.req.get_body_data()
    if not body then
        if ngx.req.get_body_file() then
            ngx.log(ngx.ERR, "webhook: the body went to a file; client_body_buffer_size must be at least client_max_body_size")
            return answer(413, "BODY_TOO_LONG", "the body is larger than this server takes")
        end
        body = ""
    end
    local fields, cut = ngx.req.get_headers(100, true)
    if cut == "truncated" then return answer(431, "HEADER_TOO_LONG", "too many headers") end
    local info, message, err = verifier:verify(fields, body, options.now and options.now() or nil)
    if not info then return answer(M.status(err), err.reason, message) end
    if dict and info.key then
        local ok, why = dict:safe_add("webhook:" .. info.key, true, math.max(1, info.keep_until - ngx.time()))
        if not ok and why == "exists" then return answer(409, "REPLAYED", "the request was accepted before") end
        if not ok then return answer(503, "REPLAY_FULL", "the replay cache is full") end
    end
    ngx.ctx.webhook = info
    return info
end

-- ---- invocation requests and answers -----------------------------------------------------------------------------------------

M.status_values = { EXECUTION_STARTED = "execution_started", COMPLETED = "completed" }

local function invalid(...)
    local message = string.format(...)
    return nil, message, core.error("ESCHEMA", message, { name = "ValidationError" })
end

--- A request body: {prompt=, message=, system_prompt=, ...}; other fields pass through. system_prompt has at most 4096 bytes.
function M.invocation(fields)
    if type(fields) ~= "table" then error("symbi.webhook.invocation: a table is expected", 2) end
    local out = {}
    for k, v in pairs(fields) do
        if type(k) ~= "string" then return invalid("the names of fields are strings") end
        out[k] = v
    end
    for _, k in ipairs { "prompt", "message", "system_prompt" } do
        if out[k] == core.null then out[k] = nil end
        if out[k] ~= nil and type(out[k]) ~= "string" then return invalid("%s must be a string", k) end
    end
    if out.system_prompt and #out.system_prompt > 4096 then return invalid("system_prompt has %d bytes; 4096 are the most", #out.system_prompt) end
    return out
end

local function want(t, name, kind)
    local v = t[name]
    if v == nil or v == core.null then return invalid("%s is missing", name) end
    if kind == "integer" then
        if type(v) ~= "number" or v % 1 ~= 0 then return invalid("%s must be an integer", name) end
    elseif type(v) ~= kind then
        return invalid("%s must be a %s", name, kind)
    end
    return v
end

local shapes = {
    execution_started = { { "agent_id", "string" }, { "message_id", "string" }, { "latency_ms", "integer" }, { "timestamp", "string" } },
    completed = { { "agent_id", "string" }, { "response", "string" }, { "model", "string" }, { "provider", "string" }, { "latency_ms", "integer" }, { "timestamp", "string" } },
}

local function tool_runs(list)
    if list == nil or list == core.null then return core.array {} end
    if type(list) ~= "table" then return invalid("tool_runs must be a list") end
    local out = core.array {}
    for i, run in ipairs(list) do
        if type(run) ~= "table" then return invalid("tool_runs: item %d must be an object", i) end
        for _, name in ipairs { "tool", "output_preview" } do
            if type(run[name]) ~= "string" then return invalid("tool_runs: item %d: %s must be a string", i, name) end
        end
        local input = run.input
        if input == nil or input == core.null then input = core.object {} end
        if type(input) ~= "table" or core.is_array(input) then return invalid("tool_runs: item %d: input must be an object", i) end
        out[i] = { tool = run.tool, input = input, output_preview = run.output_preview }
    end
    return out
end

--- An answer of the HTTP input endpoint, from JSON text or a table: the checked copy, with kind = status ("execution_started" when a
-- running agent took the message, "completed" when a loop answered). An unknown status is an error.
function M.parse_response(response)
    local t = response
    if type(t) == "string" then
        local message, err
        t, message, err = core.json.decode(t)
        if t == nil then return nil, message, err end
    end
    if type(t) ~= "table" or core.is_array(t) then return invalid("an answer is an object") end
    local shape = shapes[t.status]
    if not shape then return invalid("status must be \"execution_started\" or \"completed\", not %s", tostring(t.status)) end
    local out = { status = t.status, kind = t.status }
    for _, f in ipairs(shape) do
        local v, message, err = want(t, f[1], f[2])
        if v == nil then return nil, message, err end
        out[f[1]] = v
    end
    if t.status == "completed" then
        local list, message, err = tool_runs(t.tool_runs)
        if not list then return nil, message, err end
        out.tool_runs = list
        if type(t.termination_reason) == "string" or type(t.termination_reason) == "table" then out.termination_reason = t.termination_reason end
        if type(t.iterations) == "number" then out.iterations = t.iterations end
    end
    return out
end

return M
