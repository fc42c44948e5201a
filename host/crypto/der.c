/* crypto/der.c */
#include "crypto/der.h"

#include <string.h>

const char *sy_der_get(sy_der *d, unsigned tag, sy_der *body)
{
    const uint8_t *p = d->p;
    size_t left = sy_der_left(d), n;
    if (left < 2) return SY_DER_CUT;
    if (p[0] != tag) return "a DER element has another type than expected";
    n = p[1];
    p += 2;
    left -= 2;
    if (n == 0x80) return "an indefinite length is not DER";
    if (n > 0x80) {
        size_t k = n - 0x80;
        if (k > 2) return "a DER length is too large";
        if (left < k) return SY_DER_CUT;
        n = k == 1 ? p[0] : (size_t)p[0] << 8 | p[1];
        if (n < 0x80 || (k == 2 && n < 0x100)) return "a DER length is not written in its shortest form";
        p += k;
        left -= k;
    }
    if (n > left) return SY_DER_CUT;
    body->p = p;
    body->end = p + n;
    d->p = p + n;
    return NULL;
}

const char *sy_der_uint(sy_der *d, symbi_str *mag)
{
    sy_der at = *d, b;
    const char *why = sy_der_get(&at, SY_DER_INTEGER, &b);
    size_t n;
    if (why) return why;
    n = sy_der_left(&b);
    if (!n) return "an INTEGER is empty";
    if (b.p[0] & 0x80) return SY_DER_NEGATIVE;
    if (b.p[0] == 0) {
        if (n == 1) return "an INTEGER is zero";
        if (!(b.p[1] & 0x80)) return SY_DER_ZEROS;
        b.p++;
    }
    mag->p = (const char *)b.p;
    mag->n = sy_der_left(&b);
    *d = at;
    return NULL;
}

const char *sy_der_bits(sy_der *d, sy_der *body)
{
    sy_der at = *d, b;
    const char *why = sy_der_get(&at, SY_DER_BITS, &b);
    if (why) return why;
    if (b.p == b.end || *b.p != 0) return "a BIT STRING does not hold whole bytes";
    b.p++;
    *body = b;
    *d = at;
    return NULL;
}

bool sy_der_oid(sy_der *d, const void *oid, size_t n)
{
    sy_der at = *d, b;
    if (sy_der_get(&at, SY_DER_OID, &b) || sy_der_left(&b) != n || memcmp(b.p, oid, n) != 0) return false;
    *d = at;
    return true;
}

size_t sy_der_head_len(size_t n) { return n < 0x80 ? 2 : n < 0x100 ? 3 : 4; }

uint8_t *sy_der_put_head(uint8_t *o, unsigned tag, size_t n)
{
    *o++ = (uint8_t)tag;
    if (n >= 0x100) {
        *o++ = 0x82;
        *o++ = (uint8_t)(n >> 8);
    } else if (n >= 0x80) *o++ = 0x81;
    *o++ = (uint8_t)n;
    return o;
}

/* Bytes of the content of an INTEGER. */
static size_t uint_content(const uint8_t **mag, size_t *n)
{
    while (*n > 1 && **mag == 0) {
        ++*mag;
        --*n;
    }
    return *n + (**mag & 0x80 ? 1 : 0);
}

size_t sy_der_uint_len(const uint8_t *mag, size_t n)
{
    size_t c = uint_content(&mag, &n);
    return sy_der_head_len(c) + c;
}

uint8_t *sy_der_put_uint(uint8_t *o, const uint8_t *mag, size_t n)
{
    size_t c = uint_content(&mag, &n);
    o = sy_der_put_head(o, SY_DER_INTEGER, c);
    if (c > n) *o++ = 0;
    memcpy(o, mag, n);
    return o + n;
}
