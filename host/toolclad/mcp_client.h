/* toolclad/mcp_client.h: the inside of a conversation, for the files that make it: mcp_client.c (what goes out next), mcp_answer.c (what
 * messages mean), mcp_job.c (its beginning, its jobs, its end), mcp_wire.c (bytes and HTTP answers in), mcp_send.c (messages and command
 * lines out). */
#ifndef SY_TOOLCLAD_MCP_CLIENT_H
#define SY_TOOLCLAD_MCP_CLIENT_H
#include "symbi/wire.h"
#include "toolclad/mcp_in.h"
#include "toolclad/trace.h"

enum {
    MAX_PAGES = 100, MAX_TOOLS = 10000, MAX_JUDGED = 256, MAX_MESSAGES = 10000, MAX_QUEUE = 64, MAX_SESSION = 1024, MAX_LAUNCH = 1024, MAX_EVENT_ID = 1024,
    MAX_RESUMES = 100,   /* of streams, in one job */
    MAX_RELISTS = 8,     /* lists because the list changed, in one job */
    RETRY_MS = 1000,     /* where a stream that broke off did not say */
    MAX_FRESH_MS = 3600000
};

typedef enum phase { P_FRESH, P_INIT, P_DISCOVER, P_READY, P_LIST, P_JUDGE, P_CALL } phase;
typedef enum job { J_NONE, J_CALL, J_LIST, J_DONE, J_FAILED } job;
/* Messages of HTTP that are no POST. */
typedef enum way { W_POST, W_RESUME, W_DELETE } way;

typedef struct outgoing {
    char *p; /* body with its newline; NULL for a W_RESUME */
    size_t n, cap;
    bool wants_answer;
    way way;
    const char *method; /* of a request; "" for notes and answers */
    int64_t id;         /* of a request */
    size_t reply_n;     /* of an answer: bytes of the id that it answers, as it stands behind SY_RPC_REPLY */
    int64_t after_ms;
} outgoing;

typedef struct secret {
    symbi_str name; /* the registry's */
    sy_buf value;
} secret;

typedef struct judged {
    symbi_doc *def;      /* as it was listed */
    int64_t fresh_until; /* monotonic ms; of a revision whose servers tell of no change */
} judged;

typedef struct page {
    symbi_doc *doc;
    const symbi_value *tools; /* in doc */
} page;

struct symbi_mcp {
    symbi_ctx *cx;
    symbi_mcp_registry *reg;
    symbi_mcp_server s;
    size_t max_message;
    phase phase;
    job job;
    bool modern, broken, fell_forward, restarted, corrected;
    bool changed;                  /* the server's list is not what it was */
    bool gone;                     /* nobody is there any more to be told something */
    const char *version;
    int64_t last_id, open_id;
    int64_t unanswered;            /* a list or a call that went out and was not answered */
    outgoing queue[MAX_QUEUE];
    size_t nqueue;
    outgoing taken, aside;         /* aside: an answer to a question that came while an HTTP answer is being read */
    sy_buf session, in, cursor;
    secret *secrets;
    judged judged[MAX_JUDGED];
    size_t njudged;
    sy_buf tool, args;             /* of the call */
    symbi_plan *plan;              /* its plan; NULL for a list */
    symbi_plan *began;             /* the plan that the server's process was started for; NULL: for a list */
    bool launched;
    char trace[SY_TRACEPARENT];
    symbi_doc *def;                /* of its tool */
    int64_t fresh_until;           /* of the list */
    page pages[MAX_PAGES];
    size_t npages, ntools, messages, relists;
    symbi_doc *result;
    const symbi_value *value;
    symbi_err why;
    symbi_sse *sse;                /* of the HTTP answer that is being read */
    int sniffed;                   /* 0 nothing yet, 1 JSON, 2 an event stream */
    bool in_http;
    sy_buf event_id;               /* where the stream of the open request stands; "": it cannot be gone on with */
    int64_t retry_ms;
    size_t resumes;
    sy_arena arena;                /* what take and get_launch hand out */
    symbi_mcp_pair headers[16 + 256 + SY_MCP_MAX_PARAMS];
};

static inline bool sy_mcp_http(const symbi_mcp *m) { return m->s.url.n > 0; }

/* Ends the job with an error; broken: the conversation too. Where no job is open only that is noted. */
void sy_mcp_fail(symbi_mcp *m, bool broken, symbi_status code, const char *fmt, ...) SYMBI_PRINTF(4, 5);
void sy_mcp_nomem(symbi_mcp *m);
#define SERVER(m) SY_FMT((m)->s.name)
#define LIES(m, ...) sy_mcp_fail(m, true, SYMBI_EIO, __VA_ARGS__)

/* mcp_client.c */
void sy_mcp_ask(symbi_mcp *m, const char *method); /* a request goes into the queue */
void sy_mcp_note(symbi_mcp *m, const char *method);
void sy_mcp_reply(symbi_mcp *m, const sy_rpc *question);
bool sy_mcp_go_on(symbi_mcp *m);                   /* asks for the rest of a stream that broke off; false: it cannot be had */
void sy_mcp_proceed(symbi_mcp *m);                 /* what comes after the handshake, or first where that is over */
void sy_mcp_start_list(symbi_mcp *m);
void sy_mcp_start_call(symbi_mcp *m);
void sy_mcp_restart(symbi_mcp *m);                 /* a new session for the same job */
void sy_mcp_fall_forward(symbi_mcp *m, symbi_str said); /* initialize was refused: perhaps a revision without a handshake */
const symbi_value *sy_mcp_judged(const symbi_mcp *m, symbi_str tool);
void sy_mcp_forget_judged(symbi_mcp *m);
void sy_mcp_drop_job(symbi_mcp *m);
void sy_mcp_clear_queue(symbi_mcp *m);
void sy_mcp_free_outgoing(symbi_mcp *m, outgoing *o);
/* mcp_answer.c */
void sy_mcp_message(symbi_mcp *m, symbi_str text); /* one whole message came in */
void sy_mcp_error(symbi_mcp *m, const sy_rpc *r, bool untouched); /* the open request was answered with an error; untouched: by HTTP 400 */
bool sy_mcp_is_open(const symbi_mcp *m, const symbi_value *id);
/* mcp_wire.c */
void sy_mcp_end_reading(symbi_mcp *m);
#endif
