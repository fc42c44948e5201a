/* bindings/io_loop.c: many things at once from one Lua state: loop = io.loop(), then
 *   id = loop:http{...}  loop:exec(plan)  loop:sleep(ms)       each begins at once; id is a number
 *   id = loop:ready(fd, "r"|"w"|"rw"[, ms])                    kind "ready": the descriptor can be read or written (value true), or the time is up
 *                                                              (false); one wait per descriptor
 *   id = loop:watch(w)                                         kind "watch", value true: the folders of w changed (io_watch.c). It tells
 *                                                              once: watch again. count() leaves watches out
 *   id, kind, value[, message, err] = loop:wait([ms])          kind "http", "exec", "sleep": it ended, value nil with message and err
 *                                                              when it failed; "data": bytes of a streamed request that is still open,
 *                                                              and after them its HTTP status
 *     false when the time is up, nil when nothing is open (nor watched); nil, message, err when the wait itself failed
 *   loop:cancel(id)  forgets it (a tool is killed)   loop:count()   loop:close()
 * What has ended stays in the loop until its values are safely on the Lua stack. */
#include "io_int.h"

#include <stdlib.h>
#include <string.h>

enum { T_SPAWNER = 1, T_HTTP = 2, T_WATCH = 3, T_SLEEP = 16, EVENTS = 32 };

typedef enum item_kind { I_FREE = 0, I_HTTP, I_EXEC, I_SLEEP, I_WATCH, I_READY } item_kind;
typedef struct item {
    item_kind kind;
    bool done; /* I_SLEEP, I_WATCH, I_READY */
    bool up;   /* I_READY: it is; has_timer: its time is limited */
    bool has_timer;
    int64_t id;
    symbi_job *job;
    symbi_xfer *x;
    symbi_watch *w; /* a reference */
    int fd;         /* of the watch or I_READY, as the loop knows it */
    uint64_t timer;
} item;

/* uservalue: the io state, whose spawner runs the tools */
typedef struct ud_loop {
    symbi_loop *loop;
    symbi_http *http;
    item *items;
    size_t cap, open, next; /* open: what somebody waits for, so no watches */
    size_t watches;
    int64_t last_id;
    int watched; /* the spawner's descriptor, -1: none */
    unsigned bits;
} ud_loop;

static ud_loop *checkloop(lua_State *L)
{
    ud_loop *u = symL_checkud(L, 1, UD_LOOP);
    if (!u->loop) luaL_argerror(L, 1, "the loop is closed");
    return u;
}

static void drop(ud_loop *u, item *i)
{
    symbi_job_free(i->job);
    symbi_xfer_free(i->x);
    if (i->kind == I_SLEEP && !i->done) symbi_loop_cancel(u->loop, i->timer);
    if (i->kind == I_READY) {
        if (i->has_timer) symbi_loop_cancel(u->loop, i->timer);
        (void)!symbi_loop_watch(u->loop, i->fd, 0, 0, NULL);
    }
    if (i->kind == I_WATCH) {
        bool other = false;
        for (size_t k = 0; k < u->cap; k++) other = other || (&u->items[k] != i && u->items[k].kind == I_WATCH && u->items[k].fd == i->fd);
        if (!other) (void)!symbi_loop_watch(u->loop, i->fd, 0, 0, NULL);
        symbi_watch_free(i->w);
        u->watches--;
    } else {
        u->open--;
    }
    memset(i, 0, sizeof *i);
}

static int loop_close(lua_State *L)
{
    ud_loop *u = symL_checkud(L, 1, UD_LOOP);
    symbi_loop *l = u->loop;
    if (!l) return 0;
    for (size_t i = 0; i < u->cap; i++)
        if (u->items[i].kind) drop(u, &u->items[i]);
    free(u->items);
    u->items = NULL;
    u->cap = 0;
    symbi_http_free(u->http);
    u->http = NULL;
    u->loop = NULL;
    symbi_loop_free(l);
    return 0;
}

static int io_loop(lua_State *L)
{
    ud_loop *u = symL_newud(L, sizeof *u, UD_LOOP);
    symbi_err err;
    u->watched = -1;
    l_io_keep(L);
    if (symbi_loop_new(symL_ctx(L), &u->loop, &err)) return symL_fail(L, &err);
    return 1;
}

/* A free place, with a new id; NULL: out of memory. It counts once kind is set. */
static item *place(ud_loop *u)
{
    item *i;
    if (u->open + u->watches == u->cap) {
        size_t cap = u->cap ? 2 * u->cap : 16;
        i = realloc(u->items, cap * sizeof *i);
        if (!i) return NULL;
        memset(i + u->cap, 0, (cap - u->cap) * sizeof *i);
        u->items = i;
        u->cap = cap;
    }
    for (i = u->items; i->kind; i++) continue;
    memset(i, 0, sizeof *i);
    return i;
}

static int added(lua_State *L, ud_loop *u, item *i, item_kind kind)
{
    i->kind = kind;
    i->id = ++u->last_id;
    u->open++;
    symL_pushint(L, i->id);
    return 1;
}

static int no_memory(lua_State *L) { return luaL_error(L, "out of memory"); }

static int loop_sleep(lua_State *L)
{
    ud_loop *u = checkloop(L);
    int64_t ms = symL_checkint(L, 2, 0, (int64_t)1 << 40);
    symbi_err err;
    item *i = place(u);
    if (!i) return no_memory(L);
    if (symbi_loop_timer(u->loop, ms, T_SLEEP + (uint64_t)u->last_id + 1, &i->timer, &err)) return symL_fail(L, &err);
    return added(L, u, i, I_SLEEP);
}

static int loop_ready(lua_State *L)
{
    ud_loop *u = checkloop(L);
    int fd = (int)symL_checkint(L, 2, 0, 1 << 20);
    symbi_str mode = symL_checkstr(L, 3);
    int64_t ms = symL_optint(L, 4, -1, -1, (int64_t)1 << 40);
    uint64_t token = T_SLEEP + (uint64_t)u->last_id + 1;
    unsigned bits = 0;
    symbi_err err;
    item *i;
    for (size_t k = 0; k < mode.n; k++) bits |= mode.p[k] == 'r' ? (unsigned)SYMBI_LOOP_READ : mode.p[k] == 'w' ? (unsigned)SYMBI_LOOP_WRITE : 64u;
    if (!bits || bits & 64u) return luaL_argerror(L, 3, "expected \"r\", \"w\" or \"rw\"");
    for (size_t k = 0; k < u->cap; k++)
        if (u->items[k].kind == I_READY && u->items[k].fd == fd) return luaL_argerror(L, 2, "somebody waits for this descriptor already");
    if (!(i = place(u))) return no_memory(L);
    if (ms >= 0 && symbi_loop_timer(u->loop, ms, token, &i->timer, &err)) return symL_fail(L, &err);
    if (symbi_loop_watch(u->loop, fd, bits, token, &err)) {
        if (ms >= 0) symbi_loop_cancel(u->loop, i->timer);
        return symL_fail(L, &err);
    }
    i->fd = fd;
    i->has_timer = ms >= 0;
    return added(L, u, i, I_READY);
}

static int loop_watch(lua_State *L)
{
    ud_loop *u = checkloop(L);
    symbi_watch *w = l_io_checkwatch(L, 2);
    symbi_err err;
    item *i = place(u);
    if (!i) return no_memory(L);
    if (symbi_loop_watch(u->loop, symbi_watch_fd(w), SYMBI_LOOP_READ, T_WATCH, &err)) return symL_fail(L, &err);
    i->w = symbi_watch_ref(w);
    i->fd = symbi_watch_fd(w);
    i->kind = I_WATCH;
    i->id = ++u->last_id;
    u->watches++;
    symL_pushint(L, i->id);
    return 1;
}

/* Looks at every watch; *left: not longer than until the next of them has something to tell. One that fails says "changed": whoever follows it
 * looks for himself, and nobody else's wait ends for it. */
static void look_at_watches(ud_loop *u, int64_t *left)
{
    for (size_t k = 0; u->watches && k < u->cap; k++) {
        item *i = &u->items[k];
        int64_t due;
        if (i->kind != I_WATCH || i->done) continue;
        if (symbi_watch_poll(i->w, 0, &i->done, NULL)) i->done = true;
        due = i->done ? 0 : symbi_watch_due(i->w);
        if (due >= 0 && due < *left) *left = due;
    }
}

static int loop_http(lua_State *L)
{
    ud_loop *u = checkloop(L);
    symbi_http_request rq;
    symbi_err err;
    item *i;
    lua_settop(L, 2);
    l_io_request(L, 2, &rq);
    if (!u->http && symbi_http_new(symL_ctx(L), NULL, u->loop, T_HTTP, &u->http, &err)) return symL_fail(L, &err);
    if (!(i = place(u))) return no_memory(L);
    if (symbi_http_start(u->http, &rq, &i->x, &err)) return l_io_start_fail(L, &rq, &err);
    return added(L, u, i, I_HTTP);
}

static int loop_exec(lua_State *L)
{
    ud_loop *u = checkloop(L);
    ud_iostate *s = l_io_kept(L, 1);
    symbi_order order;
    symbi_str permit = { (const char *)order.bytes, sizeof order.bytes };
    symbi_spawner *sp;
    const symbi_plan *p;
    symbi_err err;
    item *i;
    symL_checkud(L, 2, UD_PLAN);
    if (!(sp = l_io_spawner(L, s, &err))) return symL_fail(L, &err);
    if (!(i = place(u))) return no_memory(L);
    p = l_io_take_plan(L, 2, &order);
    if (symbi_spawner_start(sp, p, permit, &i->job, &err)) return symL_fail(L, &err);
    return added(L, u, i, I_EXEC);
}

static int loop_cancel(lua_State *L)
{
    ud_loop *u = checkloop(L);
    int64_t id = symL_checkint(L, 2, 1, INT64_MAX);
    for (size_t i = 0; i < u->cap; i++)
        if (u->items[i].kind && u->items[i].id == id) {
            drop(u, &u->items[i]);
            lua_pushboolean(L, 1);
            return 1;
        }
    lua_pushboolean(L, 0);
    return 1;
}

static int loop_count(lua_State *L)
{
    symL_pushint(L, (int64_t)checkloop(L)->open);
    return 1;
}

/* The values of an item that has something to tell; 0 when it has not. */
static int tell(lua_State *L, ud_loop *u, item *i)
{
    symbi_exec_result er;
    symbi_http_response hr;
    symbi_http_error why;
    symbi_err err;
    symbi_str s;
    int n = lua_gettop(L);
    symL_pushint(L, i->id);
    if (i->kind == I_SLEEP) {
        if (!i->done) goto nothing;
        lua_pushliteral(L, "sleep");
        lua_pushboolean(L, 1);
    } else if (i->kind == I_READY) {
        if (!i->done) goto nothing;
        lua_pushliteral(L, "ready");
        lua_pushboolean(L, i->up);
    } else if (i->kind == I_WATCH) {
        if (!i->done) goto nothing;
        lua_pushliteral(L, "watch");
        lua_pushboolean(L, 1);
    } else if (i->kind == I_EXEC) {
        if (!symbi_job_done(i->job)) goto nothing;
        lua_pushliteral(L, "exec");
        if (symbi_job_result(i->job, &er, &err)) symL_fail(L, &err);
        else l_io_push_exec(L, &er);
    } else {
        s = symbi_xfer_take(i->x); /* empty for what is not streamed */
        if (s.n) {
            lua_pushliteral(L, "data");
            symL_pushstr(L, s);
            symL_pushint(L, symbi_xfer_status(i->x));
            return lua_gettop(L) - n;
        }
        if (!symbi_xfer_done(i->x)) goto nothing;
        lua_pushliteral(L, "http");
        if (symbi_xfer_result(i->x, &hr, &why, &err)) l_io_xfer_fail(L, i->x, &err, why);
        else l_io_push_response(L, &hr);
    }
    drop(u, i);
    return lua_gettop(L) - n;
nothing:
    lua_settop(L, n);
    return 0;
}

/* Looks at the items in turn, from where the last look ended. */
static int look(lua_State *L, ud_loop *u)
{
    for (size_t k = 0; k < u->cap; k++) {
        size_t i = (u->next + k) % u->cap;
        int n = u->items[i].kind ? tell(L, u, &u->items[i]) : 0;
        if (!n) continue;
        u->next = i + 1;
        return n;
    }
    return 0;
}

/* Watches the spawner's descriptor as it wants now; it changes when the spawner is started again. */
static symbi_status follow(ud_loop *u, symbi_spawner *sp, symbi_err *err)
{
    int fd = sp && symbi_spawner_open(sp) ? symbi_spawner_fd(sp) : -1;
    unsigned bits = fd >= 0 ? symbi_spawner_wants(sp) : 0;
    symbi_status st = SYMBI_OK;
    if (fd == u->watched && bits == u->bits) return SYMBI_OK;
    if (u->watched >= 0 && u->watched != fd) st = symbi_loop_watch(u->loop, u->watched, 0, 0, err);
    u->watched = -1;
    if (!st && fd >= 0) st = symbi_loop_watch(u->loop, fd, bits, T_SPAWNER, err);
    if (!st) u->watched = fd, u->bits = bits;
    return st;
}

static int64_t mono_ms(lua_State *L) { return symbi_ctx_mono_ms(symL_ctx(L)); }

static int loop_wait(lua_State *L)
{
    ud_loop *u = checkloop(L);
    ud_iostate *s = l_io_kept(L, 1);
    int64_t ms = symL_optint(L, 2, -1, -1, (int64_t)1 << 40), until = mono_ms(L) + ms;
    symbi_err err;
    for (bool last = false;;) {
        symbi_loop_event ev[EVENTS];
        size_t n = 0;
        int64_t left = ms < 0 ? L_IO_SLICE_MS : until - mono_ms(L);
        int told = look(L, u);
        if (told) return told;
        if (!u->open && !u->watches) {
            lua_pushnil(L);
            return 1;
        }
        if (last) {
            lua_pushboolean(L, 0);
            return 1;
        }
        if (left > L_IO_SLICE_MS) left = L_IO_SLICE_MS;
        last = ms >= 0 && left <= 0; /* one look without waiting */
        look_at_watches(u, &left);
        if (follow(u, s->sp, &err) || symbi_loop_wait(u->loop, left < 0 ? 0 : left, ev, EVENTS, &n, &err)) return symL_fail(L, &err);
        for (size_t k = 0; k < n; k++) {
            if (ev[k].token == T_SPAWNER && s->sp) symbi_spawner_step(s->sp);
            else if (ev[k].token == T_HTTP) symbi_http_ready(u->http, &ev[k]);
            else if (ev[k].token > T_SLEEP)
                for (size_t i = 0; i < u->cap; i++)
                    if ((u->items[i].kind == I_SLEEP || u->items[i].kind == I_READY) && u->items[i].id == (int64_t)(ev[k].token - T_SLEEP)) {
                        u->items[i].done = true;
                        u->items[i].up = u->items[i].up || ev[k].fd >= 0;
                    }
        }
        if (!n && l_io_interrupt(L, &err)) return symL_fail(L, &err);
    }
}

void l_io_loop_open(lua_State *L)
{
    static const luaL_Reg methods[] = { { "http", loop_http }, { "exec", loop_exec }, { "sleep", loop_sleep }, { "ready", loop_ready }, { "watch", loop_watch }, { "wait", loop_wait },
                                        { "cancel", loop_cancel }, { "count", loop_count }, { "close", loop_close }, { NULL, NULL } };
    static const luaL_Reg meta[] = { { "__gc", loop_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "loop", io_loop }, { NULL, NULL } };
    symL_newtype(L, UD_LOOP, methods, meta);
    symL_setfuncs(L, funcs);
}
