/* bindings/io_browser.c: a browser for as long as a run needs it (symbi/io_browser.h).
 *   b, msg, err = io.browser(plan[, {program=, no_sandbox=, endpoint=}])   for a plan with its order (which begin spends): starts chromium, or
 *                                        connects to the one that runs at endpoint
 *   true, msg, err = b:secret(name, value)   for a plan that names secrets, before begin
 *   true, msg, err = b:begin(plan)       the command of a plan; its order is spent
 *   true, msg, err = b:step()            carries messages without waiting; then look at done(), wanted() and ended()
 *   b:fd() b:wants() ("r", "rw", "" when it is gone) b:due() ms or nil: when step is needed at the latest
 *   b:done(); reply, msg, err = b:reply()    what symbi_tool_envelope_of takes
 *   png, sha256 = b:picture()            nil when the command took none
 *   rq = b:wanted()                      {id=, method=, url=, headers={{name, value}, ...}, body=}: a request to a host outside, to be made under the
 *                                        strict guard, without following redirects; b:fetched(id, status, headers, body), status 0: it failed
 *   b:ended() why or nil; b:state(); b:pid(); b:profile(); b:close() */
#include "io_int.h"
#include "symbi/io_browser.h"

#include <string.h>

#define UD_CHROME "symbi.chrome"
typedef struct ud_chrome { symbi_chrome *p; } ud_chrome;

static symbi_chrome *checkchrome(lua_State *L)
{
    ud_chrome *u = symL_checkud(L, 1, UD_CHROME);
    if (!u->p) luaL_argerror(L, 1, "the browser is closed");
    return u->p;
}

static symbi_browser *checkmachine(lua_State *L) { return symbi_chrome_machine(checkchrome(L)); }

static ud_plan *checkplan(lua_State *L, int arg)
{
    ud_plan *u = symL_checkud(L, arg, UD_PLAN);
    if (!u->p) luaL_argerror(L, arg, "the plan is closed");
    if (!u->has_order) luaL_argerror(L, arg, "the plan carries no order: it was executed already, or is of a dry run");
    if (u->p->kind != SYMBI_BACKEND_BROWSER) luaL_argerror(L, arg, "not a plan of backend browser");
    return u;
}

static int chrome_close(lua_State *L)
{
    ud_chrome *u = symL_checkud(L, 1, UD_CHROME);
    symbi_chrome *p = u->p;
    u->p = NULL;
    symbi_chrome_free(p);
    return 0;
}

static int io_browser(lua_State *L)
{
    static const char *const known[] = { "program", "no_sandbox", "endpoint", NULL };
    const symbi_str none = { NULL, 0 };
    ud_plan *plan;
    symbi_chrome_options o;
    ud_chrome *u;
    symbi_err err;
    lua_settop(L, 2);
    plan = checkplan(L, 1);
    symL_checkopts(L, 2, known);
    symbi_chrome_options_init(&o);
    o.program = symL_optfield_str(L, 2, "program", none);
    o.no_sandbox = symL_optfield_bool(L, 2, "no_sandbox", false);
    o.endpoint = symL_optfield_str(L, 2, "endpoint", none);
    symL_ctx(L);
    u = symL_newud(L, sizeof *u, UD_CHROME);
    if (symbi_chrome_open(symL_ctx(L), plan->p, &o, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int chrome_secret(lua_State *L)
{
    symbi_browser *b = checkmachine(L);
    symbi_str name = symL_checkstr(L, 2), value = symL_checkstr(L, 3);
    symbi_err err;
    if (symbi_browser_secret(b, name, value, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int chrome_begin(lua_State *L)
{
    symbi_browser *b = checkmachine(L);
    ud_plan *plan = checkplan(L, 2);
    symbi_err err;
    plan->has_order = false;
    memset(&plan->order, 0, sizeof plan->order);
    if (symbi_browser_begin(b, plan->p, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int chrome_step(lua_State *L)
{
    symbi_err err;
    if (symbi_chrome_step(checkchrome(L), &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int chrome_fd(lua_State *L)
{
    symL_pushint(L, symbi_chrome_fd(checkchrome(L)));
    return 1;
}

static int chrome_wants(lua_State *L)
{
    unsigned w = symbi_chrome_wants(checkchrome(L));
    lua_pushstring(L, !w ? "" : w & SYMBI_LOOP_WRITE ? "rw" : "r");
    return 1;
}

static int chrome_due(lua_State *L)
{
    int64_t ms = symbi_browser_due(checkmachine(L));
    if (ms < 0) return 0;
    symL_pushint(L, ms);
    return 1;
}

static int chrome_done(lua_State *L)
{
    lua_pushboolean(L, symbi_browser_done(checkmachine(L)));
    return 1;
}

static int chrome_reply(lua_State *L)
{
    symbi_doc *d;
    symbi_err err;
    if (symbi_browser_reply(checkmachine(L), &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

static int chrome_picture(lua_State *L)
{
    static const char hex[] = "0123456789abcdef";
    symbi_str s = symbi_browser_picture(checkmachine(L));
    uint8_t h[32];
    char text[64];
    symbi_err err;
    if (!s.n) return 0;
    if (symbi_sha256(symL_ctx(L), s, h, &err)) return symL_fail(L, &err);
    for (size_t i = 0; i < 32; i++) {
        text[2 * i] = hex[h[i] >> 4];
        text[2 * i + 1] = hex[h[i] & 15];
    }
    symL_pushstr(L, s);
    lua_pushlstring(L, text, sizeof text);
    return 2;
}

static int chrome_wanted(lua_State *L)
{
    symbi_browser_request rq;
    if (!symbi_browser_wanted(checkmachine(L), &rq)) return 0;
    lua_createtable(L, 0, 5);
    symL_pushint(L, (int64_t)rq.id);
    lua_setfield(L, -2, "id");
    symL_pushstr(L, rq.method);
    lua_setfield(L, -2, "method");
    symL_pushstr(L, rq.url);
    lua_setfield(L, -2, "url");
    symL_pushstr(L, rq.body);
    lua_setfield(L, -2, "body");
    lua_createtable(L, (int)rq.nheaders, 0);
    for (size_t i = 0; i < rq.nheaders; i++) symL_addpair(L, i + 1, rq.headers[i].name, rq.headers[i].value);
    lua_setfield(L, -2, "headers");
    return 1;
}

static int chrome_fetched(lua_State *L)
{
    symbi_browser *b = checkmachine(L);
    uint64_t id = (uint64_t)symL_checkint(L, 2, 1, INT64_MAX);
    int status = (int)symL_checkint(L, 3, 0, 999);
    const symbi_str none = { NULL, 0 };
    symbi_str body = symL_optstr(L, 5, none);
    struct symbi_browser_header *h = NULL;
    size_t n = 0;
    symbi_err err;
    if (lua_istable(L, 4)) {
        size_t len = symL_rawlen(L, 4);
        if (len > 1000) len = 1000;
        h = lua_newuserdata(L, (len + 1) * sizeof *h);
        for (size_t i = 1; i <= len; i++) {
            lua_rawgeti(L, 4, (int)i);
            if (lua_istable(L, -1)) {
                lua_rawgeti(L, -1, 1);
                lua_rawgeti(L, -2, 2);
                if (lua_type(L, -1) == LUA_TSTRING && lua_type(L, -2) == LUA_TSTRING) { /* anchored by the table at 4 */
                    h[n].value = symL_tostr(L, -1);
                    h[n++].name = symL_tostr(L, -2);
                }
                lua_pop(L, 2);
            }
            lua_pop(L, 1);
        }
    }
    if (symbi_browser_fetched(b, id, status, h, n, body, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int chrome_ended(lua_State *L)
{
    const char *why;
    if (!symbi_browser_ended(checkmachine(L), &why)) return 0;
    lua_pushstring(L, why);
    return 1;
}

static int chrome_state(lua_State *L)
{
    const symbi_value *v = symbi_browser_state(checkmachine(L));
    if (!v) return 0;
    symL_pushvalue(L, v);
    return 1;
}

static int chrome_pid(lua_State *L)
{
    symL_pushint(L, symbi_chrome_pid(checkchrome(L)));
    return 1;
}

static int chrome_profile(lua_State *L)
{
    lua_pushstring(L, symbi_chrome_profile(checkchrome(L)));
    return 1;
}

void l_io_browser_open(lua_State *L)
{
    static const luaL_Reg methods[] = { { "begin", chrome_begin }, { "secret", chrome_secret }, { "step", chrome_step }, { "fd", chrome_fd }, { "wants", chrome_wants }, { "due", chrome_due }, { "done", chrome_done },
                                        { "reply", chrome_reply }, { "picture", chrome_picture }, { "wanted", chrome_wanted }, { "fetched", chrome_fetched }, { "ended", chrome_ended },
                                        { "state", chrome_state }, { "pid", chrome_pid }, { "profile", chrome_profile }, { "close", chrome_close }, { NULL, NULL } };
    static const luaL_Reg meta[] = { { "__gc", chrome_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "browser", io_browser }, { NULL, NULL } };
    symL_newtype(L, UD_CHROME, methods, meta);
    symL_setfuncs(L, funcs);
}
