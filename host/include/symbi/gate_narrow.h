/* symbi/gate_narrow.h: a gate for one agent that a `.symbi` file defines (symbi/dsl.h). */
#ifndef SYMBI_GATE_NARROW_H
#define SYMBI_GATE_NARROW_H
#include "symbi/dsl.h"
#include "symbi/gate.h"
#ifdef __cplusplus
extern "C" {
#endif

/* What this host gives its tools: the tier of the sandbox that they run in, and the memory limit that is put on each (0: none). It is
 * the host's word; what an agent asks for beyond it is denied with OBLIGATION_UNMET at every tool call. */
typedef struct symbi_narrow_host {
    symbi_sandbox sandbox;
    uint64_t memory_bytes;
} symbi_narrow_host;

/* Puts the agent's rules beside the gate's policies: both must allow, insecure_allow_all or compat or not, so that rules can only narrow.
 * Permits are bound to them as to the policies. A deny by a rule is DSL_DENIED, by an unmet `require`, setting or `audit` without a trail
 * OBLIGATION_UNMET; v->policies then names rule, file and line. Any principal but the agent's own is denied. NULL takes the rules away. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_gate_narrow(symbi_gate *g, symbi_narrow *n, const symbi_narrow_host *host, symbi_err *err);
/* The limits in force, borrowed, or NULL: what a run machine takes the smaller of. */
SYMBI_API const symbi_narrow_limits *symbi_gate_limits(const symbi_gate *g);

/* What each of the agent's rules says to an action that was just checked or explained into *v, as symbi_cedar_explain does for policies;
 * *out is NULL where there are none, or where they cannot be asked (the verdict's code tells why). Without consequences. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_gate_explain_rules(symbi_gate *g, const symbi_action *a, const symbi_facts *f, const symbi_verdict *v, symbi_doc **out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
