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

/* Index of a declared argument, or nargs. */
static inline size_t arg_index(const symbi_tool *t, symbi_str name)
{
    size_t mask = t->nslots - 1;
    if (!t->nslots) return t->nargs;
    for (size_t at = sy_name_hash(name) & mask; t->slots[at]; at = (at + 1) & mask) /* half of the slots are empty */
        if (sy_str_same(t->args[t->slots[at] - 1].name, name)) return t->slots[at] - 1u;
    return t->nargs;
}

const sy_arg *sy_tool_arg(const symbi_tool *t, symbi_str name)
{
    size_t i = arg_index(t, name);
    return i < t->nargs ? &t->args[i] : NULL;
}

enum { QUICK_MAX = 4096 }; /* bytes of a text whose pattern may be looked at without counting its cost */

/* Neither the caller's text nor the tool need outlive the result. */
static inline symbi_status keep(sy_arena *arena, symbi_value *out, symbi_err *err)
{
    symbi_str s = out->u.s;
    char *p = sy_arena_bytes(arena, s.n + 1);
    if (!p) return sy_arena_fail(arena, "the arguments", err);
    sy_str_copy(p, s.p, s.n);
    p[s.n] = 0;
    out->u.s.p = p;
    return SYMBI_OK;
}

/* v as text; numbers are written to buf. */
static symbi_str text_of(const symbi_value *v, char buf[32])
{
    switch ((symbi_kind)v->kind) {
    case SYMBI_STRING:
    case SYMBI_TIME: return v->u.s.p ? v->u.s : SY_LIT("");
    case SYMBI_BOOL: return v->u.b ? SY_LIT("true") : SY_LIT("false");
    case SYMBI_INT: return (symbi_str){ buf, sy_num_write_int64(v->u.i, buf) };
    case SYMBI_DOUBLE: return (symbi_str){ buf, sy_num_write_double(v->u.d, SY_NUM_ES, buf) };
    default: return SY_LIT("");
    }
}

symbi_str sy_arg_text(const symbi_value *v, sy_arena *arena)
{
    char buf[32];
    symbi_str s = text_of(v, buf);
    return s.p == buf ? sy_arena_dup(arena, s) : s;
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

static symbi_status structured(const sy_check *c, const symbi_value *v, symbi_value *out)
{
    if (v->kind == (uint8_t)c->arg->type->kind) return sy_value_copy(c->arena, v, out, c->cx->limits.doc_depth, c->err);
    return sy_fail(c->err, SYMBI_ESCHEMA, "%s expected, got %s", c->arg->type->name, symbi_kind_name((symbi_kind)v->kind));
}

symbi_status sy_arg_check(symbi_ctx *cx, const sy_arg *a, const symbi_value *v, sy_arena *arena, symbi_value *out, symbi_err *err)
{
    sy_check c = { cx, a, arena, err, 0 };
    symbi_str text;
    symbi_status st;
    size_t bad;
    char buf[32];
    symbi_err local;
    if (!err) c.err = err = &local;
    if (a->quick && v->kind == SYMBI_STRING && v->u.s.n) {
        if (a->quick == SY_QUICK_PATTERN && v->u.s.n <= QUICK_MAX && sy_pattern_quick(a->pattern, v->u.s)) {
            sy_put_str(out, v->u.s);
            return keep(arena, out, err);
        }
        if (a->quick == SY_QUICK_TYPE && a->type->check(&c, v->u.s, out) == SYMBI_OK && !arena->status) return out->kind == SYMBI_STRING ? keep(arena, out, err) : SYMBI_OK;
    }
    symbi_err_clear(err);
    if (v->kind == SYMBI_ARRAY || v->kind == SYMBI_OBJECT) {
        st = structured(&c, v, out);
        return st ? wrap(err, a, st) : SYMBI_OK;
    }
    text = text_of(v, buf);
    c.classes = sy_classes(text);
    if ((c.classes & SY_HAS_NUL) && !(a->type->flags & SY_TYPE_REWRITES)) return wrap(err, a, sy_fail(err, SYMBI_ESCHEMA, "Injection detected: value contains forbidden character '\\u0000'"));
    if ((c.classes & SY_HAS_HIGH) && !sy_utf8_valid(text, &bad)) return wrap(err, a, sy_fail(err, SYMBI_ESCHEMA, "the value is not valid UTF-8 (byte %zu)", bad + 1));
    st = a->type->check(&c, text, out);
    if (st == SYMBI_OK && arena->status) st = sy_arena_fail(arena, "the arguments", err);
    if (st == SYMBI_ENOMEM) return st;
    if (st) return wrap(err, a, st);
    return out->kind == SYMBI_STRING ? keep(arena, out, err) : SYMBI_OK;
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

static symbi_status unknown(const symbi_tool *t, symbi_str key, symbi_err *err)
{
    char echo[SY_ECHO];
    const char *near = sy_suggest(key, arg_name_at, t);
    (void)sy_fail(err, SYMBI_ESCHEMA, "argument '%s': tool '%.*s' has no such argument%s%s%s", sy_echo(key, echo), SY_FMT(t->info.name), near ? ", did you mean '" : "",
        near ? near : "", near ? "'?" : "");
    sy_err_path(err, key);
    return SYMBI_ESCHEMA;
}

/* given: per argument what the caller gave, NULL for nothing. */
static symbi_status take_given(symbi_ctx *cx, const symbi_tool *t, const symbi_value *args, const symbi_value **given, symbi_err *err)
{
    size_t total = 0;
    if (!args || args->kind == SYMBI_NULL) return SYMBI_OK;
    if (args->kind != SYMBI_OBJECT)
        return sy_fail(err, SYMBI_ESCHEMA, "arguments must be an object, got %s", symbi_kind_name((symbi_kind)args->kind));
    for (size_t i = 0; i < args->u.o.n; i++) {
        const symbi_member *m = &args->u.o.members[i];
        size_t k;
        total += m->key.n + (m->val.kind == SYMBI_STRING ? 16 + m->val.u.s.n : weight(&m->val, 100));
        if (total > cx->limits.arg_bytes) return sy_fail(err, SYMBI_ELIMIT, "the arguments have more than %zu bytes (arg_bytes)", cx->limits.arg_bytes);
        k = arg_index(t, m->key);
        if (k == t->nargs) return unknown(t, m->key, err);
        if (!given[k]) given[k] = &m->val;
    }
    return SYMBI_OK;
}

symbi_status sy_args_object(const symbi_tool *t, symbi_member *m, sy_arena *a, bool with_tool, symbi_value *out, symbi_err *err)
{
    const char *names = with_tool ? t->names : sy_arena_memdup(a, t->names, t->names_n);
    size_t n = 0;
    if (!names) return sy_arena_fail(a, "the arguments", err);
    for (size_t r = 0; r < t->nargs; r++) {
        symbi_str name = { names, t->args[t->by_name[r]].name.n };
        names += name.n + 1;
        if (m[r].val.kind == SYMBI_NULL) continue;
        if (n != r) m[n].val = m[r].val;
        m[n++].key = name;
    }
    sy_put_object(out, m, n);
    return SYMBI_OK;
}

symbi_status sy_args_check(symbi_ctx *cx, const symbi_tool *t, const symbi_value *args, sy_arena *arena, symbi_member *m, symbi_err *err)
{
    const symbi_value *few[32], **given = few;
    symbi_status st;
    if (t->nargs > sizeof few / sizeof few[0]) given = sy_arena_alloc(arena, t->nargs * sizeof *given);
    if (!m || !given) return sy_arena_fail(arena, "the arguments", err);
    memset(given, 0, t->nargs * sizeof *given);
    if ((st = take_given(cx, t, args, given, err))) return st;
    for (size_t i = 0; i < t->nargs; i++) { /* by position: the first failure is the one told */
        const sy_arg *a = &t->args[i];
        symbi_value *out = &m[t->rank[i]].val;
        if (given[i] && given[i]->kind != SYMBI_NULL) {
            if ((st = sy_arg_check(cx, a, given[i], arena, out, err))) return st;
        } else if (a->dflt) {
            *out = a->dflt_value;
            if (out->kind == SYMBI_STRING ? (st = keep(arena, out, err)) : out->kind >= SYMBI_STRING && (st = sy_value_copy(arena, &a->dflt_value, out, 100, err))) return st;
        } else if (a->required) {
            (void)sy_fail(err, SYMBI_ESCHEMA, "Missing required argument: %.*s", SY_FMT(a->name));
            sy_err_path(err, a->name);
            return SYMBI_ESCHEMA;
        }
        out->line = 0;
    }
    return SYMBI_OK;
}

symbi_status symbi_tool_validate(symbi_ctx *cx, const symbi_tool *t, const symbi_value *args, symbi_doc **out, symbi_err *err)
{
    symbi_member *m;
    symbi_doc *d;
    symbi_status st;
    *out = NULL;
    symbi_err_clear(err);
    d = sy_doc_new(cx);
    if (!d) return sy_fail_nomem(err);
    m = sy_arena_calloc(&d->arena, t->nargs, sizeof *m);
    st = sy_args_check(cx, t, args, &d->arena, m, err);
    if (!st) st = sy_args_object(t, m, &d->arena, false, &d->root, err);
    if (st) symbi_doc_unref(d);
    else *out = d;
    return st;
}
