/* toolclad/outschema.c: a small reader of JSON-Schema-like tables: enough to tell whether a tool kept its promise. */
#include "toolclad/outschema.h"
#include "base/err.h"
#include "base/str.h"
#include <stdio.h>

enum { DEPTH_MAX = 64, WARNINGS_MAX = 100 };

typedef struct checker {
    symbi_ctx *cx;
    sy_arena *a;
    sy_arr *w;
    symbi_err *err;
} checker;

static void warn(checker *c, const char *text)
{
    char clean[400];
    if (c->w->n >= WARNINGS_MAX) return;
    sy_clean_line(clean, sizeof clean, symbi_str_z(text));
    sy_arr_add(c->w, sy_val_str(sy_arena_dup(c->a, symbi_str_z(clean))));
}

static const char *json_type(const symbi_value *v)
{
    static const char *const names[] = { "null", "boolean", "number", "number", "string", "array", "object", "string" };
    return names[v->kind < 8 ? v->kind : 0];
}

static bool type_ok(const symbi_value *v, symbi_str want)
{
    static const char *const known[] = { "null", "boolean", "number", "string", "array", "object" };
    if (sy_str_eqz(want, "integer")) return v->kind == SYMBI_INT || (v->kind == SYMBI_DOUBLE && v->u.d > -9.2e18 && v->u.d < 9.2e18 && v->u.d == (double)(int64_t)v->u.d);
    if (sy_str_eqz(want, json_type(v))) return true;
    for (size_t i = 0; i < 6; i++)
        if (sy_str_eqz(want, known[i])) return false;
    return true; /* an unknown type says nothing */
}

static bool as_number(const symbi_value *v, double *d)
{
    if (v && v->kind == SYMBI_INT) *d = (double)v->u.i;
    else if (v && v->kind == SYMBI_DOUBLE) *d = v->u.d;
    else return false;
    return true;
}

static symbi_status check(checker *c, const symbi_value *s, const symbi_value *v, const char *path, size_t depth);

/* Constraints of one value that are not about its children. */
static symbi_status check_scalar(checker *c, const symbi_value *s, const symbi_value *v, const char *path)
{
    const symbi_value *e = symbi_value_getz(s, "enum");
    symbi_str pattern = symbi_value_str(s, "pattern", (symbi_str){ NULL, 0 });
    double d, bound;
    char text[400];
    if (e && e->kind == SYMBI_ARRAY) {
        size_t i;
        for (i = 0; i < e->u.a.n && !symbi_value_equal(&e->u.a.items[i], v); i++) { }
        if (i == e->u.a.n) snprintf(text, sizeof text, "Property '%s' is not one of the allowed values", path), warn(c, text);
    }
    if (as_number(v, &d)) {
        if (as_number(symbi_value_getz(s, "minimum"), &bound) && d < bound) snprintf(text, sizeof text, "Property '%s' is below its minimum", path), warn(c, text);
        if (as_number(symbi_value_getz(s, "maximum"), &bound) && d > bound) snprintf(text, sizeof text, "Property '%s' is above its maximum", path), warn(c, text);
    }
    if (pattern.n && v->kind == SYMBI_STRING) {
        const sy_pattern *p;
        bool hit = true;
        symbi_status st = sy_pattern_compile(c->a, pattern, &p, NULL);
        if (st == SYMBI_OK) st = sy_pattern_search(c->cx, p, v->u.s, &hit, NULL);
        if (st == SYMBI_ENOMEM) return sy_fail_nomem(c->err);
        if (st || !hit) snprintf(text, sizeof text, "Property '%s' does not match its pattern", path), warn(c, text);
    }
    return SYMBI_OK;
}

static symbi_status check_object(checker *c, const symbi_value *s, const symbi_value *v, const char *path, size_t depth)
{
    const symbi_value *req = symbi_value_getz(s, "required"), *props = symbi_value_getz(s, "properties"), *extra = symbi_value_getz(s, "additionalProperties");
    const char *dot = path[0] ? "." : "";
    char sub[200], text[400], echo[SY_ECHO];
    symbi_status st;
    for (size_t i = 0; req && req->kind == SYMBI_ARRAY && i < req->u.a.n; i++) {
        const symbi_value *k = &req->u.a.items[i];
        if (k->kind != SYMBI_STRING || symbi_value_get(v, k->u.s)) continue;
        snprintf(text, sizeof text, "Required property '%s%s%s' missing from parsed output", path, dot, sy_echo(k->u.s, echo));
        warn(c, text);
    }
    for (size_t i = 0; props && props->kind == SYMBI_OBJECT && i < props->u.o.n; i++) {
        const symbi_member *m = &props->u.o.members[i];
        const symbi_value *x = symbi_value_get(v, m->key);
        if (!x || m->val.kind != SYMBI_OBJECT) continue;
        snprintf(sub, sizeof sub, "%.100s%s%s", path, dot, sy_echo(m->key, echo));
        if ((st = check(c, &m->val, x, sub, depth - 1))) return st;
    }
    if (!extra || extra->kind != SYMBI_BOOL || extra->u.b) return SYMBI_OK;
    for (size_t i = 0; i < v->u.o.n && c->w->n < WARNINGS_MAX; i++) {
        if (props && symbi_value_get(props, v->u.o.members[i].key)) continue;
        snprintf(text, sizeof text, "Property '%s%s%s' is not declared", path, dot, sy_echo(v->u.o.members[i].key, echo));
        warn(c, text);
    }
    return SYMBI_OK;
}

static symbi_status check(checker *c, const symbi_value *s, const symbi_value *v, const char *path, size_t depth)
{
    symbi_str type = symbi_value_str(s, "type", (symbi_str){ NULL, 0 });
    const symbi_value *items = symbi_value_getz(s, "items");
    char text[400], sub[200];
    symbi_status st;
    if (!depth || c->w->n >= WARNINGS_MAX) return SYMBI_OK;
    if (type.n && !type_ok(v, type)) {
        snprintf(text, sizeof text, "Property '%s' has type '%s' but expected '%.*s'", path, json_type(v), SY_FMT(type));
        warn(c, text);
        return SYMBI_OK;
    }
    if ((st = check_scalar(c, s, v, path))) return st;
    if (v->kind == SYMBI_OBJECT) return check_object(c, s, v, path, depth);
    for (size_t i = 0; v->kind == SYMBI_ARRAY && items && items->kind == SYMBI_OBJECT && i < v->u.a.n && c->w->n < WARNINGS_MAX; i++) {
        snprintf(sub, sizeof sub, "%.150s[%zu]", path, i);
        if ((st = check(c, items, &v->u.a.items[i], sub, depth - 1))) return st;
    }
    return SYMBI_OK;
}

symbi_status sy_output_schema_check(symbi_ctx *cx, const symbi_value *schema, const symbi_value *results, sy_arena *a, sy_arr *warnings, symbi_err *err)
{
    checker c = { cx, a, warnings, err };
    symbi_str type = symbi_value_str(schema, "type", (symbi_str){ NULL, 0 });
    const symbi_value *inner = symbi_value_getz(results, "parsed_output");
    symbi_status st;
    if (results->kind == SYMBI_OBJECT && symbi_value_getz(results, "raw_output")) return SYMBI_OK;
    if (type.n && !sy_str_eqz(type, "object") && inner && results->u.o.n == 1) st = check(&c, schema, inner, "parsed_output", DEPTH_MAX);
    else if (!symbi_value_getz(schema, "properties")) return SYMBI_OK;
    else if (results->kind == SYMBI_OBJECT) st = check_object(&c, schema, results, "", DEPTH_MAX);
    else st = SYMBI_OK;
    return st ? st : a->status ? sy_arena_fail(a, "the envelope", err) : SYMBI_OK;
}
