/* io/http_guard.c: the network guard at the socket. The URL is judged before anything happens; each address just before a connection to
 * it is made, in the very form that will be connected to, so that a second answer of a resolver changes nothing; the peer of a kept
 * connection before it is used again, since another policy may have let it be made; and every redirect like a first request. */
#define _GNU_SOURCE
#include "io/http_int.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "symbi/wire.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static symbi_status judge(symbi_xfer *x, const symbi_http_request *rq, symbi_err *err)
{
    symbi_url u;
    symbi_status st = x->by_operator ? symbi_netguard_operator_url(x->guard, rq->url, &x->target, err) : symbi_netguard_check_url(x->guard, rq->url, &x->target, err);
    if (!st) st = symbi_url_parse(rq->url, &u, err);
    if (st) return st == SYMBI_EPARSE ? (err ? (err->code = SYMBI_EINVAL) : SYMBI_EINVAL) : st;
    x->known_target = x->target; /* before any address makes it worse; counts from sy_guard_remember on */
    return SYMBI_OK;
}

void sy_guard_forget(symbi_xfer *x)
{
    if (x->known_url) curl_url_cleanup(x->known_url);
    x->known_url = NULL;
    x->known_n = 0;
}

void sy_guard_remember(symbi_xfer *x)
{
    if (x->again || x->guard || x->hops || x->url.n > sizeof x->known || strcspn(x->url.p, "?#@") != x->url.n) return;
    memcpy(x->known, x->url.p, x->url.n);
    x->known_n = x->url.n;
    x->known_operator = x->by_operator;
}

CURLU *sy_guard_url(symbi_xfer *x)
{
    if (!x->again || !x->ordinary) return NULL;
    if (!x->known_url && (x->known_url = curl_url()) && curl_url_set(x->known_url, CURLUPART_URL, x->url.p, 0)) {
        curl_url_cleanup(x->known_url);
        x->known_url = NULL;
    }
    return x->known_url;
}

symbi_status sy_guard_start(symbi_xfer *x, const symbi_http_request *rq, symbi_err *err)
{
    symbi_http *h = x->h;
    symbi_netguard_options o;
    symbi_status st;
    x->guard = symbi_netguard_ref(rq->guard ? rq->guard : h->guard);
    x->by_operator = rq->by_operator;
    x->vet = x->proxy == SY_PROXY_NONE || (x->proxy == SY_PROXY_ENVIRONMENT && !sy_proxy_in_environment());
    if (rq->route && rq->route->unix_socket.n) x->vet = false;
    x->again = !x->guard && x->known_n && x->known_n == rq->url.n && x->known_operator == x->by_operator && !memcmp(x->known, rq->url.p, rq->url.n);
    if (x->again) {
        x->target = x->known_target;
        st = SYMBI_OK;
    } else {
        sy_guard_forget(x);
        st = judge(x, rq, err);
    }
    if (st) return st;
    symbi_netguard_limits(x->guard, &o);
    if (o.max_bytes && o.max_bytes < x->max) x->max = o.max_bytes;
    if ((!x->by_operator || x->guard) && o.max_header_bytes < x->max_head) x->max_head = o.max_header_bytes;
    if (o.timeout_ms && sy_http_ms() + o.timeout_ms < x->until) x->until = sy_http_ms() + o.timeout_ms;
    sy_buf_adds(&x->url, rq->url);
    return sy_buf_status(&x->url) ? sy_fail_nomem(err) : SYMBI_OK;
}

/* ---- addresses ------------------------------------------------------------------------------------------------------- */
static bool from_sockaddr(const struct sockaddr *sa, size_t n, symbi_netaddr *out)
{
    memset(out, 0, sizeof *out);
    if (sa->sa_family == AF_INET && n >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof in);
        memcpy(out->b, &in.sin_addr, 4);
        return true;
    }
    if (sa->sa_family == AF_INET6 && n >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 in;
        memcpy(&in, sa, sizeof in);
        memcpy(out->b, &in.sin6_addr, 16);
        out->v6 = true;
        out->zone = in.sin6_scope_id;
        return true;
    }
    return false;
}

/* The first refusal is what the transfer ends with, unless another address of the name is fine. */
static bool may_connect(symbi_xfer *x, const symbi_netaddr *a)
{
    symbi_netguard_target t = x->target;
    if (!symbi_netguard_check_addr(x->guard, &t, a, x->refused ? NULL : &x->err)) return true;
    if (!x->refused) x->target.why = t.why;
    x->refused = true;
    return false;
}

static curl_socket_t on_open(void *ud, curlsocktype purpose, struct curl_sockaddr *sa)
{
    symbi_xfer *x = ud;
    symbi_netaddr a;
    int fd;
    (void)purpose;
    if (x->vet && (!from_sockaddr(&sa->addr, sa->addrlen, &a) || !may_connect(x, &a))) return CURL_SOCKET_BAD;
    fd = socket(sa->family, sa->socktype | SOCK_CLOEXEC, sa->protocol);
    if (fd >= 0 && sa->family != AF_UNIX && !sy_kept_open(x->h, fd)) {
        x->no_memory = true;
        close(fd);
        return CURL_SOCKET_BAD;
    }
    return fd;
}

/* The connection is there, new or kept; nothing was sent over it for x yet. */
static int on_peer(void *ud, char *ip, char *local, int port, int local_port)
{
    symbi_xfer *x = ud;
    symbi_netaddr a;
    (void)local, (void)port;
    x->stale = !x->target.tls && !x->fresh && sy_kept_stale(x->h, local_port);
    if (x->stale) return CURL_PREREQFUNC_ABORT;
    if (!x->vet) return CURL_PREREQFUNC_OK;
    if (symbi_netaddr_parse(symbi_str_z(ip), &a, NULL) || !may_connect(x, &a)) {
        if (!x->refused) sy_fail(&x->err, SYMBI_EDENIED, "SSRF: connected to what is no address");
        x->refused = true;
        return CURL_PREREQFUNC_ABORT;
    }
    x->refused = false; /* another address of the name had been refused */
    x->target.why = SYMBI_NETGUARD_NONE;
    symbi_err_clear(&x->err);
    return CURL_PREREQFUNC_OK;
}

CURLcode sy_guard_setopt(symbi_xfer *x)
{
    CURLcode c = curl_easy_setopt(x->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    if (!c) c = curl_easy_setopt(x->easy, CURLOPT_OPENSOCKETDATA, (void *)x);
    if (!c) c = curl_easy_setopt(x->easy, CURLOPT_CLOSESOCKETFUNCTION, sy_kept_close);
    if (!c) c = curl_easy_setopt(x->easy, CURLOPT_CLOSESOCKETDATA, (void *)x->h);
    if (!c) c = curl_easy_setopt(x->easy, CURLOPT_PREREQFUNCTION, on_peer);
    if (!c) c = curl_easy_setopt(x->easy, CURLOPT_PREREQDATA, (void *)x);
    if (!c && x->proxy == SY_PROXY_NONE) c = curl_easy_setopt(x->easy, CURLOPT_PROXY, "");
    return c;
}

symbi_netguard_why symbi_xfer_refused(const symbi_xfer *x) { return x->done && x->why == SYMBI_HTTP_ERROR_DENIED ? x->target.why : SYMBI_NETGUARD_NONE; }

/* ---- redirects ------------------------------------------------------------------------------------------------------- */
static bool may_follow(const symbi_xfer *x, long status)
{
    symbi_netguard_options o;
    if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308) return false;
    symbi_netguard_limits(x->guard, &o);
    return !x->stays && o.max_redirects > 0 && sy_xfer_header(x, "location").n;
}

bool sy_guard_hop_body(symbi_xfer *x)
{
    if (!x->hop) {
        long status = 0;
        curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
        x->hop = may_follow(x, status) ? 'y' : 'n';
    }
    return x->hop == 'y';
}

/* Another origin gets none of the caller's headers but the harmless ones; a request without body says nothing about one. */
static void drop_headers(symbi_xfer *x, bool cross_origin, bool body)
{
    struct curl_slist *l = x->headers_out, **at = &x->headers_out;
    x->headers_out = NULL;
    x->own_agent = false;
    for (; l; l = l->next) {
        size_t n = strcspn(l->data, ":;");
        symbi_str name = { l->data, n };
        bool ours = l->data[n] == ':' && !l->data[n + 1]; /* "Expect:": keeps curl from adding its own */
        bool keep = ours || !cross_origin || symbi_netguard_keeps_header(name);
        if (!body && !ours && (sy_http_nocase(name, "content-type") || sy_http_nocase(name, "content-encoding") || sy_http_nocase(name, "content-language"))) keep = false;
        if (!keep) continue;
        *at = l;
        at = &l->next;
        x->own_agent = x->own_agent || sy_http_nocase(name, "user-agent");
    }
    *at = NULL;
}

sy_hop sy_guard_next(symbi_xfer *x)
{
    symbi_http *h = x->h;
    long status = 0;
    symbi_netguard_hop hop;
    symbi_status st;
    curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
    if (!may_follow(x, status)) return SY_HOP_DONE;
    st = symbi_netguard_redirect(h->cx, x->guard, symbi_str_z(x->method), sy_buf_str(&x->url), x->body_out.n, (int)status, sy_xfer_header(x, "location"), x->hops, &hop, &x->err);
    if (st) {
        x->status = (int)status;
        x->target.why = hop.target.why;
        x->result = st;
        x->why = st == SYMBI_EDENIED ? SYMBI_HTTP_ERROR_DENIED : SYMBI_HTTP_ERROR_OTHER;
        return SY_HOP_FAILED;
    }
    if (!hop.follow) return SY_HOP_DONE;
    curl_multi_remove_handle(h->multi, x->easy);
    x->hops++;
    x->target = hop.target;
    x->by_operator = false; /* the operator named the first URL only */
    if (x->proxy == SY_PROXY_ENVIRONMENT) x->proxy = SY_PROXY_NONE;
    x->vet = x->proxy == SY_PROXY_NONE;
    if (hop.get) {
        strcpy(x->method, "GET");
        sy_buf_clear(&x->body_out);
    }
    drop_headers(x, hop.cross_origin, x->body_out.n > 0);
    sy_buf_clear(&x->url);
    sy_buf_adds(&x->url, symbi_text_str(&hop.url));
    symbi_text_free(&hop.url);
    sy_buf_clear(&x->head);
    x->nlines = x->head_total = x->total = 0;
    x->hop = 0;
    x->refused = x->again = false;
    if (sy_buf_status(&x->url) || sy_guard_setopt(x) || sy_xfer_method(x) || curl_multi_add_handle(h->multi, x->easy)) {
        x->result = sy_fail_nomem(&x->err);
        x->why = SYMBI_HTTP_ERROR_OTHER;
        return SY_HOP_FAILED;
    }
    return SY_HOP_AGAIN;
}
