/* toolclad/session.c: [session] of a manifest (spec toolclad.md 13.1). */
#include "toolclad/session.h"
#include "base/err.h"
#include "base/str.h"
#include "toolclad/backends.h"
#include "toolclad/subst.h"

enum { STATES_MAX = 64, OUTPUT_MAX = 64 << 20 };

/* A number of this table within bounds; absent: what *out holds. */
static symbi_status number(sy_rd *rd, const symbi_value *t, const char *key, int64_t lo, int64_t hi, int64_t *out)
{
    symbi_status st = sy_rd_int(rd, t, key, out, NULL);
    if (!st && (*out < lo || *out > hi)) return sy_rd_fail(rd, symbi_value_getz(t, key), key, "must be from %lld to %lld", (long long)lo, (long long)hi);
    return st;
}

static symbi_status seconds(sy_rd *rd, const symbi_value *t, const char *key, int64_t dflt, int64_t *ms)
{
    symbi_status st;
    *ms = dflt;
    st = number(rd, t, key, 1, 7 * 86400, ms);
    *ms *= 1000;
    return st;
}

symbi_status sy_session_pattern(sy_rd *rd, const symbi_value *t, const char *key, symbi_str text, const sy_pattern **out)
{
    symbi_err e;
    symbi_status st;
    symbi_err_clear(&e);
    st = sy_pattern_compile(&rd->t->arena, text, out, &e);
    if (st == SYMBI_ENOMEM) return sy_rd_nomem(rd);
    return st ? sy_rd_fail(rd, symbi_value_getz(t, key), key, "%s", e.msg) : SYMBI_OK;
}

/* startup_command as words; upstream refuses what a shell would act on, and so do we, although there is none. */
static symbi_status load_argv(sy_rd *rd, const symbi_value *t, sy_session_def *d)
{
    const symbi_value *v = symbi_value_getz(t, "startup_command");
    symbi_str text = { NULL, 0 };
    sy_piece piece = { 0 };
    sy_tmpl tmpl = { 0 };
    sy_vars vars = { 0 };
    sy_words words = { 0 };
    sy_tagged x;
    const char *why;
    symbi_status st;
    symbi_err e;
    if ((st = sy_rd_need_str(rd, t, "startup_command", &text))) return st;
    if ((why = sy_split_problem(text))) return sy_rd_fail(rd, v, "startup_command", "%s", why);
    piece.text = text;
    tmpl.source = text;
    tmpl.p = &piece;
    tmpl.n = 1;
    vars.cx = rd->cx;
    vars.t = rd->t;
    vars.arena = &rd->t->arena;
    vars.err = &e;
    words.v = &vars;
    symbi_err_clear(&e);
    sy_tagged_init(&x, &vars);
    if (!(st = sy_expand(&vars, &tmpl, &x))) st = sy_words_split(&words, &x, false);
    sy_tagged_free(&x);
    if (st == SYMBI_ENOMEM) return sy_rd_nomem(rd);
    if (st) return sy_rd_fail(rd, v, "startup_command", "%s", e.msg);
    if (!words.n || !words.w[0].n) return sy_rd_fail(rd, v, "startup_command", "names no program");
    for (size_t i = 0; i < words.n; i++)
        for (size_t k = 0; k < words.w[i].n; k++)
            if (strchr(";|&`$\n\r", words.w[i].p[k]))
                return sy_rd_fail(rd, v, "startup_command", "no shell runs it: ; | & ` $ and line ends have no meaning here and are refused");
    d->argv = words.w;
    d->argc = words.n;
    return SYMBI_OK;
}

static symbi_status load_interaction(sy_rd *rd, const symbi_value *t, sy_session_def *d)
{
    static const char *const keys[] = { "input_sanitize", "output_max_bytes", "output_wait_ms", NULL };
    const symbi_value *in;
    const symbi_str *list = NULL;
    size_t n = 0, mark;
    int64_t wait = 2000;
    symbi_status st = sy_rd_table(rd, t, "interaction", &in);
    d->output_max = 1048576;
    if (st) return st;
    mark = sy_rd_enter(rd, SY_LIT("interaction"));
    if (in && ((st = sy_rd_strs(rd, in, "input_sanitize", &list, &n, NULL)) || (st = number(rd, in, "output_max_bytes", 1, OUTPUT_MAX, &d->output_max)) ||
               (st = number(rd, in, "output_wait_ms", 1, 3600000, &wait)) || (st = sy_rd_known(rd, in, keys))))
        return st;
    for (size_t i = 0; i < n; i++) {
        if (!sy_str_eqz(list[i], "injection")) return sy_rd_fail(rd, symbi_value_getz(in, "input_sanitize"), "input_sanitize", "unknown value '%.*s' ('injection' is known)", SY_FMT(list[i]));
        d->sanitize = true;
    }
    d->reply_ms = 5 * wait;
    sy_rd_leave(rd, mark);
    return SYMBI_OK;
}

static symbi_status load_events(sy_rd *rd, const symbi_value *t, sy_session_def *d)
{
    static const char *const keys[] = { "enabled", "max_queue_depth", "poll_interval_ms", "event_types", "ttl_seconds", NULL };
    const symbi_value *ev;
    const symbi_str *types;
    int64_t poll_ms;
    bool enabled = true, listed = false;
    size_t n, mark;
    symbi_status st = sy_rd_table(rd, t, "events", &ev);
    d->queue_max = 100;
    d->ttl_ms = 300000;
    if (st || !ev) return st;
    mark = sy_rd_enter(rd, SY_LIT("events"));
    if ((st = sy_rd_bool(rd, ev, "enabled", &enabled)) || (st = number(rd, ev, "max_queue_depth", 1, 10000, &d->queue_max)) || (st = seconds(rd, ev, "ttl_seconds", 300, &d->ttl_ms)) ||
        (st = sy_rd_int(rd, ev, "poll_interval_ms", &poll_ms, NULL)) || (st = sy_rd_strs(rd, ev, "event_types", &types, &n, &listed)) || (st = sy_rd_known(rd, ev, keys)))
        return st;
    if (listed && (st = sy_rd_warn(rd, symbi_value_getz(ev, "event_types"), "event_types", "is not looked at: what comes between two commands is one type, 'output'"))) return st;
    if (!enabled) d->queue_max = 0; /* the transcript has it still */
    sy_rd_leave(rd, mark);
    return SYMBI_OK;
}

static symbi_status load_states(sy_rd *rd, const symbi_value *t, sy_session_def *d)
{
    const symbi_value *s;
    sy_session_state *list;
    size_t mark;
    symbi_status st = sy_rd_table(rd, t, "states", &s);
    if (st || !s || !s->u.o.n) return st;
    if (s->u.o.n > STATES_MAX) return sy_rd_fail(rd, s, "states", "more than %d states", STATES_MAX);
    if (!(list = sy_arena_calloc(&rd->t->arena, s->u.o.n, sizeof *list))) return sy_rd_nomem(rd);
    mark = sy_rd_enter(rd, SY_LIT("states"));
    for (size_t i = 0; i < s->u.o.n; i++) {
        list[i].name = s->u.o.members[i].key;
        if ((st = sy_rd_need_str(rd, s, list[i].name.p, &list[i].pattern_text)) || (st = sy_session_pattern(rd, s, list[i].name.p, list[i].pattern_text, &list[i].pattern))) return st;
    }
    sy_rd_leave(rd, mark);
    d->states = list;
    d->nstates = s->u.o.n;
    return SYMBI_OK;
}

symbi_status sy_session_not_empty(sy_rd *rd, const symbi_value *t, const char *key, const sy_pattern *p, const char *as)
{
    bool hit = false;
    symbi_err e;
    symbi_status st = sy_pattern_search(rd->cx, p, SY_LIT(""), &hit, &e);
    if (st == SYMBI_ENOMEM) return sy_rd_nomem(rd);
    return hit ? sy_rd_fail(rd, symbi_value_getz(t, key), key, "matches an empty line: anything would count as %s", as) : SYMBI_OK;
}

symbi_status sy_load_session(sy_rd *rd, const symbi_value *t)
{
    static const char *const keys[] = { "startup_command", "ready_pattern", "startup_timeout_seconds", "idle_timeout_seconds", "session_timeout_seconds", "max_interactions", "interaction",
        "commands", "child_detection", "events", "states", NULL };
    sy_session_def *d = sy_arena_calloc(&rd->t->arena, 1, sizeof *d);
    symbi_status st;
    if (!d) return sy_rd_nomem(rd);
    d->max_interactions = 100;
    if ((st = load_argv(rd, t, d)) || (st = sy_rd_need_str(rd, t, "ready_pattern", &d->ready_text)) || (st = sy_session_pattern(rd, t, "ready_pattern", d->ready_text, &d->ready)) ||
        (st = seconds(rd, t, "startup_timeout_seconds", 30, &d->startup_ms)) || (st = seconds(rd, t, "idle_timeout_seconds", 300, &d->idle_ms)) ||
        (st = seconds(rd, t, "session_timeout_seconds", 1800, &d->total_ms)) || (st = number(rd, t, "max_interactions", 1, 1000000, &d->max_interactions)) ||
        (st = load_interaction(rd, t, d)) || (st = load_events(rd, t, d)) || (st = load_states(rd, t, d)) || (st = sy_session_child_load(rd, t, d)) || (st = sy_rd_known(rd, t, keys)))
        return st;
    if ((st = sy_session_not_empty(rd, t, "ready_pattern", d->ready, "a prompt"))) return st;
    rd->t->backend_data = d;
    return sy_load_commands(rd, t, true);
}
