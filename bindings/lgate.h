/* bindings/lgate.h: between lgate.c (the gate), lgate_in.c (actions and facts read from Lua) and lverdict.c (verdicts and plans as Lua sees
 * them). */
#ifndef SYMBI_LGATE_H
#define SYMBI_LGATE_H
#include "symL.h"

/* What a check reads, with room for the trees of small tables: on the C stack, so that a call costs no memory of Lua's. */
typedef struct l_gate_in {
    symbi_action a;
    symbi_facts f;
    symbi_value args, context, attrs;
    const void *identity; /* the object of a.identity */
    size_t used;
    union {
        symbi_member m;
        char bytes[4096];
    } pool;
} l_gate_in;

/* Reads the action table at idx / the facts table at idx (nil or none: no facts). What is borrowed from them stays on the stack. Raise on
 * misuse. */
void l_gate_action(lua_State *L, int idx, l_gate_in *in);
void l_gate_facts(lua_State *L, int idx, l_gate_in *in);
/* The last step before *in is used: raises where what was read has been closed since. */
void l_gate_in_ready(lua_State *L, l_gate_in *in);

/* The result of a verification at idx, borrowed; raises for anything else, tables that look like one included. */
symbi_agentpin_result *l_gate_identity(lua_State *L, int idx);

void l_verdict_types(lua_State *L); /* verdict and plan */
void l_push_hex(lua_State *L, const uint8_t *p, size_t n);
bool l_read_digest(symbi_str hex, uint8_t digest[32]);
symbi_box l_optbox(lua_State *L, int arg); /* lverdict.c: the option `sandbox` of the table at arg; raises for an unknown word */
#endif
