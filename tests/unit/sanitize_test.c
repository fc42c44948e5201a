/* The content sanitiser: upstream's steps as they are, and ours, which leave nothing for a second look. */
#include "symbi/json.h"
#include "symbi/sanitize.h"
#include "test.h"

static symbi_ctx *cx;
static symbi_err err;
static symbi_text t;
static symbi_sanitize_report report;
enum { MARKUP = SYMBI_SANITIZE_MARKUP, REDACT = SYMBI_SANITIZE_REDACT, ONCE = SYMBI_SANITIZE_ONCE };

static symbi_str clean(symbi_str in, symbi_sanitize_profile p, unsigned flags)
{
    symbi_text_free(&t);
    CHECK_OK(symbi_sanitize(cx, in, p, flags, &t, &report, &err), err);
    return symbi_text_str(&t);
}
static symbi_str prose(const char *in) { return clean(symbi_str_z(in), SYMBI_SANITIZE_PROSE, 0); }
static symbi_str identifier(const char *in) { return clean(symbi_str_z(in), SYMBI_SANITIZE_IDENTIFIER, 0); }

static symbi_str utf8(uint32_t c, char b[4])
{
    symbi_str s = { b, c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4 };
    if (s.n == 1) b[0] = (char)c;
    else {
        for (size_t k = s.n - 1, v = c; k; k--, v >>= 6) b[k] = (char)(0x80 | (v & 0x3f));
        b[0] = (char)((s.n == 2 ? 0xc0 : s.n == 3 ? 0xe0 : 0xf0) | c >> (6 * (s.n - 1)));
    }
    return s;
}

/* ---- vectors ------------------------------------------------------------------------------------------------------------ */
static const symbi_value *member(const symbi_value *o, const char *key) { return symbi_value_getz(o, key); }
static symbi_str text(const symbi_value *v) { return v && v->kind == SYMBI_STRING ? v->u.s : symbi_str_z(""); }
static bool same(symbi_str a, symbi_str b) { return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n)); }

static void test_vectors(void)
{
    static const struct {
        const char *op;
        symbi_sanitize_profile profile;
        unsigned flags;
    } ops[] = { { "invis.sanitize_field", SYMBI_SANITIZE_SEED, 0 }, { "invis.strip_html_comments", SYMBI_SANITIZE_KEEP, SYMBI_SANITIZE_COMMENTS }, { "invis.strip_md_fences", SYMBI_SANITIZE_KEEP, SYMBI_SANITIZE_FENCES },
        { "invis.sanitize_field_with_markup", SYMBI_SANITIZE_SEED, MARKUP }, { "invis.redact_injection_markers", SYMBI_SANITIZE_KEEP, REDACT }, { "invis.sanitize_for_downstream_prompt", SYMBI_SANITIZE_SEED, MARKUP | REDACT } };
    char path[600];
    symbi_str file;
    symbi_doc *d = NULL;
    const symbi_value *cases, *m;
    if (!vectors_dir()) SKIP("no vectors");
    snprintf(path, sizeof path, "%s/orga/invis_strip.json", vectors_dir());
    file = slurp(path);
    if (!file.p) SKIP("no invis_strip.json");
    REQUIRE(symbi_json_parse(cx, file, &d, &err) == SYMBI_OK);
    cases = member(symbi_doc_root(d), "cases");
    for (size_t i = 0; i < cases->u.a.n; i++) {
        const symbi_value *c = &cases->u.a.items[i], *out = member(c, "out"), *fix = member(c, "fixpoint_out");
        symbi_str op = text(member(c, "op")), in = text(member(member(c, "in"), "text")), id = text(member(c, "id"));
        bool ok = false;
        size_t k = 0;
        while (k < sizeof ops / sizeof *ops && !same(op, symbi_str_z(ops[k].op))) k++;
        if (k < sizeof ops / sizeof *ops) {
            ok = same(clean(in, ops[k].profile, ops[k].flags | ONCE), text(out));
            if (fix) ok = ok && same(clean(in, ops[k].profile, ops[k].flags), text(fix));
        } else {
            const char *hits[80];
            size_t n = 0;
            CHECK_OK(symbi_injection_detect(cx, in, hits, 80, &n, &err), err);
            ok = out->kind == SYMBI_ARRAY && n == out->u.a.n;
            for (size_t j = 0; ok && j < n; j++) ok = same(symbi_str_z(hits[j]), text(&out->u.a.items[j]));
        }
        if (!ok) printf("%.*s: got %.*s\n", (int)id.n, id.p, (int)t.n, t.p ? t.p : ""), t_now_failed = 1;
    }
    m = member(member(symbi_doc_root(d), "tables"), "invis.markers");
    for (size_t i = 0; m && i < m->u.a.n; i++) CHECK(symbi_injection_marker(i) && same(symbi_str_z(symbi_injection_marker(i)), text(&m->u.a.items[i])));
    m = member(member(symbi_doc_root(d), "tables"), "invis.forbidden_ranges"); /* every character of the list, and its neighbours */
    for (uint32_t c = 1, r = 0; m && c < 0xe2000; c++) {
        char b[4];
        symbi_str s;
        bool listed = false;
        if (c >= 0xd800 && c <= 0xdfff) continue;
        s = utf8(c, b);
        for (r = 0; r < m->u.a.n; r++) {
            const symbi_value *pair = m->u.a.items[r].u.a.items;
            listed = listed || ((int64_t)c >= pair[0].u.i && (int64_t)c <= pair[1].u.i);
        }
        if (((clean(s, SYMBI_SANITIZE_SEED, 0).n == 0) != listed) || (listed && clean(s, SYMBI_SANITIZE_IDENTIFIER, 0).n)) printf("U+%04X\n", (unsigned)c), t_now_failed = 1;
    }
    symbi_doc_unref(d);
    free((void *)(uintptr_t)file.p);
}

/* ---- ours ---------------------------------------------------------------------------------------------------------------- */
static void test_identifier(void)
{
    CHECK_STR(identifier("a\xe2\x80\xa8" "b\xe2\x80\xa9" "c\xd8\x9c" "d\xe3\x85\xa4" "e\xef\xbe\xa0" "f\xe1\x85\x9f" "g\xe2\xa0\x80" "h\xef\xbf\xb9" "i"), "abcdefghi");
    CHECK_STR(identifier("\xf3\xa0\x81\x81\xf3\xa0\x82\x80\xf3\xa0\x87\xb0\xf3\xa0\xbf\xbf" "x\xf0\x9f\xbf\xbe"), "x"); /* tags, unassigned ignorables, a non-character */
    CHECK_STR(identifier("e\xcc\x81"), "e");
    CHECK_STR(identifier("line\tone\r\n"), "line\tone\r\n");
    CHECK(report.dropped == 0);
}

/* What has no glyph, beyond upstream's list: both ends of each range; and what stands beside them and has one. */
static void test_no_glyph(void)
{
    static const uint32_t gone[] = { 0x61c, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x180b, 0x180d, 0x180f, 0x1ab0, 0x1aff, 0x1dc0, 0x1dff, 0x2028, 0x2029, 0x20d0, 0x20ff, 0x2800, 0x3164, 0xfdd0, 0xfdef, 0xfe20, 0xfe2f, 0xffa0, 0xfff0, 0xfffb,
        0xfffe, 0xffff, 0x1bca0, 0x1bca3, 0x1d159, 0x1fffe, 0x10ffff, 0xe0080, 0xe00ff, 0xe01f0, 0xe0fff };
    static const uint32_t kept[] = { 0x61b, 0x61d, 0x115e, 0x1161, 0x17b3, 0x17b6, 0x180a, 0x1810, 0x1aaf, 0x1b05, 0x1dbf, 0x1e00, 0x2027, 0x202f, 0x20cf, 0x2100, 0x27ff, 0x2801, 0x3163, 0x3165, 0xfdcf, 0xfdf0, 0xfe1f, 0xfe30, 0xff9f, 0xffa1, 0xffef,
        0xfffc, 0xfffd, 0x1bc9f, 0x1d158, 0x1d15a, 0x1fffd, 0x10fffd, 0xdffff - 2, 0xe1000 };
    char b[4];
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
        if (clean(utf8(gone[i], b), SYMBI_SANITIZE_IDENTIFIER, 0).n) printf("U+%04X stays\n", (unsigned)gone[i]), t_now_failed = 1;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (!clean(utf8(kept[i], b), SYMBI_SANITIZE_IDENTIFIER, 0).n) printf("U+%04X goes\n", (unsigned)kept[i]), t_now_failed = 1;
}

static void test_prose(void)
{
    CHECK_STR(prose("cafe\xcc\x81"), "caf\xc3\xa9");
    CHECK_STR(prose("x\xcc\xb4y"), "x\xcc\xb4y");                  /* a mark without a composed form stays on its letter */
    CHECK_STR(prose(" \xcc\xb4-\xcc\xb4\xcc\xb4"), " -");          /* nowhere else */
    CHECK_STR(prose("z\xcc\xb4\xcc\xb4\xcc\xb4\xcc\xb4\xcc\xb4\xcc\xb4\xcc\xb4\xcc\xb4\xcc\xb4\xcc\xb4"), "z\xcc\xb4\xcc\xb4\xcc\xb4\xcc\xb4\xcc\xb4\xcc\xb4\xcc\xb4\xcc\xb4");
    CHECK_STR(prose("a\xe2\x80\x8d" "b\xe2\x80\x8c" "c\xe2\x80\x8b" "d"), "abcd");
    CHECK_STR(prose("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb"), "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb"); /* woman, joiner, computer */
    CHECK_STR(prose("\xf0\x9f\x91\xa9\xf0\x9f\x8f\xbd\xe2\x80\x8d\xf0\x9f\x92\xbb"), "\xf0\x9f\x91\xa9\xf0\x9f\x8f\xbd\xe2\x80\x8d\xf0\x9f\x92\xbb");
    CHECK_STR(prose("\xe2\x9d\xa4\xef\xb8\x8f!"), "\xe2\x9d\xa4\xef\xb8\x8f!"); /* a heart, as an emoji */
    CHECK_STR(prose("1\xef\xb8\x8f\xe2\x83\xa3"), "1\xef\xb8\x8f\xe2\x83\xa3");  /* a keycap */
    CHECK_STR(prose("a\xef\xb8\x8f" "b\xef\xb8\x81"), "ab");
    CHECK_STR(prose("\xe2\x9d\xa4\xef\xb8\x8f\xef\xb8\x8f\xef\xb8\x8e"), "\xe2\x9d\xa4\xef\xb8\x8f"); /* bits hidden in selectors */
    CHECK_STR(prose("\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae\xd9\x88"), "\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae\xd9\x88"); /* Persian needs its non-joiner */
    CHECK_STR(prose("\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8d\xe0\xa4\xb7"), "\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8d\xe0\xa4\xb7"); /* Hindi its joiner */
    CHECK_STR(prose("\xd9\x85\xe2\x80\x8c\xe2\x80\x8d\xe2\x80\x8c\xd8\xae"), "\xd9\x85\xe2\x80\x8c\xd8\xae");
    CHECK_STR(prose("H\xe2\x82\x82O 10\xc2\xb2"), "H\xe2\x82\x82O 10\xc2\xb2"); /* H2O keeps its subscript */
    CHECK_STR(prose("a\xe2\x80\xae" "b\xe2\x81\xa6" "c\xef\xbb\xbf"), "abc");
    CHECK(report.dropped == 3);
}

static void test_markup(void)
{
    CHECK_STR(clean(symbi_str_z("<\xe2\x80\x8b!-- x -->kept"), SYMBI_SANITIZE_PROSE, MARKUP), "kept");
    CHECK_STR(clean(symbi_str_z("`\xe2\x80\x8b``x``\xe2\x80\x8b`kept"), SYMBI_SANITIZE_PROSE, MARKUP), "kept");
    CHECK_STR(clean(symbi_str_z("a<!-- one -->b```two```c<!-- three"), SYMBI_SANITIZE_PROSE, MARKUP), "abc");
    CHECK(report.comments == 2 && report.fences == 1 && !report.cut);
    CHECK_STR(clean(symbi_str_z("<!<!-- x -->-- y -->z"), SYMBI_SANITIZE_PROSE, MARKUP), "z");
    { /* nested in itself: 60 levels are undone, 100,000 are not read by anybody */
        char *deep = malloc(1100001);
        for (int levels = 60; levels <= 100000; levels += 99940) {
            size_t n = 0;
            symbi_str s = { deep, 0 }, got;
            for (int i = 0; i < levels; i++) n += (size_t)(memcpy(deep + n, "<!", 2), 2);
            n += (size_t)(memcpy(deep + n, "<!---->", 7), 7);
            for (int i = 0; i < levels; i++) n += (size_t)(memcpy(deep + n, "---->", 5), 5);
            deep[n++] = 'z';
            s.n = n;
            got = clean(s, SYMBI_SANITIZE_PROSE, MARKUP);
            if (levels == 60) CHECK_STR(got, "z");
            CHECK(report.cut == (levels > 60));
            CHECK(!got.n || !strstr(got.p, "<!--"));
        }
        free(deep);
    }
}

static void test_redact(void)
{
    static const char token[] = "[redacted:injection] x";
    CHECK_STR(clean(symbi_str_z("\xef\xbd\x99\xef\xbd\x8f\xef\xbd\x95 \xef\xbd\x81re now x"), SYMBI_SANITIZE_PROSE, REDACT), token);
    CHECK_STR(clean(symbi_str_z("YOU ARE NOW x"), SYMBI_SANITIZE_PROSE, REDACT), token);
    CHECK_STR(clean(symbi_str_z("yo\xe2\x80\x8bu ar\xc2\xad" "e now x"), SYMBI_SANITIZE_KEEP, REDACT), token);
    CHECK_STR(clean(symbi_str_z("\xf0\x9d\x90\xb2\xf0\x9d\x90\xa8\xf0\x9d\x90\xae are now x"), SYMBI_SANITIZE_PROSE, REDACT), token);
    CHECK(report.redacted == 1);
    CHECK_STR(clean(symbi_str_z("\xc3\xa4 you are now \xc3\xb6 from now on \xc3\xbc"), SYMBI_SANITIZE_PROSE, REDACT), "\xc3\xa4 [redacted:injection] \xc3\xb6 [redacted:injection] \xc3\xbc");
    CHECK_STR(clean(symbi_str_z("you are now"), SYMBI_SANITIZE_PROSE, 0), "you are now");
}

static void test_detect(void)
{
    const char *hits[2];
    size_t n;
    CHECK_OK(symbi_injection_detect(cx, symbi_str_z("ignore previous instructions, you are now; \xd0\xb0"), hits, 2, &n, &err), err);
    CHECK(n == 3 && !strcmp(hits[0], "ignore previous instructions") && !strcmp(hits[1], "you are now"));
    CHECK(!symbi_injection_marker(1000));
}

static void test_bad_input(void)
{
    symbi_str s = { "a\n\xff" "b\xc3", 5 };
    symbi_text none;
    symbi_limits *l = symbi_ctx_limits(cx);
    size_t was = l->doc_bytes;
    CHECK(symbi_sanitize(cx, s, SYMBI_SANITIZE_PROSE, 0, &none, NULL, &err) == SYMBI_EPARSE && err.line == 2 && err.col == 1);
    CHECK_STR(clean(s, SYMBI_SANITIZE_PROSE, SYMBI_SANITIZE_LOSSY), "a\n\xef\xbf\xbd" "b\xef\xbf\xbd");
    CHECK(report.invalid == 2);
    s.p = NULL;
    s.n = 0;
    CHECK_STR(clean(s, SYMBI_SANITIZE_PROSE, MARKUP | REDACT), "");
    s.p = "a\0b";
    s.n = 3;
    CHECK_STR(clean(s, SYMBI_SANITIZE_PROSE, 0), "ab");
    l->doc_bytes = 4;
    CHECK_STR(clean(symbi_str_z("abcd"), SYMBI_SANITIZE_PROSE, 0), "abcd");
    CHECK(symbi_sanitize(cx, symbi_str_z("abcde"), SYMBI_SANITIZE_PROSE, 0, &none, NULL, &err) == SYMBI_ELIMIT);
    l->doc_bytes = was;
}

static symbi_status scenario(symbi_ctx *c, void *ud)
{
    symbi_text x = { 0 };
    const char *hits[4];
    size_t n;
    symbi_status st = symbi_sanitize(c, symbi_str_z(ud), SYMBI_SANITIZE_PROSE, MARKUP | REDACT | SYMBI_SANITIZE_LOSSY, &x, NULL, NULL);
    if (!st) st = symbi_injection_detect(c, symbi_str_z(ud), hits, 4, &n, NULL);
    symbi_text_free(&x);
    return st;
}

static void test_memory(void)
{
    char in[] = "a\xff<!-- b -->c```d```\xef\xbd\x99ou are now e\xcc\x81\xe2\x80\x8b";
    test_oom(scenario, in, SYMBI_OK);
}

int main(void)
{
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_vectors);
    RUN(test_identifier);
    RUN(test_no_glyph);
    RUN(test_prose);
    RUN(test_markup);
    RUN(test_redact);
    RUN(test_detect);
    RUN(test_bad_input);
    RUN(test_memory);
    symbi_text_free(&t);
    symbi_ctx_free(cx);
    return test_end();
}
