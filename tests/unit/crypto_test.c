/* crypto_test.c: published vectors (FIPS 180, RFC 4231, RFC 8032), the error queue, hostile keys and signatures, memory. */
#include "test.h"
#include "symbi/crypto.h"

#include <openssl/err.h>

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

static void test_sha256_published(void)
{
    uint8_t d[32];
    char *million;
    CHECK_OK(symbi_sha256(cx, symbi_str_z(""), d, &err), err);
    CHECK(is_hex(d, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    CHECK_OK(symbi_sha256(cx, symbi_str_z("abc"), d, &err), err);
    CHECK(is_hex(d, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    CHECK_OK(symbi_sha256(cx, symbi_str_z("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), d, &err), err);
    CHECK(is_hex(d, 32, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
    million = malloc(1000000);
    REQUIRE(million);
    memset(million, 'a', 1000000);
    CHECK_OK(symbi_sha256(cx, bytes(million, 1000000), d, &err), err);
    CHECK(is_hex(d, 32, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
    free(million);
    /* the cached context starts afresh each time */
    CHECK_OK(symbi_sha256(cx, symbi_str_z("abc"), d, NULL), err);
    CHECK(is_hex(d, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
}

static void test_hasher(void)
{
    symbi_hasher *h = NULL, *h2 = NULL;
    uint8_t d[32];
    CHECK_OK(symbi_hasher_new(cx, &h, &err), err);
    CHECK_OK(symbi_hasher_new(cx, &h2, &err), err);
    REQUIRE(h && h2);
    CHECK_OK(symbi_hasher_add(h, symbi_str_z("a"), &err), err);
    CHECK_OK(symbi_hasher_add(h2, symbi_str_z("zzz"), &err), err);
    CHECK_OK(symbi_hasher_add(h, symbi_str_z(""), &err), err);
    CHECK_OK(symbi_hasher_add(h, symbi_str_z("bc"), &err), err);
    CHECK_OK(symbi_hasher_end(h, d, &err), err);
    CHECK(is_hex(d, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    CHECK(symbi_hasher_add(h, symbi_str_z("x"), &err) == SYMBI_ESTATE);
    CHECK(symbi_hasher_end(h, d, &err) == SYMBI_ESTATE);
    symbi_hasher_free(h);
    symbi_hasher_free(h2);
    symbi_hasher_free(NULL);
}

static void test_hmac_rfc4231(void)
{
    static const struct { const char *key, *data, *mac; } t[] = {
        { "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
        { "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd", "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
        { "0102030405060708090a0b0c0d0e0f10111213141516171819", "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd", "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
    };
    uint8_t k[256], d[256], m[32];
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        size_t kn = unhex(t[i].key, k), dn = unhex(t[i].data, d);
        CHECK_OK(symbi_hmac_sha256(cx, bytes(k, kn), bytes(d, dn), m, &err), err);
        CHECK(is_hex(m, 32, t[i].mac));
    }
    memset(k, 0xaa, 131); /* test cases 6 and 7: a key longer than the block */
    CHECK_OK(symbi_hmac_sha256(cx, bytes(k, 131), symbi_str_z("Test Using Larger Than Block-Size Key - Hash Key First"), m, &err), err);
    CHECK(is_hex(m, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"));
    CHECK_OK(symbi_hmac_sha256(cx, bytes(k, 131), symbi_str_z("This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm."), m, &err), err);
    CHECK(is_hex(m, 32, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"));
    /* an empty key is an empty key, not the key of the call before */
    CHECK_OK(symbi_hmac_sha256(cx, symbi_str_z(""), symbi_str_z(""), m, &err), err);
    CHECK(is_hex(m, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"));
    CHECK_OK(symbi_hmac_sha256(cx, symbi_str_z("another"), symbi_str_z(""), m, &err), err);
    CHECK_OK(symbi_hmac_sha256(cx, bytes(NULL, 0), bytes(NULL, 0), m, &err), err);
    CHECK(is_hex(m, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"));
}

static const struct ed_case { const char *seed, *pub, *msg, *sig; } ed[] = {
    { "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
    { "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
    { "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
};

static void test_ed25519_rfc8032(void)
{
    for (size_t i = 0; i < sizeof ed / sizeof *ed; i++) {
        uint8_t seed[32], pub[32], msg[8], sig[64], back[32];
        size_t n = unhex(ed[i].msg, msg);
        symbi_key *k = NULL, *p = NULL;
        unhex(ed[i].seed, seed);
        CHECK_OK(symbi_ed25519_from_seed(cx, seed, &k, &err), err);
        REQUIRE(k);
        CHECK(symbi_key_is_private(k));
        symbi_ed25519_public(k, pub);
        CHECK(is_hex(pub, 32, ed[i].pub));
        CHECK_OK(symbi_ed25519_seed(k, back, &err), err);
        CHECK(memcmp(back, seed, 32) == 0);
        CHECK_OK(symbi_ed25519_sign(cx, k, bytes(msg, n), sig, &err), err);
        CHECK(is_hex(sig, 64, ed[i].sig));
        CHECK_OK(symbi_ed25519_from_public(cx, pub, &p, &err), err);
        REQUIRE(p);
        CHECK(!symbi_key_is_private(p));
        CHECK_OK(symbi_ed25519_verify(cx, p, bytes(msg, n), sig, &err), err);
        CHECK_OK(symbi_ed25519_verify(cx, k, bytes(msg, n), sig, &err), err);
        CHECK(symbi_ed25519_sign(cx, p, bytes(msg, n), sig, &err) == SYMBI_EINVAL);
        CHECK(symbi_ed25519_seed(p, back, &err) == SYMBI_EINVAL);
        symbi_key_unref(p);
        symbi_key_unref(k);
    }
}

static void test_ed25519_refuses(void)
{
    uint8_t seed[32], pub[32], sig[64], bad[64];
    symbi_key *k = NULL, *p = NULL;
    unhex(ed[1].seed, seed);
    unhex(ed[1].sig, sig);
    CHECK_OK(symbi_ed25519_from_seed(cx, seed, &k, &err), err);
    REQUIRE(k);
    for (size_t bit = 0; bit < 512; bit += 7) { /* any flipped bit */
        memcpy(bad, sig, 64);
        bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(symbi_ed25519_verify(cx, k, symbi_str_z("r"), bad, &err) == SYMBI_EVERIFY);
    }
    CHECK(symbi_ed25519_verify(cx, k, symbi_str_z("s"), sig, &err) == SYMBI_EVERIFY);
    CHECK(symbi_ed25519_verify(cx, k, symbi_str_z(""), sig, &err) == SYMBI_EVERIFY);
    CHECK(symbi_ed25519_verify(cx, k, symbi_str_z("r"), sig, &err) == SYMBI_OK);
    memset(bad, 0, 64);
    CHECK(symbi_ed25519_verify(cx, k, symbi_str_z("r"), bad, &err) == SYMBI_EVERIFY);
    memset(bad, 0xff, 64);
    CHECK(symbi_ed25519_verify(cx, k, symbi_str_z("r"), bad, &err) == SYMBI_EVERIFY);
    symbi_key_unref(k);
    memset(pub, 0xff, 32); /* not a point: refused at parse or never verifies */
    if (symbi_ed25519_from_public(cx, pub, &p, &err) == SYMBI_OK) {
        CHECK(symbi_ed25519_verify(cx, p, symbi_str_z("r"), sig, &err) != SYMBI_OK);
        symbi_key_unref(p);
    }
}

static int no_random(void *ud, void *buf, size_t n)
{
    (void)buf;
    (void)n;
    return *(int *)ud ? -1 : 0;
}

static void test_generate(void)
{
    symbi_key *a = NULL, *b = NULL;
    uint8_t pa[32], pb[32];
    symbi_env env;
    symbi_ctx *dead = NULL;
    int fail = 0;
    CHECK_OK(symbi_ed25519_generate(cx, &a, &err), err);
    CHECK_OK(symbi_ed25519_generate(cx, &b, &err), err);
    REQUIRE(a && b);
    symbi_ed25519_public(a, pa);
    symbi_ed25519_public(b, pb);
    CHECK(memcmp(pa, pb, 32) != 0);
    CHECK(symbi_key_ref(a) == a);
    symbi_key_unref(a);
    symbi_key_unref(a);
    symbi_key_unref(b);
    symbi_key_unref(NULL);
    symbi_env_init(&env);
    env.rand.fill = no_random;
    env.rand.ud = &fail;
    CHECK_OK(symbi_ctx_new(&env, &dead, &err), err);
    REQUIRE(dead);
    fail = 1;
    CHECK(symbi_ed25519_generate(dead, &a, &err) == SYMBI_ECRYPTO);
    CHECK(a == NULL);
    symbi_ctx_free(dead);
}

static void test_ct_equal(void)
{
    CHECK(symbi_ct_equal(symbi_str_z(""), symbi_str_z("")));
    CHECK(symbi_ct_equal(symbi_str_z("abc"), symbi_str_z("abc")));
    CHECK(!symbi_ct_equal(symbi_str_z("abc"), symbi_str_z("abd")));
    CHECK(!symbi_ct_equal(symbi_str_z("abc"), symbi_str_z("ab")));
    CHECK(!symbi_ct_equal(symbi_str_z(""), symbi_str_z("a")));
    CHECK(!symbi_ct_equal(bytes("a\0b", 3), bytes("a\0c", 3)));
}

/* What was in the thread's queue before stays, and nothing of ours is added (style.md T21). */
static void test_error_queue(void)
{
    uint8_t seed[32] = { 1 }, sig[64] = { 0 }, d[32];
    symbi_key *k = NULL;
    unsigned long mine;
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 7);
    mine = ERR_peek_last_error();
    CHECK_OK(symbi_ed25519_from_seed(cx, seed, &k, &err), err);
    REQUIRE(k);
    CHECK(symbi_ed25519_verify(cx, k, symbi_str_z("x"), sig, &err) == SYMBI_EVERIFY);
    CHECK(symbi_sha256(cx, symbi_str_z("x"), d, &err) == SYMBI_OK);
    CHECK(symbi_hmac_sha256(cx, symbi_str_z("x"), symbi_str_z("x"), d, &err) == SYMBI_OK);
    symbi_key_unref(k);
    memset(seed, 0xff, 32);
    if (symbi_ed25519_from_public(cx, seed, &k, &err) == SYMBI_OK) symbi_key_unref(k);
    CHECK(ERR_peek_last_error() == mine);
    CHECK(ERR_get_error() == mine);
    CHECK(ERR_get_error() == 0);
}

static symbi_status oom_all(symbi_ctx *c, void *ud)
{
    uint8_t d[32], sig[64];
    symbi_key *k = NULL, *p = NULL;
    symbi_hasher *h = NULL;
    symbi_status st;
    (void)ud;
    st = symbi_sha256(c, symbi_str_z("x"), d, NULL);
    if (!st) st = symbi_hmac_sha256(c, symbi_str_z("k"), symbi_str_z("x"), d, NULL);
    if (!st) st = symbi_hasher_new(c, &h, NULL);
    if (!st) st = symbi_ed25519_generate(c, &k, NULL);
    if (!st) st = symbi_ed25519_sign(c, k, symbi_str_z("x"), sig, NULL);
    if (!st) {
        symbi_ed25519_public(k, d);
        st = symbi_ed25519_from_public(c, d, &p, NULL);
    }
    if (!st) st = symbi_ed25519_verify(c, p, symbi_str_z("x"), sig, NULL);
    symbi_hasher_free(h);
    symbi_key_unref(k);
    symbi_key_unref(p);
    return st;
}
static void test_out_of_memory(void) { test_oom(oom_all, NULL, SYMBI_OK); }

int main(void)
{
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_sha256_published);
    RUN(test_hasher);
    RUN(test_hmac_rfc4231);
    RUN(test_ed25519_rfc8032);
    RUN(test_ed25519_refuses);
    RUN(test_generate);
    RUN(test_ct_equal);
    RUN(test_error_queue);
    RUN(test_out_of_memory);
    symbi_ctx_free(cx);
    return test_end();
}
