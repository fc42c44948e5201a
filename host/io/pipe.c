/* io/pipe.c: the host's side of a long-lived child: starting its supervisor, bytes in and out without waiting, and its end. One socket pair
 * carries both directions (as libuv does it): it can be watched as one descriptor, and a dead reader is an error rather than a signal. */
#define _GNU_SOURCE
#include "symbi/io_pipe.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "io/pipe_int.h"
#include "io/spawn_int.h"
#include "symbi/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { READ = 64 << 10, START_MS = 10000, MAX_WORDS = 8192, MAX_BOXED = 32768, TERMINAL_NAME = 64, SAID = 300, CLEAN_MS = 8000 /* for what is removed at the end, on a machine that is busy */ };

struct symbi_pipe {
    symbi_alloc alloc;
    int fd, ctl;       /* -1: closed */
    bool terminal;     /* fd is the master side of one */
    pid_t supervisor, pid, owner;
    sy_buf out;
    size_t sent;       /* of out */
    char *in;          /* READ bytes */
    bool ended;
    int status;
    char *errors;      /* room for SY_PIPE_ERRORS */
    size_t nerrors;
    bool boxed, cleans; /* cleans: its supervisor removes a folder at the end */
    char said[SAID]; /* what a box says first at a terminal: bwrap has no other place to complain */
    size_t nsaid;
    char not_run[256];
};

void symbi_pipe_options_init(symbi_pipe_options *o)
{
    memset(o, 0, sizeof *o);
    o->size = sizeof *o;
}

static int64_t mono(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int up(int fd) /* out of the way of 0, 1 and 2 */
{
    int f = fd;
    if (fd >= 0 && fd < 3) {
        f = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        close(fd);
    }
    return f;
}

static bool pair(int type, int sv[2])
{
    sv[0] = sv[1] = -1;
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, sv)) return false;
    sv[0] = up(sv[0]);
    sv[1] = up(sv[1]);
    if (sv[0] >= 0 && sv[1] >= 0) return true;
    if (sv[0] >= 0) close(sv[0]);
    if (sv[1] >= 0) close(sv[1]);
    sv[0] = sv[1] = -1;
    return false;
}

/* A new terminal's master side; its other side's path goes to name. -1: errno. */
static int open_terminal(const symbi_pipe_options *o, char *name, size_t cap)
{
    struct winsize w = { (unsigned short)(o->rows ? o->rows : 24), (unsigned short)(o->cols ? o->cols : 200), 0, 0 };
    struct termios t;
    int fd = up(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)), e;
    if (fd < 0) return -1;
    if (!grantpt(fd) && !unlockpt(fd) && !(errno = ptsname_r(fd, name, cap)) && !ioctl(fd, TIOCSWINSZ, &w) && !tcgetattr(fd, &t)) {
        t.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL | ECHOCTL | ECHOKE); /* programs that edit lines themselves do as they like */
        if (!tcsetattr(fd, TCSANOW, &t)) return fd;
    }
    e = errno;
    close(fd);
    errno = e;
    return -1;
}

/* NULL-terminated copies of words in the block at *at. */
static char **words(const symbi_str *w, size_t n, char **at)
{
    char **list = (char **)(void *)*at;
    char *p = *at + (n + 1) * sizeof *list;
    for (size_t i = 0; i < n; i++) {
        list[i] = p;
        if (w[i].n) memcpy(p, w[i].p, w[i].n);
        p[w[i].n] = 0;
        p += w[i].n + 1;
    }
    list[n] = NULL;
    *at = (char *)(((uintptr_t)p + 15) & ~(uintptr_t)15);
    return list;
}

static size_t weight(const symbi_str *w, size_t n)
{
    size_t total = (n + 1) * sizeof(char *) + 32;
    for (size_t i = 0; i < n; i++) total += w[i].n + 1;
    return total;
}

static bool clean(const symbi_str *w, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (w[i].n && memchr(w[i].p, 0, w[i].n)) return false;
    return true;
}

/* Everything the supervisor needs lies in one mapping that it gets a copy of; here it is wiped (the environment may hold secrets) and
 * given back. */
static symbi_status launch(symbi_pipe *p, const symbi_pipe_options *o, symbi_err *err)
{
    size_t errors = o->stderr_keep ? o->stderr_keep : 4096, texts, size;
    int ctl[2], data[2], e = 0;
    sy_pipe_conf *conf;
    sigset_t all, was;
    char *mem, *at;
    pid_t pid;
    if (errors > SY_PIPE_ERRORS) errors = SY_PIPE_ERRORS;
    texts = weight(o->argv, o->argc) + weight(o->env, o->nenv) + o->cwd.n + o->trash.n + 64 + TERMINAL_NAME + sizeof *conf;
    size = texts + errors + SY_PIPE_STACK;
    mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mem == MAP_FAILED) return sy_fail_nomem(err);
    conf = (sy_pipe_conf *)(void *)mem;
    at = mem + ((sizeof *conf + 15) & ~(size_t)15);
    conf->argv = words(o->argv, o->argc, &at);
    conf->envp = words(o->env, o->nenv, &at);
    conf->cwd = at;
    if (o->cwd.n) memcpy(at, o->cwd.p, o->cwd.n);
    at += o->cwd.n + 1;
    conf->trash = at;
    if (o->trash.n) memcpy(at, o->trash.p, o->trash.n);
    at += o->trash.n + 1;
    conf->on_3_4 = o->on_3_4;
    conf->boxed = o->box != NULL;
    conf->life_ms = o->life_ms;
    conf->errors = errors;
    conf->nofile = o->nofile ? o->nofile : 1024;
    conf->tail = mem + texts;
    conf->stack_top = (char *)((uintptr_t)(mem + size) & ~(uintptr_t)63);
    if (!pair(SOCK_SEQPACKET, ctl)) {
        e = errno;
        ctl[0] = ctl[1] = data[0] = data[1] = -1;
    } else if (o->terminal) {
        data[1] = -1;
        conf->terminal = at;
        if ((data[0] = open_terminal(o, at, TERMINAL_NAME)) < 0) e = errno;
    } else if (!pair(SOCK_STREAM, data)) {
        e = errno;
        data[0] = data[1] = -1;
    }
    if (!e) {
        conf->ctl = ctl[1];
        conf->data = data[1];
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &was); /* so that no handler of the host runs over there */
        /* No exit signal: the host's SIGCHLD handling never hears of it. The raw call: fork's handlers could wait for locks. */
        pid = (pid_t)syscall(SYS_clone, 0ul, 0ul, 0ul, 0ul, 0ul);
        if (pid == 0) sy_pipe_main(conf);
        e = pid < 0 ? errno : 0;
        pthread_sigmask(SIG_SETMASK, &was, NULL);
        p->supervisor = pid;
    }
    symbi_wipe(mem, texts);
    munmap(mem, size);
    if (ctl[1] >= 0) close(ctl[1]);
    if (data[1] >= 0) close(data[1]);
    p->ctl = ctl[0];
    p->fd = data[0];
    p->terminal = o->terminal;
    p->owner = getpid();
    p->boxed = o->box != NULL;
    p->cleans = o->trash.n > 0;
    if (e) p->supervisor = 0;
    return e ? sy_fail(err, SYMBI_EIO, "cannot start '%.*s': %s", SY_FMT(o->argv[0]), strerror(e)) : SYMBI_OK;
}

/* launch for a program in a box: bwrap's words stand for its own. name: for people. */
static symbi_status launch_boxed(symbi_pipe *p, const symbi_pipe_options *o, symbi_err *err)
{
    size_t size = weight(o->argv, o->argc) + weight(o->env, o->nenv) + o->cwd.n + o->box_own.n + 64, n = 0;
    char *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *at = mem;
    symbi_str *list = NULL;
    symbi_pipe_options in = *o;
    sy_sp_inner x = { .plan = o->box, .status_fd = SY_PIPE_STATUS_FD, .userns = o->box_userns };
    sy_sp_mem m = { NULL, 0, 0 };
    sy_sp_box box;
    symbi_status st;
    int e = 0;
    if (mem == MAP_FAILED) return sy_fail_nomem(err);
    x.argv = words(o->argv, o->argc, &at);
    x.envp = words(o->env, o->nenv, &at);
    if (o->cwd.n) x.at = at, memcpy(at, o->cwd.p, o->cwd.n), at += o->cwd.n + 1; /* the mapping is zero */
    if (o->box_own.n) x.own = at, memcpy(at, o->box_own.p, o->box_own.n);
    st = sy_sp_box_make(&m, &x, &box, &e, err);
    if (!st && e) st = sy_fail(err, SYMBI_EIO, "cannot start '%.*s': %s", SY_FMT(o->argv[0]), strerror(e));
    if (!st) {
        while (box.argv[n]) n++;
        if (n > MAX_BOXED) st = sy_fail(err, SYMBI_ELIMIT, "the command of the sandbox has more than %d words", MAX_BOXED);
        else if (!(list = sy_calloc(&p->alloc, n, sizeof *list))) st = sy_fail_nomem(err);
    }
    if (!st) {
        for (size_t i = 0; i < n; i++) list[i] = symbi_str_z(box.argv[i]);
        in.argv = list;
        in.argc = n;
        in.cwd = (symbi_str){ "", 0 };
        st = launch(p, &in, err);
    }
    sy_free(&p->alloc, list, n * sizeof *list);
    sy_sp_mem_trim(&m, 0);
    symbi_wipe(mem, size);
    munmap(mem, size);
    return st;
}

/* One word of the supervisor, if it comes within ms. */
static bool word(symbi_pipe *p, int64_t ms, sy_pipe_word *w)
{
    int64_t until = mono() + ms;
    for (;;) {
        struct pollfd f = { p->ctl, POLLIN, 0 };
        struct iovec v[2] = { { w, sizeof *w }, { p->errors, SY_PIPE_ERRORS } };
        struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };
        int64_t left = until - mono();
        ssize_t n;
        if (p->ctl < 0) return false;
        if (poll(&f, 1, left < 0 ? 0 : left > 60000 ? 60000 : (int)left) < 0 && errno != EINTR) return false;
        n = recvmsg(p->ctl, &m, MSG_DONTWAIT);
        if (n >= (ssize_t)sizeof *w) {
            p->nerrors = (size_t)n - sizeof *w;
            if (w->what == 'E' && w->unboxed) sy_sp_box_why(p->terminal ? (symbi_str){ p->said, p->nsaid } : (symbi_str){ p->errors, p->nerrors }, p->not_run, sizeof p->not_run);
            return true;
        }
        if (n >= 0 || (errno != EAGAIN && errno != EINTR)) return false; /* it has gone */
        if (left <= 0) return false;
    }
}

symbi_status symbi_pipe_open(symbi_ctx *cx, const symbi_pipe_options *given, symbi_pipe **out, symbi_err *err)
{
    symbi_pipe_options o;
    sy_pipe_word w = { 0 };
    symbi_pipe *p;
    symbi_status st;
    *out = NULL;
    symbi_err_clear(err);
    symbi_pipe_options_init(&o);
    memcpy(&o, given, given->size < sizeof o ? given->size : sizeof o);
    if (!o.argc || !o.argv[0].n || o.argc > MAX_WORDS || o.nenv > MAX_WORDS) return sy_fail(err, SYMBI_EINVAL, "a program and at most %d words are needed", MAX_WORDS);
    if (!clean(o.argv, o.argc) || !clean(o.env, o.nenv) || !clean(&o.cwd, 1) || !clean(&o.trash, 1) || !clean(&o.box_own, 1)) return sy_fail(err, SYMBI_EINVAL, "a word of the command holds a zero byte");
    if (o.box && !o.box->box) o.box = NULL;
    p = sy_calloc(&cx->alloc, 1, sizeof *p);
    if (!p) return sy_fail_nomem(err);
    p->alloc = cx->alloc;
    p->fd = p->ctl = -1;
    sy_buf_init(&p->out, cx->alloc, o.max_out ? o.max_out : 16u << 20);
    p->in = sy_alloc(&cx->alloc, READ);
    p->errors = sy_alloc(&cx->alloc, SY_PIPE_ERRORS);
    if (!p->in || !p->errors) st = sy_fail_nomem(err);
    else if (!(st = o.box ? launch_boxed(p, &o, err) : launch(p, &o, err))) {
        bool told = word(p, START_MS, &w);
        if (told && w.what == 'S') p->pid = w.pid;
        else st = sy_fail(err, SYMBI_EIO, "cannot start '%.*s': %s", SY_FMT(o.argv[0]), told && w.what == 'F' ? strerror(w.value) : "its supervisor ended");
    }
    if (st) {
        symbi_pipe_free(p);
        return st;
    }
    fcntl(p->fd, F_SETFL, O_NONBLOCK);
    *out = p;
    return SYMBI_OK;
}

static void shut(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/* Takes the supervisor's end in, which comes soon after its control socket closed. */
static void reap(symbi_pipe *p)
{
    int64_t until = mono() + 3 * SYMBI_PIPE_GRACE_MS + 500 + (p->cleans ? CLEAN_MS : 0);
    sy_pipe_word w;
    if (p->ctl >= 0) shutdown(p->ctl, SHUT_WR);
    while (mono() < until && word(p, until - mono(), &w))
        if (w.what == 'E') p->ended = true, p->status = w.value;
    if (mono() >= until) kill(p->supervisor, SIGKILL); /* the child dies with it */
    while (waitpid(p->supervisor, NULL, __WALL) < 0 && errno == EINTR) continue;
    p->supervisor = 0;
}

void symbi_pipe_free(symbi_pipe *p)
{
    symbi_alloc a;
    if (!p) return;
    a = p->alloc;
    if (!p->boxed || !p->terminal) shut(&p->fd); /* its input ends. A terminal that goes takes bwrap with it, and so the program before it has heard of its end */
    if (p->supervisor > 0 && p->owner == getpid()) reap(p);
    shut(&p->fd);
    shut(&p->ctl);
    sy_buf_free(&p->out);
    sy_free(&a, p->in, READ);
    sy_free(&a, p->errors, SY_PIPE_ERRORS);
    sy_free(&a, p, sizeof *p);
}

int symbi_pipe_pid(const symbi_pipe *p) { return (int)p->pid; }
int symbi_pipe_fd(const symbi_pipe *p) { return p->fd; }
unsigned symbi_pipe_wants(const symbi_pipe *p) { return p->fd < 0 ? 0u : (unsigned)SYMBI_LOOP_READ | (p->sent < p->out.n ? (unsigned)SYMBI_LOOP_WRITE : 0u); }

static symbi_status gone(symbi_err *err) { return sy_fail(err, SYMBI_EIO, "the program closed its end"); }

static symbi_status flush(symbi_pipe *p, symbi_err *err)
{
    while (p->sent < p->out.n) {
        const char *from = p->out.p + p->sent;
        size_t left = p->out.n - p->sent;
        ssize_t n = p->terminal ? write(p->fd, from, left) : send(p->fd, from, left, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return SYMBI_OK;
        if (n <= 0) return gone(err);
        p->sent += (size_t)n;
    }
    p->sent = 0;
    sy_buf_clear(&p->out);
    return SYMBI_OK;
}

symbi_status symbi_pipe_write(symbi_pipe *p, symbi_str bytes, symbi_err *err)
{
    symbi_err_clear(err);
    if (p->fd < 0 || p->owner != getpid()) return gone(err);
    if (p->sent) {
        memmove(p->out.p, p->out.p + p->sent, p->out.n - p->sent);
        p->out.n -= p->sent;
        p->sent = 0;
    }
    if (bytes.n > p->out.max - p->out.n) return sy_fail(err, SYMBI_ELIMIT, "the program does not read: more than %zu bytes wait for it", p->out.max);
    sy_buf_adds(&p->out, bytes);
    if (sy_buf_status(&p->out)) {
        sy_buf_clear(&p->out);
        return sy_fail_nomem(err);
    }
    return flush(p, err);
}

symbi_status symbi_pipe_read(symbi_pipe *p, symbi_str *bytes, symbi_err *err)
{
    symbi_err ignored;
    *bytes = (symbi_str){ "", 0 };
    symbi_err_clear(err);
    if (p->fd < 0 || p->owner != getpid()) return gone(err);
    (void)flush(p, &ignored); /* a dead reader may still have said something */
    for (;;) {
        ssize_t n = p->terminal ? read(p->fd, p->in, READ) : recv(p->fd, p->in, READ, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return sy_fail(err, SYMBI_EAGAIN, "nothing yet");
        if (n <= 0) return gone(err);
        *bytes = (symbi_str){ p->in, (size_t)n };
        if (p->boxed && p->nsaid < SAID) {
            size_t k = (size_t)n < SAID - p->nsaid ? (size_t)n : SAID - p->nsaid;
            memcpy(p->said + p->nsaid, p->in, k);
            p->nsaid += k;
        }
        return SYMBI_OK;
    }
}

void symbi_pipe_keep(symbi_pipe *p, int64_t ms)
{
    if (p->ctl >= 0 && p->owner == getpid()) (void)!send(p->ctl, &ms, sizeof ms, MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool symbi_pipe_echoes(const symbi_pipe *p)
{
    struct termios t;
    return p->terminal && p->fd >= 0 && !tcgetattr(p->fd, &t) && (t.c_lflag & ECHO);
}

void symbi_pipe_hang_up(symbi_pipe *p)
{
    if (p->owner != getpid()) return;
    if (!p->terminal) shut(&p->fd);
    if (p->ctl >= 0) shutdown(p->ctl, SHUT_WR);
}

symbi_status symbi_pipe_wait(symbi_pipe *p, int64_t ms, symbi_err *err)
{
    struct pollfd f = { p->fd, (short)(POLLIN | (p->sent < p->out.n ? POLLOUT : 0)), 0 };
    int n;
    symbi_err_clear(err);
    if (p->fd < 0) return gone(err);
    n = poll(&f, 1, ms < 0 ? -1 : ms > 60000 ? 60000 : (int)ms);
    if (n > 0 || (n < 0 && errno == EINTR)) return SYMBI_OK;
    return n < 0 ? sy_fail(err, SYMBI_EIO, "cannot wait: %s", strerror(errno)) : sy_fail(err, SYMBI_ETIMEOUT, "nothing within %lld ms", (long long)ms);
}

bool symbi_pipe_ended(symbi_pipe *p, int64_t ms, symbi_pipe_end *out)
{
    sy_pipe_word w;
    memset(out, 0, sizeof *out);
    out->exit_code = -1;
    out->not_run.p = "";
    if (!p->ended && p->supervisor > 0 && p->owner == getpid() && word(p, ms, &w) && w.what == 'E') p->ended = true, p->status = w.value;
    if (!p->ended) return false;
    if (WIFEXITED(p->status)) out->exit_code = WEXITSTATUS(p->status);
    if (WIFSIGNALED(p->status)) out->signal = WTERMSIG(p->status);
    out->errors = (symbi_str){ p->errors, p->nerrors };
    out->not_run = symbi_str_z(p->not_run);
    return true;
}
