/* symbi/secrets.h: secrets at rest and in memory: the encrypted containers, the map of names and values, who may see what, and what keeps
 * values out of logs. Pure: files, Vault and the environment are read by lua/symbi/secrets.lua, which hands bytes in here. Memory that
 * held a value or a key is overwritten before it is given back; texts that hold one are freed with symbi_text_wipe. */
#ifndef SYMBI_SECRETS_H
#define SYMBI_SECRETS_H
#include "symbi/crypto.h"
#include "symbi/value.h"
#ifdef __cplusplus
extern "C" {
#endif

enum {
    SYMBI_SECRETS_MAX = 10000,       /* names in one store */
    SYMBI_SECRET_MAX_KEY = 128,      /* bytes of a name */
    SYMBI_SECRET_MAX_VALUE = 65536,  /* bytes of a value */
    SYMBI_SECRETS_MAX_BYTES = 4 << 20, /* of a container or a file */
    SYMBI_SECRET_MIN_MASKED = 4      /* shorter values are not looked for in texts: they would match everywhere */
};

/* ---- containers -------------------------------------------------------------------------------------------------------- */
typedef enum symbi_box_kind {
    SYMBI_BOX_ENVELOPE = 1, /* JSON: ciphertext, nonce, salt, algorithm, kdf; the key is Argon2id of a password */
    SYMBI_BOX_RAW,          /* nonce, ciphertext, tag; the key is base64 of 32 bytes */
    SYMBI_BOX_SHELL         /* nonce, ciphertext, tag; the key is SHA-256 of a passphrase: read it, and write something better */
} symbi_box_kind;
enum {
    SYMBI_BOX_LEGACY_KDF = 1, /* opening: a label we do not know means the old cost (m=19456, t=2), as it does upstream */
    SYMBI_BOX_UPSTREAM = 2    /* sealing: the label that today's Symbiont runtime reads, without associated data */
};
#define SYMBI_BOX_LABEL "Argon2id-m65536-t3-p1-ad" /* our label: the cost upstream writes; algorithm and label are authenticated */
#define SYMBI_BOX_LABEL_UPSTREAM "Argon2id-m65536-t3-p1"

#define SYMBI_BOX_REASON_LIST(X)                                                                                             \
    X(OK, "ok")                                                                                                                \
    X(EMPTY, "the file is empty")                                                                                              \
    X(TRUNCATED, "the file is cut off")                                                                                        \
    X(NOT_BOX, "not a container of encrypted secrets")                                                                         \
    X(BASE64, "a part is not base64")                                                                                          \
    X(ALGORITHM, "the algorithm is not AES-256-GCM")                                                                           \
    X(KDF, "the key derivation is none we know")                                                                               \
    X(NONCE, "the nonce or the salt has the wrong length")                                                                     \
    X(KEY, "the key is empty, or not base64 of 32 bytes")                                                                      \
    X(DECRYPT, "the key is another one, or the file was altered")                                                              \
    X(CONTENT, "what was encrypted is no map of secrets")
typedef enum symbi_box_reason {
#define SYMBI_BOX_REASON_ENUM(name, text) SYMBI_BOX_R_##name,
    SYMBI_BOX_REASON_LIST(SYMBI_BOX_REASON_ENUM)
#undef SYMBI_BOX_REASON_ENUM
    SYMBI_BOX_REASON_COUNT
} symbi_box_reason;
SYMBI_API const char *symbi_box_reason_name(symbi_box_reason r);
SYMBI_API const char *symbi_box_reason_text(symbi_box_reason r);

/* Seals plain under key (a password, base64, or a passphrase, as the kind says; SHELL: EUNSUPPORTED). Salt and nonce are fresh. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_box_seal(symbi_ctx *cx, symbi_box_kind kind, symbi_str key, symbi_str plain, unsigned flags, symbi_text *out, symbi_err *err);
/* Opens; *out is a secret. *reason (may be NULL) tells what is wrong; the status is EPARSE, ESCHEMA, EINVAL or EVERIFY. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_box_open(symbi_ctx *cx, symbi_box_kind kind, symbi_str key, symbi_str box, unsigned flags, symbi_text *out, symbi_box_reason *reason, symbi_err *err);
/* What a text looks like: 0 for one that is no envelope. */
SYMBI_API symbi_box_kind symbi_box_guess(symbi_ctx *cx, symbi_str box);

/* ---- the map ----------------------------------------------------------------------------------------------------------- */
typedef struct symbi_secrets symbi_secrets;
typedef enum symbi_secrets_format { SYMBI_SECRETS_JSON = 1, SYMBI_SECRETS_TOML, SYMBI_SECRETS_ENV, SYMBI_SECRETS_YAML } symbi_secrets_format;

/* Letters, digits, '_', '-' and '.', not "..", 1 to 128 bytes: what may be made, and what may go into a path. */
SYMBI_API bool symbi_secret_key_valid(symbi_str key);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_secrets_new(symbi_ctx *cx, symbi_secrets **out, symbi_err *err);
SYMBI_API void symbi_secrets_free(symbi_secrets *s); /* NULL is fine; wipes */
/* A map from a text. JSON, TOML and YAML (whose parser's own memory is not wiped): the root is a map; a value that is no text becomes its JSON text; nothing is flattened. ENV: lines
 * NAME=value, with # comments, an optional `export `, and single or double quotes (\n \t \\ \" within double ones). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_secrets_read(symbi_ctx *cx, symbi_secrets_format format, symbi_str text, symbi_secrets **out, symbi_err *err);
/* box_open and read in one, so that the plain text is nowhere else. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_secrets_open(symbi_ctx *cx, symbi_box_kind kind, symbi_str key, symbi_str box, symbi_secrets_format format, unsigned flags, symbi_secrets **out, symbi_box_reason *reason, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_secrets_seal(const symbi_secrets *s, symbi_box_kind kind, symbi_str key, unsigned flags, symbi_text *out, symbi_err *err);
SYMBI_API size_t symbi_secrets_count(const symbi_secrets *s);
SYMBI_API symbi_str symbi_secrets_key(const symbi_secrets *s, size_t i); /* in byte order; p NULL past the end; borrowed until a change */
/* ENOTFOUND "Secret not found: <key>". The value is borrowed until a change. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_secrets_get(const symbi_secrets *s, symbi_str key, symbi_str *value, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_secrets_set(symbi_secrets *s, symbi_str key, symbi_str value, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_secrets_delete(symbi_secrets *s, symbi_str key, symbi_err *err);

/* ---- who may see what ------------------------------------------------------------------------------------------------- */
/* {"<agent pattern>": ["<key pattern>", ...] or {"read": [...], "write": [...]}, ...}; * stands for any run. A bare list is for reading. */
typedef struct symbi_secret_scope symbi_secret_scope;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_secret_scope_parse(symbi_ctx *cx, const symbi_value *doc, symbi_secret_scope **out, symbi_err *err);
SYMBI_API void symbi_secret_scope_free(symbi_secret_scope *s);
/* False unless a line says yes: no scope, an unknown agent, an empty or odd name are no. */
SYMBI_API bool symbi_secret_scope_allows(const symbi_secret_scope *s, symbi_str agent, symbi_str key, bool write);

/* ---- out of sight ------------------------------------------------------------------------------------------------------ */
/* Knows live values and takes them out of texts: as they are, and in the forms that texts carry them in: JSON-escaped, percent-encoded
 * (URLs and forms), base64 (both alphabets) and hex. */
typedef struct symbi_redactor symbi_redactor;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_redactor_new(symbi_ctx *cx, symbi_redactor **out, symbi_err *err);
SYMBI_API symbi_redactor *symbi_redactor_ref(symbi_redactor *r); /* one more owner; of the same ctx and thread */
SYMBI_API void symbi_redactor_free(symbi_redactor *r);           /* one owner less; the last one wipes it */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_redactor_add(symbi_redactor *r, symbi_str value, symbi_err *err); /* known ones are fine; short ones are left out */
SYMBI_API size_t symbi_redactor_count(const symbi_redactor *r);                                                /* values */
SYMBI_API void symbi_redactor_clear(symbi_redactor *r);
/* text with every known value replaced by [REDACTED]. r may be NULL. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_redactor_apply(const symbi_redactor *r, symbi_ctx *cx, symbi_str text, symbi_text *out, symbi_err *err);
/* A copy of v in which that is done to every text, member name and number. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_redactor_apply_value(const symbi_redactor *r, symbi_ctx *cx, const symbi_value *v, symbi_doc **out, symbi_err *err);

/* What looks like a secret: the 17 patterns of the runtime (keys of well-known services, bearer tokens, PEM blocks, JWTs, card and phone
 * numbers, addresses), in its order. A private key that is cut off is masked to the end of the text. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_mask_text(symbi_ctx *cx, symbi_str text, symbi_text *out, symbi_err *err);
/* True for a member name that has a sensitive word in it ("password", "api_key", "url", ...), in any case. */
SYMBI_API bool symbi_mask_key(symbi_str name);
/* A copy of v in which members with such names are "***" and every text is masked; known values are taken out where r is given. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_mask_value(symbi_ctx *cx, const symbi_redactor *r, const symbi_value *v, symbi_doc **out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
