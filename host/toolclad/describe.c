/* toolclad/describe.c: a contract as data, and the check of one value by itself: for people who write manifests (symbi-lua tools). */
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/build.h"
#include "toolclad/tool.h"

static symbi_value texts(sy_arena *a, const symbi_str *s, size_t n)
{
    sy_arr r = sy_arr_new(a);
    for (size_t i = 0; i < n; i++) sy_arr_add(&r, sy_val_str(s[i]));
    return sy_arr_value(&r);
}

static symbi_value argument(sy_arena *a, const sy_arg *g)
{
    sy_obj o = sy_obj_new(a);
    sy_obj_str(&o, "name", g->name);
    sy_obj_str(&o, "type", g->type_name);
    if (!sy_str_eqz(g->type_name, g->type->name)) sy_obj_str(&o, "base", symbi_str_z(g->type->name));
    sy_obj_int(&o, "position", g->position);
    sy_obj_bool(&o, "required", g->required);
    sy_obj_str(&o, "description", g->description);
    if (g->dflt) sy_obj_put(&o, "default", *g->dflt);
    if (g->has_allowed) sy_obj_put(&o, "allowed", texts(a, g->allowed, g->nallowed));
    if (g->pattern_text.n) sy_obj_str(&o, "pattern", g->pattern_text);
    if (g->nschemes) sy_obj_put(&o, "schemes", texts(a, g->schemes, g->nschemes));
    if (g->allow_options) sy_obj_bool(&o, "allow_options", true);
    if (g->scope_check) sy_obj_bool(&o, "scope_check", true);
    if (g->feeds_decision) sy_obj_bool(&o, "feeds_decision", true);
    return sy_obj_value(&o);
}

symbi_status symbi_tool_describe(symbi_ctx *cx, const symbi_tool *t, symbi_doc **out, symbi_err *err)
{
    sy_arena a;
    sy_obj o, c;
    sy_arr args;
    symbi_value v;
    symbi_status st;
    *out = NULL;
    symbi_err_clear(err);
    sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
    o = sy_obj_new(&a);
    args = sy_arr_new(&a);
    for (size_t i = 0; i < t->nargs; i++) sy_arr_add(&args, argument(&a, &t->args[i]));
    sy_obj_str(&o, "name", t->info.name);
    sy_obj_str(&o, "version", t->info.version);
    sy_obj_str(&o, "description", t->info.description);
    sy_obj_str(&o, "binary", t->binary);
    sy_obj_str(&o, "backend", symbi_str_z(symbi_backend_name(t->info.backend)));
    sy_obj_str(&o, "dispatch", t->info.backend == SYMBI_BACKEND_CALLBACK ? SY_LIT("callback") : SY_LIT("exec"));
    sy_obj_str(&o, "risk_tier", t->info.risk_tier);
    sy_obj_bool(&o, "human_approval", t->info.human_approval);
    sy_obj_int(&o, "timeout_ms", t->info.timeout_ms);
    sy_obj_put(&o, "args", sy_arr_value(&args));
    if (t->has_output) sy_obj_str(&o, "output_format", t->format_name);
    if (t->custom_parser.n) sy_obj_str(&o, "custom_parser", t->custom_parser);
    sy_obj_bool(&o, "capture", t->capture);
    if (t->has_cedar) {
        c = sy_obj_new(&a);
        sy_obj_str(&c, "resource", t->cedar_resource);
        sy_obj_str(&c, "action", t->cedar_action);
        sy_obj_put(&o, "cedar", sy_obj_value(&c));
    }
    v = sy_obj_value(&o);
    st = a.status ? sy_arena_fail(&a, "the description", err) : symbi_doc_copy(cx, &v, out, err);
    sy_arena_free(&a);
    return st;
}

symbi_status symbi_tool_check(symbi_ctx *cx, const symbi_tool *t, symbi_str name, const symbi_value *value, symbi_doc **out, symbi_err *err)
{
    const sy_arg *g = sy_tool_arg(t, name);
    sy_arena a;
    symbi_value v;
    symbi_status st;
    *out = NULL;
    symbi_err_clear(err);
    if (!g) return sy_fail(err, SYMBI_ENOTFOUND, "tool '%.*s' has no argument '%.*s'", SY_FMT(t->info.name), SY_FMT(name));
    sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
    st = sy_arg_check(cx, g, value, &a, &v, err);
    if (!st) st = symbi_doc_copy(cx, &v, out, err);
    sy_arena_free(&a);
    return st;
}
