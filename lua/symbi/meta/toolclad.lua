---@meta symbi.toolclad

---@class symbi.toolclad.PlanOptions
---@field scan_id? string
---@field evidence_dir? string
---@field project_dir? string
---@field allow_options? boolean
---@field env? string[] of the host, "NAME=value"; SYMBIONT_TOOLCLAD_ALLOWED_PARSERS in it lists parsers that may run
---@field checks_files? boolean
---@field timeout_ms? integer
---@field sandbox? string

--- What a program did, or what another backend's executor gave.
---@class symbi.toolclad.ExecResult
---@field stdout? string
---@field stderr? string
---@field exit_code? integer
---@field signal? integer
---@field timed_out? boolean
---@field parser? table how the plan's parser went: exit_code=, stdout=, stderr=, timed_out=, sha256=, ...

---@class symbi.toolclad.ExecuteOptions
---@field gate? symbi.gate.Gate an open gate; else policies
---@field policies? string|symbi.policy.Source[]
---@field strict_policies? boolean
---@field surface? string
---@field agent? string
---@field user? string
---@field context? table<string, any>
---@field identity? symbi.agentpin.Result
---@field approve? fun(effect: table): boolean, string?
---@field audit? symbi.audit.Writer
---@field io? symbi.io.Transports
---@field tools? table
---@field project_dir? string
---@field evidence_dir? string
---@field env? table
---@field timeout_ms? integer
---@field sandbox? string
---@field loop_id? string
---@field call_id? string
---@field scope? string|symbi.scope.Scope|symbi.scope.Definition
---@field require_scope? boolean
---@field secrets? symbi.secrets.Store|fun(name: string): string?
---@field allow_private_hosts? string[]

--- The contract of one tool.
---@class symbi.toolclad.Tool : userdata
local Tool = {}
---@return table
function Tool:info() end
---@return string[]
function Tool:warnings() end
--- Of a session or browser manifest: TOOL.COMMAND, each a tool.
---@return symbi.toolclad.Tool[]
function Tool:commands() end
--- Arguments in canonical form.
---@param args table<string, any>
---@return table<string, any>? args, string? message, symbi.Failure? err
function Tool:validate(args) end
--- One value for one argument, in canonical form.
---@param name string
---@param value any
---@return any value, string? message, symbi.Failure? err
function Tool:check(name, value) end
--- What a model is told: {name=, description=, inputSchema=, outputSchema=}.
---@return table? schema, string? message, symbi.Failure? err
function Tool:schema() end
--- A dry run of a command line.
---@param args table<string, any>
---@param options? symbi.toolclad.PlanOptions
---@return string[]? argv, string? message, symbi.Failure? err
function Tool:command(args, options) end
--- The plan, without an order: no executor takes it.
---@param args table<string, any>
---@param options? symbi.toolclad.PlanOptions
---@return symbi.gate.Plan? plan, string? message, symbi.Failure? err
function Tool:plan(args, options) end
---@param plan symbi.gate.Plan
---@param result symbi.toolclad.ExecResult|table
---@return table? envelope, string? message, symbi.Failure? err
function Tool:envelope(plan, result) end
--- The record that is kept beside the journal.
---@param plan symbi.gate.Plan
---@param envelope table
---@param facts table
---@param result? symbi.toolclad.ExecResult
---@return table? record, string? message, symbi.Failure? err
function Tool:evidence(plan, envelope, facts, result) end
---@return table contract
function Tool:describe() end
---@param form? "gate"|"upstream"
---@return string? text, string? message, symbi.Failure? err
function Tool:cedar(form) end
--- One call, through a gate.
---@param args table<string, any>
---@param options symbi.toolclad.ExecuteOptions
---@return table? envelope, string? message, symbi.Failure? err
function Tool:execute(args, options) end
function Tool:close() end

---@class symbi.toolclad.Toolset : userdata
local Toolset = {}
---@param name string
---@return symbi.toolclad.Tool?
function Toolset:find(name) end
---@return string[]
function Toolset:names() end
---@return integer
function Toolset:count() end
---@param facts? string further attributes of the context, as Cedar writes them
---@param policies? string[] their texts: whom they let delegate and send is declared as well
---@return string? text, string? message, symbi.Failure? err
function Toolset:cedar_schema(facts, policies) end
function Toolset:close() end

--- Custom types of a project.
---@class symbi.toolclad.Types : userdata
local Types = {}
---@return string[]
function Types:problems() end
---@return integer
function Types:count() end
function Types:close() end

--- A folder of manifests whose changes are taken up.
---@class symbi.toolclad.Folder
local Folder = {}
---@return any swapped, string? message, symbi.Failure? err
function Folder:refresh() end
---@return boolean? ok, string? message, symbi.Failure? err
function Folder:watch() end
---@param ms? integer
---@return any swapped, string? message, symbi.Failure? err
function Folder:poll(ms) end
---@return symbi.toolclad.Toolset
function Folder:set() end
---@param gate symbi.gate.Gate
---@return boolean? ok, string? message, symbi.Failure? err
function Folder:bind(gate) end
---@param gate symbi.gate.Gate
function Folder:unbind(gate) end
---@return table
function Folder:status() end
function Folder:close() end

---@class symbi.toolclad
---@field methods table the methods of tools
---@field triage table<string, function> words in, words out: severity category ticket route grounded decided context
local M = {}

---@param text string a manifest
---@param options? string|{ source?: string, types?: symbi.toolclad.Types, child?: symbi.toolclad.Tool } child: the contract of child sessions
---@return symbi.toolclad.Tool? tool, string? message, symbi.Failure? err
function M.parse(text, options) end

---@param manifest table
---@param options? string|{ source?: string, types?: symbi.toolclad.Types }
---@return symbi.toolclad.Tool? tool, string? message, symbi.Failure? err
function M.declare(manifest, options) end

--- How manifests must be signed; documents and objects of symbi.schemapin.
---@class symbi.toolclad.Signing
---@field domain? string whose key
---@field mode? "require"|"warn"|"off"
---@field discovery? any
---@field revocation? any
---@field pins? any
---@field resolver? any

---@param path string
---@param options? { types?: symbi.toolclad.Types, signing?: symbi.toolclad.Signing }
---@return symbi.toolclad.Tool? tool, string? message the path of the manifest of its child sessions, if it has one; or what failed
---@return symbi.Failure|string|nil err where signatures are only warned about: what is wrong with one
function M.load(path, options) end

--- The tools of a folder. With partial the good ones, and as second result what was wrong with the others.
---@param path string
---@param options? { partial?: boolean, types?: string|symbi.toolclad.Types, signing?: symbi.toolclad.Signing|false }
---@return symbi.toolclad.Toolset? set, { path: string, message: string }[]|string|nil problems, symbi.Failure? err
function M.dir(path, options) end

---@param path string
---@param options? { types?: string|symbi.toolclad.Types, signing?: symbi.toolclad.Signing|false, audit?: symbi.audit.Writer, watch?: boolean }
---@return symbi.toolclad.Folder? folder, string? message, symbi.Failure? err
function M.follow(path, options) end

---@param list (symbi.toolclad.Tool|symbi.tool.Tool|table)[]
---@return symbi.toolclad.Toolset? set, string? message, symbi.Failure? err
function M.toolset(list) end

--- The Cedar schema of the gate's requests, without tools; Toolset:cedar_schema has theirs too.
---@param facts? string
---@param policies? string[]
---@return string? text, string? message, symbi.Failure? err
function M.cedar_schema(facts, policies) end

---@param from string|table the text of a toolclad.toml, or what stands below its [types]
---@param source? string
---@return symbi.toolclad.Types? types, string? message, symbi.Failure? err
function M.types(from, source) end

---@param path string
---@return symbi.toolclad.Types? types, string? message, symbi.Failure? err
function M.load_types(path) end

--- One call, through a gate.
---@param tool symbi.toolclad.Tool|string
---@param args table<string, any>
---@param options symbi.toolclad.ExecuteOptions
---@return table? envelope, string? message, symbi.Failure? err
function M.execute(tool, args, options) end

---@param manifest_text string
---@param limits table
---@param options? { upstream_tiers?: boolean }
---@return table[]? issues, string? message, symbi.Failure? err
function M.constraints(manifest_text, limits, options) end

---@param header string
---@return { trace_id: string, parent_id: string }? t
function M.traceparent(header) end

--- Where a ticket goes: the queue, and the verdict on escalating it.
---@param options { gate: symbi.gate.Gate, agent: string, ticket: string, untrusted?: boolean, category: string, claimed: string }
---@return string? queue, symbi.gate.Verdict|string|nil verdict, symbi.Failure? err
function M.decide(options) end

return M
