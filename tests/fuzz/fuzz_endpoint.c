/* Fuzz target: endpoints of symbi/wire.h. The input is base, endpoint and id, separated by line feeds. What comes out must be a URL of the
 * base's origin, with the prefix once, and an id must stay one segment whatever is in it. */
#include "symbi/wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}

static symbi_str field(symbi_str *all)
{
    const char *e = all->n ? memchr(all->p, '\n', all->n) : NULL;
    symbi_str f = { all->p, e ? (size_t)(e - all->p) : all->n };
    all->p += f.n + (e != NULL);
    all->n -= f.n + (e != NULL);
    return f;
}

static bool same(symbi_str a, symbi_str b) { return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n)); }

static void endpoint(symbi_ctx *cx, symbi_str base, symbi_str path)
{
    symbi_text t = { 0 };
    symbi_url b, u;
    symbi_err err;
    if (symbi_url_endpoint(cx, base, path, &t, &err)) return;
    must(symbi_url_parse(base, &b, &err) == SYMBI_OK && symbi_url_parse(symbi_text_str(&t), &u, &err) == SYMBI_OK);
    must(same(b.host, u.host) && b.port == u.port && b.tls == u.tls);
    if (!b.path.n) {
        must(u.path.n >= 8 && !memcmp(u.path.p, "/api/v1/", 8));
        must(u.path.n < 15 || memcmp(u.path.p + 7, "/api/v1/", 8));
    }
    symbi_text_free(&t);
}

static void escape(symbi_ctx *cx, symbi_str id)
{
    symbi_text t = { 0 }, whole = { 0 };
    symbi_url u;
    symbi_err err;
    if (symbi_url_escape(cx, id, SYMBI_URL_SEGMENT, &t, &err) == SYMBI_OK) {
        must(t.n >= id.n && !memchr(t.p, '/', t.n) && !memchr(t.p, '?', t.n) && !memchr(t.p, '#', t.n));
        must(symbi_url_endpoint(cx, symbi_str_z("http://h/x"), symbi_text_str(&t), &whole, &err) == SYMBI_OK);
        must(symbi_url_parse(symbi_text_str(&whole), &u, &err) == SYMBI_OK && u.path.n == t.n + 3 && !u.has_query && !u.has_fragment);
        symbi_text_free(&whole);
        symbi_text_free(&t);
    }
    if (symbi_url_escape(cx, id, SYMBI_URL_FORM, &t, &err) == SYMBI_OK) {
        must(!t.n || (!memchr(t.p, '&', t.n) && !memchr(t.p, '=', t.n) && !memchr(t.p, ' ', t.n)));
        symbi_text_free(&t);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    symbi_str all = { (const char *)data, size }, base, path;
    symbi_ctx *cx;
    symbi_err err;
    int64_t seconds;
    if (symbi_ctx_new(NULL, &cx, &err)) return 0;
    base = field(&all);
    path = field(&all);
    endpoint(cx, base, path);
    escape(cx, all);
    if (symbi_http_retry_after(all, 1000000, &seconds)) must(seconds >= 0 && seconds <= ((int64_t)1 << 40));
    symbi_ctx_free(cx);
    return 0;
}
