/* cedar/explain.c: a decision retold for a person. Conditions are evaluated again, part by part, on the request that the evaluator
 * still holds; the decision path itself knows nothing of it. */
#include "symbi/cedar_explain.h"
#include "base/err.h"
#include "base/str.h"
#include "cedar/eval.h"
#include "cedar/print.h"
#include "codec/build.h"

#include <string.h>

enum { LEAVES = 12, VALUES = 6, TEXT = 400 };

typedef struct teller {
    symbi_cedar_eval *ev;
    sy_arena *a;
    const sy_cpolicy *body;
    size_t leaves;
    bool stop; /* the budget or memory is used up */
} teller;

typedef enum outcome { NO, YES, FAILED } outcome;

static bool fatal(const teller *t) { return t->ev->err.kind == SY_CEDAR_E_STOP || t->ev->err.kind == SY_CEDAR_E_NOMEM; }

static symbi_str cut(teller *t, sy_buf *b)
{
    symbi_str s = sy_buf_str(b), out = { "", 0 };
    if (b->status || !s.p) { /* larger than the buffer may be: an expression of a machine */
        out = SY_LIT("...");
    } else {
        if (s.n > TEXT) {
            s.n = TEXT;
            while (s.n && ((uint8_t)s.p[s.n] & 0xc0) == 0x80) s.n--;
        }
        out = sy_arena_dup(t->a, s);
    }
    sy_buf_free(b);
    return out;
}

static symbi_str text_of(teller *t, uint32_t node)
{
    sy_buf b;
    sy_buf_init(&b, t->ev->cx->alloc, 65536);
    sy_cprint_expr(&b, t->ev->set, node);
    return cut(t, &b);
}
static symbi_str value_text(teller *t, const sy_cval *v)
{
    sy_buf b;
    sy_buf_init(&b, t->ev->cx->alloc, 65536);
    sy_cval_print(&b, v);
    return cut(t, &b);
}
static symbi_str error_text(teller *t)
{
    symbi_str m = { t->ev->err.msg, t->ev->err.n };
    return sy_arena_dup(t->a, m);
}

static void put_place(teller *t, sy_obj *o, uint32_t node)
{
    const symbi_cedar *s = t->ev->set;
    uint32_t line = 0, col = 0;
    if (t->body->line && t->body->source < s->nsources) sy_cpos(s->sources[t->body->source].text, s->nodes[node].pos, &line, &col);
    sy_obj_int(o, "line", line);
    sy_obj_int(o, "col", col);
}

static outcome truth(teller *t, uint32_t node)
{
    sy_cval v;
    if (!sy_ceval(t->ev, node, &v)) {
        if (fatal(t)) t->stop = true;
        return FAILED;
    }
    if (v.tag != SY_CV_BOOL) {
        t->ev->err.pos = t->ev->set->nodes[node].pos;
        sy_cerr_type(&t->ev->err, "bool", &v);
        return FAILED;
    }
    return v.u.b ? YES : NO;
}

/* The values inside an expression that come from the request: variables and what hangs on them. */
static void values(teller *t, uint32_t node, sy_arr *out, size_t depth)
{
    const symbi_cedar *s = t->ev->set;
    const sy_cnode *n = &s->nodes[node];
    if (!depth || out->n >= VALUES || t->stop) return;
    switch ((sy_cop)n->op) {
    case SY_OP_BOOL: case SY_OP_LONG: case SY_OP_STR: case SY_OP_UID: return;
    case SY_OP_VAR: case SY_OP_SLOT: case SY_OP_GET: {
        sy_obj o = sy_obj_new(t->a);
        sy_cval v;
        symbi_str text = text_of(t, node);
        for (size_t i = 0; i < out->n; i++)
            if (sy_str_eq(symbi_value_str(&out->v[i], "text", SY_LIT("")), text)) return;
        sy_obj_str(&o, "text", text);
        if (sy_ceval(t->ev, node, &v)) sy_obj_str(&o, "value", value_text(t, &v));
        else {
            if (fatal(t)) t->stop = true;
            sy_obj_str(&o, "error", error_text(t));
        }
        sy_arr_add(out, sy_obj_value(&o));
        return;
    }
    case SY_OP_NOT: case SY_OP_NEG: case SY_OP_LIKE: case SY_OP_IS: case SY_OP_ISEMPTY: case SY_OP_HAS: values(t, n->a, out, depth - 1); return;
    case SY_OP_AND: case SY_OP_OR: case SY_OP_ADD: case SY_OP_MUL: case SY_OP_SET: case SY_OP_CALL:
        for (uint32_t i = 0; i < n->b; i++) values(t, s->list[n->a + i] & ~SY_MINUS, out, depth - 1);
        return;
    case SY_OP_IF:
        for (uint32_t i = 0; i < 3; i++) values(t, s->list[n->a + i], out, depth - 1);
        return;
    case SY_OP_ISIN:
        for (uint32_t i = 0; i < 2; i++) values(t, s->list[n->a + i], out, depth - 1);
        return;
    case SY_OP_RECORD:
        for (uint32_t i = 0; i < n->b; i++) values(t, s->list[n->a + 2 * i + 1], out, depth - 1);
        return;
    default:
        values(t, n->a, out, depth - 1);
        values(t, n->b, out, depth - 1);
        return;
    }
}

/* The smallest parts that made node come out as it did. */
static void because(teller *t, uint32_t node, sy_arr *out, size_t depth)
{
    const symbi_cedar *s = t->ev->set;
    const sy_cnode *n = &s->nodes[node];
    outcome r;
    sy_obj o;
    sy_arr vals;
    symbi_str why = { NULL, 0 };
    if (!depth || t->stop || t->leaves >= LEAVES) return;
    if (n->op == SY_OP_NOT) {
        because(t, n->a, out, depth - 1);
        return;
    }
    if (n->op == SY_OP_AND || n->op == SY_OP_OR) {
        const outcome decides = n->op == SY_OP_AND ? NO : YES;
        for (uint32_t i = 0; i < n->b; i++) { /* one that decides, or fails, is the whole reason */
            r = truth(t, s->list[n->a + i]);
            if (r == decides || r == FAILED) {
                because(t, s->list[n->a + i], out, depth - 1);
                return;
            }
        }
        for (uint32_t i = 0; i < n->b; i++) because(t, s->list[n->a + i], out, depth - 1);
        return;
    }
    if (n->op == SY_OP_IF) {
        r = truth(t, s->list[n->a]);
        because(t, s->list[n->a], out, depth - 1);
        if (r != FAILED) because(t, s->list[n->a + (r == YES ? 1u : 2u)], out, depth - 1);
        return;
    }
    t->leaves++;
    r = truth(t, node);
    if (r == FAILED) why = error_text(t);
    o = sy_obj_new(t->a);
    vals = sy_arr_new(t->a);
    sy_obj_str(&o, "text", text_of(t, node));
    put_place(t, &o, node);
    if (r == FAILED) {
        sy_obj_str(&o, "result", SY_LIT("error"));
        sy_obj_str(&o, "error", why);
    } else {
        sy_obj_bool(&o, "result", r == YES);
    }
    values(t, node, &vals, depth);
    sy_obj_put(&o, "values", sy_arr_value(&vals));
    sy_arr_add(out, sy_obj_value(&o));
}

static bool scope_matches(teller *t, const sy_cpolicy *p, int var)
{
    const symbi_cedar *s = t->ev->set;
    const sy_cscope *sc = &t->body->scope[var];
    const sy_cuid *u = &t->ev->uid[var];
    uint32_t uid = sc->slot ? p->fill[var == SY_VAR_RESOURCE] : sc->uid;
    bool in = false;
    switch ((sy_cscope_op)sc->op) {
    case SY_SC_ANY: return true;
    case SY_SC_EQ: return sy_cuid_eq(u, &s->uids[uid]);
    case SY_SC_IN: return sy_ceval_in(t->ev, u, &s->uids[uid], &in) && in;
    case SY_SC_IS: return sy_str_eq(u->type, s->strs[sc->type]);
    case SY_SC_ISIN: return sy_str_eq(u->type, s->strs[sc->type]) && sy_ceval_in(t->ev, u, &s->uids[uid], &in) && in;
    case SY_SC_INLIST:
        for (uint32_t i = 0; i < sc->n; i++)
            if (sy_ceval_in(t->ev, u, &s->uids[s->list[sc->uid + i]], &in) && in) return true;
        return false;
    }
    return false;
}

static symbi_value condition(teller *t, uint32_t c, outcome *r)
{
    sy_obj o = sy_obj_new(t->a);
    sy_arr why = sy_arr_new(t->a);
    uint32_t node = c & ~SY_UNLESS;
    bool unless = (c & SY_UNLESS) != 0;
    *r = truth(t, node);
    if (*r != FAILED && unless) *r = *r == YES ? NO : YES;
    sy_obj_str(&o, "clause", unless ? SY_LIT("unless") : SY_LIT("when"));
    sy_obj_bool(&o, "holds", *r == YES);
    if (*r == FAILED) sy_obj_str(&o, "error", error_text(t));
    put_place(t, &o, node);
    sy_obj_str(&o, "text", text_of(t, node));
    because(t, node, &why, t->ev->cx->limits.expr_depth + 8);
    sy_obj_put(&o, "because", sy_arr_value(&why));
    return sy_obj_value(&o);
}

static symbi_value policy(teller *t, const sy_cpolicy *p)
{
    static const char *const parts[] = { "principal", "action", "resource" };
    const symbi_cedar *s = t->ev->set;
    sy_obj o = sy_obj_new(t->a);
    sy_arr off = sy_arr_new(t->a), conds = sy_arr_new(t->a);
    outcome r = YES;
    t->body = p->role == SYMBI_CEDAR_LINK ? &s->policies[p->tmpl] : p;
    t->leaves = 0;
    t->ev->policy = p;
    sy_obj_str(&o, "id", sy_arena_dup(t->a, s->strs[p->id])); /* what is told outlives the set */
    if (t->body->source < s->nsources) sy_obj_str(&o, "source", sy_arena_dup(t->a, s->sources[t->body->source].name));
    sy_obj_int(&o, "line", t->body->line);
    sy_obj_str(&o, "effect", t->body->effect == SYMBI_CEDAR_PERMIT ? SY_LIT("permit") : SY_LIT("forbid"));
    for (int v = 0; v < 3; v++)
        if (!scope_matches(t, p, v)) sy_arr_add(&off, sy_val_str(symbi_str_z(parts[v])));
    if (off.n) {
        sy_obj_str(&o, "outcome", SY_LIT("scope"));
        sy_obj_put(&o, "scope", sy_arr_value(&off));
        return sy_obj_value(&o);
    }
    for (uint32_t i = 0; i < t->body->ncond && r == YES && !t->stop; i++) sy_arr_add(&conds, condition(t, s->list[t->body->cond + i], &r));
    sy_obj_str(&o, "outcome", r == YES ? SY_LIT("satisfied") : r == NO ? SY_LIT("not_satisfied") : SY_LIT("error"));
    sy_obj_put(&o, "conditions", sy_arr_value(&conds));
    return sy_obj_value(&o);
}

symbi_status symbi_cedar_explain(symbi_cedar_eval *ev, symbi_doc **out, symbi_err *err)
{
    teller t = { .ev = ev };
    symbi_doc *d;
    symbi_status st = SYMBI_OK;
    sy_arr list;
    *out = NULL;
    if (!ev->set) return sy_fail(err, SYMBI_ESTATE, "there is no decision to explain yet");
    d = sy_doc_new(ev->cx);
    if (!d) return sy_fail_nomem(err);
    t.a = &d->arena;
    list = sy_arr_new(t.a);
    ev->steps = 0;
    for (uint32_t i = 0; i < ev->set->npolicies && !t.stop && !d->arena.status; i++)
        if (ev->set->policies[i].role != SYMBI_CEDAR_TEMPLATE) sy_arr_add(&list, policy(&t, &ev->set->policies[i]));
    d->root = sy_arr_value(&list);
    if (t.stop) st = ev->err.kind == SY_CEDAR_E_STOP ? sy_fail(err, SYMBI_EBUDGET, "explaining this takes more than %llu steps", (unsigned long long)ev->budget) : sy_fail_nomem(err);
    else if (d->arena.status) st = sy_arena_fail(&d->arena, "the explanation", err);
    if (st) {
        symbi_doc_unref(d);
        return st;
    }
    *out = d;
    return SYMBI_OK;
}
