/* toolclad/sandbox.h: what a tool's program runs in: from manifest and operator to the plan, and into its digest. */
#ifndef SY_TOOLCLAD_SANDBOX_H
#define SY_TOOLCLAD_SANDBOX_H
#include "symbi/json.h"
#include "toolclad/tool.h"

/* EUNSUPPORTED where a box is asked for and the tool's backend starts programs that would run outside of it. */
symbi_status sy_sandbox_can(const symbi_tool *t, const symbi_plan_options *o, symbi_err *err);
/* Fills the box fields of a SHELL plan that is complete otherwise. */
symbi_status sy_sandbox_plan(symbi_ctx *cx, const symbi_tool *t, const symbi_plan_options *o, sy_arena *a, symbi_plan *p, symbi_err *err);
/* ,"sandbox":{...} of a plan with a box */
void sy_sandbox_digest(symbi_json_out *o, const symbi_plan *p);
#endif
