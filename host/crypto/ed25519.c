/* crypto/ed25519.c: Ed25519 keys (RFC 8032, pure), signatures. A key is parsed once; OpenSSL wipes its private half when it
 * frees the EVP_PKEY, and this file wipes the copies that pass through it. */
#include "crypto/ossl.h"
#include "base/alloc.h"
#include "base/err.h"
#include "base/ref.h"

#include <openssl/crypto.h>
#include <string.h>

struct symbi_key {
    sy_ref refs;
    symbi_alloc alloc; /* the ctx's shared one: a key may outlive the ctx and cross threads */
    EVP_PKEY *pkey;
    bool is_private;
    uint8_t pub[32];
};

static symbi_status key_new(symbi_ctx *cx, const uint8_t *seed, const uint8_t *pub, symbi_key **out, symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    symbi_key *k = sy_calloc(&cx->shared, 1, sizeof *k);
    size_t n = 32;
    *out = NULL;
    if (!k) return sy_fail_nomem(err);
    sy_ref_init(&k->refs);
    k->alloc = cx->shared;
    k->is_private = seed != NULL;
    ERR_set_mark();
    k->pkey = seed ? EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, seed, 32)
                   : EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, pub, 32);
    if (!k->pkey || EVP_PKEY_get_raw_public_key(k->pkey, k->pub, &n) != 1 || n != 32) st = sy_ossl_fail(err, "parsing an Ed25519 key");
    ERR_pop_to_mark();
    if (st) symbi_key_unref(k);
    else *out = k;
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

symbi_key *symbi_key_ref(symbi_key *k)
{
    sy_ref_inc(&k->refs);
    return k;
}

void symbi_key_unref(symbi_key *k)
{
    if (!k || !sy_ref_dec(&k->refs)) return;
    symbi_alloc a = k->alloc;
    ERR_set_mark();
    EVP_PKEY_free(k->pkey);
    ERR_pop_to_mark();
    OPENSSL_cleanse(k, sizeof *k);
    sy_free(&a, k, sizeof *k);
}

bool symbi_key_is_private(const symbi_key *k) { return k->is_private; }
void symbi_ed25519_public(const symbi_key *k, uint8_t pub[32]) { memcpy(pub, k->pub, 32); }

symbi_status symbi_ed25519_seed(const symbi_key *k, uint8_t seed[32], symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    size_t n = 32;
    if (!k->is_private) return sy_fail(err, SYMBI_EINVAL, "this is a public key: it has no seed");
    ERR_set_mark();
    if (EVP_PKEY_get_raw_private_key(k->pkey, seed, &n) != 1 || n != 32) st = sy_ossl_fail(err, "reading an Ed25519 key");
    ERR_pop_to_mark();
    return st;
}

symbi_status symbi_ed25519_sign(symbi_ctx *cx, const symbi_key *k, symbi_str data, uint8_t sig[64], symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    EVP_MD_CTX *c;
    size_t n = 64;
    (void)cx;
    if (!k->is_private) return sy_fail(err, SYMBI_EINVAL, "signing needs a private key, this is a public one");
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
    symbi_status st = SYMBI_OK;
    EVP_MD_CTX *c;
    (void)cx;
    ERR_set_mark();
    c = EVP_MD_CTX_new();
    if (!c || EVP_DigestVerifyInit_ex(c, NULL, NULL, NULL, NULL, k->pkey, NULL) != 1) st = sy_ossl_fail(err, "Ed25519 verification");
    else if (EVP_DigestVerify(c, sig, 64, (const unsigned char *)data.p, data.n) != 1)
        st = sy_fail(err, SYMBI_EVERIFY, "the Ed25519 signature does not verify");
    EVP_MD_CTX_free(c);
    ERR_pop_to_mark();
    return st;
}
