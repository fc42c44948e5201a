/* cedar/build.c: see build.h. */
#include "cedar/build.h"
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "cedar/index.h"
#include "symbi/crypto.h"

#include <string.h>

/* Room for one more element, or failed_mem. Indices must stay below the flag bit. */
#define GROW(b, arr, cap, n)                                                                       \
    ((b)->failed_mem || (n) >= SY_MINUS - 1 ||                                                     \
             sy_grow(&(b)->cx->alloc, (void **)&(b)->arr, &(b)->cap, (n) + 1, sizeof *(b)->arr)    \
         ? ((b)->failed_mem = true, false)                                                         \
         : true)

static bool mem_failed(sy_cbuild *b)
{
    b->failed_mem = true;
    b->limited = b->limited || b->set->mem.limited;
    return false;
}

symbi_status sy_cbuild_init(sy_cbuild *b, symbi_ctx *cx, unsigned flags, symbi_err *err)
{
    memset(b, 0, sizeof *b);
    b->cx = cx;
    b->err = err;
    b->flags = flags;
    sy_map_init(&b->str_map, cx->alloc, cx->seed);
    b->set = sy_calloc(&cx->shared, 1, sizeof *b->set);
    if (!b->set) return sy_fail_nomem(err);
    sy_ref_init(&b->set->refs);
    b->set->alloc = cx->shared;
    b->set->flags = flags;
    memcpy(b->set->seed, cx->seed, sizeof cx->seed);
    sy_scratch_init(&b->set->mem, cx->shared, cx->limits.arena_bytes);
    return SYMBI_OK;
}

symbi_status sy_cbuild_nomem(const sy_cbuild *b, symbi_err *err)
{
    if (b->limited) return sy_fail(err, SYMBI_ELIMIT, "the policy set needs more than %zu bytes of memory", b->cx->limits.arena_bytes);
    return sy_fail_nomem(err);
}

uint32_t sy_cbuild_str(sy_cbuild *b, symbi_str s, bool borrow)
{
    bool fresh;
    sy_map_entry *e;
    symbi_str own = s;
    if (!GROW(b, strs, cap_strs, b->nstrs)) return 0;
    e = sy_map_put(&b->str_map, s, &fresh);
    if (!e) return mem_failed(b), 0;
    if (!fresh) return (uint32_t)e->val.u;
    if (!borrow) {
        own = sy_scratch_dup(&b->set->mem, s);
        if (!own.p) return mem_failed(b), 0; /* its key dangles, but nothing is looked up after a failure */
    }
    if (!own.p) own.p = "";
    e->key = own;
    e->val.u = b->nstrs;
    b->strs[b->nstrs] = own;
    return (uint32_t)b->nstrs++;
}

static uint32_t mix2(uint32_t a, uint32_t c)
{
    uint64_t x = ((uint64_t)a << 32 | c) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(x >> 32);
}

uint32_t sy_cbuild_uid(sy_cbuild *b, uint32_t type, uint32_t id)
{
    uint32_t i;
    if (!GROW(b, uids, cap_uids, b->nuids) || !GROW(b, uid_type, cap_uid_type, b->nuids) || !GROW(b, uid_id, cap_uid_id, b->nuids)) return 0;
    if (!b->uid_slots || (b->nuids + 1) * 2 > b->uid_mask) {
        uint32_t mask = b->uid_slots ? b->uid_mask * 2 + 1 : 15, *t = sy_calloc(&b->cx->alloc, (size_t)mask + 1, sizeof *t);
        if (!t) return mem_failed(b), 0;
        if (b->uid_slots) sy_free(&b->cx->alloc, b->uid_slots, ((size_t)b->uid_mask + 1) * sizeof *t);
        b->uid_slots = t;
        b->uid_mask = mask;
        for (uint32_t k = 0; k < b->nuids; k++) {
            for (i = mix2(b->uid_type[k], b->uid_id[k]) & mask; t[i]; i = (i + 1) & mask) {}
            t[i] = k + 1;
        }
    }
    for (i = mix2(type, id) & b->uid_mask; b->uid_slots[i]; i = (i + 1) & b->uid_mask) {
        uint32_t k = b->uid_slots[i] - 1;
        if (b->uid_type[k] == type && b->uid_id[k] == id) return k;
    }
    b->uid_slots[i] = (uint32_t)b->nuids + 1;
    b->uid_type[b->nuids] = type;
    b->uid_id[b->nuids] = id;
    b->uids[b->nuids].type = b->strs[type];
    b->uids[b->nuids].id = b->strs[id];
    return (uint32_t)b->nuids++;
}

uint32_t sy_cbuild_node(sy_cbuild *b, sy_cop op, unsigned sub, uint32_t x, uint32_t y, uint32_t pos)
{
    sy_cnode *n;
    if (!GROW(b, nodes, cap_nodes, b->nnodes)) return 0;
    n = &b->nodes[b->nnodes];
    n->op = (uint8_t)op;
    n->sub = (uint8_t)sub;
    n->n = 0;
    n->a = x;
    n->b = y;
    n->pos = pos;
    return (uint32_t)b->nnodes++;
}

uint32_t sy_cbuild_long(sy_cbuild *b, int64_t v, uint32_t pos)
{
    return sy_cbuild_node(b, SY_OP_LONG, 0, (uint32_t)(uint64_t)v, (uint32_t)((uint64_t)v >> 32), pos);
}

void sy_cbuild_push(sy_cbuild *b, uint32_t v)
{
    if (GROW(b, stack, cap_stack, b->nstack)) b->stack[b->nstack++] = v;
}

uint32_t sy_cbuild_list(sy_cbuild *b, size_t base)
{
    size_t n = b->nstack - base, at = b->nlist;
    if (b->failed_mem || at + n + 2 >= SY_MINUS || sy_grow(&b->cx->alloc, (void **)&b->list, &b->cap_list, at + n + 2, sizeof *b->list)) {
        mem_failed(b);
        if (base < b->nstack) b->nstack = base;
        return 0;
    }
    if (n) memcpy(b->list + at, b->stack + base, n * sizeof *b->list);
    b->nlist += n;
    b->nstack = base;
    return (uint32_t)at;
}

/* The value of a literal node, or false. */
static bool constant(const sy_cbuild *b, uint32_t i, sy_cval *out)
{
    const sy_cnode *n = &b->nodes[i];
    uint32_t k;
    switch (n->op) {
    case SY_OP_BOOL: *out = sy_cv_bool(n->a != 0); return true;
    case SY_OP_LONG: *out = sy_cv_int(SY_CV_LONG, sy_cnode_long(n)); return true;
    case SY_OP_STR: *out = sy_cv_str(b->strs[n->a]); return true;
    case SY_OP_UID: { /* uids[] may still move: a copy that stays */
        sy_cuid *u = sy_scratch_alloc(&b->set->mem, sizeof *u);
        if (!u) return false;
        *u = b->uids[n->a];
        *out = sy_cv_uid(u);
        return true;
    }
    case SY_OP_SET:
    case SY_OP_CALL:
        k = b->list[n->a + n->b];
        if (!k) return false;
        *out = b->vals[k - 1];
        return true;
    default: return false;
    }
}

static uint32_t add_const(sy_cbuild *b, sy_cval v)
{
    if (!GROW(b, vals, cap_vals, b->nvals)) return 0;
    b->vals[b->nvals] = v;
    return (uint32_t)++b->nvals; /* index + 1 */
}

uint32_t sy_cbuild_set(sy_cbuild *b, size_t base, uint32_t pos)
{
    uint32_t n = (uint32_t)(b->nstack - base), k = 0, at;
    sy_cval *items;
    if (b->failed_mem) return 0;
    items = sy_alloc(&b->cx->alloc, (n + 1) * sizeof *items);
    if (!items) return mem_failed(b), 0;
    while (k < n && constant(b, b->stack[base + k], &items[k])) k++;
    at = 0;
    if (k == n) {
        uint64_t work = 0;
        uint32_t m = sy_cset_normalise(items, n, &work);
        sy_cval v = { .tag = SY_CV_SET, .n = m }, *own = sy_scratch_array(&b->set->mem, m + 1, sizeof *own);
        if (own) {
            memcpy(own, items, m * sizeof *own);
            v.u.items = own;
            at = add_const(b, v);
        } else {
            mem_failed(b);
        }
    }
    sy_free(&b->cx->alloc, items, (n + 1) * sizeof *items);
    sy_cbuild_push(b, at);
    at = sy_cbuild_list(b, base);
    return sy_cbuild_node(b, SY_OP_SET, 0, at, n, pos);
}

uint32_t sy_cbuild_call(sy_cbuild *b, sy_cfn fn, size_t base, uint32_t pos)
{
    uint32_t n = (uint32_t)(b->nstack - base), at = 0;
    sy_cval arg[2], v;
    sy_cerr e;
    if (b->failed_mem) return 0;
    if (n == sy_cfn_nargs(fn) && constant(b, b->stack[base], &arg[0]) && (n == 1 || constant(b, b->stack[base + 1], &arg[1]))) {
        if (sy_cfn_call(fn, arg, n, &b->set->mem, &v, &e)) at = add_const(b, v);
        else if (e.kind == SY_CEDAR_E_NOMEM) mem_failed(b);
    }
    sy_cbuild_push(b, at);
    at = sy_cbuild_list(b, base);
    return sy_cbuild_node(b, SY_OP_CALL, (unsigned)fn, at, n, pos);
}

uint32_t sy_cbuild_record(sy_cbuild *b, size_t base, uint32_t pos, uint32_t *dup)
{
    uint32_t n, at;
    uint32_t *v;
    if (b->failed_mem) return 0;
    n = (uint32_t)((b->nstack - base) / 2);
    v = n ? b->stack + base : NULL; /* an empty record may come before there is a stack */
    /* heap sort by key: no bad case for a hostile record */
    for (uint32_t start = n / 2, end = n; end > 1;) {
        uint32_t i, k, a, c;
        if (start > 0) {
            start--;
        } else {
            end--;
            a = v[0], c = v[1];
            v[0] = v[2 * end], v[1] = v[2 * end + 1];
            v[2 * end] = a, v[2 * end + 1] = c;
        }
        i = start;
        a = v[2 * i], c = v[2 * i + 1];
        while ((k = 2 * i + 1) < end) {
            if (k + 1 < end && sy_str_cmp(b->strs[v[2 * k]], b->strs[v[2 * k + 2]]) < 0) k++;
            if (sy_str_cmp(b->strs[a], b->strs[v[2 * k]]) >= 0) break;
            v[2 * i] = v[2 * k], v[2 * i + 1] = v[2 * k + 1];
            i = k;
        }
        v[2 * i] = a, v[2 * i + 1] = c;
    }
    for (uint32_t i = 1; i < n; i++)
        if (v[2 * i] == v[2 * i - 2]) {
            *dup = v[2 * i];
            return SY_NONE;
        }
    at = sy_cbuild_list(b, base);
    return sy_cbuild_node(b, SY_OP_RECORD, 0, at, n, pos);
}

bool sy_cbuild_policy(sy_cbuild *b, const sy_cpolicy *p)
{
    if (!GROW(b, policies, cap_policies, b->npolicies)) return false;
    b->policies[b->npolicies++] = *p;
    return true;
}

uint32_t sy_cbuild_ann(sy_cbuild *b, uint32_t key, uint32_t val)
{
    if (!GROW(b, anns, cap_anns, b->nanns)) return 0;
    b->anns[b->nanns].key = key;
    b->anns[b->nanns].val = val;
    return (uint32_t)b->nanns++;
}

bool sy_cbuild_source(sy_cbuild *b, symbi_str name, symbi_str text, sy_csource *out)
{
    if (!GROW(b, sources, cap_sources, b->nsources)) return false;
    out->name = sy_scratch_dup(&b->set->mem, name);
    out->text = sy_scratch_dup(&b->set->mem, text);
    if (!out->name.p || !out->text.p) return mem_failed(b);
    b->sources[b->nsources++] = *out;
    return true;
}

void sy_cbuild_warn(sy_cbuild *b, symbi_str w)
{
    if (!GROW(b, warnings, cap_warnings, b->nwarnings)) return;
    w = sy_scratch_dup(&b->set->mem, w);
    if (!w.p) mem_failed(b);
    else b->warnings[b->nwarnings++] = w;
}

void sy_cbuild_abort(sy_cbuild *b)
{
    const symbi_alloc *a = &b->cx->alloc;
    sy_map_free(&b->str_map);
    if (b->uid_slots) sy_free(a, b->uid_slots, ((size_t)b->uid_mask + 1) * sizeof *b->uid_slots);
    sy_free(a, b->nodes, b->cap_nodes * sizeof *b->nodes);
    sy_free(a, b->list, b->cap_list * sizeof *b->list);
    sy_free(a, b->strs, b->cap_strs * sizeof *b->strs);
    sy_free(a, b->uids, b->cap_uids * sizeof *b->uids);
    sy_free(a, b->uid_type, b->cap_uid_type * sizeof *b->uid_type);
    sy_free(a, b->uid_id, b->cap_uid_id * sizeof *b->uid_id);
    sy_free(a, b->vals, b->cap_vals * sizeof *b->vals);
    sy_free(a, b->policies, b->cap_policies * sizeof *b->policies);
    sy_free(a, b->anns, b->cap_anns * sizeof *b->anns);
    sy_free(a, b->sources, b->cap_sources * sizeof *b->sources);
    sy_free(a, b->warnings, b->cap_warnings * sizeof *b->warnings);
    sy_free(a, b->stack, b->cap_stack * sizeof *b->stack);
    symbi_cedar_unref(b->set);
    memset(b, 0, sizeof *b);
}

static void *copy(sy_cbuild *b, const void *p, size_t n, size_t size)
{
    void *q = sy_scratch_array(&b->set->mem, n ? n : 1, size);
    if (!q) mem_failed(b);
    else if (n) memcpy(q, p, n * size);
    return q;
}

/* One array of the set into the builder's. */
#define TAKE(b, arr, n, cap, from, count)                                                          \
    do {                                                                                           \
        if (sy_grow(&(b)->cx->alloc, (void **)&(b)->arr, &(b)->cap, (count) + 1, sizeof *(b)->arr)) \
            (b)->failed_mem = true;                                                                \
        else if (count)                                                                            \
            memcpy((b)->arr, from, (count) * sizeof *(b)->arr), (b)->n = (count);                  \
    } while (0)

static sy_cval copy_val(sy_cbuild *b, const sy_cval *v)
{
    sy_cval r = *v;
    if (v->tag == SY_CV_STRING) {
        symbi_str s = sy_scratch_dup(&b->set->mem, sy_cv_text(*v));
        if (!s.p) mem_failed(b);
        r.u.s = s.p;
    } else if (v->tag == SY_CV_ENTITY) {
        sy_cuid *u = sy_scratch_alloc(&b->set->mem, sizeof *u);
        if (!u) return mem_failed(b), r;
        u->type = sy_scratch_dup(&b->set->mem, v->u.uid->type);
        u->id = sy_scratch_dup(&b->set->mem, v->u.uid->id);
        if (!u->type.p || !u->id.p) mem_failed(b);
        r.u.uid = u;
    } else if (v->tag == SY_CV_IP) {
        sy_cip *ip = sy_scratch_alloc(&b->set->mem, sizeof *ip);
        if (!ip) return mem_failed(b), r;
        *ip = *v->u.ip;
        r.u.ip = ip;
    } else if (v->tag == SY_CV_SET) { /* constants hold no records */
        sy_cval *items = sy_scratch_array(&b->set->mem, (size_t)v->n + 1, sizeof *items);
        if (!items) return mem_failed(b), r;
        for (uint32_t i = 0; i < v->n; i++) items[i] = copy_val(b, &v->u.items[i]);
        r.u.items = items;
    }
    return r;
}

symbi_status sy_cbuild_copy(sy_cbuild *b, symbi_ctx *cx, const symbi_cedar *s, symbi_err *err)
{
    symbi_status st = sy_cbuild_init(b, cx, s->flags, err);
    if (st) return st;
    for (uint32_t i = 0; i < s->nstrs; i++) sy_cbuild_str(b, s->strs[i], false); /* the same numbers, because all differ */
    for (uint32_t i = 0; i < s->nuids; i++) sy_cbuild_uid(b, s->uid_type[i], s->uid_id[i]);
    TAKE(b, nodes, nnodes, cap_nodes, s->nodes, (size_t)s->nnodes);
    TAKE(b, list, nlist, cap_list, s->list, (size_t)s->nlist);
    TAKE(b, policies, npolicies, cap_policies, s->policies, (size_t)s->npolicies);
    TAKE(b, anns, nanns, cap_anns, s->anns, (size_t)s->nanns);
    for (uint32_t i = 0; i < s->nvals && !b->failed_mem; i++) add_const(b, copy_val(b, &s->vals[i]));
    for (uint32_t i = 0; i < s->nsources && !b->failed_mem; i++) {
        sy_csource own;
        sy_cbuild_source(b, s->sources[i].name, s->sources[i].text, &own);
    }
    for (uint32_t i = 0; i < s->nwarnings && !b->failed_mem; i++) sy_cbuild_warn(b, s->warnings[i]);
    return b->failed_mem ? sy_cbuild_nomem(b, err) : SYMBI_OK;
}

static uint32_t mask_for(size_t n)
{
    uint32_t m = 15;
    while (m < 2 * n) m = m * 2 + 1;
    return m;
}

/* SHA-256 over (flags, count, SHA-256 of each name and text, in order). */
static symbi_status hash_set(sy_cbuild *b)
{
    size_t n = 16 + b->nsources * 64;
    uint8_t *p = sy_alloc(&b->cx->alloc, n);
    symbi_status st = SYMBI_OK;
    symbi_str all = { (const char *)p, n };
    if (!p) return sy_fail_nomem(b->err);
    memset(p, 0, 16);
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(b->flags >> (8 * i));
        p[8 + i] = (uint8_t)(b->nsources >> (8 * i));
    }
    for (size_t i = 0; i < b->nsources && !st; i++) {
        st = symbi_sha256(b->cx, b->sources[i].name, p + 16 + 64 * i, b->err);
        if (!st) st = symbi_sha256(b->cx, b->sources[i].text, p + 16 + 64 * i + 32, b->err);
    }
    if (!st) st = symbi_sha256(b->cx, all, b->set->hash, b->err);
    sy_free(&b->cx->alloc, p, n);
    return st;
}

static symbi_status finish(sy_cbuild *b)
{
    symbi_cedar *s = b->set;
    uint32_t *t, i, k;
    symbi_status st;
    if (b->failed_mem) return sy_cbuild_nomem(b, b->err);
    if ((st = hash_set(b))) return st;
    s->nodes = copy(b, b->nodes, b->nnodes, sizeof *b->nodes);
    s->list = copy(b, b->list, b->nlist, sizeof *b->list);
    s->strs = copy(b, b->strs, b->nstrs, sizeof *b->strs);
    s->uids = copy(b, b->uids, b->nuids, sizeof *b->uids);
    s->uid_type = copy(b, b->uid_type, b->nuids, sizeof *b->uid_type);
    s->uid_id = copy(b, b->uid_id, b->nuids, sizeof *b->uid_id);
    s->vals = copy(b, b->vals, b->nvals, sizeof *b->vals);
    s->policies = copy(b, b->policies, b->npolicies, sizeof *b->policies);
    s->anns = copy(b, b->anns, b->nanns, sizeof *b->anns);
    s->sources = copy(b, b->sources, b->nsources, sizeof *b->sources);
    s->warnings = copy(b, b->warnings, b->nwarnings, sizeof *b->warnings);
    s->str_mask = mask_for(b->nstrs);
    s->uid_mask = mask_for(b->nuids);
    s->id_mask = mask_for(b->npolicies);
    if (b->failed_mem) return sy_cbuild_nomem(b, b->err);
    s->nnodes = (uint32_t)b->nnodes;
    s->nlist = (uint32_t)b->nlist;
    s->nstrs = (uint32_t)b->nstrs;
    s->nuids = (uint32_t)b->nuids;
    s->nvals = (uint32_t)b->nvals;
    s->npolicies = (uint32_t)b->npolicies;
    s->nanns = (uint32_t)b->nanns;
    s->nsources = (uint32_t)b->nsources;
    s->nwarnings = (uint32_t)b->nwarnings;

    if (!(t = sy_scratch_array(&s->mem, (size_t)s->str_mask + 1, sizeof *t))) return mem_failed(b), sy_cbuild_nomem(b, b->err);
    memset(t, 0, ((size_t)s->str_mask + 1) * sizeof *t);
    for (k = 0; k < s->nstrs; k++) {
        for (i = (uint32_t)b->str_map.e[k].hash & s->str_mask; t[i]; i = (i + 1) & s->str_mask) {}
        t[i] = k + 1; /* the map keeps insertion order: entry k is string k */
    }
    s->str_slots = t;
    if (!(t = sy_scratch_array(&s->mem, (size_t)s->uid_mask + 1, sizeof *t))) return mem_failed(b), sy_cbuild_nomem(b, b->err);
    memset(t, 0, ((size_t)s->uid_mask + 1) * sizeof *t);
    for (k = 0; k < s->nuids; k++) {
        for (i = mix2(s->uid_type[k], s->uid_id[k]) & s->uid_mask; t[i]; i = (i + 1) & s->uid_mask) {}
        t[i] = k + 1;
    }
    s->uid_slots = t;
    if (!(t = sy_scratch_array(&s->mem, (size_t)s->id_mask + 1, sizeof *t))) return mem_failed(b), sy_cbuild_nomem(b, b->err);
    memset(t, 0, ((size_t)s->id_mask + 1) * sizeof *t);
    for (k = 0; k < s->npolicies; k++) {
        const sy_cpolicy *p = &s->policies[k];
        for (i = mix2(p->id, 0) & s->id_mask; t[i]; i = (i + 1) & s->id_mask)
            if (s->policies[t[i] - 1].id == p->id) {
                st = sy_fail_at(b->err, SYMBI_EEXISTS, p->line, p->col, "duplicate policy id '%.*s'", SY_FMT(s->strs[p->id]));
                if (p->source < s->nsources) sy_err_path(b->err, s->sources[p->source].name);
                return st;
            }
        t[i] = k + 1;
    }
    s->id_slots = t;
    return sy_cindex_build(b->cx, s, b->err);
}

symbi_status sy_cbuild_finish(sy_cbuild *b, symbi_cedar **out)
{
    symbi_status st = finish(b);
    if (!st) {
        *out = b->set;
        b->set = NULL;
    }
    sy_cbuild_abort(b);
    return st;
}

uint32_t sy_cset_str(const symbi_cedar *s, symbi_str t)
{
    uint32_t i = (uint32_t)sy_siphash(s->seed, t.p, t.n) & s->str_mask, k;
    for (; (k = s->str_slots[i]); i = (i + 1) & s->str_mask)
        if (sy_str_eq(s->strs[k - 1], t)) return k - 1;
    return SY_NONE;
}

uint32_t sy_cset_uid(const symbi_cedar *s, uint32_t type, symbi_str id)
{
    uint32_t n, i, k;
    if (type == SY_NONE || (n = sy_cset_str(s, id)) == SY_NONE) return SY_NONE;
    for (i = mix2(type, n) & s->uid_mask; (k = s->uid_slots[i]); i = (i + 1) & s->uid_mask)
        if (s->uid_type[k - 1] == type && s->uid_id[k - 1] == n) return k - 1;
    return SY_NONE;
}

size_t symbi_cedar_find(const symbi_cedar *s, symbi_str id)
{
    uint32_t n = sy_cset_str(s, id), i, k;
    if (n == SY_NONE) return SIZE_MAX;
    for (i = mix2(n, 0) & s->id_mask; (k = s->id_slots[i]); i = (i + 1) & s->id_mask)
        if (s->policies[k - 1].id == n) return k - 1;
    return SIZE_MAX;
}
