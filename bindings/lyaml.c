/* bindings/lyaml.c: symbi.yaml (symbi/yaml.h says what is refused).
 *
 *   value, msg, err = yaml.decode(text[, {source=, text=false}])   text = true: every scalar is text (front matter)
 *   text, msg, err  = yaml.encode(value) */
#include "symL.h"
#include "symbi/yaml.h"

#include <string.h>

static int y_decode(lua_State *L)
{
    static const char *const known[] = { "source", "text", NULL };
    symbi_str text = symL_checkstr(L, 1), source;
    unsigned flags;
    symbi_doc *d;
    symbi_err err;
    symL_checkopts(L, 2, known);
    source = symL_optfield_str(L, 2, "source", symbi_str_z(""));
    flags = symL_optfield_bool(L, 2, "text", false) ? SYMBI_YAML_TEXT : SYMBI_YAML_CORE;
    if (symbi_yaml_parse(symL_ctx(L), text, flags, &d, &err)) {
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

static int y_encode(lua_State *L)
{
    symbi_value v;
    symbi_text *t;
    symbi_err err;
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    if (symL_tovalue(L, 1, &v, &err)) return symL_fail(L, &err);
    t = symL_text(L);
    if (symbi_yaml_write(symL_ctx(L), &v, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

void l_yaml_open(lua_State *L);
void l_yaml_open(lua_State *L)
{
    static const luaL_Reg funcs[] = { { "decode", y_decode }, { "encode", y_encode }, { NULL, NULL } };
    lua_newtable(L);
    symL_setfuncs(L, funcs);
}
