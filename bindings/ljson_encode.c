/* bindings/ljson_encode.c: encode and canonical of symbi.json: text straight from Lua data into a buffer that is used again.
 * Both sort the names of objects: what pairs() gives differs between VMs and runs. */
#include "ljson.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define OUT_TYPE "symbi.jsonout"
enum { FIRST_ENTRIES = 64 };

typedef struct entry {
    uint64_t prefix; /* first eight bytes, big end first */
    symbi_str key;
    int at;          /* stack slot of the value, or its number in a side table */
} entry;

typedef struct out_ud {
    symbi_json_out out;
    symbi_text entries; /* memory for entry[], a stack shared by all levels */
    bool ready, busy;
} out_ud;

typedef struct encoder {
    lua_State *L;
    out_ud *u;
    symbi_json_out *o;
    size_t used; /* entries in use */
    size_t depth, max_depth;
    unsigned flags;
    int array_mt;
    symbi_err *err;
} encoder;

static int out_gc(lua_State *L)
{
    out_ud *u = lua_touserdata(L, 1);
    if (u->ready) symbi_json_out_free(&u->out);
    symbi_text_free(&u->entries);
    return 0;
}

static void entries_first(symbi_text *t)
{
    t->p = t->alloc.fn(t->alloc.ud, NULL, 0, FIRST_ENTRIES * sizeof(entry));
    t->cap = t->p ? FIRST_ENTRIES * sizeof(entry) : 0;
}

/* Gives large buffers back. */
static void out_trim(out_ud *u)
{
    if (u->out.cap > LJSON_KEEP || u->out.status) {
        symbi_json_out_free(&u->out);
        symbi_json_out_room(&u->out, 1);
    }
    if (u->entries.cap > LJSON_KEEP) {
        symbi_text_free(&u->entries);
        entries_first(&u->entries);
    }
}

static out_ud *out_push(lua_State *L)
{
    out_ud *u = symL_newud(L, sizeof *u, OUT_TYPE);
    symbi_json_out_init(symL_ctx(L), &u->out);
    u->entries.alloc = u->out.alloc;
    u->ready = true;
    /* memory from the first instant, as the tape: the number of live blocks between calls stays the same */
    symbi_json_out_room(&u->out, 1);
    entries_first(&u->entries);
    return u;
}

static bool fail(encoder *e, symbi_status st, const char *msg)
{
    symbi_err_clear(e->err);
    e->err->code = st;
    snprintf(e->err->msg, sizeof e->err->msg, "%s", msg);
    return false;
}

/* Puts "/key" in front of the path of an error on its way up. */
static bool within(encoder *e, symbi_str key)
{
    char path[sizeof e->err->path], seg[64];
    size_t n = 0;
    seg[n++] = '/';
    for (size_t i = 0; i < key.n && n < sizeof seg - 2; i++) {
        char c = key.p[i];
        if (c == '~' || c == '/') {
            seg[n++] = '~';
            seg[n++] = c == '~' ? '0' : '1';
        } else {
            seg[n++] = c >= 0x20 && c < 0x7f ? c : '?';
        }
    }
    if (n + strlen(e->err->path) >= sizeof path) return false; /* deep: the end of the path is the better half */
    memcpy(path, seg, n);
    strcpy(path + n, e->err->path);
    strcpy(e->err->path, path);
    return false;
}

static bool within_index(encoder *e, size_t i)
{
    char buf[24];
    symbi_str s = { buf, 0 };
    s.n = (size_t)snprintf(buf, sizeof buf, "%zu", i);
    return within(e, s);
}

static inline void put(encoder *e, char c)
{
    symbi_json_out *o = e->o;
    if (o->n < o->cap && !o->status) o->p[o->n++] = c;
    else symbi_json_out_raw(o, (symbi_str){ &c, 1 });
}

static void put_raw(encoder *e, const char *p, size_t n) { symbi_json_out_raw(e->o, (symbi_str){ p, n }); }

static void line_break(encoder *e)
{
    char *d;
    if (!(e->flags & SYMBI_JSON_PRETTY)) return;
    d = symbi_json_out_room(e->o, 1 + 2 * e->depth);
    if (!d) return;
    *d = '\n';
    memset(d + 1, ' ', 2 * e->depth);
    e->o->n += 1 + 2 * e->depth;
}

static entry *more_entries(encoder *e, size_t need)
{
    symbi_text *t = &e->u->entries;
    size_t cap = t->cap ? t->cap : FIRST_ENTRIES * sizeof(entry);
    char *p;
    if (need > (SIZE_MAX / 4) / sizeof(entry)) return NULL;
    while (cap < need * sizeof(entry)) cap *= 2;
    if (cap != t->cap) {
        p = t->alloc.fn(t->alloc.ud, t->p, t->cap, cap);
        if (!p) return NULL;
        t->p = p;
        t->cap = cap;
    }
    return (entry *)(void *)t->p;
}

static inline int entry_cmp(const entry *a, const entry *b)
{
    if (((a->prefix | b->prefix) & 0x8080808080808080u) == 0) { /* ASCII so far: bytes and UTF-16 units sort alike */
        if (a->prefix != b->prefix) return a->prefix < b->prefix ? -1 : 1;
        if (a->key.n <= 8 || b->key.n <= 8) return (a->key.n > b->key.n) - (a->key.n < b->key.n);
    }
    return symbi_json_key_cmp(a->key, b->key);
}

/* Runs of 16 by insertion, then merged between a and tmp (needed from 17 entries on). */
static void sort_entries(entry *a, entry *tmp, size_t n)
{
    entry *src = a, *dst = tmp;
    for (size_t lo = 0; lo < n; lo += 16) {
        size_t hi = n - lo < 16 ? n : lo + 16;
        for (size_t i = lo + 1; i < hi; i++) {
            size_t j = i;
            entry x;
            if (entry_cmp(&a[i - 1], &a[i]) < 0) continue;
            x = a[i];
            for (; j > lo && entry_cmp(&a[j - 1], &x) > 0; j--) a[j] = a[j - 1];
            a[j] = x;
        }
    }
    for (size_t w = 16; w < n; w *= 2) {
        entry *t = src;
        for (size_t lo = 0; lo < n; lo += 2 * w) {
            size_t mid = n - lo < w ? n : lo + w, hi = n - lo < 2 * w ? n : lo + 2 * w, i = lo, j = mid, o = lo;
            while (i < mid && j < hi) dst[o++] = entry_cmp(&src[i], &src[j]) <= 0 ? src[i++] : src[j++];
            while (i < mid) dst[o++] = src[i++];
            while (j < hi) dst[o++] = src[j++];
        }
        src = dst;
        dst = t;
    }
    if (src != a) memcpy(a, src, n * sizeof *a);
}

static inline bool set_entry(encoder *e, entry *x, int at)
{
    char first[8] = { 0 };
    lua_State *L = e->L;
    x->key.p = lua_tolstring(L, -2, &x->key.n);
    memcpy(first, x->key.p, x->key.n < 8 ? x->key.n : 8);
    x->prefix = 0;
    for (int i = 0; i < 8; i++) x->prefix = x->prefix << 8 | (unsigned char)first[i];
    x->at = at;
    return true;
}

static bool encode_value(encoder *e, int idx);

static bool bad_key(encoder *e, int idx)
{
    lua_State *L = e->L;
    char msg[120];
    int64_t i = 0;
    if (lua_type(L, idx) != LUA_TNUMBER) snprintf(msg, sizeof msg, "a table key is a %s: JSON has names and list positions only", luaL_typename(L, idx));
    else if (symL_isinteger(L, idx, &i)) snprintf(msg, sizeof msg, "a table with names also has the position %lld: it is neither list nor object", (long long)i);
    else snprintf(msg, sizeof msg, "a table key is a number that is no list position");
    return fail(e, SYMBI_ESCHEMA, msg);
}

static bool write_member(encoder *e, const entry *x, bool first, int idx)
{
    if (!first) put(e, ',');
    line_break(e);
    symbi_json_out_string(e->o, x->key);
    if (e->o->status == SYMBI_ESCHEMA) return fail(e, SYMBI_ESCHEMA, "a key is not valid UTF-8");
    put(e, ':');
    if (e->flags & SYMBI_JSON_PRETTY) put(e, ' ');
    return encode_value(e, idx);
}

/* Many members: keys and values go to a table of ours, which keeps them alive whatever happens to the original. */
static bool encode_large_object(encoder *e, int idx)
{
    lua_State *L = e->L;
    size_t n = 0, start = e->used, i = 0;
    int side;
    entry *list;
    bool ok = true;
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        lua_pop(L, 1);
        n++;
    }
    if (n > (size_t)LJSON_MAX_TABLE / 2) return fail(e, SYMBI_ELIMIT, "too many members in one object");
    lua_createtable(L, (int)(2 * n), 0);
    side = lua_gettop(L);
    if (!more_entries(e, start + 2 * n)) return fail(e, SYMBI_ENOMEM, "out of memory");
    lua_pushnil(L);
    while (lua_next(L, idx)) { /* key, value */
        if (lua_type(L, -2) != LUA_TSTRING) return bad_key(e, -2);
        if (i == n) return fail(e, SYMBI_ESTATE, "the table changed while it was written");
        list = (entry *)(void *)e->u->entries.p + start;
        set_entry(e, &list[i], (int)(2 * i + 2));
        lua_rawseti(L, side, (int)(2 * i + 2));
        lua_pushvalue(L, -1);
        lua_rawseti(L, side, (int)(2 * i + 1));
        i++;
    }
    n = i;
    list = (entry *)(void *)e->u->entries.p + start;
    sort_entries(list, list + n, n);
    e->used = start + n;
    e->depth++;
    for (i = 0; i < n && ok; i++) {
        entry x = ((entry *)(void *)e->u->entries.p)[start + i]; /* deeper levels may move the memory */
        lua_rawgeti(L, side, x.at);
        ok = write_member(e, &x, i == 0, lua_gettop(L)) || within(e, x.key);
        lua_pop(L, 1);
    }
    e->depth--;
    e->used = start;
    return ok;
}

/* The first key and value are on the stack. Members stay on the stack while they are few. */
static bool encode_object(encoder *e, int idx)
{
    enum { FEW = 128 };
    lua_State *L = e->L;
    int base = lua_gettop(L) - 2;
    size_t n = 0, start = e->used;
    entry *list;
    bool ok = true;
    put(e, '{');
    do {
        if (lua_type(L, -2) != LUA_TSTRING) return bad_key(e, -2);
        if (n == FEW || !lua_checkstack(L, 8)) {
            lua_settop(L, base);
            ok = encode_large_object(e, idx);
            goto end;
        }
        list = more_entries(e, start + n + 1);
        if (!list) return fail(e, SYMBI_ENOMEM, "out of memory");
        set_entry(e, &list[start + n], lua_gettop(L));
        n++;
        lua_pushvalue(L, -2);
    } while (lua_next(L, idx));
    if (n > 1) {
        list = more_entries(e, start + 2 * n);
        if (!list) return fail(e, SYMBI_ENOMEM, "out of memory");
        sort_entries(list + start, list + start + n, n);
    }
    e->used = start + n;
    e->depth++;
    for (size_t i = 0; i < n && ok; i++) {
        entry x = ((entry *)(void *)e->u->entries.p)[start + i];
        ok = write_member(e, &x, i == 0, x.at) || within(e, x.key);
    }
    e->depth--;
    e->used = start;
end:
    lua_settop(L, base);
    if (!ok) return false;
    line_break(e);
    put(e, '}');
    return true;
}

/* Keys did not come as 1, 2, 3: an array whose order in memory differs, or no array. */
static bool encode_array_by_index(encoder *e, int idx)
{
    lua_State *L = e->L;
    char msg[120];
    int64_t i = 0, n = 0, max = 0;
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        symbi_str s = symL_tostr(L, -2);
        lua_pop(L, 1);
        if (s.p) {
            snprintf(msg, sizeof msg, "a list also has the name '%.60s': it is neither list nor object", s.p);
            return fail(e, SYMBI_ESCHEMA, msg);
        }
        if (!symL_isinteger(L, -1, &i) || i < 1) {
            snprintf(msg, sizeof msg, "a table key is a %s that is no list position", luaL_typename(L, -1));
            return fail(e, SYMBI_ESCHEMA, msg);
        }
        if (i > max) max = i;
        n++;
    }
    if (max == n && n <= INT32_MAX) {
        for (i = 1; i <= n; i++) {
            bool ok;
            if (i > 1) put(e, ',');
            line_break(e);
            lua_rawgeti(L, idx, (int)i);
            ok = encode_value(e, lua_gettop(L));
            lua_pop(L, 1);
            if (!ok) return within_index(e, (size_t)i - 1);
        }
        return true;
    }
    for (i = 1; i < max && i < INT32_MAX; i++) {
        bool hole;
        lua_rawgeti(L, idx, (int)i);
        hole = lua_isnil(L, -1);
        lua_pop(L, 1);
        if (hole) break;
    }
    snprintf(msg, sizeof msg, "the list has no item %lld, but an item %lld; use symbi.null, or symbi.array(t, n)", (long long)i, (long long)max);
    return fail(e, SYMBI_ESCHEMA, msg);
}

/* The first key and value are on the stack. */
static bool encode_array(encoder *e, int idx)
{
    lua_State *L = e->L;
    int base = lua_gettop(L) - 2;
    size_t start = e->o->n, i = 0;
    bool ok = true;
    put(e, '[');
    e->depth++;
    do {
        if (lua_type(L, -2) != LUA_TNUMBER || lua_tonumber(L, -2) != (lua_Number)(i + 1)) {
            lua_settop(L, base);
            if (!e->o->status) e->o->n = start + 1;
            ok = encode_array_by_index(e, idx);
            break;
        }
        if (i) put(e, ',');
        line_break(e);
        if (!encode_value(e, base + 2)) {
            ok = within_index(e, i);
            break;
        }
        lua_settop(L, base + 1);
        i++;
    } while (lua_next(L, idx));
    e->depth--;
    lua_settop(L, base);
    if (!ok) return false;
    line_break(e);
    put(e, ']');
    return true;
}

static bool encode_table(encoder *e, int idx)
{
    lua_State *L = e->L;
    char msg[80];
    bool array = false;
    if (e->depth >= e->max_depth || !lua_checkstack(L, 10)) {
        snprintf(msg, sizeof msg, "nested deeper than %zu levels (does it contain itself?)", e->max_depth);
        return fail(e, SYMBI_ELIMIT, msg);
    }
    if (lua_getmetatable(L, idx)) {
        array = lua_rawequal(L, -1, e->array_mt);
        lua_pop(L, 1);
        if (!array) array = symL_isarray(L, idx); /* lua-cjson's marks */
    }
    lua_pushnil(L);
    if (!lua_next(L, idx)) {
        put_raw(e, array ? "[]" : "{}", 2);
        return true;
    }
    if (array || lua_type(L, -2) == LUA_TNUMBER) return encode_array(e, idx);
    return encode_object(e, idx);
}

static bool encode_number(encoder *e, int idx)
{
    double d = (double)lua_tonumber(e->L, idx);
    int64_t i;
    if (d > -(double)LJSON_EXACT && d < (double)LJSON_EXACT && (double)(int64_t)d == d) {
        symbi_json_out_int(e->o, (int64_t)d); /* the same text on every VM, whether its number is integer or float */
    } else if (symL_isinteger(e->L, idx, &i)) {
        symbi_json_out_int(e->o, i);
    } else {
        if (!isfinite(d)) return fail(e, SYMBI_ESCHEMA, isnan(d) ? "a number is NaN: use symbi.null or a string" : "a number is infinite: use symbi.null or a string");
        symbi_json_out_double(e->o, d, e->flags);
    }
    return true;
}

static bool encode_other(encoder *e, int idx)
{
    lua_State *L = e->L;
    char msg[80];
    if (lua_type(L, idx) == LUA_TLIGHTUSERDATA) {
        symbi_value v;
        if (!lua_touserdata(L, idx)) {
            put_raw(e, "null", 4);
            return true;
        }
        luaL_checkstack(L, 12, "value");
        if (!symL_tovalue(L, idx, &v, e->err)) { /* lua-cjson's empty_array */
            lua_pop(L, 1);
            put_raw(e, v.kind == SYMBI_ARRAY ? "[]" : "null", v.kind == SYMBI_ARRAY ? 2 : 4);
            return true;
        }
    }
    snprintf(msg, sizeof msg, "a %s cannot be written as JSON", luaL_typename(L, idx));
    return fail(e, SYMBI_ESCHEMA, msg);
}

/* idx is absolute. */
static bool encode_value(encoder *e, int idx)
{
    lua_State *L = e->L;
    symbi_str s;
    switch (lua_type(L, idx)) {
    case LUA_TSTRING:
        s.p = lua_tolstring(L, idx, &s.n);
        symbi_json_out_string(e->o, s);
        if (e->o->status == SYMBI_ESCHEMA) return fail(e, SYMBI_ESCHEMA, "a string is not valid UTF-8: encode binary data as base64");
        return true;
    case LUA_TNUMBER: return encode_number(e, idx);
    case LUA_TBOOLEAN:
        if (lua_toboolean(L, idx)) put_raw(e, "true", 4);
        else put_raw(e, "false", 5);
        return true;
    case LUA_TTABLE:
        if (e->o->status) return true; /* nothing more fits; said at the end */
        return encode_table(e, idx);
    case LUA_TNIL: put_raw(e, "null", 4); return true;
    default: return encode_other(e, idx);
    }
}

static int encode(lua_State *L, unsigned flags)
{
    out_ud *u = lua_touserdata(L, lua_upvalueindex(1));
    const symbi_limits *lim = symbi_ctx_limits(symL_ctx(L));
    symbi_err err;
    encoder e;
    bool ok;
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    if (u->busy) {
        u = out_push(L);
        lua_pushvalue(L, -1);
        lua_replace(L, lua_upvalueindex(1));
    } else {
        lua_pushvalue(L, lua_upvalueindex(1));
    }
    lua_getfield(L, LUA_REGISTRYINDEX, "symbi.array");
    u->busy = true;
    u->out.n = 0;
    u->out.status = SYMBI_OK;
    u->out.max = lim->output_bytes;
    e.L = L;
    e.u = u;
    e.o = &u->out;
    e.used = e.depth = 0;
    e.max_depth = lim->doc_depth < SYMBI_JSON_MAX_DEPTH ? lim->doc_depth : SYMBI_JSON_MAX_DEPTH;
    e.flags = flags;
    e.array_mt = 3;
    e.err = &err;
    ok = encode_value(&e, 1);
    if (u->out.n > u->out.max && !u->out.status) u->out.status = SYMBI_ELIMIT;
    if (ok && u->out.status) ok = fail(&e, u->out.status, u->out.status == SYMBI_ELIMIT ? "the JSON text is larger than the limit output_bytes" : "out of memory");
    lua_settop(L, 3);
    if (ok) lua_pushlstring(L, u->out.n ? u->out.p : "", u->out.n);
    else symL_fail(L, &err);
    out_trim(u);
    u->busy = false;
    return ok ? 1 : 3;
}

/* encode(value [, {pretty =, canonical =}]) -> text, or nil, message, err. */
static int json_encode(lua_State *L)
{
    static const char *const known[] = { "pretty", "canonical", NULL };
    unsigned flags = 0;
    if (!lua_isnoneornil(L, 2)) {
        symL_checkopts(L, 2, known);
        if (symL_optfield_bool(L, 2, "pretty", false)) flags |= SYMBI_JSON_PRETTY;
        if (symL_optfield_bool(L, 2, "canonical", false)) flags |= SYMBI_JSON_CANONICAL;
        if (flags == (SYMBI_JSON_PRETTY | SYMBI_JSON_CANONICAL)) luaL_argerror(L, 2, "canonical JSON has no pretty form");
    }
    return encode(L, flags);
}

/* canonical(value) -> the one text for this value (RFC 8785, 64-bit integers exact): what is hashed or signed. */
static int json_canonical(lua_State *L)
{
    return encode(L, SYMBI_JSON_CANONICAL);
}

void ljson_push_encoders(lua_State *L)
{
    static const luaL_Reg meta[] = { { "__gc", out_gc }, { NULL, NULL } };
    symL_newtype(L, OUT_TYPE, NULL, meta);
    out_push(L);
    lua_pushcclosure(L, json_encode, 1);
    lua_setfield(L, -2, "encode");
    out_push(L);
    lua_pushcclosure(L, json_canonical, 1);
    lua_setfield(L, -2, "canonical");
}
