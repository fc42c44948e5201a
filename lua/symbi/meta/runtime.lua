---@meta symbi.runtime

---@class symbi.runtime.Model
---@field provider? string "openai" unless said otherwise
---@field base_url? string
---@field name? string
---@field key? string
---@field stream? boolean
---@field temperature? number

---@class symbi.runtime.Options
---@field policies? string|symbi.policy.Source[]
---@field tools? string|(string|symbi.tool.Tool|symbi.toolclad.Tool|table)[]
---@field state? string the state folder; ".symbi" unless said otherwise
---@field agents? string a folder of definitions
---@field model? symbi.runtime.Model
---@field replay? string a recording that answers for the model
---@field project_dir? string
---@field surface? string
---@field sandbox? string "bwrap", or what this process runs in; also both: "docker+bwrap"
---@field memory_bytes? integer a limit of each tool's memory
---@field no_audit? boolean
---@field evidence_dir? string
---@field strict_policies? boolean
---@field insecure_allow_all? boolean
---@field agent_identity? table<string, string>
---@field identity_issuer? string
---@field require_identity? boolean
---@field proofs? table<string, symbi.schemapin.Result>
---@field require_verified? boolean|string[]
---@field mcp? table
---@field browser? table
---@field scope? string|symbi.scope.Scope|symbi.scope.Definition
---@field require_scope? boolean
---@field secrets? symbi.secrets.Store|fun(name: string): string?
---@field allow_private_hosts? string[]

---@class symbi.runtime.Runtime
---@field options symbi.runtime.Options
---@field audit? symbi.audit.Writer
---@field store? symbi.store.Store
---@field policies symbi.cedar.Policies
---@field tools symbi.toolclad.Toolset
---@field scope symbi.scope.Scope|false
local Runtime = {}

--- A gate over these policies and tools, for one executor profile.
---@param profile? string[]
---@param max_tool_calls? integer
---@return symbi.gate.Gate? gate, string? message, symbi.Failure? err
function Runtime:open_gate(profile, max_tool_calls) end

--- Has an edit of the scope file in force in this gate.
---@param gate symbi.gate.Gate
function Runtime:rescope(gate) end

--- An agent from a definition, a path (.toml, .symbi, file.symbi#agent) or a name in the agents' folder.
---@param definition string|symbi.agent.Definition
---@return symbi.agent.Agent? agent, string? message, symbi.Failure? err
function Runtime:agent(definition) end

--- The transports of this place.
---@param options? symbi.agent.RunOptions
---@param agent? string
---@return symbi.io.Transports
function Runtime:io(options, agent) end

---@return symbi.audit.Report? report, string? message, symbi.Failure? err
function Runtime:verify() end

function Runtime:close() end

--- The module behind symbi.runtime{...}.
---@class symbi.runtime
local M = {}

---@param options symbi.runtime.Options
---@return symbi.runtime.Runtime? runtime, string? message, symbi.Failure? err
function M.new(options) end

--- What SYMBI_MODEL_URL, SYMBI_MODEL and SYMBI_MODEL_KEY name.
---@return symbi.runtime.Model?
function M.model_from_environment() end

return M
