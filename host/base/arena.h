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
    char *cur, *end;
    size_t used, limit; /* bytes handed out / allowed */
    symbi_status status; /* OK, ENOMEM or ELIMIT */
} sy_arena;

void sy_arena_init(sy_arena *a, symbi_alloc alloc, size_t limit); /* allocates nothing yet; limit 0 = none */
void *sy_arena_alloc(sy_arena *a, size_t n);        /* aligned for any type; NULL on failure; n == 0 gives a valid pointer */
void *sy_arena_calloc(sy_arena *a, size_t count, size_t size);
symbi_str sy_arena_dup(sy_arena *a, symbi_str s);   /* NUL-terminated copy; p NULL on failure */
void *sy_arena_memdup(sy_arena *a, const void *p, size_t n);
void sy_arena_reset(sy_arena *a);                   /* empties it, keeps one chunk */
void sy_arena_free(sy_arena *a);
#endif
