--- Signed manifests (spec toolclad.md 21): FILE.sig beside a manifest is checked against the key of the domain that [signing] in toolclad.toml, or the
-- caller, names. What is checked is the very text that is loaded. The checking is C (symbi.schemapin); a manifest that must be signed and is
-- not, or no longer, is not loaded.
--   [signing]
--   domain = "example.com"      whose key
--   mode = "require"            or "warn": load it and say so; "off"
--   discovery = "keys/example.com.json"   its discovery document; revocation and pins likewise: paths from the folder of toolclad.toml
-- A caller gives {domain=, mode=, discovery=, revocation=, pins=, resolver=} with documents and objects of symbi.schemapin instead.
local core = require "symbi.core"

local M = {}

local MODES = { require = true, warn = true, off = true }
local KEYS = { domain = true, mode = true, discovery = true, revocation = true, pins = true }

local function io() return require("symbi").io end

-- What cannot be read counts as "require", and refuses everything.
local function broken(path, message) return { mode = "require", broken = path .. ": signing: " .. message }, path .. ": signing: " .. message end

-- The table of a file, with its documents read.
local function read(path, t)
    if type(t) ~= "table" then return broken(path, "a table is expected") end
    local s, dir = { mode = t.mode or "require", domain = t.domain }, path:match "^(.*)/[^/]*$" or "."
    for k, v in pairs(t) do
        if not KEYS[k] then return broken(path, "unknown key '" .. tostring(k) .. "'") end
        if type(v) ~= "string" or v == "" then return broken(path, k .. ": text is expected") end
    end
    if not MODES[s.mode] then return broken(path, "mode is require, warn or off, not '" .. s.mode .. "'") end
    if s.mode == "off" then return s end
    if not s.domain then return broken(path, "domain is missing: whose key it is") end
    local function at(name) return name:sub(1, 1) == "/" and name or dir .. "/" .. name end
    for _, k in ipairs { "discovery", "revocation" } do
        if t[k] then
            local text, message = io().read_file(at(t[k]), 1048576)
            if not text then return broken(path, k .. ": " .. message) end
            s[k] = text
        end
    end
    if t.pins then s.pins_path = at(t.pins) end
    return s
end

--- What a toolclad.toml says: settings for M.check, or nil when it says nothing (or is not there). Second result: what is wrong with it.
function M.from_file(path)
    local text, message, err = io().read_file(path, core.limits().manifest_bytes)
    if not text then
        if err and err.code == "ENOTFOUND" then return nil end
        return broken(path, tostring(message))
    end
    local doc = require("symbi").toml.decode(text, { source = path })
    if type(doc) ~= "table" then -- the message of the custom types says where; whether anything had to be signed nobody knows
        if text:find("signing", 1, true) then return broken(path, "the file is no TOML") end
        return nil
    end
    if doc.signing == nil then return nil end
    return read(path, doc.signing)
end

-- nil when the text is signed as it must be, else why not.
local function fault(s, path, text)
    if s.broken then return s.broken end
    local schemapin = require("symbi").schemapin
    local o = { path = path, domain = s.domain, discovery = s.discovery, revocation = s.revocation, tool_id = path:match "[^/]*$" }
    if s.resolver then
        local found = s.resolver:resolve(s.domain)
        if found.code then return path .. ": the key of " .. s.domain .. " is not known: " .. tostring(found.message) end
        o.discovery, o.revocation, o.domain, o.dns_fingerprint = found.discovery, found.revocation, found.domain or s.domain, found.dns_fingerprint
    end
    if o.discovery == nil then return path .. ": signing: the discovery document of " .. tostring(s.domain) .. " is not given" end
    o.refuse_expired = true
    local opened, message
    if s.pins_path then
        opened, message = schemapin.pins { path = s.pins_path }
        if not opened then return path .. ": signing: " .. tostring(message) end
    end
    o.pins = opened or s.pins
    local r
    r, message = schemapin.verify_file(o)
    if opened then opened:close() end
    if not r then return path .. ": signing: " .. tostring(message) end
    if not r.valid then return path .. ": " .. (r.status == "unsigned" and "it is not signed" or tostring(r.message or r.code)) .. " (signing by " .. s.domain .. ")" end
    if not r:proves("file", core.crypto.sha256(text), os.time()) then return path .. ": its signature is of another text (signing by " .. s.domain .. ")" end
end

local GIVEN = { domain = true, mode = true, discovery = true, revocation = true, pins = true, resolver = true }

--- Settings of a caller's own, looked over: raises on misuse.
function M.given(t, where)
    if type(t) ~= "table" then error(where .. ": signing is a table, or false", 3) end
    local s = {}
    for k, v in pairs(t) do
        if not GIVEN[k] then error(where .. ": unknown option 'signing." .. tostring(k) .. "'", 3) end
        s[k] = v
    end
    s.mode = s.mode or "require"
    if not MODES[s.mode] then error(where .. ": signing.mode is require, warn or off", 3) end
    if s.mode ~= "off" and type(s.domain) ~= "string" then error(where .. ": signing.domain is missing: whose key it is", 3) end
    return s
end

--- true; or with mode "warn" true and what is wrong; or nil, message, err. text: of the manifest at path, as it is going to be loaded.
function M.check(settings, path, text)
    if not settings or settings.mode == "off" then return true end
    local message = fault(settings, path, text)
    if not message then return true end
    if settings.mode == "warn" then return true, message end
    return nil, message, core.error("EDENIED", message, { path = path })
end

return M
