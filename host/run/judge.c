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

static void facts(symbi_run *r, size_t i, symbi_facts *f)
{
    uint64_t spent = r->result.total_tokens;
    memset(f, 0, sizeof *f);
    f->context = r->o.context;
    f->agent_attrs = r->o.agent_attrs;
    f->loop_id = r->o.loop_id;
    f->iteration = r->result.iterations;
    f->tool_calls = r->result.tool_calls;
    f->denied = r->result.denied;
    for (size_t k = 0; k < i; k++) { /* earlier proposals of the same turn count as well */
        if (sy_proposal_may_run(&r->calls[k])) f->tool_calls++;
        else f->denied++;
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
    facts(r, i, &p->f);
    symbi_verdict_clear(&p->v);
    symbi_gate_check(r->o.gate, &a, &p->f, &p->v);
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
    p->answered = true;
    p->approved = reply->approved && reply->approver.n;
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
