/* The index never changes an answer: random sets and requests, decided by the whole set (indexed) and policy by policy (sets
 * of one, which are not indexed). Deterministic; SYMBI_SEED picks another run. */
#include "test.h"

#include "symbi/cedar.h"
#include "symbi/json.h"

static symbi_ctx *cx;
static uint64_t rng = 88172645463325252u;
static unsigned rnd(unsigned n)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return (unsigned)(rng % n);
}

static const char *pick(const char *const *v, unsigned n) { return v[rnd(n)]; }
#define PICK(...) pick((const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static size_t put(char *out, size_t at, const char *s) { return at + (size_t)sprintf(out + at, "%s", s); }

static size_t policy(char *out, size_t k)
{
    k = put(out, k, PICK("permit(", "forbid("));
    k = put(out, k, PICK("principal", "principal == U::\"a\"", "principal == U::\"b\"", "principal in G::\"g\"", "principal in G::\"h\"", "principal in U::\"a\"", "principal is U",
                         "principal is G", "principal is U in G::\"g\"", "principal in N::\"none\""));
    k = put(out, k, ", ");
    k = put(out, k, PICK("action", "action == Action::\"x\"", "action in [Action::\"x\", Action::\"y\"]", "action in Action::\"all\"", "action in []", "action in [Action::\"all\"]",
                         "action in [Action::\"all\", Action::\"x\"]"));
    k = put(out, k, ", ");
    k = put(out, k, PICK("resource", "resource == R::\"r\"", "resource in T::\"t\"", "resource is R", "resource in R::\"r\"", "resource is R in T::\"t\""));
    k = put(out, k, ")");
    for (unsigned n = rnd(3); n > 0; n--) {
        k = put(out, k, PICK(" when { ", " when { ", " when { ", " unless { "));
        for (unsigned c = 1 + rnd(4); c > 0; c--) {
            k = put(out, k, PICK("context.s == \"one\"", "\"two\" == context.s", "context.n == 3", "context.n > 2", "3 >= context.n", "context.n < 9223372036854775807", "context.n <= 4",
                                 "context.missing == 1", "context.missing > 1", "context has s", "context has r.a", "context has r.a.b && context.r.a.b == 1", "context.r.a == 1",
                                 "context has n.x && context.n.x == 1", "principal.level == 5", "principal.level > 4", "principal has level", "context has missing", "context has n",
                                 "principal.boss.level == 5", "resource.kind == \"k\"", "resource.owner == U::\"a\"", "resource has kind && resource.kind == \"z\"", "context.b == true",
                                 "context.b == false", "context.zzz", "context.s == 1", "context.n == \"3\"", "context.s > 2", "true", "context.missing", "context.nope == 1",
                                 "context.n >= -9223372036854775808", "context.q", "context.l.contains(\"x\")", "context.l.contains(1)", "principal.tags.contains(U::\"a\")",
                                 "context.l.contains(context.n)", "context.b", "!context.b", "!(principal in G::\"h\")", "principal is U", "context.s like \"*o*\"", "context.s != \"one\"",
                                 "context.n == principal.level", "context.n + 1 > 3", "(context.s == \"one\" || context.q)", "principal has boss && principal.boss.level == 6", "context.s.t == 1"));
            if (c > 1) k = put(out, k, " && ");
        }
        k = put(out, k, " }");
    }
    return put(out, k, ";\n");
}

static const char world[] =
    "[[],"
    "[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{\"level\":5,\"tags\":[{\"__entity\":{\"type\":\"U\",\"id\":\"a\"}},1]},\"parents\":[{\"type\":\"G\",\"id\":\"g\"}]},{\"uid\":{\"type\":\"G\",\"id\":\"g\"},\"attrs\":{},\"parents\":[{\"type\":\"G\",\"id\":\"h\"}]},"
    "{\"uid\":{\"type\":\"R\",\"id\":\"r\"},\"attrs\":{\"kind\":\"k\",\"owner\":{\"__entity\":{\"type\":\"U\",\"id\":\"a\"}}},\"parents\":[{\"type\":\"T\",\"id\":\"t\"}]},"
    "{\"uid\":{\"type\":\"Action\",\"id\":\"x\"},\"attrs\":{},\"parents\":[{\"type\":\"Action\",\"id\":\"all\"}]}],"
    "[{\"uid\":{\"type\":\"U\",\"id\":\"b\"},\"attrs\":{\"level\":\"high\",\"boss\":{\"__entity\":{\"type\":\"U\",\"id\":\"a\"}}},\"parents\":[{\"type\":\"U\",\"id\":\"a\"}]},"
    "{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{\"level\":6},\"parents\":[{\"type\":\"G\",\"id\":\"h\"}]},{\"uid\":{\"type\":\"R\",\"id\":\"r\"},\"attrs\":{},\"parents\":[]}]]";
static const char contexts[] =
    "[{},{\"s\":\"one\",\"n\":3,\"b\":true,\"r\":{\"a\":1},\"l\":[\"x\",1,\"y\"]},{\"s\":\"two\",\"n\":9223372036854775807,\"b\":false,\"r\":{\"a\":{\"b\":1}},\"l\":[],\"q\":true},{\"s\":1,\"n\":\"3\",\"b\":1,\"r\":5,\"l\":\"x\"},"
    "{\"s\":\"three\",\"n\":-9223372036854775808,\"r\":{\"a\":{\"__entity\":{\"type\":\"U\",\"id\":\"a\"}}}}]";

static void run(const char *text, size_t n, unsigned npol, const symbi_doc *ctxs, symbi_cedar_entities **ents, symbi_cedar_eval *ev)
{
    symbi_cedar_source src = { { "", 0 }, { text, n } };
    symbi_cedar *set = NULL, *one[64];
    symbi_err err;
    CHECK_OK(symbi_cedar_parse(cx, &src, 1, 0, &set, &err), err);
    REQUIRE(set && symbi_cedar_count(set) == npol);
    for (unsigned i = 0; i < npol; i++) {
        symbi_cedar_policy_info p;
        symbi_cedar_policy(set, i, &p);
        src.text = p.text;
        CHECK_OK(symbi_cedar_parse(cx, &src, 1, 0, &one[i], &err), err);
    }
    for (unsigned k = 0; k < 12; k++) {
        symbi_cedar_uid up[2] = { { symbi_str_z("T"), symbi_str_z("t") }, { symbi_str_z("U"), symbi_str_z("a") } };
        symbi_cedar_entity over[2];
        symbi_cedar_request rq;
        symbi_cedar_answer a, b;
        uint32_t reasons[64];
        symbi_cedar_error errors[64];
        size_t nr, ne, r = 0, e = 0;
        bool forbid = false, permit = false;
        memset(&rq, 0, sizeof rq);
        memset(over, 0, sizeof over);
        rq.principal.type = symbi_str_z(PICK("U", "U", "G", "X"));
        rq.principal.id = symbi_str_z(PICK("a", "b", "g", "z"));
        rq.action.type = symbi_str_z("Action");
        rq.action.id = symbi_str_z(PICK("x", "y", "all", "other"));
        rq.resource.type = symbi_str_z(PICK("R", "T"));
        rq.resource.id = symbi_str_z(PICK("r", "t"));
        rq.context = &symbi_doc_root(ctxs)->u.a.items[rnd((unsigned)symbi_doc_root(ctxs)->u.a.n)];
        rq.entities = rnd(4) ? ents[rnd(3)] : NULL;
        if (rnd(3) == 0) {
            over[0].uid = rq.resource, over[0].parents = up, over[0].nparents = 1 + rnd(2);
            over[1].uid = rq.principal, over[1].parents = &rq.resource, over[1].nparents = 1; /* above it another overlay entity */
            rq.overlay = over;
            rq.noverlay = 1 + rnd(2);
        }
        CHECK_OK(symbi_cedar_authorize(ev, set, &rq, &a, &err), err);
        nr = a.nreasons, ne = a.nerrors;
        memcpy(reasons, a.reasons, nr * sizeof *reasons);
        if (ne) memcpy(errors, a.errors, ne * sizeof *errors);
        for (int pass = 0; pass < 2; pass++) { /* first: is there a satisfied forbid? */
            for (unsigned i = 0; i < npol; i++) {
                symbi_cedar_policy_info p;
                symbi_cedar_policy(set, i, &p);
                CHECK_OK(symbi_cedar_authorize(ev, one[i], &rq, &b, &err), err);
                if (!pass) {
                    forbid = forbid || (b.nreasons && p.effect == SYMBI_CEDAR_FORBID);
                    permit = permit || (b.nreasons && p.effect == SYMBI_CEDAR_PERMIT);
                    continue;
                }
                if (b.nreasons && (!forbid || p.effect == SYMBI_CEDAR_FORBID)) {
                    CHECK(r < nr && reasons[r] == i);
                    r++;
                }
                if (b.nerrors) {
                    CHECK(e < ne && errors[e].policy == i && errors[e].kind == b.errors[0].kind);
                    e++;
                }
            }
        }
        CHECK(r == nr && e == ne);
        CHECK((a.decision == SYMBI_ALLOW) == (permit && !forbid));
        if (t_now_failed) {
            printf("%.*s\n", (int)n, text);
            break;
        }
    }
    for (unsigned i = 0; i < npol; i++) symbi_cedar_unref(one[i]);
    symbi_cedar_unref(set);
}

static void test_same(void)
{
    static char text[200000];
    symbi_doc *ctxs = NULL, *w = NULL;
    symbi_cedar_entities *ents[3] = { NULL, NULL, NULL };
    symbi_cedar_eval *ev = NULL;
    symbi_err err;
    CHECK_OK(symbi_json_parse(cx, symbi_str_z(contexts), &ctxs, &err), err);
    CHECK_OK(symbi_json_parse(cx, symbi_str_z(world), &w, &err), err);
    for (int i = 0; i < 3; i++) CHECK_OK(symbi_cedar_entities_new(cx, &symbi_doc_root(w)->u.a.items[i], &ents[i], &err), err);
    CHECK_OK(symbi_cedar_eval_new(cx, &ev, &err), err);
    for (int round = 0; round < 600 && !t_now_failed; round++) {
        unsigned npol = 16 + rnd(40);
        size_t n = 0;
        for (unsigned i = 0; i < npol; i++) n = policy(text, n);
        run(text, n, npol, ctxs, ents, ev);
    }
    symbi_cedar_eval_free(ev);
    for (int i = 0; i < 3; i++) symbi_cedar_entities_unref(ents[i]);
    symbi_doc_unref(ctxs);
    symbi_doc_unref(w);
}

/* A request looks at few of many policies. */
static void test_few_candidates(void)
{
    static char text[3000000];
    symbi_cedar_source src = { { "", 0 }, { text, 0 } };
    symbi_cedar *set = NULL;
    symbi_cedar_eval *ev = NULL;
    symbi_cedar_request rq;
    symbi_cedar_answer a;
    symbi_doc *d = NULL;
    symbi_err err;
    size_t n = 0;
    char id[32];
    for (int i = 0; i < 10000; i++)
        n += (size_t)sprintf(text + n, i % 4 == 0   ? "permit(principal == Agent::\"a%d\", action, resource);\n"
                                       : i % 4 == 1 ? "permit(principal, action in [Action::\"t%d\"], resource);\n"
                                       : i % 4 == 2 ? "forbid(principal, action, resource) when { context.tool == \"t%d\" && context.x };\n"
                                                    : "forbid(principal, action, resource) when { context.risk > %d };\n", i);
    src.text.n = n;
    CHECK_OK(symbi_cedar_parse(cx, &src, 1, 0, &set, &err), err);
    CHECK_OK(symbi_cedar_eval_new(cx, &ev, &err), err);
    CHECK_OK(symbi_json_parse(cx, symbi_str_z("{\"tool\":\"t42\",\"risk\":8,\"x\":false}"), &d, &err), err);
    REQUIRE(set && ev && d);
    memset(&rq, 0, sizeof rq);
    rq.principal.type = symbi_str_z("Agent"), rq.principal.id = symbi_str_z("a8");
    snprintf(id, sizeof id, "t%d", 9);
    rq.action.type = symbi_str_z("Action"), rq.action.id = symbi_str_z(id);
    rq.resource.type = symbi_str_z("R");
    rq.context = symbi_doc_root(d);
    CHECK_OK(symbi_cedar_authorize(ev, set, &rq, &a, &err), err);
    CHECK(a.candidates == 5 && a.decision == SYMBI_DENY && a.nreasons == 2 && !a.nerrors); /* a8, t9, t42, risk > 3, risk > 7 */
    CHECK(a.reasons[0] == 3 && a.reasons[1] == 7);
    rq.context = NULL; /* then every guard errs, and each is named */
    CHECK_OK(symbi_cedar_authorize(ev, set, &rq, &a, &err), err);
    CHECK(a.nerrors == 5000 && a.forbid_error && a.decision == SYMBI_ALLOW && a.nreasons == 2);
    for (size_t i = 1; i < a.nerrors; i++) CHECK(a.errors[i - 1].policy < a.errors[i].policy);
    symbi_cedar_eval_free(ev);
    symbi_doc_unref(d);
    symbi_cedar_unref(set);
}

int main(void)
{
    symbi_err err;
    if (getenv("SYMBI_SEED")) rng ^= strtoull(getenv("SYMBI_SEED"), NULL, 10) * 0x9E3779B97F4A7C15u;
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_same);
    RUN(test_few_candidates);
    symbi_ctx_free(cx);
    return test_end();
}
