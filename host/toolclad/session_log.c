/* toolclad/session_log.c: the transcript of a session, and the queue of what its program says unasked. The transcript is a chain: h = SHA-256
 * of (h before, 32 zero bytes at first) followed by the line with its line end. The envelope of each call has the h at that time, so
 * whoever has the file and the journal sees every later change. */
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "symbi/crypto.h"
#include "symbi/json.h"
#include "toolclad/session_run.h"

void sy_session_log_init(symbi_session *s) { sy_buf_init(&s->log, s->cx->alloc, SY_SESSION_LOG_BYTES); }

void sy_session_log_free(symbi_session *s)
{
    for (size_t i = 0; i < s->nevents; i++) sy_free(&s->cx->alloc, s->events[i].p, s->events[i].n + 1);
    sy_free(&s->cx->alloc, s->events, s->events_cap * sizeof *s->events);
    sy_buf_free(&s->log);
}

static symbi_status hash_line(symbi_session *s, symbi_str line)
{
    symbi_hasher *h;
    symbi_err e;
    symbi_status st = symbi_hasher_new(s->cx, &h, &e);
    if (st) return st;
    st = symbi_hasher_add(h, (symbi_str){ (const char *)s->chain, 32 }, &e);
    if (!st) st = symbi_hasher_add(h, line, &e);
    if (!st) st = symbi_hasher_end(h, s->chain, &e);
    symbi_hasher_free(h);
    return st;
}

symbi_status sy_session_log(symbi_session *s, const char *direction, symbi_str content, int64_t wall, int64_t duration)
{
    symbi_json_out o;
    sy_arena a;
    symbi_str text;
    symbi_status st = SYMBI_OK;
    sy_arena_init(&a, s->cx->alloc, SY_SESSION_LOG_BYTES);
    text = sy_utf8_lossy(&a, content.p ? content : SY_LIT(""));
    symbi_json_out_init(s->cx, &o);
    symbi_json_out_raw(&o, SY_LIT("{\"timestamp_ms\":"));
    symbi_json_out_int(&o, wall);
    symbi_json_out_raw(&o, SY_LIT(",\"direction\":"));
    symbi_json_out_string(&o, symbi_str_z(direction));
    symbi_json_out_raw(&o, SY_LIT(",\"content\":"));
    symbi_json_out_string(&o, text.p ? text : SY_LIT(""));
    symbi_json_out_raw(&o, SY_LIT(",\"command_name\":"));
    if (s->name.n) symbi_json_out_string(&o, sy_buf_str(&s->name));
    else symbi_json_out_raw(&o, SY_LIT("null"));
    symbi_json_out_raw(&o, SY_LIT(",\"duration_ms\":"));
    if (duration >= 0) symbi_json_out_int(&o, duration);
    else symbi_json_out_raw(&o, SY_LIT("null"));
    if (s->in_child) {
        symbi_json_out_raw(&o, SY_LIT(",\"session_id\":"));
        symbi_json_out_string(&o, symbi_str_z(s->child_id));
        symbi_json_out_raw(&o, SY_LIT(",\"parent_session_id\":"));
        symbi_json_out_string(&o, (symbi_str){ s->id, s->nid });
    }
    symbi_json_out_raw(&o, SY_LIT("}\n"));
    if (!text.p || o.status) st = SYMBI_ENOMEM;
    if (!st && s->log.n + o.n < s->log.max) {
        sy_buf_add(&s->log, o.p, o.n);
        st = sy_buf_status(&s->log);
        if (!st) st = hash_line(s, (symbi_str){ o.p, o.n });
        if (!st) s->entries++;
    }
    symbi_json_out_free(&o);
    sy_arena_free(&a);
    return st ? SYMBI_ENOMEM : SYMBI_OK;
}

symbi_status symbi_session_transcript(symbi_session *s, symbi_text *out, symbi_err *err)
{
    symbi_err_clear(err);
    if (!s->log.n) {
        memset(out, 0, sizeof *out);
        return SYMBI_OK;
    }
    return sy_buf_take(&s->log, out, "the transcript", err);
}

void symbi_session_transcript_hash(const symbi_session *s, uint8_t out[32]) { memcpy(out, s->chain, 32); }

static void drop_oldest(symbi_session *s)
{
    s->events_bytes -= s->events[0].n;
    sy_free(&s->cx->alloc, s->events[0].p, s->events[0].n + 1);
    memmove(s->events, s->events + 1, --s->nevents * sizeof *s->events);
}

void sy_session_event(symbi_session *s, int64_t wall)
{
    symbi_str text = sy_buf_str(&s->screen.text);
    sy_session_event_rec *e;
    char *p;
    if (s->state != SYMBI_SESSION_READY || s->answered || s->pending) return;
    /* the prompt that stands behind it now must not be the beginning of the next */
    if (s->screen.line.n && s->screen.line.n == s->prompt.n && !memcmp(s->screen.line.p, s->prompt.p, s->prompt.n)) s->screen.line.n = 0;
    while (text.n && (text.p[0] == '\n' || text.p[0] == ' ')) text.p++, text.n--;
    if (text.n > SY_SESSION_EVENT_BYTES) text.n = SY_SESSION_EVENT_BYTES;
    if (!text.n) { /* a prompt written anew */
        s->screen.text.n = 0;
        return;
    }
    (void)!sy_session_log(s, "System", text, wall, -1);
    if (!s->queue_max) { /* events.enabled = false */
        s->screen.text.n = 0;
        s->screen.cut = false;
        return;
    }
    while (s->nevents && (s->nevents >= s->queue_max || s->events_bytes + text.n > SY_SESSION_EVENTS_BYTES)) drop_oldest(s), s->dropped++;
    p = sy_alloc(&s->cx->alloc, text.n + 1);
    if (!p || sy_grow(&s->cx->alloc, (void **)&s->events, &s->events_cap, s->nevents + 1, sizeof *s->events)) { /* the transcript has it */
        if (p) sy_free(&s->cx->alloc, p, text.n + 1);
        s->dropped++;
    } else {
        memcpy(p, text.p, text.n);
        p[text.n] = 0;
        e = &s->events[s->nevents++];
        e->wall = wall;
        e->p = p;
        e->n = text.n;
        s->events_bytes += text.n;
    }
    s->screen.text.n = 0;
    s->screen.cut = false;
}

void sy_session_take_events(symbi_session *s, sy_arena *a, sy_obj *o, int64_t wall)
{
    sy_arr list = sy_arr_new(a);
    while (s->nevents && wall - s->events[0].wall > s->ttl_ms) drop_oldest(s), s->dropped++;
    for (size_t i = 0; i < s->nevents; i++) {
        sy_obj e = sy_obj_new(a);
        char stamp[SY_RFC3339_MS];
        sy_time_rfc3339(s->events[i].wall, stamp);
        sy_obj_str(&e, "event_type", SY_LIT("output"));
        sy_obj_str(&e, "timestamp", sy_arena_dup(a, symbi_str_z(stamp)));
        sy_obj_int(&e, "timestamp_ms", s->events[i].wall);
        sy_obj_str(&e, "session_id", sy_arena_dup(a, (symbi_str){ s->id, s->nid }));
        sy_obj_str(&e, "content", sy_utf8_lossy(a, (symbi_str){ s->events[i].p, s->events[i].n }));
        sy_obj_str(&e, "source", sy_arena_dup(a, s->tool));
        sy_arr_add(&list, sy_obj_value(&e));
    }
    if (list.n) sy_obj_put(o, "events", sy_arr_value(&list));
    if (s->dropped) sy_obj_count(o, "events_dropped", s->dropped);
    if (a->status) return; /* kept for the next time */
    while (s->nevents) drop_oldest(s);
    s->dropped = 0;
}
