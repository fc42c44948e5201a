/* The two reference rule sets through the matcher: every [rule, line] of the scan_content vectors, for the Python and for the
 * Rust reading of classes, case and line ends. */
#include "test.h"

#include "symbi/json.h"
#include "symbi/match.h"

static symbi_ctx *cx;
static symbi_str Z(const char *z) { return symbi_str_z(z); }

static symbi_doc *load(const char *name)
{
    char path[500];
    const char *dir = vectors_dir();
    symbi_str text;
    symbi_doc *d = NULL;
    symbi_err err;
    if (!dir) return NULL;
    snprintf(path, sizeof path, "%s/skills/%s", dir, name);
    text = slurp(path);
    if (!text.p) return NULL;
    CHECK_OK(symbi_json_parse(cx, text, &d, &err), err);
    free((void *)(uintptr_t)text.p);
    return d;
}

static symbi_match *compile(const symbi_value *rules, unsigned flags, const symbi_value **list)
{
    symbi_match_rule r[64];
    symbi_match *m = NULL;
    symbi_err err;
    size_t n = rules->u.a.n;
    *list = rules;
    for (size_t i = 0; i < n; i++) r[i] = (symbi_match_rule){ symbi_value_str(&rules->u.a.items[i], "pattern", Z("")), flags };
    CHECK_OK(symbi_match_compile(cx, r, n, &m, &err), err);
    return m;
}

/* Compares all findings of one text; 0 equal. */
static int differ(symbi_match_scratch *s, symbi_str text, symbi_match_ends ends, const symbi_value *rules, const symbi_value *want)
{
    symbi_match_lineinfo l;
    symbi_err err;
    size_t k = 0;
    symbi_match_lines(s, text, ends);
    while (!symbi_match_line(s, &l, &err) && l.n)
        for (size_t i = 0; i < l.n; i++, k++) {
            const symbi_value *w = k < want->u.a.n ? &want->u.a.items[k] : NULL;
            symbi_str name = symbi_value_str(&rules->u.a.items[l.rules[i]], "name", Z("?"));
            if (!w || w->u.a.items[0].u.s.n != name.n || memcmp(w->u.a.items[0].u.s.p, name.p, name.n) || w->u.a.items[1].u.i != (int64_t)l.line) return 1;
        }
    return k != want->u.a.n;
}

static void test_reference_rules(void)
{
    symbi_doc *rules = load("rules.json"), *cases = load("scan_content.json");
    const symbi_value *sets, *list, *seed, *runtime;
    symbi_match *ms, *mr;
    symbi_match_scratch *ss, *sr;
    symbi_err err;
    int n = 0;
    if (!rules || !cases) SKIP("no vectors");
    sets = symbi_value_getz(symbi_doc_root(rules), "rules");
    ms = compile(symbi_value_getz(sets, "seed"), SYMBI_MATCH_PYTHON, &seed);
    mr = compile(symbi_value_getz(sets, "runtime"), SYMBI_MATCH_UNICODE, &runtime);
    REQUIRE(ms && mr);
    CHECK_OK(symbi_match_scratch_new(cx, ms, 0, &ss, &err), err);
    CHECK_OK(symbi_match_scratch_new(cx, mr, 0, &sr, &err), err);
    list = symbi_value_getz(symbi_doc_root(cases), "cases");
    for (size_t i = 0; i < list->u.a.n; i++) {
        const symbi_value *c = &list->u.a.items[i];
        symbi_str text = symbi_value_str(c, "content", Z("")), id = symbi_value_str(c, "id", Z("?"));
        if (differ(ss, text, SYMBI_MATCH_END_PYTHON, seed, symbi_value_getz(c, "seed"))) printf("seed: %.*s\n", (int)id.n, id.p), t_now_failed = 1;
        if (differ(sr, text, SYMBI_MATCH_END_CRLF, runtime, symbi_value_getz(c, "runtime"))) printf("runtime: %.*s\n", (int)id.n, id.p), t_now_failed = 1;
        n++;
    }
    printf("%d texts\n", n);
    CHECK(n > 0);
    symbi_match_scratch_free(ss);
    symbi_match_scratch_free(sr);
    symbi_match_unref(ms);
    symbi_match_unref(mr);
    symbi_doc_unref(rules);
    symbi_doc_unref(cases);
}

int main(void)
{
    symbi_err err;
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_reference_rules);
    symbi_ctx_free(cx);
    return test_end();
}
