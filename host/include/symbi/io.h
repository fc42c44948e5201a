/* symbi/io.h: the drivers' side: processes, HTTP and a loop. The only layer with sockets and children; libsymbi without it
 * is whole (make IO=none). One thread at a time per object, and per ctx.
 *
 * The spawner is a small process that runs tools on our behalf: own session per tool, process-group kill, rlimits, clean
 * environment, both output streams captured to a cap while the whole of stdout is counted and hashed. It leaves no SIGCHLD
 * and no zombie to this process, works in any thread and in an nginx worker, and its cost does not grow with the size of
 * its parent. Start it early, while the process is small. */
#ifndef SYMBI_IO_H
#define SYMBI_IO_H
#include "symbi/run.h"
#ifdef __cplusplus
extern "C" {
#endif

/* ---- loop: descriptors and timers ------------------------------------------------------------------------------- */
typedef struct symbi_loop symbi_loop;
enum { SYMBI_LOOP_READ = 1, SYMBI_LOOP_WRITE = 2, SYMBI_LOOP_ERROR = 4, SYMBI_LOOP_TIMER = 8 };
typedef struct symbi_loop_event {
    uint64_t token; /* as given to watch or timer */
    int fd;         /* -1 for a timer */
    unsigned bits;  /* READ, WRITE, ERROR (with READ, so that a reader finds out), or TIMER */
} symbi_loop_event;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_loop_new(symbi_ctx *cx, symbi_loop **out, symbi_err *err);
SYMBI_API void symbi_loop_free(symbi_loop *l);
/* Says what fd is watched for; replaces what was said before; bits 0 forgets it (an unknown fd is fine then). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_loop_watch(symbi_loop *l, int fd, unsigned bits, uint64_t token, symbi_err *err);
/* One timer after ms; *id (may be NULL) cancels it. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_loop_timer(symbi_loop *l, int64_t ms, uint64_t token, uint64_t *id, symbi_err *err);
SYMBI_API void symbi_loop_cancel(symbi_loop *l, uint64_t timer_id); /* an id that is gone is fine */
/* Waits up to timeout_ms (-1: until something happens; returns at once with *n = 0 when nothing is watched and no timer runs)
 * and writes at most cap events. *n = 0: the time passed, or a signal came. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_loop_wait(symbi_loop *l, int64_t timeout_ms, symbi_loop_event *ev, size_t cap, size_t *n, symbi_err *err);
SYMBI_API size_t symbi_loop_count(const symbi_loop *l); /* descriptors and timers */

/* ---- spawner ------------------------------------------------------------------------------------------------------ */
typedef struct symbi_spawner symbi_spawner;
typedef struct symbi_job symbi_job;

/* What the spawner process was asked to do, as it decoded it: for the permit check, inside that process. */
typedef struct symbi_exec_request {
    symbi_plan plan;     /* kind SHELL; strings borrowed; args NULL (see args_json); digest as the client states it */
    symbi_str args_json; /* canonical JSON of plan.args, "" when the client sent none */
    symbi_str permit;    /* order bytes, may be empty */
    int64_t since_ms;    /* wall clock at which this spawner process began */
    bool local;          /* over the socketpair of the process that started the spawner; false: over the listening socket */
} symbi_exec_request;
/* Runs in the spawner process only, which shares no memory with its parent any more: ud must have been complete when the
 * spawner was started. Must not block. SYMBI_OK lets the plan run; anything else refuses it with err's message. */
typedef symbi_status (*symbi_exec_check_fn)(void *ud, const symbi_exec_request *rq, int64_t now_ms, symbi_err *err);

/* The check that design.md section 3 asks for: each request must carry an order of the gate with this key, for exactly this
 * plan, not expired, not used before. Orders that may have been minted before this spawner process began are refused too,
 * since an earlier one may have run them: ttl_ms must be the gate's permit_ttl_ms (0 = 60000). max_used: orders remembered
 * until they expire (0 = limits.permits_used). It uses malloc and OpenSSL in the spawner, so start that while the process
 * has one thread. */
typedef struct symbi_order_book symbi_order_book;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_order_book_new(symbi_ctx *cx, const uint8_t key[32], int64_t ttl_ms, size_t max_used, symbi_order_book **out, symbi_err *err);
SYMBI_API void symbi_order_book_free(symbi_order_book *b); /* wipes the key; after the spawner that uses it */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_order_book_check(void *book, const symbi_exec_request *rq, int64_t now_ms, symbi_err *err); /* a symbi_exec_check_fn */

typedef struct symbi_spawner_options {
    uint32_t size;
    const char *listen_path;   /* also serve this Unix socket (mode 0600, same user only); NULL: none */
    symbi_exec_check_fn check; /* NULL: every local request runs, every request over the socket is refused */
    void *check_ud;
    size_t max_jobs;           /* tools at once; 0 = 64; more wait */
    int64_t max_timeout_ms;    /* cap of every plan, and its timeout where it names none; 0 = 300000 */
    size_t max_output;         /* cap of stdout_max and stderr_max; 0 = 64 MiB */
    size_t nofile;             /* RLIMIT_NOFILE of tools; 0 = 1024 */
    uint64_t cpu_seconds, address_bytes, file_bytes; /* further rlimits of tools; 0 = left alone */
    const char *bwrap;         /* path of bubblewrap, for plans with a box; NULL: in the usual places. Without it they are refused (EUNSUPPORTED) */
} symbi_spawner_options;
SYMBI_API void symbi_spawner_options_init(symbi_spawner_options *o);

/* Starts the process. o may be NULL. EUNSUPPORTED where the system cannot. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_spawner_new(symbi_ctx *cx, const symbi_spawner_options *o, symbi_spawner **out, symbi_err *err);
/* Kills every running tool, waits for the process (at most about 2 s). Jobs must be freed before; those that were not fail with EABORT. */
SYMBI_API void symbi_spawner_free(symbi_spawner *sp);
SYMBI_API int symbi_spawner_pid(const symbi_spawner *sp); /* 0 when it is not running. Its parent is a guard, our child, which outlives it and ends all that it started */

/* Sends plan (kind SHELL) to the spawner and returns at once. permit: order bytes, or empty. When the spawner has died it is
 * started again first; what was running when it died fails with EIO and is never run a second time. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_spawner_start(symbi_spawner *sp, const symbi_plan *plan, symbi_str permit, symbi_job **out, symbi_err *err);
/* Starts it again if it has died, for those who reach it over its socket only: true when it had. What was running then is never run again, and
 * orders from before are refused by the new one. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_spawner_revive(symbi_spawner *sp, bool *started, symbi_err *err);
/* For a loop: watch fd for these bits (SYMBI_LOOP_*), call step when it is ready; fd changes when the spawner is restarted. */
SYMBI_API int symbi_spawner_fd(const symbi_spawner *sp);
SYMBI_API unsigned symbi_spawner_wants(const symbi_spawner *sp);
/* Reads and writes what is possible without blocking. Never fails: what goes wrong is the result of the jobs it hits. */
SYMBI_API void symbi_spawner_step(symbi_spawner *sp);
SYMBI_API size_t symbi_spawner_open(const symbi_spawner *sp); /* jobs that are not done */

SYMBI_API bool symbi_job_done(const symbi_job *j);
/* After done: the outcome. out is borrowed from the job. A tool that failed, was killed or could not be started is SYMBI_OK
 * with the fact in *out; other codes: EPERMIT (refused), EIO (the spawner died), EABORT (cancelled), ELIMIT. ESTATE before. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_job_result(const symbi_job *j, symbi_exec_result *out, symbi_err *err);
/* Asks for the tool's process group to be killed; the job then ends with EABORT. */
SYMBI_API void symbi_job_kill(symbi_job *j);
SYMBI_API void symbi_job_free(symbi_job *j); /* kills it when it still runs; NULL is fine */
/* Waits until j is done. timeout_ms -1: as long as it takes (the plan's own timeout bounds it). ETIMEOUT: not done yet. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_job_wait(symbi_job *j, int64_t timeout_ms, symbi_err *err);
/* start and wait. *out is set only on SYMBI_OK; read it with symbi_job_result and free it. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_exec_blocking(symbi_spawner *sp, const symbi_plan *plan, symbi_str permit, symbi_job **out, symbi_err *err);

/* The wire format of the listening socket, for clients that speak it themselves (nginx over a cosocket): the request frame of
 * a plan, and the reading of a result frame. id is the client's, repeated in the answer. The evidence of a plan with
 * capture is written by the spawner: folder before the tool runs, file after it (out->output_file says so). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_exec_encode(symbi_ctx *cx, const symbi_plan *plan, symbi_str permit, uint64_t id, symbi_text *out, symbi_err *err);
/* Length of the whole frame that starts with these bytes: 0 when fewer than 16 are there; EPARSE for garbage. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_exec_frame_len(symbi_str bytes, size_t *len, symbi_err *err);
/* Decodes a result frame; out borrows from it. The status is the job's, as symbi_job_result gives it, or EPARSE. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_exec_decode(symbi_str frame, uint64_t *id, symbi_exec_result *out, symbi_err *err);

/* ---- HTTP client (libcurl) ---------------------------------------------------------------------------------------- */
#define SYMBI_HTTP_ERROR_LIST(X) \
    X(NONE, 0, "none") X(REFUSED, 1, "refused") X(RESOLVE, 2, "resolve") X(CONNECT, 3, "connect") X(TLS, 4, "tls") \
    X(TIMEOUT, 5, "timeout") X(TOO_LARGE, 6, "too_large") X(TRUNCATED, 7, "truncated") X(PROTOCOL, 8, "protocol") \
    X(RESET, 9, "reset") X(CANCELLED, 10, "cancelled") X(OTHER, 11, "other") X(DENIED, 12, "denied")
typedef enum symbi_http_error {
#define SYMBI_HTTP_ERROR_ENUM(name, num, text) SYMBI_HTTP_ERROR_##name = num,
    SYMBI_HTTP_ERROR_LIST(SYMBI_HTTP_ERROR_ENUM)
#undef SYMBI_HTTP_ERROR_ENUM
    SYMBI_HTTP_ERROR_MAX_ = 0x7fff
} symbi_http_error;
SYMBI_API const char *symbi_http_error_name(symbi_http_error e);
SYMBI_API const char *symbi_http_library(void); /* names and versions of what does it: "libcurl/7.88.1 OpenSSL/3.0.22 ..." */

/* How a request travels: what a program or an operator says, never what comes over the wire. Empty strings: not said. Files are PEM.
 * proxy: "none"; "environment" (http_proxy, https_proxy, no_proxy; by_operator only); or http://, https:// or socks5h:// with
 *   perhaps user:password@. Through a proxy that is named here names are judged by the guard, addresses are the proxy's affair, and the
 *   environment's no_proxy means nothing.
 * ca_file, ca_path (a folder of hashed names): these authorities and no others, also for an https proxy.
 * client_cert with client_key ("": the same file) is shown to the server. unix_socket: connects there instead (by_operator only; no proxy).
 * A request with either follows no redirect: it is handed out.
 * http_version: 0 what the server prefers (over TLS), 1 HTTP/1.1 only, 2 HTTP/2: offered over TLS (the server may still speak 1.1), and
 *   without TLS simply spoken; requests then share connections. */
typedef struct symbi_http_route {
    symbi_str proxy, ca_file, ca_path, client_cert, client_key, client_key_password, unix_socket;
    int http_version;
} symbi_http_route;

typedef struct symbi_http symbi_http;
typedef struct symbi_xfer symbi_xfer;
typedef struct symbi_http_options {
    uint32_t size;
    symbi_str ca_file;          /* PEM bundle, instead of the system's; "" = the system's */
    /* "none", or a proxy that the operator names: it then resolves, so names are judged but not their addresses. "": none for guarded
     * requests; those with by_operator follow the environment (http_proxy, https_proxy, no_proxy). */
    symbi_str proxy;
    int64_t connect_timeout_ms; /* 0 = 10000 */
    int64_t timeout_ms;         /* whole transfer, where the request names none; 0 = 120000 */
    size_t max_bytes;           /* of a body, where the request names none; 0 = limits.model_response */
    size_t max_connections;     /* kept alive; 0 = 16 */
    int max_redirects;          /* where guard is NULL; 0 = never follow */
    symbi_netguard *guard;      /* for requests that bring none (a reference is taken); NULL = the strict policy */
} symbi_http_options;
SYMBI_API void symbi_http_options_init(symbi_http_options *o);
/* loop: the loop that watches the descriptors (borrowed, must outlive the client), its events with tokens of token_base and
 * above go to symbi_http_ready; NULL: a private one, for the blocking calls. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_http_new(symbi_ctx *cx, const symbi_http_options *o, symbi_loop *loop, uint64_t token_base, symbi_http **out, symbi_err *err);
SYMBI_API void symbi_http_free(symbi_http *h); /* open transfers end as cancelled; free them before or after */
/* Everything of rq is copied. Only http and https. EDENIED: the guard refuses the URL. Each address is vetted again just before the
 * connection to it is made, and for a kept connection before it is used; what is refused then, or a redirect that is, ends the
 * transfer with EDENIED (DENIED, symbi_xfer_refused). Redirects are followed as the policy says, never by libcurl. Bodies are handed
 * out as they come: nothing is decompressed. max_bytes is the body's (the policy's, where that is smaller); response headers may
 * take the policy's max_header_bytes (256 KiB for by_operator) and limits.http_headers lines. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_http_start(symbi_http *h, const symbi_http_request *rq, symbi_xfer **out, symbi_err *err);
SYMBI_API void symbi_http_ready(symbi_http *h, const symbi_loop_event *ev); /* an event of the loop, or NULL: only look at the time */
SYMBI_API size_t symbi_http_open(const symbi_http *h);
/* Waits in the private loop until x is done, has new streamed bytes, or the time is up (ETIMEOUT). -1: no limit of its own. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_xfer_wait(symbi_xfer *x, int64_t timeout_ms, symbi_err *err);
SYMBI_API bool symbi_xfer_done(const symbi_xfer *x);
/* Streaming: the bytes that arrived since the last take (borrowed until the next call on x), "" when none. At most 256 KiB
 * wait; then the server is made to wait. For requests with stream set; also usable before done. */
SYMBI_API symbi_str symbi_xfer_take(symbi_xfer *x);
SYMBI_API int symbi_xfer_status(const symbi_xfer *x); /* HTTP status, 0 while unknown */
/* After done: body (what was not taken), headers in order, names as sent. EIO, ETIMEOUT, ELIMIT, EABORT with *why. Borrowed from x. */
typedef struct symbi_http_response {
    int status;
    symbi_str body;
    const symbi_http_header *headers;
    size_t nheaders;
    int64_t duration_ms;
    bool reused; /* over a kept connection */
    int http_version; /* 10, 11, 20 */
} symbi_http_response;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_xfer_result(symbi_xfer *x, symbi_http_response *out, symbi_http_error *why, symbi_err *err);
SYMBI_API symbi_netguard_why symbi_xfer_refused(const symbi_xfer *x); /* why the guard ended it; NONE when it did not */
SYMBI_API void symbi_xfer_free(symbi_xfer *x); /* cancels it when it still runs; NULL is fine */

/* ---- files ---------------------------------------------------------------------------------------------------------- */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_file_read(symbi_ctx *cx, const char *path, size_t max, symbi_text *out, symbi_err *err);
/* Whole or not at all: written beside, synced, renamed over. mode 0 = 0644 less the umask. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_file_write(symbi_ctx *cx, const char *path, symbi_str data, unsigned mode, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_file_realpath(symbi_ctx *cx, const char *path, symbi_text *out, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_file_mkdir(symbi_ctx *cx, const char *path, unsigned mode, bool parents, symbi_err *err);
typedef struct symbi_file_info {
    char type; /* 'f' file, 'd' folder, 'l' symbolic link, 'o' other */
    uint64_t size;
    int64_t mtime_ms;
    unsigned mode; /* permission bits */
    char version[120]; /* device, inode, size and times in ns: another one after each change, also within one tick of the clock by another file renamed over it */
} symbi_file_info;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_file_stat(symbi_ctx *cx, const char *path, bool follow, symbi_file_info *out, symbi_err *err);
/* The file system that a path lies on. used and free (to this user) are together less than total where some is kept for root. */
typedef struct symbi_disk_info {
    uint64_t total_bytes, used_bytes, free_bytes;
} symbi_disk_info;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_file_disk(symbi_ctx *cx, const char *path, symbi_disk_info *out, symbi_err *err);
/* Entries of a folder in byte order, without "." and "..": [{"name":..., "type":...}], or ELIMIT beyond max entries (0 = 100000). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_file_list(symbi_ctx *cx, const char *path, size_t max, symbi_doc **out, symbi_err *err);
/* symbi_file_read and symbi_file_stat of one and the same open file: for checks of the mode that nobody can get between. follow
 * false: a symbolic link is EIO. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_file_read_info(symbi_ctx *cx, const char *path, size_t max, bool follow, symbi_text *out, symbi_file_info *info, symbi_err *err);
/* One write at the end of the file (made with `mode` when missing, 0 = 0644 less the umask); with sync it is on disk afterwards. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_file_append(symbi_ctx *cx, const char *path, symbi_str data, unsigned mode, bool sync, symbi_err *err);
/* A file, a symbolic link (not what it points to) or an empty folder. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_file_remove(symbi_ctx *cx, const char *path, symbi_err *err);
/* A folder with everything in it; links are removed, never followed. Nesting up to 64 folders, then ELIMIT. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_file_remove_tree(symbi_ctx *cx, const char *path, symbi_err *err);
/* Sets the time of last change (links are not followed). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_file_touch(symbi_ctx *cx, const char *path, int64_t mtime_ms, symbi_err *err);

/* An exclusive lock between processes and threads, on a file of its own beside what it protects (made 0600, never removed: a
 * removed lock file would be two locks). Held until release, and released by the system when the process dies. It protects
 * only against those who take it too. ETIMEOUT when somebody else kept it for timeout_ms (0: one try, -1: wait). */
typedef struct symbi_file_lock symbi_file_lock;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_file_lock_take(symbi_ctx *cx, const char *path, int64_t timeout_ms, symbi_file_lock **out, symbi_err *err);
SYMBI_API void symbi_file_lock_release(symbi_file_lock *l); /* NULL is fine */

/* One line from the terminal on standard input, without echo; the prompt goes to standard error. The text is a secret:
 * symbi_text_wipe. EUNSUPPORTED where standard input is no terminal. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_io_prompt(symbi_ctx *cx, const char *prompt, symbi_text *out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
