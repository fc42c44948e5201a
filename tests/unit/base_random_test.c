/* Unit tests: random bytes for names (base/random.c): given out once, never by a process and its child, and never from a supply where the
 * host brings its own source. */
#include "base/ctx.h"
#include "test.h"
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EACH = 500 };

static bool fill(symbi_ctx *cx, uint64_t *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (sy_ctx_random_name(cx, &to[i], sizeof to[i], NULL)) return false;
    return true;
}

static size_t alike(const uint64_t *v, size_t n)
{
    size_t same = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) same += v[i] == v[j];
    return same;
}

static void test_once(void)
{
    static uint64_t v[EACH];
    uint8_t some[256], more[300];
    static const uint8_t zeros[8];
    symbi_ctx *cx;
    REQUIRE(symbi_ctx_new(NULL, &cx, NULL) == SYMBI_OK);
    CHECK(fill(cx, v, EACH) && alike(v, EACH) == 0);
    for (size_t n = 1; n <= sizeof some; n++) { /* what is left over is never made up for */
        memset(some, 0, sizeof some);
        CHECK(sy_ctx_random_name(cx, some, n, NULL) == SYMBI_OK);
        CHECK(n < 16 || memcmp(some + n - 8, zeros, 8) != 0);
    }
    memset(more, 0, sizeof more); /* more than is ever in store */
    CHECK(sy_ctx_random_name(cx, more, sizeof more, NULL) == SYMBI_OK && memcmp(more + sizeof more - 8, zeros, 8) != 0);
    symbi_ctx_free(cx);
}

/* Children at every state of the supply: untouched, begun, nearly used up. */
static void test_fork(void)
{
    static uint64_t v[3 * EACH];
    for (size_t before = 0; before <= 32; before++) {
        symbi_ctx *cx;
        int fd[2], ended = 0;
        size_t got = 0;
        ssize_t k;
        pid_t child;
        REQUIRE(symbi_ctx_new(NULL, &cx, NULL) == SYMBI_OK && pipe(fd) == 0);
        CHECK(fill(cx, v, before));
        child = fork();
        if (child == 0) _exit(fill(cx, v, 40) && write(fd[1], v, 40 * sizeof *v) == (ssize_t)(40 * sizeof *v) ? 0 : 1);
        close(fd[1]);
        CHECK(fill(cx, v + before, 40));
        while (got < 40 * sizeof *v && (k = read(fd[0], (char *)(v + before + 40) + got, 40 * sizeof *v - got)) > 0) got += (size_t)k;
        close(fd[0]);
        CHECK(child > 0 && waitpid(child, &ended, 0) == child && ended == 0 && got == 40 * sizeof *v);
        CHECK(alike(v, before + 80) == 0);
        symbi_ctx_free(cx);
    }
}

typedef struct source {
    size_t calls, bytes;
    int fails;
} source;

static int give(void *ud, void *buf, size_t n)
{
    source *s = ud;
    s->calls++;
    s->bytes += n;
    memset(buf, 7, n);
    return s->fails;
}

static void test_own_source(void)
{
    source s = { 0, 0, 0 };
    symbi_env env;
    symbi_ctx *cx;
    symbi_err e;
    uint32_t x;
    symbi_env_init(&env);
    env.rand = (symbi_rand){ .fill = give, .ud = &s };
    REQUIRE(symbi_ctx_new(&env, &cx, NULL) == SYMBI_OK);
    s.calls = s.bytes = 0;
    CHECK(sy_ctx_random_name(cx, &x, sizeof x, &e) == SYMBI_OK && s.calls == 1 && s.bytes == 4);
    CHECK(sy_ctx_random_name(cx, &x, sizeof x, &e) == SYMBI_OK && s.calls == 2 && s.bytes == 8);
    s.fails = -1;
    CHECK(sy_ctx_random_name(cx, &x, sizeof x, &e) == SYMBI_ECRYPTO && e.code == SYMBI_ECRYPTO);
    symbi_ctx_free(cx);
}

int main(void)
{
    RUN(test_once);
    RUN(test_fork);
    RUN(test_own_source);
    return test_end();
}
