/* toolclad/validate.c: the arguments of one call against the contract (spec toolclad.md 6.1): what is declared, in order of
 * position; texts verbatim; the first failure stops, named by its argument. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/num.h"
#include "toolclad/tool.h"
#include <stdlib.h>

const sy_arg *sy_tool_arg(const symbi_tool *t, symbi_str name)
{
    size_t lo = 0, hi = t->nargs;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const sy_arg *a = &t->args[t->by_name[mid]];
        int c = sy_str_cmp(name, a->name);
        if (!c) return a;
        if (c < 0) hi = mid;
        else lo = mid + 1;
    }
    return NULL;
}

symbi_str sy_arg_text(const symbi_value *v, sy_arena *arena)
{
    char buf[32];
    switch ((symbi_kind)v->kind) {
    case SYMBI_STRING:
    case SYMBI_TIME: return v->u.s.p ? v->u.s : SY_LIT("");
    case SYMBI_BOOL: return v->u.b ? SY_LIT("true") : SY_LIT("false");
    case SYMBI_INT: return sy_arena_dup(arena, (symbi_str){ buf, sy_num_write_int64(v->u.i, buf) });
    case SYMBI_DOUBLE: return sy_arena_dup(arena, (symbi_str){ buf, sy_num_write_double(v->u.d, SY_NUM_ES, buf) });
    default: return SY_LIT("");
    }
}

/* Puts "argument 'NAME': " before a message, and the name into the path. */
static symbi_status wrap(symbi_err *err, const sy_arg *a, symbi_status st)
{
    symbi_err inner;
    if (!err) return st;
    inner = *err;
    (void)sy_fail(err, st, "argument '%.*s': %s", (int)(a->name.n > 60 ? 60 : a->name.n), a->name.p, inner.msg);
    sy_err_path(err, a->name);
    return st;
}

symbi_status sy_arg_check(symbi_ctx *cx, const sy_arg *a, const symbi_value *v, sy_arena *arena, symbi_value *out, symbi_err *err)
{
    sy_check c = { cx, a, arena, err };
    symbi_str text;
    symbi_status st;
    size_t bad;
    bool structured = v->kind == SYMBI_ARRAY || v->kind == SYMBI_OBJECT;
    symbi_err local;
    if (!err) c.err = err = &local;
    symbi_err_clear(err);
    if (structured && v->kind == (uint8_t)a->type->kind) {
        st = sy_value_copy(arena, v, out, cx->limits.doc_depth, err);
        return st ? wrap(err, a, st) : SYMBI_OK;
    }
    if (structured) return wrap(err, a, sy_fail(err, SYMBI_ESCHEMA, "%s expected, got %s", a->type->name, symbi_kind_name((symbi_kind)v->kind)));
    text = sy_arg_text(v, arena);
    if (!text.p) return sy_arena_fail(arena, "the arguments", err);
    if (!(a->type->flags & SY_TYPE_REWRITES) && memchr(text.p, 0, text.n)) return wrap(err, a, sy_fail(err, SYMBI_ESCHEMA, "Injection detected: value contains forbidden character '\\u0000'"));
    if (!sy_utf8_valid(text, &bad)) return wrap(err, a, sy_fail(err, SYMBI_ESCHEMA, "the value is not valid UTF-8 (byte %zu)", bad + 1));
    st = a->type->check(&c, text, out);
    if (st == SYMBI_OK && arena->status) st = sy_arena_fail(arena, "the arguments", err);
    if (st == SYMBI_ENOMEM) return st;
    if (st) return wrap(err, a, st);
    if (out->kind == SYMBI_STRING) {
        out->u.s = sy_arena_dup(arena, out->u.s); /* neither the caller's text nor the tool need outlive the result */
        if (!out->u.s.p) return sy_arena_fail(arena, "the arguments", err);
    }
    return SYMBI_OK;
}

static const char *arg_name_at(const void *ud, size_t i)
{
    const symbi_tool *t = ud;
    return i < t->nargs ? t->args[i].name.p : NULL; /* keys of a document are NUL-terminated */
}

/* Bytes of text in a value, for the limit. */
static size_t weight(const symbi_value *v, size_t depth)
{
    size_t n = 16;
    if (!depth) return SIZE_MAX / 4;
    if (v->kind == SYMBI_STRING || v->kind == SYMBI_TIME) n += v->u.s.n;
    if (v->kind == SYMBI_ARRAY)
        for (size_t i = 0; i < v->u.a.n; i++) n += weight(&v->u.a.items[i], depth - 1);
    if (v->kind == SYMBI_OBJECT)
        for (size_t i = 0; i < v->u.o.n; i++) n += v->u.o.members[i].key.n + weight(&v->u.o.members[i].val, depth - 1);
    return n > SIZE_MAX / 4 ? SIZE_MAX / 4 : n;
}

static symbi_status check_given(symbi_ctx *cx, const symbi_tool *t, const symbi_value *args, symbi_err *err)
{
    size_t total = 0;
    if (args->kind != SYMBI_OBJECT)
        return sy_fail(err, SYMBI_ESCHEMA, "arguments must be an object, got %s", symbi_kind_name((symbi_kind)args->kind));
    for (size_t i = 0; i < args->u.o.n; i++) {
        const symbi_member *m = &args->u.o.members[i];
        char echo[SY_ECHO];
        const char *near;
        total += m->key.n + weight(&m->val, 100);
        if (total > cx->limits.arg_bytes) return sy_fail(err, SYMBI_ELIMIT, "the arguments have more than %zu bytes (arg_bytes)", cx->limits.arg_bytes);
        if (sy_tool_arg(t, m->key)) continue;
        near = sy_suggest(m->key, arg_name_at, t);
        (void)sy_fail(err, SYMBI_ESCHEMA, "argument '%s': tool '%.*s' has no such argument%s%s%s", sy_echo(m->key, echo), SY_FMT(t->info.name), near ? ", did you mean '" : "",
            near ? near : "", near ? "'?" : "");
        sy_err_path(err, m->key);
        return SYMBI_ESCHEMA;
    }
    return SYMBI_OK;
}

static symbi_status fill(symbi_ctx *cx, const symbi_tool *t, const symbi_value *args, symbi_doc *d, symbi_err *err)
{
    symbi_value *val = sy_arena_calloc(&d->arena, t->nargs, sizeof *val);
    symbi_member *m = sy_arena_calloc(&d->arena, t->nargs, sizeof *m);
    size_t n = 0;
    symbi_status st;
    if (!val || !m) return sy_arena_fail(&d->arena, "the arguments", err);
    for (size_t i = 0; i < t->nargs; i++) { /* by position: the first failure is the one told */
        const sy_arg *a = &t->args[i];
        const symbi_value *v = symbi_value_get(args, a->name);
        if (v && v->kind == SYMBI_NULL) v = NULL;
        if (v) {
            if ((st = sy_arg_check(cx, a, v, &d->arena, &val[i], err))) return st;
        } else if (a->dflt) {
            if ((st = sy_value_copy(&d->arena, &a->dflt_value, &val[i], 100, err))) return st;
        } else if (a->required) {
            (void)sy_fail(err, SYMBI_ESCHEMA, "Missing required argument: %.*s", SY_FMT(a->name));
            sy_err_path(err, a->name);
            return SYMBI_ESCHEMA;
        }
        val[i].line = 0;
    }
    for (size_t k = 0; k < t->nargs; k++) {
        size_t i = t->by_name[k];
        if (val[i].kind == SYMBI_NULL) continue;
        m[n].key = sy_arena_dup(&d->arena, t->args[i].name);
        m[n++].val = val[i];
    }
    d->root = sy_val_object(m, n);
    return d->arena.status ? sy_arena_fail(&d->arena, "the arguments", err) : SYMBI_OK;
}

symbi_status symbi_tool_validate(symbi_ctx *cx, const symbi_tool *t, const symbi_value *args, symbi_doc **out, symbi_err *err)
{
    symbi_value none = sy_val_object(NULL, 0);
    symbi_doc *d;
    symbi_status st;
    *out = NULL;
    symbi_err_clear(err);
    if (!args || args->kind == SYMBI_NULL) args = &none;
    if ((st = check_given(cx, t, args, err))) return st;
    d = sy_doc_new(cx);
    if (!d) return sy_fail_nomem(err);
    st = fill(cx, t, args, d, err);
    if (st) symbi_doc_unref(d);
    else *out = d;
    return st;
}
