/* tests/bench/toolclad_bench.c: bench-toolclad MANIFEST ARGS.json: median nanoseconds of loading the manifest, of checking the arguments of a
 * call, of checking and planning it (id, argv, command for people, environment, evidence paths) in one step and in two, as the gate does with
 * a second look at what was checked, and of both with the seal (the digest that an order is bound to). Everything that is made is also
 * freed within the time. Many short rounds. The peer is toolclad_bench.py. */
#include "symbi/json.h"
#include "symbi/toolclad.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 81, EACH = 100, LOAD, CHECK, ONE, ONE_SEALED, TWO, TWO_SEALED, WHAT };

typedef struct bench {
    symbi_ctx *cx;
    symbi_tool *t;
    symbi_str text;
    const symbi_value *args;
    symbi_plan *plan;
} bench;

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

static symbi_status once(bench *b, int what, symbi_err *e)
{
    symbi_tool *t;
    symbi_doc *d;
    symbi_plan *p;
    symbi_status st = SYMBI_OK;
    switch (what) {
    case LOAD:
        if (!(st = symbi_tool_parse(b->cx, b->text, symbi_str_z("bench"), &t, e))) symbi_tool_unref(t);
        return st;
    case CHECK:
        if (!(st = symbi_tool_validate(b->cx, b->t, b->args, &d, e))) symbi_doc_unref(d);
        return st;
    case ONE:
    case ONE_SEALED:
        if ((st = symbi_tool_plan_args(b->cx, b->t, b->args, NULL, &p, e))) return st;
        if (what == ONE_SEALED) st = symbi_plan_seal(b->cx, p, e);
        symbi_plan_unref(p);
        return st;
    default:
        if ((st = symbi_tool_validate(b->cx, b->t, b->args, &d, e))) return st;
        if (!(st = symbi_tool_plan(b->cx, b->t, symbi_doc_root(d), NULL, &p, e))) {
            if (what == TWO_SEALED) st = symbi_plan_seal(b->cx, p, e);
            symbi_plan_unref(p);
        }
        symbi_doc_unref(d);
        return st;
    }
}

static double median(bench *b, int what)
{
    double v[ROUNDS];
    symbi_err e;
    for (int r = 0; r < ROUNDS; r++) {
        double from = now();
        for (int i = 0; i < EACH; i++)
            if (once(b, what, &e)) fprintf(stderr, "%s\n", e.msg), exit(1);
        v[r] = now() - from;
    }
    qsort(v, ROUNDS, sizeof *v, up);
    return v[ROUNDS / 2] / EACH;
}

int main(int argc, char **argv)
{
    static const char *const names[] = { "load_ns", "validate_ns", "plan_ns", "sealed_ns", "validate_then_plan_ns", "validate_then_sealed_ns" };
    bench b = { 0 };
    symbi_doc *args;
    symbi_err e;
    if (argc != 3 || symbi_ctx_new(NULL, &b.cx, &e)) return 1;
    b.text = whole(argv[1]);
    if (symbi_tool_parse(b.cx, b.text, symbi_str_z("bench"), &b.t, &e) || symbi_json_parse(b.cx, whole(argv[2]), &args, &e) ||
        symbi_tool_plan_args(b.cx, b.t, b.args = symbi_doc_root(args), NULL, &b.plan, &e)) {
        fprintf(stderr, "%u: %s\n", (unsigned)e.line, e.msg);
        return 1;
    }
    printf("{");
    for (int what = LOAD; what < WHAT; what++) printf("\"%s\":%.0f,", names[what - LOAD], median(&b, what));
    printf("\"argv\":");
    for (size_t i = 0; i < b.plan->argc; i++) { /* the words of the cases need no escapes */
        printf("%s\"%s\"", i ? "," : "[", b.plan->argv[i].p);
    }
    printf("]}\n");
    symbi_plan_unref(b.plan);
    symbi_doc_unref(args);
    symbi_tool_unref(b.t);
    symbi_ctx_free(b.cx);
    return 0;
}
