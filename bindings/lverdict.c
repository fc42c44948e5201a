/* bindings/lverdict.c: verdicts and plans as Lua sees them.
 *
 * A verdict reads as a table: allowed, decision, code, reason, kind, agent, name, policies, permit, input, tool, action_digest, policy_hash,
 * committed, redeemed, sequence, proposed (the arguments that a MODIFY replaced by input), retry_after_ms (of a DEFER), identified, tool_verified. allowed is true for
 * ALLOW alone: what a MODIFY's permit opens is not what was asked for. Nothing can be written to it. Each field becomes a Lua value when it is read, not before. */
#include <string.h>

#include "lgate.h"
#include "ud.h"

static ud_verdict *checkverdict(lua_State *L, int arg) { return symL_checkud(L, arg, UD_VERDICT); }

static int hexval(int c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool l_read_digest(symbi_str hex, uint8_t digest[32])
{
    if (hex.n != 64) return false;
    for (size_t i = 0; i < 32; i++) {
        int h = hexval(hex.p[2 * i]), l = hexval(hex.p[2 * i + 1]);
        if (h < 0 || l < 0) return false;
        digest[i] = (uint8_t)(h << 4 | l);
    }
    return true;
}

static int verdict_gc(lua_State *L)
{
    symbi_verdict_clear(&checkverdict(L, 1)->v);
    return 0;
}

void l_push_hex(lua_State *L, const uint8_t *p, size_t n)
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
    if (strcmp(k, "allowed") == 0) lua_pushboolean(L, v->decision == SYMBI_ALLOW); /* as asked: a MODIFY allows something else */
    else if (strcmp(k, "decision") == 0) lua_pushstring(L, symbi_decision_name(v->decision));
    else if (strcmp(k, "code") == 0) lua_pushstring(L, symbi_code_name(v->code));
    else if (strcmp(k, "reason") == 0) lua_pushstring(L, v->reason);
    else if (strcmp(k, "policies") == 0) push_policies(L, v);
    else if (strcmp(k, "permit") == 0 && v->has_permit) lua_pushlstring(L, (const char *)v->permit.bytes, SYMBI_PERMIT_BYTES);
    else if (strcmp(k, "input") == 0 && v->input) symL_pushvalue(L, symbi_doc_root(v->input));
    else if (strcmp(k, "identified") == 0) lua_pushboolean(L, v->identified);
    else if (strcmp(k, "tool_verified") == 0) lua_pushboolean(L, v->tool_verified);
    else if (strcmp(k, "proposed") == 0 && v->proposed_) symL_pushvalue(L, symbi_doc_root(v->proposed_));
    else if (strcmp(k, "retry_after_ms") == 0 && v->retry_after_ms) symL_pushint(L, v->retry_after_ms);
    else if (strcmp(k, "kind") == 0) lua_pushstring(L, symbi_action_kind_name(v->kind));
    else if (strcmp(k, "agent") == 0) lua_pushstring(L, v->agent);
    else if (strcmp(k, "name") == 0) lua_pushstring(L, v->name);
    else if (strcmp(k, "action_digest") == 0) l_push_hex(L, v->action_digest, 32);
    else if (strcmp(k, "policy_hash") == 0) l_push_hex(L, v->policy_hash, 32);
    else if (strcmp(k, "mode") == 0) lua_pushstring(L, v->compat ? "compat" : "strict");
    else if (strcmp(k, "context_replaced") == 0) lua_pushboolean(L, v->context_replaced);
    else if (strcmp(k, "audited") == 0) lua_pushboolean(L, v->audited);
    else if (strcmp(k, "audit_rule") == 0 && v->audited) {
        char rule[240];
        symbi_verdict_audit_rule(v, rule);
        lua_pushstring(L, rule);
    }
    else if (strcmp(k, "tool") == 0 && v->tool) { /* the contract that was in force */
        ud_tool *t = symL_newud(L, sizeof *t, UD_TOOL);
        t->p = symbi_tool_ref(v->tool);
    }
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

symbi_box l_optbox(lua_State *L, int arg)
{
    symbi_box b = SYMBI_BOX_NONE;
    symbi_str s = symL_optfield_str(L, arg, "sandbox", symbi_str_z("none"));
    if (!symbi_box_of(s, &b)) luaL_error(L, "sandbox must be \"bwrap\" or \"none\", got '%s'", s.p);
    return b;
}

/* {kind=, network=, output=, write={...}, hide={...}}, or nil */
static void push_box(lua_State *L, const symbi_plan *p)
{
    if (!p->box) {
        lua_pushnil(L);
        return;
    }
    lua_createtable(L, 0, 5);
    lua_pushstring(L, symbi_box_name(p->box));
    lua_setfield(L, -2, "kind");
    lua_pushboolean(L, p->box_network);
    lua_setfield(L, -2, "network");
    lua_pushboolean(L, p->box_output);
    lua_setfield(L, -2, "output");
    push_strings(L, p->box_write, p->nbox_write);
    lua_setfield(L, -2, "write");
    push_strings(L, p->box_hide, p->nbox_hide);
    lua_setfield(L, -2, "hide");
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
    else if (strcmp(k, "command") == 0) symL_pushstr(L, p->command);
    else if (strcmp(k, "output_file") == 0) symL_pushstr(L, p->output_file);
    else if (strcmp(k, "detail") == 0 && p->detail) symL_pushvalue(L, p->detail);
    else if (strcmp(k, "secrets") == 0) push_strings(L, p->secrets, p->nsecrets);
    else if (strcmp(k, "check_files") == 0) push_strings(L, p->check_files, p->ncheck_files);
    else if (strcmp(k, "parser") == 0 && p->parser.n) symL_pushstr(L, p->parser);
    else if (strcmp(k, "sandbox") == 0) push_box(L, p);
    else if (strcmp(k, "digest") == 0) l_push_hex(L, p->digest, 32);
    else lua_pushnil(L);
    return 1;
}

void l_verdict_types(lua_State *L)
{
    static const luaL_Reg none[] = { { NULL, NULL } };
    static const luaL_Reg verdict_meta[] = { { "__gc", verdict_gc }, { "__index", verdict_index }, { "__newindex", verdict_newindex }, { "__tostring", verdict_tostring }, { NULL, NULL } };
    static const luaL_Reg plan_meta[] = { { "__gc", plan_gc }, { "__index", plan_index }, { NULL, NULL } };
    symL_newtype(L, UD_VERDICT, none, verdict_meta);
    symL_newtype(L, UD_PLAN, none, plan_meta);
}
