--- One tool call outside of a run: tool:execute(args, options), symbi.toolclad.execute(tool or name, args, options). It goes the way of every
-- action: the gate decides, the decision is on the trail, the permit is redeemed, an executor gets the plan with its order, and the
-- envelope comes back. There is no way around the gate from here: a plan without an order is taken by no executor.
local core = require "symbi.core"

local KNOWN = { gate = true, policies = true, strict_policies = true, agent = true, user = true, context = true, identity = true, approve = true, audit = true, io = true, tools = true,
    project_dir = true, evidence_dir = true, env = true, timeout_ms = true, sandbox = true, loop_id = true, call_id = true, surface = true,
    scope = true, require_scope = true, secrets = true, allow_private_hosts = true }

-- What symbi.io.exec says, as far as the envelope takes it.
local EXEC = { "stdout", "stderr", "exit_code", "signal", "timed_out", "start_errno", "started_ms", "duration_ms", "stdout_truncated", "stderr_truncated",
    "stdout_bytes", "stdout_sha256", "output_file", "parser" }

local function fail(code, message, fields) return nil, message, core.error(code, message, fields) end

local function gate_of(tool, o)
    if o.gate then return o.gate, false end
    if o.policies == nil then
        return fail("ESTATE", "nobody decides whether this tool may run: give policies = (a folder or a list of Cedar sources), or gate = an open gate")
    end
    local scope, message, err = require("symbi.scope").find(o.scope, o.project_dir) -- what may be targeted; false: nothing says it
    if scope == nil then return nil, message, err end
    local gate
    gate, message, err = require("symbi.gate").open { policies = o.policies, strict_policies = o.strict_policies, tools = { tool }, audit = o.audit, surface = o.surface,
        scope = scope or nil, require_scope = o.require_scope }
    if not gate then return nil, message, err end
    return gate, true
end

local function timestamp(ms)
    return os.date("!%Y-%m-%dT%H:%M:%S", math.floor(ms / 1000)) .. string.format(".%03dZ", ms % 1000)
end

local now_ms = core.toolrequest.now_ms

-- The envelope of what never ran, or of a Lua function. started: when that was called.
local function bare(plan, name, status, more, started)
    local now = now_ms()
    local e = { status = status, scan_id = plan and plan.scan_id or "", tool = name, command = plan and plan.command or "", exit_code = -1, stderr = "",
        duration_ms = started and math.max(0, now - started) or 0, timestamp = timestamp(started or now), output_file = "", output_hash = "", results = core.object() }
    for k, v in pairs(more) do e[k] = v end
    return e
end

local function object(value)
    if type(value) == "table" and not core.is_array(value) then return value end
    return { parsed_output = value }
end

local function envelope_of(tool, plan, reply, started)
    local name = tool:info().name
    if reply.error then
        local message = type(reply.error) == "table" and reply.error.message or tostring(reply.error)
        return bare(plan, name, "error", { error = message }, started)
    end
    if reply.exec then
        local x = {}
        for _, k in ipairs(EXEC) do x[k] = reply.exec[k] end
        local e, message, err = tool:envelope(plan, x)
        return e, message, err, x
    end
    if plan.kind ~= "callback" then return tool:envelope(plan, reply.value) end
    local results = object(reply.value)
    local text = core.json.canonical(results)
    return bare(plan, name, "success", { exit_code = 0, results = results, output_bytes = #text, output_hash = "sha256:" .. core.crypto.sha256(text) }, started)
end

-- The record of the run beside the trail, and its entry.
local function keep(o, verdict, tool, plan, envelope, exec, started)
    if not o.audit then return true end
    local policies = {}
    for i, p in ipairs(verdict.policies) do policies[i] = p.id end
    local facts = { loop_id = o.loop_id, call_id = o.call_id, agent = o.agent, user = o.user, decision = verdict.decision, policies = policies, journal_sequence = verdict.sequence, started_ms = started }
    local record, message, err = tool:evidence(plan, envelope, facts, exec)
    if not record then return nil, message, err end
    local secrets = package.loaded["symbi.secrets"]
    if secrets then record = secrets.redact(record) end
    local text = core.json.canonical(record)
    local key = core.crypto.sha256(text)
    local len
    len, message, err = o.audit:commit({
        event = core.json.canonical { type = "tool_executed", tool = envelope.tool, scan_id = plan.scan_id, status = envelope.status, exit_code = envelope.exit_code,
            action_digest = verdict.action_digest, plan_digest = plan.digest, output_hash = envelope.output_hash, evidence_sha256 = key,
            envelope_sha256 = core.crypto.sha256(core.json.canonical(envelope)), decision_sequence = verdict.sequence },
        agent_id = o.agent, loop_id = o.loop_id or "",
    }, { records = { { ns = "evidence", key = key, value = text } } })
    if not len then return nil, message, err end
    envelope.audit_seq, envelope.evidence_sha256 = len - 1, key
    envelope.audit_hash = o.audit:head()
    return true
end

local function denied(verdict, name)
    local code = verdict.code == "INVALID_ARGUMENTS" and "ESCHEMA" or verdict.decision == "defer" and "EAGAIN" or "EDENIED"
    local message = verdict.code .. ": " .. verdict.reason
    return nil, message, core.error(code, message, { envelope = bare(nil, name, "denied", { error = message, code = verdict.code, audit_seq = verdict.sequence }), retry_after_ms = verdict.retry_after_ms })
end

local function decide(gate, name, args, o)
    local action = { kind = "tool_call", agent = o.agent, name = name, arguments = args, call_id = o.call_id, identity = o.identity }
    local facts = { context = o.context, loop_id = o.loop_id }
    local verdict = gate:check(action, facts)
    if verdict.decision == "step_up" and o.approve then
        local yes, who = o.approve(verdict)
        local ok, message, err = gate:approve(verdict.action_digest, yes == true, tostring(who or "operator"))
        if not ok then return nil, message, err end
        verdict = gate:check(action, facts)
    end
    local ok, message, err = gate:commit(verdict)
    if not ok then return nil, message, err end
    return verdict
end

local function run(gate, name, args, o)
    local verdict, message, err = decide(gate, name, args, o)
    if not verdict then return nil, message, err end
    local permit = verdict.permit
    if not permit then return denied(verdict, name) end
    local tool = verdict.tool -- what is in force, not what was asked about
    local plan
    local effect = { id = 1, kind = "tool", tool = name, backend = tool:info().backend, permit = permit, arguments = verdict.input }
    local redeemer = { redeem = function(_, _, p)
        local why, rerr
        plan, why, rerr = gate:redeem(verdict, p, { project_dir = o.project_dir, evidence_dir = o.evidence_dir or os.getenv "TOOLCLAD_EVIDENCE_DIR", env = o.env or require("symbi.io").environ(),
            timeout_ms = o.timeout_ms, checks_files = true, sandbox = o.sandbox, trace_id = o.loop_id })
        return plan, why, rerr
    end }
    local io = o.io or require("symbi.io").auto { tools = o.tools, audit = o.audit, secrets = o.secrets, allow_private_hosts = o.allow_private_hosts }
    local reply
    local started = now_ms()
    reply, message, err = io:tool(effect, redeemer)
    if not o.io and io.finish then io:finish() end
    if not plan then return nil, message or (reply and reply.error and reply.error.message), err or core.error("EPERMIT", tostring(message)) end
    local envelope, exec
    envelope, message, err, exec = envelope_of(tool, plan, reply or { error = err or message }, started)
    if not envelope then return nil, message, err end
    if verdict.decision == "modify" then envelope.modified = true end
    local kept
    kept, message, err = keep(o, verdict, tool, plan, envelope, exec, started)
    if not kept then return nil, message, err end
    return envelope
end

--- execute(tool, args, options): the evidence envelope, or nil, message, err (err.code EDENIED, and err.envelope with status "denied", when
-- policy does not allow it; ESCHEMA for arguments that break the contract). A tool that ran and failed is an envelope with status "error".
-- tool: a tool, a declaration of symbi.tool{}, or with gate= a name. options: policies= or gate=, agent= ("local"), user=, context= (facts
-- for policies), approve = function(verdict) -> true or false, who; audit=, io= (transports), project_dir=, evidence_dir=, env=, timeout_ms=,
-- sandbox = "bwrap" (whatever the manifest says), scope= and require_scope= (what may be targeted; default <project_dir>/scope/scope.toml),
-- secrets= and allow_private_hosts= (of HTTP tools).
return function(tool, args, options)
    options = options or {}
    if type(options) ~= "table" then error("symbi.toolclad.execute: an options table is expected", 3) end
    for k in pairs(options) do
        if not KNOWN[k] then error("symbi.toolclad.execute: unknown option '" .. tostring(k) .. "'", 3) end
    end
    local o = {}
    for k, v in pairs(options) do o[k] = v end
    o.agent = o.agent or "local"
    local name = tool
    if type(tool) == "table" and tool.manifest then -- symbi.tool{}
        o.tools = o.tools or { tool }
        local made, message, err = core.toolclad.declare(tool.manifest)
        if not made then return nil, message, err end
        tool = made
    end
    if type(tool) == "string" then
        if not o.gate then error("symbi.toolclad.execute: a name needs gate =, which knows the tools", 3) end
    else
        name = tool:info().name
    end
    local gate, own, err = gate_of(tool, o)
    if not gate then return nil, own, err end
    local function done(...)
        if own then gate:close() end
        return ...
    end
    return done(run(gate, name, args or {}, o))
end
