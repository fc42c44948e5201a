/* match/ac.c: all literals of a set in one pass (Aho and Corasick), as a table with one row per state. A lone walk through a table
 * waits for memory at every byte; so a block is cut into streams that are walked side by side, each warmed up on the few
 * bytes in front of it. No byte is looked at more often than that, whatever the text. */
#include "base/err.h"
#include "codec/value.h"
#include "match/match_in.h"
#include <string.h>

typedef struct mtrie {
    uint32_t n, ncol, cap;
    uint32_t *go; /* n rows */
    uint32_t *fail, *queue, *place, *last; /* queue: states from the root on; place: in it; last: head of the list of literals that end here */
} mtrie;

static unsigned char lower(unsigned char c) { return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c; }

/* The rules that end in state s are those of its own list and of its failure state's. Rows are in queue order, so that the
 * failure state's list stands already. */
static symbi_status outputs(sy_arena *keep, sy_arena *tmp, mtrie *t, const uint32_t *next, const uint32_t *rule, size_t nlit, sy_mac *out, symbi_err *err)
{
    uint32_t *start = sy_arena_calloc(keep, t->n + 2u, sizeof *start), *count = sy_arena_calloc(tmp, t->n + 1u, sizeof *count), *all;
    size_t total = 0;
    if (!start || !count) return sy_arena_fail(start ? tmp : keep, "the pattern", err);
    for (uint32_t q = 0; q < t->n; q++) {
        uint32_t s = t->queue[q];
        for (uint32_t l = t->last[s]; l; l = next[l - 1]) count[s]++;
        if (s) count[s] += count[t->fail[s]];
        total += count[s];
    }
    if (total > 64 * nlit + 65536) return sy_fail(err, SYMBI_ELIMIT, "the literals of the patterns overlap too much");
    all = sy_arena_alloc(keep, (total + 1) * sizeof *all);
    if (!all) return sy_arena_fail(keep, "the pattern", err);
    for (uint32_t q = 0; q < t->n; q++) start[q + 1] = start[q] + count[t->queue[q]];
    for (uint32_t q = 0; q < t->n; q++) {
        uint32_t s = t->queue[q], k = start[q];
        for (uint32_t l = t->last[s]; l; l = next[l - 1]) all[k++] = rule[l - 1];
        if (s && count[t->fail[s]]) memcpy(all + k, all + start[t->place[t->fail[s]]], count[t->fail[s]] * sizeof *all);
    }
    out->outstart = start;
    out->outrule = all;
    return SYMBI_OK;
}

/* Breadth first: failure states, and rows made whole. In this order states are numbered, so that those near the root, which a text meets
 * most, lie together. */
static void link_up(mtrie *t)
{
    uint32_t head = 0, tail = 0;
    t->queue[tail++] = 0;
    while (head < tail) {
        uint32_t s = t->queue[head];
        t->place[s] = head++;
        uint32_t *row = t->go + (size_t)s * t->ncol, *frow = t->go + (size_t)t->fail[s] * t->ncol;
        for (uint32_t c = 0; c < t->ncol; c++) {
            if (row[c]) {
                t->fail[row[c]] = s ? frow[c] : 0;
                t->queue[tail++] = row[c];
            } else {
                row[c] = s ? frow[c] : 0;
            }
        }
    }
}

/* A column of the table for each character of the literals; where these are too many, some share the last one: what is found in excess
 * by that does no harm but to time, since a hit only says where to look. So those share first that are rare in texts, then those that
 * are rare in literals. Column 0: in no literal. */
static void columns(uint32_t used[256], uint8_t col[256])
{
    static const char seldom[] = "\t\v\f~^%?&$+@!|;";
    uint32_t n = 1;
    for (unsigned c = 1; c < 128; c++)
        if (used[c] && !strchr(seldom, (int)c)) used[c] += 1u << 24;
    for (uint32_t least = 0; ; ) { /* characters that are used more often than that have their own */
        uint32_t own = 0, next = UINT32_MAX;
        for (unsigned c = 0; c < 128; c++) {
            own += used[c] > least;
            if (used[c] > least && used[c] < next) next = used[c];
        }
        if (own > SY_MCOLS - 2) {
            least = next;
            continue;
        }
        for (unsigned c = 0; c < 128; c++)
            if (used[c] > least) col[c] = (uint8_t)n++;
        break;
    }
    for (unsigned c = 0; c < 128; c++)
        if (used[c] && !col[c]) col[c] = (uint8_t)n;
    for (unsigned c = 'A'; c <= 'Z'; c++) col[c] = col[lower((unsigned char)c)];
}

symbi_status sy_mac_make(sy_arena *keep, sy_arena *tmp, const sy_mlit *lits, const uint32_t *rule, size_t n, sy_mac *out, symbi_err *err)
{
    mtrie t = { 1, SY_MCOLS, 1, NULL, NULL, NULL, NULL, NULL };
    uint32_t *next, used[256] = { 0 };
    symbi_status st;
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < n; i++) {
        t.cap += lits[i].n;
        if (lits[i].n > out->maxlen) out->maxlen = lits[i].n;
        for (size_t k = 0; k < lits[i].n; k++) {
            unsigned char c = (unsigned char)lits[i].s[k];
            used[c]++;
        }
    }
    columns(used, out->col);
    t.go = sy_arena_calloc(tmp, (size_t)t.cap * t.ncol, sizeof *t.go);
    t.fail = sy_arena_calloc(tmp, t.cap, sizeof *t.fail);
    t.queue = sy_arena_calloc(tmp, t.cap, sizeof *t.queue);
    t.place = sy_arena_calloc(tmp, t.cap, sizeof *t.place);
    t.last = sy_arena_calloc(tmp, t.cap, sizeof *t.last);
    next = sy_arena_calloc(tmp, n + 1, sizeof *next);
    if (!t.go || !t.fail || !t.queue || !t.place || !t.last || !next) return sy_arena_fail(tmp, "the pattern", err);
    for (size_t i = 0; i < n; i++) {
        uint32_t s = 0;
        for (size_t k = 0; k < lits[i].n; k++) {
            uint32_t *to = &t.go[(size_t)s * t.ncol + out->col[(unsigned char)lits[i].s[k]]];
            if (!*to) *to = t.n++;
            s = *to;
        }
        next[i] = t.last[s];
        t.last[s] = (uint32_t)i + 1;
    }
    link_up(&t);
    if ((st = outputs(keep, tmp, &t, next, rule, n, out, err))) return st;
    out->nstate = t.n;
    out->nlit = (uint32_t)n;
    if (t.n < 0x8000u) {
        out->t16 = sy_arena_alloc(keep, (size_t)t.n * SY_MCOLS * sizeof *out->t16);
        if (!out->t16) return sy_arena_fail(keep, "the pattern", err);
    } else {
        out->t32 = sy_arena_alloc(keep, (size_t)t.n * SY_MCOLS * sizeof *out->t32);
        if (!out->t32) return sy_arena_fail(keep, "the pattern", err);
    }
    for (uint32_t q = 0; q < t.n; q++)
        for (uint32_t c = 0; c < SY_MCOLS; c++) {
            uint32_t to = t.place[t.go[(size_t)t.queue[q] * SY_MCOLS + c]];
            bool ends = out->outstart[to + 1] > out->outstart[to];
            if (out->t16) out->t16[q * SY_MCOLS + c] = (uint16_t)(to | (ends ? 0x8000u : 0));
            else out->t32[q * SY_MCOLS + c] = to | (ends ? 0x80000000u : 0);
        }
    return SYMBI_OK;
}

/* ---- the walk ---- */

/* Streams start at base + k * len; each appends its hits at hits[k * len]. */
#define WALK(name, type, bit, table)                                                                                                             \
    static void name(const sy_mac *ac, const unsigned char *p, size_t len, size_t warm, sy_mhit *hits, size_t *nhit)                               \
    {                                                                                                                                            \
        const type *t = ac->table;                                                                                                               \
        const uint8_t *col = ac->col;                                                                                                            \
        uint32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;                                                                                                 \
        size_t n0 = 0, n1 = 0, n2 = 0, n3 = 0;                                                                                                   \
        const unsigned char *p1 = p + len, *p2 = p1 + len, *p3 = p2 + len;                                                                       \
        for (size_t i = warm; i > 0; i--) s0 = t[(s0 & (bit - 1u)) * SY_MCOLS + col[*(p - i)]];                                                             \
        for (size_t i = len < ac->maxlen ? len : ac->maxlen - 1u; i > 0; i--) {                                                                   \
            s1 = t[(s1 & (bit - 1u)) * SY_MCOLS + col[*(p1 - i)]];                                                                                          \
            s2 = t[(s2 & (bit - 1u)) * SY_MCOLS + col[*(p2 - i)]];                                                                                          \
            s3 = t[(s3 & (bit - 1u)) * SY_MCOLS + col[*(p3 - i)]];                                                                                          \
        }                                                                                                                                        \
        s0 &= bit - 1u, s1 &= bit - 1u, s2 &= bit - 1u, s3 &= bit - 1u;                                                                          \
        for (size_t i = 0; i < len; i++) {                                                                                                       \
            s0 = t[s0 * SY_MCOLS + col[p[i]]];                                                                                                              \
            s1 = t[s1 * SY_MCOLS + col[p1[i]]];                                                                                                             \
            s2 = t[s2 * SY_MCOLS + col[p2[i]]];                                                                                                             \
            s3 = t[s3 * SY_MCOLS + col[p3[i]]];                                                                                                             \
            if (__builtin_expect(((s0 | s1 | s2 | s3) & bit) != 0, 0)) {                                                                          \
                if (s0 & bit) s0 &= bit - 1u, hits[n0++] = (sy_mhit){ (uint32_t)i, s0 };                                                          \
                if (s1 & bit) s1 &= bit - 1u, hits[len + n1++] = (sy_mhit){ (uint32_t)(i + len), s1 };                                            \
                if (s2 & bit) s2 &= bit - 1u, hits[2 * len + n2++] = (sy_mhit){ (uint32_t)(i + 2 * len), s2 };                                    \
                if (s3 & bit) s3 &= bit - 1u, hits[3 * len + n3++] = (sy_mhit){ (uint32_t)(i + 3 * len), s3 };                                    \
            }                                                                                                                                    \
        }                                                                                                                                        \
        nhit[0] = n0, nhit[1] = n1, nhit[2] = n2, nhit[3] = n3;                                                                                  \
    }                                                                                                                                            \
    static size_t name##_one(const sy_mac *ac, const unsigned char *p, size_t from, size_t n, size_t warm, sy_mhit *hits, size_t nhit)             \
    {                                                                                                                                            \
        const type *t = ac->table;                                                                                                               \
        uint32_t s = 0;                                                                                                                          \
        for (size_t i = warm; i > 0; i--) s = t[(s & (bit - 1u)) * SY_MCOLS + ac->col[*(p + from - i)]];                                                         \
        s &= bit - 1u;                                                                                                                           \
        for (size_t i = from; i < n; i++) {                                                                                                      \
            s = t[s * SY_MCOLS + ac->col[p[i]]];                                                                                                            \
            if (s & bit) s &= bit - 1u, hits[nhit++] = (sy_mhit){ (uint32_t)i, s };                                                               \
        }                                                                                                                                        \
        return nhit;                                                                                                                             \
    }
WALK(walk16, uint16_t, 0x8000u, t16)
WALK(walk32, uint32_t, 0x80000000u, t32)

size_t sy_mac_scan(const sy_mac *ac, const char *text, size_t n, size_t before, sy_mhit *hits)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t len = n / SY_MSTREAMS, k[SY_MSTREAMS] = { 0 }, total, done = 0, warm;
    if (!ac->nlit) return 0;
    warm = before < ac->maxlen - 1u ? before : ac->maxlen - 1u;
    if (len >= 64) {
        if (ac->t16) walk16(ac, p, len, warm, hits, k);
        else walk32(ac, p, len, warm, hits, k);
        done = SY_MSTREAMS * len;
        warm = ac->maxlen - 1u;
    }
    total = k[0];
    for (size_t i = 1; i < SY_MSTREAMS; i++) {
        if (k[i]) memmove(hits + total, hits + i * len, k[i] * sizeof *hits);
        total += k[i];
    }
    /* what is left of the block, or all of a short one */
    return ac->t16 ? walk16_one(ac, p, done, n, warm, hits, total) : walk32_one(ac, p, done, n, warm, hits, total);
}
