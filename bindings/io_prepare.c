/* bindings/io_prepare.c: requests that are sent often and differ in little. What they share is read and copied once.
 *   r = io.prepare{...}                 as for io.http, without body, timeout_ms, stream and quiet; url may come later
 *   status, body, headers = r:send(ms, body, url)     headers only when status is none of 200 to 299; or nil, message, err
 *   r:close()                           overwrites what it holds: headers carry keys */
#include "io_int.h"

#include <string.h>

typedef struct ud_request {
    symbi_http_request rq; /* what it points to lies behind it, in the same block; guard is a reference */
    symbi_http_route route;
    size_t size;
    bool closed;
} ud_request;

typedef struct copier {
    char *p;
    size_t n;
} copier;

static symbi_str put(copier *c, symbi_str s)
{
    symbi_str out = { s.p ? c->p + c->n : NULL, s.n };
    if (s.n && c->p) memcpy(c->p + c->n, s.p, s.n);
    c->n += s.n;
    return out;
}

/* Everything of rq that has text, into the block; once without one, to learn its size. */
static void copy(copier *c, const symbi_http_request *rq, symbi_http_request *out, symbi_http_route *route, symbi_http_header *headers)
{
    out->url = put(c, rq->url);
    out->method = put(c, rq->method);
    for (size_t i = 0; i < rq->nheaders; i++) {
        symbi_http_header h;
        h.name = put(c, rq->headers[i].name);
        h.value = put(c, rq->headers[i].value);
        if (headers) headers[i] = h;
    }
    if (!rq->route) return;
    *route = *rq->route;
    route->proxy = put(c, rq->route->proxy);
    route->ca_file = put(c, rq->route->ca_file);
    route->ca_path = put(c, rq->route->ca_path);
    route->client_cert = put(c, rq->route->client_cert);
    route->client_key = put(c, rq->route->client_key);
    route->client_key_password = put(c, rq->route->client_key_password);
    route->unix_socket = put(c, rq->route->unix_socket);
}

static int r_close(lua_State *L)
{
    ud_request *u = symL_checkud(L, 1, UD_REQUEST);
    symbi_netguard *g = u->rq.guard;
    if (u->closed) return 0;
    memset(u + 1, 0, u->size);
    memset(&u->rq, 0, sizeof u->rq);
    u->closed = true;
    symbi_netguard_unref(g);
    return 0;
}

static int io_prepare(lua_State *L)
{
    symbi_http_request rq, scrap;
    symbi_http_route route;
    copier c = { NULL, 0 };
    ud_request *u;
    symbi_http_header *headers;
    lua_settop(L, 1);
    l_io_request_open(L, 1, &rq);
    if (rq.stream || rq.body.p || rq.timeout_ms) return luaL_error(L, "prepare: body and timeout are given to send, and nothing is streamed");
    copy(&c, &rq, &scrap, &route, NULL);
    u = symL_newud(L, sizeof *u + rq.nheaders * sizeof *headers + c.n, UD_REQUEST);
    u->size = rq.nheaders * sizeof *headers + c.n;
    headers = (void *)(u + 1);
    c.p = (char *)(headers + rq.nheaders);
    c.n = 0;
    u->rq = rq;
    u->rq.guard = NULL;
    u->rq.headers = headers;
    u->rq.route = rq.route ? &u->route : NULL;
    copy(&c, &rq, &u->rq, &u->route, headers);
    if (rq.guard) u->rq.guard = symbi_netguard_ref(rq.guard);
    l_io_state(L);
    symL_getuservalue(L, -1);
    lua_replace(L, -2);
    symL_setuservalue(L, -2);
    return 1;
}

static int r_send(lua_State *L)
{
    ud_request *p = symL_checkud(L, 1, UD_REQUEST);
    symbi_http_request rq = p->rq;
    symbi_http_response r;
    symbi_http_error why;
    symbi_err err;
    ud_transfer *u;
    ud_iostate *s;
    int n;
    if (p->closed) return luaL_argerror(L, 1, "the request is closed");
    rq.timeout_ms = symL_checkint(L, 2, 0, INT64_MAX);
    if (!lua_isnoneornil(L, 3)) rq.body = symL_checkstr(L, 3);
    if (!lua_isnoneornil(L, 4)) rq.url = symL_checkstr(L, 4);
    if (!rq.url.p) return luaL_argerror(L, 4, "the request was prepared without url");
    lua_settop(L, 4);
    symL_getuservalue(L, 1);
    u = l_io_take_from(L, &s);
    if (!s->http && symbi_http_new(symL_ctx(L), NULL, NULL, 0, &s->http, &err)) symL_fail(L, &err);
    else if (symbi_http_start(s->http, &rq, &u->p, &err)) l_io_start_fail(L, &rq, &err);
    else if (l_io_wait(L, u->p, -1, &err) < 0) symL_fail(L, &err);
    else if (symbi_xfer_result(u->p, &r, &why, &err)) l_io_xfer_fail(L, u->p, &err, why);
    else {
        lua_pushinteger(L, r.status);
        symL_pushstr(L, r.body);
        if (r.status < 200 || r.status > 299) l_io_push_headers(L, &r);
    }
    n = lua_gettop(L) - 6;
    lua_pushvalue(L, 5);
    lua_pushvalue(L, 6);
    l_io_give(L, u);
    return n;
}

void l_io_prepare_open(lua_State *L)
{
    static const luaL_Reg methods[] = { { "send", r_send }, { "close", r_close }, { NULL, NULL } };
    static const luaL_Reg meta[] = { { "__gc", r_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "prepare", io_prepare }, { NULL, NULL } };
    symL_newtype(L, UD_REQUEST, methods, meta);
    symL_setfuncs(L, funcs);
}
