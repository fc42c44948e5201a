/* Unit tests of codec/num: shortest writing and correctly rounded reading of doubles, 64-bit integers, the table of powers
 * of ten. The C library (in the C locale) is the reference for reading; the samples of writing are RFC 8785 appendix B. */
#include "codec/num.h"
#include "test.h"

#include <locale.h>
#include <math.h>

static uint64_t g_rand = 88172645463325252u;
static uint64_t next_rand(void)
{
    g_rand ^= g_rand << 13;
    g_rand ^= g_rand >> 7;
    g_rand ^= g_rand << 17;
    return g_rand;
}

static double from_bits(uint64_t b)
{
    double d;
    memcpy(&d, &b, sizeof d);
    return d;
}

static uint64_t to_bits(double d)
{
    uint64_t b;
    memcpy(&b, &d, sizeof b);
    return b;
}

static const char *write_z(double d, int form)
{
    static char out[33];
    size_t n = sy_num_write_double(d, form, out);
    out[n] = 0;
    return out;
}

static bool read_z(const char *z, double *d) { return sy_num_parse_double(symbi_str_z(z), d); }

static void test_rfc8785_samples(void)
{
    static const struct {
        uint64_t bits;
        const char *text;
    } t[] = {
        { 0x0000000000000000u, "0" },
        { 0x8000000000000000u, "0" },
        { 0x0000000000000001u, "5e-324" },
        { 0x8000000000000001u, "-5e-324" },
        { 0x7fefffffffffffffu, "1.7976931348623157e+308" },
        { 0xffefffffffffffffu, "-1.7976931348623157e+308" },
        { 0x4340000000000000u, "9007199254740992" },
        { 0xc340000000000000u, "-9007199254740992" },
        { 0x4430000000000000u, "295147905179352830000" },
        { 0x44b52d02c7e14af5u, "9.999999999999997e+22" },
        { 0x44b52d02c7e14af6u, "1e+23" },
        { 0x44b52d02c7e14af7u, "1.0000000000000001e+23" },
        { 0x444b1ae4d6e2ef4eu, "999999999999999700000" },
        { 0x444b1ae4d6e2ef4fu, "999999999999999900000" },
        { 0x444b1ae4d6e2ef50u, "1e+21" },
        { 0x3eb0c6f7a0b5ed8cu, "9.999999999999997e-7" },
        { 0x3eb0c6f7a0b5ed8du, "0.000001" },
        { 0x41b3de4355555553u, "333333333.3333332" },
        { 0x41b3de4355555554u, "333333333.33333325" },
        { 0x41b3de4355555555u, "333333333.3333333" },
        { 0x41b3de4355555556u, "333333333.3333334" },
        { 0x41b3de4355555557u, "333333333.33333343" },
        { 0xbecbf647612f3696u, "-0.0000033333333333333333" },
        { 0x43143ff3c1cb0959u, "1424953923781206.2" }, /* half way between two candidates: to the even digit, down ... */
        { 0x43143ff3c1cb095bu, "1424953923781206.8" }, /* ... and up */
        /* a power of two whose nearest 16 digits lie outside the narrow side of its interval: 16 others lie inside */
        { 0x4830000000000000u, "5.444517870735016e+39" },
        { 0x4340000000000001u, "9007199254740994" },
        { 0x000fffffffffffffu, "2.225073858507201e-308" },
        { 0x0010000000000000u, "2.2250738585072014e-308" },
    };
    char out[32];
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        CHECK_STR(symbi_str_z(write_z(from_bits(t[i].bits), SY_NUM_ES)), t[i].text);
    }
    CHECK(sy_num_write_double((double)NAN, SY_NUM_ES, out) == 0);
    CHECK(sy_num_write_double((double)INFINITY, SY_NUM_JSON, out) == 0);
    CHECK(sy_num_write_double((double)-INFINITY, SY_NUM_JSON, out) == 0);
}

static void test_json_form_keeps_the_kind(void)
{
    static const struct {
        double d;
        const char *text;
    } t[] = { { 0.0, "0.0" },   { -0.0, "-0.0" },  { 1, "1.0" },    { -1, "-1.0" },       { 1.5, "1.5" },
              { 100, "100.0" }, { 1e15, "1000000000000000.0" }, { 1e20, "100000000000000000000.0" },
              { 1e21, "1e+21" }, { 1e-7, "1e-7" },  { 0.1, "0.1" },  { 123456789.125, "123456789.125" } };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        sy_num n;
        const char *z = write_z(t[i].d, SY_NUM_JSON);
        CHECK_STR(symbi_str_z(z), t[i].text);
        CHECK(sy_num_scan(z, z + strlen(z), &n) == SY_NUM_DOUBLE && to_bits(n.d) == to_bits(t[i].d));
    }
}

/* Fewest digits that read back as d, by trying. */
static int fewest(double d)
{
    char t[40];
    for (int p = 0; p < 17; p++) {
        snprintf(t, sizeof t, "%.*e", p, d);
        if (strtod(t, NULL) == d) return p + 1;
    }
    return 17;
}

static int count_digits(const char *z)
{
    char dig[40];
    int n = 0, a = 0;
    for (; *z && *z != 'e'; z++)
        if (*z >= '0' && *z <= '9') dig[n++] = *z;
    while (a < n - 1 && dig[a] == '0') a++;
    while (n > a + 1 && dig[n - 1] == '0') n--;
    return n - a;
}

static double random_double(int i)
{
    uint64_t b = next_rand();
    double d;
    if (i % 8 == 1) b &= 0x800fffffffffffffu;              /* subnormal */
    if (i % 8 == 2) b &= 0xfff0000000000000u;              /* power of two */
    if (i % 8 == 3) b = (b & 0x800fffffffffffffu) | (uint64_t)(1023 + next_rand() % 64) << 52;
    if (i % 8 == 4) return (double)(int64_t)(next_rand() % 2000000) / 1000;
    d = from_bits(b);
    return isfinite(d) ? d : 1.0;
}

static void test_write_is_shortest_and_reads_back(void)
{
    for (int i = 0; i < 60000; i++) {
        double d = random_double(i), back, lib;
        const char *z = write_z(d, SY_NUM_JSON);
        lib = strtod(z, NULL);
        if (to_bits(lib) != to_bits(d) || !read_z(z, &back) || to_bits(back) != to_bits(d) || (d != 0 && count_digits(z) > fewest(d))) {
            printf("%a is written as %s\n", d, z);
            CHECK(0);
            return;
        }
    }
    for (int e = 1; e < 2046; e++) { /* every power of two */
        double d = from_bits((uint64_t)e << 52);
        const char *z = write_z(d, SY_NUM_ES);
        CHECK(strtod(z, NULL) == d && count_digits(z) <= fewest(d));
    }
}

/* j * 10^k that lies exactly between two doubles: j's digits, which belong to the even one, are still its shortest text. The
 * scaled bounds are whole numbers here, where an inexact power of ten must not be taken for something left over. */
static void test_write_at_the_bounds(void)
{
    for (int k = 1; k <= 22; k++) {
        uint64_t five = 1, lo, hi;
        for (int i = 0; i < k; i++) five *= 5;
        lo = ((uint64_t)1 << 53) / five + 1;
        hi = ((uint64_t)1 << 54) / five;
        for (int i = 0; i < 500 && lo < hi; i++) {
            uint64_t j = (lo + next_rand() % (hi - lo)) | 1;
            char z[40];
            double d;
            snprintf(z, sizeof z, "%llue%d", (unsigned long long)j, k);
            d = strtod(z, NULL);
            if (count_digits(write_z(d, SY_NUM_ES)) > count_digits(z)) {
                printf("%s is written as %s\n", z, write_z(d, SY_NUM_ES));
                CHECK(0);
                return;
            }
        }
    }
}

static bool agrees(const char *z)
{
    double lib = strtod(z, NULL), d = 0;
    bool ok = read_z(z, &d);
    if (isinf(lib) ? !ok : ok && to_bits(d) == to_bits(lib)) return true;
    printf("%s: %s %a, the C library %a\n", z, ok ? "read as" : "refused", d, lib);
    return false;
}

static void test_read_agrees_with_strtod(void)
{
    char z[1400];
    for (int i = 0; i < 60000; i++) {
        double d = random_double(i);
        snprintf(z, sizeof z, "%.*e", (int)(next_rand() % 25), d);
        if (!agrees(z)) {
            CHECK(0);
            return;
        }
        snprintf(z, sizeof z, "%s%llue%d", i & 1 ? "-" : "", (unsigned long long)next_rand() >> (i % 60), (int)(next_rand() % 700) - 350);
        if (!agrees(z)) {
            CHECK(0);
            return;
        }
    }
}

/* Texts of the exact midpoint between two doubles, and just above and below it. */
static void test_read_midpoints(void)
{
    char z[1400];
    for (int i = 0; i < 1500; i++) {
        uint64_t b = to_bits(random_double(i)) & 0x7fffffffffffffffu;
        long double lo, hi, mid;
        int len;
        if ((b >> 52) >= 0x7fe) b = 1;
        lo = (long double)from_bits(b);
        hi = (long double)from_bits(b + 1);
        mid = (lo + hi) / 2; /* exact: a long double has eleven more bits */
        len = snprintf(z, sizeof z, "%.*Le", 780, mid);
        CHECK(len > 780);
        if (!agrees(z)) {
            CHECK(0);
            return;
        }
        z[400] = (char)(z[400] == '9' ? '8' : z[400] + 1); /* a little above (or below) */
        CHECK(agrees(z));
        len = snprintf(z, sizeof z, "%.*Le", 18 + i % 20, mid);
        CHECK(len > 0 && agrees(z));
    }
}

static void test_read_edges(void)
{
    static const char *const good[] = {
        "0", "-0", "0.0", "0e5", "0e-5", "0.000000000000000000000000000000000000000000001", "1e-324", "4.9e-324", "2.4703282292062327e-324", "2.4703282292062328e-324",
        "2.2250738585072011e-308", "2.2250738585072012e-308", "1.7976931348623157e308", "1.7976931348623158e308", "9007199254740993", "9007199254740993.0",
        "9007199254740992.99999999999999999999999", "9007199254740993.00000000000000000000001", "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616",
        "100000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000", "0.00000000000000000000000000000000000001234567890123456789012345678901234567890",
        "1e22", "1e23", "123456789012345678", "1234567890123456789", "12345678901234567890", "123456789012345678901234567890e-30", "1e-999999999999999999999", "1.0000000000000000000000e308",
        "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880",
        "8.5e22", "5e-324", "3e-324", "2e-324", "0.1e-323", "1e16", "1e-22", "9007199254740991e22", "9007199254740993e22", "1.00000000000000011102230246251565404236316680908203125",
        "1.00000000000000011102230246251565404236316680908203124", "1.00000000000000011102230246251565404236316680908203126",
    };
    static const char *const bad[] = { "", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "1 ", " 1", "0x10", "1_0", "NaN", "inf", "1,5", "1e5.0", "1f", "--1" };
    double d;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) CHECK(agrees(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (read_z(bad[i], &d)) printf("accepted: %s\n", bad[i]);
        CHECK(!read_z(bad[i], &d));
    }
    CHECK(!read_z("1.7976931348623159e308", &d));
    CHECK(!read_z("1e309", &d));
    CHECK(!read_z("-1e400", &d));
    CHECK(!read_z("1e99999999999999999999999", &d));
    CHECK(read_z("-0", &d) && signbit(d));
    CHECK(!sy_num_parse_double((symbi_str){ NULL, 0 }, &d));
}

/* A number followed by a megabyte of digits is read in one pass. */
static void test_read_long(void)
{
    size_t n = 1 << 20;
    char *z = malloc(n + 1);
    double d = 0;
    REQUIRE(z);
    memset(z, '0', n);
    z[1] = '.';
    z[n - 1] = '1';
    CHECK(sy_num_parse_double((symbi_str){ z, n }, &d) && d == 0); /* 1e-1048574 */
    z[2] = '5';
    CHECK(sy_num_parse_double((symbi_str){ z, n }, &d) && d == 0.05 * 10);
    memset(z, '9', n);
    CHECK(!sy_num_parse_double((symbi_str){ z, n }, &d));
    z[1] = '.';
    CHECK(sy_num_parse_double((symbi_str){ z, n }, &d) && d == 10);
    free(z);
}

static void test_int64(void)
{
    int64_t i = 0;
    char out[24];
    CHECK(sy_num_parse_int64(symbi_str_z("9223372036854775807"), &i) && i == INT64_MAX);
    CHECK(sy_num_parse_int64(symbi_str_z("-9223372036854775808"), &i) && i == INT64_MIN);
    CHECK(sy_num_parse_int64(symbi_str_z("-0"), &i) && i == 0);
    CHECK(sy_num_parse_int64(symbi_str_z("1000000000000000000"), &i) && i == 1000000000000000000);
    CHECK(!sy_num_parse_int64(symbi_str_z("9223372036854775808"), &i));
    CHECK(!sy_num_parse_int64(symbi_str_z("-9223372036854775809"), &i));
    CHECK(!sy_num_parse_int64(symbi_str_z("18446744073709551616"), &i));
    CHECK(!sy_num_parse_int64(symbi_str_z("99999999999999999999999"), &i));
    CHECK(!sy_num_parse_int64(symbi_str_z("00"), &i));
    CHECK(!sy_num_parse_int64(symbi_str_z("1.0"), &i));
    CHECK(!sy_num_parse_int64(symbi_str_z("1e3"), &i));
    CHECK(!sy_num_parse_int64(symbi_str_z(""), &i));
    CHECK(!sy_num_parse_int64(symbi_str_z("-"), &i));
    CHECK_STR(((symbi_str){ out, sy_num_write_int64(INT64_MIN, out) }), "-9223372036854775808");
    CHECK_STR(((symbi_str){ out, sy_num_write_int64(INT64_MAX, out) }), "9223372036854775807");
    CHECK_STR(((symbi_str){ out, sy_num_write_int64(0, out) }), "0");
    CHECK_STR(((symbi_str){ out, sy_num_write_int64(-10, out) }), "-10");
    CHECK_STR(((symbi_str){ out, sy_num_write_uint64(UINT64_MAX, out) }), "18446744073709551615");
    for (int k = 0; k < 20000; k++) {
        int64_t v = (int64_t)(next_rand() >> (k % 64));
        char lib[32];
        if (k & 1) v = -v;
        snprintf(lib, sizeof lib, "%lld", (long long)v);
        CHECK_STR(((symbi_str){ out, sy_num_write_int64(v, out) }), lib);
        CHECK(sy_num_parse_int64(symbi_str_z(lib), &i) && i == v);
    }
}

static void test_scan_says_where(void)
{
    static const struct {
        const char *text;
        sy_num_kind kind;
        int at;
    } t[] = { { "12,", SY_NUM_INT, 2 },        { "1.5]", SY_NUM_DOUBLE, 3 }, { "012", SY_NUM_BAD, 0 },  { "-x", SY_NUM_BAD, 1 },
              { "1.x", SY_NUM_BAD, 2 },        { "1e+x", SY_NUM_BAD, 3 },    { "1e999", SY_NUM_OVERFLOW, 5 }, { "9223372036854775808 ", SY_NUM_BIGINT, 19 },
              { "-01", SY_NUM_BAD, 1 },        { "0x1", SY_NUM_INT, 1 } };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        sy_num n;
        CHECK(sy_num_scan(t[i].text, t[i].text + strlen(t[i].text), &n) == t[i].kind);
        CHECK(n.kind == t[i].kind && n.p - t[i].text == t[i].at);
    }
}

static void test_no_locale(void)
{
    static const char *const names[] = { "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "da_DK.UTF-8" };
    double d = 0;
    const char *got = NULL;
    for (size_t i = 0; !got && i < sizeof names / sizeof names[0]; i++) got = setlocale(LC_NUMERIC, names[i]);
    if (!got) SKIP("no locale with a decimal comma is installed");
    CHECK_STR(symbi_str_z(write_z(1.5, SY_NUM_JSON)), "1.5");
    CHECK(read_z("1.5", &d) && d == 1.5);
    CHECK(!read_z("1,5", &d));
    setlocale(LC_NUMERIC, "C");
}

/* ---- the table, against big integers ---- */

enum { WORDS = 48 };
typedef struct num {
    uint32_t w[WORDS];
} num;

static void num_mul(num *a, uint32_t m)
{
    uint64_t c = 0;
    for (int i = 0; i < WORDS; i++) {
        c += (uint64_t)a->w[i] * m;
        a->w[i] = (uint32_t)c;
        c >>= 32;
    }
}
static int num_cmp(const num *a, const num *b)
{
    for (int i = WORDS; i-- > 0;)
        if (a->w[i] != b->w[i]) return a->w[i] < b->w[i] ? -1 : 1;
    return 0;
}
static int num_bits(const num *a)
{
    for (int i = WORDS; i-- > 0;)
        if (a->w[i]) return 32 * i + 32 - __builtin_clz(a->w[i]);
    return 0;
}
/* g (128 bits) times a, shifted left by s (a power of two) */
static num num_times(const num *a, const uint64_t g[2])
{
    num r = { { 0 } };
    uint32_t gw[4] = { (uint32_t)g[1], (uint32_t)(g[1] >> 32), (uint32_t)g[0], (uint32_t)(g[0] >> 32) };
    for (int j = 0; j < 4; j++) {
        uint64_t c = 0;
        for (int i = 0; i + j < WORDS; i++) {
            c += (uint64_t)a->w[i] * gw[j] + r.w[i + j];
            r.w[i + j] = (uint32_t)c;
            c >>= 32;
        }
    }
    return r;
}
static num num_power_of_two(int bit)
{
    num r = { { 0 } };
    r.w[bit / 32] = (uint32_t)1 << bit % 32;
    return r;
}
static num num_shift(num a, int bits) /* left */
{
    for (; bits >= 31; bits -= 31) num_mul(&a, (uint32_t)1 << 31);
    num_mul(&a, (uint32_t)1 << bits);
    return a;
}

static void test_table(void)
{
    num ten = { { 1 } };
    for (int k = 0; k <= 342; k++) {
        int bits = num_bits(&ten);
        if (k <= SY_POW10_MAX) { /* (g - 1) * 2^s < 10^k <= g * 2^s, compared after scaling the smaller side */
            const uint64_t *g = sy_num_pow10[k - SY_POW10_MIN];
            uint64_t less[2] = { g[0] - (g[1] == 0), g[1] - 1 };
            num one = { { 1 } }, hi = num_times(&one, g), lo = num_times(&one, less), t = ten;
            if (bits > 128) hi = num_shift(hi, bits - 128), lo = num_shift(lo, bits - 128);
            else t = num_shift(t, 128 - bits);
            CHECK(g[0] >> 63);
            CHECK(num_cmp(&t, &hi) <= 0 && num_cmp(&lo, &t) < 0);
        }
        if (k) { /* (g - 1) * 10^k < 2^s <= g * 10^k */
            const uint64_t *g = sy_num_pow10[-k - SY_POW10_MIN];
            uint64_t less[2] = { g[0] - (g[1] == 0), g[1] - 1 };
            num hi = num_times(&ten, g), lo = num_times(&ten, less), p = num_power_of_two(num_bits(&lo));
            CHECK(g[0] >> 63);
            CHECK(num_cmp(&p, &hi) <= 0 && num_cmp(&lo, &p) < 0);
        }
        num_mul(&ten, 10);
    }
}

int main(void)
{
    RUN(test_rfc8785_samples);
    RUN(test_json_form_keeps_the_kind);
    RUN(test_write_is_shortest_and_reads_back);
    RUN(test_write_at_the_bounds);
    RUN(test_read_agrees_with_strtod);
    RUN(test_read_midpoints);
    RUN(test_read_edges);
    RUN(test_read_long);
    RUN(test_int64);
    RUN(test_scan_says_where);
    RUN(test_no_locale);
    RUN(test_table);
    return test_end();
}
