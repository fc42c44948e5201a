/* gate/commit.c: from a verdict that allows to a plan that leaves: the trail first, then the permit is consumed. */
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "gate/gate.h"
#include "gate/permit.h"
#include "symbi/gate_narrow.h"
#include "toolclad/tool.h"

#include <string.h>

/* One try: what is recorded is what the verdict is after its stored approval, if it has one, was found still there. */
static symbi_status commit_once(symbi_gate *g, symbi_verdict *v, const symbi_facts *f, symbi_err *err)
{
    symbi_audit_event ev;
    symbi_text t, hold;
    symbi_store_kv kv;
    size_t nkv;
    symbi_status st;
    memset(&hold, 0, sizeof hold);
    if ((st = sy_approvals_use(g->cx, g->audit, &v, 1, &kv, &hold, &nkv, err))) return st;
    st = symbi_verdict_event(g->cx, v, SY_LIT(""), f, &t, err);
    if (!st) {
        memset(&ev, 0, sizeof ev);
        if (f) {
            ev.loop_id = f->loop_id;
            ev.iteration = f->iteration;
        }
        ev.agent_id = symbi_str_z(v->agent);
        ev.event = symbi_text_str(&t);
        st = symbi_audit_commit(g->audit, &ev, 1, &kv, nkv, v->has_permit && v->kind == SYMBI_ACTION_TOOL_CALL, err);
        symbi_text_free(&t);
    }
    symbi_text_free(&hold);
    return st;
}

symbi_status symbi_gate_commit(symbi_gate *g, symbi_verdict *v, const symbi_facts *f, symbi_err *err)
{
    symbi_err local;
    symbi_status st;
    if (!err) err = &local;
    if (v->committed) return sy_fail(err, SYMBI_ESTATE, "this decision is on the trail already");
    if (v->has_permit) { /* another gate may keep another trail, or none: what it noted would count here */
        symbi_code c;
        if ((st = sy_gate_own(g, err))) return st;
        c = sy_permit_check(g->cx, g->key, (symbi_str){ (const char *)v->permit.bytes, SYMBI_PERMIT_BYTES }, 0);
        if (c == SYMBI_CODE_CRYPTO_FAILED) return sy_fail(err, SYMBI_ECRYPTO, "%s", symbi_code_text(c));
        if (c != SYMBI_CODE_ALLOWED) return sy_fail(err, SYMBI_EPERMIT, "%s: this decision is another gate's", symbi_code_name(c));
    }
    if (!g->audit) {
        v->committed = true;
        return SYMBI_OK;
    }
    st = commit_once(g, v, f, err);
    if (st == SYMBI_EEXISTS) st = commit_once(g, v, f, err); /* somebody else used the approval: that is what is recorded then */
    if (st) sy_verdict_commit_failed(v, st, err->msg);
    else sy_verdict_committed(v, symbi_audit_len(g->audit) - 1);
    return st;
}

/* Everything that must hold before a permit is spent. */
static symbi_code presented(symbi_gate *g, const symbi_verdict *v, symbi_str permit)
{
    symbi_str own = { (const char *)v->permit.bytes, SYMBI_PERMIT_BYTES };
    symbi_code c;
    if (sy_gate_own(g, NULL)) return SYMBI_CODE_NO_RANDOM;
    c = sy_permit_check(g->cx, g->key, permit, symbi_ctx_now_ms(g->cx));
    if (c != SYMBI_CODE_ALLOWED) return c;
    if (sy_nonces_has(&g->used, (const uint8_t *)permit.p + SY_PERMIT_NONCE, sy_permit_expiry((const uint8_t *)permit.p)) || v->redeemed) return SYMBI_CODE_PERMIT_USED;
    if (!v->has_permit || (v->decision != SYMBI_ALLOW && v->decision != SYMBI_MODIFY) || !symbi_ct_equal(own, permit)) return SYMBI_CODE_PERMIT_MISMATCH;
    if (memcmp(permit.p + SY_PERMIT_ACTION, v->action_digest, 32) != 0) return SYMBI_CODE_PERMIT_MISMATCH;
    if (memcmp(permit.p + SY_PERMIT_POLICY, g->policy_hash, 32) != 0) return SYMBI_CODE_PERMIT_STALE;
    if (g->audit && !v->committed) return SYMBI_CODE_NOT_COMMITTED;
    if (v->tool && !sy_tool_same(v->tool, g->tools ? symbi_toolset_find(g->tools, symbi_str_z(v->name)) : NULL)) return SYMBI_CODE_TOOL_REPLAN;
    return SYMBI_CODE_ALLOWED;
}

symbi_status symbi_gate_redeem(symbi_gate *g, symbi_verdict *v, symbi_str permit, const symbi_plan_options *po, symbi_plan **plan,
                               symbi_order *order, symbi_code *code, symbi_err *err)
{
    const symbi_narrow_limits *l = symbi_gate_limits(g);
    symbi_plan_options own;
    symbi_plan *p = NULL;
    symbi_code c;
    symbi_err why;
    symbi_status st;
    *plan = NULL;
    memset(order, 0, sizeof *order);
    c = presented(g, v, permit);
    if (code) *code = c;
    if (c != SYMBI_CODE_ALLOWED) return sy_fail(err, SYMBI_EPERMIT, "%s: %s", symbi_code_name(c), symbi_code_text(c));
    if (v->kind != SYMBI_ACTION_TOOL_CALL || !v->tool || !v->input) return sy_fail(err, SYMBI_EINVAL, "only a tool call has a plan");
    if (!sy_gate_in_scope(g, v, &why)) { /* the scope may be another one since */
        if (code) *code = SYMBI_CODE_OUT_OF_SCOPE;
        return sy_fail(err, SYMBI_EPERMIT, "%s: %s", symbi_code_name(SYMBI_CODE_OUT_OF_SCOPE), why.msg);
    }
    memset(&own, 0, sizeof own);
    if (po) own = *po;
    if (l && l->sandbox == SYMBI_SANDBOX_BWRAP) own.box = SYMBI_BOX_BWRAP; /* what the agent's definition asks for, whoever executes */
    po = &own;
    if ((st = symbi_tool_plan(g->cx, v->tool, symbi_doc_root(v->input), po, &p, err))) {
        if (code && (st == SYMBI_ENOMEM || st == SYMBI_ECRYPTO)) *code = st == SYMBI_ENOMEM ? SYMBI_CODE_OUT_OF_MEMORY : SYMBI_CODE_NO_RANDOM; /* of its id */
        return st;
    }
    if ((st = symbi_plan_seal(g->cx, p, err)) || (st = sy_order_mint(g->cx, g->key, &v->permit, p->digest, order, err))) {
        if (code) *code = sy_code_of(st);
        goto fail;
    }
    st = sy_nonces_add(&g->used, v->permit.bytes + SY_PERMIT_NONCE, sy_permit_expiry(v->permit.bytes), symbi_ctx_now_ms(g->cx));
    if (st) {
        c = st == SYMBI_ELIMIT ? SYMBI_CODE_PERMIT_STORE_FULL : SYMBI_CODE_OUT_OF_MEMORY;
        if (code) *code = c;
        sy_fail(err, st == SYMBI_ELIMIT ? SYMBI_EPERMIT : st, "%s", symbi_code_text(c));
        st = st == SYMBI_ELIMIT ? SYMBI_EPERMIT : st;
        goto fail;
    }
    v->redeemed = true;
    *plan = p;
    return SYMBI_OK;
fail:
    memset(order, 0, sizeof *order);
    symbi_plan_unref(p);
    return st;
}
