---@meta symbi.io

--- What run:next's effects are performed with: one method per kind of effect; each gives a reply for run:resolve, or nil, message, err.
---@class symbi.io.Transports
---@field model fun(self: symbi.io.Transports, effect: symbi.run.Effect, run: symbi.run.Run): table?, string?, symbi.Failure?
---@field tool fun(self: symbi.io.Transports, effect: symbi.run.Effect, run: symbi.run.Run): table?, string?, symbi.Failure?
---@field http fun(self: symbi.io.Transports, effect: table): table?, string?, symbi.Failure?
---@field sleep fun(self: symbi.io.Transports, effect: symbi.run.Effect): table?, string?, symbi.Failure?
---@field approve fun(self: symbi.io.Transports, effect: symbi.run.Effect): table?, string?, symbi.Failure?
---@field commit fun(self: symbi.io.Transports, effect: symbi.run.Effect): table?, string?, symbi.Failure?

---@class symbi.io.AutoOptions
---@field kind? "blocking"|"host"|"ngx"
---@field tools? table what declares the functions of tools in Lua
---@field approve? fun(effect: symbi.run.Effect): boolean, string?
---@field store? symbi.store.Store
---@field audit? symbi.audit.Writer
---@field mcp? table
---@field browser? table
---@field secrets? symbi.secrets.Store|fun(name: string): string?
---@field allow_private_hosts? string[]

---@class symbi.io.Request
---@field url string
---@field method? string
---@field headers? symbi.Headers
---@field body? string
---@field timeout_ms? integer
---@field max_bytes? integer
---@field stream? boolean
---@field guard? symbi.netguard.Policy
---@field by_operator? boolean the operator wrote this URL
---@field once? boolean never sent a second time
---@field quiet? boolean of a 2xx answer the headers are left out (symbi.io.http)
---@field proxy? string
---@field ca_file? string
---@field ca_path? string
---@field client_cert? string
---@field client_key? string
---@field client_key_password? string
---@field unix_socket? string
---@field http_version? "1.1"|"2"

---@class symbi.io.Response
---@field status integer
---@field headers string[][]
---@field body string
---@field duration_ms integer
---@field reused boolean
---@field http_version string

---@class symbi.io.FileInfo
---@field type "file"|"directory"|"link"|"other"
---@field size integer
---@field mtime_ms integer
---@field mode integer
---@field version string

---@class symbi.io.WatchOptions
---@field quiet_ms? integer
---@field most_ms? integer

---@class symbi.io.SpawnerOptions
---@field listen? string
---@field gate? symbi.gate.Gate
---@field permit_ttl_ms? integer
---@field max_jobs? integer
---@field max_timeout_ms? integer
---@field nofile? integer
---@field cpu_seconds? integer
---@field address_bytes? integer
---@field file_bytes? integer
---@field bwrap? string

---@class symbi.io.Lock : userdata
local Lock = {}
function Lock:close() end

---@class symbi.io.Job : userdata
local Job = {}
---@param ms? integer
---@return boolean? ended, string? message, symbi.Failure? err
function Job:wait(ms) end
---@return symbi.toolclad.ExecResult? result, string? message, symbi.Failure? err
function Job:result() end
function Job:kill() end
function Job:close() end

---@class symbi.io.Transfer : userdata
local Transfer = {}
--- Bytes as they come, nil at the end, false when the time is up.
---@param ms? integer
---@return string|false|nil bytes, string? message, symbi.Failure? err
function Transfer:read(ms) end
---@return integer?
function Transfer:status() end
---@return symbi.io.Response? response, string? message, symbi.Failure? err
function Transfer:result() end
function Transfer:close() end

--- A request that is sent often; what it holds is overwritten when it is closed.
---@class symbi.io.Prepared : userdata
local Prepared = {}
--- headers only when status is none of 200 to 299.
---@param ms integer
---@param body? string
---@param url? string needed where it was prepared without one
---@return integer? status, string? body, string[][]|symbi.Failure|nil headers
function Prepared:send(ms, body, url) end
function Prepared:close() end

--- Many things at once from one Lua state.
---@class symbi.io.Loop : userdata
local Loop = {}
---@param request symbi.io.Request
---@return integer? id, string? message, symbi.Failure? err
function Loop:http(request) end
---@param plan symbi.gate.Plan
---@return integer? id, string? message, symbi.Failure? err
function Loop:exec(plan) end
---@param ms integer
---@return integer? id, string? message, symbi.Failure? err
function Loop:sleep(ms) end
---@param fd integer
---@param mode "r"|"w"|"rw"
---@param ms? integer
---@return integer? id, string? message, symbi.Failure? err
function Loop:ready(fd, mode, ms) end
---@param watch symbi.io.Watch
---@return integer? id, string? message, symbi.Failure? err
function Loop:watch(watch) end
--- false when the time is up, nil when nothing is open.
---@param ms? integer
---@return integer|false|nil id, string? kind, any value, string? message, symbi.Failure? err
function Loop:wait(ms) end
---@param id integer
function Loop:cancel(id) end
---@return integer
function Loop:count() end
function Loop:close() end

--- Folders whose changes are noticed.
---@class symbi.io.Watch : userdata
local Watch = {}
---@param ms? integer 0: only looks; -1: waits
---@return boolean? changed, string? message, symbi.Failure? err
function Watch:poll(ms) end
---@return integer ms -1: nothing is due
function Watch:due() end
function Watch:close() end

---@class symbi.io.MemoryStore : userdata
local MemoryStore = {}
---@param agent string
---@param context symbi.memory.Context
---@param now_ms? integer
---@return boolean? ok, any kept_or_message, symbi.Failure? err
function MemoryStore:save(agent, context, now_ms) end
---@param agent string
---@return symbi.memory.Context? context, string? message, symbi.Failure? err
function MemoryStore:load(agent) end
---@param agent string
---@return boolean? ok, string? message, symbi.Failure? err
function MemoryStore:delete(agent) end
---@return string[]? agents, string? message, symbi.Failure? err
function MemoryStore:list() end
---@param agent string
---@param now_ms? integer
---@return integer? removed, string? message, symbi.Failure? err
function MemoryStore:compact(agent, now_ms) end
---@return table? stats, string? message, symbi.Failure? err
function MemoryStore:stats() end
---@param query string
---@param options? { agent?: string, section?: string, limit?: integer }
---@return symbi.memory.Hit[]? hits, any unread_or_message, symbi.Failure? err
function MemoryStore:search(query, options) end
function MemoryStore:close() end

--- The process of an MCP server.
---@class symbi.io.Pipe : userdata
local Pipe = {}
---@return integer
function Pipe:fd() end
---@return string
function Pipe:wants() end
---@return integer
function Pipe:pid() end
---@param ms integer
---@return boolean? ready, string? message, symbi.Failure? err
function Pipe:wait(ms) end
---@param bytes string
---@return boolean? ok, string? message, symbi.Failure? err
function Pipe:write(bytes) end
---@return string? bytes, string? message, symbi.Failure? err
function Pipe:read() end
---@param ms? integer
---@return { exit_code?: integer, signal?: integer, errors?: string }? info
function Pipe:ended(ms) end
function Pipe:close() end

--- A program at a terminal.
---@class symbi.io.Session : userdata
local Session = {}
---@param plan symbi.gate.Plan
---@return boolean? ok, string? message, symbi.Failure? err
function Session:call(plan) end
---@return boolean? done, integer|string|nil ms_or_message, symbi.Failure? err
function Session:step() end
---@return any raw, string? message, symbi.Failure? err
function Session:reply() end
---@return any lines
function Session:transcript() end
---@return table
function Session:info() end
---@return integer
function Session:fd() end
---@return string
function Session:wants() end
---@return any
function Session:ended() end
function Session:hang_up() end
function Session:close() end

--- A browser, for as long as a run needs it.
---@class symbi.io.Browser : userdata
local Browser = {}
---@param plan symbi.gate.Plan
---@return boolean? ok, string? message, symbi.Failure? err
function Browser:begin(plan) end
--- For a plan that names secrets: the value of one, before begin.
---@param name string
---@param value string
---@return true? ok, string? message, symbi.Failure? err
function Browser:secret(name, value) end
---@return boolean? ok, string? message, symbi.Failure? err
function Browser:step() end
---@return integer
function Browser:fd() end
---@return string
function Browser:wants() end
---@return integer? ms
function Browser:due() end
---@return boolean
function Browser:done() end
---@return any reply, string? message, symbi.Failure? err
function Browser:reply() end
---@return string? png, string? sha256
function Browser:picture() end
---@return table? request
function Browser:wanted() end
---@param id any
---@param status integer 0: it failed
---@param headers? string[][]
---@param body? string
function Browser:fetched(id, status, headers, body) end
---@return string? why
function Browser:ended() end
---@return any
function Browser:state() end
---@return integer?
function Browser:pid() end
---@return string?
function Browser:profile() end
function Browser:close() end

---@class symbi.io
---@field store table the store of state folders: symbi.store
---@field blocking table drivers: blocking calls
---@field host table drivers: coroutines over a loop
---@field ngx table drivers: cosockets in nginx
---@field drive table the driver of runs
---@field replay table recordings
---@field common table what all drivers do alike
---@field dns table
local M = {}

--- Transports for the place this runs in.
---@param options? symbi.io.AutoOptions
---@return symbi.io.Transports
function M.auto(options) end
---@return "blocking"|"host"|"ngx"
function M.kind() end
--- One request, judged by the network guard, with whatever waits well here.
---@param request symbi.io.Request
---@param on_data? fun(bytes: string, status: integer)
---@return symbi.io.Response? response, string? message, symbi.Failure? err
function M.fetch(request, on_data) end
--- The C module itself.
---@return table
function M.core() end

---@param path string
---@param max? integer
---@return string? bytes, string? message, symbi.Failure? err
function M.read_file(path, max) end
---@param path string
---@param options? { max?: integer, follow?: boolean }
---@return string? bytes, symbi.io.FileInfo|string|nil info_or_message, symbi.Failure? err
function M.read_file_info(path, options) end
--- Whole or not at all.
---@param path string
---@param data string
---@param mode? integer
---@return boolean? ok, string? message, symbi.Failure? err
function M.write_file(path, data, mode) end
---@param path string
---@param data string
---@param options? { mode?: integer, sync?: boolean }
---@return boolean? ok, string? message, symbi.Failure? err
function M.append_file(path, data, options) end
---@param path string
---@param max? integer
---@return { name: string, type: string }[]? entries, string? message, symbi.Failure? err
function M.list_dir(path, max) end
---@param path string
---@param options? { follow?: boolean }
---@return symbi.io.FileInfo? info, string? message, symbi.Failure? err
function M.stat(path, options) end

--- The file system that a path lies on.
---@param path string
---@return { total_bytes: integer, used_bytes: integer, free_bytes: integer }? disk, string? message, symbi.Failure? err
function M.disk(path) end
---@param path string
---@param options? { parents?: boolean, mode?: integer }
---@return boolean? ok, string? message, symbi.Failure? err
function M.mkdir(path, options) end
---@param path string
---@return string? path, string? message, symbi.Failure? err
function M.realpath(path) end
---@param path string
---@return boolean? ok, string? message, symbi.Failure? err
function M.remove(path) end
---@param path string
---@return boolean? ok, string? message, symbi.Failure? err
function M.remove_tree(path) end
---@param path string
---@param mtime_ms integer
---@return boolean? ok, string? message, symbi.Failure? err
function M.touch(path, mtime_ms) end
---@param path string
---@param timeout_ms? integer
---@return symbi.io.Lock? lock, string? message, symbi.Failure? err
function M.lock(path, timeout_ms) end
---@param paths string|string[]
---@param options? symbi.io.WatchOptions
---@return symbi.io.Watch? watch, string? message, symbi.Failure? err
function M.watch(paths, options) end

---@param request symbi.io.Request
---@return symbi.io.Response? response, string? message, symbi.Failure? err
function M.http(request) end
---@param request symbi.io.Request
---@return symbi.io.Transfer? transfer, string? message, symbi.Failure? err
function M.transfer(request) end
--- The same without body, timeout_ms, stream and quiet.
---@param request symbi.io.Request
---@return symbi.io.Prepared request
function M.prepare(request) end
---@return any
function M.http_library() end
---@return symbi.io.Loop? loop, string? message, symbi.Failure? err
function M.loop() end

---@param options? symbi.io.SpawnerOptions
---@return integer? pid, string? message, symbi.Failure? err
function M.spawner(options) end

--- Starts this state's spawner again if it has died: true then, false when it lives or there is none.
---@return boolean? started, string? message, symbi.Failure? err
function M.spawner_revive() end
--- Only a plan that came out of a redeemed permit runs, and runs once.
---@param plan symbi.gate.Plan
---@return symbi.toolclad.ExecResult? result, string? message, symbi.Failure? err
function M.exec(plan) end
---@param plan symbi.gate.Plan
---@return symbi.io.Job? job, string? message, symbi.Failure? err
function M.start(plan) end
---@param plan symbi.gate.Plan
---@return string? bytes, string? message, symbi.Failure? err
function M.exec_encode(plan) end
---@param bytes string
---@return integer? length, string? message, symbi.Failure? err
function M.exec_frame_len(bytes) end
---@param frame string
---@return symbi.toolclad.ExecResult? result, string? message, symbi.Failure? err
function M.exec_decode(frame) end
---@param plan symbi.gate.Plan
---@return symbi.io.Session? session, string? message, symbi.Failure? err
function M.session(plan) end
---@param plan symbi.gate.Plan
---@param options? { program?: string, no_sandbox?: boolean, endpoint?: string }
---@return symbi.io.Browser? browser, string? message, symbi.Failure? err
function M.browser(plan, options) end
---@param client userdata
---@return symbi.io.Pipe? pipe, string? message, symbi.Failure? err
function M.mcp_pipe(client) end
---@param path string
---@return boolean? ok, string? message, symbi.Failure? err
function M.evidence_prepare(path) end
---@param path string
---@param data string
---@return boolean? ok, string? message, symbi.Failure? err
function M.evidence_write(path, data) end
---@param root string
---@param options? table
---@return symbi.io.MemoryStore? store, string? message, symbi.Failure? err
function M.memory_store(root, options) end

---@return number milliseconds
function M.monotonic() end
---@param ms number
function M.sleep(ms) end
---@param fd integer
---@return boolean
function M.isatty(fd) end
---@return any
function M.environ() end
---@return string? path, string? message, symbi.Failure? err
function M.cwd() end
--- One line typed without echo.
---@param text string
---@return string? line, string? message, symbi.Failure? err
function M.prompt(text) end
function M.close() end

---@param dir string
---@param options? { readonly?: boolean, busy_ms?: integer }
---@return symbi.store.Store? store, string? message, symbi.Failure? err
function M.store.open(dir, options) end
---@param store symbi.store.Store
---@return string? path, string? message, symbi.Failure? err
function M.store.path(store) end
---@param store symbi.store.Store
---@return string[]? names, string? message, symbi.Failure? err
function M.store.chains(store) end

return M
