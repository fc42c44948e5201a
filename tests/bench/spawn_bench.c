/* A supervised oneshot of /bin/true against a bare posix_spawn + waitpid, in one run, with a small and with a big parent.
 * The two are measured alternately, so that noise of the machine hits both. The same in bubblewrap, beside a bare posix_spawn of
 * bwrap with the same arguments. Prints one line of JSON. */
#define _GNU_SOURCE
#include "symbi/io.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum { ROUNDS = 400, BOX_ROUNDS = 60 };
#define TARGET 1.5

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, by_value);
    return v[n / 2];
}

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static double bare(void)
{
    char *const argv[] = { (char[]){ "/bin/true" }, NULL }, *const env[] = { (char[]){ "PATH=/usr/bin:/bin" }, NULL };
    double t = now_us();
    pid_t pid;
    int status;
    if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, env) || waitpid(pid, &status, 0) != pid || status) fail("posix_spawn", "failed");
    return now_us() - t;
}

/* What the spawner itself asks of bwrap, more or less, without the spawner. */
static double bare_box(void)
{
    static const char *const words[] = { "/usr/bin/bwrap", "--unshare-user", "--disable-userns", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try", "--die-with-parent", "--cap-drop", "ALL",
        "--hostname", "sandbox", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--unshare-net", "--tmpfs", "/run", "--tmpfs", "/tmp", "--tmpfs", "/var/tmp", "--chdir", "/", "--", "/bin/true", NULL };
    char *const env[] = { (char[]){ "PATH=/usr/bin:/bin" }, NULL };
    char *argv[sizeof words / sizeof words[0]];
    double t = now_us();
    pid_t pid;
    int status;
    memcpy(argv, words, sizeof words);
    if (posix_spawn(&pid, argv[0], NULL, NULL, argv, env) || waitpid(pid, &status, 0) != pid || status) return -1;
    return now_us() - t;
}

static double supervised(symbi_spawner *sp, const symbi_plan *p)
{
    static const symbi_str none = { "", 0 };
    symbi_err err;
    symbi_job *j;
    symbi_exec_result r;
    double t = now_us();
    if (symbi_exec_blocking(sp, p, none, &j, &err) || symbi_job_result(j, &r, &err) || r.exit_code) fail("symbi_exec_blocking", err.msg);
    symbi_job_free(j);
    return now_us() - t;
}

static void grow(size_t mb)
{
    char *p = malloc(mb << 20);
    if (!p) fail("malloc", "out of memory");
    for (size_t i = 0; i < mb << 20; i += 4096) p[i] = (char)i;
    __asm__ volatile("" : : "r"(p) : "memory");
}

static double measure(symbi_spawner *sp, const symbi_plan *p, const char *name)
{
    static double a[ROUNDS], b[ROUNDS];
    double x, y;
    for (int i = 0; i < 20; i++) bare(), supervised(sp, p);
    for (int i = 0; i < ROUNDS; i++) a[i] = bare(), b[i] = supervised(sp, p);
    x = median(a, ROUNDS);
    y = median(b, ROUNDS);
    printf("\"%s\":{\"bare_us\":%.1f,\"supervised_us\":%.1f,\"ratio\":%.3f}", name, x, y, y / x);
    return y / x;
}

/* A row of its own: what the sandbox costs is bwrap's and the kernel's. */
static void measure_box(symbi_spawner *sp, const symbi_plan *plan)
{
    static double a[BOX_ROUNDS], b[BOX_ROUNDS];
    symbi_plan p = *plan;
    symbi_job *j = NULL;
    symbi_err err;
    symbi_str none = { "", 0 };
    p.box = SYMBI_BOX_BWRAP;
    p.cwd = symbi_str_z("/");
    p.output_file = symbi_str_z("");
    if (symbi_exec_blocking(sp, &p, none, &j, &err) || bare_box() < 0) {
        printf(",\"bwrap\":{\"skipped\":\"bubblewrap does not work here\"}");
        return;
    }
    symbi_job_free(j);
    for (int i = 0; i < BOX_ROUNDS; i++) a[i] = bare_box(), b[i] = supervised(sp, &p);
    a[0] = median(a, BOX_ROUNDS);
    b[0] = median(b, BOX_ROUNDS);
    printf(",\"bwrap\":{\"bare_bwrap_us\":%.1f,\"supervised_us\":%.1f,\"ratio\":%.3f}", a[0], b[0], b[0] / a[0]);
}

int main(void)
{
    symbi_ctx *cx;
    symbi_spawner *sp, *late;
    symbi_err err;
    symbi_str argv[1], env[1];
    symbi_plan p;
    double worst, r, t;
    memset(&p, 0, sizeof p);
    argv[0] = symbi_str_z("/bin/true");
    env[0] = symbi_str_z("PATH=/usr/bin:/bin");
    p.kind = SYMBI_BACKEND_SHELL;
    p.argv = argv;
    p.argc = 1;
    p.env = env;
    p.nenv = 1;
    p.tool = p.scan_id = p.cwd = symbi_str_z("");
    p.timeout_ms = 10000;
    p.stdout_max = p.stderr_max = 10u << 20;
    if (symbi_ctx_new(NULL, &cx, &err)) fail("ctx", err.msg);
    grow(16);
    t = now_us();
    if (symbi_spawner_new(cx, NULL, &sp, &err)) fail("spawner", err.msg);
    t = now_us() - t;
    printf("{\"bench\":\"spawn\",\"rounds\":%d,\"start_at_16MB_us\":%.1f,", ROUNDS, t);
    worst = measure(sp, &p, "at_16MB");
    printf(",");
    grow(240);
    r = measure(sp, &p, "at_256MB");
    if (r > worst) worst = r;
    t = now_us();
    if (symbi_spawner_new(cx, NULL, &late, &err)) fail("spawner", err.msg);
    t = now_us() - t;
    printf(",\"start_at_256MB_us\":%.1f,", t);
    r = measure(late, &p, "at_256MB_started_late");
    if (r > worst) worst = r;
    measure_box(late, &p);
    printf(",\"worst_ratio\":%.3f,\"target\":%.1f,\"pass\":%s}\n", worst, TARGET, worst <= TARGET ? "true" : "false");
    symbi_spawner_free(late);
    symbi_spawner_free(sp);
    symbi_ctx_free(cx);
    return worst <= TARGET ? 0 : 1;
}
