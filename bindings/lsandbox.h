/* bindings/lsandbox.h: the inside of symbi.sandbox, shared by lsandbox*.c. A box is a Lua state of its own: nothing of the
 * caller's state is reachable from it. Its allocator finds the box again (lua_getallocf), so that no pointer has to be kept
 * where a script could meet it. */
#ifndef LSANDBOX_H
#define LSANDBOX_H
#include "symL.h"

enum { BOX_NONE, BOX_TIME, BOX_MEMORY, BOX_OUTPUT }; /* the limit that ended it */

/* Bytes that outlive a Lua state: text printed, values on their way from one state into the other. */
typedef struct box_buf {
    char *p;
    size_t n, cap;
} box_buf;

typedef struct box {
    lua_Alloc fn; /* of the caller's state */
    void *ud;
    lua_State *L; /* the sandbox; NULL before it is made and after it is closed */
    size_t used, peak, limit, block, refused;
    int64_t deadline, began;   /* nanoseconds of the monotonic clock */
    int64_t deadline_ms;
    uint64_t spent, next;      /* work done by C functions; when to look at the clock */
    int why;                   /* BOX_NONE, or the limit that was reached: from then on only the end is left */
    bool one_try;              /* this VM does not collect and ask again when memory is refused */
    bool short_of;             /* memory was refused once at least */
    bool no_memory;            /* the caller's own allocator refused */
    bool ready;                /* the libraries are in place: limits end the script from here on */
    size_t out_limit, printed;
    box_buf out, in, result;
    void (*write)(void *ud, const char *p, size_t n); /* where print goes; NULL: into out */
    void *write_ud;
    uint64_t rng[2];
    uintptr_t stack; /* where the C stack stood when the script began */
} box;

/* What a host in C puts into the registry as "symbi.sandbox.write" (light userdata), for run(..., {stream = true}). */
typedef struct box_writer {
    void (*write)(void *ud, const char *p, size_t n);
    void *ud;
} box_writer;

box *box_of(lua_State *L);
bool box_append(box *b, box_buf *buf, const char *p, size_t n);
/* Work was done, or is about to be: about one nanosecond each. Raises once a limit is reached. */
void box_charge(lua_State *L, box *b, uint64_t n);
void box_check(lua_State *L, box *b);
void box_end(lua_State *L, box *b); /* raises, and lets nothing run after it in this thread */
void box_hook(lua_State *L);
/* lua_call, for functions that scripts can nest. */
void box_call(lua_State *L, int nargs, int nresults);
void box_depth(lua_State *L); /* raises when the C stack is used up: LuaJIT has no limit of its own for it */
/* Pushes the value at idx as text: without addresses, __tostring asked. */
void box_tostring(lua_State *L, int idx);

void box_openlibs(lua_State *L, box *b); /* replaces the globals by the allow-list */
int box_find(lua_State *L);
int box_match(lua_State *L);
int box_gmatch(lua_State *L);
int box_gsub(lua_State *L);
#endif
