/* dsl/lex.c: tokens of `.symbi` text, one at a time, longest match. White space is ASCII only. Comments are recorded as they are
 * passed; characters that begin no token are reported and then read as what was probably meant, so that reading can go on. */
#include "base/alloc.h"
#include "base/chars.h"
#include "base/str.h"
#include "base/utf8.h"
#include "dsl/dsl.h"

#include <string.h>

static bool is_name(unsigned char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static bool is_space(unsigned char c) { return c == ' ' || (c >= 9 && c <= 13); }

static uint32_t line_end(const sy_parser *p, uint32_t i)
{
    const char *q = memchr(p->s + i, '\n', p->n - i);
    return q ? (uint32_t)(q - p->s) : p->n;
}

static void record_comment(sy_parser *p, uint32_t start, uint32_t end)
{
    symbi_dsl *d = p->d;
    if (sy_grow(&d->alloc, (void **)&d->comments, &d->comments_cap, d->ncomments + 1, sizeof *d->comments)) {
        sy_dsl_stop(p, SYMBI_ENOMEM, start, "out of memory");
        return;
    }
    d->comments[d->ncomments++] = (sy_span){ start, end };
}

/* White space, comments and what the grammar calls neither: the offset of the next token. */
static uint32_t skip(sy_parser *p, uint32_t i, bool report)
{
    for (;;) {
        uint32_t end;
        while (i < p->n && is_space((unsigned char)p->s[i])) i++;
        if (i >= p->n) return p->n;
        if (p->s[i] == '#' || (p->s[i] == '/' && i + 1 < p->n && p->s[i + 1] == '/')) {
            end = line_end(p, i);
            if (report && i >= p->seen) record_comment(p, i, end);
        } else if (p->s[i] == '/' && i + 1 < p->n && p->s[i + 1] == '*') {
            end = i + 2;
            while (end + 1 < p->n && !(p->s[end] == '*' && p->s[end + 1] == '/')) end++;
            end = end + 1 < p->n ? end + 2 : p->n;
            if (report && i >= p->seen) {
                sy_token t = { SY_T_OTHER, i, end };
                sy_dsl_error_here(p, t, "a token or a comment", "comments are // or # to the end of the line; there is no /* */");
            }
        } else {
            return i;
        }
        if (report && end > p->seen) p->seen = end;
        i = end;
    }
}

static uint32_t number_end(const sy_parser *p, uint32_t i, uint8_t *kind)
{
    static const char *const units[] = { ".seconds", ".minutes", ".hours", "months", "s", "m", "h", "d", "w", "y" };
    uint32_t j = i, k, end;
    while (j < p->n && sy_is_digit((unsigned char)p->s[j])) j++;
    for (size_t u = 0; u < sizeof units / sizeof units[0]; u++) {
        size_t n = strlen(units[u]);
        if (p->n - j >= n && !memcmp(p->s + j, units[u], n)) {
            *kind = SY_T_DURATION;
            return j + (uint32_t)n;
        }
    }
    *kind = SY_T_NUMBER;
    end = j;
    while (end + 1 < p->n && p->s[end] == '_' && sy_is_digit((unsigned char)p->s[end + 1]))
        for (end++; end < p->n && sy_is_digit((unsigned char)p->s[end]);) end++;
    k = end + 1;
    if (end < p->n && p->s[end] == '.' && k < p->n && sy_is_digit((unsigned char)p->s[k])) {
        while (k < p->n && sy_is_digit((unsigned char)p->s[k])) k++;
        end = k;
    }
    return end;
}

/* End of the string that starts at i, or 0 with *end set to where it stops making sense. */
static bool string_end(const sy_parser *p, uint32_t i, uint32_t *end)
{
    for (uint32_t j = i + 1; j < p->n; j++) {
        if (p->s[j] == '"') {
            *end = j + 1;
            return true;
        }
        if (p->s[j] == '\\') {
            if (j + 1 >= p->n || p->s[j + 1] == '\n') break;
            j++;
        }
    }
    *end = line_end(p, i);
    return false;
}

static const struct {
    char text[3];
    uint8_t kind;
} k_pairs[] = { { "->", SY_T_ARROW }, { "=>", SY_T_FAT },     { "==", SY_T_EQ },      { "!=", SY_T_NE },      { "<=", SY_T_LE },      { ">=", SY_T_GE },     { "&&", SY_T_AND },
                { "||", SY_T_OR },    { "+=", SY_T_ADD_SET }, { "-=", SY_T_SUB_SET }, { "*=", SY_T_MUL_SET }, { "/=", SY_T_DIV_SET }, { "%=", SY_T_MOD_SET } };

/* A run of what no token begins with, read as a name where it holds letters. */
static sy_token strange(sy_parser *p, uint32_t i, bool report)
{
    sy_token t = { SY_T_OTHER, i, i };
    const char *hint = NULL;
    uint32_t cp = 0;
    unsigned char c = (unsigned char)p->s[i];
    if (c < 128) {
        t.end = i + 1;
        if (c == '\'') {
            uint32_t e = i + 1, l = line_end(p, i);
            while (e < l && p->s[e] != '\'') e++;
            if (e < l) {
                t.end = e + 1;
                t.kind = SY_T_STRING;
            }
            hint = "strings stand in double quotes";
        } else if (c == '@' || c == '$' || c == '?' || c == '`' || c == '^' || c == '~' || c == '|' || c == '&' || c == '\\') {
            hint = c == '|' ? "'or' is written ||" : c == '&' ? "'and' is written &&" : NULL;
        }
    } else {
        size_t n = sy_utf8_next(p->s + i, p->n - i, &cp);
        bool blank = cp == 0xa0 || (cp >= 0x2000 && cp <= 0x200f) || cp == 0x2028 || cp == 0x2029 || cp == 0x202f || cp == 0x3000 || cp == 0xfeff;
        t.end = i + (uint32_t)(n ? n : 1);
        hint = blank ? "a blank that is not ASCII; type an ordinary space" : "names are ASCII letters, digits and _";
        if (!blank) {
            t.kind = SY_T_IDENT;
            while (t.end < p->n && ((unsigned char)p->s[t.end] >= 128 || is_name((unsigned char)p->s[t.end]) || sy_is_digit((unsigned char)p->s[t.end]))) t.end++;
        }
    }
    if (report && i >= p->seen) sy_dsl_error_here(p, t, "a token", hint);
    return t;
}

static sy_token scan(sy_parser *p, uint32_t from, bool report)
{
    uint32_t i = skip(p, from, report);
    sy_token t = { SY_T_EOF, i, i };
    unsigned char c;
    if (i >= p->n) return t;
    c = (unsigned char)p->s[i];
    if (is_name(c)) {
        t.kind = SY_T_IDENT;
        while (t.end < p->n && (is_name((unsigned char)p->s[t.end]) || sy_is_digit((unsigned char)p->s[t.end]))) t.end++;
        return t;
    }
    if (sy_is_digit(c)) {
        t.end = number_end(p, i, &t.kind);
        return t;
    }
    if (c == '"') {
        t.kind = SY_T_STRING;
        if (!string_end(p, i, &t.end) && report && i >= p->seen)
            sy_dsl_error_here(p, t, "a closing '\"'", "the string that begins here does not end");
        return t;
    }
    for (size_t k = 0; i + 1 < p->n && k < sizeof k_pairs / sizeof k_pairs[0]; k++) {
        if (p->s[i] != k_pairs[k].text[0] || p->s[i + 1] != k_pairs[k].text[1]) continue;
        t.kind = k_pairs[k].kind;
        t.end = i + 2;
        return t;
    }
    if (strchr("{}()[]<>=:;,.+-*/%!", c)) {
        t.kind = c;
        t.end = i + 1;
        return t;
    }
    return strange(p, i, report);
}

void sy_dsl_advance(sy_parser *p)
{
    p->last_end = p->cur.end;
    for (;;) { /* what is no token at all was reported and is passed over */
        p->cur = scan(p, p->cur.end, true);
        if (p->cur.end > p->seen) p->seen = p->cur.end;
        if (p->cur.kind != SY_T_OTHER) break;
    }
    if (p->status || p->d->too_many) p->cur = (sy_token){ SY_T_EOF, p->n, p->n };
}

sy_token sy_dsl_peek(sy_parser *p, sy_token after)
{
    sy_token t = scan(p, after.end, false);
    while (t.kind == SY_T_OTHER) t = scan(p, t.end, false);
    return t;
}

static bool in_url(unsigned char c) { return is_name(c) || sy_is_digit(c) || c == '-' || c == '/' || c == '.'; }

bool sy_dsl_vault(sy_parser *p)
{
    uint32_t e = p->cur.end;
    if (!sy_dsl_is(p, "vault") || p->n - e < 4 || memcmp(p->s + e, "://", 3) != 0 || !in_url((unsigned char)p->s[e + 3])) return false;
    for (e += 3; e < p->n && in_url((unsigned char)p->s[e]);) e++;
    p->cur.kind = SY_T_VAULT;
    p->cur.end = p->seen = e;
    return true;
}

bool sy_dsl_tok_is(const sy_parser *p, sy_token t, const char *word)
{
    size_t n = strlen(word);
    return t.kind == SY_T_IDENT && t.end - t.start == n && !memcmp(p->s + t.start, word, n);
}

bool sy_dsl_is(const sy_parser *p, const char *word) { return sy_dsl_tok_is(p, p->cur, word); }

symbi_str sy_dsl_tok(const sy_parser *p, sy_token t) { return (symbi_str){ p->s + t.start, t.end - t.start }; }
