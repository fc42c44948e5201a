/* gate/explain.c: a check that only tells. */
#include "gate/gate.h"
#include "symbi/cedar_explain.h"
#include "symbi/gate_explain.h"

#include <string.h>

symbi_status symbi_gate_explain(symbi_gate *g, const symbi_action *a, const symbi_facts *f, symbi_verdict *v, symbi_doc **out, symbi_err *err)
{
    symbi_cedar *shadow = g->shadow; /* it would be the last to use the evaluator */
    size_t napprovals;
    symbi_status st;
    *out = NULL;
    if ((st = sy_gate_own(g, err))) { /* a forked child has none of its parent's approvals to keep */
        sy_verdict_zero(v);
        sy_deny(v, SYMBI_CODE_NO_RANDOM, "the gate cannot be asked after a fork");
        return st;
    }
    napprovals = g->napprovals;
    g->shadow = NULL;
    g->napprovals = 0;
    symbi_gate_check(g, a, f, v);
    g->shadow = shadow;
    g->napprovals = napprovals;
    v->has_permit = false;
    memset(&v->permit, 0, sizeof v->permit);
    switch (v->code) {
    case SYMBI_CODE_ALLOWED:
    case SYMBI_CODE_DEFAULT_DENY:
    case SYMBI_CODE_FORBIDDEN:
    case SYMBI_CODE_POLICY_ERROR:
    case SYMBI_CODE_APPROVAL_REQUIRED:
    case SYMBI_CODE_DEFERRED:
    case SYMBI_CODE_MODIFY_FAILED:
    case SYMBI_CODE_DSL_DENIED:
    case SYMBI_CODE_OBLIGATION_UNMET:
        if (!g->allow_all && g->policies) return symbi_cedar_explain(g->eval, out, err);
        return SYMBI_OK;
    default: return SYMBI_OK;
    }
}
