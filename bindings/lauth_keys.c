/* bindings/lauth_keys.c: symbi.auth, core side: API keys (symbi/auth.h has the rules in full).
 *
 *   k = core.auth.keys([text]); hit, msg, err = k:check(presented, now[, {legacy=, no_cache=}]); k:create{...}, k:revoke(id), k:list(), k:text(), k:count()
 *     hit: {key_id=, record=, scoped=, permissions={...}, cached=, legacy=}; hit.agent_scope is nil for a key of full access
 *     key = k:create({key_id=, description=, agent_scope={...}, permissions={...}, expires_at=, cost={m_kib,t,p}}, now): shown once
 *   core.auth.key_allows(permissions, action), core.auth.in_scope(agent_scope or nil, agent) -> boolean
 *   core.auth.key_reasons: {REVOKED = "the key is revoked", ...}
 * Errors have reason beside code. now is Unix seconds; nil is the clock. */
#include "lauth.h"

#include <string.h>

#define UD_APIKEYS "symbi.apikeys"
typedef struct ud_apikeys { symbi_apikeys *p; } ud_apikeys;

static int keys_close(lua_State *L)
{
    ud_apikeys *u = symL_checkud(L, 1, UD_APIKEYS);
    symbi_apikeys *p = u->p;
    u->p = NULL;
    symbi_apikeys_free(p);
    return 0;
}

static symbi_apikeys *check_keys(lua_State *L)
{
    ud_apikeys *u = symL_checkud(L, 1, UD_APIKEYS);
    if (!u->p) luaL_argerror(L, 1, "the keys are closed");
    return u->p;
}

static int c_keys(lua_State *L)
{
    symbi_str text = symL_optstr(L, 1, (symbi_str){ NULL, 0 });
    ud_apikeys *u;
    symbi_err err;
    lua_settop(L, 1);
    u = symL_newud(L, sizeof *u, UD_APIKEYS);
    if (symbi_apikeys_parse(symL_ctx(L), text, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int k_check(lua_State *L)
{
    static const char *const known[] = { "legacy", "no_cache", NULL };
    symbi_apikeys *k = check_keys(L);
    symbi_str presented = symL_checkstr(L, 2);
    int64_t now = lauth_now(L, 3);
    unsigned flags = 0;
    symbi_apikey_hit h;
    symbi_doc *d;
    symbi_err err;
    lua_settop(L, 4);
    symL_checkopts(L, 4, known);
    if (symL_optfield_bool(L, 4, "legacy", false)) flags |= SYMBI_APIKEY_LEGACY_KEYS;
    if (symL_optfield_bool(L, 4, "no_cache", false)) flags |= SYMBI_APIKEY_NO_CACHE;
    if (symbi_apikeys_check(k, presented, now, flags, &h, &err)) {
        char id[136];
        size_t n = h.key_id.n > 128 ? 128 : h.key_id.n;
        if (h.key_id.p) memcpy(id, h.key_id.p, n);
        symL_fail(L, &err);
        lua_pushstring(L, symbi_apikey_reason_name(h.reason));
        lua_setfield(L, -2, "reason");
        if (h.key_id.p) {
            lua_pushlstring(L, id, n);
            lua_setfield(L, -2, "key_id");
        }
        return 3;
    }
    /* a copy of its own: what is borrowed may go while Lua allocates */
    if (symbi_doc_copy(symL_ctx(L), h.record, &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    lua_createtable(L, 0, 6);
    lua_getfield(L, -2, "key_id");
    lua_setfield(L, -2, "key_id");
    lua_pushboolean(L, h.scoped);
    lua_setfield(L, -2, "scoped");
    if (h.scoped) {
        lua_getfield(L, -2, "agent_scope");
        lua_setfield(L, -2, "agent_scope");
    }
    lauth_push_permissions(L, h.permissions);
    lua_setfield(L, -2, "permissions");
    lua_pushboolean(L, h.cached);
    lua_setfield(L, -2, "cached");
    lua_pushboolean(L, h.legacy);
    lua_setfield(L, -2, "legacy");
    lua_insert(L, -2);
    lua_setfield(L, -2, "record");
    return 1;
}

/* key_allows(permissions, action): a list of permissions, as a hit has it. */
static int c_key_allows(lua_State *L)
{
    symbi_str list[32], action = symL_checkstr(L, 2);
    unsigned have = 0, want = symbi_permission_of(action);
    size_t n = lauth_texts(L, 1, NULL, list, 32, NULL);
    for (size_t i = 0; i < n; i++) have |= symbi_permission_of(list[i]);
    lua_pushboolean(L, want && (have & (want | SYMBI_PERM_ADMIN)));
    return 1;
}

/* in_scope(agent_scope or nil, agent): by symbi_apikey_may_agent. */
static int c_in_scope(lua_State *L)
{
    static const char member[] = "agent_scope";
    symbi_str agent = symL_checkstr(L, 2);
    symbi_apikey_hit h;
    symbi_value v, record;
    symbi_member m;
    symbi_err err;
    memset(&h, 0, sizeof h);
    lua_settop(L, 2);
    h.reason = SYMBI_APIKEY_R_OK;
    h.scoped = !lua_isnil(L, 1) && lua_type(L, 1) != LUA_TLIGHTUSERDATA;
    if (h.scoped) {
        luaL_checktype(L, 1, LUA_TTABLE);
        if (symL_tovalue(L, 1, &v, &err)) return symL_fail(L, &err);
        if (v.kind == SYMBI_OBJECT && !v.u.o.n) v.kind = SYMBI_ARRAY, v.u.a.items = NULL, v.u.a.n = 0;
        if (v.kind != SYMBI_ARRAY) luaL_argerror(L, 1, "a list of agent ids is expected");
        for (size_t i = 0; i < v.u.a.n; i++)
            if (v.u.a.items[i].kind != SYMBI_STRING) luaL_argerror(L, 1, "a list of agent ids is expected");
        m.key = symbi_str_z(member);
        m.val = v;
        memset(&record, 0, sizeof record);
        record.kind = SYMBI_OBJECT;
        record.u.o.members = &m;
        record.u.o.n = 1;
        h.record = &record;
    }
    lua_pushboolean(L, symbi_apikey_may_agent(&h, agent));
    return 1;
}

static int k_create(lua_State *L)
{
    static const char *const known[] = { "key_id", "description", "agent_scope", "permissions", "expires_at", "cost", NULL };
    const symbi_str none = { NULL, 0 };
    enum { MAX_SCOPE = 1000 };
    symbi_apikeys *k = check_keys(L);
    symbi_apikey_new n;
    symbi_str *scope;
    int64_t now = lauth_now(L, 3);
    ud_answer *u;
    symbi_err err;
    memset(&n, 0, sizeof n);
    n.size = sizeof n;
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    symL_checkopts(L, 2, known);
    n.key_id = symL_optfield_str(L, 2, "key_id", none);
    n.description = symL_optfield_str(L, 2, "description", none);
    n.expires_at = symL_optfield_int(L, 2, "expires_at", 0, 0, (int64_t)1 << 40);
    n.permissions = lauth_permissions(L, 2, "permissions");
    scope = lua_newuserdata(L, MAX_SCOPE * sizeof *scope);
    n.nscope = lauth_texts(L, 2, "agent_scope", scope, MAX_SCOPE, &n.scoped);
    n.scope = scope;
    lua_getfield(L, 2, "cost");
    if (!lua_isnil(L, -1)) {
        luaL_checktype(L, -1, LUA_TTABLE);
        n.cost.m_kib = (uint32_t)symL_optfield_int(L, lua_gettop(L), "m_kib", 19456, 8, 1 << 20);
        n.cost.t = (uint32_t)symL_optfield_int(L, lua_gettop(L), "t", 2, 1, 64);
        n.cost.p = (uint32_t)symL_optfield_int(L, lua_gettop(L), "p", 1, 1, 16);
    }
    u = symL_newud(L, sizeof *u, UD_ANSWER);
    if (symbi_apikeys_create(k, &n, now, &u->a, &err)) return symL_fail(L, &err);
    lauth_give(L, &u->a);
    return 1;
}

static int k_revoke(lua_State *L)
{
    symbi_apikeys *k = check_keys(L);
    symbi_str id = symL_checkstr(L, 2);
    symbi_err err;
    if (symbi_apikeys_revoke(k, id, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

/* list(): the records without their hashes. */
static int k_list(lua_State *L)
{
    symbi_err err;
    check_keys(L);
    lua_newtable(L);
    symL_setarray(L);
    for (size_t i = 0;; i++) {
        const symbi_value *v = symbi_apikeys_record(check_keys(L), i);
        symbi_doc *d;
        if (!v) return 1;
        if (symbi_doc_copy(symL_ctx(L), v, &d, &err)) return symL_fail(L, &err);
        symL_pushdoc(L, d);
        lua_pushnil(L);
        lua_setfield(L, -2, "key_hash");
        lua_rawseti(L, -2, (int)i + 1);
    }
}

static int k_text(lua_State *L)
{
    symbi_text *t;
    symbi_err err;
    check_keys(L);
    t = symL_text(L);
    if (symbi_apikeys_write(check_keys(L), t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}
static int k_count(lua_State *L)
{
    symL_pushint(L, (int64_t)symbi_apikeys_count(check_keys(L)));
    return 1;
}

void lauth_keys_open(lua_State *L)
{
    static const luaL_Reg funcs[] = { { "keys", c_keys }, { "key_allows", c_key_allows }, { "in_scope", c_in_scope }, { NULL, NULL } };
    static const luaL_Reg methods[] = { { "check", k_check }, { "create", k_create }, { "revoke", k_revoke }, { "list", k_list }, { "text", k_text }, { "count", k_count }, { "close", keys_close }, { NULL, NULL } };
    static const luaL_Reg meta[] = { { "__gc", keys_close }, { NULL, NULL } };
    symL_newtype(L, UD_APIKEYS, methods, meta);
    symL_setfuncs(L, funcs);
    lua_newtable(L);
    for (int r = SYMBI_APIKEY_R_NONE; r < SYMBI_APIKEY_REASON_COUNT; r++) {
        lua_pushstring(L, symbi_apikey_reason_text((symbi_apikey_reason)r));
        lua_setfield(L, -2, symbi_apikey_reason_name((symbi_apikey_reason)r));
    }
    lua_setfield(L, -2, "key_reasons");
}
