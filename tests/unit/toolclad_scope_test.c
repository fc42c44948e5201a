/* Scopes: the shared vectors, the rules beyond them, and the arguments that are checked. */
#include "base/str.h"
#include "codec/build.h"
#include "symbi/gate.h"
#include "symbi/json.h"
#include "symbi/scope.h"
#include "test.h"
#include "toolclad_vectors.h"

static symbi_ctx *cx;

static symbi_scope *scope(const char *toml)
{
    symbi_scope *s = NULL;
    symbi_err e;
    CHECK_OK(symbi_scope_parse(cx, symbi_str_z(toml), SY_LIT("scope.toml"), &s, &e), e);
    return s;
}

static void test_vectors_check(void)
{
    symbi_doc *d;
    const symbi_value *cases;
    int ok = 0;
    if (!(d = vectors(cx, "scope_check.json"))) SKIP("no shared vectors");
    cases = symbi_value_getz(symbi_doc_root(d), "cases");
    for (size_t i = 0; i < cases->u.a.n; i++) {
        const symbi_value *c = &cases->u.a.items[i];
        symbi_scope *s = NULL;
        symbi_err e;
        bool in, want = sy_str_eqz(str(c, "expect"), "in");
        CHECK_OK(symbi_scope_from_value(cx, symbi_value_getz(c, "scope"), SY_LIT("v"), &s, &e), e);
        if (!s) continue;
        in = symbi_scope_check(s, str(c, "target"), &e) == SYMBI_OK;
        if (in == want) ok++;
        else printf("  %.*s: %.*s\n", (int)str(c, "id").n, str(c, "id").p, (int)str(c, "target").n, str(c, "target").p);
        CHECK(in == want);
        symbi_scope_unref(s);
    }
    printf("scope_check.json             %d of %zu\n", ok, cases->u.a.n);
    symbi_doc_unref(d);
}

static bool published(const symbi_value *c)
{
    symbi_str kind = str(c, "kind");
    bool url = sy_str_eqz(kind, "url_host_allowed");
    symbi_value one = sy_val_str(sy_str_eqz(kind, "ip_in_cidr") ? str(c, "cidr") : str(c, "pattern")), list = sy_val_array(&one, 1);
    symbi_member m = { sy_str_eqz(kind, "ip_in_cidr") ? SY_LIT("targets") : SY_LIT("domains"), url ? *symbi_value_getz(c, "allowed_hosts") : list };
    symbi_value v = sy_val_object(&m, 1);
    symbi_scope *s = NULL;
    symbi_err e;
    bool in;
    if (sy_str_eqz(kind, "scope_target")) {
        symbi_tool *t;
        symbi_doc *out = NULL;
        symbi_member a = { SY_LIT("x"), *symbi_value_getz(c, "value") };
        symbi_value args = sy_val_object(&a, 1);
        CHECK_OK(symbi_tool_parse(cx, SY_LIT("[tool]\nname=\"t\"\ndispatch=\"callback\"\n[args.x]\ntype=\"scope_target\"\n"), SY_LIT("t"), &t, &e), e);
        in = symbi_tool_validate(cx, t, &args, &out, &e) == SYMBI_OK;
        symbi_doc_unref(out);
        symbi_tool_unref(t);
        return in;
    }
    if (symbi_scope_from_value(cx, &v, SY_LIT("v"), &s, &e)) return false;
    in = (url ? symbi_scope_check_url(s, str(c, "url"), &e) : symbi_scope_check(s, sy_str_eqz(kind, "ip_in_cidr") ? str(c, "ip") : str(c, "hostname"), &e)) == SYMBI_OK;
    symbi_scope_unref(s);
    return in;
}

static void test_vectors_published(void)
{
    symbi_doc *d;
    const symbi_value *cases;
    int ok = 0;
    if (!(d = vectors(cx, "scope_published.json"))) SKIP("no shared vectors");
    cases = symbi_value_getz(symbi_doc_root(d), "cases");
    for (size_t i = 0; i < cases->u.a.n; i++) {
        const symbi_value *c = &cases->u.a.items[i];
        bool agrees = published(c) == symbi_value_getz(c, "expected")->u.b;
        if (agrees) ok++;
        else printf("  %.*s\n", (int)str(c, "id").n, str(c, "id").p);
        CHECK(agrees);
    }
    printf("scope_published.json         %d of %zu\n", ok, cases->u.a.n);
    symbi_doc_unref(d);
}

#define SCOPE "[scope]\ntargets = [\"10.0.1.0/24\", \"203.0.113.7\", \"2001:db8::/32\", \"Intranet\"]\ndomains = [\"Example.com.\", \"*.test.example.com\"]\nexclude = [\"10.0.1.64/26\", \"*.secret.test.example.com\", \"2001:db8:bad::/48\"]\n"

static void test_rules(void)
{
    static const struct { const char *target; bool in; } t[] = {
        { "10.0.1.1", true }, { "10.0.1.0/25", false /* overlaps the exclusion */ }, { "10.0.1.128/25", true }, { "10.0.1.64", false }, { "10.0.1.65/32", false },
        { "::ffff:10.0.1.1", true }, { "::ffff:10.0.1.64", false }, { "::ffff:10.0.1.128/121", true }, { "::ffff:0:0/96", false }, { "0.0.0.0/0", false }, { "::/0", false },
        { "203.0.113.7", true }, { "203.0.113.7/32", true }, { "203.0.113.6/31", false }, { "3405803783" /* 203.0.113.7 */, true }, { "0xcb007107", true }, { "10.0.321", false },
        { "10.0.1.1.", true }, { "10.0.1.64.", false }, { "10.0.1.1..", false }, { "0x0a.0.1.0100", false /* 10.0.1.64 */ },
        { "2001:db8::1", true }, { "2001:DB8:0:0::1", true }, { "2001:db8:bad::1", false }, { "2001:db8::/31", false }, { "2001:db8::%eth0", false }, { "2001:db8::1%1", false }, { "[2001:db8::1]", false },
        { "intranet", true }, { "INTRANET", true }, { "intranet.", true }, { "x.intranet", false },
        { "example.com", true }, { "EXAMPLE.COM", true }, { "example.com.", true }, { "www.example.com", false }, { "test.example.com", false }, { "a.test.example.com", true }, { "a.b.test.example.com", true },
        { "secret.test.example.com", false }, { "x.secret.test.example.com", false }, { "xsecret.test.example.com", true }, { "-a.test.example.com", false }, { "a..test.example.com", false },
        { "evil.com/a.test.example.com", false }, { "evil.com#a.test.example.com", false }, { "evil.com\n.test.example.com", false }, { "\xd0\xb5.test.example.com", false }, { "", false }, { ".", false }, { "*", false },
        { "*.test.example.com", false }, { "10.0.1.1/33", false }, { "10.0.1.1/", false }, { "10.0.1.1/-1", false }, { "10.0.1.129/025", true }, { "/24", false }, { "10.0.1.1,10.0.2.1", false }, { "10.0.1.1-20", false },
    };
    symbi_scope *s = scope(SCOPE);
    symbi_err e;
    REQUIRE(s);
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        bool in = symbi_scope_check(s, symbi_str_z(t[i].target), &e) == SYMBI_OK;
        if (in != t[i].in) printf("  %s: %s\n", t[i].target, in ? "in" : e.msg);
        CHECK(in == t[i].in);
    }
    CHECK(symbi_scope_check(s, SY_LIT("10.0.2.1"), &e) == SYMBI_EDENIED && strstr(e.msg, "Target '10.0.2.1' is not in scope (allowed: 10.0.1.0/24, "));
    CHECK(symbi_scope_check(s, SY_LIT("10.0.1.64"), &e) == SYMBI_EDENIED && strcmp(e.msg, "Target '10.0.1.64' is explicitly excluded from scope") == 0);
    symbi_scope_unref(s);
}

/* Families: inside only one's own, excluded in any. */
static void test_families(void)
{
    symbi_err e;
    symbi_scope *s = scope("[scope]\ntargets = [\"::/0\", \"172.16.0.0/24\"]\nexclude = [\"172.16.0.128/25\"]\n");
    CHECK(symbi_scope_check(s, SY_LIT("2001:db8::1"), &e) == SYMBI_OK);
    CHECK(symbi_scope_check(s, SY_LIT("10.0.0.1"), &e) == SYMBI_EDENIED);
    CHECK(symbi_scope_check(s, SY_LIT("::ffff:10.0.0.1"), &e) == SYMBI_EDENIED);
    CHECK(symbi_scope_check(s, SY_LIT("172.16.0.0/26"), &e) == SYMBI_OK);
    CHECK(symbi_scope_check(s, SY_LIT("172.16.0.0/16"), &e) == SYMBI_EDENIED);
    CHECK(symbi_scope_check(s, SY_LIT("::/0"), &e) == SYMBI_EDENIED && strstr(e.msg, "explicitly excluded")); /* it holds 172.16.0.128/25 */
    CHECK(symbi_scope_check(s, SY_LIT("::ffff:0:0/95"), &e) == SYMBI_EDENIED);
    CHECK(symbi_scope_check(s, SY_LIT("2001:db8::/32"), &e) == SYMBI_OK);
    CHECK(symbi_scope_check_url(s, SY_LIT("https://u:p@2001/"), &e) == SYMBI_EDENIED && strstr(e.msg, "user information"));
    symbi_scope_unref(s);
    s = scope("[scope]\ntargets = [\"172.16.0.0/24\"]\n");
    CHECK(symbi_scope_check(s, SY_LIT("172.16.0.0/16"), &e) == SYMBI_EDENIED);
    CHECK(symbi_scope_check(s, SY_LIT("172.16.0.0/24"), &e) == SYMBI_OK);
    symbi_scope_unref(s);
}

static void test_urls(void)
{
    static const struct { const char *url; bool in; } t[] = {
        { "https://example.com/", true }, { "https://example.com", true }, { "HTTPS://EXAMPLE.COM:8443/x?y#z", true }, { "ftp://a.test.example.com/x", true }, { "https://[2001:db8::1]:8/x", true }, { "http://10.0.1.1/", true },
        { "http://167772417/" /* 10.0.1.1 */, true }, { "http://10.0.2.1/", false }, { "https://example.com.evil.com/", false }, { "https://evil.com/example.com", false }, { "https://evil.com?example.com", false },
        { "https://evil.com#example.com", false }, { "https://example.com@evil.com/", false }, { "https://evil.com@example.com/", false }, { "https://evil.com\\example.com/", false }, { "https://example.com\\@evil.com/", false },
        { "https://example.com:80x/", false }, { "https://example.com%2eevil.com/", false }, { "https://[::1]/", false }, { "https://[10.0.1.1]/", false }, { "https://[2001:db8::1]x/", false }, { "https:///example.com", false },
        { "//example.com/", false }, { "https:example.com", false }, { "x/y://example.com/", false }, { "", false }, { "://example.com", false },
    };
    symbi_scope *s = scope(SCOPE);
    symbi_err e;
    REQUIRE(s);
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        bool in = symbi_scope_check_url(s, symbi_str_z(t[i].url), &e) == SYMBI_OK;
        if (in != t[i].in) printf("  %s: %s\n", t[i].url, in ? "in" : e.msg);
        CHECK(in == t[i].in);
    }
    symbi_scope_unref(s);
}

static void test_files(void)
{
    static const char *const bad[] = {
        "", "[scop]\n", "[scope]\n[extra]\n", "scope = 1\n", "[scope]\nexcludes = []\n", "[scope]\ntargets = \"10.0.0.0/8\"\n", "[scope]\ntargets = [1]\n", "[scope]\ntargets = [\"10.0.0.0/33\"]\n", "[scope]\ntargets = [\"10.0.0/8\"]\n",
        "[scope]\ntargets = [\"10.1\"]\n", "[scope]\ntargets = [\"*.x.com\"]\n", "[scope]\ntargets = [\"\"]\n", "[scope]\ntargets = [\"a b\"]\n", "[scope]\ndomains = [\"10.0.0.1\"]\n", "[scope]\ndomains = [\"*\"]\n", "[scope]\ndomains = [\"*.\"]\n",
        "[scope]\ndomains = [\"a.*.com\"]\n", "[scope]\ndomains = [\"https://x.com\"]\n", "[scope]\nexclude = [\"10.0.0.0/x\"]\n", "[scope]\nexclude = [\"fe80::1%1\"]\n", "[scope\n",
    };
    symbi_scope *s;
    symbi_err e;
    symbi_value *many = calloc(SYMBI_SCOPE_ENTRIES + 1, sizeof *many);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        symbi_status st = symbi_scope_parse(cx, symbi_str_z(bad[i]), SY_LIT("scope/scope.toml"), &s, &e);
        if (!st) printf("  accepted: %s\n", bad[i]);
        CHECK(st && !s);
        CHECK(e.path[0]);
    }
    s = scope("[scope]\n");
    CHECK(symbi_scope_check(s, SY_LIT("10.0.0.1"), &e) == SYMBI_EDENIED);
    CHECK_STR(symbi_scope_problem(s), "");
    symbi_scope_unref(s);
    CHECK_OK(symbi_scope_broken(cx, SY_LIT("scope.toml:3: no list"), &s, &e), e);
    CHECK(symbi_scope_check(s, SY_LIT("10.0.0.1"), &e) == SYMBI_EDENIED && strstr(e.msg, "scope.toml:3: no list"));
    CHECK(symbi_scope_check_url(s, SY_LIT("https://h.example/"), &e) == SYMBI_EDENIED);
    symbi_scope_unref(s);
    REQUIRE(many);
    for (size_t n = SYMBI_SCOPE_ENTRIES; n <= SYMBI_SCOPE_ENTRIES + 1; n++) {
        symbi_member m = { SY_LIT("targets"), sy_val_array(many, n) };
        symbi_value v = sy_val_object(&m, 1);
        for (size_t i = 0; i < n; i++) many[i] = sy_val_str(SY_LIT("10.0.0.0/8"));
        CHECK((symbi_scope_from_value(cx, &v, SY_LIT("v"), &s, &e) == SYMBI_OK) == (n == SYMBI_SCOPE_ENTRIES));
        symbi_scope_unref(s);
    }
    free(many);
}

#define TOOL "[tool]\nname=\"t\"\ndispatch=\"callback\"\n[args.t]\ntype=\"scope_target\"\n[args.i]\ntype=\"ip_address\"\n[args.c]\ntype=\"cidr\"\n[args.u]\ntype=\"url\"\nschemes=[\"https\"]\nscope_check=true\n" \
             "[args.v]\ntype=\"url\"\nschemes=[\"https\"]\n[args.s]\ntype=\"string\"\nscope_check=true\n[args.n]\ntype=\"integer\"\nscope_check=true\n"

/* The argument that is out of scope, or "". */
static const char *checked(symbi_tool *t, const symbi_scope *s, bool required, const char *args)
{
    static symbi_err e;
    symbi_doc *a = NULL, *v = NULL;
    e.path[0] = 0;
    CHECK_OK(symbi_json_parse(cx, symbi_str_z(args), &a, &e), e);
    CHECK_OK(symbi_tool_validate(cx, t, symbi_doc_root(a), &v, &e), e);
    if (v && symbi_tool_check_scope(t, symbi_doc_root(v), s, required, &e) == SYMBI_OK) e.path[0] = 0;
    symbi_doc_unref(a);
    symbi_doc_unref(v);
    return e.path;
}

static void test_arguments(void)
{
    symbi_tool *t;
    symbi_err e;
    symbi_scope *s = scope(SCOPE);
    CHECK_OK(symbi_tool_parse(cx, SY_LIT(TOOL), SY_LIT("t"), &t, &e), e);
    CHECK(!*checked(t, s, false, "{}"));
    CHECK(!*checked(t, s, false, "{\"t\":\"example.com\",\"i\":\"10.0.1.1\",\"c\":\"10.0.1.128/25\",\"u\":\"https://example.com/x\",\"v\":\"https://elsewhere.example/\",\"s\":\"intranet:80\"}"));
    CHECK(!*checked(t, s, false, "{\"s\":\"https://example.com:1/x\"}"));
    CHECK(!strcmp(checked(t, s, false, "{\"t\":\"evil.com\"}"), "t"));
    CHECK(!strcmp(checked(t, s, false, "{\"i\":\"10.0.2.1\"}"), "i"));
    CHECK(!strcmp(checked(t, s, false, "{\"c\":\"10.0.0.0/8\"}"), "c"));
    CHECK(!strcmp(checked(t, s, false, "{\"u\":\"https://evil.com/example.com\"}"), "u"));
    CHECK(!strcmp(checked(t, s, false, "{\"u\":\"https://evil.com@example.com/\"}"), "u"));
    CHECK(!strcmp(checked(t, s, false, "{\"s\":\"evil.com:80\"}"), "s"));
    CHECK(!strcmp(checked(t, s, false, "{\"s\":\"\"}"), "s"));
    CHECK(!strcmp(checked(t, s, false, "{\"n\":167772417}"), "n"));
    /* no scope */
    CHECK(!*checked(t, NULL, false, "{\"t\":\"evil.com\"}"));
    CHECK(!strcmp(checked(t, NULL, true, "{\"t\":\"example.com\"}"), "t"));
    CHECK(!*checked(t, NULL, true, "{\"v\":\"https://elsewhere.example/\"}"));
    symbi_tool_unref(t);
    symbi_scope_unref(s);
}

/* Through the gate: the code, and in which order. */
static void test_gate(void)
{
    symbi_cedar *set = NULL;
    symbi_cedar_source src = { SY_LIT("p.cedar"), SY_LIT("permit(principal, action == Action::\"tool_call::t\", resource);") };
    symbi_toolset *tools;
    symbi_tool *t;
    symbi_gate_options o;
    symbi_gate *g = NULL;
    symbi_action a;
    symbi_verdict v;
    symbi_err e;
    memset(&v, 0, sizeof v);
    memset(&a, 0, sizeof a);
    CHECK_OK(symbi_tool_parse(cx, SY_LIT("[tool]\nname=\"t\"\ndispatch=\"callback\"\nhuman_approval=true\n[args.t]\ntype=\"scope_target\"\n"), SY_LIT("t"), &t, &e), e);
    CHECK_OK(symbi_toolset_new(cx, &tools, &e), e);
    CHECK_OK(symbi_toolset_add(tools, t, &e), e);
    CHECK_OK(symbi_cedar_parse(cx, &src, 1, 0, &set, &e), e);
    symbi_gate_options_init(&o);
    o.policies = set;
    o.tools = tools;
    o.scope = scope(SCOPE);
    CHECK_OK(symbi_gate_new(cx, &o, &g, &e), e);
    symbi_scope_unref(o.scope);
    REQUIRE(g);
    a.kind = SYMBI_ACTION_TOOL_CALL;
    a.agent = SY_LIT("bot");
    a.name = SY_LIT("t");
    a.args_text = SY_LIT("{\"t\":\"evil.com\"}");
    symbi_gate_check(g, &a, NULL, &v);
    CHECK(v.code == SYMBI_CODE_OUT_OF_SCOPE && v.decision == SYMBI_DENY && !v.has_permit); /* nobody is asked to approve that */
    CHECK(strstr(v.reason, "argument 't': Target 'evil.com' is not in scope"));
    symbi_verdict_clear(&v);
    a.args_text = SY_LIT("{\"t\":\"example.com\"}");
    symbi_gate_check(g, &a, NULL, &v);
    CHECK(v.code == SYMBI_CODE_APPROVAL_REQUIRED);
    { /* a permit of before does not outlive the scope it was given under */
        symbi_scope *empty = scope("[scope]\n");
        symbi_plan *p;
        symbi_order order;
        symbi_code code;
        CHECK_OK(symbi_gate_approve(g, v.action_digest, true, SY_LIT("ann"), 0, &e), e);
        symbi_verdict_clear(&v);
        symbi_gate_check(g, &a, NULL, &v);
        CHECK(v.decision == SYMBI_ALLOW);
        CHECK_OK(symbi_gate_commit(g, &v, NULL, &e), e);
        symbi_gate_rescope(g, empty);
        CHECK(symbi_gate_redeem(g, &v, (symbi_str){ (const char *)v.permit.bytes, SYMBI_PERMIT_BYTES }, NULL, &p, &order, &code, &e) == SYMBI_EPERMIT && code == SYMBI_CODE_OUT_OF_SCOPE && !p);
        symbi_gate_rescope(g, NULL);
        CHECK_OK(symbi_gate_redeem(g, &v, (symbi_str){ (const char *)v.permit.bytes, SYMBI_PERMIT_BYTES }, NULL, &p, &order, &code, &e), e);
        symbi_plan_unref(p);
        symbi_scope_unref(empty);
    }
    symbi_verdict_clear(&v);
    symbi_gate_free(g);
    o.scope = NULL;
    o.require_scope = true;
    CHECK_OK(symbi_gate_new(cx, &o, &g, &e), e);
    symbi_gate_check(g, &a, NULL, &v);
    CHECK(v.code == SYMBI_CODE_OUT_OF_SCOPE && strstr(v.reason, "this host requires one"));
    symbi_verdict_clear(&v);
    symbi_gate_free(g);
    symbi_cedar_unref(set);
    symbi_toolset_unref(tools);
    symbi_tool_unref(t);
}

static symbi_status whole(symbi_ctx *x, void *ud)
{
    symbi_scope *s = NULL, *b = NULL;
    symbi_err e;
    symbi_status st = symbi_scope_parse(x, SY_LIT(SCOPE), SY_LIT("scope.toml"), &s, &e);
    (void)ud;
    if (!st) st = symbi_scope_check(s, SY_LIT("10.0.1.1"), &e);
    if (!st) st = symbi_scope_broken(x, SY_LIT("why"), &b, &e);
    symbi_scope_unref(s);
    symbi_scope_unref(b);
    return st;
}

static void test_no_memory(void) { test_oom(whole, NULL, SYMBI_OK); }

int main(void)
{
    symbi_err e;
    if (symbi_ctx_new(NULL, &cx, &e)) return 1;
    RUN(test_vectors_check);
    RUN(test_vectors_published);
    RUN(test_rules);
    RUN(test_families);
    RUN(test_urls);
    RUN(test_files);
    RUN(test_arguments);
    RUN(test_gate);
    RUN(test_no_memory);
    symbi_ctx_free(cx);
    return test_end();
}
