/* toolclad/browser.c: tools of backend browser (spec toolclad.md 14): [browser] at load, the plan of one command, and the envelope of what it gave.
 *
 * plan->detail is {"command", "settings"}; settings is the same for all commands of a manifest: a browser that was started with others is not
 * used. The executor's object is what symbi_browser_reply gives, with "screenshot": {"sha256", "bytes"} when it wrote the picture to
 * plan->output_file. */
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "symbi/crypto.h"
#include "symbi/json.h"
#include "toolclad/backends.h"
#include "toolclad/browser_in.h"

/* What a command cannot do without: the names of its arguments. */
static const struct { const char *need; } needs[SY_DO_COUNT] = {
    [SY_DO_NAVIGATE] = { "url" }, [SY_DO_CLICK] = { "selector" }, [SY_DO_TYPE] = { "text" }, [SY_DO_SUBMIT] = { "selector" },
    [SY_DO_JS] = { "expression" }, [SY_DO_WAIT] = { "selector" }, [SY_DO_SCROLL] = { "direction" },
};

typedef struct browser_def {
    symbi_value settings; /* without the manifest's digest */
    bool playwright;
} browser_def;

/* ---- load ---- */

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
    if (st || !live) return st;
    if (sy_scope_read(url, &h) || h.tls || !(h.v6 ? !strcmp(h.host, "::1") : !strcmp(h.host, "localhost") || !strcmp(h.host, "127.0.0.1")))
        return sy_rd_fail(rd, symbi_value_getz(t, "endpoint"), "endpoint", "a running browser is reached on this machine only: http://127.0.0.1:PORT");
    sy_obj_str(o, "endpoint", url);
    return SYMBI_OK;
}

static symbi_status load_state(sy_rd *rd, const symbi_value *t, sy_obj *o)
{
    static const char *const keys[] = { "fields", "authenticated_selector", NULL };
    const symbi_value *s;
    symbi_str sel = { NULL, 0 };
    size_t mark;
    symbi_status st = sy_rd_table(rd, t, "state", &s);
    if (st || !s) return st;
    mark = sy_rd_enter(rd, SY_LIT("state"));
    if ((st = sy_rd_str(rd, s, "authenticated_selector", &sel)) || (st = sy_rd_known(rd, s, keys))) return st;
    sy_rd_leave(rd, mark);
    if (sel.n) sy_obj_str(o, "authenticated_selector", sel);
    return SYMBI_OK;
}

static symbi_status check_commands(sy_rd *rd, const symbi_value *t)
{
    for (size_t i = 0; i < rd->t->ncommands; i++) {
        const symbi_tool *c = &rd->t->commands[i];
        sy_do what = sy_browser_do(c->command_name);
        size_t mark;
        symbi_status st = SYMBI_OK;
        mark = sy_rd_enter(rd, SY_LIT("commands"));
        if (what == SY_DO_COUNT) {
            const char *near = sy_suggest_list(c->command_name, sy_browser_commands);
            st = sy_rd_warn(rd, c->command_table, c->command_name.p, "no browser does this%s%s%s", near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        } else if (needs[what].need) {
            bool there = false;
            for (size_t k = 0; k < c->nargs; k++) there = there || sy_str_eqz(c->args[k].name, needs[what].need);
            if (!there) st = sy_rd_warn(rd, c->command_table, c->command_name.p, "needs an argument '%s'", needs[what].need);
        }
        if (st) return st;
        sy_rd_leave(rd, mark);
    }
    (void)t;
    return SYMBI_OK;
}

symbi_status sy_load_browser(sy_rd *rd, const symbi_value *t)
{
    static const char *const keys[] = { "engine", "headless", "connect", "endpoint", "extract_mode", "defaults", "startup_timeout_seconds", "session_timeout_seconds", "idle_timeout_seconds",
        "max_interactions", "scope", "commands", "state", "auth_flows", NULL };
    static const char *const engines[] = { "cdp", "cdp-direct", "playwright", NULL }, *const ways[] = { "launch", "live", NULL };
    static const char *const modes[] = { "accessibility_tree", "html", "text", NULL };
    symbi_str engine = SY_LIT("cdp"), way = SY_LIT("launch"), mode = SY_LIT("accessibility_tree");
    const symbi_value *defaults, *auth;
    browser_def *d = sy_arena_calloc(&rd->t->arena, 1, sizeof *d);
    sy_obj o = sy_obj_new(&rd->t->arena);
    bool headless = true;
    int64_t most = 200;
    symbi_status st;
    if (!d) return sy_rd_nomem(rd);
    if ((st = one_of(rd, t, "engine", engines, &engine)) || (st = one_of(rd, t, "connect", ways, &way)) || (st = sy_rd_bool(rd, t, "headless", &headless)) ||
        (st = sy_rd_table(rd, t, "defaults", &defaults)))
        return st;
    if (defaults && (st = one_of(rd, defaults, "extract_mode", modes, &mode))) return st;
    if ((st = one_of(rd, t, "extract_mode", modes, &mode)) || (st = sy_rd_int(rd, t, "max_interactions", &most, NULL)) || (st = sy_rd_table(rd, t, "auth_flows", &auth))) return st;
    if (most < 1 || most > 1000000) return sy_rd_fail(rd, symbi_value_getz(t, "max_interactions"), "max_interactions", "must be from 1 to 1000000");
    if (auth && (st = sy_rd_warn(rd, auth, "auth_flows", "is not acted on: log in through commands, or use connect = \"live\""))) return st;
    d->playwright = sy_str_eqz(engine, "playwright");
    if (d->playwright && (st = sy_rd_warn(rd, symbi_value_getz(t, "engine"), "engine", "'playwright' is not available here: 'cdp' drives chromium itself"))) return st;
    sy_obj_str(&o, "connect", way);
    sy_obj_str(&o, "extract_mode", mode);
    sy_obj_bool(&o, "headless", headless);
    sy_obj_int(&o, "max_interactions", most);
    if ((st = seconds(rd, t, "startup_timeout_seconds", 10, &o, "startup_timeout_ms")) || (st = seconds(rd, t, "session_timeout_seconds", 600, &o, "session_timeout_ms")) ||
        (st = seconds(rd, t, "idle_timeout_seconds", 120, &o, "idle_timeout_ms")) || (st = load_scope(rd, t, &o)) || (st = load_endpoint(rd, t, sy_str_eqz(way, "live"), &o)) ||
        (st = load_state(rd, t, &o)) || (st = sy_rd_known(rd, t, keys)))
        return st;
    d->settings = sy_obj_value(&o);
    if (rd->t->info.backend == SYMBI_BACKEND_BROWSER) rd->t->backend_data = d;
    if ((st = sy_load_commands(rd, t, false))) return st;
    return check_commands(rd, t);
}

/* ---- plan ---- */

/* For people: the command and its arguments, without what is typed. */
static symbi_str describe(sy_backend_plan *b, sy_do what)
{
    char line[1200];
    sy_buf buf;
    sy_buf_init(&buf, b->cx->alloc, 1 << 20);
    sy_buf_addz(&buf, "browser ");
    sy_buf_addz(&buf, sy_browser_commands[what]);
    for (size_t i = 0; i < b->t->nargs; i++) {
        symbi_str name = b->t->args[i].name;
        if (!b->text[i].p || !b->text[i].n) continue;
        sy_buf_addf(&buf, " %.*s=", SY_FMT(name));
        if (what == SY_DO_TYPE && sy_str_eqz(name, "text")) sy_buf_addf(&buf, "(%llu bytes)", (unsigned long long)b->text[i].n);
        else sy_buf_add(&buf, b->text[i].p, b->text[i].n > 500 ? 500 : b->text[i].n);
    }
    sy_clean_line(line, sizeof line, sy_buf_str(&buf));
    if (sy_buf_status(&buf) == SYMBI_ENOMEM) b->a->status = SYMBI_ENOMEM;
    sy_buf_free(&buf);
    return sy_arena_dup(b->a, symbi_str_z(line));
}

static symbi_str picture_path(sy_backend_plan *b)
{
    static const char name[] = "screenshot.png";
    symbi_str p = b->p->output_file;
    char *out;
    while (p.n && p.p[p.n - 1] != '/') p.n--;
    out = sy_arena_alloc(b->a, p.n + sizeof name);
    if (!out) return (symbi_str){ NULL, 0 };
    memcpy(out, p.p, p.n);
    memcpy(out + p.n, name, sizeof name);
    return (symbi_str){ out, p.n + sizeof name - 1 };
}

symbi_status sy_browser_plan(sy_backend_plan *b, symbi_value *detail)
{
    const browser_def *d = b->t->backend_data;
    sy_do what = sy_browser_do(b->t->command_name);
    sy_obj o = sy_obj_new(b->a), s = sy_obj_new(b->a);
    symbi_value copy;
    symbi_browser_where where;
    symbi_status st;
    if (!d || !b->t->owner) return sy_fail(b->err, SYMBI_ENOTFOUND, "a browser is used through its commands (TOOL.COMMAND)");
    if (d->playwright) return sy_fail(b->err, SYMBI_EUNSUPPORTED, "engine 'playwright' is not available here: use engine = \"cdp\"");
    if (what == SY_DO_COUNT) return sy_fail(b->err, SYMBI_EUNSUPPORTED, "Unknown browser command: %.*s", SY_FMT(b->t->command_name));
    if (needs[what].need && symbi_value_str(b->p->args, needs[what].need, SY_LIT("")).n == 0)
        return sy_fail(b->err, SYMBI_ESCHEMA, "Missing required arg: %s", needs[what].need);
    if (what == SY_DO_NAVIGATE && (st = symbi_browser_judge_url(symbi_value_getz(&d->settings, "scope"), symbi_value_str(b->p->args, "url", SY_LIT("")), false, &where, b->err))) return st;
    if ((st = sy_value_copy(b->a, &d->settings, &copy, 16, b->err))) return st;
    for (size_t i = 0; i < copy.u.o.n; i++) sy_obj_puts(&s, copy.u.o.members[i].key, copy.u.o.members[i].val);
    sy_obj_hex(&s, "manifest", b->t->owner->info.sha256, 32);
    sy_obj_str(&s, "tool", sy_arena_dup(b->a, b->t->owner->info.name));
    sy_obj_str(&o, "command", symbi_str_z(sy_browser_commands[what]));
    sy_obj_put(&o, "settings", sy_obj_value(&s));
    b->p->output_file = what == SY_DO_SCREENSHOT ? picture_path(b) : SY_LIT("");
    b->p->command = describe(b, what);
    *detail = sy_obj_value(&o);
    return b->a->status ? sy_arena_fail(b->a, "the plan", b->err) : SYMBI_OK;
}

/* ---- envelope ---- */

static bool is_hex(symbi_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f'))) return false;
    return s.n == 64;
}

static symbi_status hash_of(sy_backend_reply *r, const symbi_value *content, symbi_str *out)
{
    symbi_text t = { 0 };
    uint8_t h[32];
    sy_obj o = sy_obj_new(r->a);
    symbi_status st;
    char *p = sy_arena_alloc(r->a, 72);
    if (content->kind == SYMBI_STRING) st = symbi_sha256(r->cx, content->u.s, h, r->err);
    else if (!(st = symbi_json_write(r->cx, content, SYMBI_JSON_CANONICAL, &t, r->err))) st = symbi_sha256(r->cx, symbi_text_str(&t), h, r->err);
    symbi_text_free(&t);
    if (st) return st;
    sy_obj_hex(&o, "h", h, 32);
    if (!p || r->a->status) return sy_arena_fail(r->a, "the envelope", r->err);
    memcpy(p, "sha256:", 7);
    memcpy(p + 7, o.m[0].val.u.s.p, 64);
    p[71] = 0;
    *out = (symbi_str){ p, 71 };
    return SYMBI_OK;
}

/* {url, title, domain, ...} of raw, and nothing else of it. */
static symbi_value state_of(sy_arena *a, const symbi_value *raw)
{
    static const char *const texts[] = { "domain", "title", "url" }, *const flags[] = { "has_forms", "is_authenticated", "page_loaded" };
    const symbi_value *s = symbi_value_getz(raw, "page_state"), *n = symbi_value_getz(s, "tab_count");
    sy_obj o = sy_obj_new(a);
    for (size_t i = 0; i < 3; i++) {
        const symbi_value *f = symbi_value_getz(s, flags[i]);
        sy_obj_bool(&o, flags[i], f && f->kind == SYMBI_BOOL && f->u.b);
        sy_obj_str(&o, texts[i], symbi_value_str(s, texts[i], SY_LIT("")));
    }
    sy_obj_int(&o, "tab_count", n && n->kind == SYMBI_INT ? n->u.i : 0);
    return sy_obj_value(&o);
}

symbi_status sy_browser_envelope(sy_backend_reply *r, sy_obj *o)
{
    static const char *const known[] = { "success", "error", "timeout", "denied" };
    symbi_str status = symbi_value_str(r->raw, "status", SY_LIT("")), error = symbi_value_str(r->raw, "error", SY_LIT("")), hash = SY_LIT("");
    const symbi_value *content = symbi_value_getz(r->raw, "content"), *n = symbi_value_getz(r->raw, "interaction_count"), *blocked = symbi_value_getz(r->raw, "blocked");
    const symbi_value *shot = symbi_value_getz(r->raw, "screenshot"), *cut = symbi_value_getz(r->raw, "truncated");
    symbi_str digest = symbi_value_str(shot, "sha256", SY_LIT(""));
    sy_obj res = sy_obj_new(r->a);
    bool fine = false, pictured = is_hex(digest) && r->p->output_file.n;
    symbi_status st;
    size_t i = 0;
    while (i < 4 && !sy_str_eqz(status, known[i])) i++;
    if (i == 4) status = SY_LIT("error"), error = error.n ? error : SY_LIT("the browser executor gave no result");
    fine = i == 0;
    if (fine && r->p->output_file.n && !pictured) status = SY_LIT("error"), error = SY_LIT("the screenshot was not written"), fine = false;
    if (content && !fine) content = NULL;
    if (pictured) {
        char *p = sy_arena_alloc(r->a, 72);
        if (p) {
            memcpy(p, "sha256:", 7);
            memcpy(p + 7, digest.p, 64);
            p[71] = 0;
            hash = (symbi_str){ p, 71 };
        }
    } else if (content && (st = hash_of(r, content, &hash))) {
        return st;
    }
    sy_obj_str(&res, "url", symbi_value_str(r->raw, "url", SY_LIT("")));
    sy_obj_str(&res, "title", symbi_value_str(r->raw, "title", SY_LIT("")));
    sy_obj_str(&res, "domain", symbi_value_str(r->raw, "domain", SY_LIT("")));
    if (content) sy_obj_put(&res, "content", *content);
    if (pictured) sy_obj_str(&res, "screenshot_path", r->p->output_file);
    sy_obj_put(&res, "page_state", state_of(r->a, r->raw));
    sy_obj_int(&res, "interaction_count", n && n->kind == SYMBI_INT ? n->u.i : 0);
    if (blocked && blocked->kind == SYMBI_ARRAY && blocked->u.a.n) sy_obj_put(&res, "blocked", *blocked);
    sy_obj_str(o, "status", status);
    sy_obj_int(o, "exit_code", fine ? 0 : -1);
    sy_obj_str(o, "stderr", SY_LIT(""));
    sy_obj_str(o, "output_file", pictured ? r->p->output_file : SY_LIT(""));
    sy_obj_str(o, "output_hash", hash);
    sy_obj_put(o, "results", sy_obj_value(&res));
    if (!fine) sy_obj_str(o, "error", error.n ? error : SY_LIT("the browser gave no reason"));
    if (cut && cut->kind == SYMBI_BOOL && cut->u.b) sy_obj_bool(o, "truncated", true);
    return SYMBI_OK;
}
