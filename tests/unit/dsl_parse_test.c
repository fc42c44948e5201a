/* Unit tests of `.symbi` files: where errors are reported and what they suggest, limits, the formatter on texts that are made at random,
 * what compiling refuses, and running out of memory. Vectors: dsl_vectors_test.c; enforcement: dsl_gate_test.c. */
#include "test.h"
#include "symbi/dsl.h"
#include "symbi/json.h"

#define S(lit) ((symbi_str){ lit, sizeof(lit) - 1 })

static symbi_ctx *cx;

static symbi_dsl *parse(symbi_str text)
{
    symbi_dsl *d = NULL;
    symbi_err err;
    CHECK_OK(symbi_dsl_parse(cx, text, S("t.symbi"), &d, &err), err);
    return d;
}

/* ---- errors ---- */

static const struct {
    const char *text;
    uint32_t line, col;
    const char *expected, *hint; /* parts; "" for no hint */
} k_errors[] = {
    { "agnt b {}", 1, 1, "one of: metadata, agent", "did you mean 'agent'?" },
    { "import x", 1, 1, "one of:", "there is no import" },
    { "struct S { a: int }", 1, 1, "one of:", "type Name = {" },
    { "fn f() {}", 1, 1, "one of:", "function" },
    { "foo", 1, 1, "one of:", "" },
    { "}", 1, 1, "one of:", "" },
    { "agent", 1, 6, "a name", "" },
    { "agent a", 1, 8, "'{'", "" },
    { "agent a-b {}", 1, 8, "'{'", "no hyphen" },
    { "agent \xc3\xa9 {}", 1, 7, "a token", "names are ASCII" },
    { "agent a {\n  foo\n}", 2, 3, "capabilities, policy, function, with or '}'", "" },
    { "agent a {\n  capabilites = [\"x\"]\n}", 2, 3, "capabilities", "did you mean 'capabilities'?" },
    { "agent a {\n  schedule s { cron: \"x\" }\n}", 2, 3, "or '}'", "stands beside the agent" },
    { "agent a {\n  capabilities = [\"a\" \"b\"]\n}", 2, 23, "',' or ']'", "" },
    { "agent a {\n  with sandbox = \"docker\"\n}", 3, 1, "a setting or '{'", "needs a block" },
    { "agent a {\n  with sandbox: \"docker\" {}\n}", 2, 15, "'='", "" },
    { "agent a {\n", 2, 1, "or '}'", "the '{' of line 1 is not closed" },
    { "agent a(x) {}", 1, 10, "':' and a type", "" },
    { "agent a(x:) {}", 1, 11, "a type", "" },
    { "metadata { a \"x\" }", 1, 14, "'=' or ':'", "" },
    { "metadata { a = 1; }", 1, 17, "or '}'", "no ';' here" },
    { "metadata { a = }", 1, 16, "a value", "" },
    { "metadata { a = -5 }", 1, 16, "a value", "no negative values" },
    { "metadata { a = 'x' }", 1, 16, "a token", "double quotes" },
    { "metadata { a = \"x }", 1, 16, "a closing '\"'", "does not end" },
    { "metadata { a = \"x\\\ny\" }", 1, 16, "a closing '\"'", "does not end" },
    { "metadata { a = vault://x/y }", 1, 16, "a value", "in quotes" },
    { "metadata { /* c */ }", 1, 12, "a token or a comment", "// or #" },
    { "metadata\xc2\xa0{ }", 1, 9, "a token", "not ASCII" },
    { "memory m { store: markdown }", 1, 17, "a value", "without ':' or '='" },
    { "webhook w { path = \"/h\" }", 1, 18, "a value", "without ':' or '='" },
    { "policy p { alow: x }", 1, 12, "a rule (allow, deny, require, audit)", "did you mean 'allow'?" },
    { "policy p { allow x }", 1, 18, "':'", "" },
    { "policy p { allow: a, b }", 1, 20, "a rule", "one expression" },
    { "policy p { allow: (x }", 1, 22, "')'", "" },
    { "type A { x: int }", 1, 8, "'='", "type Name = {" },
    { "type A = List<int>", 1, 14, "the next item", "cannot be named" },
    { "function f() { let x = 1 }", 1, 26, "';'", "ends with ';'" },
    { "function f() { x y }", 1, 18, "';'", "ends with ';'" },
    { "function f() { while x { } }", 1, 22, "", "" },
    { "schedule daily-report { cron: \"x\" }", 1, 15, "'{'", "no hyphen" },
    { "\xff\xfe" "a", 1, 1, "UTF-8 text", "UTF-16" },
    { "agent a {}\n\xff", 2, 1, "UTF-8 text", "not UTF-8" },
};

static void test_errors(void)
{
    for (size_t i = 0; i < sizeof k_errors / sizeof k_errors[0]; i++) {
        symbi_dsl *d = parse(symbi_str_z(k_errors[i].text));
        symbi_dsl_error e;
        REQUIRE(d != NULL);
        memset(&e, 0, sizeof e);
        if (!symbi_dsl_error_at(d, 0, &e) || e.line != k_errors[i].line || e.col != k_errors[i].col || !strstr(e.expected.p, k_errors[i].expected) ||
            (*k_errors[i].hint ? !strstr(e.hint.p, k_errors[i].hint) : i < 36 && e.hint.n)) {
            printf("%s\n  got %u:%u %s | %s\n  want %u:%u %s | %s\n", k_errors[i].text, e.line, e.col, e.expected.p, e.hint.p, k_errors[i].line, k_errors[i].col, k_errors[i].expected, k_errors[i].hint);
            t_now_failed = 1;
        }
        symbi_dsl_unref(d);
    }
}

static void test_nul(void)
{
    symbi_dsl *d = parse(S("agent a {}\0"));
    symbi_dsl_error e;
    CHECK(symbi_dsl_error_at(d, 0, &e) && e.col == 11 && strstr(e.hint.p, "NUL"));
    symbi_dsl_unref(d);
}

/* One mistake does not hide the next, and does not make others up. */
static void test_several_errors(void)
{
    static const struct {
        const char *text;
        uint32_t lines[6]; /* 0 ends */
    } t[] = {
        { "agnt a {}\nagent b { foo }\nmetadata { x 1 }\nagent c {}\n", { 1, 2, 3 } },
        { "agent a {\n  policy p {\n    alow: x\n    deny y\n    deny: z\n    requir: q == 1\n  }\n  with memory \"x\" { }\n}\n", { 3, 4, 6, 8 } },
        { "metadata {\n  a = \n  b 2\n  c = 3\n  d = ;\n}\n", { 3, 5 } },
        { "agent a {\n  policy p { allow: x\n\nagent b {\n  bogus\n}\n", { 4, 5 } },
        { "function f() {\n  let = 1;\n  y(;\n  return 2;\n}\nagent a { x }\n", { 2, 3, 6 } },
        { "metadata { a = 'x'; b = \"y\" }\nfoo\n", { 1, 1, 2 } },
        { "schedule s { cron: }\nmemory m { store: x }\nwebhook w { path = 1 }\n", { 1, 2, 3 } },
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        symbi_dsl *d = parse(symbi_str_z(t[i].text));
        symbi_dsl_error e;
        size_t n = 0;
        bool same = true;
        while (n < 6 && t[i].lines[n]) n++;
        for (size_t k = 0; symbi_dsl_error_at(d, k, &e); k++) same = same && k < n && e.line == t[i].lines[k];
        if (!same || symbi_dsl_error_count(d) != n) {
            printf("%s\n", t[i].text);
            for (size_t k = 0; symbi_dsl_error_at(d, k, &e); k++) printf("  %u:%u %s\n", e.line, e.col, e.message.p);
            t_now_failed = 1;
        }
        symbi_dsl_unref(d);
    }
}

/* ---- limits: at the limit, and one past ---- */

static symbi_status status_of(char *text, size_t n)
{
    symbi_dsl *d = NULL;
    symbi_err err;
    symbi_status st = symbi_dsl_parse(cx, (symbi_str){ text, n }, S("t"), &d, &err);
    if (!st && !symbi_dsl_ok(d)) st = SYMBI_EPARSE;
    CHECK((st == SYMBI_OK || st == SYMBI_EPARSE) == (d != NULL));
    CHECK(st != SYMBI_ELIMIT || err.msg[0]);
    symbi_dsl_unref(d);
    return st;
}

static void test_limit_of_bytes(void)
{
    char *p = malloc(SYMBI_DSL_MAX_BYTES + 1);
    REQUIRE(p != NULL);
    memset(p, '\n', SYMBI_DSL_MAX_BYTES + 1);
    CHECK(status_of(p, SYMBI_DSL_MAX_BYTES) == SYMBI_OK);
    CHECK(status_of(p, SYMBI_DSL_MAX_BYTES + 1) == SYMBI_ELIMIT);
    memset(p, '#', SYMBI_DSL_MAX_BYTES);
    CHECK(status_of(p, SYMBI_DSL_MAX_BYTES) == SYMBI_OK);
    free(p);
}

static void repeat(char **w, const char *z, size_t n)
{
    for (size_t i = 0; i < n; i++) w[0] = stpcpy(*w, z);
}

static void test_limit_of_depth(void)
{
    static char buf[8000];
    for (int past = 0; past < 2; past++) {
        char *w = stpcpy(buf, "policy p { allow: ");
        size_t n = (SYMBI_DSL_MAX_DEPTH - 6) / 2 + (size_t)past; /* program, policy, rule, expression, value, name */
        repeat(&w, "(", n);
        w = stpcpy(w, "x");
        repeat(&w, ")", n);
        w = stpcpy(w, " }");
        CHECK(status_of(buf, (size_t)(w - buf)) == (past ? SYMBI_ELIMIT : SYMBI_OK));
        w = stpcpy(buf, "type T = { f: ");
        n = SYMBI_DSL_MAX_DEPTH - 7 + (size_t)past; /* program, definition, spec, structure, field, ..., type, name */
        repeat(&w, "A<", n);
        w = stpcpy(w, "A");
        repeat(&w, ">", n);
        w = stpcpy(w, " }");
        CHECK(status_of(buf, (size_t)(w - buf)) == (past ? SYMBI_ELIMIT : SYMBI_OK));
    }
    {
        static const char *const open[] = { "(", "[", "{a:", "-", "!", "x.", "x=>", "x(", "if x {", "a." };
        for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) { /* far past it: an error, whatever it is, and no end of the stack */
            char *big = malloc(700000), *w = stpcpy(big, "policy p { allow: ");
            REQUIRE(big != NULL);
            repeat(&w, open[i], 100000);
            CHECK(status_of(big, (size_t)(w - big)) == SYMBI_ELIMIT);
            free(big);
        }
        char *big = malloc(900000), *w = stpcpy(big, "policy p { allow: a"); /* a long chain is not deep */
        REQUIRE(big != NULL);
        repeat(&w, " || a", 100000);
        w = stpcpy(w, " }");
        CHECK(status_of(big, (size_t)(w - big)) == SYMBI_OK);
        free(big);
    }
}

/* Each `a=1 ` is a pair, a name, a value and a number: 4 nodes beside the two of the file and the block. */
static void test_limit_of_nodes(void)
{
    size_t pairs = (SYMBI_DSL_MAX_NODES - 2) / 4;
    char *p = malloc(pairs * 5 + 100);
    REQUIRE(p != NULL);
    for (int past = 0; past < 2; past++) {
        char *w = stpcpy(p, "metadata{");
        repeat(&w, "a=1 ", pairs + (size_t)past);
        w = stpcpy(w, "}");
        CHECK(status_of(p, (size_t)(w - p)) == (past ? SYMBI_ELIMIT : SYMBI_OK));
    }
    free(p);
}

static void test_limit_of_agents(void)
{
    char *p = malloc(SYMBI_DSL_MAX_AGENTS * 12 + 100);
    REQUIRE(p != NULL);
    for (int past = 0; past < 2; past++) {
        char *w = p;
        repeat(&w, "agent a { }\n", SYMBI_DSL_MAX_AGENTS + (size_t)past);
        CHECK(status_of(p, (size_t)(w - p)) == (past ? SYMBI_ELIMIT : SYMBI_OK));
    }
    free(p);
}

static void test_limit_of_errors(void)
{
    static char buf[4000];
    for (size_t n = SYMBI_DSL_MAX_ERRORS; n < SYMBI_DSL_MAX_ERRORS + 3; n++) {
        char *w = buf;
        symbi_dsl *d;
        repeat(&w, "agent a { foo }\n", n);
        d = parse((symbi_str){ buf, (size_t)(w - buf) });
        CHECK(symbi_dsl_error_count(d) == SYMBI_DSL_MAX_ERRORS && !symbi_dsl_ok(d));
        symbi_dsl_unref(d);
    }
}

static void test_limit_of_rules(void)
{
    char *p = malloc(SYMBI_DSL_MAX_RULES * 10 + 100);
    REQUIRE(p != NULL);
    for (int past = 0; past < 2; past++) {
        char *w = stpcpy(p, "agent a { policy p {\n");
        symbi_dsl_compile_options o;
        symbi_narrow *n = NULL;
        symbi_dsl *d;
        symbi_err err;
        symbi_status st;
        repeat(&w, "deny: x\n", SYMBI_DSL_MAX_RULES + (size_t)past);
        w = stpcpy(w, "} }");
        d = parse((symbi_str){ p, (size_t)(w - p) });
        symbi_dsl_compile_options_init(&o);
        st = symbi_dsl_compile(cx, d, &o, &n, NULL, &err);
        CHECK(st == (past ? SYMBI_ESCHEMA : SYMBI_OK));
        CHECK(!past || (err.line == SYMBI_DSL_MAX_RULES + 2 && strstr(err.msg, "at most 4096 rules")));
        if (!past && st == SYMBI_OK) CHECK(symbi_cedar_count(symbi_narrow_rules(n)) == SYMBI_DSL_MAX_RULES + 1);
        symbi_narrow_unref(n);
        symbi_dsl_unref(d);
    }
    free(p);
}

/* ---- the formatter ---- */

static void test_format_comments(void)
{
    static const struct {
        const char *in, *out;
    } t[] = {
        /* a construct with a comment inside keeps its bytes (upstream swallows what follows) */
        { "agent a {\n  capabilities = [\"a\", // c\n    \"b\"]\n}\n", "agent a {\n    capabilities = [\"a\", // c\n    \"b\"]\n}\n" },
        { "agent a(x: String, # first\n y: int) {}", "agent a(x: String, # first\n y: int) {\n}\n" },
        { "agent a { with s = 1, // c\n t = 2 { } }", "agent a {\n    with s = 1, // c\n t = 2 {\n    }\n}\n" },
        { "agent a { with s = 1 // c\n { } }", "agent a {\n    with s = 1 // c\n    {\n    }\n}\n" },
        { "agent a { with s = 1 { // c\n } }", "agent a {\n    with s = 1 { // c\n }\n}\n" },
        { "metadata { a = // c\n 1 }", "metadata {\n    a = // c\n 1,\n}\n" },
        { "metadata { a = 1 // c\n , b = 2 }", "metadata {\n    a = 1 // c\n ,\n    b = 2,\n}\n" },
        { "metadata // c\n { a: 1 }", "metadata {\n    // c\n    a: 1,\n}\n" },
        { "agent a // c\n { }", "agent a {\n    // c\n}\n" },
        { "agent // c\n a { }", "agent // c\n a {\n}\n" },
        /* a record that is a block's value is not nothing (upstream drops it) */
        { "agent a { with x = 1 {{}} }", "agent a {\n    with x = 1 {{}}\n}\n" },
        { "agent a { # c\n policy p { } # d\n\n # e\n }", "agent a {\n    # c\n    policy p { }\n\n    # d\n    # e\n}\n" },
        { "# a\r\nagent a { }\r\n", "# a\r\nagent a {\n}\n" },
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        symbi_dsl *d = parse(symbi_str_z(t[i].in));
        symbi_text out;
        symbi_err err;
        CHECK_OK(symbi_dsl_format(cx, d, &out, &err), err);
        CHECK_STR(symbi_text_str(&out), t[i].out);
        symbi_text_free(&out);
        symbi_dsl_unref(d);
    }
}

/* Texts of the grammar at random, with white space and comments between all tokens. */
typedef struct maker {
    uint64_t seed;
    char *p;
    size_t n, cap;
    int depth;
} maker;

static unsigned pick(maker *m, unsigned n)
{
    m->seed = m->seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(m->seed >> 33) % n;
}

static void put(maker *m, const char *z)
{
    static const char *const gaps[] = { " ", " ", " ", "\n", "\t ", "  \n  ", " // c\n", " # d, }\n", "\n//\n" };
    size_t k = strlen(z);
    const char *gap = gaps[pick(m, 9)];
    if (m->n + k + 20 > m->cap) return;
    memcpy(m->p + m->n, z, k);
    m->n += k;
    k = strlen(gap);
    memcpy(m->p + m->n, gap, k);
    m->n += k;
}

static void put_name(maker *m)
{
    static const char *const names[] = { "a", "b1", "_x", "agent", "policy", "with", "deny", "search_", "iff", "String" };
    put(m, names[pick(m, 10)]);
}

static void put_value(maker *m)
{
    static const char *const values[] = { "\"s\"", "\"\"", "\"q\\\"// no\"", "\"two\nlines\"", "1", "1_000", "2.5", "5m", "30.seconds", "2months", "true", "false", "x" };
    put(m, values[pick(m, 13)]);
}

static void put_expr(maker *m);

static void put_list(maker *m)
{
    put(m, "[");
    for (unsigned i = pick(m, 4); i--;) {
        put_expr(m);
        if (i || pick(m, 2)) put(m, ",");
    }
    put(m, "]");
}

static void put_record(maker *m)
{
    put(m, "{");
    for (unsigned i = pick(m, 3); i--;) {
        put(m, pick(m, 2) ? "k" : "\"k\"");
        put(m, ":");
        put_expr(m);
        if (pick(m, 2)) put(m, ",");
    }
    put(m, "}");
}

static void put_expr(maker *m)
{
    static const char *const ops[] = { "||", "&&", "==", "!=", "in", "<", ">", "<=", ">=", "+", "-", "*", "/", "%" };
    if (m->depth > 5) {
        put(m, "x");
        return;
    }
    m->depth++;
    switch (pick(m, 12)) {
    case 0: put(m, "("), put_expr(m), put(m, ")"); break;
    case 1: put(m, pick(m, 2) ? "!" : "not"), put_expr(m); break;
    case 2: put_list(m); break;
    case 3: put(m, "f"), put(m, "("), put_expr(m), put(m, ","), put(m, "n"), put(m, pick(m, 2) ? ":" : "="), put_expr(m), put(m, ")"); break;
    case 4: put(m, "x"), put(m, "."), put_name(m); break;
    case 5: put(m, "x"), put(m, "["), put_expr(m), put(m, "]"); break;
    case 6: put_expr(m), put(m, ops[pick(m, 14)]), put_expr(m); break;
    case 7: put(m, "T"), put_record(m); break;
    case 8: put(m, "("), put(m, "y"), put(m, "=>"), put_expr(m), put(m, ")"); break;
    case 9: put(m, "vault://a/b-c"); break;
    default: put_value(m);
    }
    m->depth--;
}

static void put_pairs(maker *m, bool equals, bool lists)
{
    for (unsigned i = pick(m, 4); i--;) {
        put(m, "k");
        if (equals) put(m, pick(m, 2) ? "=" : ":");
        if (lists && pick(m, 3) == 0) put_list(m);
        else put_value(m);
        if (pick(m, 2)) put(m, ",");
    }
}

static void put_policy(maker *m)
{
    static const char *const effects[] = { "allow", "deny", "require", "audit" };
    put(m, "policy"), put_name(m), put(m, "{");
    for (unsigned i = pick(m, 4); i--;) {
        put(m, effects[pick(m, 4)]), put(m, ":"), put_expr(m);
        if (pick(m, 2)) put(m, "if"), put_expr(m);
    }
    put(m, "}");
}

static void put_block(maker *m)
{
    put(m, "{");
    for (unsigned i = pick(m, 3); i--;) {
        switch (pick(m, 5)) {
        case 0: put(m, "let"), put(m, "v"), put(m, "="), put_expr(m), put(m, ";"); break;
        case 1: put(m, "if"), put(m, "("), put_expr(m), put(m, ")"), put(m, "{"), put(m, "}"), put(m, "else"), put(m, "{"), put(m, "}"); break;
        case 2: put(m, "for"), put(m, "i"), put(m, "in"), put(m, "xs"), put(m, "{"), put(m, "}"); break;
        case 3: put(m, "return"), put_expr(m), put(m, ";"); break;
        default: put(m, "x"), put(m, "+="), put_expr(m), put(m, ";");
        }
    }
    put(m, "}");
}

static void put_params(maker *m)
{
    static const char *const types[] = { "String", "int", "T", "List<int>", "Map<String, List<T>>" };
    put(m, "(");
    for (unsigned i = pick(m, 3); i--;) {
        put(m, "p"), put(m, ":"), put(m, types[pick(m, 5)]);
        if (pick(m, 2)) put(m, ",");
    }
    put(m, ")");
}

static void put_item(maker *m)
{
    switch (pick(m, 9)) {
    case 0: put(m, "metadata"), put(m, "{"), put_pairs(m, true, true), put(m, "}"); break;
    case 1: put_policy(m); break;
    case 2: put(m, "type"), put_name(m), put(m, "="), put(m, "{"), put(m, "f"), put(m, ":"), put(m, "int"), put(m, "}"); break;
    case 3: put(m, "schedule"), put_name(m), put(m, "{"), put_pairs(m, true, false), put(m, "}"); break;
    case 4: put(m, "memory"), put_name(m), put(m, "{"), put_pairs(m, false, false), put(m, "}"); break;
    case 5: put(m, "function"), put_name(m), put_params(m), put_block(m); break;
    default:
        put(m, "agent"), put_name(m);
        if (pick(m, 2)) put_params(m);
        if (pick(m, 2)) put(m, "->"), put(m, "T");
        put(m, "{");
        for (unsigned i = pick(m, 4); i--;) {
            switch (pick(m, 3)) {
            case 0: put(m, "capabilities"), put(m, pick(m, 2) ? "=" : ":"), put_list(m); break;
            case 1: put_policy(m); break;
            default:
                put(m, "with");
                for (unsigned k = pick(m, 3); k--;) {
                    put(m, "s"), put(m, "=");
                    if (pick(m, 3)) put_value(m);
                    else put_list(m);
                    if (pick(m, 2)) put(m, ",");
                }
                put_block(m);
            }
        }
        put(m, "}");
    }
}

static void test_format_at_random(void)
{
    static char buf[60000];
    size_t good = 0;
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        maker m = { seed * 77777, buf, 0, sizeof buf, 0 };
        symbi_dsl *d, *again;
        symbi_text one, two;
        symbi_err err;
        for (unsigned i = 1 + pick(&m, 4); i--;) put_item(&m);
        d = parse((symbi_str){ buf, m.n });
        REQUIRE(d != NULL);
        if (!symbi_dsl_ok(d)) {
            symbi_dsl_error e;
            symbi_dsl_error_at(d, 0, &e);
            printf("seed %llu: %u:%u %s\n%.*s\n", (unsigned long long)seed, e.line, e.col, e.message.p, (int)m.n, buf);
            t_now_failed = 1;
            symbi_dsl_unref(d);
            return;
        }
        good++;
        CHECK_OK(symbi_dsl_format(cx, d, &one, &err), err);
        again = parse(symbi_text_str(&one));
        CHECK(symbi_dsl_equal(d, again));
        CHECK_OK(symbi_dsl_format(cx, again, &two, &err), err);
        if (one.n != two.n || memcmp(one.p, two.p, one.n)) {
            printf("seed %llu formats twice:\n%s\n----\n%s\n", (unsigned long long)seed, one.p, two.p);
            t_now_failed = 1;
        }
        symbi_text_free(&one);
        symbi_text_free(&two);
        symbi_dsl_unref(again);
        symbi_dsl_unref(d);
        if (t_now_failed) return;
    }
    CHECK(good == 3000);
}

/* What the reference's parser refuses by accident and ours reads: a comment before an else. And what both refuse. */
static void test_choices(void)
{
    static const struct {
        const char *text;
        bool ok;
    } t[] = {
        { "function f() { if a { } // c\n else { } }", true },
        { "function f() { g(if: 1); }", false },
        { "function f() { g(iff: 1, agent = 2); }", true },
        { "metadata { a = { if: 1, \"not\": 2 } }", true },
        { "agent agent { policy policy { allow: deny } }", true },
        { "function f() { if a { b: 1 } { c } }", true }, /* a literal, because no block begins so */
        { "function f() { if a {} {} }", true },
        { "type T = { f: A<B<C>>, g: D<E>= }", false },
        { "function f() { a = b => c + 1; }", true },
        { "policy p { allow: x if if a { b } else { c } }", true },
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        symbi_dsl *d = parse(symbi_str_z(t[i].text));
        if (symbi_dsl_ok(d) != t[i].ok) printf("%s\n", t[i].text), t_now_failed = 1;
        symbi_dsl_unref(d);
    }
}

static void test_equal(void)
{
    static const struct {
        const char *a, *b;
        bool same;
    } t[] = {
        { "agent a { }", "# c\nagent a() {\n}\n", true },
        { "metadata { a = 1, b = 2 }", "metadata { a = 1 b = 2, }", true },
        { "metadata { a = 1 }", "metadata { a : 1 }", false },
        { "metadata { a = 1 }", "metadata { a = 2 }", false },
        { "policy p { allow: x }", "policy p { deny: x }", false },
        { "policy p { allow: a < b }", "policy p { allow: a > b }", false },
        { "policy p { allow: !a }", "policy p { allow: -a }", false },
        { "policy p { allow: !a }", "policy p { allow: not a }", true },
        { "agent a(x: int) { }", "agent a(x: bool) { }", false },
        { "agent a { }", "agent a { } agent b { }", false },
        { "agent a {", "agent a {", false }, /* what is broken is equal to nothing */
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        symbi_dsl *a = parse(symbi_str_z(t[i].a)), *b = parse(symbi_str_z(t[i].b));
        if (symbi_dsl_equal(a, b) != t[i].same) printf("%s / %s\n", t[i].a, t[i].b), t_now_failed = 1;
        symbi_dsl_unref(a);
        symbi_dsl_unref(b);
    }
}

/* ---- compiling ---- */

static const struct {
    const char *agent;
    uint32_t line, col;
    const char *message, *nearest;
} k_refused[] = {
    { "agent a { policy p { allow: x > 5 } }", 1, 29, "is a condition and names no action", "allow: any if x > 5" },
    { "agent a { policy p { deny: { a: 1 } } }", 1, 28, "a record names no action", "a rule for each" },
    { "agent a { policy p { deny: a.b } }", 1, 28, "names no action", "in quotes" },
    { "agent a { policy p { deny: \"read_*\" } }", 1, 28, "no wildcards", "starts_with(tool.name" },
    { "agent a { policy p { deny: [] } }", 1, 28, "names no action", "" },
    { "agent a { policy p { deny: read(\"x\") } }", 1, 33, "which argument", "NAME: VALUE" },
    { "agent a { policy p { deny: f(x, x) } }", 1, 33, "bound twice", "" },
    { "agent a { policy p { deny: f(x: 1.5) } }", 1, 33, "whole numbers only", "" },
    { "agent a { policy p { deny: x if matches(y, \"a+\") } }", 1, 33, "regular expressions", "starts_with" },
    { "agent a { policy p { deny: x if y.size() > 3 } }", 1, 33, "", "max_length" },
    { "agent a { policy p { deny: x if y.length > 3 } }", 1, 33, "cannot measure", "max_length" },
    { "agent a { policy p { deny: x if lower(y) == \"a\" } }", 1, 33, "no form", "" },
    { "agent a { policy p { deny: x if contains(y, \"a\") } }", 1, 33, "a list or a text", "in LIST" },
    { "agent a { policy p { deny: f(y) if starts_with(y, z) } }", 1, 51, "must be written out", "" },
    { "agent a { policy p { deny: x if a / 2 == 1 } }", 1, 37, "policies have no /", "+, - or *" },
    { "agent a { policy p { deny: x if a + \"b\" == \"c\" } }", 1, 37, "join texts", "" },
    { "agent a { policy p { deny: x if a > 1.5 } }", 1, 37, "whole numbers only", "" },
    { "agent a { policy p { deny: x if a > 5m } }", 1, 37, "no durations", "milliseconds" },
    { "agent a { policy p { deny: x if a[0] } }", 1, 33, "positions", "" },
    { "agent a { policy p { deny: x if a.map(b => b.c) } }", 1, 33, "no function 'map'", "" },
    { "agent a { policy p { deny: x if (b => b) } }", 1, 34, "no functions of its own", "" },
    { "agent a { policy p { deny: x if a == vault://b } }", 1, 38, "read secrets", "" },
    { "agent a { policy p { deny: x if a == { b: 1 } } }", 1, 38, "records", "" },
    { "agent a { policy p { deny: x if a == \"\\d\" } }", 1, 38, "escape", "" },
    { "agent a { policy p { deny: x if a == 99999999999999999999 } }", 1, 38, "too large", "" },
    { "agent a { policy p { require: f(x) } }", 1, 31, "needs the condition", "require: NAME(arguments) if" },
    { "agent a { policy p { require: [\"x\"] } }", 1, 31, "needs a condition", "" },
    { "agent a { policy p { require: {} } }", 1, 31, "nothing is required", "" },
    { "agent a { policy p { require: { a: x } } }", 1, 36, "no plain value", "" },
    { "agent a { policy p { audit: { log_level: \"info\" } } }", 1, 29, "cannot be set here", "audit: all" },
    { "agent a { policy p { allow: delegate(a, b) } }", 1, 41, "one argument", "" },
    { "agent a { policy p { deny: delegate(to) if to.kind == \"x\" } }", 1, 44, "only its name", "" },
    { "agent a {\n capabilities = [\"x\", 5]\n}", 2, 23, "names no capability", "in quotes" },
    { "agent a { with sandbox = \"none\" { } }", 1, 16, "no sandbox", "docker (tier1)" },
    { "agent a { with privacy = \"high\" { } }", 1, 16, "nothing enforces", "deny" },
    { "agent a { with timeot = 5m { } }", 1, 16, "nothing enforces", "timeout" },
    { "agent a { with timeout = 30000 { } }", 1, 16, "seconds or milliseconds", "the unit" },
    { "agent a { with timeout = \"x\" { } }", 1, 16, "no duration", "30s" },
    { "agent a { with timeout = 0 { } }", 1, 16, "cannot be 0", "at least 1" },
    { "agent a { with timeout = [1] { } }", 1, 16, "no list", "" },
    { "agent a { with timeout = 1s, timeout = 2s { } }", 1, 30, "set twice", "" },
    { "agent a { with max_tokens = 1 { } with budget_tokens = 2 { } }", 1, 40, "set twice", "" },
    { "agent a { with max_tokens = 1.5 { } }", 1, 16, "no number", "" },
    { "agent a { with memory = \"ephemeral\", max_memory_mb = 1, memory = \"1MB\" { } }", 1, 57, "set twice", "" },
    { "agent a { with memory = \"persistent\" { } }", 1, 16, "would promise", "memory block" },
    { "agent a { with memory = \"lots\" { } }", 1, 16, "no size", "256MB" },
    { "agent a { with tools = \"read\" { } }", 1, 16, "takes a list", "" },
    { "agent a { with tools = [1] { } }", 1, 25, "names no tool", "" },
};

static void test_refusals(void)
{
    for (size_t i = 0; i < sizeof k_refused / sizeof k_refused[0]; i++) {
        symbi_dsl *d = parse(symbi_str_z(k_refused[i].agent));
        symbi_dsl_compile_options o;
        symbi_narrow *n = NULL;
        symbi_doc *problems = NULL;
        const symbi_value *p = NULL;
        symbi_err err;
        symbi_status st;
        symbi_dsl_compile_options_init(&o);
        st = symbi_dsl_compile(cx, d, &o, &n, &problems, &err);
        for (size_t k = 0; problems && k < symbi_doc_root(problems)->u.a.n && !p; k++) {
            const symbi_value *q = &symbi_doc_root(problems)->u.a.items[k];
            if (symbi_value_str(q, "severity", S("")).p[0] == 'r') p = q;
        }
        if (st != SYMBI_ESCHEMA || n || !p || err.line != k_refused[i].line || err.col != k_refused[i].col || !strstr(err.msg, k_refused[i].message) || strcmp(err.path, "t.symbi") != 0 ||
            !strstr(symbi_value_str(p, "nearest", S("")).p, k_refused[i].nearest)) {
            printf("%s\n  got %s %u:%u %s\n", k_refused[i].agent, symbi_status_name(st), st ? err.line : 0, st ? err.col : 0, st ? err.msg : "");
            t_now_failed = 1;
        }
        symbi_doc_unref(problems);
        symbi_narrow_unref(n);
        symbi_dsl_unref(d);
    }
}

static void test_which_agent(void)
{
    static const char two[] = "agent a { policy p { deny: x } } agent b { } policy all { deny: y }";
    symbi_dsl *d = parse(S(two)), *none = parse(S("policy p { }")), *twice = parse(S("agent a { } agent a { }")), *broken = parse(S("agent a {"));
    symbi_dsl_compile_options o;
    symbi_narrow *n = NULL;
    symbi_err err;
    symbi_dsl_compile_options_init(&o);
    CHECK(symbi_dsl_compile(cx, d, &o, &n, NULL, &err) == SYMBI_ESCHEMA && strstr(err.msg, "say which"));
    CHECK(symbi_dsl_compile(cx, none, &o, &n, NULL, &err) == SYMBI_ENOTFOUND);
    CHECK(symbi_dsl_compile(cx, broken, &o, &n, NULL, &err) == SYMBI_EPARSE && !n); /* a file with any error loads nothing */
    o.agent = S("c");
    CHECK(symbi_dsl_compile(cx, d, &o, &n, NULL, &err) == SYMBI_ENOTFOUND && strstr(err.msg, "'c'"));
    o.agent = S("a");
    CHECK(symbi_dsl_compile(cx, twice, &o, &n, NULL, &err) == SYMBI_ESCHEMA && strstr(err.msg, "a second agent 'a'"));
    o.agent = S("b"); /* its own rules are none; the file's hold for it too */
    CHECK_OK(symbi_dsl_compile(cx, d, &o, &n, NULL, &err), err);
    CHECK(symbi_cedar_count(symbi_narrow_rules(n)) == 2);
    symbi_narrow_unref(n);
    symbi_dsl_unref(d);
    symbi_dsl_unref(none);
    symbi_dsl_unref(twice);
    symbi_dsl_unref(broken);
}

static void test_durations(void)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
        const char *why;
    } t[] = {
        { "1h 30m", 5400000, NULL }, { "90 days", 7776000000, NULL }, { "500ms", 500, NULL }, { "2months", 5260032000, NULL }, { "1y", 31557600000, NULL },
        { "1h30m", 5400000, NULL }, { " 5 s ", 5000, NULL }, { "1w 2d", 777600000, NULL }, { "7us", 0, NULL }, { "1500us", 1, NULL }, { "0s", 0, NULL }, { "3 \xc2\xb5s", 0, NULL },
        { "", -1, "value was empty" }, { "  ", -1, "value was empty" }, { "abc", -1, "expected number at 0" }, { "5", -1, "time unit needed, for example 5sec or 5ms" },
        { "2.hours", -1, "invalid character at 1" }, { "-5s", -1, "expected number at 0" }, { "5x", -1, "unknown time unit \"x\"" }, { "5s!", -1, "invalid character at 2" },
        { "99999999999999999999s", -1, "number is too large" }, { "9999999999y", -1, "number is too large" },
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        int64_t ms = -1;
        symbi_err err;
        symbi_status st = symbi_dsl_duration(symbi_str_z(t[i].text), &ms, &err);
        if (t[i].ms < 0 ? st != SYMBI_EPARSE || !strstr(err.msg, t[i].why) : st || ms != t[i].ms) {
            printf("'%s': %s %lld %s\n", t[i].text, symbi_status_name(st), (long long)ms, st ? err.msg : "");
            t_now_failed = 1;
        }
    }
}

/* The other two notations under pressure: errors, never the end of the stack (the reference overflows on a last parenthesis). */
static void test_other_notations(void)
{
    static const char *const open[] = { "(", "[", "{", "-", "!", "a.", "f(", "a[", "{a:", "if a {", "list<" };
    symbi_doc *doc = NULL;
    symbi_err err;
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
        for (int form = 0; form < 2; form++) {
            char *p = malloc(700000), *w = stpcpy(p, form ? "behavior B { steps { let x = " : "function f(a: ");
            symbi_status st;
            repeat(&w, open[i], 100000);
            st = symbi_dsl_repl(cx, (symbi_str){ p, (size_t)(w - p) }, &doc, &err);
            CHECK(st == SYMBI_EPARSE || st == SYMBI_ELIMIT);
            CHECK(err.msg[0] && !doc);
            free(p);
        }
    CHECK(symbi_dsl_repl(cx, S("behavior B { steps { ("), &doc, &err) == SYMBI_EPARSE);
    CHECK(symbi_dsl_repl(cx, S("\xff"), &doc, &err) == SYMBI_EPARSE);
    CHECK(symbi_dsl_policy_text(cx, S("policy p\nallow \xff"), &doc, &err) == SYMBI_EPARSE);
}

/* ---- out of memory ---- */

static symbi_status oom(symbi_ctx *c, void *ud)
{
    symbi_dsl *d = NULL;
    symbi_text t;
    symbi_doc *doc = NULL;
    symbi_err err;
    symbi_status st = symbi_dsl_parse(c, symbi_str_z(ud), S("t.symbi"), &d, &err);
    if (st) return st;
    st = symbi_dsl_format(c, d, &t, &err);
    if (!st) symbi_text_free(&t);
    if (!st) st = symbi_dsl_sexp(c, d, &t, &err);
    if (!st) symbi_text_free(&t);
    if (!st) st = symbi_dsl_extract(c, d, &doc, &err);
    symbi_doc_unref(doc);
    symbi_dsl_unref(d);
    return st;
}

static symbi_status oom_others(symbi_ctx *c, void *ud)
{
    symbi_doc *doc = NULL;
    symbi_err err;
    symbi_status st;
    (void)ud;
    st = symbi_dsl_repl(c, S("agent A { name: \"a\" resources { memory: 1GB } }\nfunction f(a: list<map<string, x> > = [1, {b: -c.d(2)[3]}]) -> any { if a { return } else { require capability x } }"), &doc, &err);
    symbi_doc_unref(doc);
    doc = NULL;
    if (!st) st = symbi_dsl_policy_text(c, S("policy p\nallow x when y\ndeny z\nend"), &doc, &err);
    symbi_doc_unref(doc);
    return st;
}

static void test_out_of_memory(void)
{
    test_oom(oom_others, NULL, SYMBI_OK);
    static char good[] = "# c\nmetadata { a: [1, \"x\"], a = 2 }\nagent a(x: int) -> T { capabilities = [\"x\"] policy p { deny: f(y) if y == 1 } with timeout = 5m { let z = 1; } }\n"
                         "schedule s { cron: \"x\" } memory m { search { vector_weight 1 } } webhook w { path \"/\" filter { equals \"x\" } }\n"
                         "channel c { platform: \"x\" policy p { allow: x } data_classification { a: b } }\nschedule bad { }";
    static char bad[] = "agnt a {}\nagent b { foo }";
    test_oom(oom, good, SYMBI_OK);
    test_oom(oom, bad, SYMBI_EPARSE);
}

int main(void)
{
    symbi_err err;
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_errors);
    RUN(test_nul);
    RUN(test_several_errors);
    RUN(test_limit_of_bytes);
    RUN(test_limit_of_depth);
    RUN(test_limit_of_nodes);
    RUN(test_limit_of_agents);
    RUN(test_limit_of_errors);
    RUN(test_limit_of_rules);
    RUN(test_format_comments);
    RUN(test_format_at_random);
    RUN(test_choices);
    RUN(test_equal);
    RUN(test_refusals);
    RUN(test_which_agent);
    RUN(test_durations);
    RUN(test_other_notations);
    RUN(test_out_of_memory);
    symbi_ctx_free(cx);
    return test_end();
}
