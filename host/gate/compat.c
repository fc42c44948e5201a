/* gate/compat.c: the gate in compat mode: the request, the policy set and the reading of Cedar's answer as upstream's gate has
 * them (spec gates.md 3.1 and 3.2), for comparison with its vectors. It opens where ours stays shut: a forbid that errors is
 * skipped, a context that cannot be converted becomes {}. scripts/guide/policy.md lists the differences. */
#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/value.h"
#include "gate/gate.h"
#include "symbi/json.h"

#include <string.h>

symbi_status symbi_compat_policies(symbi_ctx *cx, const symbi_cedar_source *src, size_t n, symbi_cedar **out, symbi_err *err)
{
    symbi_cedar_source all;
    sy_arena a;
    symbi_status st;
    size_t len = 0;
    char *p;
    *out = NULL;
    if (!n) return SYMBI_OK;
    for (size_t i = 0; i < n; i++)
        if (__builtin_add_overflow(len, src[i].text.n + 1, &len)) return sy_fail_nomem(err);
    sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
    p = sy_arena_alloc(&a, len);
    if (!p) {
        st = sy_arena_fail(&a, "the joined policies", err);
        sy_arena_free(&a);
        return st;
    }
    memset(&all, 0, sizeof all);
    all.text.p = p;
    all.text.n = len - 1;
    for (size_t i = 0; i < n; i++) {
        if (src[i].text.n) memcpy(p, src[i].text.p, src[i].text.n);
        p += src[i].text.n;
        *p++ = '\n';
    }
    st = symbi_cedar_parse(cx, &all, 1, SYMBI_CEDAR_IDS_BY_POSITION, out, err);
    sy_arena_free(&a);
    return st;
}

/* Upstream's gate never looks at arguments. They are kept where they are an object, so that the digest binds them. */
bool sy_compat_arguments(symbi_gate *g, const symbi_action *a, symbi_verdict *v)
{
    symbi_doc *d = NULL;
    symbi_err err;
    symbi_status st;
    if (a->args) {
        st = symbi_doc_copy(g->cx, a->args, &d, &err);
    } else {
        if (a->args_text.n > g->cx->limits.arg_bytes)
            return sy_deny(v, SYMBI_CODE_ARGUMENTS_TOO_LARGE, "tool '%s' arguments are larger than %zu bytes", v->name, g->cx->limits.arg_bytes);
        st = symbi_json_parse(g->cx, a->args_text, &d, &err);
    }
    if (st == SYMBI_ENOMEM) return sy_deny(v, SYMBI_CODE_OUT_OF_MEMORY, "out of memory");
    if (!st && symbi_doc_root(d)->kind == SYMBI_OBJECT) v->input = d;
    else symbi_doc_unref(d);
    return true;
}

static symbi_str action_id(symbi_gate *g, const symbi_action *a)
{
    symbi_str kind = symbi_str_z(symbi_action_kind_name(a->kind)), s = kind;
    char *p;
    if (a->kind == SYMBI_ACTION_RESPOND || a->kind == SYMBI_ACTION_TERMINATE) return kind;
    p = sy_arena_alloc(&g->scratch, kind.n + 2 + a->name.n);
    if (!p) return s; /* the arena's status tells */
    memcpy(p, kind.p, kind.n);
    memcpy(p + kind.n, "::", 2);
    if (a->name.n) memcpy(p + kind.n + 2, a->name.p, a->name.n);
    s.p = p;
    s.n = kind.n + 2 + a->name.n;
    return s;
}

bool sy_gate_ask_compat(symbi_gate *g, const symbi_action *a, const symbi_facts *f, symbi_verdict *v)
{
    symbi_cedar_request rq;
    symbi_cedar_answer ans;
    symbi_err err;
    symbi_status st;
    if (!g->policies) {
        if (g->compat_allow) return true;
        return sy_deny(v, SYMBI_CODE_NO_POLICIES, "No Cedar policies loaded");
    }
    memset(&rq, 0, sizeof rq);
    sy_arena_reset(&g->scratch);
    rq.principal.type = SY_LIT("Agent");
    rq.principal.id = a->agent;
    rq.action.type = SY_LIT("Action");
    rq.action.id = action_id(g, a);
    rq.resource.type = SY_LIT("Resource");
    rq.resource.id = SY_LIT("default");
    rq.context = f->context;
    if (g->scratch.status) return sy_deny(v, sy_code_of(g->scratch.status), "%s", symbi_code_text(sy_code_of(g->scratch.status)));
    st = symbi_cedar_authorize(g->eval, g->policies, &rq, &ans, &err);
    if (st == SYMBI_ESCHEMA && f->context) {
        sy_log(g->cx, SYMBI_LOG_WARN, "gate", "COMPAT: the context cannot be converted and was replaced by {}: %s", err.msg);
        v->context_replaced = true;
        rq.context = NULL;
        st = symbi_cedar_authorize(g->eval, g->policies, &rq, &ans, &err);
    }
    if (st) return sy_deny(v, sy_code_of(st), "%s: %s", symbi_code_text(sy_code_of(st)), err.msg);
    for (size_t i = 0; i < ans.nreasons; i++) sy_note_policy(g, v, ans.reasons[i], NULL);
    for (size_t i = 0; i < ans.nerrors; i++) sy_note_policy(g, v, ans.errors[i].policy, &ans.errors[i]);
    if (ans.decision == SYMBI_ALLOW) return true;
    return sy_deny(v, ans.nreasons ? SYMBI_CODE_FORBIDDEN : SYMBI_CODE_DEFAULT_DENY, "Cedar denied action '%.*s' for agent %s%s%.*s", (int)rq.action.id.n, rq.action.id.p, v->agent,
                   ans.nerrors ? ": " : "", ans.nerrors ? (int)(ans.errors[ans.nerrors - 1].message.n < 160 ? ans.errors[ans.nerrors - 1].message.n : 159) : 0,
                   ans.nerrors ? ans.errors[ans.nerrors - 1].message.p : "");
}
