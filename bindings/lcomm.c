/* bindings/lcomm.c: symbi.comm: which agent may send what to which agent (symbi/comm.h has the rules in full).
 *
 *   set, msg, err = comm.rules(list | {rules=, default=, ties=} | {rules=, mode=}[, {default="deny"|"allow", ties="deny"|"first", keep_unknown=}])
 *   list, msg, err = comm.list([set or what comm.rules takes[, options]])
 *   both:  answer, msg, err = x:evaluate{sender=, recipient=, action=, depth=} or x:evaluate(sender, recipient, action[, depth])
 *              answer: {allowed=, effect="allow"|"deny", reason=, rule=}; rule is nil where none decided
 *          allowed, reason, id = x:check(sender, recipient, action[, depth])   the same without a table; never fails, only denies
 *          x:list() x:get(id) x:count() x:hash() x:close()
 *   list:  rule, msg, err = l:add(rule[, {replace=true}]); true, msg, err = l:remove(id); l:rules() = the set as it is now
 *   comm.limits: {rules=, name=, reason=, nesting=, conditions=} */
#include "lcomm.h"
#include "symL.h"

#include <string.h>

#define UD_COMM_LIST "symbi.comm_list"
typedef struct ud_comm_list { symbi_comm_list *p; } ud_comm_list;

static int set_close(lua_State *L)
{
    ud_comm *u = symL_checkud(L, 1, UD_COMM);
    symbi_comm_rules *p = u->p;
    u->p = NULL;
    symbi_comm_rules_unref(p);
    return 0;
}

static int list_close(lua_State *L)
{
    ud_comm_list *u = symL_checkud(L, 1, UD_COMM_LIST);
    symbi_comm_list *p = u->p;
    u->p = NULL;
    symbi_comm_list_free(p);
    return 0;
}

static symbi_comm_list *checklist(lua_State *L)
{
    ud_comm_list *u = symL_checkud(L, 1, UD_COMM_LIST);
    if (!u->p) luaL_argerror(L, 1, "the list is closed");
    return u->p;
}

/* The rules of the set or list at 1, borrowed: until the next Lua call that can run a finaliser. */
static symbi_comm_rules *checkrules(lua_State *L)
{
    ud_comm *u = symL_testud(L, 1, UD_COMM);
    if (!u) return symbi_comm_list_rules(checklist(L));
    if (!u->p) luaL_argerror(L, 1, "the rules are closed");
    return u->p;
}

/* The same, held by a userdata of its own on the stack, so that nothing that runs meanwhile can take them away. drop()
 * lets them go: the collector is for errors only, as Lua forgets a finaliser that it has no memory to call. */
static ud_comm *holdrules(lua_State *L)
{
    ud_comm *hold = symL_newud(L, sizeof *hold, UD_COMM);
    hold->p = symbi_comm_rules_ref(checkrules(L));
    return hold;
}

static void drop(ud_comm *hold)
{
    symbi_comm_rules *p = hold->p;
    hold->p = NULL;
    symbi_comm_rules_unref(p);
}

/* null is truthy in Lua; a field without value is absent there. */
static void push_rule(lua_State *L, const symbi_value *rule)
{
    symL_pushvalue(L, rule);
    lua_getfield(L, -1, "max_depth");
    if (lua_type(L, -1) == LUA_TLIGHTUSERDATA) {
        lua_pushnil(L);
        lua_setfield(L, -3, "max_depth");
    }
    lua_pop(L, 1);
}

static unsigned word(lua_State *L, const char *name, const char *off, const char *on, unsigned bit)
{
    symbi_str s = symL_optfield_str(L, 2, name, symbi_str_z(off));
    if (s.n == strlen(on) && !memcmp(s.p, on, s.n)) return bit;
    if (s.n != strlen(off) || memcmp(s.p, off, s.n)) luaL_error(L, "%s must be \"%s\" or \"%s\"", name, off, on);
    return 0;
}

static unsigned getflags(lua_State *L)
{
    static const char *const known[] = { "default", "ties", "keep_unknown", NULL };
    unsigned flags;
    if (lua_isnoneornil(L, 2)) return 0;
    luaL_checktype(L, 2, LUA_TTABLE);
    symL_checkopts(L, 2, known);
    flags = word(L, "default", "deny", "allow", SYMBI_COMM_DEFAULT_ALLOW) | word(L, "ties", "deny", "first", SYMBI_COMM_FIRST_WINS);
    if (symL_optfield_bool(L, 2, "keep_unknown", false)) flags |= SYMBI_COMM_KEEP_UNKNOWN;
    return flags;
}

/* Pushes a set made from the table at 1; NULL with err filled (and something pushed all the same). */
static ud_comm *push_rules(lua_State *L, unsigned flags, symbi_err *err)
{
    symbi_value v;
    ud_comm *u;
    if (symL_tovalue(L, 1, &v, err)) {
        lua_pushnil(L);
        return NULL;
    }
    if (v.kind == SYMBI_OBJECT && !v.u.o.n) { /* an empty Lua table: no rules */
        v.kind = SYMBI_ARRAY;
        v.u.a.items = NULL;
        v.u.a.n = 0;
    }
    u = symL_newud(L, sizeof *u, UD_COMM);
    return symbi_comm_rules_parse(symL_ctx(L), &v, flags, &u->p, err) ? NULL : u;
}

static int comm_rules(lua_State *L)
{
    symbi_err err;
    unsigned flags;
    luaL_argcheck(L, lua_istable(L, 1) || symL_testud(L, 1, UD_COMM), 1, "expected a list of rules");
    flags = getflags(L);
    lua_settop(L, 1);
    if (lua_istable(L, 1) && !push_rules(L, flags, &err)) return symL_fail(L, &err);
    return 1;
}

static int comm_list(lua_State *L)
{
    unsigned flags;
    ud_comm *start = NULL;
    ud_comm_list *u;
    symbi_err err;
    luaL_argcheck(L, lua_isnoneornil(L, 1) || lua_istable(L, 1) || symL_testud(L, 1, UD_COMM), 1, "expected a list of rules");
    flags = getflags(L);
    lua_settop(L, 1);
    if (lua_istable(L, 1)) {
        if (!(start = push_rules(L, flags, &err))) return symL_fail(L, &err);
    } else if (!lua_isnil(L, 1)) {
        start = symL_checkud(L, 1, UD_COMM);
        if (!start->p) luaL_argerror(L, 1, "the rules are closed");
    }
    u = symL_newud(L, sizeof *u, UD_COMM_LIST);
    if (start && !start->p) return luaL_argerror(L, 1, "the rules are closed"); /* by a finaliser, just now */
    if (symbi_comm_list_new(symL_ctx(L), start ? start->p : NULL, flags, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

/* ---- questions to both ---- */

static void push_answer(lua_State *L, const symbi_comm_answer *a)
{
    symbi_comm_view view;
    const symbi_value *v = symbi_comm_answer_value(a, &view);
    lua_createtable(L, 0, (int)v->u.o.n);
    for (size_t i = 0; i < v->u.o.n; i++) {
        const symbi_member *m = &v->u.o.members[i];
        if (m->val.kind == SYMBI_NULL) continue;
        if (m->val.kind == SYMBI_OBJECT) push_rule(L, &m->val);
        else symL_pushvalue(L, &m->val);
        lua_setfield(L, -2, m->key.p); /* literals: NUL-terminated */
    }
}

static int rules_evaluate(lua_State *L)
{
    ud_comm *hold;
    symbi_comm_answer a;
    symbi_value v, field[4];
    symbi_member m[4];
    symbi_err err;
    checkrules(L);
    lua_settop(L, 5);
    if (lua_istable(L, 2)) {
        if (symL_tovalue(L, 2, &v, &err)) return symL_fail(L, &err);
    } else {
        static const char *const names[] = { "sender", "recipient", "action" };
        memset(field, 0, sizeof field);
        for (int i = 0; i < 3; i++) {
            field[i].kind = SYMBI_STRING;
            field[i].u.s = symL_checkstr(L, i + 2);
            m[i].key = symbi_str_z(names[i]);
            m[i].val = field[i];
        }
        memset(&v, 0, sizeof v);
        v.kind = SYMBI_OBJECT;
        v.u.o.members = m;
        v.u.o.n = 3;
        if (!lua_isnil(L, 5)) {
            field[3].kind = SYMBI_INT;
            field[3].u.i = symL_checkint(L, 5, 1, UINT32_MAX);
            m[3].key = symbi_str_z("depth");
            m[3].val = field[3];
            v.u.o.n = 4;
        }
    }
    hold = holdrules(L);
    if (symbi_comm_evaluate(hold->p, &v, &a, &err)) {
        drop(hold);
        return symL_fail(L, &err);
    }
    push_answer(L, &a);
    drop(hold);
    return 1;
}

static int rules_check(lua_State *L)
{
    char reason[SYMBI_COMM_MAX_REASON + SYMBI_COMM_MAX_NAME + 32], id[SYMBI_COMM_MAX_NAME];
    size_t nreason, nid;
    symbi_str from = symL_checkstr(L, 2), to = symL_checkstr(L, 3), action = symL_checkstr(L, 4);
    uint32_t depth = (uint32_t)symL_optint(L, 5, 1, 1, UINT32_MAX);
    symbi_comm_answer a;
    symbi_comm_check(checkrules(L), from, to, action, depth, &a);
    nreason = a.reason.n < sizeof reason ? a.reason.n : sizeof reason;
    nid = a.rule_id.n < sizeof id ? a.rule_id.n : sizeof id;
    memcpy(reason, a.reason.p, nreason); /* pushing may run a finaliser that closes the rules */
    memcpy(id, a.rule_id.p, nid);
    lua_pushboolean(L, a.allowed);
    lua_pushlstring(L, reason, nreason);
    if (nid) lua_pushlstring(L, id, nid);
    else lua_pushnil(L);
    return 3;
}

static int rules_list(lua_State *L)
{
    ud_comm *hold = holdrules(L);
    const symbi_value *v = symbi_comm_rules_value(hold->p);
    lua_createtable(L, (int)v->u.a.n, 0);
    symL_setarray(L);
    for (size_t i = 0; i < v->u.a.n; i++) {
        push_rule(L, &v->u.a.items[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    drop(hold);
    return 1;
}

static int rules_get(lua_State *L)
{
    symbi_str id = symL_checkstr(L, 2);
    ud_comm *hold = holdrules(L);
    const symbi_value *v = symbi_comm_rules_get(hold->p, id);
    if (v) push_rule(L, v);
    else lua_pushnil(L);
    drop(hold);
    return 1;
}

static int rules_count(lua_State *L)
{
    symL_pushint(L, (int64_t)symbi_comm_rules_count(checkrules(L)));
    return 1;
}

static int rules_hash(lua_State *L)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t h[32];
    char out[64];
    symbi_err err;
    if (symbi_comm_rules_hash(symL_ctx(L), checkrules(L), h, &err)) return symL_fail(L, &err);
    for (int i = 0; i < 32; i++) out[2 * i] = hex[h[i] >> 4], out[2 * i + 1] = hex[h[i] & 15];
    lua_pushlstring(L, out, sizeof out);
    return 1;
}

/* ---- the list ---- */

static int list_add(lua_State *L)
{
    static const char *const known[] = { "replace", NULL };
    bool replace = false;
    const symbi_value *added;
    symbi_comm_list *l;
    symbi_value v;
    symbi_err err;
    ud_comm *hold;
    checklist(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    if (!lua_isnoneornil(L, 3)) {
        luaL_checktype(L, 3, LUA_TTABLE);
        symL_checkopts(L, 3, known);
        replace = symL_optfield_bool(L, 3, "replace", false);
    }
    lua_settop(L, 2);
    if (symL_tovalue(L, 2, &v, &err)) return symL_fail(L, &err);
    hold = symL_newud(L, sizeof *hold, UD_COMM);
    l = checklist(L);
    if (symbi_comm_list_add(l, &v, replace, &added, &err)) return symL_fail(L, &err);
    hold->p = symbi_comm_rules_ref(symbi_comm_list_rules(l));
    push_rule(L, added);
    drop(hold);
    return 1;
}

static int list_remove(lua_State *L)
{
    symbi_str id = symL_checkstr(L, 2);
    symbi_err err;
    if (symbi_comm_list_remove(checklist(L), id, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int list_rules(lua_State *L)
{
    checklist(L);
    holdrules(L);
    return 1;
}

static void push_limits(lua_State *L)
{
    static const struct {
        const char *name;
        int value;
    } t[] = { { "rules", SYMBI_COMM_MAX_RULES },     { "name", SYMBI_COMM_MAX_NAME },           { "reason", SYMBI_COMM_MAX_REASON },
              { "nesting", SYMBI_COMM_MAX_NESTING }, { "conditions", SYMBI_COMM_MAX_CONDITIONS } };
    lua_createtable(L, 0, sizeof t / sizeof *t);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        lua_pushinteger(L, t[i].value);
        lua_setfield(L, -2, t[i].name);
    }
}

void l_comm_open(lua_State *L);
void l_comm_open(lua_State *L)
{
#define QUESTIONS                                                                                                                                \
    { "evaluate", rules_evaluate }, { "check", rules_check }, { "list", rules_list }, { "get", rules_get }, { "count", rules_count }, { "hash", rules_hash }
    static const luaL_Reg set_methods[] = { QUESTIONS, { "close", set_close }, { NULL, NULL } };
    static const luaL_Reg list_methods[] = { QUESTIONS, { "add", list_add }, { "remove", list_remove }, { "rules", list_rules }, { "close", list_close }, { NULL, NULL } };
    static const luaL_Reg set_meta[] = { { "__gc", set_close }, { NULL, NULL } };
    static const luaL_Reg list_meta[] = { { "__gc", list_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "rules", comm_rules }, { "list", comm_list }, { NULL, NULL } };
    symL_newtype(L, UD_COMM, set_methods, set_meta);
    symL_newtype(L, UD_COMM_LIST, list_methods, list_meta);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
    push_limits(L);
    lua_setfield(L, -2, "limits");
}
