/* bindings/lskills.c: the skill scanner (symbi/skills.h), as symbi.core.skills; lua/symbi/skills/ is what users see.
 *
 *   s, msg, err = scanner([{profile="strict"|"seed"|"runtime", drop_bad=, rules={{kind=, id=, value=, message=, severity=}, ...}}])
 *     kind: "rule" (value: the pattern) "content" "file" "shell" "executables" (value: names, one a line)
 *   s:profile() s:close() s:scan() -> scan
 *   scan:content(path, bytes) scan:unread(path, why[, amount, limit]) scan:suppress{rule=, path=, line=, reason=, until_ms=} -> true
 *   scan:findings() -> list scan:passed() -> boolean scan:totals() -> table scan:close()
 *   rules(profile) -> list; plan(profile, path) -> "read" or "pass_over"; limits(profile) -> {file_bytes=, files=, depth=}, absent: none */
#include "symL.h"
#include "symbi/skills.h"
#include "lskills.h"

#include <string.h>

#define UD_SKILL_SCANNER "symbi.skill_scanner"
typedef struct ud_skill_scanner { symbi_skill_scanner *p; } ud_skill_scanner;

static symbi_skill_profile getprofile(lua_State *L, symbi_str s)
{
    symbi_skill_profile p;
    if (symbi_skill_profile_parse(s, &p)) luaL_error(L, "no profile '%s': strict, seed or runtime", s.p);
    return p;
}

static symbi_skill_profile checkprofile(lua_State *L, int arg)
{
    return getprofile(L, lua_isnoneornil(L, arg) ? symbi_str_z("strict") : symL_checkstr(L, arg));
}

static int scanner_close(lua_State *L)
{
    ud_skill_scanner *u = symL_checkud(L, 1, UD_SKILL_SCANNER);
    symbi_skill_scanner *p = u->p;
    u->p = NULL;
    symbi_skill_scanner_unref(p);
    return 0;
}

static symbi_skill_scanner *checkscanner(lua_State *L)
{
    ud_skill_scanner *u = symL_checkud(L, 1, UD_SKILL_SCANNER);
    if (!u->p) luaL_argerror(L, 1, "the scanner is closed");
    return u->p;
}

/* The string field of the rule table on the top; it stays anchored by that table. */
static symbi_str rulefield(lua_State *L, const char *name, lua_Integer n)
{
    symbi_str s = { "", 0 };
    lua_getfield(L, -1, name);
    if (lua_type(L, -1) == LUA_TSTRING) s = symL_tostr(L, -1);
    else if (!lua_isnil(L, -1)) luaL_error(L, "rules[%d].%s must be text", (int)n, name);
    lua_pop(L, 1);
    return s;
}

static void getrule(lua_State *L, symbi_skill_custom *c, lua_Integer n)
{
    static const char *const kinds[] = { "rule", "content", "file", "shell", "executables" };
    symbi_str kind, severity;
    int k = 0;
    if (!lua_istable(L, -1)) luaL_error(L, "rules[%d] must be a table", (int)n);
    kind = rulefield(L, "kind", n);
    if (!kind.n) kind = symbi_str_z("rule");
    while (k < 5 && (kind.n != strlen(kinds[k]) || memcmp(kind.p, kinds[k], kind.n))) k++;
    if (k == 5) luaL_error(L, "rules[%d].kind '%s' is unknown: rule, content, file, shell or executables", (int)n, kind.p);
    c->kind = (symbi_skill_custom_kind)k;
    c->id = rulefield(L, "id", n);
    c->value = rulefield(L, "value", n);
    c->message = rulefield(L, "message", n);
    severity = rulefield(L, "severity", n);
    c->severity = SYMBI_SKILL_WARNING;
    if (severity.n && symbi_skill_severity_parse(severity, &c->severity)) luaL_error(L, "rules[%d].severity '%s' is unknown", (int)n, severity.p);
}

static int c_scanner(lua_State *L)
{
    static const char *const known[] = { "profile", "drop_bad", "rules", NULL };
    symbi_skill_custom *custom = NULL;
    symbi_skill_profile p;
    unsigned flags;
    size_t n = 0;
    ud_skill_scanner *u;
    symbi_err err;
    symL_checkopts(L, 1, known);
    lua_settop(L, 1);
    p = getprofile(L, symL_optfield_str(L, 1, "profile", symbi_str_z("strict")));
    flags = symL_optfield_bool(L, 1, "drop_bad", false) ? SYMBI_SKILL_DROP_BAD : 0;
    if (lua_istable(L, 1)) {
        lua_getfield(L, 1, "rules");
        if (lua_istable(L, 2)) {
            n = symL_listlen(L, 2, "rules");
            if (n > SYMBI_SKILL_MAX_CUSTOM) luaL_error(L, "more than %d rules", (int)SYMBI_SKILL_MAX_CUSTOM);
            custom = lua_newuserdata(L, (n ? n : 1) * sizeof *custom);
            memset(custom, 0, (n ? n : 1) * sizeof *custom);
            for (size_t i = 0; i < n; i++) {
                lua_rawgeti(L, 2, (int)i + 1);
                getrule(L, &custom[i], (lua_Integer)i + 1);
                lua_pop(L, 1);
            }
        } else if (!lua_isnil(L, 2)) luaL_error(L, "rules must be a list");
    }
    u = symL_newud(L, sizeof *u, UD_SKILL_SCANNER);
    if (symbi_skill_scanner_new(symL_ctx(L), p, custom, n, flags, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static const char *profile_name(symbi_skill_profile p) { return p == SYMBI_SKILL_SEED ? "seed" : p == SYMBI_SKILL_RUNTIME ? "runtime" : "strict"; }

static int s_profile(lua_State *L)
{
    lua_pushstring(L, profile_name(symbi_skill_scanner_profile(checkscanner(L))));
    return 1;
}

static int s_scan(lua_State *L)
{
    symbi_skill_scanner *s = checkscanner(L);
    ud_skill_scan *u = symL_newud(L, sizeof *u, UD_SKILL_SCAN);
    symbi_err err;
    if (symbi_skill_scan_new(symL_ctx(L), s, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int scan_close(lua_State *L)
{
    ud_skill_scan *u = symL_checkud(L, 1, UD_SKILL_SCAN);
    symbi_skill_scan *p = u->p;
    u->p = NULL;
    symbi_skill_scan_free(p);
    return 0;
}

static symbi_skill_scan *checkscan(lua_State *L)
{
    ud_skill_scan *u = symL_checkud(L, 1, UD_SKILL_SCAN);
    if (!u->p) luaL_argerror(L, 1, "the scan is closed");
    return u->p;
}

static int scan_content(lua_State *L)
{
    symbi_err err;
    if (symbi_skill_scan_content(checkscan(L), symL_checkstr(L, 2), symL_checkstr(L, 3), &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int scan_unread(lua_State *L)
{
    static const char *const why[] = { "size", "files", "depth", "kind", "link", "io", NULL };
    symbi_str path = symL_checkstr(L, 2);
    int k = luaL_checkoption(L, 3, NULL, why);
    size_t amount = (size_t)symL_optint(L, 4, 0, 0, INT64_MAX), limit = (size_t)symL_optint(L, 5, 0, 0, INT64_MAX);
    symbi_err err;
    if (symbi_skill_scan_unread_file(checkscan(L), path, (symbi_skill_unread)k, amount, limit, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int scan_suppress(lua_State *L)
{
    static const char *const known[] = { "rule", "path", "line", "reason", "until_ms", NULL };
    symbi_skill_suppression s;
    symbi_str none = { "", 0 };
    symbi_err err;
    luaL_checktype(L, 2, LUA_TTABLE);
    symL_checkopts(L, 2, known);
    memset(&s, 0, sizeof s);
    s.rule = symL_optfield_str(L, 2, "rule", none);
    s.path = symL_optfield_str(L, 2, "path", symbi_str_z("*"));
    s.reason = symL_optfield_str(L, 2, "reason", none);
    s.line = (size_t)symL_optfield_int(L, 2, "line", 0, 0, INT64_MAX);
    s.until = symL_optfield_int(L, 2, "until_ms", 0, 0, INT64_MAX);
    if (symbi_skill_scan_suppress(checkscan(L), &s, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static void setstr(lua_State *L, const char *name, symbi_str s)
{
    if (!s.n) return;
    symL_pushstr(L, s);
    lua_setfield(L, -2, name);
}

static int scan_findings(lua_State *L)
{
    symbi_skill_scan *s = checkscan(L);
    size_t n = symbi_skill_scan_count(s);
    lua_newtable(L);
    symL_setarray(L);
    for (size_t i = 0; i < n; i++) {
        const symbi_skill_finding *f = symbi_skill_scan_at(s, i);
        lua_createtable(L, 0, 10);
        setstr(L, "rule", f->rule);
        setstr(L, "category", f->category);
        setstr(L, "message", f->message);
        setstr(L, "file", f->file);
        setstr(L, "excerpt", f->excerpt);
        setstr(L, "how", f->how);
        setstr(L, "reason", f->reason);
        lua_pushstring(L, symbi_skill_severity_name(f->severity));
        lua_setfield(L, -2, "severity");
        if (f->line) {
            symL_pushint(L, (int64_t)f->line);
            lua_setfield(L, -2, "line");
        }
        if (f->column) {
            symL_pushint(L, (int64_t)f->column);
            lua_setfield(L, -2, "column");
        }
        if (f->suppressed) {
            lua_pushboolean(L, 1);
            lua_setfield(L, -2, "suppressed");
        }
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

static int scan_passed(lua_State *L)
{
    lua_pushboolean(L, symbi_skill_scan_passed(checkscan(L)));
    return 1;
}

static int scan_totals(lua_State *L)
{
    symbi_skill_totals t;
    symbi_skill_scan_totals(checkscan(L), &t);
    lua_newtable(L);
    symL_pushint(L, (int64_t)t.files);
    lua_setfield(L, -2, "files");
    symL_pushint(L, (int64_t)t.bytes);
    lua_setfield(L, -2, "bytes");
    symL_pushint(L, (int64_t)t.unread);
    lua_setfield(L, -2, "unread");
    symL_pushint(L, (int64_t)t.suppressed);
    lua_setfield(L, -2, "suppressed");
    for (int i = 0; i < 5; i++) {
        symL_pushint(L, (int64_t)t.by_severity[i]);
        lua_setfield(L, -2, symbi_skill_severity_name((symbi_skill_severity)i));
    }
    return 1;
}

static void push_examples(lua_State *L, const char *const *list)
{
    lua_newtable(L);
    symL_setarray(L);
    for (int i = 0; i < SYMBI_SKILL_EXAMPLES && list[i]; i++) {
        lua_pushstring(L, list[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

static int c_rules(lua_State *L)
{
    symbi_skill_profile p = checkprofile(L, 1);
    const symbi_skill_rule *r;
    lua_newtable(L);
    symL_setarray(L);
    for (size_t i = 0; (r = symbi_skill_rule_at(p, i)) != NULL; i++) {
        const char *const fields[] = { "id", r->id, "category", r->category, "message", r->message, "pattern", r->pattern, "severity", symbi_skill_severity_name(r->severity) };
        lua_createtable(L, 0, 7);
        for (size_t k = 0; k < sizeof fields / sizeof *fields; k += 2) {
            if (!fields[k + 1]) continue;
            lua_pushstring(L, fields[k + 1]);
            lua_setfield(L, -2, fields[k]);
        }
        push_examples(L, r->yes);
        lua_setfield(L, -2, "matches");
        push_examples(L, r->no);
        lua_setfield(L, -2, "does_not_match");
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

static int c_plan(lua_State *L)
{
    symbi_skill_profile p = checkprofile(L, 1);
    lua_pushstring(L, symbi_skill_plan_file(p, symL_checkstr(L, 2)) == SYMBI_SKILL_READ ? "read" : "pass_over");
    return 1;
}

static int c_limits(lua_State *L)
{
    symbi_skill_limits l;
    const char *const names[] = { "file_bytes", "files", "depth" };
    size_t v[3];
    symbi_skill_limits_of(checkprofile(L, 1), &l);
    v[0] = l.file_bytes;
    v[1] = l.files;
    v[2] = l.depth;
    lua_newtable(L);
    for (int i = 0; i < 3; i++) {
        if (v[i] == SIZE_MAX) continue;
        symL_pushint(L, (int64_t)v[i]);
        lua_setfield(L, -2, names[i]);
    }
    return 1;
}

void l_skills_open(lua_State *L);
void l_skills_open(lua_State *L)
{
    static const luaL_Reg funcs[] = { { "scanner", c_scanner }, { "rules", c_rules }, { "plan", c_plan }, { "limits", c_limits }, { NULL, NULL } };
    static const luaL_Reg s_methods[] = { { "profile", s_profile }, { "scan", s_scan }, { "close", scanner_close }, { NULL, NULL } };
    static const luaL_Reg s_meta[] = { { "__gc", scanner_close }, { NULL, NULL } };
    static const luaL_Reg c_methods[] = { { "content", scan_content }, { "unread", scan_unread }, { "suppress", scan_suppress }, { "findings", scan_findings },
                                          { "passed", scan_passed }, { "totals", scan_totals }, { "close", scan_close }, { NULL, NULL } };
    static const luaL_Reg c_meta[] = { { "__gc", scan_close }, { NULL, NULL } };
    symL_newtype(L, UD_SKILL_SCANNER, s_methods, s_meta);
    symL_newtype(L, UD_SKILL_SCAN, c_methods, c_meta);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
}
