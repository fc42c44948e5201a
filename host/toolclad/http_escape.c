/* toolclad/http_escape.c: values at their places of an HTTP request (spec toolclad.md 10), and templates taken apart. One pass: what a value brings
 * is never read as template again, whatever it looks like. */
#include "base/chars.h"
#include "base/str.h"
#include "toolclad/http_in.h"

const char *const sy_http_as_names[6] = { "url", "host", "json", "json_value", "form", "text" };

static bool is_alnum(char c) { return sy_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool unreserved(char c) { return is_alnum(c) || (c && strchr("-._~", c)); }

static void put(sy_http_sink *s, const char *p, size_t n)
{
    if (s->out && n) memcpy(s->out + s->n, p, n);
    s->n += n;
}

static void percent(sy_http_sink *s, symbi_str v, const char *keep)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < v.n; i++) {
        char c = v.p[i], e[3];
        if (unreserved(c) || (c && strchr(keep, c))) {
            put(s, &c, 1);
            continue;
        }
        e[0] = '%';
        e[1] = hex[(unsigned char)c >> 4];
        e[2] = hex[(unsigned char)c & 15];
        put(s, e, 3);
    }
}

static void json(sy_http_sink *s, symbi_str v)
{
    static const char hex[] = "0123456789abcdef", from[] = "\"\\\n\r\t\b\f", to[] = "\"\\nrtbf";
    for (size_t i = 0; i < v.n; i++) {
        unsigned char c = (unsigned char)v.p[i];
        const char *at = c ? strchr(from, c) : NULL;
        if (at) {
            char e[2] = { '\\', to[at - from] };
            put(s, e, 2);
        } else if (c < 0x20) {
            char e[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
            put(s, e, 6);
        } else {
            put(s, v.p + i, 1);
        }
    }
}

/* -?(0|[1-9]D*)(.D+)?([eE][+-]?D+)?, true, false or null */
static bool json_scalar(symbi_str v)
{
    size_t i = 0, from;
    if (sy_str_eqz(v, "true") || sy_str_eqz(v, "false") || sy_str_eqz(v, "null")) return true;
    if (i < v.n && v.p[i] == '-') i++;
    from = i;
    while (i < v.n && sy_is_digit(v.p[i])) i++;
    if (i == from || (i - from > 1 && v.p[from] == '0')) return false;
    if (i < v.n && v.p[i] == '.') {
        from = ++i;
        while (i < v.n && sy_is_digit(v.p[i])) i++;
        if (i == from) return false;
    }
    if (i < v.n && (v.p[i] == 'e' || v.p[i] == 'E')) {
        i++;
        if (i < v.n && (v.p[i] == '+' || v.p[i] == '-')) i++;
        from = i;
        while (i < v.n && sy_is_digit(v.p[i])) i++;
        if (i == from) return false;
    }
    return i == v.n;
}

const char *sy_http_write(sy_http_sink *s, sy_http_as as, symbi_str v, bool secret)
{
    switch (as) {
    case SY_AS_URL: percent(s, v, secret ? "/:@!*',=" : "/:@!*',=+"); return NULL;
    case SY_AS_FORM: percent(s, v, ""); return NULL;
    case SY_AS_JSON: json(s, v); return NULL;
    case SY_AS_JSON_VALUE:
        if (!json_scalar(v)) return "stands outside the quotes of a JSON text, where only a number, true, false or null may be written; put quotes around its placeholder";
        break;
    case SY_AS_HOST:
        for (size_t i = 0; i < v.n; i++)
            if (!is_alnum(v.p[i]) && v.p[i] != '.' && v.p[i] != '-' && v.p[i] != ':') return "holds a character that no host name has";
        break;
    case SY_AS_TEXT: break;
    }
    put(s, v.p, v.n);
    return NULL;
}

const char *sy_http_header_problem(symbi_str v)
{
    for (size_t i = 0; i < v.n; i++) {
        unsigned char c = (unsigned char)v.p[i];
        if (c == '\r' || c == '\n') return "holds a line break";
        if ((c < 0x20 && c != '\t') || c == 0x7f) return "holds a control character";
    }
    return NULL;
}

/* The dot that begins at i, as it is or as %2e: its length, or 0. */
static size_t dot(symbi_str s, size_t i)
{
    if (s.p[i] == '.') return 1;
    return i + 2 < s.n && s.p[i] == '%' && s.p[i + 1] == '2' && (s.p[i + 2] == 'e' || s.p[i + 2] == 'E') ? 3 : 0;
}

bool sy_http_dotted(symbi_str url)
{
    size_t i = 0;
    while (i + 2 < url.n && memcmp(url.p + i, "://", 3) != 0) i++;
    i = i + 2 < url.n ? i + 3 : 0;
    while (i < url.n && !memchr("/\\?#", url.p[i], 4)) i++;
    while (i < url.n && (url.p[i] == '/' || url.p[i] == '\\')) {
        size_t dots = 0, k;
        i++;
        while (i < url.n && (k = dot(url, i)) && dots < 3) i += k, dots++;
        if (dots && dots < 3 && (i == url.n || memchr("/\\?#", url.p[i], 4) || (url.p[i] == '%' && i + 2 < url.n && ((url.p[i + 1] == '2' && (url.p[i + 2] | 32) == 'f') || (url.p[i + 1] == '5' && (url.p[i + 2] | 32) == 'c')))))
            return true;
        while (i < url.n && !memchr("/\\?#", url.p[i], 4)) i++;
    }
    return false;
}

static bool word(char c) { return is_alnum(c) || c == '_'; }

/* {name}, {{name}} or {_secret:NAME} at i: its length, or 0. Names as command.c reads them. */
static size_t placeholder(symbi_str t, size_t i, sy_http_piece *out)
{
    static const char mark[] = "{_secret:";
    size_t k = i + 1;
    if (t.n - i > sizeof mark && memcmp(t.p + i, mark, sizeof mark - 1) == 0) {
        k = i + sizeof mark - 1;
        while (k < t.n && word(t.p[k])) k++;
        out->kind = SY_HTTP_SECRET;
        out->braces = false;
        out->text = (symbi_str){ t.p + i + sizeof mark - 1, k - (i + sizeof mark - 1) };
        return out->text.n && k < t.n && t.p[k] == '}' ? k + 1 - i : 0;
    }
    out->kind = SY_HTTP_ARG;
    out->braces = k < t.n && t.p[k] == '{';
    if (out->braces) k++;
    out->text.p = t.p + k;
    while (k < t.n && word(t.p[k])) k++;
    out->text.n = (size_t)(t.p + k - out->text.p);
    if (!out->text.n || k >= t.n || t.p[k] != '}') return 0;
    k++;
    if (!out->braces) return k - i;
    return k < t.n && t.p[k] == '}' ? k + 1 - i : 0;
}

bool sy_http_next(symbi_str t, size_t *i, sy_http_piece *out)
{
    size_t from = *i, k = from, n;
    sy_http_piece found;
    if (from >= t.n) return false;
    for (; k < t.n; k++) {
        if (t.p[k] != '{' || !(n = placeholder(t, k, &found))) continue;
        if (k == from) {
            *out = found;
            *i = k + n;
            return true;
        }
        break;
    }
    out->kind = SY_HTTP_LITERAL;
    out->braces = false;
    out->text = (symbi_str){ t.p + from, k - from };
    *i = k;
    return true;
}
