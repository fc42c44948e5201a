/* bindings/ud.h: the userdata that more than one module touches. Types are registry metatables, so that symbi/core.so and
 * symbi/io.so, built from one tree, agree on them. Each struct is zero until its object exists, and p goes back to NULL on
 * close: a closed one raises "… is closed". The module that makes a type calls symL_newtype for it. */
#ifndef SYMBI_UD_H
#define SYMBI_UD_H
#include "symbi/symbi.h"

#define UD_POLICIES "symbi.policies" /* lcedar.c */
#define UD_ENTITIES "symbi.entities" /* lcedar.c */
#define UD_TOOL "symbi.tool"         /* ltoolclad.c */
#define UD_TOOLSET "symbi.toolset"   /* ltoolclad.c */
#define UD_PLAN "symbi.plan"         /* lgate.c: comes only out of redeem, or of a dry run without an order */
#define UD_AUDIT "symbi.audit"       /* laudit.c */
#define UD_STORE "symbi.store"       /* laudit.c makes the type, io_store.c the objects */
#define UD_GATE "symbi.gate"         /* lgate.c */
#define UD_VERDICT "symbi.verdict"   /* lgate.c */
#define UD_RUN "symbi.run"           /* lrun.c */

#define UD_AGENTPIN "symbi.agentpin_result" /* lagentpin_result.c: comes only out of a verification */
typedef struct ud_agentpin { symbi_agentpin_result *p; } ud_agentpin;

typedef struct ud_policies { symbi_cedar *p; } ud_policies;
typedef struct ud_entities { symbi_cedar_entities *p; } ud_entities;
typedef struct ud_tool { symbi_tool *p; } ud_tool;
typedef struct ud_toolset { symbi_toolset *p; } ud_toolset;

/* A plan as an executor gets it. has_order is false for a dry run: an executor refuses that. */
typedef struct ud_plan {
    symbi_plan *p;
    symbi_order order;
    bool has_order;
} ud_plan;

/* uservalue: {the store}. close() detaches: gates and runs that hold the pointer get errors, and the object itself lives until
 * it is collected. p is for users; owned is what __gc frees. */
typedef struct ud_audit { symbi_audit *p, *owned; } ud_audit;

/* close(&store) frees what store.ud points to; set by whoever made it, NULL once closed. While audits use the store (users),
 * closing waits for the last of them. */
typedef struct ud_store {
    symbi_store store;
    void (*close)(symbi_store *store);
    /* what a state folder brings along; zero for a store without one */
    symbi_key *key; /* a reference */
    uint8_t pub[32];
    bool has_pub, readonly, closing;
    int users;
    symbi_status (*anchor)(const symbi_store *store, symbi_str chain, symbi_store_checkpoint *out, symbi_err *err);
} ud_store;

#define UD_SCHEMAPIN "symbi.schemapin_result" /* lschemapin.c: the outcome of a check, immutable */
typedef struct ud_schemapin { symbi_schemapin_result *p; } ud_schemapin;

#define UD_SCOPE_FILE "symbi.scope" /* lscope.c */
typedef struct ud_scope_file { symbi_scope *p; } ud_scope_file;

#define UD_KEY "symbi.key" /* lcrypto.c */
typedef struct ud_key { symbi_key *p; } ud_key;

#define UD_NETGUARD "symbi.netguard" /* lnetguard.c */
typedef struct ud_netguard { symbi_netguard *p; } ud_netguard;

#define UD_NARROW "symbi.narrow" /* ldsl.c: a compiled .symbi agent */
typedef struct ud_narrow { symbi_narrow *p; } ud_narrow;

#define UD_MCP "symbi.mcp" /* lmcp.c */
typedef struct ud_mcp { symbi_mcp *p; } ud_mcp;

/* uservalue: table that keeps the audit alive */
typedef struct ud_gate { symbi_gate *p; } ud_gate;
/* holds references of its own, not the gate */
typedef struct ud_verdict { symbi_verdict v; } ud_verdict;
/* uservalue: table that keeps gate and audit alive. busy: an effect is being turned into tables; whatever a finaliser wants of it has to wait */
typedef struct ud_run { symbi_run *p; bool busy; } ud_run;

#endif
