/* symbi/gate_refuse.h: a permit that was refused, on the trail. */
#ifndef SYMBI_GATE_REFUSE_H
#define SYMBI_GATE_REFUSE_H
#include "symbi/gate.h"
#ifdef __cplusplus
extern "C" {
#endif

/* After a symbi_gate_redeem that failed with a permit's code (PERMIT_*, NOT_COMMITTED, TOOL_REPLAN, OUT_OF_SCOPE): one entry {"type":"permit_refused","code","reason",
 * "action_digest","kind","name"}, because somebody presented a permit that opens nothing. Writes through the gate's audit, as a commit does;
 * SYMBI_OK without one. code: what redeem said; any other code is no refusal (EINVAL). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_gate_refuse(symbi_gate *g, const symbi_verdict *v, symbi_code code, const symbi_facts *f, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
