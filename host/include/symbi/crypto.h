/* symbi/crypto.h: hashes, HMAC, Ed25519, through OpenSSL 3 EVP. Keys are parsed once (symbi_key) and may be shared between
 * threads. OpenSSL's error queue is left as found. Every function can fail (the provider may be missing): a failure is
 * never a successful verification. */
#ifndef SYMBI_CRYPTO_H
#define SYMBI_CRYPTO_H
#include "symbi/ctx.h"
#ifdef __cplusplus
extern "C" {
#endif

enum { SYMBI_SHA256_BYTES = 32, SYMBI_ED25519_BYTES = 32, SYMBI_ED25519_SIG_BYTES = 64 };

SYMBI_API SYMBI_MUST_USE symbi_status symbi_sha256(symbi_ctx *cx, symbi_str data, uint8_t out[32], symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_hmac_sha256(symbi_ctx *cx, symbi_str key, symbi_str data, uint8_t out[32], symbi_err *err);
/* True when equal; time depends on the lengths only. */
SYMBI_API bool symbi_ct_equal(symbi_str a, symbi_str b);

/* SHA-256 in pieces, for streams. One thread at a time; free in any state. add and end after end: ESTATE. */
typedef struct symbi_hasher symbi_hasher;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_hasher_new(symbi_ctx *cx, symbi_hasher **out, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_hasher_add(symbi_hasher *h, symbi_str data, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_hasher_end(symbi_hasher *h, uint8_t out[32], symbi_err *err);
SYMBI_API void symbi_hasher_free(symbi_hasher *h); /* NULL is fine */

/* Overwrites n bytes in a way the compiler keeps. */
SYMBI_API void symbi_wipe(void *p, size_t n);

/* A parsed key: immutable, atomically refcounted, wiped on free. */
typedef struct symbi_key symbi_key;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_ed25519_generate(symbi_ctx *cx, symbi_key **out, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_ed25519_from_seed(symbi_ctx *cx, const uint8_t seed[32], symbi_key **out, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_ed25519_from_public(symbi_ctx *cx, const uint8_t pub[32], symbi_key **out, symbi_err *err);
SYMBI_API symbi_key *symbi_key_ref(symbi_key *k);
SYMBI_API void symbi_key_unref(symbi_key *k); /* NULL is fine */
SYMBI_API bool symbi_key_is_private(const symbi_key *k);
SYMBI_API void symbi_ed25519_public(const symbi_key *k, uint8_t pub[32]);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_ed25519_seed(const symbi_key *k, uint8_t seed[32], symbi_err *err); /* EINVAL for a public key */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_ed25519_sign(symbi_ctx *cx, const symbi_key *k, symbi_str data, uint8_t sig[64], symbi_err *err);
/* SYMBI_OK only for a good signature; EVERIFY for a bad one. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_ed25519_verify(symbi_ctx *cx, const symbi_key *k, symbi_str data, const uint8_t sig[64], symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
