--- Where servers differ from each other, and from what a program wants to see: the few methods that are more than their row.
local api = require "symbi.api"
local core = require "symbi.core"
local errors = require "symbi.errors"

local M = {}
local null = core.null

local WORDS = { -- the runtime's words of an agent's state, in the SDK's
    created = "idle", ready = "idle", waiting = "idle", suspended = "idle", initializing = "busy", terminating = "busy", running = "active",
    failed = "error", unreachable = "error", completed = "stopped", terminated = "stopped",
}
local SDK_WORDS = { idle = true, active = true, busy = true, error = true, stopped = true }

--- Methods that something below changes.
M.touched = {
    send_message = true, create_schedule = true, update_schedule = true, list_agents = true, get_schedule_history = true, query_audit = true,
    get_agent_status = true, get_metrics = true,
}

--- The SDK's word for an agent's state, or nil.
function M.state(word)
    if type(word) ~= "string" then return nil end
    if SDK_WORDS[word] then return word end
    return WORDS[word:lower()]
end

-- Five fields of a cron expression have no seconds; the runtime wants six.
local function with_seconds(self, text)
    if self.options.cron_passthrough or type(text) ~= "string" then return text end
    local _, n = text:gsub("%S+", "")
    return n == 5 and "0 " .. text:gsub("^%s+", "") or text
end

local function copy(t)
    local out = {}
    for k, v in pairs(t) do out[k] = v end
    return out
end

--- Before arguments are checked.
function M.arguments(self, e, values)
    if e.name == "send_message" and type(values.payload) == "table" then -- payloads are text on the wire
        local text, message = core.json.encode(values.payload)
        if not text then return errors.fail("ValidationError", "send_message: payload: " .. tostring(message)) end
        values.payload = text
    elseif (e.name == "create_schedule" or e.name == "update_schedule") and type(values.request) == "table" and values.request.cron_expression ~= nil then
        values.request = copy(values.request)
        values.request.cron_expression = with_seconds(self, values.request.cron_expression)
    end
    return values
end

--- The request, before it is sent.
function M.request(_, e, call)
    if e.name == "list_agents" then call.query = { { "format", "objects" } } end
end

--- The decoded answer, before it is checked.
function M.before(e, value)
    if type(value) ~= "table" then return value end
    if e.name == "get_schedule_history" and value.history == nil then value.history = core.array {} end
    if e.name == "query_audit" and value.entries == nil then value.entries = core.array {} end
    if e.name == "get_agent_status" and value.state ~= nil then
        value.state_sdk, value.runtime_state = M.state(value.state), value.runtime_state or value.state
        value.state = value.state_sdk or value.state
    end
    return value
end

local function flat_metrics(value)
    local agents, system = value.agents, value.system
    local function put(name, from, key)
        if value[name] == nil and type(from) == "table" and type(from[key]) == "number" then value[name] = from[key] end
    end
    put("total_agents", agents, "total")
    put("active_agents", agents, "running")
    put("uptime_seconds", system, "uptime_seconds")
    put("uptime_seconds", system, "uptime")
    put("memory_usage_bytes", system, "memory_usage_bytes")
    put("memory_usage_bytes", system, "memory_usage")
    put("cpu_usage_percent", system, "cpu_usage_percent")
    put("cpu_usage_percent", system, "cpu_usage")
    return value
end

--- The checked answer, as it is returned.
function M.after(_, e, value, values)
    if e.name == "list_agents" and type(value) == "table" then
        local out = {}
        for i, a in ipairs(value) do
            if values.detailed then out[i] = type(a) == "table" and a or { id = a }
            else out[i] = type(a) == "table" and (a.id or a.agent_id or null) or a end
        end
        return core.array(out)
    elseif e.name == "get_agent_status" and type(value) == "table" and value.runtime_state then
        value.state = value.runtime_state -- the server's own word; state_sdk has the SDK's
    elseif e.name == "get_metrics" and not e.group and type(value) == "table" then
        return flat_metrics(value)
    end
    return value
end

--- re_execute_agent where the server has no such endpoint: without input it is execute.
function M.re_execute(self, e, call, err)
    if call.values.input_data == nil then return require("symbi.client.calls").call(self, api.by_name.execute_agent, call.values.agent_id) end
    return errors.fail("UnsupportedError", e.name .. ": the server cannot run an agent again with other input; use execute_agent, or a symbi server", { cause = err })
end

return M
