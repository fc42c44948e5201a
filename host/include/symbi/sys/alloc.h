/* symbi/sys/alloc.h: plug point for memory. Same signature as lua_Alloc, so that an embedder can pass lua_getallocf's
 * result and a test can pass a counting one. fn(ud, NULL, 0, n) allocates, fn(ud, p, o, n) resizes, fn(ud, p, o, 0)
 * frees and returns NULL. Every free passes the size, so accounting needs no header. */
#ifndef SYMBI_SYS_ALLOC_H
#define SYMBI_SYS_ALLOC_H
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef struct symbi_alloc {
    void *(*fn)(void *ud, void *ptr, size_t osize, size_t nsize);
    void *ud;
} symbi_alloc;
#ifdef __cplusplus
}
#endif
#endif
