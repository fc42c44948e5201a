/* wire/url.c: http and https URLs. Anything two readers could take differently (user information, backslashes, white space,
 * control characters, bytes above 0x7f, bad escapes, odd hosts) is an error that names the column. */
#include "symbi/wire.h"

#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "wire/chars.h"

enum { MAX_URL = 16 << 10, MAX_HOST = 253 };

static symbi_status bad(symbi_str text, const char *at, symbi_err *err, const char *what)
{
    return sy_fail_at(err, SYMBI_EPARSE, 1, (uint32_t)(at - text.p) + 1, "not a usable URL: %s", what);
}

static bool same_nocase(symbi_str s, const char *z)
{
    size_t n = strlen(z);
    if (s.n != n) return false;
    for (size_t i = 0; i < n; i++)
        if (sy_lower(s.p[i]) != z[i]) return false;
    return true;
}

/* First character of [p, end) that may not stand in a path (extra adds "?" for query and fragment), or NULL. */
static const char *odd_char(const char *p, const char *end, const char *extra)
{
    for (; p < end; p++) {
        if (sy_is_alpha(*p) || sy_is_digit(*p) || sy_in(*p, "-._~!$&'()*+,;=:@/") || sy_in(*p, extra)) continue;
        if (*p != '%' || end - p < 3 || sy_hex(p[1]) < 0 || sy_hex(p[2]) < 0) return p;
        p += 2;
    }
    return NULL;
}

static bool ipv4_ok(symbi_str h)
{
    int parts = 0, v = -1, digits = 0;
    for (size_t i = 0; i <= h.n; i++) {
        if (i < h.n && sy_is_digit(h.p[i])) {
            v = (v < 0 ? 0 : v) * 10 + (h.p[i] - '0');
            if (++digits > 3 || (digits > 1 && h.p[i - (size_t)digits + 1] == '0')) return false;
        } else {
            if (v < 0 || v > 255) return false;
            parts++;
            v = -1;
            digits = 0;
        }
    }
    return parts == 4;
}

static bool ipv6_ok(symbi_str h)
{
    int groups = 0;
    bool gap = false;
    size_t i = 0;
    while (i < h.n) {
        size_t from = i;
        if (h.p[i] == ':') {
            if (i + 1 >= h.n || h.p[i + 1] != ':' || gap) return false;
            gap = true;
            i += 2;
            continue;
        }
        while (i < h.n && sy_hex(h.p[i]) >= 0) i++;
        if (i < h.n && h.p[i] == '.') {
            symbi_str rest = { h.p + from, h.n - from };
            if (!ipv4_ok(rest)) return false;
            groups += 2;
            i = h.n;
            break;
        }
        if (i == from || i - from > 4) return false;
        groups++;
        if (i < h.n) {
            if (h.p[i] != ':') return false;
            if (i + 1 >= h.n) return false; /* ends in a single colon */
            if (h.p[i + 1] != ':') i++;
        }
    }
    return gap ? groups <= 7 : groups == 8;
}

/* Is the label that starts at `from` (a final dot aside) one that some readers take for a number? */
static bool numeric(symbi_str h, size_t from)
{
    size_t n = h.n - (h.p[h.n - 1] == '.');
    bool hex = n - from >= 2 && h.p[from] == '0' && sy_lower(h.p[from + 1]) == 'x';
    for (size_t i = from + (hex ? 2 : 0); i < n; i++)
        if (hex ? sy_hex(h.p[i]) < 0 : !sy_is_digit(h.p[i])) return false;
    return true;
}

/* Registered name or IPv4: labels of letters, digits, hyphens and underscores. A host whose last label is a number must be a
 * full IPv4 address: "127.1" and "0x7f000001" mean different machines to different readers. */
static const char *host_fault(symbi_str h)
{
    size_t label = 0, last = 0;
    if (!h.n) return "the host is missing";
    if (h.n > MAX_HOST) return "the host is longer than 253 bytes";
    for (size_t i = 0; i < h.n; i++) {
        char c = h.p[i];
        if (c == '.') {
            if (label == 0) return "an empty label in the host";
            if (i + 1 < h.n) last = i + 1;
            label = 0;
        } else if (sy_is_alpha(c) || sy_is_digit(c) || c == '-' || c == '_') {
            if (++label > 63) return "a label of the host is longer than 63 bytes";
        } else {
            return "a character that no host name has (names outside ASCII are written in their xn-- form)";
        }
    }
    if (numeric(h, last) && !ipv4_ok(h)) return "a number as host that is no full IPv4 address";
    return NULL;
}

static symbi_status parse_authority(symbi_str text, const char *p, const char *end, symbi_url *u, symbi_err *err)
{
    const char *colon, *fault;
    uint32_t port = 0;
    if (memchr(p, '@', (size_t)(end - p))) return bad(text, p, err, "user information before the host is refused; put credentials into a header");
    if (p < end && *p == '[') {
        const char *close = memchr(p, ']', (size_t)(end - p));
        if (!close) return bad(text, p, err, "the bracket of an IPv6 address is not closed");
        u->host.p = p + 1;
        u->host.n = (size_t)(close - p - 1);
        u->ipv6 = true;
        if (!ipv6_ok(u->host)) return bad(text, p, err, "not an IPv6 address");
        colon = close + 1;
        if (colon < end && *colon != ':') return bad(text, colon, err, "only a port may follow an IPv6 address");
    } else {
        colon = memchr(p, ':', (size_t)(end - p));
        if (!colon) colon = end;
        u->host.p = p;
        u->host.n = (size_t)(colon - p);
        if ((fault = host_fault(u->host))) return bad(text, p, err, fault);
    }
    u->port = u->tls ? 443 : 80;
    if (colon == end) return SYMBI_OK;
    for (p = colon + 1; p < end; p++) {
        if (!sy_is_digit(*p)) return bad(text, p, err, "the port is not a number");
        port = port * 10 + (uint32_t)(*p - '0');
        if (port > 65535) return bad(text, p, err, "the port is larger than 65535");
    }
    if (!port) return bad(text, colon, err, "the port is missing or zero");
    u->port = (uint16_t)port;
    u->has_port = true;
    return SYMBI_OK;
}

symbi_status symbi_url_parse(symbi_str text, symbi_url *u, symbi_err *err)
{
    const char *p = text.p, *end = text.p + text.n, *stop, *odd;
    symbi_status st;
    memset(u, 0, sizeof *u);
    u->path.p = u->query.p = u->fragment.p = "";
    if (!text.n) return sy_fail(err, SYMBI_EPARSE, "the URL is empty");
    if (text.n > MAX_URL) return sy_fail(err, SYMBI_ELIMIT, "the URL is longer than %d bytes", MAX_URL);
    while (p < end && (sy_is_alpha(*p) || sy_is_digit(*p) || sy_in(*p, "+-."))) p++;
    u->scheme.p = text.p;
    u->scheme.n = (size_t)(p - text.p);
    if (end - p < 3 || memcmp(p, "://", 3)) return bad(text, p, err, "it must start with http:// or https://");
    if (same_nocase(u->scheme, "https")) u->tls = true;
    else if (!same_nocase(u->scheme, "http")) return bad(text, text.p, err, "only http and https are supported");
    p += 3;
    for (stop = p; stop < end && !sy_in(*stop, "/?#"); stop++) continue;
    if ((st = parse_authority(text, p, stop, u, err))) {
        memset(u, 0, sizeof *u);
        return st;
    }
    for (p = stop; stop < end && *stop != '?' && *stop != '#'; stop++) continue;
    u->path.p = p;
    u->path.n = (size_t)(stop - p);
    odd = odd_char(p, stop, "");
    if (!odd && stop < end && *stop == '?') {
        for (p = ++stop; stop < end && *stop != '#'; stop++) continue;
        u->query.p = p;
        u->query.n = (size_t)(stop - p);
        u->has_query = true;
        odd = odd_char(p, stop, "?");
    }
    if (!odd && stop < end) {
        u->fragment.p = stop + 1;
        u->fragment.n = (size_t)(end - stop - 1);
        u->has_fragment = true;
        odd = odd_char(stop + 1, end, "?");
    }
    if (!odd) return SYMBI_OK;
    memset(u, 0, sizeof *u);
    return bad(text, odd, err, "a character that must be percent-encoded, or a broken percent escape");
}

static void add_authority(sy_buf *b, const symbi_url *u)
{
    if (u->ipv6) sy_buf_addc(b, '[');
    sy_buf_adds(b, u->host);
    if (u->ipv6) sy_buf_addc(b, ']');
    if (u->port != (u->tls ? 443 : 80)) sy_buf_addf(b, ":%u", (unsigned)u->port);
}

symbi_status symbi_url_authority(symbi_ctx *cx, const symbi_url *u, symbi_text *out, symbi_err *err)
{
    sy_buf b;
    sy_buf_init(&b, cx->alloc, MAX_URL);
    add_authority(&b, u);
    return sy_buf_take(&b, out, "the host", err);
}

/* Appends path without its dot segments (5.2.4); from: where the path starts in b. */
static void add_clean_path(sy_buf *b, symbi_str path)
{
    size_t from = b->n;
    const char *p = path.p, *end = path.p + path.n;
    while (p < end && !sy_buf_status(b)) {
        const char *s = *p == '/' ? p + 1 : p, *e = memchr(s, '/', (size_t)(end - s));
        size_t n;
        if (!e) e = end;
        n = (size_t)(e - s);
        if ((n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.')) {
            if (n == 2) { /* back over the last segment */
                while (b->n > from && b->p[b->n - 1] != '/') b->n--;
                if (b->n > from) b->n--;
            }
            if (e == end) sy_buf_addc(b, '/');
        } else {
            sy_buf_addc(b, '/');
            sy_buf_add(b, s, n);
        }
        p = e;
    }
}

symbi_status symbi_url_join(symbi_ctx *cx, symbi_str base, symbi_str ref, symbi_text *out, symbi_err *err)
{
    symbi_url u, r;
    sy_buf b;
    size_t i = 0, path_n;
    symbi_status st = symbi_url_parse(base, &u, err);
    if (st) return st;
    if (ref.n > MAX_URL) return sy_fail(err, SYMBI_ELIMIT, "the URL is longer than %d bytes", MAX_URL);
    sy_buf_init(&b, cx->alloc, 4 * MAX_URL);
    while (i < ref.n && (sy_is_alpha(ref.p[i]) || (i && (sy_is_digit(ref.p[i]) || sy_in(ref.p[i], "+-."))))) i++;
    if (i && i < ref.n && ref.p[i] == ':') { /* absolute */
        if ((st = symbi_url_parse(ref, &r, err))) return st;
    } else if (ref.n >= 2 && ref.p[0] == '/' && ref.p[1] == '/') { /* same scheme */
        sy_buf_adds(&b, u.scheme);
        sy_buf_addc(&b, ':');
        sy_buf_adds(&b, ref);
        if (sy_buf_status(&b)) return sy_buf_take(&b, out, "the URL", err);
        st = symbi_url_parse(sy_buf_str(&b), &r, err);
        if (st) {
            sy_buf_free(&b);
            return st;
        }
    } else {
        symbi_str path;
        sy_buf merged;
        const char *q = ref.n ? memchr(ref.p, '?', ref.n) : NULL, *f = ref.n ? memchr(ref.p, '#', ref.n) : NULL;
        if (q && f && q > f) q = NULL;
        path_n = q ? (size_t)(q - ref.p) : f ? (size_t)(f - ref.p) : ref.n;
        path.p = ref.p;
        path.n = path_n;
        sy_buf_init(&merged, cx->alloc, 4 * MAX_URL);
        if (!path_n) sy_buf_adds(&merged, u.path);
        else if (path.p[0] != '/') { /* beside the last segment of the base */
            size_t cut = u.path.n;
            while (cut && u.path.p[cut - 1] != '/') cut--;
            sy_buf_add(&merged, cut ? u.path.p : "/", cut ? cut : 1);
            sy_buf_adds(&merged, path);
        } else {
            sy_buf_adds(&merged, path);
        }
        sy_buf_adds(&b, u.scheme);
        sy_buf_addz(&b, "://");
        add_authority(&b, &u);
        if (sy_buf_status(&merged)) b.status = sy_buf_status(&merged);
        else add_clean_path(&b, sy_buf_str(&merged));
        sy_buf_free(&merged);
        if (!path_n && !q && u.has_query) {
            sy_buf_addc(&b, '?');
            sy_buf_adds(&b, u.query);
        }
        if (path_n < ref.n) sy_buf_add(&b, ref.p + path_n, ref.n - path_n);
        if (sy_buf_status(&b)) {
            st = sy_buf_status(&b) == SYMBI_ENOMEM ? sy_fail_nomem(err) : sy_fail(err, SYMBI_ELIMIT, "the URL is longer than %d bytes", MAX_URL);
            sy_buf_free(&b);
            return st;
        }
        if ((st = symbi_url_parse(sy_buf_str(&b), &r, err))) {
            sy_buf_free(&b);
            return st;
        }
        return sy_buf_take(&b, out, "the URL", err);
    }
    { /* absolute in r: written anew with a clean path */
        sy_buf n;
        sy_buf_init(&n, cx->alloc, 4 * MAX_URL);
        sy_buf_adds(&n, r.scheme);
        sy_buf_addz(&n, "://");
        add_authority(&n, &r);
        add_clean_path(&n, r.path);
        if (r.has_query) sy_buf_addc(&n, '?'), sy_buf_adds(&n, r.query);
        if (r.has_fragment) sy_buf_addc(&n, '#'), sy_buf_adds(&n, r.fragment);
        sy_buf_free(&b);
        return sy_buf_take(&n, out, "the URL", err);
    }
}
