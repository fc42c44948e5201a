/* symbi/jwt.h: JSON Web Tokens in compact form (RFC 7515, 7519, 8725), verified, and issued. The verifier fixes the
 * algorithm: the token's header is compared with it and selects nothing. Strict base64url without padding; header and claims
 * are JSON objects without duplicate members; `crit` is refused (we understand no extension); at most SYMBI_JWT_MAX_BYTES. */
#ifndef SYMBI_JWT_H
#define SYMBI_JWT_H
#include "symbi/crypto.h"
#include "symbi/value.h"
#ifdef __cplusplus
extern "C" {
#endif

enum { SYMBI_JWT_MAX_BYTES = 16384 };

/* ES256_DER is AgentPin's: header "ES256", signature in DER. It is a different algorithm for us. */
typedef enum symbi_jwt_alg {
    SYMBI_JWT_NONE = 0, /* never verifies */
    SYMBI_JWT_HS256,
    SYMBI_JWT_HS384,
    SYMBI_JWT_HS512,
    SYMBI_JWT_ES256,
    SYMBI_JWT_ES256_DER,
    SYMBI_JWT_RS256,
    SYMBI_JWT_EDDSA
} symbi_jwt_alg;
/* The header's spelling: "HS256" ... "ES256" (both forms) "RS256" "EdDSA"; "none" for 0. */
SYMBI_API const char *symbi_jwt_alg_name(symbi_jwt_alg alg);

/* Why a token was refused: one distinct reason each, so that callers map them to codes and texts of their own. */
#define SYMBI_JWT_REASON_LIST(X)                                                                   \
    X(OK, "ok")                                                                                    \
    X(EMPTY, "the token is empty")                                                                 \
    X(TOO_LONG, "the token is longer than the limit")                                              \
    X(PARTS, "the token does not have three parts")                                                \
    X(BASE64, "a part is not base64url without padding")                                           \
    X(HEADER_JSON, "the header is not a JSON object")                                              \
    X(CLAIMS_JSON, "the claims are not a JSON object")                                             \
    X(DUPLICATE, "a member appears twice")                                                         \
    X(ALG, "the algorithm is not the expected one")                                                \
    X(TYP, "the type is not the expected one")                                                     \
    X(CRIT, "the header has a critical extension")                                                 \
    X(KEY, "no key for this token")                                                                \
    X(SIGNATURE, "the signature does not verify")                                                  \
    X(CLAIM_TYPE, "a claim has the wrong type")                                                    \
    X(MISSING_EXP, "the claim exp is missing")                                                     \
    X(MISSING_CLAIM, "a required claim is missing")                                                \
    X(EXPIRED, "the token has expired")                                                            \
    X(NOT_YET, "the token is not valid yet")                                                       \
    X(FUTURE, "the token was issued in the future")                                                \
    X(LIFETIME, "the token lives longer than allowed")                                             \
    X(ISSUER, "the issuer is not the expected one")                                                \
    X(AUDIENCE, "the audience is not the expected one")
typedef enum symbi_jwt_reason {
#define SYMBI_JWT_REASON_ENUM(name, text) SYMBI_JWT_R_##name,
    SYMBI_JWT_REASON_LIST(SYMBI_JWT_REASON_ENUM)
#undef SYMBI_JWT_REASON_ENUM
    SYMBI_JWT_REASON_COUNT
} symbi_jwt_reason;
SYMBI_API const char *symbi_jwt_reason_name(symbi_jwt_reason r); /* "EXPIRED" */
SYMBI_API const char *symbi_jwt_reason_text(symbi_jwt_reason r);

/* A token taken apart, not verified. Owned by the caller; immutable. */
typedef struct symbi_jwt symbi_jwt;
/* Copies the text. On failure *reason (may be NULL) tells why, err has the words (status EPARSE, ELIMIT, ENOMEM). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_jwt_parse(symbi_ctx *cx, symbi_str token, symbi_jwt **out, symbi_jwt_reason *reason, symbi_err *err);
SYMBI_API void symbi_jwt_free(symbi_jwt *j); /* NULL is fine */
SYMBI_API const symbi_value *symbi_jwt_header(const symbi_jwt *j);
SYMBI_API const symbi_value *symbi_jwt_claims(const symbi_jwt *j);
SYMBI_API symbi_str symbi_jwt_signed_part(const symbi_jwt *j); /* "header.claims" as received */
SYMBI_API symbi_str symbi_jwt_signature(const symbi_jwt *j);   /* decoded bytes */

/* What verifies: a key for ES256, RS256 and EdDSA, a secret for HS*. */
typedef struct symbi_jwt_key {
    const symbi_key *key;
    symbi_str secret; /* HS*: at least 32 bytes unless short_secret_ok; never the text of a PEM key */
    bool short_secret_ok;
} symbi_jwt_key;
/* Header `alg` equal to the expected one, no `crit`, signature good. EVERIFY otherwise, with the reason. A key that does not
 * fit alg is EINVAL with the reason KEY. jwk, jku, x5c and the like in the header are not looked at. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_jwt_check_signature(symbi_ctx *cx, const symbi_jwt *j, symbi_jwt_alg alg, const symbi_jwt_key *key, symbi_jwt_reason *reason, symbi_err *err);

/* The registered claims (RFC 7519 section 4.1). A token is good while now < exp + leeway. A claim that is needed and absent is
 * MISSING_CLAIM (exp: MISSING_EXP), iss and aud included; err->path names it. Zero-initialise. Times in whole seconds; a claim that is no integer (or, with
 * float_times, no finite number) is CLAIM_TYPE. */
typedef struct symbi_jwt_rules {
    uint32_t size;          /* sizeof(symbi_jwt_rules) */
    int64_t now;            /* Unix seconds */
    int64_t leeway;         /* seconds; negative counts as 0 */
    int64_t max_lifetime;   /* exp - iat; 0: not checked */
    bool exp_optional;      /* default: exp is required */
    bool float_times;
    bool check_iat;         /* iat > now + leeway is FUTURE */
    symbi_str issuer;       /* n == 0: not checked; else iss must be there (MISSING_CLAIM) and equal (ISSUER) */
    symbi_str audience;     /* n == 0: not checked; else aud (text or array) must be there and contain it */
    bool refuse_audience;   /* a token that carries aud is refused when no audience is configured */
    symbi_str typ;          /* n == 0: not checked; else header typ must equal it */
    const symbi_str *required; /* claims that must be present */
    size_t required_n;
    bool short_secret_ok;
} symbi_jwt_rules;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_jwt_check_claims(const symbi_jwt *j, const symbi_jwt_rules *rules, symbi_jwt_reason *reason, symbi_err *err);
/* parse + check_signature + check_claims; *out (may be NULL) is given only when all is good. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_jwt_verify(symbi_ctx *cx, symbi_str token, symbi_jwt_alg alg, const symbi_jwt_key *key, const symbi_jwt_rules *rules, symbi_jwt **out, symbi_jwt_reason *reason, symbi_err *err);

/* A JWKS document (RFC 7517 section 5): picks the key for a kid. use other than "sig", key_ops without "verify", an alg that
 * differs from the expected one, or two keys with one kid are never picked. No kid in the token (kid.p NULL): only a set of one
 * key. ENOTFOUND when there is none to pick; at most SYMBI_JWKS_MAX keys. The key comes from the ctx's cache. */
enum { SYMBI_JWKS_MAX = 256 };
SYMBI_API SYMBI_MUST_USE symbi_status symbi_jwks_find(symbi_ctx *cx, const symbi_value *jwks, symbi_str kid, symbi_jwt_alg alg, symbi_key **out, symbi_err *err);

/* symbi_jwt_verify with the key that the set has for the token's kid; KEY when there is none. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_jwt_verify_jwks(symbi_ctx *cx, symbi_str token, symbi_jwt_alg alg, const symbi_value *jwks, const symbi_jwt_rules *rules, symbi_jwt **out, symbi_jwt_reason *reason, symbi_err *err);

/* Compact token over claims (an object, written as given in its order). header: further members after alg (typ, kid, ...), in
 * order; NULL for {"alg","typ":"JWT"}. alg and crit among them: EINVAL. A token that would be longer than SYMBI_JWT_MAX_BYTES is
 * ELIMIT. RS256 is not issued (EUNSUPPORTED). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_jwt_issue(symbi_ctx *cx, symbi_jwt_alg alg, const symbi_jwt_key *key, const symbi_value *header, const symbi_value *claims, symbi_text *out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
