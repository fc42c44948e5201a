/* cedar/scratch.h: bump memory that keeps its chunks when it is reset, so that the same work done again allocates nothing.
 * (base/arena.h keeps one chunk only: right for documents, wrong for a decision path.) */
#ifndef SY_CEDAR_SCRATCH_H
#define SY_CEDAR_SCRATCH_H
#include "base/alloc.h"

typedef struct sy_scratch_chunk sy_scratch_chunk;
typedef struct sy_scratch {
    symbi_alloc alloc;
    sy_scratch_chunk *first, *at; /* chunks in order of use; `at` is being filled */
    char *cur, *end;
    size_t total, limit; /* bytes of all chunks / allowed */
    bool limited;        /* the last failure was the limit, not memory */
} sy_scratch;

void sy_scratch_init(sy_scratch *s, symbi_alloc alloc, size_t limit);
void *sy_scratch_slow(sy_scratch *s, size_t n);
/* Aligned to 16; NULL when out of memory or over the limit. */
static inline void *sy_scratch_alloc(sy_scratch *s, size_t n)
{
    char *p = s->cur;
    if (n <= (size_t)1 << 40) {
        n = (n + 15) & ~(size_t)15;
        if ((size_t)(s->end - p) >= n && p) {
            s->cur = p + n;
            return p;
        }
    }
    return sy_scratch_slow(s, n);
}
static inline void *sy_scratch_array(sy_scratch *s, size_t count, size_t size)
{
    size_t n;
    return __builtin_mul_overflow(count, size, &n) ? NULL : sy_scratch_alloc(s, n);
}
symbi_str sy_scratch_dup(sy_scratch *s, symbi_str t);
void sy_scratch_reset(sy_scratch *s); /* keeps all chunks */
void sy_scratch_free(sy_scratch *s);
#endif
