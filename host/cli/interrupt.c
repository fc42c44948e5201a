/* cli/interrupt.c: Ctrl-C. The first one raises an error in the running script, so that everything unwinds and lua_close
 * runs; the handler then is the default again, so that a second one kills at once. The one place of the project that keeps
 * a lua_State: a signal handler has no other way to find it. */
#include "cli/cli.h"

#include <lauxlib.h>
#include <signal.h>
#include <string.h>

static lua_State *volatile the_state;
static volatile sig_atomic_t hit;

static void stop(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    /* Clean-up code gets some instructions after the first error; a script that swallows it gets none after the second. */
    lua_sethook(L, stop, LUA_MASKCOUNT, hit == 1 ? 100000 : 1);
    hit = 2;
    luaL_error(L, "interrupted");
}

static void on_sigint(int sig)
{
    lua_State *L = the_state;
    (void)sig;
    hit = 1;
    if (L) lua_sethook(L, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1); /* allowed in a handler */
}

void cli_interrupt_begin(lua_State *L)
{
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sigemptyset(&sa.sa_mask);
    sa.sa_handler = on_sigint;
    sa.sa_flags = (int)SA_RESETHAND; /* no SA_RESTART: a waiting call returns and the script gets its error */
    the_state = L;
    hit = 0;
    sigaction(SIGINT, &sa, NULL);
    /* Drivers may look at this flag from a long wait of their own. */
    lua_pushlightuserdata(L, (void *)&hit);
    lua_setfield(L, LUA_REGISTRYINDEX, "symbi.interrupted");
}

void cli_interrupt_end(lua_State *L)
{
    the_state = NULL;
    lua_sethook(L, NULL, 0, 0);
}

bool cli_interrupted(void) { return hit != 0; }
