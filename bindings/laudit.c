/* bindings/laudit.c: symbi.audit (core side): writer, verification, reading; and the type "symbi.store" with the store in
 * memory. Hashes, keys and signatures are lower-case hex. What Lua adds is lua/symbi/audit.lua.
 *
 *   store = core.audit.memstore()                              store:get(ns, key), store:next(ns[, after]), store:public_key(), store:close()
 *   audit = core.audit.open(store[, {chain=, key=, sign="entry"|"checkpoint", clock_slack_ms=}])
 *   audit:commit(event or {event, ...}[, {durable=, records={{ns, key, value[, check, expect]}, ...}}]) -> number of entries in the trail
 *     event = {event = JSON text or table, agent_id=, loop_id=, iteration=}
 *   audit:prepare(events[, {records=}]) -> batch; audit:confirm(receipt); audit:abandon(); audit:retract()
 *   audit:check_clock(), audit:accept_clock(), audit:len(), audit:head(), audit:close()
 *   core.audit.apply(store, batch[, public_key]) -> receipt
 *   core.audit.verify(store[, {chain=, public_key=, anchor = false | {len=, head=, ...}}]) -> report
 *   core.audit.tail(store[, chain]), .row(store, sequence[, chain]), .checkpoint(store, i[, chain]), .anchor(store[, chain])
 *   v = core.audit.verifier{public_key=, anchor=}; v:entry(e), v:checkpoint(c), v:finish() -> report */
#include "laudit.h"
#include "lsecrets.h"
#include "symbi/json.h"

#include <string.h>

enum { MAX_EVENTS = 10000 };

static int a_open(lua_State *L)
{
    static const char *const known[] = { "chain", "key", "sign", "clock_slack_ms", NULL };
    ud_store *s = laudit_check_store(L, 1);
    symbi_audit_options o;
    symbi_str sign;
    symbi_err err;
    ud_audit *u;
    memset(&o, 0, sizeof o);
    symL_checkopts(L, 2, known);
    o.key = s->key;
    o.chain = symL_optfield_str(L, 2, "chain", symbi_str_z("main"));
    o.clock_slack_ms = symL_optfield_int(L, 2, "clock_slack_ms", 0, 0, INT64_MAX);
    sign = symL_optfield_str(L, 2, "sign", symbi_str_z("checkpoint"));
    if (sign.n == 5 && memcmp(sign.p, "entry", 5) == 0) o.sign_entries = true;
    else if (sign.n != 10 || memcmp(sign.p, "checkpoint", 10) != 0) luaL_argerror(L, 2, "sign must be \"entry\" or \"checkpoint\"");
    if (lua_istable(L, 2)) {
        lua_getfield(L, 2, "key");
        if (!lua_isnil(L, -1)) {
            ud_key *k = symL_checkud(L, -1, UD_KEY);
            if (!k->p) luaL_argerror(L, 2, "the key is closed");
            o.key = k->p; /* the audit takes a reference of its own */
        }
        lua_pop(L, 1);
    }
    if (s->readonly) return laudit_fail(L, SYMBI_EINVAL, "the store was opened read-only: it can be verified, not written");
    if (!o.key) return laudit_fail(L, SYMBI_EINVAL, "a signing key is needed: give key = symbi.crypto.ed25519{seed=}, or open the store of a state folder");
    u = symL_newud(L, sizeof *u, UD_AUDIT);
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 1);
    symL_setuservalue(L, -2);
    if (symbi_audit_open(symL_ctx(L), &s->store, &o, &u->owned, &err)) return symL_fail(L, &err);
    symbi_audit_redact(u->owned, l_shared_redactor(L));
    u->p = u->owned;
    s->users++;
    return 1;
}
/* The store's last user may have the store's closing to do. */
static int audit_close(lua_State *L)
{
    ud_audit *u = symL_checkud(L, 1, UD_AUDIT);
    ud_store *s;
    if (!u->p) return 0;
    symbi_audit_detach(u->p);
    u->p = NULL;
    symL_getuservalue(L, 1); /* {store} */
    lua_rawgeti(L, -1, 1);
    s = symL_testud(L, -1, UD_STORE);
    if (s && --s->users == 0 && s->closing) laudit_store_release(s);
    return 0;
}
static int audit_gc(lua_State *L)
{
    ud_audit *u = symL_checkud(L, 1, UD_AUDIT);
    symbi_audit *a;
    audit_close(L);
    a = u->owned;
    u->owned = NULL;
    symbi_audit_free(a);
    return 0;
}
static symbi_audit *check_audit(lua_State *L)
{
    ud_audit *u = symL_checkud(L, 1, UD_AUDIT);
    if (!u->p) luaL_argerror(L, 1, "the audit trail is closed");
    return u->p;
}

/* One event from the table at idx. A table as event is written as canonical JSON, kept by a text on the stack. */
static bool get_event(lua_State *L, int idx, symbi_audit_event *e, symbi_err *err)
{
    static const char *const known[] = { "event", "agent_id", "loop_id", "iteration", NULL };
    symL_checkopts(L, idx, known);
    e->agent_id = symL_optfield_str(L, idx, "agent_id", symbi_str_z(""));
    e->loop_id = symL_optfield_str(L, idx, "loop_id", symbi_str_z(""));
    e->iteration = (uint64_t)symL_optfield_int(L, idx, "iteration", 0, 0, INT64_MAX);
    lua_getfield(L, idx, "event");
    if (lua_type(L, -1) == LUA_TSTRING) {
        e->event = symL_tostr(L, -1);
        lua_pop(L, 1);
    } else if (lua_istable(L, -1)) {
        symbi_text *t = symL_text(L);
        symbi_value v;
        lua_insert(L, -2); /* text, table */
        if (symL_tovalue(L, -1, &v, err)) return false;
        if (symbi_json_write(symL_ctx(L), &v, SYMBI_JSON_CANONICAL, t, err)) return false;
        lua_pop(L, 2); /* tree and table; the text stays */
        e->event = symbi_text_str(t);
    } else luaL_error(L, "an audit event needs a field event: a table or JSON text");
    return true;
}

/* The events at arg: one, or a list. Everything they point to stays on the stack. */
static bool get_events(lua_State *L, int arg, symbi_audit_event **out, size_t *n, symbi_err *err)
{
    bool list;
    luaL_checktype(L, arg, LUA_TTABLE);
    lua_getfield(L, arg, "event");
    list = lua_isnil(L, -1);
    lua_pop(L, 1);
    *n = list ? symL_listlen(L, arg, "the events") : 1;
    if (*n > MAX_EVENTS) luaL_argerror(L, arg, "too many events in one commit");
    luaL_checkstack(L, (int)*n + 20, "too many events");
    *out = lua_newuserdata(L, (*n ? *n : 1) * sizeof **out);
    memset(*out, 0, (*n ? *n : 1) * sizeof **out);
    if (!list) return get_event(L, arg, *out, err);
    for (size_t i = 0; i < *n; i++) {
        int at;
        lua_rawgeti(L, arg, (int)i + 1);
        if (!lua_istable(L, -1)) luaL_argerror(L, arg, "an event or a list of events is expected");
        at = lua_gettop(L);
        if (!get_event(L, at, &(*out)[i], err)) return false;
        lua_remove(L, at); /* the list keeps it */
    }
    return true;
}

/* The field records of the options at arg: a list of {ns=, key=, value=, check=, expect=}. */
static symbi_store_kv *get_records(lua_State *L, int arg, size_t *n)
{
    static const char *const known[] = { "ns", "key", "value", "check", "expect", NULL };
    symbi_str none = { NULL, 0 };
    symbi_store_kv *kv = NULL;
    int list;
    *n = 0;
    if (lua_isnoneornil(L, arg)) return NULL;
    lua_getfield(L, arg, "records");
    if (lua_isnil(L, -1)) return NULL;
    luaL_checktype(L, -1, LUA_TTABLE);
    list = lua_gettop(L);
    *n = symL_listlen(L, list, "records");
    if (*n > MAX_EVENTS) luaL_argerror(L, arg, "too many records in one commit");
    kv = lua_newuserdata(L, (*n ? *n : 1) * sizeof *kv);
    memset(kv, 0, (*n ? *n : 1) * sizeof *kv);
    for (size_t i = 0; i < *n; i++) {
        symbi_str check;
        lua_rawgeti(L, list, (int)i + 1);
        luaL_checktype(L, -1, LUA_TTABLE);
        symL_checkopts(L, lua_gettop(L), known);
        kv[i].ns = symL_optfield_str(L, lua_gettop(L), "ns", none);
        kv[i].key = symL_optfield_str(L, lua_gettop(L), "key", none);
        kv[i].value = symL_optfield_str(L, lua_gettop(L), "value", none);
        kv[i].expect = symL_optfield_str(L, lua_gettop(L), "expect", none);
        check = symL_optfield_str(L, lua_gettop(L), "check", none);
        if (check.p && strcmp(check.p, "absent") == 0) kv[i].check = SYMBI_KV_ABSENT;
        else if (kv[i].expect.p) kv[i].check = SYMBI_KV_EQUALS;
        else if (check.p) luaL_argerror(L, arg, "records: check must be \"absent\"");
        lua_pop(L, 1);
    }
    return kv;
}

static int audit_commit(lua_State *L)
{
    static const char *const known[] = { "durable", "records", NULL };
    symbi_audit *a = check_audit(L);
    symbi_audit_event *ev;
    symbi_store_kv *kv;
    size_t n, nkv;
    bool durable;
    symbi_err err;
    lua_settop(L, 3);
    symL_checkopts(L, 3, known);
    durable = symL_optfield_bool(L, 3, "durable", true);
    kv = get_records(L, 3, &nkv);
    if (!get_events(L, 2, &ev, &n, &err)) return symL_fail(L, &err);
    if (symbi_audit_commit(a, ev, n, kv, nkv, durable, &err)) return symL_fail(L, &err);
    symL_pushint(L, (int64_t)symbi_audit_len(a));
    return 1;
}
static int audit_prepare(lua_State *L)
{
    static const char *const known[] = { "records", NULL };
    symbi_audit *a = check_audit(L);
    symbi_audit_event *ev;
    symbi_store_kv *kv;
    symbi_text *t;
    size_t n, nkv;
    symbi_err err;
    lua_settop(L, 3);
    symL_checkopts(L, 3, known);
    kv = get_records(L, 3, &nkv);
    if (!get_events(L, 2, &ev, &n, &err)) return symL_fail(L, &err);
    t = symL_text(L);
    if (symbi_audit_prepare(a, ev, n, kv, nkv, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}
static int audit_confirm(lua_State *L)
{
    symbi_audit *a = check_audit(L);
    symbi_str receipt = symL_checkstr(L, 2);
    symbi_err err;
    if (symbi_audit_confirm(a, receipt, &err)) return symL_fail(L, &err);
    symL_pushint(L, (int64_t)symbi_audit_len(a));
    return 1;
}
static int audit_abandon(lua_State *L)
{
    symbi_audit_abandon(check_audit(L));
    return 0;
}
static int audit_retract(lua_State *L)
{
    symbi_audit_retract(check_audit(L));
    return 0;
}
static int audit_check_clock(lua_State *L)
{
    symbi_err err;
    if (symbi_audit_check_clock(check_audit(L), &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}
static int audit_accept_clock(lua_State *L)
{
    symbi_err err;
    if (symbi_audit_accept_clock(check_audit(L), &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}
static int audit_len(lua_State *L)
{
    symL_pushint(L, (int64_t)symbi_audit_len(check_audit(L)));
    return 1;
}
static int audit_head(lua_State *L)
{
    uint8_t h[32];
    symbi_audit_head(check_audit(L), h);
    lua_newtable(L);
    laudit_set_hex(L, "h", h, 32);
    lua_getfield(L, -1, "h");
    return 1;
}

static int a_apply(lua_State *L)
{
    ud_store *s = laudit_check_store(L, 1);
    symbi_str batch = symL_checkstr(L, 2), hex = symL_optstr(L, 3, (symbi_str){ NULL, 0 });
    uint8_t pub[32], receipt[32];
    symbi_err err;
    symbi_status st;
    if (hex.p && !laudit_unhex(hex, pub, 32)) luaL_argerror(L, 3, "a public key is 64 hex digits");
    if (!hex.p && s->has_pub) memcpy(pub, s->pub, 32);
    st = hex.p || s->has_pub ? symbi_audit_apply_by(symL_ctx(L), &s->store, batch, pub, receipt, &err) : symbi_audit_apply(symL_ctx(L), &s->store, batch, receipt, &err);
    if (st) return symL_fail(L, &err);
    lua_pushlstring(L, (const char *)receipt, 32);
    return 1;
}

void l_audit_open(lua_State *L)
{
    static const luaL_Reg funcs[] = { { "open", a_open }, { "apply", a_apply }, { NULL, NULL } };
    static const luaL_Reg audit[] = {
        { "commit", audit_commit }, { "prepare", audit_prepare }, { "confirm", audit_confirm }, { "abandon", audit_abandon }, { "retract", audit_retract },
        { "check_clock", audit_check_clock }, { "accept_clock", audit_accept_clock }, { "len", audit_len }, { "head", audit_head }, { "close", audit_close }, { NULL, NULL },
    };
    static const luaL_Reg audit_meta[] = { { "__gc", audit_gc }, { NULL, NULL } };
    symL_newtype(L, UD_AUDIT, audit, audit_meta);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
    laudit_read_open(L);
}
