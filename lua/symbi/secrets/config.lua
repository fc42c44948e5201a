--- symbi.secrets.config: a store from the runtime's configuration (a table with type = "file" or "vault", as its TOML has it). What this
-- build cannot do is an error, never a setting without effect.
local core = require "symbi.core"

local M = {}

local function fail(code, ...)
    local message = string.format(...)
    return nil, message, core.error(code, message)
end

local function table_of(t, name)
    local v = t[name]
    if v == nil or v == core.null then return {} end
    if type(v) ~= "table" then return nil end
    return v
end

-- The first member of t that is not known, for a message.
local function unknown(t, where, names)
    local list = {}
    for k in pairs(t) do
        if not names[k] then list[#list + 1] = tostring(k) end
    end
    table.sort(list)
    if list[1] then return fail("ESCHEMA", "Configuration error: %s%s is no setting that is known", where, list[1]) end
    return true
end

local function file_key(encryption)
    local key = table_of(encryption, "key")
    if not key then return fail("ESCHEMA", "Configuration error: encryption.key must be a table") end
    local provider = key.provider
    if provider == nil then return {} end
    if provider == "env" then
        local name = key.env_var or "SYMBIONT_MASTER_KEY"
        return { key = function()
            local v = os.getenv(name)
            if v == nil or v == "" then return fail("ENOTFOUND", "Configuration error: the key is to come from %s, which is not set", name) end
            return v
        end }
    end
    if provider == "file" then
        if type(key.file_path) ~= "string" then return fail("ESCHEMA", "Configuration error: encryption.key.file_path is missing") end
        return { key_file = key.file_path }
    end
    if provider == "os_keychain" then return fail("EUNSUPPORTED", "Configuration error: desktop keychains are not supported; use env or file") end
    return fail("ESCHEMA", "Configuration error: encryption.key.provider must be \"env\" or \"file\", not %s", tostring(provider))
end

local function file(c)
    local ok, message, err = unknown(c, "", { type = true, path = true, format = true, encryption = true, permissions = true, watch_for_changes = true, backup = true, common = true })
    if not ok then return nil, message, err end
    local encryption, backup = table_of(c, "encryption"), table_of(c, "backup")
    if type(c.path) ~= "string" or not encryption or not backup then return fail("ESCHEMA", "Configuration error: path must be a text; encryption and backup are tables") end
    ok, message, err = unknown(encryption, "encryption.", { enabled = true, algorithm = true, kdf = true, key = true, legacy_kdf = true })
    if not ok then return nil, message, err end
    if backup.enabled then return fail("EUNSUPPORTED", "Configuration error: backup.enabled is not supported (a change never damages the old file)") end
    local p = c.permissions
    if p ~= nil and p ~= core.null and p ~= 384 and p ~= 600 and p ~= "600" and p ~= "0600" then return fail("EUNSUPPORTED", "Configuration error: the file has mode 0600; permissions cannot say otherwise") end
    local o = { backend = "file", path = c.path, format = c.format, encrypted = encryption.enabled == true }
    if o.encrypted then
        if encryption.algorithm ~= nil and encryption.algorithm ~= "AES-256-GCM" then return fail("EUNSUPPORTED", "Configuration error: encryption.algorithm must be AES-256-GCM") end
        local key
        key, message, err = file_key(encryption)
        if not key then return nil, message, err end
        o.key, o.key_file = key.key, key.key_file
        o.upstream, o.legacy_kdf = true, encryption.legacy_kdf == true -- the runtime reads the file too
    end
    return o
end

local function vault(c, options)
    local ok, message, err = unknown(c, "", { type = true, url = true, auth = true, namespace = true, mount_path = true, api_version = true, tls = true, connection = true, common = true })
    if not ok then return nil, message, err end
    local tls, connection, auth = table_of(c, "tls"), table_of(c, "connection"), table_of(c, "auth")
    if not tls or not connection or not auth then return fail("ESCHEMA", "Configuration error: auth, tls and connection are tables") end
    if tls.skip_verify then return fail("EDENIED", "Configuration error: tls.skip_verify is refused: certificates are always checked") end
    for _, k in ipairs { "ca_cert", "client_cert", "client_key" } do
        if tls[k] ~= nil and tls[k] ~= core.null then return fail("EUNSUPPORTED", "Configuration error: tls.%s is not supported; add the authority to the system's", k) end
    end
    if auth.method == "aws" then return fail("EUNSUPPORTED", "Configuration error: Vault's aws authentication is not supported") end
    local seconds = connection.request_timeout_seconds
    return {
        backend = "vault", url = c.url, auth = auth, namespace = c.namespace ~= core.null and c.namespace or nil, mount_path = c.mount_path, api_version = c.api_version,
        timeout_ms = type(seconds) == "number" and seconds * 1000 or nil, insecure_loopback = options.insecure_loopback, http = options.http,
    }
end

--- options: scope, audit, redactor, and for Vault insecure_loopback and http, as of symbi.secrets.open.
function M.open(config, options)
    options = options or {}
    if type(config) ~= "table" then error("symbi.secrets.from_config: a table is expected", 3) end
    local o, message, err
    if config.type == "file" then o, message, err = file(config)
    elseif config.type == "vault" then o, message, err = vault(config, options)
    else return fail("ESCHEMA", "Configuration error: type must be \"file\" or \"vault\", not %s", tostring(config.type)) end
    if not o then return nil, message, err end
    local common = table_of(config, "common")
    local audit = common and table_of(common, "audit")
    if not common or not audit then return fail("ESCHEMA", "Configuration error: common and common.audit are tables") end
    if next(audit) ~= nil and not options.audit then
        return fail("EINVAL", "Configuration error: common.audit asks for a trail, and none was given (audit = symbi.audit.open(...))")
    end
    local mode = audit.failure_mode
    if mode ~= nil and mode ~= "strict" and mode ~= "permissive" then return fail("ESCHEMA", "Configuration error: common.audit.failure_mode must be \"strict\" or \"permissive\"") end
    o.audit, o.audit_mode, o.scope, o.redactor = options.audit, mode, options.scope, options.redactor
    return require("symbi.secrets").open(o)
end

return M
