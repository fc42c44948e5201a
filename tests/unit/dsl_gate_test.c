/* What a `.symbi` agent's rules and settings do at the gate: they narrow what the policies allow, never more, and what is not met denies
 * with a code of its own. Each row is an agent, an action, and the code that must come out; the gate's own policy permits everything
 * unless the row says otherwise. */
#include "gate_rig.h"
#include "identity_make.h"
#include "symbi/gate_narrow.h"
#include "symbi/json.h"
#include "symbi/run.h"

static const char *const k_tools[] = {
    "[tool]\nname = \"read\"\nversion = \"1\"\ndescription = \"d\"\ncapability = \"files\"\n[args.path]\ntype = \"string\"\nrequired = true\nposition = 1\n"
    "[args.lines]\ntype = \"integer\"\nposition = 2\n[command]\nexec = [\"cat\", \"--\", \"{path}\"]\n[output]\nformat = \"text\"\n",
    "[tool]\nname = \"write\"\nversion = \"1\"\ndescription = \"d\"\ncapability = \"disk\"\n[args.path]\ntype = \"string\"\nrequired = true\nposition = 1\n"
    "[command]\nexec = [\"touch\", \"--\", \"{path}\"]\n[output]\nformat = \"text\"\n",
    "[tool]\nname = \"ask\"\nversion = \"1\"\ndescription = \"d\"\nhuman_approval = true\n[args.what]\ntype = \"string\"\nrequired = true\nposition = 1\n"
    "[command]\nexec = [\"echo\", \"--\", \"{what}\"]\n[output]\nformat = \"text\"\n",
};

typedef struct fixture {
    union {
        gate_rig base;
        struct { GATE_RIG };
    };
    symbi_narrow *narrow;
} fixture;

static const char k_all[] = "permit(principal, action, resource);";

static symbi_status compile(fixture *f, const char *text, const char *principal, symbi_narrow **out)
{
    symbi_dsl *d = NULL;
    symbi_dsl_compile_options o;
    symbi_status st = symbi_dsl_parse(f->cx, symbi_str_z(text), S("bot.symbi"), &d, &f->err);
    *out = NULL;
    if (st) return st;
    symbi_dsl_compile_options_init(&o);
    o.principal = symbi_str_z(principal);
    o.tools = f->tools;
    st = symbi_dsl_compile(f->cx, d, &o, out, NULL, &f->err);
    symbi_dsl_unref(d);
    return st;
}

static symbi_status open_it(fixture *f, const char *policies, const char *text, bool trail, const symbi_narrow_host *host)
{
    symbi_status st = gate_rig_parts(&f->base, k_tools, sizeof k_tools / sizeof k_tools[0], policies, 0, trail);
    if (st || (st = gate_rig_gate(&f->base)) || (st = compile(f, text, "bot", &f->narrow))) return st;
    return symbi_gate_narrow(f->gate, f->narrow, host, &f->err);
}

static bool setup(fixture *f, const char *policies, const char *text, bool trail, const symbi_narrow_host *host)
{
    memset(f, 0, sizeof *f);
    if (!gate_rig_up(&f->base)) return false;
    if (gate_rig_ok(&f->base, open_it(f, policies, text, trail, host))) return true;
    printf("%s\n", text);
    return false;
}

static void close_it(fixture *f)
{
    gate_rig_close(&f->base);
    symbi_narrow_unref(f->narrow);
}

static void done(fixture *f)
{
    close_it(f);
    symbi_ctx_free(f->cx);
}

typedef struct row {
    const char *rules;   /* the body of the agent */
    const char *action;  /* "read", "delegate:NAME", "respond" */
    const char *args;    /* JSON, or NULL: {"path":"/a"} */
    const char *context; /* JSON of the trusted context, or NULL */
    symbi_code code;
    const char *in_reason; /* or NULL */
} row;

static const row k_rows[] = {
    /* nothing said: the policies decide alone */
    { "", "read", NULL, NULL, SYMBI_CODE_ALLOWED, NULL },
    { "", "respond", NULL, NULL, SYMBI_CODE_ALLOWED, NULL },
    { "policy p { }", "delegate:other", NULL, NULL, SYMBI_CODE_ALLOWED, NULL },
    /* deny: by name, by string, by list, all */
    { "policy p { deny: read }", "read", NULL, NULL, SYMBI_CODE_DSL_DENIED, "deny: read (bot.symbi:2)" },
    { "policy p { deny: read }", "write", NULL, NULL, SYMBI_CODE_ALLOWED, NULL },
    { "policy p { deny: \"read\" }", "read", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: \"tool_call::read\" }", "read", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: [\"write\", read] }", "read", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: [\"write\", ask] }", "read", NULL, NULL, SYMBI_CODE_ALLOWED, NULL },
    { "policy p { deny: any }", "respond", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: all_operations }", "delegate:x", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: tool_call }", "read", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: tool_call }", "respond", NULL, NULL, SYMBI_CODE_ALLOWED, NULL },
    { "policy p { deny: respond }", "respond", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL },
    /* deny with a guard: true denies, false does not, an error denies */
    { "policy p { deny: read(path) if path == \"/etc/shadow\" }", "read", "{\"path\":\"/etc/shadow\"}", NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: read(path) if path == \"/etc/shadow\" }", "read", NULL, NULL, SYMBI_CODE_ALLOWED, NULL },
    { "policy p { deny: read(p) if p == \"/etc/shadow\" }", "read", "{\"path\":\"/etc/shadow\"}", NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: read(_, n) if n > 10 }", "read", "{\"path\":\"/a\",\"lines\":11}", NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: read(_, n) if n > 10 }", "read", "{\"path\":\"/a\",\"lines\":10}", NULL, SYMBI_CODE_ALLOWED, NULL },
    { "policy p { deny: read(any, n) if n > 10 }", "read", NULL, NULL, SYMBI_CODE_DSL_DENIED, "cannot be evaluated" },
    { "policy p { deny: read(input) if input.path == \"/a\" }", "read", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: read if secret }", "read", NULL, "{\"secret\":true}", SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: read if secret }", "read", NULL, "{\"secret\":false}", SYMBI_CODE_ALLOWED, NULL },
    { "policy p { deny: read if secret }", "read", NULL, NULL, SYMBI_CODE_DSL_DENIED, "cannot be evaluated" },
    { "policy p { deny: read if secret }", "read", NULL, "{\"secret\":\"yes\"}", SYMBI_CODE_DSL_DENIED, "cannot be evaluated" },
    { "policy p { deny: read(\"/etc/passwd\") }", "read", "{\"path\":\"/etc/passwd\"}", NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: read(\"/etc/passwd\") }", "read", NULL, NULL, SYMBI_CODE_ALLOWED, NULL },
    { "policy p { deny: read(path: \"/etc/passwd\") }", "read", "{\"path\":\"/etc/passwd\"}", NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: read(lines: 3) }", "read", NULL, NULL, SYMBI_CODE_ALLOWED, NULL }, /* not given: no match */
    { "policy p { deny: read(lines = 3) }", "read", "{\"path\":\"/a\",\"lines\":3}", NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: read(path: where) if where.starts_with(\"/etc/\") }", "read", "{\"path\":\"/etc/x\"}", NULL, SYMBI_CODE_DSL_DENIED, NULL },
    /* guards */
    { "policy p { deny: read(path) if starts_with(path, \"/etc/\") || ends_with(path, \".key\") }", "read", "{\"path\":\"/home/a.key\"}", NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: read(path) if path.contains(\"*\") }", "read", "{\"path\":\"/a*b\"}", NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: read(path) if path.contains(\"*\") }", "read", "{\"path\":\"/ab\"}", NULL, SYMBI_CODE_ALLOWED, NULL },
    { "policy p { deny: read(path) if path.contains(\"a\\\\b\\\"c\") }", "read", "{\"path\":\"/a\\\\b\\\"c\"}", NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: read(path) if not (path in [\"/a\", \"/b\"]) }", "read", NULL, NULL, SYMBI_CODE_ALLOWED, NULL },
    { "policy p { deny: read(path) if not (path in [\"/a\", \"/b\"]) }", "read", "{\"path\":\"/c\"}", NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: read(path) if context.tier in [\"free\"] && true }", "read", NULL, "{\"tier\":\"free\"}", SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: read(path) if 1 + 2 * 3 - 7 == 0 }", "read", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: read(path) if -1 < 0 && 10 - 4 - 3 == 3 }", "read", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: read(_, n) if (if n > 5 { true } else { false }) }", "read", "{\"path\":\"/a\",\"lines\":6}", NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: read(path) if agent.id == \"bot\" }", "read", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: any if tool.name == \"read\" }", "read", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: any if loop.tool_calls > 0 }", "read", NULL, NULL, SYMBI_CODE_ALLOWED, NULL },
    { "policy p { deny: any if user[\"role\"] == \"guest\" }", "read", NULL, "{\"user\":{\"role\":\"guest\"}}", SYMBI_CODE_DSL_DENIED, NULL },
    /* allow: what no rule allows is denied; the answer to the caller is not among it unless named */
    { "policy p { allow: read }", "read", NULL, NULL, SYMBI_CODE_ALLOWED, NULL },
    { "policy p { allow: read }", "write", NULL, NULL, SYMBI_CODE_DSL_DENIED, "no allow rule" },
    { "policy p { allow: read }", "delegate:x", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { allow: read }", "respond", NULL, NULL, SYMBI_CODE_ALLOWED, NULL },
    { "policy p { allow: respond if cleared }", "respond", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { allow: respond if cleared }", "respond", NULL, "{\"cleared\":true}", SYMBI_CODE_ALLOWED, NULL },
    { "policy p { allow: any }", "write", NULL, NULL, SYMBI_CODE_ALLOWED, NULL },
    { "policy p { allow: read(path) if path == \"/a\" }", "read", NULL, NULL, SYMBI_CODE_ALLOWED, NULL },
    { "policy p { allow: read(path) if path == \"/b\" }", "read", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { allow: read if cleared }", "read", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL }, /* an erring allow allows nothing */
    { "policy p { allow: read(path) if path == \"/b\" } policy q { allow: read(path) if path == \"/a\" }", "read", NULL, NULL, SYMBI_CODE_ALLOWED, NULL },
    { "policy p { allow: any deny: write }", "write", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL },
    /* whom it addresses */
    { "policy p { deny: delegate(to) if to != \"reviewer\" }", "delegate:mailer", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: delegate(agent) if agent.name != \"reviewer\" }", "delegate:reviewer", NULL, NULL, SYMBI_CODE_ALLOWED, NULL },
    { "policy p { deny: delegate(\"mailer\") }", "delegate:mailer", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: delegate(\"mailer\") }", "delegate:other", NULL, NULL, SYMBI_CODE_ALLOWED, NULL },
    { "policy p { deny: \"delegate::mailer\" }", "delegate:mailer", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL },
    /* require: not true is not met, whatever is missing */
    { "policy p { require: tls == true }", "read", NULL, NULL, SYMBI_CODE_OBLIGATION_UNMET, "require: tls == true (bot.symbi:2)" },
    { "policy p { require: tls == true }", "read", NULL, "{\"tls\":false}", SYMBI_CODE_OBLIGATION_UNMET, "not met" },
    { "policy p { require: tls == true }", "read", NULL, "{\"tls\":true}", SYMBI_CODE_ALLOWED, NULL },
    { "policy p { require: tls == true }", "respond", NULL, NULL, SYMBI_CODE_OBLIGATION_UNMET, NULL },
    { "policy p { require: tls }", "read", NULL, "{\"tls\":true}", SYMBI_CODE_ALLOWED, NULL },
    { "policy p { require: tls }", "read", NULL, "{\"tls\":1}", SYMBI_CODE_OBLIGATION_UNMET, NULL },
    { "policy p { require: { tls: true, region: \"eu\" } }", "read", NULL, "{\"tls\":true,\"region\":\"eu\"}", SYMBI_CODE_ALLOWED, NULL },
    { "policy p { require: { tls: true, region: \"eu\" } }", "read", NULL, "{\"tls\":true}", SYMBI_CODE_OBLIGATION_UNMET, NULL },
    { "policy p { require: write(path) if path == \"/tmp/a\" }", "write", NULL, NULL, SYMBI_CODE_OBLIGATION_UNMET, NULL },
    { "policy p { require: write(path) if path == \"/tmp/a\" }", "write", "{\"path\":\"/tmp/a\"}", NULL, SYMBI_CODE_ALLOWED, NULL },
    { "policy p { require: write(path) if path == \"/tmp/a\" }", "read", NULL, NULL, SYMBI_CODE_ALLOWED, NULL },
    /* a person: the narrow rules step the call up, as the manifest's own flag does */
    { "policy p { deny: write if not context.has_human_approval }", "write", NULL, NULL, SYMBI_CODE_APPROVAL_REQUIRED, NULL },
    { "policy p { require: human_approval }", "read", NULL, NULL, SYMBI_CODE_APPROVAL_REQUIRED, NULL },
    { "policy p { require: human_approval }", "respond", NULL, NULL, SYMBI_CODE_ALLOWED, NULL },
    { "policy p { require: human_approval deny: read }", "read", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL }, /* no person can allow what is denied */
    { "policy p { require: delegate if human_approval }", "delegate:x", NULL, NULL, SYMBI_CODE_OBLIGATION_UNMET, NULL }, /* nobody is asked about those */
    { "policy p { allow: respond if human_approval }", "respond", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "policy p { deny: write if human_approval }", "write", NULL, NULL, SYMBI_CODE_ALLOWED, NULL },
    /* capabilities: only what the manifest names, and only where it names one */
    { "capabilities = [\"files\"]", "read", NULL, NULL, SYMBI_CODE_ALLOWED, NULL },
    { "capabilities = [\"files\"]", "write", NULL, NULL, SYMBI_CODE_DSL_DENIED, "capabilities = [\"files\"]" },
    { "capabilities = [files, disk]", "write", NULL, NULL, SYMBI_CODE_ALLOWED, NULL },
    { "capabilities = []", "read", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "capabilities = []", "ask", "{\"what\":\"x\"}", NULL, SYMBI_CODE_APPROVAL_REQUIRED, NULL },
    /* settings */
    { "with tools = [\"read\"] { }", "read", NULL, NULL, SYMBI_CODE_ALLOWED, NULL },
    { "with tools = [\"read\"] { }", "write", NULL, NULL, SYMBI_CODE_DSL_DENIED, "tools = [\"read\"]" },
    { "with tools = [] { }", "read", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL },
    { "with max_tool_calls = 0 { }", "read", NULL, NULL, SYMBI_CODE_BUDGET_TOOL_CALLS, NULL },
    { "with sandbox = \"docker\" { }", "read", NULL, NULL, SYMBI_CODE_OBLIGATION_UNMET, "sandbox docker" },
    { "with sandbox = \"docker\" { }", "respond", NULL, NULL, SYMBI_CODE_ALLOWED, NULL },
    { "with memory = \"64MB\" { }", "read", NULL, NULL, SYMBI_CODE_OBLIGATION_UNMET, "64000000 bytes" },
    /* the contract and the policies' own reasons come first */
    { "policy p { deny: any }", "unknown", NULL, NULL, SYMBI_CODE_UNKNOWN_TOOL, NULL },
    { "policy p { deny: any }", "read", "{}", NULL, SYMBI_CODE_INVALID_ARGUMENTS, NULL },
};

static void agent_of(const row *r, char *buf, size_t cap) { snprintf(buf, cap, "agent bot {\n%s\n}\n", r->rules); }

static symbi_action action_of(const row *r)
{
    symbi_action a;
    memset(&a, 0, sizeof a);
    a.agent = S("bot");
    if (!strcmp(r->action, "respond")) {
        a.kind = SYMBI_ACTION_RESPOND;
        a.content = S("done");
    } else if (!strncmp(r->action, "delegate:", 9)) {
        a.kind = SYMBI_ACTION_DELEGATE;
        a.name = symbi_str_z(r->action + 9);
        a.content = S("do it");
    } else {
        a.kind = SYMBI_ACTION_TOOL_CALL;
        a.name = symbi_str_z(r->action);
        a.args_text = symbi_str_z(r->args ? r->args : "{\"path\":\"/a\"}");
    }
    return a;
}

static void check(fixture *f, const row *r, symbi_verdict *v)
{
    symbi_action a = action_of(r);
    symbi_facts facts;
    symbi_doc *context = NULL;
    memset(&facts, 0, sizeof facts);
    facts.tokens_left = facts.time_left_ms = -1;
    if (r->context && symbi_json_parse(f->cx, symbi_str_z(r->context), &context, &f->err)) abort();
    if (context) facts.context = symbi_doc_root(context);
    memset(v, 0, sizeof *v);
    symbi_gate_check(f->gate, &a, &facts, v);
    symbi_doc_unref(context);
}

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof k_rows / sizeof k_rows[0]; i++) {
        const row *r = &k_rows[i];
        char text[1000];
        fixture f;
        symbi_verdict v;
        agent_of(r, text, sizeof text);
        if (!setup(&f, k_all, text, true, NULL)) {
            t_now_failed = 1;
            continue;
        }
        check(&f, r, &v);
        if (v.code != r->code || (r->in_reason && !strstr(v.reason, r->in_reason))) {
            printf("row %zu: %s\n  %s: got %s (%s), expected %s %s\n", i, r->rules, r->action, symbi_code_name(v.code), v.reason, symbi_code_name(r->code), r->in_reason ? r->in_reason : "");
            t_now_failed = 1;
        }
        CHECK(v.has_permit == (r->code == SYMBI_CODE_ALLOWED));
        symbi_verdict_clear(&v);
        done(&f);
    }
}

/* Whatever the rules say, what the policies deny stays denied. */
static void test_never_wider(void)
{
    static const char *const sets[] = {
        "forbid(principal, action, resource);",
        "permit(principal, action == Action::\"tool_call::write\", resource);",
        "permit(principal, action, resource) when { context.missing };",
        "permit(principal, action, resource); forbid(principal, action, resource) when { context.missing };",
        "permit(principal, action, resource) when { context.has_human_approval };",
    };
    for (size_t s = 0; s < sizeof sets / sizeof sets[0]; s++)
        for (size_t i = 0; i < sizeof k_rows / sizeof k_rows[0]; i++) {
            row r = k_rows[i];
            char text[1000];
            fixture f;
            symbi_verdict with, without;
            agent_of(&r, text, sizeof text);
            REQUIRE(setup(&f, sets[s], text, true, NULL));
            check(&f, &r, &with);
            CHECK_OK(symbi_gate_narrow(f.gate, NULL, NULL, &f.err), f.err);
            check(&f, &r, &without);
            /* allowed, or one person away from it: never where the policies alone say no */
            if ((with.decision == SYMBI_ALLOW && without.decision != SYMBI_ALLOW) || (with.decision == SYMBI_STEP_UP && without.decision == SYMBI_DENY)) {
                printf("%s under %s: %s becomes %s\n", r.rules, sets[s], symbi_code_name(without.code), symbi_code_name(with.code));
                t_now_failed = 1;
            }
            symbi_verdict_clear(&with);
            symbi_verdict_clear(&without);
            done(&f);
        }
}

/* insecure_allow_all opens the policies, not the agent's own rules. */
static void test_allow_all_is_narrowed(void)
{
    fixture f;
    symbi_gate_options o;
    symbi_gate *g = NULL, *own;
    row r = { "policy p { deny: read }", "read", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL };
    char text[200];
    symbi_verdict v;
    agent_of(&r, text, sizeof text);
    REQUIRE(setup(&f, k_all, text, false, NULL));
    symbi_gate_options_init(&o);
    o.insecure_allow_all = true;
    o.tools = f.tools;
    CHECK_OK(symbi_gate_new(f.cx, &o, &g, &f.err), f.err);
    own = f.gate;
    f.gate = g;
    check(&f, &r, &v);
    CHECK(v.code == SYMBI_CODE_ALLOWED);
    symbi_verdict_clear(&v);
    CHECK_OK(symbi_gate_narrow(g, f.narrow, NULL, &f.err), f.err);
    check(&f, &r, &v);
    CHECK(v.code == SYMBI_CODE_DSL_DENIED);
    symbi_verdict_clear(&v);
    symbi_gate_free(g);
    f.gate = own;
    done(&f);
}

/* A gate with an agent's rules is that agent's gate. */
static void test_other_principals(void)
{
    fixture f;
    row r = { "", "read", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL };
    symbi_action a = action_of(&r);
    symbi_verdict v;
    REQUIRE(setup(&f, k_all, "agent bot { }", false, NULL));
    memset(&v, 0, sizeof v);
    a.agent = S("mallory");
    symbi_gate_check(f.gate, &a, NULL, &v);
    CHECK(v.code == SYMBI_CODE_DSL_DENIED && !v.has_permit);
    symbi_verdict_clear(&v);
    done(&f);
}

static void test_names_rule_file_and_line(void)
{
    fixture f;
    row r = { "capabilities = [\"files\"]\npolicy guard {\n  allow: read\n\n  deny: read(path)\n     if path == \"/a\"\n}", "read", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL };
    char text[400];
    symbi_verdict v;
    symbi_verdict_policy p;
    agent_of(&r, text, sizeof text);
    REQUIRE(setup(&f, k_all, text, true, NULL));
    check(&f, &r, &v);
    CHECK(v.code == SYMBI_CODE_DSL_DENIED && strstr(v.reason, "deny: read(path) if path == \"/a\" (bot.symbi:6)"));
    REQUIRE(symbi_verdict_policy_at(&v, 0, &p));
    CHECK(!strcmp(p.source, "bot.symbi") && p.line == 6 && p.forbid && !strcmp(p.id, "guard:6:3 deny"));
    CHECK(!symbi_verdict_policy_at(&v, 1, &p));
    symbi_verdict_clear(&v);
    done(&f);
}

static void test_sandbox_and_memory(void)
{
    static const struct {
        const char *want;
        symbi_sandbox have;
        uint64_t memory;
        bool ok;
    } t[] = {
        { "sandbox = \"docker\"", SYMBI_SANDBOX_DOCKER, 0, true }, { "sandbox = \"docker\"", SYMBI_SANDBOX_FIRECRACKER, 0, true },
        { "sandbox = \"tier2\"", SYMBI_SANDBOX_DOCKER, 0, false }, { "sandbox = \"e2b\"", SYMBI_SANDBOX_FIRECRACKER, 0, false },
        { "sandbox = \"e2b\"", SYMBI_SANDBOX_E2B, 0, true },       { "sandbox = \"tier1\"", SYMBI_SANDBOX_E2B, 0, false },
        { "memory = \"1MiB\"", SYMBI_SANDBOX_NONE, 0, false },     { "memory = \"1MiB\"", SYMBI_SANDBOX_NONE, 1048577, false },
        { "memory = \"1MiB\"", SYMBI_SANDBOX_NONE, 1048576, true }, { "memory = \"ephemeral\"", SYMBI_SANDBOX_NONE, 0, true },
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        fixture f;
        char text[200];
        symbi_narrow_host host = { t[i].have, t[i].memory };
        row r = { "", "read", NULL, NULL, SYMBI_CODE_ALLOWED, NULL };
        symbi_verdict v;
        snprintf(text, sizeof text, "agent bot { with %s { } }", t[i].want);
        REQUIRE(setup(&f, k_all, text, false, &host));
        check(&f, &r, &v);
        if (v.code != (t[i].ok ? SYMBI_CODE_ALLOWED : SYMBI_CODE_OBLIGATION_UNMET)) {
            printf("%s in %s: %s\n", t[i].want, symbi_sandbox_name(t[i].have), v.reason);
            t_now_failed = 1;
        }
        symbi_verdict_clear(&v);
        done(&f);
    }
}

/* max_tool_calls counts what ran in the loop; the last one is allowed, the next is not. */
static void test_budget(void)
{
    fixture f;
    row r = { "", "read", NULL, NULL, SYMBI_CODE_ALLOWED, NULL };
    symbi_action a = action_of(&r);
    symbi_facts facts;
    symbi_verdict v;
    REQUIRE(setup(&f, k_all, "agent bot { with max_tool_calls = 2 { } }", false, NULL));
    memset(&facts, 0, sizeof facts);
    facts.tokens_left = facts.time_left_ms = -1;
    memset(&v, 0, sizeof v);
    for (facts.tool_calls = 0; facts.tool_calls < 4; facts.tool_calls++) {
        symbi_gate_check(f.gate, &a, &facts, &v);
        CHECK(v.code == (facts.tool_calls < 2 ? SYMBI_CODE_ALLOWED : SYMBI_CODE_BUDGET_TOOL_CALLS));
        symbi_verdict_clear(&v);
    }
    done(&f);
}

/* A person answers: then the rules that ask for one allow, once; the policies still see what they saw. */
static void test_approval(void)
{
    fixture f;
    row r = { "policy p { deny: write if not human_approval }", "write", NULL, NULL, SYMBI_CODE_ALLOWED, NULL };
    char text[200];
    symbi_verdict v;
    agent_of(&r, text, sizeof text);
    REQUIRE(setup(&f, "permit(principal, action, resource) when { !context.has_human_approval };", text, false, NULL));
    check(&f, &r, &v);
    CHECK(v.code == SYMBI_CODE_APPROVAL_REQUIRED && v.decision == SYMBI_STEP_UP);
    CHECK_OK(symbi_gate_approve(f.gate, v.action_digest, true, S("ann"), 0, &f.err), f.err);
    symbi_verdict_clear(&v);
    check(&f, &r, &v);
    CHECK(v.code == SYMBI_CODE_ALLOWED);
    symbi_verdict_clear(&v);
    check(&f, &r, &v);
    CHECK(v.code == SYMBI_CODE_APPROVAL_REQUIRED);
    CHECK_OK(symbi_gate_approve(f.gate, v.action_digest, false, S("ann"), 0, &f.err), f.err);
    symbi_verdict_clear(&v);
    check(&f, &r, &v);
    CHECK(v.code == SYMBI_CODE_APPROVAL_DENIED);
    symbi_verdict_clear(&v);
    done(&f);
}

/* audit marks the record, changes no decision, and needs a trail. */
static void test_audit(void)
{
    static const struct {
        const char *rules;
        bool marked;
    } t[] = {
        { "policy p { audit: read }", true },
        { "policy p { audit: write }", false },
        { "policy p { audit: all }", true },
        { "policy p { audit: read(path) if path == \"/b\" }", false },
        { "policy p { audit: read if missing }", true }, /* what cannot be told is recorded */
        { "policy p { deny: read audit: all_operations }", true },
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        row r = { t[i].rules, "read", NULL, NULL, SYMBI_CODE_ALLOWED, NULL };
        bool denied = strstr(t[i].rules, "deny:") != NULL;
        char text[300], rule[240];
        fixture f;
        symbi_verdict v;
        symbi_text e;
        agent_of(&r, text, sizeof text);
        REQUIRE(setup(&f, k_all, text, true, NULL));
        check(&f, &r, &v);
        CHECK(v.audited == t[i].marked && v.code == (denied ? SYMBI_CODE_DSL_DENIED : SYMBI_CODE_ALLOWED));
        CHECK_OK(symbi_verdict_event(f.cx, &v, S("c1"), NULL, &e, &f.err), f.err);
        CHECK((strstr(e.p, "\"audit\":true,\"audit_rule\":\"audit: ") != NULL) == t[i].marked);
        symbi_verdict_audit_rule(&v, rule);
        CHECK(t[i].marked ? strstr(rule, "(bot.symbi:2)") != NULL : !rule[0]);
        CHECK_OK(symbi_gate_commit(f.gate, &v, NULL, &f.err), f.err);
        symbi_text_free(&e);
        symbi_verdict_clear(&v);
        done(&f);
        REQUIRE(setup(&f, k_all, text, false, NULL)); /* without a trail */
        check(&f, &r, &v);
        CHECK(v.code == (denied ? SYMBI_CODE_DSL_DENIED : t[i].marked ? SYMBI_CODE_OBLIGATION_UNMET : SYMBI_CODE_ALLOWED));
        CHECK(v.has_permit == (v.code == SYMBI_CODE_ALLOWED));
        symbi_verdict_clear(&v);
        done(&f);
    }
}

/* Rules about a verified identity, and about what a person approved, are asked with both. */
static void test_marks_see_the_identity(void)
{
    static const struct {
        const char *rules, *action;
        bool shown, marked;
        symbi_code code;
    } t[] = {
        { "policy p { audit: read if agent.verified }", "read", true, true, SYMBI_CODE_ALLOWED },
        { "policy p { audit: read if agent.verified }", "read", false, false, SYMBI_CODE_ALLOWED },
        { "policy p { audit: read if agent.domain == \"other.example\" }", "read", true, false, SYMBI_CODE_ALLOWED },
        { "policy p { audit: write if human_approval deny: write if not human_approval }", "write", true, true, SYMBI_CODE_ALLOWED },
        { "policy p { require: write if agent.verified && human_approval }", "write", true, false, SYMBI_CODE_ALLOWED },
        { "policy p { require: write if agent.verified && human_approval }", "write", false, false, SYMBI_CODE_OBLIGATION_UNMET },
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        row r = { t[i].rules, t[i].action, NULL, NULL, t[i].code, NULL };
        symbi_action a = action_of(&r);
        fixture f;
        symbi_verdict v;
        char text[300];
        agent_of(&r, text, sizeof text);
        REQUIRE(setup(&f, k_all, text, true, NULL));
        if (t[i].shown) a.identity = make_identity(f.cx, "issuer.example", "bot", symbi_ctx_now_ms(f.cx) / 1000, GOOD);
        memset(&v, 0, sizeof v);
        symbi_gate_check(f.gate, &a, NULL, &v);
        if (v.decision == SYMBI_STEP_UP) {
            CHECK_OK(symbi_gate_approve(f.gate, v.action_digest, true, S("ann"), 0, &f.err), f.err);
            symbi_verdict_clear(&v);
            symbi_gate_check(f.gate, &a, NULL, &v);
        }
        if (v.code != t[i].code || v.audited != t[i].marked) printf("%s: %s %s %s\n", t[i].rules, symbi_code_name(v.code), v.reason, v.audited ? "marked" : "");
        CHECK(v.code == t[i].code && v.audited == t[i].marked);
        symbi_verdict_clear(&v);
        symbi_agentpin_result_unref(a.identity);
        done(&f);
    }
}

/* Permits are bound to the rules they were minted under. */
static void test_permits_go_stale(void)
{
    fixture f;
    row r = { "", "read", NULL, NULL, SYMBI_CODE_ALLOWED, NULL };
    symbi_verdict v;
    symbi_narrow *other = NULL;
    symbi_plan_options po;
    symbi_plan *plan;
    symbi_order order;
    symbi_code code;
    REQUIRE(setup(&f, k_all, "agent bot { }", false, NULL));
    check(&f, &r, &v);
    CHECK(v.code == SYMBI_CODE_ALLOWED);
    CHECK_OK(compile(&f, "agent bot { policy p { deny: read } }", "bot", &other), f.err);
    CHECK_OK(symbi_gate_narrow(f.gate, other, NULL, &f.err), f.err);
    memset(&po, 0, sizeof po);
    CHECK(symbi_gate_redeem(f.gate, &v, (symbi_str){ (const char *)v.permit.bytes, SYMBI_PERMIT_BYTES }, &po, &plan, &order, &code, &f.err) == SYMBI_EPERMIT && code == SYMBI_CODE_PERMIT_STALE);
    symbi_verdict_clear(&v);
    symbi_narrow_unref(other);
    done(&f);
}

/* Other policies come into force: the agent's rules stay. */
static void test_reload_keeps_rules(void)
{
    fixture f;
    row r = { "policy p { deny: read }", "read", NULL, NULL, SYMBI_CODE_DSL_DENIED, NULL };
    char text[200];
    uint8_t before[32];
    symbi_verdict v;
    symbi_cedar *set = NULL;
    symbi_cedar_source src = { { "q", 1 }, S("permit(principal, action, resource) when { true };") };
    agent_of(&r, text, sizeof text);
    REQUIRE(setup(&f, k_all, text, false, NULL));
    check(&f, &r, &v);
    memcpy(before, v.policy_hash, 32);
    symbi_verdict_clear(&v);
    CHECK_OK(symbi_cedar_parse(f.cx, &src, 1, 0, &set, &f.err), f.err);
    CHECK_OK(symbi_gate_reload(f.gate, set, &f.err), f.err);
    symbi_cedar_unref(set);
    check(&f, &r, &v);
    CHECK(v.code == SYMBI_CODE_DSL_DENIED && memcmp(before, v.policy_hash, 32) != 0);
    symbi_verdict_clear(&v);
    done(&f);
}

/* The run machine takes the smaller of the agent's limits and the caller's. */
static void test_run_limits(void)
{
    fixture f;
    symbi_run_options o;
    symbi_run *run = NULL;
    symbi_effect ef;
    REQUIRE(setup(&f, k_all, "agent bot { with timeout = 5s, max_output_tokens = 17, max_iterations = 1 { } }", false, NULL));
    symbi_run_options_init(&o);
    o.gate = f.gate;
    o.no_audit = true;
    o.agent_id = S("bot");
    o.prompt = S("hello");
    o.timeout_ms = 0; /* none: the agent's own holds */
    CHECK_OK(symbi_run_new(f.cx, &o, &run, &f.err), f.err);
    CHECK(symbi_run_tick(run) > 0 && symbi_run_tick(run) <= 5000);
    CHECK_OK(symbi_run_next(run, &ef, &f.err), f.err);
    CHECK(ef.kind == SYMBI_EFFECT_MODEL && symbi_value_getz(ef.model, "max_tokens")->u.i == 17);
    symbi_run_free(run);
    done(&f);
}

static symbi_status oom(symbi_ctx *cx, void *ud)
{
    fixture f;
    row r = { "", "read", NULL, "{\"tls\":true}", SYMBI_CODE_ALLOWED, NULL };
    symbi_verdict v;
    symbi_status st;
    (void)ud;
    memset(&f, 0, sizeof f);
    f.cx = cx;
    st = open_it(&f, k_all, "agent bot {\n  capabilities = [\"files\"]\n  policy p {\n allow: read(path) if path == \"/a\" || agent.id in [\"x\"]\n require: tls\n audit: all }\n with max_tool_calls = 3 { } }", true, NULL);
    if (!st) {
        symbi_doc *context = NULL;
        symbi_facts facts;
        symbi_action a = action_of(&r);
        memset(&facts, 0, sizeof facts);
        facts.tokens_left = facts.time_left_ms = -1;
        st = symbi_json_parse(cx, symbi_str_z(r.context), &context, &f.err);
        if (!st) {
            facts.context = symbi_doc_root(context);
            memset(&v, 0, sizeof v);
            symbi_gate_check(f.gate, &a, &facts, &v);
            if (v.code == SYMBI_CODE_OUT_OF_MEMORY || v.decision != SYMBI_ALLOW) st = SYMBI_ENOMEM;
            symbi_verdict_clear(&v);
        }
        symbi_doc_unref(context);
    }
    close_it(&f);
    return st;
}

static void test_out_of_memory(void) { test_oom(oom, NULL, SYMBI_OK); }

int main(void)
{
    RUN(test_rows);
    RUN(test_never_wider);
    RUN(test_allow_all_is_narrowed);
    RUN(test_other_principals);
    RUN(test_names_rule_file_and_line);
    RUN(test_sandbox_and_memory);
    RUN(test_budget);
    RUN(test_approval);
    RUN(test_audit);
    RUN(test_marks_see_the_identity);
    RUN(test_permits_go_stale);
    RUN(test_reload_keeps_rules);
    RUN(test_run_limits);
    RUN(test_out_of_memory);
    return test_end();
}
