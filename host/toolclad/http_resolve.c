/* toolclad/http_resolve.c: the values of secrets into a plan's request, at the last moment. Everything is written twice: once to count, once into one
 * piece of memory that is overwritten before it is given back; nothing that grows leaves copies behind. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "symbi/crypto.h"
#include "symbi/wire.h"
#include "toolclad/http_in.h"

typedef struct resolver {
    const symbi_value *secrets;
    sy_http_sink s;
    symbi_err *err;
} resolver;

static symbi_status missing(symbi_err *err, symbi_str name)
{
    char up[200];
    size_t n = name.n < sizeof up - 1 ? name.n : sizeof up - 1;
    for (size_t i = 0; i < n; i++) up[i] = (char)(name.p[i] >= 'a' && name.p[i] <= 'z' ? name.p[i] - 32 : name.p[i]);
    up[n] = 0;
    return sy_fail(err, SYMBI_ENOTFOUND, "Secret '%.*s' not found (set TOOLCLAD_SECRET_%s)", SY_FMT(name), up);
}

static bool as_of(symbi_str name, sy_http_as *out)
{
    for (unsigned i = 0; i < 6; i++)
        if (sy_str_eqz(name, sy_http_as_names[i])) {
            *out = (sy_http_as)i;
            return true;
        }
    return false;
}

static symbi_status one(resolver *r, const symbi_value *part, const char *where)
{
    symbi_str name = symbi_value_str(part, "secret", (symbi_str){ NULL, 0 });
    const symbi_value *v;
    sy_http_as as;
    const char *why;
    if (part->kind == SYMBI_STRING) {
        (void)sy_http_write(&r->s, SY_AS_TEXT, part->u.s, false);
        return SYMBI_OK;
    }
    if (!name.p || !as_of(symbi_value_str(part, "as", SY_LIT("")), &as)) return sy_fail(r->err, SYMBI_EINVAL, "the plan's %s is malformed", where);
    v = symbi_value_get(r->secrets, name);
    if (!v || v->kind != SYMBI_STRING || !v->u.s.n) return missing(r->err, name);
    why = memchr(v->u.s.p, 0, v->u.s.n) ? "holds a NUL" : as == SY_AS_JSON && !sy_utf8_valid(v->u.s, NULL) ? "is not valid UTF-8" : sy_http_write(&r->s, as, v->u.s, true);
    return why ? sy_fail(r->err, SYMBI_EDENIED, "secret '%.*s', in the %s, %s", SY_FMT(name), where, why) : SYMBI_OK;
}

/* The parts as one text, with a NUL behind. */
static symbi_status text(resolver *r, const symbi_value *parts, const char *where, symbi_str *out)
{
    size_t from = r->s.n;
    symbi_status st;
    if (!parts || parts->kind != SYMBI_ARRAY) return sy_fail(r->err, SYMBI_EINVAL, "the plan's %s is malformed", where);
    for (size_t i = 0; i < parts->u.a.n; i++)
        if ((st = one(r, &parts->u.a.items[i], where))) return st;
    out->n = r->s.n - from;
    out->p = r->s.out ? r->s.out + from : NULL;
    if (r->s.out) r->s.out[r->s.n] = 0;
    r->s.n++;
    return SYMBI_OK;
}

/* All of it; h may be NULL while counting. */
static symbi_status write_all(resolver *r, const symbi_plan *p, symbi_plan_request *q, symbi_plan_header *h)
{
    const symbi_value *headers = symbi_value_getz(p->detail, "headers"), *body = symbi_value_getz(p->detail, "body");
    symbi_status st = text(r, symbi_value_getz(p->detail, "url"), "url", &q->url);
    for (size_t i = 0; !st && i < q->nheaders; i++) {
        const symbi_value *pair = &headers->u.a.items[i];
        symbi_value name;
        symbi_str n, v;
        if (pair->kind != SYMBI_ARRAY || pair->u.a.n != 2) return sy_fail(r->err, SYMBI_EINVAL, "the plan's headers are malformed");
        name = (symbi_value){ .kind = SYMBI_ARRAY, .u = { .a = { &pair->u.a.items[0], 1 } } };
        if ((st = text(r, &name, "headers", &n)) || (st = text(r, &pair->u.a.items[1], "header", &v))) return st;
        if (h) {
            const char *why = v.n ? sy_http_header_problem(v) : NULL;
            if (why) return sy_fail(r->err, SYMBI_EDENIED, "the header %.*s, with its secret, %s", SY_FMT(n), why);
            h[i].name = n;
            h[i].value = v;
        }
    }
    if (!st && body) st = text(r, body, "body", &q->body);
    q->has_body = body != NULL;
    return st;
}

static symbi_status check_url(const symbi_plan_request *q, symbi_err *err)
{
    symbi_url u;
    if (q->url.n > SY_HTTP_URL_MAX) return sy_fail(err, SYMBI_ELIMIT, "the url is longer than %d bytes", SY_HTTP_URL_MAX);
    if (sy_http_dotted(q->url)) return sy_fail(err, SYMBI_EDENIED, "the url, with its secrets, has a path segment '.' or '..'");
    /* its own words would show the url */
    return symbi_url_parse(q->url, &u, NULL) ? sy_fail(err, SYMBI_EDENIED, "the url, with its secrets, cannot be used") : SYMBI_OK;
}

symbi_status symbi_plan_resolve(symbi_ctx *cx, const symbi_plan *p, const symbi_value *secrets, symbi_plan_request *out, symbi_err *err)
{
    const symbi_value *headers = symbi_value_getz(p->detail, "headers"), *most = symbi_value_getz(p->detail, "max_bytes");
    resolver r = { secrets, { NULL, 0 }, err };
    symbi_plan_request q;
    symbi_plan_header *h;
    size_t list;
    symbi_status st;
    memset(out, 0, sizeof *out);
    memset(&q, 0, sizeof q);
    symbi_err_clear(err);
    if (p->kind != SYMBI_BACKEND_HTTP || !p->detail || !headers || headers->kind != SYMBI_ARRAY) return sy_fail(err, SYMBI_EINVAL, "only a plan of kind http is a request");
    for (size_t i = 0; i < p->nsecrets; i++) { /* told by name before anything else, in the order of the plan */
        const symbi_value *v = symbi_value_get(secrets, p->secrets[i]);
        if (!v || v->kind != SYMBI_STRING || !v->u.s.n) return missing(err, p->secrets[i]);
    }
    q.nheaders = headers->u.a.n;
    if ((st = write_all(&r, p, &q, NULL))) return st;
    list = q.nheaders * sizeof *h;
    q.mem_n_ = list + r.s.n;
    q.alloc_ = cx->alloc;
    q.mem_ = sy_alloc(&cx->alloc, q.mem_n_ ? q.mem_n_ : 1);
    if (!q.mem_) return sy_fail_nomem(err);
    h = q.mem_;
    q.headers = h;
    r.s.out = (char *)q.mem_ + list;
    r.s.n = 0;
    st = write_all(&r, p, &q, h);
    if (!st) st = check_url(&q, err);
    if (st) {
        symbi_plan_request_wipe(&q);
        return st;
    }
    q.method = symbi_value_str(p->detail, "method", SY_LIT("GET"));
    q.max_bytes = most && most->kind == SYMBI_INT && most->u.i > 0 ? (size_t)most->u.i : 0;
    q.timeout_ms = p->timeout_ms;
    *out = q;
    return SYMBI_OK;
}

void symbi_plan_request_wipe(symbi_plan_request *r)
{
    if (r->mem_) {
        symbi_wipe(r->mem_, r->mem_n_);
        sy_free(&r->alloc_, r->mem_, r->mem_n_ ? r->mem_n_ : 1);
    }
    memset(r, 0, sizeof *r);
}
