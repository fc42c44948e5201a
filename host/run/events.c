/* run/events.c: the journal of a run (spec orga-oats.md section 2): what is queued, how it is committed, and the copy that
 * people may watch. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "gate/gate.h"
#include "run/machine.h"
#include "state/secrets_in.h"
#include "symbi/json.h"

#include <string.h>

static symbi_status keep(symbi_run *r, symbi_text **list, size_t *n, size_t *cap, symbi_text *t)
{
    if (sy_grow(&r->cx->alloc, (void **)list, cap, *n + 1, sizeof **list)) return SYMBI_ENOMEM;
    (*list)[(*n)++] = *t;
    memset(t, 0, sizeof *t);
    return SYMBI_OK;
}

/* A copy for watching; when memory is short people see less, nothing else suffers. */
static void show(symbi_run *r, symbi_str text)
{
    symbi_text t;
    sy_buf b;
    sy_buf_init(&b, r->cx->alloc, r->cx->limits.output_bytes);
    sy_buf_adds(&b, text);
    if (sy_buf_take(&b, &t, "event", NULL)) return;
    if (r->nshown == SY_EVENTS_KEPT) {
        symbi_text_free(&r->shown[0]);
        memmove(&r->shown[0], &r->shown[1], --r->nshown * sizeof *r->shown);
    }
    if (keep(r, &r->shown, &r->nshown, &r->shown_cap, &t)) symbi_text_free(&t);
}

static symbi_status queue(symbi_run *r, symbi_text *t, symbi_err *err)
{
    symbi_text bare;
    symbi_status st = sy_redact_json(r->o.redactor, r->cx, symbi_text_str(t), &bare, err);
    if (st || bare.n) {
        symbi_text_free(t);
        *t = bare;
    }
    if (st) return st;
    show(r, symbi_text_str(t));
    if (keep(r, &r->pending, &r->npending, &r->pending_cap, t)) {
        symbi_text_free(t);
        return sy_fail_nomem(err);
    }
    return SYMBI_OK;
}

symbi_status sy_run_event(symbi_run *r, symbi_value event, symbi_err *err)
{
    symbi_text t;
    symbi_status st;
    if (r->turn.status) return sy_arena_fail(&r->turn, "the turn", err);
    st = symbi_json_write(r->cx, &event, SYMBI_JSON_CANONICAL, &t, err);
    return st ? st : queue(r, &t, err);
}

void sy_run_drop_pending(symbi_run *r)
{
    for (size_t i = 0; i < r->npending; i++) symbi_text_free(&r->pending[i]);
    r->npending = 0;
}

/* The verdicts of the turn went with this queue. Their entry is the policy_evaluated one; its own number is not needed. */
void sy_run_committed(symbi_run *r)
{
    uint64_t len = r->o.audit ? symbi_audit_len(r->o.audit) : 0;
    for (size_t i = 0; i < r->ncalls; i++) {
        if (!r->calls[i].v.committed) sy_verdict_committed(&r->calls[i].v, len ? len - 1 : 0);
        r->calls[i].recorded = r->calls[i].record.n != 0;
    }
    sy_run_drop_pending(r);
}

/* The records of stored approvals that this turn uses up. Gone ones turn their verdicts into denials, which the queued event does not
 * say: then ESTATE, and the caller judges again. */
static symbi_status approvals_of_turn(symbi_run *r, symbi_store_kv **kv, symbi_text **hold, size_t *nkv, symbi_err *err)
{
    symbi_verdict **v;
    size_t n = 0, before;
    symbi_status st;
    *nkv = 0;
    for (size_t i = 0; i < r->ncalls; i++) n += r->calls[i].v.stored_approval && !r->calls[i].v.committed;
    if (!n) return SYMBI_OK;
    v = sy_arena_calloc(&r->turn, n, sizeof *v);
    *kv = sy_arena_calloc(&r->turn, n, sizeof **kv);
    *hold = sy_arena_calloc(&r->turn, n, sizeof **hold);
    if (!v || !*kv || !*hold) return sy_arena_fail(&r->turn, "the turn", err);
    before = 0;
    for (size_t i = 0; i < r->ncalls; i++)
        if (r->calls[i].v.stored_approval && !r->calls[i].v.committed) v[before++] = &r->calls[i].v;
    st = sy_approvals_use(r->cx, r->o.audit, v, n, *kv, *hold, nkv, err);
    if (!st && *nkv < n) st = sy_fail(err, SYMBI_EEXISTS, "an approval was used or changed by somebody else");
    return st;
}

/* The records of what ran, behind the n that are there already. */
static symbi_status records_of_turn(symbi_run *r, symbi_store_kv **kv, size_t *n, symbi_err *err)
{
    symbi_store_kv *all = sy_arena_calloc(&r->turn, *n + r->ncalls + 1, sizeof *all);
    if (!all) return sy_arena_fail(&r->turn, "the turn", err);
    if (*n) memcpy(all, *kv, *n * sizeof *all);
    for (size_t i = 0; i < r->ncalls; i++) {
        if (!r->calls[i].record.n || r->calls[i].recorded) continue;
        all[*n].ns = SY_LIT("evidence");
        all[*n].key = symbi_str_z(r->calls[i].record_key);
        all[(*n)++].value = r->calls[i].record;
    }
    *kv = all;
    return SYMBI_OK;
}

/* The queue as entries of the trail. */
static symbi_audit_event *entries(symbi_run *r, symbi_err *err)
{
    symbi_audit_event *ev = sy_calloc(&r->cx->alloc, r->npending, sizeof *ev);
    if (!ev) sy_fail_nomem(err);
    for (size_t i = 0; ev && i < r->npending; i++) {
        ev[i].loop_id = r->o.loop_id;
        ev[i].agent_id = r->o.agent_id;
        ev[i].iteration = r->result.iterations;
        ev[i].event = symbi_text_str(&r->pending[i]);
    }
    return ev;
}

symbi_status sy_run_commit_events(symbi_run *r, symbi_err *err)
{
    symbi_audit_event *ev;
    symbi_status st;
    size_t n = r->npending;
    if (!r->o.audit || !n || r->o.commit_effect) return SYMBI_OK;
    if (!(ev = entries(r, err))) return SYMBI_ENOMEM;
    st = symbi_audit_commit(r->o.audit, ev, n, NULL, 0, false, err);
    sy_free(&r->cx->alloc, ev, n * sizeof *ev);
    if (!st) sy_run_drop_pending(r);
    return st;
}

symbi_status sy_run_commit(symbi_run *r, bool durable, bool *waiting, symbi_err *err)
{
    symbi_audit_event *ev;
    symbi_store_kv *kv = NULL;
    symbi_text *hold = NULL;
    symbi_status st;
    size_t n = r->npending, nhold = 0, nkv = 0;
    *waiting = false;
    if (!r->o.audit || !r->npending) {
        sy_run_committed(r);
        return SYMBI_OK;
    }
    if (!(ev = entries(r, err))) return SYMBI_ENOMEM;
    st = approvals_of_turn(r, &kv, &hold, &nhold, err);
    nkv = nhold;
    if (!st) st = records_of_turn(r, &kv, &nkv, err);
    if (!st && r->o.commit_effect) {
        symbi_text_free(&r->batch);
        st = symbi_audit_prepare(r->o.audit, ev, n, kv, nkv, &r->batch, err);
        *waiting = !st;
    } else if (!st) {
        st = symbi_audit_commit(r->o.audit, ev, n, kv, nkv, durable, err);
        if (!st) sy_run_committed(r);
    }
    for (size_t i = 0; hold && i < nhold; i++) symbi_text_free(&hold[i]);
    sy_free(&r->cx->alloc, ev, n * sizeof *ev);
    return st;
}

symbi_status sy_run_event_started(symbi_run *r, symbi_err *err)
{
    sy_obj o = sy_obj_new(&r->turn), c = sy_obj_new(&r->turn);
    sy_arr tools = sy_arr_new(&r->turn);
    symbi_toolset *ts = symbi_gate_tools(r->o.gate);
    uint8_t hash[32];
    symbi_status st = symbi_sha256(r->cx, r->o.prompt, hash, err);
    if (st) return st;
    sy_obj_count(&c, "context_token_budget", r->o.context_token_budget);
    sy_obj_count(&c, "max_concurrent_tools", r->o.max_concurrent_tools);
    sy_obj_count(&c, "max_iterations", r->o.max_iterations);
    sy_obj_count(&c, "max_total_tokens", r->o.max_total_tokens);
    sy_obj_int(&c, "timeout_ms", r->o.timeout_ms);
    sy_obj_int(&c, "tool_timeout_ms", r->o.tool_timeout_ms);
    sy_obj_str(&o, "agent_id", r->o.agent_id);
    sy_obj_put(&o, "config", sy_obj_value(&c));
    sy_obj_str(&o, "model", r->o.model);
    if (symbi_gate_policies(r->o.gate)) {
        uint8_t ph[32];
        symbi_cedar_hash(symbi_gate_policies(r->o.gate), ph);
        sy_obj_hex(&o, "policy_set_hash", ph, 32);
    }
    sy_obj_str(&o, "provider", r->o.provider.n ? r->o.provider : SY_LIT("none"));
    sy_obj_hex(&o, "request_hash", hash, 32);
    for (size_t i = 0; ts && i < symbi_toolset_count(ts); i++) {
        symbi_tool_info ti;
        symbi_tool_get_info(symbi_toolset_at(ts, i), &ti);
        if (symbi_gate_in_profile(r->o.gate, ti.name)) sy_arr_add(&tools, sy_val_str(ti.name));
    }
    sy_obj_put(&o, "tool_profile", sy_arr_value(&tools));
    sy_obj_str(&o, "type", SY_LIT("started"));
    return sy_run_event(r, sy_obj_value(&o), err);
}

enum { SY_ARGS_RECORDED = 16384 }; /* longer ones appear by their size; the action digest covers them all the same */

/* What was proposed, as the model wrote it. */
static symbi_status event_reasoning(symbi_run *r, symbi_err *err)
{
    sy_obj o = sy_obj_new(&r->turn), u = sy_obj_new(&r->turn);
    sy_arr acts = sy_arr_new(&r->turn);
    for (size_t i = 0; i < r->ncalls; i++) {
        const sy_proposal *p = &r->calls[i];
        sy_obj a = sy_obj_new(&r->turn);
        if (p->call_id.n) sy_obj_str(&a, "call_id", p->call_id);
        if (p->name.n) sy_obj_str(&a, "name", p->name);
        if (p->kind == SYMBI_ACTION_TOOL_CALL && p->args_text.n <= SY_ARGS_RECORDED) sy_obj_str(&a, "arguments", p->args_text);
        else if (p->kind == SYMBI_ACTION_TOOL_CALL) sy_obj_count(&a, "arguments_bytes", p->args_text.n);
        else sy_obj_count(&a, "content_length", p->content.n);
        sy_obj_str(&a, "type", symbi_str_z(symbi_action_kind_name(p->kind)));
        sy_arr_add(&acts, sy_obj_value(&a));
    }
    sy_obj_put(&o, "actions", sy_arr_value(&acts));
    sy_obj_count(&o, "iteration", r->result.iterations);
    sy_obj_str(&o, "type", SY_LIT("reasoning_complete"));
    sy_obj_count(&u, "completion_tokens", r->result.completion_tokens);
    sy_obj_count(&u, "prompt_tokens", r->result.prompt_tokens);
    sy_obj_count(&u, "total_tokens", r->result.total_tokens);
    sy_obj_put(&o, "usage_so_far", sy_obj_value(&u));
    return sy_run_event(r, sy_obj_value(&o), err);
}

static symbi_status event_approval(symbi_run *r, const sy_proposal *p, symbi_err *err)
{
    sy_obj o = sy_obj_new(&r->turn);
    sy_obj_hex(&o, "action_digest", p->v.action_digest, 32);
    sy_obj_bool(&o, "approved", p->answered && p->approved);
    sy_obj_str(&o, "approver", p->approver.n ? p->approver : SY_LIT(""));
    sy_obj_str(&o, "call_id", p->call_id);
    sy_obj_str(&o, "name", p->name);
    sy_obj_str(&o, "type", SY_LIT("step_up_resolved"));
    return sy_run_event(r, sy_obj_value(&o), err);
}

symbi_status sy_run_event_judged(symbi_run *r, symbi_err *err)
{
    sy_decided *d;
    symbi_text t;
    symbi_status st = event_reasoning(r, err);
    for (size_t i = 0; !st && i < r->ncalls; i++)
        if (r->calls[i].asked && r->o.commit_effect) st = event_approval(r, &r->calls[i], err); /* else the store's own entry says it */
    if (st) return st;
    d = sy_arena_calloc(&r->turn, r->ncalls, sizeof *d);
    if (!d) return sy_arena_fail(&r->turn, "the turn", err);
    for (size_t i = 0; i < r->ncalls; i++) {
        d[i].v = &r->calls[i].v;
        d[i].f = &r->calls[i].f;
        d[i].call_id = r->calls[i].call_id;
    }
    st = sy_verdicts_event(r->cx, d, r->ncalls, r->result.iterations, &t, err);
    return st ? st : queue(r, &t, err);
}

symbi_status sy_run_event_acted(symbi_run *r, symbi_err *err)
{
    sy_obj o = sy_obj_new(&r->turn), q = sy_obj_new(&r->turn);
    sy_arr list = sy_arr_new(&r->turn);
    size_t started = 0, observed = 0;
    symbi_status st;
    r->acted = true;
    for (size_t i = 0; i < r->ncalls; i++) {
        if (r->calls[i].started) started++;
        if (r->calls[i].observation.n) observed++;
        if (r->calls[i].evidence.kind == SYMBI_OBJECT) sy_arr_add(&list, r->calls[i].evidence);
    }
    if (started) {
        sy_obj_int(&o, "duration_ms", symbi_ctx_mono_ms(r->cx) - r->act_started_mono);
        sy_obj_put(&o, "evidence", sy_arr_value(&list));
        sy_obj_count(&o, "iteration", r->result.iterations);
        sy_obj_count(&o, "tool_count", started);
        sy_obj_str(&o, "type", SY_LIT("tools_dispatched"));
        if ((st = sy_run_event(r, sy_obj_value(&o), err))) return st;
    }
    sy_obj_count(&q, "context_tokens", sy_conv_estimate(&r->conv));
    sy_obj_count(&q, "iteration", r->result.iterations);
    sy_obj_count(&q, "observation_count", observed);
    sy_obj_str(&q, "type", SY_LIT("observations_collected"));
    return sy_run_event(r, sy_obj_value(&q), err);
}

/* Puts t on the trail, or into the queue where the run may not write (commit_effect). */
static void refused(symbi_run *r, symbi_text *t)
{
    symbi_err why;
    bool waiting;
    if (r->refusals++ >= SY_REFUSALS_KEPT) symbi_text_free(t);
    else if (!queue(r, t, &why) && !r->o.commit_effect && r->phase == SY_PHASE_ACT) (void)!sy_run_commit(r, false, &waiting, &why);
}

void sy_run_event_refused(symbi_run *r, const sy_proposal *p, symbi_code code)
{
    symbi_text t;
    if (sy_is_refusal(code) && !sy_refusal_event(r->cx, &p->v, code, &t, NULL)) refused(r, &t);
}

void sy_run_event_order_refused(symbi_run *r, const sy_proposal *p, symbi_str reason)
{
    symbi_text t;
    sy_obj o = sy_obj_new(&r->turn);
    symbi_value v;
    sy_obj_hex(&o, "action_digest", p->v.action_digest, 32);
    sy_obj_str(&o, "call_id", p->call_id);
    sy_obj_str(&o, "name", p->name);
    sy_obj_hex(&o, "plan_digest", p->plan->digest, 32);
    sy_obj_str(&o, "reason", reason);
    sy_obj_str(&o, "type", SY_LIT("order_refused"));
    v = sy_obj_value(&o);
    if (!r->turn.status && !symbi_json_write(r->cx, &v, SYMBI_JSON_CANONICAL, &t, NULL)) refused(r, &t);
}

symbi_status sy_run_event_terminated(symbi_run *r, symbi_err *err)
{
    sy_obj o, u;
    symbi_status st;
    bool unrecorded = false; /* tools that ran in a turn that was cut short */
    for (size_t i = 0; i < r->ncalls; i++) unrecorded |= r->calls[i].started && !r->acted;
    if (unrecorded && (st = sy_run_event_acted(r, err))) return st;
    o = sy_obj_new(&r->turn);
    u = sy_obj_new(&r->turn);
    sy_obj_int(&o, "duration_ms", r->result.duration_ms);
    if (r->result.error.code) sy_obj_str(&o, "error", symbi_str_z(r->result.error.msg));
    sy_obj_count(&o, "iterations", r->result.iterations);
    sy_obj_str(&o, "reason", symbi_str_z(symbi_end_name(r->result.end)));
    sy_obj_count(&o, "tool_calls", r->result.tool_calls);
    sy_obj_count(&u, "completion_tokens", r->result.completion_tokens);
    sy_obj_count(&u, "prompt_tokens", r->result.prompt_tokens);
    sy_obj_count(&u, "total_tokens", r->result.total_tokens);
    sy_obj_put(&o, "total_usage", sy_obj_value(&u));
    sy_obj_str(&o, "type", SY_LIT("terminated"));
    return sy_run_event(r, sy_obj_value(&o), err);
}
