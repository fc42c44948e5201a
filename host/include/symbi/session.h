/* symbi/session.h: a conversation with one interactive program (spec toolclad.md 13.3) as a pure machine: bytes and times go in, states,
 * replies and a transcript come out. Who owns the terminal (symbi/io_pty.h, or anything else) feeds it; nothing here opens or waits.
 * Times are of a monotonic clock in milliseconds; wall is the clock's time for people. */
#ifndef SYMBI_SESSION_H
#define SYMBI_SESSION_H
#include "symbi/toolclad.h"
#ifdef __cplusplus
extern "C" {
#endif

/* spawning -> ready <-> busy; the others are for good */
typedef enum symbi_session_state {
    SYMBI_SESSION_SPAWNING = 0, /* no prompt was seen yet */
    SYMBI_SESSION_READY,
    SYMBI_SESSION_BUSY,         /* a command was typed; its reply is awaited */
    SYMBI_SESSION_TIMED_OUT,    /* startup, reply, idle or total limit */
    SYMBI_SESSION_TERMINATED,   /* the program ended, or was told to */
    SYMBI_SESSION_FAILED        /* it could not be started, or not be followed */
} symbi_session_state;
SYMBI_API const char *symbi_session_state_name(symbi_session_state s); /* "spawning" "ready" "busy" "timed_out" "terminated" "failed" */

typedef struct symbi_session symbi_session;
enum { SYMBI_SESSION_QUIET_MS = 30, SYMBI_SESSION_LINE_MAX = 8192 }; /* a prompt is believed after so much silence; a longer line is none */

/* For the program that p (kind SESSION) starts. Limits and patterns are those of the plan. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_session_new(symbi_ctx *cx, const symbi_plan *p, int64_t now, int64_t wall, symbi_session **out, symbi_err *err);
SYMBI_API void symbi_session_free(symbi_session *s);

/* What the terminal gave. Between commands it goes to a bounded queue of events (the oldest go first). ENOMEM fails the session. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_session_feed(symbi_session *s, symbi_str bytes, int64_t now, int64_t wall, symbi_err *err);
/* Time has come; returns the state. due: milliseconds until the next call is needed, -1 for none. */
SYMBI_API symbi_session_state symbi_session_tick(symbi_session *s, int64_t now, int64_t wall);
SYMBI_API int64_t symbi_session_due(const symbi_session *s, int64_t now);
/* The program ended (exit_code -1 with its signal), or could not be started (start_errno). */
SYMBI_API void symbi_session_ended(symbi_session *s, int exit_code, int signal, int start_errno, int64_t wall);
SYMBI_API void symbi_session_failed(symbi_session *s, symbi_str why, int64_t wall);

/* The command of p: ready -> busy. *typed: what to write to the terminal, borrowed until the next call. EDENIED: p is of another session
 * (another manifest, program or limits), or for another program than the one that listens now: a child session is open, or is not; ESTATE: not ready; ELIMIT: max_interactions are used up. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_session_begin(symbi_session *s, const symbi_plan *p, int64_t now, int64_t wall, symbi_str *typed, symbi_err *err);
/* Does the terminal repeat what is typed (true, if nobody says)? Then the first line of a reply that is the command is left out; else only one
 * that is the prompt and the command, as programs write it that edit lines themselves. */
SYMBI_API void symbi_session_echo(symbi_session *s, bool echo);
/* After begin, once the state is not busy any more: what symbi_tool_envelope_of takes as raw. Also of a session that never became ready. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_session_reply(symbi_session *s, int64_t now, symbi_doc **out, symbi_err *err);
/* A call that was refused before it was typed, for the transcript. */
SYMBI_API void symbi_session_note_denied(symbi_session *s, symbi_str command, symbi_str why, int64_t wall);

typedef struct symbi_session_info {
    symbi_session_state state;
    symbi_str id, inferred, prompt; /* inferred: a name of [session.states], "error" or "ready", of a child session with "child." before it; before the first prompt "spawning" */
    symbi_str why;                  /* of a terminal state */
    symbi_str child;                /* the id of the child session that is open, "": none */
    uint64_t interactions;
    size_t events;
    int64_t total_ms, idle_ms;      /* limits, for who enforces them between calls */
    unsigned rows, cols;
} symbi_session_info;
SYMBI_API void symbi_session_get_info(const symbi_session *s, symbi_session_info *out);
/* The lines of the transcript (JSON, one each) that are new since the last call; empty when there are none. Each has timestamp_ms,
 * direction (Command, Response, PolicyDenied, System), content, command_name and duration_ms. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_session_transcript(symbi_session *s, symbi_text *out, symbi_err *err);
/* The chain over all lines so far, whether taken or not: h = SHA-256(h before, 32 zero bytes at first, then the line with its line end). */
SYMBI_API void symbi_session_transcript_hash(const symbi_session *s, uint8_t out[32]);

#ifdef __cplusplus
}
#endif
#endif
