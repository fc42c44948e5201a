/* bindings/ltoml.c: symbi.toml.
 *
 *   value, msg, err = toml.decode(text[, {source=}])    date-times are strings; err.path is the source */
#include "symL.h"
#include "symbi/toml.h"

#include <string.h>

static int toml_decode(lua_State *L)
{
    static const char *const known[] = { "source", NULL };
    symbi_str text = symL_checkstr(L, 1), source = { NULL, 0 };
    symbi_doc *d;
    symbi_err err;
    symL_checkopts(L, 2, known);
    if (lua_istable(L, 2)) source = symL_optfield_str(L, 2, "source", source);
    if (symbi_toml_parse(symL_ctx(L), text, &d, &err)) {
        if (source.n) {
            size_t n = source.n < sizeof err.path - 1 ? source.n : sizeof err.path - 1;
            memcpy(err.path, source.p, n);
            err.path[n] = 0;
        }
        return symL_fail(L, &err);
    }
    symL_pushdoc(L, d);
    return 1;
}

void l_toml_open(lua_State *L);
void l_toml_open(lua_State *L)
{
    static const luaL_Reg funcs[] = { { "decode", toml_decode }, { NULL, NULL } };
    lua_newtable(L);
    symL_setfuncs(L, funcs);
}
