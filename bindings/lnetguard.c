/* bindings/lnetguard.c: symbi.netguard: where requests may go (symbi/netguard.h has the rules in full).
 *
 *   policy, msg, err = netguard.policy{allow=, only=, deny=, ports=, https_only=, lenient=, max_redirects=, max_bytes=, max_header_bytes=, timeout_ms=}
 *       policy:limits() its numbers and flags; policy:close()
 *   target, msg, err = netguard.check(url[, policy])          {host=, port=, tls=, address=, allowed=}; address for a URL with one
 *   target, msg, err = netguard.operator(url[, policy])       for a URL that the operator wrote
 *   list, msg, err   = netguard.pick(url, addresses[, policy[, by_operator]])   those of a resolver's answers that may be reached
 *   hop, msg, err    = netguard.redirect{url=, status=, location=, method=, hops=, body_bytes=, policy=}
 *                          false: no redirect, or none is followed; else {url=, get=, cross_origin=}
 *   netguard.keeps_header(name)     may it go to another origin?
 *   kind, inner = netguard.class(address)       nil for a public one; "private", "loopback", "embedded" with the address inside, ...
 *   address = netguard.legacy_v4(text)          "127.1", "0x7f000001" -> "127.0.0.1"; nil when it is no such number
 *   bytes, msg, err = netguard.dns_query(name, "A"|"AAAA"|"TXT", id)
 *   answer, msg, err = netguard.dns_read(bytes, name, type, id)     {rcode=, truncated=, ttl=, addresses or texts in the list}
 *   netguard.reasons                            name -> meaning of err.refused
 * policy: nil is the strict one, a table is read anew. Refusals: code EDENIED (EPARSE: no URL), err.refused a name of reasons. */
#include "symL.h"
#include "ud.h"

#include <string.h>

static int g_close(lua_State *L)
{
    ud_netguard *u = symL_checkud(L, 1, UD_NETGUARD);
    symbi_netguard *p = u->p;
    u->p = NULL;
    symbi_netguard_unref(p);
    return 0;
}

/* The policy at arg in *out (NULL: strict). A table becomes a policy of its own, pushed. false: err is filled. */
static bool getpolicy(lua_State *L, int arg, symbi_netguard **out, symbi_err *err)
{
    ud_netguard *u;
    symbi_value v;
    *out = NULL;
    if (lua_isnoneornil(L, arg)) return true;
    if (lua_istable(L, arg)) {
        if (symL_tovalue(L, arg, &v, err)) return false;
        u = symL_newud(L, sizeof *u, UD_NETGUARD);
        if (symbi_netguard_from(symL_ctx(L), &v, &u->p, err)) return false;
    } else {
        u = symL_checkud(L, arg, UD_NETGUARD);
        if (!u->p) luaL_argerror(L, arg, "the policy is closed");
    }
    *out = u->p;
    return true;
}

static int refused(lua_State *L, const symbi_err *err, symbi_netguard_why why)
{
    int n = symL_fail(L, err);
    if (why) {
        lua_pushstring(L, symbi_netguard_why_name(why));
        lua_setfield(L, -2, "refused");
    }
    return n;
}

static int n_policy(lua_State *L)
{
    symbi_value v;
    symbi_err err;
    ud_netguard *u;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    if (symL_tovalue(L, 1, &v, &err)) return symL_fail(L, &err);
    u = symL_newud(L, sizeof *u, UD_NETGUARD);
    if (symbi_netguard_from(symL_ctx(L), &v, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int g_limits(lua_State *L)
{
    ud_netguard *u = symL_checkud(L, 1, UD_NETGUARD);
    symbi_netguard_options o;
    if (!u->p) return luaL_argerror(L, 1, "the policy is closed");
    symbi_netguard_limits(u->p, &o);
    lua_createtable(L, 0, 6);
    lua_pushboolean(L, o.https_only);
    lua_setfield(L, -2, "https_only");
    lua_pushboolean(L, o.lenient);
    lua_setfield(L, -2, "lenient");
    symL_pushint(L, o.max_redirects);
    lua_setfield(L, -2, "max_redirects");
    symL_pushint(L, (int64_t)o.max_bytes);
    lua_setfield(L, -2, "max_bytes");
    symL_pushint(L, (int64_t)o.max_header_bytes);
    lua_setfield(L, -2, "max_header_bytes");
    symL_pushint(L, o.timeout_ms);
    lua_setfield(L, -2, "timeout_ms");
    return 1;
}

static int check(lua_State *L, bool by_operator)
{
    symbi_str url = symL_checkstr(L, 1);
    symbi_netguard *g;
    symbi_netguard_target t;
    symbi_err err;
    char text[SYMBI_NETADDR_TEXT];
    lua_settop(L, 2);
    if (!getpolicy(L, 2, &g, &err)) return symL_fail(L, &err);
    if (by_operator ? symbi_netguard_operator_url(g, url, &t, &err) : symbi_netguard_check_url(g, url, &t, &err)) return refused(L, &err, t.why);
    lua_createtable(L, 0, 5);
    lua_pushlstring(L, t.host, t.host_n);
    lua_setfield(L, -2, "host");
    symL_pushint(L, t.port);
    lua_setfield(L, -2, "port");
    lua_pushboolean(L, t.tls);
    lua_setfield(L, -2, "tls");
    lua_pushboolean(L, t.allowed);
    lua_setfield(L, -2, "allowed");
    if (t.is_addr) {
        lua_pushlstring(L, text, symbi_netaddr_format(&t.addr, text));
        lua_setfield(L, -2, "address");
    }
    return 1;
}

static int n_check(lua_State *L) { return check(L, false); }
static int n_operator(lua_State *L) { return check(L, true); }

static int n_pick(lua_State *L)
{
    enum { MAX = 256 };
    symbi_str url = symL_checkstr(L, 1);
    bool by_operator = lua_toboolean(L, 4);
    symbi_netguard *g;
    symbi_netguard_target t;
    symbi_netaddr *a;
    size_t n, kept;
    symbi_err err;
    char text[SYMBI_NETADDR_TEXT];
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 4);
    n = symL_rawlen(L, 2);
    if (n > MAX) n = MAX; /* more answers than anybody needs */
    a = lua_newuserdata(L, (n ? n : 1) * sizeof *a);
    for (size_t i = 0; i < n; i++) {
        symbi_str s;
        lua_rawgeti(L, 2, (int)i + 1);
        s = symL_tostr(L, -1);
        if (!s.p) return luaL_error(L, "netguard.pick: addresses must be a list of strings");
        if (symbi_netaddr_parse(s, &a[i], &err)) return symL_fail(L, &err);
        lua_pop(L, 1);
    }
    if (!getpolicy(L, 3, &g, &err)) return symL_fail(L, &err);
    if (by_operator ? symbi_netguard_operator_url(g, url, &t, &err) : symbi_netguard_check_url(g, url, &t, &err)) return refused(L, &err, t.why);
    if (symbi_netguard_pick(g, &t, a, n, &kept, &err)) return refused(L, &err, t.why);
    lua_createtable(L, (int)kept, 0);
    for (size_t i = 0; i < kept; i++) {
        lua_pushlstring(L, text, symbi_netaddr_format(&a[i], text));
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

static int n_redirect(lua_State *L)
{
    static const char *const known[] = { "url", "status", "location", "method", "hops", "body_bytes", "policy", NULL };
    symbi_str url, location, method;
    int status, hops;
    size_t body;
    symbi_netguard *g;
    symbi_netguard_hop hop;
    symbi_text *t;
    symbi_err err;
    symbi_status st;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    symL_checkopts(L, 1, known);
    url = symL_optfield_str(L, 1, "url", symbi_str_z(""));
    location = symL_optfield_str(L, 1, "location", symbi_str_z(""));
    method = symL_optfield_str(L, 1, "method", symbi_str_z("GET"));
    status = (int)symL_optfield_int(L, 1, "status", 0, 0, 999);
    hops = (int)symL_optfield_int(L, 1, "hops", 0, 0, 1000);
    body = (size_t)symL_optfield_int(L, 1, "body_bytes", 0, 0, (int64_t)1 << 40);
    lua_getfield(L, 1, "policy");
    if (!getpolicy(L, 2, &g, &err)) return symL_fail(L, &err);
    t = symL_text(L);
    st = symbi_netguard_redirect(symL_ctx(L), g, method, url, body, status, location, hops, &hop, &err);
    *t = hop.url;
    if (st) return refused(L, &err, hop.target.why);
    if (!hop.follow) {
        lua_pushboolean(L, 0);
        return 1;
    }
    lua_createtable(L, 0, 3);
    symL_pushstr(L, symbi_text_str(t));
    lua_setfield(L, -2, "url");
    lua_pushboolean(L, hop.get);
    lua_setfield(L, -2, "get");
    lua_pushboolean(L, hop.cross_origin);
    lua_setfield(L, -2, "cross_origin");
    return 1;
}

static int n_keeps_header(lua_State *L)
{
    lua_pushboolean(L, symbi_netguard_keeps_header(symL_checkstr(L, 1)));
    return 1;
}

static int n_class(lua_State *L)
{
    symbi_netaddr a, inner;
    symbi_netguard_why why;
    symbi_err err;
    char text[SYMBI_NETADDR_TEXT];
    if (symbi_netaddr_parse(symL_checkstr(L, 1), &a, &err)) return symL_fail(L, &err);
    if (!(why = symbi_netaddr_class(&a, &inner))) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushstring(L, symbi_netguard_why_name(why));
    if (why != SYMBI_NETGUARD_EMBEDDED) return 1;
    lua_pushlstring(L, text, symbi_netaddr_format(&inner, text));
    return 2;
}

static int n_legacy_v4(lua_State *L)
{
    symbi_netaddr a;
    char text[SYMBI_NETADDR_TEXT];
    if (symbi_netaddr_legacy_v4(symL_checkstr(L, 1), &a)) lua_pushlstring(L, text, symbi_netaddr_format(&a, text));
    else lua_pushnil(L);
    return 1;
}

/* ---- DNS ---- */

static uint16_t gettype(lua_State *L, int arg)
{
    static const char *const names[] = { "A", "AAAA", "TXT", NULL };
    static const uint16_t types[] = { SYMBI_DNS_A, SYMBI_DNS_AAAA, SYMBI_DNS_TXT };
    return types[luaL_checkoption(L, arg, NULL, names)];
}

static int n_dns_query(lua_State *L)
{
    uint8_t out[SYMBI_DNS_QUERY_MAX];
    size_t n;
    symbi_err err;
    symbi_str name = symL_checkstr(L, 1);
    uint16_t type = gettype(L, 2);
    if (symbi_dns_query(name, type, (uint16_t)symL_checkint(L, 3, 0, 65535), out, &n, &err)) return symL_fail(L, &err);
    lua_pushlstring(L, (const char *)out, n);
    return 1;
}

static int n_dns_read(lua_State *L)
{
    symbi_str message = symL_checkstr(L, 1), name = symL_checkstr(L, 2);
    uint16_t type = gettype(L, 3);
    int64_t id = symL_checkint(L, 4, 0, 65535);
    symbi_dns_answer a;
    symbi_err err;
    char text[SYMBI_NETADDR_TEXT];
    if (symbi_dns_read(message, name, type, (uint16_t)id, &a, &err)) return symL_fail(L, &err);
    lua_createtable(L, (int)a.n, 3);
    symL_pushint(L, a.rcode);
    lua_setfield(L, -2, "rcode");
    lua_pushboolean(L, a.truncated);
    lua_setfield(L, -2, "truncated");
    symL_pushint(L, a.ttl);
    lua_setfield(L, -2, "ttl");
    for (size_t i = 0; i < a.n; i++) {
        if (type == SYMBI_DNS_TXT) { /* the strings of a record are one text */
            luaL_Buffer b;
            symbi_str rest = a.items[i].rdata, part;
            luaL_buffinit(L, &b);
            while (symbi_dns_text(&rest, &part)) luaL_addlstring(&b, part.p, part.n);
            luaL_pushresult(&b);
        } else {
            lua_pushlstring(L, text, symbi_netaddr_format(&a.items[i].addr, text));
        }
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

void l_netguard_open(lua_State *L);
void l_netguard_open(lua_State *L)
{
    static const luaL_Reg methods[] = { { "limits", g_limits }, { "close", g_close }, { NULL, NULL } };
    static const luaL_Reg meta[] = { { "__gc", g_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "policy", n_policy }, { "check", n_check }, { "operator", n_operator }, { "pick", n_pick }, { "redirect", n_redirect }, { "keeps_header", n_keeps_header },
                                      { "class", n_class }, { "legacy_v4", n_legacy_v4 }, { "dns_query", n_dns_query }, { "dns_read", n_dns_read }, { NULL, NULL } };
    symL_newtype(L, UD_NETGUARD, methods, meta);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
    lua_createtable(L, 0, SYMBI_NETGUARD_REDIRECT);
    for (int i = SYMBI_NETGUARD_NONE + 1; i <= SYMBI_NETGUARD_REDIRECT; i++) {
        lua_pushstring(L, symbi_netguard_why_text((symbi_netguard_why)i));
        lua_setfield(L, -2, symbi_netguard_why_name((symbi_netguard_why)i));
    }
    lua_setfield(L, -2, "reasons");
}
