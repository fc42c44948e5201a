/* toolclad/session_run.c: the machine of one session: states, limits, the prompt test, replies. Its patterns and limits come out of the
 * plan that started it, so that they are what the gate's order was minted for. */
#include "toolclad/session_run.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/build.h"
#include "toolclad/sandbox.h"
#include <stdio.h>

const char *symbi_session_state_name(symbi_session_state s)
{
    static const char *const names[] = { "spawning", "ready", "busy", "timed_out", "terminated", "failed" };
    return (unsigned)s < sizeof names / sizeof names[0] ? names[s] : "unknown";
}

static bool over(const symbi_session *s) { return s->state > SYMBI_SESSION_BUSY; }

/* ---- making one ---- */

static int64_t num(const symbi_value *t, const char *key, int64_t lo, int64_t hi, int64_t dflt)
{
    const symbi_value *v = symbi_value_getz(t, key);
    return v && v->kind == SYMBI_INT && v->u.i >= lo && v->u.i <= hi ? v->u.i : dflt;
}

static symbi_status compile(symbi_session *s, symbi_str text, const sy_pattern **out, symbi_err *err)
{
    symbi_str mine = sy_arena_dup(&s->arena, text);
    return mine.p ? sy_pattern_compile(&s->arena, mine, out, err) : sy_arena_fail(&s->arena, "the session", err);
}

static symbi_status take_def(symbi_session *s, const symbi_plan *p, symbi_err *err)
{
    const symbi_value *def = symbi_value_getz(p->detail, "session"), *states;
    symbi_value copy;
    symbi_status st;
    if (p->kind != SYMBI_BACKEND_SESSION || !def || def->kind != SYMBI_OBJECT) return sy_fail(err, SYMBI_EINVAL, "not a plan of backend session");
    if ((st = sy_value_copy(&s->arena, def, &copy, 100, err))) return st;
    s->def = sy_arena_memdup(&s->arena, &copy, sizeof copy);
    if (!s->def) return sy_arena_fail(&s->arena, "the session", err);
    def = s->def;
    s->tool = symbi_value_str(def, "tool", SY_LIT(""));
    s->startup_ms = num(def, "startup_ms", 1, INT32_MAX, 30000);
    s->idle_ms = num(def, "idle_ms", 1, INT32_MAX, 300000);
    s->total_ms = num(def, "total_ms", 1, INT32_MAX, 1800000);
    s->reply_ms = num(def, "reply_ms", 1, INT32_MAX, 10000);
    s->max_interactions = (uint64_t)num(def, "max_interactions", 1, 1000000, 100);
    s->queue_max = (size_t)num(def, "queue_max", 0, 10000, 100);
    s->ttl_ms = num(def, "ttl_ms", 1, INT32_MAX, 300000);
    sy_screen_init(&s->screen, s->cx->alloc, (size_t)num(def, "output_max", 1, 64 << 20, 1 << 20));
    if ((st = compile(s, symbi_value_str(def, "ready_pattern", SY_LIT("")), &s->ready, err))) return st;
    states = symbi_value_getz(def, "states");
    s->nstates = states && states->kind == SYMBI_OBJECT ? states->u.o.n : 0;
    s->states = sy_arena_calloc(&s->arena, s->nstates, sizeof *s->states);
    if (!s->states) return sy_arena_fail(&s->arena, "the session", err);
    for (size_t i = 0; i < s->nstates; i++) {
        s->states[i].name = states->u.o.members[i].key;
        if (states->u.o.members[i].val.kind != SYMBI_STRING) return sy_fail(err, SYMBI_EINVAL, "not a plan of backend session");
        if ((st = compile(s, states->u.o.members[i].val.u.s, &s->states[i].pattern, err))) return st;
    }
    return SYMBI_OK;
}

/* What is known of child sessions. */
static symbi_status take_child(symbi_session *s, symbi_err *err)
{
    const symbi_value *c = symbi_value_getz(s->def, "child"), *states;
    symbi_str ready;
    symbi_status st;
    if (!c) return SYMBI_OK;
    if (c->kind != SYMBI_OBJECT) return sy_fail(err, SYMBI_EINVAL, "not a plan of backend session");
    s->child_type = symbi_value_str(c, "type", SY_LIT("child"));
    if ((st = compile(s, symbi_value_str(c, "pattern", SY_LIT("")), &s->child_pattern, err))) return st;
    ready = symbi_value_str(c, "ready_pattern", SY_LIT(""));
    if (!ready.n) return SYMBI_OK;
    if ((st = compile(s, ready, &s->child_ready, err))) return st;
    states = symbi_value_getz(c, "states");
    s->nchild_states = states && states->kind == SYMBI_OBJECT ? states->u.o.n : 0;
    s->child_states = sy_arena_calloc(&s->arena, s->nchild_states, sizeof *s->child_states);
    if (!s->child_states) return sy_arena_fail(&s->arena, "the session", err);
    for (size_t i = 0; i < s->nchild_states; i++) {
        symbi_str name = states->u.o.members[i].key;
        char *full = sy_arena_alloc(&s->arena, name.n + 7);
        if (!full) return sy_arena_fail(&s->arena, "the session", err);
        memcpy(full, "child.", 6);
        if (name.n) memcpy(full + 6, name.p, name.n);
        full[name.n + 6] = 0;
        s->child_states[i].name = (symbi_str){ full, name.n + 6 };
        if (states->u.o.members[i].val.kind != SYMBI_STRING) return sy_fail(err, SYMBI_EINVAL, "not a plan of backend session");
        if ((st = compile(s, states->u.o.members[i].val.u.s, &s->child_states[i].pattern, err))) return st;
    }
    return SYMBI_OK;
}

static symbi_status make_id(symbi_session *s, symbi_err *err)
{
    uint8_t rnd[4];
    int n;
    symbi_status st = symbi_ctx_random(s->cx, rnd, sizeof rnd, err);
    if (st) return st;
    n = snprintf(s->id, sizeof s->id, "session-%.*s-%02x%02x%02x%02x", (int)(s->tool.n > 128 ? 128 : s->tool.n), s->tool.p, rnd[0], rnd[1], rnd[2], rnd[3]);
    s->nid = n > 0 ? (size_t)n : 0;
    return SYMBI_OK;
}

symbi_status symbi_session_new(symbi_ctx *cx, const symbi_plan *p, int64_t now, int64_t wall, symbi_session **out, symbi_err *err)
{
    symbi_session *s;
    symbi_status st;
    *out = NULL;
    symbi_err_clear(err);
    s = sy_calloc(&cx->alloc, 1, sizeof *s);
    if (!s) return sy_fail_nomem(err);
    s->cx = cx;
    sy_arena_init(&s->arena, cx->alloc, cx->limits.arena_bytes);
    sy_buf_init(&s->why, cx->alloc, 4096);
    sy_buf_init(&s->prompt, cx->alloc, SY_SCREEN_LINE + 1);
    sy_buf_init(&s->typed, cx->alloc, 8192);
    sy_buf_init(&s->name, cx->alloc, 1024);
    sy_session_log_init(s);
    s->inferred = SY_LIT("spawning");
    s->start = s->last_byte = s->quiet_since = now;
    s->exit_code = -1;
    s->first = symbi_plan_ref((symbi_plan *)(uintptr_t)p);
    st = take_def(s, p, err);
    if (!st) st = take_child(s, err);
    if (!st) st = make_id(s, err);
    if (!st) st = sy_session_log(s, "System", SY_LIT("started"), wall, -1);
    if (st) {
        symbi_session_free(s);
        return st == SYMBI_ENOMEM ? sy_fail_nomem(err) : st;
    }
    *out = s;
    return SYMBI_OK;
}

void symbi_session_free(symbi_session *s)
{
    symbi_alloc a;
    if (!s) return;
    a = s->cx->alloc;
    sy_screen_free(&s->screen);
    sy_session_log_free(s);
    sy_buf_free(&s->why);
    sy_buf_free(&s->prompt);
    sy_buf_free(&s->typed);
    sy_buf_free(&s->name);
    sy_arena_free(&s->arena);
    symbi_plan_unref(s->first);
    sy_free(&a, s, sizeof *s);
}

/* ---- ends ---- */

static void finish(symbi_session *s, symbi_session_state to, int64_t wall, const char *fmt, ...) SYMBI_PRINTF(4, 5);
static void finish(symbi_session *s, symbi_session_state to, int64_t wall, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    if (over(s)) return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    s->was_busy = s->state == SYMBI_SESSION_BUSY;
    s->state = to;
    s->why.n = 0;
    sy_buf_addz(&s->why, text);
    (void)!sy_session_log(s, "System", symbi_str_z(text), wall, -1);
}

void symbi_session_ended(symbi_session *s, int exit_code, int signal, int start_errno, int64_t wall)
{
    if (over(s)) return;
    s->exit_code = exit_code;
    s->signal = signal;
    sy_session_event(s, wall);
    if (start_errno) finish(s, SYMBI_SESSION_FAILED, wall, "the program cannot be started: %s", strerror(start_errno));
    else if (signal) finish(s, SYMBI_SESSION_TERMINATED, wall, "the program was killed by signal %d", signal);
    else finish(s, SYMBI_SESSION_TERMINATED, wall, "the program ended with exit code %d", exit_code);
}

void symbi_session_failed(symbi_session *s, symbi_str why, int64_t wall) { finish(s, SYMBI_SESSION_FAILED, wall, "%.*s", SY_FMT(why)); }

/* ---- the prompt ---- */

static bool blank(char c) { return c == ' ' || c == '\t'; }

/* A search that fails (over its budget) is no match. */
static bool hits(symbi_session *s, const sy_pattern *p, symbi_str line)
{
    bool hit = false;
    symbi_err e;
    return !sy_pattern_search(s->cx, p, line, &hit, &e) && hit;
}

/* line as UTF-8, cut where it stops being that: patterns take nothing else. */
static symbi_str valid_part(symbi_str line)
{
    size_t bad;
    while (!sy_utf8_valid(line, &bad)) line.n = bad;
    return line;
}

/* As it is, or without blanks at its end. */
static bool fits(symbi_session *s, const sy_pattern *p, symbi_str line)
{
    symbi_str cut = line;
    if (hits(s, p, line)) return true;
    while (cut.n && blank(cut.p[cut.n - 1])) cut.n--;
    return cut.n && cut.n < line.n && hits(s, p, cut);
}

static symbi_str without_echo(const symbi_session *s, symbi_str out);

/* Does a line of what was said say that a child session began? */
static bool announced(symbi_session *s)
{
    symbi_str text = sy_buf_str(&s->screen.text);
    if (s->state == SYMBI_SESSION_BUSY && s->typed.n) text = without_echo(s, text);
    while (text.n) {
        const char *end = memchr(text.p, '\n', text.n);
        size_t n = end ? (size_t)(end - text.p) : text.n;
        if (fits(s, s->child_pattern, valid_part((symbi_str){ text.p, n }))) return true;
        if (!end) break;
        text.p += n + 1;
        text.n -= n + 1;
    }
    return false;
}

typedef enum place { NOWHERE, PARENT, CHILD } place;

/* Whose prompt the last line is. What the program prints can be what a model made it print, so that a line of output alone opens no child
 * session whose prompt is known, and never one while the session's own prompt stands there. */
static place where(symbi_session *s)
{
    symbi_str line = { s->screen.line.p, s->screen.line.n };
    bool child = s->child_pattern && s->state != SYMBI_SESSION_SPAWNING, its;
    if (!line.n || s->screen.long_line || s->screen.esc || !sy_utf8_valid(line, NULL)) return NOWHERE;
    its = child && s->child_ready && fits(s, s->child_ready, line);
    if (child && (its || !s->child_ready) && fits(s, s->child_pattern, line)) return CHILD;
    if (fits(s, s->ready, line)) return PARENT;
    return its && (s->in_child || announced(s)) ? CHILD : NOWHERE;
}

/* One whose prompt nobody knows: its beginning was announced, and what stands there is no prompt of the session. */
static bool strange(symbi_session *s) { return s->child_pattern && !s->child_ready && s->state != SYMBI_SESSION_SPAWNING && (s->in_child || announced(s)); }

/* From here on that is who listens. */
static void enter(symbi_session *s, place at, int64_t wall)
{
    char text[320];
    if (at == NOWHERE || (at == CHILD) == s->in_child) return;
    if (at == CHILD) {
        snprintf(s->child_id, sizeof s->child_id, "%.*s.child_%u", (int)s->nid, s->id, ++s->children);
        s->in_child = true;
    }
    snprintf(text, sizeof text, at == CHILD ? "child session %s began (%.*s)" : "child session %s ended", s->child_id, (int)(s->child_type.n > 64 ? 64 : s->child_type.n), s->child_type.p);
    (void)!sy_session_log(s, "System", symbi_str_z(text), wall, -1);
    s->in_child = at == CHILD;
}

static bool has_error(symbi_str s)
{
    for (size_t i = 0; i + 5 <= s.n; i++) {
        size_t k = 0;
        while (k < 5 && (s.p[i + k] | 0x20) == "error"[k]) k++;
        if (k == 5) return true;
    }
    return false;
}

static void infer(symbi_session *s)
{
    symbi_str line = valid_part(sy_buf_str(&s->prompt));
    if (s->in_child) {
        for (size_t i = 0; i < s->nchild_states; i++)
            if (hits(s, s->child_states[i].pattern, line)) {
                s->inferred = s->child_states[i].name;
                return;
            }
        s->inferred = !s->child_ready ? SY_LIT("child") : has_error(line) ? SY_LIT("child.error") : SY_LIT("child.ready");
        return;
    }
    for (size_t i = 0; i < s->nstates; i++)
        if (hits(s, s->states[i].pattern, line)) {
            s->inferred = s->states[i].name;
            return;
        }
    s->inferred = has_error(line) ? SY_LIT("error") : SY_LIT("ready");
}

static void came_ready(symbi_session *s, place at, int64_t now, int64_t wall)
{
    bool first = s->state == SYMBI_SESSION_SPAWNING;
    enter(s, at, wall);
    s->child_told = false;
    s->prompt.n = 0;
    sy_buf_add(&s->prompt, s->screen.line.p, s->screen.line.n);
    infer(s);
    s->state = SYMBI_SESSION_READY;
    s->idle_since = now;
    s->pending = !first;
    if (first) { /* what the program says of itself is no reply */
        (void)!sy_session_log(s, "System", sy_buf_str(&s->screen.text), wall, now - s->start);
        sy_screen_clear(&s->screen);
    }
}

/* ---- bytes and time ---- */

enum { CHILD_QUIET_MS = 500 }; /* a child session without a known prompt is believed after so much silence */

/* The program is quiet: what does its last line say? */
static void look(symbi_session *s, int64_t now, int64_t wall)
{
    place at = where(s);
    if (s->state == SYMBI_SESSION_READY) {
        place was = s->in_child ? CHILD : PARENT;
        if (!s->answered) enter(s, at == NOWHERE && strange(s) ? CHILD : at, wall);
        if ((s->in_child ? CHILD : PARENT) != was) { /* it changed hands between two commands */
            s->prompt.n = 0;
            sy_buf_add(&s->prompt, s->screen.line.p, s->screen.line.n);
            infer(s);
        }
        sy_session_event(s, wall);
    } else if (at != NOWHERE) {
        came_ready(s, at, now, wall);
    } else if (s->state == SYMBI_SESSION_BUSY) {
        s->child_told = strange(s);
    }
}

symbi_status symbi_session_feed(symbi_session *s, symbi_str bytes, int64_t now, int64_t wall, symbi_err *err)
{
    symbi_err_clear(err);
    if (over(s) || !bytes.n) return SYMBI_OK;
    if (s->state == SYMBI_SESSION_READY && s->answered) { /* the reply was fetched: this is something else */
        s->answered = false;
        sy_screen_clear(&s->screen);
    }
    s->last_byte = now;
    s->looked = s->child_told = false;
    if (sy_screen_feed(&s->screen, bytes)) {
        finish(s, SYMBI_SESSION_FAILED, wall, "out of memory");
        return sy_fail_nomem(err);
    }
    return SYMBI_OK;
}

symbi_session_state symbi_session_tick(symbi_session *s, int64_t now, int64_t wall)
{
    if (over(s)) return s->state;
    if (!s->looked && now - s->last_byte >= SYMBI_SESSION_QUIET_MS) {
        s->looked = true;
        look(s, now, wall);
    }
    if (s->child_told && s->state == SYMBI_SESSION_BUSY && now - s->last_byte >= CHILD_QUIET_MS) came_ready(s, CHILD, now, wall);
    if (now - s->start >= s->total_ms) finish(s, SYMBI_SESSION_TIMED_OUT, wall, "the session lasted its %lld s (session_timeout_seconds)", (long long)(s->total_ms / 1000));
    else if (s->state == SYMBI_SESSION_SPAWNING && now - s->start >= s->startup_ms)
        finish(s, SYMBI_SESSION_TIMED_OUT, wall, "no prompt came within %lld s (startup_timeout_seconds); ready_pattern is '%.*s'", (long long)(s->startup_ms / 1000),
            SY_FMT(symbi_value_str(s->def, "ready_pattern", SY_LIT(""))));
    else if (s->state == SYMBI_SESSION_BUSY && now >= s->reply_by)
        finish(s, SYMBI_SESSION_TIMED_OUT, wall, "the prompt did not come back within %lld ms (5 times interaction.output_wait_ms, at most the tool's timeout)", (long long)(s->reply_by - s->asked));
    else if (s->state == SYMBI_SESSION_READY && now - s->idle_since >= s->idle_ms)
        finish(s, SYMBI_SESSION_TIMED_OUT, wall, "nothing was asked for %lld s (idle_timeout_seconds)", (long long)(s->idle_ms / 1000));
    return s->state;
}

int64_t symbi_session_due(const symbi_session *s, int64_t now)
{
    int64_t at = s->start + s->total_ms, t;
    if (over(s)) return -1;
    t = s->state == SYMBI_SESSION_SPAWNING ? s->start + s->startup_ms : s->state == SYMBI_SESSION_BUSY ? s->reply_by : s->idle_since + s->idle_ms;
    if (t < at) at = t;
    if (!s->looked && s->last_byte + SYMBI_SESSION_QUIET_MS < at) at = s->last_byte + SYMBI_SESSION_QUIET_MS;
    if (s->child_told && s->state == SYMBI_SESSION_BUSY && s->last_byte + CHILD_QUIET_MS < at) at = s->last_byte + CHILD_QUIET_MS;
    return at > now ? at - now : 0;
}

/* ---- commands ---- */

/* Is the command for who listens now? A line for one program must not be read by another. */
static symbi_status addressed(const symbi_session *s, const symbi_plan *p, symbi_err *err)
{
    const symbi_value *v = symbi_value_getz(p->detail, "child");
    bool child = v && v->kind == SYMBI_BOOL && v->u.b;
    if (child == s->in_child) return SYMBI_OK;
    if (child) return sy_fail(err, SYMBI_EDENIED, "no child session is open: the command is one of a child session of '%.*s'", SY_FMT(s->tool));
    if (!s->child_ready) return sy_fail(err, SYMBI_EDENIED, "child session %s (%.*s) is open, and no manifest says what may be typed there", s->child_id, SY_FMT(s->child_type));
    return sy_fail(err, SYMBI_EDENIED, "child session %s (%.*s) is open: only %.*s.child.* can be called until it ends", s->child_id, SY_FMT(s->child_type), SY_FMT(s->tool));
}

symbi_status symbi_session_begin(symbi_session *s, const symbi_plan *p, int64_t now, int64_t wall, symbi_str *typed, symbi_err *err)
{
    const symbi_value *def = p->detail ? symbi_value_getz(p->detail, "session") : NULL;
    symbi_str text = p->detail ? symbi_value_str(p->detail, "command", SY_LIT("")) : SY_LIT("");
    int64_t limit;
    symbi_status st;
    symbi_err_clear(err);
    if (p->kind != SYMBI_BACKEND_SESSION || !def || !text.n || memchr(text.p, '\n', text.n)) return sy_fail(err, SYMBI_EINVAL, "not a plan of backend session");
    if (!symbi_value_equal(def, s->def)) return sy_fail(err, SYMBI_EDENIED, "the plan is of another session: its manifest is not the one that this program was started for");
    if (!sy_sandbox_same(p, s->first)) return sy_fail(err, SYMBI_EDENIED, "the program of the session was started in another sandbox than the plan asks for");
    symbi_session_tick(s, now, wall);
    if (over(s)) return sy_fail(err, SYMBI_ESTATE, "the session is over: %.*s", SY_FMT(sy_buf_str(&s->why)));
    if (s->state != SYMBI_SESSION_READY) return sy_fail(err, SYMBI_ESTATE, "the session is %s", symbi_session_state_name(s->state));
    if (!s->looked) {
        s->looked = true;
        look(s, now, wall);
    }
    if ((st = addressed(s, p, err))) return st;
    if (s->interactions >= s->max_interactions)
        return sy_fail(err, SYMBI_ELIMIT, "Session '%.*s' exceeded max interactions (%llu)", SY_FMT(s->tool), (unsigned long long)s->max_interactions);
    snprintf(s->asked_id, sizeof s->asked_id, "%s", s->in_child ? s->child_id : "");
    sy_screen_clear(&s->screen);
    s->answered = s->pending = false;
    s->typed.n = s->name.n = 0;
    sy_buf_adds(&s->typed, text);
    sy_buf_addc(&s->typed, '\n');
    sy_buf_adds(&s->name, symbi_value_str(p->detail, "name", SY_LIT("")));
    if (sy_buf_status(&s->typed) || sy_buf_status(&s->name)) {
        finish(s, SYMBI_SESSION_FAILED, wall, "out of memory");
        return sy_fail_nomem(err);
    }
    if ((st = sy_session_log(s, "Command", text, wall, -1))) return sy_fail_nomem(err);
    limit = p->timeout_ms > 0 && p->timeout_ms < s->reply_ms ? p->timeout_ms : s->reply_ms;
    s->interactions++;
    s->bytes_before = s->screen.bytes;
    s->state = SYMBI_SESSION_BUSY;
    s->asked = now;
    s->asked_wall = wall;
    s->reply_by = now + limit;
    s->last_byte = now;
    s->looked = true; /* there is nothing yet */
    *typed = sy_buf_str(&s->typed);
    return SYMBI_OK;
}

void symbi_session_echo(symbi_session *s, bool echo) { s->silent = !echo; }

/* The reply without the line that repeats what was typed (with the old prompt before it, where a program writes that anew). */
static symbi_str without_echo(const symbi_session *s, symbi_str out)
{
    symbi_str typed = { s->typed.p, s->typed.n ? s->typed.n - 1 : 0 };
    const char *end = out.n ? memchr(out.p, '\n', out.n) : NULL;
    size_t n = end ? (size_t)(end - out.p) : 0;
    while (n && blank(out.p[n - 1])) n--;
    while (typed.n && blank(typed.p[typed.n - 1])) typed.n--;
    if (!end || !typed.n || n < typed.n || memcmp(out.p + n - typed.n, typed.p, typed.n)) return out;
    n -= typed.n;
    if (!n && s->silent) return out;
    if (n && (n != s->prompt.n || memcmp(out.p, s->prompt.p, n))) return out;
    return (symbi_str){ end + 1, out.n - (size_t)(end + 1 - out.p) };
}

static symbi_status reply(symbi_session *s, int64_t now, sy_arena *a, symbi_value *out)
{
    sy_obj o = sy_obj_new(a);
    symbi_str text = sy_buf_str(&s->screen.text), rest = { "", 0 };
    uint8_t chain[32];
    bool asked = s->typed.n > 0;
    if (asked) text = without_echo(s, text);
    if (over(s) && s->screen.line.n) { /* no prompt: the last line is output like the others */
        sy_buf whole;
        sy_buf_init(&whole, s->cx->alloc, s->screen.cap + 2 * SY_SCREEN_LINE + 8);
        sy_buf_adds(&whole, text);
        sy_buf_add(&whole, s->screen.line.p, s->screen.line.n);
        if (sy_buf_status(&whole)) return SYMBI_ENOMEM;
        text = sy_utf8_lossy(a, sy_buf_str(&whole));
        sy_buf_free(&whole);
    } else {
        text = sy_utf8_lossy(a, text.p ? text : SY_LIT(""));
    }
    if (!over(s)) rest = sy_utf8_lossy(a, s->prompt.p ? sy_buf_str(&s->prompt) : SY_LIT(""));
    if (!text.p || !rest.p) return SYMBI_ENOMEM;
    if (sy_session_log(s, "Response", text, s->asked_wall + (now - s->asked), now - s->asked)) return SYMBI_ENOMEM;
    sy_obj_int(&o, "started_ms", asked ? s->asked_wall : 0);
    sy_obj_int(&o, "duration_ms", now - (asked ? s->asked : s->start));
    if (s->asked_id[0] && asked) {
        sy_obj_str(&o, "session_id", sy_arena_dup(a, symbi_str_z(s->asked_id)));
        sy_obj_str(&o, "parent_session_id", sy_arena_dup(a, (symbi_str){ s->id, s->nid }));
    } else {
        sy_obj_str(&o, "session_id", sy_arena_dup(a, (symbi_str){ s->id, s->nid }));
    }
    if (s->in_child && !over(s)) {
        sy_obj c = sy_obj_new(a);
        sy_obj_str(&c, "session_id", sy_arena_dup(a, symbi_str_z(s->child_id)));
        sy_obj_str(&c, "type", sy_arena_dup(a, s->child_type));
        sy_obj_put(&o, "child", sy_obj_value(&c));
    }
    sy_obj_str(&o, "state", symbi_str_z(symbi_session_state_name(s->state)));
    sy_obj_str(&o, "inferred_state", sy_arena_dup(a, s->inferred));
    sy_obj_count(&o, "interaction_count", s->interactions);
    sy_obj_str(&o, "output", text);
    sy_obj_str(&o, "prompt", rest);
    sy_obj_count(&o, "output_bytes", s->screen.bytes - s->bytes_before);
    sy_obj_bool(&o, "truncated", s->screen.cut);
    if (over(s)) {
        sy_obj_str(&o, "error", sy_arena_dup(a, s->why.p ? sy_buf_str(&s->why) : SY_LIT("")));
        sy_obj_int(&o, "exit_code", s->exit_code);
        if (s->signal) sy_obj_int(&o, "signal", s->signal);
    }
    sy_session_take_events(s, a, &o, s->asked_wall + (now - s->asked));
    symbi_session_transcript_hash(s, chain);
    sy_obj_hex(&o, "transcript_sha256", chain, 32);
    sy_obj_count(&o, "transcript_entries", s->entries);
    s->bytes_before = s->screen.bytes;
    *out = sy_obj_value(&o);
    return a->status ? SYMBI_ENOMEM : SYMBI_OK;
}

symbi_status symbi_session_reply(symbi_session *s, int64_t now, symbi_doc **out, symbi_err *err)
{
    sy_arena a;
    symbi_value v;
    symbi_status st;
    *out = NULL;
    symbi_err_clear(err);
    if (s->state == SYMBI_SESSION_BUSY || s->state == SYMBI_SESSION_SPAWNING) return sy_fail(err, SYMBI_ESTATE, "the session is %s: there is no reply yet", symbi_session_state_name(s->state));
    sy_arena_init(&a, s->cx->alloc, s->cx->limits.arena_bytes);
    st = reply(s, now, &a, &v);
    st = st ? sy_fail_nomem(err) : symbi_doc_copy(s->cx, &v, out, err);
    sy_arena_free(&a);
    if (!st) s->answered = true, s->pending = false;
    return st;
}

void symbi_session_note_denied(symbi_session *s, symbi_str command, symbi_str why, int64_t wall)
{
    sy_buf b;
    sy_buf_init(&b, s->cx->alloc, 16384);
    sy_buf_adds(&b, command);
    sy_buf_addz(&b, ": ");
    sy_buf_adds(&b, why);
    (void)!sy_session_log(s, "PolicyDenied", sy_buf_str(&b), wall, -1);
    sy_buf_free(&b);
}

void symbi_session_get_info(const symbi_session *s, symbi_session_info *out)
{
    memset(out, 0, sizeof *out);
    out->state = s->state;
    out->id = (symbi_str){ s->id, s->nid };
    out->inferred = s->inferred;
    out->prompt = s->prompt.p ? sy_buf_str(&s->prompt) : SY_LIT("");
    out->why = s->why.p ? sy_buf_str(&s->why) : SY_LIT("");
    out->child = s->in_child ? symbi_str_z(s->child_id) : SY_LIT("");
    out->interactions = s->interactions;
    out->events = s->nevents;
    out->total_ms = s->total_ms;
    out->idle_ms = s->idle_ms;
    out->rows = 24;
    out->cols = 200;
}
