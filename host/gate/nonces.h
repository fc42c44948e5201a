/* gate/nonces.h: the set of redeemed permits, by nonce, each kept until its permit expires. Bounded: a full set refuses. */
#ifndef SY_GATE_NONCES_H
#define SY_GATE_NONCES_H
#include "symbi/base.h"

enum { SY_NONCE_BYTES = 16 };
typedef struct sy_nonce_slot {
    uint8_t nonce[SY_NONCE_BYTES];
    int64_t expiry_ms; /* 0: free */
} sy_nonce_slot;
typedef struct sy_nonces {
    symbi_alloc alloc;
    sy_nonce_slot *slot;
    size_t n, nslot, max;
    int64_t forgot_ms; /* the latest expiry among those that were dropped: a clock set back could bring them to life */
} sy_nonces;

void sy_nonces_init(sy_nonces *s, symbi_alloc alloc, size_t max);
void sy_nonces_free(sy_nonces *s);
/* Whether it was, or may have been, redeemed. */
bool sy_nonces_has(const sy_nonces *s, const uint8_t nonce[SY_NONCE_BYTES], int64_t expiry_ms);
/* Remembers a nonce that is not in the set. ELIMIT when max live ones are held (expired ones are dropped first), ENOMEM. */
SYMBI_MUST_USE symbi_status sy_nonces_add(sy_nonces *s, const uint8_t nonce[SY_NONCE_BYTES], int64_t expiry_ms, int64_t now_ms);
#endif
