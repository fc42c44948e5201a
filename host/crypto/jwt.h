/* crypto/jwt.h: what the files about tokens share. */
#ifndef SY_CRYPTO_JWT_H
#define SY_CRYPTO_JWT_H
#include "symbi/jwt.h"

/* Sets *reason (may be NULL) and the error: the text of the reason, then ": detail" when there is one. Returns st. */
symbi_status sy_jwt_refuse(symbi_jwt_reason *reason, symbi_jwt_reason r, symbi_status st, symbi_err *err, const char *detail, ...) SYMBI_PRINTF(5, 6);
/* The kind of key that alg needs; NONE for HS*. */
symbi_key_kind sy_jwt_key_kind(symbi_jwt_alg alg);
/* The key fits alg: kind, length of the secret. EINVAL otherwise. sign: a private key is needed. */
symbi_status sy_jwt_key_fits(symbi_jwt_alg alg, const symbi_jwt_key *key, bool sign, symbi_err *err);
/* HS256 to HS512; out has room for SYMBI_HASH_MAX_BYTES. */
symbi_status sy_jwt_mac(symbi_ctx *cx, symbi_jwt_alg alg, symbi_str secret, symbi_str data, uint8_t *out, size_t *n, symbi_err *err);
#endif
