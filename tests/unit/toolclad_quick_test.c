/* Unit tests: what an argument accepts without a look at the whole value (sy_quick) is what the long way accepts, as the same value, and the
 * long way says why the rest is refused. */
#include "base/err.h"
#include "base/str.h"
#include "test.h"
#include "toolclad/tool.h"

static symbi_ctx *cx;
static uint32_t seed = 7;
static uint32_t rnd(uint32_t n) { return ((seed = seed * 1664525u + 1013904223u) >> 8) % n; }

static const struct { const char *keys; sy_quick quick; } kinds[] = {
    { "type = \"integer\"", SY_QUICK_TYPE }, { "type = \"integer\"\nmin = -3\nmax = 12", SY_QUICK_TYPE }, { "type = \"integer\"\nmin = 1\nmax = 9\nclamp = true", SY_QUICK_TYPE },
    { "type = \"port\"", SY_QUICK_TYPE }, { "type = \"boolean\"", SY_QUICK_TYPE }, { "type = \"number\"\nmin_float = 0.5", SY_QUICK_TYPE },
    { "type = \"enum\"\nallowed = [\"a\", \"-b\", \"ab c\", \"\"]", SY_QUICK_TYPE }, { "type = \"enum\"\nallowed = [\"a\", \"a;b\"]", SY_QUICK_NO }, { "type = \"enum\"\nallowed = [\"a\", \"\\u00e9\"]", SY_QUICK_NO },
    { "pattern = \"^[a-z0-9]{2,5}$\"", SY_QUICK_PATTERN }, { "pattern = \"^[0-9]*$\"\nrequired = true", SY_QUICK_PATTERN },
    { "type = \"regex_match\"\npattern = \"^[A-Z]{2}[0-9]{2}$\"", SY_QUICK_PATTERN }, { "pattern = \"^[a-z;]+$\"", SY_QUICK_NO }, { "pattern = \"^[^a]+$\"", SY_QUICK_NO }, { "pattern = \"^\\\\s+$\"", SY_QUICK_NO },
    { "pattern = \"[a-z]+\"", SY_QUICK_NO }, { "pattern = \"^(a|b)+$\"", SY_QUICK_NO }, { "pattern = \"^[\\\\x00a]+$\"", SY_QUICK_NO }, { "", SY_QUICK_NO }, { "type = \"url\"\nschemes = [\"http\"]", SY_QUICK_NO },
    { "type = \"path\"\npattern = \"^a$\"", SY_QUICK_NO }, { "type = \"duration\"", SY_QUICK_NO }
};
static const char *const pieces[] = { "a", "b", "ab c", "z", "0", "1", "12", "65535", "65536", "-", "+", " ", "\t", ".", "e5", "true", "FALSE", "AB", ";", "$", "\xc3\xa9", "\xff", "\n", "x", "", "99999999999999999999", "-b" };

static bool same(const symbi_value *a, const symbi_value *b) { return symbi_value_equal(a, b) && a->line == b->line && a->sub == b->sub; }

static void one(const symbi_tool *t, const char *keys)
{
    const sy_arg *a = &t->args[0];
    sy_arg slow = *a;
    sy_arena arena;
    sy_arena_init(&arena, (symbi_alloc){ counting_fn, &(counting_alloc){ 0 } }, 0);
    slow.quick = SY_QUICK_NO;
    for (int i = 0; i < 4000; i++) {
        char text[200];
        size_t n = 0;
        symbi_value v, x = { 0 }, y = { 0 };
        symbi_err e, f;
        symbi_status st, st2;
        for (uint32_t k = rnd(4); k; k--) {
            const char *z = pieces[rnd(sizeof pieces / sizeof *pieces)];
            memcpy(text + n, z, strlen(z));
            n += strlen(z);
        }
        if (rnd(20) == 0) text[n++] = 0;
        v = rnd(10) ? sy_val_str((symbi_str){ text, n }) : rnd(2) ? sy_val_int((int64_t)rnd(70000) - 100) : sy_val_double(rnd(100) / 8.0);
        symbi_err_clear(&e);
        st = sy_arg_check(cx, a, &v, &arena, &x, &e);
        st2 = sy_arg_check(cx, &slow, &v, &arena, &y, &f);
        if (st != st2 || (st ? strcmp(e.msg, f.msg) || strcmp(e.path, f.path) : !same(&x, &y) || e.code)) {
            printf("%s: '%.*s': %s / %s\n", keys, (int)n, text, st ? e.msg : "accepted", st2 ? f.msg : "accepted");
            t_now_failed = 1;
        }
        if (!st && x.kind == SYMBI_STRING) CHECK(x.u.s.p[x.u.s.n] == 0 && x.u.s.p != text);
    }
    sy_arena_free(&arena);
}

static void test_same(void)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char text[400];
        symbi_tool *t = NULL;
        symbi_err e;
        snprintf(text, sizeof text, "[tool]\nname = \"t\"\nversion = \"1\"\ndescription = \"d\"\n[args.x]\n%s\n[command]\nexec = [\"p\", \"--\", \"{x}\"]\n[output]\n", kinds[i].keys);
        if (symbi_tool_parse(cx, symbi_str_z(text), SY_LIT("t"), &t, &e)) {
            printf("%s: %s\n", kinds[i].keys, e.msg);
            t_now_failed = 1;
            continue;
        }
        if (t->args[0].quick != kinds[i].quick) printf("%s: quick is %d\n", kinds[i].keys, t->args[0].quick), t_now_failed = 1;
        one(t, kinds[i].keys);
        symbi_tool_unref(t);
    }
}

int main(void)
{
    if (symbi_ctx_new(NULL, &cx, NULL)) return 1;
    RUN(test_same);
    symbi_ctx_free(cx);
    return test_end();
}
