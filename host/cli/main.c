/* cli/main.c: symbi-lua: runs scripts, -e code and sub-commands on Lua 5.4. All work happens inside one protected call;
 * whatever happens, lua_close runs and the exit status tells. */
#include "cli/cli.h"
#include "symbi/base.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

static const char help_text[] =
    "usage: symbi-lua [options] SCRIPT [arguments]     run a Lua script (a word with a '/' or ending in .lua, or - for stdin)\n"
    "       symbi-lua [options] COMMAND [arguments]    run a sub-command\n"
    "       symbi-lua [options] -e CODE                run Lua code\n"
    "       symbi-lua [options] -i [SCRIPT]            read and run Lua line by line\n"
    "       symbi-lua --sandbox SCRIPT [arguments]     run a script that nobody vouches for, with nothing in reach\n"
    "\n"
    "options:\n"
    "  --policies DIR   folder of Cedar policies   (require(\"symbi\").options.policies)\n"
    "  --tools DIR      folder of tool manifests   (require(\"symbi\").options.tools)\n"
    "  --state DIR      folder of the state        (require(\"symbi\").options.state)\n"
    "  --memory BYTES   with --sandbox: the most memory (64M; K, M and G are understood)\n"
    "  --time MS        with --sandbox: the most time (1000)\n"
    "  --version, -v    print the version\n"
    "  --help, -h       print this text\n"
    "\n"
    "commands:\n";

/* Error object to text with traceback; runs where the error happened. */
static int on_error(lua_State *L)
{
    const char *msg = luaL_tolstring(L, 1, NULL);
    if (cli_interrupted()) return 1;
    luaL_traceback(L, L, msg, 1);
    return 1;
}

int cli_protect(lua_State *L, int nargs, int nresults)
{
    int base = lua_gettop(L) - nargs, st;
    lua_pushcfunction(L, on_error);
    lua_insert(L, base);
    cli_interrupt_begin(L);
    st = lua_pcall(L, nargs, nresults, base);
    cli_interrupt_end(L);
    lua_remove(L, base);
    return st;
}

static int call(lua_State *L, int nargs, int nresults)
{
    int st = cli_protect(L, nargs, nresults);
    if (!st) return CLI_OK;
    if (cli_interrupted()) {
        fprintf(stderr, "symbi-lua: interrupted\n");
        return CLI_INTERRUPTED;
    }
    fprintf(stderr, "symbi-lua: %s\n", lua_tostring(L, -1));
    return CLI_FAILED;
}

static int push_arguments(lua_State *L, const cli_options *o)
{
    int n = o->argc - o->first - 1;
    luaL_checkstack(L, n + 4, "too many arguments");
    for (int i = 1; i <= n; i++) lua_pushstring(L, o->argv[o->first + i]);
    return n;
}

static int run_script(lua_State *L, const cli_options *o)
{
    const char *name = o->argv[o->first];
    if (luaL_loadfile(L, strcmp(name, "-") == 0 ? NULL : name)) {
        fprintf(stderr, "symbi-lua: %s\n", lua_tostring(L, -1));
        return CLI_FAILED;
    }
    return call(L, push_arguments(L, o), 0);
}

/* Pushes the table of sub-commands (lua/symbi/cli/init.lua: a list of {name=, summary=, module=}). */
static int push_commands(lua_State *L)
{
    int st;
    lua_getglobal(L, "require");
    lua_pushstring(L, "symbi.cli");
    st = call(L, 1, 1);
    if (!st && !lua_istable(L, -1)) {
        fprintf(stderr, "symbi-lua: module symbi.cli is not the table of sub-commands\n");
        st = CLI_FAILED;
    }
    return st;
}

/* Field of row i of the table on the top, or "". Borrowed from the table. */
static const char *row_field(lua_State *L, int i, const char *field)
{
    const char *s = "";
    lua_rawgeti(L, -1, i);
    if (lua_istable(L, -1)) {
        lua_getfield(L, -1, field);
        if (lua_type(L, -1) == LUA_TSTRING) s = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return s;
}

static int print_help(lua_State *L)
{
    int st;
    fputs(help_text, stdout);
    st = push_commands(L);
    if (st) return st;
    for (int i = 1; i <= (int)lua_rawlen(L, -1); i++) printf("  %-16s %s\n", row_field(L, i, "name"), row_field(L, i, "summary"));
    return CLI_OK;
}

/* What a sub-command returned: nothing, nil alone or true is success, a number the exit status, false, or nil and a
 * message, a failure. */
static int exit_status(lua_State *L, int base)
{
    int n = lua_gettop(L) - base;
    if (n == 0 || (n == 1 && lua_isnil(L, base + 1))) return CLI_OK;
    if (lua_isinteger(L, base + 1)) return (int)lua_tointeger(L, base + 1) & 0xff;
    if (lua_toboolean(L, base + 1)) return CLI_OK;
    if (n > 1 && !lua_isnil(L, base + 2)) fprintf(stderr, "symbi-lua: %s\n", luaL_tolstring(L, base + 2, NULL));
    return CLI_FAILED;
}

static int run_command(lua_State *L, const cli_options *o)
{
    enum { MAX = 128 };
    const char *word = o->argv[o->first], *module = NULL, *names[MAX], *hint;
    size_t n = 0;
    int st = push_commands(L), base;
    if (st) return st;
    for (int i = 1; i <= (int)lua_rawlen(L, -1) && n < MAX; i++) {
        names[n] = row_field(L, i, "name");
        if (strcmp(names[n++], word) == 0) module = row_field(L, i, "module");
    }
    if (!module) {
        hint = cli_nearest(word, names, n);
        fprintf(stderr, "symbi-lua: unknown command '%s'", word);
        if (hint) fprintf(stderr, "; did you mean '%s'?", hint);
        fprintf(stderr, " (symbi-lua --help lists them; a script's name has a '/' or ends in .lua)\n");
        return CLI_USAGE;
    }
    /* The module is a function, or a table with one as `main`; it gets the arguments as a list, and the host's options. */
    lua_getglobal(L, "require");
    lua_pushstring(L, module);
    st = call(L, 1, 1);
    if (st) return st;
    if (lua_istable(L, -1)) lua_getfield(L, -1, "main");
    if (!lua_isfunction(L, -1)) {
        fprintf(stderr, "symbi-lua: module %s has no function main\n", module);
        return CLI_FAILED;
    }
    base = lua_gettop(L) - 1;
    lua_createtable(L, o->argc, 0);
    for (int i = o->first + 1; i < o->argc; i++) {
        lua_pushstring(L, o->argv[i]);
        lua_rawseti(L, -2, i - o->first);
    }
    lua_getfield(L, LUA_REGISTRYINDEX, "symbi.options");
    st = call(L, 2, LUA_MULTRET);
    return st ? st : exit_status(L, base);
}

static int run(lua_State *L, const cli_options *o)
{
    int done = CLI_OK;
    if (o->sandbox) return cli_sandbox(L, o);
    for (int i = 0; i < o->nchunks; i++) {
        int st;
        if (luaL_loadbuffer(L, o->chunks[i], strlen(o->chunks[i]), "=(command line)")) {
            fprintf(stderr, "symbi-lua: %s\n", lua_tostring(L, -1));
            return CLI_FAILED;
        }
        st = call(L, 0, 0);
        if (st) return st;
    }
    if (o->help) return print_help(L);
    if (o->first < o->argc) done = cli_is_script(o->argv[o->first]) ? run_script(L, o) : run_command(L, o);
    return o->interactive ? cli_repl(L) : done;
}

/* Stack: options as a light userdata. Returns the exit status. */
static int protected_main(lua_State *L)
{
    const cli_options *o = lua_touserdata(L, 1);
    luaL_checkversion(L);
    lua_gc(L, LUA_GCSTOP);
    cli_setup(L, o);
    lua_gc(L, LUA_GCRESTART);
    lua_pushinteger(L, run(L, o));
    return 1;
}

int main(int argc, char **argv)
{
    cli_options o;
    lua_State *L;
    int status = cli_parse(argc, argv, &o);
    if (status) return status;
    if (o.version) {
        printf("symbi-lua %s (%s)\n", SYMBI_VERSION, LUA_RELEASE);
        return CLI_OK;
    }
    if (!o.help && !o.nchunks && !o.interactive && o.first >= o.argc) {
        fprintf(stderr, "symbi-lua: nothing to run: give a script, a command or -e CODE (symbi-lua --help explains)\n");
        return CLI_USAGE;
    }
    L = luaL_newstate();
    if (!L) {
        fprintf(stderr, "symbi-lua: out of memory\n");
        return CLI_FAILED;
    }
    lua_pushcfunction(L, protected_main);
    lua_pushlightuserdata(L, &o);
    status = CLI_FAILED;
    if (lua_pcall(L, 1, 1, 0)) {
        const char *msg = lua_tostring(L, -1);
        fprintf(stderr, "symbi-lua: %s\n", msg ? msg : "unknown error");
    } else {
        status = (int)lua_tointeger(L, -1);
    }
    lua_close(L);
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "symbi-lua: cannot write to standard output\n");
        if (!status) status = CLI_FAILED;
    }
    return status;
}
