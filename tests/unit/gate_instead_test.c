/* Unit tests of @instead: what a forbid may ask for instead of a plain no, and that none of it opens what stays shut without it. */
#define _GNU_SOURCE /* memmem */
#include "symbi/gate_explain.h"
#include "symbi/gate_lint.h"
#include "symbi/json.h"
#include "gate_rig.h"

static const char *const k_tool = "[tool]\nname = \"find\"\nversion = \"1\"\ndescription = \"d\"\ndispatch = \"callback\"\n[args.q]\ntype = \"string\"\nrequired = true\n"
                             "[args.limit]\ntype = \"integer\"\n[args.to]\ntype = \"string\"\n[args.dry]\ntype = \"boolean\"\n";

typedef gate_rig rig;

static symbi_status open_rig(rig *g, const char *policies, bool trail)
{
    symbi_status st = gate_rig_parts(g, &k_tool, 1, policies, 0, trail);
    return st ? st : gate_rig_gate(g);
}

static bool setup(rig *g, const char *policies, bool trail)
{
    memset(g, 0, sizeof *g);
    return gate_rig_up(g) && gate_rig_ok(g, open_rig(g, policies, trail));
}

static void ask_with(rig *g, const char *args, const symbi_facts *f)
{
    symbi_action a;
    memset(&a, 0, sizeof a);
    a.kind = SYMBI_ACTION_TOOL_CALL;
    a.agent = S("bot");
    a.name = S("find");
    a.args_text = symbi_str_z(args);
    symbi_verdict_clear(&g->v);
    symbi_gate_check(g->gate, &a, f, &g->v);
    CHECK(g->v.has_permit == (g->v.decision == SYMBI_ALLOW || g->v.decision == SYMBI_MODIFY));
    CHECK((g->v.code == SYMBI_CODE_ALLOWED) == g->v.has_permit);
}

static void ask(rig *g, const char *args) { ask_with(g, args, NULL); }

static bool input_is(rig *g, const symbi_doc *d, const char *json)
{
    symbi_text t;
    bool same;
    if (!d || symbi_json_write(g->cx, symbi_doc_root(d), SYMBI_JSON_CANONICAL, &t, &g->err)) return false;
    same = strcmp(t.p, json) == 0;
    if (!same) printf("arguments: %s\n", t.p);
    symbi_text_free(&t);
    return same;
}

#define ALL "permit(principal, action, resource);\n"
#define CLAMP "@id(\"clamp\") @instead(\"modify limit = 100\") forbid(principal, action, resource) when { context.input has limit && context.input.limit > 100 };\n"

static void test_modify(void)
{
    rig g;
    uint8_t digest[32];
    symbi_verdict_policy p;
    symbi_plan *plan;
    symbi_order order;
    symbi_plan_options po;
    symbi_code code;
    memset(&po, 0, sizeof po);
    REQUIRE(setup(&g, ALL CLAMP, false));
    ask(&g, "{\"q\":\"x\",\"limit\":100}");
    CHECK(g.v.decision == SYMBI_ALLOW && !g.v.modified);
    memcpy(digest, g.v.action_digest, 32);
    ask(&g, "{\"q\":\"x\",\"limit\":5000}");
    CHECK(g.v.decision == SYMBI_MODIFY && g.v.modified);
    CHECK(input_is(&g, g.v.input, "{\"limit\":100,\"q\":\"x\"}") && input_is(&g, g.v.proposed_, "{\"limit\":5000,\"q\":\"x\"}"));
    CHECK(memcmp(digest, g.v.action_digest, 32) == 0); /* exactly the action that is allowed when it is proposed */
    CHECK(memcmp(g.v.permit.bytes + 28, digest, 32) == 0);
    CHECK(symbi_verdict_policy_at(&g.v, 0, &p) && strcmp(p.id, "clamp") == 0 && p.forbid);
    CHECK(symbi_verdict_policy_at(&g.v, 1, &p) && !p.forbid);
    CHECK_OK(symbi_gate_commit(g.gate, &g.v, NULL, &g.err), g.err);
    CHECK_OK(symbi_gate_redeem(g.gate, &g.v, (symbi_str){ (const char *)g.v.permit.bytes, SYMBI_PERMIT_BYTES }, &po, &plan, &order, &code, &g.err), g.err);
    CHECK(symbi_value_getz(plan->args, "limit")->u.i == 100); /* and that is what leaves */
    symbi_plan_unref(plan);
    gate_rig_down(&g);
}

static void test_modify_in_words(void)
{
    static const struct { const char *what, *args, *becomes; } rows[] = {
        { "drop to", "{\"q\":\"x\",\"to\":\"all\"}", "{\"q\":\"x\"}" },
        { "to = \\\"ops\\\"", "{\"q\":\"x\",\"to\":\"all\"}", "{\"q\":\"x\",\"to\":\"ops\"}" },
        { "to = \\\"a;b\\\"", "{\"q\":\"x\",\"to\":\"all\"}", NULL }, /* one change, whose value the contract refuses */
        { "dry = true; drop to ; limit=1", "{\"q\":\"x\",\"to\":\"all\"}", "{\"dry\":true,\"limit\":1,\"q\":\"x\"}" },
        { "dry=true;drop to;", "{\"q\":\"x\",\"to\":\"all\"}", "{\"dry\":true,\"q\":\"x\"}" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[600];
        rig g;
        snprintf(text, sizeof text, ALL "@instead(\"modify %s\") forbid(principal, action, resource) when { context.input has to && context.input.to == \"all\" };", rows[i].what);
        REQUIRE(setup(&g, text, false));
        ask(&g, rows[i].args);
        if (!rows[i].becomes) {
            CHECK(g.v.decision == SYMBI_DENY && g.v.code == SYMBI_CODE_MODIFY_FAILED);
        } else {
            CHECK(g.v.decision == SYMBI_MODIFY);
            CHECK(input_is(&g, g.v.input, rows[i].becomes));
        }
        gate_rig_down(&g);
    }
}

/* Whatever is asked for, only what would be allowed by itself gets through. */
static void test_modify_never_widens(void)
{
    static const struct { const char *policies; symbi_code code; symbi_decision decision; } rows[] = {
        { CLAMP, SYMBI_CODE_FORBIDDEN, SYMBI_DENY },                                                                                  /* nothing permits */
        { ALL CLAMP "forbid(principal, action, resource);", SYMBI_CODE_FORBIDDEN, SYMBI_DENY },                                       /* a plain no beside it */
        { ALL CLAMP "forbid(principal, action, resource) when { context.input.limit == 100 };", SYMBI_CODE_FORBIDDEN, SYMBI_DENY },   /* a no to what it becomes */
        { "permit(principal, action, resource) when { context.input.limit > 100 };" CLAMP, SYMBI_CODE_DEFAULT_DENY, SYMBI_DENY },     /* what it becomes is not permitted */
        { ALL CLAMP "forbid(principal, action, resource) when { context.gone == 1 };", SYMBI_CODE_POLICY_ERROR, SYMBI_DENY },
        { ALL CLAMP "forbid(principal, action, resource) when { context.input.limit == 100 && context.gone == 1 };", SYMBI_CODE_POLICY_ERROR, SYMBI_DENY },
        { ALL "@instead(\"modify limit = 5000\") forbid(principal, action, resource) when { context.input.limit > 100 };", SYMBI_CODE_MODIFY_FAILED, SYMBI_DENY }, /* no change */
        { ALL "@instead(\"modify limit = 9000\") forbid(principal, action, resource) when { context.input.limit > 100 };", SYMBI_CODE_MODIFY_FAILED, SYMBI_DENY }, /* worse */
        { ALL CLAMP "@instead(\"modify limit = 500\") forbid(principal, action, resource) when { context.input.limit <= 100 };", SYMBI_CODE_MODIFY_FAILED, SYMBI_DENY }, /* to and fro */
        { ALL "@instead(\"modify other = 1\") forbid(principal, action, resource) when { context.input.limit > 100 };", SYMBI_CODE_MODIFY_FAILED, SYMBI_DENY },   /* no such argument */
        { ALL "@instead(\"modify limit = \\\"x\\\"\") forbid(principal, action, resource) when { context.input.limit > 100 };", SYMBI_CODE_MODIFY_FAILED, SYMBI_DENY },
        { ALL "@instead(\"modify drop q\") forbid(principal, action, resource) when { context.input.limit > 100 };", SYMBI_CODE_MODIFY_FAILED, SYMBI_DENY },       /* required */
        { ALL CLAMP "@instead(\"defer\") forbid(principal, action, resource);", SYMBI_CODE_DEFERRED, SYMBI_DEFER },                   /* putting off comes first */
        { ALL CLAMP "@instead(\"defer\") forbid(principal, action, resource) when { context.input.limit == 100 };", SYMBI_CODE_DEFERRED, SYMBI_DEFER },
        { ALL CLAMP "@instead(\"step_up\") forbid(principal, action, resource);", SYMBI_CODE_APPROVAL_REQUIRED, SYMBI_STEP_UP },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig g;
        REQUIRE(setup(&g, rows[i].policies, false));
        ask(&g, "{\"q\":\"x\",\"limit\":5000}");
        if (g.v.code != rows[i].code || g.v.decision != rows[i].decision) printf("row %zu: %s %s\n", i, symbi_code_name(g.v.code), g.v.reason);
        CHECK(g.v.code == rows[i].code && g.v.decision == rows[i].decision && !g.v.has_permit);
        gate_rig_down(&g);
    }
}

static void test_modify_of_what_has_no_arguments(void)
{
    rig g;
    symbi_action a;
    REQUIRE(setup(&g, ALL "@instead(\"modify limit = 1\") forbid(principal, action == Action::\"respond\", resource);", false));
    memset(&a, 0, sizeof a);
    a.kind = SYMBI_ACTION_RESPOND;
    a.agent = S("bot");
    a.content = S("hello");
    symbi_gate_check(g.gate, &a, NULL, &g.v);
    CHECK(g.v.decision == SYMBI_DENY && g.v.code == SYMBI_CODE_MODIFY_FAILED);
    gate_rig_down(&g);
}

static void test_two_changes_at_once(void)
{
    rig g;
    REQUIRE(setup(&g, ALL CLAMP "@instead(\"modify drop to\") forbid(principal, action, resource) when { context.input has to };", false));
    ask(&g, "{\"q\":\"x\",\"limit\":500,\"to\":\"all\"}");
    CHECK(g.v.decision == SYMBI_MODIFY && input_is(&g, g.v.input, "{\"limit\":100,\"q\":\"x\"}"));
    ask(&g, "{\"q\":\"x\",\"to\":\"all\"}");
    CHECK(g.v.decision == SYMBI_MODIFY && input_is(&g, g.v.input, "{\"q\":\"x\"}"));
    gate_rig_down(&g);
}

static void test_step_up(void)
{
    static const char *const forms[] = {
        ALL "@id(\"ask\") @instead(\"step_up\") forbid(principal, action, resource) when { context.input has to };",
        ALL "@id(\"ask\") @instead(\"step_up\") forbid(principal, action, resource) when { context.input has to } unless { context.has_human_approval };",
    };
    for (size_t i = 0; i < 2; i++) {
        rig g;
        REQUIRE(setup(&g, forms[i], false));
        ask(&g, "{\"q\":\"x\"}");
        CHECK(g.v.decision == SYMBI_ALLOW);
        ask(&g, "{\"q\":\"x\",\"to\":\"all\"}");
        CHECK(g.v.decision == SYMBI_STEP_UP && g.v.code == SYMBI_CODE_APPROVAL_REQUIRED);
        CHECK(i || strstr(g.v.reason, "ask"));
        CHECK_OK(symbi_gate_approve(g.gate, g.v.action_digest, true, S("ann"), 0, &g.err), g.err);
        ask(&g, "{\"q\":\"y\",\"to\":\"all\"}"); /* another action */
        CHECK(g.v.decision == SYMBI_STEP_UP);
        ask(&g, "{\"q\":\"x\",\"to\":\"all\"}");
        CHECK(g.v.decision == SYMBI_ALLOW);
        ask(&g, "{\"q\":\"x\",\"to\":\"all\"}"); /* once */
        CHECK(g.v.decision == SYMBI_STEP_UP);
        CHECK_OK(symbi_gate_approve(g.gate, g.v.action_digest, false, S("ann"), 0, &g.err), g.err);
        ask(&g, "{\"q\":\"x\",\"to\":\"all\"}");
        CHECK(g.v.decision == SYMBI_DENY && g.v.code == SYMBI_CODE_APPROVAL_DENIED);
        gate_rig_down(&g);
    }
}

/* An approval lifts the forbids that ask for one, and no other. */
static void test_step_up_is_not_a_permit(void)
{
    static const struct { const char *policies; symbi_code code; } rows[] = {
        { "@instead(\"step_up\") forbid(principal, action, resource);", SYMBI_CODE_FORBIDDEN },
        { ALL "@instead(\"step_up\") forbid(principal, action, resource); forbid(principal, action, resource);", SYMBI_CODE_FORBIDDEN },
        { ALL "@instead(\"step_up\") forbid(principal, action, resource); forbid(principal, action, resource) when { context.has_human_approval };", SYMBI_CODE_FORBIDDEN },
        { "permit(principal, action, resource) unless { context.has_human_approval }; @instead(\"step_up\") forbid(principal, action, resource);", SYMBI_CODE_FORBIDDEN },
        { ALL "@instead(\"step_up\") forbid(principal, action, resource); @instead(\"defer\") forbid(principal, action, resource);", SYMBI_CODE_DEFERRED },
        { ALL "@instead(\"step_up\") forbid(principal, action, resource); forbid(principal, action, resource) when { context.gone };", SYMBI_CODE_POLICY_ERROR },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig g;
        REQUIRE(setup(&g, rows[i].policies, false));
        ask(&g, "{\"q\":\"x\"}");
        CHECK(g.v.code == rows[i].code);
        CHECK_OK(symbi_gate_approve(g.gate, g.v.action_digest, true, S("ann"), 0, &g.err), g.err);
        ask(&g, "{\"q\":\"x\"}");
        if (g.v.code != rows[i].code) printf("row %zu: %s %s\n", i, symbi_code_name(g.v.code), g.v.reason);
        CHECK(g.v.code == rows[i].code && !g.v.has_permit);
        gate_rig_down(&g);
    }
}

/* A person sees, and approves, what it will be. */
static void test_modified_and_approved(void)
{
    rig g;
    REQUIRE(setup(&g, ALL CLAMP "@instead(\"step_up\") forbid(principal, action, resource) when { context.input has to };", false));
    ask(&g, "{\"q\":\"x\",\"to\":\"all\",\"limit\":5000}");
    CHECK(g.v.decision == SYMBI_STEP_UP && g.v.modified && input_is(&g, g.v.input, "{\"limit\":100,\"q\":\"x\",\"to\":\"all\"}"));
    CHECK_OK(symbi_gate_approve(g.gate, g.v.action_digest, true, S("ann"), 0, &g.err), g.err);
    ask(&g, "{\"q\":\"x\",\"to\":\"all\",\"limit\":7000}"); /* becomes the same */
    CHECK(g.v.decision == SYMBI_MODIFY && input_is(&g, g.v.input, "{\"limit\":100,\"q\":\"x\",\"to\":\"all\"}"));
    ask(&g, "{\"q\":\"x\",\"to\":\"all\",\"limit\":5000}");
    CHECK(g.v.decision == SYMBI_STEP_UP);
    gate_rig_down(&g);
}

static void test_defer(void)
{
    rig g;
    symbi_facts f;
    memset(&f, 0, sizeof f);
    f.tokens_left = f.time_left_ms = -1;
    REQUIRE(setup(&g, ALL "@id(\"night\") @instead(\"defer 30s\") forbid(principal, action, resource) when { context.now < 5000 };"
                          "@instead(\"defer 2m\") forbid(principal, action, resource) when { context.now < 3000 };"
                          "@instead(\"defer\") forbid(principal, action, resource) when { context.now < 1000 };", false));
    f.now_ms = 4000;
    ask_with(&g, "{\"q\":\"x\"}", &f);
    CHECK(g.v.decision == SYMBI_DEFER && g.v.code == SYMBI_CODE_DEFERRED && g.v.retry_after_ms == 30000 && strstr(g.v.reason, "night"));
    f.now_ms = 2000;
    ask_with(&g, "{\"q\":\"x\"}", &f);
    CHECK(g.v.retry_after_ms == 120000);
    f.now_ms = 5000;
    ask_with(&g, "{\"q\":\"x\"}", &f); /* nothing was kept: the same question, asked again */
    CHECK(g.v.decision == SYMBI_ALLOW && !g.v.retry_after_ms);
    gate_rig_down(&g);
}

static void test_on_the_trail(void)
{
    rig g;
    symbi_store_row row;
    REQUIRE(setup(&g, ALL CLAMP "@instead(\"defer 5s\") forbid(principal, action, resource) when { context.input.q == \"later\" };", true));
    ask(&g, "{\"q\":\"x\",\"limit\":5000}");
    CHECK_OK(symbi_gate_commit(g.gate, &g.v, NULL, &g.err), g.err);
    REQUIRE(!g.store.row(g.store.ud, S("main"), 0, &row, &g.err));
    CHECK(memmem(row.event.p, row.event.n, "\"decision\":\"modify\"", 19) && memmem(row.event.p, row.event.n, "\"input_proposed\":{\"limit\":5000,", 31));
    CHECK(memmem(row.event.p, row.event.n, "\"input\":{\"limit\":100,", 21) && memmem(row.event.p, row.event.n, "\"denied_count\":0", 16));
    ask(&g, "{\"q\":\"later\"}");
    CHECK_OK(symbi_gate_commit(g.gate, &g.v, NULL, &g.err), g.err);
    REQUIRE(!g.store.row(g.store.ud, S("main"), 1, &row, &g.err));
    CHECK(memmem(row.event.p, row.event.n, "\"decision\":\"defer\"", 18) && memmem(row.event.p, row.event.n, "\"retry_after_ms\":5000", 21) && memmem(row.event.p, row.event.n, "\"denied_count\":1", 16));
    gate_rig_down(&g);
}

static void test_an_approval_in_the_store_is_used_up_by_a_modify(void)
{
    rig g;
    symbi_approval_status is;
    REQUIRE(setup(&g, ALL CLAMP "@instead(\"step_up\") forbid(principal, action, resource);", true));
    ask(&g, "{\"q\":\"x\",\"limit\":5000}");
    CHECK_OK(symbi_gate_request_approval(g.gate, &g.v, NULL, 0, &is, &g.err), g.err);
    {
        char hex[65];
        for (size_t i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", g.v.action_digest[i]);
        CHECK_OK(symbi_approval_decide(g.cx, g.audit, (symbi_str){ hex, 64 }, true, S("ann"), &g.err), g.err);
    }
    CHECK_OK(symbi_gate_load_approval(g.gate, g.v.action_digest, &is, &g.err), g.err);
    ask(&g, "{\"q\":\"x\",\"limit\":5000}");
    CHECK(g.v.decision == SYMBI_MODIFY && g.v.stored_approval);
    CHECK_OK(symbi_gate_commit(g.gate, &g.v, NULL, &g.err), g.err);
    CHECK_OK(symbi_gate_load_approval(g.gate, g.v.action_digest, &is, &g.err), g.err);
    CHECK(is != SYMBI_APPROVAL_APPROVED);
    ask(&g, "{\"q\":\"x\",\"limit\":5000}");
    CHECK(g.v.decision == SYMBI_STEP_UP);
    gate_rig_down(&g);
}

/* What is not understood is not put in force; what is in force stays. */
static void test_refused_at_load(void)
{
    static const char *const bad[] = {
        "@instead forbid(principal, action, resource);",
        "@instead(\"\") forbid(principal, action, resource);",
        "@instead(\"allow\") forbid(principal, action, resource);",
        "@instead(\"Defer\") forbid(principal, action, resource);",
        "@instead(\"step_up now\") forbid(principal, action, resource);",
        "@instead(\"defer soon\") forbid(principal, action, resource);",
        "@instead(\"defer 30\") forbid(principal, action, resource);",
        "@instead(\"defer 0s\") forbid(principal, action, resource);",
        "@instead(\"defer -1s\") forbid(principal, action, resource);",
        "@instead(\"defer 25h\") forbid(principal, action, resource);",
        "@instead(\"defer 99999999999999999999s\") forbid(principal, action, resource);",
        "@instead(\"modify\") forbid(principal, action, resource);",
        "@instead(\"modify x\") forbid(principal, action, resource);",
        "@instead(\"modify = 1\") forbid(principal, action, resource);",
        "@instead(\"modify x = \") forbid(principal, action, resource);",
        "@instead(\"modify x = y\") forbid(principal, action, resource);",
        "@instead(\"modify x = 1 2\") forbid(principal, action, resource);",
        "@instead(\"modify x = 1; x = 2\") forbid(principal, action, resource);",
        "@instead(\"modify x = 1;; y = 2\") forbid(principal, action, resource);",
        "@instead(\"modify drop\") forbid(principal, action, resource);",
        "@instead(\"modify drop a b\") forbid(principal, action, resource);",
        "@instead(\"modify x y = 1\") forbid(principal, action, resource);",
        "@instead(\"modify x = \\\"open\") forbid(principal, action, resource);",
        "@instead(\"modify a=1;b=1;c=1;d=1;e=1;f=1;g=1;h=1;i=1;j=1;k=1;l=1;m=1;n=1;o=1;p=1;q=1\") forbid(principal, action, resource);",
        "@instead(\"defer\") permit(principal, action, resource);",
        "@instead(\"modify limit = 1\") permit(principal, action, resource);",
        "@instead(\"defer\") forbid(principal == ?principal, action, resource);",
    };
    rig g;
    symbi_gate_options o;
    REQUIRE(setup(&g, ALL, false));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t generation = symbi_gate_generation(g.gate);
        symbi_cedar *set;
        symbi_gate *other;
        symbi_doc *found;
        symbi_text t;
        REQUIRE(!gate_rig_parse(&g, bad[i], 0, &set));
        if (symbi_gate_reload(g.gate, set, &g.err) != SYMBI_ESCHEMA) printf("taken: %s\n", bad[i]);
        CHECK(g.err.code == SYMBI_ESCHEMA && strstr(g.err.msg, "p.cedar:1") && strstr(g.err.msg, "@instead"));
        CHECK(symbi_gate_generation(g.gate) == generation && symbi_gate_policies(g.gate) == g.set);
        symbi_gate_options_init(&o);
        o.policies = set;
        CHECK(symbi_gate_new(g.cx, &o, &other, &g.err) == SYMBI_ESCHEMA && !other);
        o.compat = true; /* upstream takes no notice */
        CHECK_OK(symbi_gate_new(g.cx, &o, &other, &g.err), g.err);
        symbi_gate_free(other);
        CHECK_OK(symbi_policy_lint_set(g.cx, set, NULL, &found, &g.err), g.err);
        CHECK_OK(symbi_json_write(g.cx, symbi_doc_root(found), 0, &t, &g.err), g.err);
        CHECK(strstr(t.p, "\"instead\"") != NULL);
        symbi_text_free(&t);
        symbi_doc_unref(found);
        symbi_cedar_unref(set);
    }
    ask(&g, "{\"q\":\"x\"}");
    CHECK(g.v.decision == SYMBI_ALLOW);
    gate_rig_down(&g);
    REQUIRE(setup(&g, ALL "@instead(\"modify a=1;b=1;c=1;d=1;e=1;f=1;g=1;h=1;i=1;j=1;k=1;l=1;m=1;n=1;o=1;p=1\") forbid(principal, action, resource) when { false };", false));
    gate_rig_down(&g);
}

/* More policies ask for changes than a gate carries out: a no. */
static void test_many(void)
{
    for (int n = 16; n <= 17; n++) {
        char text[6000] = ALL;
        rig g;
        for (int i = 0; i < n; i++) strcat(text, "@instead(\"modify drop to\") forbid(principal, action, resource) when { context.input has to };");
        REQUIRE(setup(&g, text, false));
        ask(&g, "{\"q\":\"x\",\"to\":\"all\"}");
        CHECK(n == 16 ? g.v.decision == SYMBI_MODIFY : g.v.decision == SYMBI_DENY && g.v.code == SYMBI_CODE_FORBIDDEN);
        gate_rig_down(&g);
    }
}

static void test_explained(void)
{
    rig g;
    symbi_action a;
    symbi_doc *d;
    REQUIRE(setup(&g, ALL CLAMP "@instead(\"defer\") forbid(principal, action, resource) when { context.input.q == \"later\" };", false));
    memset(&a, 0, sizeof a);
    a.kind = SYMBI_ACTION_TOOL_CALL;
    a.agent = S("bot");
    a.name = S("find");
    for (int i = 0; i < 2; i++) {
        a.args_text = i ? S("{\"q\":\"later\"}") : S("{\"q\":\"x\",\"limit\":5000}");
        CHECK_OK(symbi_gate_explain(g.gate, &a, NULL, &g.v, &d, &g.err), g.err);
        CHECK(g.v.decision == (i ? SYMBI_DEFER : SYMBI_MODIFY) && !g.v.has_permit && d);
        symbi_doc_unref(d);
        symbi_verdict_clear(&g.v);
    }
    gate_rig_down(&g);
}

static symbi_status under_oom(symbi_ctx *cx, void *ud)
{
    rig g;
    symbi_status st;
    (void)ud;
    memset(&g, 0, sizeof g);
    g.cx = cx;
    st = open_rig(&g, ALL CLAMP "@instead(\"modify drop to\") forbid(principal, action, resource) when { context.input has to };", false);
    if (!st) {
        symbi_action a;
        memset(&a, 0, sizeof a);
        a.kind = SYMBI_ACTION_TOOL_CALL;
        a.agent = S("bot");
        a.name = S("find");
        a.args_text = S("{\"q\":\"x\",\"limit\":5000,\"to\":\"all\"}");
        symbi_gate_check(g.gate, &a, NULL, &g.v);
        if (g.v.decision != SYMBI_MODIFY) {
            CHECK(g.v.decision == SYMBI_DENY && !g.v.has_permit && g.v.code == SYMBI_CODE_OUT_OF_MEMORY);
            st = SYMBI_ENOMEM;
        }
    }
    gate_rig_close(&g);
    return st;
}

static void test_memory(void) { test_oom(under_oom, NULL, SYMBI_OK); }

int main(void)
{
    RUN(test_modify);
    RUN(test_modify_in_words);
    RUN(test_modify_never_widens);
    RUN(test_modify_of_what_has_no_arguments);
    RUN(test_two_changes_at_once);
    RUN(test_step_up);
    RUN(test_step_up_is_not_a_permit);
    RUN(test_modified_and_approved);
    RUN(test_defer);
    RUN(test_on_the_trail);
    RUN(test_an_approval_in_the_store_is_used_up_by_a_modify);
    RUN(test_refused_at_load);
    RUN(test_many);
    RUN(test_explained);
    RUN(test_memory);
    return test_end();
}
