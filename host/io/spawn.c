/* io/spawn.c: the client side of the spawner in the host's own process: starting it, requests out, results in. */
#define _GNU_SOURCE
#include "io/evidence.h"
#include "io/spawn_int.h"

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "symbi/json.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

typedef enum job_state { J_QUEUED, J_SENT, J_DONE } job_state;

struct symbi_job {
    symbi_spawner *sp; /* NULL once the spawner object is gone */
    symbi_job *next;   /* in sp->jobs while not done */
    symbi_alloc alloc;
    uint64_t id;
    job_state state;
    sy_buf frame;      /* J_QUEUED: the request; J_DONE: the result frame that result borrows from */
    sy_buf evidence;   /* path of the file to write when it is done, "" for none */
    int64_t patience;  /* when a spawner that says nothing is taken for hung */
    bool killed;
    symbi_status status;
    symbi_exec_result result;
    symbi_err err;
};

struct symbi_spawner {
    symbi_ctx *cx;
    symbi_spawner_options o;
    char path[108];
    char bwrap[256];
    int fd;        /* -1: not running */
    pid_t pid, owner; /* pid: of the guard, our child; the spawner is its child */
    int32_t *seen;    /* page shared with both */
    uint64_t last_id;
    symbi_job *jobs, **tail; /* open ones, oldest first */
    size_t open, sent;
    sy_buf out, in;
};

enum { PATIENCE_MS = 5000 };

void symbi_spawner_options_init(symbi_spawner_options *o)
{
    memset(o, 0, sizeof *o);
    o->size = sizeof *o;
}

static void defaults(symbi_spawner_options *o)
{
    if (!o->max_jobs) o->max_jobs = 64;
    if (o->max_jobs > 4096) o->max_jobs = 4096;
    if (o->max_timeout_ms <= 0) o->max_timeout_ms = 300000;
    if (!o->max_output || o->max_output > (1u << 30)) o->max_output = 64u << 20;
    if (!o->nofile) o->nofile = 1024;
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

/* A listening socket at path, made with mode 0600 before it has a name. */
static int listen_at(const char *path, symbi_err *err)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = up(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)), probe;
    struct stat st;
    if (fd < 0) {
        sy_fail(err, SYMBI_EIO, "cannot make a socket: %s", strerror(errno));
        return -1;
    }
    memcpy(a.sun_path, path, strlen(path) + 1);
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) { /* left over from one that died, unless somebody answers */
        probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (probe >= 0 && connect(probe, (struct sockaddr *)&a, sizeof a) && errno == ECONNREFUSED) unlink(path);
        if (probe >= 0) close(probe);
    }
    if (fchmod(fd, 0600) || bind(fd, (struct sockaddr *)&a, sizeof a) || chmod(path, 0600) || listen(fd, 64)) {
        sy_fail(err, errno == EADDRINUSE ? SYMBI_EEXISTS : SYMBI_EIO, "cannot listen at %s: %s", path, strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

static symbi_status launch(symbi_spawner *sp, symbi_err *err)
{
    sy_sp_conf *conf;
    int32_t *seen;
    int sv[2], ears = -1;
    sigset_t all, was;
    pid_t pid;
    /* The block is shared with the child by copy; it stays mapped there and is unmapped here. */
    conf = mmap(NULL, sizeof *conf, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (conf == MAP_FAILED || seen == MAP_FAILED) {
        if (conf != MAP_FAILED) munmap(conf, sizeof *conf);
        if (seen != MAP_FAILED) munmap(seen, sizeof *seen);
        return sy_fail_nomem(err);
    }
    if (sp->path[0] && (ears = listen_at(sp->path, err)) < 0) {
        munmap(conf, sizeof *conf);
        munmap(seen, sizeof *seen);
        return err ? err->code : SYMBI_EIO;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sv)) {
        int e = errno;
        if (ears >= 0) close(ears), unlink(sp->path);
        munmap(conf, sizeof *conf);
        munmap(seen, sizeof *seen);
        return sy_fail(err, SYMBI_EIO, "cannot start the tool spawner: %s", strerror(e));
    }
    sv[0] = up(sv[0]);
    sv[1] = up(sv[1]);
    conf->o = sp->o;
    conf->ctl = sv[1];
    conf->listen = ears;
    conf->since = sy_sp_wall();
    conf->seen = seen;
    memcpy(conf->bwrap, sp->bwrap, sizeof conf->bwrap);
    memcpy(conf->path, sp->path, sizeof conf->path);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &was); /* so that no handler of the host runs in the child */
    /* No exit signal: the host's SIGCHLD handling never hears of it. The raw call: fork's handlers could wait for locks. */
    pid = sv[0] < 0 || sv[1] < 0 ? -1 : (pid_t)syscall(SYS_clone, 0ul, 0ul, 0ul, 0ul, 0ul);
    if (pid == 0) sy_guard_main(conf);
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    if (ears >= 0) close(ears);
    if (sv[1] >= 0) close(sv[1]);
    munmap(conf, sizeof *conf);
    if (pid < 0) {
        int e = errno;
        munmap(seen, sizeof *seen);
        if (sv[0] >= 0) close(sv[0]);
        if (sp->path[0]) unlink(sp->path);
        return sy_fail(err, SYMBI_EIO, "cannot start the tool spawner: %s", strerror(e));
    }
    sp->fd = sv[0];
    sp->seen = seen;
    sp->pid = pid;
    sp->owner = getpid();
    return SYMBI_OK;
}

symbi_status symbi_spawner_new(symbi_ctx *cx, const symbi_spawner_options *o, symbi_spawner **out, symbi_err *err)
{
    symbi_spawner *sp;
    symbi_status st;
    *out = NULL;
#ifndef __linux__
    return sy_fail(err, SYMBI_EUNSUPPORTED, "running tools needs Linux");
#endif
    if (o && o->listen_path && strlen(o->listen_path) >= sizeof sp->path) return sy_fail(err, SYMBI_EINVAL, "the socket's path is longer than %lu bytes", (unsigned long)sizeof sp->path - 1);
    sp = sy_calloc(&cx->alloc, 1, sizeof *sp);
    if (!sp) return sy_fail_nomem(err);
    symbi_spawner_options_init(&sp->o);
    if (o) memcpy(&sp->o, o, o->size < sizeof *o ? o->size : sizeof *o);
    if (sp->o.bwrap && strlen(sp->o.bwrap) >= sizeof sp->bwrap) {
        sy_free(&cx->alloc, sp, sizeof *sp);
        return sy_fail(err, SYMBI_EINVAL, "the path of bwrap is longer than %lu bytes", (unsigned long)sizeof sp->bwrap - 1);
    }
    defaults(&sp->o);
    if (sp->o.listen_path) strcpy(sp->path, sp->o.listen_path);
    sp->o.listen_path = NULL;
    if (sp->o.bwrap) strcpy(sp->bwrap, sp->o.bwrap);
    sp->o.bwrap = NULL;
    sp->cx = cx;
    sp->fd = -1;
    sp->tail = &sp->jobs;
    sy_buf_init(&sp->out, cx->alloc, (size_t)64 << 20);
    sy_buf_init(&sp->in, cx->alloc, 3 * sp->o.max_output + (1u << 20)); /* both streams of a tool, and what its parser printed */
    st = launch(sp, err);
    if (st) {
        sy_free(&cx->alloc, sp, sizeof *sp);
        return st;
    }
    *out = sp;
    return SYMBI_OK;
}

static void unlink_job(symbi_spawner *sp, symbi_job *j)
{
    symbi_job **p = &sp->jobs;
    while (*p && *p != j) p = &(*p)->next;
    if (!*p) return;
    *p = j->next;
    if (sp->tail == &j->next) sp->tail = p;
    j->next = NULL;
    sp->open--;
    if (j->state == J_SENT) sp->sent--;
}

static void keep_evidence(symbi_spawner *sp, symbi_job *j)
{
    if (!j->evidence.n || j->status || j->result.start_errno) return;
    if (sy_evidence_write(j->evidence.p, j->result.out)) j->result.output_file = sy_buf_str(&j->evidence);
    else sy_log(sp->cx, SYMBI_LOG_ERROR, "io", "cannot write the evidence file %s: %s", j->evidence.p, strerror(errno));
}

static void finish(symbi_spawner *sp, symbi_job *j, symbi_status st, const char *msg)
{
    unlink_job(sp, j);
    if (j->state == J_QUEUED) sy_buf_free(&j->frame);
    j->state = J_DONE;
    j->status = st;
    if (st) sy_fail(&j->err, st, "%s", msg);
}

/* Waits for the process to go, a moment at most; then it is made to. Returns its wait status. */
static int reap(symbi_spawner *sp, int64_t ms)
{
    int status = 0;
    struct pollfd p = { sp->fd, POLLIN, 0 };
    char sink[512];
    int64_t until = sy_sp_mono() + ms;
    while (sp->fd >= 0) { /* its end of the socket closes when it ends */
        int64_t left = until - sy_sp_mono();
        ssize_t n;
        if (left <= 0 || (poll(&p, 1, (int)left) < 0 && errno != EINTR)) break;
        n = recv(sp->fd, sink, sizeof sink, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) break;
    }
    if (sy_sp_mono() >= until) kill(sp->pid, SIGKILL);
    while (waitpid(sp->pid, &status, __WALL) < 0 && errno == EINTR) continue;
    return status;
}

static void forget(symbi_spawner *sp)
{
    if (sp->fd >= 0) close(sp->fd);
    if (sp->seen) munmap(sp->seen, sizeof *sp->seen);
    sp->seen = NULL;
    sp->fd = -1;
    sp->pid = 0;
    sy_buf_free(&sp->out);
    sy_buf_free(&sp->in);
    sy_buf_clear(&sp->out);
    sy_buf_clear(&sp->in);
}

static void died(symbi_spawner *sp, const char *why)
{
    int status = reap(sp, 1000);
    char msg[200];
    if (WIFSIGNALED(status)) snprintf(msg, sizeof msg, "the tool spawner %s (signal %d) while the tool was at work; the tool is not run again", why, WTERMSIG(status));
    else snprintf(msg, sizeof msg, "the tool spawner %s while the tool was at work; the tool is not run again", why);
    forget(sp);
    sy_log(sp->cx, SYMBI_LOG_ERROR, "io", "the tool spawner %s", why);
    while (sp->jobs) finish(sp, sp->jobs, SYMBI_EIO, msg);
}

void symbi_spawner_free(symbi_spawner *sp)
{
    symbi_alloc a;
    if (!sp) return;
    a = sp->cx->alloc;
    if (sp->fd >= 0 && sp->owner == getpid()) {
        shutdown(sp->fd, SHUT_WR);
        reap(sp, 2000);
    }
    forget(sp);
    while (sp->jobs) {
        symbi_job *j = sp->jobs;
        finish(sp, j, SYMBI_EABORT, "the tool spawner was closed while the tool was at work");
        j->sp = NULL;
    }
    sy_free(&a, sp, sizeof *sp);
}

int symbi_spawner_pid(const symbi_spawner *sp)
{
    if (sp->fd < 0) return 0;
    for (int i = 0; i < 2000 && !__atomic_load_n(sp->seen, __ATOMIC_ACQUIRE); i++) usleep(500); /* the guard is about to write it */
    return (int)__atomic_load_n(sp->seen, __ATOMIC_ACQUIRE);
}
int symbi_spawner_fd(const symbi_spawner *sp) { return sp->fd; }
size_t symbi_spawner_open(const symbi_spawner *sp) { return sp->open; }
unsigned symbi_spawner_wants(const symbi_spawner *sp)
{
    return sp->fd < 0 ? 0u : (unsigned)SYMBI_LOOP_READ | (sp->out.n ? (unsigned)SYMBI_LOOP_WRITE : 0u);
}

static void flush_out(symbi_spawner *sp)
{
    while (sp->out.n) {
        ssize_t n = send(sp->fd, sp->out.p, sp->out.n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return; /* full, or dead: reading finds out which */
        if ((size_t)n < sp->out.n) memmove(sp->out.p, sp->out.p + n, sp->out.n - (size_t)n);
        sp->out.n -= (size_t)n;
    }
}

/* Moves queued requests out while there are free slots over there, so that a kill never waits behind a full house. */
static void feed(symbi_spawner *sp)
{
    for (symbi_job *j = sp->jobs, *next; j && sp->sent < sp->o.max_jobs; j = next) {
        next = j->next;
        if (j->state != J_QUEUED) continue;
        if (sp->out.n) sy_buf_adds(&sp->out, sy_buf_str(&j->frame));
        else { /* the usual case: the whole frame in one call, without a copy */
            ssize_t n = send(sp->fd, j->frame.p, j->frame.n, MSG_DONTWAIT | MSG_NOSIGNAL);
            size_t done = n > 0 ? (size_t)n : 0;
            if (done < j->frame.n) sy_buf_add(&sp->out, j->frame.p + done, j->frame.n - done);
        }
        if (sy_buf_status(&sp->out)) { /* a frame may be half sent: nothing more can be said on this socket */
            died(sp, "ran out of memory");
            return;
        }
        sy_buf_free(&j->frame);
        j->state = J_SENT;
        sp->sent++;
        j->patience += sy_sp_mono();
    }
}

/* One whole result frame, which is all of sp->in when `whole`. */
static void deliver(symbi_spawner *sp, uint64_t id, size_t len, bool whole)
{
    symbi_job *j = sp->jobs;
    symbi_str message = { "", 0 }, payload;
    while (j && (j->id != id || j->state != J_SENT)) j = j->next;
    if (!j) return; /* freed meanwhile */
    sy_buf_init(&j->frame, sp->cx->alloc, sp->in.max);
    if (whole) {
        j->frame = sp->in;
        sy_buf_init(&sp->in, sp->cx->alloc, j->frame.max);
    } else {
        sy_buf_add(&j->frame, sp->in.p, len);
    }
    if (sy_buf_status(&j->frame)) {
        finish(sp, j, SYMBI_ENOMEM, symbi_status_text(SYMBI_ENOMEM));
        return;
    }
    payload.p = j->frame.p + SY_XW_HEAD;
    payload.n = len - SY_XW_HEAD;
    unlink_job(sp, j);
    j->state = J_DONE;
    if (sy_xw_read_result(payload, &j->status, &message, &j->result, &j->err)) j->status = SYMBI_EIO, j->err.code = SYMBI_EIO;
    else if (j->status) sy_fail(&j->err, j->status, "%.*s", SY_FMT(message));
    if (!j->result.output_file.p) j->result.output_file.p = "";
    keep_evidence(sp, j);
}

void symbi_spawner_step(symbi_spawner *sp)
{
    const char *why = "ended";
    if (sp->fd < 0) return;
    if (sp->owner != getpid()) {
        forget(sp);
        while (sp->jobs) finish(sp, sp->jobs, SYMBI_EABORT, "the tool belongs to the process this one was forked from");
        return;
    }
    flush_out(sp);
    for (;;) {
        sy_xw_head h;
        symbi_err e;
        symbi_status st = sy_xw_read_head(sy_buf_str(&sp->in), sp->in.max - SY_XW_HEAD, &h, &e);
        size_t want = st ? SY_SP_READ : SY_XW_HEAD + h.len > sp->in.n ? SY_XW_HEAD + h.len - sp->in.n : 0, len;
        char *p;
        ssize_t n;
        if (st && st != SYMBI_EAGAIN) {
            kill(sp->pid, SIGTERM); /* the guard ends the spawner, and all that it started */
            why = "sent garbage";
            break;
        }
        if (!st && !want) {
            len = SY_XW_HEAD + h.len;
            deliver(sp, h.id, len, len == sp->in.n);
            if (sp->in.n) {
                memmove(sp->in.p, sp->in.p + len, sp->in.n - len);
                sp->in.n -= len;
            }
            continue;
        }
        p = sy_buf_reserve(&sp->in, want < SY_SP_READ ? SY_SP_READ : want);
        if (!p) {
            kill(sp->pid, SIGTERM);
            why = "was stopped: out of memory";
            break;
        }
        n = recv(sp->fd, p, want < SY_SP_READ ? SY_SP_READ : want, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) {
            if (!sp->in.n) sy_buf_free(&sp->in), sy_buf_clear(&sp->in);
            feed(sp);
            return;
        }
        if (n <= 0) break;
        sy_buf_commit(&sp->in, (size_t)n);
    }
    died(sp, why);
}

static symbi_status encode(symbi_ctx *cx, sy_buf *b, const symbi_plan *plan, symbi_str permit, uint64_t id, symbi_err *err)
{
    symbi_text args = { 0 };
    symbi_status st = SYMBI_OK;
    /* The arguments travel only where somebody checks them: the digest covers them. */
    if (!st && plan->args && permit.n) st = symbi_json_write(cx, plan->args, SYMBI_JSON_CANONICAL, &args, err);
    if (!st) st = sy_xw_write_exec(b, plan, symbi_text_str(&args), permit, id, err);
    symbi_text_free(&args);
    return st;
}

symbi_status symbi_spawner_start(symbi_spawner *sp, const symbi_plan *plan, symbi_str permit, symbi_job **out, symbi_err *err)
{
    symbi_job *j;
    symbi_status st;
    *out = NULL;
    if (sp->fd >= 0 && (sp->owner != getpid() || sp->open == 0)) symbi_spawner_step(sp); /* notices a death while idle, or a fork */
    if (sp->fd < 0 && (st = launch(sp, err))) return st;
    j = sy_calloc(&sp->cx->alloc, 1, sizeof *j);
    if (!j) return sy_fail_nomem(err);
    j->alloc = sp->cx->alloc;
    j->id = ++sp->last_id;
    sy_buf_init(&j->frame, sp->cx->alloc, SY_XW_HEAD + SY_XW_MAX_EXEC);
    sy_buf_init(&j->evidence, sp->cx->alloc, 4096);
    st = encode(sp->cx, &j->frame, plan, permit, j->id, err);
    if (!st && plan->capture) {
        sy_buf_adds(&j->evidence, plan->output_file);
        st = sy_buf_status(&j->evidence) ? sy_fail(err, sy_buf_status(&j->evidence), "the evidence file's name is too long") : sy_evidence_prepare(plan->output_file, err);
    }
    if (st) {
        sy_buf_free(&j->frame);
        sy_buf_free(&j->evidence);
        sy_free(&sp->cx->alloc, j, sizeof *j);
        return st;
    }
    j->sp = sp;
    j->patience = (plan->timeout_ms > 0 && plan->timeout_ms < sp->o.max_timeout_ms ? plan->timeout_ms : sp->o.max_timeout_ms) + PATIENCE_MS;
    *sp->tail = j;
    sp->tail = &j->next;
    sp->open++;
    feed(sp);
    *out = j;
    return SYMBI_OK;
}

symbi_status symbi_spawner_revive(symbi_spawner *sp, bool *started, symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    *started = false;
    symbi_err_clear(err);
    if (sp->fd >= 0) symbi_spawner_step(sp); /* notices a death, or a fork */
    if (sp->fd >= 0) return SYMBI_OK;
    st = launch(sp, err);
    *started = !st;
    return st;
}

bool symbi_job_done(const symbi_job *j) { return j->state == J_DONE; }

symbi_status symbi_job_result(const symbi_job *j, symbi_exec_result *out, symbi_err *err)
{
    memset(out, 0, sizeof *out);
    out->exit_code = -1;
    if (j->state != J_DONE) return sy_fail(err, SYMBI_ESTATE, "the tool is still at work");
    if (j->status) {
        if (err) *err = j->err;
        return j->status;
    }
    *out = j->result;
    return SYMBI_OK;
}

void symbi_job_kill(symbi_job *j)
{
    if (j->state == J_DONE || j->killed || !j->sp) return;
    j->killed = true;
    if (j->state == J_QUEUED) {
        finish(j->sp, j, SYMBI_EABORT, "the tool was given up before it started");
        return;
    }
    sy_xw_write_kill(&j->sp->out, j->id);
    if (sy_buf_status(&j->sp->out)) died(j->sp, "ran out of memory");
    else flush_out(j->sp);
}

void symbi_job_free(symbi_job *j)
{
    symbi_alloc a;
    if (!j) return;
    a = j->alloc;
    symbi_job_kill(j);
    if (j->state != J_DONE) unlink_job(j->sp, j);
    sy_buf_free(&j->frame);
    sy_buf_free(&j->evidence);
    sy_free(&a, j, sizeof *j);
}

symbi_status symbi_job_wait(symbi_job *j, int64_t timeout_ms, symbi_err *err)
{
    int64_t until = timeout_ms < 0 ? INT64_MAX : sy_sp_mono() + timeout_ms;
    while (j->state != J_DONE) {
        symbi_spawner *sp = j->sp;
        struct pollfd p = { sp->fd, (short)(POLLIN | (sp->out.n ? POLLOUT : 0)), 0 };
        int64_t now = sy_sp_mono(), left = until - now;
        if (j->state == J_SENT && j->patience <= now) {
            kill(sp->pid, SIGTERM);
            died(sp, "did not answer and was killed");
            break;
        }
        if (left <= 0 && timeout_ms >= 0) return sy_fail(err, SYMBI_ETIMEOUT, "the tool is still at work");
        if (j->state == J_SENT && j->patience - now < left) left = j->patience - now;
        if (poll(&p, 1, left > 60000 ? 60000 : (int)left) >= 0 || errno == EINTR) symbi_spawner_step(sp);
    }
    return SYMBI_OK;
}

symbi_status symbi_exec_blocking(symbi_spawner *sp, const symbi_plan *plan, symbi_str permit, symbi_job **out, symbi_err *err)
{
    symbi_job *j;
    symbi_exec_result r;
    symbi_status st = symbi_spawner_start(sp, plan, permit, &j, err);
    *out = NULL;
    if (st) return st;
    st = symbi_job_wait(j, -1, err);
    if (!st) st = symbi_job_result(j, &r, err);
    if (st) symbi_job_free(j);
    else *out = j;
    return st;
}

symbi_status symbi_exec_encode(symbi_ctx *cx, const symbi_plan *plan, symbi_str permit, uint64_t id, symbi_text *out, symbi_err *err)
{
    sy_buf b;
    symbi_status st;
    sy_buf_init(&b, cx->alloc, SY_XW_HEAD + SY_XW_MAX_EXEC);
    st = encode(cx, &b, plan, permit, id, err);
    if (!st) st = sy_buf_take(&b, out, "the request", err);
    sy_buf_free(&b);
    return st;
}

symbi_status symbi_exec_frame_len(symbi_str bytes, size_t *len, symbi_err *err)
{
    sy_xw_head h;
    symbi_status st = sy_xw_read_head(bytes, (size_t)2 << 30, &h, err);
    *len = st ? 0 : (size_t)SY_XW_HEAD + h.len;
    return st == SYMBI_EAGAIN ? SYMBI_OK : st;
}

symbi_status symbi_exec_decode(symbi_str frame, uint64_t *id, symbi_exec_result *out, symbi_err *err)
{
    sy_xw_head h;
    symbi_str message = { "", 0 }, payload;
    symbi_status st = sy_xw_read_head(frame, (size_t)2 << 30, &h, err), job = SYMBI_OK;
    memset(out, 0, sizeof *out);
    if (!st && frame.n != (size_t)SY_XW_HEAD + h.len) st = SYMBI_EAGAIN;
    if (st == SYMBI_EAGAIN) return sy_fail(err, SYMBI_EPARSE, "not exactly one frame of the spawner");
    if (st) return st;
    payload.p = frame.p + SY_XW_HEAD;
    payload.n = h.len;
    *id = h.id;
    if ((st = sy_xw_read_result(payload, &job, &message, out, err))) return st;
    return job ? sy_fail(err, job, "%.*s", SY_FMT(message)) : SYMBI_OK;
}
