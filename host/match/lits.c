/* match/lits.c: literals of a pattern: a small set of strings one of which stands in every match, so that most lines never meet
 * the pattern. Strings are ASCII and compared without case; what a class holds beyond ASCII (the long s in (?i)s, a no-break
 * space in \s) is reported as exotic, and a line with an exotic character is looked at by every rule. */
#include "match/match_in.h"
#include <string.h>

typedef struct minfo {
    bool exact; /* set holds all that the node can match */
    sy_mlits set;
    sy_mlits best; /* when not exact: the best set so far */
} minfo;

enum { EXACT_MAX = 32, CLASS_MAX = 16, GOOD = 7 };

/* How much a byte says: rare ones in prose and code more. */
static int weigh(char c)
{
    if (c >= 'a' && c <= 'z') return strchr("etaoinsrlhdu", c) ? 2 : strchr("jkqvwxz", c) ? 4 : 3;
    if (c == ' ') return 1;
    if (c >= '0' && c <= '9') return 3;
    return strchr("-.,/#*`", c) ? 2 : 3;
}

static int score_one(const sy_mlit *l)
{
    int s = 0;
    for (size_t i = 0; i < l->n; i++) s += weigh(l->s[i]);
    return l->n < 2 ? 0 : s;
}

static void score(sy_mlits *s)
{
    int least = 1000, many = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        int one = score_one(&s->lit[i]);
        if (one < least) least = one;
    }
    for (uint32_t n = s->n; n > 1; n /= 2) many++;
    s->score = s->n && least ? least * 2 - many : 0;
}

static void better(sy_mlits *best, const sy_mlits *other)
{
    sy_mlits o = *other;
    if (!o.n) return;
    score(&o);
    if (o.score > (best->n ? best->score : 0)) *best = o;
}

static bool add(sy_mlits *s, sy_mlit l, uint32_t max)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (s->lit[i].n == l.n && !memcmp(s->lit[i].s, l.s, l.n)) return true;
    if (s->n >= max) return false;
    s->lit[s->n++] = l;
    return true;
}

/* a followed by b; false when that is too much. */
static bool cross(sy_mlits *a, const sy_mlits *b)
{
    sy_mlits out = { 0 };
    for (uint32_t i = 0; i < a->n; i++)
        for (uint32_t j = 0; j < b->n; j++) {
            sy_mlit l = a->lit[i];
            if (l.n + b->lit[j].n > SY_MLIT_MAX) return false;
            memcpy(l.s + l.n, b->lit[j].s, b->lit[j].n);
            l.n = (uint8_t)(l.n + b->lit[j].n);
            if (!add(&out, l, EXACT_MAX)) return false;
        }
    *a = out;
    return true;
}

static void nothing(minfo *m)
{
    memset(m, 0, sizeof *m);
    m->exact = true;
    m->set.n = 1; /* the empty string */
}

static void class_info(sy_mclass c, minfo *out, sy_mset *exotic)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < c.n && c.r[i].lo < 0x80; i++)
        for (uint32_t ch = c.r[i].lo; ch <= c.r[i].hi && ch < 0x80; ch++) {
            sy_mlit l = { 1, { (char)(ch >= 'A' && ch <= 'Z' ? ch + 32 : ch) } };
            if (!add(&out->set, l, CLASS_MAX)) {
                out->set.n = 0;
                return;
            }
        }
    if (!out->set.n) return;
    out->exact = true;
    for (size_t i = 0; i < c.n; i++)
        if (c.r[i].hi >= 0x80) sy_mset_add(exotic, c.r[i].lo < 0x80 ? 0x80 : c.r[i].lo, c.r[i].hi);
}

static void info(sy_arena *tmp, const sy_mnode *n, minfo *out, sy_mset *exotic);

/* The state of a concatenation: run is what the text just read can be, as far as that is known; open: from the start on. */
typedef struct mcat {
    sy_mlits run, best;
    bool open;
} mcat;

static void cut(mcat *c)
{
    better(&c->best, &c->run);
    memset(&c->run, 0, sizeof c->run);
    c->run.n = 1;
    c->open = false;
}

static void cat_exact(mcat *c, const sy_mlits *set)
{
    if (cross(&c->run, set)) return;
    cut(c);
    c->run = *set;
}

static void cat_info(sy_arena *tmp, const sy_mnode *n, minfo *out, sy_mset *exotic)
{
    mcat *c = sy_arena_calloc(tmp, 1, sizeof *c);
    minfo *kid = sy_arena_calloc(tmp, 1, sizeof *kid);
    memset(out, 0, sizeof *out);
    if (!c || !kid) return;
    c->open = true;
    c->run.n = 1;
    for (const sy_mnode *k = n->first; k; k = k->next) {
        if (k->kind == SY_MN_REPEAT && k->min > 0) {
            info(tmp, k->first, kid, exotic);
            if (kid->exact) {
                for (int32_t i = 0; i < k->min && i < SY_MLIT_MAX; i++) cat_exact(c, &kid->set);
                if (k->max != k->min || k->min > SY_MLIT_MAX) {
                    cut(c);
                    c->run = kid->set; /* the last time round */
                }
                continue;
            }
        } else {
            info(tmp, k, kid, exotic);
            if (kid->exact) {
                cat_exact(c, &kid->set);
                continue;
            }
        }
        cut(c);
        better(&c->best, &kid->best);
    }
    if (c->open) {
        out->exact = true;
        out->set = c->run;
    } else {
        better(&c->best, &c->run);
        out->best = c->best;
    }
}

static void alt_info(sy_arena *tmp, const sy_mnode *n, minfo *out, sy_mset *exotic)
{
    minfo *kid = sy_arena_calloc(tmp, 1, sizeof *kid);
    bool exact = true, any = true;
    memset(out, 0, sizeof *out);
    if (!kid) return;
    for (const sy_mnode *k = n->first; k && (exact || any); k = k->next) {
        const sy_mlits *from;
        info(tmp, k, kid, exotic);
        from = kid->exact ? &kid->set : &kid->best;
        for (uint32_t i = 0; i < kid->set.n && exact; i++) exact = kid->exact && add(&out->set, kid->set.lit[i], EXACT_MAX);
        if (!kid->exact) exact = false;
        if (!from->n) any = false;
        for (uint32_t i = 0; i < from->n && any; i++) any = from->lit[i].n && add(&out->best, from->lit[i], SY_MLITS_MAX);
    }
    out->exact = exact;
    if (!exact) out->set.n = 0;
    if (!any) out->best.n = 0;
    score(&out->best);
}

static void info(sy_arena *tmp, const sy_mnode *n, minfo *out, sy_mset *exotic)
{
    switch (n->kind) {
    case SY_MN_EMPTY:
    case SY_MN_ASSERT: nothing(out); break;
    case SY_MN_CLASS: class_info(n->cls, out, exotic); break;
    case SY_MN_CAT: cat_info(tmp, n, out, exotic); break;
    case SY_MN_ALT: alt_info(tmp, n, out, exotic); break;
    case SY_MN_REPEAT: {
        sy_mnode cat = { SY_MN_CAT, SY_MO_CLASS, { NULL, 0 }, NULL, NULL, NULL, 0, 0 };
        if (n->min > 0) { /* as the only part of a concatenation */
            sy_mnode one = *n;
            one.next = NULL;
            cat.first = cat.last = &one;
            cat_info(tmp, &cat, out, exotic);
            break;
        }
        info(tmp, n->first, out, exotic);
        if (out->exact && n->max == 1 && add(&out->set, (sy_mlit){ 0, { 0 } }, EXACT_MAX)) break;
        memset(out, 0, sizeof *out);
        break;
    }
    }
}

static bool holds(const sy_mlit *a, const sy_mlit *b) /* b stands in a */
{
    for (size_t i = 0; i + b->n <= a->n; i++)
        if (!memcmp(a->s + i, b->s, b->n)) return true;
    return false;
}

void sy_mlits_of(sy_arena *tmp, const sy_mnode *root, sy_mlits *out, sy_mset *exotic)
{
    minfo *m = sy_arena_calloc(tmp, 1, sizeof *m);
    sy_mlits best = { 0 };
    out->n = 0;
    if (!m) return;
    info(tmp, root, m, exotic);
    better(&best, m->exact ? &m->set : &m->best);
    if (tmp->status || !best.n || best.score < GOOD) return;
    /* what holds another one of the set needs no place of its own */
    for (uint32_t i = 0; i < best.n; i++) {
        bool keep = true;
        for (uint32_t j = 0; j < best.n && keep; j++) keep = j == i || best.lit[j].n >= best.lit[i].n || !holds(&best.lit[i], &best.lit[j]);
        if (keep) out->lit[out->n++] = best.lit[i];
    }
    score(out);
}
