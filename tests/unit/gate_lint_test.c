/* The policy linter, and explanations: what is found, what is left in peace, and that neither runs out of memory, stack or patience. */
#include "test.h"

#include "symbi/cedar_explain.h"
#include "symbi/gate_explain.h"
#include "symbi/gate_lint.h"

#define S(lit) ((symbi_str){ lit, sizeof(lit) - 1 })

static symbi_ctx *cx;

static symbi_str str(const symbi_value *v, const char *key)
{
    symbi_str none = { "", 0 };
    return symbi_value_str(v, key, none);
}
static bool eqz(symbi_str s, const char *z) { return s.n == strlen(z) && !memcmp(s.p, z, s.n); }

/* "rule@line:col rule@line:col ..." */
static void summary(const symbi_value *list, char *out, size_t cap)
{
    size_t n = 0;
    out[0] = 0;
    for (size_t i = 0; i < list->u.a.n; i++) {
        const symbi_value *f = &list->u.a.items[i];
        symbi_str rule = str(f, "rule"), sev = str(f, "severity");
        n += (size_t)snprintf(out + n, n < cap ? cap - n : 0, "%s%.*s%s@%d:%d", i ? " " : "", (int)rule.n, rule.p, sev.n && sev.p[0] == 'n' ? "?" : sev.p[0] == 'e' ? "!" : "",
                              (int)symbi_value_getz(f, "line")->u.i, (int)symbi_value_getz(f, "col")->u.i);
    }
}

typedef struct text_case {
    const char *text, *found;
} text_case;

static const text_case k_texts[] = {
    { "permit(principal, action, resource);", "" },
    { "// caf\xc3\xa9, \xe4\xb8\xad\n\tpermit(principal, action, resource);\r\n", "" },
    { "permit(principal == Agent::\"caf\xc3\xa9\", action, resource);", "non_ascii_id!@1:21" },
    { "\npermit(principal == Tool::\"t\xd0\xb0sk\", action, resource);", "confusable!@2:27" },          /* a type that upstream does not look at */
    { "permit(principal, action, resource) when { context.x == \"\\u{430}b\" };", "confusable!@1:57" }, /* written as an escape */
    { "permit(principal, action, resource) when { context.x == \"\xd0\xb0\xd0\xb3\xd0\xb5\xd0\xbd\xd1\x82\" };", "" }, /* a word of another script */
    { "permit(principal, action, resource) when { context.x == \"a\\u{200b}b\" };", "hidden_escape!@1:57" },
    { "permit(principal, action, resource) when { context.x == \"\\x41\\n\\\"\\u{1F600}\" };", "" },
    { "// a\xc2\xad b\xe3\x85\xa4\n// \xd8\x9c", "bidi!@2:4 hidden!@1:5" },
    { "// \xe2\x80\xae", "invisible!@1:4 bidi!@1:4" },
    { "// \"not a string \xd0\xb0\npermit(principal, action, resource);", "" },
    { "permit(principal, action, resource) when { \"open \xd0\xb0", "confusable!@1:44" },
    { "x\xff", "undecodable!@1:2" },
    { "\xef\xbc\xa1::\"\xef\xbd\x81\"", "confusable!@1:6" },
    { "", "" },
};

static void test_texts(void)
{
    for (size_t i = 0; i < sizeof k_texts / sizeof *k_texts; i++) {
        symbi_doc *d = NULL;
        symbi_err err;
        char got[600];
        REQUIRE(symbi_policy_lint_text(cx, symbi_str_z(k_texts[i].text), 0, &d, &err) == SYMBI_OK);
        summary(symbi_doc_root(d), got, sizeof got);
        if (strcmp(got, k_texts[i].found) != 0) printf("text %zu: [%s], expected [%s]\n", i, got, k_texts[i].found), t_now_failed = 1;
        symbi_doc_unref(d);
    }
}

/* Any bytes: no crash, and an answer. */
static void test_any_bytes(void)
{
    char buf[64];
    uint32_t x = 12345;
    static const char bits[] = "\"\\u{430}x41/\n\xd0\xb0\xe2\x80\xae" "Action::\"";
    for (int i = 0; i < 20000; i++) {
        size_t n;
        symbi_doc *d = NULL;
        symbi_err err;
        x = x * 1664525u + 1013904223u;
        n = (x >> 20) % sizeof buf;
        for (size_t k = 0; k < n; k++) {
            x = x * 1664525u + 1013904223u;
            buf[k] = (x >> 30) ? bits[(x >> 8) % (sizeof bits - 1)] : (char)(x >> 16);
        }
        if (symbi_policy_lint_text(cx, (symbi_str){ buf, n }, 0, &d, &err)) printf("%s\n", err.msg), t_now_failed = 1;
        symbi_doc_unref(d);
    }
}

/* ---- sets ---- */

static symbi_status parse(symbi_ctx *c, symbi_str text, symbi_cedar **set, symbi_err *err)
{
    symbi_cedar_source src = { { "p.cedar", 7 }, text };
    return symbi_cedar_parse(c, &src, 1, SYMBI_CEDAR_IDS_ANNOTATED | SYMBI_CEDAR_SYMBI_ALIAS | SYMBI_CEDAR_LEGACY_SCOPE, set, err);
}

#define P "permit(principal, action, resource) "
#define ANSWER "permit(principal, action == Action::\"respond\", resource);"
#define CALL(cond) "permit(principal, action == Action::\"tool_call::count\", resource) when { " cond " };" ANSWER

static const text_case k_sets[] = {
    { P ";", "" },
    { "permit(principal, action in Action::\"tool_call\", resource);", "no_answer?@0:0" },
    { "", "" },
    /* guarded or not */
    { P "when { context has risk && context.risk > 5 };", "" },
    { P "when { context.risk > 5 };", "can_error@1:52" },
    { P "when { !(context has risk) || context.risk > 5 };", "" },
    { P "when { context has risk || context.risk > 5 };", "can_error@1:72" },
    { P "unless { !(context has risk && context.risk > 5) };", "" },
    { P "when { context has risk } when { context.risk > 5 };", "" },
    { P "unless { !(context has risk) } when { context.risk > 5 };", "" },
    { P "when { if context has risk then context.risk > 5 else true };", "" },
    { P "when { if context has risk then true else context.risk > 5 };", "can_error@1:87" },
    { P "when { context has a.b && context.a.b == 1 };", "" },
    { P "when { context has a && context.a.b == 1 };", "can_error@1:71" },
    { P "when { context.budget has tokens && context.budget.tokens > 5 };", "" },
    { P "when { context.budget.tokens > 5 };", "can_error@1:59" },
    { P "when { context.loop.iteration < 5 && context.now > 0 && resource.kind == \"respond\" && principal.id == \"x\" };", "" },
    { P "when { resource.tool_name == \"x\" };", "can_error@1:53" },
    { P "when { resource.kind == \"tool_call\" && resource.tool_name == \"x\" };", "" },
    { P "when { action in Action::\"tool_call\" && resource.risk_tier == \"low\" };", "" },
    { P "when { principal.tier == 1 };", "can_error!@1:54" },
    { P "when { principal has domain && principal.domain == \"x\" };", "" },
    { P "when { principal.hasTag(\"a\") && principal.getTag(\"a\") == 1 };", "" },
    { P "when { principal.getTag(\"a\") == 1 };", "can_error@1:54" },
    /* types */
    { P "when { action like \"x*\" };", "can_error!@1:51" },
    { P "when { context.now like \"x*\" };", "can_error!@1:56" },
    { P "when { resource.name > 3 };", "can_error!@1:53" },
    { P "when { context.now && true };", "can_error!@1:52" },
    { P "when { context.surface.contains(\"x\") };", "can_error!@1:60" },
    { P "when { principal in \"x\" };", "can_error!@1:57" },
    { P "when { context.now + 1 > 5 };", "can_error?@1:44" },
    { P "when { context.input has n && context.input.n * 2 > 5 };", "can_error@1:67" },
    { P "when { ip(\"10.0.0.1\").isLoopback() };", "" },
    { P "when { ip(\"10.0.0\").isLoopback() };", "can_error!@1:44" },
    { P "when { context.input has h && ip(context.input.h).isLoopback() };", "can_error@1:67" },
    /* what tools declare */
    { CALL("context.input.path like \"docs/*\""), "" },
    { CALL("context.input.n > 3"), "can_error@1:88" },
    { CALL("context.input has n && context.input.n > 3"), "" },
    { CALL("context.input.path > 3"), "can_error!@1:88" },
    { CALL("context.input.mode == \"x\""), "can_error!@1:88" },
    { CALL("resource.risk_tier == \"low\""), "" },
    { "permit(principal, action == Action::\"tool_call::gone\", resource);" ANSWER, "unknown_tool@1:1" },
    { "permit(principal, action in [Action::\"tool_call::gone\", Action::\"respond\"], resource);", "unknown_tool@1:1" },
    /* scopes */
    { "permit(principal, action == Action::\"tool_call\", resource);" ANSWER, "never_matches!@1:1" },
    { "permit(principal, action == Action::\"read\", resource);" ANSWER, "never_matches!@1:1" },
    { "permit(principal, action == NS::Action::\"respond\", resource);" ANSWER, "never_matches!@1:1" },
    { "permit(principal, action in Action::\"harmless\", resource);" ANSWER, "never_matches?@1:1" },
    { "permit(principal in Team::\"red\", action, resource in Toolbox::\"files\");", "" },
    { "permit(principal == User::\"x\", action, resource);", "never_matches!@1:1" },
    { "permit(principal is User, action, resource);", "never_matches!@1:1" },
    { "permit(principal == Symbi::Agent::\"x\", action, resource);", "" },
    { "permit(principal, action, resource == Tool::\"count\");", "never_matches!@1:1" },
    { "permit(principal, action, resource in Tool::\"count\");", "" },
    { "permit(principal, action, resource == Resource::\"count\");", "never_matches!@1:1" },
    { P "when { false };", "never_matches!@1:44" },
    { P "unless { true };", "never_matches!@1:46" },
    { P "when { resource.name == 3 };", "never_matches!@1:58" },
    { P "when { context.x == 3 && 1 == 2 };", "never_matches!@1:44 can_error@1:52" },
    { P "when { principal is User };", "never_matches!@1:54" },
    { "permit(principal == ?principal, action, resource);", "never_matches@1:1" },
    { "permit(principal, action == \"respond\", resource);", "seed_dialect@1:29" },
    /* one over the other */
    { P ";" P ";", "shadowed@1:38" },
    { P ";" P "when { context.now > 1 };", "shadowed@1:38" },
    { P "when { context.now > 1 };" P "when { context.now > 1 };", "shadowed@1:62" },
    { P "when { context.now > 1 };" P "when { context.now > 2 };", "" },
    { P "when { context.now > 1 };" P ";", "shadowed@1:1" },
    { "forbid(principal, action, resource);" P ";", "shadowed@1:37" },
    { P ";forbid(principal, action, resource) when { context.now > 1 };", "" },
    { P ";forbid(principal == Agent::\"x\", action, resource);", "" },
    { "permit(principal, action in Action::\"tool_call\", resource);permit(principal, action == Action::\"tool_call::count\", resource);" ANSWER, "shadowed@1:60" },
    { "permit(principal, action == Action::\"tool_call::count\", resource);permit(principal, action in Action::\"tool_call\", resource);" ANSWER, "shadowed@1:1" },
    { "permit(principal == Agent::\"a\", action == Action::\"respond\", resource);permit(principal == Agent::\"b\", action == Action::\"respond\", resource);", "" },
    { "permit(principal is Agent, action == Action::\"respond\", resource);permit(principal == Agent::\"b\", action == Action::\"respond\", resource);", "shadowed@1:67" },
};

static symbi_toolset *tools_of(symbi_ctx *c)
{
    static const char manifest[] = "[tool]\nname = \"count\"\nversion = \"1\"\ndescription = \"d\"\n[args.path]\ntype = \"path\"\nrequired = true\n[args.n]\ntype = \"integer\"\n"
                                   "[command]\nexec = [\"wc\", \"-l\", \"--\", \"{path}\"]\n[output]\nformat = \"text\"\n";
    symbi_toolset *set = NULL;
    symbi_tool *t = NULL;
    symbi_err err;
    if (symbi_toolset_new(c, &set, &err)) return NULL;
    if (!symbi_tool_parse(c, symbi_str_z(manifest), S("t"), &t, &err) && !symbi_toolset_add(set, t, &err)) {
        symbi_tool_unref(t);
        return set;
    }
    symbi_tool_unref(t);
    symbi_toolset_unref(set);
    return NULL;
}

static void test_sets(void)
{
    symbi_toolset *tools = tools_of(cx);
    REQUIRE(tools != NULL);
    for (size_t i = 0; i < sizeof k_sets / sizeof *k_sets; i++) {
        symbi_cedar *set = NULL;
        symbi_doc *d = NULL;
        symbi_err err;
        char got[600];
        if (parse(cx, symbi_str_z(k_sets[i].text), &set, &err)) {
            printf("set %zu does not parse: %s\n", i, err.msg);
            t_now_failed = 1;
            continue;
        }
        CHECK_OK(symbi_policy_lint_set(cx, set, tools, &d, &err), err);
        if (d) summary(symbi_doc_root(d), got, sizeof got);
        if (d && strcmp(got, k_sets[i].found) != 0) printf("%s\n  [%s], expected [%s]\n", k_sets[i].text, got, k_sets[i].found), t_now_failed = 1;
        symbi_doc_unref(d);
        symbi_cedar_unref(set);
    }
    symbi_toolset_unref(tools);
}

/* 10,000 gate-shaped policies are linted in a moment, and a deep condition does not exhaust the stack. */
static void test_large(void)
{
    size_t cap = 10000 * 100, n = 0;
    char *text = malloc(cap);
    symbi_cedar *set = NULL;
    symbi_doc *d = NULL;
    symbi_err err;
    for (int i = 0; i < 10000; i++) n += (size_t)snprintf(text + n, cap - n, "permit(principal == Agent::\"a%d\", action == Action::\"tool_call::t%d\", resource);\n", i, i);
    CHECK_OK(parse(cx, (symbi_str){ text, n }, &set, &err), err);
    CHECK_OK(symbi_policy_lint_set(cx, set, NULL, &d, &err), err);
    CHECK(d && symbi_doc_root(d)->u.a.n == 1); /* nobody may answer */
    symbi_doc_unref(d);
    symbi_cedar_unref(set);
    n = (size_t)snprintf(text, cap, P "when { ");
    for (int i = 0; i < 900; i++) n += (size_t)snprintf(text + n, cap - n, "if context has a then (");
    n += (size_t)snprintf(text + n, cap - n, "true");
    for (int i = 0; i < 900; i++) n += (size_t)snprintf(text + n, cap - n, ") else false");
    n += (size_t)snprintf(text + n, cap - n, " };");
    set = NULL;
    d = NULL;
    if (parse(cx, (symbi_str){ text, n }, &set, &err)) CHECK(err.code == SYMBI_ELIMIT); /* beyond expr_depth */
    else {
        CHECK_OK(symbi_policy_lint_set(cx, set, NULL, &d, &err), err);
        symbi_doc_unref(d);
    }
    symbi_cedar_unref(set);
    free(text);
}

/* ---- explanations ---- */

static const char k_explained[] =
    "@id(\"a\") permit(principal, action == Action::\"tool_call::count\", resource) when { context.input.path like \"docs/*\" && context.loop.iteration < 5 };\n"
    "@id(\"b\") permit(principal == Agent::\"x\", action, resource);\n"
    "@id(\"c\") forbid(principal, action, resource) unless { context has ticket } when { principal.tier == 1 || context.now > 0 };\n"
    "@id(\"d\") permit(principal == ?principal, action, resource);\n";

static symbi_status explain(symbi_ctx *c, const char *args, symbi_verdict *v, symbi_doc **d)
{
    symbi_cedar *set = NULL;
    symbi_toolset *tools = tools_of(c);
    symbi_gate *g = NULL;
    symbi_gate_options o;
    symbi_action a;
    symbi_err err;
    symbi_status st = tools ? parse(c, symbi_str_z(k_explained), &set, &err) : SYMBI_ENOMEM;
    *d = NULL;
    memset(v, 0, sizeof *v);
    memset(&a, 0, sizeof a);
    a.kind = SYMBI_ACTION_TOOL_CALL;
    a.agent = S("bot");
    a.name = S("count");
    a.args_text = symbi_str_z(args);
    symbi_gate_options_init(&o);
    o.policies = set;
    o.tools = tools;
    if (!st) st = symbi_gate_new(c, &o, &g, &err);
    if (!st) st = symbi_gate_explain(g, &a, NULL, v, d, &err);
    if (!st && v->code == SYMBI_CODE_OUT_OF_MEMORY) st = SYMBI_ENOMEM;
    symbi_gate_free(g);
    symbi_cedar_unref(set);
    symbi_toolset_unref(tools);
    return st;
}

static void test_explain(void)
{
    symbi_verdict v;
    symbi_doc *d;
    const symbi_value *list, *c, *b;
    CHECK(explain(cx, "{\"path\":\"secret\"}", &v, &d) == SYMBI_OK);
    REQUIRE(d != NULL);
    CHECK(v.decision == SYMBI_DENY && v.code == SYMBI_CODE_POLICY_ERROR && !v.has_permit);
    list = symbi_doc_root(d);
    REQUIRE(list->u.a.n == 3); /* the template decides nothing */
    CHECK(eqz(str(&list->u.a.items[0], "id"), "a") && eqz(str(&list->u.a.items[0], "outcome"), "not_satisfied"));
    c = &symbi_value_getz(&list->u.a.items[0], "conditions")->u.a.items[0];
    CHECK(eqz(str(c, "clause"), "when") && !symbi_value_getz(c, "holds")->u.b);
    b = symbi_value_getz(c, "because");
    REQUIRE(b->u.a.n == 1); /* the first part that is false is the whole reason */
    CHECK(eqz(str(&b->u.a.items[0], "text"), "context.input.path like \"docs/*\""));
    CHECK(symbi_value_getz(&b->u.a.items[0], "line")->u.i == 1 && !symbi_value_getz(&b->u.a.items[0], "result")->u.b);
    CHECK(eqz(str(&symbi_value_getz(&b->u.a.items[0], "values")->u.a.items[0], "value"), "\"secret\""));
    CHECK(eqz(str(&list->u.a.items[1], "outcome"), "scope") && eqz(symbi_value_getz(&list->u.a.items[1], "scope")->u.a.items[0].u.s, "principal"));
    CHECK(eqz(str(&list->u.a.items[2], "outcome"), "error"));
    c = symbi_value_getz(&list->u.a.items[2], "conditions");
    REQUIRE(c->u.a.n == 2);
    CHECK(symbi_value_getz(&c->u.a.items[0], "holds")->u.b);
    CHECK(str(&c->u.a.items[1], "error").n > 0);
    symbi_doc_unref(d);
    symbi_verdict_clear(&v);
    /* policies were not asked */
    CHECK(explain(cx, "{}", &v, &d) == SYMBI_OK);
    CHECK(d == NULL && v.code == SYMBI_CODE_INVALID_ARGUMENTS);
    symbi_verdict_clear(&v);
}

static void test_explain_has_no_consequences(void)
{
    symbi_cedar *set = NULL, *open = NULL;
    symbi_gate *g = NULL;
    symbi_gate_options o;
    symbi_action a;
    symbi_verdict v;
    symbi_doc *d = NULL;
    symbi_err err;
    uint64_t asked, differed;
    REQUIRE(parse(cx, S(ANSWER), &set, &err) == SYMBI_OK && parse(cx, S(P ";"), &open, &err) == SYMBI_OK);
    symbi_gate_options_init(&o);
    o.policies = set;
    REQUIRE(symbi_gate_new(cx, &o, &g, &err) == SYMBI_OK);
    symbi_gate_shadow(g, open);
    memset(&a, 0, sizeof a);
    memset(&v, 0, sizeof v);
    a.kind = SYMBI_ACTION_RESPOND;
    a.agent = S("bot");
    CHECK_OK(symbi_gate_explain(g, &a, NULL, &v, &d, &err), err);
    CHECK(v.decision == SYMBI_ALLOW && !v.has_permit && !v.has_shadow && d);
    symbi_gate_shadow_counts(g, &asked, &differed);
    CHECK(asked == 0 && differed == 0);
    symbi_doc_unref(d);
    symbi_verdict_clear(&v);
    symbi_gate_check(g, &a, NULL, &v);
    CHECK(v.has_permit && v.has_shadow);
    symbi_verdict_clear(&v);
    symbi_gate_free(g);
    symbi_cedar_unref(set);
    symbi_cedar_unref(open);
}

/* ---- out of memory ---- */

static symbi_status oom_lint(symbi_ctx *c, void *ud)
{
    symbi_cedar *set = NULL;
    symbi_doc *d = NULL;
    symbi_err err;
    symbi_status st;
    (void)ud;
    st = symbi_policy_lint_text(c, S("permit(principal == Agent::\"caf\xc3\xa9\", action, resource) when { context.x == \"\\u{430}\" }; // \xc2\xad"), 0, &d, &err);
    symbi_doc_unref(d);
    d = NULL;
    if (!st) st = parse(c, S("permit(principal, action == \"respond\", resource) when { context.x + context.y > 3 && context has z && context.z.a == 1 };" P ";" P ";"), &set, &err);
    if (!st) st = symbi_policy_lint_set(c, set, NULL, &d, &err);
    symbi_doc_unref(d);
    symbi_cedar_unref(set);
    return st;
}
static void test_oom_lint(void) { test_oom(oom_lint, NULL, SYMBI_OK); }

static symbi_status oom_explain(symbi_ctx *c, void *ud)
{
    symbi_verdict v;
    symbi_doc *d = NULL;
    symbi_status st = explain(c, "{\"path\":\"docs/x\",\"n\":3}", &v, &d);
    (void)ud;
    symbi_doc_unref(d);
    symbi_verdict_clear(&v);
    return st;
}
static void test_oom_explain(void) { test_oom(oom_explain, NULL, SYMBI_OK); }

static symbi_status oom_compat(symbi_ctx *c, void *ud)
{
    symbi_cedar_source src[2] = { { S("a"), S(P) }, { S("b"), S("when { context.x == 1 }; " P ";") } };
    symbi_value n = { .kind = SYMBI_DOUBLE, .u = { .d = 0.5 } };
    symbi_member m = { S("x"), n };
    symbi_value context = { .kind = SYMBI_OBJECT };
    symbi_cedar *set = NULL;
    symbi_gate *g = NULL;
    symbi_gate_options o;
    symbi_facts f;
    symbi_action a;
    symbi_verdict v;
    symbi_err err;
    symbi_status st = symbi_compat_policies(c, src, 2, &set, &err);
    (void)ud;
    memset(&v, 0, sizeof v);
    memset(&f, 0, sizeof f);
    memset(&a, 0, sizeof a);
    context.u.o.members = &m;
    context.u.o.n = 1;
    f.context = &context;
    a.kind = SYMBI_ACTION_TOOL_CALL;
    a.name = S("any name");
    a.args_text = S("{\"a\":[1,2]}");
    symbi_gate_options_init(&o);
    o.policies = set;
    o.compat = true;
    if (!st) st = symbi_gate_new(c, &o, &g, &err);
    if (!st) {
        symbi_gate_check(g, &a, &f, &v);
        if (v.decision != SYMBI_ALLOW) st = v.code == SYMBI_CODE_OUT_OF_MEMORY ? SYMBI_ENOMEM : SYMBI_EDENIED;
        else if (!v.context_replaced || !v.compat) st = SYMBI_EDENIED;
    }
    symbi_verdict_clear(&v);
    symbi_gate_free(g);
    symbi_cedar_unref(set);
    return st;
}
static void test_oom_compat(void) { test_oom(oom_compat, NULL, SYMBI_OK); }

static void test_compat_options(void)
{
    symbi_gate_options o;
    symbi_gate *g = NULL;
    symbi_err err;
    symbi_gate_options_init(&o);
    o.compat_allow = true;
    CHECK(symbi_gate_new(cx, &o, &g, &err) == SYMBI_EDENIED && !g); /* only in compat mode */
    o.compat = o.production = true;
    CHECK(symbi_gate_new(cx, &o, &g, &err) == SYMBI_EDENIED && !g); /* and not in production */
    o.production = false;
    CHECK_OK(symbi_gate_new(cx, &o, &g, &err), err);
    symbi_gate_free(g);
}

int main(void)
{
    symbi_env env;
    symbi_env_init(&env);
    if (symbi_ctx_new(&env, &cx, NULL)) return 2;
    RUN(test_texts);
    RUN(test_any_bytes);
    RUN(test_sets);
    RUN(test_large);
    RUN(test_explain);
    RUN(test_explain_has_no_consequences);
    RUN(test_compat_options);
    RUN(test_oom_lint);
    RUN(test_oom_explain);
    RUN(test_oom_compat);
    symbi_ctx_free(cx);
    return test_end();
}
