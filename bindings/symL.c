/* bindings/symL.c: the compatibility shim: one set of calls over Lua 5.1, 5.2, 5.3, 5.4 and LuaJIT, the context of a Lua
 * state, userdata types, argument checks, and error objects. The only file that mentions LUA_VERSION_NUM. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_DEFAULT */
#endif
#include "symL.h"

#include <dlfcn.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if LUA_VERSION_NUM >= 502
#define RAWLEN lua_rawlen
#else
#define RAWLEN lua_objlen
#endif
#define CTX_KEY "symbi.ctx"
#define NOVALUE_KEY "symbi.nouservalue"

/* ---- the context of a state ------------------------------------------------------------------------------------ */

/* Counts what the library holds. Shared documents may outlive the Lua state, so the block has a malloc of its own and is
 * kept alive by each allocation as well as by the state: refs = 1 (the state) + live allocations. */
typedef struct counter {
    lua_Alloc fn; /* the state's allocator */
    void *ud;
    atomic_long refs;
} counter;

typedef struct ctx_ud {
    char version[16]; /* first: checked before anything else is believed */
    symbi_ctx *cx;
    counter *count;
    long base; /* what the ctx itself holds */
    const symbi_doc *slot;
} ctx_ud;

static void counter_release(counter *c)
{
    if (atomic_fetch_sub(&c->refs, 1) == 1) free(c);
}

static void *count_alloc(counter *c, lua_Alloc fn, void *ud, void *p, size_t o, size_t n)
{
    void *q;
    if (n == 0) {
        if (p) {
            fn(ud, p, o, 0);
            counter_release(c);
        }
        return NULL;
    }
    q = fn(ud, p, p ? o : 0, n);
    if (q && !p) atomic_fetch_add(&c->refs, 1);
    return q;
}

static void *state_alloc(void *ud, void *p, size_t o, size_t n)
{
    counter *c = ud;
    return count_alloc(c, c->fn, c->ud, p, o, n);
}

static void *malloc_fn(void *ud, void *p, size_t o, size_t n)
{
    (void)ud;
    (void)o;
    if (n) return realloc(p, n);
    free(p);
    return NULL;
}

static void *shared_alloc(void *ud, void *p, size_t o, size_t n) { return count_alloc(ud, malloc_fn, NULL, p, o, n); }

static int ctx_gc(lua_State *L)
{
    ctx_ud *u = lua_touserdata(L, 1);
    counter *c = u->count;
    symbi_ctx_free(u->cx);
    u->cx = NULL;
    u->count = NULL;
    if (c) counter_release(c);
    return 0;
}

static ctx_ud *ctx_new(lua_State *L)
{
    ctx_ud *u = lua_newuserdata(L, sizeof *u);
    symbi_env env;
    symbi_err err;
    memset(u, 0, sizeof *u);
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, ctx_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    u->count = malloc(sizeof *u->count);
    if (!u->count) luaL_error(L, "symbi: out of memory");
    u->count->fn = lua_getallocf(L, &u->count->ud);
    atomic_init(&u->count->refs, 1);
    symbi_env_init(&env);
    env.alloc.fn = state_alloc;
    env.shared_alloc.fn = shared_alloc;
    env.alloc.ud = env.shared_alloc.ud = u->count;
    if (symbi_ctx_new(&env, &u->cx, &err)) luaL_error(L, "symbi: %s", err.msg);
    u->base = atomic_load(&u->count->refs);
    snprintf(u->version, sizeof u->version, "%s", SYMBI_VERSION);
    lua_setfield(L, LUA_REGISTRYINDEX, CTX_KEY);
    return u;
}

static ctx_ud *ctx_get(lua_State *L)
{
    ctx_ud *u;
    lua_getfield(L, LUA_REGISTRYINDEX, CTX_KEY);
    u = lua_touserdata(L, -1);
    lua_pop(L, 1); /* the registry keeps it */
    if (!u) return ctx_new(L);
    if (strcmp(u->version, SYMBI_VERSION) != 0)
        luaL_error(L, "symbi: modules of version %s and %s in one Lua state; reinstall both from one tree", u->version, SYMBI_VERSION);
    if (!u->cx) luaL_error(L, "symbi: the Lua state is closing");
    return u;
}

symbi_ctx *symL_ctx(lua_State *L) { return ctx_get(L)->cx; }

const symbi_doc **symL_slot(lua_State *L) { return &ctx_get(L)->slot; }

long symL_live(lua_State *L)
{
    ctx_ud *u = ctx_get(L);
    return atomic_load(&u->count->refs) - u->base;
}

/* ---- small differences between versions ------------------------------------------------------------------------ */

void symL_setfuncs(lua_State *L, const luaL_Reg *l)
{
    for (; l && l->name; l++) {
        lua_pushcfunction(L, l->func);
        lua_setfield(L, -2, l->name);
    }
}

size_t symL_rawlen(lua_State *L, int idx) { return (size_t)RAWLEN(L, idx); }

int symL_cpcall(lua_State *L, lua_CFunction f, void *ud)
{
#if LUA_VERSION_NUM >= 502
    lua_pushcfunction(L, f);
    lua_pushlightuserdata(L, ud);
    return lua_pcall(L, 1, 0, 0);
#else
    return lua_cpcall(L, f, ud); /* there pushing a function takes memory */
#endif
}

int symL_load_text(lua_State *L, lua_Reader reader, void *ud, const char *name)
{
#if LUA_VERSION_NUM >= 502
    return lua_load(L, reader, ud, name, "t");
#else
    return lua_load(L, reader, ud, name);
#endif
}

void symL_openlibs(lua_State *L)
{
    static const luaL_Reg libs[] = {
#if LUA_VERSION_NUM >= 502
        { "_G", luaopen_base }, { "coroutine", luaopen_coroutine },
#else
        { "", luaopen_base },
#endif
        { LUA_TABLIBNAME, luaopen_table }, { LUA_STRLIBNAME, luaopen_string }, { LUA_MATHLIBNAME, luaopen_math }, { LUA_OSLIBNAME, luaopen_os },
#if LUA_VERSION_NUM == 502
        { "bit32", luaopen_bit32 },
#elif LUA_VERSION_NUM >= 503
        { "utf8", luaopen_utf8 },
#endif
    };
    for (size_t i = 0; i < sizeof libs / sizeof *libs; i++) {
#if LUA_VERSION_NUM >= 502
        luaL_requiref(L, libs[i].name, libs[i].func, 1);
        lua_pop(L, 1);
#else
        lua_pushcfunction(L, libs[i].func);
        lua_pushstring(L, libs[i].name);
        lua_call(L, 1, 0);
#endif
    }
#if LUA_VERSION_NUM < 502
    /* LuaJIT has two more; the same build serves PUC 5.1, which does not export them */
    for (int i = 0; i < 2; i++) {
        void *p = dlsym(RTLD_DEFAULT, i ? "luaopen_jit" : "luaopen_bit");
        lua_CFunction f;
        memcpy(&f, &p, sizeof f);
        if (!p) continue;
        lua_pushcfunction(L, f);
        lua_pushstring(L, i ? "jit" : "bit");
        lua_call(L, 1, 0);
    }
#endif
}

int symL_absindex(lua_State *L, int idx)
{
    return idx > 0 || idx <= LUA_REGISTRYINDEX ? idx : lua_gettop(L) + idx + 1;
}

const char *symL_vm(void)
{
#if LUA_VERSION_NUM >= 504
    return "5.4";
#elif LUA_VERSION_NUM >= 503
    return "5.3";
#elif LUA_VERSION_NUM >= 502
    return "5.2";
#else
    return "5.1";
#endif
}

/* ---- userdata types -------------------------------------------------------------------------------------------- */

/* The registry name of a type; callers may write "key" or "symbi.key". */
static const char *type_key(const char *tname, char buf[64])
{
    if (strncmp(tname, "symbi.", 6) == 0) return tname;
    snprintf(buf, 64, "symbi.%s", tname);
    return buf;
}

static bool has_name(const luaL_Reg *l, const char *name)
{
    for (; l && l->name; l++)
        if (strcmp(l->name, name) == 0) return true;
    return false;
}

void symL_newtype(lua_State *L, const char *tname, const luaL_Reg *methods, const luaL_Reg *meta)
{
    char buf[64];
    const char *key = type_key(tname, buf);
    ctx_get(L); /* older than any object, so that lua_close finishes it last */
    lua_getfield(L, LUA_REGISTRYINDEX, key);
    if (lua_istable(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    lua_pop(L, 1);
    lua_createtable(L, 0, 8);
    lua_pushstring(L, key);
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_newtable(L);
    symL_setfuncs(L, methods);
    if (has_name(methods, "close")) { /* one function for close, __gc and __close; meta may say otherwise */
        lua_getfield(L, -1, "close");
        lua_pushvalue(L, -1);
        lua_setfield(L, -4, "__gc");
#if LUA_VERSION_NUM >= 504
        lua_pushvalue(L, -1);
        lua_setfield(L, -4, "__close");
#endif
        lua_pop(L, 1);
    }
    lua_setfield(L, -2, "__index");
    symL_setfuncs(L, meta);
    lua_setfield(L, LUA_REGISTRYINDEX, key);
}

void *symL_newud(lua_State *L, size_t size, const char *tname)
{
    char buf[64];
    const char *key = type_key(tname, buf);
    void *u;
#if LUA_VERSION_NUM >= 504
    u = lua_newuserdatauv(L, size, 1);
#else
    u = lua_newuserdata(L, size);
#endif
    memset(u, 0, size);
#if LUA_VERSION_NUM < 502
    /* A 5.1 userdata starts with its creator's environment as its "user value": give it a mark for "none" instead. */
    lua_getfield(L, LUA_REGISTRYINDEX, NOVALUE_KEY);
    if (!lua_istable(L, -1)) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setfield(L, LUA_REGISTRYINDEX, NOVALUE_KEY);
    }
    lua_setfenv(L, -2);
#endif
    lua_getfield(L, LUA_REGISTRYINDEX, key);
    if (!lua_istable(L, -1)) luaL_error(L, "symbi: type '%s' is not registered", key);
    lua_setmetatable(L, -2);
    return u;
}

void *symL_testud(lua_State *L, int arg, const char *tname)
{
    char buf[64];
    void *u;
    if (lua_type(L, arg) != LUA_TUSERDATA) return NULL;
    u = lua_touserdata(L, arg);
    if (!lua_getmetatable(L, arg)) return NULL;
    lua_getfield(L, LUA_REGISTRYINDEX, type_key(tname, buf));
    if (!lua_rawequal(L, -1, -2)) u = NULL;
    lua_pop(L, 2);
    return u;
}

void *symL_checkud(lua_State *L, int arg, const char *tname)
{
    char buf[64];
    void *u = symL_testud(L, arg, tname);
    if (!u) luaL_argerror(L, arg, lua_pushfstring(L, "%s expected, got %s", type_key(tname, buf), luaL_typename(L, arg)));
    return u;
}

void symL_setuservalue(lua_State *L, int idx)
{
    /* 5.1 and LuaJIT take a table only, and would not say so */
    if (!lua_istable(L, -1) && !lua_isnil(L, -1)) luaL_error(L, "symL_setuservalue: a table or nil expected, got %s", luaL_typename(L, -1));
#if LUA_VERSION_NUM >= 504
    lua_setiuservalue(L, idx, 1);
#elif LUA_VERSION_NUM >= 502
    lua_setuservalue(L, idx);
#else
    idx = symL_absindex(L, idx);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_getfield(L, LUA_REGISTRYINDEX, NOVALUE_KEY);
    }
    lua_setfenv(L, idx);
#endif
}

void symL_getuservalue(lua_State *L, int idx)
{
#if LUA_VERSION_NUM >= 504
    lua_getiuservalue(L, idx, 1);
#elif LUA_VERSION_NUM >= 502
    lua_getuservalue(L, idx);
#else
    lua_getfenv(L, idx);
    lua_getfield(L, LUA_REGISTRYINDEX, NOVALUE_KEY);
    if (lua_rawequal(L, -1, -2)) {
        lua_pop(L, 2);
        lua_pushnil(L);
    } else {
        lua_pop(L, 1);
    }
#endif
}

/* ---- arguments ------------------------------------------------------------------------------------------------- */

symbi_str symL_checkstr(lua_State *L, int arg)
{
    symbi_str s;
    s.p = luaL_checklstring(L, arg, &s.n);
    return s;
}

symbi_str symL_optstr(lua_State *L, int arg, symbi_str dflt)
{
    return lua_isnoneornil(L, arg) ? dflt : symL_checkstr(L, arg);
}

symbi_str symL_tostr(lua_State *L, int idx)
{
    symbi_str s = { NULL, 0 };
    if (lua_type(L, idx) == LUA_TSTRING) s.p = lua_tolstring(L, idx, &s.n);
    return s;
}

/* A decimal integer, exactly: what symL_pushint gives where a Lua number cannot hold it. */
static bool parse_int(symbi_str s, int64_t *out)
{
    bool neg = s.n && s.p[0] == '-';
    uint64_t v = 0, max = neg ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    size_t i = neg;
    if (i == s.n) return false;
    for (; i < s.n; i++) {
        unsigned d = (unsigned)(unsigned char)s.p[i] - '0';
        if (d > 9 || v > (max - d) / 10) return false;
        v = v * 10 + d;
    }
    *out = neg ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

/* 0 an integer, 1 not a number at all, 2 no integer, 3 beyond 64 bits. */
static int get_int(lua_State *L, int idx, int64_t *out)
{
    int t = lua_type(L, idx);
    lua_Number n;
    if (t == LUA_TSTRING) {
        if (parse_int(symL_tostr(L, idx), out)) return 0;
        if (!lua_isnumber(L, idx)) return 1;
    } else if (t != LUA_TNUMBER) {
        return 1;
    }
#if LUA_VERSION_NUM >= 503
    if (lua_isinteger(L, idx)) {
        *out = (int64_t)lua_tointeger(L, idx);
        return 0;
    }
#endif
    n = lua_tonumber(L, idx);
    if (!(n == floor(n))) return 2;
    if (!(n >= -9223372036854775808.0 && n < 9223372036854775808.0)) return 3;
    *out = (int64_t)n;
    return 0;
}

/* The message of a failed get_int or range check, pushed; NULL when all is well. */
static const char *int_problem(lua_State *L, int idx, int64_t lo, int64_t hi, int64_t *out)
{
    char buf[96];
    int r = get_int(L, idx, out);
    if (r == 1) return lua_pushfstring(L, "integer expected, got %s", luaL_typename(L, idx));
    if (r == 2) return lua_pushfstring(L, "%s", "integer expected, got a number that is none");
    if (r == 3 || *out < lo || *out > hi) {
        snprintf(buf, sizeof buf, "out of range (%lld to %lld)", (long long)lo, (long long)hi);
        return lua_pushfstring(L, "%s", buf);
    }
    return NULL;
}

int64_t symL_checkint(lua_State *L, int arg, int64_t lo, int64_t hi)
{
    int64_t i = 0;
    const char *msg = int_problem(L, arg, lo, hi, &i);
    if (msg) luaL_argerror(L, arg, msg);
    return i;
}

int64_t symL_optint(lua_State *L, int arg, int64_t dflt, int64_t lo, int64_t hi)
{
    return lua_isnoneornil(L, arg) ? dflt : symL_checkint(L, arg, lo, hi);
}

static const int64_t exact_max = (int64_t)1 << 53;

void symL_pushint(lua_State *L, int64_t i)
{
    char buf[24];
#if LUA_VERSION_NUM >= 503
    if ((int64_t)(lua_Integer)i == i) {
        lua_pushinteger(L, (lua_Integer)i);
        return;
    }
#endif
    if (i >= -exact_max && i <= exact_max) {
        lua_pushnumber(L, (lua_Number)i);
        return;
    }
    snprintf(buf, sizeof buf, "%lld", (long long)i);
    lua_pushstring(L, buf);
}

void symL_pushstr(lua_State *L, symbi_str s) { lua_pushlstring(L, s.n ? s.p : "", s.n); }

void symL_setstr(lua_State *L, const char *key, symbi_str s)
{
    symL_pushstr(L, s);
    lua_setfield(L, -2, key);
}

void symL_addpair(lua_State *L, size_t i, symbi_str name, symbi_str value)
{
    lua_createtable(L, 2, 0);
    symL_pushstr(L, name);
    lua_rawseti(L, -2, 1);
    symL_pushstr(L, value);
    lua_rawseti(L, -2, 2);
    lua_rawseti(L, -2, (int)i);
}

bool symL_isinteger(lua_State *L, int idx, int64_t *out)
{
    int64_t i;
    if (lua_type(L, idx) != LUA_TNUMBER || get_int(L, idx, &i)) return false;
#if LUA_VERSION_NUM >= 503
    if (!lua_isinteger(L, idx))
#endif
        if (i < -exact_max || i > exact_max) return false; /* a rounded neighbour may stand here */
    *out = i;
    return true;
}

/* ---- options tables -------------------------------------------------------------------------------------------- */

void symL_owntable(lua_State *L, int arg)
{
    luaL_checktype(L, arg, LUA_TTABLE);
    arg = symL_absindex(L, arg);
    luaL_checkstack(L, 4, "table");
    lua_newtable(L);
    lua_pushnil(L);
    while (lua_next(L, arg)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
    lua_replace(L, arg);
}

size_t symL_listlen(lua_State *L, int idx, const char *what)
{
    size_t n = 0, most = 0;
    int64_t i = 0;
    luaL_checkstack(L, 4, "list");
    idx = symL_absindex(L, idx);
    for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1), n++) {
        if (!symL_isinteger(L, -2, &i) || i < 1) luaL_error(L, "%s must be a list, but it has a key that is no position", what);
        if ((uint64_t)i > most) most = (size_t)i;
    }
    if (most != n) luaL_error(L, "%s must be a list without gaps, but position %d is the last of %d", what, (int)(most > INT32_MAX ? INT32_MAX : most), (int)n);
    return n;
}

void symL_checkopts(lua_State *L, int arg, const char *const known[])
{
    if (lua_isnoneornil(L, arg)) return;
    luaL_checktype(L, arg, LUA_TTABLE);
    arg = symL_absindex(L, arg);
    lua_pushnil(L);
    while (lua_next(L, arg)) {
        symbi_str k = symL_tostr(L, -2);
        size_t i = 0;
        if (!k.p) luaL_argerror(L, arg, lua_pushfstring(L, "option names are strings, got a %s", luaL_typename(L, -2)));
        while (known[i] && (strlen(known[i]) != k.n || memcmp(known[i], k.p, k.n) != 0)) i++;
        if (!known[i]) {
            int top = lua_gettop(L);
            lua_pushfstring(L, "unknown option '%s' (known:", k.p);
            for (i = 0; known[i]; i++) {
                lua_pushfstring(L, "%s%s", i ? ", " : " ", known[i]);
                lua_concat(L, 2);
            }
            lua_pushstring(L, ")");
            lua_concat(L, lua_gettop(L) - top);
            luaL_argerror(L, arg, lua_tostring(L, -1));
        }
        lua_pop(L, 1);
    }
}

/* Pushes field `name` raw (no metamethods: C never calls into Lua); false, and nothing pushed, when it is absent. */
static bool opt_field(lua_State *L, int arg, const char *name)
{
    if (lua_isnoneornil(L, arg)) return false;
    luaL_checktype(L, arg, LUA_TTABLE);
    arg = symL_absindex(L, arg);
    lua_pushstring(L, name);
    lua_rawget(L, arg);
    if (!lua_isnil(L, -1)) return true;
    lua_pop(L, 1);
    return false;
}

static void field_error(lua_State *L, int arg, const char *name, const char *msg)
{
    luaL_argerror(L, arg, lua_pushfstring(L, "field '%s': %s", name, msg));
}

symbi_str symL_optfield_str(lua_State *L, int arg, const char *name, symbi_str dflt)
{
    symbi_str s;
    if (!opt_field(L, arg, name)) return dflt;
    s = symL_tostr(L, -1);
    if (!s.p) field_error(L, arg, name, lua_pushfstring(L, "string expected, got %s", luaL_typename(L, -1)));
    lua_pop(L, 1); /* the table keeps it */
    return s;
}

bool symL_optfield_bool(lua_State *L, int arg, const char *name, bool dflt)
{
    bool b;
    if (!opt_field(L, arg, name)) return dflt;
    if (!lua_isboolean(L, -1)) field_error(L, arg, name, lua_pushfstring(L, "boolean expected, got %s", luaL_typename(L, -1)));
    b = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return b;
}

int64_t symL_optfield_int(lua_State *L, int arg, const char *name, int64_t dflt, int64_t lo, int64_t hi)
{
    int64_t i = 0;
    const char *msg;
    if (!opt_field(L, arg, name)) return dflt;
    msg = int_problem(L, -1, lo, hi, &i);
    if (msg) field_error(L, arg, name, msg);
    lua_pop(L, 1);
    return i;
}

/* ---- failures -------------------------------------------------------------------------------------------------- */

static int err_tostring(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_pushstring(L, "message");
    lua_rawget(L, 1);
    if (!lua_isstring(L, -1)) lua_pushstring(L, "error");
    return 1;
}

/* err:is(name): true when name is the code, or the name an HTTP error carries. */
static int err_is(lua_State *L)
{
    static const char *const fields[] = { "code", "name" };
    symbi_str want = symL_checkstr(L, 2);
    luaL_checktype(L, 1, LUA_TTABLE);
    for (size_t i = 0; i < 2; i++) {
        symbi_str s;
        lua_pushstring(L, fields[i]);
        lua_rawget(L, 1);
        s = symL_tostr(L, -1);
        if (s.p && s.n == want.n && memcmp(s.p, want.p, s.n) == 0) {
            lua_pushboolean(L, 1);
            return 1;
        }
        lua_pop(L, 1);
    }
    lua_pushboolean(L, 0);
    return 1;
}

void symL_errtype(lua_State *L)
{
    static const luaL_Reg methods[] = { { "is", err_is }, { NULL, NULL } };
    static const luaL_Reg meta[] = { { "__tostring", err_tostring }, { NULL, NULL } };
    symL_newtype(L, "symbi.err", methods, meta);
    lua_getfield(L, LUA_REGISTRYINDEX, "symbi.err");
}

static void push_message(lua_State *L, const symbi_err *err)
{
    char buf[sizeof err->path + sizeof err->msg + 32];
    symbi_err_format(err, buf, sizeof buf);
    lua_pushstring(L, buf);
}

void symL_pusherr(lua_State *L, const symbi_err *err)
{
    luaL_checkstack(L, 4, "error object");
    lua_createtable(L, 0, 5);
    lua_pushstring(L, symbi_status_name(err->code));
    lua_setfield(L, -2, "code");
    push_message(L, err);
    lua_setfield(L, -2, "message");
    if (err->line) {
        symL_pushint(L, err->line);
        lua_setfield(L, -2, "line");
        symL_pushint(L, err->col);
        lua_setfield(L, -2, "column");
    }
    if (err->path[0]) {
        lua_pushstring(L, err->path);
        lua_setfield(L, -2, "path");
    }
    symL_errtype(L);
    lua_setmetatable(L, -2);
}

int symL_fail(lua_State *L, const symbi_err *err)
{
    luaL_checkstack(L, 6, "error object");
    lua_pushnil(L);
    push_message(L, err);
    symL_pusherr(L, err);
    return 3;
}

/* ---- text made by C -------------------------------------------------------------------------------------------- */

static int text_gc(lua_State *L)
{
    symbi_text *t = lua_touserdata(L, 1);
    symbi_text_free(t);
    memset(t, 0, sizeof *t);
    return 0;
}

symbi_text *symL_text(lua_State *L)
{
    static const luaL_Reg meta[] = { { "__gc", text_gc }, { NULL, NULL } };
    symL_newtype(L, "symbi.text", NULL, meta);
    return symL_newud(L, sizeof(symbi_text), "symbi.text");
}

void symL_pushtext(lua_State *L, symbi_text *t)
{
    symL_pushstr(L, symbi_text_str(t));
    symbi_text_free(t);
    memset(t, 0, sizeof *t);
}
