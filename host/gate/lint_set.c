/* gate/lint_set.c: policies that cannot do what they say: scopes that no request of the gate has, policies that others cover,
 * templates without links, the seed's dialect. What conditions can do is lint_expr.c. */
#include "base/ctx.h"
#include "base/str.h"
#include "gate/instead.h"
#include "gate/lint_policy.h"
#include "toolclad/tool.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ALL_KINDS = 0x3e, DEPTH = 1000, WORK = 200000, SHADOW_PAIRS = 50000000 };

static void say(sy_lint_policy *lp, const char *rule, const char *severity, const char *fmt, ...) SYMBI_PRINTF(4, 5);
static void say(sy_lint_policy *lp, const char *rule, const char *severity, const char *fmt, ...)
{
    char raw[700], msg[700];
    symbi_str s;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    s = symbi_str_z(raw);
    sy_clean_line(msg, sizeof msg, s);
    sy_lint_add(lp->l, rule, severity, lp->policy->line, lp->policy->col, symbi_str_z(msg));
}
#define F(s) (int)((s).n > 120 ? 120 : (s).n), (s).p

/* ---- scopes ---- */

typedef struct action_id {
    symbi_action_kind kind;
    bool group;
    symbi_str name;
} action_id;

static const char *const k_groups[] = { "tool_call", "delegate", "send_message" };

/* "tool_call::x", "respond", or the group "tool_call". */
static bool read_action(symbi_str id, action_id *out)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < 3; i++) {
        size_t n = strlen(k_groups[i]);
        if (id.n < n || memcmp(id.p, k_groups[i], n) != 0) continue;
        out->kind = symbi_action_kind_of(symbi_str_z(k_groups[i]));
        if (id.n == n) {
            out->group = true;
            return true;
        }
        if (id.n > n + 2 && id.p[n] == ':' && id.p[n + 1] == ':') {
            out->name.p = id.p + n + 2;
            out->name.n = id.n - n - 2;
            return true;
        }
    }
    out->kind = symbi_action_kind_of(id);
    return out->kind == SYMBI_ACTION_RESPOND || out->kind == SYMBI_ACTION_TERMINATE;
}

/* One action of the scope. False when no request has it; *why then says so. */
static bool scope_action(sy_lint_policy *lp, const symbi_toolset *tools, uint32_t uid, bool in, char *why, size_t cap)
{
    const sy_cuid *u = &lp->set->uids[uid];
    const symbi_tool *t = NULL;
    action_id a;
    if (!sy_str_eqz(u->type, "Action")) {
        snprintf(why, cap, "actions are of type Action, not %.*s", F(u->type));
        return false;
    }
    if (!read_action(u->id, &a) && in) { /* the gate's entities may make it a group */
        say(lp, "never_matches", "note", "Action::\"%.*s\" is no action of the gate: this matches only where its entities put actions into it", F(u->id));
        lp->scope.kinds = ALL_KINDS;
        lp->scope.any_tool = true;
        return true;
    }
    if (!read_action(u->id, &a)) {
        snprintf(why, cap, "no action is called Action::\"%.*s\"; there are tool_call::<tool>, delegate::<agent>, send_message::<agent>, respond and terminate", F(u->id));
        return false;
    }
    if (a.group && !in) {
        snprintf(why, cap, "Action::\"%.*s\" is the group; write `action in Action::\"%.*s\"`", F(u->id), F(u->id));
        return false;
    }
    if (a.kind == SYMBI_ACTION_TOOL_CALL && !a.group && tools) {
        t = symbi_toolset_find(tools, a.name);
        if (!t) {
            say(lp, "unknown_tool", "warning", "no tool is called '%.*s'", F(a.name));
            snprintf(why, cap, "no tool is called '%.*s'", F(a.name));
            return false;
        }
    }
    lp->scope.kinds |= 1u << a.kind;
    if (a.kind != SYMBI_ACTION_TOOL_CALL) return true;
    if (!t) lp->scope.any_tool = true;
    else if (lp->scope.tools) lp->scope.tools[lp->scope.ntools++] = t;
    else lp->scope.any_tool = true;
    return true;
}

static bool lint_action_scope(sy_lint_policy *lp, const symbi_toolset *tools)
{
    const sy_cscope *s = &lp->policy->scope[1];
    char why[400] = "";
    bool matched = false;
    if (s->op == SY_SC_ANY || s->op == SY_SC_IS || s->op == SY_SC_ISIN) {
        lp->scope.kinds = ALL_KINDS;
        lp->scope.any_tool = true;
        return true;
    }
    lp->scope.kinds = 0;
    lp->scope.tools = sy_arena_calloc(lp->l->a, s->op == SY_SC_INLIST ? (size_t)s->n + 1 : 1, sizeof *lp->scope.tools);
    if (s->op != SY_SC_INLIST) {
        matched = scope_action(lp, tools, s->uid, s->op == SY_SC_IN, why, sizeof why);
    } else {
        for (uint32_t i = 0; i < s->n; i++) {
            why[0] = 0;
            if (scope_action(lp, tools, lp->set->list[s->uid + i], true, why, sizeof why)) matched = true;
            else if (!strstr(why, "no tool")) say(lp, "never_matches", "warning", "part of the action list never matches: %s", why);
        }
        if (!s->n) snprintf(why, sizeof why, "the action list is empty");
    }
    if (matched) return true;
    if (why[0] && !strstr(why, "no tool is")) say(lp, "never_matches", "error", "never matches: %s", why);
    return false;
}

/* Principal and resource. */
static bool lint_entity_scope(sy_lint_policy *lp, int which)
{
    const sy_cscope *s = &lp->policy->scope[which];
    const char *type = which ? "Resource" : "Agent", *what = which ? "resources" : "principals";
    const sy_cuid *u;
    if (s->slot || s->op == SY_SC_ANY) return true;
    if (s->op == SY_SC_IS || s->op == SY_SC_ISIN) {
        if (sy_str_eqz(lp->set->strs[s->type], type)) return true;
        say(lp, "never_matches", "error", "never matches: %s are of type %s, not %.*s", what, type, F(lp->set->strs[s->type]));
        return false;
    }
    u = &lp->set->uids[s->uid];
    if (s->op != SY_SC_EQ || sy_str_eqz(u->type, type)) {
        if (which && s->op == SY_SC_EQ && !sy_str_eqz(u->id, "default")) {
            say(lp, "never_matches", "error", "never matches: the resource is Resource::\"default\"; the tool is its ancestor: `resource in Tool::\"%.*s\"`", F(u->id));
            return false;
        }
        return true;
    }
    if (which && sy_str_eqz(u->type, "Tool")) say(lp, "never_matches", "error", "never matches: the resource is Resource::\"default\", below its tool; write `resource in Tool::\"%.*s\"`", F(u->id));
    else say(lp, "never_matches", "error", "never matches: %s are of type %s, not %.*s", what, type, F(u->type));
    return false;
}

/* ---- what covers what ---- */

static bool uid_covers(const symbi_cedar *set, uint32_t a, bool a_in, uint32_t b, bool action)
{
    const sy_cuid *x = &set->uids[a], *y = &set->uids[b];
    if (a == b || sy_cuid_eq(x, y)) return true;
    if (!a_in || !action || !sy_str_eqz(x->type, "Action") || !sy_str_eqz(y->type, "Action")) return false;
    return y->id.n > x->id.n + 2 && !memcmp(y->id.p, x->id.p, x->id.n) && y->id.p[x->id.n] == ':' && y->id.p[x->id.n + 1] == ':';
}

static bool list_covers(const symbi_cedar *set, const sy_cscope *a, uint32_t uid)
{
    if (a->op != SY_SC_INLIST) return uid_covers(set, a->uid, a->op == SY_SC_IN, uid, true);
    for (uint32_t i = 0; i < a->n; i++)
        if (uid_covers(set, set->list[a->uid + i], true, uid, true)) return true;
    return false;
}

/* Every request that passes b passes a. Says no where it is not sure. */
static bool scope_covers(const symbi_cedar *set, const sy_cscope *a, const sy_cscope *b, bool action)
{
    if (a->slot || b->slot) return false;
    if (a->op == SY_SC_ANY) return true;
    switch ((sy_cscope_op)b->op) {
    case SY_SC_ANY: return false;
    case SY_SC_INLIST:
        if (a->op != SY_SC_IN && a->op != SY_SC_INLIST) return false;
        for (uint32_t i = 0; i < b->n; i++)
            if (!list_covers(set, a, set->list[b->uid + i])) return false;
        return true;
    case SY_SC_EQ:
        if (a->op == SY_SC_IS) return sy_str_eq(set->strs[a->type], set->uids[b->uid].type);
        if (a->op == SY_SC_INLIST) return list_covers(set, a, b->uid);
        return (a->op == SY_SC_EQ || a->op == SY_SC_IN) && uid_covers(set, a->uid, a->op == SY_SC_IN, b->uid, action);
    case SY_SC_IN:
        if (a->op == SY_SC_INLIST) return list_covers(set, a, b->uid);
        return a->op == SY_SC_IN && uid_covers(set, a->uid, true, b->uid, action);
    case SY_SC_IS: return a->op == SY_SC_IS && sy_str_eq(set->strs[a->type], set->strs[b->type]);
    case SY_SC_ISIN:
        if (a->op == SY_SC_IS) return sy_str_eq(set->strs[a->type], set->strs[b->type]);
        if (a->op == SY_SC_IN) return sy_cuid_eq(&set->uids[a->uid], &set->uids[b->uid]);
        return a->op == SY_SC_ISIN && sy_str_eq(set->strs[a->type], set->strs[b->type]) && sy_cuid_eq(&set->uids[a->uid], &set->uids[b->uid]);
    }
    return false;
}

static bool covers(const symbi_cedar *set, const sy_cpolicy *a, const sy_cpolicy *b)
{
    return scope_covers(set, &a->scope[1], &b->scope[1], true) && scope_covers(set, &a->scope[0], &b->scope[0], false) && scope_covers(set, &a->scope[2], &b->scope[2], false);
}

typedef struct summary {
    uint8_t live;          /* decides, and can match */
    uint8_t unconditional;
} summary;

/* The text of the conditions: from the scope's end on. Equal texts are equal conditions. */
static symbi_str conditions(const symbi_cedar *set, const sy_cpolicy *p)
{
    symbi_str none = { NULL, 0 }, t;
    size_t depth = 0, from;
    if (!p->ncond || !p->end) return none;
    t = set->sources[p->source].text;
    for (from = p->pos; from < p->end && t.p[from] != '('; from++)
        if (t.p[from] == '@') return none; /* annotations hold parentheses of their own: compare nothing */
    for (; from < p->end; from++) {
        if (t.p[from] == '"') {
            for (from++; from < p->end && t.p[from] != '"'; from++) from += t.p[from] == '\\';
        } else if (t.p[from] == '(') depth++;
        else if (t.p[from] == ')' && --depth == 0) break;
    }
    t.p += from;
    t.n = p->end > from ? p->end - from : 0;
    return t;
}

static void lint_shadow(sy_lint *l, const symbi_cedar *set, const summary *sum)
{
    size_t pairs = 0;
    for (uint32_t q = 0; q < set->npolicies; q++) {
        const sy_cpolicy *Q = &set->policies[q];
        if (!sum[q].live) continue;
        for (uint32_t i = 0; i < set->npolicies; i++) {
            const sy_cpolicy *P = &set->policies[i];
            sy_lint_policy lp = { .l = l, .set = set, .policy = P };
            bool mutual;
            if (i == q || !sum[i].live || Q->effect > P->effect) continue; /* a permit takes nothing from a forbid */
            if (!sum[q].unconditional && Q->effect != P->effect) continue;
            if (++pairs > SHADOW_PAIRS) return;
            if (!covers(set, Q, P)) continue;
            if (!sum[q].unconditional) {
                symbi_str a = conditions(set, Q), b = conditions(set, P);
                if (!a.p || !b.p || !sy_str_eq(a, b)) continue;
            }
            mutual = Q->effect == P->effect && covers(set, P, Q) && (sum[i].unconditional || !sum[q].unconditional);
            if (mutual && i < q) continue; /* of two alike, the later one is said to be superfluous */
            l->policy = set->strs[P->id];
            l->source = set->sources[P->source].name;
            if (Q->effect != P->effect) say(&lp, "shadowed", "warning", "never permits anything: forbid %.*s covers all of it", F(set->strs[Q->id]));
            else say(&lp, "shadowed", "warning", "changes nothing: %.*s covers all of it", F(set->strs[Q->id]));
            if (l->a->status) return;
        }
    }
}

/* ---- the whole ---- */

/* "source:line:col: text", as the parser words its warnings. */
static void lint_dialect(sy_lint *l, const symbi_cedar *set)
{
    for (uint32_t i = 0; i < set->nwarnings; i++) {
        symbi_str w = set->warnings[i], text = w;
        uint32_t num[2] = { 0, 0 };
        l->policy.p = NULL;
        l->source.p = NULL;
        for (uint32_t s = 0; s < set->nsources; s++) {
            symbi_str name = set->sources[s].name;
            size_t at = name.n, k = 0;
            if (w.n <= name.n || memcmp(w.p, name.p, name.n) != 0 || w.p[name.n] != ':') continue;
            memset(num, 0, sizeof num);
            for (at++; at < w.n && k < 2; at++) {
                if (w.p[at] == ':') k++;
                else if (w.p[at] >= '0' && w.p[at] <= '9' && num[k] < 100000000) num[k] = num[k] * 10 + (uint32_t)(w.p[at] - '0');
                else break;
            }
            if (k < 2) continue;
            l->source = name;
            while (at < w.n && w.p[at] == ' ') at++;
            text.p = w.p + at;
            text.n = w.n - at;
            break;
        }
        sy_lint_add(l, "seed_dialect", "warning", num[0], num[1], text);
    }
    l->policy.p = l->source.p = NULL;
}

static summary lint_policy(sy_lint *l, const symbi_cedar *set, uint32_t i, const symbi_toolset *tools, const symbi_tool **all)
{
    const sy_cpolicy *p = &set->policies[i];
    sy_lint_policy lp = { .l = l, .set = set, .policy = p, .depth = DEPTH, .work = WORK };
    summary s = { 0, 0 };
    bool live, always = true;
    l->policy = set->strs[p->id];
    l->source = set->sources ? set->sources[p->source < set->nsources ? p->source : 0].name : l->policy;
    if (p->role == SYMBI_CEDAR_LINK) return s; /* its template was looked at */
    live = lint_action_scope(&lp, tools);
    live = lint_entity_scope(&lp, 0) && live;
    live = lint_entity_scope(&lp, 2) && live;
    if (!lp.scope.kinds) lp.scope.kinds = ALL_KINDS, lp.scope.any_tool = true;
    if (lp.scope.any_tool && all) { /* one of those that there are: a call of another never comes to policy */
        lp.scope.tools = all;
        lp.scope.ntools = symbi_toolset_count(tools);
        lp.scope.any_tool = lp.scope.ntools == 0;
    }
    if (p->role == SYMBI_CEDAR_TEMPLATE) {
        bool linked = false;
        for (uint32_t k = 0; k < set->npolicies; k++) linked = linked || (set->policies[k].role == SYMBI_CEDAR_LINK && set->policies[k].tmpl == i);
        if (!linked) say(&lp, "never_matches", "warning", "never decides: a template without a link");
    }
    for (uint32_t k = 0; live && k < p->ncond; k++) {
        uint32_t c = set->list[p->cond + k];
        int t = sy_lint_truth(&lp, c & ~SY_UNLESS, DEPTH);
        if (t >= 0 && (t == 1) == ((c & SY_UNLESS) != 0)) {
            uint32_t line, col;
            sy_lint_at(&lp, &set->nodes[c & ~SY_UNLESS], &line, &col);
            sy_lint_add(l, "never_matches", "error", line, col, symbi_str_z(c & SY_UNLESS ? "never matches: the unless condition is always true" : "never matches: the when condition is always false"));
            live = false;
        }
        if (t < 0) always = false;
    }
    sy_lint_conditions(&lp);
    s.live = live && p->role == SYMBI_CEDAR_STATIC;
    s.unconditional = always;
    return s;
}

/* A permit whose scope lets Action::"respond" through. */
static bool permits_answers(const symbi_cedar *set, uint32_t i)
{
    const sy_cscope *s = &set->policies[i].scope[1];
    if (set->policies[i].effect != SYMBI_CEDAR_PERMIT) return false;
    if (s->op == SY_SC_ANY || s->op == SY_SC_IS || s->op == SY_SC_ISIN) return true;
    if (s->op != SY_SC_INLIST) return sy_str_eqz(set->uids[s->uid].id, "respond");
    for (uint32_t k = 0; k < s->n; k++)
        if (sy_str_eqz(set->uids[set->list[s->uid + k]].id, "respond")) return true;
    return false;
}

bool sy_policies_answer(const symbi_cedar *set)
{
    for (uint32_t i = 0; i < set->npolicies; i++)
        if (permits_answers(set, i)) return true;
    return false;
}

symbi_status symbi_policy_lint_set(symbi_ctx *cx, const symbi_cedar *set, const symbi_toolset *tools, symbi_doc **out, symbi_err *err)
{
    symbi_doc *d;
    sy_lint l;
    summary *sum;
    const symbi_tool **all = NULL;
    bool answers = false;
    *out = NULL;
    d = sy_doc_new(cx);
    if (!d) return sy_fail_nomem(err);
    memset(&l, 0, sizeof l);
    l.a = &d->arena;
    l.list = sy_arr_new(l.a);
    lint_dialect(&l, set);
    if (tools) {
        all = sy_arena_calloc(l.a, symbi_toolset_count(tools) + 1, sizeof *all);
        for (size_t i = 0; all && i < symbi_toolset_count(tools); i++) all[i] = symbi_toolset_at(tools, i);
    }
    sum = sy_arena_calloc(l.a, (size_t)set->npolicies + 1, sizeof *sum);
    for (uint32_t i = 0; sum && i < set->npolicies && !l.a->status; i++) {
        sum[i] = lint_policy(&l, set, i, tools, all);
        answers = answers || permits_answers(set, i);
    }
    if (sum && !l.a->status) lint_shadow(&l, set, sum);
    l.policy.p = l.source.p = NULL;
    if (set->npolicies && !answers) sy_lint_add(&l, "no_answer", "note", 0, 0, symbi_str_z(SY_NO_ANSWER));
    if (!l.a->status) {
        symbi_err why;
        sy_insteads in;
        symbi_status st = sy_insteads_read(cx, set, &in, &why);
        if (!st) sy_insteads_free(&in);
        else if (st == SYMBI_ESCHEMA) sy_lint_add(&l, "instead", "error", 0, 0, symbi_str_z(why.msg));
        else if (!l.a->status) l.a->status = st;
    }
    d->root = sy_arr_value(&l.list);
    if (l.a->status) {
        symbi_status st = sy_arena_fail(l.a, "the findings", err);
        symbi_doc_unref(d);
        return st;
    }
    *out = d;
    return SYMBI_OK;
}
