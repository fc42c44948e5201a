/* toolclad/schema.c: {name, description, inputSchema[, outputSchema]} as MCP and model providers take it (spec 15). */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/build.h"
#include "toolclad/tool.h"

static symbi_value number(double d) { return d == (double)(int64_t)d && d > -9e15 && d < 9e15 ? sy_val_int((int64_t)d) : sy_val_double(d); }

static symbi_value property(sy_arena *a, const sy_arg *arg)
{
    const sy_type *ty = arg->type;
    sy_obj o = sy_obj_new(a);
    bool integer = ty->kind == SYMBI_INT, port = strcmp(ty->name, "port") == 0;
    sy_obj_str(&o, "type", symbi_str_z(ty->json));
    sy_obj_str(&o, "description", arg->description);
    if (ty->format) sy_obj_str(&o, "format", symbi_str_z(ty->format));
    if (arg->pattern_text.n) sy_obj_str(&o, "pattern", arg->pattern_text);
    else if (ty->pattern) sy_obj_str(&o, "pattern", symbi_str_z(ty->pattern));
    if (integer && (port || arg->has_min)) {
        int64_t lo = arg->has_min ? arg->min : 1;
        sy_obj_int(&o, "minimum", port && lo < 1 ? 1 : lo);
    }
    if (integer && (port || arg->has_max)) {
        int64_t hi = arg->has_max ? arg->max : 65535;
        sy_obj_int(&o, "maximum", port && hi > 65535 ? 65535 : hi);
    }
    if (ty->kind == SYMBI_DOUBLE) {
        if (arg->has_fmin || arg->has_min) sy_obj_put(&o, "minimum", arg->has_fmin ? number(arg->fmin) : sy_val_int(arg->min));
        if (arg->has_fmax || arg->has_max) sy_obj_put(&o, "maximum", arg->has_fmax ? number(arg->fmax) : sy_val_int(arg->max));
    }
    if (arg->has_allowed) {
        sy_arr list = sy_arr_new(a);
        for (size_t i = 0; i < arg->nallowed; i++) sy_arr_add(&list, sy_val_str(arg->allowed[i]));
        sy_obj_put(&o, "enum", sy_arr_value(&list));
    }
    if (arg->dflt) sy_obj_put(&o, "default", *arg->dflt);
    return sy_obj_value(&o);
}

static symbi_value input_schema(sy_arena *a, const symbi_tool *t)
{
    sy_obj o = sy_obj_new(a), props = sy_obj_new(a);
    sy_arr required = sy_arr_new(a);
    for (size_t i = 0; i < t->nargs; i++) {
        sy_obj_puts(&props, t->args[i].name, property(a, &t->args[i]));
        if (t->args[i].required) sy_arr_add(&required, sy_val_str(t->args[i].name));
    }
    sy_obj_str(&o, "type", SY_LIT("object"));
    sy_obj_put(&o, "properties", sy_obj_value(&props));
    sy_obj_put(&o, "required", sy_arr_value(&required));
    sy_obj_bool(&o, "additionalProperties", false);
    return sy_obj_value(&o);
}

static void typed(sy_arena *a, sy_obj *props, const char *name, const char *type, const char *format)
{
    sy_obj o = sy_obj_new(a);
    sy_obj_str(&o, "type", symbi_str_z(type));
    if (format) sy_obj_str(&o, "format", symbi_str_z(format));
    sy_obj_put(props, name, sy_obj_value(&o));
}

static symbi_value envelope_schema(sy_arena *a, const symbi_tool *t)
{
    static const char *const states[] = { "success", "error", "timeout", "denied" };
    sy_obj o = sy_obj_new(a), props = sy_obj_new(a), status = sy_obj_new(a), any = sy_obj_new(a);
    sy_arr list = sy_arr_new(a);
    sy_obj_str(&status, "type", SY_LIT("string"));
    for (size_t i = 0; i < 4; i++) sy_arr_add(&list, sy_val_str(symbi_str_z(states[i])));
    if (t->info.backend != SYMBI_BACKEND_HTTP) sy_obj_put(&status, "enum", sy_arr_value(&list)); /* HTTP: "client_error (HTTP 404)" and so on */
    sy_obj_put(&props, "status", sy_obj_value(&status));
    typed(a, &props, "scan_id", "string", NULL);
    typed(a, &props, "tool", "string", NULL);
    typed(a, &props, "command", "string", NULL);
    typed(a, &props, "duration_ms", "integer", NULL);
    typed(a, &props, "timestamp", "string", "date-time");
    typed(a, &props, "output_file", "string", NULL);
    typed(a, &props, "output_hash", "string", NULL);
    typed(a, &props, "exit_code", "integer", NULL);
    typed(a, &props, "stderr", "string", NULL);
    sy_obj_str(&any, "type", SY_LIT("object"));
    sy_obj_put(&props, "results", t->output_schema ? *t->output_schema : sy_obj_value(&any));
    sy_obj_str(&o, "type", SY_LIT("object"));
    sy_obj_put(&o, "properties", sy_obj_value(&props));
    return sy_obj_value(&o);
}

symbi_status symbi_tool_schema(symbi_ctx *cx, const symbi_tool *t, symbi_doc **out, symbi_err *err)
{
    sy_arena a;
    sy_obj o;
    symbi_value v;
    symbi_status st;
    *out = NULL;
    symbi_err_clear(err);
    sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
    o = sy_obj_new(&a);
    sy_obj_str(&o, "name", t->info.name);
    sy_obj_str(&o, "description", t->info.description);
    sy_obj_put(&o, "inputSchema", input_schema(&a, t));
    if (t->info.backend != SYMBI_BACKEND_CALLBACK && t->has_output) {
        if (t->envelope) sy_obj_put(&o, "outputSchema", envelope_schema(&a, t));
        else if (t->output_schema) sy_obj_put(&o, "outputSchema", *t->output_schema);
    }
    v = sy_obj_value(&o);
    /* copied: the schema must not point into the tool */
    st = a.status ? sy_arena_fail(&a, "the schema", err) : symbi_doc_copy(cx, &v, out, err);
    sy_arena_free(&a);
    return st;
}
