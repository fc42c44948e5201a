/* gate/instead.h: what a policy asks for instead of a plain no: @instead on a forbid (symbi/gate.h says which). Read once, when a set is put
 * in force. */
#ifndef SY_GATE_INSTEAD_H
#define SY_GATE_INSTEAD_H
#include "base/arena.h"
#include "symbi/cedar.h"

/* In the order of precedence: what is put off is neither changed nor shown to a person; what is changed is judged again. */
typedef enum sy_instead_kind { SY_INSTEAD_NOTHING = 0, SY_INSTEAD_STEP_UP, SY_INSTEAD_MODIFY, SY_INSTEAD_DEFER } sy_instead_kind;

typedef struct sy_change {
    symbi_str arg;
    bool drop;
    symbi_value value;
} sy_change;

typedef struct sy_instead {
    uint32_t policy; /* its number in the set */
    sy_instead_kind kind;
    int64_t retry_ms; /* DEFER: a hint, 0 for none */
    sy_change *changes; /* MODIFY */
    size_t nchanges;
} sy_instead;

typedef struct sy_insteads {
    sy_arena arena;
    sy_instead *v; /* by policy */
    size_t n;
} sy_insteads;

/* Reads every @instead of the set. ESCHEMA, with the policy and its place, for one that is not understood or stands on a permit: a set whose
 * policies mean something that nobody carries out is not put in force. *out is empty on failure. set may be NULL. */
SYMBI_MUST_USE symbi_status sy_insteads_read(symbi_ctx *cx, const symbi_cedar *set, sy_insteads *out, symbi_err *err);
void sy_insteads_free(sy_insteads *in);
const sy_instead *sy_instead_of(const sy_insteads *in, uint32_t policy); /* NULL: a plain no */
/* The strongest of what the forbids of an answer ask for; NOTHING when one of them is a plain no. */
sy_instead_kind sy_instead_strongest(const sy_insteads *in, const symbi_cedar_answer *ans);
#endif
