/* match/set.c: sets of patterns: compiling all or nothing, sharing, and searching one text. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "codec/value.h"
#include "match/match_in.h"
#include <stdio.h>
#include <string.h>

enum {
    WORK_MAX = 192 << 20,       /* memory while compiling */
    SCRATCH_BYTES = 32 << 20,
    GROUP_LEAST = 64 << 10,    /* bytes of states that any group may have */
    OPEN_RULES = 64,           /* rules of one group without literals */
    OPEN_BYTES = 8192,         /* bytes of pattern of such a group */
    LITERAL_BYTES = 400000     /* bytes of all literals together */
};

typedef struct mcompile {
    symbi_match *m;
    sy_arena tmp;
    const symbi_match_rule *rules;
    sy_mnode **node;
    sy_mlit *lit;
    uint32_t *litrule, *litfrom; /* litfrom[i]..litfrom[i + 1): literals of rule i */
    size_t nlit, caplit;
    symbi_err *err;
} mcompile;

static bool mtest(const uint64_t *set, size_t i) { return set[i / 64] >> (i % 64) & 1; }
static void mset(uint64_t *set, size_t i) { set[i / 64] |= (uint64_t)1 << i % 64; }

static symbi_status at_rule(mcompile *c, size_t i, symbi_status st)
{
    char path[32];
    snprintf(path, sizeof path, "/%zu", i);
    sy_err_path(c->err, symbi_str_z(path));
    return st;
}

static symbi_status add_literals(mcompile *c, size_t rule, const sy_mlits *l)
{
    if (c->nlit + l->n > c->caplit) {
        size_t cap = c->caplit ? 2 * c->caplit : 256;
        sy_mlit *lit;
        uint32_t *of;
        while (cap < c->nlit + l->n) cap *= 2;
        lit = sy_arena_alloc(&c->tmp, cap * sizeof *lit);
        of = sy_arena_alloc(&c->tmp, cap * sizeof *of);
        if (!lit || !of) return sy_arena_fail(&c->tmp, "the set of patterns", c->err);
        if (c->nlit) {
            memcpy(lit, c->lit, c->nlit * sizeof *lit);
            memcpy(of, c->litrule, c->nlit * sizeof *of);
        }
        c->lit = lit;
        c->litrule = of;
        c->caplit = cap;
    }
    for (uint32_t i = 0; i < l->n; i++) {
        c->lit[c->nlit] = l->lit[i];
        c->litrule[c->nlit++] = (uint32_t)rule;
    }
    return SYMBI_OK;
}

static symbi_status parse_all(mcompile *c)
{
    symbi_match *m = c->m;
    sy_mlits *lits = sy_arena_alloc(&c->tmp, sizeof *lits);
    sy_mlevels levels = { 0 };
    sy_mset exotic = { &m->arena, NULL, 0, 0 };
    size_t bytes = 0;
    symbi_status st;
    if (!lits) return sy_arena_fail(&c->tmp, "the set of patterns", c->err);
    for (size_t i = 0; i < m->n; i++) {
        sy_mset wide = { &c->tmp, NULL, 0, 0 };
        if ((st = sy_mparse(&c->tmp, c->rules[i].pattern, c->rules[i].flags, &c->node[i], c->err))) return at_rule(c, i, st);
        m->anchored[i] = sy_mnode_fixed(c->node[i], false) && sy_mnode_fixed(c->node[i], true);
        sy_mlits_of(&c->tmp, &levels, c->node[i], lits, &wide);
        if (c->tmp.status) return sy_arena_fail(&c->tmp, "the set of patterns", c->err);
        for (uint32_t k = 0; k < lits->n; k++) bytes += lits->lit[k].n;
        if ((!lits->n && !lits->never) || bytes > LITERAL_BYTES) continue;
        if ((st = add_literals(c, i, lits))) return st;
        m->reach[i] = lits->before < SY_MFAR - SY_MLIT_MAX && !sy_mnode_fixed(c->node[i], false) ? lits->before + SY_MLIT_MAX : SY_MFAR;
        if (sy_mset_class(&wide).n || lits->never) mset(m->foreign, i);
        sy_mset_addclass(&exotic, sy_mset_class(&wide));
        mset(m->filtered, i);
        m->nfiltered++;
    }
    m->exotic = sy_mset_class(&exotic);
    return c->tmp.status ? sy_arena_fail(&c->tmp, "the set of patterns", c->err) : m->arena.status ? sy_arena_fail(&m->arena, "the set of patterns", c->err) : SYMBI_OK;
}

static unsigned flavour(const mcompile *c, size_t i) { return c->rules[i].flags & (SYMBI_MATCH_UNICODE | SYMBI_MATCH_PYTHON); }

static symbi_status make_group(mcompile *c, const uint32_t *rules, size_t n)
{
    symbi_match *m = c->m;
    sy_mnode *nodes[OPEN_RULES];
    sy_mgroup *g = &m->group[m->ngroup];
    size_t bad = 0;
    symbi_status st;
    for (size_t i = 0; i < n; i++) nodes[i] = c->node[rules[i]];
    if ((st = sy_mprog_make(&m->arena, &c->tmp, nodes, n, flavour(c, rules[0]), &g->prog, &bad, c->err))) return at_rule(c, rules[bad], st);
    g->first = m->ngroup ? m->group[m->ngroup - 1].first + m->group[m->ngroup - 1].n : 0;
    g->n = (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        m->member[g->first + i] = rules[i];
        m->groupof[rules[i]] = m->ngroup;
        m->indexof[rules[i]] = (uint32_t)i;
    }
    m->ngroup++;
    return SYMBI_OK;
}

/* Rules without literals share groups, those of one flavour together; the others stand alone. */
static symbi_status group_all(mcompile *c)
{
    static const unsigned flavours[] = { 0, SYMBI_MATCH_UNICODE, SYMBI_MATCH_PYTHON, SYMBI_MATCH_UNICODE | SYMBI_MATCH_PYTHON };
    symbi_match *m = c->m;
    uint32_t pend[OPEN_RULES];
    symbi_status st;
    for (size_t f = 0; f < 4; f++) {
        size_t n = 0, bytes = 0;
        for (size_t i = 0; i < m->n; i++) {
            if (mtest(m->filtered, i) || flavour(c, i) != flavours[f]) continue;
            if (n && (n == OPEN_RULES || bytes + c->rules[i].pattern.n > OPEN_BYTES)) {
                if ((st = make_group(c, pend, n))) return st;
                n = bytes = 0;
            }
            pend[n++] = (uint32_t)i;
            bytes += c->rules[i].pattern.n;
        }
        if (n && (st = make_group(c, pend, n))) return st;
    }
    m->nopen = m->ngroup;
    for (uint32_t i = 0; i < m->n; i++)
        if (mtest(m->filtered, i) && (st = make_group(c, &i, 1))) return st;
    return SYMBI_OK;
}

/* First bytes of the exotic characters: what lies outside is passed over without decoding. */
static void exotic_leads(symbi_match *m)
{
    static const uint32_t from[] = { 0x80, 0x800, 0x10000 }, shift[] = { 6, 12, 18 }, lead[] = { 0xc0, 0xe0, 0xf0 };
    for (size_t i = 0; i < m->exotic.n; i++)
        for (size_t k = 0; k < 3; k++) {
            uint32_t lo = m->exotic.r[i].lo, hi = m->exotic.r[i].hi, top = k < 2 ? from[k + 1] - 1 : SY_CP_MAX;
            if (lo < from[k]) lo = from[k];
            if (hi > top) hi = top;
            if (lo > hi) continue;
            for (uint32_t b = lo >> shift[k]; b <= hi >> shift[k]; b++) mset(m->exotic_lead, lead[k] | b);
        }
    /* what is not UTF-8 counts as U+FFFD and may begin with any byte */
    if (sy_mclass_has(m->exotic, 0xfffd)) m->exotic_lead[2] = m->exotic_lead[3] = ~(uint64_t)0;
}

static symbi_status compile_all(mcompile *c)
{
    symbi_match *m = c->m;
    symbi_status st;
    m->words = m->n / 64 + 1;
    m->group = sy_arena_calloc(&m->arena, m->n + 1, sizeof *m->group);
    m->member = sy_arena_calloc(&m->arena, m->n + 1, sizeof *m->member);
    m->groupof = sy_arena_calloc(&m->arena, m->n + 1, sizeof *m->groupof);
    m->indexof = sy_arena_calloc(&m->arena, m->n + 1, sizeof *m->indexof);
    m->filtered = sy_arena_calloc(&m->arena, m->words, sizeof *m->filtered);
    m->foreign = sy_arena_calloc(&m->arena, m->words, sizeof *m->foreign);
    m->anchored = sy_arena_calloc(&m->arena, m->n + 1, 1);
    m->reach = sy_arena_calloc(&m->arena, m->n + 1, sizeof *m->reach);
    c->node = sy_arena_calloc(&c->tmp, m->n + 1, sizeof *c->node);
    if (m->arena.status) return sy_arena_fail(&m->arena, "the set of patterns", c->err);
    if (!c->node) return sy_arena_fail(&c->tmp, "the set of patterns", c->err);
    if ((st = parse_all(c)) || (st = group_all(c))) return st;
    exotic_leads(m);
    if (c->nlit && !(m->lit = sy_arena_memdup(&m->arena, c->lit, c->nlit * sizeof *c->lit))) return sy_arena_fail(&m->arena, "the set of patterns", c->err);
    return sy_mac_make(&m->arena, &c->tmp, c->lit, c->litrule, c->nlit, &m->ac, c->err);
}

symbi_status symbi_match_compile(symbi_ctx *cx, const symbi_match_rule *rules, size_t n, symbi_match **out, symbi_err *err)
{
    mcompile c = { 0 };
    symbi_match *m;
    symbi_status st;
    *out = NULL;
    symbi_err_clear(err);
    if (n > SYMBI_MATCH_MAX_RULES) return sy_fail(err, SYMBI_ELIMIT, "%zu patterns are more than the %d that one set may have", n, SYMBI_MATCH_MAX_RULES);
    if (!(m = sy_calloc(&cx->shared, 1, sizeof *m))) return sy_fail_nomem(err);
    sy_ref_init(&m->refs);
    m->alloc = cx->shared;
    m->n = n;
    sy_arena_init(&m->arena, cx->shared, cx->limits.arena_bytes);
    sy_arena_init(&c.tmp, cx->alloc, WORK_MAX);
    c.m = m;
    c.rules = rules;
    c.err = err;
    st = compile_all(&c);
    sy_arena_free(&c.tmp);
    if (st) symbi_match_unref(m);
    else *out = m;
    return st;
}

symbi_match *symbi_match_ref(symbi_match *m)
{
    if (m) sy_ref_inc(&m->refs);
    return m;
}

void symbi_match_unref(symbi_match *m)
{
    if (m && sy_ref_dec(&m->refs)) {
        symbi_alloc a = m->alloc;
        sy_arena_free(&m->arena);
        sy_free(&a, m, sizeof *m);
    }
}

size_t symbi_match_count(const symbi_match *m) { return m->n; }
bool sy_match_filtered(const symbi_match *m, size_t rule) { return mtest(m->filtered, rule); }
symbi_str sy_match_literal(const symbi_match *m, size_t i) { return i < m->ac.nlit ? (symbi_str){ m->lit[i].s, m->lit[i].n } : (symbi_str){ "", 0 }; }
bool symbi_match_anchored(const symbi_match *m, size_t rule) { return rule < m->n && m->anchored[rule]; }

/* ---- scratch ---- */

symbi_status symbi_match_scratch_new(symbi_ctx *cx, symbi_match *m, size_t bytes, symbi_match_scratch **out, symbi_err *err)
{
    symbi_match_scratch *s = sy_calloc(&cx->alloc, 1, sizeof *s);
    size_t share;
    *out = NULL;
    if (!s) return sy_fail_nomem(err);
    s->alloc = cx->alloc;
    s->m = symbi_match_ref(m);
    if (!bytes) bytes = SCRATCH_BYTES;
    /* half of it in equal shares, half for those that need more; of little, all in shares */
    s->pool = bytes >= SCRATCH_BYTES ? bytes / 2 : 0;
    share = (bytes - s->pool) / (m->ngroup ? m->ngroup : 1);
    if (share < GROUP_LEAST && bytes >= SCRATCH_BYTES) share = GROUP_LEAST;
    s->dfa = sy_calloc(&s->alloc, m->ngroup + 1u, sizeof *s->dfa);
    s->cand = sy_calloc(&s->alloc, 2 * m->words, sizeof *s->cand);
    s->rules = sy_calloc(&s->alloc, m->n + 1, sizeof *s->rules);
    s->done = sy_calloc(&s->alloc, m->n + 1, sizeof *s->done);
    s->hits = sy_calloc(&s->alloc, 3 * SY_MBLOCK, sizeof *s->hits);
    if (!s->dfa || !s->cand || !s->rules || !s->done || !s->hits) {
        symbi_match_scratch_free(s);
        return sy_fail_nomem(err);
    }
    s->found = s->cand + m->words;
    s->more = s->hits + 2 * SY_MBLOCK;
    for (uint32_t i = 0; i < m->ngroup; i++) sy_mdfa_init(&s->dfa[i], &m->group[i].prog, s->alloc, share, &s->pool);
    *out = s;
    return SYMBI_OK;
}

void symbi_match_scratch_free(symbi_match_scratch *s)
{
    symbi_alloc a;
    if (!s) return;
    a = s->alloc;
    if (s->dfa) {
        for (uint32_t i = 0; i < s->m->ngroup; i++)
            if (s->dfa[i].g) sy_mdfa_free(&s->dfa[i]);
        sy_free(&a, s->dfa, (s->m->ngroup + 1u) * sizeof *s->dfa);
    }
    sy_free(&a, s->cand, 2 * s->m->words * sizeof *s->cand);
    sy_free(&a, s->rules, (s->m->n + 1) * sizeof *s->rules);
    sy_free(&a, s->done, (s->m->n + 1) * sizeof *s->done);
    sy_free(&a, s->hits, 3 * SY_MBLOCK * sizeof *s->hits);
    sy_free(&a, s->find, s->findn);
    symbi_match_unref(s->m);
    sy_free(&a, s, sizeof *s);
}

void symbi_match_scratch_stats(const symbi_match_scratch *s, symbi_match_stats *out)
{
    memset(out, 0, sizeof *out);
    out->rules = s->m->n;
    out->groups = s->m->ngroup;
    out->literals = s->m->ac.nlit;
    out->filtered = s->m->nfiltered;
    out->bytes = sizeof *s + (s->m->ngroup + 1u) * sizeof *s->dfa + 2 * s->m->words * sizeof *s->cand + (s->m->n + 1) * (sizeof *s->rules + sizeof *s->done) + 3 * SY_MBLOCK * sizeof *s->hits + s->findn;
    for (uint32_t i = 0; i < s->m->ngroup; i++) {
        out->states += s->dfa[i].nstate;
        out->flushes += s->dfa[i].flushes;
        out->bytes += sy_mdfa_bytes(&s->dfa[i]);
    }
}

/* ---- one text ---- */

static void take_hits(symbi_match_scratch *s, uint32_t group, uint64_t hits)
{
    const sy_mgroup *g = &s->m->group[group];
    for (; hits; hits &= hits - 1) mset(s->found, s->m->member[g->first + (uint32_t)__builtin_ctzll(hits)]);
}

static symbi_status run_group(symbi_match_scratch *s, uint32_t group, symbi_err *err)
{
    uint64_t hits;
    symbi_status st = sy_mdfa_run(&s->dfa[group], s->now, &hits, err);
    take_hits(s, group, hits);
    return st;
}

void sy_match_mark(symbi_match_scratch *s, const uint64_t *rules, uint64_t *map, unsigned shift)
{
    s->watch = rules;
    s->map = map;
    s->shift = shift;
}

void sy_mscratch_begin(symbi_match_scratch *s, symbi_str line)
{
    s->now = line;
    s->wide = false;
    memset(s->cand, 0, 2 * s->m->words * sizeof *s->cand);
}

static bool ascii(const char *p, size_t n)
{
    uint64_t any = 0, w;
    for (; n >= 8; p += 8, n -= 8) memcpy(&w, p, 8), any |= w;
    for (; n; p++, n--) any |= (unsigned char)*p;
    return !(any & 0x8080808080808080u);
}

/* Where a match may begin at the earliest that has, within `reach` characters, the byte in front of `to`: not in front of `least`,
 * and at the start of the line or behind an ASCII character. */
static size_t reach_back(symbi_str line, size_t least, size_t to, uint32_t reach)
{
    const unsigned char *p = (const unsigned char *)line.p;
    size_t i = to, k = 0;
    if (to - least <= reach) return least;
    if (ascii(line.p + to - reach - 1, reach + 1u)) return to - reach;
    /* a character has one byte that does not go on another; more than that many in what is no UTF-8 */
    while (i > least && k < reach) k += (p[--i] & 0xc0) != 0x80;
    while (i > least && p[i - 1] >= 0x80) i--;
    return i;
}

symbi_status sy_mscratch_take(symbi_match_scratch *s, size_t at, uint32_t state, symbi_err *err)
{
    const symbi_match *m = s->m;
    const sy_mac *ac = &m->ac;
    symbi_status st = SYMBI_OK;
    if (state == UINT32_MAX) {
        s->wide = true;
        return SYMBI_OK;
    }
    for (uint32_t k = ac->outstart[state]; k < ac->outstart[state + 1] && !st; k++) {
        uint32_t rule = ac->outrule[k], group = m->groupof[rule];
        uint64_t hits;
        if (s->watch && mtest(s->watch, rule)) mset(s->map, ((size_t)(s->now.p - s->text.p) + at) >> s->shift);
        if (s->wide && mtest(m->foreign, rule)) continue; /* it goes over all of the line in any case */
        if (!mtest(s->cand, rule)) {
            mset(s->cand, rule);
            s->done[rule] = 0;
        }
        if (s->done[rule] > at) continue;
        s->done[rule] = reach_back(s->now, s->done[rule], at + 1, m->reach[rule]);
        st = sy_mdfa_part(&s->dfa[group], s->now, &s->done[rule], at, &hits, err);
        take_hits(s, group, hits);
    }
    return st;
}

symbi_status sy_mscratch_end(symbi_match_scratch *s, size_t *n, symbi_err *err)
{
    const symbi_match *m = s->m;
    symbi_status st = SYMBI_OK;
    *n = 0;
    for (uint32_t g = 0; g < m->nopen && !st; g++) st = run_group(s, g, err);
    for (size_t w = 0; w < m->words && s->wide && !st; w++)
        for (uint64_t bits = m->foreign[w] & ~s->found[w]; bits && !st; bits &= bits - 1) st = run_group(s, m->groupof[w * 64 + (size_t)__builtin_ctzll(bits)], err);
    for (size_t w = 0; w < m->words && !st; w++)
        for (uint64_t bits = s->found[w]; bits; bits &= bits - 1) s->rules[(*n)++] = (uint32_t)(w * 64 + (size_t)__builtin_ctzll(bits));
    return st;
}

symbi_status symbi_match_run(symbi_match_scratch *s, symbi_str text, const uint32_t **rules, size_t *n, symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    s->text.n = 0; /* an unfinished search line by line is over */
    s->watch = NULL;
    s->nhit = s->hit = 0;
    *rules = s->rules;
    *n = 0;
    sy_mscratch_begin(s, text);
    for (size_t at = 0; at < text.n && s->m->nfiltered && !st; at += SY_MBLOCK) {
        size_t len = text.n - at < SY_MBLOCK ? text.n - at : SY_MBLOCK, k = sy_mscratch_block(s, text.p + at, len, at, text.n - at - len);
        for (size_t i = 0; i < k && !st; i++) st = sy_mscratch_take(s, at + s->hits[i].at, s->hits[i].state, err);
    }
    return st ? st : sy_mscratch_end(s, n, err);
}

symbi_status symbi_match_find(symbi_match_scratch *s, size_t rule, symbi_str text, symbi_match_span *out, symbi_err *err)
{
    const sy_mprog *g;
    size_t need;
    *out = (symbi_match_span){ false, 0, 0 };
    if (rule >= s->m->n) return sy_fail(err, SYMBI_EINVAL, "the set has %zu patterns, there is no number %zu", s->m->n, rule);
    g = &s->m->group[s->m->groupof[rule]].prog;
    need = sy_mprog_findneed(g);
    if (need > s->findn) {
        void *p = sy_alloc(&s->alloc, need);
        if (!p) return sy_fail_nomem(err);
        sy_free(&s->alloc, s->find, s->findn);
        s->find = p;
        s->findn = need;
    }
    sy_mprog_find(g, s->m->indexof[rule], text, s->find, out);
    return SYMBI_OK;
}

symbi_status symbi_match_test(symbi_ctx *cx, const symbi_match *m, symbi_str text, bool *hit, symbi_err *err)
{
    uint64_t small[512];
    *hit = false;
    for (uint32_t g = 0; g < m->ngroup && !*hit; g++) {
        size_t need = sy_mprog_need(&m->group[g].prog);
        void *mem = need <= sizeof small ? small : sy_alloc(&cx->alloc, need);
        if (!mem) return sy_fail_nomem(err);
        *hit = sy_mprog_search(&m->group[g].prog, text, mem) != 0;
        if (mem != small) sy_free(&cx->alloc, mem, need);
    }
    return SYMBI_OK;
}
