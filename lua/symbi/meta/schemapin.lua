---@meta symbi.schemapin

--- A document as a table, as its text (numbers as they were written), or read once.
---@alias symbi.schemapin.Doc table|string|symbi.schemapin.Discovery|symbi.schemapin.Revocation
---@alias symbi.schemapin.Key string|symbi.crypto.Key

--- A result of a check; only a check makes one. It reads as a table.
---@class symbi.schemapin.Result : userdata
---@field valid boolean
---@field status string
---@field code? string nil when valid
---@field message string
---@field detail? string
---@field domain? string
---@field tool_id? string
---@field developer_name? string
---@field fingerprint? string
---@field key_pinning? { status: string, first_seen?: any }
---@field subject? string
---@field form? string
---@field digest? string
---@field input_sha256? string
---@field expired? boolean
---@field expires_at? string
---@field schema_version? string
---@field previous_hash? string
---@field warnings? string[]
---@field checked_at? integer
---@field valid_until? integer
---@field table fun(self: symbi.schemapin.Result): table
---@field proves fun(self: symbi.schemapin.Result, subject: string, digest: string, now?: integer): boolean

---@class symbi.schemapin.VerifyOptions
---@field schema? string|table
---@field signature? string
---@field embedded? boolean
---@field domain? string
---@field tool_id? string
---@field discovery? symbi.schemapin.Doc
---@field revocation? symbi.schemapin.Doc
---@field pins? symbi.schemapin.Pins|symbi.schemapin.FileStore
---@field cache? symbi.schemapin.Cache
---@field resolver? symbi.schemapin.Resolver
---@field now? integer seconds
---@field canonicalization? string
---@field strict? boolean
---@field only_pinned? boolean
---@field allow_single? boolean
---@field allow_runtime? boolean
---@field dns_fingerprint? string
---@field dns_txt? table
---@field a2a? table
---@field refuse_expired? boolean
---@field max_age? integer
---@field expected_version? string
---@field expected_previous? string
---@field get? fun(url: string, options: table): table
---@field txt? fun(name: string): string[]?, string?
---@field io? symbi.io.Transports
---@field guard? symbi.netguard.Policy
---@field http_options? table
---@field [string] any

---@class symbi.schemapin.Found
---@field domain? string
---@field discovery? table
---@field revocation? table
---@field dns_fingerprint? string
---@field code? string
---@field message? string

---@class symbi.schemapin.Resolver
---@field resolve fun(self: any, domain: string): symbi.schemapin.Found

---@class symbi.schemapin.Discovery : userdata
local Discovery = {}
---@return table
function Discovery:info() end
---@return table
function Discovery:document() end
---@param fingerprint string
---@param revocation? symbi.schemapin.Revocation
---@return boolean revoked, string? why
function Discovery:revoked(fingerprint, revocation) end
---@param fingerprint string
---@return boolean
function Discovery:txt_match(fingerprint) end
function Discovery:close() end

---@class symbi.schemapin.Revocation : userdata
local Revocation = {}
---@return table
function Revocation:document() end
---@param fingerprint string
---@return boolean revoked, string? why
function Revocation:revoked(fingerprint) end
function Revocation:close() end

---@class symbi.schemapin.Cache : userdata
local Cache = {}
---@return integer hits, integer misses
function Cache:stats() end
function Cache:close() end

--- Pins in memory.
---@class symbi.schemapin.Pins : userdata
local Pins = {}
---@param document string|table
---@return any ok, string? message, symbi.Failure? err
function Pins:load(document) end
---@param joined? boolean
---@return string? text, string? message, symbi.Failure? err
function Pins:json(joined) end
---@return integer
function Pins:count() end
---@return table[]
function Pins:list() end
---@param tool_id string
---@param domain string
---@return table?
function Pins:find(tool_id, domain) end
---@param entry { tool_id: string, domain: string, fingerprint: string, developer_name?: string, public_key_pem?: string, now?: integer, replace?: boolean }
---@return any ok, string? message, symbi.Failure? err
function Pins:add(entry) end
---@param tool_id string
---@param domain string
---@return any removed
function Pins:remove(tool_id, domain) end
---@param domain string
---@return string?
function Pins:policy(domain) end
---@param domain string
---@param policy string
---@return any ok, string? message, symbi.Failure? err
function Pins:set_policy(domain, policy) end
--- A text that changes with every change.
---@return string
function Pins:generation() end
---@param options table
---@return boolean? accepted, any prompt_or_message, symbi.Failure? err
function Pins:consider(options) end
---@param options table
---@return boolean? accepted, string? message, symbi.Failure? err
function Pins:answer(options) end
function Pins:close() end

--- Pins in a file that several processes share.
---@class symbi.schemapin.FileStore
---@field pins symbi.schemapin.Pins
---@field path string
local FileStore = {}
---@return any ok, string? message, symbi.Failure? err
function FileStore:read() end
---@return any ok, string? message, symbi.Failure? err
function FileStore:refresh() end
---@return any ok, string? message, symbi.Failure? err
function FileStore:write() end
--- change(pins) under the lock, on what the file holds now.
---@param change fun(pins: symbi.schemapin.Pins): any, any, any
---@return any, any, any
function FileStore:update(change) end
---@param check fun(pins: symbi.schemapin.Pins): any, any, any
---@param tool_id string
---@param domain string
---@return any, any, any
function FileStore:run(check, tool_id, domain) end
---@param options table
---@return any accepted, any prompt_or_message, any err
function FileStore:consider(options) end
---@param joined? boolean
---@return string? text, string? message, symbi.Failure? err
function FileStore:json(joined) end
---@return integer
function FileStore:count() end
---@return table[]
function FileStore:list() end
---@param tool_id string
---@param domain string
---@return table?
function FileStore:find(tool_id, domain) end
---@param entry { tool_id: string, domain: string, fingerprint: string, developer_name?: string, public_key_pem?: string, now?: integer, replace?: boolean }
---@return any ok, string? message, symbi.Failure? err
function FileStore:add(entry) end
---@param tool_id string
---@param domain string
---@return any removed
function FileStore:remove(tool_id, domain) end
---@param domain string
---@return string?
function FileStore:policy(domain) end
---@param domain string
---@param policy string
---@return any ok, string? message, symbi.Failure? err
function FileStore:set_policy(domain, policy) end
--- A text that changes with every change.
---@return string
function FileStore:generation() end
---@param options table
---@return boolean? accepted, string? message, symbi.Failure? err
function FileStore:answer(options) end
function FileStore:close() end

---@class symbi.schemapin
---@field limits table<string, integer>
---@field SIGNATURE_FILENAME string
---@field store table symbi.schemapin.store
---@field resolver table symbi.schemapin.resolver
---@field pinning table symbi.schemapin.pinning
---@field skill table symbi.schemapin.skill
local M = {}

---@param doc string|table
---@param options? { strict?: boolean, signing?: boolean, embedded?: boolean, serde?: boolean }
---@return string? text, { number?: any, duplicate?: any }|string|nil notes_or_message, symbi.Failure? err
function M.canonicalize_schema(doc, options) end
---@param doc string|table
---@param options? { strict?: boolean, signing?: boolean, embedded?: boolean, serde?: boolean }
---@return string? hex, any notes_or_message, symbi.Failure? err
function M.canonicalize_and_hash(doc, options) end
---@param text string
---@return string hex
function M.hash_canonical(text) end
---@param name? string
---@return boolean? ok, string? message, symbi.Failure? err
function M.check_canonicalization(name) end
---@param key symbi.schemapin.Key
---@return string? fingerprint, string? message, symbi.Failure? err
function M.calculate_key_fingerprint(key) end
---@param private_key symbi.schemapin.Key
---@return string? pem, string? message, symbi.Failure? err
function M.public_key(private_key) end
---@return { private_key_pem: string, public_key_pem: string, fingerprint: string }? keys, string? message, symbi.Failure? err
function M.generate_keypair() end
---@param private_key symbi.schemapin.Key
---@param schema string|table
---@param options? table
---@return string? signature, any notes_or_message, symbi.Failure? err
function M.sign_schema(private_key, schema, options) end
--- Only the signature, nothing else of the protocol.
---@param schema string|table
---@param signature string
---@param public_key symbi.schemapin.Key
---@return boolean? ok, string? why, symbi.Failure? err
function M.verify_schema_signature(schema, signature, public_key) end
---@param hash_hex string
---@param private_key symbi.schemapin.Key
---@return string? signature, string? message, symbi.Failure? err
function M.sign_hash(hash_hex, private_key) end
---@param hash_hex string
---@param signature string
---@param public_key symbi.schemapin.Key
---@return boolean? ok, string? why, symbi.Failure? err
function M.verify_hash(hash_hex, signature, public_key) end

--- Against documents at hand.
---@param options symbi.schemapin.VerifyOptions
---@return symbi.schemapin.Result? result, string? message, symbi.Failure? err
function M.verify(options) end
---@param options symbi.schemapin.VerifyOptions
---@return symbi.schemapin.Result? result, string? message, symbi.Failure? err
function M.verify_schema_offline(options) end
---@param options symbi.schemapin.VerifyOptions
---@return symbi.schemapin.Result? result, string? message, symbi.Failure? err
function M.verify_schema_file(options) end
---@param options symbi.schemapin.VerifyOptions
---@return symbi.schemapin.Result? result, string? message, symbi.Failure? err
function M.verify_schema_with_resolver(options) end
--- Looks the domain up over HTTPS.
---@param options symbi.schemapin.VerifyOptions
---@return symbi.schemapin.Result? result, string? message, symbi.Failure? err
function M.verify_schema_online(options) end
---@param options symbi.schemapin.VerifyOptions with context
---@return symbi.schemapin.Result? result, string? message, symbi.Failure? err
function M.verify_schema_for_a2a(options) end
---@param options table code, message, domain, tool_id, now
---@return symbi.schemapin.Result
function M.refusal(options) end
---@param list string[]
---@param domain string
---@param deny_all? boolean
---@return boolean
function M.a2a_allows(list, domain, deny_all) end
---@param a string[]
---@param b string[]
---@return string[] common deny_all = true where there is nothing
function M.a2a_intersect(a, b) end

--- Pins: new ones in memory, those of a document, or {path=}.
---@param document? string|table
---@return symbi.schemapin.Pins|symbi.schemapin.FileStore|nil pins, string? message, symbi.Failure? err
function M.pins(document) end
---@param pins symbi.schemapin.Pins|symbi.schemapin.FileStore|nil
---@param check fun(pins?: symbi.schemapin.Pins): any, any, any
---@param tool_id string
---@param domain string
---@return any, any, any
function M.with_pins(pins, check, tool_id, domain) end
--- Asking a person, or a policy, before a key is pinned.
---@param options { mode: "automatic"|"interactive"|"strict", pins?: symbi.schemapin.Pins, handler?: fun(prompt: table): string }
---@return table pinning
function M.KeyPinning(options) end
---@param options? { entries?: integer, bytes?: integer, max_age?: integer }
---@return symbi.schemapin.Cache
function M.cache(options) end

---@param document string|table
---@return symbi.schemapin.Discovery? discovery, string? message, symbi.Failure? err
function M.discovery(document) end
---@param document string|table
---@return symbi.schemapin.Revocation? revocation, string? message, symbi.Failure? err
function M.revocation(document) end
---@param options symbi.schemapin.VerifyOptions
---@param tool_id? string
---@return any, any, any
function M.read_documents(options, tool_id) end
---@param domain string
---@param options? table as of resolver.well_known
---@return table? document, symbi.schemapin.Discovery|string discovery_or_message, symbi.schemapin.Revocation|symbi.Failure|nil revocation_or_err
function M.fetch_well_known(domain, options) end
---@param public_key_pem string
---@param options? { developer_name?: string, contact?: string, revoked_keys?: string[], schema_version?: string, revocation_endpoint?: string }
---@return table? document, string? message, symbi.Failure? err
function M.create_well_known_response(public_key_pem, options) end
---@param doc symbi.schemapin.Doc
---@return boolean? ok, string? message, symbi.Failure? err
function M.validate_well_known_response(doc) end
---@param doc symbi.schemapin.Doc
---@return string? pem, string? message, symbi.Failure? err
function M.get_public_key_pem(doc) end
---@param doc symbi.schemapin.Doc
---@return table? info, string? message, symbi.Failure? err
function M.get_developer_info(doc) end
---@param doc symbi.schemapin.Doc
---@return string[]? fingerprints, string? message, symbi.Failure? err
function M.get_revoked_keys(doc) end
---@param fingerprint string
---@param discovery? symbi.schemapin.Doc
---@param revocation? symbi.schemapin.Doc
---@return boolean? revoked, string? why, symbi.Failure? err
function M.check_revocation(fingerprint, discovery, revocation) end
---@param public_key_pem string
---@param revoked_keys string[]
---@return boolean? revoked, string? message, symbi.Failure? err
function M.check_key_revocation(public_key_pem, revoked_keys) end
---@param public_key_pem string
---@param discovery? symbi.schemapin.Doc
---@param revocation? symbi.schemapin.Doc
---@return boolean? ok, string? message, symbi.Failure? err
function M.validate_key_not_revoked(public_key_pem, discovery, revocation) end
---@param domain string
---@param options? table
---@return table document
function M.build_revocation_document(domain, options) end
---@param document table
---@param fingerprint string
---@param reason string
---@param options? table
---@return table? document, string? message, symbi.Failure? err
function M.add_revoked_key(document, fingerprint, reason, options) end

--- host[:port], checked and in its one spelling.
---@param text string
---@return string? domain, string? message, symbi.Failure? err
function M.domain(text) end
---@param domain string
---@return string? url, string? message, symbi.Failure? err
function M.construct_well_known_url(domain) end
---@param domain string
---@return string? name, string? message, symbi.Failure? err
function M.txt_record_name(domain) end
---@param record string
---@return { version: string, kid?: string, fingerprint: string }? parsed, string? message, symbi.Failure? err
function M.parse_txt_record(record) end
---@param records string[]
---@return table? parsed, string? message, symbi.Failure? err
function M.pick_txt_record(records) end
---@param discovery symbi.schemapin.Doc
---@param txt table
---@return boolean? ok, string? message, symbi.Failure? err
function M.verify_dns_match(discovery, txt) end
---@param domain string
---@param lookup fun(name: string): string[]?, string?
---@return table? parsed, string? message, symbi.Failure? err
function M.fetch_dns_txt(domain, lookup) end
--- RFC 3339 -> milliseconds.
---@param text string
---@return integer?
function M.parse_time(text) end
---@param seconds? integer
---@return string
function M.timestamp(seconds) end
---@param options { now?: integer }
---@return integer seconds
function M.now_of(options) end

---@param domain string
---@param well_known table
---@return table entry
function M.create_bundled_discovery(domain, well_known) end
---@param documents? table[]
---@param revocations? table[]
---@param options? table
---@return table bundle
function M.create_bundle(documents, revocations, options) end
---@param bundle string|table
---@param domain string
---@return table? document
function M.find_discovery(bundle, domain) end
---@param bundle string|table
---@param domain string
---@return table? document
function M.find_revocation(bundle, domain) end
---@param bundle string|table
---@return string? text, string? message, symbi.Failure? err
function M.bundle_signing_bytes(bundle) end
---@param bundles table[]
---@return table? bundle, string? message, symbi.Failure? err
function M.merge_trust_bundles(bundles) end
---@param bundle string|table
---@param private_key symbi.schemapin.Key
---@param options { kid: string, expires_in?: integer, now?: integer }
---@return string? text, string? message, symbi.Failure? err
function M.sign_trust_bundle(bundle, private_key, options) end
---@param bundle string|table
---@param options { authority: string[], pins?: symbi.schemapin.Pins, max_age?: integer, now?: integer }
---@return symbi.schemapin.Result? result, string? message, symbi.Failure? err
function M.verify_trust_bundle(bundle, options) end
---@param domain string
---@param id? any
---@return table request
function M.trust_bundle_request(domain, id) end
---@param response table
---@return table? bundle, string? message, symbi.Failure? err
function M.parse_trust_bundle_response(response) end

--- Root hash and manifest of a skill folder.
---@param dir string
---@param options? { lenient?: boolean }
---@return string? hex, table|string|nil manifest_or_message, symbi.Failure? err
function M.canonicalize_skill(dir, options) end
---@param dir string
---@return string? name, string? message, symbi.Failure? err
function M.parse_skill_name(dir) end
---@param dir string
---@return table? signature, string? message, symbi.Failure? err
function M.load_signature(dir) end
--- Signs a folder and writes its signature file.
---@param dir string
---@param private_key symbi.schemapin.Key
---@param options { domain: string, skill_name?: string, signer_kid?: string, expires_in?: integer, schema_version?: string, previous_hash?: string, canonicalization?: string, now?: integer, write?: boolean }
---@return table? document, string? text_or_message, symbi.Failure? err
function M.sign_skill(dir, private_key, options) end
---@param dir string
---@param private_key symbi.schemapin.Key
---@param options table
---@return table? document, string? text_or_message, symbi.Failure? err
function M.sign_with_options(dir, private_key, options) end
---@param options table dir, discovery, revocation, pins, tool_id, domain, ...
---@return symbi.schemapin.Result? result, string? message, symbi.Failure? err
function M.verify_skill(options) end
---@param options table
---@return symbi.schemapin.Result? result, string? message, symbi.Failure? err
function M.verify_skill_offline(options) end
---@param options table with dns_txt
---@return symbi.schemapin.Result? result, string? message, symbi.Failure? err
function M.verify_skill_with_dns(options) end
---@param options table with resolver
---@return symbi.schemapin.Result? result, string? message, symbi.Failure? err
function M.verify_skill_with_resolver(options) end
--- Signs one file and writes FILE.sig.
---@param path string
---@param private_key symbi.schemapin.Key
---@param options table
---@return table? document, string? text_or_message, symbi.Failure? err
function M.sign_file(path, private_key, options) end
---@param options table path, signature, discovery, domain, ...
---@return symbi.schemapin.Result? result, string? message, symbi.Failure? err
function M.verify_file(options) end
---@param current table<string, string>
---@param signed table<string, string>
---@return { modified: string[], added: string[], removed: string[] }? difference, string? message, symbi.Failure? err
function M.detect_tampered_files(current, signed) end
---@param current string|table
---@param previous string|table
---@return boolean? ok, string? message, symbi.Failure? err
function M.verify_chain(current, previous) end
---@param text string
---@return string? signed_bytes, string? embedded_or_message, symbi.Failure? err
function M.runtime_input(text) end

---@param path string
---@param options? { create?: boolean, timeout_ms?: integer }
---@return symbi.schemapin.FileStore? store, string? message, symbi.Failure? err
function M.store.open(path, options) end
---@return string?
function M.store.default_path() end
---@param options? { get?: function, txt?: function, io?: symbi.io.Transports, guard?: symbi.netguard.Policy, http_options?: table }
---@return symbi.schemapin.Resolver
function M.resolver.well_known(options) end
---@param dir string
---@param options? { revocations?: string }
---@return symbi.schemapin.Resolver
function M.resolver.local_files(dir, options) end
---@param bundle string|table
---@param options? { authority?: string[], pins?: symbi.schemapin.Pins, max_age?: integer, now?: integer, unsigned?: boolean }
---@return symbi.schemapin.Resolver? resolver, string? message, symbi.Failure? err
function M.resolver.bundle(bundle, options) end
---@param resolver symbi.schemapin.Resolver
---@param options? { ttl?: integer, max?: integer, clock?: fun(): integer }
---@return symbi.schemapin.Resolver
function M.resolver.cached(resolver, options) end
---@param resolvers symbi.schemapin.Resolver[]
---@return symbi.schemapin.Resolver
function M.resolver.chain(resolvers) end

return M
