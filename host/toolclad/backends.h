/* toolclad/backends.h: what each backend other than the command line brings along: a reader of its table of the manifest, a planner and a
 * reader of what its executor gave. backend.c has the table; http.c, mcp.c, session.c and browser.c fill it. */
#ifndef SY_TOOLCLAD_BACKENDS_H
#define SY_TOOLCLAD_BACKENDS_H
#include "codec/build.h"
#include "toolclad/read.h"

/* From validated arguments to plan->detail. Set here: command (for people; no secret, no unescaped newline), secrets, and whatever else of
 * the plan the backend's executor needs. */
typedef struct sy_backend_plan {
    symbi_ctx *cx;
    const symbi_tool *t;
    const symbi_plan_options *o;
    sy_arena *a;             /* the plan's */
    symbi_plan *p;           /* kind, tool, args, scan_id, timeout_ms and the output limits are set */
    const symbi_str *text;   /* per argument of t: its text; p NULL when it has no value */
    const bool *is_default;  /* per argument: the author's own default */
    symbi_err *err;
} sy_backend_plan;

/* What came back; raw is an object of the shape that the backend's guide documents. scan_id, tool, command, duration_ms and timestamp stand
 * in the envelope already; the backend adds status, exit_code, stderr, output_hash, results (always an object), error, and its own. */
typedef struct sy_backend_reply {
    symbi_ctx *cx;
    const symbi_tool *t;
    const symbi_plan *p;
    const symbi_value *raw;
    sy_arena *a;
    symbi_err *err;
} sy_backend_reply;

bool sy_env_passes(symbi_str e); /* may "NAME=value" of the host reach a tool? (plan.c) */
symbi_status sy_backend_plan_make(sy_backend_plan *b, symbi_value *detail);

symbi_status sy_load_http(sy_rd *rd, const symbi_value *t);
symbi_status sy_http_plan(sy_backend_plan *b, symbi_value *detail);
symbi_status sy_http_envelope(sy_backend_reply *r, sy_obj *o);

symbi_status sy_load_mcp(sy_rd *rd, const symbi_value *t);
symbi_status sy_mcp_plan(sy_backend_plan *b, symbi_value *detail);
symbi_status sy_mcp_envelope(sy_backend_reply *r, sy_obj *o);

/* [session.commands.X] and [browser.commands.X] */
symbi_status sy_load_commands(sy_rd *rd, const symbi_value *t, bool session);
symbi_status sy_load_session(sy_rd *rd, const symbi_value *t);
symbi_status sy_session_plan(sy_backend_plan *b, symbi_value *detail);
symbi_status sy_session_envelope(sy_backend_reply *r, sy_obj *o);
symbi_status sy_load_browser(sy_rd *rd, const symbi_value *t);
symbi_status sy_browser_plan(sy_backend_plan *b, symbi_value *detail);
symbi_status sy_browser_envelope(sy_backend_reply *r, sy_obj *o);
#endif
