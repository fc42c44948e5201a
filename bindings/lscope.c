/* bindings/lscope.c: symbi.scope: what may be targeted (symbi/scope.h). Reading the file is lua/symbi/scope.lua.
 *
 *   scope, msg, err = scope.parse(text[, source])        a scope file
 *   scope, msg, err = scope.new{targets=, domains=, exclude=}
 *   scope = scope.broken(why)                             everything is out of it
 *   true, or nil, msg, err = s:check(target), s:check_url(url); s:check_tool(tool, validated arguments)
 *   s:problem() nil or why it is broken; s:hash(); s:close() */
#include "symbi/scope.h"
#include "symL.h"
#include "ud.h"

static int scope_close(lua_State *L)
{
    ud_scope_file *u = symL_checkud(L, 1, UD_SCOPE_FILE);
    symbi_scope *p = u->p;
    u->p = NULL;
    symbi_scope_unref(p);
    return 0;
}

static symbi_scope *check(lua_State *L)
{
    ud_scope_file *u = symL_checkud(L, 1, UD_SCOPE_FILE);
    if (!u->p) luaL_argerror(L, 1, "the scope is closed");
    return u->p;
}

static int scope_parse(lua_State *L)
{
    symbi_str text = symL_checkstr(L, 1), source = symL_optstr(L, 2, symbi_str_z("scope.toml"));
    ud_scope_file *u = symL_newud(L, sizeof *u, UD_SCOPE_FILE);
    symbi_err err;
    if (symbi_scope_parse(symL_ctx(L), text, source, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int scope_new(lua_State *L)
{
    ud_scope_file *u;
    symbi_value v;
    symbi_err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    if (symL_tovalue(L, 1, &v, &err)) return symL_fail(L, &err);
    u = symL_newud(L, sizeof *u, UD_SCOPE_FILE);
    if (symbi_scope_from_value(symL_ctx(L), &v, symbi_str_z("scope"), &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int scope_broken(lua_State *L)
{
    symbi_str why = symL_checkstr(L, 1);
    ud_scope_file *u = symL_newud(L, sizeof *u, UD_SCOPE_FILE);
    symbi_err err;
    if (symbi_scope_broken(symL_ctx(L), why, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int answer(lua_State *L, symbi_status st, const symbi_err *err)
{
    if (st) return symL_fail(L, err);
    lua_pushboolean(L, 1);
    return 1;
}

static int s_check(lua_State *L)
{
    symbi_err err;
    return answer(L, symbi_scope_check(check(L), symL_checkstr(L, 2), &err), &err);
}

static int s_check_url(lua_State *L)
{
    symbi_err err;
    return answer(L, symbi_scope_check_url(check(L), symL_checkstr(L, 2), &err), &err);
}

static int s_check_tool(lua_State *L)
{
    symbi_scope *s = check(L);
    ud_tool *t = symL_checkud(L, 2, UD_TOOL);
    symbi_value v;
    symbi_err err;
    if (!t->p) return luaL_argerror(L, 2, "the tool is closed");
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_settop(L, 3);
    if (symL_tovalue(L, 3, &v, &err)) return symL_fail(L, &err);
    return answer(L, symbi_tool_check_scope(t->p, &v, s, true, &err), &err);
}

static int s_problem(lua_State *L)
{
    symbi_str why = symbi_scope_problem(check(L));
    if (why.n) symL_pushstr(L, why);
    else lua_pushnil(L);
    return 1;
}

static int s_hash(lua_State *L)
{
    static const char digit[] = "0123456789abcdef";
    uint8_t h[32];
    char hex[64];
    symbi_scope_hash(check(L), h);
    for (size_t i = 0; i < 32; i++) hex[2 * i] = digit[h[i] >> 4], hex[2 * i + 1] = digit[h[i] & 15];
    lua_pushlstring(L, hex, sizeof hex);
    return 1;
}

void l_scope_open(lua_State *L);
void l_scope_open(lua_State *L)
{
    static const luaL_Reg methods[] = { { "check", s_check }, { "check_url", s_check_url }, { "check_tool", s_check_tool }, { "problem", s_problem }, { "hash", s_hash }, { "close", scope_close }, { NULL, NULL } };
    static const luaL_Reg meta[] = { { "__gc", scope_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "parse", scope_parse }, { "new", scope_new }, { "broken", scope_broken }, { NULL, NULL } };
    symL_newtype(L, UD_SCOPE_FILE, methods, meta);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
}
