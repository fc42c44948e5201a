/* bindings/ltoolclad.c: symbi.toolclad: contracts of tools. Reading files and folders is lua/symbi/toolclad.lua.
 *
 *   tool, msg, err = toolclad.parse(text[, source | {source=, types=, child=}])   a manifest; child: the contract of its child sessions
 *   tool, msg, err = toolclad.declare(table[, source | {source=, types=}])   the same as a table: {tool={...}, args={...}, ...}
 *   types, msg, err = toolclad.types(text | table[, source])    custom types: toolclad.toml, or what stands below [types]
 *   set, msg, err = toolclad.toolset(list)     of tools, manifest tables and declarations of symbi.tool{} (their .manifest)
 *
 *   tool:info() tool:warnings() tool:close()
 *   tools = tool:commands()                    of a session or browser manifest: TOOL.COMMAND, each a tool; else an empty list
 *   args, msg, err = tool:validate(args)       canonical arguments
 *   schema, msg, err = tool:schema()           {name=, description=, inputSchema=, outputSchema=}
 *   argv, msg, err = tool:command(args[, {scan_id=, evidence_dir=, project_dir=, allow_options=}])     a dry run
 *   plan, msg, err = tool:plan(args[, options])    the whole plan; without an order no executor takes it
 *   envelope, msg, err = tool:envelope(plan, result)   result: {stdout=, stderr=, exit_code=, signal=, timed_out=, ...}; for other
 *                                                     backends what their executor gave (scripts/guide/tool-<backend>.md)
 *   text, msg, err = tool:cedar(["gate"|"upstream"])
 *   record, msg, err = tool:evidence(plan, envelope, facts[, result])   the record that is kept beside the journal (ltoolclad_more.c)
 *   set:cedar_schema([facts[, policies]]) (toolclad.cedar_schema: without tools), toolclad.constraints(text, limits[, {upstream_tiers=}]), toolclad.traceparent(header), toolclad.triage: likewise
 *   set:find(name) set:names() set:count() set:close(); types:problems() types:count() types:close() */
#include <string.h>

#include "lgate.h"
#include "ltoolclad.h"
#include "symL.h"
#include "symbi/crypto.h"
#include "symbi/toolclad.h"
#include "ud.h"

#define UD_TYPES "symbi.tooltypes"
typedef struct ud_types { symbi_tooltypes *p; } ud_types;

symbi_tool *l_checktool(lua_State *L, int arg)
{
    ud_tool *u = symL_checkud(L, arg, UD_TOOL);
    if (!u->p) luaL_argerror(L, arg, "the tool is closed");
    return u->p;
}

#define checktool l_checktool

symbi_toolset *l_checkset(lua_State *L, int arg)
{
    ud_toolset *u = symL_checkud(L, arg, UD_TOOLSET);
    if (!u->p) luaL_argerror(L, arg, "the tool set is closed");
    return u->p;
}

#define checkset l_checkset

static symbi_tooltypes *checktypes(lua_State *L, int arg)
{
    ud_types *u = symL_checkud(L, arg, UD_TYPES);
    if (!u->p) luaL_argerror(L, arg, "the types are closed");
    return u->p;
}

static int tool_close(lua_State *L)
{
    ud_tool *u = symL_checkud(L, 1, UD_TOOL);
    symbi_tool *p = u->p;
    u->p = NULL;
    symbi_tool_unref(p);
    return 0;
}

static int set_close(lua_State *L)
{
    ud_toolset *u = symL_checkud(L, 1, UD_TOOLSET);
    symbi_toolset *p = u->p;
    u->p = NULL;
    symbi_toolset_unref(p);
    return 0;
}

static int types_close(lua_State *L)
{
    ud_types *u = symL_checkud(L, 1, UD_TYPES);
    symbi_tooltypes *p = u->p;
    u->p = NULL;
    symbi_tooltypes_unref(p);
    return 0;
}

/* ---- loading ---- */

/* The second argument: a source, or {source=, types=, child=}. What is returned is borrowed from it. child NULL: not taken here. */
static symbi_tooltypes *load_options(lua_State *L, int arg, symbi_str *source, const symbi_tool **child)
{
    static const char *const known[] = { "source", "types", "child", NULL };
    symbi_tooltypes *types = NULL;
    *source = symbi_str_z("");
    if (lua_type(L, arg) == LUA_TSTRING) {
        *source = symL_tostr(L, arg);
    } else if (!lua_isnoneornil(L, arg)) {
        luaL_checktype(L, arg, LUA_TTABLE);
        symL_checkopts(L, arg, known);
        *source = symL_optfield_str(L, arg, "source", *source);
        lua_getfield(L, arg, "types");
        if (!lua_isnil(L, -1)) {
            ud_types *u = symL_testud(L, -1, UD_TYPES);
            if (!u || !u->p) luaL_argerror(L, arg, "types must come from symbi.toolclad.types");
            types = u->p;
        }
        lua_pop(L, 1);
        lua_getfield(L, arg, "child");
        if (!lua_isnil(L, -1)) {
            ud_tool *u = symL_testud(L, -1, UD_TOOL);
            if (!u || !u->p || !child) luaL_argerror(L, arg, child ? "child must be a tool" : "child is taken with a manifest's text");
            *child = u->p;
        }
        lua_pop(L, 1);
    }
    return types;
}

static int toolclad_parse(lua_State *L)
{
    symbi_str text = symL_checkstr(L, 1), source;
    const symbi_tool *child = NULL;
    symbi_tooltypes *types = load_options(L, 2, &source, &child);
    ud_tool *u = symL_newud(L, sizeof *u, UD_TOOL);
    symbi_err err;
    if (symbi_tool_parse_child(symL_ctx(L), text, source, types, child, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int toolclad_declare(lua_State *L)
{
    symbi_str source;
    symbi_tooltypes *types;
    symbi_value v;
    ud_tool *u;
    symbi_err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    types = load_options(L, 2, &source, NULL);
    u = symL_newud(L, sizeof *u, UD_TOOL);
    if (symL_tovalue(L, 1, &v, &err)) return symL_fail(L, &err);
    if (symbi_tool_from_value_with(symL_ctx(L), &v, source, types, &u->p, &err)) return symL_fail(L, &err);
    lua_pop(L, 1); /* the value's anchor */
    return 1;
}

static int toolclad_types(lua_State *L)
{
    symbi_str source = symL_optstr(L, 2, symbi_str_z("toolclad.toml"));
    ud_types *u;
    symbi_value v;
    symbi_err err;
    if (lua_istable(L, 1)) {
        u = symL_newud(L, sizeof *u, UD_TYPES);
        if (symL_tovalue(L, 1, &v, &err) || symbi_tooltypes_from_value(symL_ctx(L), &v, source, &u->p, &err)) return symL_fail(L, &err);
        lua_pop(L, 1);
        return 1;
    }
    symL_checkstr(L, 1);
    u = symL_newud(L, sizeof *u, UD_TYPES);
    if (symbi_tooltypes_parse(symL_ctx(L), symL_tostr(L, 1), source, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

/* The tool for the list's entry on the top of the stack: a userdata, or made from a table (then it stays there, owned by a
 * new userdata on the top). NULL: *failed results are on the stack. */
static symbi_tool *entry_tool(lua_State *L, size_t i, int *failed)
{
    ud_tool *u = symL_testud(L, -1, UD_TOOL);
    symbi_value v;
    symbi_err err;
    int at;
    *failed = 0;
    if (u) {
        if (!u->p) luaL_error(L, "toolclad.toolset: tool %d is closed", (int)i + 1);
        return u->p;
    }
    if (!lua_istable(L, -1)) luaL_error(L, "toolclad.toolset: entry %d must be a tool or a declaration, got %s", (int)i + 1, luaL_typename(L, -1));
    lua_getfield(L, -1, "manifest");
    if (!lua_istable(L, -1)) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
    }
    at = symL_absindex(L, -1);
    u = symL_newud(L, sizeof *u, UD_TOOL);
    if (symL_tovalue(L, at, &v, &err) || symbi_tool_from_value(symL_ctx(L), &v, symbi_str_z("a declaration"), &u->p, &err)) {
        *failed = symL_fail(L, &err);
        return NULL;
    }
    return u->p;
}

static int toolclad_toolset(lua_State *L)
{
    ud_toolset *set;
    size_t n;
    symbi_err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    n = symL_rawlen(L, 1);
    set = symL_newud(L, sizeof *set, UD_TOOLSET); /* 2 */
    if (symbi_toolset_new(symL_ctx(L), &set->p, &err)) return symL_fail(L, &err);
    for (size_t i = 0; i < n; i++) {
        symbi_tool *t;
        int failed;
        lua_rawgeti(L, 1, (int)i + 1);
        t = entry_tool(L, i, &failed);
        if (!t) return failed;
        if (symbi_toolset_add(set->p, t, &err)) return symL_fail(L, &err);
        lua_settop(L, 2);
    }
    return 1;
}

/* ---- a tool ---- */

static void push_hex(lua_State *L, const uint8_t *p, size_t n)
{
    char hex[65];
    static const char digit[] = "0123456789abcdef";
    if (n > 32) n = 32;
    for (size_t i = 0; i < n; i++) hex[2 * i] = digit[p[i] >> 4], hex[2 * i + 1] = digit[p[i] & 15];
    lua_pushlstring(L, hex, 2 * n);
}

static void set_str(lua_State *L, const char *key, symbi_str s)
{
    symL_pushstr(L, s);
    lua_setfield(L, -2, key);
}

static void push_warnings(lua_State *L, const symbi_tool *t)
{
    symbi_str s;
    lua_newtable(L);
    for (size_t i = 0; (s = symbi_tool_warning(t, i)).n; i++) {
        symL_pushstr(L, s);
        lua_rawseti(L, -2, (int)i + 1);
    }
    symL_setarray(L);
}

static int tool_info(lua_State *L)
{
    symbi_tool *t = checktool(L, 1);
    symbi_tool_info in;
    symbi_tool_get_info(t, &in);
    lua_createtable(L, 0, 12);
    set_str(L, "name", in.name);
    set_str(L, "version", in.version);
    set_str(L, "description", in.description);
    set_str(L, "risk_tier", in.risk_tier);
    if (in.capability.n) set_str(L, "capability", in.capability);
    if (in.child_manifest.n) set_str(L, "child_manifest", in.child_manifest);
    set_str(L, "source_path", in.source);
    set_str(L, "manifest", in.manifest);
    lua_pushstring(L, symbi_backend_name(in.backend));
    lua_setfield(L, -2, "backend");
    lua_pushboolean(L, in.human_approval);
    lua_setfield(L, -2, "human_approval");
    symL_pushint(L, in.timeout_ms);
    lua_setfield(L, -2, "timeout_ms");
    symL_pushint(L, (int64_t)in.arg_count);
    lua_setfield(L, -2, "arg_count");
    push_hex(L, in.sha256, 32);
    lua_setfield(L, -2, "sha256");
    push_warnings(L, t);
    lua_setfield(L, -2, "warnings");
    return 1;
}

/* The commands of a session or browser manifest, each a tool. */
static int tool_commands(lua_State *L)
{
    symbi_tool *t = checktool(L, 1);
    lua_newtable(L);
    for (size_t i = 0; i < symbi_tool_command_count(t); i++) {
        ud_tool *u = symL_newud(L, sizeof *u, UD_TOOL);
        u->p = symbi_tool_ref(symbi_tool_command_at(t, i));
        lua_rawseti(L, -2, (int)i + 1);
    }
    symL_setarray(L);
    return 1;
}

static int tool_warnings(lua_State *L)
{
    push_warnings(L, checktool(L, 1));
    return 1;
}

/* A value at arg (nil: {}), anchored by one pushed value. False: the results of a failure are on the stack. */
static bool take_args(lua_State *L, int arg, symbi_value *v, int *failed)
{
    symbi_err err;
    if (lua_isnoneornil(L, arg)) {
        memset(v, 0, sizeof *v);
        lua_pushnil(L);
        return true;
    }
    if (symL_tovalue(L, arg, v, &err) == SYMBI_OK) return true;
    *failed = symL_fail(L, &err);
    return false;
}

static int tool_validate(lua_State *L)
{
    symbi_tool *t = checktool(L, 1);
    symbi_value v;
    symbi_doc *d;
    symbi_err err;
    int failed;
    lua_settop(L, 2);
    if (!take_args(L, 2, &v, &failed)) return failed;
    if (symbi_tool_validate(symL_ctx(L), t, &v, &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

static int tool_schema(lua_State *L)
{
    symbi_doc *d;
    symbi_err err;
    if (symbi_tool_schema(symL_ctx(L), checktool(L, 1), &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

/* Pushes a plan; 0, or the number of results of a failure. */
static int make_plan(lua_State *L)
{
    static const char *const known[] = { "scan_id", "evidence_dir", "project_dir", "env", "timeout_ms", "allow_options", "checks_files", "sandbox", NULL };
    symbi_tool *t = checktool(L, 1);
    symbi_plan_options o;
    symbi_value v;
    ud_plan *u;
    symbi_err err;
    int failed;
    memset(&o, 0, sizeof o);
    lua_settop(L, 3);
    symL_checkopts(L, 3, known);
    if (lua_istable(L, 3)) {
        const symbi_str none = { "", 0 };
        o.scan_id = symL_optfield_str(L, 3, "scan_id", none);
        o.evidence_dir = symL_optfield_str(L, 3, "evidence_dir", none);
        o.project_dir = symL_optfield_str(L, 3, "project_dir", none);
        o.host_timeout_ms = symL_optfield_int(L, 3, "timeout_ms", 0, 0, INT32_MAX);
        o.allow_options = symL_optfield_bool(L, 3, "allow_options", false);
        o.checks_files = symL_optfield_bool(L, 3, "checks_files", true); /* a dry run reads no file */
        o.box = l_optbox(L, 3);
        lua_getfield(L, 3, "env");
        if (!lua_isnil(L, -1)) {
            symbi_str *env;
            luaL_checktype(L, -1, LUA_TTABLE);
            o.nbase_env = symL_rawlen(L, -1);
            if (o.nbase_env > 100000) luaL_argerror(L, 3, "env has too many entries");
            env = lua_newuserdata(L, (o.nbase_env + 1) * sizeof *env);
            for (size_t i = 0; i < o.nbase_env; i++) {
                lua_rawgeti(L, -2, (int)i + 1);
                env[i] = symL_tostr(L, -1); /* anchored by the table */
                lua_pop(L, 1);
                if (!env[i].p) luaL_argerror(L, 3, "env must be a list of \"NAME=value\" strings");
            }
            o.base_env = env;
        }
    } else {
        o.checks_files = true;
    }
    if (!take_args(L, 2, &v, &failed)) return failed;
    u = symL_newud(L, sizeof *u, UD_PLAN);
    if (symbi_tool_plan_args(symL_ctx(L), t, &v, &o, &u->p, &err)) return symL_fail(L, &err);
    return 0;
}

static int tool_plan(lua_State *L)
{
    int failed = make_plan(L);
    symbi_err err;
    if (failed) return failed;
    if (symbi_plan_seal(symL_ctx(L), ((ud_plan *)symL_checkud(L, -1, UD_PLAN))->p, &err)) return symL_fail(L, &err); /* Lua sees sealed plans only */
    return 1;
}

static int tool_command(lua_State *L)
{
    int failed = make_plan(L);
    const ud_plan *u;
    if (failed) return failed;
    u = symL_checkud(L, -1, UD_PLAN);
    lua_createtable(L, (int)u->p->argc, 0);
    for (size_t i = 0; i < u->p->argc; i++) {
        symL_pushstr(L, u->p->argv[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    symL_setarray(L);
    symL_pushstr(L, u->p->command); /* second result: the command as people read it */
    return 2;
}

static int tool_cedar(lua_State *L)
{
    static const char *const forms[] = { "gate", "upstream", NULL };
    symbi_tool *t = checktool(L, 1);
    int form = luaL_checkoption(L, 2, "gate", forms);
    symbi_text *text = symL_text(L);
    symbi_err err;
    if (symbi_tool_cedar(symL_ctx(L), t, form ? SYMBI_TOOL_CEDAR_UPSTREAM : SYMBI_TOOL_CEDAR_GATE, text, &err)) return symL_fail(L, &err);
    symL_pushtext(L, text);
    return 1;
}

static bool unhex(symbi_str s, uint8_t out[32])
{
    static const char digit[] = "0123456789abcdef";
    if (s.n != 64) return false;
    for (size_t i = 0; i < 64; i++) {
        const char *d = s.p[i] ? strchr(digit, s.p[i]) : NULL;
        if (!d) return false;
        out[i / 2] = (uint8_t)(i & 1 ? out[i / 2] | (d - digit) : (d - digit) << 4);
    }
    return true;
}

/* exec.parser: how the plan's parser went. */
static void check_parsed(lua_State *L, int arg, symbi_parse_run *p)
{
    static const char *const known[] = { "stdout", "stderr", "exit_code", "signal", "timed_out", "start_errno", "duration_ms", "stdout_truncated", "sha256", NULL };
    const symbi_str none = { "", 0 };
    symbi_str hash;
    int t;
    lua_getfield(L, arg, "parser");
    if (lua_isnil(L, -1)) return;
    luaL_checktype(L, -1, LUA_TTABLE);
    t = lua_gettop(L);
    symL_checkopts(L, t, known);
    p->tried = true;
    p->out = symL_optfield_str(L, t, "stdout", none); /* anchored by the table */
    p->err = symL_optfield_str(L, t, "stderr", none);
    p->exit_code = (int)symL_optfield_int(L, t, "exit_code", 0, -1, 255);
    p->signal = (int)symL_optfield_int(L, t, "signal", 0, 0, 128);
    p->timed_out = symL_optfield_bool(L, t, "timed_out", false);
    p->out_truncated = symL_optfield_bool(L, t, "stdout_truncated", false);
    p->start_errno = (int)symL_optfield_int(L, t, "start_errno", 0, 0, 4096);
    p->duration_ms = symL_optfield_int(L, t, "duration_ms", 0, 0, INT64_MAX);
    hash = symL_optfield_str(L, t, "sha256", none);
    if (hash.n && !unhex(hash, p->sha256)) luaL_argerror(L, arg, "parser.sha256 must be 64 lower-case hexadecimal digits");
}

/* False: symL_fail has the results. */
bool l_check_exec(lua_State *L, int arg, symbi_exec_result *r, symbi_err *err)
{
    static const char *const known[] = { "stdout", "stderr", "exit_code", "signal", "timed_out", "start_errno", "started_ms", "duration_ms", "stdout_truncated", "stderr_truncated",
        "stdout_bytes", "stdout_sha256", "output_file", "parser", NULL };
    const symbi_str none = { "", 0 };
    symbi_str hash;
    luaL_checktype(L, arg, LUA_TTABLE);
    symL_checkopts(L, arg, known);
    memset(r, 0, sizeof *r);
    r->out = symL_optfield_str(L, arg, "stdout", none);
    r->err = symL_optfield_str(L, arg, "stderr", none);
    r->exit_code = (int)symL_optfield_int(L, arg, "exit_code", 0, -1, 255);
    r->signal = (int)symL_optfield_int(L, arg, "signal", 0, 0, 128);
    r->timed_out = symL_optfield_bool(L, arg, "timed_out", false);
    r->start_errno = (int)symL_optfield_int(L, arg, "start_errno", 0, 0, 4096);
    r->started_ms = symL_optfield_int(L, arg, "started_ms", 0, 0, INT64_MAX);
    r->duration_ms = symL_optfield_int(L, arg, "duration_ms", 0, 0, INT64_MAX);
    r->out_truncated = symL_optfield_bool(L, arg, "stdout_truncated", false);
    r->err_truncated = symL_optfield_bool(L, arg, "stderr_truncated", false);
    r->out_bytes = (uint64_t)symL_optfield_int(L, arg, "stdout_bytes", (int64_t)r->out.n, 0, INT64_MAX);
    r->output_file = symL_optfield_str(L, arg, "output_file", none);
    check_parsed(L, arg, &r->parsed);
    hash = symL_optfield_str(L, arg, "stdout_sha256", none); /* of all of stdout, where the executor kept only a part */
    if (hash.n && !unhex(hash, r->out_sha256)) luaL_argerror(L, arg, "stdout_sha256 must be 64 lower-case hexadecimal digits");
    return hash.n || symbi_sha256(symL_ctx(L), r->out, r->out_sha256, err) == SYMBI_OK;
}

static int tool_envelope(lua_State *L)
{
    symbi_tool *t = checktool(L, 1);
    ud_plan *u = symL_checkud(L, 2, UD_PLAN);
    symbi_exec_result r;
    symbi_doc *d;
    symbi_err err;
    luaL_checktype(L, 3, LUA_TTABLE);
    if (!u->p) luaL_argerror(L, 2, "the plan is closed");
    if (u->p->detail) { /* not a command line: what that backend's executor gave */
        symbi_value raw;
        if (symL_tovalue(L, 3, &raw, &err) || symbi_tool_envelope_of(symL_ctx(L), t, u->p, &raw, &d, &err)) return symL_fail(L, &err);
        symL_pushdoc(L, d);
        return 1;
    }
    if (!l_check_exec(L, 3, &r, &err)) return symL_fail(L, &err);
    if (symbi_tool_envelope(symL_ctx(L), t, u->p, &r, &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

static int tool_tostring(lua_State *L)
{
    ud_tool *u = symL_checkud(L, 1, UD_TOOL);
    symbi_tool_info in;
    if (!u->p) {
        lua_pushstring(L, "symbi.tool (closed)");
        return 1;
    }
    symbi_tool_get_info(u->p, &in);
    lua_pushstring(L, "symbi.tool ");
    symL_pushstr(L, in.name);
    lua_concat(L, 2);
    return 1;
}

/* ---- sets and types ---- */

static int set_find(lua_State *L)
{
    symbi_toolset *s = checkset(L, 1);
    symbi_tool *t = symbi_toolset_find(s, symL_checkstr(L, 2));
    ud_tool *u;
    if (!t) {
        lua_pushnil(L);
        return 1;
    }
    u = symL_newud(L, sizeof *u, UD_TOOL);
    u->p = symbi_tool_ref(t);
    return 1;
}

static int set_names(lua_State *L)
{
    symbi_toolset *s = checkset(L, 1);
    lua_newtable(L);
    for (size_t i = 0; i < symbi_toolset_count(s); i++) {
        symbi_tool_info in;
        symbi_tool_get_info(symbi_toolset_at(s, i), &in);
        symL_pushstr(L, in.name);
        lua_rawseti(L, -2, (int)i + 1);
    }
    symL_setarray(L);
    return 1;
}

static int set_count(lua_State *L)
{
    symL_pushint(L, (int64_t)symbi_toolset_count(checkset(L, 1)));
    return 1;
}

static int types_problems(lua_State *L)
{
    symbi_tooltypes *t = checktypes(L, 1);
    symbi_str s;
    lua_newtable(L);
    for (size_t i = 0; (s = symbi_tooltypes_problem(t, i)).n; i++) {
        symL_pushstr(L, s);
        lua_rawseti(L, -2, (int)i + 1);
    }
    symL_setarray(L);
    return 1;
}

static int types_count(lua_State *L)
{
    symL_pushint(L, (int64_t)symbi_tooltypes_count(checktypes(L, 1)));
    return 1;
}

void l_toolclad_open(lua_State *L);
void l_toolclad_open(lua_State *L)
{
    static const luaL_Reg tool_methods[] = { { "info", tool_info }, { "commands", tool_commands }, { "warnings", tool_warnings }, { "validate", tool_validate }, { "schema", tool_schema },
        { "command", tool_command }, { "plan", tool_plan }, { "cedar", tool_cedar }, { "envelope", tool_envelope }, { "evidence", l_tool_evidence }, { "describe", l_tool_describe }, { "check", l_tool_check }, { "close", tool_close }, { NULL, NULL } };
    static const luaL_Reg tool_meta[] = { { "__gc", tool_close }, { "__tostring", tool_tostring }, { NULL, NULL } };
    static const luaL_Reg set_methods[] = { { "find", set_find }, { "names", set_names }, { "count", set_count }, { "cedar_schema", l_set_cedar_schema }, { "close", set_close }, { NULL, NULL } };
    static const luaL_Reg set_meta[] = { { "__gc", set_close }, { NULL, NULL } };
    static const luaL_Reg types_methods[] = { { "problems", types_problems }, { "count", types_count }, { "close", types_close }, { NULL, NULL } };
    static const luaL_Reg types_meta[] = { { "__gc", types_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "parse", toolclad_parse }, { "declare", toolclad_declare }, { "types", toolclad_types }, { "toolset", toolclad_toolset }, { NULL, NULL } };
    symL_newtype(L, UD_TOOL, tool_methods, tool_meta);
    symL_newtype(L, UD_TOOLSET, set_methods, set_meta);
    symL_newtype(L, UD_TYPES, types_methods, types_meta);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
    l_toolclad_more(L);
}
