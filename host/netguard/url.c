/* netguard/url.c: judging URLs and addresses. What a URL means is read as leniently as any client would read it, and refused for
 * that first; then, unless the policy is lenient, for every form that two readers could take differently. */
#include "netguard/netguard.h"

#include "base/err.h"
#include "base/str.h"

#include <stdio.h>

enum { MAX_URL = 16 << 10, MAX_AUTHORITY = 2048 };

const char *symbi_netguard_why_name(symbi_netguard_why w)
{
    switch (w) {
#define NAME(name, num, text, meaning) \
    case SYMBI_NETGUARD_##name: return text;
        SYMBI_NETGUARD_LIST(NAME)
#undef NAME
    default: return "unknown";
    }
}

const char *symbi_netguard_why_text(symbi_netguard_why w)
{
    switch (w) {
#define TEXT(name, num, text, meaning) \
    case SYMBI_NETGUARD_##name: return meaning;
        SYMBI_NETGUARD_LIST(TEXT)
#undef TEXT
    default: return "";
    }
}

/* ---- reading ----------------------------------------------------------------------------------------------------------- */
typedef struct reader {
    const symbi_netguard *g;
    symbi_str url;
    symbi_netguard_target *t;
    symbi_err *err;
    bool operator_says, control, slashes, userinfo, final_dot, bad_port;
    unsigned odd;
} reader;

static symbi_status no_url(reader *r, symbi_netguard_why why, const char *fault)
{
    r->t->why = why;
    return sy_fail(r->err, SYMBI_EPARSE, "Invalid URL '%.*s': %s", SY_FMT(r->url), fault);
}

static symbi_status refuse(reader *r, symbi_netguard_why why, const char *what)
{
    r->t->why = why;
    return sy_fail(r->err, SYMBI_EDENIED, "SSRF: %s", what);
}

static bool skipped(char c) { return c == '\t' || c == '\n' || c == '\r'; }

/* Takes "scheme:" from *p. */
static symbi_status read_scheme(reader *r, const char **p, const char *end)
{
    char scheme[32];
    size_t n = 0;
    const char *q = *p;
    for (; q < end && *q != ':'; q++) {
        char c = *q >= 'A' && *q <= 'Z' ? (char)(*q + 32) : *q;
        if (skipped(c)) continue;
        if (!(c >= 'a' && c <= 'z') && (!n || (!(c >= '0' && c <= '9') && c != '+' && c != '-' && c != '.'))) break;
        if (n + 1 < sizeof scheme) scheme[n++] = c;
    }
    if (q == end || *q != ':' || !n) return no_url(r, SYMBI_NETGUARD_URL, "relative URL without a base");
    scheme[n] = 0;
    *p = q + 1;
    r->t->tls = !strcmp(scheme, "https");
    if (r->t->tls || !strcmp(scheme, "http")) return SYMBI_OK;
    r->t->why = SYMBI_NETGUARD_SCHEME;
    return sy_fail(r->err, SYMBI_EDENIED, "SSRF: only http/https schemes allowed, got '%s'", scheme);
}

static symbi_status read_authority(reader *r, const char *p, const char *end)
{
    char text[MAX_AUTHORITY];
    symbi_str a = { text, 0 };
    size_t slashes = 0, at = SIZE_MAX, colon = SIZE_MAX;
    bool bracket = false;
    const char *fault;
    uint32_t port = 0;
    for (; p < end && (*p == '/' || *p == '\\' || skipped(*p)); p++) {
        if (*p == '\\') r->slashes = true;
        if (!skipped(*p)) slashes++;
    }
    if (slashes != 2) r->slashes = true;
    for (; p < end && *p != '/' && *p != '?' && *p != '#'; p++) {
        if (*p == '\\') {
            r->slashes = true;
            break;
        }
        if (skipped(*p)) continue;
        if (a.n == sizeof text) return no_url(r, SYMBI_NETGUARD_HOST, "the host is too long");
        text[a.n++] = *p;
    }
    for (size_t i = 0; i < a.n; i++)
        if (text[i] == '@') at = i;
    if (at != SIZE_MAX) {
        r->userinfo = true;
        a.p += at + 1;
        a.n -= at + 1;
    }
    for (size_t i = 0; i < a.n && colon == SIZE_MAX; i++) {
        if (a.p[i] == '[') bracket = true;
        if (a.p[i] == ']') bracket = false;
        if (a.p[i] == ':' && !bracket) colon = i;
    }
    r->t->port = r->t->tls ? 443 : 80;
    if (colon != SIZE_MAX) {
        for (size_t i = colon + 1; i < a.n; i++) {
            if (a.p[i] < '0' || a.p[i] > '9') return no_url(r, SYMBI_NETGUARD_PORT, "invalid port number");
            if ((port = port * 10 + (uint32_t)(a.p[i] - '0')) > 65535) return no_url(r, SYMBI_NETGUARD_PORT, "invalid port number");
        }
        if (colon + 1 < a.n) r->t->port = (uint16_t)port;
        r->bad_port = !port;
        a.n = colon;
    }
    if ((fault = sy_net_read_host(a, r->t, &r->odd, &r->final_dot))) return no_url(r, r->odd & SY_ODD_ZONE ? SYMBI_NETGUARD_ZONE : SYMBI_NETGUARD_HOST, fault);
    return SYMBI_OK;
}

/* ---- judging ----------------------------------------------------------------------------------------------------------- */
static bool below(symbi_str name, const char *suffix)
{
    size_t n = strlen(suffix);
    return name.n > n && name.p[name.n - n - 1] == '.' && !memcmp(name.p + name.n - n, suffix, n);
}

static symbi_netguard_why judge_name(symbi_str name)
{
    static const char *const metadata[] = { "metadata.google.internal", "metadata.goog", "metadata.tencentyun.com", "metadata.packet.net", "metadata.platformequinix.com", "instance-data.ec2.internal" };
    static const char *const local[] = { "localhost", "local", "internal", "localdomain", "home.arpa" };
    for (size_t i = 0; i < sizeof metadata / sizeof *metadata; i++)
        if (sy_str_eqz(name, metadata[i])) return SYMBI_NETGUARD_METADATA;
    for (size_t i = 0; i < sizeof local / sizeof *local; i++)
        if (sy_str_eqz(name, local[i]) || below(name, local[i])) return SYMBI_NETGUARD_LOCAL_NAME;
    return sy_str_starts(name, SY_LIT("localhost.")) ? SYMBI_NETGUARD_LOCAL_NAME : SYMBI_NETGUARD_NONE;
}

static symbi_status refuse_addr(symbi_netguard_target *t, const symbi_netaddr *a, symbi_netguard_why why, const symbi_netaddr *inner, symbi_err *err)
{
    char text[SYMBI_NETADDR_TEXT], in[SYMBI_NETADDR_TEXT];
    symbi_netaddr_format(a, text);
    t->why = why;
    if (why == SYMBI_NETGUARD_EMBEDDED) {
        symbi_netaddr_format(inner, in);
        return sy_fail(err, SYMBI_EDENIED, "SSRF: refusing IPv6 literal embedding non-public IPv4 %s (%s)", text, in);
    }
    return sy_fail(err, SYMBI_EDENIED, "SSRF: refusing non-public IPv%d %s", a->v6 ? 6 : 4, text);
}

/* Judges an address that a connection for t would go to. */
static symbi_status judge_addr(const symbi_netguard *g, symbi_netguard_target *t, const symbi_netaddr *given, symbi_err *err)
{
    symbi_netaddr a = sy_netaddr_unmap(given), inner;
    bool exact = false, listed;
    symbi_netguard_why why = symbi_netaddr_class(given, &inner);
    char text[SYMBI_NETADDR_TEXT];
    if (sy_net_match_addr(g, SY_NET_DENY, &a, t->port, NULL) || (why == SYMBI_NETGUARD_EMBEDDED && sy_net_match_addr(g, SY_NET_DENY, &inner, t->port, NULL))) {
        t->why = SYMBI_NETGUARD_DENIED;
        symbi_netaddr_format(given, text);
        return sy_fail(err, SYMBI_EDENIED, "SSRF: the policy denies %s", text);
    }
    listed = sy_net_match_addr(g, SY_NET_ALLOW, &a, t->port, &exact);
    if (why || given->zone) {
        bool metadata = why == SYMBI_NETGUARD_METADATA || (why == SYMBI_NETGUARD_EMBEDDED && symbi_netaddr_class(&inner, NULL) == SYMBI_NETGUARD_METADATA);
        bool own = t->allowed && t->is_addr && sy_netaddr_equal(&t->addr, given); /* the operator wrote this very address */
        if (metadata && !exact && !own) return refuse_addr(t, given, why, &inner, err);
        if (!listed && !t->allowed) {
            if (given->zone && !why) why = SYMBI_NETGUARD_ZONE;
            return refuse_addr(t, given, why, &inner, err);
        }
    }
    if (t->by_addr && !sy_net_match_addr(g, SY_NET_ONLY, &a, t->port, NULL)) {
        t->why = SYMBI_NETGUARD_NOT_LISTED;
        symbi_netaddr_format(given, text);
        return sy_fail(err, SYMBI_EDENIED, "SSRF: %s is in none of the ranges that the policy lists", text);
    }
    return SYMBI_OK;
}

static symbi_status judge_host(reader *r)
{
    symbi_netguard_target *t = r->t;
    const symbi_netguard_options *o = sy_net_options(r->g);
    symbi_str name = { t->host, t->host_n };
    symbi_netguard_why why;
    symbi_status st;
    if (o->https_only && !t->tls) return refuse(r, SYMBI_NETGUARD_SCHEME, "only https is allowed here");
    if (!t->is_addr && sy_net_match_name(r->g, SY_NET_DENY, name, t->port)) {
        t->why = SYMBI_NETGUARD_DENIED;
        return sy_fail(r->err, SYMBI_EDENIED, "SSRF: the policy denies '%s'", t->host);
    }
    t->allowed = r->operator_says || (!t->is_addr && sy_net_match_name(r->g, SY_NET_ALLOW, name, t->port));
    if (t->is_addr) {
        symbi_netaddr a = sy_netaddr_unmap(&t->addr);
        bool exact = false;
        if (sy_net_match_addr(r->g, SY_NET_ALLOW, &a, t->port, &exact) && exact) t->allowed = true;
        if (sy_net_has(r->g, SY_NET_ONLY) && !r->operator_says) t->by_addr = true;
        if ((st = judge_addr(r->g, t, &t->addr, r->err))) return st;
    } else if (!t->allowed && (why = judge_name(name))) {
        t->why = why;
        return sy_fail(r->err, SYMBI_EDENIED, "SSRF: refusing host '%s%s'", t->host, r->final_dot ? "." : "");
    } else if (!r->operator_says && sy_net_has(r->g, SY_NET_ONLY) && !sy_net_match_name(r->g, SY_NET_ONLY, name, t->port)) {
        if (!sy_net_has_range(r->g, SY_NET_ONLY)) {
            t->why = SYMBI_NETGUARD_NOT_LISTED;
            return sy_fail(r->err, SYMBI_EDENIED, "SSRF: the policy does not list '%s'", t->host);
        }
        t->by_addr = true;
    }
    if (o->nports && !r->operator_says) {
        size_t i = 0;
        while (i < o->nports && o->ports[i] != t->port) i++;
        if (i == o->nports) {
            t->why = SYMBI_NETGUARD_PORT;
            return sy_fail(r->err, SYMBI_EDENIED, "SSRF: port %u is not allowed", (unsigned)t->port);
        }
    }
    return SYMBI_OK;
}

/* What two readers could take differently. */
static symbi_status judge_form(reader *r)
{
    symbi_str name = { r->t->host, r->t->host_n };
    if (r->control) return refuse(r, SYMBI_NETGUARD_CONTROL, "a control character or white space in the URL");
    if (r->slashes) return refuse(r, SYMBI_NETGUARD_BACKSLASH, "backslashes, or not exactly two slashes after the scheme");
    if (r->userinfo) return refuse(r, SYMBI_NETGUARD_USERINFO, "user information before the host; put credentials into a header");
    if (r->odd & SY_ODD_ENCODED) return refuse(r, SYMBI_NETGUARD_ENCODED, "a percent escape in the host");
    if (r->odd & SY_ODD_UNICODE) return refuse(r, SYMBI_NETGUARD_UNICODE, "a host outside ASCII; write it in its xn-- form");
    if (r->odd & SY_ODD_NUMBER) return refuse(r, SYMBI_NETGUARD_NUMBER, "a number as host that is no plain IPv4 address");
    if (r->odd & SY_ODD_HOST) return refuse(r, SYMBI_NETGUARD_HOST, "the host is no host name");
    if (r->bad_port) return refuse(r, SYMBI_NETGUARD_PORT, "the port is missing or zero");
    if (!r->t->is_addr && !r->t->allowed && !memchr(name.p, '.', name.n)) {
        static const char *const services[] = { "metadata", "instance-data", "rancher-metadata" };
        r->t->why = SYMBI_NETGUARD_BARE_NAME;
        for (size_t i = 0; i < sizeof services / sizeof *services; i++)
            if (sy_str_eqz(name, services[i])) r->t->why = SYMBI_NETGUARD_METADATA;
        return sy_fail(r->err, SYMBI_EDENIED, "SSRF: refusing host '%s': a name without a dot is one of the local network", r->t->host);
    }
    return SYMBI_OK;
}

static symbi_status check(const symbi_netguard *g, symbi_str url, bool operator_says, symbi_netguard_target *t, symbi_err *err)
{
    reader r = { .g = g, .url = url, .t = t, .err = err, .operator_says = operator_says };
    const char *p = url.p, *end;
    symbi_status st;
    memset(t, 0, sizeof *t);
    if (url.n > MAX_URL) return no_url(&r, SYMBI_NETGUARD_URL, "longer than 16384 bytes");
    if (!url.n) return no_url(&r, SYMBI_NETGUARD_URL, "relative URL without a base");
    end = p + url.n;
    for (size_t i = 0; i < url.n; i++)
        if ((unsigned char)p[i] <= 0x20 || p[i] == 0x7f) r.control = true;
    if (r.control) {
        while (p < end && (unsigned char)*p <= 0x20) p++;
        while (p < end && (unsigned char)end[-1] <= 0x20) end--;
    }
    if ((st = read_scheme(&r, &p, end)) || (st = read_authority(&r, p, end)) || (st = judge_host(&r))) return st;
    return operator_says || !sy_net_options(g)->lenient ? judge_form(&r) : SYMBI_OK;
}

symbi_status symbi_netguard_check_url(const symbi_netguard *g, symbi_str url, symbi_netguard_target *t, symbi_err *err) { return check(g, url, false, t, err); }
symbi_status symbi_netguard_operator_url(const symbi_netguard *g, symbi_str url, symbi_netguard_target *t, symbi_err *err) { return check(g, url, true, t, err); }

symbi_status symbi_netguard_check_addr(const symbi_netguard *g, symbi_netguard_target *t, const symbi_netaddr *a, symbi_err *err)
{
    if (t->is_addr) {
        symbi_netaddr want = sy_netaddr_unmap(&t->addr), got = sy_netaddr_unmap(a);
        if (!sy_netaddr_equal(&want, &got)) {
            char text[SYMBI_NETADDR_TEXT];
            symbi_netaddr_format(a, text);
            t->why = SYMBI_NETGUARD_NO_ADDRESS;
            return sy_fail(err, SYMBI_EDENIED, "SSRF: %s is not the address that was asked for (%s)", text, t->host);
        }
    }
    return judge_addr(g, t, a, err);
}

symbi_status symbi_netguard_pick(const symbi_netguard *g, symbi_netguard_target *t, symbi_netaddr *a, size_t n, size_t *kept, symbi_err *err)
{
    symbi_netguard_why first = SYMBI_NETGUARD_NONE;
    *kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (symbi_netguard_check_addr(g, t, &a[i], *kept || first ? NULL : err)) {
            if (!first) first = t->why;
        } else {
            a[(*kept)++] = a[i];
        }
    }
    if (*kept) {
        t->why = SYMBI_NETGUARD_NONE;
        symbi_err_clear(err);
        return SYMBI_OK;
    }
    t->why = first ? first : SYMBI_NETGUARD_NO_ADDRESS;
    if (first) return SYMBI_EDENIED;
    return sy_fail(err, SYMBI_EDENIED, "SSRF: '%s' has no address", t->host);
}
