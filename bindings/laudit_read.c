/* bindings/laudit_read.c: the reading half of symbi.audit: the type "symbi.store" with the store in memory, rows, checkpoints
 * and anchors, verification of a store and of entries that come one by one. See laudit.c for the calls. */
#include "laudit.h"

#include <stdio.h>
#include <string.h>

#define UD_VERIFIER "symbi.auditverifier"

/* ---- hex fields -------------------------------------------------------------------------------------------------------- */

void laudit_set_hex(lua_State *L, const char *name, const uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    char b[128];
    for (size_t i = 0; i < n; i++) {
        b[2 * i] = digits[p[i] >> 4];
        b[2 * i + 1] = digits[p[i] & 15];
    }
    lua_pushlstring(L, b, 2 * n);
    lua_setfield(L, -2, name);
}
static int hexval(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}
bool laudit_unhex(symbi_str s, uint8_t *out, size_t n)
{
    if (s.n != 2 * n) return false;
    for (size_t i = 0; i < n; i++) {
        int a = hexval(s.p[2 * i]), b = hexval(s.p[2 * i + 1]);
        if (a < 0 || b < 0) return false;
        out[i] = (uint8_t)(a << 4 | b);
    }
    return true;
}
/* A hex field of the table at arg; false when it is absent or no hex of that length. Never raises. */
static bool field_hex(lua_State *L, int arg, const char *name, uint8_t *out, size_t n)
{
    bool ok;
    lua_getfield(L, arg, name);
    ok = laudit_unhex(symL_tostr(L, -1), out, n);
    lua_pop(L, 1);
    return ok;
}
static bool field_int(lua_State *L, int arg, const char *name, int64_t *out)
{
    bool ok;
    lua_getfield(L, arg, name);
    ok = symL_isinteger(L, -1, out);
    lua_pop(L, 1);
    return ok;
}
/* Any 64-bit integer, also as the decimal text that stands for it where a Lua number cannot hold it. */
static bool field_int64(lua_State *L, int arg, const char *name, int64_t *out)
{
    symbi_str s;
    uint64_t v = 0;
    bool neg, ok;
    lua_getfield(L, arg, name);
    s = symL_tostr(L, -1);
    ok = symL_isinteger(L, -1, out);
    neg = s.n > 1 && s.p[0] == '-';
    if (s.n && s.n < 21) {
        ok = true;
        for (size_t i = neg; i < s.n; i++) {
            unsigned d = (unsigned)(unsigned char)s.p[i] - '0';
            if (d > 9 || v > ((uint64_t)INT64_MAX - d) / 10) ok = false;
            else v = v * 10 + d;
        }
        if (ok) *out = neg ? -(int64_t)v : (int64_t)v;
    }
    lua_pop(L, 1);
    return ok;
}
static bool field_text(lua_State *L, int arg, const char *name, symbi_str *out)
{
    lua_getfield(L, arg, name);
    *out = symL_tostr(L, -1);
    lua_pop(L, 1); /* the table keeps it */
    return out->p != NULL;
}
static void set_int(lua_State *L, const char *name, int64_t v)
{
    symL_pushint(L, v);
    lua_setfield(L, -2, name);
}
static void set_str(lua_State *L, const char *name, symbi_str s)
{
    symL_pushstr(L, s);
    lua_setfield(L, -2, name);
}
int laudit_fail(lua_State *L, symbi_status code, const char *msg)
{
    symbi_err err;
    symbi_err_clear(&err);
    err.code = code;
    snprintf(err.msg, sizeof err.msg, "%s", msg);
    return symL_fail(L, &err);
}

/* ---- stores ------------------------------------------------------------------------------------------------------------- */

void laudit_store_release(ud_store *u)
{
    symbi_key *k = u->key;
    void (*f)(symbi_store *) = u->close;
    u->key = NULL;
    u->close = NULL;
    symbi_key_unref(k);
    if (f) f(&u->store);
}

ud_store *laudit_store_hold(lua_State *L, int arg)
{
    ud_store *s = laudit_check_store(L, arg);
    if (s->readonly) luaL_argerror(L, arg, "the store was opened read-only");
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, arg);
    lua_rawseti(L, -2, 1);
    return s;
}

void laudit_store_drop(lua_State *L)
{
    ud_store *s;
    symL_getuservalue(L, 1);
    lua_rawgeti(L, -1, 1);
    s = symL_testud(L, -1, UD_STORE);
    if (s && --s->users == 0 && s->closing) laudit_store_release(s);
    lua_pop(L, 2);
}
static int store_close(lua_State *L)
{
    ud_store *u = symL_checkud(L, 1, UD_STORE);
    u->closing = true;
    if (u->users == 0) laudit_store_release(u);
    return 0;
}
static int store_gc(lua_State *L)
{
    laudit_store_release(symL_checkud(L, 1, UD_STORE)); /* audits that are collected later do not touch it */
    return 0;
}
ud_store *laudit_check_store(lua_State *L, int arg)
{
    ud_store *u = symL_checkud(L, arg, UD_STORE);
    if (!u->close || u->closing) luaL_argerror(L, arg, "the store is closed");
    return u;
}
static int store_get(lua_State *L)
{
    ud_store *u = laudit_check_store(L, 1);
    symbi_str ns = symL_checkstr(L, 2), key = symL_checkstr(L, 3), v;
    symbi_err err;
    if (u->store.get(u->store.ud, ns, key, &v, &err)) return symL_fail(L, &err);
    symL_pushstr(L, v);
    return 1;
}
/* key, value; nothing but nil at the end. */
static int store_next(lua_State *L)
{
    ud_store *u = laudit_check_store(L, 1);
    symbi_str ns = symL_checkstr(L, 2), after = symL_optstr(L, 3, symbi_str_z("")), k, v;
    symbi_err err;
    symbi_status st = u->store.next(u->store.ud, ns, after, &k, &v, &err);
    if (st == SYMBI_ENOTFOUND) {
        lua_pushnil(L);
        return 1;
    }
    if (st) return symL_fail(L, &err);
    symL_pushstr(L, k);
    symL_pushstr(L, v);
    return 2;
}
static int store_public(lua_State *L)
{
    ud_store *u = laudit_check_store(L, 1);
    lua_newtable(L);
    if (!u->has_pub) return laudit_fail(L, SYMBI_ENOTFOUND, "the state folder holds no public key (audit.pub)");
    laudit_set_hex(L, "k", u->pub, 32);
    lua_getfield(L, -1, "k");
    return 1;
}
static int a_memstore(lua_State *L)
{
    ud_store *u = symL_newud(L, sizeof *u, UD_STORE);
    symbi_err err;
    if (symbi_memstore_new(symL_ctx(L), &u->store, &err)) return symL_fail(L, &err);
    u->close = symbi_memstore_free;
    return 1;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

static void push_row(lua_State *L, const symbi_store_row *r)
{
    lua_createtable(L, 0, 9);
    set_int(L, "sequence", (int64_t)r->sequence);
    set_int(L, "timestamp_ms", r->timestamp_ms);
    set_int(L, "iteration", (int64_t)r->iteration);
    set_str(L, "loop_id", r->loop_id);
    set_str(L, "agent_id", r->agent_id);
    set_str(L, "event", r->event);
    laudit_set_hex(L, "prev_hash", r->prev_hash, 32);
    laudit_set_hex(L, "hash", r->hash, 32);
    if (r->has_signature) laudit_set_hex(L, "signature", r->signature, 64);
}
static void push_checkpoint(lua_State *L, const symbi_store_checkpoint *c)
{
    lua_createtable(L, 0, 5);
    set_int(L, "len", (int64_t)c->len);
    set_int(L, "timestamp_ms", c->timestamp_ms);
    laudit_set_hex(L, "head", c->head, 32);
    laudit_set_hex(L, "public_key", c->public_key, 32);
    laudit_set_hex(L, "signature", c->signature, 64);
}

static int a_tail(lua_State *L)
{
    ud_store *u = laudit_check_store(L, 1);
    symbi_str chain = symL_optstr(L, 2, symbi_str_z("main"));
    uint64_t len;
    uint8_t head[32];
    int64_t ms;
    symbi_err err;
    if (u->store.tail(u->store.ud, chain, &len, head, &ms, &err)) return symL_fail(L, &err);
    lua_createtable(L, 0, 3);
    set_int(L, "len", (int64_t)len);
    set_int(L, "timestamp_ms", ms);
    laudit_set_hex(L, "head", head, 32);
    return 1;
}
static int a_row(lua_State *L)
{
    ud_store *u = laudit_check_store(L, 1);
    uint64_t seq = (uint64_t)symL_checkint(L, 2, 0, INT64_MAX);
    symbi_str chain = symL_optstr(L, 3, symbi_str_z("main"));
    symbi_store_row r;
    symbi_err err;
    if (u->store.row(u->store.ud, chain, seq, &r, &err)) return symL_fail(L, &err);
    push_row(L, &r);
    return 1;
}
/* i from 0; -1 is the last */
static int a_checkpoint(lua_State *L)
{
    ud_store *u = laudit_check_store(L, 1);
    int64_t i = symL_checkint(L, 2, -1, INT64_MAX);
    symbi_str chain = symL_optstr(L, 3, symbi_str_z("main"));
    symbi_store_checkpoint c;
    symbi_err err;
    if (u->store.checkpoint(u->store.ud, chain, i < 0 ? UINT64_MAX : (uint64_t)i, &c, &err)) return symL_fail(L, &err);
    push_checkpoint(L, &c);
    return 1;
}
static int a_anchor(lua_State *L)
{
    ud_store *u = laudit_check_store(L, 1);
    symbi_str chain = symL_optstr(L, 2, symbi_str_z("main"));
    symbi_store_checkpoint c;
    symbi_err err;
    if (!u->anchor) return laudit_fail(L, SYMBI_ENOTFOUND, "this store keeps no anchor");
    if (u->anchor(&u->store, chain, &c, &err)) return symL_fail(L, &err);
    push_checkpoint(L, &c);
    return 1;
}

/* ---- verification ------------------------------------------------------------------------------------------------------- */

static bool get_checkpoint(lua_State *L, int arg, symbi_store_checkpoint *c, bool signature)
{
    int64_t len = 0;
    memset(c, 0, sizeof *c);
    if (!field_int(L, arg, "len", &len) || len < 0 || !field_hex(L, arg, "head", c->head, 32)) return false;
    c->len = (uint64_t)len;
    lua_getfield(L, arg, "signature");
    if (lua_isnil(L, -1) && !signature) {
        lua_pop(L, 1);
        return true;
    }
    lua_pop(L, 1);
    return field_int(L, arg, "timestamp_ms", &c->timestamp_ms) && field_hex(L, arg, "public_key", c->public_key, 32) && field_hex(L, arg, "signature", c->signature, 64);
}

static int push_report(lua_State *L, const symbi_audit_report *r)
{
    lua_createtable(L, 0, 10);
    lua_pushboolean(L, r->result == SYMBI_AUDIT_OK);
    lua_setfield(L, -2, "ok");
    lua_pushstring(L, symbi_audit_result_name(r->result));
    lua_setfield(L, -2, "result");
    set_int(L, "entries", (int64_t)r->entries);
    set_int(L, "anchored", (int64_t)r->anchored);
    set_int(L, "checkpoints", (int64_t)r->checkpoints);
    set_int(L, "gaps", (int64_t)r->gaps);
    set_int(L, "clock_back", (int64_t)r->clock_back);
    laudit_set_hex(L, "head", r->head, 32);
    if (r->result != SYMBI_AUDIT_OK) set_int(L, "bad_sequence", (int64_t)r->bad_sequence);
    lua_pushstring(L, r->detail);
    lua_setfield(L, -2, "detail");
    return 1;
}

/* public_key and anchor of the options at arg into *pub and *anchor; *how: 0 absent, 1 none wanted, 2 given. Raises. */
static bool get_verify_opts(lua_State *L, int arg, uint8_t pub[32], symbi_store_checkpoint *anchor, int *how)
{
    bool has_pub = false;
    *how = 0;
    if (lua_isnoneornil(L, arg)) return false;
    lua_getfield(L, arg, "public_key");
    if (!lua_isnil(L, -1)) {
        if (!laudit_unhex(symL_tostr(L, -1), pub, 32)) luaL_argerror(L, arg, "public_key must be 64 hex digits");
        has_pub = true;
    }
    lua_pop(L, 1);
    lua_getfield(L, arg, "anchor");
    if (lua_istable(L, -1)) {
        if (!get_checkpoint(L, lua_gettop(L), anchor, false)) luaL_argerror(L, arg, "anchor must be a checkpoint: {len=, head=} or one with public_key, timestamp_ms and signature");
        *how = 2;
    } else if (lua_isboolean(L, -1) && !lua_toboolean(L, -1)) *how = 1;
    else if (!lua_isnil(L, -1)) luaL_argerror(L, arg, "anchor must be false or a table");
    lua_pop(L, 1);
    return has_pub;
}

static int a_verify(lua_State *L)
{
    static const char *const known[] = { "chain", "public_key", "anchor", NULL };
    ud_store *u = laudit_check_store(L, 1);
    symbi_str chain;
    symbi_store_checkpoint anchor;
    symbi_audit_report rep;
    symbi_err err;
    uint8_t pub[32];
    int how;
    symbi_status st;
    symL_checkopts(L, 2, known);
    chain = symL_optfield_str(L, 2, "chain", symbi_str_z("main"));
    if (!get_verify_opts(L, 2, pub, &anchor, &how)) {
        if (!u->has_pub) return laudit_fail(L, SYMBI_ENOTFOUND, "no public key to verify with: give public_key");
        memcpy(pub, u->pub, 32);
    }
    if (how == 0 && u->anchor) {
        st = u->anchor(&u->store, chain, &anchor, &err);
        if (st && st != SYMBI_ENOTFOUND) return symL_fail(L, &err);
        if (!st) how = 2;
    }
    if (symbi_audit_verify(symL_ctx(L), &u->store, chain, pub, how == 2 ? &anchor : NULL, &rep, &err)) return symL_fail(L, &err);
    push_report(L, &rep);
    lua_pushboolean(L, how == 2);
    lua_setfield(L, -2, "outside_anchor");
    if (how == 2) {
        push_checkpoint(L, &anchor);
        lua_setfield(L, -2, "anchor");
    }
    laudit_set_hex(L, "public_key", pub, 32);
    return 1;
}

typedef struct ud_verifier { symbi_audit_verifier *p; } ud_verifier;

static int a_verifier(lua_State *L)
{
    static const char *const known[] = { "public_key", "anchor", NULL };
    symbi_store_checkpoint anchor;
    symbi_err err;
    uint8_t pub[32];
    int how;
    ud_verifier *u;
    luaL_checktype(L, 1, LUA_TTABLE);
    symL_checkopts(L, 1, known);
    if (!get_verify_opts(L, 1, pub, &anchor, &how)) luaL_argerror(L, 1, "public_key is required");
    u = symL_newud(L, sizeof *u, UD_VERIFIER);
    if (symbi_audit_verifier_new(symL_ctx(L), pub, how == 2 ? &anchor : NULL, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}
static int v_close(lua_State *L)
{
    ud_verifier *u = symL_checkud(L, 1, UD_VERIFIER);
    symbi_audit_verifier *v = u->p;
    u->p = NULL;
    symbi_audit_verifier_free(v);
    return 0;
}
static symbi_audit_verifier *check_verifier(lua_State *L)
{
    ud_verifier *u = symL_checkud(L, 1, UD_VERIFIER);
    if (!u->p) luaL_argerror(L, 1, "the verifier is closed");
    return u->p;
}
/* A malformed entry is data, not misuse: nil, message. */
static int v_entry(lua_State *L)
{
    symbi_audit_verifier *v = check_verifier(L);
    symbi_store_row r;
    symbi_err err;
    int64_t seq = 0, iter = 0;
    luaL_checktype(L, 2, LUA_TTABLE);
    memset(&r, 0, sizeof r);
    if (!field_int(L, 2, "sequence", &seq) || seq < 0 || !field_int(L, 2, "timestamp_ms", &r.timestamp_ms) || !field_int64(L, 2, "iteration", &iter) || !field_text(L, 2, "loop_id", &r.loop_id) ||
        !field_text(L, 2, "agent_id", &r.agent_id) || !field_text(L, 2, "event", &r.event) || !field_hex(L, 2, "prev_hash", r.prev_hash, 32) ||
        !field_hex(L, 2, "hash", r.hash, 32))
        return laudit_fail(L, SYMBI_ESCHEMA, "not an audit entry: a field is missing or has the wrong type");
    lua_getfield(L, 2, "signature");
    if (!lua_isnil(L, -1)) {
        if (!laudit_unhex(symL_tostr(L, -1), r.signature, 64)) return laudit_fail(L, SYMBI_ESCHEMA, "not an audit entry: signature must be 128 hex digits");
        r.has_signature = true;
    }
    lua_pop(L, 1);
    r.sequence = (uint64_t)seq;
    r.iteration = (uint64_t)iter;
    if (symbi_audit_verifier_entry(v, &r, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}
static int v_checkpoint(lua_State *L)
{
    symbi_audit_verifier *v = check_verifier(L);
    symbi_store_checkpoint c;
    symbi_err err;
    luaL_checktype(L, 2, LUA_TTABLE);
    if (!get_checkpoint(L, 2, &c, true)) return laudit_fail(L, SYMBI_ESCHEMA, "not a checkpoint: a field is missing or has the wrong type");
    if (symbi_audit_verifier_checkpoint(v, &c, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}
static int v_finish(lua_State *L)
{
    symbi_audit_report rep;
    symbi_audit_verifier_finish(check_verifier(L), &rep);
    return push_report(L, &rep);
}

void laudit_read_open(lua_State *L)
{
    static const luaL_Reg funcs[] = {
        { "memstore", a_memstore }, { "verify", a_verify }, { "verifier", a_verifier }, { "tail", a_tail }, { "row", a_row },
        { "checkpoint", a_checkpoint }, { "anchor", a_anchor }, { NULL, NULL },
    };
    static const luaL_Reg store[] = { { "get", store_get }, { "next", store_next }, { "public_key", store_public }, { "close", store_close }, { NULL, NULL } };
    static const luaL_Reg store_meta[] = { { "__gc", store_gc }, { NULL, NULL } };
    static const luaL_Reg verifier[] = { { "entry", v_entry }, { "checkpoint", v_checkpoint }, { "finish", v_finish }, { "close", v_close }, { NULL, NULL } };
    symL_newtype(L, UD_STORE, store, store_meta);
    symL_newtype(L, UD_VERIFIER, verifier, NULL);
    symL_setfuncs(L, funcs);
}
