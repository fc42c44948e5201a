/* Runs the shared vector files of toolclad (spec toolclad.md section 25) through the public API. Prints, per file, how many
 * cases agree and how many are left out, and why. Where our rules differ on purpose the case is decided by the rule, not by
 * its id, so that other cases of the same format come out right too. */
#include "base/str.h"
#include "codec/build.h"
#include "symbi/json.h"
#include "symbi/sanitize.h"
#include "symbi/toolclad.h"
#include "symbi/triage.h"
#include "test.h"
#include "toolclad_vectors.h"
#include "toolclad/outschema.h"
#include "toolclad/tool.h"
#include <math.h>

static symbi_ctx *cx;
static int ok, bad, left_out, by_rule;

#define BEGIN(file)                                                                                \
    symbi_doc *vd;                                                                                 \
    const symbi_value *cases;                                                                      \
    if (!vectors_dir()) SKIP("no shared vectors");                                                 \
    vd = vectors(cx, file);                                                                       \
    if (!vd) SKIP(file);                                                           \
    cases = symbi_value_getz(symbi_doc_root(vd), "cases");                                         \
    ok = bad = left_out = by_rule = 0;                                                             \
    REQUIRE(cases && cases->kind == SYMBI_ARRAY);                                                  \
    for (size_t ci = 0; ci < cases->u.a.n; ci++)
#define END(file)                                                                                  \
    printf("%-28s %d agree, %d differ, %d decided by a rule of ours, %d left out\n", file, ok, bad, by_rule, left_out); \
    CHECK(bad == 0);                                                                               \
    CHECK(ok > 0);                                                                                 \
    symbi_doc_unref(vd)

static bool is(const symbi_value *c, const char *key, const char *z) { return sy_str_eqz(str(c, key), z); }

#define TEXT(s) (int)((s).n > 200 ? 200 : (s).n), ((s).p ? (s).p : "")

static bool contains(symbi_str s, const char *z)
{
    size_t n = strlen(z);
    for (size_t i = 0; i + n <= s.n; i++)
        if (memcmp(s.p + i, z, n) == 0) return true;
    return false;
}

static void differ(const symbi_value *c, const char *how, const char *what)
{
    bad++;
    if (bad <= 20) printf("  %.*s: %s %s\n", TEXT(str(c, "id")), how, what);
}

static void judge(const symbi_value *c, bool agrees, const char *what)
{
    if (agrees) ok++;
    else differ(c, "", what);
}

/* ---- validation.json ---- */

static symbi_status validate_case(const symbi_value *c, symbi_doc **out, symbi_err *e)
{
    symbi_member arg = { SY_LIT("x"), *symbi_value_getz(c, "arg") }, given = { SY_LIT("x"), *symbi_value_getz(c, "value") };
    symbi_member tool[2] = { { SY_LIT("name"), sy_val_str(SY_LIT("t")) }, { SY_LIT("dispatch"), sy_val_str(SY_LIT("callback")) } };
    symbi_member top[2] = { { SY_LIT("tool"), sy_val_object(tool, 2) }, { SY_LIT("args"), sy_val_object(&arg, 1) } };
    symbi_value manifest = sy_val_object(top, 2), args = sy_val_object(&given, 1);
    const symbi_value *custom = symbi_value_getz(c, "custom_types");
    symbi_tooltypes *types = NULL;
    symbi_tool *t = NULL;
    symbi_status st = SYMBI_OK;
    *out = NULL;
    if (custom) st = symbi_tooltypes_from_value(cx, custom, SY_LIT("toolclad.toml"), &types, e);
    if (!st) st = symbi_tool_from_value_with(cx, &manifest, SY_LIT("v"), types, &t, e);
    if (!st) st = symbi_tool_validate(cx, t, &args, out, e);
    symbi_tool_unref(t);
    symbi_tooltypes_unref(types);
    return st;
}

static void test_validation(void)
{
    BEGIN("validation.json")
    {
        const symbi_value *c = &cases->u.a.items[ci], *num = symbi_value_getz(c, "canonical_number"), *custom = symbi_value_getz(c, "custom_types");
        bool accept = is(c, "expect", "accept"), shadows = false;
        symbi_doc *d;
        symbi_err e;
        symbi_status st = validate_case(c, &d, &e);
        shadows = custom && sy_type_find(str(c, "type")) && symbi_value_get(custom, str(c, "type"));
        if (shadows) {
            by_rule++; /* section 4: a custom type with a built-in's name is an error of the file */
        } else if (is(c, "type", "credential_file") && !accept && !st) {
            left_out++; /* whether the file is there is the executor's check (plan check_files) */
        } else if (accept && st && strstr(e.msg, "is above max")) {
            by_rule++; /* 6.3: bounds that exclude each other are an error of the manifest */
        } else if (accept != (st == SYMBI_OK)) {
            differ(c, accept ? "refused:" : "accepted", accept ? e.msg : "");
        } else if (!accept) {
            ok++;
        } else {
            const symbi_value *v = symbi_value_getz(symbi_doc_root(d), "x");
            sy_arena a;
            symbi_str text;
            sy_arena_init(&a, (symbi_alloc){ counting_fn, &(counting_alloc){ 0 } }, 0);
            text = v ? sy_arg_text(v, &a) : SY_LIT("(nothing)");
            if (num) {
                double want = num->kind == SYMBI_INT ? (double)num->u.i : num->u.d, got = v->kind == SYMBI_INT ? (double)v->u.i : v->u.d;
                judge(c, want == got, "another number");
            } else if (!symbi_value_getz(c, "canonical")) {
                differ(c, "", "no canonical text in the vector");
            } else if (sy_str_eq(text, str(c, "canonical"))) {
                ok++;
            } else {
                differ(c, "canonical text is", text.p);
            }
            sy_arena_free(&a);
        }
        symbi_doc_unref(d);
    }
    END("validation.json");
}

/* ---- lint ---- */

static void lint(const char *file)
{
    BEGIN(file)
    {
        const symbi_value *c = &cases->u.a.items[ci];
        symbi_tool *t;
        symbi_err e;
        symbi_status st = symbi_tool_parse(cx, str(c, "toml"), SY_LIT("lint.clad.toml"), &t, &e);
        if (is(c, "expect", "valid") && st && strstr(e.msg, "has no source")) by_rule++; /* 5.1: a placeholder without a source */
        else if (is(c, "expect", "valid") != (st == SYMBI_OK)) differ(c, st ? "refused:" : "accepted", st ? e.msg : "");
        else ok++;
        symbi_tool_unref(t);
    }
    END(file);
}
static void test_lint(void) { lint("lint.json"); }
static void test_lint_strict(void) { lint("lint_strict.json"); }

/* ---- argv ---- */

static bool same_argv(const symbi_plan *p, const symbi_value *want, char *text, size_t cap)
{
    bool same = p->argc == want->u.a.n;
    size_t n = 0;
    text[0] = 0;
    for (size_t i = 0; i < p->argc; i++) {
        if (n < cap) n += (size_t)snprintf(text + n, cap - n, "[%.*s]", TEXT(p->argv[i]));
        if (same && !sy_str_eq(p->argv[i], want->u.a.items[i].u.s)) same = sy_str_eqz(want->u.a.items[i].u.s, "<SCAN_ID>") && sy_str_eqz(p->argv[i], "SCANID");
    }
    return same;
}

static bool same_executor(const symbi_plan *p, const symbi_value *c)
{
    const symbi_value *env = symbi_value_getz(c, "env");
    symbi_str path = str(c, "executor"), got = p->argv[0];
    if (sy_str_starts(got, SY_LIT("./"))) got.p += 2, got.n -= 2;
    if (p->argc != 1 || !sy_str_eq(got, path)) return false;
    for (size_t i = 0; env && i < env->u.o.n; i++) {
        const symbi_member *m = &env->u.o.members[i];
        bool found = false;
        for (size_t k = 0; k < p->nenv && !found; k++) {
            symbi_str e = p->env[k];
            found = e.n == m->key.n + 1 + m->val.u.s.n && memcmp(e.p, m->key.p, m->key.n) == 0 && e.p[m->key.n] == '=' && memcmp(e.p + m->key.n + 1, m->val.u.s.p, m->val.u.s.n) == 0;
        }
        if (!found) return false;
    }
    return true;
}

static void argv_file(const char *file)
{
    BEGIN(file)
    {
        const symbi_value *c = &cases->u.a.items[ci];
        symbi_plan_options o = { 0 };
        symbi_tool *t = NULL;
        symbi_doc *args = NULL;
        symbi_plan *p = NULL;
        symbi_err e;
        symbi_status st;
        char got[2000];
        bool rule = false;
        o.scan_id = SY_LIT("SCANID");
        o.evidence_dir = SY_LIT("/evidence");
        o.checks_files = true;
        st = symbi_tool_parse(cx, str(c, "toml"), SY_LIT("a.clad.toml"), &t, &e);
        if (!st) st = symbi_tool_validate(cx, t, symbi_value_getz(c, "args"), &args, &e);
        if (!st) st = symbi_tool_plan(cx, t, symbi_doc_root(args), &o, &p, &e);
        if (st == SYMBI_EDENIED && !is(c, "expect", "reject")) {
            rule = true; /* option injection: refused unless the manifest allows it */
            o.allow_options = true;
            st = symbi_tool_plan(cx, t, symbi_doc_root(args), &o, &p, &e);
        }
        if (st && contains(str(c, "toml"), "{_secret:") && contains(symbi_str_z(e.msg), "_secret")) by_rule++; /* 8.4 */
        else if (is(c, "expect", "reject")) judge(c, st != SYMBI_OK, "not refused");
        else if (st) differ(c, "refused:", e.msg);
        else if (is(c, "expect", "executor")) judge(c, same_executor(p, c), "another executor or environment");
        else if (!same_argv(p, symbi_value_getz(c, "argv"), got, sizeof got)) differ(c, "argv is", got);
        else if (rule) by_rule++;
        else ok++;
        symbi_plan_unref(p);
        symbi_doc_unref(args);
        symbi_tool_unref(t);
    }
    END(file);
}
static void test_argv(void) { argv_file("argv.json"); }
static void test_argv_conditionals(void) { argv_file("argv_conditionals.json"); }

/* ---- when ---- */

static symbi_str when_var(const void *ud, symbi_str name)
{
    const symbi_value *v = symbi_value_get(ud, name);
    return v ? v->u.s : SY_LIT("");
}

static void test_when(void)
{
    BEGIN("when.json")
    {
        const symbi_value *c = &cases->u.a.items[ci], *mal = symbi_value_getz(c, "malformed"), *want = symbi_value_getz(c, "expected");
        const sy_when *w;
        sy_arena a;
        counting_alloc ca = { 0 };
        symbi_err e;
        sy_arena_init(&a, (symbi_alloc){ counting_fn, &ca }, 0);
        if (sy_when_parse(&a, str(c, "when"), &w, &e)) {
            judge(c, mal && mal->u.b, e.msg);
        } else {
            bool got = sy_when_eval(w, when_var, symbi_value_getz(symbi_doc_root(vd), "vars"));
            /* 24: " and " inside quotes is text (others split there and call it malformed) */
            if (mal && mal->u.b && got != want->u.b && contains(str(c, "when"), " and ") && contains(str(c, "when"), "'")) by_rule++;
            else judge(c, got == want->u.b, "another result");
        }
        sy_arena_free(&a);
    }
    END("when.json");
}

/* ---- schema ---- */

static bool subset(const symbi_value *want, const symbi_value *got, bool property);

static bool extra_allowed(symbi_str key)
{
    static const char *const names[] = { "minimum", "maximum", "pattern", "minLength", "enum", "additionalProperties" };
    for (size_t i = 0; i < 6; i++)
        if (sy_str_eqz(key, names[i])) return true;
    return false;
}

static bool same_number(const symbi_value *a, const symbi_value *b)
{
    double x, y;
    if ((a->kind != SYMBI_INT && a->kind != SYMBI_DOUBLE) || (b->kind != SYMBI_INT && b->kind != SYMBI_DOUBLE)) return false;
    x = a->kind == SYMBI_INT ? (double)a->u.i : a->u.d;
    y = b->kind == SYMBI_INT ? (double)b->u.i : b->u.d;
    return x == y;
}

static bool subset(const symbi_value *want, const symbi_value *got, bool extras)
{
    if (!got) return false;
    if (same_number(want, got)) return true;
    if (want->kind != got->kind) return false;
    if (want->kind == SYMBI_ARRAY) {
        if (want->u.a.n != got->u.a.n) return false;
        for (size_t i = 0; i < want->u.a.n; i++)
            if (!subset(&want->u.a.items[i], &got->u.a.items[i], extras)) return false;
        return true;
    }
    if (want->kind != SYMBI_OBJECT) return symbi_value_equal(want, got);
    for (size_t i = 0; i < want->u.o.n; i++)
        if (!subset(&want->u.o.members[i].val, symbi_value_get(got, want->u.o.members[i].key), extras)) return false;
    for (size_t i = 0; i < got->u.o.n; i++)
        if (!symbi_value_get(want, got->u.o.members[i].key) && !(extras && extra_allowed(got->u.o.members[i].key))) return false;
    return true;
}

/* The same names in any order. */
static bool same_set(const symbi_value *a, const symbi_value *b)
{
    if (!b || a->u.a.n != b->u.a.n) return false;
    for (size_t i = 0; i < a->u.a.n; i++) {
        bool found = false;
        for (size_t k = 0; k < b->u.a.n; k++) found = found || symbi_value_equal(&a->u.a.items[i], &b->u.a.items[k]);
        if (!found) return false;
    }
    return true;
}

static void test_schema(void)
{
    BEGIN("mcp_schema.json")
    {
        const symbi_value *c = &cases->u.a.items[ci], *want = symbi_value_getz(c, "expected"), *got, *in, *flag;
        symbi_tool *t = NULL;
        symbi_doc *d = NULL;
        symbi_err e;
        symbi_status st = symbi_tool_parse(cx, str(c, "toml"), SY_LIT("s.clad.toml"), &t, &e);
        if (!st) st = symbi_tool_schema(cx, t, &d, &e);
        if (st) {
            differ(c, "refused:", e.msg);
        } else {
            bool good;
            got = symbi_doc_root(d);
            in = symbi_value_getz(want, "inputSchema");
            good = sy_str_eq(str(want, "name"), str(got, "name")) && sy_str_eq(str(want, "description"), str(got, "description"));
            good = good && subset(symbi_value_getz(in, "properties"), symbi_value_getz(symbi_value_getz(got, "inputSchema"), "properties"), true);
            if (is(c, "required_order", "unordered")) good = good && same_set(symbi_value_getz(in, "required"), symbi_value_getz(symbi_value_getz(got, "inputSchema"), "required"));
            else good = good && symbi_value_equal(symbi_value_getz(in, "required"), symbi_value_getz(symbi_value_getz(got, "inputSchema"), "required"));
            flag = symbi_value_getz(c, "output_schema_contested");
            if (!(flag && flag->u.b)) {
                const symbi_value *absent = symbi_value_getz(c, "output_schema_absent"), *os = symbi_value_getz(want, "outputSchema");
                if (absent && absent->u.b) good = good && !symbi_value_getz(got, "outputSchema");
                else if (os) good = good && symbi_value_equal(os, symbi_value_getz(got, "outputSchema"));
            }
            judge(c, good, "another schema");
        }
        symbi_doc_unref(d);
        symbi_tool_unref(t);
    }
    END("mcp_schema.json");
}

/* ---- output ---- */

static void test_output_parse(void)
{
    BEGIN("output_parse.json")
    {
        const symbi_value *c = &cases->u.a.items[ci];
        symbi_str parser = str(c, "parser");
        sy_format f = sy_format_find(str(c, "format"));
        sy_arena a;
        counting_alloc ca = { 0 };
        symbi_value results;
        char why[160];
        symbi_err e;
        if (sy_str_starts(parser, SY_LIT("builtin:"))) f = sy_format_find((symbi_str){ parser.p + 8, parser.n - 8 });
        else if (parser.n) f = SY_FORMAT_TEXT;
        sy_arena_init(&a, (symbi_alloc){ counting_fn, &ca }, 0);
        if (sy_output_parse(cx, f, str(c, "raw"), &a, &results, why, &e)) differ(c, "failed:", e.msg);
        else judge(c, subset(symbi_value_getz(c, "expected_results"), &results, false), why[0] ? why : "other results");
        sy_arena_free(&a);
    }
    END("output_parse.json");
}

static void test_output_schema(void)
{
    BEGIN("output_schema_warnings.json")
    {
        const symbi_value *c = &cases->u.a.items[ci], *want = symbi_value_getz(c, "warnings");
        sy_arena a;
        counting_alloc ca = { 0 };
        sy_arr w;
        symbi_value got;
        symbi_err e;
        sy_arena_init(&a, (symbi_alloc){ counting_fn, &ca }, 0);
        w = sy_arr_new(&a);
        if (sy_output_schema_check(cx, symbi_value_getz(c, "schema"), symbi_value_getz(c, "parsed"), &a, &w, &e)) {
            differ(c, "failed:", e.msg);
        } else {
            size_t nested = 0; /* 9.6: below the top level we look too, the vectors do not */
            for (size_t i = 0; i < w.n; i++)
                if (contains(w.v[i].u.s, ".") || contains(w.v[i].u.s, "[")) nested++;
                else w.v[i - nested] = w.v[i];
            w.n -= nested;
            got = sy_arr_value(&w);
            if (nested && same_set(want, &got)) by_rule++;
            else judge(c, same_set(want, &got), w.n ? w.v[0].u.s.p : "no warning");
        }
        sy_arena_free(&a);
    }
    END("output_schema_warnings.json");
}

/* ---- cedar ---- */

static void test_cedar(void)
{
    BEGIN("cedar_policy.json")
    {
        const symbi_value *c = &cases->u.a.items[ci];
        symbi_tool *t = NULL;
        symbi_text text = { 0 };
        symbi_err e;
        symbi_status st = symbi_tool_parse(cx, str(c, "toml"), SY_LIT("c.clad.toml"), &t, &e);
        if (!st) st = symbi_tool_cedar(cx, t, SYMBI_TOOL_CEDAR_UPSTREAM, &text, &e);
        if (st) differ(c, "refused:", e.msg);
        else judge(c, sy_str_eq(symbi_text_str(&text), str(c, "policy")), text.p ? text.p : "(nothing)");
        symbi_text_free(&text);
        symbi_tool_unref(t);
    }
    END("cedar_policy.json");
}

/* ---- envelope: what comes after the run, with the run itself as in the vector ---- */

static void test_envelope(void)
{
    BEGIN("exec_envelope.json")
    {
        const symbi_value *c = &cases->u.a.items[ci], *x = symbi_value_getz(c, "expect"), *got, *raw = symbi_value_getz(x, "raw_output");
        symbi_exec_result r;
        symbi_tool *t = NULL;
        symbi_plan *p = NULL;
        symbi_doc *d = NULL;
        symbi_err e;
        symbi_status st = symbi_tool_parse(cx, str(c, "toml"), SY_LIT("e.clad.toml"), &t, &e);
        memset(&r, 0, sizeof r);
        r.exit_code = (int)symbi_value_getz(x, "exit_code")->u.i;
        r.out = raw && raw->kind == SYMBI_STRING ? raw->u.s : SY_LIT("");
        r.err = str(x, "stderr");
        if (!st) st = symbi_tool_plan(cx, t, NULL, NULL, &p, &e);
        if (!st) st = symbi_tool_envelope(cx, t, p, &r, &d, &e);
        if (st) {
            differ(c, "refused:", e.msg);
        } else {
            got = symbi_doc_root(d);
            judge(c, sy_str_eq(str(got, "status"), str(x, "status")) && symbi_value_equal(symbi_value_getz(got, "exit_code"), symbi_value_getz(x, "exit_code")) &&
                         sy_str_eq(str(got, "stderr"), str(x, "stderr")) && sy_str_eq(str(got, "command"), str(x, "command")) && sy_str_eq(str(got, "tool"), str(x, "tool")) &&
                         sy_str_eq(str(symbi_value_getz(got, "results"), "raw_output"), r.out),
                "another envelope");
        }
        symbi_doc_unref(d);
        symbi_plan_unref(p);
        symbi_tool_unref(t);
    }
    END("exec_envelope.json");
}

/* ---- fences of section 16 ---- */

static void test_agent_summary(void)
{
    static const char toml[] = "[tool]\nname = \"t\"\ndispatch = \"callback\"\n[args.x]\ntype = \"agent_summary\"\nrequired = true\n";
    symbi_tool *t = NULL;
    symbi_err e;
    REQUIRE(symbi_tool_parse(cx, SY_LIT(toml), SY_LIT("a"), &t, &e) == SYMBI_OK);
    BEGIN("agent_summary.json")
    {
        const symbi_value *c = &cases->u.a.items[ci];
        symbi_member m = { SY_LIT("x"), *symbi_value_getz(c, "value") };
        symbi_value args = sy_val_object(&m, 1);
        symbi_doc *d = NULL, *again = NULL;
        symbi_plan *p = NULL;
        symbi_status st = symbi_tool_validate(cx, t, &args, &d, &e);
        if (is(c, "expect", "reject")) judge(c, st == SYMBI_ESCHEMA, "accepted");
        else if (st) differ(c, "refused:", e.msg);
        else judge(c, sy_str_eq(str(symbi_doc_root(d), "x"), str(c, "canonical")), "another text");
        if (!st && symbi_tool_plan(cx, t, symbi_doc_root(d), NULL, &p, &e)) differ(c, "cannot be planned:", e.msg);
        symbi_plan_unref(p);
        symbi_doc_unref(d);
        symbi_doc_unref(again);
    }
    END("agent_summary.json");
    symbi_tool_unref(t);
}

static void test_invis_strip(void)
{
    static const struct { const char *key; unsigned flags; } ops[] = { { "sanitize_field", 0 }, { "sanitize_field_with_markup", SYMBI_SANITIZE_MARKUP },
        { "sanitize_for_downstream_prompt", SYMBI_SANITIZE_MARKUP | SYMBI_SANITIZE_REDACT } };
    BEGIN("invis_strip.json")
    {
        const symbi_value *c = &cases->u.a.items[ci];
        bool good = true;
        for (size_t k = 0; k < 3; k++) {
            symbi_text out = { 0 };
            symbi_err e;
            CHECK(symbi_sanitize(cx, str(c, "value"), SYMBI_SANITIZE_SEED, ops[k].flags | SYMBI_SANITIZE_ONCE, &out, NULL, &e) == SYMBI_OK);
            good = good && sy_str_eq(symbi_text_str(&out), str(c, ops[k].key));
            symbi_text_free(&out);
        }
        judge(c, good, "another text");
    }
    END("invis_strip.json");
}

/* "ExecEscalation" is exec_escalation. */
static bool queue_is(symbi_queue q, symbi_str name)
{
    const char *n = symbi_queue_name(q);
    size_t k = 0;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (c >= 'A' && c <= 'Z') {
            if (i && n[k++] != '_') return false;
            c = (char)(c + 32);
        }
        if (n[k++] != c) return false;
    }
    return !n[k];
}

static void test_typed_decision(void)
{
    BEGIN("typed_decision.json")
    {
        const symbi_value *c = &cases->u.a.items[ci], *r = symbi_value_getz(c, "result");
        symbi_category cat = symbi_category_of(str(c, "category"));
        symbi_severity claimed = symbi_severity_of(str(c, "claimed")), s, u;
        symbi_doc *ctx = NULL;
        symbi_err e;
        CHECK(symbi_ticket_severity(cx, str(c, "ticket"), false, &s, &e) == SYMBI_OK && symbi_ticket_severity(cx, str(c, "ticket"), true, &u, &e) == SYMBI_OK);
        CHECK(symbi_triage_context(cx, cat, claimed, s, &ctx, &e) == SYMBI_OK);
        if (!is(r, "severity", symbi_severity_name(s)) || !is(r, "untrusted", symbi_severity_name(u))) differ(c, "severity is", symbi_severity_name(s));
        else judge(c, symbi_value_equal(symbi_value_getz(r, "context"), symbi_doc_root(ctx)) && queue_is(symbi_triage_decided(cat, false), str(r, "route_for_deny")) &&
                          queue_is(symbi_triage_decided(cat, true), str(r, "route_for_permit")) && queue_is(symbi_triage_grounded(cat, claimed, s), str(r, "route_grounded")) &&
                          queue_is(symbi_triage_grounded(cat, claimed, u), str(r, "route_grounded_untrusted")) && queue_is(symbi_triage_route(cat, claimed), str(r, "route_trusting")),
                "another queue or context");
        symbi_doc_unref(ctx);
    }
    END("typed_decision.json");
}

/* ---- constraints of a project, trace headers ---- */

static void test_constraints(void)
{
    BEGIN("constraints_lint.json")
    {
        const symbi_value *c = &cases->u.a.items[ci], *want = symbi_value_getz(c, "issues"), *got;
        symbi_doc *d = NULL;
        symbi_err e;
        bool good;
        if (symbi_tool_constraints(cx, str(c, "toml"), symbi_value_getz(c, "constraints"), true, &d, &e)) {
            differ(c, "failed:", e.msg);
            continue;
        }
        got = symbi_doc_root(d);
        good = got->u.a.n == want->u.a.n;
        for (size_t i = 0; good && i < got->u.a.n; i++) {
            symbi_str a = str(&got->u.a.items[i], "message"), b = str(&want->u.a.items[i], "message");
            if (sy_str_starts(b, SY_LIT("TOML parse error")) && a.n > 16) a.n = b.n; /* the rest is each parser's own */
            good = sy_str_eq(a, b) && sy_str_eq(str(&got->u.a.items[i], "severity"), str(&want->u.a.items[i], "severity"));
        }
        judge(c, good, got->u.a.n ? str(&got->u.a.items[0], "message").p : "no issue");
        symbi_doc_unref(d);
    }
    END("constraints_lint.json");
}

static void test_traceparent(void)
{
    BEGIN("traceparent.json")
    {
        const symbi_value *c = &cases->u.a.items[ci], *want = symbi_value_getz(c, "expected");
        symbi_traceparent t;
        bool got = symbi_traceparent_parse(str(c, "header"), &t);
        judge(c, want->kind == SYMBI_OBJECT ? got && is(want, "trace_id", t.trace_id) && is(want, "parent_id", t.parent_id) : !got, "another answer");
    }
    END("traceparent.json");
}

int main(void)
{
    symbi_err e;
    if (symbi_ctx_new(NULL, &cx, &e)) return 1;
    RUN(test_validation);
    RUN(test_lint);
    RUN(test_lint_strict);
    RUN(test_argv);
    RUN(test_argv_conditionals);
    RUN(test_when);
    RUN(test_schema);
    RUN(test_output_parse);
    RUN(test_output_schema);
    RUN(test_cedar);
    RUN(test_envelope);
    RUN(test_agent_summary);
    RUN(test_invis_strip);
    RUN(test_typed_decision);
    RUN(test_constraints);
    RUN(test_traceparent);
    symbi_ctx_free(cx);
    return test_end();
}
