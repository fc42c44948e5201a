/* bindings/lschemapin_net.c: domains, TXT records, bundles, and the lookup machine.
 *
 *   domain(text) -> normalised; url(domain); txt_name(domain); txt_parse(record) -> {version=, kid=, fingerprint=}; txt_pick(list) -> the same or nil
 *   bundle_find(bundle, domain) -> discovery or nil, revocation or nil (tables); bundle_bytes(bundle) -> text; bundle_merge(list)
 *   bundle_sign(bundle, key, {kid=, now=, expires_in=}) -> text; check_bundle{bundle=, authority={...}, pins=, max_age=, now=} -> result
 *   online(domain[, dns]) -> m: m:next() -> {kind="http"|"dns"|"done", id=, url=, name=, domain=, max_bytes=, timeout_ms=};
 *     m:resolve(id, {failed=, message=, status=, url=, body=, records=}); m:found() -> {code=, message=, domain=, discovery=, revocation=, dns_fingerprint=} */
#include "lschemapin.h"

#include <string.h>

static int c_domain(lua_State *L)
{
    char buf[SYMBI_SCHEMAPIN_MAX_DOMAIN + 1];
    symbi_err err;
    if (symbi_schemapin_domain(symL_checkstr(L, 1), buf, &err)) return symL_fail(L, &err);
    lua_pushstring(L, buf);
    return 1;
}

static int c_url(lua_State *L)
{
    symbi_str domain = symL_checkstr(L, 1);
    symbi_text *t = symL_text(L);
    symbi_err err;
    if (symbi_schemapin_url(symL_ctx(L), domain, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int c_txt_name(lua_State *L)
{
    symbi_str domain = symL_checkstr(L, 1);
    symbi_text *t = symL_text(L);
    symbi_err err;
    if (symbi_schemapin_txt_name(symL_ctx(L), domain, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static void push_txt(lua_State *L, const symbi_schemapin_txt *t)
{
    lua_createtable(L, 0, 3);
    symL_pushstr(L, t->version);
    lua_setfield(L, -2, "version");
    if (t->kid.n) {
        symL_pushstr(L, t->kid);
        lua_setfield(L, -2, "kid");
    }
    symL_pushstr(L, t->fingerprint);
    lua_setfield(L, -2, "fingerprint");
}

static int c_txt_parse(lua_State *L)
{
    symbi_schemapin_txt t;
    symbi_err err;
    if (symbi_schemapin_txt_parse(symL_checkstr(L, 1), &t, &err)) return symL_fail(L, &err);
    push_txt(L, &t);
    return 1;
}

static int c_txt_pick(lua_State *L)
{
    symbi_schemapin_txt t;
    size_t n;
    symbi_str *records;
    symbi_err err;
    symbi_status st;
    luaL_checktype(L, 1, LUA_TTABLE);
    records = lsp_strings(L, 1, &n, "records");
    st = symbi_schemapin_txt_pick(records, n, &t, &err);
    if (st == SYMBI_ENOTFOUND) {
        lua_pushnil(L);
        return 1;
    }
    if (st) return symL_fail(L, &err);
    push_txt(L, &t);
    return 1;
}

/* ---- bundles ------------------------------------------------------------------------------------------------------------- */

typedef struct two_docs { symbi_doc *a, *b; } two_docs;
#define UD_TWO "symbi.schemapin_docs"
static int two_gc(lua_State *L)
{
    two_docs *t = symL_checkud(L, 1, UD_TWO);
    symbi_doc_unref(t->a);
    symbi_doc_unref(t->b);
    t->a = t->b = NULL;
    return 0;
}

static int c_bundle_find(lua_State *L)
{
    symbi_str domain = symL_checkstr(L, 2);
    symbi_value v;
    two_docs *t;
    symbi_err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    if (symL_tovalue(L, 1, &v, &err)) return symL_fail(L, &err);
    t = symL_newud(L, sizeof *t, UD_TWO);
    if (symbi_schemapin_bundle_find(symL_ctx(L), &v, domain, &t->a, &t->b, &err)) return symL_fail(L, &err);
    if (t->a) symL_pushvalue(L, symbi_doc_root(t->a));
    else lua_pushnil(L);
    if (t->b) symL_pushvalue(L, symbi_doc_root(t->b));
    else lua_pushnil(L);
    return 2;
}

static int c_bundle_bytes(lua_State *L)
{
    symbi_text *t = symL_text(L);
    symbi_str json;
    symbi_value v;
    const symbi_value *value;
    symbi_err err;
    if (lsp_document(L, 1, &json, &v, &value, &err)) return symL_fail(L, &err);
    if (symbi_schemapin_bundle_bytes(symL_ctx(L), json, value, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int c_bundle_sign(lua_State *L)
{
    static const char *const known[] = { "kid", "now", "expires_in", NULL };
    symbi_value v;
    symbi_str kid;
    int64_t now, expires_in;
    const symbi_key *key;
    symbi_text *t;
    symbi_err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 3, LUA_TTABLE);
    symL_checkopts(L, 3, known);
    kid = symL_optfield_str(L, 3, "kid", symbi_str_z(""));
    now = lsp_field_now(L, 3);
    expires_in = symL_optfield_int(L, 3, "expires_in", 0, 0, (int64_t)1 << 40);
    t = symL_text(L);
    if (symL_tovalue(L, 1, &v, &err)) return symL_fail(L, &err);
    if (lsp_key(L, 2, true, &key, &err)) return symL_fail(L, &err);
    if (symbi_schemapin_bundle_sign(symL_ctx(L), &v, key, kid, now, expires_in, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int c_check_bundle(lua_State *L)
{
    static const char *const known[] = { "bundle", "authority", "pins", "max_age", "now", NULL };
    symbi_schemapin_bundle_check c;
    symbi_value v;
    ud_sp_pins *p;
    ud_schemapin *out;
    symbi_err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    symL_checkopts(L, 1, known);
    memset(&c, 0, sizeof c);
    c.size = sizeof c;
    c.max_age = symL_optfield_int(L, 1, "max_age", 0, 0, (int64_t)1 << 40);
    c.now = lsp_field_now(L, 1);
    lua_getfield(L, 1, "authority");
    c.authority = lsp_strings(L, -1, &c.nauthority, "authority");
    lua_getfield(L, 1, "bundle");
    if (lua_isnil(L, -1)) luaL_error(L, "bundle: a text or a table is expected");
    if (lsp_document(L, -1, &c.json, &v, &c.value, &err)) return symL_fail(L, &err);
    out = lsp_push_result(L);
    p = lsp_field_ud(L, 1, "pins", UD_SP_PINS, "pin store");
    c.pins = p ? p->p : NULL;
    if (symbi_schemapin_check_bundle(symL_ctx(L), &c, &out->p, &err)) return symL_fail(L, &err);
    lua_pushvalue(L, -1);
    return 1;
}

static int c_bundle_merge(lua_State *L)
{
    symbi_value v;
    symbi_doc *d;
    symbi_err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    if (symL_tovalue(L, 1, &v, &err)) return symL_fail(L, &err);
    if (v.kind == SYMBI_OBJECT && !v.u.o.n) { /* an empty Lua table: no bundles */
        v.kind = SYMBI_ARRAY;
        v.u.a.items = NULL;
        v.u.a.n = 0;
    }
    if (symbi_schemapin_bundle_merge(symL_ctx(L), &v, &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

/* ---- the lookup ------------------------------------------------------------------------------------------------------------ */

static int c_online(lua_State *L)
{
    symbi_str domain = symL_checkstr(L, 1);
    bool dns = lua_toboolean(L, 2);
    ud_sp_online *u = symL_newud(L, sizeof *u, UD_SP_ONLINE);
    symbi_err err;
    if (symbi_schemapin_online_new(symL_ctx(L), domain, dns, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int o_close(lua_State *L)
{
    ud_sp_online *u = symL_checkud(L, 1, UD_SP_ONLINE);
    symbi_schemapin_online *p = u->p;
    u->p = NULL;
    symbi_schemapin_online_free(p);
    return 0;
}

static symbi_schemapin_online *checkonline(lua_State *L)
{
    ud_sp_online *u = symL_checkud(L, 1, UD_SP_ONLINE);
    if (!u->p) luaL_argerror(L, 1, "the lookup is closed");
    return u->p;
}

static int o_next(lua_State *L)
{
    static const char *const kinds[] = { "done", "http", "dns" };
    symbi_schemapin_ask ask;
    char url[4096];
    symbi_str target;
    symbi_err err;
    if (symbi_schemapin_online_next(checkonline(L), &ask, &err)) return symL_fail(L, &err);
    target = ask.kind == SYMBI_SCHEMAPIN_ASK_DNS ? ask.name : ask.url;
    if (target.n > sizeof url) return luaL_error(L, "the URL is too long");
    if (target.n) memcpy(url, target.p, target.n); /* a push may run a finaliser that closes the lookup */
    lua_createtable(L, 0, 6);
    lua_pushstring(L, kinds[ask.kind]);
    lua_setfield(L, -2, "kind");
    if (ask.kind == SYMBI_SCHEMAPIN_ASK_DONE) return 1;
    lua_pushlstring(L, url, target.n);
    lua_setfield(L, -2, ask.kind == SYMBI_SCHEMAPIN_ASK_DNS ? "name" : "url");
    symL_pushint(L, (int64_t)ask.id);
    lua_setfield(L, -2, "id");
    symL_pushint(L, (int64_t)ask.max_bytes);
    lua_setfield(L, -2, "max_bytes");
    symL_pushint(L, ask.timeout_ms);
    lua_setfield(L, -2, "timeout_ms");
    return 1;
}

static int o_resolve(lua_State *L)
{
    static const char *const known[] = { "failed", "message", "status", "url", "body", "records", NULL };
    uint64_t id = (uint64_t)symL_checkint(L, 2, 0, (int64_t)1 << 53);
    symbi_schemapin_answer a;
    symbi_err err;
    checkonline(L);
    luaL_checktype(L, 3, LUA_TTABLE);
    symL_checkopts(L, 3, known);
    memset(&a, 0, sizeof a);
    a.failed = lsp_field_bool(L, 3, "failed");
    a.message = lsp_field_str(L, 3, "message");
    a.http_status = (int)symL_optfield_int(L, 3, "status", 0, 0, 999);
    a.url = lsp_field_str(L, 3, "url");
    a.body = lsp_field_str(L, 3, "body");
    lua_getfield(L, 3, "records");
    a.records = lsp_strings(L, -1, &a.nrecords, "records");
    if (symbi_schemapin_online_resolve(checkonline(L), id, &a, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int o_found(lua_State *L)
{
    symbi_schemapin_found f;
    ud_sp_discovery *d;
    ud_sp_revocation *r;
    char message[512], domain[SYMBI_SCHEMAPIN_MAX_DOMAIN + 1], fp[256];
    size_t nmessage, ndomain, nfp;
    symbi_err err;
    checkonline(L);
    d = symL_newud(L, sizeof *d, UD_SP_DISCOVERY);
    r = symL_newud(L, sizeof *r, UD_SP_REVOCATION);
    if (symbi_schemapin_online_found(checkonline(L), &f, &err)) return symL_fail(L, &err);
    d->p = symbi_schemapin_discovery_ref(f.discovery);
    r->p = symbi_schemapin_revocation_ref(f.revocation);
    memcpy(message, f.message.p, nmessage = f.message.n < sizeof message ? f.message.n : sizeof message);
    memcpy(domain, f.domain.p, ndomain = f.domain.n);
    if ((nfp = f.dns_fingerprint.n)) memcpy(fp, f.dns_fingerprint.p, nfp);
    lua_createtable(L, 0, 6);
    if (f.code) {
        lua_pushstring(L, symbi_schemapin_code_name(f.code));
        lua_setfield(L, -2, "code");
        lua_pushlstring(L, message, nmessage);
        lua_setfield(L, -2, "message");
    }
    lua_pushlstring(L, domain, ndomain);
    lua_setfield(L, -2, "domain");
    if (d->p) {
        lua_pushvalue(L, -3);
        lua_setfield(L, -2, "discovery");
    }
    if (r->p) {
        lua_pushvalue(L, -2);
        lua_setfield(L, -2, "revocation");
    }
    if (nfp) {
        lua_pushlstring(L, fp, nfp);
        lua_setfield(L, -2, "dns_fingerprint");
    }
    return 1;
}

void lsp_add_net(lua_State *L)
{
    static const luaL_Reg none[] = { { NULL, NULL } };
    static const luaL_Reg two[] = { { "__gc", two_gc }, { NULL, NULL } };
    static const luaL_Reg online[] = { { "next", o_next }, { "resolve", o_resolve }, { "found", o_found }, { "close", o_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "domain", c_domain },           { "url", c_url },                   { "txt_name", c_txt_name },         { "txt_parse", c_txt_parse },
                                      { "txt_pick", c_txt_pick },       { "bundle_find", c_bundle_find },   { "bundle_bytes", c_bundle_bytes }, { "bundle_sign", c_bundle_sign },
                                      { "check_bundle", c_check_bundle }, { "bundle_merge", c_bundle_merge }, { "online", c_online },             { NULL, NULL } };
    symL_newtype(L, UD_TWO, none, two);
    symL_newtype(L, UD_SP_ONLINE, online, NULL);
    symL_setfuncs(L, funcs);
}
