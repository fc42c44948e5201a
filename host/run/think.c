/* run/think.c: asking the model and taking its answer apart (spec orga-loop.md rows 4-11). A model's answer is data: it only ever
 * becomes proposals. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "run/machine.h"
#include "run/model_in.h"

#include <string.h>

enum { SY_MODEL_TIMEOUT_MS = 120000, SY_RETRY_BASE_MS = 500, SY_RETRY_MAX_MS = 30000 };

/* What the model is told about the tools it may propose: schema and description, never how they run. Made once. */
static symbi_status offer_tools(symbi_run *r, symbi_err *err)
{
    symbi_toolset *ts = symbi_gate_tools(r->o.gate);
    size_t n = ts ? symbi_toolset_count(ts) : 0;
    symbi_status st;
    if (r->schemas || !n) return SYMBI_OK;
    r->schemas = sy_arena_calloc(&r->life, n, sizeof *r->schemas);
    r->offered = sy_arena_calloc(&r->life, n, sizeof *r->offered);
    if (!r->schemas || !r->offered) return sy_arena_fail(&r->life, "the run", err);
    for (size_t i = 0; i < n; i++) {
        symbi_tool_info ti;
        symbi_doc *d;
        sy_model_tool *t;
        symbi_tool_get_info(symbi_toolset_at(ts, i), &ti);
        if (!symbi_gate_in_profile(r->o.gate, ti.name)) continue;
        if ((st = symbi_tool_schema(r->cx, symbi_toolset_at(ts, i), &d, err))) return st;
        r->schemas[r->noffered] = d;
        t = &r->offered[r->noffered++];
        t->name = ti.name;
        t->description = ti.description;
        t->parameters = symbi_value_getz(symbi_doc_root(d), "inputSchema");
    }
    return SYMBI_OK;
}

static void make_request(symbi_run *r, sy_model_request *rq)
{
    uint64_t left = r->o.max_total_tokens - r->result.total_tokens;
    memset(rq, 0, sizeof *rq);
    rq->conv = &r->window;
    rq->tools = r->offered;
    rq->ntools = r->noffered;
    rq->max_tokens = left < r->o.max_output_tokens ? left : r->o.max_output_tokens;
    rq->temperature = r->o.temperature;
    rq->stream = r->o.stream;
    rq->turn = r->result.iterations;
}

symbi_status sy_run_ask_model(symbi_run *r, symbi_effect *out, symbi_err *err)
{
    sy_model_request rq;
    symbi_value *neutral;
    symbi_status st;
    sy_open *o;
    int64_t ms = SY_MODEL_TIMEOUT_MS, left = sy_run_time_left(r);
    sy_run_clear_turn(r);
    if ((st = offer_tools(r, err))) return st;
    if ((st = sy_conv_copy(&r->window, &r->conv, err))) return st;
    if ((st = sy_conv_truncate(&r->window, r->o.context_token_budget, err))) return st;
    make_request(r, &rq);
    neutral = sy_arena_calloc(&r->turn, 1, sizeof *neutral);
    if (!neutral) return sy_arena_fail(&r->turn, "the turn", err);
    if ((st = sy_model_request_value(&r->endpoint, &rq, &r->turn, neutral, err))) return st;
    if (r->o.provider.n) {
        sy_model_http_free(&r->http);
        if ((st = sy_model_encode(r->cx, &r->endpoint, &rq, &r->http, err))) return st;
        sy_model_decoder_free(r->decoder);
        if ((st = sy_model_decoder_new(r->cx, &r->endpoint, &rq, &r->decoder, err))) return st;
        out->http = r->http.rq;
        out->http.by_operator = true; /* the provider's base URL is configuration */
    }
    if (left >= 0 && left < ms) ms = left;
    o = sy_run_open(r, SYMBI_EFFECT_MODEL, 0, ms + 1000, err); /* the transport's own limit comes first */
    if (!o) return SYMBI_ENOMEM;
    out->http.timeout_ms = ms > 0 ? ms : 1;
    out->http.max_bytes = r->cx->limits.model_response;
    out->kind = SYMBI_EFFECT_MODEL;
    out->id = o->id;
    out->model = neutral;
    out->ms = ms;
    r->model_tries++;
    r->phase = SY_PHASE_MODEL;
    return SYMBI_OK;
}

/* Again after a pause, or the end of the run. */
static void model_failed(symbi_run *r, const sy_model_fault *fault, const symbi_err *why)
{
    int64_t wait = fault->retry_after_ms, left = sy_run_time_left(r);
    uint8_t jitter = 0;
    if (fault->retryable && r->model_tries < SY_MODEL_TRIES) {
        if (wait <= 0) {
            wait = (int64_t)SY_RETRY_BASE_MS << (r->model_tries - 1);
            if (symbi_ctx_random(r->cx, &jitter, 1, NULL)) jitter = 0;
            wait += wait * jitter / 512; /* up to half again, so that many runs do not return together */
        }
        if (wait <= SY_RETRY_MAX_MS && (left < 0 || wait < left)) {
            r->sleep_ms = wait;
            r->phase = SY_PHASE_REASON;
            return;
        }
    }
    sy_run_end(r, SYMBI_END_ERROR, why->code ? why->code : SYMBI_EPROVIDER, "Inference failed: %s", why->msg);
}

static bool blank(symbi_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!strchr(" \t\r\n\f\v", s.p[i]) || !s.p[i]) return false;
    return true;
}

static void count_usage(symbi_run *r, const sy_model_response *m)
{
    uint64_t total = m->total_tokens, p = m->prompt_tokens, c = m->completion_tokens;
    if (!m->has_usage) { /* an endpoint that reports nothing must not make the budget endless */
        p = sy_conv_estimate(&r->window);
        c = m->content.n / 3 + 1;
        for (size_t i = 0; i < m->ncalls; i++) c += (m->calls[i].name.n + m->calls[i].arguments.n) / 3 + 1;
        total = p + c;
    }
    if (total < p || total < c) total = p + c;
    if (__builtin_add_overflow(r->result.prompt_tokens, p, &r->result.prompt_tokens)) r->result.prompt_tokens = UINT64_MAX;
    if (__builtin_add_overflow(r->result.completion_tokens, c, &r->result.completion_tokens)) r->result.completion_tokens = UINT64_MAX;
    if (__builtin_add_overflow(r->result.total_tokens, total, &r->result.total_tokens)) r->result.total_tokens = UINT64_MAX;
}

static symbi_status new_proposals(symbi_run *r, size_t n, symbi_err *err)
{
    if (sy_grow(&r->cx->alloc, (void **)&r->calls, &r->calls_cap, n, sizeof *r->calls)) return sy_fail_nomem(err);
    memset(r->calls, 0, n * sizeof *r->calls);
    r->ncalls = n;
    return SYMBI_OK;
}

/* The answer joins the conversation and becomes proposals. */
/* The tool that a provider's form of its name means; a name that is one already stays. */
static symbi_str own_name(symbi_run *r, symbi_str name)
{
    symbi_toolset *ts = symbi_gate_tools(r->o.gate);
    bool may = false;
    for (size_t i = 0; i + 1 < name.n && !may; i++) may = name.p[i] == '_' && name.p[i + 1] == '_';
    if (!ts || !may || symbi_toolset_find(ts, name)) return name;
    for (size_t i = 0; i < symbi_toolset_count(ts); i++) {
        symbi_tool_info ti;
        symbi_tool_get_info(symbi_toolset_at(ts, i), &ti);
        if (memchr(ti.name.p, '.', ti.name.n) && sy_str_eq(sy_model_wire_name(&r->turn, ti.name), name)) return ti.name;
    }
    return name;
}

static symbi_status take_response(symbi_run *r, const sy_model_response *m, symbi_err *err)
{
    symbi_status st;
    count_usage(r, m);
    if (m->finish == SY_FINISH_REFUSAL) {
        sy_run_end(r, SYMBI_END_ERROR, SYMBI_EPROVIDER, "model refused the request (stop_reason=refusal)");
        return SYMBI_OK;
    }
    if (!m->ncalls && blank(m->content)) {
        sy_run_end(r, SYMBI_END_ERROR, SYMBI_EPROVIDER, "model produced no tool calls and no text (no-progress turn)");
        return SYMBI_OK;
    }
    if (m->ncalls) {
        if ((st = sy_conv_add_calls(&r->conv, m->content, m->calls, m->ncalls, err))) return st;
        if ((st = new_proposals(r, m->ncalls, err))) return st;
        for (size_t i = 0; i < m->ncalls; i++) {
            r->calls[i].kind = SYMBI_ACTION_TOOL_CALL;
            r->calls[i].call_id = sy_run_dup(&r->turn, m->calls[i].id);
            r->calls[i].name = sy_run_dup(&r->turn, own_name(r, m->calls[i].name));
            r->calls[i].args_text = sy_run_dup(&r->turn, m->calls[i].arguments);
        }
    } else {
        if ((st = sy_conv_add_text(&r->conv, SY_ROLE_ASSISTANT, m->content, err))) return st;
        if ((st = new_proposals(r, 1, err))) return st;
        r->calls[0].kind = SYMBI_ACTION_RESPOND;
        r->calls[0].content = sy_run_dup(&r->turn, m->content);
    }
    if (r->turn.status) return sy_arena_fail(&r->turn, "the turn", err);
    r->result.iterations++;
    r->model_tries = 0;
    for (size_t i = 0; i < r->ncalls; i++) sy_run_judge(r, i);
    r->phase = SY_PHASE_GATE;
    return SYMBI_OK;
}

symbi_status sy_run_model_answer(symbi_run *r, const symbi_reply *reply, symbi_err *err)
{
    sy_model_response m;
    sy_model_fault fault;
    symbi_err why;
    symbi_status st;
    memset(&m, 0, sizeof m);
    memset(&fault, 0, sizeof fault);
    symbi_err_clear(&why);
    if (reply->error.code) {
        st = sy_model_fault_driver(&reply->error, SY_MODEL_TIMEOUT_MS, &fault, &why);
    } else if (reply->neutral.n || !r->decoder) {
        st = sy_model_decode_neutral(r->cx, reply->neutral, r->o.model, r->result.iterations, &m, &fault, &why);
    } else {
        st = sy_model_decoder_feed(r->decoder, reply->body, &why);
        if (!st) st = sy_model_decoder_finish(r->decoder, reply->http_status, reply->headers, reply->nheaders, &m, &fault, &why);
    }
    if (st) model_failed(r, &fault, &why);
    else st = take_response(r, &m, err);
    if (why.code) st = SYMBI_OK;
    sy_model_response_free(&m);
    return st;
}
