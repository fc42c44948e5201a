/* Unit tests of L0 base: context, arena, buffer, map, UTF-8, errors, time. */
#include "base/alloc.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "base/time.h"
#include "base/utf8.h"
#include "test.h"

static void test_status_list(void)
{
    symbi_status st;
    const char *name;
    size_t n = 0;
    while (symbi_status_at(n, &st, &name)) {
        CHECK(strcmp(symbi_status_name(st), name) == 0);
        CHECK((st == SYMBI_OK) == (n == 0));
        n++;
    }
    CHECK(n > 15);
    CHECK(strcmp(symbi_status_name((symbi_status)-999), "EUNKNOWN") == 0);
    CHECK(SYMBI_DENY == 0);
}

static void test_err_is_one_clean_line(void)
{
    symbi_err e;
    char out[64];
    char big[2000];
    CHECK(sy_fail_at(&e, SYMBI_EPARSE, 3, 7, "expected %s\n\x01 got \xff", "';'") == SYMBI_EPARSE);
    CHECK(strcmp(e.msg, "expected ';'?? got ?") == 0);
    sy_err_path(&e, SY_LIT("a.cedar"));
    sy_err_path(&e, SY_LIT("later paths do not overwrite"));
    symbi_err_format(&e, out, sizeof out);
    CHECK(strcmp(out, "a.cedar:3:7: expected ';'?? got ?") == 0);
    memset(big, 'x', sizeof big);
    memcpy(big + sizeof e.msg - 2, "\xc3\xa9", 2); /* a character across the cut is dropped whole */
    big[sizeof big - 1] = 0;
    sy_fail(&e, SYMBI_EIO, "%s", big);
    CHECK(strlen(e.msg) == sizeof e.msg - 2);
    CHECK(sy_utf8_valid(symbi_str_z(e.msg), NULL));
    CHECK(sy_fail(NULL, SYMBI_EIO, "no err given") == SYMBI_EIO);
}

static void test_arena_limit(void)
{
    counting_alloc ca = { 0 };
    symbi_alloc al = { counting_fn, &ca };
    sy_arena a;
    sy_arena_init(&a, al, 4096);
    for (int i = 0; i < 256; i++) CHECK(sy_arena_alloc(&a, 16)); /* exactly the limit */
    CHECK(!sy_arena_alloc(&a, 1));                               /* one past it */
    CHECK(a.status == SYMBI_ELIMIT);
    sy_arena_reset(&a);
    CHECK(sy_arena_alloc(&a, 4096) && !a.status);
    sy_arena_free(&a);
    CHECK(ca.live_blocks == 0 && ca.live_bytes == 0);
    sy_arena_init(&a, al, 0);
    CHECK(!sy_arena_calloc(&a, SIZE_MAX / 2, 4) && a.status == SYMBI_ENOMEM);
    sy_arena_free(&a);
}

static void test_arena_blocks_do_not_overlap(void)
{
    sy_arena a;
    unsigned char *p[400];
    sy_arena_init(&a, sy_alloc_default(), 0);
    for (int i = 0; i < 400; i++) {
        size_t n = (size_t)(i * 37 % 3000) + 1;
        p[i] = sy_arena_alloc(&a, n);
        REQUIRE(p[i] && ((uintptr_t)p[i] & 15) == 0);
        memset(p[i], i & 255, n);
    }
    for (int i = 0; i < 400; i++) CHECK(p[i][0] == (i & 255) && p[i][(size_t)(i * 37 % 3000)] == (i & 255));
    sy_arena_free(&a);
}

static void test_buf(void)
{
    sy_buf b;
    symbi_text t;
    symbi_err e;
    sy_buf_init(&b, sy_alloc_default(), 32);
    sy_buf_addi(&b, INT64_MIN);
    sy_buf_addhex(&b, "\x00\xff", 2);
    CHECK_STR(sy_buf_str(&b), "-922337203685477580800ff");
    sy_buf_add(&b, "12345678", 8); /* 32 bytes: the ceiling */
    CHECK(!sy_buf_status(&b) && b.n == 32);
    sy_buf_addc(&b, 'x');
    CHECK(sy_buf_status(&b) == SYMBI_ELIMIT && !b.p);
    sy_buf_addz(&b, "later appends stay failed");
    CHECK(sy_buf_take(&b, &t, "answer", &e) == SYMBI_ELIMIT);
    CHECK(strstr(e.msg, "32 bytes"));
    sy_buf_init(&b, sy_alloc_default(), 100);
    CHECK(sy_buf_take(&b, &t, "answer", &e) == SYMBI_OK && t.n == 0);
    symbi_text_free(&t);
}

static void test_siphash_reference(void)
{
    /* SipHash-1-3 of the bytes 00..0e under key 00..0f, computed with the authors' reference program */
    static const uint64_t seed[2] = { 0x0706050403020100u, 0x0f0e0d0c0b0a0908u };
    unsigned char in[15];
    for (unsigned i = 0; i < 15; i++) in[i] = (unsigned char)i;
    CHECK(sy_siphash(seed, in, 0) == 0xabac0158050fc4dcu);
}

static void test_map(void)
{
    static char keys[5000][8];
    uint64_t seed[2] = { 1, 2 };
    sy_map m;
    bool fresh;
    sy_map_init(&m, sy_alloc_default(), seed);
    CHECK(!sy_map_find(&m, SY_LIT("x")));
    for (unsigned i = 0; i < 5000; i++) {
        sy_map_entry *e;
        snprintf(keys[i], sizeof keys[i], "k%u", i);
        e = sy_map_put(&m, symbi_str_z(keys[i]), &fresh);
        REQUIRE(e && fresh);
        e->val.u = i;
    }
    for (unsigned i = 0; i < 5000; i++) {
        sy_map_entry *e = sy_map_put(&m, symbi_str_z(keys[i]), &fresh);
        REQUIRE(e && !fresh && e->val.u == i);
        CHECK(sy_str_eqz(m.e[i].key, keys[i])); /* insertion order */
    }
    CHECK(!sy_map_find(&m, SY_LIT("k5000")));
    sy_map_free(&m);
}

static void test_utf8(void)
{
    static const char *const bad[] = { "\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82", "\xf0\x9f\x98", "\xc3(" };
    size_t off;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(!sy_utf8_valid(symbi_str_z(bad[i]), &off));
        CHECK(off == 0);
    }
    CHECK(!sy_utf8_valid(SY_LIT("abcdefghij\xff"), &off) && off == 10);
    for (uint32_t cp = 0; cp < 0x110000; cp++) {
        char out[4];
        uint32_t back;
        size_t n = sy_utf8_put(cp, out);
        if (cp >= 0xd800 && cp <= 0xdfff) {
            CHECK(n == 0);
            continue;
        }
        if (!(n && sy_utf8_next(out, n, &back) == n && back == cp)) {
            CHECK(!"round trip");
            break;
        }
    }
}

static void test_time(void)
{
    char out[SY_RFC3339_MS];
    int64_t y;
    unsigned m, d;
    sy_time_rfc3339(0, out);
    CHECK(strcmp(out, "1970-01-01T00:00:00.000Z") == 0);
    sy_time_rfc3339(-1, out);
    CHECK(strcmp(out, "1969-12-31T23:59:59.999Z") == 0);
    sy_time_rfc3339(1709208000123, out);
    CHECK(strcmp(out, "2024-02-29T12:00:00.123Z") == 0);
    sy_time_rfc3339(INT64_MAX, out);
    CHECK(strcmp(out, "9999-12-31T23:59:59.999Z") == 0);
    for (int64_t day = -800000; day < 800000; day += 13) {
        sy_civil_from_days(day, &y, &m, &d);
        CHECK(sy_days_from_civil(y, m, d) == day);
        CHECK(d >= 1 && d <= sy_days_in_month(y, m));
    }
}

static void test_time_read(void)
{
    static const char *const bad[] = { "", "2024-02-29", "2024-02-29T12:34:56", "2023-02-29T12:34:56Z", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-01-00T00:00:00Z",
                                       "2024-02-29T24:00:00Z", "2024-02-29T12:60:00Z", "2024-02-29T12:34:61Z", "2024-02-29T12:34:60Z", "2024-02-29t12:34:56Z", "2024-02-29T12:34:56z",
                                       "2024-02-29 12:34:56Z", "2024-02-29T12:34:56.Z", "2024-02-29T12:34:56.5", "2024-02-29T12:34:56Zx", "2024-02-29T12:34:56+24:00",
                                       "2024-02-29T12:34:56+05:60", "2024-02-29T12:34:56+0530", "2024-02-29T12:34:56+05:3", "2024/02/29T12:34:56Z", "+024-02-29T12:34:56Z" };
    static const char *const bad_http[] = { "", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 06 Nix 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
                                            "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 GMT " };
    int64_t t = 0;
    int ms = 0;
    CHECK(sy_time_parse(SY_LIT("2024-02-29T12:34:56.7891-05:30"), 0, &t, &ms) && t == 1709229896 && ms == 789);
    CHECK(sy_time_parse(SY_LIT("2024-02-29 12:34:60z"), SY_TIME_ANY_CASE | SY_TIME_SPACE | SY_TIME_LEAP, &t, &ms) && t == 1709210100 && ms == 0);
    CHECK(sy_time_parse(SY_LIT("1969-12-31t23:59:59.5Z"), SY_TIME_ANY_CASE, &t, NULL) && t == -1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) CHECK(!sy_time_parse(symbi_str_z(bad[i]), 0, &t, &ms) );
    CHECK(sy_time_parse_http(SY_LIT("Sun, 06 Nov 1994 08:49:37 GMT"), &t) && t == 784111777);
    for (size_t i = 0; i < sizeof bad_http / sizeof *bad_http; i++) CHECK(!sy_time_parse_http(symbi_str_z(bad_http[i]), &t));
}

static symbi_status ctx_scenario(symbi_ctx *cx, void *ud)
{
    symbi_member m[2];
    symbi_value item = { 0 };
    symbi_value v = { 0 };
    symbi_doc *d;
    symbi_status st;
    (void)ud;
    memset(m, 0, sizeof m);
    item.kind = SYMBI_STRING;
    item.u.s = SY_LIT("text");
    m[0].key = SY_LIT("list");
    m[0].val.kind = SYMBI_ARRAY;
    m[0].val.u.a.items = &item;
    m[0].val.u.a.n = 1;
    m[1].key = SY_LIT("n");
    m[1].val.kind = SYMBI_INT;
    m[1].val.u.i = 7;
    v.kind = SYMBI_OBJECT;
    v.u.o.members = m;
    v.u.o.n = 2;
    st = symbi_doc_copy(cx, &v, &d, NULL);
    if (st) return st;
    if (!symbi_value_equal(&v, symbi_doc_root(d))) st = SYMBI_ESTATE;
    symbi_doc_unref(symbi_doc_ref(d));
    symbi_doc_unref(d);
    return st;
}

static void test_oom_doc(void) { test_oom(ctx_scenario, NULL, SYMBI_OK); }

static void test_limits(void)
{
    symbi_limits l;
    symbi_limits_default(&l);
    CHECK(l.doc_depth == 128);
    CHECK(symbi_limits_set(&l, "doc_depth", 5) == SYMBI_OK && l.doc_depth == 5);
    CHECK(symbi_limits_set(&l, "no_such", 5) == SYMBI_ENOTFOUND);
}

static void test_env_size(void)
{
    symbi_env env;
    symbi_ctx *cx;
    symbi_err e;
    memset(&env, 0, sizeof env);
    CHECK(symbi_ctx_new(&env, &cx, &e) == SYMBI_EINVAL && !cx);
}

int main(void)
{
    RUN(test_status_list);
    RUN(test_err_is_one_clean_line);
    RUN(test_arena_limit);
    RUN(test_arena_blocks_do_not_overlap);
    RUN(test_buf);
    RUN(test_siphash_reference);
    RUN(test_map);
    RUN(test_utf8);
    RUN(test_time);
    RUN(test_time_read);
    RUN(test_oom_doc);
    RUN(test_limits);
    RUN(test_env_size);
    return test_end();
}
