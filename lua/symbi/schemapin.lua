--- symbi.schemapin: signed tool schemas and skill folders, pinned keys, revocation, trust bundles. What is decided is decided in C
-- (symbi.core.schemapin); this file gives it names, defaults and documents. A failed check is a result, never an error:
--   r = schemapin.verify{schema=text, signature=, domain=, tool_id=, discovery=, pins=}     r.valid, r.status, r.code, r.message
-- A schema goes in as its text wherever there is text: a Lua table cannot say 1.0, and JSON can.
local symbi = require "symbi"
local core = require("symbi.core").schemapin

local M = {
    limits = core.limits,
    SIGNATURE_FILENAME = ".schemapin.sig",
    -- straight from C
    canonicalize_schema = core.canonical, -- (text or table[, {strict=, signing=, embedded=}]) -> text, notes
    canonicalize_and_hash = core.hash, -- the same -> hex of SHA-256, notes
    calculate_key_fingerprint = core.fingerprint, -- (PEM or key) -> "sha256:<hex>"
    public_key = core.public_of, -- (private PEM or key) -> public PEM
    parse_time = core.time, -- RFC 3339 -> milliseconds, or nil
    domain = core.domain, -- host[:port], checked and in its one spelling
    construct_well_known_url = core.url,
    parse_txt_record = core.txt_parse,
    pick_txt_record = core.txt_pick,
    txt_record_name = core.txt_name,
    detect_tampered_files = core.tampered,
    verify_chain = core.chain,
    runtime_input = core.runtime_input,
    discovery = core.discovery, -- a document read once: faster where it is used often
    revocation = core.revocation,
    cache = core.cache, -- {entries=, bytes=, max_age=}: remembers successful checks
    a2a_allows = core.a2a_allows,
    refusal = core.refusal,
}

local PARTS = {
    store = "symbi.schemapin.store", pinning = "symbi.schemapin.pinning", skill = "symbi.schemapin.skill", resolver = "symbi.schemapin.resolver",
}

local function is_document(x) return type(x) == "userdata" and x ~= symbi.null end

--- Hex of SHA-256 of a canonical text.
function M.hash_canonical(text) return symbi.crypto.sha256(text) end

--- true, or nil and what is wrong with the name of a canonicalisation (nil is fine).
function M.check_canonicalization(name)
    if name == symbi.null then name = nil end
    if core.canonicalization_ok(name) then return true end
    local message = "Unsupported canonicalization algorithm: " .. tostring(name)
    return nil, message, symbi.error("EUNSUPPORTED", message, { algorithm = name })
end

--- {private_key_pem=, public_key_pem=, fingerprint=}: a new P-256 pair.
function M.generate_keypair()
    local private, public, err = core.keypair()
    if not private then return nil, public, err end
    return { private_key_pem = private, public_key_pem = public, fingerprint = core.fingerprint(public) }
end

local function unhex(hex) return (hex:gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end)) end

--- The signature of a schema (base64), and notes: notes.number says that it holds a number not every implementation writes alike.
-- Numbers with exponents or beyond 64 bits are refused: nobody else could verify them.
function M.sign_schema(private_key, schema, options)
    local hash, notes, err = core.hash(schema, { signing = true, embedded = options and options.embedded, strict = true })
    if not hash then return nil, notes, err end
    local signature, message
    signature, message, err = core.sign(private_key, unhex(hash))
    if not signature then return nil, message, err end
    return signature, notes
end

--- true, or false and why: only the signature, nothing else of the protocol.
function M.verify_schema_signature(schema, signature, public_key)
    local hash, message, err = core.hash(schema)
    if not hash then return nil, message, err end
    return core.verify(public_key, unhex(hash), signature)
end

--- The same for a hash in hex.
function M.verify_hash(hash_hex, signature, public_key) return core.verify(public_key, unhex(hash_hex), signature) end
function M.sign_hash(hash_hex, private_key) return core.sign(private_key, unhex(hash_hex)) end

-- ---- verification ------------------------------------------------------------------------------------------------------------

--- Pins: nothing (a new store in memory), a document (text or table), or {path=}: kept in a file (symbi.schemapin.store).
function M.pins(document)
    if type(document) == "table" and type(document.path) == "string" and document[1] == nil and document.pinned_keys == nil then
        return M.store.open(document.path, document)
    end
    return core.pins(document)
end

local function now_of(options) return options.now or os.time() end
M.now_of = now_of

-- Documents as C objects. What has the wrong shape is a refusal, as it is when it comes over the wire.
function M.read_documents(o, tool_id)
    local discovery, revocation, message, err = o.discovery, o.revocation
    local function refuse(code) return core.refusal{ code = code, message = message, domain = o.domain, tool_id = tool_id, now = now_of(o) } end
    if discovery ~= nil and discovery ~= symbi.null and not is_document(discovery) then
        discovery, message, err = core.discovery(discovery)
        if not discovery then
            if err.code == "ENOMEM" then return nil, message, err end
            return nil, nil, refuse("discovery_invalid")
        end
    end
    if revocation ~= nil and revocation ~= symbi.null and not is_document(revocation) then
        revocation, message, err = core.revocation(revocation)
        if not revocation then
            if err.code == "ENOMEM" then return nil, message, err end
            return nil, nil, refuse("revocation_invalid")
        end
    end
    if discovery == symbi.null then discovery = nil end
    if revocation == symbi.null then revocation = nil end
    return true, discovery, revocation
end

--- Checks a schema against documents at hand; see bindings/lschemapin_check.c for the options. discovery and revocation: text, table,
-- or what schemapin.discovery and .revocation made of them. pins: from schemapin.pins. now: seconds, default the clock.
function M.verify_schema_offline(o)
    local pins = o.pins
    -- What is at hand already goes straight to C: a repeated check is worth a few microseconds.
    if is_document(o.discovery) and o.now and o.context == nil and o.dns_txt == nil and type(pins) ~= "table" and (o.revocation == nil or is_document(o.revocation)) then
        return core.check(o)
    end
    local ok, discovery, revocation = M.read_documents(o, o.tool_id)
    if not ok then
        if discovery then return nil, discovery, revocation end
        return revocation -- a refusal
    end
    local c = {}
    for k, v in pairs(o) do c[k] = v end -- C says what it does not know
    c.context, c.dns_txt = nil, nil
    c.discovery, c.revocation, c.now = discovery, revocation, now_of(o)
    if o.context ~= nil then c.a2a = o.context end
    if o.dns_txt and o.dns_txt ~= symbi.null then c.dns_fingerprint = o.dns_txt.fingerprint end
    return M.with_pins(pins, function(kept)
        c.pins = kept
        return core.check(c)
    end, o.tool_id, o.domain)
end
M.verify = M.verify_schema_offline

--- Runs check(pins in memory); a store in a file sees to its lock and to writing what was pinned.
function M.with_pins(pins, check, tool_id, domain)
    if type(pins) == "table" and pins.run then return pins:run(check, tool_id, domain) end
    return check(pins)
end

--- A signed schema file, {"schema", "signature", "signed_at", ...}, as `symbi-lua schemapin sign` writes it: o.schema is its text.
function M.verify_schema_file(o)
    local c = {}
    for k, v in pairs(o) do c[k] = v end
    c.signed_file = true
    return M.verify_schema_offline(c)
end

--- With a resolver (symbi.schemapin.resolver): {resolver=, schema=, signature=, domain=, tool_id=, ...}.
function M.verify_schema_with_resolver(o)
    local found = o.resolver:resolve(o.domain)
    if found.code then return core.refusal{ code = found.code, message = found.message, domain = o.domain, tool_id = o.tool_id, now = now_of(o) } end
    local c = {}
    for k, v in pairs(o) do c[k] = v end
    c.resolver, c.discovery, c.revocation = nil, found.discovery, found.revocation
    c.dns_fingerprint = found.dns_fingerprint or o.dns_fingerprint
    if found.domain then c.domain = found.domain end
    return M.verify_schema_offline(c)
end

--- Looks the domain up over HTTPS and verifies; o.get, o.txt, o.io, o.guard, o.http_options as in resolver.well_known.
function M.verify_schema_online(o)
    local c = {}
    for k, v in pairs(o) do c[k] = v end
    c.resolver = M.resolver.well_known{ get = o.get, txt = o.txt, io = o.io, guard = o.guard, http_options = o.http_options }
    c.get, c.txt, c.io, c.guard, c.http_options = nil, nil, nil, nil, nil
    return M.verify_schema_with_resolver(c)
end

--- context = {caller_agent_id=, delegation_depth=, originating_domain=, trusted_domains={...}}.
function M.verify_schema_for_a2a(o)
    local context = o.context or {}
    local c = {}
    for k, v in pairs(o) do c[k] = v end
    c.context = { delegation_depth = context.delegation_depth, trusted_domains = context.trusted_domains, deny_all = context.deny_all }
    return M.verify_schema_offline(c)
end

--- What two lists have in common, in the order of the first. An empty list allows all, so it gives the other one; where nothing is
-- common the result is empty and has deny_all = true, which allows nothing.
function M.a2a_intersect(a, b)
    if a.deny_all or b.deny_all then
        local none = symbi.array{}
        none.deny_all = true
        return none
    end
    if #a == 0 or #b == 0 then
        local out = symbi.array{}
        for i, v in ipairs(#a == 0 and b or a) do out[i] = v end
        return out
    end
    local has, out = {}, symbi.array{}
    for _, v in ipairs(b) do has[v] = true end
    for _, v in ipairs(a) do
        if has[v] then out[#out + 1] = v end
    end
    if #out == 0 then out.deny_all = true end
    return out
end

-- ---- documents -----------------------------------------------------------------------------------------------------------------

--- A discovery document. options: developer_name, contact, revoked_keys, schema_version ("1.2"), revocation_endpoint.
function M.create_well_known_response(public_key_pem, options)
    options = options or {}
    local doc = { schema_version = options.schema_version or "1.2", public_key_pem = public_key_pem }
    for _, name in ipairs{ "developer_name", "contact", "revocation_endpoint" } do
        local v = options[name]
        if v ~= nil and v ~= symbi.null and v ~= "" then doc[name] = v end
    end
    local revoked = options.revoked_keys
    if type(revoked) == "table" and #revoked > 0 then doc.revoked_keys = revoked end
    return doc
end

--- true when the document has what it must have: a schema_version and a public key.
function M.validate_well_known_response(doc)
    local d = core.discovery(doc)
    return d ~= nil and d:info().valid
end

local function info(doc)
    local d, message, err = doc, nil, nil
    if not is_document(doc) then d, message, err = core.discovery(doc) end
    if not d then return nil, message, err end
    return d:info()
end

function M.get_public_key_pem(doc)
    local i, message, err = info(doc)
    if not i then return nil, message, err end
    return i.public_key_pem
end

function M.get_developer_info(doc)
    local i, message, err = info(doc)
    if not i then return nil, message, err end
    return { developer_name = i.developer_name, contact = i.contact, schema_version = i.schema_version }
end

function M.get_revoked_keys(doc)
    local d = is_document(doc) and doc:document() or doc
    return type(d) == "table" and type(d.revoked_keys) == "table" and d.revoked_keys or symbi.array{}
end

--- Is this fingerprint revoked: by the document's simple list, or by the revocation document? boolean, why.
function M.check_revocation(fingerprint, discovery, revocation)
    local ok, d, r = M.read_documents({ discovery = discovery or {}, revocation = revocation })
    if not ok then
        if d then return nil, d, r end
        return nil, r.message, symbi.error("ESCHEMA", r.message)
    end
    return d:revoked(fingerprint, r)
end

--- The same for a key: one that cannot be read is an error, and not "not revoked".
function M.check_key_revocation(public_key_pem, revoked_keys)
    local fingerprint, message, err = core.fingerprint(public_key_pem)
    if not fingerprint then return nil, message, err end
    return M.check_revocation(fingerprint, { revoked_keys = revoked_keys })
end

--- true, or nil and why.
function M.validate_key_not_revoked(public_key_pem, discovery, revocation)
    local fingerprint, message, err = core.fingerprint(public_key_pem)
    if not fingerprint then return nil, message, err end
    local revoked, why, e = M.check_revocation(fingerprint, discovery, revocation)
    if revoked == nil then return nil, why, e end
    if revoked then return nil, why, symbi.error("EVERIFY", why, { reason = "key_revoked" }) end
    return true
end

local function timestamp(now) return os.date("!%Y-%m-%dT%H:%M:%SZ", now or os.time()) end
M.timestamp = timestamp

function M.build_revocation_document(domain, options)
    return { schemapin_version = "1.2", domain = domain, updated_at = timestamp(options and options.now), revoked_keys = symbi.array{} }
end

local REASONS = { key_compromise = true, superseded = true, cessation_of_operation = true, privilege_withdrawn = true }

--- Adds a key to a revocation document, which it returns.
function M.add_revoked_key(document, fingerprint, reason, options)
    if not REASONS[reason] then error("reason: key_compromise, superseded, cessation_of_operation or privilege_withdrawn is expected", 2) end
    local at = timestamp(options and options.now)
    document.revoked_keys[#document.revoked_keys + 1] = { fingerprint = fingerprint:lower(), revoked_at = at, reason = reason }
    document.updated_at = at
    return document
end

--- true, or nil and why: the TXT record against the discovery document's key.
function M.verify_dns_match(discovery, txt)
    local d, message, err = discovery, nil, nil
    if not is_document(d) then d, message, err = core.discovery(d) end
    if not d then return nil, message, err end
    return d:txt_match(txt.fingerprint)
end

--- The TXT record of a domain: lookup(name) gives a list of records (chunks joined), or nil and why. nil without an error: none.
function M.fetch_dns_txt(domain, lookup)
    local name, message, err = core.txt_name(domain)
    if not name then return nil, message, err end
    local records
    records, message = lookup(name)
    if not records then return nil, message or "the DNS lookup failed", symbi.error("EIO", message or "the DNS lookup failed") end
    return core.txt_pick(records)
end

-- ---- trust bundles ---------------------------------------------------------------------------------------------------------------

--- An entry of a bundle: the document with its domain, which is the one given here whatever the document says.
function M.create_bundled_discovery(domain, well_known)
    local entry = {}
    for k, v in pairs(well_known) do entry[k] = v end
    entry.domain = domain
    return entry
end

function M.create_bundle(documents, revocations, options)
    return {
        schemapin_bundle_version = "1.2", created_at = timestamp(options and options.now), documents = symbi.array(documents or {}), revocations = symbi.array(revocations or {}),
    }
end

function M.find_discovery(bundle, domain) return (core.bundle_find(bundle, domain)) end
function M.find_revocation(bundle, domain) return (select(2, core.bundle_find(bundle, domain))) end
M.bundle_signing_bytes = core.bundle_bytes
M.merge_trust_bundles = core.bundle_merge

--- The bundle signed by an authority, as text: options kid (required), expires_in, now.
function M.sign_trust_bundle(bundle, private_key, options)
    return core.bundle_sign(bundle, private_key, { kid = options.kid, now = now_of(options), expires_in = options.expires_in })
end

--- bundle: text or table. options: authority = list of fingerprints that may sign, pins, max_age, now.
function M.verify_trust_bundle(bundle, options)
    options = options or {}
    return M.with_pins(options.pins, function(pins)
        return core.check_bundle{ bundle = bundle, authority = options.authority, pins = pins, max_age = options.max_age, now = now_of(options) }
    end)
end

function M.trust_bundle_request(domain, id)
    local params = {}
    if domain ~= nil and domain ~= symbi.null then params.domain = domain end
    return { jsonrpc = "2.0", method = "schemapin/trustBundle", params = symbi.object(params), id = id == nil and symbi.null or id }
end

function M.parse_trust_bundle_response(response)
    local bundle = type(response) == "table" and type(response.result) == "table" and response.result.bundle
    if type(bundle) == "table" then return bundle end
    local message = "JSON-RPC response missing result.bundle"
    return nil, message, symbi.error("ESCHEMA", message, { reason = "discovery_invalid" })
end

return setmetatable(M, {
    __index = function(self, name)
        local part = PARTS[name]
        if part then
            local value = require(part)
            rawset(self, name, value)
            return value
        end
        local from = name == "verify_skill" or (type(name) == "string" and (name:find("skill", 1, true) or name == "load_signature" or name == "sign_with_options" or name:find("_file$")))
        local value = from and require(PARTS.skill)[name]
        if value == nil and (name == "KeyPinning") then value = require(PARTS.pinning).new end
        if value == nil and name == "fetch_well_known" then value = require(PARTS.resolver).fetch_well_known end
        if value ~= nil then rawset(self, name, value) end
        return value
    end,
})
