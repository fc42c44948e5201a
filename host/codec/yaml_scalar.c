/* codec/yaml_scalar.c: plain scalars by YAML 1.2, section 10.3.2. */
#include "codec/yaml_scalar.h"
#include "base/str.h"
#include "codec/num.h"
#include "codec/value.h"

static bool one_of(symbi_str s, const char *const *words)
{
    for (; *words; words++)
        if (sy_str_eqz(s, *words)) return true;
    return false;
}

static size_t digits(symbi_str s, size_t i)
{
    size_t from = i;
    while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9') i++;
    return i - from;
}

/* 0o17, 0xff. */
static sy_yaml_kind based(symbi_str s, unsigned bits, symbi_value *out, const char **why)
{
    uint64_t v = 0;
    if (s.n < 3) return SY_YAML_STRING;
    for (size_t i = 2; i < s.n; i++) {
        char c = s.p[i];
        unsigned d = c >= '0' && c <= '9' ? (unsigned)(c - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 99;
        if (d >= 1u << bits) return SY_YAML_STRING;
        if (v >> (63 - bits)) v = UINT64_MAX >> 1, *why = "the integer does not fit in 64 bits";
        else v = v << bits | d;
    }
    *out = sy_val_int((int64_t)v);
    return *why ? SY_YAML_BAD : SY_YAML_VALUE;
}

sy_yaml_kind sy_yaml_plain(symbi_str s, symbi_value *out, const char **why)
{
    static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL }, *const yes[] = { "true", "True", "TRUE", NULL },
                      *const no[] = { "false", "False", "FALSE", NULL },
                      *const odd[] = { ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN", NULL };
    char buf[400];
    size_t i = 0, n = 0, whole, part = 0;
    bool frac = false, exp = false;
    *why = NULL;
    if (one_of(s, nulls)) return *out = sy_val_null(), SY_YAML_VALUE;
    if (one_of(s, yes)) return *out = sy_val_bool(true), SY_YAML_VALUE;
    if (one_of(s, no)) return *out = sy_val_bool(false), SY_YAML_VALUE;
    if (one_of(s, odd)) return *why = "infinities and NaN cannot be held; quote it if it is text", SY_YAML_BAD;
    if (s.n > 1 && s.p[0] == '0' && (s.p[1] == 'o' || s.p[1] == 'x')) return based(s, s.p[1] == 'o' ? 3 : 4, out, why);
    if (s.n && (s.p[0] == '-' || s.p[0] == '+')) i++;
    whole = digits(s, i);
    i += whole;
    if (i < s.n && s.p[i] == '.') frac = true, part = digits(s, ++i), i += part;
    if (!whole && !part) return SY_YAML_STRING;
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        size_t e = i + 1;
        if (e < s.n && (s.p[e] == '-' || s.p[e] == '+')) e++;
        n = digits(s, e);
        if (!n) return SY_YAML_STRING;
        exp = true;
        i = e + n;
    }
    if (i != s.n) return SY_YAML_STRING;
    if (s.n > sizeof buf - 4) return *why = "the number has too many digits; quote it if it is text", SY_YAML_BAD;
    /* In JSON's form: no plus, no leading zeros, a digit on both sides of the point. */
    n = i = 0;
    if (s.p[0] == '-') buf[n++] = '-';
    if (s.p[0] == '-' || s.p[0] == '+') i++;
    while (whole > 1 && s.p[i] == '0') i++, whole--;
    if (!whole) buf[n++] = '0';
    for (; i < s.n; i++) {
        buf[n++] = s.p[i];
        if (s.p[i] == '.' && !part) buf[n++] = '0';
    }
    if (!frac && !exp) {
        int64_t v;
        if (!sy_num_parse_int64((symbi_str){ buf, n }, &v)) return *why = "the integer does not fit in 64 bits; quote it if it is text", SY_YAML_BAD;
        return *out = sy_val_int(v), SY_YAML_VALUE;
    }
    double d;
    if (!sy_num_parse_double((symbi_str){ buf, n }, &d)) return *why = "the number is too large", SY_YAML_BAD;
    return *out = sy_val_double(d), SY_YAML_VALUE;
}
