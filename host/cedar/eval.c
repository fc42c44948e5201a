/* cedar/eval.c: expressions (spec 6). The tree is walked by recursion whose depth the parser bounded (limits.expr_depth);
 * chains are loops. Nothing here allocates but from ev->mem. */
#include "cedar/eval.h"
#include "base/str.h"

#include <string.h>

#define NOINLINE __attribute__((noinline))

static const symbi_str str_none = { "", 0 };

static NOINLINE bool fail(symbi_cedar_eval *ev, const sy_cnode *n, symbi_cedar_error_kind kind, const char *fmt, symbi_str a, symbi_str b, symbi_str c)
{
    ev->err.pos = n->pos;
    return sy_cerr_set(&ev->err, kind, fmt, a, b, c);
}
static NOINLINE bool fail_type(symbi_cedar_eval *ev, const sy_cnode *n, const char *expected, const sy_cval *got)
{
    ev->err.pos = n->pos;
    return sy_cerr_type(&ev->err, expected, got);
}
static NOINLINE bool fail_mem(symbi_cedar_eval *ev) { return sy_cerr_set(&ev->err, SY_CEDAR_E_NOMEM, "out of memory"); }
static NOINLINE bool fail_budget(symbi_cedar_eval *ev) { return sy_cerr_set(&ev->err, SY_CEDAR_E_STOP, "too many steps"); }

static const char any_entity[] = "(entity of type `any_entity_type`)";
static const char set_or_entity[] = "one of [set, (entity of type `any_entity_type`)]";
static const char record_or_entity[] = "one of [record, (entity of type `any_entity_type`)]";

const sy_centity *sy_ceval_find(symbi_cedar_eval *ev, const sy_cuid *u)
{
    for (int k = 0; k < 3; k++)
        if (u == &ev->uid[k]) return ev->ent[k];
    for (uint32_t i = 0; i < ev->noverlay; i++)
        if (sy_cuid_eq(&ev->overlay[i].e.uid, u)) return &ev->overlay[i].e;
    return ev->store ? sy_centity_at(ev->store, sy_centity_num(ev->store, u)) : NULL;
}

static bool known_in(symbi_cedar_eval *ev, const sy_centity *e, const sy_cuid *b, uint32_t bnum, bool *result);

/* From an overlay entity upward: a queue, because overlay entities may name each other in a circle. */
static NOINLINE bool overlay_in(symbi_cedar_eval *ev, const sy_centity *e, const sy_cuid *b, uint32_t bnum, bool *result)
{
    sy_coverlay **queue = sy_scratch_array(&ev->mem, (size_t)ev->noverlay + 1, sizeof *queue), *o = (sy_coverlay *)(uintptr_t)e;
    uint32_t n = 0, at = 0;
    if (!queue) return fail_mem(ev);
    ev->mark++;
    o->mark = ev->mark;
    for (;;) {
        for (uint32_t i = 0; i < o->npar; i++) {
            const sy_centity *p;
            ev->steps++;
            if (sy_cuid_eq(&o->par[i], b)) {
                *result = true;
                return true;
            }
            p = sy_ceval_find(ev, &o->par[i]);
            if (!p) continue;
            if (p->num == SY_NONE) {
                sy_coverlay *q = (sy_coverlay *)(uintptr_t)p;
                if (q->mark != ev->mark) q->mark = ev->mark, queue[n++] = q;
            } else {
                if (!known_in(ev, p, b, bnum, result)) return false;
                if (*result) return true;
            }
        }
        if (at == n) break;
        o = queue[at++];
    }
    *result = false;
    return true;
}

static bool known_in(symbi_cedar_eval *ev, const sy_centity *e, const sy_cuid *b, uint32_t bnum, bool *result)
{
    bool oom = false;
    if (e->num == SY_NONE) return overlay_in(ev, e, b, bnum, result);
    *result = sy_centity_in(ev->store, e, bnum, &ev->mem, &ev->steps, &oom);
    return oom ? fail_mem(ev) : true;
}

/* The store's number of b. Literals of the set are looked up once per pair of set and store. */
static uint32_t num_of(symbi_cedar_eval *ev, const sy_cuid *b)
{
    size_t i = (size_t)((uintptr_t)b - (uintptr_t)ev->set->uids) / sizeof *b; /* huge when b is none of them */
    if (!ev->store) return SY_NONE;
    if (i >= ev->set->nuids) return sy_centity_num(ev->store, b);
    if (ev->uid_num[i] == SY_UNKNOWN) ev->uid_num[i] = sy_centity_num(ev->store, b);
    return ev->uid_num[i];
}

bool sy_ceval_in(symbi_cedar_eval *ev, const sy_cuid *a, const sy_cuid *b, bool *result)
{
    const sy_centity *e;
    if ((*result = sy_cuid_eq(a, b))) return true;
    e = sy_ceval_find(ev, a);
    if (!e || (e->num != SY_NONE && !e->nparents)) return true;
    return known_in(ev, e, b, num_of(ev, b), result);
}

static NOINLINE bool op_in(symbi_cedar_eval *ev, const sy_cnode *n, const sy_cval *a, const sy_cval *b, sy_cval *out)
{
    bool r = false;
    if (a->tag != SY_CV_ENTITY) return fail_type(ev, n, any_entity, a);
    if (b->tag == SY_CV_ENTITY) {
        if (!sy_ceval_in(ev, a->u.uid, b->u.uid, &r)) return false;
    } else if (b->tag == SY_CV_SET) {
        for (uint32_t i = 0; i < b->n; i++)
            if (b->u.items[i].tag != SY_CV_ENTITY) return fail_type(ev, n, any_entity, &b->u.items[i]);
        for (uint32_t i = 0; i < b->n && !r; i++) {
            if (++ev->steps > ev->budget) return fail_budget(ev);
            if (!sy_ceval_in(ev, a->u.uid, b->u.items[i].u.uid, &r)) return false;
        }
    } else {
        return fail_type(ev, n, set_or_entity, b);
    }
    *out = sy_cv_bool(r);
    return true;
}

static NOINLINE bool op_less(symbi_cedar_eval *ev, const sy_cnode *n, const sy_cval *a, const sy_cval *b, bool equal, sy_cval *out)
{
    static const char *const names[] = { [SY_CV_DATETIME] = "datetime", [SY_CV_DURATION] = "duration" };
    bool ta = a->tag == SY_CV_DATETIME || a->tag == SY_CV_DURATION, tb = b->tag == SY_CV_DATETIME || b->tag == SY_CV_DURATION;
    if (a->tag == b->tag && (a->tag == SY_CV_LONG || ta)) {
        *out = sy_cv_bool(equal ? a->u.i <= b->u.i : a->u.i < b->u.i);
        return true;
    }
    if (a->tag == SY_CV_LONG) return fail_type(ev, n, "long", b);
    if (b->tag == SY_CV_LONG) return fail_type(ev, n, "long", a);
    if (ta) return fail_type(ev, n, names[a->tag], b);
    if (tb) return fail_type(ev, n, names[b->tag], a);
    return fail_type(ev, n, "one of [long, datetime, duration]", a);
}

static NOINLINE bool missing(symbi_cedar_eval *ev, const sy_cnode *n, const sy_cuid *u, symbi_str what, bool tag)
{
    if (!u) return fail(ev, n, SYMBI_CEDAR_E_ATTR, "record does not have the attribute `%`", what, str_none, str_none);
    if (!what.p) return fail(ev, n, SYMBI_CEDAR_E_ENTITY, "entity `%::\"%\"` does not exist", u->type, u->id, str_none);
    return fail(ev, n, tag ? SYMBI_CEDAR_E_TAG : SYMBI_CEDAR_E_ATTR, tag ? "`%::\"%\"` does not have the tag `%`" : "`%::\"%\"` does not have the attribute `%`",
                u->type, u->id, what);
}

static bool get_attr(symbi_cedar_eval *ev, const sy_cnode *n, const sy_cval *v, symbi_str key, sy_cval *out)
{
    const sy_cval *r;
    if (v->tag == SY_CV_RECORD) {
        r = sy_crec_get(v->u.attrs, v->n, key);
        if (!r) return missing(ev, n, NULL, key, false);
    } else if (v->tag == SY_CV_ENTITY) {
        const sy_centity *e = sy_ceval_find(ev, v->u.uid);
        symbi_str none = { NULL, 0 };
        if (!e) return missing(ev, n, v->u.uid, none, false);
        r = sy_crec_get(e->attrs, e->nattrs, key);
        if (!r) return missing(ev, n, v->u.uid, key, false);
    } else {
        return fail_type(ev, n, record_or_entity, v);
    }
    *out = *r;
    return true;
}

/* v has k; on true *inner is the attribute's value. */
static bool has_attr(symbi_cedar_eval *ev, const sy_cnode *n, const sy_cval *v, symbi_str key, const sy_cval **inner)
{
    *inner = NULL;
    if (v->tag == SY_CV_RECORD) {
        *inner = sy_crec_get(v->u.attrs, v->n, key);
    } else if (v->tag == SY_CV_ENTITY) {
        const sy_centity *e = sy_ceval_find(ev, v->u.uid);
        if (e) *inner = sy_crec_get(e->attrs, e->nattrs, key);
    } else {
        return fail_type(ev, n, record_or_entity, v);
    }
    return true;
}

static NOINLINE bool op_tag(symbi_cedar_eval *ev, const sy_cnode *n, const sy_cval *a, const sy_cval *b, sy_cval *out)
{
    const sy_centity *e;
    const sy_cval *r;
    symbi_str none = { NULL, 0 };
    if (a->tag != SY_CV_ENTITY) return fail_type(ev, n, any_entity, a);
    if (b->tag != SY_CV_STRING) return fail_type(ev, n, "string", b);
    e = sy_ceval_find(ev, a->u.uid);
    r = e ? sy_crec_get(e->tags, e->ntags, sy_cv_text(*b)) : NULL;
    if (n->op == SY_OP_HASTAG) {
        *out = sy_cv_bool(r != NULL);
        return true;
    }
    if (!e) return missing(ev, n, a->u.uid, none, true);
    if (!r) return missing(ev, n, a->u.uid, sy_cv_text(*b), true);
    *out = *r;
    return true;
}

static NOINLINE bool op_set(symbi_cedar_eval *ev, const sy_cnode *n, const sy_cval *a, const sy_cval *b, sy_cval *out)
{
    const sy_cval *few, *many;
    bool all = n->op == SY_OP_CONTAINSALL, r = all;
    if (a->tag != SY_CV_SET) return fail_type(ev, n, "set", a);
    if (n->op == SY_OP_CONTAINS) {
        *out = sy_cv_bool(sy_cset_has(a, b, &ev->steps));
        return true;
    }
    if (b->tag != SY_CV_SET) return fail_type(ev, n, "set", b);
    few = b, many = a;
    if (!all && a->n < b->n) few = a, many = b;
    for (uint32_t i = 0; i < few->n && r == all; i++) {
        if (ev->steps > ev->budget) return fail_budget(ev);
        r = sy_cset_has(many, &few->u.items[i], &ev->steps);
    }
    *out = sy_cv_bool(r);
    return true;
}

/* Glob match on bytes: in valid UTF-8 a literal never matches inside a character. The last star is the only one to go back to. */
static NOINLINE bool like(symbi_cedar_eval *ev, symbi_str s, symbi_str p)
{
    size_t i = 0, j = 0, star = SIZE_MAX, back = 0, moves = 0;
    while (i < s.n) {
        moves++;
        if (j < p.n && (unsigned char)p.p[j] == 0xFF) {
            star = j++;
            back = i;
        } else if (j < p.n && p.p[j] == s.p[i]) {
            i++;
            j++;
        } else if (star != SIZE_MAX) {
            j = star + 1;
            i = ++back;
        } else {
            ev->steps += moves >> 6;
            return false;
        }
    }
    while (j < p.n && (unsigned char)p.p[j] == 0xFF) j++;
    ev->steps += moves >> 6;
    return j == p.n;
}

static NOINLINE bool op_call(symbi_cedar_eval *ev, const sy_cnode *n, sy_cval *out)
{
    const uint32_t *l = ev->set->list + n->a;
    sy_cval v[2] = { { 0 }, { 0 } }, x;
    for (uint32_t i = 0; i < n->b; i++) {
        if (!sy_ceval(ev, l[i], i < 2 ? &v[i] : &x)) return false;
    }
    if (n->sub == SY_CFN_NONE) /* only a JSON policy can name one that does not exist */
        return fail(ev, n, SYMBI_CEDAR_E_EXTENSION, "extension function `%` does not exist", ev->set->strs[l[n->b + 1]], str_none, str_none);
    if (sy_cfn_call((sy_cfn)n->sub, v, n->b, &ev->mem, out, &ev->err)) return true;
    ev->err.pos = n->pos;
    return false;
}

static NOINLINE bool op_set_literal(symbi_cedar_eval *ev, const sy_cnode *n, sy_cval *out)
{
    const uint32_t *l = ev->set->list + n->a;
    sy_cval *items = sy_scratch_array(&ev->mem, (size_t)n->b + 1, sizeof *items);
    if (!items) return fail_mem(ev);
    for (uint32_t i = 0; i < n->b; i++)
        if (!sy_ceval(ev, l[i], &items[i])) return false;
    out->tag = SY_CV_SET;
    out->n = sy_cset_normalise(items, n->b, &ev->steps);
    out->u.items = items;
    return true;
}

static NOINLINE bool op_record(symbi_cedar_eval *ev, const sy_cnode *n, sy_cval *out)
{
    const uint32_t *l = ev->set->list + n->a;
    sy_cattr *a = sy_scratch_array(&ev->mem, (size_t)n->b + 1, sizeof *a);
    if (!a) return fail_mem(ev);
    for (uint32_t i = 0; i < n->b; i++) {
        a[i].key = ev->set->strs[l[2 * i]];
        if (!sy_ceval(ev, l[2 * i + 1], &a[i].val)) return false;
    }
    out->tag = SY_CV_RECORD;
    out->n = n->b;
    out->u.attrs = a;
    return true;
}

static NOINLINE bool op_arith(symbi_cedar_eval *ev, const sy_cnode *n, sy_cval *out)
{
    const uint32_t *l = ev->set->list + n->a;
    int64_t r;
    sy_cval v;
    if (!sy_ceval(ev, l[0], out)) return false;
    for (uint32_t i = 1; i < n->b; i++) {
        bool minus = n->op == SY_OP_ADD && (l[i] & SY_MINUS), over;
        if (!sy_ceval(ev, l[i] & ~SY_MINUS, &v)) return false;
        if (out->tag != SY_CV_LONG) return fail_type(ev, n, "long", out);
        if (v.tag != SY_CV_LONG) return fail_type(ev, n, "long", &v);
        over = n->op == SY_OP_MUL ? __builtin_mul_overflow(out->u.i, v.u.i, &r)
               : minus            ? __builtin_sub_overflow(out->u.i, v.u.i, &r)
                                  : __builtin_add_overflow(out->u.i, v.u.i, &r);
        if (over)
            return fail(ev, n, SYMBI_CEDAR_E_OVERFLOW, "integer overflow while attempting to % the values",
                        n->op == SY_OP_MUL ? SY_LIT("multiply") : minus ? SY_LIT("subtract") : SY_LIT("add"), str_none, str_none);
        out->u.i = r;
    }
    return true;
}

static NOINLINE bool op_has(symbi_cedar_eval *ev, const sy_cnode *n, const sy_cval *v, sy_cval *out)
{
    const uint32_t *l = ev->set->list + n->b;
    sy_cval cur = *v;
    const sy_cval *inner;
    for (uint32_t i = 0; i < n->n; i++) {
        if (!has_attr(ev, n, &cur, ev->set->strs[l[i]], &inner)) return false;
        if (!inner) {
            *out = sy_cv_bool(false);
            return true;
        }
        cur = *inner;
    }
    *out = sy_cv_bool(true);
    return true;
}

bool sy_ceval(symbi_cedar_eval *ev, uint32_t i, sy_cval *out)
{
    const symbi_cedar *s = ev->set;
    const sy_cnode *n = &s->nodes[i];
    const uint32_t *l;
    sy_cval b;
    if (++ev->steps > ev->budget) return fail_budget(ev);
    switch ((sy_cop)n->op) {
    case SY_OP_BOOL: *out = sy_cv_bool(n->a != 0); return true;
    case SY_OP_LONG: *out = sy_cv_int(SY_CV_LONG, sy_cnode_long(n)); return true;
    case SY_OP_STR: *out = sy_cv_str(s->strs[n->a]); return true;
    case SY_OP_UID: *out = sy_cv_uid(&s->uids[n->a]); return true;
    case SY_OP_VAR:
        *out = n->sub == SY_VAR_CONTEXT ? ev->context : sy_cv_uid(&ev->uid[n->sub]);
        return true;
    case SY_OP_SLOT: {
        uint32_t u = ev->policy->fill[n->sub == SY_VAR_RESOURCE];
        if (u == SY_NONE) return fail(ev, n, SYMBI_CEDAR_E_TYPE, "a template slot has no value here", str_none, str_none, str_none);
        *out = sy_cv_uid(&s->uids[u]);
        return true;
    }
    case SY_OP_NOT:
        if (!sy_ceval(ev, n->a, out)) return false;
        if (out->tag != SY_CV_BOOL) return fail_type(ev, n, "bool", out);
        out->u.b = !out->u.b;
        return true;
    case SY_OP_NEG:
        if (!sy_ceval(ev, n->a, out)) return false;
        if (out->tag != SY_CV_LONG) return fail_type(ev, n, "long", out);
        if (out->u.i == INT64_MIN) return fail(ev, n, SYMBI_CEDAR_E_OVERFLOW, "integer overflow while attempting to negate the value", str_none, str_none, str_none);
        out->u.i = -out->u.i;
        return true;
    case SY_OP_AND:
    case SY_OP_OR:
        l = s->list + n->a;
        for (uint32_t k = 0; k < n->b; k++) {
            if (!sy_ceval(ev, l[k], out)) return false;
            if (out->tag != SY_CV_BOOL) return fail_type(ev, &s->nodes[l[k]], "bool", out);
            if (out->u.b == (n->op == SY_OP_OR)) return true;
        }
        return true;
    case SY_OP_ADD:
    case SY_OP_MUL: return op_arith(ev, n, out);
    case SY_OP_EQ:
    case SY_OP_NE:
        if (!sy_ceval(ev, n->a, out) || !sy_ceval(ev, n->b, &b)) return false;
        *out = sy_cv_bool(sy_cval_eq(out, &b, &ev->steps) == (n->op == SY_OP_EQ));
        return true;
    case SY_OP_LT:
    case SY_OP_LE:
        if (!sy_ceval(ev, n->a, out) || !sy_ceval(ev, n->b, &b)) return false;
        return op_less(ev, n, out, &b, n->op == SY_OP_LE, out);
    case SY_OP_GT: /* a > b is !(a <= b), a >= b is !(a < b): the operands keep their places */
    case SY_OP_GE:
        if (!sy_ceval(ev, n->a, out) || !sy_ceval(ev, n->b, &b) || !op_less(ev, n, out, &b, n->op == SY_OP_GT, out)) return false;
        out->u.b = !out->u.b;
        return true;
    case SY_OP_IN:
        if (!sy_ceval(ev, n->a, out) || !sy_ceval(ev, n->b, &b)) return false;
        return op_in(ev, n, out, &b, out);
    case SY_OP_HAS:
        if (!sy_ceval(ev, n->a, out)) return false;
        return op_has(ev, n, out, out);
    case SY_OP_GET:
        if (!sy_ceval(ev, n->a, out)) return false;
        return get_attr(ev, n, out, s->strs[n->b], out);
    case SY_OP_LIKE:
        if (!sy_ceval(ev, n->a, out)) return false;
        if (out->tag != SY_CV_STRING) return fail_type(ev, n, "string", out);
        *out = sy_cv_bool(like(ev, sy_cv_text(*out), s->strs[n->b]));
        return true;
    case SY_OP_IS:
        if (!sy_ceval(ev, n->a, out)) return false;
        if (out->tag != SY_CV_ENTITY) return fail_type(ev, n, any_entity, out);
        *out = sy_cv_bool(sy_str_eq(out->u.uid->type, s->strs[n->b]));
        return true;
    case SY_OP_ISIN:
        /* (e is T) && (e in x): x is not looked at when the type differs */
        l = s->list + n->a;
        if (!sy_ceval(ev, l[0], out)) return false;
        if (out->tag != SY_CV_ENTITY) return fail_type(ev, n, any_entity, out);
        if (!sy_str_eq(out->u.uid->type, s->strs[n->b])) {
            *out = sy_cv_bool(false);
            return true;
        }
        if (!sy_ceval(ev, l[1], &b)) return false;
        return op_in(ev, n, out, &b, out);
    case SY_OP_IF:
        l = s->list + n->a;
        if (!sy_ceval(ev, l[0], out)) return false;
        if (out->tag != SY_CV_BOOL) return fail_type(ev, n, "bool", out);
        return sy_ceval(ev, l[out->u.b ? 1 : 2], out);
    case SY_OP_SET:
        if (s->list[n->a + n->b]) {
            *out = s->vals[s->list[n->a + n->b] - 1];
            return true;
        }
        return op_set_literal(ev, n, out);
    case SY_OP_RECORD: return op_record(ev, n, out);
    case SY_OP_CALL:
        if (s->list[n->a + n->b]) {
            *out = s->vals[s->list[n->a + n->b] - 1];
            return true;
        }
        return op_call(ev, n, out);
    case SY_OP_CONTAINS:
    case SY_OP_CONTAINSALL:
    case SY_OP_CONTAINSANY:
        if (!sy_ceval(ev, n->a, out) || !sy_ceval(ev, n->b, &b)) return false;
        return op_set(ev, n, out, &b, out);
    case SY_OP_GETTAG:
    case SY_OP_HASTAG:
        if (!sy_ceval(ev, n->a, out) || !sy_ceval(ev, n->b, &b)) return false;
        return op_tag(ev, n, out, &b, out);
    case SY_OP_ISEMPTY:
        if (!sy_ceval(ev, n->a, out)) return false;
        if (out->tag != SY_CV_SET) return fail_type(ev, n, "set", out);
        *out = sy_cv_bool(out->n == 0);
        return true;
    }
    return fail(ev, n, SYMBI_CEDAR_E_TYPE, "damaged policy", str_none, str_none, str_none);
}
