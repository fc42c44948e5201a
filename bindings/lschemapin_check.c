/* bindings/lschemapin_check.c: checking schemas.
 *
 *   check{schema=text or table, signature=, embedded=, domain=, tool_id=, discovery=, revocation=, pins=, cache=, now=,
 *     canonicalization=, strict=, only_pinned=, allow_single=, allow_runtime=, dns_fingerprint=,
 *     a2a={delegation_depth=, trusted_domains={...}, deny_all=}, expires_at=, signed_at=, schema_version=, previous_hash=,
 *     refuse_expired=, max_age=, expected_version=, expected_previous=} -> result
 *     signed_file=true: schema is the file {"schema", "signature", "signed_at", ...}
 *   cache{entries=, bytes=, max_age=} -> c: c:stats() -> hits, misses
 *   a2a_allows(list, domain[, deny_all]); refusal{code=, message=, domain=, tool_id=, now=} -> result */
#include "lschemapin.h"

#include <string.h>

static const char *const known[] = { "schema",       "signature",    "embedded",        "domain",  "tool_id",    "discovery",      "revocation",     "pins",           "cache",   "now",
                                     "canonicalization", "strict",   "only_pinned",     "allow_single", "allow_runtime", "dns_fingerprint", "a2a",        "expires_at",     "signed_at", "schema_version",
                                     "previous_hash", "refuse_expired", "max_age",      "expected_version", "expected_previous", "signed_file", NULL };

static void read_meta(lua_State *L, symbi_schemapin_meta *m)
{
    m->expires_at = lsp_field_str(L, 1, "expires_at");
    m->signed_at = lsp_field_str(L, 1, "signed_at");
    m->schema_version = lsp_field_str(L, 1, "schema_version");
    m->previous_hash = lsp_field_str(L, 1, "previous_hash");
    m->refuse_expired = lsp_field_bool(L, 1, "refuse_expired");
    m->max_age = symL_optfield_int(L, 1, "max_age", 0, 0, (int64_t)1 << 40);
    m->expected_version = lsp_field_str(L, 1, "expected_version");
    m->expected_previous = lsp_field_str(L, 1, "expected_previous");
}

/* The field a2a of the options at 1: pushes what keeps its texts, and fills *a. */
static bool read_a2a(lua_State *L, symbi_schemapin_a2a *a)
{
    int at;
    lua_getfield(L, 1, "a2a");
    if (lua_isnil(L, -1)) return false;
    if (!lua_istable(L, -1)) luaL_error(L, "a2a: a table is expected");
    at = lua_gettop(L);
    memset(a, 0, sizeof *a);
    a->delegation_depth = symL_optfield_int(L, at, "delegation_depth", 0, -1000000, 1000000);
    a->deny_all = symL_optfield_bool(L, at, "deny_all", false);
    lua_getfield(L, at, "trusted_domains");
    if (lua_istable(L, -1)) {
        lua_getfield(L, -1, "deny_all"); /* what intersect says of its list */
        if (lua_toboolean(L, -1)) a->deny_all = true;
        lua_pop(L, 1);
    }
    a->trusted = lsp_strings(L, -1, &a->ntrusted, "trusted_domains");
    return true;
}

static int c_check(lua_State *L)
{
    symbi_schemapin_check c;
    symbi_schemapin_a2a a2a;
    symbi_value v;
    ud_sp_discovery *d;
    ud_sp_revocation *r;
    ud_sp_pins *p;
    ud_sp_cache *cache;
    ud_schemapin *out;
    symbi_err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    symL_checkopts(L, 1, known);
    memset(&c, 0, sizeof c);
    c.size = sizeof c;
    c.signature = lsp_field_str(L, 1, "signature");
    c.embedded = lsp_field_bool(L, 1, "embedded");
    c.signed_file = lsp_field_bool(L, 1, "signed_file");
    c.domain = symL_optfield_str(L, 1, "domain", symbi_str_z(""));
    c.tool_id = symL_optfield_str(L, 1, "tool_id", symbi_str_z(""));
    c.canonicalization = lsp_field_str(L, 1, "canonicalization");
    c.dns_fingerprint = lsp_field_str(L, 1, "dns_fingerprint");
    c.strict = lsp_field_bool(L, 1, "strict");
    c.only_pinned = lsp_field_bool(L, 1, "only_pinned");
    c.allow_single = lsp_field_bool(L, 1, "allow_single");
    c.allow_runtime = lsp_field_bool(L, 1, "allow_runtime");
    c.now = lsp_field_now(L, 1);
    read_meta(L, &c.meta);
    if (read_a2a(L, &a2a)) c.a2a = &a2a;
    lua_getfield(L, 1, "schema");
    if (lua_isnil(L, -1)) luaL_error(L, "schema: a text or a table is expected");
    if (lsp_document(L, -1, &c.json, &v, &c.value, &err)) return symL_fail(L, &err);
    out = lsp_push_result(L);
    d = lsp_field_ud(L, 1, "discovery", UD_SP_DISCOVERY, "discovery document");
    r = lsp_field_ud(L, 1, "revocation", UD_SP_REVOCATION, "revocation list");
    p = lsp_field_ud(L, 1, "pins", UD_SP_PINS, "pin store");
    cache = lsp_field_ud(L, 1, "cache", UD_SP_CACHE, "cache");
    c.discovery = d ? d->p : NULL;
    c.revocation = r ? r->p : NULL;
    c.pins = p ? p->p : NULL;
    c.cache = cache ? cache->p : NULL;
    if (symbi_schemapin_check_schema(symL_ctx(L), &c, &out->p, &err)) return symL_fail(L, &err);
    lua_pushvalue(L, -1);
    return 1;
}

/* ---- cache --------------------------------------------------------------------------------------------------------------- */

static int c_cache(lua_State *L)
{
    static const char *const fields[] = { "entries", "bytes", "max_age", NULL };
    size_t entries = 0, bytes = 0;
    int64_t max_age = 0;
    ud_sp_cache *u;
    symbi_err err;
    if (!lua_isnoneornil(L, 1)) {
        luaL_checktype(L, 1, LUA_TTABLE);
        symL_checkopts(L, 1, fields);
        entries = (size_t)symL_optfield_int(L, 1, "entries", 0, 0, 65536);
        bytes = (size_t)symL_optfield_int(L, 1, "bytes", 0, 0, (int64_t)1 << 32);
        max_age = symL_optfield_int(L, 1, "max_age", 0, 0, (int64_t)1 << 40);
    }
    u = symL_newud(L, sizeof *u, UD_SP_CACHE);
    if (symbi_schemapin_cache_new(symL_ctx(L), entries, bytes, max_age, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int x_close(lua_State *L)
{
    ud_sp_cache *u = symL_checkud(L, 1, UD_SP_CACHE);
    symbi_schemapin_cache *p = u->p;
    u->p = NULL;
    symbi_schemapin_cache_free(p);
    return 0;
}

static int x_stats(lua_State *L)
{
    ud_sp_cache *u = symL_checkud(L, 1, UD_SP_CACHE);
    uint64_t hits, misses;
    if (!u->p) luaL_argerror(L, 1, "the cache is closed");
    symbi_schemapin_cache_stats(u->p, &hits, &misses);
    lua_pushnumber(L, (lua_Number)hits);
    lua_pushnumber(L, (lua_Number)misses);
    return 2;
}

/* ---- the rest ------------------------------------------------------------------------------------------------------------ */

static int c_a2a_allows(lua_State *L)
{
    symbi_str domain = symL_checkstr(L, 2);
    symbi_schemapin_a2a a;
    memset(&a, 0, sizeof a);
    a.deny_all = lua_toboolean(L, 3);
    if (lua_istable(L, 1)) {
        lua_getfield(L, 1, "deny_all");
        if (lua_toboolean(L, -1)) a.deny_all = true;
        lua_pop(L, 1);
    }
    a.trusted = lsp_strings(L, 1, &a.ntrusted, "trusted_domains");
    lua_pushboolean(L, symbi_schemapin_a2a_allows(&a, domain));
    return 1;
}

static int c_refusal(lua_State *L)
{
    static const char *const fields[] = { "code", "message", "domain", "tool_id", "now", NULL };
    symbi_str name, message, domain, tool_id;
    int64_t now;
    int code = 0;
    ud_schemapin *out;
    symbi_err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    symL_checkopts(L, 1, fields);
    name = lsp_field_str(L, 1, "code");
    message = symL_optfield_str(L, 1, "message", symbi_str_z(""));
    domain = symL_optfield_str(L, 1, "domain", symbi_str_z(""));
    tool_id = symL_optfield_str(L, 1, "tool_id", symbi_str_z(""));
    now = lsp_field_now(L, 1);
    for (int i = 1; i < SYMBI_SCHEMAPIN_CODE_COUNT; i++) {
        const char *s = symbi_schemapin_code_name((symbi_schemapin_code)i);
        if (name.p && strlen(s) == name.n && !memcmp(s, name.p, name.n)) code = i;
    }
    if (!code) luaL_error(L, "code: an unknown code");
    out = lsp_push_result(L);
    if (symbi_schemapin_refusal(symL_ctx(L), (symbi_schemapin_code)code, message, domain, tool_id, now, &out->p, &err)) return symL_fail(L, &err);
    return 1;
}

void lsp_add_checks(lua_State *L)
{
    static const luaL_Reg cache[] = { { "stats", x_stats }, { "close", x_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "check", c_check }, { "cache", c_cache }, { "a2a_allows", c_a2a_allows }, { "refusal", c_refusal }, { NULL, NULL } };
    symL_newtype(L, UD_SP_CACHE, cache, NULL);
    symL_setfuncs(L, funcs);
}
