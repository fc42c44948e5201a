/* bindings/lagentpin_store.c: pin stores and nonce stores.
 *   pins() -> p      pins_parse(text) -> p      p:check(domain, jwk[, now]) -> "first_use" | "matched" | "changed"
 *   p:add_key(domain, jwk[, now]), p:remove(domain[, hash]), p:get_domain(domain), p:list(), p:count(), p:changed(), p:to_json([runtime]),
 *   p:merge(other) -> conflicts, p:saved(), p:close()
 *   nonces([max]) -> n      n:use(nonce, expires[, now]), n:seen(nonce[, now]), n:count(), n:close() */
#include "lagentpin.h"

#include <string.h>

static int pins_close(lua_State *L)
{
    ud_ap_pins *u = symL_checkud(L, 1, UD_AP_PINS);
    symbi_agentpin_pins *p = u->p;
    u->p = NULL;
    symbi_agentpin_pins_free(p);
    return 0;
}

static symbi_agentpin_pins *checkpins(lua_State *L, int arg)
{
    ud_ap_pins *u = symL_checkud(L, arg, UD_AP_PINS);
    if (!u->p) luaL_argerror(L, arg, "the pin store is closed");
    return u->p;
}

static int a_pins(lua_State *L)
{
    ud_ap_pins *u = symL_newud(L, sizeof *u, UD_AP_PINS);
    symbi_err err;
    if (symbi_agentpin_pins_new(symL_ctx(L), &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int a_pins_parse(lua_State *L)
{
    symbi_str text = symL_checkstr(L, 1);
    ud_ap_pins *u = symL_newud(L, sizeof *u, UD_AP_PINS);
    symbi_agentpin_code code;
    symbi_err err;
    if (symbi_agentpin_pins_parse(symL_ctx(L), text, &u->p, &code, &err)) return ap_fail(L, &err, code);
    return 1;
}

static int pins_check(lua_State *L)
{
    symbi_str domain = symL_checkstr(L, 2);
    int64_t now = ap_now(L, 4);
    symbi_agentpin_pinning is;
    symbi_value jwk;
    symbi_err err;
    checkpins(L, 1);
    if (!ap_value(L, 3, &jwk, &err) || symbi_agentpin_pins_check(symL_ctx(L), checkpins(L, 1), domain, &jwk, now, &is, &err)) return symL_fail(L, &err);
    lua_pushstring(L, is == SYMBI_AGENTPIN_PIN_MATCHED ? "matched" : symbi_agentpin_pinning_name(is));
    return 1;
}

static int pins_add(lua_State *L)
{
    symbi_str domain = symL_checkstr(L, 2);
    int64_t now = ap_now(L, 4);
    symbi_value jwk;
    symbi_err err;
    checkpins(L, 1);
    if (!ap_value(L, 3, &jwk, &err) || symbi_agentpin_pins_add(symL_ctx(L), checkpins(L, 1), domain, &jwk, now, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int pins_remove(lua_State *L)
{
    symbi_str domain = symL_checkstr(L, 2), hash = symL_optstr(L, 3, (symbi_str){ "", 0 });
    symbi_err err;
    return ap_answer(L, symbi_agentpin_pins_remove(checkpins(L, 1), domain, hash, &err), &err, SYMBI_AGENTPIN_NONE);
}

static int pins_get(lua_State *L)
{
    symbi_str domain = symL_checkstr(L, 2);
    symbi_doc *d;
    symbi_err err;
    if (symbi_agentpin_pins_get(symL_ctx(L), checkpins(L, 1), domain, &d, &err)) return symL_fail(L, &err);
    if (!d) {
        lua_pushnil(L);
        return 1;
    }
    return ap_pushdoc(L, d);
}

static int pins_list(lua_State *L)
{
    symbi_doc *d;
    symbi_err err;
    if (symbi_agentpin_pins_list(symL_ctx(L), checkpins(L, 1), &d, &err)) return symL_fail(L, &err);
    return ap_pushdoc(L, d);
}

static int pins_count(lua_State *L)
{
    symL_pushint(L, (int64_t)symbi_agentpin_pins_count(checkpins(L, 1)));
    return 1;
}

static int pins_changed(lua_State *L)
{
    lua_pushboolean(L, symbi_agentpin_pins_changed(checkpins(L, 1)));
    return 1;
}

static int pins_json(lua_State *L)
{
    unsigned flags = lua_toboolean(L, 2) ? SYMBI_AGENTPIN_PINS_RUNTIME : 0;
    symbi_text *t;
    symbi_err err;
    checkpins(L, 1);
    lua_settop(L, 1);
    t = symL_text(L);
    if (symbi_agentpin_pins_write(symL_ctx(L), checkpins(L, 1), flags, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int pins_merge(lua_State *L)
{
    symbi_agentpin_pins *p = checkpins(L, 1), *other = checkpins(L, 2);
    size_t conflicts;
    symbi_err err;
    if (p == other) return luaL_argerror(L, 2, "a store cannot be merged with itself");
    if (symbi_agentpin_pins_merge(p, other, &conflicts, &err)) return symL_fail(L, &err);
    symL_pushint(L, (int64_t)conflicts);
    return 1;
}

static int pins_saved(lua_State *L)
{
    symbi_agentpin_pins_saved(checkpins(L, 1));
    return 0;
}

/* ---- nonces ---- */

static int nonces_close(lua_State *L)
{
    ud_ap_nonces *u = symL_checkud(L, 1, UD_AP_NONCES);
    symbi_agentpin_nonces *p = u->p;
    u->p = NULL;
    symbi_agentpin_nonces_free(p);
    return 0;
}

static symbi_agentpin_nonces *checknonces(lua_State *L, int arg)
{
    ud_ap_nonces *u = symL_checkud(L, arg, UD_AP_NONCES);
    if (!u->p) luaL_argerror(L, arg, "the nonce store is closed");
    return u->p;
}

static int a_nonces(lua_State *L)
{
    size_t max = (size_t)symL_optint(L, 1, 0, 0, 1 << 24);
    ud_ap_nonces *u = symL_newud(L, sizeof *u, UD_AP_NONCES);
    symbi_err err;
    if (symbi_agentpin_nonces_new(symL_ctx(L), max, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int nonces_use(lua_State *L)
{
    symbi_str nonce = symL_checkstr(L, 2);
    int64_t expires = symL_checkint(L, 3, -((int64_t)1 << 53), (int64_t)1 << 53), now = ap_now(L, 4);
    symbi_status st;
    symbi_err err;
    st = symbi_agentpin_nonces_use(checknonces(L, 1), nonce, now, expires, &err);
    return ap_answer(L, st, &err, st == SYMBI_EEXISTS ? SYMBI_AGENTPIN_NONCE_REPLAYED : SYMBI_AGENTPIN_NONE);
}

static int nonces_seen(lua_State *L)
{
    symbi_str nonce = symL_checkstr(L, 2);
    int64_t now = ap_now(L, 3);
    lua_pushboolean(L, symbi_agentpin_nonces_seen(checknonces(L, 1), nonce, now));
    return 1;
}

static int nonces_count(lua_State *L)
{
    symL_pushint(L, (int64_t)symbi_agentpin_nonces_count(checknonces(L, 1)));
    return 1;
}

const luaL_Reg ap_store_funcs[] = { { "pins", a_pins }, { "pins_parse", a_pins_parse }, { "nonces", a_nonces }, { NULL, NULL } };

void ap_store_types(lua_State *L)
{
    static const luaL_Reg pins[] = { { "check", pins_check }, { "add_key", pins_add }, { "remove", pins_remove }, { "get_domain", pins_get }, { "list", pins_list },
                                     { "count", pins_count }, { "changed", pins_changed }, { "to_json", pins_json }, { "merge", pins_merge }, { "saved", pins_saved },
                                     { "close", pins_close }, { NULL, NULL } };
    static const luaL_Reg nonces[] = { { "use", nonces_use }, { "seen", nonces_seen }, { "count", nonces_count }, { "close", nonces_close }, { NULL, NULL } };
    symL_newtype(L, UD_AP_PINS, pins, NULL);
    symL_newtype(L, UD_AP_NONCES, nonces, NULL);
}
