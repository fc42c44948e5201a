/* bindings/ljwt.c: symbi.jwt.
 *
 *   verify(token, options) -> claims, header | nil, message, err; err.reason says why ("EXPIRED")
 *     options: alg (needed: "HS256" "HS384" "HS512" "ES256" "ES256-DER" "RS256" "EdDSA") and one of secret, key (a key or PEM text),
 *     jwks (a table); now (seconds; default the clock), leeway, max_lifetime, exp_optional, float_times, check_iat, issuer,
 *     audience, refuse_audience, typ, required (names of claims), short_secret_ok
 *   decode(token) -> {header=, claims=, signature= (bytes), signed=}: nothing is verified
 *   sign(claims, {alg=, secret= or key=, header={...}, short_secret_ok=}) -> token; claims: a table (members sorted) or JSON text
 *   jwks(set, kid or nil, alg) -> key
 *   reasons() -> {EXPIRED = "the token has expired", ...} */
#include "lcrypto.h"
#include "symbi/json.h"
#include "symbi/jwt.h"

#include <string.h>

#define UD_JWT "symbi.jwt"
enum { MAX_REQUIRED = 32 };

/* What a call holds while Lua functions run. */
typedef struct ud_jwt {
    symbi_jwt *p;
    symbi_key *key;
    symbi_doc *doc;
} ud_jwt;

static int j_close(lua_State *L)
{
    ud_jwt *u = symL_checkud(L, 1, UD_JWT);
    ud_jwt old = *u;
    memset(u, 0, sizeof *u);
    symbi_jwt_free(old.p);
    symbi_key_unref(old.key);
    symbi_doc_unref(old.doc);
    return 0;
}

static symbi_jwt_alg to_alg(symbi_str s)
{
    static const char *const names[] = { "HS256", "HS384", "HS512", "ES256", "ES256-DER", "RS256", "EdDSA" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (s.n == strlen(names[i]) && memcmp(s.p, names[i], s.n) == 0) return (symbi_jwt_alg)(i + 1);
    return SYMBI_JWT_NONE;
}
static symbi_jwt_alg check_alg(lua_State *L, int arg)
{
    symbi_str none = { "", 0 };
    symbi_jwt_alg alg = to_alg(symL_optfield_str(L, arg, "alg", none));
    if (alg == SYMBI_JWT_NONE) luaL_argerror(L, arg, "alg must be HS256, HS384, HS512, ES256, ES256-DER, RS256 or EdDSA");
    return alg;
}

/* secret or key of the options; a PEM text is parsed into u. Leaves the stack as it was. */
static symbi_status get_key(lua_State *L, int arg, ud_jwt *u, symbi_jwt_key *out, symbi_err *err)
{
    symbi_str none = { NULL, 0 };
    symbi_status st = SYMBI_OK;
    memset(out, 0, sizeof *out);
    out->short_secret_ok = symL_optfield_bool(L, arg, "short_secret_ok", false);
    out->secret = symL_optfield_str(L, arg, "secret", none);
    lua_getfield(L, arg, "key");
    if (lua_type(L, -1) == LUA_TSTRING) {
        st = symbi_key_cached_pem(symL_ctx(L), symL_tostr(L, -1), &u->key, err);
        out->key = u->key;
    } else if (!lua_isnil(L, -1)) {
        ud_key *k = symL_testud(L, lua_gettop(L), UD_KEY);
        if (!k) luaL_argerror(L, arg, "key must be a key or PEM text");
        if (!k->p) luaL_argerror(L, arg, "the key is closed");
        u->key = symbi_key_ref(k->p);
        out->key = u->key;
    }
    lua_pop(L, 1);
    return st;
}

static int fail_with(lua_State *L, const symbi_err *err, symbi_jwt_reason reason)
{
    symL_fail(L, err);
    if (reason != SYMBI_JWT_R_OK) {
        lua_pushstring(L, symbi_jwt_reason_name(reason));
        lua_setfield(L, -2, "reason");
    }
    return 3;
}

/* ---- verify ---- */

static const char *const verify_options[] = { "alg", "secret", "key", "jwks", "now", "leeway", "max_lifetime", "exp_optional", "float_times", "check_iat",
                                              "issuer", "audience", "refuse_audience", "typ", "required", "short_secret_ok", NULL };

static size_t get_required(lua_State *L, int arg, symbi_str req[MAX_REQUIRED])
{
    size_t n;
    lua_getfield(L, arg, "required");
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return 0;
    }
    if (!lua_istable(L, -1)) luaL_argerror(L, arg, "required must be a list of claim names");
    n = symL_rawlen(L, -1);
    if (n > MAX_REQUIRED) luaL_argerror(L, arg, "required has more than 32 names");
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, -1, (int)i + 1);
        req[i] = symL_tostr(L, -1);
        if (!req[i].p) luaL_argerror(L, arg, "required must be a list of claim names");
        lua_pop(L, 1); /* the list anchors it, and the options the list */
    }
    lua_pop(L, 1);
    return n;
}

static void get_rules(lua_State *L, int arg, symbi_jwt_rules *r, symbi_str req[MAX_REQUIRED])
{
    const int64_t far = INT64_C(1) << 53;
    symbi_str none = { NULL, 0 };
    memset(r, 0, sizeof *r);
    r->size = sizeof *r;
    r->now = symL_optfield_int(L, arg, "now", symbi_ctx_now_ms(symL_ctx(L)) / 1000, -far, far);
    r->leeway = symL_optfield_int(L, arg, "leeway", 0, 0, far);
    r->max_lifetime = symL_optfield_int(L, arg, "max_lifetime", 0, 0, far);
    r->exp_optional = symL_optfield_bool(L, arg, "exp_optional", false);
    r->float_times = symL_optfield_bool(L, arg, "float_times", false);
    r->check_iat = symL_optfield_bool(L, arg, "check_iat", false);
    r->refuse_audience = symL_optfield_bool(L, arg, "refuse_audience", false);
    r->short_secret_ok = symL_optfield_bool(L, arg, "short_secret_ok", false);
    r->issuer = symL_optfield_str(L, arg, "issuer", none);
    r->audience = symL_optfield_str(L, arg, "audience", none);
    r->typ = symL_optfield_str(L, arg, "typ", none);
    /* In C an empty text means "not checked"; here a variable that turned out empty must not switch a check off. */
    if ((r->issuer.p && !r->issuer.n) || (r->audience.p && !r->audience.n) || (r->typ.p && !r->typ.n)) luaL_argerror(L, arg, "issuer, audience and typ must not be empty");
    r->required = req;
    r->required_n = get_required(L, arg, req);
}

static int f_verify(lua_State *L)
{
    symbi_str token = symL_checkstr(L, 1), req[MAX_REQUIRED];
    symbi_jwt_rules rules;
    symbi_jwt_reason reason = SYMBI_JWT_R_OK;
    symbi_jwt_alg alg;
    symbi_jwt_key key;
    symbi_value set;
    symbi_err err;
    symbi_status st;
    ud_jwt *u;
    bool by_set;
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    symL_checkopts(L, 2, verify_options);
    alg = check_alg(L, 2);
    get_rules(L, 2, &rules, req);
    u = symL_newud(L, sizeof *u, UD_JWT);
    lua_getfield(L, 2, "jwks");
    by_set = !lua_isnil(L, -1);
    st = get_key(L, 2, u, &key, &err);
    if (st) return fail_with(L, &err, SYMBI_JWT_R_KEY);
    if ((by_set ? 1 : 0) + (key.key ? 1 : 0) + (key.secret.p ? 1 : 0) != 1) luaL_argerror(L, 2, "one of secret, key and jwks is expected");
    if (by_set) {
        st = symL_tovalue(L, 4, &set, &err);
        if (st) return fail_with(L, &err, SYMBI_JWT_R_KEY);
        st = symbi_jwt_verify_jwks(symL_ctx(L), token, alg, &set, &rules, &u->p, &reason, &err);
    } else st = symbi_jwt_verify(symL_ctx(L), token, alg, &key, &rules, &u->p, &reason, &err);
    if (st) return fail_with(L, &err, reason);
    symL_pushvalue(L, symbi_jwt_claims(u->p));
    symL_pushvalue(L, symbi_jwt_header(u->p));
    return 2;
}

static int f_decode(lua_State *L)
{
    symbi_str token = symL_checkstr(L, 1);
    ud_jwt *u = symL_newud(L, sizeof *u, UD_JWT);
    symbi_jwt_reason reason = SYMBI_JWT_R_OK;
    symbi_err err;
    if (symbi_jwt_parse(symL_ctx(L), token, &u->p, &reason, &err)) return fail_with(L, &err, reason);
    lua_createtable(L, 0, 4);
    symL_pushvalue(L, symbi_jwt_header(u->p));
    lua_setfield(L, -2, "header");
    symL_pushvalue(L, symbi_jwt_claims(u->p));
    lua_setfield(L, -2, "claims");
    symL_pushstr(L, symbi_jwt_signature(u->p));
    lua_setfield(L, -2, "signature");
    symL_pushstr(L, symbi_jwt_signed_part(u->p));
    lua_setfield(L, -2, "signed");
    return 1;
}

/* ---- sign ---- */

static int f_sign(lua_State *L)
{
    static const char *const known[] = { "alg", "secret", "key", "header", "short_secret_ok", NULL };
    symbi_value claims, header;
    const symbi_value *h = NULL, *c = &claims;
    symbi_jwt_alg alg;
    symbi_jwt_key key;
    symbi_err err;
    symbi_status st;
    symbi_text *t;
    ud_jwt *u;
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    symL_checkopts(L, 2, known);
    alg = check_alg(L, 2);
    u = symL_newud(L, sizeof *u, UD_JWT);
    t = symL_text(L);
    st = get_key(L, 2, u, &key, &err);
    if (st) return symL_fail(L, &err);
    if (!key.key == !key.secret.p) luaL_argerror(L, 2, "one of secret and key is expected");
    if (lua_type(L, 1) == LUA_TSTRING) {
        st = symbi_json_parse(symL_ctx(L), symL_tostr(L, 1), &u->doc, &err);
        if (!st) c = symbi_doc_root(u->doc);
    } else {
        luaL_checktype(L, 1, LUA_TTABLE);
        st = symL_tovalue(L, 1, &claims, &err);
    }
    if (st) return symL_fail(L, &err);
    lua_getfield(L, 2, "header");
    if (!lua_isnil(L, -1)) {
        st = symL_tovalue(L, lua_gettop(L), &header, &err);
        if (st) return symL_fail(L, &err);
        h = &header;
    }
    if (symbi_jwt_issue(symL_ctx(L), alg, &key, h, c, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int f_jwks(lua_State *L)
{
    symbi_str none = { NULL, 0 }, kid, name;
    symbi_jwt_alg alg;
    symbi_value set;
    symbi_err err;
    symbi_status st;
    ud_key *k;
    luaL_checktype(L, 1, LUA_TTABLE);
    kid = symL_optstr(L, 2, none);
    name = symL_checkstr(L, 3);
    alg = to_alg(name);
    if (alg == SYMBI_JWT_NONE) luaL_argerror(L, 3, "ES256, ES256-DER, RS256 or EdDSA is expected");
    lua_settop(L, 3);
    k = symL_newud(L, sizeof *k, UD_KEY);
    st = symL_tovalue(L, 1, &set, &err);
    if (!st) st = symbi_jwks_find(symL_ctx(L), &set, kid, alg, &k->p, &err);
    if (st) return symL_fail(L, &err);
    lua_settop(L, 4);
    return 1;
}

static int f_reasons(lua_State *L)
{
    lua_createtable(L, 0, SYMBI_JWT_REASON_COUNT);
    for (int i = 1; i < SYMBI_JWT_REASON_COUNT; i++) {
        lua_pushstring(L, symbi_jwt_reason_text((symbi_jwt_reason)i));
        lua_setfield(L, -2, symbi_jwt_reason_name((symbi_jwt_reason)i));
    }
    return 1;
}

void l_jwt_open(lua_State *L)
{
    static const luaL_Reg funcs[] = {
        { "verify", f_verify }, { "decode", f_decode }, { "sign", f_sign }, { "jwks", f_jwks }, { "reasons", f_reasons }, { NULL, NULL },
    };
    static const luaL_Reg jwt[] = { { "close", j_close }, { NULL, NULL } };
    symL_newtype(L, UD_JWT, jwt, NULL);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
}
