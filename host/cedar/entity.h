/* cedar/entity.h: the entity store. All uids that occur get a number; every entity knows its ancestors as a sorted list of
 * numbers, unless all lists together would become too large: then it is walked (huge or very deep hierarchies). */
#ifndef SY_CEDAR_ENTITY_H
#define SY_CEDAR_ENTITY_H
#include "base/ref.h"
#include "cedar/ast.h"
#include "cedar/convert.h"

typedef struct sy_centity {
    sy_cuid uid;
    const sy_cattr *attrs, *tags;
    uint32_t nattrs, ntags;
    const uint32_t *parents, *anc; /* numbers of uids, ascending; anc NULL: to be walked */
    uint32_t nparents, nanc;
    uint32_t num;                  /* its own number */
} sy_centity;

struct symbi_cedar_entities {
    sy_ref refs;
    symbi_alloc alloc;
    sy_scratch mem;
    uint64_t seed[2];
    const sy_cuid *uids;
    const uint32_t *ent_of; /* by number: entity or SY_NONE */
    const sy_centity *ents;
    const uint32_t *slots;
    uint32_t nuids, nents, mask;
};

uint32_t sy_centity_num(const symbi_cedar_entities *e, const sy_cuid *u); /* SY_NONE when the store never mentions it */
static inline const sy_centity *sy_centity_at(const symbi_cedar_entities *e, uint32_t num)
{
    return num == SY_NONE || e->ent_of[num] == SY_NONE ? NULL : &e->ents[e->ent_of[num]];
}
/* Is uid number `anc` an ancestor of e (not e itself)? mem: for the walk; *work counts steps; *oom set on failure. */
bool sy_centity_in(const symbi_cedar_entities *s, const sy_centity *e, uint32_t anc, sy_scratch *mem, uint64_t *work, bool *oom);
void sy_u32_sort(uint32_t *v, size_t n);
#endif
