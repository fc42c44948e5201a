/* toolclad/backend.c: the table of backends (spec toolclad.md 3.5, 10, 11, 13, 14): which table of the manifest makes one, and
 * what must stand in it. Building requests for http, mcp, session and browser is not here yet (symbi_tool_plan says
 * EUNSUPPORTED); their manifests load, so that a broken one is found. */
#include "base/err.h"
#include "base/str.h"
#include "toolclad/read.h"

typedef struct backend {
    const char *table, *mode; /* mode: the value of tool.mode that goes with it */
    symbi_backend id;
    symbi_status (*load)(sy_rd *rd, const symbi_value *t);
} backend;

/* A string under key of t is a template of [http]. */
static symbi_status http_template(sy_rd *rd, const symbi_value *v, const char *key)
{
    sy_tmpl ignored;
    return v->kind == SYMBI_STRING ? sy_load_template(rd, v, key, v->u.s, &ignored, 0, true) : sy_rd_fail(rd, v, key, "string expected, got %s", symbi_kind_name((symbi_kind)v->kind));
}

static symbi_status status_list(sy_rd *rd, const symbi_value *t, const char *key)
{
    const symbi_value *v = symbi_value_getz(t, key);
    if (!v) return SYMBI_OK;
    if (v->kind != SYMBI_ARRAY) return sy_rd_fail(rd, v, key, "list of integers expected, got %s", symbi_kind_name((symbi_kind)v->kind));
    for (size_t i = 0; i < v->u.a.n; i++)
        if (v->u.a.items[i].kind != SYMBI_INT || v->u.a.items[i].u.i < 100 || v->u.a.items[i].u.i > 599)
            return sy_rd_fail(rd, &v->u.a.items[i], key, "HTTP status codes (100 to 599) expected");
    return SYMBI_OK;
}

static symbi_status load_http(sy_rd *rd, const symbi_value *t)
{
    static const char *const keys[] = { "method", "url", "headers", "body_template", "success_status", "error_status", NULL };
    static const char *const methods[] = { "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", NULL };
    symbi_str url = { NULL, 0 }, method = SY_LIT("GET");
    const symbi_value *headers, *body = symbi_value_getz(t, "body_template"), *ok, *bad;
    symbi_status st;
    size_t i;
    char upper[8] = "";
    if ((st = sy_rd_need_str(rd, t, "url", &url)) || (st = http_template(rd, symbi_value_getz(t, "url"), "url")) || (st = sy_rd_str(rd, t, "method", &method))) return st;
    for (i = 0; i < method.n && i < 7; i++) upper[i] = (char)(method.p[i] >= 'a' && method.p[i] <= 'z' ? method.p[i] - 32 : method.p[i]);
    for (i = 0; methods[i] && (method.n > 7 || strcmp(upper, methods[i]) != 0); i++) { }
    if (!methods[i]) return sy_rd_fail(rd, symbi_value_getz(t, "method"), "method", "Unsupported HTTP method: %.*s", SY_FMT(method));
    if ((st = sy_rd_table(rd, t, "headers", &headers))) return st;
    for (i = 0; headers && i < headers->u.o.n; i++)
        if ((st = http_template(rd, &headers->u.o.members[i].val, "headers"))) return st;
    if ((body && (st = http_template(rd, body, "body_template"))) || (st = status_list(rd, t, "success_status")) || (st = status_list(rd, t, "error_status"))) return st;
    ok = symbi_value_getz(t, "success_status");
    bad = symbi_value_getz(t, "error_status");
    for (i = 0; ok && bad && i < ok->u.a.n; i++)
        for (size_t k = 0; k < bad->u.a.n; k++)
            if (ok->u.a.items[i].u.i == bad->u.a.items[k].u.i && (st = sy_rd_warn(rd, bad, "error_status", "%lld stands in success_status too", (long long)bad->u.a.items[k].u.i))) return st;
    return sy_rd_known(rd, t, keys);
}

static symbi_status load_mcp(sy_rd *rd, const symbi_value *t)
{
    static const char *const keys[] = { "server", "tool", "field_map", NULL };
    symbi_str s = { NULL, 0 };
    const symbi_value *map;
    symbi_status st;
    if ((st = sy_rd_need_str(rd, t, "server", &s)) || (st = sy_rd_need_str(rd, t, "tool", &s)) || (st = sy_rd_table(rd, t, "field_map", &map))) return st;
    for (size_t i = 0; map && i < map->u.o.n; i++) {
        if (map->u.o.members[i].val.kind != SYMBI_STRING) return sy_rd_fail(rd, &map->u.o.members[i].val, "field_map", "string expected");
        if (!sy_tool_arg(rd->t, map->u.o.members[i].key) && (st = sy_rd_warn(rd, &map->u.o.members[i].val, "field_map", "no argument is called '%.*s'", SY_FMT(map->u.o.members[i].key)))) return st;
    }
    return sy_rd_known(rd, t, keys);
}

/* [session.commands.X] and [browser.commands.X]. */
static symbi_status load_commands(sy_rd *rd, const symbi_value *t, bool session)
{
    static const char *const keys[] = { "pattern", "description", "risk_tier", "human_approval", "extract_target", "args", NULL };
    const symbi_value *cmds;
    size_t mark;
    symbi_status st = sy_rd_table(rd, t, "commands", &cmds);
    if (st) return st;
    mark = sy_rd_enter(rd, SY_LIT("commands"));
    for (size_t i = 0; cmds && i < cmds->u.o.n; i++) {
        const symbi_value *c = &cmds->u.o.members[i].val, *args;
        size_t inner = sy_rd_enter(rd, cmds->u.o.members[i].key);
        symbi_str text = { NULL, 0 }, tier = SY_LIT("low");
        bool flag = false;
        sy_arg *list;
        size_t n;
        const sy_pattern *pattern;
        symbi_err e;
        if (c->kind != SYMBI_OBJECT) return sy_rd_fail(rd, c, "", "table expected");
        if ((session && (st = sy_rd_need_str(rd, c, "pattern", &text))) || (st = sy_rd_str(rd, c, "risk_tier", &tier)) || (st = sy_rd_bool(rd, c, "human_approval", &flag)) ||
            (st = sy_rd_bool(rd, c, "extract_target", &flag)))
            return st;
        symbi_err_clear(&e);
        if (session && (st = sy_pattern_compile(&rd->t->arena, text, &pattern, &e)))
            return st == SYMBI_ENOMEM ? sy_rd_nomem(rd) : sy_rd_fail(rd, symbi_value_getz(c, "pattern"), "pattern", "%s", e.msg);
        if ((st = sy_rd_need_str(rd, c, "description", &text))) return st;
        if (!sy_risk_known(tier)) return sy_rd_fail(rd, symbi_value_getz(c, "risk_tier"), "risk_tier", "invalid risk_tier '%.*s', must be one of: info, low, medium, high, critical", SY_FMT(tier));
        if ((st = sy_rd_table(rd, c, "args", &args)) || (st = sy_load_args(rd, args, &list, &n, false)) || (st = sy_rd_known(rd, c, keys))) return st;
        sy_rd_leave(rd, inner);
    }
    sy_rd_leave(rd, mark);
    return SYMBI_OK;
}

static symbi_status load_session(sy_rd *rd, const symbi_value *t)
{
    symbi_str s = { NULL, 0 };
    const sy_pattern *pattern;
    symbi_err e;
    symbi_status st;
    if ((st = sy_rd_need_str(rd, t, "startup_command", &s)) || (st = sy_rd_need_str(rd, t, "ready_pattern", &s))) return st;
    symbi_err_clear(&e);
    if ((st = sy_pattern_compile(&rd->t->arena, s, &pattern, &e)))
        return st == SYMBI_ENOMEM ? sy_rd_nomem(rd) : sy_rd_fail(rd, symbi_value_getz(t, "ready_pattern"), "ready_pattern", "%s", e.msg);
    return load_commands(rd, t, true);
}

static symbi_status load_browser(sy_rd *rd, const symbi_value *t)
{
    const symbi_value *scope;
    symbi_status st = sy_rd_table(rd, t, "scope", &scope);
    return st ? st : load_commands(rd, t, false);
}

/* In order of precedence; [command] comes last. */
static const backend backends[] = {
    { "http", "oneshot", SYMBI_BACKEND_HTTP, load_http },
    { "mcp", "oneshot", SYMBI_BACKEND_MCP, load_mcp },
    { "session", "session", SYMBI_BACKEND_SESSION, load_session },
    { "browser", "browser", SYMBI_BACKEND_BROWSER, load_browser },
    { "command", "oneshot", SYMBI_BACKEND_SHELL, sy_load_command },
};
enum { NBACKENDS = sizeof backends / sizeof backends[0] };

const char *symbi_backend_name(symbi_backend b)
{
    static const char *const names[] = { "shell", "http", "mcp", "session", "browser", "callback" };
    return (unsigned)b < sizeof names / sizeof names[0] ? names[b] : "unknown";
}

/* [command] counts only when it says what to run. */
static bool usable(const symbi_value *t, const backend *b)
{
    return b->id != SYMBI_BACKEND_SHELL || symbi_value_getz(t, "exec") || symbi_value_getz(t, "template") || symbi_value_getz(t, "executor");
}

static symbi_status check_mode(sy_rd *rd, const symbi_value *tool, const backend *b)
{
    const symbi_value *v = symbi_value_getz(tool, "mode");
    if (!v) return SYMBI_OK;
    if (v->kind != SYMBI_STRING) return sy_rd_fail(rd, v, "tool.mode", "string expected, got %s", symbi_kind_name((symbi_kind)v->kind));
    if (!sy_str_eqz(v->u.s, "oneshot") && !sy_str_eqz(v->u.s, "session") && !sy_str_eqz(v->u.s, "browser"))
        return sy_rd_fail(rd, v, "tool.mode", "must be one of: oneshot, session, browser");
    if (b && !sy_str_eqz(v->u.s, b->mode)) return sy_rd_fail(rd, v, "tool.mode", "'%.*s' contradicts [%s], which means '%s'", SY_FMT(v->u.s), b->table, b->mode);
    return SYMBI_OK;
}

symbi_status sy_load_backend(sy_rd *rd, const symbi_value *m)
{
    const backend *b = NULL;
    const symbi_value *tables[NBACKENDS], *tool = symbi_value_getz(m, "tool");
    symbi_status st;
    for (size_t i = 0; i < NBACKENDS; i++) {
        if ((st = sy_rd_table(rd, m, backends[i].table, &tables[i]))) return st;
        if (!tables[i] || !usable(tables[i], &backends[i])) continue;
        if (!b) b = &backends[i];
        else if ((st = sy_rd_warn(rd, tables[i], backends[i].table, "is not used: [%s] goes before it", b->table))) return st;
    }
    if ((st = check_mode(rd, tool, b))) return st;
    if (rd->t->info.backend == SYMBI_BACKEND_CALLBACK) {
        if (b) return sy_rd_warn(rd, tool, "tool.dispatch", "a callback tool runs in the host program; [%s] is not used", b->table);
        return SYMBI_OK;
    }
    if (!b)
        return sy_rd_fail(rd, tool, "",
            "manifest must define at least one execution backend: [command] template/executor, [http], [mcp], [session], or [browser] (or set tool.dispatch = \"callback\" for validator-only manifests)");
    rd->t->info.backend = b->id;
    for (size_t i = 0; i < NBACKENDS; i++) { /* all are checked, also those that are not used */
        size_t mark;
        if (!tables[i]) continue;
        mark = backends[i].id == SYMBI_BACKEND_SHELL ? rd->nat : sy_rd_enter(rd, symbi_str_z(backends[i].table));
        if ((st = backends[i].load(rd, tables[i]))) return st;
        sy_rd_leave(rd, mark);
        if (&backends[i] == b) rd->t->backend_table = tables[i];
    }
    if ((b->id == SYMBI_BACKEND_SESSION || b->id == SYMBI_BACKEND_BROWSER) && memchr(rd->t->info.name.p, '.', rd->t->info.name.n))
        return sy_rd_fail(rd, symbi_value_getz(tool, "name"), "tool.name", "a dot separates tool and command; the name of a %s tool cannot have one", b->table);
    return SYMBI_OK;
}
