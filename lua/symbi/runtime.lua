--- symbi.runtime{policies=, tools=, state=, agents=, model=, replay=, project_dir=, surface=}: the embedded runtime: policies and tools
-- from folders, the audit trail in the state folder, agents on top. Nothing here decides; it opens and hands over.
local core = require "symbi.core"

local M = {}
local Runtime = {}
Runtime.__index = Runtime
Runtime.__tostring = function(self) return "symbi runtime (state in " .. tostring(self.state_dir) .. ")" end -- and not the model's key

local KNOWN = { policies = true, tools = true, state = true, agents = true, model = true, replay = true, project_dir = true, surface = true,
    sandbox = true, memory_bytes = true, no_audit = true, evidence_dir = true, strict_policies = true, insecure_allow_all = true,
    agent_identity = true, identity_issuer = true, require_identity = true, proofs = true, require_verified = true, mcp = true, browser = true,
    scope = true, require_scope = true, secrets = true, allow_private_hosts = true }

--- SYMBI_MODEL_URL, SYMBI_MODEL, SYMBI_MODEL_KEY name a live model behind any OpenAI-compatible endpoint.
function M.model_from_environment()
    local url = os.getenv("SYMBI_MODEL_URL")
    if not url or url == "" then return nil end
    return { provider = os.getenv("SYMBI_MODEL_PROVIDER") or "openai", base_url = url, name = os.getenv("SYMBI_MODEL") or "default",
        key = os.getenv("SYMBI_MODEL_KEY"), stream = os.getenv("SYMBI_MODEL_STREAM") == "1" }
end

-- A tool set from a folder, or from a list of folders, tools and symbi.tool{} declarations.
local function tool_set(from)
    local toolclad = require("symbi").toolclad
    if type(from) == "string" then return toolclad.dir(from) end
    local list = {}
    for _, item in ipairs(from) do
        if type(item) == "string" then
            local set, message, err = toolclad.dir(item)
            if not set then return nil, message, err end
            for _, name in ipairs(set:names()) do list[#list + 1] = set:find(name) end
        else
            list[#list + 1] = item
        end
    end
    return core.toolclad.toolset(list)
end

function M.new(options)
    local symbi = require "symbi"
    if type(options) ~= "table" then error("symbi.runtime: an options table is expected", 3) end
    for k in pairs(options) do
        if not KNOWN[k] then error("symbi.runtime: unknown option '" .. tostring(k) .. "'", 3) end
    end
    local given = symbi.options or {} -- what the host was told on its command line wins over the script
    local rt = setmetatable({}, Runtime)
    local message, err
    rt.options = options
    rt.in_force = setmetatable({}, { __mode = "k" }) -- gate -> the scope it was given after it was opened
    rt.policies_dir = given.policies or options.policies
    rt.tools_dir = given.tools or options.tools -- a folder, or a list of folders and declarations
    rt.state_dir = given.state or options.state or ".symbi"
    rt.project_dir = options.project_dir or "."
    rt.surface = options.surface
    rt.evidence_dir = options.evidence_dir or os.getenv("TOOLCLAD_EVIDENCE_DIR")
    rt.model = options.model or (not options.replay and M.model_from_environment()) or {}
    rt.replay = options.replay
    -- bwrap: every program is run in one, by us. The other words are the operator's own: what this process and its tools run in. Both: "docker+bwrap"
    local sandbox = options.sandbox or os.getenv("SYMBI_SANDBOX")
    for word in tostring(sandbox or "none"):gmatch("[^+]+") do
        local known = core.dsl.sandbox(word)
        if known == "bwrap" then rt.box = known elseif known then rt.sandbox = known end
        if not known and word ~= "none" then
            message = "sandbox '" .. tostring(sandbox) .. "' is none of bwrap, docker, gvisor, firecracker, e2b, none"
            return nil, message, core.error("EINVAL", message)
        end
    end
    if options.memory_bytes then -- a limit of each tool's memory, put on by the spawner
        local pid
        pid, message, err = symbi.io.spawner { address_bytes = options.memory_bytes }
        if not pid then return nil, message, err end
        rt.memory_bytes = options.memory_bytes
    end
    rt.env = symbi.io.environ()
    rt.policies, message, err = symbi.gate.policies(rt.policies_dir or {}, options)
    if not rt.policies then return nil, message, err end
    if options.allow_private_hosts then -- a mistake in it is told now, not at the first call
        local policy
        policy, message, err = core.netguard.policy { allow = options.allow_private_hosts }
        if not policy then return nil, message, err end
        policy:close()
    end
    rt.scope, message, err = symbi.scope.find(options.scope, rt.project_dir) -- what tools may target; false: nothing says it
    if rt.scope == nil then return nil, message, err end
    if type(message) == "string" then rt.scope_watch = symbi.scope.watch(message) end
    rt.callbacks = type(rt.tools_dir) == "table" and rt.tools_dir or {}
    rt.tools, message, err = tool_set(rt.tools_dir or {})
    if not rt.tools then return nil, message, err end
    if not options.no_audit then
        rt.store, message, err = symbi.store.open(rt.state_dir)
        if not rt.store then return nil, message, err end
        rt.audit, message, err = symbi.audit.open(rt.store)
        if not rt.audit then rt:close() return nil, message, err end
    end
    return rt
end

--- A gate over this runtime's policies and tools, for one executor profile (nil: every tool).
function Runtime:open_gate(profile, max_tool_calls)
    -- from the folder, not from the set: each gate can then follow its edits (gate:refresh)
    local policies = type(self.policies_dir) == "string" and self.policies_dir or self.policies
    local own = self.options
    local gate, message, err = require("symbi").gate.open { agent_identity = own.agent_identity, identity_issuer = own.identity_issuer, require_identity = own.require_identity, proofs = own.proofs,
        require_verified = own.require_verified, policies = policies, strict_policies = self.options.strict_policies, tools = type(self.tools_dir) == "string" and self.tools_dir or self.tools, profile = profile, surface = self.surface, audit = self.audit,
        max_tool_calls = max_tool_calls, scope = self.scope or nil, require_scope = own.require_scope, insecure_allow_all = self.options.insecure_allow_all }
    if gate then self.in_force[gate] = self.scope end
    return gate, message, err
end

--- Has an edit of the scope file in force in this gate. A file that went is as if it named nothing.
function Runtime:rescope(gate)
    local now = self.scope_watch and self.scope_watch:changed()
    if now == false and self.scope then now = require("symbi").scope.broken(self.scope_watch.path .. " is gone") end
    if now then self.scope = now end
    if self.scope and self.scope ~= self.in_force[gate] then
        self.in_force[gate] = self.scope
        gate:rescope(self.scope)
    end
end

-- <agents>/<name>.toml, .symbi or .dsl. Two of one name are refused: neither may hide what the other forbids.
local function find_definition(dir, name)
    local io, found = require("symbi").io, nil
    for _, ext in ipairs { ".toml", ".symbi", ".dsl" } do
        local path = dir .. "/" .. name .. ext
        if io.stat(path) then
            if found then
                local message = "agent '" .. name .. "' is defined twice: " .. found .. " and " .. path
                return nil, message, core.error("ESCHEMA", message)
            end
            found = path
        end
    end
    return found or dir .. "/" .. name .. ".toml"
end

--- An agent from a definition table or a path (.toml, .symbi, file.symbi#agent); a bare name is looked up in <agents>.
function Runtime:agent(definition)
    if type(definition) == "string" and not definition:find("[/.]") and self.options.agents then
        local message, err
        definition, message, err = find_definition(self.options.agents, definition)
        if not definition then return nil, message, err end
    end
    return require("symbi.agent").new(self, definition)
end

-- The secrets that tools of this agent may use: within the store's scope where it has one.
local function secrets_for(secrets, agent)
    if type(secrets) == "table" and secrets.scope and secrets.for_agent and agent then return secrets:for_agent(agent) end
    return secrets
end

--- The transports of this environment; with a replay file the model's answers come from there. agent: the id of who is going to use them.
function Runtime:io(options, agent)
    local own = self.options
    local io = require("symbi").io.auto { tools = self.callbacks, store = self.store, audit = self.audit, approve = options and options.approve,
        mcp = own.mcp, browser = own.browser, secrets = secrets_for(own.secrets, agent), allow_private_hosts = own.allow_private_hosts }
    if self.replay then
        local replay = assert(require("symbi.io.replay").open(self.replay))
        local base = io
        io = setmetatable({ model = function(_, effect) return replay:model(effect) end }, { __index = base })
    end
    return io
end

--- Verifies the whole trail: the report of symbi.audit.verify.
function Runtime:verify() return require("symbi").audit.verify(self.store) end

function Runtime:close()
    for _, k in ipairs { "audit", "store" } do
        local o = self[k]
        self[k] = nil
        if o then o:close() end
    end
end

return M
