/* YAML: what scalars are, what is refused and where, limits at and one past, what is written reads back. */
#include "symbi/json.h"
#include "symbi/yaml.h"
#include "test.h"

static symbi_ctx *cx;
static symbi_err err;

/* The document as canonical JSON, or "" with err set. */
static const char *as_json(const char *yaml, size_t n, unsigned flags)
{
    static char buf[4096];
    symbi_doc *d;
    symbi_text t;
    buf[0] = 0;
    if (symbi_yaml_parse(cx, (symbi_str){ yaml, n }, flags, &d, &err)) return buf;
    CHECK_OK(symbi_json_write(cx, symbi_doc_root(d), SYMBI_JSON_CANONICAL, &t, &err), err);
    snprintf(buf, sizeof buf, "%.*s", (int)t.n, t.p);
    symbi_text_free(&t);
    symbi_doc_unref(d);
    return buf;
}

static void test_core(void)
{
    /* YAML 1.2.2, section 10.3.2, and its examples */
    static const struct { const char *yaml, *json; } rows[] = {
        { "", "null" }, { "# only a comment\n", "null" }, { "---\n...\n", "null" }, { "~", "null" }, { "Null", "null" }, { "nULL", "\"nULL\"" },
        { "a:", "{\"a\":null}" }, { "true", "true" }, { "FALSE", "false" }, { "yes", "\"yes\"" }, { "on", "\"on\"" }, { "12", "12" }, { "+12", "12" },
        { "-007", "-7" }, { "0o17", "15" }, { "0xfF", "255" }, { "0b1", "\"0b1\"" }, { "0x", "\"0x\"" }, { "0o8", "\"0o8\"" }, { "-0x1", "\"-0x1\"" },
        { "1.5", "1.5" }, { "1.", "1" }, { ".5", "0.5" }, { "-.5e1", "-5" }, { "1e3", "1000" }, { "+12e03", "12000" }, { "1e", "\"1e\"" }, { ".", "\".\"" },
        { "-", "[null]" }, { "1_000", "\"1_000\"" }, { "12:30", "\"12:30\"" }, { "2001-12-15", "\"2001-12-15\"" }, { "9223372036854775807", "9223372036854775807" },
        { "'12'", "\"12\"" }, { "\"a\\tb\\u00e9\\x41\"", "\"a\\tb\xc3\xa9" "A\"" }, { "! 12", "\"12\"" }, { "!!str 12", "\"12\"" }, { "!!str true", "\"true\"" },
        { "!!map {a: 1}", "{\"a\":1}" }, { "!!seq [1]", "[1]" }, { "a: 1\nb:\n  - x\n  - {c: [2, 3]}\n", "{\"a\":1,\"b\":[\"x\",{\"c\":[2,3]}]}" },
        { "a: |\n  one\n  two\nb: >-\n  folded\n  text\n", "{\"a\":\"one\\ntwo\\n\",\"b\":\"folded text\"}" }, { "1: a\ntrue: b\n", "{\"1\":\"a\",\"true\":\"b\"}" },
        { "a: &x {b: 1}\nc: *x\nd: [*x, *x]\n", "{\"a\":{\"b\":1},\"c\":{\"b\":1},\"d\":[{\"b\":1},{\"b\":1}]}" }, { "a: &x 1\nb: &x 2\nc: *x\n", "{\"a\":1,\"b\":2,\"c\":2}" },
        { "<<: {a: 1}\n", "{\"<<\":{\"a\":1}}" }, { "\xef\xbb\xbf" "a: 1", "{\"a\":1}" }, { "%YAML 1.2\n---\na: 1\n", "{\"a\":1}" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *got = as_json(rows[i].yaml, strlen(rows[i].yaml), SYMBI_YAML_CORE);
        if (strcmp(got, rows[i].json)) {
            printf("%s\n  gives %s (%s)\n  instead of %s\n", rows[i].yaml, got, got[0] ? "" : err.msg, rows[i].json);
            t_now_failed = 1;
        }
    }
}

static void test_text(void)
{
    const char *yaml = "name: yes\nversion: 1.10\nempty:\nnull: ~\nlist: [1, true]\nquoted: 'x'\n";
    CHECK(!strcmp(as_json(yaml, strlen(yaml), SYMBI_YAML_TEXT), "{\"empty\":\"\",\"list\":[\"1\",\"true\"],\"name\":\"yes\",\"null\":\"~\",\"quoted\":\"x\",\"version\":\"1.10\"}"));
}

static void test_refused(void)
{
    static const struct { const char *yaml; symbi_status st; uint32_t line, col; const char *msg; } rows[] = {
        { "a: 1\nb: 2\na: 3\n", SYMBI_EPARSE, 3, 1, "\"a\" is there twice" }, { "{a: 1, 'a': 2}", SYMBI_EPARSE, 1, 8, "twice" },
        { "a: 1\n---\nb: 2\n", SYMBI_EPARSE, 2, 1, "a second document" }, { "--- 1\n--- 2\n", SYMBI_EPARSE, 2, 1, "second document" },
        { "? [a]\n: 1\n", SYMBI_EUNSUPPORTED, 1, 3, "a key must be a scalar" }, { "a: &x [*x]\n", SYMBI_EPARSE, 1, 8, "inside of what it stands for" },
        { "a: *nope\n", SYMBI_EPARSE, 1, 4, "no anchor &nope" }, { "a: &x 1\n*x : 2\n", SYMBI_EUNSUPPORTED, 2, 1, "an alias as a key" },
        { "&x a: 1\n", SYMBI_EUNSUPPORTED, 1, 1, "an anchor on a key" }, { "a: !!python/object:os.system x\n", SYMBI_EUNSUPPORTED, 1, 4, "python/object" },
        { "a: !local x\n", SYMBI_EUNSUPPORTED, 1, 4, "!local" }, { "a: !!int 1\n", SYMBI_EUNSUPPORTED, 1, 4, "int" }, { "a: .inf\n", SYMBI_ESCHEMA, 1, 4, "infinities" },
        { "a: .NaN\n", SYMBI_ESCHEMA, 1, 4, "NaN" }, { "a: 9223372036854775808\n", SYMBI_ESCHEMA, 1, 4, "64 bits" }, { "a: 0x8000000000000000\n", SYMBI_ESCHEMA, 1, 4, "64 bits" },
        { "a: 1e999\n", SYMBI_ESCHEMA, 1, 4, "too large" }, { "a: [1, 2\n", SYMBI_EPARSE, 2, 1, "" }, { "a: 'x\n", SYMBI_EPARSE, 2, 1, "quoted scalar" },
        { "a: b: c\n", SYMBI_EPARSE, 1, 5, "not allowed" }, { "\ta: 1\n", SYMBI_EPARSE, 1, 1, "" }, { "a: \"\\q\"\n", SYMBI_EPARSE, 1, 5, "escape" },
        { "a: 1\nb: \xff\n", SYMBI_EPARSE, 2, 4, "UTF-8" }, { "a: \"\\ud800\"\n", SYMBI_EPARSE, 1, 5, "" }, { "a: @x\n", SYMBI_EPARSE, 1, 4, "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        symbi_doc *d = NULL;
        symbi_status st = symbi_yaml_parse(cx, symbi_str_z(rows[i].yaml), SYMBI_YAML_CORE, &d, &err);
        if (st == rows[i].st && !d && err.line == rows[i].line && (err.col == rows[i].col || !rows[i].msg[0]) && strstr(err.msg, rows[i].msg)) continue;
        printf("%s\n  gives %s %u:%u %s\n", rows[i].yaml, symbi_status_name(st), err.line, err.col, err.msg);
        symbi_doc_unref(d);
        t_now_failed = 1;
    }
    symbi_doc *d = NULL;
    CHECK(symbi_yaml_parse(cx, (symbi_str){ "a: \0b", 5 }, 0, &d, &err) == SYMBI_EPARSE && !d);
}

static char *repeat(const char *piece, size_t times, const char *tail)
{
    size_t n = strlen(piece), t = strlen(tail);
    char *p = malloc(n * times + t + 1);
    for (size_t i = 0; i < times; i++) memcpy(p + i * n, piece, n);
    memcpy(p + n * times, tail, t + 1);
    return p;
}

static symbi_status parse(char *text)
{
    symbi_doc *d = NULL;
    symbi_status st = symbi_yaml_parse(cx, symbi_str_z(text), 0, &d, &err);
    CHECK((st == SYMBI_OK) == (d != NULL));
    symbi_doc_unref(d);
    free(text);
    return st;
}

static void test_limits(void)
{
    symbi_limits *l = symbi_ctx_limits(cx), was = *l;
    char *text = malloc(300000), *p = text;
    l->doc_depth = 10;
    CHECK(parse(repeat("[", 10, "]]]]]]]]]]")) == SYMBI_OK);
    CHECK(parse(repeat("[", 11, "]]]]]]]]]]]")) == SYMBI_ELIMIT);
    *l = was;
    l->doc_nodes = 11;
    CHECK(parse(repeat("- 1\n", 10, "")) == SYMBI_OK);
    CHECK(parse(repeat("- 1\n", 11, "")) == SYMBI_ELIMIT);
    *l = was;
    CHECK(parse(repeat("x", SYMBI_YAML_BYTES, "")) == SYMBI_OK);
    CHECK(parse(repeat("x", SYMBI_YAML_BYTES, "x")) == SYMBI_ELIMIT);
    CHECK(parse(repeat("[", 500000, "")) == SYMBI_ELIMIT); /* and at once */
    CHECK(parse(repeat("{a: ", 200000, "")) == SYMBI_ELIMIT);
    CHECK(parse(repeat("? ", 200000, "")) != SYMBI_OK);
    CHECK(parse(repeat("- ", 200000, "")) == SYMBI_ELIMIT);
    for (int i = 0; i < SYMBI_YAML_ANCHORS; i++) p += sprintf(p, "- &a%d x\n", i);
    CHECK(parse(strdup(text)) == SYMBI_OK);
    sprintf(p, "- &more x\n");
    CHECK(parse(text) == SYMBI_ELIMIT);
    /* Nine levels of nine aliases each: 9^9 values in 400 bytes. */
    text = malloc(4000), p = text;
    p += sprintf(p, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 9; i++) p += sprintf(p, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    CHECK(parse(text) == SYMBI_ELIMIT && strstr(err.msg, "aliases repeat"));
    /* At the limit: 99,999 values and the list they are in. */
    text = malloc(500000), p = text;
    p += sprintf(p, "a: &a [");
    for (int i = 0; i < SYMBI_YAML_ALIASED - 1; i++) p += sprintf(p, "x,");
    sprintf(p, "]\nb: *a\n");
    CHECK(parse(strdup(text)) == SYMBI_OK);
    strcat(text, "c: *a\n");
    CHECK(parse(text) == SYMBI_ELIMIT);
}

static void test_write(void)
{
    static const struct { const char *json, *yaml; } rows[] = {
        { "null", "null\n" }, { "[]", "[]\n" }, { "{}", "{}\n" }, { "\"x\"", "x\n" }, { "12", "12\n" }, { "1.0", "1.0\n" }, { "\"12\"", "\"12\"\n" }, { "\"yes\"", "\"yes\"\n" },
        { "{\"b\":[1,[2,{\"c\":null}],{\"d\":1,\"e\":[]}],\"a b\":\"two words\",\"on\":\"a: b\"}", "b:\n  - 1\n  - - 2\n    - c: null\n  - d: 1\n    e: []\na b: two words\n\"on\": \"a: b\"\n" },
        { "[\"#x\",\"- a\",\"a #b\",\"line\\nend\",\"\",\" x\",\"x \",\"\xe2\x80\xa8\",\"0x10\",\"1e5\",\"~\",\"/etc\"]",
          "- \"#x\"\n- \"- a\"\n- \"a #b\"\n- \"line\\nend\"\n- \"\"\n- \" x\"\n- \"x \"\n- \"\\u2028\"\n- \"0x10\"\n- \"1e5\"\n- \"~\"\n- /etc\n" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        symbi_doc *d = NULL, *again = NULL;
        symbi_text t = { 0 };
        CHECK_OK(symbi_json_parse(cx, symbi_str_z(rows[i].json), &d, &err), err);
        CHECK_OK(symbi_yaml_write(cx, symbi_doc_root(d), &t, &err), err);
        CHECK_STR(symbi_text_str(&t), rows[i].yaml);
        CHECK_OK(symbi_yaml_parse(cx, symbi_text_str(&t), SYMBI_YAML_CORE, &again, &err), err);
        CHECK(again && symbi_value_equal(symbi_doc_root(d), symbi_doc_root(again)));
        symbi_text_free(&t);
        symbi_doc_unref(d);
        symbi_doc_unref(again);
    }
}

static symbi_status scenario(symbi_ctx *c, void *ud)
{
    symbi_doc *d;
    symbi_text t = { 0 };
    symbi_status st = symbi_yaml_parse(c, symbi_str_z("a: &x [1, two, {three: 3.5}]\nb: *x\nc: {d: \"e\\n\", f: [[[x]]]}\n"), 0, &d, NULL);
    (void)ud;
    if (st) return st;
    st = symbi_yaml_write(c, symbi_doc_root(d), &t, NULL);
    symbi_text_free(&t);
    symbi_doc_unref(d);
    return st;
}
static void test_memory(void) { test_oom(scenario, NULL, SYMBI_OK); }

int main(void)
{
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_core);
    RUN(test_text);
    RUN(test_refused);
    RUN(test_limits);
    RUN(test_write);
    RUN(test_memory);
    symbi_ctx_free(cx);
    return test_end();
}
