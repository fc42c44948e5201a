/* symbi/audit.h: the tamper-evident trail (spec orga-oats.md 3.1, design.md section 7). Entries are hash-chained; every
 * commit is closed by an Ed25519 checkpoint; verify finds edits, reordering, removal (of the tail too) and roll-back.
 * One writer object per ctx; several processes may share one chain (the store serialises them). */
#ifndef SYMBI_AUDIT_H
#define SYMBI_AUDIT_H
#include "symbi/crypto.h"
#include "symbi/secrets.h"
#include "symbi/sys/store.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef struct symbi_audit symbi_audit;

typedef struct symbi_audit_options {
    symbi_str chain;        /* "" means "main"; 1 to 64 of A-Z a-z 0-9 . _ - */
    symbi_key *key;         /* private Ed25519 key, a reference is taken; required */
    bool sign_entries;      /* sign = "entry": each entry too */
    int64_t clock_slack_ms; /* how far the wall clock may stand behind the last entry; 0 means 5000 */
} symbi_audit_options;

typedef struct symbi_audit_event {
    symbi_str loop_id, agent_id;
    uint64_t iteration;
    symbi_str event; /* one JSON object text, kept byte for byte */
} symbi_audit_event;

/* Reads the tail and checks it: the last entry must hash, and the last checkpoint must cover it under this key, else EVERIFY
 * (writing on would sign over a tampered trail). The store struct is copied; what its ud points to must outlive the audit. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_audit_open(symbi_ctx *cx, const symbi_store *store, const symbi_audit_options *o, symbi_audit **out, symbi_err *err);
SYMBI_API void symbi_audit_free(symbi_audit *a);
/* From now on every call fails with EIO and the store is not touched any more, so that it may go away while others still
 * hold the audit. */
SYMBI_API void symbi_audit_detach(symbi_audit *a);
/* Appends n events and kv changes in one transaction with a checkpoint. Timestamps never decrease: a clock that stands a
 * little behind the last entry is read as that entry's time. When another process wrote first, the tail is read again and
 * the batch rebuilt, a few times. EINVAL, EPARSE (an event that is no JSON object), EEXISTS (a kv check failed) and ESTATE
 * (a batch is prepared) are answers to the caller; any other failure is a loss: nothing is stored, and it is remembered: the first entry of the next successful commit is {"type":"audit_gap","lost":n,"since_ms":t,"code":c}.
 * ECLOCK when the wall clock stands more than clock_slack_ms behind the last entry (nothing is written). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_audit_commit(symbi_audit *a, const symbi_audit_event *ev, size_t n, const symbi_store_kv *kv, size_t nkv, bool durable, symbi_err *err);
/* ECLOCK as above, without writing. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_audit_check_clock(symbi_audit *a, symbi_err *err);
/* An operator accepts the earlier clock: journals {"type":"clock_accepted",...} and goes on. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_audit_accept_clock(symbi_audit *a, symbi_err *err);
/* Known secrets never reach the trail: they are taken out of every text of an event before it is hashed (an entry's digests stay those of
 * what was decided about). NULL ends that. A reference is taken. */
SYMBI_API void symbi_audit_redact(symbi_audit *a, symbi_redactor *r);
SYMBI_API uint64_t symbi_audit_len(const symbi_audit *a);
SYMBI_API void symbi_audit_head(const symbi_audit *a, uint8_t head[32]);

/* The same transaction built but not written, for a writer outside the worker (COMMIT effect): prepare encodes the batch as
 * bytes, confirm takes the writer's receipt (the new head) and makes it the tail, abandon drops it and remembers the loss.
 * One prepared batch at a time (ESTATE). symbi_audit_apply is the writer's side: decode, check, commit to its store. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_audit_prepare(symbi_audit *a, const symbi_audit_event *ev, size_t n, const symbi_store_kv *kv, size_t nkv, symbi_text *out, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_audit_confirm(symbi_audit *a, symbi_str receipt, symbi_err *err);
SYMBI_API void symbi_audit_abandon(symbi_audit *a);
/* Drops the prepared batch without a loss, because the same events will be prepared again (the writer said ESTATE: another
 * one wrote first). The tail is read again by the next call. */
SYMBI_API void symbi_audit_retract(symbi_audit *a);
/* Applying the same batch again gives the same receipt. The checkpoint must be by the key of the chain's last one, and by
 * pub when that is not NULL (an empty chain has no key yet). ESTATE: the chain moved on. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_audit_apply_by(symbi_ctx *cx, const symbi_store *store, symbi_str batch, const uint8_t pub[32], uint8_t receipt[32], symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_audit_apply(symbi_ctx *cx, const symbi_store *store, symbi_str batch, uint8_t receipt[32], symbi_err *err);

/* Offline verification. anchor: what an outside copy of a checkpoint says, or NULL. */
typedef enum symbi_audit_result {
    SYMBI_AUDIT_UNVERIFIED = 0,
    SYMBI_AUDIT_OK,
    SYMBI_AUDIT_SEQUENCE,          /* an entry is missing or out of order */
    SYMBI_AUDIT_CHAIN,             /* an entry does not hash to its link: edited */
    SYMBI_AUDIT_SIGNATURE,         /* a signature does not verify, or is by another key */
    SYMBI_AUDIT_TRUNCATED,         /* entries that a checkpoint or the anchor covers are gone */
    SYMBI_AUDIT_ANCHOR,            /* the chain is another one than the anchor's: rolled back or replaced */
    SYMBI_AUDIT_UNANCHORED         /* entries that no checkpoint, signature or anchor covers: appended by someone without the key */
} symbi_audit_result;
SYMBI_API const char *symbi_audit_result_name(symbi_audit_result r); /* "ok" "sequence" "chain_integrity" "invalid_signature" "truncated" "anchor_mismatch" "not_anchored" "unverified" */

typedef struct symbi_audit_report {
    symbi_audit_result result;
    uint64_t entries;       /* read */
    uint64_t anchored;      /* entries 0..anchored-1 are covered by a good checkpoint, entry signature or anchor */
    uint64_t checkpoints;   /* good ones */
    uint64_t bad_sequence;  /* the first entry at fault, when result is not OK */
    uint64_t gaps;          /* audit_gap entries seen */
    uint64_t clock_back;    /* timestamps that decrease: a warning */
    uint8_t head[32];
    char detail[200];
} symbi_audit_report;
/* pub: 32-byte public key that checkpoints must carry. The status tells whether the store could be read; the verdict is in
 * the report. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_audit_verify(symbi_ctx *cx, const symbi_store *store, symbi_str chain, const uint8_t pub[32], const symbi_store_checkpoint *anchor, symbi_audit_report *out, symbi_err *err);

/* The same for entries that come one by one (an export): entries in order, each checkpoint after the entries it covers.
 * A status other than OK means that the work could not be done; what is wrong with the trail is in the report. After the
 * first fault the rest is only counted. An anchor whose signature is all zeros is taken as given (len and head only). */
typedef struct symbi_audit_verifier symbi_audit_verifier;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_audit_verifier_new(symbi_ctx *cx, const uint8_t pub[32], const symbi_store_checkpoint *anchor, symbi_audit_verifier **out, symbi_err *err);
SYMBI_API void symbi_audit_verifier_free(symbi_audit_verifier *v);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_audit_verifier_entry(symbi_audit_verifier *v, const symbi_store_row *row, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_audit_verifier_checkpoint(symbi_audit_verifier *v, const symbi_store_checkpoint *cp, symbi_err *err);
SYMBI_API void symbi_audit_verifier_finish(symbi_audit_verifier *v, symbi_audit_report *out);

/* A store in memory, for tests and embedders that keep no state. Nothing survives it. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_memstore_new(symbi_ctx *cx, symbi_store *out, symbi_err *err);
SYMBI_API void symbi_memstore_free(symbi_store *s); /* a zeroed struct is fine; zeroes it */

#ifdef __cplusplus
}
#endif
#endif
