/* run/conv.h: the conversation of one run (spec orga-loop.md sections 5 and 6): messages in order, the estimate of what they
 * cost in tokens, and the ways of making them fit a budget without ever parting a tool call from its result.
 *
 * Messages are immutable once added and counted, so that a window over a conversation (sy_conv_copy) costs pointers only.
 * All text held is valid UTF-8: bytes that are not are replaced when a message is added. Every change is all or nothing:
 * on failure the conversation is as it was. Memory comes from cx->alloc, at most limits.run_bytes (ELIMIT beyond). */
#ifndef SY_RUN_CONV_H
#define SY_RUN_CONV_H
#include "base/arena.h"
#include "symbi/value.h"

typedef enum sy_role { SY_ROLE_SYSTEM, SY_ROLE_USER, SY_ROLE_ASSISTANT, SY_ROLE_TOOL } sy_role;
const char *sy_role_name(sy_role r); /* "system" "user" "assistant" "tool" */

/* A tool call as the model proposed it. arguments is JSON text, not yet checked. */
typedef struct sy_call {
    symbi_str id, name, arguments;
} sy_call;

typedef struct sy_msg {
    sy_role role;
    bool has_call_id, has_tool_name; /* of a tool message; absent differs from empty in the JSON form */
    bool is_error;                   /* of a tool message: an error result */
    symbi_str content;
    const sy_call *calls; /* of an assistant message */
    size_t ncalls;
    symbi_str tool_call_id, tool_name;
    size_t bytes_; /* the rest is private: size of the block, references */
    size_t refs_;
} sy_msg;

typedef struct sy_conv {
    symbi_ctx *cx;
    sy_msg **m;
    size_t n, cap;
    size_t bytes; /* held by messages */
} sy_conv;

void sy_conv_init(sy_conv *c, symbi_ctx *cx); /* allocates nothing yet */
void sy_conv_free(sy_conv *c);                /* empty afterwards; safe on a zeroed or freed one */

static inline size_t sy_conv_count(const sy_conv *c) { return c->n; }
static inline const sy_msg *sy_conv_at(const sy_conv *c, size_t i) { return c->m[i]; }

/* Appends a copy of *m (the private fields are ignored). Strings may point into c itself. */
SYMBI_MUST_USE symbi_status sy_conv_add(sy_conv *c, const sy_msg *m, symbi_err *err);
SYMBI_MUST_USE symbi_status sy_conv_add_text(sy_conv *c, sy_role role, symbi_str content, symbi_err *err);
SYMBI_MUST_USE symbi_status sy_conv_add_calls(sy_conv *c, symbi_str content, const sy_call *calls, size_t n, symbi_err *err);
/* prefix is put before content: "[Policy denied] ", "[Error] " or "". */
SYMBI_MUST_USE symbi_status sy_conv_add_result(sy_conv *c, symbi_str call_id, symbi_str tool_name, const char *prefix, symbi_str content, bool is_error, symbi_err *err);
/* dst (initialised, same ctx) becomes a window over the same messages as src. */
SYMBI_MUST_USE symbi_status sy_conv_copy(sy_conv *dst, const sy_conv *src, symbi_err *err);
/* Puts text as the one [KNOWLEDGE_CONTEXT] system message: replaces the present one, else after a leading system message. */
SYMBI_MUST_USE symbi_status sy_conv_inject_knowledge(sy_conv *c, symbi_str text, symbi_err *err);

/* Tokens by the fixed rule of spec section 6 (an estimate, integers only); saturates. */
uint64_t sy_msg_estimate(const sy_msg *m);
uint64_t sy_conv_estimate(const sy_conv *c);

typedef enum sy_conv_strategy { SY_CONV_SLIDING_WINDOW, SY_CONV_OBSERVATION_MASKING, SY_CONV_ANCHORED_SUMMARY } sy_conv_strategy;
typedef struct sy_conv_policy {
    sy_conv_strategy strategy;
    size_t recent_count; /* ANCHORED_SUMMARY: messages kept at the end, at least */
    bool compat;         /* ANCHORED_SUMMARY: cut exactly at recent_count as upstream does, even between call and result */
} sy_conv_policy;
/* "sliding_window" "observation_masking" "anchored_summary"; false for another name. */
bool sy_conv_strategy_named(symbi_str name, sy_conv_strategy *out);

/* The sliding window: drops the oldest whole groups until the estimate fits. The first message is kept when it is a system
 * message, and the newest group always, so the result may still be over. */
SYMBI_MUST_USE symbi_status sy_conv_truncate(sy_conv *c, uint64_t max_tokens, symbi_err *err);
/* No-op when the estimate fits max_tokens. */
SYMBI_MUST_USE symbi_status sy_conv_manage(sy_conv *c, const sy_conv_policy *p, uint64_t max_tokens, symbi_err *err);

/* The JSON form {"messages":[...]}. Strings are borrowed from c, the rest is in a; failures stick in the arena as well. */
SYMBI_MUST_USE symbi_status sy_conv_value(const sy_conv *c, sy_arena *a, symbi_value *out, symbi_err *err);
/* The array of messages alone. */
SYMBI_MUST_USE symbi_status sy_conv_messages(const sy_conv *c, sy_arena *a, symbi_value *out, symbi_err *err);
/* Appends the messages of {"messages":[...]} or of the array; strict: unknown members and wrong types are ESCHEMA with the
 * path of the place ("/messages/3/role"). */
SYMBI_MUST_USE symbi_status sy_conv_from_value(sy_conv *c, const symbi_value *v, symbi_err *err);
#endif
