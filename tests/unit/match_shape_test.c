/* A pattern that is one character after the other says what its program says; which patterns are such, and which are not. */
#include "base/arena.h"
#include "match/match_in.h"
#include "match/shape.h"
#include "test.h"

static uint64_t seed = 88172645463325252u;
static uint32_t rnd(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 33) % n);
}
#define PICK(list) list[rnd(sizeof list / sizeof *list)]

static const char *const atoms[] = { "a", "[ab]", "[0-9]", "\\d", "\\w", "[^a]", ".", "b", "-", "[a-c-]", "\\.", "\xc3\xa9", "(a)", "(?:[0-9])", "(ab)", "a|b", "\\b", "" };
static const char *const times[] = { "", "", "", "", "{2}", "{3}", "{0}", "?", "*", "+", "{1,3}", "{0,2}", "{2,}", "{2}?", "+?" };
static const char *const pieces[] = { "a", "b", "c", "ab", "1", "12", "-", ".", " ", "\n", "\r\n", "A", "\xc3\xa9", "\xe2\x82\xac", "_", "\xff", "\xc3", "a1", "" };

typedef struct one {
    counting_alloc ca;
    sy_arena keep, tmp;
    sy_mprog prog;
    sy_mshape shape;
    bool compiles, is;
} one;

static void open_one(one *o, const char *pattern, unsigned flags)
{
    sy_mnode *node;
    size_t bad;
    memset(o, 0, sizeof *o);
    sy_arena_init(&o->keep, (symbi_alloc){ counting_fn, &o->ca }, 0);
    sy_arena_init(&o->tmp, (symbi_alloc){ counting_fn, &o->ca }, 0);
    o->compiles = !sy_mparse(&o->tmp, symbi_str_z(pattern), flags, &node, NULL) && !sy_mprog_make(&o->keep, &o->tmp, &node, 1, flags, &o->prog, &bad, NULL);
    o->is = o->compiles && sy_mshape_make(node, &o->shape);
}

static void close_one(one *o)
{
    sy_arena_free(&o->tmp);
    sy_arena_free(&o->keep);
    CHECK(o->ca.live_blocks == 0);
}

static void test_same(void)
{
    static const unsigned flavours[] = { 0, 0, SYMBI_MATCH_NOCASE, SYMBI_MATCH_WHOLE, SYMBI_MATCH_UNICODE, SYMBI_MATCH_PYTHON };
    static uint64_t mem[8192];
    size_t shapes = 0, asked = 0, hits = 0;
    for (int round = 0; round < 30000 && !t_now_failed; round++) {
        char pattern[200] = "";
        unsigned flags = PICK(flavours);
        one o;
        if (rnd(12)) strcat(pattern, rnd(5) ? "^" : "\\A");
        for (uint32_t k = rnd(5); k; k--) {
            strcat(pattern, PICK(atoms));
            strcat(pattern, PICK(times));
        }
        if (rnd(12)) strcat(pattern, rnd(5) ? "$" : "\\z");
        open_one(&o, pattern, flags);
        shapes += o.is;
        for (int i = 0; o.is && sy_mprog_need(&o.prog) <= sizeof mem && i < 60; i++) {
            char text[100];
            size_t n = 0;
            bool a, b;
            for (uint32_t k = rnd(7); k; k--) {
                const char *z = PICK(pieces);
                memcpy(text + n, z, strlen(z));
                n += strlen(z);
            }
            a = sy_mshape_match(&o.shape, (symbi_str){ text, n });
            b = sy_mprog_search(&o.prog, (symbi_str){ text, n }, mem) != 0;
            asked++;
            hits += b;
            if (a != b) {
                printf("%s (flags %u) on '%.*s': one by one %d, the program %d\n", pattern, flags, (int)n, text, a, b);
                t_now_failed = 1;
            }
        }
        close_one(&o);
    }
    printf("%zu patterns of single characters, %zu texts, %zu matches\n", shapes, asked, hits);
    CHECK(shapes > 3000 && hits > 5000 && asked - hits > 5000);
}

static void test_which(void)
{
    static const struct { const char *pattern; bool is; } t[] = { { "^[A-Z]{2}[0-9]{6}$", true }, { "^[a-z][a-z0-9_]{0,31}$", true }, { "^a+$", true }, { "^$", true }, { "^(a)(b)$", true }, { "^[0-9]{48}$", true },
        { "^[0-9]{49}$", false }, { "a$", false }, { "^a", false }, { "a", false }, { "^a+b$", false }, { "^a?b?$", false }, { "^(ab)+$", false }, { "^a|b$", false }, { "^(a|b)$", false }, { "^.$", false }, { "^[^a]$", false },
        { "^\xc3\xa9$", false }, { "^a\\b$", false }, { "^^a$", false }, { "^a$$", false }, { "a^b$", false }, { "^abcdefgh$", true }, { "^abcdefghi$", false } };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        one o;
        open_one(&o, t[i].pattern, 0);
        if (!o.compiles || o.is != t[i].is) printf("%s: %d\n", t[i].pattern, o.is), t_now_failed = 1;
        close_one(&o);
    }
}

/* Counts at their ends, and one beyond. */
static void test_counts(void)
{
    char text[2000];
    one o;
    memset(text, '7', sizeof text);
    open_one(&o, "^x[0-9]{2,1000}$", 0);
    REQUIRE(o.is);
    text[0] = 'x';
    CHECK(!sy_mshape_match(&o.shape, (symbi_str){ NULL, 0 }) && !sy_mshape_match(&o.shape, (symbi_str){ text, 2 }) && sy_mshape_match(&o.shape, (symbi_str){ text, 3 }));
    CHECK(sy_mshape_match(&o.shape, (symbi_str){ text, 1001 }) && !sy_mshape_match(&o.shape, (symbi_str){ text, 1002 }));
    text[500] = 'y';
    CHECK(!sy_mshape_match(&o.shape, (symbi_str){ text, 1001 }) && sy_mshape_match(&o.shape, (symbi_str){ text, 500 }));
    close_one(&o);
    open_one(&o, "^[0-9]{2,}$", 0);
    REQUIRE(o.is);
    CHECK(sy_mshape_match(&o.shape, (symbi_str){ text + 501, 1499 }) && !sy_mshape_match(&o.shape, (symbi_str){ text + 501, 1 }));
    close_one(&o);
    open_one(&o, "^$", 0);
    CHECK(o.is && sy_mshape_match(&o.shape, (symbi_str){ NULL, 0 }) && !sy_mshape_match(&o.shape, (symbi_str){ "\n", 1 }));
    close_one(&o);
}

int main(void)
{
    RUN(test_same);
    RUN(test_which);
    RUN(test_counts);
    return test_end();
}
