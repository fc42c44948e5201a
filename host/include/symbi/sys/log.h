/* symbi/sys/log.h: plug point for log lines. The library is silent without one. msg is one line of UTF-8 without
 * secrets, borrowed for the call. */
#ifndef SYMBI_SYS_LOG_H
#define SYMBI_SYS_LOG_H
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef enum symbi_level { SYMBI_LOG_DEBUG = 0, SYMBI_LOG_INFO, SYMBI_LOG_WARN, SYMBI_LOG_ERROR } symbi_level;
typedef struct symbi_log {
    void (*fn)(void *ud, symbi_level level, const char *module, const char *msg);
    void *ud;
} symbi_log;
#ifdef __cplusplus
}
#endif
#endif
