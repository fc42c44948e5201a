/* cli/cli.h: the inside of the symbi-lua executable: options, the Lua state of the host, Ctrl-C. It links Lua only;
 * symbi.core and symbi.io are loaded when a script first asks for them, so that starting costs what starting Lua costs. */
#ifndef SY_CLI_CLI_H
#define SY_CLI_CLI_H
#include <limits.h>
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_LIMIT = 124, CLI_INTERRUPTED = 130, CLI_MAX_CHUNKS = 16 };

typedef struct cli_options {
    const char *policies, *tools, *state; /* NULL where not given */
    const char *chunks[CLI_MAX_CHUNKS];   /* -e */
    int nchunks;
    bool help, version, interactive, sandbox;
    long long memory, time_ms; /* of --sandbox; 0 where not given */
    int first; /* index in argv of the script or sub-command; argc when there is none */
    int argc;
    char **argv;
} cli_options;

/* True for what names a script rather than a sub-command: it has a '/', ends in ".lua", or is "-" (standard input). */
bool cli_is_script(const char *word);
/* CLI_OK, or CLI_USAGE after one message on stderr. For a sub-command, --policies, --tools and --state among its own
 * arguments are taken out of argv, so that `symbi-lua audit verify --state DIR` works. */
int cli_parse(int argc, char **argv, cli_options *o);
/* The candidate nearest to word, when it is near enough to be what was meant; else NULL. */
const char *cli_nearest(const char *word, const char *const *candidates, size_t n);

/* Opens the standard libraries and sets up package.path, package.cpath, package.preload, arg and the host's options. */
void cli_setup(lua_State *L, const cli_options *o);

/* Calls what stands below nargs arguments; on failure the message, with a traceback, is on the top. Ctrl-C reaches it. */
int cli_protect(lua_State *L, int nargs, int nresults);
/* -i: reads and runs until the input ends. */
int cli_repl(lua_State *L);
/* Pushes a function that reads a line from the terminal with editing: line = f(prompt, complete); nil at the end of the input, nil and
 * "interrupted" after Ctrl-C. complete(text before the cursor) gives what to insert and the list of what it could be. False (nothing
 * pushed) where there is no terminal, or no libedit. f takes add = f(nil, nil, line) to add to the history. */
bool cli_push_editor(lua_State *L);
/* --sandbox: the script or the -e chunks, in a Lua state of their own. */
int cli_sandbox(lua_State *L, const cli_options *o);

/* From begin to end, Ctrl-C raises an error in L; a second one kills the process. */
void cli_interrupt_begin(lua_State *L);
void cli_interrupt_end(lua_State *L);
bool cli_interrupted(void);
#endif
