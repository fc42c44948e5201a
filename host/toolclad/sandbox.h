/* toolclad/sandbox.h: what a tool's program runs in: from manifest and operator to the plan, and into its digest. */
#ifndef SY_TOOLCLAD_SANDBOX_H
#define SY_TOOLCLAD_SANDBOX_H
#include "symbi/json.h"
#include "toolclad/tool.h"

/* EUNSUPPORTED where a box is asked for and the tool's program cannot run in one. */
symbi_status sy_sandbox_can(const symbi_tool *t, const symbi_plan_options *o, symbi_err *err);
/* Fills the box fields of a plan that is complete otherwise; of one that starts no program nothing. */
symbi_status sy_sandbox_plan(symbi_ctx *cx, const symbi_tool *t, const symbi_plan_options *o, sy_arena *a, symbi_plan *p, symbi_err *err);
/* Do both run in the same box, or both in none? A program that was started for one plan must not serve another that asks for more. NULL: none. */
bool sy_sandbox_same(const symbi_plan *a, const symbi_plan *b);
/* ,"sandbox":{...} of a plan with a box */
void sy_sandbox_digest(symbi_json_out *o, const symbi_plan *p);
#endif
