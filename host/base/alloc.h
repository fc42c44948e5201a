/* base/alloc.h: calls through a symbi_alloc. Sizes are checked for overflow by the n-times form. */
#ifndef SY_BASE_ALLOC_H
#define SY_BASE_ALLOC_H
#include "symbi/base.h"

symbi_alloc sy_alloc_default(void); /* malloc, realloc, free */

static inline void *sy_alloc(const symbi_alloc *a, size_t n) { return a->fn(a->ud, NULL, 0, n); }
static inline void *sy_realloc(const symbi_alloc *a, void *p, size_t o, size_t n) { return a->fn(a->ud, p, o, n); }
static inline void sy_free(const symbi_alloc *a, void *p, size_t n)
{
    if (p) a->fn(a->ud, p, n, 0);
}
void *sy_calloc(const symbi_alloc *a, size_t count, size_t size); /* zeroed; NULL on overflow or out of memory */
/* Grows an array of elements of `size` bytes to hold at least `need`; *cap is in elements. 0 on success, else unchanged. */
int sy_grow(const symbi_alloc *a, void **p, size_t *cap, size_t need, size_t size);
#endif
