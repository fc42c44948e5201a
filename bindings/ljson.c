/* bindings/ljson.c: symbi.json and its decode: Lua tables straight from the tape, whose counts let every table be made at
 * its final size. encode and canonical are in ljson_encode.c. The memory of both directions is kept in a userdata behind
 * the functions and used again. */
#include "ljson.h"

#include <stdio.h>
#include <string.h>

#define TAPE_TYPE "symbi.jsontape"
enum {
    CACHE = 64,         /* keys remembered while decoding: lists of records repeat theirs */
    CACHE_FROM = 48     /* strings in a document from which that pays */
};

/* A finaliser may run Lua code, and so this module again, in the middle of a call: busy tells it to take another one. A
 * call that ends in an error of Lua (out of memory) leaves it busy, which costs the next call a new one. */
typedef struct tape_ud {
    symbi_json_tape *p;
    bool busy;
} tape_ud;

static int tape_gc(lua_State *L)
{
    tape_ud *u = lua_touserdata(L, 1);
    symbi_json_tape_free(u->p);
    u->p = NULL;
    return 0;
}

static tape_ud *tape_push(lua_State *L)
{
    tape_ud *u = symL_newud(L, sizeof *u, TAPE_TYPE);
    symbi_err err;
    if (symbi_json_tape_new(symL_ctx(L), &u->p, &err)) luaL_error(L, "symbi.json: %s", err.msg);
    return u;
}

typedef enum big_mode { BIG_DEFAULT = 0, BIG_ERROR, BIG_STRING, BIG_NUMBER } big_mode;

typedef struct decoder {
    lua_State *L;
    const symbi_json_item *items;
    const char *base[2];
    int array_mt, null, cache; /* stack slots; 0: none */
    big_mode big;
    const symbi_json_item *refused; /* an integer that bigint = "error" does not want */
    int hits, misses;
    struct { const char *p; uint32_t n; } keys[CACHE];
} decoder;

static bool vm_has_int64(void)
{
    return sizeof(lua_Integer) >= 8 && symL_vm()[2] >= '3'; /* "5.3": from here on numbers have an integer subtype */
}

static void push_text_int(lua_State *L, int64_t i)
{
    char buf[24];
    snprintf(buf, sizeof buf, "%lld", (long long)i);
    lua_pushstring(L, buf);
}

static void push_int(decoder *d, const symbi_json_item *k)
{
    lua_State *L = d->L;
    int64_t i = k->u.i;
    if (i >= -LJSON_EXACT && i <= LJSON_EXACT && sizeof(lua_Integer) >= 8) {
        lua_pushinteger(L, (lua_Integer)i);
    } else if ((i >= -LJSON_EXACT && i <= LJSON_EXACT) || vm_has_int64()) {
        symL_pushint(L, i);
    } else if (d->big == BIG_NUMBER) {
        lua_pushnumber(L, (lua_Number)i);
    } else {
        if (d->big == BIG_ERROR && !d->refused) d->refused = k;
        push_text_int(L, i);
    }
}

static void push_string(decoder *d, const symbi_json_item *k)
{
    lua_pushlstring(d->L, d->base[k->escaped] + k->u.s.off, k->u.s.len);
}

/* An integer beyond 64 bits; only seen when bigint was given, as the default is an error of the parser. */
static void push_big(decoder *d, const symbi_json_item *k)
{
    if (d->big == BIG_NUMBER) {
        double x = 0;
        symbi_str s = { d->base[0] + k->u.s.off, k->u.s.len };
        if (symbi_json_number(s, &x)) {
            lua_pushnumber(d->L, (lua_Number)x);
            return;
        }
    }
    if (d->big != BIG_STRING && !d->refused) d->refused = k;
    push_string(d, k);
}

static void push_key(decoder *d, const symbi_json_item *k)
{
    lua_State *L = d->L;
    unsigned slot = k->hash & (CACHE - 1);
    const char *p = d->base[k->escaped] + k->u.s.off;
    uint32_t n = k->u.s.len;
    if (!d->cache) {
        lua_pushlstring(L, p, n);
        return;
    }
    if (d->keys[slot].p && d->keys[slot].n == n && memcmp(d->keys[slot].p, p, n) == 0) {
        d->hits++;
        lua_pushvalue(L, d->cache + (int)slot);
        return;
    }
    lua_pushlstring(L, p, n);
    d->keys[slot].p = p;
    d->keys[slot].n = n;
    lua_pushvalue(L, -1);
    lua_replace(L, d->cache + (int)slot);
    if (++d->misses > 4 * CACHE && d->misses > d->hits) d->cache = 0; /* every key is new: not worth it */
}

static int size_hint(uint32_t n) { return n < LJSON_MAX_TABLE ? (int)n : LJSON_MAX_TABLE; }

static const symbi_json_item *push_container(decoder *d, const symbi_json_item *k);

/* Pushes the value at k, returns the item after it. */
static inline const symbi_json_item *push_item(decoder *d, const symbi_json_item *k)
{
    switch ((symbi_json_event)k->kind) {
    case SYMBI_JSON_STRING: push_string(d, k); return k + 1;
    case SYMBI_JSON_INT: push_int(d, k); return k + 1;
    case SYMBI_JSON_DOUBLE: lua_pushnumber(d->L, (lua_Number)k->u.d); return k + 1;
    case SYMBI_JSON_BOOL: lua_pushboolean(d->L, k->u.b); return k + 1;
    case SYMBI_JSON_ARRAY:
    case SYMBI_JSON_OBJECT: return push_container(d, k);
    case SYMBI_JSON_BIGINT_TEXT: push_big(d, k); return k + 1;
    default: break;
    }
    if (d->null) lua_pushvalue(d->L, d->null);
    else symL_pushnull(d->L);
    return k + 1;
}

/* Recursion is bounded by the reader's depth limit. */
static const symbi_json_item *push_container(decoder *d, const symbi_json_item *k)
{
    lua_State *L = d->L;
    uint32_t n = k->u.c.n;
    luaL_checkstack(L, 6, "JSON document");
    if (k->kind == SYMBI_JSON_ARRAY) {
        lua_createtable(L, size_hint(n), 0);
        k++;
        for (uint32_t i = 1; i <= n; i++) {
            k = push_item(d, k);
            lua_rawseti(L, -2, (int)i);
        }
        lua_pushvalue(L, d->array_mt);
        lua_setmetatable(L, -2);
    } else {
        lua_createtable(L, 0, size_hint(n));
        k++;
        for (uint32_t i = 0; i < n; i++) {
            push_key(d, k);
            k = push_item(d, k + 1);
            lua_rawset(L, -3);
        }
    }
    return k;
}

static big_mode opt_bigint(lua_State *L, int arg)
{
    static const char *const names[] = { "error", "string", "number" };
    symbi_str none = { NULL, 0 }, s = symL_optfield_str(L, arg, "bigint", none);
    if (!s.p) return BIG_DEFAULT;
    for (int i = 0; i < 3; i++)
        if (strlen(names[i]) == s.n && memcmp(names[i], s.p, s.n) == 0) return (big_mode)(BIG_ERROR + i);
    luaL_argerror(L, arg, "bigint is \"error\", \"string\" or \"number\"");
    return BIG_DEFAULT;
}

static int refuse_big(lua_State *L, const decoder *d)
{
    symbi_err err;
    symbi_err_clear(&err);
    err.code = SYMBI_EPARSE;
    err.line = d->refused->line;
    if (d->refused->kind == SYMBI_JSON_INT)
        snprintf(err.msg, sizeof err.msg, "the integer %lld is not exact in this Lua's numbers (bigint = \"string\" keeps its digits)", (long long)d->refused->u.i);
    else
        snprintf(err.msg, sizeof err.msg, "the integer %.*s is beyond 64 bits (bigint = \"string\" keeps its digits)",
                 d->refused->u.s.len < 60 ? (int)d->refused->u.s.len : 60, d->base[0] + d->refused->u.s.off);
    return symL_fail(L, &err);
}

/* decode(text [, {bigint = "error" | "string" | "number", null = value}]) -> value, or nil, message, err. bigint: what becomes
 * of an integer that is not exact in this Lua; without it, 64-bit ones become decimal strings where needed and larger ones are
 * errors. null: stands for null in place of symbi.null. */
static int json_decode(lua_State *L)
{
    static const char *const known[] = { "bigint", "null", NULL };
    symbi_str text = symL_checkstr(L, 1);
    tape_ud *u = lua_touserdata(L, lua_upvalueindex(1));
    symbi_json_view v;
    symbi_status st;
    symbi_err err;
    decoder d;
    d.L = L;
    d.big = BIG_DEFAULT;
    d.null = d.cache = 0;
    d.refused = NULL;
    lua_settop(L, 2);
    if (!lua_isnil(L, 2)) {
        symL_checkopts(L, 2, known);
        d.big = opt_bigint(L, 2);
        lua_pushstring(L, "null");
        lua_rawget(L, 2);
        lua_replace(L, 2); /* the value of null takes the place of the options */
        if (!lua_isnil(L, 2)) d.null = 2;
    }
    if (u->busy) {
        u = tape_push(L);
        lua_pushvalue(L, -1);
        lua_replace(L, lua_upvalueindex(1));
    } else {
        lua_pushvalue(L, lua_upvalueindex(1));
    }
    lua_getfield(L, LUA_REGISTRYINDEX, "symbi.array");
    d.array_mt = 4;
    st = symbi_json_tape_read(u->p, text, d.big ? SYMBI_JSON_BIGINT : 0, &v, &err);
    if (st) {
        symbi_json_tape_trim(u->p, LJSON_KEEP);
        return symL_fail(L, &err);
    }
    u->busy = true;
    d.items = v.items;
    d.base[0] = v.base[0];
    d.base[1] = v.base[1];
    if (v.strings >= CACHE_FROM) {
        luaL_checkstack(L, CACHE + 8, "JSON document");
        memset(d.keys, 0, sizeof d.keys);
        d.hits = d.misses = 0;
        d.cache = 5;
        lua_settop(L, 4 + CACHE);
    }
    push_item(&d, d.items);
    u->busy = false;
    if (d.refused) {
        st = SYMBI_EPARSE;
        refuse_big(L, &d);
    }
    symbi_json_tape_trim(u->p, LJSON_KEEP);
    return st ? 3 : 1;
}

void l_json_open(lua_State *L);
void l_json_open(lua_State *L)
{
    static const luaL_Reg tape_meta[] = { { "__gc", tape_gc }, { NULL, NULL } };
    symL_newtype(L, TAPE_TYPE, NULL, tape_meta);
    lua_createtable(L, 0, 4);
    tape_push(L);
    lua_pushcclosure(L, json_decode, 1);
    lua_setfield(L, -2, "decode");
    ljson_push_encoders(L);
    symL_pushnull(L);
    lua_setfield(L, -2, "null");
}
