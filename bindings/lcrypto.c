/* bindings/lcrypto.c: symbi.crypto: hashes, HMAC, random bytes, constant-time compare; lcrypto_key.c adds keys and signatures,
 * lcrypto_seal.c AES-GCM and Argon2id. Hashes, keys and signatures come out as lower-case hex, or as bytes where the last
 * argument is true; they go in as either.
 *
 *   sha256(data[, raw]); hmac_sha256(key, data[, raw]); hmac("sha256"|"sha384"|"sha512", key, data[, raw])
 *   hasher() -> h:add(data), h:finish([raw]); equal(a, b); random(n) -> bytes; hex(bytes); unhex(text) */
#include "lcrypto.h"

#include <string.h>

#define UD_HASHER "symbi.hasher"
enum { MAX_RANDOM = 1 << 20 };

void lcrypto_pushhex(lua_State *L, const uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (size_t i = 0; i < n; i++) {
        luaL_addchar(&b, digits[p[i] >> 4]);
        luaL_addchar(&b, digits[p[i] & 15]);
    }
    luaL_pushresult(&b);
}
int lcrypto_push(lua_State *L, const uint8_t *p, size_t n, int raw_arg)
{
    if (lua_toboolean(L, raw_arg)) lua_pushlstring(L, (const char *)p, n);
    else lcrypto_pushhex(L, p, n);
    return 1;
}

static int hexval(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}
size_t lcrypto_unhex(symbi_str s, uint8_t *out, size_t max)
{
    if (s.n % 2 || s.n / 2 > max) return SIZE_MAX;
    for (size_t i = 0; i < s.n / 2; i++) {
        int a = hexval(s.p[2 * i]), b = hexval(s.p[2 * i + 1]);
        if (a < 0 || b < 0) return SIZE_MAX;
        out[i] = (uint8_t)(a << 4 | b);
    }
    return s.n / 2;
}
bool lcrypto_get(symbi_str s, uint8_t *out, size_t n)
{
    if (s.n != n) return s.n == 2 * n && lcrypto_unhex(s, out, n) == n;
    memcpy(out, s.p, n);
    return true;
}

int lcrypto_fail(lua_State *L, symbi_status code, const char *msg)
{
    symbi_err err;
    symbi_err_clear(&err);
    err.code = code;
    strncpy(err.msg, msg, sizeof err.msg - 1);
    return symL_fail(L, &err);
}

/* ---- hashes ---------------------------------------------------------------------------------------------------------- */

static int c_sha256(lua_State *L)
{
    symbi_str data = symL_checkstr(L, 1);
    symbi_err err;
    uint8_t d[32];
    if (symbi_sha256(symL_ctx(L), data, d, &err)) return symL_fail(L, &err);
    return lcrypto_push(L, d, 32, 2);
}

static int c_hmac(lua_State *L)
{
    static const char *const names[] = { "sha256", "sha384", "sha512", NULL };
    symbi_hash h = (symbi_hash)luaL_checkoption(L, 1, NULL, names);
    symbi_str key = symL_checkstr(L, 2), data = symL_checkstr(L, 3);
    symbi_err err;
    uint8_t d[SYMBI_HASH_MAX_BYTES];
    if (symbi_hmac(symL_ctx(L), h, key, data, d, &err)) return symL_fail(L, &err);
    return lcrypto_push(L, d, symbi_hash_bytes(h), 4);
}

static int c_hmac_sha256(lua_State *L)
{
    symbi_str key = symL_checkstr(L, 1), data = symL_checkstr(L, 2);
    symbi_err err;
    uint8_t d[32];
    if (symbi_hmac_sha256(symL_ctx(L), key, data, d, &err)) return symL_fail(L, &err);
    return lcrypto_push(L, d, 32, 3);
}

typedef struct ud_hasher { symbi_hasher *p; } ud_hasher;

static int c_hasher(lua_State *L)
{
    ud_hasher *u = symL_newud(L, sizeof *u, UD_HASHER);
    symbi_err err;
    if (symbi_hasher_new(symL_ctx(L), &u->p, &err)) return symL_fail(L, &err);
    return 1;
}
static int h_close(lua_State *L)
{
    ud_hasher *u = symL_checkud(L, 1, UD_HASHER);
    symbi_hasher *h = u->p;
    u->p = NULL;
    symbi_hasher_free(h);
    return 0;
}
static symbi_hasher *check_hasher(lua_State *L)
{
    ud_hasher *u = symL_checkud(L, 1, UD_HASHER);
    if (!u->p) luaL_argerror(L, 1, "the hasher is closed");
    return u->p;
}
static int h_add(lua_State *L)
{
    symbi_hasher *h = check_hasher(L);
    symbi_str data = symL_checkstr(L, 2);
    symbi_err err;
    if (symbi_hasher_add(h, data, &err)) return symL_fail(L, &err);
    lua_settop(L, 1);
    return 1;
}
static int h_finish(lua_State *L)
{
    symbi_hasher *h = check_hasher(L);
    symbi_err err;
    uint8_t d[32];
    if (symbi_hasher_end(h, d, &err)) return symL_fail(L, &err);
    return lcrypto_push(L, d, 32, 2);
}

/* ---- small things ------------------------------------------------------------------------------------------------------ */

static int c_equal(lua_State *L)
{
    symbi_str a = symL_checkstr(L, 1), b = symL_checkstr(L, 2);
    lua_pushboolean(L, symbi_ct_equal(a, b));
    return 1;
}

static int c_random(lua_State *L)
{
    size_t n = (size_t)symL_checkint(L, 1, 0, MAX_RANDOM);
    void *p = lua_newuserdata(L, n ? n : 1);
    symbi_err err;
    if (symbi_ctx_random(symL_ctx(L), p, n, &err)) return symL_fail(L, &err);
    lua_pushlstring(L, p, n);
    return 1;
}

static int c_hex(lua_State *L)
{
    symbi_str s = symL_checkstr(L, 1);
    lcrypto_pushhex(L, (const uint8_t *)s.p, s.n);
    return 1;
}

static int c_unhex(lua_State *L)
{
    symbi_str s = symL_checkstr(L, 1);
    uint8_t *p = lua_newuserdata(L, s.n / 2 + 1);
    size_t n = lcrypto_unhex(s, p, s.n / 2);
    if (n == SIZE_MAX) return lcrypto_fail(L, SYMBI_EPARSE, "not hex: an even number of digits 0-9 a-f is expected");
    lua_pushlstring(L, (const char *)p, n);
    return 1;
}

void l_crypto_open(lua_State *L)
{
    static const luaL_Reg funcs[] = {
        { "sha256", c_sha256 }, { "hmac_sha256", c_hmac_sha256 }, { "hmac", c_hmac }, { "hasher", c_hasher }, { "equal", c_equal },
        { "random", c_random }, { "hex", c_hex }, { "unhex", c_unhex }, { NULL, NULL },
    };
    static const luaL_Reg hasher[] = { { "add", h_add }, { "finish", h_finish }, { "close", h_close }, { NULL, NULL } };
    symL_newtype(L, UD_HASHER, hasher, NULL);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
    lcrypto_key_open(L);
    lcrypto_seal_open(L);
}
