/* The loop: readiness, timers in order, cancellation, more events than room. */
#include "symbi/io.h"
#include "test.h"

#include <sys/resource.h>
#include <unistd.h>

static symbi_ctx *cx;
static symbi_err err;

static void test_empty(void)
{
    symbi_loop *l;
    symbi_loop_event ev[4];
    size_t n = 9;
    REQUIRE(symbi_loop_new(cx, &l, &err) == SYMBI_OK);
    CHECK(symbi_loop_wait(l, -1, ev, 4, &n, &err) == SYMBI_OK && n == 0);
    CHECK(symbi_loop_wait(l, 5, ev, 4, &n, &err) == SYMBI_OK && n == 0);
    CHECK(symbi_loop_watch(l, -1, SYMBI_LOOP_READ, 1, &err) == SYMBI_EINVAL);
    CHECK(symbi_loop_watch(l, 77, 0, 1, &err) == SYMBI_OK);
    symbi_loop_cancel(l, 99);
    symbi_loop_free(l);
}

static void test_fds(void)
{
    symbi_loop *l;
    symbi_loop_event ev[8];
    size_t n;
    int p[6][2];
    unsigned seen = 0;
    REQUIRE(symbi_loop_new(cx, &l, &err) == SYMBI_OK);
    for (int i = 0; i < 6; i++) {
        REQUIRE(pipe(p[i]) == 0);
        CHECK(symbi_loop_watch(l, p[i][0], SYMBI_LOOP_READ, 100 + (uint64_t)i, &err) == SYMBI_OK);
    }
    CHECK(symbi_loop_wait(l, 0, ev, 8, &n, &err) == SYMBI_OK && n == 0);
    CHECK(write(p[2][1], "x", 1) == 1);
    CHECK(symbi_loop_wait(l, 1000, ev, 8, &n, &err) == SYMBI_OK && n == 1 && ev[0].token == 102 && ev[0].fd == p[2][0] && ev[0].bits == SYMBI_LOOP_READ);
    close(p[4][1]); /* hung up: readable, with ERROR */
    CHECK(symbi_loop_watch(l, p[2][0], 0, 0, &err) == SYMBI_OK && symbi_loop_count(l) == 5);
    CHECK(symbi_loop_wait(l, 1000, ev, 8, &n, &err) == SYMBI_OK && n == 1 && ev[0].token == 104 && (ev[0].bits & SYMBI_LOOP_READ) && (ev[0].bits & SYMBI_LOOP_ERROR));
    CHECK(symbi_loop_watch(l, p[4][0], 0, 0, &err) == SYMBI_OK);
    CHECK(symbi_loop_watch(l, p[0][1], SYMBI_LOOP_WRITE, 7, &err) == SYMBI_OK);
    CHECK(symbi_loop_wait(l, 1000, ev, 8, &n, &err) == SYMBI_OK && n == 1 && ev[0].token == 7 && ev[0].bits == SYMBI_LOOP_WRITE);
    CHECK(symbi_loop_watch(l, p[0][1], 0, 0, &err) == SYMBI_OK);
    for (int i = 0; i < 6; i++)
        if (i != 4) CHECK(write(p[i][1], "x", 1) == 1);
    CHECK(symbi_loop_watch(l, p[2][0], SYMBI_LOOP_READ, 102, &err) == SYMBI_OK);
    for (int i = 0; i < 5; i++) { /* one place, five ready ones: each gets its turn */
        CHECK(symbi_loop_wait(l, 1000, ev, 1, &n, &err) == SYMBI_OK && n == 1);
        seen |= 1u << (ev[0].token - 100);
    }
    CHECK(seen == 0x2f);
    for (int i = 0; i < 6; i++) {
        close(p[i][0]);
        if (i != 4) close(p[i][1]);
    }
    symbi_loop_free(l);
}

static void test_closed_behind_its_back(void)
{
    symbi_loop *l;
    symbi_loop_event ev[2];
    size_t n;
    int p[2];
    REQUIRE(pipe(p) == 0 && symbi_loop_new(cx, &l, &err) == SYMBI_OK);
    CHECK(symbi_loop_watch(l, p[0], SYMBI_LOOP_READ, 3, &err) == SYMBI_OK);
    close(p[0]);
    CHECK(symbi_loop_wait(l, 1000, ev, 2, &n, &err) == SYMBI_OK && n == 1 && (ev[0].bits & SYMBI_LOOP_ERROR));
    CHECK(symbi_loop_count(l) == 0); /* not ready for ever */
    close(p[1]);
    symbi_loop_free(l);
}

static void test_timers(void)
{
    static const int order[] = { 40, 10, 30, 20, 0, 25 };
    symbi_loop *l;
    symbi_loop_event ev[8];
    uint64_t ids[6], last = 0;
    size_t n, got = 0;
    REQUIRE(symbi_loop_new(cx, &l, &err) == SYMBI_OK);
    for (int i = 0; i < 6; i++) CHECK(symbi_loop_timer(l, order[i], (uint64_t)order[i], &ids[i], &err) == SYMBI_OK);
    symbi_loop_cancel(l, ids[2]);
    CHECK(symbi_loop_count(l) == 5);
    while (symbi_loop_count(l)) {
        REQUIRE(symbi_loop_wait(l, -1, ev, 1, &n, &err) == SYMBI_OK);
        if (!n) continue;
        CHECK(ev[0].bits == SYMBI_LOOP_TIMER && ev[0].fd == -1 && ev[0].token >= last && ev[0].token != 30);
        last = ev[0].token;
        got++;
    }
    CHECK(got == 5);
    CHECK(symbi_loop_timer(l, INT64_MAX, 1, NULL, &err) == SYMBI_OK);
    CHECK(symbi_loop_wait(l, 1, ev, 1, &n, &err) == SYMBI_OK && n == 0);
    symbi_loop_free(l);
}

static symbi_status scenario(symbi_ctx *c, void *ud)
{
    symbi_loop *l;
    symbi_err e;
    symbi_loop_event ev[2];
    size_t n;
    int *p = ud;
    symbi_status st = symbi_loop_new(c, &l, &e);
    if (st) return st;
    st = symbi_loop_watch(l, p[0], SYMBI_LOOP_READ, 1, &e);
    if (!st) st = symbi_loop_timer(l, 0, 2, NULL, &e);
    if (!st) st = symbi_loop_wait(l, -1, ev, 2, &n, &e);
    symbi_loop_free(l);
    return st;
}

static void test_memory(void)
{
    int p[2];
    REQUIRE(pipe(p) == 0);
    test_oom(scenario, p, SYMBI_OK);
    close(p[0]);
    close(p[1]);
}

int main(void)
{
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_empty);
    RUN(test_fds);
    RUN(test_closed_behind_its_back);
    RUN(test_timers);
    RUN(test_memory);
    symbi_ctx_free(cx);
    return test_end();
}
