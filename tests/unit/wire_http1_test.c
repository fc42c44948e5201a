/* HTTP/1 messages: whole and byte by byte, framing that cannot be smuggled past, limits, writing. */
#include "symbi/wire.h"
#include "test.h"

static symbi_ctx *cx;
static symbi_err err;
static symbi_http1_options opt;

typedef struct got {
    symbi_status st;
    int heads, ends;
    char body[512], first[64];
    symbi_http1_message m;
    size_t rest;
} got;

/* Reads up to one message; on END the rest is counted. closed: the other side then hangs up. */
static symbi_http1 *read_all(const char *in, size_t n, size_t step, bool closed, got *g)
{
    symbi_http1 *h;
    size_t at = 0, bn = 0;
    memset(g, 0, sizeof *g);
    g->st = SYMBI_EAGAIN;
    if (symbi_http1_new(cx, &opt, &h, &err)) return NULL;
    while (at < n && !g->ends && g->st == SYMBI_EAGAIN) {
        symbi_str piece = { in + at, n - at < step ? n - at : step }, data;
        symbi_http1_what what;
        at += piece.n;
        while ((g->st = symbi_http1_next(h, &piece, &what, &data, &err)) == SYMBI_OK) {
            if (what == SYMBI_HTTP1_HEAD) g->heads++;
            if (what == SYMBI_HTTP1_DATA && bn + data.n < sizeof g->body) memcpy(g->body + bn, data.p, data.n), bn += data.n;
            if (what == SYMBI_HTTP1_END) {
                g->ends++;
                g->rest = n - at + piece.n;
                break;
            }
        }
    }
    if (closed && !g->ends) {
        g->st = symbi_http1_eof(h, &err);
        if (!g->st) g->ends++;
    }
    if (symbi_http1_head(h)) g->m = *symbi_http1_head(h);
    return h;
}

static void good(const char *in, size_t n, bool closed, int status, const char *body, size_t rest, bool keep)
{
    got g;
    for (size_t step = 1; step <= n; step += step < 8 ? 1 : 7) {
        symbi_http1 *h = read_all(in, n, step, closed, &g);
        if (g.st || g.ends != 1) printf("step %d: %s %s\n", (int)step, symbi_status_name(g.st), err.msg);
        CHECK(g.st == SYMBI_OK && g.heads == 1 && g.ends == 1 && g.rest == rest && g.m.keep_alive == keep);
        if (status) CHECK(g.m.status == status);
        CHECK(!strcmp(g.body, body));
        if (strcmp(g.body, body)) printf("body: %s\n", g.body);
        symbi_http1_free(h);
    }
}
#define GOOD(in, closed, status, body, rest, keep) good(in, sizeof(in) - 1, closed, status, body, rest, keep)

static void bad(const char *in, size_t n, symbi_status want)
{
    got g;
    for (size_t step = 1; step <= n; step += step < 8 ? 1 : 7) {
        symbi_http1 *h = read_all(in, n, step, true, &g);
        if (g.st != want) printf("step %d of \"%s\": %s\n", (int)step, in, symbi_status_name(g.st));
        CHECK(g.st == want && !g.ends);
        symbi_http1_free(h);
        if (g.st != want) return;
    }
}
#define BAD(in) bad(in, sizeof(in) - 1, SYMBI_EPARSE)
#define CUT(in) bad(in, sizeof(in) - 1, SYMBI_EIO)
#define R "HTTP/1.1 200 OK\r\n"

static void test_responses(void)
{
    opt.kind = SYMBI_HTTP1_RESPONSE;
    GOOD(R "Content-Length: 5\r\n\r\nhello", false, 200, "hello", 0, true);
    GOOD(R "content-length:0\r\nX: \t y \r\n\r\nrest", false, 200, "", 4, true);
    GOOD(R "Content-Length: 2\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab", false, 200, "ab", 0, false);
    GOOD(R "Transfer-Encoding: chunked\r\n\r\n4\r\nWiki\r\n6;ext=1\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\n\r\nHTTP", false, 200, "Wikipedia in \r\n\r\nchunks.", 4, true);
    GOOD(R "Transfer-Encoding: Chunked\r\n\r\n00\r\nTrailer: x\r\n\r\n", false, 200, "", 0, true);
    GOOD(R "\r\nuntil the end", true, 200, "until the end", 0, false);
    GOOD("HTTP/1.0 200\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", false, 200, "x", 0, true);
    GOOD("HTTP/1.0 404 Not Found\r\nContent-Length: 1\r\n\r\nx", false, 404, "x", 0, false);
    GOOD("HTTP/1.1 204 No Content\r\nContent-Length: 10\r\n\r\n", false, 204, "", 0, true);
    GOOD("HTTP/1.1 304 x\r\n\r\nnext", false, 304, "", 4, true);
    GOOD("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" R "Content-Length: 1\r\n\r\nz", false, 200, "z", 0, true);
    GOOD("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x00", false, 101, "", 2, true);
    opt.head = true;
    GOOD(R "Content-Length: 1000\r\n\r\n", false, 200, "", 0, true);
    opt.head = false;
}

static void test_bad_responses(void)
{
    opt.kind = SYMBI_HTTP1_RESPONSE;
    BAD("SSH-2.0-OpenSSH_9.2\r\n");
    BAD("<html>this is no HTTP at all</html>\r\n\r\n");
    BAD("HTTP/2 200 OK, more or less\r\n\r\n");
    BAD("HTTP/1.1 20 OK or so\r\n\r\n");
    BAD("HTTP/1.1 099 Low number\r\n\r\n");
    BAD("HTTP/1.1 200OK and more\r\n\r\n");
    BAD(R "Content-Length: 5\n\nhello");
    BAD("HTTP/1.1 200 OK\nX: yyyyyyyyyy\n\n");
    BAD(R "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello");
    BAD(R "Content-Length: +5\r\n\r\nhello");
    BAD(R "Content-Length: 5, 5\r\n\r\nhello");
    BAD(R "Content-Length: 0x5\r\n\r\nhello");
    BAD(R "Content-Length: \r\n\r\nhello");
    BAD(R "Content-Length: 99999999999999999999\r\n\r\nhello");
    BAD(R "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    BAD(R "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n");
    BAD(R "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    BAD(R "Transfer-Encoding: identity\r\n\r\n");
    BAD("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    BAD(R "X : y\r\n\r\n");
    BAD(R ": y\r\n\r\n");
    BAD(R "no colon\r\n\r\n");
    BAD(R "X: a\r\n b\r\n\r\n");
    BAD(R "X: a\rb\r\n\r\n");
    BAD(R "X: a\0b\r\n\r\n");
    BAD(R "X\xc3\xbc: b\r\n\r\n");
    BAD(R "Transfer-Encoding: chunked\r\n\r\nxyz\r\n");
    BAD(R "Transfer-Encoding: chunked\r\n\r\n\r\n");
    BAD(R "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n");
    BAD(R "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloworld\r\n");
    BAD(R "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n");
    BAD(R "Transfer-Encoding: chunked\r\n\r\n0000000000000000000005\r\nhello\r\n");
    BAD(R "Transfer-Encoding: chunked\r\n\r\n0\r\n\n");
    CUT(R "Content-Length: 5\r\n\r\nhell");
    CUT(R "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    CUT(R "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n");
    CUT(R "Content-Length: 5\r\n");
    CUT("HTTP/1.1 200 OK");
}

static void test_requests(void)
{
    got g;
    symbi_http1 *h;
    static const char in[] = "\r\nPOST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: x\r\n\r\n";
    opt.kind = SYMBI_HTTP1_REQUEST;
    GOOD("GET / HTTP/1.1\r\nHost: x\r\n\r\nmore", false, 0, "", 4, true);
    GOOD("GET / HTTP/1.0\r\n\r\n", false, 0, "", 0, false);
    GOOD("POST /x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", false, 0, "abc", 0, true);
    BAD("GET / HTTP/1.1\r\n\r\n");
    BAD("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
    BAD("GET /\r\nHost: x long enough\r\n\r\n");
    BAD("GET  / HTTP/1.1\r\nHost: x\r\n\r\n");
    BAD("GET /a b HTTP/1.1\r\nHost: x\r\n\r\n");
    BAD("G@T / HTTP/1.1\r\nHost: x\r\n\r\n");
    BAD("GET / HTTP/2.0\r\nHost: x\r\n\r\n");
    BAD("GET / HTTP/1.1 \r\nHost: x\r\n\r\n");
    BAD("GET /\xc3\xbc HTTP/1.1\r\nHost: x\r\n\r\n");
    h = read_all(in, sizeof in - 1, sizeof in, false, &g);
    CHECK_STR(g.m.method, "POST");
    CHECK_STR(g.m.target, "/a?b=c");
    CHECK(!strcmp(g.body, "abc") && g.rest == 27);
    CHECK_STR(symbi_http1_get(&g.m, "Content-length"), "3");
    CHECK(!symbi_http1_get(&g.m, "Content").p && !symbi_http1_get(&g.m, "Content-length-x").p);
    {
        symbi_str rest = { in + sizeof in - 1 - 27, 27 }, data;
        symbi_http1_what w;
        symbi_http1_reset(h, false);
        CHECK(!symbi_http1_head(h));
        CHECK(symbi_http1_next(h, &rest, &w, &data, &err) == SYMBI_OK && w == SYMBI_HTTP1_HEAD);
        CHECK_STR(symbi_http1_head(h)->method, "GET");
        CHECK(symbi_http1_next(h, &rest, &w, &data, &err) == SYMBI_OK && w == SYMBI_HTTP1_END && !rest.n);
    }
    symbi_http1_free(h);
    opt.kind = SYMBI_HTTP1_RESPONSE;
}

static void test_limits(void)
{
    static char in[70000];
    opt.max_body = 4;
    bad(R "Content-Length: 5\r\n\r\nhello", strlen(R) + 26, SYMBI_ELIMIT);
    BAD(R "Transfer-Encoding: chunked\r\n\r\n4\r\nabcdX\r\n");
    bad(R "Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n1\r\n", strlen(R) + 44, SYMBI_ELIMIT);
    bad(R "\r\nabcde", strlen(R) + 7, SYMBI_ELIMIT);
    GOOD(R "\r\nabcd", true, 200, "abcd", 0, false);
    opt.max_body = 0;
    opt.max_head = 100;
    memset(in, 'x', sizeof in);
    memcpy(in, R "X: ", 20);
    bad(in, 200, SYMBI_ELIMIT);
    opt.max_head = 0;
    memcpy(in, R, 17);
    for (int i = 0; i < 300; i++) memcpy(in + 17 + 6 * i, "X: y\r\n", 6);
    memcpy(in + 17 + 6 * 257, "\r\n", 2);
    bad(in, 17 + 6 * 257 + 2, SYMBI_ELIMIT);
    memcpy(in + 17 + 6 * 256, "\r\n", 2);
    good(in, 17 + 6 * 256 + 2, true, 200, "", 0, false);
}

static void test_write(void)
{
    symbi_url u;
    symbi_text t = { 0 };
    symbi_http1_field f[2] = { { SYMBI_STR_INIT("Accept"), SYMBI_STR_INIT("text/plain") }, { SYMBI_STR_INIT("X"), SYMBI_STR_INIT("") } };
    static const char *const evil[] = { "a\r\nEvil: 1", "a\nb", "a\0b", " a", "a ", "\x7f" };
    REQUIRE(symbi_url_parse(symbi_str_z("http://[::1]:81/p?q#f"), &u, &err) == SYMBI_OK);
    CHECK_OK(symbi_http1_write_request(cx, symbi_str_z("POST"), &u, f, 2, symbi_str_z("hi"), true, &t, &err), err);
    CHECK_STR(symbi_text_str(&t), "POST /p?q HTTP/1.1\r\nHost: [::1]:81\r\nAccept: text/plain\r\nX: \r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi");
    symbi_text_free(&t);
    REQUIRE(symbi_url_parse(symbi_str_z("https://h"), &u, &err) == SYMBI_OK);
    CHECK_OK(symbi_http1_write_request(cx, symbi_str_z("GET"), &u, NULL, 0, symbi_str_z(""), false, &t, &err), err);
    CHECK_STR(symbi_text_str(&t), "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    symbi_text_free(&t);
    for (size_t i = 0; i < sizeof evil / sizeof *evil; i++) {
        f[0].value = symbi_str_z(evil[i]);
        if (i == 2) f[0].value.n = 3;
        CHECK(symbi_http1_write_request(cx, symbi_str_z("GET"), &u, f, 1, symbi_str_z(""), false, &t, &err) == SYMBI_EINVAL && !t.p);
        f[1].name = f[0].value;
        CHECK(symbi_http1_write_response(cx, 200, f + 1, 1, symbi_str_z(""), false, false, &t, &err) == SYMBI_EINVAL);
    }
    f[0].value = symbi_str_z("5");
    f[0].name = symbi_str_z("content-LENGTH");
    CHECK(symbi_http1_write_request(cx, symbi_str_z("GET"), &u, f, 1, symbi_str_z(""), false, &t, &err) == SYMBI_EINVAL);
    CHECK(symbi_http1_write_request(cx, symbi_str_z("GE T"), &u, NULL, 0, symbi_str_z(""), false, &t, &err) == SYMBI_EINVAL);
    CHECK_OK(symbi_http1_write_response(cx, 403, NULL, 0, symbi_str_z("no"), false, true, &t, &err), err);
    CHECK_STR(symbi_text_str(&t), "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nno");
    symbi_text_free(&t);
    CHECK_OK(symbi_http1_write_response(cx, 200, NULL, 0, symbi_str_z(""), true, false, &t, &err), err);
    CHECK_STR(symbi_text_str(&t), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
    symbi_text_free(&t);
    CHECK_OK(symbi_http1_write_chunk(cx, symbi_str_z("0123456789abcdef0"), &t, &err), err);
    CHECK_STR(symbi_text_str(&t), "11\r\n0123456789abcdef0\r\n");
    symbi_text_free(&t);
    CHECK_OK(symbi_http1_write_chunk(cx, symbi_str_z(""), &t, &err), err);
    CHECK_STR(symbi_text_str(&t), "0\r\n\r\n");
    symbi_text_free(&t);
    CHECK(symbi_http1_write_response(cx, 204, NULL, 0, symbi_str_z("x"), false, true, &t, &err) == SYMBI_EINVAL);
    CHECK(symbi_http1_write_response(cx, 42, NULL, 0, symbi_str_z(""), false, true, &t, &err) == SYMBI_EINVAL);
}

static symbi_status scenario(symbi_ctx *c, void *ud)
{
    symbi_http1 *h;
    symbi_err e;
    symbi_str in = symbi_str_z(ud), data;
    symbi_http1_what w = 0;
    symbi_status st = symbi_http1_new(c, NULL, &h, &e);
    if (st) return st;
    while (!st && w != SYMBI_HTTP1_END) st = symbi_http1_next(h, &in, &w, &data, &e);
    symbi_http1_free(h);
    return st;
}
static void test_memory(void) { test_oom(scenario, (char[]){ R "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\n\r\n" }, SYMBI_OK); }

int main(void)
{
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_responses);
    RUN(test_bad_responses);
    RUN(test_requests);
    RUN(test_limits);
    RUN(test_write);
    RUN(test_memory);
    symbi_ctx_free(cx);
    return test_end();
}
