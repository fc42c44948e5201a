/* bindings/io.c: luaopen_symbi_io: the drivers' C side for Lua. Loaded on first use; symbi.core works without it. Its table is
 * what require "symbi.io" (lua/symbi/io/init.lua) falls back to:
 *   files     read_file read_file_info write_file append_file list_dir stat mkdir realpath remove remove_tree touch lock (io_file.c)
 *   memory    memory_store                                                        (io_memory.c)
 *   tools     spawner exec start                                          (io_exec.c)
 *   http      http transfer (io_http.c) prepare (io_prepare.c)
 *   loop      loop                                                        (io_loop.c)
 *   store     open                                                        (io_store.c)
 *   here      monotonic sleep isatty environ cwd close */
#define _GNU_SOURCE
#include "io_int.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int state_gc(lua_State *L)
{
    ud_iostate *s = symL_checkud(L, 1, UD_IOSTATE);
    symbi_spawner *sp = s->sp;
    symbi_order_book *book = s->book;
    symbi_http *h = s->http;
    s->sp = NULL;
    s->book = NULL;
    s->http = NULL;
    symbi_http_free(h);
    symbi_spawner_free(sp);
    symbi_order_book_free(book);
    return 0;
}

ud_iostate *l_io_state(lua_State *L)
{
    ud_iostate *s;
    lua_getfield(L, LUA_REGISTRYINDEX, "symbi.io.state");
    s = symL_testud(L, -1, UD_IOSTATE);
    if (s) return s;
    lua_pop(L, 1);
    symL_ctx(L); /* older than the state, so that it is closed after it */
    s = symL_newud(L, sizeof *s, UD_IOSTATE);
    lua_createtable(L, 2, 0); /* 1: a transfer that is not in use, 2: the state */
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, 2);
    symL_setuservalue(L, -2);
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, "symbi.io.state");
    return s;
}

/* A uservalue is a table: 5.1 and LuaJIT take nothing else. */
ud_iostate *l_io_keep(lua_State *L)
{
    ud_iostate *s;
    lua_createtable(L, 1, 0);
    s = l_io_state(L);
    lua_rawseti(L, -2, 1);
    symL_setuservalue(L, -2);
    return s;
}

ud_iostate *l_io_kept(lua_State *L, int idx)
{
    ud_iostate *s;
    symL_getuservalue(L, idx);
    lua_rawgeti(L, -1, 1);
    s = symL_checkud(L, -1, UD_IOSTATE);
    lua_pop(L, 2);
    return s;
}

bool l_io_interrupted(lua_State *L)
{
    const volatile int *flag;
    lua_getfield(L, LUA_REGISTRYINDEX, "symbi.interrupted");
    flag = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return flag && *flag;
}

bool l_io_interrupt(lua_State *L, symbi_err *err)
{
    if (!l_io_interrupted(L)) return false;
    memset(err, 0, sizeof *err);
    err->code = SYMBI_EABORT;
    strcpy(err->msg, "interrupted");
    return true;
}

/* close(): ends the spawner (and every tool it runs) and drops kept connections. Both come back on next use. */
static int io_close(lua_State *L)
{
    ud_iostate *s;
    lua_settop(L, 0);
    s = l_io_state(L);
    (void)s;
    return state_gc(L);
}

static int64_t mono_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* monotonic(): seconds of a clock that never jumps, with a fraction. */
static int io_monotonic(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)mono_ns() / 1e9);
    return 1;
}

/* sleep(ms): true, or nil, message, err (EABORT) when Ctrl-C ended it. */
static int io_sleep(lua_State *L)
{
    int64_t until = mono_ns() / 1000000 + symL_checkint(L, 1, 0, (int64_t)1 << 40), left;
    symbi_err err;
    while ((left = until - mono_ns() / 1000000) > 0) {
        poll(NULL, 0, left > L_IO_SLICE_MS ? L_IO_SLICE_MS : (int)left);
        if (l_io_interrupt(L, &err)) return symL_fail(L, &err);
    }
    lua_pushboolean(L, 1);
    return 1;
}

static int io_isatty(lua_State *L)
{
    lua_pushboolean(L, isatty((int)symL_checkint(L, 1, 0, INT_MAX)));
    return 1;
}

/* environ(): this process's environment as a list of "NAME=value". */
static int io_environ(lua_State *L)
{
    int n = 0;
    lua_newtable(L);
    for (char **e = environ; e && *e; e++) {
        if (!strchr(*e, '=')) continue;
        lua_pushstring(L, *e);
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

static int io_cwd(lua_State *L)
{
    char path[PATH_MAX];
    if (!getcwd(path, sizeof path)) {
        symbi_err err;
        memset(&err, 0, sizeof err);
        err.code = SYMBI_EIO;
        strcpy(err.msg, "the working folder is gone");
        return symL_fail(L, &err);
    }
    lua_pushstring(L, path);
    return 1;
}

SYMBI_API int luaopen_symbi_io(lua_State *L);
int luaopen_symbi_io(lua_State *L)
{
    static const luaL_Reg funcs[] = { { "monotonic", io_monotonic }, { "sleep", io_sleep }, { "isatty", io_isatty }, { "environ", io_environ },
                                      { "cwd", io_cwd }, { "close", io_close }, { NULL, NULL } };
    static const luaL_Reg none[] = { { NULL, NULL } };
    static const luaL_Reg meta[] = { { "__gc", state_gc }, { NULL, NULL } };
    symL_newtype(L, UD_IOSTATE, none, meta);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
    l_io_file_open(L);
    l_io_browser_open(L);
    l_io_pipe_open(L);
    l_io_prompt_open(L);
    l_io_memory_open(L);
    l_io_exec_open(L);
    l_io_http_open(L);
    l_io_prepare_open(L);
    l_io_loop_open(L);
    l_io_watch_open(L);
    l_io_pty_open(L);
    l_io_evidence_open(L);
    l_io_store(L);
    lua_setfield(L, -2, "store");
    return 1;
}
