/* codec/base64.c */
#include "codec/base64.h"
#include "base/err.h"

static const char g_std[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char g_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t sy_base64_encoded_len(size_t n, unsigned flags)
{
    size_t full = n / 3, rest = n % 3;
    if (full > SIZE_MAX / 4 - 1) return SIZE_MAX;
    return full * 4 + (rest == 0 ? 0 : flags & SY_BASE64_NOPAD ? rest + 1 : 4);
}

size_t sy_base64_encode(const void *data, size_t n, unsigned flags, char *out)
{
    const char *abc = flags & SY_BASE64_URL ? g_url : g_std;
    const unsigned char *p = data;
    char *o = out;
    for (; n >= 3; n -= 3, p += 3, o += 4) {
        o[0] = abc[p[0] >> 2];
        o[1] = abc[(p[0] & 3) << 4 | p[1] >> 4];
        o[2] = abc[(p[1] & 15) << 2 | p[2] >> 6];
        o[3] = abc[p[2] & 63];
    }
    if (n) {
        *o++ = abc[p[0] >> 2];
        *o++ = abc[(p[0] & 3) << 4 | (n == 2 ? p[1] >> 4 : 0)];
        if (n == 2) *o++ = abc[(p[1] & 15) << 2];
        for (; !(flags & SY_BASE64_NOPAD) && n < 3; n++) *o++ = '=';
    }
    return (size_t)(o - out);
}

void sy_base64_add(sy_buf *b, const void *data, size_t n, unsigned flags)
{
    char *d = sy_buf_reserve(b, sy_base64_encoded_len(n, flags));
    if (d) sy_buf_commit(b, sy_base64_encode(data, n, flags, d));
}

size_t sy_base64_decoded_max(size_t n)
{
    return n / 4 * 3 + 3;
}

/* Value of a character, 64 or above when it is none of the alphabet. */
static unsigned value(unsigned char c, unsigned flags)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26u;
    if (c >= '0' && c <= '9') return c - '0' + 52u;
    if (flags & SY_BASE64_URL) return c == '-' ? 62 : c == '_' ? 63 : 64;
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

static symbi_status bad(symbi_err *err, size_t at, const char *what)
{
    return sy_fail_at(err, SYMBI_EPARSE, 1, at < UINT32_MAX ? (uint32_t)at + 1 : 0, "base64: %s", what);
}

symbi_status sy_base64_decode(symbi_str s, unsigned flags, void *out, size_t *n, symbi_err *err)
{
    unsigned char *o = out;
    size_t len = s.n, pad = 0, i, rest;
    uint32_t w = 0;
    *n = 0;
    while (pad < 2 && len && s.p[len - 1] == '=') {
        len--;
        pad++;
    }
    rest = len % 4;
    for (i = 0; i < len; i++) {
        unsigned v = value((unsigned char)s.p[i], flags);
        if (v > 63) {
            if (s.p[i] == '=') return bad(err, i, "padding inside the text");
            if (value((unsigned char)s.p[i], flags ^ SY_BASE64_URL) < 64)
                return bad(err, i, flags & SY_BASE64_URL ? "'+' and '/' are of the standard alphabet, '-' and '_' are expected" : "'-' and '_' are of the URL alphabet, '+' and '/' are expected");
            return bad(err, i, "not a character of the alphabet");
        }
        w = w << 6 | v;
        if (i % 4 == 3) {
            *o++ = (unsigned char)(w >> 16);
            *o++ = (unsigned char)(w >> 8);
            *o++ = (unsigned char)w;
            w = 0;
        }
    }
    if (rest == 1) return bad(err, len - 1, "the text is cut: one character is left over");
    if (pad && (flags & SY_BASE64_NOPAD)) return bad(err, len, "padding where none is expected");
    if (pad && pad != (4 - rest) % 4) return bad(err, len, "wrong padding");
    if (!pad && rest && !(flags & (SY_BASE64_NOPAD | SY_BASE64_ANYPAD))) return bad(err, len, "padding is missing");
    if ((rest == 2 && (w & 15)) || (rest == 3 && (w & 3))) return bad(err, len - 1, "unused bits are not zero");
    if (rest == 2) *o++ = (unsigned char)(w >> 4);
    if (rest == 3) {
        *o++ = (unsigned char)(w >> 10);
        *o++ = (unsigned char)(w >> 2);
    }
    *n = (size_t)(o - (unsigned char *)out);
    return SYMBI_OK;
}
