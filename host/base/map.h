/* base/map.h: string-keyed hash map, SipHash-1-3 keyed from the ctx (keys come from attackers). Keys are borrowed and
 * must outlive the map. Entries are kept in insertion order in e[0..n). No removal; that keeps it small. */
#ifndef SY_BASE_MAP_H
#define SY_BASE_MAP_H
#include "symbi/base.h"

typedef struct sy_map_entry {
    symbi_str key;
    uint64_t hash;
    union { void *p; uint64_t u; } val;
} sy_map_entry;

typedef struct sy_map {
    symbi_alloc alloc;
    uint64_t seed[2];
    sy_map_entry *e;
    uint32_t *slot; /* index + 1 into e, 0 = free */
    size_t n, cap, nslot;
} sy_map;

uint64_t sy_siphash(const uint64_t seed[2], const void *p, size_t n);
void sy_map_init(sy_map *m, symbi_alloc alloc, const uint64_t seed[2]); /* allocates nothing yet */
sy_map_entry *sy_map_find(const sy_map *m, symbi_str key);           /* NULL when absent */
/* The entry for key, added (val zero, *fresh true) when absent; NULL when out of memory. */
sy_map_entry *sy_map_put(sy_map *m, symbi_str key, bool *fresh);
void sy_map_clear(sy_map *m);
void sy_map_free(sy_map *m);
#endif
