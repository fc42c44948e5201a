/* toolclad/customtypes.c: the custom argument types of toolclad.toml (spec toolclad.md section 4). A definition is checked
 * here for its shape; its constraints are merged into each argument that uses it (args.c). */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "symbi/toml.h"
#include "toolclad/read.h"
#include <stdio.h>

struct symbi_tooltypes {
    sy_ref refs;
    symbi_alloc alloc;
    sy_arena arena;
    symbi_doc *doc;
    sy_custom *c;
    size_t n;
    symbi_str *problems;
    size_t nproblems;
};

symbi_tooltypes *symbi_tooltypes_ref(symbi_tooltypes *t)
{
    sy_ref_inc(&t->refs);
    return t;
}

void symbi_tooltypes_unref(symbi_tooltypes *t)
{
    if (t && sy_ref_dec(&t->refs)) {
        symbi_alloc a = t->alloc;
        symbi_doc_unref(t->doc);
        sy_arena_free(&t->arena);
        sy_free(&a, t, sizeof *t);
    }
}

symbi_tooltypes *sy_tooltypes_hold(const symbi_tooltypes *t)
{
    /* the count is the only thing that changes in a shared object */
    return t ? symbi_tooltypes_ref((symbi_tooltypes *)(uintptr_t)t) : NULL;
}

size_t symbi_tooltypes_count(const symbi_tooltypes *t) { return t->n; }
symbi_str symbi_tooltypes_problem(const symbi_tooltypes *t, size_t i) { return i < t->nproblems ? t->problems[i] : (symbi_str){ NULL, 0 }; }

const sy_custom *sy_custom_find(const symbi_tooltypes *t, symbi_str name)
{
    for (size_t i = 0; t && i < t->n; i++)
        if (sy_str_eq(t->c[i].name, name)) return &t->c[i];
    return NULL;
}

const char *sy_custom_name(const symbi_tooltypes *t, size_t i) { return t && i < t->n ? t->c[i].name.p : NULL; }

static const char *base_at(const void *ud, size_t i)
{
    const sy_type *t = sy_type_at(i);
    (void)ud;
    return t ? t->name : NULL;
}

/* What is wrong with one definition, or an empty text. */
static void problem_of(const symbi_member *m, sy_custom *c, char text[160])
{
    const symbi_value *base = symbi_value_getz(&m->val, "base");
    char echo[SY_ECHO];
    const char *near;
    text[0] = 0;
    if (m->val.kind != SYMBI_OBJECT) snprintf(text, 160, "table expected");
    else if (sy_type_find(m->key)) snprintf(text, 160, "this is the name of a built-in type");
    else if (!base) snprintf(text, 160, "base is missing");
    else if (base->kind != SYMBI_STRING) snprintf(text, 160, "base: string expected");
    else if (!(c->base = sy_type_find(base->u.s)) || (c->base->flags & SY_TYPE_MCP_ONLY)) {
        near = sy_suggest(base->u.s, base_at, NULL);
        snprintf(text, 160, "base: '%.60s' is no built-in type%s%s%s", sy_echo(base->u.s, echo), near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
}

static symbi_status load(symbi_tooltypes *t, const symbi_value *types, symbi_str source, symbi_err *err)
{
    size_t n = types ? types->u.o.n : 0;
    if (types && types->kind != SYMBI_OBJECT) return sy_fail_at(err, SYMBI_ESCHEMA, types->line, 0, "types: table expected");
    t->c = sy_arena_calloc(&t->arena, n, sizeof *t->c);
    t->problems = sy_arena_calloc(&t->arena, n, sizeof *t->problems);
    if (!t->c || !t->problems) return sy_arena_fail(&t->arena, "the custom types", err);
    for (size_t i = 0; i < n; i++) {
        const symbi_member *m = &types->u.o.members[i];
        sy_custom *c = &t->c[t->n];
        char text[160], line[480], echo[SY_ECHO], echo2[SY_ECHO];
        problem_of(m, c, text);
        if (text[0]) {
            snprintf(line, sizeof line, "%s:%u: types.%s: %s", sy_echo(source, echo2), (unsigned)m->val.line, sy_echo(m->key, echo), text);
            t->problems[t->nproblems++] = sy_arena_dup(&t->arena, symbi_str_z(line));
            continue;
        }
        c->name = sy_arena_dup(&t->arena, m->key);
        c->def = &m->val;
        c->description = symbi_value_str(&m->val, "description", (symbi_str){ NULL, 0 });
        t->n++;
    }
    return t->arena.status ? sy_arena_fail(&t->arena, "the custom types", err) : SYMBI_OK;
}

/* Takes over doc. */
static symbi_status build(symbi_ctx *cx, symbi_doc *doc, const symbi_value *types, symbi_str source, symbi_tooltypes **out, symbi_err *err)
{
    symbi_tooltypes *t = sy_calloc(&cx->shared, 1, sizeof *t);
    symbi_status st;
    if (!t) {
        symbi_doc_unref(doc);
        return sy_fail_nomem(err);
    }
    sy_ref_init(&t->refs);
    t->alloc = cx->shared;
    t->doc = doc;
    sy_arena_init(&t->arena, cx->shared, cx->limits.arena_bytes);
    st = load(t, types, source, err);
    if (st) {
        sy_err_path(err, source);
        symbi_tooltypes_unref(t);
        return st;
    }
    *out = t;
    return SYMBI_OK;
}

symbi_status symbi_tooltypes_parse(symbi_ctx *cx, symbi_str text, symbi_str source, symbi_tooltypes **out, symbi_err *err)
{
    symbi_doc *doc;
    symbi_status st;
    *out = NULL;
    st = symbi_toml_parse(cx, text, &doc, err);
    if (st) {
        sy_err_path(err, source);
        return st;
    }
    return build(cx, doc, symbi_value_getz(symbi_doc_root(doc), "types"), source, out, err);
}

symbi_status symbi_tooltypes_from_value(symbi_ctx *cx, const symbi_value *types, symbi_str source, symbi_tooltypes **out, symbi_err *err)
{
    symbi_doc *doc;
    symbi_status st;
    *out = NULL;
    symbi_err_clear(err);
    st = symbi_doc_copy(cx, types, &doc, err);
    return st ? st : build(cx, doc, symbi_doc_root(doc), source, out, err);
}
