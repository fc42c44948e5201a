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
end)
