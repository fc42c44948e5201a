--- symbi.config: settings of the client, from arguments, a file, the environment, .env and defaults, in this order of rank, setting by setting.
--   m = config.manager()             m:load("symbi.yaml"), m:get_config(), m:get_source "api_key", m:reload(), m:save_to_file(path, "yaml")
--   c, message, err = config.load(path), config.get()                     one manager for the whole program
-- Secrets (api_key, auth.jwt_secret_key, database.password) are in no message, and a configuration prints without them.
local core = require "symbi.core"
local errors = require "symbi.errors"
local model = require "symbi.api.model"

local M = {}
local null = core.null
local MAX_FILE = 1024 * 1024

local SECTIONS = { database = "SYMBIONT_DB_", auth = "SYMBIONT_AUTH_", vector = "SYMBIONT_VECTOR_", logging = "SYMBIONT_LOGGING_" }
local SECTION_ORDER = { "database", "auth", "vector", "logging" }
local SECRETS = { api_key = true, ["auth.jwt_secret_key"] = true, ["database.password"] = true }
M.modes = { "strict", "performance", "development" }

local shape = model.get "config.ClientConfig"
local plain, sections = {}, {}
for _, f in ipairs(shape.fields) do
    if SECTIONS[f.name] then sections[f.name] = model.get("config." .. f.type.name) else plain[f.name] = f end
end

local function fail(message, key) return errors.fail("ConfigurationError", message, { config_key = key }) end

-- ---- one value --------------------------------------------------------------------------------------------------------------------

-- A value of a source, in the type of its field. nil, message, err when it does not fit; the value itself is never told.
local function convert(f, value, name, where)
    if value == null then
        if f.nullable then return null end
        return fail(where .. ": " .. name .. " must not be null", name)
    end
    local one, message = model.read(f.type.text, value, {})
    if one == nil then return fail(where .. ": " .. name .. " " .. message:gsub("^the value ", ""), name) end
    if name == "base_url" then one = one:gsub("/+$", "") end
    return one
end

-- ---- the sources --------------------------------------------------------------------------------------------------------------------

-- A layer is { ["api_key"] = value, ["auth.token_issuer"] = value }.

-- What variables say; get(NAME) gives the text of one.
local function from_variables(get, where)
    local layer = {}
    for name, f in pairs(plain) do
        local text = get("SYMBIONT_" .. name:upper())
        if text ~= nil then
            local value, message, err = convert(f, text, name, where .. " SYMBIONT_" .. name:upper())
            if value == nil then return nil, message, err end
            layer[name] = value
        end
    end
    local mode = get "SYMBIONT_VALIDATION_MODE"
    if mode ~= nil then layer.validation_mode = mode end
    for _, s in ipairs(SECTION_ORDER) do
        for _, f in ipairs(sections[s].fields) do
            local variable = SECTIONS[s] .. f.name:upper()
            local text = get(variable)
            if text ~= nil then
                local value, message, err = convert(f, text, s .. "." .. f.name, where .. " " .. variable)
                if value == nil then return nil, message, err end
                layer[s .. "." .. f.name] = value
            end
        end
        local variable = "SYMBIONT_" .. s:upper()
        local text = get(variable)
        if text ~= nil then
            local t = core.json.decode(text)
            if type(t) ~= "table" or core.is_array(t) then return fail(where .. " " .. variable .. " is not a JSON object", s) end
            for key, value in pairs(t) do
                local known
                for _, f in ipairs(sections[s].fields) do if f.name == key then known = f end end
                if not known then return fail(where .. " " .. variable .. ": unknown key '" .. tostring(key) .. "'", s) end
                local got, message, err = convert(known, value, s .. "." .. key, where .. " " .. variable)
                if got == nil then return nil, message, err end
                layer[s .. "." .. key] = got
            end
        end
    end
    return layer
end

-- What a table says (a file, or the arguments); every key must be a setting.
local function from_table(t, where)
    local layer = {}
    for key, value in pairs(t) do
        if sections[key] then
            if type(value) ~= "table" or core.is_array(value) then return fail(where .. ": " .. key .. " must be a mapping", key) end
            for k, v in pairs(value) do
                local known
                for _, f in ipairs(sections[key].fields) do if f.name == k then known = f end end
                local name = key .. "." .. tostring(k)
                if not known then return fail(where .. ": unknown key '" .. name .. "'", name) end
                local got, message, err = convert(known, v, name, where)
                if got == nil then return nil, message, err end
                layer[name] = got
            end
        elseif key == "validation_mode" then
            layer[key] = value
        elseif plain[key] then
            local got, message, err = convert(plain[key], value, key, where)
            if got == nil then return nil, message, err end
            layer[key] = got
        else
            return fail(where .. ": unknown key '" .. tostring(key) .. "'", tostring(key))
        end
    end
    return layer
end

local function slurp(path)
    local f = io.open(path, "rb")
    if not f then return nil end
    local text = f:read(MAX_FILE + 1)
    f:close()
    return text or ""
end

local function from_file(path)
    local ext = path:match "(%.[^./]*)$" or ""
    local kind = ext:lower()
    if kind ~= ".yaml" and kind ~= ".yml" and kind ~= ".json" then return fail("Unsupported config file format: " .. ext) end
    local text = slurp(path)
    if not text then return fail("Configuration file not found: " .. path) end
    if #text > MAX_FILE then return fail("the configuration file " .. path .. " is larger than 1 MiB") end
    local t, message
    if kind == ".json" then
        t, message = core.json.decode(text)
        if t == nil then return fail("Invalid JSON in config file: " .. message) end
    else
        text = text:gsub("^\239\187\191", "")
        if not text:gsub("#[^\n]*", ""):find "%S" then return {} end
        t, message = core.yaml.decode(text)
        if t == nil then return fail("Invalid YAML in config file: " .. message) end
        if t == null then return {} end
    end
    if type(t) ~= "table" or core.is_array(t) then return fail("the configuration file " .. path .. " is no mapping of settings") end
    return from_table(t, path)
end

-- Names of variables are compared without case: as they are in a table, in upper and lower case from the process.
local function environment(given)
    if type(given) == "function" then return given end
    if type(given) == "table" then
        local upper = {}
        for k, v in pairs(given) do upper[tostring(k):upper()] = v end
        return function(name) return upper[name] end
    end
    return function(name) return os.getenv(name) or os.getenv(name:lower()) end
end

-- ---- the whole --------------------------------------------------------------------------------------------------------------------

local Config = { __tostring = function(c) return "symbi configuration (" .. tostring(c.base_url) .. (c.api_key and ", with an API key)" or ", without an API key)") end }

-- A section shows its settings, and of a secret whether there is one.
local Section = {}
function Section.__tostring(t)
    local list = {}
    for k, v in pairs(t) do
        if SECRETS["auth." .. k] or SECRETS["database." .. k] then v = "(secret)" end
        list[#list + 1] = k .. " = " .. tostring(v)
    end
    table.sort(list)
    return "{ " .. table.concat(list, ", ") .. " }"
end

local RANKED = { "argument", "file", "environment", "dotenv" }

local function merge(layers)
    local config, source = setmetatable({}, Config), {}
    local function pick(name, default)
        for _, rank in ipairs(RANKED) do
            local value = layers[rank] and layers[rank][name]
            if value ~= nil then
                source[name] = rank
                if value == null then return nil end
                return value
            end
        end
        source[name] = "default"
        if default == null then return nil end
        return default
    end
    for name, f in pairs(plain) do config[name] = pick(name, f.default) end
    config.validation_mode = pick("validation_mode", "development")
    for s, m in pairs(sections) do
        config[s] = setmetatable({}, Section)
        source[s] = "default"
        for _, f in ipairs(m.fields) do config[s][f.name] = pick(s .. "." .. f.name, f.default) end
        for _, rank in ipairs { "dotenv", "environment", "file", "argument" } do -- a section is said to come from its highest source
            for _, f in ipairs(m.fields) do if source[s .. "." .. f.name] == rank then source[s] = rank end end
        end
    end
    return config, source
end

local function sane(config)
    local timeout, retries = tonumber(config.timeout), tonumber(config.max_retries) -- digits that no number holds are a string
    if timeout ~= timeout or timeout <= 0 or timeout > 86400 * 30 then return fail("timeout must be more than 0 seconds (and less than 30 days)", "timeout") end
    if retries < 0 or retries > 100 then return fail("max_retries must be 0 to 100", "max_retries") end
    local known
    for _, m in ipairs(M.modes) do known = known or m == config.validation_mode end
    if not known then return fail("validation_mode must be strict, performance or development", "validation_mode") end
    return true
end

local Manager = { __tostring = function(self) return self.config and tostring(self.config) or "symbi configuration (not loaded)" end }
Manager.__index = Manager

--- options: env (a table or a function instead of the process's environment), dotenv (a path, false for none; default .env), warn (function).
function M.manager(options)
    if type(options) == "string" then options = { path = options } end
    options = options or {}
    return setmetatable({ options = options, path = options.path, get = environment(options.env) }, Manager)
end

--- Reads all sources. given: settings that were said in the program, which rank above everything.
function Manager:load(path, force, given)
    if self.config and not force and path == nil and given == nil then return self.config end
    path = path or self.path
    given = given or self.given
    local layers = {}
    local message, err, warnings
    if given then
        local timeout = given.timeout
        local rest = given
        if type(timeout) == "number" and timeout % 1 ~= 0 then -- a program may say 0.5
            rest = {}
            for k, v in pairs(given) do if k ~= "timeout" then rest[k] = v end end
        end
        layers.argument, message, err = from_table(rest, "argument")
        if not layers.argument then return nil, message, err end
        if rest ~= given then layers.argument.timeout = timeout end
    end
    if path then
        layers.file, message, err = from_file(path)
        if not layers.file then return nil, message, err end
    end
    layers.environment, message, err = from_variables(self.get, "environment variable")
    if not layers.environment then return nil, message, err end
    local dotenv = self.options.dotenv
    if dotenv == nil then dotenv = ".env" end
    local text = dotenv and slurp(dotenv)
    if text then
        local values
        values, warnings = require("symbi.client.dotenv").parse(text, function(name) return self.get(name:upper()) end)
        if not values then return fail(warnings) end
        layers.dotenv, message, err = from_variables(function(name) return values[name] end, dotenv)
        if not layers.dotenv then return nil, message, err end
    end
    local config, source = merge(layers)
    local ok
    ok, message, err = sane(config)
    if not ok then return nil, message, err end
    for _, w in ipairs(warnings or {}) do if self.options.warn then self.options.warn(w) end end
    self.config, self.source, self.path, self.given, self.warnings = config, source, path, given, warnings or {}
    return config
end

local function loaded(self)
    if self.config then return true end
    return fail "Configuration not loaded. Call load() first."
end

function Manager:get_config()
    local ok, message, err = loaded(self)
    if not ok then return nil, message, err end
    return self.config
end

--- The same sources again: the same file, the same arguments. What was in force stays when they cannot be read.
function Manager:reload() return self:load(self.path, true, self.given) end

--- Where a setting in force comes from: "argument", "file", "environment", "dotenv" or "default". "auth" is its highest source.
function Manager:get_source(name)
    local ok, message, err = loaded(self)
    if not ok then return nil, message, err end
    if not self.source[name] then return fail("unknown setting '" .. tostring(name) .. "'", name) end
    return self.source[name]
end
Manager.get_configuration_source = Manager.get_source

--- What is missing for everything that is switched on: setting -> message. A client needs none of it until it deals with tokens.
function Manager:validate_required_settings()
    local out = {}
    if self.config and self.config.auth.enable_refresh_tokens and not self.config.auth.jwt_secret_key then
        out["auth.jwt_secret_key"] = "JWT secret key required when refresh tokens enabled"
    end
    return out
end

local function dict(config, secrets)
    local out = {}
    local function one(name, value)
        if value == nil or (SECRETS[name] and not secrets) then return null end
        return value
    end
    for name in pairs(plain) do out[name] = one(name, config[name]) end
    for s, m in pairs(sections) do
        out[s] = {}
        for _, f in ipairs(m.fields) do out[s][f.name] = one(s .. "." .. f.name, config[s][f.name]) end
    end
    return out
end

--- The settings as a plain table; secrets are null unless secrets is true.
function Manager:to_dict(secrets)
    local ok, message, err = loaded(self)
    if not ok then return nil, message, err end
    return dict(self.config, secrets)
end

--- Writes the settings (mode 0600). format: "yaml" or "json"; exclude_secrets: default true, they are then null.
function Manager:save_to_file(path, format, exclude_secrets)
    format = format or "yaml"
    local t, message, err = self:to_dict(exclude_secrets == false)
    if not t then return nil, message, err end
    local text
    if format == "json" then text = core.json.encode(t, { pretty = true })
    elseif format == "yaml" then text, message = core.yaml.encode(t)
    else return fail("Unsupported format: " .. tostring(format)) end
    if not text then return fail("the configuration cannot be written: " .. tostring(message)) end
    return require("symbi.io").write_file(path, text .. (text:sub(-1) == "\n" and "" or "\n"), 384)
end

-- ---- the program's own ------------------------------------------------------------------------------------------------------------

local shared
function M.get_config_manager()
    shared = shared or M.manager()
    return shared
end
function M.load(path) return M.get_config_manager():load(path, true) end
function M.get() return M.get_config_manager():get_config() end
M.load_config, M.get_config = M.load, M.get

return M
