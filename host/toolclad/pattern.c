/* toolclad/pattern.c: parses a pattern and compiles it to a small program, which pattern_run.c simulates. */
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/value.h"
#include "toolclad/pattern_in.h"

enum {
    RE_TEXT_MAX = 4096,   /* bytes of a pattern */
    RE_PROG_MAX = 4000,   /* instructions */
    RE_SCRATCH_MAX = 32 << 20,
    RE_DEPTH_MAX = 100,   /* nested groups */
    RE_REPEAT_MAX = 1000  /* {m,n} */
};

/* ---- parsing ---- */

typedef enum re_kind { N_EMPTY, N_CLASS, N_ASSERT, N_CAT, N_ALT, N_REPEAT } re_kind;
typedef struct re_node {
    re_kind kind;
    re_op assertion;
    const re_class *cls;
    struct re_node *first, *last, *next; /* children of CAT, ALT, REPEAT */
    long min, max;                       /* REPEAT; max -1: no bound */
} re_node;

typedef struct re_parser {
    sy_arena *a;    /* nodes and sets, gone after compiling */
    sy_arena *keep; /* classes */
    symbi_err *err;
    symbi_str s;
    size_t i, depth;
    bool fold, dot_all;
} re_parser;

static symbi_status re_fail(re_parser *p, size_t at, const char *what)
{
    return sy_fail_at(p->err, SYMBI_EPARSE, 1, (uint32_t)at + 1, "the pattern does not compile at character %zu: %s", at + 1, what);
}

static re_node *re_new(re_parser *p, re_kind kind)
{
    re_node *n = sy_arena_calloc(p->a, 1, sizeof *n);
    if (n) n->kind = kind;
    return n;
}

static void re_append(re_node *parent, re_node *n)
{
    if (parent->last) parent->last->next = n;
    else parent->first = n;
    parent->last = n;
}

typedef struct re_set { /* a class under construction */
    re_range r[512];
    size_t n;
} re_set;

static bool re_add(re_set *c, uint32_t lo, uint32_t hi)
{
    if (c->n >= sizeof c->r / sizeof c->r[0]) return false;
    c->r[c->n++] = (re_range){ lo, hi };
    return true;
}

/* \d \w \s and their complements. */
static bool re_perl(re_set *c, char k)
{
    static const re_range digit[] = { { '0', '9' } }, word[] = { { '0', '9' }, { 'A', 'Z' }, { '_', '_' }, { 'a', 'z' } }, space[] = { { 9, 13 }, { ' ', ' ' } };
    char low = (char)(k | 32);
    const re_range *r = low == 'd' ? digit : low == 'w' ? word : space;
    size_t n = low == 'd' ? 1 : low == 'w' ? 4 : 2;
    uint32_t from = 0;
    bool ok = true;
    for (size_t i = 0; i < n; i++) {
        if (k == low) ok = ok && re_add(c, r[i].lo, r[i].hi);
        else if (r[i].lo > from) ok = ok && re_add(c, from, r[i].lo - 1);
        from = r[i].hi + 1;
    }
    return k == low ? ok : ok && re_add(c, from, 0x10ffff);
}

static const re_class *re_finish(re_parser *p, const re_set *c, bool negated)
{
    re_class *k = sy_arena_calloc(p->keep, 1, sizeof *k);
    if (!k) return NULL;
    k->r = sy_arena_memdup(p->keep, c->r, c->n * sizeof c->r[0]);
    k->n = c->n;
    k->negated = negated;
    k->fold = p->fold;
    return k;
}

static int re_hexval(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* At the character after a backslash: a literal one. */
static symbi_status re_escape(re_parser *p, uint32_t *cp)
{
    size_t at = p->i - 1;
    char c;
    if (p->i >= p->s.n) return re_fail(p, at, "a backslash ends it; write \\\\ for one");
    c = p->s.p[p->i++];
    switch (c) {
    case 't': *cp = '\t'; return SYMBI_OK;
    case 'n': *cp = '\n'; return SYMBI_OK;
    case 'r': *cp = '\r'; return SYMBI_OK;
    case 'f': *cp = '\f'; return SYMBI_OK;
    case 'v': *cp = '\v'; return SYMBI_OK;
    case 'x': case 'u': {
        size_t want = c == 'x' ? 2 : 4, n = 0;
        bool braces = p->i < p->s.n && p->s.p[p->i] == '{';
        uint32_t v = 0;
        char out[4];
        if (braces) p->i++, want = 6;
        while (p->i < p->s.n && n < want && re_hexval(p->s.p[p->i]) >= 0) v = v << 4 | (uint32_t)re_hexval(p->s.p[p->i++]), n++;
        if (braces ? (!n || p->i >= p->s.n || p->s.p[p->i++] != '}') : n != want) return re_fail(p, at, "hexadecimal digits are missing");
        if (!sy_utf8_put(v, out)) return re_fail(p, at, "no such character");
        *cp = v;
        return SYMBI_OK;
    }
    default:
        if (c >= '1' && c <= '9') return re_fail(p, at, "back-references are not supported");
        if (c == 'p' || c == 'P') return re_fail(p, at, "Unicode classes (\\p) are not supported; list the characters");
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '0' || (unsigned char)c >= 0x80) return re_fail(p, at, "unknown escape");
        *cp = (unsigned char)c;
        return SYMBI_OK;
    }
}

static symbi_status re_char(re_parser *p, uint32_t *cp)
{
    p->i += sy_utf8_next(p->s.p + p->i, p->s.n - p->i, cp);
    return SYMBI_OK;
}

static bool re_posix(re_parser *p, re_set *c, bool *ok)
{
    static const struct { const char *name; const char *ranges; } names[] = { { "alnum", "09AZaz" }, { "alpha", "AZaz" }, { "digit", "09" }, { "lower", "az" },
        { "upper", "AZ" }, { "xdigit", "09AFaf" }, { "word", "09AZ__az" }, { "space", "\t\r  " }, { "blank", "\t\t  " }, { "punct", "!/:@[`{~" }, { "graph", "!~" }, { "print", " ~" } };
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        size_t n = strlen(names[k].name);
        if (p->s.n - p->i >= n + 4 && memcmp(p->s.p + p->i + 2, names[k].name, n) == 0 && memcmp(p->s.p + p->i + 2 + n, ":]", 2) == 0) {
            for (const char *r = names[k].ranges; *r; r += 2) *ok = *ok && re_add(c, (unsigned char)r[0], (unsigned char)r[1]);
            p->i += n + 4;
            return true;
        }
    }
    return false;
}

/* At the character after '['. */
static symbi_status re_bracket(re_parser *p, re_node **out)
{
    re_set *c = sy_arena_calloc(p->a, 1, sizeof *c);
    size_t open = p->i - 1;
    bool negated = false, first = true, ok = true;
    symbi_status st;
    if (!c) return sy_arena_fail(p->a, "the pattern", p->err);
    if (p->i < p->s.n && p->s.p[p->i] == '^') negated = true, p->i++;
    for (;; first = false) {
        uint32_t lo, hi;
        size_t at = p->i;
        if (p->i >= p->s.n) return re_fail(p, open, "the class is not closed: ']' is missing");
        if (p->s.p[p->i] == ']' && !first) break;
        if (p->s.p[p->i] == '[') {
            if (p->i + 1 < p->s.n && p->s.p[p->i + 1] == ':' && re_posix(p, c, &ok)) continue;
            return re_fail(p, at, "'[' in a class must be written \\[");
        }
        if (p->i + 1 < p->s.n && p->s.p[p->i] == p->s.p[p->i + 1] && memchr("&~-", p->s.p[p->i], 3)) return re_fail(p, at, "class operators are not supported; escape the character");
        if (p->s.p[p->i] == '\\' && p->i + 1 < p->s.n && memchr("dDwWsS", p->s.p[p->i + 1], 6)) {
            ok = ok && re_perl(c, p->s.p[p->i + 1]);
            p->i += 2;
            continue;
        }
        if (p->s.p[p->i] == '\\') {
            p->i++;
            if ((st = re_escape(p, &lo))) return st;
        } else {
            (void)re_char(p, &lo);
        }
        hi = lo;
        if (p->i + 1 < p->s.n && p->s.p[p->i] == '-' && p->s.p[p->i + 1] != ']') {
            p->i++;
            if (p->s.p[p->i] == '\\') {
                p->i++;
                if (p->i < p->s.n && memchr("dDwWsS", p->s.p[p->i], 6)) return re_fail(p, at, "a range cannot end in a class");
                if ((st = re_escape(p, &hi))) return st;
            } else if (p->s.p[p->i] == '[') {
                return re_fail(p, p->i, "'[' in a class must be written \\[");
            } else {
                (void)re_char(p, &hi);
            }
            if (hi < lo) return re_fail(p, at, "the range is backwards");
        }
        ok = ok && re_add(c, lo, hi);
    }
    p->i++;
    if (!ok) return re_fail(p, open, "the class is too large");
    *out = re_new(p, N_CLASS);
    if (*out) (*out)->cls = re_finish(p, c, negated);
    return SYMBI_OK;
}

static symbi_status re_literal(re_parser *p, uint32_t cp, re_node **out)
{
    re_class *k = sy_arena_calloc(p->keep, 1, sizeof *k);
    re_range r = { cp, cp };
    *out = re_new(p, N_CLASS);
    if (!*out || !k) return SYMBI_OK; /* the arena remembers */
    k->r = sy_arena_memdup(p->keep, &r, sizeof r);
    k->n = 1;
    k->fold = p->fold;
    (*out)->cls = k;
    return SYMBI_OK;
}

static symbi_status re_assert(re_parser *p, re_op op, re_node **out)
{
    *out = re_new(p, N_ASSERT);
    if (*out) (*out)->assertion = op;
    return SYMBI_OK;
}

static symbi_status re_alternation(re_parser *p, re_node **out);

/* After "(?": flags or a name. *group: a group follows (else the flags hold to the end of the enclosing group). */
static symbi_status re_group_head(re_parser *p, bool *group)
{
    size_t at = p->i;
    bool on = true;
    *group = true;
    if (p->i < p->s.n && p->s.p[p->i] == 'P') p->i++;
    if (p->i < p->s.n && p->s.p[p->i] == '<') {
        size_t n = 0;
        p->i++;
        if (p->i < p->s.n && (p->s.p[p->i] == '=' || p->s.p[p->i] == '!')) return re_fail(p, at, "look-around is not supported");
        while (p->i < p->s.n && p->s.p[p->i] != '>') {
            char c = p->s.p[p->i++];
            if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (n && c >= '0' && c <= '9'))) return re_fail(p, at, "bad name of a group");
            n++;
        }
        if (!n || p->i >= p->s.n) return re_fail(p, at, "bad name of a group");
        p->i++;
        return SYMBI_OK;
    }
    if (p->i > at) return re_fail(p, at, "unknown kind of group");
    for (; p->i < p->s.n; p->i++) {
        char c = p->s.p[p->i];
        if (c == ':' || c == ')') break;
        if (c == '-' && on) on = false;
        else if (c == 'i') p->fold = on;
        else if (c == 's') p->dot_all = on;
        else if (c == '=' || c == '!') return re_fail(p, at, "look-around is not supported");
        else return re_fail(p, p->i, "unknown flag (i and s are known)");
    }
    if (p->i >= p->s.n) return re_fail(p, at, "the group is not closed: ')' is missing");
    *group = p->s.p[p->i] == ':';
    if (!*group && p->i == at) return re_fail(p, at, "flags are missing");
    p->i++;
    return SYMBI_OK;
}

static symbi_status re_atom(re_parser *p, re_node **out)
{
    size_t at = p->i;
    char c = p->s.p[p->i];
    uint32_t cp;
    symbi_status st;
    switch (c) {
    case '(': {
        bool fold = p->fold, dot_all = p->dot_all, group = true;
        p->i++;
        if (++p->depth > RE_DEPTH_MAX) return re_fail(p, at, "groups are nested too deeply");
        if (p->i < p->s.n && p->s.p[p->i] == '?') {
            p->i++;
            if ((st = re_group_head(p, &group))) return st;
        }
        if (!group) {
            p->depth--;
            *out = re_new(p, N_EMPTY);
            return SYMBI_OK; /* the flags stay */
        }
        if ((st = re_alternation(p, out))) return st;
        if (p->i >= p->s.n) return re_fail(p, at, "the group is not closed: ')' is missing");
        p->i++;
        p->depth--;
        p->fold = fold;
        p->dot_all = dot_all;
        return SYMBI_OK;
    }
    case '[': p->i++; return re_bracket(p, out);
    case '.': {
        static const re_range any[] = { { 0, 0x10ffff } }, line[] = { { 0, 9 }, { 11, 0x10ffff } };
        static const re_class any_class = { any, 1, false, false }, line_class = { line, 2, false, false };
        p->i++;
        *out = re_new(p, N_CLASS);
        if (*out) (*out)->cls = p->dot_all ? &any_class : &line_class;
        return SYMBI_OK;
    }
    case '^': p->i++; return re_assert(p, OP_START, out);
    case '$': p->i++; return re_assert(p, OP_END, out);
    case '*': case '+': case '?': return re_fail(p, at, "there is nothing to repeat");
    case '{': case '}': return re_fail(p, at, "a brace must be written \\{ or \\} where it is no repetition");
    case '\\':
        p->i++;
        if (p->i < p->s.n && memchr("dDwWsS", p->s.p[p->i], 6)) {
            re_set *set = sy_arena_calloc(p->a, 1, sizeof *set);
            if (!set) return sy_arena_fail(p->a, "the pattern", p->err);
            (void)re_perl(set, p->s.p[p->i++]);
            *out = re_new(p, N_CLASS);
            if (*out) (*out)->cls = re_finish(p, set, false);
            return SYMBI_OK;
        }
        if (p->i < p->s.n) {
            char e = p->s.p[p->i];
            if (e == 'b' || e == 'B' || e == 'A' || e == 'z') {
                p->i++;
                return re_assert(p, e == 'b' ? OP_WORD : e == 'B' ? OP_NOT_WORD : e == 'A' ? OP_START : OP_END, out);
            }
        }
        if ((st = re_escape(p, &cp))) return st;
        return re_literal(p, cp, out);
    default:
        (void)re_char(p, &cp);
        return re_literal(p, cp, out);
    }
}

/* A number of a repetition; -1 when there is none. */
static long re_count(re_parser *p)
{
    long v = -1;
    while (p->i < p->s.n && p->s.p[p->i] >= '0' && p->s.p[p->i] <= '9') {
        v = (v < 0 ? 0 : v) * 10 + (p->s.p[p->i++] - '0');
        if (v > RE_REPEAT_MAX) v = RE_REPEAT_MAX + 1;
    }
    return v;
}

static symbi_status re_repeat(re_parser *p, re_node **out)
{
    re_node *atom, *r;
    symbi_status st = re_atom(p, &atom);
    long min, max;
    size_t at = p->i;
    char c;
    if (st) return st;
    *out = atom;
    if (p->i >= p->s.n) return SYMBI_OK;
    c = p->s.p[p->i];
    if (c == '*') min = 0, max = -1, p->i++;
    else if (c == '+') min = 1, max = -1, p->i++;
    else if (c == '?') min = 0, max = 1, p->i++;
    else if (c == '{') {
        p->i++;
        min = re_count(p);
        max = min;
        if (p->i < p->s.n && p->s.p[p->i] == ',') {
            p->i++;
            max = re_count(p);
        }
        if (min < 0 || p->i >= p->s.n || p->s.p[p->i] != '}') return re_fail(p, at, "a repetition is written {m}, {m,} or {m,n}; a plain brace \\{");
        p->i++;
        if (min > RE_REPEAT_MAX || max > RE_REPEAT_MAX) return re_fail(p, at, "a repetition goes to 1000 at most");
        if (max >= 0 && max < min) return re_fail(p, at, "the repetition is backwards");
    } else {
        return SYMBI_OK;
    }
    if (p->i < p->s.n && p->s.p[p->i] == '?') p->i++; /* lazy: the same texts match */
    if (p->i < p->s.n && memchr("*+?{", p->s.p[p->i], 4)) return re_fail(p, p->i, "a repetition cannot be repeated; use a (?:group)");
    r = re_new(p, N_REPEAT);
    if (!r || !atom) return SYMBI_OK;
    r->min = min;
    r->max = max;
    re_append(r, atom);
    *out = r;
    return SYMBI_OK;
}

static symbi_status re_alternation(re_parser *p, re_node **out)
{
    re_node *alt = re_new(p, N_ALT), *cat = re_new(p, N_CAT), *n;
    symbi_status st;
    if (!alt || !cat) return sy_arena_fail(p->a, "the pattern", p->err);
    re_append(alt, cat);
    while (p->i < p->s.n && p->s.p[p->i] != ')') {
        if (p->s.p[p->i] == '|') {
            p->i++;
            if (!(cat = re_new(p, N_CAT))) break;
            re_append(alt, cat);
            continue;
        }
        if ((st = re_repeat(p, &n))) return st;
        if (p->a->status || !n) break;
        re_append(cat, n);
    }
    if (p->a->status) return sy_arena_fail(p->a, "the pattern", p->err);
    *out = alt;
    return SYMBI_OK;
}

/* ---- program ---- */

typedef struct re_emit {
    re_inst *prog;
    size_t n;
    bool full;
} re_emit;

static uint32_t re_put(re_emit *e, re_op op)
{
    if (e->n >= RE_PROG_MAX) {
        e->full = true;
        return 0;
    }
    memset(&e->prog[e->n], 0, sizeof e->prog[0]);
    e->prog[e->n].op = op;
    return (uint32_t)e->n++;
}

static void re_emit_node(re_emit *e, const re_node *n)
{
    uint32_t i;
    if (e->full) return;
    switch (n->kind) {
    case N_EMPTY: break;
    case N_CLASS:
        i = re_put(e, OP_CLASS);
        e->prog[i].cls = n->cls;
        break;
    case N_ASSERT: (void)re_put(e, n->assertion); break;
    case N_CAT:
        for (const re_node *c = n->first; c; c = c->next) re_emit_node(e, c);
        break;
    case N_ALT: {
        uint32_t jumps = UINT32_MAX; /* chained through x until the end is known */
        for (const re_node *c = n->first; c && !e->full; c = c->next) {
            uint32_t split = 0;
            if (c->next) {
                split = re_put(e, OP_SPLIT);
                e->prog[split].x = (uint32_t)e->n;
            }
            re_emit_node(e, c);
            if (c->next) {
                uint32_t j = re_put(e, OP_JUMP);
                if (e->full) return;
                e->prog[j].x = jumps;
                jumps = j;
                e->prog[split].y = (uint32_t)e->n;
            }
        }
        while (!e->full && jumps != UINT32_MAX) {
            uint32_t next = e->prog[jumps].x;
            e->prog[jumps].x = (uint32_t)e->n;
            jumps = next;
        }
        break;
    }
    case N_REPEAT:
        for (long k = 0; k < n->min && !e->full; k++) re_emit_node(e, n->first);
        if (n->max < 0) {
            i = re_put(e, OP_SPLIT);
            e->prog[i].x = (uint32_t)e->n;
            re_emit_node(e, n->first);
            e->prog[re_put(e, OP_JUMP)].x = i;
            e->prog[i].y = (uint32_t)e->n;
        } else {
            uint32_t splits = UINT32_MAX;
            for (long k = n->min; k < n->max && !e->full; k++) {
                i = re_put(e, OP_SPLIT);
                e->prog[i].x = (uint32_t)e->n;
                e->prog[i].y = splits;
                splits = i;
                re_emit_node(e, n->first);
            }
            while (!e->full && splits != UINT32_MAX) {
                uint32_t next = e->prog[splits].y;
                e->prog[splits].y = (uint32_t)e->n;
                splits = next;
            }
        }
        break;
    }
}

/* All matches begin at the start (end: end at the end) of the text by the pattern's own assertion. */
static bool re_fixed(const re_node *n, bool end)
{
    switch (n->kind) {
    case N_ASSERT: return n->assertion == (end ? OP_END : OP_START);
    case N_ALT:
        for (const re_node *c = n->first; c; c = c->next)
            if (!re_fixed(c, end)) return false;
        return true;
    case N_CAT: {
        const re_node *c = end ? n->last : n->first;
        while (c && !end && c->kind == N_EMPTY) c = c->next;
        return c && re_fixed(c, end);
    }
    case N_REPEAT: return n->min > 0 && re_fixed(n->first, end);
    default: return false;
    }
}

static symbi_status re_compile(re_parser *p, const sy_pattern **out)
{
    re_node *root = NULL;
    sy_pattern *pat;
    re_emit e = { NULL, 0, false };
    symbi_status st;
    if ((st = re_alternation(p, &root))) return st;
    if (p->keep->status) return sy_arena_fail(p->keep, "the pattern", p->err);
    if (p->i < p->s.n) return re_fail(p, p->i, "')' closes nothing; write \\)");
    e.prog = sy_arena_alloc(p->a, RE_PROG_MAX * sizeof *e.prog);
    if (!e.prog) return sy_arena_fail(p->a, "the pattern", p->err);
    re_emit_node(&e, root);
    (void)re_put(&e, OP_MATCH);
    if (e.full) return sy_fail(p->err, SYMBI_ELIMIT, "the pattern is too large once its repetitions are written out");
    pat = sy_arena_calloc(p->keep, 1, sizeof *pat);
    if (!pat || !(pat->prog = sy_arena_memdup(p->keep, e.prog, e.n * sizeof *e.prog))) return sy_arena_fail(p->keep, "the pattern", p->err);
    pat->n = e.n;
    pat->anchored = re_fixed(root, false) && re_fixed(root, true);
    *out = pat;
    return SYMBI_OK;
}

symbi_status sy_pattern_compile(sy_arena *a, symbi_str text, const sy_pattern **out, symbi_err *err)
{
    sy_arena scratch;
    re_parser p = { &scratch, a, err, text, 0, 0, false, false };
    symbi_status st;
    size_t bad;
    *out = NULL;
    if (text.n > RE_TEXT_MAX) return sy_fail(err, SYMBI_ELIMIT, "the pattern has more than %d bytes", RE_TEXT_MAX);
    if (!sy_utf8_valid(text, &bad)) return re_fail(&p, bad, "it is not valid UTF-8");
    sy_arena_init(&scratch, a->alloc, RE_SCRATCH_MAX);
    st = re_compile(&p, out);
    sy_arena_free(&scratch);
    return st;
}

bool sy_pattern_anchored(const sy_pattern *p) { return p->anchored; }
