/* bindings/lauth.c: symbi.auth, core side: sessions, roles, small texts (symbi/auth.h has the rules in full); API keys are lauth_keys.c.
 *
 *   a = core.auth.new{secret= | key=, sign_key=, algorithm="HS256", issuer=, audience=, access_seconds=, refresh_seconds=, leeway=, refresh=, plain=, max_revoked=, short_secret=}
 *     a:login({user_id=, roles={...}, permissions={...}}, now) -> access, refresh
 *     a:issue(type, {user_id=, roles=, permissions=, seconds=, family=}, now) -> token
 *     a:validate(token, now[, type]) -> user; a:refresh(token, now) -> access, refresh, user; a:logout(token, now)
 *     a:role(name, permissions[, expires_at]); a:permissions(roles, now) -> list; a:permitted(roles, action, now) -> boolean; a:use_store(store)
 *   core.auth.environment(text) -> name; core.auth.check_token(text) -> token; core.auth.same_token(presented, expected)
 *   core.auth.reasons: {REVOKED = "the token was revoked", ...}
 * Errors have reason (and jwt_reason) beside code. now is Unix seconds; nil is the clock. */
#include "laudit.h"
#include "lauth.h"
#include "ud.h"

#include <string.h>

#define UD_AUTH "symbi.auth"

/* uservalue: {the store} */
typedef struct ud_auth {
    symbi_auth *p;
    bool stored;
} ud_auth;

static int answer_close(lua_State *L)
{
    ud_answer *u = symL_checkud(L, 1, UD_ANSWER);
    symbi_doc *d = u->user;
    u->user = NULL;
    symbi_text_wipe(&u->a);
    symbi_text_wipe(&u->b);
    symbi_doc_unref(d);
    return 0;
}
static void detach(lua_State *L, ud_auth *u)
{
    if (!u->stored) return;
    u->stored = false;
    if (u->p) symbi_auth_use_store(u->p, NULL);
    laudit_store_drop(L);
}
static int auth_close(lua_State *L)
{
    ud_auth *u = symL_checkud(L, 1, UD_AUTH);
    symbi_auth *p;
    detach(L, u);
    p = u->p;
    u->p = NULL;
    symbi_auth_free(p);
    return 0;
}

static symbi_auth *check_auth(lua_State *L)
{
    ud_auth *u = symL_checkud(L, 1, UD_AUTH);
    if (!u->p) luaL_argerror(L, 1, "the manager is closed");
    return u->p;
}

int64_t lauth_now(lua_State *L, int arg)
{
    if (lua_isnoneornil(L, arg)) return symbi_ctx_now_ms(symL_ctx(L)) / 1000;
    return symL_checkint(L, arg, 0, (int64_t)1 << 40);
}

void lauth_give(lua_State *L, symbi_text *t)
{
    if (t->p) lua_pushlstring(L, t->p, t->n);
    else lua_pushnil(L);
    symbi_text_wipe(t);
}

size_t lauth_texts(lua_State *L, int arg, const char *name, symbi_str *out, size_t max, bool *there)
{
    size_t n;
    if (name) lua_getfield(L, arg, name);
    else lua_pushvalue(L, arg);
    if (there) *there = !lua_isnil(L, -1) && lua_type(L, -1) != LUA_TLIGHTUSERDATA;
    if (lua_isnil(L, -1) || lua_type(L, -1) == LUA_TLIGHTUSERDATA) {
        lua_pop(L, 1);
        return 0;
    }
    luaL_argcheck(L, lua_istable(L, -1), arg, "a list of strings is expected");
    n = symL_rawlen(L, -1);
    if (n > max) luaL_argerror(L, arg, "the list is too long");
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, -1, (int)i + 1);
        out[i] = symL_tostr(L, -1);
        luaL_argcheck(L, out[i].p, arg, "a list of strings is expected");
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return n;
}

unsigned lauth_permissions(lua_State *L, int arg, const char *name)
{
    symbi_str list[32];
    unsigned p = 0;
    size_t n = lauth_texts(L, arg, name, list, 32, NULL);
    for (size_t i = 0; i < n; i++) {
        unsigned bit = symbi_permission_of(list[i]);
        if (!bit) luaL_error(L, "unknown permission '%s' (read, write, delete, admin, execute)", list[i].p);
        p |= bit;
    }
    return p;
}

void lauth_push_permissions(lua_State *L, unsigned have)
{
    int n = 0;
    lua_newtable(L);
    symL_setarray(L);
    for (unsigned bit = 1; bit <= SYMBI_PERM_EXECUTE; bit <<= 1)
        if (have & bit) {
            lua_pushstring(L, symbi_permission_name(bit));
            lua_rawseti(L, -2, ++n);
        }
}

/* ---- sessions ---- */

static symbi_jwt_alg get_alg(lua_State *L, int arg)
{
    static const symbi_jwt_alg t[] = { SYMBI_JWT_HS256, SYMBI_JWT_HS384, SYMBI_JWT_HS512, SYMBI_JWT_ES256, SYMBI_JWT_RS256, SYMBI_JWT_EDDSA };
    symbi_str s = symL_optfield_str(L, arg, "algorithm", symbi_str_z("HS256"));
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        const char *z = symbi_jwt_alg_name(t[i]);
        if (s.n == strlen(z) && !memcmp(s.p, z, s.n)) return t[i];
    }
    return SYMBI_JWT_NONE; /* refused further down, with what there is */
}

/* The key in field name; keeps it on the stack. */
static const symbi_key *get_key(lua_State *L, const char *name)
{
    ud_key *k;
    lua_getfield(L, 1, name);
    if (lua_isnil(L, -1)) return NULL;
    k = symL_checkud(L, -1, UD_KEY);
    if (!k->p) luaL_argerror(L, 1, "the key is closed");
    return k->p;
}

static int c_new(lua_State *L)
{
    static const char *const known[] = { "secret", "key", "sign_key", "algorithm", "issuer", "audience", "access_seconds", "refresh_seconds", "leeway", "refresh", "plain", "max_revoked", "short_secret", NULL };
    symbi_auth_options o;
    symbi_err err;
    ud_auth *u;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    symL_checkopts(L, 1, known);
    symbi_auth_options_init(&o);
    o.alg = get_alg(L, 1);
    o.verify.secret = symL_optfield_str(L, 1, "secret", (symbi_str){ NULL, 0 });
    o.verify.short_secret_ok = symL_optfield_bool(L, 1, "short_secret", false);
    o.verify.key = get_key(L, "key");
    o.sign.key = get_key(L, "sign_key");
    o.issuer = symL_optfield_str(L, 1, "issuer", o.issuer);
    o.audience = symL_optfield_str(L, 1, "audience", o.audience);
    o.access_seconds = symL_optfield_int(L, 1, "access_seconds", o.access_seconds, INT64_MIN, INT64_MAX);
    o.refresh_seconds = symL_optfield_int(L, 1, "refresh_seconds", o.refresh_seconds, INT64_MIN, INT64_MAX);
    o.leeway = symL_optfield_int(L, 1, "leeway", 0, INT64_MIN, INT64_MAX);
    o.refresh = symL_optfield_bool(L, 1, "refresh", true);
    o.plain = symL_optfield_bool(L, 1, "plain", false);
    o.max_revoked = (size_t)symL_optfield_int(L, 1, "max_revoked", (int64_t)o.max_revoked, 0, INT32_MAX);
    u = symL_newud(L, sizeof *u, UD_AUTH);
    if (symbi_auth_new(symL_ctx(L), &o, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

/* The claims in the table at arg; the lists live in a userdata on the stack. */
static void get_claims(lua_State *L, int arg, symbi_auth_claims *c)
{
    static const char *const known[] = { "user_id", "roles", "permissions", "seconds", "family", NULL };
    const symbi_str none = { NULL, 0 };
    symbi_str *roles;
    memset(c, 0, sizeof *c);
    luaL_checktype(L, arg, LUA_TTABLE);
    symL_checkopts(L, arg, known);
    c->user_id = symL_optfield_str(L, arg, "user_id", none);
    c->family = symL_optfield_str(L, arg, "family", none);
    c->seconds = symL_optfield_int(L, arg, "seconds", -1, -1, INT64_MAX);
    c->permissions = lauth_permissions(L, arg, "permissions");
    roles = lua_newuserdata(L, SYMBI_AUTH_MAX_LIST * sizeof *roles);
    c->nroles = lauth_texts(L, arg, "roles", roles, SYMBI_AUTH_MAX_LIST, NULL);
    c->roles = roles;
}

static symbi_token_type get_type(lua_State *L, int arg, const char *dflt)
{
    symbi_str s = symL_optstr(L, arg, symbi_str_z(dflt));
    for (int t = SYMBI_TOKEN_ACCESS; t <= SYMBI_TOKEN_API_KEY; t++) {
        const char *z = symbi_token_type_name((symbi_token_type)t);
        if (s.n == strlen(z) && !memcmp(s.p, z, s.n)) return (symbi_token_type)t;
    }
    luaL_argerror(L, arg, "\"access\", \"refresh\" or \"api_key\" is expected");
    return 0;
}

static int a_login(lua_State *L)
{
    symbi_auth *a = check_auth(L);
    int64_t now = lauth_now(L, 3);
    symbi_auth_claims c;
    ud_answer *u;
    symbi_err err;
    get_claims(L, 2, &c);
    u = symL_newud(L, sizeof *u, UD_ANSWER);
    if (symbi_auth_login(a, &c, now, &u->a, &u->b, &err)) return symL_fail(L, &err);
    lauth_give(L, &u->a);
    lauth_give(L, &u->b);
    return 2;
}

static int a_issue(lua_State *L)
{
    symbi_auth *a = check_auth(L);
    symbi_token_type type = get_type(L, 2, "access");
    int64_t now = lauth_now(L, 4);
    symbi_auth_claims c;
    ud_answer *u;
    symbi_err err;
    get_claims(L, 3, &c);
    u = symL_newud(L, sizeof *u, UD_ANSWER);
    if (symbi_auth_issue(a, type, &c, now, &u->a, &err)) return symL_fail(L, &err);
    lauth_give(L, &u->a);
    return 1;
}

static int refused(lua_State *L, const symbi_err *err, const symbi_auth_answer *r)
{
    symL_fail(L, err);
    lua_pushstring(L, symbi_auth_reason_name(r->reason));
    lua_setfield(L, -2, "reason");
    if (r->reason == SYMBI_AUTH_R_JWT) {
        lua_pushstring(L, symbi_jwt_reason_name(r->jwt));
        lua_setfield(L, -2, "jwt_reason");
    }
    return 3;
}

static void push_user(lua_State *L, ud_answer *u)
{
    symbi_doc *d = u->user;
    u->user = NULL;
    symL_pushdoc(L, d);
}

static int a_validate(lua_State *L)
{
    symbi_auth *a = check_auth(L);
    symbi_str token = symL_checkstr(L, 2);
    int64_t now = lauth_now(L, 3);
    symbi_token_type type = get_type(L, 4, "access");
    symbi_auth_answer r;
    ud_answer *u = symL_newud(L, sizeof *u, UD_ANSWER);
    symbi_err err;
    symbi_status st = symbi_auth_validate(a, token, type, now, &r, &err);
    u->user = r.user;
    if (st) return refused(L, &err, &r);
    push_user(L, u);
    return 1;
}

static int a_refresh(lua_State *L)
{
    symbi_auth *a = check_auth(L);
    symbi_str token = symL_checkstr(L, 2);
    int64_t now = lauth_now(L, 3);
    symbi_auth_answer r;
    ud_answer *u = symL_newud(L, sizeof *u, UD_ANSWER);
    symbi_err err;
    symbi_status st = symbi_auth_refresh(a, token, now, &u->a, &u->b, &r, &err);
    u->user = r.user;
    if (st) return refused(L, &err, &r);
    lauth_give(L, &u->a);
    lauth_give(L, &u->b);
    push_user(L, u);
    return 3;
}

static int a_logout(lua_State *L)
{
    symbi_auth *a = check_auth(L);
    symbi_str token = symL_checkstr(L, 2);
    int64_t now = lauth_now(L, 3);
    symbi_auth_answer r;
    symbi_err err;
    if (symbi_auth_logout(a, token, now, &r, &err)) return refused(L, &err, &r);
    lua_pushboolean(L, 1);
    return 1;
}

static int a_role(lua_State *L)
{
    symbi_auth *a = check_auth(L);
    symbi_str name = symL_checkstr(L, 2);
    int64_t expires = symL_optint(L, 4, 0, 0, (int64_t)1 << 40);
    unsigned p;
    symbi_err err;
    luaL_checktype(L, 3, LUA_TTABLE);
    p = lauth_permissions(L, 3, NULL);
    if (symbi_auth_role_set(a, name, p, expires, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int a_permissions(lua_State *L)
{
    symbi_str roles[SYMBI_AUTH_MAX_LIST];
    symbi_auth *a = check_auth(L);
    int64_t now = lauth_now(L, 3);
    size_t n = lauth_texts(L, 2, NULL, roles, SYMBI_AUTH_MAX_LIST, NULL);
    lauth_push_permissions(L, symbi_auth_permissions(a, roles, n, now));
    return 1;
}

static int a_permitted(lua_State *L)
{
    symbi_str roles[SYMBI_AUTH_MAX_LIST];
    symbi_auth *a = check_auth(L);
    symbi_str action = symL_checkstr(L, 3);
    int64_t now = lauth_now(L, 4);
    size_t n = lauth_texts(L, 2, NULL, roles, SYMBI_AUTH_MAX_LIST, NULL);
    lua_pushboolean(L, symbi_auth_permitted(a, roles, n, action, now));
    return 1;
}

static int a_use_store(lua_State *L)
{
    ud_store *held;
    ud_auth *u = symL_checkud(L, 1, UD_AUTH);
    check_auth(L);
    lua_settop(L, 2);
    held = lua_isnil(L, 2) ? NULL : laudit_store_hold(L, 2); /* whatever can raise comes before the old one goes */
    detach(L, u);
    if (held) {
        symL_setuservalue(L, 1);
        held->users++;
        u->stored = true;
        symbi_auth_use_store(u->p, &held->store);
    }
    lua_settop(L, 1);
    return 1;
}

/* ---- words ---- */

static int c_environment(lua_State *L)
{
    symbi_str text = symL_optstr(L, 1, (symbi_str){ "", 0 });
    symbi_environment e;
    symbi_err err;
    if (symbi_environment_parse(text, &e, &err)) return symL_fail(L, &err);
    lua_pushstring(L, symbi_environment_name(e));
    return 1;
}
static int c_check_token(lua_State *L)
{
    symbi_str text = symL_checkstr(L, 1), t;
    symbi_err err;
    if (symbi_static_token_check(text, &t, &err)) return symL_fail(L, &err);
    symL_pushstr(L, t);
    return 1;
}
static int c_same_token(lua_State *L)
{
    symbi_str a = symL_checkstr(L, 1), b = symL_checkstr(L, 2);
    symbi_err err;
    symbi_status st = symbi_static_token_verify(symL_ctx(L), a, b, &err);
    if (st && st != SYMBI_EVERIFY) return symL_fail(L, &err);
    lua_pushboolean(L, st == SYMBI_OK);
    return 1;
}

void l_auth_open(lua_State *L);
void l_auth_open(lua_State *L)
{
    static const luaL_Reg funcs[] = { { "new", c_new }, { "environment", c_environment }, { "check_token", c_check_token }, { "same_token", c_same_token }, { NULL, NULL } };
    static const luaL_Reg auth[] = { { "login", a_login },   { "issue", a_issue }, { "validate", a_validate },       { "refresh", a_refresh },     { "logout", a_logout },
                                     { "role", a_role },     { "permissions", a_permissions }, { "permitted", a_permitted }, { "use_store", a_use_store }, { "close", auth_close },
                                     { NULL, NULL } };
    static const luaL_Reg auth_meta[] = { { "__gc", auth_close }, { NULL, NULL } };
    static const luaL_Reg answer_meta[] = { { "__gc", answer_close }, { NULL, NULL } };
    symL_newtype(L, UD_AUTH, auth, auth_meta);
    symL_newtype(L, UD_ANSWER, NULL, answer_meta);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
    lauth_keys_open(L);
    lua_newtable(L);
    for (int r = SYMBI_AUTH_R_NONE; r < SYMBI_AUTH_REASON_COUNT; r++) {
        lua_pushstring(L, symbi_auth_reason_text((symbi_auth_reason)r));
        lua_setfield(L, -2, symbi_auth_reason_name((symbi_auth_reason)r));
    }
    lua_setfield(L, -2, "reasons");
}
