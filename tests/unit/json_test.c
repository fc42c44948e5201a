/* Unit tests of codec/json*: the cases of tests/vectors/json, trees, canonical text, limits, messages, the reader and the
 * tape, the writer's refusals, and every allocation failing in turn. */
#include "symbi/json.h"
#include "test.h"

static symbi_ctx *g_cx;

static symbi_str raw(const char *z) { return symbi_str_z(z); }

static symbi_text write_or_fail(const symbi_value *v, unsigned flags)
{
    symbi_text t;
    symbi_err e;
    CHECK_OK(symbi_json_write(g_cx, v, flags, &t, &e), e);
    return t;
}

static symbi_doc *parse_or_null(symbi_str s)
{
    symbi_doc *d = NULL;
    symbi_err e;
    CHECK_OK(symbi_json_parse(g_cx, s, &d, &e), e);
    return d;
}

/* ---- the cases ---- */

/* Decodes "hex:..." in place. */
static size_t field(char *s)
{
    size_t n = 0;
    if (strncmp(s, "hex:", 4)) return strlen(s);
    for (const char *p = s + 4; p[0] && p[1]; p += 2) {
        char two[3] = { p[0], p[1], 0 };
        s[n++] = (char)strtoul(two, NULL, 16);
    }
    return n;
}

static void one_case(const char *name, bool accept, symbi_str text, symbi_str canon)
{
    symbi_doc *d = NULL, *back = NULL;
    symbi_err e;
    symbi_text t;
    char *exact = malloc(text.n ? text.n : 1); /* so that the sanitizer sees a read past the end */
    symbi_str s = { exact, text.n };
    symbi_status st;
    memcpy(exact, text.p, text.n);
    st = symbi_json_parse(g_cx, s, &d, &e);
    if ((st == SYMBI_OK) != accept) {
        printf("case \"%s\": %s: %s\n", name, symbi_status_name(st), st ? e.msg : "accepted");
        CHECK(0);
    }
    if (st) {
        CHECK(d == NULL && e.code == st && e.msg[0] && st == SYMBI_EPARSE);
        CHECK(e.line >= 1 && (e.col >= 1 || strstr(e.msg, "duplicate")));
    } else {
        t = write_or_fail(symbi_doc_root(d), SYMBI_JSON_CANONICAL);
        if (accept && (t.n != canon.n || memcmp(t.p, canon.p, t.n))) {
            printf("case \"%s\": canonical text is %s\n", name, t.p);
            CHECK(0);
        }
        symbi_text_free(&t);
        for (unsigned flags = 0; flags <= SYMBI_JSON_PRETTY; flags++) { /* plain and pretty text read back as the same value */
            t = write_or_fail(symbi_doc_root(d), flags);
            back = parse_or_null(symbi_text_str(&t));
            CHECK(back && symbi_value_equal(symbi_doc_root(d), symbi_doc_root(back)));
            symbi_doc_unref(back);
            symbi_text_free(&t);
        }
    }
    symbi_doc_unref(d);
    free(exact);
}

static void test_cases(void)
{
    static char line[16384];
    FILE *f = fopen("tests/vectors/json/cases.tsv", "rb");
    int accepted = 0, rejected = 0;
    REQUIRE(f);
    while (fgets(line, sizeof line, f)) {
        char *name = line, *expect, *text, *canon;
        symbi_str t, c;
        bool accept;
        if (*line == '#') continue;
        line[strcspn(line, "\n")] = 0;
        expect = strchr(name, '\t');
        REQUIRE(expect);
        *expect++ = 0;
        text = strchr(expect, '\t');
        REQUIRE(text);
        *text++ = 0;
        canon = strchr(text, '\t');
        REQUIRE(canon);
        *canon++ = 0;
        accept = strcmp(expect, "accept") == 0;
        REQUIRE(accept || strcmp(expect, "reject") == 0);
        t.p = text;
        t.n = field(text);
        c.p = canon;
        c.n = field(canon);
        one_case(name, accept, t, c);
        accept ? accepted++ : rejected++;
    }
    fclose(f);
    CHECK(accepted > 100 && rejected > 250);
}

/* ---- trees ---- */

static void test_tree(void)
{
    symbi_doc *d = parse_or_null(raw("{\n \"i\": -7, \"d\": 2.0,\n \"s\": \"a\\u00e9\\n\", \"a\": [true, null,\n {}], \"big\": 9223372036854775807}"));
    const symbi_value *r, *v;
    REQUIRE(d);
    r = symbi_doc_root(d);
    CHECK(r->kind == SYMBI_OBJECT && r->u.o.n == 5 && r->line == 1);
    CHECK_STR(r->u.o.members[0].key, "i"); /* document order */
    CHECK_STR(r->u.o.members[4].key, "big");
    v = symbi_value_getz(r, "i");
    CHECK(v && v->kind == SYMBI_INT && v->u.i == -7 && v->line == 2);
    v = symbi_value_getz(r, "d");
    CHECK(v && v->kind == SYMBI_DOUBLE && v->u.d == 2.0);
    v = symbi_value_getz(r, "s");
    CHECK(v && v->kind == SYMBI_STRING && v->line == 3);
    CHECK_STR(v->u.s, "a\xc3\xa9\n");
    CHECK(v->u.s.p[v->u.s.n] == 0);
    v = symbi_value_getz(r, "a");
    CHECK(v && v->kind == SYMBI_ARRAY && v->u.a.n == 3);
    CHECK(v->u.a.items[0].kind == SYMBI_BOOL && v->u.a.items[0].u.b && v->u.a.items[1].kind == SYMBI_NULL);
    CHECK(v->u.a.items[2].kind == SYMBI_OBJECT && v->u.a.items[2].u.o.n == 0 && v->u.a.items[2].line == 4);
    v = symbi_value_getz(r, "big");
    CHECK(v && v->kind == SYMBI_INT && v->u.i == INT64_MAX);
    symbi_doc_unref(d);
}

static void test_writes(void)
{
    static const struct {
        const char *in, *plain, *pretty;
    } t[] = {
        { "{ \"b\" : [1, 2.0, -0.0, {\"x\":[]}], \"a\":{} }", "{\"b\":[1,2.0,-0.0,{\"x\":[]}],\"a\":{}}",
          "{\n  \"b\": [\n    1,\n    2.0,\n    -0.0,\n    {\n      \"x\": []\n    }\n  ],\n  \"a\": {}\n}" },
        { "[]", "[]", "[]" },
        { "\"\\u007f/\\u2028\"", "\"\x7f/\xe2\x80\xa8\"", "\"\x7f/\xe2\x80\xa8\"" },
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        symbi_doc *d = parse_or_null(raw(t[i].in));
        symbi_text w;
        REQUIRE(d);
        w = write_or_fail(symbi_doc_root(d), 0);
        CHECK_STR(symbi_text_str(&w), t[i].plain);
        CHECK(w.p[w.n] == 0);
        symbi_text_free(&w);
        w = write_or_fail(symbi_doc_root(d), SYMBI_JSON_PRETTY);
        CHECK_STR(symbi_text_str(&w), t[i].pretty);
        symbi_text_free(&w);
        symbi_doc_unref(d);
    }
}

static void test_writer_refuses(void)
{
    symbi_value bad = { .kind = SYMBI_STRING, .u = { .s = { "\xff", 1 } } };
    symbi_value nan_v = { .kind = SYMBI_DOUBLE, .line = 3 }, time_v = { .kind = SYMBI_TIME, .sub = SYMBI_TIME_LOCAL_DATE, .u = { .s = { "2024-01-02", 10 } } };
    symbi_value one = { .kind = SYMBI_INT, .u = { .i = 1 } }, odd = { .kind = 77 };
    symbi_member dup[20], badkey = { { "a\xc3", 2 }, { .kind = SYMBI_NULL } };
    symbi_value obj = { .kind = SYMBI_OBJECT, .u = { .o = { dup, 2 } } };
    static symbi_value deep[3000];
    char names[20][4];
    symbi_text t;
    symbi_err e;
    double zero = 0;
    nan_v.u.d = zero / zero;
    CHECK(symbi_json_write(g_cx, &bad, 0, &t, &e) == SYMBI_ESCHEMA && strstr(e.msg, "UTF-8") && !t.p);
    CHECK(symbi_json_write(g_cx, &nan_v, 0, &t, &e) == SYMBI_ESCHEMA && e.line == 3 && !t.p);
    nan_v.u.d = 1 / zero;
    CHECK(symbi_json_write(g_cx, &nan_v, SYMBI_JSON_CANONICAL, &t, &e) == SYMBI_ESCHEMA);
    CHECK(symbi_json_write(g_cx, &odd, 0, &t, &e) == SYMBI_EINVAL);
    CHECK(symbi_json_write(g_cx, &one, 64, &t, &e) == SYMBI_EINVAL);
    CHECK(symbi_json_write(g_cx, &one, SYMBI_JSON_CANONICAL | SYMBI_JSON_PRETTY, &t, &e) == SYMBI_EINVAL);
    t = write_or_fail(&time_v, 0);
    CHECK_STR(symbi_text_str(&t), "\"2024-01-02\"");
    symbi_text_free(&t);
    for (size_t n = 2; n <= 20; n += 18) { /* few and many members */
        for (size_t i = 0; i < n; i++) {
            snprintf(names[i], sizeof names[i], "k%zu", i);
            dup[i].key = raw(names[i]);
            dup[i].val = one;
        }
        dup[n - 1].key = dup[0].key;
        obj.u.o.n = n;
        CHECK(symbi_json_write(g_cx, &obj, 0, &t, &e) == SYMBI_ESCHEMA && strstr(e.msg, "k0") && !t.p);
        CHECK(symbi_json_write(g_cx, &obj, SYMBI_JSON_CANONICAL, &t, &e) == SYMBI_ESCHEMA && strstr(e.msg, "k0"));
    }
    obj.u.o.members = &badkey;
    obj.u.o.n = 1;
    CHECK(symbi_json_write(g_cx, &obj, 0, &t, &e) == SYMBI_ESCHEMA);
    for (size_t i = 0; i < 3000; i++) {
        deep[i].kind = SYMBI_ARRAY;
        deep[i].u.a.items = i ? &deep[i - 1] : NULL;
        deep[i].u.a.n = i != 0;
    }
    CHECK(symbi_json_write(g_cx, &deep[127], 0, &t, &e) == SYMBI_OK);
    symbi_text_free(&t);
    CHECK(symbi_json_write(g_cx, &deep[128], 0, &t, &e) == SYMBI_ELIMIT);
    symbi_ctx_limits(g_cx)->doc_depth = 1000000; /* no limit reaches above SYMBI_JSON_MAX_DEPTH */
    CHECK(symbi_json_write(g_cx, &deep[SYMBI_JSON_MAX_DEPTH - 1], 0, &t, &e) == SYMBI_OK);
    symbi_text_free(&t);
    CHECK(symbi_json_write(g_cx, &deep[SYMBI_JSON_MAX_DEPTH], 0, &t, &e) == SYMBI_ELIMIT);
    symbi_limits_default(symbi_ctx_limits(g_cx));
}

static void test_output_limit(void)
{
    char s[300];
    symbi_text t;
    symbi_err e;
    for (int kind = 0; kind < 3; kind++) {
        symbi_value v = { .kind = SYMBI_STRING };
        size_t full;
        memset(s, kind == 1 ? 1 : 'a', sizeof s);
        v.u.s.p = s;
        v.u.s.n = kind == 2 ? 1 : sizeof s;
        t = write_or_fail(&v, 0);
        full = t.n;
        CHECK(full == (kind == 0 ? 302 : kind == 1 ? 1802 : 3));
        symbi_text_free(&t);
        symbi_ctx_limits(g_cx)->output_bytes = full;
        CHECK(symbi_json_write(g_cx, &v, 0, &t, &e) == SYMBI_OK);
        symbi_text_free(&t);
        symbi_ctx_limits(g_cx)->output_bytes = full - 1;
        CHECK(symbi_json_write(g_cx, &v, 0, &t, &e) == SYMBI_ELIMIT && !t.p);
        symbi_limits_default(symbi_ctx_limits(g_cx));
    }
}

/* Sorting of many members, against the order of the keys as they were made. */
static void test_canonical_many(void)
{
    enum { N = 1000 };
    static symbi_member m[N];
    static char names[N][8];
    symbi_value v = { .kind = SYMBI_OBJECT, .u = { .o = { m, N } } };
    symbi_text t;
    const char *p;
    for (size_t i = 0; i < N; i++) {
        size_t k = i * 617 % N; /* a permutation */
        snprintf(names[i], sizeof names[i], "%05zu", k);
        m[i].key = raw(names[i]);
        m[i].val.kind = SYMBI_INT;
        m[i].val.u.i = (int64_t)k;
    }
    t = write_or_fail(&v, SYMBI_JSON_CANONICAL);
    p = t.p;
    for (int i = 0; i < N; i++) {
        char want[32];
        int n = snprintf(want, sizeof want, "%c\"%05d\":%d", i ? ',' : '{', i, i);
        REQUIRE(strncmp(p, want, (size_t)n) == 0);
        p += n;
    }
    CHECK(strcmp(p, "}") == 0);
    symbi_text_free(&t);
}

/* ---- limits ---- */

static symbi_status parse_status(const char *z, size_t n, symbi_err *e)
{
    symbi_doc *d = NULL;
    symbi_str s = { z, n };
    symbi_status st = symbi_json_parse(g_cx, s, &d, e);
    CHECK((st == SYMBI_OK) == (d != NULL));
    symbi_doc_unref(d);
    return st;
}

static void test_limits(void)
{
    static char text[200000];
    symbi_err e;
    for (int kind = 0; kind < 2; kind++) {
        const char *open = kind ? "{\"a\":" : "[", *close = kind ? "}" : "]";
        for (size_t depth = 127; depth <= 129; depth++) {
            char *p = text;
            for (size_t i = 0; i < depth; i++) p += sprintf(p, "%s", open);
            p += sprintf(p, "1");
            for (size_t i = 0; i < depth; i++) p += sprintf(p, "%s", close);
            CHECK(parse_status(text, (size_t)(p - text), &e) == (depth <= 128 ? SYMBI_OK : SYMBI_ELIMIT));
        }
        CHECK(e.line == 1 && e.col == 128 * strlen(open) + 1 && strstr(e.msg, "128"));
    }
    memset(text, '[', sizeof text);
    CHECK(parse_status(text, sizeof text, &e) == SYMBI_ELIMIT);
    symbi_ctx_limits(g_cx)->doc_depth = 1u << 30;
    CHECK(parse_status(text, sizeof text, &e) == SYMBI_ELIMIT && strstr(e.msg, "2048"));
    symbi_limits_default(symbi_ctx_limits(g_cx));

    symbi_ctx_limits(g_cx)->doc_bytes = 10;
    CHECK(parse_status("[1,2,3,44]", 10, &e) == SYMBI_OK);
    CHECK(parse_status("[1,2,3,44] ", 11, &e) == SYMBI_ELIMIT);
    symbi_limits_default(symbi_ctx_limits(g_cx));

    symbi_ctx_limits(g_cx)->doc_nodes = 4;
    CHECK(parse_status("[1,{\"a\":2}]", 11, &e) == SYMBI_OK); /* array, 1, object, 2: keys do not count */
    CHECK(parse_status("[1,{\"a\":2},3]", 13, &e) == SYMBI_ELIMIT && e.col == 12);
    symbi_limits_default(symbi_ctx_limits(g_cx));

    symbi_ctx_limits(g_cx)->arena_bytes = 64;
    CHECK(parse_status("[1,2,3,4,5,6,7,8]", 17, &e) == SYMBI_ELIMIT);
    symbi_limits_default(symbi_ctx_limits(g_cx));
    CHECK(parse_status(NULL, 0, &e) == SYMBI_EPARSE);
}

/* ---- messages ---- */

static void test_messages(void)
{
    static const struct {
        const char *text;
        uint32_t line, col;
        const char *says;
    } t[] = {
        { "", 1, 1, "empty" },
        { "{\n  'a': 1}", 2, 3, "double quotes" },
        { "['a']", 1, 2, "double quotes, not with '" },
        { "[1,\n 2,\n]", 3, 1, "remove the ','" },
        { "{\"a\":1,}", 1, 8, "remove the ','" },
        { "[1] // x", 1, 5, "no comments" },
        { "{\"a\": NaN}", 1, 7, "use null or a string" },
        { "[-Infinity]", 1, 3, "use null or a string" },
        { "[True]", 1, 2, "write true, not True" },
        { "[nil]", 1, 2, "write null, not nil" },
        { "[01]", 1, 2, "leading zeros" },
        { "[0x10]", 1, 3, "hexadecimal" },
        { "[.5]", 1, 2, "0.5" },
        { "[+1]", 1, 2, "'+'" },
        { "[1.]", 1, 4, "digit after '.'" },
        { "[1e]", 1, 4, "exponent" },
        { "[\"a\tb\"]", 1, 4, "\\t" },
        { "[\"a\nb\"]", 1, 4, "\\n" },
        { "[\"\x01\"]", 1, 3, "\\u0001" },
        { "[\"\\ud800x\"]", 1, 3, "second half" },
        { "[\"\\udc00\"]", 1, 3, "first half" },
        { "[\"\\x41\"]", 1, 3, "\\u00" },
        { "[\"\\q\"]", 1, 3, "unknown escape \\q" },
        { "[\"abc", 1, 2, "not closed" },
        { "\xef\xbb\xbf{}", 1, 1, "byte order mark" },
        { "\xff\xfe", 1, 1, "UTF-16" },
        { "[\"\xe9\"]", 1, 3, "UTF-8" },
        { "[1 2]", 1, 4, "comma is missing" },
        { "{\"a\" 1}", 1, 6, "':'" },
        { "{\"a\"=1}", 1, 5, "not '='" },
        { "{a:1}", 1, 2, "\"a\"" },
        { "{} {}", 1, 4, "after the end" },
        { "[1,\n2", 2, 2, "ends inside an array" },
        { "{\"a\":1", 1, 7, "ends inside an object" },
        { "[9223372036854775808]", 1, 2, "9223372036854775808 is beyond 64 bits" },
        { "[1e999]", 1, 2, "too large" },
        { "{\"a\":1,\n \"b\":2, \"a\":3}", 2, 9, "duplicate key \"a\" (first on line 1)" },
        { "[1]]", 1, 4, "after the end" },
        { "[1}", 1, 3, "expected ',' or ']', got '}'" },
        { "[\r\n\t,]", 2, 2, "before ','" },
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        symbi_err e;
        CHECK(parse_status(t[i].text, strlen(t[i].text), &e) == SYMBI_EPARSE);
        if (e.line != t[i].line || e.col != t[i].col || !strstr(e.msg, t[i].says)) {
            printf("%s: %u:%u: %s\n", t[i].text, e.line, e.col, e.msg);
            CHECK(0);
        }
    }
}

/* ---- reader, tape, pieces ---- */

static void test_reader(void)
{
    static const char text[] = "{\"a\\n\":[1,2.5,\"x\"],\n\"b\":{},\"c\":[true,false,null],\"n\":99999999999999999999}";
    static const uint8_t want[] = { SYMBI_JSON_OBJECT, SYMBI_JSON_KEY, SYMBI_JSON_ARRAY, SYMBI_JSON_INT, SYMBI_JSON_DOUBLE, SYMBI_JSON_STRING, SYMBI_JSON_END,
                                    SYMBI_JSON_KEY, SYMBI_JSON_OBJECT, SYMBI_JSON_END, SYMBI_JSON_KEY, SYMBI_JSON_ARRAY, SYMBI_JSON_BOOL, SYMBI_JSON_BOOL,
                                    SYMBI_JSON_NULL, SYMBI_JSON_END, SYMBI_JSON_KEY, SYMBI_JSON_BIGINT_TEXT, SYMBI_JSON_END, SYMBI_JSON_EOF, SYMBI_JSON_EOF };
    symbi_json_reader r;
    symbi_json_token t;
    symbi_err e;
    char buf[16];
    symbi_json_reader_init(&r, raw(text), 2, SYMBI_JSON_BIGINT);
    for (size_t i = 0; i < sizeof want; i++) {
        CHECK_OK(symbi_json_next(&r, &t, &e), e);
        CHECK(t.event == want[i]);
        if (i == 1) {
            CHECK(t.escaped && t.line == 1 && t.col == 2);
            CHECK_STR(((symbi_str){ buf, symbi_json_unescape(t.u.s, buf) }), "a\n");
        }
        if (i == 7) CHECK(!t.escaped && t.line == 2 && t.col == 1);
        if (i == 17) CHECK_STR(t.u.s, "99999999999999999999");
    }
    symbi_json_reader_init(&r, raw("[}"), 2, 0);
    CHECK(symbi_json_next(&r, &t, &e) == SYMBI_OK);
    CHECK(symbi_json_next(&r, &t, &e) == SYMBI_EPARSE);
    CHECK(symbi_json_next(&r, &t, &e) == SYMBI_ESTATE);
}

static void test_tape(void)
{
    symbi_json_tape *t = NULL;
    symbi_json_view v;
    symbi_err e;
    REQUIRE(symbi_json_tape_new(g_cx, &t, &e) == SYMBI_OK);
    CHECK(symbi_json_tape_read(t, raw("[1,"), 0, &v, &e) == SYMBI_EPARSE && v.n == 0);
    CHECK_OK(symbi_json_tape_read(t, raw("[{\"a\":[1,2],\"\\t\":\"\\u0041\"},{}]"), 0, &v, &e), e);
    CHECK(v.n == 9 && v.strings == 3 && v.string_bytes == 3);
    CHECK(v.items[0].kind == SYMBI_JSON_ARRAY && v.items[0].u.c.n == 2 && v.items[0].u.c.end == 9);
    CHECK(v.items[1].kind == SYMBI_JSON_OBJECT && v.items[1].u.c.n == 2 && v.items[1].u.c.end == 8);
    CHECK(v.items[3].kind == SYMBI_JSON_ARRAY && v.items[3].u.c.end == 6);
    CHECK(v.items[7].escaped && v.items[7].u.s.len == 1 && v.base[1][v.items[7].u.s.off] == 'A');
    symbi_json_tape_trim(t, 0);
    CHECK_OK(symbi_json_tape_read(t, raw("18446744073709551616"), SYMBI_JSON_BIGINT, &v, &e), e);
    CHECK(v.n == 1 && v.items[0].kind == SYMBI_JSON_BIGINT_TEXT && v.items[0].u.s.len == 20);
    symbi_json_tape_free(t);
    symbi_json_tape_free(NULL);
}

/* The line of the first of two keys, among many. */
static void test_duplicate_among_many(void)
{
    char text[8192];
    size_t n = (size_t)sprintf(text, "{");
    symbi_err e;
    for (int i = 0; i < 100; i++) n += (size_t)sprintf(text + n, "\"key%d\":[{\"key7\":1}],\n", i);
    n += (size_t)sprintf(text + n, "  \"key41\":0}");
    CHECK(parse_status(text, n, &e) == SYMBI_EPARSE && e.line == 101 && e.col == 3);
    CHECK(strcmp(e.msg, "duplicate key \"key41\" (first on line 42)") == 0);
}

/* Escapes at every distance from the end of the buffer's memory (the sanitizer watches), and pieces at the limit. */
static void test_pieces(void)
{
    char s[500];
    symbi_json_out o;
    for (size_t n = 0; n < 400; n++) {
        symbi_str str = { s, n };
        memset(s, n % 2 ? 1 : '"', sizeof s);
        if (n > 50) memset(s, 'x', n % 50);
        symbi_json_out_init(g_cx, &o);
        symbi_json_out_string(&o, str);
        CHECK(!o.status && o.n == 2 + (n > 50 ? n % 50 : 0) + (n - (n > 50 ? n % 50 : 0)) * (n % 2 ? 6 : 2));
        symbi_json_out_free(&o);
    }
    symbi_ctx_limits(g_cx)->output_bytes = 4;
    for (int i = 0; i < 8; i++) {
        symbi_json_out_init(g_cx, &o);
        switch (i) {
        case 0: symbi_json_out_int(&o, 1234); break;
        case 1: symbi_json_out_double(&o, 0.25, 0); break;
        case 2: symbi_json_out_string(&o, raw("ab")); break;
        case 3: symbi_json_out_raw(&o, raw("true")); break;
        case 4: symbi_json_out_int(&o, 12345); break;
        case 5: symbi_json_out_double(&o, 0.125, 0); break;
        case 6: symbi_json_out_string(&o, raw("a\n")); break;
        default: symbi_json_out_raw(&o, raw("false")); break;
        }
        CHECK(o.status == (i < 4 ? SYMBI_OK : SYMBI_ELIMIT));
        symbi_json_out_int(&o, 1); /* sticky: one more never fits */
        CHECK(o.status == SYMBI_ELIMIT);
        symbi_json_out_free(&o);
    }
    symbi_limits_default(symbi_ctx_limits(g_cx));
}

/* Many objects with many keys each, after one huge object: time stays linear. */
static void test_no_quadratic_keys(void)
{
    size_t cap = 8u << 20, n = 0;
    char *z = malloc(cap);
    symbi_err e;
    int64_t start = symbi_ctx_mono_ms(g_cx);
    REQUIRE(z);
    n += (size_t)sprintf(z + n, "[{");
    for (unsigned i = 0; i < 200000; i++) n += (size_t)sprintf(z + n, "%s\"%x\":0", i ? "," : "", i * 2654435761u);
    z[n++] = '}';
    for (int k = 0; k < 4000; k++) {
        n += (size_t)sprintf(z + n, ",{");
        for (int i = 0; i < 40; i++) n += (size_t)sprintf(z + n, "%s\"%d\":0", i ? "," : "", i);
        z[n++] = '}';
    }
    z[n++] = ']';
    CHECK(n < cap);
    CHECK(parse_status(z, n, &e) == SYMBI_OK);
    CHECK(symbi_ctx_mono_ms(g_cx) - start < 5000);
    free(z);
}

static void test_key_order(void)
{
    CHECK(symbi_json_key_cmp(raw("a"), raw("b")) < 0);
    CHECK(symbi_json_key_cmp(raw("b"), raw("a")) > 0);
    CHECK(symbi_json_key_cmp(raw("a"), raw("a")) == 0);
    CHECK(symbi_json_key_cmp(raw(""), raw("a")) < 0);
    CHECK(symbi_json_key_cmp(raw("a"), raw("ab")) < 0);
    CHECK(symbi_json_key_cmp(raw("\xf0\x90\x80\x80"), raw("\xee\x80\x80")) < 0);
    CHECK(symbi_json_key_cmp(raw("\xf0\x90\x80\x80"), raw("\xed\x9f\xbf")) > 0);
    CHECK(symbi_json_key_cmp(raw("\xf4\x8f\xbf\xbf"), raw("\xef\xbf\xbf")) < 0);
    CHECK(symbi_json_key_cmp(raw("\xf4\x8f\xbf\xbf"), raw("\xf3\x8f\xbf\xbf")) > 0);
    CHECK(symbi_json_key_cmp(raw("\xee\x80\x80"), raw("\xef\x80\x80")) < 0);
}

/* ---- out of memory ---- */

static symbi_status oom_scenario(symbi_ctx *cx, void *ud)
{
    static const char head[] = "{\"list\":[1,2.5,\"a\\nb\",null,true,{\"deep\":[[[[\"\\u00e9\"]]]]}]";
    char text[4096];
    symbi_doc *d = NULL;
    symbi_text t;
    symbi_status st;
    size_t n = (size_t)sprintf(text, "%s", head);
    (void)ud;
    for (int i = 0; i < 100; i++) n += (size_t)sprintf(text + n, ",\"key%d\":\"value %d\"", i, i); /* large enough for the map */
    text[n++] = '}';
    st = symbi_json_parse(cx, (symbi_str){ text, n }, &d, NULL);
    if (st) return st;
    for (unsigned flags = 0; flags <= SYMBI_JSON_CANONICAL && !st; flags++) {
        st = symbi_json_write(cx, symbi_doc_root(d), flags, &t, NULL);
        symbi_text_free(&t);
    }
    symbi_doc_unref(d);
    return st;
}

static void test_out_of_memory(void)
{
    test_oom(oom_scenario, NULL, SYMBI_OK);
}

int main(void)
{
    symbi_err e;
    if (symbi_ctx_new(NULL, &g_cx, &e)) return 1;
    RUN(test_cases);
    RUN(test_tree);
    RUN(test_writes);
    RUN(test_writer_refuses);
    RUN(test_output_limit);
    RUN(test_canonical_many);
    RUN(test_limits);
    RUN(test_messages);
    RUN(test_reader);
    RUN(test_tape);
    RUN(test_duplicate_among_many);
    RUN(test_pieces);
    RUN(test_no_quadratic_keys);
    RUN(test_key_order);
    RUN(test_out_of_memory);
    symbi_ctx_free(g_cx);
    return test_end();
}
