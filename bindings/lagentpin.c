/* bindings/lagentpin.c: symbi.core.agentpin, the part in C under symbi.agentpin (lua/symbi/agentpin.lua has the names that people
 * use). Documents go in as tables, JSON text or document objects, and come out as tables. Keys are PEM text or key objects. A
 * failure is nil, message, err with err.code the protocol's code where there is one.
 *
 *   keypair() -> private_pem, public_pem   key_id(key)   jwk(key, kid)   jwk_to_pem(jwk)   thumbprint(jwk)   key(pem) -> key object
 *   sign(key, data)   check_signature(key, data, signature) -> boolean
 *   domain_ok(text)   parse_time(text)   format_time(seconds)
 *   capability_parse capability_matches capabilities_subset(declared, requested[, admin_wildcard]) capabilities_hash capability_validate
 *   rate_limit domain_matches constraints_subset(document, credential[, strict])
 *   issue{private_key=, kid=, ...}   decode(jwt)   verify_jwt(jwt, key)   claimed_issuer(jwt)
 *   verification, stores, the rest: lagentpin_verify.c, lagentpin_store.c, lagentpin_more.c */
#include "lagentpin.h"

#include <string.h>

/* ---- keys ---- */

static ud_key *newkey(lua_State *L) { return symL_newud(L, sizeof(ud_key), UD_KEY); }

static int a_key(lua_State *L)
{
    symbi_err err;
    if (!ap_key(L, 1, &err)) return symL_fail(L, &err);
    return 1;
}

static int a_keypair(lua_State *L)
{
    ud_key *k;
    symbi_text *t;
    symbi_err err;
    lua_settop(L, 0);
    k = newkey(L);
    t = symL_text(L);
    if (symbi_p256_generate(symL_ctx(L), &k->p, &err) || symbi_key_private_pem(symL_ctx(L), k->p, t, &err)) return symL_fail(L, &err);
    symL_pushstr(L, symbi_text_str(t));
    symbi_text_wipe(t);
    if (symbi_key_public_pem(symL_ctx(L), k->p, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 2;
}

static int a_key_id(lua_State *L)
{
    symbi_err err;
    char out[65];
    symbi_key *k = ap_key(L, 1, &err);
    if (!k || symbi_agentpin_key_id(k, out, &err)) return symL_fail(L, &err);
    lua_pushstring(L, out);
    return 1;
}

static int a_jwk(lua_State *L)
{
    symbi_str kid = symL_checkstr(L, 2);
    symbi_err err;
    symbi_doc *d;
    symbi_key *k = ap_key(L, 1, &err);
    if (!k || symbi_agentpin_jwk(symL_ctx(L), k, kid, &d, &err)) return symL_fail(L, &err);
    return ap_pushdoc(L, d);
}

/* jwk_key(jwk): the key object. */
static int a_jwk_key(lua_State *L)
{
    symbi_err err;
    symbi_value v;
    ud_key *k;
    if (!ap_value(L, 1, &v, &err)) return symL_fail(L, &err);
    k = newkey(L);
    if (symbi_agentpin_jwk_key(symL_ctx(L), &v, &k->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int a_jwk_to_pem(lua_State *L)
{
    symbi_err err;
    symbi_value v;
    ud_key *k;
    symbi_text *t;
    if (!ap_value(L, 1, &v, &err)) return symL_fail(L, &err);
    k = newkey(L);
    t = symL_text(L);
    if (symbi_agentpin_jwk_key(symL_ctx(L), &v, &k->p, &err) || symbi_key_public_pem(symL_ctx(L), k->p, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int a_thumbprint(lua_State *L)
{
    symbi_err err;
    symbi_value v;
    char out[65];
    if (!ap_value(L, 1, &v, &err) || symbi_agentpin_thumbprint(symL_ctx(L), &v, out, &err)) return symL_fail(L, &err);
    lua_pushstring(L, out);
    return 1;
}

static int a_sign(lua_State *L)
{
    symbi_str data = symL_checkstr(L, 2);
    symbi_err err;
    symbi_text *t;
    symbi_key *k = ap_key(L, 1, &err);
    if (!k) return symL_fail(L, &err);
    t = symL_text(L);
    if (symbi_agentpin_sign(symL_ctx(L), k, data, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int a_check_signature(lua_State *L)
{
    symbi_str data = symL_checkstr(L, 2), sig = symL_checkstr(L, 3);
    symbi_status st;
    symbi_err err;
    symbi_key *k = ap_key(L, 1, &err);
    if (!k) return symL_fail(L, &err);
    st = symbi_agentpin_check_signature(symL_ctx(L), k, data, sig, &err);
    if (st && st != SYMBI_EVERIFY) return symL_fail(L, &err);
    lua_pushboolean(L, st == SYMBI_OK);
    return 1;
}

/* ---- names and times ---- */

static int a_domain_ok(lua_State *L)
{
    symbi_str s = symL_tostr(L, 1);
    lua_pushboolean(L, s.p && symbi_agentpin_domain_ok(s));
    return 1;
}

static int a_parse_time(lua_State *L)
{
    int64_t t;
    if (symbi_agentpin_parse_time(symL_checkstr(L, 1), &t)) symL_pushint(L, t);
    else lua_pushnil(L);
    return 1;
}

static int a_format_time(lua_State *L)
{
    char out[SYMBI_AGENTPIN_TIME_CHARS];
    symbi_agentpin_format_time(ap_now(L, 1), out);
    lua_pushstring(L, out);
    return 1;
}

/* ---- capabilities and constraints ---- */

static int a_capability_parse(lua_State *L)
{
    symbi_str action, resource;
    if (!symbi_agentpin_capability_parse(symL_checkstr(L, 1), &action, &resource)) {
        lua_pushnil(L);
        return 1;
    }
    symL_pushstr(L, action);
    symL_pushstr(L, resource);
    return 2;
}

static int a_capability_matches(lua_State *L)
{
    symbi_str declared = symL_checkstr(L, 1), requested = symL_checkstr(L, 2);
    lua_pushboolean(L, symbi_agentpin_capability_matches(declared, requested));
    return 1;
}

/* An empty Lua table is an object; where a list is wanted it is an empty list. */
static void as_list(symbi_value *v)
{
    if (v->kind != SYMBI_OBJECT || v->u.o.n) return;
    v->kind = SYMBI_ARRAY;
    v->u.a.items = NULL;
    v->u.a.n = 0;
}

static int a_capabilities_subset(lua_State *L)
{
    symbi_value declared, requested;
    symbi_err err;
    bool admin = lua_isnoneornil(L, 3) || lua_toboolean(L, 3);
    if (!ap_value(L, 1, &declared, &err) || !ap_value(L, 2, &requested, &err)) return symL_fail(L, &err);
    as_list(&requested);
    lua_pushboolean(L, symbi_agentpin_capabilities_subset(&declared, &requested, admin));
    return 1;
}

static int a_capabilities_hash(lua_State *L)
{
    symbi_value v;
    symbi_err err;
    char out[65];
    if (!ap_value(L, 1, &v, &err)) return symL_fail(L, &err);
    as_list(&v);
    if (symbi_agentpin_capabilities_hash(symL_ctx(L), &v, out, &err)) return symL_fail(L, &err);
    lua_pushstring(L, out);
    return 1;
}

static int a_capability_validate(lua_State *L)
{
    symbi_err err;
    return ap_answer(L, symbi_agentpin_capability_validate(symL_checkstr(L, 1), &err), &err, SYMBI_AGENTPIN_NONE);
}

static int a_rate_limit(lua_State *L)
{
    int64_t n;
    if (symbi_agentpin_rate_limit(symL_tostr(L, 1), &n)) symL_pushint(L, n);
    else lua_pushnil(L);
    return 1;
}

static int a_domain_matches(lua_State *L)
{
    symbi_str pattern = symL_checkstr(L, 1), domain = symL_checkstr(L, 2);
    lua_pushboolean(L, symbi_agentpin_domain_matches(pattern, domain));
    return 1;
}

static int a_constraints_subset(lua_State *L)
{
    symbi_value doc, cred;
    symbi_err err;
    bool strict = lua_isnoneornil(L, 3) || lua_toboolean(L, 3);
    if (!ap_value(L, 1, &doc, &err) || !ap_value(L, 2, &cred, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, symbi_agentpin_constraints_subset(&doc, &cred, strict));
    return 1;
}

static int a_domains_allow(lua_State *L)
{
    symbi_str domain = symL_checkstr(L, 2);
    symbi_value list;
    symbi_err err;
    if (lua_type(L, 1) == LUA_TBOOLEAN) {
        lua_pushboolean(L, 0); /* nobody; and true is no list either */
        return 1;
    }
    if (!ap_value(L, 1, &list, &err)) return symL_fail(L, &err);
    as_list(&list);
    lua_pushboolean(L, symbi_agentpin_domains_allow(&list, domain));
    return 1;
}

static bool list_or_nobody(lua_State *L, int arg, symbi_value *v, symbi_err *err)
{
    if (lua_type(L, arg) == LUA_TBOOLEAN) {
        memset(v, 0, sizeof *v);
        v->kind = SYMBI_BOOL;
        lua_pushnil(L);
        return true;
    }
    if (!ap_value(L, arg, v, err)) return false;
    as_list(v);
    return true;
}

static int a_domains_intersect(lua_State *L)
{
    symbi_value a, b;
    symbi_doc *d;
    symbi_err err;
    if (!list_or_nobody(L, 1, &a, &err) || !list_or_nobody(L, 2, &b, &err)) return symL_fail(L, &err);
    if (symbi_agentpin_domains_intersect(symL_ctx(L), &a, &b, &d, &err)) return symL_fail(L, &err);
    return ap_pushdoc(L, d);
}

/* ---- issuing ---- */

static int a_issue(lua_State *L)
{
    static const char *const known[] = { "private_key", "private_key_pem", "kid", "issuer", "agent_id", "capabilities", "audience", "constraints", "delegation_chain", "ttl_secs", "now", "jti", NULL };
    static const char *const keys[] = { "private_key", "private_key_pem", NULL };
    const symbi_str none = { NULL, 0 };
    symbi_agentpin_claims c;
    symbi_value caps, constraints, chain;
    symbi_text *t;
    symbi_key *k;
    symbi_err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    symL_checkopts(L, 1, known);
    memset(&c, 0, sizeof c);
    c.size = sizeof c;
    c.kid = symL_optfield_str(L, 1, "kid", none);
    c.issuer = symL_optfield_str(L, 1, "issuer", none);
    c.agent_id = symL_optfield_str(L, 1, "agent_id", none);
    c.audience = symL_optfield_str(L, 1, "audience", none);
    c.jti = symL_optfield_str(L, 1, "jti", none);
    c.ttl_secs = symL_optfield_int(L, 1, "ttl_secs", 3600, -((int64_t)1 << 53), (int64_t)1 << 53);
    c.now = ap_now_field(L, 1);
    k = ap_key_field(L, 1, keys, &err);
    if (!k) return symL_fail(L, &err);
    if (!ap_field(L, 1, "capabilities", &caps, &err) || !ap_field(L, 1, "constraints", &constraints, &err) || !ap_field(L, 1, "delegation_chain", &chain, &err)) return symL_fail(L, &err);
    c.capabilities = &caps;
    c.constraints = &constraints;
    c.delegation_chain = &chain;
    t = symL_text(L);
    if (symbi_agentpin_issue(symL_ctx(L), k, &c, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int a_decode(lua_State *L)
{
    symbi_doc *d;
    symbi_err err;
    if (symbi_agentpin_decode(symL_ctx(L), symL_checkstr(L, 1), &d, &err)) return ap_fail(L, &err, SYMBI_AGENTPIN_NONE);
    return ap_pushdoc(L, d);
}

static int a_verify_jwt(lua_State *L)
{
    symbi_str jwt = symL_checkstr(L, 1);
    symbi_doc *d;
    symbi_err err;
    symbi_key *k = ap_key(L, 2, &err);
    if (!k || symbi_agentpin_verify_jwt(symL_ctx(L), jwt, k, &d, &err)) return symL_fail(L, &err);
    return ap_pushdoc(L, d);
}

static int a_claimed_issuer(lua_State *L)
{
    symbi_str jwt = symL_checkstr(L, 1);
    symbi_text *t = symL_text(L);
    symbi_err err;
    if (symbi_agentpin_claimed_issuer(symL_ctx(L), jwt, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

/* ---- the module ---- */

static void push_names(lua_State *L)
{
    lua_createtable(L, 0, SYMBI_AGENTPIN_CODE_COUNT);
    for (int i = 1; i < SYMBI_AGENTPIN_CODE_COUNT; i++) {
        const char *name = symbi_agentpin_code_name((symbi_agentpin_code)i);
        lua_pushstring(L, name);
        lua_setfield(L, -2, name);
    }
    lua_setfield(L, -2, "codes");
    lua_createtable(L, 0, SYMBI_AGENTPIN_REASON_COUNT);
    for (int i = 0; i < SYMBI_AGENTPIN_REASON_COUNT; i++) {
        lua_pushstring(L, symbi_agentpin_reason_text((symbi_agentpin_reason)i));
        lua_setfield(L, -2, symbi_agentpin_reason_name((symbi_agentpin_reason)i));
    }
    lua_setfield(L, -2, "reasons");
}

static void push_limits(lua_State *L)
{
    static const struct {
        const char *name;
        int value;
    } t[] = { { "token", SYMBI_AGENTPIN_MAX_TOKEN }, { "document", SYMBI_AGENTPIN_MAX_DOCUMENT }, { "bundle", SYMBI_AGENTPIN_MAX_BUNDLE },
              { "domains", SYMBI_AGENTPIN_MAX_DOMAINS }, { "keys", SYMBI_AGENTPIN_MAX_KEYS }, { "capabilities", SYMBI_AGENTPIN_MAX_CAPABILITIES },
              { "chain", SYMBI_AGENTPIN_MAX_CHAIN }, { "nonces", SYMBI_AGENTPIN_MAX_NONCES }, { "nonce", SYMBI_AGENTPIN_MAX_NONCE },
              { "fetch_ms", SYMBI_AGENTPIN_FETCH_MS }, { "nonce_ttl", SYMBI_AGENTPIN_NONCE_TTL }, { "strict_bundle", SYMBI_AGENTPIN_STRICT_BUNDLE } };
    lua_createtable(L, 0, sizeof t / sizeof *t);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        lua_pushinteger(L, t[i].value);
        lua_setfield(L, -2, t[i].name);
    }
    lua_setfield(L, -2, "limits");
}

void l_agentpin_open(lua_State *L);
void l_agentpin_open(lua_State *L)
{
    static const luaL_Reg funcs[] = {
        { "key", a_key }, { "keypair", a_keypair }, { "key_id", a_key_id }, { "jwk", a_jwk }, { "jwk_key", a_jwk_key }, { "jwk_to_pem", a_jwk_to_pem },
        { "thumbprint", a_thumbprint }, { "sign", a_sign }, { "check_signature", a_check_signature },
        { "domain_ok", a_domain_ok }, { "parse_time", a_parse_time }, { "format_time", a_format_time },
        { "capability_parse", a_capability_parse }, { "capability_matches", a_capability_matches }, { "capabilities_subset", a_capabilities_subset },
        { "capabilities_hash", a_capabilities_hash }, { "capability_validate", a_capability_validate }, { "rate_limit", a_rate_limit },
        { "domain_matches", a_domain_matches }, { "constraints_subset", a_constraints_subset }, { "domains_allow", a_domains_allow },
        { "domains_intersect", a_domains_intersect }, { "issue", a_issue }, { "decode", a_decode }, { "verify_jwt", a_verify_jwt },
        { "claimed_issuer", a_claimed_issuer }, { NULL, NULL },
    };
    ap_result_type(L);
    ap_doc_type(L);
    ap_store_types(L);
    ap_online_type(L);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
    symL_setfuncs(L, ap_verify_funcs);
    symL_setfuncs(L, ap_store_funcs);
    symL_setfuncs(L, ap_more_funcs);
    push_names(L);
    push_limits(L);
}
