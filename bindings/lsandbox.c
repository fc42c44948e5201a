/* bindings/lsandbox.c: symbi.sandbox (core side): Lua code that nobody vouches for, in a Lua state of its own.
 *
 *   result, msg, err = sandbox.run(text[, {name=, memory_bytes=, deadline_ms=, output_bytes=, args=, globals=, stream=}])
 *     result: {[1]=, [2]=, ..., n=, output=, memory_bytes=}: what the chunk returned, copied; what it printed; the most memory it had
 *     err.code: EPARSE (no Lua, or a compiled chunk), EEVAL (the script's own error), ETIMEOUT, ELIMIT (memory or output);
 *     err.output: what it had printed
 *   sandbox.limits: the defaults and ceilings
 *
 * What holds it: the environment is an allow-list (lsandbox_lib.c); only text is compiled; the allocator counts; a hook looks at the
 * clock; C functions that can work long are ours and look at the clock too, or take no more than their charge; the compiler gets the
 * source in small pieces and is told that it ends when the time is up (its chains of jumps take quadratic time). Once a limit is
 * reached, each further instruction raises, whatever catches it, and the run has failed whatever the script returned. Not bounded by
 * the deadline: one step of the garbage collector, one comparison or concatenation of two texts (both by the memory limit), and one
 * label with all the gotos that wait for it (by the VM: 32767 of them). */
#include "lsandbox.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define UD_BOX "symbi.sandbox"
enum { MEMORY_LEAST = 256 * 1024, MEMORY_USUAL = 64 * 1024 * 1024, TIME_USUAL = 1000, TIME_MOST = 3600000, OUTPUT_USUAL = 1024 * 1024,
       TEXT_MOST = 4 * 1024 * 1024, DATA_MOST = 16 * 1024 * 1024, DATA_DEPTH = 32, INSTRUCTIONS = 256, FEWEST = 16, PIECE = 256, C_STACK = 768 * 1024 };
static const int64_t memory_most = (int64_t)1 << 40;

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- memory ----------------------------------------------------------------------------------------------------------- */

static bool late(const box *b) { return b->ready && now_ns() >= b->deadline; }

static void *box_alloc(void *ud, void *p, size_t o, size_t n)
{
    box *b = ud;
    void *q;
    if (!p) o = 0; /* the VM says there what kind of object it will be */
    if (n == 0) {
        if (p) b->fn(b->ud, p, o, 0);
        b->used -= o;
        return NULL;
    }
    if (n > o) {
        bool hopeless = n > b->block;
        if (n >= 65536 && !b->why && late(b)) b->why = BOX_TIME;
        if (b->why && n > 4096) return NULL; /* nothing big is begun any more */
        if (hopeless || n - o > b->limit - b->used) {
            /* most VMs collect and ask for the same once more */
            if (b->ready && !b->why && (hopeless || b->one_try || b->refused == n)) b->why = BOX_MEMORY;
            b->refused = n;
            b->short_of = true;
            return NULL;
        }
        b->refused = 0;
    }
    q = b->fn(b->ud, p, o, n);
    if (!q) {
        if (n > o) b->no_memory = true;
        return NULL;
    }
    b->used += n - o; /* modulo arithmetic: right for shrinking too */
    if (b->used > b->peak) b->peak = b->used;
    return q;
}

bool box_append(box *b, box_buf *buf, const char *p, size_t n)
{
    if (n > buf->cap - buf->n) {
        size_t cap = buf->cap ? buf->cap * 2 : 256;
        char *q;
        while (cap - buf->n < n) cap *= 2;
        q = b->fn(b->ud, buf->p, buf->cap, cap);
        if (!q) {
            b->no_memory = true;
            return false;
        }
        buf->p = q;
        buf->cap = cap;
    }
    if (n) memcpy(buf->p + buf->n, p, n);
    buf->n += n;
    return true;
}

static void buf_free(box *b, box_buf *buf)
{
    if (buf->p) b->fn(b->ud, buf->p, buf->cap, 0);
    memset(buf, 0, sizeof *buf);
}

static int box_close(lua_State *L)
{
    box *b = symL_checkud(L, 1, UD_BOX);
    lua_State *s = b->L;
    b->L = NULL;
    if (s) lua_close(s);
    buf_free(b, &b->out);
    buf_free(b, &b->in);
    buf_free(b, &b->result);
    return 0;
}

/* ---- limits ----------------------------------------------------------------------------------------------------------- */

box *box_of(lua_State *L)
{
    void *ud;
    lua_getallocf(L, &ud);
    return ud;
}

static const char *why_text(const box *b, char buf[96])
{
    if (b->why == BOX_TIME) snprintf(buf, 96, "out of time (the limit is %lld ms)", (long long)b->deadline_ms);
    else if (b->why == BOX_MEMORY) snprintf(buf, 96, "out of memory (the limit is %zu bytes)", b->limit);
    else snprintf(buf, 96, "too much output (the limit is %zu bytes)", b->out_limit);
    return buf;
}

static void on_count(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    box_check(L, box_of(L));
}

/* An instruction can go through as many bytes as there are: the more memory, the fewer of them without a look at the clock. */
void box_hook(lua_State *L)
{
    size_t n = (size_t)INSTRUCTIONS * MEMORY_USUAL / (box_of(L)->limit + 1) + 1;
    lua_sethook(L, on_count, LUA_MASKCOUNT, n > INSTRUCTIONS ? INSTRUCTIONS : n < FEWEST ? FEWEST : (int)n);
}

void box_end(lua_State *L, box *b)
{
    char buf[96];
    lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
    luaL_error(L, "%s", why_text(b, buf));
}

void box_check(lua_State *L, box *b)
{
    if (!b->why && late(b)) b->why = BOX_TIME;
    if (b->why) box_end(L, b);
}

void box_charge(lua_State *L, box *b, uint64_t n)
{
    b->spent += n;
    if (b->spent < b->next && !b->why) return;
    b->next = b->spent + 100000;
    box_check(L, b);
}

void box_depth(lua_State *L)
{
    char here;
    uintptr_t a = (uintptr_t)&here, b = box_of(L)->stack;
    if (b && (a < b ? b - a : a - b) > C_STACK) luaL_error(L, "C stack overflow");
}

void box_call(lua_State *L, int nargs, int nresults)
{
    box_depth(L);
    lua_call(L, nargs, nresults);
}

/* ---- values from one state into the other: plain data, as bytes --------------------------------------------------------- */

static void put(lua_State *L, box *b, box_buf *buf, const void *p, size_t n)
{
    if (n > (size_t)DATA_MOST - buf->n) luaL_error(L, "more than %d bytes of values", (int)DATA_MOST);
    if (!box_append(b, buf, p, n)) luaL_error(L, "not enough memory");
}

static void put_value(lua_State *L, box *b, box_buf *buf, int idx, int depth)
{
    size_t n;
    const char *s;
    int64_t i;
    double d;
    idx = symL_absindex(L, idx);
    luaL_checkstack(L, 4, "values nested too deeply");
    switch (lua_type(L, idx)) {
    case LUA_TNIL: put(L, b, buf, "N", 1); return;
    case LUA_TBOOLEAN: put(L, b, buf, lua_toboolean(L, idx) ? "T" : "F", 1); return;
    case LUA_TNUMBER:
        if (symL_isinteger(L, idx, &i)) {
            put(L, b, buf, "I", 1);
            put(L, b, buf, &i, sizeof i);
        } else {
            d = (double)lua_tonumber(L, idx);
            put(L, b, buf, "D", 1);
            put(L, b, buf, &d, sizeof d);
        }
        return;
    case LUA_TSTRING:
        s = lua_tolstring(L, idx, &n);
        put(L, b, buf, "S", 1);
        put(L, b, buf, &n, sizeof n);
        put(L, b, buf, s, n);
        return;
    case LUA_TTABLE:
        if (depth >= DATA_DEPTH) luaL_error(L, "values nested more than %d deep", (int)DATA_DEPTH);
        put(L, b, buf, "{", 1);
        lua_pushnil(L);
        while (lua_next(L, idx)) {
            put_value(L, b, buf, -2, depth + 1);
            put_value(L, b, buf, -1, depth + 1);
            lua_pop(L, 1);
        }
        put(L, b, buf, "}", 1);
        return;
    default: luaL_error(L, "a %s cannot be handed over: only plain data can", luaL_typename(L, idx));
    }
}

static void take(const box_buf *buf, size_t *at, void *p, size_t n)
{
    memcpy(p, buf->p + *at, n);
    *at += n;
}

/* Pushes the value at *at; false (nothing pushed) at the end of a table. */
static bool take_value(lua_State *L, const box_buf *buf, size_t *at)
{
    char tag = buf->p[(*at)++];
    int64_t i;
    double d;
    size_t n;
    luaL_checkstack(L, 4, "values nested too deeply");
    switch (tag) {
    case 'N': lua_pushnil(L); return true;
    case 'T':
    case 'F': lua_pushboolean(L, tag == 'T'); return true;
    case 'I':
        take(buf, at, &i, sizeof i);
        symL_pushint(L, i);
        return true;
    case 'D':
        take(buf, at, &d, sizeof d);
        lua_pushnumber(L, (lua_Number)d);
        return true;
    case 'S':
        take(buf, at, &n, sizeof n);
        lua_pushlstring(L, buf->p + *at, n);
        *at += n;
        return true;
    case '{':
        lua_newtable(L);
        while (take_value(L, buf, at)) {
            take_value(L, buf, at);
            lua_rawset(L, -3);
        }
        return true;
    default: return false;
    }
}

/* ---- compiling -------------------------------------------------------------------------------------------------------- */

typedef struct source {
    box *b;
    symbi_str rest;
} source;

/* Pieces of the text, and its end when the time is up: perform sees why. */
static const char *next_piece(lua_State *L, void *ud, size_t *n)
{
    source *from = ud;
    const char *p = from->rest.p;
    (void)L;
    if (!from->b->why && late(from->b)) from->b->why = BOX_TIME;
    *n = from->b->why ? 0 : from->rest.n < PIECE ? from->rest.n : PIECE;
    from->rest.p += *n;
    from->rest.n -= *n;
    return *n ? p : NULL;
}

/* ---- the run ---------------------------------------------------------------------------------------------------------- */

typedef struct job {
    box *b;
    symbi_str text;
    const char *name;
    bool has_globals;
    symbi_status st;
    symbi_err *err;
} job;

/* Bytes that a terminal and a log can show, on one line. */
static void set_message(symbi_err *err, symbi_status st, const char *s, size_t n)
{
    size_t at = 0;
    symbi_err_clear(err);
    err->code = st;
    for (size_t i = 0; i < n && at < sizeof err->msg - 1; i++) err->msg[at++] = (s[i] >= ' ' && s[i] < 127) ? s[i] : s[i] == '\t' ? ' ' : '?';
    err->msg[at] = 0;
}

static int prepare(lua_State *L)
{
    job *j = lua_touserdata(L, 1);
    box_openlibs(L, j->b);
    return 0;
}

static int error_text(lua_State *L)
{
    box_tostring(L, 1);
    return 1;
}

/* Stack: 1 the job. Compiles, runs, and leaves the outcome in it. */
static int perform(lua_State *L)
{
    job *j = lua_touserdata(L, 1);
    box *b = j->b;
    size_t at = 0, n = 0;
    source from = { b, j->text };
    const char *s;
    int base;
    lua_settop(L, 0);
    if (j->has_globals) {
        lua_getglobal(L, "_G");
        take_value(L, &b->in, &at);
        lua_pushnil(L);
        while (lua_next(L, 2)) {
            lua_pushvalue(L, -2);
            lua_insert(L, -2);
            lua_rawset(L, 1);
        }
        lua_settop(L, 0);
    }
    if (symL_load_text(L, next_piece, &from, j->name)) {
        s = lua_tolstring(L, -1, &n);
        set_message(j->err, j->st = SYMBI_EPARSE, s ? s : "?", s ? n : 1);
        return 0;
    }
    if (!b->why && late(b)) b->why = BOX_TIME;
    if (b->why) return 0; /* what was cut off may be whole by chance: it is not run */
    while (at < b->in.n) take_value(L, &b->in, &at);
    box_hook(L);
    base = lua_gettop(L);
    if (lua_pcall(L, base - 1, LUA_MULTRET, 0)) {
        lua_pushcfunction(L, error_text);
        lua_insert(L, -2);
        s = NULL;
        if (!lua_pcall(L, 1, 1, 0)) s = lua_tolstring(L, -1, &n);
        set_message(j->err, j->st = SYMBI_EEVAL, s ? s : "the error has no text", s ? n : strlen("the error has no text"));
        return 0;
    }
    lua_sethook(L, NULL, 0, 0);
    if (!b->why && late(b)) b->why = BOX_TIME; /* its last step was a long one */
    base = lua_gettop(L);
    j->st = SYMBI_ESCHEMA; /* until all are over */
    for (int i = 1; i <= base; i++) put_value(L, b, &b->result, i, 0);
    j->st = SYMBI_OK;
    return 0;
}

static void finish(lua_State *L, job *j, int status)
{
    box *b = j->b;
    size_t n;
    const char *s;
    char buf[96];
    /* some functions of the VMs make this text themselves and do not ask again */
    if (b->short_of && !b->why && !status && j->st == SYMBI_EEVAL && strstr(j->err->msg, "not enough memory")) b->why = BOX_MEMORY;
    if (b->no_memory && !b->why) {
        set_message(j->err, SYMBI_ENOMEM, "out of memory", 13);
    } else if (b->why) {
        s = why_text(b, buf);
        set_message(j->err, b->why == BOX_TIME ? SYMBI_ETIMEOUT : SYMBI_ELIMIT, s, strlen(s));
    } else if (status) {
        s = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &n) : NULL;
        set_message(j->err, j->st ? j->st : SYMBI_ELIMIT, s ? s : "?", s ? n : 1);
    } else if (!j->st) {
        return;
    }
    j->st = j->err->code;
}

static symbi_status box_run(job *j)
{
    box *b = j->b;
    lua_State *L = b->L = lua_newstate(box_alloc, b);
    int status;
    symbi_err_clear(j->err);
    b->stack = (uintptr_t)&status;
    if (!L || symL_cpcall(L, prepare, j)) {
        set_message(j->err, SYMBI_ENOMEM, "out of memory while the sandbox was made", 40);
        return SYMBI_ENOMEM;
    }
    b->began = now_ns();
    b->deadline = b->began + b->deadline_ms * 1000000;
    b->rng[0] = (uint64_t)b->began * 0x9e3779b97f4a7c15u + 1;
    b->rng[1] = 0xbf58476d1ce4e5b9u;
    b->ready = true;
    status = symL_cpcall(L, perform, j);
    finish(L, j, status);
    b->ready = false;
    b->L = NULL;
    lua_close(L);
    return j->st;
}

/* A first line that begins with # is for the shell. A compiled chunk could do anything: the VM does not check it. */
static bool text_only(symbi_str *t)
{
    if (t->n && t->p[0] == '#') {
        const char *nl = memchr(t->p, '\n', t->n);
        size_t skip = nl ? (size_t)(nl - t->p) : t->n;
        t->p += skip;
        t->n -= skip;
    }
    return !(t->n && t->p[0] == '\033');
}

static void push_text(lua_State *L, const box_buf *buf) { lua_pushlstring(L, buf->p ? buf->p : "", buf->n); }

static int sandbox_run(lua_State *L)
{
    static const char *const known[] = { "name", "memory_bytes", "deadline_ms", "output_bytes", "args", "globals", "stream", NULL };
    symbi_str text = symL_checkstr(L, 1), name;
    symbi_err err;
    job j;
    box *b;
    int nargs = 0, ud;
    lua_settop(L, 2);
    symL_checkopts(L, 2, known);
    name = symL_optfield_str(L, 2, "name", symbi_str_z("=sandbox"));
    b = symL_newud(L, sizeof *b, UD_BOX);
    ud = lua_gettop(L);
    b->fn = lua_getallocf(L, &b->ud);
    b->limit = (size_t)symL_optfield_int(L, 2, "memory_bytes", MEMORY_USUAL, MEMORY_LEAST, memory_most);
    b->deadline_ms = symL_optfield_int(L, 2, "deadline_ms", TIME_USUAL, 1, TIME_MOST);
    b->out_limit = (size_t)symL_optfield_int(L, 2, "output_bytes", OUTPUT_USUAL, 0, memory_most);
    b->block = b->limit / 2;
    b->one_try = strcmp(symL_vm(), "5.1") == 0;
    memset(&j, 0, sizeof j);
    j.b = b;
    j.text = text;
    j.err = &err;
    j.name = name.p;
    if (symL_optfield_bool(L, 2, "stream", false)) {
        lua_getfield(L, LUA_REGISTRYINDEX, "symbi.sandbox.write");
        const box_writer *w = lua_touserdata(L, -1);
        if (!w) luaL_error(L, "stream is for programs that set a writer");
        b->write = w->write;
        b->write_ud = w->ud;
        lua_pop(L, 1);
    }
    if (lua_istable(L, 2)) {
        lua_getfield(L, 2, "globals");
        if (!lua_isnil(L, -1)) {
            luaL_checktype(L, -1, LUA_TTABLE);
            put_value(L, b, &b->in, -1, 0);
            j.has_globals = true;
        }
        lua_getfield(L, 2, "args");
        if (!lua_isnil(L, -1)) {
            luaL_checktype(L, -1, LUA_TTABLE);
            nargs = (int)symL_rawlen(L, -1);
            if (nargs > 200) luaL_error(L, "more than 200 args");
            for (int i = 1; i <= nargs; i++) {
                lua_rawgeti(L, ud + 2, i);
                put_value(L, b, &b->in, -1, 0);
                lua_pop(L, 1);
            }
        }
        lua_settop(L, ud);
    }
    if (text.n > TEXT_MOST) {
        set_message(&err, SYMBI_ELIMIT, "the script is longer than 4 MiB", 31);
    } else if (!text_only(&j.text)) {
        set_message(&err, SYMBI_EPARSE, "a compiled chunk: the sandbox takes text only", 45);
    } else if (box_run(&j) == SYMBI_OK) {
        size_t at = 0;
        int n = 0;
        lua_createtable(L, 4, 3);
        while (at < b->result.n) {
            take_value(L, &b->result, &at);
            lua_rawseti(L, -2, ++n);
        }
        lua_pushinteger(L, n);
        lua_setfield(L, -2, "n");
        push_text(L, &b->out);
        lua_setfield(L, -2, "output");
        symL_pushint(L, (int64_t)b->peak);
        lua_setfield(L, -2, "memory_bytes");
        return 1;
    }
    symL_fail(L, &err);
    push_text(L, &b->out);
    lua_setfield(L, -2, "output");
    return 3;
}

static const luaL_Reg functions[] = { { "run", sandbox_run }, { NULL, NULL } };
static const luaL_Reg methods[] = { { "close", box_close }, { NULL, NULL } };

static void limit(lua_State *L, const char *name, int64_t value)
{
    symL_pushint(L, value);
    lua_setfield(L, -2, name);
}

void l_sandbox_open(lua_State *L)
{
    symL_newtype(L, UD_BOX, methods, NULL);
    lua_newtable(L);
    symL_setfuncs(L, functions);
    lua_newtable(L);
    limit(L, "memory_bytes", MEMORY_USUAL);
    limit(L, "deadline_ms", TIME_USUAL);
    limit(L, "output_bytes", OUTPUT_USUAL);
    limit(L, "script_bytes", TEXT_MOST);
    limit(L, "data_bytes", DATA_MOST);
    limit(L, "data_depth", DATA_DEPTH);
    lua_setfield(L, -2, "limits");
}
