/* cedar/eval.h: the state of one authorisation and the expression evaluator. */
#ifndef SY_CEDAR_EVAL_H
#define SY_CEDAR_EVAL_H
#include "base/ctx.h"
#include "cedar/ast.h"
#include "cedar/entity.h"

/* An entity of the request's overlay. e.num is SY_NONE, which tells it from a stored one. */
typedef struct sy_coverlay {
    sy_centity e; /* first: a pointer to it is a pointer to the whole */
    const sy_cuid *par;
    uint32_t npar, mark;
} sy_coverlay;

struct symbi_cedar_eval {
    symbi_ctx *cx;
    sy_scratch mem;
    const symbi_cedar *set;
    const symbi_cedar_entities *store; /* or NULL */
    sy_coverlay *overlay;
    uint32_t noverlay, mark;
    sy_cuid uid[3];               /* principal, action, resource */
    const sy_centity *ent[3];     /* what is known of them, or NULL */
    sy_cval context;
    const sy_cpolicy *policy;     /* being evaluated: its slots */
    bool indexed;                 /* the two below are filled */
    uint32_t sidx[3], tidx[3];    /* number of the request's uids and types in the set, or SY_NONE */
    /* Uids of the set that are principal, action, resource or above them: above[var * nuids + uid] == epoch, when listed[var]. */
    uint32_t *above;
    size_t cap_above;
    bool listed[3];
    /* Numbers of the set in the store and back, looked up once per pair; both are held so that the pair stays the same. */
    symbi_cedar *bound_set;
    symbi_cedar_entities *bound_store;
    uint32_t *uid_num, *num_uid;
    size_t cap_uid_num, cap_num_uid;
    uint64_t steps, budget;
    uint32_t depth;
    sy_cerr err;
    uint32_t *reasons; size_t nreasons, cap_reasons;
    symbi_cedar_error *errors; size_t nerrors, cap_errors;
    uint32_t *cand; size_t ncand, cap_cand;
    uint32_t *stamp; size_t cap_stamp; uint32_t epoch;
};

/* false: ev->err tells; SY_CEDAR_E_NOMEM or SY_CEDAR_E_STOP end the whole evaluation. */
#define SY_CEDAR_E_STOP ((symbi_cedar_error_kind)(SYMBI_CEDAR_E_COUNT_ + 1))
bool sy_ceval(symbi_cedar_eval *ev, uint32_t node, sy_cval *out);
bool sy_ceval_in(symbi_cedar_eval *ev, const sy_cuid *a, const sy_cuid *b, bool *result);
const sy_centity *sy_ceval_find(symbi_cedar_eval *ev, const sy_cuid *u);
bool sy_ceval_bind(symbi_cedar_eval *ev);             /* false: out of memory */
void sy_ceval_unbind(symbi_cedar_eval *ev);
uint32_t sy_ceval_uid_of_num(symbi_cedar_eval *ev, uint32_t num); /* store number -> uid of the set, or SY_NONE */
#define SY_UNKNOWN (SY_NONE - 1)
#endif
