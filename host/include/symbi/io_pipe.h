/* symbi/io_pipe.h: a long-lived child that is talked to over its standard input and output. A small supervisor process stands between:
 * it gives the child a session of its own, keeps the tail of its stderr, kills the child's whole group when it is told to, when the child
 * ends, or when this process is gone, and reaps what is left. No SIGCHLD and no zombie reaches this process. Linux only. */
#ifndef SYMBI_IO_PIPE_H
#define SYMBI_IO_PIPE_H
#include "symbi/toolclad.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef struct symbi_pipe symbi_pipe;
typedef struct symbi_pipe_options {
    uint32_t size;
    const symbi_str *argv; size_t argc; /* argv[0] without '/' is looked up in PATH of env */
    const symbi_str *env; size_t nenv;  /* "NAME=value": all of it, nothing is inherited */
    symbi_str cwd;                      /* "": this process's */
    size_t max_out;                     /* bytes that may wait to be written; 0 = 16 MiB */
    size_t stderr_keep;                 /* of the tail of stderr; 0 = 4096, at most 65536 */
    size_t nofile;                      /* RLIMIT_NOFILE; 0 = 1024 */
    /* A terminal of the child's own instead of the pair of pipes: it is the child's controlling terminal and its three streams, without
     * echo, of this size (0 = 24 x 200). What ends such a child is SIGHUP, and SIGKILL after SYMBI_PIPE_HANGUP_MS. */
    bool terminal;
    unsigned rows, cols;
    bool on_3_4;                        /* it reads descriptor 3 and writes 4 (a browser's debugging pipe); 0 and 1 are /dev/null */
    symbi_str trash;                    /* a folder that is removed with all that is in it once the child has gone, also when this process died; "": none */
    /* A plan with a box: the program runs in it (cwd is where it begins, "" the plan's folder). One at a terminal has it as its controlling
     * terminal there too. box_own: a folder that it may write to, as it is no other's; "": none. box_userns: it may make user namespaces. */
    const symbi_plan *box;
    symbi_str box_own;
    bool box_userns;
    int64_t life_ms;                    /* then it is ended, whatever this process does; 0: never */
} symbi_pipe_options;
enum { SYMBI_PIPE_GRACE_MS = 250, SYMBI_PIPE_HANGUP_MS = 500 };
SYMBI_API void symbi_pipe_options_init(symbi_pipe_options *o);
/* EIO: the program cannot be started (the message has the reason). EUNSUPPORTED, EINVAL: its box cannot be made. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_pipe_open(symbi_ctx *cx, const symbi_pipe_options *o, symbi_pipe **out, symbi_err *err);
/* Closes its input, waits a grace, SIGTERM, another grace, SIGKILL to the group; waits for all of it (at most about 1.5 s, and 8 s more where a folder is to be removed on a busy machine). */
SYMBI_API void symbi_pipe_free(symbi_pipe *p);
SYMBI_API int symbi_pipe_pid(const symbi_pipe *p); /* of the child */

/* Puts bytes into the queue and writes what goes without waiting. ELIMIT: too much waits. EIO: the child does not read any more. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_pipe_write(symbi_pipe *p, symbi_str bytes, symbi_err *err);
/* What the child wrote, without waiting: EAGAIN when there is nothing yet; EIO when it closed its output (symbi_pipe_ended tells more).
 * Borrowed until the next read. Also goes on writing. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_pipe_read(symbi_pipe *p, symbi_str *bytes, symbi_err *err);
/* The supervisor ends the child in ms milliseconds unless told otherwise before: an idle limit that holds while nobody is looking. */
SYMBI_API void symbi_pipe_keep(symbi_pipe *p, int64_t ms);
/* Of a terminal: does it repeat what is written to it now? (Programs may turn that on.) */
SYMBI_API bool symbi_pipe_echoes(const symbi_pipe *p);
/* Begins the end without waiting for it: symbi_pipe_ended and symbi_pipe_free then find it done. */
SYMBI_API void symbi_pipe_hang_up(symbi_pipe *p);
/* Waits until reading or writing can go on: ETIMEOUT when ms passed. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_pipe_wait(symbi_pipe *p, int64_t ms, symbi_err *err);
/* For a loop: watch fd for these bits (SYMBI_LOOP_*). */
SYMBI_API int symbi_pipe_fd(const symbi_pipe *p);
SYMBI_API unsigned symbi_pipe_wants(const symbi_pipe *p);

typedef struct symbi_pipe_end {
    int exit_code;      /* -1: by a signal */
    int signal;
    symbi_str errors;   /* the tail of stderr; borrowed */
    symbi_str not_run;  /* bwrap ended without having started the program: why; "" else. Borrowed */
} symbi_pipe_end;
/* How the child ended, once it has: waits at most ms for that. False: it runs, or nobody knows. */
SYMBI_API bool symbi_pipe_ended(symbi_pipe *p, int64_t ms, symbi_pipe_end *out);

#ifdef __cplusplus
}
#endif
#endif
