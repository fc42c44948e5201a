/* toolclad/plan_in.h: the inside of a plan, for plan.c and seal.c. */
#ifndef SY_TOOLCLAD_PLAN_IN_H
#define SY_TOOLCLAD_PLAN_IN_H
#include "base/arena.h"
#include "base/ref.h"
#include "symbi/toolclad.h"

typedef struct plan_impl {
    sy_ref refs;
    sy_arena arena; /* the plan itself lies in it */
    symbi_tool *tool; /* a reference: the author's texts are borrowed from it */
    symbi_plan pub;
    symbi_value args; /* what pub.args points to */
} plan_impl;

/* Is p sealed, and is it still what was sealed? ESTATE when not. */
symbi_status sy_plan_sealed(symbi_ctx *cx, const symbi_plan *p, symbi_err *err);
#endif
