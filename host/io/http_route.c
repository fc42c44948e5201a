/* io/http_route.c: how a request travels: proxy, certificate authorities, a client's certificate, a Unix socket, the version of HTTP.
 * libcurl keeps connections apart by all of these but the key and its password, which is done here: a request never goes over a
 * connection that was made under other terms. What would keep the network guard from seeing where a guarded request ends up is refused. */
#include "io/http_int.h"

#include "base/err.h"
#include "base/str.h"
#include "symbi/crypto.h"

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

enum { TEXT_MAX = 4096 };

bool sy_proxy_in_environment(void)
{
    static const char *const names[] = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *v = getenv(names[i]);
        if (v && *v) return true;
    }
    return false;
}

static bool plain(symbi_str s, bool spaces)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f || (!spaces && s.p[i] == ' ')) return false;
    return s.n <= TEXT_MAX;
}

static bool begins(symbi_str s, const char *with)
{
    size_t n = strlen(with);
    return s.n > n && !memcmp(s.p, with, n);
}

static symbi_status proxy_of(symbi_xfer *x, symbi_str proxy, bool by_operator, bool through_socket, symbi_err *err)
{
    symbi_http *h = x->h;
    if (through_socket) {
        if (proxy.n && !sy_str_eqz(proxy, "none")) return sy_fail(err, SYMBI_EINVAL, "unix_socket and proxy exclude each other");
        x->proxy = SY_PROXY_NONE;
    } else if (!proxy.n) {
        x->proxy = h->no_proxy ? SY_PROXY_NONE : h->proxy.n ? SY_PROXY_CLIENT : by_operator ? SY_PROXY_ENVIRONMENT : SY_PROXY_NONE;
    } else if (sy_str_eqz(proxy, "none")) {
        x->proxy = SY_PROXY_NONE;
    } else if (sy_str_eqz(proxy, "environment")) {
        if (!by_operator) return sy_fail(err, SYMBI_EINVAL, "proxy \"environment\" is for requests of the operator (by_operator); name the proxy instead");
        x->proxy = SY_PROXY_ENVIRONMENT;
    } else {
        if (!plain(proxy, false) || (!begins(proxy, "http://") && !begins(proxy, "https://") && !begins(proxy, "socks5h://")))
            return sy_fail(err, SYMBI_EINVAL, "proxy must be \"none\", \"environment\", or a URL with http, https or socks5h"); /* never shown: it may hold a password */
        x->proxy = SY_PROXY_ROUTE;
    }
    return SYMBI_OK;
}

symbi_status sy_route_start(symbi_xfer *x, const symbi_http_request *rq, symbi_err *err)
{
    static const symbi_http_route nothing;
    const symbi_http_route *r = rq->route ? rq->route : &nothing;
    const struct {
        const char *name;
        symbi_str s;
    } files[] = { { "ca_file", r->ca_file }, { "ca_path", r->ca_path }, { "client_cert", r->client_cert }, { "client_key", r->client_key }, { "client_key_password", r->client_key_password }, { "unix_socket", r->unix_socket } };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (!plain(files[i].s, true)) return sy_fail(err, SYMBI_EINVAL, "%s is too long, or holds a control character", files[i].name);
    if (r->client_key.n && !r->client_cert.n) return sy_fail(err, SYMBI_EINVAL, "client_key is given without client_cert");
    if (r->client_key_password.n && !r->client_cert.n) return sy_fail(err, SYMBI_EINVAL, "client_key_password is given without client_cert");
    if (r->unix_socket.n && !rq->by_operator) return sy_fail(err, SYMBI_EINVAL, "unix_socket is for requests of the operator (by_operator)");
    if (r->unix_socket.n >= sizeof ((struct sockaddr_un *)0)->sun_path) return sy_fail(err, SYMBI_EINVAL, "the path in unix_socket is longer than a socket's may be");
    if (r->http_version < 0 || r->http_version > 2) return sy_fail(err, SYMBI_EINVAL, "http_version must be 0, 1 or 2");
    x->stays = r->unix_socket.n || r->client_cert.n;
    return proxy_of(x, r->proxy, rq->by_operator, r->unix_socket.n > 0, err);
}

/* ---- keys ---------------------------------------------------------------------------------------------------------------- */
static symbi_status digest(symbi_xfer *x, symbi_str a, symbi_str b, uint8_t out[32])
{
    symbi_status st;
    sy_buf t;
    sy_buf_init(&t, x->alloc, 2 * TEXT_MAX + 1);
    sy_buf_adds(&t, a);
    sy_buf_addc(&t, 0);
    sy_buf_adds(&t, b);
    st = sy_buf_status(&t);
    if (!st) st = symbi_sha256(x->h->cx, sy_buf_str(&t), out, NULL);
    if (t.p) memset(t.p, 0, t.n);
    sy_buf_free(&t);
    return st;
}

/* The first key that is used with a certificate owns the kept connections; another one gets fresh ones, which are not kept. */
static symbi_status show(symbi_xfer *x, const symbi_http_route *r)
{
    symbi_http *h = x->h;
    uint8_t key[32];
    size_t i;
    const symbi_str none = { "", 0 };
    symbi_status st = digest(x, r->client_cert, none, x->cert);
    if (!st) st = digest(x, r->client_key.n ? r->client_key : r->client_cert, r->client_key_password, key);
    if (st) return st;
    x->showing = true;
    for (i = 0; i < h->nshown && memcmp(h->shown[i].cert, x->cert, 32); i++) continue;
    if (i == sizeof h->shown / sizeof *h->shown) {
        x->apart = true;
    } else if (i == h->nshown) {
        memcpy(h->shown[i].cert, x->cert, 32);
        memcpy(h->shown[i].key, key, 32);
        h->nshown++;
    } else {
        x->apart = memcmp(h->shown[i].key, key, 32) != 0;
    }
    return SYMBI_OK;
}

void sy_route_failed(symbi_xfer *x)
{
    symbi_http *h = x->h;
    if (!x->showing || x->apart) return;
    for (size_t i = 0; i < h->nshown; i++)
        if (!memcmp(h->shown[i].cert, x->cert, 32)) {
            h->shown[i] = h->shown[--h->nshown];
            return;
        }
}

/* ---- in curl's terms ------------------------------------------------------------------------------------------------------ */
/* A string option from a counted text. */
static CURLcode text(symbi_xfer *x, CURLcode c, CURLoption o, symbi_str s)
{
    sy_buf b;
    if (c) return c;
    sy_buf_init(&b, x->alloc, TEXT_MAX + 1);
    sy_buf_adds(&b, s);
    sy_buf_addc(&b, 0);
    c = sy_buf_status(&b) ? CURLE_OUT_OF_MEMORY : curl_easy_setopt(x->easy, o, b.p); /* which copies it */
    if (b.p) memset(b.p, 0, b.n);
    sy_buf_free(&b);
    return c;
}

bool sy_route_plain(const symbi_xfer *x, const symbi_http_route *r)
{
    if (x->proxy != SY_PROXY_NONE || x->h->ca.n) return false;
    return !r || (!r->ca_file.n && !r->ca_path.n && !r->client_cert.n && !r->client_key.n && !r->client_key_password.n && !r->unix_socket.n && !r->http_version);
}

CURLcode sy_route_setopt(symbi_xfer *x, const symbi_http_route *r)
{
    static const symbi_http_route nothing;
    symbi_http *h = x->h;
    CURL *e = x->easy;
    CURLcode c = CURLE_OK;
    symbi_str file, path;
    const symbi_str none = { "", 0 };
    if (!r) r = &nothing;
#define SET(o, v) \
    c = c ? c : curl_easy_setopt(e, o, v)
    if (x->proxy == SY_PROXY_CLIENT) SET(CURLOPT_PROXY, h->proxy.p);
    if (x->proxy == SY_PROXY_ROUTE) c = text(x, c, CURLOPT_PROXY, r->proxy);
    if (x->proxy == SY_PROXY_CLIENT || x->proxy == SY_PROXY_ROUTE) SET(CURLOPT_NOPROXY, ""); /* else the environment's makes exceptions that nobody judged */
    file = r->ca_file.n || r->ca_path.n ? r->ca_file : sy_buf_str(&h->ca);
    path = r->ca_path;
    if (file.n || path.n) { /* these alone */
        SET(CURLOPT_CAINFO, NULL);
        SET(CURLOPT_CAPATH, NULL);
        SET(CURLOPT_PROXY_CAINFO, NULL);
        SET(CURLOPT_PROXY_CAPATH, NULL);
        if (file.n) c = text(x, text(x, c, CURLOPT_CAINFO, file), CURLOPT_PROXY_CAINFO, file);
        if (path.n) c = text(x, text(x, c, CURLOPT_CAPATH, path), CURLOPT_PROXY_CAPATH, path);
    }
    if (r->client_cert.n) {
        if (!c && show(x, r)) c = CURLE_OUT_OF_MEMORY;
        if (x->apart) SET(CURLOPT_FORBID_REUSE, 1L);
        c = text(x, c, CURLOPT_SSLCERT, r->client_cert);
        c = text(x, c, CURLOPT_SSLKEY, r->client_key.n ? r->client_key : r->client_cert);
        c = text(x, c, CURLOPT_KEYPASSWD, r->client_key_password.n ? r->client_key_password : none); /* without one OpenSSL asks the terminal */
    }
    if (r->unix_socket.n) c = text(x, c, CURLOPT_UNIX_SOCKET_PATH, r->unix_socket);
    if (r->http_version == 1) SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    if (r->http_version == 2) {
        SET(CURLOPT_HTTP_VERSION, x->target.tls ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
        SET(CURLOPT_PIPEWAIT, 1L);
    }
#undef SET
    return c;
}
