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
    SY_SP_DIR = 256,        /* name of a parser's folder */
    SY_SP_SAID = 4096,      /* of a parser's stderr */
    SY_SP_PARSE_MS = 1000,  /* what a parser has at the least, however late its tool was */
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
    SY_SP_PARSE,  /* the tool succeeded: its parser is started before anything else happens */
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
    uint64_t tag;  /* what its processes carry (spawn_exec.c) */
    int status_fd; /* of bwrap, what it says about the tool; -1: none */
    bool boxed;
    size_t sent;
    char evidence[SY_XW_MAX_PATH + 1]; /* where stdout is kept, for a client that cannot (of the socket); "": nowhere */
    /* A plan with a parser (spawn_parse.c): the tool is run, then the parser takes its place here. */
    sy_sp_mem rq;      /* the request, to start the parser from; n 0: no parser */
    int64_t due;       /* when both must have ended */
    bool parsing;      /* then kept has what the tool gave, and tool how it went */
    sy_sp_mem kept[2];
    symbi_exec_result tool;
    symbi_parse_run parsed;
    char dir[SY_SP_DIR], file[SY_SP_DIR + 16]; /* dir "": there is none */
} sy_sp_job;

typedef struct sy_sp_conf {
    symbi_spawner_options o; /* defaults filled in */
    int ctl, listen;         /* listen -1: none */
    char path[108];
    int64_t since; /* wall clock just before the process was made */
    char bwrap[256]; /* where it is; "": looked for */
    int32_t *seen;   /* a page shared with the host: [0] the spawner's pid */
} sy_sp_conf;

/* The guard, which makes the spawner and outlives it (spawn_guard.c): never returns. conf lies in memory of its own (copy on write). */
_Noreturn void sy_guard_main(const sy_sp_conf *conf);
/* The spawner: never returns. life: readable once the guard is gone. */
_Noreturn void sy_spawner_main(const sy_sp_conf *conf, int life);
/* Closes every descriptor above 2 but these (-1: none). */
void sy_sp_close_others(int a, int b, int c);
/* The children of process pid (single-threaded), in buf as the numbers that the kernel writes: "12 13 "; "" when it cannot be known. */
const char *sy_sp_children(pid_t pid, char *buf, size_t cap);
pid_t sy_sp_next_pid(const char **p); /* the next of those numbers, 0 at the end */

/* What a plan with a box runs instead of its argv. */
typedef struct sy_sp_box {
    char *const *argv; /* NULL: no box */
} sy_sp_box;
/* What goes into a box. */
typedef struct sy_sp_inner {
    const symbi_plan *plan;          /* its box, output_file, and cwd: the project */
    char *const *argv, *const *envp; /* of the program, NULL-terminated */
    const char *at;    /* where it begins; "", NULL: the project */
    const char *own;   /* a folder that the host made for it alone, writable; NULL: none */
    const char *bwrap; /* where that is; "", NULL: looked for */
    int status_fd;     /* where bwrap writes its status */
    bool userns;       /* it may make user namespaces of its own (a browser's sandbox does); started by root it then is user 1000 in there */
} sy_sp_inner;
/* SYMBI_OK with *start_errno 0, or the errno of a program that cannot be started in there; else why it is not run (err). m is overwritten. */
symbi_status sy_sp_box_make(sy_sp_mem *m, const sy_sp_inner *x, sy_sp_box *out, int *start_errno, symbi_err *err);
enum { SY_SP_STATUS_FD = 3 }; /* where bwrap writes its status about a tool that the spawner runs */
bool sy_sp_box_began(int status_fd); /* bwrap's status says that the tool was started and has ended */
/* Why it was not, from what bwrap said: a message of at most cap - 1 bytes. */
size_t sy_sp_box_why(symbi_str said, char *msg, size_t cap);
void sy_sp_box_signal(pid_t leader, int sig, char *scratch); /* to everything in the box that leader made, not to bwrap itself; and SIGCONT */
/* Every file to check must be a regular one whose real path lies inside the real path of the plan's folder: EDENIED, ENOTFOUND. The one look there
 * is: nearest to the start, and the same for every client. */
symbi_status sy_sp_check_files(const sy_xw_exec *x, symbi_err *err);

/* 0, or an errno and why this file is not started as a parser (EDENIED). */
int sy_sp_parser_check(const char *path, symbi_err *err);
/* Checks the parser again, notes its digest, writes what the tool gave to a file for it, and makes x its command line (argv[] to stay until it
 * has started). 0, or an errno and why not. */
int sy_sp_parse_prepare(sy_sp_job *j, sy_xw_exec *x, char *argv[3], char *scratch, symbi_err *err);
void sy_sp_parse_clean(sy_sp_job *j); /* that file, if there is one */
/* The tool's part is put aside, for the parser's; and the other way round. */
void sy_sp_job_swap(sy_sp_job *j);
void sy_sp_job_unparsed(sy_sp_job *j, int start_errno, const char *why); /* the parser was not started */

/* Starts one tool: descriptors and pid into j, 0 or an errno. stack: top of a free stack of at least 64 KiB. */
int sy_sp_exec(sy_sp_job *j, const sy_xw_exec *x, const sy_sp_box *box, const sy_sp_conf *conf, char *stack_top);
/* The tag that pid carries, 0 when it cannot be read. */
uint64_t sy_sp_tag_of(pid_t pid);

/* One job's life; the times are of CLOCK_MONOTONIC. */
void sy_sp_job_read(sy_sp_job *j, int which, char *scratch);             /* its pipe is readable or closed */
void sy_sp_job_look(sy_sp_job *j, char *scratch, int64_t now);           /* has it ended? */
void sy_sp_job_time(sy_sp_job *j, char *scratch, int64_t now);           /* its deadline has come */
void sy_sp_job_stop(sy_sp_job *j, bool at_once, char *scratch, int64_t now); /* given up by its client */
void sy_sp_job_refuse(sy_sp_job *j, symbi_status st, const char *message); /* a result without a run */
void sy_sp_job_failed(sy_sp_job *j, int start_errno);
int64_t sy_sp_mono(void);
int64_t sy_sp_wall(void);
#endif
