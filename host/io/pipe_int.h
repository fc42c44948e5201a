/* io/pipe_int.h: what the two sides of a pipe child share. */
#ifndef SY_IO_PIPE_INT_H
#define SY_IO_PIPE_INT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SY_PIPE_ERRORS = 65536, SY_PIPE_STACK = 128 << 10, SY_PIPE_STATUS_FD = 5 /* where bwrap writes its status: beside a browser's 3 and 4 */ };

/* Made complete before the supervisor is cloned; a copy of its own from then on. */
typedef struct sy_pipe_conf {
    char *const *argv, *const *envp;
    const char *cwd; /* "" */
    const char *trash; /* "" */
    bool on_3_4;
    bool boxed; /* argv is bwrap's */
    int64_t life_ms;
    size_t errors;   /* bytes of stderr to keep */
    size_t nofile;
    const char *terminal; /* the child's side of its terminal, NULL: it gets data */
    int ctl, data;   /* ends of socket pairs: ours to the host, and the child's standard input and output */
    char *stack_top;
    char *tail;      /* a ring of `errors` bytes */
} sy_pipe_conf;

/* What the supervisor says over ctl: once that it started (or not), once that it ended. */
typedef struct sy_pipe_word {
    uint32_t what;  /* 'S' started, 'F' failed to start, 'E' ended */
    int32_t pid;
    int32_t value;  /* errno; wait status */
    uint32_t errors; /* bytes of stderr that follow */
    uint32_t unboxed; /* 'E': bwrap ended without having started the program */
} sy_pipe_word;

/* Removes a folder with all that is in it, following no link (pipe_trash.c). */
void sy_pipe_trash(const char *path);
/* The supervisor: never returns. Only system calls: it may have been cloned from a threaded process. */
_Noreturn void sy_pipe_main(const sy_pipe_conf *c);
#endif
