/* bindings/lschemapin_pins.c: the pin store in memory; lua/symbi/schemapin_store.lua keeps it in a file.
 *
 *   pins([text or table]) -> p: p:load(text or table), p:json([joined]), p:count(), p:list(), p:find(tool_id, domain),
 *     p:add{tool_id=, domain=, fingerprint=, developer_name=, public_key_pem=, now=, replace=}, p:remove(tool_id, domain),
 *     p:policy(domain), p:set_policy(domain, policy), p:generation() -> text that changes with every change,
 *     p:consider{tool_id=, domain=, fingerprint=, ..., mode=, force=, can_ask=, revoked=, now=} -> accepted, prompt or nil
 *     p:answer{..., prompt=, answer=, now=} -> accepted */
#include "lschemapin.h"

#include <stdio.h>
#include <string.h>

static const char *const modes[] = { "strict", "interactive", "automatic", NULL };
static const char *const prompts[] = { "none", "first_time_key", "key_change", "revoked_key", NULL };
static const char *const answers[] = { "reject", "accept", "always_trust", "never_trust", "temporary_accept", NULL };

symbi_schemapin_pins *lsp_checkpins(lua_State *L, int arg)
{
    ud_sp_pins *u = symL_checkud(L, arg, UD_SP_PINS);
    if (!u->p) luaL_argerror(L, arg, "the pins are closed");
    return u->p;
}

static int p_close(lua_State *L)
{
    ud_sp_pins *u = symL_checkud(L, 1, UD_SP_PINS);
    symbi_schemapin_pins *p = u->p;
    u->p = NULL;
    symbi_schemapin_pins_free(p);
    return 0;
}

static int c_pins(lua_State *L)
{
    symbi_str json = { NULL, 0 };
    symbi_value v;
    const symbi_value *value = NULL;
    ud_sp_pins *u;
    symbi_err err;
    bool load = !lua_isnoneornil(L, 1);
    if (load && lsp_document(L, 1, &json, &v, &value, &err)) return symL_fail(L, &err);
    u = symL_newud(L, sizeof *u, UD_SP_PINS);
    if (symbi_schemapin_pins_new(symL_ctx(L), &u->p, &err)) return symL_fail(L, &err);
    if (load && symbi_schemapin_pins_load(u->p, json, value, &err)) return symL_fail(L, &err);
    return 1;
}

static int p_load(lua_State *L)
{
    symbi_str json;
    symbi_value v;
    const symbi_value *value;
    symbi_err err;
    lsp_checkpins(L, 1);
    if (lua_isnoneornil(L, 2)) luaL_argerror(L, 2, "a text or a table is expected");
    if (lsp_document(L, 2, &json, &v, &value, &err)) return symL_fail(L, &err);
    if (symbi_schemapin_pins_load(lsp_checkpins(L, 1), json, value, &err)) return symL_fail(L, &err);
    lua_settop(L, 1);
    return 1;
}

static int p_json(lua_State *L)
{
    bool joined = lua_toboolean(L, 2);
    symbi_text *t;
    symbi_err err;
    lsp_checkpins(L, 1);
    t = symL_text(L);
    if (symbi_schemapin_pins_json(lsp_checkpins(L, 1), joined, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int p_count(lua_State *L)
{
    symL_pushint(L, (int64_t)symbi_schemapin_pins_count(lsp_checkpins(L, 1)));
    return 1;
}

/* The number itself does not fit a double. */
static int p_generation(lua_State *L)
{
    char b[24];
    snprintf(b, sizeof b, "%016llx", (unsigned long long)symbi_schemapin_pins_generation(lsp_checkpins(L, 1)));
    lua_pushstring(L, b);
    return 1;
}

/* Names of a pin's fields, in the order of part(). */
static const char *const fields[] = { "tool_id", "domain", "fingerprint", "first_seen", "last_seen", "trust_level", "developer_name", "public_key_pem" };
enum { NFIELDS = 8 };
static symbi_str part(const symbi_schemapin_pin *p, int i)
{
    switch (i) {
    case 0: return p->tool_id;
    case 1: return p->domain;
    case 2: return p->fingerprint;
    case 3: return p->first_seen;
    case 4: return p->last_seen;
    case 5: return p->trust_level;
    case 6: return p->developer_name;
    default: return p->public_key_pem;
    }
}

/* The i-th pin's fields; each is fetched again, since a push may run a finaliser that changes the pins. False: it is gone. */
static bool push_pin(lua_State *L, size_t index)
{
    lua_createtable(L, 0, NFIELDS);
    for (int i = 0; i < NFIELDS; i++) {
        symbi_schemapin_pin p;
        ud_sp_pins *u = symL_checkud(L, 1, UD_SP_PINS);
        symbi_str s;
        if (!u->p || !symbi_schemapin_pins_at(u->p, index, &p)) return false;
        s = part(&p, i);
        if (!s.n && i > 2) continue;
        symL_pushstr(L, s);
        lua_setfield(L, -2, fields[i]);
    }
    return true;
}

static int p_list(lua_State *L)
{
    size_t n = symbi_schemapin_pins_count(lsp_checkpins(L, 1));
    lua_settop(L, 1);
    lua_createtable(L, (int)n, 0);
    symL_setarray(L);
    for (size_t i = 0; i < n; i++) {
        if (!push_pin(L, i)) {
            lua_pop(L, 1);
            break;
        }
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

static int p_find(lua_State *L)
{
    symbi_str tool = symL_checkstr(L, 2), domain = symL_checkstr(L, 3);
    symbi_schemapin_pins *p = lsp_checkpins(L, 1);
    symbi_schemapin_pin want, at;
    if (!symbi_schemapin_pins_find(p, tool, domain, &want)) {
        lua_pushnil(L);
        return 1;
    }
    for (size_t i = 0; symbi_schemapin_pins_at(p, i, &at); i++)
        if (at.fingerprint.p == want.fingerprint.p) {
            lua_settop(L, 3);
            push_pin(L, i);
            return 1;
        }
    lua_pushnil(L);
    return 1;
}

/* The pin that the options at 2 describe; strings are kept by the table. */
static symbi_schemapin_pin read_pin(lua_State *L)
{
    symbi_schemapin_pin p;
    luaL_checktype(L, 2, LUA_TTABLE);
    memset(&p, 0, sizeof p);
    p.tool_id = lsp_field_str(L, 2, "tool_id");
    p.domain = lsp_field_str(L, 2, "domain");
    p.fingerprint = lsp_field_str(L, 2, "fingerprint");
    p.developer_name = lsp_field_str(L, 2, "developer_name");
    p.public_key_pem = lsp_field_str(L, 2, "public_key_pem");
    p.trust_level = lsp_field_str(L, 2, "trust_level");
    if (!p.tool_id.p || !p.domain.p || !p.fingerprint.n) luaL_argerror(L, 2, "tool_id, domain and fingerprint are expected");
    return p;
}

static int p_add(lua_State *L)
{
    symbi_schemapin_pin pin;
    bool replace;
    int64_t now;
    symbi_err err;
    lsp_checkpins(L, 1);
    pin = read_pin(L);
    replace = lsp_field_bool(L, 2, "replace");
    now = lsp_field_now(L, 2);
    if (symbi_schemapin_pins_add(lsp_checkpins(L, 1), &pin, now, replace, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int p_remove(lua_State *L)
{
    symbi_str tool = symL_checkstr(L, 2), domain = symL_checkstr(L, 3);
    lua_pushboolean(L, symbi_schemapin_pins_remove(lsp_checkpins(L, 1), tool, domain));
    return 1;
}

static int p_policy(lua_State *L)
{
    symbi_str domain = symL_checkstr(L, 2);
    lua_pushstring(L, symbi_schemapin_policy_name(symbi_schemapin_pins_policy(lsp_checkpins(L, 1), domain)));
    return 1;
}

static int p_set_policy(lua_State *L)
{
    symbi_str domain = symL_checkstr(L, 2), name = symL_checkstr(L, 3);
    symbi_schemapin_policy policy;
    symbi_err err;
    if (!symbi_schemapin_policy_parse(name, &policy)) luaL_argerror(L, 3, "default, always_trust, never_trust or interactive_only is expected");
    if (symbi_schemapin_pins_set_policy(lsp_checkpins(L, 1), domain, policy, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int word(lua_State *L, const char *name, const char *const words[])
{
    symbi_str s = lsp_field_str(L, 2, name);
    for (int i = 0; words[i]; i++)
        if (s.p && strlen(words[i]) == s.n && !memcmp(words[i], s.p, s.n)) return i;
    return luaL_error(L, "%s: an unknown word", name);
}

static int p_consider(lua_State *L)
{
    symbi_schemapin_pin pin;
    symbi_schemapin_prompt ask;
    symbi_schemapin_mode mode;
    bool accepted, force, can_ask, revoked;
    int64_t now;
    symbi_err err;
    lsp_checkpins(L, 1);
    pin = read_pin(L);
    mode = (symbi_schemapin_mode)word(L, "mode", modes);
    force = lsp_field_bool(L, 2, "force");
    can_ask = lsp_field_bool(L, 2, "can_ask");
    revoked = lsp_field_bool(L, 2, "revoked");
    now = lsp_field_now(L, 2);
    if (symbi_schemapin_pins_consider(lsp_checkpins(L, 1), &pin, mode, force, can_ask, revoked, now, &ask, &accepted, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, accepted);
    if (!ask) return 1;
    lua_pushstring(L, prompts[ask]);
    return 2;
}

static int p_answer(lua_State *L)
{
    symbi_schemapin_pin pin;
    symbi_schemapin_prompt asked;
    symbi_schemapin_choice answer;
    bool accepted;
    int64_t now;
    symbi_err err;
    lsp_checkpins(L, 1);
    pin = read_pin(L);
    asked = (symbi_schemapin_prompt)word(L, "prompt", prompts);
    answer = (symbi_schemapin_choice)word(L, "answer", answers);
    now = lsp_field_now(L, 2);
    if (symbi_schemapin_pins_answer(lsp_checkpins(L, 1), &pin, asked, answer, now, &accepted, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, accepted);
    return 1;
}

void lsp_add_pins(lua_State *L)
{
    static const luaL_Reg methods[] = { { "load", p_load },       { "json", p_json },     { "count", p_count },           { "generation", p_generation }, { "list", p_list },
                                        { "find", p_find },       { "add", p_add },       { "remove", p_remove },         { "policy", p_policy },         { "set_policy", p_set_policy },
                                        { "consider", p_consider }, { "answer", p_answer }, { "close", p_close },           { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "pins", c_pins }, { NULL, NULL } };
    symL_newtype(L, UD_SP_PINS, methods, NULL);
    symL_setfuncs(L, funcs);
}
