/* Fuzz target: symbi/tool_request.h and the templates of [http]. The input: url template, NUL, header template, NUL, body template, NUL, value of the
 * argument q, NUL, value of the secret k. Whatever is accepted: the host is the one that the template names unless the template lets a value
 * choose it; no path goes up; no header has a line break; and a JSON body has the shape that it has with a harmless value. */
#include "symbi/json.h"
#include "symbi/tool_request.h"
#include "symbi/wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}

static symbi_str part(const uint8_t **p, size_t *n)
{
    const uint8_t *nul = *n ? memchr(*p, 0, *n) : NULL;
    symbi_str s;
    s.p = (const char *)*p;
    s.n = nul ? (size_t)(nul - *p) : *n;
    *p += nul ? s.n + 1 : s.n;
    *n -= nul ? s.n + 1 : s.n;
    return s;
}

static symbi_value text(symbi_str s)
{
    symbi_value v;
    memset(&v, 0, sizeof v);
    v.kind = SYMBI_STRING;
    v.u.s = s.n ? s : symbi_str_z("");
    return v;
}

static symbi_value object(const symbi_member *m, size_t n)
{
    symbi_value v;
    memset(&v, 0, sizeof v);
    v.kind = SYMBI_OBJECT;
    v.u.o.members = m;
    v.u.o.n = n;
    return v;
}

static symbi_tool *load(symbi_ctx *cx, symbi_str url, symbi_str header, symbi_str body)
{
    symbi_member tool = { { "name", 4 }, text(symbi_str_z("t")) }, type = { { "type", 4 }, text(symbi_str_z("string")) }, q = { { "q", 1 }, object(&type, 1) };
    symbi_member headers[2] = { { { "X-A", 3 }, text(header) }, { { "Content-Type", 12 }, text(symbi_str_z("application/json")) } };
    symbi_member http[4] = { { { "url", 3 }, text(url) }, { { "method", 6 }, text(symbi_str_z("POST")) }, { { "headers", 7 }, object(headers, 2) }, { { "body_template", 13 }, text(body) } };
    symbi_member format = { { "format", 6 }, text(symbi_str_z("json")) };
    symbi_member top[4] = { { { "tool", 4 }, object(&tool, 1) }, { { "args", 4 }, object(&q, 1) }, { { "http", 4 }, object(http, 4) }, { { "output", 6 }, object(&format, 1) } };
    symbi_value m = object(top, 4);
    symbi_tool *t = NULL;
    symbi_err err;
    symbi_status st = symbi_tool_from_value(cx, &m, symbi_str_z("f"), &t, &err);
    must((st == SYMBI_OK) == (t != NULL));
    return t;
}

static int request(symbi_ctx *cx, const symbi_tool *t, symbi_str q, symbi_str k, symbi_plan **p, symbi_plan_request *r)
{
    symbi_member qm = { { "q", 1 }, text(q) }, km = { { "k", 1 }, text(k) };
    symbi_value args = object(&qm, 1), secrets = object(&km, 1);
    symbi_doc *v = NULL;
    symbi_err err;
    symbi_status st;
    memset(r, 0, sizeof *r);
    *p = NULL;
    st = symbi_tool_validate(cx, t, &args, &v, &err);
    if (!st) st = symbi_tool_plan(cx, t, symbi_doc_root(v), NULL, p, &err);
    if (!st) st = symbi_plan_resolve(cx, *p, &secrets, r, &err);
    if (st) must(err.code == st && err.msg[0]);
    symbi_doc_unref(v);
    return st == SYMBI_OK;
}

static int same_shape(const symbi_value *a, const symbi_value *b, int depth)
{
    if (a->kind != SYMBI_ARRAY && a->kind != SYMBI_OBJECT) return b->kind != SYMBI_ARRAY && b->kind != SYMBI_OBJECT && (a->kind == SYMBI_STRING) == (b->kind == SYMBI_STRING);
    if (a->kind != b->kind || depth > 200) return 0;
    if (a->kind == SYMBI_ARRAY) {
        if (a->u.a.n != b->u.a.n) return 0;
        for (size_t i = 0; i < a->u.a.n; i++)
            if (!same_shape(&a->u.a.items[i], &b->u.a.items[i], depth + 1)) return 0;
        return 1;
    }
    if (a->u.o.n != b->u.o.n) return 0;
    for (size_t i = 0; i < a->u.o.n; i++)
        if (!same_shape(&a->u.o.members[i].val, &b->u.o.members[i].val, depth + 1)) return 0;
    return 1;
}

static int same_host(symbi_str a, symbi_str b)
{
    symbi_url x, y;
    symbi_err err;
    must(symbi_url_parse(a, &x, &err) == SYMBI_OK && symbi_url_parse(b, &y, &err) == SYMBI_OK);
    return x.host.n == y.host.n && memcmp(x.host.p, y.host.p, x.host.n) == 0 && x.port == y.port && x.tls == y.tls;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    symbi_str url, header, body, q, k, one = symbi_str_z("1"), two = symbi_str_z("2");
    symbi_ctx *cx;
    symbi_tool *t;
    symbi_plan *p0, *p1, *p2;
    symbi_plan_request r0, r1, r2;
    symbi_err err;
    int plain, other;
    if (size > 1 << 16) return 0;
    url = part(&data, &size);
    header = part(&data, &size);
    body = part(&data, &size);
    q = part(&data, &size);
    k = part(&data, &size);
    if (symbi_ctx_new(NULL, &cx, &err)) return 0;
    t = load(cx, url, header, body);
    if (t) {
        plain = request(cx, t, one, one, &p1, &r1);
        other = request(cx, t, two, two, &p2, &r2);
        if (request(cx, t, q, k, &p0, &r0)) {
            must(strlen(r0.url.p) == r0.url.n);
            for (size_t i = 0; i < r0.url.n; i++) must((unsigned char)r0.url.p[i] > 0x20 && (unsigned char)r0.url.p[i] < 0x7f);
            {
                size_t path = strcspn(r0.url.p, "?#");
                const char *up = strstr(r0.url.p, "/../"), *here = strstr(r0.url.p, "/./");
                must((!up || (size_t)(up - r0.url.p) >= path) && (!here || (size_t)(here - r0.url.p) >= path));
            }
            for (size_t i = 0; i < r0.nheaders; i++)
                for (size_t j = 0; j < r0.headers[i].value.n; j++) must(r0.headers[i].value.p[j] != '\r' && r0.headers[i].value.p[j] != '\n' && r0.headers[i].value.p[j]);
            if (plain) {
                symbi_doc *a = NULL, *b = NULL;
                must(r0.nheaders == r1.nheaders);
                if (other && same_host(r1.url, r2.url)) must(same_host(r0.url, r1.url));
                if (r1.has_body && symbi_json_parse(cx, r1.body, &a, &err) == SYMBI_OK) {
                    symbi_status st = symbi_json_parse(cx, r0.body, &b, &err);
                    /* a value may be a member's name that stands there already, or a number that no 64 bits and no double hold */
                    if (st) must(st != SYMBI_EPARSE || strstr(err.msg, "twice") || strstr(err.msg, "duplicate") || strstr(err.msg, "number") || strstr(err.msg, "range"));
                    else must(same_shape(symbi_doc_root(a), symbi_doc_root(b), 0));
                }
                symbi_doc_unref(a);
                symbi_doc_unref(b);
            }
        }
        symbi_plan_request_wipe(&r0);
        symbi_plan_request_wipe(&r1);
        symbi_plan_request_wipe(&r2);
        symbi_plan_unref(p0);
        symbi_plan_unref(p1);
        symbi_plan_unref(p2);
        symbi_tool_unref(t);
    }
    symbi_ctx_free(cx);
    return 0;
}
