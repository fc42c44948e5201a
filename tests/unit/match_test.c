/* Pattern sets: the dialect piece by piece, what is refused and where, positions, lines, limits, memory. Random patterns against a
 * naive matcher: tests/fuzz/fuzz_match.c. */
#include "test.h"

#include "symbi/match.h"

static symbi_ctx *cx;
static symbi_str Z(const char *z) { return symbi_str_z(z); }

/* 1 matches, 0 does not, -1 refused; by all three ways of asking. */
static int ask_n(const char *pattern, unsigned flags, symbi_str text)
{
    symbi_match_rule r = { Z(pattern), flags };
    symbi_match *m;
    symbi_match_scratch *s = NULL;
    symbi_match_span at;
    symbi_err err;
    const uint32_t *rules;
    size_t n = 0;
    bool hit = false;
    if (symbi_match_compile(cx, &r, 1, &m, &err)) return -1;
    CHECK_OK(symbi_match_scratch_new(cx, m, 0, &s, &err), err);
    CHECK_OK(symbi_match_run(s, text, &rules, &n, &err), err);
    CHECK_OK(symbi_match_find(s, 0, text, &at, &err), err);
    CHECK_OK(symbi_match_test(cx, m, text, &hit, &err), err);
    CHECK(n <= 1 && hit == (n == 1) && at.hit == hit);
    symbi_match_scratch_free(s);
    symbi_match_unref(m);
    return hit;
}
static int ask(const char *pattern, unsigned flags, const char *text) { return ask_n(pattern, flags, Z(text)); }

#define YES(p, f, t)                                                                                                                             \
    do {                                                                                                                                         \
        if (ask(p, f, t) != 1) printf("%s:%d: %s should match %s\n", __FILE__, __LINE__, p, t), t_now_failed = 1;                                  \
    } while (0)
#define NO(p, f, t)                                                                                                                              \
    do {                                                                                                                                         \
        if (ask(p, f, t) != 0) printf("%s:%d: %s should not match %s\n", __FILE__, __LINE__, p, t), t_now_failed = 1;                              \
    } while (0)

enum { U = SYMBI_MATCH_UNICODE, PY = SYMBI_MATCH_PYTHON, I = SYMBI_MATCH_NOCASE };

static void test_dialect(void)
{
    YES("a|b", 0, "xb");
    NO("a|b", 0, "xc");
    YES("", 0, "");
    YES("a{2}", 0, "baab");
    NO("^a{2}$", 0, "aaa");
    YES("^a{2,}$", 0, "aaa");
    YES("^a{1,3}?$", 0, "aaa");
    NO("^a{1,3}$", 0, "aaaa");
    YES("^a+?$", 0, "aa");
    YES("^(?:a|b)*c$", 0, "ababc");
    YES("^(?P<name>ab)+$", 0, "abab");
    YES("^[^a-c]+$", 0, "xyz");
    NO("^[^a-c]+$", 0, "xaz");
    YES("^[]a]+$", 0, "a]");
    YES("^[a\\]-]+$", 0, "a]-");
    YES("^[\\d.]+$", 0, "1.2");
    YES("^[[:alpha:]_]+$", 0, "a_B");
    YES("\\x41\\x{42}\\u0043", 0, "ABC");
    YES("^\\/\\-\\.\\$$", 0, "/-.$");
    YES("\\bfoo\\b", 0, "a foo.");
    NO("\\bfoo\\b", 0, "afoo");
    YES("\\Bfoo", 0, "afoo");
    YES("^.$", 0, "\xc3\xa9"); /* a character, not a byte */
    NO("^.$", 0, "\n");
    YES("(?s)^.$", 0, "\n");
    YES("(?m)^b$", 0, "a\nb\nc");
    NO("^b$", 0, "a\nb\nc");
    NO("a$", 0, "a\n"); /* $ is the end of the text, and nothing else */
    YES("\\Aa\\z", 0, "a");
    YES("(?i)AbC", 0, "xaBc");
    YES("a(?i)b", 0, "aB");
    NO("a(?i)b", 0, "AB");
    YES("a(?i:b)c", 0, "aBc");
    NO("a(?i:b)c", 0, "aBC");
    YES("(?i)a(?-i:b)", 0, "Ab");
    NO("(?i)a(?-i:b)", 0, "AB");
    YES("b+", SYMBI_MATCH_WHOLE, "bbb");
    NO("a|b", SYMBI_MATCH_WHOLE, "ab");
    CHECK(ask_n("a\\x00b", 0, (symbi_str){ "xa\0b", 4 }) == 1);
    CHECK(ask_n("a.b", 0, (symbi_str){ "a\0b", 3 }) == 1);
}

static void test_readings(void)
{
    NO("\\s", 0, "\xc2\xa0");
    YES("\\s", U, "\xc2\xa0");
    YES("\\s", PY, "\xc2\xa0");
    YES("\\s", PY, "\x1c");
    NO("\\s", U, "\x1c");
    NO("\\d", 0, "\xd9\xa7");
    YES("\\d", U, "\xd9\xa7");
    YES("\\.env\\b", 0, ".env\xc3\xa9");
    NO("\\.env\\b", U, ".env\xc3\xa9");
    NO("\\.env\\b", PY, ".env\xc3\xa9");
    YES("^\\w$", U, "\xcc\x81"); /* a combining mark */
    NO("^\\w$", PY, "\xcc\x81");
    YES("soul", I | U, "\xc5\xbfoul"); /* long s */
    NO("soul", I, "\xc5\xbfoul");
    YES("kube", I | U, "\xe2\x84\xaa" "ube"); /* Kelvin */
    YES("[a-z]ube", I | U, "\xe2\x84\xaa" "ube");
    YES("\\u017f", I | U, "S");
    YES("\xc3\xa9", I | U, "\xc3\x89");
    YES("\xcf\x83", I | U, "\xcf\x82"); /* sigma, final sigma */
    NO("\xc3\xa9", I, "\xc3\x89");
    /* what only Python takes for one letter: dotted and dotless i, two ligatures, iota with two accents */
    YES("ignore", I | PY, "\xc4\xb1gnore");
    YES("ignore", I | PY, "\xc4\xb0gnore");
    NO("ignore", I | U, "\xc4\xb1gnore");
    NO("ignore", PY, "\xc4\xb1gnore");
    YES("^\xc4\xb1$", I | PY, "I");
    YES("[h-j]x", I | PY, "\xc4\xb1x");
    NO("^[^i]$", I | PY, "\xc4\xb0");
    YES("^\xef\xac\x85$", I | PY, "\xef\xac\x86");
    NO("^\xef\xac\x85$", I | U, "\xef\xac\x86");
    YES("^\xce\x90$", I | PY, "\xe1\xbf\x93");
    YES("^\xce\xb0$", I | PY, "\xe1\xbf\xa3");
    /* and that it does not fold \\W in a class: a combining iota is no letter, iota is one */
    NO("^[\\W]$", I | PY, "\xce\xb9");
    YES("^[\\W\xce\xb9]$", I | PY, "\xce\x99");
    YES("^\\W$", 0, "\xc3\xa9");
    NO("^\\W$", U, "\xc3\xa9");
    /* what is not UTF-8 counts as U+FFFD, one for each maximal piece */
    YES("^\\ufffd$", 0, "\xff");
    YES("^\\ufffd$", 0, "\xe2\x80");
    YES("^\\ufffd{2}a$", 0, "\xe2\x80\xc3" "a");
    YES("^\\ufffd{3}$", 0, "\xed\xa0\x80"); /* a surrogate: three pieces */
    /* one long text, with the special character far from everything, so that literals are skipped over */
    char big[9001];
    memset(big, 'x', sizeof big);
    memcpy(big + 8190, "\xc5\xbfoul.md", 9); /* across the blocks of the search for literals */
    big[9000] = 0;
    YES("soul\\.md", I | U, big);
    NO("soul\\.mdx{900}", I | U, big);
    memcpy(big + 8190, "sxoul.md", 8);
    NO("soul\\.md", I | U, big);
}

static void refused(const char *pattern, uint32_t col, const char *part, int line)
{
    symbi_match_rule r[2] = { { Z("fine"), 0 }, { Z(pattern), 0 } };
    symbi_match *m = (symbi_match *)(uintptr_t)pattern;
    symbi_err err;
    symbi_status st;
    memset(&err, 0, sizeof err);
    st = symbi_match_compile(cx, r, 2, &m, &err);
    if (st != SYMBI_EPARSE || m || err.col != col || strcmp(err.path, "/1") || !strstr(err.msg, part)) {
        printf("line %d: %s gives %s, col %u, %s: %s\n", line, pattern, symbi_status_name(st), err.col, err.path, err.msg);
        t_now_failed = 1;
    }
}
#define REFUSED(p, col, part) refused(p, col, part, __LINE__)

static void test_refusals(void)
{
    REFUSED("a(?=b)", 4, "look-ahead");
    REFUSED("a(?!b)", 4, "look-ahead");
    REFUSED("(?<=a)b", 3, "look-behind");
    REFUSED("(?<!a)b", 3, "look-behind");
    REFUSED("(a)\\1", 4, "back-references");
    REFUSED("(?P<n>a)(?P=n)", 11, "back-references");
    REFUSED("\\k<n>", 1, "back-references");
    REFUSED("\\p{L}", 1, "\\p");
    REFUSED("(?>a)", 3, "atomic");
    REFUSED("a++", 3, "possessive");
    REFUSED("a**", 3, "repeated");
    REFUSED("(?#x)a", 3, "comments");
    REFUSED("(?x)a", 3, "unknown flag");
    REFUSED("*a", 1, "nothing to repeat");
    REFUSED("a{", 2, "repetition");
    REFUSED("a{3,2}", 2, "backwards");
    REFUSED("a{1001}", 2, "1000");
    REFUSED("[a", 1, "']' is missing");
    REFUSED("[b-a]", 2, "backwards");
    REFUSED("[a&&b]", 3, "class operators");
    REFUSED("[[a]", 2, "'['");
    REFUSED("(a", 1, "')' is missing");
    REFUSED("a)", 2, "closes nothing");
    REFUSED("a\\", 2, "backslash");
    REFUSED("\\q", 1, "unknown escape");
    REFUSED("\\x4", 1, "hexadecimal");
    REFUSED("\\ud800", 1, "no such character");
    REFUSED("a\xff", 2, "UTF-8");
}

static void test_limits(void)
{
    static char big[5000];
    symbi_match_rule r = { { big, SYMBI_MATCH_MAX_PATTERN }, 0 };
    symbi_match *m;
    symbi_err err;
    symbi_match_rule *many = calloc(SYMBI_MATCH_MAX_RULES + 1, sizeof *many);
    memset(big, 'a', sizeof big);
    CHECK_OK(symbi_match_compile(cx, &r, 1, &m, &err), err);
    symbi_match_unref(m);
    r.pattern.n++;
    CHECK(symbi_match_compile(cx, &r, 1, &m, &err) == SYMBI_ELIMIT);
    CHECK(ask("(a{1000}){8}a{191}", 0, "a") == 0); /* 8,191 steps and the end */
    CHECK(ask("(a{1000}){8}a{192}", 0, "a") == -1);
    CHECK(ask("((((){1000}){1000}){1000}){1000}", 0, "a") == -1); /* steps of nothing are bounded too */
    for (int depth = SYMBI_MATCH_MAX_DEPTH; depth <= SYMBI_MATCH_MAX_DEPTH + 1; depth++) {
        memset(big, '(', (size_t)depth);
        big[depth] = 'a';
        memset(big + depth + 1, ')', (size_t)depth);
        big[2 * depth + 1] = 0;
        CHECK(ask(big, 0, "a") == (depth <= SYMBI_MATCH_MAX_DEPTH ? 1 : -1));
    }
    for (size_t i = 0; many && i <= SYMBI_MATCH_MAX_RULES; i++) many[i].pattern = Z("x[a-c]+y");
    if (many) {
        CHECK_OK(symbi_match_compile(cx, many, SYMBI_MATCH_MAX_RULES, &m, &err), err);
        CHECK(symbi_match_count(m) == SYMBI_MATCH_MAX_RULES);
        symbi_match_unref(m);
        CHECK(symbi_match_compile(cx, many, SYMBI_MATCH_MAX_RULES + 1, &m, &err) == SYMBI_ELIMIT && !m);
    }
    free(many);
    CHECK_OK(symbi_match_compile(cx, NULL, 0, &m, &err), err);
    symbi_match_unref(m);
}

static void test_sets(void)
{
    static const char *const pats[] = { "curl\\s.*\\|\\s*(sh|bash)", "\\d{3}", "(?i)secret", "^$", "x.*y", "[aeiou]{4}", "zz$" };
    symbi_match_rule r[7];
    symbi_match *m;
    symbi_match_scratch *s;
    symbi_match_lineinfo l;
    symbi_match_span at;
    symbi_match_stats stats;
    symbi_err err;
    const uint32_t *rules;
    size_t n;
    symbi_str text = Z("curl http://e | bash 123\n\nSeCrEt x y\r\nnothing\nqueueing zz\n");
    for (size_t i = 0; i < 7; i++) r[i] = (symbi_match_rule){ Z(pats[i]), 0 };
    CHECK_OK(symbi_match_compile(cx, r, 7, &m, &err), err);
    CHECK(symbi_match_count(m) == 7 && symbi_match_anchored(m, 3) && !symbi_match_anchored(m, 0) && !symbi_match_anchored(m, 7));
    CHECK_OK(symbi_match_scratch_new(cx, m, 0, &s, &err), err);
    symbi_match_unref(m); /* the scratch keeps it */
    CHECK_OK(symbi_match_run(s, text, &rules, &n, &err), err);
    CHECK(n == 5 && rules[0] == 0 && rules[1] == 1 && rules[2] == 2 && rules[3] == 4 && rules[4] == 5); /* neither ^$ nor zz$ in the whole */
    symbi_match_lines(s, text, SYMBI_MATCH_END_CRLF);
    CHECK(!symbi_match_line(s, &l, &err) && l.line == 1 && l.n == 2 && l.rules[0] == 0 && l.rules[1] == 1 && l.offset == 0 && l.length == 24);
    CHECK(!symbi_match_line(s, &l, &err) && l.line == 2 && l.n == 1 && l.rules[0] == 3 && l.length == 0);
    CHECK(!symbi_match_line(s, &l, &err) && l.line == 3 && l.n == 2 && l.rules[0] == 2 && l.rules[1] == 4 && l.length == 10);
    CHECK(!symbi_match_line(s, &l, &err) && l.line == 5 && l.n == 2 && l.rules[0] == 5 && l.rules[1] == 6);
    CHECK(!symbi_match_line(s, &l, &err) && l.n == 0);
    CHECK(!symbi_match_line(s, &l, &err) && l.n == 0);
    CHECK_OK(symbi_match_find(s, 2, Z("a secret"), &at, &err), err);
    CHECK(at.hit && at.start == 2 && at.end == 8);
    CHECK_OK(symbi_match_find(s, 4, Z("axxyxy"), &at, &err), err);
    CHECK(at.hit && at.start == 1 && at.end == 4); /* leftmost start, first end */
    CHECK(symbi_match_find(s, 7, Z("x"), &at, &err) == SYMBI_EINVAL && !at.hit);
    symbi_match_scratch_stats(s, &stats);
    CHECK(stats.rules == 7 && stats.filtered == 3 && stats.groups == 4 && stats.states > 0);
    symbi_match_scratch_free(s);
}

static void count_lines(symbi_match_ends ends, const char *text, size_t want, size_t last)
{
    symbi_match_rule r = { Z("^"), 0 };
    symbi_match *m;
    symbi_match_scratch *s;
    symbi_match_lineinfo l;
    symbi_err err;
    size_t n = 0, no = 0;
    REQUIRE(!symbi_match_compile(cx, &r, 1, &m, &err) && !symbi_match_scratch_new(cx, m, 0, &s, &err));
    symbi_match_lines(s, Z(text), ends);
    while (!symbi_match_line(s, &l, &err) && l.n) n++, no = l.line;
    if (n != want || no != last) printf("ends %d: %zu lines, the last is %zu; expected %zu, %zu\n", (int)ends, n, no, want, last), t_now_failed = 1;
    symbi_match_scratch_free(s);
    symbi_match_unref(m);
}

static void test_line_ends(void)
{
    count_lines(SYMBI_MATCH_END_LF, "", 1, 1);
    count_lines(SYMBI_MATCH_END_LF, "a\nb", 2, 2);
    count_lines(SYMBI_MATCH_END_LF, "a\nb\n", 3, 3);
    count_lines(SYMBI_MATCH_END_LF, "a\rb", 1, 1);
    count_lines(SYMBI_MATCH_END_CRLF, "", 0, 0);
    count_lines(SYMBI_MATCH_END_CRLF, "a\r\nb\n", 2, 2);
    count_lines(SYMBI_MATCH_END_CRLF, "a\rb\n\n", 2, 2);
    count_lines(SYMBI_MATCH_END_PYTHON, "", 0, 0);
    count_lines(SYMBI_MATCH_END_PYTHON, "a\r\nb\rc\nd", 4, 4);
    count_lines(SYMBI_MATCH_END_PYTHON, "a\vb\fc\x1c" "d\x1d" "e\x1e" "f\xc2\x85g\xe2\x80\xa8h\xe2\x80\xa9i", 9, 9);
    count_lines(SYMBI_MATCH_END_PYTHON, "\xe2\x80\x94 dash, \xc2\xa0, \x1f\n", 1, 1);
    count_lines(SYMBI_MATCH_END_NONE, "a\nb\r\n", 1, 1);
    count_lines(SYMBI_MATCH_END_NONE, "", 1, 1);
}

/* A literal across the seams of blocks and streams, at every offset. */
static void test_seams(void)
{
    enum { N = 3 * 8192 + 77 };
    char *text = malloc(N);
    symbi_match_rule r[2] = { { Z("needle"), 0 }, { Z("(?i)HAY[0-9]"), 0 } };
    symbi_match *m;
    symbi_match_scratch *s;
    symbi_match_lineinfo l;
    symbi_err err;
    REQUIRE(text && !symbi_match_compile(cx, r, 2, &m, &err) && !symbi_match_scratch_new(cx, m, 0, &s, &err));
    memset(text, '.', N);
    for (size_t i = 100; i < N; i += 101) text[i] = '\n';
    for (size_t at = 0; at + 6 <= N; at += at % 2048 > 60 && at % 2048 < 2000 ? 14 : 1) {
        char keep[6];
        memcpy(keep, text + at, 6);
        if (memchr(keep, '\n', 6)) continue;
        memcpy(text + at, "needle", 6);
        symbi_match_lines(s, (symbi_str){ text, N }, SYMBI_MATCH_END_LF);
        if (symbi_match_line(s, &l, &err) || l.n != 1 || l.rules[0] != 0 || l.line != at / 101 + 1 || symbi_match_line(s, &l, &err) || l.n) printf("at %zu: line %zu\n", at, l.line), t_now_failed = 1;
        memcpy(text + at, keep, 6);
    }
    free(text);
    symbi_match_scratch_free(s);
    symbi_match_unref(m);
}

/* Little memory gives the same answers; the states that are remembered stay within it. */
static void test_bounded(void)
{
    symbi_match_rule r = { Z("(a|b)*a(a|b){12}c"), 0 };
    symbi_match *m;
    symbi_match_scratch *s[2];
    symbi_match_stats st;
    symbi_err err;
    char text[4001];
    unsigned x = 12345;
    for (size_t i = 0; i < 4000; i++) x = x * 1103515245u + 12345u, text[i] = x >> 16 & 1 ? 'a' : 'b';
    text[4000] = 'c';
    REQUIRE(!symbi_match_compile(cx, &r, 1, &m, &err));
    REQUIRE(!symbi_match_scratch_new(cx, m, 0, &s[0], &err) && !symbi_match_scratch_new(cx, m, 4000, &s[1], &err));
    for (size_t n = 3990; n <= 4001; n++)
        for (size_t k = 0; k < 2; k++) {
            const uint32_t *rules;
            size_t hits;
            symbi_match_span at;
            CHECK_OK(symbi_match_run(s[k], (symbi_str){ text, n }, &rules, &hits, &err), err);
            CHECK_OK(symbi_match_find(s[k], 0, (symbi_str){ text, n }, &at, &err), err);
            CHECK(at.hit == (hits > 0) && (n == 4001 || !at.hit));
            if (n == 4001) CHECK(at.hit == (text[4000 - 13] == 'a'));
        }
    symbi_match_scratch_stats(s[1], &st);
    CHECK(st.flushes > 0 && st.states <= 100);
    symbi_match_scratch_stats(s[0], &st);
    CHECK(st.flushes == 0 && st.states > 100);
    symbi_match_scratch_free(s[0]);
    symbi_match_scratch_free(s[1]);
    symbi_match_unref(m);
}

static symbi_status oom_scenario(symbi_ctx *c, void *ud)
{
    symbi_match_rule r[3] = { { Z("(?i)curl\\s.*\\|\\s*(sh|bash)"), U }, { Z("\\w+[^a]{3}"), PY }, { Z("x.*y$"), 0 } };
    symbi_match *m;
    symbi_match_scratch *s = NULL;
    symbi_match_span at;
    symbi_err err;
    const uint32_t *rules;
    size_t n;
    bool hit;
    symbi_status st = symbi_match_compile(c, r, 3, &m, &err);
    if (!st) st = symbi_match_scratch_new(c, m, 0, &s, &err);
    if (!st) st = symbi_match_run(s, *(symbi_str *)ud, &rules, &n, &err);
    if (!st) st = symbi_match_find(s, 0, *(symbi_str *)ud, &at, &err);
    if (!st) st = symbi_match_test(c, m, *(symbi_str *)ud, &hit, &err);
    symbi_match_scratch_free(s);
    symbi_match_unref(m);
    return st;
}

static void test_no_memory(void)
{
    symbi_str text = Z("one curl x | bash; \xc3\xa9t\xc3\xa9 x and the y");
    test_oom(oom_scenario, &text, SYMBI_OK);
}

/* Warm, a scratch allocates nothing. */
static void test_warm(void)
{
    counting_alloc ca = { 0 };
    symbi_env env;
    symbi_ctx *c;
    symbi_match_rule r[2] = { { Z("curl.*\\|"), 0 }, { Z("[0-9]+%"), 0 } };
    symbi_match *m;
    symbi_match_scratch *s;
    symbi_match_lineinfo l;
    symbi_err err;
    long before;
    symbi_env_init(&env);
    env.alloc.fn = env.shared_alloc.fn = counting_fn;
    env.alloc.ud = env.shared_alloc.ud = &ca;
    ca.fail_at = 1000000;
    REQUIRE(!symbi_ctx_new(&env, &c, NULL) && !symbi_match_compile(c, r, 2, &m, &err) && !symbi_match_scratch_new(c, m, 0, &s, &err));
    for (int i = 0; i < 3; i++) {
        before = ca.count;
        symbi_match_lines(s, Z("a\ncurl x | y\n100%\n"), SYMBI_MATCH_END_LF);
        while (!symbi_match_line(s, &l, &err) && l.n) {}
        CHECK(i == 0 || ca.count == before);
    }
    symbi_match_scratch_free(s);
    symbi_match_unref(m);
    symbi_ctx_free(c);
    CHECK(ca.live_blocks == 0);
}

int main(void)
{
    symbi_err err;
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_dialect);
    RUN(test_readings);
    RUN(test_refusals);
    RUN(test_limits);
    RUN(test_sets);
    RUN(test_line_ends);
    RUN(test_seams);
    RUN(test_bounded);
    RUN(test_no_memory);
    RUN(test_warm);
    symbi_ctx_free(cx);
    return test_end();
}
