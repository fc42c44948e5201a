/* toolclad/session_targets.c: extract_target (spec toolclad.md 13.3): whatever in a command looks like an address, a range, a URL or a host
 * name must be in scope. A word too many that is taken for a target is a refusal; one too few would be a hole, so what could be read as an
 * address counts as one (file names with a dot, too: the author asks for this where targets are named). */
#include "base/err.h"
#include "base/str.h"
#include "symbi/scope.h"
#include "toolclad/session.h"

static bool digit(char c) { return c >= '0' && c <= '9'; }
static bool hex(char c) { return digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }

/* Bytes of a word; everything else ends one. Not-ASCII is part of it: a name in another script is a name. */
static bool inside(char c) { return digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (unsigned char)c >= 0x80 || memchr("._:/-[]@*%?#+~\\", c, 15); }

static bool all(symbi_str s, bool (*f)(char))
{
    for (size_t i = 0; i < s.n; i++)
        if (!f(s.p[i])) return false;
    return s.n > 0;
}

static bool six(char c) { return hex(c) || c == ':' || c == '.'; }

/* A number that programs take for an IPv4 address: 0x7f000001, 2130706433, 017700000001. */
static bool number_form(symbi_str s)
{
    if (s.n > 2 && s.p[0] == '0' && (s.p[1] | 0x20) == 'x') return s.n >= 9 && all((symbi_str){ s.p + 2, s.n - 2 }, hex);
    return s.n >= 8 && (s.n <= 12 || s.p[0] == '0') && all(s, digit); /* before an octal number any count of zeros may stand */
}

static bool is_localhost(symbi_str s)
{
    if (s.n != 9) return false;
    for (size_t i = 0; i < 9; i++)
        if ((s.p[i] | 0x20) != "localhost"[i]) return false;
    return true;
}

/* One word without '@'. */
static symbi_status check_part(const symbi_scope *s, symbi_str w, symbi_err *err)
{
    const char *slash;
    size_t colons = 0, last = 0, k;
    symbi_str rest;
    while (w.n && memchr(".:/-*?#+~%", w.p[w.n - 1], 10) && w.n > 1) w.n--; /* a mark after a word; "::" alone stays an address below */
    if (w.n > 1 && w.p[0] == '[') { /* [2001:db8::1]:80 */
        const char *close = memchr(w.p, ']', w.n);
        w.p++;
        w.n = close ? (size_t)(close - w.p) : w.n - 1;
    }
    slash = w.n ? memchr(w.p, '/', w.n) : NULL;
    if (slash) {
        rest = (symbi_str){ slash + 1, w.n - (size_t)(slash + 1 - w.p) };
        if (!all(rest, digit)) w.n = (size_t)(slash - w.p); /* not a range: host/path */
    }
    for (size_t i = 0; i < w.n; i++)
        if (w.p[i] == ':') colons++, last = i;
    if (colons >= 2) return all((symbi_str){ w.p, slash && all(rest, digit) ? (size_t)(slash - w.p) : w.n }, six) ? symbi_scope_check(s, w, err) : SYMBI_OK;
    if (colons == 1) {
        for (k = last + 1; k < w.n && digit(w.p[k]); k++) continue;
        if (k == w.n) w.n = last;
    }
    if (!w.n) return SYMBI_OK;
    if (memchr(w.p, '.', w.n) || number_form(w) || is_localhost(w)) return symbi_scope_check(s, w, err);
    return SYMBI_OK;
}

static symbi_status check_word(const symbi_scope *s, symbi_str w, symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    for (size_t i = 0; i + 2 < w.n; i++)
        if (!memcmp(w.p + i, "://", 3)) return symbi_scope_check_url(s, w, err);
    if (w.n > 2 && w.p[0] == '/' && w.p[1] == '/') w.p += 2, w.n -= 2;
    while (w.n && !st) { /* user@host */
        const char *at = memchr(w.p, '@', w.n);
        size_t n = at ? (size_t)(at - w.p) : w.n;
        if (n) st = check_part(s, (symbi_str){ w.p, n }, err);
        if (!at) break;
        w.p += n + 1;
        w.n -= n + 1;
    }
    return st;
}

bool sy_session_has_targets(const sy_arg *a)
{
    const sy_session_text *x = a->more;
    return x && sy_str_eqz(a->type_name, "session_command") && x->extract_target;
}

symbi_status sy_session_check_targets(symbi_str text, const symbi_scope *s, symbi_err *err)
{
    for (size_t i = 0; i < text.n;) {
        size_t from = i;
        symbi_status st;
        while (i < text.n && inside(text.p[i])) i++;
        if (i > from && (st = check_word(s, (symbi_str){ text.p + from, i - from }, err))) return st;
        while (i < text.n && !inside(text.p[i])) i++;
    }
    return SYMBI_OK;
}
