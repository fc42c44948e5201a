/* toolclad/when.c: the conditions of [command.conditionals]: `or` of `and` of comparisons NAME (== | !=) LITERAL, compared as
 * text. A closed grammar, parsed at load time: nothing of it is ever evaluated as code. */
#include "base/err.h"
#include "base/str.h"
#include "toolclad/tool.h"

typedef struct when_cmp {
    symbi_str name, literal;
    bool equal, or_before; /* or_before: a new and-group begins here */
} when_cmp;
struct sy_when {
    const when_cmp *c;
    size_t n;
};
enum { WHEN_MAX = 64 };

typedef struct when_lex {
    symbi_str s;
    size_t i;
} when_lex;

static bool word_char(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; } /* a condition may stand on several lines of a manifest */

static void skip(when_lex *l)
{
    while (l->i < l->s.n && blank(l->s.p[l->i])) l->i++;
}

static symbi_str word(when_lex *l)
{
    symbi_str w;
    size_t from;
    skip(l);
    from = l->i;
    while (l->i < l->s.n && word_char(l->s.p[l->i])) l->i++;
    w.p = l->s.p + from;
    w.n = l->i - from;
    return w;
}

static symbi_status bad(when_lex *l, symbi_err *err, const char *what)
{
    return sy_fail_at(err, SYMBI_ESCHEMA, 0, (uint32_t)l->i + 1, "character %zu of the condition: %s", l->i + 1, what);
}

/* 'text', "text", or a bare word without blanks and quotes. */
static symbi_status literal(when_lex *l, symbi_str *out, symbi_err *err)
{
    char q;
    size_t from;
    skip(l);
    if (l->i >= l->s.n) return bad(l, err, "a value must follow; text goes in quotes");
    q = l->s.p[l->i];
    if (q == '\'' || q == '"') {
        from = ++l->i;
        while (l->i < l->s.n && l->s.p[l->i] != q) l->i++;
        if (l->i >= l->s.n) return bad(l, err, "the quote is not closed");
        out->p = l->s.p + from;
        out->n = l->i++ - from;
        return SYMBI_OK;
    }
    from = l->i;
    while (l->i < l->s.n && !memchr(" \t\n\r'\"=!<>&|()", l->s.p[l->i], 15)) l->i++;
    out->p = l->s.p + from;
    out->n = l->i - from;
    return out->n ? SYMBI_OK : bad(l, err, "a value must follow; text goes in quotes");
}

symbi_status sy_when_parse(sy_arena *a, symbi_str text, const sy_when **out, symbi_err *err)
{
    when_lex l = { text, 0 };
    when_cmp c[WHEN_MAX];
    sy_when *w;
    size_t n = 0;
    bool or_before = false;
    symbi_status st;
    *out = NULL;
    for (;;) {
        symbi_str j;
        if (n == WHEN_MAX) return bad(&l, err, "too many comparisons (64 at most)");
        c[n].name = word(&l);
        c[n].or_before = or_before;
        if (!c[n].name.n || (c[n].name.p[0] >= '0' && c[n].name.p[0] <= '9')) return bad(&l, err, "the name of an argument is expected (NAME == 'text')");
        skip(&l);
        if (text.n - l.i < 2 || text.p[l.i + 1] != '=' || (text.p[l.i] != '=' && text.p[l.i] != '!')) return bad(&l, err, "== or != is expected");
        c[n].equal = text.p[l.i] == '=';
        l.i += 2;
        if (l.i < text.n && text.p[l.i] == '=') return bad(&l, err, "== or != is expected, not ===");
        if ((st = literal(&l, &c[n].literal, err))) return st;
        n++;
        if (l.i < text.n && !blank(text.p[l.i])) return bad(&l, err, "'and', 'or' or the end is expected");
        skip(&l);
        if (l.i == text.n) break;
        j = word(&l);
        or_before = sy_str_eqz(j, "or");
        if (!or_before && !sy_str_eqz(j, "and")) {
            l.i -= j.n;
            return bad(&l, err, "'and', 'or' or the end is expected");
        }
    }
    w = sy_arena_calloc(a, 1, sizeof *w);
    if (!w || !(w->c = sy_arena_memdup(a, c, n * sizeof c[0]))) return sy_arena_fail(a, "the condition", err);
    w->n = n;
    *out = w;
    return SYMBI_OK;
}

bool sy_when_eval(const sy_when *w, sy_when_lookup *look, const void *ud)
{
    bool all = true;
    for (size_t i = 0; i < w->n; i++) {
        if (w->c[i].or_before) {
            if (all) return true;
            all = true;
        }
        all = all && sy_str_eq(look(ud, w->c[i].name), w->c[i].literal) == w->c[i].equal;
    }
    return all;
}

symbi_str sy_when_name(const sy_when *w, size_t i) { return i < w->n ? w->c[i].name : (symbi_str){ NULL, 0 }; }
