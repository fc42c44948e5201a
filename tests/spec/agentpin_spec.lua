--- symbi.agentpin from Lua: the seed's surface, results, options, resolvers, online verification with a scripted network, pin files, bundles.
-- What the steps decide is in tests/unit/agentpin_*_test.c and the vectors.
local symbi = require "symbi"
local agentpin = require "symbi.agentpin"
local json = symbi.json
local symio = require "symbi.io"

local NOW = 1780000000
local dir = (os.getenv "TMPDIR" or "/tmp") .. "/symbi-agentpin-" .. symbi.crypto.hex(symbi.crypto.random(6))
assert(symio.mkdir(dir, { mode = tonumber("700", 8) }))

local keys = assert(agentpin.generate_key_pair())
local kid = agentpin.generate_key_id(keys.public_key_pem)

local function document(domain, pair, id)
    pair = pair or keys
    return assert(agentpin.build_discovery_document {
        entity = domain or "example.com", entity_type = "maker", public_keys = { assert(agentpin.pem_to_jwk(pair.public_key_pem, id or kid)) },
        agents = { { agent_id = "data-analyzer", name = "Analyzer", capabilities = { "read:*", "write:reports" }, status = "active" } }, max_delegation_depth = 1, now = NOW,
    })
end

local function issue(more)
    local o = { private_key_pem = keys.private_key_pem, kid = kid, issuer = "example.com", agent_id = "data-analyzer", capabilities = { "read:data", "write:reports" }, ttl_secs = 3600, now = NOW }
    for k, v in pairs(more or {}) do o[k] = v end
    return assert(agentpin.issue_credential(o))
end

-- Transports that answer from a table url -> {status, body}; every question is recorded.
local function network(answers)
    local io = { asked = {} }
    function io:http(effect)
        local rq = effect.http
        self.asked[#self.asked + 1] = rq.url
        assert(rq.method == "GET" and rq.max_bytes == 65536 and rq.timeout_ms == 10000)
        local a = answers[rq.url]
        if not a then return nil, "connection refused" end
        return { status = a[1], headers = {}, body = a[2] }
    end
    return io
end

local DISC = "https://example.com/.well-known/agent-identity.json"
local REVS = "https://example.com/.well-known/agent-identity-revocations.json"
local revocations = assert(agentpin.build_revocation_document("example.com", NOW))

describe("symbi.agentpin", function()
    teardown(function() symio.remove_tree(dir) end)

    it("does what the seed README shows", function()
        assert.equal(keys[1], keys.private_key_pem)
        assert.equal(keys[2], keys.public_key_pem)
        assert.truthy(keys.private_key_pem:find "^%-%-%-%-%-BEGIN PRIVATE KEY%-%-%-%-%-\n")
        assert.equal(64, #kid)
        local jwt = issue()
        local io = network { [DISC] = { 200, json.encode(document()) }, [REVS] = { 200, json.encode(revocations) } }
        local result = assert(agentpin.verify_credential(jwt, { now = NOW, io = io }))
        assert.is_true(result.valid)
        assert.equal("data-analyzer", result.agent_id)
        assert.same({ "read:data", "write:reports" }, result.capabilities)
        assert.same({ DISC, REVS }, io.asked)
        assert.equal("example.com", result.issuer)
        assert.is_nil(result.error_code)
        assert.same({}, result.warnings)
        assert.equal(13, #result.steps)
        assert.same({ step = 5, name = "signature", status = "passed", ok = true }, result.steps[5])
        assert.equal("skipped", result.steps[10].status)
        assert.is_true(result:valid_at(NOW + 3000))
        assert.is_false(result:valid_at(NOW + 3700))
        assert.truthy(tostring(result):find("data-analyzer", 1, true))
        assert.has_error(function() result.valid = false end)
        -- the arguments in the order of the Python SDK
        local again = assert(agentpin.issue_credential(keys.private_key_pem, kid, "example.com", "data-analyzer", { "read:x" }, "v.com", nil, nil, 60))
        assert.equal("v.com", agentpin.decode_jwt_unverified(again).payload.aud)
        result = assert(agentpin.verify_credential(jwt, "w.com", { now = NOW, io = io }))
        assert.is_true(result.valid) -- no aud in it
    end)

    it("gives a refusal as a result, and trouble as nil", function()
        local r = assert(agentpin.verify_credential_offline(issue { audience = "x.com" }, document(), nil, nil, "v.com", { now = NOW }))
        assert.is_false(r.valid)
        assert.equal("AUDIENCE_MISMATCH", r.error_code)
        assert.equal(r.error_code, r.code)
        assert.equal("AUDIENCE", r.reason)
        assert.is_nil(r.agent_id)
        assert.is_nil(r.capabilities)
        assert.is_nil(r.key_pinning)
        assert.equal("data-analyzer", r.claimed.sub)
        assert.equal("failed", r.steps[12].status)
        assert.has_error(function() agentpin.verify_credential_offline(issue(), document(), nil, { nonsense = 1 }) end)
        assert.has_error(function() agentpin.verify_credential_offline(issue(), document(), nil, { checks = { nonsense = false } }) end)
        assert.has_error(function() agentpin.verify_credential_offline(issue(), document(), nil, { pin_policy = "always" }) end)
        assert.has_error(function() agentpin.verify_credential_offline({}) end)
        local value, message, err = agentpin.verify_credential_offline(issue(), "{not json", nil, { now = NOW })
        assert.is_nil(value)
        assert.equal("EPARSE", err.code)
        assert.truthy(message)
        assert.is_nil((agentpin.issue_credential { private_key_pem = keys.public_key_pem, kid = "k", issuer = "a.com", agent_id = "x", capabilities = {} }))
        assert.is_nil((agentpin.generate_key_id "nonsense"))
    end)

    it("takes documents as tables, text and objects", function()
        local jwt, doc = issue(), document()
        local o = { now = NOW }
        for _, d in ipairs { doc, (assert(json.encode(doc))), (assert(agentpin.document(doc))) } do
            assert.is_true(assert(agentpin.verify_credential_offline(jwt, d, revocations, o)).valid)
        end
        local object = agentpin.document(doc)
        assert.same(doc, object:value())
        object:close()
        assert.has_error(function() agentpin.verify_credential_offline(jwt, object, nil, o) end)
        assert.equal("Analyzer", agentpin.find_agent_by_id(doc, "data-analyzer").name)
        assert.is_nil(agentpin.find_key_by_kid(doc, "zz"))
        local list = { "a" }
        list.self = list
        assert.has_error(function() assert(agentpin.verify_credential_offline(jwt, list, nil, o)) end) -- endless
    end)

    it("switches checks off by name", function()
        local doc = document()
        doc.agents[1].credential_ttl_max = 60
        local jwt = issue()
        assert.equal("AGENT_TTL", agentpin.verify_credential_offline(jwt, doc, nil, { now = NOW }).reason)
        assert.is_true(agentpin.verify_credential_offline(jwt, doc, nil, { now = NOW, checks = { agent_ttl = false } }).valid)
        assert.is_true(agentpin.verify_credential_offline(jwt, doc, nil, { now = NOW, checks = "upstream" }).valid)
        assert.equal("AGENT_TTL", agentpin.verify_credential_offline(jwt, doc, nil, { now = NOW, checks = { version = false } }).reason)
    end)

    it("pins through a client of its own", function()
        local client = agentpin.new { now = NOW }
        local jwt = issue()
        assert.equal("first_use", client:verify_credential_offline(jwt, document(), nil).key_pinning.status)
        assert.equal("pinned", client:verify_credential_offline(jwt, document()).key_pinning.status)
        local other = assert(agentpin.generate_key_pair())
        local forged = issue { private_key_pem = other.private_key_pem }
        assert.equal("KEY_PIN_MISMATCH", client:verify_credential_offline(forged, document(nil, other)).error_code)
        assert.is_true(client:verify_credential_offline(forged, document(nil, other), nil, client:create_pin_store()).valid) -- a store of the call's own
        assert.equal(1, client.pin_store:count())
        assert.equal(64, #client:generate_key_id(keys.public_key_pem))
        assert.equal("0.1", client.AGENTPIN_VERSION)
        local store = agentpin.create_pin_store()
        local jwk = agentpin.pem_to_jwk(keys.public_key_pem, "k")
        assert.equal("first_use", agentpin.check_pinning(store, "a.com", jwk, NOW))
        assert.equal("matched", agentpin.check_pinning(store, "a.com", jwk, NOW))
        local is, message, err = agentpin.check_pinning(store, "a.com", agentpin.pem_to_jwk(other.public_key_pem, "k2"), NOW)
        assert.is_nil(is)
        assert.equal("KEY_PIN_MISMATCH", err.code)
        assert.equal("Key for domain 'a.com' has changed since last pinned (kid: 'k2')", message)
        assert.equal("2026-05-28T20:26:40Z", store:get_domain("a.com").pinned_keys[1].first_seen)
    end)

    it("uses each credential once where that is wanted", function()
        local store = agentpin.create_nonce_store()
        local jwt, o = issue(), { now = NOW, replay_store = store }
        assert.is_true(agentpin.verify_credential_offline(jwt, document(), nil, o).valid)
        local r = agentpin.verify_credential_offline(jwt, document(), nil, o)
        assert.equal("CREDENTIAL_REPLAYED", r.error_code)
        assert.equal("failed", r.steps[13].status)
        store:close()
        assert.has_error(function() agentpin.verify_credential_offline(jwt, document(), nil, o) end)
    end)

    it("fails closed on what a network answers", function()
        local jwt, body = issue(), json.encode(document())
        local function why(answers, more)
            local o = { now = NOW, io = network(answers) }
            for k, v in pairs(more or {}) do o[k] = v end
            local r = assert(agentpin.verify_credential(jwt, o))
            return r.valid and "valid" or r.error_code .. " " .. r.reason, o.io
        end
        assert.equal("valid", (why { [DISC] = { 200, body }, [REVS] = { 200, json.encode(revocations) } }))
        assert.equal("DISCOVERY_FETCH_FAILED FETCH", (why {}))
        assert.equal("DISCOVERY_FETCH_FAILED REDIRECT", (why { [DISC] = { 301, body } }))
        assert.equal("DISCOVERY_FETCH_FAILED REVOCATION_FETCH", (why { [DISC] = { 200, body } })) -- the endpoint is announced
        assert.equal("DISCOVERY_FETCH_FAILED REVOCATION_FETCH", (why { [DISC] = { 200, body }, [REVS] = { 404, "" } }))
        assert.equal("DISCOVERY_FETCH_FAILED DOCUMENT_JSON", (why { [DISC] = { 200, "<html>" } }))
        assert.equal("DISCOVERY_FETCH_FAILED DOCUMENT_ENTITY", (why { [DISC] = { 200, (json.encode(document "other.com")) } }))
        local good = { [DISC] = { 200, body }, [REVS] = { 200, json.encode(revocations) } }
        local thumb = agentpin.jwk_thumbprint(document().public_keys[1])
        assert.equal("valid", (why(good, { dns_resolver = function(name)
            assert.equal("_agentpin.example.com", name)
            return { "v=spf1", "v=agentpin1; fp=sha256:" .. thumb }
        end })))
        assert.equal("DISCOVERY_INVALID DNS", (why(good, { dns_resolver = function() return { "v=agentpin1; fp=sha256:00" } end })))
        assert.equal("DISCOVERY_FETCH_FAILED DNS", (why(good, { dns_resolver = function() return nil, "SERVFAIL" end })))
        assert.equal("valid", (why(good, { dns_resolver = function() return {} end })))
        local bad = issue { issuer = "evil.com/x?" }
        local io = network {}
        assert.equal("ISSUER_DOMAIN", agentpin.verify_credential(bad, { now = NOW, io = io }).reason)
        assert.same({}, io.asked)
        assert.same(document(), agentpin.fetch_discovery_document("example.com", { io = network(good) }))
        local doc, _, err = agentpin.fetch_discovery_document("127.0.0.1", { io = network(good) })
        assert.is_nil(doc)
        assert.equal("DISCOVERY_FETCH_FAILED", err.code)
    end)

    it("resolves from files, bundles, and several in turn", function()
        local jwt, o = issue(), { now = NOW }
        local resolver = agentpin.resolver
        local files = resolver.files(dir)
        assert.equal("NO_DOCUMENT FETCH", "NO_DOCUMENT " .. agentpin.verify_credential_with_resolver(jwt, files, o).reason)
        assert(symio.write_file(dir .. "/example.com.json", json.encode(document())))
        assert.is_true(agentpin.verify_credential_with_resolver(jwt, files, o).valid)
        assert.is_nil((files:discovery("../" .. dir .. "/example.com")))
        assert.is_nil((files:discovery("..")))
        local revoked = assert(agentpin.add_revoked_agent(revocations, "data-analyzer", "policy_violation", NOW))
        assert(symio.write_file(dir .. "/example.com.revocations.json", json.encode(revoked)))
        assert.equal("AGENT_INACTIVE", agentpin.verify_credential_with_resolver(jwt, files, o).error_code)
        assert(symio.write_file(dir .. "/example.com.revocations.json", "{"))
        assert.equal("DISCOVERY_FETCH_FAILED", agentpin.verify_credential_with_resolver(jwt, files, o).error_code)
        local bundle = agentpin.create_trust_bundle "2026-05-01T00:00:00Z"
        bundle.documents[1] = document()
        assert.is_true(agentpin.verify_credential_with_bundle(jwt, bundle, o).valid)
        assert.is_true(agentpin.verify_credential_with_resolver(jwt, resolver.bundle(bundle), o).valid)
        -- a chain does not turn fail-closed into fail-open: the damaged revocation file counts
        assert.equal("DISCOVERY_FETCH_FAILED", agentpin.verify_credential_with_resolver(jwt, resolver.chain { resolver.bundle(bundle), files }, o).error_code)
        assert(symio.write_file(dir .. "/example.com.revocations.json", json.encode(revoked)))
        assert.equal("AGENT_INACTIVE", agentpin.verify_credential_with_resolver(jwt, resolver.chain { resolver.bundle(bundle), files }, o).error_code)
        assert(symio.remove(dir .. "/example.com.revocations.json"))
        assert.is_true(agentpin.verify_credential_with_resolver(jwt, resolver.chain { resolver.bundle(agentpin.create_trust_bundle()), files }, o).valid)
        assert.equal("DISCOVERY_FETCH_FAILED", agentpin.verify_credential_with_resolver(jwt, resolver.chain {}, o).error_code)
        assert.equal("DISCOVERY_FETCH_FAILED", agentpin.verify_credential_with_bundle(issue { issuer = "other.com" }, bundle, o).error_code)
    end)

    it("keeps documents for a while, and fetches anew for a key it does not know", function()
        local clock = NOW
        local answers = { [DISC] = { 200, json.encode(document()) }, [REVS] = { 200, json.encode(revocations) } }
        local io = network(answers)
        local cache = agentpin.resolver.caching(agentpin.resolver.well_known { io = io }, { now = function() return clock end })
        local o = { now = NOW }
        assert.is_true(agentpin.verify_credential_with_resolver(issue(), cache, o).valid)
        assert.is_true(agentpin.verify_credential_with_resolver(issue(), cache, o).valid)
        assert.equal(2, #io.asked)
        clock = NOW + 301 -- revocations are older than 300 s now
        assert.is_true(agentpin.verify_credential_with_resolver(issue(), cache, o).valid)
        assert.same({ DISC, REVS, REVS }, io.asked)
        local second = assert(agentpin.generate_key_pair())
        local doc = document()
        doc.public_keys[2] = agentpin.pem_to_jwk(second.public_key_pem, "second")
        answers[DISC] = { 200, json.encode(doc) }
        local newer = issue { private_key_pem = second.private_key_pem, kid = "second" }
        assert.is_true(agentpin.verify_credential_with_resolver(newer, cache, o).valid)
        assert.equal(4, #io.asked)
        local unknown = issue { kid = "nowhere" } -- nobody can make us fetch over and over
        for _ = 1, 5 do assert.equal("KEY_NOT_FOUND", agentpin.verify_credential_with_resolver(unknown, cache, o).error_code) end
        assert.equal(4, #io.asked)
        cache:forget()
        assert.is_true(agentpin.verify_credential_with_resolver(issue(), cache, o).valid)
        assert.equal(6, #io.asked)
    end)

    it("keeps pins in a file that it never forgets", function()
        local path = dir .. "/pins.json"
        local store = assert(agentpin.open_pin_store(path))
        assert.is_nil((agentpin.open_pin_store(path, { must_exist = true })))
        local r = assert(agentpin.verify_credential_offline(issue(), document(), nil, store, nil, { now = NOW }))
        assert.equal("first_use", r.key_pinning.status)
        assert.equal(tonumber("600", 8), symio.stat(path).mode % 512)
        local again = assert(agentpin.open_pin_store(path))
        assert.equal("pinned", agentpin.verify_credential_offline(issue(), document(), nil, again, nil, { now = NOW + 60 }).key_pinning.status)
        -- both forms are read; the runtime's is written where asked for
        local runtime = assert(agentpin.open_pin_store(path, { runtime = true }))
        assert(runtime:save())
        assert.equal('"', symio.read_file(path):sub(1, 1))
        assert.equal(1, agentpin.open_pin_store(path):count())
        -- damaged, half written, writable by others: an error, and the file stays as it is
        for _, text in ipairs { "", "[{", "{}", '"[' } do
            assert(symio.write_file(path, text, tonumber("600", 8)))
            local none, message, err = agentpin.open_pin_store(path)
            assert.is_nil(none)
            assert.equal("PIN_STORE_INVALID", err.code)
            assert.truthy(message:find(path, 1, true))
            assert.is_nil((again:save()))
            assert.equal(text, symio.read_file(path))
        end
        for mode, open in pairs { ["600"] = false, ["640"] = false, ["644"] = false, ["444"] = false, ["620"] = true, ["602"] = true, ["660"] = true, ["664"] = true, ["666"] = true } do
            assert(symio.write_file(path, "[]", tonumber("600", 8)))
            assert(os.execute("chmod " .. mode .. " " .. path))
            local opened, message, err = agentpin.open_pin_store(path)
            assert.equal(not open, opened ~= nil, mode .. ": " .. tostring(message))
            if open then assert.equal("PIN_STORE_INVALID", err.code) end
            os.execute("chmod 600 " .. path)
        end
        local folder, _, err = agentpin.open_pin_store(dir)
        assert.is_nil(folder)
        assert.is_truthy(err)
    end)

    it("does not start anew where a pin file was", function()
        local path, link = dir .. "/gone.json", dir .. "/gone-link.json"
        local jwk = agentpin.pem_to_jwk(keys.public_key_pem, "k")
        assert(symio.append_file(path .. ".lock", "")) -- somebody is about to make it
        local store = assert(agentpin.open_pin_store(path))
        store:check("a.com", jwk, NOW)
        assert(store:save())
        -- a link is a second name of the same store
        assert(os.execute("ln -s gone.json " .. link))
        local second = assert(agentpin.open_pin_store(link))
        assert.equal("matched", second:check("a.com", jwk, NOW))
        second:check("b.com", jwk, NOW)
        assert(second:save())
        assert.equal("link", symio.stat(link, { follow = false }).type)
        assert.equal(2, agentpin.open_pin_store(path):count())
        -- gone, also for who had it open, and through the link
        assert(symio.remove(path))
        for _, name in ipairs { path, link } do
            local none, message, err = agentpin.open_pin_store(name)
            assert.is_nil(none)
            assert.equal("PIN_STORE_INVALID", err.code)
            assert.truthy(message:find(name == path and "is gone" or "link to a file that is not there", 1, true), message)
        end
        store:check("c.com", jwk, NOW)
        assert.is_nil((store:save()))
        assert.is_nil((symio.stat(path)))
        assert(symio.remove(path .. ".lock")) -- what the message says
        assert.equal(0, assert(agentpin.open_pin_store(path)):count())
    end)

    it("lets two processes write one pin file", function()
        local path = dir .. "/shared.json"
        local a, b = assert(agentpin.open_pin_store(path)), assert(agentpin.open_pin_store(path))
        local jwk, evil = agentpin.pem_to_jwk(keys.public_key_pem, "k"), agentpin.pem_to_jwk(assert(agentpin.generate_key_pair()).public_key_pem, "k")
        a:check("a.com", jwk, NOW)
        b:check("b.com", jwk, NOW)
        a:check("clash.com", jwk, NOW)
        b:check("clash.com", evil, NOW)
        assert.same({ true, 0 }, { a:save() })
        assert.same({ true, 1 }, { b:save() })
        local all = assert(agentpin.open_pin_store(path))
        assert.equal(3, all:count())
        assert.equal("matched", all:check("clash.com", jwk, NOW))
        -- a verification whose first use lost the race is no success
        local c = assert(agentpin.open_pin_store(path))
        local other = assert(agentpin.generate_key_pair())
        local d = assert(agentpin.open_pin_store(path))
        assert.is_true(agentpin.verify_credential_offline(issue(), document(), nil, c, nil, { now = NOW }).valid)
        local r, message, err = agentpin.verify_credential_offline(issue { private_key_pem = other.private_key_pem }, document(nil, other), nil, d, nil, { now = NOW })
        assert.is_nil(r)
        assert.equal("KEY_PIN_MISMATCH", err.code)
        assert.truthy(message:find "another process")
        assert.equal("KEY_PIN_MISMATCH", agentpin.verify_credential_offline(issue { private_key_pem = other.private_key_pem }, document(nil, other), nil, d, nil, { now = NOW }).error_code)
    end)

    it("writes and reads bundles, and refuses an older one", function()
        local path = dir .. "/bundle.json"
        local bundle = agentpin.create_trust_bundle "2026-05-01T00:00:00Z"
        assert.same({ agentpin_bundle_version = "0.1", created_at = "2026-05-01T00:00:00Z", documents = {}, revocations = {} }, bundle)
        bundle.documents[1], bundle.revocations[1] = document(), revocations
        assert(agentpin.save_trust_bundle(bundle, path))
        local loaded = assert(agentpin.load_trust_bundle(path, { strict = true, now = NOW }))
        assert.same(bundle, loaded)
        assert.same(revocations, agentpin.find_bundle_revocation(loaded, "example.com"))
        assert(agentpin.load_trust_bundle(path, { previous = bundle }))
        local none, _, err = agentpin.load_trust_bundle(path, { previous = "2026-05-02T00:00:00Z" })
        assert.is_nil(none)
        assert.equal("BUNDLE_DOWNGRADE", err.code)
        bundle.documents[2] = document()
        assert(agentpin.save_trust_bundle(bundle, path))
        assert(agentpin.load_trust_bundle(path)) -- permissive: the first wins
        none, _, err = agentpin.load_trust_bundle(path, { strict = true, now = NOW })
        assert.is_nil(none)
        assert.equal("BUNDLE_INVALID", err.code)
        for _, text in ipairs { "", "[]", "7", '{"documents":{}}' } do
            assert(symio.write_file(path, text))
            none, _, err = agentpin.load_trust_bundle(path)
            assert.is_nil(none)
            assert.equal("BUNDLE_INVALID", err.code)
        end
        assert.is_nil((agentpin.save_trust_bundle({}, path)))
    end)

    it("writes private keys that only their owner reads", function()
        local pair = assert(agentpin.generate_key_pair())
        local files = assert(agentpin.save_key_pair(pair, dir, "k.2026-01"))
        assert.equal(tonumber("600", 8), symio.stat(files.private).mode % 512)
        assert.equal(pair.private_key_pem, symio.read_file(files.private))
        local none, _, err = agentpin.save_key_pair(pair, dir, "k.2026-01")
        assert.is_nil(none)
        assert.equal("EEXISTS", err.code)
        assert.is_nil((agentpin.save_key_pair(pair, dir, "../k")))
        local jwk = json.decode(symio.read_file(files.jwk))
        assert.equal("k.2026-01", jwk.kid)
    end)

    it("rotates keys", function()
        local plan = assert(agentpin.prepare_rotation(kid))
        assert.equal(plan.kid, plan.jwk.kid)
        local both = assert(agentpin.apply_rotation(document(), plan, NOW))
        local pins = agentpin.create_pin_store()
        local newer = issue { private_key_pem = plan.private_key_pem, kid = plan.kid }
        assert.is_true(agentpin.verify_credential_offline(issue(), both, nil, pins, nil, { now = NOW }).valid)
        assert.equal("KEY_PIN_MISMATCH", agentpin.verify_credential_offline(newer, both, nil, pins, nil, { now = NOW }).error_code)
        local io = network { [DISC] = { 200, json.encode(both) }, [REVS] = { 200, json.encode(revocations) } }
        local r = agentpin.verify_credential(newer, { now = NOW, io = io, pin_store = pins, pin_policy = "rotate" })
        assert.equal("rotated", r.key_pinning.status) -- fetched over HTTPS, the pinned key still published
        -- and so it is when a cache kept that document; one from a bundle is not
        pins = agentpin.create_pin_store()
        local cache = agentpin.resolver.caching(agentpin.resolver.well_known { io = io }, { now = function() return NOW end })
        local o = { now = NOW, pin_store = pins, pin_policy = "rotate" }
        assert.equal("first_use", agentpin.verify_credential_with_resolver(issue(), cache, o).key_pinning.status)
        local bundle = agentpin.create_trust_bundle()
        bundle.documents[1] = both
        assert.equal("KEY_PIN_MISMATCH", agentpin.verify_credential_with_resolver(newer, agentpin.resolver.bundle(bundle), o).error_code)
        assert.equal("rotated", agentpin.verify_credential_with_resolver(newer, cache, o).key_pinning.status)
        local doc, rev = agentpin.complete_rotation(both, revocations, kid, "superseded", NOW)
        assert.is_true(agentpin.verify_credential_offline(newer, doc, rev, pins, nil, { now = NOW }).valid)
        assert.equal("KEY_NOT_FOUND", agentpin.verify_credential_offline(issue(), doc, rev, pins, nil, { now = NOW }).error_code)
        assert.is_nil((agentpin.complete_rotation(document(), revocations, kid, "superseded", NOW)))
    end)

    it("authenticates both ways", function()
        local challenge = assert(agentpin.create_challenge(issue(), NOW))
        assert.equal("agentpin-challenge", challenge.type)
        local response = assert(agentpin.create_response(challenge, keys.private_key_pem, kid, "a.com asks b.com"))
        local store = agentpin.create_nonce_store(10)
        local o = { now = NOW + 5, binding = "a.com asks b.com", kid = kid }
        assert.is_true(agentpin.verify_response_with_nonce_store(response, challenge, keys.public_key_pem, store, o))
        local ok, message, err = agentpin.verify_response_with_nonce_store(response, challenge, keys.public_key_pem, store, o)
        assert.is_nil(ok)
        assert.equal("NONCE_REPLAYED", err.code)
        assert.truthy(message:find "replay")
        assert.is_false(agentpin.verify_response(response, challenge, keys.public_key_pem, { now = NOW, binding = "c.com asks b.com" }))
        ok, message, err = agentpin.verify_response(response, challenge, keys.public_key_pem, { now = NOW + 61 })
        assert.is_nil(ok)
        assert.truthy(message:find "61 seconds old")
        assert.equal("NONCE_EXPIRED", err.code)
    end)

    it("verifies who delegated, by asking their domains", function()
        local maker = assert(agentpin.generate_key_pair())
        local caps = { "read:data" }
        local entry = assert(agentpin.create_attestation {
            private_key_pem = maker.private_key_pem, kid = "m1", domain = "maker.com", role = "maker", agent_id = "type", delegatee_domain = "example.com",
            delegatee_agent_id = "data-analyzer", capabilities = caps,
        })
        local jwt = issue { capabilities = caps, delegation_chain = { entry } }
        local r = agentpin.verify_credential_offline(jwt, document(), nil, { now = NOW })
        assert.is_false(r.delegation_verified)
        assert.same({ { domain = "maker.com", role = "maker", verified = false } }, r.delegation_chain)
        assert.equal(1, #r.warnings)
        local made = document("maker.com", maker, "m1")
        local answers = {
            [DISC] = { 200, json.encode(document()) }, [REVS] = { 200, json.encode(revocations) }, ["https://maker.com/.well-known/agent-identity.json"] = { 200, json.encode(made) },
            [made.revocation_endpoint] = { 200, json.encode(assert(agentpin.build_revocation_document("maker.com", NOW))) },
        }
        r = agentpin.verify_credential(jwt, { now = NOW, io = network(answers), verify_delegation = true })
        assert.is_true(r.valid)
        assert.is_true(r.delegation_verified)
        assert.equal("passed", r.steps[10].status)
        answers[made.revocation_endpoint] = nil
        r = agentpin.verify_credential(jwt, { now = NOW, io = network(answers), verify_delegation = true })
        assert.equal("DELEGATION_INVALID", r.error_code)
        r = agentpin.verify_credential_offline(jwt, document(), nil, { now = NOW, verify_delegation = true, delegation_documents = { made } })
        assert.is_true(r.delegation_verified)
    end)

    it("keeps cards by host, and checks them against the domain", function()
        local card = assert(agentpin.a2a.build({ name = "A", capabilities = { "read:x" } }, "https://example.com/a", { streaming = true }))
        local signed = assert(agentpin.a2a.sign(card, DISC, keys.private_key_pem, kid))
        local store = agentpin.a2a.store()
        assert.equal(1, store:register(signed))
        assert.equal("A", store:card("example.com").name)
        assert.is_true(agentpin.a2a.verify_with_discovery(signed, document(), revocations, NOW))
        local other = assert(agentpin.generate_key_pair())
        local forged = assert(agentpin.a2a.sign(card, DISC, other.private_key_pem, kid))
        assert.is_true(agentpin.a2a.verify_extension(forged)) -- consistent with itself
        local ok, _, err = agentpin.a2a.verify_with_discovery(forged, document(), nil, NOW)
        assert.is_nil(ok)
        assert.equal("KEY_NOT_FOUND", err.code)
        local why
        ok, why, err = store:register(forged)
        assert.truthy(why:find "another key")
        assert.is_nil(ok)
        assert.equal("KEY_PIN_MISMATCH", err.code)
        assert.is_true(store:remove "example.com")
        assert.is_false(store:remove "example.com")
        assert.equal(1, store:register(forged))
        local derived = assert(agentpin.a2a.derive_discovery(signed, NOW))
        assert.is_true(agentpin.validate_discovery_document(derived, "example.com"))
        assert.is_false(agentpin.allowed_domains.intersect({ "a.com" }, { "b.com" })) -- nobody, not everybody
        assert.is_false(agentpin.allowed_domains.allows(false, "a.com"))
    end)

    it("finds credentials where they travel", function()
        assert.equal("x.y.z", agentpin.http.extract(agentpin.http.format "x.y.z"))
        assert.equal("x.y.z", agentpin.mcp.extract(agentpin.mcp.format "x.y.z"))
        assert.equal("x.y.z", agentpin.websocket.extract(agentpin.websocket.format "x.y.z"))
        assert.equal("x.y.z", agentpin.grpc.extract "x.y.z")
        for _, f in ipairs { agentpin.http.extract, agentpin.mcp.extract, agentpin.grpc.extract } do
            local jwt, _, err = f(nil) -- a request without one
            assert.is_nil(jwt)
            assert.equal("DISCOVERY_FETCH_FAILED", err.code)
        end
        assert.is_nil((agentpin.http.extract "Bearer x.y.z"))
        assert.is_nil((agentpin.websocket.extract "["))
    end)

    it("resolves a domain by its agent card", function()
        local card = assert(agentpin.a2a.build({ name = "Data Analyzer", capabilities = { "read:*" } }, "https://example.com/a"))
        local url = "https://example.com/.well-known/agent-card.json"
        local jwt = issue { agent_id = "urn:agentpin:example.com:data-analyzer", capabilities = { "read:data" } }
        local function try(signed, more)
            local answers = { [url] = { 200, json.encode(signed) }, [REVS] = { 404, "" } }
            for k, v in pairs(more or {}) do answers[k] = v end
            local io = network(answers)
            local r = agentpin.verify_credential_with_resolver(jwt, agentpin.resolver.a2a { io = io }, { now = NOW })
            return r.valid and "valid" or r.error_code .. " " .. r.error_message, io.asked
        end
        local signed = assert(agentpin.a2a.sign(card, DISC, keys.private_key_pem, kid))
        assert.same({ "valid", { url, REVS } }, { try(signed) })
        assert.truthy(try(signed, { [REVS] = { 500, "" } }):find "fail%-closed")
        assert.truthy(try(signed, { [url] = { 302, "" } }):find "HTTP status 302")
        assert.truthy(try(signed, { [url] = { 200, "{" } }):find "agent card")
        assert.truthy(try(assert(agentpin.a2a.sign(card, "https://other.com/.well-known/agent-identity.json", keys.private_key_pem, kid))):find "it is about other.com")
        signed.name = "Somebody"
        assert.truthy(try(signed):find "did not verify")
    end)

    it("cannot be given a result that no verification made", function()
        local fake = setmetatable({}, { __index = function() return true end })
        assert.is_true(fake.valid)
        assert.not_equal("userdata", type(fake)) -- what takes a result wants the userdata: see symbi.gate
        assert.equal("userdata", type(agentpin.verify_credential_offline(issue(), document(), nil, { now = NOW })))
        assert.is_false(getmetatable(agentpin.verify_credential_offline(issue(), document(), nil, { now = NOW })))
    end)
end)
