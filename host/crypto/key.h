/* crypto/key.h: the inside of symbi_key, and the ways to make one from its parts. */
#ifndef SY_CRYPTO_KEY_H
#define SY_CRYPTO_KEY_H
#include "base/ref.h"
#include "crypto/ossl.h"

enum {
    SY_RSA_MIN_BITS = 2048,
    SY_RSA_MAX_BITS = 8192,
    SY_RSA_MAX_BYTES = SY_RSA_MAX_BITS / 8,
    SY_RSA_E_MAX_BYTES = 8,
    SY_SPKI_MAX_BYTES = SY_RSA_MAX_BYTES + 64
};

struct symbi_key {
    sy_ref refs;
    symbi_alloc alloc; /* the ctx's shared one: a key may outlive the ctx and cross threads */
    EVP_PKEY *pkey;
    symbi_key_kind kind;
    bool is_private;
    uint8_t spki[32], thumb[32]; /* SHA-256 of the SubjectPublicKeyInfo, of the JWK */
    size_t pub_n, n_len;         /* bytes of pub; of the modulus in it (RSA) */
    uint8_t pub[];               /* Ed25519: 32; P-256: x y; RSA: n e; big-endian, no leading zeros for RSA */
};

/* Wraps pkey (taken over also on failure), computing the fingerprints. Call inside a bracket. */
symbi_status sy_key_wrap(symbi_ctx *cx, symbi_key_kind kind, EVP_PKEY *pkey, bool is_private, symbi_str pub, size_t n_len, symbi_key **out, symbi_err *err);

/* EINVAL "<what> needs a P-256 key, this is an Ed25519 one". */
symbi_status sy_key_need(const symbi_key *k, symbi_key_kind kind, bool is_private, const char *what, symbi_err *err);

/* d is 32 bytes, big-endian: EVERIFY unless 1..n-1. The public point is computed; xy, when not NULL, must equal it. */
symbi_status sy_p256_from_scalar(symbi_ctx *cx, const uint8_t d[32], const uint8_t *xy, symbi_key **out, symbi_err *err);
bool sy_p256_scalar_ok(const uint8_t d[32]); /* 1..n-1 */
symbi_status sy_p256_scalar(const symbi_key *k, uint8_t d[32], symbi_err *err);
/* Numbers without leading zeros. */
symbi_status sy_rsa_from_public(symbi_ctx *cx, symbi_str n, symbi_str e, symbi_key **out, symbi_err *err);

/* The DER SubjectPublicKeyInfo; returns its length (at most SY_SPKI_MAX_BYTES). */
size_t sy_key_spki(const symbi_key *k, uint8_t *out);
/* The members that RFC 7638 hashes, in its order, or in the order of symbi_key_to_jwk; returns the length. */
enum { SY_JWK_MAX_BYTES = SY_RSA_MAX_BYTES / 3 * 4 + 128 };
size_t sy_key_jwk_text(const symbi_key *k, bool thumbprint_order, char *out);
#endif
