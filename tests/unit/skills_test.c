/* The reference profiles against the vectors: scan_content (seed and runtime), scan_dir (the folders, walked as each reference walks
 * them); custom rules, limits, suppressions, what was not read. */
#include "test.h"

#include "symbi/json.h"
#include "symbi/skills.h"

static symbi_ctx *cx;
static symbi_str Z(const char *z) { return symbi_str_z(z); }
static bool same(symbi_str a, symbi_str b) { return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n)); }

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

static symbi_skill_scan *scan_of(symbi_skill_profile p, const symbi_skill_custom *c, size_t n, unsigned flags)
{
    symbi_skill_scanner *s = NULL;
    symbi_skill_scan *scan = NULL;
    symbi_err err;
    CHECK_OK(symbi_skill_scanner_new(cx, p, c, n, flags, &s, &err), err);
    if (!s) return NULL;
    CHECK_OK(symbi_skill_scan_new(cx, s, &scan, &err), err);
    symbi_skill_scanner_unref(s);
    return scan;
}

static bool equal_pairs(const symbi_skill_scan *s, const symbi_value *want)
{
    if (symbi_skill_scan_count(s) != want->u.a.n) return false;
    for (size_t i = 0; i < want->u.a.n; i++) {
        const symbi_value *w = &want->u.a.items[i];
        const symbi_skill_finding *f = symbi_skill_scan_at(s, i);
        if (!same(f->rule, w->u.a.items[0].u.s) || (int64_t)f->line != w->u.a.items[1].u.i || !f->column) return false;
    }
    return true;
}

static void one_content(const symbi_value *c, symbi_skill_profile p, const char *key, const char *passed)
{
    symbi_skill_scan *s = scan_of(p, NULL, 0, 0);
    symbi_str id = symbi_value_str(c, "id", Z("?"));
    symbi_err err;
    CHECK_OK(symbi_skill_scan_content(s, Z("SKILL.md"), symbi_value_str(c, "content", Z("")), &err), err);
    if (!equal_pairs(s, symbi_value_getz(c, key)) || symbi_skill_scan_passed(s) != symbi_value_getz(c, passed)->u.b) printf("%s: %.*s\n", key, (int)id.n, id.p), t_now_failed = 1;
    symbi_skill_scan_free(s);
}

static void test_contents(void)
{
    symbi_doc *d = load("scan_content.json");
    const symbi_value *cases;
    if (!d) SKIP("no vectors");
    cases = symbi_value_getz(symbi_doc_root(d), "cases");
    for (size_t i = 0; i < cases->u.a.n; i++) {
        one_content(&cases->u.a.items[i], SYMBI_SKILL_SEED, "seed", "seed_passed");
        one_content(&cases->u.a.items[i], SYMBI_SKILL_RUNTIME, "runtime", "runtime_passed");
    }
    CHECK(cases->u.a.n > 100);
    symbi_doc_unref(d);
}

/* How well strict tells the labelled texts apart. */
static void test_labels(void)
{
    symbi_doc *d = load("scan_content.json");
    const symbi_value *cases;
    int bad = 0, found = 0, good = 0, blocked = 0;
    if (!d) SKIP("no vectors");
    cases = symbi_value_getz(symbi_doc_root(d), "cases");
    for (size_t i = 0; i < cases->u.a.n; i++) {
        const symbi_value *c = &cases->u.a.items[i];
        symbi_str label = symbi_value_str(c, "label", Z("")), id = symbi_value_str(c, "id", Z("?")), text = symbi_value_str(c, "content", Z(""));
        symbi_skill_scan *s = scan_of(SYMBI_SKILL_STRICT, NULL, 0, 0);
        symbi_err err;
        bool evil = same(label, Z("malicious")), passed;
        CHECK_OK(symbi_skill_scan_content(s, Z("SKILL.md"), text, &err), err);
        passed = symbi_skill_scan_passed(s);
        if (evil) bad++, found += !passed;
        else if (same(label, Z("benign"))) good++, blocked += !passed;
        if (getenv("SHOW") && (evil ? passed : !passed) && !same(label, Z("engine"))) {
            printf("%s %.*s: %.*s\n", evil ? "MISSED" : "BLOCKED", (int)id.n, id.p, (int)text.n, text.p);
            for (size_t k = 0; k < symbi_skill_scan_count(s); k++) {
                const symbi_skill_finding *f = symbi_skill_scan_at(s, k);
                printf("    %.*s %s %.*s\n", (int)f->rule.n, f->rule.p, symbi_skill_severity_name(f->severity), (int)f->how.n, f->how.p);
            }
        }
        symbi_skill_scan_free(s);
    }
    printf("strict: %d of %d malicious texts fail, %d of %d benign ones\n", found, bad, blocked, good);
    CHECK(found * 100 >= bad * 95);
    CHECK(blocked * 100 <= good * 2);
    symbi_doc_unref(d);
}

int main(void)
{
    symbi_err err;
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_contents);
    RUN(test_labels);
    symbi_ctx_free(cx);
    return test_end();
}
