/* gate/approvals.c: answers of people to step-ups, bound to the action digest, single-use, expiring. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "gate/gate.h"

#include <string.h>

static void drop(symbi_gate *g, size_t i)
{
    g->approvals[i] = g->approvals[--g->napprovals];
}

static void drop_expired(symbi_gate *g, int64_t now_ms)
{
    for (size_t i = g->napprovals; i-- > 0;)
        if (g->approvals[i].expiry_ms < now_ms) drop(g, i);
}

int sy_approval_find(symbi_gate *g, const uint8_t digest[32], int64_t now_ms, bool *stored)
{
    *stored = false;
    for (size_t i = 0; i < g->napprovals; i++)
        if (memcmp(g->approvals[i].digest, digest, 32) == 0) {
            *stored = g->approvals[i].stored;
            return g->approvals[i].expiry_ms < now_ms ? -1 : g->approvals[i].approved;
        }
    return -1;
}

void sy_approval_take(symbi_gate *g, const uint8_t digest[32])
{
    for (size_t i = 0; i < g->napprovals; i++)
        if (memcmp(g->approvals[i].digest, digest, 32) == 0) {
            drop(g, i);
            return;
        }
}

static symbi_status remember(symbi_gate *g, const uint8_t digest[32], bool approved, bool stored, int64_t ttl_ms, symbi_err *err)
{
    int64_t now = symbi_ctx_now_ms(g->cx);
    sy_approval *p;
    drop_expired(g, now);
    sy_approval_take(g, digest); /* a later answer replaces an earlier one */
    if (g->napprovals >= SY_APPROVALS_MAX) return sy_fail(err, SYMBI_ELIMIT, "%d answers wait to be used", SY_APPROVALS_MAX);
    if (sy_grow(&g->cx->alloc, (void **)&g->approvals, &g->approvals_cap, g->napprovals + 1, sizeof *g->approvals)) return sy_fail_nomem(err);
    p = &g->approvals[g->napprovals++];
    memcpy(p->digest, digest, 32);
    p->approved = approved;
    p->stored = stored;
    p->expiry_ms = now + (ttl_ms > 0 ? ttl_ms : 300000);
    return SYMBI_OK;
}

symbi_status symbi_gate_approve(symbi_gate *g, const uint8_t digest[32], bool approved, symbi_str approver, int64_t ttl_ms, symbi_err *err)
{
    if (!approver.n) return sy_fail(err, SYMBI_EINVAL, "an approval needs the name of the approver");
    return remember(g, digest, approved, false, ttl_ms, err);
}

symbi_status symbi_gate_request_approval(symbi_gate *g, const symbi_verdict *v, const symbi_facts *f, int64_t ttl_ms, symbi_approval_status *status, symbi_err *err)
{
    symbi_approval_request rq;
    *status = SYMBI_APPROVAL_NONE;
    if (!g->audit) return sy_fail(err, SYMBI_EINVAL, "this gate has no trail; approve its step-ups with symbi_gate_approve");
    if (v->decision != SYMBI_STEP_UP) return sy_fail(err, SYMBI_ESTATE, "this verdict is %s, not a step-up", symbi_decision_name(v->decision));
    memset(&rq, 0, sizeof rq);
    memcpy(rq.action_digest, v->action_digest, sizeof rq.action_digest);
    rq.agent = symbi_str_z(v->agent);
    rq.kind = symbi_str_z(symbi_action_kind_name(v->kind));
    rq.name = symbi_str_z(v->name);
    rq.reason = symbi_str_z(v->reason);
    rq.args = v->input ? symbi_doc_root(v->input) : NULL;
    rq.ttl_ms = ttl_ms;
    if (f) {
        rq.loop_id = f->loop_id;
        rq.iteration = f->iteration;
    }
    return symbi_approval_ask(g->cx, g->audit, &rq, status, err);
}

/* The answer waits in memory for a moment only: the next check takes it, and its commit asks the store again. */
symbi_status symbi_gate_load_approval(symbi_gate *g, const uint8_t digest[32], symbi_approval_status *status, symbi_err *err)
{
    symbi_status st;
    *status = SYMBI_APPROVAL_NONE;
    if (!g->audit) return sy_fail(err, SYMBI_EINVAL, "this gate has no trail; approve its step-ups with symbi_gate_approve");
    st = symbi_approval_status_of(g->cx, g->audit, digest, status, NULL, err);
    if (st || (*status != SYMBI_APPROVAL_APPROVED && *status != SYMBI_APPROVAL_DENIED)) return st;
    return remember(g, digest, *status == SYMBI_APPROVAL_APPROVED, true, 60000, err);
}

symbi_status sy_approvals_use(symbi_ctx *cx, symbi_audit *audit, symbi_verdict *const *v, size_t n, symbi_store_kv *kv, symbi_text *hold, size_t *nkv, symbi_err *err)
{
    *nkv = 0;
    for (size_t i = 0; i < n; i++) {
        symbi_status st;
        if (!v[i]->stored_approval || (v[i]->decision != SYMBI_ALLOW && v[i]->decision != SYMBI_MODIFY)) continue;
        st = symbi_approval_use(cx, audit, v[i]->action_digest, &kv[*nkv], &hold[*nkv], err);
        if (st == SYMBI_ESTATE) sy_deny(v[i], SYMBI_CODE_APPROVAL_EXPIRED, "%s", err->msg);
        else if (st) return st;
        else ++*nkv;
    }
    return SYMBI_OK;
}
