/* bindings/io_store.c: the part of symbi.io that opens state folders: symbi.io.store.open(dir[, {readonly=, busy_ms=}]) gives
 * a "symbi.store", .path(store) its database file, .chains(store) the names of its chains. Type and methods are
 * symbi.core's (laudit.c). l_io_store pushes the table; io.c puts it in place. */
#include "symL.h"
#include "symbi/io_store.h"
#include "ud.h"

#include <string.h>

void l_io_store(lua_State *L);

static int s_open(lua_State *L)
{
    static const char *const known[] = { "readonly", "busy_ms", NULL };
    symbi_str dir = symL_checkstr(L, 1);
    symbi_io_store_options o;
    symbi_err err;
    symbi_key *k;
    ud_store *u;
    memset(&o, 0, sizeof o);
    o.size = sizeof o;
    if (strlen(dir.p) != dir.n) luaL_argerror(L, 1, "a folder name holds no zero byte");
    symL_checkopts(L, 2, known);
    o.readonly = symL_optfield_bool(L, 2, "readonly", false);
    o.busy_ms = symL_optfield_int(L, 2, "busy_ms", 0, 0, 60000);
    u = symL_newud(L, sizeof *u, UD_STORE);
    if (symbi_io_store_open(symL_ctx(L), dir.p, &o, &u->store, &err)) return symL_fail(L, &err);
    u->close = symbi_io_store_close;
    u->anchor = symbi_io_store_anchor;
    u->readonly = o.readonly;
    k = symbi_io_store_key(&u->store);
    if (k) u->key = symbi_key_ref(k);
    u->has_pub = symbi_io_store_public(&u->store, u->pub);
    return 1;
}

static int s_path(lua_State *L)
{
    ud_store *u = symL_checkud(L, 1, UD_STORE);
    if (u->close != symbi_io_store_close) luaL_argerror(L, 1, "this is not an open store of a state folder");
    lua_pushstring(L, symbi_io_store_path(&u->store));
    return 1;
}

/* All chains, in byte order. */
static int s_chains(lua_State *L)
{
    ud_store *u = symL_checkud(L, 1, UD_STORE);
    symbi_str at = { "", 0 };
    symbi_err err;
    symbi_status st;
    if (u->close != symbi_io_store_close) luaL_argerror(L, 1, "this is not an open store of a state folder");
    lua_newtable(L);
    symL_setarray(L);
    for (int i = 1; (st = symbi_io_store_next_chain(&u->store, at, &at, &err)) == SYMBI_OK; i++) {
        symL_pushstr(L, at);
        at = symL_tostr(L, -1); /* the store's copy goes with the next call; the table keeps this one */
        lua_rawseti(L, -2, i);
    }
    return st == SYMBI_ENOTFOUND ? 1 : symL_fail(L, &err);
}

void l_io_store(lua_State *L)
{
    static const luaL_Reg funcs[] = { { "open", s_open }, { "path", s_path }, { "chains", s_chains }, { NULL, NULL } };
    lua_newtable(L);
    symL_setfuncs(L, funcs);
}
