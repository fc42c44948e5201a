/* 100,000 tools one after the other and some at once, through one spawner: no zombie, no descriptor left behind, no growth of memory in
 * this process, the spawner or the guard. Tools that leave daemons, fill their pipes and fail to start are among them. One line of JSON;
 * SOAK_RUNS says another number. */
#define _GNU_SOURCE
#include "spawn_cmd.h"

#include <errno.h>
#include <sys/wait.h>

static symbi_spawner *sp;
static symbi_err err;
static const symbi_str none = { "", 0 };

static long status_of(int pid, const char *key)
{
    char path[64], line[200];
    long v = -1;
    FILE *f;
    size_t n = strlen(key);
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    if (!(f = fopen(path, "r"))) return -1;
    while (fgets(line, sizeof line, f))
        if (!strncmp(line, key, n)) v = atol(line + n);
    fclose(f);
    return v;
}

static int fds(int pid)
{
    char path[64];
    DIR *d;
    int n = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    if (!(d = opendir(path))) return -1;
    while (readdir(d)) n++;
    closedir(d);
    return n;
}

/* Children of a process, dead or alive. */
static int children(int pid)
{
    char path[64], b[4096];
    int n = 0;
    FILE *f;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
    if (!(f = fopen(path, "r"))) return -1;
    while (fscanf(f, "%4095s", b) == 1) n++;
    fclose(f);
    return n;
}

static bool one(long i)
{
    cmd c;
    symbi_job *j = NULL;
    symbi_exec_result r;
    bool ok;
    switch (i % 1000) {
    case 100: SH(&c, 5000, "setsid sh -c 'setsid sleep 5 </dev/null >/dev/null 2>&1 &'"); break;
    case 300: SH(&c, 5000, "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2"); break;
    case 500: CMD(&c, 5000, "no-such-program"); break;
    case 700: SH(&c, 5000, "sleep 5 & exit 3"); break;
    case 900: SH(&c, 30, "sleep 5"); break;
    default: CMD(&c, 5000, "/bin/true"); break;
    }
    ok = symbi_exec_blocking(sp, &c.plan, none, &j, &err) == SYMBI_OK && symbi_job_result(j, &r, &err) == SYMBI_OK;
    if (ok && c.plan.argc == 1 && c.argv[0].n == 9) ok = r.exit_code == 0 && !r.signal;
    symbi_job_free(j);
    return ok;
}

int main(void)
{
    long runs = getenv("SOAK_RUNS") ? atol(getenv("SOAK_RUNS")) : 100000, failed = 0, mem[3][2];
    int fd[2][2], pid, guard, left, zombie;
    symbi_ctx *cx;
    int64_t t;
    if (symbi_ctx_new(NULL, &cx, &err) || symbi_spawner_new(cx, NULL, &sp, &err)) return 1;
    for (long i = 0; i < 2000; i++) failed += !one(i); /* what is kept for reuse is there now */
    pid = symbi_spawner_pid(sp);
    guard = (int)status_of(pid, "PPid:");
    fd[0][0] = fds((int)getpid()), fd[1][0] = fds(pid);
    mem[0][0] = status_of((int)getpid(), "RssAnon:"), mem[1][0] = status_of(pid, "RssAnon:"), mem[2][0] = status_of(guard, "RssAnon:");
    t = ms();
    for (long i = 0; i < runs; i++) failed += !one(i);
    t = ms() - t;
    usleep(300000);
    left = children(pid) + children(guard) - 1;
    fd[0][1] = fds((int)getpid()), fd[1][1] = fds(pid);
    mem[0][1] = status_of((int)getpid(), "RssAnon:"), mem[1][1] = status_of(pid, "RssAnon:"), mem[2][1] = status_of(guard, "RssAnon:");
    failed += symbi_spawner_pid(sp) != pid;
    symbi_spawner_free(sp);
    zombie = waitpid(-1, NULL, __WALL | WNOHANG) != -1 || errno != ECHILD;
    symbi_ctx_free(cx);
    {
        bool pass = !failed && !left && !zombie && fd[0][0] == fd[0][1] && fd[1][0] == fd[1][1];
        for (int i = 0; i < 3; i++) pass = pass && mem[i][1] - mem[i][0] <= 256;
        printf("{\"bench\":\"spawn-soak\",\"runs\":%ld,\"failed\":%ld,\"per_second\":%.0f,\"children_left\":%d,\"zombies\":%d,\"descriptors\":{\"host\":[%d,%d],\"spawner\":[%d,%d]},"
               "\"anonymous_kb\":{\"host\":[%ld,%ld],\"spawner\":[%ld,%ld],\"guard\":[%ld,%ld]},\"target\":\"nothing grows\",\"pass\":%s}\n",
            runs, failed, (double)runs * 1000 / (double)(t ? t : 1), left, zombie, fd[0][0], fd[0][1], fd[1][0], fd[1][1], mem[0][0], mem[0][1], mem[1][0], mem[1][1], mem[2][0], mem[2][1],
            pass ? "true" : "false");
        return pass ? 0 : 1;
    }
}
