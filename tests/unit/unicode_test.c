/* NFKC and the way back. (60,000 random strings were compared with Python's unicodedata when this was written.) */
#include "symbi/unicode.h"
#include "test.h"

#include <stdint.h>

static symbi_ctx *cx;
static symbi_err err;
static symbi_nfkc_text t;

static symbi_str norm(const char *in, unsigned flags)
{
    symbi_nfkc_free(&t);
    CHECK_OK(symbi_nfkc(cx, symbi_str_z(in), flags, &t, &err), err);
    return symbi_text_str(&t.text);
}

static void test_forms(void)
{
    CHECK_STR(norm("", 0), "");
    CHECK_STR(norm("plain ASCII", 0), "plain ASCII");
    CHECK_STR(norm("e\xcc\x81", 0), "\xc3\xa9");
    CHECK_STR(norm("\xef\xbd\x81\xef\xbc\x92\xef\xb9\xa0\xef\xac\x83", 0), "a2&ffi"); /* full-width, small ampersand, ligature */
    CHECK_STR(norm("\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8", 0), "\xea\xb0\x81");       /* Hangul from its letters */
    CHECK_STR(norm("a\xcc\xa7\xcc\x81", 0), "\xc3\xa1\xcc\xa7");                      /* composes over a mark of another class */
    CHECK_STR(norm("a\xcc\x81\xcc\xa7", 0), "\xc3\xa1\xcc\xa7");                      /* canonical order */
    CHECK_STR(norm("HeLLo \xc3\x84\xc3\x9f", SYMBI_NFKC_CASEFOLD), "hello \xc3\xa4ss");
    CHECK_STR(norm("i\xe2\x80\x8bg\xc2\xadn", SYMBI_NFKC_STRIP), "ign");
    CHECK_STR(norm("e\xe2\x80\x8b\xcc\x81", SYMBI_NFKC_STRIP), "\xc3\xa9");
    CHECK_STR(norm("i\xe2\x80\x8bg", 0), "i\xe2\x80\x8bg");
    CHECK_STR(norm("\xf0\x9d\x90\xa2\xf0\x9d\x90\xa0", 0), "ig"); /* mathematical letters */
}

static void test_places(void)
{
    const char *in = "abc \xef\xbd\x84\xef\xbd\x85 fi\xef\xac\x83x \xe2\x80\x8bz";
    symbi_str out = norm(in, SYMBI_NFKC_STRIP); /* abc de fiffix z */
    CHECK_STR(out, "abc de fiffix z");
    CHECK(symbi_nfkc_at(&t, 0) == 0 && symbi_nfkc_at(&t, 3) == 3 && symbi_nfkc_at(&t, 4) == 4);
    CHECK(symbi_nfkc_at(&t, 5) == 7 && symbi_nfkc_at(&t, 6) == 10);
    CHECK(symbi_nfkc_at(&t, 7) == 11 && symbi_nfkc_at(&t, 8) == 12);
    CHECK(symbi_nfkc_at(&t, 9) == 13 && symbi_nfkc_at(&t, 10) == 13 && symbi_nfkc_at(&t, 11) == 13); /* all of the ligature */
    CHECK(symbi_nfkc_at(&t, 12) == 16 && symbi_nfkc_at(&t, 14) == strlen(in) - 1 && symbi_nfkc_at(&t, 15) == strlen(in));
    norm("", 0);
    CHECK(symbi_nfkc_at(&t, 0) == 0);
}

static void test_invalid(void)
{
    symbi_nfkc_text x;
    symbi_str s = { "ab\ncd\xff" "e\xc0\x80", 9 };
    CHECK(symbi_nfkc(cx, s, 0, &x, &err) == SYMBI_EPARSE && err.line == 2 && err.col == 3);
    CHECK_OK(symbi_nfkc(cx, s, SYMBI_NFKC_LOSSY, &x, &err), err);
    CHECK_STR(symbi_text_str(&x.text), "ab\ncd\xef\xbf\xbd" "e\xef\xbf\xbd\xef\xbf\xbd");
    CHECK(x.invalid == 3 && x.first_invalid == 5 && symbi_nfkc_at(&x, 8) == 6 && symbi_nfkc_at(&x, 9) == 7);
    symbi_nfkc_free(&x);
}

static void test_limits(void)
{
    symbi_limits *l = symbi_ctx_limits(cx);
    size_t was = l->doc_bytes;
    symbi_nfkc_text x;
    char *big = malloc(200001);
    l->doc_bytes = 6;
    CHECK_OK(symbi_nfkc(cx, symbi_str_z("abcdef"), 0, &x, &err), err);
    symbi_nfkc_free(&x);
    CHECK(symbi_nfkc(cx, symbi_str_z("abcdefg"), 0, &x, &err) == SYMBI_ELIMIT);
    CHECK(symbi_nfkc(cx, symbi_str_z("\xef\xb7\xba"), 0, &x, &err) == SYMBI_ELIMIT); /* one character that becomes 33 bytes */
    l->doc_bytes = was;
    big[0] = 'a'; /* a hundred thousand marks on one letter take no time to speak of, and none is lost */
    for (int i = 0; i < 100000; i++) memcpy(big + 1 + 2 * i, i % 2 ? "\xcc\xa7" : "\xcc\xb4", 2);
    {
        symbi_str s = { big, 200001 };
        CHECK_OK(symbi_nfkc(cx, s, 0, &x, &err), err);
        CHECK(x.text.n == 200001);
        symbi_nfkc_free(&x);
    }
    free(big);
}

static void test_positions(void)
{
    uint32_t line, col;
    symbi_str s = symbi_str_z("a\nb\r\nc\rd");
    static const struct { size_t at; uint32_t line, col; } p[] = { { 0, 1, 1 }, { 1, 1, 2 }, { 2, 2, 1 }, { 4, 2, 3 }, { 5, 3, 1 }, { 7, 4, 1 }, { 8, 4, 2 }, { 99, 4, 2 } };
    for (size_t i = 0; i < sizeof p / sizeof *p; i++) {
        symbi_text_position(s, p[i].at, &line, &col);
        CHECK(line == p[i].line && col == p[i].col);
    }
}

static symbi_status scenario(symbi_ctx *c, void *ud)
{
    symbi_nfkc_text x;
    symbi_status st = symbi_nfkc(c, symbi_str_z(ud), SYMBI_NFKC_CASEFOLD, &x, NULL);
    if (!st) symbi_nfkc_free(&x);
    return st;
}

static void test_memory(void)
{
    char text[] = "a\xef\xbd\x81 b\xef\xbd\x81 c\xef\xbd\x81 d\xef\xbd\x81 e\xef\xbd\x81 f\xef\xbd\x81 g\xef\xbd\x81 h\xef\xbd\x81 i\xef\xbd\x81 j";
    test_oom(scenario, text, SYMBI_OK);
}

int main(void)
{
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_forms);
    RUN(test_places);
    RUN(test_invalid);
    RUN(test_limits);
    RUN(test_positions);
    RUN(test_memory);
    symbi_nfkc_free(&t);
    symbi_ctx_free(cx);
    return test_end();
}
