/* match/nfa.c: one step of a program, and what needs no memory of states: a search that simulates step by step, and positions.
 * Cost of a step: the size of the program; so nothing here can be more than text times program. */
#include "match/match_in.h"
#include <string.h>

static bool mbit(const uint64_t *set, uint32_t i) { return set[i / 64] >> (i % 64) & 1; }

/* What holds between two characters. */
typedef struct mctx {
    bool start, end, lstart, lend, border;
} mctx;

static mctx mcontext(const sy_mprog *g, unsigned before, uint32_t sym)
{
    mctx c;
    c.start = before & SY_MF_START;
    c.end = sym == g->nsym;
    c.lstart = before & (SY_MF_START | SY_MF_NL);
    c.lend = c.end || sym == g->nlsym;
    c.border = g->wordsym && (!c.end && mbit(g->wordsym, sym)) != ((before & SY_MF_WORD) != 0);
    return c;
}

unsigned sy_mafter(const sy_mprog *g, uint32_t sym)
{
    return (g->wordsym && mbit(g->wordsym, sym) ? SY_MF_WORD : 0u) | (sym == g->nlsym ? SY_MF_NL : 0u);
}

static bool mholds(const mctx *c, uint8_t op)
{
    switch (op) {
    case SY_MO_START: return c->start;
    case SY_MO_END: return c->end;
    case SY_MO_LSTART: return c->lstart;
    case SY_MO_LEND: return c->lend;
    case SY_MO_WORD: return c->border;
    default: return !c->border;
    }
}

uint64_t sy_mstep(const sy_mprog *g, const uint64_t *from, unsigned before, uint32_t sym, uint64_t *to, unsigned *after, const sy_mwork *w)
{
    mctx ctx = mcontext(g, before, sym);
    uint64_t hits = 0;
    uint32_t sp = 0, word = 0, root = 0;
    uint64_t bits = from[0];
    memset(to, 0, g->nword * sizeof *to);
    memset(w->seen, 0, g->nword * sizeof *w->seen);
    for (;;) {
        uint32_t i;
        if (sp) {
            i = w->stack[--sp];
        } else if (bits) {
            i = word * 64 + (uint32_t)__builtin_ctzll(bits);
            bits &= bits - 1;
        } else if (word + 1 < g->nword) {
            bits = from[++word];
            continue;
        } else if (root < g->nroot) { /* unanchored: a match may begin here */
            uint32_t r = root++;
            if (!ctx.start && g->anchored >> r & 1) continue;
            i = g->root[r];
        } else {
            break;
        }
        for (;;) { /* follows one path, leaves the others on the stack: each step is pushed at most once */
            const sy_minst *in = &g->inst[i];
            if (mbit(w->seen, i)) break;
            w->seen[i / 64] |= (uint64_t)1 << i % 64;
            if (in->op == SY_MO_CLASS) {
                if (!ctx.end && mbit(g->member + (size_t)in->x * g->symwords, sym)) to[(i + 1) / 64] |= (uint64_t)1 << (i + 1) % 64;
                break;
            }
            if (in->op == SY_MO_MATCH) {
                hits |= (uint64_t)1 << in->x;
                break;
            }
            if (in->op == SY_MO_SPLIT) w->stack[sp++] = in->y, i = in->x;
            else if (in->op == SY_MO_JUMP) i = in->x;
            else if (mholds(&ctx, in->op)) i++;
            else break;
        }
    }
    *after = ctx.end ? 0 : sy_mafter(g, sym);
    return hits;
}

static size_t mnext(const sy_mprog *g, symbi_str text, size_t i, uint32_t *sym)
{
    uint32_t cp;
    size_t k;
    if (i >= text.n) {
        *sym = g->nsym;
        return 0;
    }
    if ((unsigned char)text.p[i] < 0x80) {
        *sym = g->byte[(unsigned char)text.p[i]];
        return 1;
    }
    k = sy_mdecode(text.p + i, text.n - i, &cp);
    *sym = sy_mprog_symbol(g, cp);
    return k;
}

size_t sy_mprog_need(const sy_mprog *g) { return 3 * g->nword * sizeof(uint64_t) + (g->n + 1) * sizeof(uint32_t); }

uint64_t sy_mprog_search(const sy_mprog *g, symbi_str text, void *mem)
{
    uint64_t *a = mem, *b = a + g->nword, hits = 0;
    sy_mwork w = { b + g->nword, (uint32_t *)(void *)(b + 2 * g->nword) };
    unsigned before = SY_MF_START;
    memset(a, 0, g->nword * sizeof *a);
    for (size_t i = 0;;) {
        uint32_t sym;
        size_t k = mnext(g, text, i, &sym);
        uint64_t *t = a;
        hits |= sy_mstep(g, a, before, sym, b, &before, &w);
        if (!k || hits == g->all) return hits;
        a = b;
        b = t;
        i += k;
    }
}

/* ---- positions ---- */

/* Each step carries the earliest start from which it was reached; 'at' stands for "not reached". */
typedef struct mstarts {
    uint32_t *list, n;
    size_t *start; /* by step */
    uint64_t *in;
} mstarts;

size_t sy_mprog_findneed(const sy_mprog *g)
{
    return 2 * (g->n + 1) * (sizeof(size_t) + sizeof(uint32_t)) + (g->n + 1) * sizeof(uint32_t) + 3 * g->nword * sizeof(uint64_t);
}

typedef struct mfind {
    const sy_mprog *g;
    uint32_t rule, *stack;
    mctx ctx;
    symbi_match_span *out;
    size_t at;
} mfind;

/* From step i with this start; threads are fed in ascending order of start, so the first to arrive is the one to keep. */
static void mfollow(mfind *f, uint64_t *seen, uint32_t i, size_t start, uint32_t sym, mstarts *to)
{
    const sy_mprog *g = f->g;
    uint32_t sp = 0;
    f->stack[sp++] = i;
    while (sp) {
        i = f->stack[--sp];
        for (;;) {
            const sy_minst *in = &g->inst[i];
            if (mbit(seen, i)) break;
            seen[i / 64] |= (uint64_t)1 << i % 64;
            if (in->op == SY_MO_CLASS) {
                if (!f->ctx.end && mbit(g->member + (size_t)in->x * g->symwords, sym) && !mbit(to->in, i + 1)) {
                    to->in[(i + 1) / 64] |= (uint64_t)1 << (i + 1) % 64;
                    to->list[to->n++] = i + 1;
                    to->start[i + 1] = start;
                }
                break;
            }
            if (in->op == SY_MO_MATCH) {
                if (in->x == f->rule && (!f->out->hit || start < f->out->start)) *f->out = (symbi_match_span){ true, start, f->at };
                break;
            }
            if (in->op == SY_MO_SPLIT) f->stack[sp++] = in->y, i = in->x;
            else if (in->op == SY_MO_JUMP) i = in->x;
            else if (mholds(&f->ctx, in->op)) i++;
            else break;
        }
    }
}

void sy_mprog_find(const sy_mprog *g, uint32_t rule, symbi_str text, void *mem, symbi_match_span *out)
{
    char *p = mem;
    mstarts a, b;
    uint64_t *seen;
    mfind f;
    unsigned before = SY_MF_START;
    size_t i = 0;
    a.start = (size_t *)(void *)p, p += (g->n + 1) * sizeof(size_t);
    b.start = (size_t *)(void *)p, p += (g->n + 1) * sizeof(size_t);
    a.in = (uint64_t *)(void *)p, p += g->nword * sizeof(uint64_t);
    b.in = (uint64_t *)(void *)p, p += g->nword * sizeof(uint64_t);
    seen = (uint64_t *)(void *)p, p += g->nword * sizeof(uint64_t);
    a.list = (uint32_t *)(void *)p, p += (g->n + 1) * sizeof(uint32_t);
    b.list = (uint32_t *)(void *)p, p += (g->n + 1) * sizeof(uint32_t);
    f = (mfind){ g, rule, (uint32_t *)(void *)p, { 0 }, out, 0 };
    *out = (symbi_match_span){ false, 0, 0 };
    a.n = 0;
    for (;;) {
        uint32_t sym;
        size_t k = mnext(g, text, i, &sym);
        mstarts t = a;
        f.ctx = mcontext(g, before, sym);
        f.at = i;
        memset(seen, 0, g->nword * sizeof *seen);
        memset(b.in, 0, g->nword * sizeof *b.in);
        b.n = 0;
        for (uint32_t j = 0; j < a.n; j++)
            if (!out->hit || a.start[a.list[j]] < out->start) mfollow(&f, seen, a.list[j], a.start[a.list[j]], sym, &b);
        if (!out->hit && (f.ctx.start || !(g->anchored >> rule & 1))) mfollow(&f, seen, g->root[rule], i, sym, &b);
        if (!k || (out->hit && !b.n)) return;
        before = sy_mafter(g, sym);
        a = b;
        b = t;
        i += k;
    }
}
