/* The Cedar pretty printer: layout against the vectors, nothing lost, nothing changed by a second run, hostile input. */
#include "symbi/cedar.h"
#include "symbi/cedar_format.h"
#include "symbi/json.h"
#include "test.h"

static symbi_str S(const char *z) { return symbi_str_z(z); }

/* Formats text; the caller frees *out. */
static symbi_status fmt(symbi_ctx *cx, symbi_str text, size_t width, size_t indent, symbi_text *out, symbi_err *err)
{
    symbi_err_clear(err);
    return symbi_cedar_format(cx, text, width, indent, out, err);
}

static void check_is(symbi_ctx *cx, const char *in, size_t width, size_t indent, const char *want)
{
    symbi_text out, again;
    symbi_err err;
    CHECK_OK(fmt(cx, S(in), width, indent, &out, &err), err);
    CHECK_STR(symbi_text_str(&out), want);
    CHECK_OK(fmt(cx, symbi_text_str(&out), width, indent, &again, &err), err);
    CHECK_STR(symbi_text_str(&again), want); /* idempotent */
    symbi_text_free(&out);
    symbi_text_free(&again);
}

/* The JSON form of a text's policies. */
static symbi_status est_of(symbi_ctx *cx, symbi_str text, symbi_text *out, symbi_err *err)
{
    symbi_cedar_source src = { { "", 0 }, { NULL, 0 } };
    symbi_cedar *set;
    symbi_doc *doc;
    symbi_status st;
    src.text = text;
    memset(out, 0, sizeof *out);
    if ((st = symbi_cedar_parse(cx, &src, 1, 0, &set, err))) return st;
    st = symbi_cedar_to_json(cx, set, &doc, err);
    symbi_cedar_unref(set);
    if (st) return st;
    st = symbi_json_write(cx, symbi_doc_root(doc), SYMBI_JSON_CANONICAL, out, err);
    symbi_doc_unref(doc);
    return st;
}

static bool same_text(const symbi_text *a, const symbi_text *b) { return a->n == b->n && !memcmp(a->p, b->p, a->n); }

/* What must hold for every text that is accepted: the same policies (where their JSON form is not too deep to be written), and nothing
 * to do the second time. */
static bool holds(symbi_ctx *cx, symbi_str text, const symbi_text *out, size_t width, size_t indent)
{
    symbi_text a, b, again;
    symbi_err err;
    symbi_status st = est_of(cx, text, &a, &err);
    bool ok = est_of(cx, symbi_text_str(out), &b, &err) == st && (st ? st == SYMBI_ELIMIT : same_text(&a, &b));
    if (!ok) printf("policies: %s\n", err.msg);
    symbi_text_free(&a);
    symbi_text_free(&b);
    if (!ok || fmt(cx, symbi_text_str(out), width, indent, &again, &err)) return false;
    ok = same_text(out, &again);
    symbi_text_free(&again);
    return ok;
}

static void test_vectors(void)
{
    char path[512];
    symbi_str all;
    size_t exact = 0, accepted = 0, refused = 0, cases = 0;
    symbi_ctx *cx;
    symbi_err err;
    const char *dir = vectors_dir();
    if (!dir) SKIP("no vectors here");
    snprintf(path, sizeof path, "%s/cedar/format.jsonl", dir);
    all = slurp(path);
    if (!all.p) SKIP("no vectors/cedar/format.jsonl here");
    REQUIRE(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK);
    for (const char *l = all.p, *e; l < all.p + all.n; l = e + 1) {
        symbi_str line, id, in, want, none = { "", 0 };
        symbi_doc *doc;
        const symbi_value *v;
        symbi_text out;
        size_t width, indent;
        symbi_status st;
        e = memchr(l, '\n', (size_t)(all.p + all.n - l));
        if (!e) e = all.p + all.n;
        line.p = l;
        line.n = (size_t)(e - l);
        if (!line.n) continue;
        REQUIRE(symbi_json_parse(cx, line, &doc, &err) == SYMBI_OK);
        v = symbi_doc_root(doc);
        cases++;
        id = symbi_value_str(v, "id", none);
        in = symbi_value_str(v, "text", none);
        width = (size_t)symbi_value_getz(v, "lineWidth")->u.i;
        indent = (size_t)symbi_value_getz(v, "indentWidth")->u.i;
        st = fmt(cx, in, width, indent, &out, &err);
        if (symbi_value_getz(v, "accept")->u.b) {
            accepted++;
            if (st) {
                printf("%.*s: refused: %s\n", (int)id.n, id.p, err.msg);
                t_now_failed = 1;
            } else {
                want = symbi_value_str(v, "output", none);
                if (want.n == out.n && !memcmp(want.p, out.p, out.n)) exact++;
                else printf("%.*s: laid out differently:\n%s", (int)id.n, id.p, out.p);
                if (!holds(cx, in, &out, width, indent)) {
                    printf("%.*s: changed by formatting\n", (int)id.n, id.p);
                    t_now_failed = 1;
                }
            }
        } else {
            refused++;
            if (!st) printf("%.*s: accepted\n", (int)id.n, id.p);
            CHECK(st && err.msg[0]);
        }
        symbi_text_free(&out);
        symbi_doc_unref(doc);
    }
    printf("format.jsonl: %zu cases, %zu of %zu outputs exact, %zu refused\n", cases, exact, accepted, refused);
    CHECK(exact == accepted);
    symbi_ctx_free(cx);
    free((char *)(uintptr_t)all.p);
}

static void test_layout(void)
{
    symbi_ctx *cx;
    symbi_err err;
    REQUIRE(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK);
    check_is(cx, "", 80, 2, "");
    check_is(cx, " \n\t", 80, 2, "");
    check_is(cx, "permit(principal,action,resource,);", 80, 2, "permit (principal, action, resource,);\n");
    check_is(cx, "permit(principal,action,resource)when{{}==[]};", 80, 2, "permit (principal, action, resource)\nwhen { {} == [] };\n");
    check_is(cx, "permit(principal,action,resource)when{!!true&&- -1<0};", 80, 2, "permit (principal, action, resource)\nwhen { !!true && --1 < 0 };\n");
    check_is(cx, "@id ( \"a\" ) @b\npermit(principal is A :: B,action,resource);", 80, 2,
             "@id(\"a\")\n@b\npermit (\n  principal is A::B,\n  action,\n  resource\n);\n");
    /* a line is measured in characters: 40 letters of two bytes, 58 columns in all */
#define E10 "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
    check_is(cx, "permit(principal,action,resource)when{\"" E10 E10 E10 E10 "\"==\"\"};", 58, 2,
             "permit (principal, action, resource)\nwhen { \"" E10 E10 E10 E10 "\" == \"\" };\n");
    check_is(cx, "permit(principal,action,resource)when{\"" E10 E10 E10 E10 "\"==\"\"};", 57, 2,
             "permit (principal, action, resource)\nwhen\n{ \"" E10 E10 E10 E10 "\" == \"\" };\n");
    check_is(cx, "permit(principal,action,resource)when{\"" E10 E10 E10 E10 "\"==\"\"};", 52, 2,
             "permit (principal, action, resource)\nwhen\n{\n  \"" E10 E10 E10 E10 "\" == \"\"\n};\n");
    /* has and like break on both sides, the second in of an is before it, the is of a scope after it (each as the official formatter says) */
    check_is(cx, "permit(principal is NS::User,action,resource is Doc in Doc::\"a\")when{principal has attribute&&(\"text\")like\"pattern*\"};", 20, 4,
             "permit (\n    principal is\n        NS::User,\n    action,\n    resource is Doc\n    in\n        Doc::\"a\"\n)\nwhen\n{\n    principal\n    has\n    attribute &&\n    (\"text\")\n    like\n    \"pattern*\"\n};\n");
    check_is(cx, "permit(principal,action,resource)when{(context.dt) is NS::Thing in (NS::User::\"a\")};", 40, 2,
             "permit (principal, action, resource)\nwhen\n{\n  (context.dt) is NS::Thing\n  in (NS::User::\"a\")\n};\n");
    /* narrow: every break is taken, and no token is cut */
    check_is(cx, "permit(principal,action,resource)when{a::b::\"c\"==1};", 1, 1,
             "permit\n(principal, action, resource)\nwhen\n{\n a::b::\"c\" == 1\n};\n");
    check_is(cx, "permit(principal,action,resource);", 36, 2, "permit\n(principal, action, resource);\n");
    check_is(cx, "permit(principal,action,resource);", 37, 2, "permit (principal, action, resource);\n");
    symbi_ctx_free(cx);
}

static void test_comments(void)
{
    symbi_ctx *cx;
    symbi_err err;
    REQUIRE(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK);
    check_is(cx, "// only a comment  ", 80, 2, "// only a comment\n");
    check_is(cx, "// a\r\n\r\n\r\n// b\r\npermit(principal,action,resource);\r\n\r\n// c\r\n", 80, 2, "// a\n// b\npermit (principal, action, resource);\n\n// c\n");
    check_is(cx, "permit(principal,action,resource);//x\nforbid(principal,action,resource);// y\n//z", 80, 2,
             "permit (principal, action, resource); //x\n\nforbid (principal, action, resource); // y\n\n//z\n");
    check_is(cx, "permit(principal,// who\naction,\n// on what\nresource);", 80, 2, "permit (\n  principal, // who\n  action,\n  // on what\n  resource\n);\n");
    check_is(cx, "permit(principal,action,resource)when{// why\ntrue// because\n};", 80, 2,
             "permit (principal, action, resource)\nwhen\n{ // why\n  true // because\n};\n");
    check_is(cx, "permit(principal,action,resource)when{true}// end\n;", 80, 2, "permit (principal, action, resource)\nwhen { true } // end\n;\n");
    check_is(cx, "permit(principal,action,resource)when{context.a&&// first\n// second\ncontext.b};", 80, 2,
             "permit (principal, action, resource)\nwhen\n{\n  context.a && // first\n  // second\n  context.b\n};\n");
    check_is(cx, "@a// x\n(// y\n\"v\"// z\n)permit(principal,action,resource);", 80, 2, "@a // x\n( // y\n\"v\" // z\n)\npermit (principal, action, resource);\n");
    check_is(cx, "permit(principal,action,resource)when{\"// no comment\"==\"\"};", 80, 2, "permit (principal, action, resource)\nwhen { \"// no comment\" == \"\" };\n");
    symbi_ctx_free(cx);
}

static void test_misuse(void)
{
    symbi_ctx *cx;
    symbi_err err;
    symbi_text out;
    REQUIRE(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK);
    CHECK(fmt(cx, S(""), 0, 2, &out, &err) == SYMBI_EINVAL);
    CHECK(fmt(cx, S(""), 10001, 2, &out, &err) == SYMBI_EINVAL);
    CHECK(fmt(cx, S(""), 80, 65, &out, &err) == SYMBI_EINVAL);
    CHECK(fmt(cx, S("permit(principal,action,resource)\nwhen { 1 + };"), 80, 2, &out, &err) == SYMBI_EPARSE && err.line == 2);
    CHECK(fmt(cx, S("permit(principal,action,resource)"), 80, 2, &out, &err) == SYMBI_EPARSE);
    CHECK(fmt(cx, S("\xff"), 80, 2, &out, &err) != SYMBI_OK && !out.p);
    symbi_ctx_limits(cx)->output_bytes = 20;
    CHECK(fmt(cx, S("permit(principal,action,resource);"), 80, 2, &out, &err) == SYMBI_ELIMIT && !out.p);
    symbi_ctx_free(cx);
}

/* Deep and long expressions, at widths from nothing to wide. */
static void test_shapes(void)
{
    static const char *const open[] = { "(", "[", "{a:", "if true then ", "f(", "!(" }, *const shut[] = { ")", "]", "}", " else 1", ")", ")" };
    static const size_t widths[] = { 1, 20, 80, 10000 };
    symbi_ctx *cx;
    symbi_err err;
    char *buf = malloc(1 << 20);
    REQUIRE(buf && symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK);
    for (size_t k = 0; k < sizeof open / sizeof open[0]; k++)
        for (size_t w = 0; w < 4; w++)
            for (size_t depth = 1; depth <= 900; depth = depth * 7 + 1) {
                char *p = buf;
                symbi_text out;
                symbi_status st;
                p += sprintf(p, "permit(principal,action,resource)when{");
                for (size_t i = 0; i < depth; i++) p += sprintf(p, "%s", k == 4 ? "ip(" : open[k]);
                p += sprintf(p, "1");
                for (size_t i = 0; i < depth; i++) p += sprintf(p, "%s", shut[k]);
                p += sprintf(p, "};");
                st = fmt(cx, S(buf), widths[w], 2, &out, &err);
                if (st) CHECK(st == SYMBI_ELIMIT || st == SYMBI_EPARSE);
                else CHECK(holds(cx, S(buf), &out, widths[w], 2));
                if (depth < 60) CHECK(st == SYMBI_OK);
                symbi_text_free(&out);
            }
    for (size_t w = 0; w < 4; w++) {
        char *p = buf;
        symbi_text out;
        p += sprintf(p, "permit(principal,action,resource)when{0");
        for (size_t i = 0; i < 5000; i++) p += sprintf(p, "%s%zu", i % 3 ? " + " : " * ", i);
        p += sprintf(p, "==1||[1");
        for (size_t i = 0; i < 5000; i++) p += sprintf(p, ",%zu", i);
        p += sprintf(p, "].contains(2)};");
        CHECK_OK(fmt(cx, S(buf), widths[w], 2, &out, &err), err);
        CHECK(holds(cx, S(buf), &out, widths[w], 2));
        symbi_text_free(&out);
    }
    symbi_ctx_free(cx);
    free(buf);
}

static symbi_status format_some(symbi_ctx *cx, void *ud)
{
    static const char text[] = "// a\n@id(\"x\") permit(principal in G::\"g\", action, resource) // b\nwhen { [1,2].contains(context.n) && // c\n (if true then {a:1}.a == 1 else false) }; // d\n"
                               "forbid(principal,action,resource); // e\n// f\n";
    symbi_text out;
    symbi_err err;
    symbi_status st = fmt(cx, S(text), 40, 2, &out, &err);
    (void)ud;
    CHECK(st == err.code && (st == SYMBI_OK) == (out.p != NULL));
    symbi_text_free(&out);
    return st;
}
static void test_no_memory(void) { test_oom(format_some, NULL, SYMBI_OK); }

int main(void)
{
    RUN(test_vectors);
    RUN(test_layout);
    RUN(test_comments);
    RUN(test_misuse);
    RUN(test_shapes);
    RUN(test_no_memory);
    return test_end();
}
