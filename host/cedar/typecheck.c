/* cedar/typecheck.c: the typing rules (spec 12.4). Every rule goes on after an error, with what it knows, to find more: a
 * result has a type that may be unknown (NULL), says whether something in it failed, and carries capabilities. */
#include "base/err.h"
#include "base/str.h"
#include "cedar/validate.h"

#include <stdarg.h>
#include <string.h>

typedef struct res {
    const sy_ctype *t;   /* NULL: unknown, after an error */
    const sy_ccap *caps; /* hold when it is true */
    bool fail;
} res;

static res ok(const sy_ctype *t, const sy_ccap *caps) { return (res){ t, caps, false }; }
static res failed(const sy_ctype *t) { return (res){ t, NULL, true }; }
static res oom(sy_cenv *e)
{
    e->stop = true;
    return failed(NULL);
}

/* ---- messages ---- */

/* Each %T takes a type, %S a symbi_str. */
static void report(sy_cenv *e, const char *kind, uint32_t pos, const char *fmt, ...)
{
    sy_buf b;
    va_list ap;
    sy_buf_init(&b, e->cx->alloc, 4096);
    va_start(ap, fmt);
    for (; *fmt; fmt++) {
        if (*fmt != '%') {
            sy_buf_addc(&b, *fmt);
        } else if (*++fmt == 'T') {
            sy_ty_print(&b, va_arg(ap, const sy_ctype *), 4);
        } else {
            symbi_str s = va_arg(ap, symbi_str);
            if (s.n > 200) s.n = 200;
            sy_buf_adds(&b, s);
        }
    }
    va_end(ap);
    if (sy_buf_status(&b) == SYMBI_ENOMEM) e->stop = true;
    else e->report(e->ud, kind, pos, sy_buf_status(&b) ? symbi_str_z("(a very long message)") : sy_buf_str(&b));
    sy_buf_free(&b);
}

/* ---- capabilities ---- */

static bool node_eq(sy_cenv *e, uint32_t a, uint32_t b, unsigned depth);

static bool list_eq(sy_cenv *e, const uint32_t *a, const uint32_t *b, uint32_t n, unsigned depth)
{
    for (uint32_t i = 0; i < n; i++)
        if ((a[i] & SY_MINUS) != (b[i] & SY_MINUS) || !node_eq(e, a[i] & ~SY_MINUS, b[i] & ~SY_MINUS, depth)) return false;
    return true;
}

static bool node_eq(sy_cenv *e, uint32_t x, uint32_t y, unsigned depth)
{
    const symbi_cedar *s = e->set;
    const sy_cnode *a = &s->nodes[x], *b = &s->nodes[y];
    const uint32_t *la, *lb;
    e->work++;
    if (x == y) return true;
    if (a->op != b->op || !depth) return false;
    la = s->list + a->a;
    lb = s->list + b->a;
    switch ((sy_cop)a->op) {
    case SY_OP_BOOL: case SY_OP_STR: case SY_OP_UID: return a->a == b->a;
    case SY_OP_LONG: return a->a == b->a && a->b == b->b;
    case SY_OP_VAR: case SY_OP_SLOT: return a->sub == b->sub;
    case SY_OP_NOT: case SY_OP_NEG: case SY_OP_ISEMPTY: return node_eq(e, a->a, b->a, depth - 1);
    case SY_OP_GET: case SY_OP_LIKE: case SY_OP_IS: return a->b == b->b && node_eq(e, a->a, b->a, depth - 1);
    case SY_OP_HAS: return a->n == b->n && !memcmp(s->list + a->b, s->list + b->b, a->n * sizeof *la) && node_eq(e, a->a, b->a, depth - 1);
    case SY_OP_AND: case SY_OP_OR: case SY_OP_ADD: case SY_OP_MUL: case SY_OP_SET: return a->b == b->b && list_eq(e, la, lb, a->b, depth - 1);
    case SY_OP_CALL: return a->sub == b->sub && a->b == b->b && list_eq(e, la, lb, a->b, depth - 1);
    case SY_OP_IF: return list_eq(e, la, lb, 3, depth - 1);
    case SY_OP_ISIN: return a->b == b->b && list_eq(e, la, lb, 2, depth - 1);
    case SY_OP_RECORD:
        if (a->b != b->b) return false;
        for (uint32_t i = 0; i < a->b; i++)
            if (la[2 * i] != lb[2 * i] || !node_eq(e, la[2 * i + 1], lb[2 * i + 1], depth - 1)) return false;
        return true;
    default: return node_eq(e, a->a, b->a, depth - 1) && node_eq(e, a->b, b->b, depth - 1);
    }
}

/* The same expression? Each is a node followed by attributes; x.a.b is also x.a followed by b. */
static bool base_eq(sy_cenv *e, uint32_t n1, const uint32_t *p1, uint32_t k1, uint32_t n2, const uint32_t *p2, uint32_t k2)
{
    const sy_cnode *nodes = e->set->nodes;
    for (;;) {
        bool g1 = k1 || nodes[n1].op == SY_OP_GET, g2 = k2 || nodes[n2].op == SY_OP_GET;
        uint32_t a1, a2;
        if (!g1 || !g2) break;
        a1 = k1 ? p1[k1 - 1] : nodes[n1].b;
        a2 = k2 ? p2[k2 - 1] : nodes[n2].b;
        if (a1 != a2) return false;
        if (k1) k1--;
        else n1 = nodes[n1].a;
        if (k2) k2--;
        else n2 = nodes[n2].a;
    }
    if (k1 || k2) return false;
    return node_eq(e, n1, n2, (unsigned)e->cx->limits.expr_depth);
}

static bool cap_eq(sy_cenv *e, const sy_ccap *a, const sy_ccap *b)
{
    e->work++;
    if (a->attr != b->attr || (a->attr == SY_NONE && !node_eq(e, a->tag, b->tag, (unsigned)e->cx->limits.expr_depth))) return false;
    return base_eq(e, a->node, a->path, a->npath, b->node, b->path, b->npath);
}

static bool holds(sy_cenv *e, const sy_ccap *caps, const sy_ccap *c)
{
    for (; caps; caps = caps->next) {
        if (e->work > e->budget) {
            e->stop = true;
            return false;
        }
        if (cap_eq(e, caps, c)) return true;
    }
    return false;
}

static const sy_ccap *cons(sy_cenv *e, const sy_ccap *c, const sy_ccap *rest)
{
    sy_ccap *n = sy_scratch_alloc(e->mem, sizeof *n);
    if (!n) {
        e->stop = true;
        return rest;
    }
    *n = *c;
    n->next = rest;
    return n;
}

/* a then b; copies a, which is usually the shorter one. */
static const sy_ccap *both(sy_cenv *e, const sy_ccap *a, const sy_ccap *b)
{
    if (!a) return b;
    if (!b) return a;
    for (; a && !e->stop; a = a->next) {
        b = cons(e, a, b);
        if (++e->work > e->budget) e->stop = true;
    }
    return b;
}

static const sy_ccap *common(sy_cenv *e, const sy_ccap *a, const sy_ccap *b)
{
    const sy_ccap *r = NULL;
    for (; a && !e->stop; a = a->next)
        if (holds(e, b, a)) r = cons(e, a, r);
    return r;
}

/* ---- rules ---- */

static res check(sy_cenv *e, uint32_t node, const sy_ccap *C);

static uint32_t pos_of(const sy_cenv *e, uint32_t node) { return e->set->nodes[node].pos; }

/* r must be of one of the types; else an error, and its type is unknown from there on, so that one fault is told once. */
static res expect2(sy_cenv *e, res r, uint32_t pos, const sy_ctype *a, const sy_ctype *b)
{
    if (!r.t || sy_ty_fits(r.t, a) || (b && sy_ty_fits(r.t, b))) return r;
    if (b) report(e, "unexpected_type", pos, "unexpected type: expected %T or %T but saw %T", a, b, r.t);
    else report(e, "unexpected_type", pos, "unexpected type: expected %T but saw %T", a, r.t);
    return failed(NULL);
}
static res expect(sy_cenv *e, uint32_t node, const sy_ccap *C, const sy_ctype *t) { return expect2(e, check(e, node, C), pos_of(e, node), t, NULL); }

/* The strict requirement that two types have a least upper bound. */
static bool compatible(sy_cenv *e, const sy_ctype *a, const sy_ctype *b, uint32_t pos)
{
    bool no_mem = false;
    if (!a || !b || sy_ty_lub(a, b, e->mem, &no_mem)) return true;
    if (no_mem) {
        e->stop = true;
        return true;
    }
    report(e, "incompatible_types", pos, "the types %T and %T are not compatible", a, b);
    return false;
}

static res entity_type(sy_cenv *e, uint32_t k)
{
    sy_ctype *t = sy_scratch_alloc(e->mem, sizeof *t);
    if (!t) return oom(e);
    memset(t, 0, sizeof *t);
    t->kind = SY_T_ENTITY;
    t->entity = k;
    t->name = e->schema->entities[k].name;
    return ok(t, NULL);
}
static res action_type(sy_cenv *e, symbi_str name)
{
    sy_ctype *t = sy_scratch_alloc(e->mem, sizeof *t);
    if (!t) return oom(e);
    memset(t, 0, sizeof *t);
    t->kind = SY_T_ACTION;
    t->name = name;
    return ok(t, NULL);
}
static bool is_action_name(symbi_str type) { return sy_str_eqz(sy_cname_base(type), "Action"); }

/* An entity literal; an undeclared one fails silently, it was reported by an earlier pass. */
static res uid_type(sy_cenv *e, uint32_t uid)
{
    const sy_cuid *u = &e->set->uids[uid];
    uint32_t k;
    if (is_action_name(u->type)) return sy_cschema_action(e->schema, u) == SY_NONE ? failed(NULL) : action_type(e, u->type);
    k = sy_cschema_entity(e->schema, u->type);
    return k == SY_NONE ? failed(NULL) : entity_type(e, k);
}

static res var_type(sy_cenv *e, int var)
{
    switch (var) {
    case SY_VAR_PRINCIPAL: return entity_type(e, e->principal);
    case SY_VAR_RESOURCE: return entity_type(e, e->resource);
    case SY_VAR_ACTION: return action_type(e, e->schema->actions[e->action].uid.type);
    default: return ok(e->schema->actions[e->action].context, NULL);
    }
}

/* What && makes of its two sides. right is checked only when left is not False. A side of unknown type makes it Bool. */
static res and_types(sy_cenv *e, res a, res b)
{
    bool fail = a.fail || b.fail;
    const sy_ccap *caps = NULL;
    if (!a.t || !b.t) return failed(&sy_ty_bool);
    if (b.t->kind == SY_T_FALSE) return (res){ &sy_ty_false, NULL, fail };
    if (!fail) caps = both(e, b.caps, a.caps);
    if (b.t->kind == SY_T_TRUE) return (res){ a.t, caps, fail };
    if (a.t->kind == SY_T_TRUE) return (res){ b.t, caps, fail };
    return (res){ &sy_ty_bool, caps, fail };
}

static res check_and(sy_cenv *e, const sy_cnode *n, const sy_ccap *C)
{
    const uint32_t *l = e->set->list + n->a;
    res r = expect(e, l[0], C, &sy_ty_bool);
    for (uint32_t k = 1; k < n->b && !e->stop; k++) {
        if (r.t && r.t->kind == SY_T_FALSE) return (res){ r.t, NULL, r.fail };
        r = and_types(e, r, expect(e, l[k], both(e, r.caps, C), &sy_ty_bool));
    }
    return r;
}

static res or_types(sy_cenv *e, res a, res b)
{
    bool fail = a.fail || b.fail;
    if (!a.t || !b.t) return failed(&sy_ty_bool);
    if (b.t->kind == SY_T_TRUE) return (res){ &sy_ty_true, fail ? NULL : b.caps, fail };
    if (b.t->kind == SY_T_FALSE) return (res){ a.t, fail ? NULL : a.caps, fail };
    if (a.t->kind == SY_T_FALSE) return (res){ b.t, fail ? NULL : b.caps, fail };
    return (res){ &sy_ty_bool, fail ? NULL : common(e, a.caps, b.caps), fail };
}

static res check_or(sy_cenv *e, const sy_cnode *n, const sy_ccap *C)
{
    const uint32_t *l = e->set->list + n->a;
    res r = expect(e, l[0], C, &sy_ty_bool);
    for (uint32_t k = 1; k < n->b && !e->stop; k++) {
        if (r.t && r.t->kind == SY_T_TRUE) return r;
        r = or_types(e, r, expect(e, l[k], C, &sy_ty_bool));
    }
    return r;
}

static res check_if(sy_cenv *e, const sy_cnode *n, const sy_ccap *C)
{
    const uint32_t *l = e->set->list + n->a;
    res c = expect(e, l[0], C, &sy_ty_bool), t, f;
    const sy_ctype *lub = NULL;
    bool no_mem = false, fail;
    if (c.t && c.t->kind == SY_T_TRUE) {
        t = check(e, l[1], both(e, c.caps, C));
        return (res){ t.t, t.fail || c.fail ? NULL : both(e, c.caps, t.caps), t.fail || c.fail };
    }
    if (c.t && c.t->kind == SY_T_FALSE) {
        f = check(e, l[2], C);
        return (res){ f.t, f.fail || c.fail ? NULL : f.caps, f.fail || c.fail };
    }
    t = check(e, l[1], both(e, c.caps, C));
    f = check(e, l[2], C);
    fail = c.fail || t.fail || f.fail;
    if (!t.t || !f.t) return failed(NULL);
    lub = sy_ty_lub(t.t, f.t, e->mem, &no_mem);
    if (no_mem) return oom(e);
    if (!lub) {
        report(e, "incompatible_types", n->pos, "the types %T and %T are not compatible", t.t, f.t);
        return failed(NULL);
    }
    return (res){ lub, fail ? NULL : common(e, both(e, c.caps, t.caps), f.caps), fail };
}

/* Literals that == decides at once; `action` stands for the environment's action. */
static bool literal(const sy_cenv *e, uint32_t node, sy_cval *out)
{
    const sy_cnode *n = &e->set->nodes[node];
    switch (n->op) {
    case SY_OP_BOOL: *out = sy_cv_bool(n->a != 0); return true;
    case SY_OP_LONG: *out = sy_cv_int(SY_CV_LONG, sy_cnode_long(n)); return true;
    case SY_OP_STR: *out = sy_cv_str(e->set->strs[n->a]); return true;
    case SY_OP_UID: *out = sy_cv_uid(&e->set->uids[n->a]); return true;
    case SY_OP_VAR:
        if (n->sub != SY_VAR_ACTION) return false;
        *out = sy_cv_uid(&e->schema->actions[e->action].uid);
        return true;
    default: return false;
    }
}

static bool disjoint(const sy_ctype *a, const sy_ctype *b)
{
    if (a->kind == SY_T_ENTITY && b->kind == SY_T_ENTITY) return a->entity != b->entity;
    if (a->kind == SY_T_ACTION && b->kind == SY_T_ACTION) return !sy_str_eq(a->name, b->name);
    return (a->kind == SY_T_ENTITY && b->kind == SY_T_ACTION) || (a->kind == SY_T_ACTION && b->kind == SY_T_ENTITY);
}

static const sy_ctype *truth(bool b) { return b ? &sy_ty_true : &sy_ty_false; }

static res eq_types(sy_cenv *e, res a, res b, bool lits, const sy_cval *va, const sy_cval *vb, uint32_t pos)
{
    bool fail = a.fail || b.fail;
    uint64_t work = 0;
    if (a.t && b.t && disjoint(a.t, b.t)) return (res){ &sy_ty_false, NULL, fail };
    if (lits) return (res){ truth(sy_cval_eq(va, vb, &work)), NULL, fail };
    if (!compatible(e, a.t, b.t, pos)) return failed(&sy_ty_bool);
    return (res){ &sy_ty_bool, NULL, fail };
}

static res check_eq(sy_cenv *e, const sy_cnode *n, const sy_ccap *C)
{
    res a = check(e, n->a, C), b = check(e, n->b, C);
    sy_cval va, vb;
    bool lits = literal(e, n->a, &va) && literal(e, n->b, &vb);
    return eq_types(e, a, b, lits, &va, &vb, n->pos);
}

static res negate(res r)
{
    if (r.t && r.t->kind == SY_T_TRUE) return (res){ &sy_ty_false, NULL, r.fail };
    if (r.t && r.t->kind == SY_T_FALSE) return (res){ &sy_ty_true, NULL, r.fail };
    return (res){ &sy_ty_bool, NULL, r.fail };
}

static bool ordered(const sy_ctype *t)
{
    return t->kind == SY_T_NEVER || t->kind == SY_T_LONG || (t->kind == SY_T_EXT && (t->ext == SY_CV_DATETIME || t->ext == SY_CV_DURATION));
}

static res check_less(sy_cenv *e, const sy_cnode *n, const sy_ccap *C)
{
    res a = check(e, n->a, C), b = check(e, n->b, C);
    bool fail = a.fail || b.fail, oa = !a.t || ordered(a.t), ob = !b.t || ordered(b.t);
    static const char msg[] = "unexpected type: expected Long, datetime or duration but saw %T";
    if (!oa) report(e, "unexpected_type", pos_of(e, n->a), msg, a.t);
    if (!ob) report(e, "unexpected_type", pos_of(e, n->b), msg, b.t);
    if (oa && ob && a.t && b.t && !sy_ty_fits(a.t, b.t) && !sy_ty_fits(b.t, a.t)) {
        report(e, "unexpected_type", pos_of(e, n->b), "unexpected type: expected %T but saw %T", a.t, b.t);
        fail = true;
    }
    return (res){ &sy_ty_bool, NULL, fail || !oa || !ob };
}

/* Can an entity of type a be b, or below one of type b? */
static bool may_be_in(const sy_cenv *e, const sy_ctype *a, const sy_ctype *b)
{
    if (a->kind == SY_T_NEVER || b->kind == SY_T_NEVER) return false;
    if (a->kind == SY_T_ENTITY && b->kind == SY_T_ENTITY) return a->entity == b->entity || sy_cschema_under(e->schema, a->entity, b->entity);
    if (a->kind == SY_T_ACTION && b->kind == SY_T_ACTION) {
        if (sy_str_eq(a->name, b->name)) return true;
        for (uint32_t i = 0; i < e->schema->nactions; i++) {
            const sy_cst_action *x = &e->schema->actions[i];
            for (uint32_t k = 0; k < x->nanc && sy_str_eq(x->uid.type, a->name); k++)
                if (sy_str_eq(e->schema->actions[x->anc[k]].uid.type, b->name)) return true;
        }
        return false;
    }
    return a->kind == SY_T_ANYENTITY || b->kind == SY_T_ANYENTITY;
}

/* An action known here: the variable, or a literal. */
static bool known_action(const sy_cenv *e, uint32_t node, uint32_t *out)
{
    sy_cval v;
    const sy_cnode *n = &e->set->nodes[node];
    if ((n->op != SY_OP_UID && n->op != SY_OP_VAR) || !literal(e, node, &v)) return false;
    if (!is_action_name(v.u.uid->type)) return false;
    *out = sy_cschema_action(e->schema, v.u.uid);
    return *out != SY_NONE;
}

/* left in right for a known action on the left and literals on the right: 1 true, 0 false, -1 not decided so. */
static int action_in(const sy_cenv *e, uint32_t action, uint32_t right)
{
    const sy_cnode *n = &e->set->nodes[right];
    const uint32_t *l = e->set->list + n->a;
    uint32_t count = n->op == SY_OP_SET ? n->b : 1;
    int r = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t item = n->op == SY_OP_SET ? l[i] : right, k;
        const sy_cnode *in = &e->set->nodes[item];
        if (in->op != SY_OP_UID && !(in->op == SY_OP_VAR && in->sub == SY_VAR_ACTION)) return -1;
        if (known_action(e, item, &k) && sy_cschema_action_in(e->schema, action, k)) r = 1;
    }
    return r;
}

static res in_types(sy_cenv *e, res a, res b)
{
    bool fail = a.fail || b.fail;
    const sy_ctype *t = b.t;
    if (fail) return failed(&sy_ty_bool);
    if (t && t->kind == SY_T_SET) t = t->elem;
    if (a.t && t && sy_ty_fits(a.t, &sy_ty_any_entity) && sy_ty_fits(t, &sy_ty_any_entity) && !may_be_in(e, a.t, t)) return (res){ &sy_ty_false, NULL, fail };
    return (res){ &sy_ty_bool, NULL, fail };
}

static res check_in(sy_cenv *e, uint32_t left, uint32_t right, const sy_ccap *C)
{
    res a = expect(e, left, C, &sy_ty_any_entity), b = expect2(e, check(e, right, C), pos_of(e, right), &sy_ty_any_entity, &sy_ty_entity_set);
    uint32_t action;
    int r;
    if (!a.fail && !b.fail && known_action(e, left, &action) && (r = action_in(e, action, right)) >= 0) return ok(truth(r != 0), NULL);
    return in_types(e, a, b);
}

static res is_types(res a, symbi_str name)
{
    if (!a.t) return failed(&sy_ty_bool);
    if (a.t->kind != SY_T_ENTITY && a.t->kind != SY_T_ACTION) return (res){ &sy_ty_bool, NULL, a.fail };
    return (res){ truth(sy_str_eq(a.t->name, name)), NULL, a.fail };
}

/* The record or the entity's shape that holds the attributes of t; NULL when it has none. */
static const sy_ctype *shape_of(const sy_cenv *e, const sy_ctype *t)
{
    if (t->kind == SY_T_RECORD) return t;
    if (t->kind == SY_T_ENTITY) return e->schema->entities[t->entity].shape;
    return NULL;
}

static sy_ccap cap_for(uint32_t node, const uint32_t *path, uint32_t npath, uint32_t attr) { return (sy_ccap){ NULL, node, path, npath, attr, 0 }; }

/* One step of has: r is the type of base(node, path) and the result says what `base has attr` is. */
static res has_step(sy_cenv *e, res r, uint32_t node, const uint32_t *path, uint32_t npath, uint32_t attr, const sy_ccap *C)
{
    const sy_ctype *s = r.t ? shape_of(e, r.t) : NULL;
    const sy_ctattr *a = s ? sy_ctype_attr(s, e->set->strs[attr]) : NULL;
    sy_ccap c = cap_for(node, path, npath, attr);
    if (!r.t) return failed(&sy_ty_bool);
    if (r.t->kind == SY_T_ANYENTITY) return (res){ &sy_ty_bool, NULL, r.fail };
    if (!a) return (res){ &sy_ty_false, NULL, r.fail };
    if (holds(e, C, &c) || (a->required && r.t->kind == SY_T_RECORD)) return (res){ &sy_ty_true, r.fail ? NULL : cons(e, &c, NULL), r.fail };
    return (res){ &sy_ty_bool, r.fail ? NULL : cons(e, &c, NULL), r.fail };
}

/* base.attr, without the errors of base itself. */
static res get_step(sy_cenv *e, res r, uint32_t node, const uint32_t *path, uint32_t npath, uint32_t attr, uint32_t pos, const sy_ccap *C)
{
    const sy_ctype *s = r.t ? shape_of(e, r.t) : NULL;
    const sy_ctattr *a = s ? sy_ctype_attr(s, e->set->strs[attr]) : NULL;
    sy_ccap c = cap_for(node, path, npath, attr);
    if (!r.t) return failed(NULL);
    if (!a) {
        report(e, "unsafe_attribute_access", pos, "attribute `%S` on %T not found", e->set->strs[attr], r.t);
        return failed(NULL);
    }
    if (a->required || holds(e, C, &c)) return (res){ a->type, NULL, r.fail };
    report(e, "unsafe_optional_attribute_access", pos, "unable to guarantee safety of access to optional attribute `%S` on %T; test it with `has` first", e->set->strs[attr], r.t);
    return failed(a->type);
}

static res check_has(sy_cenv *e, const sy_cnode *n, const sy_ccap *C)
{
    const uint32_t *l = e->set->list + n->b;
    res base = expect2(e, check(e, n->a, C), pos_of(e, n->a), &sy_ty_any_entity, &sy_ty_any_record), r;
    r = has_step(e, base, n->a, l, 0, l[0], C);
    for (uint32_t k = 1; k < n->n && !e->stop; k++) { /* (e has a) && (e.a has b) && ... */
        const sy_ccap *inner;
        res part;
        if (!r.t || r.t->kind == SY_T_FALSE) return (res){ r.t ? r.t : &sy_ty_bool, NULL, r.fail };
        inner = both(e, r.caps, C);
        base = get_step(e, base, n->a, l, k - 1, l[k - 1], n->pos, inner);
        base = expect2(e, base, n->pos, &sy_ty_any_entity, &sy_ty_any_record);
        part = has_step(e, base, n->a, l, k, l[k], inner);
        r = and_types(e, r, part);
    }
    return r;
}

static res check_tag(sy_cenv *e, const sy_cnode *n, const sy_ccap *C)
{
    res a = expect(e, n->a, C, &sy_ty_any_entity), b = expect(e, n->b, C, &sy_ty_string);
    const sy_ctype *tags = a.t && a.t->kind == SY_T_ENTITY ? e->schema->entities[a.t->entity].tags : NULL;
    sy_ccap c = { NULL, n->a, NULL, 0, SY_NONE, n->b };
    bool fail = a.fail || b.fail;
    if (!a.t) return failed(NULL);
    if (n->op == SY_OP_HASTAG) {
        if (!tags && a.t->kind != SY_T_ANYENTITY) return (res){ &sy_ty_false, fail ? NULL : cons(e, &c, NULL), fail };
        return (res){ holds(e, C, &c) ? &sy_ty_true : &sy_ty_bool, fail ? NULL : cons(e, &c, NULL), fail };
    }
    if (!holds(e, C, &c)) {
        report(e, "unsafe_tag_access", n->pos, "unable to guarantee safety of access to a tag of %T; test it with hasTag first", a.t);
        return failed(NULL);
    }
    if (!tags) {
        report(e, "no_tags_allowed", n->pos, "entities of type %T have no tags", a.t);
        return failed(NULL);
    }
    return (res){ tags, NULL, fail };
}

static res check_set(sy_cenv *e, const sy_cnode *n, const sy_ccap *C)
{
    const uint32_t *l = e->set->list + n->a;
    const sy_ctype *lub = NULL, *other = NULL;
    bool fail = false, clash = false, unknown = false, no_mem = false;
    sy_ctype *t;
    if (!n->b) {
        report(e, "empty_set_forbidden", n->pos, "empty set literals are forbidden in policies");
        return failed(NULL);
    }
    for (uint32_t k = 0; k < n->b && !e->stop; k++) {
        res r = check(e, l[k], C);
        const sy_ctype *next;
        fail = fail || r.fail;
        unknown = unknown || !r.t;
        if (!r.t || clash) continue;
        next = lub ? sy_ty_lub(lub, r.t, e->mem, &no_mem) : r.t;
        if (no_mem) return oom(e);
        if (next) lub = next;
        else clash = true, other = r.t;
    }
    if (unknown) return failed(NULL); /* then nothing is said about the others either */
    if (clash) {
        report(e, "incompatible_types", n->pos, "the types %T and %T are not compatible", lub, other);
        return failed(NULL);
    }
    if (!(t = sy_scratch_alloc(e->mem, sizeof *t))) return oom(e);
    memset(t, 0, sizeof *t);
    t->kind = SY_T_SET;
    t->elem = lub;
    return (res){ t, NULL, fail };
}

static res check_record(sy_cenv *e, const sy_cnode *n, const sy_ccap *C)
{
    const uint32_t *l = e->set->list + n->a;
    sy_ctype *t = sy_scratch_alloc(e->mem, sizeof *t);
    sy_ctattr *a = sy_scratch_array(e->mem, (size_t)n->b + 1, sizeof *a);
    bool fail = false, unknown = false;
    if (!t || !a) return oom(e);
    memset(t, 0, sizeof *t);
    t->kind = SY_T_RECORD;
    t->attrs = a;
    t->n = n->b;
    for (uint32_t k = 0; k < n->b; k++) {
        res r = check(e, l[2 * k + 1], C);
        fail = fail || r.fail;
        unknown = unknown || !r.t;
        a[k].name = e->set->strs[l[2 * k]];
        a[k].type = r.t;
        a[k].required = true;
    }
    return unknown ? failed(NULL) : (res){ t, NULL, fail };
}

static res check_contains(sy_cenv *e, const sy_cnode *n, const sy_ccap *C)
{
    bool many = n->op != SY_OP_CONTAINS, fail;
    res a = expect(e, n->a, C, &sy_ty_any_set), b = many ? expect(e, n->b, C, &sy_ty_any_set) : check(e, n->b, C);
    fail = a.fail || b.fail;
    if (a.t && a.t->kind == SY_T_SET && b.t && (!many || b.t->kind == SY_T_SET)) {
        if (!compatible(e, many ? a.t : a.t->elem, b.t, n->pos)) fail = true;
    }
    return (res){ &sy_ty_bool, NULL, fail };
}

static res check_call(sy_cenv *e, const sy_cnode *n, const sy_ccap *C)
{
    const uint32_t *l = e->set->list + n->a;
    sy_cfn f = (sy_cfn)n->sub;
    bool fail = false;
    if (f == SY_CFN_NONE) {
        for (uint32_t k = 0; k < n->b && !e->stop; k++) check(e, l[k], C);
        report(e, "undefined_function", n->pos, "there is no extension function `%S`", e->set->strs[l[n->b + 1]]);
        return failed(NULL);
    }
    if (n->b != sy_cfn_nargs(f)) {
        report(e, "wrong_number_arguments", n->pos, "wrong number of arguments of `%S`", symbi_str_z(sy_cfn_name(f)));
        fail = true;
    }
    if (sy_cfn_is_ctor(f)) {
        for (uint32_t k = 0; k < n->b; k++) {
            sy_cop op = (sy_cop)e->set->nodes[l[k]].op;
            if (op == SY_OP_STR || op == SY_OP_LONG || op == SY_OP_BOOL || op == SY_OP_UID) continue;
            report(e, "non_lit_ext_constructor", n->pos, "extension constructors may not be called with non-literal expressions");
            fail = true;
            break;
        }
        if (n->b == 1 && e->set->nodes[l[0]].op == SY_OP_STR && !e->set->list[n->a + n->b]) { /* not even a constant could be made of it */
            report(e, "function_argument_validation", n->pos, "`%S` is not an argument that `%S` accepts", e->set->strs[e->set->nodes[l[0]].a], symbi_str_z(sy_cfn_name(f)));
            fail = true;
        }
    }
    for (uint32_t k = 0, bad = fail; k < n->b && !e->stop; k++) { /* after one of these faults the arguments' types are not told as well */
        res r = bad ? check(e, l[k], C) : expect(e, l[k], C, sy_ty_ext(sy_cfn_arg(f, k)));
        fail = fail || r.fail;
    }
    return (res){ sy_ty_ext(sy_cfn_result(f)), NULL, fail };
}

static res check_arith(sy_cenv *e, const sy_cnode *n, const sy_ccap *C)
{
    const uint32_t *l = e->set->list + n->a;
    bool fail = false;
    for (uint32_t k = 0; k < n->b && !e->stop; k++) fail = expect(e, l[k] & ~SY_MINUS, C, &sy_ty_long).fail || fail;
    return (res){ &sy_ty_long, NULL, fail };
}

static res check(sy_cenv *e, uint32_t node, const sy_ccap *C)
{
    const sy_cnode *n = &e->set->nodes[node];
    const uint32_t *l = e->set->list + n->a;
    res a, b;
    if (e->stop || ++e->work > e->budget) {
        e->stop = true;
        return failed(NULL);
    }
    switch ((sy_cop)n->op) {
    case SY_OP_BOOL: return ok(truth(n->a != 0), NULL);
    case SY_OP_LONG: return ok(&sy_ty_long, NULL);
    case SY_OP_STR: return ok(&sy_ty_string, NULL);
    case SY_OP_UID: return uid_type(e, n->a);
    case SY_OP_VAR: return var_type(e, n->sub);
    case SY_OP_SLOT: return entity_type(e, e->slot[n->sub == SY_VAR_RESOURCE]);
    case SY_OP_NOT: return negate(expect(e, n->a, C, &sy_ty_bool));
    case SY_OP_NEG: return (res){ &sy_ty_long, NULL, expect(e, n->a, C, &sy_ty_long).fail };
    case SY_OP_AND: return check_and(e, n, C);
    case SY_OP_OR: return check_or(e, n, C);
    case SY_OP_ADD:
    case SY_OP_MUL: return check_arith(e, n, C);
    case SY_OP_EQ: return check_eq(e, n, C);
    case SY_OP_NE: return negate(check_eq(e, n, C));
    case SY_OP_LT:
    case SY_OP_LE:
    case SY_OP_GT:
    case SY_OP_GE: return check_less(e, n, C);
    case SY_OP_IN: return check_in(e, n->a, n->b, C);
    case SY_OP_HAS: return check_has(e, n, C);
    case SY_OP_GET:
        a = expect2(e, check(e, n->a, C), pos_of(e, n->a), &sy_ty_any_entity, &sy_ty_any_record);
        return get_step(e, a, n->a, NULL, 0, n->b, n->pos, C);
    case SY_OP_LIKE: return (res){ &sy_ty_bool, NULL, expect(e, n->a, C, &sy_ty_string).fail };
    case SY_OP_IS: return is_types(expect(e, n->a, C, &sy_ty_any_entity), e->set->strs[n->b]);
    case SY_OP_ISIN: /* (e is T) && (e in x) */
        a = is_types(expect(e, l[0], C, &sy_ty_any_entity), e->set->strs[n->b]);
        if (a.t->kind == SY_T_FALSE) return a;
        b = check_in(e, l[0], l[1], C);
        return and_types(e, a, b);
    case SY_OP_IF: return check_if(e, n, C);
    case SY_OP_SET: return check_set(e, n, C);
    case SY_OP_RECORD: return check_record(e, n, C);
    case SY_OP_CALL: return check_call(e, n, C);
    case SY_OP_CONTAINS:
    case SY_OP_CONTAINSALL:
    case SY_OP_CONTAINSANY: return check_contains(e, n, C);
    case SY_OP_GETTAG:
    case SY_OP_HASTAG: return check_tag(e, n, C);
    case SY_OP_ISEMPTY: return (res){ &sy_ty_bool, NULL, expect(e, n->a, C, &sy_ty_any_set).fail };
    }
    return failed(NULL);
}

/* ---- the scope, as the expression it stands for ---- */

static res scope_list(sy_cenv *e, const sy_cscope *sc)
{
    const sy_ctype *lub = NULL;
    bool fail = false, in = false, no_mem = false;
    if (!sc->n) {
        report(e, "empty_set_forbidden", e->policy->pos, "empty set literals are forbidden in policies");
        return failed(&sy_ty_bool);
    }
    for (uint32_t i = 0; i < sc->n; i++) {
        uint32_t u = e->set->list[sc->uid + i], k = sy_cschema_action(e->schema, &e->set->uids[u]);
        res r = uid_type(e, u);
        fail = fail || r.fail;
        if (r.t && lub && !sy_ty_lub(lub, r.t, e->mem, &no_mem)) {
            report(e, "incompatible_types", e->policy->pos, "the types %T and %T are not compatible", lub, r.t);
            return failed(&sy_ty_bool);
        }
        if (r.t) lub = r.t;
        if (k != SY_NONE && sy_cschema_action_in(e->schema, e->action, k)) in = true;
    }
    if (fail) return failed(&sy_ty_bool);
    return (res){ truth(in), NULL, false };
}

static res scope_one(sy_cenv *e, const sy_cscope *sc, int var)
{
    res v = var_type(e, var), u, r;
    sy_cval va = { 0 }, vb = { 0 };
    bool lits = false;
    if (sc->op == SY_SC_ANY) return ok(&sy_ty_true, NULL);
    if (sc->op == SY_SC_INLIST) return scope_list(e, sc);
    if (sc->op == SY_SC_IS || sc->op == SY_SC_ISIN) {
        r = is_types(v, e->set->strs[sc->type]);
        if (sc->op == SY_SC_IS || r.t->kind == SY_T_FALSE) return r;
    } else {
        r = ok(&sy_ty_true, NULL);
    }
    u = sc->slot ? entity_type(e, e->slot[var == SY_VAR_RESOURCE]) : uid_type(e, sc->uid);
    if (var == SY_VAR_ACTION) {
        const sy_cuid *lit = &e->set->uids[sc->uid];
        if (sc->op == SY_SC_IN && u.t) return ok(truth(sy_cschema_action_in(e->schema, e->action, sy_cschema_action(e->schema, lit))), NULL);
        va = sy_cv_uid(&e->schema->actions[e->action].uid);
        vb = sy_cv_uid(lit);
        lits = true;
    }
    u = sc->op == SY_SC_EQ ? eq_types(e, v, u, lits, &va, &vb, e->policy->pos) : in_types(e, v, u);
    return and_types(e, r, u);
}

/* p && (a && (r && (c1 && (c2 && ...)))): the first False ends it, but makes the whole False only where the type of everything before it is
 * known; and what an earlier part guarantees holds for the later ones, whatever is wrong in between. */
int sy_ctypecheck(sy_cenv *e)
{
    const sy_cpolicy *p = e->policy;
    const sy_ccap *C = NULL;
    bool fail = false, unknown = false;
    for (uint32_t i = 0; i < 3 + p->ncond && !e->stop; i++) {
        uint32_t c = i < 3 ? 0 : e->set->list[p->cond + i - 3];
        res part = i < 3 ? scope_one(e, &p->scope[i], (int)i) : expect(e, c & ~SY_UNLESS, C, &sy_ty_bool);
        if (c & SY_UNLESS) part = negate(part);
        if (part.t && part.t->kind == SY_T_FALSE) return unknown || e->stop ? -1 : 1; /* whatever else was wrong with it */
        fail = fail || part.fail;
        unknown = unknown || !part.t;
        if (!part.fail) C = both(e, part.caps, C);
    }
    return fail || e->stop ? -1 : 0;
}
