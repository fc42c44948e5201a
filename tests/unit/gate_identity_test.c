/* Unit tests of proofs at the gate: who is calling, and whether the tool is the one that somebody signed for. */
#define _GNU_SOURCE
#include "symbi/run.h"
#include "gate_rig.h"
#include "identity_make.h"

enum { T0 = 1700000000 };

static const char *const k_tools[] = {
    "[tool]\nname = \"count\"\nversion = \"1\"\ndescription = \"d\"\ndispatch = \"callback\"\n[args.path]\ntype = \"path\"\nrequired = true\n[args.n]\ntype = \"integer\"\n",
    "[tool]\nname = \"other\"\nversion = \"1\"\ndescription = \"d\"\ndispatch = \"callback\"\n[args.path]\ntype = \"path\"\nrequired = true\n",
};

typedef struct rig {
    union {
        gate_rig base;
        struct { GATE_RIG };
    };
    symbi_agentpin_result *id;
    symbi_schemapin_result *proof;
} rig;

static bool setup(rig *g, const char *policies)
{
    memset(g, 0, sizeof *g);
    if (!gate_rig_up(&g->base)) return false;
    CHECK(g->clock.wall == (int64_t)T0 * 1000);
    return gate_rig_ok(&g->base, gate_rig_parts(&g->base, k_tools, 2, policies, 0, true));
}

static bool begin(rig *g) { return gate_rig_ok(&g->base, gate_rig_gate(&g->base)); }

static void identity(rig *g, const char *issuer, const char *sub, proof_kind kind)
{
    symbi_agentpin_result_unref(g->id);
    g->id = make_identity(g->cx, issuer, sub, g->clock.wall / 1000, kind);
    CHECK(g->id != NULL);
}

static void proof(rig *g, proof_kind kind)
{
    symbi_schemapin_result_unref(g->proof);
    g->proof = make_proof(g->cx, symbi_toolset_find(g->tools, S("count")), "tools.example.com", g->clock.wall / 1000, kind);
    CHECK(g->proof != NULL);
    CHECK_OK(symbi_gate_prove(g->gate, S("count"), g->proof, &g->err), g->err);
}

static void teardown(rig *g)
{
    symbi_verdict_clear(&g->v);
    symbi_agentpin_result_unref(g->id);
    symbi_schemapin_result_unref(g->proof);
    gate_rig_down(&g->base);
}

static symbi_code ask(rig *g, const char *agent, const char *tool)
{
    symbi_action a;
    memset(&a, 0, sizeof a);
    a.kind = SYMBI_ACTION_TOOL_CALL;
    a.agent = symbi_str_z(agent);
    a.name = symbi_str_z(tool);
    a.args_text = S("{\"path\":\"a\"}");
    a.identity = g->id;
    symbi_verdict_clear(&g->v);
    symbi_gate_check(g->gate, &a, NULL, &g->v);
    CHECK(g->v.has_permit == (g->v.code == SYMBI_CODE_ALLOWED));
    return g->v.code;
}

#define IS(code_, ...)                                                                       \
    do {                                                                                     \
        symbi_code is_ = ask(__VA_ARGS__);                                                   \
        if (is_ != SYMBI_CODE_##code_) printf("%s: %s\n", symbi_code_name(is_), g.v.reason); \
        CHECK(is_ == SYMBI_CODE_##code_);                                                    \
    } while (0)

#define ALL "permit(principal, action, resource);"

static void test_identity_reaches_policy(void)
{
    rig g;
    symbi_facts f;
    symbi_doc *stated;
    symbi_action a;
    REQUIRE(setup(&g, "permit(principal, action, resource) when { principal.verified && principal.domain == \"example.com\" && principal.capabilities.contains(\"read:data\") };"
                      "forbid(principal, action, resource) when { principal has capabilities && principal.capabilities.contains(\"admin:all\") };"));
    REQUIRE(begin(&g));
    IS(DEFAULT_DENY, &g, "bot", "count");
    CHECK(!g.v.identified);
    identity(&g, "example.com", "bot", GOOD);
    IS(ALLOWED, &g, "bot", "count");
    CHECK(g.v.identified && !g.v.tool_verified);
    identity(&g, "elsewhere.example", "bot", GOOD); /* verified, and of a domain that policy does not trust */
    IS(DEFAULT_DENY, &g, "bot", "count");
    /* what is merely stated neither adds to nor stands above what was proved */
    identity(&g, "example.com", "bot", GOOD);
    stated = made_json(g.cx, "{\"domain\":\"evil.example\",\"capabilities\":[\"admin:all\"],\"name\":\"B\"}");
    memset(&f, 0, sizeof f);
    f.tokens_left = f.time_left_ms = -1;
    f.agent_attrs = symbi_doc_root(stated);
    memset(&a, 0, sizeof a);
    a.kind = SYMBI_ACTION_TOOL_CALL;
    a.agent = S("bot");
    a.name = S("count");
    a.args_text = S("{\"path\":\"a\"}");
    a.identity = g.id;
    symbi_verdict_clear(&g.v);
    symbi_gate_check(g.gate, &a, &f, &g.v);
    CHECK(g.v.code == SYMBI_CODE_ALLOWED);
    symbi_doc_unref(stated);
    /* and stating it is not proving it */
    stated = made_json(g.cx, "{\"domain\":\"example.com\",\"capabilities\":[\"read:data\"],\"verified\":true}");
    f.agent_attrs = symbi_doc_root(stated);
    a.identity = NULL;
    symbi_verdict_clear(&g.v);
    symbi_gate_check(g.gate, &a, &f, &g.v);
    CHECK(g.v.code == SYMBI_CODE_DEFAULT_DENY);
    symbi_doc_unref(stated);
    teardown(&g);
}

static void test_identity_codes(void)
{
    static const symbi_agent_identity pairs[] = { { { "bot", 3 }, { "urn:agentpin:example.com:bot", 28 } }, { { "cat", 3 }, { "tiger", 5 } } };
    rig g;
    symbi_action a;
    REQUIRE(setup(&g, ALL));
    REQUIRE(begin(&g));
    IS(ALLOWED, &g, "bot", "count"); /* none shown, none asked for */
    identity(&g, "example.com", "bot", FORGED);
    IS(IDENTITY_INVALID, &g, "bot", "count"); /* a bad one is not none */
    identity(&g, "example.com", "eve", GOOD);
    IS(IDENTITY_MISMATCH, &g, "bot", "count");
    identity(&g, "example.com", "Bot", GOOD);
    IS(IDENTITY_MISMATCH, &g, "bot", "count");
    identity(&g, "example.com", "bot", SHORT);
    IS(ALLOWED, &g, "bot", "count");
    g.clock.wall += 59000;
    IS(ALLOWED, &g, "bot", "count");
    g.clock.wall += 62000; /* the skew that it was verified with is 60 s */
    IS(IDENTITY_EXPIRED, &g, "bot", "count");
    symbi_agentpin_result_unref(g.id);
    g.id = NULL;
    g.go.require_identity = true;
    g.go.identity_issuer = S("example.com");
    REQUIRE(begin(&g));
    IS(IDENTITY_REQUIRED, &g, "bot", "count");
    memset(&a, 0, sizeof a); /* answers too */
    a.kind = SYMBI_ACTION_RESPOND;
    a.agent = S("bot");
    symbi_verdict_clear(&g.v);
    symbi_gate_check(g.gate, &a, NULL, &g.v);
    CHECK(g.v.code == SYMBI_CODE_IDENTITY_REQUIRED);
    identity(&g, "example.com", "bot", GOOD);
    IS(ALLOWED, &g, "bot", "count");
    identity(&g, "evil.example", "bot", GOOD);
    IS(IDENTITY_MISMATCH, &g, "bot", "count");
    g.go.identities = pairs;
    g.go.nidentities = 2;
    REQUIRE(begin(&g));
    identity(&g, "example.com", "bot", GOOD);
    IS(IDENTITY_MISMATCH, &g, "bot", "count"); /* it must show the other one */
    identity(&g, "example.com", "urn:agentpin:example.com:bot", GOOD);
    IS(ALLOWED, &g, "bot", "count");
    IS(IDENTITY_MISMATCH, &g, "cat", "count");
    identity(&g, "example.com", "dog", GOOD);
    IS(ALLOWED, &g, "dog", "count"); /* who is not named shows its own id */
    teardown(&g);
}

static void test_permits_do_not_outlive_the_identity(void)
{
    rig g;
    uint64_t at = 0;
    REQUIRE(setup(&g, ALL));
    g.go.permit_ttl_ms = 3600000 * 24;
    REQUIRE(begin(&g));
    identity(&g, "example.com", "bot", SHORT);
    IS(ALLOWED, &g, "bot", "count");
    for (int i = 0; i < 8; i++) at = at << 8 | g.v.permit.bytes[20 + i];
    CHECK(at == ((uint64_t)T0 + 60) * 1000);
    teardown(&g);
}

static void test_proof_reaches_policy(void)
{
    rig g;
    REQUIRE(setup(&g, "permit(principal, action, resource) when { resource.verified && resource.verified_by == \"tools.example.com\" };"));
    REQUIRE(begin(&g));
    IS(DEFAULT_DENY, &g, "bot", "count");
    proof(&g, GOOD);
    IS(ALLOWED, &g, "bot", "count");
    CHECK(g.v.tool_verified && !g.v.identified);
    IS(DEFAULT_DENY, &g, "bot", "other"); /* of that tool, and no other */
    CHECK_OK(symbi_gate_prove(g.gate, S("count"), NULL, &g.err), g.err);
    IS(DEFAULT_DENY, &g, "bot", "count");
    CHECK_OK(symbi_gate_prove(g.gate, S("count"), NULL, &g.err), g.err);
    CHECK(symbi_gate_prove(g.gate, S("missing"), g.proof, &g.err) == SYMBI_ENOTFOUND);
    teardown(&g);
}

static void test_proof_codes(void)
{
    static const symbi_str listed[] = { { "zip", 3 }, { "count", 5 } };
    rig g;
    REQUIRE(setup(&g, ALL));
    REQUIRE(begin(&g));
    IS(ALLOWED, &g, "bot", "count");
    proof(&g, FORGED);
    IS(TOOL_PROOF_INVALID, &g, "bot", "count"); /* a bad one is not none */
    proof(&g, CHANGED);
    IS(TOOL_CHANGED, &g, "bot", "count");
    proof(&g, SHORT);
    IS(ALLOWED, &g, "bot", "count");
    g.clock.wall += 61000;
    IS(TOOL_PROOF_EXPIRED, &g, "bot", "count");
    CHECK(!g.v.tool_verified);
    IS(ALLOWED, &g, "bot", "other");
    g.go.require_verified = true;
    REQUIRE(begin(&g));
    IS(TOOL_UNVERIFIED, &g, "bot", "count");
    proof(&g, GOOD);
    IS(ALLOWED, &g, "bot", "count");
    IS(TOOL_UNVERIFIED, &g, "bot", "other");
    CHECK_OK(symbi_gate_prove(g.gate, S("other"), g.proof, &g.err), g.err); /* somebody else's proof */
    IS(TOOL_CHANGED, &g, "bot", "other");
    IS(ALLOWED, &g, "bot", "count");
    g.go.require_verified = false;
    g.go.verified_tools = listed;
    g.go.nverified_tools = 2;
    REQUIRE(begin(&g));
    IS(TOOL_UNVERIFIED, &g, "bot", "count");
    IS(ALLOWED, &g, "bot", "other");
    teardown(&g);
}

static bool entry_has(rig *g, uint64_t i, const char *needle)
{
    symbi_store_row row;
    if (g->store.row(g->store.ud, S("main"), i, &row, &g->err)) return false;
    if (memmem(row.event.p, row.event.n, needle, strlen(needle))) return true;
    printf("entry %d: %.*s\n", (int)i, (int)row.event.n, row.event.p);
    return false;
}

static void test_on_the_trail(void)
{
    rig g;
    REQUIRE(setup(&g, ALL));
    REQUIRE(begin(&g));
    identity(&g, "example.com", "bot", GOOD);
    proof(&g, GOOD);
    IS(ALLOWED, &g, "bot", "count");
    CHECK_OK(symbi_gate_commit(g.gate, &g.v, NULL, &g.err), g.err);
    CHECK(entry_has(&g, 0, "\"identity\":{\"exp\":1700003600,\"issuer\":\"example.com\",\"jti\":\"jti-1\",\"kid\":\"k1\",\"sub\":\"bot\",\"verified\":true}"));
    CHECK(entry_has(&g, 0, "\"domain\":\"tools.example.com\"") && entry_has(&g, 0, "\"fingerprint\":\"sha256:") && entry_has(&g, 0, "\"verified\":true}"));
    identity(&g, "example.com", "bot", FORGED);
    IS(IDENTITY_INVALID, &g, "bot", "count");
    CHECK_OK(symbi_gate_commit(g.gate, &g.v, NULL, &g.err), g.err);
    CHECK(entry_has(&g, 1, "\"claimed\":{") && entry_has(&g, 1, "\"code\":\"IDENTITY_INVALID\"") && entry_has(&g, 1, "\"verified\":false}"));
    symbi_agentpin_result_unref(g.id);
    g.id = NULL;
    proof(&g, FORGED);
    IS(TOOL_PROOF_INVALID, &g, "bot", "count");
    CHECK_OK(symbi_gate_commit(g.gate, &g.v, NULL, &g.err), g.err);
    CHECK(entry_has(&g, 2, "\"proof\":{") && entry_has(&g, 2, "\"error\":\"signature_invalid\"") && entry_has(&g, 2, "\"verified\":false}"));
    teardown(&g);
}

/* A verdict keeps what it needs: the objects may go first. */
static void test_lifetimes(void)
{
    rig g;
    REQUIRE(setup(&g, ALL));
    REQUIRE(begin(&g));
    identity(&g, "example.com", "bot", GOOD);
    proof(&g, GOOD);
    IS(ALLOWED, &g, "bot", "count");
    symbi_agentpin_result_unref(g.id);
    g.id = NULL;
    symbi_schemapin_result_unref(g.proof);
    g.proof = NULL;
    CHECK_OK(symbi_gate_prove(g.gate, S("count"), NULL, &g.err), g.err);
    CHECK_OK(symbi_gate_commit(g.gate, &g.v, NULL, &g.err), g.err);
    CHECK(entry_has(&g, 0, "\"issuer\":\"example.com\""));
    teardown(&g);
}

static void test_in_a_run(void)
{
    for (int good = 0; good < 2; good++) {
        rig g;
        symbi_run_options o;
        symbi_run *run;
        symbi_effect ef;
        symbi_reply r;
        REQUIRE(setup(&g, ALL));
        g.go.require_identity = true;
        REQUIRE(begin(&g));
        identity(&g, "example.com", good ? "bot" : "eve", GOOD);
        symbi_run_options_init(&o);
        o.gate = g.gate;
        o.audit = g.audit;
        o.agent_id = S("bot");
        o.prompt = S("go");
        o.identity = g.id;
        CHECK_OK(symbi_run_new(g.cx, &o, &run, &g.err), g.err);
        symbi_agentpin_result_unref(g.id); /* the run has its own */
        g.id = NULL;
        CHECK_OK(symbi_run_next(run, &ef, &g.err), g.err);
        memset(&r, 0, sizeof r);
        r.neutral = S("{\"tool_calls\":[{\"id\":\"a\",\"name\":\"count\",\"arguments\":{\"path\":\"a\"}}]}");
        CHECK_OK(symbi_run_resolve(run, ef.id, &r, &g.err), g.err);
        CHECK_OK(symbi_run_next(run, &ef, &g.err), g.err);
        CHECK(ef.kind == (good ? SYMBI_EFFECT_TOOL : SYMBI_EFFECT_MODEL));
        CHECK(entry_has(&g, 2, good ? "\"sub\":\"bot\"" : "IDENTITY_MISMATCH"));
        symbi_run_free(run);
        teardown(&g);
    }
}

static symbi_agentpin_result *g_id;
static symbi_schemapin_result *g_proof;

static symbi_status under_oom(symbi_ctx *cx, void *ud)
{
    static const symbi_str listed[] = { { "count", 5 } };
    static const symbi_agent_identity pairs[] = { { { "bot", 3 }, { "bot", 3 } } };
    symbi_cedar_source src = { { "p.cedar", 7 }, S(ALL) };
    symbi_gate_options o;
    symbi_toolset *tools = NULL;
    symbi_tool *t = NULL;
    symbi_cedar *set = NULL;
    symbi_gate *gate = NULL;
    symbi_verdict v;
    symbi_action a;
    symbi_text text;
    symbi_err err;
    symbi_status st;
    (void)ud;
    memset(&v, 0, sizeof v);
    memset(&a, 0, sizeof a);
    symbi_gate_options_init(&o);
    st = symbi_toolset_new(cx, &tools, &err);
    if (!st) st = symbi_tool_parse(cx, symbi_str_z(k_tools[0]), S("t"), &t, &err);
    if (!st) st = symbi_toolset_add(tools, t, &err);
    if (!st) st = symbi_cedar_parse(cx, &src, 1, 0, &set, &err);
    o.tools = tools;
    o.policies = set;
    o.identities = pairs;
    o.nidentities = o.nverified_tools = 1;
    o.verified_tools = listed;
    o.identity_issuer = S("example.com");
    if (!st) st = symbi_gate_new(cx, &o, &gate, &err);
    if (!st) st = symbi_gate_prove(gate, S("count"), g_proof, &err);
    if (!st) {
        a.kind = SYMBI_ACTION_TOOL_CALL;
        a.agent = S("bot");
        a.name = S("count");
        a.args_text = S("{\"path\":\"a\"}");
        a.identity = g_id;
        symbi_gate_check(gate, &a, NULL, &v);
        if (v.decision != SYMBI_ALLOW) st = v.code == SYMBI_CODE_OUT_OF_MEMORY ? SYMBI_ENOMEM : SYMBI_EDENIED;
        else if (!(st = symbi_verdict_event(cx, &v, S(""), NULL, &text, &err))) symbi_text_free(&text);
    }
    symbi_verdict_clear(&v);
    symbi_gate_free(gate);
    symbi_cedar_unref(set);
    symbi_tool_unref(t);
    symbi_toolset_unref(tools);
    return st;
}

static void test_memory(void)
{
    symbi_ctx *cx;
    symbi_tool *t;
    symbi_err err;
    int64_t now = (int64_t)time(NULL);
    REQUIRE(!symbi_ctx_new(NULL, &cx, &err));
    REQUIRE(!symbi_tool_parse(cx, symbi_str_z(k_tools[0]), S("t"), &t, &err));
    g_id = make_identity(cx, "example.com", "bot", now, GOOD);
    g_proof = make_proof(cx, t, "tools.example.com", now, GOOD);
    test_oom(under_oom, NULL, SYMBI_OK);
    symbi_agentpin_result_unref(g_id);
    symbi_schemapin_result_unref(g_proof);
    symbi_tool_unref(t);
    symbi_ctx_free(cx);
}

int main(void)
{
    RUN(test_identity_reaches_policy);
    RUN(test_identity_codes);
    RUN(test_permits_do_not_outlive_the_identity);
    RUN(test_proof_reaches_policy);
    RUN(test_proof_codes);
    RUN(test_on_the_trail);
    RUN(test_lifetimes);
    RUN(test_in_a_run);
    RUN(test_memory);
    return test_end();
}
