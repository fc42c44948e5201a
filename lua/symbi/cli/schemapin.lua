--- symbi-lua schemapin keygen|sign|verify|pin|skill: SchemaPin from a shell. Exit status: 0 fine, 1 refused or failed, 2 misuse. A
-- private key goes into a file that is made with mode 0600, and is never printed.
local args = require "symbi.cli.args"
local as_json = args.json
local M = {}

local usage = [[
usage: symbi-lua schemapin keygen [--output-dir DIR] [--prefix schemapin] [--well-known] [--developer NAME] [--contact C]
                                  [--revocation-endpoint URL] [--force] [--json]
       symbi-lua schemapin sign --schema FILE|- --key PRIVATE [--output FILE] [--expires-in SECONDS] [--schema-version V]
                                [--previous-hash H] [--signature-only] [--json]
       symbi-lua schemapin sign --file FILE --key PRIVATE --domain D [--kid K] [--expires-in SECONDS] [--schema-version V]
       symbi-lua schemapin verify --schema FILE|- [--signature S|--embedded] --domain D [--tool-id T] [SOURCE] [TRUST] [--json]
       symbi-lua schemapin verify --file FILE [--domain D] [SOURCE] [TRUST] [--json]
       symbi-lua schemapin skill sign DIR --key PRIVATE --domain D [--name N] [--kid K] [--expires-in SECONDS]
                                [--schema-version V] [--previous-hash H]
       symbi-lua schemapin skill verify DIR [--domain D] [SOURCE] [TRUST] [--lenient] [--json]
       symbi-lua schemapin skill hash DIR [--lenient] [--json]
       symbi-lua schemapin pin list|add TOOL DOMAIN|remove TOOL DOMAIN|policy DOMAIN [POLICY]
                                [--pin-store FILE] [--public-key FILE|--fingerprint F] [--replace] [--json]

SOURCE: --public-key FILE, or --discovery FILE [--revocation FILE], or --discovery-dir DIR, or --bundle FILE [--authority
FINGERPRINT ...]; without one the domain itself is asked, over https, without redirects and never inside the local network.
TRUST:  --pin-store FILE (default: $SYMBI_SCHEMAPIN_PINS, else ~/.symbiont/schemapin/pins.json), --no-pins, --only-pinned,
        --strict (an expired signature, and members that appear twice, are refused), --expect-version V, --expect-previous H,
        --allow-single-hash (what SchemaPin's Go signs), --allow-runtime-form (the Symbiont runtime's own form, embedded),
        --now SECONDS.
POLICY: default, always_trust, never_trust, interactive_only.]]

local SOURCE = {
    domain = "text", ["tool-id"] = "text", ["public-key"] = "text", discovery = "text", revocation = "text", ["discovery-dir"] = "text", bundle = "text", authority = "list",
    ["pin-store"] = "text", ["no-pins"] = "flag", ["only-pinned"] = "flag", strict = "flag", ["expect-version"] = "text", ["expect-previous"] = "text",
    ["allow-single-hash"] = "flag", ["allow-runtime-form"] = "flag", now = "number", json = "flag",
}
local function with(more)
    local t = {}
    for k, v in pairs(SOURCE) do t[k] = v end
    for k, v in pairs(more) do t[k] = v end
    return t
end
local SIGN = { key = "text", domain = "text", kid = "text", ["expires-in"] = "number", ["schema-version"] = "text", ["previous-hash"] = "text", now = "number", json = "flag" }
local function signing(more)
    local t = with(more)
    for k, v in pairs(SIGN) do t[k] = v end
    return t
end

local KNOWN = {
    keygen = {
        ["output-dir"] = "text", prefix = "text", ["well-known"] = "flag", developer = "text", contact = "text", ["revocation-endpoint"] = "text", type = "text",
        force = "flag", json = "flag",
    },
    sign = signing{ schema = "text", file = "text", output = "text", ["signature-only"] = "flag" },
    verify = with{ schema = "text", file = "text", signature = "text", embedded = "flag" },
    skill = signing{ name = "text", lenient = "flag", rest = "WORD" },
    pin = { ["pin-store"] = "text", ["public-key"] = "text", fingerprint = "text", replace = "flag", json = "flag", rest = "WORD" },
}

local safe = args.safe
local symbi, schemapin

local function misuse(message) return args.misuse("schemapin", usage, message) end
local function now_of(o) return o.now or os.time() end

local function read(path, max)
    if path == "-" then return io.stdin:read "*a" end
    local text, message = symbi.io.read_file(path, max or schemapin.limits.schema)
    if text then return text end
    return nil, message
end

--- A private key file that others can read is no private key any more: said, not refused.
local function read_key(path)
    if path:find("-----BEGIN", 1, true) then return nil, "--key is the name of a file, not the key itself" end -- not quoted
    local text, info = symbi.io.read_file_info(path, { max = 16384 })
    if not text then return nil, info end
    if (info.mode or 0) % 64 ~= 0 then io.stderr:write("symbi-lua schemapin: warning: others can read the private key ", safe(path, 200), ": chmod 600 it\n") end
    return text
end

-- ---- keygen ----------------------------------------------------------------------------------------------------------------------

local function keygen(o)
    if o.type and o.type ~= "ecdsa" then return misuse("only --type ecdsa exists (P-256): nothing can verify with another key") end
    local base = (o["output-dir"] or ".") .. "/" .. (o.prefix or "schemapin")
    local names = { private = base .. "_private.pem", public = base .. "_public.pem", well_known = o["well-known"] and base .. "_well_known.json" or nil }
    if not o.force then
        for _, path in pairs(names) do
            if symbi.io.stat(path) then return nil, safe(path, 200) .. " exists: --force replaces it, and with it the key" end
        end
    end
    local keys, message = schemapin.generate_keypair()
    if not keys then return nil, message end
    if o["output-dir"] then symbi.io.mkdir(o["output-dir"], { parents = true }) end
    local ok
    ok, message = symbi.io.write_file(names.private, keys.private_key_pem, 384) -- 0600 from its first moment
    if not ok then return nil, message end
    ok, message = symbi.io.write_file(names.public, keys.public_key_pem, 420)
    if not ok then return nil, message end
    if names.well_known then
        local doc = schemapin.create_well_known_response(keys.public_key_pem, { developer_name = o.developer, contact = o.contact, revocation_endpoint = o["revocation-endpoint"] })
        ok, message = symbi.io.write_file(names.well_known, symbi.json.encode(doc, { pretty = true }) .. "\n", 420)
        if not ok then return nil, message end
    end
    if o.json then
        print(as_json{ private_key = names.private, public_key = names.public, well_known = names.well_known, fingerprint = keys.fingerprint })
    else
        print("private key  " .. safe(names.private, 300) .. " (mode 0600)")
        print("public key   " .. safe(names.public, 300))
        if names.well_known then print("discovery    " .. safe(names.well_known, 300) .. ": serve it as /.well-known/schemapin.json") end
        print("fingerprint  " .. keys.fingerprint)
    end
    return 0
end

-- ---- sign ------------------------------------------------------------------------------------------------------------------------

local function written(o, path, text)
    if not path or path == "-" then
        io.stdout:write(text)
        return 0
    end
    local ok, message = symbi.io.write_file(path, text, 420)
    if not ok then return nil, message end
    if o.json then print(as_json{ output = path }) else print("written: " .. safe(path, 300)) end
    return 0
end

local function sign(o)
    if (o.schema == nil) == (o.file == nil) then return misuse("sign needs either --schema or --file (folders: skill sign)") end
    if not o.key then return misuse("sign needs --key") end
    local key, message = read_key(o.key)
    if not key then return nil, message end
    if o.file then
        if not o.domain then return misuse("signing a file needs --domain: whose key it is") end
        local doc
        doc, message = schemapin.sign_file(o.file, key, {
            domain = o.domain, signer_kid = o.kid, expires_in = o["expires-in"], schema_version = o["schema-version"], previous_hash = o["previous-hash"], now = now_of(o),
        })
        if not doc then return nil, message end
        if o.json then print(as_json(doc)) else print("written: " .. safe(o.file, 300) .. ".sig (" .. doc.skill_hash .. ")") end
        return 0
    end
    local text
    text, message = read(o.schema)
    if not text then return nil, message end
    local signature, notes = schemapin.sign_schema(key, text)
    if not signature then return nil, safe(o.schema, 200) .. ": " .. notes end
    if notes.number then io.stderr:write("symbi-lua schemapin: warning: the schema holds a number that not every implementation writes alike (integers up to 2^53 and plain decimals are safe)\n") end
    if o["signature-only"] then
        print(signature)
        return 0
    end
    -- The schema stands in the file as it was written: its numbers keep their spelling.
    local parts = { '{\n  "schema": ', (text:gsub("^%s+", ""):gsub("%s+$", "")), ',\n  "signature": ', symbi.json.encode(signature), ',\n  "signed_at": "', schemapin.timestamp(now_of(o)), '"' }
    local function member(name, value)
        if value then parts[#parts + 1] = ',\n  "' .. name .. '": ' .. symbi.json.encode(value) end
    end
    member("expires_at", o["expires-in"] and schemapin.timestamp(now_of(o) + o["expires-in"]))
    member("schema_version", o["schema-version"])
    member("previous_hash", o["previous-hash"])
    parts[#parts + 1] = "\n}\n"
    return written(o, o.output, table.concat(parts))
end

-- ---- where documents come from ------------------------------------------------------------------------------------------------------

--- The resolver that the options describe, or documents at hand: {discovery=, revocation=} or {resolver=}.
local function source(o)
    local n = 0
    for _, name in ipairs{ "public-key", "discovery", "discovery-dir", "bundle" } do
        if o[name] then n = n + 1 end
    end
    if n > 1 then return misuse("one source of keys is enough: --public-key, --discovery, --discovery-dir or --bundle") end
    if o.revocation and not (o.discovery or o["public-key"]) then return misuse("--revocation goes with --discovery or --public-key") end
    local out, message = {}
    if o["public-key"] then
        local pem
        pem, message = read(o["public-key"], 16384)
        if not pem then return nil, message end
        out.discovery, message = schemapin.discovery{ schema_version = "1.2", public_key_pem = pem }
    elseif o.discovery then
        local text
        text, message = read(o.discovery, schemapin.limits.document)
        if not text then return nil, message end
        out.discovery, message = schemapin.discovery(text)
    elseif o["discovery-dir"] then
        out.resolver = schemapin.resolver.local_files(o["discovery-dir"])
        return out
    elseif o.bundle then
        local text
        text, message = read(o.bundle, schemapin.limits.bundle)
        if not text then return nil, message end
        out.resolver = schemapin.resolver.bundle(text, { authority = o.authority, pins = o.pins, now = now_of(o) })
        return out
    else
        out.resolver = schemapin.resolver.well_known()
        return out
    end
    if not out.discovery then return nil, message end
    if o.revocation then
        local text
        text, message = read(o.revocation, schemapin.limits.document)
        if not text then return nil, message end
        out.revocation, message = schemapin.revocation(text)
        if not out.revocation then return nil, message end
    end
    return out
end

local function open_pins(o, create)
    if o["no-pins"] then return nil end
    local path = o["pin-store"] or schemapin.store.default_path()
    if not path then return false, "no place for pins: give --pin-store FILE, or --no-pins" end
    if create and not o["pin-store"] then symbi.io.mkdir(path:match "^(.*)/[^/]*$", { parents = true, mode = 448 }) end
    local store, message = schemapin.store.open(path, { create = create })
    if not store then return false, message end
    return store
end

local function report(o, r, what)
    if o.json then
        print(as_json(r:table()))
        return r.valid and 0 or 1
    end
    print(safe(what, 200) .. ": " .. (r.valid and (r.status == "pinned" and "VERIFIED, and its key is pinned from now on" or "VERIFIED") or r.status:upper()))
    if not r.valid then
        print("  reason       " .. safe(r.code) .. ": " .. safe(r.message, 400))
    end
    if r.detail then print("  detail       " .. safe(r.detail, 400)) end
    local function line(name, value)
        if value and value ~= "" then print(string.format("  %-12s %s", name, safe(value, 200))) end
    end
    line("domain", r.domain)
    line("tool", r.tool_id)
    line("developer", r.developer_name)
    line("key", r.fingerprint)
    line("signature", r.valid and r.form ~= "schemapin-v1" and r.form or nil)
    line("expires", r.expires_at and r.expires_at .. (r.expired and " (EXPIRED)" or "") or nil)
    line("version", r.schema_version)
    for _, w in ipairs(r.warnings) do line("warning", w) end
    return r.valid and 0 or 1
end

local function trust(o, c)
    c.pins, c.only_pinned, c.now = o.pins, o["only-pinned"], now_of(o)
    c.refuse_expired, c.expected_version, c.expected_previous, c.allow_single = o.strict, o["expect-version"], o["expect-previous"], o["allow-single-hash"]
    c.tool_id, c.domain = o["tool-id"], o.domain
    return c
end

--- Opens pins and source, runs check(options), reports.
local function checked(o, what, check)
    local pins, message = open_pins(o, true)
    if pins == false then return nil, message end
    o.pins = pins
    local from
    from, message = source(o)
    if not from or type(from) == "number" then return from, message end
    local c = trust(o, from)
    local r
    r, message = check(c)
    if not r then return nil, message end
    return report(o, r, what)
end

local function verify(o)
    if (o.schema == nil) == (o.file == nil) then return misuse("verify needs either --schema or --file (folders: skill verify)") end
    if o.file then
        return checked(o, o.file, function(c)
            c.path = o.file
            if c.resolver then
                local signature, message = symbi.io.read_file(o.file .. ".sig", schemapin.limits.signature)
                local doc = signature and symbi.json.decode(signature)
                local domain = o.domain or type(doc) == "table" and type(doc.domain) == "string" and doc.domain
                if not domain then return nil, message or "the signature file names no domain: give --domain" end
                local found = c.resolver:resolve(domain)
                if found.code then return schemapin.refusal{ code = found.code, message = found.message, domain = domain, now = now_of(o) } end
                c.resolver, c.discovery, c.revocation, c.domain, c.dns_fingerprint = nil, found.discovery, found.revocation, found.domain or domain, found.dns_fingerprint
            end
            return schemapin.verify_file(c)
        end)
    end
    if not o.domain then return misuse("verify needs --domain: whose schema is it?") end
    local text, message = read(o.schema)
    if not text then return nil, message end
    return checked(o, o.schema, function(c)
        c.schema, c.signature, c.embedded, c.strict, c.allow_runtime = text, o.signature, o.embedded, o.strict, o["allow-runtime-form"]
        c.signed_file = not o.signature and not o.embedded
        if not c.tool_id then
            local doc = symbi.json.decode(text)
            local schema = type(doc) == "table" and (c.signed_file and type(doc.schema) == "table" and doc.schema or doc) or {}
            c.tool_id = type(schema.name) == "string" and schema.name or type(schema.title) == "string" and schema.title or o.schema:match "([^/]*)$"
        end
        if c.resolver then return schemapin.verify_schema_with_resolver(c) end
        return schemapin.verify_schema_offline(c)
    end)
end

-- ---- skill ---------------------------------------------------------------------------------------------------------------------------

local function skill(o)
    local what, dir = o.rest[1], o.rest[2]
    if (what ~= "sign" and what ~= "verify" and what ~= "hash") or not dir or o.rest[3] then return misuse("skill sign DIR, skill verify DIR or skill hash DIR") end
    if what == "hash" then
        local hash, manifest = schemapin.canonicalize_skill(dir, { lenient = o.lenient })
        if not hash then return nil, safe(dir, 200) .. ": " .. tostring(manifest) end
        print(o.json and symbi.json.encode{ skill_hash = "sha256:" .. hash, file_manifest = manifest } or "sha256:" .. hash)
        return 0
    elseif what == "sign" then
        if not o.key or not o.domain then return misuse("skill sign needs --key and --domain") end
        local key, message = read_key(o.key)
        if not key then return nil, message end
        local doc
        doc, message = schemapin.sign_skill(dir, key, {
            domain = o.domain, skill_name = o.name, signer_kid = o.kid, expires_in = o["expires-in"], schema_version = o["schema-version"], previous_hash = o["previous-hash"], now = now_of(o),
        })
        if not doc then return nil, safe(dir, 200) .. ": " .. tostring(message) end
        if o.json then print(as_json(doc))
        else print("written: " .. safe(dir, 300) .. "/.schemapin.sig (" .. safe(doc.skill_name, 100) .. ", " .. doc.skill_hash .. ")") end
        return 0
    end
    return checked(o, dir, function(c)
        c.dir, c.lenient = dir, o.lenient
        if c.resolver then return schemapin.verify_skill_with_resolver(c) end
        return schemapin.verify_skill_offline(c)
    end)
end

-- ---- pin -----------------------------------------------------------------------------------------------------------------------------

local function list(o, store)
    local pins, message = store:list()
    if not pins then return nil, message end
    if o.json then
        print(as_json(pins))
        return 0
    end
    local rows = {}
    for _, p in ipairs(pins) do rows[#rows + 1] = { safe(p.tool_id, 40), safe(p.domain, 40), safe(p.first_seen or "-", 24), safe(p.last_seen or "-", 24), safe(p.fingerprint, 80) } end
    if #rows == 0 then print "no pins" else args.print_table({ "TOOL", "DOMAIN", "FIRST SEEN", "LAST SEEN", "KEY" }, rows) end
    return 0
end

local function pin(o)
    local what, a, b = o.rest[1], o.rest[2], o.rest[3]
    local fine = what == "list" and not a or (what == "add" or what == "remove") and a and b and not o.rest[4] or what == "policy" and a and not o.rest[4]
    if not fine then return misuse("pin list, pin add TOOL DOMAIN, pin remove TOOL DOMAIN or pin policy DOMAIN [POLICY]") end
    local domain, message
    if what ~= "list" then
        domain, message = schemapin.domain(what == "policy" and a or b)
        if not domain then return nil, message end
    end
    local fingerprint = o.fingerprint
    if what == "add" then
        if (o["public-key"] == nil) == (fingerprint == nil) then return misuse("pin add needs either --public-key or --fingerprint") end
        if o["public-key"] then
            local pem
            pem, message = read(o["public-key"], 16384)
            if not pem then return nil, message end
            fingerprint, message = schemapin.calculate_key_fingerprint(pem)
            if not fingerprint then return nil, message end
        elseif not fingerprint:find("^sha256:" .. ("[0-9a-f]"):rep(64) .. "$") then
            return misuse("--fingerprint is sha256: and 64 hex digits in lower case")
        end
    end
    local changes = what == "add" or what == "policy" and b ~= nil
    local store
    store, message = open_pins(o, changes)
    if not store then return nil, message end
    local ok
    if what == "list" then
        return list(o, store)
    elseif what == "add" then
        ok, message = store:add{ tool_id = a, domain = domain, fingerprint = fingerprint, trust_level = "pinned", replace = o.replace, now = os.time() }
        if not ok then return nil, message .. (o.replace and "" or " (--replace takes the new key)") end
        print("pinned: " .. safe(a, 100) .. " of " .. domain .. " to " .. fingerprint)
    elseif what == "remove" then
        ok, message = store:remove(a, domain)
        if ok == nil then return nil, message end
        if not ok then return nil, "nothing is pinned for " .. safe(a, 100) .. " of " .. domain end
        print("removed: " .. safe(a, 100) .. " of " .. domain)
    elseif b then
        local known = { default = true, always_trust = true, never_trust = true, interactive_only = true }
        if not known[b] then return misuse("policies are default, always_trust, never_trust and interactive_only") end
        ok, message = store:set_policy(domain, b)
        if not ok then return nil, message end
        print(domain .. ": " .. b)
    else
        print(domain .. ": " .. store:policy(domain))
    end
    return 0
end

--- argv: the words after `schemapin`. Returns the exit status, or nil and a message.
function M.main(argv)
    local o, command = args.parse("schemapin", usage, KNOWN, argv)
    if not o then return command end
    symbi = require "symbi"
    schemapin = symbi.schemapin
    local run = { keygen = keygen, sign = sign, verify = verify, skill = skill, pin = pin }
    return run[command](o)
end
M.run = M.main

return M
