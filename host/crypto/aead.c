/* crypto/aead.c: AES-256-GCM with a 96-bit nonce and a 128-bit tag (NIST SP 800-38D). Each call has a context of its own, so
 * that no key stays behind in the ctx; only the fetched cipher is kept. */
#include "base/err.h"
#include "crypto/cache.h"

#include <openssl/crypto.h>
#include <string.h>

enum { STEP = 1 << 30 }; /* OpenSSL counts in int */

static symbi_status begin(symbi_ctx *cx, bool seal, const uint8_t key[32], const uint8_t nonce[12], symbi_str ad, EVP_CIPHER_CTX **out, symbi_err *err)
{
    sy_ossl_keys *k;
    EVP_CIPHER_CTX *c;
    int n;
    symbi_status st = sy_ossl_keys_get(cx, &k, err);
    *out = NULL;
    if (st) return st;
    if (!k->gcm) k->gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    *out = c = k->gcm ? EVP_CIPHER_CTX_new() : NULL;
    /* 96 bits is the nonce length that the cipher has by itself. */
    if (!c || EVP_CipherInit_ex2(c, k->gcm, key, nonce, seal, NULL) != 1) return sy_ossl_fail(err, "AES-256-GCM");
    while (ad.n) {
        int step = ad.n < STEP ? (int)ad.n : STEP;
        if (EVP_CipherUpdate(c, NULL, &n, (const unsigned char *)ad.p, step) != 1) return sy_ossl_fail(err, "AES-256-GCM");
        ad.p += step;
        ad.n -= (size_t)step;
    }
    return SYMBI_OK;
}

static symbi_status run(EVP_CIPHER_CTX *c, symbi_str in, uint8_t *out, symbi_err *err)
{
    int n;
    while (in.n) {
        int step = in.n < STEP ? (int)in.n : STEP;
        if (EVP_CipherUpdate(c, out, &n, (const unsigned char *)in.p, step) != 1 || n != step) return sy_ossl_fail(err, "AES-256-GCM");
        in.p += step;
        in.n -= (size_t)step;
        out += step;
    }
    return SYMBI_OK;
}

symbi_status symbi_aes256gcm_seal(symbi_ctx *cx, const uint8_t key[32], const uint8_t nonce[12], symbi_str ad, symbi_str plain, uint8_t *out, uint8_t tag[16], symbi_err *err)
{
    EVP_CIPHER_CTX *c;
    uint8_t rest[16];
    symbi_status st;
    int n;
    ERR_set_mark();
    st = begin(cx, true, key, nonce, ad, &c, err);
    if (!st) st = run(c, plain, out, err);
    if (!st && (EVP_CipherFinal_ex(c, rest, &n) != 1 || n != 0 || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, tag) != 1)) st = sy_ossl_fail(err, "AES-256-GCM");
    EVP_CIPHER_CTX_free(c); /* wipes the key schedule */
    ERR_pop_to_mark();
    if (st) {
        if (plain.n) OPENSSL_cleanse(out, plain.n);
        memset(tag, 0, 16);
    }
    return st;
}

symbi_status symbi_aes256gcm_open(symbi_ctx *cx, const uint8_t key[32], const uint8_t nonce[12], symbi_str ad, symbi_str cipher, const uint8_t tag[16], uint8_t *out, symbi_err *err)
{
    EVP_CIPHER_CTX *c;
    uint8_t rest[16], expected[16];
    symbi_status st;
    int n;
    memcpy(expected, tag, 16);
    ERR_set_mark();
    st = begin(cx, false, key, nonce, ad, &c, err);
    if (!st) st = run(c, cipher, out, err);
    if (!st && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, 16, expected) != 1) st = sy_ossl_fail(err, "AES-256-GCM");
    if (!st && (EVP_CipherFinal_ex(c, rest, &n) != 1 || n != 0)) st = sy_fail(err, SYMBI_EVERIFY, "the AES-256-GCM tag does not fit: another key, or altered data");
    EVP_CIPHER_CTX_free(c);
    ERR_pop_to_mark();
    if (st && cipher.n) OPENSSL_cleanse(out, cipher.n);
    return st;
}
