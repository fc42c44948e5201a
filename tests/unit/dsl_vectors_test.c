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

static const symbi_value *first_problem(const symbi_value *data, const char *kind)
{
    const symbi_value *l = symbi_value_getz(data, "problems");
    for (size_t i = 0; i < l->u.a.n; i++) {
        symbi_str k = field(&l->u.a.items[i], "kind");
        if (same(k, symbi_str_z(kind))) return &l->u.a.items[i];
    }
    return NULL;
}

static void show(symbi_str id, const char *what, const symbi_value *got, const symbi_value *want)
{
    symbi_text a, b;
    symbi_err err;
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    if (got && symbi_json_write(cx, got, 0, &a, &err)) return;
    if (want && symbi_json_write(cx, want, 0, &b, &err)) return;
    differ(id, what, symbi_text_str(&a), symbi_text_str(&b));
    symbi_text_free(&a);
    symbi_text_free(&b);
}

/* The rules and classes of a channel, whichever way they are written: [word, text] or an object of texts. Ours tell more (the guard, the
 * place), which upstream drops. */
static symbi_str part(const symbi_value *v, size_t i, const char *a, const char *b)
{
    if (v->kind == SYMBI_ARRAY) return i < v->u.a.n && v->u.a.items[i].kind == SYMBI_STRING ? v->u.a.items[i].u.s : symbi_str_z("");
    return symbi_value_getz(v, a) ? field(v, a) : field(v, b);
}

static bool same_pairs(const symbi_value *got, const symbi_value *want, bool classes)
{
    if (!want || want->kind != SYMBI_ARRAY || got->u.a.n != want->u.a.n) return false;
    for (size_t i = 0; i < want->u.a.n; i++) {
        const symbi_value *g = &got->u.a.items[i], *w = &want->u.a.items[i];
        const char *a = classes ? "category" : "action", *b = classes ? "action" : "expression";
        if (!same(part(g, 0, classes ? a : "effect", a), part(w, 0, a, a)) || !same(part(g, 1, b, b), part(w, 1, b, b))) return false;
    }
    return true;
}

static bool same_channels(const symbi_value *got, const symbi_value *want)
{
    if (got->u.a.n != want->u.a.n) return false;
    for (size_t i = 0; i < want->u.a.n; i++) {
        const symbi_value *w = &want->u.a.items[i];
        for (size_t k = 0; k < w->u.o.n; k++) {
            const symbi_member *m = &w->u.o.members[k];
            const symbi_value *g = symbi_value_get(&got->u.a.items[i], m->key);
            if (!g) return false;
            if (same(m->key, symbi_str_z("policy_rules")) || same(m->key, symbi_str_z("data_classification"))) {
                if (!same_pairs(g, &m->val, m->key.p[0] == 'd')) return false;
            } else if (!symbi_value_equal(g, &m->val)) {
                return false;
            }
        }
    }
    return true;
}

/* One kind of block: what upstream takes out of the tree, or the message with which it gives up on the whole kind. */
static void kind_case(symbi_str id, const symbi_value *c, const symbi_value *data, const char *key, const char *kind)
{
    const symbi_value *want = symbi_value_getz(c, key), *ok = symbi_value_getz(want, "ok"), *p = first_problem(data, kind), *got = symbi_value_getz(data, key);
    symbi_str e = field(want, "err");
    if (e.n) {
        if (!p || !same(field(p, "message"), e)) differ(id, key, p ? field(p, "message") : symbi_str_z("no problem"), e);
        return;
    }
    if (p) differ(id, key, field(p, "message"), symbi_str_z("no problem"));
    if (!ok ? got->u.a.n != 0 : !strcmp(kind, "channel") ? !same_channels(got, ok) : !symbi_value_equal(got, ok)) show(id, key, got, ok);
}

static void extract_case(const symbi_value *c, const symbi_dsl *d)
{
    symbi_str id = field(c, "id");
    const symbi_value *data, *meta = symbi_value_getz(c, "metadata"), *raw, *agents, *caps = symbi_value_getz(c, "capabilities"), *got;
    symbi_doc *doc = NULL;
    symbi_err err;
    CHECK_OK(symbi_dsl_extract(cx, d, &doc, &err), err);
    if (!doc) return;
    data = symbi_doc_root(doc);
    raw = symbi_value_getz(data, "metadata_raw");
    if (meta ? !symbi_value_equal(meta, raw) : raw->u.o.n != 0) show(id, "metadata", raw, meta);
    agents = symbi_value_getz(data, "agents");
    if (agents->u.a.n ? !same(field(&agents->u.a.items[0], "name"), field(c, "agent_name")) : field(c, "agent_name").n != 0) show(id, "agent", agents, symbi_value_getz(c, "agent_name"));
    got = symbi_value_getz(data, "capabilities");
    if (caps ? !symbi_value_equal(caps, got) : got->u.a.n != 0) show(id, "capabilities", got, caps);
    kind_case(id, c, data, "with_blocks", "with");
    kind_case(id, c, data, "schedules", "schedule");
    kind_case(id, c, data, "memories", "memory");
    kind_case(id, c, data, "webhooks", "webhook");
    kind_case(id, c, data, "channels", "channel");
    symbi_doc_unref(doc);
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
        extract_case(c, d);
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

static void test_policy_text(void)
{
    symbi_doc *doc = load("policy_text.json");
    const symbi_value *cases;
    if (!doc) SKIP("no shared vectors dsl/policy_text.json");
    cases = symbi_value_getz(symbi_doc_root(doc), "cases");
    REQUIRE(cases && cases->kind == SYMBI_ARRAY && cases->u.a.n > 10);
    for (size_t i = 0; i < cases->u.a.n; i++) {
        const symbi_value *c = &cases->u.a.items[i], *r = symbi_value_getz(c, "result"), *ok = symbi_value_getz(r, "ok");
        symbi_doc *got = NULL;
        symbi_err err;
        symbi_status st = symbi_dsl_policy_text(cx, field(c, "source"), &got, &err);
        /* ours: a message is one clean line, so a tab of the source is a ? in it */
        char want[400];
        symbi_str e = field(r, "error");
        for (size_t k = 0; k < e.n && k < sizeof want; k++) want[k] = (unsigned char)e.p[k] < 32 ? '?' : e.p[k];
        e.p = want;
        if (!ok && (st != SYMBI_EPARSE || !same(symbi_str_z(err.msg), e))) differ(field(c, "id"), "message", symbi_str_z(st ? err.msg : "accepted"), field(r, "error"));
        if (ok && (st || !symbi_value_equal(symbi_doc_root(got), ok))) show(field(c, "id"), st ? err.msg : "policy", got ? symbi_doc_root(got) : NULL, ok);
        symbi_doc_unref(got);
    }
    symbi_doc_unref(doc);
}

/* {hang} and {crash}: the reference never came back; ours refuses. */
static void test_repl_language(void)
{
    symbi_doc *doc = load("repl_language.json");
    const symbi_value *cases;
    if (!doc) SKIP("no shared vectors dsl/repl_language.json");
    cases = symbi_value_getz(symbi_doc_root(doc), "cases");
    REQUIRE(cases && cases->kind == SYMBI_ARRAY && cases->u.a.n > 10);
    for (size_t i = 0; i < cases->u.a.n; i++) {
        const symbi_value *c = &cases->u.a.items[i], *r = symbi_value_getz(c, "result"), *ok = symbi_value_getz(r, "ok");
        symbi_doc *got = NULL;
        symbi_err err;
        symbi_status st = symbi_dsl_repl(cx, field(c, "source"), &got, &err);
        if (ok && (st || !symbi_value_equal(symbi_doc_root(got), ok))) show(field(c, "id"), st ? err.msg : "declarations", got ? symbi_doc_root(got) : NULL, ok);
        if (!ok && (st != SYMBI_EPARSE || (field(r, "error").n && !same(symbi_str_z(err.msg), field(r, "error"))))) differ(field(c, "id"), "message", symbi_str_z(st ? err.msg : "accepted"), field(r, "error"));
        symbi_doc_unref(got);
    }
    symbi_doc_unref(doc);
}

/* The text of "entry" of the case with that id, as it stands in the file: our own reader refuses integers beyond 64 signed bits. */
static symbi_str entry_text(symbi_str file, symbi_str id)
{
    symbi_str none = { NULL, 0 };
    char key[80];
    const char *p, *e;
    int depth = 0;
    bool string = false;
    snprintf(key, sizeof key, "\"id\": \"%.*s\"", (int)id.n, id.p);
    if (!(p = strstr(file.p, key)) || !(p = strstr(p, "\"entry\":"))) return none;
    for (p += 8; *p == ' ' || *p == '\n'; p++) {}
    for (e = p; *e; e++) {
        if (*e == '"' && e[-1] != '\\') string = !string;
        if (string) continue;
        if (*e == '{' || *e == '[') depth++;
        if ((*e == ',' || *e == '}' || *e == ']' || *e == '\n') && !depth) break;
        if (*e == '}' || *e == ']') depth--;
    }
    return (symbi_str){ p, (size_t)(e - p) };
}

/* `file` is ours: upstream's name for it with 8 digits of the server's name's hash, which keeps a/b and a_b apart. */
static void test_mcp_pins(void)
{
    char path[512];
    symbi_str file, id = { NULL, 0 };
    const char *at;
    size_t n = 0;
    if (!vectors_dir()) SKIP("no shared vectors dsl/mcp_pin.json");
    snprintf(path, sizeof path, "%s/dsl/mcp_pin.json", vectors_dir());
    file = slurp(path);
    if (!file.p) SKIP("no shared vectors dsl/mcp_pin.json");
    for (at = file.p; (at = strstr(at, "\"id\": \"")) != NULL; n++) {
        symbi_doc *want = NULL, *got = NULL;
        symbi_str entry;
        symbi_err err;
        char text[20000], *w = text;
        const char *p;
        id.p = at += 7;
        id.n = strcspn(at, "\"");
        entry = entry_text(file, id);
        REQUIRE(entry.p != NULL);
        /* the rest of the case, without its entry, through our reader */
        w = stpcpy(w, "{");
        for (const char *const *k = (const char *const[]){ "server_name", "canonical", "config_hash", "short", "file", NULL }; *k; k++) {
            char key[40];
            snprintf(key, sizeof key, "\"%s\": ", *k);
            p = strstr(at, key);
            REQUIRE(p != NULL);
            if (w != text + 1) *w++ = ',';
            for (const char *q = p; q == p || !(*q == '"' && q[-1] != '\\' && q > p + strlen(key)); q++) *w++ = *q;
            *w++ = '"';
        }
        *w++ = '}';
        CHECK_OK(symbi_json_parse(cx, (symbi_str){ text, (size_t)(w - text) }, &want, &err), err);
        if (!want) continue;
        CHECK_OK(symbi_dsl_mcp_pin(cx, field(symbi_doc_root(want), "server_name"), entry, &got, &err), err);
        if (got) {
            symbi_str ours = field(symbi_doc_root(got), "file"), theirs = field(symbi_doc_root(want), "file");
            if (!same(field(symbi_doc_root(got), "canonical"), field(symbi_doc_root(want), "canonical")))
                differ(id, "canonical", field(symbi_doc_root(got), "canonical"), field(symbi_doc_root(want), "canonical"));
            CHECK(same(field(symbi_doc_root(got), "config_hash"), field(symbi_doc_root(want), "config_hash")) && same(field(symbi_doc_root(got), "short"), field(symbi_doc_root(want), "short")));
            CHECK(ours.n == theirs.n + 9 && !memcmp(ours.p, theirs.p, theirs.n - 4) && !memcmp(ours.p + ours.n - 4, ".pin", 4));
        }
        symbi_doc_unref(want);
        symbi_doc_unref(got);
    }
    CHECK(n >= 5);
    free((char *)file.p);
}

static void test_mcp_numbers(void)
{
    static const char *const t[][2] = { /* the reference's layout of numbers: digits as shortest, exponent from 1e16 on and below 1e-5 */
        { "1e15", "1000000000000000.0" }, { "1e16", "1e16" }, { "1.5e15", "1500000000000000.0" }, { "123456789012345680.0", "1.2345678901234568e17" }, { "0.00001", "0.00001" },
        { "0.000001", "1e-6" }, { "1.25e-7", "1.25e-7" }, { "-0.5", "-0.5" }, { "0.0", "0.0" }, { "100.0", "100.0" }, { "18446744073709551615", "18446744073709551615" },
        { "-9223372036854775808", "-9223372036854775808" }, { "18446744073709551616", "1.8446744073709552e19" },
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        symbi_doc *d = NULL;
        symbi_err err;
        CHECK_OK(symbi_dsl_mcp_pin(cx, symbi_str_z("x"), symbi_str_z(t[i][0]), &d, &err), err);
        if (d) CHECK_STR(field(symbi_doc_root(d), "canonical"), t[i][1]);
        symbi_doc_unref(d);
    }
    {
        symbi_doc *a = NULL, *b = NULL;
        symbi_err err;
        CHECK_OK(symbi_dsl_mcp_pin(cx, symbi_str_z("a/b"), symbi_str_z("1"), &a, &err), err);
        CHECK_OK(symbi_dsl_mcp_pin(cx, symbi_str_z("a_b"), symbi_str_z("1"), &b, &err), err);
        CHECK(!same(field(symbi_doc_root(a), "file"), field(symbi_doc_root(b), "file")));
        symbi_doc_unref(a);
        symbi_doc_unref(b);
        CHECK(symbi_dsl_mcp_pin(cx, symbi_str_z("a"), symbi_str_z("{"), &b, &err) == SYMBI_EPARSE && !b);
    }
}

int main(void)
{
    symbi_err err;
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_parse_and_format);
    RUN(test_policy_text);
    RUN(test_repl_language);
    RUN(test_mcp_pins);
    RUN(test_mcp_numbers);
    symbi_ctx_free(cx);
    return test_end();
}
