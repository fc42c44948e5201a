/* toolclad/http.c: tools of backend http (spec toolclad.md 3.5, 10): [http] at load, the request, and what its answer says. */
#include "base/err.h"
#include "base/str.h"
#include "toolclad/backends.h"

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

symbi_status sy_load_http(sy_rd *rd, const symbi_value *t)
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

symbi_status sy_http_plan(sy_backend_plan *b, symbi_value *detail)
{
    (void)detail;
    return sy_fail(b->err, SYMBI_EUNSUPPORTED, "tools of backend 'http' cannot be run yet");
}

symbi_status sy_http_envelope(sy_backend_reply *r, sy_obj *o)
{
    (void)o;
    return sy_fail(r->err, SYMBI_EUNSUPPORTED, "tools of backend 'http' cannot be run yet");
}
