/* tests/unit/toolclad_browser_login_test.c: what evidence and auth flows add to browser tools: manifests that cannot be carried out, one-time codes,
 * and a login against a page that is played here. */
#include "base/ctx.h"
#include "symbi/browser.h"
#include "symbi/json.h"
#include "toolclad/totp.h"
#include "test.h"

#define HEAD "[tool]\nname = \"web\"\nversion = \"1\"\ndescription = \"d\"\ntimeout_seconds = 60\n"
#define SCOPE "[browser.scope]\nallowed_domains = [\"app.example.com\", \"sso.example.com\"]\nallow_external = true\n"
#define LOGIN "[browser.commands.login]\ndescription = \"d\"\n[browser.commands.login.args.service]\nrequired = true\n"
#define SNAP "[browser.commands.snapshot]\ndescription = \"d\"\n"
#define TAIL "[output]\nformat = \"json\"\n[output.schema]\n"
#define FIELDS "username_selector = \"#u\"\npassword_selector = \"#p\"\nsubmit_selector = \"#go\"\nsecret_ref = \"vault:shop/web-login\"\n"
#define FLOW "[browser.auth_flows.shop]\nlogin_url = \"https://app.example.com/login?next=/home\"\n" FIELDS
#define OK_URL "success_indicator = \"url_contains=/home\"\n"
#define TOTP "mfa_handler = \"totp\"\nmfa_selector = \"#otp\"\nmfa_secret_ref = \"vault:shop/seed\"\n"

static symbi_status load(symbi_ctx *cx, const char *text, symbi_tool **out, symbi_err *err)
{
    *out = NULL;
    return symbi_tool_parse(cx, symbi_str_z(text), symbi_str_z("web.clad.toml"), out, err);
}

static void refused(const char *text, const char *frag)
{
    symbi_ctx *cx = NULL;
    symbi_tool *t;
    symbi_err err;
    if (symbi_ctx_new(NULL, &cx, NULL)) abort();
    if (!load(cx, text, &t, &err) || !strstr(err.msg, frag)) printf("%s\ngives %s\n", text, t ? "a tool" : err.msg), t_now_failed = 1;
    symbi_tool_unref(t);
    symbi_ctx_free(cx);
}

static void accepted(const char *text, const char *warning)
{
    symbi_ctx *cx = NULL;
    symbi_tool *t;
    symbi_err err;
    bool warned = !warning;
    if (symbi_ctx_new(NULL, &cx, NULL)) abort();
    CHECK_OK(load(cx, text, &t, &err), err);
    for (size_t i = 0; t && symbi_tool_warning(t, i).n; i++) {
        char line[1000];
        snprintf(line, sizeof line, "%.*s", (int)symbi_tool_warning(t, i).n, symbi_tool_warning(t, i).p);
        warned = warned || (warning && strstr(line, warning));
    }
    if (!warned) printf("%s\nhas no warning '%s'\n", text, warning), t_now_failed = 1;
    symbi_tool_unref(t);
    symbi_ctx_free(cx);
}

static void test_flows(void)
{
#define WITH(flow) HEAD "[browser]\n" SCOPE flow LOGIN TAIL
    accepted(WITH(FLOW OK_URL), NULL);
    accepted(WITH(FLOW OK_URL TOTP), NULL);
    accepted(HEAD "[browser]\n" SCOPE FLOW OK_URL SNAP TAIL, "nothing uses them");
    refused(HEAD "[browser]\n" SCOPE LOGIN TAIL, "nothing to log in to");
    refused(WITH(FLOW), "success_indicator");
    refused(WITH(FLOW "success_indicator = \"cookie=session\"\n"), "cannot be checked");
    refused(WITH(FLOW "success_indicator = \"url_contains=\"\n"), "cannot be checked");
    refused(WITH(FLOW "success_indicator = \"url_contains=/login\"\n"), "itself contains it");
    refused(WITH(FLOW "success_indicator = \"url_contains=next=/home#x\"\n"), "before '?' and '#'");
    refused(WITH(FLOW OK_URL "mfa_handler = \"sms\"\n"), "is not supported");
    refused(WITH(FLOW OK_URL "mfa_handler = \"manual\"\nmfa_selector = \"#x\"\n"), "connect = \"live\"");
    refused(WITH(FLOW OK_URL "mfa_selector = \"#x\"\n"), "goes with mfa_handler");
    refused(WITH(FLOW OK_URL "mfa_handler = \"totp\"\nmfa_selector = \"#x\"\n"), "mfa_secret_ref");
    refused(WITH("[browser.auth_flows.shop]\nlogin_url = \"https://evil.com/login\"\n" FIELDS OK_URL), "allowed_domains");
    refused(WITH("[browser.auth_flows.shop]\nlogin_url = \"file:///etc/passwd\"\n" FIELDS OK_URL), "login_url");
    refused(WITH("[browser.auth_flows.shop]\nlogin_url = \"https://app.example.com/login\"\n" OK_URL), "username_selector");
    refused(WITH("[browser.auth_flows]\nshop = 7\n"), "table expected");
    refused(WITH("[browser.auth_flows.shop]\nlogin_url = \"https://app.example.com/login\"\nusername_selector = \"#u\"\npassword_selector = \"#p\"\nsubmit_selector = \"#go\"\nsecret_ref = \"vault:a b\"\n" OK_URL), "names no secret");
    refused(HEAD "[browser]\n" SCOPE FLOW OK_URL LOGIN "type = \"enum\"\nallowed = [\"shop\", \"bank\"]\n" TAIL, "auth_flows.bank");
}

static void test_other_keys(void)
{
    refused(HEAD "[browser]\n" SCOPE SNAP "[browser.commands.snapshot.args.depth]\ntype = \"integer\"\n" TAIL, "takes no argument 'depth'");
    refused(HEAD "[browser]\n[browser.state]\nfields = [\"url\", \"titel\"]\n" SCOPE SNAP TAIL, "did you mean 'title'");
    refused(HEAD "[tool.evidence]\nscreenshots = true\n[command]\nexec = [\"true\"]\n[output]\nformat = \"text\"\n[output.schema]\n", "only a browser takes pictures");
    accepted(HEAD "[browser]\n[browser.state]\nfields = [\"is_authenticated\"]\n" SCOPE SNAP TAIL, "always false");
    accepted(HEAD "[browser]\nendpoint = \"http://127.0.0.1:9222\"\n" SCOPE SNAP TAIL, "has no effect");
    accepted(HEAD "[browser]\n[browser.defaults]\nextract_mode = \"text\"\nspeed = 3\n" SCOPE SNAP TAIL, "speed");
}

/* RFC 6238, appendix B, the SHA-1 rows: the last six of their eight digits. */
static void test_totp(void)
{
    static const struct { int64_t at; const char *code; } rows[] = { { 59, "287082" }, { 1111111109, "081804" }, { 1111111111, "050471" }, { 1234567890, "005924" }, { 2000000000, "279037" }, { 20000000000, "353130" } };
    static const char *const bad[] = { "", " ", "====", "GEZD1", "GEZDGNBV!", "A", "\xff" };
    char code[7], longest[300];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK(sy_totp(symbi_str_z("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), rows[i].at, code));
        CHECK(!strcmp(code, rows[i].code));
        CHECK(sy_totp(symbi_str_z("gezd gnbv-gy3t qojq gezd gnbv gy3t qojq="), rows[i].at, code) && !strcmp(code, rows[i].code));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (sy_totp(symbi_str_z(bad[i]), 59, code)) printf("seed '%s'\n", bad[i]), t_now_failed = 1;
    memset(longest, 'A', sizeof longest);
    CHECK(sy_totp((symbi_str){ longest, 190 }, 59, code)); /* 118 bytes: hashed first, as RFC 2104 says */
    CHECK(!sy_totp((symbi_str){ longest, 200 }, 59, code));
}

/* ---- a login ---- */

typedef struct rig {
    symbi_ctx *cx;
    symbi_tool *tool;
    symbi_browser *b;
    fake_clock clock;
    symbi_err err;
    char sent[20000];
} rig;

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

static void feed(rig *g, const char *text) { CHECK_OK(symbi_browser_feed(g->b, symbi_str_z(text), false, &g->err), g->err); }

/* Answers the last message of that method in what was sent. false: there is none. */
static bool answer(rig *g, const char *method, const char *result)
{
    char key[100], text[4000];
    const char *p = g->sent, *hit = NULL;
    long id;
    snprintf(key, sizeof key, "\"method\":\"%s\"", method);
    while ((p = strstr(p, key))) hit = p, p++;
    if (!hit) return false;
    while (hit > g->sent && hit[-1] != '\n') hit--;
    if (sscanf(hit, "{\"id\":%ld", &id) != 1) return false;
    snprintf(text, sizeof text, "{\"id\":%ld,\"result\":%s}", id, result);
    feed(g, text);
    return true;
}

/* What the page answers to our functions, in order; the settling between is seen to. false: the browser asks for nothing more of the kind. */
static bool asked(rig *g, const char *value)
{
    char text[1000];
    snprintf(text, sizeof text, "{\"result\":{\"type\":\"object\",\"value\":%s}}", value);
    for (int i = 0; i < 200 && !symbi_browser_done(g->b); i++) {
        sent(g);
        if (answer(g, "Runtime.callFunctionOn", text)) return true;
        if (!answer(g, "Page.createIsolatedWorld", "{\"executionContextId\":5}") && !answer(g, "Runtime.evaluate", "{\"result\":{\"type\":\"number\",\"value\":0}}") &&
            !answer(g, "Input.dispatchMouseEvent", "{}") && !answer(g, "Page.captureScreenshot", "{\"data\":\"iVBORw0KGgoA\"}") &&
            !answer(g, "Page.getNavigationHistory", "{\"currentIndex\":0,\"entries\":[{\"id\":1,\"url\":\"https://app.example.com/home\",\"title\":\"t\"}]}")) {
            g->clock.mono += 60;
            CHECK_OK(symbi_browser_tick(g->b, &g->err), g->err);
        }
    }
    return false;
}

static bool open_rig(rig *g, const char *toml, const char *service, const char *seed)
{
    symbi_env env;
    symbi_doc *a = NULL, *v = NULL;
    symbi_plan *p = NULL;
    symbi_plan_options o = { 0 };
    char args[100];
    memset(g, 0, sizeof *g);
    symbi_env_init(&env);
    g->clock.wall = 59000; /* of the first row of the RFC */
    g->clock.mono = 1000;
    env.clock.wall_ms = fake_wall;
    env.clock.mono_ms = fake_mono;
    env.clock.ud = &g->clock;
    if (symbi_ctx_new(&env, &g->cx, NULL)) abort();
    if (load(g->cx, toml, &g->tool, &g->err)) return false;
    snprintf(args, sizeof args, "{\"service\":\"%s\"}", service);
    o.scan_id = symbi_str_z("1-x");
    o.evidence_dir = symbi_str_z("/ev");
    if (symbi_json_parse(g->cx, symbi_str_z(args), &a, &g->err) || symbi_tool_validate(g->cx, symbi_tool_command_at(g->tool, 0), symbi_doc_root(a), &v, &g->err) ||
        symbi_tool_plan(g->cx, symbi_tool_command_at(g->tool, 0), symbi_doc_root(v), &o, &p, &g->err) || symbi_browser_new(g->cx, p, &g->b, &g->err)) {
        symbi_doc_unref(a);
        symbi_doc_unref(v);
        symbi_plan_unref(p);
        return false;
    }
    symbi_doc_unref(a);
    symbi_doc_unref(v);
    CHECK(p->nsecrets == (seed ? 3u : 2u));
    CHECK_STR(p->secrets[0], "shop_web_login_username");
    CHECK_STR(p->secrets[1], "shop_web_login_password");
    CHECK(!strstr(p->command.p, "alice") && strstr(p->command.p, "service=shop"));
    CHECK_OK(symbi_browser_secret(g->b, p->secrets[0], symbi_str_z("alice"), &g->err), g->err);
    CHECK_OK(symbi_browser_secret(g->b, p->secrets[1], symbi_str_z("wr\"ong"), &g->err), g->err);
    CHECK_OK(symbi_browser_secret(g->b, p->secrets[1], symbi_str_z("pa\"ss"), &g->err), g->err); /* the last counts */
    if (seed) CHECK_OK(symbi_browser_secret(g->b, p->secrets[2], symbi_str_z(seed), &g->err), g->err);
    CHECK_OK(symbi_browser_begin(g->b, p, &g->err), g->err);
    CHECK(symbi_browser_secret(g->b, p->secrets[0], symbi_str_z("x"), &g->err) == SYMBI_ESTATE);
    symbi_plan_unref(p);
    sent(g);
    feed(g, "{\"method\":\"Target.attachedToTarget\",\"params\":{\"sessionId\":\"S1\",\"targetInfo\":{\"targetId\":\"T1\",\"type\":\"page\",\"url\":\"about:blank\"},\"waitingForDebugger\":true}}");
    sent(g);
    answer(g, "Fetch.enable", "{}");
    sent(g);
    CHECK(strstr(g->sent, "\"url\":\"https://app.example.com/login?next=/home\""));
    answer(g, "Page.navigate", "{\"frameId\":\"T1\",\"loaderId\":\"L1\"}");
    return true;
}

static const char *end(rig *g)
{
    static char text[20000];
    symbi_doc *d = NULL;
    symbi_text t = { 0 };
    text[0] = 0;
    while (g->b && asked(g, "{\"forms\":false,\"auth\":false,\"loaded\":true}")) { }
    if (g->b && symbi_browser_done(g->b) && !symbi_browser_reply(g->b, &d, &g->err) && !symbi_json_write(g->cx, symbi_doc_root(d), 0, &t, &g->err)) snprintf(text, sizeof text, "%.*s", (int)t.n, t.p);
    symbi_text_free(&t);
    symbi_doc_unref(d);
    symbi_browser_free(g->b);
    symbi_tool_unref(g->tool);
    symbi_ctx_free(g->cx);
    return text;
}

#define AT(url, more) "{\"href\":\"" url "\"," more "}"
#define LOGIN_PAGE "https://app.example.com/login?next=/home"
#define SEED "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

static void test_login(void)
{
    rig g;
    const char *out;
    REQUIRE(open_rig(&g, WITH(FLOW OK_URL TOTP), "shop", SEED));
    CHECK(asked(&g, AT(LOGIN_PAGE, "\"ok\":false"))); /* the form is drawn later */
    CHECK(!strstr(g.sent, "alice"));
    CHECK(asked(&g, AT(LOGIN_PAGE, "\"ok\":true")));
    CHECK(!strstr(g.sent, "alice"));
    CHECK(asked(&g, "{\"ok\":true}") && strstr(g.sent, "\"#u\"},{\"value\":\"alice\"}") && strstr(g.sent, "\"executionContextId\":5"));
    CHECK(asked(&g, "{\"ok\":true}") && strstr(g.sent, "\"#p\"},{\"value\":\"pa\\\"ss\"},{\"value\":\"password\"}"));
    CHECK(asked(&g, "{\"x\":10,\"y\":10}") && strstr(g.sent, "#go"));
    CHECK(asked(&g, AT("https://app.example.com/code?next=/home", "\"ok\":false,\"mfa\":true")));
    CHECK(asked(&g, "{\"ok\":true}") && strstr(g.sent, "\"#otp\"},{\"value\":\"287082\"}"));
    CHECK(asked(&g, AT("https://app.example.com/code", "\"ok\":false,\"mfa\":true"))); /* it waits for a button */
    CHECK(asked(&g, "{\"ok\":true}") && strstr(g.sent, "requestSubmit"));
    CHECK(asked(&g, AT("https://app.example.com/home", "\"ok\":false,\"mfa\":false")));
    out = end(&g);
    CHECK(strstr(out, "\"status\":\"success\"") && strstr(out, "\"content\":{\"authenticated\":true,\"service\":\"shop\"}") && strstr(out, "\"is_authenticated\":true"));
    CHECK(!strstr(out, "alice") && !strstr(out, "287082"));
}

/* Credentials go nowhere else. */
static void test_led_away(void)
{
    static const char *const places[] = { "https://sso.example.com/login", "http://app.example.com/login", "https://app.example.com:8443/login", "about:blank", "https://app.example.com.evil.org/login", "" };
    rig g;
    const char *out;
    char text[200];
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        REQUIRE(open_rig(&g, WITH(FLOW OK_URL), "shop", NULL));
        snprintf(text, sizeof text, "{\"href\":\"%s\",\"ok\":true}", places[i]);
        CHECK(asked(&g, text));
        out = end(&g);
        if (!strstr(out, "no credentials are given") || strstr(g.sent, "alice")) printf("%s: %s\n", places[i], out), t_now_failed = 1;
    }
    /* nor does the code */
    REQUIRE(open_rig(&g, WITH(FLOW OK_URL TOTP), "shop", SEED));
    CHECK(asked(&g, AT(LOGIN_PAGE, "\"ok\":true")) && asked(&g, "{\"ok\":true}") && asked(&g, "{\"ok\":true}") && asked(&g, "{\"x\":10,\"y\":10}"));
    CHECK(asked(&g, AT("https://sso.example.com/code", "\"ok\":false,\"mfa\":true")));
    out = end(&g);
    CHECK(strstr(out, "second factor") && strstr(out, "\"status\":\"error\""));
}

static void test_failed_login(void)
{
    rig g;
    const char *out;
    REQUIRE(open_rig(&g, WITH(FLOW OK_URL), "shop", NULL));
    CHECK(asked(&g, AT(LOGIN_PAGE, "\"ok\":true")) && asked(&g, "{\"ok\":true}") && asked(&g, "{\"ok\":true}") && asked(&g, "{\"x\":10,\"y\":10}"));
    for (int i = 0; i < 300 && asked(&g, AT(LOGIN_PAGE, "\"ok\":true,\"mfa\":false")); i++) { } /* "/home" stands behind '?' only; ok is of no element */
    out = end(&g);
    CHECK(strstr(out, "did not succeed") && !strstr(out, "\"authenticated\":true") && strstr(out, "\"is_authenticated\":false"));
    REQUIRE(open_rig(&g, WITH(FLOW OK_URL), "shop", NULL));
    for (int i = 0; i < 300 && asked(&g, AT(LOGIN_PAGE, "\"ok\":false")); i++) { }
    CHECK(strstr(end(&g), "does not show the fields"));
    REQUIRE(open_rig(&g, WITH(FLOW OK_URL), "shop", NULL));
    CHECK(asked(&g, AT(LOGIN_PAGE, "\"ok\":true")) && asked(&g, "{\"error\":\"#u is no text field\"}"));
    CHECK(strstr(end(&g), "no text field"));
    REQUIRE(open_rig(&g, WITH(FLOW OK_URL TOTP), "shop", "not base32!"));
    CHECK(asked(&g, AT(LOGIN_PAGE, "\"ok\":true")) && asked(&g, "{\"ok\":true}") && asked(&g, "{\"ok\":true}") && asked(&g, "{\"x\":10,\"y\":10}"));
    CHECK(asked(&g, AT("https://app.example.com/code", "\"ok\":false,\"mfa\":true")));
    CHECK(strstr(end(&g), "no TOTP seed"));
    CHECK(!open_rig(&g, WITH(FLOW OK_URL), "bank", NULL) && strstr(g.err.msg, "no auth flow"));
    end(&g);
}

/* A picture of every step, or none of its result. */
static void test_pictures(void)
{
    rig g;
    const char *out;
    REQUIRE(open_rig(&g, HEAD "[tool.evidence]\nscreenshots = true\n[browser]\n[browser.state]\nfields = [\"url\", \"tab_count\"]\n" SCOPE FLOW OK_URL LOGIN TAIL, "shop", NULL));
    CHECK(asked(&g, "{\"href\":\"\"}"));
    sent(&g);
    CHECK(strstr(g.sent, "Page.captureScreenshot"));
    out = end(&g);
    CHECK(strstr(out, "\"page_state\":{\"tab_count\":1,\"url\":") != NULL);
    REQUIRE(open_rig(&g, HEAD "[tool.evidence]\nscreenshots = true\n[browser]\n" SCOPE FLOW OK_URL LOGIN TAIL, "shop", NULL));
    CHECK(asked(&g, AT(LOGIN_PAGE, "\"ok\":true")) && asked(&g, "{\"ok\":true}") && asked(&g, "{\"ok\":true}") && asked(&g, "{\"x\":10,\"y\":10}"));
    CHECK(asked(&g, AT("https://app.example.com/home", "\"ok\":false,\"mfa\":false")));
    sent(&g);
    CHECK(answer(&g, "Page.captureScreenshot", "{\"data\":\"AAAA\"}"));
    CHECK(strstr(end(&g), "the browser gave no picture"));
}

static symbi_status oom(symbi_ctx *cx, void *ud)
{
    symbi_tool *t = NULL;
    symbi_doc *a = NULL, *v = NULL;
    symbi_plan *p = NULL;
    symbi_browser *b = NULL;
    symbi_plan_options o = { 0 };
    symbi_err err;
    symbi_status st = load(cx, WITH(FLOW OK_URL TOTP), &t, &err);
    (void)ud;
    o.scan_id = symbi_str_z("1-x");
    if (!st) st = symbi_json_parse(cx, symbi_str_z("{\"service\":\"shop\"}"), &a, &err);
    if (!st) st = symbi_tool_validate(cx, symbi_tool_command_at(t, 0), symbi_doc_root(a), &v, &err);
    if (!st) st = symbi_tool_plan(cx, symbi_tool_command_at(t, 0), symbi_doc_root(v), &o, &p, &err);
    if (!st) st = symbi_browser_new(cx, p, &b, &err);
    for (size_t i = 0; !st && i < p->nsecrets; i++) st = symbi_browser_secret(b, p->secrets[i], symbi_str_z("GEZDGNBV"), &err);
    symbi_browser_free(b);
    symbi_plan_unref(p);
    symbi_doc_unref(v);
    symbi_doc_unref(a);
    symbi_tool_unref(t);
    return st;
}

static void test_oom_all(void) { test_oom(oom, NULL, SYMBI_OK); }

int main(void)
{
    RUN(test_flows);
    RUN(test_other_keys);
    RUN(test_totp);
    RUN(test_login);
    RUN(test_led_away);
    RUN(test_failed_login);
    RUN(test_pictures);
    RUN(test_oom_all);
    return test_end();
}
