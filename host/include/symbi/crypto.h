/* symbi/crypto.h: hashes, HMAC, Ed25519, ES256, RS256 (verification), AES-256-GCM, Argon2id, PEM and JWK, through OpenSSL 3
 * EVP and libargon2. Keys are parsed once (symbi_key) and may be shared between
 * threads. OpenSSL's error queue is left as found. Every function can fail (the provider may be missing): a failure is
 * never a successful verification. */
#ifndef SYMBI_CRYPTO_H
#define SYMBI_CRYPTO_H
#include "symbi/ctx.h"
#include "symbi/value.h"
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

/* ---- Further MACs and hashes ---- */
typedef enum symbi_hash { SYMBI_HASH_SHA256 = 0, SYMBI_HASH_SHA384, SYMBI_HASH_SHA512 } symbi_hash;
enum { SYMBI_HASH_MAX_BYTES = 64 };
SYMBI_API size_t symbi_hash_bytes(symbi_hash h); /* 32, 48, 64; 0 for another number */
/* out has room for symbi_hash_bytes(h). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_hmac(symbi_ctx *cx, symbi_hash h, symbi_str key, symbi_str data, uint8_t *out, symbi_err *err);

/* ---- Keys of every kind ----
 * A key says what it is for by its kind; a function given a key of another kind fails with EINVAL, so that no header of a
 * message can choose an algorithm. Parsing accepts only what is named here and refuses points that are not on the curve. */
typedef enum symbi_key_kind { SYMBI_KEY_NONE = 0, SYMBI_KEY_ED25519, SYMBI_KEY_P256, SYMBI_KEY_RSA /* public, 2048 to 8192 bits */ } symbi_key_kind;
SYMBI_API symbi_key_kind symbi_key_kind_of(const symbi_key *k);
SYMBI_API const char *symbi_key_kind_name(symbi_key_kind kind); /* "none" "ed25519" "p256" "rsa" */

SYMBI_API SYMBI_MUST_USE symbi_status symbi_p256_generate(symbi_ctx *cx, symbi_key **out, symbi_err *err);
/* Uncompressed point without its leading 04: x then y, big-endian. EVERIFY when it is not on the curve. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_p256_from_point(symbi_ctx *cx, const uint8_t xy[64], symbi_key **out, symbi_err *err);
SYMBI_API void symbi_p256_point(const symbi_key *k, uint8_t xy[64]);

/* PEM: SPKI (PUBLIC KEY), PKCS#8 (PRIVATE KEY, unencrypted), SEC1 (EC PRIVATE KEY); one block, surrounding white space and
 * CRLF accepted, anything else in the text refused. At most 16 KiB. An encrypted key: EUNSUPPORTED. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_key_from_pem(symbi_ctx *cx, symbi_str pem, symbi_key **out, symbi_err *err);
/* The same key again for the same bytes, parsed once: a bounded cache of public keys in the ctx, looked up by the SHA-256 of
 * the text. Private keys are parsed each time and never kept. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_key_cached_pem(symbi_ctx *cx, symbi_str pem, symbi_key **out, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_key_public_pem(symbi_ctx *cx, const symbi_key *k, symbi_text *out, symbi_err *err);  /* SPKI, 64 columns, LF */
/* PKCS#8. The text is a secret: symbi_text_wipe. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_key_private_pem(symbi_ctx *cx, const symbi_key *k, symbi_text *out, symbi_err *err);
SYMBI_API void symbi_text_wipe(symbi_text *t); /* overwrites, then frees */
/* SHA-256 of the DER SubjectPublicKeyInfo: AgentPin's and SchemaPin's key fingerprint. Computed once per key. */
SYMBI_API void symbi_key_spki_sha256(const symbi_key *k, uint8_t out[32]);
/* Gives back what the ctx keeps between calls: cached keys and what was made ready to verify with them. */
SYMBI_API void symbi_crypto_trim(symbi_ctx *cx);
/* RFC 7638 thumbprint (SHA-256 of the canonical members), of public members only. */
SYMBI_API void symbi_key_thumbprint(const symbi_key *k, uint8_t out[32]);
/* JWK (RFC 7517): EC P-256, OKP Ed25519, RSA; public only: a member d is refused (ESCHEMA), as are coordinates that are not
 * exactly 32 bytes, padding, and types that differ. Members other than kty, crv, x, y, n, e are left to the caller. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_key_from_jwk(symbi_ctx *cx, const symbi_value *jwk, symbi_key **out, symbi_err *err);
/* Cached as symbi_key_cached_pem is: by curve and point. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_key_cached_jwk(symbi_ctx *cx, const symbi_value *jwk, symbi_key **out, symbi_err *err);
/* {"kty","crv","x","y"} and so on as compact JSON, members in the order kty, crv, x, y / kty, n, e. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_key_to_jwk(symbi_ctx *cx, const symbi_key *k, symbi_text *out, symbi_err *err);

/* ---- ES256: ECDSA over P-256 with SHA-256 ----
 * Two encodings of one signature, never guessed: RAW is r||s, 64 bytes (RFC 7518); DER is SEQUENCE{r,s} (AgentPin, SchemaPin),
 * strict: minimal lengths and integers, positive, nothing after. r and s in 1..n-1; high s is accepted. */
typedef enum symbi_es256_form { SYMBI_ES256_RAW = 1, SYMBI_ES256_DER = 2 } symbi_es256_form;
enum { SYMBI_ES256_RAW_BYTES = 64, SYMBI_ES256_MAX_BYTES = 72 };
SYMBI_API SYMBI_MUST_USE symbi_status symbi_es256_sign(symbi_ctx *cx, const symbi_key *k, symbi_str data, symbi_es256_form form, uint8_t sig[72], size_t *n, symbi_err *err);
/* SYMBI_OK only for a good signature; EVERIFY for a bad one or a wrong encoding (err->msg tells which). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_es256_verify(symbi_ctx *cx, const symbi_key *k, symbi_str data, symbi_es256_form form, symbi_str sig, symbi_err *err);
/* RSASSA-PKCS1-v1_5 with SHA-256. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_rs256_verify(symbi_ctx *cx, const symbi_key *k, symbi_str data, symbi_str sig, symbi_err *err);

/* ---- AES-256-GCM, 96-bit nonce, 128-bit tag ----
 * seal: out has room for plain.n bytes, may be plain.p itself. open: EVERIFY for a wrong tag, and then out is zeroed. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_aes256gcm_seal(symbi_ctx *cx, const uint8_t key[32], const uint8_t nonce[12], symbi_str ad, symbi_str plain, uint8_t *out, uint8_t tag[16], symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_aes256gcm_open(symbi_ctx *cx, const uint8_t key[32], const uint8_t nonce[12], symbi_str ad, symbi_str cipher, const uint8_t tag[16], uint8_t *out, symbi_err *err);

/* ---- Argon2id v19 (RFC 9106) ---- */
typedef struct symbi_argon2_cost { uint32_t m_kib, t, p; } symbi_argon2_cost;
/* out_n 4..1024, salt 8..64 bytes; cost above the ceiling (1 GiB, t 64, p 16) is ELIMIT, so that a stored text cannot stall us. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_argon2id(symbi_ctx *cx, symbi_str password, symbi_str salt, symbi_argon2_cost cost, uint8_t *out, size_t out_n, symbi_err *err);
/* PHC text "$argon2id$v=19$m=..,t=..,p=..$salt$hash": make one (random 16-byte salt, 32-byte hash), check one. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_argon2id_phc(symbi_ctx *cx, symbi_str password, symbi_argon2_cost cost, symbi_text *out, symbi_err *err);
/* SYMBI_OK when the password fits; EVERIFY when not; EPARSE for a text that is not such a PHC text. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_argon2id_phc_verify(symbi_ctx *cx, symbi_str phc, symbi_str password, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
