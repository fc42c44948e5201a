/* symbi/netguard.h: where an agent's requests may go. Pure decisions, no sockets: a URL is read and judged, an address is judged,
 * and a redirect is turned into the next request or refused. Whoever connects does it in this order:
 *   1. symbi_netguard_check_url     before anything else, and again for each redirect (symbi_netguard_redirect does it)
 *   2. resolve once; symbi_netguard_pick (or check_addr for each answer) drops what must not be reached
 *   3. connect to one of those addresses, never to the name
 * The drivers of io/ and lua/symbi/io do all of it; a request says through its guard field which policy applies, and none means
 * the strict one. */
#ifndef SYMBI_NETGUARD_H
#define SYMBI_NETGUARD_H
#include "symbi/ctx.h"
#ifdef __cplusplus
extern "C" {
#endif

/* Why something was refused. Zero: it was not. */
#define SYMBI_NETGUARD_LIST(X)                                                                          \
    X(NONE, 0, "none", "allowed")                                                                       \
    X(URL, 1, "url", "no URL at all")                                                                   \
    X(SCHEME, 2, "scheme", "neither http nor https, or http where only https is allowed")               \
    X(HOST, 3, "host", "a host that is no name and no address")                                         \
    X(USERINFO, 4, "userinfo", "user information before the host")                                      \
    X(CONTROL, 5, "control", "a control character or white space")                                      \
    X(BACKSLASH, 6, "backslash", "a backslash, or slashes that are missing or too many")                \
    X(ENCODED, 7, "encoded", "a percent escape in the host")                                            \
    X(UNICODE, 8, "unicode", "a host outside ASCII")                                                    \
    X(NUMBER, 9, "number", "a number as host that is no plain IPv4 address")                            \
    X(PORT, 10, "port", "a port that is not allowed")                                                   \
    X(LOCAL_NAME, 11, "local_name", "a name of this machine or of the local network")                   \
    X(BARE_NAME, 12, "bare_name", "a name without a dot")                                               \
    X(METADATA, 13, "metadata", "a metadata service of a cloud")                                        \
    X(LOOPBACK, 14, "loopback", "this machine")                                                         \
    X(UNSPECIFIED, 15, "unspecified", "0.0.0.0/8 or ::")                                                \
    X(PRIVATE, 16, "private", "a private network")                                                      \
    X(LINK_LOCAL, 17, "link_local", "link-local")                                                       \
    X(SHARED, 18, "shared", "carrier-grade NAT")                                                        \
    X(DOCUMENTATION, 19, "documentation", "an address of documentation")                                \
    X(BENCHMARK, 20, "benchmark", "a benchmarking network")                                             \
    X(PROTOCOL, 21, "protocol", "an IETF protocol or relay address")                                    \
    X(MULTICAST, 22, "multicast", "multicast")                                                          \
    X(RESERVED, 23, "reserved", "reserved, broadcast or not routed")                                    \
    X(EMBEDDED, 24, "embedded", "an IPv6 address that carries a refused IPv4 address")                  \
    X(ZONE, 25, "zone", "an IPv6 address with a zone")                                                  \
    X(DENIED, 26, "denied", "the policy denies this host")                                              \
    X(NOT_LISTED, 27, "not_listed", "the policy lists the hosts, and this is none of them")             \
    X(NO_ADDRESS, 28, "no_address", "the name has no address, or none that may be reached")             \
    X(REDIRECT, 29, "redirect", "a redirect that may not be followed")
typedef enum symbi_netguard_why {
#define SYMBI_NETGUARD_ENUM(name, num, text, meaning) SYMBI_NETGUARD_##name = num,
    SYMBI_NETGUARD_LIST(SYMBI_NETGUARD_ENUM)
#undef SYMBI_NETGUARD_ENUM
    SYMBI_NETGUARD_MAX_ = 0x7fff
} symbi_netguard_why;
SYMBI_API const char *symbi_netguard_why_name(symbi_netguard_why w);
SYMBI_API const char *symbi_netguard_why_text(symbi_netguard_why w);

/* An IP address. v4: the first four bytes. */
typedef struct symbi_netaddr {
    uint8_t b[16];
    bool v6;
    uint32_t zone; /* scope id; 0 = none */
} symbi_netaddr;
enum { SYMBI_NETADDR_TEXT = 64 };
/* Strict forms only: four decimal parts without leading zeros; RFC 4291 with an optional %zone number. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_netaddr_parse(symbi_str text, symbi_netaddr *out, symbi_err *err);
/* Dotted, or RFC 5952; buf of SYMBI_NETADDR_TEXT bytes. Returns its length. */
SYMBI_API size_t symbi_netaddr_format(const symbi_netaddr *a, char *buf);
/* Any legacy number form of an IPv4 address (decimal, octal, hex; one to four parts; one final dot), as inet_aton and browsers
 * read it. false: no such number. */
SYMBI_API bool symbi_netaddr_legacy_v4(symbi_str host, symbi_netaddr *out);
/* What kind of address this is: NONE for a public one. IPv4 inside IPv6 (mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP)
 * is unwrapped and judged; *inner (may be NULL) is then that address and the answer EMBEDDED. */
SYMBI_API symbi_netguard_why symbi_netaddr_class(const symbi_netaddr *a, symbi_netaddr *inner);

/* ---- policy --------------------------------------------------------------------------------------------------------- */
/* Entries of allow, only and deny: "host", "*.domain" (any depth, not the domain itself), "10.1.2.3", "10.0.0.0/8", "[::1]" or "::1",
 * "fd00::/8"; each but a bare IPv6 or a range may end in ":port".
 * allow: reached although it is not public: a name with whatever address it has, an address, a range. Metadata services are never
 *        opened by a name or a range, only by their own address written out.
 * only:  when not empty, nothing else is reached. deny: refused whatever else is said. */
typedef struct symbi_netguard_options {
    uint32_t size;
    const symbi_str *allow, *only, *deny;
    size_t nallow, nonly, ndeny;
    const uint16_t *ports; /* none: any port */
    size_t nports;
    bool https_only;       /* also for what allow names */
    /* Read URLs as browsers do: user information, control characters, backslashes, escaped and non-ASCII hosts, number forms of public
     * addresses and names without a dot are then no reason by themselves; addresses are judged all the same. For classifying; the
     * drivers refuse such URLs whatever the policy says. */
    bool lenient;
    int max_redirects;     /* 0 = none is followed */
    size_t max_bytes;      /* of a response body; 0 = the transport's own limit */
    size_t max_header_bytes; /* of all response headers; 0 = 64 KiB */
    int64_t timeout_ms;    /* of everything together, redirects included; 0 = the transport's own limit */
} symbi_netguard_options;
SYMBI_API void symbi_netguard_options_init(symbi_netguard_options *o);

/* A policy: immutable, refcounted, from the shared allocator. Wherever one is taken NULL means the strict default. */
typedef struct symbi_netguard symbi_netguard;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_netguard_new(symbi_ctx *cx, const symbi_netguard_options *o, symbi_netguard **out, symbi_err *err);
/* From {allow=[...], only=[...], deny=[...], ports=[...], https_only, lenient, max_redirects, max_bytes, max_header_bytes, timeout_ms};
 * an unknown key is ESCHEMA. */
struct symbi_value;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_netguard_from(symbi_ctx *cx, const struct symbi_value *v, symbi_netguard **out, symbi_err *err);
SYMBI_API symbi_netguard *symbi_netguard_ref(symbi_netguard *g);
SYMBI_API void symbi_netguard_unref(symbi_netguard *g); /* NULL is fine */
/* The scalars as they apply (lists are not given back). */
SYMBI_API void symbi_netguard_limits(const symbi_netguard *g, symbi_netguard_options *out);

/* ---- judging -------------------------------------------------------------------------------------------------------- */
typedef struct symbi_netguard_target {
    char host[256];      /* canonical: lower case, no final dot, no brackets, xn-- labels; NUL-terminated */
    size_t host_n;
    uint16_t port;
    bool tls;
    bool is_addr;        /* the host is an address: addr */
    bool allowed;        /* named by allow, or by the operator: any address but those of metadata services */
    bool by_addr;        /* `only` has ranges but not this name: its address must lie in one of them */
    symbi_netaddr addr;
    symbi_netguard_why why; /* set on refusal */
} symbi_netguard_target;
/* Reads and judges. OK: *t says where to; EDENIED: refused (message "SSRF: ..."); EPARSE: no URL ("Invalid URL '...': ..."); t->why
 * in both cases. No allocation, no look-up. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_netguard_check_url(const symbi_netguard *g, symbi_str url, symbi_netguard_target *t, symbi_err *err);
/* The same for a URL that the operator wrote (a model endpoint, a Vault address): its own host and port are allowed by that; only
 * what two readers would read differently is refused. Never for a URL that came over the wire or from a model. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_netguard_operator_url(const symbi_netguard *g, symbi_str url, symbi_netguard_target *t, symbi_err *err);
/* May a connection for t go to a (and t's port)? For each answer of the resolver, and once more for the address of the connected
 * socket. EDENIED sets t->why. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_netguard_check_addr(const symbi_netguard *g, symbi_netguard_target *t, const symbi_netaddr *a, symbi_err *err);
/* From the resolver's n answers those that may be reached, in the same order, to the front of a; *kept says how many. EDENIED when none is
 * left (the first reason), or there was none (NO_ADDRESS). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_netguard_pick(const symbi_netguard *g, symbi_netguard_target *t, symbi_netaddr *a, size_t n, size_t *kept, symbi_err *err);

/* ---- redirects ------------------------------------------------------------------------------------------------------ */
typedef struct symbi_netguard_hop {
    symbi_text url;              /* where to; free it */
    symbi_netguard_target target;
    bool follow;                 /* false: the answer is no redirect, or the policy follows none: hand it out as it is */
    bool get;                    /* the next request is a GET without body (HEAD stays HEAD) */
    bool cross_origin;           /* send only the headers that symbi_netguard_keeps_header names */
} symbi_netguard_hop;
/* What to do with an answer to `method url` (body_n bytes sent), the hops-th redirect so far (0 for the first answer). EDENIED
 * (REDIRECT or what the new URL is refused for): over the limit, from https to http, or a body that would go to another origin.
 * The new URL is judged as one that came over the wire, also when the operator named the first. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_netguard_redirect(symbi_ctx *cx, const symbi_netguard *g, symbi_str method, symbi_str url, size_t body_n, int status, symbi_str location, int hops, symbi_netguard_hop *out, symbi_err *err);
/* Request headers that may go to another origin: accept, accept-language, user-agent. */
SYMBI_API bool symbi_netguard_keeps_header(symbi_str name);

/* ---- DNS messages, for who must resolve by himself so that addresses can be judged (nginx) --------------------------- */
enum { SYMBI_DNS_A = 1, SYMBI_DNS_TXT = 16, SYMBI_DNS_AAAA = 28, SYMBI_DNS_QUERY_MAX = 12 + 255 + 4 + 16, SYMBI_DNS_ITEMS = 64 };
/* One question, recursion desired; id must be random. Over TCP its length goes before it, two bytes, big-endian. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_dns_query(symbi_str name, uint16_t type, uint16_t id, uint8_t out[SYMBI_DNS_QUERY_MAX], size_t *n, symbi_err *err);
typedef struct symbi_dns_item {
    symbi_netaddr addr; /* A, AAAA */
    symbi_str rdata;    /* as it stands in the message */
} symbi_dns_item;
typedef struct symbi_dns_answer {
    int rcode;          /* 0 fine, 3 no such name, 2 the server failed, ... */
    bool truncated;     /* ask again over TCP */
    uint32_t ttl;       /* the smallest, seconds */
    size_t n;           /* at most SYMBI_DNS_ITEMS; the rest is left out */
    symbi_dns_item items[SYMBI_DNS_ITEMS];
} symbi_dns_answer;
/* Reads the answer to exactly that question (id, name, type; aliases inside the message are followed). EPARSE: it is none, or
 * malformed: wait for another. items borrow from the message. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_dns_read(symbi_str message, symbi_str name, uint16_t type, uint16_t id, symbi_dns_answer *out, symbi_err *err);
/* Takes the next character string from the front of a TXT record's rdata; false at its end (or where it is malformed). */
SYMBI_API bool symbi_dns_text(symbi_str *rdata, symbi_str *out);

#ifdef __cplusplus
}
#endif
#endif
