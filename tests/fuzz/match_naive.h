/* tests/fuzz/match_naive.h: a reference for host/match that shares nothing with it: it walks the pattern text itself and maps a
 * set of positions (one bit each, texts of up to 63 characters) to the set of positions where the piece can end. Slow, short,
 * and exponential in nothing. Knows the characters of naive_alphabet only: what the classes hold of others is not asked. */
#ifndef MATCH_NAIVE_H
#define MATCH_NAIVE_H
#include "symbi/match.h"
#include <string.h>

typedef struct naive {
    const char *p, *e;       /* pattern */
    uint32_t text[64];
    int n;
    unsigned flags;
    bool bad;
    long work;
} naive;

static uint32_t naive_char(const char **p, const char *e)
{
    unsigned char c = (unsigned char)*(*p)++;
    int more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    uint32_t v = more == 0 ? c : more == 1 ? c & 31u : more == 2 ? c & 15u : c & 7u;
    while (more-- > 0 && *p < e) v = v << 6 | ((unsigned char)*(*p)++ & 63u);
    return v;
}

static bool naive_uni(const naive *x) { return x->flags & (SYMBI_MATCH_UNICODE | SYMBI_MATCH_PYTHON); }
static bool naive_perl(const naive *x, char k, uint32_t c)
{
    bool py = x->flags & SYMBI_MATCH_PYTHON, in;
    switch (k | 32) {
    case 'd': in = (c >= '0' && c <= '9') || (naive_uni(x) && c == 0x663); break;
    case 's': in = (c >= 9 && c <= 13) || c == ' ' || (naive_uni(x) && (c == 0xa0 || c == 0x85)) || (py && c >= 0x1c && c <= 0x1f); break;
    default:
        in = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (naive_uni(x) && (c == 0xe9 || c == 0x17f || c == 0x212a || c == 0x663 || c == 0xc9));
        if (naive_uni(x) && !py && c == 0x301) in = true; /* a mark: for Rust only */
    }
    return in == (k > 'Z');
}
static uint32_t naive_fold(const naive *x, uint32_t c)
{
    if (!(x->flags & SYMBI_MATCH_NOCASE)) return c;
    if (c >= 'A' && c <= 'Z') return c + 32;
    if (!naive_uni(x)) return c;
    return c == 0x17f ? 's' : c == 0x212a ? 'k' : c == 0xc9 ? 0xe9 : c;
}
static const uint32_t naive_alphabet[] = { 'a', 'b', 'k', 's', 'A', 'S', 'K', '0', '7', ' ', '\t', '\n', '-', '.', '_', '|', 0xa0, 0xe9, 0xc9, 0x17f, 0x212a, 0x663, 0x301, 0x1c, 0xfffd, 0x85 };
enum { NAIVE_ALPHABET = sizeof naive_alphabet / sizeof *naive_alphabet };

static uint64_t naive_alt(naive *x, uint64_t from);

static bool naive_eq(const naive *x, uint32_t lo, uint32_t hi, uint32_t c)
{
    if (c >= lo && c <= hi) return true;
    if (!(x->flags & SYMBI_MATCH_NOCASE)) return false;
    for (int i = 0; i < NAIVE_ALPHABET; i++)
        if (naive_fold(x, naive_alphabet[i]) == naive_fold(x, c) && naive_alphabet[i] >= lo && naive_alphabet[i] <= hi) return true;
    return c < 128 && ((c | 32) >= 'a' && (c | 32) <= 'z') && (((c ^ 32) >= lo && (c ^ 32) <= hi));
}

/* One position further wherever class body [b, e) holds the character; "." and literals come as ranges. */
static bool naive_in(const naive *x, const char *b, const char *e, uint32_t c)
{
    while (b < e) {
        uint32_t lo, hi;
        if (*b == '\\' && strchr("dDwWsS", b[1])) {
            /* under (?i) a class is closed under case, \d \w \s are anyway, their complements too */
            if (naive_perl(x, b[1], c)) return true;
            b += 2;
            continue;
        }
        if (*b == '\\') b++;
        lo = hi = naive_char(&b, e);
        if (b + 1 < e && *b == '-') {
            b++;
            if (*b == '\\') b++;
            hi = naive_char(&b, e);
        }
        if (naive_eq(x, lo, hi, c)) return true;
    }
    return false;
}

static bool naive_word(const naive *x, int i) { return i >= 0 && i < x->n && naive_perl(x, 'w', x->text[i]); }

static uint64_t naive_atom(naive *x, uint64_t from)
{
    uint64_t to = 0;
    const char *b = x->p;
    if (++x->work > 2000000) {
        x->bad = true;
        x->p = x->e;
        return 0;
    }
    if (*b == '(') {
        unsigned keep = x->flags;
        x->p++;
        if (*x->p == '?') {
            bool on = true;
            for (x->p++; *x->p != ':' && *x->p != ')'; x->p++) {
                unsigned bit = *x->p == 'i' ? SYMBI_MATCH_NOCASE : *x->p == 's' ? SYMBI_MATCH_DOTALL : SYMBI_MATCH_MULTILINE;
                if (*x->p == '-') on = false;
                else x->flags = on ? x->flags | bit : x->flags & ~bit;
            }
            if (*x->p++ == ')') return from; /* flags stay */
        }
        to = naive_alt(x, from);
        x->p++;
        x->flags = keep;
        return to;
    }
    if (*b == '[') {
        bool neg = b[1] == '^';
        const char *body = b + 1 + neg, *end = body;
        do end += *end == '\\' ? 2 : 1;
        while (*end != ']');
        x->p = end + 1;
        for (int i = 0; i < x->n; i++)
            if (from >> i & 1 && naive_in(x, body, end, x->text[i]) != neg) to |= (uint64_t)1 << (i + 1);
        return to;
    }
    if (*b == '^' || *b == '$' || (*b == '\\' && strchr("bBAz", b[1]))) {
        char k = *b == '\\' ? b[1] : *b;
        bool lines = x->flags & SYMBI_MATCH_MULTILINE;
        x->p += *b == '\\' ? 2 : 1;
        for (int i = 0; i <= x->n; i++) {
            bool ok = false;
            if (k == 'A' || k == '^') ok = i == 0 || (k == '^' && lines && x->text[i - 1] == '\n');
            else if (k == 'z' || k == '$') ok = i == x->n || (k == '$' && lines && x->text[i] == '\n');
            else ok = (naive_word(x, i - 1) != naive_word(x, i)) == (k == 'b');
            if (ok) to |= from & (uint64_t)1 << i;
        }
        return to;
    }
    if (*b == '.') {
        x->p++;
        for (int i = 0; i < x->n; i++)
            if (from >> i & 1 && (x->text[i] != '\n' || x->flags & SYMBI_MATCH_DOTALL)) to |= (uint64_t)1 << (i + 1);
        return to;
    }
    if (*b == '\\' && strchr("dDwWsS", b[1])) x->p += 2;
    else {
        if (*b == '\\') x->p++;
        (void)naive_char(&x->p, x->e);
    }
    for (int i = 0; i < x->n; i++)
        if (from >> i & 1 && naive_in(x, b, x->p, x->text[i])) to |= (uint64_t)1 << (i + 1);
    return to;
}

static uint64_t naive_repeat(naive *x, uint64_t from)
{
    const char *b = x->p, *after;
    unsigned keep = x->flags, later;
    uint64_t now, all;
    long min = 1, max = 1;
    now = naive_atom(x, from);
    after = x->p;
    later = x->flags;
    if (after >= x->e) return now;
    if (*after == '*') min = 0, max = -1, after++;
    else if (*after == '+') min = 1, max = -1, after++;
    else if (*after == '?') min = 0, max = 1, after++;
    else if (*after == '{') {
        for (min = 0, after++; *after >= '0' && *after <= '9'; after++) min = min * 10 + (*after - '0');
        max = min;
        if (*after == ',') {
            after++;
            max = *after == '}' ? -1 : 0;
            for (; *after >= '0' && *after <= '9'; after++) max = max * 10 + (*after - '0');
        }
        after++;
    } else return now;
    if (after < x->e && *after == '?') after++;
    all = min == 0 ? from : 0;
    now = from;
    for (long k = 1; (max < 0 || k <= max) && !x->bad; k++) {
        uint64_t was = now;
        x->p = b;
        x->flags = keep;
        now = naive_atom(x, now);
        if (k >= min) {
            if (max < 0 && !(now & ~all)) {
                all |= now;
                break;
            }
            all |= now;
        }
        if (k >= min && now == was && !(now & ~all)) break;
        if (!now && k >= min) break;
    }
    x->p = after;
    x->flags = later;
    return all;
}

static uint64_t naive_alt(naive *x, uint64_t from)
{
    uint64_t to = 0, now = from;
    while (x->p < x->e && *x->p != ')') {
        if (*x->p == '|') {
            x->p++;
            to |= now;
            now = from;
        } else {
            now = naive_repeat(x, now);
        }
    }
    return to | now;
}

/* Where can a match from position i end: a bit each. The pattern must be one that the library accepted. */
static uint64_t naive_from(naive *x, symbi_str pattern, unsigned flags, int i)
{
    uint64_t r;
    x->p = pattern.p;
    x->e = pattern.p + pattern.n;
    x->flags = flags;
    if (flags & SYMBI_MATCH_WHOLE && i != 0) return 0;
    r = naive_alt(x, (uint64_t)1 << i);
    return flags & SYMBI_MATCH_WHOLE ? r & (uint64_t)1 << x->n : r;
}
#endif
