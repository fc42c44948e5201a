/* skills/view.c: lines rewritten so that a trick of writing does not hide a command. A view never decides anything: the rules run
 * over the text as it stands and over every view that differs from it. */
#include "skills/view.h"
#include "base/utf8.h"
#include "symbi/unicode.h"
#include <string.h>

const char *const sy_how_names[SY_HOW_COUNT] = { "", "normalised", "joined", "unquoted", "base64", "hex", "codes", "utf-16" };

/* ---- characters that look like ASCII ---- */

typedef struct look { uint32_t cp; char as; } look;
/* After NFKC and case folding; ascending. */
static const look looks[] = { { 0xb4, '\'' }, { 0x131, 'i' }, { 0x1c0, '|' }, { 0x251, 'a' }, { 0x261, 'g' }, { 0x26a, 'i' }, { 0x28f, 'y' }, { 0x2bc, '\'' }, { 0x3b1, 'a' }, { 0x3b9, 'i' }, { 0x3ba, 'k' },
    { 0x3bd, 'v' }, { 0x3bf, 'o' }, { 0x3c1, 'p' }, { 0x3c4, 't' }, { 0x3c5, 'u' }, { 0x3c7, 'x' }, { 0x3f2, 'c' }, { 0x3f3, 'j' }, { 0x430, 'a' }, { 0x432, 'b' }, { 0x433, 'r' }, { 0x435, 'e' }, { 0x43a, 'k' },
    { 0x43c, 'm' }, { 0x43d, 'h' }, { 0x43e, 'o' }, { 0x440, 'p' }, { 0x441, 'c' }, { 0x442, 't' }, { 0x443, 'y' }, { 0x445, 'x' }, { 0x455, 's' }, { 0x456, 'i' }, { 0x458, 'j' }, { 0x475, 'v' }, { 0x4bb, 'h' },
    { 0x4cf, 'l' }, { 0x501, 'd' }, { 0x51b, 'q' }, { 0x51d, 'w' }, { 0x561, 'w' }, { 0x570, 'h' }, { 0x578, 'n' }, { 0x57d, 'u' }, { 0x581, 'g' }, { 0x585, 'o' }, { 0x5d5, 'l' }, { 0x1d04, 'c' }, { 0x1d0f, 'o' },
    { 0x1d1c, 'u' }, { 0x1d20, 'v' }, { 0x1d21, 'w' }, { 0x1d22, 'z' }, { 0x2010, '-' }, { 0x2011, '-' }, { 0x2012, '-' }, { 0x2013, '-' }, { 0x2014, '-' }, { 0x2015, '-' }, { 0x2018, '\'' }, { 0x2019, '\'' },
    { 0x201a, '\'' }, { 0x201c, '"' }, { 0x201d, '"' }, { 0x201e, '"' }, { 0x2028, ' ' }, { 0x2029, ' ' }, { 0x2032, '\'' }, { 0x2033, '"' }, { 0x2044, '/' }, { 0x2212, '-' }, { 0x2215, '/' }, { 0x2216, '\\' },
    { 0x2223, '|' }, { 0x223c, '~' }, { 0x2236, ':' }, { 0x2500, '-' }, { 0x2502, '|' }, { 0x29f8, '/' }, { 0xa4ec, 'c' } };

static char looks_like(uint32_t cp)
{
    size_t lo = 0, hi = sizeof looks / sizeof *looks;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (looks[mid].cp < cp) lo = mid + 1;
        else hi = mid;
    }
    return lo < sizeof looks / sizeof *looks && looks[lo].cp == cp ? looks[lo].as : '\0';
}

/* Marks on top of the character before, tags, joiners: a reader sees through them. */
static bool unseen(uint32_t c)
{
    return (c >= 0x300 && c <= 0x36f) || (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || (c >= 0x20d0 && c <= 0x20ff) || (c >= 0xfe00 && c <= 0xfe0f) ||
           c == 0xfeff || c == 0xad || c == 0x34f || c == 0x61c || c == 0x115f || c == 0x1160 || c == 0x17b4 || c == 0x17b5 || (c >= 0x180b && c <= 0x180e) || c == 0x3164 || c == 0xffa0 ||
           (c >= 0x1d173 && c <= 0x1d17a) || (c >= 0xe0000 && c <= 0xe01ef);
}

symbi_status sy_view_normal(symbi_ctx *cx, symbi_str text, sy_buf *out, symbi_err *err)
{
    symbi_nfkc_text n = { 0 };
    symbi_status st = symbi_nfkc(cx, text, SYMBI_NFKC_CASEFOLD | SYMBI_NFKC_STRIP | SYMBI_NFKC_LOSSY, &n, err);
    char *to;
    size_t k = 0;
    if (st) return st;
    sy_buf_clear(out);
    /* never longer than the normalised text */
    if ((to = sy_buf_reserve(out, n.text.n + 1)) != NULL) {
        for (size_t i = 0; i < n.text.n;) {
            uint32_t cp;
            size_t len;
            char as;
            if ((unsigned char)n.text.p[i] < 0x80) {
                to[k++] = n.text.p[i++];
                continue;
            }
            len = sy_utf8_next(n.text.p + i, n.text.n - i, &cp);
            if (!len) len = 1, cp = 0xfffd;
            as = looks_like(cp);
            if (as) to[k++] = as;
            else if (!unseen(cp)) memcpy(to + k, n.text.p + i, len), k += len;
            i += len;
        }
        sy_buf_commit(out, k);
    }
    symbi_nfkc_free(&n);
    return sy_buf_status(out);
}

/* ---- shells and scripts ---- */

static bool word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }
static int hex(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

static bool starts(symbi_str s, size_t i, const char *what)
{
    size_t n = strlen(what);
    return s.n - i >= n && !memcmp(s.p + i, what, n);
}

/* What stands for white space or for nothing in a shell: its length, and ' ' or '\0' in *as. */
static size_t expansion(symbi_str s, size_t i, char *as)
{
    static const struct { const char *text; char as; } t[] = { { "${IFS}", ' ' }, { "${IFS%??}", ' ' }, { "$IFS$9", ' ' }, { "$IFS", ' ' }, { "${ifs}", ' ' }, { "$ifs", ' ' }, { "$@", 0 }, { "$*", 0 }, { "${@}", 0 },
        { "${*}", 0 }, { "$9", 0 }, { "$()", 0 }, { "${x}", 0 } };
    for (size_t k = 0; k < sizeof t / sizeof *t; k++)
        if (starts(s, i, t[k].text)) {
            *as = t[k].as;
            return strlen(t[k].text);
        }
    return 0;
}

/* A printable character written as an escape at i (after the backslash): its length. */
static size_t escape(symbi_str s, size_t i, char *as)
{
    size_t n = s.n - i;
    const char *p = s.p + i;
    int v = -1;
    size_t len = 0;
    if (n >= 3 && p[0] == 'x' && hex(p[1]) >= 0 && hex(p[2]) >= 0) v = hex(p[1]) * 16 + hex(p[2]), len = 3;
    else if (n >= 5 && p[0] == 'u' && p[1] == '0' && p[2] == '0' && hex(p[3]) >= 0 && hex(p[4]) >= 0) v = hex(p[3]) * 16 + hex(p[4]), len = 5;
    else if (n >= 3 && p[0] >= '0' && p[0] <= '1' && p[1] >= '0' && p[1] <= '7' && p[2] >= '0' && p[2] <= '7') v = (p[0] - '0') * 64 + (p[1] - '0') * 8 + (p[2] - '0'), len = 3;
    if (v < 0x20 || v > 0x7e) return 0;
    *as = (char)v;
    return len;
}

static size_t entity(symbi_str s, size_t i, char *as)
{
    static const struct { const char *text; char as; } t[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' }, { "&#39;", '\'' }, { "&vert;", '|' }, { "&sol;", '/' }, { "&nbsp;", ' ' } };
    size_t k, v = 0;
    bool x;
    for (k = 0; k < sizeof t / sizeof *t; k++)
        if (starts(s, i, t[k].text)) {
            *as = t[k].as;
            return strlen(t[k].text);
        }
    if (!starts(s, i, "&#")) return 0;
    k = i + 2;
    x = k < s.n && (s.p[k] | 32) == 'x';
    if (x) k++;
    for (size_t from = k; k < s.n && k < from + 4 && (x ? hex(s.p[k]) >= 0 : s.p[k] >= '0' && s.p[k] <= '9'); k++) v = v * (x ? 16 : 10) + (size_t)hex(s.p[k]);
    if (k >= s.n || s.p[k] != ';' || v < 0x20 || v > 0x7e) return 0;
    *as = (char)v;
    return k + 1 - i;
}

/* "…" + "…" and '…' . '…': the length from one quote to the other. */
static size_t splice(symbi_str s, size_t i)
{
    size_t k = i + 1;
    if (s.p[i] != '"' && s.p[i] != '\'' && s.p[i] != '`') return 0;
    while (k < s.n && s.p[k] == ' ') k++;
    if (k >= s.n || (s.p[k] != '+' && s.p[k] != '.')) return 0;
    for (k++; k < s.n && s.p[k] == ' ';) k++;
    return k < s.n && (s.p[k] == '"' || s.p[k] == '\'' || s.p[k] == '`') ? k + 1 - i : 0;
}

/* "…", "…" and "…", ["…" and "…", "args": ["…": the length from one quote to the other. */
static size_t comma(symbi_str s, size_t i)
{
    size_t k = i + 1;
    if (s.p[i] != '"' && s.p[i] != '\'') return 0;
    while (k < s.n && s.p[k] == ' ') k++;
    if (k >= s.n || s.p[k] != ',') return 0;
    for (k++; k < s.n && (s.p[k] == ' ' || s.p[k] == '[');) k++;
    if (starts(s, k, "\"args\""))
        for (k += 6; k < s.n && (s.p[k] == ' ' || s.p[k] == ':' || s.p[k] == '[');) k++;
    return k < s.n && s.p[k] == s.p[i] ? k + 1 - i : 0;
}

static bool stands_in(symbi_str s, const char *what)
{
    size_t n = strlen(what);
    for (const char *p = s.p, *e = s.p + s.n; (size_t)(e - p) >= n && (p = memchr(p, what[0], (size_t)(e - p) - n + 1)) != NULL; p++)
        if (!memcmp(p, what, n)) return true;
    return false;
}

static bool calls(symbi_str s)
{
    static const char *const names[] = { "([", "spawn", "xec", "ommand", "args", "Builder", "CMD", "ENTRYPOINT", "popen" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (stands_in(s, names[i])) return true;
    return false;
}

bool sy_view_argv(symbi_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] == '"' || s.p[i] == '\'') && comma(s, i)) return calls(s);
    return false;
}

/* don't, it's, you'll: no quote */
static bool contraction(symbi_str s, size_t i)
{
    static const char *const tails[] = { "t", "s", "d", "m", "re", "ve", "ll" };
    if (!i || !word(s.p[i - 1])) return false;
    for (size_t k = 0; k < sizeof tails / sizeof *tails; k++) {
        size_t n = strlen(tails[k]);
        if (starts(s, i + 1, tails[k]) && (i + 1 + n == s.n || (!word(s.p[i + 1 + n]) && s.p[i + 1 + n] != '\''))) return true;
    }
    return false;
}

/* Bytes that something is done about. */
static const bool trick[256] = { [0] = true, [1] = true, [2] = true, [3] = true, [4] = true, [5] = true, [6] = true, [7] = true, [8] = true, [10] = true, [11] = true, [12] = true, [13] = true, [14] = true,
    [15] = true, [16] = true, [17] = true, [18] = true, [19] = true, [20] = true, [21] = true, [22] = true, [23] = true, [24] = true, [25] = true, [26] = true, [27] = true, [28] = true, [29] = true,
    [30] = true, [31] = true, ['"'] = true, ['\''] = true, ['`'] = true, ['\\'] = true, ['$'] = true, ['%'] = true, ['&'] = true, ['{'] = true };

bool sy_view_unquote(symbi_str s, sy_buf *out)
{
    size_t from = out->n, k = 0;
    char *to = sy_buf_reserve(out, s.n + 1);
    bool telling = false;
    int argv = -1; /* not known yet */
    if (!to) return false;
    for (size_t i = 0; i < s.n;) {
        char c, as = 0;
        size_t n = 0, run = i;
        while (run < s.n && !trick[(unsigned char)s.p[run]]) run++;
        if (run > i) {
            memcpy(to + k, s.p + i, run - i);
            k += run - i;
            i = run;
            if (i == s.n) break;
        }
        c = s.p[i];
        if (c == '$') {
            if (i + 1 < s.n && (s.p[i + 1] == '\'' || s.p[i + 1] == '"')) n = 1; /* $'…' */
            else n = expansion(s, i, &as);
        } else if (c == '\\') {
            n = escape(s, i + 1, &as);
            if (n) n++;
            else if (i + 1 < s.n && s.p[i + 1] != '\\') n = 1; /* the next character, as it is */
            else if (i + 1 < s.n) n = 2, as = '\\';
        } else if (c == '"' || c == '\'' || c == '`') {
            n = splice(s, i);
            if (!n && argv && (n = comma(s, i)) > 0) {
                if (argv < 0) argv = calls(s);
                if (argv) as = ' ', telling = true;
                else n = 0;
            }
            if (!n && argv > 0 && c != '`' && i + 1 < s.n && s.p[i + 1] == ']') n = 1, as = ' ';
            if (!n && c != '`' && !(c == '\'' && contraction(s, i))) n = 1;
            if (!n && c == '`' && i && i + 1 < s.n && word(s.p[i - 1]) && word(s.p[i + 1])) n = 1;
        } else if (c == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0) {
            int v = hex(s.p[i + 1]) * 16 + hex(s.p[i + 2]);
            if (v >= 0x20 && v <= 0x7e) n = 3, as = (char)v;
        } else if (c == '&') {
            n = entity(s, i, &as);
        } else if (c == '{' && i + 1 < s.n && (word(s.p[i + 1]) || s.p[i + 1] == '/')) { /* {curl,-s,url}: a brace expansion of words */
            size_t e = i + 1;
            while (e < s.n && s.p[e] != '}' && s.p[e] != '{' && s.p[e] != ' ') e++;
            if (e < s.n && s.p[e] == '}' && memchr(s.p + i, ',', e - i)) {
                telling = true;
                for (to[k++] = ' ', i++; i < e; i++) to[k++] = s.p[i] == ',' ? ' ' : s.p[i];
                i++;
                continue;
            }
        } else if ((unsigned char)c < 0x20 && c != '\t') {
            n = 1, as = c == '\0' ? '\0' : ' ';
        }
        if (!n) {
            to[k++] = c;
            i++;
            continue;
        }
        /* quotes around words say nothing; inside of one, or what stands for something else, they do */
        telling = telling || n > 1 || as || c == '$' || c == '{' || c == '%' || c == '&' || (k && word(to[k - 1]) && i + 1 < s.n && (word(s.p[i + 1]) || (c != '\\' && s.p[i + 1] == c)));
        if (as) to[k++] = as;
        i += n;
    }
    if (!telling) return false;
    sy_buf_commit(out, k);
    return out->n > from;
}

/* ---- joining ---- */

bool sy_view_continues(symbi_str a, symbi_str b)
{
    size_t n = a.n, i = 0, slashes = 0;
    while (n && (a.p[n - 1] == ' ' || a.p[n - 1] == '\t' || a.p[n - 1] == '\r')) n--;
    while (i < b.n && (b.p[i] == ' ' || b.p[i] == '\t' || b.p[i] == '>')) i++;
    while (slashes < n && a.p[n - 1 - slashes] == '\\') slashes++;
    if (slashes & 1) return true;
    if (!n) return false;
    if (a.p[n - 1] == '|') return n > 1 && a.p[0] != '|'; /* not a row of a table */
    if (n > 1 && a.p[n - 1] == '&' && a.p[n - 2] == '&') return true;
    if (a.p[n - 1] == '(' || a.p[n - 1] == '`' || a.p[n - 1] == '^') return true; /* an open call; PowerShell and cmd continue so */
    if (i >= b.n) return false;
    if (b.p[i] == '|' && a.p[0] != '|') return i + 1 < b.n && (b.p[i + 1] == ' ' || word(b.p[i + 1]) || b.p[i + 1] == '&');
    return starts(b, i, "&&") || starts(b, i, ".then") || starts(b, i, ".exec") || starts(b, i, ".pipe");
}
