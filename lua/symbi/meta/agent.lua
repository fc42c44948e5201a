---@meta symbi.agent

---@class symbi.agent.Limits
---@field max_iterations? integer
---@field max_total_tokens? integer
---@field context_token_budget? integer
---@field max_output_tokens? integer
---@field timeout_ms? integer
---@field tool_timeout_ms? integer
---@field approval_timeout_ms? integer
---@field defer_timeout_ms? integer how long an action that a policy puts off waits
---@field max_concurrent_tools? integer
---@field max_tool_calls? integer

---@class symbi.agent.Definition
---@field id string
---@field name? string
---@field system? string
---@field tools? string[]
---@field capabilities? string[]
---@field domain? string
---@field tags? string[]
---@field limits? symbi.agent.Limits
---@field model? symbi.runtime.Model
---@field raw_output? boolean tool output byte for byte

---@class symbi.agent.RunOptions
---@field io? symbi.io.Transports
---@field watch? fun(kind: "event"|"effect"|"result", data: any, extra: any)
---@field context? table<string, any>
---@field model? symbi.runtime.Model
---@field approve? fun(effect: symbi.run.Effect): boolean, string?
---@field identity? symbi.agentpin.Result
---@field loop_id? string
---@field commit? "store"|"effect"

---@class symbi.agent.Result
---@field completed boolean
---@field reason string
---@field output string
---@field iterations integer
---@field tool_calls integer
---@field denied integer
---@field usage table
---@field error? table

---@class symbi.agent.Agent
---@field id string
---@field definition symbi.agent.Definition
---@field runtime symbi.runtime.Runtime
---@field gate symbi.gate.Gate
local Agent = {}

--- A run that has not begun, for callers that drive it themselves.
---@param prompt string
---@param options? symbi.agent.RunOptions
---@return symbi.run.Run? run, string? message, symbi.Failure? err
function Agent:start(prompt, options) end

--- Runs to the end. nil only where the run could not begin or its driver broke.
---@param prompt string
---@param options? symbi.agent.RunOptions
---@return symbi.agent.Result? result, string? message, symbi.Failure? err
function Agent:run(prompt, options) end

function Agent:close() end

---@class symbi.agent
local M = {}

--- Reads a definition from a .toml file.
---@param path string
---@return symbi.agent.Definition? definition, string? message, symbi.Failure? err
function M.load(path) end

---@param runtime symbi.runtime.Runtime
---@param definition string|symbi.agent.Definition
---@return symbi.agent.Agent? agent, string? message, symbi.Failure? err
function M.new(runtime, definition) end

return M
