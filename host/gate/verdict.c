/* gate/verdict.c: names of actions and codes, the life of a verdict, and the audit event that records it. */
#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/build.h"
#include "codec/value.h"
#include "gate/gate.h"
#include "symbi/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    symbi_code code;
    const char *name, *text;
} g_codes[] = {
#define ROW(name, num, text) { SYMBI_CODE_##name, #name, text },
    SYMBI_DENY_LIST(ROW)
#undef ROW
};

bool symbi_code_at(size_t i, symbi_code *c, const char **name)
{
    if (i >= sizeof g_codes / sizeof g_codes[0]) return false;
    *c = g_codes[i].code;
    *name = g_codes[i].name;
    return true;
}

const char *symbi_code_name(symbi_code c)
{
    for (size_t i = 0; i < sizeof g_codes / sizeof g_codes[0]; i++)
        if (g_codes[i].code == c) return g_codes[i].name;
    return "UNSPECIFIED";
}

const char *symbi_code_text(symbi_code c)
{
    for (size_t i = 0; i < sizeof g_codes / sizeof g_codes[0]; i++)
        if (g_codes[i].code == c) return g_codes[i].text;
    return g_codes[0].text;
}

static const char *const k_kinds[] = { "none", "tool_call", "delegate", "send_message", "respond", "terminate" };

const char *symbi_action_kind_name(symbi_action_kind k)
{
    return (unsigned)k < sizeof k_kinds / sizeof k_kinds[0] ? k_kinds[k] : k_kinds[0];
}

symbi_action_kind symbi_action_kind_of(symbi_str name)
{
    for (size_t i = 1; i < sizeof k_kinds / sizeof k_kinds[0]; i++)
        if (sy_str_eqz(name, k_kinds[i])) return (symbi_action_kind)i;
    return SYMBI_ACTION_NONE;
}

symbi_code sy_code_of(symbi_status st)
{
    switch (st) {
    case SYMBI_ENOMEM: return SYMBI_CODE_OUT_OF_MEMORY;
    case SYMBI_EBUDGET: return SYMBI_CODE_EVALUATION_LIMIT;
    case SYMBI_ECRYPTO: return SYMBI_CODE_CRYPTO_FAILED;
    case SYMBI_ECLOCK: return SYMBI_CODE_CLOCK_BACKWARD;
    default: return SYMBI_CODE_INTERNAL;
    }
}

bool sy_deny(symbi_verdict *v, symbi_code c, const char *fmt, ...)
{
    char raw[sizeof v->reason * 2];
    symbi_str s;
    va_list ap;
    int n;
    va_start(ap, fmt);
    n = vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    s.p = raw;
    s.n = n < 0 ? 0 : (size_t)n < sizeof raw ? (size_t)n : sizeof raw - 1;
    sy_clean_line(v->reason, sizeof v->reason, s);
    v->decision = SYMBI_DENY;
    v->code = c;
    v->has_permit = false;
    memset(&v->permit, 0, sizeof v->permit);
    return false;
}

void symbi_verdict_clear(symbi_verdict *v)
{
    if (!v) return;
    symbi_doc_unref(v->input);
    symbi_doc_unref(v->proposed_);
    symbi_agentpin_result_unref(v->identity_);
    symbi_schemapin_result_unref(v->proof_);
    symbi_tool_unref(v->tool);
    symbi_cedar_unref(v->set_);
    symbi_cedar_unref(v->shadow_set_);
    symbi_cedar_unref(v->audit_set_);
    symbi_doc_unref(v->failures_);
    sy_verdict_zero(v);
}

void sy_verdict_zero(symbi_verdict *v)
{
    memset(v, 0, offsetof(symbi_verdict, agent));
    v->agent[0] = v->name[0] = v->reason[0] = 0;
}

bool symbi_verdict_policy_at(const symbi_verdict *v, size_t i, symbi_verdict_policy *out)
{
    symbi_cedar_policy_info pi;
    symbi_str m = { "", 0 };
    memset(out, 0, sizeof *out);
    if (i >= v->npolicies || i >= SYMBI_VERDICT_POLICIES || !v->set_) return false;
    symbi_cedar_policy(v->set_, v->policies_[i] & ~(uint32_t)SY_POLICY_FAILED, &pi);
    sy_clean_line(out->id, sizeof out->id, pi.id);
    sy_clean_line(out->source, sizeof out->source, pi.source);
    out->line = pi.line;
    out->forbid = pi.effect == SYMBI_CEDAR_FORBID;
    out->failed = (v->policies_[i] & SY_POLICY_FAILED) != 0;
    if (out->failed && v->failures_ && v->failures_->root.kind == SYMBI_ARRAY && v->failures_->root.u.a.items[i].kind == SYMBI_STRING) m = v->failures_->root.u.a.items[i].u.s;
    sy_clean_line(out->message, sizeof out->message, m);
    return true;
}

void symbi_verdict_shadow_policy(const symbi_verdict *v, char id[96])
{
    symbi_cedar_policy_info pi;
    id[0] = 0;
    if (!v->shadow_set_) return;
    symbi_cedar_policy(v->shadow_set_, v->shadow_policy_, &pi);
    sy_clean_line(id, 96, pi.id);
}

void sy_verdict_committed(symbi_verdict *v, uint64_t sequence)
{
    v->committed = true;
    v->sequence = sequence;
}

void sy_verdict_commit_failed(symbi_verdict *v, symbi_status st, const char *why)
{
    sy_deny(v, st == SYMBI_ECLOCK ? SYMBI_CODE_CLOCK_BACKWARD : SYMBI_CODE_AUDIT_FAILED, "%s: %s",
            symbi_code_text(st == SYMBI_ECLOCK ? SYMBI_CODE_CLOCK_BACKWARD : SYMBI_CODE_AUDIT_FAILED), why);
}

enum { SY_INPUT_RECORDED = 16384 }; /* bytes of arguments and of trusted context that an entry repeats; the digest covers all */

/* v as it will be recorded: itself, or only its length where its text is long. */
static void put_recorded(symbi_ctx *cx, sy_obj *o, const char *key, const char *key_bytes, const symbi_value *v)
{
    symbi_text t;
    symbi_status st;
    if (!v) return;
    st = symbi_json_write(cx, v, SYMBI_JSON_CANONICAL, &t, NULL);
    if (st == SYMBI_ENOMEM && !o->a->status) o->a->status = st; /* no record rather than half of one */
    if (st) return;
    if (t.n <= SY_INPUT_RECORDED) sy_obj_put(o, key, *v);
    else sy_obj_count(o, key_bytes, t.n);
    symbi_text_free(&t);
}

/* What policy saw besides the action: enough to ask another policy set the same question later. */
static symbi_value facts_value(symbi_ctx *cx, sy_arena *a, const symbi_facts *f)
{
    sy_obj o = sy_obj_new(a);
    if (f->agent_attrs) put_recorded(cx, &o, "agent", "agent_bytes", f->agent_attrs);
    if (f->context) put_recorded(cx, &o, "context", "context_bytes", f->context);
    sy_obj_count(&o, "denied", f->denied);
    sy_obj_count(&o, "iteration", f->iteration);
    if (f->time_left_ms >= 0) sy_obj_int(&o, "time_left_ms", f->time_left_ms);
    if (f->tokens_left >= 0) sy_obj_int(&o, "tokens_left", f->tokens_left);
    sy_obj_count(&o, "tool_calls", f->tool_calls);
    return sy_obj_value(&o);
}

/* Who the agent proved to be; of an identity that was refused, what it claimed. */
static symbi_value identity_value(symbi_ctx *cx, sy_arena *a, const symbi_verdict *v)
{
    const symbi_agentpin_result *r = v->identity_;
    const symbi_value *claimed = symbi_agentpin_result_claimed(r);
    sy_obj o = sy_obj_new(a);
    if (!symbi_agentpin_result_valid(r)) {
        put_recorded(cx, &o, "claimed", "claimed_bytes", claimed);
        sy_obj_str(&o, "error", symbi_str_z(symbi_agentpin_reason_name(symbi_agentpin_result_reason(r))));
    } else {
        sy_obj_int(&o, "exp", symbi_agentpin_result_exp(r));
        sy_obj_str(&o, "issuer", symbi_agentpin_result_issuer(r));
        sy_obj_str(&o, "jti", symbi_agentpin_result_jti(r));
        sy_obj_str(&o, "kid", symbi_agentpin_result_kid(r));
        sy_obj_str(&o, "sub", symbi_agentpin_result_agent_id(r));
    }
    sy_obj_bool(&o, "verified", v->identified);
    return sy_obj_value(&o);
}

static symbi_value proof_value(sy_arena *a, const symbi_verdict *v)
{
    symbi_schemapin_info si;
    sy_obj o = sy_obj_new(a);
    symbi_schemapin_result_info(v->proof_, &si);
    if (si.has_digest) sy_obj_hex(&o, "digest", si.digest, sizeof si.digest);
    sy_obj_str(&o, "domain", si.domain);
    if (!si.valid) sy_obj_str(&o, "error", symbi_str_z(symbi_schemapin_code_name(si.code)));
    sy_obj_str(&o, "fingerprint", si.fingerprint);
    sy_obj_str(&o, "tool_id", si.tool_id);
    sy_obj_bool(&o, "verified", v->tool_verified);
    return sy_obj_value(&o);
}

static symbi_value decision_value(symbi_ctx *cx, sy_arena *a, const sy_decided *d)
{
    const symbi_verdict *v = d->v;
    sy_obj o = sy_obj_new(a);
    sy_arr pol = sy_arr_new(a);
    size_t n = v->npolicies < SYMBI_VERDICT_POLICIES ? v->npolicies : SYMBI_VERDICT_POLICIES;
    sy_obj_hex(&o, "action_digest", v->action_digest, 32);
    if (v->audited) {
        char *rule = sy_arena_alloc(a, 240);
        sy_obj_bool(&o, "audit", true);
        if (rule) {
            symbi_verdict_audit_rule(v, rule);
            sy_obj_str(&o, "audit_rule", symbi_str_z(rule));
        }
    }
    if (d->call_id.n) sy_obj_str(&o, "call_id", d->call_id);
    sy_obj_str(&o, "code", symbi_str_z(symbi_code_name(v->code)));
    sy_obj_str(&o, "decision", symbi_str_z(symbi_decision_name(v->decision)));
    if (d->f) sy_obj_put(&o, "facts", facts_value(cx, a, d->f));
    if (v->identity_) sy_obj_put(&o, "identity", identity_value(cx, a, v));
    if (v->input) put_recorded(cx, &o, "input", "input_bytes", symbi_doc_root(v->input));
    sy_obj_str(&o, "kind", symbi_str_z(symbi_action_kind_name(v->kind)));
    if (v->compat) sy_obj_str(&o, "mode", v->context_replaced ? SY_LIT("compat, context replaced by {}") : SY_LIT("compat"));
    sy_obj_str(&o, "name", symbi_str_z(v->name));
    if (v->has_permit) sy_obj_hex(&o, "permit_nonce", v->permit.bytes + 4, 16);
    for (size_t i = 0; i < n; i++) {
        symbi_verdict_policy *p = sy_arena_alloc(a, sizeof *p);
        sy_obj q = sy_obj_new(a);
        if (!p || !symbi_verdict_policy_at(v, i, p)) break; /* no memory: the arena says so */
        sy_obj_str(&q, "effect", p->forbid ? SY_LIT("forbid") : SY_LIT("permit"));
        if (p->failed) sy_obj_str(&q, "error", symbi_str_z(p->message));
        sy_obj_str(&q, "id", symbi_str_z(p->id));
        if (p->line) sy_obj_int(&q, "line", p->line);
        sy_obj_str(&q, "source", symbi_str_z(p->source));
        sy_arr_add(&pol, sy_obj_value(&q));
    }
    sy_obj_put(&o, "policies", sy_arr_value(&pol));
    if (v->npolicies > n) sy_obj_count(&o, "policies_total", v->npolicies);
    if (v->proof_) sy_obj_put(&o, "proof", proof_value(a, v));
    if (v->proposed_) put_recorded(cx, &o, "input_proposed", "input_proposed_bytes", symbi_doc_root(v->proposed_));
    sy_obj_str(&o, "reason", symbi_str_z(v->reason));
    if (v->retry_after_ms) sy_obj_int(&o, "retry_after_ms", v->retry_after_ms);
    if (v->has_shadow) {
        char *id = sy_arena_alloc(a, 96);
        sy_obj q = sy_obj_new(a);
        sy_obj_str(&q, "decision", symbi_str_z(symbi_decision_name(v->shadow)));
        if (id) symbi_verdict_shadow_policy(v, id);
        sy_obj_str(&q, "policy", symbi_str_z(id ? id : ""));
        sy_obj_put(&o, "shadow", sy_obj_value(&q));
    }
    return sy_obj_value(&o);
}

symbi_status sy_verdicts_event(symbi_ctx *cx, const sy_decided *d, size_t n, uint64_t iteration, symbi_text *out, symbi_err *err)
{
    sy_arena a;
    sy_obj o;
    sy_arr list;
    size_t denied = 0;
    symbi_status st;
    symbi_value root;
    memset(out, 0, sizeof *out);
    sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
    o = sy_obj_new(&a);
    list = sy_arr_new(&a);
    for (size_t i = 0; i < n; i++) {
        if (d[i].v->decision != SYMBI_ALLOW && d[i].v->decision != SYMBI_MODIFY) denied++;
        sy_arr_add(&list, decision_value(cx, &a, &d[i]));
    }
    sy_obj_count(&o, "action_count", n);
    sy_obj_put(&o, "decisions", sy_arr_value(&list));
    sy_obj_count(&o, "denied_count", denied);
    sy_obj_count(&o, "iteration", iteration);
    if (n) sy_obj_hex(&o, "policy_set_hash", d[0].v->policy_hash, 32);
    sy_obj_str(&o, "type", SY_LIT("policy_evaluated"));
    root = sy_obj_value(&o);
    st = a.status ? sy_arena_fail(&a, "the audit event", err) : symbi_json_write(cx, &root, SYMBI_JSON_CANONICAL, out, err);
    sy_arena_free(&a);
    return st;
}

symbi_status symbi_verdict_event(symbi_ctx *cx, const symbi_verdict *v, symbi_str call_id, const symbi_facts *f, symbi_text *out, symbi_err *err)
{
    sy_decided d = { v, f, call_id };
    return sy_verdicts_event(cx, &d, 1, f ? f->iteration : 0, out, err);
}
