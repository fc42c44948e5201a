/* run/model_openai.c: chat completions as OpenAI defined them and most servers copy them (spec orga-providers.md section 3):
 * the request body, the whole answer, and the events of a streamed one. What the copies get wrong (no ids, arguments as
 * objects, every call under index 0) is repaired here when the meaning is clear and refused when it is not. */
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "run/model_in.h"

/* ---- request ------------------------------------------------------------------------------------------------------ */

static symbi_value message(sy_arena *a, const sy_msg *m)
{
    sy_obj o = sy_obj_new(a);
    sy_obj_str(&o, "role", symbi_str_z(sy_role_name(m->role)));
    if (m->content.n || m->role != SY_ROLE_ASSISTANT) sy_obj_str(&o, "content", m->content);
    if (m->ncalls) {
        sy_arr calls = sy_arr_new(a);
        for (size_t i = 0; i < m->ncalls; i++) {
            sy_obj f = sy_obj_new(a), k = sy_obj_new(a);
            sy_obj_str(&f, "name", sy_model_wire_name(a, m->calls[i].name));
            sy_obj_str(&f, "arguments", m->calls[i].arguments);
            sy_obj_str(&k, "id", m->calls[i].id);
            sy_obj_str(&k, "type", SY_LIT("function"));
            sy_obj_put(&k, "function", sy_obj_value(&f));
            sy_arr_add(&calls, sy_obj_value(&k));
        }
        sy_obj_put(&o, "tool_calls", sy_arr_value(&calls));
    }
    if (m->has_call_id) sy_obj_str(&o, "tool_call_id", m->tool_call_id);
    return sy_obj_value(&o);
}

static symbi_value tool(sy_arena *a, const sy_model_tool *t)
{
    sy_obj f = sy_obj_new(a), o = sy_obj_new(a);
    sy_obj_str(&f, "name", sy_model_wire_name(a, t->name));
    sy_obj_str(&f, "description", t->description);
    sy_obj_put(&f, "parameters", sy_model_parameters(t));
    sy_obj_str(&o, "type", SY_LIT("function"));
    sy_obj_put(&o, "function", sy_obj_value(&f));
    return sy_obj_value(&o);
}

static void put_tools(sy_arena *a, const sy_model_request *rq, sy_obj *o)
{
    sy_arr list = sy_arr_new(a);
    sy_obj f = sy_obj_new(a), c = sy_obj_new(a);
    for (size_t i = 0; i < rq->ntools; i++) sy_arr_add(&list, tool(a, &rq->tools[i]));
    sy_obj_put(o, "tools", sy_arr_value(&list));
    switch (rq->choice) {
    case SY_CHOICE_UNSET: break;
    case SY_CHOICE_AUTO: sy_obj_str(o, "tool_choice", SY_LIT("auto")); break;
    case SY_CHOICE_ANY: sy_obj_str(o, "tool_choice", SY_LIT("required")); break;
    case SY_CHOICE_TOOL:
        sy_obj_str(&f, "name", sy_model_wire_name(a, rq->choice_name));
        sy_obj_str(&c, "type", SY_LIT("function"));
        sy_obj_put(&c, "function", sy_obj_value(&f));
        sy_obj_put(o, "tool_choice", sy_obj_value(&c));
        break;
    }
}

static void put_format(sy_arena *a, const sy_model_request *rq, sy_obj *o)
{
    sy_obj f = sy_obj_new(a), s = sy_obj_new(a);
    if (rq->format == SY_FORMAT_TEXT) return;
    if (rq->format == SY_FORMAT_JSON_OBJECT) {
        sy_obj_str(&f, "type", SY_LIT("json_object"));
    } else {
        sy_obj_str(&s, "name", rq->schema_name.n ? rq->schema_name : SY_LIT("response"));
        sy_obj_put(&s, "schema", rq->schema ? *rq->schema : sy_val_object(NULL, 0));
        sy_obj_str(&f, "type", SY_LIT("json_schema"));
        sy_obj_put(&f, "json_schema", sy_obj_value(&s));
    }
    sy_obj_put(o, "response_format", sy_obj_value(&f));
}

/* Models that refuse max_tokens and any temperature but their own. */
static bool reasoning_model(symbi_str model)
{
    static const char *const family[] = { "o1", "o3", "o4", "gpt-5" };
    for (size_t i = model.n; i > 0; i--)
        if (model.p[i - 1] == '/') {
            model.p += i;
            model.n -= i;
            break;
        }
    for (size_t i = 0; i < sizeof family / sizeof family[0]; i++) {
        symbi_str f = symbi_str_z(family[i]);
        if (sy_str_starts(model, f) && (model.n == f.n || model.p[f.n] == '-' || model.p[f.n] == '.')) return true;
    }
    return false;
}

symbi_status sy_openai_body(sy_model_body *b, symbi_str model, const sy_model_request *rq, sy_obj *o, symbi_err *err)
{
    sy_arena *a = &b->arena;
    sy_arr list = sy_arr_new(a);
    bool reasoning = reasoning_model(model);
    for (size_t i = 0; i < sy_conv_count(rq->conv) && !a->status; i++) sy_arr_add(&list, message(a, sy_conv_at(rq->conv, i)));
    sy_obj_str(o, "model", model);
    sy_obj_put(o, "messages", sy_arr_value(&list));
    sy_obj_count(o, reasoning ? "max_completion_tokens" : "max_tokens", rq->max_tokens);
    if (!reasoning && rq->temperature == rq->temperature) sy_obj_put(o, "temperature", sy_val_double(rq->temperature));
    if (rq->ntools) put_tools(a, rq, o);
    put_format(a, rq, o);
    if (rq->stream) {
        sy_obj so = sy_obj_new(a);
        sy_obj_bool(&so, "include_usage", true);
        sy_obj_bool(o, "stream", true);
        sy_obj_put(o, "stream_options", sy_obj_value(&so));
    }
    return a->status ? sy_arena_fail(a, "the model request", err) : SYMBI_OK;
}

/* ---- answer ------------------------------------------------------------------------------------------------------- */

static const symbi_str nothing = SYMBI_STR_INIT("");

static void finish_reason(sy_model_acc *k, const symbi_value *choice)
{
    symbi_str r = symbi_value_str(choice, "finish_reason", nothing);
    if (!r.n) return;
    k->ended = true;
    /* what is not listed is read from the calls: servers invent their own words */
    if (sy_str_eqz(r, "tool_calls")) k->finish = SY_FINISH_TOOL_CALLS;
    else if (sy_str_eqz(r, "length")) k->finish = SY_FINISH_MAX_TOKENS;
    else if (sy_str_eqz(r, "content_filter")) k->finish = SY_FINISH_CONTENT_FILTER;
    else return;
    k->has_finish = true;
}

static void usage(sy_model_acc *k, const symbi_value *root)
{
    const symbi_value *u = symbi_value_getz(root, "usage");
    if (!u || u->kind != SYMBI_OBJECT) return;
    k->has_usage = true;
    k->prompt = sy_model_count(u, "prompt_tokens");
    k->completion = sy_model_count(u, "completion_tokens");
    k->total = sy_model_count(u, "total_tokens");
}

static symbi_status whole_calls(sy_model_acc *k, const symbi_value *calls, symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    if (!calls || calls->kind != SYMBI_ARRAY) return SYMBI_OK;
    for (size_t i = 0; i < calls->u.a.n && !st; i++) {
        const symbi_value *v = &calls->u.a.items[i], *f = symbi_value_getz(v, "function");
        symbi_str name = symbi_value_str(f, "name", nothing);
        sy_acc_call *c;
        if (!name.n) {
            k->skipped++;
            continue;
        }
        st = sy_model_call(k, -1, symbi_value_str(v, "id", nothing), name, &c, err);
        if (!st) st = sy_model_args_value(k, c, symbi_value_getz(f, "arguments"), err);
    }
    return st;
}

symbi_status sy_openai_answer(sy_model_acc *k, const symbi_value *root, symbi_err *err)
{
    const symbi_value *choices = symbi_value_getz(root, "choices"), *choice, *m;
    char text[SY_MODEL_QUOTE + 1];
    symbi_status st;
    if (!choices || choices->kind != SYMBI_ARRAY || !choices->u.a.n) {
        symbi_str e = sy_model_error_text(root);
        sy_model_quote(k->key, e, text);
        return sy_model_fail(k, SY_FAULT_PARSE, err, "No choices in response%s%s", e.n ? ": " : "", text);
    }
    choice = &choices->u.a.items[0];
    m = symbi_value_getz(choice, "message");
    if (!m || m->kind != SYMBI_OBJECT) return sy_model_fail(k, SY_FAULT_PARSE, err, "No message in choice");
    k->started = true;
    st = sy_model_text(k, symbi_value_str(m, "content", nothing), err);
    if (!st) st = whole_calls(k, symbi_value_getz(m, "tool_calls"), err);
    if (!st) st = sy_model_set_model(k, symbi_value_str(root, "model", nothing), err);
    if (st) return st;
    k->refused = symbi_value_str(m, "refusal", nothing).n > 0;
    finish_reason(k, choice);
    usage(k, root);
    return SYMBI_OK;
}

/* ---- events ------------------------------------------------------------------------------------------------------- */

/* The call that a fragment belongs to, or NULL for a new one. Some servers send every call whole under index 0, others leave
 * the index out; a different id always begins another call. */
static sy_acc_call *find_call(sy_model_acc *k, int64_t index, symbi_str id)
{
    for (size_t i = k->ncalls; i > 0; i--) {
        sy_acc_call *c = &k->calls[i - 1];
        if (index >= 0 && c->index != index) continue;
        return id.n && c->id.n && !sy_str_eq(id, c->id) ? NULL : c;
    }
    return NULL;
}

static symbi_status keep_late(sy_model_acc *k, symbi_str s, symbi_str *to, symbi_err *err)
{
    *to = sy_arena_dup(&k->arena, s);
    return to->p ? SYMBI_OK : sy_arena_fail(&k->arena, "the answer", err);
}

static symbi_status call_fragment(sy_model_acc *k, const symbi_value *v, symbi_err *err)
{
    const symbi_value *f = symbi_value_getz(v, "function"), *iv = symbi_value_getz(v, "index");
    symbi_str id = symbi_value_str(v, "id", nothing), name = symbi_value_str(f, "name", nothing);
    int64_t index = -1;
    sy_acc_call *c;
    symbi_status st = SYMBI_OK;
    if (v->kind != SYMBI_OBJECT) return sy_model_fail(k, SY_FAULT_PARSE, err, "a tool call of the stream is no object");
    if (iv && iv->kind != SYMBI_NULL) {
        if (iv->kind != SYMBI_INT || iv->u.i < 0) return sy_model_fail(k, SY_FAULT_PARSE, err, "a tool call of the stream has no valid index");
        index = iv->u.i;
    }
    if (id.n + name.n > k->cx->limits.model_response) return sy_model_fail(k, SY_FAULT_PARSE, err, "the name of a tool call is too long");
    c = find_call(k, index, id);
    if (!c) return (st = sy_model_call(k, index, id, name, &c, err)) ? st : sy_model_args_value(k, c, symbi_value_getz(f, "arguments"), err);
    if (!c->id.n && id.n) st = keep_late(k, id, &c->id, err);
    if (!st && name.n && !c->name.n) st = keep_late(k, name, &c->name, err);
    else if (!st && name.n && !sy_str_eq(name, c->name))
        return sy_model_fail(k, SY_FAULT_PARSE, err, "tool call %zu changes its name within the stream", (size_t)(c - k->calls) + 1);
    return st ? st : sy_model_args_value(k, c, symbi_value_getz(f, "arguments"), err);
}

symbi_status sy_openai_event(sy_model_acc *k, const symbi_value *root, symbi_err *err)
{
    const symbi_value *choices = symbi_value_getz(root, "choices"), *e = symbi_value_getz(root, "error");
    symbi_status st;
    if (e && e->kind != SYMBI_NULL) {
        char text[SY_MODEL_QUOTE + 1];
        sy_model_quote(k->key, sy_model_error_text(root), text);
        return sy_model_fail(k, SY_FAULT_PROVIDER, err, "the stream ended with an error: %s", text);
    }
    st = sy_model_set_model(k, symbi_value_str(root, "model", nothing), err);
    if (st) return st;
    usage(k, root);
    if (!choices || choices->kind != SYMBI_ARRAY) return SYMBI_OK;
    for (size_t i = 0; i < choices->u.a.n; i++) {
        const symbi_value *choice = &choices->u.a.items[i], *d = symbi_value_getz(choice, "delta"), *calls;
        const symbi_value *index = symbi_value_getz(choice, "index");
        if (choice->kind != SYMBI_OBJECT) return sy_model_fail(k, SY_FAULT_PARSE, err, "a choice of the stream is no object");
        if (index && !(index->kind == SYMBI_INT && index->u.i == 0)) continue; /* one answer was asked for */
        k->started = true;
        st = sy_model_text(k, symbi_value_str(d, "content", nothing), err);
        if (st) return st;
        if (symbi_value_str(d, "refusal", nothing).n) k->refused = true;
        calls = symbi_value_getz(d, "tool_calls");
        for (size_t j = 0; calls && calls->kind == SYMBI_ARRAY && j < calls->u.a.n; j++)
            if ((st = call_fragment(k, &calls->u.a.items[j], err))) return st;
        finish_reason(k, choice);
    }
    return SYMBI_OK;
}
