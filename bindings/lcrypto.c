/* bindings/lcrypto.c: symbi.crypto: hashes, HMAC, Ed25519, random bytes, constant-time compare. Hashes, keys and signatures
 * come out as lower-case hex, or as bytes where the last argument is true; keys and signatures go in as either.
 *
 *   sha256(data[, raw]); hmac_sha256(key, data[, raw]); hasher() -> h:add(data), h:finish([raw])
 *   equal(a, b); random(n) -> bytes; hex(bytes); unhex(text)
 *   ed25519(): a new key; ed25519{seed=}; ed25519{public=} -> k:sign(data[, raw]), k:verify(data, signature) -> boolean,
 *     k:public([raw]), k:seed([raw]), k:is_private(), k:id() */
#include "symL.h"
#include "symbi/crypto.h"
#include "ud.h"

#include <string.h>

#define UD_HASHER "symbi.hasher"
enum { MAX_RANDOM = 1 << 20 };

static void push_hex(lua_State *L, const uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    char b[128];
    for (size_t i = 0; i < n; i++) {
        b[2 * i] = digits[p[i] >> 4];
        b[2 * i + 1] = digits[p[i] & 15];
    }
    lua_pushlstring(L, b, 2 * n);
}
/* n at most 64 */
static int push_bytes(lua_State *L, const uint8_t *p, size_t n, int raw_arg)
{
    if (lua_toboolean(L, raw_arg)) lua_pushlstring(L, (const char *)p, n);
    else push_hex(L, p, n);
    return 1;
}

static int hexval(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}
/* n bytes, or 2n hex digits. */
static bool get_bytes(symbi_str s, uint8_t *out, size_t n)
{
    if (s.n == n) {
        memcpy(out, s.p, n);
        return true;
    }
    if (s.n != 2 * n) return false;
    for (size_t i = 0; i < n; i++) {
        int a = hexval(s.p[2 * i]), b = hexval(s.p[2 * i + 1]);
        if (a < 0 || b < 0) return false;
        out[i] = (uint8_t)(a << 4 | b);
    }
    return true;
}

/* ---- hashes ---------------------------------------------------------------------------------------------------------- */

static int c_sha256(lua_State *L)
{
    symbi_str data = symL_checkstr(L, 1);
    symbi_err err;
    uint8_t d[32];
    if (symbi_sha256(symL_ctx(L), data, d, &err)) return symL_fail(L, &err);
    return push_bytes(L, d, 32, 2);
}

static int c_hmac(lua_State *L)
{
    symbi_str key = symL_checkstr(L, 1), data = symL_checkstr(L, 2);
    symbi_err err;
    uint8_t d[32];
    if (symbi_hmac_sha256(symL_ctx(L), key, data, d, &err)) return symL_fail(L, &err);
    return push_bytes(L, d, 32, 3);
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
    return push_bytes(L, d, 32, 2);
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
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (size_t i = 0; i < s.n; i++) {
        static const char digits[] = "0123456789abcdef";
        luaL_addchar(&b, digits[(unsigned char)s.p[i] >> 4]);
        luaL_addchar(&b, digits[(unsigned char)s.p[i] & 15]);
    }
    luaL_pushresult(&b);
    return 1;
}

static int c_unhex(lua_State *L)
{
    symbi_str s = symL_checkstr(L, 1);
    symbi_err err;
    luaL_Buffer b;
    symbi_err_clear(&err);
    err.code = SYMBI_EPARSE;
    strcpy(err.msg, "not hex: an even number of digits 0-9 a-f is expected");
    if (s.n % 2) return symL_fail(L, &err);
    for (size_t i = 0; i < s.n; i++)
        if (hexval(s.p[i]) < 0) return symL_fail(L, &err);
    luaL_buffinit(L, &b);
    for (size_t i = 0; i < s.n; i += 2) luaL_addchar(&b, (char)(hexval(s.p[i]) << 4 | hexval(s.p[i + 1])));
    luaL_pushresult(&b);
    return 1;
}

/* ---- keys -------------------------------------------------------------------------------------------------------------- */

static int c_ed25519(lua_State *L)
{
    static const char *const known[] = { "seed", "public", NULL };
    symbi_str none = { NULL, 0 }, seed = none, pub = none;
    uint8_t b[32];
    symbi_err err;
    symbi_status st;
    ud_key *u;
    if (!lua_isnoneornil(L, 1)) {
        symL_checkopts(L, 1, known);
        seed = symL_optfield_str(L, 1, "seed", none);
        pub = symL_optfield_str(L, 1, "public", none);
        if (!seed.p == !pub.p) luaL_argerror(L, 1, "either seed or public is expected");
    }
    u = symL_newud(L, sizeof *u, UD_KEY);
    if (seed.p || pub.p) {
        if (!get_bytes(seed.p ? seed : pub, b, 32)) {
            symbi_err_clear(&err);
            err.code = SYMBI_EPARSE;
            strcpy(err.msg, "not an Ed25519 key: 32 bytes or 64 hex digits are expected");
            return symL_fail(L, &err);
        }
        st = seed.p ? symbi_ed25519_from_seed(symL_ctx(L), b, &u->p, &err) : symbi_ed25519_from_public(symL_ctx(L), b, &u->p, &err);
        symbi_wipe(b, sizeof b);
    } else st = symbi_ed25519_generate(symL_ctx(L), &u->p, &err);
    return st ? symL_fail(L, &err) : 1;
}

static int k_close(lua_State *L)
{
    ud_key *u = symL_checkud(L, 1, UD_KEY);
    symbi_key *k = u->p;
    u->p = NULL;
    symbi_key_unref(k);
    return 0;
}
static symbi_key *check_key(lua_State *L)
{
    ud_key *u = symL_checkud(L, 1, UD_KEY);
    if (!u->p) luaL_argerror(L, 1, "the key is closed");
    return u->p;
}

static int k_sign(lua_State *L)
{
    symbi_key *k = check_key(L);
    symbi_str data = symL_checkstr(L, 2);
    uint8_t sig[64];
    symbi_err err;
    if (symbi_ed25519_sign(symL_ctx(L), k, data, sig, &err)) return symL_fail(L, &err);
    return push_bytes(L, sig, 64, 3);
}

static int k_verify(lua_State *L)
{
    symbi_key *k = check_key(L);
    symbi_str data = symL_checkstr(L, 2), text = symL_checkstr(L, 3);
    uint8_t sig[64];
    symbi_err err;
    symbi_status st = SYMBI_EVERIFY;
    if (get_bytes(text, sig, 64)) st = symbi_ed25519_verify(symL_ctx(L), k, data, sig, &err);
    if (st && st != SYMBI_EVERIFY) return symL_fail(L, &err);
    lua_pushboolean(L, st == SYMBI_OK);
    return 1;
}

static int k_public(lua_State *L)
{
    uint8_t b[32];
    symbi_ed25519_public(check_key(L), b);
    return push_bytes(L, b, 32, 2);
}
static int k_seed(lua_State *L)
{
    symbi_key *k = check_key(L);
    uint8_t b[32];
    symbi_err err;
    int n;
    if (symbi_ed25519_seed(k, b, &err)) return symL_fail(L, &err);
    n = push_bytes(L, b, 32, 2);
    symbi_wipe(b, sizeof b);
    return n;
}
static int k_is_private(lua_State *L)
{
    lua_pushboolean(L, symbi_key_is_private(check_key(L)));
    return 1;
}
/* The first 16 hex digits of SHA-256 of the public key: what people compare. */
static int k_id(lua_State *L)
{
    uint8_t b[32], d[32];
    symbi_str s = { (const char *)b, 32 };
    symbi_err err;
    symbi_ed25519_public(check_key(L), b);
    if (symbi_sha256(symL_ctx(L), s, d, &err)) return symL_fail(L, &err);
    push_hex(L, d, 8);
    return 1;
}

void l_crypto_open(lua_State *L)
{
    static const luaL_Reg funcs[] = {
        { "sha256", c_sha256 }, { "hmac_sha256", c_hmac }, { "hasher", c_hasher }, { "equal", c_equal }, { "random", c_random },
        { "hex", c_hex },       { "unhex", c_unhex },      { "ed25519", c_ed25519 }, { NULL, NULL },
    };
    static const luaL_Reg hasher[] = { { "add", h_add }, { "finish", h_finish }, { "close", h_close }, { NULL, NULL } };
    static const luaL_Reg key[] = {
        { "sign", k_sign }, { "verify", k_verify }, { "public", k_public }, { "seed", k_seed },
        { "is_private", k_is_private }, { "id", k_id }, { "close", k_close }, { NULL, NULL },
    };
    symL_newtype(L, UD_HASHER, hasher, NULL);
    symL_newtype(L, UD_KEY, key, NULL);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
}
