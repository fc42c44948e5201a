/* codec/json_scan.h: the innermost loops of the JSON reader and writer: runs of plain string bytes and of spaces, sixteen
 * bytes at a time where the machine has SSE2, then eight. */
#ifndef SY_CODEC_JSON_SCAN_H
#define SY_CODEC_JSON_SCAN_H
#include "symbi/base.h"
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* A byte that ends a run: quote, backslash, control character, or not ASCII. */
static inline bool sy_json_special(unsigned char c) { return c < 0x20 || c >= 0x80 || c == '"' || c == '\\'; }

/* First byte of [p, end) that is special, or end. */
static inline const char *sy_json_plain(const char *p, const char *end)
{
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\'), space = _mm_set1_epi8(0x20);
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        /* signed less-than takes control characters and bytes from 0x80 in one comparison */
        __m128i m = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, back)), _mm_cmplt_epi8(v, space));
        unsigned bits = (unsigned)_mm_movemask_epi8(m);
        if (bits) return p + __builtin_ctz(bits);
        p += 16;
    }
#endif
    while (end - p >= 8) {
        const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
        uint64_t v, q, b;
        memcpy(&v, p, 8);
        q = v ^ (ones * '"');
        b = v ^ (ones * '\\');
        if ((v | (v - ones * 0x20) | (q - ones) | (b - ones)) & highs) break; /* may stop early, never late */
        p += 8;
    }
    while (p < end && !sy_json_special((unsigned char)*p)) p++;
    return p;
}

/* First byte of [p, end) that is not a space, or end. */
static inline const char *sy_json_spaces(const char *p, const char *end)
{
#if defined(__SSE2__)
    const __m128i space = _mm_set1_epi8(' ');
    while (end - p >= 16) {
        unsigned bits = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), space));
        if (bits != 0xffff) return p + __builtin_ctz(~bits);
        p += 16;
    }
#endif
    while (p < end && *p == ' ') p++;
    return p;
}

/* Length of the valid character of two bytes or more at p, 0 when it is not valid. The second byte's range depends on the
 * first: that excludes overlong forms, surrogates and what lies above U+10FFFF. */
static inline size_t sy_json_utf8(const char *s, const char *end)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t n = (size_t)(end - s);
    unsigned c = p[0];
    if (c < 0xe0) return c >= 0xc2 && n >= 2 && (p[1] & 0xc0) == 0x80 ? 2 : 0;
    if (c < 0xf0) {
        unsigned lo = c == 0xe0 ? 0xa0 : 0x80, hi = c == 0xed ? 0x9f : 0xbf;
        return n >= 3 && p[1] >= lo && p[1] <= hi && (p[2] & 0xc0) == 0x80 ? 3 : 0;
    }
    if (c < 0xf5) {
        unsigned lo = c == 0xf0 ? 0x90 : 0x80, hi = c == 0xf4 ? 0x8f : 0xbf;
        return n >= 4 && p[1] >= lo && p[1] <= hi && (p[2] & 0xc0) == 0x80 && (p[3] & 0xc0) == 0x80 ? 4 : 0;
    }
    return 0;
}
#endif
