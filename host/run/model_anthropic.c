/* run/model_anthropic.c: the Messages interface (spec orga-providers.md section 4): system text apart, tool results as blocks
 * of a user message, arguments as objects. Every system message of the conversation is sent, as a block of its own. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "run/model_in.h"
#include "symbi/json.h"

static const symbi_str nothing = SYMBI_STR_INIT("");

/* ---- request ------------------------------------------------------------------------------------------------------ */

static void ephemeral(sy_arena *a, sy_obj *o)
{
    sy_obj c = sy_obj_new(a);
    sy_obj_str(&c, "type", SY_LIT("ephemeral"));
    sy_obj_put(o, "cache_control", sy_obj_value(&c));
}

static symbi_value text_block(sy_arena *a, symbi_str text, bool cache)
{
    sy_obj o = sy_obj_new(a);
    sy_obj_str(&o, "type", SY_LIT("text"));
    sy_obj_str(&o, "text", text);
    if (cache) ephemeral(a, &o);
    return sy_obj_value(&o);
}

/* System messages in order; the last of those that do not change from turn to turn ends the cached part. */
static bool put_system(sy_arena *a, const sy_conv *c, sy_obj *o)
{
    sy_arr list = sy_arr_new(a);
    size_t stable = 0;
    while (stable < sy_conv_count(c) && sy_conv_at(c, stable)->role == SY_ROLE_SYSTEM
        && !sy_str_starts(sy_conv_at(c, stable)->content, SY_LIT("[KNOWLEDGE_CONTEXT]"))) stable++;
    for (size_t i = 0; i < sy_conv_count(c); i++) {
        const sy_msg *m = sy_conv_at(c, i);
        if (m->role == SY_ROLE_SYSTEM && m->content.n) sy_arr_add(&list, text_block(a, m->content, i + 1 == stable));
    }
    if (list.n) sy_obj_put(o, "system", sy_arr_value(&list));
    return list.n > 0;
}

/* The arguments of a call as an object; {} where the text is none. The document lives as long as the body. */
static symbi_status input(sy_model_body *b, symbi_str text, symbi_value *out, symbi_err *err)
{
    symbi_doc *d;
    symbi_status st = symbi_json_parse(b->cx, text, &d, NULL);
    *out = sy_val_object(NULL, 0);
    if (st == SYMBI_ENOMEM) return sy_fail_nomem(err);
    if (st) return SYMBI_OK;
    if (symbi_doc_root(d)->kind != SYMBI_OBJECT || sy_grow(&b->cx->alloc, (void **)&b->docs, &b->cap, b->ndocs + 1, sizeof(symbi_doc *))) {
        bool object = symbi_doc_root(d)->kind == SYMBI_OBJECT;
        symbi_doc_unref(d);
        return object ? sy_fail_nomem(err) : SYMBI_OK;
    }
    b->docs[b->ndocs++] = d;
    *out = *symbi_doc_root(d);
    return SYMBI_OK;
}

/* Adds what m becomes to the blocks of the message under construction. */
static symbi_status blocks(sy_model_body *b, const sy_msg *m, sy_arr *list, symbi_err *err)
{
    sy_arena *a = &b->arena;
    if (m->role == SY_ROLE_TOOL) {
        sy_obj o = sy_obj_new(a);
        sy_obj_str(&o, "type", SY_LIT("tool_result"));
        sy_obj_str(&o, "tool_use_id", m->tool_call_id);
        sy_obj_str(&o, "content", m->content);
        if (m->is_error) sy_obj_bool(&o, "is_error", true);
        sy_arr_add(list, sy_obj_value(&o));
        return SYMBI_OK;
    }
    if (m->content.n) sy_arr_add(list, text_block(a, m->content, false)); /* an empty block is refused by the server */
    for (size_t i = 0; i < m->ncalls; i++) {
        sy_obj o = sy_obj_new(a);
        symbi_value in;
        symbi_status st = input(b, m->calls[i].arguments, &in, err);
        if (st) return st;
        sy_obj_str(&o, "type", SY_LIT("tool_use"));
        sy_obj_str(&o, "id", m->calls[i].id);
        sy_obj_str(&o, "name", sy_model_wire_name(a, m->calls[i].name));
        sy_obj_put(&o, "input", in);
        sy_arr_add(list, sy_obj_value(&o));
    }
    return SYMBI_OK;
}

static bool assistant(const sy_msg *m) { return m->role == SY_ROLE_ASSISTANT; }

static symbi_status put_messages(sy_model_body *b, const sy_conv *c, sy_obj *o, symbi_err *err)
{
    sy_arena *a = &b->arena;
    sy_arr list = sy_arr_new(a);
    for (size_t i = 0, n = sy_conv_count(c); i < n && !a->status;) {
        const sy_msg *m = sy_conv_at(c, i);
        sy_obj msg = sy_obj_new(a);
        sy_arr parts = sy_arr_new(a);
        size_t members = 0, next = i;
        if (m->role == SY_ROLE_SYSTEM) {
            i++;
            continue;
        }
        for (; next < n; next++) { /* neighbours of one side become one message */
            const sy_msg *x = sy_conv_at(c, next);
            symbi_status st;
            if (x->role == SY_ROLE_SYSTEM) continue;
            if (assistant(x) != assistant(m)) break;
            st = blocks(b, x, &parts, err);
            if (st) return st;
            members++;
        }
        sy_obj_str(&msg, "role", assistant(m) ? SY_LIT("assistant") : SY_LIT("user"));
        if (!parts.n) sy_obj_str(&msg, "content", nothing);
        else if (members == 1 && m->role != SY_ROLE_TOOL && !m->ncalls) sy_obj_str(&msg, "content", m->content);
        else sy_obj_put(&msg, "content", sy_arr_value(&parts));
        sy_arr_add(&list, sy_obj_value(&msg));
        i = next;
    }
    sy_obj_put(o, "messages", sy_arr_value(&list));
    return SYMBI_OK;
}

static void put_tools(sy_arena *a, const sy_model_request *rq, bool has_system, sy_obj *o)
{
    static const char *const names[] = { "", "auto", "any", "tool" };
    sy_arr list = sy_arr_new(a);
    sy_obj c = sy_obj_new(a);
    for (size_t i = 0; i < rq->ntools; i++) {
        sy_obj t = sy_obj_new(a);
        sy_obj_str(&t, "name", sy_model_wire_name(a, rq->tools[i].name));
        sy_obj_str(&t, "description", rq->tools[i].description);
        sy_obj_put(&t, "input_schema", sy_model_parameters(&rq->tools[i]));
        if (!has_system && i + 1 == rq->ntools) ephemeral(a, &t);
        sy_arr_add(&list, sy_obj_value(&t));
    }
    sy_obj_put(o, "tools", sy_arr_value(&list));
    if (rq->choice == SY_CHOICE_UNSET) return;
    sy_obj_str(&c, "type", symbi_str_z(names[rq->choice]));
    if (rq->choice == SY_CHOICE_TOOL) sy_obj_str(&c, "name", sy_model_wire_name(a, rq->choice_name));
    sy_obj_put(o, "tool_choice", sy_obj_value(&c));
}

symbi_status sy_anthropic_body(sy_model_body *b, symbi_str model, const sy_model_request *rq, sy_obj *o, symbi_err *err)
{
    sy_arena *a = &b->arena;
    bool has_system;
    symbi_status st;
    sy_obj_str(o, "model", model);
    st = put_messages(b, rq->conv, o, err);
    if (st) return st;
    sy_obj_count(o, "max_tokens", rq->max_tokens);
    if (rq->temperature > 0) sy_obj_put(o, "temperature", sy_val_double(rq->temperature));
    has_system = put_system(a, rq->conv, o);
    if (rq->ntools) put_tools(a, rq, has_system, o);
    if (rq->stream) sy_obj_bool(o, "stream", true);
    return a->status ? sy_arena_fail(a, "the model request", err) : SYMBI_OK;
}

/* ---- answer ------------------------------------------------------------------------------------------------------- */

static void stop_reason(sy_model_acc *k, const symbi_value *v)
{
    symbi_str r = symbi_value_str(v, "stop_reason", nothing);
    if (!r.n) return;
    k->ended = true;
    if (sy_str_eqz(r, "tool_use")) k->finish = SY_FINISH_TOOL_CALLS;
    else if (sy_str_eqz(r, "max_tokens")) k->finish = SY_FINISH_MAX_TOKENS;
    else if (sy_str_eqz(r, "refusal")) k->finish = SY_FINISH_REFUSAL;
    else return;
    k->has_finish = true;
}

/* Events repeat the numbers, later ones cumulative: what is named replaces what was. Cached input counts as input. */
static void usage(sy_model_acc *k, const symbi_value *u)
{
    if (!u || u->kind != SYMBI_OBJECT) return;
    k->has_usage = true;
    if (symbi_value_getz(u, "input_tokens"))
        k->prompt = sy_model_count(u, "input_tokens") + sy_model_count(u, "cache_read_input_tokens")
            + sy_model_count(u, "cache_creation_input_tokens");
    if (symbi_value_getz(u, "output_tokens")) k->completion = sy_model_count(u, "output_tokens");
    k->total = k->prompt + k->completion;
}

/* Text of several blocks is joined by line ends. */
static symbi_status join(sy_model_acc *k, symbi_err *err)
{
    return k->content.n ? sy_model_text(k, SY_LIT("\n"), err) : SYMBI_OK;
}

static symbi_status answer_block(sy_model_acc *k, const symbi_value *v, symbi_err *err)
{
    symbi_str type = symbi_value_str(v, "type", nothing), name = symbi_value_str(v, "name", nothing);
    sy_acc_call *c;
    symbi_status st;
    if (sy_str_eqz(type, "text")) {
        symbi_str text = symbi_value_str(v, "text", nothing);
        if (!text.n) return SYMBI_OK;
        st = join(k, err);
        return st ? st : sy_model_text(k, text, err);
    }
    if (!sy_str_eqz(type, "tool_use")) return SYMBI_OK;
    if (!name.n) {
        k->skipped++;
        return SYMBI_OK;
    }
    st = sy_model_call(k, -1, symbi_value_str(v, "id", nothing), name, &c, err);
    return st ? st : sy_model_args_value(k, c, symbi_value_getz(v, "input"), err);
}

symbi_status sy_anthropic_answer(sy_model_acc *k, const symbi_value *root, symbi_err *err)
{
    const symbi_value *content = symbi_value_getz(root, "content");
    char text[SY_MODEL_QUOTE + 1];
    symbi_status st = SYMBI_OK;
    if (!content || content->kind != SYMBI_ARRAY) {
        symbi_str e = sy_model_error_text(root);
        sy_model_quote(k->key, e, text);
        return sy_model_fail(k, SY_FAULT_PARSE, err, "No content in response%s%s", e.n ? ": " : "", text);
    }
    k->started = true;
    for (size_t i = 0; i < content->u.a.n && !st; i++) st = answer_block(k, &content->u.a.items[i], err);
    if (!st) st = sy_model_set_model(k, symbi_value_str(root, "model", nothing), err);
    if (st) return st;
    stop_reason(k, root);
    usage(k, symbi_value_getz(root, "usage"));
    return SYMBI_OK;
}

/* ---- events ------------------------------------------------------------------------------------------------------- */

static int64_t block_index(const symbi_value *root)
{
    const symbi_value *v = symbi_value_getz(root, "index");
    return v && v->kind == SYMBI_INT && v->u.i >= 0 ? v->u.i : -1;
}

static symbi_status block_start(sy_model_acc *k, const symbi_value *root, symbi_err *err)
{
    const symbi_value *v = symbi_value_getz(root, "content_block"), *in;
    symbi_str type = symbi_value_str(v, "type", nothing), text;
    sy_acc_call *c;
    symbi_status st;
    if (sy_str_eqz(type, "text")) {
        text = symbi_value_str(v, "text", nothing);
        st = join(k, err);
        return st ? st : sy_model_text(k, text, err);
    }
    if (!sy_str_eqz(type, "tool_use")) return SYMBI_OK;
    st = sy_model_call(k, block_index(root), symbi_value_str(v, "id", nothing), symbi_value_str(v, "name", nothing), &c, err);
    if (st) return st;
    in = symbi_value_getz(v, "input"); /* an empty object stands for what the fragments will bring */
    return in && in->kind == SYMBI_OBJECT && in->u.o.n ? sy_model_args_value(k, c, in, err) : SYMBI_OK;
}

static symbi_status block_delta(sy_model_acc *k, const symbi_value *root, symbi_err *err)
{
    const symbi_value *d = symbi_value_getz(root, "delta");
    symbi_str type = symbi_value_str(d, "type", nothing);
    if (sy_str_eqz(type, "text_delta")) return sy_model_text(k, symbi_value_str(d, "text", nothing), err);
    if (sy_str_eqz(type, "input_json_delta")) {
        int64_t index = block_index(root);
        for (size_t i = k->ncalls; i > 0; i--)
            if (k->calls[i - 1].index == index && index >= 0)
                return sy_model_args(k, &k->calls[i - 1], symbi_value_str(d, "partial_json", nothing), err);
        return sy_model_fail(k, SY_FAULT_PARSE, err, "arguments arrive for a tool call that did not begin");
    }
    return SYMBI_OK; /* thinking, signatures, citations */
}

symbi_status sy_anthropic_event(sy_model_acc *k, const symbi_value *root, symbi_err *err)
{
    symbi_str type = symbi_value_str(root, "type", nothing);
    char text[SY_MODEL_QUOTE + 1];
    if (sy_str_eqz(type, "error") || symbi_value_getz(root, "error")) {
        sy_model_quote(k->key, sy_model_error_text(root), text);
        return sy_model_fail(k, SY_FAULT_PROVIDER, err, "the stream ended with an error: %s", text);
    }
    if (sy_str_eqz(type, "message_start")) {
        const symbi_value *m = symbi_value_getz(root, "message");
        k->started = true;
        usage(k, symbi_value_getz(m, "usage"));
        return sy_model_set_model(k, symbi_value_str(m, "model", nothing), err);
    }
    if (sy_str_eqz(type, "content_block_start")) return block_start(k, root, err);
    if (sy_str_eqz(type, "content_block_delta")) return block_delta(k, root, err);
    if (sy_str_eqz(type, "message_delta")) {
        stop_reason(k, symbi_value_getz(root, "delta"));
        usage(k, symbi_value_getz(root, "usage"));
        k->ended = false; /* only message_stop ends it */
    }
    if (sy_str_eqz(type, "message_stop")) k->ended = true;
    return SYMBI_OK;
}
