/* run/machine.c: phases, open effects, deadlines. What an effect means is in think.c, judge.c and act.c. */
#include "run/machine.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "gate/gate.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

symbi_str sy_run_dup(sy_arena *a, symbi_str s)
{
    symbi_str empty = { "", 0 };
    return s.n ? sy_arena_dup(a, s) : empty;
}

const char *symbi_effect_name(symbi_effect_kind k)
{
    switch (k) {
#define ROW(name, num, text)                                                                       \
    case SYMBI_EFFECT_##name: return text;
        SYMBI_EFFECT_LIST(ROW)
#undef ROW
    case SYMBI_EFFECT_MAX_: break;
    }
    return "none";
}

const char *symbi_end_name(symbi_end e)
{
    switch (e) {
#define ROW(name, num, text)                                                                       \
    case SYMBI_END_##name: return text;
        SYMBI_END_LIST(ROW)
#undef ROW
    case SYMBI_END_MAX_: break;
    }
    return "error";
}

int64_t sy_run_time_left(symbi_run *r)
{
    int64_t left;
    if (!r->deadline_mono) return -1;
    left = r->deadline_mono - symbi_ctx_mono_ms(r->cx);
    return left > 0 ? left : 0;
}

/* Decides how the run ends. The first reason stands; open effects are cancelled before END is reached. */
/* What an endpoint or a tool said may repeat a secret. */
static void bare_error(symbi_run *r)
{
    symbi_err *e = &r->result.error, why;
    symbi_text t;
    if (!r->o.redactor || !symbi_redactor_count(r->o.redactor)) return;
    if (symbi_redactor_apply(r->o.redactor, r->cx, symbi_str_z(e->msg), &t, &why)) snprintf(e->msg, sizeof e->msg, "the message cannot be shown");
    else snprintf(e->msg, sizeof e->msg, "%.*s", SY_FMT(symbi_text_str(&t)));
    symbi_text_free(&t);
}

void sy_run_end(symbi_run *r, symbi_end end, symbi_status code, const char *fmt, ...)
{
    va_list ap;
    if (r->ending) return;
    r->ending = true;
    r->result.end = end;
    va_start(ap, fmt);
    if (code) {
        sy_vfail(&r->result.error, code, 0, 0, fmt, ap);
        bare_error(r);
    }
    va_end(ap);
    if (end != SYMBI_END_COMPLETED) {
        r->result.output.p = "";
        r->result.output.n = 0;
    }
}

/* ---- open effects ---- */

sy_open *sy_run_open(symbi_run *r, symbi_effect_kind kind, size_t call, int64_t ms, symbi_err *err)
{
    sy_open *o;
    if (r->nopen >= r->cx->limits.open_effects) {
        sy_fail(err, SYMBI_ELIMIT, "more than %zu effects are open", r->cx->limits.open_effects);
        return NULL;
    }
    if (sy_grow(&r->cx->alloc, (void **)&r->open, &r->open_cap, r->nopen + 1, sizeof *r->open)) {
        sy_fail_nomem(err);
        return NULL;
    }
    o = &r->open[r->nopen++];
    memset(o, 0, sizeof *o);
    o->id = ++r->next_id;
    o->kind = kind;
    o->call = call;
    if (ms > 0) o->deadline_mono = symbi_ctx_mono_ms(r->cx) + ms;
    return o;
}

static sy_open *find_open(symbi_run *r, uint64_t id)
{
    for (size_t i = 0; i < r->nopen; i++)
        if (r->open[i].id == id) return &r->open[i];
    return NULL;
}

static void close_open(symbi_run *r, uint64_t id)
{
    for (size_t i = 0; i < r->nopen; i++)
        if (r->open[i].id == id) {
            memmove(&r->open[i], &r->open[i + 1], (r->nopen - i - 1) * sizeof *r->open);
            r->nopen--;
            return;
        }
}

static void fill(symbi_effect *out, const sy_open *o)
{
    out->kind = o->kind;
    out->id = o->id;
}

/* ---- phases ---- */

/* Commits the queue and goes to `then`; a failed commit ends the run: nothing executes without its trail. */
static symbi_status commit_then(symbi_run *r, bool durable, sy_phase then, symbi_effect *out, symbi_err *err)
{
    bool waiting = false;
    symbi_err why;
    symbi_status st = sy_run_commit(r, durable, &waiting, &why);
    sy_open *o;
    if (!st && waiting) {
        o = sy_run_open(r, SYMBI_EFFECT_COMMIT, 0, 0, err);
        if (!o) {
            symbi_audit_abandon(r->o.audit);
            return SYMBI_ENOMEM;
        }
        r->after_commit = then;
        r->phase = SY_PHASE_COMMIT;
        fill(out, o);
        out->batch = symbi_text_str(&r->batch);
        return SYMBI_OK;
    }
    if (st == SYMBI_EEXISTS && then == SY_PHASE_ACT) return st;
    if (st) {
        sy_run_drop_pending(r);
        for (size_t i = 0; i < r->ncalls; i++)
            if (!r->calls[i].v.committed) sy_verdict_commit_failed(&r->calls[i].v, st, why.msg);
        if (then == SY_PHASE_DONE) { /* the last word could not be written: say so where the caller looks */
            if (r->result.end == SYMBI_END_COMPLETED || !r->result.error.code) r->result.error = why;
            r->phase = SY_PHASE_DONE;
            return SYMBI_OK;
        }
        sy_run_end(r, SYMBI_END_ERROR, st, "the audit trail cannot be written, so nothing is executed: %s", why.msg);
        r->phase = SY_PHASE_END;
        return SYMBI_OK;
    }
    r->phase = then;
    return SYMBI_OK;
}

static symbi_status phase_start(symbi_run *r, symbi_effect *out, symbi_err *err)
{
    symbi_status st = sy_run_event_started(r, err);
    return st ? st : commit_then(r, false, SY_PHASE_REASON, out, err);
}

static symbi_status phase_reason(symbi_run *r, symbi_effect *out, symbi_err *err)
{
    sy_open *o;
    if (r->sleep_ms) {
        o = sy_run_open(r, SYMBI_EFFECT_SLEEP, 0, 0, err);
        if (!o) return SYMBI_ENOMEM;
        fill(out, o);
        out->ms = r->sleep_ms;
        r->sleep_ms = 0;
        r->phase = SY_PHASE_MODEL;
        return SYMBI_OK;
    }
    if (r->result.iterations >= r->o.max_iterations) {
        sy_run_end(r, SYMBI_END_MAX_ITERATIONS, SYMBI_OK, "limit");
        return SYMBI_OK;
    }
    if (r->result.total_tokens >= r->o.max_total_tokens) {
        sy_run_end(r, SYMBI_END_MAX_TOKENS, SYMBI_OK, "limit");
        return SYMBI_OK;
    }
    return sy_run_ask_model(r, out, err);
}

/* The gate has spoken on every proposal that needs no person; ask people about the others, one effect each. */
static symbi_status phase_gate(symbi_run *r, symbi_effect *out, symbi_err *err)
{
    bool durable = false;
    symbi_status st;
    for (size_t i = 0; i < r->ncalls; i++) {
        sy_proposal *p = &r->calls[i];
        sy_open *o;
        if (p->v.decision != SYMBI_STEP_UP || p->asked || !sy_run_step_up(r, i)) continue;
        o = sy_run_open(r, SYMBI_EFFECT_APPROVE, i, r->o.approval_timeout_ms, err);
        if (!o) return SYMBI_ENOMEM;
        p->asked = true;
        fill(out, o);
        out->ms = r->o.approval_timeout_ms;
        out->verdict = &p->v;
        out->tool = p->name;
        out->call_id = p->call_id;
        out->args = p->v.input ? symbi_doc_root(p->v.input) : NULL;
        return SYMBI_OK;
    }
    if ((st = sy_run_defer(r, out, err)) || out->kind) return st;
    if (r->nopen) return SYMBI_EAGAIN;
    for (size_t i = 0; i < r->ncalls; i++) {
        if (sy_proposal_may_run(&r->calls[i])) durable = true;
        if (r->calls[i].v.decision != SYMBI_ALLOW && r->calls[i].v.decision != SYMBI_MODIFY) r->result.denied++;
    }
    r->act_started_mono = symbi_ctx_mono_ms(r->cx);
    if ((st = sy_run_event_judged(r, err))) return st;
    st = commit_then(r, durable, SY_PHASE_ACT, out, err);
    if (st != SYMBI_EEXISTS) return st;
    /* a stored approval was used by somebody else at this moment: without it, once more */
    sy_run_drop_pending(r);
    for (size_t i = 0; i < r->ncalls; i++)
        if (r->calls[i].v.stored_approval) {
            if (r->calls[i].v.decision == SYMBI_ALLOW || r->calls[i].v.decision == SYMBI_MODIFY) r->result.denied++;
            r->calls[i].v.stored_approval = false;
            sy_deny(&r->calls[i].v, SYMBI_CODE_APPROVAL_EXPIRED, "the approval was used by somebody else");
        }
    if ((st = sy_run_event_judged(r, err))) return st;
    return commit_then(r, durable, SY_PHASE_ACT, out, err);
}

static symbi_status emit_tool(symbi_run *r, size_t i, symbi_effect *out, symbi_err *err)
{
    sy_proposal *p = &r->calls[i];
    symbi_tool_info ti;
    int64_t ms = r->o.tool_timeout_ms;
    sy_open *o;
    symbi_tool_get_info(p->v.tool, &ti);
    if (ms <= 0) ms = 300000;
    if (ti.timeout_ms && ti.timeout_ms < ms) ms = ti.timeout_ms;
    o = sy_run_open(r, SYMBI_EFFECT_TOOL, i, ms + 2000, err); /* the executor's own limit comes first */
    if (!o) return SYMBI_ENOMEM;
    p->started = true;
    p->started_mono = symbi_ctx_mono_ms(r->cx);
    r->result.tool_calls++;
    fill(out, o);
    out->ms = ms;
    out->tool = p->name;
    out->call_id = p->call_id;
    out->backend = ti.backend;
    out->args = symbi_doc_root(p->v.input);
    out->permit = p->v.permit;
    out->verdict = &p->v;
    return SYMBI_OK;
}

/* The turn is on the trail: an approved answer ends the run, approved tool calls come out, at most so many at once. */
static symbi_status phase_act(symbi_run *r, symbi_effect *out, symbi_err *err)
{
    for (size_t i = 0; i < r->ncalls; i++) {
        sy_proposal *p = &r->calls[i];
        if ((p->kind != SYMBI_ACTION_RESPOND && p->kind != SYMBI_ACTION_TERMINATE) || p->v.decision != SYMBI_ALLOW) continue;
        r->result.output = sy_run_dup(&r->life, p->content);
        if (r->life.status) return sy_arena_fail(&r->life, "the answer", err);
        sy_run_end(r, SYMBI_END_COMPLETED, SYMBI_OK, "completed");
        return SYMBI_OK;
    }
    if (r->nopen < r->o.max_concurrent_tools)
        for (size_t i = 0; i < r->ncalls; i++)
            if (sy_proposal_may_run(&r->calls[i]) && !r->calls[i].started) return emit_tool(r, i, out, err);
    if (r->nopen) return SYMBI_EAGAIN;
    r->phase = SY_PHASE_OBSERVE;
    return SYMBI_OK;
}

static symbi_status phase_observe(symbi_run *r, symbi_effect *out, symbi_err *err)
{
    symbi_status st = sy_run_tell_model(r, err);
    if (!st) st = sy_run_event_acted(r, err);
    return st ? st : commit_then(r, false, SY_PHASE_REASON, out, err);
}

static symbi_status phase_end(symbi_run *r, symbi_effect *out, symbi_err *err)
{
    symbi_status st;
    r->result.duration_ms = symbi_ctx_mono_ms(r->cx) - r->start_mono;
    st = sy_run_event_terminated(r, err);
    return st ? st : commit_then(r, true, SY_PHASE_DONE, out, err);
}

/* While the run is ending, what is open is given up, one CANCEL each, before END. A COMMIT is waited for: it may be written. */
static symbi_status wind_up(symbi_run *r, symbi_effect *out)
{
    for (size_t i = 0; i < r->nopen; i++) {
        sy_open *o = &r->open[i];
        if (o->cancel_sent || o->kind == SYMBI_EFFECT_COMMIT) continue;
        o->cancel_sent = true;
        out->kind = SYMBI_EFFECT_CANCEL;
        out->id = ++r->next_id;
        out->target = o->id;
        return SYMBI_OK;
    }
    if (r->nopen) return SYMBI_EAGAIN;
    if (r->phase != SY_PHASE_DONE) r->phase = SY_PHASE_END;
    return SYMBI_OK;
}

/* A single effect past its own time is cancelled; its acknowledgement counts as the failure it is. */
static bool cancel_late(symbi_run *r, symbi_effect *out)
{
    int64_t now = symbi_ctx_mono_ms(r->cx);
    for (size_t i = 0; i < r->nopen; i++) {
        sy_open *o = &r->open[i];
        if (!o->deadline_mono || now <= o->deadline_mono || o->cancel_sent) continue;
        o->cancel_sent = true;
        out->kind = SYMBI_EFFECT_CANCEL;
        out->id = ++r->next_id;
        out->target = o->id;
        return true;
    }
    return false;
}

static void check_time(symbi_run *r)
{
    if (r->cancelled) sy_run_end(r, SYMBI_END_CANCELLED, SYMBI_EABORT, "cancelled");
    else if (sy_run_time_left(r) == 0) sy_run_end(r, SYMBI_END_TIMEOUT, SYMBI_ETIMEOUT, "the run took longer than %lld ms", (long long)r->o.timeout_ms);
}

symbi_status symbi_run_next(symbi_run *r, symbi_effect *out, symbi_err *err)
{
    symbi_status st;
    symbi_err local;
    if (!err) err = &local;
    memset(out, 0, sizeof *out);
    for (;;) {
        if (r->phase == SY_PHASE_DONE) {
            out->kind = SYMBI_EFFECT_DONE;
            out->result = &r->result;
            return SYMBI_OK;
        }
        check_time(r);
        st = SYMBI_OK;
        if (r->ending && r->phase != SY_PHASE_END) {
            st = wind_up(r, out);
        } else if (cancel_late(r, out)) {
            return SYMBI_OK;
        } else {
            switch (r->phase) {
            case SY_PHASE_START: st = phase_start(r, out, err); break;
            case SY_PHASE_REASON: st = phase_reason(r, out, err); break;
            case SY_PHASE_GATE:
            case SY_PHASE_APPROVE: st = phase_gate(r, out, err); break;
            case SY_PHASE_ACT: st = phase_act(r, out, err); break;
            case SY_PHASE_OBSERVE: st = phase_observe(r, out, err); break;
            case SY_PHASE_END: st = phase_end(r, out, err); break;
            case SY_PHASE_MODEL:
            case SY_PHASE_COMMIT:
            case SY_PHASE_DONE: st = SYMBI_EAGAIN; break;
            }
        }
        if (out->kind) return SYMBI_OK;
        if (st == SYMBI_EAGAIN) return sy_fail(err, SYMBI_EAGAIN, "resolve an open effect first");
        if (st) { /* the machine itself failed (memory, limits): the run ends; if even that fails, it is simply over */
            if (r->phase == SY_PHASE_END) {
                sy_run_drop_pending(r);
                if (!r->result.error.code) r->result.error = *err;
                r->result.end = SYMBI_END_ERROR;
                r->phase = SY_PHASE_DONE;
            } else {
                sy_run_end(r, SYMBI_END_ERROR, st, "%s", err->msg);
            }
        }
    }
}

/* ---- answers ---- */

static symbi_status resolve_commit(symbi_run *r, const symbi_reply *reply, symbi_err *err)
{
    symbi_err why = reply->error;
    symbi_status st = reply->error.code;
    (void)err;
    if (!st) st = symbi_audit_confirm(r->o.audit, reply->receipt, &why);
    if (st) symbi_audit_abandon(r->o.audit);
    symbi_text_free(&r->batch);
    if (!st) {
        sy_run_committed(r);
        r->phase = r->after_commit;
        return SYMBI_OK;
    }
    sy_run_drop_pending(r);
    for (size_t i = 0; i < r->ncalls; i++)
        if (!r->calls[i].v.committed) sy_verdict_commit_failed(&r->calls[i].v, st, why.msg);
    if (r->after_commit == SY_PHASE_DONE) {
        if (!r->result.error.code) r->result.error = why;
        r->phase = SY_PHASE_DONE;
    } else {
        sy_run_end(r, SYMBI_END_ERROR, st, "the audit trail cannot be written, so nothing is executed: %s", why.msg);
    }
    return SYMBI_OK;
}

symbi_status symbi_run_resolve(symbi_run *r, uint64_t id, const symbi_reply *reply, symbi_err *err)
{
    sy_open *found = find_open(r, id), o;
    symbi_status st = SYMBI_OK;
    if (!found) return sy_fail(err, SYMBI_ESTATE, "effect %llu is not open", (unsigned long long)id);
    o = *found;
    close_open(r, id);
    if (o.kind == SYMBI_EFFECT_COMMIT) return resolve_commit(r, reply, err);
    if (o.kind == SYMBI_EFFECT_TOOL) { /* recorded even while the run is ending: it may have happened */
        st = sy_run_observe(r, o.call, reply, err);
    } else if (r->ending) {
        sy_model_decoder_free(r->decoder);
        r->decoder = NULL;
        return SYMBI_OK;
    } else if (o.kind == SYMBI_EFFECT_MODEL) {
        st = sy_run_model_answer(r, reply, err);
        sy_model_decoder_free(r->decoder);
        r->decoder = NULL;
        sy_model_http_free(&r->http);
    } else if (o.kind == SYMBI_EFFECT_SLEEP) {
        if (r->phase == SY_PHASE_MODEL) r->phase = SY_PHASE_REASON;
        else st = sy_run_ask_again(r, reply, err);
    } else if (o.kind == SYMBI_EFFECT_APPROVE) {
        st = sy_run_person_answered(r, o.call, reply, err);
    }
    if (st) { /* the answer could not be taken in: that is how this run ends, not a reason for the driver to retry */
        sy_run_end(r, SYMBI_END_ERROR, st, "%s", err ? err->msg : symbi_status_text(st));
    }
    return SYMBI_OK;
}

symbi_status symbi_run_feed(symbi_run *r, uint64_t id, symbi_str bytes, symbi_err *err)
{
    sy_open *o = find_open(r, id);
    if (!o) return sy_fail(err, SYMBI_ESTATE, "effect %llu is not open", (unsigned long long)id);
    if (o->kind != SYMBI_EFFECT_MODEL || !r->decoder) return sy_fail(err, SYMBI_EINVAL, "only a model effect can be fed");
    return sy_model_decoder_feed(r->decoder, bytes, err);
}

symbi_status symbi_run_redeem(symbi_run *r, uint64_t id, symbi_str permit, symbi_plan **plan, symbi_order *order, symbi_err *err)
{
    sy_open *o = find_open(r, id);
    symbi_plan_options po;
    symbi_code code = SYMBI_CODE_UNSPECIFIED;
    symbi_status st;
    int64_t left;
    *plan = NULL;
    memset(order, 0, sizeof *order);
    if (!o || o->kind != SYMBI_EFFECT_TOOL) return sy_fail(err, SYMBI_ESTATE, "effect %llu is no open tool effect", (unsigned long long)id);
    if (o->cancel_sent || r->ending) return sy_fail(err, SYMBI_EABORT, "effect %llu was cancelled", (unsigned long long)id);
    memset(&po, 0, sizeof po);
    po.evidence_dir = r->o.evidence_dir;
    po.project_dir = r->o.project_dir;
    po.trace_id = r->o.loop_id;
    po.base_env = r->o.base_env;
    po.nbase_env = r->o.nbase_env;
    po.box = r->o.box;
    po.checks_files = true; /* the spawner does, for whoever drives */
    left = sy_run_time_left(r);
    po.host_timeout_ms = left >= 0 && (!r->o.tool_timeout_ms || left < r->o.tool_timeout_ms) ? (left ? left : 1) : r->o.tool_timeout_ms; /* no tool outlives its run */
    st = symbi_gate_redeem(r->o.gate, &r->calls[o->call].v, permit, &po, plan, order, &code, err);
    if (!st) r->calls[o->call].plan = symbi_plan_ref(*plan); /* what the answer must belong to */
    else if (code != SYMBI_CODE_ALLOWED) sy_run_event_refused(r, &r->calls[o->call], code);
    return st;
}

void symbi_run_cancel(symbi_run *r) { r->cancelled = true; }

int64_t symbi_run_tick(symbi_run *r)
{
    int64_t best = r->phase == SY_PHASE_DONE ? -1 : sy_run_time_left(r), now = symbi_ctx_mono_ms(r->cx);
    for (size_t i = 0; i < r->nopen; i++) {
        int64_t left = r->open[i].deadline_mono - now;
        if (!r->open[i].deadline_mono || r->open[i].cancel_sent) continue;
        if (left < 0) left = 0;
        if (best < 0 || left < best) best = left;
    }
    return best;
}
