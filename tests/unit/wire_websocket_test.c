/* tests/unit/wire_websocket_test.c: WebSocket frames (RFC 6455): its own examples, splits, limits, and what a server must not send. */
#include "symbi/websocket.h"
#include "test.h"

static symbi_ctx *ctx(void)
{
    symbi_ctx *cx = NULL;
    if (symbi_ctx_new(NULL, &cx, NULL)) abort();
    return cx;
}

static symbi_str S(const char *p, size_t n) { return (symbi_str){ p, n }; }
#define L(lit) S(lit, sizeof(lit) - 1)

/* Section 1.3 of the RFC. */
static void test_handshake(void)
{
    static const uint8_t nonce[16] = "the sample nonce";
    char key[SYMBI_WS_KEY], accept[SYMBI_WS_ACCEPT];
    symbi_ws_key(nonce, key);
    CHECK(!strcmp(key, "dGhlIHNhbXBsZSBub25jZQ=="));
    symbi_ws_accept(key, accept);
    CHECK(!strcmp(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
}

static symbi_status answer(const char *text)
{
    symbi_ctx *cx = ctx();
    symbi_http1_options o = { .kind = SYMBI_HTTP1_RESPONSE };
    symbi_http1 *h;
    symbi_err err;
    symbi_str in = symbi_str_z(text), data;
    symbi_http1_what what;
    symbi_status st = symbi_http1_new(cx, &o, &h, &err);
    if (!st) st = symbi_http1_next(h, &in, &what, &data, &err);
    if (!st) st = symbi_ws_check(symbi_http1_head(h), "dGhlIHNhbXBsZSBub25jZQ==", &err);
    symbi_http1_free(h);
    symbi_ctx_free(cx);
    return st;
}

static void test_answers(void)
{
    static const char ok[] = "HTTP/1.1 101 Switching Protocols\r\n";
    char buf[512];
#define A(rest) (snprintf(buf, sizeof buf, "%s%s\r\n", ok, rest), answer(buf))
    CHECK(A("Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") == SYMBI_OK);
    CHECK(A("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOP=\r\n") == SYMBI_EPARSE);
    CHECK(A("Upgrade: websocket\r\nConnection: Upgrade\r\n") == SYMBI_EPARSE);
    CHECK(A("Upgrade: websockets\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") == SYMBI_EPARSE);
    CHECK(A("Upgrade: websocket\r\nConnection: close\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") == SYMBI_EPARSE);
    CHECK(A("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Extensions: permessage-deflate\r\n") == SYMBI_EPARSE);
    CHECK(answer("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n") == SYMBI_EDENIED);
}

/* Section 5.7: "Hello" masked. */
static void test_write(void)
{
    static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
    symbi_ctx *cx = ctx();
    symbi_text t;
    symbi_err err;
    char big[70000];
    CHECK_OK(symbi_ws_write(cx, SYMBI_WS_TEXT, L("Hello"), mask, &t, &err), err);
    CHECK_STR(symbi_text_str(&t), "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    symbi_text_free(&t);
    memset(big, 'a', sizeof big);
    CHECK_OK(symbi_ws_write(cx, SYMBI_WS_BINARY, S(big, 126), mask, &t, &err), err);
    CHECK(t.n == 8 + 126 && (uint8_t)t.p[1] == 0xfe && t.p[2] == 0 && t.p[3] == 126);
    symbi_text_free(&t);
    CHECK_OK(symbi_ws_write(cx, SYMBI_WS_BINARY, S(big, 65535), mask, &t, &err), err);
    CHECK(t.n == 8 + 65535 && (uint8_t)t.p[1] == 0xfe);
    symbi_text_free(&t);
    CHECK_OK(symbi_ws_write(cx, SYMBI_WS_BINARY, S(big, 65536), mask, &t, &err), err);
    CHECK(t.n == 14 + 65536 && (uint8_t)t.p[1] == 0xff && t.p[7] == 1);
    symbi_text_free(&t);
    CHECK_OK(symbi_ws_write(cx, SYMBI_WS_PING, S(big, 125), mask, &t, &err), err);
    symbi_text_free(&t);
    CHECK(symbi_ws_write(cx, SYMBI_WS_PING, S(big, 126), mask, &t, &err) == SYMBI_EINVAL);
    CHECK(symbi_ws_write(cx, SYMBI_WS_TEXT, L("\xff"), mask, &t, &err) == SYMBI_EINVAL);
    CHECK(symbi_ws_write(cx, (symbi_ws_op)3, L("x"), mask, &t, &err) == SYMBI_EINVAL);
    CHECK(symbi_ws_write(cx, (symbi_ws_op)11, L("x"), mask, &t, &err) == SYMBI_EINVAL);
    symbi_ctx_free(cx);
}

/* Feeds bytes in pieces of `step`; what came is written into log: "T:Hello;P:..;". The final status. */
static symbi_status feed(symbi_str in, size_t step, size_t max, char *log, size_t cap)
{
    symbi_ctx *cx = ctx();
    symbi_ws *w;
    symbi_err err;
    symbi_status st = symbi_ws_new(cx, max, &w, &err);
    size_t n = 0;
    log[0] = 0;
    while (in.n) {
        symbi_str part = { in.p, in.n < step ? in.n : step };
        in.p += part.n, in.n -= part.n;
        for (;;) {
            symbi_ws_message m;
            st = symbi_ws_next(w, &part, &m, &err);
            if (st) break;
            n += (size_t)snprintf(log + n, cap - n, "%d:%.*s", m.op, (int)(m.data.n > 40 ? 40 : m.data.n), m.data.p ? m.data.p : "");
            if (m.op == SYMBI_WS_CLOSE) n += (size_t)snprintf(log + n, cap - n, "/%d", m.close_code);
            n += (size_t)snprintf(log + n, cap - n, ";");
        }
        if (st != SYMBI_EAGAIN) break;
        CHECK(!part.n);
    }
    symbi_ws_free(w);
    symbi_ctx_free(cx);
    return st;
}

static void test_read(void)
{
    char log[400];
    for (size_t step = 1; step < 20; step++) {
        CHECK(feed(L("\x81\x05Hello\x01\x03Hel\x89\x02pi\x80\x02lo\x8a\x00\x82\x00\x88\x05\x03\xe8" "bye"), step, 0, log, sizeof log) == SYMBI_EAGAIN);
        CHECK_STR(symbi_str_z(log), "1:Hello;9:pi;1:Hello;10:;2:;8:bye/1000;");
        /* a character in two frames */
        CHECK(feed(L("\x01\x01\xc3\x80\x01\xa9"), step, 0, log, sizeof log) == SYMBI_EAGAIN);
        CHECK_STR(symbi_str_z(log), "1:\xc3\xa9;");
    }
}

static void test_refused(void)
{
    static const struct { const char *bytes; size_t n; symbi_status st; } bad[] = {
#define B(lit, s) { lit, sizeof(lit) - 1, s }
        B("\xc1\x00", SYMBI_EPARSE), B("\xa1\x00", SYMBI_EPARSE), B("\x91\x00", SYMBI_EPARSE), /* reserved bits */
        B("\x81\x85\x00\x00\x00\x00Hello", SYMBI_EPARSE),                                      /* masked */
        B("\x83\x00", SYMBI_EPARSE), B("\x8b\x00", SYMBI_EPARSE), B("\x8f\x00", SYMBI_EPARSE), /* opcodes */
        B("\x80\x00", SYMBI_EPARSE), B("\x00\x00", SYMBI_EPARSE),                              /* continuation of nothing */
        B("\x01\x01" "a\x81\x01" "b", SYMBI_EPARSE), B("\x01\x01" "a\x01\x01" "b", SYMBI_EPARSE), /* a message in a message */
        B("\x09\x00", SYMBI_EPARSE), B("\x89\x7e\x00\x7e", SYMBI_EPARSE),                      /* control: in pieces, long */
        B("\x81\x7e\x00\x7d", SYMBI_EPARSE), B("\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff", SYMBI_EPARSE), /* not the shortest */
        B("\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x00", SYMBI_EPARSE),
        B("\x81\x01\xff", SYMBI_EPARSE), B("\x81\x03\xed\xa0\x80", SYMBI_EPARSE), B("\x01\x01\xc3\x80\x01" "a", SYMBI_EPARSE), /* UTF-8 */
        B("\x88\x01\x03", SYMBI_EPARSE), B("\x88\x02\x03\xed", SYMBI_EPARSE), B("\x88\x02\x00\x00", SYMBI_EPARSE), B("\x88\x03\x03\xe8\xff", SYMBI_EPARSE),
        B("\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", SYMBI_ELIMIT),
    };
    char log[400];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        for (size_t step = 1; step < 4; step++)
            if (feed(S(bad[i].bytes, bad[i].n), step, 0, log, sizeof log) != bad[i].st) {
                printf("refused case %zu\n", i);
                CHECK(false);
            }
}

static void test_limit(void)
{
    char log[400];
    CHECK(feed(L("\x81\x05Hello"), 3, 5, log, sizeof log) == SYMBI_EAGAIN);
    CHECK_STR(symbi_str_z(log), "1:Hello;");
    CHECK(feed(L("\x81\x06Hello!"), 3, 5, log, sizeof log) == SYMBI_ELIMIT);
    CHECK(feed(L("\x01\x03Hel\x80\x02lo"), 3, 5, log, sizeof log) == SYMBI_EAGAIN);
    CHECK(feed(L("\x01\x03Hel\x80\x03lo!"), 3, 5, log, sizeof log) == SYMBI_ELIMIT);
    /* each message has the limit to itself */
    CHECK(feed(L("\x81\x05Hello\x81\x05Hello"), 3, 5, log, sizeof log) == SYMBI_EAGAIN);
    /* after a failure nothing more comes */
    {
        symbi_ctx *cx = ctx();
        symbi_ws *w;
        symbi_ws_message m;
        symbi_err err;
        symbi_str a = L("\x83\x00"), b = L("\x81\x05Hello");
        CHECK_OK(symbi_ws_new(cx, 0, &w, &err), err);
        CHECK(symbi_ws_next(w, &a, &m, &err) == SYMBI_EPARSE);
        CHECK(symbi_ws_next(w, &b, &m, &err) == SYMBI_EPARSE && !m.data.p);
        symbi_ws_free(w);
        symbi_ws_free(NULL);
        symbi_ctx_free(cx);
    }
}

static symbi_status oom(symbi_ctx *cx, void *ud)
{
    static const uint8_t mask[4] = { 1, 2, 3, 4 };
    symbi_ws *w;
    symbi_ws_message m;
    symbi_err err;
    symbi_text t = { 0 };
    symbi_str in = L("\x01\x03Hel\x89\x02pi\x80\x02lo");
    symbi_status st = symbi_ws_new(cx, 0, &w, &err);
    (void)ud;
    if (st) return st;
    do st = symbi_ws_next(w, &in, &m, &err);
    while (!st);
    if (st == SYMBI_EAGAIN) st = symbi_ws_write(cx, SYMBI_WS_TEXT, L("Hello"), mask, &t, &err);
    symbi_text_free(&t);
    symbi_ws_free(w);
    return st;
}

static void test_oom_all(void) { test_oom(oom, NULL, SYMBI_OK); }

int main(void)
{
    RUN(test_handshake);
    RUN(test_answers);
    RUN(test_write);
    RUN(test_read);
    RUN(test_refused);
    RUN(test_limit);
    RUN(test_oom_all);
    return test_end();
}
