/* cedar/index.h: which policies can matter to a request. Every policy is filed once, under the rarest thing it demands: a
 * uid of its scope (itself or among the ancestors), a type of its scope, or a guard: `path == literal`, `path < number` or
 * `path.contains(literal)` among the first things its first `when` asks. What is not found there is false without an error,
 * whatever else it says. Where something asked before the guard, or the guard's own path, cannot be read, the whole group
 * are candidates, because evaluating them is then an error to be reported. */
#ifndef SY_CEDAR_INDEX_H
#define SY_CEDAR_INDEX_H
#include "cedar/ast.h"
#include "symbi/ctx.h"

enum {
    SY_INDEX_MIN = 16,  /* smaller sets are simply gone through */
    SY_INDEX_FIELDS = 64
};

/* Lists of policies by number: of key k, post[start[k]..start[k+1]). start NULL: nothing filed this way. */
typedef struct sy_cposting {
    const uint32_t *start, *post;
} sy_cposting;

/* An attribute path on a variable, and the type that what is done with it needs. */
typedef struct sy_cfield {
    uint8_t var;      /* sy_cvar */
    uint8_t npath;
    uint8_t tag;      /* sy_ctag, or SY_ANY_TAG */
    uint32_t path[4]; /* strings */
} sy_cfield;
#define SY_ANY_TAG 0xFF

typedef enum sy_cguard_kind { SY_GUARD_EQ, SY_GUARD_ORDER, SY_GUARD_CONTAINS } sy_cguard_kind;
enum { SY_GUARD_PRE = 6 };

/* Policies that share a guard's path and everything asked before it. */
typedef struct sy_cguard {
    uint16_t field;
    uint8_t kind, npre;
    uint16_t pre[SY_GUARD_PRE];     /* fields read before, in order */
    uint8_t has[SY_GUARD_PRE];      /* read by `has`: when it is missing they are false */
    uint32_t all, nall;             /* post: every policy of the group */
    uint32_t above, nabove;         /* ORDER: rules `value > limit`, ascending by limit... */
    uint32_t below, nbelow;         /* ...and `value < limit` */
} sy_cguard;

/* path == literal, path.contains(literal) */
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
    const sy_cfield *fields;
    uint32_t nfields;
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
