/* run/model_neutral.c: the neutral response as JSON text: what a driver with a model of its own, or the replay driver,
 * resolves a MODEL effect with. It is written by programs of ours and by hand, so a mistake in it is named with its place
 * instead of being guessed around; the limits are those of any other answer. */
#include "base/err.h"
#include "base/str.h"
#include "run/model_in.h"
#include "symbi/json.h"

#include <stdio.h>

static const symbi_str nothing = SYMBI_STR_INIT("");

static symbi_status bad(sy_model_acc *k, const symbi_value *v, const char *path, const char *why, symbi_err *err)
{
    symbi_status st;
    k->fault.kind = SY_FAULT_PARSE;
    st = sy_fail_at(err, SYMBI_ESCHEMA, v->line, 0, "the model response given by the driver: %s", why);
    sy_err_path(err, symbi_str_z(path));
    return st;
}

static symbi_status read_call(sy_model_acc *k, const symbi_value *v, size_t i, symbi_err *err)
{
    const symbi_value *args = NULL;
    symbi_str id = nothing, name = nothing;
    char path[64];
    sy_acc_call *c;
    symbi_status st;
    snprintf(path, sizeof path, "/tool_calls/%zu", i);
    if (v->kind != SYMBI_OBJECT) return bad(k, v, path, "a tool call must be an object {name, arguments}", err);
    for (size_t j = 0; j < v->u.o.n; j++) {
        const symbi_member *m = &v->u.o.members[j];
        bool text = m->val.kind == SYMBI_STRING;
        if (sy_str_eqz(m->key, "id") && text) id = m->val.u.s;
        else if (sy_str_eqz(m->key, "name") && text) name = m->val.u.s;
        else if (sy_str_eqz(m->key, "arguments") && (text || m->val.kind == SYMBI_OBJECT)) args = &m->val;
        else if (sy_str_eqz(m->key, "id") || sy_str_eqz(m->key, "name")) return bad(k, &m->val, path, "id and name must be strings", err);
        else if (sy_str_eqz(m->key, "arguments")) return bad(k, &m->val, path, "arguments must be an object, or JSON text", err);
        else return bad(k, &m->val, path, "a tool call has only id, name and arguments", err);
    }
    if (!name.n) return bad(k, v, path, "a tool call needs a name", err);
    st = sy_model_call(k, -1, id, name, &c, err);
    return st ? st : sy_model_args_value(k, c, args, err);
}

static symbi_status read_usage(sy_model_acc *k, const symbi_value *v, symbi_err *err)
{
    static const char *const names[] = { "prompt_tokens", "completion_tokens", "total_tokens" };
    uint64_t *const to[] = { &k->prompt, &k->completion, &k->total };
    bool total = false;
    if (v->kind != SYMBI_OBJECT) return bad(k, v, "/usage", "usage must be an object", err);
    for (size_t j = 0; j < v->u.o.n; j++) {
        const symbi_member *m = &v->u.o.members[j];
        size_t i = 0;
        while (i < 3 && !sy_str_eqz(m->key, names[i])) i++;
        if (i == 3) return bad(k, &m->val, "/usage", "usage has only prompt_tokens, completion_tokens and total_tokens", err);
        if (m->val.kind != SYMBI_INT || m->val.u.i < 0 || m->val.u.i > INT64_C(1) << 53)
            return bad(k, &m->val, "/usage", "a number of tokens must be an integer from 0 to 2^53", err);
        *to[i] = (uint64_t)m->val.u.i;
        total |= i == 2;
    }
    if (!total) k->total = k->prompt + k->completion;
    k->has_usage = true;
    return SYMBI_OK;
}

static symbi_status read_finish(sy_model_acc *k, const symbi_value *v, symbi_err *err)
{
    for (int f = SY_FINISH_STOP; v->kind == SYMBI_STRING && f <= SY_FINISH_REFUSAL; f++)
        if (sy_str_eqz(v->u.s, sy_model_finish_name((sy_model_finish)f))) {
            k->finish = (sy_model_finish)f;
            k->has_finish = f != SY_FINISH_STOP; /* stop with calls is read as tool_calls, as from any provider */
            return SYMBI_OK;
        }
    return bad(k, v, "/finish_reason", "finish_reason must be stop, tool_calls, max_tokens, content_filter or refusal", err);
}

/* {"message", "kind"?, "retry_after_ms"?}: the fault a recorded conversation, or a driver, wants the run to see. */
static symbi_status read_error(sy_model_acc *k, const symbi_value *v, symbi_err *err)
{
    static const char *const kinds[] = { "provider", "rate_limited", "context_window", "no_model", "invalid", "timeout", "parse" };
    symbi_str message = symbi_value_str(v, "message", nothing), kind = symbi_value_str(v, "kind", SY_LIT("provider"));
    const symbi_value *retry = symbi_value_getz(v, "retry_after_ms");
    char text[SY_MODEL_QUOTE + 1];
    size_t i = 0;
    if (v->kind != SYMBI_OBJECT) return bad(k, v, "/error", "error must be an object {message, kind, retry_after_ms}", err);
    for (size_t j = 0; j < v->u.o.n; j++) {
        symbi_str key = v->u.o.members[j].key;
        if (!sy_str_eqz(key, "message") && !sy_str_eqz(key, "kind") && !sy_str_eqz(key, "retry_after_ms"))
            return bad(k, v, "/error", "error has only message, kind and retry_after_ms", err);
    }
    while (i < 7 && !sy_str_eqz(kind, kinds[i])) i++;
    if (i == 7) return bad(k, v, "/error/kind", "kind must be provider, rate_limited, context_window, no_model, invalid, timeout or parse", err);
    if (retry && (retry->kind != SYMBI_INT || retry->u.i < 0)) return bad(k, retry, "/error/retry_after_ms", "must be milliseconds", err);
    if (retry) k->fault.retry_after_ms = retry->u.i;
    sy_model_quote(nothing, message, text);
    k->fault.retryable = i == SY_FAULT_RATE_LIMITED || i == SY_FAULT_TIMEOUT;
    if (i == SY_FAULT_RATE_LIMITED) {
        if (!retry) k->fault.retry_after_ms = 1000;
        return sy_model_fail(k, SY_FAULT_RATE_LIMITED, err, "retry after %lldms", (long long)k->fault.retry_after_ms);
    }
    return sy_model_fail(k, (sy_model_fault_kind)i, err, "%s", text);
}

static symbi_status read_member(sy_model_acc *k, const symbi_member *m, symbi_err *err)
{
    const symbi_value *v = &m->val;
    symbi_status st = SYMBI_OK;
    if (sy_str_eqz(m->key, "content")) {
        if (v->kind == SYMBI_NULL) return SYMBI_OK;
        return v->kind == SYMBI_STRING ? sy_model_text(k, v->u.s, err) : bad(k, v, "/content", "content must be a string", err);
    }
    if (sy_str_eqz(m->key, "tool_calls")) {
        if (v->kind != SYMBI_ARRAY) return bad(k, v, "/tool_calls", "tool_calls must be an array", err);
        for (size_t i = 0; i < v->u.a.n && !st; i++) st = read_call(k, &v->u.a.items[i], i, err);
        return st;
    }
    if (sy_str_eqz(m->key, "finish_reason")) return read_finish(k, v, err);
    if (sy_str_eqz(m->key, "usage")) return read_usage(k, v, err);
    if (sy_str_eqz(m->key, "model"))
        return v->kind == SYMBI_STRING ? sy_model_set_model(k, v->u.s, err) : bad(k, v, "/model", "model must be a string", err);
    return bad(k, v, "", "known members are content, tool_calls, finish_reason, usage, model, error", err);
}

static symbi_status read_root(sy_model_acc *k, const symbi_value *v, symbi_err *err)
{
    const symbi_value *e;
    symbi_status st = SYMBI_OK;
    if (v->kind != SYMBI_OBJECT) return bad(k, v, "", "must be an object", err);
    e = symbi_value_getz(v, "error");
    if (e) return v->u.o.n == 1 ? read_error(k, e, err) : bad(k, v, "", "error stands alone", err);
    if (!symbi_value_getz(v, "content") && !symbi_value_getz(v, "tool_calls")) return bad(k, v, "", "content or tool_calls is needed", err);
    for (size_t i = 0; i < v->u.o.n && !st; i++) st = read_member(k, &v->u.o.members[i], err);
    return st;
}

symbi_status sy_model_decode_neutral(symbi_ctx *cx, symbi_str text, symbi_str model, uint64_t turn, sy_model_response *out, sy_model_fault *fault, symbi_err *err)
{
    sy_model_acc k;
    symbi_doc *d = NULL;
    symbi_status st;
    memset(out, 0, sizeof *out);
    sy_model_acc_init(&k, cx, nothing, turn);
    k.fault.kind = SY_FAULT_PARSE;
    st = symbi_json_parse(cx, text, &d, err);
    if (!st) st = read_root(&k, symbi_doc_root(d), err);
    if (!st) st = sy_model_acc_finish(&k, model, out, err);
    *fault = k.fault;
    symbi_doc_unref(d);
    sy_model_acc_free(&k);
    return st;
}
