/* Cedar decisions and parsing, from C: the sets and requests of the peers in this folder (peers/cedar), one JSON line per row.
 * Usage: cedar_bench [seconds per row]. median_ns is per decision, over batches; parse_ns is per policy. */
#include "symbi/cedar.h"
#include "symbi/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static symbi_ctx *cx;
static double secs = 0.5;

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int cmp(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static size_t text_of(const char *kind, int n, char *t)
{
    size_t k = 0;
    for (int i = 0; i < n; i++) {
        if (!strcmp(kind, "gate"))
            k += (size_t)sprintf(t + k, i % 10 == 9 ? "forbid(principal, action == Action::\"tool_call::danger_%d\", resource);\n"
                                                    : "permit(principal == Agent::\"agent-%d\", action == Action::\"tool_call::tool_%d\", resource);\n", i, i);
        else if (!strcmp(kind, "guard")) /* what a tool gate asks: one attribute, many values */
            k += (size_t)sprintf(t + k, i % 10 == 9 ? "forbid(principal, action, resource) when { resource.tool_name == \"danger_%d\" };\n"
                                                    : "permit(principal, action, resource) when { resource.tool_name == \"tool_%d\" && context.tier == \"gold\" };\n", i);
        else if (!strcmp(kind, "worst")) /* nothing to index by */
            k += (size_t)sprintf(t + k, "permit(principal, action, resource) when { principal.name like \"*x%d\" };\n", i);
        else if (i % 5 == 4)
            k += (size_t)sprintf(t + k, "forbid(principal, action, resource) when { context.risk > %d && !(principal in Group::\"admins\") };\n", 100 + i);
        else
            k += (size_t)sprintf(t + k, "permit(principal in Group::\"g%d\", action in [Action::\"read\", Action::\"write\"], resource) when { principal.level >= %d && "
                                        "resource.labels.contains(\"l%d\") && context.ip.isInRange(ip(\"10.%d.0.0/16\")) };\n", i % 7, i % 9, i % 13, i % 250);
    }
    if (!strcmp(kind, "gate")) k += (size_t)sprintf(t + k, "permit(principal, action == Action::\"respond\", resource);\n");
    return k;
}

static symbi_doc *json(const char *text, size_t n)
{
    symbi_doc *d = NULL;
    symbi_str s = { text, n };
    symbi_err err;
    if (symbi_json_parse(cx, s, &d, &err)) fprintf(stderr, "%s\n", err.msg), exit(1);
    return d;
}

static size_t live;
static void *count_fn(void *ud, void *p, size_t o, size_t n)
{
    (void)ud;
    live += n;
    live -= p ? o : 0;
    if (n) return realloc(p, n);
    free(p);
    return NULL;
}

static void row(const char *kind, int n, int nents)
{
    static char text[4 << 20], ents_text[1 << 20];
    static double lat[1000000];
    symbi_cedar_source src = { { "", 0 }, { text, 0 } };
    symbi_cedar *set = NULL;
    symbi_cedar_entities *ents = NULL;
    symbi_cedar_eval *ev = NULL;
    symbi_cedar_request rq;
    symbi_cedar_answer a;
    symbi_doc *ctx, *ed;
    symbi_err err;
    size_t k = 0, samples = 0, bytes, parses = 0;
    double t0, parse_ns;
    int batch = 64;
    src.text.n = text_of(kind, n, text);
    bytes = live;
    if (symbi_cedar_parse(cx, &src, 1, 0, &set, &err)) fprintf(stderr, "%s\n", err.msg), exit(1);
    bytes = live - bytes;
    t0 = now_ns();
    do {
        symbi_cedar *again = NULL;
        if (symbi_cedar_parse(cx, &src, 1, 0, &again, &err)) exit(1);
        symbi_cedar_unref(again);
        parses++;
    } while (now_ns() - t0 < secs * 0.3e9 || parses < 3);
    parse_ns = (now_ns() - t0) / (double)parses / (double)symbi_cedar_count(set);
    k += (size_t)sprintf(ents_text, "[{\"uid\":{\"type\":\"User\",\"id\":\"u\"},\"attrs\":{\"level\":5,\"name\":\"u\"},\"parents\":[{\"type\":\"Group\",\"id\":\"g3\"}]},"
                                    "{\"uid\":{\"type\":\"Doc\",\"id\":\"d\"},\"attrs\":{\"labels\":[\"l1\",\"l3\"],\"tool_name\":\"tool_0\"},\"parents\":[]}");
    for (int i = 0; i < nents; i++)
        k += (size_t)sprintf(ents_text + k, ",{\"uid\":{\"type\":\"User\",\"id\":\"x%d\"},\"attrs\":{\"level\":%d},\"parents\":[{\"type\":\"Group\",\"id\":\"g%d\"}]}", i, i, i % 7);
    ents_text[k++] = ']';
    ed = json(ents_text, k);
    memset(&rq, 0, sizeof rq);
    if (!strcmp(kind, "gate")) {
        ctx = json("{}", 2);
        rq.principal.type = symbi_str_z("Agent"), rq.principal.id = symbi_str_z("agent-0");
        rq.action.type = symbi_str_z("Action"), rq.action.id = symbi_str_z("tool_call::tool_0");
        rq.resource.type = symbi_str_z("Resource"), rq.resource.id = symbi_str_z("default");
    } else {
        const char *c = "{\"risk\":3,\"tier\":\"gold\",\"ip\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.3.4.5\"}}}";
        ctx = json(c, strlen(c));
        rq.principal.type = symbi_str_z("User"), rq.principal.id = symbi_str_z("u");
        rq.action.type = symbi_str_z("Action"), rq.action.id = symbi_str_z("read");
        rq.resource.type = symbi_str_z("Doc"), rq.resource.id = symbi_str_z("d");
        if (symbi_cedar_entities_new(cx, symbi_doc_root(ed), &ents, &err)) exit(1);
    }
    rq.context = symbi_doc_root(ctx);
    rq.entities = ents;
    if (symbi_cedar_eval_new(cx, &ev, &err)) exit(1);
    t0 = now_ns();
    do {
        double s = now_ns();
        for (int i = 0; i < batch; i++)
            if (symbi_cedar_authorize(ev, set, &rq, &a, &err)) fprintf(stderr, "%s\n", err.msg), exit(1);
        lat[samples++] = (now_ns() - s) / batch;
        if (samples < 4 && lat[samples - 1] > 20000) batch = 1;
    } while (now_ns() - t0 < secs * 1e9 && samples < sizeof lat / sizeof lat[0]);
    qsort(lat, samples, sizeof *lat, cmp);
    printf("{\"bench\":\"cedar\",\"peer\":\"symbi\",\"kind\":\"%s\",\"policies\":%d,\"entities\":%d,\"median_ns\":%.0f,\"p99_ns\":%.0f,\"decision\":\"%s\","
           "\"candidates\":%zu,\"parse_ns\":%.0f,\"set_bytes\":%zu}\n", kind, n, nents + 2, lat[samples / 2], lat[samples * 99 / 100], symbi_decision_name(a.decision), a.candidates,
           parse_ns, bytes);
    fflush(stdout);
    symbi_cedar_eval_free(ev);
    symbi_cedar_entities_unref(ents);
    symbi_cedar_unref(set);
    symbi_doc_unref(ctx);
    symbi_doc_unref(ed);
}

int main(int argc, char **argv)
{
    static const char *const kinds[] = { "gate", "guard", "abac", "worst" };
    symbi_env env;
    symbi_err err;
    if (argc > 1) secs = atof(argv[1]);
    symbi_env_init(&env);
    env.alloc.fn = env.shared_alloc.fn = count_fn;
    if (symbi_ctx_new(&env, &cx, &err)) return 1;
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        for (int n = 1; n <= 10000; n *= 10) {
            row(kinds[k], n, 8);
            if (!strcmp(kinds[k], "abac")) row(kinds[k], n, 998);
        }
    symbi_ctx_free(cx);
    return 0;
}
