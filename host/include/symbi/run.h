/* symbi/run.h: an agent run as a step machine without I/O (design.md section 1, spec orga-loop.md sections 2-6).
 *
 *   while (symbi_run_next(run, &ef, &err) == SYMBI_OK && ef.kind != SYMBI_EFFECT_DONE) { perform; symbi_run_resolve(run, ef.id, &reply, &err); }
 *
 * next hands out one effect at a time; several may be open. EAGAIN: nothing new until an open effect is resolved. Effects
 * that can change the world come out only after contract, policy, profile, budget and approval said yes, and after the
 * decision is on the audit trail: a driver never sees an ungated action. A TOOL effect carries a permit; the driver
 * presents it to symbi_run_redeem, which consumes it and only then hands out the plan.
 *
 * One thread at a time (the ctx's). What an effect points to is borrowed until that effect is resolved. */
#ifndef SYMBI_RUN_H
#define SYMBI_RUN_H
#include "symbi/gate.h"
#include "symbi/netguard.h"
#include "symbi/secrets.h"
#ifdef __cplusplus
extern "C" {
#endif

#define SYMBI_EFFECT_LIST(X) \
    X(NONE, 0, "none") X(MODEL, 1, "model") X(TOOL, 2, "tool") X(HTTP, 3, "http") X(SLEEP, 4, "sleep") \
    X(APPROVE, 5, "approve") X(COMMIT, 6, "commit") X(CANCEL, 7, "cancel") X(DONE, 8, "done")
typedef enum symbi_effect_kind {
#define SYMBI_EFFECT_ENUM(name, num, text) SYMBI_EFFECT_##name = num,
    SYMBI_EFFECT_LIST(SYMBI_EFFECT_ENUM)
#undef SYMBI_EFFECT_ENUM
    SYMBI_EFFECT_MAX_ = 0x7fff
} symbi_effect_kind;
SYMBI_API const char *symbi_effect_name(symbi_effect_kind k);

typedef struct symbi_http_header {
    symbi_str name, value;
} symbi_http_header;

typedef struct symbi_http_request {
    symbi_str method, url, body;
    const symbi_http_header *headers;
    size_t nheaders;
    int64_t timeout_ms;
    size_t max_bytes; /* of the response body */
    bool stream;      /* the body may be fed in pieces through symbi_run_feed */
    /* The operator wrote this very URL (a model endpoint): its host and port are allowed by that. Never set it for a URL that a model, a
     * tool or a document named. */
    bool by_operator;
    bool once; /* sent at most once: also not again when a kept connection broke before an answer came */
    bool gzip; /* the answer may come compressed, and is handed out as it was; caps count what it was */
    symbi_netguard *guard; /* where it may go; NULL: the transport's policy, and that is the strict one unless said otherwise */
    const struct symbi_http_route *route; /* how it travels (symbi/io.h); NULL: as the transport does it */
} symbi_http_request;

/* Why a run ended. Zero is an error. */
#define SYMBI_END_LIST(X) \
    X(ERROR, 0, "error") X(COMPLETED, 1, "completed") X(MAX_ITERATIONS, 2, "max_iterations") X(MAX_TOKENS, 3, "max_tokens") \
    X(TIMEOUT, 4, "timeout") X(CANCELLED, 5, "cancelled")
typedef enum symbi_end {
#define SYMBI_END_ENUM(name, num, text) SYMBI_END_##name = num,
    SYMBI_END_LIST(SYMBI_END_ENUM)
#undef SYMBI_END_ENUM
    SYMBI_END_MAX_ = 0x7fff
} symbi_end;
SYMBI_API const char *symbi_end_name(symbi_end e);

typedef struct symbi_run_result {
    symbi_end end;
    symbi_str output;   /* the approved answer; "" otherwise */
    symbi_err error;    /* when end is ERROR: code and message */
    uint64_t iterations, tool_calls, denied;
    uint64_t prompt_tokens, completion_tokens, total_tokens;
    int64_t duration_ms;
} symbi_run_result;

typedef struct symbi_effect {
    symbi_effect_kind kind;
    uint64_t id;
    const symbi_value *model;        /* MODEL: neutral request {model, messages, tools, max_tokens, temperature, stream} */
    symbi_http_request http;         /* MODEL: the encoded request (url empty when no provider is configured), HTTP */
    symbi_str tool, call_id;         /* TOOL */
    symbi_backend backend;           /* TOOL */
    const symbi_value *args;         /* TOOL: validated; for display, an executor takes the plan's */
    symbi_permit permit;             /* TOOL */
    int64_t ms;                      /* SLEEP: how long; TOOL, APPROVE: how long it may take */
    const symbi_verdict *verdict;    /* TOOL, APPROVE: the decision (APPROVE: action digest, reason, arguments) */
    symbi_str batch;                 /* COMMIT: for symbi_audit_apply at the writer */
    uint64_t target;                 /* CANCEL: the effect to give up; resolve that one (any reply) to acknowledge */
    const symbi_run_result *result;  /* DONE; borrowed from the run */
} symbi_effect;

/* What a driver answers. Set what belongs to the effect's kind; or error.code and error.msg when it failed. */
typedef struct symbi_reply {
    symbi_err error;                 /* code SYMBI_OK: fine */
    /* MODEL and HTTP: status and body (headers may be empty: only retry-after is read); a streamed body was fed before, body then
     * holds what was not. MODEL: alternatively `neutral`, JSON text {content, tool_calls, finish_reason, usage}. */
    int http_status;
    const symbi_http_header *headers;
    size_t nheaders;
    symbi_str body;
    symbi_str neutral;
    const symbi_exec_result *exec;   /* TOOL of backend SHELL */
    const symbi_value *value;        /* TOOL of backend CALLBACK: what the function returned */
    bool approved;                   /* APPROVE */
    symbi_str approver;              /* APPROVE: who */
    symbi_str receipt;               /* COMMIT: 32 bytes from symbi_audit_apply */
} symbi_reply;

typedef struct symbi_run_options {
    uint32_t size;
    symbi_gate *gate;         /* a reference is taken */
    symbi_audit *audit;       /* borrowed; NULL only with no_audit */
    bool no_audit;            /* run without a trail, said aloud in the run's state */
    bool commit_effect;       /* hand transactions out as COMMIT effects instead of writing them through the store */
    symbi_str loop_id;        /* "": made from the random source */
    symbi_str agent_id;       /* the principal; required */
    const symbi_value *agent_attrs, *context; /* as in symbi_facts; copied */
    symbi_agentpin_result *identity; /* goes with every action, as in symbi_action; a reference is taken */
    symbi_str system, prompt; /* first messages; prompt required */
    symbi_str provider, base_url, model, api_key; /* provider "" : only the neutral request */
    bool stream;
    double temperature;       /* default 0.3 */
    uint64_t max_iterations;  /* default 10; 0 ends before the first model call */
    uint64_t max_total_tokens, context_token_budget, max_output_tokens; /* 100000, 32000, 4096 */
    int64_t timeout_ms, tool_timeout_ms, approval_timeout_ms;         /* 300000, 30000, 300000 */
    int64_t defer_timeout_ms; /* how long an action that a policy puts off waits to be judged again; 0: not at all. Default 60000 */
    size_t max_concurrent_tools;                                      /* 4 */
    symbi_str project_dir, evidence_dir;
    const symbi_str *base_env;
    size_t nbase_env;
    bool raw_output;          /* the model reads what tools gave byte for byte; else without invisible characters and HTML comments
                                 (symbi/sanitize.h, PROSE): what a person would not see, a model must not obey. The journal's hash is
                                 of the bytes in any case. */
    symbi_redactor *redactor; /* known secrets; NULL: none. They are taken out of what the model is told of tools, of what people watch and of
                                 errors. A reference is taken; values may be added while the run lasts. (The trail has its own:
                                 symbi_audit_redact.) */
    symbi_box box;            /* every program runs in it, as in symbi_plan_options */
} symbi_run_options;
SYMBI_API void symbi_run_options_init(symbi_run_options *o); /* size and the defaults above */

typedef struct symbi_run symbi_run;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_run_new(symbi_ctx *cx, const symbi_run_options *o, symbi_run **out, symbi_err *err);
SYMBI_API void symbi_run_free(symbi_run *r);

/* The next effect; EAGAIN when open effects must be resolved first; after DONE it is DONE again. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_run_next(symbi_run *r, symbi_effect *out, symbi_err *err);
/* Bytes of a streamed body of an open MODEL effect, in order, any split. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_run_feed(symbi_run *r, uint64_t id, symbi_str bytes, symbi_err *err);
/* Closes an effect. ESTATE for an id that is not open. A reply that makes no sense is an error of that effect, never a crash. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_run_resolve(symbi_run *r, uint64_t id, const symbi_reply *reply, symbi_err *err);
/* The plan of an open TOOL effect, against its permit: once. EPERMIT with a code otherwise. One reference for the caller. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_run_redeem(symbi_run *r, uint64_t id, symbi_str permit, symbi_plan **plan, symbi_order *order, symbi_err *err);
/* Ends the run at the next safe point: open effects come out as CANCEL, then DONE with end = cancelled. */
SYMBI_API void symbi_run_cancel(symbi_run *r);
/* To be called when time passes without other calls: checks the deadline. Milliseconds until it, or -1. */
SYMBI_API int64_t symbi_run_tick(symbi_run *r);

/* Where the run stands, as {loop_id, agent_id, phase, iteration, open, tokens_used, tool_calls, denied, elapsed_ms, audited}. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_run_state(symbi_run *r, symbi_doc **out, symbi_err *err);
/* What happened since the last call, oldest first, for people to watch: a list of the journal's events (objects), at most the
 * last 256. Display only. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_run_events(symbi_run *r, symbi_doc **out, symbi_err *err);
/* The conversation {"messages":[...]}. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_run_conversation(symbi_run *r, symbi_doc **out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
