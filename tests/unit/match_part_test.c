/* A set looks at a part of a line around each literal only. What it finds in lines of any length is what each pattern finds alone, stepped
 * through the whole line without literals, parts or remembered states; with ample memory and with next to none. */
#include "match/hits.h"
#include "match/match_in.h"
#include "test.h"

static symbi_ctx *cx;

static uint64_t seed = 88172645463325252u;
static uint32_t rnd(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 33) % n);
}

static const char *const patterns[] = { "\\bcurl\\b", "(?:q|xz)[ab]{0,3}curl.{0,6}zip", "\\b(?:copy|add)\\b.{0,9}\\bitself\\b.{0,5}(?:into|to)\\b", ".{3}curl", "^.{0,20}curl", "curl.*zip$", "curl$", "zip.*curl.*quux", "\\Bcurl\\B",
    "[^a]{2}quux", "\xc3\xa9.{1,4}quux", "(?m)^curl", "(?m)curl$", "(?s)curl.quux", "\\s{2}curl", "[\xe2\x80\x98']quux", "(?:zip|[\xe2\x80\x98])x", "quux|\xe2\x82\xac\xe2\x82\xac", "(?:a|b){2,5}curl(?:quux)?zip", "curl(?:.{0,2}curl){2}",
    "(?:curl){2,3}zip", "a*curl", "(?:ab|b)?quux\\b", "itself(?:.{0,30}into){2}", "\\x{2060}|curl\\b.{0,3}\\bquux", "\\bcurlcurlcurlzip\\b" };
enum { PATTERNS = sizeof patterns / sizeof *patterns };
static const char *const pieces[] = { "curl", "zip", "quux", "itself", "into", "to", "copy", "add", "q", "xz", "a", "b", "ab", " ", " ", " ", "  ", "\t", "x", "'", "CURL", "Quux", "-", ".", "_", "\xc3\xa9", "\xe2\x82\xac", "\xe2\x80\x98", "\xe2\x81\xa0",
    "\xff", "\xc3", "\x80\x80\x80", "\xf0\x9f\x98\x80", "the quick brown fox jumps over the lazy dog", "curlcurlcurlzip", "curlcurlcurlzip", "\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87" };
enum { PIECES = sizeof pieces / sizeof *pieces };

static size_t make_line(char *to, size_t most, uint32_t few)
{
    size_t n = 0;
    for (uint32_t k = rnd(few) + 1; k; k--) {
        const char *p = pieces[rnd(PIECES)];
        size_t len = strlen(p);
        if (n + len > most) break;
        memcpy(to + n, p, len);
        n += len;
    }
    return n;
}

static void test_same(void)
{
    static const unsigned flags[] = { 0, SYMBI_MATCH_NOCASE, SYMBI_MATCH_UNICODE, SYMBI_MATCH_NOCASE | SYMBI_MATCH_PYTHON };
    size_t found = 0, parts = 0;
    char line[4096];
    for (size_t f = 0; f < sizeof flags / sizeof *flags; f++) {
        symbi_match_rule r[PATTERNS];
        symbi_match *set, *one[PATTERNS];
        symbi_match_scratch *s[2];
        symbi_err e;
        for (size_t i = 0; i < PATTERNS; i++) {
            r[i] = (symbi_match_rule){ symbi_str_z(patterns[i]), flags[f] };
            REQUIRE(symbi_match_compile(cx, &r[i], 1, &one[i], &e) == SYMBI_OK);
        }
        REQUIRE(symbi_match_compile(cx, r, PATTERNS, &set, &e) == SYMBI_OK);
        REQUIRE(symbi_match_scratch_new(cx, set, 0, &s[0], &e) == SYMBI_OK && symbi_match_scratch_new(cx, set, 20000, &s[1], &e) == SYMBI_OK);
        for (size_t i = 0; i < PATTERNS; i++) parts += set->reach[i] && set->reach[i] != SY_MFAR;
        for (int turn = 0; turn < 1500; turn++) {
            symbi_str t = { line, make_line(line, sizeof line, turn % 10 ? 40 : 400) };
            bool expect[PATTERNS];
            for (size_t i = 0; i < PATTERNS; i++) CHECK(symbi_match_test(cx, one[i], t, &expect[i], &e) == SYMBI_OK);
            for (int k = 0; k < 2; k++) {
                const uint32_t *rules;
                size_t n, at = 0;
                CHECK(symbi_match_run(s[k], t, &rules, &n, &e) == SYMBI_OK);
                for (size_t i = 0; i < PATTERNS; i++) {
                    bool got = at < n && rules[at] == i;
                    if (got) at++, found++;
                    if (got != expect[i]) printf("pattern %s flags %u: %d in %.*s\n", patterns[i], flags[f], got, (int)t.n, t.p);
                    CHECK(got == expect[i]);
                }
                CHECK(at == n);
            }
        }
        for (size_t i = 0; i < PATTERNS; i++) symbi_match_unref(one[i]);
        symbi_match_scratch_free(s[0]);
        symbi_match_scratch_free(s[1]);
        symbi_match_unref(set);
    }
    CHECK(found > 1000 && parts > 20);
}

/* Marks: wherever a literal of the watched rules ends, and nowhere far from one. */
static void test_marks(void)
{
    symbi_match_rule r[2] = { { symbi_str_z("curl.{0,3}zap"), SYMBI_MATCH_NOCASE }, { symbi_str_z("quux.{0,3}(?:yes|[^y])"), SYMBI_MATCH_NOCASE } };
    symbi_match *set;
    symbi_match_scratch *s;
    symbi_match_lineinfo l;
    symbi_err e;
    uint64_t watch = 2, map[4] = { 0 };
    char text[1600];
    REQUIRE(symbi_match_compile(cx, r, 2, &set, &e) == SYMBI_OK && symbi_match_scratch_new(cx, set, 0, &s, &e) == SYMBI_OK);
    CHECK(sy_match_filtered(set, 0) && sy_match_literal(set, 0).n && !sy_match_literal(set, 99).n);
    memset(text, '.', sizeof text);
    memcpy(text + 40, "curl", 4);
    memcpy(text + 700, "\nQUUX\n", 6);
    memcpy(text + 1100, "quux yes", 8);
    sy_match_mark(s, &watch, map, 4);
    symbi_match_lines(s, (symbi_str){ text, sizeof text }, SYMBI_MATCH_END_LF);
    CHECK(symbi_match_line(s, &l, &e) == SYMBI_OK && l.n == 1 && l.rules[0] == 1);
    CHECK(symbi_match_line(s, &l, &e) == SYMBI_OK && !l.n);
    for (size_t i = 0; i < sizeof text / 16; i++) {
        bool on = map[i / 64] >> (i % 64) & 1, near = (i >= 700 / 16 && i <= 710 / 16) || (i >= 1100 / 16 && i <= 1115 / 16);
        CHECK(!on || near);
    }
    CHECK(map[0] | map[1]);
    symbi_match_scratch_free(s);
    symbi_match_unref(set);
}

int main(void)
{
    symbi_err e;
    if (symbi_ctx_new(NULL, &cx, &e)) return 1;
    RUN(test_same);
    RUN(test_marks);
    symbi_ctx_free(cx);
    return test_end();
}
