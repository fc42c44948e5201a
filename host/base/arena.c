/* base/arena.c */
#include "base/arena.h"
#include "base/alloc.h"

#include <string.h>

/* A first chunk has 1,024 bytes with its header: glibc hands that size out from its cheapest list. */
enum { SY_ARENA_FIRST = 1008, SY_ARENA_MAX = 256 * 1024, SY_ALIGN = 16 };

struct sy_arena_chunk {
    sy_arena_chunk *next;
    size_t size; /* whole allocation, this header included */
};
#define HEAD ((sizeof(sy_arena_chunk) + SY_ALIGN - 1) & ~(size_t)(SY_ALIGN - 1))

void sy_arena_init(sy_arena *a, symbi_alloc alloc, size_t limit)
{
    memset(a, 0, sizeof *a);
    a->alloc = alloc;
    a->limit = limit ? limit : SIZE_MAX;
}

static void *failed(sy_arena *a, symbi_status st)
{
    if (!a->status) a->status = st;
    a->cur = a->end = NULL; /* whatever comes later fails too, without a look at the status */
    return NULL;
}

static char *new_chunk(sy_arena *a, size_t payload)
{
    size_t size;
    sy_arena_chunk *c;
    if (__builtin_add_overflow(payload, HEAD, &size) || !(c = sy_alloc(&a->alloc, size))) return failed(a, SYMBI_ENOMEM);
    c->size = size;
    c->next = a->chunks;
    a->chunks = c;
    return (char *)c + HEAD;
}

void *sy_arena_self(symbi_alloc alloc, size_t limit, size_t size, size_t offset)
{
    size_t own = (size + SY_ALIGN - 1) & ~(size_t)(SY_ALIGN - 1), all = own < SY_ARENA_FIRST ? SY_ARENA_FIRST : own;
    sy_arena_chunk *c;
    sy_arena *a;
#ifdef SY_ARENA_PARANOID
    all = own;
#endif
    if (!(c = sy_alloc(&alloc, HEAD + all))) return NULL;
    c->next = NULL;
    c->size = HEAD + all;
    memset((char *)c + HEAD, 0, own);
    a = (sy_arena *)(void *)((char *)c + HEAD + offset);
    sy_arena_init(a, alloc, limit);
    a->chunks = c;
    a->cur = (char *)c + HEAD + own;
    a->end = (char *)c + HEAD + all;
    return (char *)c + HEAD;
}

void *sy_arena_more(sy_arena *a, size_t n)
{
    char *p;
    size_t want;
    if (a->status) return NULL;
    if (n > SIZE_MAX / 2) return failed(a, SYMBI_ENOMEM);
    n = n ? (n + SY_ALIGN - 1) & ~(size_t)(SY_ALIGN - 1) : SY_ALIGN;
    if (n > a->limit - a->used) return failed(a, SYMBI_ELIMIT);
#ifdef SY_ARENA_PARANOID
    (void)want;
    p = new_chunk(a, n);
    if (p) a->used += n;
    return p;
#else
    if ((size_t)(a->end - a->cur) >= n) {
        p = a->cur;
        a->cur += n;
        a->used += n;
        return p;
    }
    want = a->chunks && a->chunks->next ? (a->chunks->size - HEAD) * 2 : SY_ARENA_FIRST; /* two of the cheap size, then twice the last */
    if (want > SY_ARENA_MAX) want = SY_ARENA_MAX;
    if (n > want / 4 && a->chunks && n > SY_ARENA_FIRST) { /* large: own chunk, put behind the current one, which stays in use */
        sy_arena_chunk *top = a->chunks;
        p = new_chunk(a, n);
        if (!p) return NULL;
        top = a->chunks->next;
        a->chunks->next = top->next;
        top->next = a->chunks;
        a->chunks = top;
        a->used += n;
        return p;
    }
    if (want < n) want = n;
    p = new_chunk(a, want);
    if (!p) return NULL;
    a->cur = p + n;
    a->end = p + want;
    a->used += n;
    return p;
#endif
}

void *sy_arena_calloc(sy_arena *a, size_t count, size_t size)
{
    size_t n;
    void *p;
    if (__builtin_mul_overflow(count, size, &n)) return failed(a, SYMBI_ENOMEM);
    p = sy_arena_alloc(a, n);
    if (p) memset(p, 0, n);
    return p;
}

symbi_str sy_arena_dup(sy_arena *a, symbi_str s)
{
    symbi_str r = { NULL, 0 };
    char *p = s.n < SIZE_MAX / 2 ? sy_arena_bytes(a, s.n + 1) : failed(a, SYMBI_ENOMEM);
    if (!p) return r;
    if (s.n) memcpy(p, s.p, s.n);
    p[s.n] = 0;
    r.p = p;
    r.n = s.n;
    return r;
}

void *sy_arena_memdup(sy_arena *a, const void *src, size_t n)
{
    void *p = sy_arena_alloc(a, n);
    if (p && n) memcpy(p, src, n);
    return p;
}

void sy_arena_reset(sy_arena *a)
{
#ifdef SY_ARENA_PARANOID
    sy_arena_free(a);
#else
    sy_arena_chunk *keep = a->chunks, *c, *next;
    if (keep) {
        for (c = keep->next; c; c = next) {
            next = c->next;
            sy_free(&a->alloc, c, c->size);
        }
        keep->next = NULL;
        a->cur = (char *)keep + HEAD;
        a->end = (char *)keep + keep->size;
    }
    a->used = 0;
    a->status = SYMBI_OK;
#endif
}

void sy_arena_free(sy_arena *a)
{
    sy_arena_chunk *c = a->chunks, *next;
    for (; c; c = next) {
        next = c->next;
        sy_free(&a->alloc, c, c->size);
    }
    a->chunks = NULL;
    a->cur = a->end = NULL;
    a->used = 0;
    a->status = SYMBI_OK;
}
