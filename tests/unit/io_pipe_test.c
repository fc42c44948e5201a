/* Real children over pipes: bytes both ways, in any size; their end, told and untold; nothing left of them, whatever they do and whoever dies. */
#define _GNU_SOURCE
#include "symbi/io.h"
#include "symbi/io_pipe.h"
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static symbi_ctx *cx;
#define S(z) symbi_str_z(z)

static int64_t ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;
    while (readdir(d)) n++;
    closedir(d);
    return n;
}

static bool gone(int pid)
{
    for (int i = 0; i < 200; i++) {
        char path[64], state[256] = "";
        FILE *f;
        snprintf(path, sizeof path, "/proc/%d/stat", pid);
        f = fopen(path, "r");
        if (!f) return true;
        if (fgets(state, sizeof state, f) && strstr(state, ") Z ")) { /* of somebody else's */
            fclose(f);
            return true;
        }
        fclose(f);
        usleep(10000);
    }
    return false;
}

static symbi_status open_in(symbi_ctx *c, const char *script, symbi_pipe **p, symbi_err *e)
{
    const symbi_str argv[] = { S("sh"), S("-c"), S(script) }, env[] = { S("PATH=/usr/bin:/bin"), S("MARK=pipe") };
    symbi_pipe_options o;
    symbi_pipe_options_init(&o);
    o.argv = argv;
    o.argc = 3;
    o.env = env;
    o.nenv = 2;
    o.cwd = S("/");
    o.stderr_keep = 16;
    return symbi_pipe_open(c, &o, p, e);
}

static symbi_pipe *sh(const char *script)
{
    symbi_pipe *p;
    symbi_err e;
    CHECK_OK(open_in(cx, script, &p, &e), e);
    return p;
}

/* Everything until the end or until n bytes are there; malloc'd, NUL-terminated. */
static char *all(symbi_pipe *p, size_t n, size_t *got)
{
    size_t cap = 1 << 20;
    char *b = malloc(cap);
    int64_t until = ms() + 10000;
    *got = 0;
    while (*got < n && ms() < until) {
        symbi_str s;
        symbi_err e;
        symbi_status st = symbi_pipe_read(p, &s, &e);
        if (st == SYMBI_EAGAIN) {
            (void)!symbi_pipe_wait(p, 1000, &e);
            continue;
        }
        if (st) break;
        if (*got + s.n >= cap) b = realloc(b, cap = 2 * (cap + s.n));
        memcpy(b + *got, s.p, s.n);
        *got += s.n;
    }
    b[*got] = 0;
    return b;
}

static void test_talk(void)
{
    int before = fds();
    symbi_pipe *p = sh("echo \"$MARK $(pwd) $(id -u >/dev/null; echo ok)\"; while read x; do echo \"got $x\"; done; exit 7");
    symbi_pipe_end end;
    symbi_err e;
    size_t n;
    char *b;
    REQUIRE(p);
    CHECK(symbi_pipe_pid(p) > 1);
    CHECK(symbi_pipe_wants(p) == SYMBI_LOOP_READ);
    b = all(p, 10, &n);
    CHECK(!strcmp(b, "pipe / ok\n"));
    free(b);
    CHECK_OK(symbi_pipe_write(p, S("one\ntwo\n"), &e), e);
    b = all(p, 16, &n);
    CHECK(!strcmp(b, "got one\ngot two\n"));
    free(b);
    CHECK(!symbi_pipe_ended(p, 0, &end));
    CHECK(symbi_pipe_wait(p, 20, &e) == SYMBI_ETIMEOUT);
    symbi_pipe_free(p);
    CHECK(fds() == before);
    CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

/* More than any buffer holds, both ways at once: nobody waits for the other for ever. */
static void test_much(void)
{
    enum { MUCH = 5 << 20 };
    symbi_pipe *p = sh("cat");
    char *out = malloc(MUCH), *in;
    symbi_err e;
    size_t n;
    REQUIRE(p);
    for (size_t i = 0; i < MUCH; i++) out[i] = (char)(i * 31 >> 3);
    CHECK_OK(symbi_pipe_write(p, (symbi_str){ out, MUCH }, &e), e);
    CHECK(symbi_pipe_wants(p) & SYMBI_LOOP_WRITE);
    in = all(p, MUCH, &n);
    CHECK(n == MUCH && !memcmp(in, out, MUCH));
    CHECK(!(symbi_pipe_wants(p) & SYMBI_LOOP_WRITE));
    free(in);
    symbi_pipe_free(p);
    /* one that does not read: at the limit, and one past it */
    p = sh("sleep 60");
    free(out);
    out = calloc(1, 17 << 20);
    CHECK_OK(symbi_pipe_write(p, (symbi_str){ out, 16u << 20 }, &e), e);
    CHECK(symbi_pipe_write(p, (symbi_str){ out, 16u << 20 }, &e) == SYMBI_ELIMIT);
    free(out);
    symbi_pipe_free(p);
}

static void test_ends(void)
{
    symbi_pipe *p = sh("echo early >&2; printf 'the last 16 bytes' >&2; echo bye; exit 3");
    symbi_pipe_end end;
    symbi_str s;
    symbi_err e;
    size_t n;
    char *b = all(p, 1000, &n);
    CHECK(!strcmp(b, "bye\n"));
    free(b);
    CHECK(symbi_pipe_read(p, &s, &e) == SYMBI_EIO);
    CHECK(symbi_pipe_ended(p, 3000, &end));
    CHECK(end.exit_code == 3 && end.signal == 0);
    CHECK_STR(end.errors, "he last 16 bytes");
    CHECK(symbi_pipe_write(p, S("x"), &e) == SYMBI_EIO); /* and no SIGPIPE */
    symbi_pipe_free(p);
    p = sh("kill -9 $$");
    CHECK(symbi_pipe_ended(p, 3000, &end));
    CHECK(end.exit_code == -1 && end.signal == SIGKILL);
    symbi_pipe_free(p);
}

static void refuses(const char *program, const char *what)
{
    const symbi_str argv[] = { S(program) };
    symbi_pipe_options o;
    symbi_pipe *p;
    symbi_err e;
    int before = fds();
    symbi_pipe_options_init(&o);
    o.argv = argv;
    o.argc = 1;
    CHECK(symbi_pipe_open(cx, &o, &p, &e) == SYMBI_EIO);
    CHECK(strstr(e.msg, what));
    CHECK(!p && fds() == before);
    o.cwd = S("/nowhere");
    CHECK(symbi_pipe_open(cx, &o, &p, &e) == SYMBI_EIO);
}

static void test_starts(void)
{
    const symbi_str nul[] = { { "a\0b", 3 } };
    symbi_pipe_options o;
    symbi_pipe *p;
    symbi_err e;
    refuses("/nowhere/at-all", "No such file");
    refuses("no-such-program-anywhere", "No such file");
    refuses("/etc/passwd", "Permission denied");
    symbi_pipe_options_init(&o);
    CHECK(symbi_pipe_open(cx, &o, &p, &e) == SYMBI_EINVAL);
    o.argv = nul;
    o.argc = 1;
    CHECK(symbi_pipe_open(cx, &o, &p, &e) == SYMBI_EINVAL);
}

/* What the child started goes with it, also what left its group; and one that does not want to go is made to. */
static void test_nothing_left(void)
{
    static const char *const scripts[] = {
        "sleep 61 & echo $!; cat",
        "setsid sleep 61 & echo $!; cat",
        "trap '' TERM; sleep 61 & echo $!; cat; while :; do sleep 1; done",
        "sleep 61 & echo $!; exit 0",
        "(setsid sleep 61 >/dev/null 2>&1 & echo $!); exit 0",
        "sleep 61 & echo $!; kill -STOP $$",
    };
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        symbi_pipe *p = sh(scripts[i]);
        int64_t t = ms();
        size_t n;
        char *b = all(p, 2, &n);
        int child = atoi(b), pid = symbi_pipe_pid(p);
        free(b);
        CHECK(child > 1);
        symbi_pipe_free(p);
        CHECK(gone(child) && gone(pid));
        CHECK(ms() - t < 3000);
    }
    CHECK(waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD);
}

/* The host is killed: what it started goes. */
static void test_host_dies(void)
{
    int pipefd[2], child = 0, grandchild = 0;
    pid_t host;
    char text[64] = "";
    REQUIRE(!pipe(pipefd));
    host = fork();
    if (host == 0) {
        symbi_pipe *p;
        symbi_err e;
        size_t n;
        char *b;
        if (open_in(cx, "trap '' HUP; sleep 62 & echo $!; cat >/dev/null; sleep 63", &p, &e)) _exit(1);
        b = all(p, 2, &n);
        n = (size_t)snprintf(text, sizeof text, "%d %s", symbi_pipe_pid(p), b);
        if (write(pipefd[1], text, n) < 0) _exit(1);
        pause();
    }
    close(pipefd[1]);
    CHECK(read(pipefd[0], text, sizeof text - 1) > 0);
    close(pipefd[0]);
    CHECK(sscanf(text, "%d %d", &child, &grandchild) == 2);
    CHECK(!kill(child, 0) && !kill(grandchild, 0));
    kill(host, SIGKILL);
    waitpid(host, NULL, 0);
    CHECK(gone(child) && gone(grandchild));
}

static void test_many(void)
{
    int before = fds();
    for (int i = 0; i < 100; i++) {
        symbi_pipe *p = sh(i % 2 ? "cat" : "exit 1");
        symbi_pipe_free(p);
    }
    CHECK(fds() == before);
    CHECK(waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD);
}

static symbi_status scenario(symbi_ctx *c, void *ud)
{
    symbi_pipe *p;
    symbi_err e;
    symbi_str s;
    symbi_status st = open_in(c, "cat", &p, &e);
    (void)ud;
    if (!st) {
        st = symbi_pipe_write(p, S("x"), &e);
        while (!st && (st = symbi_pipe_read(p, &s, &e)) == SYMBI_EAGAIN) st = symbi_pipe_wait(p, 1000, &e);
        symbi_pipe_free(p);
    }
    return st;
}
static void test_oom_all(void) { test_oom(scenario, NULL, SYMBI_OK); }

int main(void)
{
    symbi_err e;
    if (symbi_ctx_new(NULL, &cx, &e)) return 1;
    RUN(test_talk);
    RUN(test_much);
    RUN(test_ends);
    RUN(test_starts);
    RUN(test_nothing_left);
    RUN(test_host_dies);
    RUN(test_many);
    RUN(test_oom_all);
    symbi_ctx_free(cx);
    return test_end();
}
