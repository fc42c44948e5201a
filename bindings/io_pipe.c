/* bindings/io_pipe.c: the process of an MCP server, for as long as a run needs it (symbi/io_pipe.h).
 *   pipe, msg, err = io.mcp_pipe(client)    client: of symbi.core.mcp, with a job that an order began, and whose server has a command: what is
 *                                           started is what the registry says, never what a caller of this function says
 *   pipe:fd() pipe:wants() "r" or "rw" pipe:pid() pipe:close()
 *   true or false, msg, err = pipe:wait(ms)  until there is something to read, or room to write
 *   true, msg, err = pipe:write(bytes)
 *   bytes, msg, err = pipe:read()           "" when there is nothing yet; nil with EIO when the server closed its output
 *   end = pipe:ended([ms])                  {exit_code=, signal=, errors= tail of stderr, not_run= why its box could not be made} or nil */
#define _GNU_SOURCE
#include "io_int.h"
#include "symbi/io_pipe.h"
#include "symbi/mcp.h"

#include <string.h>

extern char **environ;

#define UD_PIPE "symbi.pipe"
typedef struct ud_pipe { symbi_pipe *p; } ud_pipe;

SYML_HANDLE(checkpipe, pipe_close, ud_pipe, UD_PIPE, symbi_pipe, symbi_pipe_free, "pipe")

static int io_mcp_pipe(lua_State *L)
{
    ud_mcp *m = symL_checkud(L, 1, UD_MCP);
    symbi_pipe_options o;
    symbi_mcp_launch launch;
    symbi_status st;
    ud_pipe *u;
    symbi_str *env;
    symbi_err err;
    size_t n = 0;
    luaL_argcheck(L, m->p != NULL, 1, "the client is closed");
    while (environ && environ[n]) n++;
    env = lua_newuserdata(L, (n + 1) * sizeof *env);
    for (size_t i = 0; i < n; i++) env[i] = symbi_str_z(environ[i]);
    symL_ctx(L);
    u = symL_newud(L, sizeof *u, UD_PIPE);
    if (symbi_mcp_get_launch(m->p, env, n, &launch, &err)) return symL_fail(L, &err);
    symbi_pipe_options_init(&o);
    o.argv = launch.argv;
    o.argc = launch.argc;
    o.env = launch.env;
    o.nenv = launch.nenv;
    o.cwd = launch.cwd;
    o.box = launch.box;
    st = symbi_pipe_open(symL_ctx(L), &o, &u->p, &err);
    return st ? symL_fail(L, &err) : 1;
}

static int pipe_fd(lua_State *L)
{
    symL_pushint(L, symbi_pipe_fd(checkpipe(L, 1)));
    return 1;
}

static int pipe_wants(lua_State *L)
{
    lua_pushstring(L, symbi_pipe_wants(checkpipe(L, 1)) & SYMBI_LOOP_WRITE ? "rw" : "r");
    return 1;
}

static int pipe_pid(lua_State *L)
{
    symL_pushint(L, symbi_pipe_pid(checkpipe(L, 1)));
    return 1;
}

static int pipe_write(lua_State *L)
{
    symbi_pipe *p = checkpipe(L, 1);
    symbi_str s = symL_checkstr(L, 2);
    symbi_err err;
    if (symbi_pipe_write(p, s, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int pipe_read(lua_State *L)
{
    symbi_str s;
    symbi_err err;
    symbi_status st = symbi_pipe_read(checkpipe(L, 1), &s, &err);
    if (st && st != SYMBI_EAGAIN) return symL_fail(L, &err);
    symL_pushstr(L, s);
    return 1;
}

/* Blocking waits look at Ctrl-C now and then. */
static int pipe_wait(lua_State *L)
{
    symbi_pipe *p = checkpipe(L, 1);
    int64_t ms = symL_checkint(L, 2, 0, (int64_t)1 << 40);
    symbi_err err;
    for (;;) {
        int64_t slice = ms < L_IO_SLICE_MS ? ms : L_IO_SLICE_MS;
        symbi_status st = symbi_pipe_wait(p, slice, &err);
        if (st && st != SYMBI_ETIMEOUT) return symL_fail(L, &err);
        ms -= slice;
        if (!st || ms <= 0) {
            lua_pushboolean(L, !st);
            return 1;
        }
        if (l_io_interrupt(L, &err)) return symL_fail(L, &err);
    }
}

static int pipe_ended(lua_State *L)
{
    symbi_pipe *p = checkpipe(L, 1);
    symbi_pipe_end e;
    if (!symbi_pipe_ended(p, symL_optint(L, 2, 0, 0, 60000), &e)) return 0;
    lua_createtable(L, 0, 3);
    symL_pushint(L, e.exit_code);
    lua_setfield(L, -2, "exit_code");
    symL_pushint(L, e.signal);
    lua_setfield(L, -2, "signal");
    symL_pushstr(L, e.errors);
    lua_setfield(L, -2, "errors");
    if (e.not_run.n) {
        symL_pushstr(L, e.not_run);
        lua_setfield(L, -2, "not_run");
    }
    return 1;
}

void l_io_pipe_open(lua_State *L)
{
    static const luaL_Reg methods[] = { { "fd", pipe_fd }, { "wants", pipe_wants }, { "pid", pipe_pid }, { "write", pipe_write }, { "read", pipe_read },
                                        { "wait", pipe_wait }, { "ended", pipe_ended }, { "close", pipe_close }, { NULL, NULL } };
    static const luaL_Reg meta[] = { { "__gc", pipe_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "mcp_pipe", io_mcp_pipe }, { NULL, NULL } };
    symL_newtype(L, UD_PIPE, methods, meta);
    symL_setfuncs(L, funcs);
}
