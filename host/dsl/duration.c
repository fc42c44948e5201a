/* dsl/duration.c: human durations ("1h 30m", "90 days") by the rules and in the words of the reference library. */
#include "base/chars.h"
#include "base/err.h"
#include "base/str.h"
#include "dsl/dsl.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *unit;
    int64_t num, den; /* milliseconds = n * num / den */
} k_units[] = {
    { "nanos", 1, 1000000 }, { "nsec", 1, 1000000 }, { "ns", 1, 1000000 },
    { "usec", 1, 1000 }, { "us", 1, 1000 }, { "\xc2\xb5s", 1, 1000 },
    { "millis", 1, 1 }, { "msec", 1, 1 }, { "ms", 1, 1 },
    { "seconds", 1000, 1 }, { "second", 1000, 1 }, { "secs", 1000, 1 }, { "sec", 1000, 1 }, { "s", 1000, 1 },
    { "minutes", 60000, 1 }, { "minute", 60000, 1 }, { "min", 60000, 1 }, { "mins", 60000, 1 }, { "m", 60000, 1 },
    { "hours", 3600000, 1 }, { "hour", 3600000, 1 }, { "hr", 3600000, 1 }, { "hrs", 3600000, 1 }, { "h", 3600000, 1 },
    { "days", 86400000, 1 }, { "day", 86400000, 1 }, { "d", 86400000, 1 },
    { "weeks", 604800000, 1 }, { "week", 604800000, 1 }, { "wk", 604800000, 1 }, { "wks", 604800000, 1 }, { "w", 604800000, 1 },
    { "months", 2630016000, 1 }, { "month", 2630016000, 1 }, { "M", 2630016000, 1 },
    { "years", 31557600000, 1 }, { "year", 31557600000, 1 }, { "yr", 31557600000, 1 }, { "yrs", 31557600000, 1 }, { "y", 31557600000, 1 },
};

static bool is_space(unsigned char c) { return c == ' ' || (c >= 9 && c <= 13); }

/* Length of a unit's letter at s[i]; 0 for anything else. */
static size_t letter(symbi_str s, size_t i)
{
    unsigned char c = (unsigned char)s.p[i];
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return 1;
    return c == 0xc2 && i + 1 < s.n && (unsigned char)s.p[i + 1] == 0xb5 ? 2 : 0;
}

static bool add_unit(symbi_str u, uint64_t n, int64_t *ms, char why[120])
{
    for (size_t i = 0; i < sizeof k_units / sizeof k_units[0]; i++) {
        int64_t part;
        if (!sy_str_eqz(u, k_units[i].unit)) continue;
        if (n > INT64_MAX || __builtin_mul_overflow((int64_t)n, k_units[i].num, &part) || __builtin_add_overflow(*ms, part / k_units[i].den, ms)) {
            snprintf(why, 120, "number is too large");
            return false;
        }
        return true;
    }
    if (!u.n) snprintf(why, 120, "time unit needed, for example %llusec or %llums", (unsigned long long)n, (unsigned long long)n);
    else
        snprintf(why, 120, "unknown time unit \"%.*s\", supported units: ns, us, ms, sec, min, hours, days, weeks, months, years (and few variations)", (int)(u.n > 16 ? 16 : u.n), u.p);
    return false;
}

symbi_status sy_dsl_human(symbi_str s, int64_t *ms, char why[120])
{
    size_t i = 0, from, start;
    bool any = false;
    *ms = 0;
    for (;;) {
        uint64_t n = 0;
        for (from = i; i < s.n && is_space((unsigned char)s.p[i]);) i++;
        if (i >= s.n) break;
        if (!sy_is_digit((unsigned char)s.p[i])) {
            snprintf(why, 120, "expected number at %zu", from);
            return SYMBI_EPARSE;
        }
        any = true;
        for (; i < s.n && !letter(s, i); i++) {
            unsigned char c = (unsigned char)s.p[i];
            if (is_space(c)) continue;
            if (!sy_is_digit(c)) {
                snprintf(why, 120, "invalid character at %zu", i);
                return SYMBI_EPARSE;
            }
            if (__builtin_mul_overflow(n, (uint64_t)10, &n) || __builtin_add_overflow(n, (uint64_t)(c - '0'), &n)) {
                snprintf(why, 120, "number is too large");
                return SYMBI_EPARSE;
            }
        }
        for (start = i; i < s.n && !is_space((unsigned char)s.p[i]) && !sy_is_digit((unsigned char)s.p[i]);) {
            size_t k = letter(s, i);
            if (!k) {
                snprintf(why, 120, "invalid character at %zu", i);
                return SYMBI_EPARSE;
            }
            i += k;
        }
        if (!add_unit((symbi_str){ s.p + start, i - start }, n, ms, why)) return SYMBI_EPARSE;
    }
    if (any) return SYMBI_OK;
    snprintf(why, 120, "value was empty");
    return SYMBI_EPARSE;
}

symbi_status symbi_dsl_duration(symbi_str text, int64_t *ms, symbi_err *err)
{
    char why[120];
    if (!sy_dsl_human(text, ms, why)) return SYMBI_OK;
    return sy_fail(err, SYMBI_EPARSE, "%s", why);
}
