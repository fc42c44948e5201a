/* bindings/lagentpin_more.c: documents (discovery, revocation, rotation, bundles), delegation, mutual authentication, transports,
 * DNS and agent cards. Each function takes and gives what its namesake in symbi/agentpin.h does. */
#include "lagentpin.h"

#include <string.h>

static const symbi_str none = { NULL, 0 };

static void as_list(symbi_value *v)
{
    if (v->kind != SYMBI_OBJECT || v->u.o.n) return;
    v->kind = SYMBI_ARRAY;
    v->u.a.items = NULL;
    v->u.a.n = 0;
}

/* ---- discovery ---- */

static int a_discovery_build(lua_State *L)
{
    static const char *const known[] = { "entity", "entity_type", "public_keys", "agents", "max_delegation_depth", "updated_at", "now", "a2a_endpoint", NULL };
    symbi_agentpin_discovery d;
    symbi_value keys, agents;
    symbi_doc *out;
    symbi_err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    symL_checkopts(L, 1, known);
    memset(&d, 0, sizeof d);
    d.size = sizeof d;
    d.entity = symL_optfield_str(L, 1, "entity", none);
    d.entity_type = symL_optfield_str(L, 1, "entity_type", none);
    d.updated_at = symL_optfield_str(L, 1, "updated_at", none);
    d.a2a_endpoint = symL_optfield_str(L, 1, "a2a_endpoint", none);
    d.max_delegation_depth = symL_optfield_int(L, 1, "max_delegation_depth", 0, -1000, 1000);
    d.now = ap_now_field(L, 1);
    if (!ap_field(L, 1, "public_keys", &keys, &err) || !ap_field(L, 1, "agents", &agents, &err)) return symL_fail(L, &err);
    d.public_keys = &keys;
    d.agents = &agents;
    if (symbi_agentpin_discovery_build(symL_ctx(L), &d, &out, &err)) return symL_fail(L, &err);
    return ap_pushdoc(L, out);
}

static int a_discovery_validate(lua_State *L)
{
    symbi_str entity = symL_checkstr(L, 2);
    bool strict = lua_isnoneornil(L, 3) || lua_toboolean(L, 3);
    symbi_agentpin_code code = SYMBI_AGENTPIN_NONE;
    symbi_status st;
    symbi_value doc;
    symbi_err err;
    if (!ap_value(L, 1, &doc, &err)) return symL_fail(L, &err);
    st = symbi_agentpin_discovery_validate(&doc, entity, strict, &code, NULL, &err);
    return ap_answer(L, st, &err, code);
}

static int push_found(lua_State *L, const symbi_value *v)
{
    if (v) symL_pushvalue(L, v);
    else lua_pushnil(L);
    return 1;
}

static int a_find_key(lua_State *L)
{
    symbi_str id = symL_checkstr(L, 2);
    symbi_value doc;
    symbi_err err;
    if (!ap_value(L, 1, &doc, &err)) return symL_fail(L, &err);
    return push_found(L, symbi_agentpin_find_key(&doc, id));
}

static int a_find_agent(lua_State *L)
{
    symbi_str id = symL_checkstr(L, 2);
    symbi_value doc;
    symbi_err err;
    if (!ap_value(L, 1, &doc, &err)) return symL_fail(L, &err);
    return push_found(L, symbi_agentpin_find_agent(&doc, id));
}

/* ---- revocation and rotation ---- */

static int a_revocation_check(lua_State *L)
{
    const symbi_str empty = { "", 0 };
    symbi_str entity = symL_optstr(L, 2, empty), jti = symL_optstr(L, 3, empty), agent = symL_optstr(L, 4, empty), kid = symL_optstr(L, 5, empty);
    symbi_agentpin_code code = SYMBI_AGENTPIN_NONE;
    symbi_status st;
    symbi_value doc;
    symbi_err err;
    if (!ap_value(L, 1, &doc, &err)) return symL_fail(L, &err);
    st = symbi_agentpin_revocation_check(&doc, entity, jti, agent, kid, &code, NULL, &err);
    return ap_answer(L, st, &err, code);
}

static int a_revocation_build(lua_State *L)
{
    symbi_str entity = symL_checkstr(L, 1);
    int64_t now = ap_now(L, 2);
    symbi_doc *d;
    symbi_err err;
    if (symbi_agentpin_revocation_build(symL_ctx(L), entity, now, &d, &err)) return symL_fail(L, &err);
    return ap_pushdoc(L, d);
}

/* revocation_add(doc, "credential" | "agent" | "key", id, reason[, now]) */
static int a_revocation_add(lua_State *L)
{
    static const char *const kinds[] = { "credential", "agent", "key", NULL };
    int what = luaL_checkoption(L, 2, NULL, kinds);
    symbi_str id = symL_checkstr(L, 3), reason = symL_checkstr(L, 4);
    int64_t now = ap_now(L, 5);
    symbi_value doc;
    symbi_doc *d;
    symbi_err err;
    if (!ap_value(L, 1, &doc, &err) || symbi_agentpin_revocation_add(symL_ctx(L), &doc, (symbi_agentpin_revoke)what, id, reason, now, &d, &err)) return symL_fail(L, &err);
    return ap_pushdoc(L, d);
}

static int a_revocation_reason_ok(lua_State *L)
{
    lua_pushboolean(L, symbi_agentpin_revocation_reason_ok(symL_checkstr(L, 1)));
    return 1;
}

static int a_rotation_apply(lua_State *L)
{
    int64_t now = ap_now(L, 3);
    symbi_value doc, jwk;
    symbi_doc *d;
    symbi_err err;
    if (!ap_value(L, 1, &doc, &err) || !ap_value(L, 2, &jwk, &err) || symbi_agentpin_rotation_apply(symL_ctx(L), &doc, &jwk, now, &d, &err)) return symL_fail(L, &err);
    return ap_pushdoc(L, d);
}

/* rotation_complete(doc, revocation, old_kid, reason[, now]) -> doc, revocation */
static int a_rotation_complete(lua_State *L)
{
    symbi_str kid = symL_checkstr(L, 3), reason = symL_checkstr(L, 4);
    int64_t now = ap_now(L, 5);
    symbi_value doc, rev;
    ud_ap_doc *a, *b;
    symbi_err err;
    if (!ap_value(L, 1, &doc, &err) || !ap_value(L, 2, &rev, &err)) return symL_fail(L, &err);
    a = ap_newdoc(L);
    b = ap_newdoc(L);
    if (symbi_agentpin_rotation_complete(symL_ctx(L), &doc, &rev, kid, reason, now, &a->p, &b->p, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, symbi_doc_ref(a->p));
    symL_pushdoc(L, symbi_doc_ref(b->p));
    return 2;
}

/* ---- bundles ---- */

/* bundle_create([documents[, revocations[, now]]]) */
static int a_bundle_create(lua_State *L)
{
    int64_t now = ap_now(L, 3);
    symbi_value docs, revs;
    symbi_doc *d;
    symbi_err err;
    if (!ap_value(L, 1, &docs, &err) || !ap_value(L, 2, &revs, &err) || symbi_agentpin_bundle_create(symL_ctx(L), &docs, &revs, now, &d, &err)) return symL_fail(L, &err);
    return ap_pushdoc(L, d);
}

/* bundle_check(bundle[, {strict=, now=, max_age_secs=, not_before=}]) */
static int a_bundle_check(lua_State *L)
{
    static const char *const known[] = { "strict", "now", "max_age_secs", "not_before", NULL };
    symbi_agentpin_bundle_rules r;
    symbi_agentpin_code code = SYMBI_AGENTPIN_NONE;
    symbi_status st;
    symbi_value b;
    symbi_err err;
    memset(&r, 0, sizeof r);
    r.size = sizeof r;
    r.now = ap_now_field(L, 2);
    if (!lua_isnoneornil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        symL_checkopts(L, 2, known);
        r.strict = symL_optfield_bool(L, 2, "strict", false);
        r.max_age_secs = symL_optfield_int(L, 2, "max_age_secs", 0, 0, (int64_t)1 << 53);
        r.not_before = symL_optfield_str(L, 2, "not_before", none);
    }
    if (!ap_value(L, 1, &b, &err)) return symL_fail(L, &err);
    st = symbi_agentpin_bundle_check(&b, &r, &code, &err);
    return ap_answer(L, st, &err, code);
}

static int a_bundle_discovery(lua_State *L)
{
    symbi_str domain = symL_checkstr(L, 2);
    symbi_value b;
    symbi_err err;
    if (!ap_value(L, 1, &b, &err)) return symL_fail(L, &err);
    return push_found(L, symbi_agentpin_bundle_discovery(&b, domain));
}

static int a_bundle_revocation(lua_State *L)
{
    symbi_str domain = symL_checkstr(L, 2);
    symbi_value b;
    symbi_err err;
    if (!ap_value(L, 1, &b, &err)) return symL_fail(L, &err);
    return push_found(L, symbi_agentpin_bundle_revocation(&b, domain));
}

/* ---- delegation: the table at 1 has domain, role, agent_id, delegatee_domain, delegatee_agent_id, capabilities ---- */

static bool attestation(lua_State *L, symbi_agentpin_attestation *a, symbi_value *caps, symbi_err *err)
{
    static const char *const known[] = { "domain", "role", "agent_id", "delegatee_domain", "delegatee_agent_id", "capabilities", "kid", "private_key", "private_key_pem", NULL };
    luaL_checktype(L, 1, LUA_TTABLE);
    symL_checkopts(L, 1, known);
    a->domain = symL_optfield_str(L, 1, "domain", none);
    a->role = symL_optfield_str(L, 1, "role", none);
    a->agent_id = symL_optfield_str(L, 1, "agent_id", none);
    a->delegatee_domain = symL_optfield_str(L, 1, "delegatee_domain", none);
    a->delegatee_agent_id = symL_optfield_str(L, 1, "delegatee_agent_id", none);
    if (!ap_field(L, 1, "capabilities", caps, err)) return false;
    as_list(caps);
    a->capabilities = caps;
    return true;
}

static int a_attestation_input(lua_State *L)
{
    symbi_agentpin_attestation a;
    symbi_value caps;
    symbi_text *t;
    symbi_err err;
    lua_settop(L, 1);
    if (!attestation(L, &a, &caps, &err)) return symL_fail(L, &err);
    t = symL_text(L);
    if (symbi_agentpin_attestation_input(symL_ctx(L), &a, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int a_attestation_create(lua_State *L)
{
    static const char *const keys[] = { "private_key", "private_key_pem", NULL };
    symbi_agentpin_attestation a;
    symbi_value caps;
    symbi_str kid;
    symbi_key *k;
    symbi_doc *d;
    symbi_err err;
    lua_settop(L, 1);
    if (!attestation(L, &a, &caps, &err)) return symL_fail(L, &err);
    kid = symL_optfield_str(L, 1, "kid", none);
    k = ap_key_field(L, 1, keys, &err);
    if (!k || symbi_agentpin_attestation_create(symL_ctx(L), k, kid, &a, &d, &err)) return symL_fail(L, &err);
    return ap_pushdoc(L, d);
}

/* attestation_verify(entry, key, delegatee_domain, delegatee_agent_id, capabilities) */
static int a_attestation_verify(lua_State *L)
{
    symbi_str domain = symL_checkstr(L, 3), agent = symL_checkstr(L, 4);
    symbi_agentpin_code code = SYMBI_AGENTPIN_NONE;
    symbi_value entry, caps;
    symbi_status st;
    symbi_key *k;
    symbi_err err;
    lua_settop(L, 5);
    if (!ap_value(L, 1, &entry, &err) || !(k = ap_key(L, 2, &err)) || !ap_value(L, 5, &caps, &err)) return symL_fail(L, &err);
    as_list(&caps);
    st = symbi_agentpin_attestation_verify(symL_ctx(L), &entry, k, domain, agent, &caps, &code, &err);
    return ap_answer(L, st, &err, code);
}

/* chain_depth(length, {depth, ...}) */
static int a_chain_depth(lua_State *L)
{
    int64_t length = symL_checkint(L, 1, 0, INT32_MAX), depths[64];
    symbi_agentpin_code code = SYMBI_AGENTPIN_NONE;
    symbi_status st;
    symbi_err err;
    size_t n;
    luaL_checktype(L, 2, LUA_TTABLE);
    n = symL_rawlen(L, 2);
    if (n > 64) return luaL_argerror(L, 2, "more than 64 depths");
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 2, (int)i + 1);
        depths[i] = symL_checkint(L, lua_gettop(L), -1000, 1000);
        lua_pop(L, 1);
    }
    st = symbi_agentpin_chain_depth(length, depths, n, &code, &err);
    return ap_answer(L, st, &err, code);
}

/* ---- mutual authentication ---- */

/* challenge([credential[, now]]) */
static int a_challenge(lua_State *L)
{
    symbi_str credential = symL_optstr(L, 1, none);
    int64_t now = ap_now(L, 2);
    symbi_doc *d;
    symbi_err err;
    if (symbi_agentpin_challenge(symL_ctx(L), credential, now, &d, &err)) return symL_fail(L, &err);
    return ap_pushdoc(L, d);
}

/* response(challenge, key, kid[, binding]) */
static int a_response(lua_State *L)
{
    symbi_str kid = symL_checkstr(L, 3), binding = symL_optstr(L, 4, none);
    symbi_value c;
    symbi_key *k;
    symbi_doc *d;
    symbi_err err;
    lua_settop(L, 4);
    if (!ap_value(L, 1, &c, &err) || !(k = ap_key(L, 2, &err)) || symbi_agentpin_response(symL_ctx(L), &c, k, kid, binding, &d, &err)) return symL_fail(L, &err);
    return ap_pushdoc(L, d);
}

/* response_verify(response, challenge, key[, {now=, ttl_secs=, binding=, kid=, nonce_store=}]) -> boolean */
static int a_response_verify(lua_State *L)
{
    static const char *const known[] = { "now", "ttl_secs", "binding", "kid", "nonce_store", NULL };
    symbi_agentpin_code code = SYMBI_AGENTPIN_NONE;
    symbi_agentpin_mutual m;
    symbi_value r, c;
    symbi_key *k;
    symbi_err err;
    bool ok;
    lua_settop(L, 4);
    memset(&m, 0, sizeof m);
    m.size = sizeof m;
    m.now = ap_now_field(L, 4);
    if (!lua_isnil(L, 4)) {
        luaL_checktype(L, 4, LUA_TTABLE);
        symL_checkopts(L, 4, known);
        m.ttl_secs = symL_optfield_int(L, 4, "ttl_secs", 0, 0, 86400);
        m.binding = symL_optfield_str(L, 4, "binding", none);
        m.kid = symL_optfield_str(L, 4, "kid", none);
    }
    if (!ap_value(L, 1, &r, &err) || !ap_value(L, 2, &c, &err) || !(k = ap_key(L, 3, &err))) return symL_fail(L, &err);
    if (!lua_isnil(L, 4)) {
        lua_getfield(L, 4, "nonce_store");
        if (!lua_isnil(L, -1)) {
            ud_ap_nonces *n = symL_testud(L, -1, UD_AP_NONCES);
            if (!n || !n->p) return luaL_error(L, "nonce_store must be an open nonce store");
            m.nonces = n->p;
        }
    }
    if (symbi_agentpin_response_verify(symL_ctx(L), &r, &c, k, &m, &ok, &code, &err)) return ap_fail(L, &err, code);
    lua_pushboolean(L, ok);
    return 1;
}

/* ---- transports: what is no text at all (a header that did not come) is an empty one ---- */

static int a_http_extract(lua_State *L)
{
    symbi_agentpin_code code;
    symbi_str jwt;
    symbi_err err;
    if (symbi_agentpin_http_extract(symL_tostr(L, 1), &jwt, &code, &err)) return ap_fail(L, &err, code);
    symL_pushstr(L, jwt);
    return 1;
}

static int a_mcp_extract(lua_State *L)
{
    symbi_agentpin_code code;
    symbi_value meta;
    symbi_str jwt;
    symbi_err err;
    if (!ap_value(L, 1, &meta, &err)) return symL_fail(L, &err);
    if (symbi_agentpin_mcp_extract(&meta, &jwt, &code, &err)) return ap_fail(L, &err, code);
    symL_pushstr(L, jwt);
    return 1;
}

static int a_ws_extract(lua_State *L)
{
    symbi_str message = symL_checkstr(L, 1);
    symbi_agentpin_code code;
    symbi_text *t = symL_text(L);
    symbi_err err;
    if (symbi_agentpin_ws_extract(symL_ctx(L), message, t, &code, &err)) return ap_fail(L, &err, code);
    symL_pushtext(L, t);
    return 1;
}

static int a_ws_format(lua_State *L)
{
    symbi_str jwt = symL_checkstr(L, 1);
    symbi_text *t = symL_text(L);
    symbi_err err;
    if (symbi_agentpin_ws_format(symL_ctx(L), jwt, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int a_grpc_extract(lua_State *L)
{
    symbi_agentpin_code code;
    symbi_str jwt;
    symbi_err err;
    if (symbi_agentpin_grpc_extract(symL_tostr(L, 1), &jwt, &code, &err)) return ap_fail(L, &err, code);
    symL_pushstr(L, jwt);
    return 1;
}

/* ---- DNS ---- */

static int a_dns_parse(lua_State *L)
{
    symbi_agentpin_code code;
    symbi_doc *d;
    symbi_err err;
    if (symbi_agentpin_dns_parse(symL_ctx(L), symL_checkstr(L, 1), &d, &code, &err)) return ap_fail(L, &err, code);
    return ap_pushdoc(L, d);
}

static int a_dns_name(lua_State *L)
{
    symbi_str domain = symL_checkstr(L, 1);
    symbi_text *t = symL_text(L);
    symbi_err err;
    if (symbi_agentpin_dns_name(symL_ctx(L), domain, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int a_dns_match(lua_State *L)
{
    symbi_agentpin_code code = SYMBI_AGENTPIN_NONE;
    symbi_value doc, record;
    symbi_status st;
    symbi_err err;
    if (!ap_value(L, 1, &doc, &err) || !ap_value(L, 2, &record, &err)) return symL_fail(L, &err);
    st = symbi_agentpin_dns_match(symL_ctx(L), &doc, &record, &code, &err);
    return ap_answer(L, st, &err, code);
}

/* dns_pick({text, ...}) -> index or nil */
static int a_dns_pick(lua_State *L)
{
    symbi_str r[64];
    size_t n;
    int i;
    luaL_checktype(L, 1, LUA_TTABLE);
    n = symL_rawlen(L, 1);
    if (n > 64) n = 64;
    for (size_t k = 0; k < n; k++) {
        lua_rawgeti(L, 1, (int)k + 1);
        r[k] = lua_type(L, -1) == LUA_TSTRING ? symL_tostr(L, -1) : none;
        lua_pop(L, 1); /* the table keeps it */
    }
    i = symbi_agentpin_dns_pick(r, n);
    if (i < 0) lua_pushnil(L);
    else lua_pushinteger(L, i + 1);
    return 1;
}

/* ---- agent cards ---- */

static int a_card_canonical(lua_State *L)
{
    symbi_value v;
    symbi_text *t;
    symbi_err err;
    if (lua_istable(L, 1) || symL_testud(L, 1, UD_AP_DOC)) {
        if (!ap_value(L, 1, &v, &err)) return symL_fail(L, &err);
    } else if (symL_tovalue(L, 1, &v, &err)) {
        return symL_fail(L, &err);
    }
    t = symL_text(L);
    if (symbi_agentpin_card_canonical(symL_ctx(L), &v, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

/* card_build(declaration, url[, options]) */
static int a_card_build(lua_State *L)
{
    symbi_str url = symL_checkstr(L, 2);
    symbi_value decl, options;
    symbi_doc *d;
    symbi_err err;
    lua_settop(L, 3);
    if (!ap_value(L, 1, &decl, &err) || !ap_value(L, 3, &options, &err) || symbi_agentpin_card_build(symL_ctx(L), &decl, url, &options, &d, &err)) return symL_fail(L, &err);
    return ap_pushdoc(L, d);
}

/* card_sign(card, endpoint, key, kid) */
static int a_card_sign(lua_State *L)
{
    symbi_str endpoint = symL_checkstr(L, 2), kid = symL_checkstr(L, 4);
    symbi_value card;
    symbi_key *k;
    symbi_doc *d;
    symbi_err err;
    lua_settop(L, 4);
    if (!ap_value(L, 1, &card, &err) || !(k = ap_key(L, 3, &err)) || symbi_agentpin_card_sign(symL_ctx(L), &card, endpoint, k, kid, &d, &err)) return symL_fail(L, &err);
    return ap_pushdoc(L, d);
}

static int a_card_verify(lua_State *L)
{
    symbi_agentpin_code code = SYMBI_AGENTPIN_NONE;
    symbi_value card;
    symbi_status st;
    symbi_err err;
    if (!ap_value(L, 1, &card, &err)) return symL_fail(L, &err);
    st = symbi_agentpin_card_verify(symL_ctx(L), &card, &code, &err);
    return ap_answer(L, st, &err, code);
}

/* card_verify_with_discovery(card, discovery[, revocation[, now]]) */
static int a_card_verify_with_discovery(lua_State *L)
{
    int64_t now = ap_now(L, 4);
    symbi_agentpin_code code = SYMBI_AGENTPIN_NONE;
    symbi_value card, doc, rev;
    symbi_status st;
    symbi_err err;
    lua_settop(L, 4);
    if (!ap_value(L, 1, &card, &err) || !ap_value(L, 2, &doc, &err) || !ap_value(L, 3, &rev, &err)) return symL_fail(L, &err);
    st = symbi_agentpin_card_verify_with_discovery(symL_ctx(L), &card, &doc, &rev, now, &code, &err);
    return ap_answer(L, st, &err, code);
}

/* card_host(card[, https_only]) */
static int a_card_host(lua_State *L)
{
    bool https_only = lua_toboolean(L, 2);
    symbi_agentpin_code code = SYMBI_AGENTPIN_NONE;
    symbi_value card;
    symbi_text *t;
    symbi_err err;
    if (!ap_value(L, 1, &card, &err)) return symL_fail(L, &err);
    t = symL_text(L);
    if (symbi_agentpin_card_host(symL_ctx(L), &card, https_only, t, &code, &err)) return ap_fail(L, &err, code);
    symL_pushtext(L, t);
    return 1;
}

static int a_card_discovery(lua_State *L)
{
    int64_t now = ap_now(L, 2);
    symbi_agentpin_code code = SYMBI_AGENTPIN_NONE;
    symbi_value card;
    symbi_doc *d;
    symbi_err err;
    if (!ap_value(L, 1, &card, &err)) return symL_fail(L, &err);
    if (symbi_agentpin_card_discovery(symL_ctx(L), &card, now, &d, &code, &err)) return ap_fail(L, &err, code);
    return ap_pushdoc(L, d);
}

static int a_card_same_key(lua_State *L)
{
    symbi_value a, b;
    symbi_err err;
    lua_settop(L, 2);
    if (!ap_value(L, 1, &a, &err) || !ap_value(L, 2, &b, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, symbi_agentpin_card_same_key(symL_ctx(L), &a, &b));
    return 1;
}

const luaL_Reg ap_more_funcs[] = {
    { "discovery_build", a_discovery_build }, { "discovery_validate", a_discovery_validate }, { "find_key", a_find_key }, { "find_agent", a_find_agent },
    { "revocation_check", a_revocation_check }, { "revocation_build", a_revocation_build }, { "revocation_add", a_revocation_add },
    { "revocation_reason_ok", a_revocation_reason_ok }, { "rotation_apply", a_rotation_apply }, { "rotation_complete", a_rotation_complete },
    { "bundle_create", a_bundle_create }, { "bundle_check", a_bundle_check }, { "bundle_discovery", a_bundle_discovery }, { "bundle_revocation", a_bundle_revocation },
    { "attestation_input", a_attestation_input }, { "attestation_create", a_attestation_create }, { "attestation_verify", a_attestation_verify }, { "chain_depth", a_chain_depth },
    { "challenge", a_challenge }, { "response", a_response }, { "response_verify", a_response_verify },
    { "http_extract", a_http_extract }, { "mcp_extract", a_mcp_extract }, { "ws_extract", a_ws_extract }, { "ws_format", a_ws_format }, { "grpc_extract", a_grpc_extract },
    { "dns_parse", a_dns_parse }, { "dns_name", a_dns_name }, { "dns_match", a_dns_match }, { "dns_pick", a_dns_pick },
    { "card_canonical", a_card_canonical }, { "card_build", a_card_build }, { "card_sign", a_card_sign }, { "card_verify", a_card_verify },
    { "card_verify_with_discovery", a_card_verify_with_discovery }, { "card_host", a_card_host }, { "card_discovery", a_card_discovery }, { "card_same_key", a_card_same_key },
    { NULL, NULL },
};
