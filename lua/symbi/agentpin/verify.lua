--- symbi.agentpin, verification: against documents at hand, a bundle, files, or the domain itself. The online form is a machine in C
-- that asks one question at a time; here its questions are carried to a transport or a resolver, and nothing is decided.
local symbi_core = require "symbi.core"
local core = symbi_core.agentpin

local M = {}

local function fail(code, ...)
    local message = string.format(...)
    return nil, message, symbi_core.error(code, message)
end

-- What of the options is ours; the rest goes to C, which refuses what it does not know.
local OURS = { io = true, resolver = true, dns_resolver = true, cache = true, http_options = true }

local function split(options, pin_store, audience)
    local inner, ours = {}, {}
    for k, v in pairs(options or {}) do
        if OURS[k] then ours[k] = v else inner[k] = v end
    end
    if pin_store ~= nil then inner.pin_store = pin_store end
    if audience ~= nil and audience ~= symbi_core.null then inner.audience = audience end
    local store = inner.pin_store
    if type(store) == "table" then -- a store with a file
        ours.store, inner.pin_store = store, store.pins
    end
    return inner, ours
end

-- (audience, config) as the SDKs have it, or one options table.
local function arguments(audience, config)
    if type(audience) == "table" then return audience, nil end
    return config, audience
end

-- A key that was pinned just now goes to disk before the result is given out: else another process may pin another one meanwhile.
local function keep(result, ours)
    local pinning = result and ours.store and result.valid and result.key_pinning
    if not pinning or pinning.status == "pinned" then return result end
    local ok, conflicts, err = ours.store:save()
    if not ok then return nil, "the pin could not be saved: " .. tostring(conflicts), err end
    if conflicts > 0 then
        return fail("KEY_PIN_MISMATCH", "Key for '%s' was pinned by another process meanwhile, and it is another key", result.issuer)
    end
    return result
end

local function finish(ours, result, message, err)
    if not result then return nil, message, err end
    return keep(result, ours)
end

--- verify_credential_offline(jwt, discovery[, revocation[, options]]), or with pin_store, audience, config as 4th to 6th argument.
function M.verify_credential_offline(jwt, discovery, revocation, pin_store, audience, config)
    local inner, ours
    if type(pin_store) == "table" and getmetatable(pin_store) == nil then inner, ours = split(pin_store)
    else inner, ours = split(config, pin_store, audience) end
    return finish(ours, core.verify(jwt, discovery, revocation, inner))
end

--- verify_credential_with_bundle(jwt, bundle[, options]), or with pin_store, audience, config.
function M.verify_credential_with_bundle(jwt, bundle, pin_store, audience, config)
    local inner, ours
    if type(pin_store) == "table" and getmetatable(pin_store) == nil then inner, ours = split(pin_store)
    else inner, ours = split(config, pin_store, audience) end
    return finish(ours, core.verify_with_bundle(jwt, bundle, inner))
end

-- ---- fetching -------------------------------------------------------------------------------------------------------------

-- One GET through a set of transports (symbi.io.auto). They follow no redirect, and go through the network guard.
local function get(io, ask, http_options)
    local request = { url = ask.url, method = "GET", headers = { { "Accept", "application/json" } }, timeout_ms = ask.timeout_ms, max_bytes = ask.max_bytes }
    for k, v in pairs(http_options or {}) do request[k] = v end
    if ask.refetch then request.headers[#request.headers + 1] = { "Cache-Control", "no-cache" } end
    local reply, message = io:http({ kind = "http", http = request })
    if not reply then return { error = tostring(message) } end
    if reply.error then return { error = tostring(type(reply.error) == "table" and reply.error.message or reply.error) } end
    return { status = reply.status, body = reply.body, url = reply.url }
end

local function transports(ours)
    return ours.io or require("symbi.io").auto {}
end

-- ---- resolvers ------------------------------------------------------------------------------------------------------------
-- A resolver has discovery(domain, ask) and revocation(domain, ask): a document (table, JSON text or document object); nil and a message when it
-- cannot tell; revocation: false when it knows that there is none. A well-known resolver has fetch(ask) instead: what the machine is told.

local resolver = {}
M.resolver = resolver

local WellKnown = {}
WellKnown.__index = WellKnown
function WellKnown:fetch(ask) return get(self.io or require("symbi.io").auto {}, ask, self.http_options) end

--- The domain itself. options: io = transports, http_options = more fields of each request (guard = a policy).
function resolver.well_known(options)
    options = options or {}
    return setmetatable({ io = options.io, http_options = options.http_options }, WellKnown)
end

local Bundle = {}
Bundle.__index = Bundle
function Bundle:discovery(domain)
    local doc = core.bundle_discovery(self.bundle, domain)
    if doc then return doc end
    return nil, "Domain '" .. domain .. "' not found in trust bundle"
end
function Bundle:revocation(domain) return core.bundle_revocation(self.bundle, domain) or false end

--- A trust bundle (table or document object).
function resolver.bundle(bundle)
    if type(bundle) == "table" then bundle = core.document(bundle) end
    return setmetatable({ bundle = bundle }, Bundle)
end

local Local = {}
Local.__index = Local

-- dir/{domain}suffix. Only a domain name becomes a file name.
local function read_document(dir, domain, suffix)
    if not core.domain_ok(domain) then return nil, "'" .. tostring(domain) .. "' is not a domain name" end
    local text, message, err = require("symbi.io").read_file(dir .. "/" .. domain .. suffix, core.limits.document)
    if text then return text end
    return nil, message, err
end
function Local:discovery(domain) return read_document(self.dir, domain, ".json") end
function Local:revocation(domain)
    local text, message, err = read_document(self.revocation_dir, domain, ".revocations.json")
    if text then return text end
    if type(err) == "table" and err.code == "ENOTFOUND" then return false end
    return nil, message, err
end

--- Files {dir}/{domain}.json and {domain}.revocations.json (in revocation_dir, or the same folder).
function resolver.files(dir, revocation_dir) return setmetatable({ dir = dir, revocation_dir = revocation_dir or dir }, Local) end

local Card = {}
Card.__index = Card
function Card:fetch(ask)
    local io = self.io or require("symbi.io").auto {}
    if ask.document ~= "discovery" then return get(io, ask, self.http_options) end
    local url = "https://" .. ask.domain .. "/.well-known/agent-card.json"
    local answer = get(io, { url = url, timeout_ms = ask.timeout_ms, max_bytes = ask.max_bytes, refetch = ask.refetch }, self.http_options)
    if answer.error then return answer end
    if answer.status ~= 200 then return { error = "agent card: HTTP status " .. tostring(answer.status) } end
    if answer.url and answer.url ~= url then return { error = "agent card: redirected" } end
    local card, message = core.document(answer.body)
    if not card then return { error = "agent card: " .. message } end
    local ok, host, document
    ok, message = core.card_verify(card)
    if ok then host, message = core.card_host(card, true) end
    if host and host ~= ask.domain then host, message = nil, "it is about " .. host end
    if host then document, message = core.card_discovery(card) end
    card:close()
    return document and { document = document } or { error = "agent card: " .. tostring(message) }
end

--- The domain's A2A agent card, for domains that serve no discovery document. Its key is the domain's because the domain serves it over HTTPS.
function resolver.a2a(options)
    options = options or {}
    return setmetatable({ io = options.io, http_options = options.http_options }, Card)
end

local Chain = {}
Chain.__index = Chain

-- What one resolver says to a question of the machine. A text that is no document is an answer of no use, not trouble of ours.
local function consult(r, ask)
    if r.fetch then return r:fetch(ask) end
    local doc, message = r[ask.document](r, ask.domain, ask)
    if doc == false and ask.document == "revocation" then return { none = true } end
    if type(doc) == "string" or type(doc) == "table" then doc, message = core.document(doc) end
    if doc then return { document = doc } end
    return { error = tostring(message or "no document") }
end

--- The first that has the document. Revocations: the first that has one; an error of any that is asked is an error (fail-closed), and "there is
-- none" is believed only of all.
function resolver.chain(list) return setmetatable({ list = list }, Chain) end
function Chain:fetch(ask)
    local last = { error = "no resolver" }
    if ask.document == "discovery" then
        local said = {}
        for _, r in ipairs(self.list) do
            last = consult(r, ask)
            if last.document or (last.status == 200) then return last end
            said[#said + 1] = last.error or ("HTTP status " .. tostring(last.status))
        end
        return { error = #said > 0 and table.concat(said, "; ") or last.error }
    end
    for _, r in ipairs(self.list) do
        last = consult(r, ask)
        if not last.none then return last end
    end
    return last
end

local Caching = {}
Caching.__index = Caching

--- Keeps documents of another resolver in memory: discovery for ttl_secs (default 3600), revocations for revocation_ttl_secs (300). A document
-- that lacks the key asked for is fetched anew once it is older than 30 s.
function resolver.caching(inner, options)
    options = options or {}
    return setmetatable({
        inner = inner, ttl = options.ttl_secs or 3600, revocation_ttl = options.revocation_ttl_secs or 300, max = options.max or 1024,
        now = options.now or os.time, held = {}, n = 0,
    }, Caching)
end

local function cached(self, ask, now)
    local e = self.held[ask.document .. " " .. ask.domain]
    if not e then return nil end
    local age = now - e.at
    local ttl = ask.document == "discovery" and self.ttl or self.revocation_ttl
    if age < 0 or age >= ttl then return nil end
    if ask.refetch and age > 30 then return nil end
    return e
end

function Caching:fetch(ask)
    local now = self.now()
    local e = cached(self, ask, now)
    if e then return e.none and { none = true } or { document = e.document, https = e.https } end
    return consult(self.inner, ask), true
end

-- Called with what the machine accepted.
function Caching:keep(ask, document, none, https)
    local key = ask.document .. " " .. ask.domain
    if not self.held[key] then
        if self.n >= self.max then self.held, self.n = {}, 0 end
        self.n = self.n + 1
    end
    self.held[key] = { document = document, none = none, https = https, at = self.now() }
end

--- Forgets one domain, or everything.
function Caching:forget(domain)
    if not domain then
        self.held, self.n = {}, 0
        return
    end
    for _, what in ipairs { "discovery ", "revocation " } do
        if self.held[what .. domain] then
            self.held[what .. domain] = nil
            self.n = self.n - 1
        end
    end
end

-- ---- the machine ----------------------------------------------------------------------------------------------------------

local function ask_dns(resolve, name)
    if not resolve then return { error = "no DNS resolver was given (dns_resolver = function(name) -> list of TXT texts)" } end
    local records, message = resolve(name)
    if records == nil then return { error = tostring(message or "no answer") } end
    return { records = records }
end

local function drive(m, source, dns)
    while true do
        local ask, message, err = m:next()
        if not ask then return nil, message, err end
        if ask.kind == "done" then return m:result() end
        local answer, fresh
        if ask.kind == "dns" then answer = ask_dns(dns, ask.name) else answer, fresh = consult(source, ask) end
        local ok
        ok, message, err = m:resolve(ask.id, answer)
        if not ok then return nil, message, err end
        if fresh and source.keep then
            if answer.document then
                source:keep(ask, answer.document, nil, answer.https)
            elseif answer.none then
                source:keep(ask, nil, true)
            elseif answer.status == 200 then
                local document = m:fetched()
                if document and not m:result() then source:keep(ask, document, nil, true) end
            end
        end
    end
end

--- verify_credential_with_resolver(jwt, resolver[, options]), or with pin_store, audience, config.
function M.verify_credential_with_resolver(jwt, source, pin_store, audience, config)
    local inner, ours
    if type(pin_store) == "table" and getmetatable(pin_store) == nil then inner, ours = split(pin_store)
    else inner, ours = split(config, pin_store, audience) end
    if ours.dns_resolver and inner.dns == nil then inner.dns = true end
    local m, message, err = core.online(jwt, inner)
    if not m then return nil, message, err end
    local result
    result, message, err = drive(m, source, ours.dns_resolver)
    m:close()
    return finish(ours, result, message, err)
end

--- verify_credential(jwt[, options]) or (jwt, audience, config): asks the issuer's domain. options: audience, clock_skew_secs, max_ttl_secs, now,
-- pin_store, pin_policy, replay_store, checks, verify_delegation, dns_resolver; io = transports; resolver = instead of the domain itself.
function M.verify_credential(jwt, audience, config)
    local options
    options, audience = arguments(audience, config)
    options = options or {}
    local source = options.resolver or resolver.well_known { io = options.io, http_options = options.http_options }
    local passed = {}
    for k, v in pairs(options) do passed[k] = v end
    passed.resolver = nil
    if audience ~= nil then passed.audience = audience end
    return M.verify_credential_with_resolver(jwt, source, passed)
end

--- verify(jwt, options): what the options name: discovery (and revocation), bundle, resolver, or the domain itself.
function M.verify(jwt, options)
    options = options or {}
    local rest = {}
    for k, v in pairs(options) do
        if k ~= "discovery" and k ~= "revocation" and k ~= "bundle" then rest[k] = v end
    end
    if options.discovery then return M.verify_credential_offline(jwt, options.discovery, options.revocation, rest) end
    if options.bundle then return M.verify_credential_with_bundle(jwt, options.bundle, rest) end
    return M.verify_credential(jwt, rest)
end

-- ---- single documents -----------------------------------------------------------------------------------------------------

local function fetch(domain, what, url, options)
    local ours = options or {}
    local message, err
    if not url then
        url, message = core.url(domain, what)
        if not url then return fail("DISCOVERY_FETCH_FAILED", "Failed to fetch %s document: %s", what, message) end
    end
    local answer = get(transports(ours), { url = url, timeout_ms = core.limits.fetch_ms, max_bytes = core.limits.document }, ours.http_options)
    if answer.error or answer.status ~= 200 then
        return fail("DISCOVERY_FETCH_FAILED", "Failed to fetch %s document: %s", what, answer.error or ("HTTP status " .. tostring(answer.status)))
    end
    local doc
    doc, message, err = core.document(answer.body, what, domain)
    if not doc then return nil, message, err end
    local value = doc:value()
    doc:close()
    return value
end

--- fetch_discovery_document(domain[, {io=, http_options=}]): the document as a table, checked for this domain.
function M.fetch_discovery_document(domain, options) return fetch(domain, "discovery", nil, options) end
function M.fetch_revocation_document(domain, options) return fetch(domain, "revocation", nil, options) end

-- ---- one client with its own pin store ------------------------------------------------------------------------------------

local Client = {}

--- new{pin_store=, io=, resolver=, ...}: everything of symbi.agentpin as methods; verifying uses the client's pin store (and other options)
-- unless a call gives its own.
function M.new(options)
    local defaults = {}
    for k, v in pairs(options or {}) do defaults[k] = v end
    defaults.pin_store = defaults.pin_store or core.pins()
    return setmetatable({ pin_store = defaults.pin_store, defaults = defaults }, Client)
end

local function with(self, given, audience)
    local o = {}
    for k, v in pairs(self.defaults) do o[k] = v end
    for k, v in pairs(given or {}) do o[k] = v end
    if audience ~= nil then o.audience = audience end
    return o
end

local methods = {}
function methods:verify_credential(jwt, audience, config)
    config, audience = arguments(audience, config)
    return M.verify_credential(jwt, with(self, config, audience))
end
local function stored(name, has_two)
    return function(self, jwt, a, b, c, d, e)
        local pin_store, audience, config
        if has_two then pin_store, audience, config = c, d, e else pin_store, audience, config = b, c, d end
        if type(pin_store) == "table" and getmetatable(pin_store) == nil then config, pin_store, audience = pin_store, nil, nil end
        local o = with(self, config, audience)
        if pin_store ~= nil then o.pin_store = pin_store end
        o.io, o.resolver, o.http_options = nil, nil, nil
        if has_two then return M[name](jwt, a, b, o) end
        return M[name](jwt, a, o)
    end
end
methods.verify_credential_offline = stored("verify_credential_offline", true)
methods.verify_credential_with_bundle = stored("verify_credential_with_bundle", false)
methods.verify_credential_with_resolver = stored("verify_credential_with_resolver", false)
function methods:fetch_discovery_document(domain) return M.fetch_discovery_document(domain, self.defaults) end
function methods:fetch_revocation_document(domain) return M.fetch_revocation_document(domain, self.defaults) end

Client.__index = function(self, name)
    local m = methods[name]
    if m then return m end
    local f = require("symbi.agentpin")[name]
    if type(f) ~= "function" then return f end
    m = function(_, ...) return f(...) end
    rawset(self, name, m)
    return m
end

return M
