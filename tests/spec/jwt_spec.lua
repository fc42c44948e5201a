--- symbi.jwt from Lua: tokens verified, refused with a reason, decoded, issued.
local symbi = require "symbi"
local jwt, crypto = symbi.jwt, symbi.crypto

assert(crypto.sha256("")) -- fetched once per state

local SECRET = "0123456789abcdef0123456789abcdef"
local NOW = 1700000000

-- RFC 7515 A.3
local RFC_TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    .. ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
local RFC_KEY = { kty = "EC", crv = "P-256", x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" }

local function refused(reason, token, options)
    local none, message, err = jwt.verify(token, options)
    assert.is_nil(none)
    assert.is_string(message)
    assert.equal(reason, err.reason, message)
    return err
end
local function hs(claims, more)
    return assert(jwt.sign(claims, { alg = "HS256", secret = SECRET, header = more }))
end
local function options(more)
    local o = { alg = "HS256", secret = SECRET, now = NOW }
    for k, v in pairs(more or {}) do o[k] = v end
    return o
end

describe("symbi.jwt", function()
    it("verifies the example of RFC 7515", function()
        local key = assert(crypto.key_from_jwk(RFC_KEY))
        local claims, header = assert(jwt.verify(RFC_TOKEN, { alg = "ES256", key = key, now = 1300819379 }))
        assert.same({ iss = "joe", exp = 1300819380, ["http://example.com/is_root"] = true }, claims)
        assert.same({ alg = "ES256" }, header)
        assert(jwt.verify(RFC_TOKEN, { alg = "ES256", key = key:public_pem(), now = 1300819379 }))
        refused("EXPIRED", RFC_TOKEN, { alg = "ES256", key = key }) -- by the clock
        refused("SIGNATURE", RFC_TOKEN, { alg = "ES256-DER", key = key, now = 1300819379 })
        refused("ALG", RFC_TOKEN, { alg = "RS256", key = key, now = 1300819379 })
        refused("KEY", (RFC_TOKEN:gsub("^[^.]+", "eyJhbGciOiJSUzI1NiJ9")), { alg = "RS256", key = key, now = 1300819379 })
    end)

    it("takes the key from a set", function()
        local set = { keys = { { kid = "other", kty = "OKP", crv = "Ed25519", x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" } } }
        local key = crypto.p256()
        local mine = key:jwk()
        mine.kid = "mine"
        set.keys[2] = mine
        local token = assert(jwt.sign({ exp = NOW + 60 }, { alg = "ES256", key = key, header = { kid = "mine", typ = "JWT" } }))
        local claims, header = assert(jwt.verify(token, { alg = "ES256", jwks = set, now = NOW }))
        assert.equal(NOW + 60, claims.exp)
        assert.equal("mine", header.kid)
        mine.kid = "../mine"
        assert.equal("ENOTFOUND", refused("KEY", token, { alg = "ES256", jwks = set, now = NOW }).code)
        mine.kid, mine.use = "mine", "enc"
        refused("KEY", token, { alg = "ES256", jwks = set, now = NOW })
        mine.use = nil
        assert.equal("p256", assert(jwt.jwks(set, "mine", "ES256")):kind())
        assert.equal("ed25519", assert(jwt.jwks(set, "other", "EdDSA")):kind())
        local none, _, err = jwt.jwks(set, nil, "ES256")
        assert.is_nil(none)
        assert.equal("ENOTFOUND", err.code)
    end)

    it("signs with every algorithm it has, for that algorithm only", function()
        local p, e = crypto.p256(), crypto.ed25519()
        local by = { HS256 = SECRET, HS384 = SECRET, HS512 = SECRET, ES256 = p, ["ES256-DER"] = p, EdDSA = e }
        for alg, key in pairs(by) do
            local field = key == SECRET and "secret" or "key"
            local token = assert(jwt.sign({ exp = NOW + 1, sub = "ä" }, { alg = alg, [field] = key }))
            local claims = assert(jwt.verify(token, { alg = alg, [field] = key, now = NOW }))
            assert.equal("ä", claims.sub)
            for other, key2 in pairs(by) do
                if other ~= alg then
                    local none, _, err = jwt.verify(token, { alg = other, [key2 == SECRET and "secret" or "key"] = key2, now = NOW })
                    assert.is_nil(none)
                    assert.equal(alg:sub(1, 5) == other:sub(1, 5) and "SIGNATURE" or "ALG", err.reason)
                end
            end
        end
    end)

    it("keeps the order of members of a JSON text", function()
        local token = hs '{"z":1,"exp":1700000001,"a":{"y":1,"b":2}}'
        assert.equal("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ6IjoxLCJleHAiOjE3MDAwMDAwMDEsImEiOnsieSI6MSwiYiI6Mn19", (token:match("^(.*)%.")))
    end)

    it("names each refusal", function()
        refused("EMPTY", "", options())
        refused("TOO_LONG", ("a"):rep(10 * 1024 * 1024), options())
        refused("PARTS", "a.b", options())
        refused("BASE64", "e30=.e30.", options())
        refused("HEADER_JSON", "W10.e30.", options())
        refused("CLAIMS_JSON", "e30.W10.", options())
        refused("ALG", "e30.e30.", options())
        refused("SIGNATURE", hs { exp = NOW + 1 } .. "A", options())
        refused("KEY", hs { exp = NOW + 1 }, options { secret = "short" })
        refused("MISSING_EXP", hs { sub = "a" }, options())
        refused("CLAIM_TYPE", hs { exp = "soon" }, options())
        refused("EXPIRED", hs { exp = NOW }, options())
        refused("NOT_YET", hs { exp = NOW + 9, nbf = NOW + 1 }, options())
        refused("FUTURE", hs { exp = NOW + 9, iat = NOW + 1 }, options { check_iat = true })
        refused("LIFETIME", hs { exp = NOW + 9, iat = NOW }, options { max_lifetime = 8 })
        refused("MISSING_CLAIM", hs { exp = NOW + 9 }, options { required = { "sub" } })
        assert.equal("iss", refused("MISSING_CLAIM", hs { exp = NOW + 9 }, options { issuer = "a" }).path)
        refused("ISSUER", hs { exp = NOW + 9, iss = "b" }, options { issuer = "a" })
        refused("AUDIENCE", hs { exp = NOW + 9, aud = { "b", "c" } }, options { audience = "a" })
        refused("AUDIENCE", hs { exp = NOW + 9, aud = "a" }, options { refuse_audience = true })
        refused("TYP", hs { exp = NOW + 9 }, options { typ = "at+jwt" })
        assert(jwt.verify(hs({ exp = NOW + 9, aud = { "b", "a" }, iss = "i", sub = "s" }, { typ = "at+jwt" }),
            options { typ = "at+jwt", audience = "a", issuer = "i", required = { "sub" }, leeway = 5 }))
        assert(jwt.verify(hs { exp = NOW - 4 }, options { leeway = 5 }))
        assert(jwt.verify(hs { sub = "x" }, options { exp_optional = true }))
        assert(jwt.verify(hs { exp = NOW + 0.5 }, options { float_times = true }))
    end)

    it("knows the text of each reason", function()
        local r = jwt.reasons()
        assert.equal("the token has expired", r.EXPIRED)
        assert.is_nil(r.OK)
    end)

    it("decodes without verifying", function()
        local d = assert(jwt.decode(RFC_TOKEN))
        assert.equal("joe", d.claims.iss)
        assert.equal("ES256", d.header.alg)
        assert.equal(64, #d.signature)
        assert.equal(RFC_TOKEN:match("^(.*)%."), d.signed)
        local none, _, err = jwt.decode("nonsense")
        assert.is_nil(none)
        assert.equal("PARTS", err.reason)
        assert.equal("EPARSE", err.code)
    end)

    it("raises on misuse", function()
        local token = hs { exp = NOW + 1 }
        for _, bad in ipairs {
            {}, { alg = "none", secret = SECRET }, { alg = "HS256" }, { secret = SECRET }, { alg = "HS256", secret = SECRET, key = crypto.p256() },
            { alg = "HS256", secret = SECRET, jwks = {} }, { alg = "HS256", secret = SECRET, colour = "red" }, { alg = "HS256", secret = 5 == 5 },
            { alg = "HS256", secret = SECRET, audience = "" }, { alg = "HS256", secret = SECRET, required = "sub" }, { alg = "HS256", secret = SECRET, now = 1.5 },
        } do
            assert.has_error(function() jwt.verify(token, bad) end)
        end
        assert.has_error(function() jwt.verify(token) end)
        assert.has_error(function() jwt.sign({}, { alg = "HS256" }) end)
        assert.has_error(function() jwt.sign(5, { alg = "HS256", secret = SECRET }) end)
        local closed = crypto.p256()
        closed:close()
        assert.has_error(function() jwt.sign({}, { alg = "ES256", key = closed }) end)
        local none, _, err = jwt.sign({}, { alg = "HS256", secret = "short" })
        assert.is_nil(none)
        assert.equal("EINVAL", err.code)
        assert(jwt.sign({}, { alg = "HS256", secret = "short", short_secret_ok = true }))
        none, _, err = jwt.sign({}, { alg = "HS256", secret = SECRET, header = { alg = "none" } })
        assert.is_nil(none)
        assert.equal("EINVAL", err.code)
        none, _, err = jwt.verify(token, { alg = "ES256", key = "not a PEM text" })
        assert.is_nil(none)
        assert.equal("KEY", err.reason)
    end)
end)
