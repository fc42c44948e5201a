/* bindings/lcedar.c: symbi.cedar: policy sets, entity stores, decisions. lua/symbi/cedar.lua adds the sugar.
 *
 *   set, msg, err = cedar.policies(text | {text | {name=, text=}, ...}[, {symbi_alias=, legacy_scope=, position_ids=, annotated_ids=}])
 *       or a policy set, or one policy, in JSON form: {staticPolicies=, templates=, templateLinks=} or {effect=, ...}
 *   schema, msg, err = cedar.schema(text | json table); schema:json([resolved]) schema:text() schema:warnings() schema:close()
 *   ents, msg, err = cedar.entities({ {uid={type=,id=}, attrs={}, parents={}, tags={}}, ... }[, schema])
 *   type, id = cedar.uid 'User::"alice"'
 *   report, msg, err = set:validate(schema[, {action_errors=}]): {valid=, errors={{policy=, kind=, message=, line=, col=}}, warnings={...}}
 *   set2, msg, err = set:link(template_id, new_id, {principal=, resource=}); set:to_json([index]); set:to_cedar([index])
 *   answer, msg, err = set:authorize{principal=, action=, resource=, context=, entities=, schema=, unchecked=}
 *       answer: {decision="allow"|"deny", reasons={ids}, errors={{policy=, effect=, kind=, message=, line=, col=}}, forbid_error=,
 *       candidates=, steps=}; uids are {type=, id=} or text; entities: a store or a list
 *   set:policies() set:warnings() set:hash() set:count() set:close(); ents:count() ents:close() */
#include <string.h>

#include "symL.h"
#include "symbi/cedar.h"
#include "symbi/cedar_explain.h"
#include "ud.h"

#define UD_EVAL "symbi.cedareval"
typedef struct ud_eval { symbi_cedar_eval *p; symbi_cedar *set; } ud_eval; /* scratch of a set, and the set that the answer in it speaks of */

static void eval_free(ud_eval *u)
{
    symbi_cedar_eval *p = u->p;
    symbi_cedar *set = u->set;
    u->p = NULL;
    u->set = NULL;
    symbi_cedar_eval_free(p);
    symbi_cedar_unref(set);
}

static int eval_close(lua_State *L)
{
    eval_free(symL_checkud(L, 1, UD_EVAL));
    return 0;
}

#define UD_SCHEMA "symbi.cedarschema"
#define UD_REPORT "symbi.cedarreport"
typedef struct ud_schema { symbi_cedar_schema *p; } ud_schema;
typedef struct ud_report { symbi_cedar_report *p; } ud_report;

static int schema_close(lua_State *L)
{
    ud_schema *u = symL_checkud(L, 1, UD_SCHEMA);
    symbi_cedar_schema *p = u->p;
    u->p = NULL;
    symbi_cedar_schema_unref(p);
    return 0;
}

static int report_close(lua_State *L)
{
    ud_report *u = symL_checkud(L, 1, UD_REPORT);
    symbi_cedar_report *p = u->p;
    u->p = NULL;
    symbi_cedar_report_free(p);
    return 0;
}

static symbi_cedar_schema *checkschema(lua_State *L, int arg)
{
    ud_schema *u = symL_checkud(L, arg, UD_SCHEMA);
    if (!u->p) luaL_argerror(L, arg, "the schema is closed");
    return u->p;
}

static symbi_cedar *checkset(lua_State *L, int arg)
{
    ud_policies *u = symL_checkud(L, arg, UD_POLICIES);
    if (!u->p) luaL_argerror(L, arg, "the policy set is closed");
    return u->p;
}

/* The set stays whole while its parts are pushed, though a finaliser that runs meanwhile may close it. Pushes one value. */
static symbi_cedar *holdset(lua_State *L, int arg)
{
    ud_policies *u = symL_newud(L, sizeof *u, UD_POLICIES);
    return u->p = symbi_cedar_ref(checkset(L, arg));
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
        if (e) eval_free(e);
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

/* Is the table at idx the JSON form of a set or of one policy, rather than a list of sources? */
static bool is_json_form(lua_State *L, int idx)
{
    static const char *const keys[] = { "staticPolicies", "templates", "templateLinks", "effect" };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        bool has;
        lua_pushstring(L, keys[i]);
        lua_rawget(L, idx);
        has = !lua_isnil(L, -1);
        lua_pop(L, 1);
        if (has) return true;
    }
    return false;
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
    if (lua_istable(L, 1) && is_json_form(L, 1)) {
        symbi_value v;
        if (symL_tovalue(L, 1, &v, &err)) return symL_fail(L, &err);
        u = symL_newud(L, sizeof *u, UD_POLICIES);
        if (symbi_cedar_from_json(symL_ctx(L), &v, flags, &u->p, &err)) return symL_fail(L, &err);
        return 1;
    }
    if (lua_istable(L, 1)) n = symL_listlen(L, 1, "policies");
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
static bool push_entities(lua_State *L, int idx, const symbi_cedar_schema *schema, symbi_err *err)
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
    if (schema) return symbi_cedar_entities_conform(symL_ctx(L), &v, schema, &u->p, err) == SYMBI_OK;
    return symbi_cedar_entities_new(symL_ctx(L), &v, &u->p, err) == SYMBI_OK;
}

static int cedar_entities(lua_State *L)
{
    symbi_cedar_schema *schema;
    symbi_err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    schema = lua_isnil(L, 2) ? NULL : checkschema(L, 2);
    if (!push_entities(L, 1, schema, &err)) return symL_fail(L, &err);
    return 1;
}

static int cedar_schema(lua_State *L)
{
    ud_schema *u;
    symbi_err err;
    luaL_argcheck(L, lua_type(L, 1) == LUA_TSTRING || lua_istable(L, 1), 1, "expected the text of a schema, or its JSON form as a table");
    lua_settop(L, 1);
    if (lua_istable(L, 1)) {
        symbi_value v;
        if (symL_tovalue(L, 1, &v, &err)) return symL_fail(L, &err);
        u = symL_newud(L, sizeof *u, UD_SCHEMA);
        if (symbi_cedar_schema_from_json(symL_ctx(L), &v, &u->p, &err)) return symL_fail(L, &err);
    } else {
        symbi_str s = symL_checkstr(L, 1);
        u = symL_newud(L, sizeof *u, UD_SCHEMA);
        if (symbi_cedar_schema_parse(symL_ctx(L), s, &u->p, &err)) return symL_fail(L, &err);
    }
    return 1;
}

static int schema_json(lua_State *L)
{
    symbi_cedar_schema *s = checkschema(L, 1);
    symL_pushdoc(L, symbi_cedar_schema_json(s, lua_toboolean(L, 2)));
    return 1;
}

static int schema_text(lua_State *L)
{
    symbi_cedar_schema *s = checkschema(L, 1);
    symbi_text *t = symL_text(L);
    symbi_err err;
    if (symbi_cedar_schema_text(symL_ctx(L), s, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int schema_warnings(lua_State *L)
{
    symbi_cedar_schema *s = checkschema(L, 1);
    size_t n = symbi_cedar_schema_warning_count(s);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        symL_pushstr(L, symbi_cedar_schema_warning(s, i));
        lua_rawseti(L, -2, (int)i + 1);
    }
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

/* The scratch of the set at 1 (or a new one), taken out until give_eval: a finaliser that closes the set, or asks it something, while the answer
 * is pushed finds none. Leaves two values. */
static ud_eval *take_eval(lua_State *L, symbi_err *err)
{
    ud_eval *e;
    symL_getuservalue(L, 1);
    if (!lua_istable(L, -1)) {
        lua_newtable(L);
        lua_pushvalue(L, -1);
        symL_setuservalue(L, 1);
    }
    lua_rawgeti(L, -1, 1);
    e = symL_testud(L, -1, UD_EVAL);
    if (e && e->p) {
        lua_pushnil(L);
        lua_rawseti(L, -3, 1);
        return e;
    }
    lua_pop(L, 1);
    e = symL_newud(L, sizeof *e, UD_EVAL);
    return symbi_cedar_eval_new(symL_ctx(L), &e->p, err) ? NULL : e;
}

/* at: where take_eval left its second value. */
static void give_eval(lua_State *L, int at)
{
    if (!((ud_policies *)lua_touserdata(L, 1))->p) return;
    lua_pushvalue(L, at);
    lua_rawseti(L, at - 1, 1);
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
    static const char *const known[] = { "principal", "action", "resource", "context", "entities", "explain", "schema", "unchecked", NULL };
    symbi_cedar *set;
    symbi_cedar_request rq;
    symbi_cedar_answer a;
    ud_eval *ev;
    int at;
    symbi_value context;
    ud_schema *schema = NULL;
    ud_entities *ents = NULL;
    symbi_err err;
    bool explain;
    checkset(L, 1);
    lua_settop(L, 2);
    symL_owntable(L, 2);
    symL_checkopts(L, 2, known);
    luaL_checkstack(L, 24, "authorize");
    explain = symL_optfield_bool(L, 2, "explain", false);
    memset(&rq, 0, sizeof rq);
    if (!get_uid(L, "principal", &rq.principal, &err) || !get_uid(L, "action", &rq.action, &err) || !get_uid(L, "resource", &rq.resource, &err))
        return symL_fail(L, &err);
    lua_getfield(L, 2, "schema");
    if (!lua_isnil(L, -1)) {
        schema = symL_testud(L, -1, UD_SCHEMA);
        if (!schema || !schema->p) return luaL_error(L, "authorize: schema must be what cedar.schema made");
        rq.schema = schema->p;
        rq.unchecked = symL_optfield_bool(L, 2, "unchecked", false);
    }
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
            if (!push_entities(L, lua_gettop(L), rq.schema, &err)) return symL_fail(L, &err);
            u = symL_testud(L, -1, UD_ENTITIES);
        }
        if (!u || !u->p) return luaL_error(L, "authorize: the entities are closed");
        ents = u;
    }
    ev = take_eval(L, &err);
    at = lua_gettop(L);
    if (ents && !(rq.entities = ents->p)) return luaL_error(L, "authorize: the entities are closed");
    set = checkset(L, 1); /* reading the request may have run somebody's code */
    if (!ev) return symL_fail(L, &err);
    if (!ev->set) ev->set = symbi_cedar_ref(set);
    if (schema && !(rq.schema = schema->p)) return luaL_error(L, "authorize: the schema is closed");
    if (symbi_cedar_authorize(ev->p, set, &rq, &a, &err)) {
        give_eval(L, at);
        return symL_fail(L, &err);
    }
    if (explain) { /* before anything can run that closes what it looks at */
        symbi_doc *d = NULL;
        if (symbi_cedar_explain(ev->p, &d, &err)) {
            give_eval(L, at);
            return symL_fail(L, &err);
        }
        symL_pushdoc(L, d);
    }
    push_answer(L, set, &a);
    if (explain) {
        lua_pushvalue(L, -2);
        lua_setfield(L, -2, "explained");
    }
    give_eval(L, at);
    return 1;
}

static int set_policies(lua_State *L)
{
    static const char *const roles[] = { "static", "template", "link" };
    symbi_cedar *set = holdset(L, 1);
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

/* Fields policy, kind, message, line, col of a new table. */
static void push_finding(lua_State *L, const symbi_cedar *set, const symbi_cedar_finding *f)
{
    lua_createtable(L, 0, 5);
    push_id(L, set, f->policy);
    lua_setfield(L, -2, "policy");
    lua_pushstring(L, f->kind);
    lua_setfield(L, -2, "kind");
    symL_pushstr(L, f->message);
    lua_setfield(L, -2, "message");
    symL_pushint(L, f->line);
    lua_setfield(L, -2, "line");
    symL_pushint(L, f->col);
    lua_setfield(L, -2, "col");
}

static int set_validate(lua_State *L)
{
    static const char *const known[] = { "action_errors", NULL };
    symbi_cedar *set;
    int n[2] = { 0, 0 };
    unsigned flags = 0;
    ud_report *u;
    symbi_err err;
    lua_settop(L, 3);
    if (!lua_isnil(L, 3)) {
        luaL_checktype(L, 3, LUA_TTABLE);
        symL_checkopts(L, 3, known);
        if (symL_optfield_bool(L, 3, "action_errors", false)) flags |= SYMBI_CEDAR_ACTION_ERRORS;
    }
    u = symL_newud(L, sizeof *u, UD_REPORT);
    set = holdset(L, 1);
    if (symbi_cedar_validate(symL_ctx(L), set, checkschema(L, 2), flags, &u->p, &err)) return symL_fail(L, &err);
    lua_createtable(L, 0, 3); /* 6 */
    lua_newtable(L);          /* 7: errors */
    lua_newtable(L);          /* 8: warnings */
    for (size_t i = 0; i < symbi_cedar_report_count(u->p); i++) {
        const symbi_cedar_finding *f = symbi_cedar_report_at(u->p, i);
        push_finding(L, set, f);
        lua_rawseti(L, f->warning ? 8 : 7, ++n[f->warning]);
    }
    lua_setfield(L, 6, "warnings");
    lua_setfield(L, 6, "errors");
    lua_pushboolean(L, symbi_cedar_report_valid(u->p));
    lua_setfield(L, 6, "valid");
    symbi_cedar_report_free(u->p);
    u->p = NULL;
    return 1;
}

static int set_link(lua_State *L)
{
    static const char *const known[] = { "principal", "resource", NULL };
    symbi_str tmpl = symL_checkstr(L, 2), id = symL_checkstr(L, 3);
    symbi_cedar_uid u[2];
    const symbi_cedar_uid *fill[2] = { NULL, NULL };
    ud_policies *out;
    symbi_err err;
    luaL_checktype(L, 4, LUA_TTABLE);
    symL_checkopts(L, 4, known);
    lua_settop(L, 4);
    lua_pushvalue(L, 4);
    lua_replace(L, 2); /* where get_uid looks; the texts stay in 3 and below */
    lua_pushlstring(L, tmpl.p, tmpl.n);
    tmpl = symL_tostr(L, -1);
    for (int k = 0; k < 2; k++) {
        bool has;
        lua_getfield(L, 4, known[k]);
        has = !lua_isnil(L, -1);
        lua_pop(L, 1);
        if (!has) continue;
        if (!get_uid(L, known[k], &u[k], &err)) return symL_fail(L, &err);
        fill[k] = &u[k];
    }
    out = symL_newud(L, sizeof *out, UD_POLICIES);
    if (symbi_cedar_link(symL_ctx(L), checkset(L, 1), tmpl, id, fill[0], fill[1], &out->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int set_to_json(lua_State *L)
{
    symbi_cedar *set = checkset(L, 1);
    symbi_doc *d = NULL;
    symbi_err err;
    symbi_status st;
    if (lua_isnoneornil(L, 2)) {
        st = symbi_cedar_to_json(symL_ctx(L), set, &d, &err);
    } else {
        int64_t i = symL_checkint(L, 2, 1, INT64_MAX);
        st = symbi_cedar_policy_to_json(symL_ctx(L), set, (size_t)i - 1, &d, &err);
    }
    if (st) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

static int set_to_cedar(lua_State *L)
{
    size_t i = lua_isnoneornil(L, 2) ? SIZE_MAX : (size_t)symL_checkint(L, 2, 1, INT64_MAX) - 1;
    symbi_text *t = symL_text(L);
    symbi_err err;
    if (symbi_cedar_to_text(symL_ctx(L), checkset(L, 1), i, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int set_warnings(lua_State *L)
{
    symbi_cedar *set = holdset(L, 1);
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
                                            { "count", set_count },         { "close", set_close },       { "validate", set_validate }, { "link", set_link },
                                            { "to_json", set_to_json },     { "to_cedar", set_to_cedar }, { NULL, NULL } };
    static const luaL_Reg schema_methods[] = { { "json", schema_json }, { "text", schema_text }, { "warnings", schema_warnings }, { "close", schema_close }, { NULL, NULL } };
    static const luaL_Reg schema_meta[] = { { "__gc", schema_close }, { NULL, NULL } };
    static const luaL_Reg report_meta[] = { { "__gc", report_close }, { NULL, NULL } };
    static const luaL_Reg set_meta[] = { { "__gc", set_close }, { NULL, NULL } };
    static const luaL_Reg ents_methods[] = { { "count", ents_count }, { "close", ents_close }, { NULL, NULL } };
    static const luaL_Reg ents_meta[] = { { "__gc", ents_close }, { NULL, NULL } };
    static const luaL_Reg eval_methods[] = { { NULL, NULL } };
    static const luaL_Reg eval_meta[] = { { "__gc", eval_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "policies", cedar_policies }, { "entities", cedar_entities }, { "schema", cedar_schema }, { "uid", cedar_uid }, { NULL, NULL } };
    symL_newtype(L, UD_POLICIES, set_methods, set_meta);
    symL_newtype(L, UD_ENTITIES, ents_methods, ents_meta);
    symL_newtype(L, UD_EVAL, eval_methods, eval_meta);
    symL_newtype(L, UD_SCHEMA, schema_methods, schema_meta);
    symL_newtype(L, UD_REPORT, eval_methods, report_meta);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
}
