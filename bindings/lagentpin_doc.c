/* bindings/lagentpin_doc.c: documents, keys, options and failures on their way between Lua and AgentPin. */
#include "lagentpin.h"

#include <string.h>

int ap_fail(lua_State *L, const symbi_err *err, symbi_agentpin_code code)
{
    int n = symL_fail(L, err);
    if (code) {
        lua_pushstring(L, symbi_status_name(err->code));
        lua_setfield(L, -2, "status");
        lua_pushstring(L, symbi_agentpin_code_name(code));
        lua_setfield(L, -2, "code");
    }
    return n;
}

int ap_answer(lua_State *L, symbi_status st, const symbi_err *err, symbi_agentpin_code code)
{
    if (st) return ap_fail(L, err, code);
    lua_pushboolean(L, 1);
    return 1;
}

/* ---- documents ---- */

static int doc_close(lua_State *L)
{
    ud_ap_doc *u = symL_checkud(L, 1, UD_AP_DOC);
    symbi_doc *p = u->p;
    u->p = NULL;
    symbi_doc_unref(p);
    return 0;
}

static symbi_doc *checkdoc(lua_State *L, int arg)
{
    ud_ap_doc *u = symL_checkud(L, arg, UD_AP_DOC);
    if (!u->p) luaL_argerror(L, arg, "the document is closed");
    return u->p;
}

ud_ap_doc *ap_newdoc(lua_State *L) { return symL_newud(L, sizeof(ud_ap_doc), UD_AP_DOC); }

int ap_pushdoc(lua_State *L, symbi_doc *d)
{
    symL_pushdoc(L, d);
    return 1;
}

/* doc:value(): Lua data. */
static int doc_value(lua_State *L) { return ap_pushdoc(L, symbi_doc_ref(checkdoc(L, 1))); }

/* doc:json([pretty]) */
static int doc_json(lua_State *L)
{
    unsigned flags = lua_toboolean(L, 2) ? SYMBI_JSON_PRETTY : 0;
    symbi_text *t;
    symbi_err err;
    checkdoc(L, 1);
    lua_settop(L, 1);
    t = symL_text(L);
    if (symbi_json_write(symL_ctx(L), symbi_doc_root(checkdoc(L, 1)), flags, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

void ap_doc_type(lua_State *L)
{
    static const luaL_Reg methods[] = { { "value", doc_value }, { "json", doc_json }, { "close", doc_close }, { NULL, NULL } };
    static const luaL_Reg meta[] = { { "__gc", doc_close }, { NULL, NULL } };
    symL_newtype(L, UD_AP_DOC, methods, meta);
}

static bool value_at(lua_State *L, int idx, symbi_value *out, symbi_err *err)
{
    ud_ap_doc *u;
    memset(out, 0, sizeof *out);
    idx = symL_absindex(L, idx);
    if (lua_isnoneornil(L, idx) || lua_type(L, idx) == LUA_TLIGHTUSERDATA) {
        lua_pushnil(L);
        return true;
    }
    u = symL_testud(L, idx, UD_AP_DOC);
    if (u) {
        ud_ap_doc *hold = ap_newdoc(L); /* of its own: a finaliser may close the other */
        if (!u->p) luaL_error(L, "the document is closed");
        hold->p = symbi_doc_ref(u->p);
        *out = *symbi_doc_root(hold->p);
        return true;
    }
    if (lua_type(L, idx) == LUA_TSTRING) {
        ud_ap_doc *hold = ap_newdoc(L);
        if (symbi_json_parse(symL_ctx(L), symL_tostr(L, idx), &hold->p, err)) {
            lua_pop(L, 1);
            return false;
        }
        *out = *symbi_doc_root(hold->p);
        return true;
    }
    if (!lua_istable(L, idx)) luaL_error(L, "a document is a table, JSON text or a document object, not a %s", luaL_typename(L, idx));
    return symL_tovalue(L, idx, out, err) == SYMBI_OK;
}

bool ap_value(lua_State *L, int arg, symbi_value *out, symbi_err *err)
{
    luaL_checkstack(L, 8, "document");
    return value_at(L, arg, out, err);
}

bool ap_field(lua_State *L, int arg, const char *name, symbi_value *out, symbi_err *err)
{
    luaL_checkstack(L, 8, "document");
    arg = symL_absindex(L, arg);
    lua_getfield(L, arg, name);
    if (!value_at(L, -1, out, err)) {
        lua_pop(L, 1);
        return false;
    }
    lua_remove(L, -2); /* the table keeps it, or the anchor does */
    return true;
}

/* ---- keys and times ---- */

static symbi_key *key_at(lua_State *L, int idx, symbi_err *err)
{
    ud_key *u = symL_testud(L, idx, UD_KEY), *hold;
    symbi_str pem = symL_tostr(L, idx);
    if (!u && !pem.p) luaL_error(L, "a key is PEM text or a key object, not a %s", luaL_typename(L, idx));
    idx = symL_absindex(L, idx);
    hold = symL_newud(L, sizeof *hold, UD_KEY);
    if (u) {
        if (!u->p) luaL_error(L, "the key is closed");
        hold->p = symbi_key_ref(u->p);
    } else if (symbi_key_from_pem(symL_ctx(L), pem, &hold->p, err)) {
        lua_pop(L, 1);
        return NULL;
    }
    return hold->p;
}

symbi_key *ap_key(lua_State *L, int arg, symbi_err *err) { return key_at(L, arg, err); }

symbi_key *ap_key_field(lua_State *L, int arg, const char *const names[], symbi_err *err)
{
    symbi_key *k;
    arg = symL_absindex(L, arg);
    for (size_t i = 0; names[i]; i++) {
        lua_getfield(L, arg, names[i]);
        if (lua_isnil(L, -1)) {
            lua_pop(L, 1);
            continue;
        }
        k = key_at(L, -1, err);
        if (k) lua_remove(L, -2);
        else lua_pop(L, 1);
        return k;
    }
    luaL_error(L, "%s is missing", names[0]);
    return NULL;
}

/* The range of seconds that callers may give: what every VM's numbers hold exactly. */
#define SECONDS ((int64_t)1 << 53)

int64_t ap_now(lua_State *L, int arg)
{
    if (lua_isnoneornil(L, arg)) return symbi_ctx_now_ms(symL_ctx(L)) / 1000;
    return symL_checkint(L, arg, -SECONDS, SECONDS);
}

int64_t ap_now_field(lua_State *L, int arg)
{
    if (!lua_istable(L, arg)) return symbi_ctx_now_ms(symL_ctx(L)) / 1000;
    return symL_optfield_int(L, arg, "now", symbi_ctx_now_ms(symL_ctx(L)) / 1000, -SECONDS, SECONDS);
}

/* ---- options of a verification ---- */

static const struct {
    const char *name;
    unsigned flag;
} checks[] = {
    { "version", SYMBI_AGENTPIN_NO_VERSION },
    { "exp_order", SYMBI_AGENTPIN_NO_EXP_ORDER },
    { "agent_ttl", SYMBI_AGENTPIN_NO_AGENT_TTL },
    { "key_use", SYMBI_AGENTPIN_NO_KEY_USE },
    { "revocation_entity", SYMBI_AGENTPIN_NO_REVOCATION_ENTITY },
    { "delegation_depth", SYMBI_AGENTPIN_NO_DEPTH },
    { "admin_wildcard", SYMBI_AGENTPIN_NO_ADMIN },
    { "strict_constraints", SYMBI_AGENTPIN_NO_STRICT_CONSTRAINTS },
    { "issuer_domain", SYMBI_AGENTPIN_NO_ISSUER_DOMAIN },
    { "strict_document", SYMBI_AGENTPIN_NO_STRICT_DOCUMENT },
};

/* checks = {name = false}, or "upstream": none of ours. */
static unsigned get_checks(lua_State *L, int arg)
{
    const char *names[sizeof checks / sizeof *checks + 1];
    unsigned flags = 0;
    int t;
    symbi_str word;
    lua_getfield(L, arg, "checks");
    word = symL_tostr(L, -1);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return 0;
    }
    if (word.p) {
        if (word.n != 8 || memcmp(word.p, "upstream", 8)) luaL_error(L, "checks must be \"upstream\" or a table {name = false}");
        lua_pop(L, 1);
        return SYMBI_AGENTPIN_UPSTREAM;
    }
    if (!lua_istable(L, -1)) luaL_error(L, "checks must be \"upstream\" or a table {name = false}");
    t = lua_gettop(L);
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) names[i] = checks[i].name;
    names[sizeof checks / sizeof *checks] = NULL;
    symL_checkopts(L, t, names);
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        if (!symL_optfield_bool(L, t, checks[i].name, true)) flags |= checks[i].flag;
    }
    lua_pop(L, 1);
    return flags;
}

static symbi_agentpin_pin_policy get_policy(lua_State *L, int arg)
{
    static const char *const names[] = { "tofu", "rotate", "strict" };
    symbi_str s = symL_optfield_str(L, arg, "pin_policy", (symbi_str){ "tofu", 4 });
    for (int i = 0; i < 3; i++) {
        if (s.n == strlen(names[i]) && !memcmp(s.p, names[i], s.n)) return (symbi_agentpin_pin_policy)i;
    }
    luaL_error(L, "pin_policy must be \"tofu\", \"rotate\" or \"strict\"");
    return SYMBI_AGENTPIN_PIN_STRICT;
}

/* A pointer into a tree that lives as long as the stack slot. */
static const symbi_value *hold_value(lua_State *L, const symbi_value *v)
{
    symbi_value *copy = lua_newuserdata(L, sizeof *copy);
    *copy = *v;
    return copy;
}

bool ap_options(lua_State *L, int arg, symbi_agentpin_options *o, bool *dns, symbi_err *err)
{
    static const char *const known[] = { "now", "audience", "clock_skew_secs", "max_ttl_secs", "checks", "require_audience", "pin_store", "pin_policy", "document_over_https",
                                         "replay_store", "verify_delegation", "delegation_documents", "delegation_revocations", "dns_txt", "dns", NULL };
    static const char *const lists[] = { "delegation_documents", "delegation_revocations" };
    symbi_agentpin_options_init(o);
    *dns = false;
    luaL_checkstack(L, 12, "options");
    if (lua_isnoneornil(L, arg)) {
        o->now = symbi_ctx_now_ms(symL_ctx(L)) / 1000;
        return true;
    }
    luaL_checktype(L, arg, LUA_TTABLE);
    symL_checkopts(L, arg, known);
    o->now = ap_now_field(L, arg);
    o->audience = symL_optfield_str(L, arg, "audience", o->audience);
    o->clock_skew_secs = symL_optfield_int(L, arg, "clock_skew_secs", o->clock_skew_secs, 0, SECONDS);
    o->max_ttl_secs = symL_optfield_int(L, arg, "max_ttl_secs", o->max_ttl_secs, 0, SECONDS);
    o->flags = get_checks(L, arg);
    o->require_audience = symL_optfield_bool(L, arg, "require_audience", false);
    o->pin_policy = get_policy(L, arg);
    o->document_over_https = symL_optfield_bool(L, arg, "document_over_https", false);
    o->verify_delegation = symL_optfield_bool(L, arg, "verify_delegation", false);
    *dns = symL_optfield_bool(L, arg, "dns", false);
    o->dns_txt = symL_optfield_str(L, arg, "dns_txt", o->dns_txt);
    for (int i = 0; i < 2; i++) {
        symbi_value v;
        if (!ap_field(L, arg, lists[i], &v, err)) return false;
        if (v.kind == SYMBI_ARRAY) *(i ? &o->delegation_revocations : &o->delegation_documents) = hold_value(L, &v);
    }
    /* Last, for what converts a document may run a finaliser that closes a store. */
    lua_getfield(L, arg, "pin_store");
    if (!lua_isnil(L, -1)) {
        ud_ap_pins *p = symL_testud(L, -1, UD_AP_PINS);
        if (!p || !p->p) luaL_error(L, "pin_store must be an open pin store");
        o->pins = p->p;
    }
    lua_getfield(L, arg, "replay_store");
    if (!lua_isnil(L, -1)) {
        ud_ap_nonces *n = symL_testud(L, -1, UD_AP_NONCES);
        if (!n || !n->p) luaL_error(L, "replay_store must be an open nonce store");
        o->replays = n->p;
    }
    return true;
}
