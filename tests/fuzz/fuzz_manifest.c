/* Fuzz target: symbi/toolclad.h. The input is a manifest; behind a NUL may follow the arguments as JSON. A manifest that is
 * accepted gives a schema; values are derived for every argument it declares; what validates must plan or be refused for a
 * reason that planning has, validating again must change nothing, and argv holds no cut text. */
#include "symbi/json.h"
#include "symbi/toolclad.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}

/* all: every argument is given, so that no default comes in (defaults are not held to bounds). */
static void call(symbi_ctx *cx, const symbi_tool *t, const symbi_value *args, int all)
{
    symbi_tool_info in;
    symbi_doc *d = NULL, *again = NULL, *env = NULL;
    symbi_plan *p = NULL;
    symbi_exec_result r;
    symbi_plan_options o;
    symbi_err err;
    symbi_status st = symbi_tool_validate(cx, t, args, &d, &err);
    must((st == SYMBI_OK) == (d != NULL));
    if (st) {
        must(err.code == st && err.msg[0]);
        return;
    }
    symbi_tool_get_info(t, &in);
    if (in.backend == SYMBI_BACKEND_SESSION || in.backend == SYMBI_BACKEND_BROWSER) { /* its commands are the tools */
        symbi_doc_unref(d);
        return;
    }
    memset(&o, 0, sizeof o);
    o.checks_files = true;
    st = symbi_tool_plan(cx, t, symbi_doc_root(d), &o, &p, &err);
    must((st == SYMBI_OK) == (p != NULL));
    if (st) {
        must(err.code == st && (st == SYMBI_EDENIED || st == SYMBI_ESCHEMA || st == SYMBI_EPARSE || st == SYMBI_EUNSUPPORTED || st == SYMBI_ELIMIT || st == SYMBI_EINVAL));
    } else {
        if (p->kind == SYMBI_BACKEND_SHELL) must(p->argc > 0 && p->argv[0].n > 0);
        for (size_t i = 0; i < p->argc; i++) must(strlen(p->argv[i].p) == p->argv[i].n);
        for (size_t i = 0; i < p->nenv; i++) must(strlen(p->env[i].p) == p->env[i].n && strchr(p->env[i].p, '='));
    }
    if (p && p->kind == SYMBI_BACKEND_SHELL) { /* the envelopes of the others are fuzz_toolrequest.c */
        memset(&r, 0, sizeof r);
        r.out.p = "a,b\n1,{\"x\":[2]}\n";
        r.out.n = strlen(r.out.p);
        must(symbi_tool_envelope(cx, t, p, &r, &env, &err) == SYMBI_OK);
        must(symbi_value_getz(symbi_value_getz(symbi_doc_root(env), "results"), "x") == NULL);
        must(symbi_value_getz(symbi_doc_root(env), "results")->kind == SYMBI_OBJECT);
        symbi_doc_unref(env);
    }
    symbi_plan_unref(p);
    if (all) { /* canonical arguments are their own canonical form */
        must(symbi_tool_validate(cx, t, symbi_doc_root(d), &again, &err) == SYMBI_OK);
        must(symbi_value_equal(symbi_doc_root(again), symbi_doc_root(d)));
    }
    symbi_doc_unref(again);
    symbi_doc_unref(d);
}

static int mentions(const uint8_t *data, size_t size, const char *z)
{
    size_t n = strlen(z);
    for (size_t i = 0; i + n <= size; i++)
        if (memcmp(data + i, z, n) == 0) return 1;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const texts[] = { "a", "-x", "1", "10.0.0.1", "https://h/x", "a b", "5m", "", "it's", "true", "RHOSTS x" };
    symbi_ctx *cx;
    symbi_tool *t = NULL;
    symbi_doc *schema = NULL, *args = NULL;
    symbi_text cedar = { 0 };
    symbi_err err;
    const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
    symbi_str s = { (const char *)data, nul ? (size_t)(nul - data) : size }, rest = { (const char *)data + s.n + 1, nul ? size - s.n - 1 : 0 }, source = { "f", 1 };
    symbi_status st;
    must(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK);
    symbi_ctx_limits(cx)->arg_bytes = 4096;
    st = symbi_tool_parse(cx, s, source, &t, &err);
    must((st == SYMBI_OK) == (t != NULL));
    if (st) {
        must(err.code == st && err.msg[0]);
    } else {
        const symbi_value *props;
        symbi_member *m;
        must(symbi_tool_schema(cx, t, &schema, &err) == SYMBI_OK);
        must(symbi_tool_cedar(cx, t, SYMBI_TOOL_CEDAR_GATE, &cedar, &err) == SYMBI_OK && cedar.n);
        symbi_text_free(&cedar);
        if (nul && symbi_json_parse(cx, rest, &args, &err) == SYMBI_OK) call(cx, t, symbi_doc_root(args), 0);
        symbi_doc_unref(args);
        call(cx, t, NULL, 0);
        props = symbi_value_getz(symbi_value_getz(symbi_doc_root(schema), "inputSchema"), "properties");
        m = calloc(props->u.o.n + 1, sizeof *m);
        must(m != NULL);
        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) { /* the same text for all, but enums get their first word */
            symbi_value v;
            for (size_t i = 0; i < props->u.o.n; i++) {
                const symbi_value *list = symbi_value_getz(&props->u.o.members[i].val, "enum");
                m[i].key = props->u.o.members[i].key;
                m[i].val.kind = SYMBI_STRING;
                m[i].val.u.s.p = texts[(k + i) % (sizeof texts / sizeof texts[0])];
                m[i].val.u.s.n = strlen(m[i].val.u.s.p);
                if (list && list->u.a.n) m[i].val = list->u.a.items[0];
            }
            memset(&v, 0, sizeof v);
            v.kind = SYMBI_OBJECT;
            v.u.o.members = m;
            v.u.o.n = props->u.o.n;
            call(cx, t, &v, !mentions(data, size, "agent_summary")); /* a summary is trimmed once more */
        }
        free(m);
        symbi_doc_unref(schema);
    }
    symbi_tool_unref(t);
    symbi_ctx_free(cx);
    return 0;
}
