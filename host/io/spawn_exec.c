/* io/spawn_exec.c: from a decoded request to a running tool. The child shares the spawner's memory until it execs
 * (CLONE_VM | CLONE_VFORK): nothing is copied, so the cost does not depend on anybody's size. */
#define _GNU_SOURCE
#include "io/spawn_int.h"
#include "io/exec_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct start {
    const sy_xw_exec *x;
    const sy_sp_conf *conf;
    char *const *boxed; /* bwrap's arguments, or NULL */
    uint64_t tag;
    int out, err, status;
    int failed; /* errno of what went wrong, read by the spawner after the child is gone */
} start;

static void limit(int what, uint64_t v)
{
    struct rlimit r, was;
    if (!v || getrlimit((__rlimit_resource_t)what, &was)) return;
    r.rlim_cur = r.rlim_max = (rlim_t)v;
    if (was.rlim_max != RLIM_INFINITY && r.rlim_max > was.rlim_max) r.rlim_cur = r.rlim_max = was.rlim_max;
    setrlimit((__rlimit_resource_t)what, &r);
}

/* Every process of a tool carries the tool's number, so that one which leaves group, session and parent is still known for whose it is:
 * in RLIMIT_LOCKS, a limit that Linux keeps and inherits but has not looked at since 2.4. Numbers go down from what is allowed, since a hard
 * limit cannot be raised. A tool that lowers its own is taken for nobody's, and then killed as soon as it is an orphan. */
static void tag(uint64_t v)
{
    struct rlimit r;
    r.rlim_cur = r.rlim_max = (rlim_t)v;
    setrlimit(RLIMIT_LOCKS, &r);
}

uint64_t sy_sp_tag_of(pid_t pid)
{
    struct rlimit r;
    return prlimit(pid, RLIMIT_LOCKS, NULL, &r) ? 0 : (uint64_t)r.rlim_max;
}

static int child(void *arg)
{
    start *s = arg;
    const symbi_spawner_options *o = &s->conf->o;
    sigset_t none;
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* the spawner is single-threaded, so this means its death */
    if (dup2(s->out, 1) < 0 || dup2(s->err, 2) < 0) goto bad;
    limit(RLIMIT_NOFILE, o->nofile);
    limit(RLIMIT_CPU, o->cpu_seconds);
    limit(RLIMIT_AS, o->address_bytes);
    limit(RLIMIT_FSIZE, o->file_bytes);
    tag(s->tag);
    if (s->boxed && (dup2(s->status, SY_SP_STATUS_FD) < 0 || fcntl(SY_SP_STATUS_FD, F_SETFD, 0))) goto bad;
    if (!s->boxed && s->x->rq.plan.cwd.n && chdir(s->x->rq.plan.cwd.p)) goto bad;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (s->boxed) execve(s->boxed[0], s->boxed, s->x->envp);
    else if (strchr(s->x->argv[0], '/')) execve(s->x->argv[0], s->x->argv, s->x->envp);
    else errno = sy_exec_path(s->x->argv, s->x->envp);
bad:
    s->failed = errno ? errno : EINVAL;
    _exit(127);
}

int sy_sp_exec(sy_sp_job *j, const sy_xw_exec *x, const sy_sp_box *box, const sy_sp_conf *conf, char *stack_top)
{
    int p[3][2], n = box->argv ? 3 : 2, saved;
    start s = { x, conf, box->argv, j->tag, -1, -1, -1, 0 };
    for (int i = 0; i < n; i++)
        if (pipe2(p[i], O_CLOEXEC)) {
            saved = errno;
            while (i-- > 0) close(p[i][0]), close(p[i][1]);
            return saved;
        }
    s.out = p[0][1];
    s.err = p[1][1];
    if (n > 2) {
        s.status = p[2][1];
        fcntl(p[2][0], F_SETFL, O_NONBLOCK);
    }
    j->start_wall = sy_sp_wall();
    j->start_mono = sy_sp_mono();
    j->pid = clone(child, stack_top, CLONE_VM | CLONE_VFORK | SIGCHLD, &s);
    saved = errno;
    for (int i = 0; i < n; i++) close(p[i][1]);
    if (j->pid > 0 && !s.failed) {
        j->fd[0] = p[0][0];
        j->fd[1] = p[1][0];
        j->boxed = n > 2;
        j->status_fd = n > 2 ? p[2][0] : -1;
        return 0;
    }
    for (int i = 0; i < n; i++) close(p[i][0]);
    if (j->pid > 0) {
        while (waitpid(j->pid, NULL, 0) < 0 && errno == EINTR) continue;
        saved = s.failed;
    }
    j->pid = 0;
    return saved;
}
