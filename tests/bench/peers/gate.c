/* The gate of tests/bench/gate_bench.lua, asked from C: what a check costs before Lua adds its share. Prints one JSON object, medians
 * in microseconds. */
#include "symbi/gate.h"
#include "symbi/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char manifest[] = "[tool]\nname = \"count\"\nversion = \"1.0.0\"\ndescription = \"d\"\ndispatch = \"callback\"\nrisk_tier = \"low\"\n"
                               "[args.path]\nposition = 1\nrequired = true\ntype = \"path\"\n[args.n]\nposition = 2\ntype = \"integer\"\n";

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int cmp(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(symbi_gate *gate, const symbi_action *a)
{
    static double lat[101];
    symbi_facts facts = { .tokens_left = -1, .time_left_ms = -1 };
    symbi_verdict v;
    memset(&v, 0, sizeof v);
    for (int i = -5; i < 101; i++) {
        double t = now_us();
        for (int k = 0; k < 200; k++) {
            symbi_gate_check(gate, a, &facts, &v);
            if (v.decision != SYMBI_ALLOW || !v.has_permit) fprintf(stderr, "%s\n", v.reason), exit(1);
            symbi_verdict_clear(&v);
        }
        if (i >= 0) lat[i] = (now_us() - t) / 200;
    }
    qsort(lat, 101, sizeof *lat, cmp);
    return lat[50];
}

int main(void)
{
    static char texts[10][200];
    symbi_cedar_source src[10];
    symbi_gate_options o;
    symbi_action a;
    symbi_env env;
    symbi_ctx *cx;
    symbi_err err;
    symbi_tool *tool;
    symbi_toolset *tools;
    symbi_cedar *set;
    symbi_gate *gate;
    symbi_doc *args;
    double tree, text;
    symbi_env_init(&env);
    if (symbi_ctx_new(&env, &cx, &err)) return 1;
    for (int i = 1; i <= 10; i++) {
        if (i == 7) snprintf(texts[i - 1], sizeof texts[0], "permit(principal == Agent::\"bot\", action == Action::\"tool_call::count\", resource) when { context.input.path like \"docs/*\" };");
        else snprintf(texts[i - 1], sizeof texts[0], "permit(principal == Agent::\"agent%d\", action == Action::\"tool_call::tool%d\", resource) when { context.input.path like \"x/*\" };", i, i);
        src[i - 1].name = symbi_str_z("p");
        src[i - 1].text = symbi_str_z(texts[i - 1]);
    }
    memset(&a, 0, sizeof a);
    a.args_text = symbi_str_z("{\"path\":\"docs/a.md\",\"n\":3}");
    if (symbi_cedar_parse(cx, src, 10, SYMBI_CEDAR_IDS_BY_POSITION, &set, &err) || symbi_tool_parse(cx, symbi_str_z(manifest), symbi_str_z("t"), &tool, &err) ||
        symbi_toolset_new(cx, &tools, &err) || symbi_toolset_add(tools, tool, &err) || symbi_json_parse(cx, a.args_text, &args, &err)) {
        fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    symbi_gate_options_init(&o);
    o.policies = set;
    o.tools = tools;
    if (symbi_gate_new(cx, &o, &gate, &err)) return 1;
    a.kind = SYMBI_ACTION_TOOL_CALL;
    a.agent = symbi_str_z("bot");
    a.name = symbi_str_z("count");
    text = median(gate, &a);
    a.args = symbi_doc_root(args);
    tree = median(gate, &a);
    printf("{\"bench\":\"gate_check\",\"peer\":\"c\",\"table_us\":%.3f,\"json_us\":%.3f}\n", tree, text);
    symbi_gate_free(gate);
    symbi_doc_unref(args);
    symbi_tool_unref(tool);
    symbi_toolset_unref(tools);
    symbi_cedar_unref(set);
    symbi_ctx_free(cx);
    return 0;
}
