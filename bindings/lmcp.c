/* bindings/lmcp.c: symbi.core.mcp: the client of the Model Context Protocol (symbi/mcp.h). Who carries the bytes is
 * lua/symbi/io/backend/mcp.lua; who asks for an operator is lua/symbi/mcp.lua.
 *
 *   registry, msg, err = mcp.registry(text[, source])       mcp-config.toml
 *     registry:names() registry:server(name) registry:warnings() registry:close()
 *   client, msg, err = mcp.client(registry, name[, {max_message=}])
 *     true, msg, err = client:call(plan)      a plan with its order, which is spent; client:list() for all tools
 *     what = client:next()                    "idle" "send" "receive" "judge" "done" "failed"
 *     message, msg, err = client:take()       {body=, wants_answer=, method=, after_ms=, headers={{name, value}, ...}}
 *     client:feed(bytes) client:answered() client:http_end(status, headers, body) client:http_broken(code, why) client:lost(code, why)
 *     message = client:part()                 the last words, one after the other; nil: none are left
 *     changed, msg, err = client:judge(record, key_pem, now_ms)   changed: the new record or false; nil: refused
 *     client:wants_key() client:definition() client:result() client:failure() -> message, err; client:broken() client:version()
 *     client:session() client:server() client:secrets() client:secret(name, value) client:close()
 *   text, msg, err = mcp.approve(record, server, definition[, by[, now_ms]]); text, removed = mcp.forget(record, server[, tool])
 *   standing, diff = mcp.compare(record, server, definition)    "unknown" "approved" "changed"
 *   hex, msg, err = mcp.digest(definition) */
#include "symL.h"
#include "symbi/mcp.h"
#include "ud.h"

#include <string.h>

#define UD_REGISTRY "symbi.mcp_registry"
typedef struct ud_registry { symbi_mcp_registry *p; } ud_registry;

SYML_HANDLE(checkclient, client_close, ud_mcp, UD_MCP, symbi_mcp, symbi_mcp_free, "client")
SYML_HANDLE(checkregistry, registry_close, ud_registry, UD_REGISTRY, symbi_mcp_registry, symbi_mcp_registry_unref, "registry")

/* ---- registry ---- */

static int mcp_registry(lua_State *L)
{
    symbi_str text = symL_checkstr(L, 1), source = symL_optstr(L, 2, symbi_str_z("mcp-config.toml"));
    ud_registry *u = symL_newud(L, sizeof *u, UD_REGISTRY);
    symbi_err err;
    if (symbi_mcp_registry_parse(symL_ctx(L), text, source, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int registry_names(lua_State *L)
{
    symbi_mcp_registry *r = checkregistry(L, 1);
    symbi_mcp_server s;
    lua_createtable(L, (int)symbi_mcp_registry_count(r), 0);
    symL_setarray(L);
    for (size_t i = 0; symbi_mcp_registry_at(r, i, &s); i++) {
        symL_pushstr(L, s.name);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

static int registry_warnings(lua_State *L)
{
    symbi_mcp_registry *r = checkregistry(L, 1);
    symbi_str w;
    lua_newtable(L);
    symL_setarray(L);
    for (size_t i = 0; (w = symbi_mcp_registry_warning(r, i)).n; i++) {
        symL_pushstr(L, w);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

static void set_list(lua_State *L, const char *k, const symbi_str *s, size_t n)
{
    lua_createtable(L, (int)n, 0);
    symL_setarray(L);
    for (size_t i = 0; i < n; i++) {
        symL_pushstr(L, s[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_setfield(L, -2, k);
}

/* Values of env and headers stay out: they may be as good as secrets. */
static void set_names(lua_State *L, const char *k, const symbi_mcp_pair *p, size_t n)
{
    lua_createtable(L, (int)n, 0);
    symL_setarray(L);
    for (size_t i = 0; i < n; i++) {
        symL_pushstr(L, p[i].name);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_setfield(L, -2, k);
}

static void push_server(lua_State *L, const symbi_mcp_server *s)
{
    lua_createtable(L, 0, 10);
    symL_setstr(L, "name", s->name);
    symL_setstr(L, "source", s->source);
    if (s->command.n) {
        symL_setstr(L, "command", s->command);
        set_list(L, "args", s->args, s->nargs);
        set_names(L, "env", s->env, s->nenv);
    } else {
        symL_setstr(L, "url", s->url);
        set_names(L, "headers", s->headers, s->nheaders);
    }
    if (s->cwd.n) symL_setstr(L, "cwd", s->cwd);
    if (s->public_key_url.n) symL_setstr(L, "public_key_url", s->public_key_url);
    set_list(L, "secrets", s->secrets, s->nsecrets);
    lua_pushstring(L, s->first_use ? "first-use" : "approved");
    lua_setfield(L, -2, "trust");
}

static int registry_server(lua_State *L)
{
    symbi_mcp_server s;
    if (!symbi_mcp_registry_find(checkregistry(L, 1), symL_checkstr(L, 2), &s)) return 0;
    push_server(L, &s);
    return 1;
}

/* ---- client ---- */

static int mcp_client(lua_State *L)
{
    static const char *const known[] = { "max_message", NULL };
    symbi_mcp_registry *r;
    symbi_str name;
    size_t max = 0;
    symbi_err err;
    ud_mcp *u;
    checkregistry(L, 1);
    name = symL_checkstr(L, 2);
    if (!lua_isnoneornil(L, 3)) {
        symL_checkopts(L, 3, known);
        max = (size_t)symL_optfield_int(L, 3, "max_message", 0, 0, 1 << 30);
    }
    u = symL_newud(L, sizeof *u, UD_MCP);
    r = checkregistry(L, 1);
    if (symbi_mcp_new(symL_ctx(L), r, name, max, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

/* A plan without an order (a dry run, or one that was executed) is not carried out. */
static int client_call(lua_State *L)
{
    symbi_mcp *m = checkclient(L, 1);
    ud_plan *u = symL_checkud(L, 2, UD_PLAN);
    symbi_err err;
    if (!u->p) luaL_argerror(L, 2, "the plan is closed");
    if (u->p->kind != SYMBI_BACKEND_MCP) luaL_argerror(L, 2, "not a plan of backend mcp");
    if (!u->has_order) luaL_argerror(L, 2, "the plan carries no order: it was executed already, or is of a dry run");
    u->has_order = false;
    memset(&u->order, 0, sizeof u->order);
    if (symbi_mcp_call(m, u->p, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int client_list(lua_State *L)
{
    symbi_err err;
    if (symbi_mcp_list(checkclient(L, 1), &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int client_next(lua_State *L)
{
    static const char *const names[] = { "idle", "send", "receive", "judge", "done", "failed" };
    lua_pushstring(L, names[symbi_mcp_next(checkclient(L, 1))]);
    return 1;
}

static int push_message(lua_State *L, const symbi_mcp_message *msg)
{
    lua_createtable(L, 0, 5);
    symL_setstr(L, "body", msg->body);
    lua_pushboolean(L, msg->wants_answer);
    lua_setfield(L, -2, "wants_answer");
    symL_setstr(L, "method", symbi_str_z(msg->method));
    symL_pushint(L, msg->after_ms);
    lua_setfield(L, -2, "after_ms");
    lua_createtable(L, (int)msg->nheaders, 0);
    for (size_t i = 0; i < msg->nheaders; i++) symL_addpair(L, i + 1, msg->headers[i].name, msg->headers[i].value);
    lua_setfield(L, -2, "headers");
    return 1;
}

static int client_take(lua_State *L)
{
    symbi_mcp_message msg;
    symbi_err err;
    if (symbi_mcp_take(checkclient(L, 1), &msg, &err)) return symL_fail(L, &err);
    return push_message(L, &msg);
}

static int client_part(lua_State *L)
{
    symbi_mcp_message msg;
    return symbi_mcp_part(checkclient(L, 1), &msg) ? push_message(L, &msg) : 0;
}

static int client_feed(lua_State *L)
{
    symbi_str s = symL_checkstr(L, 2);
    symbi_mcp_feed(checkclient(L, 1), s);
    return 0;
}

static int client_answered(lua_State *L)
{
    lua_pushboolean(L, symbi_mcp_answered(checkclient(L, 1)));
    return 1;
}

static int client_http_end(lua_State *L)
{
    int status = (int)symL_checkint(L, 2, 0, 999);
    symbi_str body = symL_optstr(L, 4, symbi_str_z(""));
    symbi_mcp_pair *h;
    size_t n;
    luaL_checktype(L, 3, LUA_TTABLE);
    checkclient(L, 1);
    lua_settop(L, 4);
    n = symL_rawlen(L, 3);
    if (n > 1000) n = 1000;
    luaL_checkstack(L, (int)(3 * n) + 8, "headers");
    h = lua_newuserdata(L, (n + 1) * sizeof *h);
    for (size_t i = 0; i < n; i++) { /* {name, value}; texts stay on the stack */
        lua_rawgeti(L, 3, (int)i + 1);
        luaL_checktype(L, -1, LUA_TTABLE);
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        h[i].name = symL_checkstr(L, lua_gettop(L) - 1);
        h[i].value = symL_checkstr(L, lua_gettop(L));
        lua_remove(L, -3);
    }
    symbi_mcp_http_end(checkclient(L, 1), status, h, n, body);
    return 0;
}

static symbi_status checkcode(lua_State *L, int arg)
{
    symbi_str code = symL_checkstr(L, arg);
    for (int c = -1; c > -64; c--) {
        const char *name = symbi_status_name((symbi_status)c);
        if (name && strlen(name) == code.n && !memcmp(name, code.p, code.n)) return (symbi_status)c;
    }
    return SYMBI_EIO;
}

static int client_lost(lua_State *L)
{
    symbi_mcp_lost(checkclient(L, 1), checkcode(L, 2), symL_checkstr(L, 3));
    return 0;
}

static int client_http_broken(lua_State *L)
{
    symbi_mcp_http_broken(checkclient(L, 1), checkcode(L, 2), symL_checkstr(L, 3));
    return 0;
}

static int client_judge(lua_State *L)
{
    symbi_str record = symL_checkstr(L, 2), key = symL_checkstr(L, 3);
    int64_t now = symL_isinteger(L, 4, &now) ? now : symbi_ctx_now_ms(symL_ctx(L));
    symbi_text *t;
    symbi_err err;
    checkclient(L, 1);
    t = symL_text(L);
    if (symbi_mcp_judge(checkclient(L, 1), record, key, now, t, &err)) return symL_fail(L, &err);
    if (symbi_text_str(t).n) symL_pushtext(L, t);
    else lua_pushboolean(L, 0);
    return 1;
}

static int client_wants_key(lua_State *L)
{
    lua_pushboolean(L, symbi_mcp_wants_key(checkclient(L, 1)));
    return 1;
}

/* A copy of its own, so that nothing that a finaliser does can take it away. */
static int push_copy(lua_State *L, const symbi_value *v)
{
    symbi_doc *d;
    symbi_err err;
    if (!v) {
        lua_pushnil(L);
        return 1;
    }
    if (symbi_doc_copy(symL_ctx(L), v, &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

static int client_definition(lua_State *L) { return push_copy(L, symbi_mcp_definition(checkclient(L, 1))); }
static int client_result(lua_State *L) { return push_copy(L, symbi_mcp_result(checkclient(L, 1))); }

static int client_failure(lua_State *L)
{
    symbi_err err;
    int n;
    if (!symbi_mcp_failure(checkclient(L, 1), &err)) return 0;
    n = symL_fail(L, &err); /* nil, message, err */
    lua_remove(L, -n);
    return n - 1;
}

static int client_broken(lua_State *L)
{
    lua_pushboolean(L, symbi_mcp_broken(checkclient(L, 1)));
    return 1;
}

static int client_version(lua_State *L)
{
    symL_pushstr(L, symbi_mcp_version(checkclient(L, 1)));
    return 1;
}

static int client_session(lua_State *L)
{
    symL_pushstr(L, symbi_mcp_session(checkclient(L, 1)));
    return 1;
}

static int client_server(lua_State *L)
{
    symbi_mcp_server s;
    symbi_mcp_get_server(checkclient(L, 1), &s);
    push_server(L, &s);
    return 1;
}

static int client_secret(lua_State *L)
{
    symbi_str name = symL_checkstr(L, 2), value = symL_checkstr(L, 3);
    symbi_err err;
    if (symbi_mcp_set_secret(checkclient(L, 1), name, value, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

/* ---- the record ---- */

static int mcp_approve(lua_State *L)
{
    symbi_str record = symL_checkstr(L, 1), server = symL_checkstr(L, 2), by = symL_optstr(L, 4, symbi_str_z("operator"));
    int64_t now = symL_isinteger(L, 5, &now) ? now : symbi_ctx_now_ms(symL_ctx(L));
    symbi_value v;
    symbi_text *t;
    symbi_err err;
    luaL_checktype(L, 3, LUA_TTABLE);
    if (symL_tovalue(L, 3, &v, &err)) return symL_fail(L, &err);
    t = symL_text(L);
    if (symbi_mcp_approve(symL_ctx(L), record, server, &v, by, now, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int mcp_forget(lua_State *L)
{
    symbi_str record = symL_checkstr(L, 1), server = symL_checkstr(L, 2), tool = symL_optstr(L, 3, symbi_str_z(""));
    size_t removed;
    symbi_text *t = symL_text(L);
    symbi_err err;
    if (symbi_mcp_forget(symL_ctx(L), record, server, tool, &removed, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    symL_pushint(L, (int64_t)removed);
    return 2;
}

static int mcp_compare(lua_State *L)
{
    static const char *const names[] = { "unknown", "approved", "changed" };
    symbi_str record = symL_checkstr(L, 1), server = symL_checkstr(L, 2);
    symbi_mcp_standing is;
    symbi_value v;
    symbi_text *t;
    symbi_err err;
    luaL_checktype(L, 3, LUA_TTABLE);
    if (symL_tovalue(L, 3, &v, &err)) return symL_fail(L, &err);
    t = symL_text(L);
    if (symbi_mcp_compare(symL_ctx(L), record, server, &v, &is, t, &err)) return symL_fail(L, &err);
    lua_pushstring(L, names[is]);
    symL_pushtext(L, t);
    return 2;
}

static int mcp_digest(lua_State *L)
{
    static const char hex[] = "0123456789abcdef";
    symbi_value v;
    uint8_t h[32];
    char out[64];
    symbi_err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    if (symL_tovalue(L, 1, &v, &err)) return symL_fail(L, &err);
    if (symbi_mcp_definition_digest(symL_ctx(L), &v, h, &err)) return symL_fail(L, &err);
    for (int i = 0; i < 32; i++) out[2 * i] = hex[h[i] >> 4], out[2 * i + 1] = hex[h[i] & 15];
    lua_pushlstring(L, out, sizeof out);
    return 1;
}

void l_mcp_open(lua_State *L)
{
    static const luaL_Reg registry[] = { { "names", registry_names }, { "server", registry_server }, { "warnings", registry_warnings }, { "close", registry_close }, { NULL, NULL } };
    static const luaL_Reg registry_meta[] = { { "__gc", registry_close }, { NULL, NULL } };
    static const luaL_Reg client[] = { { "call", client_call }, { "list", client_list }, { "next", client_next }, { "take", client_take }, { "feed", client_feed },
                                       { "answered", client_answered }, { "http_end", client_http_end }, { "lost", client_lost }, { "http_broken", client_http_broken }, { "part", client_part }, { "judge", client_judge },
                                       { "wants_key", client_wants_key }, { "definition", client_definition }, { "result", client_result }, { "failure", client_failure },
                                       { "broken", client_broken }, { "version", client_version }, { "session", client_session }, { "server", client_server },
                                       { "secret", client_secret }, { "close", client_close }, { NULL, NULL } };
    static const luaL_Reg client_meta[] = { { "__gc", client_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "registry", mcp_registry }, { "client", mcp_client }, { "approve", mcp_approve }, { "forget", mcp_forget },
                                      { "compare", mcp_compare }, { "digest", mcp_digest }, { NULL, NULL } };
    symL_newtype(L, UD_REGISTRY, registry, registry_meta);
    symL_newtype(L, UD_MCP, client, client_meta);
    lua_createtable(L, 0, 6);
    symL_setfuncs(L, funcs);
}
