/* schemapin/cache.h: successful checks, remembered. */
#ifndef SY_SCHEMAPIN_CACHE_H
#define SY_SCHEMAPIN_CACHE_H
#include "symbi/schemapin.h"

/* The fields of a check beside its schema, flattened; made by a search, used again by the put that follows it. n 0: not cacheable. */
enum { SY_SP_KEY_MAX = 1024 };
typedef struct sy_sp_cache_key {
    uint64_t hash;
    size_t n;
    char bytes[SY_SP_KEY_MAX];
} sy_sp_cache_key;

/* True: *out is a new reference to the remembered result. False: key is ready for the put. */
bool sy_sp_cache_find(symbi_schemapin_cache *c, const symbi_schemapin_check *check, sy_sp_cache_key *key, symbi_schemapin_result **out);
/* Keeps r if it is valid. Forgets something else, or this, where there is no room; cannot fail. */
void sy_sp_cache_put(symbi_schemapin_cache *c, const symbi_schemapin_check *check, const sy_sp_cache_key *key, symbi_schemapin_result *r);
#endif
