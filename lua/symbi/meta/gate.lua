---@meta symbi.gate

---@class symbi.gate.OpenOptions
---@field policies? string|symbi.cedar.Policies|symbi.policy.Source[] a folder, a policy set, or a list of sources
---@field tools? string|symbi.toolclad.Toolset|(symbi.toolclad.Tool|symbi.tool.Tool|table)[] a folder, a tool set, or a list of tools
---@field mode? "strict"|"compat" compat decides as upstream's gate does
---@field compat_allow? boolean
---@field strict_policies? boolean
---@field profile? string[] the names of the tools that may be used; nil: all
---@field surface? string a folder below the policies that counts too
---@field comm? symbi.comm.Rules|table
---@field audit? symbi.audit.Writer
---@field entities? symbi.cedar.Entities
---@field scope? string|symbi.scope.Scope|symbi.scope.Definition what may be targeted
---@field require_scope? boolean
---@field agent_identity? table<string, string> agent -> the subject its credential must have
---@field identity_issuer? string the domain that credentials must come from
---@field require_identity? boolean
---@field proofs? table<string, symbi.schemapin.Result> tool -> what verified it
---@field require_verified? boolean|string[]
---@field max_tool_calls? integer
---@field permit_ttl_ms? integer
---@field insecure_allow_all? boolean policies are not asked; said on standard error, refused in production
---@field quiet? boolean what is said there is not said (a compat gate that only compares)
---@field production? boolean

--- What somebody wants to do.
---@class symbi.gate.Action
---@field kind "tool_call"|"respond"|string
---@field agent string
---@field name? string the tool, or the agent that is spoken to
---@field arguments? table<string, any>
---@field arguments_json? string instead of arguments: their text
---@field content? string
---@field call_id? string
---@field identity? symbi.agentpin.Result

--- What is known around an action.
---@class symbi.gate.Facts
---@field context? table<string, any>
---@field agent? table<string, any> attributes of the agent
---@field loop_id? string
---@field iteration? integer
---@field tool_calls? integer
---@field denied? integer
---@field depth? integer
---@field tokens_left? integer
---@field time_left_ms? integer
---@field now? integer milliseconds

---@class symbi.gate.VerdictPolicy
---@field id string
---@field source? string
---@field line? integer
---@field effect "permit"|"forbid"
---@field error? string

--- A decision. It reads as a table and cannot be written to.
---@class symbi.gate.Verdict : userdata
---@field allowed boolean true for ALLOW alone
---@field decision string
---@field code string one of symbi.gate.codes
---@field reason string
---@field policies symbi.gate.VerdictPolicy[]
---@field permit? string what gate:redeem takes, once
---@field input? any the arguments in force
---@field proposed? any those that a MODIFY replaced
---@field retry_after_ms? integer of a DEFER
---@field kind string
---@field agent string
---@field name string
---@field tool? symbi.toolclad.Tool
---@field action_digest string
---@field policy_hash string
---@field mode "strict"|"compat"
---@field context_replaced boolean
---@field audited boolean
---@field audit_rule? any
---@field identified boolean
---@field tool_verified boolean
---@field committed boolean
---@field redeemed boolean
---@field sequence? integer
---@field shadow? string
---@field shadow_policy? any

--- What an executor carries out. One that came out of gate:redeem has an order, which is good once.
---@class symbi.gate.Plan : userdata
---@field kind string the backend
---@field tool string
---@field scan_id string
---@field argv string[]
---@field env string[]
---@field cwd string
---@field timeout_ms integer
---@field arguments? table
---@field command string
---@field output_file string
---@field detail? any
---@field secrets string[] names
---@field check_files string[]
---@field sandbox? table
---@field digest string

---@class symbi.gate.RedeemOptions
---@field project_dir? string
---@field evidence_dir? string
---@field env? table
---@field timeout_ms? integer
---@field checks_files? boolean
---@field sandbox? string
---@field trace_id? string of the traceparent that HTTP and MCP tools send: 32 hex digits or a UUID (without one a fresh one, anything else: none)

---@class symbi.gate.Status
---@field generation integer
---@field tools? table
---@field reloads integer
---@field failures integer
---@field broken? string
---@field following boolean
---@field warnings table[]

---@class symbi.gate.Gate : userdata
local Gate = {}

---@param action symbi.gate.Action
---@param facts? symbi.gate.Facts
---@return symbi.gate.Verdict verdict
function Gate:check(action, facts) end

--- A verdict without a permit, what each policy said, and each rule of a .symbi agent.
---@param action symbi.gate.Action
---@param facts? symbi.gate.Facts
---@return symbi.gate.Verdict verdict, table[] policies, table[] rules
function Gate:explain(action, facts) end

--- Puts a verdict on the trail.
---@param verdict symbi.gate.Verdict
---@return boolean? ok, string? message, symbi.Failure? err
function Gate:commit(verdict) end

---@param verdict symbi.gate.Verdict
---@param permit string
---@param options? symbi.gate.RedeemOptions
---@return symbi.gate.Plan? plan, string? message, symbi.Failure? err
function Gate:redeem(verdict, permit, options) end

--- A person's answer to a step-up.
---@param digest string hex
---@param approved boolean
---@param approver string
---@param ttl_ms? integer
---@return boolean? ok, string? message, symbi.Failure? err
function Gate:approve(digest, approved, approver, ttl_ms) end

--- Puts a step-up into the store, before people.
---@param verdict symbi.gate.Verdict
---@param ttl_ms? integer
---@return string? status, string? message, symbi.Failure? err
function Gate:request_approval(verdict, ttl_ms) end

--- Takes an answer from the store, for the next check of that action.
---@param digest string
---@return string? status, string? message, symbi.Failure? err
function Gate:load_approval(digest) end

---@param policies symbi.cedar.Policies
---@return integer? generation, string? message, symbi.Failure? err
function Gate:reload(policies) end

---@param tools symbi.toolclad.Toolset
---@return integer? generation, string? message, symbi.Failure? err
function Gate:retool(tools) end

---@param scope? symbi.scope.Scope
function Gate:rescope(scope) end

--- Has the rules and limits of a .symbi agent in force beside the policies.
---@param narrow symbi.dsl.Narrow
---@param host? { sandbox?: string, memory_bytes?: integer }
---@return boolean? ok, string? message, symbi.Failure? err
function Gate:narrow(narrow, host) end

---@param tool string
---@param result symbi.schemapin.Result
---@return boolean? ok, string? message, symbi.Failure? err
function Gate:prove(tool, result) end

--- A second policy set that is asked too and decides nothing; nil ends it.
---@param policies? symbi.cedar.Policies
---@return boolean? ok, string? message, symbi.Failure? err
function Gate:shadow(policies) end

---@return integer asked, integer differed
function Gate:shadow_counts() end

---@return integer
function Gate:generation() end

--- What is in force and probably not meant.
---@return table[]
function Gate:warnings() end

--- Reads the folder again when it changed: false when nothing did.
---@param force? boolean
---@return integer|false|nil generation, string? message, symbi.Failure? err
function Gate:refresh(force) end

--- From now on the system tells when the folder changes.
---@param options? symbi.io.WatchOptions
---@return boolean? ok, string? message, symbi.Failure? err
function Gate:follow(options) end

--- What refresh returns, when the folder that is followed changed; waits at most ms for an edit under way.
---@param ms? integer
---@return integer|false|nil generation, string? message, symbi.Failure? err
function Gate:poll(ms) end

---@return symbi.gate.Status
function Gate:status() end

function Gate:close() end

---@class symbi.gate
---@field codes table<string, string> name -> what it means
local M = {}

---@param options symbi.gate.OpenOptions
---@return symbi.gate.Gate? gate, string? message, symbi.Failure? err
function M.open(options) end

--- The policy sources of a folder.
---@param dir string
---@param surface? string
---@return symbi.policy.Source[]? sources, string? message, symbi.Failure? err
function M.sources(dir, surface) end

--- A policy set from a folder, a list of sources or a text.
---@param from string|symbi.cedar.Policies|symbi.policy.Source[]
---@param options? { surface?: string, mode?: "strict"|"compat", strict_policies?: boolean }
---@return symbi.cedar.Policies|false|nil set, string? message, symbi.Failure? err
function M.policies(from, options) end

---@param gate symbi.gate.Gate
---@param force? boolean
---@return integer|false|nil generation, string? message, symbi.Failure? err
function M.refresh(gate, force) end

---@param gate symbi.gate.Gate
---@param options? symbi.io.WatchOptions
---@return boolean? ok, string? message, symbi.Failure? err
function M.follow(gate, options) end

---@param gate symbi.gate.Gate
---@param ms? integer
---@return integer|false|nil generation, string? message, symbi.Failure? err
function M.poll(gate, ms) end

---@param gate symbi.gate.Gate
---@return symbi.gate.Status
function M.status(gate) end

---@param gate symbi.gate.Gate
function M.close(gate) end

return M
