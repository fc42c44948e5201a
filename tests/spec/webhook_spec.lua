--- symbi.webhook from Lua: presets, headers of every shape, refusals with their reasons, the shared vectors, nginx, and the models.
local symbi = require "symbi"
local webhook = symbi.webhook
local crypto = symbi.crypto

assert(crypto.hmac_sha256("k", "x")) -- what is fetched once per state is no leftover of the first test
assert(webhook.jwt { secret = ("k"):rep(32) }):verify({ Authorization = "a.b.c" }, "")

local function sign(key, text, prefix) return (prefix or "") .. crypto.hmac_sha256(key, text) end
-- Standard base64, of vectors.
local function unbase64(text)
    local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    local out, bits, have = {}, 0, 0
    for c in text:gmatch "[^=]" do
        bits, have = bits * 64 + alphabet:find(c, 1, true) - 1, have + 6
        if have >= 8 then
            have = have - 8
            local byte = math.floor(bits / 2 ^ have)
            bits = bits - byte * 2 ^ have
            out[#out + 1] = string.char(byte)
        end
    end
    return table.concat(out)
end
local function refused(reason, v, ...)
    local info, message, err = v:verify(...)
    assert.is_nil(info)
    assert.equal(reason, err.reason)
    assert.equal(message, err.message)
    assert.equal(webhook.reasons[reason], err.detail)
    return message, err
end

describe("symbi.webhook", function()
    it("verifies a GitHub delivery, whatever the shape of the headers", function()
        local v = webhook.provider("github", "It's a Secret to Everybody")
        local sig = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        local info = assert(v:verify({ ["X-Hub-Signature-256"] = sig, Host = "x" }, "Hello, World!"))
        assert.same({ header_name = "x-hub-signature-256", secret = 1 }, info)
        assert(v:verify({ ["x-hub-signature-256"] = { sig } }, "Hello, World!"))
        assert(v:verify({ { "Host", "x" }, { "X-HUB-SIGNATURE-256", sig } }, "Hello, World!"))
        local message, err = refused("MISMATCH", v, { ["X-Hub-Signature-256"] = sig }, "Hello, World?")
        assert.equal("HMAC signature mismatch", message)
        assert.equal("x-hub-signature-256", err.header_name)
        assert.equal("EVERIFY", err.code)
        assert.is_true(err:is "WebhookVerificationError")
        assert.equal("Missing signature header: x-hub-signature-256", (refused("MISSING_HEADER", v, {}, "")))
        refused("DUPLICATE_HEADER", v, { ["X-Hub-Signature-256"] = sig, ["x-hub-signature-256"] = sig }, "Hello, World!")
        refused("DUPLICATE_HEADER", v, { ["X-Hub-Signature-256"] = { sig, sig } }, "Hello, World!")
        refused("DUPLICATE_HEADER", v, { { "X-Hub-Signature-256", sig }, { "X-Hub-Signature-256", sig } }, "Hello, World!")
        refused("FORMAT", v, { ["X-Hub-Signature-256"] = sig:upper() }, "Hello, World!")
        refused("FORMAT", v, { ["X-Hub-Signature-256"] = true }, "Hello, World!") -- what nginx gives for a header without a value
        refused("HEADER_TOO_LONG", v, { ["X-Hub-Signature-256"] = ("a"):rep(10 * 1024 * 1024) }, "")
        assert.same({ "x-hub-signature-256" }, v:headers())
        v:close()
        assert.has_error(function() v:verify({}, "") end)
    end)

    it("has the SDK's presets", function()
        local v = webhook.GITHUB:verifier { secret = "s" }
        assert(v:verify({ ["X-Hub-Signature-256"] = sign("s", "b", "sha256=") }, "b"))
        assert.equal("X-Slack-Signature", webhook.provider("Slack").header_name)
        assert.equal("v0=", webhook.SLACK.prefix)
        v = webhook.hmac { secret = "s", header = "X-Hub-Signature-256", prefix = "sha256=" }
        assert(v:verify({ ["X-Hub-Signature-256"] = sign("s", "b", "sha256=") }, "b"))
        refused("FORMAT", v, { ["X-Hub-Signature-256"] = sign("s", "b") }, "b") -- the prefix is not optional
        v = webhook.hmac { secret = "s", header_name = "X-Mine" } -- the SDK's name of it
        assert(v:verify({ ["X-Mine"] = sign("s", "b") }, "b"))
        assert.has_error(function() webhook.provider "gitlab" end)
        assert.has_error(function() webhook.provider(nil, "x") end)
    end)

    it("takes configurations", function()
        local v = assert(webhook.from_config { provider = "github", secret = "s" })
        assert(v:verify({ ["X-Hub-Signature-256"] = sign("s", "b", "sha256=") }, "b"))
        v = assert(webhook.from_config { provider = "custom", secret = "s", header_name = "X-Mine" })
        assert(v:verify({ ["x-mine"] = sign("s", "b") }, "b"))
        v = assert(webhook.from_config { provider = "something else", secret = "s" })
        assert(v:verify({ ["X-Signature"] = sign("s", "b") }, "b"))
        v = assert(webhook.from_config { provider = "github", secret = ("s"):rep(32), required_issuer = "me" })
        local token = symbi.jwt.sign({ iss = "me", exp = 2000 }, { alg = "HS256", secret = ("s"):rep(32) })
        assert.equal("me", assert(v:verify({ Authorization = "Bearer " .. token }, "", 1000)).claims.iss)
    end)

    it("checks the age of Stripe and Slack on both sides", function()
        local v = webhook.provider("stripe", "whsec_x")
        local function header(t) return { ["Stripe-Signature"] = "t=" .. t .. ",v1=" .. sign("whsec_x", t .. ".{}") } end
        assert.equal(1000, assert(v:verify(header "1000", "{}", 1300)).timestamp)
        local message = refused("TOO_OLD", v, header "1000", "{}", 1301)
        assert.equal("the timestamp is too old: 301 s, and 300 s are tolerated", message)
        refused("IN_FUTURE", v, header "1000", "{}", 699)
        refused("BAD_TIMESTAMP", v, header "+1000", "{}", 1000)
        refused("UNSIGNED_TIMESTAMP", v, { ["Stripe-Signature"] = "t=1000,v1=" .. sign("whsec_x", "{}") }, "{}", 1000)
        local old = webhook.provider("slack", "s", { legacy = true })
        assert(old:verify({ ["X-Slack-Signature"] = sign("s", "b", "v0=") }, "b"))
    end)

    it("verifies Standard Webhooks", function()
        local v = webhook.provider("standard", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        local h = { ["webhook-id"] = "msg_p5jXN8AQM9LWM0D4loKWxJek", ["webhook-timestamp"] = "1614265330", ["webhook-signature"] = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" }
        local info = assert(v:verify(h, '{"test": 2432232314}', 1614265330))
        assert.equal("msg_p5jXN8AQM9LWM0D4loKWxJek", info.delivery)
        h["webhook-id"] = "msg_2"
        refused("MISMATCH", v, h, '{"test": 2432232314}', 1614265330)
        local none, message = webhook.provider("standard", "not base64")
        assert.is_nil(none)
        assert.truthy(message:find("base64", 1, true))
    end)

    it("tries every secret, and says which it was", function()
        local v = webhook.provider("custom", { "new", "old" })
        assert.equal(2, assert(v:verify({ ["X-Signature"] = sign("old", "b") }, "b")).secret)
        assert.equal(1, assert(v:verify({ ["X-Signature"] = sign("new", "b") }, "b")).secret)
        refused("MISMATCH", v, { ["X-Signature"] = sign("other", "b") }, "b")
    end)

    it("remembers what it accepted, beyond the verifier's life with a store", function()
        local store = symbi.store.memory()
        local h = { ["X-Hub-Signature-256"] = sign("s", "b", "sha256="), ["X-GitHub-Delivery"] = "guid-1" }
        local v = webhook.provider("github", "s", { replay = true, delivery = true }):use_store(store)
        local info = assert(v:verify(h, "b", 1000))
        assert.equal("guid-1", info.delivery)
        assert.equal(1600, info.keep_until)
        assert.truthy(info.key:find("^" .. ("%x"):rep(64) .. "$"))
        assert.equal(2, v:remembered())
        local _, err = refused("REPLAYED", v, h, "b", 1001)
        assert.equal("EEXISTS", err.code)
        assert.equal(409, webhook.status(err))
        v:close()
        v = webhook.provider("github", "s", { delivery = true }):use_store(store)
        refused("DELIVERED", v, h, "b", 1001)
        store:close() -- waits for the verifier
        refused("DELIVERED", v, h, "b", 1001)
        v:close()
        assert.has_error(function() webhook.provider("github", "s"):use_store(store) end)
    end)

    it("is single use across processes and restarts with the store of a state folder", function()
        local dir = os.tmpname()
        os.remove(dir)
        local h = { ["X-Hub-Signature-256"] = sign("s", "b", "sha256=") }
        local one, two = assert(symbi.store.open(dir)), assert(symbi.store.open(dir))
        local a, b = webhook.provider("github", "s", { replay = true }):use_store(one), webhook.provider("github", "s", { replay = true }):use_store(two)
        assert(a:verify(h, "b", 1000))
        refused("REPLAYED", b, h, "b", 1001)
        a:close() b:close() one:close() two:close()
        one = assert(symbi.store.open(dir))
        a = webhook.provider("github", "s", { replay = true }):use_store(one)
        refused("REPLAYED", a, h, "b", 1002)
        assert(a:verify(h, "b", 1600)) -- by then it is forgotten
        assert.same({}, symbi.store.chains(one)) -- records only: no trail was begun
        a:close() one:close()
        assert(symbi.io.remove_tree(dir))
    end)

    it("refuses what cannot be meant", function()
        local v, message, err = webhook.provider("github", "")
        assert.is_nil(v)
        assert.equal("secret must not be empty", message)
        assert.equal("EINVAL", err.code)
        v, message = webhook.hmac { secret = "s", header = "X-Sig", timestamp_header = "X-Time" }
        assert.is_nil(v)
        assert.truthy(message:find("not signed", 1, true))
        assert.is_nil((webhook.hmac { secret = "s" }))
        assert.is_nil((webhook.hmac { header = "x" }))
        assert.has_error(function() webhook.hmac { secret = "s", header = "x", colour = "red" } end)
        assert.has_error(function() webhook.hmac { secret = "s", secrets = { "t" }, header = "x" } end)
        assert.has_error(function() webhook.hmac { secret = 5, header = "x" } end)
        assert.has_error(function() webhook.hmac { secrets = { {} }, header = "x" } end)
        v = webhook.provider("custom", "s")
        assert.has_error(function() v:verify("X-Signature: x", "b") end)
        assert.has_error(function() v:verify({}, nil) end)
        assert.has_error(function() v:verify({}, 5) end)
        assert.has_error(function() v:verify({ ["X-Signature"] = 5 }, "b") end)
        assert.has_error(function() v:verify({}, "b", 1.5) end)
    end)

    it("says of a token why it was refused", function()
        local secret = ("k"):rep(32)
        local v = webhook.jwt { secret = secret, issuer = "good", audience = "svc" }
        local function token(claims) return { authorization = "Bearer " .. symbi.jwt.sign(claims, { alg = "HS256", secret = secret }) } end
        assert.equal("svc", assert(v:verify(token { iss = "good", aud = "svc", exp = 2000 }, "", 1000)).claims.aud)
        local message, err = refused("JWT", v, token { iss = "good", aud = "svc", exp = 900 }, "", 1000)
        assert.equal("JWT token has expired", message)
        assert.equal("EXPIRED", err.jwt_reason)
        assert.equal("JWT issuer mismatch", (refused("JWT", v, token { iss = "bad", aud = "svc", exp = 2000 }, "", 1000)))
        assert.equal('JWT verification failed: Token is missing the "iss" claim', (refused("JWT", v, token { aud = "svc", exp = 2000 }, "", 1000)))
        assert.equal('JWT verification failed: Token is missing the "aud" claim', (refused("JWT", v, token { iss = "good", exp = 2000 }, "", 1000)))
        assert.equal("JWT verification failed: Invalid audience", (refused("JWT", v, token { iss = "good", aud = "x", exp = 2000 }, "", 1000)))
        assert.equal("Missing JWT header: authorization", (refused("MISSING_HEADER", v, {}, "")))
    end)

    -- The vectors run in C in full; here a sample of each kind goes through the binding.
    it("agrees with the shared vectors", function()
        local dir = os.getenv "SYMBI_VECTORS" or "../shared/vectors"
        local f = io.open(dir .. "/webhooks/providers.json", "rb")
        if not f then return pending "no shared vectors" end
        local cases = symbi.json.decode(f:read "*a").cases
        f:close()
        local n = 0
        for _, c in ipairs(cases) do
            local v = assert(webhook.provider(c.provider, unbase64(c.secret_b64), { tolerance = c.tolerance }))
            local info, _, err = v:verify(c.headers, unbase64(c.body_b64), c.now)
            -- what the service's library refuses is refused; what it accepts is accepted, but for timestamps that are none or lie ahead
            local stricter = c.provider ~= "github" and err and (err.reason == "IN_FUTURE" or err.reason == "BAD_TIMESTAMP" or err.reason == "FORMAT" or err.reason == "MISMATCH")
            if info and not c.official.ok or c.official.ok and not info and not stricter then error(c.id .. ": " .. tostring(err)) end
            v:close()
            n = n + 1
        end
        assert.is_true(n > 30)
    end)
end)

describe("symbi.webhook in nginx", function()
    -- The calls that M.access makes, without a server; tests/env/nginx-webhook has the real one.
    local function with_ngx(request, f)
        local out = { header = {}, said = "" }
        local dict = {}
        local ngx = {
            ERR = 4, status = 200, header = out.header, ctx = {}, now = function() return 1000 end, time = function() return 1000 end,
            say = function(s) out.said = s end, exit = function(s) out.exit = s return "ended" end, log = function(_, m) out.log = m end,
            req = {
                read_body = function() end, get_body_data = function() return request.body end, get_body_file = function() return request.file end,
                get_headers = function() return request.headers, request.cut end,
            },
            shared = { seen = {
                safe_add = function(_, k, v, ttl)
                    if request.full then return nil, "no memory" end
                    if dict[k] then return false, "exists" end
                    dict[k] = { v, ttl }
                    return true
                end,
            } },
        }
        _G.ngx = ngx -- luacheck: ignore
        local ok, e = pcall(f, out, ngx, dict)
        _G.ngx = nil -- luacheck: ignore
        if not ok then error(e, 0) end
    end

    it("lets a signed request through once", function()
        local v = webhook.provider("github", "s", { replay = true })
        with_ngx({ body = "b", headers = { ["x-hub-signature-256"] = sign("s", "b", "sha256=") } }, function(out, ngx, dict)
            local info = webhook.access(v, { dict = "seen", now = function() return 1000 end })
            assert.equal(ngx.ctx.webhook, info)
            assert.is_nil(out.exit)
            local _, entry = next(dict)
            assert.equal(600, entry[2])
            -- another worker has its own verifier and the same dictionary
            local other = webhook.provider("github", "s", { replay = true })
            webhook.access(other, { dict = "seen", now = function() return 1000 end })
            assert.equal(409, out.exit)
            assert.equal("REPLAYED", symbi.json.decode(out.said).code)
        end)
    end)

    it("answers every refusal with its status", function()
        local v = webhook.provider("github", "s", { replay = true })
        local good = { ["x-hub-signature-256"] = sign("s", "b", "sha256=") }
        local cases = {
            { { body = "b", headers = {} }, 401, "MISSING_HEADER" },
            { { body = "c", headers = good }, 401, "MISMATCH" },
            { { headers = good }, 401, "MISMATCH" }, -- no body at all
            { { file = "/tmp/x", headers = good }, 413, "BODY_TOO_LONG" },
            { { body = "b", headers = good, cut = "truncated" }, 431, "HEADER_TOO_LONG" },
            { { body = "b", headers = { ["x-hub-signature-256"] = ("a"):rep(9000) } }, 431, "HEADER_TOO_LONG" },
            { { body = "b", headers = good, full = true }, 503, "REPLAY_FULL" },
        }
        for _, c in ipairs(cases) do
            with_ngx(c[1], function(out)
                webhook.access(v, { dict = "seen" })
                assert.equal(c[2], out.exit)
                local body = symbi.json.decode(out.said)
                assert.equal(c[3], body.code)
                assert.equal(c[2], body.status)
                assert.equal("application/json", out.header["Content-Type"])
            end)
        end
        with_ngx({ body = "b", headers = good }, function()
            assert.has_error(function() webhook.access(v, { dict = "nope" }) end)
        end)
    end)
end)

describe("invocation models", function()
    it("check a request", function()
        assert.same({ prompt = "scan target 10.0.0.1", target = "10.0.0.1" }, webhook.invocation { prompt = "scan target 10.0.0.1", target = "10.0.0.1" })
        assert(webhook.invocation { system_prompt = ("x"):rep(4096) })
        local r, message, err = webhook.invocation { system_prompt = ("x"):rep(4097) }
        assert.is_nil(r)
        assert.equal("system_prompt has 4097 bytes; 4096 are the most", message)
        assert.is_true(err:is "ESCHEMA")
        assert.is_nil((webhook.invocation { prompt = 5 }))
        assert.same({}, webhook.invocation { prompt = symbi.null })
    end)

    it("tell the two answers apart", function()
        local r = assert(webhook.parse_response '{"status":"execution_started","agent_id":"a","message_id":"m","latency_ms":3,"timestamp":"t","extra":1}')
        assert.same({ kind = "execution_started", status = "execution_started", agent_id = "a", message_id = "m", latency_ms = 3, timestamp = "t" }, r)
        r = assert(webhook.parse_response {
            status = "completed", agent_id = "a", response = "done", model = "m", provider = "p", latency_ms = 5, timestamp = "t",
            tool_runs = { { tool = "nmap", input = symbi.null, output_preview = "..." } },
        })
        assert.equal("completed", r.kind)
        assert.equal("nmap", r.tool_runs[1].tool)
        assert.same({}, r.tool_runs[1].input)
        for _, bad in ipairs {
            "nope", "[]", "5", '{"status":"done"}', "{}", '{"status":"completed"}', '{"status":"execution_started","agent_id":5,"message_id":"m","latency_ms":3,"timestamp":"t"}',
            '{"status":"execution_started","agent_id":"a","message_id":"m","latency_ms":3.5,"timestamp":"t"}',
            '{"status":"completed","agent_id":"a","response":"r","model":"m","provider":"p","latency_ms":5,"timestamp":"t","tool_runs":5}',
            '{"status":"completed","agent_id":"a","response":"r","model":"m","provider":"p","latency_ms":5,"timestamp":"t","tool_runs":[{"tool":"x","input":[1],"output_preview":"y"}]}',
        } do
            assert.is_nil((webhook.parse_response(bad)), bad)
        end
    end)
end)
