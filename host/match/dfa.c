/* match/dfa.c: a program run as an automaton whose states are made when they are first met and remembered in the scratch. When
 * its share of memory is full it forgets all and starts over; when that happens faster than states pay for themselves, the rest
 * of the text is simulated step by step. Either way a character costs at most one step of the program. */
#include "base/alloc.h"
#include "base/err.h"
#include "match/match_in.h"
#include <string.h>

/* Entries of the table: the offset of a row, with NOTE when rules ended on the way there; or one of these. */
#define NOTE 0x80000000u
#define UNKNOWN 0xffffffffu
#define HIGH 0xfffffffeu /* the byte begins no ASCII character: decode, then look up the symbol */
#define DEAD 0xfffffffdu /* nothing can match any more */
#define DONE 0xfffffffcu /* all rules have matched */

enum { CAP_FIRST = 32, CAP_LEAST = 8, WASTED_MAX = 3, WORTH = 10 };

static size_t state_bytes(const sy_mdfa *d) { return d->width * sizeof(uint32_t) + d->g->nword * sizeof(uint64_t) + sizeof(uint64_t) + 3 * sizeof(uint32_t) + 1; }
static size_t block_bytes(const sy_mdfa *d, uint32_t cap) { return cap * state_bytes(d); } /* two buckets for each state */

void sy_mdfa_init(sy_mdfa *d, const sy_mprog *g, symbi_alloc alloc, size_t own, size_t *pool)
{
    size_t max;
    memset(d, 0, sizeof *d);
    d->g = g;
    d->alloc = alloc;
    d->width = g->nsym + 2;
    d->own = own;
    d->pool = pool;
    max = (own + *pool) / state_bytes(d);
    if (max > (0x7fffffffu - 16) / d->width) max = (0x7fffffffu - 16) / d->width;
    d->max = (uint32_t)max;
    d->memwords = (uint32_t)((3 * g->nword * sizeof(uint64_t) + (g->n + 1) * sizeof(uint32_t)) / sizeof(uint64_t) + 1);
}

void sy_mdfa_free(sy_mdfa *d)
{
    sy_free(&d->alloc, d->sets, block_bytes(d, d->cap));
    sy_free(&d->alloc, d->mem, d->memwords * sizeof(uint64_t));
    d->sets = d->mem = NULL;
}

size_t sy_mdfa_bytes(const sy_mdfa *d) { return block_bytes(d, d->cap) + (d->mem ? d->memwords * sizeof(uint64_t) : 0); }

static uint32_t hash_of(const sy_mdfa *d, const uint64_t *set, unsigned before, uint64_t hits)
{
    uint64_t h = hits * 0x9e3779b97f4a7c15u + before;
    for (uint32_t i = 0; i < d->g->nword; i++) h = (h ^ set[i]) * 0x9e3779b97f4a7c15u, h ^= h >> 29;
    return (uint32_t)(h >> 32) & (d->nbucket - 1);
}

static void link_state(sy_mdfa *d, uint32_t i)
{
    uint32_t *b = &d->bucket[hash_of(d, d->sets + (size_t)i * d->g->nword, d->before[i], d->match[i])];
    d->chain[i] = *b;
    *b = i + 1;
}

static size_t beyond(const sy_mdfa *d, uint32_t cap) { return block_bytes(d, cap) > d->own ? block_bytes(d, cap) - d->own : 0; }

/* Room for cap states; false: no memory, and everything is as it was. */
static bool grow(sy_mdfa *d, uint32_t cap)
{
    uint32_t n = d->nstate, words = d->g->nword;
    uint64_t *sets, *match, *old = d->sets;
    uint32_t *t;
    uint8_t *before;
    size_t oldbytes = block_bytes(d, d->cap), more = beyond(d, cap) - beyond(d, d->cap);
    if (more > *d->pool || !(sets = sy_alloc(&d->alloc, block_bytes(d, cap)))) return false;
    *d->pool -= more;
    match = sets + (size_t)cap * words;
    t = (uint32_t *)(void *)(match + cap);
    before = (uint8_t *)(t + (size_t)cap * d->width + 3 * (size_t)cap);
    if (n) {
        memcpy(sets, d->sets, (size_t)n * words * sizeof *sets);
        memcpy(match, d->match, n * sizeof *match);
        memcpy(t, d->t, (size_t)n * d->width * sizeof *t);
        memcpy(before, d->before, n);
    }
    d->sets = sets;
    d->match = match;
    d->t = t;
    d->chain = t + (size_t)cap * d->width;
    d->bucket = d->chain + cap;
    d->before = before;
    sy_free(&d->alloc, old, oldbytes);
    d->cap = cap;
    for (d->nbucket = 1; 2 * d->nbucket <= 2 * cap; d->nbucket *= 2) {}
    memset(d->bucket, 0, d->nbucket * sizeof *d->bucket);
    for (uint32_t i = 0; i < n; i++) link_state(d, i);
    return true;
}

static bool empty_set(const sy_mdfa *d, const uint64_t *set)
{
    for (uint32_t w = 0; w < d->g->nword; w++)
        if (set[w]) return false;
    return true;
}

static uint32_t add_state(sy_mdfa *d, const uint64_t *set, unsigned before, uint64_t hits)
{
    uint32_t i = d->nstate++, *row = d->t + (size_t)i * d->width;
    memcpy(d->sets + (size_t)i * d->g->nword, set, d->g->nword * sizeof *set);
    d->match[i] = hits;
    d->before[i] = (uint8_t)before;
    link_state(d, i);
    memset(row, 0xff, d->width * sizeof *row);
    row[d->g->nsym + 1] = HIGH;
    return i;
}

static void forget(sy_mdfa *d)
{
    d->nstate = 0;
    memset(d->idle, 0, sizeof d->idle);
    memset(d->bucket, 0, d->nbucket * sizeof *d->bucket);
    memset(d->work.seen, 0, d->g->nword * sizeof *d->work.seen);
    (void)add_state(d, d->work.seen, SY_MF_START | SY_MF_IDLE, 0); /* state 0: the start of a text */
}

static bool warm_up(sy_mdfa *d)
{
    if (!d->mem) {
        uint64_t *mem = sy_alloc(&d->alloc, d->memwords * sizeof *mem);
        if (!mem) return false;
        d->mem = mem;
        d->tmpset = mem;
        d->work.seen = mem + d->g->nword;
        d->work.stack = (uint32_t *)(void *)(mem + 3 * (size_t)d->g->nword);
    }
    if (!d->cap && d->max >= CAP_LEAST && !grow(d, d->max < CAP_FIRST ? d->max : CAP_FIRST)) return false;
    if (d->cap && !d->nstate) forget(d);
    return true;
}

/* The state with this set, made where it is new. *forgot: everything before was forgotten to make room. */
static uint32_t state_of(sy_mdfa *d, const uint64_t *set, unsigned before, uint64_t hits, bool *forgot)
{
    uint32_t i;
    *forgot = false;
    for (i = d->bucket[hash_of(d, set, before, hits)]; i; i = d->chain[i - 1])
        if (d->before[i - 1] == before && d->match[i - 1] == hits && !memcmp(d->sets + (size_t)(i - 1) * d->g->nword, set, d->g->nword * sizeof *set)) return i - 1;
    if (d->nstate == d->cap) {
        uint32_t cap = d->cap < d->max / 2 ? 2 * d->cap : d->max, own = (uint32_t)(d->own / state_bytes(d));
        if ((cap <= d->cap || !grow(d, cap)) && (own <= d->cap || own > d->max || !grow(d, own))) {
            forget(d);
            d->flushes++;
            *forgot = true;
        }
    }
    return add_state(d, set, before, hits);
}

/* The entry for state s over sym, made and remembered. */
static uint32_t make(sy_mdfa *d, uint32_t s, uint32_t sym, bool *forgot)
{
    const sy_mprog *g = d->g;
    unsigned after;
    uint32_t x;
    uint64_t hits = sy_mstep(g, d->sets + (size_t)s * g->nword, d->before[s], sym, d->tmpset, &after, &d->work);
    bool empty = empty_set(d, d->tmpset);
    *forgot = false;
    if (hits && g->nroot == 1) return d->t[(size_t)s * d->width + sym] = DONE;
    if (empty && !hits && (sym == g->nsym || g->anchored == g->all)) return d->t[(size_t)s * d->width + sym] = DEAD;
    x = state_of(d, d->tmpset, after | (empty ? SY_MF_IDLE : 0), hits, forgot) * d->width | (hits ? NOTE : 0);
    if (!*forgot) d->t[(size_t)s * d->width + sym] = x;
    return x;
}

/* The row of the state in which no match has begun behind ASCII character c. */
static uint32_t idle_after(sy_mdfa *d, unsigned char c)
{
    unsigned flags = sy_mafter(d->g, d->g->byte[c]);
    bool forgot;
    if (!d->idle[flags]) {
        uint32_t i;
        memset(d->tmpset, 0, d->g->nword * sizeof *d->tmpset);
        i = state_of(d, d->tmpset, flags | SY_MF_IDLE, 0, &forgot);
        d->idle[flags] = i + 1; /* (after what may have forgotten it) */
    }
    return (d->idle[flags] - 1) * d->width;
}

typedef struct mwalk {
    symbi_str text;
    size_t i, until;
    uint64_t hits;
} mwalk;

static bool may_stop(const mwalk *w) { return w->i > w->until && w->i < w->text.n && (unsigned char)w->text.p[w->i - 1] < 0x80; }

/* The rest from w->i, where the steps in d->tmpset have been reached with `before`; nothing is remembered. */
static void simulate(sy_mdfa *d, unsigned before, mwalk *w)
{
    const sy_mprog *g = d->g;
    uint64_t *a = d->tmpset, *b = d->mem + 2 * (size_t)g->nword;
    for (;;) {
        uint32_t cp, sym = g->nsym;
        size_t k = 0;
        uint64_t *t = a;
        if (w->i < w->text.n) {
            k = sy_mdecode(w->text.p + w->i, w->text.n - w->i, &cp);
            sym = sy_mprog_symbol(g, cp);
        }
        w->hits |= sy_mstep(g, a, before, sym, b, &before, &d->work);
        if (!k || w->hits == g->all) {
            w->i = SIZE_MAX;
            return;
        }
        a = b;
        b = t;
        w->i += k;
        if (may_stop(w) && empty_set(d, a)) return;
    }
}

/* From state s; w->until: SIZE_MAX for all of the text. */
static void walk(sy_mdfa *d, uint32_t s, mwalk *w)
{
    enum { STRIDE = 16 };
    const sy_mprog *g = d->g;
    const unsigned char *p = (const unsigned char *)w->text.p;
    const uint16_t *cls = g->byte;
    size_t n = w->text.n, i = w->i, since = i, wasted = 0, lim = w->until < n ? w->until + 1 : n;
    for (;;) {
        const uint32_t *t = d->t;
        uint32_t x = UNKNOWN, sym;
        size_t k = 1;
        while (i < lim && !((x = t[s + cls[p[i]]]) & NOTE)) s = x, i++;
        if (i >= lim && i < n) { /* far enough, when nothing that has begun is open */
            w->i = i;
            if (d->before[s / d->width] & SY_MF_IDLE && may_stop(w)) return;
            lim = n - i < STRIDE ? n : i + STRIDE;
            continue;
        }
        if (i >= n) {
            sym = g->nsym;
            k = 0;
            x = t[s + sym];
        } else if (x == HIGH) {
            uint32_t cp;
            k = sy_mdecode(w->text.p + i, n - i, &cp);
            sym = sy_mprog_symbol(g, cp);
            x = t[s + sym];
        } else {
            sym = cls[p[i]];
        }
        if (x == UNKNOWN) {
            bool forgot;
            uint32_t states = d->nstate;
            x = make(d, s / d->width, sym, &forgot);
            if (forgot) {
                if (i - since < (size_t)WORTH * states && ++wasted >= WASTED_MAX && k) {
                    s = (x & ~NOTE) / d->width;
                    w->hits |= d->match[s];
                    w->i = i + k;
                    memcpy(d->tmpset, d->sets + (size_t)s * g->nword, g->nword * sizeof *d->tmpset);
                    simulate(d, d->before[s], w);
                    return;
                }
                since = i;
            }
        }
        if (x == DONE) w->hits = g->all;
        if (x == DONE || x == DEAD) break;
        if (x & NOTE) {
            x &= ~NOTE;
            w->hits |= d->match[x / d->width];
            if (w->hits == g->all) break;
        }
        if (!k) break;
        s = x;
        i += k;
    }
    w->i = SIZE_MAX;
}

symbi_status sy_mdfa_part(sy_mdfa *d, symbi_str text, size_t *at, size_t until, uint64_t *hits, symbi_err *err)
{
    mwalk w = { text, *at, until, 0 };
    *hits = 0;
    if (!warm_up(d)) return sy_fail_nomem(err);
    if (d->cap) {
        walk(d, w.i ? idle_after(d, (unsigned char)text.p[w.i - 1]) : 0, &w);
    } else {
        memset(d->tmpset, 0, d->g->nword * sizeof *d->tmpset);
        simulate(d, w.i ? sy_mafter(d->g, d->g->byte[(unsigned char)text.p[w.i - 1]]) : SY_MF_START, &w);
    }
    *hits = w.hits;
    *at = w.i;
    return SYMBI_OK;
}

symbi_status sy_mdfa_run(sy_mdfa *d, symbi_str text, uint64_t *hits, symbi_err *err)
{
    size_t at = 0;
    return sy_mdfa_part(d, text, &at, SIZE_MAX, hits, err);
}
