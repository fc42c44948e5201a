/* cli/repl.c: -i. What is read, compiled and shown is arranged in Lua (symbi/cli/repl.lua); here is what Lua cannot do itself: calls that
 * Ctrl-C interrupts without ending the program. */
#include "cli/cli.h"

#include <lauxlib.h>
#include <stdio.h>
#include <unistd.h>

/* protect(f, ...): true and its results; false and the message with a traceback; false alone after Ctrl-C. */
static int protect(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    if (cli_protect(L, lua_gettop(L) - 1, LUA_MULTRET)) {
        lua_pushboolean(L, 0);
        if (cli_interrupted()) return 1;
        lua_insert(L, -2);
        return 2;
    }
    lua_pushboolean(L, 1);
    lua_insert(L, 1);
    return lua_gettop(L);
}

/* The words "terminal" and "colour" mean standard input and standard output. */
int cli_repl(lua_State *L)
{
    int st;
    lua_settop(L, 0);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "symbi.cli.repl");
    st = lua_pcall(L, 1, 1, 0);
    if (!st) {
        lua_newtable(L);
        lua_pushcfunction(L, protect);
        lua_setfield(L, -2, "protect");
        lua_pushboolean(L, isatty(0));
        lua_setfield(L, -2, "terminal");
        if (isatty(0) && isatty(1) && cli_push_editor(L)) lua_setfield(L, -2, "readline");
        st = lua_pcall(L, 1, 1, 0);
    }
    if (st) {
        fprintf(stderr, "symbi-lua: %s\n", lua_tostring(L, -1));
        return CLI_FAILED;
    }
    return lua_isinteger(L, -1) ? (int)lua_tointeger(L, -1) : CLI_OK;
}
