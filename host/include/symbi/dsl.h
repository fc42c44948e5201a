/* symbi/dsl.h: `.symbi` definitions (spec dsl-cli.md): parsing with errors that say what was expected, formatting, what a file
 * defines as data, and compiling an agent's policy blocks and settings into something the gate enforces.
 *
 * A parsed file (symbi_dsl) and a compiled agent (symbi_narrow) are immutable, atomically refcounted, shareable between threads.
 * A file with any syntax error yields no data, no format and no rules: only its errors. What an agent asks for and nothing here
 * can enforce is refused with a message that names the construct, the line and the nearest form that works; it is never left out. */
#ifndef SYMBI_DSL_H
#define SYMBI_DSL_H
#include "symbi/cedar.h"
#include "symbi/toolclad.h"
#ifdef __cplusplus
extern "C" {
#endif

/* Inclusive limits. Beyond them a file is refused with ELIMIT. */
enum {
    SYMBI_DSL_MAX_BYTES = 1 << 20,
    SYMBI_DSL_MAX_NODES = 1 << 19,  /* of the tree */
    SYMBI_DSL_MAX_DEPTH = 256,      /* nesting of the tree, as upstream */
    SYMBI_DSL_MAX_AGENTS = 1000,    /* in one file */
    SYMBI_DSL_MAX_ERRORS = 50,      /* listed; after them reading stops */
    SYMBI_DSL_MAX_RULES = 4096,     /* policy rules of one agent */
    SYMBI_DSL_MAX_CEDAR = 4 << 20   /* bytes of Cedar that one agent compiles to */
};

typedef struct symbi_dsl symbi_dsl;

/* One place where the text leaves the grammar. Lines and columns from 1, columns in bytes, the end exclusive. Strings are borrowed
 * from the file and NUL-terminated. */
typedef struct symbi_dsl_error {
    uint32_t line, col, end_line, end_col;
    symbi_str found;    /* what stands there: "'}'", "end of file", "identifier 'agnt'" */
    symbi_str expected; /* "'{'", "one of: metadata, agent, policy, ..." */
    symbi_str hint;     /* the fix where it is known, else "" */
    symbi_str message;  /* "expected ..., found ...; hint" */
} symbi_dsl_error;

/* Reads text; source names it in messages. SYMBI_OK means that the file was read to its end, not that it is right: see
 * symbi_dsl_ok. ELIMIT, ENOMEM otherwise, with *out NULL. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_dsl_parse(symbi_ctx *cx, symbi_str text, symbi_str source, symbi_dsl **out, symbi_err *err);
SYMBI_API symbi_dsl *symbi_dsl_ref(symbi_dsl *d); /* returns d */
SYMBI_API void symbi_dsl_unref(symbi_dsl *d);     /* NULL is fine */
SYMBI_API bool symbi_dsl_ok(const symbi_dsl *d);
SYMBI_API size_t symbi_dsl_error_count(const symbi_dsl *d);
SYMBI_API bool symbi_dsl_error_at(const symbi_dsl *d, size_t i, symbi_dsl_error *out); /* false past the end */
SYMBI_API symbi_str symbi_dsl_source(const symbi_dsl *d);
SYMBI_API symbi_str symbi_dsl_text(const symbi_dsl *d);

/* The tree as an S-expression of its named nodes, as the reference grammar names them. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_dsl_sexp(symbi_ctx *cx, const symbi_dsl *d, symbi_text *out, symbi_err *err);
/* The canonical text. Never changes the tree or loses a comment: that is checked, and ESTATE where it would (a fault of ours). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_dsl_format(symbi_ctx *cx, const symbi_dsl *d, symbi_text *out, symbi_err *err);
/* Same tree, same tokens; comments and white space between tokens do not count. */
SYMBI_API bool symbi_dsl_equal(const symbi_dsl *a, const symbi_dsl *b);

/* What the file defines:
 *   {metadata: {key: text}, metadata_raw: {key: source text}, agents: [{name, line, parameters: [{name, type}], returns, capabilities,
 *    policies: [names], with: [{attributes: [[name, source text]], sandbox_tier, timeout}]}], policies: [{name, line, agent, rules: [{effect,
 *    expression, guard, line, col}]}], functions, types, schedules, channels, memories, webhooks: [...], problems: [{kind, name, line, message}]}
 * A block with a problem (a schedule without cron and at) is left out of its list and named in problems. EPARSE for a file with errors. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_dsl_extract(symbi_ctx *cx, const symbi_dsl *d, symbi_doc **out, symbi_err *err);

/* "1h 30m", "90 days", "500ms" in milliseconds. EPARSE with a message as the reference library words it. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_dsl_duration(symbi_str text, int64_t *ms, symbi_err *err);

/* ---- enforcement ---- */

typedef enum symbi_sandbox {
    SYMBI_SANDBOX_NONE = 0,
    SYMBI_SANDBOX_DOCKER,      /* tier1 */
    SYMBI_SANDBOX_GVISOR,      /* tier2 */
    SYMBI_SANDBOX_FIRECRACKER, /* tier3 */
    SYMBI_SANDBOX_E2B,         /* a tier of its own: met by itself only */
    SYMBI_SANDBOX_BWRAP        /* ours: each program in bubblewrap (symbi_box), which this library does itself. It is less than a container: it meets no other */
} symbi_sandbox;
SYMBI_API const char *symbi_sandbox_name(symbi_sandbox s); /* "none" "docker" "gvisor" "firecracker" "e2b" "bwrap" */
SYMBI_API bool symbi_sandbox_of(symbi_str text, symbi_sandbox *out); /* names and tiers in any case */

/* What `with` settings set; -1: not set. The gate and the run machine take the smaller of these and their own. */
#define SYMBI_NARROW_LIMIT_LIST(X)                                                                 \
    X(timeout_ms, "the run as a whole")                                                            \
    X(tool_timeout_ms, "one tool call")                                                            \
    X(approval_timeout_ms, "a person's answer")                                                    \
    X(max_iterations, "turns of the model")                                                        \
    X(max_total_tokens, "tokens of the run")                                                       \
    X(max_output_tokens, "tokens of one answer")                                                   \
    X(context_token_budget, "tokens of the conversation shown to the model")                       \
    X(max_tool_calls, "tool calls of the run")                                                     \
    X(max_concurrent_tools, "tools at once")                                                       \
    X(memory_bytes, "memory of one tool")
typedef struct symbi_narrow_limits {
#define SYMBI_NARROW_LIMIT_FIELD(name, text) int64_t name;
    SYMBI_NARROW_LIMIT_LIST(SYMBI_NARROW_LIMIT_FIELD)
#undef SYMBI_NARROW_LIMIT_FIELD
    symbi_sandbox sandbox;
} symbi_narrow_limits;

/* A compiled agent: rules that the gate asks besides its own policies (both must allow), rules whose match marks the record, limits. */
typedef struct symbi_narrow symbi_narrow;
typedef struct symbi_dsl_compile_options {
    uint32_t size;
    symbi_str agent;         /* name in the file; "": the only one */
    symbi_str principal;     /* the agent's id at the gate; "": its name. Every other principal is denied by the compiled rules */
    symbi_toolset *tools;    /* NULL: names in rules are taken as argument names; else they are checked against the manifests */
} symbi_dsl_compile_options;
SYMBI_API void symbi_dsl_compile_options_init(symbi_dsl_compile_options *o);
/* *problems (may be NULL; else a list for the caller, also on ESCHEMA): [{line, col, severity: "refused"|"note", construct, message, nearest}].
 * ESCHEMA with the first refusal in *err where something cannot be enforced; *out is NULL then. ENOTFOUND: no such agent. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_dsl_compile(symbi_ctx *cx, const symbi_dsl *d, const symbi_dsl_compile_options *o, symbi_narrow **out, symbi_doc **problems, symbi_err *err);
SYMBI_API symbi_narrow *symbi_narrow_ref(symbi_narrow *n); /* NULL is fine; returns n */
SYMBI_API void symbi_narrow_unref(symbi_narrow *n);        /* NULL is fine */
SYMBI_API symbi_cedar *symbi_narrow_rules(const symbi_narrow *n); /* borrowed */
SYMBI_API symbi_cedar *symbi_narrow_audit(const symbi_narrow *n); /* borrowed; NULL when no rule asks for marks */
SYMBI_API const symbi_narrow_limits *symbi_narrow_get_limits(const symbi_narrow *n);
SYMBI_API bool symbi_narrow_asks_approval(const symbi_narrow *n); /* some rule looks at a person's approval */
SYMBI_API void symbi_narrow_hash(const symbi_narrow *n, uint8_t out[32]);
/* {agent, principal, source, rules: Cedar text, audit: Cedar text, obligations: [{kind, rule, line}], limits: {...}}; a reference. */
SYMBI_API symbi_doc *symbi_narrow_doc(const symbi_narrow *n);

/* ---- the two other notations of that name: read only, never enforced ---- */

/* `policy NAME` ... `end`: {name, rules: [{action, target, condition}]} (spec section 7). EPARSE with the reference's message. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_dsl_policy_text(symbi_ctx *cx, symbi_str text, symbi_doc **out, symbi_err *err);
/* The REPL language: its declarations as the reference's tree (spec section 6). EPARSE with the reference's message; ELIMIT for nesting. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_dsl_repl(symbi_ctx *cx, symbi_str text, symbi_doc **out, symbi_err *err);

/* What pins the entry of an MCP server (spec section 12): {canonical, config_hash: "sha256:...", short, file}. entry: its JSON text. The
 * file's name carries 8 digits of the server's name's hash, so that different names have different files. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_dsl_mcp_pin(symbi_ctx *cx, symbi_str name, symbi_str entry, symbi_doc **out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
