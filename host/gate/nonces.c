/* gate/nonces.c: open addressing on the first eight bytes of the nonce, which the gate drew at random: nobody else can
 * choose where they fall, because a nonce is looked up only after its HMAC verified. */
#include "gate/nonces.h"
#include "base/alloc.h"

#include <string.h>

void sy_nonces_init(sy_nonces *s, symbi_alloc alloc, size_t max)
{
    memset(s, 0, sizeof *s);
    s->alloc = alloc;
    s->max = max;
}

void sy_nonces_free(sy_nonces *s)
{
    sy_free(&s->alloc, s->slot, s->nslot * sizeof *s->slot);
    s->slot = NULL;
    s->n = s->nslot = 0;
    s->forgot_ms = 0;
}

/* Where nonce is, or the free slot where it belongs; nslot must be non-zero and not full. */
static sy_nonce_slot *probe(sy_nonce_slot *slot, size_t nslot, const uint8_t *nonce)
{
    uint64_t h;
    memcpy(&h, nonce, sizeof h);
    for (size_t i = (size_t)h & (nslot - 1);; i = (i + 1) & (nslot - 1))
        if (!slot[i].expiry_ms || memcmp(slot[i].nonce, nonce, SY_NONCE_BYTES) == 0) return &slot[i];
}

bool sy_nonces_has(const sy_nonces *s, const uint8_t nonce[SY_NONCE_BYTES], int64_t expiry_ms)
{
    if (expiry_ms <= s->forgot_ms) return true;
    return s->nslot && probe(s->slot, s->nslot, nonce)->expiry_ms != 0;
}

/* Rebuilds into nslot slots without the expired ones. */
static symbi_status rebuild(sy_nonces *s, size_t nslot, int64_t now_ms)
{
    sy_nonce_slot *fresh = sy_calloc(&s->alloc, nslot, sizeof *fresh);
    size_t n = 0;
    if (!fresh) return SYMBI_ENOMEM;
    for (size_t i = 0; i < s->nslot; i++)
        if (s->slot[i].expiry_ms && s->slot[i].expiry_ms >= now_ms) {
            *probe(fresh, nslot, s->slot[i].nonce) = s->slot[i];
            n++;
        } else if (s->slot[i].expiry_ms > s->forgot_ms) {
            s->forgot_ms = s->slot[i].expiry_ms;
        }
    sy_free(&s->alloc, s->slot, s->nslot * sizeof *s->slot);
    s->slot = fresh;
    s->nslot = nslot;
    s->n = n;
    return SYMBI_OK;
}

symbi_status sy_nonces_add(sy_nonces *s, const uint8_t nonce[SY_NONCE_BYTES], int64_t expiry_ms, int64_t now_ms)
{
    symbi_status st;
    sy_nonce_slot *slot;
    if (expiry_ms <= 0) return SYMBI_EINVAL;
    if (s->n >= s->max || (s->n + 1) * 2 > s->nslot) {
        /* first try to make room by forgetting what has expired; grow only when that does not halve the load */
        if (s->nslot && (st = rebuild(s, s->nslot, now_ms))) return st;
        if (s->n >= s->max) return SYMBI_ELIMIT;
        if ((s->n + 1) * 4 > s->nslot && (st = rebuild(s, s->nslot ? s->nslot * 2 : 64, now_ms))) return st;
    }
    slot = probe(s->slot, s->nslot, nonce);
    memcpy(slot->nonce, nonce, SY_NONCE_BYTES);
    slot->expiry_ms = expiry_ms;
    s->n++;
    return SYMBI_OK;
}
