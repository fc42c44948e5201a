/* cli/edit.c: a line from the terminal, with editing, history and completion, by libedit. The library is opened when -i first asks for a
 * line (dlopen), so that every other start costs nothing; where it is missing, lines are read plainly. */
#include "cli/cli.h"

#include <dlfcn.h>
#include <errno.h>
#include <lauxlib.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>
#include <wchar.h>

#if defined(__has_include)
#if __has_include(<histedit.h>)
#define HAVE_LIBEDIT 1
#endif
#endif

#ifdef HAVE_LIBEDIT
#include <histedit.h>

enum { HISTORY = 2000, SHOWN = 200 };

typedef struct editor {
    EditLine *el;
    History *history;
    lua_State *L; /* from the beginning to the end of one read */
    int complete; /* the function's place on its stack; 0: none */
    sigset_t waiting; /* the signals that are held back while a key is waited for: not SIGINT */
    char prompt[64];
    EditLine *(*el_init)(const char *, FILE *, FILE *, FILE *);
    void (*el_end)(EditLine *);
    const char *(*el_gets)(EditLine *, int *);
    int (*el_set)(EditLine *, int, ...);
    int (*el_get)(EditLine *, int, ...);
    const LineInfo *(*el_line)(EditLine *);
    int (*el_insertstr)(EditLine *, const char *);
    History *(*history_init)(void);
    void (*history_end)(History *);
    int (*history_call)(History *, HistEvent *, int, ...);
} editor;

static volatile sig_atomic_t interrupted;
static void on_sigint(int sig)
{
    (void)sig;
    interrupted = 1;
}

static bool find(void *lib, const char *name, void *slot)
{
    void *p = dlsym(lib, name);
    memcpy(slot, &p, sizeof p); /* the way from an object pointer to a function pointer that C allows */
    return p != NULL;
}

static editor *editor_of(EditLine *el, int (*get)(EditLine *, int, ...))
{
    editor *e = NULL;
    get(el, EL_CLIENTDATA, &e);
    return e;
}

/* libedit hands its callbacks the EditLine alone; the function that leads from there to the editor is looked up again. */
static editor *from(EditLine *el)
{
    int (*get)(EditLine *, int, ...);
    return find(RTLD_DEFAULT, "el_get", &get) ? editor_of(el, get) : NULL;
}

static char *on_prompt(EditLine *el)
{
    static char none[1] = "";
    editor *e = from(el);
    return e ? e->prompt : none;
}

/* The next character of the terminal. SIGINT is held back everywhere but in pselect: one that comes just before the wait is not lost, as it
 * would be before a read. 1, 0 at the end, -1 for an error or an interrupt: libedit gives the line up then. */
static int next_char(EditLine *el, wchar_t *out)
{
    editor *e = from(el);
    mbstate_t state;
    char c;
    if (!e) return -1;
    memset(&state, 0, sizeof state);
    for (;;) {
        fd_set in;
        ssize_t n;
        int r;
        FD_ZERO(&in);
        FD_SET(STDIN_FILENO, &in);
        r = pselect(STDIN_FILENO + 1, &in, NULL, NULL, NULL, &e->waiting);
        if (interrupted) return -1;
        if (r < 0 && errno != EINTR) return -1;
        if (r <= 0) continue;
        n = read(STDIN_FILENO, &c, 1);
        if (n == 0) return 0;
        if (n < 0 && errno != EINTR && errno != EAGAIN) return -1;
        if (n < 0) continue;
        switch (mbrtowc(out, &c, 1, &state)) {
        case (size_t)-2: break; /* more of it comes */
        case (size_t)-1: memset(&state, 0, sizeof state); break; /* no character: as if it had not been typed */
        case 0: *out = 0; return 1;
        default: return 1;
        }
    }
}

/* What can stand here, in columns, under the line. */
static void show(lua_State *L, int list)
{
    int n = (int)lua_rawlen(L, list), width = 0, columns;
    for (int pass = 0; pass < 2; pass++) {
        columns = width ? 78 / (width + 2) : 1;
        if (columns < 1) columns = 1;
        for (int i = 1; i <= n && i <= SHOWN; i++) {
            size_t len;
            const char *s;
            lua_rawgeti(L, list, i);
            s = lua_tolstring(L, -1, &len);
            if (!pass && (int)len > width) width = (int)len;
            if (pass) printf("%s%-*s", i % columns == 1 || columns == 1 ? "\r\n" : "  ", width, s);
            lua_pop(L, 1);
        }
    }
    if (n > SHOWN) printf("\r\n... and %d more", n - SHOWN);
    printf("\r\n");
    fflush(stdout);
}

static unsigned char on_tab(EditLine *el, int ch)
{
    editor *e = from(el);
    const LineInfo *li = e ? e->el_line(el) : NULL;
    lua_State *L = e ? e->L : NULL;
    unsigned char result = CC_REFRESH_BEEP;
    int top;
    (void)ch;
    if (!L || !e->complete || !lua_checkstack(L, 8)) return CC_ERROR;
    top = lua_gettop(L);
    lua_pushvalue(L, e->complete);
    lua_pushlstring(L, li->buffer, (size_t)(li->cursor - li->buffer));
    if (!lua_pcall(L, 1, 2, 0)) {
        const char *s = lua_tostring(L, -2);
        if (s && *s) {
            result = e->el_insertstr(el, s) == -1 ? CC_ERROR : CC_REFRESH;
        } else if (lua_istable(L, -1) && lua_rawlen(L, -1) > 1) {
            show(L, lua_gettop(L));
            result = CC_REDISPLAY;
        }
    }
    lua_settop(L, top);
    return result;
}

static int editor_close(lua_State *L)
{
    editor *e = lua_touserdata(L, 1);
    if (e->el) e->el_end(e->el);
    if (e->history) e->history_end(e->history);
    e->el = NULL;
    e->history = NULL;
    return 0;
}

/* readline(prompt, complete), readline(nil, nil, line): see cli.h. Upvalue: the editor. */
static int read_line(lua_State *L)
{
    editor *e = lua_touserdata(L, lua_upvalueindex(1));
    struct sigaction sa, before;
    sigset_t hold, mask;
    const char *s;
    int n = 0;
    if (lua_isstring(L, 3)) {
        HistEvent ev;
        if (e->history) e->history_call(e->history, &ev, H_ENTER, lua_tostring(L, 3));
        return 0;
    }
    snprintf(e->prompt, sizeof e->prompt, "%s", luaL_optstring(L, 1, "> "));
    lua_settop(L, 2);
    e->L = L;
    e->complete = lua_isfunction(L, 2) ? 2 : 0;
    memset(&sa, 0, sizeof sa);
    sigemptyset(&sa.sa_mask);
    sa.sa_handler = on_sigint;
    interrupted = 0;
    sigemptyset(&hold);
    sigaddset(&hold, SIGINT);
    pthread_sigmask(SIG_BLOCK, &hold, &mask);
    e->waiting = mask;
    sigdelset(&e->waiting, SIGINT);
    sigaction(SIGINT, &sa, &before);
    e->el_set(e->el, EL_PREP_TERM, 1); /* before the prompt shows: a Ctrl-D typed to a terminal of lines would be lost */
    s = e->el_gets(e->el, &n);
    pthread_sigmask(SIG_SETMASK, &mask, NULL); /* one that is still held back belongs to this line */
    sigaction(SIGINT, &before, NULL);
    e->L = NULL;
    if (interrupted) {
        e->el_set(e->el, EL_REFRESH);
        fputs("^C\n", stdout);
        lua_pushnil(L);
        lua_pushliteral(L, "interrupted");
        return 2;
    }
    if (!s || n <= 0) {
        lua_pushnil(L);
        return 1;
    }
    if (s[n - 1] == '\n') n--;
    lua_pushlstring(L, s, (size_t)n);
    return 1;
}

static bool load(editor *e)
{
    void *lib = dlopen("libedit.so.2", RTLD_NOW | RTLD_GLOBAL);
    if (!lib) lib = dlopen("libedit.so", RTLD_NOW | RTLD_GLOBAL);
    return lib && find(lib, "el_init", &e->el_init) && find(lib, "el_end", &e->el_end) && find(lib, "el_gets", &e->el_gets) &&
           find(lib, "el_set", &e->el_set) && find(lib, "el_get", &e->el_get) && find(lib, "el_line", &e->el_line) &&
           find(lib, "el_insertstr", &e->el_insertstr) && find(lib, "history_init", &e->history_init) &&
           find(lib, "history_end", &e->history_end) && find(lib, "history", &e->history_call);
}

bool cli_push_editor(lua_State *L)
{
    editor *e = lua_newuserdata(L, sizeof *e);
    HistEvent ev;
    memset(e, 0, sizeof *e);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, editor_close);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    setlocale(LC_CTYPE, ""); /* the terminal's characters, and nothing else of the locale */
    if (!load(e) || !(e->el = e->el_init("symbi-lua", stdin, stdout, stderr)) || !(e->history = e->history_init())) {
        lua_pop(L, 1);
        return false;
    }
    e->history_call(e->history, &ev, H_SETSIZE, HISTORY);
    e->history_call(e->history, &ev, H_SETUNIQUE, 1);
    e->el_set(e->el, EL_CLIENTDATA, e);
    e->el_set(e->el, EL_PROMPT, on_prompt);
    e->el_set(e->el, EL_GETCFN, next_char);
    e->el_set(e->el, EL_EDITOR, "emacs");
    e->el_set(e->el, EL_HIST, e->history_call, e->history);
    e->el_set(e->el, EL_ADDFN, "symbi-complete", "complete a name", on_tab);
    e->el_set(e->el, EL_BIND, "^I", "symbi-complete", NULL);
    e->el_set(e->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
    lua_pushcclosure(L, read_line, 1);
    return true;
}
#else
bool cli_push_editor(lua_State *L)
{
    (void)L;
    return false;
}
#endif
