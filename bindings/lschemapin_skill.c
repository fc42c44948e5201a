/* bindings/lschemapin_skill.c: skill folders and single files.
 *
 *   folder([lenient]) -> f: f:begin(path, "file"|"directory"|"link"|"other") -> wanted; f:data(bytes); f:finish(); f:spoil(why);
 *     f:root() -> hex; f:manifest() -> {path = "sha256:..."}; f:files()
 *   skill_name(text of SKILL.md or nil, dir_name)
 *   skill_sign(f, key, {skill_name=, domain=, signer_kid=, expires_in=, schema_version=, previous_hash=, canonicalization=, file=, now=}) -> text
 *   check_skill{folder=, signature=text or table or nil, file=, dir_name=, tool_id=, domain=, discovery=, revocation=, pins=, now=,
 *     ignore_metadata=, allow_single=, only_pinned=, dns_fingerprint=, refuse_expired=, max_age=, expected_version=, expected_previous=} -> result
 *   tampered(current, signed) -> {modified=, added=, removed=}; chain(current, previous) -> true */
#include "lschemapin.h"

#include <string.h>

static int c_folder(lua_State *L)
{
    bool lenient = lua_toboolean(L, 1);
    ud_sp_folder *u = symL_newud(L, sizeof *u, UD_SP_FOLDER);
    symbi_err err;
    if (symbi_schemapin_folder_new(symL_ctx(L), lenient, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int f_close(lua_State *L)
{
    ud_sp_folder *u = symL_checkud(L, 1, UD_SP_FOLDER);
    symbi_schemapin_folder *p = u->p;
    u->p = NULL;
    symbi_schemapin_folder_free(p);
    return 0;
}

static symbi_schemapin_folder *checkfolder(lua_State *L, int arg)
{
    ud_sp_folder *u = symL_checkud(L, arg, UD_SP_FOLDER);
    if (!u->p) luaL_argerror(L, arg, "the folder is closed");
    return u->p;
}

static int f_begin(lua_State *L)
{
    static const char *const kinds[] = { "file", "directory", "link", "other", NULL };
    symbi_str path = symL_checkstr(L, 2);
    int kind = luaL_checkoption(L, 3, "file", kinds) + 1;
    bool wanted;
    symbi_err err;
    if (symbi_schemapin_folder_begin(checkfolder(L, 1), path, (symbi_schemapin_entry)kind, &wanted, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, wanted);
    return 1;
}

static int f_data(lua_State *L)
{
    symbi_str bytes = symL_checkstr(L, 2);
    symbi_err err;
    if (symbi_schemapin_folder_data(checkfolder(L, 1), bytes, &err)) return symL_fail(L, &err);
    lua_settop(L, 1);
    return 1;
}

static int f_finish(lua_State *L)
{
    symbi_err err;
    if (symbi_schemapin_folder_end(checkfolder(L, 1), &err)) return symL_fail(L, &err);
    lua_settop(L, 1);
    return 1;
}

static int f_spoil(lua_State *L)
{
    symbi_str why = symL_checkstr(L, 2);
    symbi_schemapin_folder_spoil(checkfolder(L, 1), why);
    return 0;
}

static int f_root(lua_State *L)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t root[32];
    char hex[64];
    symbi_err err;
    if (symbi_schemapin_folder_root(checkfolder(L, 1), root, &err)) return symL_fail(L, &err);
    for (int i = 0; i < 32; i++) hex[2 * i] = digits[root[i] >> 4], hex[2 * i + 1] = digits[root[i] & 15];
    lua_pushlstring(L, hex, sizeof hex);
    return 1;
}

static int f_manifest(lua_State *L)
{
    symbi_doc *d;
    symbi_err err;
    if (symbi_schemapin_folder_manifest(checkfolder(L, 1), &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

static int f_files(lua_State *L)
{
    symL_pushint(L, (int64_t)symbi_schemapin_folder_files(checkfolder(L, 1)));
    return 1;
}

/* ---- names, signing ---------------------------------------------------------------------------------------------------- */

static int c_skill_name(lua_State *L)
{
    char buf[SYMBI_SCHEMAPIN_MAX_NAME];
    symbi_str none = { NULL, 0 }, md = symL_optstr(L, 1, none), dir = symL_checkstr(L, 2);
    symL_pushstr(L, symbi_schemapin_skill_name(md, dir, buf));
    return 1;
}

static int c_skill_sign(lua_State *L)
{
    static const char *const known[] = { "skill_name", "domain", "signer_kid", "expires_in", "schema_version", "previous_hash", "canonicalization", "file", "now", NULL };
    symbi_schemapin_skill_options o;
    const symbi_key *key;
    symbi_text *t;
    symbi_err err;
    checkfolder(L, 1);
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_settop(L, 3);
    symL_checkopts(L, 3, known);
    memset(&o, 0, sizeof o);
    o.size = sizeof o;
    o.skill_name = lsp_field_str(L, 3, "skill_name");
    o.domain = symL_optfield_str(L, 3, "domain", symbi_str_z(""));
    o.signer_kid = lsp_field_str(L, 3, "signer_kid");
    lua_getfield(L, 3, "expires_in");
    o.has_expires_in = !lua_isnil(L, -1);
    lua_pop(L, 1);
    o.expires_in = symL_optfield_int(L, 3, "expires_in", 0, -((int64_t)1 << 40), (int64_t)1 << 40);
    o.schema_version = lsp_field_str(L, 3, "schema_version");
    o.previous_hash = lsp_field_str(L, 3, "previous_hash");
    o.canonicalization = lsp_field_str(L, 3, "canonicalization");
    o.file = lsp_field_bool(L, 3, "file");
    o.now = lsp_field_now(L, 3);
    t = symL_text(L);
    if (lsp_key(L, 2, true, &key, &err)) return symL_fail(L, &err);
    if (symbi_schemapin_skill_sign(symL_ctx(L), checkfolder(L, 1), key, &o, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

/* ---- checking ------------------------------------------------------------------------------------------------------------ */

static int c_check_skill(lua_State *L)
{
    static const char *const known[] = { "folder",      "signature",      "file",           "dir_name",    "tool_id",        "domain",  "discovery",        "revocation",        "pins", "now",
                                         "ignore_metadata", "allow_single", "only_pinned", "dns_fingerprint", "refuse_expired", "max_age", "expected_version", "expected_previous", NULL };
    symbi_schemapin_skill_check c;
    symbi_value v;
    ud_sp_folder *f;
    ud_sp_discovery *d;
    ud_sp_revocation *r;
    ud_sp_pins *p;
    ud_schemapin *out;
    symbi_err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    symL_checkopts(L, 1, known);
    memset(&c, 0, sizeof c);
    c.size = sizeof c;
    c.file = lsp_field_bool(L, 1, "file");
    c.dir_name = symL_optfield_str(L, 1, "dir_name", symbi_str_z(""));
    c.tool_id = lsp_field_str(L, 1, "tool_id");
    c.domain = lsp_field_str(L, 1, "domain");
    c.ignore_metadata = lsp_field_bool(L, 1, "ignore_metadata");
    c.allow_single = lsp_field_bool(L, 1, "allow_single");
    c.only_pinned = lsp_field_bool(L, 1, "only_pinned");
    c.dns_fingerprint = lsp_field_str(L, 1, "dns_fingerprint");
    c.meta.refuse_expired = lsp_field_bool(L, 1, "refuse_expired");
    c.meta.max_age = symL_optfield_int(L, 1, "max_age", 0, 0, (int64_t)1 << 40);
    c.meta.expected_version = lsp_field_str(L, 1, "expected_version");
    c.meta.expected_previous = lsp_field_str(L, 1, "expected_previous");
    c.now = lsp_field_now(L, 1);
    lua_getfield(L, 1, "signature");
    if (!lua_isnil(L, -1) && lsp_document(L, -1, &c.signature_json, &v, &c.signature, &err)) return symL_fail(L, &err);
    out = lsp_push_result(L);
    f = lsp_field_ud(L, 1, "folder", UD_SP_FOLDER, "folder");
    d = lsp_field_ud(L, 1, "discovery", UD_SP_DISCOVERY, "discovery document");
    r = lsp_field_ud(L, 1, "revocation", UD_SP_REVOCATION, "revocation list");
    p = lsp_field_ud(L, 1, "pins", UD_SP_PINS, "pin store");
    if (!f) return luaL_error(L, "folder: a folder is expected");
    c.folder = f->p;
    c.discovery = d ? d->p : NULL;
    c.revocation = r ? r->p : NULL;
    c.pins = p ? p->p : NULL;
    if (symbi_schemapin_check_skill(symL_ctx(L), &c, &out->p, &err)) return symL_fail(L, &err);
    lua_pushvalue(L, -1);
    return 1;
}

static int c_tampered(lua_State *L)
{
    symbi_value a, b;
    symbi_doc *d;
    symbi_err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    if (symL_tovalue(L, 1, &a, &err) || symL_tovalue(L, 2, &b, &err)) return symL_fail(L, &err);
    if (symbi_schemapin_tampered(symL_ctx(L), &a, &b, &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

static int c_chain(lua_State *L)
{
    symbi_value a, b;
    symbi_err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    if (symL_tovalue(L, 1, &a, &err) || symL_tovalue(L, 2, &b, &err) || symbi_schemapin_chain(&a, &b, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

void lsp_add_skill(lua_State *L)
{
    static const luaL_Reg folder[] = { { "begin", f_begin }, { "data", f_data }, { "finish", f_finish }, { "spoil", f_spoil }, { "root", f_root }, { "manifest", f_manifest }, { "files", f_files }, { "close", f_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "folder", c_folder }, { "skill_name", c_skill_name }, { "skill_sign", c_skill_sign }, { "check_skill", c_check_skill }, { "tampered", c_tampered }, { "chain", c_chain }, { NULL, NULL } };
    symL_newtype(L, UD_SP_FOLDER, folder, NULL);
    symL_setfuncs(L, funcs);
}
