/* tests/bench/toolclad_bench.c: bench-toolclad MANIFEST ARGS.json: median nanoseconds of loading the manifest, of checking the arguments of a
 * call, and of checking and planning it (argv, environment, digest), over many short rounds. The peer is toolclad_bench.py. */
#include "symbi/json.h"
#include "symbi/toolclad.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 41, EACH = 200 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static symbi_str whole(const char *path)
{
    symbi_str r = { NULL, 0 };
    FILE *f = fopen(path, "rb");
    char *p;
    if (!f || !(p = malloc(65536))) exit(1);
    r.n = fread(p, 1, 65536, f);
    r.p = p;
    fclose(f);
    return r;
}

static int up(const void *a, const void *b) { return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b); }

static double median(double *v)
{
    qsort(v, ROUNDS, sizeof *v, up);
    return v[ROUNDS / 2] / EACH;
}

int main(int argc, char **argv)
{
    symbi_ctx *cx;
    symbi_err e;
    symbi_tool *t, *again;
    symbi_doc *args, *d;
    symbi_plan *p;
    symbi_str text;
    double load[ROUNDS], check[ROUNDS], plan[ROUNDS];
    if (argc != 3 || symbi_ctx_new(NULL, &cx, &e)) return 1;
    text = whole(argv[1]);
    if (symbi_tool_parse(cx, text, symbi_str_z("bench"), &t, &e) || symbi_json_parse(cx, whole(argv[2]), &args, &e)) {
        fprintf(stderr, "%u: %s\n", (unsigned)e.line, e.msg);
        return 1;
    }
    for (int r = 0; r < ROUNDS; r++) {
        double from = now();
        for (int i = 0; i < EACH; i++) {
            if (symbi_tool_parse(cx, text, symbi_str_z("bench"), &again, &e)) return 1;
            symbi_tool_unref(again);
        }
        load[r] = now() - from;
        from = now();
        for (int i = 0; i < EACH; i++) {
            if (symbi_tool_validate(cx, t, symbi_doc_root(args), &d, &e)) return fprintf(stderr, "%s\n", e.msg), 1;
            symbi_doc_unref(d);
        }
        check[r] = now() - from;
        from = now();
        for (int i = 0; i < EACH; i++) {
            if (symbi_tool_validate(cx, t, symbi_doc_root(args), &d, &e) || symbi_tool_plan(cx, t, symbi_doc_root(d), NULL, &p, &e)) return fprintf(stderr, "%s\n", e.msg), 1;
            symbi_plan_unref(p);
            symbi_doc_unref(d);
        }
        plan[r] = now() - from;
    }
    printf("{\"load_ns\":%.0f,\"validate_ns\":%.0f,\"validate_and_plan_ns\":%.0f}\n", median(load), median(check), median(plan));
    symbi_doc_unref(args);
    symbi_tool_unref(t);
    symbi_ctx_free(cx);
    return 0;
}
