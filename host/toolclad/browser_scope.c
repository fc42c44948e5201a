/* toolclad/browser_scope.c: may a browser go to this URL? (spec toolclad.md 14, "R URL check"; vectors browser_scope.json.) One strict
 * reading of the URL, byte by byte: what two readers could take for different hosts is refused, whatever the lists say. */
#include "toolclad/browser_scope.h"
#include "base/chars.h"
#include "base/err.h"
#include "base/str.h"
#include "symbi/netguard.h"

static bool alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

/* h is lower case without a final dot: a name of LDH labels (underscores pass), or a plain IPv4 address. */
static const char *check_host(symbi_str h)
{
    size_t start = 0;
    symbi_netaddr a;
    if (!h.n) return "has no host";
    if (h.n > SY_SCOPE_HOST - 1) return "has a host of more than 253 characters";
    for (size_t i = 0; i <= h.n; i++) {
        char c = i < h.n ? h.p[i] : '.';
        if (c == '.') {
            size_t n = i - start;
            if (!n || n > 63) return "has a host with an empty label, or one of more than 63 characters";
            if (h.p[start] == '-' || h.p[i - 1] == '-') return "has a host whose label begins or ends with '-'";
            if (n >= 4 && !memcmp(h.p + start, "xn--", 4)) return "has an internationalised host (xn--)";
            start = i + 1;
        } else if ((unsigned char)c >= 0x80) {
            return "has a host outside ASCII";
        } else if (c == '%') {
            return "has a percent escape in the host";
        } else if (!alnum(c) && c != '-' && c != '_') {
            return "has a host with characters that no host has";
        }
    }
    /* What a browser takes for a number must be written as one. */
    if (symbi_netaddr_legacy_v4(h, &a)) {
        char text[SYMBI_NETADDR_TEXT];
        size_t n = symbi_netaddr_format(&a, text);
        if (n != h.n || memcmp(text, h.p, n)) return "has a number as host that is no plain IPv4 address";
    }
    return NULL;
}

const char *sy_scope_read(symbi_str url, sy_scope_host *o)
{
    size_t i, end, colon;
    symbi_str auth, host;
    uint32_t port = 0;
    const char *bad;
    o->n = 0;
    o->v6 = false;
    if (!url.n) return "is empty";
    for (i = 0; i < url.n; i++) {
        unsigned char c = (unsigned char)url.p[i];
        if (c <= 0x20 || c == 0x7f) return "has white space or a control character";
        if (c == '\\') return "has a backslash";
    }
    for (i = 0; i < url.n && url.p[i] != ':'; i++)
        if (i > 5) break;
    if (i == 4 && sy_lower(url.p[0]) == 'h' && sy_lower(url.p[1]) == 't' && sy_lower(url.p[2]) == 't' && sy_lower(url.p[3]) == 'p') o->tls = false;
    else if (i == 5 && sy_lower(url.p[0]) == 'h' && sy_lower(url.p[1]) == 't' && sy_lower(url.p[2]) == 't' && sy_lower(url.p[3]) == 'p' && sy_lower(url.p[4]) == 's') o->tls = true;
    else return "is neither http nor https";
    if (url.n < i + 3 || url.p[i] != ':' || url.p[i + 1] != '/' || url.p[i + 2] != '/') return "is neither http nor https";
    i += 3;
    for (end = i; end < url.n && !strchr("/?#", url.p[end]); end++) { }
    auth = (symbi_str){ url.p + i, end - i };
    if (auth.n && memchr(auth.p, '@', auth.n)) return "has user information before the host";
    if (auth.n && auth.p[0] == '[') {
        const char *close = memchr(auth.p, ']', auth.n);
        symbi_netaddr a;
        if (!close) return "has an open bracket";
        host = (symbi_str){ auth.p + 1, (size_t)(close - auth.p) - 1 };
        colon = (size_t)(close - auth.p) + 1;
        if (symbi_netaddr_parse(host, &a, NULL) || !a.v6 || a.zone) return "has brackets around what is no IPv6 address";
        o->n = symbi_netaddr_format(&a, o->host);
        o->v6 = true;
    } else {
        const char *c = auth.n ? memchr(auth.p, ':', auth.n) : NULL;
        colon = c ? (size_t)(c - auth.p) : auth.n;
        host = (symbi_str){ auth.p, colon };
        if (host.n && host.p[host.n - 1] == '.') host.n--;
        if (host.n > SY_SCOPE_HOST - 1) return "has a host of more than 253 characters";
        for (size_t k = 0; k < host.n; k++) o->host[k] = sy_lower(host.p[k]);
        o->n = host.n;
        if ((bad = check_host((symbi_str){ o->host, o->n }))) return bad;
    }
    o->host[o->n] = 0;
    if (colon < auth.n) {
        if (auth.p[colon] != ':') return "has something behind the bracket";
        if (colon + 1 == auth.n) return "has an empty port";
        for (size_t k = colon + 1; k < auth.n; k++) {
            if (auth.p[k] < '0' || auth.p[k] > '9' || port > 65535) return "has a port that is none";
            port = port * 10 + (uint32_t)(auth.p[k] - '0');
        }
        if (!port || port > 65535) return "has a port that is none";
    }
    o->port = port ? (uint16_t)port : o->tls ? 443 : 80;
    return NULL;
}

/* An entry in canonical form: *any: "*." stood before it, *tail: ".*" behind it. */
static const char *read_entry(symbi_str s, char out[SY_SCOPE_HOST + 1], size_t *n, bool *any, bool *tail)
{
    symbi_netaddr a;
    bool brackets = false;
    *any = *tail = false;
    if (s.n > 2 && s.p[0] == '*' && s.p[1] == '.') {
        *any = true;
        s.p += 2, s.n -= 2;
    } else if (s.n > 2 && s.p[s.n - 1] == '*' && s.p[s.n - 2] == '.') {
        *tail = true;
        s.n -= 2;
    }
    if (s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']') s.p++, s.n -= 2, brackets = true;
    if (brackets || (!*any && !*tail && s.n && memchr(s.p, ':', s.n))) {
        if (*any || *tail || symbi_netaddr_parse(s, &a, NULL) || !a.v6 || a.zone) return "is no host name and no address (entries have no scheme and no port)";
        *n = symbi_netaddr_format(&a, out);
        out[*n] = 0;
        return NULL;
    }
    if (s.n && s.p[s.n - 1] == '.') s.n--;
    if (s.n > SY_SCOPE_HOST - 1) return "is longer than 253 characters";
    for (size_t k = 0; k < s.n; k++) out[k] = sy_lower(s.p[k]);
    out[*n = s.n] = 0;
    return check_host((symbi_str){ out, s.n }) ? "is no host name and no address" : NULL;
}

const char *sy_scope_entry(symbi_str s, bool tail)
{
    char host[SY_SCOPE_HOST + 1];
    size_t n;
    bool any, behind;
    const char *bad;
    if (sy_str_eqz(s, "*")) return "would be everything: say allow_external = true";
    bad = read_entry(s, host, &n, &any, &behind);
    if (!bad && behind && !tail) bad = "ends in '.*', which only blocked_domains may";
    return bad;
}

/* The first entry of the list that matches host; apex: "*.x" is also x itself. NULL: none. */
static const symbi_value *match(const symbi_value *list, symbi_str host, bool apex)
{
    for (size_t i = 0; list && list->kind == SYMBI_ARRAY && i < list->u.a.n; i++) {
        char e[SY_SCOPE_HOST + 1];
        size_t n;
        bool any, tail;
        const symbi_value *v = &list->u.a.items[i];
        if (v->kind != SYMBI_STRING || read_entry(v->u.s, e, &n, &any, &tail)) continue;
        if (tail) {
            if (host.n > n + 1 && !memcmp(host.p, e, n) && host.p[n] == '.') return v;
        } else if (any) {
            if (host.n > n + 1 && host.p[host.n - n - 1] == '.' && !memcmp(host.p + host.n - n, e, n)) return v;
            if (apex && host.n == n && !memcmp(host.p, e, n)) return v;
        } else if (host.n == n && !memcmp(host.p, e, n)) {
            return v;
        }
    }
    return NULL;
}

/* A list that holds anything but readable entries blocks everything: it comes from a plan, and plans are checked at load. */
static bool sound(const symbi_value *list, bool tail)
{
    if (!list) return true;
    if (list->kind != SYMBI_ARRAY || list->u.a.n > SY_SCOPE_ENTRIES) return false;
    for (size_t i = 0; i < list->u.a.n; i++)
        if (list->u.a.items[i].kind != SYMBI_STRING || sy_scope_entry(list->u.a.items[i].u.s, tail)) return false;
    return true;
}

static void list_text(const symbi_value *list, char *out, size_t cap)
{
    size_t n = 0;
    out[0] = 0;
    for (size_t i = 0; list && list->kind == SYMBI_ARRAY && i < list->u.a.n && n < cap - 1; i++) {
        symbi_str s = list->u.a.items[i].kind == SYMBI_STRING ? list->u.a.items[i].u.s : SY_LIT("?");
        if (n + s.n + 6 >= cap) {
            memcpy(out + n, ", ...", n + 6 <= cap ? 6 : 1);
            return;
        }
        if (i) out[n++] = ',', out[n++] = ' ';
        memcpy(out + n, s.p, s.n);
        out[n += s.n] = 0;
    }
    if (!n) memcpy(out, "none", 5);
}

symbi_status symbi_browser_check_url(const symbi_value *scope, symbi_str url, bool resource, symbi_browser_where *where, symbi_err *err)
{
    const symbi_value *allowed, *blocked, *extra, *external, *hit;
    sy_scope_host h;
    symbi_str host;
    const char *bad;
    char text[160];
    *where = SYMBI_BROWSER_NOWHERE;
    symbi_err_clear(err);
    if (!scope || scope->kind != SYMBI_OBJECT) return sy_fail(err, SYMBI_EDENIED, "Browser navigate denied: manifest defines no [browser.scope]; add allowed_domains");
    allowed = symbi_value_getz(scope, "allowed_domains");
    blocked = symbi_value_getz(scope, "blocked_domains");
    extra = symbi_value_getz(scope, "resource_domains");
    external = symbi_value_getz(scope, "allow_external");
    if (!sound(allowed, false) || !sound(blocked, true) || !sound(extra, false) || (external && external->kind != SYMBI_BOOL)) return sy_fail(err, SYMBI_EDENIED, "the browser's scope cannot be read: everything is denied");
    if ((bad = sy_scope_read(url, &h))) return sy_fail(err, SYMBI_EDENIED, "URL '%.*s' %s", SY_FMT(url), bad);
    host = (symbi_str){ h.host, h.n };
    if ((hit = match(blocked, host, true))) return sy_fail(err, SYMBI_EDENIED, "Domain '%s' is blocked by scope rule '%.*s'", h.host, SY_FMT(hit->u.s));
    if (match(allowed, host, false) || (resource && match(extra, host, false))) {
        *where = SYMBI_BROWSER_INSIDE;
        return SYMBI_OK;
    }
    if (external && external->u.b) {
        *where = SYMBI_BROWSER_OUTSIDE;
        return SYMBI_OK;
    }
    list_text(allowed, text, sizeof text);
    return sy_fail(err, SYMBI_EDENIED, "Domain '%s' not in allowed domains: %s", h.host, text);
}

symbi_status symbi_browser_judge_url(const symbi_value *scope, symbi_str url, bool resource, symbi_browser_where *where, symbi_err *err)
{
    symbi_netguard_target t;
    symbi_status st = symbi_browser_check_url(scope, url, resource, where, err);
    if (st || *where != SYMBI_BROWSER_OUTSIDE) return st;
    st = symbi_netguard_check_url(NULL, url, &t, err);
    if (st) *where = SYMBI_BROWSER_NOWHERE;
    return st == SYMBI_EPARSE ? sy_fail(err, SYMBI_EDENIED, "URL '%.*s' cannot be read", SY_FMT(url)) : st;
}

/* ---- the same for the network stack ---- */

static bool has_wildcard(const symbi_value *list)
{
    for (size_t i = 0; list && list->kind == SYMBI_ARRAY && i < list->u.a.n; i++)
        if (list->u.a.items[i].kind == SYMBI_STRING && list->u.a.items[i].u.s.n && list->u.a.items[i].u.s.p[0] == '*') return true;
    return false;
}

static void each(const symbi_value *list, sy_buf *rules, sy_buf *pac, bool block)
{
    for (size_t i = 0; list && list->kind == SYMBI_ARRAY && i < list->u.a.n; i++) {
        char e[SY_SCOPE_HOST + 1];
        size_t n;
        bool any, tail;
        if (list->u.a.items[i].kind != SYMBI_STRING || read_entry(list->u.a.items[i].u.s, e, &n, &any, &tail)) continue;
        if (block) {
            if (!tail) sy_buf_addf(rules, "MAP %s ~NOTFOUND, ", e);
            if (any) sy_buf_addf(rules, "MAP *.%s ~NOTFOUND, ", e);
            if (tail) sy_buf_addf(rules, "MAP %s.* ~NOTFOUND, ", e);
            if (pac && !tail) sy_buf_addf(pac, "if(h==\"%s\")return d;", e);
            if (pac && any) sy_buf_addf(pac, "if(shExpMatch(h,\"*.%s\"))return d;", e);
            if (pac && tail) sy_buf_addf(pac, "if(shExpMatch(h,\"%s.*\"))return d;", e);
        } else if (any) {
            sy_buf_addf(rules, "EXCLUDE *.%s, ", e); /* an exclusion goes before every MAP: hence the script */
        } else {
            sy_buf_addf(rules, memchr(e, ':', n) ? "MAP [%s] [%s], " : "MAP %s %s, ", e, e);
        }
    }
}

void sy_scope_network(const symbi_value *scope, sy_buf *rules, sy_buf *pac)
{
    const symbi_value *allowed = symbi_value_getz(scope, "allowed_domains"), *blocked = symbi_value_getz(scope, "blocked_domains"), *extra = symbi_value_getz(scope, "resource_domains");
    bool script = (has_wildcard(allowed) || has_wildcard(extra)) && blocked && blocked->kind == SYMBI_ARRAY && blocked->u.a.n;
    if (script) sy_buf_addz(pac, "function FindProxyForURL(u,h){var d=\"PROXY 127.0.0.1:1\";h=h.toLowerCase();");
    each(blocked, rules, script ? pac : NULL, true);
    each(allowed, rules, NULL, false);
    each(extra, rules, NULL, false);
    if (script) sy_buf_addz(pac, "return \"DIRECT\"}");
    sy_buf_addz(rules, "MAP * ~NOTFOUND");
}
