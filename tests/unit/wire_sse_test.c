/* Server-sent events: every stream is decoded whole and byte by byte, with the same result. */
#include "symbi/wire.h"
#include "test.h"

static symbi_ctx *cx;
static symbi_err err;

/* Events as "event|data|id|retry;" in order; step = bytes given at a time. */
static void decode(const char *in, size_t n, size_t step, char *out, size_t cap, symbi_status *last)
{
    symbi_sse *s;
    symbi_sse_event e;
    size_t at = 0, o = 0;
    *out = 0;
    *last = SYMBI_EAGAIN;
    if (symbi_sse_new(cx, 64, &s, &err)) return;
    while (at < n && *last == SYMBI_EAGAIN) {
        symbi_str piece = { in + at, n - at < step ? n - at : step };
        at += piece.n;
        while ((*last = symbi_sse_next(s, &piece, &e, &err)) == SYMBI_OK)
            o += (size_t)snprintf(out + o, cap - o, "%.*s|%.*s|%.*s|%d;", (int)e.event.n, e.event.p, (int)e.data.n, e.data.p, (int)e.id.n, e.id.p, (int)e.retry_ms);
    }
    symbi_sse_free(s);
}

static void is(const char *in, size_t n, const char *want)
{
    char out[2000];
    symbi_status last;
    for (size_t step = 1; step <= n; step++) {
        decode(in, n, step, out, sizeof out, &last);
        if (strcmp(out, want)) printf("step %d: got \"%s\", expected \"%s\"\n", (int)step, out, want);
        CHECK(!strcmp(out, want) && last == SYMBI_EAGAIN);
        if (strcmp(out, want)) return;
    }
}
#define IS(in, want) is(in, sizeof(in) - 1, want)

static void test_standard(void)
{
    IS("data: YHOO\ndata: +2\ndata: 10\n\n", "|YHOO\n+2\n10||-1;");
    IS(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n", "|first event|1|-1;|second event||-1;| third event||-1;");
    IS("data\n\ndata\ndata\n\ndata:\n", "|||-1;|\n||-1;");
    IS("data:test\n\ndata: test\n\n", "|test||-1;|test||-1;");
}

static void test_line_ends(void)
{
    IS("data: a\r\n\r\ndata: b\r\rdata: c\n\n", "|a||-1;|b||-1;|c||-1;");
    IS("data: a\r\ndata: b\r\n\r\n", "|a\nb||-1;");
    IS("\n\n\r\r\n\ndata: x\n\n", "|x||-1;");
}

static void test_fields(void)
{
    IS("event: ping\ndata: 1\n\ndata: 2\n\n", "ping|1||-1;|2||-1;");
    IS("event: lost\n\ndata: 2\n\n", "|2||-1;");
    IS("retry: 1500\ndata: x\n\nretry: 1x\ndata: y\n\nretry:\ndata: z\n\n", "|x||1500;|y||-1;|z||-1;");
    IS("id: a\0b\ndata: x\n\n", "|x||-1;");
    IS("unknown: 1\nDATA: no\n data: no\ndata: yes\n\n", "|yes||-1;");
    IS("\xef\xbb\xbf" "data: bom\n\n", "|bom||-1;");
    IS("data: x\n\n\xef\xbb\xbf" "data: not at the start\n\n", "|x||-1;");
    IS("\xef\xbb" "data: half\ndata: ok\n\n", "|ok||-1;");
    IS("data: cut off", "");
    IS("data: {\"a\":\"\xc3\xbc\"}\n\ndata: [DONE]\n\n", "|{\"a\":\"\xc3\xbc\"}||-1;|[DONE]||-1;");
}

static void test_limit(void)
{
    char in[200], out[500];
    symbi_status last;
    for (int lines = 0; lines < 2; lines++)
        for (size_t step = 1; step < 80; step += 13) {
            memset(in, 'x', sizeof in);
            for (int i = 0; lines && i + 10 < 200; i += 10) memcpy(in + i, "data: abc\n", 10);
            decode(in, sizeof in, step, out, sizeof out, &last);
            CHECK(last == SYMBI_ELIMIT && !*out);
        }
    for (int i = 0; i < 200; i += 4) memcpy(in + i, ":hi\n", 4); /* comments without end are no event */
    decode(in, sizeof in, 7, out, sizeof out, &last);
    CHECK(last == SYMBI_EAGAIN);
    memset(in, 'd', 64); /* exactly at the limit */
    memcpy(in, "data:", 5);
    memcpy(in + 62, "\n\n", 2);
    decode(in, 64, 64, out, sizeof out, &last);
    CHECK(last == SYMBI_EAGAIN && strlen(out) == 57 + 6);
}

static void test_pending(void)
{
    symbi_sse *s;
    symbi_sse_event e;
    symbi_str in = symbi_str_z("data: a\n\n");
    REQUIRE(symbi_sse_new(cx, 0, &s, &err) == SYMBI_OK);
    CHECK(symbi_sse_next(s, &in, &e, &err) == SYMBI_OK && !symbi_sse_pending(s));
    in = symbi_str_z("data: b");
    CHECK(symbi_sse_next(s, &in, &e, &err) == SYMBI_EAGAIN && symbi_sse_pending(s));
    symbi_sse_free(s);
    symbi_sse_free(NULL);
}

static symbi_status scenario(symbi_ctx *c, void *ud)
{
    symbi_sse *s;
    symbi_sse_event e;
    symbi_err er;
    symbi_str in = symbi_str_z(ud);
    symbi_status st = symbi_sse_new(c, 0, &s, &er);
    if (st) return st;
    while ((st = symbi_sse_next(s, &in, &e, &er)) == SYMBI_OK) continue;
    symbi_sse_free(s);
    return st;
}
static void test_memory(void) { test_oom(scenario, (char[]){ "id: 1\nevent: x\ndata: abc\n\ndata: def\n\n" }, SYMBI_EAGAIN); }

/* What a client needs to go on after a stream broke off: ids of whole events, also of those without data. */
static void test_position(void)
{
    static const struct { const char *in, *id; int64_t retry; } cases[] = {
        { "data: x\n\n", NULL, -1 },
        { "id: 1\n", NULL, -1 },
        { "id: 1\n\n", "1", -1 },
        { "id: 1\ndata:\n\nid: 2\ndata: half\n", "1", -1 },
        { "id: 1\n\nretry: 250\n\n", "1", 250 },
        { "id: 1\n\nid\n\n", "", -1 },
        { "retry: x\nretry: 7\nretry: -1\n", NULL, 7 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        symbi_sse *s;
        symbi_sse_event e;
        symbi_str in = symbi_str_z(cases[i].in), id;
        CHECK(symbi_sse_new(cx, 0, &s, &err) == SYMBI_OK);
        while (symbi_sse_next(s, &in, &e, &err) == SYMBI_OK) { }
        CHECK(symbi_sse_last_id(s, &id) == (cases[i].id != NULL));
        CHECK_STR(id, cases[i].id ? cases[i].id : "");
        CHECK(symbi_sse_retry_ms(s) == cases[i].retry);
        symbi_sse_free(s);
    }
}

int main(void)
{
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_standard);
    RUN(test_line_ends);
    RUN(test_fields);
    RUN(test_limit);
    RUN(test_pending);
    RUN(test_position);
    RUN(test_memory);
    symbi_ctx_free(cx);
    return test_end();
}
