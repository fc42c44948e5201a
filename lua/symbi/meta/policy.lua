---@meta symbi.policy

---@class symbi.policy.Source
---@field name? string
---@field text string

---@class symbi.policy.File
---@field path string
---@field text string

---@class symbi.policy.Checked
---@field path string
---@field policies? integer
---@field templates? integer
---@field warnings? table[]
---@field error? string
---@field line? integer
---@field column? integer

---@class symbi.policy.Finding
---@field path string
---@field line integer
---@field col integer
---@field rule string
---@field severity string "note" is no fault
---@field message string
---@field policy? string

---@class symbi.policy.EvaluateOptions
---@field policies? string
---@field missing? "deny"|"allow" where there is no folder, or nothing in it
---@field vocabulary? "both"|"gate"|"symbi"
---@field errors? "any"|"forbid"|"ignore" which evaluation errors deny
---@field text_only? boolean
---@field escapes? boolean
---@field surface? string
---@field compat? boolean

---@class symbi.policy.Evaluated
---@field decision string
---@field reason string
---@field tool string
---@field policies_dir? string
---@field cause? string
---@field reasons? string[]
---@field errors? table[]
---@field loaded? integer
---@field warnings? string[]

---@class symbi.policy.AskerOptions
---@field policies? symbi.cedar.Policies|symbi.policy.Source[]
---@field tools? symbi.toolclad.Toolset
---@field mode? "strict"|"compat"
---@field surface? string
---@field strict_policies? boolean
---@field explain? boolean
---@field agents? table<string, table> of symbi.policy.agents
---@field host? { sandbox?: string, memory_bytes?: integer }

---@class symbi.policy
local M = {}

--- The files that paths stand for: a folder is its *.cedar files and those of the folders in it, unless options.flat.
---@param paths string[]
---@param options? { flat?: boolean }
---@return symbi.policy.File[]? files, string? message, symbi.Failure? err
function M.files(paths, options) end

--- The sources of one file: itself, the entries of a JSON list, or policies in Cedar's JSON form.
---@param file symbi.policy.File
---@return symbi.policy.Source[]? sources, string? message, symbi.Failure? err
function M.sources(file) end

--- Each file for itself, then all together; the second result says whether all is well.
---@param files symbi.policy.File[]
---@param options? table
---@return symbi.policy.Checked[] results, boolean ok
function M.check(files, options) end

---@param files symbi.policy.File[]
---@param options? { tools?: symbi.toolclad.Toolset, upstream?: boolean }
---@return symbi.policy.Finding[]? findings, string? message, symbi.Failure? err
function M.lint(files, options) end

--- One tool event, as hooks of coding assistants send it.
---@param event { tool_name: string, tool_input?: table }
---@param options? symbi.policy.EvaluateOptions
---@return symbi.policy.Evaluated answer
function M.evaluate(event, options) end

--- A tool that takes exactly these arguments.
---@param name string
---@param arguments? table<string, any>
---@return table manifest
function M.stub_tool(name, arguments) end

--- The agents that .symbi files define, by id.
---@param paths string[]
---@param options? { tools?: symbi.toolclad.Toolset }
---@return table<string, table>? agents, string? message, symbi.Failure? err
function M.agents(paths, options) end

--- ask(action, facts) over one policy set.
---@param options symbi.policy.AskerOptions
---@return (fun(action: symbi.gate.Action, facts?: symbi.gate.Facts): symbi.gate.Verdict?, any, any)? ask, string? message, symbi.Failure? err
function M.asker(options) end

return M
