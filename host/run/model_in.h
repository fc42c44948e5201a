/* run/model_in.h: what the model*.c files share: the table of providers and the collector that every way of answering
 * (whole body, events, neutral text) fills, so that limits and the repair of ids stand in one place. */
#ifndef SY_RUN_MODEL_IN_H
#define SY_RUN_MODEL_IN_H
#include "base/buf.h"
#include "codec/build.h"
#include "run/model.h"

enum { SY_MODEL_QUOTE = 400 }; /* bytes of a foreign text that a message repeats */

/* ---- collector ---------------------------------------------------------------------------------------------------- */
typedef struct sy_acc_call {
    int64_t index; /* as the stream numbers it, -1 = not numbered */
    symbi_str id, name;
    sy_buf args;
} sy_acc_call;

typedef struct sy_model_acc {
    symbi_ctx *cx;
    uint64_t turn;
    symbi_str key;       /* to be kept out of messages */
    sy_arena arena;      /* ids, names, the model's name */
    sy_buf content;
    sy_acc_call *calls;
    size_t ncalls, cap, skipped;
    size_t bytes;        /* of everything collected; at most limits.model_response */
    sy_model_finish finish;
    bool has_finish, refused, started;
    bool ended;          /* the stream said so itself */
    bool over;           /* a limit was passed: reading on is of no use */
    bool has_usage;
    uint64_t prompt, completion, total;
    symbi_str model;
    sy_model_fault fault;
} sy_model_acc;

/* A tool's name as providers take it: letters, digits, '_' and '-' only, so the dot of TOOL.COMMAND becomes "__". think.c maps it back. */
symbi_str sy_model_wire_name(sy_arena *a, symbi_str name);

void sy_model_acc_init(sy_model_acc *k, symbi_ctx *cx, symbi_str key, uint64_t turn);
void sy_model_acc_free(sy_model_acc *k);
/* Sets the fault and the message ("Response parse error: ..."); returns EPROVIDER. */
symbi_status sy_model_fail(sy_model_acc *k, sy_model_fault_kind kind, symbi_err *err, const char *fmt, ...) SYMBI_PRINTF(4, 5);
symbi_status sy_model_text(sy_model_acc *k, symbi_str s, symbi_err *err);
/* A new call; id and name may be empty; *out stays valid until the next call is added. */
symbi_status sy_model_call(sy_model_acc *k, int64_t index, symbi_str id, symbi_str name, sy_acc_call **out, symbi_err *err);
symbi_status sy_model_args(sy_model_acc *k, sy_acc_call *c, symbi_str piece, symbi_err *err);
/* Arguments as a value: text is taken as it is, null is nothing, the rest is written as JSON. */
symbi_status sy_model_args_value(sy_model_acc *k, sy_acc_call *c, const symbi_value *v, symbi_err *err);
symbi_status sy_model_set_model(sy_model_acc *k, symbi_str name, symbi_err *err);
/* Counts what it can use of a reported number: integers from 0 to 2^53, the rest is 0. */
uint64_t sy_model_count(const symbi_value *usage, const char *name);
/* The finished response: ids repaired, empty arguments made {}, model defaulted. */
symbi_status sy_model_acc_finish(sy_model_acc *k, symbi_str default_model, sy_model_response *out, symbi_err *err);

/* Copies foreign text into out as one line of at most SY_MODEL_QUOTE bytes, without the key. */
void sy_model_quote(symbi_str key, symbi_str text, char out[SY_MODEL_QUOTE + 1]);
/* Takes the key out of an error that is ready. */
void sy_model_scrub(symbi_str key, symbi_err *err);
/* The message of an error object in any of its shapes ({"error":{"message"}}, {"error":"..."}, {"message"}), or "". */
symbi_str sy_model_error_text(const symbi_value *root);

/* ---- faults by status --------------------------------------------------------------------------------------------- */
symbi_status sy_model_status_fault(sy_model_acc *k, int status, const symbi_http_header *h, size_t nh, symbi_str body, symbi_err *err);

/* ---- providers ---------------------------------------------------------------------------------------------------- */
/* Values that a body refers to and that must live until it is written. */
typedef struct sy_model_body {
    symbi_ctx *cx;
    sy_arena arena;
    symbi_doc **docs;
    size_t ndocs, cap;
} sy_model_body;

typedef enum sy_model_auth { SY_AUTH_BEARER, SY_AUTH_ANTHROPIC } sy_model_auth;
typedef struct sy_model_provider {
    const char *name, *base_url, *path;
    sy_model_auth auth;
    /* members of the request body, without extra */
    symbi_status (*body)(sy_model_body *b, symbi_str model, const sy_model_request *rq, sy_obj *out, symbi_err *err);
    /* a whole answer; one event of a stream */
    symbi_status (*answer)(sy_model_acc *k, const symbi_value *root, symbi_err *err);
    symbi_status (*event)(sy_model_acc *k, const symbi_value *root, symbi_err *err);
} sy_model_provider;
const sy_model_provider *sy_model_provider_find(symbi_str name); /* "" = openai; NULL when unknown */

symbi_status sy_openai_body(sy_model_body *b, symbi_str model, const sy_model_request *rq, sy_obj *out, symbi_err *err);
symbi_status sy_openai_answer(sy_model_acc *k, const symbi_value *root, symbi_err *err);
symbi_status sy_openai_event(sy_model_acc *k, const symbi_value *root, symbi_err *err);
symbi_status sy_anthropic_body(sy_model_body *b, symbi_str model, const sy_model_request *rq, sy_obj *out, symbi_err *err);
symbi_status sy_anthropic_answer(sy_model_acc *k, const symbi_value *root, symbi_err *err);
symbi_status sy_anthropic_event(sy_model_acc *k, const symbi_value *root, symbi_err *err);

/* Parameters of a tool, or the schema of an object without properties. */
symbi_value sy_model_parameters(const sy_model_tool *t);
#endif
