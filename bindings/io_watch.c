/* bindings/io_watch.c: folders whose changes are noticed.
 *   w = io.watch(path | {paths}[, {quiet_ms=, most_ms=}])   the folders may not exist yet
 *   w:poll([ms])  true: something changed since the last true; false: not within ms (default 0: only looks; -1: waits)
 *   w:due()  milliseconds until a change that was noticed will be told, -1: none;  w:close()
 * In a loop: loop:watch(w) (io_loop.c). */
#include "io_int.h"

#include <string.h>

SYML_HANDLE(checkwatch, watch_close, ud_watch, UD_WATCH, symbi_watch, symbi_watch_free, "watch")

symbi_watch *l_io_checkwatch(lua_State *L, int arg) { return checkwatch(L, arg); }

static bool add(lua_State *L, symbi_watch *w, int idx, symbi_err *err)
{
    symbi_str s = symL_tostr(L, idx);
    if (!s.p) luaL_error(L, "io.watch: a path is a string, got %s", luaL_typename(L, idx));
    if (strlen(s.p) != s.n) luaL_error(L, "io.watch: a path holds no zero byte");
    return symbi_watch_add(w, s.p, err) == SYMBI_OK;
}

static int io_watch(lua_State *L)
{
    static const char *const known[] = { "quiet_ms", "most_ms", NULL };
    int64_t quiet, most;
    ud_watch *u;
    symbi_err err;
    lua_settop(L, 2);
    if (!lua_istable(L, 1)) luaL_checktype(L, 1, LUA_TSTRING);
    symL_checkopts(L, 2, known);
    quiet = symL_optfield_int(L, 2, "quiet_ms", 0, 0, 3600000);
    most = symL_optfield_int(L, 2, "most_ms", 0, 0, 3600000);
    u = symL_newud(L, sizeof *u, UD_WATCH);
    if (symbi_watch_new(symL_ctx(L), quiet, most, &u->p, &err)) return symL_fail(L, &err);
    if (!lua_istable(L, 1)) {
        if (!add(L, u->p, 1, &err)) return symL_fail(L, &err);
        return 1;
    }
    for (int i = 1; i <= (int)symL_rawlen(L, 1); i++) {
        lua_rawgeti(L, 1, i);
        if (!add(L, u->p, -1, &err)) return symL_fail(L, &err);
        lua_pop(L, 1);
    }
    return 1;
}

static int watch_poll(lua_State *L)
{
    symbi_watch *w = l_io_checkwatch(L, 1);
    int64_t ms = symL_optint(L, 2, 0, -1, (int64_t)1 << 40), until = symbi_ctx_mono_ms(symL_ctx(L)) + ms;
    symbi_err err;
    for (;;) {
        bool changed;
        int64_t left = ms < 0 ? L_IO_SLICE_MS : until - symbi_ctx_mono_ms(symL_ctx(L));
        if (left > L_IO_SLICE_MS) left = L_IO_SLICE_MS;
        if (symbi_watch_poll(w, left < 0 ? 0 : left, &changed, &err)) return symL_fail(L, &err);
        if (changed || (ms >= 0 && symbi_ctx_mono_ms(symL_ctx(L)) >= until)) {
            lua_pushboolean(L, changed);
            return 1;
        }
        if (l_io_interrupt(L, &err)) return symL_fail(L, &err);
    }
}

static int watch_due(lua_State *L)
{
    symL_pushint(L, symbi_watch_due(l_io_checkwatch(L, 1)));
    return 1;
}

void l_io_watch_open(lua_State *L)
{
    static const luaL_Reg methods[] = { { "poll", watch_poll }, { "due", watch_due }, { "close", watch_close }, { NULL, NULL } };
    static const luaL_Reg meta[] = { { "__gc", watch_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "watch", io_watch }, { NULL, NULL } };
    symL_newtype(L, UD_WATCH, methods, meta);
    symL_setfuncs(L, funcs);
}
