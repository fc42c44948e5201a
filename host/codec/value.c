/* codec/value.c: documents and read access to values. */
#include "codec/value.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"

const char *symbi_kind_name(symbi_kind k)
{
    static const char *const names[] = { "null", "boolean", "integer", "number", "string", "array", "object", "time" };
    return (unsigned)k < sizeof names / sizeof names[0] ? names[k] : "unknown";
}

const symbi_value *symbi_value_get(const symbi_value *v, symbi_str key)
{
    if (!v || v->kind != SYMBI_OBJECT) return NULL;
    for (size_t i = 0; i < v->u.o.n; i++)
        if (sy_str_eq(v->u.o.members[i].key, key)) return &v->u.o.members[i].val;
    return NULL;
}

const symbi_value *symbi_value_getz(const symbi_value *v, const char *key)
{
    return symbi_value_get(v, symbi_str_z(key));
}

symbi_str symbi_value_str(const symbi_value *v, const char *key, symbi_str dflt)
{
    const symbi_value *m = symbi_value_getz(v, key);
    return m && m->kind == SYMBI_STRING ? m->u.s : dflt;
}

bool symbi_value_equal(const symbi_value *a, const symbi_value *b)
{
    if (a->kind != b->kind || a->sub != b->sub) return false;
    switch ((symbi_kind)a->kind) {
    case SYMBI_NULL: return true;
    case SYMBI_BOOL: return a->u.b == b->u.b;
    case SYMBI_INT: return a->u.i == b->u.i;
    case SYMBI_DOUBLE: return a->u.d == b->u.d;
    case SYMBI_STRING:
    case SYMBI_TIME: return sy_str_eq(a->u.s, b->u.s);
    case SYMBI_ARRAY:
        if (a->u.a.n != b->u.a.n) return false;
        for (size_t i = 0; i < a->u.a.n; i++)
            if (!symbi_value_equal(&a->u.a.items[i], &b->u.a.items[i])) return false;
        return true;
    case SYMBI_OBJECT:
        if (a->u.o.n != b->u.o.n) return false;
        for (size_t i = 0; i < a->u.o.n; i++) {
            const symbi_member *m = &a->u.o.members[i];
            /* same order is the usual case; fall back to a look-up */
            const symbi_value *o = sy_str_eq(b->u.o.members[i].key, m->key) ? &b->u.o.members[i].val
                                                                            : symbi_value_get(b, m->key);
            if (!o || !symbi_value_equal(&m->val, o)) return false;
        }
        return true;
    }
    return false;
}

symbi_doc *sy_doc_new(symbi_ctx *cx)
{
    symbi_doc *d = sy_arena_self(cx->shared, cx->limits.arena_bytes, sizeof *d, offsetof(symbi_doc, arena));
    if (!d) return NULL;
    sy_ref_init(&d->refs);
    d->alloc = cx->shared;
    return d;
}

const symbi_value *symbi_doc_root(const symbi_doc *d) { return &d->root; }

symbi_doc *symbi_doc_ref(symbi_doc *d)
{
    sy_ref_inc(&d->refs);
    return d;
}

void symbi_doc_unref(symbi_doc *d)
{
    if (d && sy_ref_dec(&d->refs)) {
        sy_arena a = d->arena; /* d goes with it */
        sy_arena_free(&a);
    }
}

symbi_status sy_arena_fail(const sy_arena *a, const char *what, symbi_err *err)
{
    if (a->status == SYMBI_ELIMIT) return sy_fail(err, SYMBI_ELIMIT, "%s needs more than %zu bytes of memory", what, a->limit);
    return sy_fail_nomem(err);
}

symbi_status sy_value_copy(sy_arena *a, const symbi_value *v, symbi_value *out, size_t left, symbi_err *err)
{
    symbi_status st;
    *out = *v;
    if (!left) return sy_fail(err, SYMBI_ELIMIT, "the value is nested too deeply");
    switch ((symbi_kind)v->kind) {
    case SYMBI_STRING:
    case SYMBI_TIME:
        out->u.s = sy_arena_dup(a, v->u.s);
        break;
    case SYMBI_ARRAY: {
        symbi_value *items = sy_arena_calloc(a, v->u.a.n, sizeof *items);
        for (size_t i = 0; items && i < v->u.a.n; i++)
            if ((st = sy_value_copy(a, &v->u.a.items[i], &items[i], left - 1, err))) return st;
        out->u.a.items = items;
        break;
    }
    case SYMBI_OBJECT: {
        symbi_member *m = sy_arena_calloc(a, v->u.o.n, sizeof *m);
        for (size_t i = 0; m && i < v->u.o.n; i++) {
            m[i].key = sy_arena_dup(a, v->u.o.members[i].key);
            if ((st = sy_value_copy(a, &v->u.o.members[i].val, &m[i].val, left - 1, err))) return st;
        }
        out->u.o.members = m;
        break;
    }
    default: break;
    }
    return a->status ? sy_arena_fail(a, "the copy", err) : SYMBI_OK;
}

symbi_status symbi_doc_copy(symbi_ctx *cx, const symbi_value *v, symbi_doc **out, symbi_err *err)
{
    symbi_doc *d = sy_doc_new(cx);
    symbi_status st;
    *out = NULL;
    if (!d) return sy_fail_nomem(err);
    st = sy_value_copy(&d->arena, v, &d->root, cx->limits.doc_depth + 1, err);
    if (st) {
        symbi_doc_unref(d);
        return st;
    }
    *out = d;
    return SYMBI_OK;
}
