/* cedar/est_write.c: policies into their JSON form. A policy that came from JSON gives back what it was read from, without
 * what was ignored; one that came from text is written from its nodes. */
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "cedar/est.h"
#include "symbi/json.h"

#include <string.h>

typedef struct writer {
    const symbi_cedar *s;
    sy_arena *a;
    symbi_err *err;
    size_t depth;
} writer;

static symbi_value *vals(writer *w, size_t n) { return sy_arena_calloc(w->a, n ? n : 1, sizeof(symbi_value)); }
static symbi_member *mems(writer *w, size_t n) { return sy_arena_calloc(w->a, n ? n : 1, sizeof(symbi_member)); }
static symbi_status nomem(writer *w) { return sy_arena_fail(w->a, "the JSON of this policy", w->err); }
/* The text of a set belongs to the set: documents outlive it, so strings are copied. */
static symbi_value strv(writer *w, symbi_str s) { return sy_val_str(sy_arena_dup(w->a, s)); }
static symbi_value strz(const char *z) { return sy_val_str(symbi_str_z(z)); }

/* {key: val} */
static symbi_value obj1(writer *w, const char *key, symbi_value val)
{
    symbi_member *m = mems(w, 1);
    if (!m) return sy_val_null();
    m->key = symbi_str_z(key);
    m->val = val;
    return sy_val_object(m, 1);
}
static symbi_value obj2(writer *w, const char *k1, symbi_value v1, const char *k2, symbi_value v2)
{
    symbi_member *m = mems(w, 2);
    if (!m) return sy_val_null();
    m[0].key = symbi_str_z(k1);
    m[0].val = v1;
    m[1].key = symbi_str_z(k2);
    m[1].val = v2;
    return sy_val_object(m, 2);
}

static symbi_value uid(writer *w, uint32_t i) { return obj2(w, "type", strv(w, w->s->uids[i].type), "id", strv(w, w->s->uids[i].id)); }

static const char *binary_name(uint8_t op)
{
    switch (op) {
    case SY_OP_EQ: return "==";
    case SY_OP_NE: return "!=";
    case SY_OP_LT: return "<";
    case SY_OP_LE: return "<=";
    case SY_OP_GT: return ">";
    case SY_OP_GE: return ">=";
    case SY_OP_IN: return "in";
    case SY_OP_CONTAINS: return "contains";
    case SY_OP_CONTAINSALL: return "containsAll";
    case SY_OP_CONTAINSANY: return "containsAny";
    case SY_OP_GETTAG: return "getTag";
    case SY_OP_HASTAG: return "hasTag";
    default: return "?";
    }
}

static symbi_status expr(writer *w, uint32_t i, symbi_value *out);

static symbi_status chain(writer *w, const sy_cnode *n, symbi_value *out)
{
    const uint32_t *l = w->s->list + n->a;
    symbi_value left, right;
    symbi_status st = expr(w, l[0] & ~SY_MINUS, &left);
    if (!st && n->b > w->depth / 2) return sy_fail(w->err, SYMBI_ELIMIT, "a chain of %u operators is nested too deeply for JSON", n->b);
    for (uint32_t k = 1; k < n->b && !st; k++) {
        const char *name = n->op == SY_OP_AND ? "&&" : n->op == SY_OP_OR ? "||" : n->op == SY_OP_MUL ? "*" : l[k] & SY_MINUS ? "-" : "+";
        st = expr(w, l[k] & ~SY_MINUS, &right);
        if (!st) left = obj1(w, name, obj2(w, "left", left, "right", right));
    }
    *out = left;
    return st;
}

static symbi_status pattern(writer *w, symbi_str p, symbi_value *out)
{
    symbi_value *v = vals(w, p.n);
    size_t n = 0;
    for (size_t i = 0; v && i < p.n; n++) {
        uint32_t cp;
        size_t k;
        if ((unsigned char)p.p[i] == 0xFF) {
            v[n] = strz("Wildcard");
            i++;
            continue;
        }
        k = sy_utf8_next(p.p + i, p.n - i, &cp);
        if (!k) k = 1;
        v[n] = obj1(w, "Literal", strv(w, (symbi_str){ p.p + i, k }));
        i += k;
    }
    *out = sy_val_array(v, n);
    return v ? SYMBI_OK : nomem(w);
}

static symbi_status list(writer *w, const uint32_t *l, uint32_t n, symbi_value *out)
{
    symbi_value *v = vals(w, n);
    symbi_status st = v ? SYMBI_OK : nomem(w);
    for (uint32_t k = 0; k < n && !st; k++) st = expr(w, l[k], &v[k]);
    *out = sy_val_array(v, n);
    return st;
}

static symbi_status expr_in(writer *w, const sy_cnode *n, symbi_value *out)
{
    static const char *const vars[] = { "principal", "action", "resource", "context" };
    const symbi_cedar *s = w->s;
    const uint32_t *l = s->list + n->a;
    symbi_value a, b;
    symbi_member *m;
    symbi_status st;
    switch ((sy_cop)n->op) {
    case SY_OP_BOOL: *out = obj1(w, "Value", sy_val_bool(n->a != 0)); break;
    case SY_OP_LONG: *out = obj1(w, "Value", sy_val_int(sy_cnode_long(n))); break;
    case SY_OP_STR: *out = obj1(w, "Value", strv(w, s->strs[n->a])); break;
    case SY_OP_UID: *out = obj1(w, "Value", obj1(w, "__entity", uid(w, n->a))); break;
    case SY_OP_VAR: *out = obj1(w, "Var", strz(vars[n->sub])); break;
    case SY_OP_SLOT: *out = obj1(w, "Slot", strz(n->sub == SY_VAR_RESOURCE ? "?resource" : "?principal")); break;
    case SY_OP_NOT:
    case SY_OP_NEG:
    case SY_OP_ISEMPTY:
        if ((st = expr(w, n->a, &a))) return st;
        *out = obj1(w, n->op == SY_OP_NOT ? "!" : n->op == SY_OP_NEG ? "neg" : "isEmpty", obj1(w, "arg", a));
        break;
    case SY_OP_AND:
    case SY_OP_OR:
    case SY_OP_ADD:
    case SY_OP_MUL: return chain(w, n, out);
    case SY_OP_EQ:
    case SY_OP_NE:
    case SY_OP_LT:
    case SY_OP_LE:
    case SY_OP_GT:
    case SY_OP_GE:
    case SY_OP_IN:
    case SY_OP_CONTAINS:
    case SY_OP_CONTAINSALL:
    case SY_OP_CONTAINSANY:
    case SY_OP_GETTAG:
    case SY_OP_HASTAG:
        if ((st = expr(w, n->a, &a)) || (st = expr(w, n->b, &b))) return st;
        *out = obj1(w, binary_name(n->op), obj2(w, "left", a, "right", b));
        break;
    case SY_OP_HAS: {
        symbi_value *v = vals(w, n->n);
        if ((st = expr(w, n->a, &a))) return st;
        if (!v) return nomem(w);
        for (uint32_t k = 0; k < n->n; k++) v[k] = strv(w, s->strs[s->list[n->b + k]]);
        *out = obj1(w, "has", obj2(w, "left", a, "attr", n->n == 1 ? v[0] : sy_val_array(v, n->n)));
        break;
    }
    case SY_OP_GET:
        if ((st = expr(w, n->a, &a))) return st;
        *out = obj1(w, ".", obj2(w, "left", a, "attr", strv(w, s->strs[n->b])));
        break;
    case SY_OP_LIKE:
        if ((st = expr(w, n->a, &a)) || (st = pattern(w, s->strs[n->b], &b))) return st;
        *out = obj1(w, "like", obj2(w, "left", a, "pattern", b));
        break;
    case SY_OP_IS:
        if ((st = expr(w, n->a, &a))) return st;
        *out = obj1(w, "is", obj2(w, "left", a, "entity_type", strv(w, s->strs[n->b])));
        break;
    case SY_OP_ISIN:
        m = mems(w, 3);
        if ((st = expr(w, l[0], &a)) || (st = expr(w, l[1], &b))) return st;
        if (!m) return nomem(w);
        m[0].key = SY_LIT("left"), m[0].val = a;
        m[1].key = SY_LIT("entity_type"), m[1].val = strv(w, s->strs[n->b]);
        m[2].key = SY_LIT("in"), m[2].val = b;
        *out = obj1(w, "is", sy_val_object(m, 3));
        break;
    case SY_OP_IF: {
        static const char *const names[] = { "if", "then", "else" };
        m = mems(w, 3);
        if (!m) return nomem(w);
        for (int k = 0; k < 3; k++) {
            m[k].key = symbi_str_z(names[k]);
            if ((st = expr(w, l[k], &m[k].val))) return st;
        }
        *out = obj1(w, "if-then-else", sy_val_object(m, 3));
        break;
    }
    case SY_OP_SET:
        if ((st = list(w, l, n->b, &a))) return st;
        *out = obj1(w, "Set", a);
        break;
    case SY_OP_RECORD:
        m = mems(w, n->b);
        if (!m) return nomem(w);
        for (uint32_t k = 0; k < n->b; k++) {
            m[k].key = sy_arena_dup(w->a, s->strs[l[2 * k]]);
            if ((st = expr(w, l[2 * k + 1], &m[k].val))) return st;
        }
        *out = obj1(w, "Record", sy_val_object(m, n->b));
        break;
    case SY_OP_CALL:
        if ((st = list(w, l, n->b, &a))) return st;
        *out = obj1(w, n->sub == SY_CFN_NONE ? "?" : sy_cfn_name((sy_cfn)n->sub), a);
        break;
    }
    return w->a->status ? nomem(w) : SYMBI_OK;
}

static symbi_status expr(writer *w, uint32_t i, symbi_value *out)
{
    symbi_status st;
    *out = sy_val_null();
    if (!w->depth) return sy_fail(w->err, SYMBI_ELIMIT, "this expression is nested too deeply for JSON");
    w->depth--;
    st = expr_in(w, &w->s->nodes[i], out);
    w->depth++;
    return st;
}

static symbi_value entity_or_slot(writer *w, const sy_cscope *sc, int var, const char *op)
{
    const char *k = sc->slot ? "slot" : "entity";
    symbi_value v = sc->slot ? strz(var == SY_VAR_RESOURCE ? "?resource" : "?principal") : uid(w, sc->uid);
    return op ? obj2(w, "op", strz(op), k, v) : obj1(w, k, v);
}

static symbi_value scope(writer *w, const sy_cscope *sc, int var)
{
    symbi_value *v;
    symbi_member *m;
    switch ((sy_cscope_op)sc->op) {
    case SY_SC_ANY: return obj1(w, "op", strz("All"));
    case SY_SC_EQ: return entity_or_slot(w, sc, var, "==");
    case SY_SC_IN: return entity_or_slot(w, sc, var, "in");
    case SY_SC_IS: return obj2(w, "op", strz("is"), "entity_type", strv(w, w->s->strs[sc->type]));
    case SY_SC_ISIN:
        m = mems(w, 3);
        if (!m) return sy_val_null();
        m[0].key = SY_LIT("op"), m[0].val = strz("is");
        m[1].key = SY_LIT("entity_type"), m[1].val = strv(w, w->s->strs[sc->type]);
        m[2].key = SY_LIT("in"), m[2].val = entity_or_slot(w, sc, var, NULL);
        return sy_val_object(m, 3);
    case SY_SC_INLIST:
        if (sc->n == 1) return obj2(w, "op", strz("in"), "entity", uid(w, w->s->list[sc->uid]));
        v = vals(w, sc->n);
        if (!v) return sy_val_null();
        for (uint32_t i = 0; i < sc->n; i++) v[i] = uid(w, w->s->list[sc->uid + i]);
        return obj2(w, "op", strz("in"), "entities", sy_val_array(v, sc->n));
    }
    return sy_val_null();
}

static symbi_status from_nodes(writer *w, const sy_cpolicy *p, symbi_value *out)
{
    static const char *const names[] = { "principal", "action", "resource" };
    const symbi_cedar *s = w->s;
    symbi_member *m = mems(w, 6), *am;
    symbi_value *c = vals(w, p->ncond);
    symbi_status st;
    if (!m || !c) return nomem(w);
    m[0].key = SY_LIT("effect");
    m[0].val = strz(p->effect == SYMBI_CEDAR_PERMIT ? "permit" : "forbid");
    for (int v = 0; v < 3; v++) {
        m[1 + v].key = symbi_str_z(names[v]);
        m[1 + v].val = scope(w, &p->scope[v], v);
    }
    for (uint32_t i = 0; i < p->ncond; i++) {
        uint32_t n = s->list[p->cond + i];
        symbi_value body;
        if ((st = expr(w, n & ~SY_UNLESS, &body))) return st;
        c[i] = obj2(w, "kind", strz(n & SY_UNLESS ? "unless" : "when"), "body", body);
    }
    m[4].key = SY_LIT("conditions");
    m[4].val = sy_val_array(c, p->ncond);
    if (p->nann) {
        am = mems(w, p->nann);
        if (!am) return nomem(w);
        for (uint32_t i = 0; i < p->nann; i++) {
            const sy_cann *a = &s->anns[p->ann + i];
            am[i].key = sy_arena_dup(w->a, s->strs[a->key]);
            am[i].val = a->val == SY_NONE ? sy_val_null() : strv(w, s->strs[a->val]);
        }
        m[5].key = SY_LIT("annotations");
        m[5].val = sy_val_object(am, p->nann);
    }
    *out = sy_val_object(m, p->nann ? 6 : 5);
    return w->a->status ? nomem(w) : SYMBI_OK;
}

/* ---- what was JSON ---- */

/* Copies only the named members, in that order. */
static symbi_value only(writer *w, const symbi_value *v, const char *const *names)
{
    symbi_member *m = mems(w, 8);
    size_t n = 0;
    for (; m && *names; names++) {
        const symbi_value *x = symbi_value_getz(v, *names);
        if (!x) continue;
        m[n].key = symbi_str_z(*names);
        m[n++].val = *x;
    }
    return sy_val_object(m, n);
}

static symbi_value clean_uid(writer *w, const symbi_value *v)
{
    static const char *const names[] = { "type", "id", NULL };
    const symbi_value *e = symbi_value_getz(v, "__entity");
    return e ? obj1(w, "__entity", only(w, e, names)) : only(w, v, names);
}

static symbi_value clean_scope(writer *w, const symbi_value *v, bool inner)
{
    const symbi_value *op = symbi_value_getz(v, "op"), *e = symbi_value_getz(v, "entity"), *l = symbi_value_getz(v, "entities"), *in;
    symbi_member *m = mems(w, 4);
    size_t n = 0;
    if (!m) return sy_val_null();
    if (!inner) {
        m[n].key = SY_LIT("op");
        m[n++].val = sy_str_eqz(op->u.s, "all") ? strz("All") : *op;
        if (sy_str_eqz(m[0].val.u.s, "All")) return sy_val_object(m, n);
        if (sy_str_eqz(op->u.s, "is")) {
            m[n].key = SY_LIT("entity_type");
            m[n++].val = *symbi_value_getz(v, "entity_type");
            in = symbi_value_getz(v, "in");
            if (in && in->kind != SYMBI_NULL) {
                m[n].key = SY_LIT("in");
                m[n++].val = clean_scope(w, in, true);
            }
            return sy_val_object(m, n);
        }
    }
    if (e) {
        m[n].key = SY_LIT("entity");
        m[n++].val = clean_uid(w, e);
    } else if (l && l->kind == SYMBI_ARRAY) {
        symbi_value *items = vals(w, l->u.a.n);
        for (size_t i = 0; items && i < l->u.a.n; i++) items[i] = clean_uid(w, &l->u.a.items[i]);
        m[n].key = SY_LIT("entities");
        m[n++].val = sy_val_array(items, l->u.a.n);
    } else {
        m[n].key = SY_LIT("slot");
        m[n++].val = *symbi_value_getz(v, "slot");
    }
    return sy_val_object(m, n);
}

/* Copies of arrays and objects with every child cleaned. kind: 0 expression, 1 value (spec 9.2). */
static symbi_value clean(writer *w, const symbi_value *v, int kind)
{
    static const char *const uid_names[] = { "type", "id", NULL };
    static const char *const fn_names[] = { "fn", "arg", NULL }, *const fns_names[] = { "fn", "args", NULL };
    static const char *const has_names[] = { "left", "attr", NULL }, *const like_names[] = { "left", "pattern", NULL }, *const is_names[] = { "left", "entity_type", "in", NULL },
                             *const if_names[] = { "if", "then", "else", NULL };
    symbi_value *items, pay;
    symbi_member *m;
    symbi_str key;
    const symbi_value *e;
    sy_cuid u;
    if (v->kind == SYMBI_ARRAY) {
        items = vals(w, v->u.a.n);
        for (size_t i = 0; items && i < v->u.a.n; i++) items[i] = clean(w, &v->u.a.items[i], kind);
        return sy_val_array(items, v->u.a.n);
    }
    if (v->kind != SYMBI_OBJECT || !v->u.o.n) return *v;
    key = v->u.o.members[0].key;
    if (kind == 1 && v->u.o.n == 1) {
        if (sy_str_eqz(key, "__entity") && sy_ctype_and_id(&v->u.o.members[0].val, &u) > 0) return obj1(w, "__entity", only(w, &v->u.o.members[0].val, uid_names));
        e = &v->u.o.members[0].val;
        if (sy_str_eqz(key, "__extn") && symbi_value_getz(e, "fn") && (symbi_value_getz(e, "arg") || symbi_value_getz(e, "args")))
            return obj1(w, "__extn", only(w, e, symbi_value_getz(e, "arg") ? fn_names : fns_names));
    }
    pay = *v;
    if (kind == 0) {
        const symbi_value *p = &v->u.o.members[0].val;
        if (sy_str_eqz(key, "Value")) return obj1(w, "Value", clean(w, p, 1));
        if (sy_str_eqz(key, "like")) {
            pay = only(w, p, like_names);
            m = (symbi_member *)(uintptr_t)pay.u.o.members;
            if (m) m[0].val = clean(w, &m[0].val, 0);
            return obj1(w, "like", pay);
        }
        if (sy_str_eqz(key, "has") || sy_str_eqz(key, "is") || sy_str_eqz(key, "if-then-else")) {
            pay = only(w, p, sy_str_eqz(key, "has") ? has_names : sy_str_eqz(key, "is") ? is_names : if_names);
            m = (symbi_member *)(uintptr_t)pay.u.o.members;
            for (size_t i = 0; m && i < pay.u.o.n; i++)
                if (m[i].val.kind == SYMBI_OBJECT) m[i].val = clean(w, &m[i].val, 0);
            return obj1(w, sy_str_eqz(key, "has") ? "has" : sy_str_eqz(key, "is") ? "is" : "if-then-else", pay);
        }
    }
    /* {"op": {"left": E, "right": E}}, records, calls: every member's value is cleaned the same way */
    m = mems(w, pay.u.o.n);
    for (size_t i = 0; m && i < pay.u.o.n; i++) {
        m[i] = pay.u.o.members[i];
        if (kind == 0 && m[i].val.kind == SYMBI_OBJECT && pay.u.o.n == 1) { /* the payload: its members are expressions */
            symbi_member *pm = mems(w, m[i].val.u.o.n);
            size_t n = m[i].val.u.o.n;
            for (size_t k = 0; pm && k < n; k++) {
                pm[k] = m[i].val.u.o.members[k];
                pm[k].val = clean(w, &pm[k].val, 0);
            }
            m[i].val = sy_val_object(pm, n);
        } else {
            m[i].val = clean(w, &m[i].val, kind);
        }
    }
    return sy_val_object(m, pay.u.o.n);
}

static symbi_status from_json(writer *w, const symbi_value *v, symbi_value *out)
{
    static const char *const names[] = { "principal", "action", "resource" };
    const symbi_value *conds = symbi_value_getz(v, "conditions"), *ann = symbi_value_getz(v, "annotations");
    symbi_member *m = mems(w, 6);
    symbi_value *c = vals(w, conds->u.a.n);
    if (!m || !c) return nomem(w);
    m[0].key = SY_LIT("effect");
    m[0].val = *symbi_value_getz(v, "effect");
    for (int i = 0; i < 3; i++) {
        m[1 + i].key = symbi_str_z(names[i]);
        m[1 + i].val = clean_scope(w, symbi_value_getz(v, names[i]), false);
    }
    for (size_t i = 0; i < conds->u.a.n; i++)
        c[i] = obj2(w, "kind", *symbi_value_getz(&conds->u.a.items[i], "kind"), "body", clean(w, symbi_value_getz(&conds->u.a.items[i], "body"), 0));
    m[4].key = SY_LIT("conditions");
    m[4].val = sy_val_array(c, conds->u.a.n);
    if (ann && ann->u.o.n) {
        m[5].key = SY_LIT("annotations");
        m[5].val = *ann;
    }
    *out = sy_val_object(m, ann && ann->u.o.n ? 6 : 5);
    return w->a->status ? nomem(w) : SYMBI_OK;
}

symbi_status sy_cest_write(symbi_ctx *cx, const symbi_cedar *s, uint32_t i, symbi_doc *d, symbi_value *out, symbi_err *err)
{
    writer w = { s, &d->arena, err, cx->limits.expr_depth + 8 };
    const sy_cpolicy *p = &s->policies[i];
    if (p->role == SYMBI_CEDAR_LINK) p = &s->policies[p->tmpl];
    if (!p->line && p->source < s->nsources) { /* from JSON */
        symbi_doc *from = NULL;
        symbi_value v, c = sy_val_null();
        size_t keep = cx->limits.doc_depth;
        symbi_status st;
        cx->limits.doc_depth = cx->limits.expr_depth * 3;
        st = symbi_json_parse(cx, s->sources[p->source].text, &from, err);
        cx->limits.doc_depth = keep;
        if (st) return st;
        st = from_json(&w, symbi_doc_root(from), &v);
        if (!st) st = sy_value_copy(&d->arena, &v, &c, cx->limits.expr_depth * 3, err);
        symbi_doc_unref(from);
        *out = c;
        return st;
    }
    return from_nodes(&w, p, out);
}
