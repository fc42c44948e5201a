/* base/alloc.c: the default allocator and array growth. */
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

static void *default_fn(void *ud, void *p, size_t o, size_t n)
{
    (void)ud;
    (void)o;
    if (n == 0) {
        free(p);
        return NULL;
    }
    return realloc(p, n);
}

symbi_alloc sy_alloc_default(void)
{
    symbi_alloc a = { default_fn, NULL };
    return a;
}

void *sy_calloc(const symbi_alloc *a, size_t count, size_t size)
{
    size_t n;
    void *p;
    if (__builtin_mul_overflow(count, size, &n) || n == 0) return NULL;
    p = sy_alloc(a, n);
    if (p) memset(p, 0, n);
    return p;
}

int sy_grow(const symbi_alloc *a, void **p, size_t *cap, size_t need, size_t size)
{
    size_t ncap = *cap ? *cap : 8, bytes;
    void *np;
    if (need <= *cap) return 0;
    while (ncap < need) {
        if (ncap > SIZE_MAX / 2) return -1;
        ncap *= 2;
    }
    if (__builtin_mul_overflow(ncap, size, &bytes)) return -1;
    np = sy_realloc(a, *p, *cap * size, bytes);
    if (!np) return -1;
    *p = np;
    *cap = ncap;
    return 0;
}
