/* agentpin/int.h: what the files of host/agentpin share: failing with a protocol code, reading members of hostile documents,
 * and building documents. */
#ifndef SY_AGENTPIN_INT_H
#define SY_AGENTPIN_INT_H
#include "base/alloc.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/build.h"
#include "symbi/agentpin.h"
#include "symbi/json.h"

#define SY_AP_ALG "ES256"
#define SY_AP_TYP "agentpin-credential+jwt"
#define SY_AP_VERSION "0.1"
#define SY_AP_DISCOVERY_PATH "/.well-known/agent-identity.json"
#define SY_AP_REVOCATION_PATH "/.well-known/agent-identity-revocations.json"

/* Sets *code (where not NULL) and *err; returns st. */
symbi_status sy_ap_fail(symbi_err *err, symbi_status st, symbi_agentpin_code *code, symbi_agentpin_code c, const char *fmt, ...) SYMBI_PRINTF(5, 6);

/* A structure that the caller filled: made for this version of the header? */
#define SY_AP_SIZED(p, name)                                                                       \
    do {                                                                                           \
        if (!(p) || (p)->size != sizeof *(p)) return sy_fail(err, SYMBI_EINVAL, name ".size is wrong: set it to sizeof(" name ")"); \
    } while (0)

/* Member key of object v as text / integer / array; false when it is absent or of another type. */
bool sy_ap_str(const symbi_value *v, const char *key, symbi_str *out);
bool sy_ap_int(const symbi_value *v, const char *key, int64_t *out);
const symbi_value *sy_ap_array(const symbi_value *v, const char *key); /* NULL otherwise */
bool sy_ap_is_null(const symbi_value *v);                              /* absent or null */
bool sy_ap_strings(const symbi_value *v);                              /* an array of strings */
/* A value for an error message: its text, its digits, or "(object)". buf has room for 24 bytes. */
symbi_str sy_ap_show(const symbi_value *v, char buf[24]);

/* A document under construction. done: takes *d over on success, frees it on failure. */
symbi_status sy_ap_doc_new(symbi_ctx *cx, symbi_doc **d, symbi_err *err);
symbi_status sy_ap_doc_done(symbi_doc *d, symbi_status st, symbi_value root, symbi_doc **out, symbi_err *err);
symbi_value sy_ap_dup(symbi_doc *d, symbi_str s);                         /* a copied string */
symbi_value sy_ap_copy(symbi_ctx *cx, symbi_doc *d, const symbi_value *v, symbi_status *st, symbi_err *err); /* a deep copy; *st sticks */
symbi_value sy_ap_time(symbi_doc *d, int64_t now);                        /* "2026-05-28T20:26:40Z" */
/* The members of v as a list that can be changed, values shared with v: put replaces or appends. */
sy_obj sy_ap_open(symbi_doc *d, const symbi_value *v);
void sy_ap_set(sy_obj *o, const char *key, symbi_value v);

/* A token that went through step 1. */
typedef struct sy_ap_token {
    symbi_jwt *jwt;
    bool bad_signature; /* the third part is no base64url: fails as a signature, at its step */
    symbi_str signed_part; /* with bad_signature not to be used */
    symbi_str kid, iss, sub, aud, jti;
    bool has_aud;
    int64_t iat, exp, nbf;
    bool has_nbf;
    const symbi_value *capabilities, *constraints, *chain; /* the last two NULL when absent */
    symbi_agentpin_reason reason; /* why it failed */
    const symbi_value *claims;    /* also when a claim was wrong; NULL when unreadable */
} sy_ap_token;
/* Step 1. A refusal: EVERIFY, t->reason and err->msg; ENOMEM. sy_ap_token_free in any case. */
symbi_status sy_ap_token_parse(symbi_ctx *cx, symbi_str token, unsigned flags, sy_ap_token *t, symbi_err *err);
void sy_ap_token_free(sy_ap_token *t);
/* Step 5. */
symbi_status sy_ap_token_signature(symbi_ctx *cx, const sy_ap_token *t, const symbi_key *key, symbi_err *err);

symbi_status sy_ap_hash_hex(symbi_ctx *cx, symbi_str data, char out[65], symbi_err *err);
/* The thumbprint of a parsed key: for one that came from a JWK the same as symbi_agentpin_thumbprint's, since only one text of x
 * and y is accepted, but computed once. */
void sy_ap_key_hash(const symbi_key *k, char out[65]);
/* Standard base64, or (either) the URL alphabet too, padded or not. *out has room for SY_AP_SIG_MAX. False: no base64, too long. */
enum { SY_AP_SIG_MAX = 80 };
bool sy_ap_signature_bytes(symbi_str text, bool either, uint8_t *out, size_t *n);

/* Is the JWK for verifying signatures: use "sig" or absent, key_ops with "verify" or absent. */
bool sy_ap_key_use_ok(const symbi_value *jwk);
symbi_agentpin_reason sy_ap_issuer_reason(symbi_str iss); /* of one that symbi_agentpin_domain_ok refuses */
/* Seconds that a caller gave, kept where sums of a few of them do not overflow. */
int64_t sy_ap_seconds(int64_t t);
/* exp of a JWK: 0 fine, 1 expired at now - skew, -1 not readable. Absent and "" are fine. */
int sy_ap_key_expiry(const symbi_value *jwk, int64_t now, int64_t skew);

/* What check would say, changing nothing: NONE for an unknown domain. *first_seen is that of the domain's first key. */
symbi_agentpin_pinning sy_ap_pins_look(const symbi_agentpin_pins *p, symbi_str domain, const char hash[65], symbi_str *first_seen);
bool sy_ap_pins_room(const symbi_agentpin_pins *p, symbi_str domain); /* for one key more */
/* Stores the key or refreshes last_seen. added: explicitly, not on first use. */
symbi_status sy_ap_pins_put(symbi_agentpin_pins *p, symbi_str domain, symbi_str kid, const char hash[65], int64_t now, bool added, symbi_err *err);
#endif
