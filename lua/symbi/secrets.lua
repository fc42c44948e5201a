--- symbi.secrets: one interface over an encrypted file, the environment and Vault.
--
--   store = secrets.open{ backend = "file", path = ".symbi/secrets.json", scope = { ["agent-1"] = { "db_*" } }, audit = audit }
--   view = store:for_agent("agent-1")       what an agent gets: nothing that the scope does not give it
--   value, message, err = view:get(key); view:list(); view:set(key, value); view:delete(key)
--   store:get(key), ...                      the operator's own access: no scope
--   secrets.redact(text)                     without any value that was handed out; secrets.mask(text or table): what looks like a secret, too
--
-- Containers, scopes and redaction are C (symbi/secrets.h). With audit each access is two entries of the trail, attempt and result, never
-- the value; where they cannot be written the access fails (audit_mode = "permissive" lets it pass).
-- SYMBIONT_MASTER_KEY has one meaning here: a password, as it stands there, from which the key of an envelope is derived.
local core = require "symbi.core"
local C = core.secrets

local M = {
    valid_key = C.valid_key, -- valid_key(name)
    mask = C.mask,           -- mask(text or table): the patterns of the runtime, and sensitive member names
    sensitive = C.sensitive, -- sensitive(name)
    scope = C.scope,         -- scope{[agent] = {patterns} or {read = {}, write = {}}}: :allows(agent, key[, "write"])
    redactor = C.redactor,   -- redactor(): :add(value), :apply(text), :mask(text or table), :clear()
}

local function fail(code, ...)
    local message = string.format(...)
    return nil, message, core.error(code, message)
end

-- What was handed out by stores that have no redactor of their own. Runs and trails of this Lua state leave it out by themselves (C).
local known = C.shared()

local function redacted(x, depth)
    if type(x) == "string" then return known:apply(x) or "[REDACTED]" end -- out of memory is no reason to show it
    if type(x) ~= "table" then return x end
    if depth > 64 then return "[REDACTED]" end
    local out = {}
    for k, v in pairs(x) do out[redacted(k, depth + 1)] = redacted(v, depth + 1) end
    if core.is_array(x) then return core.array(out) end -- their metatable does not show itself
    return setmetatable(out, getmetatable(x) or nil)
end

--- A text, or a table with texts in it, without the values that stores have handed out in this Lua state.
function M.redact(x)
    if known:count() == 0 then return x end
    return redacted(x, 0)
end

--- Forgets them (they stay in memory until then).
function M.forget() known:clear() end

-- ---- the master key -----------------------------------------------------------------------------------------------------------

local function insecure(what, path, mode)
    return fail("EDENIED", "%s %s has insecure mode %04o; expected 0600 (owner read/write only). Run: chmod 600 %s", what, path, mode, path)
end

--- A file that only its owner may read, or nil, message, err. A regular file; checked on the open file, not before.
function M.read_private(path, what, max)
    local io = require "symbi.io"
    local text, info, err = io.read_file_info(path, { max = max or 4 * 1024 * 1024 })
    if not text then return nil, info, err end
    if info.mode % 64 ~= 0 then return insecure(what or "Secrets file", path, info.mode) end
    return text, info
end

local function present(name, env)
    local v = env(name)
    if v ~= nil and v ~= "" then return v end
end

--- Where the key file is looked for, first to last.
function M.master_key_path(env)
    env = env or os.getenv
    local path = present("SYMBIONT_MASTER_KEY_FILE", env)
    if path then return path end
    local state = present("XDG_STATE_HOME", env)
    if state then return state .. "/symbiont/master.key" end
    local home = present("HOME", env)
    return home and home .. "/.symbi/master.key" or ".symbi/master.key"
end

local function production(env)
    local name = core.auth.environment(env "SYMBIONT_ENV" or "")
    return name == nil or name == "production"
end

--- The master key and where it came from: SYMBIONT_MASTER_KEY, else the key file (mode 0600; white space around it is cut). The keychain
-- of a desktop is not looked into. options: create = true makes a key file where there is none (not in production, unless
-- SYMBIONT_ALLOW_EPHEMERAL_KEY is 1 or true), path, env = function(name).
function M.master_key(options)
    options = options or {}
    local env = options.env or os.getenv
    local text = not options.path and present("SYMBIONT_MASTER_KEY", env)
    if text then return text, "SYMBIONT_MASTER_KEY" end
    local path = options.path or M.master_key_path(env)
    local content, message, err = M.read_private(path, "Master key file", 65536)
    if content then
        local key = content:match "^%s*(.-)%s*$"
        if key == "" then return fail("EPARSE", "the master key file %s is empty", path) end
        return key, path
    end
    if not (err and err.code == "ENOTFOUND") then return nil, message, err end
    if not options.create then
        return fail("ENOTFOUND", "no master key: set SYMBIONT_MASTER_KEY, or SYMBIONT_MASTER_KEY_FILE to a file of mode 0600 (looked for %s)", path)
    end
    local allowed = present("SYMBIONT_ALLOW_EPHEMERAL_KEY", env)
    if production(env) and allowed ~= "1" and allowed ~= "true" then
        return fail("EDENIED", "no master key, and none is made in production: set SYMBIONT_MASTER_KEY or %s", path)
    end
    local io = require "symbi.io"
    local dir = path:match "^(.*)/[^/]*$"
    local ok
    if dir and dir ~= "" then
        ok, message, err = io.mkdir(dir, { parents = true, mode = 448 })
        if not ok then return nil, message, err end
    end
    -- 32 random bytes as hex: text, like every other password
    local raw
    raw, message, err = core.crypto.random(32)
    if not raw then return nil, message, err end
    local key = core.crypto.hex(raw)
    ok, message, err = io.write_file(path, key .. "\n", 384)
    if not ok then return nil, message, err end
    return key, path
end

-- ---- file -----------------------------------------------------------------------------------------------------------------

local File = {}
File.__index = File

local FORMATS = { json = "json", toml = "toml", yaml = "yaml", yml = "yaml", env = "env" }

local function format_of(path, format)
    if format then
        if not FORMATS[format] then error("symbi.secrets: format must be \"json\", \"toml\", \"yaml\" or \"env\"", 3) end
        return FORMATS[format]
    end
    local ext = path:match "%.(%w+)$"
    return FORMATS[ext or ""] or "json"
end

local function key_of(self)
    if type(self.key) == "function" then return self.key() end
    if self.key then return self.key end
    return M.master_key { path = self.key_file, env = self.env }
end

-- Opens the content: a map, or nil, message, err with err.path and, for containers, err.reason.
local function decode(self, text)
    if not self.encrypted then
        if C.guess(text) then return fail("ESCHEMA", "%s is encrypted: leave encrypted = false out", self.path) end
        return C.read(text, self.format)
    end
    local key, message, err = key_of(self)
    if not key then return nil, message, err end
    if self.kind == "envelope" and text ~= "" and not C.guess(text) and C.read(text, self.format) then
        return fail("ESCHEMA", "%s is not encrypted: import it (symbi-lua secrets import), or open it with encrypted = false", self.path)
    end
    local map
    map, message, err = C.open(text, key, { kind = self.kind, format = self.encrypted_format, legacy_kdf = self.legacy_kdf })
    if map then return map end
    err.path = self.path
    message = self.path .. ": " .. message
    err.message = message
    return nil, message, err
end

-- The map as the file has it now; an empty one where there is no file.
function File:load()
    local io = require "symbi.io"
    local now, message, err = io.stat(self.path)
    if not now and err and err.code ~= "ENOTFOUND" then return nil, message, err end
    if self.map and ((now and self.info and now.version == self.info.version) or (not now and not self.info)) then
        return self.map
    end
    self:drop()
    if not now then
        self.map = C.map()
        return self.map
    end
    local text, info, why = M.read_private(self.path)
    if not text then return nil, info, why end
    local map
    map, message, err = decode(self, text)
    if not map then return nil, message, err end
    self.map, self.info = map, info
    return map
end

function File:drop()
    if self.map then self.map:close() end
    self.map, self.info = nil, nil
end
File.close = File.drop

function File:get(key, agent, scope)
    local map, message, err = self:load()
    if not map then return nil, message, err end
    if agent then return map:get(key, scope, agent) end
    return map:get(key)
end

function File:list(agent, scope)
    local map, message, err = self:load()
    if not map then return nil, message, err end
    if agent then return map:keys(scope, agent) end
    return map:keys()
end

-- Seals map under key (C opens what it sealed once more) and puts it in the file's place: written beside it, flushed, renamed.
local function store_map(self, map, key)
    local io = require "symbi.io"
    local box, message, err = map:seal(key, { kind = self.kind, upstream = self.upstream })
    if not box then return nil, message, err end
    return io.write_file((io.realpath(self.path)) or self.path, box, 384)
end

-- A change takes two Argon2id: others wait for it.
local LOCK_MS = 60000

-- Through a symbolic link the file that it names is locked and replaced, not the link.
local function target(path) return (require("symbi.io").realpath(path)) or path end

local function writable(self)
    if not self.encrypted then return fail("EUNSUPPORTED", "Operation not supported by backend: %s is not encrypted, and only read (symbi-lua secrets import makes an encrypted copy)", self.path) end
    if self.kind == "shell" then return fail("EUNSUPPORTED", "Operation not supported by backend: the shell's container is only read (symbi-lua secrets import makes a better one)") end
    return true
end

-- Reads, changes, writes under a lock.
local function change(self, f)
    local ok, message, err = writable(self)
    if not ok then return nil, message, err end
    local io = require "symbi.io"
    local dir = self.path:match "^(.*)/[^/]*$"
    if dir and dir ~= "" then
        ok, message, err = io.mkdir(dir, { parents = true, mode = 448 })
        if not ok then return nil, message, err end
    end
    local key
    key, message, err = key_of(self)
    if not key then return nil, message, err end
    local lock
    lock, message, err = io.lock(target(self.path) .. ".lock", LOCK_MS)
    if not lock then return nil, message, err end
    self:drop()
    local map
    map, message, err = self:load()
    ok = map
    if ok then ok, message, err = f(map) end
    if ok then ok, message, err = store_map(self, map, key) end
    self:drop()
    lock:close()
    return ok, message, err
end

function File:set(key, value)
    return change(self, function(map) return map:set(key, value) end)
end

function File:delete(key)
    return change(self, function(map) return map:delete(key) end)
end

--- Puts every secret under another key. The old file stays as it is unless all of it could be read and written again.
function File:rotate_key(new)
    if type(new) ~= "string" or new == "" then return fail("EINVAL", "the new key must not be empty") end
    local ok, message, err = writable(self)
    if not ok then return nil, message, err end
    local io = require "symbi.io"
    local lock
    lock, message, err = io.lock(target(self.path) .. ".lock", LOCK_MS)
    if not lock then return nil, message, err end
    self:drop()
    local map
    map, message, err = self:load()
    ok = map
    if ok then ok, message, err = store_map(self, map, new) end
    self:drop()
    if ok then self.key = new end
    lock:close()
    return ok, message, err
end

--- Takes over all of a map (symbi.secrets.read_file); returns how many there were.
function File:import(map, overwrite)
    local n = 0
    local ok, message, err = change(self, function(own)
        for _, key in ipairs(map:keys()) do
            local value, m, e = map:get(key)
            if value == nil then return nil, m, e end
            if not overwrite and own:get(key) then return fail("EEXISTS", "there is a secret %s already (overwrite = true replaces it)", key) end
            local done
            done, m, e = own:set(key, value)
            if not done then return nil, m, e end
            n = n + 1
        end
        return true
    end)
    if not ok then return nil, message, err end
    return n
end

local file_options = {
    backend = true, path = true, format = true, encrypted = true, key = true, key_file = true, kind = true, legacy_kdf = true, upstream = true, scope = true, audit = true,
    audit_mode = true, redactor = true, env = true,
}

local function open_file(o)
    if type(o.path) ~= "string" then error("symbi.secrets.open: path is missing", 3) end
    local encrypted = o.encrypted ~= false
    return setmetatable({
        name = "file", path = o.path, encrypted = encrypted, kind = o.kind or "envelope", legacy_kdf = o.legacy_kdf, upstream = o.upstream,
        format = format_of(o.path, o.format), encrypted_format = o.format and FORMATS[o.format] or "json", key = o.key, key_file = o.key_file, env = o.env,
    }, File)
end

--- A map of what a file holds, whatever it is: {get=, keys=, ...}. options as of the file backend.
function M.read_file(options)
    local f = open_file(options)
    local text, message, err = M.read_private(f.path)
    if not text then return nil, message, err end
    return decode(f, text)
end

-- ---- environment ----------------------------------------------------------------------------------------------------------

local Env = {}
Env.__index = Env

function Env:get(key, agent, scope)
    if not C.valid_key(key) then return fail("EINVAL", "Invalid secret key format: %s", tostring(key):sub(1, 128):gsub("%c", "?")) end
    if agent and not (scope and scope:allows(agent, key)) then return fail("EDENIED", "Permission denied accessing secret: %s", key) end
    local v = self.env(self.prefix .. key)
    if v == nil then return fail("ENOTFOUND", "Secret not found: %s", key) end
    return v
end

function Env:list(agent, scope)
    if not self.names then return fail("EUNSUPPORTED", "Operation not supported by backend: list (name them: names = {...})") end
    local out = core.array {}
    for _, name in ipairs(self.names) do
        if self.env(self.prefix .. name) ~= nil and (not agent or (scope and scope:allows(agent, name))) then out[#out + 1] = name end
    end
    return out
end

function Env.set() return fail("EUNSUPPORTED", "Operation not supported by backend: set") end
function Env.delete() return fail("EUNSUPPORTED", "Operation not supported by backend: delete") end
function Env.close() return nil end

local env_options = { backend = true, prefix = true, names = true, env = true, scope = true, audit = true, audit_mode = true, redactor = true }

local function open_env(o)
    return setmetatable({ name = "env", prefix = o.prefix or "", names = o.names, env = o.env or os.getenv }, Env)
end

-- ---- stores ----------------------------------------------------------------------------------------------------------------

local Store = {}
Store.__index = Store
Store.__tostring = function(self) return "symbi secrets (" .. tostring(self.backend and self.backend.name) .. ")" end -- and not what opens them

local OPERATION = { get = "get_secret", list = "list_secrets", set = "set_secret", delete = "delete_secret" }

local function entry(self, agent, operation, key, outcome, code)
    local event = { type = "secret_access", operation = OPERATION[operation], backend = self.backend.name, outcome = outcome }
    event.secret_key = key
    event.error = code
    event.reason = event.operation .. (key and " " .. key or "") .. ": " .. outcome -- for who reads the trail
    return { agent_id = agent or "", event = event }
end

-- True, or nil and why not; in permissive mode always true.
local function record(self, agent, operation, key, outcome, code)
    if not self.audit then return true end
    if key and not C.valid_key(key) then key = "(invalid)" end
    local ok, message, err = self.audit:commit(entry(self, agent, operation, key, outcome, code), { durable = outcome ~= "attempt" })
    if ok or self.permissive then return true end
    local m = "Audit logging failed (strict mode): " .. tostring(message)
    return nil, m, core.error(err and err.code or "EIO", m)
end

-- An access between its two entries. What was read is given out only after the second one is written.
local function access(self, agent, operation, key, f)
    local ok, message, err = record(self, agent, operation, key, "attempt")
    if not ok then return nil, message, err end
    local value
    value, message, err = f()
    local good = value ~= nil
    local logged, m, e = record(self, agent, operation, key, good and "success" or "failure", not good and (err and err.code or "EIO") or nil)
    if not logged then return nil, m, e end
    if not good then return nil, message, err end
    return value
end

local function check_key(key, level)
    if type(key) ~= "string" then error("symbi.secrets: the name of a secret is a string, got " .. type(key), level + 1) end
end

local function remember(self, value)
    local ok, message, err = (self.own_redactor or known):add(value)
    if not ok then return nil, message, err end
    return value
end

local function do_get(self, key, agent)
    return access(self, agent, "get", key, function()
        local value, message, err = self.backend:get(key, agent, self.scope)
        if value == nil then return nil, message, err end
        return remember(self, value)
    end)
end

local function do_list(self, agent)
    return access(self, agent, "list", nil, function() return self.backend:list(agent, self.scope) end)
end

-- Writing asks the scope for "write".
local function do_write(self, operation, key, value, agent)
    return access(self, agent, operation, key, function()
        if agent and not (self.scope and self.scope:allows(agent, key, "write")) then
            return fail("EDENIED", "Permission denied accessing secret: %s", key:sub(1, 128):gsub("%c", "?"))
        end
        if operation == "set" then
            local ok, message, err = remember(self, value)
            if not ok then return nil, message, err end
        end
        return self.backend[operation](self.backend, key, value, agent)
    end)
end

function Store:get(key) check_key(key, 2) return do_get(self, key) end
function Store:list() return do_list(self) end
function Store:set(key, value)
    check_key(key, 2)
    if type(value) ~= "string" then error("symbi.secrets: a value is a string, got " .. type(value), 2) end
    return do_write(self, "set", key, value)
end
function Store:delete(key) check_key(key, 2) return do_write(self, "delete", key) end
function Store:rotate_key(new)
    if not self.backend.rotate_key then return fail("EUNSUPPORTED", "Operation not supported by backend: rotate_key") end
    return access(self, nil, "set", nil, function() return self.backend:rotate_key(new) end)
end
function Store:import(map, overwrite)
    if not self.backend.import then return fail("EUNSUPPORTED", "Operation not supported by backend: import") end
    return access(self, nil, "set", nil, function() return self.backend:import(map, overwrite) end)
end

--- text without the values that this store (or, without a redactor of its own, any store) has handed out.
function Store:redact(text)
    if self.own_redactor then return self.own_redactor:apply(text) end
    return M.redact(text)
end

function Store:close()
    self.backend:close()
    if self.own_scope then self.scope:close() end
    self.closed = true
end

local View = {}
View.__index = View

--- What one agent gets: the same functions within its scope.
function Store:for_agent(id)
    if type(id) ~= "string" or id == "" then error("symbi.secrets: an agent has a name", 2) end
    return setmetatable({ store = self, agent = id }, View)
end
function View:get(key) check_key(key, 2) return do_get(self.store, key, self.agent) end
function View:list() return do_list(self.store, self.agent) end
function View:set(key, value)
    check_key(key, 2)
    if type(value) ~= "string" then error("symbi.secrets: a value is a string, got " .. type(value), 2) end
    return do_write(self.store, "set", key, value, self.agent)
end
function View:delete(key) check_key(key, 2) return do_write(self.store, "delete", key, nil, self.agent) end

local function check_options(o, allowed, backend)
    for k in pairs(o) do
        if not allowed[k] then error("symbi.secrets.open: the backend " .. backend .. " has no option '" .. tostring(k) .. "'", 3) end
    end
end

--- Opens a store. backend = "file": path, key (text, or a function that gives it; default secrets.master_key), key_file, encrypted = true,
-- kind = "envelope" ("raw": a base64 key; "shell": read only), format of what is in it ("json"), legacy_kdf, upstream (write what today's
-- runtime reads). backend = "env": prefix, names. backend = "vault": see symbi.secrets.vault. All: scope (table or object), audit,
-- audit_mode ("strict"), redactor.
function M.open(o)
    if type(o) ~= "table" then error("symbi.secrets.open: a table of options is expected", 2) end
    local backend, message, err
    if o.backend == "file" then
        check_options(o, file_options, "file")
        backend = open_file(o)
    elseif o.backend == "env" then
        check_options(o, env_options, "env")
        backend = open_env(o)
    elseif o.backend == "vault" then
        backend, message, err = require("symbi.secrets.vault").open(o)
        if not backend then return nil, message, err end
    else
        error("symbi.secrets.open: backend must be \"file\", \"env\" or \"vault\"", 2)
    end
    if o.audit_mode ~= nil and o.audit_mode ~= "strict" and o.audit_mode ~= "permissive" then error("symbi.secrets.open: audit_mode must be \"strict\" or \"permissive\"", 2) end
    local self = setmetatable({ backend = backend, audit = o.audit, permissive = o.audit_mode == "permissive", own_redactor = o.redactor, scope = o.scope }, Store)
    if type(o.scope) == "table" then
        self.scope, message, err = C.scope(o.scope)
        if not self.scope then return nil, message, err end
        self.own_scope = true
    end
    return self
end

--- A store from the runtime's configuration: {type="file", path=, format=, encryption={enabled=, key={provider=, env_var=, file_path=}}} or
-- {type="vault", url=, auth={method=, ...}, namespace=, mount_path=, api_version=}; options: scope, audit, redactor.
function M.from_config(config, options)
    return require("symbi.secrets.config").open(config, options)
end

-- ---- references ---------------------------------------------------------------------------------------------------------------

local SCHEMES = { secret = true, vault = true, file = true, env = true }

--- "secret://key", "vault://key", "file://key", "env://NAME": scheme and key; nil for any other text.
function M.parse_reference(text)
    if type(text) ~= "string" then return nil end
    local scheme, key = text:match "^(%a+)://(.*)$"
    if scheme and SCHEMES[scheme] then return scheme, key end
end

local Resolver = {}
Resolver.__index = Resolver

--- stores: {secret = store, vault = store, file = store, env = store or true}. What a reference names is found there or is an error: there is
-- no other place that is asked then, and never the text itself.
function M.resolver(stores)
    local s = {}
    for k, v in pairs(stores) do
        if not SCHEMES[k] then error("symbi.secrets.resolver: unknown scheme '" .. tostring(k) .. "'", 2) end
        s[k] = v
    end
    if s.env == true then s.env = M.open { backend = "env" } end
    return setmetatable({ stores = s }, Resolver)
end

--- A text: what it refers to, or the text itself when it is no reference. agent: within that agent's scope.
function Resolver:resolve(text, agent)
    local scheme, key = M.parse_reference(text)
    if not scheme then return text end
    local store = self.stores[scheme]
    if not store then return fail("ENOTFOUND", "%s://: no such store is configured", scheme) end
    if not C.valid_key(key) then return fail("EINVAL", "Invalid secret key format: a reference is %s://NAME", scheme) end
    if agent then return store:for_agent(agent):get(key) end
    return store:get(key)
end

--- A copy of a table with every reference in it resolved, or nil, message, err.
function Resolver:expand(t, agent, depth)
    if type(t) == "string" then return self:resolve(t, agent) end
    if type(t) ~= "table" then return t end
    depth = depth or 0
    if depth > 32 then return fail("ELIMIT", "the table is nested too deeply") end
    local out = {}
    for k, v in pairs(t) do
        local value, message, err = self:expand(v, agent, depth + 1)
        if value == nil then return nil, message, err end
        out[k] = value
    end
    return setmetatable(out, getmetatable(t))
end

return M
