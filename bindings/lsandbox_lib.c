/* bindings/lsandbox_lib.c: what a sandboxed script can call: an allow-list. Nothing is taken away from a full environment: the
 * globals are emptied, then filled with the functions named here. Three kinds: those of the VM as they are, those of the VM behind a
 * function that charges for the bytes they go through, and our own where the VM's would run unbounded, show addresses or leave the
 * sandbox. */
#include "lsandbox.h"

#include <stdio.h>
#include <string.h>

enum { MAX_LIST = 1 << 24, MAX_SORT = 1 << 20 };

/* ---- wrappers --------------------------------------------------------------------------------------------------------- */

/* Calls upvalue 1 with the arguments; each byte of text among them is charged before. */
static int charged(lua_State *L)
{
    int n = lua_gettop(L);
    uint64_t work = 64;
    for (int i = 1; i <= n; i++) {
        size_t len = 0;
        if (lua_type(L, i) == LUA_TSTRING) lua_tolstring(L, i, &len);
        work += len;
    }
    box_charge(L, box_of(L), work);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    box_call(L, n, LUA_MULTRET);
    return lua_gettop(L);
}

/* The list functions of the VM loop over as many places as #t says, in C. #t is asked of the table itself here (no __len), and has a
 * ceiling: a few keys at powers of two are enough to make it astronomic. */
static uint64_t list_length(lua_State *L, int arg)
{
    size_t n;
    luaL_checktype(L, arg, LUA_TTABLE);
    n = symL_rawlen(L, arg);
    if (n > MAX_LIST) luaL_error(L, "the table is too long for this (%d places at most)", (int)MAX_LIST);
    if (lua_getmetatable(L, arg)) {
        lua_pushliteral(L, "__len");
        lua_rawget(L, -2);
        if (!lua_isnil(L, -1)) luaL_argerror(L, arg, "a table with __len is not a list in the sandbox");
        lua_pop(L, 2);
    }
    return n;
}

static int call_through(lua_State *L)
{
    int n = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    box_call(L, n, LUA_MULTRET);
    box_check(L, box_of(L));
    return lua_gettop(L);
}

static int list_simple(lua_State *L) /* insert, remove */
{
    box_charge(L, box_of(L), 64 + 8 * list_length(L, 1));
    return call_through(L);
}

/* from and to: the arguments with the first and the last place, both optional. */
static void charge_range(lua_State *L, int from, int to)
{
    double n = (double)list_length(L, 1), a = luaL_optnumber(L, from, 1), z = luaL_optnumber(L, to, n);
    if (!(z - a < (double)MAX_LIST)) luaL_error(L, "too many places (%d at most)", (int)MAX_LIST);
    box_charge(L, box_of(L), 64 + (z > a ? (uint64_t)(8 * (z - a)) : 0));
}

static int list_concat(lua_State *L)
{
    charge_range(L, 3, 4);
    return call_through(L);
}

static int list_unpack(lua_State *L)
{
    charge_range(L, 2, 3);
    return call_through(L);
}

static int list_move(lua_State *L)
{
    if (!lua_isnoneornil(L, 5)) list_length(L, 5);
    luaL_checknumber(L, 2);
    luaL_checknumber(L, 3);
    charge_range(L, 2, 3);
    return call_through(L);
}

/* Comparing long texts is the work: each takes part in about 2 log n comparisons. */
static int list_sort(lua_State *L)
{
    uint64_t n = list_length(L, 1), work = n, logs = 2;
    if (n > MAX_SORT) luaL_error(L, "the table is too long to be sorted (%d places at most)", (int)MAX_SORT);
    for (uint64_t i = 1; i <= n; i++) {
        size_t len = 0;
        lua_rawgeti(L, 1, (int)i);
        if (lua_type(L, -1) == LUA_TSTRING) lua_tolstring(L, -1, &len);
        work += len;
        lua_pop(L, 1);
    }
    for (uint64_t i = n; i > 1; i /= 2) logs += 2;
    if (work * logs > 1000000000u) luaL_error(L, "the texts are too long to be sorted");
    box_charge(L, box_of(L), work * logs);
    return call_through(L);
}

/* ---- text ------------------------------------------------------------------------------------------------------------- */

void box_tostring(lua_State *L, int idx)
{
    idx = symL_absindex(L, idx);
    luaL_checkstack(L, 4, "too many values");
    switch (lua_type(L, idx)) {
    case LUA_TNUMBER:
    case LUA_TSTRING:
        lua_pushvalue(L, idx);
        lua_tolstring(L, -1, NULL);
        return;
    case LUA_TNIL: lua_pushliteral(L, "nil"); return;
    case LUA_TBOOLEAN: lua_pushstring(L, lua_toboolean(L, idx) ? "true" : "false"); return;
    default: break;
    }
    if (luaL_getmetafield(L, idx, "__tostring")) {
        lua_pushvalue(L, idx);
        box_call(L, 1, 1);
        if (!lua_isstring(L, -1)) luaL_error(L, "'__tostring' must return a string");
        lua_tolstring(L, -1, NULL);
        return;
    }
    lua_pushstring(L, luaL_typename(L, idx)); /* an address would help an attack on the process */
}

static int own_tostring(lua_State *L)
{
    luaL_checkany(L, 1);
    box_tostring(L, 1);
    return 1;
}

static void print_bytes(lua_State *L, box *b, const char *p, size_t n)
{
    box_charge(L, b, n + 16);
    if (n > b->out_limit - b->printed) {
        b->why = BOX_OUTPUT;
        box_end(L, b);
    }
    b->printed += n;
    if (b->write) b->write(b->write_ud, p, n);
    else if (!box_append(b, &b->out, p, n)) luaL_error(L, "not enough memory");
}

static int own_print(lua_State *L)
{
    box *b = box_of(L);
    int n = lua_gettop(L);
    for (int i = 1; i <= n; i++) {
        size_t len;
        const char *s;
        box_tostring(L, i);
        s = lua_tolstring(L, -1, &len);
        if (i > 1) print_bytes(L, b, "\t", 1);
        print_bytes(L, b, s, len);
        lua_pop(L, 1);
    }
    print_bytes(L, b, "\n", 1);
    return 0;
}

static int own_rep(lua_State *L)
{
    size_t n, sn, total, at = 0;
    const char *s = luaL_checklstring(L, 1, &n), *sep = luaL_optlstring(L, 3, "", &sn);
    double count = luaL_checknumber(L, 2);
    box *b = box_of(L);
    char *p;
    if (!(count >= 1) || n + sn == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    if (count * (double)(n + sn) > (double)b->limit) {
        b->why = BOX_MEMORY;
        box_end(L, b);
    }
    total = (size_t)count * (n + sn) - sn;
    box_charge(L, b, total + 32);
    p = lua_newuserdata(L, total ? total : 1);
    while (at < total) {
        memcpy(p + at, s, n);
        at += n;
        if (at < total) memcpy(p + at, sep, sn);
        if (at < total) at += sn;
    }
    lua_pushlstring(L, p, total);
    return 1;
}

/* Upvalue 1: the VM's string.format, which would print addresses for %p and, for %s, of tables and functions. */
static int own_format(lua_State *L)
{
    size_t n;
    const char *f = luaL_checklstring(L, 1, &n), *end = f + n;
    int arg = 1, top = lua_gettop(L);
    while (f < end) {
        if (*f++ != '%') continue;
        if (f < end && *f == '%') {
            f++;
            continue;
        }
        while (f < end && strchr("-+ #0123456789.", *f) && *f) f++;
        arg++;
        if (f >= end || arg > top) break;
        if (*f == 'p') luaL_error(L, "%%p shows addresses: the sandbox has none");
        if (*f == 's' && lua_type(L, arg) != LUA_TSTRING && lua_type(L, arg) != LUA_TNUMBER) {
            box_tostring(L, arg);
            lua_replace(L, arg);
        }
        f++;
    }
    return charged(L);
}

/* ---- basics ----------------------------------------------------------------------------------------------------------- */

static int own_setmetatable(lua_State *L)
{
    int type = lua_type(L, 2);
    luaL_checktype(L, 1, LUA_TTABLE);
    if (type != LUA_TNIL && type != LUA_TTABLE) luaL_argerror(L, 2, "nil or table expected");
    if (luaL_getmetafield(L, 1, "__metatable")) luaL_error(L, "cannot change a protected metatable");
    if (type == LUA_TTABLE) {
        lua_pushliteral(L, "__gc"); /* would run while the collector works, with the hooks off */
        lua_rawget(L, 2);
        if (!lua_isnil(L, -1)) luaL_error(L, "the sandbox has no finalisers (__gc)");
        lua_pop(L, 1);
    }
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

/* Upvalue 1: pcall. The VM calls the handler of xpcall where the error happened: for an error that comes from a hook that is inside
 * the hook, where no hook runs, and a handler with a loop would never end. Here the handler runs after the stack is unwound. */
static int own_xpcall(lua_State *L)
{
    int n = lua_gettop(L);
    luaL_checkany(L, 2);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    for (int i = 3; i <= n; i++) lua_pushvalue(L, i);
    box_call(L, n - 1, LUA_MULTRET);
    box_check(L, box_of(L));
    if (lua_toboolean(L, n + 1)) return lua_gettop(L) - n;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 2);
    lua_pushvalue(L, n + 2);
    box_call(L, 2, 2);
    lua_pushboolean(L, 0);
    lua_replace(L, -3);
    return 2;
}

/* For LuaJIT alone: there, an error from a hook that meets the end of the stack leaves the hooks off for good. So each pcall looks at
 * the clock itself, before and after. (It cannot be yielded across then, as in Lua 5.1.) */
static int own_pcall(lua_State *L)
{
    luaL_checkany(L, 1);
    box_charge(L, box_of(L), 1000);
    return call_through(L);
}

static uint64_t next_random(box *b)
{
    uint64_t x = b->rng[0], y = b->rng[1];
    b->rng[0] = y;
    x ^= x << 23;
    b->rng[1] = x ^ y ^ (x >> 17) ^ (y >> 26);
    return b->rng[1] + y;
}

/* The random numbers of some VMs belong to the process: a script must not change or read their state. */
static int own_random(lua_State *L)
{
    box *b = box_of(L);
    int n = lua_gettop(L);
    double unit = (double)(next_random(b) >> 11) / 9007199254740992.0;
    if (n == 0) {
        lua_pushnumber(L, (lua_Number)unit);
        return 1;
    }
    int64_t least = n == 1 ? 1 : symL_checkint(L, 1, -((int64_t)1 << 53), (int64_t)1 << 53);
    int64_t most = symL_checkint(L, n == 1 ? 1 : 2, -((int64_t)1 << 53), (int64_t)1 << 53);
    if (least > most) luaL_argerror(L, n == 1 ? 1 : 2, "interval is empty");
    symL_pushint(L, least + (int64_t)(next_random(b) % (uint64_t)(most - least + 1)));
    return 1;
}

static int own_randomseed(lua_State *L)
{
    box *b = box_of(L);
    double seed = luaL_optnumber(L, 1, 0);
    memcpy(&b->rng[0], &seed, sizeof seed);
    b->rng[0] ^= 0x9e3779b97f4a7c15u;
    b->rng[1] = 0xbf58476d1ce4e5b9u;
    for (int i = 0; i < 8; i++) next_random(b);
    return 0;
}

/* ---- coroutines --------------------------------------------------------------------------------------------------------
 * The count of instructions is each coroutine's own: nested ones that each do a little would never meet the hook. So each creation and
 * each resumption is charged. And once a limit is reached nothing is closed: the hooks of a coroutine that died in one stay off, and
 * its __close functions would run without. */

static int own_create(lua_State *L)
{
    box_charge(L, box_of(L), 1000);
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    box_call(L, 1, 1);
    return 1;
}

static int own_resume(lua_State *L)
{
    box_charge(L, box_of(L), 1000);
    return call_through(L);
}

/* Upvalues: resume, the coroutine. */
static int wrapped(lua_State *L)
{
    int n = lua_gettop(L);
    box_charge(L, box_of(L), 1000);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_insert(L, 2);
    box_call(L, n + 1, LUA_MULTRET);
    box_check(L, box_of(L));
    if (lua_toboolean(L, 1)) return lua_gettop(L) - 1;
    lua_settop(L, 2);
    return lua_error(L);
}

/* Upvalues: create, resume. */
static int own_wrap(lua_State *L)
{
    box_charge(L, box_of(L), 1000);
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    box_call(L, 1, 1);
    lua_pushcclosure(L, wrapped, 2);
    return 1;
}

static int own_close(lua_State *L)
{
    box_charge(L, box_of(L), 1000);
    return call_through(L);
}

/* ---- the list --------------------------------------------------------------------------------------------------------- */

typedef struct row {
    const char *lib, *name; /* lib "": a global */
    lua_CFunction f;        /* NULL: the VM's own function, or value, as it is */
} row;

static const row rows[] = {
    { "", "_VERSION", NULL }, { "", "assert", NULL }, { "", "error", NULL }, { "", "getmetatable", NULL }, { "", "ipairs", NULL },
    { "", "next", NULL }, { "", "pairs", NULL }, { "", "pcall", NULL }, { "", "rawequal", NULL }, { "", "rawget", NULL },
    { "", "rawlen", NULL }, { "", "rawset", NULL }, { "", "select", NULL }, { "", "type", NULL },
    { "", "tonumber", charged }, { "", "unpack", list_unpack }, { "", "xpcall", own_xpcall },
    { "", "tostring", own_tostring }, { "", "print", own_print }, { "", "setmetatable", own_setmetatable },
    { "coroutine", "isyieldable", NULL }, { "coroutine", "running", NULL }, { "coroutine", "status", NULL }, { "coroutine", "yield", NULL },
    { "coroutine", "create", own_create }, { "coroutine", "resume", own_resume }, { "coroutine", "wrap", own_wrap }, { "coroutine", "close", own_close },
    { "math", "abs", NULL }, { "math", "acos", NULL }, { "math", "asin", NULL }, { "math", "atan", NULL }, { "math", "atan2", NULL },
    { "math", "ceil", NULL }, { "math", "cos", NULL }, { "math", "cosh", NULL }, { "math", "deg", NULL }, { "math", "exp", NULL },
    { "math", "floor", NULL }, { "math", "fmod", NULL }, { "math", "frexp", NULL }, { "math", "huge", NULL }, { "math", "ldexp", NULL },
    { "math", "log", NULL }, { "math", "log10", NULL }, { "math", "max", NULL }, { "math", "maxinteger", NULL }, { "math", "min", NULL },
    { "math", "mininteger", NULL }, { "math", "modf", NULL }, { "math", "pi", NULL }, { "math", "pow", NULL }, { "math", "rad", NULL },
    { "math", "sin", NULL }, { "math", "sinh", NULL }, { "math", "sqrt", NULL }, { "math", "tan", NULL }, { "math", "tanh", NULL },
    { "math", "tointeger", NULL }, { "math", "type", NULL }, { "math", "ult", NULL },
    { "math", "random", own_random }, { "math", "randomseed", own_randomseed },
    { "os", "clock", charged }, { "os", "date", charged }, { "os", "difftime", charged }, { "os", "time", charged },
    { "string", "byte", charged }, { "string", "char", charged }, { "string", "find", box_find }, { "string", "format", own_format },
    { "string", "gmatch", box_gmatch }, { "string", "gsub", box_gsub }, { "string", "len", NULL }, { "string", "lower", charged },
    { "string", "match", box_match }, { "string", "pack", charged }, { "string", "packsize", charged }, { "string", "rep", own_rep },
    { "string", "reverse", charged }, { "string", "sub", charged }, { "string", "unpack", charged }, { "string", "upper", charged },
    { "table", "concat", list_concat }, { "table", "insert", list_simple }, { "table", "move", list_move }, { "table", "pack", NULL },
    { "table", "remove", list_simple }, { "table", "sort", list_sort }, { "table", "unpack", list_unpack },
    { "utf8", "char", charged }, { "utf8", "charpattern", NULL }, { "utf8", "codepoint", charged }, { "utf8", "codes", charged },
    { "utf8", "len", charged }, { "utf8", "offset", charged },
    { "bit", "arshift", NULL }, { "bit", "band", NULL }, { "bit", "bnot", NULL }, { "bit", "bor", NULL }, { "bit", "bswap", NULL },
    { "bit", "bxor", NULL }, { "bit", "lshift", NULL }, { "bit", "rol", NULL }, { "bit", "ror", NULL }, { "bit", "rshift", NULL },
    { "bit", "tobit", NULL }, { "bit", "tohex", NULL },
    { "bit32", "arshift", NULL }, { "bit32", "band", NULL }, { "bit32", "bnot", NULL }, { "bit32", "bor", NULL }, { "bit32", "btest", NULL },
    { "bit32", "bxor", NULL }, { "bit32", "extract", NULL }, { "bit32", "lrotate", NULL }, { "bit32", "lshift", NULL }, { "bit32", "replace", NULL },
    { "bit32", "rrotate", NULL }, { "bit32", "rshift", NULL },
};

/* The table of library `lib` in the table at idx; with make, created where it is not there. False: nothing pushed. */
static bool library(lua_State *L, int idx, const char *lib, bool make)
{
    idx = symL_absindex(L, idx);
    if (!*lib) {
        lua_pushvalue(L, idx);
        return true;
    }
    lua_getfield(L, idx, lib);
    if (lua_istable(L, -1)) return true;
    lua_pop(L, 1);
    if (!make) return false;
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, idx, lib);
    return true;
}

/* Pushes a function of ours with the VM's functions that it stands on as upvalues; false where this VM does not have the thing. */
static bool make_function(lua_State *L, int old, const row *r)
{
    bool there;
    if (!library(L, old, r->lib, false)) return false;
    if (!*r->lib && strcmp(r->name, "pcall") == 0) {
        lua_getfield(L, old, "jit");
        if (!lua_isnil(L, -1)) {
            lua_getfield(L, old, "pcall");
            lua_pushcclosure(L, own_pcall, 1);
            return true;
        }
        lua_pop(L, 1);
    }
    lua_getfield(L, -1, r->name);
    there = !lua_isnil(L, -1);
    if (!r->f) return there;
    if (!there && r->f != own_print) return false;
    if (r->f == own_xpcall) {
        lua_getfield(L, old, "pcall");
        lua_replace(L, -2);
    } else if (r->f == own_wrap) {
        lua_getfield(L, -2, "create");
        lua_replace(L, -2);
        lua_getfield(L, -2, "resume");
        lua_pushcclosure(L, r->f, 2);
        return true;
    }
    lua_pushcclosure(L, r->f, 1);
    return true;
}

static void fill(lua_State *L, int old, int to, const char *only)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int top = lua_gettop(L);
        if (only && strcmp(rows[i].lib, only) != 0) continue;
        if (make_function(L, old, &rows[i])) {
            int value = lua_gettop(L);
            library(L, to, only ? "" : rows[i].lib, true);
            lua_pushvalue(L, value);
            lua_setfield(L, -2, rows[i].name);
        }
        lua_settop(L, top);
    }
}

static void empty(lua_State *L, int idx)
{
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_pushnil(L);
        lua_rawset(L, idx);
    }
}

void box_openlibs(lua_State *L, box *b)
{
    int globals, old;
    (void)b;
    lua_settop(L, 0);
    symL_openlibs(L);
    lua_getglobal(L, "_G");
    globals = lua_gettop(L);
    /* LuaJIT: compiled code runs no hooks */
    lua_getfield(L, globals, "jit");
    if (lua_istable(L, -1)) {
        lua_getfield(L, -1, "off");
        lua_call(L, 0, 0);
    }
    lua_settop(L, globals);
    lua_newtable(L);
    old = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, globals)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, old);
    }
    empty(L, globals);
    fill(L, old, globals, NULL);
    lua_pushvalue(L, globals);
    lua_setfield(L, globals, "_G");
    /* Methods of strings come from a table that no script sees; getmetatable("") is false. */
    lua_pushliteral(L, "");
    if (lua_getmetatable(L, -1)) {
        int mt = lua_gettop(L);
        lua_newtable(L);
        fill(L, old, lua_gettop(L), "string");
        empty(L, mt);
        lua_setfield(L, mt, "__index");
        lua_pushboolean(L, 0);
        lua_setfield(L, mt, "__metatable");
    }
    /* What the VM keeps of the libraries for itself. */
    for (const char *const *k = (const char *const[]){ "_LOADED", "_PRELOAD", "_CLIBS", NULL }; *k; k++) {
        lua_getfield(L, LUA_REGISTRYINDEX, *k);
        if (lua_istable(L, -1) && strcmp(*k, "_CLIBS") != 0) empty(L, lua_gettop(L));
    }
    lua_settop(L, 0);
}
