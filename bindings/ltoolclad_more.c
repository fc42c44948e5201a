/* bindings/ltoolclad_more.c: symbi.toolclad, beside a tool's own methods:
 *
 *   record, msg, err = tool:evidence(plan, envelope, facts[, result])    the record of a run (spec orga-oats.md 3.4); facts: {loop_id=, call_id=,
 *                                agent=, user=, agentpin_kid=, decision=, policies={ids}, journal_sequence=, started_ms=}; result: of a command line
 *   contract = tool:describe()                       {name=, binary=, backend=, args={{name=, type=, required=, ...}}, cedar={resource=, action=}}
 *   value, msg, err = tool:check(name, value)        one value for one argument, canonical
 *   text, msg, err = set:cedar_schema([facts])       facts: further attributes of the context, as Cedar writes them
 *   issues, msg, err = toolclad.constraints(manifest_text, limits[, {upstream_tiers = bool}])
 *   t = toolclad.traceparent(header)                 {trace_id=, parent_id=} or nil
 *   toolclad.triage: severity(word) category(word); ticket(text[, untrusted]) -> severity; route(category, severity); grounded(category,
 *                    claimed, ticket); decided(category, permitted); context(category, claimed, ticket): words in, words out */
#include "ltoolclad.h"

#include <string.h>

#include "symbi/triage.h"
#include "ud.h"

int l_tool_evidence(lua_State *L)
{
    static const char *const known[] = { "loop_id", "call_id", "agent", "user", "agentpin_kid", "decision", "policies", "journal_sequence", "started_ms", NULL };
    const symbi_str none = { "", 0 };
    symbi_tool *t = l_checktool(L, 1);
    ud_plan *u = symL_checkud(L, 2, UD_PLAN);
    symbi_evidence_facts f;
    symbi_exec_result r;
    symbi_value env;
    symbi_doc *d;
    symbi_err err;
    int64_t sequence;
    lua_settop(L, 5);
    if (!u->p) luaL_argerror(L, 2, "the plan is closed");
    luaL_checktype(L, 3, LUA_TTABLE);
    luaL_checktype(L, 4, LUA_TTABLE);
    symL_checkopts(L, 4, known);
    memset(&f, 0, sizeof f);
    f.loop_id = symL_optfield_str(L, 4, "loop_id", none);
    f.call_id = symL_optfield_str(L, 4, "call_id", none);
    f.agent = symL_optfield_str(L, 4, "agent", none);
    f.user = symL_optfield_str(L, 4, "user", none);
    f.agentpin_kid = symL_optfield_str(L, 4, "agentpin_kid", none);
    f.decision = symL_optfield_str(L, 4, "decision", none);
    f.started_ms = symL_optfield_int(L, 4, "started_ms", 0, 0, INT64_MAX);
    sequence = symL_optfield_int(L, 4, "journal_sequence", -1, -1, INT64_MAX);
    f.has_sequence = sequence >= 0;
    f.journal_sequence = (uint64_t)(sequence < 0 ? 0 : sequence);
    lua_getfield(L, 4, "policies");
    if (!lua_isnil(L, -1)) {
        symbi_str *list;
        luaL_checktype(L, -1, LUA_TTABLE);
        f.npolicies = symL_rawlen(L, -1);
        if (f.npolicies > 1000) luaL_argerror(L, 4, "policies has too many entries");
        list = lua_newuserdata(L, (f.npolicies + 1) * sizeof *list);
        for (size_t i = 0; i < f.npolicies; i++) {
            lua_rawgeti(L, -2, (int)i + 1);
            if (lua_type(L, -1) != LUA_TSTRING) luaL_argerror(L, 4, "policies must be a list of ids");
            list[i] = symL_tostr(L, -1); /* anchored by the table */
            lua_pop(L, 1);
        }
        f.policies = list;
    }
    if (!lua_isnil(L, 5) && !l_check_exec(L, 5, &r, &err)) return symL_fail(L, &err);
    if (symL_tovalue(L, 3, &env, &err) || symbi_tool_evidence(symL_ctx(L), t, u->p, &env, lua_isnil(L, 5) ? NULL : &r, &f, &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

int l_tool_describe(lua_State *L)
{
    symbi_doc *d;
    symbi_err err;
    if (symbi_tool_describe(symL_ctx(L), l_checktool(L, 1), &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

int l_tool_check(lua_State *L)
{
    symbi_tool *t = l_checktool(L, 1);
    symbi_str name = symL_checkstr(L, 2);
    symbi_value v;
    symbi_doc *d;
    symbi_err err;
    luaL_checkany(L, 3);
    lua_settop(L, 3);
    if (symL_tovalue(L, 3, &v, &err) || symbi_tool_check(symL_ctx(L), t, name, &v, &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

/* at: facts; behind it the texts of policies */
static int cedar_schema(lua_State *L, const symbi_toolset *s, int at)
{
    symbi_str facts = symL_optstr(L, at, symbi_str_z("")), *policies = NULL;
    size_t n = 0;
    symbi_text *text;
    symbi_err err;
    if (!lua_isnoneornil(L, at + 1)) {
        luaL_checktype(L, at + 1, LUA_TTABLE);
        n = symL_rawlen(L, at + 1);
        if (n > 1000000) luaL_argerror(L, at + 1, "too many policies");
        policies = lua_newuserdata(L, (n + 1) * sizeof *policies);
        for (size_t i = 0; i < n; i++) {
            lua_rawgeti(L, at + 1, (int)i + 1);
            policies[i] = symL_tostr(L, -1); /* anchored by the table */
            lua_pop(L, 1);
            if (!policies[i].p) luaL_argerror(L, at + 1, "policies must be a list of texts");
        }
    }
    text = symL_text(L);
    if (symbi_toolset_cedar_schema(symL_ctx(L), s, facts, policies, n, text, &err)) return symL_fail(L, &err);
    symL_pushtext(L, text);
    return 1;
}

int l_set_cedar_schema(lua_State *L) { return cedar_schema(L, l_checkset(L, 1), 2); }
static int toolclad_cedar_schema(lua_State *L) { return cedar_schema(L, NULL, 1); }

static int toolclad_constraints(lua_State *L)
{
    static const char *const known[] = { "upstream_tiers", NULL };
    symbi_str text = symL_checkstr(L, 1);
    bool upstream = false;
    symbi_value v;
    symbi_doc *d;
    symbi_err err;
    lua_settop(L, 3);
    luaL_checktype(L, 2, LUA_TTABLE);
    symL_checkopts(L, 3, known);
    if (lua_istable(L, 3)) upstream = symL_optfield_bool(L, 3, "upstream_tiers", false);
    if (symL_tovalue(L, 2, &v, &err) || symbi_tool_constraints(symL_ctx(L), text, &v, upstream, &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

static int toolclad_traceparent(lua_State *L)
{
    symbi_traceparent t;
    if (!symbi_traceparent_parse(symL_checkstr(L, 1), &t)) {
        lua_pushnil(L);
        return 1;
    }
    lua_createtable(L, 0, 2);
    lua_pushstring(L, t.trace_id);
    lua_setfield(L, -2, "trace_id");
    lua_pushstring(L, t.parent_id);
    lua_setfield(L, -2, "parent_id");
    return 1;
}

/* ---- triage: words in, words out ---- */

static symbi_severity severity(lua_State *L, int arg) { return symbi_severity_of(symL_checkstr(L, arg)); }
static symbi_category category(lua_State *L, int arg) { return symbi_category_of(symL_checkstr(L, arg)); }

static int word(lua_State *L, const char *w)
{
    lua_pushstring(L, w);
    return 1;
}

static int triage_severity(lua_State *L) { return word(L, symbi_severity_name(severity(L, 1))); }
static int triage_category(lua_State *L) { return word(L, symbi_category_name(category(L, 1))); }
static int triage_route(lua_State *L) { return word(L, symbi_queue_name(symbi_triage_route(category(L, 1), severity(L, 2)))); }
static int triage_grounded(lua_State *L) { return word(L, symbi_queue_name(symbi_triage_grounded(category(L, 1), severity(L, 2), severity(L, 3)))); }

static int triage_decided(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TBOOLEAN);
    return word(L, symbi_queue_name(symbi_triage_decided(category(L, 1), lua_toboolean(L, 2) != 0)));
}

static int triage_ticket(lua_State *L)
{
    symbi_str text = symL_checkstr(L, 1);
    symbi_severity s;
    symbi_err err;
    if (symbi_ticket_severity(symL_ctx(L), text, lua_toboolean(L, 2) != 0, &s, &err)) return symL_fail(L, &err);
    return word(L, symbi_severity_name(s));
}

static int triage_context(lua_State *L)
{
    symbi_doc *d;
    symbi_err err;
    if (symbi_triage_context(symL_ctx(L), category(L, 1), severity(L, 2), severity(L, 3), &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

void l_toolclad_more(lua_State *L)
{
    static const luaL_Reg more[] = { { "constraints", toolclad_constraints }, { "cedar_schema", toolclad_cedar_schema }, { "traceparent", toolclad_traceparent }, { NULL, NULL } };
    static const luaL_Reg triage[] = { { "severity", triage_severity }, { "category", triage_category }, { "ticket", triage_ticket }, { "route", triage_route },
        { "grounded", triage_grounded }, { "decided", triage_decided }, { "context", triage_context }, { NULL, NULL } };
    symL_setfuncs(L, more);
    lua_getfield(L, LUA_REGISTRYINDEX, UD_TOOL); /* methods: lua/symbi/toolclad.lua adds those that wait */
    lua_getfield(L, -1, "__index");
    lua_setfield(L, -3, "methods");
    lua_pop(L, 1);
    lua_newtable(L);
    symL_setfuncs(L, triage);
    lua_setfield(L, -2, "triage");
}
