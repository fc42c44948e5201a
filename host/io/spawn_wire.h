/* io/spawn_wire.h: the frames between a client and the spawner. Pure: no memory but the caller's allocator, no system call,
 * so that the spawner process (which may have been cloned from a threaded parent) can use it and a fuzzer can drive it.
 *
 * A frame: "SYX1" | length of the payload u32be | id u64be | payload. The first payload byte is the type. A string is u32be
 * length, the bytes, one NUL; so a decoded string can go to execve as it stands. A list is u32be count and its strings.
 *
 * A request: type 1, flags, 0, 0 | timeout u64 | stdout_max u64 | stderr_max u64 | digest 32 | permit, tool, scan id, folder, arguments |
 * argv | env, and then, by flag: 8 the files to check; 1 (bwrap) what may be written, what is hidden; 4 (writable), 32 (to be kept) the evidence file; 16 the parser. 2: network. */
#ifndef SY_IO_SPAWN_WIRE_H
#define SY_IO_SPAWN_WIRE_H
#include "base/buf.h"
#include "symbi/io.h"

enum {
    SY_XW_HEAD = 16,
    SY_XW_EXEC = 1,   /* client: run this plan */
    SY_XW_RESULT = 2, /* spawner: how it went */
    SY_XW_KILL = 3,   /* client: give the job of this id up */
    SY_XW_MAX_EXEC = 4 << 20,
    SY_XW_MAX_WORDS = 32768, /* argv and env, each */
    SY_XW_MAX_PATHS = 1024,  /* files to check, and each list of the sandbox */
    SY_XW_MAX_PATH = 4095,
    SY_XW_RESULT_FIXED = 1 + 3 + 4 * 4 + 8 * 3 + 32, /* result payload before its strings */
    SY_XW_PARSED_FIXED = 4 + 3 * 4 + 8 + 32          /* of the parser's part, likewise */
};

typedef struct sy_xw_head {
    uint32_t len; /* of the payload */
    uint64_t id;
} sy_xw_head;

/* EAGAIN with fewer than 16 bytes; EPARSE for another magic or a payload of 0 or more than max bytes. */
symbi_status sy_xw_read_head(symbi_str b, size_t max, sy_xw_head *out, symbi_err *err);
void sy_xw_write_head(uint8_t out[SY_XW_HEAD], uint64_t id, size_t payload);

/* A whole request frame appended to b. args_json and permit may be empty. EINVAL: not a SHELL plan, no argv, a NUL inside a
 * string; ELIMIT: too large. */
symbi_status sy_xw_write_exec(sy_buf *b, const symbi_plan *plan, symbi_str args_json, symbi_str permit, uint64_t id, symbi_err *err);
void sy_xw_write_kill(sy_buf *b, uint64_t id);

typedef struct sy_xw_exec {
    symbi_exec_request rq;
    char *const *argv; /* NULL-terminated twins of rq.plan.argv and .env, for execve */
    char *const *envp;
    void *mem;         /* one block of `size` bytes behind the arrays */
    size_t size;
} sy_xw_exec;
/* Decodes a request payload (type byte included); strings borrow from it. Free with sy_xw_exec_free. */
symbi_status sy_xw_read_exec(symbi_str payload, const symbi_alloc *a, sy_xw_exec *out, symbi_err *err);
void sy_xw_exec_free(sy_xw_exec *x, const symbi_alloc *a);

/* The part of a result before out and err: head and fixed fields, for a frame whose payload is
 *   fixed | str message | str out | str err
 * status: SYMBI_OK, or why there is no result (EPERMIT, EABORT, EINVAL, ELIMIT). r->out and r->err are not read here. */
void sy_xw_write_result_fixed(uint8_t out[SY_XW_RESULT_FIXED], symbi_status status, const symbi_exec_result *r);
/* Where r->parsed.tried, the payload goes on behind err with the parser's fixed part and its out and err. */
void sy_xw_write_parsed_fixed(uint8_t out[SY_XW_PARSED_FIXED], const symbi_parse_run *r);
/* Decodes a result payload; *status is the job's. */
symbi_status sy_xw_read_result(symbi_str payload, symbi_status *status, symbi_str *message, symbi_exec_result *out, symbi_err *err);

void sy_xw_put32(uint8_t *p, uint32_t v);
void sy_xw_put64(uint8_t *p, uint64_t v);
#endif
