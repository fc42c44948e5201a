/* cli/state.c: the host's Lua state: where modules are found, what scripts see of the command line. */
#include "cli/cli.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Where the Lua files and the C modules are. Empty strings: only Lua's own package.path is used. */
typedef struct layout {
    char lua[PATH_MAX], mods[PATH_MAX];
} layout;

static bool join(char out[PATH_MAX], const char *dir, const char *rest)
{
    int n = snprintf(out, PATH_MAX, "%s%s", dir, rest);
    return n > 0 && n < PATH_MAX;
}

/* True when both folders are there, relative to dir. */
static bool try_layout(layout *l, const char *dir, const char *lua, const char *mods)
{
    char probe[PATH_MAX];
    return join(l->lua, dir, lua) && join(l->mods, dir, mods) && join(probe, l->lua, "/symbi/init.lua") && access(probe, R_OK) == 0 &&
           access(l->mods, R_OK) == 0;
}

/* From the place of the executable: the root of a checkout, its build folder, or an installation's bin. */
static void find_layout(layout *l)
{
    char exe[PATH_MAX];
    char *slash;
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (n > 0) {
        exe[n] = 0;
        slash = strrchr(exe, '/');
        if (slash) *slash = 0;
        if (try_layout(l, exe, "/lua", "/build/5.4") || try_layout(l, exe, "/../lua", "/5.4") ||
            try_layout(l, exe, "/../share/lua/5.4", "/../lib/lua/5.4"))
            return;
    }
    l->lua[0] = l->mods[0] = 0;
}

/* package[field] = prefix;package[field] */
static void prepend(lua_State *L, const char *field, const char *prefix)
{
    lua_getglobal(L, "package");
    lua_pushstring(L, prefix);
    lua_getfield(L, -2, field);
    lua_concat(L, 2);
    lua_setfield(L, -2, field);
    lua_pop(L, 1);
}

/* The searcher of symbi.core: exactly the file of this tree, whatever LUA_CPATH says. Upvalue: its path. */
static int load_core(lua_State *L)
{
    lua_settop(L, 1);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "loadlib");
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushstring(L, "luaopen_symbi_core");
    lua_call(L, 2, 2);
    if (lua_isnil(L, -2)) return luaL_error(L, "cannot load symbi.core: %s (in a checkout, run make)", lua_tostring(L, -1));
    lua_pop(L, 1);
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

static void set_paths(lua_State *L)
{
    static layout l;
    luaL_Buffer b;
    find_layout(&l);
    if (!l.lua[0]) return;
    luaL_buffinit(L, &b);
    luaL_addstring(&b, l.lua);
    luaL_addstring(&b, "/?.lua;");
    luaL_addstring(&b, l.lua);
    luaL_addstring(&b, "/?/init.lua;");
    luaL_pushresult(&b);
    prepend(L, "path", lua_tostring(L, -1));
    lua_pop(L, 1);
    lua_pushfstring(L, "%s/?.so;", l.mods);
    prepend(L, "cpath", lua_tostring(L, -1));
    lua_pop(L, 1);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "preload");
    lua_pushfstring(L, "%s/symbi/core.so", l.mods);
    lua_pushcclosure(L, load_core, 1);
    lua_setfield(L, -2, "symbi.core");
    lua_pop(L, 2);
}

/* arg as in lua: the script at 0, its arguments after it, what stands before it at negative positions. */
static void set_arg(lua_State *L, const cli_options *o)
{
    int zero = o->first < o->argc ? o->first : 0;
    lua_createtable(L, o->argc - zero, zero + 1);
    for (int i = 0; i < o->argc; i++) {
        lua_pushstring(L, o->argv[i]);
        lua_rawseti(L, -2, i - zero);
    }
    lua_setglobal(L, "arg");
}

static void set_options(lua_State *L, const cli_options *o)
{
    lua_createtable(L, 0, 4);
    lua_pushstring(L, o->policies);
    lua_setfield(L, -2, "policies");
    lua_pushstring(L, o->tools);
    lua_setfield(L, -2, "tools");
    lua_pushstring(L, o->state);
    lua_setfield(L, -2, "state");
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "host");
    lua_setfield(L, LUA_REGISTRYINDEX, "symbi.options"); /* symbi.core hands it on */
}

void cli_setup(lua_State *L, const cli_options *o)
{
    luaL_openlibs(L);
    set_paths(L);
    set_arg(L, o);
    set_options(L, o);
}
