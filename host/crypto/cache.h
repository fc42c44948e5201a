/* crypto/cache.h: what a ctx keeps between calls besides the plain hash: OpenSSL's contexts for making keys, contexts set up
 * for verifying with a public key, and parsed public keys by fingerprint. One thread at a time, as the ctx; the keys
 * themselves may be shared. Nothing here holds a private key. */
#ifndef SY_CRYPTO_CACHE_H
#define SY_CRYPTO_CACHE_H
#include "crypto/ossl.h"

#include <openssl/ec.h>

enum {
    SY_KEY_CACHE_MAX = 64,   /* parsed public keys; the least recently used one goes */
    SY_VERIFY_CACHE_MAX = 16 /* contexts ready to verify */
};

typedef enum sy_key_origin { SY_FROM_PEM = 1, SY_FROM_JWK = 2 } sy_key_origin;

typedef struct sy_cached_key {
    uint8_t hash[32];
    symbi_key *key; /* NULL: free */
    uint64_t used;
    uint8_t origin;
} sy_cached_key;

/* c holds a reference to pkey, so that the address cannot come back as another key. */
typedef struct sy_cached_verify {
    EVP_PKEY *pkey; /* NULL: free */
    EVP_PKEY_CTX *c;
    uint64_t used;
} sy_cached_verify;

struct sy_ossl_keys {
    EVP_PKEY_CTX *make_ec, *make_rsa; /* for EVP_PKEY_fromdata */
    EVP_PKEY *p256_empty;             /* the curve's parameters and no key, to be copied */
    EC_GROUP *p256;
    EVP_MAC_CTX *mac[2];              /* HMAC-SHA384, HMAC-SHA512 */
    EVP_CIPHER *gcm;
    uint64_t clock;
    sy_cached_key key[SY_KEY_CACHE_MAX];
    sy_cached_verify verify[SY_VERIFY_CACHE_MAX];
};

/* The ctx's, made on first use. Call inside a bracket. */
symbi_status sy_ossl_keys_get(symbi_ctx *cx, sy_ossl_keys **out, symbi_err *err);
void sy_ossl_keys_free(symbi_ctx *cx, sy_ossl_keys *k); /* NULL is fine */

/* A reference to the key that came from the text with this hash, or NULL. */
symbi_key *sy_cache_key_get(symbi_ctx *cx, sy_key_origin from, const uint8_t hash[32]);
/* Keeps a reference. Private keys are not kept; neither is anything when memory is short. */
void sy_cache_key_put(symbi_ctx *cx, sy_key_origin from, const uint8_t hash[32], symbi_key *k);

/* A context ready for EVP_PKEY_verify over a SHA-256 digest with this key (ECDSA, or RSA PKCS#1 v1.5). *own is set when the
 * caller must free it (a private key). */
symbi_status sy_verify_ctx(symbi_ctx *cx, const symbi_key *k, EVP_PKEY_CTX **out, bool *own, symbi_err *err);
#endif
