/* How requests travel: what is refused, a Unix socket, what two lengths and long header lines lead to, and memory that runs out. Proxies, TLS and HTTP/2
 * are tested with real servers in tests/env/client. */
#define _GNU_SOURCE
#include "base/str.h"
#include "symbi/io.h"
#include "test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static symbi_ctx *cx;
static symbi_err err;
static char path[100];

/* Answers by the last letter of the path, one request a connection. */
static void *serve(void *ud)
{
    int ear = (int)(intptr_t)ud;
    for (;;) {
        static const char two[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk", same[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\ncontent-length:  2 \r\n\r\nok";
        static const char fine[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", hop[] = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
        char in[4096];
        ssize_t n = 0;
        int fd = accept(ear, NULL, NULL);
        if (fd < 0) return NULL;
        while (n < (ssize_t)sizeof in - 1) {
            ssize_t k = recv(fd, in + n, sizeof in - 1 - (size_t)n, 0);
            if (k <= 0) break;
            n += k;
            in[n] = 0;
            if (strstr(in, "\r\n\r\n")) break;
        }
        if (n > 0) {
            const char *text = strstr(in, "/two ") ? two : strstr(in, "/same ") ? same : strstr(in, "/hop ") ? hop : fine;
            if (strstr(in, "/long ")) {
                char *big = malloc(300000);
                if (big) {
                    int at = sprintf(big, "HTTP/1.1 200 OK\r\nX: ");
                    memset(big + at, 'a', 200000);
                    strcpy(big + at + 200000, "\r\nContent-Length: 2\r\n\r\nok");
                    send(fd, big, strlen(big), MSG_NOSIGNAL);
                    free(big);
                }
            } else {
                send(fd, text, strlen(text), MSG_NOSIGNAL);
            }
        }
        close(fd);
    }
}

static symbi_status ask(symbi_ctx *c, const char *url, const symbi_http_route *r, bool by_operator, symbi_netguard *guard, symbi_http_error *why, int *status)
{
    symbi_http *h;
    symbi_xfer *x;
    symbi_http_response out;
    symbi_http_request rq = { .url = symbi_str_z(url), .timeout_ms = 5000, .by_operator = by_operator, .route = r, .guard = guard };
    symbi_status st = symbi_http_new(c, NULL, NULL, 0, &h, &err);
    *why = SYMBI_HTTP_ERROR_NONE;
    *status = 0;
    if (st) return st;
    st = symbi_http_start(h, &rq, &x, &err);
    if (!st) {
        st = symbi_xfer_wait(x, 10000, &err);
        if (!st) st = symbi_xfer_result(x, &out, why, &err);
        if (!st) *status = out.status;
        symbi_xfer_free(x);
    }
    symbi_http_free(h);
    return st;
}

static void test_refused(void)
{
    static char big[5000];
    struct {
        symbi_http_route r;
        bool by_operator;
        const char *says;
    } rows[] = {
        { { .proxy = SY_LIT("ftp://h") }, true, "proxy must be" },
        { { .proxy = SY_LIT("h:3128") }, true, "proxy must be" },
        { { .proxy = SY_LIT("http://") }, true, "proxy must be" },
        { { .proxy = SY_LIT("http://user:hunter2@h\r\nX: y") }, true, "proxy must be" },
        { { .proxy = SY_LIT("http://h o") }, true, "proxy must be" },
        { { .proxy = { "http://h\0x", 10 } }, true, "proxy must be" },
        { { .proxy = SY_LIT("environment") }, false, "by_operator" },
        { { .unix_socket = SY_LIT("/x") }, false, "by_operator" },
        { { .unix_socket = SY_LIT("/x"), .proxy = SY_LIT("http://h:1") }, true, "exclude each other" },
        { { .unix_socket = { big, 108 } }, true, "longer than a socket's" },
        { { .ca_file = { big, sizeof big } }, true, "ca_file is too long" },
        { { .ca_path = { "a\0b", 3 } }, true, "ca_path" },
        { { .client_key = SY_LIT("k") }, true, "client_key is given without" },
        { { .client_key_password = SY_LIT("hunter2") }, true, "client_key_password is given without" },
        { { .client_cert = SY_LIT("c\n"), .client_key = SY_LIT("k") }, true, "client_cert" },
        { { .http_version = 3 }, true, "http_version" },
        { { .http_version = -1 }, true, "http_version" },
    };
    memset(big, 'a', sizeof big);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        symbi_http_error why;
        int status;
        CHECK(ask(cx, "http://example.com/", &rows[i].r, rows[i].by_operator, NULL, &why, &status) == SYMBI_EINVAL);
        CHECK(strstr(err.msg, rows[i].says) != NULL);
        CHECK(!strstr(err.msg, "hunter2"));
    }
}

static void test_socket(void)
{
    symbi_http_route r = { .unix_socket = symbi_str_z(path) }, none = r;
    symbi_netguard_options o;
    symbi_netguard *g;
    symbi_http_error why;
    int status;
    CHECK(ask(cx, "http://some.server/ok", &r, true, NULL, &why, &status) == SYMBI_OK && status == 200);
    CHECK(ask(cx, "http://169.254.169.254/ok", &r, true, NULL, &why, &status) == SYMBI_OK && status == 200); /* nothing goes there: the socket is where it goes */
    CHECK(ask(cx, "http://s/same", &r, true, NULL, &why, &status) == SYMBI_OK && status == 200);
    CHECK(ask(cx, "http://s/two", &r, true, NULL, &why, &status) == SYMBI_EIO && why == SYMBI_HTTP_ERROR_PROTOCOL);
    CHECK(ask(cx, "http://s/long", &r, true, NULL, &why, &status) == SYMBI_ELIMIT && why == SYMBI_HTTP_ERROR_TOO_LARGE);
    none.unix_socket = SY_LIT("/nowhere/there.sock");
    CHECK(ask(cx, "http://s/ok", &none, true, NULL, &why, &status) == SYMBI_EIO && (why == SYMBI_HTTP_ERROR_CONNECT || why == SYMBI_HTTP_ERROR_REFUSED));
    /* a redirect is handed out, even where the policy follows some */
    symbi_netguard_options_init(&o);
    o.max_redirects = 3;
    CHECK_OK(symbi_netguard_new(cx, &o, &g, &err), err);
    CHECK(ask(cx, "http://s/hop", &r, true, g, &why, &status) == SYMBI_OK && status == 302);
    symbi_netguard_unref(g);
}

/* The environment's no_proxy must not open a way past a proxy that is named. */
static void test_no_proxy(void)
{
    symbi_http_route r = { .proxy = SY_LIT("http://127.0.0.1:1") }, e = { .proxy = SY_LIT("environment") }, none = { .proxy = SY_LIT("none") };
    symbi_http_error why;
    int status;
    setenv("no_proxy", "*", 1);
    CHECK(ask(cx, "http://example.com/", &r, false, NULL, &why, &status) == SYMBI_EIO && why == SYMBI_HTTP_ERROR_REFUSED);
    unsetenv("no_proxy");
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    CHECK(ask(cx, "http://no.such.host.invalid/", &e, true, NULL, &why, &status) == SYMBI_EIO && why == SYMBI_HTTP_ERROR_REFUSED);
    CHECK(ask(cx, "http://no.such.host.invalid/", &none, true, NULL, &why, &status) == SYMBI_EIO && why == SYMBI_HTTP_ERROR_RESOLVE);
    unsetenv("http_proxy");
}

static symbi_status scenario(symbi_ctx *c, void *ud)
{
    symbi_http_route r = { .unix_socket = symbi_str_z(ud), .ca_file = SY_LIT("/a.pem"), .ca_path = SY_LIT("/b"), .client_cert = SY_LIT("/c.pem"), .client_key_password = SY_LIT("x"), .http_version = 1 };
    symbi_http_error why;
    int status;
    return ask(c, "http://s/ok", &r, true, NULL, &why, &status);
}

static void test_memory(void) { test_oom(scenario, path, SYMBI_OK); }

int main(void)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    char dir[] = "/tmp/symbi-route-XXXXXX";
    pthread_t t;
    int ear;
    if (!mkdtemp(dir) || symbi_ctx_new(NULL, &cx, &err)) return 1;
    snprintf(path, sizeof path, "%s/s", dir);
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    ear = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (ear < 0 || bind(ear, (struct sockaddr *)&a, sizeof a) || listen(ear, 64)) return 1;
    pthread_create(&t, NULL, serve, (void *)(intptr_t)ear);
    RUN(test_refused);
    RUN(test_socket);
    RUN(test_no_proxy);
    RUN(test_memory);
    symbi_ctx_free(cx);
    shutdown(ear, SHUT_RDWR);
    pthread_join(t, NULL);
    close(ear);
    unlink(path);
    rmdir(dir);
    return test_end();
}
