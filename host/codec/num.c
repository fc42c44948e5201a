/* codec/num.c: doubles and integers to text. The shortest digits come from Raffaello Giulietti's Schubfach method: scale
 * the rounding interval of the double by a power of ten with 128-bit arithmetic (round to odd keeps it exact), then pick
 * the only candidate with the fewest digits. */
#include "codec/num.h"

#include <string.h>

__extension__ typedef unsigned __int128 u128;

static const char g_pairs[201] = "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
                                 "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

/* Digits of u, at most 20, written so that they end before `end`; returns their start. */
static char *put_digits(uint64_t u, char *end)
{
    while (u >= 100) {
        unsigned r = (unsigned)(u % 100);
        u /= 100;
        end -= 2;
        memcpy(end, g_pairs + 2 * r, 2);
    }
    if (u >= 10) {
        end -= 2;
        memcpy(end, g_pairs + 2 * u, 2);
    } else {
        *--end = (char)('0' + u);
    }
    return end;
}

size_t sy_num_write_uint64(uint64_t u, char *out)
{
    char tmp[20], *p = put_digits(u, tmp + sizeof tmp);
    size_t n = (size_t)(tmp + sizeof tmp - p);
    memcpy(out, p, n);
    return n;
}

size_t sy_num_write_int64(int64_t i, char out[24])
{
    if (i >= 0) return sy_num_write_uint64((uint64_t)i, out);
    out[0] = '-';
    return 1 + sy_num_write_uint64((uint64_t)0 - (uint64_t)i, out + 1);
}

static int floor_log2_pow10(int e) { return (e * 1741647) >> 19; }

/* Upper 64 bits of g * c / 2^64, lowest bit set when anything below was lost. */
static uint64_t round_to_odd(const uint64_t g[2], uint64_t c)
{
    u128 low = (u128)g[1] * c, high = (u128)g[0] * c + (uint64_t)(low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/* d = *digits * 10^*exp with the fewest digits (trailing zeros may remain). frac and bexp are the fields of the double. */
static void shortest(uint64_t frac, unsigned bexp, uint64_t *digits, int *exp)
{
    uint64_t c = frac, lower, upper, vb, s, mid;
    bool odd, narrow, low_in, high_in;
    int q = -1074, k, h;
    const uint64_t *g;
    if (bexp) {
        c |= (uint64_t)1 << 52;
        q = (int)bexp - 1075;
        if (q <= 0 && q > -53 && (c & (((uint64_t)1 << -q) - 1)) == 0) { /* an integer below 2^53: its own digits */
            *digits = c >> -q;
            *exp = 0;
            return;
        }
    }
    odd = c & 1;
    narrow = frac == 0 && bexp > 1; /* a power of two: the gap below is half as wide */
    k = (q * 1262611 - (narrow ? 524031 : 0)) >> 22;
    h = q + floor_log2_pow10(-k) + 1;
    g = sy_num_pow10[-k - SY_POW10_MIN];
    lower = round_to_odd(g, (4 * c - 2 + narrow) << h) + odd;
    vb = round_to_odd(g, (4 * c) << h);
    upper = round_to_odd(g, (4 * c + 2) << h) - odd;
    s = vb / 4;
    if (s >= 10) { /* one digit fewer */
        uint64_t t = s / 10;
        low_in = lower <= 40 * t;
        high_in = 40 * t + 40 <= upper;
        if (low_in != high_in) {
            *digits = t + high_in;
            *exp = k + 1;
            return;
        }
    }
    *exp = k;
    low_in = lower <= 4 * s;
    high_in = 4 * s + 4 <= upper;
    if (low_in != high_in) {
        *digits = s + high_in;
        return;
    }
    mid = 4 * s + 2;
    *digits = s + (vb > mid || (vb == mid && (s & 1)));
}

/* Lays out n digits whose decimal point stands after digit number `point`, by the rules of ECMAScript's Number::toString. */
static size_t layout(const char *dig, int n, int point, int form, char *o)
{
    char *start = o;
    if (n <= point && point <= 21) {
        memcpy(o, dig, (size_t)n);
        memset(o + n, '0', (size_t)(point - n));
        o += point;
        if (form == SY_NUM_JSON) *o++ = '.', *o++ = '0';
    } else if (0 < point && point <= 21) {
        memcpy(o, dig, (size_t)point);
        o[point] = '.';
        memcpy(o + point + 1, dig + point, (size_t)(n - point));
        o += n + 1;
    } else if (-6 < point && point <= 0) {
        *o++ = '0';
        *o++ = '.';
        memset(o, '0', (size_t)-point);
        o += -point;
        memcpy(o, dig, (size_t)n);
        o += n;
    } else {
        int e = point - 1;
        *o++ = *dig;
        if (n > 1) {
            *o++ = '.';
            memcpy(o, dig + 1, (size_t)n - 1);
            o += n - 1;
        }
        *o++ = 'e';
        *o++ = e < 0 ? '-' : '+';
        o += sy_num_write_uint64((uint64_t)(e < 0 ? -e : e), o);
    }
    return (size_t)(o - start);
}

size_t sy_num_write_double(double d, int form, char out[32])
{
    char tmp[20], *end = tmp + sizeof tmp, *p;
    uint64_t bits, frac, digits;
    unsigned bexp;
    int exp;
    size_t neg;
    memcpy(&bits, &d, sizeof bits);
    frac = bits & (((uint64_t)1 << 52) - 1);
    bexp = (unsigned)(bits >> 52) & 0x7ff;
    if (bexp == 0x7ff) return 0;
    neg = bits >> 63;
    if (!(bits << 1)) {
        if (form == SY_NUM_ES) {
            out[0] = '0';
            return 1;
        }
        memcpy(out, "-0.0", 4);
        if (!neg) memmove(out, out + 1, 3);
        return 3 + neg;
    }
    if (neg) *out = '-';
    shortest(frac, bexp, &digits, &exp);
    p = put_digits(digits, end);
    exp += (int)(end - p); /* now the place of the decimal point */
    while (end[-1] == '0') end--;
    return neg + layout(p, (int)(end - p), exp, form, out + neg);
}
