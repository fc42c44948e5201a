/* toolclad/session.c: tools of backend session (spec toolclad.md 13): [session] at load, one command, and what it gave. */
#include "base/err.h"
#include "base/str.h"
#include "toolclad/backends.h"

symbi_status sy_load_session(sy_rd *rd, const symbi_value *t)
{
    symbi_str s = { NULL, 0 };
    const sy_pattern *pattern;
    symbi_err e;
    symbi_status st;
    if ((st = sy_rd_need_str(rd, t, "startup_command", &s)) || (st = sy_rd_need_str(rd, t, "ready_pattern", &s))) return st;
    symbi_err_clear(&e);
    if ((st = sy_pattern_compile(&rd->t->arena, s, &pattern, &e)))
        return st == SYMBI_ENOMEM ? sy_rd_nomem(rd) : sy_rd_fail(rd, symbi_value_getz(t, "ready_pattern"), "ready_pattern", "%s", e.msg);
    return sy_load_commands(rd, t, true);
}

symbi_status sy_session_plan(sy_backend_plan *b, symbi_value *detail)
{
    (void)detail;
    return sy_fail(b->err, SYMBI_EUNSUPPORTED, "tools of backend 'session' cannot be run yet");
}

symbi_status sy_session_envelope(sy_backend_reply *r, sy_obj *o)
{
    (void)o;
    return sy_fail(r->err, SYMBI_EUNSUPPORTED, "tools of backend 'session' cannot be run yet");
}
