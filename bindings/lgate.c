/* bindings/lgate.c: symbi.gate (core side). Folders and reloading are lua/symbi/gate.lua; every decision is C.
 *
 *   gate = core.gate.new{policies=, entities=, tools=, profile=, surface=, audit=, permit_ttl_ms=, max_tool_calls=,
 *                        compat=, compat_allow=, insecure_allow_all=, production=}
 *                        agent_identity=, identity_issuer=, require_identity=, require_verified=
 *   verdict = gate:check(action[, facts])      action: {kind=, agent=, name=, arguments= or arguments_json=, content=, call_id=, identity=}
 *   verdict, policies, rules = gate:explain(action[, facts])   no permit; what each policy said, and each rule of a .symbi agent
 *   ok, msg, err = gate:commit(verdict)        on the audit trail
 *   plan, msg, err = gate:redeem(verdict, permit[, opts])    a refused permit is an entry of the trail
 *   gate:approve(digest_hex, approved, approver[, ttl_ms]); gate:reload(policies); gate:generation(); gate:close()
 *
 * Verdicts and plans: lverdict.c. Reading actions and facts: lgate_in.c. */
#include <stdlib.h>
#include <string.h>

#include "lcomm.h"
#include "lgate.h"
#include "symL.h"
#include "symbi/gate_explain.h"
#include "symbi/gate_narrow.h"
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

/* A list of names under `field`; they stay borrowed from the Lua strings, which the options table holds. False when nil. */
static bool read_names(lua_State *L, const char *field, const symbi_str **out, size_t *n)
{
    symbi_str *v;
    lua_getfield(L, 1, field);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return false;
    }
    symL_owntable(L, -1); /* stays on the stack, and keeps the strings */
    *n = symL_listlen(L, -1, field);
    v = lua_newuserdata(L, (*n ? *n : 1) * sizeof *v); /* stays on the stack */
    for (size_t i = 0; i < *n; i++) {
        lua_rawgeti(L, -2, (int)i + 1);
        if (lua_type(L, -1) != LUA_TSTRING) luaL_error(L, "gate.new: %s must be a list of tool names", field);
        v[i] = symL_tostr(L, -1);
        lua_pop(L, 1);
    }
    *out = v;
    return true;
}

/* agent_identity = {[agent id] = the sub that it must show} */
static void read_identities(lua_State *L, symbi_gate_options *o)
{
    symbi_agent_identity *v;
    size_t n = 0, i = 0;
    int t;
    lua_getfield(L, 1, "agent_identity");
    if (lua_isnil(L, -1)) return;
    symL_owntable(L, -1);
    t = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, t); lua_pop(L, 1)) n++;
    v = lua_newuserdata(L, (n ? n : 1) * sizeof *v);
    for (lua_pushnil(L); lua_next(L, t) && i < n; lua_pop(L, 1)) {
        v[i].agent = symL_tostr(L, -2);
        v[i].identity = symL_tostr(L, -1);
        if (!v[i].agent.p || !v[i].identity.p) luaL_error(L, "gate.new: agent_identity says which identity an agent must show: {agent = \"sub\"}");
        i++;
    }
    lua_settop(L, t + 1);
    o->identities = v;
    o->nidentities = i;
}

static int gate_new(lua_State *L)
{
    static const char *const known[] = { "policies", "entities", "tools", "comm", "profile", "surface", "audit", "permit_ttl_ms",
                                         "max_tool_calls", "insecure_allow_all", "production", "compat", "compat_allow",
                                         "require_identity", "identity_issuer", "agent_identity", "require_verified", "scope", "require_scope", NULL };
    symbi_gate_options o;
    ud_policies *pol;
    ud_entities *ent;
    ud_toolset *tools;
    ud_comm *comm;
    ud_audit *audit;
    ud_scope_file *scope;
    ud_gate *u;
    symbi_err err;
    lua_settop(L, 1);
    symL_owntable(L, 1);
    symL_checkopts(L, 1, known);
    symbi_gate_options_init(&o);
    o.require_scope = symL_optfield_bool(L, 1, "require_scope", false);
    o.surface = symL_optfield_str(L, 1, "surface", symbi_str_z(""));
    o.permit_ttl_ms = symL_optfield_int(L, 1, "permit_ttl_ms", 0, 0, 86400000);
    o.max_tool_calls = (uint64_t)symL_optfield_int(L, 1, "max_tool_calls", 0, 0, INT64_MAX);
    o.insecure_allow_all = symL_optfield_bool(L, 1, "insecure_allow_all", false);
    o.production = symL_optfield_bool(L, 1, "production", false);
    o.compat = symL_optfield_bool(L, 1, "compat", false);
    o.compat_allow = symL_optfield_bool(L, 1, "compat_allow", false);
    o.has_profile = read_names(L, "profile", &o.profile, &o.nprofile);
    o.require_identity = symL_optfield_bool(L, 1, "require_identity", false);
    o.identity_issuer = symL_optfield_str(L, 1, "identity_issuer", symbi_str_z(""));
    read_identities(L, &o);
    lua_getfield(L, 1, "require_verified"); /* true: all tools; or a list of them */
    if (lua_istable(L, -1)) read_names(L, "require_verified", &o.verified_tools, &o.nverified_tools);
    else o.require_verified = symL_optfield_bool(L, 1, "require_verified", false);
    u = symL_newud(L, sizeof *u, UD_GATE);
    lua_newtable(L); /* keeps the audit alive as long as the gate */
    lua_getfield(L, 1, "audit");
    lua_setfield(L, -2, "audit");
    symL_setuservalue(L, -2);
    pol = optud(L, 1, "policies", UD_POLICIES); /* from here on nothing is allocated that could run a finaliser, which could close them */
    ent = optud(L, 1, "entities", UD_ENTITIES);
    tools = optud(L, 1, "tools", UD_TOOLSET);
    audit = optud(L, 1, "audit", UD_AUDIT);
    comm = optud(L, 1, "comm", UD_COMM);
    scope = optud(L, 1, "scope", UD_SCOPE_FILE);
    if ((pol && !pol->p) || (ent && !ent->p) || (tools && !tools->p) || (audit && !audit->p) || (comm && !comm->p) || (scope && !scope->p))
        return luaL_error(L, "gate.new: a given object is closed");
    o.policies = pol ? pol->p : NULL;
    o.entities = ent ? ent->p : NULL;
    o.tools = tools ? tools->p : NULL;
    o.audit = audit ? audit->p : NULL;
    o.comm = comm ? comm->p : NULL;
    o.scope = scope ? scope->p : NULL;
    if (symbi_gate_new(symL_ctx(L), &o, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int check_or_explain(lua_State *L, bool explain)
{
    symbi_gate *g;
    l_gate_in in;
    ud_verdict *u;
    symbi_doc *d = NULL;
    symbi_err err;
    checkgate(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 3);
    u = symL_newud(L, sizeof *u, UD_VERDICT); /* first: what it collects cannot change what is read */
    l_gate_action(L, 2, &in);
    l_gate_facts(L, 3, &in);
    lua_pushvalue(L, 4);
    g = checkgate(L, 1); /* what was read may have run finalisers */
    l_gate_in_ready(L, &in);
    if (!explain) {
        symbi_gate_check(g, &in.a, &in.f, &u->v);
        return 1;
    }
    if (symbi_gate_explain(g, &in.a, &in.f, &u->v, &d, &err)) return symL_fail(L, &err);
    if (d) symL_pushdoc(L, d);
    else lua_pushnil(L);
    g = checkgate(L, 1);
    l_gate_in_ready(L, &in);
    if (symbi_gate_explain_rules(g, &in.a, &in.f, &u->v, &d, &err)) return symL_fail(L, &err);
    if (d) symL_pushdoc(L, d);
    else lua_pushnil(L);
    return 3;
}

static int gate_check(lua_State *L) { return check_or_explain(L, false); }
/* gate:explain(action[, facts]) -> verdict without a permit, what each policy said (symbi/cedar_explain.h), nil where none was asked, and
 * likewise for the rules of gate:narrow */
static int gate_explain(lua_State *L) { return check_or_explain(L, true); }

static ud_verdict *checkverdict(lua_State *L, int arg) { return symL_checkud(L, arg, UD_VERDICT); }

static int gate_commit(lua_State *L)
{
    ud_verdict *u = checkverdict(L, 2);
    l_gate_in in;
    symbi_err err;
    checkgate(L, 1);
    in.used = 0;
    l_gate_facts(L, 3, &in);
    if (symbi_gate_commit(checkgate(L, 1), &u->v, &in.f, &err)) return symL_fail(L, &err);
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
    symL_owntable(L, -1);
    *n = symL_listlen(L, -1, "env");
    e = lua_newuserdata(L, (*n ? *n : 1) * sizeof *e);
    for (size_t i = 0; i < *n; i++) {
        lua_rawgeti(L, -2, (int)i + 1);
        e[i] = symL_tostr(L, -1);
        lua_pop(L, 1);
        if (!e[i].p) luaL_error(L, "env must be a list of \"NAME=value\" strings");
    }
    return e;
}

/* A call that belongs to no run is a trace of its own. */
static symbi_status fresh_trace(symbi_ctx *cx, char out[33], symbi_err *err)
{
    uint8_t id[16];
    symbi_status st = symbi_ctx_random(cx, id, sizeof id, err);
    for (size_t i = 0; !st && i < sizeof id; i++) {
        out[2 * i] = "0123456789abcdef"[id[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[id[i] & 15];
    }
    out[32] = 0;
    return st;
}

static int gate_redeem(lua_State *L)
{
    ud_verdict *u = checkverdict(L, 2);
    symbi_str permit = symL_checkstr(L, 3);
    symbi_plan_options po;
    ud_plan *up;
    symbi_code code = SYMBI_CODE_UNSPECIFIED;
    symbi_err err;
    char trace[33];
    memset(&po, 0, sizeof po);
    checkgate(L, 1);
    if (fresh_trace(symL_ctx(L), trace, &err)) return symL_fail(L, &err);
    po.trace_id = symbi_str_z(trace);
    po.checks_files = true; /* the spawner does */
    lua_settop(L, 4);
    if (!lua_isnil(L, 4)) {
        static const char *const known[] = { "project_dir", "evidence_dir", "env", "timeout_ms", "checks_files", "sandbox", "trace_id", NULL };
        symL_owntable(L, 4);
        symL_checkopts(L, 4, known);
        po.project_dir = symL_optfield_str(L, 4, "project_dir", symbi_str_z(""));
        po.evidence_dir = symL_optfield_str(L, 4, "evidence_dir", symbi_str_z(""));
        po.host_timeout_ms = symL_optfield_int(L, 4, "timeout_ms", 0, 0, INT32_MAX);
        po.checks_files = symL_optfield_bool(L, 4, "checks_files", true);
        po.base_env = read_env(L, 4, &po.nbase_env);
        po.box = l_optbox(L, 4);
        po.trace_id = symL_optfield_str(L, 4, "trace_id", symbi_str_z(trace));
    }
    up = symL_newud(L, sizeof *up, UD_PLAN);
    if (symbi_gate_redeem(checkgate(L, 1), &u->v, permit, &po, &up->p, &up->order, &code, &err)) {
        int n = symL_fail(L, &err);
        lua_pushstring(L, symbi_code_name(code));
        lua_setfield(L, -2, "reason_code");
        if (code != SYMBI_CODE_ALLOWED) { /* not written is remembered by the trail itself */
            symbi_status kept = symbi_gate_refuse(checkgate(L, 1), &u->v, code, NULL, &err);
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

/* gate:rescope(scope | nil): what may be targeted from now on; see symbi_gate_rescope */
static int gate_rescope(lua_State *L)
{
    symbi_gate *g = checkgate(L, 1);
    ud_scope_file *s = lua_isnoneornil(L, 2) ? NULL : symL_checkud(L, 2, UD_SCOPE_FILE);
    if (s && !s->p) return luaL_argerror(L, 2, "the scope is closed");
    symbi_gate_rescope(g, s ? s->p : NULL);
    return 0;
}

/* generation, msg, err = gate:retool(set): another set of tools, whole, for the next check */
static int gate_retool(lua_State *L)
{
    symbi_gate *g = checkgate(L, 1);
    ud_toolset *s = symL_checkud(L, 2, UD_TOOLSET);
    symbi_err err;
    if (!s->p) return luaL_argerror(L, 2, "the tool set is closed");
    if (symbi_gate_retool(g, s->p, &err)) return symL_fail(L, &err);
    symL_pushint(L, (int64_t)symbi_gate_generation(g));
    return 1;
}

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
    if (!l_read_digest(symL_checkstr(L, 2), digest)) return luaL_argerror(L, 2, "an action digest has 64 hexadecimal digits");
    if (symbi_gate_load_approval(g, digest, &st, &err)) return symL_fail(L, &err);
    lua_pushstring(L, symbi_approval_status_name(st));
    return 1;
}

/* gate:prove(tool, result | nil): the outcome of a SchemaPin check, for a tool of this gate; see symbi_gate_prove */
static int gate_prove(lua_State *L)
{
    symbi_gate *g = checkgate(L, 1);
    symbi_str tool = symL_checkstr(L, 2);
    ud_schemapin *u = lua_isnoneornil(L, 3) ? NULL : symL_checkud(L, 3, UD_SCHEMAPIN);
    symbi_err err;
    if (u && !u->p) return luaL_argerror(L, 3, "the result is closed");
    if (symbi_gate_prove(g, tool, u ? u->p : NULL, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
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

/* gate:narrow(narrow | nil[, {sandbox=, memory_bytes=}]): the rules of a .symbi agent beside the policies; see symbi_gate_narrow. The table
 * is what this host gives its tools. */
static int gate_narrow(lua_State *L)
{
    static const char *const known[] = { "sandbox", "memory_bytes", NULL };
    ud_narrow *n = lua_isnoneornil(L, 2) ? NULL : symL_checkud(L, 2, UD_NARROW);
    symbi_narrow_host host = { SYMBI_SANDBOX_NONE, 0 };
    symbi_err err;
    checkgate(L, 1);
    if (!lua_isnoneornil(L, 3)) {
        symbi_str s;
        symL_owntable(L, 3);
        symL_checkopts(L, 3, known);
        s = symL_optfield_str(L, 3, "sandbox", symbi_str_z("none"));
        if (!(s.n == 4 && !memcmp(s.p, "none", 4)) && !symbi_sandbox_of(s, &host.sandbox)) return luaL_error(L, "gate:narrow: sandbox must be docker, gvisor, firecracker, e2b or none");
        host.memory_bytes = (uint64_t)symL_optfield_int(L, 3, "memory_bytes", 0, 0, INT64_MAX);
    }
    if (n && !n->p) return luaL_argerror(L, 2, "the rules are closed");
    if (symbi_gate_narrow(checkgate(L, 1), n ? n->p : NULL, &host, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static void push_warnings(lua_State *L, symbi_cedar *set, bool compat)
{
    symbi_str s;
    if (set) { /* a reference of Lua's: what is pushed here may run a finaliser that closes the other one */
        ud_policies *hold = symL_newud(L, sizeof *hold, UD_POLICIES);
        hold->p = symbi_cedar_ref(set);
    } else {
        lua_pushnil(L);
    }
    lua_newtable(L);
    for (size_t i = 0; (s = symbi_gate_warning_of(set, compat, i)).n; i++) {
        symL_pushstr(L, s);
        lua_rawseti(L, -2, (int)i + 1);
    }
    symL_setarray(L);
    lua_remove(L, -2);
}

/* gate:warnings() -> list of what is in force and probably not meant */
static int gate_warnings(lua_State *L)
{
    symbi_gate *g = checkgate(L, 1);
    if (symbi_gate_allows_all(g)) { /* what policies lack is of no account there */
        lua_newtable(L);
        lua_pushliteral(L, "INSECURE: insecure_allow_all is set: policies are not asked, everything that the contracts of the tools allow is allowed");
        lua_rawseti(L, -2, 1);
        symL_setarray(L);
        return 1;
    }
    push_warnings(L, symbi_gate_policies(g), symbi_gate_is_compat(g));
    if (symbi_gate_is_compat(g)) {
        lua_pushliteral(L, "COMPAT: this gate decides as upstream's does: policies that fail are skipped, forbids too");
        lua_rawseti(L, -2, (int)symL_rawlen(L, -2) + 1);
    }
    return 1;
}

/* core.gate.warnings(policies[, compat]): the same of a set that is in force nowhere yet */
static int set_warnings(lua_State *L)
{
    ud_policies *p = symL_checkud(L, 1, UD_POLICIES);
    if (!p->p) return luaL_argerror(L, 1, "the policy set is closed");
    push_warnings(L, p->p, lua_toboolean(L, 2));
    return 1;
}

/* true, or nil, message, err: core.gate.ready(policies) whether the set can be put in force */
static int set_ready(lua_State *L)
{
    ud_policies *p = symL_checkud(L, 1, UD_POLICIES);
    symbi_err err;
    if (!p->p) return luaL_argerror(L, 1, "the policy set is closed");
    if (symbi_gate_ready_for(symL_ctx(L), p->p, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int gate_generation(lua_State *L)
{
    symL_pushint(L, (int64_t)symbi_gate_generation(checkgate(L, 1)));
    return 1;
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
    if (!l_read_digest(hex, digest)) return luaL_argerror(L, 2, "an action digest has 64 hexadecimal digits");
    if (symbi_gate_approve(g, digest, lua_toboolean(L, 3), who, ttl, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

void l_gate_open(lua_State *L);
void l_gate_open(lua_State *L)
{
    static const luaL_Reg methods[] = { { "check", gate_check }, { "explain", gate_explain }, { "commit", gate_commit }, { "redeem", gate_redeem }, { "reload", gate_reload }, { "retool", gate_retool }, { "rescope", gate_rescope },
                                        { "approve", gate_approve }, { "generation", gate_generation }, { "warnings", gate_warnings }, { "prove", gate_prove }, { "request_approval", gate_request_approval }, { "load_approval", gate_load_approval }, { "narrow", gate_narrow }, { "shadow", gate_shadow }, { "shadow_counts", gate_shadow_counts }, { "close", gate_close }, { NULL, NULL } };
    static const luaL_Reg gate_meta[] = { { "__gc", gate_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "new", gate_new }, { "warnings", set_warnings }, { "ready", set_ready }, { NULL, NULL } };
    symL_newtype(L, UD_GATE, methods, gate_meta);
    l_verdict_types(L);
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
