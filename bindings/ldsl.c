/* bindings/ldsl.c: symbi.dsl (core side): `.symbi` definitions (symbi/dsl.h). Files are read and written by lua/symbi/dsl.lua.
 *
 *   file, msg, err = dsl.parse(text[, source])      also for a file with errors: ask file:ok()
 *   file:ok() file:errors() file:source() file:text() file:equal(other) file:close()
 *     errors: list of {line=, column=, end_line=, end_column=, found=, expected=, hint=, message=}
 *   text, msg, err = file:format()    text, msg, err = file:sexp()    table, msg, err = file:extract()
 *   narrow, problems = file:compile{agent=, principal=, tools=}   or nil, msg, err with err.problems where something is refused
 *   narrow:describe() narrow:hash() narrow:close()      gate:narrow(narrow) puts it in force
 *   ms, msg, err = dsl.duration(text)    table, msg, err = dsl.policy_text(text)    table, msg, err = dsl.repl(text)
 *   name = dsl.sandbox(name or tier)    table, msg, err = dsl.mcp_pin(server, json)
 *   dsl.limits: {bytes=, nodes=, depth=, agents=, errors=, rules=} */
#include "symL.h"
#include "symbi/dsl.h"
#include "ud.h"

#define UD_DSL "symbi.dsl"

typedef struct ud_dsl { symbi_dsl *p; } ud_dsl;

static int dsl_close(lua_State *L)
{
    ud_dsl *u = symL_checkud(L, 1, UD_DSL);
    symbi_dsl *p = u->p;
    u->p = NULL;
    symbi_dsl_unref(p);
    return 0;
}

static int narrow_close(lua_State *L)
{
    ud_narrow *u = symL_checkud(L, 1, UD_NARROW);
    symbi_narrow *p = u->p;
    u->p = NULL;
    symbi_narrow_unref(p);
    return 0;
}

static symbi_dsl *checkdsl(lua_State *L, int arg)
{
    ud_dsl *u = symL_checkud(L, arg, UD_DSL);
    if (!u->p) luaL_argerror(L, arg, "the file is closed");
    return u->p;
}

/* The same, held by a userdata of its own on the stack, so that nothing that runs meanwhile can take it away. Who holds it lets it go at
 * the end with drop(): the collector is for errors only, as Lua forgets a finaliser that it has no memory to call. */
static ud_dsl *holddsl(lua_State *L, int arg)
{
    ud_dsl *hold;
    checkdsl(L, arg);
    hold = symL_newud(L, sizeof *hold, UD_DSL);
    hold->p = symbi_dsl_ref(checkdsl(L, arg));
    return hold;
}

static void drop(ud_dsl *hold)
{
    symbi_dsl *p = hold->p;
    hold->p = NULL;
    symbi_dsl_unref(p);
}

static int dsl_parse(lua_State *L)
{
    symbi_str text = symL_checkstr(L, 1), source = symL_optstr(L, 2, symbi_str_z(""));
    ud_dsl *u = symL_newud(L, sizeof *u, UD_DSL);
    symbi_err err;
    if (symbi_dsl_parse(symL_ctx(L), text, source, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int dsl_ok(lua_State *L)
{
    lua_pushboolean(L, symbi_dsl_ok(checkdsl(L, 1)));
    return 1;
}

static void set_str(lua_State *L, const char *k, symbi_str s)
{
    symL_pushstr(L, s);
    lua_setfield(L, -2, k);
}

static void set_int(lua_State *L, const char *k, uint32_t i)
{
    lua_pushinteger(L, (lua_Integer)i);
    lua_setfield(L, -2, k);
}

static int dsl_errors(lua_State *L)
{
    ud_dsl *hold = holddsl(L, 1);
    symbi_dsl_error e;
    lua_createtable(L, (int)symbi_dsl_error_count(hold->p), 0);
    symL_setarray(L);
    for (size_t i = 0; symbi_dsl_error_at(hold->p, i, &e); i++) {
        lua_createtable(L, 0, 8);
        set_int(L, "line", e.line);
        set_int(L, "column", e.col);
        set_int(L, "end_line", e.end_line);
        set_int(L, "end_column", e.end_col);
        set_str(L, "found", e.found);
        set_str(L, "expected", e.expected);
        if (e.hint.n) set_str(L, "hint", e.hint);
        set_str(L, "message", e.message);
        lua_rawseti(L, -2, (int)i + 1);
    }
    drop(hold);
    return 1;
}

static int dsl_source(lua_State *L)
{
    ud_dsl *hold = holddsl(L, 1);
    symL_pushstr(L, symbi_dsl_source(hold->p));
    drop(hold);
    return 1;
}

static int dsl_text(lua_State *L)
{
    ud_dsl *hold = holddsl(L, 1);
    symL_pushstr(L, symbi_dsl_text(hold->p));
    drop(hold);
    return 1;
}

static int dsl_equal(lua_State *L)
{
    lua_pushboolean(L, symbi_dsl_equal(checkdsl(L, 1), checkdsl(L, 2)));
    return 1;
}

typedef symbi_status write_fn(symbi_ctx *cx, const symbi_dsl *d, symbi_text *out, symbi_err *err);
static int written(lua_State *L, write_fn *f)
{
    ud_dsl *hold = holddsl(L, 1);
    symbi_text *t = symL_text(L);
    symbi_err err;
    symbi_status st = f(symL_ctx(L), hold->p, t, &err);
    drop(hold);
    if (st) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

static int dsl_format(lua_State *L) { return written(L, symbi_dsl_format); }
static int dsl_sexp(lua_State *L) { return written(L, symbi_dsl_sexp); }

static int pushdoc(lua_State *L, symbi_status st, symbi_doc *doc, const symbi_err *err)
{
    if (st) return symL_fail(L, err);
    symL_pushdoc(L, doc);
    return 1;
}

static int dsl_extract(lua_State *L)
{
    ud_dsl *hold = holddsl(L, 1);
    symbi_doc *doc = NULL;
    symbi_err err;
    symbi_status st = symbi_dsl_extract(symL_ctx(L), hold->p, &doc, &err);
    drop(hold);
    return pushdoc(L, st, doc, &err);
}

static int dsl_compile(lua_State *L)
{
    static const char *const known[] = { "agent", "principal", "tools", NULL };
    symbi_dsl_compile_options o;
    ud_dsl *hold;
    ud_toolset *tools = NULL;
    ud_narrow *u;
    symbi_doc *problems = NULL;
    symbi_err err;
    symbi_status st;
    symbi_dsl_compile_options_init(&o);
    checkdsl(L, 1);
    lua_settop(L, 3); /* 1 file, 2 options, 3 tools, 4 narrow, 5 the file held meanwhile, 6 problems */
    if (!lua_isnil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        symL_checkopts(L, 2, known);
        o.agent = symL_optfield_str(L, 2, "agent", o.agent);
        o.principal = symL_optfield_str(L, 2, "principal", o.principal);
        lua_getfield(L, 2, "tools");
        lua_replace(L, 3);
        if (!lua_isnil(L, 3)) {
            tools = symL_testud(L, 3, UD_TOOLSET);
            if (!tools || !tools->p) return luaL_error(L, "compile: tools must be an open tool set");
        }
    }
    u = symL_newud(L, sizeof *u, UD_NARROW);
    hold = holddsl(L, 1);
    o.tools = tools ? tools->p : NULL;
    st = symbi_dsl_compile(symL_ctx(L), hold->p, &o, &u->p, &problems, &err);
    drop(hold);
    if (problems) symL_pushdoc(L, problems);
    else lua_pushnil(L);
    if (!st) {
        lua_pushvalue(L, 4);
        lua_pushvalue(L, 6);
        return 2;
    }
    symL_fail(L, &err);
    lua_pushvalue(L, 6);
    lua_setfield(L, -2, "problems");
    return 3;
}

static symbi_narrow *checknarrow(lua_State *L, int arg)
{
    ud_narrow *u = symL_checkud(L, arg, UD_NARROW);
    if (!u->p) luaL_argerror(L, arg, "the rules are closed");
    return u->p;
}

static int narrow_describe(lua_State *L)
{
    symL_pushdoc(L, symbi_narrow_doc(checknarrow(L, 1)));
    return 1;
}

static int narrow_hash(lua_State *L)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t h[32];
    char out[64];
    symbi_narrow_hash(checknarrow(L, 1), h);
    for (int i = 0; i < 32; i++) out[2 * i] = hex[h[i] >> 4], out[2 * i + 1] = hex[h[i] & 15];
    lua_pushlstring(L, out, sizeof out);
    return 1;
}

static int dsl_duration(lua_State *L)
{
    symbi_str s = symL_checkstr(L, 1);
    int64_t ms;
    symbi_err err;
    if (symbi_dsl_duration(s, &ms, &err)) return symL_fail(L, &err);
    symL_pushint(L, ms);
    return 1;
}

/* the sandbox's own name, or nil for no sandbox's name or tier */
static int dsl_sandbox(lua_State *L)
{
    symbi_sandbox s;
    if (!symbi_sandbox_of(symL_checkstr(L, 1), &s)) lua_pushnil(L);
    else lua_pushstring(L, symbi_sandbox_name(s));
    return 1;
}

static int dsl_policy_text(lua_State *L)
{
    symbi_str s = symL_checkstr(L, 1);
    symbi_doc *doc = NULL;
    symbi_err err;
    symbi_status st = symbi_dsl_policy_text(symL_ctx(L), s, &doc, &err);
    return pushdoc(L, st, doc, &err);
}

static int dsl_repl(lua_State *L)
{
    symbi_str s = symL_checkstr(L, 1);
    symbi_doc *doc = NULL;
    symbi_err err;
    symbi_status st = symbi_dsl_repl(symL_ctx(L), s, &doc, &err);
    return pushdoc(L, st, doc, &err);
}

/* {canonical, config_hash, file, short} of an entry of mcpServers, given as JSON text */
static int dsl_mcp_pin(lua_State *L)
{
    symbi_str name = symL_checkstr(L, 1), entry = symL_checkstr(L, 2);
    symbi_doc *doc = NULL;
    symbi_err err;
    symbi_status st = symbi_dsl_mcp_pin(symL_ctx(L), name, entry, &doc, &err);
    return pushdoc(L, st, doc, &err);
}

void l_dsl_open(lua_State *L);
void l_dsl_open(lua_State *L)
{
    static const luaL_Reg methods[] = { { "ok", dsl_ok }, { "errors", dsl_errors }, { "source", dsl_source }, { "text", dsl_text }, { "equal", dsl_equal }, { "format", dsl_format },
                                        { "sexp", dsl_sexp }, { "extract", dsl_extract }, { "compile", dsl_compile }, { "close", dsl_close }, { NULL, NULL } };
    static const luaL_Reg meta[] = { { "__gc", dsl_close }, { NULL, NULL } };
    static const luaL_Reg narrow_methods[] = { { "describe", narrow_describe }, { "hash", narrow_hash }, { "close", narrow_close }, { NULL, NULL } };
    static const luaL_Reg narrow_meta[] = { { "__gc", narrow_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "parse", dsl_parse }, { "duration", dsl_duration }, { "sandbox", dsl_sandbox }, { "policy_text", dsl_policy_text }, { "repl", dsl_repl }, { "mcp_pin", dsl_mcp_pin }, { NULL, NULL } };
    static const struct {
        const char *name;
        int value;
    } limits[] = { { "bytes", SYMBI_DSL_MAX_BYTES }, { "nodes", SYMBI_DSL_MAX_NODES }, { "depth", SYMBI_DSL_MAX_DEPTH }, { "agents", SYMBI_DSL_MAX_AGENTS }, { "errors", SYMBI_DSL_MAX_ERRORS }, { "rules", SYMBI_DSL_MAX_RULES } };
    symL_newtype(L, UD_DSL, methods, meta);
    symL_newtype(L, UD_NARROW, narrow_methods, narrow_meta);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
    lua_createtable(L, 0, 6);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        lua_pushinteger(L, limits[i].value);
        lua_setfield(L, -2, limits[i].name);
    }
    lua_setfield(L, -2, "limits");
}
