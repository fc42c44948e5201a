--- The Lua side of the nginx tests: what a user would write to put the gate in front of a location, and to run an agent in a worker.
-- luacheck: globals ngx
local symbi = require "symbi"
local json = symbi.json

local M = {}
local policies, gate, tools, project, ports -- loaded before the fork
local store, audit, public_key, run_gate, spawner_error, phase_error -- of this worker

--- Before the fork: everything is read and parsed once, nothing is opened.
function M.init(dir, root, model_ports)
    project, ports = root, model_ports
    tools = assert(symbi.toolclad.dir(dir .. "/tools"))
    policies = assert(symbi.gate.policies(dir .. "/policies"))
    gate = assert(symbi.gate.open { policies = policies, tools = tools })
    require "symbi.io.ngx"
    require "symbi.io.drive"
    symbi.io.core() -- the C side of the drivers: loaded now, so that no request pays for it
end

--- In each worker: a trail (here in memory), the gate of its runs, and a spawner that checks that gate's orders.
function M.init_worker(dir)
    store = require("symbi.core").audit.memstore()
    local key = symbi.crypto.ed25519()
    public_key = key:public()
    audit = assert(symbi.audit.open(store, { key = key }))
    run_gate = assert(symbi.gate.open { policies = policies, tools = tools, audit = audit })
    local path, message = symbi.io.ngx.spawner { gate = run_gate, dir = dir }
    if not path then spawner_error = message end
end

--- The gate in the access phase: /tools/<tool>?agent=<id>&args=<JSON>.
function M.access()
    local q = ngx.req.get_uri_args()
    local verdict = gate:check { kind = "tool_call", agent = tostring(q.agent or "nobody"), name = ngx.var.uri:match("^/tools/(.*)$"), arguments_json = tostring(q.args or "{}") }
    if verdict.allowed then return end
    local policy = verdict.policies[1]
    ngx.status = 403
    ngx.header["Content-Type"] = "application/json"
    ngx.header["X-Policy"] = policy and policy.id
    ngx.header["X-Code"] = verdict.code
    ngx.say(json.encode { decision = verdict.decision, code = verdict.code, reason = verdict.reason, policy = policy and policy.id })
    return ngx.exit(403)
end

--- One governed run of an agent: the model over a cosocket, tools through this worker's spawner.
function M.run()
    local q = ngx.req.get_uri_args()
    local run = assert(require("symbi.core").run.new {
        gate = run_gate, audit = audit, agent_id = q.agent or "reader", prompt = "count", provider = "openai", model = "test", stream = q.stream == "1",
        base_url = "http://127.0.0.1:" .. ports[q.model or "count"] .. (q.fault and "/fault/" .. q.fault or "/v1"), project_dir = project,
        env = { "PATH=/usr/bin:/bin" }, timeout_ms = tonumber(q.timeout_ms) or 20000, max_iterations = 4,
    })
    local outputs = {}
    local result, message = symbi.io.drive.drive(run, symbi.io.auto(), function(kind, _, reply)
        if kind == "result" then outputs[#outputs + 1] = reply.exec and reply.exec.stdout or tostring(reply.error and (reply.error.message or reply.error)) end
    end)
    run:close()
    local report, problem = symbi.audit.verify(store, { public_key = public_key })
    ngx.say(json.encode { result = result, message = message, outputs = symbi.array(outputs), audit = report and report.result or problem, spawner_error = spawner_error })
end

--- Where cosockets do not exist: a clear error, no crash.
function M.log_phase()
    local r, message, err = symbi.io.ngx.http { by_operator = true, url = "http://127.0.0.1:" .. ports.count .. "/" }
    phase_error = { failed = r == nil, message = message, code = err and err.code }
end

function M.state() ngx.say(json.encode { phase = phase_error, pid = ngx.worker.pid(), spawner_error = spawner_error }) end

return M
