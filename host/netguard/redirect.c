/* netguard/redirect.c: what a redirect becomes: the next request, judged like the first, or a refusal. */
#include "netguard/netguard.h"

#include "base/err.h"
#include "base/str.h"
#include "symbi/wire.h"

static bool same_nocase(symbi_str a, const char *lower)
{
    size_t n = strlen(lower);
    if (a.n != n) return false;
    for (size_t i = 0; i < n; i++)
        if ((a.p[i] >= 'A' && a.p[i] <= 'Z' ? a.p[i] + 32 : a.p[i]) != lower[i]) return false;
    return true;
}

bool symbi_netguard_keeps_header(symbi_str name) { return same_nocase(name, "accept") || same_nocase(name, "accept-language") || same_nocase(name, "user-agent"); }

static symbi_status refuse(symbi_netguard_hop *h, symbi_err *err, const char *what)
{
    h->target.why = SYMBI_NETGUARD_REDIRECT;
    return sy_fail(err, SYMBI_EDENIED, "SSRF: %s", what);
}

/* Has it a scheme of its own? Then it is judged as it stands, so that the error speaks of what was sent. */
static bool absolute(symbi_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == ':') return i > 0;
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (i && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.')))) return false;
    }
    return false;
}

static symbi_status decide(const symbi_netguard *g, symbi_str method, symbi_str url, size_t body_n, int status, symbi_netguard_hop *h, symbi_err *err)
{
    symbi_netguard_target from;
    symbi_str to = symbi_text_str(&h->url);
    const char *mark = to.n ? memchr(to.p, '#', to.n) : NULL;
    symbi_status st;
    if (mark) { /* a fragment stays with the reader */
        h->url.n = (size_t)(mark - to.p);
        h->url.p[h->url.n] = 0;
        to.n = h->url.n;
    }
    if ((st = symbi_netguard_operator_url(NULL, url, &from, err))) return st;
    if ((st = symbi_netguard_check_url(g, to, &h->target, err))) return st == SYMBI_EPARSE ? (err ? (err->code = SYMBI_EDENIED) : SYMBI_EDENIED) : st;
    if (from.tls && !h->target.tls) return refuse(h, err, "a redirect from https to http");
    h->cross_origin = from.tls != h->target.tls || from.port != h->target.port || from.host_n != h->target.host_n || memcmp(from.host, h->target.host, from.host_n);
    if (status == 303) h->get = !same_nocase(method, "head") && !same_nocase(method, "get");
    else if (status != 307 && status != 308) h->get = same_nocase(method, "post");
    if (h->cross_origin && body_n && !h->get) return refuse(h, err, "a redirect would send the request's body to another origin");
    h->follow = true;
    return SYMBI_OK;
}

symbi_status symbi_netguard_redirect(symbi_ctx *cx, const symbi_netguard *g, symbi_str method, symbi_str url, size_t body_n, int status, symbi_str location, int hops, symbi_netguard_hop *h, symbi_err *err)
{
    const symbi_netguard_options *o = sy_net_options(g);
    symbi_netguard_target t;
    symbi_status st;
    memset(h, 0, sizeof *h);
    if ((status != 301 && status != 302 && status != 303 && status != 307 && status != 308) || !location.n || o->max_redirects <= 0) return SYMBI_OK;
    if (hops >= o->max_redirects) {
        h->target.why = SYMBI_NETGUARD_REDIRECT;
        return sy_fail(err, SYMBI_EDENIED, "SSRF: more than %d redirects", o->max_redirects);
    }
    if (absolute(location) && (st = symbi_netguard_check_url(g, location, &t, err))) {
        h->target.why = t.why;
        if (err) err->code = SYMBI_EDENIED;
        return SYMBI_EDENIED;
    }
    st = symbi_url_join(cx, url, location, &h->url, err);
    if (st == SYMBI_ENOMEM) return st;
    if (st) {
        symbi_err why = { 0 };
        if (err) why = *err;
        h->target.why = SYMBI_NETGUARD_REDIRECT;
        return sy_fail(err, SYMBI_EDENIED, "SSRF: a redirect to no usable URL: %s", why.msg);
    }
    st = decide(g, method, url, body_n, status, h, err);
    if (st) symbi_text_free(&h->url);
    return st;
}
