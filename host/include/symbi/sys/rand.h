/* symbi/sys/rand.h: plug point for random bytes. fill() writes n unpredictable bytes and returns 0, or non-zero when it
 * cannot (then nothing that needs randomness proceeds). Default: getrandom(2). */
#ifndef SYMBI_SYS_RAND_H
#define SYMBI_SYS_RAND_H
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef struct symbi_rand {
    int (*fill)(void *ud, void *buf, size_t n);
    void *ud;
} symbi_rand;
#ifdef __cplusplus
}
#endif
#endif
