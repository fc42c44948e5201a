/* io/spawn_serve.c: the spawner process: one poll loop over its clients and the tools it runs. When its parent goes (end of
 * file on the control socket) it kills every tool and all that descends from it, and ends. */
#define _GNU_SOURCE
#include "io/evidence.h"
#include "io/spawn_int.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STACK = 256 << 10, JOB_KEEP = 1 << 20, CONN_KEEP = 256 << 10, WORDS_KEEP = 64 << 10, LOOK_MS = 20, WHO_LISTEN = 1000, WHO_LIFE = 1001, WHO_JOB = 1002 };

typedef struct conn {
    int fd; /* -1: free */
    sy_sp_mem in;
    size_t jobs;
    bool stalled; /* a whole request waits for a free slot */
} conn;

typedef struct serve {
    const sy_sp_conf *conf;
    conn conns[1 + SY_SP_CONNS]; /* [0] is the parent */
    sy_sp_job *jobs;             /* first max_jobs for the parent, as many for the others */
    size_t njobs, running;
    struct pollfd *pfd;
    int *who; /* per entry of pfd: a connection, the listener, or a job's stream */
    int64_t looked;
    char *scratch, *stack_top;
    sy_sp_mem words, box; /* what decoding a request, and making its box, need: one request at a time */
    bool strays;          /* children whose tool has ended are alive */
    uint64_t next_tag;
    int life;             /* readable once the guard is gone */
} serve;

static void on_child(int sig) { (void)sig; } /* only so that ppoll returns */

static void *words_alloc(void *ud, void *p, size_t o, size_t n)
{
    serve *s = ud;
    (void)p, (void)o;
    if (!n) return NULL;
    s->words.n = 0;
    return sy_sp_mem_room(&s->words, n) ? s->words.p : NULL;
}

const char *sy_sp_children(pid_t pid, char *buf, size_t cap)
{
    char path[64];
    ssize_t n;
    int fd;
    buf[0] = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return buf;
    n = read(fd, buf, cap - 1);
    close(fd);
    if (n < 0) n = 0;
    while (n > 0 && (size_t)n == cap - 1 && buf[n - 1] != ' ') n--; /* a number that was cut */
    buf[n] = 0;
    return buf;
}

pid_t sy_sp_next_pid(const char **p)
{
    pid_t pid = 0;
    while (**p == ' ' || **p == '\n') ++*p;
    while (**p >= '0' && **p <= '9') pid = pid * 10 + (*(*p)++ - '0');
    return pid;
}

/* Does a child that leads no job belong to one that is still at work? */
static bool owned(const serve *s, pid_t pid)
{
    uint64_t tag = s->running ? sy_sp_tag_of(pid) : 0;
    for (size_t i = 0; tag && i < s->njobs; i++)
        if (s->jobs[i].stage > SY_SP_FREE && s->jobs[i].stage < SY_SP_SEND && s->jobs[i].tag == tag) return true;
    return false;
}

/* Children that are no leader of a running job: what a tool left behind after leaving its group. They are reaped, and killed once
 * their tool has ended. */
static void sweep(serve *s)
{
    char buf[4096];
    const char *p;
    s->strays = false;
    if (s->running == 0) {
        pid_t pid;
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) continue;
        if (pid < 0) return; /* ECHILD: the usual case */
    }
    p = sy_sp_children((pid_t)syscall(SYS_getpid), buf, sizeof buf);
    for (pid_t pid; (pid = sy_sp_next_pid(&p));) {
        bool leader = false;
        for (size_t i = 0; i < s->njobs; i++) leader |= s->jobs[i].stage > SY_SP_FREE && s->jobs[i].stage < SY_SP_SEND && s->jobs[i].pid == pid;
        if (leader || pid <= 1) continue;
        if (waitpid(pid, NULL, WNOHANG) == pid || owned(s, pid)) continue;
        kill(pid, SIGKILL);
        s->strays = true;
    }
}

_Noreturn static void quit(serve *s)
{
    for (size_t i = 0; i < s->njobs; i++)
        if (s->jobs[i].stage > SY_SP_FREE && s->jobs[i].stage < SY_SP_SEND) kill(-s->jobs[i].pid, SIGKILL), s->jobs[i].stage = SY_SP_FREE;
    for (size_t i = 0; i < s->njobs; i++) sy_sp_parse_clean(&s->jobs[i]);
    s->running = 0;
    if (s->conf->path[0]) unlink(s->conf->path);
    for (int i = 0; i < 100; i++) {
        struct timespec ms5 = { 0, 5000000 };
        sweep(s);
        if (!s->strays) break;
        nanosleep(&ms5, NULL);
    }
    _exit(0);
}

static void conn_drop(serve *s, int c)
{
    if (c == 0) quit(s);
    close(s->conns[c].fd);
    s->conns[c].fd = -1;
    sy_sp_mem_trim(&s->conns[c].in, 0);
    for (size_t i = 0; i < s->njobs; i++) {
        sy_sp_job *j = &s->jobs[i];
        if (j->stage == SY_SP_FREE || j->conn != c) continue;
        j->conn = -1;
        if (j->stage == SY_SP_SEND) j->stage = SY_SP_FREE;
        else sy_sp_job_stop(j, true, s->scratch, sy_sp_mono());
    }
}

static sy_sp_job *free_slot(serve *s, int c)
{
    size_t half = s->njobs / 2, from = c == 0 ? 0 : half;
    for (size_t i = from; i < from + half; i++)
        if (s->jobs[i].stage == SY_SP_FREE) return &s->jobs[i];
    return NULL;
}

static void count(serve *s)
{
    s->running = 0;
    for (size_t i = 0; i < s->njobs; i++) s->running += s->jobs[i].stage > SY_SP_FREE && s->jobs[i].stage < SY_SP_SEND;
}

static symbi_status permitted(serve *s, const symbi_exec_request *rq, symbi_err *err)
{
    const symbi_spawner_options *o = &s->conf->o;
    if (o->check) return o->check(o->check_ud, rq, sy_sp_wall(), err);
    if (!rq->local) return sy_fail(err, SYMBI_EPERMIT, "this spawner runs nothing for other processes: it has no key to check permits with");
    return SYMBI_OK;
}

/* For the parser's turn, which comes when the request is no more; a parser that may not run is said before the tool does something. */
static symbi_status hold(sy_sp_job *j, const sy_xw_exec *x, symbi_str payload, symbi_err *err)
{
    if (sy_sp_parser_check(x->rq.plan.parser.p, err)) return SYMBI_EDENIED;
    if (!sy_sp_mem_room(&j->rq, payload.n)) return sy_fail_nomem(err);
    memcpy(j->rq.p, payload.p, payload.n);
    j->rq.n = payload.n;
    return SYMBI_OK;
}

/* The box of a request's program, or of its parser, which also sees the folder that was made for it (own). */
static symbi_status box_of(serve *s, const sy_xw_exec *x, const char *own, sy_sp_box *box, int *e, symbi_err *err)
{
    const sy_sp_inner inner = { .plan = &x->rq.plan, .argv = x->argv, .envp = x->envp, .own = own, .bwrap = s->conf->bwrap, .status_fd = SY_SP_STATUS_FD };
    return sy_sp_box_make(&s->box, &inner, box, e, err);
}

/* The tool of j has succeeded: its parser takes its place. What goes wrong here is a fact of the result, not of the run. */
static void parse(serve *s, sy_sp_job *j, int64_t now)
{
    const symbi_alloc a = { words_alloc, s };
    sy_sp_box box = { NULL };
    sy_xw_exec x;
    symbi_err err;
    char *argv[3];
    int e = ENOMEM;
    symbi_status st = sy_xw_read_exec((symbi_str){ j->rq.p, j->rq.n }, &a, &x, &err);
    memset(&j->parsed, 0, sizeof j->parsed);
    j->dir[0] = 0;
    if (!st && (e = sy_sp_parse_prepare(j, &x, argv, s->scratch, &err))) st = err.code;
    sy_sp_job_swap(j);
    j->buf[0].n = j->buf[1].n = 0;
    if (!sy_sp_mem_room(&j->buf[0], SY_SP_READ)) { /* there is no room for words about it either */
        sy_sp_parse_clean(j);
        sy_sp_job_swap(j);
        sy_sp_job_refuse(j, SYMBI_ENOMEM, "the spawner has no memory for the parser");
        return;
    }
    j->buf[0].n = SY_SP_HOLE;
    j->cut[0] = j->cut[1] = j->timed_out = j->boxed = false;
    j->max[1] = SY_SP_SAID;
    j->tag = s->next_tag--; /* another one: what the tool left behind is not the parser's */
    if (!st && x.rq.plan.box && (st = box_of(s, &x, j->dir, &box, &e, &err))) e = EPERM;
    if (!st && !e) e = sy_sp_exec(j, &x, &box, s->conf, s->stack_top);
    sy_sp_mem_trim(&s->box, WORDS_KEEP);
    if (st || e) {
        sy_sp_job_unparsed(j, e ? e : EIO, st ? err.msg : strerrorname_np(e));
        return;
    }
    j->stage = SY_SP_RUN;
    j->deadline = j->due > now + SY_SP_PARSE_MS ? j->due : now + SY_SP_PARSE_MS;
}

/* Evidence of a request over the socket is kept here, since whoever sent it may not wait for a disk (an nginx worker); our own process keeps
 * its own. A tool whose evidence cannot be kept is not run. */
static symbi_status keep(sy_sp_job *j, const sy_xw_exec *x, symbi_err *err)
{
    symbi_str file = x->rq.plan.output_file;
    symbi_status st;
    if (!x->rq.plan.capture || x->rq.local) return SYMBI_OK;
    if ((st = sy_evidence_prepare(file, err))) return st;
    memcpy(j->evidence, file.p, file.n + 1); /* decoding saw to its length */
    return SYMBI_OK;
}

/* Begins a request in a free slot; false: the frame is garbage and the connection goes. */
static bool begin(serve *s, int c, sy_sp_job *j, uint64_t id, symbi_str payload)
{
    const symbi_spawner_options *o = &s->conf->o;
    const symbi_alloc a = { words_alloc, s };
    symbi_err err;
    sy_xw_exec x;
    sy_sp_box box = { NULL };
    int e = 0;
    symbi_status st = sy_xw_read_exec(payload, &a, &x, &err);
    if (st == SYMBI_EPARSE) return false;
    j->conn = c;
    j->id = id;
    j->pid = 0;
    j->fd[0] = j->fd[1] = -1;
    j->cut[0] = j->cut[1] = j->timed_out = j->aborted = j->boxed = false;
    j->status_fd = -1;
    j->tag = s->next_tag--;
    j->buf[0].n = j->buf[1].n = j->rq.n = 0;
    j->parsing = false;
    j->evidence[0] = 0;
    sy_spawn_sha_init(&j->sha);
    if (!sy_sp_mem_room(&j->buf[0], SY_SP_READ)) return false;
    j->buf[0].n = SY_SP_HOLE;
    x.rq.local = c == 0;
    x.rq.since_ms = s->conf->since;
    if (!st) st = permitted(s, &x.rq, &err);
    if (!st && x.rq.plan.ncheck_files) st = sy_sp_check_files(&x, &err);
    if (!st) st = keep(j, &x, &err);
    if (!st && x.rq.plan.parser.n) st = hold(j, &x, payload, &err);
    if (!st && x.rq.plan.box) st = box_of(s, &x, NULL, &box, &e, &err);
    if (st) {
        sy_sp_job_refuse(j, st, err.msg);
        return true;
    }
    j->max[0] = x.rq.plan.stdout_max < o->max_output ? x.rq.plan.stdout_max : o->max_output;
    j->max[1] = x.rq.plan.stderr_max < o->max_output ? x.rq.plan.stderr_max : o->max_output;
    if (!e) e = sy_sp_exec(j, &x, &box, s->conf, s->stack_top);
    sy_sp_mem_trim(&s->box, WORDS_KEEP);
    if (e) {
        sy_sp_job_failed(j, e);
        return true;
    }
    j->stage = SY_SP_RUN;
    j->due = j->deadline = j->start_mono + (x.rq.plan.timeout_ms > 0 && x.rq.plan.timeout_ms < o->max_timeout_ms ? x.rq.plan.timeout_ms : o->max_timeout_ms);
    s->running++;
    return true;
}

static void stop_id(serve *s, int c, uint64_t id)
{
    for (size_t i = 0; i < s->njobs; i++) {
        sy_sp_job *j = &s->jobs[i];
        if (j->stage == SY_SP_FREE || j->stage == SY_SP_SEND || j->conn != c || j->id != id) continue;
        j->aborted = true;
        sy_sp_job_stop(j, false, s->scratch, sy_sp_mono());
    }
}

/* Whole frames of a connection; false: drop it. */
static bool frames(serve *s, int c)
{
    conn *k = &s->conns[c];
    size_t at = 0;
    bool ok = true;
    k->stalled = false;
    while (ok && at < k->in.n) {
        symbi_str rest = { k->in.p + at, k->in.n - at }, payload;
        sy_xw_head h;
        symbi_status st = sy_xw_read_head(rest, SY_XW_MAX_EXEC, &h, NULL);
        if (st == SYMBI_EAGAIN) break;
        if (st) return false;
        if (rest.n - SY_XW_HEAD < h.len) break;
        payload.p = rest.p + SY_XW_HEAD;
        payload.n = h.len;
        if (payload.p[0] == SY_XW_EXEC) {
            sy_sp_job *j = free_slot(s, c);
            if (!j) {
                k->stalled = true;
                break;
            }
            ok = begin(s, c, j, h.id, payload);
        } else if (payload.p[0] == SY_XW_KILL && h.len == 1) {
            stop_id(s, c, h.id);
        } else {
            ok = false;
        }
        at += SY_XW_HEAD + h.len;
    }
    if (at && at < k->in.n) memmove(k->in.p, k->in.p + at, k->in.n - at);
    k->in.n -= at;
    if (!k->in.n) sy_sp_mem_trim(&k->in, CONN_KEEP);
    return ok;
}

static void conn_read(serve *s, int c)
{
    conn *k = &s->conns[c];
    ssize_t n;
    if (!sy_sp_mem_room(&k->in, SY_SP_READ)) {
        conn_drop(s, c);
        return;
    }
    n = recv(k->fd, k->in.p + k->in.n, k->in.cap - k->in.n, MSG_DONTWAIT);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (n > 0) k->in.n += (size_t)n;
    if (n <= 0 || !frames(s, c)) conn_drop(s, c);
}

static void accept_one(serve *s)
{
    struct ucred who;
    socklen_t len = sizeof who;
    int fd = accept4(s->conf->listen, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 && who.uid == geteuid())
        for (int c = 1; c <= SY_SP_CONNS; c++)
            if (s->conns[c].fd < 0) {
                s->conns[c].fd = fd;
                s->conns[c].stalled = false;
                return;
            }
    close(fd);
}

static void job_send(serve *s, sy_sp_job *j)
{
    ssize_t n = send(s->conns[j->conn].fd, j->buf[0].p + j->sent, j->buf[0].n - j->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n < 0) {
        conn_drop(s, j->conn);
        return;
    }
    j->sent += (size_t)n;
    if (j->sent < j->buf[0].n) return;
    sy_sp_mem_trim(&j->buf[0], JOB_KEEP);
    sy_sp_mem_trim(&j->buf[1], JOB_KEEP);
    if (j->rq.cap) sy_sp_mem_trim(&j->rq, WORDS_KEEP), sy_sp_mem_trim(&j->kept[0], JOB_KEEP), sy_sp_mem_trim(&j->kept[1], JOB_KEEP);
    j->stage = SY_SP_FREE;
}

/* Results go out one after the other per connection: the first one begun must be finished before the next. */
static sy_sp_job *next_out(serve *s, int c)
{
    sy_sp_job *best = NULL;
    for (size_t i = 0; i < s->njobs; i++) {
        sy_sp_job *j = &s->jobs[i];
        if (j->stage != SY_SP_SEND || j->conn != c) continue;
        if (j->sent) return j;
        if (!best) best = j;
    }
    return best;
}

static void settle(serve *s)
{
    size_t was = s->running;
    count(s);
    for (size_t i = 0; i < s->njobs; i++) /* nobody waits for these */
        if (s->jobs[i].stage == SY_SP_SEND && s->jobs[i].conn < 0) s->jobs[i].stage = SY_SP_FREE;
    for (int c = 0; c <= SY_SP_CONNS; c++) {
        sy_sp_job *j;
        while (s->conns[c].fd >= 0 && (j = next_out(s, c))) {
            job_send(s, j);
            if (j->stage == SY_SP_SEND) break;
        }
        if (s->conns[c].fd >= 0 && s->conns[c].stalled && !frames(s, c)) conn_drop(s, c);
    }
    if (was != s->running || s->strays) sweep(s);
}

static int wait_ms(const serve *s, int64_t now)
{
    int64_t best = s->strays ? 20 : 60000;
    for (size_t i = 0; i < s->njobs; i++) {
        const sy_sp_job *j = &s->jobs[i];
        if (j->stage == SY_SP_FREE || j->stage == SY_SP_SEND) continue;
        if (j->deadline - now < best) best = j->deadline > now ? j->deadline - now : 0;
    }
    return (int)best;
}

static void watch_one(serve *s, nfds_t *n, int fd, int events, int who)
{
    s->pfd[*n].fd = fd;
    s->pfd[*n].events = (short)events;
    s->pfd[*n].revents = 0;
    s->who[(*n)++] = who;
}

static nfds_t watch(serve *s)
{
    nfds_t n = 0;
    for (int c = 0; c <= SY_SP_CONNS; c++)
        if (s->conns[c].fd >= 0) watch_one(s, &n, s->conns[c].fd, (s->conns[c].stalled ? 0 : POLLIN) | (next_out(s, c) ? POLLOUT : 0), c);
    if (s->conf->listen >= 0 && n <= SY_SP_CONNS) /* with every place taken others wait in the queue */
        watch_one(s, &n, s->conf->listen, POLLIN, WHO_LISTEN);
    watch_one(s, &n, s->life, POLLIN, WHO_LIFE);
    for (size_t i = 0; i < s->njobs; i++)
        for (int w = 0; w < 2; w++)
            if (s->jobs[i].stage > SY_SP_FREE && s->jobs[i].stage < SY_SP_SEND && s->jobs[i].fd[w] >= 0) watch_one(s, &n, s->jobs[i].fd[w], POLLIN, WHO_JOB + 2 * (int)i + w);
    return n;
}

/* Acts on what poll found: pipes first, clients second, the listener last, so that a descriptor number that one step closes
 * and a later one opens again is never taken for the old one. */
static void dispatch(serve *s, nfds_t n)
{
    for (int pass = 0; pass < 3; pass++)
        for (nfds_t k = 0; k < n; k++) {
            int who = s->who[k];
            if (!s->pfd[k].revents) continue;
            if (who == WHO_LIFE) quit(s);
            if (pass == 0 && who > WHO_LIFE) sy_sp_job_read(&s->jobs[(who - WHO_JOB) / 2], (who - WHO_JOB) % 2, s->scratch);
            else if (pass == 1 && who < WHO_LISTEN && s->conns[who].fd == s->pfd[k].fd && s->pfd[k].revents != POLLOUT) conn_read(s, who);
            else if (pass == 2 && who == WHO_LISTEN) accept_one(s);
        }
}

void sy_sp_close_others(int a, int b, int c)
{
    int keep[3] = { a, b, c };
    unsigned lo = 3;
    for (;;) { /* in gaps between those that stay */
        unsigned next = ~0u;
        for (int i = 0; i < 3; i++)
            if (keep[i] >= (int)lo && (unsigned)keep[i] < next) next = (unsigned)keep[i];
        if (next != lo && syscall(SYS_close_range, lo, next == ~0u ? next : next - 1, 0)) {
            struct rlimit r;
            unsigned top = getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur > 65536 ? 65536 : (unsigned)r.rlim_cur;
            for (unsigned f = lo; f < (next < top ? next : top); f++) close((int)f);
        }
        if (next == ~0u) return;
        lo = next + 1;
    }
}

static void prepare(const sy_sp_conf *c, int life)
{
    struct rlimit core = { 0, 0 }, files;
    sigset_t set;
    struct sigaction sa;
    static const long dfl[8]; /* the kernel's struct, all zero: the default */
    int null = open("/dev/null", O_RDWR);
    if (null < 0) _exit(1);
    for (int f = 0; f < 3; f++)
        if (f != null) dup2(null, f);
    if (null > 2) close(null);
    sy_sp_close_others(c->ctl, c->listen, life);
    setsid(); /* a Ctrl-C at the host's terminal is the host's: it then closes the control socket */
    memset(&sa, 0, sizeof sa);
    /* The raw call: libc keeps two signals to itself, and the host may have inherited them ignored. */
    for (int i = 1; i < 65; i++) syscall(SYS_rt_sigaction, (long)i, dfl, 0l, 8l);
    sa.sa_handler = on_child;
    sigaction(SIGCHLD, &sa, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_SETMASK, &set, NULL);
    prctl(PR_SET_NAME, "symbi-spawner");
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); /* these two are inherited by every tool */
    setrlimit(RLIMIT_CORE, &core);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) { /* its own; tools get theirs when they start */
        files.rlim_cur = files.rlim_max > 65536 ? 65536 : files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* Below what a hard limit allows here, far from 0 and from "no limit". */
static uint64_t first_tag(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_LOCKS, &r) || r.rlim_max == RLIM_INFINITY || r.rlim_max > (rlim_t)1 << 62) return (uint64_t)1 << 62;
    return r.rlim_max > 1 ? (uint64_t)r.rlim_max - 1 : 1;
}

_Noreturn void sy_spawner_main(const sy_sp_conf *conf, int life)
{
    size_t njobs = conf->o.max_jobs * 2, nfd = 3 + SY_SP_CONNS + 2 * njobs;
    size_t size = sizeof(serve) + njobs * sizeof(sy_sp_job) + nfd * (sizeof(struct pollfd) + sizeof(int)) + SY_SP_READ + STACK;
    char *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sigset_t none;
    serve *s = (serve *)(void *)mem;
    if (mem == MAP_FAILED) _exit(1);
    prepare(conf, life);
    s->conf = conf;
    s->life = life;
    s->next_tag = first_tag();
    s->jobs = (sy_sp_job *)(void *)(mem + sizeof(serve));
    s->njobs = njobs;
    s->pfd = (struct pollfd *)(void *)(s->jobs + njobs);
    s->who = (int *)(s->pfd + nfd);
    s->scratch = (char *)(s->who + nfd);
    s->stack_top = (char *)((uintptr_t)(mem + size) & ~(uintptr_t)63);
    for (int c = 1; c <= SY_SP_CONNS; c++) s->conns[c].fd = -1;
    s->conns[0].fd = conf->ctl;
    sigemptyset(&none);
    for (;;) {
        nfds_t n = watch(s);
        int64_t now = sy_sp_mono();
        int ms = wait_ms(s, now), got;
        bool all;
        struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };
        got = ppoll(s->pfd, n, &ts, &none);
        now = sy_sp_mono();
        if (got > 0) dispatch(s, n);
        /* A signal says that some child ended; it is not seen while descriptors stay ready, so also look from time to time. */
        all = got < 0 || now - s->looked >= LOOK_MS;
        if (all) s->looked = now;
        for (size_t i = 0; i < njobs; i++) {
            sy_sp_job *j = &s->jobs[i];
            if (j->stage == SY_SP_FREE || j->stage == SY_SP_SEND) continue;
            if (all || (j->fd[0] < 0 && j->fd[1] < 0)) sy_sp_job_look(j, s->scratch, now);
            if (j->stage != SY_SP_SEND && j->stage != SY_SP_PARSE && now >= j->deadline) sy_sp_job_time(j, s->scratch, now);
            if (j->stage == SY_SP_PARSE) parse(s, j, now);
        }
        if (got < 0) s->strays = true; /* of whom nobody knows yet */
        settle(s);
    }
}
