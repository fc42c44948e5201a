/* bindings/io_evidence.c: symbi.io.evidence_prepare(path), before a tool acts, and symbi.io.evidence_write(path, data) after it; for executors in Lua
 * (symbi/io_evidence.h). true, or nil, message, err. */
#include "io_int.h"
#include "symbi/io_evidence.h"

static int prepare(lua_State *L)
{
    symbi_err err;
    if (symbi_evidence_prepare(symL_ctx(L), symL_checkstr(L, 1), &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int put(lua_State *L)
{
    symbi_str path = symL_checkstr(L, 1), data = symL_checkstr(L, 2);
    symbi_err err;
    if (symbi_evidence_write(symL_ctx(L), path, data, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

void l_io_evidence_open(lua_State *L)
{
    static const luaL_Reg funcs[] = { { "evidence_prepare", prepare }, { "evidence_write", put }, { NULL, NULL } };
    symL_setfuncs(L, funcs);
}
