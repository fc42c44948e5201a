/* crypto/ed25519.c: Ed25519 keys (RFC 8032, pure), signatures. */
#include "base/err.h"
#include "crypto/key.h"

#include <openssl/crypto.h>
#include <string.h>

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
    return key_new(cx, NULL, pub, out, err);
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
