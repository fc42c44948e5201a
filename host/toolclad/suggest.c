/* toolclad/suggest.c: "did you mean": the nearest known name by edit distance (insert, delete, replace, swap), at most 3
 * and less than the length of what was written, so that short words do not suggest anything at all. */
#include "toolclad/read.h"
#include <string.h>

enum { SUGGEST_MAX = 40 };

static unsigned distance(symbi_str a, symbi_str b)
{
    unsigned d[3][SUGGEST_MAX + 1];
    unsigned *two = d[0], *one = d[1], *now = d[2];
    for (unsigned j = 0; j <= b.n; j++) one[j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned *t;
        now[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            unsigned v = one[j - 1] + (a.p[i - 1] != b.p[j - 1]);
            if (one[j] + 1 < v) v = one[j] + 1;
            if (now[j - 1] + 1 < v) v = now[j - 1] + 1;
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] && two[j - 2] + 1 < v) v = two[j - 2] + 1;
            now[j] = v;
        }
        t = two;
        two = one;
        one = now;
        now = t;
    }
    return one[b.n];
}

static symbi_str lower(symbi_str s, char buf[SUGGEST_MAX])
{
    for (size_t i = 0; i < s.n; i++) buf[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] + 32 : s.p[i]);
    return (symbi_str){ buf, s.n };
}

const char *sy_suggest(symbi_str s, sy_name_at *at, const void *ud)
{
    const char *best = NULL, *name;
    unsigned best_d = 4;
    char a[SUGGEST_MAX], b[SUGGEST_MAX];
    if (!s.n || s.n > SUGGEST_MAX) return NULL;
    s = lower(s, a);
    for (size_t i = 0; (name = at(ud, i)); i++) {
        size_t n = strlen(name);
        unsigned d;
        if (n > SUGGEST_MAX) continue;
        d = distance(s, lower((symbi_str){ name, n }, b));
        if (d < best_d && d < s.n && d < n) best_d = d, best = name;
    }
    return best;
}

static const char *list_at(const void *ud, size_t i) { return ((const char *const *)ud)[i]; }

const char *sy_suggest_list(symbi_str s, const char *const known[]) { return sy_suggest(s, list_at, known); }
