/* crypto/ed25519.c: Ed25519 keys (RFC 8032, pure), signatures. OpenSSL takes any 32 bytes for a public key; this file takes
 * points of the curve in their one encoding, and none of the eight small-order points, for which a signature can be made that
 * fits any message. */
#include "base/err.h"
#include "crypto/key.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <string.h>

/* The y of the points of order 1, 2, 4 and 8, little-endian. */
static const uint8_t g_small[5][32] = {
    { 1 },
    { 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
    { 0 },
    { 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
      0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a },
    { 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
      0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 },
};

/* x^2 = (y^2 - 1) / (d y^2 + 1) has a solution exactly when (y^2 - 1)(d y^2 + 1) is a square (the divisor is never zero).
 * EVERIFY when not. */
static symbi_status check_point(const uint8_t pub[32], symbi_err *err)
{
    static const uint8_t p_le[32] = { 0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f };
    static const uint8_t d_le[32] = { 0xa3, 0x78, 0x59, 0x13, 0xca, 0x4d, 0xeb, 0x75, 0xab, 0xd8, 0x41, 0x41, 0x4d, 0x0a, 0x70, 0x00,
                                      0x98, 0xe8, 0x79, 0x77, 0x79, 0x40, 0xc7, 0x8c, 0x73, 0xfe, 0x6f, 0x2b, 0xee, 0x6c, 0x03, 0x52 };
    uint8_t y_le[32];
    BN_CTX *c = BN_CTX_new();
    BIGNUM *p, *d, *y, *u, *v;
    symbi_status st = SYMBI_OK;
    int square = -2;
    if (!c) return sy_fail_nomem(err);
    memcpy(y_le, pub, 32);
    y_le[31] &= 0x7f;
    for (size_t i = 0; i < 5; i++)
        if (memcmp(y_le, g_small[i], 32) == 0) st = sy_fail(err, SYMBI_EVERIFY, "the Ed25519 key is a point of small order: it would accept forged signatures");
    BN_CTX_start(c);
    p = BN_CTX_get(c);
    d = BN_CTX_get(c);
    y = BN_CTX_get(c);
    u = BN_CTX_get(c);
    v = BN_CTX_get(c);
    if (st) goto done;
    if (!v || !BN_lebin2bn(p_le, 32, p) || !BN_lebin2bn(d_le, 32, d) || !BN_lebin2bn(y_le, 32, y)) {
        st = sy_ossl_fail(err, "parsing an Ed25519 key");
        goto done;
    }
    if (BN_cmp(y, p) < 0 && BN_mod_sqr(u, y, p, c) && BN_mod_mul(v, u, d, p, c) && BN_sub_word(u, 1) && BN_add_word(v, 1) && BN_mod_mul(u, u, v, p, c))
        square = BN_kronecker(u, p, c);
    if (square != 1 && square != 0) st = sy_fail(err, SYMBI_EVERIFY, "the Ed25519 key is not a point of the curve");
done:
    BN_CTX_end(c);
    BN_CTX_free(c);
    return st;
}

static symbi_status key_new(symbi_ctx *cx, const uint8_t *seed, const uint8_t *in, symbi_key **out, symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    uint8_t pub[32];
    symbi_str s = { (const char *)pub, 32 };
    size_t n = 32;
    EVP_PKEY *pkey;
    *out = NULL;
    ERR_set_mark();
    pkey = seed ? EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, seed, 32)
                : EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, in, 32);
    if (!pkey || EVP_PKEY_get_raw_public_key(pkey, pub, &n) != 1 || n != 32) {
        st = sy_ossl_fail(err, "parsing an Ed25519 key");
        EVP_PKEY_free(pkey);
    } else st = sy_key_wrap(cx, SYMBI_KEY_ED25519, pkey, seed != NULL, s, 0, out, err);
    ERR_pop_to_mark();
    return st;
}

symbi_status symbi_ed25519_from_seed(symbi_ctx *cx, const uint8_t seed[32], symbi_key **out, symbi_err *err)
{
    return key_new(cx, seed, NULL, out, err);
}

symbi_status symbi_ed25519_from_public(symbi_ctx *cx, const uint8_t pub[32], symbi_key **out, symbi_err *err)
{
    symbi_status st;
    *out = NULL;
    ERR_set_mark();
    st = check_point(pub, err);
    ERR_pop_to_mark();
    return st ? st : key_new(cx, NULL, pub, out, err);
}

symbi_status symbi_ed25519_generate(symbi_ctx *cx, symbi_key **out, symbi_err *err)
{
    /* The seed comes from the ctx's random source, so that an embedder's (or a test's) counts here too. */
    uint8_t seed[32];
    symbi_status st;
    *out = NULL;
    st = symbi_ctx_random(cx, seed, sizeof seed, err);
    if (!st) st = key_new(cx, seed, NULL, out, err);
    OPENSSL_cleanse(seed, sizeof seed);
    return st;
}

void symbi_ed25519_public(const symbi_key *k, uint8_t pub[32])
{
    if (k->kind == SYMBI_KEY_ED25519) memcpy(pub, k->pub, 32);
    else memset(pub, 0, 32);
}

symbi_status symbi_ed25519_seed(const symbi_key *k, uint8_t seed[32], symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    size_t n = 32;
    if (k->kind == SYMBI_KEY_ED25519 && !k->is_private) return sy_fail(err, SYMBI_EINVAL, "this is a public key: it has no seed");
    st = sy_key_need(k, SYMBI_KEY_ED25519, true, "a seed", err);
    if (st) return st;
    ERR_set_mark();
    if (EVP_PKEY_get_raw_private_key(k->pkey, seed, &n) != 1 || n != 32) st = sy_ossl_fail(err, "reading an Ed25519 key");
    ERR_pop_to_mark();
    return st;
}

symbi_status symbi_ed25519_sign(symbi_ctx *cx, const symbi_key *k, symbi_str data, uint8_t sig[64], symbi_err *err)
{
    symbi_status st = sy_key_need(k, SYMBI_KEY_ED25519, true, "signing with Ed25519", err);
    EVP_MD_CTX *c;
    size_t n = 64;
    (void)cx;
    memset(sig, 0, 64);
    if (st) return st;
    ERR_set_mark();
    c = EVP_MD_CTX_new();
    if (!c || EVP_DigestSignInit_ex(c, NULL, NULL, NULL, NULL, k->pkey, NULL) != 1 ||
        EVP_DigestSign(c, sig, &n, (const unsigned char *)data.p, data.n) != 1 || n != 64)
        st = sy_ossl_fail(err, "Ed25519 signing");
    EVP_MD_CTX_free(c);
    ERR_pop_to_mark();
    if (st) memset(sig, 0, 64);
    return st;
}

symbi_status symbi_ed25519_verify(symbi_ctx *cx, const symbi_key *k, symbi_str data, const uint8_t sig[64], symbi_err *err)
{
    symbi_status st = sy_key_need(k, SYMBI_KEY_ED25519, false, "checking an Ed25519 signature", err);
    EVP_MD_CTX *c;
    (void)cx;
    if (st) return st;
    ERR_set_mark();
    c = EVP_MD_CTX_new();
    if (!c || EVP_DigestVerifyInit_ex(c, NULL, NULL, NULL, NULL, k->pkey, NULL) != 1) st = sy_ossl_fail(err, "Ed25519 verification");
    else if (EVP_DigestVerify(c, sig, 64, (const unsigned char *)data.p, data.n) != 1)
        st = sy_fail(err, SYMBI_EVERIFY, "the Ed25519 signature does not verify");
    EVP_MD_CTX_free(c);
    ERR_pop_to_mark();
    return st;
}
