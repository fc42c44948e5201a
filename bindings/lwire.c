/* bindings/lwire.c: symbi.wire: the codecs of the wire, without sockets, for transports written in Lua (cosockets, other loops).
 *   u = wire.url(text)              {scheme=, host=, port=, path=, query=, fragment=, tls=, authority=}
 *   text = wire.join(base, ref)
 *   url = wire.endpoint(base, endpoint), text = wire.escape(text[, "segment" | "form"]), seconds = wire.retry_after(value[, now])
 *   s = wire.sse([max_event])       s:feed(bytes) list of {event=, data=, id=, retry=}; s:pending()
 *                                   s:last_id() for Last-Event-ID, or nil; s:retry_ms() or nil
 *   h = wire.http1{kind="response"|"request", head=, max_head=, max_body=}
 *       body, done, rest = h:feed(bytes)     the body bytes in this piece; done: the message is complete, rest follows it
 *       h:head() table once the head is there; h:eof() true when a closed connection completes the message; h:reset([head])
 *   wire.request{url=, method=, headers=, body=, keep_alive=}, wire.response{status=, headers=, body=, chunked=, keep_alive=},
 *   wire.chunk(bytes), wire.reason(status)
 * headers: a list of {name, value}. */
#include "symL.h"
#include "symbi/wire.h"

#include <string.h>
#include <time.h>

#define UD_SSE "symbi.sse"
#define UD_HTTP1 "symbi.http1"

typedef struct ud_sse { symbi_sse *p; } ud_sse;
typedef struct ud_http1 { symbi_http1 *p; } ud_http1;

static void set_str(lua_State *L, const char *k, symbi_str s)
{
    symL_pushstr(L, s);
    lua_setfield(L, -2, k);
}

static void set_bool(lua_State *L, const char *k, bool b)
{
    lua_pushboolean(L, b);
    lua_setfield(L, -2, k);
}

/* ---- URLs ---- */

static int w_url(lua_State *L)
{
    symbi_str s = symL_checkstr(L, 1);
    symbi_text *t = symL_text(L);
    symbi_url u;
    symbi_err err;
    if (symbi_url_parse(s, &u, &err) || symbi_url_authority(symL_ctx(L), &u, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    lua_createtable(L, 0, 8);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "authority");
    lua_pushstring(L, u.tls ? "https" : "http");
    lua_setfield(L, -2, "scheme");
    set_str(L, "host", u.host);
    symL_pushint(L, u.port);
    lua_setfield(L, -2, "port");
    set_str(L, "path", u.path);
    if (u.has_query) set_str(L, "query", u.query);
    if (u.has_fragment) set_str(L, "fragment", u.fragment);
    set_bool(L, "tls", u.tls);
    return 1;
}

static int w_join(lua_State *L)
{
    symbi_str base = symL_checkstr(L, 1), ref = symL_checkstr(L, 2);
    symbi_text *t = symL_text(L);
    symbi_err err;
    if (symbi_url_join(symL_ctx(L), base, ref, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int w_endpoint(lua_State *L)
{
    symbi_str base = symL_checkstr(L, 1), endpoint = symL_checkstr(L, 2);
    symbi_text *t = symL_text(L);
    symbi_err err;
    if (symbi_url_endpoint(symL_ctx(L), base, endpoint, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int w_escape(lua_State *L)
{
    static const char *const forms[] = { "segment", "form", NULL };
    symbi_str s = symL_checkstr(L, 1);
    int form = luaL_checkoption(L, 2, "segment", forms);
    symbi_text *t = symL_text(L);
    symbi_err err;
    if (symbi_url_escape(symL_ctx(L), s, form ? SYMBI_URL_FORM : SYMBI_URL_SEGMENT, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int w_retry_after(lua_State *L)
{
    symbi_str s = symL_checkstr(L, 1);
    int64_t now = symL_optint(L, 2, (int64_t)time(NULL), 0, (int64_t)1 << 50), seconds;
    if (!symbi_http_retry_after(s, now, &seconds)) return 0;
    symL_pushint(L, seconds);
    return 1;
}

/* ---- server-sent events ---- */

static int w_sse(lua_State *L)
{
    size_t max = (size_t)symL_optint(L, 1, 0, 0, (int64_t)1 << 40);
    ud_sse *u = symL_newud(L, sizeof *u, UD_SSE);
    symbi_err err;
    if (symbi_sse_new(symL_ctx(L), max, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static symbi_sse *checksse(lua_State *L)
{
    ud_sse *u = symL_checkud(L, 1, UD_SSE);
    if (!u->p) luaL_argerror(L, 1, "the decoder is closed");
    return u->p;
}

static int sse_feed(lua_State *L)
{
    symbi_sse *s = checksse(L);
    symbi_str in = symL_checkstr(L, 2);
    symbi_sse_event e;
    symbi_err err;
    symbi_status st;
    int n = 0;
    lua_newtable(L);
    while ((st = symbi_sse_next(s, &in, &e, &err)) == SYMBI_OK) {
        lua_createtable(L, 0, 4);
        set_str(L, "event", e.event);
        set_str(L, "data", e.data);
        set_str(L, "id", e.id);
        if (e.retry_ms >= 0) {
            symL_pushint(L, e.retry_ms);
            lua_setfield(L, -2, "retry");
        }
        lua_rawseti(L, -2, ++n);
    }
    return st == SYMBI_EAGAIN ? 1 : symL_fail(L, &err);
}

static int sse_pending(lua_State *L)
{
    lua_pushboolean(L, symbi_sse_pending(checksse(L)));
    return 1;
}

static int sse_last_id(lua_State *L)
{
    symbi_str id;
    if (!symbi_sse_last_id(checksse(L), &id)) return 0;
    symL_pushstr(L, id);
    return 1;
}

static int sse_retry_ms(lua_State *L)
{
    int64_t ms = symbi_sse_retry_ms(checksse(L));
    if (ms < 0) return 0;
    symL_pushint(L, ms);
    return 1;
}

static int sse_close(lua_State *L)
{
    ud_sse *u = symL_checkud(L, 1, UD_SSE);
    symbi_sse *s = u->p;
    u->p = NULL;
    symbi_sse_free(s);
    return 0;
}

/* ---- HTTP/1 in ---- */

static int w_http1(lua_State *L)
{
    static const char *const known[] = { "kind", "head", "max_head", "max_body", NULL };
    symbi_http1_options o;
    symbi_str kind;
    ud_http1 *u;
    symbi_err err;
    symL_checkopts(L, 1, known);
    memset(&o, 0, sizeof o);
    kind = symL_optfield_str(L, 1, "kind", symbi_str_z("response"));
    if (strcmp(kind.p, "request") == 0) o.kind = SYMBI_HTTP1_REQUEST;
    else if (strcmp(kind.p, "response") != 0) luaL_argerror(L, 1, "kind must be \"response\" or \"request\"");
    o.head = symL_optfield_bool(L, 1, "head", false);
    o.max_head = (size_t)symL_optfield_int(L, 1, "max_head", 0, 0, 1 << 26);
    o.max_body = (size_t)symL_optfield_int(L, 1, "max_body", 0, 0, (int64_t)1 << 40);
    u = symL_newud(L, sizeof *u, UD_HTTP1);
    if (symbi_http1_new(symL_ctx(L), &o, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static symbi_http1 *checkhttp1(lua_State *L)
{
    ud_http1 *u = symL_checkud(L, 1, UD_HTTP1);
    if (!u->p) luaL_argerror(L, 1, "the codec is closed");
    return u->p;
}

static int http1_feed(lua_State *L)
{
    symbi_http1 *h = checkhttp1(L);
    symbi_str in = symL_checkstr(L, 2), data;
    char *body = lua_newuserdata(L, in.n + 1); /* a body is never longer than what carries it */
    size_t n = 0;
    symbi_http1_what what = 0;
    symbi_err err;
    symbi_status st;
    while ((st = symbi_http1_next(h, &in, &what, &data, &err)) == SYMBI_OK && what != SYMBI_HTTP1_END) {
        if (data.n) memcpy(body + n, data.p, data.n);
        n += data.n;
    }
    if (st && st != SYMBI_EAGAIN) return symL_fail(L, &err);
    lua_pushlstring(L, body, n);
    lua_pushboolean(L, st == SYMBI_OK);
    symL_pushstr(L, in);
    return 3;
}

static int http1_head(lua_State *L)
{
    const symbi_http1_message *m = symbi_http1_head(checkhttp1(L));
    if (!m) {
        lua_pushnil(L);
        return 1;
    }
    lua_createtable(L, 0, 8);
    if (m->status) {
        symL_pushint(L, m->status);
        lua_setfield(L, -2, "status");
        set_str(L, "reason", m->reason);
    } else {
        set_str(L, "method", m->method);
        set_str(L, "target", m->target);
    }
    symL_pushint(L, m->minor);
    lua_setfield(L, -2, "minor");
    lua_createtable(L, (int)m->nfields, 0);
    for (size_t i = 0; i < m->nfields; i++) symL_addpair(L, i + 1, m->fields[i].name, m->fields[i].value);
    lua_setfield(L, -2, "headers");
    set_bool(L, "keep_alive", m->keep_alive);
    set_bool(L, "chunked", m->chunked);
    if (m->has_length) {
        symL_pushint(L, m->length > INT64_MAX ? INT64_MAX : (int64_t)m->length);
        lua_setfield(L, -2, "length");
    }
    return 1;
}

static int http1_eof(lua_State *L)
{
    symbi_err err;
    if (symbi_http1_eof(checkhttp1(L), &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int http1_reset(lua_State *L)
{
    symbi_http1_reset(checkhttp1(L), lua_toboolean(L, 2));
    return 0;
}

static int http1_close(lua_State *L)
{
    ud_http1 *u = symL_checkud(L, 1, UD_HTTP1);
    symbi_http1 *h = u->p;
    u->p = NULL;
    symbi_http1_free(h);
    return 0;
}

/* ---- HTTP/1 out ---- */

/* The headers field of the table at 1, as a userdata that stays on the stack. */
static const symbi_http1_field *fields(lua_State *L, size_t *n)
{
    symbi_http1_field *f;
    int t;
    *n = 0;
    lua_getfield(L, 1, "headers");
    if (lua_isnil(L, -1)) return NULL;
    t = lua_gettop(L);
    if (!lua_istable(L, t)) luaL_error(L, "headers must be a list of {name, value}, got %s", luaL_typename(L, t));
    *n = symL_rawlen(L, t);
    f = lua_newuserdata(L, (*n ? *n : 1) * sizeof *f);
    for (size_t i = 0; i < *n; i++) {
        lua_rawgeti(L, t, (int)i + 1);
        if (!lua_istable(L, -1)) luaL_error(L, "headers: item %d must be {name, value}", (int)i + 1);
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        f[i].name = symL_tostr(L, -2);
        f[i].value = symL_tostr(L, -1);
        if (!f[i].name.p || !f[i].value.p) luaL_error(L, "headers: item %d must be {name, value}, both strings", (int)i + 1);
        lua_pop(L, 3); /* the list keeps them */
    }
    return f;
}

static int w_request(lua_State *L)
{
    static const char *const known[] = { "url", "method", "headers", "body", "keep_alive", NULL };
    const symbi_str none = { NULL, 0 };
    symbi_str url, method, body;
    const symbi_http1_field *f;
    size_t n;
    symbi_url u;
    symbi_err err;
    symbi_text *t;
    luaL_checktype(L, 1, LUA_TTABLE);
    symL_checkopts(L, 1, known);
    lua_settop(L, 1);
    url = symL_optfield_str(L, 1, "url", none);
    if (!url.p) luaL_argerror(L, 1, "url is missing");
    method = symL_optfield_str(L, 1, "method", symbi_str_z("GET"));
    body = symL_optfield_str(L, 1, "body", none);
    f = fields(L, &n);
    t = symL_text(L);
    if (symbi_url_parse(url, &u, &err) || symbi_http1_write_request(symL_ctx(L), method, &u, f, n, body, symL_optfield_bool(L, 1, "keep_alive", true), t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int w_response(lua_State *L)
{
    static const char *const known[] = { "status", "headers", "body", "chunked", "keep_alive", NULL };
    const symbi_str none = { NULL, 0 };
    symbi_str body;
    const symbi_http1_field *f;
    size_t n;
    symbi_err err;
    symbi_text *t;
    luaL_checktype(L, 1, LUA_TTABLE);
    symL_checkopts(L, 1, known);
    lua_settop(L, 1);
    body = symL_optfield_str(L, 1, "body", none);
    f = fields(L, &n);
    t = symL_text(L);
    if (symbi_http1_write_response(symL_ctx(L), (int)symL_optfield_int(L, 1, "status", 200, 0, 9999), f, n, body, symL_optfield_bool(L, 1, "chunked", false),
                                   symL_optfield_bool(L, 1, "keep_alive", true), t, &err))
        return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int w_chunk(lua_State *L)
{
    symbi_str data = symL_checkstr(L, 1);
    symbi_text *t = symL_text(L);
    symbi_err err;
    if (symbi_http1_write_chunk(symL_ctx(L), data, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int w_reason(lua_State *L)
{
    lua_pushstring(L, symbi_http_reason((int)symL_checkint(L, 1, 0, 9999)));
    return 1;
}

void l_wire_open(lua_State *L);
void l_wire_open(lua_State *L)
{
    static const luaL_Reg sse[] = { { "feed", sse_feed }, { "pending", sse_pending }, { "last_id", sse_last_id }, { "retry_ms", sse_retry_ms }, { "close", sse_close }, { NULL, NULL } };
    static const luaL_Reg sse_meta[] = { { "__gc", sse_close }, { NULL, NULL } };
    static const luaL_Reg http1[] = { { "feed", http1_feed }, { "head", http1_head }, { "eof", http1_eof }, { "reset", http1_reset }, { "close", http1_close }, { NULL, NULL } };
    static const luaL_Reg http1_meta[] = { { "__gc", http1_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "endpoint", w_endpoint }, { "escape", w_escape }, { "retry_after", w_retry_after },
                                      { "url", w_url },           { "join", w_join },     { "sse", w_sse },       { "http1", w_http1 }, { "request", w_request },
                                      { "response", w_response }, { "chunk", w_chunk }, { "reason", w_reason }, { NULL, NULL } };
    symL_newtype(L, UD_SSE, sse, sse_meta);
    symL_newtype(L, UD_HTTP1, http1, http1_meta);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
}
