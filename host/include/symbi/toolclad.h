/* symbi/toolclad.h: tool contracts (spec toolclad.md, the "R:" lines). A tool is immutable and atomically refcounted. Plans
 * are pure data: nothing here opens, runs or connects. */
#ifndef SYMBI_TOOLCLAD_H
#define SYMBI_TOOLCLAD_H
#include "symbi/value.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef enum symbi_backend {
    SYMBI_BACKEND_SHELL = 0, /* oneshot: exec, template or executor */
    SYMBI_BACKEND_HTTP,
    SYMBI_BACKEND_MCP,
    SYMBI_BACKEND_SESSION,
    SYMBI_BACKEND_BROWSER,
    SYMBI_BACKEND_CALLBACK
} symbi_backend;
SYMBI_API const char *symbi_backend_name(symbi_backend b); /* "shell" "http" "mcp" "session" "browser" "callback" */

typedef struct symbi_tool symbi_tool;

/* All strings are borrowed from the tool. */
typedef struct symbi_tool_info {
    symbi_str name, version, description, risk_tier, source; /* source: file name given at load */
    symbi_str capability;   /* what an agent must be capable of (.symbi capabilities); "": nothing named */
    symbi_backend backend;
    bool human_approval;
    int64_t timeout_ms; /* 0: no per-tool limit */
    size_t arg_count, warning_count;
    uint8_t sha256[32]; /* of the manifest text, or of the canonical JSON of a declared one; of a command: over its manifest's and its name */
    symbi_str manifest; /* the manifest's own name: that of a command's session or browser, else the same as name */
    uint8_t manifest_sha256[32]; /* likewise */
    symbi_str child_manifest; /* of a session: the file of [session.child_detection], as written; "": none */
} symbi_tool_info;

/* Custom argument types: the [types.<name>] tables of toolclad.toml (spec section 4). Immutable, atomically refcounted. A
 * definition at fault is left out and reported as a problem ("toolclad.toml:7: types.rate.base: is missing"); manifests that
 * use it are then refused as using an unknown type. */
typedef struct symbi_tooltypes symbi_tooltypes;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_tooltypes_parse(symbi_ctx *cx, symbi_str text, symbi_str source, symbi_tooltypes **out, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_tooltypes_from_value(symbi_ctx *cx, const symbi_value *types, symbi_str source, symbi_tooltypes **out, symbi_err *err); /* what stands below [types] */
SYMBI_API symbi_tooltypes *symbi_tooltypes_ref(symbi_tooltypes *t);
SYMBI_API void symbi_tooltypes_unref(symbi_tooltypes *t);
SYMBI_API size_t symbi_tooltypes_count(const symbi_tooltypes *t);
SYMBI_API symbi_str symbi_tooltypes_problem(const symbi_tooltypes *t, size_t i); /* empty past the end */

/* A manifest text; source names it in errors ("tools/wc.clad.toml:12: args.path.type: unknown type 'pth', did you mean 'path'?"). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_tool_parse(symbi_ctx *cx, symbi_str text, symbi_str source, symbi_tool **out, symbi_err *err);
/* The same for a session whose program may open another one inside of itself (info.child_manifest): child is that one's contract. Its commands become
 * TOOL.child.COMMAND, never less restricted than the manifest itself. Without a child nothing can be typed while such a session is open. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_tool_parse_child(symbi_ctx *cx, symbi_str text, symbi_str source, const symbi_tooltypes *types, const symbi_tool *child, symbi_tool **out, symbi_err *err);
/* The same from a value of the manifest's shape (what symbi.tool{} declares). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_tool_from_value(symbi_ctx *cx, const symbi_value *manifest, symbi_str source, symbi_tool **out, symbi_err *err);
/* The same with custom types (NULL: none); a reference of the tool's own is taken. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_tool_parse_with(symbi_ctx *cx, symbi_str text, symbi_str source, const symbi_tooltypes *types, symbi_tool **out, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_tool_from_value_with(symbi_ctx *cx, const symbi_value *manifest, symbi_str source, const symbi_tooltypes *types, symbi_tool **out, symbi_err *err);
SYMBI_API symbi_tool *symbi_tool_ref(symbi_tool *t);
SYMBI_API void symbi_tool_unref(symbi_tool *t);
SYMBI_API void symbi_tool_get_info(const symbi_tool *t, symbi_tool_info *out);
SYMBI_API symbi_str symbi_tool_warning(const symbi_tool *t, size_t i); /* one line each; empty past the end */
/* A session's or a browser's commands, in order of their names: each is a tool of its own, called TOOL.COMMAND, with its description,
 * risk tier, approval and arguments (a session's has "command" besides, the text to type). Such a manifest itself cannot be called.
 * The tool is borrowed; a reference of its own keeps the whole manifest. NULL past the end. */
SYMBI_API size_t symbi_tool_command_count(const symbi_tool *t);
SYMBI_API symbi_tool *symbi_tool_command_at(const symbi_tool *t, size_t i);

/* Checks args (an object; NULL or null counts as {}) against the contract. *out: object with exactly the declared arguments
 * that have a value, ordered by name, canonical: integer and port as INT, number as INT or DOUBLE, boolean as BOOL, all
 * others as STRING. Undeclared arguments are refused (ours: a model that invents one is told so). First failure by
 * position, then name: ESCHEMA with path = argument name. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_tool_validate(symbi_ctx *cx, const symbi_tool *t, const symbi_value *args, symbi_doc **out, symbi_err *err);
/* {name, description, inputSchema[, outputSchema]} as spec section 15 (mcp_schema.json). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_tool_schema(symbi_ctx *cx, const symbi_tool *t, symbi_doc **out, symbi_err *err);

typedef struct symbi_toolset symbi_toolset; /* below */

/* Text of Cedar policies for a tool (spec section 18). UPSTREAM: byte for byte what upstream generates from [tool.cedar]
 * (empty without that table; such policies never match the gate). GATE: a permit for Action::"tool_call::NAME", with
 * context.has_human_approval for human_approval and for tiers high and critical. */
typedef enum symbi_tool_cedar_form { SYMBI_TOOL_CEDAR_UPSTREAM = 0, SYMBI_TOOL_CEDAR_GATE } symbi_tool_cedar_form;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_tool_cedar(symbi_ctx *cx, const symbi_tool *t, symbi_tool_cedar_form form, symbi_text *out, symbi_err *err);

/* The contract as data: name, version, binary, backend, risk_tier, timeout_ms, cedar {resource, action}, args [{name, type, position, required,
 * default, allowed, ...}] in order of position. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_tool_describe(symbi_ctx *cx, const symbi_tool *t, symbi_doc **out, symbi_err *err);
/* One value for one argument, by itself: *out is the canonical value. ENOTFOUND: no such argument. Calls are checked by symbi_tool_validate. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_tool_check(symbi_ctx *cx, const symbi_tool *t, symbi_str name, const symbi_value *value, symbi_doc **out, symbi_err *err);

/* A Cedar schema of the gate's requests with the arguments of every tool of the set (NULL: none), so that policies over context.input.<argument>
 * validate strictly. An argument that is always there (required, or with a default) is no optional attribute; lists, objects and fractions
 * have no one Cedar type and are left out. facts: attributes of the context that the host adds ("ticket_severity?: String"), or "". policies:
 * texts whose agents (Action::"delegate::NAME", "send_message::NAME") get actions of their own, and whose tools do where s is NULL. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_toolset_cedar_schema(symbi_ctx *cx, const symbi_toolset *s, symbi_str facts, const symbi_str *policies, size_t npolicies, symbi_text *out, symbi_err *err);

/* A project's limits on a manifest (spec section 5.3): constraints {max_risk_tier=, require_evidence_above_tier=, require_scope_check=} as
 * [constraints.toolclad] has them. *out: a list of {severity, message}; the text need not load as a tool. upstream_tiers: critical counts
 * as no tier, as it does upstream, instead of as the highest. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_tool_constraints(symbi_ctx *cx, symbi_str manifest, const symbi_value *constraints, bool upstream_tiers, symbi_doc **out, symbi_err *err);

/* A W3C traceparent header: false unless it is "00-<32 hex>-<16 hex>-<2 hex>", lower case, neither id all zeros. */
typedef struct symbi_traceparent { char trace_id[33], parent_id[17]; } symbi_traceparent;
SYMBI_API bool symbi_traceparent_parse(symbi_str header, symbi_traceparent *out);

/* Option injection (ours; no other implementation handles it). A word of the command may not begin with a '-' that came
 * out of an argument's value, because the program would take it for an option: symbi_tool_plan refuses it with EDENIED. It
 * may when the author says so, in one of these ways:
 *   - the argument has `allow_options = true` (its text is meant to be options, as extra_flags is);
 *   - a word "--" written by the author stands before it;
 *   - the '-' is glued behind the author's own text ("--name={x}"), which makes it no option of its own.
 * Nor may a value say which option the author's dashes begin ("-{x}", "--{x}", "--out{x}": GNU programs complete abbreviated names).
 * Values of the types integer, number, port, boolean and enum are exempt (-3 is a number; an enum's words are the author's),
 * and so are the author's own defaults of the manifest.
 * The same for the name of the program: it may come from an enum only, unless allow_options is set. */

/* What a program runs in. BWRAP (bubblewrap): a read-only root, a /tmp of its own, a minimal /dev, no network, its own process, IPC and
 * user namespaces, no capability, dead with the run. It shares the kernel and can read the host's files: no container image, no machine.
 * The executor never runs a plan of BWRAP without it. */
typedef enum symbi_box { SYMBI_BOX_NONE = 0, SYMBI_BOX_BWRAP } symbi_box;
SYMBI_API const char *symbi_box_name(symbi_box b); /* "none" "bwrap" */
SYMBI_API bool symbi_box_of(symbi_str name, symbi_box *out); /* those names in any case */

/* What an executor is to do. Immutable, atomically refcounted. Strings NUL-terminated as well. */
typedef struct symbi_plan {
    symbi_backend kind;
    symbi_str tool;
    symbi_str scan_id;
    const symbi_str *argv; size_t argc; /* SHELL: argv[0] is looked up in PATH of env when it has no '/' */
    const symbi_str *env; size_t nenv;  /* "NAME=value": the whole environment, nothing is inherited */
    symbi_str cwd;                      /* "": the executor's */
    int64_t timeout_ms;                 /* 0: the host's cap applies */
    size_t stdout_max, stderr_max;
    const symbi_value *args;            /* the validated arguments (CALLBACK) */
    uint8_t digest[32];                 /* SHA-256 of the canonical JSON of all of the above (symbi_plan_digest); zeros until it is sealed */
    bool sealed;
    symbi_str command;                  /* for people: argv joined by blanks, or "PATH (custom executor)" */
    const symbi_str *check_files; size_t ncheck_files; /* relative to cwd: the executor refuses to start unless each is a regular file whose real path lies inside the real path of cwd (type credential_file) */
    /* SHELL: in the digest where box is not NONE. Paths are absolute, or relative to cwd and then must not lead out of it. */
    symbi_box box;
    bool box_network;                        /* sees the host's network */
    bool box_output;                         /* may write to the folder of output_file */
    const symbi_str *box_write; size_t nbox_write; /* may write there; "." is cwd itself. Each must exist, an absolute one without symbolic links */
    const symbi_str *box_hide; size_t nbox_hide;   /* sees an empty folder or file there, where there is one */
    symbi_str parser;                   /* SHELL: output.parser = "custom:PATH": what the executor runs, in the same containment and in what is left of timeout_ms, over the output of a run that succeeded: PATH FILE. "": none; else in the digest */
    bool capture;                       /* [tool.evidence] capture: the executor writes stdout to output_file, directory 0700, file 0600 */
    symbi_str output_file;              /* where evidence goes; also {_output_file} of commands */
    /* HTTP, MCP, SESSION, BROWSER: what to do, an object (scripts/guide/tool-<backend>.md has the shapes); in the digest. Secrets stand in it by name
     * only: {"secret": "NAME"}; who executes hands their values to symbi_plan_resolve. */
    const symbi_value *detail;
    const symbi_str *secrets; size_t nsecrets; /* the names, each once */
    void *impl_;
} symbi_plan;

typedef struct symbi_plan_options {
    symbi_str scan_id;      /* "": made from the clock and the random source */
    symbi_str evidence_dir; /* "" = /tmp/toolclad-evidence */
    symbi_str project_dir;  /* cwd of the tool and root of its relative paths; "" = the executor's cwd */
    const symbi_str *base_env; size_t nbase_env; /* environment of the host, filtered as spec section 8.4 says. SYMBIONT_TOOLCLAD_ALLOWED_PARSERS in it
                             (absolute paths with ':' between) lists the parsers that may run; a tool with another one is EDENIED */
    int64_t host_timeout_ms; /* cap; 0 = 300000 */
    bool checks_files;       /* the executor honours check_files; otherwise a plan that needs it is EUNSUPPORTED */
    symbi_str trace_id;      /* of the run, 32 hex digits or a UUID: HTTP tools then send a traceparent; anything else: none */
    symbi_box box;           /* every program runs in it, whatever its manifest says; EUNSUPPORTED for backends that start programs and cannot */
    bool allow_options;      /* drops the rule on option injection: only for comparison with other implementations */
} symbi_plan_options;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_tool_plan(symbi_ctx *cx, const symbi_tool *t, const symbi_value *validated, const symbi_plan_options *o, symbi_plan **out, symbi_err *err);
/* Both in one step: what symbi_tool_validate gives for args, planned. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_tool_plan_args(symbi_ctx *cx, const symbi_tool *t, const symbi_value *args, const symbi_plan_options *o, symbi_plan **out, symbi_err *err);
/* Planning says what would be done; sealing makes the digest that an order, an executor and the evidence hold on to. The gate seals when it
 * redeems a permit, in the same step; of one's own plans whoever made them, before they are given to anybody: ESTATE when there is a
 * second reference. Of a sealed plan it checks that nothing of it has changed since: ESTATE when it has. On failure it is as before. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_plan_seal(symbi_ctx *cx, symbi_plan *p, symbi_err *err);
/* The digest of a plan's fields kind, tool, scan_id, argv, env, cwd, timeout_ms, stdout_max and stderr_max, of detail, check_files, the
 * evidence file (of a plan with capture), the parser and the box where there is one, with its arguments given as canonical JSON (p->args is not looked at): what an executor that received a plan compares with the order. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_plan_digest(symbi_ctx *cx, const symbi_plan *p, symbi_str args_json, uint8_t out[32], symbi_err *err);
SYMBI_API symbi_plan *symbi_plan_ref(symbi_plan *p);
SYMBI_API void symbi_plan_unref(symbi_plan *p);

/* How the plan's parser went, once the tool had succeeded. */
typedef struct symbi_parse_run {
    bool tried;                     /* false: there is none, or the tool gave it nothing to read */
    symbi_str out, err;             /* err: at most 4 KiB; where it was not started, why */
    bool out_truncated, timed_out;
    int exit_code, signal, start_errno;
    int64_t duration_ms;
    uint8_t sha256[32];             /* of its file, read just before it was started */
} symbi_parse_run;

/* What came back from running a SHELL plan. */
typedef struct symbi_exec_result {
    symbi_str out, err;             /* kept bytes of both streams */
    bool out_truncated, err_truncated;
    uint64_t out_bytes;             /* of the full raw output */
    uint8_t out_sha256[32];         /* of the full raw output */
    int exit_code;                  /* -1 when killed by a signal, timed out or not started */
    int signal;                     /* 0 when none */
    bool timed_out;
    int start_errno;                /* errno of a failed start, 0 when it ran */
    int64_t started_ms, duration_ms;
    symbi_str output_file;          /* where the executor wrote the evidence; "" when it did not */
    symbi_parse_run parsed;
} symbi_exec_result;
/* The evidence envelope (spec section 9.1): results always an object, exit_code and stderr at top level. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_tool_envelope(symbi_ctx *cx, const symbi_tool *t, const symbi_plan *p, const symbi_exec_result *r, symbi_doc **out, symbi_err *err);

/* The same for a plan of another backend than SHELL; raw is what its executor gave, an object: {started_ms, duration_ms, ...}, the rest as
 * scripts/guide/tool-<backend>.md says. Nothing of raw is believed: what is missing is an error of the tool. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_tool_envelope_of(symbi_ctx *cx, const symbi_tool *t, const symbi_plan *p, const symbi_value *raw, symbi_doc **out, symbi_err *err);

/* The record of a run that is kept beside the journal (spec orga-oats.md 3.4): {version, loop_id, call_id, scan_id, tool, parameters, invocation,
 * plan_digest, started_at_ms, duration_ms, exit, output_sha256, output_bytes, truncated, decision, identity}. x: of a SHELL plan, else NULL. Its
 * canonical JSON is stored under the SHA-256 of these bytes, and the journal's entry names it. ESTATE for a plan that is not sealed, or was changed since. */
typedef struct symbi_evidence_facts {
    symbi_str loop_id, call_id, agent, user, agentpin_kid;
    symbi_str decision; /* "allow" or "modify" */
    const symbi_str *policies; size_t npolicies;
    bool has_sequence; uint64_t journal_sequence; /* of the decision */
    int64_t started_ms; /* where x is NULL */
} symbi_evidence_facts;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_tool_evidence(symbi_ctx *cx, const symbi_tool *t, const symbi_plan *p, const symbi_value *envelope, const symbi_exec_result *x, const symbi_evidence_facts *f, symbi_doc **out, symbi_err *err);

/* A set of tools by name: immutable after building, refcounted. add refuses a duplicate name (EEXISTS) and keeps the first. Of a session
 * or browser manifest its commands are added in its place, all or none. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_toolset_new(symbi_ctx *cx, symbi_toolset **out, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_toolset_add(symbi_toolset *s, symbi_tool *t, symbi_err *err); /* takes a reference of its own */
SYMBI_API symbi_toolset *symbi_toolset_ref(symbi_toolset *s);
SYMBI_API void symbi_toolset_unref(symbi_toolset *s);
SYMBI_API symbi_tool *symbi_toolset_find(const symbi_toolset *s, symbi_str name); /* borrowed; exact bytes, no folding */
SYMBI_API size_t symbi_toolset_count(const symbi_toolset *s);
SYMBI_API symbi_tool *symbi_toolset_at(const symbi_toolset *s, size_t i); /* in order of adding */

#ifdef __cplusplus
}
#endif
#endif
