/* bindings/lsecrets.c: symbi.secrets, core side: containers, maps, scopes, redaction (symbi/secrets.h has the rules in full).
 *
 *   map = core.secrets.map(); core.secrets.read(text, "json"|"toml"|"yaml"|"env"); core.secrets.open(box, key[, {kind="envelope"|"raw"|"shell", format="json", legacy_kdf=false}])
 *   map:get(key[, scope, agent]), map:set(key, value), map:delete(key), map:keys([scope, agent]), map:count(), map:close()
 *   text = map:seal(key[, {kind="envelope", upstream=false}])
 *   core.secrets.guess(text): "envelope" or nil; core.secrets.valid_key(key)
 *   scope = core.secrets.scope(table); scope:allows(agent, key[, "write"])
 *   r = core.secrets.redactor(); r:add(value), r:apply(text or value), r:mask(text or value), r:clear(), r:count()
 *   core.secrets.shared(): the state's own: what runs and trails of this state leave out; never closed
 *   core.secrets.mask(text or value); core.secrets.sensitive(name); core.secrets.box_seal(plain, key[, options]), box_open(box, key[, options])
 *
 *   core.secrets.reasons: {DECRYPT = "the key is another one, or the file was altered", ...}
 *
 * With scope and agent given, map:get and map:keys ask the scope here, in C; a denial is nil, "Permission denied accessing secret: <key>", err. */
#include "lsecrets.h"
#include "ud.h"

#include <stdio.h>
#include <string.h>

#define UD_SECRETS "symbi.secrets_map"
#define UD_SCOPE "symbi.secrets_scope"
#define UD_REDACTOR "symbi.redactor"
#define UD_SECRET_TEXT "symbi.secret_text"

typedef struct ud_secrets { symbi_secrets *p; } ud_secrets;
typedef struct ud_scope { symbi_secret_scope *p; } ud_scope;
typedef struct ud_redactor { symbi_redactor *p; bool shared; } ud_redactor;

static int secrets_close(lua_State *L)
{
    ud_secrets *u = symL_checkud(L, 1, UD_SECRETS);
    symbi_secrets *p = u->p;
    u->p = NULL;
    symbi_secrets_free(p);
    return 0;
}
static int scope_close(lua_State *L)
{
    ud_scope *u = symL_checkud(L, 1, UD_SCOPE);
    symbi_secret_scope *p = u->p;
    u->p = NULL;
    symbi_secret_scope_free(p);
    return 0;
}
static int redactor_close(lua_State *L)
{
    ud_redactor *u = symL_checkud(L, 1, UD_REDACTOR);
    symbi_redactor *p = u->p;
    u->p = NULL;
    symbi_redactor_free(p);
    return 0;
}
static int r_close(lua_State *L)
{
    ud_redactor *u = symL_checkud(L, 1, UD_REDACTOR);
    if (u->shared) return luaL_error(L, "the shared redactor lasts as long as the Lua state; clear() makes it forget");
    return redactor_close(L);
}
static int text_close(lua_State *L)
{
    symbi_text *t = symL_checkud(L, 1, UD_SECRET_TEXT);
    symbi_text_wipe(t);
    return 0;
}

static symbi_secrets *check(lua_State *L)
{
    ud_secrets *u = symL_checkud(L, 1, UD_SECRETS);
    if (!u->p) luaL_argerror(L, 1, "the secrets are closed");
    return u->p;
}
static symbi_secret_scope *check_scope(lua_State *L, int arg)
{
    ud_scope *u = symL_checkud(L, arg, UD_SCOPE);
    if (!u->p) luaL_argerror(L, arg, "the scope is closed");
    return u->p;
}
static symbi_redactor *check_redactor(lua_State *L)
{
    ud_redactor *u = symL_checkud(L, 1, UD_REDACTOR);
    if (!u->p) luaL_argerror(L, 1, "the redactor is closed");
    return u->p;
}

/* A text that is wiped whatever happens. */
static symbi_text *secret_text(lua_State *L) { return symL_newud(L, sizeof(symbi_text), UD_SECRET_TEXT); }
/* The string of it, which is Lua's and cannot be wiped; the text is. */
static int give(lua_State *L, symbi_text *t)
{
    lua_pushlstring(L, t->p ? t->p : "", t->n);
    symbi_text_wipe(t);
    return 1;
}

/* ---- options ---- */

static bool is(symbi_str s, const char *z) { return s.n == strlen(z) && !memcmp(s.p, z, s.n); }

static symbi_box_kind get_kind(lua_State *L, int arg)
{
    symbi_str s = symL_optfield_str(L, arg, "kind", symbi_str_z("envelope"));
    if (is(s, "envelope")) return SYMBI_BOX_ENVELOPE;
    if (is(s, "raw")) return SYMBI_BOX_RAW;
    if (is(s, "shell")) return SYMBI_BOX_SHELL;
    luaL_argerror(L, arg, "kind must be \"envelope\", \"raw\" or \"shell\"");
    return 0;
}
static symbi_secrets_format format_of(lua_State *L, int arg, symbi_str s)
{
    if (is(s, "json")) return SYMBI_SECRETS_JSON;
    if (is(s, "toml")) return SYMBI_SECRETS_TOML;
    if (is(s, "env")) return SYMBI_SECRETS_ENV;
    if (is(s, "yaml")) return SYMBI_SECRETS_YAML;
    luaL_argerror(L, arg, "the format must be \"json\", \"toml\", \"yaml\" or \"env\"");
    return 0;
}
static int box_failed(lua_State *L, const symbi_err *err, symbi_box_reason why)
{
    symL_fail(L, err);
    lua_pushstring(L, symbi_box_reason_name(why));
    lua_setfield(L, -2, "reason");
    return 3;
}

/* ---- containers ---- */

static int s_box_seal(lua_State *L)
{
    static const char *const known[] = { "kind", "upstream", NULL };
    symbi_str plain = symL_checkstr(L, 1), key = symL_checkstr(L, 2);
    symbi_box_kind kind;
    unsigned flags;
    symbi_text *t;
    symbi_err err;
    lua_settop(L, 3);
    symL_checkopts(L, 3, known);
    kind = get_kind(L, 3);
    flags = symL_optfield_bool(L, 3, "upstream", false) ? SYMBI_BOX_UPSTREAM : 0;
    t = symL_text(L);
    if (symbi_box_seal(symL_ctx(L), kind, key, plain, flags, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int s_box_open(lua_State *L)
{
    static const char *const known[] = { "kind", "legacy_kdf", NULL };
    symbi_str box = symL_checkstr(L, 1), key = symL_checkstr(L, 2);
    symbi_box_reason why;
    symbi_box_kind kind;
    unsigned flags;
    symbi_text *t;
    symbi_err err;
    lua_settop(L, 3);
    symL_checkopts(L, 3, known);
    kind = get_kind(L, 3);
    flags = symL_optfield_bool(L, 3, "legacy_kdf", false) ? SYMBI_BOX_LEGACY_KDF : 0;
    t = secret_text(L);
    if (symbi_box_open(symL_ctx(L), kind, key, box, flags, t, &why, &err)) return box_failed(L, &err, why);
    return give(L, t);
}

static int s_guess(lua_State *L)
{
    symbi_str s = symL_checkstr(L, 1);
    if (symbi_box_guess(symL_ctx(L), s) == SYMBI_BOX_ENVELOPE) lua_pushliteral(L, "envelope");
    else lua_pushnil(L);
    return 1;
}

/* ---- maps ---- */

static int s_map(lua_State *L)
{
    ud_secrets *u = symL_newud(L, sizeof *u, UD_SECRETS);
    symbi_err err;
    if (symbi_secrets_new(symL_ctx(L), &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int s_read(lua_State *L)
{
    symbi_str text = symL_checkstr(L, 1);
    symbi_secrets_format f = format_of(L, 2, symL_optstr(L, 2, symbi_str_z("json")));
    ud_secrets *u = symL_newud(L, sizeof *u, UD_SECRETS);
    symbi_err err;
    if (symbi_secrets_read(symL_ctx(L), f, text, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int s_open(lua_State *L)
{
    static const char *const known[] = { "kind", "format", "legacy_kdf", NULL };
    symbi_str box = symL_checkstr(L, 1), key = symL_checkstr(L, 2);
    symbi_secrets_format format;
    symbi_box_reason why;
    symbi_box_kind kind;
    unsigned flags;
    ud_secrets *u;
    symbi_err err;
    lua_settop(L, 3);
    symL_checkopts(L, 3, known);
    kind = get_kind(L, 3);
    format = format_of(L, 3, symL_optfield_str(L, 3, "format", symbi_str_z("json")));
    flags = symL_optfield_bool(L, 3, "legacy_kdf", false) ? SYMBI_BOX_LEGACY_KDF : 0;
    u = symL_newud(L, sizeof *u, UD_SECRETS);
    if (symbi_secrets_open(symL_ctx(L), kind, key, box, format, flags, &u->p, &why, &err)) return box_failed(L, &err, why);
    return 1;
}

static int map_seal(lua_State *L)
{
    static const char *const known[] = { "kind", "upstream", NULL };
    symbi_secrets *s = check(L);
    symbi_str key = symL_checkstr(L, 2);
    symbi_box_kind kind;
    unsigned flags;
    symbi_text *t;
    symbi_err err;
    lua_settop(L, 3);
    symL_checkopts(L, 3, known);
    kind = get_kind(L, 3);
    flags = symL_optfield_bool(L, 3, "upstream", false) ? SYMBI_BOX_UPSTREAM : 0;
    t = symL_text(L);
    if (symbi_secrets_seal(s, kind, key, flags, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int denied(lua_State *L, symbi_str key)
{
    symbi_err err;
    symbi_err_clear(&err);
    err.code = SYMBI_EDENIED;
    snprintf(err.msg, sizeof err.msg, "Permission denied accessing secret: %.*s", (int)(key.n > 128 ? 128 : key.n), key.p);
    for (char *p = err.msg; *p; p++)
        if ((unsigned char)*p < 32 || *p == 127) *p = '?';
    return symL_fail(L, &err);
}

static int map_get(lua_State *L)
{
    symbi_str key = symL_checkstr(L, 2), value;
    symbi_text *t;
    symbi_err err;
    check(L);
    if (!lua_isnoneornil(L, 3) || !lua_isnoneornil(L, 4)) {
        symbi_secret_scope *scope = lua_isnoneornil(L, 3) ? NULL : check_scope(L, 3);
        if (!symbi_secret_scope_allows(scope, symL_checkstr(L, 4), key, false)) return denied(L, key);
    }
    t = secret_text(L);
    if (symbi_secrets_get(check(L), key, &value, &err)) return symL_fail(L, &err);
    /* a copy, because pushing may run a finaliser that closes the map */
    if (symbi_redactor_apply(NULL, symL_ctx(L), value, t, &err)) return symL_fail(L, &err);
    return give(L, t);
}

static int map_keys(lua_State *L)
{
    symbi_secret_scope *scope = NULL;
    bool limited = !lua_isnoneornil(L, 2) || !lua_isnoneornil(L, 3);
    symbi_str agent = { NULL, 0 };
    char name[SYMBI_SECRET_MAX_KEY];
    int n = 0;
    check(L);
    if (limited) {
        scope = lua_isnoneornil(L, 2) ? NULL : check_scope(L, 2);
        agent = symL_checkstr(L, 3);
    }
    lua_newtable(L);
    symL_setarray(L);
    for (size_t i = 0; check(L); i++) { /* looked at anew each time: a push may run a finaliser */
        symbi_str key = symbi_secrets_key(check(L), i);
        if (!key.p) break;
        if (limited && !symbi_secret_scope_allows(scope ? check_scope(L, 2) : NULL, agent, key, false)) continue;
        memcpy(name, key.p, key.n); /* pushing may run a finaliser */
        lua_pushlstring(L, name, key.n);
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

static int map_set(lua_State *L)
{
    symbi_secrets *s = check(L);
    symbi_str key = symL_checkstr(L, 2), value = symL_checkstr(L, 3);
    symbi_err err;
    if (symbi_secrets_set(s, key, value, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int map_delete(lua_State *L)
{
    symbi_secrets *s = check(L);
    symbi_str key = symL_checkstr(L, 2);
    symbi_err err;
    if (symbi_secrets_delete(s, key, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int map_count(lua_State *L)
{
    symL_pushint(L, (int64_t)symbi_secrets_count(check(L)));
    return 1;
}

static int s_valid_key(lua_State *L)
{
    lua_pushboolean(L, symbi_secret_key_valid(symL_checkstr(L, 1)));
    return 1;
}

/* ---- scopes ---- */

static int s_scope(lua_State *L)
{
    symbi_value v;
    symbi_err err;
    ud_scope *u;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    if (symL_tovalue(L, 1, &v, &err)) return symL_fail(L, &err);
    u = symL_newud(L, sizeof *u, UD_SCOPE);
    if (symbi_secret_scope_parse(symL_ctx(L), &v, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int scope_allows(lua_State *L)
{
    symbi_secret_scope *s = check_scope(L, 1);
    symbi_str agent = symL_checkstr(L, 2), key = symL_checkstr(L, 3), op = symL_optstr(L, 4, symbi_str_z("read"));
    if (!is(op, "read") && !is(op, "write")) luaL_argerror(L, 4, "\"read\" or \"write\" is expected");
    lua_pushboolean(L, symbi_secret_scope_allows(s, agent, key, is(op, "write")));
    return 1;
}

/* ---- redaction ---- */

static int s_redactor(lua_State *L)
{
    ud_redactor *u = symL_newud(L, sizeof *u, UD_REDACTOR);
    symbi_err err;
    if (symbi_redactor_new(symL_ctx(L), &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

/* The state's own: made when the module is opened, so that nothing has to be thought of. */
static const char shared_key;

static int s_shared(lua_State *L)
{
    lua_pushlightuserdata(L, (void *)(uintptr_t)&shared_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    return 1;
}

symbi_redactor *l_shared_redactor(lua_State *L)
{
    ud_redactor *u;
    s_shared(L);
    u = symL_testud(L, -1, UD_REDACTOR);
    lua_pop(L, 1); /* the registry holds it */
    return u ? u->p : NULL;
}

static int r_add(lua_State *L)
{
    symbi_redactor *r = check_redactor(L);
    symbi_str v = symL_checkstr(L, 2);
    symbi_err err;
    if (symbi_redactor_add(r, v, &err)) return symL_fail(L, &err);
    lua_settop(L, 1);
    return 1;
}

static int r_apply(lua_State *L)
{
    symbi_str s;
    symbi_text *t;
    symbi_err err;
    check_redactor(L);
    if (lua_type(L, 2) != LUA_TSTRING) {
        symbi_value v;
        symbi_doc *d;
        luaL_checkany(L, 2);
        if (symL_tovalue(L, 2, &v, &err) || symbi_redactor_apply_value(check_redactor(L), symL_ctx(L), &v, &d, &err)) return symL_fail(L, &err);
        symL_pushdoc(L, d);
        return 1;
    }
    s = symL_checkstr(L, 2);
    t = symL_text(L);
    if (symbi_redactor_apply(check_redactor(L), symL_ctx(L), s, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

/* The value or text at 2 (1 without a redactor), masked. */
static int mask(lua_State *L, bool known, int at)
{
    symbi_text *a, *b;
    symbi_doc *d;
    symbi_value v;
    symbi_err err;
    luaL_checkany(L, at);
    if (lua_type(L, at) == LUA_TSTRING) {
        a = symL_text(L);
        b = symL_text(L);
        if (symbi_redactor_apply(known ? check_redactor(L) : NULL, symL_ctx(L), symL_tostr(L, at), a, &err)) return symL_fail(L, &err);
        if (symbi_mask_text(symL_ctx(L), symbi_text_str(a), b, &err)) return symL_fail(L, &err);
        symL_pushtext(L, b);
        return 1;
    }
    if (symL_tovalue(L, at, &v, &err)) return symL_fail(L, &err);
    if (symbi_mask_value(symL_ctx(L), known ? check_redactor(L) : NULL, &v, &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}
static int r_mask(lua_State *L)
{
    check_redactor(L);
    return mask(L, true, 2);
}
static int s_mask(lua_State *L) { return mask(L, false, 1); }

static int r_clear(lua_State *L)
{
    symbi_redactor_clear(check_redactor(L));
    return 0;
}
static int r_count(lua_State *L)
{
    symL_pushint(L, (int64_t)symbi_redactor_count(check_redactor(L)));
    return 1;
}
static int s_sensitive(lua_State *L)
{
    lua_pushboolean(L, symbi_mask_key(symL_checkstr(L, 1)));
    return 1;
}

void l_secrets_open(lua_State *L);
void l_secrets_open(lua_State *L)
{
    ud_redactor *u;
    static const luaL_Reg funcs[] = { { "map", s_map },           { "read", s_read },         { "open", s_open },   { "box_seal", s_box_seal },   { "box_open", s_box_open },
                                      { "guess", s_guess },       { "valid_key", s_valid_key }, { "scope", s_scope }, { "redactor", s_redactor }, { "shared", s_shared }, { "mask", s_mask },
                                      { "sensitive", s_sensitive }, { NULL, NULL } };
    static const luaL_Reg map[] = { { "get", map_get },     { "set", map_set },   { "delete", map_delete },  { "keys", map_keys },
                                    { "count", map_count }, { "seal", map_seal }, { "close", secrets_close }, { NULL, NULL } };
    static const luaL_Reg scope[] = { { "allows", scope_allows }, { "close", scope_close }, { NULL, NULL } };
    static const luaL_Reg redactor[] = { { "add", r_add },     { "apply", r_apply }, { "mask", r_mask },
                                         { "clear", r_clear }, { "count", r_count }, { "close", r_close }, { NULL, NULL } };
    static const luaL_Reg map_meta[] = { { "__gc", secrets_close }, { NULL, NULL } }, scope_meta[] = { { "__gc", scope_close }, { NULL, NULL } };
    static const luaL_Reg redactor_meta[] = { { "__gc", redactor_close }, { NULL, NULL } }, text_meta[] = { { "__gc", text_close }, { NULL, NULL } };
    symL_newtype(L, UD_SECRETS, map, map_meta);
    symL_newtype(L, UD_SCOPE, scope, scope_meta);
    symL_newtype(L, UD_REDACTOR, redactor, redactor_meta);
    symL_newtype(L, UD_SECRET_TEXT, NULL, text_meta);
    lua_pushlightuserdata(L, (void *)(uintptr_t)&shared_key);
    s_redactor(L);
    u = symL_testud(L, -1, UD_REDACTOR);
    if (!u) luaL_error(L, "not enough memory");
    u->shared = true;
    lua_rawset(L, LUA_REGISTRYINDEX);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
    lua_newtable(L);
    for (int r = SYMBI_BOX_R_OK; r < SYMBI_BOX_REASON_COUNT; r++) {
        lua_pushstring(L, symbi_box_reason_text((symbi_box_reason)r));
        lua_setfield(L, -2, symbi_box_reason_name((symbi_box_reason)r));
    }
    lua_setfield(L, -2, "reasons");
}
