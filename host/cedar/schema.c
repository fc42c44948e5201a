/* cedar/schema.c: schemas as objects: making, asking, giving back. */
#include "cedar/schema.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "cedar/ast.h"

#include <string.h>

symbi_status symbi_cedar_schema_parse(symbi_ctx *cx, symbi_str text, symbi_cedar_schema **out, symbi_err *err)
{
    sy_cschema_warns w = { NULL, 0, 0 };
    sy_arena mem;
    symbi_doc *doc = NULL;
    symbi_err e;
    symbi_status st;
    symbi_err_clear(&e);
    *out = NULL;
    sy_arena_init(&mem, cx->alloc, cx->limits.arena_bytes);
    st = sy_cschema_read_text(cx, text, &doc, &w, &mem, &e);
    if (!st) st = sy_cschema_build(cx, doc, out, &e);
    if (!st && w.n) {
        symbi_str *v = sy_scratch_array(&(*out)->mem, w.n, sizeof *v);
        for (size_t i = 0; v && i < w.n; i++) {
            v[i] = sy_scratch_dup(&(*out)->mem, w.v[i]);
            if (!v[i].p) v = NULL;
        }
        if (v) {
            (*out)->warnings = v;
            (*out)->nwarnings = (uint32_t)w.n;
        } else {
            symbi_cedar_schema_unref(*out);
            *out = NULL;
            st = sy_fail_nomem(&e);
        }
    }
    sy_free(&cx->alloc, w.v, w.cap * sizeof *w.v);
    sy_arena_free(&mem);
    if (st && err) *err = e;
    return st;
}

symbi_status symbi_cedar_schema_from_json(symbi_ctx *cx, const symbi_value *v, symbi_cedar_schema **out, symbi_err *err)
{
    symbi_doc *doc;
    symbi_err e;
    symbi_status st;
    symbi_err_clear(&e);
    *out = NULL;
    st = symbi_doc_copy(cx, v, &doc, &e);
    if (!st) st = sy_cschema_build(cx, doc, out, &e);
    if (st && err) *err = e;
    return st;
}

symbi_cedar_schema *symbi_cedar_schema_ref(symbi_cedar_schema *s)
{
    sy_ref_inc(&s->refs);
    return s;
}

void symbi_cedar_schema_unref(symbi_cedar_schema *s)
{
    if (s && sy_ref_dec(&s->refs)) {
        symbi_alloc a = s->alloc;
        sy_map_free(&s->entity_map);
        sy_map_free(&s->action_map);
        sy_map_free(&s->action_types);
        sy_scratch_free(&s->mem);
        symbi_doc_unref(s->doc);
        symbi_doc_unref(s->resolved);
        sy_free(&a, s, sizeof *s);
    }
}

symbi_doc *symbi_cedar_schema_json(const symbi_cedar_schema *s, bool resolved) { return symbi_doc_ref(resolved ? s->resolved : s->doc); }
size_t symbi_cedar_schema_warning_count(const symbi_cedar_schema *s) { return s->nwarnings; }
symbi_str symbi_cedar_schema_warning(const symbi_cedar_schema *s, size_t i)
{
    symbi_str none = { "", 0 };
    return i < s->nwarnings ? s->warnings[i] : none;
}

uint32_t sy_cschema_entity(const sy_cschema *s, symbi_str name)
{
    const sy_map_entry *e = sy_map_find(&s->entity_map, name);
    return e ? (uint32_t)e->val.u : SY_NONE;
}

uint32_t sy_cschema_action(const sy_cschema *s, const sy_cuid *u)
{
    char buf[256], *p = buf;
    symbi_str key = { NULL, u->type.n + u->id.n + 1 };
    const sy_map_entry *e = NULL;
    if (key.n > sizeof buf) { /* too long for the stack: one after the other (the name of an action is a person's) */
        for (uint32_t i = 0; i < s->nactions; i++)
            if (sy_cuid_eq(&s->actions[i].uid, u)) return i;
        return SY_NONE;
    }
    memcpy(p, u->type.p, u->type.n);
    p[u->type.n] = '"';
    if (u->id.n) memcpy(p + u->type.n + 1, u->id.p, u->id.n);
    key.p = buf;
    e = sy_map_find(&s->action_map, key);
    return e ? (uint32_t)e->val.u : SY_NONE;
}

bool sy_cschema_enum_has(const sy_cst_entity *e, symbi_str id)
{
    for (uint32_t i = 0; i < e->nids; i++)
        if (sy_str_eq(e->ids[i], id)) return true;
    return false;
}

static bool sorted_has(const uint32_t *v, uint32_t n, uint32_t x)
{
    uint32_t lo = 0;
    while (lo < n) {
        uint32_t mid = lo + (n - lo) / 2;
        if (v[mid] == x) return true;
        if (v[mid] < x) lo = mid + 1;
        else n = mid;
    }
    return false;
}

bool sy_cschema_under(const sy_cschema *s, uint32_t type, uint32_t above) { return sorted_has(s->entities[type].anc, s->entities[type].nanc, above); }
bool sy_cschema_action_in(const sy_cschema *s, uint32_t a, uint32_t above) { return a == above || sorted_has(s->actions[a].anc, s->actions[a].nanc, above); }

const sy_ctattr *sy_ctype_attr(const sy_ctype *r, symbi_str name)
{
    uint32_t lo = 0, hi = r->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int c = sy_str_cmp(r->attrs[mid].name, name);
        if (!c) return &r->attrs[mid];
        if (c < 0) lo = mid + 1;
        else hi = mid;
    }
    return NULL;
}
