/* bindings/lmemory.c: the text of memory files (symbi/memory.h), as symbi.core.memory; lua/symbi/memory/init.lua is what users
 * see.
 *   context, msg, err = parse(text, agent[, {form="auto"|"seed"|"runtime"}])
 *   text, msg, err    = write(context[, {form=, updated_ms=}])
 *   entry, day        = log_entry(context, now_ms[, {form=}])
 *   key, msg, err     = key(agent); agent or nil = agent(key)
 *   text              = fold(text)            lower case, for comparing */
#include "symL.h"
#include "symbi/memory.h"

#include <string.h>

static symbi_memory_form getform(lua_State *L, int arg)
{
    static const char *const names[] = { "auto", "seed", "runtime" };
    symbi_str s = symL_optfield_str(L, arg, "form", symbi_str_z("auto"));
    for (int i = 0; i < 3; i++)
        if (s.n == strlen(names[i]) && !memcmp(s.p, names[i], s.n)) return (symbi_memory_form)i;
    luaL_error(L, "form must be \"auto\", \"seed\" or \"runtime\"");
    return SYMBI_MEMORY_AUTO;
}

static int m_parse(lua_State *L)
{
    static const char *const known[] = { "form", NULL };
    symbi_str text = symL_checkstr(L, 1), agent = symL_checkstr(L, 2);
    symbi_memory_form form;
    symbi_doc *d;
    symbi_err err;
    symL_checkopts(L, 3, known);
    form = getform(L, 3);
    if (symbi_memory_parse(symL_ctx(L), text, agent, form, &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

static int m_write(lua_State *L)
{
    static const char *const known[] = { "form", "updated_ms", NULL };
    symbi_memory_form form;
    int64_t ms;
    symbi_value v;
    symbi_text *t;
    symbi_err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    symL_checkopts(L, 2, known);
    lua_settop(L, 2);
    form = getform(L, 2);
    ms = symL_optfield_int(L, 2, "updated_ms", symbi_ctx_now_ms(symL_ctx(L)), INT64_MIN, INT64_MAX);
    if (symL_tovalue(L, 1, &v, &err)) return symL_fail(L, &err);
    t = symL_text(L);
    if (symbi_memory_write(symL_ctx(L), &v, form, ms, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int m_log_entry(lua_State *L)
{
    static const char *const known[] = { "form", NULL };
    symbi_memory_form form;
    int64_t ms = symL_checkint(L, 2, INT64_MIN, INT64_MAX);
    symbi_value v;
    symbi_text *t;
    symbi_err err;
    char day[11];
    luaL_checktype(L, 1, LUA_TTABLE);
    symL_checkopts(L, 3, known);
    lua_settop(L, 3);
    form = getform(L, 3);
    if (symL_tovalue(L, 1, &v, &err)) return symL_fail(L, &err);
    t = symL_text(L);
    if (symbi_memory_log_entry(symL_ctx(L), &v, form, ms, day, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    lua_pushstring(L, day);
    return 2;
}

static int m_key(lua_State *L)
{
    char key[SYMBI_MEMORY_KEY_BYTES];
    symbi_err err;
    if (symbi_memory_key(symL_checkstr(L, 1), key, &err)) return symL_fail(L, &err);
    lua_pushstring(L, key);
    return 1;
}

static int m_agent(lua_State *L)
{
    char agent[SYMBI_MEMORY_KEY_BYTES];
    size_t n;
    if (symbi_memory_agent(symL_checkstr(L, 1), agent, &n)) lua_pushlstring(L, agent, n);
    else lua_pushnil(L);
    return 1;
}

static int m_fold(lua_State *L)
{
    symbi_str s = symL_checkstr(L, 1);
    symbi_text *t = symL_text(L);
    symbi_err err;
    if (symbi_memory_fold(symL_ctx(L), s, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

void l_memory_open(lua_State *L)
{
    static const luaL_Reg funcs[] = { { "parse", m_parse }, { "write", m_write }, { "log_entry", m_log_entry }, { "key", m_key }, { "agent", m_agent }, { "fold", m_fold }, { NULL, NULL } };
    lua_newtable(L);
    symL_setfuncs(L, funcs);
}
