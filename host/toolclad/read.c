/* toolclad/read.c: typed access to a manifest's tables. */
#include "toolclad/read.h"
#include "base/err.h"
#include "base/str.h"
#include <math.h>
#include <stdio.h>

size_t sy_rd_enter(sy_rd *rd, symbi_str name)
{
    size_t mark = rd->nat, left = sizeof rd->at - 1 - rd->nat, dot = rd->nat ? 1 : 0;
    if (name.n + dot > left) name.n = left > dot ? left - dot : 0; /* only the message is cut */
    if (left >= dot) {
        if (dot) rd->at[rd->nat++] = '.';
        if (name.n) memcpy(rd->at + rd->nat, name.p, name.n);
        rd->nat += name.n;
    }
    rd->at[rd->nat] = 0;
    return mark;
}

void sy_rd_leave(sy_rd *rd, size_t mark)
{
    rd->nat = mark;
    rd->at[mark] = 0;
}

static void full_key(const sy_rd *rd, const char *key, char out[280])
{
    snprintf(out, 280, "%s%s%.*s", rd->at, rd->nat && key[0] ? "." : "", 70, key);
}

symbi_status sy_rd_fail(sy_rd *rd, const symbi_value *v, const char *key, const char *fmt, ...)
{
    char text[300], where[280];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    full_key(rd, key, where);
    (void)sy_fail_at(rd->err, SYMBI_ESCHEMA, v ? v->line : 0, 0, "%s%s%s", where, where[0] ? ": " : "", text);
    sy_err_path(rd->err, rd->source);
    return SYMBI_ESCHEMA;
}

symbi_status sy_rd_nomem(sy_rd *rd)
{
    return rd->t->arena.status ? sy_arena_fail(&rd->t->arena, "the manifest", rd->err) : sy_fail_nomem(rd->err);
}

symbi_status sy_rd_warn(sy_rd *rd, const symbi_value *v, const char *key, const char *fmt, ...)
{
    char text[300], where[280], line[700], clean[700];
    sy_warning *w = sy_arena_calloc(&rd->t->arena, 1, sizeof *w);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    full_key(rd, key, where);
    if (v && v->line) snprintf(line, sizeof line, "line %u: %s%s%s", (unsigned)v->line, where, where[0] ? ": " : "", text);
    else snprintf(line, sizeof line, "%s%s%s", where, where[0] ? ": " : "", text);
    sy_clean_line(clean, sizeof clean, symbi_str_z(line));
    if (!w) return sy_rd_nomem(rd);
    w->text = sy_arena_dup(&rd->t->arena, symbi_str_z(clean));
    if (!w->text.p) return sy_rd_nomem(rd);
    if (rd->t->warn_last) rd->t->warn_last->next = w;
    else rd->t->warn_first = w;
    rd->t->warn_last = w;
    rd->t->info.warning_count++;
    return SYMBI_OK;
}

static symbi_status wrong(sy_rd *rd, const symbi_value *v, const char *key, const char *want)
{
    return sy_rd_fail(rd, v, key, "%s expected, got %s", want, symbi_kind_name((symbi_kind)v->kind));
}

symbi_status sy_rd_str(sy_rd *rd, const symbi_value *table, const char *key, symbi_str *out)
{
    const symbi_value *v = symbi_value_getz(table, key);
    if (!v) return SYMBI_OK;
    if (v->kind != SYMBI_STRING) return wrong(rd, v, key, "string");
    *out = v->u.s;
    return SYMBI_OK;
}

symbi_status sy_rd_need_str(sy_rd *rd, const symbi_value *table, const char *key, symbi_str *out)
{
    const symbi_value *v = symbi_value_getz(table, key);
    if (!v) return sy_rd_fail(rd, table, key, "is missing");
    if (v->kind != SYMBI_STRING) return wrong(rd, v, key, "string");
    if (!v->u.s.n) return sy_rd_fail(rd, v, key, "must not be empty");
    *out = v->u.s;
    return SYMBI_OK;
}

symbi_status sy_rd_bool(sy_rd *rd, const symbi_value *table, const char *key, bool *out)
{
    const symbi_value *v = symbi_value_getz(table, key);
    if (!v) return SYMBI_OK;
    if (v->kind != SYMBI_BOOL) return wrong(rd, v, key, "boolean");
    *out = v->u.b;
    return SYMBI_OK;
}

/* Lua 5.1 has only doubles: an integral one counts as an integer. */
static bool as_int(const symbi_value *v, int64_t *out)
{
    if (v->kind == SYMBI_INT) {
        *out = v->u.i;
        return true;
    }
    if (v->kind == SYMBI_DOUBLE && v->line == 0 && fabs(v->u.d) <= 9007199254740992.0 && v->u.d == (double)(int64_t)v->u.d) {
        *out = (int64_t)v->u.d;
        return true;
    }
    return false;
}

symbi_status sy_rd_int(sy_rd *rd, const symbi_value *table, const char *key, int64_t *out, bool *present)
{
    const symbi_value *v = symbi_value_getz(table, key);
    if (present) *present = v != NULL;
    if (!v) return SYMBI_OK;
    return as_int(v, out) ? SYMBI_OK : wrong(rd, v, key, "integer");
}

symbi_status sy_rd_num(sy_rd *rd, const symbi_value *table, const char *key, double *out, bool *present)
{
    const symbi_value *v = symbi_value_getz(table, key);
    *present = v != NULL;
    if (!v) return SYMBI_OK;
    if (v->kind == SYMBI_DOUBLE) *out = v->u.d;
    else if (v->kind == SYMBI_INT) *out = (double)v->u.i;
    else return wrong(rd, v, key, "number");
    return SYMBI_OK;
}

symbi_status sy_rd_table(sy_rd *rd, const symbi_value *table, const char *key, const symbi_value **out)
{
    const symbi_value *v = symbi_value_getz(table, key);
    *out = NULL;
    if (!v) return SYMBI_OK;
    if (v->kind != SYMBI_OBJECT) return wrong(rd, v, key, "table");
    *out = v;
    return SYMBI_OK;
}

symbi_status sy_rd_strs(sy_rd *rd, const symbi_value *table, const char *key, const symbi_str **out, size_t *n, bool *present)
{
    const symbi_value *v = symbi_value_getz(table, key);
    symbi_str *s;
    if (present) *present = v != NULL;
    if (!v) return SYMBI_OK;
    if (v->kind == SYMBI_OBJECT && v->u.o.n == 0 && v->line == 0) { /* an empty Lua table */
        *n = 0;
        return SYMBI_OK;
    }
    if (v->kind != SYMBI_ARRAY) return wrong(rd, v, key, "list of strings");
    s = sy_arena_calloc(&rd->t->arena, v->u.a.n, sizeof *s);
    if (!s) return sy_rd_nomem(rd);
    for (size_t i = 0; i < v->u.a.n; i++) {
        if (v->u.a.items[i].kind != SYMBI_STRING) return wrong(rd, &v->u.a.items[i], key, "list of strings");
        s[i] = v->u.a.items[i].u.s;
    }
    *out = s;
    *n = v->u.a.n;
    return SYMBI_OK;
}

symbi_status sy_rd_known(sy_rd *rd, const symbi_value *table, const char *const known[])
{
    for (size_t i = 0; table && i < table->u.o.n; i++) {
        const symbi_member *m = &table->u.o.members[i];
        const char *near;
        char key[80];
        symbi_status st;
        size_t k;
        for (k = 0; known[k]; k++)
            if (sy_str_eqz(m->key, known[k])) break;
        if (known[k]) continue;
        near = sy_suggest_list(m->key, known);
        snprintf(key, sizeof key, "%.*s", (int)(m->key.n > 60 ? 60 : m->key.n), m->key.p);
        st = near ? sy_rd_warn(rd, &m->val, key, "unknown key, did you mean '%s'?", near) : sy_rd_warn(rd, &m->val, key, "unknown key, ignored");
        if (st) return st;
    }
    return SYMBI_OK;
}
