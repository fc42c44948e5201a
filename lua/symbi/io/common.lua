--- What every set of transports does alike, whatever waits for bytes underneath. A set is a table with one method per effect
-- kind; each returns a reply for run:resolve, or nil, message, err.
local core = require "symbi.core"

local M = {}

--- The Lua function behind a callback tool, from what was given as `tools`: a list of symbi.tool declarations, a table name ->
-- function, or an object with a method callback(name).
function M.callback(tools, name)
    if type(tools) == "function" then return tools(name) end
    if type(tools) == "userdata" then
        local find = tools.callback
        return find and find(tools, name)
    end
    if type(tools) ~= "table" then return nil end
    local direct = tools[name]
    if type(direct) == "function" then return direct end
    for _, t in ipairs(tools) do
        if type(t) == "table" and t.name == name and type(t.run) == "function" then return t.run end
    end
    return nil
end

-- What a callback tool gave back, as a reply, without any secret that symbi.secrets handed out. nil counts as null; a failure is nil and a
-- message.
local function replied(ok, value, message)
    local secrets = package.loaded["symbi.secrets"]
    if secrets then value, message = secrets.redact(value), secrets.redact(message) end
    if not ok then return { error = { code = "EEVAL", message = "the tool's function failed: " .. tostring(value) } } end
    if value == nil and message ~= nil then
        local code = type(message) == "table" and message.code or "EEVAL"
        return { error = { code = code, message = tostring(type(message) == "table" and message.message or message) } }
    end
    if value == nil then value = core.null end
    return { value = value }
end

-- Each is a module symbi.io.backend.<name>: perform(set, plan) -> what symbi_tool_envelope_of takes, or nil, message, err. What must outlive
-- one call (a session, a browser, a server's process) stands in set:keep(name, make) and ends with the set. It waits through
-- set.transport: {http = f(request[, on_data]), sleep = f(ms), exec = f(plan), ready = f(fd, mode, ms) -> true, or false when the time is
-- up (not in nginx), kind = "blocking" | "host" | "ngx"}.
local BACKENDS = { http = true, mcp = true, session = true, browser = true }

--- Performs a TOOL effect: the permit is redeemed in C, and only the plan that comes back is acted on. exec(plan) runs a process and
-- returns its result; call is pcall or what replaces it where a function may yield.
function M.tool(self, effect, run, exec, call)
    local callback
    if effect.backend == "callback" then -- before the permit is spent
        callback = M.callback(self.tools, effect.tool)
        if not callback then return { error = { code = "ENOTFOUND", message = "no Lua function is known for the tool " .. effect.tool } } end
    elseif effect.backend ~= "shell" and not BACKENDS[effect.backend] then
        return { error = { code = "EUNSUPPORTED", message = "tools of backend " .. tostring(effect.backend) .. " cannot be run here" } }
    end
    local plan, message, err = run:redeem(effect.id, effect.permit)
    if not plan then return nil, message, err end
    if callback then return replied(call(callback, plan.arguments)) end
    if BACKENDS[effect.backend] then
        local value
        value, message, err = require("symbi.io.backend." .. effect.backend).perform(self, plan)
        if value == nil then return nil, message, err end
        return { value = value }
    end
    local result
    result, message, err = exec(plan)
    if not result then return nil, message, err end
    return { exec = result }
end

--- Asks whoever was named to approve: options.approve(effect) -> true or false, who. Without one, and with options.audit, it waits for
-- `symbi-lua approvals` (or symbi.approvals.decide) until the effect's time is over; C takes the answer from the store itself.
function M.approve(self, effect, sleep)
    if self.approver then
        local ok, who = self.approver(effect)
        return { approved = ok == true, approver = tostring(who or "operator") }
    end
    if self.audit and sleep then
        local status, message, err = require("symbi.approvals").wait(self.audit, effect.action_digest, effect.ms or 0, sleep)
        if not status then return nil, message, err end
        return {}
    end
    return { approved = false, approver = "nobody (no approver is set)" }
end

--- Writes the transaction of a COMMIT effect through the store that was given; without one this driver cannot.
function M.commit(self, effect)
    if not self.store then
        local m = "this driver has no store for a commit: give store = symbi.store.open(folder)"
        return nil, m, core.error("ESTATE", m)
    end
    local receipt, message, err = core.audit.apply(self.store, effect.batch)
    if not receipt then return nil, message, err end
    return { receipt = receipt }
end

--- The request of a MODEL or HTTP effect in the form that io.http takes, or nil and an error.
function M.request(effect)
    if not effect.http then
        local m = "no model is configured: set SYMBI_MODEL_URL (an OpenAI-compatible endpoint), or give a recording"
        return nil, m, core.error("ESTATE", m)
    end
    return effect.http
end

-- The object under `name` that lives as long as the set; make() -> object with close(), or nil, message, err.
local function keep(self, name, make)
    local kept = self.kept
    if kept[name] then return kept[name] end
    local object, message, err = make()
    if not object then return nil, message, err end
    kept[name] = object
    return object
end

--- Forgets one, closed or not (it ended by itself).
local function forget(self, name) self.kept[name] = nil end

local function finish(self)
    for name, object in pairs(self.kept) do
        self.kept[name] = nil
        pcall(object.close, object)
    end
end

--- Starts a set: methods from `class`, options tools, approve, store and audit; transport as above. finish() ends what the set keeps.
function M.new(class, options, transport)
    options = options or {}
    return setmetatable({
        tools = options.tools, approver = options.approve, store = options.store, audit = options.audit, secrets = options.secrets,
        allow_private_hosts = options.allow_private_hosts,
        mcp = options.mcp, browser = options.browser, transport = transport, kept = {}, keep = keep, forget = forget, finish = finish,
    }, class)
end

return M
