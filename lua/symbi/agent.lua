--- symbi.agent: an agent is a definition (who it is, what it is told, which tools it may run, its limits) bound to a runtime.
-- agent:run(prompt[, options]) drives one run to its end. Every decision is the run machine's (symbi.run); here effects are
-- handed to a driver and events to whoever watches.
local core = require "symbi.core"

local M = {}
local Agent = {}
Agent.__index = Agent
Agent.__tostring = function(self) return "symbi agent " .. tostring(self.id) end

local LIMITS = { "max_iterations", "max_total_tokens", "context_token_budget", "max_output_tokens", "timeout_ms", "tool_timeout_ms",
    "approval_timeout_ms", "defer_timeout_ms", "max_concurrent_tools", "max_tool_calls" }
local KNOWN = { id = "string", name = "string", system = "string", tools = "table", capabilities = "table", domain = "string", tags = "table",
    limits = "table", model = "table", raw_output = "boolean" }

local function bad(message) return nil, message, core.error("ESCHEMA", message) end

local function check(def, where)
    if type(def) ~= "table" then return bad(where .. ": an agent definition is a table") end
    for k, v in pairs(def) do
        if not KNOWN[k] then return bad(where .. ": unknown key '" .. tostring(k) .. "'") end
        if type(v) ~= KNOWN[k] then return bad(where .. ": " .. k .. " must be a " .. KNOWN[k] .. ", got " .. type(v)) end
    end
    if not def.id or def.id == "" then return bad(where .. ": id is missing") end
    local known = {}
    for _, k in ipairs(LIMITS) do known[k] = true end
    for k, v in pairs(def.limits or {}) do
        if not known[k] then return bad(where .. ": unknown limit '" .. tostring(k) .. "'") end
        if type(v) ~= "number" or v < 0 or v ~= math.floor(v) then return bad(where .. ": limit " .. k .. " must be a whole number") end
    end
    return def
end

--- Reads agents/<name>.toml: [agent] id, name, system, tools (executor profile), capabilities, domain, tags, raw_output (tool
-- output byte for byte, else without what a person does not see); [limits]; [model].
function M.load(path)
    local text, message, err = require("symbi").io.read_file(path, 1048576)
    if not text then return nil, message, err end
    local doc
    doc, message, err = core.toml.decode(text, { source = path })
    if not doc then return nil, message, err end
    local def = {}
    for k, v in pairs(doc) do
        if k == "agent" then
            if type(v) ~= "table" then return bad(path .. ": agent must be a table") end
            for ak, av in pairs(v) do def[ak] = av end
        elseif k == "limits" or k == "model" then
            def[k] = v
        else
            return bad(path .. ": unknown table [" .. k .. "]; an agent file has [agent], [limits] and [model]")
        end
    end
    return check(def, path)
end

-- file.symbi, or file.symbi#agent where a file defines several
local function from_dsl(runtime, definition)
    local path, name = definition:match("^(.*)#([^#/]*)$")
    return require("symbi.dsl").agent(path or definition, { agent = name, tools = runtime.tools })
end

--- Binds a definition (a table, or a path) to a runtime.
function M.new(runtime, definition)
    local def, message, err
    if type(definition) == "string" and require("symbi.dsl").is_definition((definition:gsub("#[^#/]*$", ""))) then
        def, message, err = from_dsl(runtime, definition)
    elseif type(definition) == "string" then def, message, err = M.load(definition) else def, message, err = check(definition, "agent") end
    if not def then return nil, message, err end
    local gate
    gate, message, err = runtime:open_gate(def.tools, def.limits and def.limits.max_tool_calls)
    if not gate then return nil, message, err end
    if def.narrow then -- the file's rules and limits, in C, beside the runtime's policies
        local ok
        ok, message, err = gate:narrow(def.narrow, { sandbox = runtime.sandbox or runtime.box, memory_bytes = runtime.memory_bytes })
        if not ok then
            gate:close()
            return nil, message, err
        end
    end
    return setmetatable({ runtime = runtime, definition = def, id = def.id, gate = gate }, Agent)
end

local function attributes(def)
    local a = {}
    for _, k in ipairs { "name", "capabilities", "domain", "tags" } do a[k] = def[k] end
    return a
end

--- A run that has not begun: for callers that drive it themselves.
function Agent:start(prompt, options)
    options = options or {}
    local rt, def = self.runtime, self.definition
    local model = options.model or def.model or rt.model
    local o = {
        gate = self.gate, audit = rt.audit, no_audit = rt.audit == nil or nil, agent_id = def.id, agent = attributes(def),
        system = def.system, prompt = prompt, context = options.context, env = rt.env, project_dir = rt.project_dir, evidence_dir = rt.evidence_dir,
        provider = model.provider, base_url = model.base_url, model = model.name, api_key = model.key, stream = model.stream,
        temperature = model.temperature, loop_id = options.loop_id, commit = options.commit, identity = options.identity,
        raw_output = def.raw_output, sandbox = rt.box,
    }
    for k, v in pairs(def.limits or {}) do if k ~= "max_tool_calls" then o[k] = v end end
    return core.run.new(o)
end

--- Runs to the end: result {completed, reason, output, iterations, tool_calls, denied, usage, error}, or nil, message, err when
-- the run could not begin or its driver broke. options: io (transports), watch(kind, data), context, model, approve(effect),
-- identity (the result of a verification, symbi.agentpin).
function Agent:run(prompt, options)
    options = options or {}
    self.runtime:rescope(self.gate)
    local poll
    if type(self.runtime.policies_dir) == "string" then -- an edit holds from the next decision on; a broken one is on the trail
        self.gate:refresh()
        local kind = require("symbi").io.kind()
        if kind ~= "ngx" and self.gate:follow() then
            local ms = kind == "blocking" and 500 or 0 -- in a loop others must not wait, and it listens all the time
            poll = function() self.gate:poll(ms) end
        end
    end
    local run, message, err = self:start(prompt, options)
    if not run then return nil, message, err end
    local io = options.io or self.runtime:io(options, self.id)
    local result
    result, message, err = require("symbi.io.drive").drive(run, io, options.watch, poll)
    run:close()
    return result, message, err
end

function Agent:close() self.gate:close() end

return M
