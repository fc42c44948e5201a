/* toolclad/session_run.h: the inside of a session, shared by the machine (session_run.c) and its transcript and events (session_log.c). */
#ifndef SY_TOOLCLAD_SESSION_RUN_H
#define SY_TOOLCLAD_SESSION_RUN_H
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/utf8.h"
#include "codec/build.h"
#include "symbi/session.h"
#include "toolclad/session_screen.h"
#include "toolclad/tool.h"

enum { SY_SESSION_EVENT_BYTES = 4096, SY_SESSION_EVENTS_BYTES = 1 << 20, SY_SESSION_LOG_BYTES = 64 << 20 };

typedef struct sy_session_event_rec {
    int64_t wall;
    char *p;
    size_t n;
} sy_session_event_rec;

struct symbi_session {
    symbi_ctx *cx;
    sy_arena arena;
    symbi_plan *first;      /* the plan that started it */
    const symbi_value *def; /* detail.session of the plan that started it */
    symbi_str tool;
    const sy_pattern *ready;
    struct { symbi_str name; const sy_pattern *pattern; } *states;
    size_t nstates;
    /* The session that the program may open inside of itself: NULL, none is looked for; child_ready NULL: it has no contract. */
    const sy_pattern *child_pattern, *child_ready;
    struct { symbi_str name; const sy_pattern *pattern; } *child_states; /* names with "child." before them */
    size_t nchild_states;
    symbi_str child_type;
    bool in_child;
    bool child_told;  /* its beginning was seen, but no prompt */
    unsigned children;
    char child_id[216], asked_id[216]; /* of the present or last one; of the one that the open command went to, "" for the session itself */
    int64_t startup_ms, idle_ms, total_ms, reply_ms, ttl_ms;
    uint64_t max_interactions, interactions;
    size_t queue_max;

    symbi_session_state state;
    bool was_busy;
    bool silent;    /* the terminal repeats nothing */
    bool answered;  /* the reply that the screen holds was fetched */
    bool pending;   /* a reply is there and was not fetched yet */
    bool looked;    /* the prompt test was made on what is there */
    sy_buf why, prompt, typed, name;
    symbi_str inferred;
    char id[200];
    size_t nid;
    int64_t start, last_byte, quiet_since, asked, asked_wall, reply_by, idle_since;
    int exit_code, signal;
    sy_screen screen;
    uint64_t bytes_before;

    sy_session_event_rec *events; /* oldest first */
    size_t nevents, events_cap, events_bytes;
    uint64_t dropped;
    sy_buf log;
    uint8_t chain[32];
    uint64_t entries;
};

void sy_session_log_init(symbi_session *s);
void sy_session_log_free(symbi_session *s);
/* One entry; duration < 0: none. ENOMEM only; content is made valid UTF-8. */
symbi_status sy_session_log(symbi_session *s, const char *direction, symbi_str content, int64_t wall, int64_t duration);
/* What the screen shows besides a prompt becomes an event; the screen is cleared. */
void sy_session_event(symbi_session *s, int64_t wall);
/* Moves the events that are not too old into o ("events", "events_dropped"). */
void sy_session_take_events(symbi_session *s, sy_arena *a, sy_obj *o, int64_t wall);
#endif
