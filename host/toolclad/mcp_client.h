/* toolclad/mcp_client.h: the inside of a conversation, for the files that make it: mcp_client.c (what comes next, and what messages mean),
 * mcp_wire.c (bytes and HTTP answers in), mcp_send.c (messages and command lines out). */
#ifndef SY_TOOLCLAD_MCP_CLIENT_H
#define SY_TOOLCLAD_MCP_CLIENT_H
#include "symbi/wire.h"
#include "toolclad/mcp_in.h"

enum { MAX_PAGES = 100, MAX_TOOLS = 10000, MAX_JUDGED = 256, MAX_MESSAGES = 10000, MAX_QUEUE = 64, MAX_SESSION = 1024, MAX_LAUNCH = 1024 };


typedef enum phase { P_FRESH, P_INIT, P_DISCOVER, P_READY, P_LIST, P_JUDGE, P_CALL } phase;
typedef enum job { J_NONE, J_CALL, J_LIST, J_DONE, J_FAILED } job;

typedef struct outgoing {
    char *p; /* body with its newline */
    size_t n, cap;
    bool wants_answer;
    const char *method; /* of a request; "" for notes and answers */
    int64_t id;         /* of a request */
} outgoing;

typedef struct secret {
    symbi_str name; /* the registry's */
    sy_buf value;
} secret;

struct symbi_mcp {
    symbi_ctx *cx;
    symbi_mcp_registry *reg;
    symbi_mcp_server s;
    size_t max_message;
    phase phase;
    job job, asked; /* asked: what is being done, for the way back after a new session */
    bool modern, broken, fell_forward, restarted, changed; /* changed: the server's list is not what it was */
    const char *version;
    int64_t last_id, open_id;
    outgoing queue[MAX_QUEUE];
    size_t nqueue;
    outgoing taken, aside; /* aside: an answer to a question that came while an HTTP answer is being read */
    sy_buf session, in, cursor;
    secret *secrets;
    symbi_doc *judged[MAX_JUDGED]; /* definitions, as they were listed */
    size_t njudged;
    sy_buf tool, args;       /* of the call */
    symbi_plan *plan;        /* its plan; NULL for a list */
    symbi_plan *began;       /* the plan that the server's process was started for; NULL: for a list */
    bool launched;
    symbi_doc *def;          /* of its tool */
    symbi_doc *pages[MAX_PAGES];
    size_t npages, ntools, messages;
    symbi_doc *result;
    const symbi_value *value;
    symbi_err why;
    symbi_sse *sse;          /* of the HTTP answer that is being read */
    int sniffed;             /* 0 nothing yet, 1 JSON, 2 an event stream */
    bool in_http;
    sy_arena arena;          /* what take and get_launch hand out */
    symbi_mcp_pair headers[12 + 256];
};

static inline bool sy_mcp_http(const symbi_mcp *m) { return m->s.url.n > 0; }

/* Ends the job with an error; broken: the conversation too. Where no job is open only that is noted. */
void sy_mcp_fail(symbi_mcp *m, bool broken, symbi_status code, const char *fmt, ...) SYMBI_PRINTF(4, 5);
void sy_mcp_nomem(symbi_mcp *m);
#define SERVER(m) SY_FMT((m)->s.name)
#define LIES(m, ...) sy_mcp_fail(m, true, SYMBI_EIO, __VA_ARGS__)

void sy_mcp_message(symbi_mcp *m, symbi_str text); /* one whole message came in */
void sy_mcp_error(symbi_mcp *m, const sy_rpc *r);  /* the open request was answered with an error */
bool sy_mcp_is_open(const symbi_mcp *m, const symbi_value *id);
void sy_mcp_restart(symbi_mcp *m);                 /* a new session for the same job */
void sy_mcp_end_reading(symbi_mcp *m);
void sy_mcp_free_outgoing(symbi_mcp *m, outgoing *o);
#endif
