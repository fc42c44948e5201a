/* run/conv_value.c: the JSON form of a conversation. Writing borrows every string; reading is strict, because a conversation
 * that is read back is what the next request to a model is made of. */
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/build.h"
#include "run/conv.h"
#include "run/conv_in.h"

#include <stdio.h>

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static symbi_value message_value(const sy_msg *m, sy_arena *a)
{
    sy_obj o = sy_obj_new(a);
    sy_obj_str(&o, "role", symbi_str_z(sy_role_name(m->role)));
    sy_obj_str(&o, "content", m->content);
    if (m->ncalls) {
        sy_arr calls = sy_arr_new(a);
        for (size_t i = 0; i < m->ncalls; i++) {
            sy_obj k = sy_obj_new(a);
            sy_obj_str(&k, "id", m->calls[i].id);
            sy_obj_str(&k, "name", m->calls[i].name);
            sy_obj_str(&k, "arguments", m->calls[i].arguments);
            sy_arr_add(&calls, sy_obj_value(&k));
        }
        sy_obj_put(&o, "tool_calls", sy_arr_value(&calls));
    }
    if (m->has_call_id) sy_obj_str(&o, "tool_call_id", m->tool_call_id);
    if (m->has_tool_name) sy_obj_str(&o, "tool_name", m->tool_name);
    if (m->is_error) sy_obj_bool(&o, "is_error", true);
    return sy_obj_value(&o);
}

symbi_status sy_conv_messages(const sy_conv *c, sy_arena *a, symbi_value *out, symbi_err *err)
{
    sy_arr list = sy_arr_new(a);
    for (size_t i = 0; i < c->n && !a->status; i++) sy_arr_add(&list, message_value(c->m[i], a));
    *out = sy_arr_value(&list);
    return a->status ? sy_arena_fail(a, "the conversation", err) : SYMBI_OK;
}

symbi_status sy_conv_value(const sy_conv *c, sy_arena *a, symbi_value *out, symbi_err *err)
{
    sy_obj o = sy_obj_new(a);
    symbi_value list;
    symbi_status st = sy_conv_messages(c, a, &list, err);
    *out = sy_val_null();
    if (st) return st;
    sy_obj_put(&o, "messages", list);
    *out = sy_obj_value(&o);
    return a->status ? sy_arena_fail(a, "the conversation", err) : SYMBI_OK;
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

typedef struct reader {
    symbi_err *err;
    char at[96]; /* JSON pointer of the message or call at hand */
} reader;

static symbi_status bad(reader *r, const symbi_value *v, const char *member, const char *why)
{
    char path[192];
    symbi_status st = sy_fail_at(r->err, SYMBI_ESCHEMA, v ? v->line : 0, 0, "%s", why);
    snprintf(path, sizeof path, "%s%s%s", r->at, member[0] ? "/" : "", member);
    sy_err_path(r->err, symbi_str_z(path));
    return st;
}

static symbi_status take_string(reader *r, const symbi_member *m, const char *name, symbi_str *out)
{
    if (m->val.kind != SYMBI_STRING) return bad(r, &m->val, name, "must be a string");
    *out = m->val.u.s;
    return SYMBI_OK;
}

static symbi_status read_call(reader *r, const symbi_value *v, sy_call *out)
{
    static const char *const names[] = { "id", "name", "arguments" };
    symbi_str *const to[] = { &out->id, &out->name, &out->arguments };
    unsigned seen = 0;
    if (v->kind != SYMBI_OBJECT) return bad(r, v, "", "a tool call must be an object {id, name, arguments}");
    for (size_t i = 0; i < v->u.o.n; i++) {
        const symbi_member *m = &v->u.o.members[i];
        size_t k = 0;
        symbi_status st;
        while (k < 3 && !sy_str_eqz(m->key, names[k])) k++;
        if (k == 3) return bad(r, &m->val, "", "a tool call has a member other than id, name and arguments");
        st = take_string(r, m, names[k], to[k]);
        if (st) return st;
        seen |= 1u << k;
    }
    return seen == 7 ? SYMBI_OK : bad(r, v, "", "a tool call lacks id, name or arguments");
}

static symbi_status read_calls(reader *r, const symbi_value *v, sy_arena *a, sy_msg *out)
{
    char base[sizeof r->at];
    sy_call *calls;
    if (v->kind != SYMBI_ARRAY) return bad(r, v, "tool_calls", "must be an array");
    calls = sy_arena_calloc(a, v->u.a.n, sizeof *calls);
    if (!calls) return sy_arena_fail(a, "the conversation", r->err);
    memcpy(base, r->at, sizeof base);
    for (size_t i = 0; i < v->u.a.n; i++) {
        symbi_status st;
        snprintf(r->at, sizeof r->at, "%.40s/tool_calls/%zu", base, i);
        st = read_call(r, &v->u.a.items[i], &calls[i]);
        if (st) return st;
    }
    memcpy(r->at, base, sizeof base);
    out->calls = calls;
    out->ncalls = v->u.a.n;
    return SYMBI_OK;
}

static symbi_status read_role(reader *r, const symbi_value *v, sy_role *out)
{
    for (int k = SY_ROLE_SYSTEM; k <= SY_ROLE_TOOL; k++)
        if (v->kind == SYMBI_STRING && sy_str_eqz(v->u.s, sy_role_name((sy_role)k))) {
            *out = (sy_role)k;
            return SYMBI_OK;
        }
    return bad(r, v, "role", "must be system, user, assistant or tool");
}

static symbi_status read_member(reader *r, const symbi_member *m, sy_arena *a, sy_msg *out, bool *has_role)
{
    if (sy_str_eqz(m->key, "role")) {
        *has_role = true;
        return read_role(r, &m->val, &out->role);
    }
    if (sy_str_eqz(m->key, "content")) return take_string(r, m, "content", &out->content);
    if (sy_str_eqz(m->key, "tool_calls")) return read_calls(r, &m->val, a, out);
    if (sy_str_eqz(m->key, "tool_call_id")) {
        out->has_call_id = true;
        return take_string(r, m, "tool_call_id", &out->tool_call_id);
    }
    if (sy_str_eqz(m->key, "tool_name")) {
        out->has_tool_name = true;
        return take_string(r, m, "tool_name", &out->tool_name);
    }
    if (sy_str_eqz(m->key, "is_error")) {
        if (m->val.kind != SYMBI_BOOL) return bad(r, &m->val, "is_error", "must be true or false");
        out->is_error = m->val.u.b;
        return SYMBI_OK;
    }
    return bad(r, &m->val, "", "a message has an unknown member; known are role, content, tool_calls, tool_call_id, tool_name, is_error");
}

static symbi_status read_message(reader *r, const symbi_value *v, sy_arena *a, sy_msg *out)
{
    bool has_role = false;
    memset(out, 0, sizeof *out);
    if (v->kind != SYMBI_OBJECT) return bad(r, v, "", "a message must be an object");
    for (size_t i = 0; i < v->u.o.n; i++) {
        symbi_status st = read_member(r, &v->u.o.members[i], a, out, &has_role);
        if (st) return st;
    }
    if (!has_role) return bad(r, v, "", "a message needs a role");
    if (out->ncalls && out->role != SY_ROLE_ASSISTANT) return bad(r, v, "tool_calls", "only assistant messages have tool calls");
    return SYMBI_OK;
}

symbi_status sy_conv_from_value(sy_conv *c, const symbi_value *v, symbi_err *err)
{
    reader r = { err, "" };
    const symbi_value *list = v;
    const char *base = "";
    sy_conv w;
    sy_arena a;
    symbi_status st;
    if (v->kind == SYMBI_OBJECT) {
        list = symbi_value_getz(v, "messages");
        base = "/messages";
        if (!list || v->u.o.n != 1) return bad(&r, v, "", "a conversation must be an object with the one member messages");
    }
    if (list->kind != SYMBI_ARRAY) return bad(&r, list, "", "messages must be an array");
    sy_arena_init(&a, c->cx->alloc, c->cx->limits.run_bytes);
    sy_conv_init(&w, c->cx);
    st = sy_conv_copy(&w, c, err);
    for (size_t i = 0; !st && i < list->u.a.n; i++) {
        sy_msg m;
        snprintf(r.at, sizeof r.at, "%s/%zu", base, i);
        st = read_message(&r, &list->u.a.items[i], &a, &m);
        if (!st) st = sy_conv_add(&w, &m, err);
        sy_arena_reset(&a);
    }
    sy_arena_free(&a);
    if (st) {
        sy_conv_free(&w);
        return st;
    }
    sy_conv_free(c);
    *c = w;
    return SYMBI_OK;
}
