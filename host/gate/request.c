/* gate/request.c: an action as a Cedar request (design.md section 6, spec gates.md 3.1 and 3.3), and Cedar's answer as a
 * verdict. Everything built here lives in the gate's scratch arena until the next check. */
#include "base/err.h"
#include "base/str.h"
#include "base/ctx.h"
#include "cedar/entity.h"
#include "codec/build.h"
#include "gate/gate.h"

#include <string.h>

/* Keys of the context that only the runtime fills. */
static const char *const k_reserved[] = { "input", "provenance", "loop", "budget", "now", "surface", "has_human_approval" };
/* Attributes that a caller may state about an agent; `id` is ours. */
static const char *const k_agent_attrs[] = { "name", "capabilities", "domain", "tags" };
enum { K_CAPABILITIES = 1, K_DOMAIN = 2 };

static symbi_str joined(sy_arena *a, const char *kind, symbi_str name)
{
    size_t k = strlen(kind);
    char *p = sy_arena_alloc(a, k + 2 + name.n);
    symbi_str s = { p, k + 2 + name.n };
    if (!p) {
        s.n = 0;
        return s;
    }
    memcpy(p, kind, k);
    p[k] = p[k + 1] = ':';
    if (name.n) memcpy(p + k + 2, name.p, name.n);
    return s;
}

/* What the runtime states about an agent; but what a verified identity says of it stands above what is merely stated. */
static symbi_value agent_attrs(symbi_gate *g, const symbi_action *a, const symbi_facts *f, const symbi_verdict *v)
{
    sy_obj o = sy_obj_new(&g->scratch);
    sy_obj_str(&o, "id", a->agent);
    sy_obj_bool(&o, "verified", v->identified);
    if (v->identified) {
        const symbi_value *caps = symbi_agentpin_result_capabilities(v->identity_);
        sy_obj_str(&o, "domain", symbi_agentpin_result_issuer(v->identity_));
        sy_obj_put(&o, "capabilities", caps ? *caps : sy_val_array(NULL, 0));
    }
    for (size_t i = 0; i < sizeof k_agent_attrs / sizeof k_agent_attrs[0]; i++) {
        const symbi_value *x = symbi_value_getz(f->agent_attrs, k_agent_attrs[i]);
        if (v->identified && (i == K_CAPABILITIES || i == K_DOMAIN)) continue;
        if (x) sy_obj_put(&o, k_agent_attrs[i], *x);
        else if (i == 0) sy_obj_str(&o, "name", a->agent);
    }
    return sy_obj_value(&o);
}

static symbi_value resource_attrs(symbi_gate *g, const symbi_action *a, const symbi_verdict *v)
{
    sy_obj o = sy_obj_new(&g->scratch);
    symbi_str kind = symbi_str_z(symbi_action_kind_name(a->kind));
    sy_obj_str(&o, "kind", kind);
    sy_obj_str(&o, "name", a->name.n ? a->name : kind);
    sy_obj_bool(&o, "verified", v->tool_verified);
    if (v->tool_verified) {
        symbi_schemapin_info si;
        symbi_schemapin_result_info(v->proof_, &si);
        sy_obj_str(&o, "verified_by", si.domain);
    }
    if (v->tool) {
        symbi_tool_info ti;
        symbi_tool_get_info(v->tool, &ti);
        sy_obj_str(&o, "tool_name", a->name);
        sy_obj_str(&o, "risk_tier", ti.risk_tier);
        if (ti.capability.n) sy_obj_str(&o, "capability", ti.capability);
        sy_obj_str(&o, "backend", symbi_str_z(symbi_backend_name(ti.backend)));
        sy_obj_bool(&o, "human_approval", ti.human_approval);
    }
    return sy_obj_value(&o);
}

static symbi_value context_value(symbi_gate *g, const symbi_facts *f, bool approved, const symbi_verdict *v)
{
    sy_obj o = sy_obj_new(&g->scratch), loop = sy_obj_new(&g->scratch), budget = sy_obj_new(&g->scratch);
    if (f->context && f->context->kind == SYMBI_OBJECT)
        for (size_t i = 0; i < f->context->u.o.n; i++) sy_obj_puts(&o, f->context->u.o.members[i].key, f->context->u.o.members[i].val);
    sy_obj_put(&o, "input", v->input ? *symbi_doc_root(v->input) : sy_val_object(NULL, 0));
    sy_obj_str(&loop, "id", f->loop_id);
    sy_obj_count(&loop, "iteration", f->iteration);
    sy_obj_count(&loop, "tool_calls", f->tool_calls);
    sy_obj_count(&loop, "denied", f->denied);
    sy_obj_put(&o, "loop", sy_obj_value(&loop));
    /* absent = unlimited, so that a policy must say `context.budget has tokens` before it compares */
    if (f->tokens_left >= 0) sy_obj_int(&budget, "tokens", f->tokens_left);
    if (f->time_left_ms >= 0) sy_obj_int(&budget, "time_ms", f->time_left_ms);
    if (g->max_tool_calls)
        sy_obj_count(&budget, "tool_calls", g->max_tool_calls > f->tool_calls ? g->max_tool_calls - f->tool_calls : 0);
    sy_obj_put(&o, "budget", sy_obj_value(&budget));
    sy_obj_int(&o, "now", f->now_ms ? f->now_ms : symbi_ctx_now_ms(g->cx));
    sy_obj_str(&o, "surface", symbi_str_z(g->surface));
    sy_obj_bool(&o, "has_human_approval", approved);
    return sy_obj_value(&o);
}

/* Messages of failed policies outlive the answer in a document of their own. Without memory for them they are missing, nothing else. */
static void keep_message(symbi_gate *g, symbi_verdict *v, size_t place, symbi_str message)
{
    symbi_value *items;
    if (!v->failures_) {
        v->failures_ = sy_doc_new(g->cx);
        if (!v->failures_) return;
        items = sy_arena_calloc(&v->failures_->arena, SYMBI_VERDICT_POLICIES, sizeof *items);
        if (items) v->failures_->root = sy_val_array(items, SYMBI_VERDICT_POLICIES);
    }
    if (v->failures_->root.kind != SYMBI_ARRAY) return;
    message = sy_arena_dup(&v->failures_->arena, message);
    if (message.p) ((symbi_value *)v->failures_->root.u.a.items)[place] = sy_val_str(message);
}

void sy_note_policy(symbi_gate *g, symbi_verdict *v, uint32_t i, const symbi_cedar_error *e)
{
    size_t place = v->npolicies++;
    if (place >= SYMBI_VERDICT_POLICIES) return;
    if (!v->set_) v->set_ = symbi_cedar_ref(g->policies);
    v->policies_[place] = e ? i | SY_POLICY_FAILED : i;
    if (e) keep_message(g, v, place, e->message);
}

/* The id of a policy, for a reason: as much of it as fits beside the rest. */
static symbi_str short_id(const symbi_gate *g, uint32_t i)
{
    symbi_cedar_policy_info pi;
    symbi_cedar_policy(g->policies, i, &pi);
    if (pi.id.n > 95) pi.id.n = 95;
    return pi.id;
}

static symbi_str short_message(const symbi_cedar_error *e)
{
    symbi_str m = e->message;
    if (m.n > 159) m.n = 159;
    return m;
}

/* Turns Cedar's answer into the verdict: plain semantics, but an erroring forbid denies. */
static bool take_answer(symbi_gate *g, const symbi_action *a, const symbi_cedar_answer *ans, symbi_verdict *v)
{
    const char *kind = symbi_action_kind_name(a->kind);
    if (ans->forbid_error) {
        const symbi_cedar_error *first = NULL;
        for (size_t i = 0; i < ans->nerrors; i++) {
            if (ans->errors[i].effect != SYMBI_CEDAR_FORBID) continue;
            if (!first) first = &ans->errors[i];
            sy_note_policy(g, v, ans->errors[i].policy, &ans->errors[i]);
        }
        for (size_t i = 0; ans->decision == SYMBI_DENY && i < ans->nreasons; i++) sy_note_policy(g, v, ans->reasons[i], NULL);
        if (!first) return sy_deny(v, SYMBI_CODE_POLICY_ERROR, "a policy that could forbid this cannot be evaluated");
        return sy_deny(v, SYMBI_CODE_POLICY_ERROR, "policy %.*s could forbid this but cannot be evaluated: %.*s", SY_FMT(short_id(g, first->policy)), SY_FMT(short_message(first)));
    }
    for (size_t i = 0; i < ans->nreasons; i++) sy_note_policy(g, v, ans->reasons[i], NULL);
    for (size_t i = 0; i < ans->nerrors; i++) sy_note_policy(g, v, ans->errors[i].policy, &ans->errors[i]);
    if (ans->decision == SYMBI_ALLOW) return true;
    if (ans->nreasons) return sy_deny(v, SYMBI_CODE_FORBIDDEN, "%s%s%s is forbidden by policy %.*s", kind, v->name[0] ? " " : "", v->name, SY_FMT(short_id(g, ans->reasons[0])));
    if (ans->nerrors)
        return sy_deny(v, SYMBI_CODE_DEFAULT_DENY, "no policy permits %s%s%s; policy %.*s cannot be evaluated: %.*s", kind, v->name[0] ? " " : "", v->name,
                       SY_FMT(short_id(g, ans->errors[0].policy)), SY_FMT(short_message(&ans->errors[0])));
    return sy_deny(v, SYMBI_CODE_DEFAULT_DENY, "no policy permits %s%s%s for agent %s; allow it with: permit(principal, action == Action::\"%s%s%.100s\", resource);",
                   kind, v->name[0] ? " " : "", v->name, v->agent, kind, a->name.n ? "::" : "", v->name);
}

/* The groups that the gate's entities put u in, after `own`: an entity of the request hides the stored one, and must not lose them. */
static const symbi_cedar_uid *with_stored_parents(symbi_gate *g, symbi_cedar_uid u, const symbi_cedar_uid *own, size_t *n)
{
    sy_cuid key = { u.type, u.id };
    const sy_centity *e = g->entities ? sy_centity_at(g->entities, sy_centity_num(g->entities, &key)) : NULL;
    symbi_cedar_uid *all;
    if (!e || !e->nparents) return own;
    all = sy_arena_calloc(&g->scratch, *n + e->nparents, sizeof *all);
    if (!all) return own; /* the arena's status denies */
    if (*n) memcpy(all, own, *n * sizeof *all);
    for (uint32_t i = 0; i < e->nparents; i++) {
        all[*n].type = g->entities->uids[e->parents[i]].type;
        all[(*n)++].id = g->entities->uids[e->parents[i]].id;
    }
    return all;
}

/* The shadow set's answer to the same request: recorded, never obeyed. What it cannot answer counts as a deny, as it would be. */
static void ask_shadow(symbi_gate *g, const symbi_cedar_request *rq, symbi_verdict *v, bool allowed)
{
    symbi_cedar_answer ans;
    symbi_status st = symbi_cedar_authorize(g->eval, g->shadow, rq, &ans, NULL);
    v->has_shadow = true;
    v->shadow = !st && ans.decision == SYMBI_ALLOW && !ans.forbid_error ? SYMBI_ALLOW : SYMBI_DENY;
    symbi_cedar_unref(v->shadow_set_);
    v->shadow_set_ = NULL;
    if (!st && (ans.nreasons || ans.nerrors)) {
        v->shadow_set_ = symbi_cedar_ref(g->shadow);
        v->shadow_policy_ = ans.forbid_error || !ans.nreasons ? ans.errors[0].policy : ans.reasons[0];
    }
    g->shadow_asked++;
    if (allowed != (v->shadow == SYMBI_ALLOW)) g->shadow_differed++;
}

bool sy_gate_build(symbi_gate *g, const symbi_action *a, const symbi_facts *f, bool approved, symbi_verdict *v, sy_gate_request *q)
{
    static const symbi_cedar_member_rule input_rule = { { "input", 5 }, SYMBI_CEDAR_PLAIN };
    symbi_str kind = symbi_str_z(symbi_action_kind_name(a->kind));
    symbi_cedar_entity *ent = q->ent;

    if (f->context && f->context->kind != SYMBI_OBJECT)
        return sy_deny(v, SYMBI_CODE_BAD_CONTEXT, "the trusted context must be an object, got %s", symbi_kind_name((symbi_kind)f->context->kind));
    if (f->agent_attrs && f->agent_attrs->kind != SYMBI_OBJECT)
        return sy_deny(v, SYMBI_CODE_BAD_CONTEXT, "the agent's attributes must be an object, got %s", symbi_kind_name((symbi_kind)f->agent_attrs->kind));
    for (size_t i = 0; i < sizeof k_reserved / sizeof k_reserved[0]; i++)
        if (symbi_value_getz(f->context, k_reserved[i]))
            return sy_deny(v, SYMBI_CODE_RESERVED_CONTEXT_KEY, "context.%s is filled by the runtime only; use another key", k_reserved[i]);

    memset(q, 0, sizeof *q);
    sy_arena_reset(&g->scratch);
    q->pa = agent_attrs(g, a, f, v);
    q->ra = resource_attrs(g, a, v);
    q->cv = context_value(g, f, approved, v);
    q->rq.principal.type = SY_LIT("Agent");
    q->rq.principal.id = a->agent;
    q->rq.action.type = SY_LIT("Action");
    q->rq.action.id = a->name.n ? joined(&g->scratch, symbi_action_kind_name(a->kind), a->name) : kind;
    q->rq.resource.type = SY_LIT("Resource");
    q->rq.resource.id = SY_LIT("default");
    q->group.type = q->rq.action.type;
    q->group.id = kind;
    q->tool[0].type = q->tool[1].type = SY_LIT("Tool");
    q->tool[0].id = a->name;
    if (v->tool) { /* a command of a session or browser is in its manifest's name as well */
        symbi_tool_info ti;
        symbi_tool_get_info(v->tool, &ti);
        q->tool[1].id = ti.manifest;
    }
    ent[0].uid = q->rq.principal;
    ent[0].attrs = &q->pa;
    ent[0].parents = with_stored_parents(g, q->rq.principal, NULL, &ent[0].nparents);
    ent[1].uid = q->rq.action;
    ent[1].nparents = a->name.n ? 1 : 0;
    ent[1].parents = with_stored_parents(g, q->rq.action, &q->group, &ent[1].nparents);
    ent[2].uid = q->rq.resource;
    ent[2].attrs = &q->ra;
    ent[2].parents = q->tool;
    ent[2].nparents = a->kind != SYMBI_ACTION_TOOL_CALL ? 0 : q->tool[1].id.n && !sy_str_eq(q->tool[1].id, a->name) ? 2 : 1;
    q->rq.context = &q->cv;
    q->rq.rules = &input_rule;
    q->rq.nrules = 1;
    q->rq.entities = g->entities;
    q->rq.overlay = ent;
    q->rq.noverlay = 3;
    if (g->scratch.status) return sy_deny(v, sy_code_of(g->scratch.status), "%s", symbi_code_text(sy_code_of(g->scratch.status)));
    return true;
}

/* What the forbids of the answer ask for; kept in the gate until the next answer, because the answer itself does not last. */
static sy_asked instead(symbi_gate *g, const symbi_cedar_answer *ans)
{
    sy_instead_kind kind = SY_INSTEAD_NOTHING;
    g->nchanges = 0;
    g->retry_ms = 0;
    if (g->insteads.n && ans->decision == SYMBI_DENY && !ans->forbid_error && ans->nreasons && ans->permits) kind = sy_instead_strongest(&g->insteads, ans);
    for (size_t i = 0; kind != SY_INSTEAD_NOTHING && i < ans->nreasons; i++) {
        const sy_instead *x = sy_instead_of(&g->insteads, ans->reasons[i]);
        if (x->kind != kind) continue;
        if (kind == SY_INSTEAD_DEFER && x->retry_ms > g->retry_ms) g->retry_ms = x->retry_ms; /* when the last of them may have changed its mind */
        if (kind != SY_INSTEAD_MODIFY) continue;
        if (g->nchanges == SY_MODIFY_POLICIES) return SY_ASKED_NO;
        g->changes[g->nchanges++] = x;
    }
    switch (kind) {
    case SY_INSTEAD_STEP_UP: return SY_ASKED_STEP_UP;
    case SY_INSTEAD_MODIFY: return SY_ASKED_MODIFY;
    case SY_INSTEAD_DEFER: return SY_ASKED_DEFER;
    case SY_INSTEAD_NOTHING: break;
    }
    return SY_ASKED_NO;
}

sy_asked sy_gate_ask_cedar(symbi_gate *g, const symbi_action *a, const symbi_facts *f, bool approved, symbi_verdict *v)
{
    sy_gate_request q;
    symbi_cedar_answer ans;
    symbi_err err;
    symbi_status st;
    sy_asked asked;
    if (!sy_gate_build(g, a, f, approved, v, &q)) return SY_ASKED_NO;
    st = symbi_cedar_authorize(g->eval, g->policies, &q.rq, &ans, &err);
    if (st) {
        if (st == SYMBI_ESCHEMA) sy_deny(v, SYMBI_CODE_BAD_CONTEXT, "the context cannot be shown to policies: %s%s%s", err.path, err.path[0] ? ": " : "", err.msg);
        else sy_deny(v, sy_code_of(st), "%s: %s", symbi_code_text(sy_code_of(st)), err.msg);
        return SY_ASKED_NO;
    }
    asked = take_answer(g, a, &ans, v) ? SY_ASKED_YES : instead(g, &ans);
    if (g->shadow && !v->has_shadow) ask_shadow(g, &q.rq, v, asked == SY_ASKED_YES); /* once a check, about what was proposed */
    return asked;
}
