/* Cases of the differential fuzzer (tests/fuzz/cedar_diff.mjs) with the answers of the official engine, replayed without it. Every
 * divergence ever found is added to tests/vectors/cedar/diff as a file of its own; sample.jsonl and
 * schema.jsonl are cross-sections. */
#include "test.h"

#include <dirent.h>

#include "../fuzz/cedar_diff.h"

static void test_replay(void)
{
    static const char dir[] = "tests/vectors/cedar/diff";
    DIR *list = opendir(dir);
    struct dirent *e;
    symbi_env env;
    symbi_err err;
    diff d = { 0 };
    symbi_env_init(&env);
    REQUIRE(list != NULL);
    REQUIRE(symbi_ctx_new(&env, &d.cx, &err) == SYMBI_OK && symbi_cedar_eval_new(d.cx, &d.ev, &err) == SYMBI_OK);
    while ((e = readdir(list)) != NULL) {
        char path[600];
        symbi_str text, line;
        if (!strstr(e->d_name, ".jsonl")) continue;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        text = slurp(path);
        REQUIRE(text.p != NULL);
        for (size_t i = 0; i < text.n; i += line.n + 1) {
            const char *end = memchr(text.p + i, '\n', text.n - i);
            line.p = text.p + i;
            line.n = end ? (size_t)(end - line.p) : text.n - i;
            if (line.n) CHECK(diff_line(&d, line));
        }
        free((char *)text.p);
    }
    closedir(list);
    CHECK(d.divergences == 0);
    CHECK(d.cases >= 100 && d.refused > 50 && d.allows > 20 && d.failing > 20 && d.schemas > 12 && d.valid > 6); /* the cases are of all sorts */
    symbi_cedar_eval_free(d.ev);
    symbi_ctx_free(d.cx);
}

int main(void)
{
    RUN(test_replay);
    return test_end();
}
