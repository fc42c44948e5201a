/* base/time.c: calendar arithmetic counts in 400-year eras of 146,097 days that begin on 1 March. */
#include "base/time.h"
#include <string.h>
#include <time.h>

static int64_t now(clockid_t id)
{
    struct timespec ts;
    if (clock_gettime(id, &ts)) return 0;
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
static int64_t wall(void *ud) { (void)ud; return now(CLOCK_REALTIME); }
static int64_t mono(void *ud) { (void)ud; return now(CLOCK_MONOTONIC); }

symbi_clock sy_clock_default(void)
{
    symbi_clock c = { wall, mono, NULL };
    return c;
}

int64_t sy_days_from_civil(int64_t y, unsigned m, unsigned d)
{
    int64_t era, yoe, doy;
    y -= m <= 2;
    era = (y >= 0 ? y : y - 399) / 400;
    yoe = y - era * 400;
    doy = (153 * ((int64_t)m + (m > 2 ? -3 : 9)) + 2) / 5 + (int64_t)d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

void sy_civil_from_days(int64_t days, int64_t *y, unsigned *m, unsigned *d)
{
    int64_t era, doe, yoe, doy, mp;
    days += 719468;
    era = (days >= 0 ? days : days - 146096) / 146097;
    doe = days - era * 146097;
    yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    mp = (5 * doy + 2) / 153;
    *d = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
    *m = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
    *y = yoe + era * 400 + (*m <= 2);
}

unsigned sy_days_in_month(int64_t y, unsigned m)
{
    static const unsigned char n[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    if (m < 1 || m > 12) return 0;
    if (m == 2 && (y % 4 == 0 && (y % 100 != 0 || y % 400 == 0))) return 29;
    return n[m - 1];
}

static void put(char *p, int width, int64_t v)
{
    while (width--) {
        p[width] = (char)('0' + v % 10);
        v /= 10;
    }
}

void sy_time_rfc3339(int64_t ms, char out[SY_RFC3339_MS])
{
    const int64_t day = 86400000, lo = -62167219200000, hi = 253402300799999;
    int64_t days, t, y;
    unsigned m, d;
    if (ms < lo) ms = lo;
    if (ms > hi) ms = hi;
    days = (ms >= 0 ? ms : ms - day + 1) / day;
    t = ms - days * day;
    sy_civil_from_days(days, &y, &m, &d);
    put(out, 4, y); out[4] = '-'; put(out + 5, 2, m); out[7] = '-'; put(out + 8, 2, d); out[10] = 'T';
    put(out + 11, 2, t / 3600000); out[13] = ':'; put(out + 14, 2, t / 60000 % 60); out[16] = ':';
    put(out + 17, 2, t / 1000 % 60); out[19] = '.'; put(out + 20, 3, t % 1000); out[23] = 'Z';
    out[24] = 0;
}

/* The n digits at p, at most max; -1 when they are not there. */
static int digits(const char *p, int n, int max)
{
    int v = 0;
    for (int i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9') return -1;
        v = v * 10 + (p[i] - '0');
    }
    return v <= max ? v : -1;
}

static bool letter(char c, char capital, unsigned flags) { return c == capital || ((flags & SY_TIME_ANY_CASE) && c == (capital | 32)); }

bool sy_time_parse(symbi_str s, unsigned flags, int64_t *seconds, int *millis)
{
    const char *p = s.p;
    int y, mo, d, h, mi, sec, zh, zm, ms = 0, unit = 100, zone = 0;
    size_t i = 19;
    if (s.n < 20 || p[4] != '-' || p[7] != '-' || p[13] != ':' || p[16] != ':') return false;
    if (!letter(p[10], 'T', flags) && !((flags & SY_TIME_SPACE) && p[10] == ' ')) return false;
    y = digits(p, 4, 9999);
    mo = digits(p + 5, 2, 12);
    d = digits(p + 8, 2, 31);
    h = digits(p + 11, 2, 23);
    mi = digits(p + 14, 2, 59);
    sec = digits(p + 17, 2, flags & SY_TIME_LEAP ? 60 : 59);
    if (y < 0 || mo < 1 || d < 1 || (unsigned)d > sy_days_in_month(y, (unsigned)mo) || h < 0 || mi < 0 || sec < 0) return false;
    if (p[i] == '.') {
        for (i++; i < s.n && p[i] >= '0' && p[i] <= '9'; i++, unit /= 10) ms += unit * (p[i] - '0');
        if (i == 20) return false;
    }
    if (i + 6 == s.n && (p[i] == '+' || p[i] == '-') && p[i + 3] == ':') {
        if ((zh = digits(p + i + 1, 2, 23)) < 0 || (zm = digits(p + i + 4, 2, 59)) < 0) return false;
        zone = (zh * 60 + zm) * (p[i] == '-' ? -60 : 60);
    } else if (i + 1 != s.n || !letter(p[i], 'Z', flags)) {
        return false;
    }
    *seconds = sy_days_from_civil(y, (unsigned)mo, (unsigned)d) * 86400 + h * 3600 + mi * 60 + sec - zone;
    if (millis) *millis = ms;
    return true;
}

bool sy_time_parse_http(symbi_str s, int64_t *seconds)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const char *p = s.p;
    unsigned month = 0;
    int y, d, h, mi, sec;
    if (s.n != 29 || memcmp(p + 3, ", ", 2) || p[7] != ' ' || p[11] != ' ' || p[16] != ' ' || p[19] != ':' || p[22] != ':' || memcmp(p + 25, " GMT", 4)) return false;
    while (month < 12 && memcmp(p + 8, months + month * 3, 3)) month++;
    d = digits(p + 5, 2, 31);
    y = digits(p + 12, 4, 9999);
    h = digits(p + 17, 2, 23);
    mi = digits(p + 20, 2, 59);
    sec = digits(p + 23, 2, 60);
    if (month == 12 || y < 0 || d < 1 || (unsigned)d > sy_days_in_month(y, month + 1) || h < 0 || mi < 0 || sec < 0) return false;
    *seconds = sy_days_from_civil(y, month + 1, (unsigned)d) * 86400 + h * 3600 + mi * 60 + sec;
    return true;
}
