/* gate/narrow.c: the rules of a `.symbi` agent, asked after the gate's own policies said yes. They are a Cedar set of their own whose
 * policies carry where they came from in annotations: source, line, rule, kind. What cannot be evaluated denies. */
#include "symbi/gate_narrow.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "gate/gate.h"
#include "symbi/cedar_explain.h"
#include "symbi/crypto.h"

#include <stdio.h>
#include <string.h>

struct sy_narrowing {
    symbi_narrow *rules;
    symbi_cedar_eval *eval, *marks; /* one each: an evaluator remembers the set it decided on last */
    symbi_narrow_host host;
};

void sy_narrow_free(symbi_gate *g)
{
    if (!g->narrow) return;
    symbi_cedar_eval_free(g->narrow->eval);
    symbi_cedar_eval_free(g->narrow->marks);
    symbi_narrow_unref(g->narrow->rules);
    sy_free(&g->cx->alloc, g->narrow, sizeof *g->narrow);
    g->narrow = NULL;
}

symbi_status sy_narrow_bind(symbi_gate *g, symbi_err *err)
{
    uint8_t both[64];
    symbi_status st;
    if (!g->narrow) return SYMBI_OK;
    memcpy(both, g->policy_hash, 32);
    symbi_narrow_hash(g->narrow->rules, both + 32);
    st = symbi_sha256(g->cx, (symbi_str){ (const char *)both, sizeof both }, g->policy_hash, err);
    if (st) memset(g->policy_hash, 0, sizeof g->policy_hash);
    return st;
}

symbi_status symbi_gate_narrow(symbi_gate *g, symbi_narrow *n, const symbi_narrow_host *host, symbi_err *err)
{
    struct sy_narrowing *w = NULL;
    symbi_status st = SYMBI_OK;
    if (n) {
        w = sy_calloc(&g->cx->alloc, 1, sizeof *w);
        if (!w) return sy_fail_nomem(err);
        if ((st = symbi_cedar_eval_new(g->cx, &w->eval, err)) || (symbi_narrow_audit(n) && (st = symbi_cedar_eval_new(g->cx, &w->marks, err)))) {
            symbi_cedar_eval_free(w->eval);
            sy_free(&g->cx->alloc, w, sizeof *w);
            return st;
        }
        w->rules = symbi_narrow_ref(n);
        if (host) w->host = *host;
    }
    sy_narrow_free(g);
    g->narrow = w;
    return symbi_gate_reload(g, g->policies, err);
}

const symbi_narrow_limits *symbi_gate_limits(const symbi_gate *g) { return g->narrow ? symbi_narrow_get_limits(g->narrow->rules) : NULL; }

static symbi_str note(const symbi_cedar *set, uint32_t i, const char *key) { return symbi_cedar_annotation_get(set, i, symbi_str_z(key)); }

/* "rule (file:line)" */
static void place(const symbi_cedar *set, uint32_t i, char out[240])
{
    char raw[480];
    symbi_cedar_policy_info pi;
    symbi_str rule = note(set, i, "rule");
    int n;
    symbi_cedar_policy(set, i, &pi);
    n = snprintf(raw, sizeof raw, "%.*s (%.*s:%u)", (int)(rule.n > 120 ? 120 : rule.n), rule.n ? rule.p : "", (int)(pi.source.n > 80 ? 80 : pi.source.n), pi.source.n ? pi.source.p : "", pi.line);
    sy_clean_line(out, 240, (symbi_str){ raw, n < 0 ? 0 : (size_t)n < sizeof raw ? (size_t)n : sizeof raw - 1 });
}

void symbi_verdict_audit_rule(const symbi_verdict *v, char out[240])
{
    out[0] = 0;
    if (v->audited && v->audit_set_) place(v->audit_set_, v->audit_rule_, out);
    else if (v->audited) memcpy(out, "the audit rules could not be asked", sizeof "the audit rules could not be asked");
}

/* From here on the verdict's policies are those of `set`. */
static void name_from(symbi_verdict *v, symbi_cedar *set)
{
    symbi_cedar_unref(v->set_);
    symbi_doc_unref(v->failures_);
    v->failures_ = NULL;
    v->npolicies = 0;
    v->set_ = symbi_cedar_ref(set);
}

static bool limits_met(symbi_gate *g, const symbi_action *a, const symbi_facts *f, symbi_verdict *v)
{
    const symbi_narrow_limits *l = symbi_narrow_get_limits(g->narrow->rules);
    const symbi_narrow_host *h = &g->narrow->host;
    /* The tiers from docker to firecracker are one ladder; e2b and bwrap stand beside it. bwrap is put into every plan (symbi_gate_redeem). */
    bool beside = l->sandbox >= SYMBI_SANDBOX_E2B || h->sandbox >= SYMBI_SANDBOX_E2B;
    bool tier = !l->sandbox || l->sandbox == SYMBI_SANDBOX_BWRAP || (beside ? h->sandbox == l->sandbox : h->sandbox >= l->sandbox);
    if (a->kind != SYMBI_ACTION_TOOL_CALL) return true;
    if (!tier)
        return sy_deny(v, SYMBI_CODE_OBLIGATION_UNMET, "the agent's tools must run in sandbox %s; this host runs them in %s (it says so itself: run it inside one and tell it)",
                       symbi_sandbox_name(l->sandbox), symbi_sandbox_name(h->sandbox));
    if (l->memory_bytes >= 0 && (!h->memory_bytes || h->memory_bytes > (uint64_t)l->memory_bytes))
        return sy_deny(v, SYMBI_CODE_OBLIGATION_UNMET, "the agent's tools may use %lld bytes of memory; this host does not hold them to that", (long long)l->memory_bytes);
    if (l->max_tool_calls >= 0 && f->tool_calls >= (uint64_t)l->max_tool_calls)
        return sy_deny(v, SYMBI_CODE_BUDGET_TOOL_CALLS, "the budget of %lld tool calls that the agent's definition sets is used up", (long long)l->max_tool_calls);
    return true;
}

bool sy_narrow_ask(symbi_gate *g, const symbi_action *a, const symbi_facts *f, bool approved, symbi_verdict *v)
{
    const char *kind = symbi_action_kind_name(a->kind);
    const symbi_cedar_error *failed = NULL;
    symbi_cedar *set;
    sy_gate_request q;
    symbi_cedar_answer ans;
    symbi_err err;
    symbi_status st;
    symbi_code code;
    uint32_t first;
    char where[240];
    if (!g->narrow) return true;
    set = symbi_narrow_rules(g->narrow->rules);
    if (!limits_met(g, a, f, v) || !sy_gate_build(g, a, f, approved, v, &q)) return false;
    st = symbi_cedar_authorize(g->narrow->eval, set, &q.rq, &ans, &err);
    if (st == SYMBI_ESCHEMA) return sy_deny(v, SYMBI_CODE_BAD_CONTEXT, "the context cannot be shown to the agent's rules: %s%s%s", err.path, err.path[0] ? ": " : "", err.msg);
    if (st) return sy_deny(v, sy_code_of(st), "%s: %s", symbi_code_text(sy_code_of(st)), err.msg);
    if (ans.decision == SYMBI_ALLOW && !ans.forbid_error) return true; /* the verdict goes on naming the policies that permit it */
    name_from(v, set);
    if (ans.decision == SYMBI_DENY)
        for (size_t i = 0; i < ans.nreasons; i++) sy_note_policy(g, v, ans.reasons[i], NULL);
    for (size_t i = 0; i < ans.nerrors; i++) {
        if (ans.errors[i].effect != SYMBI_CEDAR_FORBID) continue;
        if (!failed) failed = &ans.errors[i];
        sy_note_policy(g, v, ans.errors[i].policy, &ans.errors[i]);
    }
    if (!v->npolicies) return sy_deny(v, SYMBI_CODE_DSL_DENIED, "no allow rule of its .symbi definition lets agent %s do this: %s %s", v->agent, kind, v->name);
    if (ans.decision == SYMBI_DENY && ans.nreasons) {
        first = ans.reasons[0]; /* a deny is named before a require that is not met */
        for (size_t i = ans.nreasons; i-- > 0;)
            if (!sy_str_eqz(note(set, ans.reasons[i], "kind"), "require")) first = ans.reasons[i];
        failed = NULL;
    } else {
        first = failed->policy;
    }
    place(set, first, where);
    code = sy_str_eqz(note(set, first, "kind"), "require") ? SYMBI_CODE_OBLIGATION_UNMET : SYMBI_CODE_DSL_DENIED;
    return sy_deny(v, code, "%s %s: %s%s%s%.*s", kind, v->name, code == SYMBI_CODE_OBLIGATION_UNMET ? "not met: " : "", where, failed ? ", which cannot be evaluated: " : "",
                   failed ? (int)(failed->message.n > 120 ? 120 : failed->message.n) : 0, failed && failed->message.n ? failed->message.p : "");
}

/* What a request about v is built from, without the decision. Borrowed. */
static symbi_verdict facts_of(const symbi_verdict *v)
{
    symbi_verdict h;
    sy_verdict_zero(&h);
    h.kind = v->kind;
    h.input = v->input;
    h.tool = v->tool;
    h.identified = v->identified;
    h.identity_ = v->identity_;
    h.tool_verified = v->tool_verified;
    h.proof_ = v->proof_;
    return h;
}

bool sy_narrow_wants_person(symbi_gate *g, const symbi_action *a, const symbi_facts *f, symbi_verdict *v)
{
    bool allowed[2];
    if (!g->narrow || a->kind != SYMBI_ACTION_TOOL_CALL || !symbi_narrow_asks_approval(g->narrow->rules)) return false;
    for (int i = 0; i < 2; i++) {
        sy_gate_request q;
        symbi_cedar_answer ans;
        symbi_verdict hypothetical = facts_of(v);
        if (!sy_gate_build(g, a, f, i, &hypothetical, &q) || symbi_cedar_authorize(g->narrow->eval, symbi_narrow_rules(g->narrow->rules), &q.rq, &ans, NULL)) return false;
        allowed[i] = ans.decision == SYMBI_ALLOW && !ans.forbid_error;
    }
    return !allowed[0] && allowed[1];
}

void sy_narrow_mark(symbi_gate *g, const symbi_action *a, const symbi_facts *f, symbi_verdict *v)
{
    symbi_cedar *set = symbi_narrow_audit(g->narrow->rules);
    symbi_verdict hypothetical = facts_of(v);
    symbi_cedar_answer ans;
    sy_gate_request q;
    char rule[240];
    if (!set || v->code == SYMBI_CODE_BAD_ACTION) return;
    if (!sy_gate_build(g, a, f, g->person && v->has_permit, &hypothetical, &q) || symbi_cedar_authorize(g->narrow->marks, set, &q.rq, &ans, NULL)) {
        v->audited = true; /* what cannot be asked is recorded rather than not */
    } else if (ans.nreasons || ans.nerrors) {
        v->audited = true;
        v->audit_rule_ = ans.nreasons ? ans.reasons[0] : ans.errors[0].policy;
        v->audit_set_ = symbi_cedar_ref(set);
    }
    if (!v->audited || g->audit || !v->has_permit) return;
    symbi_verdict_audit_rule(v, rule);
    sy_deny(v, SYMBI_CODE_OBLIGATION_UNMET, "a record is required, and this gate keeps no trail: %s", rule);
}

symbi_status symbi_gate_explain_rules(symbi_gate *g, const symbi_action *a, const symbi_facts *f, const symbi_verdict *v, symbi_doc **out, symbi_err *err)
{
    symbi_verdict hypothetical = facts_of(v);
    symbi_cedar_answer ans;
    sy_gate_request q;
    *out = NULL;
    if (!g->narrow || v->code == SYMBI_CODE_BAD_ACTION || (a->kind == SYMBI_ACTION_TOOL_CALL && !v->input)) return SYMBI_OK;
    if (!sy_gate_build(g, a, f, false, &hypothetical, &q) || symbi_cedar_authorize(g->narrow->eval, symbi_narrow_rules(g->narrow->rules), &q.rq, &ans, NULL)) return SYMBI_OK;
    return symbi_cedar_explain(g->narrow->eval, out, err);
}
