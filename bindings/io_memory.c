/* bindings/io_memory.c: folders of memory files (symbi/memory_store.h), as symbi.io.memory_store(root[, {form=, retention_days=,
 * lock_ms=, cache_bytes=, index=, raw=}]). Methods: save(agent, context[, now_ms]) -> true, kept; load(agent) -> context or nil;
 * delete, list, compact(agent[, now_ms]) -> number, stats, search(query[, {agent=, section=, limit=}]) -> hits, unread; close. */
#include "io_int.h"
#include "symbi/memory_store.h"

#include <string.h>

#define UD_MEMORY "symbi.memory_store"
typedef struct ud_memory { symbi_memory_store *p; } ud_memory;

static symbi_memory_store *check(lua_State *L)
{
    ud_memory *u = symL_checkud(L, 1, UD_MEMORY);
    if (!u->p) luaL_argerror(L, 1, "the memory store is closed");
    return u->p;
}

static int64_t now_at(lua_State *L, int arg) { return symL_optint(L, arg, symbi_ctx_now_ms(symL_ctx(L)), INT64_MIN, INT64_MAX); }

static int io_memory_store(lua_State *L)
{
    static const char *const known[] = { "form", "retention_days", "lock_ms", "cache_bytes", "index", "raw", NULL };
    static const char *const forms[] = { "auto", "seed", "runtime" };
    symbi_str root = symL_checkstr(L, 1), form, index;
    symbi_memory_store_options o;
    ud_memory *u;
    symbi_err err;
    int k = 0;
    if (strlen(root.p) != root.n) luaL_argerror(L, 1, "a path holds no zero byte");
    symL_checkopts(L, 2, known);
    lua_settop(L, 2);
    symbi_memory_store_options_init(&o);
    form = symL_optfield_str(L, 2, "form", symbi_str_z("auto"));
    while (k < 3 && (form.n != strlen(forms[k]) || memcmp(form.p, forms[k], form.n))) k++;
    if (k == 3) luaL_error(L, "form must be \"auto\", \"seed\" or \"runtime\"");
    o.form = (symbi_memory_form)k;
    o.retention_days = symL_optfield_int(L, 2, "retention_days", o.retention_days, -1000000, 1000000);
    o.lock_ms = symL_optfield_int(L, 2, "lock_ms", o.lock_ms, -1, INT32_MAX);
    o.raw = symL_optfield_bool(L, 2, "raw", false);
    o.cache_bytes = (size_t)symL_optfield_int(L, 2, "cache_bytes", (int64_t)o.cache_bytes, 0, (int64_t)1 << 40);
    index = symL_optfield_str(L, 2, "index", symbi_str_z(""));
    if (index.n && strlen(index.p) != index.n) luaL_error(L, "index: a path holds no zero byte");
    o.index = index.n ? index.p : NULL;
    u = symL_newud(L, sizeof *u, UD_MEMORY);
    if (symbi_memory_store_open(symL_ctx(L), root.p, &o, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int m_close(lua_State *L)
{
    ud_memory *u = symL_checkud(L, 1, UD_MEMORY);
    symbi_memory_store *p = u->p;
    u->p = NULL;
    symbi_memory_store_close(p);
    return 0;
}

static int m_save(lua_State *L)
{
    symbi_memory_store *m = check(L);
    symbi_str agent = symL_checkstr(L, 2);
    int64_t now = now_at(L, 4);
    symbi_value v;
    symbi_err err;
    bool kept;
    luaL_checktype(L, 3, LUA_TTABLE);
    if (symL_tovalue(L, 3, &v, &err)) return symL_fail(L, &err);
    if (symbi_memory_store_save(m, agent, &v, now, &kept, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    lua_pushboolean(L, kept);
    return 2;
}

static int m_load(lua_State *L)
{
    symbi_memory_store *m = check(L);
    symbi_doc *d;
    symbi_err err;
    symbi_status st = symbi_memory_store_load(m, symL_checkstr(L, 2), &d, &err);
    if (st == SYMBI_ENOTFOUND) {
        lua_pushnil(L);
        return 1;
    }
    if (st) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

static int m_delete(lua_State *L)
{
    symbi_err err;
    if (symbi_memory_store_delete(check(L), symL_checkstr(L, 2), &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int m_list(lua_State *L)
{
    symbi_doc *d;
    symbi_err err;
    if (symbi_memory_store_list(check(L), &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

static int m_compact(lua_State *L)
{
    size_t n;
    symbi_err err;
    if (symbi_memory_store_compact(check(L), symL_checkstr(L, 2), now_at(L, 3), &n, &err)) return symL_fail(L, &err);
    symL_pushint(L, (int64_t)n);
    return 1;
}

static int m_stats(lua_State *L)
{
    symbi_doc *d;
    symbi_err err;
    if (symbi_memory_store_stats(check(L), &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

static int m_search(lua_State *L)
{
    static const char *const known[] = { "agent", "section", "limit", NULL };
    symbi_memory_store *m = check(L);
    symbi_str query = symL_checkstr(L, 2), agent, section, none = symbi_str_z("");
    size_t limit, unread;
    symbi_doc *d;
    symbi_err err;
    symL_checkopts(L, 3, known);
    agent = symL_optfield_str(L, 3, "agent", none);
    section = symL_optfield_str(L, 3, "section", none);
    limit = (size_t)symL_optfield_int(L, 3, "limit", 0, 0, 1000000);
    if (symbi_memory_store_search(m, query, agent, section, limit, &d, &unread, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    symL_pushint(L, (int64_t)unread);
    return 2;
}

void l_io_memory_open(lua_State *L)
{
    static const luaL_Reg funcs[] = { { "memory_store", io_memory_store }, { NULL, NULL } };
    static const luaL_Reg methods[] = { { "save", m_save }, { "load", m_load }, { "delete", m_delete }, { "list", m_list }, { "compact", m_compact },
                                        { "stats", m_stats }, { "search", m_search }, { "close", m_close }, { NULL, NULL } };
    static const luaL_Reg meta[] = { { "__gc", m_close }, { NULL, NULL } };
    symL_newtype(L, UD_MEMORY, methods, meta);
    symL_setfuncs(L, funcs);
}
