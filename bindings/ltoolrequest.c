/* bindings/ltoolrequest.c: symbi.core.toolrequest: the request of an HTTP tool, for the executor in Lua (symbi/tool_request.h).
 *
 *   request, msg, err = toolrequest.resolve(plan, {NAME = value, ...})
 *       {method=, url=, headers={{name, value}, ...}, body=, max_bytes=, timeout_ms=}: what io.http takes, with the secrets in it. The
 *       plan must come out of a gate (redeem), and gives its request once: a dry run sends nothing, and nothing is sent twice
 *   ms = toolrequest.now_ms()             the wall clock of this state */
#include "symbi/tool_request.h"
#include "symL.h"
#include "ud.h"

#define UD_REQUEST "symbi.plan_request" /* only so that it is wiped whatever happens */

static int request_gc(lua_State *L)
{
    symbi_plan_request_wipe(symL_checkud(L, 1, UD_REQUEST));
    return 0;
}

static int resolve(lua_State *L)
{
    ud_plan *u = symL_checkud(L, 1, UD_PLAN);
    symbi_plan_request *r;
    symbi_value secrets;
    symbi_err err;
    if (!u->p) return luaL_argerror(L, 1, "the plan is closed");
    luaL_checktype(L, 2, LUA_TTABLE);
    if (!u->has_order) return luaL_error(L, "toolrequest.resolve: this plan came out of no gate, or was acted on already");
    lua_settop(L, 2);
    r = symL_newud(L, sizeof *r, UD_REQUEST);
    if (symL_tovalue(L, 2, &secrets, &err) || symbi_plan_resolve(symL_ctx(L), u->p, &secrets, r, &err)) return symL_fail(L, &err);
    u->has_order = false;
    lua_createtable(L, 0, 6);
    symL_setstr(L, "method", r->method);
    symL_setstr(L, "url", r->url);
    if (r->has_body) symL_setstr(L, "body", r->body);
    lua_createtable(L, (int)r->nheaders, 0);
    for (size_t i = 0; i < r->nheaders; i++) symL_addpair(L, i + 1, r->headers[i].name, r->headers[i].value);
    lua_setfield(L, -2, "headers");
    if (r->max_bytes) {
        symL_pushint(L, (int64_t)r->max_bytes);
        lua_setfield(L, -2, "max_bytes");
    }
    symL_pushint(L, r->timeout_ms);
    lua_setfield(L, -2, "timeout_ms");
    symbi_plan_request_wipe(r);
    return 1;
}

static int now_ms(lua_State *L)
{
    symL_pushint(L, symbi_ctx_now_ms(symL_ctx(L)));
    return 1;
}

void l_toolrequest_open(lua_State *L);
void l_toolrequest_open(lua_State *L)
{
    static const luaL_Reg none[] = { { NULL, NULL } };
    static const luaL_Reg meta[] = { { "__gc", request_gc }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "resolve", resolve }, { "now_ms", now_ms }, { NULL, NULL } };
    symL_newtype(L, UD_REQUEST, none, meta);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
}
