/* wire/endpoint.c: what a client of a REST service needs besides messages: the URL of an endpoint below a base URL, percent-encoding of
 * what is put into one, and Retry-After. An id never changes the route: what two readers of a path could take for another path is
 * encoded, and what no encoding hides (".", "..", nothing, control characters) is refused. */
#include "symbi/wire.h"

#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "wire/chars.h"

enum { MAX_TEXT = 16 << 10, MAX_SEGMENT = 1024 };

static const symbi_str prefix = { "/api/v1", 7 };

/* Takes "/api/v1" off the end of a path, as often as it is there. */
static bool strip_base(symbi_str *s)
{
    bool any = false;
    while (sy_str_ends(*s, prefix)) {
        s->n -= prefix.n;
        any = true;
        while (s->n && s->p[s->n - 1] == '/') s->n--;
    }
    return any;
}

symbi_status symbi_url_endpoint(symbi_ctx *cx, symbi_str base, symbi_str endpoint, symbi_text *out, symbi_err *err)
{
    symbi_url u, whole;
    symbi_str root, path;
    sy_buf b;
    bool ours;
    symbi_status st = symbi_url_parse(base, &u, err);
    if (st) return st;
    if (u.has_query || u.has_fragment) return sy_fail(err, SYMBI_EINVAL, "a base URL has no query and no fragment");
    if (endpoint.n > MAX_TEXT) return sy_fail(err, SYMBI_ELIMIT, "the endpoint is longer than %d bytes", MAX_TEXT);
    root.p = base.p;
    root.n = (size_t)(u.path.p - base.p);
    path = u.path;
    while (path.n && path.p[path.n - 1] == '/') path.n--;
    ours = strip_base(&path) || !path.n;
    sy_buf_init(&b, cx->alloc, (size_t)4 * MAX_TEXT);
    sy_buf_adds(&b, root);
    sy_buf_adds(&b, path);
    if (ours) {
        if (endpoint.n && endpoint.p[0] == '/') {
            endpoint.p++;
            endpoint.n--;
        }
        /* a prefix the caller wrote once more, unless it only begins like it */
        while (sy_str_starts(endpoint, (symbi_str){ prefix.p + 1, prefix.n - 1 }) &&
               (endpoint.n == prefix.n - 1 || endpoint.p[prefix.n - 1] == '/' || endpoint.p[prefix.n - 1] == '?')) {
            bool slash = endpoint.n > prefix.n - 1 && endpoint.p[prefix.n - 1] == '/';
            endpoint.p += prefix.n - 1 + slash;
            endpoint.n -= prefix.n - 1 + slash;
        }
        sy_buf_adds(&b, prefix);
    } else {
        while (endpoint.n && endpoint.p[0] == '/') {
            endpoint.p++;
            endpoint.n--;
        }
    }
    sy_buf_addc(&b, '/');
    sy_buf_adds(&b, endpoint);
    if (!sy_buf_status(&b) && (st = symbi_url_parse((symbi_str){ b.p, b.n }, &whole, err))) {
        sy_buf_free(&b);
        return st;
    }
    return sy_buf_take(&b, out, "the URL", err);
}

symbi_status symbi_url_escape(symbi_ctx *cx, symbi_str text, symbi_url_escape_form form, symbi_text *out, symbi_err *err)
{
    static const char hex[] = "0123456789ABCDEF";
    sy_buf b;
    if (form == SYMBI_URL_SEGMENT) {
        if (!text.n) return sy_fail(err, SYMBI_EINVAL, "it is empty; the request would go to the whole collection");
        if (text.n > MAX_SEGMENT) return sy_fail(err, SYMBI_ELIMIT, "it is longer than %d bytes", MAX_SEGMENT);
        if (sy_str_eqz(text, ".") || sy_str_eqz(text, "..")) return sy_fail(err, SYMBI_EINVAL, "\"%s\" means another path", text.n == 1 ? "." : "..");
        for (size_t i = 0; i < text.n; i++)
            if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f) return sy_fail(err, SYMBI_EINVAL, "it has a control character at byte %u", (unsigned)i + 1);
    }
    sy_buf_init(&b, cx->alloc, (size_t)64 << 20);
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (sy_is_alpha(c) || sy_is_digit(c) || sy_in(c, "-._~")) sy_buf_addc(&b, c);
        else if (c == ' ' && form == SYMBI_URL_FORM) sy_buf_addc(&b, '+');
        else {
            sy_buf_addc(&b, '%');
            sy_buf_addc(&b, hex[(unsigned char)c >> 4]);
            sy_buf_addc(&b, hex[(unsigned char)c & 15]);
        }
    }
    return sy_buf_take(&b, out, "the text", err);
}

bool symbi_http_retry_after(symbi_str value, int64_t now, int64_t *seconds)
{
    int64_t n = 0;
    while (value.n && sy_in(value.p[0], " \t")) {
        value.p++;
        value.n--;
    }
    while (value.n && sy_in(value.p[value.n - 1], " \t")) value.n--;
    if (!value.n) return false;
    if (sy_time_parse_http(value, &n)) {
        *seconds = n > now ? n - now : 0;
        return true;
    }
    for (size_t i = 0; i < value.n; i++) {
        if (!sy_is_digit(value.p[i])) return false;
        if (n < SYMBI_RETRY_AFTER_MAX) n = n * 10 + (value.p[i] - '0');
    }
    *seconds = n < SYMBI_RETRY_AFTER_MAX ? n : SYMBI_RETRY_AFTER_MAX;
    return true;
}
