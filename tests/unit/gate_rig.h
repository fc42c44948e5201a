/* tests/unit/gate_rig.h: a gate as its tests want it: a context with a clock that is set by hand, tools, policies, a trail over a store that
 * can be made to fail, and the gate over all of them. A test that needs more puts GATE_RIG into a struct of its own:
 *
 *   typedef struct rig { union { gate_rig base; struct { GATE_RIG }; }; symbi_run *run; } rig; */
#ifndef GATE_RIG_H
#define GATE_RIG_H
#include "symbi/gate.h"
#include "test.h"

#include "failing_store.h"

#define S(lit) ((symbi_str){ lit, sizeof(lit) - 1 })

#define GATE_RIG                                                       \
    symbi_ctx *cx;                                                     \
    fake_clock clock;                                                  \
    symbi_toolset *tools;                                              \
    symbi_cedar *set;                                                  \
    symbi_store store;                                                 \
    failing_store backing;                                             \
    symbi_key *key;                                                    \
    symbi_audit *audit;                                                \
    symbi_gate_options go; /* what gate_rig_gate puts its parts into */ \
    symbi_gate *gate;                                                  \
    symbi_verdict v; /* of the last question, where a test asks one at a time */ \
    symbi_err err;
typedef struct gate_rig {
    GATE_RIG
} gate_rig;

/* Everything is zero, and the clock stands at a round number. */
static inline bool gate_rig_up(gate_rig *g)
{
    symbi_env env;
    g->clock.wall = 1700000000000;
    g->clock.mono = 1000;
    symbi_gate_options_init(&g->go);
    symbi_env_init(&env);
    env.clock.wall_ms = fake_wall;
    env.clock.mono_ms = fake_mono;
    env.clock.ud = &g->clock;
    return symbi_ctx_new(&env, &g->cx, &g->err) == SYMBI_OK;
}

static inline symbi_status gate_rig_tools(gate_rig *g, const char *const *manifests, size_t n)
{
    symbi_status st = symbi_toolset_new(g->cx, &g->tools, &g->err);
    for (size_t i = 0; i < n && !st; i++) {
        symbi_tool *t;
        if ((st = symbi_tool_parse(g->cx, symbi_str_z(manifests[i]), S("t.clad.toml"), &t, &g->err))) break;
        st = symbi_toolset_add(g->tools, t, &g->err);
        symbi_tool_unref(t);
    }
    return st;
}

static inline symbi_status gate_rig_parse(gate_rig *g, const char *policies, unsigned flags, symbi_cedar **out)
{
    symbi_cedar_source src = { { "p.cedar", 7 }, symbi_str_z(policies) };
    return symbi_cedar_parse(g->cx, &src, 1, SYMBI_CEDAR_IDS_ANNOTATED | flags, out, &g->err);
}

static inline symbi_status gate_rig_trail(gate_rig *g)
{
    symbi_audit_options ao;
    symbi_status st;
    memset(&ao, 0, sizeof ao);
    if ((st = failing_store_new(g->cx, &g->backing, &g->store, &g->err)) || (st = symbi_ed25519_generate(g->cx, &g->key, &g->err))) return st;
    ao.key = g->key;
    return symbi_audit_open(g->cx, &g->store, &ao, &g->audit, &g->err);
}

/* A gate over what is there, in place of the one before. */
static inline symbi_status gate_rig_gate(gate_rig *g)
{
    symbi_gate_free(g->gate);
    g->gate = NULL;
    if (!g->go.size) symbi_gate_options_init(&g->go);
    g->go.tools = g->tools;
    g->go.policies = g->set;
    g->go.audit = g->audit;
    return symbi_gate_new(g->cx, &g->go, &g->gate, &g->err);
}

static inline symbi_status gate_rig_parts(gate_rig *g, const char *const *manifests, size_t n, const char *policies, unsigned flags, bool trail)
{
    symbi_status st = gate_rig_tools(g, manifests, n);
    if (!st && policies) st = gate_rig_parse(g, policies, flags, &g->set);
    if (!st && trail) st = gate_rig_trail(g);
    return st;
}

/* Frees all but the context, which tests of memory bring along themselves. */
static inline void gate_rig_close(gate_rig *g)
{
    symbi_verdict_clear(&g->v);
    symbi_gate_free(g->gate);
    symbi_audit_free(g->audit);
    symbi_key_unref(g->key);
    symbi_memstore_free(&g->backing.inner);
    symbi_cedar_unref(g->set);
    symbi_toolset_unref(g->tools);
}

static inline void gate_rig_down(gate_rig *g)
{
    gate_rig_close(g);
    symbi_ctx_free(g->cx);
}

/* True when st is good; else says why not. */
static inline bool gate_rig_ok(const gate_rig *g, symbi_status st)
{
    char b[800];
    if (!st) return true;
    symbi_err_format(&g->err, b, sizeof b);
    printf("setup: %s\n", b);
    return false;
}
#endif
