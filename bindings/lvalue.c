/* bindings/lvalue.c: Lua values to symbi_value trees and back. A tree made from Lua values lives in Lua's own memory
 * (userdata chunks behind one anchor on the stack), so that an error thrown at any point leaves nothing behind. */
#include "symL.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_KEY "symbi.array"
#define PUSHDOC_KEY "symbi.pushdoc"
enum {
    MAX_DEPTH = 2000, /* whatever the limits say: C stack of the two recursions below */
    CHUNK = 1024
};

/* ---- arrays and null ------------------------------------------------------------------------------------------- */

void symL_pushnull(lua_State *L) { lua_pushlightuserdata(L, NULL); }

static void push_array_mt(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, ARRAY_KEY);
    if (lua_istable(L, -1)) return;
    lua_pop(L, 1);
    lua_createtable(L, 0, 3);
    lua_pushstring(L, ARRAY_KEY);
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pushstring(L, "array"); /* what dkjson looks at */
    lua_setfield(L, -2, "__jsontype");
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, ARRAY_KEY);
}

void symL_setarray(lua_State *L)
{
    push_array_mt(L);
    lua_setmetatable(L, -2);
}

/* Pushes package.loaded.cjson[field] or cjson.safe's, raw, or nil: lua-cjson's marks where it is in use. */
static void push_cjson(lua_State *L, const char *field)
{
    static const char *const names[] = { "cjson", "cjson.safe" };
    int top = lua_gettop(L);
    luaL_checkstack(L, 4, "value");
    lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
    for (size_t i = 0; i < 2 && lua_istable(L, top + 1); i++) {
        lua_pushstring(L, names[i]);
        lua_rawget(L, top + 1);
        if (lua_istable(L, -1)) {
            lua_pushstring(L, field);
            lua_rawget(L, -2);
            if (!lua_isnil(L, -1)) {
                lua_replace(L, top + 1);
                lua_settop(L, top + 1);
                return;
            }
        }
        lua_settop(L, top + 1);
    }
    lua_settop(L, top);
    lua_pushnil(L);
}

/* True when the table at idx (absolute) carries a metatable that marks arrays. */
static bool marked_array(lua_State *L, int idx)
{
    static const char *const fields[] = { "array_mt", "empty_array_mt" };
    bool yes;
    if (!lua_getmetatable(L, idx)) return false;
    lua_getfield(L, LUA_REGISTRYINDEX, ARRAY_KEY);
    yes = lua_istable(L, -1) && lua_rawequal(L, -1, -2);
    lua_pop(L, 1);
    for (size_t i = 0; i < 2 && !yes; i++) {
        push_cjson(L, fields[i]);
        yes = lua_istable(L, -1) && lua_rawequal(L, -1, -2);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return yes;
}

static bool is_cjson_empty_array(lua_State *L, int idx)
{
    bool yes;
    push_cjson(L, "empty_array");
    yes = lua_type(L, -1) == LUA_TLIGHTUSERDATA && lua_rawequal(L, -1, idx);
    lua_pop(L, 1);
    return yes;
}

/* What the keys of a table say. */
typedef struct shape {
    size_t strings, ints, others;
    int64_t max;
} shape;

static void scan_keys(lua_State *L, int idx, shape *s)
{
    memset(s, 0, sizeof *s);
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        int64_t i;
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING) {
            s->strings++;
        } else if (symL_isinteger(L, -1, &i) && i > 0) {
            s->ints++;
            if (i > s->max) s->max = i;
        } else {
            s->others++;
        }
    }
}

bool symL_isarray(lua_State *L, int idx)
{
    shape s;
    if (!lua_istable(L, idx)) return false;
    idx = symL_absindex(L, idx);
    luaL_checkstack(L, 4, "value");
    if (marked_array(L, idx)) return true;
    scan_keys(L, idx, &s);
    return s.ints && !s.strings && !s.others && s.max == (int64_t)s.ints;
}

/* ---- Lua to tree ----------------------------------------------------------------------------------------------- */

typedef struct builder {
    lua_State *L;
    int anchor; /* stack slot: nil, or the first chunk, whose user value is a table of the further ones */
    char *cur, *end;
    size_t chunks, nodes, depth;
    const symbi_limits *lim;
    symbi_err *err;
} builder;

static void *take(builder *b, size_t count, size_t size)
{
    lua_State *L = b->L;
    size_t n = count * size, want;
    void *p;
    n = (n + 15) & ~(size_t)15;
    if ((size_t)(b->end - b->cur) < n) {
        want = (size_t)CHUNK << (b->chunks < 6 ? b->chunks : 6);
        if (want < n) want = n;
        if (!b->chunks) {
            symL_newtype(L, "symbi.tree", NULL, NULL);
            p = symL_newud(L, want, "symbi.tree");
            lua_replace(L, b->anchor);
        } else {
            if (b->chunks == 1) {
                lua_newtable(L);
                lua_pushvalue(L, -1);
                symL_setuservalue(L, b->anchor);
            } else {
                symL_getuservalue(L, b->anchor);
            }
            p = lua_newuserdata(L, want);
            lua_rawseti(L, -2, (int)b->chunks);
            lua_pop(L, 1);
        }
        b->chunks++;
        b->cur = p;
        b->end = b->cur + want;
    }
    p = b->cur;
    b->cur += n;
    return p;
}

static symbi_status fail(builder *b, symbi_status st, const char *msg)
{
    if (b->err) {
        symbi_err_clear(b->err);
        b->err->code = st;
        snprintf(b->err->msg, sizeof b->err->msg, "%s", msg);
    }
    return st;
}

/* Puts "/key" in front of the path of an error on its way up. */
static void prepend(builder *b, symbi_str key)
{
    char seg[64], all[2 * sizeof b->err->path];
    size_t n = 0;
    if (!b->err) return;
    seg[n++] = '/';
    for (size_t i = 0; i < key.n && n < sizeof seg - 4; i++) {
        unsigned char c = (unsigned char)key.p[i];
        if (c == '~' || c == '/') {
            seg[n++] = '~';
            seg[n++] = c == '~' ? '0' : '1';
        } else {
            seg[n++] = c < 0x20 || c >= 0x7f ? '?' : (char)c;
        }
    }
    seg[n] = 0;
    snprintf(all, sizeof all, "%s%s", seg, b->err->path);
    all[sizeof b->err->path - 1] = 0; /* a very deep path loses its tail */
    memcpy(b->err->path, all, strlen(all) + 1);
}

static void prepend_index(builder *b, size_t i)
{
    char buf[24];
    symbi_str s = { buf, 0 };
    s.n = (size_t)snprintf(buf, sizeof buf, "%zu", i);
    prepend(b, s);
}

static int by_key(const void *x, const void *y)
{
    const symbi_str *a = &((const symbi_member *)x)->key, *c = &((const symbi_member *)y)->key;
    size_t n = a->n < c->n ? a->n : c->n;
    int r = n ? memcmp(a->p, c->p, n) : 0;
    return r ? r : (a->n > c->n) - (a->n < c->n);
}

static symbi_status convert(builder *b, int idx, symbi_value *out);

static symbi_status to_array(builder *b, int idx, size_t n, symbi_value *out)
{
    symbi_value *items = n ? take(b, n, sizeof *items) : NULL;
    out->kind = SYMBI_ARRAY;
    out->u.a.items = items;
    out->u.a.n = n;
    for (size_t i = 0; i < n; i++) {
        symbi_status st;
        lua_rawgeti(b->L, idx, (int)(i + 1));
        st = convert(b, lua_gettop(b->L), &items[i]);
        lua_pop(b->L, 1);
        if (st) {
            prepend_index(b, i);
            return st;
        }
    }
    return SYMBI_OK;
}

/* Keys are sorted: what pairs() gives differs between VMs and runs, and an error should name the same place each time. */
static symbi_status to_object(builder *b, int idx, size_t n, symbi_value *out)
{
    symbi_member *m = n ? take(b, n, sizeof *m) : NULL;
    lua_State *L = b->L;
    size_t i = 0;
    out->kind = SYMBI_OBJECT;
    out->u.o.members = m;
    out->u.o.n = n;
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        lua_pop(L, 1);
        if (i < n) m[i++].key = symL_tostr(L, -1);
    }
    out->u.o.n = n = i; /* a finaliser may have changed the table since it was counted */
    if (n > 1) qsort(m, n, sizeof *m, by_key);
    for (i = 0; i < n; i++) {
        symbi_status st;
        lua_pushlstring(L, m[i].key.p, m[i].key.n);
        lua_rawget(L, idx);
        st = convert(b, lua_gettop(L), &m[i].val);
        lua_pop(L, 1);
        if (st) {
            prepend(b, m[i].key);
            return st;
        }
    }
    return SYMBI_OK;
}

/* Names the first key that keeps a table from being an array of max items or an object. */
static symbi_status bad_shape(builder *b, int idx, const shape *s)
{
    lua_State *L = b->L;
    char msg[160];
    int64_t i = 0;
    if (s->strings || s->others) { /* find the offender, in a fixed order where it is a string */
        symbi_str worst = { NULL, 0 };
        const char *type = "";
        lua_pushnil(L);
        while (lua_next(L, idx)) {
            symbi_str k = symL_tostr(L, -2);
            lua_pop(L, 1);
            if (!k.p && !(symL_isinteger(L, -1, &i) && i > 0)) type = lua_type(L, -1) == LUA_TNUMBER ? "number" : luaL_typename(L, -1);
            if (k.p && (!worst.p || strcmp(k.p, worst.p) < 0)) worst = k;
        }
        if (s->others) snprintf(msg, sizeof msg, "a table key is a %s that is neither a name nor a list position", type);
        else snprintf(msg, sizeof msg, "a list cannot have the named key '%.60s'", worst.p);
        return fail(b, SYMBI_ESCHEMA, msg);
    }
    for (i = 1; i < s->max; i++) {
        bool hole;
        lua_rawgeti(L, idx, (int)i);
        hole = lua_isnil(L, -1);
        lua_pop(L, 1);
        if (hole) break;
    }
    snprintf(msg, sizeof msg, "the list has no item %lld, but an item %lld; use symbi.null, or symbi.array(t, n)", (long long)i, (long long)s->max);
    return fail(b, SYMBI_ESCHEMA, msg);
}

static symbi_status from_table(builder *b, int idx, symbi_value *out)
{
    lua_State *L = b->L;
    symbi_status st;
    char msg[80];
    size_t max = b->lim->doc_depth < MAX_DEPTH ? b->lim->doc_depth : MAX_DEPTH;
    bool array;
    shape s;
    if (b->depth >= max || !lua_checkstack(L, 12)) {
        snprintf(msg, sizeof msg, "nested deeper than %zu levels (does it contain itself?)", max);
        return fail(b, SYMBI_ELIMIT, msg);
    }
    array = marked_array(L, idx);
    scan_keys(L, idx, &s);
    b->nodes += s.ints + s.strings;
    if (b->nodes > b->lim->doc_nodes) {
        snprintf(msg, sizeof msg, "more than %zu values", b->lim->doc_nodes);
        return fail(b, SYMBI_ELIMIT, msg);
    }
    if (s.others || (s.ints && s.strings) || (array && s.strings) || s.max != (int64_t)s.ints) return bad_shape(b, idx, &s);
    b->depth++;
    st = array || s.ints ? to_array(b, idx, s.ints, out) : to_object(b, idx, s.strings, out);
    b->depth--;
    return st;
}

static symbi_status convert(builder *b, int idx, symbi_value *out)
{
    lua_State *L = b->L;
    char msg[80];
    double d;
    memset(out, 0, sizeof *out);
    switch (lua_type(L, idx)) {
    case LUA_TNONE:
    case LUA_TNIL: return SYMBI_OK;
    case LUA_TBOOLEAN:
        out->kind = SYMBI_BOOL;
        out->u.b = lua_toboolean(L, idx);
        return SYMBI_OK;
    case LUA_TNUMBER:
        if (symL_isinteger(L, idx, &out->u.i)) {
            out->kind = SYMBI_INT;
            return SYMBI_OK;
        }
        d = (double)lua_tonumber(L, idx);
        if (!isfinite(d)) return fail(b, SYMBI_ESCHEMA, isnan(d) ? "a number is NaN" : "a number is infinite");
        out->kind = SYMBI_DOUBLE;
        out->u.d = d;
        return SYMBI_OK;
    case LUA_TSTRING:
        out->kind = SYMBI_STRING;
        out->u.s = symL_tostr(L, idx);
        return SYMBI_OK;
    case LUA_TLIGHTUSERDATA:
        if (!lua_touserdata(L, idx)) return SYMBI_OK;
        if (lua_checkstack(L, 8) && is_cjson_empty_array(L, idx)) {
            out->kind = SYMBI_ARRAY;
            return SYMBI_OK;
        }
        break;
    case LUA_TTABLE: return from_table(b, idx, out);
    default: break;
    }
    snprintf(msg, sizeof msg, "a %s has no counterpart here", luaL_typename(L, idx));
    return fail(b, SYMBI_ESCHEMA, msg);
}

symbi_status symL_tovalue(lua_State *L, int idx, symbi_value *out, symbi_err *err)
{
    builder b = { 0 };
    symbi_status st;
    if (lua_type(L, idx) != LUA_TNONE) idx = symL_absindex(L, idx);
    luaL_checkstack(L, 12, "value");
    b.L = L;
    b.lim = symbi_ctx_limits(symL_ctx(L));
    b.err = err;
    lua_pushnil(L);
    b.anchor = lua_gettop(L);
    if (lua_type(L, idx) == LUA_TNONE || idx == b.anchor) {
        memset(out, 0, sizeof *out);
        return SYMBI_OK;
    }
    b.nodes = 1;
    st = convert(&b, idx, out);
    lua_settop(L, st ? b.anchor - 1 : b.anchor);
    return st;
}

/* ---- tree to Lua ----------------------------------------------------------------------------------------------- */

static void push(lua_State *L, const symbi_value *v, size_t depth)
{
    int hint;
    if (depth > MAX_DEPTH) luaL_error(L, "value is nested deeper than %d levels", (int)MAX_DEPTH);
    luaL_checkstack(L, 6, "value");
    switch ((symbi_kind)v->kind) {
    case SYMBI_NULL: symL_pushnull(L); return;
    case SYMBI_BOOL: lua_pushboolean(L, v->u.b); return;
    case SYMBI_INT: symL_pushint(L, v->u.i); return;
    case SYMBI_DOUBLE: lua_pushnumber(L, (lua_Number)v->u.d); return;
    case SYMBI_STRING:
    case SYMBI_TIME: symL_pushstr(L, v->u.s); return;
    case SYMBI_ARRAY:
        hint = v->u.a.n < 1 << 20 ? (int)v->u.a.n : 1 << 20;
        lua_createtable(L, hint, 0);
        for (size_t i = 0; i < v->u.a.n; i++) {
            push(L, &v->u.a.items[i], depth + 1);
            lua_rawseti(L, -2, (int)(i + 1));
        }
        symL_setarray(L);
        return;
    case SYMBI_OBJECT:
        hint = v->u.o.n < 1 << 20 ? (int)v->u.o.n : 1 << 20;
        lua_createtable(L, 0, hint);
        for (size_t i = 0; i < v->u.o.n; i++) {
            symL_pushstr(L, v->u.o.members[i].key);
            push(L, &v->u.o.members[i].val, depth + 1);
            lua_rawset(L, -3);
        }
        return;
    }
    luaL_error(L, "value of unknown kind %d", (int)v->kind);
}

void symL_pushvalue(lua_State *L, const symbi_value *v) { push(L, v, 0); }

/* The document reaches push_doc through a slot of the state's context, not through the Lua stack: a light userdata cannot
 * carry every pointer on LuaJIT. The old content is put back, because a debug hook may run another conversion in between. */
static int push_doc(lua_State *L)
{
    symL_pushvalue(L, symbi_doc_root(*symL_slot(L)));
    return 1;
}

void symL_pushdoc(lua_State *L, symbi_doc *d)
{
    const symbi_doc **slot, *before;
    int st;
    /* Fetching an interned registry name allocates nothing, so d cannot be lost before the protected call. */
    lua_getfield(L, LUA_REGISTRYINDEX, PUSHDOC_KEY);
    if (lua_isnil(L, -1)) { /* symbi.io without symbi.core */
        symL_valuetypes(L);
        lua_pop(L, 1);
        lua_getfield(L, LUA_REGISTRYINDEX, PUSHDOC_KEY);
    }
    slot = symL_slot(L);
    before = *slot;
    *slot = d;
    st = lua_pcall(L, 0, 1, 0);
    *slot = before;
    symbi_doc_unref(d);
    if (st) lua_error(L);
}

void symL_valuetypes(lua_State *L)
{
    push_array_mt(L);
    lua_pop(L, 1);
    lua_pushcfunction(L, push_doc);
    lua_setfield(L, LUA_REGISTRYINDEX, PUSHDOC_KEY);
}
