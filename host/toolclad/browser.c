/* toolclad/browser.c: tools of backend browser (spec toolclad.md 14): [browser] at load, one command, and what it gave. */
#include "base/err.h"
#include "base/str.h"
#include "toolclad/backends.h"

symbi_status sy_load_browser(sy_rd *rd, const symbi_value *t)
{
    const symbi_value *scope;
    symbi_status st = sy_rd_table(rd, t, "scope", &scope);
    return st ? st : sy_load_commands(rd, t, false);
}

symbi_status sy_browser_plan(sy_backend_plan *b, symbi_value *detail)
{
    (void)detail;
    return sy_fail(b->err, SYMBI_EUNSUPPORTED, "tools of backend 'browser' cannot be run yet");
}

symbi_status sy_browser_envelope(sy_backend_reply *r, sy_obj *o)
{
    (void)o;
    return sy_fail(r->err, SYMBI_EUNSUPPORTED, "tools of backend 'browser' cannot be run yet");
}
