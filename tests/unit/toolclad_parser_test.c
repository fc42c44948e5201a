/* Unit tests: custom output parsers as contract and plan: which path may be named, whom the operator lists, what the order covers, what is believed;
 * allocation failures. Real ones are in tests/spec/toolclad_parser_spec.lua and tests/unit/io_spawn_parse_test.c. */
#define _GNU_SOURCE
#include "base/str.h"
#include "symbi/json.h"
#include "symbi/toolclad.h"
#include "test.h"

static symbi_ctx *cx;

#define LIST "SYMBIONT_TOOLCLAD_ALLOWED_PARSERS="
#define TOOL "[tool]\nname = \"t\"\nversion = \"1\"\ndescription = \"d\"\n[command]\nexec = [\"p\"]\n[output]\nparser = \"custom:%s\"\n%s[output.schema]\nproperties.n = {type = \"integer\"}\n"

static symbi_status plan(symbi_ctx *c, const char *path, const char *more, const char *env, symbi_tool **t, symbi_plan **p, symbi_err *e)
{
    char text[6000];
    symbi_str words[2] = { SY_LIT("PATH=/bin"), symbi_str_z(env) };
    symbi_plan_options o = { 0 };
    symbi_status st;
    o.base_env = words;
    o.nbase_env = env ? 2 : 1;
    o.scan_id = SY_LIT("1-a");
    snprintf(text, sizeof text, TOOL, path, more);
    st = symbi_tool_parse(c, symbi_str_z(text), SY_LIT("t.clad.toml"), t, e);
    if (!st) st = symbi_tool_plan(c, *t, NULL, &o, p, e);
    return st ? st : symbi_plan_seal(c, *p, e);
}

static symbi_status tried(const char *path, const char *env, symbi_err *e)
{
    symbi_tool *t = NULL;
    symbi_plan *p = NULL;
    symbi_status st = plan(cx, path, "", env, &t, &p, e);
    if (!st) CHECK(p->parser.n == strlen(path) && !memcmp(p->parser.p, path, p->parser.n));
    symbi_plan_unref(p);
    symbi_tool_unref(t);
    return st;
}

static void test_list(void)
{
    static const char *const yes[] = { "/p", "/x:/p", "/p:/x", ":/p:", " /p ", "\t/p\n:", "/x:  /p  :/y" }, *const no[] = { "", ":", "/", "/p/", "/P", "/p /x", "p", "/xx/p", "//p", "*", "/*", "/x,/p", "/p;/x" };
    char env[200];
    symbi_err e;
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        snprintf(env, sizeof env, LIST "%s", yes[i]);
        CHECK_OK(tried("/p", env, &e), e);
    }
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
        snprintf(env, sizeof env, LIST "%s", no[i]);
        if (tried("/p", env, &e) != SYMBI_EDENIED || !strstr(e.msg, "'/p' is not in SYMBIONT_TOOLCLAD_ALLOWED_PARSERS")) printf("  listed by '%s'\n", no[i]), t_now_failed = 1;
    }
    CHECK(tried("/p", NULL, &e) == SYMBI_EDENIED);
    CHECK(tried("/p", "XSYMBIONT_TOOLCLAD_ALLOWED_PARSERS=/p", &e) == SYMBI_EDENIED);
    CHECK(tried("/p", "SYMBIONT_TOOLCLAD_ALLOWED_PARSERSX=/p", &e) == SYMBI_EDENIED);
}

static void test_path(void)
{
    static const char *const bad[] = { "", "p", "./p", "/", "/p/", "//p", "/a//p", "/./p", "/a/.", "/../p", "/a/..", "/a:b", "/a\\tb", "/a\\u007f" }, *const good[] = { "/p", "/a/b c/p", "/a/...", "/a/.p", "/a/..p", "/\xc3\xa9" };
    char longest[4200], env[4400];
    symbi_err e;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (tried(bad[i], LIST "/p", &e) != SYMBI_ESCHEMA || !strstr(e.msg, "output.parser")) printf("  accepted '%s'\n", bad[i]), t_now_failed = 1;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(env, sizeof env, LIST "%s", good[i]);
        CHECK_OK(tried(good[i], env, &e), e);
    }
    memset(longest, 'x', sizeof longest);
    longest[0] = '/';
    longest[4095] = 0;
    snprintf(env, sizeof env, LIST "%s", longest);
    CHECK_OK(tried(longest, env, &e), e);
    longest[4095] = 'x';
    longest[4096] = 0;
    CHECK(tried(longest, env, &e) == SYMBI_ESCHEMA && strstr(e.msg, "too long"));
}

/* The envelope of a run whose tool gave "raw"; NULL: the parser did not run. */
static symbi_doc *envelope(const symbi_parse_run *x, const char *more)
{
    symbi_tool *t = NULL;
    symbi_plan *p = NULL;
    symbi_doc *d = NULL;
    symbi_exec_result r;
    symbi_err e;
    memset(&r, 0, sizeof r);
    r.out = SY_LIT("raw");
    if (x) r.parsed = *x;
    CHECK_OK(plan(cx, "/p", more, LIST "/p", &t, &p, &e), e);
    if (p) CHECK_OK(symbi_tool_envelope(cx, t, p, &r, &d, &e), e);
    symbi_plan_unref(p);
    symbi_tool_unref(t);
    return d;
}

static symbi_str text_of(symbi_doc *d, const char *key) { return symbi_value_str(symbi_doc_root(d), key, SY_LIT("")); }

static void fails(symbi_parse_run x, const char *why, int line)
{
    symbi_doc *d;
    symbi_text t;
    symbi_err e;
    x.tried = true;
    d = envelope(&x, "");
    if (!d) return;
    CHECK_OK(symbi_json_write(cx, symbi_doc_root(d), 0, &t, &e), e);
    if (!sy_str_eqz(text_of(d, "status"), "error") || !strstr(text_of(d, "error").p, why) || memmem(t.p, t.n, "raw", 3)) printf("%s:%d: %.*s\n", __FILE__, line, (int)t.n, t.p), t_now_failed = 1;
    CHECK(symbi_value_getz(symbi_doc_root(d), "results")->u.o.n == 0);
    symbi_text_free(&t);
    symbi_doc_unref(d);
}
#define FAILS(why, ...) fails((symbi_parse_run){ __VA_ARGS__ }, why, __LINE__)

static void test_answers(void)
{
    symbi_parse_run x = { .tried = true, .out = SY_LIT("{\"n\":\"3\",\"parsed_output\":1}"), .sha256 = { 1 } };
    symbi_doc *d = envelope(&x, "");
    REQUIRE(d != NULL);
    CHECK_STR(text_of(d, "status"), "success");
    CHECK_STR(symbi_value_str(symbi_value_getz(symbi_doc_root(d), "results"), "n", SY_LIT("")), "3");
    CHECK(symbi_value_getz(symbi_doc_root(d), "schema_warnings")->u.a.n == 1);
    CHECK_STR(symbi_value_str(symbi_value_getz(symbi_doc_root(d), "parser"), "path", SY_LIT("")), "/p");
    CHECK_STR(symbi_value_str(symbi_value_getz(symbi_doc_root(d), "parser"), "sha256", SY_LIT("")), "0100000000000000000000000000000000000000000000000000000000000000");
    symbi_doc_unref(d);
    x.sha256[0] = 0; /* not known */
    d = envelope(&x, "");
    REQUIRE(d && !symbi_value_getz(symbi_value_getz(symbi_doc_root(d), "parser"), "sha256"));
    symbi_doc_unref(d);
    d = envelope(&x, "strict = true\n");
    REQUIRE(d != NULL);
    CHECK_STR(text_of(d, "status"), "error");
    symbi_doc_unref(d);
    d = envelope(NULL, "");
    REQUIRE(d != NULL);
    CHECK_STR(text_of(d, "status"), "error");
    CHECK(strstr(text_of(d, "error").p, "does not run parsers") && !symbi_value_getz(symbi_doc_root(d), "parser"));
    symbi_doc_unref(d);
    FAILS("exited with code 7: no ?[31mred", .exit_code = 7, .err = SY_LIT(" \nno \x1b[31mred\nmore"), .out = SY_LIT("{}"));
    FAILS("exited with code 7", .exit_code = 7, .out = SY_LIT("{}"));
    FAILS("signal 9", .signal = 9, .exit_code = -1, .out = SY_LIT("{}"));
    FAILS("did not end", .timed_out = true, .exit_code = -1, .signal = 15, .out = SY_LIT("{}"));
    FAILS("was not run: EACCES", .start_errno = 13, .err = SY_LIT("EACCES"));
    FAILS("printed more than 2 bytes", .out_truncated = true, .out = SY_LIT("{}"));
    FAILS("gave no JSON", .out = SY_LIT(""));
    FAILS("gave no JSON", .out = SY_LIT("{} x"));
    FAILS("gave no JSON", .out = SY_LIT("{\"a\":\"\xff\"}x"));
    FAILS("gave no JSON", .out = SY_LIT("NaN"));
}

/* An order for a plan with a parser is none for the same without, or with another. */
static void test_digest(void)
{
    static const char *const path[] = { "/p", "/q" };
    symbi_plan *p[2] = { NULL, NULL };
    symbi_tool *t[2] = { NULL, NULL };
    symbi_err e;
    uint8_t digest[32];
    symbi_str was;
    for (int i = 0; i < 2; i++) CHECK_OK(plan(cx, path[i], "", LIST "/p:/q", &t[i], &p[i], &e), e);
    REQUIRE(p[0] && p[1]);
    CHECK(memcmp(p[0]->digest, p[1]->digest, 32));
    was = p[0]->parser;
    CHECK_OK(symbi_plan_digest(cx, p[0], SY_LIT("{}"), digest, &e), e);
    CHECK(!memcmp(digest, p[0]->digest, 32));
    p[0]->parser = SY_LIT("");
    CHECK_OK(symbi_plan_digest(cx, p[0], SY_LIT("{}"), digest, &e), e);
    CHECK(memcmp(digest, p[1]->digest, 32));
    p[0]->parser = was;
    CHECK(memcmp(digest, p[0]->digest, 32));
    for (int i = 0; i < 2; i++) symbi_plan_unref(p[i]), symbi_tool_unref(t[i]);
}

static symbi_status whole(symbi_ctx *c, void *ud)
{
    symbi_tool *t = NULL;
    symbi_plan *p = NULL;
    symbi_doc *d = NULL, *about = NULL;
    symbi_exec_result r;
    symbi_status st = plan(c, "/p", "", LIST "/p", &t, &p, NULL);
    (void)ud;
    memset(&r, 0, sizeof r);
    r.parsed.tried = true;
    r.parsed.out = SY_LIT("[1,{\"a\":\"\\u00e9\"}]");
    if (!st) st = symbi_tool_envelope(c, t, p, &r, &d, NULL);
    if (!st) st = symbi_tool_evidence(c, t, p, symbi_doc_root(d), &r, NULL, &about, NULL);
    symbi_doc_unref(about);
    symbi_doc_unref(d);
    symbi_plan_unref(p);
    symbi_tool_unref(t);
    return st;
}

static void test_memory(void) { test_oom(whole, NULL, SYMBI_OK); }

int main(void)
{
    symbi_err e;
    if (symbi_ctx_new(NULL, &cx, &e)) return 1;
    RUN(test_list);
    RUN(test_path);
    RUN(test_answers);
    RUN(test_digest);
    RUN(test_memory);
    symbi_ctx_free(cx);
    return test_end();
}
