/* bindings/lgate.c: symbi.gate (core side). Folders and reloading are lua/symbi/gate.lua; every decision is C.
 *
 *   gate = core.gate.new{policies=, entities=, tools=, profile=, surface=, audit=, permit_ttl_ms=, max_tool_calls=,
 *                        compat=, compat_allow=, insecure_allow_all=, production=}
 *   verdict = gate:check(action[, facts])      action: {kind=, agent=, name=, arguments= or arguments_json=, content=, call_id=}
 *   verdict, policies = gate:explain(action[, facts])   no permit; what each policy said
 *   ok, msg, err = gate:commit(verdict)        on the audit trail
 *   plan, msg, err = gate:redeem(verdict, permit[, opts])    a refused permit is an entry of the trail
 *   gate:approve(digest_hex, approved, approver[, ttl_ms]); gate:reload(policies); gate:generation(); gate:close()
 *
 * A verdict reads as a table: allowed, decision, code, reason, kind, agent, name, policies, permit, input, action_digest,
 * policy_hash, committed, redeemed, sequence. Nothing can be written to it. */
#include <stdlib.h>
#include <string.h>

#include "lcomm.h"
#include "symL.h"
#include "symbi/gate_explain.h"
#include "symbi/gate_refuse.h"
#include "ud.h"

static symbi_gate *checkgate(lua_State *L, int arg)
{
    ud_gate *u = symL_checkud(L, arg, UD_GATE);
    if (!u->p) luaL_argerror(L, arg, "the gate is closed");
    return u->p;
}

static int gate_close(lua_State *L)
{
    ud_gate *u = symL_checkud(L, 1, UD_GATE);
    symbi_gate *g = u->p;
    u->p = NULL;
    symbi_gate_free(g);
    return 0;
}

/* Field of the options table as a userdata of that type, or NULL when nil. Raises for anything else. */
static void *optud(lua_State *L, int arg, const char *name, const char *tname)
{
    void *u;
    lua_getfield(L, arg, name);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return NULL;
    }
    u = symL_testud(L, -1, tname);
    if (!u) luaL_error(L, "gate.new: %s must be a %s, got %s", name, tname, luaL_typename(L, -1));
    lua_pop(L, 1);
    return u;
}

static int gate_new(lua_State *L)
{
    static const char *const known[] = { "policies", "entities", "tools", "comm", "profile", "surface", "audit", "permit_ttl_ms",
                                         "max_tool_calls", "insecure_allow_all", "production", "compat", "compat_allow", NULL };
    symbi_gate_options o;
    ud_policies *pol;
    ud_entities *ent;
    ud_toolset *tools;
    ud_comm *comm;
    ud_audit *audit;
    ud_gate *u;
    symbi_str *profile = NULL;
    symbi_err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    symL_checkopts(L, 1, known);
    lua_settop(L, 1);
    symbi_gate_options_init(&o);
    pol = optud(L, 1, "policies", UD_POLICIES);
    ent = optud(L, 1, "entities", UD_ENTITIES);
    tools = optud(L, 1, "tools", UD_TOOLSET);
    audit = optud(L, 1, "audit", UD_AUDIT);
    comm = optud(L, 1, "comm", UD_COMM);
    o.comm = comm ? comm->p : NULL;
    o.policies = pol ? pol->p : NULL;
    o.entities = ent ? ent->p : NULL;
    o.tools = tools ? tools->p : NULL;
    o.audit = audit ? audit->p : NULL;
    if ((pol && !pol->p) || (ent && !ent->p) || (tools && !tools->p) || (audit && !audit->p) || (comm && !comm->p)) return luaL_error(L, "gate.new: a given object is closed");
    o.surface = symL_optfield_str(L, 1, "surface", symbi_str_z(""));
    o.permit_ttl_ms = symL_optfield_int(L, 1, "permit_ttl_ms", 0, 0, 86400000);
    o.max_tool_calls = (uint64_t)symL_optfield_int(L, 1, "max_tool_calls", 0, 0, INT64_MAX);
    o.insecure_allow_all = symL_optfield_bool(L, 1, "insecure_allow_all", false);
    o.production = symL_optfield_bool(L, 1, "production", false);
    o.compat = symL_optfield_bool(L, 1, "compat", false);
    o.compat_allow = symL_optfield_bool(L, 1, "compat_allow", false);
    lua_getfield(L, 1, "profile");
    if (!lua_isnil(L, -1)) { /* names stay borrowed from the Lua strings, which the options table holds */
        luaL_checktype(L, -1, LUA_TTABLE);
        o.nprofile = symL_rawlen(L, -1);
        o.has_profile = true;
        profile = lua_newuserdata(L, (o.nprofile ? o.nprofile : 1) * sizeof *profile);
        for (size_t i = 0; i < o.nprofile; i++) {
            lua_rawgeti(L, 2, (int)i + 1);
            if (lua_type(L, -1) != LUA_TSTRING) return luaL_error(L, "gate.new: profile must be a list of tool names");
            profile[i] = symL_tostr(L, -1);
            lua_pop(L, 1);
        }
        o.profile = profile;
    }
    u = symL_newud(L, sizeof *u, UD_GATE);
    lua_newtable(L); /* keeps the audit alive as long as the gate */
    lua_getfield(L, 1, "audit");
    lua_setfield(L, -2, "audit");
    symL_setuservalue(L, -2);
    if (symbi_gate_new(symL_ctx(L), &o, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static symbi_str field_str(lua_State *L, int arg, const char *name)
{
    symbi_str s = { NULL, 0 };
    lua_getfield(L, arg, name);
    if (lua_type(L, -1) == LUA_TSTRING) s = symL_tostr(L, -1);
    else if (!lua_isnil(L, -1)) luaL_error(L, "action.%s must be a string, got %s", name, luaL_typename(L, -1));
    lua_pop(L, 1); /* the table keeps it */
    return s;
}

static uint64_t field_count(lua_State *L, int arg, const char *name)
{
    return (uint64_t)symL_optfield_int(L, arg, name, 0, 0, INT64_MAX);
}

/* Reads a table field into *v (tree anchored by one pushed value); false when nil. */
static bool field_value(lua_State *L, int arg, const char *what, const char *name, symbi_value *v)
{
    symbi_err err;
    lua_getfield(L, arg, name);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return false;
    }
    if (symL_tovalue(L, -1, v, &err)) luaL_error(L, "%s.%s%s: %s", what, name, err.path, err.msg);
    lua_remove(L, -2);
    return true;
}

static void read_facts(lua_State *L, int arg, symbi_facts *f, symbi_value *context, symbi_value *attrs)
{
    static const char *const known[] = { "context", "agent", "loop_id", "iteration", "tool_calls", "denied", "depth", "tokens_left", "time_left_ms", "now", NULL };
    memset(f, 0, sizeof *f);
    f->tokens_left = f->time_left_ms = -1;
    if (lua_isnoneornil(L, arg)) return;
    luaL_checktype(L, arg, LUA_TTABLE);
    symL_checkopts(L, arg, known);
    f->loop_id = symL_optfield_str(L, arg, "loop_id", symbi_str_z(""));
    f->iteration = field_count(L, arg, "iteration");
    f->tool_calls = field_count(L, arg, "tool_calls");
    f->denied = field_count(L, arg, "denied");
    f->depth = (uint32_t)symL_optfield_int(L, arg, "depth", 0, 0, UINT32_MAX);
    f->tokens_left = symL_optfield_int(L, arg, "tokens_left", -1, -1, INT64_MAX);
    f->time_left_ms = symL_optfield_int(L, arg, "time_left_ms", -1, -1, INT64_MAX);
    f->now_ms = symL_optfield_int(L, arg, "now", 0, 0, INT64_MAX);
    if (field_value(L, arg, "facts", "context", context)) f->context = context;
    if (field_value(L, arg, "facts", "agent", attrs)) f->agent_attrs = attrs;
}

static int check_or_explain(lua_State *L, bool explain)
{
    static const char *const known[] = { "kind", "agent", "name", "arguments", "arguments_json", "content", "call_id", NULL };
    symbi_gate *g = checkgate(L, 1);
    symbi_action a;
    symbi_facts f;
    symbi_value args, context, attrs;
    symbi_str kind;
    ud_verdict *u;
    symbi_doc *d = NULL;
    symbi_err err;
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 3);
    symL_checkopts(L, 2, known);
    memset(&a, 0, sizeof a);
    kind = field_str(L, 2, "kind");
    a.kind = kind.p ? symbi_action_kind_of(kind) : SYMBI_ACTION_TOOL_CALL;
    a.agent = field_str(L, 2, "agent");
    a.name = field_str(L, 2, "name");
    a.args_text = field_str(L, 2, "arguments_json");
    a.content = field_str(L, 2, "content");
    a.call_id = field_str(L, 2, "call_id");
    if (field_value(L, 2, "action", "arguments", &args)) {
        if (a.args_text.p) return luaL_error(L, "action: give arguments or arguments_json, not both");
        a.args = &args;
    } else if (!a.args_text.p) {
        memset(&args, 0, sizeof args); /* none given: an empty object */
        args.kind = SYMBI_OBJECT;
        a.args = &args;
    }
    read_facts(L, 3, &f, &context, &attrs);
    u = symL_newud(L, sizeof *u, UD_VERDICT);
    if (!explain) {
        symbi_gate_check(g, &a, &f, &u->v);
        return 1;
    }
    if (symbi_gate_explain(g, &a, &f, &u->v, &d, &err)) return symL_fail(L, &err);
    if (d) symL_pushdoc(L, d);
    else lua_pushnil(L);
    return 2;
}

static int gate_check(lua_State *L) { return check_or_explain(L, false); }
/* gate:explain(action[, facts]) -> verdict without a permit, and what each policy said (symbi/cedar_explain.h), nil where none was asked */
static int gate_explain(lua_State *L) { return check_or_explain(L, true); }

static ud_verdict *checkverdict(lua_State *L, int arg) { return symL_checkud(L, arg, UD_VERDICT); }

static int gate_commit(lua_State *L)
{
    symbi_gate *g = checkgate(L, 1);
    ud_verdict *u = checkverdict(L, 2);
    symbi_facts f;
    symbi_value context, attrs;
    symbi_err err;
    read_facts(L, 3, &f, &context, &attrs);
    if (symbi_gate_commit(g, &u->v, &f, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

/* The process environment belongs to I/O: a caller passes it as a list of "NAME=value" strings. */
static const symbi_str *read_env(lua_State *L, int arg, size_t *n)
{
    symbi_str *e;
    *n = 0;
    lua_getfield(L, arg, "env");
    if (lua_isnil(L, -1)) return NULL;
    luaL_checktype(L, -1, LUA_TTABLE);
    *n = symL_rawlen(L, -1);
    e = lua_newuserdata(L, (*n ? *n : 1) * sizeof *e);
    for (size_t i = 0; i < *n; i++) {
        lua_rawgeti(L, -2, (int)i + 1);
        e[i] = symL_tostr(L, -1);
        lua_pop(L, 1);
        if (!e[i].p) luaL_error(L, "env must be a list of \"NAME=value\" strings");
    }
    return e;
}

static int gate_redeem(lua_State *L)
{
    symbi_gate *g = checkgate(L, 1);
    ud_verdict *u = checkverdict(L, 2);
    symbi_str permit = symL_checkstr(L, 3);
    symbi_plan_options po;
    ud_plan *up;
    symbi_code code = SYMBI_CODE_UNSPECIFIED;
    symbi_err err;
    memset(&po, 0, sizeof po);
    lua_settop(L, 4);
    if (!lua_isnil(L, 4)) {
        static const char *const known[] = { "project_dir", "evidence_dir", "env", "timeout_ms", NULL };
        luaL_checktype(L, 4, LUA_TTABLE);
        symL_checkopts(L, 4, known);
        po.project_dir = symL_optfield_str(L, 4, "project_dir", symbi_str_z(""));
        po.evidence_dir = symL_optfield_str(L, 4, "evidence_dir", symbi_str_z(""));
        po.host_timeout_ms = symL_optfield_int(L, 4, "timeout_ms", 0, 0, INT32_MAX);
        po.base_env = read_env(L, 4, &po.nbase_env);
    }
    up = symL_newud(L, sizeof *up, UD_PLAN);
    if (symbi_gate_redeem(g, &u->v, permit, &po, &up->p, &up->order, &code, &err)) {
        int n = symL_fail(L, &err);
        lua_pushstring(L, symbi_code_name(code));
        lua_setfield(L, -2, "reason_code");
        if (code != SYMBI_CODE_ALLOWED) { /* not written is remembered by the trail itself */
            symbi_status kept = symbi_gate_refuse(g, &u->v, code, NULL, &err);
            (void)kept;
        }
        return n;
    }
    up->has_order = true;
    return 1;
}

static int gate_reload(lua_State *L)
{
    symbi_gate *g = checkgate(L, 1);
    ud_policies *p = symL_checkud(L, 2, UD_POLICIES);
    symbi_err err;
    if (!p->p) return luaL_argerror(L, 2, "the policy set is closed");
    if (symbi_gate_reload(g, p->p, &err)) return symL_fail(L, &err);
    symL_pushint(L, (int64_t)symbi_gate_generation(g));
    return 1;
}

static bool read_digest(symbi_str hex, uint8_t digest[32]);

/* status, msg, err = gate:request_approval(verdict[, ttl_ms]): puts a step-up into the store, before people */
static int gate_request_approval(lua_State *L)
{
    symbi_gate *g = checkgate(L, 1);
    ud_verdict *u = symL_checkud(L, 2, UD_VERDICT);
    int64_t ttl = symL_optint(L, 3, 0, 0, INT64_MAX / 2);
    symbi_approval_status st;
    symbi_err err;
    if (symbi_gate_request_approval(g, &u->v, NULL, ttl, &st, &err)) return symL_fail(L, &err);
    lua_pushstring(L, symbi_approval_status_name(st));
    return 1;
}

/* status, msg, err = gate:load_approval(digest): takes an answer from the store, for the next check of that action */
static int gate_load_approval(lua_State *L)
{
    symbi_gate *g = checkgate(L, 1);
    uint8_t digest[32];
    symbi_approval_status st;
    symbi_err err;
    if (!read_digest(symL_checkstr(L, 2), digest)) return luaL_argerror(L, 2, "an action digest has 64 hexadecimal digits");
    if (symbi_gate_load_approval(g, digest, &st, &err)) return symL_fail(L, &err);
    lua_pushstring(L, symbi_approval_status_name(st));
    return 1;
}

/* gate:shadow(policies | nil): see symbi_gate_shadow. gate:shadow_counts() -> asked, differed */
static int gate_shadow(lua_State *L)
{
    symbi_gate *g = checkgate(L, 1);
    ud_policies *p = lua_isnoneornil(L, 2) ? NULL : symL_checkud(L, 2, UD_POLICIES);
    if (p && !p->p) return luaL_argerror(L, 2, "the policy set is closed");
    symbi_gate_shadow(g, p ? p->p : NULL);
    return 0;
}

static int gate_shadow_counts(lua_State *L)
{
    uint64_t asked, differed;
    symbi_gate_shadow_counts(checkgate(L, 1), &asked, &differed);
    symL_pushint(L, (int64_t)asked);
    symL_pushint(L, (int64_t)differed);
    return 2;
}

static int gate_generation(lua_State *L)
{
    symL_pushint(L, (int64_t)symbi_gate_generation(checkgate(L, 1)));
    return 1;
}

static int hexval(int c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static bool read_digest(symbi_str hex, uint8_t digest[32])
{
    if (hex.n != 64) return false;
    for (size_t i = 0; i < 32; i++) {
        int h = hexval(hex.p[2 * i]), l = hexval(hex.p[2 * i + 1]);
        if (h < 0 || l < 0) return false;
        digest[i] = (uint8_t)(h << 4 | l);
    }
    return true;
}

static int gate_approve(lua_State *L)
{
    symbi_gate *g = checkgate(L, 1);
    symbi_str hex = symL_checkstr(L, 2), who;
    uint8_t digest[32];
    symbi_err err;
    int64_t ttl;
    luaL_checktype(L, 3, LUA_TBOOLEAN);
    who = symL_checkstr(L, 4);
    ttl = symL_optint(L, 5, 0, 0, INT64_MAX / 2);
    if (!read_digest(hex, digest)) return luaL_argerror(L, 2, "an action digest has 64 hexadecimal digits");
    if (symbi_gate_approve(g, digest, lua_toboolean(L, 3), who, ttl, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

/* ---- verdict ---- */

static int verdict_gc(lua_State *L)
{
    symbi_verdict_clear(&checkverdict(L, 1)->v);
    return 0;
}

static void push_hex(lua_State *L, const uint8_t *p, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    char out[128];
    for (size_t i = 0; i < n && i < sizeof out / 2; i++) {
        out[2 * i] = hex[p[i] >> 4];
        out[2 * i + 1] = hex[p[i] & 15];
    }
    lua_pushlstring(L, out, 2 * n);
}

static void push_policies(lua_State *L, const symbi_verdict *v)
{
    size_t n = v->npolicies < SYMBI_VERDICT_POLICIES ? v->npolicies : SYMBI_VERDICT_POLICIES;
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        symbi_verdict_policy at, *p = &at;
        if (!symbi_verdict_policy_at(v, i, p)) break;
        lua_createtable(L, 0, 5);
        lua_pushstring(L, p->id);
        lua_setfield(L, -2, "id");
        lua_pushstring(L, p->source);
        lua_setfield(L, -2, "source");
        lua_pushinteger(L, (lua_Integer)p->line);
        lua_setfield(L, -2, "line");
        lua_pushstring(L, p->forbid ? "forbid" : "permit");
        lua_setfield(L, -2, "effect");
        if (p->failed) {
            lua_pushstring(L, p->message);
            lua_setfield(L, -2, "error");
        }
        lua_rawseti(L, -2, (int)i + 1);
    }
    symL_setarray(L);
}

static void push_shadow_policy(lua_State *L, const symbi_verdict *v)
{
    char id[96];
    symbi_verdict_shadow_policy(v, id);
    lua_pushstring(L, id);
}

/* One function for the fields: a verdict is read-only, so there is no __newindex. */
static int verdict_index(lua_State *L)
{
    const symbi_verdict *v = &checkverdict(L, 1)->v;
    const char *k = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    if (strcmp(k, "allowed") == 0) lua_pushboolean(L, v->decision == SYMBI_ALLOW || v->decision == SYMBI_MODIFY);
    else if (strcmp(k, "decision") == 0) lua_pushstring(L, symbi_decision_name(v->decision));
    else if (strcmp(k, "code") == 0) lua_pushstring(L, symbi_code_name(v->code));
    else if (strcmp(k, "reason") == 0) lua_pushstring(L, v->reason);
    else if (strcmp(k, "policies") == 0) push_policies(L, v);
    else if (strcmp(k, "permit") == 0 && v->has_permit) lua_pushlstring(L, (const char *)v->permit.bytes, SYMBI_PERMIT_BYTES);
    else if (strcmp(k, "input") == 0 && v->input) symL_pushvalue(L, symbi_doc_root(v->input));
    else if (strcmp(k, "kind") == 0) lua_pushstring(L, symbi_action_kind_name(v->kind));
    else if (strcmp(k, "agent") == 0) lua_pushstring(L, v->agent);
    else if (strcmp(k, "name") == 0) lua_pushstring(L, v->name);
    else if (strcmp(k, "action_digest") == 0) push_hex(L, v->action_digest, 32);
    else if (strcmp(k, "policy_hash") == 0) push_hex(L, v->policy_hash, 32);
    else if (strcmp(k, "mode") == 0) lua_pushstring(L, v->compat ? "compat" : "strict");
    else if (strcmp(k, "context_replaced") == 0) lua_pushboolean(L, v->context_replaced);
    else if (strcmp(k, "committed") == 0) lua_pushboolean(L, v->committed);
    else if (strcmp(k, "redeemed") == 0) lua_pushboolean(L, v->redeemed);
    else if (strcmp(k, "shadow") == 0 && v->has_shadow) lua_pushstring(L, symbi_decision_name(v->shadow));
    else if (strcmp(k, "shadow_policy") == 0 && v->has_shadow) push_shadow_policy(L, v);
    else if (strcmp(k, "sequence") == 0 && v->committed) symL_pushint(L, (int64_t)v->sequence);
    else lua_pushnil(L);
    return 1;
}

static int verdict_newindex(lua_State *L)
{
    (void)checkverdict(L, 1);
    return luaL_error(L, "a verdict cannot be changed");
}

static int verdict_tostring(lua_State *L)
{
    const symbi_verdict *v = &checkverdict(L, 1)->v;
    lua_pushfstring(L, "%s %s %s: %s", symbi_decision_name(v->decision), symbi_action_kind_name(v->kind), v->name, v->reason);
    return 1;
}

/* ---- plan: read-only view for people and executors ---- */

static int plan_gc(lua_State *L)
{
    ud_plan *u = symL_checkud(L, 1, UD_PLAN);
    symbi_plan *p = u->p;
    u->p = NULL;
    memset(&u->order, 0, sizeof u->order);
    u->has_order = false;
    symbi_plan_unref(p);
    return 0;
}

static void push_strings(lua_State *L, const symbi_str *s, size_t n)
{
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        symL_pushstr(L, s[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    symL_setarray(L);
}

static int plan_index(lua_State *L)
{
    ud_plan *u = symL_checkud(L, 1, UD_PLAN);
    const char *k = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    const symbi_plan *p = u->p;
    if (!p) return luaL_argerror(L, 1, "the plan is closed");
    if (strcmp(k, "kind") == 0) lua_pushstring(L, symbi_backend_name(p->kind));
    else if (strcmp(k, "tool") == 0) symL_pushstr(L, p->tool);
    else if (strcmp(k, "scan_id") == 0) symL_pushstr(L, p->scan_id);
    else if (strcmp(k, "argv") == 0) push_strings(L, p->argv, p->argc);
    else if (strcmp(k, "env") == 0) push_strings(L, p->env, p->nenv);
    else if (strcmp(k, "cwd") == 0) symL_pushstr(L, p->cwd);
    else if (strcmp(k, "timeout_ms") == 0) symL_pushint(L, p->timeout_ms);
    else if (strcmp(k, "arguments") == 0 && p->args) symL_pushvalue(L, p->args);
    else if (strcmp(k, "digest") == 0) push_hex(L, p->digest, 32);
    else lua_pushnil(L);
    return 1;
}

void l_gate_open(lua_State *L);
void l_gate_open(lua_State *L)
{
    static const luaL_Reg methods[] = { { "check", gate_check }, { "explain", gate_explain }, { "commit", gate_commit }, { "redeem", gate_redeem }, { "reload", gate_reload },
                                        { "approve", gate_approve }, { "generation", gate_generation }, { "request_approval", gate_request_approval }, { "load_approval", gate_load_approval }, { "shadow", gate_shadow }, { "shadow_counts", gate_shadow_counts }, { "close", gate_close }, { NULL, NULL } };
    static const luaL_Reg gate_meta[] = { { "__gc", gate_close }, { NULL, NULL } };
    static const luaL_Reg none[] = { { NULL, NULL } };
    static const luaL_Reg verdict_meta[] = { { "__gc", verdict_gc }, { "__index", verdict_index }, { "__newindex", verdict_newindex }, { "__tostring", verdict_tostring }, { NULL, NULL } };
    static const luaL_Reg plan_meta[] = { { "__gc", plan_gc }, { "__index", plan_index }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "new", gate_new }, { NULL, NULL } };
    symL_newtype(L, UD_GATE, methods, gate_meta);
    symL_newtype(L, UD_VERDICT, none, verdict_meta);
    symL_newtype(L, UD_PLAN, none, plan_meta);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
    lua_newtable(L); /* codes: name -> what it means */
    for (size_t i = 0;; i++) {
        symbi_code c;
        const char *name;
        if (!symbi_code_at(i, &c, &name)) break;
        lua_pushstring(L, symbi_code_text(c));
        lua_setfield(L, -2, name);
    }
    lua_setfield(L, -2, "codes");
    lua_getfield(L, LUA_REGISTRYINDEX, UD_GATE); /* methods: lua/symbi/gate.lua adds those that read files */
    lua_getfield(L, -1, "__index");
    lua_setfield(L, -3, "methods");
    lua_pop(L, 1);
}
