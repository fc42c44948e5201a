/* gate/lint_text.c: characters in a policy file that deceive its reader. Upstream's two rules as its script has them (spec gates.md
 * 13), and ours: what it misses, and what is written as an escape. Text only; it works on files that do not parse. */
#include "base/utf8.h"
#include "codec/build.h"
#include "gate/lint.h"

#include <stdio.h>
#include <string.h>

typedef struct range {
    uint32_t lo, hi;
} range;

static const range k_invisible[] = { /* upstream's table */
    { 0x00, 0x08 }, { 0x0b, 0x0c }, { 0x0e, 0x1f }, { 0x7f, 0x9f }, { 0x180e, 0x180e }, { 0x200b, 0x200f }, { 0x202a, 0x202e },
    { 0x2060, 0x206f }, { 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe007f }, { 0xe0100, 0xe01ef },
};
static const range k_hidden[] = { /* invisible too, and not in that table: soft hyphen, joiners, fillers, line separators, blank Braille */
    { 0xad, 0xad }, { 0x34f, 0x34f }, { 0x61c, 0x61c }, { 0x115f, 0x1160 }, { 0x17b4, 0x17b5 }, { 0x180b, 0x180d }, { 0x180f, 0x180f },
    { 0x2028, 0x2029 }, { 0x2800, 0x2800 }, { 0x3164, 0x3164 }, { 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, { 0xe0080, 0xe00ff }, { 0xe01f0, 0xe0fff },
};
static const range k_bidi[] = { { 0x61c, 0x61c }, { 0x200e, 0x200f }, { 0x202a, 0x202e }, { 0x2066, 0x2069 } };

static bool in_ranges(const range *r, size_t n, uint32_t cp)
{
    for (size_t i = 0; i < n; i++)
        if (cp >= r[i].lo && cp <= r[i].hi) return true;
    return false;
}
#define IN(table, cp) in_ranges(table, sizeof table / sizeof *(table), cp)

/* What a character looks like: one of ASCII, or 0. Letters that typefaces draw alike; not the whole Unicode list. */
static char looks_like(uint32_t cp)
{
    static const struct { uint16_t cp; char as; } k[] = {
        { 0x131, 'i' }, { 0x251, 'a' }, { 0x261, 'g' }, { 0x269, 'i' }, { 0x2d0, ':' }, { 0x391, 'A' }, { 0x392, 'B' }, { 0x395, 'E' }, { 0x396, 'Z' },
        { 0x397, 'H' }, { 0x399, 'I' }, { 0x39a, 'K' }, { 0x39c, 'M' }, { 0x39d, 'N' }, { 0x39f, 'O' }, { 0x3a1, 'P' }, { 0x3a4, 'T' }, { 0x3a5, 'Y' },
        { 0x3a7, 'X' }, { 0x3b1, 'a' }, { 0x3b9, 'i' }, { 0x3ba, 'k' }, { 0x3bd, 'v' }, { 0x3bf, 'o' }, { 0x3c1, 'p' }, { 0x3c5, 'u' }, { 0x3f2, 'c' },
        { 0x3f3, 'j' }, { 0x405, 'S' }, { 0x406, 'I' }, { 0x408, 'J' }, { 0x410, 'A' }, { 0x412, 'B' }, { 0x415, 'E' }, { 0x41a, 'K' }, { 0x41c, 'M' },
        { 0x41d, 'H' }, { 0x41e, 'O' }, { 0x420, 'P' }, { 0x421, 'C' }, { 0x422, 'T' }, { 0x423, 'Y' }, { 0x425, 'X' }, { 0x430, 'a' }, { 0x433, 'r' },
        { 0x435, 'e' }, { 0x43a, 'k' }, { 0x43e, 'o' }, { 0x43f, 'n' }, { 0x440, 'p' }, { 0x441, 'c' }, { 0x443, 'y' }, { 0x445, 'x' }, { 0x455, 's' },
        { 0x456, 'i' }, { 0x458, 'j' }, { 0x475, 'v' }, { 0x4ae, 'Y' }, { 0x4bb, 'h' }, { 0x4c0, 'I' }, { 0x4cf, 'l' }, { 0x501, 'd' }, { 0x51b, 'q' },
        { 0x51d, 'w' }, { 0x570, 'h' }, { 0x578, 'n' }, { 0x57d, 'u' }, { 0x581, 'g' }, { 0x585, 'o' }, { 0x5f0, 'l' }, { 0x2010, '-' }, { 0x2011, '-' },
        { 0x2012, '-' }, { 0x2013, '-' }, { 0x2024, '.' }, { 0x2044, '/' }, { 0x2212, '-' }, { 0x2215, '/' }, { 0x2236, ':' }, { 0xa789, ':' }, { 0xa731, 's' },
    };
    size_t lo = 0, hi = sizeof k / sizeof *k;
    if (cp >= 0xff01 && cp <= 0xff5e) return (char)(cp - 0xfee0);
    if (cp >= 0x1d400 && cp <= 0x1d6a3) return (char)((cp - 0x1d400) % 52 < 26 ? 'A' + (cp - 0x1d400) % 26 : 'a' + (cp - 0x1d400) % 26);
    if (cp >= 0x1d7ce && cp <= 0x1d7ff) return (char)('0' + (cp - 0x1d7ce) % 10);
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (k[mid].cp == cp) return k[mid].as;
        if (k[mid].cp < cp) lo = mid + 1;
        else hi = mid;
    }
    return 0;
}

/* A list such as "U+0430 at pos 1, U+0435 at pos 3", four at most. */
typedef struct points {
    char text[160];
    size_t n, len;
} points;
static void points_add(points *p, uint32_t cp, long pos)
{
    if (p->n++ >= 4) return;
    p->len += (size_t)snprintf(p->text + p->len, sizeof p->text - p->len, pos < 0 ? "%sU+%04X" : "%sU+%04X at pos %ld", p->len ? ", " : "", (unsigned)cp, pos);
}

void sy_lint_add(sy_lint *l, const char *rule, const char *severity, uint32_t line, uint32_t col, symbi_str message)
{
    sy_obj o = sy_obj_new(l->a);
    sy_obj_str(&o, "rule", symbi_str_z(rule));
    sy_obj_str(&o, "severity", symbi_str_z(severity));
    sy_obj_int(&o, "line", line);
    sy_obj_int(&o, "col", col);
    if (l->policy.p) sy_obj_str(&o, "policy", sy_arena_dup(l->a, l->policy));
    if (l->source.p) sy_obj_str(&o, "source", sy_arena_dup(l->a, l->source));
    sy_obj_str(&o, "message", sy_arena_dup(l->a, message));
    sy_arr_add(&l->list, sy_obj_value(&o));
}

typedef struct cursor {
    const char *p, *end, *line_start;
    uint32_t line;
} cursor;
/* One character on. A CR that stands alone ends a line as well: readers in text mode see it so. */
static uint32_t step(cursor *c)
{
    uint32_t cp = 0xfffd;
    size_t n = sy_utf8_next(c->p, (size_t)(c->end - c->p), &cp);
    c->p += n ? n : 1;
    if (cp == '\n' || (cp == '\r' && (c->p == c->end || *c->p != '\n'))) {
        c->line++;
        c->line_start = c->p;
    }
    return cp;
}
static uint32_t column(const cursor *c, const char *p) { return (uint32_t)(p - c->line_start) + 1; }

static symbi_str joined(sy_arena *a, symbi_str x, const char *y, const char *z, const char *w)
{
    size_t ny = strlen(y), nz = strlen(z), nw = strlen(w);
    char *p = sy_arena_alloc(a, x.n + ny + nz + nw);
    symbi_str s = { p, p ? x.n + ny + nz + nw : 0 };
    if (!p) return s;
    memcpy(p, x.p, x.n);
    memcpy(p + x.n, y, ny);
    memcpy(p + x.n + ny, z, nz);
    memcpy(p + x.n + ny + nz, w, nw);
    return s;
}

/* Rule 1: (Action|Agent|Principal|Resource)::"..." with an id that is not ASCII. */
static void lint_ids(sy_lint *l, symbi_str text)
{
    static const char *const types[] = { "Action::\"", "Agent::\"", "Principal::\"", "Resource::\"" };
    cursor c = { text.p, text.p + text.n, text.p, 1 };
    while (c.p < c.end) {
        size_t left = (size_t)(c.end - c.p), n = 0;
        const char *close;
        for (size_t i = 0; i < 4 && !n; i++)
            if (left > strlen(types[i]) && !memcmp(c.p, types[i], strlen(types[i]))) n = strlen(types[i]);
        close = n ? memchr(c.p + n, '"', left - n) : NULL;
        if (close && close > c.p + n) {
            const char *start = c.p, *id = c.p + n;
            uint32_t line = c.line, col = column(&c, start);
            points pts = { "", 0, 0 };
            long pos = 0;
            while (c.p < id) step(&c);
            for (; c.p < close; pos++) {
                uint32_t cp = step(&c);
                if (cp >= 0x80) points_add(&pts, cp, pos);
            }
            step(&c);
            if (pts.n) {
                symbi_str literal = { start, (size_t)(close + 1 - start) };
                sy_lint_add(l, "non_ascii_id", "error", line, col, joined(l->a, literal, " contains non-ASCII code points (", pts.text, ") \xe2\x80\x94 homoglyph risk; rewrite with ASCII."));
            }
            continue;
        }
        step(&c);
    }
}

/* One finding per line that holds characters of a table. */
static void lint_lines(sy_lint *l, symbi_str text, const range *r, size_t n, const range *but, size_t nbut, const char *rule, const char *before, const char *after)
{
    cursor c = { text.p, text.p + text.n, text.p, 1 };
    points pts = { "", 0, 0 };
    uint32_t line = 1, col = 1;
    for (;;) {
        bool more = c.p < c.end;
        uint32_t at = c.line, here = column(&c, c.p), cp = more ? step(&c) : 0;
        if (pts.n && (!more || at != line)) {
            symbi_str b = symbi_str_z(before);
            sy_lint_add(l, rule, "error", line, col, joined(l->a, b, pts.text, after, ""));
            memset(&pts, 0, sizeof pts);
        }
        if (!more) return;
        if (!in_ranges(r, n, cp) || in_ranges(but, nbut, cp)) continue;
        if (!pts.n) line = at, col = here;
        points_add(&pts, cp, -1);
    }
}

/* The character that an escape at p stands for, and its length; 0 when it is none. */
static size_t escape(const char *p, const char *end, uint32_t *cp)
{
    uint32_t v = 0;
    size_t i = 3;
    if (end - p < 2 || *p != '\\') return 0;
    *cp = p[1] == 'n' ? '\n' : p[1] == 'r' ? '\r' : p[1] == 't' ? '\t' : p[1] == '0' ? 0 : (uint32_t)(uint8_t)p[1];
    if (p[1] == 'x' && end - p >= 4) i = 2;
    else if (p[1] != 'u' || end - p < 5 || p[2] != '{') return 2;
    for (size_t k = 0; i < (size_t)(end - p) && k < 6; i++, k++) {
        char d = p[i];
        uint32_t h = d >= '0' && d <= '9' ? (uint32_t)(d - '0') : (d | 32) >= 'a' && (d | 32) <= 'f' ? (uint32_t)((d | 32) - 'a' + 10) : 16;
        if (h == 16 || (p[1] == 'x' && k == 2)) break;
        v = v << 4 | h;
    }
    *cp = v;
    return p[1] == 'u' && i < (size_t)(end - p) && p[i] == '}' ? i + 1 : i;
}

/* A string literal whose content looks like plain ASCII and is not, or that hides characters behind escapes. */
static void lint_literal(sy_lint *l, const char *p, const char *end, uint32_t line, uint32_t col)
{
    char like[80];
    size_t n = 0;
    points strange = { "", 0, 0 }, hidden = { "", 0, 0 };
    bool all = true;
    char msg[400];
    for (long pos = 0; p < end; pos++) {
        uint32_t cp = 0;
        size_t e = escape(p, end, &cp);
        char as;
        if (e && (IN(k_invisible, cp) || IN(k_hidden, cp)) && cp != 0) points_add(&hidden, cp, pos);
        if (!e) e = sy_utf8_next(p, (size_t)(end - p), &cp);
        p += e ? e : 1;
        as = cp < 0x80 ? (char)cp : looks_like(cp);
        if (cp >= 0x80 && as) points_add(&strange, cp, pos);
        if (!as || (uint8_t)as < 32) all = false;
        else if (n < sizeof like - 1) like[n++] = as;
    }
    like[n] = 0;
    if (strange.n && all) {
        snprintf(msg, sizeof msg, "the string looks like \"%s\" but is not (%s); write it in ASCII", like, strange.text);
        sy_lint_add(l, "confusable", "error", line, col, symbi_str_z(msg));
    }
    if (hidden.n) {
        snprintf(msg, sizeof msg, "the string hides characters behind escapes (%s)", hidden.text);
        sy_lint_add(l, "hidden_escape", "error", line, col, symbi_str_z(msg));
    }
}

static void lint_literals(sy_lint *l, symbi_str text)
{
    cursor c = { text.p, text.p + text.n, text.p, 1 };
    while (c.p < c.end) {
        if (*c.p == '/' && c.end - c.p > 1 && c.p[1] == '/') {
            uint32_t line = c.line;
            while (c.p < c.end && c.line == line) step(&c);
        } else if (*c.p == '"') {
            uint32_t line = c.line, col = column(&c, c.p);
            const char *start;
            step(&c);
            start = c.p;
            while (c.p < c.end && *c.p != '"') {
                if (*c.p == '\\') step(&c);
                if (c.p < c.end) step(&c);
            }
            lint_literal(l, start, c.p, line, col);
            if (c.p < c.end) step(&c);
        } else {
            step(&c);
        }
    }
}

symbi_status symbi_policy_lint_text(symbi_ctx *cx, symbi_str text, unsigned flags, symbi_doc **out, symbi_err *err)
{
    symbi_doc *d;
    sy_lint l;
    size_t bad;
    *out = NULL;
    d = sy_doc_new(cx);
    if (!d) return sy_fail_nomem(err);
    memset(&l, 0, sizeof l);
    l.a = &d->arena;
    l.list = sy_arr_new(l.a);
    if (!text.n) text.p = "";
    if (!sy_utf8_valid(text, &bad)) {
        cursor c = { text.p, text.p + bad, text.p, 1 };
        while (c.p < c.end) step(&c);
        sy_lint_add(&l, "undecodable", "error", c.line, column(&c, c.p), symbi_str_z("failed to read (not UTF-8)"));
    } else {
        lint_ids(&l, text);
        lint_lines(&l, text, k_invisible, sizeof k_invisible / sizeof *k_invisible, NULL, 0, "invisible", "invisible control char(s) (", ") \xe2\x80\x94 strip before committing.");
        if (!(flags & SYMBI_LINT_UPSTREAM)) {
            lint_lines(&l, text, k_bidi, sizeof k_bidi / sizeof *k_bidi, NULL, 0, "bidi", "characters that turn the direction of text (", "): what is shown is not what is parsed");
            lint_lines(&l, text, k_hidden, sizeof k_hidden / sizeof *k_hidden, k_bidi, sizeof k_bidi / sizeof *k_bidi, "hidden", "characters that do not show (", ")");
            lint_literals(&l, text);
        }
    }
    d->root = sy_arr_value(&l.list);
    if (l.a->status) {
        symbi_status st = sy_arena_fail(l.a, "the findings", err);
        symbi_doc_unref(d);
        return st;
    }
    *out = d;
    return SYMBI_OK;
}
