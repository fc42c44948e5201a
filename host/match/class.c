/* match/class.c: arithmetic on sets of characters. */
#include "match/class.h"
#include "match/unidata.h"
#include "symbi/match.h"
#include <string.h>

#define COUNT(t) (sizeof(t) / sizeof(t)[0])

void sy_mset_add(sy_mset *s, uint32_t lo, uint32_t hi)
{
    if (s->n == s->cap) {
        size_t cap = s->cap ? 2 * s->cap : 8;
        sy_mrange *r = sy_arena_alloc(s->a, cap * sizeof *r);
        if (!r) return;
        if (s->n) memcpy(r, s->r, s->n * sizeof *r);
        s->r = r;
        s->cap = cap;
    }
    s->r[s->n++] = (sy_mrange){ lo, hi };
}

void sy_mset_addclass(sy_mset *s, sy_mclass c)
{
    for (size_t i = 0; i < c.n; i++) sy_mset_add(s, c.r[i].lo, c.r[i].hi);
}

/* Heap sort: no recursion, no worst case, and most sets are sorted already. */
static void sift(sy_mrange *r, size_t i, size_t n)
{
    for (size_t kid; (kid = 2 * i + 1) < n; i = kid) {
        sy_mrange t;
        if (kid + 1 < n && r[kid + 1].lo > r[kid].lo) kid++;
        if (r[i].lo >= r[kid].lo) return;
        t = r[i];
        r[i] = r[kid];
        r[kid] = t;
    }
}

void sy_mset_seal(sy_mset *s)
{
    size_t n = 0;
    bool sorted = true;
    for (size_t i = 1; i < s->n && sorted; i++) sorted = s->r[i - 1].lo <= s->r[i].lo;
    if (!sorted) {
        for (size_t i = s->n / 2; i-- > 0;) sift(s->r, i, s->n);
        for (size_t i = s->n; i-- > 1;) {
            sy_mrange t = s->r[0];
            s->r[0] = s->r[i];
            s->r[i] = t;
            sift(s->r, 0, i);
        }
    }
    for (size_t i = 0; i < s->n; i++) {
        if (n && s->r[i].lo <= s->r[n - 1].hi + 1) {
            if (s->r[i].hi > s->r[n - 1].hi) s->r[n - 1].hi = s->r[i].hi;
        } else {
            s->r[n++] = s->r[i];
        }
    }
    s->n = n;
}

void sy_mset_negate(sy_mset *s)
{
    sy_mset out = { s->a, NULL, 0, 0 };
    uint32_t from = 0;
    sy_mset_seal(s);
    for (size_t i = 0; i < s->n; i++) {
        if (s->r[i].lo > from) sy_mset_add(&out, from, s->r[i].lo - 1);
        from = s->r[i].hi + 1;
    }
    if (from <= SY_CP_MAX) sy_mset_add(&out, from, SY_CP_MAX);
    *s = out;
}

sy_mclass sy_mset_class(sy_mset *s)
{
    sy_mclass c;
    sy_mset_seal(s);
    c.r = s->r;
    c.n = s->n;
    return c;
}

bool sy_mclass_has(sy_mclass c, uint32_t cp)
{
    size_t lo = 0, hi = c.n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (cp > c.r[mid].hi) lo = mid + 1;
        else hi = mid;
    }
    return lo < c.n && cp >= c.r[lo].lo;
}

bool sy_mclass_eq(sy_mclass a, sy_mclass b) { return a.n == b.n && (!a.n || !memcmp(a.r, b.r, a.n * sizeof *a.r)); }

/* ---- case ---- */

/* The whole orbit of an ASCII letter, without the walk through the table: patterns are mostly made of these. */
static bool fold_letter(sy_mset *s, sy_mfolding how)
{
    uint32_t c;
    if (s->n != 1 || s->r[0].lo != s->r[0].hi || s->r[0].lo >= 0x80) return false;
    c = s->r[0].lo | 32;
    if (c < 'a' || c > 'z') return true;
    sy_mset_add(s, c ^ 32, c ^ 32);
    sy_mset_add(s, c, c);
    if (how && c == 's') sy_mset_add(s, 0x17f, 0x17f);
    if (how && c == 'k') sy_mset_add(s, 0x212a, 0x212a);
    if (how == SY_MFOLD_PYTHON && c == 'i') sy_mset_add(s, 0x130, 0x131);
    return true;
}

/* Python's equivalences beyond simple folding: the dotted and the dotless i, ligatures, vowels with two accents. */
static void fold_python(sy_mset *s)
{
    static const uint32_t same[][4] = { { 'I', 'i', 0x130, 0x131 }, { 0x390, 0x1fd3, 0, 0 }, { 0x3b0, 0x1fe3, 0, 0 }, { 0xfb05, 0xfb06, 0, 0 } };
    sy_mclass now = sy_mset_class(s);
    sy_mset more = { s->a, NULL, 0, 0 };
    for (size_t i = 0; i < COUNT(same); i++) {
        bool one = false;
        for (size_t k = 0; k < 4; k++) one = one || (same[i][k] && sy_mclass_has(now, same[i][k]));
        for (size_t k = 0; k < 4 && one; k++)
            if (same[i][k]) sy_mset_add(&more, same[i][k], same[i][k]);
    }
    sy_mset_addclass(s, sy_mset_class(&more));
    sy_mset_seal(s);
}

void sy_mset_fold(sy_mset *s, sy_mfolding how)
{
    size_t n;
    sy_mset_seal(s);
    if (fold_letter(s, how)) {
        sy_mset_seal(s);
        return;
    }
    n = s->n;
    for (size_t i = 0; i < n; i++) {
        uint32_t lo = s->r[i].lo, hi = s->r[i].hi;
        if (hi >= 'A' && lo <= 'Z') sy_mset_add(s, (lo > 'A' ? lo : 'A') + 32, (hi < 'Z' ? hi : 'Z') + 32);
        if (hi >= 'a' && lo <= 'z') sy_mset_add(s, (lo > 'a' ? lo : 'a') - 32, (hi < 'z' ? hi : 'z') - 32);
    }
    sy_mset_seal(s);
    if (how == SY_MFOLD_ASCII) return;
    /* down to the folded characters, then from these to all that fold to them */
    for (int up = 0; up < 2; up++) {
        sy_mset more = { s->a, NULL, 0, 0 };
        sy_mclass now = sy_mset_class(s);
        for (size_t k = 0; k < COUNT(uni_fold); k++)
            for (uint32_t c = uni_fold[k].lo; c <= uni_fold[k].hi; c += uni_fold[k].step) {
                uint32_t to = (uint32_t)((int64_t)c + uni_fold[k].delta);
                if (sy_mclass_has(now, up ? to : c)) sy_mset_add(&more, up ? c : to, up ? c : to);
            }
        sy_mset_addclass(s, sy_mset_class(&more));
        sy_mset_seal(s);
        if (!up) { /* ASCII capitals fold down too: \u017f brings 's', and 's' brings 'S' */
            sy_mclass low = sy_mset_class(s);
            for (uint32_t c = 'a'; c <= 'z'; c++)
                if (sy_mclass_has(low, c)) sy_mset_add(s, c - 32, c - 32);
            sy_mset_seal(s);
        }
    }
    if (how == SY_MFOLD_PYTHON) fold_python(s);
}

/* ---- \d \w \s ---- */

static const sy_mrange ascii_digit[] = { { '0', '9' } };
static const sy_mrange ascii_word[] = { { '0', '9' }, { 'A', 'Z' }, { '_', '_' }, { 'a', 'z' } };
static const sy_mrange ascii_space[] = { { 9, 13 }, { ' ', ' ' } };
static const sy_mrange rust_space[] = { { 9, 13 }, { ' ', ' ' }, { 0x85, 0x85 }, { 0xa0, 0xa0 }, { 0x1680, 0x1680 }, { 0x2000, 0x200a }, { 0x2028, 0x2029 }, { 0x202f, 0x202f },
    { 0x205f, 0x205f }, { 0x3000, 0x3000 } };
/* str.isspace() also takes the information separators */
static const sy_mrange python_space[] = { { 9, 13 }, { 0x1c, ' ' }, { 0x85, 0x85 }, { 0xa0, 0xa0 }, { 0x1680, 0x1680 }, { 0x2000, 0x200a }, { 0x2028, 0x2029 }, { 0x202f, 0x202f },
    { 0x205f, 0x205f }, { 0x3000, 0x3000 } };

void sy_mset_perl(sy_mset *s, char which, unsigned flags)
{
    bool uni = flags & (SYMBI_MATCH_UNICODE | SYMBI_MATCH_PYTHON), py = flags & SYMBI_MATCH_PYTHON;
    char low = (char)(which | 32);
    sy_mclass c;
    if (low == 'd') c = uni ? (sy_mclass){ uni_digit, COUNT(uni_digit) } : (sy_mclass){ ascii_digit, COUNT(ascii_digit) };
    else if (low == 's') c = py ? (sy_mclass){ python_space, COUNT(python_space) } : uni ? (sy_mclass){ rust_space, COUNT(rust_space) } : (sy_mclass){ ascii_space, COUNT(ascii_space) };
    else c = py ? (sy_mclass){ uni_word_python, COUNT(uni_word_python) } : uni ? (sy_mclass){ uni_word_rust, COUNT(uni_word_rust) } : (sy_mclass){ ascii_word, COUNT(ascii_word) };
    if (which == low) {
        sy_mset_addclass(s, c);
    } else {
        sy_mset t = { s->a, NULL, 0, 0 };
        sy_mset_addclass(&t, c);
        sy_mset_negate(&t);
        sy_mset_addclass(s, sy_mset_class(&t));
    }
}
