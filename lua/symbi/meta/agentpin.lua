---@meta symbi.agentpin

--- A document as a table, as JSON text, or parsed once.
---@alias symbi.agentpin.Doc table|string|symbi.agentpin.Document
--- PEM text, or a key that was parsed once.
---@alias symbi.agentpin.Key string|symbi.crypto.Key

---@class symbi.agentpin.KeyPair
---@field [1] string
---@field [2] string
---@field private_key_pem string
---@field public_key_pem string

---@class symbi.agentpin.IssueOptions
---@field private_key? symbi.agentpin.Key
---@field private_key_pem? string
---@field kid string
---@field issuer string
---@field agent_id string
---@field capabilities string[]
---@field audience? string
---@field constraints? table
---@field delegation_chain? table[]
---@field ttl_secs? integer
---@field now? integer
---@field jti? string

---@class symbi.agentpin.VerifyOptions
---@field now? integer
---@field audience? string
---@field require_audience? boolean
---@field clock_skew_secs? integer
---@field max_ttl_secs? integer
---@field checks? any
---@field pin_store? symbi.agentpin.Pins|symbi.agentpin.PinStore
---@field pin_policy? "tofu"|"rotate"|"strict"
---@field document_over_https? boolean
---@field replay_store? symbi.agentpin.Nonces
---@field verify_delegation? boolean
---@field delegation_documents? table[]
---@field delegation_revocations? table[]
---@field dns? boolean
---@field dns_txt? any
---@field dns_resolver? fun(name: string): string[]?, string?
---@field io? symbi.io.Transports
---@field http_options? table
---@field resolver? symbi.agentpin.Resolver
---@field discovery? symbi.agentpin.Doc of agentpin.verify
---@field revocation? symbi.agentpin.Doc of agentpin.verify
---@field bundle? symbi.agentpin.Doc of agentpin.verify

---@class symbi.agentpin.Step
---@field step integer
---@field name string
---@field status string
---@field ok boolean

--- What a verification gives; only a verification makes one. Refused: valid is false, and all but the error, steps and claimed is nil.
---@class symbi.agentpin.Result : userdata
---@field valid boolean
---@field agent_id? string
---@field issuer? string
---@field capabilities? string[]
---@field constraints? table
---@field delegation_verified? boolean
---@field delegation_chain? table[]
---@field key_pinning? { status: string, first_seen?: any }
---@field error_code? string
---@field error_message? string
---@field warnings? string[]
---@field code? string
---@field message? string
---@field reason? string
---@field audience? string
---@field jti? string
---@field kid? string
---@field agent_name? string
---@field iat? integer
---@field exp? integer
---@field claimed? any
---@field steps symbi.agentpin.Step[]
---@field valid_at fun(self: symbi.agentpin.Result, now: integer): boolean
---@field to_table fun(self: symbi.agentpin.Result): table

--- Where documents come from.
---@class symbi.agentpin.Resolver
---@field discovery? fun(self: any, domain: string, ask: table): symbi.agentpin.Doc?, string?
---@field revocation? fun(self: any, domain: string, ask: table): symbi.agentpin.Doc|false|nil, string?
---@field fetch? fun(self: any, ask: table): table

---@class symbi.agentpin.Document : userdata
local Document = {}
---@return any
function Document:value() end
---@param pretty? boolean
---@return string
function Document:json(pretty) end
function Document:close() end

--- Keys seen before, in memory.
---@class symbi.agentpin.Pins : userdata
local Pins = {}
---@param domain string
---@param jwk table
---@param now? integer
---@return "first_use"|"matched"|"changed"|nil status, string? message, symbi.Failure? err
function Pins:check(domain, jwk, now) end
---@param domain string
---@param jwk table
---@param now? integer
---@return boolean? ok, string? message, symbi.Failure? err
function Pins:add_key(domain, jwk, now) end
---@param domain string
---@param hash? string
---@return boolean? ok, string? message, symbi.Failure? err
function Pins:remove(domain, hash) end
---@param domain string
---@return table?
function Pins:get_domain(domain) end
---@return table[]
function Pins:list() end
---@return integer
function Pins:count() end
---@return boolean
function Pins:changed() end
---@param runtime? boolean
---@return string? text, string? message, symbi.Failure? err
function Pins:to_json(runtime) end
---@param other symbi.agentpin.Pins
---@return integer? conflicts, string? message, symbi.Failure? err
function Pins:merge(other) end
function Pins:saved() end
function Pins:close() end

--- Keys seen before, in a file.
---@class symbi.agentpin.PinStore
---@field pins symbi.agentpin.Pins
local PinStore = {}
---@return boolean? ok, integer|string|nil conflicts_or_message, symbi.Failure? err
function PinStore:save() end
---@param domain string
---@param jwk table
---@param now? integer
---@return "first_use"|"matched"|"changed"|nil status, string? message, symbi.Failure? err
function PinStore:check(domain, jwk, now) end
---@param domain string
---@param jwk table
---@param now? integer
---@return boolean? ok, string? message, symbi.Failure? err
function PinStore:add_key(domain, jwk, now) end
---@param domain string
---@param hash? string
---@return boolean? ok, string? message, symbi.Failure? err
function PinStore:remove(domain, hash) end
---@param domain string
---@return table?
function PinStore:get_domain(domain) end
---@return table[]
function PinStore:list() end
---@return integer
function PinStore:count() end
---@return boolean
function PinStore:changed() end
---@param runtime? boolean
---@return string? text, string? message, symbi.Failure? err
function PinStore:to_json(runtime) end
function PinStore:close() end

--- What was used once.
---@class symbi.agentpin.Nonces : userdata
local Nonces = {}
---@param nonce string
---@param expires integer
---@param now? integer
---@return boolean? ok, string? message, symbi.Failure? err
function Nonces:use(nonce, expires, now) end
---@param nonce string
---@param now? integer
---@return boolean
function Nonces:seen(nonce, now) end
---@return integer
function Nonces:count() end
function Nonces:close() end

---@class symbi.agentpin
---@field AGENTPIN_VERSION string
---@field codes table<string, string>
---@field reasons table<string, string>
---@field limits table<string, integer>
---@field ErrorCode table<string, string>
---@field EntityType table<string, string>
---@field AgentStatus table<string, string>
---@field DelegationRole table<string, string>
---@field DataClassification table<string, string>
---@field TrustLevel table<string, string>
---@field PinningResult table<string, string>
---@field RevocationReason table<string, string>
---@field Capability table
---@field allowed_domains table
---@field KeyPinStore table
---@field http table
---@field mcp table
---@field websocket table
---@field grpc table
---@field dns table
---@field a2a table
---@field resolver table
local M = {}

---@return symbi.agentpin.KeyPair? keys, string? message, symbi.Failure? err
function M.generate_key_pair() end
---@param key symbi.agentpin.Key
---@return string? kid, string? message, symbi.Failure? err
function M.generate_key_id(key) end
---@param key symbi.agentpin.Key
---@param kid? string
---@return table? jwk, string? message, symbi.Failure? err
function M.pem_to_jwk(key, kid) end
---@param jwk table
---@return string? pem, string? message, symbi.Failure? err
function M.jwk_to_pem(jwk) end
---@param jwk table
---@return string? thumbprint, string? message, symbi.Failure? err
function M.jwk_thumbprint(jwk) end
--- A key parsed once, for many uses.
---@param pem string
---@return symbi.crypto.Key? key, string? message, symbi.Failure? err
function M.load_key(pem) end
---@param jwk table
---@return symbi.crypto.Key? key, string? message, symbi.Failure? err
function M.jwk_key(jwk) end
---@param key symbi.agentpin.Key
---@param data string
---@return string? signature, string? message, symbi.Failure? err
function M.sign_data(key, data) end
---@param key symbi.agentpin.Key
---@param data string
---@param signature string
---@return boolean? ok, string? message, symbi.Failure? err
function M.verify_signature(key, data, signature) end
---@param data string
---@return string bytes
function M.sha256_hash(data) end
---@param data string
---@return string hex
function M.sha256_hex(data) end

--- One table, or the arguments in the order of the Python SDK.
---@param options symbi.agentpin.IssueOptions
---@return string? jwt, string? message, symbi.Failure? err
---@overload fun(private_key: symbi.agentpin.Key, kid: string, issuer: string, agent_id: string, capabilities: string[], audience?: string, constraints?: table, chain?: table[], ttl?: integer): string?, string?, symbi.Failure?
function M.issue_credential(options) end
---@param jwt string
---@return table? parts, string? message, symbi.Failure? err
function M.decode_jwt_unverified(jwt) end
--- The signature alone.
---@param jwt string
---@param key symbi.agentpin.Key
---@return table? parts, string? message, symbi.Failure? err
function M.verify_jwt(jwt, key) end
---@param jwt string
---@return string? issuer, string? message, symbi.Failure? err
function M.claimed_issuer(jwt) end

--- What the options name: discovery (and revocation), bundle, resolver, or the domain itself.
---@param jwt string
---@param options? symbi.agentpin.VerifyOptions
---@return symbi.agentpin.Result? result, string? message, symbi.Failure? err
function M.verify(jwt, options) end
--- Asks the issuer's domain.
---@param jwt string
---@param options? symbi.agentpin.VerifyOptions
---@return symbi.agentpin.Result? result, string? message, symbi.Failure? err
---@overload fun(jwt: string, audience?: string, config?: symbi.agentpin.VerifyOptions): symbi.agentpin.Result?, string?, symbi.Failure?
function M.verify_credential(jwt, options) end
---@param jwt string
---@param discovery symbi.agentpin.Doc
---@param revocation? symbi.agentpin.Doc
---@param options? symbi.agentpin.VerifyOptions|symbi.agentpin.Pins a pin store: then audience and config follow
---@param audience? string
---@param config? symbi.agentpin.VerifyOptions
---@return symbi.agentpin.Result? result, string? message, symbi.Failure? err
function M.verify_credential_offline(jwt, discovery, revocation, options, audience, config) end
---@param jwt string
---@param bundle symbi.agentpin.Doc
---@param options? symbi.agentpin.VerifyOptions|symbi.agentpin.Pins
---@param audience? string
---@param config? symbi.agentpin.VerifyOptions
---@return symbi.agentpin.Result? result, string? message, symbi.Failure? err
function M.verify_credential_with_bundle(jwt, bundle, options, audience, config) end
---@param jwt string
---@param resolver symbi.agentpin.Resolver
---@param options? symbi.agentpin.VerifyOptions|symbi.agentpin.Pins
---@param audience? string
---@param config? symbi.agentpin.VerifyOptions
---@return symbi.agentpin.Result? result, string? message, symbi.Failure? err
function M.verify_credential_with_resolver(jwt, resolver, options, audience, config) end
---@param domain string
---@param options? { io?: symbi.io.Transports, http_options?: table }
---@return table? document, string? message, symbi.Failure? err
function M.fetch_discovery_document(domain, options) end
---@param domain string
---@param options? { io?: symbi.io.Transports, http_options?: table }
---@return table? document, string? message, symbi.Failure? err
function M.fetch_revocation_document(domain, options) end
--- Everything here as methods of one client, which has its own pin store.
---@param options? symbi.agentpin.VerifyOptions
---@return table client
function M.new(options) end

--- Over HTTPS, from the domain itself.
---@param options? { io?: symbi.io.Transports, http_options?: table }
---@return symbi.agentpin.Resolver
function M.resolver.well_known(options) end
---@param bundle symbi.agentpin.Doc
---@return symbi.agentpin.Resolver
function M.resolver.bundle(bundle) end
---@param dir string
---@param revocation_dir? string
---@return symbi.agentpin.Resolver
function M.resolver.files(dir, revocation_dir) end
---@param options? { io?: symbi.io.Transports, http_options?: table }
---@return symbi.agentpin.Resolver
function M.resolver.a2a(options) end
---@param list symbi.agentpin.Resolver[]
---@return symbi.agentpin.Resolver
function M.resolver.chain(list) end
---@param inner symbi.agentpin.Resolver
---@param options? { ttl_secs?: integer, revocation_ttl_secs?: integer, max?: integer, now?: fun(): integer }
---@return symbi.agentpin.Resolver
function M.resolver.caching(inner, options) end

---@param text string
---@return any capability, string? message, symbi.Failure? err
function M.parse_capability(text) end
---@param declared string
---@param requested string
---@return boolean
function M.capability_matches(declared, requested) end
---@param declared string[]
---@param requested string[]
---@param admin_wildcard? boolean
---@return boolean
function M.capabilities_subset(declared, requested, admin_wildcard) end
---@param capabilities string[]
---@return string? hash, string? message, symbi.Failure? err
function M.capabilities_hash(capabilities) end
---@param text string
---@return boolean? ok, string? message, symbi.Failure? err
function M.validate_capability(text) end
---@param action string
---@param resource string
---@return string
function M.Capability.create(action, resource) end
---@param text string
---@return any capability, string? message, symbi.Failure? err
function M.Capability.parse(text) end
---@param declared string
---@param requested string
---@return boolean
function M.Capability.matches(declared, requested) end
---@param text string
---@return boolean? ok, string? message, symbi.Failure? err
function M.Capability.validate_capability(text) end
---@param text string
---@return any rate, string? message, symbi.Failure? err
function M.parse_rate_limit(text) end
---@param pattern string
---@param domain string
---@return boolean
function M.domain_pattern_matches(pattern, domain) end
---@param document table
---@param credential table
---@param strict? boolean
---@return boolean
function M.constraints_subset_of(document, credential, strict) end
---@param text string
---@return boolean
function M.domain_ok(text) end
--- {} is everybody, false is nobody.
---@param list string[]|false
---@param domain string
---@return boolean
function M.allowed_domains.allows(list, domain) end
---@param a string[]|false
---@param b string[]|false
---@return string[]|false
function M.allowed_domains.intersect(a, b) end
---@param constraints table
---@return string[]
function M.allowed_domains.from_constraints(constraints) end

--- One table, or the arguments in this order.
---@param entity string|table
---@param entity_type? "maker"|"deployer"|"both"
---@param keys? table[]
---@param agents? table[]
---@param depth? integer
---@param updated_at? string
---@param a2a_endpoint? string
---@return table? document, string? message, symbi.Failure? err
function M.build_discovery_document(entity, entity_type, keys, agents, depth, updated_at, a2a_endpoint) end
---@param document symbi.agentpin.Doc
---@param entity string
---@return boolean? ok, string? message, symbi.Failure? err
function M.validate_discovery_document(document, entity) end
---@param document symbi.agentpin.Doc
---@param kid string
---@return table? jwk
function M.find_key_by_kid(document, kid) end
---@param document symbi.agentpin.Doc
---@param agent_id string
---@return table? agent
function M.find_agent_by_id(document, agent_id) end
---@param from table|string
---@param kind? "discovery"|"revocation" checked as a fetched one is
---@param domain? string
---@return symbi.agentpin.Document? document, string? message, symbi.Failure? err
function M.document(from, kind, domain) end
---@param payload table
---@param document symbi.agentpin.Doc
---@return boolean? ok, string? message, symbi.Failure? err
function M.validate_credential_against_discovery(payload, document) end
---@param entity string
---@param now? integer
---@return table? document, string? message, symbi.Failure? err
function M.build_revocation_document(entity, now) end
---@param doc symbi.agentpin.Doc
---@param jti? string
---@param agent_id? string
---@param kid? string
---@param entity? string
---@return boolean? ok, string? message, symbi.Failure? err
function M.check_revocation(doc, jti, agent_id, kid, entity) end
---@param doc symbi.agentpin.Doc
---@param jti string
---@param reason string
---@param now? integer
---@return table? document, string? message, symbi.Failure? err
function M.add_revoked_credential(doc, jti, reason, now) end
---@param doc symbi.agentpin.Doc
---@param agent_id string
---@param reason string
---@param now? integer
---@return table? document, string? message, symbi.Failure? err
function M.add_revoked_agent(doc, agent_id, reason, now) end
---@param doc symbi.agentpin.Doc
---@param kid string
---@param reason string
---@param now? integer
---@return table? document, string? message, symbi.Failure? err
function M.add_revoked_key(doc, kid, reason, now) end
---@param old_kid string
---@return table? plan, string? message, symbi.Failure? err
function M.prepare_rotation(old_kid) end
---@param doc symbi.agentpin.Doc
---@param plan table
---@param now? integer
---@return table? document, string? message, symbi.Failure? err
function M.apply_rotation(doc, plan, now) end
---@param doc symbi.agentpin.Doc
---@param revocation symbi.agentpin.Doc
---@param old_kid string
---@param reason string
---@param now? integer
---@return table? document, table|string|nil revocation_or_message, symbi.Failure? err
function M.complete_rotation(doc, revocation, old_kid, reason, now) end

---@param options table
---@return string? text, string? message, symbi.Failure? err
function M.canonical_attestation_input(options) end
---@param options { domain: string, role: string, agent_id: string, delegatee_domain: string, delegatee_agent_id: string, capabilities: string[], kid: string, private_key?: symbi.agentpin.Key, private_key_pem?: string }
---@return table? entry, string? message, symbi.Failure? err
function M.create_attestation(options) end
---@param entry table
---@param key symbi.agentpin.Key
---@param delegatee_domain string
---@param delegatee_agent_id string
---@param capabilities string[]
---@return boolean? ok, string? message, symbi.Failure? err
function M.verify_attestation(entry, key, delegatee_domain, delegatee_agent_id, capabilities) end
---@param length integer
---@param depths integer[]
---@return boolean? ok, string? message, symbi.Failure? err
function M.verify_chain_depth(length, depths) end

---@param credential? string
---@param now? integer
---@return table? challenge, string? message, symbi.Failure? err
function M.create_challenge(credential, now) end
---@param challenge table
---@param key symbi.agentpin.Key
---@param kid string
---@param binding? string
---@return table? response, string? message, symbi.Failure? err
function M.create_response(challenge, key, kid, binding) end
---@param response table
---@param challenge table
---@param key symbi.agentpin.Key
---@param options? { now?: integer, ttl_secs?: integer, binding?: string, kid?: string, nonce_store?: symbi.agentpin.Nonces }
---@return boolean? ok, string? message, symbi.Failure? err
function M.verify_response(response, challenge, key, options) end
---@param response table
---@param challenge table
---@param key symbi.agentpin.Key
---@param store symbi.agentpin.Nonces
---@param options? table
---@return boolean? ok, string? message, symbi.Failure? err
function M.verify_response_with_nonce_store(response, challenge, key, store, options) end
---@param max? integer
---@return symbi.agentpin.Nonces
function M.create_nonce_store(max) end
---@param max? integer
---@return symbi.agentpin.Nonces
function M.InMemoryNonceStore(max) end

---@param header string
---@return string? jwt, string? message, symbi.Failure? err
function M.http.extract(header) end
---@param jwt string
---@return string header
function M.http.format(jwt) end
---@param meta table
---@return string? jwt, string? message, symbi.Failure? err
function M.mcp.extract(meta) end
---@param jwt string
---@return { agentpin_credential: string }
function M.mcp.format(jwt) end
---@param required? boolean
---@return table
function M.mcp.capability(required) end
---@param message string
---@return string? jwt, string? message, symbi.Failure? err
function M.websocket.extract(message) end
---@param jwt string
---@return string? message, string? why, symbi.Failure? err
function M.websocket.format(jwt) end
---@param value string
---@return string? jwt, string? message, symbi.Failure? err
function M.grpc.extract(value) end
---@param jwt string
---@return string
function M.grpc.format(jwt) end
---@param record string
---@return table? parsed, string? message, symbi.Failure? err
function M.dns.parse(record) end
---@param domain string
---@return string? name, string? message, symbi.Failure? err
function M.dns.name(domain) end
---@param document symbi.agentpin.Doc
---@param record table|string
---@return boolean? ok, string? message, symbi.Failure? err
function M.dns.match(document, record) end
---@param records string[]
---@return integer?
function M.dns.pick(records) end

---@param card symbi.agentpin.Doc
---@return string? text, string? message, symbi.Failure? err
function M.a2a.canonical(card) end
---@param declaration table
---@param url string
---@param options? table
---@return table? card, string? message, symbi.Failure? err
function M.a2a.build(declaration, url, options) end
---@param card symbi.agentpin.Doc
---@param endpoint string
---@param key symbi.agentpin.Key
---@param kid string
---@return table? card, string? message, symbi.Failure? err
function M.a2a.sign(card, endpoint, key, kid) end
---@param card symbi.agentpin.Doc
---@return boolean? ok, string? message, symbi.Failure? err
function M.a2a.verify_extension(card) end
---@param card symbi.agentpin.Doc
---@param discovery symbi.agentpin.Doc
---@param revocation? symbi.agentpin.Doc
---@param now? integer
---@return boolean? ok, string? message, symbi.Failure? err
function M.a2a.verify_with_discovery(card, discovery, revocation, now) end
---@param card symbi.agentpin.Doc
---@param https_only? boolean
---@return string? host, string? message, symbi.Failure? err
function M.a2a.endpoint_host(card, https_only) end
---@param card symbi.agentpin.Doc
---@return table? document, string? message, symbi.Failure? err
function M.a2a.derive_discovery(card) end
---@return table store
function M.a2a.store() end

---@return symbi.agentpin.Pins
function M.create_pin_store() end
---@return symbi.agentpin.Pins
function M.KeyPinStore.new() end
---@param text string
---@return symbi.agentpin.Pins? pins, string? message, symbi.Failure? err
function M.KeyPinStore.from_json(text) end
---@param store symbi.agentpin.Pins
---@param domain string
---@param jwk table
---@param now? integer
---@return "first_use"|"matched"|nil status, string? message, symbi.Failure? err
function M.check_pinning(store, domain, jwk, now) end
---@param path string
---@param options? table
---@return symbi.agentpin.PinStore? store, string? message, symbi.Failure? err
function M.open_pin_store(path, options) end
---@param created_at? string|integer
---@return table? bundle, string? message, symbi.Failure? err
function M.create_trust_bundle(created_at) end
---@param documents? table[]
---@param revocations? table[]
---@param now? integer
---@return table? bundle, string? message, symbi.Failure? err
function M.build_trust_bundle(documents, revocations, now) end
---@param bundle symbi.agentpin.Doc
---@param rules? { strict?: boolean, now?: integer, max_age_secs?: integer, not_before?: any }
---@return boolean? ok, string? message, symbi.Failure? err
function M.check_trust_bundle(bundle, rules) end
---@param bundle symbi.agentpin.Doc
---@param domain string
---@return table? document
function M.find_bundle_discovery(bundle, domain) end
---@param bundle symbi.agentpin.Doc
---@param domain string
---@return table? document
function M.find_bundle_revocation(bundle, domain) end
---@param path string
---@param options? table
---@return table? bundle, string? message, symbi.Failure? err
function M.load_trust_bundle(path, options) end
---@param bundle table
---@param path string
---@return boolean? ok, string? message, symbi.Failure? err
function M.save_trust_bundle(bundle, path) end
---@param keys symbi.agentpin.KeyPair
---@param dir string
---@param name string
---@param kid? string
---@return any ok, string? message, symbi.Failure? err
function M.save_key_pair(keys, dir, name, kid) end

return M
