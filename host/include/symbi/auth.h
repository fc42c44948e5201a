/* symbi/auth.h: who is calling the runtime: API keys, signed tokens, roles. Pure decisions: the key file is read by lua/symbi/auth.lua,
 * records that must survive go through the store plug point. Every refusal has a reason for the log; what goes to the caller is one
 * and the same answer. `now` is Unix seconds everywhere. */
#ifndef SYMBI_AUTH_H
#define SYMBI_AUTH_H
#include "symbi/jwt.h"
#include "symbi/sys/store.h"
#ifdef __cplusplus
extern "C" {
#endif

/* ---- permissions, environment, static tokens ---------------------------------------------------------------------------- */
enum { SYMBI_PERM_READ = 1, SYMBI_PERM_WRITE = 2, SYMBI_PERM_DELETE = 4, SYMBI_PERM_ADMIN = 8, SYMBI_PERM_EXECUTE = 16, SYMBI_PERM_ALL = 31 };
SYMBI_API unsigned symbi_permission_of(symbi_str name); /* "read" "write" "delete" "admin" "execute" in any case; 0 for another word */
SYMBI_API const char *symbi_permission_name(unsigned bit);

typedef enum symbi_environment { SYMBI_ENV_UNKNOWN = 0, SYMBI_ENV_DEVELOPMENT, SYMBI_ENV_STAGING, SYMBI_ENV_PRODUCTION, SYMBI_ENV_TEST } symbi_environment;
/* SYMBIONT_ENV: trimmed, any case; development dev local "" / staging stage preview / production prod / test ci. Anything else is EINVAL,
 * and whoever guards something reads that as production. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_environment_parse(symbi_str text, symbi_environment *out, symbi_err *err);
SYMBI_API const char *symbi_environment_name(symbi_environment e);

/* A static API token as an operator sets it: *token is text without the white space around it. EINVAL with upstream's message, without
 * the token in it unless it is a word of the public list. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_static_token_check(symbi_str text, symbi_str *token, symbi_err *err);
/* Compares digests, so that neither content nor length shows in the time. EVERIFY when they differ, or expected is empty. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_static_token_verify(symbi_ctx *cx, symbi_str presented, symbi_str expected, symbi_err *err);

/* ---- API keys: the file of the runtime ------------------------------------------------------------------------------------
 * [{"key_id", "key_hash": Argon2id PHC text, "agent_scope": [ids] | null, "description", "created_at", "revoked": false,
 *   "expires_at": RFC 3339 or seconds, "permissions": [names]}, ...]; members that we do not know are kept. Of two records with one id the
 * last one counts. A key is presented as <key_id>.<secret>. */
typedef struct symbi_apikeys symbi_apikeys;
enum {
    SYMBI_APIKEYS_MAX = 10000,
    SYMBI_APIKEY_MAX_BYTES = 1024,  /* of a presented key */
    SYMBI_APIKEY_CACHE = 256,       /* keys found good, by SHA-256 */
    SYMBI_APIKEY_CACHE_SECONDS = 60,
    SYMBI_APIKEY_LEGACY_SCAN = 64   /* records tried for a key without id */
};
#define SYMBI_APIKEY_REASON_LIST(X)                                                                                          \
    X(NONE, "not checked")                                                                                                     \
    X(OK, "ok")                                                                                                                \
    X(MALFORMED, "no key, or not of the form <key_id>.<secret>")                                                               \
    X(LEGACY, "a key without an id, and such keys are refused")                                                                \
    X(UNKNOWN, "no key of this id")                                                                                            \
    X(MISMATCH, "the secret is wrong")                                                                                         \
    X(BAD_HASH, "the stored hash is none we read")                                                                             \
    X(REVOKED, "the key is revoked")                                                                                           \
    X(EXPIRED, "the key has expired")
typedef enum symbi_apikey_reason {
#define SYMBI_APIKEY_REASON_ENUM(name, text) SYMBI_APIKEY_R_##name,
    SYMBI_APIKEY_REASON_LIST(SYMBI_APIKEY_REASON_ENUM)
#undef SYMBI_APIKEY_REASON_ENUM
    SYMBI_APIKEY_REASON_COUNT
} symbi_apikey_reason;
SYMBI_API const char *symbi_apikey_reason_name(symbi_apikey_reason r);
SYMBI_API const char *symbi_apikey_reason_text(symbi_apikey_reason r);

/* The whole file, or ESCHEMA naming the record. An empty text is an empty store. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_apikeys_parse(symbi_ctx *cx, symbi_str text, symbi_apikeys **out, symbi_err *err);
SYMBI_API void symbi_apikeys_free(symbi_apikeys *k); /* NULL is fine */
SYMBI_API size_t symbi_apikeys_count(const symbi_apikeys *k);
SYMBI_API const symbi_value *symbi_apikeys_record(const symbi_apikeys *k, size_t i); /* borrowed until a change; NULL past the end */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_apikeys_write(const symbi_apikeys *k, symbi_text *out, symbi_err *err);

typedef struct symbi_apikey_hit {
    symbi_apikey_reason reason; /* OK exactly when the status is SYMBI_OK */
    symbi_str key_id;           /* borrowed until a change; p NULL where no record was found */
    const symbi_value *record;  /* likewise, when OK */
    bool scoped;                /* agent_scope is a list: only those agents, and nothing that agents share */
    bool has_permissions;
    unsigned permissions;       /* SYMBI_PERM_*: of the record, or all when it names none */
    bool cached, legacy;
} symbi_apikey_hit;
enum { SYMBI_APIKEY_LEGACY_KEYS = 1, SYMBI_APIKEY_NO_CACHE = 2 };
/* One check costs one Argon2id (19 MiB, tens of ms), found or not found; a key that was good is good for a minute without one, unless it
 * is revoked or expires. EVERIFY "Invalid API key" whatever the reason. LEGACY_KEYS: a key without an id is tried against the records. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_apikeys_check(symbi_apikeys *k, symbi_str presented, int64_t now, unsigned flags, symbi_apikey_hit *out, symbi_err *err);
/* An agent's own routes: true when the key has no scope, or the agent is in it. */
SYMBI_API bool symbi_apikey_may_agent(const symbi_apikey_hit *hit, symbi_str agent);

typedef struct symbi_apikey_new {
    uint32_t size;
    symbi_str key_id;      /* letters, digits, '_', '-'; n 0: made */
    symbi_str description;
    const symbi_str *scope; /* with scoped: agent ids */
    size_t nscope;
    bool scoped;
    unsigned permissions;  /* 0: none are written */
    int64_t expires_at;    /* 0: never */
    symbi_argon2_cost cost; /* zero: m=19456, t=2, p=1 */
} symbi_apikey_new;
/* Adds a record; *presented (wipe it) is the key, which is shown once and kept nowhere. EEXISTS for an id that is taken. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_apikeys_create(symbi_apikeys *k, const symbi_apikey_new *n, int64_t now, symbi_text *presented, symbi_err *err);
/* Marks every record of that id; ENOTFOUND. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_apikeys_revoke(symbi_apikeys *k, symbi_str key_id, symbi_err *err);

/* ---- tokens and roles --------------------------------------------------------------------------------------------------- */
typedef struct symbi_auth symbi_auth;
enum { SYMBI_AUTH_MAX_ROLES = 1000, SYMBI_AUTH_MAX_NAME = 256, SYMBI_AUTH_MAX_LIST = 64 };
typedef enum symbi_token_type { SYMBI_TOKEN_ACCESS = 1, SYMBI_TOKEN_REFRESH, SYMBI_TOKEN_API_KEY } symbi_token_type;
SYMBI_API const char *symbi_token_type_name(symbi_token_type t); /* "access" "refresh" "api_key" */

#define SYMBI_AUTH_REASON_LIST(X)                                                                                            \
    X(NONE, SYMBI_EVERIFY, "not checked")                                                                                      \
    X(OK, SYMBI_OK, "ok")                                                                                                      \
    X(JWT, SYMBI_EVERIFY, "the token was refused")                                                                             \
    X(SUBJECT, SYMBI_EVERIFY, "the subject is missing or no text")                                                             \
    X(TYPE, SYMBI_EVERIFY, "the token is of another type")                                                                     \
    X(SHAPE, SYMBI_EVERIFY, "roles or permissions are no list of texts")                                                       \
    X(REVOKED, SYMBI_EVERIFY, "the token was revoked")                                                                         \
    X(REUSED, SYMBI_EVERIFY, "the refresh token was used before: all of its session is revoked")                               \
    X(DISABLED, SYMBI_EDENIED, "refresh tokens are disabled")                                                                  \
    X(FULL, SYMBI_ELIMIT, "too many revoked tokens are remembered")                                                            \
    X(STORE, SYMBI_EIO, "the store of revoked tokens failed")
typedef enum symbi_auth_reason {
#define SYMBI_AUTH_REASON_ENUM(name, st, text) SYMBI_AUTH_R_##name,
    SYMBI_AUTH_REASON_LIST(SYMBI_AUTH_REASON_ENUM)
#undef SYMBI_AUTH_REASON_ENUM
    SYMBI_AUTH_REASON_COUNT
} symbi_auth_reason;
SYMBI_API const char *symbi_auth_reason_name(symbi_auth_reason r);
SYMBI_API const char *symbi_auth_reason_text(symbi_auth_reason r);

typedef struct symbi_auth_options {
    uint32_t size;
    symbi_jwt_alg alg;              /* HS256 unless set; HS*, EdDSA, ES256, RS256 (verification only) */
    symbi_jwt_key verify, sign;     /* keys get references, a secret is copied; sign may be empty for verification alone; HS*: verify serves both */
    symbi_str issuer, audience;     /* "symbiont", "symbiont-api" */
    int64_t access_seconds, refresh_seconds; /* 3600, 86400 */
    int64_t leeway;                 /* 0 */
    bool refresh;                   /* true: refresh tokens are issued and taken */
    bool plain;                     /* tokens as the seed makes them, without jti and fam: revocation then goes by the token's own digest */
    size_t max_revoked;             /* 65536 */
} symbi_auth_options;
SYMBI_API void symbi_auth_options_init(symbi_auth_options *o);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_auth_new(symbi_ctx *cx, const symbi_auth_options *o, symbi_auth **out, symbi_err *err);
SYMBI_API void symbi_auth_free(symbi_auth *a); /* NULL is fine */
/* Used and revoked tokens go to the store too: revocation survives, and a refresh token is used once whichever process sees it. */
SYMBI_API void symbi_auth_use_store(symbi_auth *a, const symbi_store *store);

/* admin, user and readonly are there from the start. expires_at 0: never; a role that has expired grants nothing. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_auth_role_set(symbi_auth *a, symbi_str name, unsigned permissions, int64_t expires_at, symbi_err *err);
/* What these roles grant now; admin grants all. */
SYMBI_API unsigned symbi_auth_permissions(const symbi_auth *a, const symbi_str *roles, size_t n, int64_t now);
/* False for an unknown action. What is written in a token as its permissions grants nothing by itself. */
SYMBI_API bool symbi_auth_permitted(const symbi_auth *a, const symbi_str *roles, size_t n, symbi_str action, int64_t now);

typedef struct symbi_auth_claims {
    symbi_str user_id;
    const symbi_str *roles;
    size_t nroles;
    unsigned permissions;
    int64_t seconds;  /* -1: the type's own */
    symbi_str family; /* n 0: a new session */
} symbi_auth_claims;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_auth_issue(symbi_auth *a, symbi_token_type type, const symbi_auth_claims *c, int64_t now, symbi_text *out, symbi_err *err);
/* access and, where enabled, refresh of one new session; refresh is left empty otherwise. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_auth_login(symbi_auth *a, const symbi_auth_claims *c, int64_t now, symbi_text *access, symbi_text *refresh, symbi_err *err);

typedef struct symbi_auth_answer {
    symbi_auth_reason reason;
    symbi_jwt_reason jwt;
    symbi_doc *user; /* when OK, the caller's: {user_id, roles, permissions, dropped_permissions, type, jti, family, expires_at} */
} symbi_auth_answer;
/* A token of that type, good now, not revoked. Permissions that we do not know are dropped, and named. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_auth_validate(symbi_auth *a, symbi_str token, symbi_token_type type, int64_t now, symbi_auth_answer *out, symbi_err *err);
/* Takes a refresh token, once, for a new pair. One that comes a second time was stolen, or its successor was: the session ends. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_auth_refresh(symbi_auth *a, symbi_str token, int64_t now, symbi_text *access, symbi_text *refresh, symbi_auth_answer *out, symbi_err *err);
/* Revokes the token and its session. One that does not verify is refused, one that has expired needs nothing. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_auth_logout(symbi_auth *a, symbi_str token, int64_t now, symbi_auth_answer *out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
