/* symbi/gate_explain.h: why the gate says what it says about an action: the verdict, and every policy's part in it. */
#ifndef SYMBI_GATE_EXPLAIN_H
#define SYMBI_GATE_EXPLAIN_H
#include "symbi/gate.h"
#ifdef __cplusplus
extern "C" {
#endif

/* As symbi_gate_check, but without consequences: no permit, no approval used up, no shadow asked. *out: what symbi_cedar_explain says, or
 * NULL where policies were not asked (the verdict's code tells why). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_gate_explain(symbi_gate *g, const symbi_action *a, const symbi_facts *f, symbi_verdict *v, symbi_doc **out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
