/* tests/unit/session_rig.h: a session without a program: a manifest, the plan of one of its commands, and the machine that is fed by hand. cx is the
 * test's context. */
#ifndef SESSION_RIG_H
#define SESSION_RIG_H
#include "symbi/session.h"
#include "symbi/toolclad.h"
#include "test.h"

static symbi_ctx *cx;

static inline symbi_tool *load(const char *text)
{
    symbi_err e;
    symbi_tool *t = NULL;
    CHECK_OK(symbi_tool_parse(cx, symbi_str_z(text), symbi_str_z("db.clad.toml"), &t, &e), e);
    return t;
}

typedef struct rig {
    symbi_tool *t;
    symbi_session *s;
    symbi_plan *p;
    int64_t now;
} rig;

static inline symbi_plan *plan_of(symbi_ctx *c, symbi_tool *t, size_t i, const char *text)
{
    symbi_member m = { symbi_str_z("command"), { .kind = SYMBI_STRING, .u.s = symbi_str_z(text) } };
    symbi_value args = { .kind = SYMBI_OBJECT };
    symbi_str env[3] = { symbi_str_z("PATH=/bin"), symbi_str_z("SECRET_KEY=x"), symbi_str_z("TERM=xterm") };
    symbi_plan_options o = { 0 };
    symbi_doc *d = NULL;
    symbi_plan *p = NULL;
    symbi_err e;
    args.u.o.members = &m;
    args.u.o.n = 1;
    o.base_env = env;
    o.nbase_env = 3;
    if (!symbi_tool_validate(c, symbi_tool_command_at(t, i), &args, &d, &e) && symbi_tool_plan(c, symbi_tool_command_at(t, i), symbi_doc_root(d), &o, &p, &e)) p = NULL;
    symbi_doc_unref(d);
    return p;
}

static inline bool rig_up(rig *r, const char *manifest)
{
    symbi_err e;
    memset(r, 0, sizeof *r);
    r->now = 1000;
    r->t = load(manifest);
    if (r->t) r->p = plan_of(cx, r->t, 0, "SELECT 1");
    if (!r->p) return false;
    CHECK_OK(symbi_session_new(cx, r->p, r->now, 5000, &r->s, &e), e);
    return r->s != NULL;
}

static inline void rig_down(rig *r)
{
    symbi_session_free(r->s);
    symbi_plan_unref(r->p);
    symbi_tool_unref(r->t);
}

static inline symbi_session_state after(rig *r, int64_t ms)
{
    r->now += ms;
    return symbi_session_tick(r->s, r->now, r->now + 4000);
}

static inline void says(rig *r, const char *text)
{
    symbi_err e;
    CHECK_OK(symbi_session_feed(r->s, symbi_str_z(text), r->now, r->now + 4000, &e), e);
}

static inline bool ask(rig *r, const char *want)
{
    symbi_str typed;
    symbi_err e;
    symbi_status st = symbi_session_begin(r->s, r->p, r->now, r->now + 4000, &typed, &e);
    if (st) return false;
    CHECK_STR(typed, want);
    return true;
}

static inline symbi_doc *answer(rig *r)
{
    symbi_doc *d = NULL;
    symbi_err e;
    CHECK_OK(symbi_session_reply(r->s, r->now, &d, &e), e);
    return d;
}

static inline bool field(symbi_doc *d, const char *key, const char *want)
{
    symbi_str s = d ? symbi_value_str(symbi_doc_root(d), key, (symbi_str){ NULL, 0 }) : (symbi_str){ NULL, 0 };
    if (s.n == strlen(want) && (!s.n || !memcmp(s.p, want, s.n))) return true;
    printf("  %s is \"%.*s\"\n", key, (int)s.n, s.p ? s.p : "");
    return false;
}

/* What a test without memory makes. */
typedef struct kit {
    symbi_tool *t;
    symbi_plan *p, *cp;
    symbi_session *s;
    symbi_doc *d, *env;
    symbi_text log;
} kit;

static inline void kit_free(kit *k)
{
    symbi_text_free(&k->log);
    symbi_doc_unref(k->env);
    symbi_doc_unref(k->d);
    symbi_session_free(k->s);
    symbi_plan_unref(k->p);
    symbi_plan_unref(k->cp);
    symbi_tool_unref(k->t);
}
#endif
