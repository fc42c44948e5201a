/* match/prog.c: trees to a program, and the alphabet of the program: characters that no class tells apart are one symbol, so
 * that an automaton over the program has narrow rows whatever the size of the character set. */
#include "base/err.h"
#include "base/utf8.h"
#include "codec/value.h"
#include "match/match_in.h"
#include <string.h>

/* ---- program ---- */

typedef struct memit {
    sy_arena *a; /* of everything that is gone after compiling */
    sy_minst *inst;
    uint32_t n, cap, from, work; /* from: where the present rule begins */
    sy_mclass *cls;
    uint32_t ncls, capcls;
    bool full, word, lines;
} memit;

static bool mgrow(sy_arena *a, void **p, uint32_t *cap, uint32_t need, size_t size)
{
    uint32_t c = *cap ? *cap : 64;
    void *q;
    if (need <= *cap) return true;
    while (c < need) c *= 2;
    if (!(q = sy_arena_alloc(a, c * size))) return false;
    if (*cap) memcpy(q, *p, *cap * size);
    *p = q;
    *cap = c;
    return true;
}

static uint32_t mput(memit *e, sy_mop op)
{
    void *p = e->inst;
    if (e->n - e->from >= SYMBI_MATCH_MAX_PROGRAM || !mgrow(e->a, &p, &e->cap, e->n + 1, sizeof *e->inst)) {
        e->full = true;
        return 0;
    }
    e->inst = p;
    e->inst[e->n] = (sy_minst){ (uint8_t)op, 0, 0 };
    if (op == SY_MO_WORD || op == SY_MO_NOTWORD) e->word = true;
    if (op == SY_MO_LSTART || op == SY_MO_LEND) e->lines = true;
    return e->n++;
}

static uint32_t mintern(memit *e, sy_mclass c)
{
    void *p = e->cls;
    for (uint32_t i = 0; i < e->ncls; i++)
        if (sy_mclass_eq(e->cls[i], c)) return i;
    if (!mgrow(e->a, &p, &e->capcls, e->ncls + 1, sizeof *e->cls)) {
        e->full = true;
        return 0;
    }
    e->cls = p;
    e->cls[e->ncls] = c;
    return e->ncls++;
}

static void memit_node(memit *e, const sy_mnode *n);

static void memit_alt(memit *e, const sy_mnode *n)
{
    uint32_t jumps = UINT32_MAX; /* chained through x until the end is known */
    for (const sy_mnode *c = n->first; c && !e->full; c = c->next) {
        uint32_t split = 0, j;
        if (c->next) {
            split = mput(e, SY_MO_SPLIT);
            if (e->full) return;
            e->inst[split].x = e->n;
        }
        memit_node(e, c);
        if (!c->next) break;
        j = mput(e, SY_MO_JUMP);
        if (e->full) return;
        e->inst[j].x = jumps;
        jumps = j;
        e->inst[split].y = e->n;
    }
    while (!e->full && jumps != UINT32_MAX) {
        uint32_t next = e->inst[jumps].x;
        e->inst[jumps].x = e->n;
        jumps = next;
    }
}

static void memit_repeat(memit *e, const sy_mnode *n)
{
    uint32_t i, j, splits = UINT32_MAX;
    for (int32_t k = 0; k < n->min && !e->full; k++) memit_node(e, n->first);
    if (n->max < 0) {
        i = mput(e, SY_MO_SPLIT);
        if (e->full) return;
        e->inst[i].x = e->n;
        memit_node(e, n->first);
        j = mput(e, SY_MO_JUMP);
        if (e->full) return;
        e->inst[j].x = i;
        e->inst[i].y = e->n;
        return;
    }
    for (int32_t k = n->min; k < n->max && !e->full; k++) {
        i = mput(e, SY_MO_SPLIT);
        if (e->full) return;
        e->inst[i].x = e->n;
        e->inst[i].y = splits;
        splits = i;
        memit_node(e, n->first);
    }
    while (!e->full && splits != UINT32_MAX) {
        uint32_t next = e->inst[splits].y;
        e->inst[splits].y = e->n;
        splits = next;
    }
}

static void memit_node(memit *e, const sy_mnode *n)
{
    uint32_t i;
    /* nested repetitions of nothing emit nothing, but would take for ever */
    if (e->full || ++e->work > 32 * SYMBI_MATCH_MAX_PROGRAM) {
        e->full = true;
        return;
    }
    switch (n->kind) {
    case SY_MN_EMPTY: break;
    case SY_MN_CLASS:
        i = mput(e, SY_MO_CLASS);
        if (!e->full) e->inst[i].x = mintern(e, n->cls);
        break;
    case SY_MN_ASSERT: (void)mput(e, n->op); break;
    case SY_MN_CAT:
        for (const sy_mnode *c = n->first; c; c = c->next) memit_node(e, c);
        break;
    case SY_MN_ALT: memit_alt(e, n); break;
    case SY_MN_REPEAT: memit_repeat(e, n); break;
    }
}

/* ---- alphabet ---- */

static void msift(uint32_t *v, size_t i, size_t n)
{
    for (size_t kid; (kid = 2 * i + 1) < n; i = kid) {
        uint32_t t;
        if (kid + 1 < n && v[kid + 1] > v[kid]) kid++;
        if (v[i] >= v[kid]) return;
        t = v[i];
        v[i] = v[kid];
        v[kid] = t;
    }
}
static size_t msort(uint32_t *v, size_t n)
{
    size_t k = 0;
    for (size_t i = n / 2; i-- > 0;) msift(v, i, n);
    for (size_t i = n; i-- > 1;) {
        uint32_t t = v[0];
        v[0] = v[i];
        v[i] = t;
        msift(v, 0, i);
    }
    for (size_t i = 0; i < n; i++)
        if (!k || v[k - 1] != v[i]) v[k++] = v[i];
    return k;
}

typedef struct malpha {
    uint32_t *bound, *part, *moved, *stamp;
    uint32_t nbound, nparts;
} malpha;

static uint32_t mlocate(const uint32_t *bound, uint32_t n, uint32_t cp)
{
    uint32_t lo = 0, hi = n; /* the last bound <= cp */
    while (hi - lo > 1) {
        uint32_t mid = (lo + hi) / 2;
        if (bound[mid] <= cp) lo = mid;
        else hi = mid;
    }
    return lo;
}

/* Splits the parts so that each lies inside class c or outside; k numbers the class. */
static void mrefine(malpha *al, sy_mclass c, uint32_t k)
{
    for (size_t i = 0; i < c.n; i++)
        for (uint32_t b = mlocate(al->bound, al->nbound, c.r[i].lo); b < al->nbound && al->bound[b] <= c.r[i].hi; b++) {
            uint32_t p = al->part[b];
            if (al->stamp[p] != k + 1) {
                al->stamp[p] = k + 1;
                al->moved[p] = al->nparts++;
            }
            al->part[b] = al->moved[p];
        }
}

static symbi_status malphabet(sy_arena *keep, sy_arena *tmp, memit *e, unsigned flags, sy_mprog *g, symbi_err *err)
{
    malpha al = { 0 };
    size_t nb = 1, most;
    uint32_t ncls = e->ncls, wordcls = UINT32_MAX, nlcls = UINT32_MAX, *renum, *bound;
    uint16_t *sym;
    uint64_t *member;
    sy_mset set = { tmp, NULL, 0, 0 };
    if (e->word) {
        sy_mset_perl(&set, 'w', flags);
        wordcls = mintern(e, sy_mset_class(&set));
    }
    if (e->lines) {
        set = (sy_mset){ tmp, NULL, 0, 0 };
        sy_mset_add(&set, '\n', '\n');
        nlcls = mintern(e, sy_mset_class(&set));
    }
    if (tmp->status || e->full) return sy_arena_fail(tmp, "the pattern", err);
    ncls = e->ncls;
    for (uint32_t k = 0; k < ncls; k++) nb += 2 * e->cls[k].n;
    if (!(al.bound = sy_arena_alloc(tmp, nb * sizeof *al.bound))) return sy_arena_fail(tmp, "the pattern", err);
    nb = 0;
    al.bound[nb++] = 0;
    for (uint32_t k = 0; k < ncls; k++)
        for (size_t i = 0; i < e->cls[k].n; i++) {
            al.bound[nb++] = e->cls[k].r[i].lo;
            if (e->cls[k].r[i].hi < SY_CP_MAX) al.bound[nb++] = e->cls[k].r[i].hi + 1;
        }
    al.nbound = (uint32_t)msort(al.bound, nb);
    most = al.nbound;
    for (uint32_t k = 0; k < ncls; k++) most += e->cls[k].n < al.nbound ? 2 * e->cls[k].n + 1 : al.nbound; /* parts ever numbered */
    al.part = sy_arena_calloc(tmp, al.nbound, sizeof *al.part);
    al.moved = sy_arena_calloc(tmp, most + 1, sizeof *al.moved);
    al.stamp = sy_arena_calloc(tmp, most + 1, sizeof *al.stamp);
    renum = sy_arena_calloc(tmp, most + 1, sizeof *renum);
    if (!renum) return sy_arena_fail(tmp, "the pattern", err);
    al.nparts = 1;
    for (uint32_t k = 0; k < ncls; k++) {
        if (al.nparts + al.nbound > most) { /* renumber, so that the numbers stay few */
            uint32_t n = 0;
            memset(renum, 0, (most + 1) * sizeof *renum);
            for (uint32_t b = 0; b < al.nbound; b++) {
                if (!renum[al.part[b]]) renum[al.part[b]] = ++n;
                al.part[b] = renum[al.part[b]] - 1;
            }
            memset(al.stamp, 0, (most + 1) * sizeof *al.stamp);
            al.nparts = n;
        }
        mrefine(&al, e->cls[k], k);
    }
    memset(renum, 0, (most + 1) * sizeof *renum);
    g->nsym = 0;
    for (uint32_t b = 0; b < al.nbound; b++) {
        if (!renum[al.part[b]]) renum[al.part[b]] = ++g->nsym;
        al.part[b] = renum[al.part[b]] - 1;
    }
    if (g->nsym > 60000) return sy_fail(err, SYMBI_ELIMIT, "the pattern tells too many characters apart");
    bound = sy_arena_memdup(keep, al.bound, al.nbound * sizeof *bound);
    sym = sy_arena_alloc(keep, al.nbound * sizeof *sym);
    g->symwords = g->nsym / 64 + 1;
    member = sy_arena_calloc(keep, (size_t)ncls * g->symwords + 1, sizeof *member);
    if (!bound || !sym || !member) return sy_arena_fail(keep, "the pattern", err);
    for (uint32_t b = 0; b < al.nbound; b++) sym[b] = (uint16_t)al.part[b];
    for (uint32_t k = 0; k < ncls; k++)
        for (size_t i = 0; i < e->cls[k].n; i++)
            for (uint32_t b = mlocate(bound, al.nbound, e->cls[k].r[i].lo); b < al.nbound && bound[b] <= e->cls[k].r[i].hi; b++)
                member[(size_t)k * g->symwords + sym[b] / 64] |= (uint64_t)1 << sym[b] % 64;
    g->bound = bound;
    g->sym = sym;
    g->nbound = al.nbound;
    g->member = member;
    g->nclass = ncls;
    g->wordsym = wordcls == UINT32_MAX ? NULL : member + (size_t)wordcls * g->symwords;
    g->nlsym = nlcls == UINT32_MAX ? UINT32_MAX : sym[mlocate(bound, al.nbound, '\n')];
    for (uint32_t c = 0; c < 256; c++) g->byte[c] = (uint16_t)(c < 0x80 ? sym[mlocate(bound, al.nbound, c)] : g->nsym + 1);
    return SYMBI_OK;
}

uint32_t sy_mprog_symbol(const sy_mprog *g, uint32_t cp) { return g->sym[mlocate(g->bound, g->nbound, cp)]; }

size_t sy_mdecode(const char *s, size_t n, uint32_t *cp)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t k = sy_utf8_next(s, n, cp), want;
    unsigned char lo = 0x80, hi = 0xbf;
    if (k) return k;
    *cp = 0xfffd;
    if (p[0] < 0xc2 || p[0] > 0xf4) return 1;
    want = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (p[0] == 0xe0) lo = 0xa0;
    if (p[0] == 0xed) hi = 0x9f;
    if (p[0] == 0xf0) lo = 0x90;
    if (p[0] == 0xf4) hi = 0x8f;
    for (k = 1; k < want && k < n; k++, lo = 0x80, hi = 0xbf)
        if (p[k] < lo || p[k] > hi) break;
    return k;
}

symbi_status sy_mprog_make(sy_arena *keep, sy_arena *tmp, sy_mnode *const *nodes, size_t n, unsigned flags, sy_mprog *g, size_t *bad, symbi_err *err)
{
    memit e = { 0 };
    uint32_t *root = sy_arena_alloc(keep, n * sizeof *root);
    symbi_status st;
    e.a = tmp;
    memset(g, 0, sizeof *g);
    if (!root) return sy_arena_fail(keep, "the pattern", err);
    for (size_t i = 0; i < n; i++) {
        uint32_t m;
        *bad = i;
        root[i] = e.from = e.n;
        e.work = 0;
        memit_node(&e, nodes[i]);
        m = mput(&e, SY_MO_MATCH);
        if (tmp->status) return sy_arena_fail(tmp, "the pattern", err);
        if (e.full) return sy_fail(err, SYMBI_ELIMIT, "the pattern is too large once its repetitions are written out");
        e.inst[m].x = (uint32_t)i;
        if (sy_mnode_fixed(nodes[i], false)) g->anchored |= (uint64_t)1 << i;
    }
    if ((st = malphabet(keep, tmp, &e, flags, g, err))) return st;
    g->inst = sy_arena_memdup(keep, e.inst, e.n * sizeof *e.inst);
    if (!g->inst) return sy_arena_fail(keep, "the pattern", err);
    g->n = e.n;
    g->nroot = (uint32_t)n;
    g->root = root;
    g->nword = e.n / 64 + 1;
    g->all = n == 64 ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1;
    return SYMBI_OK;
}
