/* toolclad/outschema.h: output against [output.schema] (spec toolclad.md 9.6). */
#ifndef SY_TOOLCLAD_OUTSCHEMA_H
#define SY_TOOLCLAD_OUTSCHEMA_H
#include "codec/build.h"
#include "toolclad/tool.h"

/* Adds one text per difference: type, properties, required, items, enum, minimum, maximum, pattern, additionalProperties. A
 * schema without properties, and results that are only raw_output, are not looked at (as upstream). */
symbi_status sy_output_schema_check(symbi_ctx *cx, const symbi_value *schema, const symbi_value *results, sy_arena *a, sy_arr *warnings, symbi_err *err);
#endif
