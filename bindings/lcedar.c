/* bindings/lcedar.c: symbi.cedar: policy sets, entity stores, decisions. lua/symbi/cedar.lua adds the sugar.
 *
 *   set, msg, err = cedar.policies(text | {text | {name=, text=}, ...}[, {symbi_alias=, legacy_scope=, position_ids=, annotated_ids=}])
 *   ents, msg, err = cedar.entities{ {uid={type=,id=}, attrs={}, parents={}, tags={}}, ... }
 *   type, id = cedar.uid 'User::"alice"'
 *   answer, msg, err = set:authorize{principal=, action=, resource=, context=, entities=}
 *       answer: {decision="allow"|"deny", reasons={ids}, errors={{policy=, effect=, kind=, message=, line=, col=}}, forbid_error=,
 *       candidates=, steps=}; uids are {type=, id=} or text; entities: a store or a list
 *   set:policies() set:warnings() set:hash() set:count() set:close(); ents:count() ents:close() */
#include <string.h>

#include "symL.h"
#include "symbi/cedar.h"
#include "symbi/cedar_explain.h"
#include "ud.h"

#define UD_EVAL "symbi.cedareval"
typedef struct ud_eval { symbi_cedar_eval *p; } ud_eval;

static int eval_close(lua_State *L)
{
    ud_eval *u = symL_checkud(L, 1, UD_EVAL);
    symbi_cedar_eval *p = u->p;
    u->p = NULL;
    symbi_cedar_eval_free(p);
    return 0;
}

static symbi_cedar *checkset(lua_State *L, int arg)
{
    ud_policies *u = symL_checkud(L, arg, UD_POLICIES);
    if (!u->p) luaL_argerror(L, arg, "the policy set is closed");
    return u->p;
}

static int set_close(lua_State *L)
{
    ud_policies *u = symL_checkud(L, 1, UD_POLICIES);
    symbi_cedar *p = u->p;
    u->p = NULL;
    symbi_cedar_unref(p);
    symL_getuservalue(L, 1); /* the scratch that went with it */
    if (lua_istable(L, -1)) {
        ud_eval *e;
        lua_rawgeti(L, -1, 1);
        e = symL_testud(L, -1, UD_EVAL);
        if (e) {
            symbi_cedar_eval *x = e->p;
            e->p = NULL;
            symbi_cedar_eval_free(x);
        }
    }
    return 0;
}

static int ents_close(lua_State *L)
{
    ud_entities *u = symL_checkud(L, 1, UD_ENTITIES);
    symbi_cedar_entities *p = u->p;
    u->p = NULL;
    symbi_cedar_entities_unref(p);
    return 0;
}

static int cedar_policies(lua_State *L)
{
    static const char *const known[] = { "symbi_alias", "legacy_scope", "position_ids", "annotated_ids", NULL };
    symbi_cedar_source *src;
    ud_policies *u;
    unsigned flags = 0;
    size_t n = 1;
    symbi_err err;
    luaL_argcheck(L, lua_type(L, 1) == LUA_TSTRING || lua_istable(L, 1), 1, "expected policy text or a list of {name=, text=}");
    lua_settop(L, 2);
    if (!lua_isnil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        symL_checkopts(L, 2, known);
        if (symL_optfield_bool(L, 2, "symbi_alias", false)) flags |= SYMBI_CEDAR_SYMBI_ALIAS;
        if (symL_optfield_bool(L, 2, "legacy_scope", false)) flags |= SYMBI_CEDAR_LEGACY_SCOPE;
        if (symL_optfield_bool(L, 2, "position_ids", false)) flags |= SYMBI_CEDAR_IDS_BY_POSITION;
        if (symL_optfield_bool(L, 2, "annotated_ids", false)) flags |= SYMBI_CEDAR_IDS_ANNOTATED;
    }
    if (lua_istable(L, 1)) n = symL_rawlen(L, 1);
    if (n > 1000000) luaL_argerror(L, 1, "too many sources");
    src = lua_newuserdata(L, (n + 1) * sizeof *src); /* anchored at 3 until the end */
    memset(src, 0, (n + 1) * sizeof *src);
    if (!lua_istable(L, 1)) {
        src[0].text = symL_checkstr(L, 1);
    } else {
        lua_newtable(L); /* 4: keeps the strings that a metamethod may have made */
        for (size_t i = 0; i < n; i++) {
            lua_rawgeti(L, 1, (int)i + 1);
            if (lua_type(L, -1) == LUA_TSTRING) {
                src[i].text = symL_tostr(L, -1);
                lua_pop(L, 1);
                continue;
            }
            if (!lua_istable(L, -1)) luaL_error(L, "cedar.policies: entry %d must be a text or {name=, text=}, got %s", (int)i + 1, luaL_typename(L, -1));
            lua_getfield(L, -1, "name");
            lua_getfield(L, -2, "text");
            if ((!lua_isnil(L, -2) && lua_type(L, -2) != LUA_TSTRING) || lua_type(L, -1) != LUA_TSTRING)
                luaL_error(L, "cedar.policies: entry %d needs text (a string) and may have name (a string)", (int)i + 1);
            src[i].name = symL_tostr(L, -2);
            src[i].text = symL_tostr(L, -1);
            lua_rawseti(L, 4, (int)(2 * i + 1));
            lua_rawseti(L, 4, (int)(2 * i + 2));
            lua_pop(L, 1);
        }
    }
    u = symL_newud(L, sizeof *u, UD_POLICIES);
    if (symbi_cedar_parse(symL_ctx(L), src, n, flags, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

/* An empty Lua table is an object; where Cedar wants a list, it is the empty list. */
static void empty_list(const symbi_value *v)
{
    symbi_value *w = (symbi_value *)(uintptr_t)v; /* memory of symL_tovalue, ours to change */
    if (w && w->kind == SYMBI_OBJECT && w->u.o.n == 0) {
        w->kind = SYMBI_ARRAY;
        w->u.a.items = NULL;
        w->u.a.n = 0;
    }
}

/* Pushes a store made from the table at idx; false with err filled (and something pushed all the same). */
static bool push_entities(lua_State *L, int idx, symbi_err *err)
{
    symbi_value v;
    ud_entities *u;
    if (symL_tovalue(L, idx, &v, err)) {
        lua_pushnil(L);
        return false;
    }
    empty_list(&v);
    for (size_t i = 0; v.kind == SYMBI_ARRAY && i < v.u.a.n; i++) empty_list(symbi_value_getz(&v.u.a.items[i], "parents"));
    u = symL_newud(L, sizeof *u, UD_ENTITIES);
    return symbi_cedar_entities_new(symL_ctx(L), &v, &u->p, err) == SYMBI_OK;
}

static int cedar_entities(lua_State *L)
{
    symbi_err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    if (!push_entities(L, 1, &err)) return symL_fail(L, &err);
    return 1;
}

static int cedar_uid(lua_State *L)
{
    symbi_str s = symL_checkstr(L, 1);
    symbi_text *t = symL_text(L);
    symbi_cedar_uid u;
    symbi_err err;
    if (symbi_cedar_uid_parse(symL_ctx(L), s, &u, t, &err)) return symL_fail(L, &err);
    symL_pushstr(L, u.type);
    symL_pushstr(L, u.id);
    return 2;
}

/* Field of the request as a uid; leaves what keeps its strings on the stack. */
static bool get_uid(lua_State *L, const char *name, symbi_cedar_uid *out, symbi_err *err)
{
    lua_getfield(L, 2, name);
    if (lua_type(L, -1) == LUA_TSTRING) {
        symbi_str s = symL_tostr(L, -1);
        symbi_text *t = symL_text(L);
        return symbi_cedar_uid_parse(symL_ctx(L), s, out, t, err) == SYMBI_OK;
    }
    if (!lua_istable(L, -1)) luaL_error(L, "authorize: %s must be {type=, id=} or a text such as User::\"alice\", got %s", name, luaL_typename(L, -1));
    lua_getfield(L, -1, "type");
    lua_getfield(L, -2, "id");
    if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING) luaL_error(L, "authorize: %s needs type and id, both strings", name);
    out->type = symL_tostr(L, -2);
    out->id = symL_tostr(L, -1);
    return true;
}

static symbi_cedar_eval *get_eval(lua_State *L, symbi_err *err)
{
    ud_eval *e;
    symL_getuservalue(L, 1);
    if (lua_istable(L, -1)) {
        lua_rawgeti(L, -1, 1);
        e = symL_testud(L, -1, UD_EVAL);
        if (e && e->p) return e->p;
        lua_pop(L, 1);
    }
    lua_newtable(L);
    e = symL_newud(L, sizeof *e, UD_EVAL);
    lua_rawseti(L, -2, 1);
    symL_setuservalue(L, 1);
    return symbi_cedar_eval_new(symL_ctx(L), &e->p, err) ? NULL : e->p;
}

static void push_id(lua_State *L, const symbi_cedar *set, size_t i)
{
    symbi_cedar_policy_info p;
    symbi_cedar_policy(set, i, &p);
    symL_pushstr(L, p.id);
}

static void push_answer(lua_State *L, const symbi_cedar *set, const symbi_cedar_answer *a)
{
    lua_createtable(L, 0, 6);
    lua_pushstring(L, a->decision == SYMBI_ALLOW ? "allow" : "deny");
    lua_setfield(L, -2, "decision");
    lua_createtable(L, (int)a->nreasons, 0);
    for (size_t i = 0; i < a->nreasons; i++) {
        push_id(L, set, a->reasons[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_setfield(L, -2, "reasons");
    lua_createtable(L, (int)a->nerrors, 0);
    for (size_t i = 0; i < a->nerrors; i++) {
        const symbi_cedar_error *e = &a->errors[i];
        lua_createtable(L, 0, 6);
        push_id(L, set, e->policy);
        lua_setfield(L, -2, "policy");
        lua_pushstring(L, e->effect == SYMBI_CEDAR_PERMIT ? "permit" : "forbid");
        lua_setfield(L, -2, "effect");
        lua_pushstring(L, symbi_cedar_error_name(e->kind));
        lua_setfield(L, -2, "kind");
        symL_pushstr(L, e->message);
        lua_setfield(L, -2, "message");
        symL_pushint(L, e->line);
        lua_setfield(L, -2, "line");
        symL_pushint(L, e->col);
        lua_setfield(L, -2, "col");
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_setfield(L, -2, "errors");
    lua_pushboolean(L, a->forbid_error);
    lua_setfield(L, -2, "forbid_error");
    symL_pushint(L, (int64_t)a->candidates);
    lua_setfield(L, -2, "candidates");
    symL_pushint(L, (int64_t)a->steps);
    lua_setfield(L, -2, "steps");
}

static int set_authorize(lua_State *L)
{
    static const char *const known[] = { "principal", "action", "resource", "context", "entities", "explain", NULL };
    symbi_cedar *set = checkset(L, 1);
    symbi_cedar_request rq;
    symbi_cedar_answer a;
    symbi_cedar_eval *ev;
    symbi_value context;
    symbi_err err;
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    symL_checkopts(L, 2, known);
    luaL_checkstack(L, 24, "authorize");
    memset(&rq, 0, sizeof rq);
    if (!get_uid(L, "principal", &rq.principal, &err) || !get_uid(L, "action", &rq.action, &err) || !get_uid(L, "resource", &rq.resource, &err))
        return symL_fail(L, &err);
    lua_getfield(L, 2, "context");
    if (!lua_isnil(L, -1)) {
        if (symL_tovalue(L, -1, &context, &err)) return symL_fail(L, &err);
        rq.context = &context;
    }
    lua_getfield(L, 2, "entities");
    if (!lua_isnil(L, -1)) {
        ud_entities *u = symL_testud(L, -1, UD_ENTITIES);
        if (!u) {
            if (!lua_istable(L, -1)) return luaL_error(L, "authorize: entities must be a list of entities or what cedar.entities made, got %s", luaL_typename(L, -1));
            if (!push_entities(L, lua_gettop(L), &err)) return symL_fail(L, &err);
            u = symL_testud(L, -1, UD_ENTITIES);
        }
        if (!u || !u->p) return luaL_error(L, "authorize: the entities are closed");
        rq.entities = u->p;
    }
    ev = get_eval(L, &err);
    if (!ev || symbi_cedar_authorize(ev, set, &rq, &a, &err)) return symL_fail(L, &err);
    push_answer(L, set, &a);
    if (symL_optfield_bool(L, 2, "explain", false)) {
        symbi_doc *d = NULL;
        if (symbi_cedar_explain(ev, &d, &err)) return symL_fail(L, &err);
        symL_pushdoc(L, d);
        lua_setfield(L, -2, "explained");
    }
    return 1;
}

static int set_policies(lua_State *L)
{
    static const char *const roles[] = { "static", "template", "link" };
    symbi_cedar *set = checkset(L, 1);
    size_t n = symbi_cedar_count(set);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        symbi_cedar_policy_info p;
        symbi_str k, v;
        symbi_cedar_policy(set, i, &p);
        lua_createtable(L, 0, 8);
        symL_pushstr(L, p.id);
        lua_setfield(L, -2, "id");
        lua_pushstring(L, p.effect == SYMBI_CEDAR_PERMIT ? "permit" : "forbid");
        lua_setfield(L, -2, "effect");
        lua_pushstring(L, roles[p.role]);
        lua_setfield(L, -2, "role");
        symL_pushstr(L, p.source);
        lua_setfield(L, -2, "source");
        symL_pushstr(L, p.text);
        lua_setfield(L, -2, "text");
        symL_pushint(L, p.line);
        lua_setfield(L, -2, "line");
        symL_pushint(L, p.col);
        lua_setfield(L, -2, "col");
        if (p.role == SYMBI_CEDAR_LINK) {
            symL_pushstr(L, p.template_id);
            lua_setfield(L, -2, "template");
        }
        lua_createtable(L, 0, (int)p.annotation_count);
        for (size_t j = 0; symbi_cedar_annotation(set, i, j, &k, &v); j++) {
            symL_pushstr(L, k);
            if (v.p) symL_pushstr(L, v);
            else lua_pushboolean(L, 1);
            lua_rawset(L, -3);
        }
        lua_setfield(L, -2, "annotations");
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

static int set_warnings(lua_State *L)
{
    symbi_cedar *set = checkset(L, 1);
    size_t n = symbi_cedar_warning_count(set);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        symL_pushstr(L, symbi_cedar_warning(set, i));
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

static int set_hash(lua_State *L)
{
    static const char hex[] = "0123456789abcdef";
    symbi_cedar *set = checkset(L, 1);
    uint8_t h[32];
    char out[64];
    symbi_cedar_hash(set, h);
    for (int i = 0; i < 32; i++) out[2 * i] = hex[h[i] >> 4], out[2 * i + 1] = hex[h[i] & 15];
    lua_pushlstring(L, out, sizeof out);
    return 1;
}

static int set_count(lua_State *L)
{
    symL_pushint(L, (int64_t)symbi_cedar_count(checkset(L, 1)));
    return 1;
}

static int ents_count(lua_State *L)
{
    ud_entities *u = symL_checkud(L, 1, UD_ENTITIES);
    if (!u->p) luaL_argerror(L, 1, "the entities are closed");
    symL_pushint(L, (int64_t)symbi_cedar_entities_count(u->p));
    return 1;
}

void l_cedar_open(lua_State *L);
void l_cedar_open(lua_State *L)
{
    static const luaL_Reg set_methods[] = { { "authorize", set_authorize }, { "policies", set_policies }, { "warnings", set_warnings }, { "hash", set_hash },
                                            { "count", set_count },         { "close", set_close },       { NULL, NULL } };
    static const luaL_Reg set_meta[] = { { "__gc", set_close }, { NULL, NULL } };
    static const luaL_Reg ents_methods[] = { { "count", ents_count }, { "close", ents_close }, { NULL, NULL } };
    static const luaL_Reg ents_meta[] = { { "__gc", ents_close }, { NULL, NULL } };
    static const luaL_Reg eval_methods[] = { { NULL, NULL } };
    static const luaL_Reg eval_meta[] = { { "__gc", eval_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "policies", cedar_policies }, { "entities", cedar_entities }, { "uid", cedar_uid }, { NULL, NULL } };
    symL_newtype(L, UD_POLICIES, set_methods, set_meta);
    symL_newtype(L, UD_ENTITIES, ents_methods, ents_meta);
    symL_newtype(L, UD_EVAL, eval_methods, eval_meta);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
}
