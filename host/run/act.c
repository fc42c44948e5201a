/* run/act.c: what a tool's answer becomes: evidence for the journal, an observation for the model. */
#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "run/machine.h"
#include "symbi/json.h"
#include "symbi/sanitize.h"
#include "symbi/secrets.h"
#include "toolclad/mcp_result.h"

#include <string.h>

/* JSON text of v in the turn arena. */
static symbi_status text_of(symbi_run *r, const symbi_value *v, symbi_str *out, symbi_err *err)
{
    symbi_text t;
    symbi_status st = symbi_json_write(r->cx, v, 0, &t, err);
    if (st) return st;
    *out = sy_run_dup(&r->turn, symbi_text_str(&t));
    symbi_text_free(&t);
    return r->turn.status ? sy_arena_fail(&r->turn, "the turn", err) : SYMBI_OK;
}

/* s in the turn arena without known secrets; raw: and else as it is. */
static symbi_status text_without(symbi_run *r, symbi_str s, bool raw, symbi_str *out, symbi_err *err)
{
    symbi_text bare = { 0 }, clean = { 0 };
    symbi_status st = symbi_redactor_apply(r->o.redactor, r->cx, s, &bare, err);
    if (!st && !raw) st = symbi_sanitize(r->cx, symbi_text_str(&bare), SYMBI_SANITIZE_PROSE, SYMBI_SANITIZE_COMMENTS | SYMBI_SANITIZE_LOSSY, &clean, NULL, err);
    if (!st) *out = sy_run_dup(&r->turn, symbi_text_str(raw ? &bare : &clean));
    symbi_text_free(&bare);
    symbi_text_free(&clean);
    if (st) return st;
    return r->turn.status ? sy_arena_fail(&r->turn, "the turn", err) : SYMBI_OK;
}

/* s as the model may read it: without known secrets, and without what a person would not see. */
static symbi_status clean_text(symbi_run *r, symbi_str s, symbi_str *out, symbi_err *err) { return text_without(r, s, r->o.raw_output, out, err); }

/* A copy of v with clean texts. Each text by itself: a comment that one of them leaves open must not swallow the others. */
static symbi_status value_without(symbi_run *r, const symbi_value *v, bool raw, symbi_value *out, size_t depth, symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    *out = *v;
    if (!depth) return sy_fail(err, SYMBI_ELIMIT, "what the tool gave is nested too deeply");
    if (v->kind == SYMBI_STRING) {
        *out = sy_val_str(SY_LIT(""));
        return text_without(r, v->u.s, raw, &out->u.s, err);
    }
    if (v->kind == SYMBI_ARRAY) {
        symbi_value *items = sy_arena_calloc(&r->turn, v->u.a.n + 1, sizeof *items);
        out->u.a.items = items;
        for (size_t i = 0; items && i < v->u.a.n && !st; i++) st = value_without(r, &v->u.a.items[i], raw, &items[i], depth - 1, err);
    } else if (v->kind == SYMBI_OBJECT) {
        symbi_member *m = sy_arena_calloc(&r->turn, v->u.o.n + 1, sizeof *m);
        out->u.o.members = m;
        for (size_t i = 0; m && i < v->u.o.n && !st; i++) {
            st = text_without(r, v->u.o.members[i].key, raw, &m[i].key, err);
            if (!st) st = value_without(r, &v->u.o.members[i].val, raw, &m[i].val, depth - 1, err);
        }
    }
    if (!st && r->turn.status) st = sy_arena_fail(&r->turn, "the turn", err);
    return st;
}

static symbi_status clean_value(symbi_run *r, const symbi_value *v, symbi_value *out, size_t depth, symbi_err *err) { return value_without(r, v, r->o.raw_output, out, depth, err); }

/* Keeps what a tool gave, and what the model is told of it. */
static symbi_status keep(symbi_run *r, sy_proposal *p, const symbi_value *v, symbi_err *err)
{
    symbi_value clean;
    symbi_status st;
    if (v->kind == SYMBI_STRING) p->observation = sy_run_dup(&r->turn, v->u.s);
    else if ((st = text_of(r, v, &p->observation, err))) return st;
    st = clean_value(r, v, &clean, r->cx->limits.doc_depth + 1, err);
    if (st) return st;
    if (clean.kind != SYMBI_STRING) return text_of(r, &clean, &p->told, err);
    p->told = clean.u.s;
    return SYMBI_OK;
}

static void evidence_head(symbi_run *r, const sy_proposal *p, sy_obj *o)
{
    symbi_tool_info ti;
    symbi_tool_get_info(p->v.tool, &ti);
    sy_obj_hex(o, "action_digest", p->v.action_digest, 32);
    sy_obj_str(o, "call_id", p->call_id);
    sy_obj_int(o, "duration_ms", symbi_ctx_mono_ms(r->cx) - p->started_mono);
    sy_obj_hex(o, "manifest_sha256", ti.sha256, 32);
    if (p->plan) {
        sy_obj_hex(o, "plan_digest", p->plan->digest, 32);
        if (p->plan->box) sy_obj_str(o, "sandbox", symbi_str_z(symbi_box_name(p->plan->box)));
        sy_obj_str(o, "scan_id", sy_run_dup(&r->turn, p->plan->scan_id));
    }
    sy_obj_str(o, "tool", p->name);
}

/* The whole record of a run (spec orga-oats.md 3.4), for the store; its hash goes into the journal's entry. Without known secrets, like all
 * that is kept. */
static symbi_status record(symbi_run *r, sy_proposal *p, const symbi_value *env, const symbi_exec_result *x, sy_obj *o, symbi_err *err)
{
    symbi_str ids[SYMBI_VERDICT_POLICIES];
    symbi_verdict_policy at;
    symbi_evidence_facts f = { 0 };
    symbi_doc *d;
    symbi_value bare;
    symbi_text t;
    uint8_t hash[32];
    symbi_status st;
    if (!r->o.audit) return SYMBI_OK;
    f.loop_id = r->o.loop_id;
    f.agent = r->o.agent_id;
    f.call_id = p->call_id;
    f.decision = symbi_str_z(symbi_decision_name(p->v.decision));
    f.policies = ids;
    while (f.npolicies < SYMBI_VERDICT_POLICIES && symbi_verdict_policy_at(&p->v, f.npolicies, &at)) ids[f.npolicies++] = sy_run_dup(&r->turn, symbi_str_z(at.id));
    if (p->v.identified) f.agentpin_kid = symbi_agentpin_result_kid(p->v.identity_);
    f.has_sequence = p->v.committed;
    f.journal_sequence = p->v.sequence;
    f.started_ms = symbi_ctx_now_ms(r->cx) - (symbi_ctx_mono_ms(r->cx) - p->started_mono);
    if (r->turn.status) return sy_arena_fail(&r->turn, "the turn", err);
    if ((st = symbi_tool_evidence(r->cx, p->v.tool, p->plan, env, x, &f, &d, err))) return st;
    st = value_without(r, symbi_doc_root(d), true, &bare, r->cx->limits.doc_depth + 1, err);
    symbi_doc_unref(d);
    if (st || (st = symbi_json_write(r->cx, &bare, SYMBI_JSON_CANONICAL, &t, err))) return st;
    p->record = sy_run_dup(&r->turn, symbi_text_str(&t));
    symbi_text_free(&t);
    if (r->turn.status) return sy_arena_fail(&r->turn, "the turn", err);
    if ((st = symbi_sha256(r->cx, p->record, hash, err))) return st;
    for (size_t i = 0; i < 32; i++) {
        static const char digit[] = "0123456789abcdef";
        p->record_key[2 * i] = digit[hash[i] >> 4];
        p->record_key[2 * i + 1] = digit[hash[i] & 15];
    }
    sy_obj_str(o, "evidence_sha256", symbi_str_z(p->record_key));
    return SYMBI_OK;
}

/* The record of what has no envelope: a function of the host's, or an execution that gave nothing. digest: of its n bytes, or NULL. */
static symbi_status record_bare(symbi_run *r, sy_proposal *p, const char *status, const uint8_t *digest, size_t n, sy_obj *o, symbi_err *err)
{
    sy_obj env = sy_obj_new(&r->turn);
    symbi_value v;
    if (!p->plan) return SYMBI_OK; /* nothing was handed out */
    sy_obj_int(&env, "duration_ms", symbi_ctx_mono_ms(r->cx) - p->started_mono);
    sy_obj_int(&env, "exit_code", digest ? 0 : -1);
    sy_obj_count(&env, "output_bytes", n);
    if (digest) {
        char text[72] = "sha256:";
        for (size_t i = 0; i < 32; i++) {
            text[7 + 2 * i] = "0123456789abcdef"[digest[i] >> 4];
            text[8 + 2 * i] = "0123456789abcdef"[digest[i] & 15];
        }
        sy_obj_str(&env, "output_hash", sy_run_dup(&r->turn, (symbi_str){ text, 71 }));
    }
    sy_obj_str(&env, "status", symbi_str_z(status));
    v = sy_obj_value(&env);
    return r->turn.status ? sy_arena_fail(&r->turn, "the turn", err) : record(r, p, &v, NULL, o, err);
}

static void failed(symbi_run *r, sy_proposal *p, symbi_str text)
{
    sy_obj o = sy_obj_new(&r->turn);
    symbi_err why;
    if (clean_text(r, text, &p->told, &why)) p->told = SY_LIT("the tool failed; what it said cannot be shown");
    evidence_head(r, p, &o);
    sy_obj_str(&o, "error", p->told);
    if (record_bare(r, p, "error", NULL, 0, &o, &why)) p->record = SY_LIT(""); /* out of memory, which the turn remembers: the entry stands by itself */
    sy_obj_str(&o, "status", SY_LIT("error"));
    p->evidence = sy_obj_value(&o);
    p->observation = text;
    p->failed = true;
}

/* What the model is told of an envelope: not its ids, paths and digests. */
static symbi_status tell_envelope(symbi_run *r, sy_proposal *p, const symbi_value *env, bool cut, symbi_err *err)
{
    static const char *const told[] = { "status", "exit_code", "http_status", "results", "stderr", "error", "truncated" };
    sy_obj o = sy_obj_new(&r->turn);
    symbi_value v;
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        const symbi_value *m = symbi_value_getz(env, told[i]);
        if (m && !(m->kind == SYMBI_STRING && !m->u.s.n)) sy_obj_put(&o, told[i], p->plan->kind == SYMBI_BACKEND_MCP && m->kind == SYMBI_OBJECT ? sy_mcp_told(&r->turn, m) : *m);
    }
    if (cut) sy_obj_bool(&o, "output_truncated", true);
    v = sy_obj_value(&o);
    return r->turn.status ? sy_arena_fail(&r->turn, "the turn", err) : keep(r, p, &v, err);
}

static symbi_status observe_exec(symbi_run *r, sy_proposal *p, const symbi_exec_result *x, symbi_err *err)
{
    symbi_doc *env;
    sy_obj e = sy_obj_new(&r->turn);
    symbi_str status;
    symbi_status st = symbi_tool_envelope(r->cx, p->v.tool, p->plan, x, &env, err);
    if (st) return st;
    st = tell_envelope(r, p, symbi_doc_root(env), x->out_truncated || x->err_truncated, err);
    status = sy_run_dup(&r->turn, symbi_value_str(symbi_doc_root(env), "status", SY_LIT("error")));
    if (!st) evidence_head(r, p, &e);
    if (!st) st = record(r, p, symbi_doc_root(env), x, &e, err);
    symbi_doc_unref(env);
    if (st) return st;
    p->failed = !sy_str_eqz(status, "success");
    sy_obj_int(&e, "exit_code", x->exit_code);
    sy_obj_count(&e, "output_bytes", x->out_bytes);
    sy_obj_hex(&e, "output_sha256", x->out_sha256, 32);
    if (x->signal) sy_obj_int(&e, "signal", x->signal);
    sy_obj_str(&e, "status", status);
    sy_obj_bool(&e, "truncated", x->out_truncated || x->err_truncated);
    p->evidence = sy_obj_value(&e);
    return r->turn.status ? sy_arena_fail(&r->turn, "the turn", err) : SYMBI_OK;
}

/* Tools of the other backends: their envelope is the evidence. The journal has it without what the model is told. */
static symbi_status observe_backend(symbi_run *r, sy_proposal *p, const symbi_value *raw, symbi_err *err)
{
    static const char *const own[] = { "status", "exit_code", "output_hash", "http_status", "http_method", "mcp_server", "mcp_tool", "session_id", "parent_session_id", "transcript_hash" };
    symbi_doc *env;
    symbi_value copy;
    sy_obj e = sy_obj_new(&r->turn);
    symbi_status st = symbi_tool_envelope_of(r->cx, p->v.tool, p->plan, raw, &env, err);
    if (st) return st;
    st = tell_envelope(r, p, symbi_doc_root(env), false, err);
    p->failed = !sy_str_eqz(symbi_value_str(symbi_doc_root(env), "status", SY_LIT("error")), "success");
    if (!st && (p->plan->kind == SYMBI_BACKEND_SESSION || p->plan->kind == SYMBI_BACKEND_BROWSER)) st = sy_run_note_session(r, p->v.tool, symbi_value_getz(symbi_doc_root(env), "results"), err);
    evidence_head(r, p, &e);
    for (size_t i = 0; !st && i < sizeof own / sizeof own[0]; i++) {
        const symbi_value *m = symbi_value_getz(symbi_doc_root(env), own[i]);
        if (m && !(st = clean_value(r, m, &copy, 4, err))) sy_obj_put(&e, own[i], copy);
    }
    if (!st) st = record(r, p, symbi_doc_root(env), NULL, &e, err);
    symbi_doc_unref(env);
    p->evidence = sy_obj_value(&e);
    if (st) return st;
    return r->turn.status ? sy_arena_fail(&r->turn, "the turn", err) : SYMBI_OK;
}

static symbi_status observe_value(symbi_run *r, sy_proposal *p, const symbi_value *v, symbi_err *err)
{
    sy_obj e = sy_obj_new(&r->turn);
    uint8_t hash[32];
    symbi_status st;
    if ((st = keep(r, p, v, err)) || (st = symbi_sha256(r->cx, p->observation, hash, err))) return st;
    evidence_head(r, p, &e);
    sy_obj_count(&e, "output_bytes", p->observation.n);
    sy_obj_hex(&e, "output_sha256", hash, 32);
    sy_obj_str(&e, "status", SY_LIT("success"));
    if ((st = record_bare(r, p, "success", hash, p->observation.n, &e, err))) return st;
    p->evidence = sy_obj_value(&e);
    return r->turn.status ? sy_arena_fail(&r->turn, "the turn", err) : SYMBI_OK;
}

symbi_status sy_run_observe(symbi_run *r, size_t i, const symbi_reply *reply, symbi_err *err)
{
    sy_proposal *p = &r->calls[i];
    symbi_err why;
    symbi_status st;
    p->finished = true;
    if (reply->error.code) {
        char text[sizeof reply->error.msg + 32];
        symbi_str s;
        size_t n = strnlen(reply->error.msg, sizeof reply->error.msg);
        memcpy(text, reply->error.msg, n);
        if (!n) n = (size_t)(stpcpy(text, symbi_status_text(reply->error.code)) - text);
        s.p = text;
        s.n = n;
        failed(r, p, sy_run_dup(&r->turn, s));
        if (reply->error.code == SYMBI_EPERMIT && p->plan && !r->turn.status) sy_run_event_order_refused(r, p, p->told); /* the executor did not believe the order */
        return r->turn.status ? sy_arena_fail(&r->turn, "the turn", err) : SYMBI_OK;
    }
    if (!p->plan) { /* whatever the driver did, it did not do it with our plan */
        failed(r, p, SY_LIT("the driver answered without redeeming the permit; the answer was discarded"));
        return r->turn.status ? sy_arena_fail(&r->turn, "the turn", err) : SYMBI_OK;
    }
    if (p->plan->kind == SYMBI_BACKEND_SHELL && reply->exec) st = observe_exec(r, p, reply->exec, &why);
    else if (p->plan->kind == SYMBI_BACKEND_CALLBACK && reply->value) st = observe_value(r, p, reply->value, &why);
    else if (p->plan->detail && reply->value) st = observe_backend(r, p, reply->value, &why);
    else {
        failed(r, p, SY_LIT("the driver gave no result for this kind of tool"));
        return r->turn.status ? sy_arena_fail(&r->turn, "the turn", err) : SYMBI_OK;
    }
    if (st == SYMBI_ENOMEM) return sy_fail_nomem(err);
    if (st) failed(r, p, sy_run_dup(&r->turn, symbi_str_z(why.msg)));
    return r->turn.status ? sy_arena_fail(&r->turn, "the turn", err) : SYMBI_OK;
}

static bool contract_broken(symbi_code c)
{
    return c == SYMBI_CODE_BAD_ARGUMENTS_JSON || c == SYMBI_CODE_ARGUMENTS_NOT_OBJECT || c == SYMBI_CODE_INVALID_ARGUMENTS || c == SYMBI_CODE_ARGUMENTS_TOO_LARGE;
}

static const char *refused_as(const sy_proposal *p)
{
    if (p->v.decision == SYMBI_DEFER) return "[Deferred] ";
    return contract_broken(p->v.code) ? "[Schema validation failed] " : "[Policy denied] ";
}

/* What a tool gave, as the model reads it. */
static symbi_status tell_result(symbi_run *r, const sy_proposal *p, symbi_err *err)
{
    const char *prefix = p->failed ? "[Error] " : p->v.modified ? "[Arguments changed by policy] " : "";
    return sy_conv_add_result(&r->conv, p->call_id, p->name, prefix, p->told.n ? p->told : SY_LIT("(no visible output)"), p->failed, err);
}

/* Each tool call is answered once, in proposal order (spec section 5); a denied answer becomes a note from the user's side,
 * because a conversation must not end with the assistant's own words. */
symbi_status sy_run_tell_model(symbi_run *r, symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    for (size_t i = 0; !st && i < r->ncalls; i++) {
        sy_proposal *p = &r->calls[i];
        if (p->kind != SYMBI_ACTION_TOOL_CALL) {
            sy_buf b;
            sy_buf_init(&b, r->cx->alloc, 4096);
            sy_buf_addz(&b, refused_as(p));
            sy_buf_addz(&b, p->v.reason);
            st = sy_buf_status(&b) ? sy_fail_nomem(err) : sy_conv_add_text(&r->conv, SY_ROLE_USER, sy_buf_str(&b), err);
            sy_buf_free(&b);
        } else if (!sy_proposal_may_run(p)) {
            st = sy_conv_add_result(&r->conv, p->call_id, p->name, refused_as(p),
                                    symbi_str_z(p->v.reason), true, err);
        } else if (!p->finished || !p->observation.n) {
            st = sy_conv_add_result(&r->conv, p->call_id, p->name, p->finished ? "" : "[Error] ",
                                    p->finished ? SY_LIT("(no output)") : SY_LIT("the tool produced no result"), !p->finished, err);
        } else {
            st = tell_result(r, p, err);
        }
    }
    return st;
}
