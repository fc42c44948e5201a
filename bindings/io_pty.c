/* bindings/io_pty.c: a session (symbi/session.h) with its program at a terminal (symbi/io_pipe.h), as one object that is stepped.
 *   t, msg, err = io.session(plan)      a plan of backend session with its order, which is spent: starts the program; its command is typed
 *                                       once there is a prompt
 *   true, msg, err = t:call(plan)       the next command, with an order of its own; one at a time
 *   done, ms = t:step()                 carries bytes to and fro, without waiting: true when the command is answered (or never will be);
 *                                       else false, and after how many milliseconds to come again if t:fd() is not ready before
 *   raw, msg, err = t:reply()           after done: what the tool's envelope is made of; nil when the command was refused
 *   lines = t:transcript()              new lines of it
 *   info = t:info()                     {state=, id=, child=, inferred=, why=, interactions=, events=, pid=}
 *   t:fd() t:wants() t:ended() t:hang_up() t:close() */
#include "io_int.h"
#include "symbi/io_pipe.h"
#include "symbi/session.h"

#include <string.h>

#define UD_SESSION "symbi.session"
enum { READS = 16 };

typedef struct ud_session {
    symbi_pipe *p;
    symbi_session *s;
    symbi_plan *plan; /* of the open call; a reference */
    bool begun, done, told; /* told: the first reply was fetched */
    bool refused;     /* the call was refused before anything was typed: err */
    symbi_err err;
} ud_session;

static ud_session *checksession(lua_State *L)
{
    ud_session *u = symL_checkud(L, 1, UD_SESSION);
    if (!u->s) luaL_argerror(L, 1, "the session is closed");
    return u;
}

static int session_close(lua_State *L)
{
    ud_session *u = symL_checkud(L, 1, UD_SESSION), was = *u;
    memset(u, 0, sizeof *u);
    symbi_pipe_free(was.p);
    symbi_session_free(was.s);
    symbi_plan_unref(was.plan);
    return 0;
}

/* The plan at arg, its order spent. */
static symbi_plan *take_plan(lua_State *L, int arg)
{
    ud_plan *u = symL_checkud(L, arg, UD_PLAN);
    if (!u->p) luaL_argerror(L, arg, "the plan is closed");
    if (!u->has_order) luaL_argerror(L, arg, "the plan carries no order: it was executed already, or is of a dry run");
    if (u->p->kind != SYMBI_BACKEND_SESSION) luaL_argerror(L, arg, "not a plan of backend session");
    u->has_order = false;
    memset(&u->order, 0, sizeof u->order);
    return u->p;
}

static int64_t now_of(lua_State *L) { return symbi_ctx_mono_ms(symL_ctx(L)); }
static int64_t wall_of(lua_State *L) { return symbi_ctx_now_ms(symL_ctx(L)); }

static int io_session(lua_State *L)
{
    symbi_ctx *cx = symL_ctx(L);
    symbi_pipe_options o;
    symbi_session_info in;
    symbi_err err;
    ud_session *u;
    symbi_plan *p;
    symL_checkud(L, 1, UD_PLAN);
    u = symL_newud(L, sizeof *u, UD_SESSION);
    p = take_plan(L, 1);
    if (symbi_session_new(cx, p, now_of(L), wall_of(L), &u->s, &err)) return symL_fail(L, &err);
    symbi_session_get_info(u->s, &in);
    symbi_pipe_options_init(&o);
    o.argv = p->argv;
    o.argc = p->argc;
    o.env = p->env;
    o.nenv = p->nenv;
    o.cwd = p->cwd;
    o.terminal = true;
    o.box = p;
    o.rows = in.rows;
    o.cols = in.cols;
    o.life_ms = in.total_ms;
    u->plan = symbi_plan_ref(p);
    if (symbi_pipe_open(cx, &o, &u->p, &err)) { /* a fact of the tool, not of the host: it is in the reply */
        if (err.code == SYMBI_ENOMEM) return symL_fail(L, &err);
        symbi_session_failed(u->s, symbi_str_z(err.msg), wall_of(L));
    }
    return 1;
}

static int session_call(lua_State *L)
{
    ud_session *u = checksession(L);
    symbi_plan *p, *old = u->plan;
    symL_checkud(L, 2, UD_PLAN);
    if (old && !u->done) return luaL_error(L, "the session is at work: one command at a time");
    p = take_plan(L, 2);
    u->plan = symbi_plan_ref(p);
    u->begun = u->done = u->refused = false;
    symbi_plan_unref(old);
    lua_pushboolean(L, 1);
    return 1;
}

/* What the terminal has is given to the machine; the end of the program is noticed. */
static void take_bytes(lua_State *L, ud_session *u)
{
    symbi_err err;
    for (int i = 0; u->p && i < READS; i++) {
        symbi_str b;
        symbi_pipe_end end;
        symbi_status st = symbi_pipe_read(u->p, &b, &err);
        if (st == SYMBI_EAGAIN) return;
        if (!st) {
            (void)!symbi_session_feed(u->s, b, now_of(L), wall_of(L), &err); /* what fails is a state of the session */
            continue;
        }
        if (!symbi_pipe_ended(u->p, 100, &end)) { /* it let go of its terminal and lives on: nobody could talk to it */
            symbi_pipe_hang_up(u->p);
            if (!symbi_pipe_ended(u->p, SYMBI_PIPE_HANGUP_MS + 300, &end)) end.exit_code = -1, end.signal = 9;
        }
        if (end.not_run.n) symbi_session_failed(u->s, end.not_run, wall_of(L));
        else symbi_session_ended(u->s, end.exit_code, end.signal, 0, wall_of(L));
        return;
    }
}

static bool over(ud_session *u)
{
    symbi_session_info in;
    symbi_session_get_info(u->s, &in);
    return in.state > SYMBI_SESSION_BUSY;
}

static void begin(lua_State *L, ud_session *u)
{
    symbi_session_info in;
    symbi_str typed;
    symbi_status st;
    symbi_session_echo(u->s, u->p && symbi_pipe_echoes(u->p));
    st = symbi_session_begin(u->s, u->plan, now_of(L), wall_of(L), &typed, &u->err);
    symbi_session_get_info(u->s, &in);
    if (!st && (!u->p || symbi_pipe_write(u->p, typed, &u->err))) symbi_session_failed(u->s, symbi_str_z("the program does not take input any more"), wall_of(L));
    else if (!st) symbi_pipe_keep(u->p, in.idle_ms + u->plan->timeout_ms);
    if (st) {
        symbi_session_note_denied(u->s, u->plan->command, symbi_str_z(u->err.msg), wall_of(L));
        u->refused = u->done = true;
    }
    u->begun = true;
}

static int session_step(lua_State *L)
{
    ud_session *u = checksession(L);
    int64_t due;
    symbi_session_state st;
    take_bytes(L, u);
    st = symbi_session_tick(u->s, now_of(L), wall_of(L));
    if (u->plan && !u->done && !u->begun && st == SYMBI_SESSION_READY) {
        begin(L, u);
        st = symbi_session_tick(u->s, now_of(L), wall_of(L));
    }
    if (u->plan && !u->done && (st > SYMBI_SESSION_BUSY || (u->begun && st == SYMBI_SESSION_READY))) {
        u->done = true;
        if (!u->begun && u->told) { /* over before this call: there is nothing to tell of it but that */
            symbi_str none;
            if (!symbi_session_begin(u->s, u->plan, now_of(L), wall_of(L), &none, &u->err)) memset(&u->err, 0, sizeof u->err);
            symbi_session_note_denied(u->s, u->plan->command, symbi_str_z(u->err.msg), wall_of(L));
            u->refused = true;
        }
    }
    if (u->p && over(u)) symbi_pipe_hang_up(u->p);
    else if (u->p && u->done) {
        symbi_session_info in;
        symbi_session_get_info(u->s, &in);
        symbi_pipe_keep(u->p, in.idle_ms);
    }
    due = symbi_session_due(u->s, now_of(L));
    lua_pushboolean(L, u->done || !u->plan);
    symL_pushint(L, due < 0 ? 0 : due);
    return 2;
}

static int session_reply(lua_State *L)
{
    ud_session *u = checksession(L);
    symbi_doc *d;
    symbi_err err;
    if (!u->done) return luaL_error(L, "the session is at work: there is no reply yet");
    if (u->refused) return symL_fail(L, &u->err);
    if (symbi_session_reply(u->s, now_of(L), &d, &err)) return symL_fail(L, &err);
    u->told = true;
    symL_pushdoc(L, d);
    return 1;
}

static int session_transcript(lua_State *L)
{
    ud_session *u = checksession(L);
    symbi_text *t = symL_text(L);
    symbi_err err;
    if (symbi_session_transcript(u->s, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static void set_str(lua_State *L, const char *k, symbi_str s)
{
    symL_pushstr(L, s);
    lua_setfield(L, -2, k);
}

static int session_info(lua_State *L)
{
    ud_session *u = checksession(L);
    symbi_session_info in;
    uint8_t chain[32];
    symbi_session_get_info(u->s, &in);
    symbi_session_transcript_hash(u->s, chain);
    lua_createtable(L, 0, 8);
    set_str(L, "state", symbi_str_z(symbi_session_state_name(in.state)));
    set_str(L, "id", in.id);
    set_str(L, "inferred", in.inferred);
    set_str(L, "prompt", in.prompt);
    set_str(L, "child", in.child);
    set_str(L, "why", in.why);
    symL_pushint(L, (int64_t)in.interactions);
    lua_setfield(L, -2, "interactions");
    symL_pushint(L, (int64_t)in.events);
    lua_setfield(L, -2, "events");
    symL_pushint(L, u->p ? symbi_pipe_pid(u->p) : 0);
    lua_setfield(L, -2, "pid");
    lua_pushlstring(L, (const char *)chain, sizeof chain);
    lua_setfield(L, -2, "transcript_sha256");
    return 1;
}

static int session_fd(lua_State *L)
{
    ud_session *u = checksession(L);
    symL_pushint(L, u->p && !over(u) ? symbi_pipe_fd(u->p) : -1);
    return 1;
}

static int session_wants(lua_State *L)
{
    ud_session *u = checksession(L);
    lua_pushstring(L, u->p && (symbi_pipe_wants(u->p) & SYMBI_LOOP_WRITE) ? "rw" : "r");
    return 1;
}

static int session_ended(lua_State *L)
{
    ud_session *u = checksession(L);
    symbi_pipe_end end;
    lua_pushboolean(L, !u->p || symbi_pipe_ended(u->p, 0, &end));
    return 1;
}

static int session_hang_up(lua_State *L)
{
    ud_session *u = checksession(L);
    if (u->p) symbi_pipe_hang_up(u->p);
    return 0;
}

void l_io_pty_open(lua_State *L)
{
    static const luaL_Reg methods[] = { { "call", session_call }, { "step", session_step }, { "reply", session_reply }, { "transcript", session_transcript }, { "info", session_info },
                                        { "fd", session_fd }, { "wants", session_wants }, { "ended", session_ended }, { "hang_up", session_hang_up }, { "close", session_close }, { NULL, NULL } };
    static const luaL_Reg meta[] = { { "__gc", session_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "session", io_session }, { NULL, NULL } };
    symL_newtype(L, UD_SESSION, methods, meta);
    symL_setfuncs(L, funcs);
}
