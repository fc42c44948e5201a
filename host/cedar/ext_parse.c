/* cedar/ext_parse.c: the strings of the extension constructors (spec 7). Strict: whole string, ASCII digits, ranges checked. */
#include "base/chars.h"
#include "base/str.h"
#include "base/time.h"
#include "cedar/ext.h"

#include <string.h>

bool sy_cext_decimal(symbi_str s, int64_t *out, const char **why)
{
    size_t i = 0, dot, frac;
    bool neg = s.n && s.p[0] == '-', over = false;
    int64_t v = 0;
    if (neg) i++;
    dot = i;
    while (dot < s.n && sy_is_digit(s.p[dot])) dot++;
    frac = dot + 1;
    while (frac < s.n && sy_is_digit(s.p[frac])) frac++;
    if (dot == i || dot >= s.n || s.p[dot] != '.' || frac != s.n || frac == dot + 1) {
        *why = "is not a well-formed decimal value (such as 1.5)";
        return false;
    }
    if (s.n - dot - 1 > 4) {
        *why = "has too many digits after the point (at most 4)";
        return false;
    }
    /* digits are added with their sign, so that the smallest value is reached without overflow */
    for (size_t k = i; k < dot + 5 && !over; k++) {
        int d = k == dot ? -1 : k < s.n ? s.p[k] - '0' : 0;
        if (d < 0) continue;
        over = __builtin_mul_overflow(v, (int64_t)10, &v) || __builtin_add_overflow(v, (int64_t)(neg ? -d : d), &v);
    }
    if (over) {
        *why = "is out of range for a decimal";
        return false;
    }
    *out = v;
    return true;
}

static bool ip4(symbi_str s, uint8_t out[16])
{
    size_t i = 0;
    for (int k = 0; k < 4; k++) {
        unsigned v = 0;
        size_t st = i;
        while (i < s.n && sy_is_digit(s.p[i]) && i - st < 3) v = v * 10 + (unsigned)(s.p[i++] - '0');
        if (i == st || v > 255 || (i - st > 1 && s.p[st] == '0')) return false;
        out[k] = (uint8_t)v;
        if (k < 3 && (i >= s.n || s.p[i++] != '.')) return false;
    }
    return i == s.n;
}

static bool ip6(symbi_str s, uint8_t out[16])
{
    unsigned g[8], n = 0;
    int gap = -1;
    size_t i = 0;
    memset(out, 0, 16);
    if (s.n >= 2 && s.p[0] == ':') {
        if (s.p[1] != ':') return false;
        gap = 0;
        i = 2;
    }
    while (i < s.n) {
        unsigned v = 0, k = 0;
        if (n == 8) return false;
        while (i < s.n && sy_hex(s.p[i]) >= 0) {
            if (++k > 4) return false;
            v = v << 4 | (unsigned)sy_hex(s.p[i++]);
        }
        if (!k) return false;
        g[n++] = v;
        if (i == s.n) break;
        if (s.p[i++] != ':') return false;
        if (i < s.n && s.p[i] == ':') {
            if (gap >= 0) return false;
            gap = (int)n;
            i++;
        } else if (i == s.n) {
            return false; /* a single colon at the end */
        }
    }
    if (gap < 0 ? n != 8 : n > 7) return false; /* "::" stands for at least one group */
    for (unsigned k = 0; k < n; k++) {
        unsigned at = gap >= 0 && k >= (unsigned)gap ? 8 - n + k : k;
        out[2 * at] = (uint8_t)(g[k] >> 8);
        out[2 * at + 1] = (uint8_t)g[k];
    }
    return true;
}

bool sy_cext_ip(symbi_str s, sy_cip *out, const char **why)
{
    size_t slash = 0, colons = 0, dots = 0;
    symbi_str addr, pre;
    unsigned p = 0, max;
    *why = "is not an IP address or range";
    if (s.n > 43) {
        *why = "is too long for an IP address";
        return false;
    }
    for (size_t i = 0; i < s.n; i++) colons += s.p[i] == ':', dots += s.p[i] == '.';
    if (colons >= 2 && dots >= 2) {
        *why = "mixes IPv6 with IPv4, which Cedar does not accept";
        return false;
    }
    while (slash < s.n && s.p[slash] != '/') slash++;
    addr.p = s.p;
    addr.n = slash;
    memset(out, 0, sizeof *out);
    if (ip4(addr, out->addr)) {
        out->v6 = 0;
        max = 32;
    } else {
        memset(out->addr, 0, 16);
        if (!ip6(addr, out->addr)) return false;
        out->v6 = 1;
        max = 128;
    }
    out->prefix = (uint8_t)max;
    if (slash == s.n) return true;
    pre.p = s.p + slash + 1;
    pre.n = s.n - slash - 1;
    *why = "has a malformed prefix length";
    if (!pre.n || pre.n > (max == 32 ? 2u : 3u) || (pre.p[0] == '0' && pre.n > 1)) return false;
    for (size_t i = 0; i < pre.n; i++) {
        if (!sy_is_digit(pre.p[i])) return false;
        p = p * 10 + (unsigned)(pre.p[i] - '0');
    }
    if (p > max) {
        *why = "has a prefix length that is too large";
        return false;
    }
    out->prefix = (uint8_t)p;
    return true;
}

/* Reads exactly n digits at *i. */
static bool fixed(symbi_str s, size_t *i, unsigned n, unsigned *v)
{
    *v = 0;
    while (n--) {
        if (*i >= s.n || !sy_is_digit(s.p[*i])) return false;
        *v = *v * 10 + (unsigned)(s.p[(*i)++] - '0');
    }
    return true;
}
static bool lit(symbi_str s, size_t *i, char c) { return *i < s.n && s.p[*i] == c && ++*i; }

bool sy_cext_datetime(symbi_str s, int64_t *out, const char **why)
{
    size_t i = 0;
    unsigned y, mo, d, h = 0, mi = 0, sec = 0, ms = 0, oh = 0, om = 0;
    int64_t off = 0;
    *why = "is not a datetime (YYYY-MM-DD, or with Thh:mm:ss[.SSS] and Z or +hhmm)";
    if (!fixed(s, &i, 4, &y) || !lit(s, &i, '-') || !fixed(s, &i, 2, &mo) || !lit(s, &i, '-') || !fixed(s, &i, 2, &d)) return false;
    if (i < s.n) {
        if (!lit(s, &i, 'T') || !fixed(s, &i, 2, &h) || !lit(s, &i, ':') || !fixed(s, &i, 2, &mi) || !lit(s, &i, ':') || !fixed(s, &i, 2, &sec))
            return false;
        if (i < s.n && s.p[i] == '.' && (i++, !fixed(s, &i, 3, &ms))) return false;
        if (!lit(s, &i, 'Z')) {
            bool neg = i < s.n && s.p[i] == '-';
            if (i >= s.n || (s.p[i] != '+' && s.p[i] != '-')) return false;
            i++;
            if (!fixed(s, &i, 2, &oh) || !fixed(s, &i, 2, &om)) return false;
            off = (int64_t)(oh * 60 + om) * 60000;
            if (neg) off = -off;
        }
        if (i != s.n) return false;
    }
    *why = "has a part that is out of range";
    if (mo < 1 || mo > 12 || d < 1 || d > sy_days_in_month(y, mo) || h > 23 || mi > 59 || sec > 59 || oh > 23 || om > 59) return false;
    *out = sy_days_from_civil(y, mo, d) * 86400000 + (int64_t)((h * 60 + mi) * 60 + sec) * 1000 + ms - off;
    return true;
}

bool sy_cext_duration(symbi_str s, int64_t *out, const char **why)
{
    static const struct { const char *unit; int64_t ms; } units[] = { { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 } };
    size_t i = 0, next = 0;
    bool neg = s.n && s.p[0] == '-';
    int64_t total = 0;
    if (neg) i++;
    *why = "is not a duration (such as 1d2h3m4s5ms)";
    if (i == s.n) return false;
    while (i < s.n) {
        int64_t v = 0;
        size_t st = i, u, k;
        bool over = false;
        while (i < s.n && sy_is_digit(s.p[i])) {
            int d = s.p[i++] - '0';
            over = over || __builtin_mul_overflow(v, (int64_t)10, &v) || __builtin_add_overflow(v, (int64_t)(neg ? -d : d), &v);
        }
        if (i == st || i == s.n) return false;
        k = s.p[i] == 'm' && i + 1 < s.n && s.p[i + 1] == 's' ? 2 : 1;
        for (u = next; u < 5; u++)
            if (strlen(units[u].unit) == k && !memcmp(units[u].unit, s.p + i, k)) break;
        if (u == 5) return false;
        i += k;
        next = u + 1;
        if (over || __builtin_mul_overflow(v, units[u].ms, &v) || __builtin_add_overflow(total, v, &total)) {
            *why = "is too long for a duration";
            return false;
        }
    }
    *out = total;
    return true;
}
