/* io/http.c: HTTP requests through libcurl, whose only includer this folder's http files are. One multi handle per client,
 * driven by socket and timer events of a loop: the caller's, or a private one for blocking use. */
#define _GNU_SOURCE
#include "io/http_int.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

static pthread_once_t global_once = PTHREAD_ONCE_INIT;
static void global_init(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

void symbi_http_options_init(symbi_http_options *o)
{
    memset(o, 0, sizeof *o);
    o->size = sizeof *o;
}

const char *symbi_http_error_name(symbi_http_error e)
{
    switch (e) {
#define NAME(name, num, text) \
    case SYMBI_HTTP_ERROR_##name: return text;
        SYMBI_HTTP_ERROR_LIST(NAME)
#undef NAME
    default: return "other";
    }
}

const char *symbi_http_library(void)
{
    pthread_once(&global_once, global_init);
    return curl_version();
}

/* ---- curl's two callbacks: what to watch, when to wake ------------------------------------------------------------- */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ud, void *sockp)
{
    symbi_http *h = ud;
    unsigned bits = what == CURL_POLL_IN ? (unsigned)SYMBI_LOOP_READ : what == CURL_POLL_OUT ? (unsigned)SYMBI_LOOP_WRITE : what == CURL_POLL_INOUT ? (unsigned)SYMBI_LOOP_READ | (unsigned)SYMBI_LOOP_WRITE : 0u;
    (void)easy, (void)sockp;
    if (symbi_loop_watch(h->loop, fd, bits, h->token, NULL)) h->broken = true;
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *ud)
{
    symbi_http *h = ud;
    (void)multi;
    if (h->own_loop) { /* symbi_xfer_wait looks at it */
        h->due = ms <= 0 ? ms : sy_http_ms() + ms;
        return 0;
    }
    if (h->timer) symbi_loop_cancel(h->loop, h->timer);
    h->timer = 0;
    if (ms >= 0 && symbi_loop_timer(h->loop, ms, h->token, &h->timer, NULL)) h->broken = true;
    return 0;
}

void sy_http_guard_on(symbi_http *h, sy_http_guard *g)
{
    sigset_t pipe_only, pending;
    g->on = h->tls && !h->guarded;
    if (!g->on) return;
    h->guarded = true;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&pending);
    g->ours = !sigismember(&pending, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &g->was);
}

void sy_http_guard_off(symbi_http *h, sy_http_guard *g)
{
    static const struct timespec none;
    sigset_t pipe_only;
    if (!g->on) return;
    h->guarded = false;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    if (g->ours)
        while (sigtimedwait(&pipe_only, NULL, &none) < 0 && errno == EINTR) continue;
    pthread_sigmask(SIG_SETMASK, &g->was, NULL);
}

symbi_status symbi_http_new(symbi_ctx *cx, const symbi_http_options *o, symbi_loop *loop, uint64_t token_base, symbi_http **out, symbi_err *err)
{
    symbi_http *h;
    symbi_http_options d;
    *out = NULL;
    pthread_once(&global_once, global_init);
    symbi_http_options_init(&d);
    if (o) memcpy(&d, o, o->size < sizeof d ? o->size : sizeof d);
    h = sy_calloc(&cx->alloc, 1, sizeof *h);
    if (!h) return sy_fail_nomem(err);
    h->cx = cx;
    h->connect_ms = d.connect_timeout_ms > 0 ? d.connect_timeout_ms : 10000;
    h->timeout_ms = d.timeout_ms > 0 ? d.timeout_ms : 120000;
    h->max_bytes = d.max_bytes ? d.max_bytes : cx->limits.model_response;
    h->token = token_base;
    h->due = -1;
    sy_buf_init(&h->ca, cx->alloc, 4096);
    sy_buf_init(&h->proxy, cx->alloc, 4096);
    if (d.ca_file.n) sy_buf_adds(&h->ca, d.ca_file);
    if (d.proxy.n) sy_buf_adds(&h->proxy, d.proxy);
    h->no_proxy = sy_str_eqz(d.proxy, "none");
    if (d.guard) {
        h->guard = symbi_netguard_ref(d.guard);
    } else if (d.max_redirects > 0) {
        symbi_netguard_options g;
        symbi_status st;
        symbi_netguard_options_init(&g);
        g.max_redirects = d.max_redirects;
        if ((st = symbi_netguard_new(cx, &g, &h->guard, err))) {
            symbi_http_free(h);
            return st;
        }
    }
    h->loop = loop;
    if (!loop && symbi_loop_new(cx, &h->loop, NULL) == SYMBI_OK) h->own_loop = true;
    h->multi = curl_multi_init();
    if (!h->loop || !h->multi || sy_buf_status(&h->ca) || sy_buf_status(&h->proxy)) {
        symbi_http_free(h);
        return sy_fail_nomem(err);
    }
    curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
    curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
    curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)(d.max_connections && d.max_connections < 1000 ? d.max_connections : 16));
    *out = h;
    return SYMBI_OK;
}

void symbi_http_free(symbi_http *h)
{
    symbi_alloc a;
    sy_http_guard g;
    if (!h) return;
    a = h->cx->alloc;
    sy_http_guard_on(h, &g);
    while (h->xfers) sy_xfer_cancel(h->xfers);
    for (symbi_xfer *x = h->ended; x; x = x->next) x->h = NULL;
    for (size_t i = 0; i < h->nspare; i++) sy_xfer_discard(h->spare[i]);
    if (h->multi) curl_multi_cleanup(h->multi);
    sy_http_guard_off(h, &g);
    if (h->timer) symbi_loop_cancel(h->loop, h->timer);
    if (h->own_loop) symbi_loop_free(h->loop);
    symbi_netguard_unref(h->guard);
    sy_buf_free(&h->ca);
    sy_buf_free(&h->proxy);
    sy_free(&a, h->socks, h->cap_socks * sizeof *h->socks);
    sy_free(&a, h, sizeof *h);
}

size_t symbi_http_open(const symbi_http *h) { return h->open; }

void symbi_http_ready(symbi_http *h, const symbi_loop_event *ev)
{
    int running = 0, left = 0;
    CURLMsg *m;
    sy_http_guard g;
    sy_http_guard_on(h, &g);
    if (!ev || ev->fd < 0) {
        if (ev) h->timer = 0; /* it fired, and is gone */
        h->due = -1; /* curl says it again */
        curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    } else {
        int bits = (ev->bits & SYMBI_LOOP_READ ? CURL_CSELECT_IN : 0) | (ev->bits & SYMBI_LOOP_WRITE ? CURL_CSELECT_OUT : 0) | (ev->bits & SYMBI_LOOP_ERROR ? CURL_CSELECT_ERR : 0);
        curl_multi_socket_action(h->multi, ev->fd, bits, &running);
    }
    while ((m = curl_multi_info_read(h->multi, &left)))
        if (m->msg == CURLMSG_DONE) {
            char *p = NULL;
            CURLcode code = m->data.result; /* m is gone after the handle is removed */
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &p);
            if (p) sy_xfer_finish((symbi_xfer *)(void *)p, code);
        }
    while (h->broken && h->xfers) sy_xfer_fail(h->xfers, SYMBI_ENOMEM, SYMBI_HTTP_ERROR_OTHER, symbi_status_text(SYMBI_ENOMEM));
    h->broken = false;
    sy_http_guard_off(h, &g);
}

int64_t sy_http_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

symbi_status symbi_xfer_wait(symbi_xfer *x, int64_t timeout_ms, symbi_err *err)
{
    int64_t until = 0;
    while (!x->done && !(x->stream && x->body.n)) {
        symbi_http *h = x->h;
        symbi_loop_event ev[16];
        size_t n;
        int64_t now, left = -1;
        symbi_status st;
        if (!h->own_loop) return sy_fail(err, SYMBI_EINVAL, "this client is driven by a loop: wait there");
        now = sy_http_ms();
        if (!until) until = now + timeout_ms;
        if (h->broken || (h->due >= 0 && h->due <= now)) symbi_http_ready(h, NULL); /* broken: no event will come any more */
        if (x->done || (x->stream && x->body.n)) break;
        if (timeout_ms >= 0 && (left = until - now) < 0) return sy_fail(err, SYMBI_ETIMEOUT, "no answer yet");
        if (h->due >= 0) { /* whoever is due again gets its turn after a look at the descriptors */
            int64_t next = h->due > now ? h->due - now : 0;
            if (left < 0 || next < left) left = next;
        }
        st = symbi_loop_wait(h->loop, left, ev, 16, &n, err);
        if (st) return st;
        for (size_t i = 0; i < n; i++) symbi_http_ready(h, &ev[i]);
        if (!n && left < 0 && !symbi_loop_count(h->loop)) symbi_http_ready(h, NULL);
        if (!n && timeout_ms >= 0 && !x->done && sy_http_ms() >= until) return sy_fail(err, SYMBI_ETIMEOUT, "no answer yet");
    }
    return SYMBI_OK;
}
