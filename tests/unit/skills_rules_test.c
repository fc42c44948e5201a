/* Every rule of the strict profile: its examples give it, its counter-examples do not, as prose, as a script, and each alone. */
#include "test.h"

#include "symbi/skills.h"

static symbi_ctx *cx;
static symbi_str Z(const char *z) { return symbi_str_z(z); }

static bool gives(symbi_skill_scanner *sc, const char *text, const char *rule)
{
    symbi_skill_scan *s;
    symbi_err err;
    bool hit = false;
    if (symbi_skill_scan_new(cx, sc, &s, &err)) return false;
    CHECK_OK(symbi_skill_scan_content(s, Z("SKILL.md"), Z(text), &err), err);
    for (size_t i = 0; i < symbi_skill_scan_count(s); i++) {
        const symbi_skill_finding *f = symbi_skill_scan_at(s, i);
        if (f->rule.n == strlen(rule) && !memcmp(f->rule.p, rule, f->rule.n)) hit = true;
    }
    symbi_skill_scan_free(s);
    return hit;
}

static void test_examples(void)
{
    symbi_skill_scanner *sc;
    symbi_err err;
    size_t n = symbi_skill_rule_count(SYMBI_SKILL_STRICT);
    CHECK(n >= 100);
    CHECK_OK(symbi_skill_scanner_new(cx, SYMBI_SKILL_STRICT, NULL, 0, 0, &sc, &err), err);
    REQUIRE(sc);
    for (size_t i = 0; i < n; i++) {
        const symbi_skill_rule *r = symbi_skill_rule_at(SYMBI_SKILL_STRICT, i);
        if (!r->yes[0] || !r->no[0] || !r->id[0] || !r->category[0] || !r->message[0]) printf("%s lacks something\n", r->id), t_now_failed = 1;
        for (size_t k = 0; k < SYMBI_SKILL_EXAMPLES && r->yes[k]; k++)
            if (!gives(sc, r->yes[k], r->id)) printf("%s should be given by: %s\n", r->id, r->yes[k]), t_now_failed = 1;
        for (size_t k = 0; k < SYMBI_SKILL_EXAMPLES && r->no[k]; k++)
            if (gives(sc, r->no[k], r->id)) printf("%s should not be given by: %s\n", r->id, r->no[k]), t_now_failed = 1;
        for (size_t k = 0; k < i; k++)
            if (!strcmp(symbi_skill_rule_at(SYMBI_SKILL_STRICT, k)->id, r->id)) printf("%s is there twice\n", r->id), t_now_failed = 1;
    }
    CHECK(!symbi_skill_rule_at(SYMBI_SKILL_STRICT, n));
    symbi_skill_scanner_unref(sc);
}

int main(void)
{
    symbi_err err;
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_examples);
    symbi_ctx_free(cx);
    return test_end();
}
