/* match/lits.c: literals of a pattern: a small set of strings one of which stands in every match, so that most lines never meet
 * the pattern. Strings are ASCII and compared without case; what a class holds beyond ASCII (the long s in (?i)s, a no-break
 * space in \s) is reported as exotic, and a line with an exotic character is looked at by every rule. */
#include "match/match_in.h"
#include <string.h>

typedef struct minfo {
    uint32_t len;  /* the most characters that a match has */
    bool exact;    /* set holds all that the node can match */
    sy_mlits set;
    sy_mlits best; /* the best set of which every match contains one */
} minfo;

enum { EXACT_MAX = 64, CLASS_MAX = 16, GOOD = 7 };

/* Numbers of characters; SY_MFAR is no number and stays so. */
static uint32_t plus(uint32_t a, uint32_t b) { return a >= SY_MFAR - b ? SY_MFAR : a + b; }
static uint32_t times(uint32_t a, int32_t b)
{
    if (!a || !b) return 0;
    return b < 0 || a >= SY_MFAR / (uint32_t)b ? SY_MFAR : a * (uint32_t)b;
}

/* How much a byte says: rare ones in prose and code more. */
static int weigh(char c)
{
    if (c >= 'a' && c <= 'z') return strchr("etaoinsrlhdu", c) ? 2 : strchr("jkqvwxz", c) ? 4 : 3;
    if (c == ' ') return 1;
    if (c >= '0' && c <= '9') return 3;
    return strchr("-.,/#*`", c) ? 2 : 3;
}

/* Text that stands everywhere: what is a part of it says little, however long. */
static const char common[] = "the and for you your with that this from have not are was will can all any each other user users using file files name code data test version release system "
                             "install installation function return string type value list line command option default package message first before after when must should only always instead error content "
                             "request response instructions prompt tool tools access read write add update change remove delete create include support license copyright software information";

static const char address[] = "http://https://www.";

static int score_one(const sy_mlit *l)
{
    int s = 0;
    if (l->n < 2) return 0;
    for (size_t i = 0; i < l->n; i++) s += weigh(l->s[i]);
    for (size_t i = 0, n = sizeof address - 1; i + l->n <= n; i++) /* documents are full of addresses */
        if (!memcmp(address + i, l->s, l->n)) return 4;
    for (size_t i = 0; i + l->n < sizeof common; i++)
        if (common[i] == l->s[0] && !memcmp(common + i, l->s, l->n)) return s * 2 / 3;
    return s;
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

static void copy(sy_mlits *to, const sy_mlits *from)
{
    to->n = from->n;
    to->before = from->before;
    to->score = from->score;
    memcpy(to->lit, from->lit, from->n * sizeof *from->lit);
}

static bool holds(const sy_mlit *a, const sy_mlit *b) /* b stands in a */
{
    for (size_t i = 0; i + b->n <= a->n; i++)
        if (!memcmp(a->s + i, b->s, b->n)) return true;
    return false;
}

/* Without what holds another one of the set: that one says it already. */
static void reduce(sy_mlits *to, const sy_mlits *from)
{
    to->n = 0;
    to->before = from->before;
    for (uint32_t i = 0; i < from->n; i++) {
        bool keep = true;
        for (uint32_t j = 0; j < from->n && keep; j++) keep = j == i || from->lit[j].n >= from->lit[i].n || !holds(&from->lit[i], &from->lit[j]);
        if (keep) to->lit[to->n++] = from->lit[i];
    }
    score(to);
}

/* best becomes other where that says more. tmp: room for the reduced set. */
static void better(sy_mlits *best, const sy_mlits *other, sy_mlits *tmp)
{
    if (!other->n) return;
    reduce(tmp, other);
    if (tmp->score > (best->n ? best->score : 0)) copy(best, tmp);
}

static bool add(sy_mlits *s, sy_mlit l, uint32_t max)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (s->lit[i].n == l.n && !memcmp(s->lit[i].s, l.s, l.n)) return true;
    if (s->n >= max) return false;
    s->lit[s->n++] = l;
    return true;
}

static void nothing(minfo *m)
{
    m->len = 0;
    m->exact = true;
    m->set.n = 1; /* the empty string */
    m->set.lit[0].n = 0;
    m->set.never = false;
    m->set.before = m->best.before = 0;
    m->best.n = 0;
    m->best.never = false;
}

static void unknown(minfo *m)
{
    m->len = SY_MFAR;
    m->exact = m->set.never = m->best.never = false;
    m->set.n = m->best.n = 0;
    m->set.before = m->best.before = 0;
}

static void class_info(sy_mclass c, minfo *out, sy_mset *exotic)
{
    unknown(out);
    out->len = 1;
    for (size_t i = 0; i < c.n && c.r[i].lo < 0x80; i++)
        for (uint32_t ch = c.r[i].lo; ch <= c.r[i].hi && ch < 0x80; ch++) {
            sy_mlit l = { 1, { (char)(ch >= 'A' && ch <= 'Z' ? ch + 32 : ch) } };
            if (!add(&out->set, l, CLASS_MAX)) {
                out->set.n = 0;
                return;
            }
        }
    if (!out->set.n) out->best.never = true; /* (the empty class matches nothing at all) */
    else out->exact = true;
    for (size_t i = 0; i < c.n; i++)
        if (c.r[i].hi >= 0x80) sy_mset_add(exotic, c.r[i].lo < 0x80 ? 0x80 : c.r[i].lo, c.r[i].hi);
}

/* The state of a concatenation: run is what the text just read can be, as far as that is known; open: from the start on. */
typedef struct sy_mlevel {
    sy_mlits run, best, cross;
    uint32_t next; /* the most characters in front of what comes behind the present part */
    bool open, never;
    minfo kid;
} sy_mlevel;

typedef struct mlits {
    sy_arena *tmp;
    sy_mlevels *levels;
    sy_mset *exotic;
} mlits;

static sy_mlevel *level(mlits *x, unsigned depth)
{
    if (depth >= SY_MLEVELS) return NULL;
    if (!x->levels->at[depth]) x->levels->at[depth] = sy_arena_alloc(x->tmp, sizeof **x->levels->at);
    return x->levels->at[depth];
}

/* a followed by b; false when that is too much. */
static bool cross(sy_mlevel *c, const sy_mlits *b)
{
    sy_mlits *a = &c->run, *out = &c->cross;
    out->n = 0;
    out->before = a->before;
    if (a->n == 1 && b->n == 1) { /* most often: one literal grows */
        if (a->lit[0].n + b->lit[0].n > SY_MLIT_MAX) return false;
        memcpy(a->lit[0].s + a->lit[0].n, b->lit[0].s, b->lit[0].n);
        a->lit[0].n = (uint8_t)(a->lit[0].n + b->lit[0].n);
        return true;
    }
    if (a->n * b->n > 4 * EXACT_MAX) return false;
    for (uint32_t i = 0; i < a->n; i++)
        for (uint32_t j = 0; j < b->n; j++) {
            sy_mlit l = a->lit[i];
            if (l.n + b->lit[j].n > SY_MLIT_MAX) return false;
            memcpy(l.s + l.n, b->lit[j].s, b->lit[j].n);
            l.n = (uint8_t)(l.n + b->lit[j].n);
            if (!add(out, l, EXACT_MAX)) return false;
        }
    copy(a, out);
    return true;
}

static void info(mlits *x, unsigned depth, const sy_mnode *n, minfo *out);

static void cut(sy_mlevel *c)
{
    better(&c->best, &c->run, &c->cross);
    c->run.n = 1;
    c->run.lit[0].n = 0;
    c->run.before = c->next;
    c->open = false;
}

/* What stood before is over; a new run begins in the present part. */
static void restart(sy_mlevel *c, const sy_mlits *set)
{
    cut(c);
    copy(&c->run, set);
    c->run.before = c->next;
}

static void cat_exact(sy_mlevel *c, const sy_mlits *set)
{
    if (set->n > 1) better(&c->best, &c->run, &c->cross); /* before it becomes many */
    if (cross(c, set)) return;
    restart(c, set);
}

static void cat_one(mlits *x, unsigned depth, sy_mlevel *c, const sy_mnode *k)
{
    bool many = k->kind == SY_MN_REPEAT && k->min > 0, few = k->kind == SY_MN_REPEAT && !many && k->max > 1 && k->max <= 4;
    uint32_t at = c->next;
    info(x, depth, many || few ? k->first : k, &c->kid);
    c->next = plus(at, many || few ? times(c->kid.len, k->max) : c->kid.len);
    c->kid.best.before = plus(at, c->kid.best.before);
    if (few) { /* x{0,3} is x?x?x? */
        bool ok = c->kid.exact && !c->kid.best.never && add(&c->kid.set, (sy_mlit){ 0, { 0 } }, EXACT_MAX);
        if (!ok) cut(c);
        for (int32_t i = 0; ok && i < k->max; i++) cat_exact(c, &c->kid.set);
        return;
    }
    if (c->kid.best.never) c->never = true;
    if (!c->kid.exact) {
        cut(c);
        better(&c->best, &c->kid.best, &c->cross);
        return;
    }
    if (!many) {
        better(&c->best, &c->kid.best, &c->cross);
        cat_exact(c, &c->kid.set);
        return;
    }
    for (int32_t i = 0; i < k->min && i < SY_MLIT_MAX; i++) cat_exact(c, &c->kid.set);
    if (k->max != k->min || k->min > SY_MLIT_MAX) restart(c, &c->kid.set); /* the last time round */
}

static void cat_info(mlits *x, unsigned depth, const sy_mnode *first, bool alone, minfo *out)
{
    sy_mlevel *c = level(x, depth);
    unknown(out);
    if (!c) return;
    c->open = true;
    c->never = false;
    c->best.n = 0;
    c->best.before = 0;
    c->next = 0;
    c->run.n = 1;
    c->run.lit[0].n = 0;
    c->run.before = 0;
    for (const sy_mnode *k = first; k; k = alone ? NULL : k->next) cat_one(x, depth + 1, c, k);
    out->len = c->next;
    if (c->open) {
        out->exact = true;
        copy(&out->set, &c->run);
    }
    better(&c->best, &c->run, &c->cross);
    copy(&out->best, &c->best);
    out->best.never = c->never;
    if (c->never) out->exact = false;
}

static void alt_info(mlits *x, unsigned depth, const sy_mnode *n, minfo *out)
{
    sy_mlevel *c = level(x, depth);
    bool exact = true, any = true, never = true;
    unknown(out);
    if (!c) return;
    out->len = 0;
    for (const sy_mnode *k = n->first; k; k = k->next) {
        info(x, depth + 1, k, &c->kid);
        if (c->kid.len > out->len) out->len = c->kid.len;
        if (c->kid.best.never) continue; /* needs no literal */
        never = false;
        if (!c->kid.exact) exact = false;
        for (uint32_t i = 0; exact && i < c->kid.set.n; i++) exact = add(&out->set, c->kid.set.lit[i], EXACT_MAX);
        if (!c->kid.best.n && c->kid.exact) better(&c->kid.best, &c->kid.set, &c->cross);
        if (!c->kid.best.n) any = false;
        if (c->kid.best.before > out->best.before) out->best.before = c->kid.best.before;
        for (uint32_t i = 0; any && i < c->kid.best.n; i++) any = add(&out->best, c->kid.best.lit[i], SY_MLITS_MAX);
    }
    out->exact = exact && !never;
    if (!exact) out->set.n = 0;
    if (!any) out->best.n = 0;
    out->best.never = never;
    score(&out->best);
}

static void info(mlits *x, unsigned depth, const sy_mnode *n, minfo *out)
{
    uint32_t len;
    switch (n->kind) {
    case SY_MN_EMPTY:
    case SY_MN_ASSERT: nothing(out); break;
    case SY_MN_CLASS: class_info(n->cls, out, x->exotic); break;
    case SY_MN_CAT: cat_info(x, depth, n->first, false, out); break;
    case SY_MN_ALT:
        if (n->first == n->last) info(x, depth, n->first, out);
        else alt_info(x, depth, n, out);
        break;
    case SY_MN_REPEAT:
        if (n->min > 0) { /* as the only part of a concatenation */
            cat_info(x, depth, n, true, out);
            break;
        }
        info(x, depth, n->first, out);
        len = times(out->len, n->max);
        out->best.n = 0;
        if (!out->exact || n->max != 1 || !add(&out->set, (sy_mlit){ 0, { 0 } }, EXACT_MAX)) unknown(out);
        out->len = len;
        break;
    }
}

void sy_mlits_of(sy_arena *tmp, sy_mlevels *levels, const sy_mnode *root, sy_mlits *out, sy_mset *exotic)
{
    mlits x = { tmp, levels, exotic };
    minfo *m = sy_arena_alloc(tmp, sizeof *m);
    out->n = 0;
    out->never = false;
    if (!m) return;
    info(&x, 0, root, m);
    if (m->exact) better(&m->best, &m->set, out);
    out->n = 0;
    out->never = m->best.never;
    if (tmp->status || out->never || !m->best.n || m->best.score < GOOD) return;
    reduce(out, &m->best);
}
