/* agentpin/nonces.c: what was used already, bounded. Entries whose time is over are dropped when room is needed; while all are
 * live, a full store refuses: forgetting one would let it be used again. */
#include "agentpin/int.h"
#include "base/map.h"

typedef struct entry {
    uint64_t hash;
    int64_t expires;
    uint32_t n;
    char text[SYMBI_AGENTPIN_MAX_NONCE];
} entry;

struct symbi_agentpin_nonces {
    symbi_alloc alloc;
    uint64_t seed[2];
    entry **e;
    uint32_t *slot; /* index + 1, 0 = free */
    size_t n, cap, nslot, max;
    int64_t earliest; /* no entry ends before this */
};

symbi_status symbi_agentpin_nonces_new(symbi_ctx *cx, size_t max, symbi_agentpin_nonces **out, symbi_err *err)
{
    symbi_agentpin_nonces *s;
    *out = NULL;
    if (max > (1u << 24)) return sy_fail(err, SYMBI_EINVAL, "a nonce store holds at most %u entries", 1u << 24);
    s = sy_calloc(&cx->alloc, 1, sizeof *s);
    if (!s) return sy_fail_nomem(err);
    s->alloc = cx->alloc;
    s->seed[0] = cx->seed[0];
    s->seed[1] = cx->seed[1];
    s->max = max ? max : SYMBI_AGENTPIN_MAX_NONCES;
    s->earliest = INT64_MAX;
    *out = s;
    return SYMBI_OK;
}

void symbi_agentpin_nonces_free(symbi_agentpin_nonces *s)
{
    if (!s) return;
    for (size_t i = 0; i < s->n; i++) sy_free(&s->alloc, s->e[i], sizeof **s->e);
    sy_free(&s->alloc, s->e, s->cap * sizeof *s->e);
    sy_free(&s->alloc, s->slot, s->nslot * sizeof *s->slot);
    sy_free(&s->alloc, s, sizeof *s);
}

/* The slot of nonce, or the free one where it belongs. nslot must not be 0. */
static size_t probe(const symbi_agentpin_nonces *s, symbi_str nonce, uint64_t h)
{
    size_t i = (size_t)h & (s->nslot - 1);
    for (;; i = (i + 1) & (s->nslot - 1)) {
        const entry *e;
        if (!s->slot[i]) return i;
        e = s->e[s->slot[i] - 1];
        if (e->hash == h && e->n == nonce.n && !memcmp(e->text, nonce.p, nonce.n)) return i;
    }
}

static void refill(symbi_agentpin_nonces *s)
{
    memset(s->slot, 0, s->nslot * sizeof *s->slot);
    for (size_t k = 0; k < s->n; k++) {
        size_t i = (size_t)s->e[k]->hash & (s->nslot - 1);
        while (s->slot[i]) i = (i + 1) & (s->nslot - 1);
        s->slot[i] = (uint32_t)k + 1;
    }
}

static void purge(symbi_agentpin_nonces *s, int64_t now)
{
    size_t k = 0;
    if (s->earliest > now) return;
    s->earliest = INT64_MAX;
    for (size_t i = 0; i < s->n; i++) {
        if (s->e[i]->expires <= now) {
            sy_free(&s->alloc, s->e[i], sizeof **s->e);
            continue;
        }
        if (s->e[i]->expires < s->earliest) s->earliest = s->e[i]->expires;
        s->e[k++] = s->e[i];
    }
    s->n = k;
    refill(s);
}

static bool grow(symbi_agentpin_nonces *s)
{
    void *list = s->e;
    size_t want = s->nslot ? s->nslot * 2 : 64;
    uint32_t *slot;
    if (sy_grow(&s->alloc, &list, &s->cap, s->n + 1, sizeof *s->e)) return false;
    s->e = list;
    if ((s->n + 1) * 2 <= s->nslot) return true;
    slot = sy_calloc(&s->alloc, want, sizeof *slot);
    if (!slot) return false;
    sy_free(&s->alloc, s->slot, s->nslot * sizeof *s->slot);
    s->slot = slot;
    s->nslot = want;
    refill(s);
    return true;
}

bool symbi_agentpin_nonces_seen(const symbi_agentpin_nonces *s, symbi_str nonce, int64_t now)
{
    size_t i;
    if (!s->nslot || !nonce.n || nonce.n > SYMBI_AGENTPIN_MAX_NONCE) return false;
    i = probe(s, nonce, sy_siphash(s->seed, nonce.p, nonce.n));
    return s->slot[i] && s->e[s->slot[i] - 1]->expires > now;
}

symbi_status symbi_agentpin_nonces_use(symbi_agentpin_nonces *s, symbi_str nonce, int64_t now, int64_t expires, symbi_err *err)
{
    uint64_t h;
    size_t i;
    entry *e;
    if (!nonce.n || nonce.n > SYMBI_AGENTPIN_MAX_NONCE) return sy_fail(err, SYMBI_EINVAL, "a nonce has 1 to %d bytes, not %zu", SYMBI_AGENTPIN_MAX_NONCE, nonce.n);
    if (expires <= now) return sy_fail(err, SYMBI_EINVAL, "the nonce's time is over");
    h = sy_siphash(s->seed, nonce.p, nonce.n);
    if (s->nslot) {
        i = probe(s, nonce, h);
        if (s->slot[i]) {
            e = s->e[s->slot[i] - 1];
            if (e->expires > now) return sy_fail(err, SYMBI_EEXISTS, "Nonce '%.*s' has already been used (replay attack)", SY_FMT(nonce));
            e->expires = expires;
            if (expires < s->earliest) s->earliest = expires;
            return SYMBI_OK;
        }
    }
    if (s->n == s->max || s->n == s->cap) purge(s, now);
    if (s->n == s->max) return sy_fail(err, SYMBI_ELIMIT, "%zu nonces are in use, and that is the limit", s->max);
    if (!grow(s)) return sy_fail_nomem(err);
    e = sy_alloc(&s->alloc, sizeof *e);
    if (!e) return sy_fail_nomem(err);
    e->hash = h;
    e->expires = expires;
    e->n = (uint32_t)nonce.n;
    memcpy(e->text, nonce.p, nonce.n);
    if (expires < s->earliest) s->earliest = expires;
    s->e[s->n] = e;
    s->slot[probe(s, nonce, h)] = (uint32_t)s->n + 1;
    s->n++;
    return SYMBI_OK;
}

size_t symbi_agentpin_nonces_count(const symbi_agentpin_nonces *s) { return s->n; }
