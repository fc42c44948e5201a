/* cedar/index.h: which policies can matter to a request. Every policy is filed once, under the rarest thing it demands: a
 * uid of its scope (itself or among the ancestors), a type of its scope, or `path == literal` / `path < number` as the first
 * thing its first `when` asks. What is not found there is false without an error, whatever else it says; a path that
 * cannot be read makes its whole group candidates, because evaluating them is then an error to be reported. */
#ifndef SY_CEDAR_INDEX_H
#define SY_CEDAR_INDEX_H
#include "cedar/ast.h"
#include "symbi/ctx.h"

enum { SY_INDEX_MIN = 16 }; /* smaller sets are simply gone through */

/* Lists of policies by number: of key k, post[start[k]..start[k+1]). start NULL: nothing filed this way. */
typedef struct sy_cposting {
    const uint32_t *start, *post;
} sy_cposting;

/* One attribute path that guards policies. */
typedef struct sy_cguard {
    uint8_t var;       /* sy_cvar */
    uint8_t npath;
    bool has;          /* tested with `has` first: missing is false, not an error */
    bool ordered;      /* < <= > >= with integers, else == */
    uint32_t path[4];  /* strings */
    uint32_t all, nall;             /* post: every policy of the group */
    uint32_t above, nabove;         /* ordered: rules `value > limit`, ascending by limit... */
    uint32_t below, nbelow;         /* ...and `value < limit` */
} sy_cguard;

/* path == literal */
typedef struct sy_cguard_key {
    uint32_t guard; /* + 1; 0: free slot */
    uint8_t tag;
    uint64_t value; /* string, uid, number or truth */
    uint32_t at, n; /* post */
} sy_cguard_key;

typedef struct sy_climit {
    int64_t limit; /* above: value > limit; below: value < limit (>= and <= are moved by one) */
    uint32_t policy;
} sy_climit;

struct sy_cindex {
    const uint32_t *any; /* policies filed under nothing */
    uint32_t nany;
    sy_cposting eq[3], in[3], type[3];
    const sy_cguard *guards;
    uint32_t nguards;
    const sy_cguard_key *keys; /* open addressing */
    uint32_t key_mask;
    const uint32_t *post;      /* of guards and keys */
    const sy_climit *limits;   /* of ordered guards */
};

symbi_status sy_cindex_build(symbi_ctx *cx, symbi_cedar *set, symbi_err *err);
uint32_t sy_cguard_hash(uint32_t guard, uint8_t tag, uint64_t value);

struct symbi_cedar_eval;
/* Fills ev->cand with the policies to evaluate, each once, in no particular order. False: out of memory. */
bool sy_cindex_find(struct symbi_cedar_eval *ev);
#endif
