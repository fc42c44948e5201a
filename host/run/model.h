/* run/model.h: talking to a model endpoint without sockets (spec orga-providers.md): a neutral request becomes an HTTP
 * request, the HTTP answer (whole, or in pieces as server-sent events) becomes a neutral response or a typed fault.
 * Answers are hostile input: everything is bounded, tool calls are complete before anyone sees them, a cut stream is an
 * error and never an empty answer. The key appears in one header of the request and nowhere else. */
#ifndef SY_RUN_MODEL_H
#define SY_RUN_MODEL_H
#include "base/arena.h"
#include "run/conv.h"
#include "symbi/run.h"

/* ---- where to ask ------------------------------------------------------------------------------------------------- */
typedef struct sy_model_endpoint {
    symbi_str provider; /* "openai" (any compatible server), "openrouter", "anthropic"; "" = "openai" */
    symbi_str base_url; /* "" = the provider's own; may carry a query; a URL that ends in the final path is used as it is */
    symbi_str key;      /* "" = no authorisation header */
    symbi_str model;    /* used where the request names none */
    symbi_str referer, title; /* openrouter; "" = not sent */
} sy_model_endpoint;

/* Refuses what could not be sent safely: unknown provider (ENOTFOUND), a URL that is not http(s) or carries a user name,
 * control characters in any field (EINVAL). Logs one warning where a key would cross a network unencrypted. */
SYMBI_MUST_USE symbi_status sy_model_check(symbi_ctx *cx, const sy_model_endpoint *ep, symbi_err *err);

/* ---- what to ask -------------------------------------------------------------------------------------------------- */
typedef struct sy_model_tool {
    symbi_str name, description;
    const symbi_value *parameters; /* JSON Schema; NULL = an object without properties */
} sy_model_tool;

typedef enum sy_model_choice { SY_CHOICE_UNSET, SY_CHOICE_AUTO, SY_CHOICE_ANY, SY_CHOICE_TOOL } sy_model_choice;
typedef enum sy_model_format { SY_FORMAT_TEXT, SY_FORMAT_JSON_OBJECT, SY_FORMAT_JSON_SCHEMA } sy_model_format;

typedef struct sy_model_request {
    const sy_conv *conv;
    const sy_model_tool *tools;
    size_t ntools;
    uint64_t max_tokens;  /* 0 = 4096 */
    double temperature;   /* NaN = not sent */
    sy_model_choice choice;
    symbi_str choice_name; /* SY_CHOICE_TOOL */
    sy_model_format format;
    const symbi_value *schema; /* SY_FORMAT_JSON_SCHEMA */
    symbi_str schema_name;     /* "" = "response" */
    symbi_str model;           /* "" = the endpoint's */
    const symbi_value *extra;  /* object merged into the body last, or NULL */
    bool stream;
    uint64_t turn; /* which turn of the run: part of the ids made up for calls that come without one */
} sy_model_request;

/* {model, messages, tools, max_tokens, temperature, tool_choice?, response_format?, stream}: what a MODEL effect shows and
 * the replay driver reads. Strings and schemas are borrowed. */
SYMBI_MUST_USE symbi_status sy_model_request_value(const sy_model_endpoint *ep, const sy_model_request *rq, sy_arena *a, symbi_value *out, symbi_err *err);

/* The encoded request. rq.timeout_ms is left 0 for the machine to fill. Free wipes what held the key. */
typedef struct sy_model_http {
    symbi_http_request rq;
    symbi_http_header headers[8];
    symbi_text url_, auth_, body_;
} sy_model_http;
SYMBI_MUST_USE symbi_status sy_model_encode(symbi_ctx *cx, const sy_model_endpoint *ep, const sy_model_request *rq, sy_model_http *out, symbi_err *err);
void sy_model_http_free(sy_model_http *h); /* safe on a zeroed one; do not move the struct while rq is in use */

/* ---- what came back ----------------------------------------------------------------------------------------------- */
typedef enum sy_model_finish { SY_FINISH_STOP, SY_FINISH_TOOL_CALLS, SY_FINISH_MAX_TOKENS, SY_FINISH_CONTENT_FILTER, SY_FINISH_REFUSAL } sy_model_finish;
const char *sy_model_finish_name(sy_model_finish f); /* "stop" "tool_calls" "max_tokens" "content_filter" "refusal" */

typedef struct sy_model_response {
    symbi_str content;    /* "" when none */
    const sy_call *calls; /* ids unique and non-empty, names non-empty, at most limits.tool_calls_per_turn */
    size_t ncalls;
    size_t skipped;       /* proposed calls left out because they had no usable name */
    sy_model_finish finish;
    bool has_usage;       /* false: the numbers are zero because none were reported */
    uint64_t prompt_tokens, completion_tokens, total_tokens;
    symbi_str model;
    sy_arena arena_;
} sy_model_response;
void sy_model_response_free(sy_model_response *r); /* safe on a zeroed one */
/* The neutral form {content, tool_calls, finish_reason, usage, model}; strings borrowed from r. */
SYMBI_MUST_USE symbi_status sy_model_response_value(const sy_model_response *r, sy_arena *a, symbi_value *out, symbi_err *err);

/* Why there is no response. err.msg is the text of spec section 1 ("Rate limited, retry after 2000ms"); err.code is
 * EPROVIDER, or ETIMEOUT for a timeout, ENOMEM as ever. */
typedef enum sy_model_fault_kind {
    SY_FAULT_PROVIDER,       /* Provider error: ... */
    SY_FAULT_RATE_LIMITED,   /* Rate limited, retry after <n>ms */
    SY_FAULT_CONTEXT_WINDOW, /* Context window exceeded: <a> tokens requested, <b> available */
    SY_FAULT_NO_MODEL,       /* Model not available: ... */
    SY_FAULT_INVALID,        /* Invalid request: ... */
    SY_FAULT_TIMEOUT,        /* Timeout after ... */
    SY_FAULT_PARSE           /* Response parse error: ... */
} sy_model_fault_kind;
typedef struct sy_model_fault {
    sy_model_fault_kind kind;
    int http_status;        /* 0 = none */
    int64_t retry_after_ms; /* RATE_LIMITED (default 1000); 0 otherwise unless the server said so */
    bool retryable;         /* 429, 408, 409, 5xx, 529, connection errors */
} sy_model_fault;
/* A fault the driver met before there was an answer: e is its error (ETIMEOUT becomes a timeout). */
symbi_status sy_model_fault_driver(const symbi_err *e, int64_t timeout_ms, sy_model_fault *fault, symbi_err *err);

/* One answer being taken in. init (ep and rq as encoded; their strings are copied), feed the body in any split, then finish
 * with status and headers. feed never judges: what is wrong comes out of finish, so that a driver may feed before it knows
 * the status; it fails only with ENOMEM or ELIMIT (then stop reading). */
typedef struct sy_model_decoder sy_model_decoder;
SYMBI_MUST_USE symbi_status sy_model_decoder_new(symbi_ctx *cx, const sy_model_endpoint *ep, const sy_model_request *rq, sy_model_decoder **out, symbi_err *err);
void sy_model_decoder_free(sy_model_decoder *d); /* NULL is fine */
SYMBI_MUST_USE symbi_status sy_model_decoder_feed(sy_model_decoder *d, symbi_str bytes, symbi_err *err);
/* Text received so far: provisional, not yet approved by anything. */
symbi_str sy_model_decoder_text(const sy_model_decoder *d);
/* *out and *fault are always set (out empty on failure). The decoder can only be freed afterwards. */
SYMBI_MUST_USE symbi_status sy_model_decoder_finish(sy_model_decoder *d, int http_status, const symbi_http_header *headers, size_t nheaders, sy_model_response *out, sy_model_fault *fault, symbi_err *err);

/* A whole answer at once: new, feed, finish. */
SYMBI_MUST_USE symbi_status sy_model_decode(symbi_ctx *cx, const sy_model_endpoint *ep, const sy_model_request *rq, int http_status, const symbi_http_header *headers, size_t nheaders, symbi_str body, sy_model_response *out, sy_model_fault *fault, symbi_err *err);

/* The neutral response as JSON text, strictly checked: {"content"?, "tool_calls"?: [{"id"?, "name", "arguments"?: text or
 * object}], "finish_reason"?, "usage"?, "model"?}, or {"error": {"message", "kind"?, "retry_after_ms"?}} for a fault. A
 * mistake here is the driver's: ESCHEMA or EPARSE with the place, kind PARSE. */
SYMBI_MUST_USE symbi_status sy_model_decode_neutral(symbi_ctx *cx, symbi_str text, symbi_str model, uint64_t turn, sy_model_response *out, sy_model_fault *fault, symbi_err *err);
#endif
