/* schemapin/skillname.c: the name of a skill, from the front matter of its SKILL.md, as SchemaPin's Python and JavaScript find it
 * with two regular expressions:
 *     ^---\s*\n(.*?)\n---                                 (dot matches newlines; at the very beginning of the text)
 *     ^name:\s*['"]?([^'"#\n]+?)['"]?\s*$                 (at any line of what the first one found)
 * No YAML: whoever signs and whoever verifies must arrive at the same name. Here the two are written out by hand, so that hostile
 * text costs linear time. Line ends CR and CRLF count as LF, as Python reads text. */
#include "base/str.h"
#include "base/utf8.h"
#include "symbi/schemapin_skill.h"

/* A byte of the text, CR as LF. CRLF gives two LF, which changes no verdict: \s takes any number of them. */
static char at(symbi_str s, size_t i)
{
    return s.p[i] == '\r' ? '\n' : s.p[i];
}

/* Length of the white space character at i (\s, as far as Python and JavaScript agree), or 0. */
static size_t space(symbi_str s, size_t i)
{
    uint32_t cp;
    size_t n;
    if (i >= s.n) return 0;
    if (s.p[i] == ' ' || (s.p[i] >= '\t' && s.p[i] <= '\r')) return 1;
    if (!(s.p[i] & 0x80)) return 0;
    n = sy_utf8_next(s.p + i, s.n - i, &cp);
    if (cp == 0xa0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 || cp == 0x202f || cp == 0x205f || cp == 0x3000) return n;
    return 0;
}

/* The first "\n---" at or after i; s.n when there is none. */
static size_t closing(symbi_str s, size_t i)
{
    for (; i + 4 <= s.n; i++)
        if (at(s, i) == '\n' && !memcmp(s.p + i + 1, "---", 3)) return i;
    return s.n;
}

static bool front_matter(symbi_str s, symbi_str *out)
{
    size_t end = 3, n, last;
    if (!sy_str_starts(s, SY_LIT("---"))) return false;
    while ((n = space(s, end))) end += n;
    last = closing(s, 3); /* the same for every choice of the newline before it, but the last few */
    if (last == s.n) return false;
    for (size_t i = end; i-- > 3;) {
        size_t c;
        if (at(s, i) != '\n') continue;
        c = last > i ? last : closing(s, i + 1);
        if (c == s.n) continue;
        *out = (symbi_str){ s.p + i + 1, c - i - 1 };
        return true;
    }
    return false;
}

static bool quote(char c) { return c == '\'' || c == '"'; }

static bool allowed(symbi_str s, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (quote(s.p[i]) || s.p[i] == '#' || at(s, i) == '\n') return false;
    return true;
}

/* Matches ([^'"#\n]+?)['"]?\s*$ at r: the group's end, or 0. */
static size_t group(symbi_str s, size_t r)
{
    size_t line = r, c = r, e, n;
    while (line < s.n && at(s, line) != '\n') line++;
    for (size_t i = r; i < line; i += n ? n : 1) { /* c: after the last character that is no white space */
        n = space(s, i);
        if (!n) c = i + 1;
    }
    if (c > r + 1 && quote(s.p[c - 1])) e = c - 1;
    else e = c > r + 1 ? c : r + 1;
    if (e > line) return 0;
    while (e < line && (s.p[e] & 0xc0) == 0x80) e++; /* never half a character */
    return allowed(s, r, e) ? e : 0;
}

static symbi_str strip(symbi_str s)
{
    size_t n, end = 0;
    while ((n = space(s, 0))) s.p += n, s.n -= n;
    for (size_t i = 0; i < s.n; i += n ? n : 1) {
        n = space(s, i);
        if (!n) end = i + 1;
    }
    s.n = end;
    return s;
}

static bool name_line(symbi_str s, symbi_str *out)
{
    for (size_t i = 0; i + 5 <= s.n; i++) {
        size_t from = i + 5, end = from, n, tries = 0;
        if (i && at(s, i - 1) != '\n') continue;
        if (memcmp(s.p + i, "name:", 5)) continue;
        while ((n = space(s, end))) end += n;
        for (size_t q = end; tries < 64; tries++) { /* \s* gives back one character at a time */
            for (int took = 1; took >= 0; took--) {
                size_t r = q + (size_t)took, e;
                if (took && (q >= s.n || !quote(s.p[q]))) continue;
                if (r >= s.n || !(e = group(s, r))) continue;
                *out = strip((symbi_str){ s.p + r, e - r });
                return true;
            }
            if (q == from) break;
            do q--;
            while (q > from && (s.p[q] & 0xc0) == 0x80);
        }
    }
    return false;
}

symbi_str symbi_schemapin_skill_name(symbi_str skill_md, symbi_str dir_name, char buf[SYMBI_SCHEMAPIN_MAX_NAME])
{
    symbi_str front, name;
    if (!skill_md.p || !front_matter(skill_md, &front) || !name_line(front, &name) || !name.n || name.n > SYMBI_SCHEMAPIN_MAX_NAME) return dir_name;
    if (!sy_utf8_valid(name, NULL)) return dir_name;
    memcpy(buf, name.p, name.n);
    return (symbi_str){ buf, name.n };
}
