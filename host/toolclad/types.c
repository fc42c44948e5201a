/* toolclad/types.c: the table of argument types and the types that are not about the network (spec toolclad.md 6.2, 6.3).
 * One entry per type: name, JSON type, flags, check function. Values reach a check verbatim: nothing is trimmed. */
#include "base/chars.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/num.h"
#include "toolclad/types.h"

/* One row per sixteen bytes. Y host name, E anything else, M metacharacter, C control or blank, N both, Z the NUL, S slash, B backslash, H not ASCII */
enum {
    Y = 0,
    E = SY_HAS_NO_HOST,
    M = E | SY_HAS_META,
    C = E | SY_HAS_NO_URL,
    N = M | C,
    Z = N | SY_HAS_NUL,
    S = E | SY_HAS_SEPARATOR,
    B = S | SY_HAS_NO_URL,
    H = E | SY_HAS_HIGH
};
#define H16 H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H
static const uint8_t classes[256] = {
    Z, C, C, C, C, C, C, C, C, C, N, C, C, N, C, C,
    C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C,
    C, M, E, E, M, E, M, E, M, M, E, E, E, Y, Y, S,
    Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, E, M, M, E, M, E,
    E, Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, Y,
    Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, M, B, M, E, E,
    M, Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, Y,
    Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, M, M, M, E, C,
    H16, H16, H16, H16, H16, H16, H16, H16,
};
#undef H16

unsigned sy_classes(symbi_str v)
{
    unsigned all = 0;
    for (size_t i = 0; i < v.n; i++) all |= classes[(unsigned char)v.p[i]];
    return all;
}

int sy_metachar(symbi_str v, char except)
{
    for (size_t i = 0; i < v.n; i++) {
        char c = v.p[i];
        if (c == except && c) continue;
        if (classes[(unsigned char)c] & SY_HAS_META) return (unsigned char)c;
    }
    return -1;
}

const char *sy_echo(symbi_str v, char out[SY_ECHO])
{
    size_t n = 0, i = 0;
    while (i < v.n) {
        uint32_t cp;
        size_t k = sy_utf8_next(v.p + i, v.n - i, &cp);
        char esc[12];
        size_t en;
        if (!k) k = 1, cp = 0xfffd;
        if (cp == '\n') memcpy(esc, "\\n", 3);
        else if (cp == '\r') memcpy(esc, "\\r", 3);
        else if (cp == '\t') memcpy(esc, "\\t", 3);
        else if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0)) snprintf(esc, sizeof esc, "\\u%04x", (unsigned)cp);
        else esc[sy_utf8_put(cp, esc)] = 0;
        en = strlen(esc);
        if (n + en > 80) {
            memcpy(out + n, "...", 3);
            n += 3;
            break;
        }
        memcpy(out + n, esc, en);
        n += en;
        i += k;
    }
    out[n] = 0;
    return out;
}

symbi_status sy_check_meta(const sy_check *c, symbi_str v, char except)
{
    char ch[2] = { 0, 0 }, echo[SY_ECHO];
    int m;
    if (!(c->classes & SY_HAS_META) || c->arg->any_text || (m = sy_metachar(v, except)) < 0) return SYMBI_OK; /* v is all of the value, or a part of it */
    ch[0] = (char)m;
    return sy_fail(c->err, SYMBI_ESCHEMA, "Injection detected: value contains forbidden character '%s'", sy_echo((symbi_str){ ch, 1 }, echo));
}

symbi_status sy_check_bad(const sy_check *c, symbi_str v, const char *what)
{
    char echo[SY_ECHO];
    return sy_fail(c->err, SYMBI_ESCHEMA, "'%s' %s", sy_echo(v, echo), what);
}

/* ---- text ---- */

static symbi_status check_pattern(const sy_check *c, symbi_str v, const char *word)
{
    char echo[SY_ECHO], echo2[SY_ECHO];
    bool hit = false;
    symbi_status st;
    if (!c->arg->pattern) return SYMBI_OK;
    if ((st = sy_pattern_search(c->cx, c->arg->pattern, v, &hit, c->err))) return st;
    if (hit) return SYMBI_OK;
    return sy_fail(c->err, SYMBI_ESCHEMA, "Value '%s' does not match %s '%s'", sy_echo(v, echo), word, sy_echo(c->arg->pattern_text, echo2));
}

static symbi_status check_string(const sy_check *c, symbi_str v, symbi_value *out)
{
    symbi_status st = sy_check_meta(c, v, 0);
    if (st) return st;
    if (!v.n && c->arg->required && !c->arg->dflt) return sy_fail(c->err, SYMBI_ESCHEMA, "String argument cannot be empty");
    sy_put_str(out, v);
    return check_pattern(c, v, "pattern");
}

static symbi_status check_regex_match(const sy_check *c, symbi_str v, symbi_value *out)
{
    symbi_status st = sy_check_meta(c, v, 0);
    if (st) return st;
    if (!c->arg->pattern) return sy_fail(c->err, SYMBI_ESCHEMA, "regex_match needs a pattern");
    sy_put_str(out, v);
    return check_pattern(c, v, "required pattern");
}

static symbi_status check_enum(const sy_check *c, symbi_str v, symbi_value *out)
{
    sy_buf b;
    char echo[SY_ECHO];
    symbi_status st;
    for (size_t i = 0; i < c->arg->nallowed; i++)
        if (sy_str_same(v, c->arg->allowed[i])) {
            sy_put_str(out, c->arg->allowed[i]);
            return SYMBI_OK;
        }
    sy_buf_init(&b, c->arena->alloc, 4096);
    for (size_t i = 0; i < c->arg->nallowed && b.n < 240; i++) {
        if (i) sy_buf_addz(&b, ", ");
        sy_buf_adds(&b, c->arg->allowed[i]);
    }
    st = sy_fail(c->err, SYMBI_ESCHEMA, "'%s' is not in allowed values: %.*s", sy_echo(v, echo), SY_FMT(sy_buf_str(&b)));
    sy_buf_free(&b);
    return st;
}

static symbi_status check_boolean(const sy_check *c, symbi_str v, symbi_value *out)
{
    if (sy_str_ieqz(v, "true")) sy_put_bool(out, true);
    else if (sy_str_ieqz(v, "false")) sy_put_bool(out, false);
    else return sy_check_bad(c, v, "is not a valid boolean (use 'true' or 'false')");
    return SYMBI_OK;
}

/* ---- numbers ---- */

static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static symbi_str strip_blanks(symbi_str v)
{
    while (v.n && is_blank(v.p[0])) v.p++, v.n--;
    while (v.n && is_blank(v.p[v.n - 1])) v.n--;
    return v;
}

/* [+-]?[0-9]+ that fits. */
static bool read_int(symbi_str v, int64_t *out)
{
    bool neg;
    uint64_t u = 0;
    v = strip_blanks(v);
    neg = v.n && v.p[0] == '-';
    if (v.n && (v.p[0] == '-' || v.p[0] == '+')) v.p++, v.n--;
    if (!v.n) return false;
    for (size_t i = 0; i < v.n; i++) {
        if (!sy_is_digit(v.p[i])) return false;
        if (u > (UINT64_MAX - 9) / 10) return false;
        u = u * 10 + (unsigned)(v.p[i] - '0');
    }
    if (u > (uint64_t)INT64_MAX + neg) return false;
    *out = neg ? (u == (uint64_t)INT64_MAX + 1 ? INT64_MIN : -(int64_t)u) : (int64_t)u;
    return true;
}

static symbi_status bound_int(const sy_check *c, int64_t n, symbi_value *out)
{
    const sy_arg *a = c->arg;
    if (a->clamp) {
        if (a->has_max && n > a->max) n = a->max;
        if (a->has_min && n < a->min) n = a->min;
    }
    if (a->has_min && n < a->min) return sy_fail(c->err, SYMBI_ESCHEMA, "Value %lld is below minimum %lld", (long long)n, (long long)a->min);
    if (a->has_max && n > a->max) return sy_fail(c->err, SYMBI_ESCHEMA, "Value %lld is above maximum %lld", (long long)n, (long long)a->max);
    sy_put_int(out, n);
    return SYMBI_OK;
}

static symbi_status check_integer(const sy_check *c, symbi_str v, symbi_value *out)
{
    int64_t n;
    if (!read_int(v, &n)) return sy_check_bad(c, v, "is not a valid integer");
    return bound_int(c, n, out);
}

static symbi_status check_port(const sy_check *c, symbi_str v, symbi_value *out)
{
    int64_t n;
    if (!read_int(v, &n)) return sy_check_bad(c, v, "is not a valid port number");
    if (n < 1 || n > 65535) return sy_fail(c->err, SYMBI_ESCHEMA, "Port must be 1-65535");
    return bound_int(c, n, out);
}

/* [+-]?(D+(.D*)?|.D+)([eE][+-]?D+)? rewritten to the grammar of JSON, which the number reader takes. */
static bool json_number(symbi_str v, char *o, size_t *on)
{
    size_t i = 0, n = 0, whole = 0, frac = 0;
    if (i < v.n && (v.p[i] == '+' || v.p[i] == '-')) {
        if (v.p[i] == '-') o[n++] = '-';
        i++;
    }
    while (i + 1 < v.n && v.p[i] == '0' && sy_is_digit(v.p[i + 1])) i++, whole++;
    for (; i < v.n && sy_is_digit(v.p[i]); whole++) o[n++] = v.p[i++];
    if (!whole) o[n++] = '0';
    if (i < v.n && v.p[i] == '.') {
        i++;
        o[n++] = '.';
        for (; i < v.n && sy_is_digit(v.p[i]); frac++) o[n++] = v.p[i++];
        if (!frac) o[n++] = '0';
    }
    if (!whole && !frac) return false;
    if (i < v.n && (v.p[i] == 'e' || v.p[i] == 'E')) {
        size_t digits = 0;
        o[n++] = v.p[i++];
        if (i < v.n && (v.p[i] == '+' || v.p[i] == '-')) o[n++] = v.p[i++];
        for (; i < v.n && sy_is_digit(v.p[i]); digits++) o[n++] = v.p[i++];
        if (!digits) return false;
    }
    *on = n;
    return i == v.n;
}

static symbi_status check_number(const sy_check *c, symbi_str v, symbi_value *out)
{
    const sy_arg *a = c->arg;
    symbi_str s = strip_blanks(v), j;
    char *o, echo[SY_ECHO], n1[32], n2[32];
    double d, lo = a->has_fmin ? a->fmin : (double)a->min, hi = a->has_fmax ? a->fmax : (double)a->max;
    bool has_lo = a->has_fmin || a->has_min, has_hi = a->has_fmax || a->has_max;
    o = sy_arena_alloc(c->arena, s.n + 4);
    if (!o) return sy_fail_nomem(c->err);
    if (!json_number(s, o, &j.n)) return sy_check_bad(c, v, "is not a valid number");
    j.p = o;
    if (!sy_num_parse_double(j, &d)) return sy_fail(c->err, SYMBI_ESCHEMA, "Number must be finite (no NaN or infinity), got: '%s'", sy_echo(v, echo));
    if (a->clamp) {
        if (has_hi && d > hi) d = hi;
        if (has_lo && d < lo) d = lo;
    }
    if (has_lo && d < lo)
        return sy_fail(c->err, SYMBI_ESCHEMA, "Value %.*s is below minimum %.*s", (int)sy_num_write_double(d, SY_NUM_ES, n1), n1, (int)sy_num_write_double(lo, SY_NUM_ES, n2), n2);
    if (has_hi && d > hi)
        return sy_fail(c->err, SYMBI_ESCHEMA, "Value %.*s is above maximum %.*s", (int)sy_num_write_double(d, SY_NUM_ES, n1), n1, (int)sy_num_write_double(hi, SY_NUM_ES, n2), n2);
    *out = sy_number_value(d);
    return SYMBI_OK;
}

symbi_value sy_number_value(double d)
{
    /* integral values that are exact in a double are integers, -0 included: Cedar gets a Long */
    if (d >= -9007199254740992.0 && d <= 9007199254740992.0 && d == (double)(int64_t)d) return sy_val_int((int64_t)d);
    return sy_val_double(d);
}

/* ---- paths ---- */

static symbi_status check_path(const sy_check *c, symbi_str v, symbi_value *out)
{
    symbi_status st = sy_check_meta(c, v, 0);
    char echo[SY_ECHO];
    if (st) return st;
    if (v.n && (v.p[0] == '/' || v.p[0] == '\\' || (v.n > 1 && v.p[1] == ':')))
        return sy_fail(c->err, SYMBI_ESCHEMA, "Path must be relative, not absolute: '%s'", sy_echo(v, echo));
    for (size_t from = 0, i = 0; i <= v.n; i++) {
        if (i < v.n && v.p[i] != '/' && v.p[i] != '\\') continue;
        if (i - from == 2 && v.p[from] == '.' && v.p[from + 1] == '.') return sy_fail(c->err, SYMBI_ESCHEMA, "Path traversal (..) is not allowed");
        from = i + 1;
    }
    sy_put_str(out, v);
    return SYMBI_OK;
}

static symbi_status check_credential_file(const sy_check *c, symbi_str v, symbi_value *out)
{
    if (!v.n) return sy_fail(c->err, SYMBI_ESCHEMA, "credential_file cannot be empty");
    return check_path(c, v, out);
}

/* ---- msf_options, duration ---- */

static bool msf_key(symbi_str k, bool any_case)
{
    for (size_t i = 0; i < k.n; i++) {
        char c = k.p[i];
        bool upper = c >= 'A' && c <= 'Z', digit = sy_is_digit(c) || c == '_', lower = c >= 'a' && c <= 'z';
        if (!(upper || (digit && (i || any_case)) || (lower && any_case))) return false;
    }
    return k.n > 0;
}

/* Splits s at its first blank: the word, and the rest without leading blanks. */
static symbi_str cut_word(symbi_str *s)
{
    symbi_str w = { s->p, 0 };
    while (w.n < s->n && s->p[w.n] != ' ') w.n++;
    s->p += w.n;
    s->n -= w.n;
    while (s->n && s->p[0] == ' ') s->p++, s->n--;
    return w;
}

static symbi_status check_msf_options(const sy_check *c, symbi_str v, symbi_value *out)
{
    char echo[SY_ECHO];
    int m;
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] == '\n' || v.p[i] == '\r') return sy_fail(c->err, SYMBI_ESCHEMA, "Injection detected: value contains a line break");
    for (size_t from = 0, i = 0; i <= v.n; i++) {
        symbi_str seg, rest, key;
        bool set;
        if (i < v.n && v.p[i] != ';') continue;
        seg = strip_blanks((symbi_str){ v.p + from, i - from });
        from = i + 1;
        if (!seg.n) continue;
        rest = seg;
        key = cut_word(&rest);
        set = sy_str_eqz(key, "set") && rest.n;
        if (set) key = cut_word(&rest);
        if (!msf_key(key, set) || !rest.n)
            return sy_fail(c->err, SYMBI_ESCHEMA, "Invalid MSF option segment '%s': must match 'KEY VALUE' or 'set KEY VALUE', KEY in capitals", sy_echo(seg, echo));
        if ((m = sy_metachar(rest, ';')) >= 0) return sy_check_meta(c, rest, ';');
    }
    sy_put_str(out, v);
    return SYMBI_OK;
}

static symbi_status check_duration(const sy_check *c, symbi_str v, symbi_value *out)
{
    static const char *const units[] = { "h", "m", "s", "ms" };
    size_t i = 0, next = 0;
    uint64_t u;
    if (!v.n) return sy_fail(c->err, SYMBI_ESCHEMA, "Duration cannot be empty");
    while (i < v.n) {
        size_t from = i, unit;
        for (u = 0; i < v.n && sy_is_digit(v.p[i]); i++) {
            unsigned d = (unsigned)(v.p[i] - '0');
            if (u > ((uint64_t)INT64_MAX - d) / 10) return sy_check_bad(c, v, "is not a valid duration: it does not fit in 64 bits");
            u = u * 10 + d;
        }
        if (i == from) return sy_check_bad(c, v, "is not a valid duration");
        if (i == v.n) {
            if (from) return sy_check_bad(c, v, "is not a valid duration"); /* a bare number stands alone */
            break;
        }
        unit = v.p[i] == 'h' ? 0 : v.p[i] == 's' ? 2 : v.p[i] == 'm' ? (i + 1 < v.n && v.p[i + 1] == 's' ? 3 : 1) : 9;
        if (unit == 9 || unit < next) return sy_check_bad(c, v, "is not a valid duration (such as 30, 5m, 2h, 1h30m, 500ms)");
        i += strlen(units[unit]);
        next = unit + 1;
    }
    sy_put_str(out, v);
    return SYMBI_OK;
}

/* Arrays and objects travel as JSON only; sy_arg_check passes them on without coming here with text. */
static symbi_status check_structured(const sy_check *c, symbi_str v, symbi_value *out)
{
    (void)out;
    return sy_check_bad(c, v, "is not a JSON array or object");
}

/* ---- the table ---- */

static const sy_type types[] = {
    { "string", "string", SY_TYPE_FREE_TEXT, SYMBI_STRING, check_string, NULL, NULL },
    { "integer", "integer", SY_TYPE_NO_OPTION, SYMBI_INT, check_integer, NULL, NULL },
    { "number", "number", SY_TYPE_NO_OPTION, SYMBI_DOUBLE, check_number, NULL, NULL },
    { "port", "integer", SY_TYPE_NO_OPTION, SYMBI_INT, check_port, NULL, NULL },
    { "boolean", "boolean", SY_TYPE_NO_OPTION, SYMBI_BOOL, check_boolean, NULL, NULL },
    { "enum", "string", SY_TYPE_NO_OPTION | SY_TYPE_PROGRAM, SYMBI_STRING, check_enum, NULL, NULL },
    { "scope_target", "string", 0, SYMBI_STRING, sy_check_scope_target, NULL, NULL },
    { "url", "string", 0, SYMBI_STRING, sy_check_url, "uri", NULL },
    { "path", "string", 0, SYMBI_STRING, check_path, NULL, NULL },
    { "ip_address", "string", 0, SYMBI_STRING, sy_check_ip_address, "ipv4", NULL },
    { "cidr", "string", 0, SYMBI_STRING, sy_check_cidr, NULL, "^\\d{1,3}(\\.\\d{1,3}){3}/\\d{1,2}$" },
    { "duration", "string", 0, SYMBI_STRING, check_duration, NULL, "^(\\d+|(?:\\d+h)?(?:\\d+m)?(?:\\d+s)?(?:\\d+ms)?)$" },
    { "msf_options", "string", SY_TYPE_FREE_TEXT, SYMBI_STRING, check_msf_options, NULL, NULL },
    { "credential_file", "string", SY_TYPE_FILE, SYMBI_STRING, check_credential_file, NULL, NULL },
    { "regex_match", "string", 0, SYMBI_STRING, check_regex_match, NULL, NULL },
    { "agent_summary", "string", SY_TYPE_FREE_TEXT | SY_TYPE_REWRITES, SYMBI_STRING, sy_check_agent_summary, NULL, NULL },
    { "array", "array", SY_TYPE_MCP_ONLY, SYMBI_ARRAY, check_structured, NULL, NULL },
    { "object", "object", SY_TYPE_MCP_ONLY, SYMBI_OBJECT, check_structured, NULL, NULL },
};

sy_quick sy_quick_of(const sy_arg *a)
{
    if (a->type->check == check_integer || a->type->check == check_port || a->type->check == check_boolean || a->type->check == check_number) return SY_QUICK_TYPE;
    if (a->type->check == check_enum) {
        for (size_t i = 0; i < a->nallowed; i++)
            if (sy_classes(a->allowed[i]) & (SY_HAS_META | SY_HAS_NUL | SY_HAS_HIGH)) return SY_QUICK_NO;
        return SY_QUICK_TYPE;
    }
    if ((a->type->check == check_string || a->type->check == check_regex_match) && a->pattern) {
        for (unsigned b = 0; b < 256; b++)
            if ((classes[b] & (SY_HAS_META | SY_HAS_NUL | SY_HAS_HIGH)) && sy_pattern_may_have(a->pattern, (unsigned char)b)) return SY_QUICK_NO;
        return SY_QUICK_PATTERN;
    }
    return SY_QUICK_NO;
}

const sy_type *sy_type_at(size_t i) { return i < sizeof types / sizeof types[0] ? &types[i] : NULL; }

const sy_type *sy_type_find(symbi_str name)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (sy_str_eqz(name, types[i].name)) return &types[i];
    return NULL;
}
