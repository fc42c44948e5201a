/* Fuzz target: the network guard. First byte 'd': the rest is a DNS message; 'a': an address; else a URL. What is let through is read
 * alike by our own strict URL parser, is no number to inet_aton, and no address that is not public; what a lenient reading lets
 * through is judged all the same; whatever is refused says why. */
#include "symbi/netguard.h"
#include "symbi/wire.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static void url(symbi_ctx *cx, const symbi_netguard *lenient, symbi_str text)
{
    symbi_netguard_target t, w, o;
    symbi_err err;
    symbi_url u;
    symbi_netguard_hop hop;
    symbi_status st = symbi_netguard_check_url(NULL, text, &t, &err);
    must((st == SYMBI_OK) == (t.why == SYMBI_NETGUARD_NONE));
    must(!st || ((st == SYMBI_EDENIED || st == SYMBI_EPARSE) && err.msg[0] && err.code == st));
    if (!st) {
        struct in_addr in;
        must(strlen(t.host) == t.host_n && t.host_n && t.port);
        if (symbi_url_parse(text, &u, NULL) == SYMBI_OK) { /* it may still refuse what the path holds */
            size_t n = u.host.n && u.host.p[u.host.n - 1] == '.' ? u.host.n - 1 : u.host.n;
            must(u.port == t.port && u.tls == t.tls);
            if (!u.ipv6) {
                must(n == t.host_n);
                for (size_t i = 0; i < n; i++) must(lower(u.host.p[i]) == t.host[i]);
            }
        }
        if (t.is_addr) must(symbi_netaddr_class(&t.addr, NULL) == SYMBI_NETGUARD_NONE);
        else must(!inet_aton(t.host, &in) && memchr(t.host, '.', t.host_n));
    }
    st = symbi_netguard_check_url(lenient, text, &w, NULL);
    if (!st && w.is_addr) must(symbi_netaddr_class(&w.addr, NULL) == SYMBI_NETGUARD_NONE);
    if (!st && !w.is_addr) { /* a number to libc is an address to us */
        struct in_addr in;
        must(!inet_aton(w.host, &in));
    }
    if (t.why == SYMBI_NETGUARD_NONE) must(st == SYMBI_OK && !strcmp(t.host, w.host)); /* strict is narrower */
    st = symbi_netguard_operator_url(NULL, text, &o, NULL);
    if (t.why == SYMBI_NETGUARD_NONE) must(st == SYMBI_OK);
    st = symbi_netguard_redirect(cx, lenient, symbi_str_z("GET"), symbi_str_z("http://a.example/b/c"), 0, 302, text, 0, &hop, &err);
    must(st == SYMBI_OK || st == SYMBI_EDENIED || st == SYMBI_ENOMEM);
    if (!st && hop.follow) {
        must(symbi_netguard_check_url(lenient, symbi_text_str(&hop.url), &t, NULL) == SYMBI_OK);
        must(symbi_url_parse(symbi_text_str(&hop.url), &u, NULL) == SYMBI_OK);
    }
    symbi_text_free(&hop.url);
}

static void address(symbi_str text)
{
    symbi_netaddr a, b;
    char buf[SYMBI_NETADDR_TEXT], z[300];
    struct in6_addr in6;
    struct in_addr in;
    if (symbi_netaddr_parse(text, &a, NULL) == SYMBI_OK) {
        symbi_str back = { buf, symbi_netaddr_format(&a, buf) };
        symbi_netaddr inner;
        must(back.n < sizeof buf && symbi_netaddr_parse(back, &b, NULL) == SYMBI_OK && !memcmp(&a, &b, sizeof a));
        if (a.v6 && !a.zone) must(inet_pton(AF_INET6, buf, &in6) == 1 && !memcmp(&in6, a.b, 16));
        if (!a.v6) must(inet_pton(AF_INET, buf, &in) == 1 && !memcmp(&in, a.b, 4));
        (void)symbi_netaddr_class(&a, &inner);
    }
    if (text.n < sizeof z && !memchr(text.p, 0, text.n)) {
        memcpy(z, text.p, text.n);
        z[text.n] = 0;
        if (inet_pton(AF_INET6, z, &in6) == 1) must(symbi_netaddr_parse(text, &a, NULL) == SYMBI_OK && a.v6 && !memcmp(a.b, &in6, 16));
        if (!strpbrk(z, " \t\n\v\f\r") && inet_aton(z, &in)) must(symbi_netaddr_legacy_v4(text, &a) ? !memcmp(a.b, &in, 4) : 0);
    }
}

static void dns(symbi_str m)
{
    static symbi_dns_answer a;
    static const uint16_t types[] = { SYMBI_DNS_A, SYMBI_DNS_AAAA, SYMBI_DNS_TXT };
    for (size_t i = 0; i < 3; i++)
        if (symbi_dns_read(m, symbi_str_z("a.example"), types[i], 0x6162, &a, NULL) == SYMBI_OK) {
            must(a.n <= SYMBI_DNS_ITEMS);
            for (size_t k = 0; k < a.n; k++) {
                symbi_str rest = a.items[k].rdata, part;
                must(rest.p >= m.p && rest.p + rest.n <= m.p + m.n);
                while (symbi_dns_text(&rest, &part)) must(part.p >= m.p && part.p + part.n <= m.p + m.n);
            }
        }
    {
        uint8_t q[SYMBI_DNS_QUERY_MAX];
        size_t n;
        if (symbi_dns_query(m, SYMBI_DNS_A, 7, q, &n, NULL) == SYMBI_OK) must(n <= sizeof q);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static symbi_ctx *cx;
    static symbi_netguard *lenient;
    symbi_str text = { (const char *)data + 1, size - 1 };
    if (!size) return 0;
    if (!cx) {
        symbi_netguard_options o;
        symbi_netguard_options_init(&o);
        o.lenient = true;
        o.max_redirects = 2;
        must(symbi_ctx_new(NULL, &cx, NULL) == SYMBI_OK && symbi_netguard_new(cx, &o, &lenient, NULL) == SYMBI_OK);
    }
    if (data[0] == 'd') dns(text);
    else if (data[0] == 'a') address(text);
    else url(cx, lenient, text);
    return 0;
}
