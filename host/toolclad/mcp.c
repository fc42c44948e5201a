/* toolclad/mcp.c: tools of backend mcp (spec toolclad.md 11): [mcp] at load, the call, and what its answer says. */
#include "base/err.h"
#include "base/str.h"
#include "toolclad/backends.h"

symbi_status sy_load_mcp(sy_rd *rd, const symbi_value *t)
{
    static const char *const keys[] = { "server", "tool", "field_map", NULL };
    symbi_str s = { NULL, 0 };
    const symbi_value *map;
    symbi_status st;
    if ((st = sy_rd_need_str(rd, t, "server", &s)) || (st = sy_rd_need_str(rd, t, "tool", &s)) || (st = sy_rd_table(rd, t, "field_map", &map))) return st;
    for (size_t i = 0; map && i < map->u.o.n; i++) {
        if (map->u.o.members[i].val.kind != SYMBI_STRING) return sy_rd_fail(rd, &map->u.o.members[i].val, "field_map", "string expected");
        if (!sy_tool_arg(rd->t, map->u.o.members[i].key) && (st = sy_rd_warn(rd, &map->u.o.members[i].val, "field_map", "no argument is called '%.*s'", SY_FMT(map->u.o.members[i].key)))) return st;
    }
    return sy_rd_known(rd, t, keys);
}

symbi_status sy_mcp_plan(sy_backend_plan *b, symbi_value *detail)
{
    (void)detail;
    return sy_fail(b->err, SYMBI_EUNSUPPORTED, "tools of backend 'mcp' cannot be run yet");
}

symbi_status sy_mcp_envelope(sy_backend_reply *r, sy_obj *o)
{
    (void)o;
    return sy_fail(r->err, SYMBI_EUNSUPPORTED, "tools of backend 'mcp' cannot be run yet");
}
