/* The spawner's frames: what is written is read back, and nothing else is read. */
#define _GNU_SOURCE
#include "io/spawn_wire.h"
#include "test.h"

static symbi_ctx *cx;
static symbi_err err;
static symbi_alloc heap;

static void *heap_fn(void *ud, void *p, size_t o, size_t n)
{
    (void)ud, (void)o;
    if (n) return realloc(p, n);
    free(p);
    return NULL;
}

static symbi_str argv_[3] = { SYMBI_STR_INIT("/bin/echo"), SYMBI_STR_INIT(""), SYMBI_STR_INIT("a b\n") }, env_[1] = { SYMBI_STR_INIT("A=1") };

static void frame(sy_buf *b)
{
    symbi_plan p;
    memset(&p, 0, sizeof p);
    p.kind = SYMBI_BACKEND_SHELL;
    p.argv = argv_;
    p.argc = 3;
    p.env = env_;
    p.nenv = 1;
    p.tool = symbi_str_z("t");
    p.scan_id = symbi_str_z("1-2");
    p.cwd = symbi_str_z("/tmp");
    p.timeout_ms = 1234567890123;
    p.stdout_max = 5;
    p.stderr_max = 6;
    p.digest[31] = 7;
    sy_buf_init(b, heap, 1 << 20);
    CHECK_OK(sy_xw_write_exec(b, &p, symbi_str_z("{}"), symbi_str_z("permit"), 0x0102030405060708u, &err), err);
}

static void test_exec(void)
{
    sy_buf b;
    sy_xw_head h;
    sy_xw_exec x;
    symbi_str payload;
    frame(&b);
    REQUIRE(sy_xw_read_head(sy_buf_str(&b), 1 << 20, &h, &err) == SYMBI_OK);
    CHECK(h.id == 0x0102030405060708u && h.len == b.n - SY_XW_HEAD);
    payload.p = b.p + SY_XW_HEAD;
    payload.n = h.len;
    REQUIRE(sy_xw_read_exec(payload, &heap, &x, &err) == SYMBI_OK);
    CHECK(x.rq.plan.argc == 3 && x.rq.plan.nenv == 1 && x.rq.plan.timeout_ms == 1234567890123 && x.rq.plan.stdout_max == 5 && x.rq.plan.stderr_max == 6 && x.rq.plan.digest[31] == 7);
    CHECK(!strcmp(x.argv[0], "/bin/echo") && !strcmp(x.argv[1], "") && !strcmp(x.argv[2], "a b\n") && !x.argv[3] && !strcmp(x.envp[0], "A=1") && !x.envp[1]);
    CHECK_STR(x.rq.permit, "permit");
    CHECK_STR(x.rq.args_json, "{}");
    CHECK_STR(x.rq.plan.cwd, "/tmp");
    CHECK_STR(x.rq.plan.scan_id, "1-2");
    sy_xw_exec_free(&x, &heap);
    sy_buf_free(&b);
}

static void test_exec_garbage(void)
{
    sy_buf b;
    sy_xw_exec x;
    char *copy;
    symbi_str payload;
    frame(&b);
    payload.p = b.p + SY_XW_HEAD;
    for (payload.n = 0; payload.n < b.n - SY_XW_HEAD; payload.n++) CHECK(sy_xw_read_exec(payload, &heap, &x, &err) == SYMBI_EPARSE); /* cut anywhere */
    copy = malloc(payload.n + 1);
    memcpy(copy, b.p + SY_XW_HEAD, payload.n);
    copy[payload.n] = 0;
    payload.p = copy;
    payload.n++;
    CHECK(sy_xw_read_exec(payload, &heap, &x, &err) == SYMBI_EPARSE); /* one byte more */
    payload.n--;
    for (size_t i = 0; i < payload.n; i++) { /* any byte turned over: refused, or read within bounds */
        symbi_status st;
        copy[i] = (char)~copy[i];
        st = sy_xw_read_exec(payload, &heap, &x, &err);
        CHECK(st == SYMBI_OK || st == SYMBI_EPARSE);
        if (!st) {
            for (size_t k = 0; k < x.rq.plan.argc; k++) CHECK(strlen(x.argv[k]) == x.rq.plan.argv[k].n);
            sy_xw_exec_free(&x, &heap);
        }
        copy[i] = (char)~copy[i];
    }
    {
        char *at = memmem(copy, payload.n, "a b\n", 4);
        REQUIRE(at);
        at[1] = 0; /* an argument that execve would cut short */
        CHECK(sy_xw_read_exec(payload, &heap, &x, &err) == SYMBI_EPARSE);
        at[1] = ' ';
        at[4] = 'x'; /* no NUL behind it */
        CHECK(sy_xw_read_exec(payload, &heap, &x, &err) == SYMBI_EPARSE);
    }
    free(copy);
    sy_buf_free(&b);
}

static void test_head(void)
{
    sy_xw_head h;
    uint8_t f[SY_XW_HEAD];
    symbi_str s = { (const char *)f, SY_XW_HEAD };
    sy_xw_write_head(f, 5, 100);
    for (s.n = 0; s.n < SY_XW_HEAD; s.n++) CHECK(sy_xw_read_head(s, 100, &h, &err) == SYMBI_EAGAIN);
    CHECK(sy_xw_read_head(s, 100, &h, &err) == SYMBI_OK && h.len == 100 && h.id == 5);
    CHECK(sy_xw_read_head(s, 99, &h, &err) == SYMBI_EPARSE);
    sy_xw_write_head(f, 5, 0);
    CHECK(sy_xw_read_head(s, 100, &h, &err) == SYMBI_EPARSE);
    f[3] = '2'; /* another version */
    s.n = 4;
    CHECK(sy_xw_read_head(s, 100, &h, &err) == SYMBI_EPARSE);
}

static void test_result(void)
{
    sy_buf b;
    symbi_exec_result r, back;
    uint8_t fixed[SY_XW_RESULT_FIXED];
    symbi_status st;
    symbi_str message, payload;
    memset(&r, 0, sizeof r);
    r.exit_code = -1;
    r.signal = 9;
    r.timed_out = r.err_truncated = true;
    r.out_bytes = 1ull << 40;
    r.out_sha256[0] = 3;
    r.started_ms = 1700000000000;
    r.duration_ms = 77;
    sy_buf_init(&b, heap, 1000);
    sy_xw_write_result_fixed(fixed, SYMBI_EPERMIT, &r);
    sy_buf_add(&b, fixed, sizeof fixed);
    sy_buf_add(&b, "\0\0\0\2no\0\0\0\0\3out\0\0\0\0\0\0", 4 + 3 + 4 + 4 + 4 + 1);
    payload = sy_buf_str(&b);
    CHECK_OK(sy_xw_read_result(payload, &st, &message, &back, &err), err);
    CHECK(st == SYMBI_EPERMIT && back.exit_code == -1 && back.signal == 9 && back.timed_out && back.err_truncated && !back.out_truncated && back.out_bytes == 1ull << 40);
    CHECK(back.out_sha256[0] == 3 && back.started_ms == 1700000000000 && back.duration_ms == 77);
    CHECK_STR(message, "no");
    CHECK_STR(back.out, "out");
    CHECK_STR(back.err, "");
    for (payload.n = 0; payload.n < b.n; payload.n++) CHECK(sy_xw_read_result(payload, &st, &message, &back, &err) == SYMBI_EPARSE && !back.out.p);
    b.p[1] = 8; /* a parser's part that is not there */
    CHECK(sy_xw_read_result(payload, &st, &message, &back, &err) == SYMBI_EPARSE);
    b.p[1] = 16; /* an unknown flag */
    CHECK(sy_xw_read_result(payload, &st, &message, &back, &err) == SYMBI_EPARSE);
    b.p[1] = 0;
    b.p[4] = 1; /* a status that is no failure */
    CHECK(sy_xw_read_result(payload, &st, &message, &back, &err) == SYMBI_EPARSE);
    sy_buf_free(&b);
}

static void test_parser(void)
{
    sy_buf b;
    symbi_plan p;
    symbi_exec_result r, back;
    uint8_t fixed[SY_XW_RESULT_FIXED], more[SY_XW_PARSED_FIXED];
    sy_xw_exec x;
    symbi_status st;
    symbi_str message, payload;
    memset(&p, 0, sizeof p);
    p.argv = argv_;
    p.argc = 1;
    p.parser = symbi_str_z("/usr/bin/parse");
    sy_buf_init(&b, heap, 1 << 20);
    CHECK_OK(sy_xw_write_exec(&b, &p, symbi_str_z(""), symbi_str_z(""), 1, &err), err);
    payload = (symbi_str){ b.p + SY_XW_HEAD, b.n - SY_XW_HEAD };
    REQUIRE(sy_xw_read_exec(payload, &heap, &x, &err) == SYMBI_OK);
    CHECK_STR(x.rq.plan.parser, "/usr/bin/parse");
    CHECK(x.rq.plan.parser.p[x.rq.plan.parser.n] == 0);
    sy_xw_exec_free(&x, &heap);
    for (payload.n = 0; payload.n < b.n - SY_XW_HEAD; payload.n++) CHECK(sy_xw_read_exec(payload, &heap, &x, &err) == SYMBI_EPARSE);
    *(char *)memmem(b.p, b.n, "/usr/bin/parse", 14) = 'x'; /* relative: nobody's to look up */
    CHECK(sy_xw_read_exec(payload, &heap, &x, &err) == SYMBI_EPARSE);
    sy_buf_free(&b);
    p.parser = (symbi_str){ "/a\0b", 4 };
    sy_buf_init(&b, heap, 1 << 20);
    CHECK(sy_xw_write_exec(&b, &p, symbi_str_z(""), symbi_str_z(""), 1, &err) == SYMBI_EINVAL);
    sy_buf_free(&b);

    memset(&r, 0, sizeof r);
    r.parsed.tried = r.parsed.timed_out = true;
    r.parsed.exit_code = -1;
    r.parsed.signal = 15;
    r.parsed.duration_ms = 1 << 20;
    r.parsed.sha256[31] = 9;
    sy_buf_init(&b, heap, 1000);
    sy_xw_write_result_fixed(fixed, SYMBI_OK, &r);
    sy_xw_write_parsed_fixed(more, &r.parsed);
    sy_buf_add(&b, fixed, sizeof fixed);
    sy_buf_add(&b, "\0\0\0\0\0\0\0\0\3out\0\0\0\0\0\0", 5 + 4 + 3 + 1 + 5);
    sy_buf_add(&b, more, sizeof more);
    sy_buf_add(&b, "\0\0\0\2{}\0\0\0\0\1e\0", 4 + 2 + 1 + 4 + 1 + 1);
    payload = sy_buf_str(&b);
    CHECK_OK(sy_xw_read_result(payload, &st, &message, &back, &err), err);
    CHECK(back.parsed.tried && back.parsed.timed_out && !back.parsed.out_truncated && back.parsed.exit_code == -1 && back.parsed.signal == 15 && back.parsed.duration_ms == 1 << 20 && back.parsed.sha256[31] == 9);
    CHECK_STR(back.out, "out");
    CHECK_STR(back.parsed.out, "{}");
    CHECK_STR(back.parsed.err, "e");
    for (payload.n = 0; payload.n < b.n; payload.n++) CHECK(sy_xw_read_result(payload, &st, &message, &back, &err) == SYMBI_EPARSE && !back.parsed.out.p);
    sy_buf_free(&b);
}

int main(void)
{
    heap.fn = heap_fn;
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_exec);
    RUN(test_exec_garbage);
    RUN(test_head);
    RUN(test_result);
    RUN(test_parser);
    symbi_ctx_free(cx);
    return test_end();
}
