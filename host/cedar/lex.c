/* cedar/lex.c */
#include "cedar/lex.h"
#include "base/chars.h"
#include "base/utf8.h"

#include <string.h>

/* Bit 0: may begin a name, bit 1: a digit, bit 2: ASCII white space. */
#define R4(x) x, x, x, x
#define R26(x) R4(x), R4(x), R4(x), R4(x), R4(x), R4(x), x, x
static const unsigned char cls[256] = { ['\t'] = 4, ['\n'] = 4, ['\v'] = 4, ['\f'] = 4, ['\r'] = 4, [' '] = 4, ['_'] = 1, ['0'] = R4(2), R4(2), 2, 2, ['A'] = R26(1), ['a'] = R26(1) };
static bool ident_start(unsigned char c) { return cls[c] & 1; }
static bool digit(unsigned char c) { return cls[c] & 2; }

/* Unicode White_Space above ASCII. */
static bool wide_space(uint32_t c)
{
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

static uint32_t skip(symbi_str s, uint32_t i)
{
    while (i < s.n) {
        unsigned char c = (unsigned char)s.p[i];
        if (cls[c] & 4) {
            i++;
        } else if (c == '/' && i + 1 < s.n && s.p[i + 1] == '/') {
            const char *e = s.p + i;
            while (e < s.p + s.n && *e != '\n' && *e != '\r') e++;
            i = (uint32_t)(e - s.p);
        } else if (c >= 0xC2) {
            uint32_t cp;
            size_t k = sy_utf8_next(s.p + i, s.n - i, &cp);
            if (!k || !wide_space(cp)) break;
            i += (uint32_t)k;
        } else {
            break;
        }
    }
    return i;
}

static sy_ctok tok(sy_ctok_kind k, uint32_t pos, uint32_t n)
{
    sy_ctok t = { k, pos, pos + n };
    return t;
}

static sy_ctok bad(uint32_t pos, uint32_t n, const char *msg, const char **why)
{
    *why = msg;
    return tok(SY_TK_BAD, pos, n);
}

static sy_ctok string(symbi_str s, uint32_t i, const char **why)
{
    uint32_t k = i + 1;
    while (k < s.n) {
        char c = s.p[k];
        if (c == '"') return tok(SY_TK_STRING, i, k + 1 - i);
        if (c == '\\') {
            if (k + 1 < s.n && s.p[k + 1] == '\n') return bad(k, 1, "a backslash cannot end a line inside a string; write \\n for a new line", why);
            k++;
        }
        k++;
    }
    return bad(i, 1, "this string has no closing `\"`", why);
}

sy_ctok sy_clex(symbi_str s, uint32_t i, bool question, const char **why)
{
    unsigned char c, d;
    uint32_t k;
    i = skip(s, i);
    if (i >= s.n) return tok(SY_TK_EOF, i, 0);
    c = (unsigned char)s.p[i];
    d = i + 1 < s.n ? (unsigned char)s.p[i + 1] : 0;
    if (ident_start(c)) {
        for (k = i + 1; k < s.n && (cls[(unsigned char)s.p[k]] & 3); k++) {}
        return tok(SY_TK_IDENT, i, k - i);
    }
    if (digit(c)) {
        for (k = i + 1; k < s.n && digit((unsigned char)s.p[k]); k++) {}
        return tok(SY_TK_NUMBER, i, k - i);
    }
    switch (c) {
    case '"': return string(s, i, why);
    case '@': return tok(SY_TK_AT, i, 1);
    case '.': return tok(SY_TK_DOT, i, 1);
    case ',': return tok(SY_TK_COMMA, i, 1);
    case ';': return tok(SY_TK_SEMI, i, 1);
    case ':': return d == ':' ? tok(SY_TK_PATH, i, 2) : tok(SY_TK_COLON, i, 1);
    case '(': return tok(SY_TK_LPAREN, i, 1);
    case ')': return tok(SY_TK_RPAREN, i, 1);
    case '{': return tok(SY_TK_LBRACE, i, 1);
    case '}': return tok(SY_TK_RBRACE, i, 1);
    case '[': return tok(SY_TK_LBRACK, i, 1);
    case ']': return tok(SY_TK_RBRACK, i, 1);
    case '=': return d == '=' ? tok(SY_TK_EQ, i, 2) : tok(SY_TK_ASSIGN, i, 1);
    case '!': return d == '=' ? tok(SY_TK_NE, i, 2) : tok(SY_TK_NOT, i, 1);
    case '<': return d == '=' ? tok(SY_TK_LE, i, 2) : tok(SY_TK_LT, i, 1);
    case '>': return d == '=' ? tok(SY_TK_GE, i, 2) : tok(SY_TK_GT, i, 1);
    case '|': return d == '|' ? tok(SY_TK_OR, i, 2) : bad(i, 1, "`|` is not an operator; write `||` for \"or\"", why);
    case '&': return d == '&' ? tok(SY_TK_AND, i, 2) : bad(i, 1, "`&` is not an operator; write `&&` for \"and\"", why);
    case '+': return tok(SY_TK_PLUS, i, 1);
    case '-': return tok(SY_TK_MINUS, i, 1);
    case '*': return tok(SY_TK_STAR, i, 1);
    case '/':
        if (d == '*') return bad(i, 2, "block comments are not supported; start each line with `//`", why);
        return tok(SY_TK_SLASH, i, 1);
    case '%': return tok(SY_TK_PERCENT, i, 1);
    case '?':
        if (ident_start(d)) {
            for (k = i + 2; k < s.n && (ident_start((unsigned char)s.p[k]) || digit((unsigned char)s.p[k])); k++) {}
            return tok(SY_TK_SLOT, i, k - i);
        }
        if (question) return tok(SY_TK_QUESTION, i, 1);
        return bad(i, 1, "`?` begins a template slot: `?principal` or `?resource`", why);
    case '\'': return bad(i, 1, "strings are written with double quotes (\"), not single quotes", why);
    case '`': return bad(i, 1, "strings are written with double quotes (\"), not back-quotes", why);
    case '#': return bad(i, 1, "`#` does not start a comment; write `//`", why);
    case '^':
    case '~':
    case '$': return bad(i, 1, "this character is not part of Cedar", why);
    default: break;
    }
    if (c == 0xEF && i + 2 < s.n && (unsigned char)s.p[i + 1] == 0xBB && (unsigned char)s.p[i + 2] == 0xBF)
        return bad(i, 3, "there is a byte order mark here; save the file as UTF-8 without it", why);
    if (c < 0x20 || c == 0x7f) return bad(i, 1, "there is a control character here", why);
    if (c >= 0x80) {
        uint32_t cp;
        size_t n = sy_utf8_next(s.p + i, s.n - i, &cp);
        if (cp == 0x201C || cp == 0x201D || cp == 0x2018 || cp == 0x2019)
            return bad(i, (uint32_t)n, "this is a typographic quote; strings are written with plain double quotes (\")", why);
        return bad(i, n ? (uint32_t)n : 1, "this character can only stand inside a string or a comment; names are ASCII letters, digits and _", why);
    }
    return bad(i, 1, "this character is not part of Cedar", why);
}

bool sy_cunescape(symbi_str text, sy_ctok t, bool pattern, sy_buf *out, uint32_t *bad_at, uint32_t *bad_n)
{
    const char *p = text.p;
    uint32_t i = t.pos + 1, end = t.end - 1, k, cp, n;
    char utf[4];
    sy_buf_clear(out);
    while (i < end) {
        char c = p[i];
        if (c == '\r') goto bare;
        if (c == '*' && pattern) {
            sy_buf_addc(out, (char)0xFF);
            i++;
            continue;
        }
        if (c != '\\') {
            for (k = i + 1; k < end && p[k] != '\\' && p[k] != '\r' && !(pattern && p[k] == '*'); k++) {}
            sy_buf_add(out, p + i, k - i);
            i = k;
            continue;
        }
        *bad_at = i;
        *bad_n = 2;
        c = p[i + 1]; /* a string token never ends in an open escape */
        i += 2;
        switch (c) {
        case 'n': cp = '\n'; break;
        case 'r': cp = '\r'; break;
        case 't': cp = '\t'; break;
        case '\\': cp = '\\'; break;
        case '0': cp = 0; break;
        case '\'': cp = '\''; break;
        case '"': cp = '"'; break;
        case '*':
            if (!pattern) return false;
            sy_buf_addc(out, '*');
            continue;
        case 'x':
            if (end - i < 2 || sy_hex(p[i]) < 0 || sy_hex(p[i + 1]) < 0) return false;
            cp = (uint32_t)(sy_hex(p[i]) * 16 + sy_hex(p[i + 1]));
            *bad_n = 4;
            if (cp > 0x7F) return false;
            i += 2;
            break;
        case 'u':
            if (i >= end || p[i] != '{' || i + 1 >= end || p[i + 1] == '_') return false;
            cp = n = 0;
            for (k = i + 1; k < end && p[k] != '}'; k++) {
                if (p[k] == '_') continue;
                if (sy_hex(p[k]) < 0 || ++n > 6) return false;
                cp = cp << 4 | (uint32_t)sy_hex(p[k]);
            }
            *bad_n = k - *bad_at + 1;
            if (k >= end || !n || !sy_utf8_put(cp, utf)) return false;
            i = k + 1;
            break;
        default:
            while (*bad_at + *bad_n < end && ((unsigned char)p[*bad_at + *bad_n] & 0xC0) == 0x80) ++*bad_n;
            return false;
        }
        if (pattern && cp == '*') { /* written as \x2a or \u{2a} it still is the wildcard */
            sy_buf_addc(out, (char)0xFF);
            continue;
        }
        sy_buf_add(out, utf, sy_utf8_put(cp, utf));
    }
    return true;
bare:
    *bad_at = i;
    *bad_n = 1;
    return false;
}
