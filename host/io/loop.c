/* io/loop.c: descriptors and timers over poll(2). Small on purpose: the host's loop and the blocking calls both wait here.
 * Descriptors are found by number (a table as large as the highest one), timers lie in a binary heap. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "symbi/io.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

typedef struct timer {
    int64_t at;
    uint64_t id, token;
} timer;

struct symbi_loop {
    symbi_alloc alloc;
    struct pollfd *pfd;
    uint64_t *token; /* beside pfd */
    size_t nfd, cap_pfd, cap_token;
    uint32_t *slot;  /* by descriptor: index + 1 into pfd */
    size_t cap_slot;
    timer *heap;
    size_t ntimer, cap_timer;
    uint64_t last_id;
    size_t next; /* where the next scan of pfd starts, so that nobody starves when there are more events than room */
};

enum { MAX_FD = 1 << 20 };

static int64_t mono_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

symbi_status symbi_loop_new(symbi_ctx *cx, symbi_loop **out, symbi_err *err)
{
    *out = sy_calloc(&cx->alloc, 1, sizeof **out);
    if (!*out) return sy_fail_nomem(err);
    (*out)->alloc = cx->alloc;
    return SYMBI_OK;
}

void symbi_loop_free(symbi_loop *l)
{
    symbi_alloc a;
    if (!l) return;
    a = l->alloc;
    sy_free(&a, l->pfd, l->cap_pfd * sizeof *l->pfd);
    sy_free(&a, l->token, l->cap_token * sizeof *l->token);
    sy_free(&a, l->slot, l->cap_slot * sizeof *l->slot);
    sy_free(&a, l->heap, l->cap_timer * sizeof *l->heap);
    sy_free(&a, l, sizeof *l);
}

size_t symbi_loop_count(const symbi_loop *l) { return l->nfd + l->ntimer; }

static void forget(symbi_loop *l, int fd)
{
    size_t i, last = l->nfd - 1;
    if ((size_t)fd >= l->cap_slot || !l->slot[fd]) return;
    i = l->slot[fd] - 1;
    l->slot[fd] = 0;
    l->nfd = last;
    if (i == last) return;
    l->pfd[i] = l->pfd[last];
    l->token[i] = l->token[last];
    l->slot[l->pfd[i].fd] = (uint32_t)i + 1;
}

symbi_status symbi_loop_watch(symbi_loop *l, int fd, unsigned bits, uint64_t token, symbi_err *err)
{
    size_t i, was = l->cap_slot;
    if (fd < 0 || fd > MAX_FD) return sy_fail(err, SYMBI_EINVAL, "%d is no descriptor", fd);
    if (!bits) {
        forget(l, fd);
        return SYMBI_OK;
    }
    if (sy_grow(&l->alloc, (void **)&l->slot, &l->cap_slot, (size_t)fd + 1, sizeof *l->slot)) return sy_fail_nomem(err);
    if (l->cap_slot > was) memset(l->slot + was, 0, (l->cap_slot - was) * sizeof *l->slot);
    if (!l->slot[fd]) {
        if (sy_grow(&l->alloc, (void **)&l->pfd, &l->cap_pfd, l->nfd + 1, sizeof *l->pfd) || sy_grow(&l->alloc, (void **)&l->token, &l->cap_token, l->nfd + 1, sizeof *l->token)) return sy_fail_nomem(err);
        l->pfd[l->nfd].fd = fd;
        l->pfd[l->nfd].revents = 0;
        l->slot[fd] = (uint32_t)++l->nfd;
    }
    i = l->slot[fd] - 1;
    l->pfd[i].events = (short)((bits & SYMBI_LOOP_READ ? POLLIN : 0) | (bits & SYMBI_LOOP_WRITE ? POLLOUT : 0));
    l->token[i] = token;
    return SYMBI_OK;
}

static void sink(timer *h, size_t n, size_t i)
{
    timer t = h[i];
    for (;;) {
        size_t k = 2 * i + 1;
        if (k >= n) break;
        if (k + 1 < n && h[k + 1].at < h[k].at) k++;
        if (h[k].at >= t.at) break;
        h[i] = h[k];
        i = k;
    }
    h[i] = t;
}

static void rise(timer *h, size_t i)
{
    timer t = h[i];
    for (; i && h[(i - 1) / 2].at > t.at; i = (i - 1) / 2) h[i] = h[(i - 1) / 2];
    h[i] = t;
}

static void drop_timer(symbi_loop *l, size_t i)
{
    l->ntimer--;
    if (i == l->ntimer) return;
    l->heap[i] = l->heap[l->ntimer];
    sink(l->heap, l->ntimer, i);
    rise(l->heap, i);
}

symbi_status symbi_loop_timer(symbi_loop *l, int64_t ms, uint64_t token, uint64_t *id, symbi_err *err)
{
    int64_t now = mono_ms();
    if (ms < 0) ms = 0;
    if (sy_grow(&l->alloc, (void **)&l->heap, &l->cap_timer, l->ntimer + 1, sizeof *l->heap)) return sy_fail_nomem(err);
    l->heap[l->ntimer].at = ms > INT64_MAX - now ? INT64_MAX : now + ms;
    l->heap[l->ntimer].token = token;
    l->heap[l->ntimer].id = ++l->last_id;
    if (id) *id = l->last_id;
    rise(l->heap, l->ntimer++);
    return SYMBI_OK;
}

void symbi_loop_cancel(symbi_loop *l, uint64_t timer_id)
{
    for (size_t i = 0; i < l->ntimer; i++)
        if (l->heap[i].id == timer_id) {
            drop_timer(l, i);
            return;
        }
}

static void ready(symbi_loop *l, symbi_loop_event *ev, size_t cap, size_t *n)
{
    size_t from = l->next < l->nfd ? l->next : 0;
    for (size_t k = 0; k < l->nfd && *n < cap; k++) {
        size_t i = (from + k) % l->nfd;
        short r = l->pfd[i].revents;
        if (!r) continue;
        l->pfd[i].revents = (short)(r & POLLNVAL);
        l->next = i + 1;
        ev[*n].token = l->token[i];
        ev[*n].fd = l->pfd[i].fd;
        ev[(*n)++].bits = (r & POLLIN ? (unsigned)SYMBI_LOOP_READ : 0u) | (r & POLLOUT ? (unsigned)SYMBI_LOOP_WRITE : 0u) |
                          (r & (POLLERR | POLLHUP | POLLNVAL) ? (unsigned)SYMBI_LOOP_ERROR | (unsigned)SYMBI_LOOP_READ : 0u);
    }
}

/* What was closed without a word would be ready for ever: it is reported once, then forgotten. */
static void drop_closed(symbi_loop *l)
{
    for (size_t i = l->nfd; i--;)
        if (l->pfd[i].revents & POLLNVAL) forget(l, l->pfd[i].fd);
}

symbi_status symbi_loop_wait(symbi_loop *l, int64_t timeout_ms, symbi_loop_event *ev, size_t cap, size_t *n, symbi_err *err)
{
    int64_t now = l->ntimer ? mono_ms() : 0, left = timeout_ms;
    int got;
    *n = 0;
    if (!cap || (timeout_ms < 0 && !l->nfd && !l->ntimer)) return SYMBI_OK;
    if (l->ntimer && (left < 0 || l->heap[0].at - now < left)) left = l->heap[0].at > now ? l->heap[0].at - now : 0;
    got = poll(l->pfd, l->nfd, left < 0 ? -1 : left > 86400000 ? 86400000 : (int)left);
    if (got < 0 && errno != EINTR) return sy_fail(err, errno == ENOMEM ? SYMBI_ENOMEM : SYMBI_EIO, "cannot wait for descriptors: %s", strerror(errno));
    if (l->ntimer) now = mono_ms();
    while (l->ntimer && l->heap[0].at <= now && *n < cap) {
        ev[*n].token = l->heap[0].token;
        ev[*n].fd = -1;
        ev[(*n)++].bits = SYMBI_LOOP_TIMER;
        drop_timer(l, 0);
    }
    if (got > 0) {
        ready(l, ev, cap, n);
        drop_closed(l);
    }
    return SYMBI_OK;
}
