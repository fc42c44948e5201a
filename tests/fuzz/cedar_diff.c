/* tests/fuzz/cedar_diff.c: reads cases of cedar_diff.mjs from standard input, compares, and writes the lines that diverge to the file
 * named by its argument. The last line of output is the sum; exit status 1 when anything diverged. */
#include "cedar_diff.h"

int main(int argc, char **argv)
{
    FILE *keep = argc > 1 ? fopen(argv[1], "wb") : NULL;
    diff d = { 0 };
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    long bad = 0;
    symbi_env env;
    symbi_err err;
    symbi_env_init(&env);
    if (symbi_ctx_new(&env, &d.cx, &err) || symbi_cedar_eval_new(d.cx, &d.ev, &err)) return 2;
    while ((n = getline(&line, &room, stdin)) > 0) {
        long before = d.divergences;
        symbi_str s = { line, (size_t)n - (line[n - 1] == '\n') };
        if (!diff_line(&d, s)) bad++;
        else if (d.divergences == before) continue;
        if (keep) fwrite(line, 1, (size_t)n, keep);
    }
    free(line);
    symbi_cedar_eval_free(d.ev);
    symbi_ctx_free(d.cx);
    if (keep) fclose(keep);
    printf("%ld cases, %ld requests (%ld refused, %ld allowed, %ld with errors), %ld schemas (%ld validated), %ld divergences, %ld unreadable\n", d.cases, d.requests, d.refused,
           d.allows, d.failing, d.schemas, d.valid, d.divergences, bad);
    return d.divergences || bad || !d.cases;
}
