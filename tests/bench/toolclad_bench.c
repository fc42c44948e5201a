/* tests/bench/toolclad_bench.c: bench-toolclad MANIFEST ARGS.json: median nanoseconds of loading the manifest, of checking the arguments of a
 * call, of checking and planning it in one step (argv, environment, evidence paths, digest) and in two, as the gate does; and of what every
 * plan has and the peer has not: four random bytes for its id, its digest. Many short rounds. The peer is toolclad_bench.py. */
#include "symbi/crypto.h"
#include "symbi/json.h"
#include "symbi/toolclad.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 81, EACH = 100, LOAD, CHECK, ONE, TWO, RANDOM, DIGEST, WHAT };

typedef struct bench {
    symbi_ctx *cx;
    symbi_tool *t;
    symbi_str text, args_json;
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
    uint8_t out[32];
    symbi_status st = SYMBI_OK;
    switch (what) {
    case LOAD:
        if (!(st = symbi_tool_parse(b->cx, b->text, symbi_str_z("bench"), &t, e))) symbi_tool_unref(t);
        return st;
    case CHECK:
        if (!(st = symbi_tool_validate(b->cx, b->t, b->args, &d, e))) symbi_doc_unref(d);
        return st;
    case ONE:
        if (!(st = symbi_tool_plan_args(b->cx, b->t, b->args, NULL, &p, e))) symbi_plan_unref(p);
        return st;
    case TWO:
        if ((st = symbi_tool_validate(b->cx, b->t, b->args, &d, e))) return st;
        if (!(st = symbi_tool_plan(b->cx, b->t, symbi_doc_root(d), NULL, &p, e))) symbi_plan_unref(p);
        symbi_doc_unref(d);
        return st;
    case RANDOM: return symbi_ctx_random(b->cx, out, 4, e);
    default: return symbi_plan_digest(b->cx, b->plan, b->args_json, out, e);
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
    static const char *const names[] = { "load_ns", "validate_ns", "plan_ns", "validate_then_plan_ns", "of_it_random_ns", "of_it_digest_ns" };
    bench b = { 0 };
    symbi_doc *args;
    symbi_text json;
    symbi_err e;
    if (argc != 3 || symbi_ctx_new(NULL, &b.cx, &e)) return 1;
    b.text = whole(argv[1]);
    if (symbi_tool_parse(b.cx, b.text, symbi_str_z("bench"), &b.t, &e) || symbi_json_parse(b.cx, whole(argv[2]), &args, &e) ||
        symbi_tool_plan_args(b.cx, b.t, b.args = symbi_doc_root(args), NULL, &b.plan, &e) || symbi_json_write(b.cx, b.plan->args, SYMBI_JSON_CANONICAL, &json, &e)) {
        fprintf(stderr, "%u: %s\n", (unsigned)e.line, e.msg);
        return 1;
    }
    b.args_json = symbi_text_str(&json);
    printf("{");
    for (int what = LOAD; what < WHAT; what++) printf("\"%s\":%.0f,", names[what - LOAD], median(&b, what));
    printf("\"argv\":");
    for (size_t i = 0; i < b.plan->argc; i++) { /* the words of the cases need no escapes */
        printf("%s\"%s\"", i ? "," : "[", b.plan->argv[i].p);
    }
    printf("]}\n");
    symbi_text_free(&json);
    symbi_plan_unref(b.plan);
    symbi_doc_unref(args);
    symbi_tool_unref(b.t);
    symbi_ctx_free(b.cx);
    return 0;
}
