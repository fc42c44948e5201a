/* toolclad/envelope.c: the evidence envelope of a run (spec toolclad.md 9): what the model, the journal and the person see.
 * results is always an object; exit_code and stderr stand at the top. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "codec/build.h"
#include "toolclad/custom_parser.h"
#include "toolclad/outschema.h"
#include <stdio.h>

typedef struct env {
    sy_arena *a;
    const symbi_tool *t;
    const symbi_plan *p;
    const symbi_exec_result *r;
    symbi_str out, errtext; /* as UTF-8 */
    const char *status;
    symbi_str error;
} env;

static symbi_str dupf(sy_arena *a, const char *text) { return sy_arena_dup(a, symbi_str_z(text)); }

static symbi_str trimmed(symbi_str s)
{
    while (s.n && memchr(" \t\r\n", s.p[0], 4)) s.p++, s.n--;
    while (s.n && memchr(" \t\r\n", s.p[s.n - 1], 4)) s.n--;
    return s;
}

/* status, error text and, for a program that did not start, its stderr. */
static void judge(env *e)
{
    char text[300], why[128] = "";
    symbi_str prog = e->p->argc ? e->p->argv[0] : SY_LIT("?");
    char echo[SY_ECHO];
    if (e->r->start_errno) {
        if (strerror_r(e->r->start_errno, why, sizeof why)) snprintf(why, sizeof why, "error %d", e->r->start_errno);
        snprintf(text, sizeof text, "cannot start '%s': %s", sy_echo(prog, echo), why);
        e->status = "error";
        e->error = dupf(e->a, text);
        e->errtext = dupf(e->a, why);
    } else if (e->r->timed_out) {
        snprintf(text, sizeof text, "Command timed out after %.10gs", (double)e->p->timeout_ms / 1000);
        e->status = "timeout";
        e->error = dupf(e->a, text);
    } else if (e->r->signal) {
        snprintf(text, sizeof text, "Process was killed by signal %d", e->r->signal);
        e->status = "error";
        e->error = dupf(e->a, text);
    } else if (e->r->exit_code) {
        e->status = "error";
        e->error = trimmed(e->errtext);
        if (!e->error.n) {
            snprintf(text, sizeof text, "Process exited with code %d", e->r->exit_code);
            e->error = dupf(e->a, text);
        }
    } else {
        e->status = "success";
    }
}

static symbi_status build(symbi_ctx *cx, env *e, symbi_value *out, symbi_err *err)
{
    sy_arena *a = e->a;
    sy_obj o = sy_obj_new(a), raw = sy_obj_new(a);
    sy_arr warnings = sy_arr_new(a);
    symbi_value results;
    char why[160] = "", stamp[SY_RFC3339_MS], hash[72] = "sha256:";
    symbi_status st;
    bool ran;
    e->out = sy_utf8_lossy(a, e->r->out);
    e->errtext = sy_utf8_lossy(a, e->r->err);
    if (!e->out.p || !e->errtext.p) return sy_arena_fail(a, "the envelope", err);
    judge(e);
    ran = strcmp(e->status, "success") == 0;
    if (ran) {
        if ((st = e->p->parser.n ? sy_custom_parser_results(cx, &e->r->parsed, a, &results, why, err) : sy_output_parse(cx, e->t->format, e->out, a, &results, why, err))) return st;
        if (e->p->parser.n && why[0]) { /* nothing of what the parser was to read goes past it */
            e->status = "error";
            e->error = dupf(a, why);
        } else if (e->t->output_schema && (st = sy_output_schema_check(cx, e->t->output_schema, &results, a, &warnings, err))) return st;
        if (e->t->output_strict && !e->error.n && (warnings.n || why[0])) {
            e->status = "error";
            e->error = SY_LIT("The output does not match the manifest's schema");
        }
    } else {
        if (e->r->timed_out) sy_obj_str(&raw, "error", e->error);
        sy_obj_str(&raw, "raw_output", e->out);
        results = sy_obj_value(&raw);
    }
    sy_time_rfc3339(e->r->started_ms, stamp);
    for (size_t i = 0; i < 32; i++) snprintf(hash + 7 + 2 * i, 3, "%02x", e->r->out_sha256[i]);
    sy_obj_str(&o, "status", symbi_str_z(e->status));
    sy_obj_str(&o, "scan_id", e->p->scan_id);
    sy_obj_str(&o, "tool", e->p->tool);
    sy_obj_str(&o, "command", e->p->command);
    if (e->p->box) sy_obj_str(&o, "sandbox", symbi_str_z(symbi_box_name(e->p->box)));
    sy_obj_int(&o, "exit_code", e->r->exit_code);
    sy_obj_str(&o, "stderr", e->errtext);
    sy_obj_int(&o, "duration_ms", e->r->duration_ms);
    sy_obj_str(&o, "timestamp", dupf(a, stamp));
    sy_obj_str(&o, "output_file", e->r->output_file);
    sy_obj_str(&o, "output_hash", dupf(a, hash));
    if (e->r->signal) sy_obj_int(&o, "signal", e->r->signal);
    if (e->r->out_truncated || e->r->err_truncated) sy_obj_bool(&o, "truncated", true);
    if (e->r->out_truncated) sy_obj_count(&o, "output_bytes", e->r->out_bytes);
    if (e->r->parsed.tried) sy_obj_put(&o, "parser", sy_custom_parser_record(a, e->p, &e->r->parsed));
    sy_obj_put(&o, "results", results);
    if (e->error.n) sy_obj_str(&o, "error", e->error);
    if (why[0]) sy_obj_str(&o, "parse_error", dupf(a, why));
    if (warnings.n) sy_obj_put(&o, "schema_warnings", sy_arr_value(&warnings));
    *out = sy_obj_value(&o);
    return a->status ? sy_arena_fail(a, "the envelope", err) : SYMBI_OK;
}

symbi_status symbi_tool_envelope(symbi_ctx *cx, const symbi_tool *t, const symbi_plan *p, const symbi_exec_result *r, symbi_doc **out, symbi_err *err)
{
    sy_arena a;
    env e = { &a, t, p, r, { NULL, 0 }, { NULL, 0 }, "error", { NULL, 0 } };
    symbi_value v;
    symbi_status st;
    *out = NULL;
    symbi_err_clear(err);
    sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
    st = build(cx, &e, &v, err);
    if (!st) st = symbi_doc_copy(cx, &v, out, err); /* the envelope must not point into tool, plan or result */
    sy_arena_free(&a);
    return st;
}
