/* toolclad/session_plan.c: from a session's validated command to a plan, and from what its executor gave to an envelope. The plan has
 * everything that the program and its machine (session_run.c) need, so that the gate's order covers it: program, environment, limits,
 * patterns and the text to type. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "symbi/crypto.h"
#include "toolclad/backends.h"
#include "toolclad/outschema.h"
#include "toolclad/session.h"

static symbi_status nomem(sy_backend_plan *b) { return sy_arena_fail(b->a, "the plan", b->err); }

/* PATH, HOME, LANG and the like of the host, and a terminal that can do nothing. */
static symbi_status make_env(sy_backend_plan *b)
{
    symbi_str *e = sy_arena_calloc(b->a, b->o->nbase_env + 2, sizeof *e);
    size_t n = 0;
    bool path = false;
    if (!e) return nomem(b);
    e[n++] = SY_LIT("TERM=dumb");
    for (size_t i = 0; i < b->o->nbase_env; i++) {
        symbi_str s = b->o->base_env[i];
        const char *eq;
        bool dup = false;
        if (!sy_env_passes(s)) continue;
        eq = memchr(s.p, '=', s.n);
        for (size_t k = 0; k < n && !dup; k++) dup = e[k].n > (size_t)(eq - s.p) && !memcmp(e[k].p, s.p, (size_t)(eq - s.p) + 1);
        if (dup) continue;
        e[n] = sy_arena_dup(b->a, s);
        if (!e[n].p) return nomem(b);
        path = path || sy_str_starts(s, SY_LIT("PATH="));
        n++;
    }
    if (!path) e[n++] = SY_LIT("PATH=/usr/local/bin:/usr/bin:/bin");
    b->p->env = e;
    b->p->nenv = n;
    return SYMBI_OK;
}

static symbi_status make_argv(sy_backend_plan *b, const sy_session_def *d)
{
    symbi_str *w = sy_arena_calloc(b->a, d->argc, sizeof *w);
    if (!w) return nomem(b);
    for (size_t i = 0; i < d->argc; i++)
        if (!(w[i] = sy_arena_dup(b->a, d->argv[i])).p) return nomem(b);
    b->p->argv = w;
    b->p->argc = d->argc;
    if (b->o->project_dir.n && memchr(b->o->project_dir.p, 0, b->o->project_dir.n)) return sy_fail(b->err, SYMBI_EINVAL, "project_dir contains a NUL");
    b->p->cwd = sy_arena_dup(b->a, b->o->project_dir);
    return b->p->cwd.p ? SYMBI_OK : nomem(b);
}

static bool word_char(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (unsigned char)c >= 0x80; }

static bool stands_in(symbi_str text, symbi_str v)
{
    for (size_t i = 0; v.n && i + v.n <= text.n; i++) {
        if (memcmp(text.p + i, v.p, v.n)) continue;
        if (i && word_char(text.p[i - 1]) && word_char(v.p[0])) continue;
        if (i + v.n < text.n && word_char(text.p[i + v.n]) && word_char(v.p[v.n - 1])) continue;
        return true;
    }
    return false;
}

/* Policy decides on the arguments, and the program acts on the text: an argument that does not stand in the text would be a lie. */
static symbi_status check_args(sy_backend_plan *b, symbi_str text)
{
    for (size_t i = 0; i < b->t->nargs; i++) {
        const sy_arg *a = &b->t->args[i];
        if (sy_str_eqz(a->name, "command") || !b->text[i].n || b->is_default[i] || stands_in(text, b->text[i])) continue;
        (void)sy_fail(b->err, SYMBI_EDENIED, "argument '%.*s': its value does not stand in the command, which is what would be typed", SY_FMT(a->name));
        sy_err_path(b->err, a->name);
        return SYMBI_EDENIED;
    }
    return SYMBI_OK;
}

static symbi_value states_of(sy_backend_plan *b, const sy_session_def *d)
{
    sy_obj o = sy_obj_new(b->a);
    for (size_t i = 0; i < d->nstates; i++) sy_obj_puts(&o, sy_arena_dup(b->a, d->states[i].name), sy_val_str(sy_arena_dup(b->a, d->states[i].pattern_text)));
    return sy_obj_value(&o);
}

/* How a child session is known, and what it may be when it has a contract. */
static symbi_value child_part(sy_backend_plan *b, const sy_session_child *c)
{
    sy_obj o = sy_obj_new(b->a);
    sy_obj_str(&o, "pattern", sy_arena_dup(b->a, c->pattern_text));
    sy_obj_str(&o, "type", sy_arena_dup(b->a, c->type));
    if (!c->def) return sy_obj_value(&o);
    sy_obj_hex(&o, "manifest_sha256", c->contract->info.sha256, 32);
    sy_obj_str(&o, "ready_pattern", sy_arena_dup(b->a, c->def->ready_text));
    sy_obj_put(&o, "states", states_of(b, c->def));
    return sy_obj_value(&o);
}

static symbi_value session_part(sy_backend_plan *b, const sy_session_def *d)
{
    sy_obj o = sy_obj_new(b->a);
    const symbi_tool *m = b->t->owner;
    sy_obj_str(&o, "tool", sy_arena_dup(b->a, m->info.name));
    sy_obj_hex(&o, "manifest_sha256", m->info.sha256, 32);
    sy_obj_str(&o, "ready_pattern", sy_arena_dup(b->a, d->ready_text));
    sy_obj_int(&o, "startup_ms", d->startup_ms);
    sy_obj_int(&o, "idle_ms", d->idle_ms);
    sy_obj_int(&o, "total_ms", d->total_ms);
    sy_obj_int(&o, "max_interactions", d->max_interactions);
    sy_obj_int(&o, "reply_ms", d->reply_ms);
    sy_obj_int(&o, "output_max", d->output_max);
    sy_obj_int(&o, "queue_max", d->queue_max);
    sy_obj_int(&o, "ttl_ms", d->ttl_ms);
    sy_obj_put(&o, "states", states_of(b, d));
    if (d->child) sy_obj_put(&o, "child", child_part(b, d->child));
    return sy_obj_value(&o);
}

/* Beside where a run's evidence goes: output_file names its folder. */
static symbi_status make_transcript(sy_backend_plan *b)
{
    static const char name[] = "transcript.jsonl";
    symbi_str f = b->p->output_file;
    size_t n = f.n;
    char *p;
    if (!b->t->capture) {
        b->p->output_file = SY_LIT("");
        return SYMBI_OK;
    }
    while (n && f.p[n - 1] != '/') n--;
    p = sy_arena_alloc(b->a, n + sizeof name);
    if (!p) return nomem(b);
    if (n) memcpy(p, f.p, n);
    memcpy(p + n, name, sizeof name);
    b->p->output_file = (symbi_str){ p, n + sizeof name - 1 };
    return SYMBI_OK;
}

symbi_status sy_session_plan(sy_backend_plan *b, symbi_value *detail)
{
    const sy_session_def *d = b->t->backend_data;
    sy_obj o = sy_obj_new(b->a);
    const symbi_value *text = symbi_value_getz(b->p->args, "command");
    symbi_status st;
    if (!b->t->owner || !d)
        return sy_fail(b->err, SYMBI_EUNSUPPORTED, "'%.*s' is a session: what can be called is its commands (%.*s.%s)", SY_FMT(b->t->info.name), SY_FMT(b->t->info.name),
            b->t->ncommands ? b->t->commands[0].command_name.p : "COMMAND");
    if (!text || text->kind != SYMBI_STRING) return sy_fail(b->err, SYMBI_ESCHEMA, "Session command requires 'command' argument");
    if ((st = check_args(b, text->u.s)) || (st = make_argv(b, d)) || (st = make_env(b)) || (st = make_transcript(b))) return st;
    b->p->command = text->u.s;
    b->p->stdout_max = (size_t)d->output_max;
    sy_obj_str(&o, "command", text->u.s);
    if (b->t->in_child) sy_obj_bool(&o, "child", true);
    sy_obj_str(&o, "name", sy_arena_dup(b->a, b->t->command_name));
    sy_obj_put(&o, "session", session_part(b, d));
    sy_obj_str(&o, "transcript", b->p->output_file);
    *detail = sy_obj_value(&o);
    return b->a->status ? nomem(b) : SYMBI_OK;
}

/* ---- what came back ---- */

static symbi_str text_of(const symbi_value *raw, const char *key) { return symbi_value_str(raw, key, SY_LIT("")); }

static int64_t int_of(const symbi_value *raw, const char *key, int64_t dflt)
{
    const symbi_value *v = symbi_value_getz(raw, key);
    return v && v->kind == SYMBI_INT ? v->u.i : dflt;
}

/* How it went, by the session's state: the program's own opinion is in its output. */
static const char *judge(const symbi_value *raw, symbi_str state)
{
    if (sy_str_eqz(state, "ready")) return "success";
    if (sy_str_eqz(state, "timed_out")) return "timeout";
    if (sy_str_eqz(state, "terminated") && int_of(raw, "exit_code", -1) == 0) return "success"; /* asked to leave, it left */
    return "error";
}

static symbi_status results(sy_backend_reply *r, symbi_str output, bool ok, sy_obj *res, char why[160], sy_arr *warnings)
{
    symbi_value parsed;
    symbi_status st;
    static const char *const also[] = { "prompt", "session_state", "interaction_count", "inferred_state", "events", "events_dropped", "child" };
    sy_obj_str(res, "output", output);
    sy_obj_str(res, "prompt", text_of(r->raw, "prompt"));
    sy_obj_str(res, "session_state", text_of(r->raw, "state"));
    sy_obj_str(res, "inferred_state", text_of(r->raw, "inferred_state"));
    sy_obj_int(res, "interaction_count", int_of(r->raw, "interaction_count", 0));
    for (size_t i = 4; i < sizeof also / sizeof also[0]; i++) {
        const symbi_value *v = symbi_value_getz(r->raw, also[i]);
        if (v) sy_obj_put(res, also[i], *v);
    }
    if (!ok || r->t->format == SY_FORMAT_TEXT) return SYMBI_OK;
    if ((st = sy_output_parse(r->cx, r->t->format, output, r->a, &parsed, why, r->err))) return st;
    if (r->t->output_schema && (st = sy_output_schema_check(r->cx, r->t->output_schema, &parsed, r->a, warnings, r->err))) return st;
    for (size_t i = 0; parsed.kind == SYMBI_OBJECT && i < parsed.u.o.n; i++) {
        bool taken = sy_str_eqz(parsed.u.o.members[i].key, "output");
        for (size_t k = 0; k < sizeof also / sizeof also[0]; k++) taken = taken || sy_str_eqz(parsed.u.o.members[i].key, also[k]);
        if (!taken) sy_obj_puts(res, parsed.u.o.members[i].key, parsed.u.o.members[i].val);
    }
    return SYMBI_OK;
}

symbi_status sy_session_envelope(sy_backend_reply *r, sy_obj *o)
{
    symbi_str state = text_of(r->raw, "state"), output = sy_utf8_lossy(r->a, text_of(r->raw, "output")), error = text_of(r->raw, "error");
    const symbi_value *cut = symbi_value_getz(r->raw, "truncated");
    const char *status = judge(r->raw, state);
    bool ok = strcmp(status, "success") == 0;
    sy_obj res = sy_obj_new(r->a);
    sy_arr warnings = sy_arr_new(r->a);
    char why[160] = "";
    uint8_t hash[32];
    char hex[72] = "sha256:";
    symbi_status st;
    if (!output.p) return sy_arena_fail(r->a, "the envelope", r->err);
    if ((st = results(r, output, ok, &res, why, &warnings)) || (st = symbi_sha256(r->cx, output, hash, r->err))) return st;
    for (size_t i = 0; i < 32; i++) {
        hex[7 + 2 * i] = "0123456789abcdef"[hash[i] >> 4];
        hex[8 + 2 * i] = "0123456789abcdef"[hash[i] & 15];
    }
    if (ok && r->t->output_strict && (warnings.n || why[0])) {
        ok = false;
        status = "error";
        error = SY_LIT("The output does not match the manifest's schema");
    }
    sy_obj_str(o, "status", symbi_str_z(status));
    sy_obj_int(o, "exit_code", ok ? 0 : int_of(r->raw, "exit_code", -1));
    sy_obj_str(o, "stderr", SY_LIT("")); /* a terminal has one stream */
    sy_obj_str(o, "output_file", text_of(r->raw, "transcript_file"));
    sy_obj_count(o, "output_bytes", output.n);
    sy_obj_str(o, "output_hash", sy_arena_dup(r->a, symbi_str_z(hex)));
    sy_obj_str(o, "session_id", text_of(r->raw, "session_id"));
    if (text_of(r->raw, "parent_session_id").n) sy_obj_str(o, "parent_session_id", text_of(r->raw, "parent_session_id"));
    sy_obj_str(o, "transcript_hash", text_of(r->raw, "transcript_sha256"));
    sy_obj_int(o, "transcript_entries", int_of(r->raw, "transcript_entries", 0));
    if (int_of(r->raw, "signal", 0)) sy_obj_int(o, "signal", int_of(r->raw, "signal", 0));
    if (cut && cut->kind == SYMBI_BOOL && cut->u.b) sy_obj_bool(o, "truncated", true);
    if (!ok) sy_obj_str(o, "error", error.n ? error : SY_LIT("the session gave no result"));
    sy_obj_put(o, "results", sy_obj_value(&res));
    if (why[0]) sy_obj_str(o, "parse_error", sy_arena_dup(r->a, symbi_str_z(why)));
    if (warnings.n) sy_obj_put(o, "schema_warnings", sy_arr_value(&warnings));
    return r->a->status ? sy_arena_fail(r->a, "the envelope", r->err) : SYMBI_OK;
}
