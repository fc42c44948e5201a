/* toolclad/http.c: [http] at load (spec toolclad.md 3.5, 10). What is wrong with the author's own text is said here, not at a call. The request is
 * http_request.c and http_resolve.c, the answer http_answer.c. */
#include "base/err.h"
#include "base/str.h"
#include "toolclad/http_in.h"
#include "toolclad/types.h"
#include <stdio.h>

/* Written by the client itself, or able to make two readers disagree about where a request ends or whom it is for. */
static const char *const not_ours[] = { "host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade", "expect", "proxy-authorization", "proxy-connection", NULL };

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

/* The value of an argument in the host decides who is asked; that is worth a word. */
static symbi_status warn_host(sy_rd *rd, const symbi_value *v)
{
    sy_http_piece p;
    size_t i = 0, marks = 0;
    bool first = true;
    while (sy_http_next(v->u.s, &i, &p)) {
        if (p.kind == SY_HTTP_LITERAL) {
            for (size_t k = 0; k < p.text.n; k++) {
                char c = p.text.p[k];
                if (marks == 3 && memchr("/?#", c, 3)) return SYMBI_OK;
                if (marks < 3) marks = c == "://"[marks] ? marks + 1 : c == ':' ? 1 : 0;
            }
        } else if (p.kind == SY_HTTP_ARG) {
            const sy_arg *a = sy_tool_arg(rd->t, p.text);
            if (first || !a) return SYMBI_OK;
            if (marks == 3 && strcmp(a->type->name, "enum") != 0)
                return sy_rd_warn(rd, v, "url", "argument '%.*s' stands in the host: it decides who gets this request%s", SY_FMT(a->name), a->pattern ? "" : "; an enum or a pattern would say which");
        }
        first = false;
    }
    return SYMBI_OK;
}

static symbi_status load_url(sy_rd *rd, const symbi_value *t)
{
    const symbi_value *v = symbi_value_getz(t, "url");
    symbi_str url = { NULL, 0 };
    symbi_status st;
    if ((st = sy_rd_need_str(rd, t, "url", &url)) || (st = http_template(rd, v, "url"))) return st;
    for (size_t i = 0; i < url.n; i++)
        if ((unsigned char)url.p[i] <= 0x20 || url.p[i] == 0x7f) return sy_rd_fail(rd, v, "url", "a blank or control character; write %%20 for a blank");
    return warn_host(rd, v);
}

static symbi_status load_method(sy_rd *rd, const symbi_value *t)
{
    static const char *const methods[] = { "get", "post", "put", "delete", "patch", "head", NULL };
    symbi_str method = SY_LIT("GET");
    symbi_status st = sy_rd_str(rd, t, "method", &method);
    char echo[SY_ECHO];
    if (st) return st;
    for (size_t i = 0; methods[i]; i++)
        if (sy_str_ieqz(method, methods[i])) return SYMBI_OK;
    return sy_rd_fail(rd, symbi_value_getz(t, "method"), "method", "Unsupported HTTP method: %s", sy_echo(method, echo));
}

static bool same_nocase(symbi_str a, symbi_str b)
{
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        char x = a.p[i], y = b.p[i];
        if ((x >= 'A' && x <= 'Z' ? x + 32 : x) != (y >= 'A' && y <= 'Z' ? y + 32 : y)) return false;
    }
    return a.n == b.n;
}

static symbi_status load_header(sy_rd *rd, const symbi_value *headers, size_t at)
{
    const symbi_member *m = &headers->u.o.members[at];
    char echo[SY_ECHO];
    const char *why;
    symbi_status st;
    sy_echo(m->key, echo);
    for (size_t i = 0; i < m->key.n; i++) {
        char c = m->key.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-.^_`|~", c)))) return sy_rd_fail(rd, &m->val, "headers", "'%s' is no name for a header", echo);
    }
    if (!m->key.n || m->key.n > 200) return sy_rd_fail(rd, &m->val, "headers", "'%s' is no name for a header", echo);
    for (size_t i = 0; not_ours[i]; i++)
        if (sy_str_ieqz(m->key, not_ours[i])) return sy_rd_fail(rd, &m->val, "headers", "%s is written by the client itself", echo);
    for (size_t i = 0; i < at; i++)
        if (same_nocase(headers->u.o.members[i].key, m->key)) return sy_rd_fail(rd, &m->val, "headers", "%s stands twice", echo);
    if ((st = http_template(rd, &m->val, "headers"))) return st;
    why = m->val.u.s.n ? sy_http_header_problem(m->val.u.s) : NULL;
    return why ? sy_rd_fail(rd, &m->val, "headers", "%s %s", echo, why) : SYMBI_OK;
}

symbi_status sy_load_http(sy_rd *rd, const symbi_value *t)
{
    static const char *const keys[] = { "method", "url", "headers", "body_template", "success_status", "error_status", NULL };
    const symbi_value *headers, *body = symbi_value_getz(t, "body_template"), *ok = symbi_value_getz(t, "success_status"), *bad = symbi_value_getz(t, "error_status");
    symbi_str method;
    symbi_status st;
    if ((st = load_url(rd, t)) || (st = load_method(rd, t)) || (st = sy_rd_table(rd, t, "headers", &headers))) return st;
    if (headers && headers->u.o.n > SY_HTTP_HEADERS_MAX) return sy_rd_fail(rd, headers, "headers", "more than %d headers", SY_HTTP_HEADERS_MAX);
    for (size_t i = 0; headers && i < headers->u.o.n; i++)
        if ((st = load_header(rd, headers, i))) return st;
    if ((body && (st = http_template(rd, body, "body_template"))) || (st = status_list(rd, t, "success_status")) || (st = status_list(rd, t, "error_status"))) return st;
    method = symbi_value_str(t, "method", SY_LIT("GET"));
    if (body && (sy_str_ieqz(method, "get") || sy_str_ieqz(method, "head")) && (st = sy_rd_warn(rd, body, "body_template", "is not sent with GET and HEAD"))) return st;
    for (size_t i = 0; ok && bad && i < ok->u.a.n; i++)
        for (size_t k = 0; k < bad->u.a.n; k++)
            if (ok->u.a.items[i].u.i == bad->u.a.items[k].u.i && (st = sy_rd_warn(rd, bad, "error_status", "%lld stands in success_status too", (long long)bad->u.a.items[k].u.i))) return st;
    return sy_rd_known(rd, t, keys);
}
