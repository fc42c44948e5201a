/* symbi/sys/clock.h: plug point for time. wall_ms: milliseconds since 1970-01-01T00:00:00Z. mono_ms: milliseconds of a
 * clock that never jumps, any origin. Tests plug a fake clock, so that no test sleeps. */
#ifndef SYMBI_SYS_CLOCK_H
#define SYMBI_SYS_CLOCK_H
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef struct symbi_clock {
    int64_t (*wall_ms)(void *ud);
    int64_t (*mono_ms)(void *ud);
    void *ud;
} symbi_clock;
#ifdef __cplusplus
}
#endif
#endif
