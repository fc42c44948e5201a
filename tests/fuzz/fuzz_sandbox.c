/* Fuzz target: sandboxed chunks. The input is a Lua script. It runs through the same binding as symbi.sandbox does, with small limits:
 * whatever it does, the call returns in time, with a result or an error of a known code, the caller's globals are as they were, and no
 * memory is left over (the sanitizer sees that). Built with Lua 5.4 and the bindings (see the Makefile). */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void l_sandbox_open(lua_State *L);
void symL_errtype(lua_State *L);

static void must(int ok)
{
    if (!ok) abort();
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const codes[] = { "EPARSE", "EEVAL", "ETIMEOUT", "ELIMIT", "ESCHEMA", NULL };
    lua_State *L = luaL_newstate();
    double began;
    must(L != NULL);
    l_sandbox_open(L);
    lua_getfield(L, -1, "run");
    lua_pushlstring(L, (const char *)data, size);
    lua_newtable(L);
    lua_pushinteger(L, 30);
    lua_setfield(L, -2, "deadline_ms");
    lua_pushinteger(L, 4 << 20);
    lua_setfield(L, -2, "memory_bytes");
    lua_pushinteger(L, 1 << 16);
    lua_setfield(L, -2, "output_bytes");
    lua_newtable(L);
    lua_pushliteral(L, "argument");
    lua_rawseti(L, -2, 1);
    lua_setfield(L, -2, "args");
    began = now();
    must(lua_pcall(L, 2, 3, 0) == LUA_OK);
    must(now() - began < 5); /* the deadline, and sanitizers on a busy machine */
    if (lua_istable(L, -3)) {
        must(lua_isnil(L, -2));
        lua_getfield(L, -3, "n");
        must(lua_isinteger(L, -1));
        lua_getfield(L, -4, "output");
        must(lua_isstring(L, -1) && lua_rawlen(L, -1) <= 1 << 16);
    } else {
        int known = 0;
        must(lua_isstring(L, -2) && lua_istable(L, -1));
        lua_getfield(L, -1, "code");
        for (int i = 0; codes[i]; i++) known |= strcmp(lua_tostring(L, -1), codes[i]) == 0;
        must(known);
    }
    lua_settop(L, 0);
    lua_getglobal(L, "print"); /* this state opened no libraries, and got none from the script */
    must(lua_isnil(L, -1));
    lua_close(L);
    return 0;
}
