/* toolclad/custom_parser.h: output.parser = "custom:PATH" (spec toolclad.md 9.5): a program of the operator's that turns a tool's output into JSON. */
#ifndef SY_TOOLCLAD_CUSTOM_PARSER_H
#define SY_TOOLCLAD_CUSTOM_PARSER_H
#include "toolclad/read.h"

/* The manifest's word. */
symbi_status sy_custom_parser_load(sy_rd *rd, const symbi_value *v, symbi_str path);
/* p->parser, if the host's environment lists it; EDENIED otherwise. */
symbi_status sy_custom_parser_plan(const symbi_tool *t, const symbi_plan_options *o, sy_arena *a, symbi_plan *p, symbi_err *err);
/* Results of a run whose tool succeeded. why not empty: there are none. */
symbi_status sy_custom_parser_results(symbi_ctx *cx, const symbi_parse_run *r, sy_arena *a, symbi_value *results, char why[160], symbi_err *err);
/* What the envelope says of it: path, sha256, exit_code, duration_ms. */
symbi_value sy_custom_parser_record(sy_arena *a, const symbi_plan *p, const symbi_parse_run *r);
#endif
