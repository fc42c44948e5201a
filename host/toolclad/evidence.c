/* toolclad/evidence.c: the record of one run for later (spec orga-oats.md 3.4): what ran, on whose word, with which arguments, how it ended,
 * and the digest of what it wrote. Stored beside the journal under the SHA-256 of its bytes, which the journal's entry names. */
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/build.h"
#include "toolclad/plan_in.h"
#include "toolclad/tool.h"

/* SHA-256 of nothing: a run that gave no output has that of the empty text, like one that wrote none. */
#define NO_OUTPUT "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static symbi_value texts(sy_arena *a, const symbi_str *s, size_t n)
{
    sy_arr r = sy_arr_new(a);
    for (size_t i = 0; i < n; i++) sy_arr_add(&r, sy_val_str(s[i]));
    return sy_arr_value(&r);
}

static symbi_value tool(sy_arena *a, const symbi_tool *t)
{
    sy_obj o = sy_obj_new(a);
    sy_obj_str(&o, "name", t->info.name);
    sy_obj_str(&o, "version", t->info.version);
    sy_obj_hex(&o, "manifest_sha256", t->info.sha256, 32);
    return sy_obj_value(&o);
}

static symbi_value invocation(sy_arena *a, const symbi_plan *p)
{
    sy_obj o = sy_obj_new(a);
    sy_obj_str(&o, "backend", symbi_str_z(symbi_backend_name(p->kind)));
    if (p->kind == SYMBI_BACKEND_SHELL) sy_obj_put(&o, "argv", texts(a, p->argv, p->argc));
    else if (p->detail) sy_obj_put(&o, "request", *p->detail); /* secrets stand in it by name only */
    return sy_obj_value(&o);
}

static symbi_value ended(sy_arena *a, const symbi_exec_result *x, const symbi_value *env)
{
    sy_obj o = sy_obj_new(a);
    const symbi_value *http = symbi_value_getz(env, "http_status"), *code = symbi_value_getz(env, "exit_code");
    if (x && x->timed_out) sy_obj_bool(&o, "timeout", true);
    else if (x && x->signal) sy_obj_int(&o, "signal", x->signal);
    else if (x && x->start_errno) sy_obj_int(&o, "start_errno", x->start_errno);
    else if (http && http->kind == SYMBI_INT) sy_obj_put(&o, "http_status", *http);
    else if (sy_str_eqz(symbi_value_str(env, "status", SY_LIT("")), "timeout")) sy_obj_bool(&o, "timeout", true);
    else sy_obj_int(&o, "status", code && code->kind == SYMBI_INT ? code->u.i : x ? x->exit_code : 0);
    return sy_obj_value(&o);
}

/* What a browser left: the content, and a picture of the page. */
static void pages(sy_obj *o, sy_arena *a, const symbi_value *env)
{
    const symbi_value *r = symbi_value_getz(env, "results");
    symbi_str file = symbi_value_str(env, "output_file", SY_LIT("")), shot = symbi_value_str(r, "screenshot_path", SY_LIT("")), hash = symbi_value_str(r, "screenshot_hash", SY_LIT(""));
    sy_obj s = sy_obj_new(a);
    if (file.n) sy_obj_str(o, "output_file", file);
    if (!shot.n || !sy_str_starts(hash, SY_LIT("sha256:"))) return;
    sy_obj_str(&s, "file", shot);
    sy_obj_str(&s, "sha256", (symbi_str){ hash.p + 7, hash.n - 7 });
    sy_obj_put(o, "screenshot", sy_obj_value(&s));
}

static symbi_value decision(sy_arena *a, const symbi_evidence_facts *f)
{
    sy_obj o = sy_obj_new(a);
    sy_obj_str(&o, "value", f->decision);
    sy_obj_put(&o, "policies", texts(a, f->policies, f->npolicies));
    if (f->has_sequence) sy_obj_count(&o, "journal_sequence", f->journal_sequence);
    return sy_obj_value(&o);
}

static symbi_value identity(sy_arena *a, const symbi_evidence_facts *f)
{
    sy_obj o = sy_obj_new(a);
    sy_obj_str(&o, "agent", f->agent);
    sy_obj_str(&o, "user", f->user);
    if (f->agentpin_kid.n) sy_obj_str(&o, "agentpin_kid", f->agentpin_kid);
    return sy_obj_value(&o);
}

static symbi_value build(sy_arena *a, const symbi_tool *t, const symbi_plan *p, const symbi_value *env, const symbi_exec_result *x, const symbi_evidence_facts *f)
{
    sy_obj o = sy_obj_new(a);
    const symbi_value *ms = symbi_value_getz(env, "duration_ms"), *bytes = symbi_value_getz(env, "output_bytes"), *parser = symbi_value_getz(env, "parser");
    symbi_str hash = symbi_value_str(env, "output_hash", SY_LIT(""));
    symbi_value empty = sy_val_object(NULL, 0);
    sy_obj_int(&o, "version", 1);
    sy_obj_str(&o, "loop_id", f->loop_id);
    sy_obj_str(&o, "call_id", f->call_id);
    sy_obj_str(&o, "scan_id", p->scan_id);
    sy_obj_put(&o, "tool", tool(a, t));
    sy_obj_put(&o, "parameters", p->args ? *p->args : empty);
    sy_obj_put(&o, "invocation", invocation(a, p));
    sy_obj_hex(&o, "plan_digest", p->digest, 32);
    sy_obj_int(&o, "started_at_ms", x ? x->started_ms : f->started_ms);
    sy_obj_int(&o, "duration_ms", x ? x->duration_ms : ms && ms->kind == SYMBI_INT ? ms->u.i : 0);
    sy_obj_put(&o, "exit", ended(a, x, env));
    if (x) sy_obj_hex(&o, "output_sha256", x->out_sha256, 32);
    else if (sy_str_starts(hash, SY_LIT("sha256:"))) sy_obj_str(&o, "output_sha256", (symbi_str){ hash.p + 7, hash.n - 7 });
    else sy_obj_str(&o, "output_sha256", SY_LIT(NO_OUTPUT));
    if (x) sy_obj_count(&o, "output_bytes", x->out_bytes);
    else if (bytes && bytes->kind == SYMBI_INT) sy_obj_put(&o, "output_bytes", *bytes);
    else sy_obj_int(&o, "output_bytes", 0);
    sy_obj_bool(&o, "truncated", x ? x->out_truncated || x->err_truncated : symbi_value_getz(env, "truncated") != NULL);
    if (x && x->output_file.n) sy_obj_str(&o, "output_file", x->output_file);
    if (p->kind == SYMBI_BACKEND_BROWSER) pages(&o, a, env);
    if (parser) sy_obj_put(&o, "parser", *parser);
    sy_obj_put(&o, "decision", decision(a, f));
    sy_obj_put(&o, "identity", identity(a, f));
    return sy_obj_value(&o);
}

symbi_status symbi_tool_evidence(symbi_ctx *cx, const symbi_tool *t, const symbi_plan *p, const symbi_value *envelope, const symbi_exec_result *x, const symbi_evidence_facts *f,
                                 symbi_doc **out, symbi_err *err)
{
    static const symbi_evidence_facts none = { 0 };
    sy_arena a;
    symbi_value v;
    symbi_status st;
    *out = NULL;
    symbi_err_clear(err);
    if ((st = sy_plan_sealed(cx, p, err))) return st;
    sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
    v = build(&a, t, p, envelope, x, f ? f : &none);
    st = a.status ? sy_arena_fail(&a, "the evidence", err) : symbi_doc_copy(cx, &v, out, err);
    sy_arena_free(&a);
    return st;
}
