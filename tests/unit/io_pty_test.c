/* Unit tests: a child at a terminal (symbi/io_pipe.h with `terminal`): the terminal itself, its limits and its end; no zombie, no descriptor
 * and no process is left. */
#define _GNU_SOURCE
#include "base/str.h"
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

static int64_t mono(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;
    while (readdir(d)) n++;
    closedir(d);
    return n;
}

static symbi_pipe *start_with(const char *script, symbi_pipe_options *o)
{
    symbi_str argv[3] = { SY_LIT("/bin/sh"), SY_LIT("-c"), symbi_str_z(script) }, env[2] = { SY_LIT("PATH=/usr/bin:/bin"), SY_LIT("TERM=dumb") };
    symbi_pipe *p = NULL;
    symbi_err e;
    o->argv = argv;
    o->argc = 3;
    o->env = env;
    o->nenv = 2;
    o->terminal = true;
    CHECK_OK(symbi_pipe_open(cx, o, &p, &e), e);
    return p;
}

static symbi_pipe *start(const char *script)
{
    symbi_pipe_options o;
    symbi_pipe_options_init(&o);
    return start_with(script, &o);
}

/* Everything until the end of the terminal (or for ms). */
static size_t read_all(symbi_pipe *p, char *out, size_t cap, int64_t ms)
{
    int64_t until = mono() + ms;
    size_t n = 0;
    while (mono() < until) {
        symbi_str b;
        symbi_err e;
        symbi_status st = symbi_pipe_read(p, &b, &e);
        if (st == SYMBI_EAGAIN) {
            (void)!symbi_pipe_wait(p, 50, &e);
            continue;
        }
        if (st) break;
        if (b.n > cap - 1 - n) b.n = cap - 1 - n;
        memcpy(out + n, b.p, b.n);
        n += b.n;
    }
    out[n] = 0;
    return n;
}

static void test_terminal(void)
{
    char out[4096];
    symbi_pipe_end end;
    symbi_err e;
    symbi_pipe *p = start("tty >/dev/null && stty size && stty -a | grep -c -e '-echo ' && read x && echo \"got $x\" && ls /proc/$$/fd | wc -l && ps -o pgid= -o sid= -o tpgid= -p $$ | tr -d '\\n' && echo \" $$\"; exit 7");
    REQUIRE(p != NULL);
    CHECK(!symbi_pipe_echoes(p));
    CHECK_OK(symbi_pipe_write(p, SY_LIT("hello\n"), &e), e);
    (void)read_all(p, out, sizeof out, 5000);
    CHECK(strstr(out, "24 200\r\n1\r\ngot hello\r\n")); /* not repeated, and its controlling terminal */
    CHECK(symbi_pipe_ended(p, 1000, &end) && end.exit_code == 7 && end.signal == 0);
    symbi_pipe_free(p);
}

static void test_echo(void)
{
    char out[512];
    symbi_pipe *p = start("stty echo; printf ready; read x");
    symbi_err e;
    REQUIRE(p != NULL);
    for (int i = 0; i < 40 && !symbi_pipe_echoes(p); i++) (void)read_all(p, out, sizeof out, 50);
    CHECK(symbi_pipe_echoes(p));
    CHECK_OK(symbi_pipe_write(p, SY_LIT("x\n"), &e), e);
    symbi_pipe_free(p);
}

static bool gone(pid_t pid)
{
    for (int i = 0; i < 100; i++) {
        struct timespec ms10 = { 0, 10000000 };
        if (kill(pid, 0) && errno == ESRCH) return true;
        nanosleep(&ms10, NULL);
    }
    return false;
}

/* SIGHUP first; what does not listen is killed half a second later, with a child that left the group. */
static void test_hang_up(void)
{
    char out[256];
    int64_t t0;
    long inner = 0;
    symbi_pipe_end end;
    pid_t pid;
    symbi_pipe *p = start("trap 'echo hup; exit 3' HUP; echo up; while :; do sleep 0.05; done");
    REQUIRE(p != NULL);
    (void)read_all(p, out, sizeof out, 300);
    CHECK(strstr(out, "up"));
    pid = symbi_pipe_pid(p);
    symbi_pipe_hang_up(p);
    CHECK(symbi_pipe_ended(p, 3000, &end) && end.exit_code == 3); /* it was asked, not killed */
    symbi_pipe_free(p);
    CHECK(gone(pid));
    p = start("trap '' HUP TERM; (setsid sh -c 'trap \"\" HUP TERM; echo $$; exec sleep 100') & echo; while :; do sleep 1; done");
    REQUIRE(p != NULL);
    (void)read_all(p, out, sizeof out, 500);
    for (char *c = out; *c; c++)
        if (*c >= '1' && *c <= '9') {
            inner = strtol(c, NULL, 10);
            break;
        }
    CHECK(inner > 1);
    pid = symbi_pipe_pid(p);
    t0 = mono();
    symbi_pipe_hang_up(p); /* does not wait */
    CHECK(mono() - t0 < 50);
    symbi_pipe_free(p);
    CHECK(mono() - t0 >= 450 && mono() - t0 < 3000);
    CHECK(gone(pid) && (inner <= 1 || gone((pid_t)inner)));
}

static void test_limits(void)
{
    symbi_pipe_options o;
    symbi_pipe_end end;
    symbi_pipe *p;
    int64_t t0 = mono();
    symbi_pipe_options_init(&o);
    o.life_ms = 200;
    p = start_with("sleep 100", &o);
    REQUIRE(p != NULL);
    CHECK(symbi_pipe_ended(p, 3000, &end) && end.signal == SIGHUP && mono() - t0 < 1500); /* nobody read or waited for it */
    symbi_pipe_free(p);
    p = start("sleep 100");
    REQUIRE(p != NULL);
    symbi_pipe_keep(p, 60000);
    symbi_pipe_keep(p, 150);
    CHECK(symbi_pipe_ended(p, 3000, &end) && end.signal == SIGHUP);
    symbi_pipe_free(p);
    p = start("sleep 100");
    REQUIRE(p != NULL);
    symbi_pipe_keep(p, 100);
    symbi_pipe_keep(p, 60000); /* the last word counts */
    CHECK(!symbi_pipe_ended(p, 400, &end));
    symbi_pipe_free(p);
}

static void test_not_there(void)
{
    symbi_str argv[1] = { SY_LIT("/nonexistent/program") };
    symbi_pipe_options o;
    symbi_pipe *p = NULL;
    symbi_err e;
    symbi_pipe_options_init(&o);
    o.argv = argv;
    o.argc = 1;
    o.terminal = true;
    CHECK(symbi_pipe_open(cx, &o, &p, &e) == SYMBI_EIO && strstr(e.msg, "No such file") && !p);
}

/* The host is killed: nothing of the session lives on. */
static void test_host_dies(void)
{
    int fd[2];
    pid_t host, inner = 0;
    if (pipe(fd)) REQUIRE(false);
    host = fork();
    if (host == 0) {
        symbi_pipe *p = start("trap '' HUP; sleep 100");
        pid_t pid = p ? symbi_pipe_pid(p) : 0;
        if (write(fd[1], &pid, sizeof pid) < 0) _exit(1);
        pause();
        _exit(0);
    }
    CHECK(read(fd[0], &inner, sizeof inner) == (ssize_t)sizeof inner && inner > 1);
    kill(host, SIGKILL);
    CHECK(waitpid(host, NULL, 0) == host);
    CHECK(inner > 1 && gone(inner));
    close(fd[0]), close(fd[1]);
}

static void test_many(void)
{
    int before = descriptors(), status;
    char out[64];
    for (int i = 0; i < 50; i++) {
        symbi_pipe *p = start(i & 1 ? "echo hi" : "sleep 100");
        if (!p) break;
        if (i & 1) (void)read_all(p, out, sizeof out, 1000);
        symbi_pipe_free(p);
    }
    CHECK(descriptors() == before);
    CHECK(waitpid(-1, &status, WNOHANG | __WALL) < 0 && errno == ECHILD);
}

int main(void)
{
    symbi_err e;
    if (symbi_ctx_new(NULL, &cx, &e)) return 1;
    RUN(test_terminal);
    RUN(test_echo);
    RUN(test_hang_up);
    RUN(test_limits);
    RUN(test_not_there);
    RUN(test_host_dies);
    RUN(test_many);
    symbi_ctx_free(cx);
    return test_end();
}
