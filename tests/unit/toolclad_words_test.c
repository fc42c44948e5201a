/* Unit tests: the words of a command, made two ways (subst.c byte by byte, words.c from what was taken apart at load), must be the same: over
 * templates, mappings, conditionals and values put together at random from the pieces that matter. */
#include "base/err.h"
#include "base/str.h"
#include "test.h"
#include "toolclad/subst.h"

static symbi_ctx *cx;
static uint32_t seed;
static uint32_t rnd(uint32_t n) { return ((seed = seed * 1664525u + 1013904223u) >> 8) % n; }

static const char *const template_parts[] = { "p", " ", " ", "  ", "'", "\"", "\\", "x", "-", "--", "--", "=", " -- ", "{a}", "{a}", "{b}", "{e}", "{free}", "{{a}}", "{{zz}}", "{_c}", "{_d}", "{_e_flags}", "{_scan_id}",
    "{_output_file}", "{_evidence_dir}", "{r}", "\t", "''", "\\\\", "\xc3\xa9", "{", "}", "--o={a}", "-{b}" };
static const char *const map_parts[] = { "-s", " ", "'q r'", "\"", "\\ ", "--long", "=", "\\\"", "", "t" };
static const char *const values[] = { "", "x", "-", "--", "-rf", "a b", " a", "b ", "it's", "q\"q", "b\\s", "a  -b c", "\xc3\xa9 \xc3\xa8", "=", "a\tb", "--name=v", "{b}", "longer than sixteen bytes", " ", "\n" };
static const char *const folders[] = { "/ev", "/with blank", "/it's", "/b\\s", "/q\"", "/\xc3\xa9" };

static void some(char *out, size_t cap, const char *const *part, size_t n, size_t most)
{
    size_t k = rnd((uint32_t)most + 1), len = 0;
    out[0] = 0;
    while (k--) {
        const char *s = part[rnd((uint32_t)n)];
        if (len + strlen(s) + 1 >= cap) break;
        strcpy(out + len, s);
        len += strlen(s);
    }
}
#define SOME(out, parts, most) some(out, sizeof out, parts, sizeof parts / sizeof *parts, most)

/* As a TOML basic string. */
static const char *quoted(const char *s)
{
    static char out[8][900];
    static unsigned turn;
    char *o = out[turn++ % 8], *start = o;
    *o++ = '"';
    for (; *s; s++) {
        if (*s == '\t') *o++ = '\\', *o++ = 't';
        else if (*s == '"' || *s == '\\') *o++ = '\\', *o++ = *s;
        else *o++ = *s;
    }
    *o++ = '"';
    *o = 0;
    return start;
}

static symbi_tool *make(void)
{
    char t[6][200], m[3][120], r[60], text[6000];
    symbi_tool *tool = NULL;
    int n;
    for (size_t i = 0; i < 6; i++) SOME(t[i], template_parts, i < 2 ? 4 : 9);
    for (size_t i = 0; i < 3; i++) SOME(m[i], map_parts, 4);
    SOME(r, map_parts, 3);
    n = snprintf(text, sizeof text,
        "[tool]\nname = \"t\"\nversion = \"1\"\ndescription = \"d\"\n[args.a]\n[args.b]\ndefault = \"-d e\"\n[args.e]\ntype = \"enum\"\nallowed = [\"k1\", \"-k2\", \"k3\"]\n[args.free]\nallow_options = true\n"
        "[command]\ndefaults = { r = %s }\nconditionals.c = { when = \"a != ''\", template = %s }\nconditionals.d = { when = \"e == 'k1' or b != '-d e'\", template = %s }\n"
        "mappings.e = { k1 = %s, \"-k2\" = %s, k3 = %s }\n",
        quoted(r), quoted(t[0]), quoted(t[1]), quoted(m[0]), quoted(m[1]), quoted(m[2]));
    if (rnd(2)) snprintf(text + n, sizeof text - (size_t)n, "template = %s\n[output]\n", quoted(t[2]));
    else snprintf(text + n, sizeof text - (size_t)n, "exec = [%s, %s, %s, %s]\n[output]\n", quoted(t[2]), quoted(t[3]), quoted(t[4]), rnd(2) ? "\"{_e_flags}\"" : quoted(t[5]));
    return symbi_tool_parse(cx, symbi_str_z(text), SY_LIT("t"), &tool, NULL) ? NULL : tool;
}

typedef struct outcome {
    symbi_status st;
    symbi_err e;
    symbi_str *argv;
    size_t argc;
} outcome;

static void run(outcome *o, sy_vars *v, bool expand)
{
    symbi_err_clear(&o->e);
    v->err = &o->e;
    v->expand = expand;
    o->argv = NULL;
    o->argc = 0;
    o->st = sy_command_argv(v, &o->argv, &o->argc);
}

static bool same(const outcome *x, const outcome *y)
{
    bool is = x->st == y->st && strcmp(x->e.msg, y->e.msg) == 0 && strcmp(x->e.path, y->e.path) == 0;
    if (x->st || !is) return is;
    is = x->argc == y->argc;
    for (size_t i = 0; is && i < x->argc; i++) is = sy_str_eq(x->argv[i], y->argv[i]) && x->argv[i].p[x->argv[i].n] == 0 && y->argv[i].p[y->argv[i].n] == 0;
    return is;
}

static size_t ran, with_program, failed, spaced;

static void calls(const symbi_tool *t)
{
    symbi_str text[4];
    bool is_default[4];
    sy_arena a;
    sy_arena_init(&a, (symbi_alloc){ counting_fn, &(counting_alloc){ 0 } }, 0);
    for (int k = 0; k < 12; k++) {
        const char *folder = folders[rnd(3) ? 0 : rnd(6)];
        char file[80];
        sy_vars v = { cx, t, &a, text, is_default, SY_LIT("1-a"), symbi_str_z(folder), { file, 0 }, rnd(4) == 0, NULL, false, false };
        outcome x, y;
        snprintf(file, sizeof file, "%s/1-a/scan.txt", folder);
        v.output_file.n = strlen(file);
        v.plain_paths = rnd(2) && !sy_means_more(v.evidence_dir);
        for (size_t i = 0; i < t->nargs; i++) {
            const char *z = sy_str_eqz(t->args[i].name, "e") ? (const char *[]){ "k1", "-k2", "k3" }[rnd(3)] : values[rnd(sizeof values / sizeof *values)];
            text[i] = rnd(6) ? symbi_str_z(z) : (symbi_str){ NULL, 0 };
            is_default[i] = sy_str_eqz(t->args[i].name, "b") && rnd(3) == 0;
            if (is_default[i]) text[i] = SY_LIT("-d e");
        }
        run(&x, &v, true);
        run(&y, &v, false);
        if (!same(&x, &y)) {
            printf("two ways differ (seed %u): %s / %s; template %.*s\n", seed, x.st ? x.e.msg : "words", y.st ? y.e.msg : "words", SY_FMT(t->command.has_template ? t->command.tmpl.source : t->command.exec[0].source));
            for (size_t i = 0; i < x.argc; i++) printf("[%s]", x.argv[i].p);
            printf("\n");
            for (size_t i = 0; i < y.argc; i++) printf("[%s]", y.argv[i].p);
            printf("\n");
            t_now_failed = 1;
        }
        ran++;
        failed += x.st != SYMBI_OK;
        spaced += folder != folders[0];
        with_program += t->command.has_template ? t->command.tmpl.prog != NULL : t->command.exec[0].prog != NULL;
    }
    sy_arena_free(&a);
}

static void test_two_ways(void)
{
    size_t tools = 0;
    for (seed = 1; tools < 6000 && !t_now_failed; ) {
        symbi_tool *t = make();
        if (!t) continue;
        calls(t);
        symbi_tool_unref(t);
        tools++;
    }
    /* what is compared is worth comparing */
    CHECK(ran == 12 * tools && with_program > ran / 3 && with_program < ran && failed > ran / 20 && failed < ran * 19 / 20 && spaced > ran / 20);
    printf("%zu calls, %zu of templates taken apart at load, %zu refused alike\n", ran, with_program, failed);
}

/* As many bytes as a command may have, and one more. */
static void test_size(void)
{
    enum { MAX = SY_COMMAND_MAX };
    static char big[MAX + 2];
    symbi_tool *t = NULL;
    symbi_str text[1] = { { big, MAX - 4 } };
    bool no = false;
    REQUIRE(symbi_tool_parse(cx, SY_LIT("[tool]\nname = \"t\"\nversion = \"1\"\ndescription = \"d\"\n[args.a]\n[command]\nexec = [\"p\", \"--o={a}\"]\n[output]\n"), SY_LIT("t"), &t, NULL) == SYMBI_OK);
    memset(big, 'x', sizeof big);
    for (int expand = 0; expand < 2; expand++)
        for (size_t more = 0; more < 2; more++) {
            sy_arena a;
            sy_vars v = { cx, t, &a, text, &no, SY_LIT("1"), SY_LIT("/e"), SY_LIT("/e/f"), false, NULL, false, false };
            outcome x;
            sy_arena_init(&a, (symbi_alloc){ counting_fn, &(counting_alloc){ 0 } }, 0);
            text[0].n = MAX - 4 + more;
            run(&x, &v, expand != 0);
            CHECK(x.st == (more ? SYMBI_ELIMIT : SYMBI_OK));
            CHECK(more ? strstr(x.e.msg, "larger than 4194304") != NULL : x.argv[1].n == MAX);
            sy_arena_free(&a);
        }
    symbi_tool_unref(t);
}

/* What the plan took from the tool is there as long as the plan is. */
static void test_outlives_the_tool(void)
{
    symbi_tool *t = NULL;
    symbi_plan *p = NULL;
    symbi_value args = sy_val_object(NULL, 0);
    REQUIRE(symbi_tool_parse(cx, SY_LIT("[tool]\nname = \"t\"\nversion = \"1\"\ndescription = \"d\"\n[args.m]\ntype = \"enum\"\nallowed = [\"x\"]\ndefault = \"x\"\n[command]\nexec = [\"prog\", \"--word\", \"{_m_flags}\", \"{m}\"]\n"
                                        "mappings.m = { x = \"-a -b\" }\n[output]\n"), SY_LIT("t"), &t, NULL) == SYMBI_OK);
    REQUIRE(symbi_tool_plan_args(cx, t, &args, NULL, &p, NULL) == SYMBI_OK);
    symbi_tool_unref(t);
    CHECK_STR(p->argv[0], "prog");
    CHECK_STR(p->argv[1], "--word");
    CHECK_STR(p->argv[2], "-a");
    CHECK_STR(p->argv[3], "-b");
    CHECK_STR(p->argv[4], "x");
    CHECK_STR(p->tool, "t");
    CHECK_STR(p->args->u.o.members[0].key, "m");
    symbi_plan_unref(p);
}

int main(void)
{
    if (symbi_ctx_new(NULL, &cx, NULL)) return 1;
    RUN(test_two_ways);
    RUN(test_size);
    RUN(test_outlives_the_tool);
    symbi_ctx_free(cx);
    return test_end();
}
