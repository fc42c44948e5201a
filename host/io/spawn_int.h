/* io/spawn_int.h: what the files of the spawner process share. Everything here runs in a process that may have been cloned
 * from a threaded parent without exec: only system calls and pure code; no malloc, no stdio, no locale, no lock. */
#ifndef SY_IO_SPAWN_INT_H
#define SY_IO_SPAWN_INT_H
#include "io/spawn_sha.h"
#include "io/spawn_wire.h"
#include <sys/types.h>

enum {
    SY_SP_GRACE_MS = 250,   /* between SIGTERM and SIGKILL, and for output after the tool itself has ended */
    SY_SP_STUCK_MS = 1000,  /* how long a killed tool may take to die before its result goes out without it */
    SY_SP_CONNS = 64,       /* clients of the listening socket */
    SY_SP_READ = 64 << 10,
    /* Free bytes before the captured stdout, so that the result frame is built around it without a copy:
     * head, fixed part, empty message, length of out. */
    SY_SP_HOLE = SY_XW_HEAD + SY_XW_RESULT_FIXED + 5 + 4
};

/* Memory straight from mmap, grown by doubling, never shrunk but by mem_trim. */
typedef struct sy_sp_mem {
    char *p;
    size_t n, cap;
} sy_sp_mem;
bool sy_sp_mem_room(sy_sp_mem *m, size_t more); /* space for m->n + more; false: out of memory, m unchanged */
void sy_sp_mem_trim(sy_sp_mem *m, size_t keep); /* n = 0; gives memory above keep back */

typedef enum sy_sp_stage {
    SY_SP_FREE = 0,
    SY_SP_RUN,    /* until the timeout */
    SY_SP_LINGER, /* the tool ended, something holds its output open: a grace, then the group is killed */
    SY_SP_TERM,   /* SIGTERM sent: a grace */
    SY_SP_KILL,   /* SIGKILL sent */
    SY_SP_SEND    /* finished; the frame in buf[0] is on its way */
} sy_sp_stage;

typedef struct sy_sp_job {
    sy_sp_stage stage;
    int conn;
    uint64_t id;
    pid_t pid;
    int fd[2];        /* stdout, stderr of the tool; -1 closed */
    sy_sp_mem buf[2]; /* buf[0].n counts the hole too */
    size_t max[2];
    bool cut[2];
    sy_spawn_sha sha;
    int64_t start_mono, start_wall, deadline;
    bool timed_out, aborted;
    size_t sent;
} sy_sp_job;

typedef struct sy_sp_conf {
    symbi_spawner_options o; /* defaults filled in */
    int ctl, listen;         /* listen -1: none */
    char path[108];
    int64_t since; /* wall clock just before the process was made */
} sy_sp_conf;

/* The process: never returns. conf lies in memory of its own (copy on write). */
_Noreturn void sy_spawner_main(const sy_sp_conf *conf);

/* Starts one tool: descriptors and pid into j, 0 or an errno. stack: top of a free stack of at least 64 KiB. */
int sy_sp_exec(sy_sp_job *j, const sy_xw_exec *x, const sy_sp_conf *conf, char *stack_top);

/* One job's life; the times are of CLOCK_MONOTONIC. */
void sy_sp_job_read(sy_sp_job *j, int which, char *scratch);             /* its pipe is readable or closed */
void sy_sp_job_look(sy_sp_job *j, char *scratch, int64_t now);           /* has it ended? */
void sy_sp_job_time(sy_sp_job *j, char *scratch, int64_t now);           /* its deadline has come */
void sy_sp_job_stop(sy_sp_job *j, bool at_once, int64_t now);            /* given up by its client */
void sy_sp_job_refuse(sy_sp_job *j, symbi_status st, const char *message); /* a result without a run */
void sy_sp_job_failed(sy_sp_job *j, int start_errno);
int64_t sy_sp_mono(void);
int64_t sy_sp_wall(void);
#endif
