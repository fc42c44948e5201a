--- symbi.schemapin.skill: skill folders and single files: the walk and the reading. Which paths may be there, the hash and the
-- verdict are C's (symbi.core.schemapin.folder); what cannot be read spoils the folder, so that nothing unseen passes.
local symbi = require "symbi"
local core = require("symbi.core").schemapin
local schemapin = require "symbi.schemapin"

local M = {}
local NAME = ".schemapin.sig"
local MAX_FILE = 256 * 1024 * 1024

local function io() return symbi.io end
local function last_part(path) return (path:gsub("/+$", ""):match("([^/]*)$")) end

--- The folder's own name, also for "." and "..".
local function dir_name(dir)
    local name = last_part(dir)
    if name == "" or name == "." or name == ".." then
        local real = io().realpath and io().realpath(dir)
        if real then name = last_part(real) end
    end
    return name
end

local function feed(folder, path, full)
    local bytes, message, err = io().read_file_info(full, { max = MAX_FILE, follow = false })
    if not bytes then return nil, message, err end
    local ok
    ok, message, err = folder:data(bytes)
    if not ok then return nil, message, err end
    ok, message, err = folder:finish()
    return ok, message, err, path
end

-- One folder's entries; depth is bounded by C's limit on paths. false: refused or unreadable, which the folder itself remembers.
local function walk(folder, base, prefix)
    local entries, message = io().list_dir(base .. "/" .. prefix, core.limits.files)
    if not entries then
        folder:spoil((prefix == "" and base or prefix) .. ": " .. tostring(message))
        return false
    end
    for _, e in ipairs(entries) do
        local path = prefix .. e.name
        local wanted = folder:begin(path, e.type)
        if wanted == nil then return false end
        if wanted then
            local ok, why = feed(folder, path, base .. "/" .. path)
            if not ok then
                folder:spoil(path .. ": " .. tostring(why))
                return false
            end
        end
        if e.type == "directory" and not walk(folder, base, path .. "/") then return false end
    end
    return true
end

--- The hashed folder, whatever is in it: what was refused shows when it is used.
function M.hash_folder(dir, options)
    local folder, message, err = core.folder(options and options.lenient)
    if not folder then return nil, message, err end
    walk(folder, (dir:gsub("/+$", "")), "")
    return folder
end

--- Root hash in hex and the manifest {path = "sha256:..."}. options.lenient: skip links and nested signature files instead of
-- refusing the folder.
function M.canonicalize_skill(dir, options)
    local folder, message, err = M.hash_folder(dir, options)
    if not folder then return nil, message, err end
    local root
    root, message, err = folder:root()
    if not root then return nil, message, err end
    return root, folder:manifest()
end

function M.parse_skill_name(dir)
    local text = io().read_file(dir .. "/SKILL.md", 1024 * 1024)
    return core.skill_name(text or nil, dir_name(dir))
end

--- The text of a folder's signature file; nil without an error when there is none.
function M.load_signature_text(dir)
    local text, message, err = io().read_file_info(dir .. "/" .. NAME, { max = core.limits.signature, follow = false })
    if text then return text end
    if err.code == "ENOTFOUND" then return nil end
    return nil, message, err
end

--- The signature file as a table.
function M.load_signature(dir)
    local text, message, err = M.load_signature_text(dir)
    if not text then
        message = message or ("No " .. NAME .. " found in skill directory")
        return nil, message, err or symbi.error("ENOTFOUND", message)
    end
    return symbi.json.decode(text)
end

--- Signs a folder and writes its .schemapin.sig. options: domain (required), skill_name, signer_kid, expires_in (seconds),
-- schema_version, previous_hash, canonicalization, now; write = false: only return it. Returns the document and its text.
function M.sign_skill(dir, private_key, options)
    local folder, message, err = M.hash_folder(dir)
    if not folder then return nil, message, err end
    local text
    text, message, err = core.skill_sign(folder, private_key, {
        skill_name = options.skill_name or M.parse_skill_name(dir), domain = options.domain, signer_kid = options.signer_kid,
        expires_in = options.expires_in, schema_version = options.schema_version, previous_hash = options.previous_hash,
        canonicalization = options.canonicalization, now = schemapin.now_of(options),
    })
    if not text then return nil, message, err end
    if options.write ~= false then
        local ok
        ok, message, err = io().write_file(dir .. "/" .. NAME, text, 420) -- 0644
        if not ok then return nil, message, err end
    end
    return symbi.json.decode(text), text
end
M.sign_with_options = M.sign_skill

local COPY = { "tool_id", "domain", "ignore_metadata", "allow_single", "only_pinned", "dns_fingerprint", "refuse_expired", "max_age", "expected_version", "expected_previous" }
local KNOWN = { dir = true, path = true, folder = true, signature = true, discovery = true, revocation = true, pins = true, now = true, lenient = true, dns_txt = true, resolver = true }
for _, k in ipairs(COPY) do KNOWN[k] = true end

local function check(o, folder, signature, file, name)
    for k in pairs(o) do -- "only_pined" must not be no option at all
        if not KNOWN[k] then error("unknown option '" .. tostring(k) .. "'", 3) end
    end
    local ok, discovery, revocation = schemapin.read_documents(o, o.tool_id)
    if not ok then
        if discovery then return nil, discovery, revocation end
        return revocation -- a refusal
    end
    local c = { folder = folder, signature = signature, file = file, dir_name = name, discovery = discovery, revocation = revocation, now = schemapin.now_of(o) }
    for _, k in ipairs(COPY) do
        if o[k] ~= symbi.null then c[k] = o[k] end
    end
    if o.dns_txt and o.dns_txt ~= symbi.null then c.dns_fingerprint = o.dns_txt.fingerprint end
    return schemapin.with_pins(o.pins, function(pins)
        c.pins = pins
        return core.check_skill(c)
    end)
end

--- Checks a folder against documents at hand: {dir=, discovery=, signature=table or text instead of the file, revocation=, pins=,
-- tool_id=, domain=the domain whose discovery document this is, lenient=, refuse_expired=, dns_txt=, now=, ...}.
function M.verify_skill_offline(o)
    local signature, message, err = o.signature
    if signature == nil then
        signature, message, err = M.load_signature_text(o.dir)
        if not signature and err then return nil, message, err end
    end
    local folder = o.folder -- hashed already, from the bytes that the caller uses
    if not folder then
        folder, message, err = M.hash_folder(o.dir, { lenient = o.lenient })
        if not folder then return nil, message, err end
    end
    return check(o, folder, signature, false, dir_name(o.dir))
end
M.verify_skill = M.verify_skill_offline

--- The same, with the fingerprint of a DNS TXT record (o.dns_txt, from parse_txt_record) that must be the key's.
M.verify_skill_with_dns = M.verify_skill_offline

--- Looks up o.domain (else the domain the signature file names) with o.resolver, and verifies.
function M.verify_skill_with_resolver(o)
    local domain = o.domain
    if not domain then
        local signature = o.signature
        if signature == nil then
            local text, message, err = M.load_signature_text(o.dir)
            if not text and err then return nil, message, err end
            signature = text
        end
        if type(signature) == "string" then signature = symbi.json.decode(signature) end
        domain = type(signature) == "table" and type(signature.domain) == "string" and signature.domain or nil
        if not domain then -- unsigned, or without a domain: the check says so
            local c = {}
            for k, v in pairs(o) do c[k] = v end
            return M.verify_skill_offline(c)
        end
    end
    local found = o.resolver:resolve(domain)
    if found.code then return core.refusal{ code = found.code, message = found.message, domain = domain, tool_id = o.tool_id, now = schemapin.now_of(o) } end
    local c = {}
    for k, v in pairs(o) do c[k] = v end
    c.resolver, c.discovery, c.revocation, c.domain = nil, found.discovery, found.revocation, found.domain or domain
    c.dns_fingerprint = found.dns_fingerprint or o.dns_fingerprint
    return M.verify_skill_offline(c)
end

-- ---- one file: a tool manifest with its FILE.sig -------------------------------------------------------------------------------------

local function hash_file(path)
    local folder, message, err = core.folder()
    if not folder then return nil, message, err end
    local name = last_part(path)
    local ok
    ok, message, err = folder:begin(name, "file")
    if ok == nil then return nil, message, err end
    if not ok then return nil, "a signature file is not signed", symbi.error("EINVAL", "a signature file is not signed") end
    ok, message, err = feed(folder, name, path)
    if not ok then return nil, message, err end
    return folder, name
end

--- Signs one file as a folder of one and writes FILE.sig; options as sign_skill's (skill_name: else the file's name).
function M.sign_file(path, private_key, options)
    local folder, name, err = hash_file(path)
    if not folder then return nil, name, err end
    local text, message
    text, message, err = core.skill_sign(folder, private_key, {
        skill_name = options.skill_name or name, domain = options.domain, signer_kid = options.signer_kid, expires_in = options.expires_in,
        schema_version = options.schema_version, previous_hash = options.previous_hash, canonicalization = options.canonicalization,
        file = true, now = schemapin.now_of(options),
    })
    if not text then return nil, message, err end
    if options.write ~= false then
        local ok
        ok, message, err = io().write_file(path .. ".sig", text, 420)
        if not ok then return nil, message, err end
    end
    return symbi.json.decode(text), text
end

--- {path=, signature=instead of PATH.sig, discovery=, domain=, ...}: the result speaks of SHA-256 of the file's bytes.
function M.verify_file(o)
    local folder, name, err = hash_file(o.path)
    if not folder then return nil, name, err end
    local signature = o.signature
    if signature == nil then
        local text, message, e = io().read_file_info(o.path .. ".sig", { max = core.limits.signature, follow = false })
        if not text and e.code ~= "ENOTFOUND" then return nil, message, e end
        signature = text or nil
    end
    return check(o, folder, signature, true, name)
end

return M
