/* tests/unit/toolclad_browser_test.c: browser tools without a browser: URL scope (and the shared vectors), manifests, plans, envelopes, and the
 * machine against a peer that is played here, truthful or not. */
#include "base/buf.h"
#include "base/ctx.h"
#include "symbi/browser.h"
#include "symbi/json.h"
#include "symbi/toml.h"
#include "toolclad/browser_scope.h"
#include "test.h"

static symbi_ctx *ctx(void)
{
    symbi_ctx *cx = NULL;
    if (symbi_ctx_new(NULL, &cx, NULL)) abort();
    return cx;
}

static symbi_doc *json(symbi_ctx *cx, const char *text)
{
    symbi_doc *d = NULL;
    symbi_err err;
    if (symbi_json_parse(cx, symbi_str_z(text), &d, &err)) {
        printf("bad JSON in the test: %s\n", text);
        abort();
    }
    return d;
}

/* ---- scope ---- */

static int where_of(const char *scope, const char *url, bool resource)
{
    symbi_ctx *cx = ctx();
    symbi_doc *d = scope ? json(cx, scope) : NULL;
    symbi_browser_where where;
    symbi_err err;
    symbi_status st = symbi_browser_check_url(d ? symbi_doc_root(d) : NULL, symbi_str_z(url), resource, &where, &err);
    symbi_doc_unref(d);
    symbi_ctx_free(cx);
    if (st) {
        CHECK(st == SYMBI_EDENIED && err.msg[0] && where == SYMBI_BROWSER_NOWHERE);
        return 0;
    }
    return (int)where;
}

#define SCOPE "{\"allowed_domains\":[\"*.example.com\",\"Docs.Example.ORG.\",\"10.0.0.5\",\"[::1]\"],\"blocked_domains\":[\"admin.*\",\"*.evil.example.com\"],\"resource_domains\":[\"cdn.net\"],\"allow_external\":false}"
#define OPEN "{\"allow_external\":true,\"blocked_domains\":[\"evil.com\"]}"

static void test_scope(void)
{
    static const char *const in[] = { "https://a.example.com", "http://a.b.example.com/x?y#z", "https://A.EXAMPLE.com:8443/", "https://docs.example.org./", "http://10.0.0.5:80/", "http://[::1]:8080/",
        "http://[0:0:0:0:0:0:0:1]/", "HTTPS://x_y.example.com/" };
    static const char *const out[] = { "", "https://", "https:///", "https://example.com", "https://example.org", "https://xexample.com", "https://evil.org/.example.com", "https://evil.org#.example.com",
        "https://evil.org?.example.com", "https://evil.org\\.example.com", "https://a.example.com@evil.org", "https://user:pw@a.example.com", "https://a.example.com%2eevil.org", "https://ex%61mple.com",
        "https://a.ex\xc3\xa4mple.com", "https://xn--a.example.com", "https://a.XN--b.example.com", "https://a..example.com", "https://.example.com", "https://-a.example.com", "https://a-.example.com",
        "https://a.example.com..", "https://a.example.com:", "https://a.example.com:0", "https://a.example.com:65536", "https://a.example.com:99999999999", "https://a.example.com:8x", "https:/a.example.com",
        "https:a.example.com", "//a.example.com", "ftp://a.example.com", "file:///etc/passwd", "javascript:alert(1)//a.example.com", "data:text/html,x", "about:blank", "blob:https://a.example.com/1", "view-source:https://a.example.com",
        "https://a.example.com/\n", " https://a.example.com", "https://a.example.com/ x", "https://a.example.com/\t", "https://a.example.com/\x7f", "https://[::1", "https://[::1]x/", "https://[127.0.0.1]/", "https://[fe80::1%25eth0]/",
        "https://admin.example.com", "https://admin.anything.example.com", "https://evil.example.com", "https://x.evil.example.com", "https://cdn.net/x.js", "http://10.0.0.6/", "http://0x0a000005/", "http://167772165/", "http://010.0.0.5/",
        "http://10.5/" };
    for (size_t i = 0; i < sizeof in / sizeof in[0]; i++)
        if (where_of(SCOPE, in[i], false) != SYMBI_BROWSER_INSIDE) printf("%s\n", in[i]), t_now_failed = 1;
    for (size_t i = 0; i < sizeof out / sizeof out[0]; i++)
        if (where_of(SCOPE, out[i], false)) printf("%s\n", out[i]), t_now_failed = 1;
    CHECK(where_of(SCOPE, "https://cdn.net/x.js", true) == SYMBI_BROWSER_INSIDE);
    CHECK(where_of(SCOPE, "https://evil.example.com", true) == 0);
    CHECK(where_of(NULL, "https://a.example.com", false) == 0);
    CHECK(where_of("{}", "https://a.example.com", false) == 0);
    CHECK(where_of("[]", "https://a.example.com", false) == 0);
    /* a scope that cannot be read allows nothing */
    CHECK(where_of("{\"allowed_domains\":\"a.com\",\"allow_external\":true}", "https://a.com", false) == 0);
    CHECK(where_of("{\"allowed_domains\":[\"a.com\",7]}", "https://a.com", false) == 0);
    CHECK(where_of("{\"blocked_domains\":[\"*\"],\"allow_external\":true}", "https://a.com", false) == 0);
    CHECK(where_of("{\"allow_external\":\"yes\"}", "https://a.com", false) == 0);
    CHECK(where_of(OPEN, "https://anything.net", false) == SYMBI_BROWSER_OUTSIDE);
    CHECK(where_of(OPEN, "https://evil.com", false) == 0);
    CHECK(where_of(OPEN, "http://127.0.0.1/", false) == SYMBI_BROWSER_OUTSIDE);
    CHECK(where_of("{\"allowed_domains\":[\"*.x.com\"],\"blocked_domains\":[\"*.x.com\"]}", "https://a.x.com", false) == 0);
}

/* What lies outside goes through the network guard besides. */
static void test_judge(void)
{
    static const char *const bad[] = { "http://127.0.0.1/", "http://[::1]/", "http://10.0.0.1/", "http://169.254.169.254/latest", "http://localhost/", "http://intranet/", "http://metadata.google.internal/", "http://0.0.0.0/" };
    symbi_ctx *cx = ctx();
    symbi_doc *open = json(cx, OPEN), *named = json(cx, "{\"allowed_domains\":[\"localhost\",\"127.0.0.1\"]}");
    symbi_browser_where where;
    symbi_err err;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(symbi_browser_judge_url(symbi_doc_root(open), symbi_str_z(bad[i]), false, &where, &err) == SYMBI_EDENIED);
        CHECK(where == SYMBI_BROWSER_NOWHERE);
    }
    CHECK_OK(symbi_browser_judge_url(symbi_doc_root(open), symbi_str_z("https://example.com/"), false, &where, &err), err);
    CHECK(where == SYMBI_BROWSER_OUTSIDE);
    CHECK_OK(symbi_browser_judge_url(symbi_doc_root(named), symbi_str_z("http://localhost:8080/"), false, &where, &err), err);
    CHECK_OK(symbi_browser_judge_url(symbi_doc_root(named), symbi_str_z("http://127.0.0.1:8080/"), false, &where, &err), err);
    CHECK(where == SYMBI_BROWSER_INSIDE);
    symbi_doc_unref(open);
    symbi_doc_unref(named);
    symbi_ctx_free(cx);
}

static void test_entries(void)
{
    static const char *const good[] = { "a.com", "*.a.com", "localhost", "10.0.0.1", "::1", "[fd00::1]", "a_b.c" };
    static const char *const bad[] = { "", "*", "*.", ".a.com", "a..b", "https://a.com", "a.com:80", "a.com/x", "*.*.com", "a*b", "x.*", "10.1", "b\xc3\xa4.com", "xn--x.com", "[1.2.3.4]", "10.0.0.0/8" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) CHECK(!sy_scope_entry(symbi_str_z(good[i]), false));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (!sy_scope_entry(symbi_str_z(bad[i]), false)) printf("%s\n", bad[i]), t_now_failed = 1;
    CHECK(!sy_scope_entry(symbi_str_z("admin.*"), true));
}

static void test_network(void)
{
    symbi_ctx *cx = ctx();
    sy_buf rules, pac;
    symbi_doc *d = json(cx, "{\"allowed_domains\":[\"a.com\",\"*.b.com\",\"::1\"],\"blocked_domains\":[\"x.b.com\",\"*.c.com\",\"admin.*\"]}"), *plain = json(cx, "{\"allowed_domains\":[\"a.com\"],\"blocked_domains\":[\"c.com\"]}");
    sy_buf_init(&rules, cx->alloc, 4096);
    sy_buf_init(&pac, cx->alloc, 4096);
    sy_scope_network(symbi_doc_root(d), &rules, &pac);
    CHECK_STR(sy_buf_str(&rules), "MAP x.b.com ~NOTFOUND, MAP c.com ~NOTFOUND, MAP *.c.com ~NOTFOUND, MAP admin.* ~NOTFOUND, MAP a.com a.com, EXCLUDE *.b.com, MAP [::1] [::1], MAP * ~NOTFOUND");
    CHECK(strstr(pac.p, "if(h==\"x.b.com\")return d;") && strstr(pac.p, "shExpMatch(h,\"*.c.com\")") && strstr(pac.p, "shExpMatch(h,\"admin.*\")") && strstr(pac.p, "return \"DIRECT\"}"));
    sy_buf_clear(&rules);
    sy_buf_clear(&pac);
    sy_scope_network(symbi_doc_root(plain), &rules, &pac);
    CHECK_STR(sy_buf_str(&rules), "MAP c.com ~NOTFOUND, MAP a.com a.com, MAP * ~NOTFOUND");
    CHECK(!pac.n);
    sy_buf_clear(&rules);
    sy_scope_network(NULL, &rules, &pac);
    CHECK_STR(sy_buf_str(&rules), "MAP * ~NOTFOUND");
    sy_buf_free(&rules);
    sy_buf_free(&pac);
    symbi_doc_unref(d);
    symbi_doc_unref(plain);
    symbi_ctx_free(cx);
}

/* ---- vectors ---- */

static symbi_doc *vectors(symbi_ctx *cx, const char *name)
{
    const char *dir = vectors_dir();
    char path[600];
    symbi_doc *d = NULL;
    symbi_err err;
    FILE *f;
    char *text;
    long n;
    if (!dir) return NULL;
    snprintf(path, sizeof path, "%s/toolclad/%s", dir, name);
    f = fopen(path, "rb");
    if (!f) return NULL;
    fseek(f, 0, SEEK_END);
    n = ftell(f);
    rewind(f);
    text = malloc((size_t)n + 1);
    if (!text || fread(text, 1, (size_t)n, f) != (size_t)n) abort();
    fclose(f);
    CHECK_OK(symbi_json_parse(cx, (symbi_str){ text, (size_t)n }, &d, &err), err);
    free(text);
    return d;
}

static bool is(const symbi_value *v, const char *key, const char *want)
{
    symbi_str s = symbi_value_str(v, key, symbi_str_z(""));
    return s.n == strlen(want) && !memcmp(s.p, want, s.n);
}

static void test_scope_vectors(void)
{
    symbi_ctx *cx = ctx();
    symbi_doc *d = vectors(cx, "browser_scope.json");
    const symbi_value *cases;
    if (!d) {
        symbi_ctx_free(cx);
        SKIP("no shared vectors");
    }
    cases = symbi_value_getz(symbi_doc_root(d), "cases");
    for (size_t i = 0; i < cases->u.a.n; i++) {
        const symbi_value *c = &cases->u.a.items[i];
        symbi_browser_where where;
        symbi_err err;
        symbi_str url = symbi_value_str(c, "url", symbi_str_z("")), id = symbi_value_str(c, "id", symbi_str_z(""));
        bool allowed = symbi_browser_check_url(symbi_value_getz(c, "scope"), url, false, &where, &err) == SYMBI_OK;
        if (allowed != is(c, "expect", "allow")) printf("%.*s %.*s: %s\n", (int)id.n, id.p, (int)url.n, url.p, allowed ? "allowed" : err.msg), t_now_failed = 1;
    }
    printf("browser_scope.json: %zu cases\n", cases->u.a.n);
    CHECK(cases->u.a.n > 20);
    symbi_doc_unref(d);
    symbi_ctx_free(cx);
}

/* ---- manifests and plans ---- */

#define HEAD "[tool]\nname = \"web\"\nversion = \"1\"\ndescription = \"d\"\ntimeout_seconds = 20\n[browser]\n"
#define TAIL "\n[output]\nformat = \"json\"\n[output.schema]\n"
#define ARG(c, a, more) "[browser.commands." c "]\ndescription = \"d\"\n[browser.commands." c ".args." a "]\nrequired = true\n" more
#define PLAIN(c) "[browser.commands." c "]\ndescription = \"d\"\n"
static const char k_web[] = HEAD "max_interactions = 3\n[browser.scope]\nallowed_domains = [\"*.example.com\", \"a.org\"]\nblocked_domains = [\"admin.example.com\"]\n" ARG("navigate", "url", "type = \"url\"\nschemes = [\"http\",\"https\"]\n")
    ARG("click", "selector", "sanitize = []\n") ARG("type_text", "text", "sanitize = []\n") ARG("execute_js", "expression", "sanitize = []\n")
    ARG("wait_for", "selector", "sanitize = []\n") "[browser.commands.wait_for.args.timeout_ms]\ntype = \"integer\"\ndefault = 300\n" PLAIN("snapshot") PLAIN("screenshot") PLAIN("go_back") PLAIN("list_tabs") PLAIN("extract_html") TAIL;

static symbi_tool *load(symbi_ctx *cx, const char *toml)
{
    symbi_tool *t = NULL;
    symbi_err err;
    CHECK_OK(symbi_tool_parse(cx, symbi_str_z(toml), symbi_str_z("web.clad.toml"), &t, &err), err);
    return t;
}

static symbi_tool *command(symbi_tool *t, const char *name)
{
    for (size_t i = 0; t && i < symbi_tool_command_count(t); i++) {
        symbi_tool_info info;
        symbi_tool_get_info(symbi_tool_command_at(t, i), &info);
        if (info.name.n == strlen(name) && !memcmp(info.name.p, name, info.name.n)) return symbi_tool_command_at(t, i);
    }
    return NULL;
}

/* Validates and plans; the status, with *out on success. */
static symbi_status plan(symbi_ctx *cx, symbi_tool *t, const char *name, const char *args, symbi_plan **out, symbi_err *err)
{
    symbi_tool *c = command(t, name);
    symbi_plan_options o = { 0 };
    symbi_doc *a, *v = NULL;
    symbi_status st;
    *out = NULL;
    if (!c) return SYMBI_ENOTFOUND;
    st = symbi_json_parse(cx, symbi_str_z(args), &a, err);
    if (st) return st;
    st = symbi_tool_validate(cx, c, symbi_doc_root(a), &v, err);
    symbi_doc_unref(a);
    if (st) return st;
    o.scan_id = symbi_str_z("1-x");
    o.evidence_dir = symbi_str_z("/ev");
    st = symbi_tool_plan(cx, c, symbi_doc_root(v), &o, out, err);
    if (!st) st = symbi_plan_seal(cx, *out, err);
    symbi_doc_unref(v);
    return st;
}

static void test_command_vectors(void)
{
    symbi_ctx *cx = ctx();
    symbi_doc *d = vectors(cx, "browser_command.json");
    const symbi_value *cases;
    symbi_tool *t = NULL;
    symbi_err err;
    if (!d) {
        symbi_ctx_free(cx);
        SKIP("no shared vectors");
    }
    cases = symbi_value_getz(symbi_doc_root(d), "cases");
    CHECK_OK(symbi_tool_parse(cx, symbi_value_str(symbi_doc_root(d), "manifest", symbi_str_z("")), symbi_str_z("web.clad.toml"), &t, &err), err);
    for (size_t i = 0; t && i < cases->u.a.n; i++) {
        const symbi_value *c = &cases->u.a.items[i];
        symbi_str tool = symbi_value_str(c, "tool", symbi_str_z("")), id = symbi_value_str(c, "id", symbi_str_z(""));
        char name[200];
        symbi_text args;
        symbi_plan *p = NULL;
        symbi_status st;
        snprintf(name, sizeof name, "%.*s", (int)tool.n, tool.p);
        if (symbi_json_write(cx, symbi_value_getz(c, "args"), 0, &args, &err)) abort();
        st = plan(cx, t, name, args.p, &p, &err);
        if ((st == SYMBI_OK) != is(c, "expect", "pass")) printf("%.*s %s %s: %s\n", (int)id.n, id.p, name, args.p, st ? err.msg : "passes"), t_now_failed = 1;
        symbi_plan_unref(p);
        symbi_text_free(&args);
    }
    printf("browser_command.json: %zu cases\n", cases->u.a.n);
    symbi_tool_unref(t);
    symbi_doc_unref(d);
    symbi_ctx_free(cx);
}

static void refused(const char *more, const char *frag)
{
    symbi_ctx *cx = ctx();
    symbi_tool *t = NULL;
    symbi_err err;
    char text[2000];
    snprintf(text, sizeof text, "%s%s%s", HEAD, more, PLAIN("snapshot") TAIL);
    if (!symbi_tool_parse(cx, symbi_str_z(text), symbi_str_z("web.clad.toml"), &t, &err) || !strstr(err.msg, frag)) printf("'%s' gives %s\n", more, t ? "a tool" : err.msg), t_now_failed = 1;
    symbi_tool_unref(t);
    symbi_ctx_free(cx);
}

static void test_load(void)
{
    refused("engine = \"cpd\"\n", "did you mean 'cdp'");
    refused("connect = \"lauch\"\n", "did you mean 'launch'");
    refused("extract_mode = \"xml\"\n", "unknown value");
    refused("[browser.defaults]\nextract_mode = \"htm\"\n", "did you mean 'html'");
    refused("max_interactions = 0\n", "from 1 to");
    refused("idle_timeout_seconds = 0\n", "from 1 to");
    refused("session_timeout_seconds = 100000\n", "from 1 to");
    refused("headless = \"yes\"\n", "boolean");
    refused("[browser.scope]\nallowed_domains = [\"https://a.com\"]\n", "no scheme and no port");
    refused("[browser.scope]\nallowed_domains = [\"*\"]\n", "allow_external");
    refused("[browser.scope]\nallowed_domains = [\"a.*\"]\n", "blocked_domains");
    refused("[browser.scope]\nallowed_domains = \"a.com\"\n", "list");
    refused("connect = \"live\"\nendpoint = \"http://10.0.0.1:9222\"\n", "this machine only");
    refused("connect = \"live\"\nendpoint = \"https://localhost:9222\"\n", "this machine only");
    refused("connect = \"live\"\nendpoint = \"http://localhost@evil.com:9222\"\n", "this machine only");
}

static void test_plan(void)
{
    symbi_ctx *cx = ctx();
    symbi_tool *t = load(cx, k_web);
    symbi_plan *p = NULL, *q = NULL;
    symbi_err err;
    REQUIRE(t);
    CHECK_OK(plan(cx, t, "web.navigate", "{\"url\":\"https://app.example.com/x\"}", &p, &err), err);
    REQUIRE(p);
    CHECK_STR(p->command, "browser navigate url=https://app.example.com/x");
    CHECK(is(p->detail, "command", "navigate") && is(symbi_value_getz(p->detail, "settings"), "tool", "web"));
    symbi_plan_unref(p);
    CHECK(plan(cx, t, "web.navigate", "{\"url\":\"https://admin.example.com/\"}", &p, &err) == SYMBI_EDENIED && strstr(err.msg, "is blocked by scope rule 'admin.example.com'"));
    CHECK(plan(cx, t, "web.navigate", "{\"url\":\"https://evil.org/\"}", &p, &err) == SYMBI_EDENIED && strstr(err.msg, "not in allowed domains: *.example.com, a.org"));
    CHECK(plan(cx, t, "web.navigate", "{}", &p, &err) == SYMBI_ESCHEMA);
    /* what is typed is nobody's business; sanitize = [] lets any text through, but a NUL and bad UTF-8 */
    CHECK_OK(plan(cx, t, "web.type_text", "{\"text\":\"s3cr3t; $(x)\\nline\"}", &p, &err), err);
    CHECK(p && !strstr(p->command.p, "s3cr3t"));
    symbi_plan_unref(p);
    CHECK(plan(cx, t, "web.type_text", "{\"text\":\"a\\u0000b\"}", &p, &err) == SYMBI_ESCHEMA);
    CHECK_OK(plan(cx, t, "web.click", "{\"selector\":\"a[href=\\\"x\\\"]\"}", &p, &err), err);
    symbi_plan_unref(p);
    CHECK_OK(plan(cx, t, "web.screenshot", "{}", &p, &err), err);
    CHECK_OK(plan(cx, t, "web.screenshot", "{}", &q, &err), err);
    CHECK(p && q && !memcmp(p->digest, q->digest, 32));
    CHECK(p && !strcmp(p->output_file.p, "/ev/1-x-web.screenshot/screenshot.png"));
    symbi_plan_unref(p);
    symbi_plan_unref(q);
    symbi_tool_unref(t);
    /* without a scope there is nowhere to go; playwright is refused */
    t = load(cx, HEAD ARG("navigate", "url", "type = \"url\"\nschemes = [\"https\"]\n") TAIL);
    CHECK(plan(cx, t, "web.navigate", "{\"url\":\"https://a.com/\"}", &p, &err) == SYMBI_EDENIED && strstr(err.msg, "no [browser.scope]"));
    symbi_tool_unref(t);
    t = load(cx, HEAD "engine = \"playwright\"\n" PLAIN("snapshot") PLAIN("fly") TAIL);
    CHECK(plan(cx, t, "web.snapshot", "{}", &p, &err) == SYMBI_EUNSUPPORTED && strstr(err.msg, "cdp"));
    symbi_tool_unref(t);
    t = load(cx, HEAD PLAIN("fly") TAIL);
    CHECK(plan(cx, t, "web.fly", "{}", &p, &err) == SYMBI_EUNSUPPORTED && strstr(err.msg, "Unknown browser command"));
    symbi_tool_unref(t);
    symbi_ctx_free(cx);
}

static void envelope(const char *raw, const char *frag, const char *name)
{
    symbi_ctx *cx = ctx();
    symbi_tool *t = load(cx, k_web);
    symbi_doc *d = json(cx, raw), *env = NULL;
    symbi_plan *p;
    symbi_text text = { 0 };
    symbi_err err;
    CHECK_OK(plan(cx, t, name, "{}", &p, &err), err);
    CHECK_OK(symbi_tool_envelope_of(cx, command(t, name), p, symbi_doc_root(d), &env, &err), err);
    if (env && !symbi_json_write(cx, symbi_doc_root(env), 0, &text, &err) && !strstr(text.p, frag)) printf("%s\n", text.p), t_now_failed = 1;
    symbi_text_free(&text);
    symbi_doc_unref(env);
    symbi_doc_unref(d);
    symbi_plan_unref(p);
    symbi_tool_unref(t);
    symbi_ctx_free(cx);
}

static void test_envelope(void)
{
    envelope("{}", "\"status\":\"error\"", "web.snapshot");
    envelope("{}", "gave no result", "web.snapshot");
    envelope("{\"status\":7,\"content\":\"x\"}", "\"status\":\"error\"", "web.snapshot");
    envelope("{\"status\":\"success\",\"content\":\"abc\"}", "\"output_bytes\":3,\"output_hash\":\"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"", "web.snapshot");
    envelope("{\"status\":\"success\",\"content\":\"abc\",\"url\":\"u\",\"extra\":1}", "\"results\":{\"url\":\"u\",\"title\":\"\",\"domain\":\"\",\"content\":\"abc\",\"page_state\":{", "web.snapshot");
    envelope("{\"status\":\"success\"}", "the screenshot was not written", "web.screenshot");
    envelope("{\"status\":\"success\",\"screenshot\":{\"sha256\":\"zz\"}}", "the screenshot was not written", "web.screenshot");
    envelope("{\"status\":\"success\",\"screenshot\":{\"sha256\":\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"}}", "\"screenshot_path\":\"/ev/1-x-web.screenshot/screenshot.png\"", "web.screenshot");
    envelope("{\"status\":\"denied\",\"error\":\"no\",\"content\":\"secret page\"}", "\"error\":\"no\"", "web.snapshot");
}

/* ---- the machine ---- */

typedef struct rig {
    symbi_ctx *cx;
    symbi_tool *tool;
    symbi_browser *b;
    fake_clock clock;
    symbi_err err;
    char sent[20000]; /* all messages since the last look, one a line */
} rig;

static bool rig_open(rig *g, const char *toml)
{
    symbi_env env;
    memset(g, 0, sizeof *g);
    symbi_env_init(&env);
    g->clock.wall = 1700000000000;
    g->clock.mono = 1000;
    env.clock.wall_ms = fake_wall;
    env.clock.mono_ms = fake_mono;
    env.clock.ud = &g->clock;
    if (symbi_ctx_new(&env, &g->cx, NULL)) abort();
    g->tool = load(g->cx, toml);
    return g->tool != NULL;
}

static void rig_close(rig *g)
{
    symbi_browser_free(g->b);
    symbi_tool_unref(g->tool);
    symbi_ctx_free(g->cx);
}

static symbi_status rig_begin(rig *g, const char *name, const char *args)
{
    symbi_plan *p;
    symbi_status st = plan(g->cx, g->tool, name, args, &p, &g->err);
    if (!st && !g->b) st = symbi_browser_new(g->cx, p, &g->b, &g->err);
    if (!st) st = symbi_browser_begin(g->b, p, &g->err);
    symbi_plan_unref(p);
    return st;
}

static const char *sent(rig *g)
{
    size_t n = 0;
    symbi_str s;
    g->sent[0] = 0;
    while ((s = symbi_browser_out(g->b)).n) {
        n += (size_t)snprintf(g->sent + n, sizeof g->sent - n, "%.*s\n", (int)(s.n > 4000 ? 4000 : s.n), s.p);
        symbi_browser_sent(g->b);
    }
    return g->sent;
}

/* The id of the last message sent with that method. */
static long id_of(const rig *g, const char *method)
{
    char key[100];
    const char *p = g->sent, *hit = NULL;
    long id = 0;
    snprintf(key, sizeof key, "\"method\":\"%s\"", method);
    while ((p = strstr(p, key))) hit = p, p++;
    if (!hit) return 0;
    while (hit > g->sent && hit[-1] != '\n') hit--;
    if (sscanf(hit, "{\"id\":%ld", &id) != 1) return 0;
    return id;
}

static void feed(rig *g, const char *text) { CHECK_OK(symbi_browser_feed(g->b, symbi_str_z(text), false, &g->err), g->err); }

static void answer(rig *g, long id, const char *result)
{
    char text[8000];
    snprintf(text, sizeof text, "{\"id\":%ld,\"result\":%s}", id, result);
    feed(g, text);
}

static void event(rig *g, const char *method, const char *params)
{
    char text[8000];
    snprintf(text, sizeof text, "{\"method\":\"%s\",\"params\":%s,\"sessionId\":\"S1\"}", method, params);
    feed(g, text);
}

/* To a browser with one tab that is ready. */
static void come_up(rig *g)
{
    const char *out = sent(g);
    CHECK(strstr(out, "Browser.setDownloadBehavior") && strstr(out, "\"behavior\":\"deny\"") && strstr(out, "\"waitForDebuggerOnStart\":true"));
    feed(g, "{\"method\":\"Target.attachedToTarget\",\"params\":{\"sessionId\":\"S1\",\"targetInfo\":{\"targetId\":\"T1\",\"type\":\"page\",\"url\":\"about:blank\"},\"waitingForDebugger\":true}}");
    answer(g, id_of(g, "Target.setAutoAttach"), "{}");
    out = sent(g);
    CHECK(strstr(out, "Fetch.enable") && strstr(out, "\"urlPattern\":\"*\"") && !strstr(out, "runIfWaiting")); /* held first, then let run */
    answer(g, id_of(g, "Fetch.enable"), "{}");
}

static void wait_ms(rig *g, int64_t ms)
{
    g->clock.mono += ms;
    CHECK_OK(symbi_browser_tick(g->b, &g->err), g->err);
}

/* Is the page asked whether it is there? Answers that. */
static bool pinged(rig *g)
{
    bool is = strstr(g->sent, "\"expression\":\"0\"") != NULL;
    if (is) answer(g, id_of(g, "Runtime.evaluate"), "{\"result\":{\"type\":\"number\",\"value\":0}}");
    return is;
}

/* Time passes until the command comes to its end, or is still waiting. */
static bool settles(rig *g)
{
    pinged(g); /* seen already */
    for (int i = 0; i < 8; i++) {
        sent(g);
        pinged(g);
        if (strstr(g->sent, "Page.getNavigationHistory")) return true;
        wait_ms(g, 130);
    }
    return false;
}

/* The end of a command: history, world, state. */
static void finish(rig *g, const char *url)
{
    char text[600];
    if (!strstr(g->sent, "Page.getNavigationHistory")) settles(g);
    CHECK(id_of(g, "Page.getNavigationHistory"));
    snprintf(text, sizeof text, "{\"currentIndex\":0,\"entries\":[{\"id\":1,\"url\":\"%s\",\"title\":\"Ti\"}]}", url);
    answer(g, id_of(g, "Page.getNavigationHistory"), text);
    sent(g);
    answer(g, id_of(g, "Page.createIsolatedWorld"), "{\"executionContextId\":5}");
    sent(g);
    answer(g, id_of(g, "Runtime.callFunctionOn"), "{\"result\":{\"type\":\"object\",\"value\":{\"forms\":true,\"auth\":false,\"loaded\":true}}}");
}

/* The reply as JSON, or "". */
static const char *reply(rig *g)
{
    static char text[20000];
    symbi_doc *d = NULL;
    symbi_text t = { 0 };
    text[0] = 0;
    if (symbi_browser_done(g->b) && !symbi_browser_reply(g->b, &d, &g->err) && !symbi_json_write(g->cx, symbi_doc_root(d), 0, &t, &g->err)) snprintf(text, sizeof text, "%.*s", (int)t.n, t.p);
    symbi_text_free(&t);
    symbi_doc_unref(d);
    return text;
}

#define NAVIGATE "{\"url\":\"https://app.example.com/x\"}"
static void navigate(rig *g)
{
    CHECK_OK(rig_begin(g, "web.navigate", NAVIGATE), g->err);
    if (!g->sent[0]) come_up(g);
    sent(g);
    CHECK(strstr(g->sent, "\"url\":\"https://app.example.com/x\""));
    event(g, "Fetch.requestPaused", "{\"requestId\":\"R1\",\"resourceType\":\"Document\",\"frameId\":\"T1\",\"request\":{\"url\":\"https://app.example.com/x\",\"method\":\"GET\",\"headers\":{}}}");
    answer(g, id_of(g, "Page.navigate"), "{\"frameId\":\"T1\",\"loaderId\":\"L1\"}");
    CHECK(strstr(sent(g), "Fetch.continueRequest"));
    event(g, "Page.frameNavigated", "{\"frame\":{\"id\":\"T1\",\"loaderId\":\"L1\",\"url\":\"https://app.example.com/x\"}}");
    finish(g, "https://app.example.com/x");
}

static void test_machine(void)
{
    rig g;
    const char *out;
    REQUIRE(rig_open(&g, k_web));
    navigate(&g);
    CHECK(symbi_browser_begin(g.b, NULL ? NULL : (const symbi_plan *)&(symbi_plan){ 0 }, &g.err) == SYMBI_ESTATE); /* not fetched yet */
    out = reply(&g);
    CHECK(strstr(out, "\"status\":\"success\"") && strstr(out, "\"url\":\"https://app.example.com/x\"") && strstr(out, "\"domain\":\"app.example.com\"") && strstr(out, "\"has_forms\":true") && strstr(out, "\"interaction_count\":1"));
    CHECK(is(symbi_browser_state(g.b), "domain", "app.example.com"));
    CHECK(!symbi_browser_done(g.b));
    /* a tree */
    CHECK_OK(rig_begin(&g, "web.snapshot", "{}"), g.err);
    sent(&g);
    answer(&g, id_of(&g, "Accessibility.getFullAXTree"),
        "{\"nodes\":[{\"nodeId\":\"1\",\"role\":{\"value\":\"RootWebArea\"},\"name\":{\"value\":\"Ti\"},\"childIds\":[\"2\",\"1\",\"9\",\"3\"]},"
        "{\"nodeId\":\"2\",\"role\":{\"value\":\"button\"},\"name\":{\"value\":\"Go\\nnow\"},\"properties\":[{\"name\":\"disabled\",\"value\":{\"value\":true}}]},"
        "{\"nodeId\":\"3\",\"ignored\":true,\"role\":{\"value\":\"generic\"},\"childIds\":[\"4\",\"3\"]},{\"nodeId\":\"4\",\"role\":{\"value\":\"link\"},\"name\":{\"value\":\"L\"},\"childIds\":[\"1\"]}]}");
    finish(&g, "https://app.example.com/x");
    out = reply(&g);
    CHECK(strstr(out, "- RootWebArea \\\"Ti\\\"\\n  - button \\\"Go now\\\" [disabled]\\n  - link \\\"L\\\"\\n"));
    /* the third and last interaction; then it is over */
    CHECK_OK(rig_begin(&g, "web.list_tabs", "{}"), g.err);
    sent(&g);
    answer(&g, id_of(&g, "Target.getTargets"), "{\"targetInfos\":[{\"targetId\":\"T1\",\"type\":\"page\",\"title\":\"a\",\"url\":\"https://evil.org/\"},{\"targetId\":\"T9\",\"type\":\"page\",\"url\":\"https://bank/\"}]}");
    finish(&g, "https://app.example.com/x");
    out = reply(&g);
    CHECK(strstr(out, "[{\"active\":true,\"title\":\"\",\"url\":\"\"}]") && !strstr(out, "bank")); /* neither strangers nor what is outside */
    CHECK(rig_begin(&g, "web.snapshot", "{}") == SYMBI_ELIMIT && strstr(g.err.msg, "max interactions (3)"));
    CHECK(symbi_browser_ended(g.b, NULL));
    CHECK(rig_begin(&g, "web.snapshot", "{}") == SYMBI_ESTATE);
    rig_close(&g);
}

/* What of requests goes through, whatever the kind. */
static void test_requests(void)
{
    static const struct { const char *params, *want, *not; } rows[] = {
#define RQ(type, frame, url) "{\"requestId\":\"R\",\"resourceType\":\"" type "\",\"frameId\":\"" frame "\",\"request\":{\"url\":\"" url "\",\"method\":\"GET\",\"headers\":{}}}"
        { RQ("Document", "T1", "https://app.example.com/2"), "continueRequest", "failRequest" },
        { RQ("Document", "T1", "https://evil.org/"), "\"errorReason\":\"Aborted\"", "continueRequest" },
        { RQ("Document", "F7", "https://evil.org/"), "\"errorReason\":\"BlockedByClient\"", "continueRequest" },
        { RQ("Image", "T1", "https://evil.org/x.png"), "BlockedByClient", "continueRequest" },
        { RQ("XHR", "T1", "https://admin.example.com/x"), "BlockedByClient", "continueRequest" },
        { RQ("Document", "T1", "file:///etc/passwd"), "failRequest", "continueRequest" },
        { RQ("Document", "T1", "data:text/html,x"), "failRequest", "continueRequest" },
        { RQ("Document", "F7", "data:text/html,x"), "continueRequest", "failRequest" },
        { RQ("Image", "T1", "data:image/png;base64,AA"), "continueRequest", "failRequest" },
        { RQ("Image", "T1", "file:///x.png"), "failRequest", "continueRequest" },
        { RQ("Other", "T1", "chrome://version"), "failRequest", "continueRequest" },
        { "{\"requestId\":\"R\"}", "failRequest", "continueRequest" },
        { "{\"requestId\":\"R\",\"request\":{\"url\":7}}", "failRequest", "continueRequest" },
        { "{\"requestId\":7,\"request\":{\"url\":\"https://app.example.com/\"}}", "", "Request" },
        { "{\"requestId\":\"a\\\"b\",\"request\":{\"url\":\"https://app.example.com/\"}}", "", "Request" },
        { "{}", "", "Request" },
    };
    rig g;
    REQUIRE(rig_open(&g, k_web));
    navigate(&g);
    reply(&g);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        event(&g, "Fetch.requestPaused", rows[i].params);
        sent(&g);
        if (!strstr(g.sent, rows[i].want) || strstr(g.sent, rows[i].not)) printf("%s -> %s\n", rows[i].params, g.sent), t_now_failed = 1;
    }
    /* a stranger's session is not answered; ours is, also between commands */
    feed(&g, "{\"method\":\"Fetch.requestPaused\",\"params\":{\"requestId\":\"R\",\"request\":{\"url\":\"https://app.example.com/\"}},\"sessionId\":\"S9\"}");
    CHECK(!sent(&g)[0]);
    feed(&g, "{\"method\":\"Fetch.requestPaused\",\"params\":{\"requestId\":\"R\",\"request\":{\"url\":\"https://app.example.com/\"}}}");
    CHECK(!sent(&g)[0]);
    rig_close(&g);
}

/* ---- what a click sets off ---- */

#define POINT "{\"result\":{\"type\":\"object\",\"value\":{\"x\":10,\"y\":10}}}"
static void event_of(rig *g, const char *session, const char *method, const char *params)
{
    char text[2000];
    snprintf(text, sizeof text, "{\"method\":\"%s\",\"params\":%s,\"sessionId\":\"%s\"}", method, params, session);
    feed(g, text);
}

/* A click up to its last answer. */
static bool clicked(rig *g)
{
    if (!rig_open(g, k_web)) return false;
    navigate(g);
    reply(g);
    CHECK_OK(rig_begin(g, "web.click", "{\"selector\":\"#x\"}"), g->err);
    sent(g);
    answer(g, id_of(g, "Page.createIsolatedWorld"), "{\"executionContextId\":5}");
    sent(g);
    answer(g, id_of(g, "Runtime.callFunctionOn"), POINT);
    for (int i = 0; i < 3; i++) {
        sent(g);
        answer(g, id_of(g, "Input.dispatchMouseEvent"), "{}");
    }
    return true;
}

static void new_tab(rig *g, const char *id, const char *fetch)
{
    char text[400];
    snprintf(text, sizeof text, "{\"method\":\"Target.attachedToTarget\",\"params\":{\"sessionId\":\"S%s\",\"targetInfo\":{\"targetId\":\"T%s\",\"type\":\"page\",\"openerId\":\"T1\",\"url\":\"\"},\"waitingForDebugger\":true}}", id, id);
    feed(g, text);
    sent(g);
    pinged(g);
    if (fetch) answer(g, id_of(g, "Fetch.enable"), fetch);
}

/* As slow as it likes: the answer is of the new page. */
static void test_new_tab(void)
{
    rig g;
    REQUIRE(clicked(&g));
    CHECK(settles(&g));
    rig_close(&g);
    REQUIRE(clicked(&g));
    sent(&g);
    event(&g, "Page.windowOpen", "{\"url\":\"https://app.example.com/2\",\"userGesture\":true}");
    pinged(&g);
    CHECK(!settles(&g)); /* announced */
    new_tab(&g, "2", NULL);
    for (int i = 0; i < 5; i++) CHECK(!settles(&g)); /* not yet held, and slow about it */
    new_tab(&g, "3", NULL); /* one more, closed again before it is anything */
    feed(&g, "{\"method\":\"Target.detachedFromTarget\",\"params\":{\"sessionId\":\"S3\",\"targetId\":\"T3\"}}");
    rig_close(&g);
    REQUIRE(clicked(&g));
    event(&g, "Page.windowOpen", "{\"url\":\"https://app.example.com/2\",\"userGesture\":true}");
    new_tab(&g, "2", "{}");
    CHECK(!settles(&g)); /* nothing began there yet */
    event_of(&g, "S2", "Page.frameStartedNavigating", "{\"frameId\":\"T2\",\"navigationType\":\"differentDocument\"}");
    for (int i = 0; i < 5; i++) CHECK(!settles(&g)); /* it loads; no frameStartedLoading ever comes */
    event_of(&g, "S2", "Page.frameNavigated", "{\"frame\":{\"id\":\"T2\",\"loaderId\":\"L2\",\"url\":\"https://app.example.com/2\"}}");
    for (int i = 0; i < 4; i++) CHECK(!settles(&g));
    event_of(&g, "S2", "Page.frameStoppedLoading", "{\"frameId\":\"T2\"}");
    CHECK(!strstr(g.sent, "getNavigationHistory"));
    event_of(&g, "S2", "Page.lifecycleEvent", "{\"frameId\":\"T2\",\"loaderId\":\"L9\",\"name\":\"networkIdle\"}"); /* of another document */
    wait_ms(&g, 130);
    CHECK(!strstr(sent(&g), "getNavigationHistory"));
    event_of(&g, "S2", "Page.lifecycleEvent", "{\"frameId\":\"T2\",\"loaderId\":\"L2\",\"name\":\"networkIdle\"}");
    CHECK(settles(&g));
    CHECK(strstr(g.sent, "\"method\":\"Page.getNavigationHistory\",\"sessionId\":\"S2\""));
    finish(&g, "https://app.example.com/2");
    CHECK(strstr(reply(&g), "\"tab_count\":2") != NULL);
    rig_close(&g);
}

/* A page that an ordinary link asked for, on a slow machine; and one that never comes. */
static void test_asked(void)
{
    rig g;
    REQUIRE(clicked(&g));
    event(&g, "Page.frameRequestedNavigation", "{\"frameId\":\"T1\",\"reason\":\"anchorClick\",\"disposition\":\"currentTab\"}");
    CHECK(!settles(&g));
    event(&g, "Page.frameStartedLoading", "{\"frameId\":\"T1\"}");
    for (int i = 0; i < 5; i++) CHECK(!settles(&g));
    event(&g, "Page.frameStoppedLoading", "{\"frameId\":\"T1\"}"); /* of going back: the document comes after it */
    event(&g, "Page.lifecycleEvent", "{\"frameId\":\"T1\",\"loaderId\":\"L1\",\"name\":\"networkIdle\"}");
    wait_ms(&g, 200);
    CHECK(!strstr(sent(&g), "getNavigationHistory"));
    event(&g, "Page.frameNavigated", "{\"frame\":{\"id\":\"T1\",\"loaderId\":\"L2\",\"url\":\"https://app.example.com/2\"}}");
    event(&g, "Page.lifecycleEvent", "{\"frameId\":\"T1\",\"loaderId\":\"L2\",\"name\":\"networkIdle\"}");
    CHECK(settles(&g));
    rig_close(&g);
    REQUIRE(clicked(&g));
    event(&g, "Page.frameRequestedNavigation", "{\"frameId\":\"T1\",\"reason\":\"anchorClick\",\"disposition\":\"currentTab\"}"); /* mailto: and the like */
    CHECK(!settles(&g));
    wait_ms(&g, 2500);
    CHECK(settles(&g));
    rig_close(&g);
    /* something began after the page was asked: it is asked again */
    REQUIRE(clicked(&g));
    sent(&g);
    pinged(&g);
    wait_ms(&g, 130);
    CHECK(strstr(sent(&g), "\"expression\":\"0\""));
    event(&g, "Page.frameStartedLoading", "{\"frameId\":\"T1\"}");
    pinged(&g);
    CHECK(!settles(&g));
    event(&g, "Page.frameStoppedLoading", "{\"frameId\":\"T1\"}");
    CHECK(settles(&g) || settles(&g));
    rig_close(&g);
    /* a page that hangs holds nobody up for long */
    REQUIRE(clicked(&g));
    for (int i = 0; i < 30; i++) wait_ms(&g, 130);
    CHECK(!strstr(sent(&g), "getNavigationHistory"));
    for (int i = 0; i < 10; i++) wait_ms(&g, 130);
    CHECK(strstr(sent(&g), "getNavigationHistory"));
    rig_close(&g);
}

/* Windows that may not be: blocked by the browser, or led outside and closed by us. */
static void test_no_tab(void)
{
    rig g;
    REQUIRE(clicked(&g));
    event(&g, "Page.windowOpen", "{\"url\":\"https://app.example.com/2\",\"userGesture\":false}");
    CHECK(!settles(&g));
    wait_ms(&g, 2500);
    CHECK(settles(&g));
    rig_close(&g);
    REQUIRE(clicked(&g));
    event(&g, "Page.windowOpen", "{\"url\":\"https://evil.org/\",\"userGesture\":true}");
    new_tab(&g, "2", "{}");
    event_of(&g, "S2", "Page.frameStartedNavigating", "{\"frameId\":\"T2\"}");
    event_of(&g, "S2", "Fetch.requestPaused", "{\"requestId\":\"R\",\"resourceType\":\"Document\",\"frameId\":\"T2\",\"request\":{\"url\":\"https://evil.org/\",\"method\":\"GET\",\"headers\":{}}}");
    CHECK(strstr(sent(&g), "\"Target.closeTarget\",\"params\":{\"targetId\":\"T2\"}"));
    event_of(&g, "S2", "Page.frameStoppedLoading", "{\"frameId\":\"T2\"}");
    CHECK(!settles(&g)); /* until it is gone */
    feed(&g, "{\"method\":\"Target.detachedFromTarget\",\"params\":{\"sessionId\":\"S2\",\"targetId\":\"T2\"}}");
    finish(&g, "https://app.example.com/x");
    {
        const char *out = reply(&g);
        CHECK(strstr(out, "\"status\":\"success\"") && strstr(out, "\"tab_count\":1") && strstr(out, "https://evil.org/"));
    }
    rig_close(&g);
    /* the click closes its own tab: what is below is the answer */
    REQUIRE(clicked(&g));
    new_tab(&g, "2", "{}");
    event_of(&g, "S2", "Page.frameNavigated", "{\"frame\":{\"id\":\"T2\",\"loaderId\":\"L2\",\"url\":\"https://app.example.com/2\"}}");
    event_of(&g, "S2", "Page.frameStoppedLoading", "{\"frameId\":\"T2\"}");
    wait_ms(&g, 130);
    feed(&g, "{\"method\":\"Target.detachedFromTarget\",\"params\":{\"sessionId\":\"S2\",\"targetId\":\"T2\"}}");
    CHECK(settles(&g));
    CHECK(strstr(g.sent, "\"method\":\"Page.getNavigationHistory\",\"sessionId\":\"S1\""));
    finish(&g, "https://app.example.com/x");
    CHECK(strstr(reply(&g), "\"status\":\"success\""));
    rig_close(&g);
}

/* The gate decided about another page: nothing is done to this one, but the next decision is about it. */
static void test_elsewhere(void)
{
    rig g;
    const char *out;
    REQUIRE(rig_open(&g, k_web));
    navigate(&g);
    reply(&g);
    event(&g, "Page.frameNavigated", "{\"frame\":{\"id\":\"T1\",\"loaderId\":\"L2\",\"url\":\"https://b.example.com/\"}}");
    CHECK_OK(rig_begin(&g, "web.click", "{\"selector\":\"#x\"}"), g.err);
    finish(&g, "https://b.example.com/");
    out = reply(&g);
    CHECK(strstr(out, "\"status\":\"error\"") && strstr(out, "went on to 'b.example.com'") && strstr(out, "\"domain\":\"b.example.com\""));
    CHECK_OK(rig_begin(&g, "web.click", "{\"selector\":\"#x\"}"), g.err);
    sent(&g);
    CHECK(id_of(&g, "Page.createIsolatedWorld"));
    event(&g, "Page.frameNavigated", "{\"frame\":{\"id\":\"T1\",\"loaderId\":\"L3\",\"url\":\"https://c.example.com/\"}}"); /* in the middle of it */
    answer(&g, id_of(&g, "Page.createIsolatedWorld"), "{\"executionContextId\":5}");
    finish(&g, "https://c.example.com/");
    CHECK(strstr(reply(&g), "went on to 'c.example.com'") && !strstr(g.sent, "dispatchMouseEvent"));
    rig_close(&g);
    /* its tab closed itself, and another one is there */
    REQUIRE(clicked(&g));
    new_tab(&g, "2", "{}");
    event_of(&g, "S2", "Page.frameNavigated", "{\"frame\":{\"id\":\"T2\",\"loaderId\":\"L2\",\"url\":\"https://app.example.com/2\"}}");
    event_of(&g, "S2", "Page.frameStoppedLoading", "{\"frameId\":\"T2\"}");
    event_of(&g, "S2", "Page.lifecycleEvent", "{\"frameId\":\"T2\",\"loaderId\":\"L2\",\"name\":\"networkIdle\"}");
    finish(&g, "https://app.example.com/2");
    reply(&g);
    feed(&g, "{\"method\":\"Target.detachedFromTarget\",\"params\":{\"sessionId\":\"S2\",\"targetId\":\"T2\"}}");
    CHECK_OK(rig_begin(&g, "web.snapshot", "{}"), g.err);
    finish(&g, "https://app.example.com/x");
    CHECK(strstr(reply(&g), "was closed: look at the page that is there now"));
    rig_close(&g);
}

/* A page outside the scope, however it got there, is the end. */
static void test_strayed(void)
{
    rig g;
    const char *why, *out;
    REQUIRE(rig_open(&g, k_web));
    navigate(&g);
    reply(&g);
    CHECK_OK(rig_begin(&g, "web.extract_html", "{}"), g.err);
    event(&g, "Page.frameNavigated", "{\"frame\":{\"id\":\"T1\",\"url\":\"https://evil.org/\"}}");
    CHECK(symbi_browser_ended(g.b, &why) && strstr(why, "left its scope"));
    out = reply(&g);
    CHECK(strstr(out, "\"status\":\"denied\"") && strstr(out, "evil.org") && !strstr(out, "\"content\""));
    rig_close(&g);
    /* the history says so at the end: what was read stays here */
    REQUIRE(rig_open(&g, k_web));
    navigate(&g);
    reply(&g);
    CHECK_OK(rig_begin(&g, "web.execute_js", "{\"expression\":\"document.body.innerText\"}"), g.err);
    sent(&g);
    answer(&g, id_of(&g, "Runtime.evaluate"), "{\"result\":{\"value\":\"the secrets of evil.org\"}}");
    CHECK(settles(&g));
    answer(&g, id_of(&g, "Page.getNavigationHistory"), "{\"currentIndex\":0,\"entries\":[{\"id\":1,\"url\":\"https://evil.org/\",\"title\":\"x\"}]}");
    out = reply(&g);
    CHECK(strstr(out, "\"status\":\"denied\"") && !strstr(out, "secrets"));
    CHECK(symbi_browser_ended(g.b, NULL));
    rig_close(&g);
}

/* Answers that make no sense, come twice, or never. */
static void test_liar(void)
{
    static const char *const junk[] = { "", "{", "null", "[]", "{}", "7", "{\"id\":1}", "{\"id\":\"x\",\"result\":{}}", "{\"id\":999999,\"result\":{}}", "{\"id\":-1,\"result\":{}}", "{\"method\":\"\"}", "{\"method\":7,\"params\":{}}",
        "{\"method\":\"Target.attachedToTarget\",\"params\":{}}", "{\"method\":\"Target.attachedToTarget\",\"params\":{\"sessionId\":\"a b\",\"targetInfo\":{\"targetId\":\"T\",\"type\":\"page\"}}}",
        "{\"method\":\"Target.detachedFromTarget\",\"params\":{\"sessionId\":\"nobody\"}}", "{\"method\":\"Page.frameNavigated\",\"params\":{},\"sessionId\":\"\"}", "\xff\xfe", "{\"id\":1,\"result\":\"\\ud800\"}" };
    rig g;
    char text[400];
    const char *out;
    long id;
    REQUIRE(rig_open(&g, k_web));
    navigate(&g);
    reply(&g);
    for (size_t i = 0; i < sizeof junk / sizeof junk[0]; i++) feed(&g, junk[i]);
    CHECK(!sent(&g)[0] && !symbi_browser_ended(g.b, NULL));
    CHECK_OK(rig_begin(&g, "web.execute_js", "{\"expression\":\"1\"}"), g.err);
    sent(&g);
    id = id_of(&g, "Runtime.evaluate");
    answer(&g, id + 1, "{\"result\":{\"value\":\"not asked\"}}");
    answer(&g, id, "{\"result\":{\"value\":42}}");
    answer(&g, id, "{\"result\":{\"value\":43}}");
    finish(&g, "https://app.example.com/x");
    out = reply(&g);
    CHECK(strstr(out, "\"content\":42"));
    /* cut short, by its id alone */
    CHECK_OK(rig_begin(&g, "web.snapshot", "{}"), g.err);
    sent(&g);
    snprintf(text, sizeof text, "{\"id\":%ld,\"result\":{\"nodes\":[{\"no", id_of(&g, "Accessibility.getFullAXTree"));
    CHECK_OK(symbi_browser_feed(g.b, symbi_str_z(text), true, &g.err), g.err);
    finish(&g, "https://app.example.com/x");
    out = reply(&g);
    CHECK(strstr(out, "\"status\":\"error\"") && strstr(out, "too large"));
    rig_close(&g);
    /* never: the time is up, and the browser with it */
    REQUIRE(rig_open(&g, k_web));
    navigate(&g);
    reply(&g);
    CHECK_OK(rig_begin(&g, "web.snapshot", "{}"), g.err);
    CHECK(symbi_browser_due(g.b) > 19000 && symbi_browser_due(g.b) <= 20001);
    wait_ms(&g, 20000);
    CHECK(!symbi_browser_done(g.b));
    wait_ms(&g, 2);
    out = reply(&g);
    CHECK(strstr(out, "\"status\":\"timeout\""));
    CHECK(symbi_browser_ended(g.b, NULL));
    rig_close(&g);
    /* it does not start */
    REQUIRE(rig_open(&g, k_web));
    CHECK_OK(rig_begin(&g, "web.snapshot", "{}"), g.err);
    wait_ms(&g, 10001);
    out = reply(&g);
    CHECK(strstr(out, "did not start"));
    rig_close(&g);
    /* it does not let requests be held */
    REQUIRE(rig_open(&g, k_web));
    CHECK_OK(rig_begin(&g, "web.snapshot", "{}"), g.err);
    sent(&g);
    feed(&g, "{\"method\":\"Target.attachedToTarget\",\"params\":{\"sessionId\":\"S1\",\"targetInfo\":{\"targetId\":\"T1\",\"type\":\"page\"},\"waitingForDebugger\":true}}");
    sent(&g);
    snprintf(text, sizeof text, "{\"id\":%ld,\"error\":{\"code\":-1,\"message\":\"no\"}}", id_of(&g, "Fetch.enable"));
    feed(&g, text);
    CHECK(symbi_browser_ended(g.b, NULL) && !strstr(sent(&g), "runIfWaiting"));
    CHECK(strstr(reply(&g), "be held"));
    rig_close(&g);
}

static void test_floods(void)
{
    rig g;
    char text[400];
    REQUIRE(rig_open(&g, k_web));
    navigate(&g);
    reply(&g);
    for (int i = 0; i < 40; i++) { /* refused requests: all counted, some told */
        snprintf(text, sizeof text, "{\"requestId\":\"R%d\",\"resourceType\":\"Image\",\"frameId\":\"T1\",\"request\":{\"url\":\"https://evil.org/%d\"}}", i, i);
        event(&g, "Fetch.requestPaused", text);
        sent(&g);
    }
    for (int i = 0; i < 200 && !symbi_browser_ended(g.b, NULL); i++) { /* frames without end */
        snprintf(text, sizeof text, "{\"method\":\"Target.attachedToTarget\",\"params\":{\"sessionId\":\"F%d\",\"targetInfo\":{\"targetId\":\"X%d\",\"type\":\"iframe\"},\"waitingForDebugger\":true},\"sessionId\":\"S1\"}", i, i);
        feed(&g, text);
        sent(&g);
        if (i == 126) CHECK(!symbi_browser_ended(g.b, NULL)); /* with the tab: 128 */
    }
    CHECK(symbi_browser_ended(g.b, NULL));
    rig_close(&g);
}

static void test_limits_of_time(void)
{
    rig g;
    REQUIRE(rig_open(&g, k_web));
    navigate(&g);
    reply(&g);
    g.clock.mono += 120001; /* idle_timeout_seconds 120 */
    CHECK(rig_begin(&g, "web.snapshot", "{}") == SYMBI_ELIMIT && strstr(g.err.msg, "idle timeout"));
    rig_close(&g);
    REQUIRE(rig_open(&g, k_web));
    navigate(&g);
    reply(&g);
    g.clock.mono += 119000;
    CHECK_OK(rig_begin(&g, "web.wait_for", "{\"selector\":\"#x\"}"), g.err);
    for (int i = 0; i < 3; i++) { /* looks again until its own time is over */
        sent(&g);
        answer(&g, id_of(&g, "Page.createIsolatedWorld"), "{\"executionContextId\":5}");
        sent(&g);
        answer(&g, id_of(&g, "Runtime.callFunctionOn"), "{\"result\":{\"value\":{\"ok\":false}}}");
        wait_ms(&g, 101);
    }
    finish(&g, "https://app.example.com/x");
    CHECK(strstr(reply(&g), "nothing matched #x in time"));
    CHECK(!symbi_browser_ended(g.b, NULL));
    rig_close(&g);
}

/* Settings that are not the browser's are refused. */
static void test_other_settings(void)
{
    rig g;
    symbi_tool *other;
    symbi_plan *p;
    REQUIRE(rig_open(&g, k_web));
    navigate(&g);
    reply(&g);
    other = load(g.cx, HEAD "[browser.scope]\nallow_external = true\n" PLAIN("snapshot") TAIL);
    CHECK_OK(plan(g.cx, other, "web.snapshot", "{}", &p, &g.err), g.err);
    CHECK(p && symbi_browser_begin(g.b, p, &g.err) == SYMBI_EDENIED);
    symbi_plan_unref(p);
    symbi_tool_unref(other);
    rig_close(&g);
}

static void test_outside(void)
{
    static const struct symbi_browser_header headers[] = { { { "Content-Type", 12 }, { "text/html", 9 } }, { { "Content-Length", 14 }, { "5", 1 } }, { { "X\xff", 2 }, { "a", 1 } } };
    rig g;
    symbi_browser_request rq;
    REQUIRE(rig_open(&g, HEAD "[browser.scope]\nallow_external = true\nallowed_domains = [\"*.example.com\"]\n" ARG("navigate", "url", "type = \"url\"\nschemes = [\"https\"]\n") PLAIN("snapshot") TAIL));
    navigate(&g);
    reply(&g);
    CHECK(!symbi_browser_wanted(g.b, &rq));
    event(&g, "Fetch.requestPaused", "{\"requestId\":\"R1\",\"resourceType\":\"Image\",\"frameId\":\"T1\",\"request\":{\"url\":\"https://other.org/a\",\"method\":\"GET\",\"headers\":{\"Accept\":\"*/*\",\"Host\":\"x\",\"Accept-Encoding\":\"br\"}}}");
    event(&g, "Fetch.requestPaused", "{\"requestId\":\"R2\",\"resourceType\":\"Image\",\"frameId\":\"T1\",\"request\":{\"url\":\"http://10.0.0.1/a\",\"method\":\"GET\",\"headers\":{}}}");
    CHECK(strstr(sent(&g), "\"requestId\":\"R2\",\"errorReason\"") && !strstr(g.sent, "R1"));
    REQUIRE(symbi_browser_wanted(g.b, &rq));
    CHECK_STR(rq.url, "https://other.org/a");
    CHECK(rq.nheaders == 1);
    CHECK(!symbi_browser_wanted(g.b, &(symbi_browser_request){ 0 }));
    CHECK_OK(symbi_browser_fetched(g.b, rq.id, 200, headers, 3, symbi_str_z("hello"), &g.err), g.err);
    CHECK(strstr(sent(&g), "\"responseCode\":200,\"responseHeaders\":[{\"name\":\"Content-Type\",\"value\":\"text/html\"}") && strstr(g.sent, "\"body\":\"aGVsbG8=\"") && !strstr(g.sent, "Content-Length"));
    CHECK_OK(symbi_browser_fetched(g.b, rq.id, 200, NULL, 0, symbi_str_z(""), &g.err), g.err); /* twice: nothing */
    CHECK(!sent(&g)[0]);
    for (int i = 0; i < 40; i++) { /* as many as may be open */
        char text[300];
        snprintf(text, sizeof text, "{\"requestId\":\"Q%d\",\"resourceType\":\"Image\",\"frameId\":\"T1\",\"request\":{\"url\":\"https://other.org/%d\",\"method\":\"GET\"}}", i, i);
        event(&g, "Fetch.requestPaused", text);
        CHECK((strstr(sent(&g), "failRequest") != NULL) == (i >= 32));
    }
    rig_close(&g);
}

static symbi_status oom(symbi_ctx *cx, void *ud)
{
    static const char *const script[] = { "{\"method\":\"Target.attachedToTarget\",\"params\":{\"sessionId\":\"S1\",\"targetInfo\":{\"targetId\":\"T1\",\"type\":\"page\"},\"waitingForDebugger\":true}}",
        "{\"method\":\"Fetch.requestPaused\",\"sessionId\":\"S1\",\"params\":{\"requestId\":\"R\",\"resourceType\":\"Image\",\"request\":{\"url\":\"https://other.org/\",\"method\":\"GET\",\"headers\":{\"a\":\"b\"}}}}",
        "{\"method\":\"Page.javascriptDialogOpening\",\"sessionId\":\"S1\",\"params\":{}}" };
    symbi_tool *t = NULL;
    symbi_plan *p = NULL;
    symbi_browser *b = NULL;
    symbi_doc *d = NULL;
    symbi_err err;
    char text[300];
    symbi_status st = symbi_tool_parse(cx, symbi_str_z(HEAD "[browser.scope]\nallow_external = true\nallowed_domains = [\"*.a.com\"]\nblocked_domains = [\"b.a.com\"]\n" PLAIN("snapshot") TAIL), symbi_str_z("w"), &t, &err);
    (void)ud;
    if (!st) st = plan(cx, t, "web.snapshot", "{}", &p, &err);
    if (!st) st = symbi_browser_new(cx, p, &b, &err);
    if (!st) st = symbi_browser_begin(b, p, &err);
    for (size_t i = 0; !st && i < 3; i++) st = symbi_browser_feed(b, symbi_str_z(script[i]), false, &err);
    for (long id = 1; !st && id < 30; id++) {
        snprintf(text, sizeof text, "{\"id\":%ld,\"result\":{\"nodes\":[{\"nodeId\":\"1\",\"role\":{\"value\":\"button\"},\"name\":{\"value\":\"x\"}}],\"currentIndex\":0,\"entries\":[{\"url\":\"about:blank\"}],\"executionContextId\":1}}", id);
        st = symbi_browser_feed(b, symbi_str_z(text), false, &err);
        while (!st && symbi_browser_out(b).n) symbi_browser_sent(b);
    }
    if (!st) st = symbi_browser_fetched(b, 1, 200, NULL, 0, symbi_str_z("body"), &err);
    if (!st && symbi_browser_done(b)) st = symbi_browser_reply(b, &d, &err);
    else if (!st) st = SYMBI_ESTATE;
    symbi_doc_unref(d);
    symbi_browser_free(b);
    symbi_plan_unref(p);
    symbi_tool_unref(t);
    return st;
}

static void test_oom_all(void) { test_oom(oom, NULL, SYMBI_OK); }

int main(void)
{
    RUN(test_scope);
    RUN(test_judge);
    RUN(test_entries);
    RUN(test_network);
    RUN(test_scope_vectors);
    RUN(test_command_vectors);
    RUN(test_load);
    RUN(test_plan);
    RUN(test_envelope);
    RUN(test_machine);
    RUN(test_requests);
    RUN(test_new_tab);
    RUN(test_asked);
    RUN(test_no_tab);
    RUN(test_elsewhere);
    RUN(test_strayed);
    RUN(test_liar);
    RUN(test_floods);
    RUN(test_limits_of_time);
    RUN(test_other_settings);
    RUN(test_outside);
    RUN(test_oom_all);
    return test_end();
}
