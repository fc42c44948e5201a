/* comm/glob.c: names against patterns with * and ?. The usual shapes (a name, *, pre*suf) are comparisons of bytes. The rest is
 * an automaton with a state after each character of the pattern, all of its states moved at once as bits of a few words
 * (Baeza-Yates and Gonnet's shift-and, with a loop where * stands), so that no pattern makes a name cost more than its length. */
#include "comm/comm.h"
#include "base/str.h"
#include "base/utf8.h"

static bool single_star(symbi_str t, size_t *at)
{
    size_t stars = 0;
    for (size_t i = 0; i < t.n; i++) {
        if (t.p[i] == '?') return false;
        if (t.p[i] == '*') {
            if (stars && *at + stars != i) return false; /* a run of stars is one star */
            if (!stars) *at = i;
            stars++;
        }
    }
    return stars > 0;
}

/* Sorted insertion; returns the new count. */
static size_t add_char(uint32_t *chars, size_t n, uint32_t c)
{
    size_t i = n;
    for (size_t k = 0; k < n; k++)
        if (chars[k] == c) return n;
    for (; i && chars[i - 1] > c; i--) chars[i] = chars[i - 1];
    chars[i] = c;
    return n + 1;
}

static size_t find_char(const uint32_t *chars, size_t n, uint32_t c)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (chars[mid] < c) lo = mid + 1;
        else hi = mid;
    }
    return lo < n && chars[lo] == c ? lo : n;
}

static void compile_general(sy_arena *a, symbi_str t, sy_glob *g)
{
    uint32_t chars[SYMBI_COMM_MAX_NAME], c;
    uint64_t *step, *loop;
    size_t n = 0, state = 0, words, len;
    for (size_t i = 0; i < t.n; i += len) {
        if (!(len = sy_utf8_next(t.p + i, t.n - i, &c))) return; /* the kind stays NONE: matches nothing */
        if (c == '*') continue;
        state++;
        if (c != '?') n = add_char(chars, n, c);
    }
    words = state / 64 + 1;
    g->chars = sy_arena_memdup(a, chars, n * sizeof *chars);
    step = sy_arena_calloc(a, (n + 1) * words, sizeof *step);
    loop = sy_arena_calloc(a, words, sizeof *loop);
    if (!g->chars || !step || !loop) return;
    g->nwords = (uint8_t)words;
    g->nchars = (uint16_t)n;
    g->end = (uint16_t)state;
    state = 0;
    for (size_t i = 0; i < t.n; i += len) {
        uint64_t bit = (uint64_t)1 << (state % 64);
        len = sy_utf8_next(t.p + i, t.n - i, &c);
        if (c == '*') {
            loop[state / 64] |= bit;
            continue;
        }
        if (c == '?') {
            for (size_t row = 0; row <= n; row++) step[row * words + state / 64] |= bit;
        } else {
            step[find_char(g->chars, n, c) * words + state / 64] |= bit;
        }
        state++;
    }
    g->step = step;
    g->loop = loop;
    g->kind = SY_GLOB_GENERAL;
}

void sy_glob_compile(sy_arena *a, symbi_str text, sy_glob *g)
{
    size_t at = 0;
    symbi_str t;
    memset(g, 0, sizeof *g);
    if (!memchr(text.p, '*', text.n) && !memchr(text.p, '?', text.n)) {
        g->pre = sy_arena_dup(a, text);
        if (g->pre.p) g->kind = SY_GLOB_EXACT;
    } else if (single_star(text, &at)) {
        t = sy_arena_dup(a, text);
        if (!t.p) return;
        g->pre.p = t.p;
        g->pre.n = at;
        while (at < t.n && t.p[at] == '*') at++;
        g->suf.p = t.p + at;
        g->suf.n = t.n - at;
        g->kind = g->pre.n || g->suf.n ? SY_GLOB_AFFIX : SY_GLOB_ANY;
    } else {
        compile_general(a, text, g);
    }
}

static bool run(const sy_glob *g, symbi_str name)
{
    uint64_t now[SY_GLOB_WORDS] = { 1 };
    size_t words = g->nwords, len;
    uint32_t c;
    for (size_t i = 0; i < name.n; i += len) {
        const uint64_t *step;
        uint64_t carry = 0, alive = 0;
        if (!(len = sy_utf8_next(name.p + i, name.n - i, &c))) return false;
        step = g->step + find_char(g->chars, g->nchars, c) * words;
        for (size_t w = 0; w < words; w++) {
            uint64_t moved = now[w] & step[w];
            now[w] = (moved << 1) | carry | (now[w] & g->loop[w]);
            carry = moved >> 63;
            alive |= now[w];
        }
        if (!alive) return false;
    }
    return (now[g->end / 64] >> (g->end % 64)) & 1;
}

bool sy_glob_match(const sy_glob *g, symbi_str name)
{
    switch ((sy_glob_kind)g->kind) {
    case SY_GLOB_ANY: return true;
    case SY_GLOB_EXACT: return sy_str_eq(g->pre, name);
    case SY_GLOB_AFFIX: return name.n >= g->pre.n + g->suf.n && sy_str_starts(name, g->pre) && sy_str_ends(name, g->suf);
    case SY_GLOB_GENERAL: return run(g, name);
    case SY_GLOB_NONE: break;
    }
    return false;
}
