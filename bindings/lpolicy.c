/* bindings/lpolicy.c: symbi.core.policy: the policy linter, and the policy sets of gates in compat mode. What people use is
 * lua/symbi/policy.lua.
 *
 *   findings, msg, err = policy.lint_text(text[, {upstream=}])   a list of {rule=, severity=, line=, col=, message=}
 *   findings, msg, err = policy.lint(set[, toolset])             the same, with policy= and source=
 *   set, msg, err = policy.compat({text | {text=}, ...})         nil with no message for an empty list: such a gate has no policies */
#include <string.h>

#include "symL.h"
#include "symbi/gate_lint.h"
#include "ud.h"

static int policy_lint_text(lua_State *L)
{
    static const char *const known[] = { "upstream", NULL };
    symbi_str text = symL_checkstr(L, 1);
    unsigned flags = 0;
    symbi_doc *d = NULL;
    symbi_err err;
    lua_settop(L, 2);
    if (!lua_isnil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        symL_checkopts(L, 2, known);
        if (symL_optfield_bool(L, 2, "upstream", false)) flags |= SYMBI_LINT_UPSTREAM;
    }
    if (symbi_policy_lint_text(symL_ctx(L), text, flags, &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

static int policy_lint(lua_State *L)
{
    ud_policies *p = symL_checkud(L, 1, UD_POLICIES);
    ud_toolset *t = lua_isnoneornil(L, 2) ? NULL : symL_checkud(L, 2, UD_TOOLSET);
    symbi_doc *d = NULL;
    symbi_err err;
    if (!p->p) return luaL_argerror(L, 1, "the policy set is closed");
    if (t && !t->p) return luaL_argerror(L, 2, "the toolset is closed");
    if (symbi_policy_lint_set(symL_ctx(L), p->p, t ? t->p : NULL, &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

static int policy_compat(lua_State *L)
{
    symbi_cedar_source *src;
    ud_policies *u;
    size_t n;
    symbi_err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    n = symL_listlen(L, 1, "policies");
    if (n > 1000000) return luaL_argerror(L, 1, "too many sources");
    src = lua_newuserdata(L, (n + 1) * sizeof *src); /* 2 */
    memset(src, 0, (n + 1) * sizeof *src);
    lua_newtable(L); /* 3: keeps the texts */
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 1, (int)i + 1);
        if (lua_istable(L, -1)) {
            lua_getfield(L, -1, "text");
            lua_remove(L, -2);
        }
        if (lua_type(L, -1) != LUA_TSTRING) return luaL_error(L, "policy.compat: entry %d must be a text or {text=}", (int)i + 1);
        src[i].text = symL_tostr(L, -1);
        lua_rawseti(L, 3, (int)i + 1);
    }
    u = symL_newud(L, sizeof *u, UD_POLICIES);
    if (symbi_compat_policies(symL_ctx(L), src, n, &u->p, &err)) return symL_fail(L, &err);
    if (!u->p) lua_pushnil(L);
    return 1;
}

void l_policy_open(lua_State *L);
void l_policy_open(lua_State *L)
{
    static const luaL_Reg funcs[] = { { "lint_text", policy_lint_text }, { "lint", policy_lint }, { "compat", policy_compat }, { NULL, NULL } };
    lua_newtable(L);
    symL_setfuncs(L, funcs);
}
