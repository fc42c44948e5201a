/* base/str.h: small operations on symbi_str. */
#ifndef SY_BASE_STR_H
#define SY_BASE_STR_H
#include "symbi/base.h"
#include <string.h>

#define SY_LIT(lit) ((symbi_str){ (lit), sizeof(lit) - 1 })

static inline bool sy_str_eq(symbi_str a, symbi_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool sy_str_eqz(symbi_str a, const char *z)
{
    size_t n = strlen(z);
    return a.n == n && (n == 0 || memcmp(a.p, z, n) == 0);
}
/* Byte order, shorter first on a common prefix (for UTF-8 this is code point order). */
static inline int sy_str_cmp(symbi_str a, symbi_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}
static inline bool sy_str_starts(symbi_str s, symbi_str pre)
{
    return s.n >= pre.n && (pre.n == 0 || memcmp(s.p, pre.p, pre.n) == 0);
}
static inline bool sy_str_ends(symbi_str s, symbi_str suf)
{
    return s.n >= suf.n && (suf.n == 0 || memcmp(s.p + s.n - suf.n, suf.p, suf.n) == 0);
}
/* sy_str_eq for short texts, without a call. */
static inline bool sy_str_same(symbi_str a, symbi_str b)
{
    if (a.n != b.n) return false;
    if (a.n > 16) return memcmp(a.p, b.p, a.n) == 0;
    if (a.n >= 8) {
        uint64_t x, y, u, v;
        memcpy(&x, a.p, 8);
        memcpy(&y, b.p, 8);
        memcpy(&u, a.p + a.n - 8, 8);
        memcpy(&v, b.p + a.n - 8, 8);
        return ((x ^ y) | (u ^ v)) == 0;
    }
    if (a.n >= 4) {
        uint32_t x, y, u, v;
        memcpy(&x, a.p, 4);
        memcpy(&y, b.p, 4);
        memcpy(&u, a.p + a.n - 4, 4);
        memcpy(&v, b.p + a.n - 4, 4);
        return ((x ^ y) | (u ^ v)) == 0;
    }
    for (size_t i = 0; i < a.n; i++)
        if (a.p[i] != b.p[i]) return false;
    return true;
}
/* memcpy for texts, most of which are a few bytes: two moves that may overlap, without a call. s may be NULL where n is 0. */
static inline void sy_str_copy(char *d, const char *s, size_t n)
{
    if (n > 16) {
        memcpy(d, s, n);
    } else if (n >= 8) {
        uint64_t a, b;
        memcpy(&a, s, 8);
        memcpy(&b, s + n - 8, 8);
        memcpy(d, &a, 8);
        memcpy(d + n - 8, &b, 8);
    } else if (n >= 4) {
        uint32_t a, b;
        memcpy(&a, s, 4);
        memcpy(&b, s + n - 4, 4);
        memcpy(d, &a, 4);
        memcpy(d + n - 4, &b, 4);
    } else {
        for (size_t i = 0; i < n; i++) d[i] = s[i];
    }
}
#endif
