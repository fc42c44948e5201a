/* Cedar decisions and parsing, from C. One JSON line per row: median_ns is CPU time per decision, over batches that go round the row's requests;
 * parse_ns is the median of whole parses, per policy; set_bytes is what the allocator holds for the set; answers says how each request was decided.
 *
 *   cedar_bench [SECONDS_PER_ROW]    measures this engine
 *   cedar_bench write DIR            writes the same policies, entities and requests for the peers (tests/bench/peers) to read
 *
 * Kinds: gate: scopes only, as a tool gate has them. guard: attributes compared with literals. abac: groups, sets, addresses, and
 * forbids that nothing can index. worst: no condition can be indexed at all. */
#include "symbi/cedar.h"
#include "symbi/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_REQUESTS = 8, MAX_SAMPLES = 200000 };

static const char *const kinds[] = { "gate", "guard", "abac", "worst" };
static const int sizes[] = { 1, 10, 100, 1000, 10000 }, stores[] = { 10, 1000 };
enum { NKINDS = 4, NSIZES = 5, NSTORES = 2 };

/* ---- what is decided ---- */

static char policies[4 << 20], entities[1 << 20], requests[1 << 14];
static size_t at;

static void put(char *out, size_t cap, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    at += (size_t)vsnprintf(out + at, cap - at, fmt, ap);
    va_end(ap);
    if (at >= cap) fprintf(stderr, "buffer too small\n"), exit(1);
}
#define POLICY(...) put(policies, sizeof policies, __VA_ARGS__)
#define ENTITY(...) put(entities, sizeof entities, __VA_ARGS__)
#define REQUEST(...) put(requests, sizeof requests, __VA_ARGS__)

static size_t make_policies(const char *kind, int n)
{
    at = 0;
    for (int i = 0; i < n; i++) {
        if (!strcmp(kind, "gate")) {
            if (i % 10 == 9) POLICY("forbid(principal, action == Action::\"tool_call::danger_%d\", resource);\n", i);
            else POLICY("permit(principal == Agent::\"agent-%d\", action == Action::\"tool_call::tool_%d\", resource);\n", i, i);
        } else if (!strcmp(kind, "guard")) {
            if (i % 10 == 9) POLICY("forbid(principal, action, resource) when { resource.tool_name == \"danger_%d\" };\n", i);
            else POLICY("permit(principal, action, resource) when { resource.tool_name == \"tool_%d\" && context.tier == \"gold\" };\n", i);
        } else if (!strcmp(kind, "worst"))
            POLICY("permit(principal, action, resource) when { principal.name like \"*x%d\" };\n", i);
        else if (i % 5 == 4)
            POLICY("forbid(principal, action, resource) when { context.risk > %d && !(principal in Group::\"admins\") };\n", 100 + i);
        else
            POLICY("permit(principal in Group::\"g%d\", action in [Action::\"read\", Action::\"write\"], resource) when { principal.level >= %d && "
                   "resource.labels.contains(\"l%d\") && context.ip.isInRange(ip(\"10.%d.0.0/16\")) };\n", i % 7, i % 9, i % 13, i % 250);
    }
    return at;
}

static size_t make_entities(int m)
{
    at = 0;
    ENTITY("[{\"uid\":{\"type\":\"User\",\"id\":\"u\"},\"attrs\":{\"level\":5,\"name\":\"u-x7\"},\"parents\":[{\"type\":\"Group\",\"id\":\"g3\"}]},"
           "{\"uid\":{\"type\":\"User\",\"id\":\"root\"},\"attrs\":{\"level\":8,\"name\":\"root\"},\"parents\":[{\"type\":\"Group\",\"id\":\"admins\"},{\"type\":\"Group\",\"id\":\"g0\"}]},"
           "{\"uid\":{\"type\":\"Group\",\"id\":\"g3\"},\"attrs\":{},\"parents\":[{\"type\":\"Group\",\"id\":\"g4\"}]},"
           "{\"uid\":{\"type\":\"Doc\",\"id\":\"d\"},\"attrs\":{\"labels\":[\"l1\",\"l3\",\"l8\"],\"tool_name\":\"tool_0\"},\"parents\":[]},"
           "{\"uid\":{\"type\":\"Doc\",\"id\":\"e\"},\"attrs\":{\"labels\":[],\"tool_name\":\"danger_9\"},\"parents\":[]}");
    for (int i = 5; i < m; i++)
        ENTITY(",{\"uid\":{\"type\":\"User\",\"id\":\"x%d\"},\"attrs\":{\"level\":%d,\"name\":\"x%d\"},\"parents\":[{\"type\":\"Group\",\"id\":\"g%d\"}]}", i, i % 10, i, i % 7);
    ENTITY("]");
    return at;
}

static void one(const char *p, const char *pid, const char *action, const char *r, const char *rid, const char *context)
{
    REQUEST("%s{\"principal\":{\"type\":\"%s\",\"id\":\"%s\"},\"action\":{\"type\":\"Action\",\"id\":\"%s\"},\"resource\":{\"type\":\"%s\",\"id\":\"%s\"},\"context\":%s}", at > 1 ? "," : "", p, pid,
            action, r, rid, context);
}

static size_t make_requests(const char *kind, int n)
{
    char agent[32], tool[40];
    at = 0;
    REQUEST("[");
    if (!strcmp(kind, "gate")) {
        snprintf(agent, sizeof agent, "agent-%d", n / 2);
        snprintf(tool, sizeof tool, "tool_call::tool_%d", n / 2);
        one("Agent", "agent-0", "tool_call::tool_0", "Resource", "default", "{}");
        one("Agent", agent, tool, "Resource", "default", "{}");
        one("Agent", "agent-0", tool, "Resource", "default", "{}");
        one("Agent", "agent-0", "tool_call::danger_9", "Resource", "default", "{}");
        one("Agent", "nobody", "tool_call::nothing", "Resource", "default", "{}");
    } else if (!strcmp(kind, "guard")) {
        one("User", "u", "call", "Doc", "d", "{\"tier\":\"gold\"}");
        one("User", "u", "call", "Doc", "d", "{\"tier\":\"silver\"}");
        one("User", "root", "call", "Doc", "e", "{\"tier\":\"gold\"}");
    } else {
        one("User", "u", "read", "Doc", "d", "{\"risk\":3,\"ip\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.3.4.5\"}}}");
        one("User", "u", "write", "Doc", "e", "{\"risk\":150,\"ip\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.10.4.5\"}}}");
        one("User", "root", "read", "Doc", "d", "{\"risk\":150,\"ip\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.21.4.5\"}}}");
        one("User", "u", "delete", "Doc", "d", "{\"risk\":3,\"ip\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"192.168.0.1\"}}}");
    }
    REQUEST("]");
    return at;
}

static void file(const char *dir, const char *name, const char *text, size_t n)
{
    char path[600];
    FILE *f;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    f = fopen(path, "wb");
    if (!f || fwrite(text, 1, n, f) != n || fclose(f)) perror(path), exit(1);
}

static void write_all(const char *dir)
{
    static char rows[4096];
    char name[80];
    size_t k = 0;
    for (int m = 0; m < NSTORES; m++) {
        snprintf(name, sizeof name, "entities-%d.json", stores[m]);
        file(dir, name, entities, make_entities(stores[m]));
    }
    for (int i = 0; i < NKINDS; i++)
        for (int s = 0; s < NSIZES; s++) {
            snprintf(name, sizeof name, "%s-%d.cedar", kinds[i], sizes[s]);
            file(dir, name, policies, make_policies(kinds[i], sizes[s]));
            snprintf(name, sizeof name, "requests-%s-%d.json", kinds[i], sizes[s]);
            file(dir, name, requests, make_requests(kinds[i], sizes[s]));
            for (int m = 0; m < NSTORES; m++) k += (size_t)snprintf(rows + k, sizeof rows - k, "%s %d %d\n", kinds[i], sizes[s], stores[m]);
        }
    file(dir, "rows", rows, k);
}

/* ---- the measuring ---- */

static symbi_ctx *cx;
static double secs = 0.5;
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

static double clock_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}
static double now_ns(void) { return clock_ns(CLOCK_MONOTONIC); }
/* What is measured is CPU time: on a busy machine, wall time of a long batch counts the other processes too, and the engine with
 * the longer batches would look worse than it is. */
static double cpu_ns(void) { return clock_ns(CLOCK_PROCESS_CPUTIME_ID); }

static int cmp(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void die(const symbi_err *err)
{
    fprintf(stderr, "%s\n", err->msg);
    exit(1);
}

static symbi_doc *json(const char *text, size_t n)
{
    symbi_doc *d = NULL;
    symbi_str s = { text, n };
    symbi_err err;
    if (symbi_json_parse(cx, s, &d, &err)) die(&err);
    return d;
}

static symbi_cedar_uid uid(const symbi_value *v)
{
    symbi_str none = { "", 0 };
    symbi_cedar_uid u;
    u.type = symbi_value_str(v, "type", none);
    u.id = symbi_value_str(v, "id", none);
    return u;
}

static double ask(symbi_cedar_eval *ev, const symbi_cedar *set, const symbi_cedar_request *rq, size_t nrq, int times)
{
    symbi_cedar_answer a;
    symbi_err err;
    double t = cpu_ns();
    for (int i = 0; i < times; i++)
        for (size_t r = 0; r < nrq; r++)
            if (symbi_cedar_authorize(ev, set, &rq[r], &a, &err)) die(&err);
    return (cpu_ns() - t) / (times * (double)nrq);
}

static void row(const char *kind, int n, int m)
{
    static double lat[MAX_SAMPLES];
    symbi_cedar_source src = { { "", 0 }, { policies, 0 } };
    symbi_cedar_request rq[MAX_REQUESTS];
    symbi_cedar_entities *ents = NULL;
    symbi_cedar_eval *ev = NULL;
    symbi_cedar *set = NULL;
    symbi_cedar_answer a;
    symbi_doc *ed = json(entities, make_entities(m)), *rd = json(requests, make_requests(kind, n));
    const symbi_value *list = symbi_doc_root(rd);
    size_t samples = 0, bytes, parses = 0, nrq = list->u.a.n, candidates = 0;
    double t0, parse_ns, once;
    symbi_err err;
    int times;
    src.text.n = make_policies(kind, n);
    bytes = live;
    if (symbi_cedar_parse(cx, &src, 1, 0, &set, &err)) die(&err);
    bytes = live - bytes;
    t0 = now_ns();
    do {
        symbi_cedar *again = NULL;
        double t = cpu_ns();
        if (symbi_cedar_parse(cx, &src, 1, 0, &again, &err)) die(&err);
        symbi_cedar_unref(again);
        lat[parses++] = cpu_ns() - t;
    } while ((now_ns() - t0 < secs * 0.3e9 || parses < 5) && parses < MAX_SAMPLES);
    qsort(lat, parses, sizeof *lat, cmp);
    parse_ns = lat[parses / 2] / (double)symbi_cedar_count(set);
    if (symbi_cedar_entities_new(cx, symbi_doc_root(ed), &ents, &err)) die(&err);
    if (symbi_cedar_eval_new(cx, &ev, &err)) die(&err);
    memset(rq, 0, sizeof rq);
    for (size_t r = 0; r < nrq; r++) {
        const symbi_value *q = &list->u.a.items[r];
        rq[r].principal = uid(symbi_value_getz(q, "principal"));
        rq[r].action = uid(symbi_value_getz(q, "action"));
        rq[r].resource = uid(symbi_value_getz(q, "resource"));
        rq[r].context = symbi_value_getz(q, "context");
        rq[r].entities = ents;
    }
    ask(ev, set, rq, nrq, 2);
    once = ask(ev, set, rq, nrq, 1) * (double)nrq;
    times = once < 50000 ? (int)(50000 / once) + 1 : 1;
    t0 = now_ns();
    do lat[samples++] = ask(ev, set, rq, nrq, times);
    while ((now_ns() - t0 < secs * 1e9 || samples < 5) && samples < MAX_SAMPLES);
    qsort(lat, samples, sizeof *lat, cmp);
    printf("{\"bench\":\"cedar\",\"peer\":\"symbi\",\"kind\":\"%s\",\"policies\":%d,\"entities\":%d,\"median_ns\":%.0f,\"p99_ns\":%.0f,\"parse_ns\":%.0f,\"set_bytes\":%zu,\"answers\":\"", kind, n, m,
           lat[samples / 2], lat[samples * 99 / 100], parse_ns, bytes);
    for (size_t r = 0; r < nrq; r++) { /* indices are the numbers in the ids policyN */
        if (symbi_cedar_authorize(ev, set, &rq[r], &a, &err)) die(&err);
        printf("%s%c:", r ? " " : "", a.decision == SYMBI_ALLOW ? 'A' : 'D');
        for (size_t i = 0; i < a.nreasons; i++) printf("%s%u", i ? "," : "", a.reasons[i]);
        for (size_t i = 0; i < a.nerrors; i++) printf("%s!%u", i ? "," : "", a.errors[i].policy);
        if (a.candidates > candidates) candidates = a.candidates;
    }
    printf("\",\"candidates\":%zu}\n", candidates);
    fflush(stdout);
    symbi_cedar_eval_free(ev);
    symbi_cedar_entities_unref(ents);
    symbi_cedar_unref(set);
    symbi_doc_unref(rd);
    symbi_doc_unref(ed);
}

int main(int argc, char **argv)
{
    symbi_env env;
    symbi_err err;
    if (argc == 3 && !strcmp(argv[1], "write")) {
        write_all(argv[2]);
        return 0;
    }
    if (argc > 1) secs = atof(argv[1]);
    symbi_env_init(&env);
    env.alloc.fn = env.shared_alloc.fn = count_fn;
    if (symbi_ctx_new(&env, &cx, &err)) return 1;
    for (int k = 0; k < NKINDS; k++)
        for (int s = 0; s < NSIZES; s++)
            for (int m = 0; m < NSTORES; m++) row(kinds[k], sizes[s], stores[m]);
    symbi_ctx_free(cx);
    return 0;
}
