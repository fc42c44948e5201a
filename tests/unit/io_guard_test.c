/* The network guard where connections are made, against servers of our own. The resolver is ours too: this program's getaddrinfo takes
 * the place of libc's, also for libcurl, and answers as the test says. 127.0.0.1 plays what must not be reached (its connections are
 * counted), 127.0.0.2 the public server (a policy allows that one address). */
#define _GNU_SOURCE
#include "symbi/io.h"
#include "test.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static symbi_ctx *cx;
static symbi_err err;
static int port;
static atomic_int inner_connections, inner_requests, outer_requests, lookups;

/* ---- the resolver: what the n-th look-up of "*.test.example" answers; the last line for all further ones ------------ */
static const char *answers[4];

__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res);
__attribute__((visibility("default"))) void freeaddrinfo(struct addrinfo *res);

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res)
{
    size_t n = node ? strlen(node) : 0;
    struct addrinfo *first = NULL, **at = &first;
    int k;
    char list[200], *save = NULL;
    if (n < 13 || strcmp(node + n - 13, ".test.example")) {
        int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
        struct addrinfo *r = NULL;
        *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
        (void)r;
        return real(node, service, hints, res);
    }
    k = atomic_fetch_add(&lookups, 1);
    while (k && (k >= 4 || !answers[k])) k--;
    snprintf(list, sizeof list, "%s", answers[k] ? answers[k] : "");
    for (char *ip = strtok_r(list, " ", &save); ip; ip = strtok_r(NULL, " ", &save)) {
        struct {
            struct addrinfo ai;
            struct sockaddr_in6 sa;
        } *e = calloc(1, sizeof *e);
        bool v6 = strchr(ip, ':') != NULL;
        e->ai.ai_family = v6 ? AF_INET6 : AF_INET;
        e->ai.ai_socktype = hints && hints->ai_socktype ? hints->ai_socktype : SOCK_STREAM;
        e->ai.ai_protocol = IPPROTO_TCP;
        e->ai.ai_addr = (struct sockaddr *)(void *)&e->sa;
        if (v6) {
            e->sa.sin6_family = AF_INET6;
            e->sa.sin6_port = htons((uint16_t)(service ? atoi(service) : port));
            inet_pton(AF_INET6, ip, &e->sa.sin6_addr);
            e->ai.ai_addrlen = sizeof e->sa;
        } else {
            struct sockaddr_in *in = (struct sockaddr_in *)(void *)&e->sa;
            in->sin_family = AF_INET;
            in->sin_port = htons((uint16_t)(service ? atoi(service) : port));
            inet_pton(AF_INET, ip, &in->sin_addr);
            e->ai.ai_addrlen = sizeof *in;
        }
        e->ai.ai_flags = 0x51; /* ours */
        *at = &e->ai;
        at = &e->ai.ai_next;
    }
    *res = first;
    return first ? 0 : EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *res)
{
    void (*real)(struct addrinfo *);
    if (res && res->ai_flags != 0x51) {
        *(void **)&real = dlsym(RTLD_NEXT, "freeaddrinfo");
        real(res);
        return;
    }
    while (res) {
        struct addrinfo *next = res->ai_next;
        free(res);
        res = next;
    }
}

static void resolve_to(const char *first, const char *second)
{
    answers[0] = first;
    answers[1] = second;
    answers[2] = answers[3] = NULL;
    atomic_store(&lookups, 0);
}

/* ---- the servers --------------------------------------------------------------------------------------------------------- */
static void say(int fd, const char *text, size_t n)
{
    while (n) {
        ssize_t k = send(fd, text, n, MSG_NOSIGNAL);
        if (k <= 0) return;
        text += k, n -= (size_t)k;
    }
}

/* A gzip member of a few bytes that unpacks to far more. */
static const unsigned char bomb[] = { 0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 2, 3, 0xed, 0xc1, 0x01, 0x0d, 0, 0, 0, 0xc2, 0xa0, 0xf7, 0x4f, 0x6d, 0x0f, 0x07, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };

static bool answer(int fd, const char *request)
{
    char path[300] = "", out[9000];
    const char *body;
    sscanf(request, "%*s %299s", path);
    if (!strcmp(path, "/echo")) { /* what was sent, without the host */
        size_t n;
        body = strstr(request, "\r\n\r\n");
        n = (size_t)snprintf(out, 5000, "%.*s|%.4000s", (int)strcspn(request, " "), request, body ? body + 4 : "");
        for (const char *l = strstr(request, "\r\n"); l && strncmp(l, "\r\n\r\n", 4); l = strstr(l + 2, "\r\n"))
            if (!strncasecmp(l + 2, "authorization", 13) || !strncasecmp(l + 2, "cookie", 6) || !strncasecmp(l + 2, "x-", 2) || !strncasecmp(l + 2, "accept", 6) || !strncasecmp(l + 2, "content-type", 12))
                n += (size_t)snprintf(out + n, sizeof out - n, "|%.*s", (int)strcspn(l + 2, "\r"), l + 2);
        dprintf(fd, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", (int)n, out);
    } else if (!strncmp(path, "/to/", 4)) { /* /to/<status>/<location> */
        dprintf(fd, "HTTP/1.1 %.3s Moved\r\nLocation: %s\r\nContent-Length: 7\r\n\r\nignored", path + 4, path + 8);
    } else if (!strcmp(path, "/loop")) {
        say(fd, "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n", 58);
    } else if (!strcmp(path, "/bigmove")) {
        static const char zeros[65536];
        dprintf(fd, "HTTP/1.1 302 Found\r\nLocation: /ok\r\n\r\n");
        while (send(fd, zeros, sizeof zeros, MSG_NOSIGNAL) > 0) continue;
        return false;
    } else if (!strcmp(path, "/headers")) {
        dprintf(fd, "HTTP/1.1 200 OK\r\n");
        for (int i = 0; i < 100000; i++)
            if (dprintf(fd, "X-%d: yes\r\n", i) < 0) break;
        return false;
    } else if (!strcmp(path, "/longheader")) {
        dprintf(fd, "HTTP/1.1 200 OK\r\nX: ");
        for (int i = 0; i < 30; i++)
            if (dprintf(fd, "%01000d", 0) < 0) break;
        dprintf(fd, "\r\nContent-Length: 2\r\n\r\nok");
    } else if (!strcmp(path, "/huge")) {
        static const char zeros[65536];
        dprintf(fd, "HTTP/1.1 200 OK\r\n\r\n");
        while (send(fd, zeros, sizeof zeros, MSG_NOSIGNAL) > 0) continue;
        return false;
    } else if (!strcmp(path, "/drip")) {
        dprintf(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        for (int i = 0; i < 200 && send(fd, "x", 1, MSG_NOSIGNAL) == 1; i++) usleep(20000);
        return false;
    } else if (!strcmp(path, "/slowloop")) {
        usleep(150000);
        dprintf(fd, "HTTP/1.1 302 Found\r\nLocation: /slowloop\r\nContent-Length: 0\r\n\r\n");
    } else if (!strcmp(path, "/gzip")) {
        dprintf(fd, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", (int)sizeof bomb);
        say(fd, (const char *)bomb, sizeof bomb);
    } else {
        dprintf(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
    return true;
}

typedef struct listener {
    int fd;
    bool inner;
} listener;

typedef struct connection {
    int fd;
    bool inner;
} connection;

static void *serve_one(void *ud)
{
    connection *c = ud;
    char in[9000];
    size_t n = 0;
    for (;;) {
        ssize_t k = recv(c->fd, in + n, sizeof in - 1 - n, 0);
        char *end, *len;
        if (k <= 0) break;
        n += (size_t)k;
        in[n] = 0;
        end = strstr(in, "\r\n\r\n");
        if (!end) continue;
        len = strcasestr(in, "content-length:");
        if (len && len < end && n < (size_t)(end + 4 - in) + (size_t)atoi(len + 15)) continue;
        atomic_fetch_add(c->inner ? &inner_requests : &outer_requests, 1);
        if (!answer(c->fd, in)) break;
        n = 0;
    }
    close(c->fd);
    free(c);
    return NULL;
}

static void *serve(void *ud)
{
    listener *l = ud;
    for (;;) {
        connection *c = malloc(sizeof *c);
        pthread_t t;
        c->fd = accept(l->fd, NULL, NULL);
        c->inner = l->inner;
        if (c->fd < 0) break;
        if (l->inner) atomic_fetch_add(&inner_connections, 1);
        pthread_create(&t, NULL, serve_one, c);
        pthread_detach(t);
    }
    return NULL;
}

static bool listen_at(listener *l, const char *ip, bool inner)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    socklen_t n = sizeof a;
    int one = 1;
    pthread_t t;
    inet_pton(AF_INET, ip, &a.sin_addr);
    l->fd = socket(AF_INET, SOCK_STREAM, 0);
    l->inner = inner;
    setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(l->fd, (struct sockaddr *)&a, sizeof a) || listen(l->fd, 64)) return false;
    if (!port) {
        getsockname(l->fd, (struct sockaddr *)&a, &n);
        port = ntohs(a.sin_port);
    }
    pthread_create(&t, NULL, serve, l);
    pthread_detach(t);
    return true;
}

/* ---- asking --------------------------------------------------------------------------------------------------------------- */
typedef struct outcome {
    symbi_status st;
    symbi_http_error why;
    symbi_netguard_why refused;
    int status;
    char body[9000];
} outcome;

static outcome run(symbi_http *h, symbi_http_request *rq)
{
    outcome o = { .st = SYMBI_OK };
    symbi_xfer *x = NULL;
    symbi_http_response r;
    err.msg[0] = 0;
    if (!rq->timeout_ms) rq->timeout_ms = 5000;
    o.st = symbi_http_start(h, rq, &x, &err);
    if (o.st) return o;
    o.st = symbi_xfer_wait(x, 20000, &err);
    if (!o.st) o.st = symbi_xfer_result(x, &r, &o.why, &err);
    o.refused = symbi_xfer_refused(x);
    if (!o.st) {
        o.status = r.status;
        snprintf(o.body, sizeof o.body, "%.*s", (int)r.body.n, r.body.p);
    }
    if (o.st && getenv("SHOW")) printf("%.*s: %s\n", (int)rq->url.n, rq->url.p, err.msg);
    symbi_xfer_free(x);
    return o;
}

static outcome get(symbi_http *h, symbi_netguard *g, const char *host, const char *path)
{
    char url[400];
    symbi_http_request rq = { .guard = g };
    snprintf(url, sizeof url, "http://%s:%d%s", host, port, path);
    rq.url = symbi_str_z(url);
    return run(h, &rq);
}

static symbi_http *client(void)
{
    symbi_http *h = NULL;
    CHECK_OK(symbi_http_new(cx, NULL, NULL, 0, &h, &err), err);
    return h;
}

static symbi_netguard *policy(int redirects)
{
    static symbi_str allow[] = { SYMBI_STR_INIT("127.0.0.2") };
    symbi_netguard_options o;
    symbi_netguard *g = NULL;
    symbi_netguard_options_init(&o);
    o.allow = allow;
    o.nallow = 1;
    o.max_redirects = redirects;
    CHECK_OK(symbi_netguard_new(cx, &o, &g, &err), err);
    return g;
}

/* ---- tests ---------------------------------------------------------------------------------------------------------------- */
static void test_literals(void)
{
    static const char *const hosts[] = { "127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0", "127.0.0.1.", "u@127.0.0.1" };
    symbi_http *h = client();
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        outcome o = get(h, NULL, hosts[i], "/ok");
        CHECK(o.st == SYMBI_EDENIED && !strncmp(err.msg, "SSRF: ", 6));
    }
    CHECK(symbi_http_open(h) == 0 && inner_connections == 0);
    symbi_http_free(h);
}

static void test_names(void)
{
    static const char *const bad[] = { "127.0.0.1", "127.0.0.1 10.0.0.1 192.168.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "169.254.169.254", "0.0.0.0", "100.64.0.1" };
    symbi_http *h = client();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char host[40];
        outcome o;
        snprintf(host, sizeof host, "n%d.test.example", (int)i);
        resolve_to(bad[i], NULL);
        o = get(h, NULL, host, "/ok");
        if (o.st != SYMBI_EDENIED || o.why != SYMBI_HTTP_ERROR_DENIED) printf("%s: %s %s %s\n", bad[i], symbi_status_name(o.st), symbi_http_error_name(o.why), err.msg);
        CHECK(o.st == SYMBI_EDENIED && o.why == SYMBI_HTTP_ERROR_DENIED && o.refused != SYMBI_NETGUARD_NONE && !strncmp(err.msg, "SSRF: ", 6));
        CHECK(lookups == 1);
    }
    CHECK(inner_connections == 0);
    symbi_http_free(h);
}

/* One of the answers may be reached: that one is. */
static void test_mixed_answers(void)
{
    static const char *const mixed[] = { "127.0.0.1 127.0.0.2", "127.0.0.2 127.0.0.1", "::1 127.0.0.1 127.0.0.2", "10.0.0.1 127.0.0.2", "::ffff:127.0.0.2" };
    symbi_netguard *g = policy(0);
    for (size_t i = 0; i < sizeof mixed / sizeof *mixed; i++) {
        symbi_http *h = client();
        outcome o;
        resolve_to(mixed[i], NULL);
        o = get(h, g, "mixed.test.example", "/ok");
        if (o.st) printf("%s: %s\n", mixed[i], err.msg);
        CHECK(o.st == SYMBI_OK && o.status == 200 && !strcmp(o.body, "ok"));
        symbi_http_free(h);
    }
    CHECK(inner_connections == 0);
    symbi_netguard_unref(g);
}

/* DNS rebinding: a good answer when it is asked for first, 127.0.0.1 from then on. */
static void test_rebinding(void)
{
    symbi_netguard *g = policy(0);
    symbi_http *h = client();
    outcome o;
    resolve_to("127.0.0.2", "127.0.0.1");
    o = get(h, g, "rebind.test.example", "/ok");
    CHECK(o.st == SYMBI_OK && lookups == 1); /* judged and connected with one look-up */
    o = get(h, g, "rebind.test.example", "/ok");
    CHECK(o.st == SYMBI_OK); /* the kept connection, or the kept answer */
    symbi_http_free(h);
    h = client();
    for (int i = 0; i < 5; i++) {
        char host[40];
        snprintf(host, sizeof host, "%c.rebind.test.example", 'a' + i);
        atomic_store(&lookups, 1);
        o = get(h, g, host, "/ok");
        CHECK(o.st == SYMBI_EDENIED && o.refused == SYMBI_NETGUARD_LOOPBACK);
    }
    CHECK(inner_connections == 0);
    symbi_http_free(h);
    symbi_netguard_unref(g);
}

static void test_redirects(void)
{
    static const struct {
        const char *location;
        symbi_netguard_why why;
    } t[] = { { "http://169.254.169.254/latest/", SYMBI_NETGUARD_METADATA }, { "http://127.0.0.1:PORT/ok", SYMBI_NETGUARD_LOOPBACK }, { "//127.0.0.1:PORT/ok", SYMBI_NETGUARD_LOOPBACK },
        { "http://localhost:PORT/ok", SYMBI_NETGUARD_LOCAL_NAME }, { "http://2130706433:PORT/ok", SYMBI_NETGUARD_LOOPBACK }, { "http://017700000001:PORT/ok", SYMBI_NETGUARD_LOOPBACK },
        { "http://inner.test.example:PORT/ok", SYMBI_NETGUARD_LOOPBACK }, { "file:///etc/passwd", SYMBI_NETGUARD_SCHEME }, { "gopher://127.0.0.2/", SYMBI_NETGUARD_SCHEME }, { "http://u:p@127.0.0.2:PORT/", SYMBI_NETGUARD_USERINFO } };
    symbi_netguard *g = policy(3), *none = policy(0);
    symbi_http *h = client();
    outcome o;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char path[200];
        const char *mark = strstr(t[i].location, "PORT");
        if (mark) snprintf(path, sizeof path, "/to/302/%.*s%d%s", (int)(mark - t[i].location), t[i].location, port, mark + 4);
        else snprintf(path, sizeof path, "/to/302/%s", t[i].location);
        resolve_to("127.0.0.1", NULL);
        o = get(h, g, "127.0.0.2", path);
        if (o.refused != t[i].why) printf("%s: %s %s\n", t[i].location, symbi_netguard_why_name(o.refused), err.msg);
        CHECK(o.st == SYMBI_EDENIED && o.why == SYMBI_HTTP_ERROR_DENIED && o.refused == t[i].why);
    }
    CHECK(inner_connections == 0);
    o = get(h, none, "127.0.0.2", "/to/302/http://127.0.0.1/");
    CHECK(o.st == SYMBI_OK && o.status == 302 && !strcmp(o.body, "ignored")); /* handed out, not followed */
    o = get(h, g, "127.0.0.2", "/to/302//ok");
    CHECK(o.st == SYMBI_OK && o.status == 200 && !strcmp(o.body, "ok"));
    outer_requests = 0;
    o = get(h, g, "127.0.0.2", "/loop");
    CHECK(o.st == SYMBI_EDENIED && o.refused == SYMBI_NETGUARD_REDIRECT && outer_requests == 4 && strstr(err.msg, "3"));
    o = get(h, g, "127.0.0.2", "/bigmove");
    CHECK(o.st == SYMBI_ELIMIT && o.why == SYMBI_HTTP_ERROR_TOO_LARGE);
    o = get(h, g, "127.0.0.2", "/ok");
    CHECK(o.st == SYMBI_OK); /* and the client still works */
    CHECK(symbi_http_open(h) == 0);
    symbi_http_free(h);
    symbi_netguard_unref(g);
    symbi_netguard_unref(none);
}

static void test_credentials(void)
{
    symbi_http_header f[] = { { SYMBI_STR_INIT("Authorization"), SYMBI_STR_INIT("Bearer s3cret") }, { SYMBI_STR_INIT("Cookie"), SYMBI_STR_INIT("a=b") }, { SYMBI_STR_INIT("X-Api-Key"), SYMBI_STR_INIT("k") },
        { SYMBI_STR_INIT("Accept"), SYMBI_STR_INIT("text/plain") }, { SYMBI_STR_INIT("Content-Type"), SYMBI_STR_INIT("text/x") } };
    symbi_netguard *g = policy(3);
    symbi_http *h = client();
    char url[300];
    symbi_http_request rq = { .guard = g, .headers = f, .nheaders = 4 };
    outcome o;
    resolve_to("127.0.0.2", NULL);
    snprintf(url, sizeof url, "http://127.0.0.2:%d/to/302//echo", port);
    rq.url = symbi_str_z(url);
    o = run(h, &rq); /* the same origin keeps them */
    CHECK(!strcmp(o.body, "GET||Authorization: Bearer s3cret|Cookie: a=b|X-Api-Key: k|Accept: text/plain"));
    snprintf(url, sizeof url, "http://127.0.0.2:%d/to/302/http://other.test.example:%d/echo", port, port);
    rq.url = symbi_str_z(url);
    o = run(h, &rq);
    CHECK(o.st == SYMBI_OK && !strcmp(o.body, "GET||Accept: text/plain"));
    rq.method = symbi_str_z("POST");
    rq.body = symbi_str_z("private");
    rq.nheaders = 5;
    o = run(h, &rq); /* 302 turns a POST into a GET without body */
    CHECK(o.st == SYMBI_OK && !strcmp(o.body, "GET||Accept: text/plain"));
    snprintf(url, sizeof url, "http://127.0.0.2:%d/to/307/http://other.test.example:%d/echo", port, port);
    rq.url = symbi_str_z(url);
    outer_requests = 0;
    o = run(h, &rq); /* the body stays here */
    CHECK(o.st == SYMBI_EDENIED && o.refused == SYMBI_NETGUARD_REDIRECT && outer_requests == 1);
    snprintf(url, sizeof url, "http://127.0.0.2:%d/to/307//echo", port);
    rq.url = symbi_str_z(url);
    o = run(h, &rq);
    CHECK(!strcmp(o.body, "POST|private|Authorization: Bearer s3cret|Cookie: a=b|X-Api-Key: k|Accept: text/plain|Content-Type: text/x"));
    snprintf(url, sizeof url, "http://127.0.0.2:%d/to/303//echo", port);
    rq.url = symbi_str_z(url);
    o = run(h, &rq);
    CHECK(!strcmp(o.body, "GET||Authorization: Bearer s3cret|Cookie: a=b|X-Api-Key: k|Accept: text/plain"));
    rq.method = symbi_str_z("PUT");
    snprintf(url, sizeof url, "http://127.0.0.2:%d/to/302//echo", port);
    rq.url = symbi_str_z(url);
    o = run(h, &rq);
    CHECK(!strncmp(o.body, "PUT|private|", 12));
    CHECK(o.st == SYMBI_OK && inner_connections == 0);
    symbi_http_free(h);
    symbi_netguard_unref(g);
}

/* What one policy let be connected is not for another: a kept connection is judged before it is used. */
static void test_kept_connection(void)
{
    symbi_http *h = client();
    symbi_http_request rq = { .by_operator = true };
    symbi_netguard *g = policy(0);
    char url[200];
    outcome o;
    resolve_to("127.0.0.1", NULL);
    snprintf(url, sizeof url, "http://kept.test.example:%d/ok", port);
    rq.url = symbi_str_z(url);
    inner_requests = inner_connections = 0;
    o = run(h, &rq);
    CHECK(o.st == SYMBI_OK && inner_connections == 1 && inner_requests == 1);
    o = run(h, &rq);
    CHECK(o.st == SYMBI_OK && inner_connections == 1 && inner_requests == 2); /* it is kept */
    rq.by_operator = false;
    o = run(h, &rq);
    CHECK(o.st == SYMBI_EDENIED && o.refused == SYMBI_NETGUARD_LOOPBACK);
    rq.guard = g;
    o = run(h, &rq);
    CHECK(o.st == SYMBI_EDENIED && o.refused == SYMBI_NETGUARD_LOOPBACK);
    CHECK(inner_requests == 2);
    inner_connections = 0;
    symbi_http_free(h);
    symbi_netguard_unref(g);
}

static void test_operator(void)
{
    symbi_http *h = client();
    symbi_http_request rq = { .by_operator = true };
    char url[200];
    outcome o;
    resolve_to("169.254.169.254", NULL); /* the name is the operator's, the address is not */
    snprintf(url, sizeof url, "http://model.test.example:%d/ok", port);
    rq.url = symbi_str_z(url);
    o = run(h, &rq);
    CHECK(o.st == SYMBI_EDENIED && o.refused == SYMBI_NETGUARD_METADATA);
    snprintf(url, sizeof url, "http://localhost:%d/ok", port);
    rq.url = symbi_str_z(url);
    o = run(h, &rq);
    CHECK(o.st == SYMBI_OK);
    snprintf(url, sizeof url, "http://127.1:%d/ok", port);
    rq.url = symbi_str_z(url);
    o = run(h, &rq);
    CHECK(o.st == SYMBI_EDENIED); /* two readers */
    symbi_http_free(h);
    inner_connections = 0;
}

static void test_proxies(void)
{
    char proxy[60];
    symbi_netguard *g = policy(0);
    symbi_http *h;
    symbi_http_options o;
    outcome r;
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", port);
    setenv("http_proxy", proxy, 1);
    setenv("all_proxy", proxy, 1);
    h = client();
    resolve_to("127.0.0.2", NULL);
    r = get(h, g, "direct.test.example", "/ok");
    CHECK(r.st == SYMBI_OK && inner_connections == 0); /* the environment has no say */
    symbi_http_free(h);
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    symbi_http_options_init(&o);
    o.proxy = symbi_str_z(proxy);
    REQUIRE(symbi_http_new(cx, &o, NULL, 0, &h, &err) == SYMBI_OK);
    r = get(h, NULL, "anything.test.example", "/ok"); /* a proxy that the operator names may be anywhere */
    CHECK(r.st == SYMBI_OK && inner_connections == 1);
    r = get(h, NULL, "127.0.0.1", "/ok"); /* what it is asked for is judged all the same */
    CHECK(r.st == SYMBI_EDENIED);
    symbi_http_free(h);
    symbi_netguard_unref(g);
    inner_connections = 0;
}

static int64_t ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void test_limits(void)
{
    static symbi_str allow[] = { SYMBI_STR_INIT("127.0.0.2") };
    symbi_netguard_options o;
    symbi_netguard *g;
    symbi_http *h = client();
    outcome r;
    int64_t t;
    symbi_netguard_options_init(&o);
    o.allow = allow;
    o.nallow = 1;
    o.max_bytes = 2;
    o.timeout_ms = 400;
    o.max_redirects = 10;
    REQUIRE(symbi_netguard_new(cx, &o, &g, &err) == SYMBI_OK);
    r = get(h, g, "127.0.0.2", "/ok");
    CHECK(r.st == SYMBI_OK && !strcmp(r.body, "ok")); /* at the limit */
    r = get(h, g, "127.0.0.2", "/gzip");
    CHECK(r.st == SYMBI_ELIMIT && r.why == SYMBI_HTTP_ERROR_TOO_LARGE);
    r = get(h, g, "127.0.0.2", "/huge");
    CHECK(r.st == SYMBI_ELIMIT);
    r = get(h, g, "127.0.0.2", "/headers");
    CHECK(r.st == SYMBI_ELIMIT && r.why == SYMBI_HTTP_ERROR_TOO_LARGE);
    symbi_netguard_unref(g);
    o.max_bytes = 100000;
    o.max_header_bytes = 31000;
    REQUIRE(symbi_netguard_new(cx, &o, &g, &err) == SYMBI_OK);
    r = get(h, g, "127.0.0.2", "/longheader");
    CHECK(r.st == SYMBI_OK);
    t = ms();
    r = get(h, g, "127.0.0.2", "/drip"); /* a byte now and then keeps nothing open */
    CHECK(r.st == SYMBI_ETIMEOUT && ms() - t < 2000);
    t = ms();
    r = get(h, g, "127.0.0.2", "/slowloop"); /* the time is that of all redirects together */
    CHECK(r.st == SYMBI_ETIMEOUT && ms() - t < 2000);
    symbi_netguard_unref(g);
    o.max_header_bytes = 30000;
    REQUIRE(symbi_netguard_new(cx, &o, &g, &err) == SYMBI_OK);
    r = get(h, g, "127.0.0.2", "/longheader");
    CHECK(r.st == SYMBI_ELIMIT && r.why == SYMBI_HTTP_ERROR_TOO_LARGE);
    {
        char url[100];
        symbi_http_request rq = { .guard = g };
        symbi_xfer *x;
        symbi_http_response resp;
        snprintf(url, sizeof url, "http://127.0.0.2:%d/gzip", port); /* nothing is unpacked, so nothing can burst */
        rq.url = symbi_str_z(url);
        REQUIRE(symbi_http_start(h, &rq, &x, &err) == SYMBI_OK && symbi_xfer_wait(x, 5000, &err) == SYMBI_OK && symbi_xfer_result(x, &resp, NULL, &err) == SYMBI_OK);
        CHECK(resp.body.n == sizeof bomb && !memcmp(resp.body.p, bomb, sizeof bomb));
        symbi_xfer_free(x);
    }
    symbi_netguard_unref(g);
    symbi_http_free(h);
}

static symbi_status scenario(symbi_ctx *c, void *ud)
{
    static symbi_str allow[] = { SYMBI_STR_INIT("127.0.0.2") };
    symbi_netguard_options o;
    symbi_netguard *g = NULL;
    symbi_http *h = NULL;
    symbi_xfer *x = NULL;
    symbi_http_response r;
    symbi_http_request rq = { .url = symbi_str_z(ud), .timeout_ms = 3000 };
    symbi_status st;
    symbi_netguard_options_init(&o);
    o.allow = allow;
    o.nallow = 1;
    o.max_redirects = 2;
    st = symbi_netguard_new(c, &o, &g, NULL);
    if (!st) st = symbi_http_new(c, NULL, NULL, 0, &h, NULL);
    rq.guard = g;
    if (!st) st = symbi_http_start(h, &rq, &x, NULL);
    if (!st) st = symbi_xfer_wait(x, 5000, NULL);
    if (!st) st = symbi_xfer_result(x, &r, NULL, NULL);
    symbi_xfer_free(x);
    symbi_http_free(h);
    symbi_netguard_unref(g);
    return st;
}

static void test_memory(void)
{
    char url[100];
    snprintf(url, sizeof url, "http://127.0.0.2:%d/to/302//ok", port);
    test_oom(scenario, url, SYMBI_OK);
}

int main(void)
{
    static listener inner, outer;
    signal(SIGPIPE, SIG_IGN);
    if (symbi_ctx_new(NULL, &cx, &err) || !listen_at(&inner, "127.0.0.1", true) || !listen_at(&outer, "127.0.0.2", false)) return 1;
    RUN(test_literals);
    RUN(test_names);
    RUN(test_mixed_answers);
    RUN(test_rebinding);
    RUN(test_redirects);
    RUN(test_credentials);
    RUN(test_kept_connection);
    RUN(test_operator);
    RUN(test_proxies);
    RUN(test_limits);
    RUN(test_memory);
    symbi_ctx_free(cx);
    return test_end();
}
