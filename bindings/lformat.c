/* bindings/lformat.c: symbi.format (core side): pretty printers. symbi.cedar.format is the door.
 *
 *   text, msg, err = format.cedar(text[, {width=80, indent=2}])     policies; comments stay */
#include "symL.h"
#include "symbi/cedar_format.h"

static int format_cedar(lua_State *L)
{
    static const char *const known[] = { "width", "indent", NULL };
    symbi_str text = symL_checkstr(L, 1);
    size_t width, indent;
    symbi_text *t;
    symbi_err err;
    symL_checkopts(L, 2, known);
    width = (size_t)symL_optfield_int(L, 2, "width", SYMBI_CEDAR_FORMAT_WIDTH, 1, 10000);
    indent = (size_t)symL_optfield_int(L, 2, "indent", SYMBI_CEDAR_FORMAT_INDENT, 0, 64);
    t = symL_text(L);
    if (symbi_cedar_format(symL_ctx(L), text, width, indent, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

void l_format_open(lua_State *L);
void l_format_open(lua_State *L)
{
    static const luaL_Reg funcs[] = { { "cedar", format_cedar }, { NULL, NULL } };
    lua_newtable(L);
    symL_setfuncs(L, funcs);
}
