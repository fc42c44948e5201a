/* run/defer.c: actions that a policy puts off (OATS 8.5). One waits in its place, without effects and with the rest of its turn, and the
 * gate judges it again: when the policy said that asking again may be worth it, else after a second, two, four, … What is still put off when
 * the run's patience ends is a no; what could not change its mind before that is not waited for. Both ends are on the trail. */
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "gate/gate.h"
#include "run/machine.h"

enum { SY_RETRY_FIRST_MS = 1000, SY_RETRY_LONGEST_MS = 30000 };

/* On the trail before the wait begins or goes on, where the run may write itself; else with its next batch. */
static symbi_status tell(symbi_run *r, sy_proposal *p, bool resolved, int64_t now, symbi_err *err)
{
    sy_obj o = sy_obj_new(&r->turn);
    symbi_verdict_policy at;
    symbi_err why;
    symbi_status st;
    sy_obj_hex(&o, "action_digest", p->v.action_digest, 32);
    sy_obj_str(&o, "call_id", p->call_id);
    sy_obj_str(&o, "code", symbi_str_z(symbi_code_name(p->v.code)));
    sy_obj_str(&o, "decision", symbi_str_z(symbi_decision_name(p->v.decision)));
    if (p->name.n) sy_obj_str(&o, "name", p->name);
    if (!resolved) {
        if (symbi_verdict_policy_at(&p->v, 0, &at)) sy_obj_str(&o, "policy", sy_run_dup(&r->turn, symbi_str_z(at.id)));
        sy_obj_str(&o, "reason", sy_run_dup(&r->turn, symbi_str_z(p->v.reason)));
        if (p->v.retry_after_ms) sy_obj_int(&o, "retry_after_ms", p->v.retry_after_ms);
        sy_obj_int(&o, "timeout_ms", r->o.defer_timeout_ms);
    }
    sy_obj_str(&o, "type", resolved ? SY_LIT("deferral_resolved") : SY_LIT("deferred"));
    if (resolved) sy_obj_int(&o, "waited_ms", now - p->put_off_mono);
    st = sy_run_event(r, sy_obj_value(&o), err);
    if (!st && (st = sy_run_commit_events(r, &why))) {
        sy_run_drop_pending(r);
        sy_verdict_commit_failed(&p->v, st, why.msg);
        p->waits = false;
        p->deferred_for_good = true;
        return st == SYMBI_ENOMEM ? sy_fail_nomem(err) : SYMBI_OK;
    }
    return st;
}

static int64_t at_most(int64_t a, int64_t b) { return a < b ? a : b; }

/* The verdict of proposal i is DEFER: from now on it waits, or that was it. */
static symbi_status put_off(symbi_run *r, sy_proposal *p, symbi_err *err)
{
    int64_t now = symbi_ctx_mono_ms(r->cx), left, pause;
    bool first = !p->put_off;
    if (first) {
        p->put_off = true;
        p->put_off_mono = now;
        if (r->deferred++ >= SY_DEFERRED_MAX) {
            sy_deny(&p->v, SYMBI_CODE_DEFERRED, "put off, like %d actions of this run before: this is a no now", SY_DEFERRED_MAX);
            p->deferred_for_good = true;
            return SYMBI_OK;
        }
    }
    pause = p->v.retry_after_ms > 0 ? p->v.retry_after_ms : p->tries < 5 ? SY_RETRY_FIRST_MS << p->tries : SY_RETRY_LONGEST_MS;
    left = p->put_off_mono + r->o.defer_timeout_ms - now;
    if (left > 0 && sy_run_time_left(r) >= 0) left = at_most(left, sy_run_time_left(r));
    if (first && pause > left) { /* nothing will be different while this run can wait: the model may ask again later */
        p->deferred_for_good = true;
        return SYMBI_OK;
    }
    if (left <= 0) {
        symbi_str was = sy_run_dup(&r->turn, symbi_str_z(p->v.reason)); /* sy_deny writes where it stands */
        if (r->turn.status) return sy_arena_fail(&r->turn, "the turn", err);
        sy_deny(&p->v, SYMBI_CODE_DEFERRED, "after %lld ms of waiting this is a no: %.*s", (long long)(now - p->put_off_mono), SY_FMT(was));
        p->waits = false;
        p->deferred_for_good = true;
        return tell(r, p, true, now, err);
    }
    p->tries++;
    p->retry_mono = now + at_most(pause, left);
    p->waits = true;
    return first ? tell(r, p, false, now, err) : SYMBI_OK;
}

symbi_status sy_run_defer(symbi_run *r, symbi_effect *out, symbi_err *err)
{
    int64_t at = INT64_MAX, now;
    bool waiting = false;
    symbi_status st;
    sy_open *o;
    for (size_t i = 0; i < r->ncalls; i++) {
        sy_proposal *p = &r->calls[i];
        if (p->v.decision == SYMBI_DEFER && !p->waits && !p->deferred_for_good && (st = put_off(r, p, err))) return st;
        if (!p->waits) continue;
        waiting = true;
        at = at_most(at, p->retry_mono);
    }
    for (size_t i = 0; i < r->nopen; i++) waiting = waiting && r->open[i].kind != SYMBI_EFFECT_SLEEP;
    if (!waiting) return SYMBI_OK;
    now = symbi_ctx_mono_ms(r->cx);
    if (!(o = sy_run_open(r, SYMBI_EFFECT_SLEEP, 0, 0, err))) return SYMBI_ENOMEM;
    out->kind = o->kind;
    out->id = o->id;
    out->ms = at > now ? at - now : 1;
    return SYMBI_OK;
}

symbi_status sy_run_ask_again(symbi_run *r, const symbi_reply *reply, symbi_err *err)
{
    int64_t now = symbi_ctx_mono_ms(r->cx);
    symbi_status st = SYMBI_OK;
    for (size_t i = 0; !st && i < r->ncalls; i++) {
        sy_proposal *p = &r->calls[i];
        if (!p->waits || (!reply->error.code && p->retry_mono > now)) continue;
        p->waits = false;
        if (reply->error.code) { /* a driver that cannot wait must not make us ask without a pause */
            sy_deny(&p->v, SYMBI_CODE_DEFERRED, "put off, and this run could not wait: %s", reply->error.msg);
            p->deferred_for_good = true;
        } else {
            sy_run_judge(r, i);
        }
        if (p->v.decision != SYMBI_DEFER) st = tell(r, p, true, now, err);
    }
    return st;
}
