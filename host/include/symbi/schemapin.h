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

/* ---- canonical form, hash, keys, signatures ------------------------------------------------------------------------------ */

enum {
    SYMBI_SCHEMAPIN_STRICT = 1,      /* a member that appears twice is ESCHEMA; else its last value counts */
    SYMBI_SCHEMAPIN_FOR_SIGNING = 2, /* refuse numbers that implementations write differently (exponents, beyond 64 bits) */
    SYMBI_SCHEMAPIN_EMBEDDED = 4,    /* leave out the top-level member "signature" */
    SYMBI_SCHEMAPIN_SERDE = 8        /* floats as the Symbiont runtime writes them (its hash of MCP server entries) */
};
enum { /* what was noticed on the way */
    SYMBI_SCHEMAPIN_NOTE_NUMBER = 1,   /* a number other than |n| <= 2^53 or a plain fraction: not every implementation agrees */
    SYMBI_SCHEMAPIN_NOTE_DUPLICATE = 2 /* a member appeared twice */
};
/* "schemapin-v1" of value, or of the text json when value is NULL: members sorted by key in byte order, no white space, null
 * members kept, floats as Python's repr. notes may be NULL. EPARSE, ESCHEMA, ELIMIT (doc_bytes, doc_depth, output_bytes). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_canonical(symbi_ctx *cx, symbi_str json, const symbi_value *value, unsigned flags, symbi_text *out, unsigned *notes, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_hash(symbi_ctx *cx, symbi_str json, const symbi_value *value, unsigned flags, uint8_t out[32], unsigned *notes, symbi_err *err);
/* The bytes that the Symbiont runtime's own client signs for a schema file, and the signature embedded in it ("" without). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_runtime_input(symbi_ctx *cx, symbi_str json, symbi_text *signed_bytes, symbi_text *signature, symbi_err *err);
/* True for the one algorithm there is: "schemapin-v1" exactly, or a p of NULL (absent). */
SYMBI_API bool symbi_schemapin_canonicalization_ok(symbi_str name);

/* A public key as discovery documents hold it: SPKI PEM, P-256 only; anything else (a private key too) is EPARSE or ESCHEMA. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_public_key(symbi_ctx *cx, symbi_str pem, symbi_key **out, symbi_err *err);
/* "sha256:" and hex of SHA-256 of the DER SPKI, NUL-terminated. */
SYMBI_API void symbi_schemapin_fingerprint(const symbi_key *k, char out[SYMBI_SCHEMAPIN_FINGERPRINT + 1]);
/* Base64 of the DER signature, ECDSA-with-SHA-256 over message (for a schema: over its 32-byte hash). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_sign(symbi_ctx *cx, const symbi_key *k, symbi_str message, symbi_text *out, symbi_err *err);
/* OK, or EVERIFY for anything that is not a good signature (err->msg tells what). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_verify(symbi_ctx *cx, const symbi_key *k, symbi_str message, symbi_str signature, symbi_err *err);
/* RFC 3339 with a zone (upper-case T and Z, or an offset), in ms; false for anything else. */
SYMBI_API bool symbi_schemapin_time(symbi_str text, int64_t *ms);

/* ---- discovery and revocation documents ------------------------------------------------------------------------------------- */

/* .well-known/schemapin.json, read once: immutable, atomically refcounted. Reading does not judge the key: a document without one,
 * or with a bad one, is an object whose use in a check fails with discovery_invalid or key_not_found, as SchemaPin does. */
typedef struct symbi_schemapin_discovery symbi_schemapin_discovery;
typedef struct symbi_schemapin_discovery_info { /* borrowed */
    symbi_str schema_version, developer_name, contact, revocation_endpoint, public_key_pem;
    const symbi_key *key; /* NULL: there is none that can be used, key_problem says why */
    symbi_str key_problem, fingerprint;
    size_t revoked_count;
    bool valid; /* schema_version and public_key_pem are there, and the latter looks like a public key */
} symbi_schemapin_discovery_info;
/* ESCHEMA where a member that is there has the wrong type. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_discovery_read(symbi_ctx *cx, symbi_str json, const symbi_value *value, symbi_schemapin_discovery **out, symbi_err *err);
SYMBI_API symbi_schemapin_discovery *symbi_schemapin_discovery_ref(symbi_schemapin_discovery *d);
SYMBI_API void symbi_schemapin_discovery_unref(symbi_schemapin_discovery *d);
SYMBI_API void symbi_schemapin_discovery_get(const symbi_schemapin_discovery *d, symbi_schemapin_discovery_info *out);
SYMBI_API const symbi_value *symbi_schemapin_discovery_value(const symbi_schemapin_discovery *d); /* the document itself */

/* {"schemapin_version","domain","updated_at","revoked_keys":[{"fingerprint","revoked_at","reason"}]}. An unknown reason revokes like
 * any other; an entry without a fingerprint is ESCHEMA, never skipped; no revoked_keys is an empty list. */
typedef struct symbi_schemapin_revocation symbi_schemapin_revocation;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_revocation_read(symbi_ctx *cx, symbi_str json, const symbi_value *value, symbi_schemapin_revocation **out, symbi_err *err);
SYMBI_API symbi_schemapin_revocation *symbi_schemapin_revocation_ref(symbi_schemapin_revocation *r);
SYMBI_API void symbi_schemapin_revocation_unref(symbi_schemapin_revocation *r);
SYMBI_API const symbi_value *symbi_schemapin_revocation_value(const symbi_schemapin_revocation *r);
/* True when fingerprint is revoked: by the simple list of d first, then by r (either may be NULL). Hex is compared without regard to
 * case. why (may be NULL) gets "Key F is in simple revocation list" or "Key F is revoked: REASON". */
SYMBI_API bool symbi_schemapin_revoked(symbi_str fingerprint, const symbi_schemapin_discovery *d, const symbi_schemapin_revocation *r, char why[200]);

/* ---- pins ----------------------------------------------------------------------------------------------------------------- */

/* Which key was seen for (tool, domain), and what the operator said of a domain. A domain has no case here, and a final dot does not
 * count; a tool id is what it is. Owned by one thread's ctx. On disk: an array of
 * {"tool_id","domain","pinned_keys":[{"fingerprint","first_seen","last_seen","trust_level",...}]} as SchemaPin's Rust writes; its
 * other form {"tool@domain":"sha256:..."} is read too, split at the last @. Files are the caller's business. */
typedef struct symbi_schemapin_pins symbi_schemapin_pins;
typedef enum symbi_schemapin_policy {
    SYMBI_SCHEMAPIN_POLICY_DEFAULT = 0,
    SYMBI_SCHEMAPIN_POLICY_ALWAYS_TRUST, /* pin without asking; never replaces a pinned key */
    SYMBI_SCHEMAPIN_POLICY_NEVER_TRUST,
    SYMBI_SCHEMAPIN_POLICY_INTERACTIVE_ONLY /* always ask; refuse where nobody can be asked */
} symbi_schemapin_policy;
SYMBI_API const char *symbi_schemapin_policy_name(symbi_schemapin_policy p); /* "default" "always_trust" "never_trust" "interactive_only" */
SYMBI_API bool symbi_schemapin_policy_parse(symbi_str name, symbi_schemapin_policy *out);

typedef struct symbi_schemapin_pin { /* borrowed until the pins change */
    symbi_str tool_id, domain, fingerprint, first_seen, last_seen, trust_level, developer_name, public_key_pem;
} symbi_schemapin_pin;

SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_pins_new(symbi_ctx *cx, symbi_schemapin_pins **out, symbi_err *err);
SYMBI_API void symbi_schemapin_pins_free(symbi_schemapin_pins *p);
/* All of a file's text, or of a value; replaces what was there, or fails and changes nothing. An empty text is EPARSE: a file that
 * lost its content must not count as "nothing pinned yet". */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_pins_load(symbi_schemapin_pins *p, symbi_str json, const symbi_value *value, symbi_err *err);
/* joined: SchemaPin's light form {"tool@domain":"sha256:..."}, which holds no policies and one key each. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_pins_json(symbi_schemapin_pins *p, bool joined, symbi_text *out, symbi_err *err);
SYMBI_API size_t symbi_schemapin_pins_count(const symbi_schemapin_pins *p);
SYMBI_API bool symbi_schemapin_pins_at(const symbi_schemapin_pins *p, size_t i, symbi_schemapin_pin *out);
SYMBI_API bool symbi_schemapin_pins_find(const symbi_schemapin_pins *p, symbi_str tool_id, symbi_str domain, symbi_schemapin_pin *out);
/* Another number after every change of a pin or a policy, and unique to this object. */
SYMBI_API uint64_t symbi_schemapin_pins_generation(const symbi_schemapin_pins *p);
/* EEXISTS when another key is pinned (and replace is false); OK when this one is already. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_pins_add(symbi_schemapin_pins *p, const symbi_schemapin_pin *pin, int64_t now, bool replace, symbi_err *err);
SYMBI_API bool symbi_schemapin_pins_remove(symbi_schemapin_pins *p, symbi_str tool_id, symbi_str domain); /* false: there was none */
SYMBI_API symbi_schemapin_policy symbi_schemapin_pins_policy(const symbi_schemapin_pins *p, symbi_str domain);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_pins_set_policy(symbi_schemapin_pins *p, symbi_str domain, symbi_schemapin_policy policy, symbi_err *err);

/* The interactive side: what to do with a key, and what an answer does. C decides, the caller asks the human. */
typedef enum symbi_schemapin_mode { SYMBI_SCHEMAPIN_STRICT_MODE = 0, SYMBI_SCHEMAPIN_INTERACTIVE, SYMBI_SCHEMAPIN_AUTOMATIC } symbi_schemapin_mode;
typedef enum symbi_schemapin_prompt { SYMBI_SCHEMAPIN_ASK_NONE = 0, SYMBI_SCHEMAPIN_ASK_FIRST_KEY, SYMBI_SCHEMAPIN_ASK_KEY_CHANGE, SYMBI_SCHEMAPIN_ASK_REVOKED } symbi_schemapin_prompt;
typedef enum symbi_schemapin_choice {
    SYMBI_SCHEMAPIN_REJECT = 0,
    SYMBI_SCHEMAPIN_ACCEPT,
    SYMBI_SCHEMAPIN_TRUST_ALWAYS,
    SYMBI_SCHEMAPIN_TRUST_NEVER,
    SYMBI_SCHEMAPIN_ACCEPT_ONCE
} symbi_schemapin_choice;
/* *ask: NONE and *accepted the verdict, or what to ask. can_ask: there is someone. revoked: the key is on a list. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_pins_consider(symbi_schemapin_pins *p, const symbi_schemapin_pin *pin, symbi_schemapin_mode mode, bool force_prompt, bool can_ask, bool revoked, int64_t now, symbi_schemapin_prompt *ask, bool *accepted, symbi_err *err);
/* The answer to that question. A revoked key is let through by ACCEPT_ONCE alone, and never pinned. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_pins_answer(symbi_schemapin_pins *p, const symbi_schemapin_pin *pin, symbi_schemapin_prompt asked, symbi_schemapin_choice answer, int64_t now, bool *accepted, symbi_err *err);

/* ---- checking a schema ------------------------------------------------------------------------------------------------------- */

/* What a signature file says besides, none of it signed, and what the caller expects of it. */
typedef struct symbi_schemapin_meta {
    symbi_str expires_at, signed_at, schema_version, previous_hash; /* "" : absent */
    bool refuse_expired;          /* expired, or unreadable, is signature_expired; else the result stays valid and says so */
    int64_t max_age;              /* > 0: refuse what is older; nobody signed signed_at, so this refuses (timestamp_unsigned) */
    symbi_str expected_version;   /* n > 0: schema_version must be this */
    symbi_str expected_previous;  /* n > 0: previous_hash must be this */
} symbi_schemapin_meta;

/* Who calls through which agents (A2A). deny_all: an intersection that left nothing. */
typedef struct symbi_schemapin_a2a {
    int64_t delegation_depth;
    const symbi_str *trusted; /* domains, or "*." patterns; none: all, unless deny_all */
    size_t ntrusted;
    bool deny_all;
} symbi_schemapin_a2a;
enum { SYMBI_SCHEMAPIN_MAX_DELEGATION = 3 };
/* Exact, or "*.example.com" for names below it; letters as they are. */
SYMBI_API bool symbi_schemapin_a2a_allows(const symbi_schemapin_a2a *a, symbi_str domain);

/* Remembers successful checks; one per thread. A remembered one counts only for the same bytes, options, documents, pins as they
 * were, and a now between its check and its expiry, at most max_age seconds later. */
typedef struct symbi_schemapin_cache symbi_schemapin_cache;
/* entries 0: 256; bytes 0: 4 MiB; max_age 0: 300 s. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_cache_new(symbi_ctx *cx, size_t entries, size_t bytes, int64_t max_age, symbi_schemapin_cache **out, symbi_err *err);
SYMBI_API void symbi_schemapin_cache_free(symbi_schemapin_cache *c);
SYMBI_API void symbi_schemapin_cache_stats(const symbi_schemapin_cache *c, uint64_t *hits, uint64_t *misses);

/* Zero-initialise, set size. */
typedef struct symbi_schemapin_check {
    uint32_t size;
    symbi_str json;           /* the schema's text, or */
    const symbi_value *value; /* the schema */
    symbi_str signature;      /* base64; p NULL: unsigned */
    bool embedded;            /* the signature is the schema's own top-level member "signature" */
    bool signed_file;         /* json or value is {"schema", "signature", "signed_at", ...}: signature and meta come from it */
    bool allow_single, allow_runtime; /* forms besides schemapin-v1; RUNTIME needs json and embedded */
    bool only_pinned;         /* a key that is not pinned yet is key_not_pinned */
    bool strict;              /* refuse duplicate members */
    symbi_str domain, tool_id;
    symbi_str canonicalization; /* p NULL: not said */
    const symbi_schemapin_discovery *discovery; /* NULL: discovery_fetch_failed */
    const symbi_schemapin_revocation *revocation;
    symbi_schemapin_pins *pins; /* NULL: keys are not pinned */
    const symbi_schemapin_a2a *a2a;
    symbi_str dns_fingerprint;  /* of a DNS TXT record; n 0: none */
    symbi_schemapin_meta meta;
    symbi_schemapin_cache *cache;
    int64_t now;
} symbi_schemapin_check;
/* The steps of SchemaPin in its order, but a key is pinned only after the signature verified. *out is always a new reference. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_check_schema(symbi_ctx *cx, const symbi_schemapin_check *c, symbi_schemapin_result **out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
