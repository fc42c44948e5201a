/* bindings/lschemapin.c: symbi.core.schemapin: canonical form, keys, signatures, and results. lua/symbi/schemapin.lua is what people
 * use. A document goes in as its text or as a table; text keeps numbers as they were written, a table on no VM does (1.0 is 1).
 *
 *   canonical(doc[, {strict=, signing=, embedded=, serde=}]) -> text, {number=, duplicate=}; hash(doc[, same]) -> hex, notes
 *   runtime_input(text) -> signed bytes, embedded signature or nil; canonicalization_ok(name or nil); time(text) -> ms or nil
 *   keypair() -> private PEM, public PEM; public_of(private PEM or key) -> public PEM
 *   fingerprint(pem or key); sign(key or pem, message) -> base64; verify(pem or key, message, signature) -> boolean, why
 *   result: reads as a table: valid, status, code (nil when valid), message, detail, domain, tool_id, developer_name, fingerprint,
 *     key_pinning {status=, first_seen=}, subject, form, digest, input_sha256, expired, expires_at, schema_version, previous_hash,
 *     warnings, checked_at, valid_until; result:table(); result:proves(subject, digest, now) */
#include "lschemapin.h"

#include <string.h>

/* ---- arguments --------------------------------------------------------------------------------------------------------- */

symbi_status lsp_document(lua_State *L, int idx, symbi_str *json, symbi_value *v, const symbi_value **value, symbi_err *err)
{
    idx = symL_absindex(L, idx);
    *value = NULL;
    json->p = NULL;
    json->n = 0;
    if (lua_type(L, idx) == LUA_TSTRING) {
        *json = symL_tostr(L, idx);
        lua_pushvalue(L, idx);
        return SYMBI_OK;
    }
    if (symL_tovalue(L, idx, v, err)) return err->code;
    *value = v;
    return SYMBI_OK;
}

void *lsp_field_ud(lua_State *L, int arg, const char *name, const char *tname, const char *what)
{
    void *u;
    lua_getfield(L, arg, name);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return NULL;
    }
    u = symL_testud(L, -1, tname);
    if (!u || !*(void **)u) luaL_error(L, u ? "%s: this %s is closed" : "%s: expected a %s", name, what);
    lua_pop(L, 1); /* the options keep it */
    return u;
}

symbi_str lsp_field_str(lua_State *L, int arg, const char *name)
{
    symbi_str s = { NULL, 0 };
    lua_getfield(L, arg, name);
    if (!lua_isnil(L, -1) && !(lua_islightuserdata(L, -1) && !lua_touserdata(L, -1))) { /* null, as JSON brings it, is absent */
        s = symL_tostr(L, -1);
        if (!s.p) luaL_error(L, "%s: string expected, got %s", name, luaL_typename(L, -1));
    }
    lua_pop(L, 1); /* the table keeps it */
    return s;
}

bool lsp_field_bool(lua_State *L, int arg, const char *name)
{
    return symL_optfield_bool(L, arg, name, false);
}

int64_t lsp_field_now(lua_State *L, int arg)
{
    double d;
    lua_getfield(L, arg, "now");
    if (lua_type(L, -1) != LUA_TNUMBER) luaL_error(L, "now: the time in seconds is expected");
    d = (double)lua_tonumber(L, -1);
    if (!(d > -1e12 && d < 1e12)) luaL_error(L, "now: out of range");
    lua_pop(L, 1);
    return (int64_t)d - (d < (double)(int64_t)d);
}

symbi_str *lsp_strings(lua_State *L, int idx, size_t *n, const char *what)
{
    symbi_str *s;
    idx = symL_absindex(L, idx);
    *n = 0;
    if (lua_isnoneornil(L, idx)) {
        lua_pushnil(L);
        return NULL;
    }
    if (!lua_istable(L, idx)) luaL_error(L, "%s: a list is expected", what);
    *n = symL_rawlen(L, idx);
    if (*n > 65536) luaL_error(L, "%s: too many entries", what);
    s = lua_newuserdata(L, (*n + 1) * sizeof *s);
    for (size_t i = 0; i < *n; i++) {
        lua_rawgeti(L, idx, (int)i + 1);
        s[i] = symL_tostr(L, -1);
        if (!s[i].p) luaL_error(L, "%s: entry %d is not a string", what, (int)i + 1);
        lua_pop(L, 1); /* the list keeps it */
    }
    return s;
}

symbi_status lsp_key(lua_State *L, int arg, bool want_private, const symbi_key **out, symbi_err *err)
{
    ud_key *given = symL_testud(L, arg, UD_KEY), *u;
    symbi_str pem = { NULL, 0 };
    symbi_status st = SYMBI_OK;
    *out = NULL;
    if (!given) pem = symL_checkstr(L, arg);
    else if (!given->p) luaL_argerror(L, arg, "the key is closed");
    u = symL_newud(L, sizeof *u, UD_KEY);
    if (given && !given->p) luaL_argerror(L, arg, "the key is closed");
    if (given) u->p = symbi_key_ref(given->p);
    else if (want_private) st = symbi_key_from_pem(symL_ctx(L), pem, &u->p, err);
    else st = symbi_schemapin_public_key(symL_ctx(L), pem, &u->p, err);
    if (st) return st;
    if (symbi_key_kind_of(u->p) != SYMBI_KEY_P256 || (want_private && !symbi_key_is_private(u->p))) {
        symbi_err_clear(err);
        err->code = SYMBI_EINVAL;
        strcpy(err->msg, want_private ? "a P-256 private key is expected" : "a P-256 key is expected");
        return SYMBI_EINVAL;
    }
    *out = u->p;
    return SYMBI_OK;
}

/* ---- functions ----------------------------------------------------------------------------------------------------------- */

static unsigned canon_flags(lua_State *L, int arg)
{
    static const char *const known[] = { "strict", "signing", "embedded", "serde", NULL };
    unsigned flags = 0;
    if (lua_isnoneornil(L, arg)) return 0;
    luaL_checktype(L, arg, LUA_TTABLE);
    symL_checkopts(L, arg, known);
    if (lsp_field_bool(L, arg, "strict")) flags |= SYMBI_SCHEMAPIN_STRICT;
    if (lsp_field_bool(L, arg, "signing")) flags |= SYMBI_SCHEMAPIN_FOR_SIGNING;
    if (lsp_field_bool(L, arg, "embedded")) flags |= SYMBI_SCHEMAPIN_EMBEDDED;
    if (lsp_field_bool(L, arg, "serde")) flags |= SYMBI_SCHEMAPIN_SERDE;
    return flags;
}

static void push_notes(lua_State *L, unsigned notes)
{
    lua_createtable(L, 0, 2);
    lua_pushboolean(L, (notes & SYMBI_SCHEMAPIN_NOTE_NUMBER) != 0);
    lua_setfield(L, -2, "number");
    lua_pushboolean(L, (notes & SYMBI_SCHEMAPIN_NOTE_DUPLICATE) != 0);
    lua_setfield(L, -2, "duplicate");
}

static void push_hex(lua_State *L, const uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    char b[128];
    for (size_t i = 0; i < n; i++) b[2 * i] = digits[p[i] >> 4], b[2 * i + 1] = digits[p[i] & 15];
    lua_pushlstring(L, b, 2 * n);
}

static int c_canonical(lua_State *L)
{
    unsigned flags = canon_flags(L, 2), notes;
    symbi_text *t;
    symbi_str json;
    symbi_value v;
    const symbi_value *value;
    symbi_err err;
    if (lua_type(L, 1) != LUA_TSTRING && lua_isnoneornil(L, 1)) luaL_argerror(L, 1, "a text or a table is expected");
    t = symL_text(L);
    if (lsp_document(L, 1, &json, &v, &value, &err)) return symL_fail(L, &err);
    if (symbi_schemapin_canonical(symL_ctx(L), json, value, flags, t, &notes, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    push_notes(L, notes);
    return 2;
}

static int c_hash(lua_State *L)
{
    unsigned flags = canon_flags(L, 2), notes;
    symbi_str json;
    symbi_value v;
    const symbi_value *value;
    uint8_t h[32];
    symbi_err err;
    if (lua_isnoneornil(L, 1)) luaL_argerror(L, 1, "a text or a table is expected");
    if (lsp_document(L, 1, &json, &v, &value, &err)) return symL_fail(L, &err);
    if (symbi_schemapin_hash(symL_ctx(L), json, value, flags, h, &notes, &err)) return symL_fail(L, &err);
    push_hex(L, h, 32);
    push_notes(L, notes);
    return 2;
}

static int c_runtime_input(lua_State *L)
{
    symbi_str json = symL_checkstr(L, 1);
    symbi_text *bytes = symL_text(L), *sig = symL_text(L);
    symbi_err err;
    if (symbi_schemapin_runtime_input(symL_ctx(L), json, bytes, sig, &err)) return symL_fail(L, &err);
    symL_pushtext(L, bytes);
    if (sig->p) symL_pushtext(L, sig);
    else lua_pushnil(L);
    return 2;
}

static int c_canonicalization_ok(lua_State *L)
{
    symbi_str none = { NULL, 0 };
    lua_pushboolean(L, symbi_schemapin_canonicalization_ok(symL_optstr(L, 1, none)));
    return 1;
}

static int c_time(lua_State *L)
{
    int64_t ms;
    if (symbi_schemapin_time(symL_checkstr(L, 1), &ms)) lua_pushnumber(L, (lua_Number)ms);
    else lua_pushnil(L);
    return 1;
}

static int c_fingerprint(lua_State *L)
{
    const symbi_key *k;
    char fp[SYMBI_SCHEMAPIN_FINGERPRINT + 1];
    symbi_err err;
    if (lsp_key(L, 1, false, &k, &err)) return symL_fail(L, &err);
    symbi_schemapin_fingerprint(k, fp);
    lua_pushlstring(L, fp, SYMBI_SCHEMAPIN_FINGERPRINT);
    return 1;
}

static int c_sign(lua_State *L)
{
    symbi_str message = symL_checkstr(L, 2);
    const symbi_key *k;
    symbi_text *t = symL_text(L);
    symbi_err err;
    if (lsp_key(L, 1, true, &k, &err)) return symL_fail(L, &err);
    if (symbi_schemapin_sign(symL_ctx(L), k, message, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int c_verify(lua_State *L)
{
    symbi_str message = symL_checkstr(L, 2), sig = symL_checkstr(L, 3);
    const symbi_key *k;
    symbi_err err;
    symbi_status st;
    if (lsp_key(L, 1, false, &k, &err)) return symL_fail(L, &err);
    st = symbi_schemapin_verify(symL_ctx(L), k, message, sig, &err);
    if (st && st != SYMBI_EVERIFY) return symL_fail(L, &err);
    lua_pushboolean(L, !st);
    if (!st) return 1;
    lua_pushstring(L, err.msg);
    return 2;
}

/* keypair() -> private PEM, public PEM. public_of(private key or PEM) -> public PEM. */
static int c_keypair(lua_State *L)
{
    ud_key *k = symL_newud(L, sizeof *k, UD_KEY);
    symbi_text *priv = symL_text(L), *pub = symL_text(L);
    symbi_err err;
    symbi_ctx *cx = symL_ctx(L);
    if (symbi_p256_generate(cx, &k->p, &err) || symbi_key_private_pem(cx, k->p, priv, &err) || symbi_key_public_pem(cx, k->p, pub, &err)) return symL_fail(L, &err);
    symL_pushstr(L, symbi_text_str(priv));
    symbi_text_wipe(priv);
    symL_pushtext(L, pub);
    return 2;
}

static int c_public_of(lua_State *L)
{
    const symbi_key *k;
    symbi_text *t = symL_text(L);
    symbi_err err;
    if (lsp_key(L, 1, true, &k, &err) || symbi_key_public_pem(symL_ctx(L), k, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

/* ---- results --------------------------------------------------------------------------------------------------------------- */

ud_schemapin *lsp_push_result(lua_State *L)
{
    return symL_newud(L, sizeof(ud_schemapin), UD_SCHEMAPIN);
}

static int r_gc(lua_State *L)
{
    ud_schemapin *u = symL_checkud(L, 1, UD_SCHEMAPIN);
    symbi_schemapin_result *r = u->p;
    u->p = NULL;
    symbi_schemapin_result_unref(r);
    return 0;
}

static const symbi_schemapin_result *checkresult(lua_State *L)
{
    ud_schemapin *u = symL_checkud(L, 1, UD_SCHEMAPIN);
    if (!u->p) luaL_argerror(L, 1, "there is no result in here");
    return u->p;
}

static int r_table(lua_State *L)
{
    const symbi_schemapin_result *r = checkresult(L);
    symbi_doc *d = NULL;
    symbi_err err;
    if (symbi_schemapin_result_value(symL_ctx(L), r, &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

static int hexval(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static int r_proves(lua_State *L)
{
    static const char *const subjects[] = { "none", "schema", "folder", "file", "bundle", NULL };
    const symbi_schemapin_result *r = checkresult(L);
    int subject = luaL_checkoption(L, 2, NULL, subjects);
    symbi_str hex = symL_checkstr(L, 3);
    int64_t now = symL_checkint(L, 4, -((int64_t)1 << 53), (int64_t)1 << 53);
    uint8_t digest[32];
    bool ok = hex.n == 64;
    for (size_t i = 0; ok && i < 32; i++) {
        int a = hexval(hex.p[2 * i]), b = hexval(hex.p[2 * i + 1]);
        if (a < 0 || b < 0) ok = false;
        else digest[i] = (uint8_t)(a << 4 | b);
    }
    lua_pushboolean(L, ok && subject && symbi_schemapin_result_proves(r, (symbi_schemapin_subject)subject, digest, now));
    return 1;
}

static void push_text(lua_State *L, symbi_str s)
{
    if (s.n) symL_pushstr(L, s);
    else lua_pushnil(L);
}

static void push_warnings(lua_State *L, const symbi_schemapin_result *r, size_t n)
{
    lua_createtable(L, (int)n, 0);
    symL_setarray(L);
    for (size_t i = 0; i < n; i++) {
        symL_pushstr(L, symbi_schemapin_result_warning(r, i));
        lua_rawseti(L, -2, (int)i + 1);
    }
}

static int r_index(lua_State *L)
{
    static const char *const pinning[] = { NULL, "first_use", "pinned" };
    const symbi_schemapin_result *r = checkresult(L);
    symbi_schemapin_info i;
    const char *k = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    symbi_schemapin_result_info(r, &i);
    if (!strcmp(k, "valid")) lua_pushboolean(L, i.valid);
    else if (!strcmp(k, "status")) lua_pushstring(L, symbi_schemapin_status_name(i.status));
    else if (!strcmp(k, "code") || !strcmp(k, "error_code")) {
        if (i.code) lua_pushstring(L, symbi_schemapin_code_name(i.code));
        else lua_pushnil(L);
    } else if (!strcmp(k, "message") || !strcmp(k, "error_message")) push_text(L, i.message);
    else if (!strcmp(k, "detail")) push_text(L, i.detail);
    else if (!strcmp(k, "domain")) symL_pushstr(L, i.domain);
    else if (!strcmp(k, "tool_id")) symL_pushstr(L, i.tool_id);
    else if (!strcmp(k, "developer_name")) push_text(L, i.developer_name);
    else if (!strcmp(k, "fingerprint")) push_text(L, i.fingerprint);
    else if (!strcmp(k, "subject")) lua_pushstring(L, symbi_schemapin_subject_name(i.subject));
    else if (!strcmp(k, "form")) lua_pushstring(L, symbi_schemapin_form_name(i.form));
    else if (!strcmp(k, "expired")) lua_pushboolean(L, i.expired);
    else if (!strcmp(k, "expires_at")) push_text(L, i.expires_at);
    else if (!strcmp(k, "schema_version")) push_text(L, i.schema_version);
    else if (!strcmp(k, "previous_hash")) push_text(L, i.previous_hash);
    else if (!strcmp(k, "checked_at")) symL_pushint(L, i.checked_at);
    else if (!strcmp(k, "valid_until") && i.valid_until != INT64_MAX) symL_pushint(L, i.valid_until);
    else if (!strcmp(k, "digest") && i.has_digest) push_hex(L, i.digest, 32);
    else if (!strcmp(k, "input_sha256") && i.has_input) push_hex(L, i.input_sha256, 32);
    else if (!strcmp(k, "warnings")) push_warnings(L, r, i.warning_count);
    else if (!strcmp(k, "key_pinning") && i.pinning) {
        lua_createtable(L, 0, 2);
        lua_pushstring(L, pinning[i.pinning]);
        lua_setfield(L, -2, "status");
        push_text(L, i.first_seen);
        lua_setfield(L, -2, "first_seen");
    } else if (!strcmp(k, "table")) lua_pushcfunction(L, r_table);
    else if (!strcmp(k, "proves")) lua_pushcfunction(L, r_proves);
    else lua_pushnil(L);
    return 1;
}

static int r_newindex(lua_State *L)
{
    (void)symL_checkud(L, 1, UD_SCHEMAPIN);
    return luaL_error(L, "a result cannot be changed");
}

static int r_tostring(lua_State *L)
{
    symbi_schemapin_info i;
    symbi_schemapin_result_info(checkresult(L), &i);
    if (i.valid) lua_pushfstring(L, "%s (%s)", symbi_schemapin_status_name(i.status), i.domain.p ? i.domain.p : "");
    else lua_pushfstring(L, "%s: %s: %s", symbi_schemapin_status_name(i.status), symbi_schemapin_code_name(i.code), i.message.p ? i.message.p : "");
    return 1;
}

static void push_limits(lua_State *L)
{
    static const struct {
        const char *name;
        int value;
    } t[] = { { "name", SYMBI_SCHEMAPIN_MAX_NAME },   { "schema", SYMBI_SCHEMAPIN_MAX_SCHEMA }, { "document", SYMBI_SCHEMAPIN_MAX_DOCUMENT },
              { "pins", SYMBI_SCHEMAPIN_MAX_PINS },   { "files", SYMBI_SCHEMAPIN_MAX_FILES },   { "path", SYMBI_SCHEMAPIN_MAX_PATH },
              { "depth", SYMBI_SCHEMAPIN_MAX_DEPTH }, { "folder", SYMBI_SCHEMAPIN_MAX_FOLDER }, { "signature", SYMBI_SCHEMAPIN_MAX_SIGNATURE },
              { "bundle", SYMBI_SCHEMAPIN_MAX_BUNDLE }, { "delegation", SYMBI_SCHEMAPIN_MAX_DELEGATION }, { "fetch_ms", SYMBI_SCHEMAPIN_FETCH_MS } };
    lua_createtable(L, 0, sizeof t / sizeof *t);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        lua_pushinteger(L, t[i].value);
        lua_setfield(L, -2, t[i].name);
    }
}

void l_schemapin_open(lua_State *L);
void l_schemapin_open(lua_State *L)
{
    static const luaL_Reg none[] = { { NULL, NULL } };
    static const luaL_Reg meta[] = { { "__gc", r_gc }, { "__index", r_index }, { "__newindex", r_newindex }, { "__tostring", r_tostring }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "canonical", c_canonical },
                                      { "hash", c_hash },
                                      { "runtime_input", c_runtime_input },
                                      { "canonicalization_ok", c_canonicalization_ok },
                                      { "time", c_time },
                                      { "fingerprint", c_fingerprint },
                                      { "sign", c_sign },
                                      { "verify", c_verify },
                                      { "keypair", c_keypair },
                                      { "public_of", c_public_of },
                                      { NULL, NULL } };
    symL_newtype(L, UD_SCHEMAPIN, none, meta);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
    lsp_add_docs(L);
    lsp_add_pins(L);
    lsp_add_checks(L);
    lsp_add_skill(L);
    lsp_add_net(L);
    push_limits(L);
    lua_setfield(L, -2, "limits");
}
