/* symbi/mcp.h: a client of the Model Context Protocol without sockets and processes: which servers there are, what to send, what an
 * answer means, and whether a tool's definition is the one that was approved. Whoever has the bytes (lua/symbi/io/backend/mcp.lua over
 * symbi/io_pipe.h or HTTP) carries them to and fro.
 *
 * Revisions: 2025-11-25 and its predecessors back to 2024-11-05 (initialize), and 2026-07-28 (no session; every request says for itself
 * which revision it is of) where a server refuses initialize. Nothing is offered to a server: it gets answers to ping, and "method not
 * found" for everything else that it asks. */
#ifndef SYMBI_MCP_H
#define SYMBI_MCP_H
#include "symbi/toolclad.h"
#ifdef __cplusplus
extern "C" {
#endif

/* ---- mcp-config.toml ---------------------------------------------------------------------------------------------------------- */

/* [servers.NAME]: command, args, env (a table), public_key_url; ours: url and headers (streamable HTTP instead of a command), cwd, and
 * trust = "approved" (a definition must have been approved) or "first-use" (the first one that is seen counts as approved). Values of
 * env and headers may hold {_secret:NAME}; elsewhere that is an error. Immutable, atomically refcounted. */
typedef struct symbi_mcp_registry symbi_mcp_registry;
typedef struct symbi_mcp_pair {
    symbi_str name, value;
} symbi_mcp_pair;
typedef struct symbi_mcp_server { /* borrowed from the registry */
    symbi_str name, source;       /* source: file it stands in */
    symbi_str command, cwd;       /* command "": url is set */
    const symbi_str *args; size_t nargs;
    const symbi_mcp_pair *env; size_t nenv;
    symbi_str url;
    const symbi_mcp_pair *headers; size_t nheaders;
    symbi_str public_key_url;
    const symbi_str *secrets; size_t nsecrets; /* named in env and headers, each once */
    bool first_use;
} symbi_mcp_server;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_mcp_registry_parse(symbi_ctx *cx, symbi_str text, symbi_str source, symbi_mcp_registry **out, symbi_err *err);
SYMBI_API symbi_mcp_registry *symbi_mcp_registry_ref(symbi_mcp_registry *r);
SYMBI_API void symbi_mcp_registry_unref(symbi_mcp_registry *r);
SYMBI_API size_t symbi_mcp_registry_count(const symbi_mcp_registry *r);
SYMBI_API bool symbi_mcp_registry_at(const symbi_mcp_registry *r, size_t i, symbi_mcp_server *out);
SYMBI_API bool symbi_mcp_registry_find(const symbi_mcp_registry *r, symbi_str name, symbi_mcp_server *out);
SYMBI_API symbi_str symbi_mcp_registry_warning(const symbi_mcp_registry *r, size_t i); /* empty past the end */

/* ---- definitions ---------------------------------------------------------------------------------------------------------------- */

/* A tool's definition is what of name, description, inputSchema, outputSchema and annotations its server lists; its digest is SHA-256
 * of the canonical JSON of that. The record of approvals is a document of its own, {"version": 1, "tools": [...], "keys": [...]}; the
 * file is the caller's business. An empty text is a record with nothing in it. */
typedef enum symbi_mcp_standing {
    SYMBI_MCP_UNKNOWN = 0, /* never approved */
    SYMBI_MCP_APPROVED,
    SYMBI_MCP_CHANGED      /* another definition was approved */
} symbi_mcp_standing;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_mcp_definition_digest(symbi_ctx *cx, const symbi_value *definition, uint8_t out[32], symbi_err *err);
/* How a definition stands. diff (may be NULL): where it is CHANGED, one line for each thing that differs. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_mcp_compare(symbi_ctx *cx, symbi_str record, symbi_str server, const symbi_value *definition, symbi_mcp_standing *out, symbi_text *diff, symbi_err *err);
/* The record with this definition approved in place of any other of that server's tool. by: for people. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_mcp_approve(symbi_ctx *cx, symbi_str record, symbi_str server, const symbi_value *definition, symbi_str by, int64_t now_ms, symbi_text *out, symbi_err *err);
/* The record without that tool (tool "": without the server's tools and its key). *removed: how many entries went. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_mcp_forget(symbi_ctx *cx, symbi_str record, symbi_str server, symbi_str tool, size_t *removed, symbi_text *out, symbi_err *err);

/* ---- the client ------------------------------------------------------------------------------------------------------------------ */

typedef struct symbi_mcp symbi_mcp;
/* ENOTFOUND: no such server. max_message: bytes of one message of the server (0 = limits.tool_output). Owned by one thread's ctx. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_mcp_new(symbi_ctx *cx, symbi_mcp_registry *r, symbi_str server, size_t max_message, symbi_mcp **out, symbi_err *err);
SYMBI_API void symbi_mcp_free(symbi_mcp *m);
SYMBI_API void symbi_mcp_get_server(const symbi_mcp *m, symbi_mcp_server *out);
/* The value of a secret that env or headers name; wiped when the client goes. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_mcp_set_secret(symbi_mcp *m, symbi_str name, symbi_str value, symbi_err *err);

/* Begins one job on an idle client. call: what the plan (of backend mcp, for this server) says; it goes out only after the tool's
 * definition was judged. list: all tools, nothing is called. ESTATE: a job is open, or the connection is broken. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_mcp_call(symbi_mcp *m, const symbi_plan *plan, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_mcp_list(symbi_mcp *m, symbi_err *err);

typedef enum symbi_mcp_want {
    SYMBI_MCP_IDLE = 0, /* no job */
    SYMBI_MCP_SEND,     /* symbi_mcp_take has a message */
    SYMBI_MCP_RECEIVE,  /* an answer is awaited */
    SYMBI_MCP_JUDGE,    /* symbi_mcp_judge decides whether the call goes out */
    SYMBI_MCP_DONE,     /* symbi_mcp_result */
    SYMBI_MCP_FAILED    /* the job failed: symbi_mcp_failure; with symbi_mcp_broken the connection must be closed too */
} symbi_mcp_want;
SYMBI_API symbi_mcp_want symbi_mcp_next(const symbi_mcp *m);
SYMBI_API bool symbi_mcp_broken(const symbi_mcp *m);
SYMBI_API symbi_status symbi_mcp_failure(const symbi_mcp *m, symbi_err *err); /* OK: nothing failed */

typedef struct symbi_mcp_message {
    symbi_str body;      /* one line of JSON; for a pipe with its newline, for HTTP without; "" for GET and DELETE */
    bool wants_answer;   /* HTTP: a request; else 202 is all that comes */
    const char *method;  /* HTTP: "POST"; "GET": for the rest of a stream that broke off; "DELETE": the session is over */
    int64_t after_ms;    /* wait this long before it is sent, as the server asked for */
    const symbi_mcp_pair *headers; size_t nheaders; /* HTTP: all but Host and Content-Length */
} symbi_mcp_message;
/* The next message, borrowed until the next take. ENOTFOUND: a secret has no value. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_mcp_take(symbi_mcp *m, symbi_mcp_message *out, symbi_err *err);

/* Bytes from a pipe, in any split; or of the body of the answer to the POST of the message that was taken last (2xx only). What is wrong
 * with them is the job's failure, not this call's: look at symbi_mcp_next. */
SYMBI_API void symbi_mcp_feed(symbi_mcp *m, symbi_str bytes);
/* HTTP: true once the answer to the last message is in, so that the rest of the stream need not be read. */
SYMBI_API bool symbi_mcp_answered(const symbi_mcp *m);
/* HTTP: the answer is over. body: of an answer other than 2xx, "" else. headers: name and value in turn. */
SYMBI_API void symbi_mcp_http_end(symbi_mcp *m, int status, const symbi_mcp_pair *headers, size_t n, symbi_str body);
/* HTTP: the request that was taken last failed, before or in the middle of its answer. A stream that can be gone on with (Last-Event-ID; EIO only) is;
 * else as symbi_mcp_lost. */
SYMBI_API void symbi_mcp_http_broken(symbi_mcp *m, symbi_status code, symbi_str why);
/* The connection is gone (EIO), or the time is up: ends the job with this failure. */
SYMBI_API void symbi_mcp_lost(symbi_mcp *m, symbi_status code, symbi_str why);

/* In JUDGE. record: the approvals. key_pem: what stands at public_key_url, "" when nobody fetched it. The definition counts when it is
 * approved, or signed by the server's pinned key (or, for trust = "first-use", new). changed: the record as it must now be kept, empty
 * when it stays; the call goes out whether or not that is done. Refused: EDENIED, and the job has failed. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_mcp_judge(symbi_mcp *m, symbi_str record, symbi_str key_pem, int64_t now_ms, symbi_text *changed, symbi_err *err);
SYMBI_API const symbi_value *symbi_mcp_definition(const symbi_mcp *m); /* of the job's tool; NULL before JUDGE */
SYMBI_API bool symbi_mcp_wants_key(const symbi_mcp *m); /* in JUDGE: it is signed, and public_key_url says where the key is */

/* What is still to be said before the connection is closed, one message at a time, borrowed until the next: that a request which was given up need
 * not be answered (notifications/cancelled), and over HTTP that the session is over. Nobody waits for answers, and failures do not matter.
 * False: nothing more. The client is of no use afterwards. */
SYMBI_API bool symbi_mcp_part(symbi_mcp *m, symbi_mcp_message *out);

/* After DONE: of a call the result as the server gave it, of a list {"tools": [...]}, with "left_out": [{"name",
 * "reason"}] where the revision forbids some. Borrowed until the next job. */
SYMBI_API const symbi_value *symbi_mcp_result(const symbi_mcp *m);
SYMBI_API symbi_str symbi_mcp_version(const symbi_mcp *m); /* the revision agreed on, "" before */
SYMBI_API symbi_str symbi_mcp_session(const symbi_mcp *m); /* HTTP: to be ended by DELETE, "" for none */

/* How to start a server of the kind command: only while a job is open, so that no process stands before its order. base_env: of the
 * host, filtered to PATH, HOME, LANG, LC_*, TZ, TMPDIR. Borrowed until the next call on m. */
typedef struct symbi_mcp_launch {
    const symbi_str *argv; size_t argc;
    const symbi_str *env; size_t nenv; /* "NAME=value" */
    symbi_str cwd;
    const symbi_plan *box; /* of the plan that it is started for, where that has one: it runs in there; NULL: none */
} symbi_mcp_launch;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_mcp_get_launch(symbi_mcp *m, const symbi_str *base_env, size_t n, symbi_mcp_launch *out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
