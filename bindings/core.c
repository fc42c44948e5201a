/* bindings/core.c: luaopen_symbi_core: the table that holds every module. Safe to call again in one state. The modules are
 * listed in lmodules.h, which the Makefile makes from the l_<module>_open functions it finds in bindings/. */
#include "symL.h"

#include <string.h>

#define SYML_MODULE(name) void l_##name##_open(lua_State *L);
#include "lmodules.h"
#undef SYML_MODULE

/* array(): a new array; array(t): marks t; array(t, n): marks t and fills nil in 1..n with null. Returns the table. */
static int core_array(lua_State *L)
{
    int64_t n = symL_optint(L, 2, -1, 0, (int64_t)symbi_ctx_limits(symL_ctx(L))->doc_nodes);
    if (lua_isnoneornil(L, 1)) {
        lua_settop(L, 0);
        lua_newtable(L);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    for (int64_t i = 1; i <= n; i++) {
        bool hole;
        lua_rawgeti(L, 1, (int)i);
        hole = lua_isnil(L, -1);
        lua_pop(L, 1);
        if (hole) {
            symL_pushnull(L);
            lua_rawseti(L, 1, (int)i);
        }
    }
    lua_settop(L, 1);
    if (lua_getmetatable(L, 1)) {
        lua_getfield(L, LUA_REGISTRYINDEX, "symbi.array");
        if (!lua_rawequal(L, -1, -2)) luaL_argerror(L, 1, "the table has a metatable of its own");
        lua_settop(L, 1);
    }
    symL_setarray(L);
    return 1;
}

/* object(): a new object; object(t): t without the array mark. Objects need none: a table with named keys, or none, is one. */
static int core_object(lua_State *L)
{
    if (lua_isnoneornil(L, 1)) {
        lua_newtable(L);
        return 1;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    if (symL_rawlen(L, 1)) luaL_argerror(L, 1, "the table is a list");
    lua_settop(L, 1);
    if (lua_getmetatable(L, 1)) {
        lua_getfield(L, LUA_REGISTRYINDEX, "symbi.array");
        if (lua_rawequal(L, -1, -2)) {
            lua_pushnil(L);
            lua_setmetatable(L, 1);
        }
        lua_settop(L, 1);
    }
    return 1;
}

static int core_is_array(lua_State *L)
{
    lua_pushboolean(L, symL_isarray(L, 1));
    return 1;
}

static int core_debug_live(lua_State *L)
{
    symbi_crypto_trim(symL_ctx(L)); /* what a cache keeps is no leftover */
    symL_pushint(L, symL_live(L));
    return 1;
}

/* debug_value(v): v as C sees it: converted to a tree, copied into a document, and back. For tests. */
static int core_debug_value(lua_State *L)
{
    symbi_value v;
    symbi_doc *d;
    symbi_err err;
    luaL_checkany(L, 1);
    if (symL_tovalue(L, 1, &v, &err)) return symL_fail(L, &err);
    if (symbi_doc_copy(symL_ctx(L), &v, &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

/* limits(): all limits as a table. limits{name = value}: changes some; raises on an unknown name, then changes nothing. */
static int core_limits(lua_State *L)
{
    symbi_limits *l = symbi_ctx_limits(symL_ctx(L)), copy = *l;
    if (!lua_isnoneornil(L, 1)) {
        static const char *const known[] = {
#define ROW(name, def, text) #name,
            SYMBI_LIMIT_LIST(ROW)
#undef ROW
            NULL
        };
        symL_checkopts(L, 1, known);
        /* Nesting costs C stack in parsers and in conversions: these have a ceiling. */
#define ROW(name, def, text)                                                                       \
    copy.name = (size_t)symL_optfield_int(L, 1, #name, (int64_t)copy.name, 0,                      \
                                          strcmp(#name, "doc_depth") == 0 || strcmp(#name, "expr_depth") == 0 ? 2000 : (int64_t)1 << 40);
        SYMBI_LIMIT_LIST(ROW)
#undef ROW
        *l = copy;
    }
    lua_newtable(L);
#define ROW(name, def, text)                                                                       \
    symL_pushint(L, (int64_t)l->name);                                                             \
    lua_setfield(L, -2, #name);
    SYMBI_LIMIT_LIST(ROW)
#undef ROW
    return 1;
}

/* error(code, message [, fields]): an error object as C makes them, for Lua code: nil, message, symbi.error("EIO", message). */
static int core_error(lua_State *L)
{
    symL_checkstr(L, 1);
    symL_checkstr(L, 2);
    lua_settop(L, 3);
    lua_createtable(L, 0, 4);
    if (!lua_isnil(L, 3)) {
        luaL_checktype(L, 3, LUA_TTABLE);
        lua_pushnil(L);
        while (lua_next(L, 3)) {
            lua_pushvalue(L, -2);
            lua_insert(L, -2);
            lua_rawset(L, 4);
        }
    }
    lua_pushvalue(L, 1);
    lua_setfield(L, 4, "code");
    lua_pushvalue(L, 2);
    lua_setfield(L, 4, "message");
    symL_errtype(L);
    lua_setmetatable(L, 4);
    return 1;
}

static void push_status(lua_State *L)
{
    symbi_status st;
    const char *name;
    lua_newtable(L);
    for (size_t i = 0; symbi_status_at(i, &st, &name); i++) {
        lua_pushinteger(L, (lua_Integer)st);
        lua_setfield(L, -2, name);
    }
}

static void push_decisions(lua_State *L)
{
    lua_newtable(L);
    for (int d = SYMBI_DENY; d <= SYMBI_DEFER; d++) {
        lua_pushinteger(L, d);
        lua_setfield(L, -2, symbi_decision_name((symbi_decision)d));
    }
}

/* Which of our builds is this VM able to load: a module for the wrong one crashes instead of failing to load. */
static void check_vm(lua_State *L)
{
    char want[8] = "Lua ";
    const char *have;
    strcat(want, symL_vm());
    lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
    if (lua_istable(L, -1)) {
        lua_getfield(L, -1, "_G");
        if (lua_istable(L, -1)) {
            lua_getfield(L, -1, "_VERSION");
            have = lua_tostring(L, -1);
            if (have && strcmp(have, want) != 0)
                luaL_error(L, "symbi.core is built for %s, but runs in %s; put the build for this Lua on package.cpath", want, have);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

SYMBI_API int luaopen_symbi_core(lua_State *L);
int luaopen_symbi_core(lua_State *L)
{
    static const luaL_Reg funcs[] = {
        { "array", core_array },   { "object", core_object },         { "is_array", core_is_array }, { "error", core_error },
        { "limits", core_limits }, { "debug_live", core_debug_live },
        { "debug_value", core_debug_value }, { NULL, NULL },
    };
    check_vm(L);
    symL_ctx(L);
    symL_valuetypes(L);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
    symL_pushnull(L);
    lua_setfield(L, -2, "null");
    lua_pushstring(L, symbi_version());
    lua_setfield(L, -2, "version");
    lua_pushstring(L, symL_vm());
    lua_setfield(L, -2, "lua_abi");
    push_status(L);
    lua_setfield(L, -2, "status");
    push_decisions(L);
    lua_setfield(L, -2, "decisions");
    /* What the host was told on its command line (host/cli); an empty table elsewhere. */
    lua_getfield(L, LUA_REGISTRYINDEX, "symbi.options");
    if (!lua_istable(L, -1)) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setfield(L, LUA_REGISTRYINDEX, "symbi.options");
    }
    lua_setfield(L, -2, "options");
#define SYML_MODULE(name)                                                                          \
    l_##name##_open(L);                                                                            \
    lua_setfield(L, -2, #name);
#include "lmodules.h"
#undef SYML_MODULE
    return 1;
}
