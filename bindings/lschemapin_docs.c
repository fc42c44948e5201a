/* bindings/lschemapin_docs.c: discovery documents and revocation lists, read once.
 *
 *   discovery(text or table) -> d: d:info() -> {schema_version, developer_name, contact, revocation_endpoint, public_key_pem, fingerprint,
 *     key_problem, revoked, valid}; d:document(); d:revoked(fingerprint[, revocation]) -> boolean, why; d:txt_match(fingerprint)
 *   revocation(text or table) -> r: r:document(); r:revoked(fingerprint) */
#include "lschemapin.h"

static int c_discovery(lua_State *L)
{
    symbi_str json;
    symbi_value v;
    const symbi_value *value;
    ud_sp_discovery *u;
    symbi_err err;
    if (lua_isnoneornil(L, 1)) luaL_argerror(L, 1, "a text or a table is expected");
    if (lsp_document(L, 1, &json, &v, &value, &err)) return symL_fail(L, &err);
    u = symL_newud(L, sizeof *u, UD_SP_DISCOVERY);
    if (symbi_schemapin_discovery_read(symL_ctx(L), json, value, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int d_close(lua_State *L)
{
    ud_sp_discovery *u = symL_checkud(L, 1, UD_SP_DISCOVERY);
    symbi_schemapin_discovery *p = u->p;
    u->p = NULL;
    symbi_schemapin_discovery_unref(p);
    return 0;
}

static symbi_schemapin_discovery *checkdiscovery(lua_State *L)
{
    ud_sp_discovery *u = symL_checkud(L, 1, UD_SP_DISCOVERY);
    if (!u->p) luaL_argerror(L, 1, "the document is closed");
    return u->p;
}

/* A second reference on the stack, so that nothing that runs meanwhile takes the document away. */
static symbi_schemapin_discovery *holddiscovery(lua_State *L)
{
    ud_sp_discovery *hold = symL_newud(L, sizeof *hold, UD_SP_DISCOVERY);
    return hold->p = symbi_schemapin_discovery_ref(checkdiscovery(L));
}

static void field(lua_State *L, const char *name, symbi_str s)
{
    if (!s.n) return;
    symL_pushstr(L, s);
    lua_setfield(L, -2, name);
}

static int d_info(lua_State *L)
{
    symbi_schemapin_discovery_info i;
    checkdiscovery(L);
    symbi_schemapin_discovery_get(holddiscovery(L), &i);
    lua_createtable(L, 0, 9);
    field(L, "schema_version", i.schema_version);
    field(L, "developer_name", i.developer_name);
    field(L, "contact", i.contact);
    field(L, "revocation_endpoint", i.revocation_endpoint);
    field(L, "public_key_pem", i.public_key_pem);
    field(L, "fingerprint", i.fingerprint);
    field(L, "key_problem", i.key_problem);
    symL_pushint(L, (int64_t)i.revoked_count);
    lua_setfield(L, -2, "revoked");
    lua_pushboolean(L, i.valid);
    lua_setfield(L, -2, "valid");
    return 1;
}

static int d_document(lua_State *L)
{
    checkdiscovery(L);
    symL_pushvalue(L, symbi_schemapin_discovery_value(holddiscovery(L)));
    return 1;
}

static int revoked(lua_State *L, const symbi_schemapin_discovery *d, const symbi_schemapin_revocation *r)
{
    char why[200];
    symbi_str fp = symL_checkstr(L, 2);
    lua_pushboolean(L, symbi_schemapin_revoked(fp, d, r, why));
    if (!why[0]) return 1;
    lua_pushstring(L, why);
    return 2;
}

static int d_revoked(lua_State *L)
{
    ud_sp_revocation *r = lua_isnoneornil(L, 3) ? NULL : symL_checkud(L, 3, UD_SP_REVOCATION);
    if (r && !r->p) luaL_argerror(L, 3, "the list is closed");
    return revoked(L, checkdiscovery(L), r ? r->p : NULL);
}

static int d_txt_match(lua_State *L)
{
    symbi_err err;
    if (symbi_schemapin_txt_match(checkdiscovery(L), symL_checkstr(L, 2), &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

/* ---- revocation -------------------------------------------------------------------------------------------------------- */

static int c_revocation(lua_State *L)
{
    symbi_str json;
    symbi_value v;
    const symbi_value *value;
    ud_sp_revocation *u;
    symbi_err err;
    if (lua_isnoneornil(L, 1)) luaL_argerror(L, 1, "a text or a table is expected");
    if (lsp_document(L, 1, &json, &v, &value, &err)) return symL_fail(L, &err);
    u = symL_newud(L, sizeof *u, UD_SP_REVOCATION);
    if (symbi_schemapin_revocation_read(symL_ctx(L), json, value, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int v_close(lua_State *L)
{
    ud_sp_revocation *u = symL_checkud(L, 1, UD_SP_REVOCATION);
    symbi_schemapin_revocation *p = u->p;
    u->p = NULL;
    symbi_schemapin_revocation_unref(p);
    return 0;
}

static symbi_schemapin_revocation *checkrevocation(lua_State *L)
{
    ud_sp_revocation *u = symL_checkud(L, 1, UD_SP_REVOCATION);
    if (!u->p) luaL_argerror(L, 1, "the list is closed");
    return u->p;
}

static int v_document(lua_State *L)
{
    ud_sp_revocation *hold;
    checkrevocation(L);
    hold = symL_newud(L, sizeof *hold, UD_SP_REVOCATION);
    hold->p = symbi_schemapin_revocation_ref(checkrevocation(L));
    symL_pushvalue(L, symbi_schemapin_revocation_value(hold->p));
    return 1;
}

static int v_revoked(lua_State *L)
{
    return revoked(L, NULL, checkrevocation(L));
}

void lsp_add_docs(lua_State *L)
{
    static const luaL_Reg discovery[] = { { "info", d_info }, { "document", d_document }, { "revoked", d_revoked }, { "txt_match", d_txt_match }, { "close", d_close }, { NULL, NULL } };
    static const luaL_Reg revocation[] = { { "document", v_document }, { "revoked", v_revoked }, { "close", v_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "discovery", c_discovery }, { "revocation", c_revocation }, { NULL, NULL } };
    symL_newtype(L, UD_SP_DISCOVERY, discovery, NULL);
    symL_newtype(L, UD_SP_REVOCATION, revocation, NULL);
    symL_setfuncs(L, funcs);
}
