/* cli/sandbox.c: --sandbox: a script in a Lua state of its own (symbi.sandbox decides what it can do), and a watchdog of this process:
 * should anything in there not look at the clock in time (one step of the collector over a huge graph, say), SIGALRM ends the process.
 * Nothing has to be put in order then: the script could open nothing. */
#include "cli/cli.h"

#include <errno.h>
#include <lauxlib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { SCRIPT_MOST = 4 * 1024 * 1024, TIME_USUAL = 1000, GRACE_MS = 500 };

/* As in bindings/lsandbox.h: how print gets out. */
typedef struct writer {
    void (*write)(void *ud, const char *p, size_t n);
    void *ud;
} writer;

static void to_stdout(void *ud, const char *p, size_t n)
{
    (void)ud;
    fwrite(p, 1, n, stdout);
}

static void on_alarm(int sig)
{
    static const char text[] = "symbi-lua: sandbox: out of time (stopped from outside)\n";
    ssize_t n = write(2, text, sizeof text - 1);
    (void)n;
    (void)sig;
    _exit(CLI_LIMIT);
}

static void watch(long long ms)
{
    struct sigaction sa;
    struct itimerval t;
    memset(&sa, 0, sizeof sa);
    memset(&t, 0, sizeof t);
    sigemptyset(&sa.sa_mask);
    sa.sa_handler = on_alarm;
    if (ms) sigaction(SIGALRM, &sa, NULL);
    t.it_value.tv_sec = (time_t)(ms / 1000);
    t.it_value.tv_usec = (suseconds_t)(ms % 1000 * 1000);
    setitimer(ITIMER_REAL, &t, NULL);
}

/* Pushes the script's text: a file, standard input, or the -e chunks, one per line. False after a message. */
static bool push_script(lua_State *L, const cli_options *o)
{
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (int i = 0; i < o->nchunks; i++) {
        if (i) luaL_addchar(&b, '\n');
        luaL_addstring(&b, o->chunks[i]);
    }
    if (!o->nchunks) {
        const char *path = o->argv[o->first];
        bool in = strcmp(path, "-") == 0;
        FILE *f = in ? stdin : fopen(path, "rb");
        size_t total = 0, n = 0;
        bool failed = !f;
        while (f && total <= SCRIPT_MOST) {
            char *p = luaL_prepbuffer(&b);
            n = fread(p, 1, LUAL_BUFFERSIZE, f);
            luaL_addsize(&b, n);
            total += n;
            if (n == 0) break;
        }
        if (f && ferror(f)) failed = true;
        if (failed) fprintf(stderr, "symbi-lua: cannot read %s: %s\n", path, strerror(errno));
        if (f && !in) fclose(f);
        if (failed) return false;
    }
    luaL_pushresult(&b);
    return true;
}

static void set_limit(lua_State *L, const char *name, long long value)
{
    if (!value) return;
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

int cli_sandbox(lua_State *L, const cli_options *o)
{
    static const writer out = { to_stdout, NULL };
    int st, script = o->first;
    const char *code;
    if (!o->nchunks && script >= o->argc) {
        fprintf(stderr, "symbi-lua: --sandbox needs a script or -e CODE\n");
        return CLI_USAGE;
    }
    if (!push_script(L, o)) return CLI_FAILED;
    lua_pushlightuserdata(L, (void *)&out);
    lua_setfield(L, LUA_REGISTRYINDEX, "symbi.sandbox.write");
    lua_getglobal(L, "require");
    lua_pushliteral(L, "symbi.sandbox");
    st = lua_pcall(L, 1, 1, 0);
    if (!st) {
        lua_getfield(L, -1, "run");
        lua_insert(L, -3);
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, "stream");
        if (o->nchunks) lua_pushliteral(L, "=(command line)");
        else if (strcmp(o->argv[script], "-") == 0) lua_pushliteral(L, "=stdin");
        else lua_pushfstring(L, "@%s", o->argv[script]);
        lua_setfield(L, -2, "name");
        lua_createtable(L, o->argc, 0);
        for (int i = script + 1; i < o->argc; i++) {
            lua_pushstring(L, o->argv[i]);
            lua_rawseti(L, -2, i - script);
        }
        lua_setfield(L, -2, "args");
        set_limit(L, "memory_bytes", o->memory);
        set_limit(L, "deadline_ms", o->time_ms);
        lua_pushinteger(L, (lua_Integer)1 << 40); /* the reader of the output decides how much is too much */
        lua_setfield(L, -2, "output_bytes");
        watch((o->time_ms ? o->time_ms : TIME_USUAL) + GRACE_MS);
        st = lua_pcall(L, 2, 3, 0);
        watch(0);
    }
    if (st) {
        fprintf(stderr, "symbi-lua: %s\n", lua_tostring(L, -1));
        return CLI_FAILED;
    }
    if (lua_istable(L, -3)) return CLI_OK;
    fflush(stdout);
    lua_getfield(L, -1, "code");
    code = lua_tostring(L, -1);
    fprintf(stderr, "symbi-lua: sandbox: %s\n", lua_tostring(L, -3));
    return code && (strcmp(code, "ETIMEOUT") == 0 || strcmp(code, "ELIMIT") == 0) ? CLI_LIMIT : CLI_FAILED;
}
