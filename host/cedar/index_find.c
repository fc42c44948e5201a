/* cedar/index_find.c: the candidates of one request. */
#include "base/alloc.h"
#include "cedar/eval.h"
#include "cedar/index.h"

#include <string.h>

void sy_ceval_unbind(symbi_cedar_eval *ev)
{
    symbi_cedar_unref(ev->bound_set);
    symbi_cedar_entities_unref(ev->bound_store);
    ev->bound_set = NULL;
    ev->bound_store = NULL;
}

bool sy_ceval_bind(symbi_cedar_eval *ev)
{
    const symbi_alloc *a = &ev->cx->alloc;
    if (ev->bound_set == ev->set && ev->bound_store == ev->store) return true;
    sy_ceval_unbind(ev);
    if (ev->store) {
        if (sy_grow(a, (void **)&ev->uid_num, &ev->cap_uid_num, (size_t)ev->set->nuids + 1, sizeof *ev->uid_num) ||
            sy_grow(a, (void **)&ev->num_uid, &ev->cap_num_uid, (size_t)ev->store->nuids + 1, sizeof *ev->num_uid))
            return false;
        for (uint32_t i = 0; i < ev->set->nuids; i++) ev->uid_num[i] = SY_UNKNOWN;
        for (uint32_t i = 0; i < ev->store->nuids; i++) ev->num_uid[i] = SY_UNKNOWN;
        ev->bound_store = symbi_cedar_entities_ref((symbi_cedar_entities *)(uintptr_t)ev->store);
    }
    ev->bound_set = symbi_cedar_ref((symbi_cedar *)(uintptr_t)ev->set);
    return true;
}

static uint32_t uid_in_set(const symbi_cedar *s, const sy_cuid *u) { return sy_cset_uid(s, sy_cset_str(s, u->type), u->id); }

uint32_t sy_ceval_uid_of_num(symbi_cedar_eval *ev, uint32_t num)
{
    if (ev->num_uid[num] == SY_UNKNOWN) ev->num_uid[num] = uid_in_set(ev->set, &ev->store->uids[num]);
    return ev->num_uid[num];
}

static void add(symbi_cedar_eval *ev, const uint32_t *list, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (ev->stamp[list[i]] != ev->epoch) {
            ev->stamp[list[i]] = ev->epoch;
            ev->cand[ev->ncand++] = list[i];
        }
}

static void post(symbi_cedar_eval *ev, const sy_cposting *p, uint32_t key)
{
    if (key != SY_NONE) add(ev, p->post + p->start[key], p->start[key + 1] - p->start[key]);
}

/* The request's entity is uid or below it. */
static void above(symbi_cedar_eval *ev, const sy_cposting *p, int var, uint32_t uid)
{
    if (uid == SY_NONE) return;
    ev->above[(size_t)var * ev->set->nuids + uid] = ev->epoch;
    if (p->start) post(ev, p, uid);
}

/* Policies that ask `variable in X`, for every X that the request's entity is in; and a note of all those X. */
static bool ancestors(symbi_cedar_eval *ev, const sy_cposting *p, int var)
{
    const sy_centity *e = ev->ent[var];
    bool in;
    ev->listed[var] = true;
    above(ev, p, var, ev->sidx[var]);
    if (!e) return true;
    if (e->num != SY_NONE && e->anc) {
        for (uint32_t i = 0; i < e->nanc; i++) above(ev, p, var, sy_ceval_uid_of_num(ev, e->anc[i]));
        return true;
    }
    if (e->num == SY_NONE) {
        const sy_coverlay *o = (const sy_coverlay *)(const void *)e;
        for (uint32_t i = 0; i < o->npar; i++) {
            const sy_centity *up = sy_ceval_find(ev, &o->par[i]);
            if (up && (up->num == SY_NONE || !up->anc)) goto all; /* overlay above overlay, or a hierarchy too large to list */
        }
        for (uint32_t i = 0; i < o->npar; i++) {
            const sy_centity *up = sy_ceval_find(ev, &o->par[i]);
            above(ev, p, var, uid_in_set(ev->set, &o->par[i]));
            for (uint32_t k = 0; up && k < up->nanc; k++) above(ev, p, var, sy_ceval_uid_of_num(ev, up->anc[k]));
        }
        return true;
    }
all: /* the other way round: every X that policies ask for */
    ev->listed[var] = false;
    for (uint32_t k = 0; p->start && k < ev->set->nuids; k++) {
        if (p->start[k] == p->start[k + 1]) continue;
        if (!sy_ceval_in(ev, &ev->uid[var], &ev->set->uids[k], &in)) return false;
        if (in) post(ev, p, k);
    }
    return true;
}

/* The value at a path: 0 found, 1 missing, 2 an error. */
static int read_field(symbi_cedar_eval *ev, const sy_cfield *f, sy_cval *v)
{
    *v = f->var == SY_VAR_CONTEXT ? ev->context : sy_cv_uid(&ev->uid[f->var]);
    for (unsigned i = 0; i < f->npath; i++) {
        symbi_str key = ev->set->strs[f->path[i]];
        const sy_cval *r;
        if (v->tag == SY_CV_RECORD) {
            r = sy_crec_get(v->u.attrs, v->n, key);
        } else if (v->tag == SY_CV_ENTITY) {
            const sy_centity *e = sy_ceval_find(ev, v->u.uid);
            r = e ? sy_crec_get(e->attrs, e->nattrs, key) : NULL;
        } else {
            return 2;
        }
        if (!r) return 1;
        *v = *r;
    }
    return f->tag == SY_ANY_TAG || f->tag == v->tag ? 0 : 2;
}

typedef struct fields { /* each is read once per request */
    const struct sy_cindex *ix;
    uint8_t state[SY_INDEX_FIELDS]; /* 0 unread, else 1 + result */
    sy_cval v[SY_INDEX_FIELDS];
} fields;

static int field(symbi_cedar_eval *ev, fields *f, uint32_t i)
{
    if (!f->state[i]) {
        f->state[i] = (uint8_t)(1 + read_field(ev, &f->ix->fields[i], &f->v[i]));
        ev->steps++;
    }
    return f->state[i] - 1;
}

/* Policies of a guard with this literal. */
static void with_literal(symbi_cedar_eval *ev, const struct sy_cindex *ix, uint32_t number, const sy_cval *v)
{
    uint64_t value;
    uint32_t h;
    switch (v->tag) {
    case SY_CV_STRING: value = sy_cset_str(ev->set, sy_cv_text(*v)); break;
    case SY_CV_ENTITY: value = uid_in_set(ev->set, v->u.uid); break;
    case SY_CV_LONG: value = (uint64_t)v->u.i; break;
    case SY_CV_BOOL: value = v->u.b; break;
    default: return;
    }
    if ((v->tag == SY_CV_STRING || v->tag == SY_CV_ENTITY) && value == SY_NONE) return;
    for (h = sy_cguard_hash(number, v->tag, value) & ix->key_mask; ix->keys[h].guard; h = (h + 1) & ix->key_mask)
        if (ix->keys[h].guard == number + 1 && ix->keys[h].tag == v->tag && ix->keys[h].value == value) {
            add(ev, ix->post + ix->keys[h].at, ix->keys[h].n);
            return;
        }
}

static void guard(symbi_cedar_eval *ev, fields *f, uint32_t number)
{
    const struct sy_cindex *ix = f->ix;
    const sy_cguard *g = &ix->guards[number];
    const sy_cval *v;
    if (!g->nall) return;
    for (unsigned i = 0; i < g->npre; i++) {
        int r = field(ev, f, g->pre[i]);
        if (r == 1 && g->has[i]) return; /* x has y is false: so are they all */
        if (r) goto all;
    }
    if (field(ev, f, g->field)) goto all;
    v = &f->v[g->field];
    switch ((sy_cguard_kind)g->kind) {
    case SY_GUARD_ORDER: {
        const sy_climit *l = ix->limits + g->above;
        for (uint32_t i = 0; i < g->nabove && l[i].limit < v->u.i; i++) add(ev, &l[i].policy, 1);
        l = ix->limits + g->below;
        for (uint32_t i = g->nbelow; i > 0 && l[i - 1].limit > v->u.i; i--) add(ev, &l[i - 1].policy, 1);
        return;
    }
    case SY_GUARD_CONTAINS:
        if (v->n > g->nall) goto all; /* fewer policies than elements to look up */
        for (uint32_t i = 0; i < v->n; i++) with_literal(ev, ix, number, &v->u.items[i]);
        return;
    case SY_GUARD_EQ: with_literal(ev, ix, number, v); return;
    }
all: /* evaluating them is an error, which is to be reported for each */
    add(ev, ix->post + g->all, g->nall);
}

/* What is new is zeroed at once: a stale stamp would hide a policy, also after memory ran out half way. */
static bool grow_zeroed(symbi_cedar_eval *ev, uint32_t **v, size_t *cap, size_t need)
{
    size_t had = *cap;
    if (sy_grow(&ev->cx->alloc, (void **)v, cap, need, sizeof **v)) return false;
    if (*cap > had) memset(*v + had, 0, (*cap - had) * sizeof **v);
    return true;
}

bool sy_cindex_find(symbi_cedar_eval *ev)
{
    const symbi_cedar *s = ev->set;
    const struct sy_cindex *ix = s->index;
    if (!grow_zeroed(ev, &ev->stamp, &ev->cap_stamp, s->npolicies) || !grow_zeroed(ev, &ev->above, &ev->cap_above, (size_t)s->nuids * 3 + 1) ||
        sy_grow(&ev->cx->alloc, (void **)&ev->cand, &ev->cap_cand, s->npolicies, sizeof *ev->cand))
        return false;
    if (++ev->epoch == 0) {
        memset(ev->stamp, 0, ev->cap_stamp * sizeof *ev->stamp);
        memset(ev->above, 0, ev->cap_above * sizeof *ev->above);
        ev->epoch = 1;
    }
    ev->ncand = 0;
    for (int v = 0; v < 3; v++) {
        ev->tidx[v] = sy_cset_str(s, ev->uid[v].type);
        ev->sidx[v] = sy_cset_uid(s, ev->tidx[v], ev->uid[v].id);
    }
    ev->indexed = true;
    add(ev, ix->any, ix->nany);
    for (int v = 0; v < 3; v++) {
        if (ix->eq[v].start) post(ev, &ix->eq[v], ev->sidx[v]);
        if (ix->type[v].start) post(ev, &ix->type[v], ev->tidx[v]);
        if (!ancestors(ev, &ix->in[v], v)) return false;
    }
    if (ix->nguards) {
        fields f;
        f.ix = ix;
        memset(f.state, 0, ix->nfields);
        for (uint32_t i = 0; i < ix->nguards; i++) guard(ev, &f, i);
    }
    return true;
}
