--- symbi.agentpin, what is in files: pin stores, trust bundles, key pairs. Whether a text is a pin store or a bundle, and what becomes of
-- two stores that are merged, C decides.
local symbi_core = require "symbi.core"
local core = symbi_core.agentpin
local json = symbi_core.json
local symio = require "symbi.io"

local M = {}

local function fail(code, ...)
    local message = string.format(...)
    return nil, message, symbi_core.error(code, message)
end

-- ---- pin stores -----------------------------------------------------------------------------------------------------------

local Store = {}
Store.__index = Store
M.Store = Store

-- Through a symbolic link the file that it names is locked and replaced, not the link: two names of one store stay one store.
local function target(path) return (symio.realpath(path)) or path end
local function lock_of(path) return target(path) .. ".lock" end

-- Has the store ever been written? Its lock file remembers, which is empty before.
local function was_there(path)
    local info = symio.stat(lock_of(path))
    return info and info.size > 0 or false
end

-- The store on disk; nil, nil when there is none yet. One that was there and is gone is an error: starting anew would forget every pin.
local function read(path)
    local text, info, err = symio.read_file_info(path, { max = 64 * 1024 * 1024 })
    if not text then
        if type(err) == "table" and err.code == "ENOTFOUND" then
            if symio.stat(path, { follow = false }) then return fail("PIN_STORE_INVALID", "the pin store %s is a link to a file that is not there", path) end
            if not was_there(path) then return nil end
            return fail("PIN_STORE_INVALID", "the pin store %s is gone: put it back, or remove %s to start without any pin", path, lock_of(path))
        end
        return nil, string.format("the pin store %s cannot be read: %s", path, tostring(info)), err
    end
    if math.floor(info.mode / 16) % 2 == 1 or math.floor(info.mode / 2) % 2 == 1 then -- the write bits of group and others
        return fail("PIN_STORE_INVALID", "the pin store %s may be written by others (mode %o): chmod 600 it, and look whether its pins are yours", path, info.mode % 4096)
    end
    local pins, message, why = core.pins_parse(text)
    if not pins then return nil, path .. ": " .. message, why end
    return pins
end

--- open_pin_store(path[, {runtime=false, must_exist=false}]): the pins of a file (mode 0600). A file that cannot be read, or was there and is
-- gone, is an error, never an empty store; one that does not exist yet is a new store, unless must_exist. runtime: written in the runtime's form (both are read).
function M.open_pin_store(path, options)
    options = options or {}
    local pins, message, err = read(path)
    if not pins and message then return nil, message, err end
    if not pins and options.must_exist then return fail("ENOTFOUND", "there is no pin store at %s", path) end
    return setmetatable({ pins = pins or core.pins(), path = path, runtime = options.runtime == true }, Store)
end

--- Writes the store: under a lock, what is on disk by now is merged in first, then the whole is written beside, synced and renamed.
-- Returns true and the number of conflicts: domains for which another process pinned another key first. Its key stays.
function Store:save()
    local lock, message, err = symio.lock(lock_of(self.path))
    if not lock then return nil, message, err end
    local function done(...)
        lock:close()
        return ...
    end
    local disk
    disk, message, err = read(self.path)
    if not disk and message then return done(nil, message, err) end
    local conflicts = 0
    if disk then
        conflicts, message, err = self.pins:merge(disk)
        disk:close()
        if not conflicts then return done(nil, message, err) end
    end
    local text
    text, message, err = self.pins:to_json(self.runtime)
    if not text then return done(nil, message, err) end
    local ok
    ok, message, err = symio.write_file(target(self.path), text .. "\n", tonumber("600", 8))
    if ok and not was_there(self.path) then ok, message, err = symio.append_file(lock_of(self.path), "the pin store beside this was made\n", { sync = true }) end
    if not ok then return done(nil, message, err) end
    self.pins:saved()
    return done(true, conflicts)
end

for _, name in ipairs { "check", "add_key", "remove", "get_domain", "list", "count", "changed", "to_json" } do
    Store[name] = function(self, ...) return self.pins[name](self.pins, ...) end
end

--- Gives the memory back; what was not saved is lost.
function Store:close() self.pins:close() end

-- ---- trust bundles --------------------------------------------------------------------------------------------------------

--- load_trust_bundle(path[, {strict=false, now=, max_age_secs=, not_before=, previous=}]): the bundle as a table. previous: the bundle in use (or
-- its created_at): an older one is refused (BUNDLE_DOWNGRADE).
function M.load_trust_bundle(path, options)
    local text, message, err = symio.read_file(path, core.limits.bundle)
    if not text then return nil, message, err end
    local bundle
    bundle, message = json.decode(text)
    if bundle == nil then return fail("BUNDLE_INVALID", "%s: %s", path, message) end
    local rules = {}
    for k, v in pairs(options or {}) do rules[k] = v end
    local previous = rules.previous
    rules.previous = nil
    if type(previous) == "table" then previous = previous.created_at end
    rules.not_before = rules.not_before or previous
    if type(bundle) ~= "table" then return fail("BUNDLE_INVALID", "%s: the trust bundle is not a JSON object", path) end
    local ok
    ok, message, err = core.bundle_check(bundle, rules)
    if not ok then return nil, path .. ": " .. message, err end
    return bundle
end

--- save_trust_bundle(bundle, path): pretty JSON, whole or not at all.
function M.save_trust_bundle(bundle, path)
    local ok, message, err = core.bundle_check(bundle, {})
    if not ok then return nil, message, err end
    local doc
    doc, message, err = core.document(bundle)
    if not doc then return nil, message, err end
    local text
    text, message, err = doc:json(true)
    doc:close()
    if not text then return nil, message, err end
    return symio.write_file(path, text .. "\n")
end

-- ---- key pairs ------------------------------------------------------------------------------------------------------------

--- save_key_pair(keys, dir, name): name.private.pem (0600 from the start, never over a file that exists), name.public.pem, name.public.jwk.json.
function M.save_key_pair(keys, dir, name, kid)
    if not name:find("^[%w%-_%.]+$") or name:find("^%.") then return fail("EINVAL", "'%s' is no good as a file name: letters, digits, . _ - only", name) end
    local base = dir .. "/" .. name
    if symio.stat(base .. ".private.pem", { follow = false }) then return fail("EEXISTS", "%s.private.pem exists already: a private key is never overwritten", base) end
    local jwk, message, err = core.jwk(keys.public_key_pem, kid or name)
    if not jwk then return nil, message, err end
    local doc = core.document(jwk)
    local ok
    ok, message, err = symio.write_file(base .. ".private.pem", keys.private_key_pem, tonumber("600", 8))
    if ok then ok, message, err = symio.write_file(base .. ".public.pem", keys.public_key_pem) end
    if ok then ok, message, err = symio.write_file(base .. ".public.jwk.json", doc:json(true) .. "\n") end
    doc:close()
    if not ok then return nil, message, err end
    return { private = base .. ".private.pem", public = base .. ".public.pem", jwk = base .. ".public.jwk.json" }
end

return M
