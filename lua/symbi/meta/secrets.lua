---@meta symbi.secrets

---@class symbi.secrets.OpenOptions
---@field backend? "file"|"env"|"vault"
---@field path? string
---@field key? string|fun(): string?
---@field key_file? string
---@field encrypted? boolean
---@field kind? "envelope"|"raw"|"shell"
---@field format? "json"|"toml"|"yaml"|"env"
---@field legacy_kdf? boolean
---@field upstream? boolean write what today's runtime reads
---@field prefix? string of backend env
---@field names? string[] of backend env
---@field env? fun(name: string): string?
---@field url? string of backend vault
---@field auth? table of backend vault
---@field mount_path? string
---@field api_version? string
---@field namespace? string
---@field insecure_loopback? boolean
---@field field? string
---@field scope? symbi.secrets.Scope|table<string, string[]>
---@field audit? symbi.audit.Writer
---@field audit_mode? "strict"|"permissive"
---@field redactor? symbi.secrets.Redactor
---@field [string] any

--- The operator's own access: no scope.
---@class symbi.secrets.Store
local Store = {}
---@param key string
---@return string? value, string? message, symbi.Failure? err
function Store:get(key) end
---@return string[]? keys, string? message, symbi.Failure? err
function Store:list() end
---@param key string
---@param value string
---@return boolean? ok, string? message, symbi.Failure? err
function Store:set(key, value) end
---@param key string
---@return boolean? ok, string? message, symbi.Failure? err
function Store:delete(key) end
---@param new string
---@return any ok, string? message, symbi.Failure? err
function Store:rotate_key(new) end
---@param map symbi.secrets.Map
---@param overwrite? boolean
---@return integer? count, string? message, symbi.Failure? err
function Store:import(map, overwrite) end
---@param text string
---@return string
function Store:redact(text) end
---@param id string
---@return symbi.secrets.View
function Store:for_agent(id) end
function Store:close() end

--- What one agent gets.
---@class symbi.secrets.View
local View = {}
---@param key string
---@return string? value, string? message, symbi.Failure? err
function View:get(key) end
---@return string[]? keys, string? message, symbi.Failure? err
function View:list() end
---@param key string
---@param value string
---@return boolean? ok, string? message, symbi.Failure? err
function View:set(key, value) end
---@param key string
---@return boolean? ok, string? message, symbi.Failure? err
function View:delete(key) end

---@class symbi.secrets.Map : userdata
local Map = {}
---@param key string
---@param scope? symbi.secrets.Scope
---@param agent? string
---@return string? value, string? message, symbi.Failure? err
function Map:get(key, scope, agent) end
---@param key string
---@param value string
---@return boolean? ok, string? message, symbi.Failure? err
function Map:set(key, value) end
---@param key string
---@return boolean? ok, string? message, symbi.Failure? err
function Map:delete(key) end
---@param scope? symbi.secrets.Scope
---@param agent? string
---@return string[]
function Map:keys(scope, agent) end
---@return integer
function Map:count() end
---@param key string
---@param options? { kind?: string, upstream?: boolean }
---@return string? text, string? message, symbi.Failure? err
function Map:seal(key, options) end
function Map:close() end

---@class symbi.secrets.Scope : userdata
local Scope = {}
---@param agent string
---@param key string
---@param how? "write"
---@return boolean
function Scope:allows(agent, key, how) end
function Scope:close() end

---@class symbi.secrets.Redactor : userdata
local Redactor = {}
---@param value string
function Redactor:add(value) end
---@generic T
---@param value T
---@return T
function Redactor:apply(value) end
---@generic T
---@param value T
---@return T
function Redactor:mask(value) end
function Redactor:clear() end
---@return integer
function Redactor:count() end
function Redactor:close() end

---@class symbi.secrets.Resolver
local Resolver = {}
--- What a text refers to, or the text itself when it is no reference.
---@param text string
---@param agent? string
---@return string? value, string? message, symbi.Failure? err
function Resolver:resolve(text, agent) end
---@param t table
---@param agent? string
---@return table? copy, string? message, symbi.Failure? err
function Resolver:expand(t, agent) end

---@class symbi.secrets
local M = {}

---@param options symbi.secrets.OpenOptions
---@return symbi.secrets.Store? store, string? message, symbi.Failure? err
function M.open(options) end
---@param config table
---@param options? { scope?: any, audit?: symbi.audit.Writer, redactor?: symbi.secrets.Redactor }
---@return symbi.secrets.Store? store, string? message, symbi.Failure? err
function M.from_config(config, options) end
---@param options symbi.secrets.OpenOptions
---@return symbi.secrets.Map? map, string? message, symbi.Failure? err
function M.read_file(options) end
--- A file that only its owner may read.
---@param path string
---@param what? string
---@param max? integer
---@return string? text, string? message, symbi.Failure? err
function M.read_private(path, what, max) end
---@param env? fun(name: string): string?
---@return any path
function M.master_key_path(env) end
---@param options? { create?: boolean, path?: string, env?: fun(name: string): string? }
---@return string? key, string? source_or_message, symbi.Failure? err
function M.master_key(options) end
--- "secret://key", "vault://key", "file://key", "env://NAME"; nil for any other text.
---@param text string
---@return string? scheme, string? key
function M.parse_reference(text) end
---@param stores table<string, symbi.secrets.Store|true>
---@return symbi.secrets.Resolver
function M.resolver(stores) end
---@param allowed table<string, string[]>
---@return symbi.secrets.Scope? scope, string? message, symbi.Failure? err
function M.scope(allowed) end
---@return symbi.secrets.Redactor
function M.redactor() end
--- Without the values that were handed out.
---@generic T
---@param value T
---@return T
function M.redact(value) end
--- And without what looks like a secret.
---@generic T
---@param value T
---@return T
function M.mask(value) end
function M.forget() end
---@param name string
---@return boolean
function M.sensitive(name) end
---@param key string
---@return boolean
function M.valid_key(key) end

return M
