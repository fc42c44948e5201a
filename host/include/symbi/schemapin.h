/* symbi/schemapin.h: SchemaPin: signed tool schemas, pinned keys, revocation, and what a check of them says. Skill folders
 * are in symbi/schemapin_skill.h, discovery, bundles, DNS and online verification in symbi/schemapin_net.h.
 *
 * ES256 with DER signatures in strict base64. A schema is signed as ECDSA-with-SHA-256 over the 32 bytes H =
 * SHA-256(canonical form): hashed twice, as SchemaPin's Python, JavaScript and Rust do (its Go does not). Every function is
 * pure: `now` is an argument (Unix seconds), nothing is read, written or fetched here. A failed check is a result, not an
 * error; an error (bad arguments, out of memory) gives no result at all. */
#ifndef SYMBI_SCHEMAPIN_H
#define SYMBI_SCHEMAPIN_H
#include "symbi/crypto.h"
#include "symbi/value.h"
#ifdef __cplusplus
extern "C" {
#endif

enum {
    SYMBI_SCHEMAPIN_MAX_NAME = 512,          /* a tool id, a domain */
    SYMBI_SCHEMAPIN_MAX_SCHEMA = 1 << 20,    /* bytes of one schema text */
    SYMBI_SCHEMAPIN_MAX_DOCUMENT = 64 << 10, /* a discovery document or revocation list that was fetched */
    SYMBI_SCHEMAPIN_MAX_PINS = 100000,
    SYMBI_SCHEMAPIN_MAX_WARNINGS = 8,
    SYMBI_SCHEMAPIN_FINGERPRINT = 71 /* "sha256:" and 64 hex digits */
};

/* ---- what a check says --------------------------------------------------------------------------------------------- */

/* Name, text of error_code. The first thirteen are SchemaPin's, the others ours. */
#define SYMBI_SCHEMAPIN_CODE_LIST(X)                                                               \
    X(OK, "ok")                                                                                    \
    X(SIGNATURE_INVALID, "signature_invalid")                                                      \
    X(KEY_NOT_FOUND, "key_not_found")                                                              \
    X(KEY_REVOKED, "key_revoked")                                                                  \
    X(KEY_PIN_MISMATCH, "key_pin_mismatch")                                                        \
    X(DISCOVERY_FETCH_FAILED, "discovery_fetch_failed")                                            \
    X(DISCOVERY_INVALID, "discovery_invalid")                                                      \
    X(DOMAIN_MISMATCH, "domain_mismatch")                                                          \
    X(SCHEMA_CANONICALIZATION_FAILED, "schema_canonicalization_failed")                            \
    X(CANONICALIZATION_UNSUPPORTED, "canonicalization_unsupported")                                \
    X(A2A_SCOPE_VIOLATION, "a2a_scope_violation")                                                  \
    X(BUNDLE_UNSIGNED, "bundle_unsigned")                                                          \
    X(BUNDLE_EXPIRED, "bundle_expired")                                                            \
    X(BUNDLE_AUTHORITY, "bundle_authority_untrusted") /* not the configured authority's key */     \
    X(BUNDLE_DOWNGRADE, "bundle_downgrade")           /* older than one already accepted */        \
    X(BUNDLE_INVALID, "bundle_invalid")               /* not of a bundle's shape */                \
    X(REDIRECT_REFUSED, "redirect_refused")           /* a document answered with a redirect */    \
    X(REVOCATION_FETCH_FAILED, "revocation_fetch_failed")                                          \
    X(REVOCATION_INVALID, "revocation_invalid")                                                    \
    X(DOMAIN_INVALID, "domain_invalid")               /* no host name, or one in disguise */       \
    X(SIGNATURE_EXPIRED, "signature_expired")         /* only where expiry refuses */              \
    X(TIMESTAMP_UNSIGNED, "timestamp_unsigned")       /* max_age asked of a time nobody signed */  \
    X(VERSION_MISMATCH, "version_mismatch")           /* not the expected schema_version */        \
    X(LINEAGE_MISMATCH, "lineage_mismatch")           /* previous_hash is not the known one */     \
    X(FILES_TAMPERED, "files_tampered")               /* manifest or skill_hash differs */         \
    X(SIGNER_MISMATCH, "signer_mismatch")             /* signer_kid names another key */           \
    X(KEY_NOT_PINNED, "key_not_pinned")               /* a new key where only pinned ones pass */
typedef enum symbi_schemapin_code {
#define SYMBI_SCHEMAPIN_CODE_ENUM(name, text) SYMBI_SCHEMAPIN_##name,
    SYMBI_SCHEMAPIN_CODE_LIST(SYMBI_SCHEMAPIN_CODE_ENUM)
#undef SYMBI_SCHEMAPIN_CODE_ENUM
    SYMBI_SCHEMAPIN_CODE_COUNT
} symbi_schemapin_code;
SYMBI_API const char *symbi_schemapin_code_name(symbi_schemapin_code c); /* "signature_invalid"; static */

typedef enum symbi_schemapin_status {
    SYMBI_SCHEMAPIN_S_INVALID = 0,
    SYMBI_SCHEMAPIN_S_UNSIGNED,
    SYMBI_SCHEMAPIN_S_REVOKED,
    SYMBI_SCHEMAPIN_S_PINNED,  /* the signature verifies; the key was seen for the first time and is pinned now */
    SYMBI_SCHEMAPIN_S_VERIFIED /* the signature verifies with a key that was pinned before, or no pins were given */
} symbi_schemapin_status;
SYMBI_API const char *symbi_schemapin_status_name(symbi_schemapin_status s); /* "invalid" "unsigned" "revoked" "pinned" "verified" */

/* What was signed. digest of a result is: of a schema H; of a folder its root hash; of a file SHA-256 of its bytes; of a bundle
 * SHA-256 of the signed bytes. */
typedef enum symbi_schemapin_subject {
    SYMBI_SCHEMAPIN_SCHEMA = 1,
    SYMBI_SCHEMAPIN_FOLDER,
    SYMBI_SCHEMAPIN_FILE,
    SYMBI_SCHEMAPIN_BUNDLE
} symbi_schemapin_subject;
SYMBI_API const char *symbi_schemapin_subject_name(symbi_schemapin_subject s); /* "schema" "folder" "file" "bundle" */

/* Which signature form it was. SINGLE and RUNTIME verify only where the caller allowed them. */
typedef enum symbi_schemapin_form {
    SYMBI_SCHEMAPIN_FORM_NONE = 0,
    SYMBI_SCHEMAPIN_FORM_V1,     /* "schemapin-v1" */
    SYMBI_SCHEMAPIN_FORM_SINGLE, /* "single-hash": ECDSA directly over H, as SchemaPin's Go signs */
    SYMBI_SCHEMAPIN_FORM_RUNTIME /* "runtime-native": the Symbiont runtime's, over the text re-serialised in document order */
} symbi_schemapin_form;
SYMBI_API const char *symbi_schemapin_form_name(symbi_schemapin_form f);

typedef enum symbi_schemapin_pinning { SYMBI_SCHEMAPIN_PIN_NONE = 0, SYMBI_SCHEMAPIN_PIN_FIRST_USE, SYMBI_SCHEMAPIN_PIN_PINNED } symbi_schemapin_pinning;

/* The outcome of one check: immutable, atomically refcounted, from the shared allocator. It speaks of exactly the bytes it was
 * computed over (digest) and of nothing else; only this library makes one. */
typedef struct symbi_schemapin_result symbi_schemapin_result;
SYMBI_API symbi_schemapin_result *symbi_schemapin_result_ref(symbi_schemapin_result *r);
SYMBI_API void symbi_schemapin_result_unref(symbi_schemapin_result *r); /* NULL is fine */

/* Strings are borrowed from the result; "" where there is nothing to say. */
typedef struct symbi_schemapin_info {
    bool valid;   /* status is pinned or verified */
    bool expired; /* past expires_at; says nothing about valid unless expiry refuses */
    bool expiry_unreadable;
    symbi_schemapin_status status;
    symbi_schemapin_code code;
    symbi_schemapin_subject subject;
    symbi_schemapin_form form;
    symbi_schemapin_pinning pinning;
    symbi_str message;     /* of the failure, SchemaPin's words where it has some */
    symbi_str detail;      /* ours: what exactly was wrong */
    symbi_str domain, tool_id, developer_name;
    symbi_str fingerprint; /* "sha256:<hex>" of the key that was used */
    symbi_str expires_at, schema_version, previous_hash, first_seen;
    bool has_digest;
    uint8_t digest[32];
    bool has_input;           /* the check was given text */
    uint8_t input_sha256[32]; /* of that text */
    int64_t checked_at;       /* the `now` of the check */
    int64_t valid_until;      /* last second at which expires_at has not passed; INT64_MAX without one */
    size_t warning_count;
} symbi_schemapin_info;
SYMBI_API void symbi_schemapin_result_info(const symbi_schemapin_result *r, symbi_schemapin_info *out);
SYMBI_API symbi_str symbi_schemapin_result_warning(const symbi_schemapin_result *r, size_t i); /* empty past the end */
/* {"valid","status","domain","tool_id","key_pinning",...,"error_code","error_message","warnings"} as one tree. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_result_value(symbi_ctx *cx, const symbi_schemapin_result *r, symbi_doc **out, symbi_err *err);

/* For whoever takes a result as proof (the gate): true only when r is valid, speaks of this subject and exactly this digest,
 * and its expiry, if it has one, could be read and has not passed at now. NULL proves nothing. */
SYMBI_API bool symbi_schemapin_result_proves(const symbi_schemapin_result *r, symbi_schemapin_subject subject, const uint8_t digest[32], int64_t now);

#ifdef __cplusplus
}
#endif
#endif
