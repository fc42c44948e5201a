/* codec/toml_lex.c: the tokens of TOML 1.0: white space, comments, the four string forms, numbers, booleans. Text between
 * tokens is checked here too, because a control character in a comment is an error in TOML. */
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/num.h"
#include "codec/toml_in.h"

/* Control characters that TOML refuses everywhere: all but tab (and the newlines, which callers look for first). */
static bool toml_control(char c)
{
    unsigned char u = (unsigned char)c;
    return (u < 0x20 && u != '\t') || u == 0x7f;
}

static symbi_status toml_control_fail(sy_toml *t, const char *at, const char *where)
{
    if (*at == '\r' && (t->end - at < 2 || at[1] != '\n'))
        return sy_toml_fail(t, at, SYMBI_EPARSE, "a carriage return in %s must be followed by a line feed", where);
    if (*at == '\n' || *at == '\r') return sy_toml_fail(t, at, SYMBI_EPARSE, "%s is not closed on its line", where);
    return sy_toml_fail(t, at, SYMBI_EPARSE, "control character 0x%02x in %s; write it as \\u%04x in a \"string\"", (unsigned char)*at, where, (unsigned char)*at);
}

bool sy_toml_bare(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

void sy_toml_blanks(sy_toml *t)
{
    while (t->p < t->end && (*t->p == ' ' || *t->p == '\t')) t->p++;
}

bool sy_toml_newline(sy_toml *t)
{
    if (t->p < t->end && *t->p == '\n') t->p++;
    else if (t->end - t->p >= 2 && t->p[0] == '\r' && t->p[1] == '\n') t->p += 2;
    else return false;
    t->line++;
    t->bol = t->p;
    return true;
}

symbi_status sy_toml_comment(sy_toml *t)
{
    if (t->p >= t->end || *t->p != '#') return SYMBI_OK;
    for (t->p++; t->p < t->end; t->p++) {
        if (*t->p == '\n' || (*t->p == '\r' && t->end - t->p >= 2 && t->p[1] == '\n')) break;
        if (toml_control(*t->p)) return toml_control_fail(t, t->p, "a comment");
    }
    return SYMBI_OK;
}

symbi_status sy_toml_line_end(sy_toml *t, const char *after)
{
    symbi_status st;
    sy_toml_blanks(t);
    if ((st = sy_toml_comment(t))) return st;
    if (t->p >= t->end || sy_toml_newline(t)) return SYMBI_OK;
    if (toml_control(*t->p)) return toml_control_fail(t, t->p, "the text");
    return sy_toml_fail(t, t->p, SYMBI_EPARSE, "a new line must follow %s", after);
}

symbi_status sy_toml_gap(sy_toml *t)
{
    symbi_status st;
    do {
        sy_toml_blanks(t);
        if ((st = sy_toml_comment(t))) return st;
    } while (sy_toml_newline(t));
    return SYMBI_OK;
}

/* ---- strings ---- */

static int toml_hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* At the backslash; writes to *o, which is never ahead of the input. */
static symbi_status toml_escape(sy_toml *t, char **o)
{
    static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
    const char *at = t->p, *hit;
    char c, out[4];
    uint32_t cp = 0;
    size_t n, len;
    if (t->end - t->p < 2) return sy_toml_fail(t, at, SYMBI_EPARSE, "the string is not closed");
    c = t->p[1];
    t->p += 2;
    if (c && (hit = strchr(from, c))) {
        *(*o)++ = to[hit - from];
        return SYMBI_OK;
    }
    n = c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (!n)
        return sy_toml_fail(t, at, SYMBI_EPARSE, "'\\%.*s' is no escape (\\b \\t \\n \\f \\r \\\" \\\\ \\uXXXX \\UXXXXXXXX); for a backslash write \\\\ or use a 'literal string'",
            (unsigned char)c < 0x80 ? 1 : 0, &c);
    for (size_t i = 0; i < n; i++) {
        int h = t->p < t->end ? toml_hex(*t->p) : -1;
        if (h < 0) return sy_toml_fail(t, at, SYMBI_EPARSE, "\\%c takes exactly %zu hexadecimal digits; for a backslash write \\\\ or use a 'literal string'", c, n);
        cp = cp << 4 | (uint32_t)h; /* 8 digits fit exactly */
        t->p++;
    }
    len = sy_utf8_put(cp, out);
    if (!len) return sy_toml_fail(t, at, SYMBI_EPARSE, "\\%c%0*x is no Unicode character", c, (int)n, (unsigned)cp);
    memcpy(*o, out, len);
    *o += len;
    return SYMBI_OK;
}

/* A backslash at the end of a line of a multi-line string: everything up to the next text is dropped. */
static symbi_status toml_continuation(sy_toml *t, bool *was)
{
    const char *at = t->p, *q = t->p + 1;
    *was = false;
    while (q < t->end && (*q == ' ' || *q == '\t')) q++;
    if (q >= t->end || (*q != '\n' && !(*q == '\r' && t->end - q >= 2 && q[1] == '\n'))) return SYMBI_OK;
    *was = true;
    t->p = at + 1;
    do sy_toml_blanks(t);
    while (sy_toml_newline(t));
    return SYMBI_OK;
}

symbi_status sy_toml_string(sy_toml *t, bool key, symbi_str *out)
{
    const char q = *t->p, *start = t->p, *bol = t->bol;
    uint32_t line = t->line;
    bool multi = t->end - t->p >= 3 && t->p[1] == q && t->p[2] == q, cont;
    char *o, *buf;
    symbi_status st;
    size_t cap = 0;
    if (multi && key) return sy_toml_fail(t, t->p, SYMBI_EPARSE, "a key cannot be a multi-line string");
    t->p += multi ? 3 : 1;
    if (multi) (void)sy_toml_newline(t); /* a newline right after the opening quotes is not part of the text */
    /* An upper bound of the text: up to the next quotes that could close it. Escapes only shrink. */
    for (const char *s = t->p; s < t->end; s++, cap++) {
        if (*s == '\\' && q == '"') {
            if (s + 1 < t->end) s++, cap++;
        } else if (*s == q && (!multi || (t->end - s >= 3 && s[1] == q && s[2] == q))) {
            break;
        } else if (*s == '\n' && !multi) {
            break;
        }
    }
    buf = o = sy_arena_alloc(&t->doc->arena, cap + 3); /* two quotes may stand before the closing three */
    if (!o) return sy_toml_nomem(t);
    for (;;) {
        if (t->p >= t->end) {
            t->bol = bol;
            t->line = line;
            return sy_toml_fail(t, start, SYMBI_EPARSE, "the string is not closed: %.*s is missing", multi ? 3 : 1, q == '"' ? "\"\"\"" : "'''");
        }
        if (*t->p == q) {
            size_t run = 1;
            if (!multi) {
                t->p++;
                break;
            }
            while (run < 6 && (size_t)(t->end - t->p) > run && t->p[run] == q) run++;
            if (run < 3) {
                while (run--) *o++ = q, t->p++;
                continue;
            }
            if (run > 5) return sy_toml_fail(t, t->p + 5, SYMBI_EPARSE, "too many quotes at the end of the string");
            for (size_t i = 3; i < run; i++) *o++ = q;
            t->p += run;
            break;
        }
        if (multi && sy_toml_newline(t)) {
            *o++ = '\n';
        } else if (toml_control(*t->p)) {
            return toml_control_fail(t, t->p, "a string");
        } else if (*t->p == '\\' && q == '"') {
            cont = false;
            if (multi && (st = toml_continuation(t, &cont))) return st;
            if (!cont && (st = toml_escape(t, &o))) return st;
        } else {
            *o++ = *t->p++;
        }
    }
    *o = 0;
    out->p = buf;
    out->n = (size_t)(o - buf);
    return SYMBI_OK;
}

/* ---- numbers, booleans ---- */

static bool toml_token_char(char c) { return sy_toml_bare(c) || c == '+' || c == '.' || c == ':'; }

/* The token at p. A date may be followed by a blank and a time. */
static symbi_str toml_token(const sy_toml *t)
{
    symbi_str s = { t->p, 0 };
    size_t left = (size_t)(t->end - t->p);
    while (s.n < left && toml_token_char(s.p[s.n])) s.n++;
    if (s.n == 10 && s.p[4] == '-' && left >= 14 && s.p[10] == ' ' && s.p[11] >= '0' && s.p[11] <= '9' && s.p[12] >= '0' && s.p[12] <= '9' && s.p[13] == ':') {
        s.n = 11;
        while (s.n < left && toml_token_char(s.p[s.n])) s.n++;
    }
    return s;
}

static symbi_status toml_int_range(sy_toml *t, symbi_str s)
{
    return sy_toml_fail(t, s.p, SYMBI_EPARSE, "the integer %.*s does not fit in 64 bits", SY_FMT(s));
}

/* 0x, 0o, 0b: no sign, any leading zeros, up to 2^63-1. */
static symbi_status toml_based(sy_toml *t, symbi_str s, unsigned shift, symbi_value *out)
{
    uint64_t v = 0;
    bool digit = false; /* the character before was one */
    for (size_t i = 2; i < s.n; i++) {
        int d = toml_hex(s.p[i]);
        if (s.p[i] == '_' && digit && i + 1 < s.n) {
            digit = false;
            continue;
        }
        if (d < 0 || d >= 1 << shift)
            return sy_toml_fail(t, s.p + i, SYMBI_EPARSE, "'%.*s' is no integer of base %d", SY_FMT(s), 1 << shift);
        if (v >> (63 - shift)) return toml_int_range(t, s);
        v = v << shift | (unsigned)d;
        digit = true;
    }
    if (!digit) return sy_toml_fail(t, s.p, SYMBI_EPARSE, "digits must follow %.2s", s.p);
    *out = sy_val_int((int64_t)v);
    return SYMBI_OK;
}

/* Digits with single underscores between them, copied without these; the number of digits, 0 when malformed. */
static size_t toml_digits_run(symbi_str s, size_t *i, char *o, size_t *on)
{
    size_t from = *on;
    while (*i < s.n) {
        char c = s.p[*i];
        bool d = c >= '0' && c <= '9';
        if (c == '_') {
            bool left = *i > 0 && s.p[*i - 1] >= '0' && s.p[*i - 1] <= '9' && *on > from;
            bool right = *i + 1 < s.n && s.p[*i + 1] >= '0' && s.p[*i + 1] <= '9';
            if (!left || !right) return 0;
        } else if (d) {
            o[(*on)++] = c;
        } else {
            break;
        }
        (*i)++;
    }
    return *on - from;
}

static symbi_status toml_number_fail(sy_toml *t, symbi_str s)
{
    static const char *const words[] = { "True", "TRUE", "False", "FALSE", "yes", "Yes", "no", "No", "on", "off", "null", "None", "nil" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (sy_str_eqz(s, words[i]))
            return sy_toml_fail(t, s.p, SYMBI_EPARSE, "'%s' is no TOML value: %s", words[i],
                i < 10 ? "booleans are written true and false" : "leave the key out, TOML has no null");
    if (s.n && !((s.p[0] >= '0' && s.p[0] <= '9') || s.p[0] == '+' || s.p[0] == '-' || s.p[0] == '.'))
        return sy_toml_fail(t, s.p, SYMBI_EPARSE, "'%.*s' is no TOML value; text goes in quotes: \"%.*s\"", SY_FMT(s), SY_FMT(s));
    return sy_toml_fail(t, s.p, SYMBI_EPARSE, "'%.*s' is no number, boolean or date-time; text goes in quotes", SY_FMT(s));
}

static symbi_status toml_decimal(sy_toml *t, symbi_str s, symbi_value *out)
{
    char *o = sy_arena_alloc(&t->scratch, s.n + 1);
    size_t i = 0, n = 0, digits;
    symbi_str clean;
    bool frac = false, expo = false;
    double d;
    int64_t v;
    if (!o) return sy_toml_nomem(t);
    if (s.p[0] == '+' || s.p[0] == '-') {
        if (s.p[0] == '-') o[n++] = '-';
        i++;
    }
    digits = toml_digits_run(s, &i, o, &n);
    if (!digits) return toml_number_fail(t, s);
    if (digits > 1 && o[n - digits] == '0')
        return sy_toml_fail(t, s.p, SYMBI_EPARSE, "'%.*s' has leading zeros; leave them out (octal is written 0o17)", SY_FMT(s));
    if (i < s.n && s.p[i] == '.') {
        frac = true;
        o[n++] = s.p[i++];
        if (!toml_digits_run(s, &i, o, &n)) return sy_toml_fail(t, s.p, SYMBI_EPARSE, "'%.*s': digits must stand on both sides of the '.'", SY_FMT(s));
    }
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        expo = true;
        o[n++] = 'e';
        i++;
        if (i < s.n && (s.p[i] == '+' || s.p[i] == '-')) o[n++] = s.p[i++];
        if (!toml_digits_run(s, &i, o, &n)) return sy_toml_fail(t, s.p, SYMBI_EPARSE, "'%.*s': digits must follow the exponent", SY_FMT(s));
    }
    if (i < s.n) return toml_number_fail(t, s);
    o[n] = 0;
    clean.p = o;
    clean.n = n;
    if (!frac && !expo) {
        if (!sy_num_parse_int64(clean, &v)) return toml_int_range(t, s);
        *out = sy_val_int(v);
        return SYMBI_OK;
    }
    if (!sy_num_parse_double(clean, &d)) return sy_toml_fail(t, s.p, SYMBI_EPARSE, "the number %.*s is too large for a double", SY_FMT(s));
    *out = sy_val_double(d);
    return SYMBI_OK;
}

symbi_status sy_toml_scalar(sy_toml *t, symbi_value *out)
{
    symbi_str s = toml_token(t), w;
    symbi_status st;
    if (!s.n) {
        if (t->p < t->end && toml_control(*t->p) && *t->p != '\n' && *t->p != '\r') return toml_control_fail(t, t->p, "the text");
        if (t->p >= t->end || *t->p == '\n' || strchr("\r#,]}", *t->p)) return sy_toml_fail(t, t->p, SYMBI_EPARSE, "a value is missing");
        return sy_toml_fail(t, t->p, SYMBI_EPARSE, "a value cannot begin here; text goes in quotes");
    }
    if (sy_str_eqz(s, "true") || sy_str_eqz(s, "false")) {
        *out = sy_val_bool(s.n == 4);
        t->p += s.n;
        return SYMBI_OK;
    }
    w = s;
    if (w.p[0] == '+' || w.p[0] == '-') w.p++, w.n--;
    if (sy_str_eqz(w, "inf") || sy_str_eqz(w, "nan"))
        return sy_toml_fail(t, s.p, SYMBI_ESCHEMA, "'%.*s' is legal TOML but no value that is accepted here; write a finite number", SY_FMT(s));
    st = sy_toml_time(t, s, out);
    if (st == SYMBI_ENOTFOUND) {
        unsigned shift = s.n < 2 || s.p[0] != '0' ? 0 : s.p[1] == 'x' ? 4 : s.p[1] == 'o' ? 3 : s.p[1] == 'b' ? 1 : 0;
        st = shift ? toml_based(t, s, shift, out) : toml_decimal(t, s, out);
    }
    if (!st) t->p += s.n;
    return st;
}
