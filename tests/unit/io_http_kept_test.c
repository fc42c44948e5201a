/* Handles are kept from one request to the next: nothing of a request may be in another. Very different requests follow each other in every order
 * over one client, and what a server gets is compared, byte for byte, with what is written here. */
#define _GNU_SOURCE
#include "symbi/io.h"
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static symbi_ctx *cx;
static symbi_err err;
static int port[3]; /* two servers and a proxy */
static char path[100];

/* ---- a server that remembers the last request it got, as it came ---------------------------------------------------------- */
#define CHECK_MSG(c, ...) \
    do { \
        CHECK(c); \
        if (!(c)) printf(__VA_ARGS__), printf("\n"); \
    } while (0)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char last[9000];
static int last_from;

static void *serve_one(void *ud)
{
    int fd = (int)(intptr_t)ud & 0xffff, from = (int)(intptr_t)ud >> 16;
    char in[9000], big[20000];
    size_t n = 0;
    for (;;) {
        ssize_t k = recv(fd, in + n, sizeof in - 1 - n, 0);
        const char *end, *length, *text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        size_t all;
        if (k <= 0) break;
        n += (size_t)k;
        in[n] = 0;
        if (!(end = strstr(in, "\r\n\r\n"))) continue;
        length = strstr(in, "Content-Length: ");
        all = (size_t)(end + 4 - in) + (length && length < end ? strtoul(length + 16, NULL, 10) : 0);
        if (n < all) continue;
        if (strstr(in, "/hang ")) {
            while (recv(fd, in, sizeof in, 0) > 0) continue;
            break;
        }
        pthread_mutex_lock(&lock);
        memcpy(last, in, all);
        last[all] = 0;
        last_from = from;
        pthread_mutex_unlock(&lock);
        if (!strncmp(in, "HEAD ", 5)) text = "HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n";
        if (strstr(in, "/hop ")) text = "HTTP/1.1 303 Elsewhere\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n";
        if (strstr(in, "/401 ")) text = "HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\nContent-Length: 0\r\n\r\n";
        if (strstr(in, "/big ")) {
            int head = snprintf(big, sizeof big, "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n");
            memset(big + head, 'b', 10000);
            big[head + 10000] = 0;
            text = big;
        }
        if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0) break;
        n = 0;
    }
    close(fd);
    return NULL;
}

typedef struct ear {
    int fd, from;
} ear;

static void *serve(void *ud)
{
    const ear *e = ud;
    for (;;) {
        pthread_t t;
        int fd = accept(e->fd, NULL, NULL);
        if (fd < 0) return NULL;
        if (pthread_create(&t, NULL, serve_one, (void *)(intptr_t)(fd | e->from << 16))) exit(1);
        pthread_detach(t);
    }
}

static void start(ear *e, int fd, int from)
{
    pthread_t t;
    e->fd = fd;
    e->from = from;
    if (pthread_create(&t, NULL, serve, e)) exit(1);
    pthread_detach(t);
}

static int listen_somewhere(int *p)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 64) || getsockname(fd, (struct sockaddr *)&a, &n)) exit(1);
    *p = ntohs(a.sin_port);
    return fd;
}

/* ---- requests ------------------------------------------------------------------------------------------------------------- */
#define AGENT "User-Agent: symbi-lua/" SYMBI_VERSION "\r\n"
#define ANY "Accept: */*\r\n"
#define JSON_TYPE "Content-Type: application/json\r\n"

/* headers: "name\0value\0name\0value\0", ended by an empty name. gets: what the server gets; %H stands for the host and port that were asked. */
typedef struct kind {
    const char *method, *path, *headers, *body, *gets;
    int server, status;
    symbi_http_error why;
    size_t max;
    int64_t timeout;
    bool once, stream, gzip, proxied, socket, certificate, version;
} kind;

static const kind kinds[] = {
    { "GET", "/a", "", NULL, "GET /a HTTP/1.1\r\nHost: %H\r\n" AGENT ANY "\r\n", 0, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    { "GET", "/a", "Authorization\0Bearer secret\0User-Agent\0me\0X-Empty\0\0", NULL, "GET /a HTTP/1.1\r\nHost: %H\r\n" ANY "Authorization: Bearer secret\r\nUser-Agent: me\r\nX-Empty:\r\n\r\n", 0, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    { "GET", "/b?q=1", "Accept\0application/json\0", NULL, "GET /b?q=1 HTTP/1.1\r\nHost: %H\r\n" AGENT "Accept: application/json\r\n\r\n", 0, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    { "GET", "/a", "", NULL, "GET /a HTTP/1.1\r\nHost: %H\r\n" AGENT ANY "\r\n", 1, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    { "POST", "/c", "Content-Type\0application/json\0", "{\"a\":1}", "POST /c HTTP/1.1\r\nHost: %H\r\n" AGENT ANY JSON_TYPE "Content-Length: 7\r\n\r\n{\"a\":1}", 0, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    { "POST", "/c", "", "once", "POST /c HTTP/1.1\r\nHost: %H\r\n" AGENT ANY "Content-Length: 4\r\n\r\nonce", 0, 200, 0, 0, 0, true, 0, 0, 0, 0, 0, 0 },
    { "POST", "/c", "", NULL, "POST /c HTTP/1.1\r\nHost: %H\r\n" AGENT ANY "Content-Length: 0\r\n\r\n", 0, 200, 0, 0, 0, true, 0, 0, 0, 0, 0, 0 },
    { "PUT", "/d", "", "put", "PUT /d HTTP/1.1\r\nHost: %H\r\n" AGENT ANY "Content-Length: 3\r\n\r\nput", 0, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    { "DELETE", "/d", "", NULL, "DELETE /d HTTP/1.1\r\nHost: %H\r\n" AGENT ANY "\r\n", 0, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    { "DELETE", "/d", "", "why", "DELETE /d HTTP/1.1\r\nHost: %H\r\n" AGENT ANY "Content-Length: 3\r\n\r\nwhy", 0, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    { "HEAD", "/a", "", NULL, "HEAD /a HTTP/1.1\r\nHost: %H\r\n" AGENT ANY "\r\n", 0, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    { "GET", "/a", "", NULL, "GET /a HTTP/1.1\r\nHost: %H\r\n" AGENT ANY "Accept-Encoding: gzip\r\n\r\n", 0, 200, 0, 0, 0, 0, 0, true, 0, 0, 0, 0 },
    { "GET", "/a", "", NULL, "GET /a HTTP/1.1\r\nHost: %H\r\n" AGENT ANY "\r\n", 0, 200, 0, 0, 0, 0, true, 0, 0, 0, 0, 0 },
    { "GET", "/b", "", NULL, "GET /b HTTP/1.1\r\nHost: %H\r\n" AGENT ANY "\r\n", 0, 200, 0, 100, 0, 0, 0, 0, 0, 0, 0, 0 },
    { "GET", "/big", "", NULL, NULL, 0, 0, SYMBI_HTTP_ERROR_TOO_LARGE, 100, 0, 0, 0, 0, 0, 0, 0, 0 },
    { "GET", "/big", "", NULL, "GET /big HTTP/1.1\r\nHost: %H\r\n" AGENT ANY "\r\n", 0, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    { "GET", "/hang", "", NULL, NULL, 0, 0, SYMBI_HTTP_ERROR_TIMEOUT, 0, 5, 0, 0, 0, 0, 0, 0, 0 },
    { "GET", "/401", "", NULL, "GET /401 HTTP/1.1\r\nHost: %H\r\n" AGENT ANY "\r\n", 0, 401, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    { "POST", "/hop", "X-A\0b\0", "body", "GET /a HTTP/1.1\r\nHost: %H\r\n" AGENT ANY "X-A: b\r\n\r\n", 0, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    { "GET", "/a", "", NULL, "GET http://%H/a HTTP/1.1\r\nHost: %H\r\nProxy-Authorization: Basic dTpw\r\n" AGENT ANY "Proxy-Connection: Keep-Alive\r\n\r\n", 2, 200, 0, 0, 0, 0, 0, 0, true, 0, 0, 0 },
    { "GET", "/a", "", NULL, "GET /a HTTP/1.1\r\nHost: %H\r\n" AGENT ANY "\r\n", 3, 200, 0, 0, 0, 0, 0, 0, 0, true, 0, 0 },
    { "GET", "/a", "", NULL, "GET /a HTTP/1.1\r\nHost: %H\r\n" AGENT ANY "\r\n", 0, 200, 0, 0, 0, 0, 0, 0, 0, 0, true, 0 },
    { "GET", "/a", "", NULL, "GET /a HTTP/1.1\r\nHost: %H\r\n" AGENT ANY "\r\n", 0, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0, true },
};
enum { KINDS = sizeof kinds / sizeof *kinds, HOP = 18 };

static void ask(symbi_http *h, int which, const char *after)
{
    const kind *k = &kinds[which];
    symbi_http_request rq = { 0 };
    symbi_http_route route = { 0 };
    symbi_http_header list[8];
    symbi_http_response r = { 0 };
    symbi_http_error why = SYMBI_HTTP_ERROR_NONE;
    symbi_xfer *x = NULL;
    symbi_status st;
    char url[200], proxy[100], host[60], want[1000];
    size_t n = 0;
    snprintf(host, sizeof host, "127.0.0.1:%d", port[k->server == 1]);
    snprintf(url, sizeof url, "http://%s%s", host, k->path);
    snprintf(proxy, sizeof proxy, "http://u:p@127.0.0.1:%d", port[2]);
    for (const char *p = k->headers; *p; n++) {
        list[n].name = symbi_str_z(p);
        list[n].value = symbi_str_z(p + strlen(p) + 1);
        p = list[n].value.p + list[n].value.n + 1;
    }
    rq.url = symbi_str_z(url);
    rq.method = symbi_str_z(k->method);
    rq.headers = list;
    rq.nheaders = n;
    if (k->body) rq.body = symbi_str_z(k->body);
    rq.once = k->once;
    rq.stream = k->stream;
    rq.gzip = k->gzip;
    rq.max_bytes = k->max;
    rq.timeout_ms = k->timeout;
    rq.by_operator = true;
    if (k->proxied) route.proxy = symbi_str_z(proxy);
    if (k->socket) route.unix_socket = symbi_str_z(path);
    if (k->certificate) route.client_cert = route.ca_file = symbi_str_z("/nowhere/cert.pem"); /* nothing that http looks at */
    if (k->version) route.http_version = 1;
    if (k->proxied || k->socket || k->certificate || k->version) rq.route = &route;
    last[0] = 0;
    st = symbi_http_start(h, &rq, &x, &err);
    CHECK_MSG(!st, "%s %s: %s", k->method, k->path, err.msg);
    if (st) return;
    while (!symbi_xfer_wait(x, 20000, &err) && !symbi_xfer_done(x)) symbi_xfer_take(x);
    st = symbi_xfer_result(x, &r, &why, &err);
    CHECK_MSG(why == k->why, "%s %s after %s: %s", k->method, k->path, after, st ? err.msg : "went well");
    CHECK_MSG(r.status == k->status, "%s %s after %s: status %d", k->method, k->path, after, r.status);
    if (!strcmp(k->path, "/big") && !k->max) CHECK(r.body.n == 10000);
    if (k->gets) {
        size_t at = 0;
        for (const char *p = k->gets; *p; p++) {
            if (p[0] == '%' && p[1] == 'H') at += (size_t)sprintf(want + at, "%s", host), p++;
            else want[at++] = *p;
        }
        want[at] = 0;
        pthread_mutex_lock(&lock);
        CHECK_MSG(last_from == k->server, "%s %s after %s went to server %d", k->method, k->path, after, last_from);
        CHECK_MSG(!strcmp(last, want), "%s %s after %s: the server got\n%s\nnot\n%s", k->method, k->path, after, last, want);
        pthread_mutex_unlock(&lock);
    }
    symbi_xfer_free(x);
}

static void every_order(symbi_http *h, bool redirects)
{
    for (int i = 0; i < KINDS; i++)
        for (int k = 0; k < KINDS; k++) {
            char after[40];
            if (!redirects && (i == HOP || k == HOP)) continue;
            /* twice each: a handle is kept only after a request over a connection that was there, and a URL is known only then */
            ask(h, i, "itself");
            ask(h, i, "itself");
            snprintf(after, sizeof after, "%s %s (%d)", kinds[i].method, kinds[i].path, i);
            ask(h, k, after);
            ask(h, k, "itself");
            ask(h, k, "itself");
        }
}

static symbi_http *client(bool redirects)
{
    symbi_http *h = NULL;
    symbi_http_options o;
    symbi_netguard_options g;
    symbi_str here = symbi_str_z("127.0.0.1");
    symbi_http_options_init(&o);
    o.proxy = symbi_str_z("none");
    symbi_netguard_options_init(&g);
    g.max_redirects = 2;
    g.allow = &here;
    g.nallow = 1;
    if (redirects) CHECK_OK(symbi_netguard_new(cx, &g, &o.guard, &err), err);
    CHECK_OK(symbi_http_new(cx, &o, NULL, 0, &h, &err), err);
    symbi_netguard_unref(o.guard);
    return h;
}

static void test_every_order(void)
{
    symbi_http *h = client(false);
    every_order(h, false);
    symbi_http_free(h);
    h = client(true); /* judged by a policy */
    every_order(h, true);
    symbi_http_free(h);
}

/* A connection that is kept is used, and a URL that is known is still one that is judged. */
static void test_kept(void)
{
    symbi_http *h = client(false);
    symbi_http_request rq = { 0 };
    symbi_http_response r;
    symbi_xfer *x, *y;
    char url[100];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/a", port[0]);
    rq.url = symbi_str_z(url);
    for (int i = 0; i < 4; i++) {
        rq.by_operator = true;
        CHECK_OK(symbi_http_start(h, &rq, &x, &err), err);
        CHECK_OK(symbi_xfer_wait(x, 20000, &err), err);
        CHECK_OK(symbi_xfer_result(x, &r, NULL, &err), err);
        CHECK(r.reused == (i > 0) && r.status == 200 && r.body.n == 2);
        symbi_xfer_free(x);
        rq.by_operator = false; /* the same URL, by nobody who may name such an address */
        x = NULL;
        CHECK(symbi_http_start(h, &rq, &x, &err) == SYMBI_EDENIED && !x);
    }
    /* results outlive the requests that follow, and the client */
    rq.by_operator = true;
    CHECK_OK(symbi_http_start(h, &rq, &x, &err), err);
    CHECK_OK(symbi_xfer_wait(x, 20000, &err), err);
    CHECK_OK(symbi_http_start(h, &rq, &y, &err), err);
    symbi_http_free(h);
    CHECK_OK(symbi_xfer_result(x, &r, NULL, &err), err);
    CHECK(r.body.n == 2 && !memcmp(r.body.p, "ok", 2));
    CHECK(symbi_xfer_result(y, &r, NULL, &err) == SYMBI_EABORT);
    symbi_xfer_free(y);
    symbi_xfer_free(x);
}

/* An answer that nobody asked for, after the one that somebody did: it is not taken for the next one. */
static enum { NOTHING, READ, LATE } late_state; /* the client has read its answer; the other one is sent */

static void late_set(int state)
{
    pthread_mutex_lock(&lock);
    late_state = state;
    pthread_mutex_unlock(&lock);
}

static void late_wait(int state)
{
    for (int i = 0; i < 2000; i++) {
        bool there;
        pthread_mutex_lock(&lock);
        there = (int)late_state == state;
        pthread_mutex_unlock(&lock);
        if (there) break;
        usleep(10000);
    }
}

static void *serve_twice(void *ud)
{
    int at = *(int *)ud, fd, n = 0;
    char in[2000];
    while ((fd = accept(at, NULL, NULL)) >= 0) {
        bool first = n++ == 0;
        size_t have = 0;
        ssize_t k;
        while (have < sizeof in - 1 && (k = recv(fd, in + have, sizeof in - 1 - have, 0)) > 0) {
            const char *text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", *late = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", *end;
            in[have += (size_t)k] = 0;
            end = strstr(in, "\r\n\r\n");
            if (!end || (in[0] == 'P' && !strstr(end, "a body"))) continue;
            pthread_mutex_lock(&lock);
            strcpy(last, end + 4);
            pthread_mutex_unlock(&lock);
            have = 0;
            if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0) break;
            if (!first) continue;
            late_wait(READ);
            if (send(fd, late, strlen(late), MSG_NOSIGNAL) < 0) break;
            late_set(LATE);
            first = false;
        }
        close(fd);
    }
    return NULL;
}

static void test_late_answer(void)
{
    int p, at = listen_somewhere(&p);
    pthread_t t;
    symbi_http *h = client(false);
    symbi_http_request rq = { 0 };
    char url[100];
    if (pthread_create(&t, NULL, serve_twice, &at)) exit(1);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/a", p);
    rq.url = symbi_str_z(url);
    rq.by_operator = true;
    for (int i = 0; i < 6; i++) {
        symbi_http_response r = { 0 };
        symbi_xfer *x = NULL;
        rq.method = symbi_str_z(i % 2 ? "POST" : "GET");
        rq.body = symbi_str_z(i % 2 ? "a body" : "");
        rq.once = i == 1 || i == 3;
        CHECK_OK(symbi_http_start(h, &rq, &x, &err), err);
        CHECK_OK(symbi_xfer_wait(x, 20000, &err), err);
        CHECK_OK(symbi_xfer_result(x, &r, NULL, &err), err);
        CHECK_MSG(r.status == 200 && r.body.n == 2 && !memcmp(r.body.p, "ok", 2), "request %d: %.*s", i, (int)r.body.n, r.body.p);
        CHECK_MSG(r.reused == (i > 1), "request %d: %s connection", i, r.reused ? "a kept" : "a new"); /* the second one gets a new one, which is kept */
        pthread_mutex_lock(&lock);
        CHECK_MSG(!strcmp(last, i % 2 ? "a body" : ""), "request %d: the server got %s", i, last);
        pthread_mutex_unlock(&lock);
        symbi_xfer_free(x);
        if (i == 0) {
            late_set(READ);
            late_wait(LATE);
            usleep(20000); /* what is sent over the loopback is there */
        }
    }
    symbi_http_free(h);
    shutdown(at, SHUT_RDWR);
    pthread_join(t, NULL);
    close(at);
}

static symbi_status scenario(symbi_ctx *c, void *ud)
{
    symbi_http_options o;
    symbi_http_request rq = { 0 };
    symbi_http_header header = { { "X-Long", 6 }, { ud, strlen(ud) } };
    symbi_http *h;
    symbi_http_response out;
    symbi_status st;
    char url[100];
    symbi_http_options_init(&o);
    o.proxy = symbi_str_z("none");
    snprintf(url, sizeof url, "http://127.0.0.1:%d/big", port[0]);
    rq.url = symbi_str_z(url);
    rq.by_operator = true;
    rq.headers = &header;
    if ((st = symbi_http_new(c, &o, NULL, 0, &h, NULL))) return st;
    for (int i = 0; i < 3 && !st; i++) {
        symbi_xfer *x = NULL;
        rq.nheaders = i == 1;
        st = symbi_http_start(h, &rq, &x, NULL);
        if (!st) st = symbi_xfer_wait(x, 20000, NULL);
        if (!st) st = symbi_xfer_result(x, &out, NULL, NULL);
        symbi_xfer_free(x);
    }
    symbi_http_free(h);
    return st;
}

static void test_memory(void)
{
    char text[600];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    test_oom(scenario, text, SYMBI_OK);
}

int main(void)
{
    static ear ears[4];
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char dir[] = "/tmp/symbi-keptXXXXXX";
    if (symbi_ctx_new(NULL, &cx, &err) || !mkdtemp(dir)) return 1;
    for (int i = 0; i < 3; i++) start(&ears[i], listen_somewhere(&port[i]), i);
    snprintf(path, sizeof path, "%s/s", dir);
    strcpy(a.sun_path, path);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 64)) return 1;
    start(&ears[3], fd, 3);
    RUN(test_every_order);
    RUN(test_kept);
    RUN(test_late_answer);
    RUN(test_memory);
    unlink(path);
    rmdir(dir);
    symbi_ctx_free(cx);
    return test_end();
}
