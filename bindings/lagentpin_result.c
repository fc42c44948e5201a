/* bindings/lagentpin_result.c: the result of a verification: an object that only a verification makes, so that what takes it (the
 * gate) may take it for proof. Fields read like a table's and cannot be set:
 *   valid, agent_id, issuer, capabilities, constraints, delegation_verified, delegation_chain, key_pinning = {status=, first_seen=},
 *   error_code, error_message, warnings; also code, message (the same), reason, audience, jti, kid, agent_name, iat, exp, claimed,
 *   steps = {{step=1, name="token", status="passed", ok=true}, ...}
 * On a failure everything but the error, steps and claimed is nil. r:valid_at(now), r:to_table(). */
#include "lagentpin.h"

#include <string.h>

static int result_gc(lua_State *L)
{
    ud_agentpin *u = symL_checkud(L, 1, UD_AGENTPIN);
    symbi_agentpin_result *p = u->p;
    u->p = NULL;
    symbi_agentpin_result_unref(p);
    return 0;
}

static symbi_agentpin_result *check(lua_State *L)
{
    ud_agentpin *u = symL_checkud(L, 1, UD_AGENTPIN);
    if (!u->p) luaL_argerror(L, 1, "no result"); /* there is no close: a result in use cannot go away */
    return u->p;
}

static void push_text(lua_State *L, symbi_str s)
{
    if (s.n) symL_pushstr(L, s);
    else lua_pushnil(L);
}

static void push_tree(lua_State *L, const symbi_value *v)
{
    if (v) symL_pushvalue(L, v);
    else lua_pushnil(L);
}

static void push_steps(lua_State *L, const symbi_agentpin_result *r)
{
    lua_createtable(L, SYMBI_AGENTPIN_STEPS, 0);
    symL_setarray(L);
    for (int i = 0; i < SYMBI_AGENTPIN_STEPS; i++) {
        symbi_agentpin_step_state st = symbi_agentpin_result_step(r, (symbi_agentpin_step)i);
        lua_createtable(L, 0, 4);
        lua_pushinteger(L, i + 1);
        lua_setfield(L, -2, "step");
        lua_pushstring(L, symbi_agentpin_step_name((symbi_agentpin_step)i));
        lua_setfield(L, -2, "name");
        lua_pushstring(L, symbi_agentpin_step_state_name(st));
        lua_setfield(L, -2, "status");
        lua_pushboolean(L, st == SYMBI_AGENTPIN_PASSED || st == SYMBI_AGENTPIN_SKIPPED);
        lua_setfield(L, -2, "ok");
        lua_rawseti(L, -2, i + 1);
    }
}

static void push_pinning(lua_State *L, const symbi_agentpin_result *r)
{
    symbi_agentpin_pinning p = symbi_agentpin_result_pinning(r);
    if (p == SYMBI_AGENTPIN_PIN_NONE) {
        lua_pushnil(L);
        return;
    }
    lua_createtable(L, 0, 2);
    lua_pushstring(L, symbi_agentpin_pinning_name(p));
    lua_setfield(L, -2, "status");
    push_text(L, symbi_agentpin_result_first_seen(r));
    lua_setfield(L, -2, "first_seen");
}

static void push_verified(lua_State *L, const symbi_agentpin_result *r)
{
    int v = symbi_agentpin_result_delegation_verified(r);
    if (v < 0) lua_pushnil(L);
    else lua_pushboolean(L, v);
}

static void push_code(lua_State *L, const symbi_agentpin_result *r) { push_text(L, symbi_str_z(symbi_agentpin_code_name(symbi_agentpin_result_code(r)))); }
static void push_message(lua_State *L, const symbi_agentpin_result *r) { push_text(L, symbi_agentpin_result_message(r)); }
static void push_valid(lua_State *L, const symbi_agentpin_result *r) { lua_pushboolean(L, symbi_agentpin_result_valid(r)); }
static void push_reason(lua_State *L, const symbi_agentpin_result *r) { lua_pushstring(L, symbi_agentpin_reason_name(symbi_agentpin_result_reason(r))); }
static void push_iat(lua_State *L, const symbi_agentpin_result *r)
{
    if (symbi_agentpin_result_valid(r)) symL_pushint(L, symbi_agentpin_result_iat(r));
    else lua_pushnil(L);
}
static void push_exp(lua_State *L, const symbi_agentpin_result *r)
{
    if (symbi_agentpin_result_valid(r)) symL_pushint(L, symbi_agentpin_result_exp(r));
    else lua_pushnil(L);
}
#define TEXT(name, get)                                                                            \
    static void name(lua_State *L, const symbi_agentpin_result *r) { push_text(L, get(r)); }
#define TREE(name, get)                                                                            \
    static void name(lua_State *L, const symbi_agentpin_result *r) { push_tree(L, get(r)); }
TEXT(push_agent_id, symbi_agentpin_result_agent_id)
TEXT(push_issuer, symbi_agentpin_result_issuer)
TEXT(push_audience, symbi_agentpin_result_audience)
TEXT(push_jti, symbi_agentpin_result_jti)
TEXT(push_kid, symbi_agentpin_result_kid)
TEXT(push_agent_name, symbi_agentpin_result_agent_name)
TREE(push_capabilities, symbi_agentpin_result_capabilities)
TREE(push_constraints, symbi_agentpin_result_constraints)
TREE(push_delegation, symbi_agentpin_result_delegation)
TREE(push_warnings, symbi_agentpin_result_warnings)
TREE(push_claimed, symbi_agentpin_result_claimed)

static const struct {
    const char *name;
    void (*push)(lua_State *L, const symbi_agentpin_result *r);
} fields[] = {
    { "valid", push_valid },
    { "agent_id", push_agent_id },
    { "issuer", push_issuer },
    { "capabilities", push_capabilities },
    { "constraints", push_constraints },
    { "delegation_verified", push_verified },
    { "delegation_chain", push_delegation },
    { "key_pinning", push_pinning },
    { "error_code", push_code },
    { "error_message", push_message },
    { "warnings", push_warnings },
    { "reason", push_reason },
    { "audience", push_audience },
    { "jti", push_jti },
    { "kid", push_kid },
    { "agent_name", push_agent_name },
    { "iat", push_iat },
    { "exp", push_exp },
    { "steps", push_steps },
    { "claimed", push_claimed },
    { "code", push_code }, /* names that read better; not in to_table */
    { "message", push_message },
};
enum { NFIELDS = sizeof fields / sizeof *fields, NTABLE = NFIELDS - 2 };

/* r:valid_at(now): still, at that time. */
static int result_valid_at(lua_State *L)
{
    symbi_agentpin_result *r = check(L);
    lua_pushboolean(L, symbi_agentpin_result_valid_at(r, ap_now(L, 2)));
    return 1;
}

static int result_to_table(lua_State *L)
{
    check(L);
    lua_createtable(L, 0, NTABLE);
    for (int i = 0; i < NTABLE; i++) {
        fields[i].push(L, check(L));
        lua_setfield(L, -2, fields[i].name);
    }
    return 1;
}

static int result_index(lua_State *L)
{
    symbi_agentpin_result *r = check(L);
    symbi_str name = symL_tostr(L, 2);
    if (!name.p) return 0;
    for (int i = 0; i < NFIELDS; i++) {
        if (name.n == strlen(fields[i].name) && !memcmp(name.p, fields[i].name, name.n)) {
            fields[i].push(L, r);
            return 1;
        }
    }
    if (!strcmp(name.p, "valid_at")) lua_pushcfunction(L, result_valid_at);
    else if (!strcmp(name.p, "to_table")) lua_pushcfunction(L, result_to_table);
    else lua_pushnil(L);
    return 1;
}

static int result_tostring(lua_State *L)
{
    ud_agentpin *u = symL_checkud(L, 1, UD_AGENTPIN);
    if (!u->p) {
        lua_pushliteral(L, "agentpin: no result");
    } else if (symbi_agentpin_result_valid(u->p)) {
        lua_pushliteral(L, "valid: ");
        push_agent_id(L, u->p);
        lua_pushliteral(L, " of ");
        push_issuer(L, u->p);
        for (int i = -4; i <= -1; i++) {
            if (lua_isnil(L, i)) { /* an empty agent id is allowed */
                lua_pushliteral(L, "");
                lua_replace(L, i - 1);
            }
        }
        lua_concat(L, 4);
    } else {
        lua_pushfstring(L, "%s: %s", symbi_agentpin_code_name(symbi_agentpin_result_code(u->p)), symbi_agentpin_result_message(u->p).p ? symbi_agentpin_result_message(u->p).p : "");
    }
    return 1;
}

void ap_result_type(lua_State *L)
{
    static const luaL_Reg meta[] = { { "__gc", result_gc }, { "__index", result_index }, { "__tostring", result_tostring }, { NULL, NULL } };
    symL_newtype(L, UD_AGENTPIN, NULL, meta);
}
