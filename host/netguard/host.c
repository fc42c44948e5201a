/* netguard/host.c: the host of a URL as WHATWG reads it: percent escapes, full-width and other compatibility characters, IPv4 in all
 * its number forms, IPv6. Reading it that way is how a disguised address is recognised; a strict policy then also refuses the
 * disguise itself. */
#include "netguard/netguard.h"

#include "base/chars.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/unicode.h"

enum { MAX_RAW = 1024, MAX_POINTS = 2048 };

/* ---- punycode (RFC 3492), one label ------------------------------------------------------------------------------------ */
static bool put(symbi_netguard_target *t, char c)
{
    if (t->host_n + 1 >= sizeof t->host) return false;
    t->host[t->host_n++] = c;
    return true;
}

static uint32_t adapt(uint32_t delta, uint32_t n, bool first)
{
    uint32_t k = 0;
    delta = first ? delta / 700 : delta / 2;
    delta += delta / n;
    for (; delta > 455; k += 36) delta /= 35;
    return k + 36 * delta / (delta + 38);
}

static bool punycode(symbi_netguard_target *t, const int32_t *cp, size_t n)
{
    uint32_t code = 128, delta = 0, bias = 72, done = 0, basic;
    if (!put(t, 'x') || !put(t, 'n') || !put(t, '-') || !put(t, '-')) return false;
    for (size_t i = 0; i < n; i++)
        if (cp[i] < 128) {
            if (!put(t, (char)cp[i])) return false;
            done++;
        }
    basic = done;
    if (basic && !put(t, '-')) return false;
    while (done < n) {
        uint32_t next = 0x7fffffff;
        for (size_t i = 0; i < n; i++)
            if ((uint32_t)cp[i] >= code && (uint32_t)cp[i] < next) next = (uint32_t)cp[i];
        delta += (next - code) * (done + 1); /* at most 0x110000 * 2048: no overflow */
        code = next;
        for (size_t i = 0; i < n; i++) {
            if ((uint32_t)cp[i] < code) delta++;
            if ((uint32_t)cp[i] == code) {
                uint32_t q = delta;
                for (uint32_t k = 36;; k += 36) {
                    uint32_t edge = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias, d;
                    if (q < edge) break;
                    d = edge + (q - edge) % (36 - edge);
                    if (!put(t, (char)(d < 26 ? 'a' + d : '0' + d - 26))) return false;
                    q = (q - edge) / (36 - edge);
                }
                if (!put(t, (char)(q < 26 ? 'a' + q : '0' + q - 26))) return false;
                bias = adapt(delta, done + 1, done == basic);
                delta = 0;
                done++;
            }
        }
        delta++;
        code++;
    }
    return true;
}

/* ---- names ------------------------------------------------------------------------------------------------------------- */
static bool forbidden(int32_t c) { return c <= 0x20 || c == 0x7f || (c < 128 && strchr("#/:<>?@[\\]^|%", c)); }

static const char *write_name(symbi_netguard_target *t, const int32_t *cp, size_t n)
{
    size_t from = 0;
    for (size_t i = 0; i <= n; i++) {
        bool ascii = true;
        if (i < n && cp[i] != '.' && cp[i] != 0x3002) continue;
        for (size_t k = from; k < i; k++) ascii = ascii && cp[k] < 128;
        if (!ascii) {
            if (!punycode(t, cp + from, i - from)) return "the host is too long";
        } else {
            for (size_t k = from; k < i; k++)
                if (!put(t, (char)cp[k])) return "the host is too long";
        }
        if (i < n && !put(t, '.')) return "the host is too long";
        from = i + 1;
    }
    return NULL;
}

static const char *read_name(symbi_str raw, symbi_netguard_target *t, unsigned *odd)
{
    char bytes[MAX_RAW];
    int32_t cp[MAX_POINTS];
    symbi_str s = { bytes, 0 };
    size_t n = 0;
    bool ascii = true;
    const char *fault;
    for (size_t i = 0; i < raw.n; i++) {
        char c = raw.p[i];
        if (c == '%' && raw.n - i > 2 && sy_hex(raw.p[i + 1]) >= 0 && sy_hex(raw.p[i + 2]) >= 0) {
            c = (char)(sy_hex(raw.p[i + 1]) << 4 | sy_hex(raw.p[i + 2]));
            i += 2;
            *odd |= SY_ODD_ENCODED;
        }
        ascii = ascii && (unsigned char)c < 128;
        bytes[s.n++] = c;
    }
    if (ascii) {
        for (; n < s.n; n++) cp[n] = s.p[n] >= 'A' && s.p[n] <= 'Z' ? s.p[n] + 32 : s.p[n];
    } else {
        *odd |= SY_ODD_UNICODE;
        if (!sy_utf8_valid(s, NULL) || !sy_unicode_nfkc(s, SY_NFKC_FOLD | SY_NFKC_STRIP, cp, MAX_POINTS, &n)) return "invalid international domain name";
        if (!n) return "empty host";
    }
    for (size_t i = 0; i < n; i++) {
        if (forbidden(cp[i])) return "invalid domain character";
        if (!(cp[i] >= 'a' && cp[i] <= 'z') && !(cp[i] >= '0' && cp[i] <= '9') && cp[i] != '-' && cp[i] != '_' && cp[i] != '.' && cp[i] < 128) *odd |= SY_ODD_HOST;
    }
    t->host_n = 0;
    fault = write_name(t, cp, n);
    t->host[t->host_n] = 0;
    return fault;
}

const char *sy_net_read_host(symbi_str raw, symbi_netguard_target *t, unsigned *odd, bool *final_dot)
{
    symbi_str host, plain;
    const char *fault;
    size_t label = 0;
    *final_dot = false;
    if (!raw.n) return "empty host";
    if (raw.n > MAX_RAW) return "the host is too long";
    if (raw.p[0] == '[') {
        symbi_str in = { raw.p + 1, raw.n - 2 };
        if (raw.n < 2 || raw.p[raw.n - 1] != ']') return "invalid IPv6 address";
        if (memchr(in.p, '%', in.n)) {
            *odd |= SY_ODD_ZONE;
            return "invalid IPv6 address";
        }
        if (symbi_netaddr_parse(in, &t->addr, NULL) || !t->addr.v6) return "invalid IPv6 address";
        t->is_addr = true;
        t->host_n = symbi_netaddr_format(&t->addr, t->host);
        return NULL;
    }
    if ((fault = read_name(raw, t, odd))) return fault;
    host.p = t->host;
    host.n = t->host_n;
    if (sy_net_ends_in_number(host)) {
        if (!sy_net_whatwg_v4(host, &t->addr)) return "invalid IPv4 address";
        t->is_addr = true;
        t->host_n = symbi_netaddr_format(&t->addr, t->host);
        plain.p = t->host;
        plain.n = t->host_n;
        if (!sy_str_eq(plain, raw)) *odd |= SY_ODD_NUMBER;
        return NULL;
    }
    if (t->host[t->host_n - 1] == '.') {
        t->host[--t->host_n] = 0;
        *final_dot = true;
        if (!t->host_n) return "empty host";
    }
    if (t->host_n > 253) *odd |= SY_ODD_HOST;
    for (size_t i = 0; i <= t->host_n; i++) {
        if (i == t->host_n || t->host[i] == '.') {
            if (!label || label > 63) *odd |= SY_ODD_HOST;
            label = 0;
        } else {
            label++;
        }
    }
    return NULL;
}
