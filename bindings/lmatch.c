/* bindings/lmatch.c: symbi.match: sets of patterns searched for in linear time (symbi/match.h has the dialect).
 *
 *   set, msg, err = match.set(pattern | list[, options])   list: patterns, or tables {pattern, nocase=…} with options of their own
 *       options: {nocase=, multiline=, dotall=, whole=, classes="ascii"|"unicode"|"python", memory=bytes}
 *   list, msg, err = set:run(text)         indices (from 1) of the patterns that match somewhere in text, ascending
 *   bool, msg, err = set:test(text)        does one of them
 *   from, to = set:find(text[, i])         where pattern i (default 1) matches first, as string.find counts; nil: nowhere
 *   list, msg, err = set:lines(text[, {ends="lf"|"crlf"|"python"|"none", max=}])
 *                                          {line=, from=, to=, rules={…}} for each line with a match; max: as many lines at most
 *   set:count() set:stats() set:close()
 *   match.limits: {rules=, pattern=, program=, depth=, repetition=} */
#include "symL.h"

#include <string.h>

#define UD_MATCH "symbi.match"
typedef struct ud_match {
    symbi_match *p;
    symbi_match_scratch *s;
} ud_match;
/* Rules under construction: memory that the collector frees. */
#define RULE_BYTES(n) ((n) * sizeof(symbi_match_rule) + 1)

static int match_close(lua_State *L)
{
    ud_match *u = symL_checkud(L, 1, UD_MATCH);
    symbi_match *p = u->p;
    symbi_match_scratch *s = u->s;
    u->p = NULL;
    u->s = NULL;
    symbi_match_scratch_free(s);
    symbi_match_unref(p);
    return 0;
}

static ud_match *checkmatch(lua_State *L)
{
    ud_match *u = symL_checkud(L, 1, UD_MATCH);
    if (!u->s) luaL_argerror(L, 1, "the set is closed");
    return u;
}

static const char *const known_options[] = { "nocase", "multiline", "dotall", "whole", "classes", "memory", NULL };
static const char *const known_rule[] = { "1", "pattern", "nocase", "multiline", "dotall", "whole", "classes", NULL };

static bool is(symbi_str s, const char *z) { return s.n == strlen(z) && !memcmp(s.p, z, s.n); }

/* The flags that the table at idx sets or clears, on top of dflt. */
static unsigned getflags(lua_State *L, int idx, unsigned dflt)
{
    static const struct { const char *name; unsigned bit; } t[] = { { "nocase", SYMBI_MATCH_NOCASE }, { "multiline", SYMBI_MATCH_MULTILINE }, { "dotall", SYMBI_MATCH_DOTALL }, { "whole", SYMBI_MATCH_WHOLE } };
    symbi_str c;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) dflt = symL_optfield_bool(L, idx, t[i].name, (dflt & t[i].bit) != 0) ? dflt | t[i].bit : dflt & ~t[i].bit;
    c = symL_optfield_str(L, idx, "classes", (symbi_str){ NULL, 0 });
    if (!c.p) return dflt;
    dflt &= ~(unsigned)(SYMBI_MATCH_UNICODE | SYMBI_MATCH_PYTHON);
    if (is(c, "unicode")) return dflt | SYMBI_MATCH_UNICODE;
    if (is(c, "python")) return dflt | SYMBI_MATCH_PYTHON;
    if (!is(c, "ascii")) luaL_error(L, "classes must be \"ascii\", \"unicode\" or \"python\"");
    return dflt;
}

/* Rule i of the list at 1: the pattern stays borrowed from the list. */
static symbi_match_rule getrule(lua_State *L, int i, unsigned dflt)
{
    symbi_match_rule r = { { NULL, 0 }, dflt };
    lua_rawgeti(L, 1, i);
    if (lua_istable(L, -1)) {
        int idx = symL_absindex(L, -1);
        lua_pushnil(L);
        while (lua_next(L, idx)) { /* symL_checkopts wants names; position 1 is the pattern */
            const char *k = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
            bool ok = !k && lua_type(L, -2) == LUA_TNUMBER && lua_tonumber(L, -2) == 1;
            for (size_t j = 1; k && known_rule[j] && !ok; j++) ok = !strcmp(k, known_rule[j]);
            if (!ok) luaL_error(L, "pattern %d: unknown field", i);
            lua_pop(L, 1);
        }
        r.flags = getflags(L, idx, dflt);
        lua_rawgeti(L, idx, 1);
        if (lua_isnil(L, -1)) {
            lua_pop(L, 1);
            lua_getfield(L, idx, "pattern");
        }
        r.pattern = symL_tostr(L, -1);
        lua_pop(L, 1);
    } else {
        r.pattern = symL_tostr(L, -1);
    }
    if (!r.pattern.p) luaL_error(L, "pattern %d is no string", i);
    lua_pop(L, 1);
    return r;
}

static int match_set(lua_State *L)
{
    symbi_match_rule *rules;
    ud_match *u;
    symbi_err err;
    unsigned flags = 0;
    size_t n = 1, bytes = 0;
    luaL_argcheck(L, lua_type(L, 1) == LUA_TSTRING || lua_istable(L, 1), 1, "expected a pattern or a list of them");
    if (!lua_isnoneornil(L, 2)) {
        symL_checkopts(L, 2, known_options);
        flags = getflags(L, 2, 0);
        bytes = (size_t)symL_optfield_int(L, 2, "memory", 0, 0, (int64_t)1 << 32);
    }
    lua_settop(L, 2);
    if (lua_istable(L, 1)) n = symL_listlen(L, 1, "patterns");
    luaL_argcheck(L, n <= SYMBI_MATCH_MAX_RULES, 1, "too many patterns");
    rules = lua_newuserdata(L, RULE_BYTES(n));
    if (lua_istable(L, 1))
        for (size_t i = 0; i < n; i++) rules[i] = getrule(L, (int)i + 1, flags);
    else rules[0] = (symbi_match_rule){ symL_tostr(L, 1), flags };
    u = symL_newud(L, sizeof *u, UD_MATCH);
    if (symbi_match_compile(symL_ctx(L), rules, n, &u->p, &err)) return symL_fail(L, &err);
    if (symbi_match_scratch_new(symL_ctx(L), u->p, bytes, &u->s, &err)) return symL_fail(L, &err);
    return 1;
}

/* The indices are copied first: a push may run a finaliser, which may search. */
static void push_rules(lua_State *L, const uint32_t *rules, size_t n)
{
    uint32_t *copy = lua_newuserdata(L, n * sizeof *copy + 1);
    if (n) memcpy(copy, rules, n * sizeof *copy);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        lua_pushinteger(L, (lua_Integer)copy[i] + 1);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_remove(L, -2);
}

static int match_run(lua_State *L)
{
    ud_match *u = checkmatch(L);
    symbi_str text = symL_checkstr(L, 2);
    uint32_t *copy = lua_newuserdata(L, symbi_match_count(u->p) * sizeof *copy + 1);
    const uint32_t *rules;
    symbi_err err;
    size_t n;
    u = checkmatch(L); /* a finaliser may have closed it just now */
    if (symbi_match_run(u->s, text, &rules, &n, &err)) return symL_fail(L, &err);
    if (n) memcpy(copy, rules, n * sizeof *copy);
    push_rules(L, copy, n);
    return 1;
}

static int match_test(lua_State *L)
{
    ud_match *u = checkmatch(L);
    symbi_str text = symL_checkstr(L, 2);
    const uint32_t *rules;
    symbi_err err;
    size_t n;
    if (symbi_match_run(u->s, text, &rules, &n, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, n > 0);
    return 1;
}

static int match_find(lua_State *L)
{
    ud_match *u = checkmatch(L);
    symbi_str text = symL_checkstr(L, 2);
    int64_t i = symL_optint(L, 3, 1, 1, SYMBI_MATCH_MAX_RULES);
    symbi_match_span at;
    symbi_err err;
    luaL_argcheck(L, (size_t)i <= symbi_match_count(u->p), 3, "the set has no such pattern");
    if (symbi_match_find(u->s, (size_t)i - 1, text, &at, &err)) return symL_fail(L, &err);
    if (!at.hit) {
        lua_pushnil(L);
        return 1;
    }
    symL_pushint(L, (int64_t)at.start + 1);
    symL_pushint(L, (int64_t)at.end);
    return 2;
}

static void push_line(lua_State *L, const symbi_match_lineinfo *l)
{
    symbi_match_lineinfo copy = *l;
    push_rules(L, l->rules, l->n);
    lua_createtable(L, 0, 4);
    lua_insert(L, -2);
    lua_setfield(L, -2, "rules");
    symL_pushint(L, (int64_t)copy.line);
    lua_setfield(L, -2, "line");
    symL_pushint(L, (int64_t)copy.offset + 1);
    lua_setfield(L, -2, "from");
    symL_pushint(L, (int64_t)(copy.offset + copy.length));
    lua_setfield(L, -2, "to");
}

static int match_lines(lua_State *L)
{
    static const char *const known[] = { "ends", "max", NULL };
    static const char *const names[] = { "lf", "crlf", "python", "none" };
    ud_match *u = checkmatch(L);
    symbi_str text = symL_checkstr(L, 2), ends = { "lf", 2 };
    int64_t max = INT32_MAX;
    symbi_match_lineinfo l;
    symbi_err err;
    unsigned kind = 0;
    if (!lua_isnoneornil(L, 3)) {
        symL_checkopts(L, 3, known);
        ends = symL_optfield_str(L, 3, "ends", ends);
        max = symL_optfield_int(L, 3, "max", max, 0, INT32_MAX);
    }
    while (kind < 4 && !is(ends, names[kind])) kind++;
    if (kind == 4) return luaL_error(L, "ends must be \"lf\", \"crlf\", \"python\" or \"none\"");
    lua_settop(L, 3);
    lua_newtable(L);
    symbi_match_lines(checkmatch(L)->s, text, (symbi_match_ends)kind);
    for (int k = 1; k <= max; k++) {
        if (!u->s) return luaL_argerror(L, 1, "the set is closed");
        if (symbi_match_line(u->s, &l, &err)) return symL_fail(L, &err);
        if (!l.n) break;
        push_line(L, &l);
        lua_rawseti(L, 4, k);
    }
    return 1;
}

static int match_count(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)symbi_match_count(checkmatch(L)->p));
    return 1;
}

static int match_anchored(lua_State *L)
{
    ud_match *u = checkmatch(L);
    lua_pushboolean(L, symbi_match_anchored(u->p, (size_t)symL_optint(L, 2, 1, 1, SYMBI_MATCH_MAX_RULES) - 1));
    return 1;
}

static void setint(lua_State *L, const char *name, size_t v)
{
    symL_pushint(L, (int64_t)v);
    lua_setfield(L, -2, name);
}

static int match_stats(lua_State *L)
{
    symbi_match_stats s;
    symbi_match_scratch_stats(checkmatch(L)->s, &s);
    lua_createtable(L, 0, 7);
    setint(L, "rules", s.rules);
    setint(L, "groups", s.groups);
    setint(L, "literals", s.literals);
    setint(L, "filtered", s.filtered);
    setint(L, "states", s.states);
    setint(L, "flushes", s.flushes);
    setint(L, "bytes", s.bytes);
    return 1;
}

void l_match_open(lua_State *L);
void l_match_open(lua_State *L)
{
    static const luaL_Reg methods[] = { { "run", match_run }, { "test", match_test }, { "find", match_find }, { "lines", match_lines }, { "count", match_count },
        { "anchored", match_anchored }, { "stats", match_stats }, { "close", match_close }, { NULL, NULL } };
    static const luaL_Reg meta[] = { { "__gc", match_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "set", match_set }, { NULL, NULL } };
    symL_newtype(L, UD_MATCH, methods, meta);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
    lua_createtable(L, 0, 5);
    setint(L, "rules", SYMBI_MATCH_MAX_RULES);
    setint(L, "pattern", SYMBI_MATCH_MAX_PATTERN);
    setint(L, "program", SYMBI_MATCH_MAX_PROGRAM);
    setint(L, "depth", SYMBI_MATCH_MAX_DEPTH);
    setint(L, "repetition", SYMBI_MATCH_MAX_REPEAT);
    lua_setfield(L, -2, "limits");
}
