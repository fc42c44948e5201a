/* io/browser_live.c: a browser that runs already, over WebSocket. Only on this machine: its debugging port gives away everything it holds. */
#define _GNU_SOURCE
#include "io/browser_int.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "symbi/io.h"
#include "symbi/netguard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ = 64 << 10, MAX_OUT = 48 << 20, PER_STEP = 8 << 20 };

struct sy_live {
    symbi_ctx *cx;
    int fd;
    bool upgraded;
    char key[SYMBI_WS_KEY];
    symbi_http1 *http;
    symbi_ws *ws;
    sy_buf out;
    size_t sent;
    char *in;
};

static symbi_status queue(sy_live *l, symbi_ws_op op, symbi_str s, symbi_err *err)
{
    uint8_t mask[4];
    symbi_text t = { 0 };
    symbi_status st = symbi_ctx_random(l->cx, mask, sizeof mask, err);
    if (!st) st = symbi_ws_write(l->cx, op, s, mask, &t, err);
    if (!st) sy_buf_adds(&l->out, symbi_text_str(&t));
    symbi_text_free(&t);
    if (!st && sy_buf_status(&l->out)) st = sy_buf_status(&l->out) == SYMBI_ENOMEM ? sy_fail_nomem(err) : sy_fail(err, SYMBI_ELIMIT, "the browser does not take what it is told");
    return st;
}

static symbi_status dial(sy_live *l, const symbi_url *u, symbi_err *err)
{
    struct sockaddr_in a4 = { .sin_family = AF_INET };
    struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    int one = 1, r;
    a4.sin_addr.s_addr = htonl(INADDR_LOOPBACK); /* whatever a resolver says localhost is */
    a4.sin_port = a6.sin6_port = htons(u->port);
    l->fd = socket(u->ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (l->fd < 0) return sy_fail(err, SYMBI_EIO, "cannot make a socket: %s", strerror(errno));
    do r = u->ipv6 ? connect(l->fd, (struct sockaddr *)&a6, sizeof a6) : connect(l->fd, (struct sockaddr *)&a4, sizeof a4); /* this machine answers or refuses at once */
    while (r < 0 && errno == EINTR);
    if (r < 0) return sy_fail(err, SYMBI_EIO, "no browser listens on port %u: %s (start it with --remote-debugging-port=%u)", u->port, strerror(errno), u->port);
    setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(l->fd, F_SETFL, O_NONBLOCK);
    return SYMBI_OK;
}

static symbi_status start(sy_live *l, symbi_str url, symbi_err *err)
{
    symbi_http1_options o = { .kind = SYMBI_HTTP1_RESPONSE };
    uint8_t nonce[16];
    symbi_url u;
    char http[600];
    symbi_str head;
    symbi_status st;
    if (url.n < 6 || url.n > 500 || memcmp(url.p, "ws://", 5) || memchr(url.p, 0, url.n)) return sy_fail(err, SYMBI_EDENIED, "a running browser is reached at ws://127.0.0.1:PORT/devtools/browser/...");
    snprintf(http, sizeof http, "http://%.*s", (int)(url.n - 5), url.p + 5);
    if (symbi_url_parse(symbi_str_z(http), &u, err)) return sy_fail(err, SYMBI_EDENIED, "'%.*s' is no address of a running browser", SY_FMT(url));
    if (!sy_str_eqz(u.host, u.ipv6 ? "::1" : "127.0.0.1") && (u.ipv6 || !sy_str_eqz(u.host, "localhost")))
        return sy_fail(err, SYMBI_EDENIED, "'%.*s' is not this machine: a running browser is reached on the loopback interface only", SY_FMT(u.host));
    if ((st = symbi_ctx_random(l->cx, nonce, sizeof nonce, err)) || (st = symbi_http1_new(l->cx, &o, &l->http, err)) ||
        (st = symbi_ws_new(l->cx, l->cx->limits.doc_bytes, &l->ws, err)) || (st = dial(l, &u, err)))
        return st;
    symbi_ws_key(nonce, l->key);
    head = (symbi_str){ u.path.p, (size_t)(http + strlen(http) - u.path.p) };
    sy_buf_addf(&l->out, "GET %.*s HTTP/1.1\r\nHost: %s%.*s%s:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n", (int)(head.n ? head.n : 1),
        head.n ? head.p : "/", u.ipv6 ? "[" : "", SY_FMT(u.host), u.ipv6 ? "]" : "", u.port, l->key);
    return sy_buf_status(&l->out) ? sy_fail_nomem(err) : SYMBI_OK;
}

symbi_status sy_live_open(symbi_ctx *cx, symbi_str url, sy_live **out, symbi_err *err)
{
    sy_live *l = sy_calloc(&cx->alloc, 1, sizeof *l);
    symbi_status st;
    *out = NULL;
    if (!l) return sy_fail_nomem(err);
    l->cx = cx;
    l->fd = -1;
    sy_buf_init(&l->out, cx->alloc, MAX_OUT);
    l->in = sy_alloc(&cx->alloc, READ);
    st = l->in ? start(l, url, err) : sy_fail_nomem(err);
    if (st) sy_live_free(l);
    else *out = l;
    return st;
}

void sy_live_free(sy_live *l)
{
    if (!l) return;
    if (l->fd >= 0) close(l->fd);
    symbi_http1_free(l->http);
    symbi_ws_free(l->ws);
    sy_buf_free(&l->out);
    if (l->in) sy_free(&l->cx->alloc, l->in, READ);
    sy_free(&l->cx->alloc, l, sizeof *l);
}

int sy_live_fd(const sy_live *l) { return l->fd; }
unsigned sy_live_wants(const sy_live *l, bool more) { return (unsigned)SYMBI_LOOP_READ | (l->sent < l->out.n || (more && l->upgraded) ? (unsigned)SYMBI_LOOP_WRITE : 0u); }

static symbi_status flush(sy_live *l, symbi_err *err)
{
    while (l->sent < l->out.n) {
        ssize_t n = send(l->fd, l->out.p + l->sent, l->out.n - l->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return SYMBI_OK;
        if (n <= 0) return sy_fail(err, SYMBI_EIO, "the browser closed its connection");
        l->sent += (size_t)n;
    }
    sy_buf_clear(&l->out);
    l->sent = 0;
    return SYMBI_OK;
}

static symbi_status forward(sy_live *l, symbi_browser *b, symbi_err *err)
{
    symbi_str m;
    symbi_status st;
    while (l->upgraded && (m = symbi_browser_out(b)).n) {
        if ((st = queue(l, SYMBI_WS_TEXT, m, err))) return st;
        symbi_browser_sent(b);
    }
    return flush(l, err);
}

static symbi_status take(sy_live *l, symbi_browser *b, symbi_str in, symbi_err *err)
{
    symbi_status st;
    if (!l->upgraded) {
        symbi_http1_what what;
        symbi_str data;
        st = symbi_http1_next(l->http, &in, &what, &data, err);
        if (st == SYMBI_EAGAIN) return SYMBI_OK;
        if (st) return st;
        if (what != SYMBI_HTTP1_HEAD || (st = symbi_ws_check(symbi_http1_head(l->http), l->key, err))) return st ? st : sy_fail(err, SYMBI_EPARSE, "the browser answers something else than WebSocket");
        l->upgraded = true;
    }
    for (;;) {
        symbi_ws_message m;
        st = symbi_ws_next(l->ws, &in, &m, err);
        if (st == SYMBI_EAGAIN) return SYMBI_OK;
        if (st) return st;
        if (m.op == SYMBI_WS_CLOSE) return sy_fail(err, SYMBI_EIO, "the browser closed its connection");
        if (m.op == SYMBI_WS_PING) st = queue(l, SYMBI_WS_PONG, m.data, err);
        else if (m.op == SYMBI_WS_TEXT) st = symbi_browser_feed(b, m.data, false, err);
        if (st) return st;
    }
}

symbi_status sy_live_step(sy_live *l, symbi_browser *b, symbi_err *err)
{
    size_t total = 0;
    symbi_status st = forward(l, b, err);
    while (!st && total < PER_STEP) {
        ssize_t n = recv(l->fd, l->in, READ, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        if (n <= 0) return sy_fail(err, SYMBI_EIO, "the browser closed its connection");
        total += (size_t)n;
        st = take(l, b, (symbi_str){ l->in, (size_t)n }, err);
        if (!st) st = forward(l, b, err);
    }
    return st;
}

void sy_live_flush(sy_live *l, symbi_browser *b)
{
    symbi_err err;
    for (int i = 0; i < 20 && !forward(l, b, &err) && l->sent < l->out.n; i++) {
        struct pollfd f = { l->fd, POLLOUT, 0 };
        if (poll(&f, 1, 10) < 0) return;
    }
}
