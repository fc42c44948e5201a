/* bindings/lgate_in.c: an action and its facts, from Lua tables. Tables are read raw and in one pass: a check is asked for every call of a
 * tool, and looking up each name that might be there costs more than the decision. Small plain values become trees in the caller's scratch;
 * anything else (large, deep, with a metatable, or wrong) goes through symL_tovalue, which knows every case and names the place. */
#include "lgate.h"
#include "ud.h"

#include <math.h>
#include <string.h>

enum { SMALL_DEPTH = 4 };

/* ---- small trees ---- */

static void *take(l_gate_in *in, size_t count, size_t size)
{
    size_t n = (count * size + 15) & ~(size_t)15; /* count is the length of a table that was walked: no overflow */
    void *p;
    if (n > sizeof in->pool.bytes - in->used) return NULL;
    p = in->pool.bytes + in->used;
    in->used += n;
    return p;
}

static int by_bytes(symbi_str a, symbi_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int r = n ? memcmp(a.p, b.p, n) : 0;
    return r ? r : (a.n > b.n) - (a.n < b.n);
}

/* Puts a member in its place among n sorted ones; what lua_next gives is in no order that a reader could rely on. */
static symbi_member *insert(symbi_member *m, size_t n, symbi_str key)
{
    while (n && by_bytes(m[n - 1].key, key) > 0) {
        m[n] = m[n - 1];
        n--;
    }
    m[n].key = key;
    return &m[n];
}

static bool small(lua_State *L, int idx, l_gate_in *in, int depth, symbi_value *out);

static bool small_table(lua_State *L, int idx, l_gate_in *in, int depth, symbi_value *out)
{
    size_t strings = 0, others = 0, n = 0;
    if (depth >= SMALL_DEPTH || lua_getmetatable(L, idx)) return false;
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING) strings++;
        else others++;
    }
    if (others) { /* a list: 1 to n and nothing else, which holds when n items stand there without a gap */
        symbi_value *v = strings ? NULL : take(in, others, sizeof *v);
        if (!v) return false;
        for (; n < others; n++) {
            lua_rawgeti(L, idx, (int)n + 1);
            if (lua_isnil(L, -1) || !small(L, lua_gettop(L), in, depth + 1, &v[n])) return false;
            lua_pop(L, 1);
        }
        out->kind = SYMBI_ARRAY;
        out->u.a.items = v;
        out->u.a.n = n;
        return true;
    }
    out->kind = SYMBI_OBJECT;
    out->u.o.members = NULL;
    if (strings) {
        symbi_member *m = take(in, strings, sizeof *m);
        if (!m) return false;
        lua_pushnil(L);
        while (lua_next(L, idx)) {
            symbi_value v;
            if (n >= strings || !small(L, lua_gettop(L), in, depth + 1, &v)) return false;
            insert(m, n++, symL_tostr(L, -2))->val = v;
            lua_pop(L, 1);
        }
        out->u.o.members = m;
    }
    out->u.o.n = n;
    return true;
}

/* The value at idx as a tree in the scratch; false, with the stack in any state, where symL_tovalue must look. Nothing here allocates, so
 * no finaliser can run and change what is being read. */
static bool small(lua_State *L, int idx, l_gate_in *in, int depth, symbi_value *out)
{
    memset(out, 0, sizeof *out);
    switch (lua_type(L, idx)) {
    case LUA_TBOOLEAN:
        out->kind = SYMBI_BOOL;
        out->u.b = lua_toboolean(L, idx);
        return true;
    case LUA_TSTRING:
        out->kind = SYMBI_STRING;
        out->u.s = symL_tostr(L, idx);
        return true;
    case LUA_TNUMBER:
        if (symL_isinteger(L, idx, &out->u.i)) {
            out->kind = SYMBI_INT;
            return true;
        }
        out->kind = SYMBI_DOUBLE;
        out->u.d = (double)lua_tonumber(L, idx);
        return isfinite(out->u.d);
    case LUA_TLIGHTUSERDATA: return lua_touserdata(L, idx) == NULL;
    case LUA_TTABLE: return small_table(L, idx, in, depth, out);
    default: return false;
    }
}

/* The value on the top, found under `name`, as a tree. What must stay on the stack for it is moved below the loop's two places. */
static void read_tree(lua_State *L, l_gate_in *in, const char *what, const char *name, symbi_value *out)
{
    int top = lua_gettop(L);
    size_t used = in->used;
    symbi_err err;
    if (small(L, top, in, 0, out)) {
        lua_settop(L, top);
        return;
    }
    in->used = used;
    lua_settop(L, top);
    if (symL_tovalue(L, top, out, &err)) luaL_error(L, "%s.%s%s: %s", what, name, err.path, err.msg);
    lua_insert(L, top - 1); /* below key and value */
}

/* ---- the two tables ---- */

static bool is(symbi_str k, const char *name, size_t n) { return k.n == n && memcmp(k.p, name, n) == 0; }
#define IS(k, name) is(k, name, sizeof(name) - 1)

/* The value on the top stays where nobody takes it away: below the loop's key and value. */
static void keep(lua_State *L)
{
    lua_pushvalue(L, -1);
    lua_insert(L, -3);
}

static symbi_str text(lua_State *L, const char *name)
{
    symbi_str s = symL_tostr(L, -1);
    if (!s.p) luaL_error(L, "action.%s must be a string, got %s", name, luaL_typename(L, -1));
    keep(L);
    return s;
}

symbi_agentpin_result *l_gate_identity(lua_State *L, int idx)
{
    ud_agentpin *u = symL_testud(L, idx, UD_AGENTPIN);
    if (!u) luaL_error(L, "identity must be the result of a verification (symbi.agentpin), got %s", luaL_typename(L, idx));
    if (!u->p) luaL_error(L, "identity: the result is closed");
    return u->p;
}

void l_gate_action(lua_State *L, int idx, l_gate_in *in)
{
    static const char *const known[] = { "kind", "agent", "name", "arguments", "arguments_json", "content", "call_id", "identity", NULL };
    symbi_action *a = &in->a;
    luaL_checktype(L, idx, LUA_TTABLE);
    idx = symL_absindex(L, idx);
    luaL_checkstack(L, 24, "action");
    in->used = 0;
    in->identity = NULL;
    memset(a, 0, sizeof *a);
    a->kind = SYMBI_ACTION_TOOL_CALL;
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        symbi_str k = symL_tostr(L, -2);
        if (!k.p) symL_checkopts(L, idx, known); /* raises */
        else if (IS(k, "agent")) a->agent = text(L, "agent");
        else if (IS(k, "name")) a->name = text(L, "name");
        else if (IS(k, "kind")) a->kind = symbi_action_kind_of(text(L, "kind"));
        else if (IS(k, "arguments")) read_tree(L, in, "action", "arguments", &in->args), a->args = &in->args;
        else if (IS(k, "arguments_json")) a->args_text = text(L, "arguments_json");
        else if (IS(k, "content")) a->content = text(L, "content");
        else if (IS(k, "call_id")) a->call_id = text(L, "call_id");
        else if (IS(k, "identity")) a->identity = l_gate_identity(L, -1), in->identity = lua_touserdata(L, -1), keep(L);
        else symL_checkopts(L, idx, known);
        lua_pop(L, 1);
    }
    if (a->args && a->args_text.p) luaL_error(L, "action: give arguments or arguments_json, not both");
    if (!a->args && !a->args_text.p) { /* none given: an empty object */
        memset(&in->args, 0, sizeof in->args);
        in->args.kind = SYMBI_OBJECT;
        a->args = &in->args;
    }
}

void l_gate_facts(lua_State *L, int idx, l_gate_in *in)
{
    static const char *const known[] = { "context", "agent", "loop_id", "iteration", "tool_calls", "denied", "depth", "tokens_left", "time_left_ms", "now", NULL };
    symbi_facts *f = &in->f;
    memset(f, 0, sizeof *f);
    f->tokens_left = f->time_left_ms = -1;
    if (lua_isnoneornil(L, idx)) return;
    luaL_checktype(L, idx, LUA_TTABLE);
    idx = symL_absindex(L, idx);
    luaL_checkstack(L, 24, "facts");
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        symbi_str k = symL_tostr(L, -2);
        if (!k.p) symL_checkopts(L, idx, known); /* raises */
        else if (IS(k, "context")) read_tree(L, in, "facts", "context", &in->context), f->context = &in->context;
        else if (IS(k, "agent")) read_tree(L, in, "facts", "agent", &in->attrs), f->agent_attrs = &in->attrs;
        else if (IS(k, "loop_id")) {
            f->loop_id = symL_tostr(L, -1);
            if (!f->loop_id.p) luaL_error(L, "facts.loop_id must be a string, got %s", luaL_typename(L, -1));
            keep(L);
        }
        else if (IS(k, "iteration")) f->iteration = (uint64_t)symL_optfield_int(L, idx, "iteration", 0, 0, INT64_MAX);
        else if (IS(k, "tool_calls")) f->tool_calls = (uint64_t)symL_optfield_int(L, idx, "tool_calls", 0, 0, INT64_MAX);
        else if (IS(k, "denied")) f->denied = (uint64_t)symL_optfield_int(L, idx, "denied", 0, 0, INT64_MAX);
        else if (IS(k, "depth")) f->depth = (uint32_t)symL_optfield_int(L, idx, "depth", 0, 0, UINT32_MAX);
        else if (IS(k, "tokens_left")) f->tokens_left = symL_optfield_int(L, idx, "tokens_left", -1, -1, INT64_MAX);
        else if (IS(k, "time_left_ms")) f->time_left_ms = symL_optfield_int(L, idx, "time_left_ms", -1, -1, INT64_MAX);
        else if (IS(k, "now")) f->now_ms = symL_optfield_int(L, idx, "now", 0, 0, INT64_MAX);
        else symL_checkopts(L, idx, known);
        lua_pop(L, 1);
    }
}

void l_gate_in_ready(lua_State *L, l_gate_in *in)
{
    if (!in->identity) return;
    in->a.identity = ((const ud_agentpin *)in->identity)->p;
    if (!in->a.identity) luaL_error(L, "identity: the result is closed");
}
