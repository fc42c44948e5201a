/* toolclad/backend.c: the table of backends (spec toolclad.md 3.5, 10, 11, 13, 14): which table of the manifest makes one, who reads it,
 * who plans with it, and who reads what came back. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "toolclad/backends.h"

typedef struct backend {
    const char *table, *mode; /* mode: the value of tool.mode that goes with it */
    symbi_backend id;
    symbi_status (*load)(sy_rd *rd, const symbi_value *t);
    symbi_status (*plan)(sy_backend_plan *b, symbi_value *detail);
    symbi_status (*envelope)(sy_backend_reply *r, sy_obj *o);
} backend;

/* In order of precedence; [command] comes last. */
static const backend backends[] = {
    { "http", "oneshot", SYMBI_BACKEND_HTTP, sy_load_http, sy_http_plan, sy_http_envelope },
    { "mcp", "oneshot", SYMBI_BACKEND_MCP, sy_load_mcp, sy_mcp_plan, sy_mcp_envelope },
    { "session", "session", SYMBI_BACKEND_SESSION, sy_load_session, sy_session_plan, sy_session_envelope },
    { "browser", "browser", SYMBI_BACKEND_BROWSER, sy_load_browser, sy_browser_plan, sy_browser_envelope },
    { "command", "oneshot", SYMBI_BACKEND_SHELL, sy_load_command, NULL, NULL },
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
    const symbi_value *tables[NBACKENDS], *tool = symbi_value_getz(m, "tool"), *screenshots;
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
    if (b->id != SYMBI_BACKEND_BROWSER && (screenshots = symbi_value_getz(symbi_value_getz(tool, "evidence"), "screenshots")) && screenshots->kind == SYMBI_BOOL && screenshots->u.b)
        return sy_rd_fail(rd, screenshots, "tool.evidence.screenshots", "only a browser takes pictures, and this tool is none");
    if ((b->id == SYMBI_BACKEND_SESSION || b->id == SYMBI_BACKEND_BROWSER) && memchr(rd->t->info.name.p, '.', rd->t->info.name.n))
        return sy_rd_fail(rd, symbi_value_getz(tool, "name"), "tool.name", "a dot separates tool and command; the name of a %s tool cannot have one", b->table);
    return SYMBI_OK;
}

static const backend *backend_of(symbi_backend id)
{
    for (size_t i = 0; i < NBACKENDS; i++)
        if (backends[i].id == id && backends[i].plan) return &backends[i];
    return NULL;
}

symbi_status sy_backend_plan_make(sy_backend_plan *b, symbi_value *detail)
{
    const backend *k = backend_of(b->p->kind);
    return k ? k->plan(b, detail) : sy_fail(b->err, SYMBI_EUNSUPPORTED, "tools of backend '%s' have no request", symbi_backend_name(b->p->kind));
}

/* A number of milliseconds from an executor; what makes no sense counts as 0. */
static int64_t ms_of(const symbi_value *raw, const char *key)
{
    const symbi_value *v = symbi_value_getz(raw, key);
    return v && v->kind == SYMBI_INT && v->u.i > 0 && v->u.i < INT64_C(253402300800000) ? v->u.i : 0;
}

/* A server behind a URL is no program of ours: its plan's box had nothing to hold. */
static bool boxed(const symbi_value *raw)
{
    const symbi_value *v = symbi_value_getz(raw, "process");
    return v && v->kind == SYMBI_BOOL && v->u.b;
}

static symbi_status build(sy_backend_reply *r, symbi_value *out)
{
    const backend *k = backend_of(r->p->kind);
    sy_obj o = sy_obj_new(r->a);
    char stamp[SY_RFC3339_MS];
    symbi_status st;
    if (!k) return sy_fail(r->err, SYMBI_EUNSUPPORTED, "tools of backend '%s' have no such result", symbi_backend_name(r->p->kind));
    if (r->raw->kind != SYMBI_OBJECT) return sy_fail(r->err, SYMBI_EINVAL, "what the %s executor gave is not an object", k->table);
    sy_time_rfc3339(ms_of(r->raw, "started_ms"), stamp);
    sy_obj_str(&o, "scan_id", r->p->scan_id);
    sy_obj_str(&o, "tool", r->p->tool);
    sy_obj_str(&o, "command", r->p->command);
    sy_obj_int(&o, "duration_ms", ms_of(r->raw, "duration_ms"));
    sy_obj_str(&o, "timestamp", sy_arena_dup(r->a, symbi_str_z(stamp)));
    if (r->p->box && (r->p->kind != SYMBI_BACKEND_MCP || boxed(r->raw))) sy_obj_str(&o, "sandbox", symbi_str_z(symbi_box_name(r->p->box)));
    if ((st = k->envelope(r, &o))) return st;
    *out = sy_obj_value(&o);
    return r->a->status ? sy_arena_fail(r->a, "the envelope", r->err) : SYMBI_OK;
}

symbi_status symbi_tool_envelope_of(symbi_ctx *cx, const symbi_tool *t, const symbi_plan *p, const symbi_value *raw, symbi_doc **out, symbi_err *err)
{
    sy_arena a;
    sy_backend_reply r = { cx, t, p, raw, &a, err };
    symbi_value v;
    symbi_status st;
    *out = NULL;
    symbi_err_clear(err);
    sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
    st = build(&r, &v);
    if (!st) st = symbi_doc_copy(cx, &v, out, err); /* the envelope must not point into tool, plan or result */
    sy_arena_free(&a);
    return st;
}
