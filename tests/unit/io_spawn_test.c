/* Real processes: what the spawner does with tools that behave, and with tools that do not. */
#define _GNU_SOURCE
#include "symbi/crypto.h"
#include "symbi/io.h"
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 8 };
typedef struct cmd {
    symbi_plan plan;
    symbi_str argv[WORDS], env[WORDS];
} cmd;

static const symbi_str no_permit = { "", 0 };

static symbi_plan *set(cmd *c, int64_t timeout, const char *const *words)
{
    memset(c, 0, sizeof *c);
    c->plan.kind = SYMBI_BACKEND_SHELL;
    for (; words[c->plan.argc]; c->plan.argc++) c->argv[c->plan.argc] = symbi_str_z(words[c->plan.argc]);
    c->env[0] = symbi_str_z("PATH=/usr/bin:/bin");
    c->env[1] = symbi_str_z("MARK=spawn-test");
    c->plan.argv = c->argv;
    c->plan.env = c->env;
    c->plan.nenv = 2;
    c->plan.tool = symbi_str_z("t");
    c->plan.cwd = c->plan.scan_id = symbi_str_z("");
    c->plan.timeout_ms = timeout;
    c->plan.stdout_max = c->plan.stderr_max = 10u << 20;
    return &c->plan;
}
#define CMD(c, timeout, ...) set(c, timeout, (const char *const[]){ __VA_ARGS__, NULL })
#define SH(c, timeout, text) CMD(c, timeout, "/bin/sh", "-c", text)

static int fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;
    while (readdir(d)) n++;
    closedir(d);
    return n;
}

static int64_t ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Is any process alive whose arguments or environment hold this text? */
static bool alive(const char *text)
{
    DIR *d = opendir("/proc");
    struct dirent *e;
    bool found = false;
    while (!found && (e = readdir(d))) {
        char path[300], buf[65536];
        FILE *f;
        size_t n;
        if (e->d_name[0] < '0' || e->d_name[0] > '9' || atoi(e->d_name) == getpid()) continue;
        snprintf(path, sizeof path, "/proc/%s/cmdline", e->d_name);
        if (!(f = fopen(path, "rb"))) continue;
        n = fread(buf, 1, sizeof buf, f);
        fclose(f);
        found = n && memmem(buf, n, text, strlen(text));
    }
    closedir(d);
    return found;
}

static bool gone(const char *text)
{
    for (int i = 0; i < 100; i++) {
        if (!alive(text)) return true;
        usleep(10000);
    }
    return false;
}

static symbi_ctx *cx;
static symbi_spawner *sp;
static symbi_err err;

static symbi_job *run(const symbi_plan *p, symbi_exec_result *r)
{
    symbi_job *j = NULL;
    memset(r, 0, sizeof *r);
    CHECK_OK(symbi_exec_blocking(sp, p, no_permit, &j, &err), err);
    if (j) CHECK_OK(symbi_job_result(j, r, &err), err);
    return j;
}

static void test_output_and_code(void)
{
    cmd c;
    symbi_exec_result r;
    uint8_t want[32];
    symbi_job *j = run(SH(&c, 5000, "printf 'a\\000b'; echo oops >&2; exit 7"), &r);
    REQUIRE(j);
    CHECK(r.exit_code == 7 && r.signal == 0 && !r.timed_out && r.start_errno == 0);
    CHECK(r.out.n == 3 && !memcmp(r.out.p, "a\0b", 3) && r.out_bytes == 3 && !r.out_truncated);
    CHECK_STR(r.err, "oops\n");
    CHECK_OK(symbi_sha256(cx, r.out, want, &err), err);
    CHECK(!memcmp(want, r.out_sha256, 32));
    CHECK(r.started_ms > 1600000000000 && r.duration_ms >= 0 && r.duration_ms < 5000);
    symbi_job_free(j);
}

static void test_clean_world(void)
{
    cmd c;
    symbi_exec_result r;
    symbi_job *j;
    setenv("SECRET_OF_THE_HOST", "x", 1);
    j = run(CMD(&c, 5000, "env"), &r);
    REQUIRE(j);
    CHECK_STR(r.out, "PATH=/usr/bin:/bin\nMARK=spawn-test\n");
    symbi_job_free(j);
    j = run(SH(&c, 5000, "readlink /proc/$$/fd/0; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do test -e /proc/$$/fd/$i && echo $i; done; ulimit -c; ulimit -n; grep NoNewPrivs /proc/$$/status; "
                         "grep -E 'Sig(Blk|Ign)' /proc/self/status; ps -o sid= -p $$ | grep -cw $$"), &r);
    REQUIRE(j);
    CHECK_STR(r.out, "/dev/null\n1\n2\n0\n1024\nNoNewPrivs:\t1\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n1\n");
    symbi_job_free(j);
    set(&c, 5000, (const char *const[]){ "pwd", NULL });
    c.plan.cwd = symbi_str_z("/usr/bin");
    j = run(&c.plan, &r);
    REQUIRE(j);
    CHECK_STR(r.out, "/usr/bin\n");
    symbi_job_free(j);
}

static void test_not_started(void)
{
    cmd c;
    symbi_exec_result r;
    symbi_job *j = run(CMD(&c, 5000, "no-such-program-here"), &r);
    REQUIRE(j);
    CHECK(r.start_errno == ENOENT && r.exit_code == -1 && r.signal == 0);
    symbi_job_free(j);
    j = run(CMD(&c, 5000, "/etc/passwd"), &r);
    REQUIRE(j);
    CHECK(r.start_errno == EACCES);
    symbi_job_free(j);
    set(&c, 5000, (const char *const[]){ "true", NULL });
    c.plan.cwd = symbi_str_z("/no/such/folder");
    j = run(&c.plan, &r);
    REQUIRE(j);
    CHECK(r.start_errno == ENOENT);
    symbi_job_free(j);
    /* a relative entry of PATH never decides what runs */
    set(&c, 5000, (const char *const[]){ "true", NULL });
    c.env[0] = symbi_str_z("PATH=.:bin::");
    c.plan.cwd = symbi_str_z("/usr/bin");
    j = run(&c.plan, &r);
    REQUIRE(j);
    CHECK(r.start_errno == ENOENT);
    symbi_job_free(j);
}

static void test_bad_plans(void)
{
    cmd c;
    symbi_job *j;
    static char big[5 << 20];
    CMD(&c, 5000, "true");
    c.plan.kind = SYMBI_BACKEND_HTTP;
    CHECK(symbi_spawner_start(sp, &c.plan, no_permit, &j, &err) == SYMBI_EINVAL && !j);
    CMD(&c, 5000, "true");
    c.plan.argc = 0;
    CHECK(symbi_spawner_start(sp, &c.plan, no_permit, &j, &err) == SYMBI_EINVAL);
    CMD(&c, 5000, "true", "x");
    c.argv[1].p = "a\0b";
    c.argv[1].n = 3;
    CHECK(symbi_spawner_start(sp, &c.plan, no_permit, &j, &err) == SYMBI_EINVAL);
    memset(big, 'x', sizeof big);
    CMD(&c, 5000, "true", "x");
    c.argv[1].p = big;
    c.argv[1].n = sizeof big;
    CHECK(symbi_spawner_start(sp, &c.plan, no_permit, &j, &err) == SYMBI_ELIMIT);
    c.argv[1].n = 3 << 20; /* fits the frame, not the kernel */
    CHECK(symbi_exec_blocking(sp, &c.plan, no_permit, &j, &err) == SYMBI_OK);
    if (j) {
        symbi_exec_result r;
        CHECK(symbi_job_result(j, &r, &err) == SYMBI_OK && r.start_errno == E2BIG);
        symbi_job_free(j);
    }
}

static void test_timeout_kills_the_group(void)
{
    cmd c;
    symbi_exec_result r;
    int64_t t = ms();
    symbi_job *j = run(SH(&c, 200, "echo before; trap '' TERM; sleep 7654.02468 & wait; sleep 7654.02468"), &r);
    REQUIRE(j);
    t = ms() - t;
    CHECK(r.timed_out && r.exit_code == -1 && r.signal == SIGKILL);
    CHECK_STR(r.out, "before\n");
    CHECK(t >= 200 + 250 && t < 5000);
    CHECK(gone("7654.02468"));
    symbi_job_free(j);
    t = ms(); /* one that goes on SIGTERM needs no grace */
    j = run(SH(&c, 100, "sleep 7655.02468"), &r);
    REQUIRE(j);
    CHECK(r.timed_out && r.signal == SIGTERM);
    symbi_job_free(j);
    j = run(SH(&c, 150, "kill -STOP $$"), &r); /* a stopped one gets to see its SIGTERM */
    REQUIRE(j);
    CHECK(r.timed_out && r.signal == SIGTERM);
    symbi_job_free(j);
}

/* While another tool runs, nobody sweeps up: what belongs to an ended tool's group must go with it. */
static void test_group_goes_while_others_run(void)
{
    cmd c;
    symbi_exec_result r;
    symbi_job *other, *j;
    REQUIRE(symbi_spawner_start(sp, SH(&c, 60000, "sleep 60"), no_permit, &other, &err) == SYMBI_OK);
    j = run(SH(&c, 10000, "sleep 8766.02468 >/dev/null 2>&1 & echo done"), &r); /* ends by itself */
    REQUIRE(j);
    symbi_job_free(j);
    CHECK(gone("8766.02468"));
    j = run(SH(&c, 150, "trap '' TERM; sh -c 'trap \"\" TERM; sleep 8767.02468' & wait; sleep 8767.02468"), &r); /* is killed */
    REQUIRE(j);
    symbi_job_free(j);
    CHECK(gone("8767.02468"));
    CHECK(!symbi_job_done(other));
    symbi_job_free(other);
}

static void test_grandchild_holds_the_pipe(void)
{
    cmd c;
    symbi_exec_result r;
    int64_t t = ms();
    symbi_job *j = run(SH(&c, 10000, "sleep 8765.02468 & echo done"), &r);
    REQUIRE(j);
    CHECK(ms() - t < 5000 && r.exit_code == 0 && !r.timed_out);
    CHECK_STR(r.out, "done\n");
    CHECK(gone("8765.02468"));
    symbi_job_free(j);
    /* what a helper still writes within the grace belongs to the output */
    for (int tries = 0;; tries++) { /* the grace is a quarter of a second: on a busy machine the helper may sleep through it once */
        j = run(SH(&c, 10000, "(sleep 0.02; echo late) & echo first"), &r);
        REQUIRE(j);
        if (tries < 9 && r.out.n < sizeof "first\nlate\n" - 1) {
            symbi_job_free(j);
            continue;
        }
        CHECK_STR(r.out, "first\nlate\n");
        symbi_job_free(j);
        break;
    }
}

static void test_daemon_does_not_escape(void)
{
    cmd c;
    symbi_exec_result r;
    int64_t t = ms();
    symbi_job *j = run(SH(&c, 10000, "setsid sh -c 'setsid sleep 9876.02468 </dev/null >/dev/null 2>&1 & exit' ; echo ok"), &r);
    REQUIRE(j);
    CHECK(ms() - t < 5000);
    CHECK_STR(r.out, "ok\n");
    symbi_job_free(j);
    CHECK(gone("9876.02468"));
    j = run(SH(&c, 300, "setsid sleep 9877.02468 & sleep 9877.02468"), &r); /* holds the pipe from another session */
    REQUIRE(j);
    CHECK(r.timed_out && ms() - t < 9000);
    symbi_job_free(j);
    CHECK(gone("9877.02468"));
}

static void test_closes_output_and_lives_on(void)
{
    cmd c;
    symbi_exec_result r;
    int64_t t = ms();
    symbi_job *j = run(SH(&c, 5000, "exec >&- 2>&-; sleep 0.4; exit 3"), &r);
    REQUIRE(j);
    CHECK(r.exit_code == 3 && ms() - t >= 400);
    symbi_job_free(j);
}

static long rss_kb(int pid)
{
    char path[64], line[200];
    long kb = -1;
    FILE *f;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    if (!(f = fopen(path, "r"))) return -1;
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "RssAnon: %ld", &kb) == 1) break;
    fclose(f);
    return kb;
}

static void test_a_gigabyte(void)
{
    cmd c;
    symbi_exec_result r;
    static const uint8_t zeros_1e9[32] = { /* head -c 1000000000 /dev/zero | sha256sum */
        0xbc, 0x17, 0xf0, 0x6f, 0x9d, 0x9b, 0x5f, 0x6f, 0x79, 0xca, 0x18, 0x9a, 0x17, 0x72, 0xb1, 0xa3,
        0xa3, 0x8d, 0x6e, 0x40, 0xc4, 0x5b, 0xec, 0x50, 0xf9, 0xc4, 0xf2, 0x81, 0x44, 0xef, 0xdd, 0xca };
    long before = rss_kb(symbi_spawner_pid(sp)), mine = rss_kb((int)getpid());
    symbi_job *j;
    CMD(&c, 60000, "head", "-c", "1000000000", "/dev/zero");
    c.plan.stdout_max = 100000;
    j = run(&c.plan, &r);
    REQUIRE(j);
    CHECK(r.exit_code == 0 && r.out_bytes == 1000000000 && r.out.n == 100000 && r.out_truncated);
    CHECK(memcmp(r.out_sha256, zeros_1e9, 32) == 0);
    CHECK(rss_kb(symbi_spawner_pid(sp)) - before < 4096 && rss_kb((int)getpid()) - mine < 4096);
    symbi_job_free(j);
    CMD(&c, 60000, "sh", "-c", "head -c 50000000 /dev/zero >&2; echo end");
    c.plan.stderr_max = 0;
    j = run(&c.plan, &r);
    REQUIRE(j);
    CHECK(r.err.n == 0 && r.err_truncated && !r.out_truncated);
    CHECK_STR(r.out, "end\n");
    symbi_job_free(j);
}

static void test_endless_output_times_out(void)
{
    cmd c;
    symbi_exec_result r;
    int64_t t = ms();
    symbi_job *j;
    CMD(&c, 700, "yes");
    c.plan.stdout_max = 1 << 20;
    j = run(&c.plan, &r);
    REQUIRE(j);
    CHECK(r.timed_out && r.out_truncated && r.out.n == 1u << 20 && r.out_bytes > r.out.n && ms() - t < 10000);
    symbi_job_free(j);
}

static void test_exact_caps(void)
{
    cmd c;
    symbi_exec_result r;
    symbi_job *j;
    SH(&c, 5000, "printf 12345; printf abc >&2");
    c.plan.stdout_max = 5;
    c.plan.stderr_max = 2;
    j = run(&c.plan, &r);
    REQUIRE(j);
    CHECK_STR(r.out, "12345");
    CHECK_STR(r.err, "ab");
    CHECK(!r.out_truncated && r.err_truncated);
    symbi_job_free(j);
    c.plan.stdout_max = 4;
    j = run(&c.plan, &r);
    REQUIRE(j);
    CHECK_STR(r.out, "1234");
    CHECK(r.out_truncated && r.out_bytes == 5);
    symbi_job_free(j);
}

static void test_many_at_once(void)
{
    enum { N = 150 };
    cmd c;
    symbi_job *jobs[N];
    symbi_exec_result r;
    for (int i = 0; i < N; i++) {
        char text[64];
        snprintf(text, sizeof text, "echo %d; sleep 0.%d", i, i % 10);
        SH(&c, 20000, text);
        REQUIRE(symbi_spawner_start(sp, &c.plan, no_permit, &jobs[i], &err) == SYMBI_OK);
    }
    CHECK(symbi_spawner_open(sp) == N);
    while (symbi_spawner_open(sp)) {
        struct pollfd p = { symbi_spawner_fd(sp), POLLIN, 0 };
        REQUIRE(poll(&p, 1, 10000) == 1);
        symbi_spawner_step(sp);
    }
    for (int i = 0; i < N; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d\n", i);
        CHECK(symbi_job_result(jobs[i], &r, &err) == SYMBI_OK && r.exit_code == 0);
        CHECK_STR(r.out, text);
        symbi_job_free(jobs[i]);
    }
}

static void test_kill(void)
{
    cmd c;
    symbi_job *j;
    symbi_exec_result r;
    int64_t t = ms();
    REQUIRE(symbi_spawner_start(sp, SH(&c, 20000, "sleep 6543.02468"), no_permit, &j, &err) == SYMBI_OK);
    CHECK(symbi_job_result(j, &r, &err) == SYMBI_ESTATE);
    CHECK(symbi_job_wait(j, 100, &err) == SYMBI_ETIMEOUT);
    symbi_job_kill(j);
    CHECK_OK(symbi_job_wait(j, 3000, &err), err);
    CHECK(symbi_job_result(j, &r, &err) == SYMBI_EABORT && ms() - t < 9000);
    symbi_job_free(j);
    REQUIRE(symbi_spawner_start(sp, SH(&c, 20000, "sleep 6544.02468"), no_permit, &j, &err) == SYMBI_OK);
    symbi_job_free(j); /* freeing gives it up too */
    j = run(CMD(&c, 5000, "true"), &r);
    CHECK(r.exit_code == 0);
    symbi_job_free(j);
    CHECK(gone("6543.02468") && gone("6544.02468"));
}

static void test_spawner_dies(void)
{
    cmd c;
    symbi_job *j;
    symbi_exec_result r;
    char path[] = "/tmp/symbi-once-XXXXXX", text[200];
    struct stat st;
    int fd = mkstemp(path), pid = symbi_spawner_pid(sp);
    close(fd);
    snprintf(text, sizeof text, "echo x >> %s; sleep 5432.02468", path);
    REQUIRE(symbi_spawner_start(sp, SH(&c, 20000, text), no_permit, &j, &err) == SYMBI_OK);
    for (int i = 0; i < 200 && stat(path, &st) == 0 && st.st_size == 0; i++) usleep(10000);
    kill(pid, SIGKILL);
    CHECK_OK(symbi_job_wait(j, 3000, &err), err);
    CHECK(symbi_job_result(j, &r, &err) == SYMBI_EIO && strstr(err.msg, "signal 9") && strstr(err.msg, "not run again"));
    symbi_job_free(j);
    j = run(SH(&c, 5000, "echo again"), &r); /* a new one was started */
    REQUIRE(j);
    CHECK_STR(r.out, "again\n");
    CHECK(symbi_spawner_pid(sp) != pid && symbi_spawner_pid(sp) > 0);
    symbi_job_free(j);
    CHECK(stat(path, &st) == 0 && st.st_size == 2); /* ran once */
    unlink(path);
    pid = symbi_spawner_pid(sp); /* dies while idle */
    kill(pid, SIGKILL);
    usleep(50000);
    j = run(SH(&c, 5000, "echo idle"), &r);
    REQUIRE(j);
    CHECK_STR(r.out, "idle\n");
    symbi_job_free(j);
}

static void test_spawner_hangs(void)
{
    cmd c;
    symbi_job *j;
    symbi_exec_result r;
    kill(symbi_spawner_pid(sp), SIGSTOP);
    CHECK(symbi_exec_blocking(sp, CMD(&c, 100, "true"), no_permit, &j, &err) == SYMBI_EIO && !j);
    CHECK(strstr(err.msg, "did not answer"));
    j = run(CMD(&c, 5000, "true"), &r);
    CHECK(r.exit_code == 0);
    symbi_job_free(j);
}

static int chld_seen;
static void on_chld(int s) { (void)s, chld_seen++; }

static void test_host_sees_no_child(void)
{
    struct sigaction sa = { 0 }, was;
    cmd c;
    symbi_exec_result r;
    symbi_spawner *own, *keep = sp;
    symbi_job *j;
    sa.sa_handler = on_chld;
    sigaction(SIGCHLD, &sa, &was);
    REQUIRE(symbi_spawner_new(cx, NULL, &own, &err) == SYMBI_OK);
    sp = own;
    for (int i = 0; i < 5; i++) symbi_job_free(run(SH(&c, 5000, "true & wait"), &r));
    sp = keep;
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD); /* as nginx's handler would ask */
    symbi_spawner_free(own);
    CHECK(chld_seen == 0);
    sigaction(SIGCHLD, &was, NULL);
    (void)j;
}

static void test_parent_dies(void)
{
    int fd[2], pid;
    char b;
    REQUIRE(pipe(fd) == 0);
    pid = fork();
    if (pid == 0) { /* another host, which is killed while its tools run */
        cmd c;
        symbi_job *j, *k;
        symbi_spawner *own = NULL;
        if (symbi_spawner_new(cx, NULL, &own, &err) == SYMBI_OK && symbi_spawner_start(own, SH(&c, 60000, "trap '' TERM HUP; sleep 4321.02468 & sleep 4321.02468"), no_permit, &j, &err) == SYMBI_OK &&
            symbi_spawner_start(own, SH(&c, 60000, "setsid sleep 4322.02468"), no_permit, &k, &err) == SYMBI_OK) {
            while (!alive("4321.02468") || !alive("4322.02468")) usleep(5000);
            if (write(fd[1], "x", 1) != 1) _exit(2);
        }
        pause();
        _exit(0);
    }
    close(fd[1]);
    CHECK(read(fd[0], &b, 1) == 1);
    close(fd[0]);
    CHECK(alive("4321.02468"));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    CHECK(gone("4321.02468"));
    CHECK(gone("4322.02468"));
}

static void *in_thread(void *ud)
{
    cmd c;
    symbi_exec_result r;
    symbi_ctx *own = NULL;
    symbi_spawner *s = NULL;
    symbi_job *j = NULL;
    symbi_err e;
    int *good = ud;
    if (symbi_ctx_new(NULL, &own, &e) == SYMBI_OK && symbi_spawner_new(own, NULL, &s, &e) == SYMBI_OK) {
        for (int i = 0; i < 20; i++)
            if (symbi_exec_blocking(s, SH(&c, 5000, "echo hi"), no_permit, &j, &e) == SYMBI_OK) {
                if (symbi_job_result(j, &r, &e) == SYMBI_OK && r.out.n == 3) ++*good;
                symbi_job_free(j);
            }
    }
    symbi_spawner_free(s);
    symbi_ctx_free(own);
    return NULL;
}

static void test_threads(void)
{
    pthread_t t[4];
    int good[4] = { 0 };
    for (int i = 0; i < 4; i++) pthread_create(&t[i], NULL, in_thread, &good[i]);
    for (int i = 0; i < 4; i++) pthread_join(t[i], NULL);
    for (int i = 0; i < 4; i++) CHECK(good[i] == 20);
}

static void test_forked_host(void)
{
    int pid = fork(), status = 0;
    if (pid == 0) { /* must not talk on its parent's socket */
        cmd c;
        symbi_exec_result r;
        symbi_job *j;
        int was = symbi_spawner_pid(sp), ok;
        ok = symbi_exec_blocking(sp, SH(&c, 5000, "echo mine"), no_permit, &j, &err) == SYMBI_OK && symbi_job_result(j, &r, &err) == SYMBI_OK && r.out.n == 5 && symbi_spawner_pid(sp) != was;
        symbi_job_free(j);
        symbi_spawner_free(sp);
        _exit(ok ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static symbi_status only_marked(void *ud, const symbi_exec_request *rq, int64_t now, symbi_err *e)
{
    const char *want = ud;
    if (rq->permit.n == strlen(want) && !memcmp(rq->permit.p, want, rq->permit.n) && now > 0) return SYMBI_OK;
    symbi_err_clear(e);
    snprintf(e->msg, sizeof e->msg, "no permit for %s", rq->plan.argv[0].p);
    return e->code = SYMBI_EPERMIT;
}

static symbi_status talk(const char *path, const symbi_plan *p, symbi_str permit, symbi_exec_result *r, char *copy, size_t cap)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    symbi_text t = { 0 };
    symbi_str got = { copy, 0 };
    size_t need = 0;
    uint64_t id = 0;
    strcpy(a.sun_path, path);
    if (connect(fd, (struct sockaddr *)&a, sizeof a)) return SYMBI_ENOTFOUND;
    if (symbi_exec_encode(cx, p, permit, 77, &t, &err) == SYMBI_OK && write(fd, t.p, t.n) != (ssize_t)t.n) return SYMBI_EIO;
    symbi_text_free(&t);
    while (got.n < cap && (!need || got.n < need)) {
        ssize_t n = read(fd, copy + got.n, cap - got.n);
        if (n <= 0) break;
        got.n += (size_t)n;
        if (symbi_exec_frame_len(got, &need, &err)) break;
    }
    close(fd);
    if (!need || got.n != need) return SYMBI_EIO;
    {
        symbi_status st = symbi_exec_decode(got, &id, r, &err);
        CHECK(id == 77);
        return st;
    }
}

static void test_socket_and_permit(void)
{
    char dir[] = "/tmp/symbi-sock-XXXXXX", path[64], buf[65536];
    symbi_spawner_options o;
    symbi_spawner *own = NULL, *second = NULL;
    symbi_exec_result r;
    struct stat st;
    cmd c;
    symbi_job *j;
    REQUIRE(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/s", dir);
    symbi_spawner_options_init(&o);
    o.listen_path = path;
    REQUIRE(symbi_spawner_new(cx, &o, &own, &err) == SYMBI_OK);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    /* without a check nothing runs for others */
    CHECK(talk(path, SH(&c, 5000, "echo no"), symbi_str_z("good"), &r, buf, sizeof buf) == SYMBI_EPERMIT);
    CHECK(symbi_spawner_new(cx, &o, &second, &err) == SYMBI_EEXISTS && !second); /* somebody answers there */
    symbi_spawner_free(own);
    CHECK(stat(path, &st) != 0); /* the name is gone with it */
    o.check = only_marked;
    o.check_ud = (char[]){ "good" };
    REQUIRE(symbi_spawner_new(cx, &o, &own, &err) == SYMBI_OK);
    CHECK(talk(path, SH(&c, 5000, "echo yes"), symbi_str_z("good"), &r, buf, sizeof buf) == SYMBI_OK);
    CHECK_STR(r.out, "yes\n");
    CHECK(talk(path, SH(&c, 5000, "echo no"), symbi_str_z("bad"), &r, buf, sizeof buf) == SYMBI_EPERMIT && strstr(err.msg, "no permit for /bin/sh"));
    CHECK(symbi_exec_blocking(own, SH(&c, 5000, "echo no"), no_permit, &j, &err) == SYMBI_EPERMIT);
    CHECK_OK(symbi_exec_blocking(own, SH(&c, 5000, "echo no"), symbi_str_z("good"), &j, &err), err);
    symbi_job_free(j);
    kill(symbi_spawner_pid(own), SIGKILL); /* leaves the name behind; the next one takes it over */
    usleep(50000);
    CHECK_OK(symbi_exec_blocking(own, SH(&c, 5000, "true"), symbi_str_z("good"), &j, &err), err);
    symbi_job_free(j);
    CHECK(talk(path, SH(&c, 5000, "echo yes"), symbi_str_z("good"), &r, buf, sizeof buf) == SYMBI_OK);
    symbi_spawner_free(own);
    rmdir(dir);
}

static void test_garbage_on_the_socket(void)
{
    char dir[] = "/tmp/symbi-sock-XXXXXX", path[64], buf[64];
    static const char *const bad[] = { "GET / HTTP/1.0\r\n\r\n", "SYX1\xff\xff\xff\xff\0\0\0\0\0\0\0\0", "SYX1\0\0\0\1\0\0\0\0\0\0\0\0\x09", "SYX2" };
    static const size_t len[] = { 18, 16, 17, 4 };
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    symbi_spawner_options o;
    symbi_spawner *own = NULL;
    cmd c;
    symbi_job *j = NULL;
    REQUIRE(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/s", dir);
    symbi_spawner_options_init(&o);
    o.listen_path = path;
    REQUIRE(symbi_spawner_new(cx, &o, &own, &err) == SYMBI_OK);
    strcpy(a.sun_path, path);
    for (size_t i = 0; i < 4; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        struct pollfd p = { fd, POLLIN, 0 };
        CHECK(connect(fd, (struct sockaddr *)&a, sizeof a) == 0);
        CHECK(write(fd, bad[i], len[i]) == (ssize_t)len[i]);
        CHECK(poll(&p, 1, 2000) == 1 && read(fd, buf, sizeof buf) <= 0); /* the connection is dropped */
        close(fd);
    }
    CHECK_OK(symbi_exec_blocking(own, CMD(&c, 5000, "true"), no_permit, &j, &err), err); /* and nothing else is */
    symbi_job_free(j);
    symbi_spawner_free(own);
    rmdir(dir);
}

static void test_evidence(void)
{
    char dir[] = "/tmp/symbi-evid-XXXXXX", path[100], cmd_text[200];
    cmd c;
    symbi_exec_result r;
    symbi_job *j;
    symbi_text t;
    struct stat st;
    REQUIRE(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/a/1-x-t/scan.txt", dir);
    SH(&c, 5000, "echo kept");
    c.plan.capture = true;
    c.plan.output_file = symbi_str_z(path);
    j = run(&c.plan, &r);
    REQUIRE(j);
    CHECK_STR(r.output_file, path);
    CHECK_OK(symbi_file_read(cx, path, 100, &t, &err), err);
    CHECK_STR(symbi_text_str(&t), "kept\n");
    symbi_text_free(&t);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    *strrchr(path, '/') = 0;
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0700);
    symbi_job_free(j);
    path[strlen(path)] = '/';
    CHECK(symbi_exec_blocking(sp, &c.plan, no_permit, &j, &err) == SYMBI_EIO && !j); /* the same run a second time */
    snprintf(path, sizeof path, "%s/a/2-x-t/scan.txt", dir);
    snprintf(cmd_text, sizeof cmd_text, "echo own > %s; echo other", path);
    SH(&c, 5000, cmd_text); /* a tool that writes its file itself */
    c.plan.capture = true;
    c.plan.output_file = symbi_str_z(path);
    j = run(&c.plan, &r);
    REQUIRE(j);
    CHECK_OK(symbi_file_read(cx, path, 100, &t, &err), err);
    CHECK_STR(symbi_text_str(&t), "own\n");
    symbi_text_free(&t);
    symbi_job_free(j);
    snprintf(path, sizeof path, "%s/a", dir);
    CHECK(chmod(path, 0777) == 0); /* open to everybody: not a place for evidence, and the tool does not run */
    snprintf(path, sizeof path, "%s/a/3-x-t/scan.txt", dir);
    c.plan.output_file = symbi_str_z(path);
    CHECK(symbi_exec_blocking(sp, &c.plan, no_permit, &j, &err) == SYMBI_EIO && strstr(err.msg, "write to it"));
    snprintf(cmd_text, sizeof cmd_text, "rm -r %s", dir);
    CHECK(system(cmd_text) == 0);
}

static symbi_status oom_scenario(symbi_ctx *c2, void *ud)
{
    symbi_spawner *s = NULL;
    symbi_job *j = NULL;
    symbi_exec_result r;
    symbi_err e;
    cmd c;
    symbi_status st = symbi_spawner_new(c2, NULL, &s, &e);
    (void)ud;
    if (!st) st = symbi_exec_blocking(s, SH(&c, 5000, "head -c 100000 /dev/zero"), no_permit, &j, &e);
    if (!st) st = symbi_job_result(j, &r, &e);
    if (!st && r.out.n != 100000) st = SYMBI_EEVAL;
    if (st == SYMBI_EIO && strstr(e.msg, "memory")) st = SYMBI_ENOMEM;
    symbi_job_free(j);
    symbi_spawner_free(s);
    return st;
}

static void test_out_of_memory(void) { test_oom(oom_scenario, NULL, SYMBI_OK); }

static void test_closed_with_open_jobs(void)
{
    symbi_spawner *own;
    symbi_job *j;
    symbi_exec_result r;
    cmd c;
    REQUIRE(symbi_spawner_new(cx, NULL, &own, &err) == SYMBI_OK);
    REQUIRE(symbi_spawner_start(own, SH(&c, 60000, "sleep 3210.02468"), no_permit, &j, &err) == SYMBI_OK);
    usleep(50000);
    symbi_spawner_free(own);
    CHECK(symbi_job_done(j) && symbi_job_result(j, &r, &err) == SYMBI_EABORT);
    symbi_job_free(j);
    CHECK(gone("3210.02468"));
}

int main(void)
{
    int before;
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    before = fds();
    if (symbi_spawner_new(cx, NULL, &sp, &err)) {
        printf("%s\n", err.msg);
        return 1;
    }
    RUN(test_output_and_code);
    RUN(test_clean_world);
    RUN(test_not_started);
    RUN(test_bad_plans);
    RUN(test_timeout_kills_the_group);
    RUN(test_group_goes_while_others_run);
    RUN(test_grandchild_holds_the_pipe);
    RUN(test_daemon_does_not_escape);
    RUN(test_closes_output_and_lives_on);
    RUN(test_a_gigabyte);
    RUN(test_endless_output_times_out);
    RUN(test_exact_caps);
    RUN(test_many_at_once);
    RUN(test_kill);
    RUN(test_spawner_dies);
    RUN(test_spawner_hangs);
    RUN(test_host_sees_no_child);
    RUN(test_parent_dies);
    RUN(test_threads);
    RUN(test_forked_host);
    RUN(test_socket_and_permit);
    RUN(test_garbage_on_the_socket);
    RUN(test_evidence);
    RUN(test_out_of_memory);
    RUN(test_closed_with_open_jobs);
    symbi_spawner_free(sp);
    t_now_failed = 0;
    CHECK(fds() == before);
    CHECK(waitpid(-1, NULL, __WALL | WNOHANG) == -1 && errno == ECHILD); /* no zombie left */
    if (t_now_failed) t_failed++;
    symbi_ctx_free(cx);
    return test_end();
}
