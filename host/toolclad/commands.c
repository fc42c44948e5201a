/* toolclad/commands.c: the commands of [session] and [browser] (spec toolclad.md 13.1, 14). */
#include "base/err.h"
#include "base/str.h"
#include "toolclad/backends.h"

/* [session.commands.X] and [browser.commands.X]. */
symbi_status sy_load_commands(sy_rd *rd, const symbi_value *t, bool session)
{
    static const char *const keys[] = { "pattern", "description", "risk_tier", "human_approval", "extract_target", "args", NULL };
    const symbi_value *cmds;
    size_t mark;
    symbi_status st = sy_rd_table(rd, t, "commands", &cmds);
    if (st) return st;
    mark = sy_rd_enter(rd, SY_LIT("commands"));
    for (size_t i = 0; cmds && i < cmds->u.o.n; i++) {
        const symbi_value *c = &cmds->u.o.members[i].val, *args;
        size_t inner = sy_rd_enter(rd, cmds->u.o.members[i].key);
        symbi_str text = { NULL, 0 }, tier = SY_LIT("low");
        bool flag = false;
        sy_arg *list;
        size_t n;
        const sy_pattern *pattern;
        symbi_err e;
        if (c->kind != SYMBI_OBJECT) return sy_rd_fail(rd, c, "", "table expected");
        if ((session && (st = sy_rd_need_str(rd, c, "pattern", &text))) || (st = sy_rd_str(rd, c, "risk_tier", &tier)) || (st = sy_rd_bool(rd, c, "human_approval", &flag)) ||
            (st = sy_rd_bool(rd, c, "extract_target", &flag)))
            return st;
        symbi_err_clear(&e);
        if (session && (st = sy_pattern_compile(&rd->t->arena, text, &pattern, &e)))
            return st == SYMBI_ENOMEM ? sy_rd_nomem(rd) : sy_rd_fail(rd, symbi_value_getz(c, "pattern"), "pattern", "%s", e.msg);
        if ((st = sy_rd_need_str(rd, c, "description", &text))) return st;
        if (!sy_risk_known(tier)) return sy_rd_fail(rd, symbi_value_getz(c, "risk_tier"), "risk_tier", "invalid risk_tier '%.*s', must be one of: info, low, medium, high, critical", SY_FMT(tier));
        if ((st = sy_rd_table(rd, c, "args", &args)) || (st = sy_load_args(rd, args, &list, &n, false)) || (st = sy_rd_known(rd, c, keys))) return st;
        sy_rd_leave(rd, inner);
    }
    sy_rd_leave(rd, mark);
    return SYMBI_OK;
}

