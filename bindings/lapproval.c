/* bindings/lapproval.c: symbi.approvals (core side): step-ups that wait for a person, in the store of a trail.
 *
 *   list, msg, err = approvals.list(audit)                 of {action_digest=, status=, agent=, kind=, name=, arguments=, ...}
 *   status, msg, err = approvals.status(audit, digest)     "none" "pending" "approved" "denied" "used" "expired"[, approver]
 *   ok, msg, err = approvals.decide(audit, id, approved, approver)     id: the digest, or its first digits (at least 8) */
#include <string.h>

#include "symL.h"
#include "ud.h"

static symbi_audit *checkaudit(lua_State *L, int arg)
{
    ud_audit *u = symL_checkud(L, arg, UD_AUDIT);
    if (!u->p) luaL_argerror(L, arg, "the audit trail is closed");
    return u->p;
}

static int approvals_list(lua_State *L)
{
    symbi_doc *d;
    symbi_err err;
    if (symbi_approval_list(symL_ctx(L), checkaudit(L, 1), &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

static int approvals_decide(lua_State *L)
{
    symbi_audit *a = checkaudit(L, 1);
    symbi_str id = symL_checkstr(L, 2), who;
    symbi_err err;
    luaL_checktype(L, 3, LUA_TBOOLEAN);
    who = symL_checkstr(L, 4);
    if (symbi_approval_decide(symL_ctx(L), a, id, lua_toboolean(L, 3), who, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int approvals_status(lua_State *L)
{
    symbi_audit *a = checkaudit(L, 1);
    symbi_str hex = symL_checkstr(L, 2);
    uint8_t digest[32];
    symbi_approval_status st;
    symbi_text *who;
    symbi_err err;
    if (hex.n != 64) return luaL_argerror(L, 2, "an action digest has 64 hexadecimal digits");
    for (size_t i = 0; i < 64; i++) {
        const char *d = "0123456789abcdef", *q = hex.p[i] ? strchr(d, hex.p[i]) : NULL;
        if (!q) return luaL_argerror(L, 2, "an action digest has 64 lower-case hexadecimal digits");
        digest[i / 2] = (uint8_t)(i % 2 ? digest[i / 2] | (q - d) : (q - d) << 4);
    }
    who = symL_text(L);
    if (symbi_approval_status_of(symL_ctx(L), a, digest, &st, who, &err)) return symL_fail(L, &err);
    lua_pushstring(L, symbi_approval_status_name(st));
    if (!who->n) return 1;
    symL_pushtext(L, who);
    return 2;
}

void l_approvals_open(lua_State *L);
void l_approvals_open(lua_State *L)
{
    static const luaL_Reg funcs[] = { { "list", approvals_list }, { "decide", approvals_decide }, { "status", approvals_status }, { NULL, NULL } };
    lua_newtable(L);
    symL_setfuncs(L, funcs);
}
