/* Cedar: positions and messages, ids, hashes, overlay, the plain rule, limits, deep and long input, out of memory. */
#include "test.h"

#include "symbi/cedar.h"
#include "symbi/json.h"

static symbi_ctx *cx;

static symbi_str z(const char *s) { return symbi_str_z(s); }
static symbi_cedar *parse_with(const char *text, unsigned flags, symbi_err *err)
{
    symbi_cedar_source src = { { "p.cedar", 7 }, z(text) };
    symbi_cedar *set = NULL;
    symbi_status st = symbi_cedar_parse(cx, &src, 1, flags, &set, err);
    if ((st == SYMBI_OK) != (set != NULL)) t_now_failed = 1;
    return set;
}
static symbi_cedar *parse(const char *text)
{
    symbi_err err;
    symbi_cedar *set = parse_with(text, 0, &err);
    if (!set) printf("%s: %u:%u %s\n", text, err.line, err.col, err.msg), t_now_failed = 1;
    return set;
}
static void check_err(const char *text, unsigned line, unsigned col, const char *has, int at)
{
    symbi_err err;
    symbi_cedar *set = parse_with(text, 0, &err);
    if (set || err.line != line || err.col != col || !strstr(err.msg, has) || strcmp(err.path, "p.cedar")) {
        printf("line %d: %s: %s:%u:%u %s\n", at, text, err.path, err.line, err.col, set ? "accepted" : err.msg);
        t_now_failed = 1;
    }
    symbi_cedar_unref(set);
}
#define ERR(text, line, col, has) check_err(text, line, col, has, __LINE__)

static void test_messages(void)
{
    ERR("permit(principal, action = Action::\"x\", resource);", 1, 26, "`==`");
    ERR("permit(principal, action == \"tool_call\", resource);", 1, 29, "action in Action::\"tool_call\"");
    ERR("permit(principal == \"a\", action, resource);", 1, 21, "principal == Agent::\"a\"");
    ERR("permit(principal, action, resource) when { true & false };", 1, 49, "`&&`");
    ERR("permit(principal, action, resource) when { true | false };", 1, 49, "`||`");
    ERR("permit(principal, action, resource) when { context.a = 1 };", 1, 54, "`==`");
    ERR("permit(principal, action, resource)\npermit(principal, action, resource);", 1, 36, "`;`");
    ERR("permit(principal, action, resource)", 1, 36, "`;`");
    ERR("permit(principal, action, resource) when { context.a == 'x' };", 1, 57, "double quotes");
    ERR("permit(principal, action, resource) when { context.a == \"x };", 1, 57, "closing");
    ERR("# hello\npermit(principal, action, resource);", 1, 1, "`//`");
    ERR("/* hello */ permit(principal, action, resource);", 1, 1, "`//`");
    ERR("permit(principal, action);", 1, 25, "missing the `resource` variable");
    ERR("permit(resource, action, principal);", 1, 8, "where the variable `principal` must be used");
    ERR("Permit(principal, action, resource);", 1, 1, "invalid policy effect: Permit");
    ERR("permit(principal, action, resource) when { principal.age > 3 and true };", 1, 62, "`&&`");
    ERR("permit(principal, action, resource) when { true && if true then true else false };", 1, 52, "parentheses");
    ERR("permit(principal, action, resource) when { foo };", 1, 44, "invalid variable: foo");
    ERR("permit(principal, action, resource) when { null };", 1, 44, "no null");
    ERR("permit(principal, action, resource) when { 1 / 2 };", 1, 46, "division is not supported");
    ERR("permit(principal, action, resource) when { contains(1) };", 1, 44, "is a method, not a function");
    ERR("permit(principal, action, resource) when { unknown(\"x\") };", 1, 44, "`unknown` is not a valid function"); /* of partial evaluation, which the wasm build has */
    ERR("permit(principal, action, resource) when { \"\\q\" };", 1, 45, "`\\q` is not a valid escape");
    ERR("permit(principal, action, resource)\n  when { };", 2, 10, "cannot be empty");
    ERR("permit(principal, action, resource)\n  when { \xff };", 2, 10, "UTF-8");
    ERR("\xEF\xBB\xBFpermit(principal, action, resource);", 1, 1, "byte order mark");
    ERR("@a @a permit(principal, action, resource);", 1, 5, "duplicate annotation: @a");
    ERR("permit(principal is User == User::\"a\", action, resource);", 1, 26, "`is` cannot be used together with `==`");
    ERR("permit(principal: User, action, resource);", 1, 17, "is Type");
    ERR("permit(principal, action, resource) when { {a: 1, a: 2} };", 1, 44, "duplicate key `a`");
    ERR("permit(principal, action, resource) when { 1 == 1 == 1 };", 1, 51, "parentheses");
}

static void test_ids(void)
{
    symbi_cedar_source src[3] = { { { "a.cedar", 7 }, z("permit(principal, action, resource);\n\n  @id(\"named\") @x forbid(principal, action, resource);") },
                                  { { "", 0 }, z("permit(principal, action, resource);") },
                                  { { "b", 1 }, z("permit(principal, action, resource);") } };
    symbi_cedar_policy_info p;
    symbi_cedar *set = NULL;
    symbi_err err;
    uint8_t h1[32], h2[32];
    CHECK_OK(symbi_cedar_parse(cx, src, 3, 0, &set, &err), err);
    REQUIRE(set);
    CHECK(symbi_cedar_count(set) == 4);
    symbi_cedar_policy(set, 0, &p);
    CHECK_STR(p.id, "a.cedar#0");
    symbi_cedar_policy(set, 1, &p);
    CHECK_STR(p.id, "a.cedar#1");
    CHECK_STR(p.source, "a.cedar");
    CHECK(p.line == 3 && p.col == 3 && p.effect == SYMBI_CEDAR_FORBID && p.annotation_count == 2);
    CHECK_STR(p.text, "@id(\"named\") @x forbid(principal, action, resource);");
    CHECK_STR(symbi_cedar_annotation_get(set, 1, z("id")), "named");
    CHECK(symbi_cedar_annotation_get(set, 1, z("x")).p == NULL);
    symbi_cedar_policy(set, 2, &p);
    CHECK_STR(p.id, "policy2");
    symbi_cedar_policy(set, 3, &p);
    CHECK_STR(p.id, "b#0");
    symbi_cedar_policy(set, 4, &p);
    CHECK(p.id.n == 0);
    CHECK(symbi_cedar_find(set, z("b#0")) == 3);
    CHECK(symbi_cedar_find(set, z("nope")) == SIZE_MAX);
    symbi_cedar_hash(set, h1);
    symbi_cedar_unref(set);
    CHECK_OK(symbi_cedar_parse(cx, src, 3, SYMBI_CEDAR_IDS_BY_POSITION, &set, &err), err);
    symbi_cedar_policy(set, 3, &p);
    CHECK_STR(p.id, "policy3");
    symbi_cedar_hash(set, h2);
    CHECK(memcmp(h1, h2, 32));
    symbi_cedar_unref(set);
    CHECK_OK(symbi_cedar_parse(cx, src, 3, SYMBI_CEDAR_IDS_ANNOTATED, &set, &err), err);
    CHECK(symbi_cedar_find(set, z("named")) == 1);
    symbi_cedar_unref(set);
    src[2].text = z("@id(\"named\") permit(principal, action, resource);");
    CHECK(symbi_cedar_parse(cx, src, 3, SYMBI_CEDAR_IDS_ANNOTATED, &set, &err) == SYMBI_EEXISTS);
    CHECK(set == NULL && !strcmp(err.path, "b") && strstr(err.msg, "named"));
    CHECK_OK(symbi_cedar_parse(cx, NULL, 0, 0, &set, &err), err);
    CHECK(symbi_cedar_count(set) == 0);
    symbi_cedar_unref(set);
}

static const char *decide(symbi_cedar *set, const char *p, const char *a, const char *r)
{
    static char msg[500];
    symbi_cedar_eval *ev = NULL;
    symbi_cedar_request rq;
    symbi_cedar_answer ans;
    symbi_text hold[3];
    symbi_cedar_uid u[3];
    const char *in[3] = { p, a, r }, *out;
    symbi_err err;
    if (!set || symbi_cedar_eval_new(cx, &ev, &err)) return "no set";
    for (int i = 0; i < 3; i++)
        if (symbi_cedar_uid_parse(cx, z(in[i]), &u[i], &hold[i], &err)) return "bad uid";
    memset(&rq, 0, sizeof rq);
    rq.principal = u[0], rq.action = u[1], rq.resource = u[2];
    if (symbi_cedar_authorize(ev, set, &rq, &ans, &err)) snprintf(msg, sizeof msg, "%s", err.msg), out = msg;
    else out = ans.nerrors ? "error" : ans.decision == SYMBI_ALLOW ? "allow" : "deny";
    for (int i = 0; i < 3; i++) symbi_text_free(&hold[i]);
    symbi_cedar_eval_free(ev);
    return out;
}

static void test_legacy(void)
{
    symbi_err err;
    symbi_cedar *set;
    const char *text = "forbid(principal == \"bot\", action in [\"a\", Action::\"b\"], resource == \"default\");\npermit(principal, action == \"go\", resource);";
    CHECK(!parse_with(text, 0, &err));
    set = parse_with(text, SYMBI_CEDAR_LEGACY_SCOPE, &err);
    REQUIRE(set);
    CHECK(symbi_cedar_warning_count(set) == 4);
    CHECK_STR(symbi_cedar_warning(set, 3), "p.cedar:2:29: legacy scope literal rewritten: this now reads `action in Action::\"go\"`; write that instead");
    CHECK(!strcmp(decide(set, "Agent::\"bot\"", "Action::\"go\"", "Resource::\"default\""), "allow"));
    symbi_cedar_unref(set);
    /* only these forms, and never in conditions */
    CHECK(!parse_with("permit(principal in \"a\", action, resource);", SYMBI_CEDAR_LEGACY_SCOPE, &err));
    CHECK(!parse_with("permit(principal is \"a\", action, resource);", SYMBI_CEDAR_LEGACY_SCOPE, &err));
    set = parse_with("permit(principal, action, resource) when { action == \"go\" };", SYMBI_CEDAR_LEGACY_SCOPE, &err);
    CHECK(!strcmp(decide(set, "Agent::\"bot\"", "Action::\"go\"", "Resource::\"default\""), "deny"));
    symbi_cedar_unref(set);
}

static void test_alias(void)
{
    symbi_err err;
    symbi_cedar *set = parse_with("permit(principal is Symbi::Agent, action in [Symbi::Action::\"x\"], resource == Symbi::A::R::\"r\") when { principal == Symbi::Agent::\"a\" };", SYMBI_CEDAR_SYMBI_ALIAS, &err);
    CHECK(!strcmp(decide(set, "Agent::\"a\"", "Action::\"x\"", "A::R::\"r\""), "allow"));
    CHECK(!strcmp(decide(set, "Symbi::Agent::\"a\"", "Action::\"x\"", "A::R::\"r\""), "deny"));
    symbi_cedar_unref(set);
}

/* A text of n copies of `unit` between head and tail. */
static char *repeat(const char *head, const char *unit, size_t n, const char *tail)
{
    size_t u = strlen(unit), h = strlen(head);
    char *t = malloc(h + n * u + strlen(tail) + 1);
    memcpy(t, head, h);
    for (size_t i = 0; i < n; i++) memcpy(t + h + i * u, unit, u);
    strcpy(t + h + n * u, tail);
    return t;
}
static symbi_status try_text(char *t, const char **decision)
{
    symbi_cedar_source src = { { "", 0 }, z(t) };
    symbi_cedar *set = NULL;
    symbi_err err;
    symbi_status st = symbi_cedar_parse(cx, &src, 1, 0, &set, &err);
    if (decision && set) *decision = decide(set, "U::\"a\"", "Action::\"x\"", "R::\"r\"");
    symbi_cedar_unref(set);
    free(t);
    return st;
}
#define HEAD "permit(principal, action, resource) when { "
static void test_depth(void)
{
    const char *d = "";
    char *tail;
    CHECK(try_text(repeat(HEAD "true", " && true", 20000, "};"), &d) == SYMBI_OK && !strcmp(d, "allow"));
    CHECK(try_text(repeat(HEAD "false", " || false", 20000, "};"), &d) == SYMBI_OK && !strcmp(d, "deny"));
    CHECK(try_text(repeat(HEAD "0", " + 1", 20000, " == 20000 };"), &d) == SYMBI_OK && !strcmp(d, "allow"));
    CHECK(try_text(repeat(HEAD "1", " * 1", 20000, " == 1 };"), &d) == SYMBI_OK && !strcmp(d, "allow"));
    tail = repeat("true", ")", 999, "};");
    CHECK(try_text(repeat(HEAD, "(", 999, tail), &d) == SYMBI_OK && !strcmp(d, "allow"));
    free(tail);
    tail = repeat("true", ")", 1000, "};");
    CHECK(try_text(repeat(HEAD, "(", 1000, tail), NULL) == SYMBI_ELIMIT);
    free(tail);
    CHECK(try_text(repeat(HEAD, "(", 1000000, ""), NULL) == SYMBI_ELIMIT);
    CHECK(try_text(repeat(HEAD, "[", 1000000, ""), NULL) == SYMBI_ELIMIT);
    CHECK(try_text(repeat(HEAD, "if ", 1000000, ""), NULL) == SYMBI_ELIMIT);
    CHECK(try_text(repeat(HEAD, "{a:", 1000000, ""), NULL) == SYMBI_ELIMIT);
    CHECK(try_text(repeat(HEAD, "ip(", 1000000, ""), NULL) == SYMBI_ELIMIT);
    CHECK(try_text(repeat(HEAD "context", ".a", 998, " == 1 };"), &d) == SYMBI_OK && !strcmp(d, "error"));
    CHECK(try_text(repeat(HEAD "context", ".a", 1000000, " };"), NULL) == SYMBI_ELIMIT);
    /* height adds up through parentheses too, so that the evaluator's stack is bounded */
    CHECK(try_text(repeat(HEAD "(((context", ".a.a.a.a.a.a.a.a.a.a).b.b.b.b.b.b.b.b.b.b)", 1, ".c).d };"), &d) == SYMBI_OK);
    tail = repeat("true", "}.a", 600, "};");
    CHECK(try_text(repeat(HEAD, "{a:", 600, tail), NULL) == SYMBI_ELIMIT);
    free(tail);
    tail = repeat("true", "}.a", 499, "};");
    CHECK(try_text(repeat(HEAD, "{a:", 499, tail), &d) == SYMBI_OK && !strcmp(d, "allow"));
    free(tail);
    CHECK(try_text(repeat("", "permit(principal,action,resource);", 100000, ""), NULL) == SYMBI_OK);
    CHECK(try_text(repeat("", "permit(principal,action,resource);", 100001, ""), NULL) == SYMBI_ELIMIT);
    CHECK(try_text(repeat("//", "x", (32u << 20) - 2, ""), NULL) == SYMBI_OK);
    CHECK(try_text(repeat("//", "x", (32u << 20) - 1, ""), NULL) == SYMBI_ELIMIT);
    CHECK(try_text(repeat("permit(principal, action in [", "Action::\"a\",", 100000, "], resource);"), &d) == SYMBI_OK && !strcmp(d, "deny"));
    CHECK(try_text(repeat(HEAD "[1", ",1", 100000, "] == [1] };"), &d) == SYMBI_OK && !strcmp(d, "allow"));
}

static void test_budget(void)
{
    symbi_limits *l = symbi_ctx_limits(cx);
    size_t keep = l->eval_steps;
    char *t = repeat(HEAD "true", " && true", 1000, "};");
    symbi_cedar *set = parse(t);
    l->eval_steps = 500;
    CHECK(strstr(decide(set, "U::\"a\"", "Action::\"x\"", "R::\"r\""), "more than 500 steps"));
    l->eval_steps = keep;
    CHECK(!strcmp(decide(set, "U::\"a\"", "Action::\"x\"", "R::\"r\""), "allow"));
    symbi_cedar_unref(set);
    free(t);
}

static symbi_doc *json(const char *text)
{
    symbi_doc *d = NULL;
    symbi_err err;
    if (symbi_json_parse(cx, z(text), &d, &err)) printf("%s: %s\n", text, err.msg), t_now_failed = 1;
    return d;
}

static void test_overlay(void)
{
    symbi_cedar *set = parse("permit(principal in Team::\"t\", action in Action::\"tool_call\", resource) when { resource.kind == \"x\" && resource.getTag(\"g\") == 1 "
                             "&& principal has tier && resource in Tool::\"nmap\" && resource in Group::\"net\" };");
    symbi_doc *stored = json("[{\"uid\":{\"type\":\"Agent\",\"id\":\"a\"},\"attrs\":{\"old\":1},\"parents\":[]},"
                             "{\"uid\":{\"type\":\"Tool\",\"id\":\"nmap\"},\"attrs\":{},\"parents\":[{\"type\":\"Group\",\"id\":\"net\"}]},"
                             "{\"uid\":{\"type\":\"Unit\",\"id\":\"u\"},\"attrs\":{},\"parents\":[{\"type\":\"Team\",\"id\":\"t\"}]}]");
    symbi_doc *attrs = json("{\"kind\":\"x\"}"), *tags = json("{\"g\":1}"), *agent = json("{\"tier\":null,\"x\":1.5}"), *agent2 = json("{\"tier\":2}");
    symbi_cedar_entities *ents = NULL;
    symbi_cedar_eval *ev = NULL;
    symbi_cedar_uid unit = { z("Unit"), z("u") }, tool = { z("Tool"), z("nmap") }, group = { z("Action"), z("tool_call") }, loop = { z("Resource"), z("default") };
    symbi_cedar_uid both[2];
    symbi_cedar_entity over[4];
    symbi_cedar_request rq;
    symbi_cedar_answer a;
    symbi_err err;
    both[0] = tool, both[1] = loop;
    CHECK_OK(symbi_cedar_entities_new(cx, symbi_doc_root(stored), &ents, &err), err);
    CHECK_OK(symbi_cedar_eval_new(cx, &ev, &err), err);
    memset(over, 0, sizeof over);
    memset(&rq, 0, sizeof rq);
    rq.principal.type = z("Agent"), rq.principal.id = z("a");
    rq.action.type = z("Action"), rq.action.id = z("tool_call::nmap");
    rq.resource = loop;
    rq.entities = ents;
    rq.overlay = over;
    rq.noverlay = 3;
    over[0].uid = rq.principal, over[0].parents = &unit, over[0].nparents = 1, over[0].attrs = symbi_doc_root(agent2);
    over[1].uid = rq.action, over[1].parents = &group, over[1].nparents = 1;
    over[2].uid = rq.resource, over[2].parents = both, over[2].nparents = 2, over[2].attrs = symbi_doc_root(attrs), over[2].tags = symbi_doc_root(tags);
    CHECK_OK(symbi_cedar_authorize(ev, set, &rq, &a, &err), err);
    CHECK(a.decision == SYMBI_ALLOW && a.nreasons == 1 && !a.nerrors);
    over[0].attrs = symbi_doc_root(agent); /* null under the strict rule */
    CHECK(symbi_cedar_authorize(ev, set, &rq, &a, &err) == SYMBI_ESCHEMA);
    CHECK(a.decision == SYMBI_DENY && !strcmp(err.path, "/overlay/0/attrs/tier"));
    over[0].rule = SYMBI_CEDAR_PLAIN; /* absent under the plain one */
    CHECK_OK(symbi_cedar_authorize(ev, set, &rq, &a, &err), err);
    CHECK(a.decision == SYMBI_DENY && !a.nerrors);
    over[0].attrs = symbi_doc_root(agent2);
    over[2].nparents = 0;
    CHECK_OK(symbi_cedar_authorize(ev, set, &rq, &a, &err), err);
    CHECK(a.decision == SYMBI_DENY);
    rq.noverlay = 2; /* the resource is unknown now: an error of this permit */
    CHECK_OK(symbi_cedar_authorize(ev, set, &rq, &a, &err), err);
    CHECK(a.nerrors == 1 && a.errors[0].kind == SYMBI_CEDAR_E_ENTITY && !a.forbid_error && a.errors[0].line == 1);
    rq.resource.type = z("no type");
    CHECK(symbi_cedar_authorize(ev, set, &rq, &a, &err) == SYMBI_EINVAL && a.decision == SYMBI_DENY);
    symbi_cedar_eval_free(ev);
    symbi_cedar_entities_unref(ents);
    symbi_cedar_unref(set);
    symbi_doc_unref(stored), symbi_doc_unref(attrs), symbi_doc_unref(tags), symbi_doc_unref(agent), symbi_doc_unref(agent2);
}

static const char *with_input(const char *cond, const char *input)
{
    static const symbi_cedar_member_rule rule = { { "input", 5 }, SYMBI_CEDAR_PLAIN };
    char text[2000], ctx[2000];
    symbi_cedar *set;
    symbi_doc *d;
    symbi_cedar_eval *ev = NULL;
    symbi_cedar_request rq;
    symbi_cedar_answer a;
    symbi_err err;
    static char msg[400];
    const char *out;
    snprintf(text, sizeof text, HEAD "%s };", cond);
    snprintf(ctx, sizeof ctx, "{\"ok\":true,\"input\":%s}", input);
    set = parse(text);
    d = json(ctx);
    if (!set || !d || symbi_cedar_eval_new(cx, &ev, &err)) return "broken";
    memset(&rq, 0, sizeof rq);
    rq.principal.type = rq.action.type = rq.resource.type = z("A");
    rq.context = symbi_doc_root(d);
    rq.rules = &rule;
    rq.nrules = 1;
    if (symbi_cedar_authorize(ev, set, &rq, &a, &err)) out = strcpy(msg, err.msg);
    else out = a.nerrors ? symbi_cedar_error_name(a.errors[0].kind) : a.decision == SYMBI_ALLOW ? "allow" : "deny";
    symbi_cedar_eval_free(ev);
    symbi_doc_unref(d);
    symbi_cedar_unref(set);
    return out;
}

static void test_plain(void)
{
#define IN(cond, input, want) CHECK(!strcmp(with_input(cond, input), want))
    IN("context.input.n == 5", "{\"n\":5}", "allow");
    IN("context.input.n == decimal(\"1.5\")", "{\"n\":1.5}", "allow");
    IN("context.input.n == decimal(\"0.1\")", "{\"n\":0.1}", "allow");
    IN("context.input.n == decimal(\"-1234567.8901\")", "{\"n\":-1234567.8901}", "allow");
    IN("context.input.n == \"0.12345\"", "{\"n\":0.12345}", "allow");
    IN("context.input.n == \"1e+300\"", "{\"n\":1e300}", "allow");
    IN("context.input.n == decimal(\"2.0\")", "{\"n\":2.0}", "allow");
    IN("context.input has n", "{\"n\":null}", "deny");
    IN("context.input.l == [1, \"a\"]", "{\"l\":[1,null,\"a\",1]}", "allow");
    IN("context.input.u.__entity.type == \"Agent\"", "{\"u\":{\"__entity\":{\"type\":\"Agent\",\"id\":\"root\"}}}", "allow");
    IN("context.input.u == Agent::\"root\"", "{\"u\":{\"__entity\":{\"type\":\"Agent\",\"id\":\"root\"}}}", "deny");
    IN("context.input.u.__extn.fn == \"ip\"", "{\"u\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"1.1.1.1\"}}}", "allow");
    IN("context.input.u.__expr == \"x\"", "{\"u\":{\"__expr\":\"x\"}}", "allow");
    IN("context.ok", "[]", "allow");
    IN("context has input", "null", "deny");
    IN("context.input.s", "{}", "attr_does_not_exist");
}

static void test_entities(void)
{
    static const struct { const char *text, *path, *msg; } bad[] = {
        { "{}", "", "array" },
        { "[1]", "/0", "object" },
        { "[{\"attrs\":{},\"parents\":[]}]", "/0", "uid" },
        { "[{\"uid\":{\"type\":\"A\",\"id\":\"a\"},\"parents\":[]}]", "/0", "attrs" },
        { "[{\"uid\":{\"type\":\"A\",\"id\":\"a\"},\"attrs\":{}}]", "/0", "parents" },
        { "[{\"uid\":{\"type\":\"A b\",\"id\":\"a\"},\"attrs\":{},\"parents\":[]}]", "/0/uid", "entity type" },
        { "[{\"uid\":{\"type\":\"A\",\"id\":\"a\"},\"attrs\":{\"x\":{\"y\":[1,null]}},\"parents\":[]}]", "/0/attrs/x/y/1", "null" },
        { "[{\"uid\":{\"type\":\"A\",\"id\":\"a\"},\"attrs\":{\"a/b~\":1.5},\"parents\":[]}]", "/0/attrs/a~1b~0", "decimal" },
        { "[{\"uid\":{\"type\":\"A\",\"id\":\"a\"},\"attrs\":{},\"parents\":[\"x\"]}]", "/0/parents/0", "string" },
        { "[{\"uid\":{\"type\":\"A\",\"id\":\"a\"},\"attrs\":{},\"parents\":[{\"type\":\"A\",\"id\":\"a\"}]}]", "", "cycle" },
        { "[{\"uid\":{\"type\":\"Action\",\"id\":\"a\"},\"attrs\":{},\"parents\":[{\"type\":\"A\",\"id\":\"a\"}]}]", "/0/parents/0", "non-action" },
        { "[{\"uid\":{\"type\":\"A\",\"id\":\"a\"},\"attrs\":{},\"parents\":[]},{\"uid\":{\"type\":\"A\",\"id\":\"a\"},\"attrs\":{\"x\":1},\"parents\":[]}]", "/1/uid", "duplicate" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        symbi_doc *d = json(bad[i].text);
        symbi_cedar_entities *e = NULL;
        symbi_err err;
        if (symbi_cedar_entities_new(cx, symbi_doc_root(d), &e, &err) != SYMBI_ESCHEMA || strcmp(err.path, bad[i].path) || !strstr(err.msg, bad[i].msg)) {
            printf("%s: %s: %s\n", bad[i].text, err.path, err.msg);
            t_now_failed = 1;
        }
        symbi_doc_unref(d);
    }
}

/* A chain of n entities N::"0" -> N::"1" -> ..., with back != SIZE_MAX an edge from the last to that one. */
static symbi_status chain(size_t n, size_t back, symbi_cedar_entities **out, symbi_err *err)
{
    char *t = malloc(n * 120 + 10);
    size_t k = 0;
    symbi_doc *d = NULL;
    symbi_status st;
    symbi_str s = { t, 0 };
    t[k++] = '[';
    for (size_t i = 0; i < n; i++) {
        k += (size_t)sprintf(t + k, "%s{\"uid\":{\"type\":\"N\",\"id\":\"%zu\"},\"attrs\":{},\"parents\":[", i ? "," : "", i);
        if (i + 1 < n || back != SIZE_MAX) k += (size_t)sprintf(t + k, "{\"type\":\"N\",\"id\":\"%zu\"}", i + 1 < n ? i + 1 : back);
        k += (size_t)sprintf(t + k, "]}");
    }
    t[k++] = ']';
    s.n = k;
    st = symbi_json_parse(cx, s, &d, err);
    free(t);
    if (!st) st = symbi_cedar_entities_new(cx, symbi_doc_root(d), out, err);
    symbi_doc_unref(d);
    return st;
}

static void test_hierarchy(void)
{
    symbi_cedar *set = parse("permit(principal in N::\"9999\", action, resource); forbid(principal in N::\"nope\", action, resource);");
    symbi_cedar_entities *e = NULL;
    symbi_cedar_eval *ev = NULL;
    symbi_cedar_request rq;
    symbi_cedar_answer a;
    symbi_err err;
    REQUIRE(set);
    CHECK_OK(chain(10000, SIZE_MAX, &e, &err), err);
    CHECK_OK(symbi_cedar_eval_new(cx, &ev, &err), err);
    memset(&rq, 0, sizeof rq);
    rq.principal.type = z("N"), rq.principal.id = z("0");
    rq.action.type = z("Action"), rq.resource.type = z("R");
    rq.entities = e;
    CHECK_OK(symbi_cedar_authorize(ev, set, &rq, &a, &err), err);
    CHECK(a.decision == SYMBI_ALLOW);
    rq.principal.id = z("9998");
    CHECK_OK(symbi_cedar_authorize(ev, set, &rq, &a, &err), err);
    CHECK(a.decision == SYMBI_ALLOW);
    symbi_cedar_entities_unref(e);
    CHECK(chain(10000, 5000, &e, &err) == SYMBI_ESCHEMA && strstr(err.msg, "cycle") && e == NULL);
    symbi_cedar_eval_free(ev);
    symbi_cedar_unref(set);
}

/* After a warm-up no call allocates: the counting allocator sees it. */
static void test_no_alloc(void)
{
    counting_alloc ca = { 0 };
    symbi_env env;
    symbi_ctx *own = NULL, *keep = cx;
    symbi_err err;
    symbi_cedar *set;
    symbi_doc *d;
    symbi_cedar_eval *ev = NULL;
    symbi_cedar_request rq;
    symbi_cedar_answer a;
    long count;
    symbi_env_init(&env);
    env.alloc.fn = counting_fn;
    env.alloc.ud = &ca;
    CHECK_OK(symbi_ctx_new(&env, &own, &err), err);
    cx = own;
    set = parse("permit(principal, action, resource) when { [context.a, 3].contains(3) && {x: context.s} has x };"
                "forbid(principal, action, resource) when { context.nope };"
                "permit(principal, action, resource) when { context.s like \"*b*\" && ip(context.ip).isLoopback() };");
    d = json("{\"a\":1,\"s\":\"abc\",\"ip\":\"127.0.0.1\",\"l\":[3,2,1]}");
    CHECK_OK(symbi_cedar_eval_new(cx, &ev, &err), err);
    memset(&rq, 0, sizeof rq);
    rq.principal.type = rq.action.type = rq.resource.type = z("A");
    rq.context = symbi_doc_root(d);
    for (int i = 0; i < 3; i++) CHECK_OK(symbi_cedar_authorize(ev, set, &rq, &a, &err), err);
    ca.fail_at = 1;
    ca.count = 0;
    count = ca.live_blocks;
    for (int i = 0; i < 1000; i++) CHECK_OK(symbi_cedar_authorize(ev, set, &rq, &a, &err), err);
    CHECK(ca.count == 0 && ca.live_blocks == count && a.nreasons == 2 && a.nerrors == 1 && a.forbid_error);
    symbi_cedar_eval_free(ev);
    symbi_doc_unref(d);
    symbi_cedar_unref(set);
    symbi_ctx_free(own);
    cx = keep;
    CHECK(ca.live_blocks == 0 && ca.live_bytes == 0);
}

static symbi_status oom_scene(symbi_ctx *c, void *ud)
{
    static const char *const texts[2] = {
        "@id(\"a\") permit(principal == U::\"a\", action in [Action::\"x\", Action::\"y\"], resource is R in G::\"g\") when { context.s like \"*\\n\" && [1, 2].contains(1) };",
        "forbid(principal == \"bot\", action, resource) unless { ip(\"10.0.0.1\").isInRange(ip(\"10.0.0.0/8\")) && {a: context.n + 1, \"b c\": [context.n]}.a == 6 && context has n.x };"
        "permit(principal, action, resource) when { if context.n > 3 then resource in [G::\"g\", G::\"h\"] else principal.x == 1 };"
    };
    symbi_cedar_source src[2];
    symbi_cedar *set = NULL;
    symbi_cedar_entities *e = NULL;
    symbi_cedar_eval *ev = NULL;
    symbi_doc *d = NULL;
    symbi_cedar_request rq;
    symbi_cedar_answer a;
    symbi_cedar_uid u, par;
    symbi_cedar_entity over;
    symbi_text hold;
    symbi_err err;
    symbi_status st;
    (void)ud;
    for (int i = 0; i < 2; i++) src[i].name = z(i ? "" : "f"), src[i].text = z(texts[i]);
    memset(&hold, 0, sizeof hold);
    memset(&rq, 0, sizeof rq);
    memset(&over, 0, sizeof over);
    st = symbi_cedar_parse(c, src, 2, SYMBI_CEDAR_LEGACY_SCOPE, &set, &err);
    if (!st) st = symbi_json_parse(c, z("{\"c\":{\"s\":\"x\\n\",\"n\":5},\"e\":[{\"uid\":{\"type\":\"R\",\"id\":\"r\"},\"attrs\":{\"x\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"::1\"}}},\"parents\":[{\"type\":\"G\",\"id\":\"g\"}]}]}"), &d, &err);
    if (!st) st = symbi_cedar_entities_new(c, symbi_value_getz(symbi_doc_root(d), "e"), &e, &err);
    if (!st) st = symbi_cedar_eval_new(c, &ev, &err);
    if (!st) st = symbi_cedar_uid_parse(c, z("U::\"a\""), &u, &hold, &err);
    if (!st) {
        rq.principal = u;
        rq.action.type = z("Action"), rq.action.id = z("x");
        rq.resource.type = z("R"), rq.resource.id = z("r");
        rq.context = symbi_value_getz(symbi_doc_root(d), "c");
        rq.entities = e;
        par.type = z("G"), par.id = z("g");
        over.uid = u, over.parents = &par, over.nparents = 1;
        rq.overlay = &over;
        rq.noverlay = 1;
        st = symbi_cedar_authorize(ev, set, &rq, &a, &err);
        if (st && a.decision != SYMBI_DENY) t_now_failed = 1;
        if (!st && (a.decision != SYMBI_ALLOW || a.nreasons != 2)) t_now_failed = 1;
    }
    symbi_text_free(&hold);
    symbi_cedar_eval_free(ev);
    symbi_cedar_entities_unref(e);
    symbi_doc_unref(d);
    symbi_cedar_unref(set);
    return st;
}
static void test_memory(void) { test_oom(oom_scene, NULL, SYMBI_OK); }

static const char whole[] =
    "{\"policies\":{\"staticPolicies\":{\"a\":\"@k(\\\"v\\\") permit(principal is User, action == Action::\\\"view\\\", resource) when { principal has age && principal.age > 3 || context.ok };\","
    "\"b\":{\"effect\":\"forbid\",\"principal\":{\"op\":\"in\",\"entity\":{\"type\":\"Team\",\"id\":\"t\"}},\"action\":{\"op\":\"All\"},\"resource\":{\"op\":\"is\",\"entity_type\":\"Doc\"},"
    "\"conditions\":[{\"kind\":\"when\",\"body\":{\"like\":{\"left\":{\".\":{\"left\":{\"Var\":\"principal\"},\"attr\":\"name\"}},\"pattern\":[\"Wildcard\",{\"Literal\":\"x\"}]}}}],"
    "\"annotations\":{\"z\":null}}},\"templates\":{\"t\":\"permit(principal == ?principal, action, resource in ?resource);\"},"
    "\"templateLinks\":[{\"templateId\":\"t\",\"newId\":\"l\",\"values\":{\"?principal\":{\"type\":\"User\",\"id\":\"u\"},\"?resource\":{\"type\":\"Doc\",\"id\":\"d\"}}}]},"
    "\"schema\":\"@note entity Team; entity User in [Team] { name: String, age?: Long, nets?: Set<ipaddr>, name: String } tags T; type T = { a: Long, b?: Color }; entity Color enum [\\\"red\\\"];"
    "entity Doc in Doc; action all; namespace N { action go; } action view in [all, N::Action::\\\"go\\\"] appliesTo { principal: User, resource: [Doc], context: { ok: Bool } };\","
    "\"entities\":[{\"uid\":{\"type\":\"User\",\"id\":\"u\"},\"attrs\":{\"name\":\"n\",\"nets\":[\"10.0.0.0/8\"]},\"parents\":[{\"type\":\"Team\",\"id\":\"t\"}],\"tags\":{\"q\":{\"a\":1,\"b\":{\"type\":\"Color\",\"id\":\"red\"}}}}],"
    "\"context\":{\"ok\":true}}";

/* JSON in and out, linking, schema, conforming entities, request, validation, printing: with every allocation failing in turn. */
static symbi_status oom_whole(symbi_ctx *c, void *ud)
{
    symbi_doc *d = NULL, *j = NULL, *j2 = NULL;
    symbi_cedar *set = NULL, *linked = NULL, *again = NULL;
    symbi_cedar_schema *schema = NULL, *schema2 = NULL, *schema3 = NULL;
    symbi_cedar_entities *ents = NULL;
    symbi_cedar_report *rep = NULL;
    symbi_cedar_eval *ev = NULL;
    symbi_cedar_request rq;
    symbi_cedar_answer a;
    symbi_cedar_uid p = { { "User", 4 }, { "v", 1 } }, r = { { "Doc", 3 }, { "d", 1 } };
    symbi_text t1, t2;
    symbi_err err;
    symbi_status st;
    const symbi_value *root;
    (void)ud;
    memset(&t1, 0, sizeof t1), memset(&t2, 0, sizeof t2);
    st = symbi_json_parse(c, z(whole), &d, &err);
    root = d ? symbi_doc_root(d) : NULL;
    if (!st) st = symbi_cedar_from_json(c, symbi_value_getz(root, "policies"), 0, &set, &err);
    if (!st) st = symbi_cedar_link(c, set, z("t"), z("l2"), &p, &r, &linked, &err);
    if (!st) st = symbi_cedar_to_json(c, linked, &j, &err);
    if (!st) st = symbi_cedar_from_json(c, symbi_doc_root(j), 0, &again, &err);
    if (!st) CHECK(symbi_cedar_count(again) == 5);
    if (!st) st = symbi_cedar_policy_to_json(c, set, 1, &j2, &err);
    if (!st) st = symbi_cedar_to_text(c, linked, SIZE_MAX, &t1, &err);
    if (!st) st = symbi_cedar_schema_parse(c, symbi_value_str(root, "schema", z("")), &schema, &err);
    if (!st) CHECK(symbi_cedar_schema_warning_count(schema) == 1);
    if (!st) st = symbi_cedar_schema_text(c, schema, &t2, &err);
    if (!st) st = symbi_cedar_schema_parse(c, symbi_text_str(&t2), &schema2, &err);
    if (!st) {
        symbi_doc *sj = symbi_cedar_schema_json(schema, true);
        st = symbi_cedar_schema_from_json(c, symbi_doc_root(sj), &schema3, &err);
        symbi_doc_unref(sj);
    }
    if (!st) st = symbi_cedar_entities_conform(c, symbi_value_getz(root, "entities"), schema, &ents, &err);
    if (!st) st = symbi_cedar_validate(c, set, schema3, 0, &rep, &err);
    if (!st) CHECK(symbi_cedar_report_valid(rep));
    if (!st) st = symbi_cedar_eval_new(c, &ev, &err);
    if (!st) {
        memset(&rq, 0, sizeof rq);
        rq.principal.type = z("User"), rq.principal.id = z("u");
        rq.action.type = z("Action"), rq.action.id = z("view");
        rq.resource = r;
        rq.context = symbi_value_getz(root, "context");
        rq.entities = ents;
        rq.schema = schema;
        st = symbi_cedar_authorize(ev, linked, &rq, &a, &err);
        if (st) CHECK(a.decision == SYMBI_DENY);
        if (!st) CHECK(a.decision == SYMBI_ALLOW && a.nreasons == 2 && !a.nerrors); /* a and l */
    }
    symbi_cedar_eval_free(ev);
    symbi_cedar_report_free(rep);
    symbi_cedar_entities_unref(ents);
    symbi_cedar_schema_unref(schema), symbi_cedar_schema_unref(schema2), symbi_cedar_schema_unref(schema3);
    symbi_cedar_unref(set), symbi_cedar_unref(linked), symbi_cedar_unref(again);
    symbi_doc_unref(d), symbi_doc_unref(j), symbi_doc_unref(j2);
    symbi_text_free(&t1), symbi_text_free(&t2);
    return st;
}
static void test_whole(void) { test_oom(oom_whole, NULL, SYMBI_OK); }

/* Ten thousand policies of a gate, and of attributes, take at most 16 MB each. */
static void test_size(void)
{
    for (size_t k = 0; k < 2; k++) {
        counting_alloc ca = { 0 };
        symbi_env env;
        symbi_ctx *own;
        symbi_cedar *set;
        symbi_cedar_source src = { { "", 0 }, { NULL, 0 } };
        symbi_err err;
        char *text = malloc(10000 * 200);
        long before;
        REQUIRE(text != NULL);
        symbi_env_init(&env);
        env.alloc.fn = env.shared_alloc.fn = counting_fn;
        env.alloc.ud = env.shared_alloc.ud = &ca;
        REQUIRE(symbi_ctx_new(&env, &own, &err) == SYMBI_OK);
        src.text.p = text;
        for (int i = 0; i < 10000; i++) {
            int n = k ? snprintf(text + src.text.n, 200, "permit(principal in Team::\"t%d\", action, resource) when { principal.level > %d && context.region == \"eu\" && resource.labels.contains(\"x\") };\n", i, i % 50)
                      : snprintf(text + src.text.n, 200, "permit(principal == Agent::\"agent-%d\", action == Action::\"tool_call::tool_%d\", resource);\n", i, i % 100);
            src.text.n += (size_t)n;
        }
        before = ca.live_bytes;
        REQUIRE(symbi_cedar_parse(own, &src, 1, 0, &set, &err) == SYMBI_OK);
        CHECK(symbi_cedar_count(set) == 10000);
        if (ca.live_bytes - before > 16L << 20) printf("%ld bytes\n", ca.live_bytes - before);
        CHECK(ca.live_bytes - before <= 16L << 20);
        symbi_cedar_unref(set);
        CHECK(ca.live_bytes == before);
        symbi_ctx_free(own);
        free(text);
    }
}

static void test_links(void)
{
    symbi_cedar *set = parse("permit(principal == ?principal, action, resource);\npermit(principal, action, resource in ?resource);"), *one = NULL, *two = NULL;
    symbi_cedar_uid u = { z("U"), z("a") };
    symbi_cedar_policy_info p;
    symbi_err err;
    REQUIRE(set);
    CHECK(!strcmp(decide(set, "U::\"a\"", "Action::\"x\"", "R::\"r\""), "deny"));
    CHECK_OK(symbi_cedar_link(cx, set, z("p.cedar#0"), z("mine"), &u, NULL, &one, &err), err);
    REQUIRE(one);
    CHECK(!strcmp(decide(one, "U::\"a\"", "Action::\"x\"", "R::\"r\""), "allow"));
    CHECK(!strcmp(decide(one, "U::\"b\"", "Action::\"x\"", "R::\"r\""), "deny"));
    symbi_cedar_policy(one, 2, &p);
    CHECK(p.role == SYMBI_CEDAR_LINK);
    CHECK_STR(p.template_id, "p.cedar#0");
    CHECK(symbi_cedar_link(cx, one, z("p.cedar#0"), z("mine"), &u, NULL, &two, &err) == SYMBI_EEXISTS && !two);
    CHECK(symbi_cedar_link(cx, one, z("nope"), z("n"), &u, NULL, &two, &err) == SYMBI_ENOTFOUND);
    CHECK(symbi_cedar_link(cx, one, z("mine"), z("n"), &u, NULL, &two, &err) == SYMBI_ENOTFOUND);
    CHECK(symbi_cedar_link(cx, one, z("p.cedar#0"), z("n"), NULL, NULL, &two, &err) == SYMBI_ESCHEMA && strstr(err.msg, "?principal"));
    CHECK(symbi_cedar_link(cx, one, z("p.cedar#0"), z("n"), &u, &u, &two, &err) == SYMBI_ESCHEMA && strstr(err.msg, "?resource"));
    u.type = z("no type");
    CHECK(symbi_cedar_link(cx, one, z("p.cedar#0"), z("n"), &u, NULL, &two, &err) == SYMBI_EINVAL);
    symbi_cedar_unref(set);
    symbi_cedar_unref(one);
}

static void test_uids(void)
{
    static const struct { const char *text, *type, *id; } good[] = {
        { "User::\"a\"", "User", "a" }, { "A::B::\"\"", "A::B", "" }, { " A :: B :: \"x y\" // note", "A::B", "x y" }, { "A::\"\\u{41}\\n\"", "A", "A\n" },
        { "A::\"\xC3\xA9\"", "A", "\xC3\xA9" }, { "A::\"B::c\"", "A", "B::c" },
    };
    static const char *const bad[] = { "", "\"", "::\"\"", ":\"\"", "User::\"a", "User::a\"", "User:\"a\"", "if::\"a\"", "A::if::\"a\"", "__cedar::\"a\"", "User::\"a\"\"", "User::\"a\\\"", "1::\"a\"",
                                       "User::\"a\" b", "A::\"\xff\"", "A::\"\r\"", "A::::\"a\"" };
    symbi_cedar_uid u;
    symbi_text t;
    symbi_err err;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        CHECK_OK(symbi_cedar_uid_parse(cx, z(good[i].text), &u, &t, &err), err);
        CHECK_STR(u.type, good[i].type);
        CHECK_STR(u.id, good[i].id);
        symbi_text_free(&t);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (symbi_cedar_uid_parse(cx, z(bad[i]), &u, &t, &err) != SYMBI_EPARSE || !err.msg[0]) printf("accepted: %s\n", bad[i]), t_now_failed = 1;
        symbi_text_free(&t);
    }
}

static void test_null_err(void)
{
    symbi_cedar_source src = { { "", 0 }, { "permit(", 7 } };
    symbi_cedar *set = NULL;
    symbi_cedar_uid u;
    symbi_text hold;
    CHECK(symbi_cedar_parse(cx, &src, 1, 0, &set, NULL) == SYMBI_EPARSE && !set);
    CHECK(symbi_cedar_uid_parse(cx, z("x"), &u, &hold, NULL) == SYMBI_EPARSE);
}

int main(void)
{
    symbi_err err;
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_messages);
    RUN(test_ids);
    RUN(test_legacy);
    RUN(test_alias);
    RUN(test_depth);
    RUN(test_budget);
    RUN(test_overlay);
    RUN(test_plain);
    RUN(test_entities);
    RUN(test_hierarchy);
    RUN(test_no_alloc);
    RUN(test_memory);
    RUN(test_whole);
    RUN(test_size);
    RUN(test_links);
    RUN(test_uids);
    RUN(test_null_err);
    symbi_ctx_free(cx);
    return test_end();
}
