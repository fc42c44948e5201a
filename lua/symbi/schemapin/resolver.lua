--- symbi.schemapin.resolver: where discovery and revocation documents come from. A resolver has one method:
--   found = resolver:resolve(domain)   {discovery=, revocation=, domain=, dns_fingerprint=}, or {code=, message=} when it failed
-- What fails, fails closed: "not here" (code discovery_fetch_failed with missing = true) lets a chain ask the next one, anything
-- else ends it.
local symbi = require "symbi"
local core = require("symbi.core").schemapin

local M = {}

local function missing(domain) return { code = "discovery_fetch_failed", message = "Could not resolve discovery for domain: " .. tostring(domain), missing = true } end

-- The default transport: one GET with what fits here (blocking, the host's loop, nginx's cosockets), through the network guard, which
-- follows no redirect.
local function http_get(options)
    return function(url, o)
        local request = { url = url, method = "GET", headers = { { "Accept", "application/json" } }, timeout_ms = o.timeout_ms, max_bytes = o.max_bytes, guard = options.guard }
        for k, v in pairs(options.http_options or {}) do request[k] = v end
        local reply, message = (options.io or symbi.io.auto{}):http{ kind = "http", http = request }
        if not reply then return nil, message end
        if reply.error then return nil, type(reply.error) == "table" and reply.error.message or reply.error end
        return { status = reply.status, body = reply.body, url = reply.url }
    end
end

-- Drives the lookup machine: get(url, {max_bytes=, timeout_ms=}) -> {status=, body=[, url=]}, txt(name) -> list of records.
local function lookup(domain, get, txt)
    local m, message = core.online(domain, txt ~= nil)
    if not m then return { code = "discovery_fetch_failed", message = message } end
    while true do
        local ask, why = m:next()
        if not ask then return { code = "discovery_fetch_failed", message = why } end
        if ask.kind == "done" then break end
        local answer
        if ask.kind == "http" then
            local r
            r, why = get(ask.url, ask)
            answer = r and { status = r.status, body = r.body, url = r.url } or { failed = true, message = tostring(why or "no answer") }
        else
            local records
            records, why = txt(ask.name, ask)
            answer = records and { records = records } or { failed = true, message = tostring(why or "no answer") }
        end
        local ok
        ok, why = m:resolve(ask.id, answer)
        if not ok then return { code = "discovery_fetch_failed", message = why } end
    end
    local found = m:found()
    m:close()
    return found
end

local function new(resolve) return { resolve = function(_, domain) return resolve(domain) end } end

--- Over HTTPS. options: get and txt (see above), or io = transports (symbi.io.auto), guard = a policy of symbi.netguard (none: the strict
-- one), http_options = more fields of each request (ca_file and the like).
function M.well_known(options)
    options = options or {}
    local get = options.get or http_get(options)
    return new(function(domain) return lookup(domain, get, options.txt) end)
end

--- The discovery document of a domain, read: schemapin.fetch_well_known("example.com", {get=}).
function M.fetch_well_known(domain, options)
    local found = M.well_known(options):resolve(domain)
    if found.code then return nil, found.message, symbi.error("EIO", found.message, { reason = found.code }) end
    return found.discovery:document(), found.discovery, found.revocation
end

--- Files DIR/{domain}.json and DIR/{domain}.revocations.json (or in options.revocations). The domain is checked before it becomes
-- part of a name; a file that is there and cannot be used is an error.
function M.local_files(dir, options)
    local revocations = options and options.revocations or dir
    local function read(path, parse, code)
        local text, message, err = symbi.io.read_file(path, core.limits.document)
        if not text then
            if err.code == "ENOTFOUND" then return nil end
            return nil, { code = code, message = message }
        end
        local doc
        doc, message = parse(text)
        if not doc then return nil, { code = code, message = path .. ": " .. message } end
        return doc
    end
    return new(function(domain)
        local name, message = core.domain(domain)
        if not name then return { code = "domain_invalid", message = message } end
        local file = name:gsub(":", "_")
        local discovery, failure = read(dir .. "/" .. file .. ".json", core.discovery, "discovery_invalid")
        if failure then return failure end
        if not discovery then return missing(name) end
        local revocation
        revocation, failure = read(revocations .. "/" .. file .. ".revocations.json", core.revocation, "revocation_invalid")
        if failure then return failure end
        return { discovery = discovery, revocation = revocation, domain = name }
    end)
end

--- A trust bundle (table or text). It is verified first, unless options.unsigned = true: then its word is taken, which is only right
-- for a bundle that came with the program. options: authority, pins, max_age, now.
function M.bundle(bundle, options)
    options = options or {}
    local schemapin = require "symbi.schemapin"
    local refusal, valid_until
    if not options.unsigned then
        local r, message = schemapin.verify_trust_bundle(bundle, options)
        if not r then refusal = { code = "bundle_invalid", message = message }
        elseif not r.valid then refusal = { code = r.code, message = r.message }
        else valid_until = r.valid_until end
    end
    local doc = bundle
    if type(bundle) == "string" and not refusal then
        local message
        doc, message = symbi.json.decode(bundle)
        if not doc then refusal = { code = "bundle_invalid", message = message } end
    end
    local known = {} -- documents that were read: the same objects again, which a cache of checks can recognise
    return new(function(domain)
        if refusal then return refusal end
        if valid_until and (options.now or os.time()) > valid_until then return { code = "bundle_expired", message = "trust bundle has expired since it was read" } end
        local name, message = core.domain(domain)
        if not name then return { code = "domain_invalid", message = message } end
        if known[name] then return known[name] end
        local discovery, revocation = core.bundle_find(doc, name)
        if discovery == nil and type(revocation) == "string" then return { code = "bundle_invalid", message = revocation } end
        if discovery == nil then return missing(name) end
        local d, r
        d, message = core.discovery(discovery)
        if not d then return { code = "discovery_invalid", message = message } end
        if revocation ~= nil then
            r, message = core.revocation(revocation)
            if not r then return { code = "revocation_invalid", message = message } end
        end
        known[name] = { discovery = d, revocation = r, domain = name }
        return known[name]
    end)
end

--- Keeps what another resolver found for ttl seconds (300), for at most max domains (256): a revocation is seen that much later. What
-- failed is asked again each time. clock: a function that gives the time.
function M.cached(resolver, options)
    options = options or {}
    local ttl, max, clock = options.ttl or 300, options.max or 256, options.clock or os.time
    local found, order = {}, {}
    return new(function(domain)
        local name, message = core.domain(domain)
        if not name then return { code = "domain_invalid", message = message } end
        local at, entry = clock(), found[name]
        if entry and at >= entry.at and at < entry.at + ttl then return entry.what end
        local what = resolver:resolve(name)
        if what.code then
            found[name] = nil
            return what
        end
        if not entry then
            order[#order + 1] = name
            if #order > max then found[table.remove(order, 1)] = nil end
        end
        found[name] = { what = what, at = at }
        return what
    end)
end

--- The first that knows the domain. A resolver that fails, rather than not knowing, ends the search: an attacker who can make the
-- first one fail must not get to choose the second. Every resolver that has a revocation list for the domain is heard.
function M.chain(resolvers)
    return new(function(domain)
        local first
        for _, r in ipairs(resolvers) do
            local found = r:resolve(domain)
            if found.code then
                if not found.missing then return found end
            elseif not first then
                first = found
            end
            if first and first.revocation then return first end
            if first and not found.code and found.revocation then
                first.revocation = found.revocation
                return first
            end
        end
        return first or missing(domain)
    end)
end

return M
