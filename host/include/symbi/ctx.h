/* symbi/ctx.h: the context: allocator, limits, clock, random source, logger. One thread at a time per ctx; contexts
 * are cheap. Parsed documents come from env.shared_alloc (thread-safe), are immutable and atomically refcounted, and
 * may outlive the ctx that parsed them. */
#ifndef SYMBI_CTX_H
#define SYMBI_CTX_H

#include "symbi/base.h"
#include "symbi/sys/clock.h"
#include "symbi/sys/log.h"
#include "symbi/sys/rand.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The one list of limits: name, default, meaning. Sizes in bytes unless the name says otherwise; each is inclusive. */
#define SYMBI_LIMIT_LIST(X)                                                                        \
    X(doc_bytes, 16u << 20, "size of one document given to a parser")                              \
    X(doc_depth, 128, "nesting of JSON and TOML documents")                                        \
    X(doc_nodes, 4u << 20, "values in one document")                                               \
    X(arena_bytes, 256u << 20, "memory of one parsed document")                                    \
    X(output_bytes, 64u << 20, "size of one written document")                                     \
    X(policy_bytes, 32u << 20, "size of one policy text")                                          \
    X(policy_count, 100000, "policies in one set")                                                 \
    X(expr_depth, 1000, "nesting of one Cedar expression")                                         \
    X(eval_steps, 1000000, "steps of one authorisation")                                           \
    X(entity_count, 1000000, "entities in one store")                                              \
    X(manifest_bytes, 1u << 20, "size of one tool manifest")                                       \
    X(arg_bytes, 256u << 10, "arguments of one tool call")                                         \
    X(tool_output, 10u << 20, "bytes kept of one output stream of a tool")                         \
    X(tool_calls_per_turn, 64, "tool calls in one model answer")                                   \
    X(model_response, 8u << 20, "size of one model answer")                                        \
    X(http_headers, 256, "header lines of one HTTP message")                                       \
    X(open_effects, 64, "effects open at once in one run")                                         \
    X(run_bytes, 64u << 20, "memory of one run's conversation")                                    \
    X(permits_used, 65536, "redeemed permits remembered until they expire")

typedef struct symbi_limits {
#define SYMBI_LIMIT_FIELD(name, def, text) size_t name;
    SYMBI_LIMIT_LIST(SYMBI_LIMIT_FIELD)
#undef SYMBI_LIMIT_FIELD
} symbi_limits;

SYMBI_API void symbi_limits_default(symbi_limits *out);
/* Sets the limit called name; SYMBI_ENOTFOUND for an unknown name. */
SYMBI_API symbi_status symbi_limits_set(symbi_limits *l, const char *name, size_t value);

/* Fill with symbi_env_init, then change what differs. Every plug point left zero gets its default:
 * alloc and shared_alloc malloc, clock CLOCK_REALTIME/CLOCK_MONOTONIC, rand getrandom(2), log none. */
typedef struct symbi_env {
    uint32_t size; /* sizeof(symbi_env) at the caller, so that the struct can grow */
    symbi_alloc alloc;        /* everything that belongs to the ctx; its thread only */
    symbi_alloc shared_alloc; /* parsed documents; must be thread-safe when they are shared */
    symbi_clock clock;
    symbi_rand rand;
    symbi_log log;
    symbi_limits limits;
} symbi_env;
SYMBI_API void symbi_env_init(symbi_env *env);

typedef struct symbi_ctx symbi_ctx;

/* env is copied; NULL means all defaults. *out is NULL on failure. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_ctx_new(const symbi_env *env, symbi_ctx **out, symbi_err *err);
SYMBI_API void symbi_ctx_free(symbi_ctx *cx); /* NULL is fine */
SYMBI_API symbi_limits *symbi_ctx_limits(symbi_ctx *cx); /* borrowed, writable between calls */
SYMBI_API int64_t symbi_ctx_now_ms(const symbi_ctx *cx);  /* wall clock */
SYMBI_API int64_t symbi_ctx_mono_ms(const symbi_ctx *cx);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_ctx_random(symbi_ctx *cx, void *buf, size_t n, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
