/* run/create.c: making and freeing a run, and looking at one. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "run/machine.h"
#include "symbi/gate_narrow.h"
#include "symbi/json.h"

#include <math.h>
#include <string.h>

void symbi_run_options_init(symbi_run_options *o)
{
    memset(o, 0, sizeof *o);
    o->size = sizeof *o;
    o->temperature = 0.3;
    o->max_iterations = 10;
    o->max_total_tokens = 100000;
    o->context_token_budget = 32000;
    o->max_output_tokens = 4096;
    o->timeout_ms = 300000;
    o->tool_timeout_ms = 30000;
    o->approval_timeout_ms = 300000;
    o->defer_timeout_ms = 60000;
    o->max_concurrent_tools = 4;
}

/* A version 4 UUID (RFC 9562) from the ctx's random source. */
static symbi_status make_loop_id(symbi_run *r, symbi_err *err)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t b[16];
    char *p = sy_arena_alloc(&r->life, 37);
    size_t k = 0;
    symbi_status st = symbi_ctx_random(r->cx, b, sizeof b, err);
    if (st) return st;
    if (!p) return sy_fail_nomem(err);
    b[6] = (uint8_t)((b[6] & 15) | 64);
    b[8] = (uint8_t)((b[8] & 63) | 128);
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) p[k++] = '-';
        p[k++] = hex[b[i] >> 4];
        p[k++] = hex[b[i] & 15];
    }
    p[k] = 0;
    r->o.loop_id.p = p;
    r->o.loop_id.n = k;
    return SYMBI_OK;
}

static void at_most(uint64_t *v, int64_t limit)
{
    if (limit >= 0 && *v > (uint64_t)limit) *v = (uint64_t)limit;
}

static void no_longer(int64_t *ms, int64_t limit)
{
    if (limit >= 0 && (!*ms || *ms > limit)) *ms = limit;
}

/* What the agent's .symbi definition sets holds whatever the caller asked for. */
static void narrow(symbi_run_options *o)
{
    const symbi_narrow_limits *l = symbi_gate_limits(o->gate);
    uint64_t tools = o->max_concurrent_tools;
    if (!l) return;
    no_longer(&o->timeout_ms, l->timeout_ms);
    no_longer(&o->tool_timeout_ms, l->tool_timeout_ms);
    no_longer(&o->approval_timeout_ms, l->approval_timeout_ms);
    at_most(&o->max_iterations, l->max_iterations);
    at_most(&o->max_total_tokens, l->max_total_tokens);
    at_most(&o->max_output_tokens, l->max_output_tokens);
    at_most(&o->context_token_budget, l->context_token_budget);
    at_most(&tools, l->max_concurrent_tools);
    o->max_concurrent_tools = (size_t)tools;
}

static symbi_status copy_options(symbi_run *r, const symbi_run_options *o, symbi_err *err)
{
    symbi_str *env;
    symbi_status st;
    r->o = *o; /* the gate is referenced already */
    if (o->identity) symbi_agentpin_result_ref(o->identity);
    narrow(&r->o);
    r->o.loop_id = sy_run_dup(&r->life, o->loop_id);
    r->o.agent_id = sy_run_dup(&r->life, o->agent_id);
    r->o.system = sy_run_dup(&r->life, o->system);
    r->o.prompt = sy_run_dup(&r->life, o->prompt);
    r->o.provider = sy_run_dup(&r->life, o->provider);
    r->o.base_url = sy_run_dup(&r->life, o->base_url);
    r->o.model = sy_run_dup(&r->life, o->model);
    r->o.api_key = sy_run_dup(&r->life, o->api_key);
    r->o.project_dir = sy_run_dup(&r->life, o->project_dir);
    r->o.evidence_dir = sy_run_dup(&r->life, o->evidence_dir);
    env = sy_arena_calloc(&r->life, o->nbase_env, sizeof *env);
    for (size_t i = 0; env && i < o->nbase_env; i++) env[i] = sy_run_dup(&r->life, o->base_env[i]);
    r->o.base_env = env;
    if (r->life.status) return sy_arena_fail(&r->life, "the run", err);
    if (!o->loop_id.n && (st = make_loop_id(r, err))) return st;
    if (o->agent_attrs) {
        if ((st = symbi_doc_copy(r->cx, o->agent_attrs, &r->agent_attrs, err))) return st;
        r->o.agent_attrs = symbi_doc_root(r->agent_attrs);
    }
    if (o->context) {
        if ((st = symbi_doc_copy(r->cx, o->context, &r->context, err))) return st;
        r->o.context = symbi_doc_root(r->context);
    }
    r->endpoint.provider = r->o.provider;
    r->endpoint.base_url = r->o.base_url;
    r->endpoint.key = r->o.api_key;
    r->endpoint.model = r->o.model;
    return r->o.provider.n ? sy_model_check(r->cx, &r->endpoint, err) : SYMBI_OK;
}

symbi_status symbi_run_new(symbi_ctx *cx, const symbi_run_options *o, symbi_run **out, symbi_err *err)
{
    symbi_run *r;
    symbi_status st;
    *out = NULL;
    if (o->size != sizeof *o) return sy_fail(err, SYMBI_EINVAL, "symbi_run_options.size is wrong; call symbi_run_options_init first");
    if (!o->gate) return sy_fail(err, SYMBI_EINVAL, "a run needs a gate");
    if (!o->agent_id.n) return sy_fail(err, SYMBI_EINVAL, "a run needs an agent_id");
    if (!o->prompt.n) return sy_fail(err, SYMBI_EINVAL, "a run needs a prompt");
    if (!o->audit && !o->no_audit) return sy_fail(err, SYMBI_EINVAL, "a run needs an audit trail; set no_audit to go without, knowingly");
    if (o->timeout_ms < 0 || o->tool_timeout_ms < 0 || o->approval_timeout_ms < 0 || o->defer_timeout_ms < 0) return sy_fail(err, SYMBI_EINVAL, "a timeout is negative");
    if (!o->max_concurrent_tools || o->max_concurrent_tools > cx->limits.open_effects)
        return sy_fail(err, SYMBI_EINVAL, "max_concurrent_tools must be 1 to %zu", cx->limits.open_effects);
    if (!(o->temperature >= 0 && o->temperature <= 2) && !isnan(o->temperature)) return sy_fail(err, SYMBI_EINVAL, "temperature must be 0 to 2");
    r = sy_calloc(&cx->alloc, 1, sizeof *r);
    if (!r) return sy_fail_nomem(err);
    r->cx = cx;
    r->o.gate = symbi_gate_ref(o->gate);
    r->o.redactor = o->redactor ? symbi_redactor_ref(o->redactor) : NULL;
    sy_arena_init(&r->life, cx->alloc, cx->limits.run_bytes);
    sy_arena_init(&r->turn, cx->alloc, cx->limits.run_bytes);
    sy_conv_init(&r->conv, cx);
    sy_conv_init(&r->window, cx);
    if ((st = copy_options(r, o, err))) goto fail;
    if (r->o.system.n && (st = sy_conv_add_text(&r->conv, SY_ROLE_SYSTEM, r->o.system, err))) goto fail;
    if ((st = sy_conv_add_text(&r->conv, SY_ROLE_USER, r->o.prompt, err))) goto fail;
    r->start_mono = symbi_ctx_mono_ms(cx);
    r->deadline_mono = r->o.timeout_ms ? r->start_mono + r->o.timeout_ms : 0;
    r->result.output.p = "";
    *out = r;
    return SYMBI_OK;
fail:
    symbi_run_free(r);
    return st;
}

void sy_run_clear_turn(symbi_run *r)
{
    for (size_t i = 0; i < r->ncalls; i++) {
        symbi_verdict_clear(&r->calls[i].v);
        symbi_plan_unref(r->calls[i].plan);
    }
    r->ncalls = 0;
    r->acted = false;
    sy_arena_reset(&r->turn);
}

static void free_texts(symbi_run *r, symbi_text *t, size_t n, size_t cap)
{
    for (size_t i = 0; i < n; i++) symbi_text_free(&t[i]);
    sy_free(&r->cx->alloc, t, cap * sizeof *t);
}

void symbi_run_free(symbi_run *r)
{
    symbi_alloc al;
    if (!r) return;
    al = r->cx->alloc;
    if (r->phase == SY_PHASE_COMMIT && r->o.audit) symbi_audit_abandon(r->o.audit);
    sy_run_clear_turn(r);
    for (size_t i = 0; i < r->noffered; i++) symbi_doc_unref(r->schemas[i]);
    sy_free(&al, r->calls, r->calls_cap * sizeof *r->calls);
    sy_free(&al, r->open, r->open_cap * sizeof *r->open);
    free_texts(r, r->pending, r->npending, r->pending_cap);
    free_texts(r, r->shown, r->nshown, r->shown_cap);
    symbi_text_free(&r->batch);
    sy_model_decoder_free(r->decoder);
    sy_model_http_free(&r->http);
    sy_conv_free(&r->conv);
    sy_conv_free(&r->window);
    symbi_doc_unref(r->agent_attrs);
    symbi_agentpin_result_unref(r->o.identity);
    symbi_doc_unref(r->context);
    if (r->o.api_key.n) explicit_bzero((char *)(uintptr_t)r->o.api_key.p, r->o.api_key.n);
    symbi_gate_free(r->o.gate);
    symbi_redactor_free(r->o.redactor);
    sy_arena_free(&r->turn);
    sy_arena_free(&r->life);
    sy_free(&al, r, sizeof *r);
}

static const char *phase_name(sy_phase p)
{
    switch (p) {
    case SY_PHASE_START: return "initialized";
    case SY_PHASE_REASON:
    case SY_PHASE_MODEL: return "reasoning";
    case SY_PHASE_GATE:
    case SY_PHASE_APPROVE:
    case SY_PHASE_COMMIT: return "policy_check";
    case SY_PHASE_ACT: return "tool_dispatching";
    case SY_PHASE_OBSERVE: return "observing";
    case SY_PHASE_END:
    case SY_PHASE_DONE: return "completed";
    }
    return "completed";
}

static symbi_status finish_doc(symbi_doc *d, symbi_status st, symbi_doc **out, symbi_err *err)
{
    if (!st && d->arena.status) st = sy_arena_fail(&d->arena, "the answer", err);
    if (st) {
        symbi_doc_unref(d);
        return st;
    }
    *out = d;
    return SYMBI_OK;
}

symbi_status symbi_run_state(symbi_run *r, symbi_doc **out, symbi_err *err)
{
    symbi_doc *d = sy_doc_new(r->cx);
    sy_obj o;
    *out = NULL;
    if (!d) return sy_fail_nomem(err);
    o = sy_obj_new(&d->arena);
    sy_obj_str(&o, "loop_id", sy_run_dup(&d->arena, r->o.loop_id));
    sy_obj_str(&o, "agent_id", sy_run_dup(&d->arena, r->o.agent_id));
    sy_obj_str(&o, "phase", symbi_str_z(phase_name(r->phase)));
    sy_obj_count(&o, "iteration", r->result.iterations);
    sy_obj_count(&o, "open", r->nopen);
    sy_obj_count(&o, "tokens_used", r->result.total_tokens);
    sy_obj_count(&o, "tool_calls", r->result.tool_calls);
    sy_obj_count(&o, "denied", r->result.denied);
    sy_obj_int(&o, "elapsed_ms", symbi_ctx_mono_ms(r->cx) - r->start_mono);
    sy_obj_bool(&o, "audited", r->o.audit != NULL);
    d->root = sy_obj_value(&o);
    return finish_doc(d, SYMBI_OK, out, err);
}

symbi_status symbi_run_events(symbi_run *r, symbi_doc **out, symbi_err *err)
{
    symbi_doc *d = sy_doc_new(r->cx), *one;
    sy_arr list;
    symbi_status st = SYMBI_OK;
    *out = NULL;
    if (!d) return sy_fail_nomem(err);
    list = sy_arr_new(&d->arena);
    for (size_t i = 0; !st && i < r->nshown; i++) {
        symbi_value v;
        if ((st = symbi_json_parse(r->cx, symbi_text_str(&r->shown[i]), &one, err))) break;
        st = sy_value_copy(&d->arena, symbi_doc_root(one), &v, r->cx->limits.doc_depth + 1, err);
        symbi_doc_unref(one);
        if (!st) sy_arr_add(&list, v);
    }
    d->root = sy_arr_value(&list);
    st = finish_doc(d, st, out, err);
    if (!st) {
        for (size_t i = 0; i < r->nshown; i++) symbi_text_free(&r->shown[i]);
        r->nshown = 0;
    }
    return st;
}

symbi_status symbi_run_conversation(symbi_run *r, symbi_doc **out, symbi_err *err)
{
    symbi_doc *d = sy_doc_new(r->cx);
    sy_arena a;
    symbi_value v;
    symbi_status st;
    *out = NULL;
    if (!d) return sy_fail_nomem(err);
    sy_arena_init(&a, r->cx->alloc, r->cx->limits.arena_bytes);
    st = sy_conv_value(&r->conv, &a, &v, err);
    if (!st) st = sy_value_copy(&d->arena, &v, &d->root, r->cx->limits.doc_depth + 1, err);
    sy_arena_free(&a);
    return finish_doc(d, st, out, err);
}
