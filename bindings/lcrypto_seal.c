/* bindings/lcrypto_seal.c: AES-256-GCM and Argon2id of symbi.crypto. Keys, nonces and salts as bytes or hex.
 *
 *   aes256gcm_seal(key, nonce, plain[, ad]) -> ciphertext and then the tag of 16 bytes (as RFC 5116 joins them)
 *   aes256gcm_open(key, nonce, sealed[, ad]) -> plain, or nil, message, err (EVERIFY for a wrong key or altered data)
 *   argon2id(password, salt, {m=, t=, p=, n=}[, raw]); argon2id_hash(password[, {m=, t=, p=}]) -> PHC text
 *   argon2id_verify(phc, password) -> boolean */
#include "lcrypto.h"

#include <string.h>

static void check_bytes(lua_State *L, int arg, uint8_t *out, size_t n)
{
    if (!lcrypto_get(symL_checkstr(L, arg), out, n)) luaL_argerror(L, arg, lua_pushfstring(L, "%d bytes or %d hex digits are expected", (int)n, (int)(2 * n)));
}

static int c_seal(lua_State *L)
{
    uint8_t key[32], nonce[12], *room;
    symbi_str plain, none = { "", 0 }, ad;
    symbi_err err;
    symbi_status st;
    check_bytes(L, 2, nonce, sizeof nonce);
    plain = symL_checkstr(L, 3);
    ad = symL_optstr(L, 4, none);
    if (plain.n > SIZE_MAX - 16) luaL_argerror(L, 3, "too large");
    room = lua_newuserdata(L, plain.n + 16);
    check_bytes(L, 1, key, sizeof key);
    st = symbi_aes256gcm_seal(symL_ctx(L), key, nonce, ad, plain, room, room + plain.n, &err);
    symbi_wipe(key, sizeof key);
    if (st) return symL_fail(L, &err);
    lua_pushlstring(L, (const char *)room, plain.n + 16);
    return 1;
}

static int c_open(lua_State *L)
{
    uint8_t key[32], nonce[12], tag[16], *room;
    symbi_str sealed, none = { "", 0 }, ad;
    symbi_err err;
    symbi_status st;
    check_bytes(L, 2, nonce, sizeof nonce);
    sealed = symL_checkstr(L, 3);
    ad = symL_optstr(L, 4, none);
    if (sealed.n < sizeof tag) return lcrypto_fail(L, SYMBI_EPARSE, "sealed text is at least 16 bytes long: the tag stands at its end");
    sealed.n -= sizeof tag;
    memcpy(tag, sealed.p + sealed.n, sizeof tag);
    room = lua_newuserdata(L, sealed.n + 1);
    check_bytes(L, 1, key, sizeof key);
    st = symbi_aes256gcm_open(symL_ctx(L), key, nonce, ad, sealed, tag, room, &err);
    symbi_wipe(key, sizeof key);
    if (st) return symL_fail(L, &err);
    lua_pushlstring(L, (const char *)room, sealed.n);
    symbi_wipe(room, sealed.n);
    return 1;
}

/* OWASP's first choice, and what the runtime writes: 19 MiB, two passes. */
static symbi_argon2_cost opt_cost(lua_State *L, int arg, size_t *n)
{
    static const char *const with_n[] = { "m", "t", "p", "n", NULL }, *const plain[] = { "m", "t", "p", NULL };
    symbi_argon2_cost c = { 19456, 2, 1 };
    if (lua_isnoneornil(L, arg)) return c;
    symL_checkopts(L, arg, n ? with_n : plain);
    c.m_kib = (uint32_t)symL_optfield_int(L, arg, "m", c.m_kib, 0, UINT32_MAX);
    c.t = (uint32_t)symL_optfield_int(L, arg, "t", c.t, 0, UINT32_MAX);
    c.p = (uint32_t)symL_optfield_int(L, arg, "p", c.p, 0, UINT32_MAX);
    if (n) *n = (size_t)symL_optfield_int(L, arg, "n", (int64_t)*n, 4, 1024);
    return c;
}

static int c_argon2id(lua_State *L)
{
    symbi_str password = symL_checkstr(L, 1), salt = symL_checkstr(L, 2);
    size_t n = 32;
    symbi_argon2_cost cost = opt_cost(L, 3, &n);
    uint8_t out[1024];
    symbi_err err;
    int r;
    if (symbi_argon2id(symL_ctx(L), password, salt, cost, out, n, &err)) return symL_fail(L, &err);
    r = lcrypto_push(L, out, n, 4);
    symbi_wipe(out, sizeof out);
    return r;
}

static int c_argon2id_hash(lua_State *L)
{
    symbi_str password = symL_checkstr(L, 1);
    symbi_argon2_cost cost = opt_cost(L, 2, NULL);
    symbi_text *t = symL_text(L);
    symbi_err err;
    if (symbi_argon2id_phc(symL_ctx(L), password, cost, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int c_argon2id_verify(lua_State *L)
{
    symbi_str phc = symL_checkstr(L, 1), password = symL_checkstr(L, 2);
    symbi_err err;
    symbi_status st = symbi_argon2id_phc_verify(symL_ctx(L), phc, password, &err);
    if (st && st != SYMBI_EVERIFY) return symL_fail(L, &err);
    lua_pushboolean(L, st == SYMBI_OK);
    return 1;
}

void lcrypto_seal_open(lua_State *L)
{
    static const luaL_Reg funcs[] = {
        { "aes256gcm_seal", c_seal }, { "aes256gcm_open", c_open }, { "argon2id", c_argon2id },
        { "argon2id_hash", c_argon2id_hash }, { "argon2id_verify", c_argon2id_verify }, { NULL, NULL },
    };
    symL_setfuncs(L, funcs);
}
