/* tests/dudect/compare.c: does the time of a comparison tell where it failed? After Reparaz, Balasch and Verbauwhede, "Dude, is my
 * code constant time?": two classes of input in random order, their times compared with Welch's t-test, over all samples and with
 * the slow tail (interrupts) cut at several places; the largest |t| counts. Below 4.5 nothing is seen. A comparison that stops at
 * the first difference is measured too: if that one is not found out, the measurement is worthless and the program fails.
 *
 *   compare [SAMPLES]   default 2000000 for each test; exit status 0 when all is well */
#include "symbi/jwt.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__) || defined(__i386__)
#include <x86intrin.h>
#endif

enum { N = 32, CROPS = 60, LEAST = 10000 };
static const double limit = 4.5;

static symbi_ctx *cx;
static symbi_err err;

static uint64_t ticks(void)
{
#if defined(__x86_64__) || defined(__i386__)
    uint64_t t;
    _mm_lfence(); /* what came before is done, what follows has not begun */
    t = __rdtsc();
    _mm_lfence();
    return t;
#else
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
#endif
}

static uint64_t seed = 0x9e3779b97f4a7c15u;
static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* ---- what is measured ---- */

static uint8_t mac[N], other[N];
static volatile unsigned sink;

/* The same writes to the same memory for both classes; only the values differ. */
static void put_difference(uint8_t *p, size_t n, unsigned class, bool equal_or_all)
{
    uint8_t flip = (uint8_t)(1u + next_random() % 255);
    memcpy(p, mac, n);
    if (equal_or_all) /* class 0: all bytes equal; class 1: all differ */
        for (size_t i = 0; i < n; i++) p[i] ^= (uint8_t)(flip * class);
    else { /* class 0: the first byte differs; class 1: the last */
        p[0] ^= (uint8_t)(flip * (1 - class));
        p[n - 1] ^= (uint8_t)(flip * class);
    }
}
static symbi_str bytes(const void *p, size_t n)
{
    symbi_str s = { p, n };
    return s;
}

static void prepare_position(unsigned class) { put_difference(other, N, class, false); }
static void prepare_equal(unsigned class) { put_difference(other, N, class, true); }
static void run_ct_equal(void) { sink += symbi_ct_equal(bytes(mac, N), bytes(other, N)); }
static void run_early_exit(void)
{
    unsigned i = 0;
    while (i < N && mac[i] == ((volatile uint8_t *)other)[i]) i++;
    sink += i;
}

/* A whole check of an HS256 token. Its signature is altered in place: two tokens would lie at two addresses. */
static symbi_jwt *token;
static uint8_t *token_sig;
static const char secret[] = "0123456789abcdef0123456789abcdef";
static void prepare_token(unsigned class) { put_difference(token_sig, N, class, false); }
static void run_token(void)
{
    symbi_jwt_key k = { .secret = { secret, 32 } };
    sink += (unsigned)symbi_jwt_check_signature(cx, token, SYMBI_JWT_HS256, &k, NULL, &err);
}

/* ---- measuring ---- */

typedef struct moments { double n, mean, m2; } moments;
static void add(moments *m, double x)
{
    double d = x - m->mean;
    m->n++;
    m->mean += d / m->n;
    m->m2 += d * (x - m->mean);
}
static double welch(const moments *a, const moments *b)
{
    double v = a->m2 / (a->n - 1) / a->n + b->m2 / (b->n - 1) / b->n;
    return v > 0 ? (a->mean - b->mean) / sqrt(v) : 0;
}
static int order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double measure(void (*prepare)(unsigned), void (*run)(void), size_t samples)
{
    uint32_t *time = malloc(samples * sizeof *time), *sorted = malloc(samples * sizeof *sorted);
    uint8_t *class = malloc(samples);
    double worst = 0;
    if (!time || !sorted || !class) exit(2);
    for (size_t i = 0; i < samples; i++) {
        uint64_t t0, t1;
        class[i] = (uint8_t)(next_random() >> 33 & 1);
        prepare(class[i]);
        t0 = ticks();
        run();
        t1 = ticks();
        time[i] = t1 - t0 > UINT32_MAX ? UINT32_MAX : (uint32_t)(t1 - t0);
    }
    memcpy(sorted, time, samples * sizeof *time);
    qsort(sorted, samples, sizeof *sorted, order);
    for (int crop = 0; crop <= CROPS; crop++) { /* the last one keeps everything */
        double share = crop == CROPS ? 1 : 1 - pow(0.5, 10.0 * (crop + 1) / CROPS);
        uint32_t top = crop == CROPS ? UINT32_MAX : sorted[(size_t)(share * (double)(samples - 1))];
        moments m[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
        double t;
        for (size_t i = 0; i < samples; i++)
            if (time[i] < top || crop == CROPS) add(&m[class[i]], time[i]);
        if (m[0].n < LEAST || m[1].n < LEAST) continue;
        t = welch(&m[0], &m[1]);
        if (fabs(t) > fabs(worst)) worst = t;
    }
    free(time);
    free(sorted);
    free(class);
    return worst;
}

int main(int argc, char **argv)
{
    static const struct { const char *name; void (*prepare)(unsigned); void (*run)(void); bool leaks; } tests[] = {
        { "a loop that stops at the first difference (must be found out)", prepare_position, run_early_exit, true },
        { "symbi_ct_equal, first byte or last", prepare_position, run_ct_equal, false },
        { "symbi_ct_equal, equal or not", prepare_equal, run_ct_equal, false },
        { "HS256 token, MAC wrong in its first byte or its last", prepare_token, run_token, false },
    };
    size_t samples = argc > 1 ? strtoul(argv[1], NULL, 10) : 2000000;
    int passed = 0, failed = 0;
    /* {"alg":"HS256"} . {} . a signature of 32 bytes */
    static const char text[] = "eyJhbGciOiJIUzI1NiJ9.e30.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    if (samples < 1000000) samples = 1000000;
    if (symbi_ctx_new(NULL, &cx, &err) || symbi_jwt_parse(cx, symbi_str_z(text), &token, NULL, &err)) {
        printf("%s\n", err.msg);
        return 2;
    }
    if (symbi_hmac_sha256(cx, bytes(secret, 32), symbi_jwt_signed_part(token), mac, &err)) return 2;
    token_sig = (uint8_t *)(uintptr_t)symbi_jwt_signature(token).p;
    seed ^= (uint64_t)time(NULL) * 0x100000001b3u;
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        double t = measure(tests[i].prepare, tests[i].run, samples);
        bool ok = tests[i].leaks ? fabs(t) > limit : fabs(t) < limit;
        printf("%s t = %8.2f over %zu samples (%s): %s\n", ok ? "ok  " : "FAIL", t, samples, tests[i].leaks ? "above 4.5 expected" : "|t| below 4.5 expected", tests[i].name);
        fflush(stdout);
        if (ok) passed++;
        else failed++;
    }
    printf("%d passed, %d failed, 0 skipped\n", passed, failed);
    symbi_jwt_free(token);
    symbi_ctx_free(cx);
    return failed != 0;
}
