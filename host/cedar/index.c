/* cedar/index.c: filing the policies of a set; see index.h. Runs once per set, at its end. */
#include "cedar/index.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"

#include <string.h>

typedef struct guard_use {
    uint32_t guard;  /* SY_NONE: no guard */
    uint8_t tag, op; /* op: SY_OP_EQ, SY_OP_GT (above) or SY_OP_LT (below) */
    uint64_t value;
} guard_use;

typedef enum way { ANY, EQ, IN, TYPE, GUARD } way;
typedef struct filed {
    uint8_t way, var;
    uint32_t key;   /* uid or string; IN with list: start of the list */
    uint32_t n;     /* uids in the list, 0: single */
    guard_use use;
} filed;

enum { USES = 4 }; /* guards considered per policy */

typedef struct key_count { /* how many policies share a literal of a guard */
    uint32_t guard, n; /* guard + 1 */
    uint8_t tag;
    uint64_t value;
} key_count;

typedef struct builder {
    symbi_ctx *cx;
    symbi_cedar *s;
    struct sy_cindex *ix;
    filed *file;                /* per policy */
    guard_use *uses;            /* USES per policy */
    key_count *keys;
    size_t key_mask;
    uint32_t *count[3][3];      /* way EQ/IN/TYPE - 1, var: how often a key is demanded */
    size_t count_size[3];
    sy_cfield fields[SY_INDEX_FIELDS];
    size_t nfields;
    sy_cguard *guards;
    size_t nguards, cap_guards;
    bool oom;
} builder;

static const sy_cpolicy *body_of(const symbi_cedar *s, const sy_cpolicy *p) { return p->role == SYMBI_CEDAR_LINK ? &s->policies[p->tmpl] : p; }

/* A chain of at most four attributes on a variable, front to back. */
static bool field_of(const symbi_cedar *s, uint32_t node, sy_cfield *f)
{
    uint32_t rev[4];
    unsigned n = 0;
    memset(f, 0, sizeof *f);
    f->tag = SY_ANY_TAG;
    while (s->nodes[node].op == SY_OP_GET && n < 4) {
        rev[n++] = s->nodes[node].b;
        node = s->nodes[node].a;
    }
    if (!n || s->nodes[node].op != SY_OP_VAR) return false;
    f->var = s->nodes[node].sub;
    f->npath = (uint8_t)n;
    for (unsigned i = 0; i < n; i++) f->path[i] = rev[n - 1 - i];
    return true;
}

static bool literal(const sy_cnode *n, uint8_t *tag, uint64_t *value)
{
    switch (n->op) {
    case SY_OP_STR: *tag = SY_CV_STRING; *value = n->a; return true;
    case SY_OP_LONG: *tag = SY_CV_LONG; *value = (uint64_t)sy_cnode_long(n); return true;
    case SY_OP_BOOL: *tag = SY_CV_BOOL; *value = n->a; return true;
    case SY_OP_UID: *tag = SY_CV_ENTITY; *value = n->a; return true;
    default: return false;
    }
}

static uint32_t field_number(builder *b, const sy_cfield *f)
{
    for (size_t i = 0; i < b->nfields; i++)
        if (!memcmp(&b->fields[i], f, sizeof *f)) return (uint32_t)i;
    if (b->nfields >= SY_INDEX_FIELDS) return SY_NONE; /* each costs every request a look */
    b->fields[b->nfields] = *f;
    return (uint32_t)b->nfields++;
}

static uint32_t guard_number(builder *b, const sy_cguard *g)
{
    for (size_t i = 0; i < b->nguards; i++) {
        const sy_cguard *x = &b->guards[i];
        if (x->field == g->field && x->kind == g->kind && x->npre == g->npre && !memcmp(x->pre, g->pre, sizeof g->pre) && !memcmp(x->has, g->has, sizeof g->has))
            return (uint32_t)i;
    }
    if (b->nguards >= 64) return SY_NONE;
    if (sy_grow(&b->cx->alloc, (void **)&b->guards, &b->cap_guards, b->nguards + 1, sizeof *b->guards)) {
        b->oom = true;
        return SY_NONE;
    }
    b->guards[b->nguards] = *g;
    return (uint32_t)b->nguards++;
}

/* What one conjunct asks: fields that must be readable for it not to err (at most two), and whether it can be a guard. */
typedef struct asks {
    sy_cfield f[2];
    unsigned nf;
    bool has;        /* f[0] may be missing: then the conjunct is false */
    bool guard;      /* on f[0] */
    sy_cguard_kind kind;
    guard_use use;
} asks;

static bool order_of(uint8_t op, bool swapped, guard_use *u)
{
    int64_t v = (int64_t)u->value;
    if (swapped) op = op == SY_OP_LT ? SY_OP_GT : op == SY_OP_GT ? SY_OP_LT : op == SY_OP_LE ? SY_OP_GE : SY_OP_LE;
    u->op = op;
    if (op == SY_OP_GE) {
        if (v == INT64_MIN) return false;
        v--, u->op = SY_OP_GT;
    } else if (op == SY_OP_LE) {
        if (v == INT64_MAX) return false;
        v++, u->op = SY_OP_LT;
    }
    u->value = (uint64_t)v;
    return true;
}

/* False: it could err in a way that is not looked at here, so nothing behind it can be used. */
static bool ask(const symbi_cedar *s, uint32_t node, asks *a)
{
    const sy_cnode *n = &s->nodes[node];
    const sy_cnode *l, *r;
    memset(a, 0, sizeof *a);
    switch ((sy_cop)n->op) {
    case SY_OP_BOOL: return true;
    case SY_OP_GET:
        a->nf = 1;
        if (!field_of(s, node, &a->f[0])) return false;
        a->f[0].tag = SY_CV_BOOL;
        return true;
    case SY_OP_NOT:
        if (s->nodes[n->a].op != SY_OP_GET && s->nodes[n->a].op != SY_OP_IN && s->nodes[n->a].op != SY_OP_IS) return false;
        return ask(s, n->a, a); /* what it reads is the same; a guard it is not, and these are none */
    case SY_OP_HAS:
        l = &s->nodes[n->a];
        if (l->op != SY_OP_VAR || n->n > 4) return false;
        a->nf = 1;
        a->has = true;
        a->f[0].var = l->sub;
        a->f[0].npath = (uint8_t)n->n;
        a->f[0].tag = SY_ANY_TAG;
        for (unsigned i = 0; i < n->n; i++) a->f[0].path[i] = s->list[n->b + i];
        return true;
    case SY_OP_IS: return s->nodes[n->a].op == SY_OP_VAR && s->nodes[n->a].sub != SY_VAR_CONTEXT;
    case SY_OP_IN: return s->nodes[n->a].op == SY_OP_VAR && s->nodes[n->a].sub != SY_VAR_CONTEXT && s->nodes[n->b].op == SY_OP_UID;
    case SY_OP_LIKE:
        a->nf = 1;
        if (!field_of(s, n->a, &a->f[0])) return false;
        a->f[0].tag = SY_CV_STRING;
        return true;
    case SY_OP_CONTAINS:
        a->nf = 1;
        if (!field_of(s, n->a, &a->f[0]) || !literal(&s->nodes[n->b], &a->use.tag, &a->use.value)) return false;
        a->f[0].tag = SY_CV_SET;
        a->guard = true;
        a->kind = SY_GUARD_CONTAINS;
        a->use.op = SY_OP_EQ;
        return true;
    case SY_OP_EQ:
    case SY_OP_NE:
        l = &s->nodes[n->a];
        r = &s->nodes[n->b];
        if (literal(r, &a->use.tag, &a->use.value) ? !field_of(s, n->a, &a->f[0]) : literal(l, &a->use.tag, &a->use.value) && !field_of(s, n->b, &a->f[0])) return false;
        a->nf = 1;
        if (literal(r, &a->use.tag, &a->use.value) || literal(l, &a->use.tag, &a->use.value)) {
            a->guard = n->op == SY_OP_EQ;
            a->kind = SY_GUARD_EQ;
            a->use.op = SY_OP_EQ;
            return true;
        }
        a->nf = 2;
        return field_of(s, n->a, &a->f[0]) && field_of(s, n->b, &a->f[1]);
    case SY_OP_LT:
    case SY_OP_LE:
    case SY_OP_GT:
    case SY_OP_GE: {
        bool swapped = s->nodes[n->b].op != SY_OP_LONG;
        a->nf = 1;
        if (!field_of(s, swapped ? n->b : n->a, &a->f[0]) || !literal(&s->nodes[swapped ? n->a : n->b], &a->use.tag, &a->use.value) || a->use.tag != SY_CV_LONG) return false;
        a->f[0].tag = SY_CV_LONG;
        a->kind = SY_GUARD_ORDER;
        a->guard = order_of(n->op, swapped, &a->use);
        return true;
    }
    default: return false;
    }
}

/* The guards of a policy's first `when`, at most USES. */
static void guards_of(builder *b, const sy_cpolicy *p, guard_use *out)
{
    const symbi_cedar *s = b->s;
    const sy_cnode *n;
    const uint32_t *l;
    uint32_t node, count, found = 0;
    sy_cguard g;
    memset(&g, 0, sizeof g);
    if (!p->ncond || (s->list[p->cond] & SY_UNLESS)) return;
    node = s->list[p->cond];
    n = &s->nodes[node];
    l = n->op == SY_OP_AND ? s->list + n->a : &node;
    count = n->op == SY_OP_AND ? n->b : 1;
    for (uint32_t k = 0; k < count && found < USES; k++) {
        asks a;
        uint32_t f;
        if (!ask(s, l[k], &a)) return;
        if (a.guard) {
            if ((f = field_number(b, &a.f[0])) == SY_NONE) return;
            g.field = (uint16_t)f;
            g.kind = (uint8_t)a.kind;
            a.use.guard = guard_number(b, &g);
            if (a.use.guard != SY_NONE) out[found++] = a.use;
        }
        for (unsigned i = 0; i < a.nf; i++) {
            if (g.npre == SY_GUARD_PRE || (f = field_number(b, &a.f[i])) == SY_NONE) return;
            g.pre[g.npre] = (uint16_t)f;
            g.has[g.npre++] = a.has;
        }
    }
}

static key_count *key_of(builder *b, const guard_use *u)
{
    size_t h = sy_cguard_hash(u->guard, u->tag, u->value) & b->key_mask;
    while (b->keys[h].guard && (b->keys[h].guard != u->guard + 1 || b->keys[h].tag != u->tag || b->keys[h].value != u->value)) h = (h + 1) & b->key_mask;
    b->keys[h].guard = u->guard + 1;
    b->keys[h].tag = u->tag;
    b->keys[h].value = u->value;
    return &b->keys[h];
}

static uint32_t scope_uid(const sy_cpolicy *p, const sy_cscope *sc, int var) { return sc->slot ? p->fill[var == SY_VAR_RESOURCE] : sc->uid; }

static void count_scope(builder *b, const sy_cpolicy *p)
{
    const sy_cpolicy *body = body_of(b->s, p);
    for (int v = 0; v < 3; v++) {
        const sy_cscope *sc = &body->scope[v];
        switch (sc->op) {
        case SY_SC_EQ: b->count[0][v][scope_uid(p, sc, v)]++; break;
        case SY_SC_IN:
        case SY_SC_ISIN: b->count[1][v][scope_uid(p, sc, v)]++; break;
        case SY_SC_INLIST:
            for (uint32_t i = 0; i < sc->n; i++) b->count[1][v][b->s->list[sc->uid + i]]++;
            break;
        case SY_SC_IS: b->count[2][v][sc->type]++; break;
        default: break;
        }
    }
}

/* The cheapest way for one policy. group: how many policies use each guard. */
static void choose(builder *b, const sy_cpolicy *p, const guard_use *uses, const uint32_t *group, filed *f)
{
    const sy_cpolicy *body = body_of(b->s, p);
    uint64_t best = UINT64_MAX, cost;
    memset(f, 0, sizeof *f);
    for (int v = 0; v < 3; v++) {
        const sy_cscope *sc = &body->scope[v];
        uint32_t key = 0, n = 0;
        way w;
        switch (sc->op) {
        case SY_SC_EQ: w = EQ, key = scope_uid(p, sc, v), cost = b->count[0][v][key]; break;
        case SY_SC_IN:
        case SY_SC_ISIN: w = IN, key = scope_uid(p, sc, v), cost = b->count[1][v][key]; break;
        case SY_SC_INLIST:
            w = IN, key = sc->uid, n = sc->n, cost = 0;
            if (n > 64) continue; /* filing one policy under very many keys costs more than it saves */
            for (uint32_t i = 0; i < n; i++) cost += b->count[1][v][b->s->list[key + i]];
            if (!n) n = SY_NONE; /* in []: never true, filed nowhere */
            break;
        case SY_SC_IS: w = TYPE, key = sc->type, cost = b->count[2][v][key]; break;
        default: continue;
        }
        if (cost < best) {
            best = cost;
            f->way = (uint8_t)w, f->var = (uint8_t)v, f->key = key, f->n = n;
        }
    }
    for (int i = 0; i < USES && uses[i].guard != SY_NONE; i++) {
        /* of limits, half are expected to let a value through */
        cost = b->guards[uses[i].guard].kind == SY_GUARD_ORDER ? group[uses[i].guard] / 2 + 1 : key_of(b, &uses[i])->n;
        if (cost < best) {
            best = cost;
            f->way = GUARD, f->n = 0;
            f->use = uses[i];
        }
    }
}

/* Posting lists of one way and variable, by counting sort. */
static void postings(builder *b, way w, unsigned var, size_t nkeys, sy_cposting *out)
{
    const symbi_cedar *s = b->s;
    uint32_t total = 0, *start, *post;
    for (uint32_t i = 0; i < s->npolicies; i++)
        if (b->file[i].way == w && b->file[i].var == var) total += b->file[i].n == SY_NONE ? 0 : b->file[i].n ? b->file[i].n : 1;
    if (!total) return;
    start = sy_scratch_array(&b->s->mem, nkeys + 2, sizeof *start);
    post = sy_scratch_array(&b->s->mem, total, sizeof *post);
    if (!start || !post) {
        b->oom = true;
        return;
    }
    memset(start, 0, (nkeys + 2) * sizeof *start);
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < s->npolicies; i++) {
            const filed *f = &b->file[i];
            if (f->way != w || f->var != var || f->n == SY_NONE) continue;
            for (uint32_t k = 0; k < (f->n ? f->n : 1); k++) {
                uint32_t key = f->n ? s->list[f->key + k] : f->key;
                if (!pass) start[key + 2]++;
                else post[start[key + 1]++] = i;
            }
        }
        if (!pass)
            for (size_t k = 2; k < nkeys + 2; k++) start[k] += start[k - 1];
    }
    out->start = start; /* after the second pass start[k]..start[k+1] is key k */
    out->post = post;
}

uint32_t sy_cguard_hash(uint32_t guard, uint8_t tag, uint64_t value)
{
    uint64_t x = (value ^ (uint64_t)tag << 56 ^ (uint64_t)guard << 40) * UINT64_C(0x9E3779B97F4A7C15);
    x ^= x >> 29;
    return (uint32_t)((x * UINT64_C(0xBF58476D1CE4E5B9)) >> 32);
}

static void sort_limits(sy_climit *v, uint32_t n)
{
    for (uint32_t start = n / 2, end = n; end > 1;) {
        uint32_t i, k;
        sy_climit x;
        if (start > 0) {
            x = v[--start];
        } else {
            x = v[--end];
            v[end] = v[0];
            v[0] = x;
        }
        for (i = start; (k = 2 * i + 1) < end; i = k) {
            if (k + 1 < end && v[k].limit < v[k + 1].limit) k++;
            if (x.limit >= v[k].limit) break;
            v[i] = v[k];
        }
        v[i] = x;
    }
}

static void guards(builder *b)
{
    symbi_cedar *s = b->s;
    struct sy_cindex *ix = b->ix;
    uint32_t total = 0, neq = 0, nlim = 0, mask = 15, at = 0, lat = 0, *post;
    sy_cguard *g;
    sy_cguard_key *keys;
    sy_climit *lim;
    sy_cfield *fields;
    for (uint32_t i = 0; i < s->npolicies; i++)
        if (b->file[i].way == GUARD) {
            total++;
            if (b->file[i].use.op == SY_OP_EQ) neq++;
            else nlim++;
        }
    if (!total) return;
    while (mask < 2 * neq) mask = mask * 2 + 1;
    g = sy_scratch_array(&s->mem, b->nguards, sizeof *g);
    keys = sy_scratch_array(&s->mem, (size_t)mask + 1, sizeof *keys);
    post = sy_scratch_array(&s->mem, (size_t)total + neq + 1, sizeof *post);
    lim = sy_scratch_array(&s->mem, (size_t)nlim + 1, sizeof *lim);
    if (!g || !keys || !post || !lim) {
        b->oom = true;
        return;
    }
    memcpy(g, b->guards, b->nguards * sizeof *g);
    memset(keys, 0, ((size_t)mask + 1) * sizeof *keys);
    for (uint32_t k = 0; k < b->nguards; k++) {
        g[k].all = at;
        for (uint32_t i = 0; i < s->npolicies; i++)
            if (b->file[i].way == GUARD && b->file[i].use.guard == k) post[at++] = i;
        g[k].nall = at - g[k].all;
        for (int pass = 0; pass < 2 && g[k].kind == SY_GUARD_ORDER; pass++) {
            uint32_t from = lat;
            for (uint32_t i = 0; i < g[k].nall; i++) {
                const guard_use *u = &b->file[post[g[k].all + i]].use;
                if (u->op != (pass ? SY_OP_LT : SY_OP_GT)) continue;
                lim[lat].limit = (int64_t)u->value;
                lim[lat++].policy = post[g[k].all + i];
            }
            sort_limits(lim + from, lat - from);
            if (pass) g[k].below = from, g[k].nbelow = lat - from;
            else g[k].above = from, g[k].nabove = lat - from;
        }
    }
    for (int pass = 0; pass < 2; pass++) { /* count per key, then place */
        for (uint32_t i = 0; i < s->npolicies; i++) {
            const guard_use *u = &b->file[i].use;
            uint32_t h;
            if (b->file[i].way != GUARD || u->op != SY_OP_EQ) continue;
            h = sy_cguard_hash(u->guard, u->tag, u->value) & mask;
            while (keys[h].guard && (keys[h].guard != u->guard + 1 || keys[h].tag != u->tag || keys[h].value != u->value)) h = (h + 1) & mask;
            if (pass) {
                post[keys[h].at + keys[h].n++] = i;
            } else {
                keys[h].guard = u->guard + 1, keys[h].tag = u->tag, keys[h].value = u->value;
                keys[h].n++;
            }
        }
        if (!pass)
            for (uint32_t h = 0; h <= mask; h++)
                if (keys[h].guard) {
                    keys[h].at = at;
                    at += keys[h].n;
                    keys[h].n = 0;
                }
    }
    fields = sy_scratch_array(&s->mem, b->nfields + 1, sizeof *fields);
    if (!fields) {
        b->oom = true;
        return;
    }
    memcpy(fields, b->fields, b->nfields * sizeof *fields);
    ix->fields = fields;
    ix->nfields = (uint32_t)b->nfields;
    ix->guards = g;
    ix->nguards = (uint32_t)b->nguards;
    ix->keys = keys;
    ix->key_mask = mask;
    ix->post = post;
    ix->limits = lim;
}

static void build(builder *b)
{
    symbi_cedar *s = b->s;
    const symbi_alloc *al = &b->cx->alloc;
    uint32_t nany = 0, *any, *group;
    size_t ngroup;
    for (int w = 0; w < 3; w++) {
        b->count_size[w] = w == 2 ? s->nstrs : s->nuids;
        for (int v = 0; v < 3; v++)
            if (!(b->count[w][v] = sy_calloc(al, b->count_size[w] + 1, sizeof(uint32_t)))) b->oom = true;
    }
    b->key_mask = 15;
    while (b->key_mask < (size_t)s->npolicies * USES * 2) b->key_mask = b->key_mask * 2 + 1;
    b->file = sy_calloc(al, (size_t)s->npolicies + 1, sizeof *b->file);
    b->uses = sy_calloc(al, ((size_t)s->npolicies + 1) * USES, sizeof *b->uses);
    b->keys = sy_calloc(al, b->key_mask + 1, sizeof *b->keys);
    if (!b->file || !b->uses || !b->keys) b->oom = true;
    if (b->oom) return;
    for (uint32_t i = 0; i < s->npolicies; i++) {
        const sy_cpolicy *p = &s->policies[i];
        guard_use *u = b->uses + (size_t)i * USES;
        for (int k = 0; k < USES; k++) u[k].guard = SY_NONE;
        if (p->role == SYMBI_CEDAR_TEMPLATE) continue;
        count_scope(b, p);
        guards_of(b, body_of(s, p), u);
    }
    ngroup = b->nguards;
    group = sy_calloc(al, ngroup + 1, sizeof *group);
    if (!group) b->oom = true;
    if (b->oom) goto out;
    for (size_t i = 0; i < (size_t)s->npolicies * USES; i++)
        if (b->uses[i].guard != SY_NONE) {
            group[b->uses[i].guard]++;
            if (b->guards[b->uses[i].guard].kind != SY_GUARD_ORDER) key_of(b, &b->uses[i])->n++;
        }
    for (uint32_t i = 0; i < s->npolicies; i++) {
        const sy_cpolicy *p = &s->policies[i];
        if (p->role == SYMBI_CEDAR_TEMPLATE) {
            b->file[i].n = SY_NONE;
            b->file[i].way = EQ; /* filed nowhere */
            continue;
        }
        choose(b, p, b->uses + (size_t)i * USES, group, &b->file[i]);
        nany += b->file[i].way == ANY;
    }
    for (unsigned v = 0; v < 3 && !b->oom; v++) {
        postings(b, EQ, v, s->nuids, &b->ix->eq[v]);
        postings(b, IN, v, s->nuids, &b->ix->in[v]);
        postings(b, TYPE, v, s->nstrs, &b->ix->type[v]);
    }
    if (!b->oom) guards(b);
    any = sy_scratch_array(&s->mem, (size_t)nany + 1, sizeof *any);
    if (!any) b->oom = true;
    for (uint32_t i = 0; any && i < s->npolicies; i++)
        if (b->file[i].way == ANY) any[b->ix->nany++] = i;
    b->ix->any = any;
out:
    sy_free(al, group, (ngroup + 1) * sizeof *group);
}

symbi_status sy_cindex_build(symbi_ctx *cx, symbi_cedar *set, symbi_err *err)
{
    builder b;
    if (set->npolicies < SY_INDEX_MIN) return SYMBI_OK;
    memset(&b, 0, sizeof b);
    b.cx = cx;
    b.s = set;
    b.ix = sy_scratch_alloc(&set->mem, sizeof *b.ix);
    if (b.ix) {
        memset(b.ix, 0, sizeof *b.ix);
        build(&b);
    }
    for (int w = 0; w < 3; w++)
        for (int v = 0; v < 3; v++) sy_free(&cx->alloc, b.count[w][v], (b.count_size[w] + 1) * sizeof(uint32_t));
    sy_free(&cx->alloc, b.file, ((size_t)set->npolicies + 1) * sizeof *b.file);
    sy_free(&cx->alloc, b.uses, ((size_t)set->npolicies + 1) * USES * sizeof *b.uses);
    sy_free(&cx->alloc, b.keys, (b.key_mask + 1) * sizeof *b.keys);
    sy_free(&cx->alloc, b.guards, b.cap_guards * sizeof *b.guards);
    if (!b.ix || b.oom) {
        if (set->mem.limited) return sy_fail(err, SYMBI_ELIMIT, "the policy set needs more than %zu bytes of memory", set->mem.limit);
        return sy_fail_nomem(err);
    }
    set->index = b.ix;
    return SYMBI_OK;
}
