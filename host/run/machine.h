/* run/machine.h: the inside of a run, shared by the files of this folder.
 *
 * Phases (spec orga-loop.md section 2): a run is always in exactly one; each phase function either moves on or leaves effects
 * open. Between the judgement of a turn and its first tool stands a transaction: ACT is reached only from a commit.
 *
 *   START -> REASON -> MODEL -> GATE -> (APPROVE) -> COMMIT -> ACT -> OBSERVE -> COMMIT -> REASON ...   any -> END -> COMMIT -> DONE */
#ifndef SY_RUN_MACHINE_H
#define SY_RUN_MACHINE_H
#include "base/arena.h"
#include "codec/build.h"
#include "run/conv.h"
#include "run/model.h"
#include "symbi/run.h"

typedef enum sy_phase {
    SY_PHASE_START = 0,
    SY_PHASE_REASON,
    SY_PHASE_MODEL,   /* a MODEL effect, or the SLEEP before a retry, is open */
    SY_PHASE_GATE,    /* a SLEEP effect is open while an action that was put off waits */
    SY_PHASE_APPROVE, /* APPROVE effects are open */
    SY_PHASE_COMMIT,  /* a COMMIT effect is open */
    SY_PHASE_ACT,     /* TOOL effects come out and are open */
    SY_PHASE_OBSERVE,
    SY_PHASE_END,
    SY_PHASE_DONE
} sy_phase;

/* One proposed action of the turn. Strings live in the turn arena. */
typedef struct sy_proposal {
    symbi_action_kind kind;
    symbi_str call_id, name, args_text, content;
    symbi_verdict v;
    symbi_facts f;
    bool asked;             /* a person was asked about it */
    bool answered, approved;
    symbi_str approver;
    bool put_off, waits;    /* a policy put it off; it waits to be judged again */
    bool deferred_for_good; /* ... and does so no more */
    unsigned tries;
    int64_t put_off_mono, retry_mono;
    bool started, finished, failed;
    symbi_plan *plan;       /* a reference, once the permit was redeemed */
    symbi_str observation;  /* what the tool gave */
    symbi_str told;         /* what the model is told of it: clean */
    symbi_value evidence;   /* for the tools_dispatched event; NULL kind when there is none */
    symbi_str record;       /* the whole of it, kept in the store under the hash that the event names ("" without a trail) */
    char record_key[65];
    bool recorded;
    int64_t started_mono;
} sy_proposal;

typedef struct sy_open {
    uint64_t id;
    symbi_effect_kind kind;
    size_t call;          /* index into the proposals, for APPROVE and TOOL */
    int64_t deadline_mono; /* 0: none of its own */
    bool cancel_sent;
} sy_open;

typedef struct sy_tool_state sy_tool_state; /* toolstate.c */

enum { SY_EVENTS_KEPT = 256, SY_MODEL_TRIES = 3, SY_REFUSALS_KEPT = 256, SY_DEFERRED_MAX = 16 };

struct symbi_run {
    symbi_ctx *cx;
    symbi_run_options o;  /* strings point into life */
    sy_model_endpoint endpoint;
    sy_arena life, turn;  /* options and ids; what belongs to one turn */
    sy_conv conv, window; /* all of it; what fits the context budget */
    sy_model_http http;
    sy_model_decoder *decoder; /* of the open MODEL effect */
    symbi_doc *agent_attrs, *context;

    sy_phase phase, after_commit;
    bool cancelled, ending;
    symbi_run_result result;
    int64_t start_mono, deadline_mono; /* deadline 0: none */
    uint64_t next_id;
    unsigned model_tries;
    int64_t sleep_ms;     /* wanted before the next model call */

    sy_proposal *calls;   /* of this turn */
    size_t ncalls, calls_cap;
    sy_open *open;
    size_t nopen, open_cap;
    int64_t act_started_mono;
    unsigned deferred;    /* actions put off in this run; beyond SY_DEFERRED_MAX that is a no */
    unsigned refusals;    /* permits and orders refused in this run; so many are recorded, the rest is one driver repeating itself */
    bool acted;           /* tools_dispatched of this turn is queued or written */
    sy_tool_state *tool_states; /* of sessions, in life */
    symbi_doc **schemas;  /* of the tools offered to the model, made once */
    sy_model_tool *offered;
    size_t noffered;

    symbi_text *pending;  /* events that are not on the trail yet */
    size_t npending, pending_cap;
    symbi_text batch;     /* bytes of the open COMMIT effect */
    symbi_text *shown;    /* events for people to watch, oldest first */
    size_t nshown, shown_cap;
};

/* machine.c */
sy_open *sy_run_open(symbi_run *r, symbi_effect_kind kind, size_t call, int64_t ms, symbi_err *err);
void sy_run_end(symbi_run *r, symbi_end end, symbi_status code, const char *fmt, ...) SYMBI_PRINTF(4, 5);
int64_t sy_run_time_left(symbi_run *r); /* ms, -1 without a deadline */
symbi_str sy_run_dup(sy_arena *a, symbi_str s);

/* events.c: entries of the journal (orga-oats.md section 2), queued for the next commit */
SYMBI_MUST_USE symbi_status sy_run_event(symbi_run *r, symbi_value event, symbi_err *err);
SYMBI_MUST_USE symbi_status sy_run_event_started(symbi_run *r, symbi_err *err);
SYMBI_MUST_USE symbi_status sy_run_event_judged(symbi_run *r, symbi_err *err);
SYMBI_MUST_USE symbi_status sy_run_event_acted(symbi_run *r, symbi_err *err);
SYMBI_MUST_USE symbi_status sy_run_event_terminated(symbi_run *r, symbi_err *err);
/* A permit that was refused on its way to a plan, and an order that the executor refused: on the trail at once where the run may write, else
 * with the next batch. Never fails: what could not be written waits in the queue, and the next commit has it. */
void sy_run_event_refused(symbi_run *r, const sy_proposal *p, symbi_code code);
void sy_run_event_order_refused(symbi_run *r, const sy_proposal *p, symbi_str reason);
/* The queued events in one transaction. OK: written (or handed out: then *waiting). */
SYMBI_MUST_USE symbi_status sy_run_commit(symbi_run *r, bool durable, bool *waiting, symbi_err *err);
/* The queued events alone, without the turn's verdicts and approvals; where the run may not write they stay in the queue. */
SYMBI_MUST_USE symbi_status sy_run_commit_events(symbi_run *r, symbi_err *err);
void sy_run_committed(symbi_run *r);     /* the queue is on the trail: empties it */
void sy_run_drop_pending(symbi_run *r);

void sy_run_clear_turn(symbi_run *r); /* create.c: proposals and their memory */

/* think.c: asking the model, and taking its answer apart */
SYMBI_MUST_USE symbi_status sy_run_ask_model(symbi_run *r, symbi_effect *out, symbi_err *err);
SYMBI_MUST_USE symbi_status sy_run_model_answer(symbi_run *r, const symbi_reply *reply, symbi_err *err);

/* judge.c: the gate over the turn's proposals */
void sy_run_judge(symbi_run *r, size_t i);
SYMBI_MUST_USE symbi_status sy_run_person_answered(symbi_run *r, size_t i, const symbi_reply *reply, symbi_err *err);
bool sy_run_step_up(symbi_run *r, size_t i); /* true: a person must be asked */
const char *sy_run_hex(symbi_run *r, const uint8_t digest[32]);
bool sy_proposal_may_run(const sy_proposal *p); /* an allowed tool call */

/* defer.c: actions that a policy puts off */
SYMBI_MUST_USE symbi_status sy_run_defer(symbi_run *r, symbi_effect *out, symbi_err *err);                   /* SLEEP while some wait */
SYMBI_MUST_USE symbi_status sy_run_ask_again(symbi_run *r, const symbi_reply *reply, symbi_err *err); /* after the SLEEP */

/* toolstate.c: the state of sessions, for the gate */
SYMBI_MUST_USE symbi_status sy_run_note_session(symbi_run *r, const symbi_tool *tool, const symbi_value *results, symbi_err *err);
const symbi_value *sy_run_context_of(symbi_run *r, symbi_str action, const symbi_value *context);

/* act.c: what a tool answers, and what the model is told */
SYMBI_MUST_USE symbi_status sy_run_observe(symbi_run *r, size_t i, const symbi_reply *reply, symbi_err *err);
SYMBI_MUST_USE symbi_status sy_run_tell_model(symbi_run *r, symbi_err *err);
#endif
