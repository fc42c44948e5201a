/* toolclad/browser.c: [browser] of a manifest (spec toolclad.md 14) at load. What stands there and cannot be done is an error. */
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "toolclad/browser_auth.h"
#include "toolclad/browser_in.h"

/* The arguments of each command; the first n it cannot do without. */
static const struct { size_t n; const char *names[3]; } args[SY_DO_COUNT] = {
    [SY_DO_NAVIGATE] = { 1, { "url" } }, [SY_DO_CLICK] = { 1, { "selector" } }, [SY_DO_TYPE] = { 1, { "text", "selector" } }, [SY_DO_SUBMIT] = { 1, { "selector" } },
    [SY_DO_SNAPSHOT] = { 0, { "selector" } }, [SY_DO_HTML] = { 0, { "selector" } }, [SY_DO_JS] = { 1, { "expression" } }, [SY_DO_WAIT] = { 1, { "selector", "timeout_ms" } },
    [SY_DO_SCROLL] = { 1, { "direction", "amount" } }, [SY_DO_LOGIN] = { 1, { "service" } },
};

const char *sy_browser_needs(sy_do what) { return args[what].n ? args[what].names[0] : NULL; }

static const char *const state_fields[] = { "url", "title", "domain", "has_forms", "is_authenticated", "page_loaded", "tab_count", NULL };

bool sy_browser_tells(const symbi_value *settings, const char *field)
{
    const symbi_value *v = symbi_value_getz(settings, "state_fields");
    if (!v || v->kind != SYMBI_ARRAY) return true;
    for (size_t i = 0; i < v->u.a.n; i++)
        if (v->u.a.items[i].kind == SYMBI_STRING && sy_str_eqz(v->u.a.items[i].u.s, field)) return true;
    return false;
}

static symbi_status one_of(sy_rd *rd, const symbi_value *t, const char *key, const char *const list[], symbi_str *out)
{
    symbi_status st = sy_rd_str(rd, t, key, out);
    const char *near;
    if (st) return st;
    for (size_t i = 0; list[i]; i++)
        if (sy_str_eqz(*out, list[i])) return SYMBI_OK;
    near = sy_suggest_list(*out, list);
    return sy_rd_fail(rd, symbi_value_getz(t, key), key, "unknown value '%.*s'%s%s%s", SY_FMT(*out), near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static symbi_status seconds(sy_rd *rd, const symbi_value *t, const char *key, int64_t dflt, sy_obj *o, const char *name)
{
    int64_t v = dflt;
    symbi_status st = sy_rd_int(rd, t, key, &v, NULL);
    if (st) return st;
    if (v < 1 || v > 86400) return sy_rd_fail(rd, symbi_value_getz(t, key), key, "must be from 1 to 86400");
    sy_obj_int(o, name, v * 1000);
    return SYMBI_OK;
}

static symbi_status domains(sy_rd *rd, const symbi_value *t, const char *key, bool tail, sy_obj *o)
{
    const symbi_value *v = symbi_value_getz(t, key);
    const symbi_str *list = NULL;
    size_t n = 0;
    bool present = false;
    const char *bad;
    sy_arr out = sy_arr_new(&rd->t->arena);
    symbi_status st = sy_rd_strs(rd, t, key, &list, &n, &present);
    if (st) return st;
    if (n > SY_SCOPE_ENTRIES) return sy_rd_fail(rd, v, key, "more than %d entries", SY_SCOPE_ENTRIES);
    for (size_t i = 0; i < n; i++) {
        if ((bad = sy_scope_entry(list[i], tail))) return sy_rd_fail(rd, v, key, "'%.*s' %s", SY_FMT(list[i]), bad);
        sy_arr_add(&out, sy_val_str(list[i]));
    }
    sy_obj_put(o, key, sy_arr_value(&out));
    return SYMBI_OK;
}

static symbi_status load_scope(sy_rd *rd, const symbi_value *t, sy_obj *settings)
{
    static const char *const keys[] = { "allowed_domains", "blocked_domains", "allow_external", "resource_domains", NULL };
    const symbi_value *scope;
    sy_obj o = sy_obj_new(&rd->t->arena);
    bool external = false;
    size_t mark;
    symbi_status st = sy_rd_table(rd, t, "scope", &scope);
    if (st) return st;
    if (!scope) return sy_rd_warn(rd, t, "scope", "is missing: the browser may go nowhere");
    mark = sy_rd_enter(rd, SY_LIT("scope"));
    if ((st = sy_rd_bool(rd, scope, "allow_external", &external))) return st;
    sy_obj_bool(&o, "allow_external", external);
    if ((st = domains(rd, scope, "allowed_domains", false, &o)) || (st = domains(rd, scope, "blocked_domains", true, &o)) || (st = domains(rd, scope, "resource_domains", false, &o)) ||
        (st = sy_rd_known(rd, scope, keys)))
        return st;
    sy_rd_leave(rd, mark);
    sy_obj_put(settings, "scope", sy_obj_value(&o));
    return SYMBI_OK;
}

/* Where a browser listens: this machine, nothing else. */
static symbi_status load_endpoint(sy_rd *rd, const symbi_value *t, bool live, sy_obj *o)
{
    symbi_str url = SY_LIT("http://localhost:9222");
    sy_scope_host h;
    symbi_status st = sy_rd_str(rd, t, "endpoint", &url);
    if (st) return st;
    if (!live) return symbi_value_getz(t, "endpoint") ? sy_rd_warn(rd, symbi_value_getz(t, "endpoint"), "endpoint", "has no effect: connect is 'launch'") : SYMBI_OK;
    if (sy_scope_read(url, &h) || h.tls || !(h.v6 ? !strcmp(h.host, "::1") : !strcmp(h.host, "localhost") || !strcmp(h.host, "127.0.0.1")))
        return sy_rd_fail(rd, symbi_value_getz(t, "endpoint"), "endpoint", "a running browser is reached on this machine only: http://127.0.0.1:PORT");
    sy_obj_str(o, "endpoint", url);
    return SYMBI_OK;
}

/* What of the page's state is told: to policies, and in results. */
static symbi_status load_state(sy_rd *rd, const symbi_value *t, sy_obj *o)
{
    static const char *const keys[] = { "fields", "authenticated_selector", NULL };
    const symbi_value *s;
    const symbi_str *list = NULL;
    size_t n = 0;
    bool present = false;
    symbi_str sel = { NULL, 0 };
    sy_arr out = sy_arr_new(&rd->t->arena);
    size_t mark;
    symbi_status st = sy_rd_table(rd, t, "state", &s);
    if (st || !s) return st;
    mark = sy_rd_enter(rd, SY_LIT("state"));
    if ((st = sy_rd_str(rd, s, "authenticated_selector", &sel)) || (st = sy_rd_strs(rd, s, "fields", &list, &n, &present))) return st;
    for (size_t i = 0; i < n; i++) {
        const symbi_value *v = symbi_value_getz(s, "fields");
        size_t k = 0;
        while (state_fields[k] && !sy_str_eqz(list[i], state_fields[k])) k++;
        if (!state_fields[k]) {
            const char *near = sy_suggest_list(list[i], state_fields);
            return sy_rd_fail(rd, v, "fields", "a page has no '%.*s'%s%s%s", SY_FMT(list[i]), near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        }
        sy_arr_add(&out, sy_val_str(list[i]));
        if (sy_str_eqz(list[i], "is_authenticated") && !sel.n && !symbi_value_getz(t, "auth_flows") &&
            (st = sy_rd_warn(rd, v, "fields", "is_authenticated is always false: authenticated_selector says what shows that somebody is logged in")))
            return st;
    }
    if ((st = sy_rd_known(rd, s, keys))) return st;
    sy_rd_leave(rd, mark);
    if (sel.n) sy_obj_str(o, "authenticated_selector", sel);
    if (present) sy_obj_put(o, "state_fields", sy_arr_value(&out));
    return SYMBI_OK;
}

static symbi_status check_args(sy_rd *rd, const symbi_tool *c, sy_do what)
{
    const char *need = sy_browser_needs(what);
    bool there = !need;
    for (size_t k = 0; k < c->nargs; k++) {
        size_t i = 0;
        while (i < 3 && args[what].names[i] && !sy_str_eqz(c->args[k].name, args[what].names[i])) i++;
        if (i == 3 || !args[what].names[i])
            return sy_rd_fail(rd, c->command_table, c->command_name.p, "%s takes no argument '%.*s' (%s%s%s)", sy_browser_commands[what], SY_FMT(c->args[k].name),
                args[what].names[0] ? args[what].names[0] : "it takes none", args[what].names[1] ? ", " : "", args[what].names[1] ? args[what].names[1] : "");
        there = there || sy_str_eqz(c->args[k].name, need);
    }
    return there ? SYMBI_OK : sy_rd_warn(rd, c->command_table, c->command_name.p, "needs an argument '%s'", need);
}

static symbi_status check_commands(sy_rd *rd, const symbi_value *t, const symbi_value *flows)
{
    bool logs_in = false;
    for (size_t i = 0; i < rd->t->ncommands; i++) {
        const symbi_tool *c = &rd->t->commands[i];
        sy_do what = sy_browser_do(c->command_name);
        size_t mark = sy_rd_enter(rd, SY_LIT("commands"));
        symbi_status st;
        if (what == SY_DO_COUNT) {
            const char *near = sy_suggest_list(c->command_name, sy_browser_commands);
            st = sy_rd_warn(rd, c->command_table, c->command_name.p, "no browser does this%s%s%s", near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        } else {
            st = check_args(rd, c, what);
        }
        if (!st && what == SY_DO_LOGIN) logs_in = true, st = sy_browser_check_login(rd, c, flows);
        if (st) return st;
        sy_rd_leave(rd, mark);
    }
    if (flows && flows->u.o.n && !logs_in && rd->t->info.backend == SYMBI_BACKEND_BROWSER)
        return sy_rd_warn(rd, symbi_value_getz(t, "auth_flows"), "auth_flows", "nothing uses them: there is no [browser.commands.login]");
    return SYMBI_OK;
}

/* What load_scope has put there. */
static const symbi_value *o_scope(const sy_obj *o)
{
    for (size_t i = 0; i < o->n; i++)
        if (sy_str_eqz(o->m[i].key, "scope")) return &o->m[i].val;
    return NULL;
}

/* [tool.evidence] screenshots: a picture of the page after each command. */
static symbi_status load_pictures(sy_rd *rd, sy_obj *o)
{
    const symbi_value *v = symbi_value_getz(symbi_value_getz(symbi_value_getz(symbi_doc_root(rd->t->doc), "tool"), "evidence"), "screenshots");
    if (v && v->kind == SYMBI_BOOL && v->u.b) sy_obj_bool(o, "screenshots", true);
    return SYMBI_OK;
}

symbi_status sy_load_browser(sy_rd *rd, const symbi_value *t)
{
    static const char *const keys[] = { "engine", "headless", "connect", "endpoint", "extract_mode", "defaults", "startup_timeout_seconds", "session_timeout_seconds", "idle_timeout_seconds",
        "max_interactions", "scope", "commands", "state", "auth_flows", NULL };
    static const char *const engines[] = { "cdp", "cdp-direct", "playwright", NULL }, *const ways[] = { "launch", "live", NULL };
    static const char *const modes[] = { "accessibility_tree", "html", "text", NULL };
    symbi_str engine = SY_LIT("cdp"), way = SY_LIT("launch"), mode = SY_LIT("accessibility_tree");
    static const char *const default_keys[] = { "extract_mode", NULL };
    const symbi_value *defaults;
    symbi_value flows = sy_val_object(NULL, 0);
    sy_browser_def *d = sy_arena_calloc(&rd->t->arena, 1, sizeof *d);
    sy_obj o = sy_obj_new(&rd->t->arena);
    bool headless = true;
    int64_t most = 200;
    symbi_status st;
    if (!d) return sy_rd_nomem(rd);
    if ((st = one_of(rd, t, "engine", engines, &engine)) || (st = one_of(rd, t, "connect", ways, &way)) || (st = sy_rd_bool(rd, t, "headless", &headless)) ||
        (st = sy_rd_table(rd, t, "defaults", &defaults)))
        return st;
    if (defaults) {
        size_t mark = sy_rd_enter(rd, SY_LIT("defaults"));
        if ((st = one_of(rd, defaults, "extract_mode", modes, &mode)) || (st = sy_rd_known(rd, defaults, default_keys))) return st;
        sy_rd_leave(rd, mark);
    }
    if ((st = one_of(rd, t, "extract_mode", modes, &mode)) || (st = sy_rd_int(rd, t, "max_interactions", &most, NULL))) return st;
    if (most < 1 || most > 1000000) return sy_rd_fail(rd, symbi_value_getz(t, "max_interactions"), "max_interactions", "must be from 1 to 1000000");
    d->playwright = sy_str_eqz(engine, "playwright");
    if (d->playwright && (st = sy_rd_warn(rd, symbi_value_getz(t, "engine"), "engine", "'playwright' is not available here: 'cdp' drives chromium itself"))) return st;
    sy_obj_str(&o, "connect", way);
    sy_obj_str(&o, "extract_mode", mode);
    sy_obj_bool(&o, "headless", headless);
    sy_obj_int(&o, "max_interactions", most);
    if ((st = seconds(rd, t, "startup_timeout_seconds", 10, &o, "startup_timeout_ms")) || (st = seconds(rd, t, "session_timeout_seconds", 600, &o, "session_timeout_ms")) ||
        (st = seconds(rd, t, "idle_timeout_seconds", 120, &o, "idle_timeout_ms")) || (st = load_scope(rd, t, &o)) || (st = load_endpoint(rd, t, sy_str_eqz(way, "live"), &o)) ||
        (st = load_state(rd, t, &o)) || (st = load_pictures(rd, &o)) || (st = sy_browser_load_auth(rd, t, o_scope(&o), &flows)) || (st = sy_rd_known(rd, t, keys)))
        return st;
    if (flows.u.o.n) sy_obj_put(&o, "auth_flows", flows);
    d->settings = sy_obj_value(&o);
    if (rd->t->info.backend == SYMBI_BACKEND_BROWSER) rd->t->backend_data = d;
    if ((st = sy_load_commands(rd, t, false))) return st;
    return check_commands(rd, t, &flows);
}
