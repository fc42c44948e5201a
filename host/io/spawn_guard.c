/* io/spawn_guard.c: the process between host and spawner. What tools leave behind finds its way to the spawner, and if that is killed,
 * here: no tool and no descendant of one outlives the spawner, however it ends. The guard holds no socket and reads nothing; it ends as
 * the spawner did, which is how the host learns of it. If the guard itself is killed, the spawner sees the end of a pipe and quits. */
#define _GNU_SOURCE
#include "io/spawn_int.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 1000, ROUND_NS = 2000000 };

/* Until there is nobody left, or for about two seconds: something may hang in the kernel, and the host waits for us. */
static void end_all(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct timespec t = { 0, i ? ROUND_NS : 0 };
        char buf[4096];
        const char *p;
        pid_t pid;
        nanosleep(&t, NULL);
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) continue;
        if (pid < 0 && errno == ECHILD) return;
        p = sy_sp_children((pid_t)syscall(SYS_getpid), buf, sizeof buf);
        while ((pid = sy_sp_next_pid(&p))) kill(pid, SIGKILL);
    }
}

_Noreturn static void end_like(int status)
{
    sigset_t none;
    end_all();
    if (WIFSIGNALED(status)) {
        sigemptyset(&none);
        kill((pid_t)syscall(SYS_getpid), WTERMSIG(status));
        sigprocmask(SIG_SETMASK, &none, NULL);
    }
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

_Noreturn void sy_guard_main(const sy_sp_conf *conf)
{
    static const long dfl[8]; /* the kernel's struct, all zero: the default */
    int life[2], null, status = 0;
    sigset_t wait_for;
    pid_t spawner;
    /* Every signal is blocked here, as the host had it when it made us: none of its handlers runs. */
    for (int i = 1; i < 65; i++) syscall(SYS_rt_sigaction, (long)i, dfl, 0l, 8l);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (pipe2(life, O_CLOEXEC)) _exit(1);
    for (int i = 0; i < 2; i++)
        if (life[i] < 3) life[i] = fcntl(life[i], F_DUPFD_CLOEXEC, 3); /* the low one goes with the host's others */
    spawner = (pid_t)syscall(SYS_clone, (long)SIGCHLD, 0l, 0l, 0l, 0l);
    if (spawner < 0) _exit(1);
    if (spawner == 0) {
        close(life[1]);
        sy_spawner_main(conf, life[0]);
    }
    __atomic_store_n(conf->seen, (int32_t)spawner, __ATOMIC_RELEASE);
    null = open("/dev/null", O_RDWR);
    for (int f = 0; f < 3 && null >= 0; f++)
        if (f != null) dup2(null, f);
    sy_sp_close_others(life[1], -1, -1);
    setsid();
    prctl(PR_SET_NAME, "symbi-guard");
    sigemptyset(&wait_for);
    sigaddset(&wait_for, SIGCHLD);
    sigaddset(&wait_for, SIGTERM);
    for (;;) {
        if (sigwaitinfo(&wait_for, NULL) == SIGTERM) kill(spawner, SIGKILL); /* the host has given it up; not reaped yet, so it is still that one */
        if (waitpid(spawner, &status, WNOHANG) == spawner) end_like(status);
    }
}
