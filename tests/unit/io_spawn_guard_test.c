/* Nothing that a tool starts outlives it: not behind other tools that are still at work, not when the spawner is killed, not when the
 * guard is. And the host learns of it once, clearly, and goes on. */
#define _GNU_SOURCE
#include "spawn_cmd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static symbi_ctx *cx;
static symbi_spawner *sp;
static symbi_err err;
static const symbi_str no_permit = { "", 0 };

static symbi_job *start(const symbi_plan *p)
{
    symbi_job *j = NULL;
    CHECK_OK(symbi_spawner_start(sp, p, no_permit, &j, &err), err);
    return j;
}

static symbi_job *run(const symbi_plan *p, symbi_exec_result *r)
{
    symbi_job *j = start(p);
    memset(r, 0, sizeof *r);
    if (!j) return NULL;
    CHECK_OK(symbi_job_wait(j, 30000, &err), err);
    CHECK_OK(symbi_job_result(j, r, &err), err);
    return j;
}

static void ends(symbi_job *j, symbi_status want)
{
    symbi_exec_result r;
    REQUIRE(j);
    CHECK_OK(symbi_job_wait(j, 10000, &err), err);
    CHECK(symbi_job_result(j, &r, &err) == want);
    symbi_job_free(j);
}

/* The parent of a process, from its status. */
static int parent_of(int pid)
{
    char path[64], line[200];
    int pp = 0;
    FILE *f;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    if (!(f = fopen(path, "r"))) return 0;
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "PPid: %d", &pp) == 1) break;
    fclose(f);
    return pp;
}

/* A daemon of its own session and parent, from a tool that ends or is ended while another is at work. */
static void test_strays_go_while_others_run(void)
{
    cmd c, d;
    symbi_exec_result r;
    symbi_job *other = start(SH(&d, 60000, "n=2100; setsid sh -c \"setsid sleep $n.02468 </dev/null >/dev/null 2>&1 &\"; sleep 60")), *j;
    REQUIRE(other);
    CHECK(becomes("2100.02468", true));
    j = run(SH(&c, 10000, "setsid sh -c 'setsid sleep 2101.02468 </dev/null >/dev/null 2>&1 &'; echo ok"), &r);
    REQUIRE(j);
    CHECK_STR(r.out, "ok\n");
    symbi_job_free(j);
    CHECK(gone("2101.02468"));
    j = run(SH(&c, 300, "trap '' TERM; setsid sh -c \"trap '' TERM; setsid sleep 2102.02468\" & sleep 2102.02468"), &r);
    REQUIRE(j);
    CHECK(r.timed_out);
    symbi_job_free(j);
    CHECK(gone("2102.02468"));
    j = start(SH(&c, 60000, "setsid sh -c 'setsid sleep 2103.02468 </dev/null >/dev/null 2>&1 &'; sleep 60"));
    CHECK(becomes("2103.02468", true));
    symbi_job_free(j); /* given up */
    CHECK(gone("2103.02468"));
    /* a tool that changes what it is known by gains nothing */
    j = run(SH(&c, 10000, "prlimit --locks=5:5 setsid sh -c 'setsid sleep 2104.02468 </dev/null >/dev/null 2>&1 &'; sleep 0.3; echo ok"), &r);
    REQUIRE(j);
    symbi_job_free(j);
    CHECK(gone("2104.02468"));
    /* all this while, what belongs to the one at work was left alone */
    CHECK(!symbi_job_done(other) && alive("2100.02468"));
    symbi_job_free(other);
    CHECK(gone("2100.02468"));
}

/* Each process of a chain forks the next and ends: nobody is a child of anybody for long. */
static void test_a_tool_that_runs_away(void)
{
    cmd c;
    symbi_exec_result r;
    symbi_job *j = run(SH(&c, 10000, "f='i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; setsid sh -c \"$F\" 3135.02468 </dev/null >/dev/null 2>&1 & exit'; F=\"$f\" setsid sh -c \"$f\" 3135.02468 & exit 0"), &r);
    REQUIRE(j);
    symbi_job_free(j);
    CHECK(gone("3135.02468"));
}

static void spawner_ends(int sig, bool guard)
{
    char path[] = "/tmp/symbi-once-XXXXXX", text[400];
    struct stat st;
    cmd c;
    symbi_exec_result r;
    symbi_job *j;
    int fd = mkstemp(path), pid = symbi_spawner_pid(sp), victim = guard ? parent_of(pid) : pid;
    close(fd);
    CHECK(pid > 0 && victim > 1);
    snprintf(text, sizeof text, "echo x >> %s; trap '' TERM HUP INT; (sleep 2200.02468; true) & setsid sh -c \"trap '' TERM; setsid sleep 2201.02468 & sleep 2201.02468; true\" & sleep 2202.02468; true", path);
    j = start(SH(&c, 60000, text));
    CHECK(becomes("2200.02468", true) && becomes("2201.02468", true) && becomes("2202.02468", true));
    kill(victim, sig);
    CHECK_OK(symbi_job_wait(j, 10000, &err), err);
    CHECK(symbi_job_result(j, &r, &err) == SYMBI_EIO && strstr(err.msg, "not run again"));
    snprintf(text, sizeof text, "(signal %d)", sig);
    CHECK(strstr(err.msg, text));
    symbi_job_free(j);
    if (!guard) CHECK(!alive("2200.02468") && !alive("2201.02468") && !alive("2202.02468")); /* the guard does not say so before they are */
    CHECK(gone("2200.02468") && gone("2201.02468") && gone("2202.02468"));
    j = run(SH(&c, 5000, "echo again"), &r);
    REQUIRE(j);
    CHECK_STR(r.out, "again\n");
    symbi_job_free(j);
    CHECK(symbi_spawner_pid(sp) != pid);
    CHECK(stat(path, &st) == 0 && st.st_size == 2); /* ran once */
    unlink(path);
}

static void test_spawner_killed(void) { spawner_ends(SIGKILL, false); }
static void test_spawner_crashes(void) { spawner_ends(SIGSEGV, false); }
static void test_guard_killed(void) { spawner_ends(SIGKILL, true); }

static void test_spawner_stopped_for_good(void)
{
    cmd c;
    symbi_exec_result r;
    int pid = symbi_spawner_pid(sp), guard = parent_of(pid);
    symbi_job *j = start(SH(&c, 60000, "setsid sleep 2300.02468 & sleep 2300.02468")), *k = NULL;
    CHECK(becomes("2300.02468", true));
    kill(pid, SIGSTOP);
    CHECK(symbi_exec_blocking(sp, CMD(&c, 100, "true"), no_permit, &k, &err) == SYMBI_EIO && strstr(err.msg, "did not answer"));
    ends(j, SYMBI_EIO);
    CHECK(!alive("2300.02468"));
    CHECK(kill(pid, 0) == -1 && kill(guard, 0) == -1);
    symbi_job_free(run(CMD(&c, 5000, "true"), &r));
}

static void test_host_killed(void)
{
    int fd[2], pid;
    char b;
    REQUIRE(pipe(fd) == 0);
    pid = fork();
    if (pid == 0) {
        cmd c;
        symbi_spawner *own = NULL;
        symbi_job *j = NULL;
        if (symbi_spawner_new(cx, NULL, &own, &err) || symbi_spawner_start(own, SH(&c, 60000, "trap '' TERM; setsid sh -c 'setsid sleep 2400.02468 >/dev/null 2>&1 &'; sleep 2400.02468"), no_permit, &j, &err)) _exit(2);
        becomes("2400.02468", true);
        if (write(fd[1], "x", 1) != 1) _exit(2);
        pause();
        _exit(0);
    }
    close(fd[1]);
    CHECK(read(fd[0], &b, 1) == 1);
    close(fd[0]);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    CHECK(gone("2400.02468"));
}

/* The spawner of a host that is itself somebody's tool: the outer one may end it at any time. */
static void test_nested_limits(void)
{
    cmd c;
    symbi_exec_result r;
    symbi_job *j;
    struct rlimit was, less = { 1000, 1000 };
    symbi_spawner *keep = sp;
    int pid, status = 0;
    (void)was;
    pid = fork();
    if (pid == 0) { /* lower than what is used otherwise, and not to be raised again by others than root */
        setrlimit(RLIMIT_LOCKS, &less);
        t_now_failed = 0;
        if (symbi_spawner_new(cx, NULL, &sp, &err)) _exit(3);
        j = run(SH(&c, 5000, "setsid sh -c 'setsid sleep 2500.02468 </dev/null >/dev/null 2>&1 &'; grep -i locks /proc/self/limits | head -1; echo $(($(ulimit -Hx 2>/dev/null || echo 0)))"), &r);
        if (!j || r.exit_code) _exit(4);
        symbi_job_free(j);
        if (!gone("2500.02468")) _exit(5);
        symbi_spawner_free(sp);
        _exit(t_now_failed);
    }
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    sp = keep;
}

int main(void)
{
    if (symbi_ctx_new(NULL, &cx, &err) || symbi_spawner_new(cx, NULL, &sp, &err)) return 1;
    RUN(test_strays_go_while_others_run);
    RUN(test_a_tool_that_runs_away);
    RUN(test_spawner_killed);
    RUN(test_spawner_crashes);
    RUN(test_guard_killed);
    RUN(test_spawner_stopped_for_good);
    RUN(test_host_killed);
    RUN(test_nested_limits);
    symbi_spawner_free(sp);
    t_now_failed = 0;
    CHECK(waitpid(-1, NULL, __WALL | WNOHANG) == -1 && errno == ECHILD);
    if (t_now_failed) t_failed++;
    symbi_ctx_free(cx);
    return test_end();
}
