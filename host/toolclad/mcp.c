/* toolclad/mcp.c: tools of backend mcp (spec toolclad.md 11): [mcp] at load, the call that a plan asks for, and what its answer says.
 *
 * plan->detail is {"server", "tool", "arguments"}, and "traceparent" where the run has a trace. The executor gives {"started_ms", "duration_ms", "version", "result"} with the server's
 * own result, or {"started_ms", "duration_ms", "code", "error"} when there is none: code ETIMEOUT, EDENIED (the definition is not the approved
 * one) or any other. */
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/num.h"
#include "symbi/crypto.h"
#include "symbi/json.h"
#include "toolclad/backends.h"
#include "toolclad/mcp_in.h"
#include "toolclad/outschema.h"
#include "toolclad/trace.h"
#include "toolclad/types.h"
#include <stdio.h>

symbi_status sy_load_mcp(sy_rd *rd, const symbi_value *t)
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

/* ---- arguments ---- */

/* Text that came where a number, a boolean or a structure was declared; what does not parse stays text. */
static symbi_status from_text(symbi_ctx *cx, const sy_arg *arg, const symbi_value *v, sy_arena *a, symbi_value *out, symbi_err *err)
{
    bool integer = sy_str_eqz(symbi_str_z(arg->type->name), "integer"), number = sy_str_eqz(symbi_str_z(arg->type->name), "number");
    bool boolean = sy_str_eqz(symbi_str_z(arg->type->name), "boolean"), structure = (arg->type->flags & SY_TYPE_MCP_ONLY) != 0;
    const symbi_value *root;
    symbi_doc *d;
    symbi_err e;
    symbi_status st;
    *out = *v;
    if (!integer && !number && !boolean && !structure) return SYMBI_OK;
    st = symbi_json_parse(cx, v->u.s, &d, &e);
    if (st == SYMBI_ENOMEM) return sy_fail_nomem(err);
    if (st) return SYMBI_OK;
    root = symbi_doc_root(d);
    if (integer && root->kind == SYMBI_INT) *out = sy_val_int(root->u.i);
    else if (number && root->kind == SYMBI_INT) *out = sy_val_double((double)root->u.i);
    else if (number && root->kind == SYMBI_DOUBLE) *out = sy_val_double(root->u.d);
    else if (boolean && root->kind == SYMBI_BOOL) *out = sy_val_bool(root->u.b);
    else if (structure && root->kind == arg->type->kind) st = sy_value_copy(a, root, out, cx->limits.doc_depth, err);
    symbi_doc_unref(d);
    return st;
}

static symbi_status one_arg(symbi_ctx *cx, const sy_arg *arg, const symbi_value *v, sy_arena *a, symbi_value *out, symbi_err *err)
{
    *out = *v;
    if (!arg) return SYMBI_OK;
    if (v->kind == SYMBI_STRING) return from_text(cx, arg, v, a, out, err);
    if (sy_str_eqz(symbi_str_z(arg->type->name), "port")) { /* upstream's rule: what is not integer, number, boolean or JSON is text */
        symbi_str s = sy_arg_text(v, a);
        if (!s.p) return sy_arena_fail(a, "the arguments", err);
        *out = sy_val_str(s);
    } else if (v->kind == SYMBI_INT && sy_str_eqz(symbi_str_z(arg->type->name), "number") && v->u.i > -((int64_t)1 << 53) && v->u.i < (int64_t)1 << 53) {
        *out = sy_val_double((double)v->u.i);
    }
    return SYMBI_OK;
}

symbi_status sy_mcp_args(symbi_ctx *cx, const symbi_tool *t, const symbi_value *field_map, const symbi_value *args, sy_arena *a, symbi_value *out, symbi_err *err)
{
    sy_obj o = sy_obj_new(a);
    for (size_t i = 0; i < args->u.o.n; i++) {
        const symbi_member *m = &args->u.o.members[i];
        symbi_str name = m->key;
        symbi_value v;
        symbi_status st = one_arg(cx, sy_tool_arg(t, m->key), &m->val, a, &v, err);
        if (st) return st;
        if (field_map) {
            const symbi_value *to = symbi_value_get(field_map, m->key);
            if (to && to->kind == SYMBI_STRING) name = to->u.s;
        }
        for (size_t k = 0; k < o.n; k++)
            if (sy_str_eq(o.m[k].key, name)) return sy_fail(err, SYMBI_ESCHEMA, "mcp.field_map: two arguments become '%.*s'", SY_FMT(name));
        sy_obj_puts(&o, name, v);
    }
    *out = sy_obj_value(&o);
    return a->status ? sy_arena_fail(a, "the arguments", err) : SYMBI_OK;
}

/* ---- plan ---- */

static symbi_str clean_copy(sy_arena *a, const char *pre, symbi_str x, symbi_str y)
{
    size_t n = strlen(pre), total = n + x.n + 1 + y.n;
    char *p = sy_arena_alloc(a, total + 1);
    if (!p) return (symbi_str){ NULL, 0 };
    memcpy(p, pre, n);
    memcpy(p + n, x.p, x.n);
    p[n + x.n] = '/';
    memcpy(p + n + x.n + 1, y.p, y.n);
    p[total] = 0;
    for (size_t i = 0; i < total; i++)
        if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f) p[i] = '?';
    return (symbi_str){ p, total };
}

symbi_status sy_mcp_plan(sy_backend_plan *b, symbi_value *detail)
{
    sy_obj o = sy_obj_new(b->a);
    symbi_str server = symbi_value_str(b->t->backend_table, "server", SY_LIT("")), tool = symbi_value_str(b->t->backend_table, "tool", SY_LIT(""));
    symbi_value args;
    symbi_status st = sy_mcp_args(b->cx, b->t, symbi_value_getz(b->t->backend_table, "field_map"), b->p->args, b->a, &args, b->err);
    if (st) return st;
    sy_obj_put(&o, "arguments", args);
    sy_obj_str(&o, "server", server);
    sy_obj_str(&o, "tool", tool);
    if (b->o->trace_id.n) {
        char text[SY_TRACEPARENT];
        if ((st = sy_traceparent_make(b->cx, b->o->trace_id, text, b->err))) return st;
        if (text[0]) sy_obj_str(&o, "traceparent", sy_arena_dup(b->a, symbi_str_z(text)));
    }
    b->p->command = clean_copy(b->a, "mcp://", server, tool);
    if (b->a->status) return sy_arena_fail(b->a, "the plan", b->err);
    {
        symbi_value borrowed = sy_obj_value(&o); /* names and texts of the manifest: the plan may outlive the tool */
        return sy_value_copy(b->a, &borrowed, detail, b->cx->limits.doc_depth + 1, b->err);
    }
}

/* ---- envelope ---- */

static symbi_str error_text(sy_arena *a, symbi_str tool, const symbi_value *content)
{
    const symbi_value *first = content && content->kind == SYMBI_ARRAY && content->u.a.n ? &content->u.a.items[0] : NULL;
    symbi_str said = symbi_value_str(first, "text", SY_LIT("it did not say why"));
    char *p = sy_arena_alloc(a, tool.n + said.n + 32);
    int n;
    if (!p) return (symbi_str){ NULL, 0 };
    n = snprintf(p, tool.n + 32, "tool '%.*s' reported error: ", (int)(tool.n > 200 ? 200 : tool.n), tool.p);
    memcpy(p + n, said.p, said.n);
    p[(size_t)n + said.n] = 0;
    return (symbi_str){ p, (size_t)n + said.n };
}

static symbi_status hash_of(sy_backend_reply *r, const symbi_value *result, char out[72], size_t *bytes)
{
    symbi_text t = { 0 };
    uint8_t h[32];
    symbi_status st = symbi_json_write(r->cx, result, SYMBI_JSON_CANONICAL, &t, r->err);
    if (!st) st = symbi_sha256(r->cx, symbi_text_str(&t), h, r->err);
    *bytes = t.n;
    symbi_text_free(&t);
    memcpy(out, "sha256:", 8);
    for (size_t i = 0; !st && i < 32; i++) snprintf(out + 7 + 2 * i, 3, "%02x", h[i]);
    return st;
}

static symbi_status no_result(sy_backend_reply *r, sy_obj *o)
{
    symbi_str code = symbi_value_str(r->raw, "code", SY_LIT("")), error = symbi_value_str(r->raw, "error", SY_LIT(""));
    sy_obj results = sy_obj_new(r->a);
    const char *status = sy_str_eqz(code, "ETIMEOUT") ? "timeout" : sy_str_eqz(code, "EDENIED") ? "denied" : "error";
    if (!error.n) error = SY_LIT("the MCP executor gave no result");
    sy_obj_str(o, "status", symbi_str_z(status));
    sy_obj_int(o, "exit_code", -1);
    sy_obj_str(o, "stderr", SY_LIT(""));
    sy_obj_str(o, "output_file", SY_LIT(""));
    sy_obj_str(o, "output_hash", SY_LIT(""));
    sy_obj_put(o, "results", sy_obj_value(&results));
    sy_obj_str(o, "error", error);
    return SYMBI_OK;
}

static symbi_status has_result(sy_backend_reply *r, sy_obj *o, const symbi_value *result)
{
    const symbi_value *content = symbi_value_getz(result, "content"), *made = symbi_value_getz(result, "structuredContent"), *bad = symbi_value_getz(result, "isError");
    bool failed = bad && bad->kind == SYMBI_BOOL && bad->u.b;
    sy_obj wrapped = sy_obj_new(r->a);
    sy_arr warnings = sy_arr_new(r->a);
    char hash[72] = "";
    size_t bytes;
    symbi_value results;
    symbi_str error = { NULL, 0 };
    symbi_status st;
    if (result->kind != SYMBI_OBJECT) return sy_fail(r->err, SYMBI_ESCHEMA, "what the MCP server gave is no object");
    if ((st = hash_of(r, result, hash, &bytes))) return st;
    if (made && made->kind == SYMBI_OBJECT && !failed) {
        results = *made;
    } else {
        sy_obj_put(&wrapped, "content", content && content->kind == SYMBI_ARRAY ? *content : sy_val_array(NULL, 0));
        if (made && made->kind != SYMBI_NULL) sy_obj_put(&wrapped, "structured", *made); /* a revision of 2026 allows any value */
        results = sy_obj_value(&wrapped);
    }
    if (failed) error = error_text(r->a, symbi_value_str(r->p->detail, "tool", SY_LIT("")), content);
    else if (r->t->output_schema && (st = sy_output_schema_check(r->cx, r->t->output_schema, &results, r->a, &warnings, r->err))) return st;
    if (!failed && r->t->output_strict && warnings.n) error = SY_LIT("The output does not match the manifest's schema");
    sy_obj_str(o, "status", error.p ? SY_LIT("error") : SY_LIT("success"));
    sy_obj_int(o, "exit_code", failed ? 1 : 0);
    sy_obj_str(o, "stderr", SY_LIT(""));
    sy_obj_str(o, "output_file", SY_LIT(""));
    sy_obj_count(o, "output_bytes", bytes);
    sy_obj_str(o, "output_hash", sy_arena_dup(r->a, symbi_str_z(hash)));
    sy_obj_put(o, "results", results);
    if (error.p) sy_obj_str(o, "error", error);
    if (warnings.n) sy_obj_put(o, "schema_warnings", sy_arr_value(&warnings));
    return SYMBI_OK;
}

symbi_status sy_mcp_envelope(sy_backend_reply *r, sy_obj *o)
{
    const symbi_value *result = symbi_value_getz(r->raw, "result"), *args = symbi_value_getz(r->p->detail, "arguments");
    symbi_str version = symbi_value_str(r->raw, "version", SY_LIT(""));
    symbi_status st = result ? has_result(r, o, result) : no_result(r, o);
    if (st) return st;
    sy_obj_str(o, "mcp_server", symbi_value_str(r->p->detail, "server", SY_LIT("")));
    sy_obj_str(o, "mcp_tool", symbi_value_str(r->p->detail, "tool", SY_LIT("")));
    if (args) sy_obj_put(o, "mcp_args", *args);
    if (version.n) sy_obj_str(o, "mcp_version", version);
    return r->a->status ? sy_arena_fail(r->a, "the envelope", r->err) : SYMBI_OK;
}
