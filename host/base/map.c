/* base/map.c: open addressing over an entry array. SipHash-1-3 as published by Aumasson and Bernstein (2012). */
#include "base/map.h"
#include "base/alloc.h"
#include "base/str.h"

static uint64_t rotl(uint64_t x, int b) { return (x << b) | (x >> (64 - b)); }

#define ROUND                                                                                      \
    do {                                                                                           \
        v0 += v1; v1 = rotl(v1, 13); v1 ^= v0; v0 = rotl(v0, 32);                                  \
        v2 += v3; v3 = rotl(v3, 16); v3 ^= v2;                                                     \
        v0 += v3; v3 = rotl(v3, 21); v3 ^= v0;                                                     \
        v2 += v1; v1 = rotl(v1, 17); v1 ^= v2; v2 = rotl(v2, 32);                                  \
    } while (0)

uint64_t sy_siphash(const uint64_t seed[2], const void *ptr, size_t n)
{
    const unsigned char *p = ptr;
    uint64_t v0 = seed[0] ^ 0x736f6d6570736575u, v1 = seed[1] ^ 0x646f72616e646f6du;
    uint64_t v2 = seed[0] ^ 0x6c7967656e657261u, v3 = seed[1] ^ 0x7465646279746573u;
    uint64_t m, last = (uint64_t)n << 56;
    size_t i, left = n & 7;
    for (i = 0; i + 8 <= n; i += 8) {
        memcpy(&m, p + i, 8);
        v3 ^= m;
        ROUND;
        v0 ^= m;
    }
    for (size_t k = 0; k < left; k++) last |= (uint64_t)p[i + k] << (8 * k);
    v3 ^= last;
    ROUND;
    v0 ^= last;
    v2 ^= 0xff;
    ROUND;
    ROUND;
    ROUND;
    return v0 ^ v1 ^ v2 ^ v3;
}

void sy_map_init(sy_map *m, symbi_alloc alloc, const uint64_t seed[2])
{
    memset(m, 0, sizeof *m);
    m->alloc = alloc;
    m->seed[0] = seed[0];
    m->seed[1] = seed[1];
}

static size_t probe(const sy_map *m, symbi_str key, uint64_t h)
{
    size_t i = (size_t)h & (m->nslot - 1);
    for (;; i = (i + 1) & (m->nslot - 1)) {
        uint32_t s = m->slot[i];
        if (!s || (m->e[s - 1].hash == h && sy_str_eq(m->e[s - 1].key, key))) return i;
    }
}

sy_map_entry *sy_map_find(const sy_map *m, symbi_str key)
{
    size_t i;
    if (!m->n) return NULL;
    i = probe(m, key, sy_siphash(m->seed, key.p, key.n));
    return m->slot[i] ? &m->e[m->slot[i] - 1] : NULL;
}

static int rehash(sy_map *m, size_t nslot)
{
    uint32_t *s = sy_calloc(&m->alloc, nslot, sizeof *s);
    if (!s) return -1;
    sy_free(&m->alloc, m->slot, m->nslot * sizeof *s);
    m->slot = s;
    m->nslot = nslot;
    for (size_t i = 0; i < m->n; i++) s[probe(m, m->e[i].key, m->e[i].hash)] = (uint32_t)i + 1;
    return 0;
}

sy_map_entry *sy_map_put(sy_map *m, symbi_str key, bool *fresh)
{
    uint64_t h = sy_siphash(m->seed, key.p, key.n);
    size_t i;
    *fresh = false;
    if (m->nslot) {
        i = probe(m, key, h);
        if (m->slot[i]) return &m->e[m->slot[i] - 1];
    }
    if (m->n >= UINT32_MAX / 2 || sy_grow(&m->alloc, (void **)&m->e, &m->cap, m->n + 1, sizeof *m->e)) return NULL;
    if ((m->n + 1) * 4 > m->nslot * 3 && rehash(m, m->nslot ? m->nslot * 2 : 16)) return NULL;
    i = probe(m, key, h);
    m->e[m->n].key = key;
    m->e[m->n].hash = h;
    m->e[m->n].val.u = 0;
    m->slot[i] = (uint32_t)++m->n;
    *fresh = true;
    return &m->e[m->n - 1];
}

void sy_map_clear(sy_map *m)
{
    m->n = 0;
    if (m->slot) memset(m->slot, 0, m->nslot * sizeof *m->slot);
}

void sy_map_free(sy_map *m)
{
    sy_free(&m->alloc, m->e, m->cap * sizeof *m->e);
    sy_free(&m->alloc, m->slot, m->nslot * sizeof *m->slot);
    m->e = NULL;
    m->slot = NULL;
    m->n = m->cap = m->nslot = 0;
}
