/* Unit tests of the TOML reader. tests/vectors/toml holds one case per "=== name" block, in plain text:
 *   valid.txt    document, a line "---", then the value in the tagged JSON form that TOML test suites use
 *   invalid.txt  "=== name @ line:col message fragment", then the document
 * Expected values in valid.txt come from Python's tomllib, places in invalid.txt from counting by hand. */
#include "base/buf.h"
#include "base/str.h"
#include "symbi/toml.h"
#include "test.h"
#include <math.h>

static symbi_ctx *new_ctx(void)
{
    symbi_ctx *cx = NULL;
    symbi_err e;
    if (symbi_ctx_new(NULL, &cx, &e)) abort();
    return cx;
}

static void dump_string(sy_buf *b, symbi_str s)
{
    sy_buf_addc(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '"' || c == '\\') sy_buf_addc(b, '\\'), sy_buf_addc(b, (char)c);
        else if (c < 0x20 || c == 0x7f) sy_buf_addf(b, "\\u%04x", c);
        else sy_buf_addc(b, (char)c);
    }
    sy_buf_addc(b, '"');
}

static void dump_double(sy_buf *b, double d)
{
    char hex[64];
    snprintf(hex, sizeof hex, "%a", d); /* exact, as Python's float.hex but for zeros and trailing digits */
    sy_buf_addz(b, hex);
}

static void dump(sy_buf *b, const symbi_value *v)
{
    static const char *const times[] = { "?", "datetime", "datetime-local", "date-local", "time-local" };
    switch ((symbi_kind)v->kind) {
    case SYMBI_BOOL: sy_buf_addf(b, "{\"type\":\"bool\",\"value\":\"%s\"}", v->u.b ? "true" : "false"); break;
    case SYMBI_INT:
        sy_buf_addz(b, "{\"type\":\"integer\",\"value\":\"");
        sy_buf_addi(b, v->u.i);
        sy_buf_addz(b, "\"}");
        break;
    case SYMBI_DOUBLE:
        sy_buf_addz(b, "{\"type\":\"float\",\"value\":\"");
        dump_double(b, v->u.d);
        sy_buf_addz(b, "\"}");
        break;
    case SYMBI_STRING:
        sy_buf_addz(b, "{\"type\":\"string\",\"value\":");
        dump_string(b, v->u.s);
        sy_buf_addz(b, "}");
        break;
    case SYMBI_TIME:
        sy_buf_addf(b, "{\"type\":\"%s\",\"value\":\"", v->sub < 5 ? times[v->sub] : "?");
        sy_buf_adds(b, v->u.s);
        sy_buf_addz(b, "\"}");
        break;
    case SYMBI_ARRAY:
        sy_buf_addc(b, '[');
        for (size_t i = 0; i < v->u.a.n; i++) {
            if (i) sy_buf_addc(b, ',');
            dump(b, &v->u.a.items[i]);
        }
        sy_buf_addc(b, ']');
        break;
    case SYMBI_OBJECT:
        sy_buf_addc(b, '{');
        for (size_t i = 0; i < v->u.o.n; i++) {
            if (i) sy_buf_addc(b, ',');
            dump_string(b, v->u.o.members[i].key);
            sy_buf_addc(b, ':');
            dump(b, &v->u.o.members[i].val);
        }
        sy_buf_addc(b, '}');
        break;
    default: sy_buf_addz(b, "?"); break;
    }
}

/* Calls f(name, document, rest) for each block of a vector file; returns their number. */
static int each_block(const char *path, void (*f)(char *name, symbi_str doc, char *expected))
{
    symbi_str all = slurp(path);
    char *p, *next;
    int n = 0;
    if (!all.p) {
        printf("cannot read %s (run from the root of the repository)\n", path);
        t_now_failed = 1;
        return 0;
    }
    p = strstr(all.p, "=== ");
    for (; p; p = next) {
        char *name = p + 4, *doc = strchr(p, '\n'), *sep;
        symbi_str d;
        if (!doc) break;
        *doc++ = 0;
        next = strncmp(doc, "=== ", 4) == 0 ? doc - 1 : strstr(doc, "\n=== ");
        if (next) *next++ = 0;
        sep = strncmp(doc, "---\n", 4) == 0 ? doc : strstr(doc, "\n---\n");
        if (sep) {
            d.n = (size_t)(sep - doc);
            sep = sep == doc ? doc + 4 : sep + 5;
            if (strchr(sep, '\n')) *strchr(sep, '\n') = 0;
        } else {
            d.n = strlen(doc);
        }
        d.p = doc;
        f(name, d, sep);
        n++;
    }
    free((char *)(uintptr_t)all.p);
    return n;
}

static void check_valid(char *name, symbi_str doc, char *expected)
{
    symbi_ctx *cx = new_ctx();
    symbi_doc *d = NULL;
    symbi_err e;
    sy_buf b;
    if (symbi_toml_parse(cx, doc, &d, &e)) {
        printf("%s: refused: %u:%u: %s\n", name, (unsigned)e.line, (unsigned)e.col, e.msg);
        t_now_failed = 1;
    } else {
        sy_buf_init(&b, (symbi_alloc){ counting_fn, &(counting_alloc){ 0 } }, 1 << 20);
        dump(&b, symbi_doc_root(d));
        if (!expected || strcmp(b.p ? b.p : "", expected) != 0) {
            printf("%s:\n  got      %s\n  expected %s\n", name, b.p, expected ? expected : "(nothing)");
            t_now_failed = 1;
        }
        sy_buf_free(&b);
    }
    symbi_doc_unref(d);
    symbi_ctx_free(cx);
}

static void check_invalid(char *name, symbi_str doc, char *expected)
{
    symbi_ctx *cx = new_ctx();
    symbi_doc *d = NULL;
    symbi_err e;
    unsigned line = 0, col = 0;
    int used = 0;
    char *at = strstr(name, " @ ");
    symbi_status st = symbi_toml_parse(cx, doc, &d, &e);
    (void)expected;
    if (!at || sscanf(at, " @ %u:%u %n", &line, &col, &used) < 2) {
        printf("%s: no place in the vector\n", name);
        t_now_failed = 1;
    } else if (!st) {
        printf("%s: accepted\n", name);
        t_now_failed = 1;
    } else if (e.line != line || e.col != col || !strstr(e.msg, at + used) || e.code != st) {
        printf("%s: got %u:%u %s\n", name, (unsigned)e.line, (unsigned)e.col, e.msg);
        t_now_failed = 1;
    }
    CHECK(!st == !!d);
    symbi_doc_unref(d);
    symbi_ctx_free(cx);
}

static void test_valid_vectors(void) { CHECK(each_block("tests/vectors/toml/valid.txt", check_valid) > 75); }
static void test_invalid_vectors(void) { CHECK(each_block("tests/vectors/toml/invalid.txt", check_invalid) > 80); }

/* ---- bytes that plain text vectors cannot show ---- */

static symbi_status parse(const char *p, size_t n, symbi_doc **d, symbi_err *e)
{
    static symbi_ctx *cx;
    if (!p) {
        symbi_ctx_free(cx);
        cx = NULL;
        return SYMBI_OK;
    }
    if (!cx) cx = new_ctx();
    return symbi_toml_parse(cx, (symbi_str){ p, n }, d, e);
}
#define PARSE(lit, d, e) parse((lit), sizeof(lit) - 1, (d), (e))

static void refuse(const char *p, size_t n, unsigned line, unsigned col, const char *frag, int where)
{
    symbi_doc *d;
    symbi_err e;
    symbi_status st = parse(p, n, &d, &e);
    if (st == SYMBI_OK || d || e.line != line || e.col != col || !strstr(e.msg, frag)) {
        printf("%s:%d: %s %u:%u %s\n", __FILE__, where, symbi_status_name(st), (unsigned)e.line, (unsigned)e.col, e.msg);
        t_now_failed = 1;
    }
    symbi_doc_unref(d);
}
#define REFUSE(lit, line, col, frag) refuse((lit), sizeof(lit) - 1, (line), (col), (frag), __LINE__)

static void test_bytes(void)
{
    symbi_doc *d;
    symbi_err e;
    CHECK_OK(PARSE("\xef\xbb\xbf# mark\r\na = 1\r\nb = \"\"\"\r\nx\r\ny\\\r\n  z\"\"\"\r\n", &d, &e), e);
    REQUIRE(d);
    CHECK(symbi_value_getz(symbi_doc_root(d), "a")->u.i == 1);
    CHECK_STR(symbi_value_str(symbi_doc_root(d), "b", SY_LIT("")), "x\nyz");
    symbi_doc_unref(d);
    CHECK_OK(PARSE("", &d, &e), e);
    CHECK(d && symbi_doc_root(d)->kind == SYMBI_OBJECT && symbi_doc_root(d)->u.o.n == 0);
    symbi_doc_unref(d);
    CHECK_OK(PARSE("a = 'tab\there' # and\there", &d, &e), e);
    symbi_doc_unref(d);
    CHECK_OK(PARSE("s = \"\\u0000\"", &d, &e), e);
    CHECK(d && symbi_value_getz(symbi_doc_root(d), "s")->u.s.n == 1);
    symbi_doc_unref(d);
    REFUSE("\xef\xbb\xbf" "a = ?", 1, 5, "cannot begin");
    REFUSE("\xef\xbb", 1, 1, "UTF-8");
    REFUSE("a = 1\nb = '\xff'", 2, 6, "UTF-8");
    REFUSE("# \xed\xa0\x80", 1, 3, "UTF-8");
    REFUSE("# a\x01", 1, 4, "control character 0x01 in a comment");
    REFUSE("# a\x7f", 1, 4, "0x7f");
    REFUSE("# a\rb = 1", 1, 4, "carriage return");
    REFUSE("a = 1 # \0", 1, 9, "0x00");
    REFUSE("a = \"x\0y\"", 1, 7, "0x00");
    REFUSE("a = 'x\x1fy'", 1, 7, "0x1f");
    REFUSE("a = \"x\ry\"", 1, 7, "carriage return");
    REFUSE("a = \"\"\"x\ry\"\"\"", 1, 9, "carriage return");
    REFUSE("a = '''x\x0cy'''", 1, 9, "0x0c");
    REFUSE("a = 1\rb = 2", 1, 6, "carriage return");
    REFUSE("a = 'x\r\n'", 1, 7, "not closed");
    REFUSE("a = 1\0", 1, 6, "0x00");
    REFUSE("a = \"\\", 1, 6, "not closed");
    REFUSE("a = \"\\u12", 1, 6, "hexadecimal");
    REFUSE("a = \"", 1, 5, "not closed");
    REFUSE("a = \"\"\"\nx\n", 1, 5, "\"\"\" is missing");
    REFUSE("a = [\n1,\n", 1, 5, "']' is missing");
    REFUSE("a = [", 1, 5, "']' is missing");
    REFUSE("a", 1, 2, "'='");
    REFUSE("a =", 1, 4, "missing");
    REFUSE("[", 1, 2, "key is missing");
    REFUSE("[[a", 1, 4, "']'");
    REFUSE("a = {", 1, 6, "key is missing");
    (void)parse(NULL, 0, NULL, NULL);
}

static void test_lines(void)
{
    symbi_doc *d;
    symbi_err e;
    const symbi_value *r, *v;
    CHECK_OK(PARSE("a = 1\n\n[t]\nb = [\n 1,\n 2]\nc = \"\"\"x\ny\"\"\"\nd.e = {f = 1}\n[[u]]\n[[u]]\nz=1", &d, &e), e);
    REQUIRE(d);
    r = symbi_doc_root(d);
    CHECK(r->line == 1 && symbi_value_getz(r, "a")->line == 1 && symbi_value_getz(r, "t")->line == 3);
    v = symbi_value_getz(symbi_value_getz(r, "t"), "b");
    CHECK(v->line == 4 && v->u.a.items[0].line == 5 && v->u.a.items[1].line == 6);
    CHECK(symbi_value_getz(symbi_value_getz(r, "t"), "c")->line == 7);
    v = symbi_value_getz(symbi_value_getz(r, "t"), "d");
    CHECK(v->line == 9 && symbi_value_getz(symbi_value_getz(v, "e"), "f")->line == 9);
    v = symbi_value_getz(r, "u");
    CHECK(v->line == 10 && v->u.a.items[1].line == 11 && symbi_value_getz(&v->u.a.items[1], "z")->line == 12);
    symbi_doc_unref(d);
    (void)parse(NULL, 0, NULL, NULL);
}

static void test_inf_nan(void)
{
    static const char *const bad[] = { "inf", "+inf", "-inf", "nan", "+nan", "-nan" };
    char text[32];
    symbi_doc *d;
    symbi_err e;
    for (size_t i = 0; i < 6; i++) {
        snprintf(text, sizeof text, "a = 0\nb = %s", bad[i]);
        CHECK(parse(text, strlen(text), &d, &e) == SYMBI_ESCHEMA);
        CHECK(e.line == 2 && e.col == 5 && strstr(e.msg, bad[i]));
    }
    CHECK(PARSE("a = 1e400", &d, &e) == SYMBI_EPARSE);
    (void)parse(NULL, 0, NULL, NULL);
}

static symbi_status at_limit(const char *name, size_t value, const char *text, size_t n, symbi_err *e)
{
    symbi_ctx *cx = new_ctx();
    symbi_doc *d;
    symbi_status st;
    if (symbi_limits_set(symbi_ctx_limits(cx), name, value)) abort();
    st = symbi_toml_parse(cx, (symbi_str){ text, n }, &d, e);
    symbi_doc_unref(d);
    symbi_ctx_free(cx);
    return st;
}

static void test_limits(void)
{
    static const char *const deep[] = { "a=[[[1]]]", "a={b={c={d=1}}}", "a.b.c.d=1", "[a.b.c]\nd=1", "[[a]]\n[a.b]\nd=1", "a=[{b=[]}]", "[a]\nb={c={}}" };
    static const char *const nodes[] = { "a=1\nb=[2,3]", "a={b=1,c={d=1}}", "[a]\n[b]\nc=1\n[d]", "[[a]]\nb=1\nc=1", "a.b.c.d=1" };
    symbi_err e;
    CHECK(at_limit("doc_bytes", 5, "a = 1", 5, &e) == SYMBI_OK);
    CHECK(at_limit("doc_bytes", 4, "a = 1", 5, &e) == SYMBI_ELIMIT && strstr(e.msg, "doc_bytes"));
    for (size_t i = 0; i < sizeof deep / sizeof deep[0]; i++) {
        CHECK(at_limit("doc_depth", 4, deep[i], strlen(deep[i]), &e) == SYMBI_OK);
        if (at_limit("doc_depth", 3, deep[i], strlen(deep[i]), &e) != SYMBI_ELIMIT || !strstr(e.msg, "doc_depth")) {
            printf("depth of %s: %s\n", deep[i], e.msg);
            t_now_failed = 1;
        }
    }
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
        CHECK(at_limit("doc_nodes", 5, nodes[i], strlen(nodes[i]), &e) == SYMBI_OK);
        if (at_limit("doc_nodes", 4, nodes[i], strlen(nodes[i]), &e) != SYMBI_ELIMIT || !strstr(e.msg, "doc_nodes")) {
            printf("nodes of %s: %s\n", nodes[i], e.msg);
            t_now_failed = 1;
        }
    }
    CHECK(at_limit("arena_bytes", 600, "a = 'x'", 7, &e) == SYMBI_OK);
    CHECK(at_limit("arena_bytes", 16, "a = 'x'\nb='y'\nc=[1,2,3]", 23, &e) == SYMBI_ELIMIT);
}

/* Hostile shapes: bounded time and memory, no stack exhaustion. */
static void test_hostile(void)
{
    enum { N = 1000000 };
    char *p = malloc(N * 2 + 16);
    symbi_err e;
    symbi_doc *d;
    REQUIRE(p);
    p[0] = 'a', p[1] = '=';
    memset(p + 2, '[', N);
    CHECK(parse(p, N + 2, &d, &e) == SYMBI_ELIMIT && e.col == 2 + 128);
    CHECK(at_limit("doc_depth", 100000000, p, N + 2, &e) == SYMBI_ELIMIT); /* the hard ceiling */
    for (size_t i = 0; i < N; i += 5) memcpy(p + i, "{a={b", 5);
    memcpy(p, "a={b=", 5);
    CHECK(parse(p, N, &d, &e) != SYMBI_OK);
    for (size_t i = 0; i < N; i++) memcpy(p + 2 * i, "a.", 2);
    CHECK(parse(p, 2 * N, &d, &e) == SYMBI_ELIMIT);
    p[0] = '[';
    CHECK(parse(p, 2 * N, &d, &e) != SYMBI_OK);
    memset(p, '"', N); /* quotes only */
    CHECK(parse(p, N, &d, &e) != SYMBI_OK);
    memcpy(p, "a=\"\"\"", 5);
    for (size_t i = 5; i < N; i++) p[i] = i % 3 ? '"' : ' ';
    CHECK(parse(p, N, &d, &e) != SYMBI_OK);
    memcpy(p, "a=", 2);
    memset(p + 2, '9', N);
    CHECK(parse(p, N, &d, &e) == SYMBI_EPARSE && strstr(e.msg, "64 bits"));
    p[3] = '.';
    CHECK(parse(p, N, &d, &e) == SYMBI_OK); /* a million fraction digits round */
    CHECK(d && symbi_value_getz(symbi_doc_root(d), "a")->u.d == 10.0);
    symbi_doc_unref(d);
    {
        /* many keys in one table: linear, and the last duplicate is found */
        size_t n = 0;
        for (int i = 0; i < 100000; i++) n += (size_t)sprintf(p + n, "k%d=1\n", i);
        CHECK(parse(p, n, &d, &e) == SYMBI_OK && symbi_doc_root(d)->u.o.n == 100000);
        symbi_doc_unref(d);
        n += (size_t)sprintf(p + n, "k77=1\n");
        CHECK(parse(p, n, &d, &e) == SYMBI_EPARSE && e.line == 100001 && strstr(e.msg, "line 78"));
    }
    (void)parse(NULL, 0, NULL, NULL);
    free(p);
}

static symbi_status oom_scenario(symbi_ctx *cx, void *ud)
{
    symbi_doc *d;
    symbi_status st = symbi_toml_parse(cx, *(symbi_str *)ud, &d, NULL);
    symbi_doc_unref(d);
    return st;
}
static void test_oom_parse(void)
{
    symbi_str doc = SY_LIT("a = 1\n\"long key of more than one hundred and twenty characters, so that it is looked up through the arena and not a buffer on the stack\".x = [1, [2, 3, 4, 5], {a.b = 1, a.c = \"x\"}]\n"
                           "[t.u]\nx = 2021-01-01T00:00:00Z\ny = 1.5\n[[v]]\n[[v]]\nw = '''a'''\n[v.x]\nq = 0x1f\n");
    symbi_str bad = SY_LIT("a = [1, 2, {b = 1}]\nc = {x = [1, {y = 2, y = 3}]}\n");
    test_oom(oom_scenario, &doc, SYMBI_OK);
    test_oom(oom_scenario, &bad, SYMBI_EPARSE);
}

int main(void)
{
    RUN(test_valid_vectors);
    RUN(test_invalid_vectors);
    RUN(test_bytes);
    RUN(test_lines);
    RUN(test_inf_nan);
    RUN(test_limits);
    RUN(test_hostile);
    RUN(test_oom_parse);
    return test_end();
}
