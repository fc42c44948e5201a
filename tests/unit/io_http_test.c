/* The HTTP client against a server of our own that behaves, and one that does not. */
#define _GNU_SOURCE
#include "symbi/io.h"
#include "symbi/wire.h"
#include "test.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static symbi_ctx *cx;
static symbi_err err;
static int port, dead_port, connections;
static atomic_int live;

static void say(int fd, const char *text, size_t n)
{
    while (n) {
        ssize_t k = send(fd, text, n, MSG_NOSIGNAL);
        if (k <= 0) return;
        text += k, n -= (size_t)k;
    }
}
#define SAY(fd, text) say(fd, text, sizeof(text) - 1)

static bool is(symbi_str s, const char *z) { return s.n == strlen(z) && !memcmp(s.p, z, s.n); }

/* Answers one request; false: close the connection. */
static bool answer(int fd, symbi_ctx *own, const symbi_http1_message *m, symbi_str body)
{
    static const char zeros[65536];
    symbi_text t = { 0 };
    char buf[300];
    if (is(m->target, "/ok")) SAY(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nx-a:  two \r\nX-Empty:\r\n\r\nhello");
    else if (is(m->target, "/echo")) {
        symbi_str ct = symbi_http1_get(m, "content-type"), h = symbi_http1_get(m, "x-test"), ex = symbi_http1_get(m, "expect");
        symbi_str e = { buf, (size_t)snprintf(buf, sizeof buf, "%.*s|%.*s|%.*s|%d|%.*s", (int)m->method.n, m->method.p, (int)ct.n, ct.p ? ct.p : "", (int)h.n, h.p ? h.p : "", ex.p != NULL, (int)body.n, body.p) };
        if (symbi_http1_write_response(own, 200, NULL, 0, e, false, true, &t, NULL) == SYMBI_OK) say(fd, t.p, t.n);
        symbi_text_free(&t);
    } else if (is(m->target, "/hang")) {
        char c;
        while (recv(fd, &c, 1, 0) > 0) continue;
        return false;
    } else if (is(m->target, "/drip")) {
        SAY(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
        for (int i = 0; i < 100; i++) {
            if (send(fd, "x", 1, MSG_NOSIGNAL) != 1) break;
            usleep(20000);
        }
        return false;
    } else if (is(m->target, "/garbage")) {
        SAY(fd, "\x00\x01\x02SSH-2.0 hello\r\n\r\n");
        return false;
    } else if (is(m->target, "/badchunk")) {
        SAY(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n");
        return false;
    } else if (is(m->target, "/nothing")) {
        return false;
    } else if (is(m->target, "/reset")) {
        struct linger l = { 1, 0 };
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
        return false;
    } else if (is(m->target, "/cut")) {
        SAY(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
        return false;
    } else if (is(m->target, "/cutchunk")) {
        SAY(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        return false;
    } else if (is(m->target, "/length")) { /* honest about being too large */
        SAY(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
        usleep(100000);
        return false;
    } else if (is(m->target, "/endless")) {
        SAY(fd, "HTTP/1.1 200 OK\r\n\r\n");
        while (send(fd, zeros, sizeof zeros, MSG_NOSIGNAL) > 0) continue;
        return false;
    } else if (is(m->target, "/megabyte")) {
        SAY(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n");
        for (int i = 0; i < 16; i++) say(fd, zeros, sizeof zeros);
    } else if (is(m->target, "/headers")) {
        SAY(fd, "HTTP/1.1 200 OK\r\n");
        while (send(fd, "X-Header: yes\r\n", 15, MSG_NOSIGNAL) == 15) continue;
        return false;
    } else if (is(m->target, "/nulheader")) {
        SAY(fd, "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n");
    } else if (is(m->target, "/redirect")) SAY(fd, "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n");
    else if (is(m->target, "/file")) SAY(fd, "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n");
    else if (is(m->target, "/events")) {
        SAY(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < 4; i++) {
            char e[40];
            int n = snprintf(e, sizeof e, "data: %d\n\n", i), k = snprintf(buf, sizeof buf, "%x\r\n%s\r\n", (unsigned)n, e);
            say(fd, buf, (size_t)k);
            usleep(30000);
        }
        SAY(fd, "0\r\n\r\n");
    } else if (is(m->target, "/slow")) {
        usleep(300000);
        SAY(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow");
    } else if (is(m->target, "/503")) SAY(fd, "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbusy");
    else SAY(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    return true;
}

static void *serve_one(void *ud)
{
    int fd = (int)(intptr_t)ud;
    symbi_ctx *own;
    symbi_http1 *h;
    symbi_http1_options o = { .kind = SYMBI_HTTP1_REQUEST };
    char in[65536], body[65536];
    symbi_str rest = { in, 0 }, data;
    bool open = true;
    symbi_http1_what what;
    if (symbi_ctx_new(NULL, &own, NULL) || symbi_http1_new(own, &o, &h, NULL)) return NULL;
    while (open) {
        symbi_str b = { body, 0 };
        symbi_status st;
        for (;;) {
            st = symbi_http1_next(h, &rest, &what, &data, NULL);
            if (st == SYMBI_EAGAIN) {
                ssize_t n = recv(fd, in, sizeof in, 0);
                if (n <= 0) break;
                rest.p = in;
                rest.n = (size_t)n;
            } else if (st || what == SYMBI_HTTP1_END) {
                break;
            } else if (what == SYMBI_HTTP1_DATA && b.n + data.n <= sizeof body) {
                memcpy(body + b.n, data.p, data.n);
                b.n += data.n;
            }
        }
        open = st == SYMBI_OK && answer(fd, own, symbi_http1_head(h), b);
        if (open) symbi_http1_reset(h, false);
    }
    close(fd);
    symbi_http1_free(h);
    symbi_ctx_free(own);
    atomic_fetch_sub(&live, 1);
    return NULL;
}

static void *serve(void *ud)
{
    int ears = (int)(intptr_t)ud;
    for (;;) {
        int fd = accept(ears, NULL, NULL);
        pthread_t t;
        if (fd < 0) return NULL;
        connections++;
        atomic_fetch_add(&live, 1);
        pthread_create(&t, NULL, serve_one, (void *)(intptr_t)fd);
        pthread_detach(t);
    }
}

static int listen_somewhere(int *p)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 64) || getsockname(fd, (struct sockaddr *)&a, &n)) exit(1);
    *p = ntohs(a.sin_port);
    return fd;
}

static int64_t ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static symbi_http *client(const symbi_http_options *o)
{
    symbi_http *h = NULL;
    CHECK_OK(symbi_http_new(cx, o, NULL, 0, &h, &err), err);
    return h;
}

typedef struct answer_t {
    symbi_status st;
    symbi_http_error why;
    symbi_http_response r;
    symbi_xfer *x;
} answer_t;

static answer_t ask_rq(symbi_http *h, symbi_http_request *rq, const char *path)
{
    answer_t a = { 0 };
    char url[200];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, path);
    if (!rq->url.n) rq->url = symbi_str_z(url);
    if (!rq->guard) rq->by_operator = true; /* the guard has its own test: io_guard_test.c */
    a.st = symbi_http_start(h, rq, &a.x, &err);
    rq->url.n = 0;
    if (a.st) return a;
    a.st = symbi_xfer_wait(a.x, 20000, &err);
    if (!a.st) a.st = symbi_xfer_result(a.x, &a.r, &a.why, &err);
    return a;
}

static answer_t ask(symbi_http *h, const char *path)
{
    symbi_http_request rq = { 0 };
    return ask_rq(h, &rq, path);
}

static void test_ok(void)
{
    symbi_http *h = client(NULL);
    answer_t a = ask(h, "/ok"), b;
    CHECK_OK(a.st, err);
    CHECK(a.r.status == 200 && a.r.nheaders == 4 && !a.r.reused);
    CHECK_STR(a.r.body, "hello");
    CHECK_STR(a.r.headers[1].name, "X-A");
    CHECK_STR(a.r.headers[2].value, "two");
    CHECK_STR(a.r.headers[3].name, "X-Empty");
    CHECK_STR(a.r.headers[3].value, "");
    b = ask(h, "/ok");
    CHECK(b.st == SYMBI_OK && b.r.reused); /* kept alive */
    symbi_xfer_free(a.x);
    symbi_xfer_free(b.x);
    a = ask(h, "/503");
    CHECK(a.st == SYMBI_OK && a.r.status == 503);
    CHECK_STR(a.r.body, "busy");
    symbi_xfer_free(a.x);
    {
        symbi_http_request rq = { .max_bytes = 5 }; /* of the body alone, inclusive */
        a = ask_rq(h, &rq, "/ok");
        CHECK_OK(a.st, err);
        symbi_xfer_free(a.x);
        rq.max_bytes = 4;
        a = ask_rq(h, &rq, "/ok");
        CHECK(a.st == SYMBI_ELIMIT && a.why == SYMBI_HTTP_ERROR_TOO_LARGE);
        symbi_xfer_free(a.x);
    }
    CHECK(symbi_http_open(h) == 0);
    symbi_http_free(h);
}

static void test_methods_and_bodies(void)
{
    static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };
    symbi_http *h = client(NULL);
    for (int i = 0; i < 5; i++)
        for (int body = 0; body < 2; body++) {
            symbi_http_header f[] = { { SYMBI_STR_INIT("X-Test"), SYMBI_STR_INIT("a b") }, { SYMBI_STR_INIT("Content-Type"), SYMBI_STR_INIT("application/json") } };
            symbi_http_request rq = { .method = symbi_str_z(methods[i]), .headers = f, .nheaders = body ? 2 : 1 };
            char want[100];
            answer_t a;
            if (body) rq.body = symbi_str_z("{\"a\":1}");
            a = ask_rq(h, &rq, "/echo");
            snprintf(want, sizeof want, "%s|%s|a b|0|%s", methods[i], body ? "application/json" : "", body ? "{\"a\":1}" : "");
            CHECK_OK(a.st, err);
            CHECK_STR(a.r.body, want);
            symbi_xfer_free(a.x);
        }
    {
        static char big[60000];
        symbi_http_request rq = { .method = symbi_str_z("POST"), .body = { big, sizeof big } };
        answer_t a = ask_rq(h, &rq, "/404");
        CHECK(a.st == SYMBI_OK && a.r.status == 404); /* no Expect: 100-continue to wait for */
        symbi_xfer_free(a.x);
    }
    symbi_http_free(h);
}

static void test_refused_requests(void)
{
    static const char *const urls[] = { "file:///etc/passwd", "ftp://a/", "gopher://a/", "http://u:p@a/", "http://a/\r\nX: y", "", "http://", "dict://a/" };
    symbi_http *h = client(NULL);
    symbi_xfer *x;
    for (size_t i = 0; i < 8; i++) {
        symbi_http_request rq = { .url = symbi_str_z(urls[i]) };
        symbi_status st = symbi_http_start(h, &rq, &x, &err);
        CHECK((st == SYMBI_EINVAL || st == SYMBI_EDENIED) && !x);
    }
    {
        symbi_http_header f[] = { { SYMBI_STR_INIT("X"), SYMBI_STR_INIT("a\r\nEvil: 1") }, { SYMBI_STR_INIT("X: y\r\nEvil"), SYMBI_STR_INIT("1") }, { SYMBI_STR_INIT("content-length"), SYMBI_STR_INIT("1") }, { SYMBI_STR_INIT(""), SYMBI_STR_INIT("1") } };
        for (int i = 0; i < 4; i++) {
            symbi_http_request rq = { .url = symbi_str_z("http://127.0.0.1/"), .headers = f + i, .nheaders = 1, .by_operator = true };
            CHECK(symbi_http_start(h, &rq, &x, &err) == SYMBI_EINVAL && !x);
        }
    }
    {
        symbi_http_request rq = { .url = symbi_str_z("http://127.0.0.1/"), .method = symbi_str_z("GET /x"), .by_operator = true };
        CHECK(symbi_http_start(h, &rq, &x, &err) == SYMBI_EINVAL && !x);
    }
    CHECK(symbi_http_open(h) == 0);
    symbi_http_free(h);
}

static void fails(const char *path, symbi_status st, symbi_http_error why, int64_t timeout, size_t max)
{
    symbi_http *h = client(NULL);
    symbi_http_request rq = { .timeout_ms = timeout, .max_bytes = max };
    int64_t t = ms();
    answer_t a = ask_rq(h, &rq, path);
    if (a.st != st || a.why != why) printf("%s: %s %s: %s\n", path, symbi_status_name(a.st), symbi_http_error_name(a.why), err.msg);
    CHECK(a.st == st && a.why == why && ms() - t < 10000);
    CHECK(strstr(err.msg, path) && !strstr(err.msg, "secret"));
    symbi_xfer_free(a.x);
    a = ask(h, "/ok"); /* and the client still works */
    CHECK(a.st == SYMBI_OK);
    symbi_xfer_free(a.x);
    symbi_http_free(h);
}

static void test_bad_servers(void)
{
    fails("/hang", SYMBI_ETIMEOUT, SYMBI_HTTP_ERROR_TIMEOUT, 200, 0);
    fails("/drip", SYMBI_ETIMEOUT, SYMBI_HTTP_ERROR_TIMEOUT, 200, 0);
    fails("/garbage", SYMBI_EIO, SYMBI_HTTP_ERROR_PROTOCOL, 0, 0);
    fails("/badchunk", SYMBI_EIO, SYMBI_HTTP_ERROR_PROTOCOL, 0, 0);
    fails("/nulheader", SYMBI_EIO, SYMBI_HTTP_ERROR_PROTOCOL, 0, 0);
    fails("/nothing", SYMBI_EIO, SYMBI_HTTP_ERROR_TRUNCATED, 0, 0);
    fails("/reset", SYMBI_EIO, SYMBI_HTTP_ERROR_RESET, 0, 0);
    fails("/cut", SYMBI_EIO, SYMBI_HTTP_ERROR_TRUNCATED, 0, 0);
    fails("/cutchunk", SYMBI_EIO, SYMBI_HTTP_ERROR_TRUNCATED, 0, 0);
    fails("/length", SYMBI_ELIMIT, SYMBI_HTTP_ERROR_TOO_LARGE, 0, 100000);
    fails("/endless", SYMBI_ELIMIT, SYMBI_HTTP_ERROR_TOO_LARGE, 0, 100000);
    fails("/headers", SYMBI_ELIMIT, SYMBI_HTTP_ERROR_TOO_LARGE, 0, 0);
}

static void test_no_server(void)
{
    symbi_http *h = client(NULL);
    char url[100];
    symbi_http_request rq = { 0 };
    answer_t a;
    snprintf(url, sizeof url, "http://127.0.0.1:%d/x?key=secret", dead_port);
    rq.url = symbi_str_z(url);
    a = ask_rq(h, &rq, "");
    CHECK(a.st == SYMBI_EIO && a.why == SYMBI_HTTP_ERROR_REFUSED && !strstr(err.msg, "secret"));
    symbi_xfer_free(a.x);
    rq.url = symbi_str_z("http://no-such-host.invalid/");
    a = ask_rq(h, &rq, "");
    CHECK(a.st == SYMBI_EIO && a.why == SYMBI_HTTP_ERROR_RESOLVE);
    symbi_xfer_free(a.x);
    snprintf(url, sizeof url, "https://127.0.0.1:%d/ok", port); /* TLS to one that does not speak it */
    rq.url = symbi_str_z(url);
    a = ask_rq(h, &rq, "");
    CHECK(a.st == SYMBI_EIO && a.why == SYMBI_HTTP_ERROR_TLS);
    symbi_xfer_free(a.x);
    symbi_http_free(h);
}

static void test_redirects(void)
{
    symbi_http_options o;
    symbi_netguard_options g;
    symbi_str here = symbi_str_z("127.0.0.1");
    symbi_http *h = client(NULL);
    answer_t a = ask(h, "/redirect");
    CHECK(a.st == SYMBI_OK && a.r.status == 302);
    symbi_xfer_free(a.x);
    symbi_http_free(h);
    symbi_http_options_init(&o);
    symbi_netguard_options_init(&g);
    g.max_redirects = 2;
    g.allow = &here;
    g.nallow = 1;
    REQUIRE(symbi_netguard_new(cx, &g, &o.guard, &err) == SYMBI_OK);
    h = client(&o);
    a = ask(h, "/redirect");
    CHECK(a.st == SYMBI_OK && a.r.status == 200 && a.r.nheaders == 4);
    symbi_xfer_free(a.x);
    a = ask(h, "/file");
    CHECK(a.st == SYMBI_EDENIED && a.why == SYMBI_HTTP_ERROR_DENIED);
    symbi_xfer_free(a.x);
    symbi_http_free(h);
    symbi_netguard_unref(o.guard);
}

static void test_stream(void)
{
    symbi_http *h = client(NULL);
    symbi_http_request rq = { .stream = true, .by_operator = true };
    char url[100], got[200] = "";
    symbi_xfer *x;
    int pieces = 0;
    symbi_http_response r;
    snprintf(url, sizeof url, "http://127.0.0.1:%d/events", port);
    rq.url = symbi_str_z(url);
    REQUIRE(symbi_http_start(h, &rq, &x, &err) == SYMBI_OK);
    while (!symbi_xfer_done(x)) {
        symbi_str s;
        REQUIRE(symbi_xfer_wait(x, 5000, &err) == SYMBI_OK);
        s = symbi_xfer_take(x);
        if (s.n) pieces++, strncat(got, s.p, s.n);
        if (s.n) CHECK(symbi_xfer_status(x) == 200);
    }
    CHECK(pieces >= 3);
    CHECK(!strcmp(got, "data: 0\n\ndata: 1\n\ndata: 2\n\ndata: 3\n\n"));
    CHECK(symbi_xfer_result(x, &r, NULL, &err) == SYMBI_OK && r.status == 200 && r.body.n == 0);
    symbi_xfer_free(x);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/megabyte", port); /* more than may wait: the server is held back, nothing is lost */
    rq.url = symbi_str_z(url);
    {
        size_t total = 0, biggest = 0;
        REQUIRE(symbi_http_start(h, &rq, &x, &err) == SYMBI_OK);
        while (!symbi_xfer_done(x)) {
            symbi_str s;
            REQUIRE(symbi_xfer_wait(x, 5000, &err) == SYMBI_OK);
            usleep(5000);
            s = symbi_xfer_take(x);
            total += s.n;
            if (s.n > biggest) biggest = s.n;
        }
        total += symbi_xfer_take(x).n;
        CHECK(total == 1048576 && biggest <= (256 << 10) + 32768);
        CHECK(symbi_xfer_result(x, &r, NULL, &err) == SYMBI_OK);
        symbi_xfer_free(x);
    }
    symbi_http_free(h);
}

static void test_many_in_one_loop(void)
{
    enum { N = 20 };
    symbi_loop *l;
    symbi_http *h;
    symbi_xfer *x[N];
    symbi_http_request rq = { .by_operator = true };
    char url[100];
    int64_t t = ms();
    int done = 0;
    REQUIRE(symbi_loop_new(cx, &l, &err) == SYMBI_OK);
    REQUIRE(symbi_http_new(cx, NULL, l, 5, &h, &err) == SYMBI_OK);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/slow", port);
    rq.url = symbi_str_z(url);
    for (int i = 0; i < N; i++) REQUIRE(symbi_http_start(h, &rq, &x[i], &err) == SYMBI_OK);
    CHECK(symbi_xfer_wait(x[0], 10, &err) == SYMBI_EINVAL);
    symbi_xfer_free(x[N - 1]); /* one is given up */
    while (symbi_http_open(h)) {
        symbi_loop_event ev[8];
        size_t n;
        REQUIRE(symbi_loop_wait(l, 5000, ev, 8, &n, &err) == SYMBI_OK && ms() - t < 5000);
        for (size_t i = 0; i < n; i++) {
            CHECK(ev[i].token == 5);
            symbi_http_ready(h, &ev[i]);
        }
    }
    CHECK(ms() - t < 4000); /* 300 ms each, together */
    for (int i = 0; i < N - 1; i++) {
        symbi_http_response r;
        done += symbi_xfer_result(x[i], &r, NULL, &err) == SYMBI_OK && r.status == 200;
        symbi_xfer_free(x[i]);
    }
    CHECK(done == N - 1);
    REQUIRE(symbi_http_start(h, &rq, &x[0], &err) == SYMBI_OK);
    symbi_http_free(h); /* with one open: it ends as cancelled */
    {
        symbi_http_response r;
        symbi_http_error why;
        CHECK(symbi_xfer_result(x[0], &r, &why, &err) == SYMBI_EABORT && why == SYMBI_HTTP_ERROR_CANCELLED);
    }
    symbi_xfer_free(x[0]);
    CHECK(symbi_loop_count(l) == 0);
    symbi_loop_free(l);
}

static void test_proxy_from_environment(void)
{
    symbi_http *h;
    symbi_http_request rq = { .url = SYMBI_STR_INIT("http://name.invalid/ok") };
    char proxy[60];
    answer_t a;
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", port);
    setenv("http_proxy", proxy, 1);
    h = client(NULL);
    a = ask_rq(h, &rq, "");
    CHECK(a.st == SYMBI_OK && a.r.status == 404); /* our server saw the absolute target */
    symbi_xfer_free(a.x);
    symbi_http_free(h);
    unsetenv("http_proxy");
}

static void test_tls(void)
{
    char dir[] = "/tmp/symbi-tls-XXXXXX", cmd[600], url[100], ca[100];
    int p, fd = listen_somewhere(&p), pid;
    symbi_http_options o;
    symbi_http *h;
    symbi_http_request rq = { 0 };
    answer_t a = { 0 };
    close(fd);
    if (system("command -v openssl >/dev/null")) SKIP("no openssl program");
    REQUIRE(mkdtemp(dir));
    snprintf(ca, sizeof ca, "%s/c.pem", dir);
    snprintf(cmd, sizeof cmd, "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout %s/k.pem -out %s 2>/dev/null", dir, ca);
    REQUIRE(system(cmd) == 0);
    pid = fork();
    if (pid == 0) {
        char port_text[10], key[100];
        snprintf(port_text, sizeof port_text, "%d", p);
        snprintf(key, sizeof key, "%s/k.pem", dir);
        freopen("/dev/null", "w", stdout);
        execlp("openssl", "openssl", "s_server", "-quiet", "-www", "-accept", port_text, "-cert", ca, "-key", key, (char *)NULL);
        _exit(1);
    }
    snprintf(url, sizeof url, "https://localhost:%d/", p);
    symbi_http_options_init(&o);
    o.ca_file = symbi_str_z(ca);
    h = client(&o);
    for (int i = 0; i < 100; i++) {
        rq.url = symbi_str_z(url);
        a = ask_rq(h, &rq, "");
        if (a.st == SYMBI_OK || a.why != SYMBI_HTTP_ERROR_REFUSED) break;
        symbi_xfer_free(a.x);
        a.x = NULL;
        usleep(20000);
    }
    CHECK_OK(a.st, err);
    CHECK(a.r.status == 200);
    symbi_xfer_free(a.x);
    symbi_http_free(h);
    h = client(NULL); /* not signed by anybody the system trusts */
    rq.url = symbi_str_z(url);
    a = ask_rq(h, &rq, "");
    CHECK(a.st == SYMBI_EIO && a.why == SYMBI_HTTP_ERROR_TLS);
    symbi_xfer_free(a.x);
    symbi_http_free(h);
    h = client(&o); /* the right signer, another name */
    snprintf(url, sizeof url, "https://127.0.0.1:%d/", p);
    rq.url = symbi_str_z(url);
    a = ask_rq(h, &rq, "");
    CHECK(a.st == SYMBI_EIO && a.why == SYMBI_HTTP_ERROR_TLS);
    symbi_xfer_free(a.x);
    symbi_http_free(h);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    snprintf(cmd, sizeof cmd, "rm -r %s", dir);
    CHECK(system(cmd) == 0);
}

static symbi_status scenario(symbi_ctx *c, void *ud)
{
    symbi_http *h = NULL;
    symbi_xfer *x = NULL;
    symbi_err e;
    symbi_http_response r;
    symbi_http_header f = { SYMBI_STR_INIT("A"), SYMBI_STR_INIT("b") };
    symbi_http_request rq = { .url = symbi_str_z(ud), .headers = &f, .nheaders = 1, .method = symbi_str_z("POST"), .body = symbi_str_z("x"), .timeout_ms = 3000, .by_operator = true };
    symbi_status st = symbi_http_new(c, NULL, NULL, 0, &h, &e);
    if (!st) st = symbi_http_start(h, &rq, &x, &e);
    if (!st) st = symbi_xfer_wait(x, -1, &e);
    if (!st) st = symbi_xfer_result(x, &r, NULL, &e);
    if (!st && (r.status != 200 || r.body.n != 5)) st = SYMBI_EEVAL;
    symbi_xfer_free(x);
    symbi_http_free(h);
    return st;
}

static void test_memory(void)
{
    char url[100];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/ok", port);
    test_oom(scenario, url, SYMBI_OK);
}

static int fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;
    while (readdir(d)) n++;
    closedir(d);
    return n;
}

int main(void)
{
    pthread_t t;
    int ears, before;
    static const char *const vars[] = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" };
    for (int i = 0; i < 5; i++) unsetenv(vars[i]);
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    close(listen_somewhere(&dead_port));
    ears = listen_somewhere(&port);
    pthread_create(&t, NULL, serve, (void *)(intptr_t)ears);
    before = fds();
    RUN(test_ok);
    RUN(test_methods_and_bodies);
    RUN(test_refused_requests);
    RUN(test_bad_servers);
    RUN(test_no_server);
    RUN(test_redirects);
    RUN(test_stream);
    RUN(test_many_in_one_loop);
    RUN(test_proxy_from_environment);
    RUN(test_tls);
    RUN(test_memory);
    for (int i = 0; i < 200 && atomic_load(&live); i++) usleep(20000);
    t_now_failed = 0;
    CHECK(fds() <= before);
    if (t_now_failed) t_failed++;
    symbi_ctx_free(cx);
    shutdown(ears, SHUT_RDWR);
    pthread_join(t, NULL);
    close(ears);
    return test_end();
}
