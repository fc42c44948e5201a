/* io/pipe_serve.c: the supervisor of one long-lived child. It ends when the child has ended and nothing of it is left, or when the host
 * closes the control socket (which also happens when the host dies): then the child's group is told to go and made to. */
#define _GNU_SOURCE
#include "io/pipe_int.h"
#include "io/exec_path.h"
#include "io/spawn_int.h"

#include "symbi/io_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef enum stage { RUN, CLOSING, TERM, KILLED } stage; /* CLOSING: its input is closed, it may go by itself */

typedef struct serve {
    const sy_pipe_conf *c;
    pid_t pid;
    int err;      /* read end of its stderr, -1 closed */
    int failed;   /* errno of a failed start, written by the child */
    int err_w;
    int box, box_w; /* bwrap's status; -1: none */
    size_t at, n; /* of the ring */
    stage stage;
    int64_t deadline;
    int64_t life_end, idle_end; /* INT64_MAX: no limit */
    bool reaped, orphaned; /* orphaned: the host has gone */
    bool unboxed; /* see pipe_int.h */
    int status;
} serve;

static int64_t mono(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void on_child(int sig) { (void)sig; } /* only so that ppoll returns */

static void close_others(int a, int b)
{
    unsigned lo = (unsigned)(a < b ? a : b), hi = (unsigned)(a < b ? b : a);
    if (syscall(SYS_close_range, hi + 1, ~0u, 0)) {
        struct rlimit r;
        unsigned top = getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur > 65536 ? 65536 : (unsigned)r.rlim_cur;
        for (unsigned f = hi + 1; f < top; f++) close((int)f);
    }
    for (unsigned f = 3; f < hi; f++)
        if (f != lo) close((int)f);
}

static void prepare(const sy_pipe_conf *c)
{
    static const long dfl[8]; /* the kernel's struct, all zero: the default */
    struct rlimit core = { 0, 0 };
    struct sigaction sa;
    sigset_t set;
    int null = open("/dev/null", O_RDWR);
    if (null < 0) _exit(1);
    for (int f = 0; f < 3; f++)
        if (f != null) dup2(null, f);
    if (null > 2) close(null);
    close_others(c->ctl, c->data < 0 ? c->ctl : c->data);
    setsid(); /* a Ctrl-C at the host's terminal is the host's */
    for (int i = 1; i < 65; i++) syscall(SYS_rt_sigaction, (long)i, dfl, 0l, 8l);
    memset(&sa, 0, sizeof sa);
    sa.sa_handler = on_child;
    sigaction(SIGCHLD, &sa, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_SETMASK, &set, NULL);
    prctl(PR_SET_NAME, "symbi-pipe");
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    setrlimit(RLIMIT_CORE, &core);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* The controlling terminal of a session leader, and its streams. */
static bool take_terminal(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    return fd >= 0 && !ioctl(fd, TIOCSCTTY, 0) && dup2(fd, 0) >= 0 && dup2(fd, 1) >= 0 && dup2(fd, 2) >= 0;
}

static int child(void *arg)
{
    serve *s = arg;
    const sy_pipe_conf *c = s->c;
    struct rlimit files = { (rlim_t)c->nofile, (rlim_t)c->nofile };
    sigset_t none;
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* the supervisor has one thread, so this means its death */
    if (c->terminal) {
        if (!take_terminal(c->terminal)) goto bad;
    } else if (dup2(s->err_w, 2) < 0) {
        goto bad;
    } else if (c->on_3_4) {
        int far = fcntl(c->data, F_DUPFD_CLOEXEC, 10); /* data may be 3 or 4 itself */
        if (far < 0 || dup2(far, 3) < 0 || dup2(far, 4) < 0) goto bad;
    } else if (dup2(c->data, 0) < 0 || dup2(c->data, 1) < 0) {
        goto bad;
    }
    setrlimit(RLIMIT_NOFILE, &files);
    if (c->boxed && (dup2(s->box_w, SY_PIPE_STATUS_FD) < 0 || fcntl(SY_PIPE_STATUS_FD, F_SETFD, 0))) goto bad;
    if (c->cwd[0] && chdir(c->cwd)) goto bad;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (strchr(c->argv[0], '/')) execve(c->argv[0], c->argv, c->envp);
    else errno = sy_exec_path(c->argv, c->envp);
bad:
    s->failed = errno ? errno : EINVAL;
    _exit(127);
}

static void say(serve *s, uint32_t what, int value, bool with_errors)
{
    sy_pipe_word w = { what, (int32_t)s->pid, value, with_errors ? (uint32_t)s->n : 0, what == 'E' && s->unboxed };
    struct iovec v[3] = { { &w, sizeof w }, { NULL, 0 }, { NULL, 0 } };
    struct msghdr m = { .msg_iov = v, .msg_iovlen = 3 };
    size_t first = (s->at + s->c->errors - s->n) % s->c->errors, run = s->c->errors - first < s->n ? s->c->errors - first : s->n;
    if (with_errors) {
        v[1] = (struct iovec){ s->c->tail + first, run };
        v[2] = (struct iovec){ s->c->tail, s->n - run };
    }
    while (sendmsg(s->c->ctl, &m, MSG_NOSIGNAL) < 0 && errno == EINTR) continue;
}

/* Out of the way of the child's numbers. */
static int up(int fd)
{
    int f = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 10);
    if (fd >= 0) close(fd);
    return f;
}

static bool start(serve *s)
{
    int e[2], b[2] = { -1, -1 };
    if (pipe2(e, O_CLOEXEC) || (s->c->boxed && pipe2(b, O_CLOEXEC))) {
        say(s, 'F', errno, false);
        return false;
    }
    fcntl(e[0], F_SETFL, O_NONBLOCK);
    s->err_w = e[1];
    s->box = up(b[0]); /* 5 is the child's */
    s->box_w = up(b[1]);
    if (s->box >= 0) fcntl(s->box, F_SETFL, O_NONBLOCK);
    s->pid = clone(child, s->c->stack_top, CLONE_VM | CLONE_VFORK | SIGCHLD, s);
    if (s->pid < 0) s->failed = errno;
    close(e[1]);
    if (s->box_w >= 0) close(s->box_w);
    if (s->c->data >= 0) close(s->c->data); /* only the child holds it now: the host sees the end of its output */
    s->err = e[0];
    if (!s->failed) {
        say(s, 'S', 0, false);
        return true;
    }
    if (s->pid > 0)
        while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR) continue;
    say(s, 'F', s->failed, false);
    return false;
}

static void read_errors(serve *s)
{
    char b[4096];
    for (int i = 0; s->err >= 0 && i < 64; i++) {
        ssize_t n = read(s->err, b, sizeof b);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
        if (n <= 0) {
            close(s->err);
            s->err = -1;
            return;
        }
        for (ssize_t k = 0; k < n; k++) {
            s->c->tail[s->at] = b[k];
            s->at = (s->at + 1) % s->c->errors;
            if (s->n < s->c->errors) s->n++;
        }
    }
}

/* What has ended is taken away; true while something of the child's is alive. */
static bool alive(serve *s)
{
    for (;;) {
        int st = 0;
        pid_t p = waitpid(-1, &st, WNOHANG);
        if (p == 0) return true;
        if (p < 0) return false; /* ECHILD */
        if (p == s->pid && !s->reaped) {
            s->reaped = true;
            s->status = st;
        }
    }
}

/* Children that left the group (daemons): ours since we are their subreaper. */
static void kill_strays(const serve *s)
{
    char buf[4096];
    const char *p = sy_sp_children((pid_t)syscall(SYS_getpid), buf, sizeof buf);
    for (pid_t pid; (pid = sy_sp_next_pid(&p));)
        if (pid > 1 && (pid != s->pid || s->reaped)) kill(pid, SIGKILL);
}

/* A box is told through those in it: bwrap would die of it at once, and with it the box. */
static void to_group(const serve *s, int sig)
{
    char scratch[4096];
    if (s->c->boxed && sig != SIGKILL) {
        sy_sp_box_signal(s->pid, sig, scratch);
        return;
    }
    kill(-s->pid, sig);
    if (sig != SIGKILL) kill(-s->pid, SIGCONT); /* a stopped one would not hear it */
}

/* Told to go: one with pipes sees the end of its input and has a grace; one at a terminal is hung up. */
static void begin_end(serve *s)
{
    if (s->stage != RUN) return;
    if (s->c->terminal) {
        to_group(s, SIGHUP);
        s->stage = TERM;
        s->deadline = mono() + SYMBI_PIPE_HANGUP_MS;
    } else {
        s->stage = CLOSING;
        s->deadline = mono() + SYMBI_PIPE_GRACE_MS;
    }
}

static int64_t after(int64_t now, int64_t ms) { return ms > INT64_MAX - now ? INT64_MAX : now + ms; }

/* What the host says: nothing more (it closed, or is gone), or for how long to keep the child. False: it is gone. */
static bool listen_to(serve *s)
{
    int64_t ms;
    char b[64];
    ssize_t n = recv(s->c->ctl, b, sizeof b, MSG_DONTWAIT);
    if (n == (ssize_t)sizeof ms) {
        memcpy(&ms, b, sizeof ms);
        s->idle_end = after(mono(), ms < 0 ? 0 : ms);
    }
    return n != 0;
}

static int64_t limit_of(const serve *s) { return s->life_end < s->idle_end ? s->life_end : s->idle_end; }

static void next_stage(serve *s)
{
    if (s->stage == CLOSING) {
        to_group(s, SIGTERM);
        s->stage = TERM;
    } else {
        to_group(s, SIGKILL);
        kill_strays(s);
        s->stage = KILLED;
    }
    s->deadline = mono() + (s->stage == TERM ? SYMBI_PIPE_GRACE_MS : 20);
}

static void run(serve *s)
{
    sigset_t none;
    bool told = false;
    sigemptyset(&none);
    for (;;) {
        struct pollfd p[2] = { { s->orphaned ? -1 : s->c->ctl, POLLIN, 0 }, { s->err, POLLIN, 0 } };
        int64_t now = mono(), left = s->stage == RUN ? 60000 : s->deadline - now;
        struct timespec ts;
        bool some;
        if (s->stage == RUN && limit_of(s) - now < left) left = limit_of(s) - now;
        if (left < 0) left = 0;
        ts.tv_sec = left / 1000;
        ts.tv_nsec = left % 1000 * 1000000L;
        if (ppoll(p, 2, &ts, &none) > 0) {
            if (p[1].revents) read_errors(s);
            if (p[0].revents && !listen_to(s)) {
                s->orphaned = true;
                begin_end(s);
            }
        }
        if (s->stage == RUN && mono() >= limit_of(s)) begin_end(s);
        some = alive(s);
        if (s->reaped && s->stage < KILLED) { /* what it left behind goes with it: no reader is waited for */
            to_group(s, SIGKILL);
            kill_strays(s);
            s->stage = KILLED;
            s->deadline = mono() + 20;
            some = alive(s);
        } else if (s->stage != RUN && mono() >= s->deadline) {
            next_stage(s);
            some = alive(s);
        }
        if (s->reaped && !told) {
            read_errors(s);
            s->unboxed = s->c->boxed && WIFEXITED(s->status) && !sy_sp_box_began(s->box);
            say(s, 'E', s->status, true);
            told = true;
        }
        if (s->reaped && !some) return;
    }
}

_Noreturn void sy_pipe_main(const sy_pipe_conf *c)
{
    serve s = { .c = c, .err = -1, .box = -1, .box_w = -1, .stage = RUN };
    prepare(c);
    s.idle_end = INT64_MAX;
    s.life_end = c->life_ms > 0 ? after(mono(), c->life_ms) : INT64_MAX;
    if (start(&s)) run(&s);
    if (c->trash[0]) sy_pipe_trash(c->trash);
    _exit(0);
}
