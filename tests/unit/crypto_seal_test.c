/* crypto_seal_test.c: HMAC over SHA-384 and SHA-512 (RFC 4231), AES-256-GCM (the cases of McGrew and Viega's paper that NIST's
 * GCM files repeat), Argon2id (vectors of the reference implementation; RFC 9106 5.3 needs a secret and associated data,
 * which passwords here do not have). */
#include "test.h"
#include "symbi/crypto.h"

static symbi_ctx *cx;
static symbi_err err;

static size_t unhex(const char *h, uint8_t *out)
{
    size_t n = strlen(h) / 2;
    for (size_t i = 0; i < n; i++) {
        unsigned v = 0;
        sscanf(h + 2 * i, "%2x", &v);
        out[i] = (uint8_t)v;
    }
    return n;
}
static bool is_hex(const uint8_t *p, size_t n, const char *h)
{
    uint8_t b[256];
    return unhex(h, b) == n && memcmp(b, p, n) == 0;
}
static symbi_str bytes(const void *p, size_t n)
{
    symbi_str s = { p, n };
    return s;
}

static void test_hmac(void)
{
    uint8_t m[64], k[131];
    symbi_str jefe = symbi_str_z("Jefe"), what = symbi_str_z("what do ya want for nothing?");
    CHECK(symbi_hash_bytes(SYMBI_HASH_SHA256) == 32 && symbi_hash_bytes(SYMBI_HASH_SHA384) == 48 && symbi_hash_bytes(SYMBI_HASH_SHA512) == 64);
    CHECK(symbi_hash_bytes((symbi_hash)3) == 0 && symbi_hash_bytes((symbi_hash)-1) == 0);
    CHECK_OK(symbi_hmac(cx, SYMBI_HASH_SHA256, jefe, what, m, &err), err);
    CHECK(is_hex(m, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
    for (int i = 0; i < 2; i++) { /* the kept context again, between others */
        CHECK_OK(symbi_hmac(cx, SYMBI_HASH_SHA384, jefe, what, m, &err), err);
        CHECK(is_hex(m, 48, "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"));
        CHECK_OK(symbi_hmac(cx, SYMBI_HASH_SHA512, jefe, what, m, &err), err);
        CHECK(is_hex(m, 64, "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"));
    }
    memset(k, 0xaa, sizeof k); /* case 6: a key longer than the block */
    CHECK_OK(symbi_hmac(cx, SYMBI_HASH_SHA512, bytes(k, 131), symbi_str_z("Test Using Larger Than Block-Size Key - Hash Key First"), m, &err), err);
    CHECK(is_hex(m, 64, "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"));
    CHECK(symbi_hmac(cx, (symbi_hash)7, jefe, what, m, &err) == SYMBI_EINVAL);
}

static const struct gcm { const char *key, *iv, *ad, *plain, *cipher, *tag; } gcm[] = {
    { "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "", "", "", "530f8afbc74536b9a963b4f1c4cb738b" },
    { "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "", "00000000000000000000000000000000", "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919" },
    { "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", "",
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad", "b094dac5d93471bdec1a502270e3cc6c" },
    { "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662", "76fc6ece0f4e1768cddf8853bb2d551b" },
};

static void test_gcm(void)
{
    for (size_t i = 0; i < sizeof gcm / sizeof *gcm; i++) {
        uint8_t key[32], iv[12], ad[64], plain[64], out[64], tag[16], back[64];
        size_t an = unhex(gcm[i].ad, ad), n = unhex(gcm[i].plain, plain);
        unhex(gcm[i].key, key);
        unhex(gcm[i].iv, iv);
        CHECK_OK(symbi_aes256gcm_seal(cx, key, iv, bytes(ad, an), bytes(plain, n), out, tag, &err), err);
        CHECK(is_hex(out, n, gcm[i].cipher));
        CHECK(is_hex(tag, 16, gcm[i].tag));
        CHECK_OK(symbi_aes256gcm_open(cx, key, iv, bytes(ad, an), bytes(out, n), tag, back, &err), err);
        CHECK(memcmp(back, plain, n) == 0);
        /* in place, both ways */
        memcpy(back, plain, n);
        CHECK_OK(symbi_aes256gcm_seal(cx, key, iv, bytes(ad, an), bytes(back, n), back, tag, &err), err);
        CHECK(is_hex(back, n, gcm[i].cipher));
        CHECK_OK(symbi_aes256gcm_open(cx, key, iv, bytes(ad, an), bytes(back, n), tag, back, &err), err);
        CHECK(memcmp(back, plain, n) == 0);
        /* anything altered: refused, and nothing of the text comes out */
        for (size_t bit = 0; bit < 128; bit += 11) {
            memset(back, 0x55, sizeof back);
            tag[bit / 8] ^= (uint8_t)(1u << bit % 8);
            CHECK(symbi_aes256gcm_open(cx, key, iv, bytes(ad, an), bytes(out, n), tag, back, &err) == SYMBI_EVERIFY);
            for (size_t j = 0; j < n; j++) CHECK(back[j] == 0);
            tag[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        key[31] ^= 1;
        CHECK(symbi_aes256gcm_open(cx, key, iv, bytes(ad, an), bytes(out, n), tag, back, &err) == SYMBI_EVERIFY);
        key[31] ^= 1;
        iv[0] ^= 1;
        CHECK(symbi_aes256gcm_open(cx, key, iv, bytes(ad, an), bytes(out, n), tag, back, &err) == SYMBI_EVERIFY);
        iv[0] ^= 1;
        CHECK(symbi_aes256gcm_open(cx, key, iv, bytes("x", 1), bytes(out, n), tag, back, &err) == SYMBI_EVERIFY);
        if (n) CHECK(symbi_aes256gcm_open(cx, key, iv, bytes(ad, an), bytes(out, n - 1), tag, back, &err) == SYMBI_EVERIFY);
    }
}

/* phc-winner-argon2 src/test.c, Argon2id, version 0x13 */
static void test_argon2(void)
{
    static const struct { symbi_argon2_cost cost; const char *password, *salt, *hash; } t[] = {
        { { 256, 2, 1 }, "password", "somesalt", "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe" },
        { { 256, 2, 2 }, "password", "somesalt", "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037" },
        { { 65536, 1, 1 }, "password", "somesalt", "f6a5adc1ba723dddef9b5ac1d464e180fcd9dffc9d1cbf76cca2fed795d9ca98" },
        { { 65536, 2, 1 }, "differentpassword", "somesalt", "0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde" },
        { { 65536, 2, 1 }, "password", "diffsalt", "bdf32b05ccc42eb15d58fd19b1f856b113da1e9a5874fdcc544308565aa8141c" },
    };
    uint8_t out[1024];
    symbi_argon2_cost c = { 8, 1, 1 };
    symbi_str pw = symbi_str_z("password"), salt = symbi_str_z("somesalt");
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        CHECK_OK(symbi_argon2id(cx, symbi_str_z(t[i].password), symbi_str_z(t[i].salt), t[i].cost, out, 32, &err), err);
        CHECK(is_hex(out, 32, t[i].hash));
    }
    CHECK_OK(symbi_argon2id(cx, bytes(NULL, 0), salt, c, out, 4, &err), err);
    CHECK_OK(symbi_argon2id(cx, pw, salt, c, out, 1024, &err), err);
    CHECK(symbi_argon2id(cx, pw, salt, c, out, 3, &err) == SYMBI_EINVAL);
    CHECK(symbi_argon2id(cx, pw, salt, c, out, 1025, &err) == SYMBI_EINVAL);
    CHECK(symbi_argon2id(cx, pw, symbi_str_z("7 bytes"), c, out, 32, &err) == SYMBI_EINVAL);
    memset(out + 100, 'x', 65);
    CHECK_OK(symbi_argon2id(cx, pw, bytes(out + 100, 64), c, out, 32, &err), err);
    CHECK(symbi_argon2id(cx, pw, bytes(out + 100, 65), c, out, 32, &err) == SYMBI_EINVAL);
}

static void test_argon2_cost(void)
{
    static const struct { symbi_argon2_cost c; symbi_status st; } t[] = {
        { { (1u << 20) + 1, 1, 1 }, SYMBI_ELIMIT }, { { 1024, 65, 1 }, SYMBI_ELIMIT }, { { 1024, 1, 17 }, SYMBI_ELIMIT }, { { UINT32_MAX, UINT32_MAX, UINT32_MAX }, SYMBI_ELIMIT },
        { { 1024, 0, 1 }, SYMBI_EINVAL },           { { 1024, 1, 0 }, SYMBI_EINVAL },  { { 7, 1, 1 }, SYMBI_EINVAL },     { { 127, 1, 16 }, SYMBI_EINVAL },
        { { 128, 1, 16 }, SYMBI_OK },               { { 8, 64, 1 }, SYMBI_OK },
    };
    uint8_t out[32];
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char phc[200];
        symbi_status want = t[i].st == SYMBI_EINVAL ? SYMBI_EPARSE : t[i].st == SYMBI_OK ? SYMBI_EVERIFY : t[i].st;
        CHECK(symbi_argon2id(cx, symbi_str_z("p"), symbi_str_z("saltsalt"), t[i].c, out, 32, &err) == t[i].st);
        snprintf(phc, sizeof phc, "$argon2id$v=19$m=%u,t=%u,p=%u$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHApl8ArZWb2GRPPc", t[i].c.m_kib, t[i].c.t, t[i].c.p);
        CHECK(symbi_argon2id_phc_verify(cx, symbi_str_z(phc), symbi_str_z("p"), &err) == want);
    }
}

static void test_phc(void)
{
    static const char *const bad[] = {
        "", "$", "argon2id", "$argon2id$v=19$m=256,t=2,p=1", "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2d$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "$argon2id$v=16$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "$argon2id$v=19$m=0256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=+256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "$argon2id$v=19$t=2,m=256,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ=$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR_uIPnA4rEsF5h7TKyQwu9U1bMCHGi_4",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/5", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4 ",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4$", "$argon2id$v=19$m=256,t=2,p=1,data=AA$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EA", "$argon2id$v=19$m=256,t=2,p=1$$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=99999999999,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "$argon2id$v=19$m=,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
    };
    symbi_text a, b;
    symbi_argon2_cost cost = { 64, 1, 1 };
    symbi_str good = symbi_str_z("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4");
    CHECK_OK(symbi_argon2id_phc_verify(cx, good, symbi_str_z("password"), &err), err);
    CHECK(symbi_argon2id_phc_verify(cx, good, symbi_str_z("Password"), &err) == SYMBI_EVERIFY);
    CHECK(symbi_argon2id_phc_verify(cx, good, symbi_str_z(""), &err) == SYMBI_EVERIFY);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        symbi_status st = symbi_argon2id_phc_verify(cx, symbi_str_z(bad[i]), symbi_str_z("password"), &err);
        if (st != SYMBI_EPARSE) {
            printf("%s: %s\n", bad[i], symbi_status_name(st));
            t_now_failed = 1;
        }
    }
    CHECK_OK(symbi_argon2id_phc(cx, symbi_str_z("secret"), cost, &a, &err), err);
    CHECK_OK(symbi_argon2id_phc(cx, symbi_str_z("secret"), cost, &b, &err), err);
    REQUIRE(a.p && b.p);
    CHECK(strncmp(a.p, "$argon2id$v=19$m=64,t=1,p=1$", 28) == 0);
    CHECK(strcmp(a.p, b.p) != 0); /* its own salt each */
    CHECK_OK(symbi_argon2id_phc_verify(cx, symbi_text_str(&a), symbi_str_z("secret"), &err), err);
    CHECK_OK(symbi_argon2id_phc_verify(cx, symbi_text_str(&b), symbi_str_z("secret"), &err), err);
    CHECK(symbi_argon2id_phc_verify(cx, symbi_text_str(&a), symbi_str_z("secre"), &err) == SYMBI_EVERIFY);
    symbi_text_free(&a);
    symbi_text_free(&b);
    cost.p = 99;
    CHECK(symbi_argon2id_phc(cx, symbi_str_z("secret"), cost, &a, &err) == SYMBI_ELIMIT);
    CHECK(a.p == NULL);
}

static symbi_status oom(symbi_ctx *c, void *ud)
{
    uint8_t key[32] = { 0 }, tag[16], out[64];
    symbi_argon2_cost cost = { 8, 1, 1 };
    symbi_text t = { 0 };
    symbi_status st;
    (void)ud;
    st = symbi_aes256gcm_seal(c, key, key, symbi_str_z(""), symbi_str_z("abc"), out, tag, NULL);
    if (!st) st = symbi_aes256gcm_open(c, key, key, symbi_str_z(""), bytes(out, 3), tag, out, NULL);
    if (!st) st = symbi_hmac(c, SYMBI_HASH_SHA512, symbi_str_z("k"), symbi_str_z("d"), out, NULL);
    if (!st) st = symbi_argon2id_phc(c, symbi_str_z("p"), cost, &t, NULL);
    symbi_text_free(&t);
    return st;
}
static void test_out_of_memory(void) { test_oom(oom, NULL, SYMBI_OK); }

int main(void)
{
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_hmac);
    RUN(test_gcm);
    RUN(test_argon2);
    RUN(test_argon2_cost);
    RUN(test_phc);
    RUN(test_out_of_memory);
    symbi_ctx_free(cx);
    return test_end();
}
