/* The table of a small pattern says what its program says, over texts made from the letters that its classes tell apart. */
#include "base/arena.h"
#include "match/match_in.h"
#include "match/table.h"
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

static const char *const patterns[] = { "a", "^a$", "^[a-z]+$", "^[0-9]{1,5}(-[0-9]{1,5})?(,[0-9]{1,5})*$", "(a|b)*c", "\\bab\\b", "\\B1", "(?m)^a$", "(?m)a$", "a.b", "(?s)a.b", "\\d+-\\w*", "", "^$", "a*", "^(a+)+$",
    "x{3,5}y", "[^a]b", "\\s", "(?i)ab|c$", "\xc3\xa9+", "[\xc3\xa9-\xc3\xbf]x", "^.{2}$", "a\\z", "\\Ab", "(a?){8}a{8}", "[a-c]{2}-[^-]+-1" };
static const char *const pieces[] = { "a", "b", "c", "ab", "1", "12", "-", ",", " ", "\n", "x", "y", "A", "B", "\xc3\xa9", "\xc3\xbf", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "_", "\xff", "\xc3", "xxxxy" };

static void test_same(void)
{
    size_t tables = 0, asked = 0, hits = 0;
    for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++)
        for (unsigned flags = 0; flags < 2; flags++) {
            counting_alloc ca = { 0 };
            symbi_alloc al = { counting_fn, &ca };
            sy_arena keep, tmp;
            sy_mnode *node;
            sy_mprog prog;
            const sy_mtable *t = NULL;
            symbi_err e;
            size_t bad;
            uint64_t mem[600];
            sy_arena_init(&keep, al, 0);
            sy_arena_init(&tmp, al, 0);
            CHECK(sy_mparse(&tmp, symbi_str_z(patterns[p]), flags, &node, &e) == SYMBI_OK && sy_mprog_make(&keep, &tmp, &node, 1, flags, &prog, &bad, &e) == SYMBI_OK);
            CHECK(sy_mtable_make(&keep, &tmp, &prog, &t));
            tables += t != NULL;
            CHECK(sy_mprog_need(&prog) <= sizeof mem);
            for (int i = 0; t && i < 3000; i++) {
                char text[200];
                size_t n = 0;
                bool a, b;
                for (uint32_t k = rnd(9); k; k--) {
                    const char *z = pieces[rnd(sizeof pieces / sizeof *pieces)];
                    memcpy(text + n, z, strlen(z));
                    n += strlen(z);
                }
                a = sy_mtable_search(t, &prog, (symbi_str){ text, n });
                b = sy_mprog_search(&prog, (symbi_str){ text, n }, mem) != 0;
                asked++;
                hits += b;
                if (a != b) {
                    printf("%s on '%.*s': the table says %d, the program %d\n", patterns[p], (int)n, text, a, b);
                    t_now_failed = 1;
                    break;
                }
            }
            sy_arena_free(&tmp);
            sy_arena_free(&keep);
            CHECK(ca.live_blocks == 0);
        }
    printf("%zu patterns have a table; %zu texts, %zu matches\n", tables, asked, hits);
    CHECK(tables >= 40 && hits > 1000);
}

/* What is too large keeps its program. */
static void test_large(void)
{
    static const char *const large[] = { "(a|b)*a(a|b){9}", "[a-z]{1000}", "(ab?){60}c" };
    for (size_t p = 0; p < sizeof large / sizeof *large; p++) {
        counting_alloc ca = { 0 };
        symbi_alloc al = { counting_fn, &ca };
        sy_arena keep, tmp;
        sy_mnode *node;
        sy_mprog prog;
        const sy_mtable *t = NULL;
        symbi_err e;
        size_t bad;
        sy_arena_init(&keep, al, 0);
        sy_arena_init(&tmp, al, 0);
        CHECK(sy_mparse(&tmp, symbi_str_z(large[p]), 0, &node, &e) == SYMBI_OK && sy_mprog_make(&keep, &tmp, &node, 1, 0, &prog, &bad, &e) == SYMBI_OK);
        CHECK(sy_mtable_make(&keep, &tmp, &prog, &t) && t == NULL);
        sy_arena_free(&tmp);
        sy_arena_free(&keep);
    }
}

int main(void)
{
    symbi_err e;
    if (symbi_ctx_new(NULL, &cx, &e)) return 1;
    RUN(test_same);
    RUN(test_large);
    symbi_ctx_free(cx);
    return test_end();
}
