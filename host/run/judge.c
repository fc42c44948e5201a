/* run/judge.c: the gate over the proposals of a turn. The gate gets the typed action and facts of the runtime, copied; never the
 * conversation (OATS C6). */
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "gate/gate.h"
#include "run/machine.h"

#include <string.h>

bool sy_proposal_may_run(const sy_proposal *p)
{
    return p->kind == SYMBI_ACTION_TOOL_CALL && (p->v.decision == SYMBI_ALLOW || p->v.decision == SYMBI_MODIFY) && p->v.has_permit;
}

/* 64 hex digits in the turn arena; zeros when memory is short, which name no record. */
const char *sy_run_hex(symbi_run *r, const uint8_t digest[32])
{
    static const char hex[] = "0123456789abcdef";
    char *p = sy_arena_alloc(&r->turn, 65);
    if (!p) return "0000000000000000000000000000000000000000000000000000000000000000";
    for (size_t i = 0; i < 32; i++) {
        p[2 * i] = hex[digest[i] >> 4];
        p[2 * i + 1] = hex[digest[i] & 15];
    }
    p[64] = 0;
    return p;
}

static void facts(symbi_run *r, size_t i, symbi_facts *f)
{
    uint64_t spent = r->result.total_tokens;
    memset(f, 0, sizeof *f);
    f->context = r->calls[i].kind == SYMBI_ACTION_TOOL_CALL ? sy_run_context_of(r, r->calls[i].name, r->o.context) : r->o.context;
    f->agent_attrs = r->o.agent_attrs;
    f->loop_id = r->o.loop_id;
    f->iteration = r->result.iterations;
    f->tool_calls = r->result.tool_calls;
    f->denied = r->result.denied;
    /* the others of the same turn count as well: a person's answer, or a deferral, may bring an earlier one behind a later one */
    for (size_t k = 0; k < r->ncalls; k++) {
        if (k == i || !r->calls[k].v.kind) continue;
        if (sy_proposal_may_run(&r->calls[k])) f->tool_calls++;
        else if (k < i || r->calls[k].v.decision == SYMBI_DENY) f->denied++;
    }
    f->tokens_left = spent < r->o.max_total_tokens ? (int64_t)(r->o.max_total_tokens - spent) : 0;
    f->time_left_ms = sy_run_time_left(r);
}

void sy_run_judge(symbi_run *r, size_t i)
{
    sy_proposal *p = &r->calls[i];
    symbi_action a;
    memset(&a, 0, sizeof a);
    a.kind = p->kind;
    a.agent = r->o.agent_id;
    a.name = p->name;
    a.call_id = p->call_id;
    a.args_text = p->args_text;
    a.content = p->content;
    a.identity = r->o.identity;
    facts(r, i, &p->f);
    symbi_verdict_clear(&p->v);
    symbi_gate_check(r->o.gate, &a, &p->f, &p->v);
}

/* Where approvals are kept: the store, unless transactions leave as effects (then answers live in memory, for this run only). */
static bool stored_approvals(const symbi_run *r) { return r->o.audit && !r->o.commit_effect; }

/* An answer that the store holds already is used; else the request is put there. True when a person must be asked now. */
bool sy_run_step_up(symbi_run *r, size_t i)
{
    sy_proposal *p = &r->calls[i];
    symbi_approval_status is;
    symbi_err why;
    symbi_status st;
    if (!stored_approvals(r)) return true;
    st = symbi_gate_load_approval(r->o.gate, p->v.action_digest, &is, &why);
    if (!st && (is == SYMBI_APPROVAL_APPROVED || is == SYMBI_APPROVAL_DENIED)) {
        sy_run_judge(r, i);
        return p->v.decision == SYMBI_STEP_UP;
    }
    if (!st) st = symbi_gate_request_approval(r->o.gate, &p->v, &p->f, r->o.approval_timeout_ms, &is, &why);
    if (st) sy_verdict_commit_failed(&p->v, st, why.msg);
    return !st;
}

/* Takes the answer from the store and judges again; what is still open there counts as no. */
static void use_stored(symbi_run *r, size_t i)
{
    sy_proposal *p = &r->calls[i];
    symbi_approval_status is;
    symbi_text who;
    symbi_err why;
    symbi_status st = symbi_gate_load_approval(r->o.gate, p->v.action_digest, &is, &why);
    if (st || (is != SYMBI_APPROVAL_APPROVED && is != SYMBI_APPROVAL_DENIED)) {
        sy_deny(&p->v, SYMBI_CODE_APPROVAL_EXPIRED, "nobody approved this call: %s", st ? why.msg : symbi_approval_status_name(is));
        return;
    }
    p->answered = true;
    p->approved = is == SYMBI_APPROVAL_APPROVED;
    if (!symbi_approval_status_of(r->cx, r->o.audit, p->v.action_digest, &is, &who, NULL)) {
        p->approver = sy_run_dup(&r->turn, symbi_text_str(&who));
        symbi_text_free(&who);
    }
    sy_run_judge(r, i);
    if (p->v.decision == SYMBI_STEP_UP) sy_deny(&p->v, SYMBI_CODE_APPROVAL_EXPIRED, "the approval could not be used");
}

symbi_status sy_run_person_answered(symbi_run *r, size_t i, const symbi_reply *reply, symbi_err *err)
{
    sy_proposal *p = &r->calls[i];
    symbi_status st;
    r->phase = SY_PHASE_GATE;
    if (reply->error.code) { /* timed out, cancelled, or nobody there: the answer is no */
        sy_deny(&p->v, reply->error.code == SYMBI_ETIMEOUT || reply->error.code == SYMBI_EABORT ? SYMBI_CODE_APPROVAL_EXPIRED : SYMBI_CODE_APPROVAL_DENIED,
                "nobody approved this call: %s", reply->error.msg);
        return SYMBI_OK;
    }
    if (stored_approvals(r)) {
        if (reply->approver.n) { /* answered here and now: through the store like every answer; one that came there first stands */
            st = symbi_approval_decide(r->cx, r->o.audit, (symbi_str){ (const char *)sy_run_hex(r, p->v.action_digest), 64 }, reply->approved, reply->approver, err);
            if (st == SYMBI_ENOMEM) return st;
        }
        use_stored(r, i);
        return r->turn.status ? sy_arena_fail(&r->turn, "the turn", err) : SYMBI_OK;
    }
    p->answered = true;
    p->approved = reply->approved && reply->approver.n && !sy_str_eq(reply->approver, r->o.agent_id);
    p->approver = sy_run_dup(&r->turn, reply->approver);
    if (r->turn.status) return sy_arena_fail(&r->turn, "the turn", err);
    if (!p->approved) {
        sy_deny(&p->v, SYMBI_CODE_APPROVAL_DENIED, "%s denied this call", p->approver.n ? p->approver.p : "a person");
        return SYMBI_OK;
    }
    st = symbi_gate_approve(r->o.gate, p->v.action_digest, true, p->approver, 0, err);
    if (st) return st;
    sy_run_judge(r, i);
    if (p->v.decision == SYMBI_STEP_UP) sy_deny(&p->v, SYMBI_CODE_APPROVAL_EXPIRED, "the approval could not be used");
    return SYMBI_OK;
}
