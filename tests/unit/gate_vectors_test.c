/* The gate vectors (spec gates.md 15). gate_cedar: a gate in compat mode decides as upstream's, and where the strict gate decides otherwise
 * the difference is one that scripts/guide/policy.md explains. seed_example: the seed's dialect. lint: upstream's lint script. */
#include "test.h"

#include "symbi/gate_lint.h"

static symbi_ctx *cx;
static int shown;

typedef struct lines {
    char *text, *at;
    symbi_doc *doc;
    long n;
} lines;

static bool lines_open(lines *l, const char *name)
{
    char path[600];
    const char *dir = vectors_dir();
    memset(l, 0, sizeof *l);
    shown = 0;
    if (!dir) return false;
    snprintf(path, sizeof path, "%s/gates/%s", dir, name);
    l->at = l->text = (char *)slurp(path).p;
    return l->text != NULL;
}

static const symbi_value *lines_next(lines *l)
{
    symbi_err err;
    symbi_str s;
    char *e;
    symbi_doc_unref(l->doc);
    l->doc = NULL;
    while (*l->at == '\n') l->at++;
    if (!*l->at) {
        free(l->text);
        return NULL;
    }
    e = strchr(l->at, '\n');
    s.p = l->at;
    s.n = e ? (size_t)(e - l->at) : strlen(l->at);
    l->at += s.n;
    l->n++;
    if (symbi_json_parse(cx, s, &l->doc, &err)) {
        printf("line %ld is not JSON: %s\n", l->n, err.msg);
        t_now_failed = 1;
        return lines_next(l);
    }
    return symbi_doc_root(l->doc);
}

static symbi_str str(const symbi_value *v, const char *key)
{
    symbi_str none = { "", 0 };
    return symbi_value_str(v, key, none);
}
static bool flag(const symbi_value *v, const char *key, bool dflt)
{
    const symbi_value *b = symbi_value_getz(v, key);
    return b && b->kind == SYMBI_BOOL ? b->u.b : dflt;
}
static bool eqz(symbi_str s, const char *z) { return s.n == strlen(z) && !memcmp(s.p, z, s.n); }
static bool eq(symbi_str a, symbi_str b) { return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n)); }

static void differ(const symbi_value *v, const char *what, const char *detail)
{
    symbi_str id = str(v, "id");
    t_now_failed = 1;
    if (shown++ < 25) printf("%.*s: %s: %s\n", (int)id.n, id.p, what, detail);
}

/* The list of strings under key equals the verdict's policies that are (not) failed, in any order. */
static bool same_policies(const symbi_value *expect, const char *key, const symbi_verdict *v, bool failed)
{
    const symbi_value *list = symbi_value_getz(expect, key);
    size_t n = list && list->kind == SYMBI_ARRAY ? list->u.a.n : 0, found = 0, have = 0;
    if (v->npolicies > SYMBI_VERDICT_POLICIES) return true; /* the verdict lists no more than that */
    for (size_t i = 0; i < v->npolicies; i++) {
        symbi_verdict_policy p;
        if (!symbi_verdict_policy_at(v, i, &p)) return false;
        if (p.failed != failed) continue;
        have++;
        for (size_t k = 0; k < n; k++)
            if (eqz(list->u.a.items[k].u.s, p.id)) found++;
    }
    return have == n && found == n;
}

static symbi_action action_of(const symbi_value *v)
{
    const symbi_value *w = symbi_value_getz(v, "action");
    symbi_action a;
    memset(&a, 0, sizeof a);
    a.kind = symbi_action_kind_of(str(w, "type"));
    a.agent = str(v, "agent_id");
    a.name = a.kind == SYMBI_ACTION_DELEGATE ? str(w, "target") : str(w, "name");
    a.args_text = str(w, "arguments");
    if (!a.args_text.n) a.args_text = (symbi_str){ "{}", 2 };
    a.content = a.kind == SYMBI_ACTION_DELEGATE ? str(w, "message") : a.kind == SYMBI_ACTION_RESPOND ? str(w, "content") : str(w, "reason");
    return a;
}

/* ---- compat ---- */

static size_t active_sources(const symbi_value *v, symbi_cedar_source *src, size_t cap)
{
    const symbi_value *list = symbi_value_getz(v, "policies");
    size_t n = 0;
    for (size_t i = 0; i < list->u.a.n && n < cap; i++) {
        if (!flag(&list->u.a.items[i], "active", true)) continue;
        src[n].name = str(&list->u.a.items[i], "name");
        src[n++].text = str(&list->u.a.items[i], "source");
    }
    return n;
}

/* Why the strict gate decides otherwise: each has a row in scripts/guide/policy.md. */
#define DIFFERENCES(X)                                                                                                                     \
    X(NO_POLICIES, "no-policies", "no policies, default allow")                                                                            \
    X(FORBID_ERRORS, "forbid-errors", "a forbid that errors")                                                                              \
    X(BAD_CONTEXT, "bad-context", "a context that cannot be converted")                                                                    \
    X(EMPTY_ID, "empty-id", "an agent or a tool without a name")                                                                           \
    X(GROUPS, "action-groups", "action groups")                                                                                            \
    X(ALIAS, "symbi-alias", "`Symbi::` types")                                                                                             \
    X(ATTRIBUTES, "attributes", "attributes of resource and principal")                                                                    \
    X(FACTS, "runtime-facts", "facts that the runtime fills into the context")                                                             \
    X(DIALECT, "seed-dialect", "the seed's dialect")
enum {
#define ID(id, key, text) D_##id,
    DIFFERENCES(ID)
#undef ID
    D_COUNT
};
static const char *const k_difference[] = {
#define KEY(id, key, text) key,
    DIFFERENCES(KEY)
#undef KEY
};
static long seen_difference[D_COUNT];

static bool mentions(const symbi_cedar_source *src, size_t n, const char *what)
{
    for (size_t i = 0; i < n; i++) {
        size_t w = strlen(what);
        for (size_t k = 0; k + w <= src[i].text.n; k++)
            if (!memcmp(src[i].text.p + k, what, w)) return true;
    }
    return false;
}

/* The same question to the strict gate, with a tool of that name where one can have it. */
static void strict_case(const symbi_value *v, const symbi_cedar_source *src, size_t n, bool compat_allows)
{
    symbi_gate_options o;
    symbi_gate *g = NULL;
    symbi_facts f;
    symbi_verdict w;
    symbi_action a = action_of(v);
    symbi_err err;
    symbi_cedar *set = NULL;
    symbi_tool *tool = NULL;
    char decl[400];
    int why = -1;
    bool allowed = false, refused;
    memset(&w, 0, sizeof w);
    symbi_gate_options_init(&o);
    refused = symbi_cedar_parse(cx, src, n, SYMBI_CEDAR_IDS_ANNOTATED | SYMBI_CEDAR_SYMBI_ALIAS | SYMBI_CEDAR_LEGACY_SCOPE, &set, &err) != SYMBI_OK;
    if (!refused) {
        o.policies = set;
        if (a.kind == SYMBI_ACTION_TOOL_CALL) {
            symbi_doc *d = NULL;
            REQUIRE(symbi_toolset_new(cx, &o.tools, &err) == SYMBI_OK);
            snprintf(decl, sizeof decl, "{\"tool\":{\"name\":\"%.*s\",\"version\":\"1\",\"description\":\"d\",\"dispatch\":\"callback\"},\"args\":{}}", (int)a.name.n, a.name.p ? a.name.p : "");
            if (!symbi_json_parse(cx, symbi_str_z(decl), &d, &err) && !symbi_tool_from_value(cx, symbi_doc_root(d), symbi_str_z("vector"), &tool, &err))
                CHECK(symbi_toolset_add(o.tools, tool, &err) == SYMBI_OK);
            symbi_doc_unref(d);
        }
        CHECK(symbi_gate_new(cx, &o, &g, &err) == SYMBI_OK);
        memset(&f, 0, sizeof f);
        f.context = symbi_value_getz(v, "trusted_context");
        f.tokens_left = f.time_left_ms = -1;
        symbi_gate_check(g, &a, &f, &w);
        allowed = w.decision == SYMBI_ALLOW;
    }
    if (allowed != compat_allows && !(w.code == SYMBI_CODE_UNKNOWN_TOOL && a.name.n)) { /* a contract that does not exist is no matter of policy */
        if (allowed) {
            if (mentions(src, n, "Symbi::")) why = D_ALIAS;
            else if (mentions(src, n, "== \"") && eqz(str(symbi_value_getz(v, "expect"), "cause"), "parse_error")) why = D_DIALECT;
            else if (mentions(src, n, "in Action::\"")) why = D_GROUPS;
            else if (mentions(src, n, "resource.") || mentions(src, n, "principal.")) why = D_ATTRIBUTES;
            else if (mentions(src, n, "context.")) why = D_FACTS;
        } else if (w.code == SYMBI_CODE_NO_POLICIES) why = D_NO_POLICIES;
        else if (w.code == SYMBI_CODE_POLICY_ERROR) why = D_FORBID_ERRORS;
        else if (w.code == SYMBI_CODE_BAD_CONTEXT) why = D_BAD_CONTEXT;
        else if (w.code == SYMBI_CODE_BAD_ACTION || (w.code == SYMBI_CODE_UNKNOWN_TOOL && !a.name.n)) why = D_EMPTY_ID;
        else if (w.code == SYMBI_CODE_FORBIDDEN && mentions(src, n, "Symbi::")) why = D_ALIAS;
        else if (w.code == SYMBI_CODE_FORBIDDEN && mentions(src, n, "in Action::\"")) why = D_GROUPS;
        if (why < 0) differ(v, "strict decides otherwise, for no listed reason", refused ? err.msg : w.reason);
        else seen_difference[why]++;
    }
    symbi_verdict_clear(&w);
    symbi_gate_free(g);
    symbi_tool_unref(tool);
    symbi_toolset_unref(o.tools);
    symbi_cedar_unref(set);
}

static void test_gate_cedar(void)
{
    lines l;
    const symbi_value *v;
    if (!lines_open(&l, "gate_cedar.jsonl")) SKIP("no vectors");
    while ((v = lines_next(&l))) {
        const symbi_value *expect = symbi_value_getz(v, "expect");
        symbi_cedar_source src[32];
        size_t n = active_sources(v, src, 32);
        symbi_action a = action_of(v);
        bool want = eqz(str(expect, "decision"), "allow");
        symbi_str cause = str(expect, "cause");
        symbi_cedar *set = NULL;
        symbi_gate_options o;
        symbi_gate *g = NULL;
        symbi_facts f;
        symbi_verdict w;
        symbi_err err;
        memset(&w, 0, sizeof w);
        if (symbi_compat_policies(cx, src, n, &set, &err)) { /* no gate opens on such a set: nothing is allowed */
            if (want || !eqz(cause, "parse_error")) differ(v, "does not parse", err.msg);
            strict_case(v, src, n, false);
            continue;
        }
        symbi_gate_options_init(&o);
        o.policies = set;
        o.compat = true;
        o.compat_allow = eqz(str(v, "default"), "allow");
        REQUIRE(symbi_gate_new(cx, &o, &g, &err) == SYMBI_OK);
        memset(&f, 0, sizeof f);
        f.context = symbi_value_getz(v, "trusted_context");
        symbi_gate_check(g, &a, &f, &w);
        if ((w.decision == SYMBI_ALLOW) != want) differ(v, "another decision", w.reason);
        if (!w.compat) differ(v, "the verdict does not say that it is compat", w.reason);
        if (eqz(cause, "no_policies") != (n == 0)) differ(v, "cause", w.reason);
        if (eqz(cause, "no_policies") && !want && w.code != SYMBI_CODE_NO_POLICIES) differ(v, "code of no policies", w.reason);
        if (eqz(cause, "parse_error")) differ(v, "parsed", "but should not");
        if (eqz(cause, "cedar") && (!same_policies(expect, "reasons", &w, false) || !same_policies(expect, "errors", &w, true))) differ(v, "other reasons or errors", w.reason);
        if (w.context_replaced != flag(expect, "context_replaced_by_empty", false)) differ(v, "context replaced", w.context_replaced ? "yes" : "no");
        if (w.has_permit != want) differ(v, "permit", w.has_permit ? "yes" : "no");
        symbi_verdict_clear(&w);
        symbi_gate_free(g);
        symbi_cedar_unref(set);
        strict_case(v, src, n, want);
    }
    printf("gate_cedar.jsonl: %ld cases; strict differs in", l.n);
    for (int i = 0; i < D_COUNT; i++)
        if (seen_difference[i]) printf(" %s %ld", k_difference[i], seen_difference[i]);
    printf("\n");
}

/* Error kinds: the verdict does not carry them, so the compat set is asked directly. */
static void test_error_kinds(void)
{
    lines l;
    const symbi_value *v;
    symbi_cedar_eval *ev = NULL;
    symbi_err err;
    if (!lines_open(&l, "gate_cedar.jsonl")) SKIP("no vectors");
    REQUIRE(symbi_cedar_eval_new(cx, &ev, &err) == SYMBI_OK);
    while ((v = lines_next(&l))) {
        const symbi_value *kinds = symbi_value_getz(symbi_value_getz(v, "expect"), "error_kinds");
        symbi_action a = action_of(v);
        symbi_cedar_source src[32];
        symbi_cedar *set = NULL;
        symbi_cedar_request rq;
        symbi_cedar_answer ans;
        char action[400];
        if (!kinds || symbi_compat_policies(cx, src, active_sources(v, src, 32), &set, &err)) continue;
        snprintf(action, sizeof action, "%s%s%.*s", symbi_action_kind_name(a.kind), a.kind < SYMBI_ACTION_RESPOND ? "::" : "", (int)a.name.n, a.name.p ? a.name.p : "");
        memset(&rq, 0, sizeof rq);
        rq.principal = (symbi_cedar_uid){ { "Agent", 5 }, a.agent };
        rq.action = (symbi_cedar_uid){ { "Action", 6 }, symbi_str_z(action) };
        rq.resource = (symbi_cedar_uid){ { "Resource", 8 }, { "default", 7 } };
        if (!flag(symbi_value_getz(v, "expect"), "context_replaced_by_empty", false)) rq.context = symbi_value_getz(v, "trusted_context");
        CHECK_OK(symbi_cedar_authorize(ev, set, &rq, &ans, &err), err);
        if (ans.nerrors != kinds->u.o.n) differ(v, "error kinds", "another number");
        for (size_t i = 0; i < ans.nerrors; i++) {
            symbi_cedar_policy_info info;
            symbi_cedar_policy(set, ans.errors[i].policy, &info);
            if (!eqz(symbi_value_get(kinds, info.id) ? symbi_value_get(kinds, info.id)->u.s : info.id, symbi_cedar_error_name(ans.errors[i].kind)))
                differ(v, "error kind", symbi_cedar_error_name(ans.errors[i].kind));
        }
        symbi_cedar_unref(set);
    }
    symbi_cedar_eval_free(ev);
}

/* Every difference has its row "| <key> |" in the guide. */
static void test_guide_lists_differences(void)
{
    symbi_str guide = slurp("scripts/guide/policy.md");
    REQUIRE(guide.p != NULL);
    for (int i = 0; i < D_COUNT; i++) {
        char row[80];
        snprintf(row, sizeof row, "| `%s` |", k_difference[i]);
        if (!strstr(guide.p, row)) printf("scripts/guide/policy.md has no row %s\n", row), t_now_failed = 1;
    }
    free((char *)guide.p);
}

/* ---- the seed's dialect ---- */

static void seed_strict(const symbi_value *v)
{
    symbi_cedar_source src = { { "s", 1 }, str(v, "text") };
    symbi_cedar *set = NULL;
    symbi_err err;
    symbi_status st = symbi_cedar_parse(cx, &src, 1, 0, &set, &err);
    if ((st == SYMBI_OK) != flag(v, "accept", false)) differ(v, st ? "refused" : "accepted", st ? err.msg : "");
    if (st && !err.line) differ(v, "an error without its place", err.msg);
    symbi_cedar_unref(set);
}

/* The real gate on the text as it stands: the decision of its legal form. */
static void seed_lenient(const symbi_value *v)
{
    const symbi_value *expect = symbi_value_getz(v, "expect");
    symbi_cedar_source src = { { "", 0 }, str(v, "text") };
    symbi_cedar *set = NULL;
    symbi_action a = action_of(v);
    symbi_gate_options o;
    symbi_gate *g = NULL;
    symbi_tool *tool = NULL;
    symbi_doc *d = NULL;
    symbi_verdict w;
    symbi_err err;
    char decl[400];
    memset(&w, 0, sizeof w);
    REQUIRE(symbi_cedar_parse(cx, &src, 1, SYMBI_CEDAR_LEGACY_SCOPE | SYMBI_CEDAR_SYMBI_ALIAS, &set, &err) == SYMBI_OK);
    if (!eq(src.text, str(v, "legalRewrite")) && !symbi_cedar_warning_count(set)) differ(v, "rewritten", "without a warning");
    symbi_gate_options_init(&o);
    o.policies = set;
    REQUIRE(symbi_toolset_new(cx, &o.tools, &err) == SYMBI_OK);
    if (a.kind == SYMBI_ACTION_TOOL_CALL) {
        snprintf(decl, sizeof decl, "{\"tool\":{\"name\":\"%.*s\",\"version\":\"1\",\"description\":\"d\",\"dispatch\":\"callback\"},\"args\":{}}", (int)a.name.n, a.name.p);
        REQUIRE(symbi_json_parse(cx, symbi_str_z(decl), &d, &err) == SYMBI_OK);
        CHECK_OK(symbi_tool_from_value(cx, symbi_doc_root(d), symbi_str_z("vector"), &tool, &err), err);
        CHECK_OK(symbi_toolset_add(o.tools, tool, &err), err);
    }
    REQUIRE(symbi_gate_new(cx, &o, &g, &err) == SYMBI_OK);
    symbi_gate_check(g, &a, NULL, &w);
    if ((w.decision == SYMBI_ALLOW) != eqz(str(expect, "decision"), "allow")) differ(v, "another decision", w.reason);
    if (!same_policies(expect, "reasons", &w, false) || !same_policies(expect, "errors", &w, true)) differ(v, "other reasons or errors", w.reason);
    symbi_verdict_clear(&w);
    symbi_gate_free(g);
    symbi_doc_unref(d);
    symbi_tool_unref(tool);
    symbi_toolset_unref(o.tools);
    symbi_cedar_unref(set);
}

static void test_seed_example(void)
{
    lines l;
    const symbi_value *v;
    if (!lines_open(&l, "seed_example.jsonl")) SKIP("no vectors");
    while ((v = lines_next(&l))) {
        if (eqz(str(v, "op"), "strict_parse")) seed_strict(v);
        else if (eqz(str(v, "op"), "lenient_evaluate")) seed_lenient(v);
        else differ(v, "unknown op", "");
    }
    printf("seed_example.jsonl: %ld cases\n", l.n);
}

/* ---- lint ---- */

static void test_lint(void)
{
    lines l;
    const symbi_value *v;
    if (!lines_open(&l, "lint.jsonl")) SKIP("no vectors");
    while ((v = lines_next(&l))) {
        const symbi_value *want = symbi_value_getz(v, "findings"), *got;
        symbi_doc *d = NULL;
        symbi_err err;
        REQUIRE(symbi_policy_lint_text(cx, str(v, "text"), SYMBI_LINT_UPSTREAM, &d, &err) == SYMBI_OK);
        got = symbi_doc_root(d);
        if (got->u.a.n != want->u.a.n) differ(v, "another number of findings", "");
        if ((got->u.a.n != 0) != (symbi_value_getz(v, "exit")->u.i == 1)) differ(v, "exit", "");
        for (size_t i = 0; i < got->u.a.n && i < want->u.a.n; i++) {
            char line[2000], *nl;
            symbi_str msg = str(&got->u.a.items[i], "message"), w = want->u.a.items[i].u.s;
            snprintf(line, sizeof line, "FILE:%lld  %.*s", (long long)symbi_value_getz(&got->u.a.items[i], "line")->u.i, (int)msg.n, msg.p);
            if ((nl = strchr(line, '\n'))) *nl = 0; /* the vectors hold what one line of output shows */
            if (!eqz(w, line)) differ(v, line, w.p);
        }
        symbi_doc_unref(d);
    }
    printf("lint.jsonl: %ld cases\n", l.n);
}

int main(void)
{
    symbi_env env;
    symbi_env_init(&env);
    if (symbi_ctx_new(&env, &cx, NULL)) return 2;
    RUN(test_gate_cedar);
    RUN(test_error_kinds);
    RUN(test_guide_lists_differences);
    RUN(test_seed_example);
    RUN(test_lint);
    symbi_ctx_free(cx);
    return test_end();
}
