--- symbi.schemapin from Lua: signing and checking, pin files that several processes share, skill folders and single files, resolvers,
-- lookups, and the command line. What C decides is in tests/unit/schemapin*_test.c, what others expect in schemapin_vectors_spec.lua.
local symbi = require "symbi"
local schemapin = symbi.schemapin
local core = require("symbi.core").schemapin

symbi.io.http{ url = "https://localhost:1/" } -- refused; the client is made once per state and kept: not a leftover of a test

local NOW = 1780000000
local scratch, count = os.tmpname(), 0
os.remove(scratch)
local function fresh(name)
    count = count + 1
    local dir = scratch .. "/" .. count
    assert(symbi.io.mkdir(dir, { parents = true }))
    return dir .. "/" .. (name or "x")
end
local function write(path, text, mode) assert(symbi.io.write_file(path, text, mode)) end
local function read(path) return assert(symbi.io.read_file(path)) end

local keys = assert(schemapin.generate_keypair())
local others = assert(schemapin.generate_keypair())
local function document(pair, more)
    local d = { schema_version = "1.2", developer_name = "Dev", public_key_pem = (pair or keys).public_key_pem }
    for k, v in pairs(more or {}) do d[k] = v end
    return d
end
local schema = '{"name":"add","description":"adds","parameters":{"type":"object","properties":{"a":{"type":"number","minimum":1.0}}}}'
local signature = assert(schemapin.sign_schema(keys.private_key_pem, schema))
local function verify(more)
    local o = { schema = schema, signature = signature, domain = "example.com", tool_id = "add", discovery = document(), now = NOW }
    for k, v in pairs(more or {}) do o[k] = v end
    return assert(schemapin.verify(o))
end

describe("symbi.schemapin", function()
    teardown(function() symbi.io.remove_tree(scratch) end)

    it("signs and checks a schema", function()
        local r = verify()
        assert.is_true(r.valid)
        assert.equal("verified", r.status)
        assert.equal("Dev", r.developer_name)
        assert.equal(keys.fingerprint, r.fingerprint)
        assert.equal((core.hash(schema)), r.digest)
        assert.equal(symbi.crypto.sha256(schema), r.input_sha256)
        assert.is_true(r:proves("schema", r.digest, NOW))
        assert.is_false(r:proves("folder", r.digest, NOW))
        assert.is_false(r:proves("schema", ("0"):rep(64), NOW))
        assert.is_false(r:proves("schema", "x", NOW))
        assert.is_true(r:table().valid)
        assert.is_nil(r.code)
        assert.has_error(function() r.valid = true end, "a result cannot be changed")
        assert.equal("verified (example.com)", tostring(r))
        r = verify{ schema = schema:gsub("adds", "adds!") }
        assert.is_false(r.valid)
        assert.equal("signature_invalid", r.code)
        assert.equal("Signature verification failed", r.message)
        assert.is_false(r:proves("schema", r.digest, NOW))
        assert.is_true(schemapin.verify_schema_signature(schema, signature, keys.public_key_pem))
        assert.is_false((schemapin.verify_schema_signature(schema, signature, others.public_key_pem)))
    end)

    it("says what is not signed, and what not every implementation writes alike", function()
        local s, message = schemapin.sign_schema(keys.private_key_pem, '{"a":1e300}')
        assert.is_nil(s)
        assert.matches("exponent", message)
        assert.is_nil((schemapin.sign_schema(keys.private_key_pem, '{"a":1,"a":2}')))
        assert.is_nil((schemapin.sign_schema(keys.public_key_pem, "{}")))
        local _, notes = schemapin.sign_schema(keys.private_key_pem, '{"a":1.0}')
        assert.is_true(notes.number)
        _, notes = schemapin.sign_schema(keys.private_key_pem, '{"a":1.5,"b":[true,null,"x",-7]}')
        assert.is_false(notes.number)
    end)

    it("raises on misuse, and refuses documents of the wrong shape", function()
        assert.has_error(function() core.check{ schema = "{}", now = NOW, unknown = 1 } end)
        assert.has_error(function() verify{ only_pined = true } end) -- a word misspelt is no silent "no"
        assert.has_error(function() verify{ only_pined = true, discovery = core.discovery(document()) } end)
        assert.has_error(function() schemapin.verify_skill{ dir = ".", signature = "{}", only_pined = true } end)
        assert.is_true(verify{ canonicalization = symbi.null, dns_fingerprint = symbi.null }.valid)
        assert.has_error(function() core.check{ schema = "{}" } end)
        assert.has_error(function() core.check{ now = NOW } end)
        assert.has_error(function() core.check{ schema = "{}", now = NOW, pins = {} } end)
        assert.has_error(function() core.check{ schema = "{}", now = 0 / 0 } end)
        assert.equal("discovery_invalid", verify{ discovery = { schema_version = 7 } }.code)
        assert.equal("discovery_invalid", verify{ discovery = "{" }.code)
        assert.equal("revocation_invalid", verify{ revocation = { revoked_keys = { 1 } } }.code)
        assert.equal("discovery_fetch_failed", verify{ discovery = symbi.null }.code)
        local pins = core.pins()
        pins:close()
        assert.has_error(function() verify{ pins = pins } end)
        assert.has_error(function() pins:count() end)
    end)

    it("keeps a revoked key out, also by a list that anybody may have made", function()
        local list = schemapin.build_revocation_document("example.com", { now = NOW })
        assert.is_true(verify{ revocation = list }.valid)
        schemapin.add_revoked_key(list, keys.fingerprint:upper(), "key_compromise", { now = NOW })
        local r = verify{ revocation = list }
        assert.equal("revoked", r.status)
        assert.equal("Key " .. keys.fingerprint .. " is revoked: key_compromise", r.message)
        assert.equal("key_revoked", verify{ discovery = document(nil, { revoked_keys = { keys.fingerprint } }) }.code)
        assert.has_error(function() schemapin.add_revoked_key(list, "f", "bored") end)
        local ok, why = schemapin.validate_key_not_revoked(keys.public_key_pem, document(), list)
        assert.is_nil(ok)
        assert.matches("key_compromise", why)
        assert.is_nil((schemapin.check_key_revocation("garbage", {}))) -- an error, not "not revoked"
    end)

    it("remembers a repeated check and never serves it stale", function()
        local cache, discovery, pins = core.cache{}, core.discovery(document()), core.pins()
        local o = { cache = cache, discovery = discovery, pins = pins }
        assert.equal("pinned", verify(o).status)
        assert.equal("verified", verify(o).status)
        assert.equal("verified", verify(o).status)
        assert.equal(1, (cache:stats()))
        assert.equal("key_revoked", verify{ cache = cache, discovery = discovery, pins = pins, revocation = { revoked_keys = { { fingerprint = keys.fingerprint } } } }.code)
        pins:remove("add", "example.com")
        pins:add{ tool_id = "add", domain = "example.com", fingerprint = others.fingerprint, now = NOW }
        assert.equal("key_pin_mismatch", verify(o).code)
        for _, name in ipairs{ "tool_id", "domain", "fingerprint", "developer_name", "trust_level", "public_key_pem" } do
            local pin = { tool_id = "t", domain = "d.com", fingerprint = "f", now = NOW }
            pin[name] = "\255"
            assert.is_nil((pins:add(pin)), name) -- what cannot be written is not kept: it would keep everything else from being written
        end
        assert.is_string(pins:json())
    end)

    it("checks a signed schema file, and reads times from it", function()
        local file = '{"schema": ' .. schema .. ', "signature": "' .. signature .. '", "signed_at": "2026-01-01T00:00:00Z", "expires_at": "2026-05-28T20:26:39Z"}'
        local function check(text, more)
            local o = { schema = text, domain = "example.com", tool_id = "add", discovery = document(), now = NOW }
            for k, v in pairs(more or {}) do o[k] = v end
            return assert(schemapin.verify_schema_file(o))
        end
        local r = check(file)
        assert.is_true(r.valid and r.expired)
        assert.is_false(r:proves("schema", r.digest, NOW)) -- expired
        assert.equal("signature_expired", check(file, { refuse_expired = true }).code)
        assert.equal("signature_expired", check((file:gsub('"2026%-05[^"]*"', "7")), { refuse_expired = true }).code)
        assert.equal("unsigned", check('{"schema": {}}').status)
        assert.equal("signature_invalid", check("[]").code)
        assert.equal("schema_canonicalization_failed", check(file:sub(1, -2)).code)
    end)

    describe("pins in a file", function()
        it("are shared, 0600, and written only after the signature verified", function()
            local path = fresh "pins.json"
            local store = assert(schemapin.pins{ path = path })
            assert.equal(384, symbi.io.stat(path).mode) -- 0600
            assert.equal("signature_invalid", verify{ pins = store, signature = "AAAA" }.code)
            assert.equal(0, store:count())
            assert.equal("pinned", verify{ pins = store }.status)
            local second = assert(schemapin.store.open(path))
            assert.equal("verified", verify{ pins = second }.status)
            assert.equal("key_pin_mismatch", verify{ pins = second, discovery = document(others), signature = schemapin.sign_schema(others.private_key_pem, schema) }.code)
            assert.is_true(second:remove("add", "example.com"))
            assert.equal("pinned", verify{ pins = store, now = NOW + 5 }.status) -- the first one has noticed
            assert.equal("2026-05-28T20:26:45Z", second:find("add", "example.com").first_seen)
            assert.equal(384, symbi.io.stat(path).mode)
        end)

        it("are never made anew over something that cannot be read", function()
            for _, bad in ipairs{ "", "[", "{", "null", '[{"tool_id":"t"}]', '[{"tool_id":"t","domain":"d","pinned_keys":[{"fingerprint":"f"' } do
                local path = fresh "pins.json"
                write(path, bad, 384)
                local store, message = schemapin.store.open(path)
                assert.is_nil(store)
                assert.matches("left as it is", message)
                assert.equal(bad, read(path))
            end
            -- broken after it was opened
            local path = fresh "pins.json"
            local store = assert(schemapin.store.open(path))
            assert.is_true(verify{ pins = store }.valid)
            write(path, "[", 384)
            local r, message = schemapin.verify{ schema = schema, signature = signature, domain = "example.com", tool_id = "add", discovery = document(), pins = store, now = NOW }
            assert.is_nil(r)
            assert.matches("left as it is", message)
            assert.equal("[", read(path))
            -- gone
            os.remove(path)
            r, message = store:add{ tool_id = "t", domain = "d.com", fingerprint = "f", now = NOW }
            assert.is_nil(r)
            assert.matches("is gone", message)
            r, message = schemapin.store.open(path)
            assert.is_nil(r)
            assert.matches("is gone", message)
            assert.is_nil((symbi.io.stat(path)))
            os.remove(path .. ".lock") -- what the message says
            assert.truthy(schemapin.store.open(path))
            -- a lock file without a store: another process is about to make it
            path = fresh "pins.json"
            write(path .. ".lock", "", 384)
            assert.equal(0, assert(schemapin.store.open(path)):count())
            -- a link is a second name of the same store; one to nothing is no store
            local link = path .. "-link"
            os.remove(link)
            assert(os.execute("ln -s " .. path:match "[^/]*$" .. " " .. link))
            local linked = assert(schemapin.store.open(link))
            assert.is_true(linked:add{ tool_id = "t", domain = "d.com", fingerprint = "f", now = NOW })
            assert.equal("link", symbi.io.stat(link, { follow = false }).type)
            assert.equal(1, assert(schemapin.store.open(path)):count())
            os.remove(path)
            r, message = schemapin.store.open(link)
            assert.is_nil(r)
            assert.matches("link to a file that is not there", message)
            -- writable by others, a folder, not there and not wanted
            path = fresh "pins.json"
            write(path, "[]", 438)
            assert(os.execute("chmod 666 " .. path))
            r, message = schemapin.store.open(path)
            assert.is_nil(r)
            assert.matches("written by others", message)
            path = fresh "pins.json"
            symbi.io.mkdir(path)
            assert.is_nil((schemapin.store.open(path)))
            assert.is_nil((schemapin.store.open(fresh "none", { create = false })))
        end)

        it("lose nothing when several processes write at once", function()
            local path = fresh "pins.json"
            assert(schemapin.store.open(path))
            local script = fresh "writer.lua"
            write(script, [[
local schemapin = require("symbi").schemapin
local store = assert(schemapin.store.open(arg[1]))
for i = 1, 25 do assert(store:add{ tool_id = arg[2] .. i, domain = "d.com", fingerprint = "f", now = 1 }) end
]])
            local vm = os.getenv "SYMBI_VM" or "lua5.4"
            local one = string.format("env -u LD_PRELOAD %s %s %s ", vm, script, path)
            local command = one .. "a & " .. one .. "b & " .. one .. "c & wait"
            if os.getenv "SAN" then return pending "the sanitizers' runtimes are not in the children" end
            os.execute(command)
            local store = assert(schemapin.store.open(path))
            assert.equal(75, store:count())
        end)

        it("are free again after a mistake", function()
            local store = assert(schemapin.store.open(fresh "pins.json", { timeout_ms = 100 }))
            assert.has_error(function() store:add{ tool_id = "t" } end)
            assert.is_true(store:add{ tool_id = "t", domain = "d.com", fingerprint = "f", now = NOW })
        end)

        it("that cannot be written pin nothing", function()
            local path = fresh "pins.json"
            local store = assert(schemapin.store.open(path))
            local dir = path:match "^(.*)/"
            assert(os.execute("chmod 500 " .. dir))
            local f = io.open(dir .. "/probe", "w")
            if f then -- root writes everywhere
                f:close()
                os.execute("chmod 700 " .. dir)
                store.write = function() return nil, "no space left", symbi.error("EIO", "no space left") end
            end
            local r, message = schemapin.verify{ schema = schema, signature = signature, domain = "example.com", tool_id = "add", discovery = document(), pins = store, now = NOW }
            os.execute("chmod 700 " .. dir)
            assert.is_nil(r)
            assert.matches("nothing was pinned", message)
            store.write = nil
            assert.equal(0, store:count())
        end)

        it("are read in the forms of other implementations", function()
            local path = fresh "pins.json"
            write(path, symbi.json.encode{ ["add@example.com"] = keys.fingerprint }, 384)
            local store = assert(schemapin.store.open(path))
            assert.equal("verified", verify{ pins = store }.status)
            write(path, symbi.json.encode{ pinned_keys = { add = { public_key_pem = others.public_key_pem, domain = "example.com" } }, domain_policies = { ["evil.com"] = "never_trust" } }, 384)
            assert.equal("key_pin_mismatch", verify{ pins = store }.code)
            assert.equal("never_trust", store:policy "evil.com")
            assert.equal("key_not_pinned", verify{ pins = store, domain = "evil.com" }.code)
        end)
    end)

    describe("skill folders", function()
        local function skill(files)
            local dir = fresh "my-skill"
            assert(symbi.io.mkdir(dir))
            for path, text in pairs(files or { ["SKILL.md"] = "---\nname: demo\n---\nText", ["scripts/run.sh"] = "echo hi" }) do
                assert(symbi.io.mkdir((dir .. "/" .. path):match "^(.*)/", { parents = true }))
                write(dir .. "/" .. path, text)
            end
            return dir
        end
        local function check(dir, more)
            local o = { dir = dir, discovery = document(), domain = "example.com", now = NOW }
            for k, v in pairs(more or {}) do o[k] = v end
            return assert(schemapin.verify_skill(o))
        end

        it("are signed, checked, and told apart when something changed", function()
            local dir = skill()
            assert.equal("unsigned", check(dir).status)
            local doc, text = schemapin.sign_skill(dir, keys.private_key_pem, { domain = "example.com", now = NOW })
            assert.equal("demo", doc.skill_name)
            assert.equal("1.3", doc.schemapin_version)
            assert.equal(text, read(dir .. "/.schemapin.sig"))
            local r = check(dir)
            assert.is_true(r.valid)
            assert.equal("folder", r.subject)
            assert.equal("sha256:" .. r.digest, doc.skill_hash)
            write(dir .. "/scripts/run.sh", "echo evil")
            write(dir .. "/extra", "x")
            r = check(dir)
            assert.equal("signature_invalid", r.code)
            assert.equal("modified scripts/run.sh, added extra", r.detail)
            assert.equal("signature_invalid", check(dir, { discovery = document(others) }).code)
        end)

        it("with links, nested signature files or what cannot be read are refused", function()
            local dir = skill()
            assert(schemapin.sign_skill(dir, keys.private_key_pem, { domain = "example.com", now = NOW }))
            assert(os.execute("ln -s /etc/passwd " .. dir .. "/link"))
            local r = check(dir)
            assert.equal("schema_canonicalization_failed", r.code)
            assert.matches("link", r.message)
            assert.is_true(check(dir, { lenient = true }).valid)
            os.remove(dir .. "/link")
            write(dir .. "/scripts/.schemapin.sig", "payload")
            assert.equal("schema_canonicalization_failed", check(dir).code)
            os.remove(dir .. "/scripts/.schemapin.sig")
            assert(os.execute("mkfifo " .. dir .. "/pipe"))
            assert.equal("schema_canonicalization_failed", check(dir, { lenient = true }).code)
            os.remove(dir .. "/pipe")
            assert.is_true(check(dir).valid)
            assert.is_nil((schemapin.canonicalize_skill(dir .. "/nowhere")))
            assert.equal("schema_canonicalization_failed", check(dir .. "/nowhere", { signature = read(dir .. "/.schemapin.sig") }).code)
            -- the signature file itself a link: not followed
            os.rename(dir .. "/.schemapin.sig", dir .. "/../real")
            assert(os.execute("ln -s ../real " .. dir .. "/.schemapin.sig"))
            local nothing, message = schemapin.verify_skill{ dir = dir, discovery = document(), now = NOW }
            assert.is_true(nothing == nil and message ~= nil or not nothing.valid)
        end)

        it("have an expiry that nobody signed: it can only make things worse", function()
            local dir = skill()
            local doc = assert(schemapin.sign_skill(dir, keys.private_key_pem, { domain = "example.com", now = NOW, expires_in = 60, schema_version = "2.0", previous_hash = "sha256:aa" }))
            assert.equal("1.4", doc.schemapin_version)
            assert.equal("2026-05-28T20:27:40Z", doc.expires_at)
            assert.is_false(check(dir, { now = NOW + 60 }).expired)
            assert.is_true(check(dir, { now = NOW + 61 }).expired)
            assert.equal("signature_expired", check(dir, { now = NOW + 61, refuse_expired = true }).code)
            assert.equal("timestamp_unsigned", check(dir, { max_age = 3600 }).code)
            assert.equal("version_mismatch", check(dir, { expected_version = "1.0" }).code)
            assert.equal("lineage_mismatch", check(dir, { expected_previous = "sha256:bb" }).code)
            assert.is_true(check(dir, { expected_version = "2.0", expected_previous = "sha256:aa" }).valid)
            assert.equal("domain_mismatch", check(dir, { domain = "evil.com" }).code)
            assert.equal("domain_mismatch", check(dir, { dns_txt = { fingerprint = others.fingerprint } }).code)
        end)

        it("of one file: a tool manifest with its FILE.sig", function()
            local path = fresh "wc.clad.toml"
            write(path, "[tool]\nname = 'wc'\n")
            assert(schemapin.sign_file(path, keys.private_key_pem, { domain = "example.com", now = NOW }))
            local r = assert(schemapin.verify_file{ path = path, discovery = document(), domain = "example.com", now = NOW })
            assert.is_true(r.valid)
            assert.equal("file", r.subject)
            assert.is_true(r:proves("file", symbi.crypto.sha256(read(path)), NOW))
            write(path, "[tool]\nname = 'rm'\n")
            assert.equal("signature_invalid", schemapin.verify_file{ path = path, discovery = document(), domain = "example.com", now = NOW }.code)
            os.remove(path .. ".sig")
            assert.equal("unsigned", schemapin.verify_file{ path = path, discovery = document(), now = NOW }.status)
        end)

        it("are looked up with a resolver", function()
            local dir, docs = skill(), fresh "docs"
            assert(symbi.io.mkdir(docs))
            assert(schemapin.sign_skill(dir, keys.private_key_pem, { domain = "example.com", now = NOW }))
            local files = schemapin.resolver.local_files(docs)
            assert.equal("discovery_fetch_failed", schemapin.verify_skill_with_resolver{ dir = dir, resolver = files, now = NOW }.code)
            write(docs .. "/example.com.json", symbi.json.encode(document()))
            assert.is_true(schemapin.verify_skill_with_resolver{ dir = dir, resolver = files, now = NOW }.valid)
            write(docs .. "/example.com.revocations.json", symbi.json.encode{ revoked_keys = { { fingerprint = keys.fingerprint } } })
            assert.equal("key_revoked", schemapin.verify_skill_with_resolver{ dir = dir, resolver = files, now = NOW }.code)
            write(docs .. "/example.com.revocations.json", "broken")
            assert.equal("revocation_invalid", schemapin.verify_skill_with_resolver{ dir = dir, resolver = files, now = NOW }.code)
            assert.equal("domain_invalid", files:resolve("../example.com").code)
            assert.equal("domain_invalid", files:resolve("example.com/../x").code)
        end)
    end)

    describe("looking a domain up", function()
        local function online(answers, more)
            local asked = {}
            local o = { schema = schema, signature = signature, domain = "example.com", tool_id = "add", now = NOW, get = function(url)
                asked[#asked + 1] = url
                local a = answers[url]
                if a == nil then return nil, "connection refused" end
                return a
            end }
            for k, v in pairs(more or {}) do o[k] = v end
            return assert(schemapin.verify_schema_online(o)), asked
        end
        local url = "https://example.com/.well-known/schemapin.json"
        local good = { status = 200, body = symbi.json.encode(document()) }

        it("asks for exactly one document, over https", function()
            local r, asked = online{ [url] = good }
            assert.is_true(r.valid)
            assert.same({ url }, asked)
            r, asked = online({ [url] = good }, { domain = "EXAMPLE.com" })
            assert.equal("example.com", r.domain)
            assert.same({ url }, asked)
        end)

        it("follows no redirect and believes no other answer", function()
            assert.equal("redirect_refused", online{ [url] = { status = 302, body = "" } }.code)
            assert.equal("redirect_refused", online{ [url] = { status = 200, body = good.body, url = "https://evil.com/.well-known/schemapin.json" } }.code)
            assert.equal("discovery_fetch_failed", online{}.code)
            assert.equal("discovery_fetch_failed", online{ [url] = { status = 404, body = good.body } }.code)
            assert.equal("discovery_invalid", online{ [url] = { status = 200, body = "<html>" } }.code)
            for _, domain in ipairs{ "example.com.", "b\195\188cher.example", "user@example.com", "example.com/x", "127.0.0.1", "" } do
                local r, asked = online({ [url] = good }, { domain = domain })
                assert.equal("domain_invalid", r.code)
                assert.same({}, asked)
            end
        end)

        it("needs the revocation list that a document names", function()
            local list = "https://lists.example.org/r.json"
            local named = { status = 200, body = symbi.json.encode(document(nil, { revocation_endpoint = list })) }
            assert.equal("revocation_fetch_failed", online{ [url] = named }.code)
            assert.is_true(online{ [url] = named, [list] = { status = 200, body = '{"revoked_keys":[]}' } }.valid)
            assert.equal("key_revoked", online{ [url] = named, [list] = { status = 200, body = symbi.json.encode{ revoked_keys = { { fingerprint = keys.fingerprint } } } } }.code)
        end)

        it("compares with DNS where a lookup is given", function()
            local function dns(record) return { txt = function(name) return name == "_schemapin.example.com" and record end } end
            assert.is_true(online({ [url] = good }, dns{ "v=spf1", "v=schemapin1; fp=" .. keys.fingerprint }).valid)
            assert.is_true(online({ [url] = good }, dns{}).valid)
            assert.equal("domain_mismatch", online({ [url] = good }, dns{ "v=schemapin1; fp=" .. others.fingerprint }).code)
            assert.equal("discovery_fetch_failed", online({ [url] = good }, dns(nil)).code)
        end)

        it("goes through the network guard", function()
            local r = assert(schemapin.verify_schema_online{ schema = schema, signature = signature, domain = "localhost:1", tool_id = "add", now = NOW })
            assert.equal("discovery_fetch_failed", r.code)
            assert.matches("refus", r.message)
        end)
    end)

    describe("resolvers", function()
        local function fixed(found) return { resolve = function() return found end } end
        it("in a chain stop at the first that fails, not at the first that does not know", function()
            local chain = schemapin.resolver.chain
            local d = core.discovery(document())
            local unknown = { code = "discovery_fetch_failed", message = "no", missing = true }
            local broken = { code = "discovery_invalid", message = "broken" }
            assert.equal(d, chain{ fixed(unknown), fixed{ discovery = d } }:resolve("example.com").discovery)
            assert.equal("discovery_invalid", chain{ fixed(broken), fixed{ discovery = d } }:resolve("example.com").code)
            assert.equal("discovery_fetch_failed", chain{ fixed(unknown) }:resolve("example.com").code)
            local r = core.revocation{ revoked_keys = {} }
            local found = chain{ fixed{ discovery = d }, fixed{ discovery = core.discovery(document(others)), revocation = r } }:resolve("example.com")
            assert.equal(d, found.discovery)
            assert.equal(r, found.revocation)
        end)

        it("keep what they found for a while, and nothing that failed", function()
            local now, asked, answer = 0, 0, { discovery = core.discovery(document()) }
            local r = schemapin.resolver.cached({ resolve = function()
                asked = asked + 1
                return answer
            end }, { ttl = 10, max = 2, clock = function() return now end })
            assert.equal(answer, r:resolve "a.com")
            assert.equal(answer, r:resolve "A.com")
            assert.equal(1, asked)
            now = 9
            r:resolve "a.com"
            assert.equal(1, asked)
            now = 10
            r:resolve "a.com"
            assert.equal(2, asked)
            now = 9 -- the clock went back
            r:resolve "a.com"
            assert.equal(3, asked)
            r:resolve "b.com"
            r:resolve "c.com" -- a.com has to go
            r:resolve "a.com"
            assert.equal(6, asked)
            answer = { code = "discovery_fetch_failed", message = "no" }
            now = 100
            r:resolve "c.com"
            r:resolve "c.com"
            assert.equal(8, asked)
            assert.equal("domain_invalid", r:resolve("c.com.").code)
            assert.equal(8, asked)
        end)

        it("of a bundle verify it first", function()
            local bundle = schemapin.create_bundle({ schemapin.create_bundled_discovery("example.com", document()) }, {}, { now = NOW })
            local text = assert(schemapin.sign_trust_bundle(bundle, others.private_key_pem, { kid = "a", now = NOW, expires_in = 60 }))
            local function resolve(o)
                o.now = o.now or NOW
                return schemapin.resolver.bundle(text, o):resolve("example.com")
            end
            assert.equal(keys.fingerprint, resolve{ authority = { others.fingerprint } }.discovery:info().fingerprint)
            assert.equal("bundle_authority_untrusted", resolve{}.code)
            assert.equal("bundle_authority_untrusted", resolve{ authority = { keys.fingerprint } }.code)
            assert.equal("bundle_expired", resolve{ authority = { others.fingerprint }, now = NOW + 61 }.code)
            local o = { authority = { others.fingerprint }, now = NOW }
            local kept = schemapin.resolver.bundle(text, o)
            assert.equal(kept:resolve "example.com", kept:resolve "EXAMPLE.com")
            o.now = NOW + 61 -- it expires while it is in use
            assert.equal("bundle_expired", kept:resolve("example.com").code)
            local store = assert(schemapin.store.open(fresh "pins.json"))
            assert.truthy(resolve{ pins = store }.discovery)
            local old = assert(schemapin.sign_trust_bundle(bundle, others.private_key_pem, { kid = "a", now = NOW - 10, expires_in = 600 }))
            assert.equal("bundle_downgrade", schemapin.verify_trust_bundle(old, { pins = store, now = NOW }).code)
            assert.equal("bundle_unsigned", schemapin.verify_trust_bundle(bundle, { authority = { others.fingerprint }, now = NOW }).code)
        end)
    end)

    it("asks people, and takes anything unclear for no", function()
        local asked, answer
        local p = schemapin.pinning.new{ mode = "interactive", clock = function() return NOW end, handler = function(q)
            asked = q
            return answer
        end }
        for _, a in ipairs{ "yes", "ACCEPT", 1, true } do
            answer = a
            assert.is_false(p:interactive_pin_key("t", keys.public_key_pem, "d.com"))
        end
        answer = nil
        assert.is_false(p:interactive_pin_key("t", keys.public_key_pem, "d.com"))
        answer = "accept"
        assert.is_true(p:interactive_pin_key("t", keys.public_key_pem, "d.com", { developer = "Dev" }))
        assert.equal("first_time_key", asked.prompt_type)
        answer = "accept"
        assert.is_true(p:interactive_pin_key("t", others.public_key_pem, "d.com"))
        assert.equal("key_change", asked.prompt_type)
        assert.equal(keys.fingerprint, asked.current_key.fingerprint)
        assert.equal(others.fingerprint, asked.new_key.fingerprint)
        answer = "accept"
        assert.is_false(p:interactive_pin_key("t", others.public_key_pem, "d.com", { revoked = true }))
        assert.is_nil((p:interactive_pin_key("t", "no key", "d.com")))
        local out = {}
        local stream = { write = function(_, ...) out[#out + 1] = table.concat{ ... } end }
        local function console(line) return schemapin.pinning.console_handler({ read = function() return line end }, stream)(asked) end
        assert.equal("reject", console(nil))
        assert.equal("reject", console("accept it"))
        asked.prompt_type = "key_change"
        assert.equal("accept", console(" A "))
        assert.equal("temporary_accept", console("o"))
        asked.prompt_type = "revoked_key"
        assert.equal("reject", console("a"))
        assert.equal("never_trust", console("n"))
    end)

    it("gives nothing to those who have nothing in common", function()
        local none = schemapin.a2a_intersect({ "a.com" }, { "b.com" })
        assert.same(0, #none)
        assert.is_false(schemapin.a2a_allows(none, "a.com"))
        assert.equal("a2a_scope_violation", verify{ context = { trusted_domains = none } }.code)
        assert.is_true(schemapin.a2a_intersect(none, {}).deny_all)
        assert.is_true(verify{ context = { trusted_domains = { "EXAMPLE.com" } } }.valid)
        assert.equal("a2a_scope_violation", schemapin.verify_schema_for_a2a{ schema = schema, signature = signature, domain = "example.com", tool_id = "add", discovery = document(), now = NOW, context = { delegation_depth = 4 } }.code)
    end)
end)

describe("symbi-lua schemapin", function()
    local cli = require "symbi.cli.schemapin"
    -- luacheck: ignore 122
    local function run(...)
        local out = {}
        local real_print, real_stdout, real_stderr = print, io.stdout, io.stderr
        local sink = { write = function(_, ...) out[#out + 1] = table.concat({ ... }) return true end }
        _G.print = function(...) out[#out + 1] = tostring((...)) .. "\n" end
        io.stdout, io.stderr = sink, sink
        local ok, status, message = pcall(cli.main, { ... })
        _G.print, io.stdout, io.stderr = real_print, real_stdout, real_stderr
        assert.is_true(ok, status)
        return status, table.concat(out), message
    end

    it("makes keys, signs, verifies, pins", function()
        local dir = fresh "keys"
        local status, out = run("keygen", "--output-dir", dir, "--well-known", "--developer", "Dev")
        assert.equal(0, status)
        assert.is_nil(out:find "PRIVATE")
        assert.equal(384, symbi.io.stat(dir .. "/schemapin_private.pem").mode)
        local message
        status, out, message = run("keygen", "--output-dir", dir)
        assert.is_nil(status)
        assert.matches("exists", message)
        assert.equal("", out)
        local file, pins = dir .. "/s.json", dir .. "/pins.json"
        write(file, '{"name":"add","n":1.50}')
        assert.equal(0, (run("sign", "--schema", file, "--key", dir .. "/schemapin_private.pem", "--output", dir .. "/signed.json")))
        status, out, message = run("sign", "--schema", file, "--key", read(dir .. "/schemapin_private.pem")) -- the key where its name should be
        assert.is_nil(status)
        assert.equal("--key is the name of a file, not the key itself", message)
        assert.equal("", out)
        assert.truthy(read(dir .. "/signed.json"):find('"schema": {"name":"add","n":1.50}', 1, true))
        local function check(...) return run("verify", "--schema", dir .. "/signed.json", "--domain", "example.com", "--pin-store", pins, ...) end
        status, out = check("--discovery", dir .. "/schemapin_well_known.json")
        assert.equal(0, status)
        assert.matches("pinned from now on", out)
        status, out = check("--public-key", dir .. "/schemapin_public.pem", "--json")
        assert.equal(0, status)
        assert.equal("verified", symbi.json.decode(out).status)
        status, out = run("pin", "list", "--pin-store", pins)
        assert.equal(0, status)
        assert.matches("add%s+example.com", out)
        write(dir .. "/other.pem", others.public_key_pem)
        status, out = check("--public-key", dir .. "/other.pem")
        assert.equal(1, status)
        assert.matches("key_pin_mismatch", out)
        assert.is_nil((run("pin", "add", "add", "example.com", "--public-key", dir .. "/other.pem", "--pin-store", pins)))
        assert.equal(0, (run("pin", "add", "add", "example.com", "--public-key", dir .. "/other.pem", "--pin-store", pins, "--replace")))
        status, out = check("--public-key", dir .. "/schemapin_public.pem")
        assert.equal(1, status)
        assert.matches("key_pin_mismatch", out)
        assert.equal(0, (run("pin", "remove", "add", "example.com", "--pin-store", pins)))
        assert.is_nil((run("pin", "remove", "add", "example.com", "--pin-store", pins)))
        assert.equal(0, (run("pin", "policy", "example.com", "never_trust", "--pin-store", pins)))
        assert.equal(1, (check("--public-key", dir .. "/schemapin_public.pem")))
        assert.equal(1, (check("--public-key", dir .. "/schemapin_public.pem", "--no-pins", "--only-pinned")))
    end)

    it("signs and verifies folders and files", function()
        local dir = fresh "keys"
        run("keygen", "--output-dir", dir)
        local key, pub = dir .. "/schemapin_private.pem", dir .. "/schemapin_public.pem"
        symbi.io.mkdir(dir .. "/skill")
        write(dir .. "/skill/SKILL.md", "---\nname: demo\n---\n")
        assert.equal(0, (run("skill", "sign", dir .. "/skill", "--key", key, "--domain", "example.com")))
        assert.equal(0, (run("skill", "verify", dir .. "/skill", "--public-key", pub, "--no-pins", "--domain", "example.com")))
        local status, out = run("skill", "verify", dir .. "/skill", "--public-key", pub, "--no-pins", "--domain", "evil.com")
        assert.equal(1, status)
        assert.matches("domain_mismatch", out)
        status, out = run("skill", "hash", dir .. "/skill")
        assert.equal(0, status)
        assert.equal("sha256:" .. schemapin.canonicalize_skill(dir .. "/skill") .. "\n", out)
        write(dir .. "/t.clad.toml", "x")
        assert.equal(0, (run("sign", "--file", dir .. "/t.clad.toml", "--key", key, "--domain", "example.com")))
        assert.equal(0, (run("verify", "--file", dir .. "/t.clad.toml", "--public-key", pub, "--no-pins")))
        write(dir .. "/t.clad.toml", "y")
        assert.equal(1, (run("verify", "--file", dir .. "/t.clad.toml", "--public-key", pub, "--no-pins")))
    end)

    it("says what is wrong with a command line", function()
        for _, words in ipairs{ {}, { "fly" }, { "sign" }, { "sign", "--schema", "x" }, { "verify" }, { "verify", "--schema", "x" }, { "keygen", "--type", "rsa" }, { "pin" }, { "pin", "add", "t" },
            { "pin", "add", "t", "d.com" }, { "pin", "add", "t", "d.com", "--fingerprint", "x" }, { "pin", "policy", "d.com", "whatever", "--pin-store", fresh "p" }, { "skill", "verify" }, { "skill", "fly", "x" } } do
            assert.equal(2, (run((table.unpack or unpack)(words)))) -- luacheck: globals unpack
        end
        assert.equal(2, (run("verify", "--schema", os.tmpname(), "--domain", "a.com", "--no-pins", "--public-key", "a", "--bundle", "b")))
        assert.equal(0, (run "--help"))
    end)
end)
