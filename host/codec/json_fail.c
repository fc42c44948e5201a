/* codec/json_fail.c: what to say when a text is not JSON. People and models write almost-JSON (single quotes, trailing
 * commas, comments, NaN, Python's True): the message names what is wrong, where, and what to write instead. */
#include "base/chars.h"
#include "base/err.h"
#include "codec/json_read.h"

static symbi_status fail(symbi_json_reader *r, const char *p, symbi_status code, symbi_err *err, const char *fmt, ...) SYMBI_PRINTF(5, 6);
static symbi_status fail(symbi_json_reader *r, const char *p, symbi_status code, symbi_err *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    sy_vfail(err, code, r->line, (uint32_t)(p - r->line_start) + 1, fmt, ap);
    va_end(ap);
    r->state = SY_JSON_FAILED;
    return code;
}
#define BAD(...) fail(r, p, SYMBI_EPARSE, err, __VA_ARGS__)

symbi_status sy_json_fail_again(symbi_err *err)
{
    return sy_fail(err, SYMBI_ESTATE, "this reader has failed before");
}

symbi_status sy_json_fail_depth(symbi_json_reader *r, const char *p, symbi_err *err)
{
    return fail(r, p, SYMBI_ELIMIT, err, "nested deeper than %u levels", (unsigned)r->max_depth);
}

static bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

static int word_len(const char *p, const char *end)
{
    int n = 0;
    while (p + n < end && n < 24 && (is_alpha(p[n]) || sy_is_digit(p[n]))) n++;
    return n;
}

static bool word_is(const char *p, int n, const char *w)
{
    return strlen(w) == (size_t)n && memcmp(p, w, (size_t)n) == 0;
}

/* What is wrong anywhere between tokens: comments, byte order marks, other encodings. */
static bool fail_common(symbi_json_reader *r, const char *p, symbi_err *err)
{
    size_t left = (size_t)(r->end - p);
    if (left && (*p == '#' || (left > 1 && *p == '/' && (p[1] == '/' || p[1] == '*')))) {
        (void)BAD("JSON has no comments: remove it");
    } else if (left >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
        (void)BAD(p == r->begin ? "the text starts with a byte order mark: remove these three bytes" : "a byte order mark inside the text: remove it");
    } else if (left >= 2 && p == r->begin && (memcmp(p, "\xff\xfe", 2) == 0 || memcmp(p, "\xfe\xff", 2) == 0)) {
        (void)BAD("the text is UTF-16: JSON is UTF-8");
    } else if (left && *p == 0) {
        (void)BAD("unexpected NUL byte%s", p - r->begin <= 1 ? " (is the text UTF-16? JSON is UTF-8)" : "");
    } else if (left && (unsigned char)*p == 0xc2 && left > 1 && (unsigned char)p[1] == 0xa0) {
        (void)BAD("a no-break space is not white space in JSON: use a plain space");
    } else {
        return false;
    }
    return true;
}

static symbi_status fail_char(symbi_json_reader *r, const char *p, const char *expected, symbi_err *err)
{
    unsigned char c = (unsigned char)*p;
    if (c > ' ' && c < 0x7f) return BAD("expected %s, got '%c'", expected, c);
    return BAD("expected %s, got byte 0x%02x", expected, c);
}

symbi_status sy_json_fail_value(symbi_json_reader *r, const char *p, bool after_comma, symbi_err *err)
{
    int n;
    if (p == r->end) {
        if (r->depth == 0) return BAD("the text is empty: expected a JSON value");
        return BAD("the text ends where a value is expected");
    }
    if (fail_common(r, p, err)) return SYMBI_EPARSE;
    if (after_comma && (*p == ']' || *p == '}')) return BAD("trailing comma: remove the ',' before '%c'", *p);
    switch (*p) {
    case '\'': case '`': return BAD("strings are written in double quotes, not with %c", *p);
    case '+': return BAD("a number has no leading '+'");
    case '.': return BAD("a number needs a digit before its '.': write 0.5, not .5");
    case ',': return BAD("expected a value before ','");
    default: break;
    }
    n = word_len(p, r->end);
    if (n && is_alpha(*p)) {
        static const char *const fix[][2] = { { "True", "true" }, { "TRUE", "true" }, { "False", "false" }, { "FALSE", "false" },
                                              { "None", "null" }, { "nil", "null" }, { "Null", "null" }, { "NULL", "null" },
                                              { "undefined", "null" } };
        if (word_is(p, n, "NaN") || word_is(p, n, "nan") || word_is(p, n, "Infinity") || word_is(p, n, "inf"))
            return BAD("%.*s is not a JSON number: use null or a string", n, p);
        for (size_t i = 0; i < sizeof fix / sizeof fix[0]; i++)
            if (word_is(p, n, fix[i][0])) return BAD("write %s, not %s", fix[i][1], fix[i][0]);
        return BAD("unexpected %.*s: strings are written in double quotes", n, p);
    }
    return fail_char(r, p, "a value", err);
}

symbi_status sy_json_fail_number(symbi_json_reader *r, const char *start, const sy_num *n, symbi_err *err)
{
    const char *p = start, *q = n->p;
    symbi_str s = { start, (size_t)(q - start) };
    if (s.n > 40) s.n = 40;
    if (n->kind == SY_NUM_BIGINT) {
        return BAD("the integer %.*s%s is beyond 64 bits: write it as a string, or with an exponent where digits may be lost", SY_FMT(s),
                   s.n == 40 ? "..." : "");
    }
    if (n->kind == SY_NUM_OVERFLOW) return BAD("the number %.*s%s is too large for a double", SY_FMT(s), s.n == 40 ? "..." : "");
    p = q;
    if (q < r->end && *q == '0' && (q == start || q[-1] == '-')) return BAD("a number has no leading zeros");
    if (q == start + 1 && *start == '-') {
        int w = word_len(q, r->end);
        if (w && is_alpha(*q)) return BAD("-%.*s is not a JSON number: use null or a string", w, q);
        return BAD("expected a digit after '-'");
    }
    if (q[-1] == '.') return BAD("expected a digit after '.'");
    return BAD("expected a digit in the exponent");
}

symbi_status sy_json_fail_key(symbi_json_reader *r, const char *p, bool after_comma, symbi_err *err)
{
    int n;
    if (p == r->end) return BAD(after_comma ? "the text ends where a key is expected" : "the text ends inside an object: expected a key or '}'");
    if (fail_common(r, p, err)) return SYMBI_EPARSE;
    if (after_comma && (*p == '}' || *p == ']')) return BAD("trailing comma: remove the ',' before '%c'", *p);
    if (*p == '\'' || *p == '`') return BAD("keys are written in double quotes, not with %c", *p);
    n = word_len(p, r->end);
    if (n) return BAD("keys are written in double quotes: \"%.*s\"", n, p);
    return fail_char(r, p, after_comma ? "a key" : "a key or '}'", err);
}

symbi_status sy_json_fail_colon(symbi_json_reader *r, const char *p, symbi_err *err)
{
    if (p == r->end) return BAD("the text ends where ':' is expected");
    if (fail_common(r, p, err)) return SYMBI_EPARSE;
    if (*p == '=') return BAD("write ':' between key and value, not '='");
    return fail_char(r, p, "':' after the key", err);
}

symbi_status sy_json_fail_after(symbi_json_reader *r, const char *p, symbi_err *err)
{
    bool obj, number;
    char close;
    if (r->depth == 0) {
        if (fail_common(r, p, err)) return SYMBI_EPARSE;
        number = p > r->begin && sy_is_digit(p[-1]);
        if (number && (*p == 'x' || *p == 'X')) return BAD("hexadecimal numbers are not JSON: write it in decimal");
        return BAD("unexpected text after the end of the value");
    }
    obj = sy_json_in_object(r);
    close = obj ? '}' : ']';
    if (p == r->end) return BAD("the text ends inside %s: expected ',' or '%c'", obj ? "an object" : "an array", close);
    if (fail_common(r, p, err)) return SYMBI_EPARSE;
    number = sy_is_digit(p[-1]);
    if (number && (*p == 'x' || *p == 'X')) return BAD("hexadecimal numbers are not JSON: write it in decimal");
    if (number && *p == '_') return BAD("a number has no '_' between its digits");
    if (*p == ']' || *p == '}') return BAD("expected ',' or '%c', got '%c'", close, *p);
    if (*p == '"' || *p == '{' || *p == '[' || *p == '-' || sy_is_digit(*p) || is_alpha(*p))
        return BAD("expected ',' or '%c': a comma is missing here", close);
    return fail_char(r, p, obj ? "',' or '}'" : "',' or ']'", err);
}

static int hex4(const char *p, const char *end)
{
    int v = 0;
    if (end - p < 4) return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int d = sy_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (d < 0) return -1;
        v = v * 16 + d;
    }
    return v;
}

static symbi_status fail_escape(symbi_json_reader *r, const char *p, symbi_err *err)
{
    const char *end = r->end;
    int u;
    if (end - p < 2) return BAD("the text ends inside an escape");
    if (p[1] == 'x') return BAD("unknown escape \\x: write \\u00 and two digits");
    if (p[1] == '\'') return BAD("a single quote needs no backslash");
    if (p[1] != 'u') return (unsigned char)p[1] > ' ' && (unsigned char)p[1] < 0x7f ? BAD("unknown escape \\%c: a backslash itself is written \\\\", p[1])
                                                                                     : BAD("unknown escape: a backslash itself is written \\\\");
    u = hex4(p + 2, end);
    if (u < 0) return BAD("\\u needs four hexadecimal digits");
    if (u >= 0xdc00) return BAD("lone surrogate \\u%04x: the first half of the pair is missing", (unsigned)u);
    return BAD("lone surrogate \\u%04x: the second half of the pair is missing", (unsigned)u);
}

symbi_status sy_json_fail_string(symbi_json_reader *r, const char *start, const char *p, symbi_err *err)
{
    unsigned char c;
    if (p == r->end) {
        p = start;
        return BAD("this string is not closed: '\"' is missing");
    }
    c = (unsigned char)*p;
    if (c == '\\') return fail_escape(r, p, err);
    switch (c) {
    case '\n': return BAD("line break in a string: write \\n, or close the string");
    case '\t': return BAD("tab in a string: write \\t");
    case '\r': return BAD("carriage return in a string: write \\r");
    default: break;
    }
    if (c < 0x20) return BAD("control character in a string: write \\u%04x", c);
    if (c == 0xed && r->end - p > 1 && (unsigned char)p[1] >= 0xa0) return BAD("invalid UTF-8: an encoded surrogate");
    return BAD("invalid UTF-8: byte 0x%02x", c);
}

size_t sy_json_escape_len(const char *p, const char *end)
{
    int u;
    if (end - p < 2) return 0;
    switch (p[1]) {
    case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't': return 2;
    case 'u': break;
    default: return 0;
    }
    u = hex4(p + 2, end);
    if (u < 0) return 0;
    if (u < 0xd800 || u > 0xdfff) return 6;
    if (u > 0xdbff || end - p < 12 || p[6] != '\\' || p[7] != 'u') return 0;
    u = hex4(p + 8, end);
    return u >= 0xdc00 && u <= 0xdfff ? 12 : 0;
}
