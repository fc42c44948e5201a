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

typedef struct builder {
    symbi_ctx *cx;
    symbi_cedar *s;
    struct sy_cindex *ix;
    filed *file;                /* per policy */
    guard_use *uses;            /* per policy */
    uint32_t *count[3][3];      /* way EQ/IN/TYPE - 1, var: how often a key is demanded */
    size_t count_size[3];
    sy_cguard *guards;
    size_t nguards, cap_guards;
    bool oom;
} builder;

static const sy_cpolicy *body_of(const symbi_cedar *s, const sy_cpolicy *p) { return p->role == SYMBI_CEDAR_LINK ? &s->policies[p->tmpl] : p; }

/* A chain of attributes on a variable: how many, or 0. The path is written front to back. */
static unsigned path_of(const symbi_cedar *s, uint32_t node, uint32_t path[4], uint8_t *var)
{
    uint32_t rev[4];
    unsigned n = 0;
    while (s->nodes[node].op == SY_OP_GET && n < 4) {
        rev[n++] = s->nodes[node].b;
        node = s->nodes[node].a;
    }
    if (!n || s->nodes[node].op != SY_OP_VAR) return 0;
    *var = s->nodes[node].sub;
    for (unsigned i = 0; i < n; i++) path[i] = rev[n - 1 - i];
    return n;
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

static uint32_t guard_number(builder *b, const sy_cguard *g)
{
    for (size_t i = 0; i < b->nguards; i++) {
        const sy_cguard *x = &b->guards[i];
        if (x->var == g->var && x->npath == g->npath && x->has == g->has && x->ordered == g->ordered && !memcmp(x->path, g->path, g->npath * sizeof g->path[0]))
            return (uint32_t)i;
    }
    if (b->nguards >= 64) return SY_NONE; /* each guard costs every request a look: not worth it for ever more paths */
    if (sy_grow(&b->cx->alloc, (void **)&b->guards, &b->cap_guards, b->nguards + 1, sizeof *b->guards)) {
        b->oom = true;
        return SY_NONE;
    }
    b->guards[b->nguards] = *g;
    return (uint32_t)b->nguards++;
}

/* What the first `when` of a policy asks first. */
static guard_use guard_of(builder *b, const sy_cpolicy *p)
{
    const symbi_cedar *s = b->s;
    guard_use u = { SY_NONE, 0, SY_OP_EQ, 0 };
    sy_cguard g;
    uint32_t node, left, right, hpath[4];
    uint8_t hvar;
    const sy_cnode *n;
    unsigned k;
    if (!p->ncond || (s->list[p->cond] & SY_UNLESS)) return u;
    memset(&g, 0, sizeof g);
    node = s->list[p->cond];
    n = &s->nodes[node];
    if (n->op == SY_OP_AND) {
        const uint32_t *l = s->list + n->a;
        node = l[0];
        if (s->nodes[node].op == SY_OP_HAS) { /* x has a && x.a == ... */
            const sy_cnode *h = &s->nodes[node];
            unsigned inner = path_of(s, h->a, hpath, &hvar);
            if (!inner && s->nodes[h->a].op == SY_OP_VAR) hvar = s->nodes[h->a].sub;
            else if (!inner) return u;
            if (inner + h->n > 4 || inner) return u; /* x.y has a can itself err: leave those */
            for (unsigned i = 0; i < h->n; i++) hpath[i] = s->list[h->b + i];
            g.has = true;
            g.npath = (uint8_t)h->n;
            node = l[1];
        }
        n = &s->nodes[node];
    }
    if (n->op != SY_OP_EQ && (n->op < SY_OP_LT || n->op > SY_OP_GE)) return u;
    left = n->a;
    right = n->b;
    u.op = n->op;
    if (!literal(&s->nodes[right], &u.tag, &u.value)) {
        uint32_t t = left;
        left = right;
        right = t;
        if (!literal(&s->nodes[right], &u.tag, &u.value)) return u;
        u.op = n->op == SY_OP_LT ? SY_OP_GT : n->op == SY_OP_GT ? SY_OP_LT : n->op == SY_OP_LE ? SY_OP_GE : n->op == SY_OP_GE ? SY_OP_LE : SY_OP_EQ;
    }
    k = path_of(s, left, g.path, &g.var);
    if (!k || (g.has && (k != g.npath || g.var != hvar || memcmp(hpath, g.path, k * sizeof hpath[0])))) return u;
    g.npath = (uint8_t)k;
    if (u.op != SY_OP_EQ) {
        int64_t v = (int64_t)u.value;
        if (u.tag != SY_CV_LONG) return u;
        g.ordered = true;
        if (u.op == SY_OP_GE) {
            if (v == INT64_MIN) return u;
            v--, u.op = SY_OP_GT;
        } else if (u.op == SY_OP_LE) {
            if (v == INT64_MAX) return u;
            v++, u.op = SY_OP_LT;
        }
        u.value = (uint64_t)v;
    }
    u.guard = guard_number(b, &g);
    return u;
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

/* The cheapest way for one policy; share: how many are estimated to share its guard value, 0 for no guard. */
static void choose(builder *b, const sy_cpolicy *p, guard_use use, uint32_t share, filed *f)
{
    const sy_cpolicy *body = body_of(b->s, p);
    uint64_t best = UINT64_MAX, cost;
    memset(f, 0, sizeof *f);
    f->use = use;
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
    if (share && share < best) f->way = GUARD;
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
        for (int pass = 0; pass < 2 && g[k].ordered; pass++) {
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
    uint32_t nany = 0, *any, *share;
    size_t nuse;
    for (int w = 0; w < 3; w++) {
        b->count_size[w] = w == 2 ? s->nstrs : s->nuids;
        for (int v = 0; v < 3; v++)
            if (!(b->count[w][v] = sy_calloc(al, b->count_size[w] + 1, sizeof(uint32_t)))) b->oom = true;
    }
    b->file = sy_calloc(al, (size_t)s->npolicies + 1, sizeof *b->file);
    b->uses = sy_calloc(al, (size_t)s->npolicies + 1, sizeof *b->uses);
    if (!b->file || !b->uses) b->oom = true;
    if (b->oom) return;
    for (uint32_t i = 0; i < s->npolicies; i++) {
        const sy_cpolicy *p = &s->policies[i];
        b->uses[i].guard = SY_NONE;
        if (p->role == SYMBI_CEDAR_TEMPLATE) continue;
        count_scope(b, p);
        b->uses[i] = guard_of(b, body_of(s, p));
    }
    /* how many policies share a guard value: exact for ==, a quarter of the group for an order */
    nuse = b->nguards;
    share = sy_calloc(al, nuse * 2 + 1, sizeof *share);
    if (!share) b->oom = true;
    if (b->oom) goto out;
    for (uint32_t i = 0; i < s->npolicies; i++)
        if (b->uses[i].guard != SY_NONE) share[b->uses[i].guard]++;
    for (uint32_t i = 0; i < s->npolicies; i++) {
        const sy_cpolicy *p = &s->policies[i];
        uint32_t cost = 0;
        guard_use u = b->uses[i];
        if (p->role == SYMBI_CEDAR_TEMPLATE) {
            b->file[i].n = SY_NONE;
            b->file[i].way = EQ; /* filed nowhere */
            continue;
        }
        if (u.guard != SY_NONE) {
            cost = share[u.guard];
            if (u.op == SY_OP_EQ) cost = u.tag == SY_CV_BOOL ? cost / 2 : cost / 8; /* values are many */
            else cost /= 2;
            cost++;
        }
        choose(b, p, u, cost, &b->file[i]);
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
    sy_free(al, share, (nuse * 2 + 1) * sizeof *share);
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
    sy_free(&cx->alloc, b.uses, ((size_t)set->npolicies + 1) * sizeof *b.uses);
    sy_free(&cx->alloc, b.guards, b.cap_guards * sizeof *b.guards);
    if (!b.ix || b.oom) {
        if (set->mem.limited) return sy_fail(err, SYMBI_ELIMIT, "the policy set needs more than %zu bytes of memory", set->mem.limit);
        return sy_fail_nomem(err);
    }
    set->index = b.ix;
    return SYMBI_OK;
}
