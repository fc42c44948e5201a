/* netguard/netguard.h: what the files of the guard share. */
#ifndef SY_NETGUARD_H
#define SY_NETGUARD_H
#include "base/arena.h"
#include "base/ref.h"
#include "symbi/netguard.h"

enum { SY_NET_LISTS = 3, SY_NET_ALLOW = 0, SY_NET_ONLY = 1, SY_NET_DENY = 2 };

/* One entry of a list: a name, everything below a name, or a range of addresses. */
typedef struct sy_net_entry {
    symbi_str name; /* lower case, no final dot; for a suffix with its leading dot; p NULL: a range */
    bool suffix;
    symbi_netaddr net;
    unsigned bits;
    uint16_t port; /* 0 = any */
} sy_net_entry;

typedef struct sy_net_list {
    sy_net_entry *e;
    size_t n;
    bool has_range;
} sy_net_list;

struct symbi_netguard {
    sy_ref refs;
    symbi_alloc alloc;
    sy_arena arena;
    sy_net_list list[SY_NET_LISTS];
    symbi_netguard_options o; /* scalars; ports points into the arena */
};

const symbi_netguard_options *sy_net_options(const symbi_netguard *g); /* also of NULL */
bool sy_net_match_name(const symbi_netguard *g, int list, symbi_str name, uint16_t port);
/* exact (may be NULL): the entry is this one address, not a wider range. */
bool sy_net_match_addr(const symbi_netguard *g, int list, const symbi_netaddr *a, uint16_t port, bool *exact);
bool sy_net_has(const symbi_netguard *g, int list);
bool sy_net_has_range(const symbi_netguard *g, int list);

/* ::ffff:a.b.c.d as a.b.c.d; anything else unchanged. */
symbi_netaddr sy_netaddr_unmap(const symbi_netaddr *a);
bool sy_netaddr_equal(const symbi_netaddr *a, const symbi_netaddr *b); /* zones aside */

/* The last label of a host is a number, so that WHATWG takes the host for an IPv4 address or for nothing. */
bool sy_net_ends_in_number(symbi_str host);
/* inet_aton as browsers have it ("0x" is 0), one final dot allowed. */
bool sy_net_whatwg_v4(symbi_str host, symbi_netaddr *out);

/* The host of an authority in WHATWG's reading. raw: as written, brackets included. Into t: host, is_addr, addr. Sets the bits of
 * *odd for what only a lenient reading lets pass. NULL on success, else what is wrong (in url's words). */
enum { SY_ODD_ENCODED = 1, SY_ODD_UNICODE = 2, SY_ODD_NUMBER = 4, SY_ODD_HOST = 8, SY_ODD_ZONE = 16 };
const char *sy_net_read_host(symbi_str raw, symbi_netguard_target *t, unsigned *odd, bool *final_dot);
#endif
