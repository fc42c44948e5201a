---@meta symbi.run

---@class symbi.run.Options : symbi.agent.Limits
---@field gate symbi.gate.Gate
---@field audit? symbi.audit.Writer
---@field no_audit? boolean
---@field agent_id string
---@field agent? table<string, any> attributes
---@field prompt string
---@field system? string
---@field context? table<string, any>
---@field provider? string
---@field base_url? string
---@field model? string
---@field api_key? string
---@field stream? boolean
---@field temperature? number
---@field commit? "store"|"effect"
---@field env? table
---@field project_dir? string
---@field evidence_dir? string
---@field loop_id? string
---@field identity? symbi.agentpin.Result
---@field raw_output? boolean
---@field sandbox? string

--- What the run wants done next.
---@class symbi.run.Effect
---@field id integer
---@field kind "model"|"tool"|"http"|"sleep"|"approve"|"commit"|"cancel"|"done"|string
---@field request? any
---@field http? symbi.io.Request
---@field tool? string
---@field arguments? table<string, any>
---@field action_digest? string
---@field reason? string
---@field backend? string
---@field permit? string
---@field result? symbi.agent.Result of "done"

---@class symbi.run.Run : userdata
local Run = {}
--- err.code is "EAGAIN" where something must be resolved first.
---@return symbi.run.Effect? effect, string? message, symbi.Failure? err
function Run:next() end
--- Bytes of an answer that is streamed.
---@param id integer
---@param bytes string
---@return boolean? ok, string? message, symbi.Failure? err
function Run:feed(id, bytes) end
---@param id integer
---@param reply table {error=} or what belongs to the kind of effect
---@return boolean? ok, string? message, symbi.Failure? err
function Run:resolve(id, reply) end
--- The plan of a tool effect, once.
---@param id integer
---@param permit string
---@return symbi.gate.Plan? plan, string? message, symbi.Failure? err
function Run:redeem(id, permit) end
function Run:cancel() end
function Run:tick() end
---@return any
function Run:state() end
---@return table[]
function Run:events() end
---@return table
function Run:conversation() end
function Run:close() end

--- The run machine. Most programs use symbi.agent.
---@class symbi.run
local M = {}

---@param options symbi.run.Options
---@return symbi.run.Run? run, string? message, symbi.Failure? err
function M.new(options) end

return M
