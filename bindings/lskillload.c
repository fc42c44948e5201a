/* bindings/lskillload.c: what loading a skill decides (symbi/skill_load.h), as symbi.core.skillload.
 *
 *   front, msg, err = frontmatter(text, fallback name)
 *   admitted, status, reason, message = admit({require_signed=true, scan_enabled=true, block_on_scan=true, allow_unsigned_from={...}},
 *       path, signature or nil, scan or nil, now)     signature: a result of symbi.schemapin; scan: of symbi.core.skills */
#include "symL.h"
#include "symbi/skill_load.h"
#include "lskills.h"
#include "ud.h"

#include <string.h>

static int l_frontmatter(lua_State *L)
{
    symbi_str text = symL_checkstr(L, 1), name = symL_checkstr(L, 2);
    symbi_doc *d;
    symbi_err err;
    if (symbi_skill_frontmatter(symL_ctx(L), text, name, &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

static int l_admit(lua_State *L)
{
    static const char *const known[] = { "require_signed", "scan_enabled", "block_on_scan", "allow_unsigned_from", NULL };
    symbi_skill_admission a;
    symbi_str path = symL_checkstr(L, 2), *folders;
    ud_schemapin *signature = NULL;
    ud_skill_scan *scan = NULL;
    int64_t now = symL_checkint(L, 5, INT64_MIN, INT64_MAX);
    symbi_schemapin_status status;
    const char *reason;
    symbi_err err;
    size_t n = 0;
    bool ok;
    luaL_checktype(L, 1, LUA_TTABLE);
    symL_checkopts(L, 1, known);
    memset(&a, 0, sizeof a);
    a.size = sizeof a;
    a.unsigned_ok = !symL_optfield_bool(L, 1, "require_signed", true);
    a.no_scan = !symL_optfield_bool(L, 1, "scan_enabled", true);
    a.findings_ok = !symL_optfield_bool(L, 1, "block_on_scan", true);
    if (!lua_isnil(L, 3)) {
        signature = symL_checkud(L, 3, UD_SCHEMAPIN);
        if (!signature->p) luaL_argerror(L, 3, "the result is closed");
    }
    if (!lua_isnil(L, 4)) {
        scan = symL_checkud(L, 4, UD_SKILL_SCAN);
        if (!scan->p) luaL_argerror(L, 4, "the scan is closed");
    }
    lua_settop(L, 5);
    lua_getfield(L, 1, "allow_unsigned_from");
    if (lua_istable(L, 6)) n = symL_rawlen(L, 6);
    else if (!lua_isnil(L, 6)) luaL_error(L, "allow_unsigned_from must be a list of folders");
    if (n > 10000) luaL_error(L, "allow_unsigned_from has more than 10000 folders");
    folders = lua_newuserdata(L, (n + 1) * sizeof *folders);
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 6, (int)i + 1);
        if (lua_type(L, -1) != LUA_TSTRING) luaL_error(L, "allow_unsigned_from[%d] must be text", (int)i + 1);
        folders[i] = symL_tostr(L, -1); /* anchored by the table at 6 */
        lua_pop(L, 1);
    }
    a.allow_unsigned_from = folders;
    a.nallow = n;
    ok = symbi_skill_admit(&a, path, signature ? signature->p : NULL, scan ? scan->p : NULL, now, &status, &reason, &err) == SYMBI_OK;
    lua_pushboolean(L, ok);
    lua_pushstring(L, symbi_schemapin_status_name(status));
    if (ok) return 2;
    lua_pushstring(L, reason);
    lua_pushstring(L, err.msg);
    return 4;
}

void l_skillload_open(lua_State *L);
void l_skillload_open(lua_State *L)
{
    static const luaL_Reg funcs[] = { { "frontmatter", l_frontmatter }, { "admit", l_admit }, { NULL, NULL } };
    lua_newtable(L);
    symL_setfuncs(L, funcs);
}
