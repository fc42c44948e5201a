/* base/arena.h: bump allocation freed in one call. sticky status: after a failure everything later fails too, so that
 * a builder may check once at the end. Built with -DSY_ARENA_PARANOID each block is its own allocation, so that the
 * sanitizers see overruns between items. */
#ifndef SY_BASE_ARENA_H
#define SY_BASE_ARENA_H
#include "symbi/base.h"

typedef struct sy_arena_chunk sy_arena_chunk;
typedef struct sy_arena {
    symbi_alloc alloc;
    sy_arena_chunk *chunks;
    char *cur, *end; /* what is left of the newest chunk; nothing after a failure */
    size_t used, limit; /* bytes handed out / allowed; used <= limit */
    symbi_status status; /* OK, ENOMEM or ELIMIT */
} sy_arena;

void sy_arena_init(sy_arena *a, symbi_alloc alloc, size_t limit); /* allocates nothing yet; limit 0 = none */
void *sy_arena_more(sy_arena *a, size_t n);         /* the long way of sy_arena_alloc */
void *sy_arena_calloc(sy_arena *a, size_t count, size_t size);
symbi_str sy_arena_dup(sy_arena *a, symbi_str s);   /* NUL-terminated copy; p NULL on failure; not aligned */
void *sy_arena_memdup(sy_arena *a, const void *p, size_t n);
void sy_arena_reset(sy_arena *a);                   /* empties it, keeps one chunk */
void sy_arena_free(sy_arena *a);

/* An object of size bytes, zeroed, that lies in the first chunk of its own arena, which is its member at offset: most are one block. Nothing
 * of it counts towards limit. Freed with a copy of the arena. */
void *sy_arena_self(symbi_alloc alloc, size_t limit, size_t size, size_t offset);

/* Aligned for any type; NULL on failure; n == 0 gives a valid pointer. */
static inline void *sy_arena_alloc(sy_arena *a, size_t n)
{
#ifndef SY_ARENA_PARANOID
    size_t room = (size_t)(a->end - a->cur), r = (n + 15) & ~(size_t)15;
    if (n - 1 < room && r <= room && r <= a->limit - a->used) {
        char *p = a->cur;
        a->cur += r;
        a->used += r;
        return p;
    }
#endif
    return sy_arena_more(a, n);
}

/* The same for bytes, which need no alignment: they are taken from the other end. */
static inline char *sy_arena_bytes(sy_arena *a, size_t n)
{
#ifndef SY_ARENA_PARANOID
    size_t r = (n + 15) & ~(size_t)15;
    if (n - 1 < (size_t)(a->end - a->cur) && r <= a->limit - a->used) {
        a->end -= n;
        a->used += r; /* counted as any other, so that a limit says the same whichever end it comes from */
        return a->end;
    }
#endif
    return sy_arena_more(a, n);
}
#endif
