/* bindings/lrun.c: symbi.run (core side). Drivers are lua/symbi/io/drive.lua and its friends.
 *
 *   run = core.run.new{gate=, audit= or no_audit=true, agent_id=, prompt=, system=, provider=, base_url=, model=, api_key=, stream=,
 *                      temperature=, max_iterations=, max_total_tokens=, ..., commit="store"|"effect", env={...}, project_dir=}
 *   effect, msg, err = run:next()             {id=, kind="model"|"tool"|..., ...}; err.code == "EAGAIN": resolve something first
 *   ok, msg, err = run:feed(id, bytes)
 *   ok, msg, err = run:resolve(id, reply)     reply: {error=} or what belongs to the kind (below)
 *   plan, msg, err = run:redeem(id, permit)   the plan of a TOOL effect, once
 *   run:cancel() run:tick() run:state() run:events() run:conversation() run:close()
 *
 * Replies: model {neutral=text} or {status=, headers={{name,value},...}, body=}; tool {exec={...}} or {value=any}; approve
 * {approved=, approver=}; commit {receipt=}; sleep and cancel {}. */
#include <math.h>
#include <string.h>

#include "lgate.h"
#include "lsecrets.h"
#include "symL.h"
#include "ud.h"

static symbi_run *checkrun(lua_State *L, int arg)
{
    ud_run *u = symL_checkud(L, arg, UD_RUN);
    if (!u->p) luaL_argerror(L, arg, "the run is closed");
    if (u->busy) luaL_argerror(L, arg, "the run is in use");
    return u->p;
}

static int run_gc(lua_State *L)
{
    ud_run *u = symL_checkud(L, 1, UD_RUN);
    symbi_run *r = u->p;
    u->p = NULL;
    symbi_run_free(r);
    return 0;
}

static int run_close(lua_State *L)
{
    ud_run *u = symL_checkud(L, 1, UD_RUN);
    if (u->p && u->busy) luaL_argerror(L, 1, "the run is in use");
    return run_gc(L);
}

static size_t field_size(lua_State *L, const char *name, size_t dflt)
{
    return (size_t)symL_optfield_int(L, 1, name, (int64_t)dflt, 0, INT64_MAX);
}

static bool field_value(lua_State *L, const char *name, symbi_value *v)
{
    symbi_err err;
    lua_getfield(L, 1, name);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return false;
    }
    if (symL_tovalue(L, -1, v, &err)) luaL_error(L, "run.new: %s%s: %s", name, err.path, err.msg);
    return true; /* the value and its anchor stay on the stack */
}

static int run_new(lua_State *L)
{
    static const char *const known[] = { "gate", "audit", "no_audit", "commit", "loop_id", "agent_id", "agent", "context", "identity", "system", "prompt",
        "provider", "base_url", "model", "api_key", "stream", "raw_output", "temperature", "max_iterations", "max_total_tokens", "context_token_budget",
        "max_output_tokens", "timeout_ms", "tool_timeout_ms", "approval_timeout_ms", "defer_timeout_ms", "max_concurrent_tools", "project_dir", "evidence_dir", "env", "sandbox", NULL };
    const symbi_str none = { "", 0 };
    symbi_run_options o;
    symbi_value agent, context;
    symbi_err err;
    ud_gate *g;
    ud_audit *a;
    ud_run *u;
    ud_agentpin *id = NULL;
    symbi_str commit;
    lua_settop(L, 1);
    symL_owntable(L, 1);
    symL_checkopts(L, 1, known);
    symbi_run_options_init(&o);
    o.no_audit = symL_optfield_bool(L, 1, "no_audit", false);
    commit = symL_optfield_str(L, 1, "commit", symbi_str_z("store"));
    if (strcmp(commit.p, "effect") != 0 && strcmp(commit.p, "store") != 0) return luaL_error(L, "run.new: commit must be \"store\" or \"effect\"");
    o.commit_effect = commit.p[0] == 'e';
    o.loop_id = symL_optfield_str(L, 1, "loop_id", none);
    o.agent_id = symL_optfield_str(L, 1, "agent_id", none);
    o.system = symL_optfield_str(L, 1, "system", none);
    o.prompt = symL_optfield_str(L, 1, "prompt", none);
    o.provider = symL_optfield_str(L, 1, "provider", none);
    o.base_url = symL_optfield_str(L, 1, "base_url", none);
    o.model = symL_optfield_str(L, 1, "model", none);
    o.api_key = symL_optfield_str(L, 1, "api_key", none);
    o.project_dir = symL_optfield_str(L, 1, "project_dir", none);
    o.evidence_dir = symL_optfield_str(L, 1, "evidence_dir", none);
    o.box = l_optbox(L, 1);
    o.stream = symL_optfield_bool(L, 1, "stream", false);
    o.raw_output = symL_optfield_bool(L, 1, "raw_output", false);
    lua_getfield(L, 1, "temperature");
    if (!lua_isnil(L, -1)) o.temperature = luaL_checknumber(L, -1);
    o.max_iterations = field_size(L, "max_iterations", o.max_iterations);
    o.max_total_tokens = field_size(L, "max_total_tokens", o.max_total_tokens);
    o.context_token_budget = field_size(L, "context_token_budget", o.context_token_budget);
    o.max_output_tokens = field_size(L, "max_output_tokens", o.max_output_tokens);
    o.timeout_ms = (int64_t)field_size(L, "timeout_ms", (size_t)o.timeout_ms);
    o.tool_timeout_ms = (int64_t)field_size(L, "tool_timeout_ms", (size_t)o.tool_timeout_ms);
    o.approval_timeout_ms = (int64_t)field_size(L, "approval_timeout_ms", (size_t)o.approval_timeout_ms);
    o.defer_timeout_ms = (int64_t)field_size(L, "defer_timeout_ms", (size_t)o.defer_timeout_ms);
    o.max_concurrent_tools = field_size(L, "max_concurrent_tools", o.max_concurrent_tools);
    lua_getfield(L, 1, "identity"); /* stays on the stack until the run has its own reference */
    if (!lua_isnil(L, -1)) l_gate_identity(L, -1), id = lua_touserdata(L, -1);
    if (field_value(L, "agent", &agent)) o.agent_attrs = &agent;
    if (field_value(L, "context", &context)) o.context = &context;
    lua_getfield(L, 1, "env");
    if (!lua_isnil(L, -1)) {
        symbi_str *e;
        int t = lua_gettop(L);
        symL_owntable(L, t);
        o.nbase_env = symL_listlen(L, t, "env");
        e = lua_newuserdata(L, (o.nbase_env ? o.nbase_env : 1) * sizeof *e);
        for (size_t i = 0; i < o.nbase_env; i++) {
            lua_rawgeti(L, t, (int)i + 1);
            e[i] = symL_tostr(L, -1);
            lua_pop(L, 1);
            if (!e[i].p) return luaL_error(L, "run.new: env must be a list of \"NAME=value\" strings");
        }
        o.base_env = e;
    }
    o.redactor = l_shared_redactor(L);
    if (o.api_key.n && o.redactor && symbi_redactor_add(o.redactor, o.api_key, &err)) return symL_fail(L, &err); /* an endpoint may repeat it */
    u = symL_newud(L, sizeof *u, UD_RUN);
    lua_createtable(L, 0, 2); /* gate and audit live as long as the run */
    lua_getfield(L, 1, "gate");
    lua_setfield(L, -2, "gate");
    lua_getfield(L, 1, "audit");
    lua_setfield(L, -2, "audit");
    symL_setuservalue(L, -2);
    lua_getfield(L, 1, "gate"); /* what is looked up from here on cannot be closed before it is used: nothing is allocated any more */
    g = symL_testud(L, -1, UD_GATE);
    if (!g || !g->p) return luaL_error(L, "run.new: gate must be an open gate, got %s", luaL_typename(L, -1));
    lua_getfield(L, 1, "audit");
    a = symL_testud(L, -1, UD_AUDIT);
    if (!lua_isnil(L, -1) && (!a || !a->p)) return luaL_error(L, "run.new: audit must be an open audit trail, got %s", luaL_typename(L, -1));
    if (id && !id->p) return luaL_error(L, "run.new: identity: the result is closed");
    lua_pop(L, 2);
    o.gate = g->p;
    o.audit = a ? a->p : NULL;
    o.identity = id ? id->p : NULL;
    if (symbi_run_new(symL_ctx(L), &o, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

/* ---- effects out ---- */

static void setstr(lua_State *L, const char *k, symbi_str s)
{
    symL_pushstr(L, s);
    lua_setfield(L, -2, k);
}

static void setint(lua_State *L, const char *k, int64_t i)
{
    symL_pushint(L, i);
    lua_setfield(L, -2, k);
}

static void push_http(lua_State *L, const symbi_http_request *h)
{
    lua_createtable(L, 0, 7);
    setstr(L, "method", h->method);
    setstr(L, "url", h->url);
    setstr(L, "body", h->body);
    lua_createtable(L, (int)h->nheaders, 0);
    for (size_t i = 0; i < h->nheaders; i++) symL_addpair(L, i + 1, h->headers[i].name, h->headers[i].value);
    lua_setfield(L, -2, "headers");
    setint(L, "timeout_ms", h->timeout_ms);
    setint(L, "max_bytes", (int64_t)h->max_bytes);
    lua_pushboolean(L, h->stream);
    lua_setfield(L, -2, "stream");
    lua_pushboolean(L, h->by_operator);
    lua_setfield(L, -2, "by_operator");
}

static void push_hex(lua_State *L, const uint8_t *p, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    char out[64];
    for (size_t i = 0; i < n && i < 32; i++) {
        out[2 * i] = hex[p[i] >> 4];
        out[2 * i + 1] = hex[p[i] & 15];
    }
    lua_pushlstring(L, out, 2 * n);
}

static void push_result(lua_State *L, const symbi_run_result *r)
{
    lua_createtable(L, 0, 10);
    lua_pushstring(L, symbi_end_name(r->end));
    lua_setfield(L, -2, "reason");
    lua_pushboolean(L, r->end == SYMBI_END_COMPLETED);
    lua_setfield(L, -2, "completed");
    setstr(L, "output", r->output);
    setint(L, "iterations", (int64_t)r->iterations);
    setint(L, "tool_calls", (int64_t)r->tool_calls);
    setint(L, "denied", (int64_t)r->denied);
    setint(L, "duration_ms", r->duration_ms);
    lua_createtable(L, 0, 3);
    setint(L, "prompt_tokens", (int64_t)r->prompt_tokens);
    setint(L, "completion_tokens", (int64_t)r->completion_tokens);
    setint(L, "total_tokens", (int64_t)r->total_tokens);
    lua_setfield(L, -2, "usage");
    if (r->error.code) {
        symL_pusherr(L, &r->error);
        lua_setfield(L, -2, "error");
    }
}

static void push_effect(lua_State *L, const symbi_effect *e)
{
    lua_createtable(L, 0, 10);
    lua_pushstring(L, symbi_effect_name(e->kind));
    lua_setfield(L, -2, "kind");
    setint(L, "id", (int64_t)e->id);
    if (e->model) {
        symL_pushvalue(L, e->model);
        lua_setfield(L, -2, "request");
    }
    if (e->http.url.n) {
        push_http(L, &e->http);
        lua_setfield(L, -2, "http");
    }
    if (e->kind == SYMBI_EFFECT_TOOL || e->kind == SYMBI_EFFECT_APPROVE) {
        setstr(L, "tool", e->tool);
        setstr(L, "call_id", e->call_id);
        if (e->args) {
            symL_pushvalue(L, e->args);
            lua_setfield(L, -2, "arguments");
        }
        push_hex(L, e->verdict->action_digest, 32);
        lua_setfield(L, -2, "action_digest");
        lua_pushstring(L, e->verdict->reason);
        lua_setfield(L, -2, "reason");
    }
    if (e->kind == SYMBI_EFFECT_TOOL) {
        lua_pushstring(L, symbi_backend_name(e->backend));
        lua_setfield(L, -2, "backend");
        lua_pushlstring(L, (const char *)e->permit.bytes, SYMBI_PERMIT_BYTES);
        lua_setfield(L, -2, "permit");
    }
    if (e->ms) setint(L, "ms", e->ms);
    if (e->batch.n) setstr(L, "batch", e->batch);
    if (e->target) setint(L, "target", (int64_t)e->target);
    if (e->result) {
        push_result(L, e->result);
        lua_setfield(L, -2, "result");
    }
}

static int run_next(lua_State *L)
{
    symbi_run *r = checkrun(L, 1);
    ud_run *u = lua_touserdata(L, 1);
    symbi_effect e;
    symbi_err err;
    if (symbi_run_next(r, &e, &err)) return symL_fail(L, &err);
    u->busy = true; /* out of memory leaves it so: of an effect that was lost, the run cannot go on */
    push_effect(L, &e);
    u->busy = false;
    return 1;
}

/* ---- replies in ---- */

static symbi_str rstr(lua_State *L, int t, const char *k)
{
    symbi_str s;
    lua_getfield(L, t, k);
    s = symL_tostr(L, -1);
    if (!s.p && !lua_isnil(L, -1)) luaL_error(L, "reply.%s must be a string, got %s", k, luaL_typename(L, -1));
    lua_pop(L, 1); /* the table keeps it */
    return s;
}

/* reply.error: a string, or an error object {code=, message=}. Unknown codes count as EIO. */
static void read_error(lua_State *L, symbi_err *e)
{
    symbi_str msg = { NULL, 0 }, code = { NULL, 0 };
    size_t n;
    symbi_err_clear(e);
    lua_getfield(L, 3, "error");
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    e->code = SYMBI_EIO;
    if (lua_type(L, -1) == LUA_TSTRING) {
        msg = symL_tostr(L, -1);
    } else if (lua_istable(L, -1) || lua_isuserdata(L, -1)) {
        lua_getfield(L, -1, "message");
        msg = symL_tostr(L, -1);
        lua_pop(L, 1);
        lua_getfield(L, -1, "code");
        code = symL_tostr(L, -1);
        lua_pop(L, 1);
    } else {
        luaL_error(L, "reply.error must be a string or an error object, got %s", luaL_typename(L, -1));
    }
    for (size_t i = 0; code.p; i++) {
        symbi_status st;
        const char *name;
        if (!symbi_status_at(i, &st, &name)) break;
        if (st != SYMBI_OK && strcmp(name, code.p) == 0) e->code = st;
    }
    if (!msg.p) msg = symbi_str_z("the driver failed without saying why");
    n = msg.n < sizeof e->msg - 1 ? msg.n : sizeof e->msg - 1;
    memcpy(e->msg, msg.p, n);
    e->msg[n] = 0;
    lua_pop(L, 1);
}

static bool unhex32(symbi_str s, uint8_t out[32])
{
    if (s.n != 64) return false;
    for (size_t i = 0; i < 64; i++) {
        const char *d = "0123456789abcdef", *q = s.p[i] ? strchr(d, s.p[i]) : NULL;
        if (!q) return false;
        out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | (q - d) : (q - d) << 4);
    }
    return true;
}

static bool rbool(lua_State *L, int t, const char *k)
{
    bool b;
    lua_getfield(L, t, k);
    b = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return b;
}

/* What the plan's parser gave, where the executor ran one. */
static void read_parsed(lua_State *L, int t, symbi_parse_run *p)
{
    symbi_str hash;
    lua_getfield(L, t, "parser");
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    symL_owntable(L, -1);
    t = lua_gettop(L);
    p->tried = true;
    p->out = rstr(L, t, "stdout");
    p->err = rstr(L, t, "stderr");
    p->out_truncated = rbool(L, t, "stdout_truncated");
    p->timed_out = rbool(L, t, "timed_out");
    p->exit_code = (int)symL_optfield_int(L, t, "exit_code", -1, INT32_MIN, INT32_MAX);
    p->signal = (int)symL_optfield_int(L, t, "signal", 0, 0, 255);
    p->start_errno = (int)symL_optfield_int(L, t, "start_errno", 0, 0, 4095);
    p->duration_ms = symL_optfield_int(L, t, "duration_ms", 0, 0, INT64_MAX);
    hash = rstr(L, t, "sha256");
    if (!unhex32(hash, p->sha256)) luaL_error(L, "reply.exec.parser.sha256 must be 64 lower-case hexadecimal digits"); /* stays on the stack, with its strings */
}

static void read_exec(lua_State *L, int t, symbi_exec_result *x)
{
    symbi_str hash;
    memset(x, 0, sizeof *x);
    symL_owntable(L, t);
    x->out = rstr(L, t, "stdout");
    x->err = rstr(L, t, "stderr");
    x->out_truncated = rbool(L, t, "stdout_truncated");
    x->err_truncated = rbool(L, t, "stderr_truncated");
    x->out_bytes = (uint64_t)symL_optfield_int(L, t, "stdout_bytes", (int64_t)x->out.n, 0, INT64_MAX);
    hash = rstr(L, t, "stdout_sha256");
    if (!unhex32(hash, x->out_sha256)) luaL_error(L, "reply.exec.stdout_sha256 must be 64 lower-case hexadecimal digits");
    x->exit_code = (int)symL_optfield_int(L, t, "exit_code", -1, INT32_MIN, INT32_MAX);
    x->signal = (int)symL_optfield_int(L, t, "signal", 0, 0, 255);
    x->timed_out = rbool(L, t, "timed_out");
    x->start_errno = (int)symL_optfield_int(L, t, "start_errno", 0, 0, 4095);
    x->started_ms = symL_optfield_int(L, t, "started_ms", 0, INT64_MIN, INT64_MAX);
    x->duration_ms = symL_optfield_int(L, t, "duration_ms", 0, 0, INT64_MAX);
    read_parsed(L, t, &x->parsed);
}

static const symbi_http_header *read_headers(lua_State *L, int t, size_t *n)
{
    symbi_http_header *h;
    int list;
    *n = 0;
    lua_getfield(L, t, "headers");
    if (!lua_istable(L, -1)) {
        lua_pop(L, 1);
        return NULL;
    }
    symL_owntable(L, -1);
    list = lua_gettop(L);
    *n = symL_rawlen(L, list);
    h = lua_newuserdata(L, (*n ? *n : 1) * sizeof *h);
    for (size_t i = 0; i < *n; i++) {
        lua_rawgeti(L, list, (int)i + 1);
        if (!lua_istable(L, -1)) luaL_error(L, "reply.headers must be a list of {name, value}");
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        h[i].name = symL_tostr(L, -2);
        h[i].value = symL_tostr(L, -1);
        lua_pop(L, 3);
        if (!h[i].name.p || !h[i].value.p) luaL_error(L, "reply.headers must be a list of {name, value}");
    }
    return h;
}

static uint64_t checkid(lua_State *L, int arg) { return (uint64_t)symL_checkint(L, arg, 1, INT64_MAX); }

static int run_resolve(lua_State *L)
{
    static const char *const known[] = { "error", "status", "headers", "body", "neutral", "exec", "value", "approved", "approver", "receipt", NULL };
    uint64_t id = checkid(L, 2);
    symbi_reply reply;
    symbi_exec_result exec;
    symbi_value value;
    symbi_err err;
    checkrun(L, 1);
    lua_settop(L, 3);
    symL_owntable(L, 3);
    symL_checkopts(L, 3, known);
    memset(&reply, 0, sizeof reply);
    read_error(L, &reply.error);
    reply.http_status = (int)symL_optfield_int(L, 3, "status", 0, 0, 999);
    reply.headers = read_headers(L, 3, &reply.nheaders);
    reply.body = rstr(L, 3, "body");
    reply.neutral = rstr(L, 3, "neutral");
    reply.approved = symL_optfield_bool(L, 3, "approved", false); /* "no" is not a yes */
    reply.approver = rstr(L, 3, "approver");
    reply.receipt = rstr(L, 3, "receipt");
    lua_getfield(L, 3, "exec");
    if (!lua_isnil(L, -1)) {
        read_exec(L, lua_gettop(L), &exec);
        reply.exec = &exec;
    }
    lua_getfield(L, 3, "value");
    if (!lua_isnil(L, -1) && !reply.error.code) {
        if (symL_tovalue(L, -1, &value, &err)) { /* the tool's function returned something that is no data */
            reply.error = err;
        } else {
            reply.value = &value;
        }
    }
    if (symbi_run_resolve(checkrun(L, 1), id, &reply, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int run_feed(lua_State *L)
{
    uint64_t id = checkid(L, 2);
    symbi_str bytes = symL_checkstr(L, 3);
    symbi_err err;
    if (symbi_run_feed(checkrun(L, 1), id, bytes, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int run_redeem(lua_State *L)
{
    uint64_t id = checkid(L, 2);
    symbi_str permit = symL_checkstr(L, 3);
    ud_plan *u = symL_newud(L, sizeof *u, UD_PLAN);
    symbi_err err;
    if (symbi_run_redeem(checkrun(L, 1), id, permit, &u->p, &u->order, &err)) return symL_fail(L, &err);
    u->has_order = true;
    return 1;
}

static int run_cancel(lua_State *L)
{
    symbi_run_cancel(checkrun(L, 1));
    return 0;
}

static int run_tick(lua_State *L)
{
    symL_pushint(L, symbi_run_tick(checkrun(L, 1)));
    return 1;
}

static int push_view(lua_State *L, symbi_status (*view)(symbi_run *, symbi_doc **, symbi_err *))
{
    symbi_doc *d;
    symbi_err err;
    if (view(checkrun(L, 1), &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

static int run_state(lua_State *L) { return push_view(L, symbi_run_state); }
static int run_events(lua_State *L) { return push_view(L, symbi_run_events); }
static int run_conversation(lua_State *L) { return push_view(L, symbi_run_conversation); }

void l_run_open(lua_State *L);
void l_run_open(lua_State *L)
{
    static const luaL_Reg methods[] = { { "next", run_next }, { "resolve", run_resolve }, { "feed", run_feed }, { "redeem", run_redeem },
                                        { "cancel", run_cancel }, { "tick", run_tick }, { "state", run_state }, { "events", run_events },
                                        { "conversation", run_conversation }, { "close", run_close }, { NULL, NULL } };
    static const luaL_Reg meta[] = { { "__gc", run_gc }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "new", run_new }, { NULL, NULL } };
    symL_newtype(L, UD_RUN, methods, meta);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
}
