--- The executor of HTTP tools. What is sent was decided in C (symbi/tool_request.h); here the secrets that it names are looked up, the
-- request goes through the transport with the network guard on, and the answer is handed back without any of them.
--   options of the transports (and of symbi.runtime): secrets = function(name) or a store of symbi.secrets; allow_private_hosts = {"10.0.0.7", "*.corp.example"}
-- A secret is looked for there first, then in the environment as TOOLCLAD_SECRET_<NAME>. No redirect is followed.
local core = require "symbi.core"

local M = {}
local now_ms = core.toolrequest.now_ms

local function fail(code, ...)
    local message = string.format(...)
    return nil, message, core.error(code, message)
end

-- A refusal ends the search; only what is not there is looked for elsewhere.
local function look_up(from, name)
    if from ~= nil then
        local value, message, err
        if type(from) == "function" then value, message, err = from(name) else value, message, err = from:get(name) end
        if value ~= nil and type(value) ~= "string" then return fail("ESCHEMA", "secret '%s': a text was expected, got %s", name, type(value)) end
        if value ~= nil and value ~= "" then return value end
        if value == nil and message ~= nil and not (err and err.code == "ENOTFOUND") then return nil, message, err end
    end
    local value = os.getenv("TOOLCLAD_SECRET_" .. name:upper())
    if value ~= nil and value ~= "" then return value end
    return fail("ENOTFOUND", "Secret '%s' not found (set TOOLCLAD_SECRET_%s)", name, name:upper())
end

--- The values of the secrets that a plan names: {NAME = value}. What was found is left out of texts from then on.
function M.secrets(set, plan)
    local found, shared = {}, core.secrets.shared()
    for _, name in ipairs(plan.secrets) do
        local value, message, err = look_up(set.secrets, name)
        if value == nil then return nil, message, err end
        local ok
        ok, message, err = shared:add(value)
        if not ok then return nil, message, err end
        found[name] = value
    end
    return found
end

-- One policy for all requests of the set.
local function guard(set)
    return set:keep("http guard", function()
        return core.netguard.policy { allow = set.allow_private_hosts, max_redirects = 0 }
    end)
end

-- What the transport could not do, as the envelope tells it. Being interrupted is nobody's result.
local function failed(started, message, err)
    if err and err.code == "EABORT" then return nil, message, err end
    return { started_ms = started, duration_ms = math.max(0, now_ms() - started), error = require("symbi.secrets").redact(tostring(message)), timed_out = err and err.code == "ETIMEOUT" or nil }
end

function M.perform(set, plan)
    local secrets, policy, rq, answer, message, err
    secrets, message, err = M.secrets(set, plan)
    if not secrets then return nil, message, err end
    rq, message, err = core.toolrequest.resolve(plan, secrets)
    if not rq then return nil, message, err end
    policy, message, err = guard(set)
    if not policy then return nil, message, err end
    rq.guard, rq.once = policy, true -- a request that may have arrived is not sent again
    local symio, evidence = require("symbi").io, plan.detail.evidence
    if evidence then -- what cannot be kept is not done
        local ok
        ok, message, err = symio.evidence_prepare(evidence)
        if not ok then return nil, message, err end
    end
    local started = now_ms()
    answer, message, err = set.transport.http(rq)
    if not answer then return failed(started, message, err) end
    local hash
    hash, message, err = core.crypto.sha256(answer.body)
    if not hash then return nil, message, err end
    local body = require("symbi.secrets").redact(answer.body) -- an answer may repeat what it was asked with
    if evidence then
        local ok
        ok, message, err = symio.evidence_write(evidence, body)
        if not ok then return nil, message, err end
    end
    return { started_ms = started, duration_ms = math.max(0, answer.duration_ms or now_ms() - started), http_status = answer.status, body = body, body_sha256 = hash, body_bytes = #answer.body,
        output_file = evidence }
end

return M
