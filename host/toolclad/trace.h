/* toolclad/trace.h: the trace header of one call (spec toolclad.md 20). */
#ifndef SY_TOOLCLAD_TRACE_H
#define SY_TOOLCLAD_TRACE_H
#include "symbi/ctx.h"

enum { SY_TRACEPARENT = 56 };
/* "00-<trace>-<fresh parent>-01". trace_id: 32 hex digits, or a UUID (a run's loop id); anything else is no trace, and out is "". */
symbi_status sy_traceparent_make(symbi_ctx *cx, symbi_str trace_id, char out[SY_TRACEPARENT], symbi_err *err);
#endif
