--- symbi.crypto: published vectors, forms of input and output, misuse.
local symbi = require "symbi"
local crypto = symbi.crypto

describe("symbi.crypto", function()
    it("hashes (FIPS 180-4)", function()
        assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", crypto.sha256("abc"))
        assert.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", crypto.sha256(""))
        assert.equal(32, #crypto.sha256("abc", true))
        assert.equal(crypto.sha256("abc"), crypto.hex(crypto.sha256("abc", true)))
        assert.equal("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", crypto.sha256(("a"):rep(1000000)))
    end)

    it("hashes in pieces", function()
        local h = crypto.hasher()
        assert.equal(h, h:add("a"))
        h:add("b"):add("c")
        assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", h:finish())
        local none, message, err = h:add("d")
        assert.is_nil(none)
        assert.is_string(message)
        assert.equal("ESTATE", err.code)
        h:close()
        assert.has_error(function() h:add("x") end)
    end)

    it("makes HMACs (RFC 4231)", function()
        assert.equal("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7", crypto.hmac_sha256(("\11"):rep(20), "Hi There"))
        assert.equal("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", crypto.hmac_sha256("Jefe", "what do ya want for nothing?"))
    end)

    it("signs and verifies (RFC 8032)", function()
        local k = crypto.ed25519 { seed = "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7" }
        assert.equal("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", k:public())
        local message = "\175\130" -- af 82
        local sig = k:sign(message)
        assert.equal("6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a", sig)
        local p = crypto.ed25519 { public = k:public(true) }
        assert.is_true(p:verify(message, sig))
        assert.is_true(p:verify(message, crypto.unhex(sig)))
        assert.is_false(p:verify("other", sig))
        assert.is_false(p:verify(message, ""))
        assert.is_false(p:verify(message, ("0"):rep(128)))
        assert.is_false(p:verify(message, ("z"):rep(128)))
        assert.is_true(k:is_private())
        assert.is_false(p:is_private())
        local none, _, err = p:sign(message)
        assert.is_nil(none)
        assert.equal("EINVAL", err.code)
        none, _, err = p:seed()
        assert.is_nil(none)
        assert.equal("EINVAL", err.code)
        assert.equal(k:id(), p:id())
        assert.equal(16, #k:id())
        k:close()
        p:close()
        assert.has_error(function() k:sign("x") end)
    end)

    it("makes new keys, each its own", function()
        local a, b = crypto.ed25519(), crypto.ed25519()
        assert.not_equal(a:public(), b:public())
        local again = crypto.ed25519 { seed = a:seed() }
        assert.equal(a:public(), again:public())
    end)

    it("refuses what is no key", function()
        for _, bad in ipairs { "", "00", ("g"):rep(64), ("0"):rep(63) } do
            local none, _, err = crypto.ed25519 { seed = bad }
            assert.is_nil(none)
            assert.equal("EPARSE", err.code)
        end
        assert.has_error(function() crypto.ed25519 {} end)
        assert.has_error(function() crypto.ed25519 { seed = ("0"):rep(64), public = ("0"):rep(64) } end)
        assert.has_error(function() crypto.ed25519 { sead = "x" } end)
        assert.has_error(function() crypto.sha256() end)
        assert.has_error(function() crypto.sha256({}) end)
    end)

    it("compares", function()
        assert.is_true(crypto.equal("", ""))
        assert.is_true(crypto.equal("a\0b", "a\0b"))
        assert.is_false(crypto.equal("a\0b", "a\0c"))
        assert.is_false(crypto.equal("a", "ab"))
    end)

    it("gives random bytes", function()
        assert.equal("", crypto.random(0))
        assert.equal(32, #crypto.random(32))
        assert.not_equal(crypto.random(16), crypto.random(16))
        assert.has_error(function() crypto.random(-1) end)
        assert.has_error(function() crypto.random(1.5) end)
        assert.has_error(function() crypto.random(2 ^ 40) end)
    end)

    it("converts hex", function()
        assert.equal("00ff10", crypto.hex("\0\255\16"))
        assert.equal("\0\255\16", crypto.unhex("00Ff10"))
        for _, bad in ipairs { "0", "0g", "  " } do
            local none, _, err = crypto.unhex(bad)
            assert.is_nil(none)
            assert.equal("EPARSE", err.code)
        end
    end)

    it("makes HMACs over the longer hashes", function()
        assert.equal("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", crypto.hmac("sha256", "Jefe", "what do ya want for nothing?"))
        assert.equal("af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
            crypto.hmac("sha384", "Jefe", "what do ya want for nothing?"))
        assert.equal(64, #crypto.hmac("sha512", "", "", true))
        assert.has_error(function() crypto.hmac("md5", "", "") end)
    end)

    it("signs and verifies ES256 in both forms (RFC 6979)", function()
        local p = assert(crypto.p256 { public = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299" })
        local r, s = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716", "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
        local der = "3046022100" .. r .. "022100" .. s
        assert.is_true((p:es256_verify("sample", r .. s, "raw")))
        assert.is_true((p:es256_verify("sample", crypto.unhex(r .. s), "raw")))
        assert.is_true((p:es256_verify("sample", der, "der")))
        assert.is_true((p:es256_verify("sample", crypto.unhex(der), "der")))
        local ok, why = p:es256_verify("sample", der, "raw")
        assert.is_false(ok)
        assert.matches("64 bytes", why)
        assert.same({ false }, { (p:es256_verify("other", der, "der")) })
        ok, why = p:es256_verify("sample", "3046022100" .. r .. "022100" .. s .. "00", "der")
        assert.is_false(ok)
        assert.matches("bytes follow", why)
        assert.has_error(function() p:es256_verify("sample", der) end)
        assert.has_error(function() p:es256_verify("sample", der, "hex") end)

        local k = crypto.p256()
        assert.equal("p256", k:kind())
        assert.is_true(k:is_private())
        assert.equal(128, #k:es256_sign("m", "raw"))
        assert.equal(64, #k:es256_sign("m", "raw", true))
        assert.is_true((k:es256_verify("m", k:es256_sign("m", "der"), "der")))
        assert.is_true((k:es256_verify("m", k:es256_sign("m", "der", true), "der")))
        local public = crypto.p256 { public = k:public() }
        assert.equal(k:fingerprint(), public:fingerprint())
        local none, _, err = public:es256_sign("m", "raw")
        assert.is_nil(none)
        assert.equal("EINVAL", err.code)
        none, _, err = k:sign("m") -- Ed25519 is another method
        assert.is_nil(none)
        assert.equal("EINVAL", err.code)
        none, _, err = k:verify("m", "")
        assert.is_nil(none)
        assert.equal("EINVAL", err.code)
        assert.has_error(function() crypto.p256 {} end)
        for code, bad in pairs { EPARSE = "00", EVERIFY = ("01"):rep(64) } do
            none, _, err = crypto.p256 { public = bad }
            assert.is_nil(none)
            assert.equal(code, err.code)
        end
    end)

    it("reads and writes keys", function()
        for _, k in ipairs { crypto.p256(), crypto.ed25519() } do
            local again = assert(crypto.key_from_pem(k:private_pem()))
            assert.is_true(again:is_private())
            assert.equal(k:public(), again:public())
            local public = assert(crypto.key_from_pem(k:public_pem()))
            assert.is_false(public:is_private())
            assert.equal(k:id(), public:id())
            assert.equal(k:public_pem(), public:public_pem())
            local from_jwk = assert(crypto.key_from_jwk(k:jwk()))
            assert.equal(k:thumbprint(), from_jwk:thumbprint())
            assert.equal(k:fingerprint(), from_jwk:fingerprint())
            local none, _, err = public:private_pem()
            assert.is_nil(none)
            assert.equal("EINVAL", err.code)
        end
        -- RFC 8037 A.3
        local ed = assert(crypto.key_from_jwk '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}')
        assert.equal("90facafea9b1556698540f70c0117a22ea37bd5cf3ed3c47093c1707282b4b89", ed:thumbprint())
        assert.same({ kty = "OKP", crv = "Ed25519", x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }, ed:jwk())
        for _, bad in ipairs { "", "-----BEGIN PUBLIC KEY-----\n", "-----BEGIN CERTIFICATE-----\n" } do
            assert.is_nil((crypto.key_from_pem(bad)))
        end
        local none, message, err = crypto.key_from_jwk { kty = "EC", crv = "P-256", x = "AA", y = "AA" }
        assert.is_nil(none)
        assert.matches("exactly 32 bytes", message)
        assert.equal("ESCHEMA", err.code)
        assert.is_nil((crypto.key_from_jwk "{"))
        assert.has_error(function() crypto.key_from_jwk(5) end)
    end)

    it("seals and opens with AES-256-GCM", function()
        local key, nonce = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888"
        local plain = crypto.unhex "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
        local ad = crypto.unhex "feedfacedeadbeeffeedfacedeadbeefabaddad2"
        local sealed = assert(crypto.aes256gcm_seal(key, nonce, plain, ad))
        assert.equal("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
            .. "76fc6ece0f4e1768cddf8853bb2d551b", crypto.hex(sealed))
        assert.equal(plain, crypto.aes256gcm_open(key, crypto.unhex(nonce), sealed, ad))
        local none, _, err = crypto.aes256gcm_open(key, nonce, sealed)
        assert.is_nil(none)
        assert.equal("EVERIFY", err.code)
        none, _, err = crypto.aes256gcm_open(key, nonce, "short", ad)
        assert.is_nil(none)
        assert.equal("EPARSE", err.code)
        assert.equal("", crypto.aes256gcm_open(key, nonce, crypto.aes256gcm_seal(key, nonce, "")))
        assert.has_error(function() crypto.aes256gcm_seal("short", nonce, "") end)
        assert.has_error(function() crypto.aes256gcm_seal(key, "short", "") end)
    end)

    it("hashes passwords with Argon2id", function()
        -- the reference implementation's test.c
        assert.equal("9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe", crypto.argon2id("password", "somesalt", { m = 256, t = 2, p = 1 }))
        assert.equal(16, #crypto.argon2id("password", "somesalt", { m = 8, t = 1, n = 16 }, true))
        assert.is_true(crypto.argon2id_verify("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password"))
        local phc = assert(crypto.argon2id_hash("secret", { m = 64, t = 1 }))
        assert.matches("^%$argon2id%$v=19%$m=64,t=1,p=1%$", phc)
        assert.is_true(crypto.argon2id_verify(phc, "secret"))
        assert.is_false(crypto.argon2id_verify(phc, "other"))
        local none, _, err = crypto.argon2id_verify("nonsense", "secret")
        assert.is_nil(none)
        assert.equal("EPARSE", err.code)
        none, _, err = crypto.argon2id("password", "somesalt", { m = 2 ^ 21 })
        assert.is_nil(none)
        assert.equal("ELIMIT", err.code)
        assert.has_error(function() crypto.argon2id_hash("x", { memory = 5 }) end)
        assert.has_error(function() crypto.argon2id_hash("x", { n = 5 }) end)
    end)
end)
