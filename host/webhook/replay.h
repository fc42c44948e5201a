/* webhook/replay.h: what was accepted lately: 256-bit keys with the second until which each is remembered. Bounded; in memory, and in a
 * store where one is given. */
#ifndef SY_WEBHOOK_REPLAY_H
#define SY_WEBHOOK_REPLAY_H
#include "symbi/sys/store.h"

typedef struct sy_replay_slot {
    int64_t until; /* 0: free */
    uint8_t key[32];
} sy_replay_slot;

typedef struct sy_replay {
    symbi_alloc alloc;
    sy_replay_slot *slot; /* open addressing; nslot is a power of two */
    size_t nslot, n, max;
    int64_t earliest; /* no entry ends before this: a full table is not searched in vain */
    const char *ns; /* of the records in a store; a literal */
    symbi_store store;
    bool stored;
    uint8_t cursor[64]; /* where the sweep of the store stands */
    bool has_cursor;
} sy_replay;

void sy_replay_init(sy_replay *r, symbi_alloc alloc, size_t max, const char *ns); /* allocates nothing yet */
void sy_replay_use_store(sy_replay *r, const symbi_store *store); /* NULL: memory alone */
void sy_replay_free(sy_replay *r);
/* Remembers all n (at most 4) keys until `until` (after now), or none: EEXISTS when one is known (*which says), ELIMIT when there is no room,
 * ENOMEM, or what the store says (*which is n then). */
SYMBI_MUST_USE symbi_status sy_replay_take(sy_replay *r, const uint8_t (*keys)[32], size_t n, int64_t until, int64_t now, size_t *which, symbi_err *err);
/* Whether key is remembered: EEXISTS when it is, OK when it is not, or what the store says. */
SYMBI_MUST_USE symbi_status sy_replay_known(sy_replay *r, const uint8_t key[32], int64_t now, symbi_err *err);
#endif
