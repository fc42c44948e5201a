/* Unit tests of the gate: every way to a deny has its own code, and a permit opens exactly one door once. */
#define _GNU_SOURCE /* memmem */
#include "gate/nonces.h"
#include "gate/permit.h"
#include "gate_rig.h"
#include "symbi/gate_explain.h"

#include <sys/wait.h>
#include <unistd.h>

static const char *const k_tools[] = {
    "[tool]\nname = \"count\"\nversion = \"1\"\ndescription = \"d\"\n[args.path]\ntype = \"path\"\nrequired = true\n[args.n]\ntype = \"integer\"\n"
    "[command]\nexec = [\"wc\", \"-l\", \"--\", \"{path}\"]\n[output]\nformat = \"text\"\n",
    "[tool]\nname = \"wipe\"\nversion = \"1\"\ndescription = \"d\"\nhuman_approval = true\n[args.path]\ntype = \"path\"\nrequired = true\n"
    "[command]\nexec = [\"rm\", \"--\", \"{path}\"]\n[output]\nformat = \"text\"\n",
};

typedef gate_rig fixture;

static symbi_status open_fixture(fixture *f, const char *policies, const symbi_gate_options *more, bool with_audit)
{
    symbi_status st = gate_rig_parts(f, k_tools, 2, policies, SYMBI_CEDAR_SYMBI_ALIAS | SYMBI_CEDAR_LEGACY_SCOPE, with_audit);
    if (more) f->go = *more;
    return st ? st : gate_rig_gate(f);
}

static void close_fixture(fixture *f, bool with_ctx)
{
    if (with_ctx) gate_rig_down(f);
    else gate_rig_close(f);
}

static bool setup(fixture *f, const char *policies, const symbi_gate_options *more, bool with_audit)
{
    memset(f, 0, sizeof *f);
    return gate_rig_up(f) && gate_rig_ok(f, open_fixture(f, policies, more, with_audit));
}

static symbi_action call(const char *tool, const char *args)
{
    symbi_action a;
    memset(&a, 0, sizeof a);
    a.kind = SYMBI_ACTION_TOOL_CALL;
    a.agent = S("bot");
    a.name = symbi_str_z(tool);
    a.args_text = symbi_str_z(args);
    return a;
}

static symbi_code code_of(fixture *f, const symbi_action *a, const symbi_facts *facts)
{
    symbi_verdict v;
    symbi_code c;
    memset(&v, 0, sizeof v);
    symbi_gate_check(f->gate, a, facts, &v);
    c = v.code;
    CHECK((v.decision == SYMBI_ALLOW) == (c == SYMBI_CODE_ALLOWED));
    CHECK(v.has_permit == (c == SYMBI_CODE_ALLOWED));
    CHECK(v.reason[0]);
    symbi_verdict_clear(&v);
    CHECK(v.decision == SYMBI_DENY);
    return c;
}

static symbi_code code_call(fixture *f, const char *tool, const char *args)
{
    symbi_action a = call(tool, args);
    return code_of(f, &a, NULL);
}

static const char k_permit_all[] = "@id(\"all\") permit(principal, action, resource);";

static void test_codes_are_distinct(void)
{
    symbi_code c;
    const char *n;
    for (size_t i = 0; symbi_code_at(i, &c, &n); i++) {
        CHECK((size_t)c == i);
        CHECK(strcmp(symbi_code_name(c), n) == 0);
        CHECK(symbi_code_text(c)[0]);
    }
}

static void test_no_policies_denies_even_answers(void)
{
    fixture f;
    symbi_action a;
    REQUIRE(setup(&f, NULL, NULL, false));
    CHECK(code_call(&f, "count", "{\"path\":\"a\"}") == SYMBI_CODE_NO_POLICIES);
    memset(&a, 0, sizeof a);
    a.kind = SYMBI_ACTION_RESPOND;
    a.agent = S("bot");
    CHECK(code_of(&f, &a, NULL) == SYMBI_CODE_NO_POLICIES);
    close_fixture(&f, true);
    REQUIRE(setup(&f, "// nothing\n", NULL, false));
    CHECK(code_of(&f, &a, NULL) == SYMBI_CODE_NO_POLICIES);
    close_fixture(&f, true);
}

static void test_contract_codes(void)
{
    fixture f;
    char *big;
    REQUIRE(setup(&f, k_permit_all, NULL, false));
    CHECK(code_call(&f, "count", "{\"path\":\"a\"}") == SYMBI_CODE_ALLOWED);
    CHECK(code_call(&f, "Count", "{\"path\":\"a\"}") == SYMBI_CODE_UNKNOWN_TOOL);
    CHECK(code_call(&f, "count ", "{\"path\":\"a\"}") == SYMBI_CODE_UNKNOWN_TOOL);
    CHECK(code_call(&f, "c\xd0\xbeunt", "{\"path\":\"a\"}") == SYMBI_CODE_UNKNOWN_TOOL); /* Cyrillic o */
    CHECK(code_call(&f, "count", "") == SYMBI_CODE_BAD_ARGUMENTS_JSON);
    CHECK(code_call(&f, "count", "{\"path\":\"a\"") == SYMBI_CODE_BAD_ARGUMENTS_JSON);
    CHECK(code_call(&f, "count", "{\"path\":\"a\",\"path\":\"b\"}") == SYMBI_CODE_BAD_ARGUMENTS_JSON);
    CHECK(code_call(&f, "count", "[1]") == SYMBI_CODE_ARGUMENTS_NOT_OBJECT);
    CHECK(code_call(&f, "count", "null") == SYMBI_CODE_ARGUMENTS_NOT_OBJECT);
    CHECK(code_call(&f, "count", "{}") == SYMBI_CODE_INVALID_ARGUMENTS);
    CHECK(code_call(&f, "count", "{\"path\":\"../x\"}") == SYMBI_CODE_INVALID_ARGUMENTS);
    CHECK(code_call(&f, "count", "{\"path\":\"a\",\"n\":\"x\"}") == SYMBI_CODE_INVALID_ARGUMENTS);
    CHECK(code_call(&f, "count", "{\"path\":\"a\",\"extra\":1}") == SYMBI_CODE_INVALID_ARGUMENTS);
    big = malloc((256u << 10) + 2);
    memset(big, ' ', (256u << 10) + 1);
    memcpy(big, "{\"path\":\"a\"}", 12);
    big[256u << 10] = 0;
    CHECK(code_call(&f, "count", big) == SYMBI_CODE_ALLOWED); /* at the limit */
    big[256u << 10] = ' ';
    big[(256u << 10) + 1] = 0;
    CHECK(code_call(&f, "count", big) == SYMBI_CODE_ARGUMENTS_TOO_LARGE);
    free(big);
    close_fixture(&f, true);
}

static void test_malformed_actions(void)
{
    fixture f;
    char name[200];
    symbi_action a = call("count", "{\"path\":\"a\"}");
    REQUIRE(setup(&f, k_permit_all, NULL, false));
    a.kind = SYMBI_ACTION_NONE;
    CHECK(code_of(&f, &a, NULL) == SYMBI_CODE_BAD_ACTION);
    a.kind = (symbi_action_kind)77;
    CHECK(code_of(&f, &a, NULL) == SYMBI_CODE_BAD_ACTION);
    a = call("count", "{\"path\":\"a\"}");
    a.agent.n = 0;
    CHECK(code_of(&f, &a, NULL) == SYMBI_CODE_BAD_ACTION);
    a = call("", "{}");
    CHECK(code_of(&f, &a, NULL) == SYMBI_CODE_BAD_ACTION);
    a = call("count", "{\"path\":\"a\"}");
    a.kind = SYMBI_ACTION_RESPOND;
    CHECK(code_of(&f, &a, NULL) == SYMBI_CODE_BAD_ACTION);
    a = call("x\xff", "{}");
    CHECK(code_of(&f, &a, NULL) == SYMBI_CODE_BAD_ACTION);
    memset(name, 'n', sizeof name);
    a = call("count", "{\"path\":\"a\"}");
    a.agent.p = name;
    a.agent.n = 127;
    CHECK(code_of(&f, &a, NULL) == SYMBI_CODE_ALLOWED);
    a.agent.n = 128;
    CHECK(code_of(&f, &a, NULL) == SYMBI_CODE_BAD_ACTION);
    close_fixture(&f, true);
}

static void test_policy_codes_name_the_policy(void)
{
    fixture f;
    symbi_verdict v;
    symbi_verdict_policy vp;
    symbi_action a = call("count", "{\"path\":\"secret/a\"}");
    REQUIRE(setup(&f, "@id(\"yes\")\npermit(principal == Agent::\"bot\", action in Action::\"tool_call\", resource);\n"
                      "@id(\"no\")\nforbid(principal, action, resource)\nwhen { resource.name == \"count\" && context.input.path like \"secret/*\" };", NULL, false));
    memset(&v, 0, sizeof v);
    symbi_gate_check(f.gate, &a, NULL, &v);
    CHECK(v.code == SYMBI_CODE_FORBIDDEN && v.npolicies == 1);
    CHECK(symbi_verdict_policy_at(&v, 0, &vp) && strcmp(vp.id, "no") == 0 && strcmp(vp.source, "p.cedar") == 0 && vp.forbid);
    CHECK(vp.line == 3 || vp.line == 4);
    symbi_verdict_clear(&v);
    a = call("count", "{\"path\":\"open/a\"}");
    symbi_gate_check(f.gate, &a, NULL, &v);
    CHECK(v.code == SYMBI_CODE_ALLOWED && v.npolicies == 1 && symbi_verdict_policy_at(&v, 0, &vp) && strcmp(vp.id, "yes") == 0 && !symbi_verdict_policy_at(&v, 1, &vp));
    symbi_verdict_clear(&v);
    a.agent = S("other");
    CHECK(code_of(&f, &a, NULL) == SYMBI_CODE_DEFAULT_DENY);
    close_fixture(&f, true);
}

static void test_erroring_forbid_denies(void)
{
    fixture f;
    symbi_verdict v;
    symbi_verdict_policy vp;
    symbi_action a = call("count", "{\"path\":\"a\"}");
    REQUIRE(setup(&f, "permit(principal, action, resource);\n@id(\"broken\") forbid(principal, action, resource) when { context.ticket == 1 };", NULL, false));
    memset(&v, 0, sizeof v);
    symbi_gate_check(f.gate, &a, NULL, &v);
    CHECK(v.decision == SYMBI_DENY && v.code == SYMBI_CODE_POLICY_ERROR);
    CHECK(v.npolicies >= 1 && symbi_verdict_policy_at(&v, 0, &vp) && vp.failed && strcmp(vp.id, "broken") == 0 && vp.message[0]);
    symbi_verdict_clear(&v);
    close_fixture(&f, true);
    /* an erroring permit only fails to permit */
    REQUIRE(setup(&f, "permit(principal, action, resource) when { context.ticket == 1 };", NULL, false));
    CHECK(code_of(&f, &a, NULL) == SYMBI_CODE_DEFAULT_DENY);
    close_fixture(&f, true);
}

static void test_facts(void)
{
    fixture f;
    symbi_facts facts;
    symbi_member m = { { "input", 5 }, { 0 } };
    symbi_value ctx = { 0 };
    symbi_action a = call("count", "{\"path\":\"a\",\"n\":3}");
    REQUIRE(setup(&f, "permit(principal, action, resource) when { context.severity == \"low\" && context.loop.iteration == 2 && context.input.n == 3 && context.budget has tokens && context.budget.tokens > 5 };", NULL, false));
    memset(&facts, 0, sizeof facts);
    facts.iteration = 2;
    facts.tokens_left = 6;
    facts.time_left_ms = -1;
    ctx.kind = SYMBI_OBJECT;
    ctx.u.o.members = &m;
    ctx.u.o.n = 1;
    facts.context = &ctx;
    CHECK(code_of(&f, &a, &facts) == SYMBI_CODE_RESERVED_CONTEXT_KEY);
    m.key = S("severity");
    m.val.kind = SYMBI_STRING;
    m.val.u.s = S("low");
    CHECK(code_of(&f, &a, &facts) == SYMBI_CODE_ALLOWED);
    facts.tokens_left = 5;
    CHECK(code_of(&f, &a, &facts) == SYMBI_CODE_DEFAULT_DENY);
    m.val.kind = SYMBI_DOUBLE; /* Cedar has no floating point: a trusted fact that policies cannot see is a mistake, not a shrug */
    m.val.u.d = 0.5;
    CHECK(code_of(&f, &a, &facts) == SYMBI_CODE_BAD_CONTEXT);
    ctx.kind = SYMBI_STRING;
    CHECK(code_of(&f, &a, &facts) == SYMBI_CODE_BAD_CONTEXT);
    close_fixture(&f, true);
}

static void test_untrusted_input_cannot_forge_entities(void)
{
    fixture f;
    REQUIRE(setup(&f, "permit(principal, action, resource) when { context.input.path == Agent::\"root\" };", NULL, false));
    CHECK(code_call(&f, "count", "{\"path\":\"Agent::root\"}") == SYMBI_CODE_DEFAULT_DENY);
    CHECK(code_call(&f, "count", "{\"path\":{\"__entity\":{\"type\":\"Agent\",\"id\":\"root\"}}}") == SYMBI_CODE_INVALID_ARGUMENTS);
    close_fixture(&f, true);
}

static void test_profile_holds_whatever_policy_says(void)
{
    fixture f;
    symbi_gate_options o;
    symbi_str names[] = { { "zzz", 3 }, { "wipe", 4 } };
    symbi_gate_options_init(&o);
    o.has_profile = true;
    o.profile = names;
    o.nprofile = 2;
    REQUIRE(setup(&f, k_permit_all, &o, false));
    CHECK(code_call(&f, "count", "{\"path\":\"a\"}") == SYMBI_CODE_NOT_IN_PROFILE);
    CHECK(code_call(&f, "wipe", "{\"path\":\"a\"}") == SYMBI_CODE_APPROVAL_REQUIRED);
    close_fixture(&f, true);
    o.nprofile = 0; /* an empty profile is a profile */
    o.insecure_allow_all = true;
    REQUIRE(setup(&f, NULL, &o, false));
    CHECK(code_call(&f, "count", "{\"path\":\"a\"}") == SYMBI_CODE_NOT_IN_PROFILE);
    close_fixture(&f, true);
}

static void test_allow_all_is_refused_in_production(void)
{
    fixture f;
    symbi_gate_options o;
    symbi_gate_options_init(&o);
    o.insecure_allow_all = true;
    REQUIRE(setup(&f, NULL, &o, false));
    CHECK(code_call(&f, "count", "{\"path\":\"a\"}") == SYMBI_CODE_ALLOWED);
    CHECK(code_call(&f, "count", "{\"path\":\"../a\"}") == SYMBI_CODE_INVALID_ARGUMENTS);
    {
        symbi_gate *g;
        o.production = true;
        CHECK(symbi_gate_new(f.cx, &o, &g, &f.err) == SYMBI_EDENIED && !g);
    }
    close_fixture(&f, true);
}

static void test_approval_is_bound_single_use_and_expires(void)
{
    fixture f;
    symbi_verdict v;
    symbi_action a = call("wipe", "{\"path\":\"a\"}"), other = call("wipe", "{\"path\":\"b\"}");
    uint8_t digest[32];
    REQUIRE(setup(&f, k_permit_all, NULL, false));
    memset(&v, 0, sizeof v);
    symbi_gate_check(f.gate, &a, NULL, &v);
    CHECK(v.decision == SYMBI_STEP_UP && v.code == SYMBI_CODE_APPROVAL_REQUIRED && !v.has_permit);
    memcpy(digest, v.action_digest, 32);
    symbi_verdict_clear(&v);
    CHECK(symbi_gate_approve(f.gate, digest, true, S(""), 0, &f.err) == SYMBI_EINVAL);
    CHECK_OK(symbi_gate_approve(f.gate, digest, true, S("ann"), 1000, &f.err), f.err);
    CHECK(code_of(&f, &other, NULL) == SYMBI_CODE_APPROVAL_REQUIRED); /* other arguments */
    CHECK(code_of(&f, &a, NULL) == SYMBI_CODE_ALLOWED);
    CHECK(code_of(&f, &a, NULL) == SYMBI_CODE_APPROVAL_REQUIRED); /* used */
    CHECK_OK(symbi_gate_approve(f.gate, digest, true, S("ann"), 1000, &f.err), f.err);
    f.clock.wall += 1001;
    CHECK(code_of(&f, &a, NULL) == SYMBI_CODE_APPROVAL_REQUIRED); /* expired */
    CHECK_OK(symbi_gate_approve(f.gate, digest, false, S("ann"), 1000, &f.err), f.err);
    CHECK(code_of(&f, &a, NULL) == SYMBI_CODE_APPROVAL_DENIED);
    close_fixture(&f, true);
    /* what policy refuses even with approval is not put before a person */
    REQUIRE(setup(&f, "permit(principal, action, resource); forbid(principal, action == Action::\"tool_call::wipe\", resource);", NULL, false));
    CHECK(code_of(&f, &a, NULL) == SYMBI_CODE_FORBIDDEN);
    close_fixture(&f, true);
}

static void test_communication_rules_narrow(void)
{
    static const char rules[] = "[{\"from_agent\":\"bot\",\"to_agent\":\"writer\",\"action\":\"allow\",\"priority\":1,\"max_depth\":2}]";
    fixture f;
    symbi_gate_options o;
    symbi_facts facts;
    symbi_doc *d;
    symbi_ctx *cx;
    symbi_action a;
    memset(&a, 0, sizeof a);
    a.kind = SYMBI_ACTION_DELEGATE;
    a.agent = S("bot");
    a.name = S("writer");
    a.content = S("write this");
    symbi_gate_options_init(&o);
    REQUIRE(symbi_ctx_new(NULL, &cx, NULL) == SYMBI_OK);
    REQUIRE(symbi_json_parse(cx, symbi_str_z(rules), &d, NULL) == SYMBI_OK);
    REQUIRE(symbi_comm_rules_parse(cx, symbi_doc_root(d), 0, &o.comm, NULL) == SYMBI_OK);
    symbi_doc_unref(d);
    REQUIRE(setup(&f, k_permit_all, &o, false));
    memset(&facts, 0, sizeof facts);
    facts.depth = 2;
    CHECK(code_of(&f, &a, &facts) == SYMBI_CODE_ALLOWED);
    facts.depth = 3;
    CHECK(code_of(&f, &a, &facts) == SYMBI_CODE_COMM_DENIED);
    a.name = S("publisher");
    facts.depth = 1;
    CHECK(code_of(&f, &a, &facts) == SYMBI_CODE_COMM_DENIED);
    CHECK(code_call(&f, "count", "{\"path\":\"a\"}") == SYMBI_CODE_ALLOWED); /* tools are not their business */
    close_fixture(&f, true);
    /* nobody is asked to approve a message that the rules stop */
    REQUIRE(setup(&f, "permit(principal, action, resource); @instead(\"step_up\") forbid(principal, action in Action::\"delegate\", resource);", &o, false));
    CHECK(code_of(&f, &a, &facts) == SYMBI_CODE_COMM_DENIED);
    a.name = S("writer");
    CHECK(code_of(&f, &a, &facts) == SYMBI_CODE_APPROVAL_REQUIRED);
    close_fixture(&f, true);
    REQUIRE(setup(&f, "permit(principal, action == Action::\"respond\", resource);", &o, false)); /* nor do they permit anything */
    a.name = S("writer");
    CHECK(code_of(&f, &a, &facts) == SYMBI_CODE_DEFAULT_DENY);
    close_fixture(&f, true);
    symbi_comm_rules_unref(o.comm);
    symbi_ctx_free(cx);
}

static void test_budget(void)
{
    fixture f;
    symbi_gate_options o;
    symbi_facts facts;
    symbi_action a = call("count", "{\"path\":\"a\"}");
    symbi_gate_options_init(&o);
    o.max_tool_calls = 3;
    REQUIRE(setup(&f, k_permit_all, &o, false));
    memset(&facts, 0, sizeof facts);
    facts.tool_calls = 2;
    CHECK(code_of(&f, &a, &facts) == SYMBI_CODE_ALLOWED);
    facts.tool_calls = 3;
    CHECK(code_of(&f, &a, &facts) == SYMBI_CODE_BUDGET_TOOL_CALLS);
    close_fixture(&f, true);
}

static void test_evaluation_limit(void)
{
    fixture f;
    REQUIRE(setup(&f, "permit(principal, action, resource) when { 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + context.now > 0 };", NULL, false));
    CHECK(code_call(&f, "count", "{\"path\":\"a\"}") == SYMBI_CODE_ALLOWED);
    symbi_ctx_limits(f.cx)->eval_steps = 3;
    CHECK(code_call(&f, "count", "{\"path\":\"a\"}") == SYMBI_CODE_EVALUATION_LIMIT);
    close_fixture(&f, true);
}

/* ---- permits ---- */

static symbi_str permit_str(const symbi_permit *p) { return (symbi_str){ (const char *)p->bytes, SYMBI_PERMIT_BYTES }; }

static symbi_code redeem(fixture *f, symbi_verdict *v, symbi_str permit)
{
    symbi_plan_options po;
    symbi_plan *plan = NULL;
    symbi_order order;
    symbi_code c = SYMBI_CODE_UNSPECIFIED;
    symbi_status st;
    memset(&po, 0, sizeof po);
    st = symbi_gate_redeem(f->gate, v, permit, &po, &plan, &order, &c, &f->err);
    CHECK((st == SYMBI_OK) == (plan != NULL));
    CHECK((st == SYMBI_OK) == (c == SYMBI_CODE_ALLOWED));
    if (plan) CHECK(plan->argc == 4);
    symbi_plan_unref(plan);
    return c;
}

static void test_permit_opens_one_door_once(void)
{
    fixture f, g;
    symbi_verdict v, w;
    symbi_permit p, foreign;
    symbi_action a = call("count", "{\"path\":\"a\"}"), b = call("count", "{\"path\":\"b\"}");
    REQUIRE(setup(&f, k_permit_all, NULL, true));
    REQUIRE(setup(&g, k_permit_all, NULL, false));
    memset(&v, 0, sizeof v);
    memset(&w, 0, sizeof w);
    symbi_gate_check(f.gate, &a, NULL, &v);
    REQUIRE(v.has_permit);
    CHECK(redeem(&f, &v, permit_str(&v.permit)) == SYMBI_CODE_NOT_COMMITTED);
    CHECK(symbi_gate_commit(g.gate, &v, NULL, &g.err) == SYMBI_EPERMIT && !v.committed); /* a gate without a trail cannot stand in for it */
    CHECK(redeem(&f, &v, permit_str(&v.permit)) == SYMBI_CODE_NOT_COMMITTED);
    CHECK_OK(symbi_gate_commit(f.gate, &v, NULL, &f.err), f.err);
    CHECK(symbi_gate_commit(f.gate, &v, NULL, &f.err) == SYMBI_ESTATE);
    CHECK(symbi_audit_len(f.audit) == 1);
    for (size_t i = 0; i < SYMBI_PERMIT_BYTES; i++)
        for (int bit = 0; bit < 8; bit++) {
            p = v.permit;
            p.bytes[i] ^= (uint8_t)(1u << bit);
            CHECK(redeem(&f, &v, permit_str(&p)) == SYMBI_CODE_PERMIT_FOREIGN);
        }
    CHECK(redeem(&f, &v, (symbi_str){ (const char *)v.permit.bytes, SYMBI_PERMIT_BYTES - 1 }) == SYMBI_CODE_PERMIT_FOREIGN);
    CHECK(redeem(&f, &v, S("")) == SYMBI_CODE_PERMIT_FOREIGN);
    symbi_gate_check(g.gate, &a, NULL, &w);
    foreign = w.permit;
    CHECK(redeem(&f, &v, permit_str(&foreign)) == SYMBI_CODE_PERMIT_FOREIGN); /* another gate's key */
    symbi_verdict_clear(&w);
    symbi_gate_check(f.gate, &b, NULL, &w);
    CHECK(redeem(&f, &v, permit_str(&w.permit)) == SYMBI_CODE_PERMIT_MISMATCH); /* another action's */
    CHECK(redeem(&f, &v, permit_str(&v.permit)) == SYMBI_CODE_ALLOWED);
    CHECK(redeem(&f, &v, permit_str(&v.permit)) == SYMBI_CODE_PERMIT_USED);
    symbi_verdict_clear(&w);
    symbi_verdict_clear(&v);
    /* expiry: at the moment it holds, one past it does not */
    symbi_gate_check(f.gate, &a, NULL, &v);
    CHECK_OK(symbi_gate_commit(f.gate, &v, NULL, &f.err), f.err);
    f.clock.wall += 60001;
    CHECK(redeem(&f, &v, permit_str(&v.permit)) == SYMBI_CODE_PERMIT_EXPIRED);
    f.clock.wall -= 1;
    CHECK(redeem(&f, &v, permit_str(&v.permit)) == SYMBI_CODE_ALLOWED);
    symbi_verdict_clear(&v);
    close_fixture(&g, true);
    close_fixture(&f, true);
}

/* A clock that jumps ahead makes the gate forget what it redeemed; when it comes back, none of that opens anything again. */
static void test_clock_jumps_bring_no_permit_back(void)
{
    fixture f;
    symbi_verdict v, copy;
    symbi_action a = call("count", "{\"path\":\"a\"}");
    REQUIRE(setup(&f, k_permit_all, NULL, false));
    memset(&v, 0, sizeof v);
    symbi_gate_check(f.gate, &a, NULL, &v);
    CHECK_OK(symbi_gate_commit(f.gate, &v, NULL, &f.err), f.err);
    copy = v; /* as another part of the host may have kept it */
    CHECK(redeem(&f, &v, permit_str(&v.permit)) == SYMBI_CODE_ALLOWED);
    CHECK(redeem(&f, &copy, permit_str(&v.permit)) == SYMBI_CODE_PERMIT_USED);
    f.clock.wall += 3600000;
    for (int i = 0; i < 200; i++) {
        symbi_verdict w;
        memset(&w, 0, sizeof w);
        symbi_gate_check(f.gate, &a, NULL, &w);
        CHECK_OK(symbi_gate_commit(f.gate, &w, NULL, &f.err), f.err);
        CHECK(redeem(&f, &w, permit_str(&w.permit)) == SYMBI_CODE_ALLOWED);
        symbi_verdict_clear(&w);
    }
    f.clock.wall -= 3600000 - 1;
    CHECK(redeem(&f, &copy, permit_str(&v.permit)) == SYMBI_CODE_PERMIT_USED);
    symbi_verdict_clear(&v);
    close_fixture(&f, true);
}

static void test_permit_is_stale_after_reload(void)
{
    fixture f;
    symbi_verdict v;
    symbi_cedar *set;
    symbi_cedar_source src = { { "q.cedar", 7 }, { "permit(principal, action, resource);", 36 } };
    symbi_action a = call("count", "{\"path\":\"a\"}");
    REQUIRE(setup(&f, k_permit_all, NULL, false));
    memset(&v, 0, sizeof v);
    symbi_gate_check(f.gate, &a, NULL, &v);
    CHECK_OK(symbi_cedar_parse(f.cx, &src, 1, 0, &set, &f.err), f.err);
    CHECK(symbi_gate_generation(f.gate) == 1);
    CHECK_OK(symbi_gate_reload(f.gate, set, &f.err), f.err);
    symbi_cedar_unref(set);
    CHECK(symbi_gate_generation(f.gate) == 2);
    CHECK(redeem(&f, &v, permit_str(&v.permit)) == SYMBI_CODE_PERMIT_STALE);
    symbi_verdict_clear(&v);
    close_fixture(&f, true);
}

static void test_order_binds_the_plan(void)
{
    fixture f;
    symbi_verdict v;
    symbi_plan_options po;
    symbi_plan *plan;
    symbi_order order, bad;
    symbi_code c;
    uint8_t key[32], other[32] = { 1 };
    symbi_str os = { (const char *)order.bytes, SYMBI_ORDER_BYTES }, bs = { (const char *)bad.bytes, SYMBI_ORDER_BYTES };
    symbi_action a = call("count", "{\"path\":\"a\"}");
    REQUIRE(setup(&f, k_permit_all, NULL, false));
    memset(&v, 0, sizeof v);
    memset(&po, 0, sizeof po);
    symbi_gate_check(f.gate, &a, NULL, &v);
    CHECK_OK(symbi_gate_redeem(f.gate, &v, permit_str(&v.permit), &po, &plan, &order, NULL, &f.err), f.err);
    CHECK(plan->sealed && symbi_plan_seal(f.cx, plan, &f.err) == SYMBI_OK);
    symbi_gate_key(f.gate, key);
    CHECK_OK(symbi_order_check(f.cx, key, os, plan->digest, f.clock.wall, &c, &f.err), f.err);
    CHECK(symbi_order_check(f.cx, key, os, other, f.clock.wall, &c, &f.err) == SYMBI_EPERMIT && c == SYMBI_CODE_PERMIT_MISMATCH);
    CHECK(symbi_order_check(f.cx, other, os, plan->digest, f.clock.wall, &c, &f.err) == SYMBI_EPERMIT && c == SYMBI_CODE_PERMIT_FOREIGN);
    CHECK(symbi_order_check(f.cx, key, os, plan->digest, f.clock.wall + 60001, &c, &f.err) == SYMBI_EPERMIT && c == SYMBI_CODE_PERMIT_EXPIRED);
    for (size_t i = 0; i < SYMBI_ORDER_BYTES; i++) {
        bad = order;
        bad.bytes[i] ^= 1;
        CHECK(symbi_order_check(f.cx, key, bs, plan->digest, f.clock.wall, &c, &f.err) == SYMBI_EPERMIT && c == SYMBI_CODE_PERMIT_FOREIGN);
    }
    symbi_plan_unref(plan);
    symbi_verdict_clear(&v);
    close_fixture(&f, true);
}

static void test_nonces_limit(void)
{
    sy_nonces s;
    symbi_env env;
    symbi_ctx *cx;
    uint8_t n[16] = { 0 };
    symbi_env_init(&env);
    REQUIRE(symbi_ctx_new(&env, &cx, NULL) == SYMBI_OK);
    sy_nonces_init(&s, (symbi_alloc){ counting_fn, &(counting_alloc){ 0 } }, 100);
    for (unsigned i = 0; i < 100; i++) {
        memcpy(n, &i, sizeof i);
        CHECK(!sy_nonces_has(&s, n, 1000));
        CHECK(sy_nonces_add(&s, n, 1000, 0) == SYMBI_OK);
        CHECK(sy_nonces_has(&s, n, 1000));
    }
    n[8] = 1;
    CHECK(sy_nonces_add(&s, n, 1000, 1000) == SYMBI_ELIMIT); /* all still live at their last millisecond */
    CHECK(sy_nonces_add(&s, n, 2000, 1001) == SYMBI_OK);     /* all expired: room again */
    CHECK(s.n == 1);
    n[8] = 2;
    CHECK(sy_nonces_has(&s, n, 1000) && !sy_nonces_has(&s, n, 1001)); /* what expired with the forgotten may be one of them */
    sy_nonces_free(&s);
    CHECK(!sy_nonces_has(&s, n, 1000));
    symbi_ctx_free(cx);
}

static int failing_fill(void *ud, void *buf, size_t n)
{
    (void)buf;
    (void)n;
    return *(int *)ud ? -1 : (memset(buf, 5, n), 0);
}

static void test_no_random_no_permit(void)
{
    fixture f;
    symbi_env env;
    int broken = 0;
    memset(&f, 0, sizeof f);
    symbi_env_init(&env);
    env.rand.fill = failing_fill;
    env.rand.ud = &broken;
    REQUIRE(symbi_ctx_new(&env, &f.cx, &f.err) == SYMBI_OK);
    REQUIRE(open_fixture(&f, k_permit_all, NULL, false) == SYMBI_OK);
    CHECK(code_call(&f, "count", "{\"path\":\"a\"}") == SYMBI_CODE_ALLOWED);
    broken = 1;
    for (int i = 0; i < 31; i++) CHECK(code_call(&f, "count", "{\"path\":\"a\"}") == SYMBI_CODE_ALLOWED); /* the pool holds 32 */
    CHECK(code_call(&f, "count", "{\"path\":\"a\"}") == SYMBI_CODE_NO_RANDOM);
    close_fixture(&f, true);
}

/* A forked child (an nginx worker) is another gate: it refuses the parent's permits, and mints none that the parent takes. */
static void test_fork_changes_the_key(void)
{
    fixture f;
    symbi_verdict v, w;
    symbi_permit childs;
    int fd[2], status = 0;
    symbi_action a = call("count", "{\"path\":\"a\"}");
    REQUIRE(setup(&f, k_permit_all, NULL, false));
    REQUIRE(pipe(fd) == 0);
    memset(&v, 0, sizeof v);
    memset(&w, 0, sizeof w);
    symbi_gate_check(f.gate, &a, NULL, &v);
    fflush(stdout);
    if (fork() == 0) {
        int bad = redeem(&f, &v, permit_str(&v.permit)) != SYMBI_CODE_PERMIT_FOREIGN;
        symbi_gate_check(f.gate, &a, NULL, &w);
        bad |= !w.has_permit || redeem(&f, &w, permit_str(&w.permit)) != SYMBI_CODE_ALLOWED;
        symbi_gate_check(f.gate, &a, NULL, &w);
        bad |= write(fd[1], w.permit.bytes, SYMBI_PERMIT_BYTES) != SYMBI_PERMIT_BYTES;
        _exit(bad);
    }
    REQUIRE(read(fd[0], childs.bytes, SYMBI_PERMIT_BYTES) == SYMBI_PERMIT_BYTES);
    wait(&status);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(redeem(&f, &v, permit_str(&childs)) == SYMBI_CODE_PERMIT_FOREIGN);
    CHECK(redeem(&f, &v, permit_str(&v.permit)) == SYMBI_CODE_ALLOWED);
    symbi_verdict_clear(&v);
    close(fd[0]);
    close(fd[1]);
    close_fixture(&f, true);
}

/* What a person approved is for once, in one process: a forked child asks again. */
static void test_fork_takes_no_approval_along(void)
{
    for (int shared = 0; shared < 2; shared++) {
        fixture f;
        symbi_gate_options o;
        symbi_verdict v;
        symbi_action a = call("wipe", "{\"path\":\"a\"}");
        int status = 0;
        symbi_gate_options_init(&o);
        if (shared) o.key = S("0123456789abcdef0123456789abcdef");
        REQUIRE(setup(&f, k_permit_all, &o, false));
        memset(&v, 0, sizeof v);
        symbi_gate_check(f.gate, &a, NULL, &v);
        CHECK_OK(symbi_gate_approve(f.gate, v.action_digest, true, S("ann"), 0, &f.err), f.err);
        symbi_verdict_clear(&v);
        fflush(stdout);
        if (fork() == 0) {
            symbi_doc *told;
            int bad = symbi_gate_explain(f.gate, &a, NULL, &v, &told, &f.err) != SYMBI_OK || v.code != SYMBI_CODE_APPROVAL_REQUIRED;
            symbi_verdict_clear(&v);
            symbi_gate_check(f.gate, &a, NULL, &v);
            _exit(bad || v.code != SYMBI_CODE_APPROVAL_REQUIRED);
        }
        wait(&status);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        CHECK(code_of(&f, &a, NULL) == SYMBI_CODE_ALLOWED);
        close_fixture(&f, true);
    }
}

/* A child that shares its parent's key (the executor's) knows what the parent redeemed. */
static void test_fork_with_a_shared_key(void)
{
    fixture f;
    symbi_gate_options o;
    symbi_verdict v, copy;
    symbi_action a = call("count", "{\"path\":\"a\"}");
    int status = 0;
    symbi_gate_options_init(&o);
    o.key = S("0123456789abcdef0123456789abcdef");
    REQUIRE(setup(&f, k_permit_all, &o, false));
    memset(&v, 0, sizeof v);
    symbi_gate_check(f.gate, &a, NULL, &v);
    CHECK_OK(symbi_gate_commit(f.gate, &v, NULL, &f.err), f.err);
    copy = v;
    CHECK(redeem(&f, &v, permit_str(&v.permit)) == SYMBI_CODE_ALLOWED);
    fflush(stdout);
    if (fork() == 0) _exit(redeem(&f, &copy, permit_str(&copy.permit)) != SYMBI_CODE_PERMIT_USED);
    wait(&status);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    symbi_verdict_clear(&v);
    close_fixture(&f, true);
}

/* ---- the trail ---- */

static void test_clock_and_store_failures(void)
{
    fixture f;
    symbi_verdict v;
    symbi_action a = call("count", "{\"path\":\"a\"}");
    REQUIRE(setup(&f, k_permit_all, NULL, true));
    memset(&v, 0, sizeof v);
    symbi_gate_check(f.gate, &a, NULL, &v);
    CHECK_OK(symbi_gate_commit(f.gate, &v, NULL, &f.err), f.err);
    symbi_verdict_clear(&v);
    f.clock.wall -= 5000;
    CHECK(code_of(&f, &a, NULL) == SYMBI_CODE_ALLOWED); /* at the limit */
    f.clock.wall -= 1;
    CHECK(code_of(&f, &a, NULL) == SYMBI_CODE_CLOCK_BACKWARD);
    f.clock.wall += 6000;
    symbi_gate_check(f.gate, &a, NULL, &v);
    REQUIRE(v.has_permit);
    f.backing.fail = 1;
    f.backing.code = SYMBI_EIO;
    CHECK(symbi_gate_commit(f.gate, &v, NULL, &f.err) == SYMBI_EIO);
    CHECK(v.decision == SYMBI_DENY && v.code == SYMBI_CODE_AUDIT_FAILED && !v.has_permit);
    symbi_verdict_clear(&v);
    symbi_gate_check(f.gate, &a, NULL, &v); /* the store is back: the gap is the first entry */
    CHECK_OK(symbi_gate_commit(f.gate, &v, NULL, &f.err), f.err);
    {
        symbi_store_row row;
        CHECK_OK(f.store.row(f.store.ud, S("main"), 1, &row, &f.err), f.err);
        CHECK(row.event.n > 20 && strstr(row.event.p, "audit_gap"));
    }
    symbi_verdict_clear(&v);
    close_fixture(&f, true);
}

/* ---- out of memory ---- */

static symbi_status oom_scenario(symbi_ctx *cx, void *ud)
{
    fixture f;
    symbi_verdict v;
    symbi_status st;
    symbi_action a = call("count", "{\"path\":\"a\",\"n\":5}");
    (void)ud;
    memset(&f, 0, sizeof f);
    memset(&v, 0, sizeof v);
    f.cx = cx;
    st = open_fixture(&f, "permit(principal, action, resource) when { context.input.path like \"a*\" };", NULL, true);
    if (!st) {
        symbi_gate_check(f.gate, &a, NULL, &v);
        if (v.decision != SYMBI_ALLOW) st = v.code == SYMBI_CODE_OUT_OF_MEMORY ? SYMBI_ENOMEM : SYMBI_EDENIED;
        if (!st) st = symbi_gate_commit(f.gate, &v, NULL, &f.err);
        if (!st) { /* what is on the trail is whole, however little memory there was */
            symbi_store_row row;
            symbi_err err;
            CHECK_OK(f.store.row(f.store.ud, S("main"), 0, &row, &err), err);
            if (!memmem(row.event.p, row.event.n, "\"input\":{", 9)) printf("%.*s\n", (int)row.event.n, row.event.p);
            CHECK(memmem(row.event.p, row.event.n, "\"input\":{", 9) != NULL);
        }
        if (!st) {
            symbi_plan_options po;
            symbi_plan *plan;
            symbi_order order;
            memset(&po, 0, sizeof po);
            st = symbi_gate_redeem(f.gate, &v, permit_str(&v.permit), &po, &plan, &order, NULL, &f.err);
            symbi_plan_unref(plan);
        }
    }
    symbi_verdict_clear(&v);
    close_fixture(&f, false);
    return st;
}

static void test_oom_gate(void) { test_oom(oom_scenario, NULL, SYMBI_OK); }

static void note_line(void *ud, symbi_level level, const char *module, const char *msg)
{
    if (level == SYMBI_LOG_WARN && strcmp(module, "gate") == 0) snprintf((char *)ud + strlen(ud), 2000 - strlen(ud), "%s\n", msg);
}

/* What is probably not meant is said with every set that is put in force. */
static void test_warnings(void)
{
    static const struct { const char *policies, *says; } rows[] = {
        { "permit(principal, action, resource);", NULL },
        { "permit(principal, action in Action::\"tool_call\", resource);", "respond" },
        { "permit(principal, action in [Action::\"tool_call::x\", Action::\"respond\"], resource);", NULL },
        { "forbid(principal, action, resource);", "respond" },
        { "permit(principal == ?principal, action, resource);", NULL }, /* its links may */
        { "// none", "no policies" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char log[2000] = "";
        symbi_env env;
        fixture f;
        memset(&f, 0, sizeof f);
        symbi_env_init(&env);
        env.log.fn = note_line;
        env.log.ud = log;
        REQUIRE(!symbi_ctx_new(&env, &f.cx, &f.err));
        CHECK_OK(open_fixture(&f, rows[i].policies, NULL, false), f.err);
        if (!rows[i].says != !log[0]) printf("row %zu: %s\n", i, log);
        CHECK(rows[i].says ? strstr(log, rows[i].says) != NULL : !log[0]);
        log[0] = 0;
        CHECK_OK(symbi_gate_reload(f.gate, NULL, &f.err), f.err);
        CHECK(strstr(log, "no policies are loaded"));
        CHECK(!symbi_gate_warning_of(NULL, true, 0).n);
        close_fixture(&f, true);
    }
}

int main(void)
{
    RUN(test_warnings);
    RUN(test_codes_are_distinct);
    RUN(test_no_policies_denies_even_answers);
    RUN(test_contract_codes);
    RUN(test_malformed_actions);
    RUN(test_policy_codes_name_the_policy);
    RUN(test_erroring_forbid_denies);
    RUN(test_facts);
    RUN(test_untrusted_input_cannot_forge_entities);
    RUN(test_profile_holds_whatever_policy_says);
    RUN(test_allow_all_is_refused_in_production);
    RUN(test_approval_is_bound_single_use_and_expires);
    RUN(test_communication_rules_narrow);
    RUN(test_budget);
    RUN(test_evaluation_limit);
    RUN(test_permit_opens_one_door_once);
    RUN(test_permit_is_stale_after_reload);
    RUN(test_order_binds_the_plan);
    RUN(test_clock_jumps_bring_no_permit_back);
    RUN(test_nonces_limit);
    RUN(test_no_random_no_permit);
    RUN(test_fork_changes_the_key);
    RUN(test_fork_takes_no_approval_along);
    RUN(test_fork_with_a_shared_key);
    RUN(test_clock_and_store_failures);
    RUN(test_oom_gate);
    return test_end();
}
