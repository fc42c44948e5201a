/* tests/env/oom-io/oom_io.c: the harness of tests/env/oom with the drivers' module as well, as "symbi.cio". */
#include <lauxlib.h>
#include <lua.h>

int luaopen_symbi_core(lua_State *L);
int luaopen_symbi_io(lua_State *L);

static int luaopen_both(lua_State *L)
{
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "preload");
    lua_pushcfunction(L, luaopen_symbi_io);
    lua_setfield(L, -2, "symbi.cio");
    lua_pop(L, 2);
    return luaopen_symbi_core(L);
}
#define luaopen_symbi_core luaopen_both
#include "../oom/oom.c"
