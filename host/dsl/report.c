/* dsl/report.c: errors with place, what was found, what was expected and, where it can be told, the fix; and finding the way back
 * after one. One place is reported once. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "dsl/dsl.h"
#include "toolclad/read.h"

#include <stdio.h>
#include <string.h>

const char *const sy_dsl_top_words[] = { "metadata", "agent", "policy", "type", "function", "schedule", "channel", "memory", "webhook", NULL };

bool sy_dsl_stop(sy_parser *p, symbi_status st, uint32_t at, const char *fmt, ...)
{
    uint32_t line, col;
    va_list ap;
    if (p->status) return false;
    p->status = st;
    sy_dsl_place(p->d, at, &line, &col);
    va_start(ap, fmt);
    sy_vfail(&p->err, st, line, col, fmt, ap);
    va_end(ap);
    p->cur = (sy_token){ SY_T_EOF, p->n, p->n };
    return false;
}

static symbi_str keep(sy_parser *p, const char *z)
{
    char line[512];
    sy_clean_line(line, sizeof line, symbi_str_z(z));
    return sy_arena_dup(&p->d->arena, symbi_str_z(line));
}

static void describe(const sy_parser *p, sy_token t, char out[96])
{
    symbi_str s = sy_dsl_tok(p, t);
    int n = (int)(s.n > 48 ? 48 : s.n);
    const char *more = s.n > 48 ? "..." : "";
    if (t.kind == SY_T_EOF) snprintf(out, 96, "the end of the file");
    else if (!s.n) snprintf(out, 96, "bytes of another kind");
    else if (t.kind == SY_T_STRING) snprintf(out, 96, "the string %.*s%s", n, s.p, more);
    else if (t.kind == SY_T_NUMBER) snprintf(out, 96, "the number %.*s%s", n, s.p, more);
    else if (t.kind == SY_T_DURATION) snprintf(out, 96, "the duration %.*s%s", n, s.p, more);
    else if (s.n == 1 && (unsigned char)s.p[0] < 32) snprintf(out, 96, "a control character (0x%02x)", (unsigned)(unsigned char)s.p[0]);
    else snprintf(out, 96, "'%.*s%s'", n, s.p, more);
}

bool sy_dsl_error_here(sy_parser *p, sy_token t, const char *expected, const char *hint)
{
    symbi_dsl *d = p->d;
    symbi_dsl_error *e;
    char found[96], line[512];
    if (p->status || d->too_many || (d->nerrors && p->error_at == t.start)) return false;
    if (d->nerrors == SYMBI_DSL_MAX_ERRORS) {
        d->too_many = true;
        return false;
    }
    if (sy_grow(&d->alloc, (void **)&d->errors, &d->errors_cap, d->nerrors + 1, sizeof *d->errors)) return sy_dsl_stop(p, SYMBI_ENOMEM, t.start, "out of memory");
    p->error_at = t.start;
    e = &d->errors[d->nerrors];
    memset(e, 0, sizeof *e);
    sy_dsl_place(d, t.start, &e->line, &e->col);
    sy_dsl_place(d, t.end, &e->end_line, &e->end_col);
    describe(p, t, found);
    e->found = keep(p, found);
    e->expected = keep(p, expected);
    e->hint = keep(p, hint ? hint : "");
    snprintf(line, sizeof line, "expected %s, found %s%s%s", expected, found, hint ? "; " : "", hint ? hint : "");
    e->message = keep(p, line);
    if (d->arena.status) return sy_dsl_stop(p, d->arena.status, t.start, "out of memory");
    d->nerrors++;
    return false;
}

/* What is so often written and not in the grammar. */
static const struct {
    const char *word, *hint;
} k_foreign[] = {
    { "import", "there is no import; put what belongs together into one file" },
    { "include", "there is no include; put what belongs together into one file" },
    { "struct", "a structure is written: type Name = { field: Type }" },
    { "enum", "there is no enum; a type is a structure or another type's name" },
    { "fn", "functions begin with the word function" },
    { "def", "functions begin with the word function" },
    { "while", "there is no while; use for NAME in LIST { }" },
    { "const", "values are bound with let, inside a block" },
    { "behavior", "this is the REPL's language, another notation; see symbi_dsl_repl" },
};

static const char *guess(sy_parser *p, const char *what, char buf[160])
{
    sy_token t = p->cur;
    symbi_str s = sy_dsl_tok(p, t);
    if (t.kind == '-' && p->last_end == t.start && t.start) return "names have letters, digits and _, no hyphen";
    if (t.kind == SY_T_IDENT) {
        for (size_t i = 0; i < sizeof k_foreign / sizeof k_foreign[0]; i++)
            if (sy_str_eqz(s, k_foreign[i].word)) return k_foreign[i].hint;
    }
    if (t.kind == SY_T_IDENT && strstr(what, "agent, policy")) {
        const char *near = sy_suggest_list(s, sy_dsl_top_words);
        if (near && !sy_str_eqz(s, near)) {
            snprintf(buf, 160, "did you mean '%s'?", near);
            return buf;
        }
        for (size_t i = 0; sy_dsl_top_words[i]; i++)
            if (sy_str_eqz(s, sy_dsl_top_words[i])) return "this begins a new item: a '}' is missing before it";
    }
    if (t.kind == SY_T_IDENT && strstr(what, "allow")) {
        static const char *const words[] = { "allow", "deny", "require", "audit", NULL };
        const char *near = sy_suggest_list(s, words);
        if (near && !sy_str_eqz(s, near)) {
            snprintf(buf, 160, "did you mean '%s'?", near);
            return buf;
        }
    }
    if (t.kind == SY_T_IDENT && strstr(what, "capabilities")) {
        static const char *const words[] = { "capabilities", "policy", "function", "with", NULL };
        const char *near = sy_suggest_list(s, words);
        if (near && !sy_str_eqz(s, near)) {
            snprintf(buf, 160, "did you mean '%s'?", near);
            return buf;
        }
    }
    if (!strcmp(what, "';'")) return "this statement ends with ';'";
    if (t.kind == ';' && strchr(what, '}')) return "no ';' here: entries end with a comma or with the line";
    if (t.kind == '-' && strstr(what, "value")) return "there are no negative values here; write it as a string";
    if (t.kind == '\'' ) return "strings stand in double quotes";
    return NULL;
}

bool sy_dsl_expected(sy_parser *p, const char *what)
{
    char buf[160];
    return sy_dsl_error_here(p, p->cur, what, guess(p, what, buf));
}

static bool among(const sy_parser *p, const char *const *words)
{
    for (size_t i = 0; words && words[i]; i++)
        if (sy_dsl_is(p, words[i])) return true;
    return false;
}

static bool first_on_line(const sy_parser *p)
{
    uint32_t i = p->cur.start;
    while (i && (p->s[i - 1] == ' ' || p->s[i - 1] == '\t')) i--;
    return !i || p->s[i - 1] == '\n' || p->s[i - 1] == '\r';
}

/* Passes over tokens, whole brackets at a time, up to what may be the next entry of the block that is being read: a `}` of its own, a
 * word of `words`, or (lines) a name at the start of a line. A top-level word at the start of a line that is followed by a name or `{`
 * means that the block was never closed: then every block up to the top is left. At least one token goes by, unless it is `}`. */
void sy_dsl_skip(sy_parser *p, const char *const *words, bool lines)
{
    unsigned open = 0;
    bool first = true;
    while (p->cur.kind != SY_T_EOF) {
        if (!open && p->cur.kind == '}') return;
        if (p->cur.kind == SY_T_IDENT && first_on_line(p) && among(p, sy_dsl_top_words) && words != sy_dsl_top_words) {
            sy_token t = sy_dsl_peek(p, p->cur), u = sy_dsl_peek(p, t);
            bool header = sy_dsl_is(p, "metadata") ? t.kind == '{' : t.kind == SY_T_IDENT && (u.kind == '{' || u.kind == '(' || u.kind == SY_T_ARROW || u.kind == '=');
            if (header && !(among(p, words) && !open)) {
                p->to_top = true;
                return;
            }
        }
        if (!first && !open && (among(p, words) || (lines && p->cur.kind == SY_T_IDENT && first_on_line(p)))) return;
        if (p->cur.kind == '{' || p->cur.kind == '(' || p->cur.kind == '[') open++;
        if ((p->cur.kind == '}' || p->cur.kind == ')' || p->cur.kind == ']') && open) open--;
        first = false;
        sy_dsl_advance(p);
    }
}
