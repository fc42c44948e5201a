/* toolclad/types_net.c: argument types about the network: ip_address, cidr, url, scope_target (spec toolclad.md 6.3, 6.4).
 * Strict on purpose: a text that another program may read as an address (127.1, 0x7f.0.0.1, 2130706433) is no host name. */
#include "base/chars.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "toolclad/types.h"

bool sy_str_ieqz(symbi_str a, const char *lower)
{
    size_t i;
    for (i = 0; i < a.n && lower[i]; i++) {
        char c = a.p[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c + 32);
        if (c != lower[i]) return false;
    }
    return i == a.n && !lower[i];
}

static bool is_hex(char c) { return sy_hex(c) >= 0; }

/* Four decimal octets, no leading zeros. */
static bool is_ipv4(symbi_str v)
{
    const char *p = v.p, *end = p + v.n, *from;
    if (v.n < 7 || v.n > 15) return false;
    for (int part = 0; part < 4; part++) {
        unsigned n = 0, d;
        if (part && (p == end || *p++ != '.')) return false;
        for (from = p; p < end && (d = (unsigned)*p - '0') < 10; p++) n = n * 10 + d; /* more than three digits are refused, whatever n came to */
        if (p == from || p - from > 3 || n > 255 || (p - from > 1 && *from == '0')) return false;
    }
    return p == end;
}

/* RFC 4291 text: eight groups, one "::", an IPv4 tail; no zone, no brackets. */
static bool is_ipv6(symbi_str v)
{
    size_t i = 0, groups = 0;
    bool gap = false;
    if (v.n >= 2 && v.p[0] == ':' && v.p[1] == ':') {
        gap = true;
        i = 2;
        if (i == v.n) return true;
    }
    for (;;) {
        size_t from = i, digits = 0;
        while (i < v.n && is_hex(v.p[i]) && digits < 5) i++, digits++;
        if (i < v.n && v.p[i] == '.') {
            if (!is_ipv4((symbi_str){ v.p + from, v.n - from })) return false;
            groups += 2;
            break;
        }
        if (digits < 1 || digits > 4) return false;
        groups++;
        if (i == v.n) break;
        if (v.p[i++] != ':') return false;
        if (i < v.n && v.p[i] == ':') {
            if (gap) return false;
            gap = true;
            if (++i == v.n) break;
        }
        if (groups > 8 || i == v.n) return false;
    }
    return gap ? groups < 8 : groups == 8;
}

static bool is_cidr(symbi_str v)
{
    const char *slash = v.n ? memchr(v.p, '/', v.n) : NULL;
    symbi_str ip, len;
    int n = 0;
    if (!slash) return false;
    ip.p = v.p;
    ip.n = (size_t)(slash - v.p);
    len.p = slash + 1;
    len.n = v.n - ip.n - 1;
    if (len.n < 1 || len.n > 3) return false;
    for (size_t i = 0; i < len.n; i++) {
        if (!sy_is_digit(len.p[i])) return false;
        n = n * 10 + (len.p[i] - '0');
    }
    return (is_ipv4(ip) && n <= 32) || (is_ipv6(ip) && n <= 128);
}

/* A label that address parsers take for a number. */
static bool numeric_label(symbi_str l)
{
    bool hex = l.n >= 2 && l.p[0] == '0' && (l.p[1] == 'x' || l.p[1] == 'X');
    for (size_t i = hex ? 2 : 0; i < l.n; i++)
        if (!(hex ? is_hex(l.p[i]) : sy_is_digit(l.p[i]))) return false;
    return true;
}

/* Of letters, digits, '.' and '-' alone. */
static bool is_labels(symbi_str v)
{
    for (size_t from = 0, i = 0; i <= v.n; i++) {
        symbi_str l;
        if (i < v.n && v.p[i] != '.') continue;
        l.p = v.p + from;
        l.n = i - from;
        if (l.n < 1 || l.n > 63 || l.p[0] == '-' || l.p[l.n - 1] == '-') return false;
        if (i == v.n && numeric_label(l)) return false;
        from = i + 1;
    }
    return true;
}

static bool is_hostname(symbi_str v) { return v.n <= 253 && !(sy_classes(v) & SY_HAS_NO_HOST) && is_labels(v); }

symbi_status sy_check_ip_address(const sy_check *c, symbi_str v, symbi_value *out)
{
    if (!is_ipv4(v) && !is_ipv6(v)) return sy_check_bad(c, v, "is not a valid IP address");
    sy_put_str(out, v);
    return SYMBI_OK;
}

symbi_status sy_check_cidr(const sy_check *c, symbi_str v, symbi_value *out)
{
    if (!is_cidr(v)) return sy_check_bad(c, v, "is not valid CIDR notation");
    sy_put_str(out, v);
    return SYMBI_OK;
}

/* ---- url ---- */

static bool url_authority(symbi_str a)
{
    symbi_str host = a;
    size_t i = a.n;
    long port = 0;
    while (i && sy_is_digit(a.p[i - 1])) i--; /* digits of a port, if a ':' stands before them */
    if (i && a.p[i - 1] == ':' && i < a.n) {
        for (size_t k = i; k < a.n; k++) {
            port = port * 10 + (a.p[k] - '0');
            if (port > 65535) return false;
        }
        host.n = i - 1;
    }
    for (size_t k = host.n; k; k--)
        if (host.p[k - 1] == '@') {
            host.p += k;
            host.n -= k;
            break;
        }
    /* what still looks like a port is none: letters, or nothing after the ':' */
    if (host.n && memchr(host.p, ':', host.n)) return false;
    return host.n > 0;
}

symbi_status sy_check_url(const sy_check *c, symbi_str v, symbi_value *out)
{
    symbi_status st = sy_check_meta(c, v, 0);
    symbi_str scheme = { v.p, 0 }, auth;
    size_t i;
    char lower[64], echo[SY_ECHO];
    if (st) return st;
    if (c->classes & SY_HAS_NO_URL) return sy_check_bad(c, v, "is not a valid URL: it has a blank, a control character or a backslash");
    while (scheme.n < v.n && (sy_is_alpha(v.p[scheme.n]) || (scheme.n && (sy_is_digit(v.p[scheme.n]) || memchr("+.-", v.p[scheme.n], 3))))) scheme.n++;
    if (!scheme.n || v.n - scheme.n < 3 || memcmp(v.p + scheme.n, "://", 3) != 0) return sy_check_bad(c, v, "is not a valid URL");
    auth.p = v.p + scheme.n + 3;
    auth.n = 0;
    while (auth.p + auth.n < v.p + v.n && auth.p[auth.n] != '/' && auth.p[auth.n] != '?' && auth.p[auth.n] != '#') auth.n++;
    if (!url_authority(auth)) return sy_check_bad(c, v, "is not a valid URL: the host is missing or the port is wrong");
    if (c->arg->nschemes) {
        sy_buf b;
        if (scheme.n < sizeof lower) {
            for (i = 0; i < scheme.n; i++) lower[i] = (char)(scheme.p[i] >= 'A' && scheme.p[i] <= 'Z' ? scheme.p[i] + 32 : scheme.p[i]);
            lower[scheme.n] = 0;
            for (i = 0; i < c->arg->nschemes; i++)
                if (sy_str_ieqz(c->arg->schemes[i], lower)) {
                    sy_put_str(out, v);
                    return SYMBI_OK;
                }
        }
        sy_buf_init(&b, c->arena->alloc, 4096);
        for (i = 0; i < c->arg->nschemes && b.n < 200; i++) {
            if (i) sy_buf_addz(&b, ", ");
            sy_buf_adds(&b, c->arg->schemes[i]);
        }
        st = sy_fail(c->err, SYMBI_ESCHEMA, "URL scheme '%s' not allowed (allowed: %.*s)", sy_echo(scheme, echo), SY_FMT(sy_buf_str(&b)));
        sy_buf_free(&b);
        return st;
    }
    sy_put_str(out, v);
    return SYMBI_OK;
}

/* ---- scope_target ---- */

static bool is_space(uint32_t cp)
{
    return (cp >= 9 && cp <= 0x0d) || (cp >= 0x1c && cp <= 0x20) || cp == 0x85 || cp == 0xa0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 ||
           cp == 0x2029 || cp == 0x202f || cp == 0x205f || cp == 0x3000;
}

static bool edge_space(symbi_str v)
{
    uint32_t first = 0, last = 0;
    size_t i = v.n;
    (void)sy_utf8_next(v.p, v.n, &first);
    while (i && ((unsigned char)v.p[i - 1] & 0xc0) == 0x80) i--;
    if (i) (void)sy_utf8_next(v.p + i - 1, v.n - i + 1, &last);
    return is_space(first) || is_space(last);
}

static bool contains(symbi_str v, const char *z)
{
    size_t n = strlen(z);
    for (size_t i = 0; i + n <= v.n; i++)
        if (memcmp(v.p + i, z, n) == 0) return true;
    return false;
}

static bool has_punycode(symbi_str v)
{
    for (size_t i = 0; i + 4 <= v.n; i++)
        if ((v.p[i] == 'x' || v.p[i] == 'X') && (i == 0 || v.p[i - 1] == '.') && sy_str_ieqz((symbi_str){ v.p + i, 4 }, "xn--")) return true;
    return false;
}

/* A name or an IPv4 address of letters, digits, '.' and '-' alone. */
static bool is_plain_host(symbi_str v) { return v.n <= 253 && (is_labels(v) || is_ipv4(v)) && !has_punycode(v); }

symbi_status sy_check_scope_target(const sy_check *c, symbi_str v, symbi_value *out)
{
    symbi_status st;
    symbi_err *e = c->err;
    if (!v.n) return sy_fail(e, SYMBI_ESCHEMA, "scope_target must not be empty");
    if (!(c->classes & SY_HAS_NO_HOST) && is_plain_host(v)) { /* nothing of what follows can stand in it */
        sy_put_str(out, v);
        return SYMBI_OK;
    }
    if (c->classes & SY_HAS_SEPARATOR && is_cidr(v)) { /* nor in digits, '.', ':' and one '/' in their places */
        sy_put_str(out, v);
        return SYMBI_OK;
    }
    if (edge_space(v)) return sy_fail(e, SYMBI_ESCHEMA, "scope_target must not contain leading or trailing whitespace");
    if (v.n > 253) return sy_fail(e, SYMBI_ESCHEMA, "scope_target exceeds 253-character limit (RFC 1035 section 2.3.4)");
    if ((st = sy_check_meta(c, v, 0))) return st;
    if (memchr(v.p, '*', v.n) || memchr(v.p, '?', v.n)) return sy_fail(e, SYMBI_ESCHEMA, "scope_target must not contain wildcards; name one target");
    if (contains(v, "../") || contains(v, "..\\") || contains(v, "/..")) return sy_fail(e, SYMBI_ESCHEMA, "scope_target must not contain path traversal sequences");
    if (memchr(v.p, '/', v.n) && !is_cidr(v)) return sy_fail(e, SYMBI_ESCHEMA, "scope_target must not contain '/' (use CIDR notation for ranges)");
    if (memchr(v.p, '\\', v.n)) return sy_fail(e, SYMBI_ESCHEMA, "scope_target must not contain backslash escape sequences");
    for (size_t i = 0; i < v.n; i++)
        if ((unsigned char)v.p[i] >= 0x80) return sy_fail(e, SYMBI_ESCHEMA, "scope_target must be ASCII (internationalised names are refused: lookalikes)");
    if (has_punycode(v)) return sy_fail(e, SYMBI_ESCHEMA, "scope_target must not contain punycode (xn--) labels");
    if (!is_ipv4(v) && !is_ipv6(v) && !is_cidr(v) && !is_hostname(v)) return sy_check_bad(c, v, "is not a valid host name, IP address or CIDR range");
    sy_put_str(out, v);
    return SYMBI_OK;
}
