/* bindings/lcrypto_key.c: keys and signatures of symbi.crypto.
 *
 *   ed25519(): a new key; ed25519{seed=}; ed25519{public=}
 *   p256(): a new key; p256{public=}: x and y, 64 bytes
 *   key_from_pem(text); key_from_jwk(table or JSON text): public only
 * -> k:kind() "ed25519" | "p256" | "rsa"; k:is_private(); k:id(); k:public([raw]); k:seed([raw]) (Ed25519)
 *    k:public_pem(); k:private_pem(); k:jwk() -> table; k:fingerprint([raw]) (SHA-256 of the SPKI); k:thumbprint([raw]) (RFC 7638)
 *    k:sign(data[, raw]), k:verify(data, signature) -> boolean: Ed25519
 *    k:es256_sign(data, form[, raw]), k:es256_verify(data, signature, form) -> boolean[, why]: P-256; form is "raw" (r||s) or "der"
 *    k:rs256_verify(data, signature) -> boolean[, why]: RSA; the signature as bytes */
#include "lcrypto.h"
#include "symbi/json.h"

#include <string.h>

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
        if (!lcrypto_get(seed.p ? seed : pub, b, 32)) return lcrypto_fail(L, SYMBI_EPARSE, "not an Ed25519 key: 32 bytes or 64 hex digits are expected");
        st = seed.p ? symbi_ed25519_from_seed(symL_ctx(L), b, &u->p, &err) : symbi_ed25519_from_public(symL_ctx(L), b, &u->p, &err);
        symbi_wipe(b, sizeof b);
    } else st = symbi_ed25519_generate(symL_ctx(L), &u->p, &err);
    return st ? symL_fail(L, &err) : 1;
}

static int c_p256(lua_State *L)
{
    static const char *const known[] = { "public", NULL };
    symbi_str none = { NULL, 0 }, pub = none;
    uint8_t b[64];
    symbi_err err;
    symbi_status st;
    ud_key *u;
    if (!lua_isnoneornil(L, 1)) {
        symL_checkopts(L, 1, known);
        pub = symL_optfield_str(L, 1, "public", none);
        if (!pub.p) luaL_argerror(L, 1, "public is expected");
    }
    u = symL_newud(L, sizeof *u, UD_KEY);
    if (pub.p) {
        if (!lcrypto_get(pub, b, 64)) return lcrypto_fail(L, SYMBI_EPARSE, "not a P-256 point: x and y, 64 bytes or 128 hex digits, are expected");
        st = symbi_p256_from_point(symL_ctx(L), b, &u->p, &err);
    } else st = symbi_p256_generate(symL_ctx(L), &u->p, &err);
    return st ? symL_fail(L, &err) : 1;
}

static int c_from_pem(lua_State *L)
{
    symbi_str text = symL_checkstr(L, 1);
    ud_key *u = symL_newud(L, sizeof *u, UD_KEY);
    symbi_err err;
    if (symbi_key_cached_pem(symL_ctx(L), text, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int c_from_jwk(lua_State *L)
{
    ud_key *u = symL_newud(L, sizeof *u, UD_KEY);
    symbi_value v;
    symbi_doc *d = NULL;
    symbi_err err;
    symbi_status st;
    if (lua_type(L, 1) == LUA_TSTRING) { /* no Lua call between parse and unref */
        st = symbi_json_parse(symL_ctx(L), symL_tostr(L, 1), &d, &err);
        if (!st) st = symbi_key_cached_jwk(symL_ctx(L), symbi_doc_root(d), &u->p, &err);
        symbi_doc_unref(d);
        if (st) return symL_fail(L, &err);
        return 1;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    st = symL_tovalue(L, 1, &v, &err);
    if (!st) st = symbi_key_cached_jwk(symL_ctx(L), &v, &u->p, &err);
    if (st) return symL_fail(L, &err);
    lua_settop(L, 2);
    return 1;
}

static int k_close(lua_State *L)
{
    ud_key *u = symL_checkud(L, 1, UD_KEY);
    symbi_key *k = u->p;
    u->p = NULL;
    symbi_key_unref(k);
    return 0;
}
symbi_key *lcrypto_checkkey(lua_State *L, int arg)
{
    ud_key *u = symL_checkud(L, arg, UD_KEY);
    if (!u->p) luaL_argerror(L, arg, "the key is closed");
    return u->p;
}

/* ---- what a key says of itself ---- */

static int k_kind(lua_State *L)
{
    lua_pushstring(L, symbi_key_kind_name(symbi_key_kind_of(lcrypto_checkkey(L, 1))));
    return 1;
}
static int k_is_private(lua_State *L)
{
    lua_pushboolean(L, symbi_key_is_private(lcrypto_checkkey(L, 1)));
    return 1;
}
static int k_public(lua_State *L)
{
    symbi_key *k = lcrypto_checkkey(L, 1);
    uint8_t b[64];
    switch (symbi_key_kind_of(k)) {
    case SYMBI_KEY_ED25519: symbi_ed25519_public(k, b); return lcrypto_push(L, b, 32, 2);
    case SYMBI_KEY_P256: symbi_p256_point(k, b); return lcrypto_push(L, b, 64, 2);
    default: return lcrypto_fail(L, SYMBI_EINVAL, "an RSA key has no raw form: public_pem() or jwk()");
    }
}
static int k_seed(lua_State *L)
{
    symbi_key *k = lcrypto_checkkey(L, 1);
    uint8_t b[32];
    symbi_err err;
    int n;
    if (symbi_ed25519_seed(k, b, &err)) return symL_fail(L, &err);
    n = lcrypto_push(L, b, 32, 2);
    symbi_wipe(b, sizeof b);
    return n;
}
/* The first 16 hex digits of a hash of the public key: what people compare. Of the raw key for Ed25519, as ever; of the SPKI for
 * the other kinds. */
static int k_id(lua_State *L)
{
    symbi_key *k = lcrypto_checkkey(L, 1);
    uint8_t b[32], d[32];
    symbi_str s = { (const char *)b, 32 };
    symbi_err err;
    if (symbi_key_kind_of(k) == SYMBI_KEY_ED25519) {
        symbi_ed25519_public(k, b);
        if (symbi_sha256(symL_ctx(L), s, d, &err)) return symL_fail(L, &err);
    } else symbi_key_spki_sha256(k, d);
    lcrypto_pushhex(L, d, 8);
    return 1;
}
static int k_fingerprint(lua_State *L)
{
    uint8_t d[32];
    symbi_key_spki_sha256(lcrypto_checkkey(L, 1), d);
    return lcrypto_push(L, d, 32, 2);
}
static int k_thumbprint(lua_State *L)
{
    uint8_t d[32];
    symbi_key_thumbprint(lcrypto_checkkey(L, 1), d);
    return lcrypto_push(L, d, 32, 2);
}
static int k_public_pem(lua_State *L)
{
    symbi_key *k = lcrypto_checkkey(L, 1);
    symbi_text *t = symL_text(L);
    symbi_err err;
    if (symbi_key_public_pem(symL_ctx(L), k, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}
static int k_private_pem(lua_State *L)
{
    symbi_key *k = lcrypto_checkkey(L, 1);
    symbi_text *t = symL_text(L);
    symbi_err err;
    if (symbi_key_private_pem(symL_ctx(L), k, t, &err)) return symL_fail(L, &err);
    symL_pushstr(L, symbi_text_str(t));
    symbi_text_wipe(t);
    return 1;
}
static int k_jwk(lua_State *L)
{
    symbi_key *k = lcrypto_checkkey(L, 1);
    symbi_text *t = symL_text(L);
    symbi_doc *d = NULL;
    symbi_err err;
    symbi_status st = symbi_key_to_jwk(symL_ctx(L), k, t, &err);
    if (!st) st = symbi_json_parse(symL_ctx(L), symbi_text_str(t), &d, &err);
    if (st) return symL_fail(L, &err);
    symL_pushdoc(L, d); /* takes d over */
    return 1;
}

/* ---- signatures ---- */

/* false for a bad signature and why, nil for a failure. */
static int push_verdict(lua_State *L, symbi_status st, const symbi_err *err)
{
    if (st && st != SYMBI_EVERIFY) return symL_fail(L, err);
    lua_pushboolean(L, st == SYMBI_OK);
    if (!st) return 1;
    lua_pushstring(L, err->msg);
    return 2;
}

static int k_sign(lua_State *L)
{
    symbi_key *k = lcrypto_checkkey(L, 1);
    symbi_str data = symL_checkstr(L, 2);
    uint8_t sig[64];
    symbi_err err;
    if (symbi_ed25519_sign(symL_ctx(L), k, data, sig, &err)) return symL_fail(L, &err);
    return lcrypto_push(L, sig, 64, 3);
}
static int k_verify(lua_State *L)
{
    symbi_key *k = lcrypto_checkkey(L, 1);
    symbi_str data = symL_checkstr(L, 2), text = symL_checkstr(L, 3);
    uint8_t sig[64];
    symbi_err err;
    symbi_status st = SYMBI_EVERIFY;
    if (symbi_key_kind_of(k) != SYMBI_KEY_ED25519) memset(sig, 0, sizeof sig); /* a wrong key is told before a wrong length */
    else if (!lcrypto_get(text, sig, 64)) {
        lua_pushboolean(L, 0);
        return 1;
    }
    st = symbi_ed25519_verify(symL_ctx(L), k, data, sig, &err);
    if (st && st != SYMBI_EVERIFY) return symL_fail(L, &err);
    lua_pushboolean(L, st == SYMBI_OK);
    return 1;
}

static symbi_es256_form check_form(lua_State *L, int arg)
{
    static const char *const names[] = { "raw", "der", NULL };
    return luaL_checkoption(L, arg, NULL, names) == 0 ? SYMBI_ES256_RAW : SYMBI_ES256_DER;
}
static int k_es256_sign(lua_State *L)
{
    symbi_key *k = lcrypto_checkkey(L, 1);
    symbi_str data = symL_checkstr(L, 2);
    symbi_es256_form form = check_form(L, 3);
    uint8_t sig[SYMBI_ES256_MAX_BYTES];
    size_t n;
    symbi_err err;
    if (symbi_es256_sign(symL_ctx(L), k, data, form, sig, &n, &err)) return symL_fail(L, &err);
    return lcrypto_push(L, sig, n, 4);
}
/* 64 bytes are no hex of them; DER begins with the byte 30, which is the character '0', and its hex with '3'. */
static int k_es256_verify(lua_State *L)
{
    symbi_key *k = lcrypto_checkkey(L, 1);
    symbi_str data = symL_checkstr(L, 2), sig = symL_checkstr(L, 3);
    symbi_es256_form form = check_form(L, 4);
    uint8_t b[SYMBI_ES256_MAX_BYTES + 8];
    symbi_err err;
    symbi_status st;
    if (form == SYMBI_ES256_RAW ? sig.n == 128 : sig.n && sig.p[0] != 0x30) {
        size_t n = lcrypto_unhex(sig, b, sizeof b);
        if (n != SIZE_MAX) {
            sig.p = (const char *)b;
            sig.n = n;
        }
    }
    st = symbi_es256_verify(symL_ctx(L), k, data, form, sig, &err);
    return push_verdict(L, st, &err);
}
static int k_rs256_verify(lua_State *L)
{
    symbi_key *k = lcrypto_checkkey(L, 1);
    symbi_str data = symL_checkstr(L, 2), sig = symL_checkstr(L, 3);
    symbi_err err;
    symbi_status st = symbi_rs256_verify(symL_ctx(L), k, data, sig, &err);
    return push_verdict(L, st, &err);
}

void lcrypto_key_open(lua_State *L)
{
    static const luaL_Reg funcs[] = {
        { "ed25519", c_ed25519 }, { "p256", c_p256 }, { "key_from_pem", c_from_pem }, { "key_from_jwk", c_from_jwk }, { NULL, NULL },
    };
    static const luaL_Reg key[] = {
        { "kind", k_kind }, { "is_private", k_is_private }, { "public", k_public }, { "seed", k_seed }, { "id", k_id },
        { "fingerprint", k_fingerprint }, { "thumbprint", k_thumbprint }, { "public_pem", k_public_pem }, { "private_pem", k_private_pem }, { "jwk", k_jwk },
        { "sign", k_sign }, { "verify", k_verify }, { "es256_sign", k_es256_sign }, { "es256_verify", k_es256_verify }, { "rs256_verify", k_rs256_verify },
        { "close", k_close }, { NULL, NULL },
    };
    symL_newtype(L, UD_KEY, key, NULL);
    symL_setfuncs(L, funcs);
}
