/* io/spawn_job.c: supervision of one running tool inside the spawner: capture, timeout, group kill, and the result frame. */
#define _GNU_SOURCE
#include "io/evidence.h"
#include "io/spawn_int.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now_of(clockid_t c)
{
    struct timespec t;
    clock_gettime(c, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t sy_sp_mono(void) { return now_of(CLOCK_MONOTONIC); }
int64_t sy_sp_wall(void) { return now_of(CLOCK_REALTIME); }

bool sy_sp_mem_room(sy_sp_mem *m, size_t more)
{
    size_t cap = m->cap ? m->cap : SY_SP_READ;
    void *p;
    if (m->cap - m->n >= more) return true;
    if (more > SIZE_MAX / 4) return false;
    while (cap - m->n < more) cap *= 2;
    if (m->p) p = mremap(m->p, m->cap, cap, MREMAP_MAYMOVE);
    else p = mmap(NULL, cap, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return false;
    m->p = p;
    m->cap = cap;
    return true;
}

void sy_sp_mem_trim(sy_sp_mem *m, size_t keep)
{
    m->n = 0;
    if (m->cap <= keep) return;
    munmap(m->p, m->cap);
    m->p = NULL;
    m->cap = 0;
}

static void put(sy_sp_mem *m, const void *p, size_t n)
{
    memcpy(m->p + m->n, p, n);
    m->n += n;
}

static void shut(sy_sp_job *j, int which)
{
    if (j->fd[which] >= 0) close(j->fd[which]);
    j->fd[which] = -1;
}

void sy_sp_job_read(sy_sp_job *j, int which, char *scratch)
{
    sy_sp_mem *m = &j->buf[which];
    size_t used = m->n - (which == 0 ? SY_SP_HOLE : 0), room = j->max[which] - used;
    bool keep = room > 0 && sy_sp_mem_room(m, SY_SP_READ);
    char *at = keep ? m->p + m->n : scratch;
    ssize_t n = read(j->fd[which], at, SY_SP_READ);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (n <= 0) {
        shut(j, which);
        return;
    }
    if (which == 0) sy_spawn_sha_add(&j->sha, at, (size_t)n);
    if (!keep) j->cut[which] = true;
    else if ((size_t)n > room) m->n += room, j->cut[which] = true;
    else m->n += (size_t)n;
}

/* What lies in the pipes already, and no more: something may still be writing. */
static void drain(sy_sp_job *j, char *scratch)
{
    for (int w = 0; w < 2; w++)
        for (int i = 0; i < 32 && j->fd[w] >= 0; i++) {
            struct pollfd p = { j->fd[w], POLLIN, 0 };
            if (poll(&p, 1, 0) <= 0) break;
            sy_sp_job_read(j, w, scratch);
        }
}

static void put_str(sy_sp_mem *m, symbi_str s)
{
    uint8_t u[4];
    sy_xw_put32(u, (uint32_t)s.n);
    put(m, u, 4);
    if (s.n) put(m, s.p, s.n);
    put(m, "", 1);
}

static void put_parsed(sy_sp_mem *m, const symbi_parse_run *p)
{
    uint8_t fixed[SY_XW_PARSED_FIXED];
    sy_xw_write_parsed_fixed(fixed, p);
    put(m, fixed, sizeof fixed);
    put_str(m, p->out);
    put_str(m, p->err);
}

/* Builds the frame around buf[0]: head and fixed part go into the hole, stderr behind stdout. */
static void frame(sy_sp_job *j, symbi_status st, const char *message, symbi_exec_result *r)
{
    sy_sp_mem *o = &j->buf[0];
    size_t out_n = st ? 0 : o->n - SY_SP_HOLE, err_n = st ? 0 : j->buf[1].n, msg_n = strlen(message), at = SY_XW_HEAD;
    uint8_t u[4], fixed[SY_XW_RESULT_FIXED];
    size_t more = r->parsed.tried && !st ? SY_XW_PARSED_FIXED + 10 + r->parsed.out.n + r->parsed.err.n : 0;
    if (!st && r->output_file.n) more += 5 + r->output_file.n;
    if (more && !sy_sp_mem_room(o, err_n + 6 + more)) st = SYMBI_ENOMEM, message = "the spawner has no memory for the result", msg_n = strlen(message);
    if (st) r->parsed.tried = false, r->output_file.n = 0, out_n = err_n = 0;
    if (!st && !sy_sp_mem_room(o, err_n + 6)) { /* no memory for stderr: the rest still goes out, there is room for 6 bytes below */
        err_n = 0;
        r->err_truncated = true;
        if (out_n > 64) out_n -= 64, r->out_truncated = true;
    }
    sy_xw_write_result_fixed(fixed, st, r);
    if (st) { /* no streams: message instead, all of it shorter than the first page */
        o->n = at;
        put(o, fixed, sizeof fixed);
        sy_xw_put32(u, (uint32_t)msg_n);
        put(o, u, 4);
        put(o, message, msg_n + 1);
        put(o, "\0\0\0\0\0\0\0\0\0\0", 10);
    } else {
        memcpy(o->p + at, fixed, sizeof fixed);
        at += sizeof fixed;
        memset(o->p + at, 0, 5);
        sy_xw_put32((uint8_t *)o->p + at + 5, (uint32_t)out_n);
        o->n = SY_SP_HOLE + out_n;
        put(o, "", 1);
        sy_xw_put32(u, (uint32_t)err_n);
        put(o, u, 4);
        if (err_n) put(o, j->buf[1].p, err_n);
        put(o, "", 1);
        if (r->parsed.tried) put_parsed(o, &r->parsed);
        if (r->output_file.n) put_str(o, r->output_file);
    }
    sy_xw_write_head((uint8_t *)o->p, j->id, o->n - SY_XW_HEAD);
    j->stage = SY_SP_SEND;
    j->sent = 0;
}

/* bwrap ended without having started the tool: its first line on stderr says why. */
static void unboxed_why(const sy_sp_job *j, char msg[256])
{
    sy_sp_box_why((symbi_str){ j->buf[1].p, j->buf[1].n }, msg, 256);
}

void sy_sp_job_swap(sy_sp_job *j)
{
    for (int w = 0; w < 2; w++) {
        sy_sp_mem m = j->buf[w];
        j->buf[w] = j->kept[w];
        j->kept[w] = m;
    }
    j->parsing = !j->parsing;
}

/* The parser has ended, or was not started: what both gave goes out. */
static void parsed(sy_sp_job *j)
{
    symbi_exec_result r = j->tool;
    sy_sp_parse_clean(j);
    sy_sp_job_swap(j);
    j->parsed.tried = true;
    r.parsed = j->parsed;
    r.parsed.out.p = j->kept[0].p + SY_SP_HOLE;
    r.parsed.out.n = j->kept[0].n - SY_SP_HOLE;
    r.parsed.err.p = j->kept[1].p;
    r.parsed.err.n = j->kept[1].n;
    frame(j, j->aborted ? SYMBI_EABORT : SYMBI_OK, j->aborted ? "the tool was stopped on request" : "", &r);
}

void sy_sp_job_unparsed(sy_sp_job *j, int start_errno, const char *why)
{
    size_t n = strlen(why);
    j->parsed.start_errno = start_errno;
    j->buf[1].n = 0;
    if (sy_sp_mem_room(&j->buf[1], n + 1)) put(&j->buf[1], why, n);
    parsed(j);
}

static void parser_ended(sy_sp_job *j, int status, bool reaped, bool began)
{
    symbi_parse_run *p = &j->parsed;
    char msg[256];
    p->exit_code = -1;
    p->duration_ms = sy_sp_mono() - j->start_mono;
    p->out_truncated = j->cut[0];
    p->timed_out = j->timed_out;
    if (!began && reaped && WIFEXITED(status) && !j->timed_out && !j->aborted) {
        unboxed_why(j, msg);
        sy_sp_job_unparsed(j, ENOENT, msg);
        return;
    }
    if (reaped && WIFEXITED(status) && !j->timed_out) p->exit_code = WEXITSTATUS(status);
    if (reaped && WIFSIGNALED(status)) p->signal = WTERMSIG(status);
    if (!reaped) p->signal = SIGKILL;
    parsed(j);
}

static void unboxed(sy_sp_job *j)
{
    char msg[256];
    unboxed_why(j, msg);
    sy_sp_job_refuse(j, SYMBI_EUNSUPPORTED, msg);
}

static void finish(sy_sp_job *j, int status, bool reaped)
{
    symbi_exec_result r;
    bool began = !j->boxed || sy_sp_box_began(j->status_fd);
    memset(&r, 0, sizeof r);
    shut(j, 0);
    shut(j, 1);
    if (j->status_fd >= 0) close(j->status_fd);
    j->status_fd = -1;
    if (j->parsing) {
        parser_ended(j, status, reaped, began);
        return;
    }
    if (!began && reaped && WIFEXITED(status) && !j->timed_out && !j->aborted) {
        unboxed(j);
        return;
    }
    r.out_truncated = j->cut[0];
    r.err_truncated = j->cut[1];
    r.out_bytes = j->sha.n;
    sy_spawn_sha_end(&j->sha, r.out_sha256);
    r.exit_code = -1;
    if (reaped && WIFEXITED(status) && !j->timed_out) r.exit_code = WEXITSTATUS(status);
    if (reaped && WIFSIGNALED(status)) r.signal = WTERMSIG(status);
    if (!reaped) r.signal = SIGKILL;
    r.timed_out = j->timed_out;
    r.started_ms = j->start_wall < 0 ? 0 : j->start_wall;
    r.duration_ms = sy_sp_mono() - j->start_mono;
    if (j->evidence[0] && !j->aborted && sy_evidence_write(j->evidence, (symbi_str){ j->buf[0].p + SY_SP_HOLE, j->buf[0].n - SY_SP_HOLE })) r.output_file = symbi_str_z(j->evidence);
    if (j->rq.n && r.exit_code == 0 && !j->aborted) {
        j->tool = r;
        j->stage = SY_SP_PARSE;
        return;
    }
    frame(j, j->aborted ? SYMBI_EABORT : SYMBI_OK, j->aborted ? "the tool was stopped on request" : "", &r);
}

static void end(sy_sp_job *j, char *scratch)
{
    int status = 0;
    bool reaped;
    kill(-j->pid, SIGKILL); /* before the leader is reaped: until then its number cannot belong to anybody else */
    drain(j, scratch);
    reaped = waitpid(j->pid, &status, WNOHANG) == j->pid;
    finish(j, status, reaped);
}

void sy_sp_job_look(sy_sp_job *j, char *scratch, int64_t now)
{
    siginfo_t si;
    if (j->stage == SY_SP_FREE || j->stage == SY_SP_SEND) return;
    if (j->stage != SY_SP_LINGER) {
        si.si_pid = 0;
        if (waitid(P_PID, (id_t)j->pid, &si, WEXITED | WNOHANG | WNOWAIT) || si.si_pid != j->pid) return;
    }
    if (j->stage == SY_SP_RUN && (j->fd[0] >= 0 || j->fd[1] >= 0)) {
        drain(j, scratch);
        if (j->fd[0] >= 0 || j->fd[1] >= 0) {
            j->stage = SY_SP_LINGER;
            if (j->deadline > now + SY_SP_GRACE_MS) j->deadline = now + SY_SP_GRACE_MS;
            return;
        }
    }
    if (j->stage == SY_SP_LINGER && (j->fd[0] >= 0 || j->fd[1] >= 0)) return;
    end(j, scratch);
}

void sy_sp_job_time(sy_sp_job *j, char *scratch, int64_t now)
{
    switch (j->stage) {
    case SY_SP_RUN:
        j->timed_out = true;
        sy_sp_job_stop(j, false, scratch, now);
        break;
    case SY_SP_TERM: sy_sp_job_stop(j, true, scratch, now); break;
    case SY_SP_LINGER:
    case SY_SP_KILL: end(j, scratch); break;
    default: break;
    }
}

void sy_sp_job_stop(sy_sp_job *j, bool at_once, char *scratch, int64_t now)
{
    if (j->stage == SY_SP_FREE || j->stage == SY_SP_SEND || j->stage == SY_SP_KILL) return;
    if (j->stage == SY_SP_TERM && !at_once) return;
    if (j->boxed && !at_once) { /* bwrap would die of it at once, and with it the box */
        sy_sp_box_signal(j->pid, SIGTERM, scratch);
    } else {
        kill(-j->pid, at_once ? SIGKILL : SIGTERM);
        if (!at_once) kill(-j->pid, SIGCONT); /* a stopped tool would not see the SIGTERM */
    }
    j->stage = at_once ? SY_SP_KILL : SY_SP_TERM;
    j->deadline = now + (at_once ? SY_SP_STUCK_MS : SY_SP_GRACE_MS);
}

void sy_sp_job_refuse(sy_sp_job *j, symbi_status st, const char *message)
{
    symbi_exec_result r;
    memset(&r, 0, sizeof r);
    r.exit_code = -1;
    frame(j, st, message, &r);
}

void sy_sp_job_failed(sy_sp_job *j, int start_errno)
{
    symbi_exec_result r;
    memset(&r, 0, sizeof r);
    r.exit_code = -1;
    r.start_errno = start_errno;
    r.started_ms = sy_sp_wall();
    sy_spawn_sha_end(&j->sha, r.out_sha256);
    frame(j, SYMBI_OK, "", &r);
}
