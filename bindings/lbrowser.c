/* bindings/lbrowser.c: symbi.core.browser: where a browser tool may go (symbi/browser.h). The browser itself is io.browser (io_browser.c).
 *   where, msg, err = browser.check_url(scope, url[, resource])   "inside" or "outside" (allow_external), nil when refused. scope: as
 *                                                                 [browser.scope]; nil: none. resource: what a page loads, not a page
 *   where, msg, err = browser.judge_url(scope, url[, resource])   the same, and for "outside" the strict network guard */
#include "symL.h"
#include "symbi/browser.h"

static int check(lua_State *L, symbi_status (*f)(const symbi_value *, symbi_str, bool, symbi_browser_where *, symbi_err *))
{
    symbi_str url = symL_checkstr(L, 2);
    symbi_browser_where where;
    symbi_value scope;
    symbi_err err;
    bool resource = lua_toboolean(L, 3), none = lua_isnil(L, 1);
    if (!none) luaL_checktype(L, 1, LUA_TTABLE);
    if (!none && symL_tovalue(L, 1, &scope, &err)) return symL_fail(L, &err);
    if (f(none ? NULL : &scope, url, resource, &where, &err)) return symL_fail(L, &err);
    lua_pushstring(L, where == SYMBI_BROWSER_INSIDE ? "inside" : "outside");
    return 1;
}

static int check_url(lua_State *L) { return check(L, symbi_browser_check_url); }
static int judge_url(lua_State *L) { return check(L, symbi_browser_judge_url); }

void l_browser_open(lua_State *L);
void l_browser_open(lua_State *L)
{
    static const luaL_Reg funcs[] = { { "check_url", check_url }, { "judge_url", judge_url }, { NULL, NULL } };
    lua_newtable(L);
    symL_setfuncs(L, funcs);
}
