/* Fuzz target: the policy linter against the gate. Whatever text comes, it answers. Where the text is policies, it must have been right:
 * a policy that fails on one of the gate's requests was said to be able to, one that was said never to match does not, and without one
 * that was said to be shadowed nothing is decided otherwise. Without facts of the host, about whose types the linter says nothing. The
 * explanation of each decision agrees with it. */
#include "symbi/gate_explain.h"
#include "symbi/gate_lint.h"
#include "symbi/symbi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok, const char *what, const char *id, const uint8_t *data, size_t size)
{
    if (ok) return;
    fprintf(stderr, "%s: %s\n%.*s\n", what, id, (int)size, (const char *)data);
    abort();
}

static bool found(const symbi_value *list, const char *rule, const char *severity, const char *id)
{
    symbi_str none = { "", 0 };
    for (size_t i = 0; i < list->u.a.n; i++) {
        const symbi_value *f = &list->u.a.items[i];
        symbi_str r = symbi_value_str(f, "rule", none), p = symbi_value_str(f, "policy", none), s = symbi_value_str(f, "severity", none);
        if (r.n == strlen(rule) && !memcmp(r.p, rule, r.n) && (!severity || (s.n == strlen(severity) && !memcmp(s.p, severity, s.n))) && p.n == strlen(id) && !memcmp(p.p, id, p.n)) return true;
    }
    return false;
}

static const char manifest[] = "[tool]\nname = \"count\"\nversion = \"1\"\ndescription = \"d\"\n[args.path]\ntype = \"path\"\nrequired = true\n[args.n]\ntype = \"integer\"\n[args.b]\ntype = \"boolean\"\n"
                               "[command]\nexec = [\"wc\", \"-l\", \"--\", \"{path}\"]\n[output]\nformat = \"text\"\n";

static symbi_ctx *cx;
static symbi_toolset *tools;
static const struct { symbi_action_kind kind; const char *name, *args; } asked[] = {
    { SYMBI_ACTION_TOOL_CALL, "count", "{\"path\":\"docs/a\"}" }, { SYMBI_ACTION_TOOL_CALL, "count", "{\"path\":\"x\",\"n\":9223372036854775807,\"b\":true}" },
    { SYMBI_ACTION_RESPOND, "", "" }, { SYMBI_ACTION_DELEGATE, "writer", "" },
};
enum { ASKED = sizeof asked / sizeof *asked };

static symbi_action action_of(size_t i)
{
    symbi_action a;
    memset(&a, 0, sizeof a);
    a.kind = asked[i].kind;
    a.agent = symbi_str_z("bot");
    a.name = symbi_str_z(asked[i].name);
    a.args_text = symbi_str_z(asked[i].args);
    return a;
}

static symbi_gate *gate_of(symbi_cedar *set)
{
    symbi_gate *g = NULL;
    symbi_gate_options o;
    symbi_err err;
    symbi_gate_options_init(&o);
    o.policies = set;
    o.tools = tools;
    must(symbi_gate_new(cx, &o, &g, &err) == SYMBI_OK, "gate", err.msg, NULL, 0);
    return g;
}

/* Without the policy at `skip` everything is decided alike. */
static void without(const symbi_cedar *set, size_t skip, const symbi_decision *were, const uint8_t *data, size_t size)
{
    symbi_cedar_source *src = calloc(symbi_cedar_count(set) + 1, sizeof *src);
    symbi_text *texts = calloc(symbi_cedar_count(set) + 1, sizeof *texts);
    symbi_cedar *rest = NULL;
    symbi_gate *g;
    symbi_err err;
    size_t n = 0;
    for (size_t i = 0; i < symbi_cedar_count(set); i++) {
        if (i == skip || symbi_cedar_to_text(cx, set, i, &texts[n], &err)) continue;
        src[n].text = symbi_text_str(&texts[n]);
        n++;
    }
    must(symbi_cedar_parse(cx, src, n, 0, &rest, &err) == SYMBI_OK, "the others do not parse", err.msg, data, size);
    g = gate_of(rest);
    for (size_t i = 0; i < ASKED; i++) {
        symbi_action a = action_of(i);
        symbi_verdict v;
        memset(&v, 0, sizeof v);
        symbi_gate_check(g, &a, NULL, &v);
        must(v.decision == were[i], "shadowed, and decides", v.reason, data, size);
        symbi_verdict_clear(&v);
    }
    symbi_gate_free(g);
    symbi_cedar_unref(rest);
    for (size_t i = 0; i < n; i++) symbi_text_free(&texts[i]);
    free(texts);
    free(src);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    symbi_decision were[ASKED];
    symbi_cedar_source src = { { "f", 1 }, { (const char *)data, size } };
    symbi_cedar *set = NULL;
    symbi_doc *text = NULL, *list = NULL;
    symbi_gate *g = NULL;
    symbi_err err;
    if (!cx) {
        symbi_tool *t = NULL;
        must(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK, "ctx", "", NULL, 0);
        symbi_ctx_limits(cx)->eval_steps = 100000;
        symbi_ctx_limits(cx)->arena_bytes = 64u << 20;
        must(symbi_toolset_new(cx, &tools, &err) == SYMBI_OK && symbi_tool_parse(cx, symbi_str_z(manifest), symbi_str_z("t"), &t, &err) == SYMBI_OK && symbi_toolset_add(tools, t, &err) == SYMBI_OK, "tools", err.msg, NULL, 0);
        symbi_tool_unref(t);
    }
    must(symbi_policy_lint_text(cx, src.text, 0, &text, &err) == SYMBI_OK, "text", err.msg, data, size);
    symbi_doc_unref(text);
    if (symbi_cedar_parse(cx, &src, 1, SYMBI_CEDAR_SYMBI_ALIAS | SYMBI_CEDAR_LEGACY_SCOPE, &set, &err)) return 0;
    must(symbi_policy_lint_set(cx, set, tools, &list, &err) == SYMBI_OK, "set", err.msg, data, size);
    g = gate_of(set);
    for (size_t i = 0; i < ASKED; i++) {
        symbi_action a = action_of(i);
        symbi_verdict v;
        symbi_doc *d = NULL;
        memset(&v, 0, sizeof v);
        symbi_gate_check(g, &a, NULL, &v);
        were[i] = v.decision;
        for (size_t k = 0; k < v.npolicies && k < SYMBI_VERDICT_POLICIES; k++) {
            symbi_verdict_policy p;
            must(symbi_verdict_policy_at(&v, k, &p), "a listed policy is not there", "", data, size);
            if (p.failed) must(strstr(p.message, "recursion") || found(symbi_doc_root(list), "can_error", NULL, p.id), "failed, and nothing was said", p.id, data, size);
            else must(!found(symbi_doc_root(list), "never_matches", "error", p.id), "matched, and was said never to", p.id, data, size);
        }
        symbi_verdict_clear(&v);
        if (symbi_gate_explain(g, &a, NULL, &v, &d, &err) == SYMBI_OK && d) {
            const symbi_value *ex = symbi_doc_root(d);
            symbi_str none = { "", 0 };
            for (size_t k = 0; k < v.npolicies && k < SYMBI_VERDICT_POLICIES; k++)
                for (size_t j = 0; j < ex->u.a.n; j++) {
                    symbi_str id = symbi_value_str(&ex->u.a.items[j], "id", none), out = symbi_value_str(&ex->u.a.items[j], "outcome", none);
                    symbi_verdict_policy p;
                    const char *want;
                    must(symbi_verdict_policy_at(&v, k, &p), "a listed policy is not there", "", data, size);
                    want = p.failed ? "error" : "satisfied";
                    if (id.n != strlen(p.id) || memcmp(id.p, p.id, id.n) != 0) continue;
                    must(out.n == strlen(want) && !memcmp(out.p, want, out.n), "explained otherwise", p.id, data, size);
                }
        }
        symbi_doc_unref(d);
        symbi_verdict_clear(&v);
    }
    for (size_t i = 0; i < symbi_doc_root(list)->u.a.n && symbi_cedar_count(set) < 50; i++) {
        const symbi_value *f = &symbi_doc_root(list)->u.a.items[i];
        symbi_str none = { "", 0 }, rule = symbi_value_str(f, "rule", none);
        size_t at = symbi_cedar_find(set, symbi_value_str(f, "policy", none));
        if (rule.n == 8 && !memcmp(rule.p, "shadowed", 8) && at < symbi_cedar_count(set)) without(set, at, were, data, size);
    }
    symbi_gate_free(g);
    symbi_doc_unref(list);
    symbi_cedar_unref(set);
    return 0;
}
