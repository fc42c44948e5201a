/* bindings/lwebhook.c: symbi.webhook, core side: who sent this request (symbi/webhook.h has the rules in full).
 *
 *   v, msg, err = core.webhook.new{scheme=, secret= | secrets={...}, header=, prefix=, legacy=, tolerance=, timestamp_header=, payload=,
 *     issuer=, audience=, leeway=, replay=, delivery=, delivery_header=, replay_max=, replay_seconds=, max_body=}
 *   info, msg, err = v:verify(headers, body[, now])
 *     headers: {name = value or list of values, ...} or a list of {name, value}; names in any case
 *     info: {header_name=, secret=1.., timestamp=, delivery=, claims=, key=, keep_until=}; err has reason and header_name too
 *   v:use_store(store or nil), v:remembered(), v:headers(), v:close()
 *   core.webhook.reasons: {MISMATCH = "the signature does not verify", ...} */
#include "laudit.h"
#include "symL.h"
#include "symbi/webhook.h"
#include "ud.h"

#include <string.h>

#define UD_WEBHOOK "symbi.webhook"
enum { MAX_FOUND = 16 };

/* uservalue: {the store} */
typedef struct ud_webhook {
    symbi_webhook *p;
    bool stored, jwt;
} ud_webhook;

/* A verified token between verification and the table of claims; nobody else can reach it. */
#define UD_WEBHOOK_TOKEN "symbi.webhook_token"
typedef struct ud_token { symbi_jwt *p; } ud_token;
static int token_close(lua_State *L)
{
    ud_token *u = symL_checkud(L, 1, UD_WEBHOOK_TOKEN);
    symbi_jwt *j = u->p;
    u->p = NULL;
    symbi_jwt_free(j);
    return 0;
}

/* Lets go of the store; its last user may have the store's closing to do. */
static void detach(lua_State *L, ud_webhook *u)
{
    if (!u->stored) return;
    u->stored = false;
    if (u->p) symbi_webhook_use_store(u->p, NULL);
    laudit_store_drop(L);
}

static int w_close(lua_State *L)
{
    ud_webhook *u = symL_checkud(L, 1, UD_WEBHOOK);
    symbi_webhook *p;
    detach(L, u);
    p = u->p;
    u->p = NULL;
    symbi_webhook_free(p);
    return 0;
}

static ud_webhook *check(lua_State *L)
{
    ud_webhook *u = symL_checkud(L, 1, UD_WEBHOOK);
    if (!u->p) luaL_argerror(L, 1, "the verifier is closed");
    return u;
}

/* secret= or secrets=: both end up in o, the texts stay in the table. */
static void get_secrets(lua_State *L, symbi_webhook_options *o, symbi_str list[SYMBI_WEBHOOK_MAX_SECRETS + 1])
{
    lua_getfield(L, 1, "secrets");
    lua_getfield(L, 1, "secret");
    if (!lua_isnil(L, -2) && !lua_isnil(L, -1)) luaL_argerror(L, 1, "either secret or secrets is expected");
    if (!lua_isnil(L, -2)) {
        luaL_argcheck(L, lua_istable(L, -2), 1, "secrets must be a list of strings");
        o->nsecrets = symL_rawlen(L, -2);
        if (o->nsecrets > SYMBI_WEBHOOK_MAX_SECRETS) o->nsecrets = SYMBI_WEBHOOK_MAX_SECRETS + 1; /* refused further down */
        for (size_t i = 0; i < o->nsecrets; i++) {
            lua_rawgeti(L, -2, (int)i + 1);
            list[i] = symL_tostr(L, -1);
            if (!list[i].p) luaL_argerror(L, 1, "secrets must be a list of strings");
            lua_pop(L, 1);
        }
    } else if (!lua_isnil(L, -1)) {
        list[0] = symL_tostr(L, -1);
        if (!list[0].p) luaL_argerror(L, 1, "secret must be a string");
        o->nsecrets = 1;
    }
    o->secrets = list;
    lua_pop(L, 2);
}

static int w_new(lua_State *L)
{
    static const char *const known[] = { "scheme", "secret", "secrets", "header", "prefix", "legacy", "tolerance", "timestamp_header", "payload", "issuer", "audience",
                                         "leeway", "replay", "delivery", "delivery_header", "replay_max", "replay_seconds", "max_body", NULL };
    const symbi_str none = { NULL, 0 };
    symbi_str list[SYMBI_WEBHOOK_MAX_SECRETS + 1], name;
    symbi_webhook_scheme scheme;
    symbi_webhook_options o;
    symbi_err err;
    ud_webhook *u;
    luaL_checktype(L, 1, LUA_TTABLE);
    symL_checkopts(L, 1, known);
    name = symL_optfield_str(L, 1, "scheme", none);
    scheme = symbi_webhook_scheme_of(name);
    if (!scheme) luaL_argerror(L, 1, "scheme must be hmac, jwt, github, stripe, slack, standard or custom");
    symbi_webhook_options_init(&o, scheme);
    get_secrets(L, &o, list);
    o.header = symL_optfield_str(L, 1, "header", none);
    o.prefix = symL_optfield_str(L, 1, "prefix", none);
    o.legacy = symL_optfield_bool(L, 1, "legacy", false);
    o.tolerance = symL_optfield_int(L, 1, "tolerance", o.tolerance, INT64_MIN, INT64_MAX);
    o.timestamp_header = symL_optfield_str(L, 1, "timestamp_header", none);
    o.payload = symL_optfield_str(L, 1, "payload", none);
    o.issuer = symL_optfield_str(L, 1, "issuer", none);
    o.audience = symL_optfield_str(L, 1, "audience", none);
    o.leeway = symL_optfield_int(L, 1, "leeway", o.leeway, INT64_MIN, INT64_MAX);
    o.replay = symL_optfield_bool(L, 1, "replay", false);
    o.delivery_header = symL_optfield_str(L, 1, "delivery_header", none);
    o.delivery = symL_optfield_bool(L, 1, "delivery", o.delivery_header.n != 0);
    o.replay_max = (size_t)symL_optfield_int(L, 1, "replay_max", (int64_t)o.replay_max, 0, INT32_MAX);
    o.replay_seconds = symL_optfield_int(L, 1, "replay_seconds", 0, INT64_MIN, INT64_MAX);
    o.max_body = (size_t)symL_optfield_int(L, 1, "max_body", 0, 0, INT32_MAX);
    u = symL_newud(L, sizeof *u, UD_WEBHOOK);
    u->jwt = scheme == SYMBI_WEBHOOK_JWT;
    if (symbi_webhook_new(symL_ctx(L), &o, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

typedef struct found {
    symbi_webhook_header h[MAX_FOUND];
    size_t n;
} found;

static void add(lua_State *L, const symbi_webhook *w, found *f, symbi_str name)
{
    symbi_str v;
    if (f->n == MAX_FOUND || !symbi_webhook_wants(w, name)) return; /* that many of four wanted ones: two have one name */
    v = symL_tostr(L, -1);
    if (!v.p && lua_isboolean(L, -1)) v = symbi_str_z(""); /* what nginx gives for a header without a value */
    if (!v.p) luaL_argerror(L, 2, "the value of a header must be a string or a list of strings");
    f->h[f->n].name = name;
    f->h[f->n++].value = v;
}

/* The value on the top for name: a string or a list of them. The strings stay in the caller's tables. */
static void add_value(lua_State *L, const symbi_webhook *w, found *f, symbi_str name)
{
    size_t n;
    if (!lua_istable(L, -1)) {
        add(L, w, f, name);
        return;
    }
    n = symL_rawlen(L, -1);
    for (size_t i = 0; i < n && i < MAX_FOUND; i++) {
        lua_rawgeti(L, -1, (int)i + 1);
        add(L, w, f, name);
        lua_pop(L, 1);
    }
}

static void get_headers(lua_State *L, const symbi_webhook *w, found *f)
{
    f->n = 0;
    luaL_checkstack(L, 8, NULL);
    lua_pushnil(L);
    while (lua_next(L, 2)) {
        if (lua_type(L, -2) == LUA_TSTRING) add_value(L, w, f, symL_tostr(L, -2));
        else if (lua_type(L, -2) == LUA_TNUMBER && lua_istable(L, -1)) { /* {name, value} */
            symbi_str name;
            lua_rawgeti(L, -1, 1);
            name = symL_tostr(L, -1);
            lua_pop(L, 1);
            lua_rawgeti(L, -1, 2);
            if (!name.p) luaL_argerror(L, 2, "a header is {name, value}, both strings");
            add_value(L, w, f, name);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
}

static void set_hex(lua_State *L, const char *field, const uint8_t *p, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    char b[64];
    for (size_t i = 0; i < n; i++) b[2 * i] = hex[p[i] >> 4], b[2 * i + 1] = hex[p[i] & 15];
    lua_pushlstring(L, b, 2 * n);
    lua_setfield(L, -2, field);
}

/* header: a copy, because what pushing runs may close the verifier that it came from. */
static int refused(lua_State *L, const symbi_err *err, const symbi_webhook_result *r, const char *header)
{
    symL_fail(L, err);
    lua_pushstring(L, symbi_webhook_reason_name(r->reason));
    lua_setfield(L, -2, "reason");
    lua_pushstring(L, symbi_webhook_reason_text(r->reason));
    lua_setfield(L, -2, "detail");
    if (r->reason != SYMBI_WEBHOOK_R_NONE) { /* the SDK's class of it: err:is "WebhookVerificationError" */
        lua_pushliteral(L, "WebhookVerificationError");
        lua_setfield(L, -2, "name");
    }
    if (r->reason == SYMBI_WEBHOOK_R_JWT) {
        lua_pushstring(L, symbi_jwt_reason_name(r->jwt));
        lua_setfield(L, -2, "jwt_reason");
    }
    if (header[0]) {
        lua_pushstring(L, header);
        lua_setfield(L, -2, "header_name");
    }
    return 3;
}

static int w_verify(lua_State *L)
{
    ud_webhook *u = check(L);
    char header[132] = "", delivery[SYMBI_WEBHOOK_MAX_ID];
    symbi_webhook_result r;
    symbi_status st;
    symbi_err err;
    ud_token *t = NULL;
    symbi_str body;
    int64_t now;
    found f;
    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_argcheck(L, lua_type(L, 3) == LUA_TSTRING, 3, "the raw body is expected: a string");
    body = symL_checkstr(L, 3);
    now = symL_optint(L, 4, SYMBI_WEBHOOK_NOW, -1, (int64_t)1 << 52);
    lua_settop(L, 3);
    if (u->jwt) {
        t = symL_newud(L, sizeof *t, UD_WEBHOOK_TOKEN);
        check(L); /* nothing closed it meanwhile */
    }
    get_headers(L, u->p, &f);
    symbi_err_clear(&err);
    st = symbi_webhook_verify(u->p, f.h, f.n, body, now, &r, &err);
    if (t) t->p = r.token;
    if (r.header) {
        size_t n = strlen(r.header);
        memcpy(header, r.header, n < sizeof header ? n + 1 : 0);
    }
    if (st) return refused(L, &err, &r, header);
    if (r.delivery.p) memcpy(delivery, r.delivery.p, r.delivery.n);
    lua_createtable(L, 0, 4);
    if (r.delivery.p) {
        lua_pushlstring(L, delivery, r.delivery.n);
        lua_setfield(L, -2, "delivery");
    }
    lua_pushstring(L, header);
    lua_setfield(L, -2, "header_name");
    symL_pushint(L, (int64_t)r.secret + 1);
    lua_setfield(L, -2, "secret");
    if (r.has_timestamp) {
        symL_pushint(L, r.timestamp);
        lua_setfield(L, -2, "timestamp");
    }
    if (r.has_key) {
        set_hex(L, "key", r.key, 32);
        symL_pushint(L, r.keep_until);
        lua_setfield(L, -2, "keep_until");
    }
    if (t) {
        symL_pushvalue(L, symbi_jwt_claims(t->p));
        lua_setfield(L, -2, "claims");
    }
    return 1;
}

/* use_store(store): also keeps the store alive; use_store(nil): memory alone again. */
static int w_use_store(lua_State *L)
{
    ud_store *held;
    ud_webhook *u = check(L);
    lua_settop(L, 2);
    held = lua_isnil(L, 2) ? NULL : laudit_store_hold(L, 2); /* whatever can raise comes before the old one goes */
    detach(L, u);
    if (held) {
        symL_setuservalue(L, 1);
        held->users++;
        u->stored = true;
        symbi_webhook_use_store(u->p, &held->store);
    }
    lua_settop(L, 1);
    return 1;
}

static int w_remembered(lua_State *L)
{
    symL_pushint(L, (int64_t)symbi_webhook_remembered(check(L)->p));
    return 1;
}

/* headers(): the names that verification looks at, in lower case. */
static int w_headers(lua_State *L)
{
    ud_webhook *u = check(L);
    const char *name;
    lua_newtable(L);
    for (size_t i = 0; (name = symbi_webhook_header_name(u->p, i)); i++) {
        lua_pushstring(L, name);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

void l_webhook_open(lua_State *L);
void l_webhook_open(lua_State *L)
{
    static const luaL_Reg methods[] = { { "verify", w_verify },   { "use_store", w_use_store }, { "remembered", w_remembered },
                                        { "headers", w_headers }, { "close", w_close },         { NULL, NULL } };
    static const luaL_Reg meta[] = { { "__gc", w_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "new", w_new }, { NULL, NULL } };
    static const luaL_Reg token_meta[] = { { "__gc", token_close }, { NULL, NULL } };
    symL_newtype(L, UD_WEBHOOK, methods, meta);
    symL_newtype(L, UD_WEBHOOK_TOKEN, NULL, token_meta);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
    lua_newtable(L);
    for (int r = SYMBI_WEBHOOK_R_NONE; r < SYMBI_WEBHOOK_REASON_COUNT; r++) {
        lua_pushstring(L, symbi_webhook_reason_text((symbi_webhook_reason)r));
        lua_setfield(L, -2, symbi_webhook_reason_name((symbi_webhook_reason)r));
    }
    lua_setfield(L, -2, "reasons");
}
