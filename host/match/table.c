/* match/table.c: the whole automaton of a small pattern, made when the pattern is compiled: one lookup per character after that, nothing
 * written, so that it can lie in a shared tool. A pattern that would need more states than there is room for keeps its program. */
#include "base/ctx.h"
#include "match/match_in.h"
#include "match/table.h"

#include <string.h>

enum { STATES_MAX = 96, CELLS_MAX = 8192, WORDS_MAX = 8, HIT = 0xffff, MISS = 0xfffe };

typedef struct state {
    uint64_t set[WORDS_MAX];
    unsigned before;
} state;

struct sy_mtable {
    const uint16_t *next; /* rows of symbols and the end of the text: where the next row begins, or one of these */
};

typedef struct maker {
    const sy_mprog *g;
    state *s;
    size_t n;
} maker;

/* The number of a state, made when it is new; HIT where there is no room. */
static unsigned number(maker *m, const uint64_t *set, unsigned before)
{
    size_t bytes = m->g->nword * sizeof *set;
    for (size_t i = 0; i < m->n; i++)
        if (m->s[i].before == before && memcmp(m->s[i].set, set, bytes) == 0) return (unsigned)i;
    if (m->n == STATES_MAX) return HIT;
    memcpy(m->s[m->n].set, set, bytes);
    m->s[m->n].before = before;
    return (unsigned)m->n++;
}

static bool fill(maker *m, uint16_t *next, uint32_t width, uint64_t *to, const sy_mwork *w)
{
    uint64_t none[WORDS_MAX] = { 0 };
    (void)number(m, none, SY_MF_START);
    for (size_t i = 0; i < m->n; i++)
        for (uint32_t sym = 0; sym < width; sym++) {
            unsigned after, k;
            uint64_t hits = sy_mstep(m->g, m->s[i].set, m->s[i].before, sym, to, &after, w);
            if ((i + 1) * width > CELLS_MAX) return false;
            if (hits) k = HIT;
            else if (sym + 1 == width) k = MISS;
            else if ((k = number(m, to, after)) == HIT) return false;
            next[i * width + sym] = (uint16_t)(k == HIT || k == MISS ? k : k * width);
        }
    return true;
}

bool sy_mtable_make(sy_arena *keep, sy_arena *tmp, const sy_mprog *g, const sy_mtable **out)
{
    uint32_t width = g->nsym + 1;
    maker m = { g, NULL, 0 };
    sy_mtable *t;
    uint16_t *next;
    uint64_t *mem;
    sy_mwork w;
    *out = NULL;
    if (g->nword > WORDS_MAX || width > 200 || g->nroot != 1) return true;
    m.s = sy_arena_calloc(tmp, STATES_MAX, sizeof *m.s);
    next = sy_arena_alloc(tmp, CELLS_MAX * sizeof *next);
    mem = sy_arena_alloc(tmp, sy_mprog_need(g) + sizeof *mem * WORDS_MAX);
    if (!m.s || !next || !mem) return false;
    w.seen = mem + g->nword;
    w.stack = (uint32_t *)(void *)(mem + 2 * g->nword);
    if (!fill(&m, next, width, mem, &w)) return true;
    t = sy_arena_alloc(keep, sizeof *t);
    if (!t || !(t->next = sy_arena_memdup(keep, next, m.n * width * sizeof *next))) return false;
    *out = t;
    return true;
}

bool sy_mtable_search(const sy_mtable *t, const sy_mprog *g, symbi_str text)
{
    const uint16_t *next = t->next, *byte = g->byte;
    unsigned s = 0;
    for (size_t i = 0; i < text.n;) {
        unsigned char c = (unsigned char)text.p[i];
        uint32_t sym, cp;
        if (c < 0x80) {
            sym = byte[c];
            i++;
        } else {
            i += sy_mdecode(text.p + i, text.n - i, &cp);
            sym = sy_mprog_symbol(g, cp);
        }
        s = next[s + sym];
        if (s == HIT) return true;
    }
    return next[s + g->nsym] == HIT;
}
