/* schemapin/docs.h: what the files of this folder share: hashes and times as text, and the inside of parsed documents. */
#ifndef SY_SCHEMAPIN_DOCS_H
#define SY_SCHEMAPIN_DOCS_H
#include "base/arena.h"
#include "base/ref.h"
#include "codec/value.h"
#include "schemapin/result.h"
#include "symbi/schemapin.h"

void sy_sp_hash_text(const uint8_t d[32], char out[SYMBI_SCHEMAPIN_FINGERPRINT + 1]); /* "sha256:<hex>" */
const char *sy_sp_find(symbi_str s, symbi_str part); /* the first place of part (not empty) in s, or NULL */
bool sy_sp_contains(symbi_str s, symbi_str part);
bool sy_sp_same_hash(symbi_str a, symbi_str b); /* letters in either case */
bool sy_sp_same_domain(symbi_str a, symbi_str b); /* host names: no case, final dots ignored */
void sy_sp_time_text(int64_t now, char out[21]); /* "YYYY-MM-DDThh:mm:ssZ" */

/* A document that was read: its own memory (shared allocator), its value, and what reading it found. */
struct symbi_schemapin_discovery {
    sy_ref refs;
    symbi_doc *doc;
    symbi_alloc alloc;
    symbi_str schema_version, developer_name, contact, revocation_endpoint, pem;
    const symbi_value *revoked; /* array of strings, or NULL */
    symbi_key *key;
    symbi_status key_status; /* OK, or why there is no key */
    char key_problem[200];
    char fingerprint[SYMBI_SCHEMAPIN_FINGERPRINT + 1];
    bool has_marker;
};
struct symbi_schemapin_revocation {
    sy_ref refs;
    symbi_doc *doc;
    symbi_alloc alloc;
    symbi_str domain;
    const symbi_value *entries; /* array of objects, or NULL */
};

/* A copy of value, or json parsed: strict JSON, at most max bytes. */
symbi_status sy_sp_document(symbi_ctx *cx, symbi_str json, const symbi_value *value, size_t max, const char *what, symbi_doc **out, symbi_err *err);
/* Member key of v through *out: "" when it is absent or null, ESCHEMA when it is no string. */
symbi_status sy_sp_text_member(const symbi_value *v, const char *key, symbi_str *out, symbi_err *err);

/* What is read of expires_at and the like; fills d->info (expired, expires_at, valid_until, ...) and warns. False when refused. */
bool sy_sp_judge_meta(sy_sp_draft *d, const symbi_schemapin_meta *m, int64_t now);
/* The steps that schemas and folders share: canonicalisation name, discovery, key, revocation, pin. On success *key is borrowed
 * from the discovery document. pinned is set to what the pin store says. */
typedef struct sy_sp_common {
    symbi_str canonicalization, domain, tool_id;
    const symbi_schemapin_discovery *discovery;
    const symbi_schemapin_revocation *revocation;
    symbi_schemapin_pins *pins;
    bool only_pinned;
    int64_t now;
} sy_sp_common;
bool sy_sp_before_signature(sy_sp_draft *d, const sy_sp_common *c, const symbi_key **key);
/* After the signature verified: pins a key that is new. Memory may fail. */
symbi_status sy_sp_after_signature(sy_sp_draft *d, const sy_sp_common *c, symbi_err *err);
/* The DNS record's fingerprint against the key's. */
bool sy_sp_judge_dns(sy_sp_draft *d, symbi_str dns_fingerprint);
/* Of the signature forms that are allowed: message is what schemapin-v1 signs (32 bytes), preimage what hashes to it. SYMBI_OK with
 * d->info.form set, or refused; any other status is an error. */
symbi_status sy_sp_try_forms(symbi_ctx *cx, sy_sp_draft *d, const symbi_key *key, symbi_str message, symbi_str preimage, bool allow_single, symbi_str signature, bool *good, symbi_err *err);
#endif
