/* netguard/addr.c: IP addresses as text and as bytes, and which of them are not public. The tables are IANA's special-purpose
 * registries, plus the addresses at which clouds serve credentials. */
#include "netguard/netguard.h"

#include "base/chars.h"
#include "base/err.h"
#include "base/str.h"

#include <stdio.h>

/* ---- text ------------------------------------------------------------------------------------------------------------- */
static bool strict_v4(symbi_str s, uint8_t b[4])
{
    size_t i = 0;
    for (int part = 0; part < 4; part++) {
        unsigned v = 0, n = 0;
        if (part && (i >= s.n || s.p[i++] != '.')) return false;
        while (i < s.n && sy_is_digit(s.p[i]) && n < 4) v = v * 10 + (unsigned)(s.p[i++] - '0'), n++;
        if (!n || n > 3 || v > 255 || (n > 1 && s.p[i - n] == '0')) return false;
        b[part] = (uint8_t)v;
    }
    return i == s.n;
}

static bool strict_v6(symbi_str s, uint8_t b[16])
{
    uint8_t head[16] = { 0 };
    size_t i = 0, n = 0, gap = SIZE_MAX;
    if (s.n >= 2 && s.p[0] == ':' && s.p[1] == ':') gap = 0, i = 2;
    while (i < s.n) {
        unsigned v = 0, k = 0;
        size_t from = i;
        if (n == 16) return false;
        while (i < s.n && k < 5 && sy_hex(s.p[i]) >= 0) v = v << 4 | (unsigned)sy_hex(s.p[i++]), k++;
        if (i < s.n && s.p[i] == '.') {
            symbi_str rest = { s.p + from, s.n - from };
            if (n > 12 || !strict_v4(rest, head + n)) return false;
            n += 4;
            i = s.n;
            break;
        }
        if (!k || k > 4) return false;
        head[n++] = (uint8_t)(v >> 8);
        head[n++] = (uint8_t)v;
        if (i == s.n) break;
        if (s.p[i++] != ':' || i == s.n) return false; /* a single colon at the end */
        if (s.p[i] == ':') {
            if (gap != SIZE_MAX) return false;
            gap = n;
            i++;
        }
    }
    if (gap == SIZE_MAX ? n != 16 : n > 14) return false;
    memset(b, 0, 16);
    if (gap == SIZE_MAX) gap = n;
    memcpy(b, head, gap);
    memcpy(b + 16 - (n - gap), head + gap, n - gap);
    return true;
}

symbi_status symbi_netaddr_parse(symbi_str s, symbi_netaddr *out, symbi_err *err)
{
    symbi_netaddr a;
    memset(&a, 0, sizeof a);
    memset(out, 0, sizeof *out);
    if (s.n && strict_v4(s, a.b)) {
        *out = a;
        return SYMBI_OK;
    }
    if (s.n) {
        const char *zone = memchr(s.p, '%', s.n);
        symbi_str host = { s.p, zone ? (size_t)(zone - s.p) : s.n };
        uint64_t id = 0;
        bool ok = !zone || (zone + 1 < s.p + s.n && s.n - host.n <= 11);
        if (zone)
            for (const char *p = zone + 1; p < s.p + s.n; p++) {
                ok = ok && sy_is_digit(*p);
                id = id * 10 + (uint64_t)(*p - '0');
            }
        a.v6 = true;
        a.zone = (uint32_t)id;
        if (ok && id <= UINT32_MAX && strict_v6(host, a.b)) {
            *out = a;
            return SYMBI_OK;
        }
    }
    return sy_fail(err, SYMBI_EPARSE, "no IP address: '%.*s'", SY_FMT(s));
}

size_t symbi_netaddr_format(const symbi_netaddr *a, char *buf)
{
    int best = -1, best_n = 1;
    size_t n = 0;
    if (!a->v6) return (size_t)snprintf(buf, SYMBI_NETADDR_TEXT, "%u.%u.%u.%u", a->b[0], a->b[1], a->b[2], a->b[3]);
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
    if (!memcmp(a->b, mapped, 12)) {
        n = (size_t)snprintf(buf, SYMBI_NETADDR_TEXT, "::ffff:%u.%u.%u.%u", a->b[12], a->b[13], a->b[14], a->b[15]);
    } else {
        for (int i = 0; i < 8; i++) { /* the longest run of zero groups, the first of equals */
            int k = i;
            while (k < 8 && !a->b[2 * k] && !a->b[2 * k + 1]) k++;
            if (k - i > best_n) best = i, best_n = k - i;
        }
        for (int i = 0; i < 8; i++) {
            if (i == best) {
                buf[n++] = ':';
                buf[n++] = ':';
                i += best_n - 1;
                continue;
            }
            n += (size_t)snprintf(buf + n, SYMBI_NETADDR_TEXT - n, "%s%x", n && buf[n - 1] != ':' ? ":" : "", (unsigned)(a->b[2 * i] << 8 | a->b[2 * i + 1]));
        }
        buf[n] = 0;
    }
    if (a->zone) n += (size_t)snprintf(buf + n, SYMBI_NETADDR_TEXT - n, "%%%lu", (unsigned long)a->zone);
    return n;
}

/* One part of a legacy form: decimal, 0-octal, 0x-hex. empty_hex: "0x" alone is 0. */
static bool legacy_part(symbi_str s, bool empty_hex, uint64_t *out)
{
    unsigned base = 10;
    uint64_t v = 0;
    size_t i = 0;
    if (!s.n) return false;
    if (s.n >= 2 && s.p[0] == '0' && (s.p[1] == 'x' || s.p[1] == 'X')) {
        base = 16;
        i = 2;
        if (s.n == 2 && !empty_hex) return false;
    } else if (s.n >= 2 && s.p[0] == '0') {
        base = 8;
        i = 1;
    }
    for (; i < s.n; i++) {
        int d = sy_hex(s.p[i]);
        if (d < 0 || (unsigned)d >= base) return false;
        v = v * base + (unsigned)d;
        if (v > UINT32_MAX) v = (uint64_t)UINT32_MAX + 1; /* too large stays too large */
    }
    *out = v;
    return true;
}

static bool legacy(symbi_str host, bool empty_hex, symbi_netaddr *out)
{
    uint64_t part[4], v = 0;
    size_t n = 0, from = 0;
    memset(out, 0, sizeof *out);
    if (host.n && host.p[host.n - 1] == '.') host.n--;
    if (!host.n) return false;
    for (size_t i = 0; i <= host.n; i++)
        if (i == host.n || host.p[i] == '.') {
            symbi_str s = { host.p + from, i - from };
            if (n == 4 || !legacy_part(s, empty_hex, &part[n++])) return false;
            from = i + 1;
        }
    for (size_t i = 0; i + 1 < n; i++) {
        if (part[i] > 255) return false;
        v |= part[i] << (24 - 8 * i);
    }
    if (part[n - 1] >= (uint64_t)1 << (8 * (5 - n))) return false;
    v |= part[n - 1];
    for (int i = 0; i < 4; i++) out->b[i] = (uint8_t)(v >> (24 - 8 * i));
    return true;
}

bool symbi_netaddr_legacy_v4(symbi_str host, symbi_netaddr *out) { return legacy(host, false, out); }
bool sy_net_whatwg_v4(symbi_str host, symbi_netaddr *out) { return legacy(host, true, out); }

bool sy_net_ends_in_number(symbi_str h)
{
    size_t from;
    symbi_str last;
    uint64_t v;
    bool digits = true;
    if (h.n && h.p[h.n - 1] == '.') h.n--;
    if (!h.n) return false;
    for (from = h.n; from && h.p[from - 1] != '.'; from--) continue;
    last.p = h.p + from;
    last.n = h.n - from;
    for (size_t i = 0; i < last.n; i++) digits = digits && sy_is_digit(last.p[i]);
    return last.n && (digits || legacy_part(last, true, &v));
}

/* ---- kinds -------------------------------------------------------------------------------------------------------------- */
typedef struct range {
    uint8_t b[16];
    uint8_t bits;
    uint8_t why;
} range;

static const range v4_ranges[] = { /* the first that matches decides: single addresses before what they lie in */
    { { 169, 254, 169, 254 }, 32, SYMBI_NETGUARD_METADATA }, /* AWS, Azure, Google and most others */
    { { 169, 254, 170, 2 }, 32, SYMBI_NETGUARD_METADATA },   /* AWS ECS task credentials */
    { { 169, 254, 170, 23 }, 32, SYMBI_NETGUARD_METADATA },  /* AWS EKS pod identity */
    { { 169, 254, 42, 42 }, 32, SYMBI_NETGUARD_METADATA },   /* Scaleway */
    { { 169, 254, 0, 23 }, 32, SYMBI_NETGUARD_METADATA },    /* Tencent */
    { { 100, 100, 100, 200 }, 32, SYMBI_NETGUARD_METADATA }, /* Alibaba */
    { { 192, 0, 0, 192 }, 32, SYMBI_NETGUARD_METADATA },     /* Oracle */
    { { 168, 63, 129, 16 }, 32, SYMBI_NETGUARD_METADATA },   /* Azure's wire server, in a public range */
    { { 127 }, 8, SYMBI_NETGUARD_LOOPBACK },
    { { 0 }, 8, SYMBI_NETGUARD_UNSPECIFIED },
    { { 10 }, 8, SYMBI_NETGUARD_PRIVATE },
    { { 172, 16 }, 12, SYMBI_NETGUARD_PRIVATE },
    { { 192, 168 }, 16, SYMBI_NETGUARD_PRIVATE },
    { { 169, 254 }, 16, SYMBI_NETGUARD_LINK_LOCAL },
    { { 100, 64 }, 10, SYMBI_NETGUARD_SHARED },
    { { 192, 0, 2 }, 24, SYMBI_NETGUARD_DOCUMENTATION },
    { { 198, 51, 100 }, 24, SYMBI_NETGUARD_DOCUMENTATION },
    { { 203, 0, 113 }, 24, SYMBI_NETGUARD_DOCUMENTATION },
    { { 198, 18 }, 15, SYMBI_NETGUARD_BENCHMARK },
    { { 192, 0, 0 }, 24, SYMBI_NETGUARD_PROTOCOL },
    { { 192, 88, 99 }, 24, SYMBI_NETGUARD_PROTOCOL }, /* 6to4 relays */
    { { 224 }, 4, SYMBI_NETGUARD_MULTICAST },
    { { 240 }, 4, SYMBI_NETGUARD_RESERVED }, /* with 255.255.255.255 */
};

static const range v6_ranges[] = {
    { { 0xfd, 0x00, 0x0e, 0xc2, [14] = 2, [15] = 0x54 }, 128, SYMBI_NETGUARD_METADATA }, /* AWS fd00:ec2::254 */
    { { 0xfd, 0x00, 0x0e, 0xc2, [15] = 0x23 }, 128, SYMBI_NETGUARD_METADATA },                     /* AWS EKS fd00:ec2::23 */
    { { 0xfd, 0x20, 0x00, 0xce, [14] = 2, [15] = 0x54 }, 128, SYMBI_NETGUARD_METADATA },           /* Google fd20:ce::254 */
    { { 0 }, 128, SYMBI_NETGUARD_UNSPECIFIED },
    { { [15] = 1 }, 128, SYMBI_NETGUARD_LOOPBACK },
    { { 0xfc }, 7, SYMBI_NETGUARD_PRIVATE },
    { { 0xfe, 0x80 }, 10, SYMBI_NETGUARD_LINK_LOCAL },
    { { 0xfe, 0xc0 }, 10, SYMBI_NETGUARD_PRIVATE }, /* site-local, deprecated */
    { { 0xff }, 8, SYMBI_NETGUARD_MULTICAST },
    { { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 }, 48, SYMBI_NETGUARD_PROTOCOL }, /* NAT64 of the local network: any layout inside */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32, SYMBI_NETGUARD_DOCUMENTATION },
    { { 0x3f, 0xff }, 20, SYMBI_NETGUARD_DOCUMENTATION },
    { { 0x20, 0x01, 0x00, 0x02 }, 48, SYMBI_NETGUARD_BENCHMARK },
};

/* The IPv4 address inside, at byte `at`, for addresses that begin with these bits. */
static const struct {
    uint8_t b[12];
    uint8_t bits, at;
    bool inverted;
} carriers[] = {
    { { [10] = 0xff, [11] = 0xff }, 96, 12, false },           /* mapped */
    { { [8] = 0xff, [9] = 0xff }, 96, 12, false },             /* translated (SIIT) */
    { { 0x00, 0x64, 0xff, 0x9b }, 96, 12, false },             /* NAT64 */
    { { 0 }, 96, 12, false },                                  /* compatible */
    { { 0x20, 0x02 }, 16, 2, false },                          /* 6to4 */
    { { 0x20, 0x01, 0x00, 0x00 }, 32, 12, true },              /* Teredo: the client */
    { { 0x20, 0x01, 0x00, 0x00 }, 32, 4, false },              /* Teredo: the server */
};

static bool prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a, b, whole)) return false;
    return !rest || ((a[whole] ^ b[whole]) & (0xff00u >> rest) & 0xff) == 0;
}

static symbi_netguard_why find(const range *r, size_t n, const uint8_t *b)
{
    for (size_t i = 0; i < n; i++)
        if (prefix(b, r[i].b, r[i].bits)) return (symbi_netguard_why)r[i].why;
    return SYMBI_NETGUARD_NONE;
}

static symbi_netguard_why inside(const uint8_t *b, bool inverted, symbi_netaddr *inner)
{
    symbi_netaddr v4;
    symbi_netguard_why why;
    memset(&v4, 0, sizeof v4);
    for (int i = 0; i < 4; i++) v4.b[i] = inverted ? (uint8_t)~b[i] : b[i];
    why = find(v4_ranges, sizeof v4_ranges / sizeof *v4_ranges, v4.b);
    if (why && inner) *inner = v4;
    return why;
}

symbi_netguard_why symbi_netaddr_class(const symbi_netaddr *a, symbi_netaddr *inner)
{
    static const uint8_t isatap[4] = { 0x00, 0x00, 0x5e, 0xfe };
    bool carried = false;
    symbi_netguard_why why;
    if (inner) memset(inner, 0, sizeof *inner);
    if (!a->v6) return find(v4_ranges, sizeof v4_ranges / sizeof *v4_ranges, a->b);
    if ((why = find(v6_ranges, sizeof v6_ranges / sizeof *v6_ranges, a->b))) return why;
    for (size_t i = 0; i < sizeof carriers / sizeof *carriers; i++)
        if (prefix(a->b, carriers[i].b, carriers[i].bits)) {
            if (inside(a->b + carriers[i].at, carriers[i].inverted, inner)) return SYMBI_NETGUARD_EMBEDDED;
            carried = true;
        }
    if ((a->b[8] & 0xfc) == 0 && a->b[9] == isatap[1] && a->b[10] == isatap[2] && a->b[11] == isatap[3] && inside(a->b + 12, false, inner)) return SYMBI_NETGUARD_EMBEDDED;
    if (carried) return SYMBI_NETGUARD_NONE;
    if (prefix(a->b, (const uint8_t[3]){ 0x20, 0x01, 0x00 }, 23)) return SYMBI_NETGUARD_PROTOCOL; /* 2001::/23: protocol assignments */
    return (a->b[0] & 0xe0) == 0x20 ? SYMBI_NETGUARD_NONE : SYMBI_NETGUARD_RESERVED; /* only 2000::/3 is handed out; 100::/64 discards */
}

symbi_netaddr sy_netaddr_unmap(const symbi_netaddr *a)
{
    symbi_netaddr v4;
    if (!a->v6 || !prefix(a->b, carriers[0].b, 96)) return *a;
    memset(&v4, 0, sizeof v4);
    memcpy(v4.b, a->b + 12, 4);
    return v4;
}

bool sy_netaddr_equal(const symbi_netaddr *a, const symbi_netaddr *b) { return a->v6 == b->v6 && !memcmp(a->b, b->b, a->v6 ? 16 : 4); }
