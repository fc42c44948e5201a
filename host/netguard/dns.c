/* netguard/dns.c: DNS messages (RFC 1035), for places that must resolve by themselves so that addresses can be judged before a
 * connection is made. What comes in may be anything; an answer counts only when it is the answer to what was asked. */
#include "netguard/netguard.h"

#include "base/chars.h"
#include "base/err.h"
#include "base/str.h"

enum { MAX_JUMPS = 32, MAX_CHAIN = 16, HEADER = 12 };

static unsigned u16(const uint8_t *p) { return (unsigned)p[0] << 8 | p[1]; }

symbi_status symbi_dns_query(symbi_str name, uint16_t type, uint16_t id, uint8_t out[SYMBI_DNS_QUERY_MAX], size_t *n, symbi_err *err)
{
    size_t k = HEADER, label;
    if (name.n && name.p[name.n - 1] == '.') name.n--;
    if (!name.n || name.n > 253) return sy_fail(err, SYMBI_EINVAL, "no DNS name: '%.*s'", SY_FMT(name));
    memset(out, 0, HEADER);
    out[0] = (uint8_t)(id >> 8);
    out[1] = (uint8_t)id;
    out[2] = 1; /* recursion desired */
    out[5] = 1; /* one question */
    for (size_t i = 0; i <= name.n; i = label + 1) {
        for (label = i; label < name.n && name.p[label] != '.'; label++) continue;
        if (label == i || label - i > 63) return sy_fail(err, SYMBI_EINVAL, "no DNS name: '%.*s'", SY_FMT(name));
        out[k++] = (uint8_t)(label - i);
        memcpy(out + k, name.p + i, label - i);
        k += label - i;
    }
    out[k++] = 0;
    out[k++] = (uint8_t)(type >> 8);
    out[k++] = (uint8_t)type;
    out[k++] = 0;
    out[k++] = 1; /* IN */
    *n = k;
    return SYMBI_OK;
}

/* The name at *at as lower-case text; *at moves behind it. Pointers lead backward only, so that they end. */
static bool read_name(symbi_str m, size_t *at, char out[256], size_t *n)
{
    const uint8_t *p = (const uint8_t *)m.p;
    size_t i = *at, floor = *at;
    bool jumped = false;
    *n = 0;
    for (int jumps = 0;;) {
        if (i >= m.n) return false;
        if ((p[i] & 0xc0) == 0xc0) {
            size_t to;
            if (i + 1 >= m.n || ++jumps > MAX_JUMPS) return false;
            to = (size_t)(p[i] & 0x3f) << 8 | p[i + 1];
            if (!jumped) *at = i + 2;
            jumped = true;
            if (to >= floor) return false;
            floor = i = to;
            continue;
        }
        if (p[i] & 0xc0) return false;
        if (!p[i]) break;
        if (i + 1 + p[i] > m.n || *n + p[i] + 1 > 254) return false;
        if (*n) out[(*n)++] = '.';
        for (size_t k = 1; k <= p[i]; k++) {
            char c = sy_lower((char)p[i + k]);
            out[(*n)++] = c == '.' || !c ? '\\' : c; /* a dot inside a label ends no label */
        }
        i += 1u + p[i];
    }
    if (!jumped) *at = i + 1;
    out[*n] = 0;
    return true;
}

static bool same(symbi_str asked, const char *name, size_t n)
{
    if (asked.n && asked.p[asked.n - 1] == '.') asked.n--;
    if (asked.n != n) return false;
    for (size_t i = 0; i < n; i++)
        if (sy_lower(asked.p[i]) != name[i]) return false;
    return true;
}

typedef struct record {
    char owner[256];
    size_t owner_n, rdata, rdata_n;
    unsigned type, class;
    uint32_t ttl;
} record;

static bool read_record(symbi_str m, size_t *at, record *r)
{
    const uint8_t *p = (const uint8_t *)m.p;
    if (!read_name(m, at, r->owner, &r->owner_n) || *at + 10 > m.n) return false;
    r->type = u16(p + *at);
    r->class = u16(p + *at + 2);
    r->ttl = (uint32_t)u16(p + *at + 4) << 16 | u16(p + *at + 6);
    if (r->ttl > 0x7fffffff) r->ttl = 0;
    r->rdata_n = u16(p + *at + 8);
    r->rdata = *at + 10;
    *at = r->rdata + r->rdata_n;
    return *at <= m.n;
}

static bool take(symbi_str m, const record *r, uint16_t type, symbi_dns_answer *a)
{
    symbi_dns_item *item = &a->items[a->n];
    if (a->n == SYMBI_DNS_ITEMS) return true; /* more than anybody needs */
    memset(item, 0, sizeof *item);
    item->rdata.p = m.p + r->rdata;
    item->rdata.n = r->rdata_n;
    if (type == SYMBI_DNS_A || type == SYMBI_DNS_AAAA) {
        size_t want = type == SYMBI_DNS_A ? 4 : 16;
        if (r->rdata_n != want) return false;
        memcpy(item->addr.b, item->rdata.p, want);
        item->addr.v6 = type == SYMBI_DNS_AAAA;
    }
    if (r->ttl < a->ttl || !a->n) a->ttl = r->ttl;
    a->n++;
    return true;
}

symbi_status symbi_dns_read(symbi_str m, symbi_str asked, uint16_t type, uint16_t id, symbi_dns_answer *a, symbi_err *err)
{
    const uint8_t *p = (const uint8_t *)m.p;
    size_t at = HEADER, start, n;
    char want[256], name[256];
    unsigned count;
    memset(a, 0, sizeof *a);
    if (m.n < HEADER || u16(p) != id || !(p[2] & 0x80) || (p[2] & 0x78) || u16(p + 4) != 1) return sy_fail(err, SYMBI_EPARSE, "no answer to this DNS query");
    if (!read_name(m, &at, name, &n) || at + 4 > m.n || !same(asked, name, n) || u16(p + at) != type || u16(p + at + 2) != 1) return sy_fail(err, SYMBI_EPARSE, "no answer to this DNS query");
    at += 4;
    memcpy(want, name, n + 1);
    a->truncated = (p[2] & 2) != 0;
    a->rcode = p[3] & 15;
    if (a->truncated || a->rcode) return SYMBI_OK;
    count = u16(p + 6);
    start = at;
    for (int chain = 0; chain < MAX_CHAIN; chain++) { /* records may stand in any order: one pass per alias */
        bool moved = false;
        at = start;
        a->n = 0;
        for (unsigned i = 0; i < count; i++) {
            record r;
            size_t to;
            if (!read_record(m, &at, &r)) return sy_fail(err, SYMBI_EPARSE, "the DNS answer is cut off or malformed");
            if (r.class != 1 || r.owner_n != n || memcmp(r.owner, want, n)) continue;
            if (r.type == type && !take(m, &r, type, a)) return sy_fail(err, SYMBI_EPARSE, "the DNS answer is malformed");
            to = r.rdata;
            if (r.type == 5 && type != 5 && !moved) { /* CNAME */
                if (!read_name(m, &to, name, &n) || to != r.rdata + r.rdata_n) return sy_fail(err, SYMBI_EPARSE, "the DNS answer is malformed");
                moved = true;
                n = r.owner_n; /* until this pass is over */
            }
        }
        if (a->n || !moved) return SYMBI_OK;
        n = strlen(name);
        memcpy(want, name, n + 1);
    }
    return sy_fail(err, SYMBI_EPARSE, "the DNS answer has more than %d aliases", MAX_CHAIN);
}

bool symbi_dns_text(symbi_str *rdata, symbi_str *out)
{
    size_t n = rdata->n ? (uint8_t)rdata->p[0] : 0;
    if (!rdata->n || n + 1 > rdata->n) return false;
    out->p = rdata->p + 1;
    out->n = n;
    rdata->p += n + 1;
    rdata->n -= n + 1;
    return true;
}
