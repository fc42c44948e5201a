/* cedar/entity.c: building and asking the entity store (spec 9.1-9.3). */
#include "cedar/entity.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "cedar/conform.h"

#include <string.h>

typedef struct builder {
    symbi_ctx *cx;
    symbi_cedar_entities *s;
    sy_cconv conv;
    sy_cuid *uids;
    uint32_t *ent_of, *slots;
    sy_centity *ents;
    size_t nuids, nents, edges;
    const sy_cschema *schema; /* or NULL */
} builder;

static uint32_t hash_uid(const uint64_t seed[2], const sy_cuid *u)
{
    uint64_t h = sy_siphash(seed, u->id.p, u->id.n) + UINT64_C(0x9E3779B97F4A7C15) * sy_siphash(seed, u->type.p, u->type.n);
    return (uint32_t)(h ^ h >> 32);
}

uint32_t sy_centity_num(const symbi_cedar_entities *e, const sy_cuid *u)
{
    uint32_t i, k;
    if (!e->nuids) return SY_NONE;
    for (i = hash_uid(e->seed, u) & e->mask; (k = e->slots[i]); i = (i + 1) & e->mask)
        if (sy_cuid_eq(&e->uids[k - 1], u)) return k - 1;
    return SY_NONE;
}

void sy_u32_sort(uint32_t *v, size_t n)
{
    if (n <= 16) {
        for (size_t i = 1; i < n; i++) {
            uint32_t x = v[i];
            size_t j = i;
            for (; j && v[j - 1] > x; j--) v[j] = v[j - 1];
            v[j] = x;
        }
        return;
    }
    for (size_t start = n / 2, end = n; end > 1;) { /* heap sort */
        size_t i, k;
        uint32_t x;
        if (start > 0) {
            x = v[--start];
        } else {
            x = v[--end];
            v[end] = v[0];
            v[0] = x;
        }
        for (i = start; (k = 2 * i + 1) < end; i = k) {
            if (k + 1 < end && v[k] < v[k + 1]) k++;
            if (x >= v[k]) break;
            v[i] = v[k];
        }
        v[i] = x;
    }
}

static uint32_t number(builder *b, const sy_cuid *u)
{
    uint32_t i, k;
    for (i = hash_uid(b->s->seed, u) & b->s->mask; (k = b->slots[i]); i = (i + 1) & b->s->mask)
        if (sy_cuid_eq(&b->uids[k - 1], u)) return k - 1;
    b->uids[b->nuids] = *u;
    b->ent_of[b->nuids] = SY_NONE;
    b->slots[i] = (uint32_t)++b->nuids;
    return (uint32_t)(b->nuids - 1);
}

static bool is_action(const sy_cuid *u) { return sy_str_eqz(sy_cname_base(u->type), "Action"); }

static bool same_entity(const sy_centity *a, const sy_centity *b, uint64_t *work)
{
    sy_cval x = { .tag = SY_CV_RECORD, .n = a->nattrs, .u = { .attrs = a->attrs } }, y = { .tag = SY_CV_RECORD, .n = b->nattrs, .u = { .attrs = b->attrs } };
    if (a->nparents != b->nparents || (a->nparents && memcmp(a->parents, b->parents, a->nparents * sizeof *a->parents))) return false;
    if (!sy_cval_eq(&x, &y, work)) return false;
    x.n = a->ntags, x.u.attrs = a->tags;
    y.n = b->ntags, y.u.attrs = b->tags;
    return sy_cval_eq(&x, &y, work);
}

static const symbi_value *field(builder *b, const symbi_value *v, const char *name, symbi_kind kind, const sy_cpath *at, symbi_status *st)
{
    const symbi_value *f = symbi_value_getz(v, name);
    sy_cpath here = { at, symbi_str_z(name), 0 };
    if (!f) *st = sy_cconv_fail(&b->conv, SYMBI_ESCHEMA, at, "an entity needs \"uid\", \"attrs\" and \"parents\"; \"%s\" is missing", name);
    else if (f->kind != kind) *st = sy_cconv_fail(&b->conv, SYMBI_ESCHEMA, &here, "\"%s\" must be an %s, found %s", name, symbi_kind_name(kind), symbi_kind_name((symbi_kind)f->kind));
    return f;
}

/* Attributes and tags as the schema declares them. */
static symbi_status typed_parts(builder *b, const symbi_value *attrs, const symbi_value *tags, const sy_cpath *at, sy_centity *e)
{
    sy_cpath pa = { at, SY_LIT("attrs"), 0 }, pt = { at, SY_LIT("tags"), 0 };
    uint32_t k = sy_cschema_entity(b->schema, e->uid.type), dup = 0;
    const sy_cst_entity *t;
    symbi_status st;
    sy_cattr *v;
    if (k == SY_NONE)
        return sy_cconv_fail(&b->conv, SYMBI_ESCHEMA, at, "entity `%.*s::\"%.*s\"` has type `%.*s` which is not declared in the schema", SY_FMT(e->uid.type), SY_FMT(e->uid.id), SY_FMT(e->uid.type));
    t = &b->schema->entities[k];
    if (t->is_enum && !sy_cschema_enum_has(t, e->uid.id))
        return sy_cconv_fail(&b->conv, SYMBI_ESCHEMA, at, "entity `%.*s::\"%.*s\"` is of an enumerated entity type, but its id is not declared", SY_FMT(e->uid.type), SY_FMT(e->uid.id));
    if ((st = sy_cconvert_record_typed(&b->conv, b->schema, attrs, t->shape, &pa, &e->attrs, &e->nattrs)) ||
        (st = sy_cconform_record(&b->conv, b->schema, e->attrs, e->nattrs, t->shape, &pa)))
        return st;
    if (!tags || !tags->u.o.n) return SYMBI_OK;
    if (!t->tags) return sy_cconv_fail(&b->conv, SYMBI_ESCHEMA, &pt, "entities of type `%.*s` have no tags according to the schema", SY_FMT(e->uid.type));
    v = sy_scratch_array(&b->s->mem, tags->u.o.n, sizeof *v);
    if (!v) return sy_cconv_nomem(&b->conv);
    for (size_t i = 0; i < tags->u.o.n; i++) {
        sy_cpath here = { &pt, tags->u.o.members[i].key, 0 };
        if ((st = sy_cconv_str(&b->conv, tags->u.o.members[i].key, &here, &v[i].key)) ||
            (st = sy_cconvert_typed(&b->conv, b->schema, &tags->u.o.members[i].val, t->tags, &here, &v[i].val)) ||
            (st = sy_cconform(&b->conv, b->schema, &v[i].val, t->tags, &here)))
            return st;
    }
    if (!sy_crec_normalise(v, (uint32_t)tags->u.o.n, &dup)) return sy_cconv_fail(&b->conv, SYMBI_ESCHEMA, &pt, "duplicate tag `%.*s`", SY_FMT(v[dup].key));
    e->tags = v;
    e->ntags = (uint32_t)tags->u.o.n;
    return SYMBI_OK;
}

/* An action entity that is listed must say what the schema says: all its ancestors, nothing else. */
static symbi_status check_action(builder *b, const sy_centity *e, const sy_cpath *at)
{
    uint32_t k = sy_cschema_action(b->schema, &e->uid);
    bool same;
    if (k == SY_NONE)
        return sy_cconv_fail(&b->conv, SYMBI_ESCHEMA, at, "found action entity `%.*s::\"%.*s\"`, but it was not declared as an action in the schema", SY_FMT(e->uid.type), SY_FMT(e->uid.id));
    same = !e->nattrs && !e->ntags && e->nparents == b->schema->actions[k].nanc;
    for (uint32_t i = 0; i < e->nparents && same; i++) {
        uint32_t p = sy_cschema_action(b->schema, &b->uids[e->parents[i]]);
        same = p != SY_NONE && p != k && sy_cschema_action_in(b->schema, k, p);
    }
    if (same) return SYMBI_OK;
    return sy_cconv_fail(&b->conv, SYMBI_ESCHEMA, at, "definition of action `%.*s::\"%.*s\"` does not match its schema declaration (parents: all its ancestors; no attributes, no tags)",
                         SY_FMT(e->uid.type), SY_FMT(e->uid.id));
}

/* The schema's actions, each with all its ancestors as parents. */
static symbi_status add_actions(builder *b)
{
    const sy_cschema *s = b->schema;
    for (uint32_t i = 0; i < s->nactions; i++) {
        sy_centity e;
        uint32_t *par;
        symbi_status st;
        memset(&e, 0, sizeof e);
        e.uid = s->actions[i].uid;
        if ((st = sy_cconv_str(&b->conv, e.uid.type, NULL, &e.uid.type)) || (st = sy_cconv_str(&b->conv, e.uid.id, NULL, &e.uid.id))) return st;
        e.num = number(b, &e.uid);
        if (b->ent_of[e.num] != SY_NONE) continue; /* listed, and checked to be the same */
        par = sy_scratch_array(&b->s->mem, (size_t)s->actions[i].nanc + 1, sizeof *par);
        if (!par) return sy_cconv_nomem(&b->conv);
        for (uint32_t k = 0; k < s->actions[i].nanc; k++) {
            sy_cuid u = s->actions[s->actions[i].anc[k]].uid;
            if ((st = sy_cconv_str(&b->conv, u.type, NULL, &u.type)) || (st = sy_cconv_str(&b->conv, u.id, NULL, &u.id))) return st;
            par[k] = number(b, &u);
        }
        sy_u32_sort(par, s->actions[i].nanc);
        e.parents = par;
        e.nparents = s->actions[i].nanc;
        b->edges += e.nparents;
        b->ent_of[e.num] = (uint32_t)b->nents;
        b->ents[b->nents++] = e;
    }
    return SYMBI_OK;
}

/* Every ancestor's type must be one that the schema allows above this type. */
static symbi_status check_ancestors(builder *b)
{
    const sy_cschema *s = b->schema;
    symbi_status st = SYMBI_OK;
    for (size_t i = 0; i < b->nents && !st; i++) {
        const sy_centity *e = &b->ents[i];
        uint32_t t;
        if (is_action(&e->uid)) continue;
        t = sy_cschema_entity(s, e->uid.type);
        /* the parents of each entity suffice: types above a parent's type are above this one's, because `in` is transitive */
        for (uint32_t k = 0; k < e->nparents && !st; k++) {
            const sy_cuid *p = &b->uids[e->parents[k]];
            uint32_t pt = sy_cschema_entity(s, p->type);
            if (pt == SY_NONE || !sy_cschema_under(s, t, pt))
                st = sy_cconv_fail(&b->conv, SYMBI_ESCHEMA, NULL, "`%.*s::\"%.*s\"` is not allowed to have an ancestor of type `%.*s` according to the schema", SY_FMT(e->uid.type),
                                   SY_FMT(e->uid.id), SY_FMT(p->type));
            else if (s->entities[pt].is_enum && !sy_cschema_enum_has(&s->entities[pt], p->id))
                st = sy_cconv_fail(&b->conv, SYMBI_ESCHEMA, NULL, "entity `%.*s::\"%.*s\"` is of an enumerated entity type, but its id is not declared", SY_FMT(p->type), SY_FMT(p->id));
        }
    }
    return st;
}

static symbi_status add(builder *b, const symbi_value *v, size_t index)
{
    sy_cpath at = { NULL, { NULL, 0 }, index };
    sy_cpath pu = { &at, SY_LIT("uid"), 0 }, pa = { &at, SY_LIT("attrs"), 0 }, pt = { &at, SY_LIT("tags"), 0 }, pp = { &at, SY_LIT("parents"), 0 };
    symbi_status st = SYMBI_OK;
    const symbi_value *uid, *attrs, *parents, *tags;
    sy_centity e;
    uint32_t *par, k = 0;
    memset(&e, 0, sizeof e);
    if (v->kind != SYMBI_OBJECT) return sy_cconv_fail(&b->conv, SYMBI_ESCHEMA, &at, "expected an entity object, found %s", symbi_kind_name((symbi_kind)v->kind));
    uid = symbi_value_getz(v, "uid");
    if (!uid) return sy_cconv_fail(&b->conv, SYMBI_ESCHEMA, &at, "an entity needs \"uid\", \"attrs\" and \"parents\"; \"uid\" is missing");
    attrs = field(b, v, "attrs", SYMBI_OBJECT, &at, &st);
    if (!st) parents = field(b, v, "parents", SYMBI_ARRAY, &at, &st);
    if (st) return st;
    tags = symbi_value_getz(v, "tags");
    if (tags && tags->kind != SYMBI_OBJECT) return sy_cconv_fail(&b->conv, SYMBI_ESCHEMA, &pt, "\"tags\" must be an object, found %s", symbi_kind_name((symbi_kind)tags->kind));
    if ((st = sy_cconvert_uid(&b->conv, uid, &pu, &e.uid))) return st;
    if (b->schema && !is_action(&e.uid)) {
        if ((st = typed_parts(b, attrs, tags, &at, &e))) return st;
    } else {
        if ((st = sy_cconvert_record(&b->conv, attrs, SYMBI_CEDAR_STRICT, NULL, 0, &pa, &e.attrs, &e.nattrs))) return st;
        if (tags && (st = sy_cconvert_record(&b->conv, tags, SYMBI_CEDAR_STRICT, NULL, 0, &pt, &e.tags, &e.ntags))) return st;
    }
    e.num = number(b, &e.uid);
    par = sy_scratch_array(&b->s->mem, parents->u.a.n + 1, sizeof *par);
    if (!par) return sy_cconv_nomem(&b->conv);
    for (size_t i = 0; i < parents->u.a.n; i++) {
        sy_cpath here = { &pp, { NULL, 0 }, i };
        sy_cuid u;
        if ((st = sy_cconvert_uid(&b->conv, &parents->u.a.items[i], &here, &u))) return st;
        if (is_action(&e.uid) && !is_action(&u))
            return sy_cconv_fail(&b->conv, SYMBI_ESCHEMA, &here, "action `%.*s` has a non-action parent of type `%.*s`", SY_FMT(e.uid.id), SY_FMT(u.type));
        par[k++] = number(b, &u);
    }
    sy_u32_sort(par, k);
    for (uint32_t i = 0, n = k; i < n; i++)
        if (!i) k = 1;
        else if (par[i] != par[k - 1]) par[k++] = par[i];
    e.parents = par;
    e.nparents = k;
    if (b->schema && is_action(&e.uid) && (st = check_action(b, &e, &at))) return st;
    b->edges += k;
    if (b->ent_of[e.num] != SY_NONE) {
        if (same_entity(&b->ents[b->ent_of[e.num]], &e, &b->conv.work)) return SYMBI_OK;
        return sy_cconv_fail(&b->conv, SYMBI_ESCHEMA, &pu, "duplicate entity entry `%.*s::\"%.*s\"` with different content", SY_FMT(e.uid.type), SY_FMT(e.uid.id));
    }
    b->ent_of[e.num] = (uint32_t)b->nents;
    b->ents[b->nents++] = e;
    return SYMBI_OK;
}

/* Ancestor lists, parents first, with an explicit stack; a grey entity met again closes a cycle. */
static symbi_status closure(builder *b)
{
    const symbi_alloc *al = &b->cx->alloc;
    size_t n = b->nents, nu = b->nuids, budget = b->edges * 16 + ((size_t)4 << 20), top = 0;
    uint8_t *colour = sy_calloc(al, n + 1, 1);
    uint32_t *stack = sy_calloc(al, n + 1, sizeof *stack), *next = sy_calloc(al, n + 1, sizeof *next), *stamp = sy_calloc(al, nu + 1, sizeof *stamp),
             *tmp = sy_calloc(al, nu + 1, sizeof *tmp);
    symbi_status st = SYMBI_OK;
    if (!colour || !stack || !next || !stamp || !tmp) {
        st = sy_fail_nomem(b->conv.err);
        goto out;
    }
    for (uint32_t root = 0; root < n; root++) {
        if (colour[root]) continue;
        stack[top++] = root;
        colour[root] = 1;
        while (top) {
            uint32_t cur = stack[top - 1], k = 0, *own;
            sy_centity *e = &b->ents[cur];
            bool walk = false;
            if (next[cur] < e->nparents) {
                uint32_t p = b->ent_of[e->parents[next[cur]++]];
                if (p == SY_NONE || colour[p] == 2) continue;
                if (colour[p] == 1) {
                    st = sy_fail(b->conv.err, SYMBI_ESCHEMA, "the entity hierarchy has a cycle through `%.*s::\"%.*s\"`", SY_FMT(b->ents[p].uid.type), SY_FMT(b->ents[p].uid.id));
                    goto out;
                }
                colour[p] = 1;
                stack[top++] = p;
                continue;
            }
            top--;
            colour[cur] = 2;
            for (uint32_t i = 0; i < e->nparents; i++) {
                uint32_t pn = e->parents[i], p = b->ent_of[pn];
                if (stamp[pn] != cur + 1) stamp[pn] = cur + 1, tmp[k++] = pn;
                if (p == SY_NONE) continue;
                if (!b->ents[p].anc) {
                    walk = true;
                    break;
                }
                for (uint32_t j = 0; j < b->ents[p].nanc; j++) {
                    uint32_t a = b->ents[p].anc[j];
                    if (stamp[a] != cur + 1) stamp[a] = cur + 1, tmp[k++] = a;
                }
            }
            if (walk || k > budget) continue; /* anc stays NULL: walked when asked */
            budget -= k;
            own = sy_scratch_array(&b->s->mem, (size_t)k + 1, sizeof *own);
            if (!own) {
                st = sy_cconv_nomem(&b->conv);
                goto out;
            }
            sy_u32_sort(tmp, k);
            if (k) memcpy(own, tmp, k * sizeof *own);
            e->anc = own;
            e->nanc = k;
        }
    }
out:
    sy_free(al, colour, n + 1);
    sy_free(al, stack, (n + 1) * sizeof *stack);
    sy_free(al, next, (n + 1) * sizeof *next);
    sy_free(al, stamp, (nu + 1) * sizeof *stamp);
    sy_free(al, tmp, (nu + 1) * sizeof *tmp);
    return st;
}

static symbi_status build(builder *b, const symbi_value *v)
{
    size_t most = b->cx->limits.entity_count, n, uids;
    symbi_status st;
    uint32_t mask = 15;
    if (v->kind != SYMBI_ARRAY) return sy_fail(b->conv.err, SYMBI_ESCHEMA, "entities are an array of objects, found %s", symbi_kind_name((symbi_kind)v->kind));
    n = v->u.a.n;
    if (n > most || n > UINT32_MAX / 4) return sy_fail(b->conv.err, SYMBI_ELIMIT, "more than %zu entities", most);
    uids = n;
    if (b->schema) uids += b->schema->nactions;
    for (size_t i = 0; i < n; i++) { /* an upper bound of the uids that occur */
        const symbi_value *p = symbi_value_getz(&v->u.a.items[i], "parents");
        if (p && p->kind == SYMBI_ARRAY) uids += p->u.a.n;
    }
    if (uids > UINT32_MAX / 4) return sy_fail(b->conv.err, SYMBI_ELIMIT, "too many parents");
    while (mask < 2 * uids) mask = mask * 2 + 1;
    b->s->mask = mask;
    b->uids = sy_scratch_array(&b->s->mem, uids + 1, sizeof *b->uids);
    b->ent_of = sy_scratch_array(&b->s->mem, uids + 1, sizeof *b->ent_of);
    b->slots = sy_scratch_array(&b->s->mem, (size_t)mask + 1, sizeof *b->slots);
    b->ents = sy_scratch_array(&b->s->mem, n + (b->schema ? b->schema->nactions : 0) + 1, sizeof *b->ents);
    if (!b->uids || !b->ent_of || !b->slots || !b->ents) return sy_cconv_nomem(&b->conv);
    memset(b->slots, 0, ((size_t)mask + 1) * sizeof *b->slots);
    for (size_t i = 0; i < n; i++)
        if ((st = add(b, &v->u.a.items[i], i))) return st;
    if (b->schema && ((st = add_actions(b)) || (st = check_ancestors(b)))) return st;
    b->s->uids = b->uids;
    b->s->ent_of = b->ent_of;
    b->s->slots = b->slots;
    b->s->ents = b->ents;
    b->s->nuids = (uint32_t)b->nuids;
    b->s->nents = (uint32_t)b->nents;
    return closure(b);
}

static symbi_status make(symbi_ctx *cx, const symbi_value *v, const sy_cschema *schema, symbi_cedar_entities **out, symbi_err *err)
{
    builder b;
    symbi_value none;
    symbi_status st;
    *out = NULL;
    memset(&b, 0, sizeof b);
    b.cx = cx;
    b.schema = schema;
    if (!v) {
        memset(&none, 0, sizeof none);
        none.kind = SYMBI_ARRAY;
        v = &none;
    }
    b.s = sy_calloc(&cx->shared, 1, sizeof *b.s);
    if (!b.s) return sy_fail_nomem(err);
    sy_ref_init(&b.s->refs);
    b.s->alloc = cx->shared;
    memcpy(b.s->seed, cx->seed, sizeof cx->seed);
    sy_scratch_init(&b.s->mem, cx->shared, cx->limits.arena_bytes);
    b.conv.mem = &b.s->mem;
    b.conv.depth = cx->limits.doc_depth;
    b.conv.copy = true;
    b.conv.err = err;
    st = build(&b, v);
    if (st) symbi_cedar_entities_unref(b.s);
    else *out = b.s;
    return st;
}

symbi_status symbi_cedar_entities_new(symbi_ctx *cx, const symbi_value *v, symbi_cedar_entities **out, symbi_err *err) { return make(cx, v, NULL, out, err); }

symbi_status symbi_cedar_entities_conform(symbi_ctx *cx, const symbi_value *v, const symbi_cedar_schema *schema, symbi_cedar_entities **out, symbi_err *err)
{
    return make(cx, v, schema, out, err);
}

symbi_cedar_entities *symbi_cedar_entities_ref(symbi_cedar_entities *e)
{
    sy_ref_inc(&e->refs);
    return e;
}

void symbi_cedar_entities_unref(symbi_cedar_entities *e)
{
    if (e && sy_ref_dec(&e->refs)) {
        symbi_alloc a = e->alloc;
        sy_scratch_free(&e->mem);
        sy_free(&a, e, sizeof *e);
    }
}

size_t symbi_cedar_entities_count(const symbi_cedar_entities *e) { return e->nents; }

bool sy_centity_in(const symbi_cedar_entities *s, const sy_centity *e, uint32_t anc, sy_scratch *mem, uint64_t *work, bool *oom)
{
    uint32_t *queue, n = 0, at = 0;
    uint8_t *seen;
    if (anc == SY_NONE) return false;
    if (e->anc) {
        uint32_t lo = 0, hi = e->nanc;
        while (lo < hi) {
            uint32_t mid = lo + (hi - lo) / 2;
            if (e->anc[mid] == anc) return true;
            if (e->anc[mid] < anc) lo = mid + 1;
            else hi = mid;
        }
        return false;
    }
    seen = sy_scratch_alloc(mem, (size_t)s->nuids / 8 + 1);
    queue = sy_scratch_array(mem, (size_t)s->nuids + 1, sizeof *queue);
    if (!seen || !queue) {
        *oom = true;
        return false;
    }
    memset(seen, 0, (size_t)s->nuids / 8 + 1);
    for (;;) {
        for (uint32_t i = 0; i < e->nparents; i++) {
            uint32_t p = e->parents[i];
            ++*work;
            if (p == anc) return true;
            if (seen[p >> 3] & (1u << (p & 7))) continue;
            seen[p >> 3] |= (uint8_t)(1u << (p & 7));
            queue[n++] = p;
        }
        do {
            if (at == n) return false;
        } while (!(e = sy_centity_at(s, queue[at++])));
    }
}
