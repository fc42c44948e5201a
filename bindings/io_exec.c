/* bindings/io_exec.c: tools as processes. Only a plan that came out of a redeemed permit runs, and runs once.
 *   io.spawner([{listen=, gate=, permit_ttl_ms=, max_jobs=, max_timeout_ms=, nofile=, cpu_seconds=, address_bytes=, file_bytes=, bwrap=}])   starts it early; its pid.
 *     gate: it checks every order itself, under that gate's key; needed with listen=, a Unix socket that it serves for others
 *     bwrap: where bubblewrap is, for plans with a sandbox; else it is looked for in the usual places
 *   result = io.exec(plan)          waits: {exit_code=, stdout=, stderr=, ...}, the shape run:resolve takes as exec;
 *     parser={exit_code=, stdout=, ...} where the plan names one and the tool succeeded
 *   job = io.start(plan)            job:wait([ms]) true or false, job:result(), job:kill(), job:close()
 *   started, msg, err = io.spawner_revive()   starts it again if it has died: true then, false when it lives or there is none
 * And for clients that speak to a spawner's socket themselves (nginx, over a cosocket):
 *   bytes = io.exec_encode(plan); n = io.exec_frame_len(bytes) whole length or 0; result = io.exec_decode(frame) */
#include "io_int.h"

#include <string.h>

static void set_str(lua_State *L, const char *k, symbi_str s)
{
    symL_pushstr(L, s);
    lua_setfield(L, -2, k);
}

static void set_int(lua_State *L, const char *k, int64_t i)
{
    symL_pushint(L, i);
    lua_setfield(L, -2, k);
}

static void set_bool(lua_State *L, const char *k, bool b)
{
    lua_pushboolean(L, b);
    lua_setfield(L, -2, k);
}

static void set_hex(lua_State *L, const char *k, const uint8_t h[32])
{
    static const char hex[] = "0123456789abcdef";
    char digest[64];
    for (size_t i = 0; i < 32; i++) {
        digest[2 * i] = hex[h[i] >> 4];
        digest[2 * i + 1] = hex[h[i] & 15];
    }
    lua_pushlstring(L, digest, sizeof digest);
    lua_setfield(L, -2, k);
}

static void push_parsed(lua_State *L, const symbi_parse_run *p)
{
    lua_createtable(L, 0, 9);
    set_str(L, "stdout", p->out);
    set_str(L, "stderr", p->err);
    set_bool(L, "stdout_truncated", p->out_truncated);
    set_bool(L, "timed_out", p->timed_out);
    set_int(L, "exit_code", p->exit_code);
    set_int(L, "signal", p->signal);
    set_int(L, "start_errno", p->start_errno);
    set_int(L, "duration_ms", p->duration_ms);
    set_hex(L, "sha256", p->sha256);
}

int l_io_push_exec(lua_State *L, const symbi_exec_result *r)
{
    lua_createtable(L, 0, 13);
    if (r->parsed.tried) {
        push_parsed(L, &r->parsed);
        lua_setfield(L, -2, "parser");
    }
    set_str(L, "stdout", r->out);
    set_str(L, "stderr", r->err);
    if (r->output_file.n) set_str(L, "output_file", r->output_file);
    set_bool(L, "stdout_truncated", r->out_truncated);
    set_bool(L, "stderr_truncated", r->err_truncated);
    set_int(L, "stdout_bytes", (int64_t)r->out_bytes);
    set_hex(L, "stdout_sha256", r->out_sha256);
    set_int(L, "exit_code", r->exit_code);
    set_int(L, "signal", r->signal);
    set_bool(L, "timed_out", r->timed_out);
    set_int(L, "start_errno", r->start_errno);
    set_int(L, "started_ms", r->started_ms);
    set_int(L, "duration_ms", r->duration_ms);
    return 1;
}

symbi_spawner *l_io_spawner(lua_State *L, ud_iostate *s, symbi_err *err)
{
    if (!s->sp && symbi_spawner_new(symL_ctx(L), NULL, &s->sp, err)) return NULL;
    return s->sp;
}

static int io_spawner(lua_State *L)
{
    static const char *const known[] = { "listen", "gate", "permit_ttl_ms", "max_jobs", "max_timeout_ms", "nofile", "cpu_seconds", "address_bytes", "file_bytes", "bwrap", NULL };
    const symbi_str none = { NULL, 0 };
    symbi_spawner_options o;
    ud_iostate *s;
    symbi_err err;
    symbi_str listen, bwrap;
    ud_gate *g = NULL;
    int64_t ttl;
    lua_settop(L, 1);
    symL_checkopts(L, 1, known);
    symbi_spawner_options_init(&o);
    listen = symL_optfield_str(L, 1, "listen", none);
    if (listen.p && strlen(listen.p) != listen.n) luaL_argerror(L, 1, "a path holds no zero byte");
    o.listen_path = listen.p;
    bwrap = symL_optfield_str(L, 1, "bwrap", none);
    if (bwrap.p && strlen(bwrap.p) != bwrap.n) luaL_argerror(L, 1, "a path holds no zero byte");
    o.bwrap = bwrap.p;
    o.max_jobs = (size_t)symL_optfield_int(L, 1, "max_jobs", 0, 0, 4096);
    o.max_timeout_ms = symL_optfield_int(L, 1, "max_timeout_ms", 0, 0, INT64_MAX);
    o.nofile = (size_t)symL_optfield_int(L, 1, "nofile", 0, 0, 1 << 20);
    o.cpu_seconds = (uint64_t)symL_optfield_int(L, 1, "cpu_seconds", 0, 0, INT64_MAX);
    o.address_bytes = (uint64_t)symL_optfield_int(L, 1, "address_bytes", 0, 0, INT64_MAX);
    o.file_bytes = (uint64_t)symL_optfield_int(L, 1, "file_bytes", 0, 0, INT64_MAX);
    ttl = symL_optfield_int(L, 1, "permit_ttl_ms", 0, 0, 86400000);
    if (lua_istable(L, 1)) {
        lua_getfield(L, 1, "gate");
        g = symL_testud(L, -1, UD_GATE);
        if (!lua_isnil(L, -1) && (!g || !g->p)) return luaL_error(L, "io.spawner: gate must be an open gate, got %s", luaL_typename(L, -1));
    }
    if (listen.p && !g) return luaL_error(L, "io.spawner: listen needs gate, to check the orders that come over the socket");
    s = l_io_state(L);
    if (s->sp && !lua_isnoneornil(L, 1)) {
        memset(&err, 0, sizeof err);
        err.code = SYMBI_ESTATE;
        strcpy(err.msg, "the tool spawner runs already: give its options before the first tool, or call io.close() first");
        return symL_fail(L, &err);
    }
    if (!s->sp && g) {
        uint8_t key[32];
        symbi_status st;
        symbi_order_book_free(s->book); /* of a start that failed */
        symbi_gate_key(g->p, key);
        st = symbi_order_book_new(symL_ctx(L), key, ttl, 0, &s->book, &err);
        symbi_wipe(key, sizeof key);
        if (st) return symL_fail(L, &err);
        o.check = symbi_order_book_check;
        o.check_ud = s->book;
    }
    if (!s->sp && symbi_spawner_new(symL_ctx(L), &o, &s->sp, &err)) return symL_fail(L, &err);
    symL_pushint(L, symbi_spawner_pid(s->sp));
    return 1;
}

/* io.spawner_revive(): true when the spawner of this state had died and was started again, false when it lives (or there is none) */
static int io_revive(lua_State *L)
{
    ud_iostate *s = l_io_state(L);
    bool started = false;
    symbi_err err;
    if (s->sp && symbi_spawner_revive(s->sp, &started, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, started);
    return 1;
}

const symbi_plan *l_io_take_plan(lua_State *L, int arg, symbi_order *order)
{
    ud_plan *u = symL_checkud(L, arg, UD_PLAN);
    if (!u->p) luaL_argerror(L, arg, "the plan is closed");
    if (!u->has_order) luaL_argerror(L, arg, "the plan carries no order: it was executed already, or is of a dry run");
    if (u->p->kind != SYMBI_BACKEND_SHELL) luaL_argerror(L, arg, "not a plan of backend shell");
    *order = u->order;
    u->has_order = false;
    return u->p;
}

static ud_job *checkjob(lua_State *L, int arg)
{
    ud_job *u = symL_checkud(L, arg, UD_JOB);
    if (!u->p) luaL_argerror(L, arg, "the job is closed");
    return u;
}

static int job_close(lua_State *L)
{
    ud_job *u = symL_checkud(L, 1, UD_JOB);
    symbi_job *j = u->p;
    u->p = NULL;
    symbi_job_free(j);
    return 0;
}

static int io_start(lua_State *L)
{
    symbi_order order;
    symbi_str permit = { (const char *)order.bytes, sizeof order.bytes };
    ud_job *u;
    ud_iostate *s;
    symbi_spawner *sp;
    symbi_err err;
    const symbi_plan *p;
    symL_checkud(L, 1, UD_PLAN);
    u = symL_newud(L, sizeof *u, UD_JOB);
    s = l_io_keep(L);
    sp = l_io_spawner(L, s, &err);
    if (!sp) return symL_fail(L, &err);
    p = l_io_take_plan(L, 1, &order);
    if (symbi_spawner_start(sp, p, permit, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

/* Waits in slices, so that Ctrl-C gets through: 1 done, 0 the time is up, -1 interrupted or failed (err). */
static int wait_sliced(lua_State *L, symbi_job *j, int64_t ms, symbi_err *err)
{
    for (;;) {
        int64_t slice = ms >= 0 && ms < L_IO_SLICE_MS ? ms : L_IO_SLICE_MS;
        symbi_status st = symbi_job_wait(j, slice, err);
        if (!st) return 1;
        if (st != SYMBI_ETIMEOUT) return -1;
        if (ms >= 0 && (ms -= slice) <= 0) return 0;
        if (l_io_interrupt(L, err)) {
            symbi_job_kill(j);
            return -1;
        }
    }
}

static int job_wait(lua_State *L)
{
    ud_job *u = checkjob(L, 1);
    symbi_err err;
    int r = wait_sliced(L, u->p, symL_optint(L, 2, -1, -1, (int64_t)1 << 40), &err);
    if (r < 0) return symL_fail(L, &err);
    lua_pushboolean(L, r);
    return 1;
}

static int job_result(lua_State *L)
{
    ud_job *u = checkjob(L, 1);
    symbi_exec_result r;
    symbi_err err;
    if (symbi_job_result(u->p, &r, &err)) return symL_fail(L, &err);
    return l_io_push_exec(L, &r);
}

static int job_kill(lua_State *L)
{
    symbi_job_kill(checkjob(L, 1)->p);
    return 0;
}

static int io_exec(lua_State *L)
{
    symbi_err err;
    ud_job *u;
    int n = io_start(L);
    if (n != 1) return n;
    lua_replace(L, 1);
    lua_settop(L, 1);
    u = checkjob(L, 1);
    if (wait_sliced(L, u->p, -1, &err) < 0) return symL_fail(L, &err);
    n = job_result(L);
    job_close(L);
    return n;
}

static int exec_encode(lua_State *L)
{
    symbi_order order;
    symbi_str permit = { (const char *)order.bytes, sizeof order.bytes };
    symbi_text *t;
    symbi_err err;
    const symbi_plan *p;
    symL_checkud(L, 1, UD_PLAN);
    t = symL_text(L);
    p = l_io_take_plan(L, 1, &order);
    if (symbi_exec_encode(symL_ctx(L), p, permit, 1, t, &err)) {
        ((ud_plan *)symL_checkud(L, 1, UD_PLAN))->has_order = true; /* nothing left this place */
        return symL_fail(L, &err);
    }
    symL_pushtext(L, t);
    return 1;
}

static int exec_frame_len(lua_State *L)
{
    size_t n;
    symbi_err err;
    if (symbi_exec_frame_len(symL_checkstr(L, 1), &n, &err)) return symL_fail(L, &err);
    symL_pushint(L, (int64_t)n);
    return 1;
}

static int exec_decode(lua_State *L)
{
    uint64_t id;
    symbi_exec_result r;
    symbi_err err;
    if (symbi_exec_decode(symL_checkstr(L, 1), &id, &r, &err)) return symL_fail(L, &err);
    return l_io_push_exec(L, &r);
}

void l_io_exec_open(lua_State *L)
{
    static const luaL_Reg methods[] = { { "wait", job_wait }, { "result", job_result }, { "kill", job_kill }, { "close", job_close }, { NULL, NULL } };
    static const luaL_Reg meta[] = { { "__gc", job_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "spawner", io_spawner }, { "spawner_revive", io_revive }, { "start", io_start }, { "exec", io_exec }, { "exec_encode", exec_encode },
                                      { "exec_frame_len", exec_frame_len }, { "exec_decode", exec_decode }, { NULL, NULL } };
    symL_newtype(L, UD_JOB, methods, meta);
    symL_setfuncs(L, funcs);
}
