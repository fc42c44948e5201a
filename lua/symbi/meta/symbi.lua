---@meta symbi
--- What language servers read of the module symbi, written by hand beside it; not loaded by anything. One file for each module; the client's
--- classes are lua/symbi/types.lua. tests/spec/meta_spec.lua holds these files against the modules as they are.

--- What stands third where a function gives nil: why, for programs. tostring(err) is the message with its place.
---@class symbi.Failure
---@field code string "EPARSE", "EDENIED", "ENOTFOUND", ...
---@field message string
---@field line? integer
---@field column? integer
---@field path? string a file, or the place in a document
---@field reason? string a closer word where the module has some, such as symbi.webhook.reasons
---@field is fun(self: symbi.Failure, code: string): boolean

--- A list of {name, value} or a table name -> value.
---@alias symbi.Headers table<string, string|string[]>|string[][]

--- What the host was told on its command line.
---@class symbi.HostOptions
---@field policies? string
---@field tools? string
---@field state? string

---@class symbi
---@field version string
---@field null lightuserdata JSON's null: equal to cjson.null and ngx.null
---@field options symbi.HostOptions
---@field agent symbi.agent
---@field agentpin symbi.agentpin
---@field approvals symbi.approvals
---@field audit symbi.audit
---@field auth symbi.auth
---@field cedar symbi.cedar
---@field comm symbi.comm
---@field crypto symbi.crypto
---@field dsl symbi.dsl
---@field gate symbi.gate
---@field io symbi.io
---@field json symbi.json
---@field jwt symbi.jwt
---@field match symbi.match
---@field mcp symbi.mcp
---@field memory symbi.memory
---@field metrics symbi.metrics
---@field netguard symbi.netguard
---@field policy symbi.policy
---@field run symbi.run
---@field sandbox symbi.sandbox
---@field sanitize symbi.sanitize
---@field schemapin symbi.schemapin
---@field scope symbi.scope
---@field secrets symbi.secrets
---@field skills symbi.skills
---@field store symbi.store
---@field toml symbi.toml
---@field toolclad symbi.toolclad
---@field unicode symbi.unicode
---@field webhook symbi.webhook
---@field yaml symbi.yaml
local M = {}

--- Marks t as a list, so that an empty one is [] in JSON. With n, what is nil in 1..n becomes null.
---@generic T
---@param t? T[]
---@param n? integer
---@return T[]
function M.array(t, n) end

--- Marks t as an object, whatever its keys look like.
---@param t? table
---@return table
function M.object(t) end

---@param t any
---@return boolean
function M.is_array(t) end

--- An error object like those of C.
---@param code string
---@param message string
---@param fields? table<string, any>
---@return symbi.Failure
function M.error(code, message, fields) end

--- What a call gave, or a raised text where its first result is nil or false: symbi.try(symbi.json.decode(text)).
---@generic T
---@param value T
---@param message? string
---@param ... any
---@return T
function M.try(value, message, ...) end

--- Declares a tool that is written in Lua. Raises on misuse.
---@param declaration symbi.tool.Declaration
---@return symbi.tool.Tool
function M.tool(declaration) end

--- Opens the embedded runtime.
---@param options symbi.runtime.Options
---@return symbi.runtime.Runtime? runtime, string? message, symbi.Failure? err
function M.runtime(options) end

--- A client of a Symbiont server.
---@param options? symbi.ClientOptions
---@return symbi.Client client
function M.client(options) end

--- The same under the SDK's name.
---@param options? symbi.ClientOptions
---@return symbi.Client client
function M.Client(options) end

--- The sizes and counts beyond which input is refused.
---@return table<string, integer>
function M.limits() end

return M
