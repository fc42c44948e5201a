/* bindings/io_int.h: what the files of symbi.io share. One "symbi.iostate" userdata per Lua state holds what is started on
 * first use: the spawner and the client of blocking requests. Jobs and transfers keep it alive through their uservalue. */
#ifndef SYMBI_IO_INT_H
#define SYMBI_IO_INT_H
#include "symL.h"
#include "symbi/io.h"
#include "symbi/io_watch.h"
#include "ud.h"

#define UD_IOSTATE "symbi.iostate"
#define UD_JOB "symbi.job"           /* io_exec.c */
#define UD_TRANSFER "symbi.transfer" /* io_http.c */
#define UD_REQUEST "symbi.request"   /* io_prepare.c */
#define UD_LOOP "symbi.loop"         /* io_loop.c */
#define UD_LOCK "symbi.lock"         /* io_file.c */
#define UD_WATCH "symbi.watch"       /* io_watch.c */

typedef struct ud_iostate {
    symbi_spawner *sp;
    symbi_order_book *book; /* what its check looks at; outlives it */
    symbi_http *http;
} ud_iostate;
typedef struct ud_job { symbi_job *p; } ud_job;
typedef struct ud_transfer { symbi_xfer *p; } ud_transfer;
typedef struct ud_watch { symbi_watch *p; } ud_watch;
typedef struct ud_lock { symbi_file_lock *p; } ud_lock;

ud_iostate *l_io_state(lua_State *L); /* pushes it */
ud_iostate *l_io_keep(lua_State *L);  /* makes it the parent of the userdata on the top; pushes nothing */
ud_iostate *l_io_kept(lua_State *L, int idx); /* the parent of that userdata */
/* The spawner, started when it is not there. On failure fills err and returns NULL. */
symbi_spawner *l_io_spawner(lua_State *L, ud_iostate *s, symbi_err *err);
bool l_io_interrupted(lua_State *L);  /* Ctrl-C came (the host's flag) */
bool l_io_interrupt(lua_State *L, symbi_err *err); /* likewise, and then err is EABORT */
enum { L_IO_SLICE_MS = 100 };         /* blocking calls look at that flag this often */

/* Fills rq from the table at arg; strings stay borrowed from it, the header list is a userdata that is pushed. Raises on misuse. */
void l_io_request(lua_State *L, int arg, symbi_http_request *rq);
void l_io_request_open(lua_State *L, int arg, symbi_http_request *rq); /* likewise; the url may be missing (p NULL) */
/* A transfer for one blocking request: pushes two values, a table and the userdata; used again when it is given back, which pops both. One that
 * an error of Lua kept from that is collected, and so closed. With start, wait and the result in between no Lua runs but finalisers. */
ud_transfer *l_io_take(lua_State *L, ud_iostate **s);
ud_transfer *l_io_take_from(lua_State *L, ud_iostate **s); /* with the table on the top already: the state's uservalue */
void l_io_give(lua_State *L, ud_transfer *u);
int l_io_wait(lua_State *L, symbi_xfer *x, int64_t ms, symbi_err *err); /* 1 something to read or done, 0 the time is up, -1 interrupted or failed */
int l_io_push_response(lua_State *L, const symbi_http_response *r);        /* pushes one table */
void l_io_push_headers(lua_State *L, const symbi_http_response *r);        /* likewise: {{name, value}, ...} */
int l_io_http_fail(lua_State *L, const symbi_err *err, symbi_http_error why); /* nil, message, err with reason */
int l_io_start_fail(lua_State *L, const symbi_http_request *rq, const symbi_err *err); /* a request that did not begin; with `refused` */
int l_io_xfer_fail(lua_State *L, const symbi_xfer *x, const symbi_err *err, symbi_http_error why); /* one that ended badly; likewise */
int l_io_push_exec(lua_State *L, const symbi_exec_result *r);              /* pushes one table */
/* The plan at arg with its order, taken out of it: an executor acts on an order once. Raises for a plan without one. */
const symbi_plan *l_io_take_plan(lua_State *L, int arg, symbi_order *order);

void l_io_store(lua_State *L);     /* io_store.c: pushes the table "store" */
void l_io_exec_open(lua_State *L); /* the others add their functions to the table on the top */
void l_io_http_open(lua_State *L);
void l_io_prepare_open(lua_State *L);
void l_io_loop_open(lua_State *L);
void l_io_file_open(lua_State *L);
void l_io_browser_open(lua_State *L);
void l_io_pipe_open(lua_State *L);
void l_io_prompt_open(lua_State *L);
void l_io_memory_open(lua_State *L);
void l_io_watch_open(lua_State *L);
void l_io_pty_open(lua_State *L);
void l_io_evidence_open(lua_State *L);
symbi_watch *l_io_checkwatch(lua_State *L, int arg);
#endif
