/* DNS messages: what is asked, and which answers count. */
#include "symbi/netguard.h"
#include "test.h"

static symbi_err err;
static uint8_t m[2000];
static size_t n;
static symbi_dns_answer a;

static void u16(unsigned v)
{
    m[n++] = (uint8_t)(v >> 8);
    m[n++] = (uint8_t)v;
}
static void name(const char *z)
{
    while (*z) {
        size_t k = strcspn(z, ".");
        m[n++] = (uint8_t)k;
        memcpy(m + n, z, k);
        n += k;
        z += k + (z[k] == '.');
    }
    m[n++] = 0;
}
static void begin(const char *q, unsigned type, unsigned flags, unsigned answers)
{
    n = 0;
    u16(0x1234);
    u16(flags);
    u16(1);
    u16(answers);
    u16(0);
    u16(0);
    name(q);
    u16(type);
    u16(1);
}
static void record(const char *owner, unsigned type, unsigned ttl, const void *data, size_t k)
{
    name(owner);
    u16(type);
    u16(1);
    u16(0);
    u16(ttl);
    u16((unsigned)k);
    if (k) memcpy(m + n, data, k);
    n += k;
}
static symbi_status get(const char *q, uint16_t type)
{
    symbi_str s = { (const char *)m, n };
    return symbi_dns_read(s, symbi_str_z(q), type, 0x1234, &a, &err);
}

static void test_query(void)
{
    static const char *const bad[] = { "", ".", "a..b", ".a" };
    uint8_t q[SYMBI_DNS_QUERY_MAX];
    char longest[300];
    size_t k;
    CHECK_OK(symbi_dns_query(symbi_str_z("a.Example."), SYMBI_DNS_AAAA, 0x1234, q, &k, &err), err);
    CHECK(k == 27 && !memcmp(q, "\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x01" "a\x07" "Example\0\0\x1c\0\x01", 27));
    for (size_t i = 0; i < 4; i++) CHECK(symbi_dns_query(symbi_str_z(bad[i]), 1, 1, q, &k, &err) == SYMBI_EINVAL);
    memset(longest, 'a', sizeof longest);
    for (size_t i = 63; i < 253; i += 64) longest[i] = '.';
    longest[253] = 0;
    CHECK_OK(symbi_dns_query(symbi_str_z(longest), 1, 1, q, &k, &err), err);
    longest[253] = 'a', longest[254] = 0;
    CHECK(symbi_dns_query(symbi_str_z(longest), 1, 1, q, &k, &err) == SYMBI_EINVAL);
    memset(longest, 'a', 64);
    longest[64] = 0;
    CHECK(symbi_dns_query(symbi_str_z(longest), 1, 1, q, &k, &err) == SYMBI_EINVAL);
}

static void test_answers(void)
{
    begin("A.example", 1, 0x8180, 3);
    record("a.EXAMPLE", 1, 300, "\x08\x08\x08\x08", 4);
    record("b.example", 1, 1, "\x7f\0\0\1", 4); /* nobody asked for b */
    record("a.example", 1, 60, "\x08\x08\x04\x04", 4);
    CHECK_OK(get("a.example.", 1), err);
    CHECK(a.n == 2 && a.items[0].addr.b[3] == 8 && a.items[1].addr.b[3] == 4 && !a.items[0].addr.v6 && a.ttl == 60 && !a.rcode && !a.truncated);
    begin("a.example", 28, 0x8180, 1);
    record("a.example", 28, 5, "\x26\x06\x47\0\0\0\0\0\0\0\0\0\0\0\x11\x11", 16);
    CHECK(get("a.example", 28) == SYMBI_OK && a.n == 1 && a.items[0].addr.v6 && a.items[0].addr.b[15] == 0x11);
    begin("a.example", 1, 0x8183, 0);
    CHECK(get("a.example", 1) == SYMBI_OK && a.rcode == 3 && !a.n);
    begin("a.example", 1, 0x8380, 0);
    CHECK(get("a.example", 1) == SYMBI_OK && a.truncated);
    begin("a.example", 1, 0x8180, 0);
    CHECK(get("a.example", 1) == SYMBI_OK && !a.n && !a.rcode);
}

static void test_aliases(void)
{
    begin("a.example", 1, 0x8180, 4);
    record("c.example", 1, 9, "\x01\x02\x03\x04", 4); /* in no order */
    record("b.example", 5, 9, "\x01" "c\x07" "example", 11);
    record("a.example", 5, 9, "\x01" "b\x07" "example", 11);
    record("d.example", 1, 9, "\x7f\0\0\1", 4);
    CHECK_OK(get("a.example", 1), err);
    CHECK(a.n == 1 && a.items[0].addr.b[0] == 1);
    begin("a.example", 1, 0x8180, 2); /* a ring */
    record("a.example", 5, 9, "\x01" "b\x07" "example", 11);
    record("b.example", 5, 9, "\x01" "a\x07" "example", 11);
    CHECK(get("a.example", 1) == SYMBI_EPARSE);
    begin("a.example", 1, 0x8180, 1); /* to nowhere */
    record("a.example", 5, 9, "\x01" "b\x07" "example", 11);
    CHECK(get("a.example", 1) == SYMBI_OK && a.n == 0);
}

static void test_txt(void)
{
    symbi_str rest, part;
    begin("a.example", 16, 0x8180, 1);
    record("a.example", 16, 9, "\x03" "abc\0\x02" "de", 8);
    CHECK(get("a.example", 16) == SYMBI_OK && a.n == 1);
    rest = a.items[0].rdata;
    CHECK(symbi_dns_text(&rest, &part) && part.n == 3 && !memcmp(part.p, "abc", 3));
    CHECK(symbi_dns_text(&rest, &part) && part.n == 0);
    CHECK(symbi_dns_text(&rest, &part) && part.n == 2 && !symbi_dns_text(&rest, &part));
    rest.p = "\x05" "ab";
    rest.n = 3;
    CHECK(!symbi_dns_text(&rest, &part));
}

static void test_strangers(void)
{
    begin("a.example", 1, 0x8180, 1);
    record("a.example", 1, 9, "\x01\x02\x03\x04", 4);
    CHECK(get("a.example", 1) == SYMBI_OK && get("b.example", 1) == SYMBI_EPARSE && get("a.example", 28) == SYMBI_EPARSE && get("a.exampl", 1) == SYMBI_EPARSE);
    m[0] ^= 1;
    CHECK(get("a.example", 1) == SYMBI_EPARSE); /* another id */
    m[0] ^= 1;
    m[2] &= 0x7f;
    CHECK(get("a.example", 1) == SYMBI_EPARSE); /* a question */
    m[2] |= 0x80;
    for (size_t whole = n; n > 0; n--)
        if (n < whole) CHECK(get("a.example", 1) == SYMBI_EPARSE || !a.n);
    begin("a.example", 1, 0x8180, 1);
    record("a.example", 1, 9, "\x01\x02\x03", 3); /* three bytes are no address */
    CHECK(get("a.example", 1) == SYMBI_EPARSE);
    begin("a.example", 1, 0x8180, 2); /* pointers: to the question (fine), to themselves, forward */
    m[n++] = 0xc0, m[n++] = 12;
    u16(1), u16(1), u16(0), u16(9), u16(4);
    memcpy(m + n, "\x01\x02\x03\x04", 4), n += 4;
    m[n] = (uint8_t)(0xc0 | n >> 8), m[n + 1] = (uint8_t)n, n += 2;
    u16(1), u16(1), u16(0), u16(9), u16(4);
    memcpy(m + n, "\x01\x02\x03\x04", 4), n += 4;
    CHECK(get("a.example", 1) == SYMBI_EPARSE);
    m[7] = 1;
    CHECK(get("a.example", 1) == SYMBI_OK && a.n == 1);
    begin("a.example", 1, 0x8180, 1); /* a dot inside a label makes no other name */
    m[n++] = 9;
    memcpy(m + n, "a.example", 9), n += 9;
    m[n++] = 0;
    u16(1), u16(1), u16(0), u16(9), u16(4);
    memcpy(m + n, "\x7f\0\0\x01", 4), n += 4;
    CHECK(get("a.example", 1) == SYMBI_OK && a.n == 0);
}

static void test_many(void)
{
    begin("a.example", 1, 0x8180, 70);
    for (int i = 0; i < 70; i++) {
        uint8_t ip[4] = { 8, 8, 8, (uint8_t)i };
        record("a.example", 1, 9, ip, 4);
    }
    CHECK(get("a.example", 1) == SYMBI_OK && a.n == SYMBI_DNS_ITEMS);
}

int main(void)
{
    RUN(test_query);
    RUN(test_answers);
    RUN(test_aliases);
    RUN(test_txt);
    RUN(test_strangers);
    RUN(test_many);
    return test_end();
}
