/* codec/num_read.c: text to numbers, correctly rounded. Three steps, each exact where it answers: small operands by one
 * multiplication or division (Clinger), up to 19 digits by a 128-bit product with a table of powers of ten (Eisel and
 * Lemire; Mushtak and Lemire showed that it needs no further digits), more digits by comparing big integers with the
 * midpoint between the two candidates. */
#include "codec/num.h"

#include <string.h>

__extension__ typedef unsigned __int128 u128;

enum { MAX_DIGITS = 800 }; /* 768 decide any double; what follows them only matters as "not zero" */

/* ---- up to 19 digits ---- */

static double from_bits(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

static const uint64_t g_infinity = (uint64_t)0x7ff << 52;

/* Bits of the double nearest to w * 10^q (w not 0). */
static uint64_t eisel_lemire(uint64_t w, int64_t q)
{
    uint64_t hi, lo, t0, t1, mant;
    u128 prod;
    int lz, upper, e2;
    if (q < SY_POW10_MIN) return 0;
    if (q > 308) return g_infinity;
    t0 = sy_num_pow10[q - SY_POW10_MIN][0];
    t1 = sy_num_pow10[q - SY_POW10_MIN][1];
    if (q < -27 || q > 55) t0 -= t1-- == 0; /* the method wants these rounded down; the table rounds up */
    lz = __builtin_clzll(w);
    w <<= lz;
    prod = (u128)w * t0;
    if (((uint64_t)(prod >> 64) & 0x1ff) == 0x1ff) prod += (uint64_t)(((u128)w * t1) >> 64);
    hi = (uint64_t)(prod >> 64);
    lo = (uint64_t)prod;
    upper = (int)(hi >> 63);
    mant = hi >> (upper + 9); /* 53 bits and one to round with */
    e2 = (int)((217706 * q) >> 16) + 63 + upper - lz + 1023;
    if (e2 <= 0) { /* subnormal */
        if (e2 <= -63) return 0;
        mant >>= 1 - e2;
        mant += mant & 1;
        return mant >> 1; /* a carry into bit 52 is the right encoding as it stands */
    }
    /* exactly half way: to even, not up */
    if (lo <= 1 && q >= -4 && q <= 23 && (mant & 3) == 1 && mant << (upper + 9) == hi) mant &= ~(uint64_t)1;
    mant += mant & 1;
    mant >>= 1;
    if (mant >> 53) {
        mant >>= 1;
        e2++;
    }
    if (e2 >= 0x7ff) return g_infinity;
    return (mant & (((uint64_t)1 << 52) - 1)) | (uint64_t)e2 << 52;
}

/* ---- more digits ---- */

enum { BIG_WORDS = 128 };
typedef struct big {
    uint32_t w[BIG_WORDS]; /* little end first */
    int n;
} big;

static void big_mul_add(big *b, uint32_t m, uint32_t add)
{
    uint64_t carry = add;
    for (int i = 0; i < b->n; i++) {
        carry += (uint64_t)b->w[i] * m;
        b->w[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry && b->n < BIG_WORDS) b->w[b->n++] = (uint32_t)carry;
}

static void big_mul_pow5(big *b, int64_t e)
{
    for (; e >= 13; e -= 13) big_mul_add(b, 1220703125u, 0);
    for (; e > 0; e--) big_mul_add(b, 5, 0);
}

static void big_shift(big *b, int64_t bits)
{
    int words = (int)(bits / 32), r = (int)(bits % 32);
    if (r) big_mul_add(b, (uint32_t)1 << r, 0);
    if (!words || !b->n || b->n + words > BIG_WORDS) return;
    memmove(b->w + words, b->w, (size_t)b->n * sizeof b->w[0]);
    memset(b->w, 0, (size_t)words * sizeof b->w[0]);
    b->n += words;
}

static int big_cmp(const big *a, const big *b)
{
    if (a->n != b->n) return a->n < b->n ? -1 : 1;
    for (int i = a->n; i-- > 0;)
        if (a->w[i] != b->w[i]) return a->w[i] < b->w[i] ? -1 : 1;
    return 0;
}

/* The value is the digits of [p, end) (points skipped, first one not 0) times 10^exp, where exp counts for the last digit.
 * low is the double at or below it, the answer is low or the next one up. Both big numbers are close to each other, so
 * that neither outgrows about 2,700 bits. */
static uint64_t settle(const char *p, const char *end, int64_t exp, uint64_t low)
{
    big v = { .n = 0 }, m = { .n = 0 };
    uint64_t frac = low & (((uint64_t)1 << 52) - 1);
    int bexp = (int)(low >> 52), count = 0;
    int64_t e2 = (bexp ? bexp : 1) - 1075 - 1; /* of the midpoint below */
    bool more = false;
    int c;
    if (bexp) frac |= (uint64_t)1 << 52;
    frac = 2 * frac + 1;
    m.w[0] = (uint32_t)frac;
    m.w[1] = (uint32_t)(frac >> 32);
    m.n = m.w[1] ? 2 : 1;
    for (; p < end; p++) {
        if (*p == '.') continue;
        if (count < MAX_DIGITS) {
            big_mul_add(&v, 10, (uint32_t)(*p - '0'));
            count++;
        } else {
            more |= *p != '0';
            exp++;
        }
    }
    if (more) {
        big_mul_add(&v, 10, 1);
        exp--;
    }
    if (exp >= 0) big_mul_pow5(&v, exp);
    else big_mul_pow5(&m, -exp);
    if (exp >= e2) big_shift(&v, exp - e2);
    else big_shift(&m, e2 - exp);
    c = big_cmp(&v, &m);
    if (c == 0) c = (low & 1) ? 1 : -1;
    return c > 0 ? low + 1 : low; /* + 1 is the next double, or infinity after the largest */
}

/* ---- the scanner ---- */

static bool is_digit(char c) { return (unsigned char)(c - '0') < 10; }

/* Eight digits at once: all of them digits? */
static bool eight_digits(const char *p, uint64_t *value)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t x;
    memcpy(&x, p, 8);
    if (((x & 0xf0f0f0f0f0f0f0f0u) | (((x + 0x0606060606060606u) & 0xf0f0f0f0f0f0f0f0u) >> 4)) != 0x3333333333333333u) return false;
    x -= 0x3030303030303030u;
    x = x * 10 + (x >> 8); /* pairs, in the even bytes */
    *value = (((x & 0x000000ff000000ffu) * 0x000f424000000064u) + (((x >> 16) & 0x000000ff000000ffu) * 0x0000271000000001u)) >> 32;
    return true;
#else
    (void)p, (void)value;
    return false;
#endif
}

static const char *digits(const char *p, const char *end, uint64_t *w)
{
    uint64_t acc = *w, eight;
    while (end - p >= 8 && eight_digits(p, &eight)) {
        acc = acc * 100000000u + eight;
        p += 8;
    }
    while (p < end && is_digit(*p)) acc = acc * 10 + (uint64_t)(*p++ - '0');
    *w = acc;
    return p;
}

/* The double for the digits from `first` to `last` (a point may stand between) with exponent exp on the last digit. w holds
 * them all when there are at most 19. */
static double to_double(const char *first, const char *last, uint64_t w, int64_t count, int64_t exp)
{
    static const double pow10[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    uint64_t low;
    int64_t top;
    int kept;
    if (count > 19) { /* leading zeros do not count */
        while (first < last && (*first == '0' || *first == '.')) {
            if (*first == '0') count--;
            first++;
        }
    }
    if (count <= 19) {
        if (w == 0) return 0.0;
        if (w <= (uint64_t)1 << 53 && exp >= -22 && exp <= 22) {
            double d = (double)w;
            return exp < 0 ? d / pow10[-exp] : d * pow10[exp];
        }
        return from_bits(eisel_lemire(w, exp));
    }
    w = 0;
    kept = 0;
    for (const char *p = first; kept < 19; p++) {
        if (*p == '.') continue;
        w = w * 10 + (uint64_t)(*p - '0');
        kept++;
    }
    top = exp + (count - 19);
    low = eisel_lemire(w, top);
    if (low == g_infinity || low == eisel_lemire(w + 1, top)) return from_bits(low);
    return from_bits(settle(first, last, exp, low));
}

sy_num_kind sy_num_scan(const char *p, const char *end, sy_num *out)
{
    const char *first, *last, *dot = NULL;
    uint64_t w = 0;
    int64_t count, exp = 0;
    bool neg = false, real = false;
    out->kind = SY_NUM_BAD;
    if (p < end && *p == '-') {
        neg = true;
        p++;
    }
    out->p = first = p;
    if (p == end || !is_digit(*p)) return SY_NUM_BAD;
    if (*p == '0') {
        p++;
        if (p < end && is_digit(*p)) return SY_NUM_BAD; /* out->p stays at the leading zero */
    } else {
        p = digits(p, end, &w);
    }
    count = p - first;
    last = p;
    if (p < end && *p == '.') {
        dot = ++p;
        if (p == end || !is_digit(*p)) {
            out->p = p;
            return SY_NUM_BAD;
        }
        last = p = digits(p, end, &w);
        exp = dot - p;
        count += p - dot;
        real = true;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        bool eneg = false;
        int64_t e = 0;
        p++;
        if (p < end && (*p == '+' || *p == '-')) eneg = *p++ == '-';
        if (p == end || !is_digit(*p)) {
            out->p = p;
            return SY_NUM_BAD;
        }
        for (; p < end && is_digit(*p); p++)
            if (e < 100000000000000) e = e * 10 + (*p - '0');
        exp += eneg ? -e : e;
        real = true;
    }
    out->p = p;
    if (!real) {
        bool fits = count <= 18;
        if (!fits && count == 19) fits = w <= (uint64_t)INT64_MAX + neg; /* 19 digits cannot wrap */
        if (fits) {
            out->i = (int64_t)(neg ? (uint64_t)0 - w : w);
            return out->kind = SY_NUM_INT;
        }
        out->d = to_double(first, last, w, count, 0);
        if (neg) out->d = -out->d;
        return out->kind = SY_NUM_BIGINT;
    }
    out->d = to_double(first, last, w, count, exp);
    out->kind = out->d > 1.7976931348623157e308 ? SY_NUM_OVERFLOW : SY_NUM_DOUBLE;
    if (neg) out->d = -out->d;
    return out->kind;
}

bool sy_num_parse_double(symbi_str s, double *out)
{
    sy_num n;
    if (!s.n) return false;
    switch (sy_num_scan(s.p, s.p + s.n, &n)) {
    case SY_NUM_INT:
        if (n.p != s.p + s.n) return false;
        *out = n.i == 0 && *s.p == '-' ? -0.0 : (double)n.i;
        return true;
    case SY_NUM_DOUBLE:
    case SY_NUM_BIGINT:
        if (n.p != s.p + s.n || n.d > 1.7976931348623157e308 || n.d < -1.7976931348623157e308) return false;
        *out = n.d;
        return true;
    case SY_NUM_BAD:
    case SY_NUM_OVERFLOW: break;
    }
    return false;
}

bool sy_num_parse_int64(symbi_str s, int64_t *out)
{
    sy_num n;
    if (!s.n || sy_num_scan(s.p, s.p + s.n, &n) != SY_NUM_INT || n.p != s.p + s.n) return false;
    *out = n.i;
    return true;
}
