/* bindings/lagentpin_verify.c: verification.
 *   verify(jwt, discovery[, revocation[, options]]) -> result      verify_with_bundle(jwt, bundle[, options]) -> result
 *   m = online(jwt[, options])      ask = m:next() -> {kind="http"|"dns"|"done", id=, document=, domain=, url=, name=, refetch=, timeout_ms=,
 *     max_bytes=}; m:resolve(id, answer), answer {error=text} | {status=, body=, url=} | {document=, https=} | {none=true} | {records={...}};
 *     m:result(), m:fetched() -> document object, m:close()
 *   document(table or text[, "discovery"|"revocation", domain]) -> document object; with a kind it is checked as a fetched one is
 *   url(domain[, "revocation"]) */
#include "lagentpin.h"

#include <string.h>

static int a_verify(lua_State *L)
{
    symbi_str jwt = symL_checkstr(L, 1);
    symbi_value discovery, revocation;
    symbi_agentpin_options o;
    ud_agentpin *u;
    symbi_err err;
    bool dns;
    lua_settop(L, 4);
    u = symL_newud(L, sizeof *u, UD_AGENTPIN);
    if (!ap_value(L, 2, &discovery, &err) || !ap_value(L, 3, &revocation, &err) || !ap_options(L, 4, &o, &dns, &err)) return symL_fail(L, &err);
    if (symbi_agentpin_verify(symL_ctx(L), jwt, &discovery, &revocation, &o, &u->p, &err)) return symL_fail(L, &err);
    lua_pushvalue(L, 5);
    return 1;
}

static int a_verify_with_bundle(lua_State *L)
{
    symbi_str jwt = symL_checkstr(L, 1);
    symbi_value bundle;
    symbi_agentpin_options o;
    ud_agentpin *u;
    symbi_err err;
    bool dns;
    lua_settop(L, 3);
    u = symL_newud(L, sizeof *u, UD_AGENTPIN);
    if (!ap_value(L, 2, &bundle, &err) || !ap_options(L, 3, &o, &dns, &err)) return symL_fail(L, &err);
    if (symbi_agentpin_verify_with_bundle(symL_ctx(L), jwt, &bundle, &o, &u->p, &err)) return symL_fail(L, &err);
    lua_pushvalue(L, 4);
    return 1;
}

/* ---- documents ---- */

static symbi_agentpin_document checkwhat(lua_State *L, int arg)
{
    symbi_str s = symL_optstr(L, arg, (symbi_str){ "discovery", 9 });
    if (s.n == 9 && !memcmp(s.p, "discovery", 9)) return SYMBI_AGENTPIN_DOC_DISCOVERY;
    if (s.n == 10 && !memcmp(s.p, "revocation", 10)) return SYMBI_AGENTPIN_DOC_REVOCATION;
    luaL_argerror(L, arg, "expected \"discovery\" or \"revocation\"");
    return SYMBI_AGENTPIN_DOC_DISCOVERY;
}

static int a_document(lua_State *L)
{
    symbi_err err;
    ud_ap_doc *u;
    if (lua_isnoneornil(L, 2)) {
        symbi_value v;
        lua_settop(L, 1);
        u = ap_newdoc(L);
        if (!ap_value(L, 1, &v, &err) || symbi_doc_copy(symL_ctx(L), &v, &u->p, &err)) return symL_fail(L, &err);
        lua_pushvalue(L, 2);
    } else {
        symbi_str body = symL_checkstr(L, 1), domain = symL_checkstr(L, 3);
        symbi_agentpin_document what = checkwhat(L, 2);
        symbi_agentpin_code code;
        u = ap_newdoc(L);
        if (symbi_agentpin_document_parse(symL_ctx(L), body, what, domain, &u->p, &code, NULL, &err)) return ap_fail(L, &err, code);
    }
    return 1;
}

static int a_url(lua_State *L)
{
    symbi_str domain = symL_checkstr(L, 1);
    symbi_agentpin_document what = checkwhat(L, 2);
    symbi_text *t = symL_text(L);
    symbi_err err;
    if (symbi_agentpin_url(symL_ctx(L), domain, what, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

/* ---- the machine ---- */

static int online_close(lua_State *L)
{
    ud_ap_online *u = symL_checkud(L, 1, UD_AP_ONLINE);
    symbi_agentpin_online *p = u->p;
    u->p = NULL;
    symbi_agentpin_online_free(p);
    return 0;
}

/* The machine, whose stores must be open each time: closing one takes it away from under the machine. */
static symbi_agentpin_online *check(lua_State *L)
{
    static const char *const stores[] = { "pin_store", "replay_store" };
    ud_ap_online *u = symL_checkud(L, 1, UD_AP_ONLINE);
    if (!u->p) luaL_argerror(L, 1, "the verification is closed");
    symL_getuservalue(L, 1);
    for (int i = 0; lua_istable(L, -1) && i < 2; i++) {
        ud_ap_pins *p;
        ud_ap_nonces *n;
        lua_rawgeti(L, -1, i + 1);
        p = symL_testud(L, -1, UD_AP_PINS);
        n = symL_testud(L, -1, UD_AP_NONCES);
        if ((p && !p->p) || (n && !n->p)) luaL_error(L, "the %s of this verification is closed", stores[i]);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return u->p;
}

static int a_online(lua_State *L)
{
    symbi_str jwt = symL_checkstr(L, 1);
    symbi_agentpin_options o;
    ud_ap_online *u;
    symbi_err err;
    bool dns;
    lua_settop(L, 2);
    u = symL_newud(L, sizeof *u, UD_AP_ONLINE);
    if (!lua_isnil(L, 2)) { /* our own table, which nobody can change */
        luaL_checktype(L, 2, LUA_TTABLE);
        lua_createtable(L, 2, 0);
        lua_getfield(L, 2, "pin_store");
        lua_rawseti(L, -2, 1);
        lua_getfield(L, 2, "replay_store");
        lua_rawseti(L, -2, 2);
        symL_setuservalue(L, 3);
    }
    if (!ap_options(L, 2, &o, &dns, &err)) return symL_fail(L, &err);
    if (symbi_agentpin_online_new(symL_ctx(L), jwt, &o, dns, &u->p, &err)) return symL_fail(L, &err);
    lua_pushvalue(L, 3);
    return 1;
}

static void set_str(lua_State *L, const char *name, symbi_str s)
{
    symL_pushstr(L, s);
    lua_setfield(L, -2, name);
}

static int online_next(lua_State *L)
{
    symbi_agentpin_ask a;
    symbi_err err;
    if (symbi_agentpin_online_next(check(L), &a, &err)) return symL_fail(L, &err);
    lua_createtable(L, 0, 8);
    lua_pushstring(L, a.kind == SYMBI_AGENTPIN_ASK_HTTP ? "http" : a.kind == SYMBI_AGENTPIN_ASK_DNS ? "dns" : "done");
    lua_setfield(L, -2, "kind");
    if (a.kind == SYMBI_AGENTPIN_ASK_DONE) return 1;
    symL_pushint(L, (int64_t)a.id);
    lua_setfield(L, -2, "id");
    set_str(L, "domain", a.domain);
    symL_pushint(L, a.timeout_ms);
    lua_setfield(L, -2, "timeout_ms");
    if (a.kind == SYMBI_AGENTPIN_ASK_DNS) {
        set_str(L, "name", a.name);
        return 1;
    }
    lua_pushstring(L, a.document == SYMBI_AGENTPIN_DOC_DISCOVERY ? "discovery" : "revocation");
    lua_setfield(L, -2, "document");
    set_str(L, "url", a.url);
    symL_pushint(L, (int64_t)a.max_bytes);
    lua_setfield(L, -2, "max_bytes");
    lua_pushboolean(L, a.refetch);
    lua_setfield(L, -2, "refetch");
    return 1;
}

static int online_resolve(lua_State *L)
{
    static const char *const known[] = { "error", "status", "body", "url", "document", "https", "none", "records", NULL };
    int64_t id = symL_checkint(L, 2, 0, (int64_t)1 << 53);
    symbi_agentpin_answer a;
    symbi_value document;
    symbi_err err;
    memset(&a, 0, sizeof a);
    check(L);
    luaL_checktype(L, 3, LUA_TTABLE);
    symL_checkopts(L, 3, known);
    lua_settop(L, 3);
    lua_getfield(L, 3, "error");
    a.failed = lua_toboolean(L, -1);
    a.message = symL_tostr(L, -1);
    a.http_status = (int)symL_optfield_int(L, 3, "status", 0, 0, 999);
    a.https = symL_optfield_bool(L, 3, "https", false);
    a.none = symL_optfield_bool(L, 3, "none", false);
    a.url = symL_optfield_str(L, 3, "url", a.url);
    a.body = symL_optfield_str(L, 3, "body", a.body);
    if (!ap_field(L, 3, "document", &document, &err)) return symL_fail(L, &err);
    if (document.kind != SYMBI_NULL) a.document = &document;
    lua_getfield(L, 3, "records");
    if (lua_istable(L, -1)) {
        int t = lua_gettop(L);
        size_t n = symL_rawlen(L, t);
        symbi_str *r;
        if (n > 1000) return luaL_error(L, "more than 1000 DNS records");
        r = lua_newuserdata(L, (n + 1) * sizeof *r);
        for (size_t i = 0; i < n; i++) {
            lua_rawgeti(L, t, (int)i + 1);
            if (lua_type(L, -1) != LUA_TSTRING) return luaL_error(L, "a DNS record must be a string");
            r[i] = symL_tostr(L, -1);
            lua_pop(L, 1); /* the table keeps it */
        }
        a.records = r;
        a.nrecords = n;
    }
    return ap_answer(L, symbi_agentpin_online_resolve(check(L), (uint64_t)id, &a, &err), &err, SYMBI_AGENTPIN_NONE);
}

static int online_result(lua_State *L)
{
    ud_agentpin *u;
    symbi_agentpin_result *r;
    check(L);
    lua_settop(L, 1);
    u = symL_newud(L, sizeof *u, UD_AGENTPIN);
    r = symbi_agentpin_online_result(check(L));
    if (!r) {
        lua_pushnil(L);
        return 1;
    }
    u->p = symbi_agentpin_result_ref(r);
    return 1;
}

static int online_fetched(lua_State *L)
{
    ud_ap_doc *u;
    check(L);
    lua_settop(L, 1);
    u = ap_newdoc(L);
    u->p = symbi_agentpin_online_fetched(check(L));
    if (!u->p) lua_pushnil(L);
    return 1;
}

void ap_online_type(lua_State *L)
{
    static const luaL_Reg methods[] = { { "next", online_next }, { "resolve", online_resolve }, { "result", online_result }, { "fetched", online_fetched }, { "close", online_close }, { NULL, NULL } };
    symL_newtype(L, UD_AP_ONLINE, methods, NULL);
}

const luaL_Reg ap_verify_funcs[] = { { "verify", a_verify }, { "verify_with_bundle", a_verify_with_bundle }, { "online", a_online }, { "document", a_document }, { "url", a_url }, { NULL, NULL } };
