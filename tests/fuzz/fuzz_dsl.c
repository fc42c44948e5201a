/* Fuzz target: `.symbi` files. What is refused has an error with a place inside the text; what is accepted formats to a text that says the
 * same, keeps every comment and formats to itself; its data can be taken out; each agent compiles to a Cedar set, or is refused with a
 * reason; and a compiled agent never allows at a gate what the gate's own policies deny. */
#include "symbi/dsl.h"
#include "symbi/gate_narrow.h"
#include "symbi/json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}

static size_t lines_of(symbi_str s)
{
    size_t n = 1;
    for (size_t i = 0; i < s.n; i++) n += s.p[i] == '\n';
    return n;
}

static const char k_tool[] = "[tool]\nname = \"read\"\nversion = \"1\"\ndescription = \"d\"\ncapability = \"files\"\n[args.path]\ntype = \"string\"\nposition = 1\n"
                             "[args.n]\ntype = \"integer\"\nposition = 2\n[command]\nexec = [\"cat\", \"--\", \"{path}\"]\n[output]\nformat = \"text\"\n";

static symbi_ctx *cx;
static symbi_toolset *tools;
static symbi_cedar *all, *some;

static void start(void)
{
    symbi_err err;
    symbi_tool *t;
    symbi_cedar_source a = { { "a", 1 }, { "permit(principal, action, resource);", 36 } };
    symbi_cedar_source s = { { "s", 1 }, { "permit(principal, action == Action::\"respond\", resource);", 57 } };
    must(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK);
    must(symbi_toolset_new(cx, &tools, &err) == SYMBI_OK);
    must(symbi_tool_parse(cx, symbi_str_z(k_tool), symbi_str_z("t"), &t, &err) == SYMBI_OK);
    must(symbi_toolset_add(tools, t, &err) == SYMBI_OK);
    symbi_tool_unref(t);
    must(symbi_cedar_parse(cx, &a, 1, 0, &all, &err) == SYMBI_OK && symbi_cedar_parse(cx, &s, 1, 0, &some, &err) == SYMBI_OK);
}

/* The gate with and without the rules: what only one of them may do. */
static void ask(symbi_narrow *n, symbi_str principal, symbi_cedar *policies)
{
    symbi_gate_options o;
    symbi_gate *g;
    symbi_action a;
    symbi_verdict with, without;
    symbi_err err;
    symbi_narrow_host host = { SYMBI_SANDBOX_E2B, 1 };
    static const symbi_action_kind kinds[] = { SYMBI_ACTION_TOOL_CALL, SYMBI_ACTION_DELEGATE, SYMBI_ACTION_RESPOND };
    if (principal.n > 127) return;
    symbi_gate_options_init(&o);
    o.policies = policies;
    o.tools = tools;
    must(symbi_gate_new(cx, &o, &g, &err) == SYMBI_OK);
    for (size_t i = 0; i < 3; i++) {
        memset(&a, 0, sizeof a);
        a.kind = kinds[i];
        a.agent = principal;
        if (i < 2) a.name = symbi_str_z("read");
        a.args_text = symbi_str_z("{\"path\":\"a\",\"n\":3}");
        memset(&with, 0, sizeof with);
        memset(&without, 0, sizeof without);
        symbi_gate_check(g, &a, NULL, &without);
        must(symbi_gate_narrow(g, n, &host, &err) == SYMBI_OK);
        symbi_gate_check(g, &a, NULL, &with);
        must(with.decision != SYMBI_ALLOW || without.decision == SYMBI_ALLOW);
        must(with.decision != SYMBI_STEP_UP || without.decision == SYMBI_ALLOW);
        must(with.code != SYMBI_CODE_INTERNAL);
        symbi_verdict_clear(&with);
        a.agent = symbi_str_z("somebody else");
        symbi_gate_check(g, &a, NULL, &with);
        must(with.decision == SYMBI_DENY);
        must(symbi_gate_narrow(g, NULL, NULL, &err) == SYMBI_OK);
        symbi_verdict_clear(&with);
        symbi_verdict_clear(&without);
    }
    symbi_gate_free(g);
}

static void compile(const symbi_dsl *d, symbi_str agent, symbi_toolset *set)
{
    symbi_dsl_compile_options o;
    symbi_narrow *n = NULL;
    symbi_doc *problems = NULL;
    symbi_err err;
    symbi_status st;
    symbi_dsl_compile_options_init(&o);
    o.agent = agent;
    o.tools = set;
    st = symbi_dsl_compile(cx, d, &o, &n, &problems, &err);
    must((st == SYMBI_OK) == (n != NULL));
    must(st == SYMBI_OK || st == SYMBI_ESCHEMA || st == SYMBI_ELIMIT);
    if (st) must(err.msg[0]);
    if (n) {
        must(symbi_doc_root(problems) != NULL);
        ask(n, agent, all);
        ask(n, agent, some);
    }
    symbi_doc_unref(problems);
    symbi_narrow_unref(n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    symbi_str text = { (const char *)data, size };
    symbi_dsl *d = NULL, *again = NULL;
    symbi_text t, u;
    symbi_doc *doc = NULL;
    symbi_err err;
    symbi_status st;
    if (!cx) start();
    st = symbi_dsl_repl(cx, text, &doc, &err);
    must((st == SYMBI_OK) == (doc != NULL) && (st == SYMBI_OK || st == SYMBI_EPARSE || st == SYMBI_ELIMIT));
    if (doc) {
        must(symbi_json_write(cx, symbi_doc_root(doc), 0, &t, &err) == SYMBI_OK); /* within every reader's depth */
        symbi_text_free(&t);
    }
    symbi_doc_unref(doc);
    st = symbi_dsl_policy_text(cx, text, &doc, &err);
    must((st == SYMBI_OK) == (doc != NULL));
    symbi_doc_unref(doc);
    doc = NULL;
    st = symbi_dsl_parse(cx, text, symbi_str_z("f.symbi"), &d, &err);
    if (st) {
        must(st == SYMBI_ELIMIT && !d && err.msg[0]);
        return 0;
    }
    if (!symbi_dsl_ok(d)) {
        symbi_dsl_error e;
        size_t n = symbi_dsl_error_count(d), lines = lines_of(text);
        must(n > 0 && n <= SYMBI_DSL_MAX_ERRORS);
        for (size_t i = 0; i < n; i++) {
            must(symbi_dsl_error_at(d, i, &e));
            must(e.line >= 1 && e.line <= lines && e.col >= 1 && e.end_line >= e.line && e.message.n && e.found.n && e.expected.n);
        }
        must(symbi_dsl_format(cx, d, &t, &err) == SYMBI_EPARSE && symbi_dsl_extract(cx, d, &doc, &err) == SYMBI_EPARSE);
        symbi_dsl_unref(d);
        return 0;
    }
    st = symbi_dsl_format(cx, d, &t, &err);
    must(st == SYMBI_OK || st == SYMBI_ELIMIT);
    if (!st) {
        must(symbi_dsl_parse(cx, symbi_text_str(&t), symbi_str_z("f.symbi"), &again, &err) == SYMBI_OK && symbi_dsl_equal(d, again));
        must(symbi_dsl_format(cx, again, &u, &err) == SYMBI_OK);
        must(t.n == u.n && !memcmp(t.p, u.p, t.n));
        symbi_text_free(&u);
        must(symbi_dsl_sexp(cx, d, &u, &err) == SYMBI_OK);
        symbi_text_free(&u);
        symbi_text_free(&t);
        symbi_dsl_unref(again);
    }
    must(symbi_dsl_extract(cx, d, &doc, &err) == SYMBI_OK);
    {
        const symbi_value *agents = symbi_value_getz(symbi_doc_root(doc), "agents");
        for (size_t i = 0; i < agents->u.a.n && i < 3; i++) {
            symbi_str name = symbi_value_str(&agents->u.a.items[i], "name", symbi_str_z(""));
            bool twice = false;
            for (size_t k = 0; k < agents->u.a.n; k++) {
                symbi_str other = symbi_value_str(&agents->u.a.items[k], "name", symbi_str_z(""));
                twice = twice || (k != i && other.n == name.n && !memcmp(other.p, name.p, name.n));
            }
            if (twice) continue;
            compile(d, name, NULL);
            compile(d, name, tools);
        }
    }
    symbi_doc_unref(doc);
    symbi_dsl_unref(d);
    return 0;
}
