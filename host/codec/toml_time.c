/* codec/toml_time.c: the four date-time kinds of TOML 1.0 (RFC 3339 profile), range-checked and normalised: upper-case T
 * and Z, one T between date and time, at most nine fraction digits (more are cut, as the specification allows). */
#include "base/err.h"
#include "base/time.h"
#include "codec/toml_in.h"
#include <string.h>

/* n decimal digits at s[*i], advancing; -1 when they are not all digits. */
static int toml_digits(symbi_str s, size_t *i, size_t n)
{
    int v = 0;
    if (s.n - *i < n) return -1;
    for (size_t k = 0; k < n; k++) {
        char c = s.p[*i + k];
        if (c < '0' || c > '9') return -1;
        v = v * 10 + (c - '0');
    }
    *i += n;
    return v;
}

static bool toml_lit(symbi_str s, size_t *i, char c)
{
    if (*i >= s.n || s.p[*i] != c) return false;
    (*i)++;
    return true;
}

/* n digits, then c: enough to know what the writer meant. */
static bool toml_looks(symbi_str s, size_t n, char c)
{
    size_t i = 0;
    return s.n > n && toml_digits(s, &i, n) >= 0 && s.p[n] == c;
}

static symbi_status toml_time_bad(sy_toml *t, symbi_str s, const char *why)
{
    return sy_toml_fail(t, s.p, SYMBI_EPARSE, "'%.*s' is not a date-time: %s", SY_FMT(s), why);
}

static symbi_status toml_date_part(sy_toml *t, symbi_str s, size_t *i)
{
    int y = toml_digits(s, i, 4), m, d;
    if (y < 0 || !toml_lit(s, i, '-') || (m = toml_digits(s, i, 2)) < 0 || !toml_lit(s, i, '-') || (d = toml_digits(s, i, 2)) < 0)
        return toml_time_bad(t, s, "a date is written YYYY-MM-DD");
    if (m < 1 || m > 12) return toml_time_bad(t, s, "the month must be 01 to 12");
    if (d < 1 || (unsigned)d > sy_days_in_month(y, (unsigned)m)) return toml_time_bad(t, s, "that month has no such day");
    return SYMBI_OK;
}

static symbi_status toml_time_part(sy_toml *t, symbi_str s, size_t *i)
{
    int h = toml_digits(s, i, 2), m, sec;
    if (h < 0 || !toml_lit(s, i, ':') || (m = toml_digits(s, i, 2)) < 0 || !toml_lit(s, i, ':') || (sec = toml_digits(s, i, 2)) < 0)
        return toml_time_bad(t, s, "a time is written hh:mm:ss");
    if (h > 23) return toml_time_bad(t, s, "the hour must be 00 to 23");
    if (m > 59) return toml_time_bad(t, s, "the minute must be 00 to 59");
    if (sec > 59) return toml_time_bad(t, s, "the second must be 00 to 59");
    if (toml_lit(s, i, '.')) {
        size_t from = *i;
        while (*i < s.n && s.p[*i] >= '0' && s.p[*i] <= '9') (*i)++;
        if (*i == from) return toml_time_bad(t, s, "digits must follow the '.'");
    }
    return SYMBI_OK;
}

static symbi_status toml_offset_part(sy_toml *t, symbi_str s, size_t *i)
{
    int h, m;
    if (s.p[*i] == 'Z' || s.p[*i] == 'z') {
        (*i)++;
        return SYMBI_OK;
    }
    if (s.p[*i] != '+' && s.p[*i] != '-') return toml_time_bad(t, s, "what follows the time is no offset (Z, +hh:mm or -hh:mm)");
    (*i)++;
    if ((h = toml_digits(s, i, 2)) < 0 || !toml_lit(s, i, ':') || (m = toml_digits(s, i, 2)) < 0)
        return toml_time_bad(t, s, "an offset is written Z, +hh:mm or -hh:mm");
    if (h > 23 || m > 59) return toml_time_bad(t, s, "the offset must be within 23:59");
    return SYMBI_OK;
}

symbi_status sy_toml_time(sy_toml *t, symbi_str s, symbi_value *out)
{
    symbi_status st;
    size_t i = 0, n = 0, date = 0, frac = 0;
    bool has_date = toml_looks(s, 4, '-'), zoned = false;
    char *o;
    if (!has_date && !toml_looks(s, 2, ':')) return SYMBI_ENOTFOUND;
    if (has_date) {
        if ((st = toml_date_part(t, s, &i))) return st;
        date = i;
        if (i < s.n) {
            if (s.p[i] != 'T' && s.p[i] != 't' && s.p[i] != ' ') return toml_time_bad(t, s, "T or a blank must stand between date and time");
            i++;
        }
    }
    if (!has_date || i > date) {
        if ((st = toml_time_part(t, s, &i))) return st;
        if (i < s.n) {
            if (!has_date) return toml_time_bad(t, s, "a time without a date takes no offset");
            if ((st = toml_offset_part(t, s, &i))) return st;
            zoned = true;
        }
        if (i < s.n) return toml_time_bad(t, s, "there is text after it");
    }
    o = sy_arena_alloc(&t->doc->arena, s.n + 1);
    if (!o) return sy_toml_nomem(t);
    for (i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == 't' || c == ' ') c = 'T';
        if (c == 'z') c = 'Z';
        if (c == '.') frac = 1;
        else if (frac && (c < '0' || c > '9')) frac = 0;
        else if (frac && frac++ > 9) continue;
        o[n++] = c;
    }
    o[n] = 0;
    memset(out, 0, sizeof *out);
    out->kind = SYMBI_TIME;
    out->sub = !has_date ? SYMBI_TIME_LOCAL_TIME : zoned ? SYMBI_TIME_OFFSET_DATETIME : s.n == date ? SYMBI_TIME_LOCAL_DATE : SYMBI_TIME_LOCAL_DATETIME;
    out->u.s.p = o;
    out->u.s.n = n;
    return SYMBI_OK;
}
