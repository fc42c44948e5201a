/* bindings/io_http.c: blocking HTTP requests.
 *   response = io.http{url=, method=, headers=, body=, timeout_ms=, max_bytes=}    {status=, headers={{name, value}, ...}, body=, ...}
 *                                                                              (often the same, but for its body: io.prepare, io_prepare.c)
 *   t = io.transfer{..., stream=true}     t:read([ms]) bytes as they come, nil at the end, false when the time is up; t:status(),
 *                                         t:result() the response (body: what was not read), t:close()
 * quiet=true: of a 2xx answer io.http leaves the headers out, for callers that never look at them.
 * headers: a list of {name, value}, or a table name -> value. A failure's err has code and reason ("refused", "timeout", ...).
 * guard: a policy of symbi.netguard; without one the strict policy holds. by_operator=true: the operator wrote this URL, so its host
 * may be any. gzip=true: the answer may come compressed, and is handed out as it was.
 * once=true: never sent a second time, not even when a kept connection broke before an answer came. proxy, ca_file, ca_path, client_cert,
 * client_key, client_key_password, unix_socket, http_version ("1.1", "2"): how it travels, see symbi_http_route in symbi/io.h. What the guard refuses is EDENIED, with err.refused ("loopback", "metadata", "redirect", ...). */
#include "io_int.h"

#include <string.h>

static symbi_str text_at(lua_State *L, int idx, const char *what)
{
    symbi_str s = symL_tostr(L, idx);
    if (!s.p) luaL_error(L, "headers: %s must be a string, got %s", what, luaL_typename(L, idx));
    return s;
}

static size_t count_pairs(lua_State *L, int t)
{
    size_t n = 0;
    for (lua_pushnil(L); lua_next(L, t); lua_pop(L, 1)) n++;
    return n;
}

/* headers of the table at arg, into a pushed userdata (or nil). */
static void headers(lua_State *L, int arg, symbi_http_request *rq)
{
    symbi_http_header *h;
    size_t list, n = 0;
    int t;
    lua_getfield(L, arg, "headers");
    if (lua_isnil(L, -1)) return;
    t = lua_gettop(L);
    if (!lua_istable(L, t)) luaL_error(L, "headers must be a table, got %s", luaL_typename(L, t));
    list = symL_rawlen(L, t);
    rq->nheaders = list ? list : count_pairs(L, t);
    h = lua_newuserdata(L, (rq->nheaders ? rq->nheaders : 1) * sizeof *h);
    if (list) {
        for (; n < list; n++) {
            lua_rawgeti(L, t, (int)n + 1);
            if (!lua_istable(L, -1)) luaL_error(L, "headers: item %d must be {name, value}", (int)n + 1);
            lua_rawgeti(L, -1, 1);
            lua_rawgeti(L, -2, 2);
            h[n].name = text_at(L, -2, "a name");
            h[n].value = text_at(L, -1, "a value");
            lua_pop(L, 3); /* the list keeps them */
        }
    } else {
        for (lua_pushnil(L); lua_next(L, t) && n < rq->nheaders; lua_pop(L, 1), n++) {
            h[n].name = text_at(L, -2, "a name");
            h[n].value = text_at(L, -1, "a value");
        }
    }
    rq->headers = h;
    lua_replace(L, t);
}

/* How it travels, into a pushed userdata when anything is said. */
static void route(lua_State *L, int arg, symbi_http_request *rq)
{
    const symbi_str none = { NULL, 0 };
    symbi_http_route r = { 0 }, *kept;
    symbi_str version = symL_optfield_str(L, arg, "http_version", none);
    if (version.p) {
        if (version.n == 3 && !memcmp(version.p, "1.1", 3)) r.http_version = 1;
        else if (version.n == 1 && *version.p == '2') r.http_version = 2;
        else luaL_error(L, "http: http_version is \"1.1\" or \"2\"");
    }
    r.proxy = symL_optfield_str(L, arg, "proxy", none);
    r.ca_file = symL_optfield_str(L, arg, "ca_file", none);
    r.ca_path = symL_optfield_str(L, arg, "ca_path", none);
    r.client_cert = symL_optfield_str(L, arg, "client_cert", none);
    r.client_key = symL_optfield_str(L, arg, "client_key", none);
    r.client_key_password = symL_optfield_str(L, arg, "client_key_password", none);
    r.unix_socket = symL_optfield_str(L, arg, "unix_socket", none);
    if (!r.http_version && !r.proxy.n && !r.ca_file.n && !r.ca_path.n && !r.client_cert.n && !r.client_key.n && !r.client_key_password.n && !r.unix_socket.n) return;
    kept = lua_newuserdata(L, sizeof *kept);
    *kept = r;
    rq->route = kept;
}

#define FIELDS(X) \
    X(url) X(method) X(headers) X(body) X(timeout_ms) X(max_bytes) X(stream) X(guard) X(by_operator) X(once) X(gzip) X(quiet) \
    X(proxy) X(ca_file) X(ca_path) X(client_cert) X(client_key) X(client_key_password) X(unix_socket) X(http_version)
#define ENUM(name) F_##name,
enum { FIELDS(ENUM) F_COUNT };
#undef ENUM
#define HAS(name) (given & 1u << F_##name)
#define ROUTE (~(((unsigned)1 << F_proxy) - 1))

/* Which fields are there, in one pass: each look-up of one that is not costs as much as one that is. */
static unsigned given_fields(lua_State *L, int arg)
{
#define ROW(name) { #name, sizeof #name - 1 },
#define NAME(name) #name,
    static const symbi_str rows[] = { FIELDS(ROW) };
    static const char *const known[] = { FIELDS(NAME) NULL };
#undef ROW
#undef NAME
    unsigned given = 0;
    for (lua_pushnil(L); lua_next(L, arg); lua_pop(L, 1)) {
        symbi_str k = symL_tostr(L, -2);
        size_t i = 0;
        while (i < F_COUNT && (!k.p || rows[i].n != k.n || memcmp(rows[i].p, k.p, k.n) != 0)) i++;
        if (i == F_COUNT) {
            lua_pop(L, 2);
            symL_checkopts(L, arg, known); /* raises, with a message */
            return 0;
        }
        given |= 1u << i;
    }
    return given;
}

void l_io_request_open(lua_State *L, int arg, symbi_http_request *rq)
{
    const symbi_str none = { NULL, 0 };
    unsigned given;
    memset(rq, 0, sizeof *rq);
    luaL_checktype(L, arg, LUA_TTABLE);
    given = given_fields(L, arg);
    rq->url = symL_optfield_str(L, arg, "url", none);
    if (HAS(method)) rq->method = symL_optfield_str(L, arg, "method", none);
    if (HAS(body)) rq->body = symL_optfield_str(L, arg, "body", none);
    rq->timeout_ms = symL_optfield_int(L, arg, "timeout_ms", 0, 0, INT64_MAX);
    rq->max_bytes = (size_t)symL_optfield_int(L, arg, "max_bytes", 0, 0, (int64_t)1 << 40);
    if (HAS(stream)) rq->stream = symL_optfield_bool(L, arg, "stream", false);
    if (HAS(by_operator)) rq->by_operator = symL_optfield_bool(L, arg, "by_operator", false);
    if (HAS(once)) rq->once = symL_optfield_bool(L, arg, "once", false);
    if (HAS(gzip)) rq->gzip = symL_optfield_bool(L, arg, "gzip", false);
    if (HAS(quiet)) (void)symL_optfield_bool(L, arg, "quiet", false);
    if (HAS(guard)) { /* the table keeps it */
        ud_netguard *g;
        lua_getfield(L, arg, "guard");
        g = symL_testud(L, -1, UD_NETGUARD);
        if (!g) luaL_error(L, "http: guard must be a policy (symbi.netguard.policy{...}), got %s", luaL_typename(L, -1));
        if (!g->p) luaL_error(L, "http: the guard is closed");
        rq->guard = g->p;
        lua_pop(L, 1);
    }
    if (given & ROUTE) route(L, arg, rq);
    if (HAS(headers)) headers(L, arg, rq);
}

void l_io_request(lua_State *L, int arg, symbi_http_request *rq)
{
    l_io_request_open(L, arg, rq);
    if (!rq->url.p) luaL_error(L, "http: url is missing");
}

void l_io_push_headers(lua_State *L, const symbi_http_response *r)
{
    lua_createtable(L, (int)r->nheaders, 0);
    for (size_t i = 0; i < r->nheaders; i++) symL_addpair(L, i + 1, r->headers[i].name, r->headers[i].value);
}

static int push_response(lua_State *L, const symbi_http_response *r, bool quiet)
{
    lua_createtable(L, 0, 6);
    symL_pushint(L, r->status);
    lua_setfield(L, -2, "status");
    symL_pushstr(L, r->body);
    lua_setfield(L, -2, "body");
    if (!quiet || r->status < 200 || r->status > 299) {
        l_io_push_headers(L, r);
        lua_setfield(L, -2, "headers");
    }
    symL_pushint(L, r->duration_ms);
    lua_setfield(L, -2, "duration_ms");
    lua_pushboolean(L, r->reused);
    lua_setfield(L, -2, "reused");
    lua_pushstring(L, r->http_version == 20 ? "2" : r->http_version == 10 ? "1.0" : "1.1");
    lua_setfield(L, -2, "http_version");
    return 1;
}

int l_io_push_response(lua_State *L, const symbi_http_response *r) { return push_response(L, r, false); }

static int http_refused(lua_State *L, const symbi_err *err, symbi_netguard_why refused)
{
    int n = l_io_http_fail(L, err, SYMBI_HTTP_ERROR_DENIED);
    lua_pushstring(L, symbi_netguard_why_name(refused));
    lua_setfield(L, -2, "refused");
    return n;
}

int l_io_start_fail(lua_State *L, const symbi_http_request *rq, const symbi_err *err)
{
    symbi_netguard_target t;
    symbi_status st;
    if (err->code != SYMBI_EDENIED) return symL_fail(L, err);
    st = rq->by_operator ? symbi_netguard_operator_url(rq->guard, rq->url, &t, NULL) : symbi_netguard_check_url(rq->guard, rq->url, &t, NULL);
    return http_refused(L, err, st ? t.why : SYMBI_NETGUARD_NONE);
}

int l_io_xfer_fail(lua_State *L, const symbi_xfer *x, const symbi_err *err, symbi_http_error why)
{
    return why == SYMBI_HTTP_ERROR_DENIED ? http_refused(L, err, symbi_xfer_refused(x)) : l_io_http_fail(L, err, why);
}

int l_io_http_fail(lua_State *L, const symbi_err *err, symbi_http_error why)
{
    int n = symL_fail(L, err);
    if (why) {
        lua_pushstring(L, symbi_http_error_name(why));
        lua_setfield(L, -2, "reason");
    }
    return n;
}

static ud_transfer *checktransfer(lua_State *L, int arg)
{
    ud_transfer *u = symL_checkud(L, arg, UD_TRANSFER);
    if (!u->p) luaL_argerror(L, arg, "the transfer is closed");
    return u;
}

static int t_close(lua_State *L)
{
    ud_transfer *u = symL_checkud(L, 1, UD_TRANSFER);
    symbi_xfer *x = u->p;
    u->p = NULL;
    symbi_xfer_free(x);
    return 0;
}

static int io_transfer(lua_State *L)
{
    symbi_http_request rq;
    ud_transfer *u;
    ud_iostate *s;
    symbi_err err;
    lua_settop(L, 1);
    l_io_request(L, 1, &rq);
    u = symL_newud(L, sizeof *u, UD_TRANSFER);
    s = l_io_keep(L);
    if (!s->http && symbi_http_new(symL_ctx(L), NULL, NULL, 0, &s->http, &err)) return symL_fail(L, &err);
    if (symbi_http_start(s->http, &rq, &u->p, &err)) return l_io_start_fail(L, &rq, &err);
    return 1;
}

ud_transfer *l_io_take_from(lua_State *L, ud_iostate **s)
{
    ud_transfer *u;
    lua_rawgeti(L, -1, 2);
    *s = lua_touserdata(L, -1);
    lua_pop(L, 1);
    lua_rawgeti(L, -1, 1);
    u = lua_touserdata(L, -1);
    if (u) {
        lua_pushnil(L); /* a finaliser that asks in the meantime gets another one */
        lua_rawseti(L, -3, 1);
        return u;
    }
    lua_pop(L, 1);
    u = symL_newud(L, sizeof *u, UD_TRANSFER);
    l_io_keep(L);
    return u;
}

ud_transfer *l_io_take(lua_State *L, ud_iostate **s)
{
    l_io_state(L);
    symL_getuservalue(L, -1);
    lua_replace(L, -2);
    return l_io_take_from(L, s);
}

void l_io_give(lua_State *L, ud_transfer *u)
{
    symbi_xfer *x = u->p;
    u->p = NULL;
    symbi_xfer_free(x);
    lua_rawseti(L, -2, 1);
    lua_pop(L, 1);
}

int l_io_wait(lua_State *L, symbi_xfer *x, int64_t ms, symbi_err *err)
{
    for (;;) {
        int64_t slice = ms >= 0 && ms < L_IO_SLICE_MS ? ms : L_IO_SLICE_MS;
        symbi_status st = symbi_xfer_wait(x, slice, err);
        if (!st) return 1;
        if (st != SYMBI_ETIMEOUT) return -1;
        if (ms >= 0 && (ms -= slice) <= 0) return 0;
        if (l_io_interrupt(L, err)) return -1;
    }
}

static int t_read(lua_State *L)
{
    ud_transfer *u = checktransfer(L, 1);
    int64_t ms = symL_optint(L, 2, -1, -1, (int64_t)1 << 40);
    symbi_http_response r;
    symbi_http_error why;
    symbi_err err;
    symbi_str s;
    int got = l_io_wait(L, u->p, ms, &err);
    if (got < 0) return symL_fail(L, &err);
    if (!got) {
        lua_pushboolean(L, 0);
        return 1;
    }
    s = symbi_xfer_take(u->p);
    if (s.n) {
        symL_pushstr(L, s);
        return 1;
    }
    if (symbi_xfer_result(u->p, &r, &why, &err)) return l_io_xfer_fail(L, u->p, &err, why);
    lua_pushnil(L);
    return 1;
}

static int t_status(lua_State *L)
{
    symL_pushint(L, symbi_xfer_status(checktransfer(L, 1)->p));
    return 1;
}

static int t_result(lua_State *L)
{
    ud_transfer *u = checktransfer(L, 1);
    symbi_http_response r;
    symbi_http_error why;
    symbi_err err;
    if (symbi_xfer_result(u->p, &r, &why, &err)) return l_io_xfer_fail(L, u->p, &err, why);
    return push_response(L, &r, false);
}

static int io_http(lua_State *L)
{
    symbi_http_request rq;
    symbi_http_response r;
    symbi_http_error why;
    symbi_err err;
    ud_transfer *u;
    ud_iostate *s;
    bool quiet;
    int n;
    lua_settop(L, 1);
    l_io_request(L, 1, &rq);
    if (rq.stream) return luaL_error(L, "http: a streamed request is read through io.transfer");
    quiet = symL_optfield_bool(L, 1, "quiet", false);
    u = l_io_take(L, &s);
    n = lua_gettop(L);
    if (!s->http && symbi_http_new(symL_ctx(L), NULL, NULL, 0, &s->http, &err)) symL_fail(L, &err);
    else if (symbi_http_start(s->http, &rq, &u->p, &err)) l_io_start_fail(L, &rq, &err);
    else if (l_io_wait(L, u->p, -1, &err) < 0) symL_fail(L, &err);
    else if (symbi_xfer_result(u->p, &r, &why, &err)) l_io_xfer_fail(L, u->p, &err, why);
    else push_response(L, &r, quiet);
    lua_pushvalue(L, n - 1);
    lua_pushvalue(L, n);
    l_io_give(L, u);
    return lua_gettop(L) - n;
}

static int io_http_library(lua_State *L)
{
    lua_pushstring(L, symbi_http_library());
    return 1;
}

void l_io_http_open(lua_State *L)
{
    static const luaL_Reg methods[] = { { "read", t_read }, { "status", t_status }, { "result", t_result }, { "close", t_close }, { NULL, NULL } };
    static const luaL_Reg meta[] = { { "__gc", t_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "http", io_http }, { "transfer", io_transfer }, { "http_library", io_http_library }, { NULL, NULL } };
    symL_newtype(L, UD_TRANSFER, methods, meta);
    symL_setfuncs(L, funcs);
}
