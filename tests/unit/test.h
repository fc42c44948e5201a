/* tests/unit/test.h: a small unit-test harness. One program per file: define static void test_x(void), list them in main
 * through RUN(test_x), and end with `return test_end();`. CHECK records a failure and goes on; REQUIRE leaves the test.
 * The last line printed is "N passed, N failed, N skipped" (counted in tests, not in checks). */
#ifndef TEST_H
#define TEST_H
#include "symbi/symbi.h"
#include "symbi/sys/clock.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int t_passed, t_failed, t_skipped, t_now_failed, t_now_skipped;

#define CHECK(c)                                                                                   \
    do {                                                                                           \
        if (!(c)) {                                                                                \
            printf("%s:%d: CHECK failed: %s\n", __FILE__, __LINE__, #c);                           \
            t_now_failed = 1;                                                                      \
        }                                                                                          \
    } while (0)
#define REQUIRE(c)                                                                                 \
    do {                                                                                           \
        if (!(c)) {                                                                                \
            printf("%s:%d: REQUIRE failed: %s\n", __FILE__, __LINE__, #c);                         \
            t_now_failed = 1;                                                                      \
            return;                                                                                \
        }                                                                                          \
    } while (0)
#define CHECK_OK(st, err)                                                                          \
    do {                                                                                           \
        symbi_status st_ = (st);                                                                   \
        if (st_ != SYMBI_OK) {                                                                     \
            char b_[700];                                                                          \
            symbi_err_format(&(err), b_, sizeof b_);                                               \
            printf("%s:%d: %s: %s: %s\n", __FILE__, __LINE__, #st, symbi_status_name(st_), b_);    \
            t_now_failed = 1;                                                                      \
        }                                                                                          \
    } while (0)
#define CHECK_STR(s, lit)                                                                          \
    do {                                                                                           \
        symbi_str s_ = (s);                                                                        \
        const char *l_ = (lit);                                                                    \
        if (s_.n != strlen(l_) || (s_.n && memcmp(s_.p, l_, s_.n))) {                              \
            printf("%s:%d: got \"%.*s\", expected \"%s\"\n", __FILE__, __LINE__, (int)s_.n, s_.p ? s_.p : "", l_); \
            t_now_failed = 1;                                                                      \
        }                                                                                          \
    } while (0)
#define SKIP(why)                                                                                  \
    do {                                                                                           \
        printf("skip: %s\n", why);                                                                 \
        t_now_skipped = 1;                                                                         \
        return;                                                                                    \
    } while (0)
#define RUN(f)                                                                                     \
    do {                                                                                           \
        t_now_failed = t_now_skipped = 0;                                                          \
        f();                                                                                       \
        if (t_now_failed) printf("FAIL %s\n", #f), t_failed++;                                     \
        else if (t_now_skipped) t_skipped++;                                                       \
        else t_passed++;                                                                           \
    } while (0)

static inline int test_end(void)
{
    printf("%d passed, %d failed, %d skipped\n", t_passed, t_failed, t_skipped);
    return t_failed != 0;
}

/* An allocator that counts live bytes and blocks and can fail the n-th allocation (1-based; 0 = never). */
typedef struct counting_alloc {
    long live_blocks, live_bytes, count, fail_at;
    bool tripped, once; /* once: that allocation alone fails; else all from it on */
} counting_alloc;

static inline void *counting_fn(void *ud, void *p, size_t o, size_t n)
{
    counting_alloc *c = ud;
    void *q;
    if (n == 0) {
        if (p) c->live_blocks--, c->live_bytes -= (long)o;
        free(p);
        return NULL;
    }
    if (c->fail_at && (++c->count == c->fail_at || (c->count > c->fail_at && !c->once))) {
        c->tripped = true;
        return NULL;
    }
    q = realloc(p, n);
    if (q) {
        if (!p) c->live_blocks++, o = 0;
        c->live_bytes += (long)n - (long)o;
    }
    return q;
}

static inline void test_oom_how(symbi_status (*scenario)(symbi_ctx *cx, void *ud), void *ud, symbi_status expect, bool once)
{
    for (long n = 1; n < 200000; n++) {
        counting_alloc ca = { 0 };
        symbi_env env;
        symbi_ctx *cx = NULL;
        symbi_status st;
        symbi_env_init(&env);
        env.alloc.fn = env.shared_alloc.fn = counting_fn;
        env.alloc.ud = env.shared_alloc.ud = &ca;
        ca.fail_at = n;
        ca.once = once;
        st = symbi_ctx_new(&env, &cx, NULL);
        if (st == SYMBI_OK) {
            st = scenario(cx, ud);
            symbi_ctx_free(cx);
        }
        if (ca.live_blocks || ca.live_bytes) {
            printf("allocation %ld failing%s leaves %ld blocks, %ld bytes\n", n, once ? " alone" : "", ca.live_blocks, ca.live_bytes);
            t_now_failed = 1;
            return;
        }
        if (!ca.tripped) {
            if (st != expect) {
                printf("scenario without failure: %s\n", symbi_status_name(st));
                t_now_failed = 1;
            }
            return;
        }
        if (st != SYMBI_ENOMEM && st != expect) {
            printf("allocation %ld failing%s gives %s\n", n, once ? " alone" : "", symbi_status_name(st));
            t_now_failed = 1;
            return;
        }
    }
    printf("scenario never ends\n");
    t_now_failed = 1;
}

/* Runs scenario(cx, ud) with the 1st, 2nd, 3rd ... allocation failing until it gets through untouched: all from there on, and then that one
 * alone, as memory may be there again a moment later. Each failing run must return SYMBI_ENOMEM (or what it returns without failure, if it
 * can do without that allocation) and leave nothing. */
static inline void test_oom(symbi_status (*scenario)(symbi_ctx *cx, void *ud), void *ud, symbi_status expect)
{
    test_oom_how(scenario, ud, expect, false);
    if (!t_now_failed) test_oom_how(scenario, ud, expect, true);
}

/* A clock that tests set. */
typedef struct fake_clock {
    int64_t wall, mono;
} fake_clock;
static inline int64_t fake_wall(void *ud) { return ((fake_clock *)ud)->wall; }
static inline int64_t fake_mono(void *ud) { return ((fake_clock *)ud)->mono; }

/* Folder of the shared vectors: SYMBI_VECTORS, else ../shared/vectors; NULL where neither exists (then SKIP). */
static inline const char *vectors_dir(void)
{
    const char *d = getenv("SYMBI_VECTORS");
    FILE *f;
    if (d && *d) return d;
    f = fopen("../shared/vectors/cedar/eval.jsonl", "rb");
    if (!f) return NULL;
    fclose(f);
    return "../shared/vectors";
}

/* A whole file, malloc'd and NUL-terminated; {NULL,0} when it cannot be read. */
static inline symbi_str slurp(const char *path)
{
    symbi_str r = { NULL, 0 };
    FILE *f = fopen(path, "rb");
    char *p;
    long n;
    if (!f) return r;
    fseek(f, 0, SEEK_END);
    n = ftell(f);
    fseek(f, 0, SEEK_SET);
    p = n < 0 ? NULL : malloc((size_t)n + 1);
    if (p) {
        r.n = fread(p, 1, (size_t)n, f);
        p[r.n] = 0;
        r.p = p;
    }
    fclose(f);
    return r;
}
#endif
