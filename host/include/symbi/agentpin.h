/* symbi/agentpin.h: AgentPin, domain-anchored identity of agents: credentials (JWTs signed with ES256 in DER form) checked
 * against a document that the issuer serves on its own domain, plus pins, revocation, trust bundles, delegation, mutual
 * authentication, agent cards and DNS cross-checks. Wire version "0.1".
 *
 * No I/O and no clock: every function that depends on the time takes `now` (Unix seconds). Documents are symbi_value trees as
 * symbi_json_parse gives them; they may come from anybody, and nothing about their shape is assumed.
 *
 * Two kinds of failure are kept apart. A function returns a status other than OK when it could not do its work (out of memory,
 * misuse) or when the answer is no; in the second case *code (may be NULL) is the protocol's code, else NONE. Verification of a
 * credential is different: "no" is a result (symbi_agentpin_result), and only trouble of our own is a status. */
#ifndef SYMBI_AGENTPIN_H
#define SYMBI_AGENTPIN_H
#include "symbi/jwt.h"
#ifdef __cplusplus
extern "C" {
#endif

/* Inclusive. */
enum {
    SYMBI_AGENTPIN_MAX_TOKEN = SYMBI_JWT_MAX_BYTES,
    SYMBI_AGENTPIN_MAX_DOCUMENT = 64 * 1024,      /* a fetched discovery or revocation document, an agent card */
    SYMBI_AGENTPIN_MAX_BUNDLE = 16 * 1024 * 1024,
    SYMBI_AGENTPIN_MAX_DOMAINS = 65536,           /* in a pin store, in a bundle */
    SYMBI_AGENTPIN_STRICT_BUNDLE = 4096,          /* documents that a strict check goes through */
    SYMBI_AGENTPIN_MAX_KEYS = 64,                 /* pinned for one domain */
    SYMBI_AGENTPIN_MAX_CAPABILITIES = 1024,       /* of one credential */
    SYMBI_AGENTPIN_MAX_CHAIN = 16,                /* entries looked at; a document allows 3 */
    SYMBI_AGENTPIN_MAX_NONCES = 65536,            /* remembered at once, unless asked for otherwise */
    SYMBI_AGENTPIN_MAX_NONCE = 128,               /* bytes of one nonce */
    SYMBI_AGENTPIN_MAX_DOMAIN = 253,
    SYMBI_AGENTPIN_NONCE_TTL = 60,                /* seconds that a challenge lives */
    SYMBI_AGENTPIN_FETCH_MS = 10000
};

/* The protocol's codes. Zero is none; those after KEY_PIN_MISMATCH are ours. */
#define SYMBI_AGENTPIN_CODE_LIST(X)                                                                \
    X(SIGNATURE_INVALID) X(KEY_NOT_FOUND) X(KEY_EXPIRED) X(KEY_REVOKED) X(CREDENTIAL_EXPIRED)      \
    X(CREDENTIAL_REVOKED) X(AGENT_NOT_FOUND) X(AGENT_INACTIVE) X(CAPABILITY_EXCEEDED)              \
    X(CONSTRAINT_VIOLATION) X(DELEGATION_INVALID) X(DELEGATION_DEPTH_EXCEEDED)                     \
    X(DISCOVERY_FETCH_FAILED) X(DISCOVERY_INVALID) X(DOMAIN_MISMATCH) X(AUDIENCE_MISMATCH)         \
    X(ALGORITHM_REJECTED) X(KEY_PIN_MISMATCH)                                                      \
    X(CREDENTIAL_REPLAYED) X(NONCE_REPLAYED) X(NONCE_EXPIRED) X(CHALLENGE_INVALID)                 \
    X(PIN_STORE_INVALID) X(BUNDLE_INVALID) X(BUNDLE_DOWNGRADE)
typedef enum symbi_agentpin_code {
    SYMBI_AGENTPIN_NONE = 0,
#define SYMBI_AGENTPIN_CODE_ENUM(name) SYMBI_AGENTPIN_##name,
    SYMBI_AGENTPIN_CODE_LIST(SYMBI_AGENTPIN_CODE_ENUM)
#undef SYMBI_AGENTPIN_CODE_ENUM
    SYMBI_AGENTPIN_CODE_COUNT
} symbi_agentpin_code;
SYMBI_API const char *symbi_agentpin_code_name(symbi_agentpin_code c); /* "KEY_EXPIRED"; "" for NONE */

/* Finer than the code, one for each way to fail: several of them share a code on the wire. Words, not for parsing by others. */
#define SYMBI_AGENTPIN_REASON_LIST(X)                                                              \
    X(OK, "ok")                                                                                    \
    X(TOKEN_EMPTY, "the token is empty")                                                           \
    X(TOKEN_TOO_LONG, "the token is longer than the limit")                                        \
    X(TOKEN_PARTS, "the token does not have three parts")                                          \
    X(TOKEN_ENCODING, "a part of the token is not base64url")                                      \
    X(TOKEN_HEADER, "the header of the token is not what it must be")                              \
    X(TOKEN_CLAIMS, "the claims are no JSON object")                                               \
    X(TOKEN_DUPLICATE, "a member appears twice")                                                   \
    X(TOKEN_CRIT, "the header has a critical extension")                                           \
    X(TOKEN_ALG, "the algorithm is not ES256")                                                     \
    X(TOKEN_ALG_NONE, "the token says that it needs no signature")                                 \
    X(TOKEN_ALG_HMAC, "a symmetric algorithm: the published key would be its secret")              \
    X(TOKEN_TYP, "the type is not that of a credential")                                           \
    X(TOKEN_KID, "the key id is missing or too long")                                              \
    X(CLAIM, "a claim is missing or of the wrong type")                                            \
    X(VERSION, "the credential is of another version")                                             \
    X(ISSUED_IN_FUTURE, "issued in the future")                                                    \
    X(EXPIRED, "expired")                                                                          \
    X(NOT_YET, "not valid yet")                                                                    \
    X(LIFETIME, "lives longer than the verifier allows")                                           \
    X(EXP_BEFORE_IAT, "expires before it was issued")                                              \
    X(ISSUER_DOMAIN, "the issuer is not a domain name")                                            \
    X(ISSUER_CASE, "the issuer is a domain name in another case")                                  \
    X(ISSUER_DOT, "the issuer is a domain name with a trailing dot")                               \
    X(ISSUER_IDN, "the issuer is not written in ASCII")                                            \
    X(NO_DOCUMENT, "there is no discovery document for the issuer")                                \
    X(FETCH, "a document could not be fetched")                                                    \
    X(REDIRECT, "the server answered with a redirect")                                             \
    X(DOCUMENT_TOO_LARGE, "a document is larger than the limit")                                   \
    X(DOCUMENT_JSON, "a document is not JSON")                                                     \
    X(DOCUMENT_VERSION, "the discovery document is of another version")                            \
    X(DOCUMENT_ENTITY, "the discovery document is about another domain")                           \
    X(DOCUMENT_KEYS, "the discovery document has no keys")                                         \
    X(DOCUMENT_DEPTH, "the delegation depth is not 0 to 3")                                        \
    X(DOCUMENT_SHAPE, "the discovery document has another shape")                                  \
    X(KEY_UNKNOWN, "the key is not in the document")                                               \
    X(KEY_EXPIRED, "the key has expired")                                                          \
    X(KEY_UNUSABLE, "the key is no usable EC P-256 key")                                           \
    X(KEY_CURVE, "the key is of another curve or kind than EC P-256")                              \
    X(KEY_POINT, "the key is no point on the curve")                                               \
    X(KEY_USE, "the key is not for signatures")                                                    \
    X(SIGNATURE, "the signature does not verify")                                                  \
    X(SIGNATURE_FORM, "the signature is not DER of two numbers")                                   \
    X(SIGNATURE_RAW, "the signature is 64 bytes r||s where DER is expected")                       \
    X(SIGNATURE_CUT, "the signature is cut off")                                                   \
    X(SIGNATURE_TRAILING, "bytes follow after the signature")                                      \
    X(SIGNATURE_ZEROS, "a number of the signature has leading zeros")                              \
    X(SIGNATURE_NEGATIVE, "a number of the signature is negative")                                 \
    X(REVOCATION_ENTITY, "the revocation document is about another domain")                        \
    X(REVOCATION_SHAPE, "the revocation document has another shape")                               \
    X(REVOCATION_URL, "the revocation endpoint is not one that is followed")                       \
    X(REVOCATION_FETCH, "the revocation document could not be fetched")                            \
    X(REVOKED_CREDENTIAL, "the credential is revoked")                                             \
    X(REVOKED_AGENT, "the agent is revoked")                                                       \
    X(REVOKED_KEY, "the key is revoked")                                                           \
    X(AGENT_UNKNOWN, "the agent is not in the document")                                           \
    X(AGENT_STATUS, "the agent is not active")                                                     \
    X(AGENT_TTL, "lives longer than the agent's credentials may")                                  \
    X(CAPABILITY, "more capabilities than declared")                                               \
    X(CAPABILITY_ADMIN, "admin is never granted by a wildcard")                                    \
    X(CONSTRAINT, "less restrictive than declared")                                                \
    X(CHAIN_DEPTH, "the delegation chain is too deep")                                             \
    X(CHAIN_SHAPE, "a delegation entry has another shape")                                         \
    X(CHAIN_DOCUMENT, "no valid document for a delegating domain")                                 \
    X(CHAIN_KEY, "the key of a delegation entry cannot be used")                                   \
    X(CHAIN_ATTESTATION, "an attestation does not verify")                                         \
    X(PIN_CHANGED, "the key is not the one that was pinned")                                       \
    X(PIN_UNKNOWN, "nothing is pinned for this domain")                                            \
    X(PIN_FULL, "the pin store is full")                                                           \
    X(AUDIENCE, "meant for someone else")                                                          \
    X(REPLAYED, "used before")                                                                     \
    X(REPLAY_FULL, "the replay store is full")                                                     \
    X(DNS, "the domain's TXT record does not match")
typedef enum symbi_agentpin_reason {
#define SYMBI_AGENTPIN_REASON_ENUM(name, text) SYMBI_AGENTPIN_R_##name,
    SYMBI_AGENTPIN_REASON_LIST(SYMBI_AGENTPIN_REASON_ENUM)
#undef SYMBI_AGENTPIN_REASON_ENUM
    SYMBI_AGENTPIN_REASON_COUNT
} symbi_agentpin_reason;
SYMBI_API const char *symbi_agentpin_reason_name(symbi_agentpin_reason r); /* "TOKEN_ALG" */
SYMBI_API const char *symbi_agentpin_reason_text(symbi_agentpin_reason r);

/* The twelve steps in the order in which they run, and a thirteenth of ours. */
#define SYMBI_AGENTPIN_STEP_LIST(X)                                                                \
    X(TOKEN, "token") X(TIME, "time") X(DISCOVERY, "discovery") X(KEY, "key")                      \
    X(SIGNATURE, "signature") X(REVOCATION, "revocation") X(AGENT, "agent")                        \
    X(CAPABILITIES, "capabilities") X(CONSTRAINTS, "constraints") X(DELEGATION, "delegation")      \
    X(PIN, "pin") X(AUDIENCE, "audience") X(REPLAY, "replay")
typedef enum symbi_agentpin_step {
#define SYMBI_AGENTPIN_STEP_ENUM(name, text) SYMBI_AGENTPIN_STEP_##name,
    SYMBI_AGENTPIN_STEP_LIST(SYMBI_AGENTPIN_STEP_ENUM)
#undef SYMBI_AGENTPIN_STEP_ENUM
    SYMBI_AGENTPIN_STEPS
} symbi_agentpin_step;
typedef enum symbi_agentpin_step_state {
    SYMBI_AGENTPIN_NOT_REACHED = 0,
    SYMBI_AGENTPIN_PASSED,
    SYMBI_AGENTPIN_SKIPPED, /* there was nothing to check: no revocation document, no pin store, no audience, no chain to verify */
    SYMBI_AGENTPIN_FAILED
} symbi_agentpin_step_state;
SYMBI_API const char *symbi_agentpin_step_name(symbi_agentpin_step s);             /* "token" */
SYMBI_API const char *symbi_agentpin_step_state_name(symbi_agentpin_step_state s); /* "not_reached" "passed" "skipped" "failed" */

/* ---- The result of a verification: proof of identity ----
 * Immutable, atomically refcounted, from the ctx's shared allocator; made only by the verifying functions below. On a failure the
 * identity is empty: what an unverified token claims is in no accessor but `claimed`. */
typedef struct symbi_agentpin_result symbi_agentpin_result;
SYMBI_API symbi_agentpin_result *symbi_agentpin_result_ref(symbi_agentpin_result *r); /* returns r */
SYMBI_API void symbi_agentpin_result_unref(symbi_agentpin_result *r);                  /* NULL is fine */
SYMBI_API bool symbi_agentpin_result_valid(const symbi_agentpin_result *r);            /* when it was verified; false for NULL */
/* Valid, and still within exp (plus the skew it was verified with) at `now`: what a gate asks each time. */
SYMBI_API bool symbi_agentpin_result_valid_at(const symbi_agentpin_result *r, int64_t now);
SYMBI_API symbi_agentpin_code symbi_agentpin_result_code(const symbi_agentpin_result *r);
SYMBI_API symbi_agentpin_reason symbi_agentpin_result_reason(const symbi_agentpin_result *r);
SYMBI_API symbi_str symbi_agentpin_result_message(const symbi_agentpin_result *r);     /* "" when valid */
SYMBI_API symbi_agentpin_step_state symbi_agentpin_result_step(const symbi_agentpin_result *r, symbi_agentpin_step s);
/* Empty unless valid. */
SYMBI_API symbi_str symbi_agentpin_result_agent_id(const symbi_agentpin_result *r);    /* sub */
SYMBI_API symbi_str symbi_agentpin_result_issuer(const symbi_agentpin_result *r);      /* iss: the principal's domain */
SYMBI_API symbi_str symbi_agentpin_result_audience(const symbi_agentpin_result *r);    /* aud, "" without one */
SYMBI_API symbi_str symbi_agentpin_result_jti(const symbi_agentpin_result *r);
SYMBI_API symbi_str symbi_agentpin_result_kid(const symbi_agentpin_result *r);
SYMBI_API symbi_str symbi_agentpin_result_agent_name(const symbi_agentpin_result *r);  /* name in the discovery document, or "" */
SYMBI_API int64_t symbi_agentpin_result_iat(const symbi_agentpin_result *r);           /* 0 unless valid */
SYMBI_API int64_t symbi_agentpin_result_exp(const symbi_agentpin_result *r);
SYMBI_API size_t symbi_agentpin_result_capability_count(const symbi_agentpin_result *r);
SYMBI_API symbi_str symbi_agentpin_result_capability(const symbi_agentpin_result *r, size_t i); /* "" past the end */
SYMBI_API const symbi_value *symbi_agentpin_result_capabilities(const symbi_agentpin_result *r); /* array, or NULL */
SYMBI_API const symbi_value *symbi_agentpin_result_constraints(const symbi_agentpin_result *r);  /* object, or NULL */
/* [{domain, role, agent_id, verified}], or NULL without a chain. */
SYMBI_API const symbi_value *symbi_agentpin_result_delegation(const symbi_agentpin_result *r);
SYMBI_API int symbi_agentpin_result_delegation_verified(const symbi_agentpin_result *r); /* -1 no chain, 0 not verified, 1 verified */
SYMBI_API const symbi_value *symbi_agentpin_result_warnings(const symbi_agentpin_result *r); /* array of strings */
typedef enum symbi_agentpin_pinning {
    SYMBI_AGENTPIN_PIN_NONE = 0,  /* no store was given */
    SYMBI_AGENTPIN_PIN_FIRST_USE,
    SYMBI_AGENTPIN_PIN_MATCHED,
    SYMBI_AGENTPIN_PIN_CHANGED,
    SYMBI_AGENTPIN_PIN_ROTATED    /* changed, and accepted by the rotate policy */
} symbi_agentpin_pinning;
SYMBI_API const char *symbi_agentpin_pinning_name(symbi_agentpin_pinning p); /* "" "first_use" "pinned" "changed" "rotated" */
SYMBI_API symbi_agentpin_pinning symbi_agentpin_result_pinning(const symbi_agentpin_result *r);
SYMBI_API symbi_str symbi_agentpin_result_first_seen(const symbi_agentpin_result *r);
/* For the audit trail: {iss, sub, jti, kid, aud} as the token claims them, whether or not it is valid; NULL when it could not be read. */
SYMBI_API const symbi_value *symbi_agentpin_result_claimed(const symbi_agentpin_result *r);

/* ---- Keys ---- */
enum { SYMBI_AGENTPIN_HASH_CHARS = 64 }; /* hex of a SHA-256 */
/* Lower-case hex of the SHA-256 of the DER SubjectPublicKeyInfo. EINVAL for a key of another kind. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_key_id(const symbi_key *k, char out[65], symbi_err *err);
/* {"kid","kty","crv","x","y","use","key_ops"} of the public part. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_jwk(symbi_ctx *cx, const symbi_key *k, symbi_str kid, symbi_doc **out, symbi_err *err);
/* The key in a JWK; the two refusals have the protocol's texts ("Invalid JWK: ..."). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_jwk_key(symbi_ctx *cx, const symbi_value *jwk, symbi_key **out, symbi_err *err);
/* Hex thumbprint over crv, kty, x, y as they stand, joined without escapes: what pins and DNS records hold. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_thumbprint(symbi_ctx *cx, const symbi_value *jwk, char out[65], symbi_err *err);
/* Standard base64 of the DER signature. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_sign(symbi_ctx *cx, const symbi_key *k, symbi_str data, symbi_text *out, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_check_signature(symbi_ctx *cx, const symbi_key *k, symbi_str data, symbi_str signature, symbi_err *err);

/* ---- Names and times ---- */
/* A domain name as it may stand in iss, entity, URLs and file names: lower-case letters, digits and hyphens in at least two labels
 * of 1 to 63 characters, the last one with a letter; no dot at the end, no port, no address. */
SYMBI_API bool symbi_agentpin_domain_ok(symbi_str domain);
/* RFC 3339, also with an offset and a fraction (cut off), as Unix seconds. */
SYMBI_API bool symbi_agentpin_parse_time(symbi_str text, int64_t *out);
enum { SYMBI_AGENTPIN_TIME_CHARS = 21 };
SYMBI_API void symbi_agentpin_format_time(int64_t now, char out[21]); /* "2026-05-28T20:26:40Z" */

/* ---- Capabilities and constraints ---- */
/* action and resource, split at the first colon; false without one. */
SYMBI_API bool symbi_agentpin_capability_parse(symbi_str capability, symbi_str *action, symbi_str *resource);
SYMBI_API bool symbi_agentpin_capability_matches(symbi_str declared, symbi_str requested);
/* Arrays of strings; anything else matches nothing. admin_wildcard false: a declared "admin:*" covers nothing. */
SYMBI_API bool symbi_agentpin_capabilities_subset(const symbi_value *declared, const symbi_value *requested, bool admin_wildcard);
/* SHA-256 hex of the sorted JSON array: bytes order, raw UTF-8, duplicates kept. ESCHEMA unless all are strings. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_capabilities_hash(symbi_ctx *cx, const symbi_value *capabilities, char out[65], symbi_err *err);
/* The taxonomy: a core action, or one in reverse-domain form; never admin:*. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_capability_validate(symbi_str capability, symbi_err *err);
/* Requests per hour of "100/minute"; false when it is not such a text. */
SYMBI_API bool symbi_agentpin_rate_limit(symbi_str text, int64_t *per_hour);
SYMBI_API bool symbi_agentpin_domain_matches(symbi_str pattern, symbi_str domain);
/* Is the credential at most as wide as the document allows? NULL or null is "none". strict also compares denied_domains,
 * ip_allowlist and valid_hours, and takes an empty list or an unreadable value of the credential for wider. */
SYMBI_API bool symbi_agentpin_constraints_subset(const symbi_value *document, const symbi_value *credential, bool strict);

/* ---- Issuing ---- */
typedef struct symbi_agentpin_claims {
    uint32_t size;                       /* sizeof(symbi_agentpin_claims) */
    symbi_str kid, issuer, agent_id;
    symbi_str audience;                  /* "" leaves it out */
    const symbi_value *capabilities;     /* array of strings */
    const symbi_value *constraints;      /* NULL, null or {} leave it out */
    const symbi_value *delegation_chain; /* NULL, null or [] leave it out */
    int64_t now, ttl_secs;
    symbi_str jti;                       /* "": a random UUID (version 4) */
} symbi_agentpin_claims;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_issue(symbi_ctx *cx, const symbi_key *key, const symbi_agentpin_claims *c, symbi_text *out, symbi_err *err);
/* Header and claims as {header, payload, signature} by the rules of step 1, without looking at the signature. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_decode(symbi_ctx *cx, symbi_str jwt, symbi_doc **out, symbi_err *err);
/* The same, and the signature must be this key's. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_verify_jwt(symbi_ctx *cx, symbi_str jwt, const symbi_key *key, symbi_doc **out, symbi_err *err);

/* ---- Discovery ---- */
typedef struct symbi_agentpin_discovery {
    uint32_t size;
    symbi_str entity, entity_type;
    const symbi_value *public_keys, *agents; /* arrays; agents may be NULL */
    int64_t max_delegation_depth;
    symbi_str updated_at;                    /* "": now */
    int64_t now;
    symbi_str a2a_endpoint;                  /* "" leaves it out */
} symbi_agentpin_discovery;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_discovery_build(symbi_ctx *cx, const symbi_agentpin_discovery *d, symbi_doc **out, symbi_err *err);
/* The four checks in their order. strict also wants max_delegation_depth, a known entity_type and an array of agents. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_discovery_validate(const symbi_value *doc, symbi_str entity, bool strict, symbi_agentpin_code *code, symbi_agentpin_reason *reason, symbi_err *err);
SYMBI_API const symbi_value *symbi_agentpin_find_key(const symbi_value *doc, symbi_str kid);        /* first match, or NULL */
SYMBI_API const symbi_value *symbi_agentpin_find_agent(const symbi_value *doc, symbi_str agent_id);

/* ---- Revocation ---- */
/* OK when nothing is revoked. entity "": not compared. A document of another shape is refused. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_revocation_check(const symbi_value *doc, symbi_str entity, symbi_str jti, symbi_str agent_id, symbi_str kid, symbi_agentpin_code *code, symbi_agentpin_reason *reason, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_revocation_build(symbi_ctx *cx, symbi_str entity, int64_t now, symbi_doc **out, symbi_err *err);
typedef enum symbi_agentpin_revoke { SYMBI_AGENTPIN_REVOKE_CREDENTIAL = 0, SYMBI_AGENTPIN_REVOKE_AGENT, SYMBI_AGENTPIN_REVOKE_KEY } symbi_agentpin_revoke;
/* A new document with that entry appended and updated_at = now. An id that is revoked already stays as it is. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_revocation_add(symbi_ctx *cx, const symbi_value *doc, symbi_agentpin_revoke what, symbi_str id, symbi_str reason, int64_t now, symbi_doc **out, symbi_err *err);
SYMBI_API bool symbi_agentpin_revocation_reason_ok(symbi_str reason); /* one of the protocol's six */

/* ---- Key rotation ---- */
/* Publishes one more key: a new document. EEXISTS when another key has that kid. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_rotation_apply(symbi_ctx *cx, const symbi_value *doc, const symbi_value *jwk, int64_t now, symbi_doc **out, symbi_err *err);
/* Takes every key with that kid out of the document and revokes it: two new documents, or none. ESTATE when no key would be left. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_rotation_complete(symbi_ctx *cx, const symbi_value *doc, const symbi_value *revocation, symbi_str old_kid, symbi_str reason, int64_t now, symbi_doc **new_doc, symbi_doc **new_revocation, symbi_err *err);

/* ---- Pins ----
 * Which keys a domain has shown. In memory, one thread at a time; the text form is upstream's. What changed since it was read is
 * remembered until symbi_agentpin_pins_saved, so that two processes can merge before each writes. */
typedef struct symbi_agentpin_pins symbi_agentpin_pins;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_pins_new(symbi_ctx *cx, symbi_agentpin_pins **out, symbi_err *err);
SYMBI_API void symbi_agentpin_pins_free(symbi_agentpin_pins *p); /* NULL is fine */
/* Reads a whole store: the JSON array, or the runtime's form of it (the array once more encoded as a string). Anything else,
 * an empty text included, is refused with PIN_STORE_INVALID: a damaged store must not become an empty one. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_pins_parse(symbi_ctx *cx, symbi_str text, symbi_agentpin_pins **out, symbi_agentpin_code *code, symbi_err *err);
enum { SYMBI_AGENTPIN_PINS_RUNTIME = 1 }; /* the runtime's form */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_pins_write(symbi_ctx *cx, const symbi_agentpin_pins *p, unsigned flags, symbi_text *out, symbi_err *err);
/* FIRST_USE stores the key, MATCHED refreshes last_seen, CHANGED stores nothing. ELIMIT when the store is full. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_pins_check(symbi_ctx *cx, symbi_agentpin_pins *p, symbi_str domain, const symbi_value *jwk, int64_t now, symbi_agentpin_pinning *out, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_pins_add(symbi_ctx *cx, symbi_agentpin_pins *p, symbi_str domain, const symbi_value *jwk, int64_t now, symbi_err *err);
/* Forgets one key (by hash), or with "" the whole domain. ENOTFOUND. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_pins_remove(symbi_agentpin_pins *p, symbi_str domain, symbi_str hash, symbi_err *err);
/* {domain, pinned_keys}: *out is NULL (and the status OK) for an unknown domain. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_pins_get(symbi_ctx *cx, const symbi_agentpin_pins *p, symbi_str domain, symbi_doc **out, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_pins_list(symbi_ctx *cx, const symbi_agentpin_pins *p, symbi_doc **out, symbi_err *err);
SYMBI_API size_t symbi_agentpin_pins_count(const symbi_agentpin_pins *p); /* domains */
SYMBI_API bool symbi_agentpin_pins_changed(const symbi_agentpin_pins *p); /* since it was read or saved */
/* Takes over what is on disk now. A domain that both sides saw for the first time with different keys keeps the one on disk: the
 * number of those is *conflicts. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_pins_merge(symbi_agentpin_pins *p, const symbi_agentpin_pins *disk, size_t *conflicts, symbi_err *err);
SYMBI_API void symbi_agentpin_pins_saved(symbi_agentpin_pins *p);

/* ---- Nonces: what was used already ----
 * In memory and bounded: full of live entries it refuses (ELIMIT) rather than forgets. */
typedef struct symbi_agentpin_nonces symbi_agentpin_nonces;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_nonces_new(symbi_ctx *cx, size_t max, symbi_agentpin_nonces **out, symbi_err *err); /* max 0: the default */
SYMBI_API void symbi_agentpin_nonces_free(symbi_agentpin_nonces *n);
/* OK once per nonce until its time is over (at `expires`, exclusive); EEXISTS again; EINVAL when empty or too long. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_nonces_use(symbi_agentpin_nonces *n, symbi_str nonce, int64_t now, int64_t expires, symbi_err *err);
SYMBI_API bool symbi_agentpin_nonces_seen(const symbi_agentpin_nonces *n, symbi_str nonce, int64_t now);
SYMBI_API size_t symbi_agentpin_nonces_count(const symbi_agentpin_nonces *n);

/* ---- Verification ---- */
/* What we check beyond upstream's code, each switched off by its flag. UPSTREAM: exactly upstream's checks. */
enum {
    SYMBI_AGENTPIN_NO_VERSION = 1,            /* agentpin_version must be "0.1" */
    SYMBI_AGENTPIN_NO_EXP_ORDER = 2,          /* exp after iat */
    SYMBI_AGENTPIN_NO_AGENT_TTL = 4,          /* lifetime within the agent's credential_ttl_max */
    SYMBI_AGENTPIN_NO_KEY_USE = 8,            /* use "sig", key_ops with "verify", where they are given; a readable exp */
    SYMBI_AGENTPIN_NO_REVOCATION_ENTITY = 16, /* the revocation document's entity */
    SYMBI_AGENTPIN_NO_DEPTH = 32,             /* the chain within max_delegation_depth */
    SYMBI_AGENTPIN_NO_ADMIN = 64,             /* admin:* grants nothing */
    SYMBI_AGENTPIN_NO_STRICT_CONSTRAINTS = 128,
    SYMBI_AGENTPIN_NO_ISSUER_DOMAIN = 256,    /* iss is a domain name (always checked before it goes into a URL) */
    SYMBI_AGENTPIN_NO_STRICT_DOCUMENT = 512,  /* depth, entity_type and agents of the discovery document */
    SYMBI_AGENTPIN_UPSTREAM = 1023
};
typedef enum symbi_agentpin_pin_policy {
    SYMBI_AGENTPIN_PIN_TOFU = 0, /* the first key is pinned, another one refused */
    SYMBI_AGENTPIN_PIN_ROTATE,   /* another one is accepted, and pinned too, while the document still publishes a pinned key */
    SYMBI_AGENTPIN_PIN_STRICT    /* only what is pinned already */
} symbi_agentpin_pin_policy;

typedef struct symbi_agentpin_options {
    uint32_t size;
    int64_t now;
    symbi_str audience;                /* "": not checked */
    int64_t clock_skew_secs, max_ttl_secs; /* 60, 86400 */
    unsigned flags;                    /* SYMBI_AGENTPIN_NO_* */
    bool require_audience;             /* a credential without aud is refused when an audience is given */
    symbi_agentpin_pins *pins;         /* NULL: no pinning. Written only when everything passed */
    symbi_agentpin_pin_policy pin_policy;
    bool document_over_https;          /* the document was fetched from its domain: what the rotate policy asks for */
    symbi_agentpin_nonces *replays;    /* NULL: credentials may be used again; else each jti of an issuer once */
    bool verify_delegation;            /* else a chain is reported, not verified */
    const symbi_value *delegation_documents;   /* array of discovery documents, for verify_delegation */
    const symbi_value *delegation_revocations; /* array of revocation documents, or NULL */
    symbi_str dns_txt;                 /* TXT value of the domain to hold against the document; p NULL: not checked */
} symbi_agentpin_options;
SYMBI_API void symbi_agentpin_options_init(symbi_agentpin_options *o); /* size and the defaults */

/* Against documents at hand. revocation NULL: step 6 is skipped. *out is set whenever the status is OK, valid or not. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_verify(symbi_ctx *cx, symbi_str jwt, const symbi_value *discovery, const symbi_value *revocation, const symbi_agentpin_options *o, symbi_agentpin_result **out, symbi_err *err);
/* Against a trust bundle: documents by entity = iss. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_verify_with_bundle(symbi_ctx *cx, symbi_str jwt, const symbi_value *bundle, const symbi_agentpin_options *o, symbi_agentpin_result **out, symbi_err *err);
/* The issuer that a token claims, where it is a domain name: to look up its documents. ESCHEMA otherwise. Unverified. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_claimed_issuer(symbi_ctx *cx, symbi_str jwt, symbi_text *out, symbi_err *err);

/* ---- Verification over the network, without I/O ----
 *   while (symbi_agentpin_online_next(m, &ask, &err) == SYMBI_OK && ask.kind != SYMBI_AGENTPIN_ASK_DONE) { perform; symbi_agentpin_online_resolve(m, ask.id, &answer, &err); }
 * One thing is asked at a time. HTTP: GET, no redirects, nothing but this URL. */
typedef enum symbi_agentpin_ask_kind {
    SYMBI_AGENTPIN_ASK_DONE = 0,
    SYMBI_AGENTPIN_ASK_HTTP,
    SYMBI_AGENTPIN_ASK_DNS /* the TXT records of `name` */
} symbi_agentpin_ask_kind;
typedef enum symbi_agentpin_document {
    SYMBI_AGENTPIN_DOC_DISCOVERY = 0,
    SYMBI_AGENTPIN_DOC_REVOCATION
} symbi_agentpin_document;
typedef struct symbi_agentpin_ask {
    symbi_agentpin_ask_kind kind;
    uint64_t id;
    symbi_agentpin_document document;
    symbi_str domain;        /* whose document; borrowed until resolved */
    symbi_str url, name;     /* HTTP, DNS */
    bool refetch;            /* past any cache */
    int64_t timeout_ms;
    size_t max_bytes;
} symbi_agentpin_ask;
typedef struct symbi_agentpin_answer {
    bool failed;             /* no answer; message says why */
    symbi_str message;
    int http_status;
    symbi_str url;           /* HTTP: the URL that answered, where the transport tells; "" = the one that was asked */
    symbi_str body;
    const symbi_value *document; /* HTTP: instead of status and body: from a cache, a file, a bundle */
    bool https;                  /* with document: it was fetched from its domain over HTTPS, and kept since */
    bool none;                   /* a revocation document: the place that was asked has none, and that is an answer */
    const symbi_str *records;    /* DNS: one text per record, chunks joined */
    size_t nrecords;
} symbi_agentpin_answer;

typedef struct symbi_agentpin_online symbi_agentpin_online;
/* Options are copied; what they point to (pins, replays) must live as long. delegation_* and dns_txt are filled by the machine.
 * dns: also ask for the domain's TXT record. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_online_new(symbi_ctx *cx, symbi_str jwt, const symbi_agentpin_options *o, bool dns, symbi_agentpin_online **out, symbi_err *err);
SYMBI_API void symbi_agentpin_online_free(symbi_agentpin_online *m);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_online_next(symbi_agentpin_online *m, symbi_agentpin_ask *out, symbi_err *err);
/* ESTATE for an id that is not open. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_online_resolve(symbi_agentpin_online *m, uint64_t id, const symbi_agentpin_answer *a, symbi_err *err);
SYMBI_API symbi_agentpin_result *symbi_agentpin_online_result(symbi_agentpin_online *m); /* borrowed; NULL before DONE */
/* The document that was fetched last, to be kept in a cache: a reference, or NULL. */
SYMBI_API symbi_doc *symbi_agentpin_online_fetched(symbi_agentpin_online *m);
/* "https://{domain}/.well-known/..." of a domain name. EINVAL for anything else. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_url(symbi_ctx *cx, symbi_str domain, symbi_agentpin_document what, symbi_text *out, symbi_err *err);
/* A fetched body as a document, by the rules of the machine (size, JSON, entity, shape). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_document_parse(symbi_ctx *cx, symbi_str body, symbi_agentpin_document what, symbi_str domain, symbi_doc **out, symbi_agentpin_code *code, symbi_agentpin_reason *reason, symbi_err *err);

/* ---- Trust bundles ---- */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_bundle_create(symbi_ctx *cx, const symbi_value *documents, const symbi_value *revocations, int64_t now, symbi_doc **out, symbi_err *err);
typedef struct symbi_agentpin_bundle_rules {
    uint32_t size;
    bool strict;          /* version, created_at, unique entities, every document valid */
    int64_t now;          /* strict: created_at may not be more than 60 s ahead */
    int64_t max_age_secs; /* 0: any age */
    symbi_str not_before; /* created_at of the bundle in use: an older one is BUNDLE_DOWNGRADE; "": not checked */
} symbi_agentpin_bundle_rules;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_bundle_check(const symbi_value *bundle, const symbi_agentpin_bundle_rules *rules, symbi_agentpin_code *code, symbi_err *err);
SYMBI_API const symbi_value *symbi_agentpin_bundle_discovery(const symbi_value *bundle, symbi_str domain);
SYMBI_API const symbi_value *symbi_agentpin_bundle_revocation(const symbi_value *bundle, symbi_str domain);

/* ---- Delegation ---- */
typedef struct symbi_agentpin_attestation {
    symbi_str domain, role, agent_id, delegatee_domain, delegatee_agent_id;
    const symbi_value *capabilities; /* of the credential, exactly */
} symbi_agentpin_attestation;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_attestation_input(symbi_ctx *cx, const symbi_agentpin_attestation *a, symbi_text *out, symbi_err *err);
/* {domain, role, agent_id, kid, attestation}: an entry of a chain. Refuses "|" in any field, which would make the text ambiguous. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_attestation_create(symbi_ctx *cx, const symbi_key *key, symbi_str kid, const symbi_agentpin_attestation *a, symbi_doc **out, symbi_err *err);
/* entry as above; domain, role and agent_id are taken from it. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_attestation_verify(symbi_ctx *cx, const symbi_value *entry, const symbi_key *key, symbi_str delegatee_domain, symbi_str delegatee_agent_id, const symbi_value *capabilities, symbi_agentpin_code *code, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_chain_depth(int64_t length, const int64_t *depths, size_t n, symbi_agentpin_code *code, symbi_err *err);

/* ---- Mutual authentication ---- */
/* {type, nonce, timestamp[, verifier_credential]}. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_challenge(symbi_ctx *cx, symbi_str verifier_credential, int64_t now, symbi_doc **out, symbi_err *err);
/* binding "": upstream's form, which signs the nonce alone. Else the signed text is "nonce|binding": both sides put the same words
 * there (who asks, who answers, the channel), so that a response cannot be relayed to someone else. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_response(symbi_ctx *cx, const symbi_value *challenge, const symbi_key *key, symbi_str kid, symbi_str binding, symbi_doc **out, symbi_err *err);
typedef struct symbi_agentpin_mutual {
    uint32_t size;
    int64_t now;
    int64_t ttl_secs;               /* 0: 60 */
    symbi_str binding;
    symbi_str kid;                  /* "": not compared */
    symbi_agentpin_nonces *nonces;  /* NULL: replays are not noticed */
} symbi_agentpin_mutual;
/* *ok is the verdict. A challenge that is expired, not readable or used before is a failure with a code. The nonce is used up only
 * when everything else was right. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_response_verify(symbi_ctx *cx, const symbi_value *response, const symbi_value *challenge, const symbi_key *key, const symbi_agentpin_mutual *m, bool *ok, symbi_agentpin_code *code, symbi_err *err);

/* ---- Transports: where a credential travels ---- */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_http_extract(symbi_str authorization, symbi_str *jwt, symbi_agentpin_code *code, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_mcp_extract(const symbi_value *meta, symbi_str *jwt, symbi_agentpin_code *code, symbi_err *err);
/* message is JSON text; the token is copied. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_ws_extract(symbi_ctx *cx, symbi_str message, symbi_text *jwt, symbi_agentpin_code *code, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_ws_format(symbi_ctx *cx, symbi_str jwt, symbi_text *out, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_grpc_extract(symbi_str metadata, symbi_str *jwt, symbi_agentpin_code *code, symbi_err *err);

/* ---- DNS TXT ---- */
/* {version, kid or null, fingerprint}: what dns_match takes. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_dns_parse(symbi_ctx *cx, symbi_str value, symbi_doc **out, symbi_agentpin_code *code, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_dns_name(symbi_ctx *cx, symbi_str domain, symbi_text *out, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_dns_match(symbi_ctx *cx, const symbi_value *discovery, const symbi_value *record, symbi_agentpin_code *code, symbi_err *err);
/* The record among several that is ours: the first that contains "v=agentpin1"; -1 when none does. */
SYMBI_API int symbi_agentpin_dns_pick(const symbi_str *records, size_t n);

/* ---- A2A agent cards ---- */
/* Keys in byte order, compact, raw UTF-8. What is signed is this of the card without its member `agentpin`. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_card_canonical(symbi_ctx *cx, const symbi_value *value, symbi_text *out, symbi_err *err);
/* A card from an agent's declaration in a discovery document. options: {streaming, pushNotifications, allowed_domains}, or NULL. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_card_build(symbi_ctx *cx, const symbi_value *declaration, symbi_str url, const symbi_value *options, symbi_doc **out, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_card_sign(symbi_ctx *cx, const symbi_value *card, symbi_str endpoint, const symbi_key *key, symbi_str kid, symbi_doc **out, symbi_err *err);
/* That the card was signed with the key in its extension: self-consistency, no identity. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_card_verify(symbi_ctx *cx, const symbi_value *card, symbi_agentpin_code *code, symbi_err *err);
/* Also: the endpoint is the host's, over https, the document is valid for it and publishes that very key, unexpired and not
 * revoked, and the card's skills stay within an active agent of it. revocation may be NULL. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_card_verify_with_discovery(symbi_ctx *cx, const symbi_value *card, const symbi_value *discovery, const symbi_value *revocation, int64_t now, symbi_agentpin_code *code, symbi_err *err);
/* Host of agentpin_endpoint, lower-cased, without the port. https_only refuses other schemes and hosts that are no domain name. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_card_host(symbi_ctx *cx, const symbi_value *card, bool https_only, symbi_text *out, symbi_agentpin_code *code, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_card_discovery(symbi_ctx *cx, const symbi_value *card, int64_t now, symbi_doc **out, symbi_agentpin_code *code, symbi_err *err);
/* May `card` replace `held` for one host? Only when signed by the same key. */
SYMBI_API bool symbi_agentpin_card_same_key(symbi_ctx *cx, const symbi_value *card, const symbi_value *held);

/* ---- Lists of allowed domains ---- */
/* Empty is unrestricted; patterns as above; the boolean false is "nobody". */
SYMBI_API bool symbi_agentpin_domains_allow(const symbi_value *list, symbi_str domain);
/* What both allow: an array, or the boolean false where two lists have nothing in common. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_agentpin_domains_intersect(symbi_ctx *cx, const symbi_value *a, const symbi_value *b, symbi_doc **out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
