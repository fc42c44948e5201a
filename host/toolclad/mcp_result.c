/* toolclad/mcp_result.c: what a tool of an MCP server gave: content items of the kinds that the revisions know are checked for what each must
 * have; kinds that nobody knows yet are data, and pass. And what of it a model is told: pictures and files as what they are, not as base64. */
#include "base/err.h"
#include "base/str.h"
#include "codec/build.h"
#include "toolclad/mcp_in.h"
#include "toolclad/mcp_result.h"
#include <stdio.h>

enum { MAX_ITEMS = 10000 };

/* Without a copy: only the letters are looked at, and how many there are. */
static bool is_base64(symbi_str s)
{
    size_t n = s.n;
    if (n % 4) return false;
    for (int i = 0; i < 2 && n && s.p[n - 1] == '='; i++) n--;
    for (size_t i = 0; i < n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/')) return false;
    }
    return true;
}

static const symbi_value *text(const symbi_value *v, const char *key)
{
    const symbi_value *m = symbi_value_getz(v, key);
    return m && m->kind == SYMBI_STRING ? m : NULL;
}

/* What is wrong with an item, or NULL. */
static const char *item_fault(const symbi_value *v)
{
    const symbi_value *type = text(v, "type"), *data, *in;
    if (v->kind != SYMBI_OBJECT || !type) return "has no type";
    if (sy_str_eqz(type->u.s, "text")) return text(v, "text") ? NULL : "has no text";
    if (sy_str_eqz(type->u.s, "image") || sy_str_eqz(type->u.s, "audio")) {
        data = text(v, "data");
        if (!data || !is_base64(data->u.s)) return "has no data in base64";
        return text(v, "mimeType") ? NULL : "has no mimeType";
    }
    if (sy_str_eqz(type->u.s, "resource_link")) return !text(v, "uri") ? "has no uri" : text(v, "name") ? NULL : "has no name";
    if (sy_str_eqz(type->u.s, "resource")) {
        in = symbi_value_getz(v, "resource");
        if (!in || in->kind != SYMBI_OBJECT || !text(in, "uri")) return "has no resource with a uri";
        if (text(in, "text")) return NULL;
        data = text(in, "blob");
        return data && is_base64(data->u.s) ? NULL : "has neither text nor blob";
    }
    return NULL;
}

symbi_status sy_mcp_content_check(const symbi_value *content, symbi_err *err)
{
    symbi_err_clear(err);
    if (content->kind != SYMBI_ARRAY) return sy_fail(err, SYMBI_ESCHEMA, "the content of its answer is no list");
    if (content->u.a.n > MAX_ITEMS) return sy_fail(err, SYMBI_ESCHEMA, "the content of its answer has more than %d items", MAX_ITEMS);
    for (size_t i = 0; i < content->u.a.n; i++) {
        const char *fault = item_fault(&content->u.a.items[i]);
        if (fault) return sy_fail(err, SYMBI_ESCHEMA, "item %zu of its content %s", i + 1, fault);
    }
    return SYMBI_OK;
}

/* ---- for the model ---- */

/* v without its member key, which gives way to "NOTE bytes" */
static symbi_value without(sy_arena *a, const symbi_value *v, const char *key, size_t bytes)
{
    sy_obj o = sy_obj_new(a);
    char note[64];
    for (size_t i = 0; i < v->u.o.n; i++)
        if (!sy_str_eqz(v->u.o.members[i].key, key)) sy_obj_puts(&o, v->u.o.members[i].key, v->u.o.members[i].val);
    snprintf(note, sizeof note, "(%zu bytes, in the evidence)", bytes);
    sy_obj_str(&o, key, sy_arena_dup(a, symbi_str_z(note)));
    return sy_obj_value(&o);
}

static size_t decoded(symbi_str s)
{
    size_t pad = s.n && s.p[s.n - 1] == '=' ? 1u + (s.n > 1 && s.p[s.n - 2] == '=') : 0;
    return s.n / 4 * 3 - (s.n >= 4 ? pad : 0);
}

static symbi_value told_item(sy_arena *a, const symbi_value *v)
{
    const symbi_value *type = text(v, "type"), *in, *data;
    sy_obj o;
    if (!type || v->kind != SYMBI_OBJECT) return *v;
    if ((sy_str_eqz(type->u.s, "image") || sy_str_eqz(type->u.s, "audio")) && (data = text(v, "data"))) return without(a, v, "data", decoded(data->u.s));
    if (!sy_str_eqz(type->u.s, "resource") || !(in = symbi_value_getz(v, "resource")) || in->kind != SYMBI_OBJECT || !(data = text(in, "blob"))) return *v;
    o = sy_obj_new(a);
    for (size_t i = 0; i < v->u.o.n; i++)
        sy_obj_puts(&o, v->u.o.members[i].key, &v->u.o.members[i].val == in ? without(a, in, "blob", decoded(data->u.s)) : v->u.o.members[i].val);
    return sy_obj_value(&o);
}

symbi_value sy_mcp_told(sy_arena *a, const symbi_value *results)
{
    sy_obj o = sy_obj_new(a);
    if (results->kind != SYMBI_OBJECT) return *results;
    for (size_t i = 0; i < results->u.o.n; i++) {
        const symbi_member *m = &results->u.o.members[i];
        sy_arr list = sy_arr_new(a);
        if (!sy_str_eqz(m->key, "content") || m->val.kind != SYMBI_ARRAY) {
            sy_obj_puts(&o, m->key, m->val);
            continue;
        }
        for (size_t k = 0; k < m->val.u.a.n; k++) sy_arr_add(&list, told_item(a, &m->val.u.a.items[k]));
        sy_obj_put(&o, "content", sy_arr_value(&list));
    }
    return sy_obj_value(&o);
}
