/* bench/gate_bench.c: symbi_gate_check from C for the tool call of gate_bench.lua (validate, authorise 10 policies, permit; no
 * commit), arguments as a tree and as JSON text. The allocator is malloc behind the lua_Alloc signature, as a Lua state has it.
 * Prints one JSON object with medians in microseconds. */
#include "symbi/symbi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 200, SAMPLES = 41 };

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void die(const symbi_err *err)
{
    char b[700];
    symbi_err_format(err, b, sizeof b);
    fprintf(stderr, "gate_bench: %s\n", b);
    exit(1);
}

static void batch(symbi_gate *g, const symbi_action *a, int n)
{
    symbi_verdict v;
    memset(&v, 0, sizeof v);
    for (int i = 0; i < n; i++) {
        symbi_gate_check(g, a, NULL, &v);
        if (!v.has_permit) {
            fprintf(stderr, "gate_bench: %s\n", v.reason);
            exit(1);
        }
        symbi_verdict_clear(&v);
    }
}

static void measure(symbi_gate *g, const symbi_action *a, double *p50, double *p95)
{
    double s[SAMPLES];
    batch(g, a, 5 * BATCH);
    for (int i = 0; i < SAMPLES; i++) {
        double t = now_us();
        batch(g, a, BATCH);
        s[i] = (now_us() - t) / BATCH;
    }
    qsort(s, SAMPLES, sizeof *s, by_value);
    *p50 = s[SAMPLES / 2];
    *p95 = s[SAMPLES * 95 / 100];
}

int main(void)
{
    static const char manifest[] = "[tool]\nname = \"count\"\nversion = \"1.0.0\"\ndescription = \"d\"\ndispatch = \"callback\"\n"
                                   "[args.n]\ntype = \"integer\"\nposition = 1\n[args.path]\ntype = \"path\"\nrequired = true\nposition = 2\n";
    char names[10][8], text[10][200];
    symbi_cedar_source src[10];
    symbi_gate_options o;
    symbi_toolset *tools;
    symbi_action a, j;
    symbi_value args;
    symbi_member m[2];
    symbi_cedar *set;
    symbi_tool *tool;
    symbi_gate *g;
    symbi_ctx *cx;
    symbi_env env;
    symbi_err err;
    double t50, t95, j50, j95;
    symbi_env_init(&env);
    if (symbi_ctx_new(&env, &cx, &err)) die(&err);
    for (int i = 0; i < 10; i++) {
        snprintf(names[i], sizeof names[i], "p%d", i + 1);
        if (i == 6) snprintf(text[i], sizeof text[i], "permit(principal == Agent::\"bot\", action == Action::\"tool_call::count\", resource) when { context.input.path like \"docs/*\" };");
        else snprintf(text[i], sizeof text[i], "permit(principal == Agent::\"agent%d\", action == Action::\"tool_call::tool%d\", resource) when { context.input.path like \"x/*\" };", i + 1, i + 1);
        src[i].name = symbi_str_z(names[i]);
        src[i].text = symbi_str_z(text[i]);
    }
    if (symbi_cedar_parse(cx, src, 10, SYMBI_CEDAR_IDS_ANNOTATED | SYMBI_CEDAR_SYMBI_ALIAS, &set, &err)) die(&err);
    if (symbi_toolset_new(cx, &tools, &err) || symbi_tool_parse(cx, symbi_str_z(manifest), symbi_str_z("count"), &tool, &err) || symbi_toolset_add(tools, tool, &err)) die(&err);
    symbi_gate_options_init(&o);
    o.policies = set;
    o.tools = tools;
    if (symbi_gate_new(cx, &o, &g, &err)) die(&err);
    memset(&a, 0, sizeof a);
    a.kind = SYMBI_ACTION_TOOL_CALL;
    a.agent = symbi_str_z("bot");
    a.name = symbi_str_z("count");
    memset(m, 0, sizeof m);
    m[0].key = symbi_str_z("n");
    m[0].val.kind = SYMBI_INT;
    m[0].val.u.i = 3;
    m[1].key = symbi_str_z("path");
    m[1].val.kind = SYMBI_STRING;
    m[1].val.u.s = symbi_str_z("docs/a.md");
    memset(&args, 0, sizeof args);
    args.kind = SYMBI_OBJECT;
    args.u.o.members = m;
    args.u.o.n = 2;
    j = a;
    a.args = &args;
    j.args_text = symbi_str_z("{\"path\":\"docs/a.md\",\"n\":3}");
    measure(g, &a, &t50, &t95);
    measure(g, &j, &j50, &j95);
    printf("{\"vm\":\"C\",\"policies\":10,\"table_us\":{\"median\":%.3f,\"p95\":%.3f},\"json_us\":{\"median\":%.3f,\"p95\":%.3f}}\n", t50, t95, j50, j95);
    symbi_gate_free(g);
    symbi_toolset_unref(tools);
    symbi_tool_unref(tool);
    symbi_cedar_unref(set);
    symbi_ctx_free(cx);
    return 0;
}
