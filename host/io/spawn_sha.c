/* io/spawn_sha.c: SHA-256 (FIPS 180-4), in plain C and, on x86-64 processors that have them, with the SHA instructions: a tool
 * that prints a gigabyte is hashed about as fast as a pipe delivers it. */
#include "io/spawn_sha.h"

#include <string.h>

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotr(uint32_t x, int n) { return x >> n | x << (32 - n); }

static void blocks_plain(uint32_t h[8], const uint8_t *p, size_t n)
{
    for (; n; n--, p += 64) {
        uint32_t w[64], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], k = h[7];
        for (int i = 0; i < 16; i++) w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 | (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
        for (int i = 16; i < 64; i++) {
            uint32_t x = w[i - 15], y = w[i - 2];
            w[i] = w[i - 16] + (rotr(x, 7) ^ rotr(x, 18) ^ x >> 3) + w[i - 7] + (rotr(y, 17) ^ rotr(y, 19) ^ y >> 10);
        }
        for (int i = 0; i < 64; i++) {
            uint32_t t = k + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + w[i];
            uint32_t u = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
            k = g, g = f, f = e, e = d + t, d = c, c = b, b = a, a = t + u;
        }
        h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e, h[5] += f, h[6] += g, h[7] += k;
    }
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#include <immintrin.h>

static bool have_fast(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1)) return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1u << 29);
}

__attribute__((target("sha,ssse3,sse4.1"))) static void blocks_fast(uint32_t h[8], const uint8_t *p, size_t n)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    /* The instructions keep the state as (a,b,e,f) and (c,d,g,h), highest word first. */
    __m128i s0 = _mm_set_epi32((int)h[0], (int)h[1], (int)h[4], (int)h[5]);
    __m128i s1 = _mm_set_epi32((int)h[2], (int)h[3], (int)h[6], (int)h[7]);
    uint32_t o[4];
    for (; n; n--, p += 64) {
        __m128i m[4], was0 = s0, was1 = s1, t;
        for (int i = 0; i < 4; i++) m[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i)), swap);
        for (int i = 0; i < 16; i++) {
            t = _mm_add_epi32(m[i & 3], _mm_loadu_si128((const __m128i *)(const void *)&K[4 * i]));
            s1 = _mm_sha256rnds2_epu32(s1, s0, t);
            s0 = _mm_sha256rnds2_epu32(s0, s1, _mm_shuffle_epi32(t, 0x0e));
            if (i < 12) { /* the four schedule words that replace the ones just used */
                __m128i x = _mm_sha256msg1_epu32(m[i & 3], m[(i + 1) & 3]);
                x = _mm_add_epi32(x, _mm_alignr_epi8(m[(i + 3) & 3], m[(i + 2) & 3], 4));
                m[i & 3] = _mm_sha256msg2_epu32(x, m[(i + 3) & 3]);
            }
        }
        s0 = _mm_add_epi32(s0, was0);
        s1 = _mm_add_epi32(s1, was1);
    }
    _mm_storeu_si128((__m128i *)(void *)o, s0);
    h[0] = o[3], h[1] = o[2], h[4] = o[1], h[5] = o[0];
    _mm_storeu_si128((__m128i *)(void *)o, s1);
    h[2] = o[3], h[3] = o[2], h[6] = o[1], h[7] = o[0];
}
#else
static bool have_fast(void) { return false; }
static void blocks_fast(uint32_t h[8], const uint8_t *p, size_t n) { blocks_plain(h, p, n); }
#endif

static void blocks(sy_spawn_sha *s, const uint8_t *p, size_t n)
{
    if (s->fast) blocks_fast(s->h, p, n);
    else blocks_plain(s->h, p, n);
}

void sy_spawn_sha_init(sy_spawn_sha *s)
{
    static const uint32_t start[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
    memcpy(s->h, start, sizeof start);
    s->n = 0;
    s->fast = have_fast();
}

void sy_spawn_sha_add(sy_spawn_sha *s, const void *ptr, size_t n)
{
    const uint8_t *p = ptr;
    size_t have = s->n & 63;
    s->n += n;
    if (have) {
        size_t k = 64 - have < n ? 64 - have : n;
        memcpy(s->block + have, p, k);
        p += k, n -= k;
        if (have + k < 64) return;
        blocks(s, s->block, 1);
    }
    if (n >= 64) blocks(s, p, n / 64);
    if (n & 63) memcpy(s->block, p + (n & ~(size_t)63), n & 63);
}

void sy_spawn_sha_end(sy_spawn_sha *s, uint8_t out[32])
{
    uint64_t bits = s->n * 8;
    uint8_t pad[72] = { 0x80 };
    size_t have = s->n & 63, k = (have < 56 ? 56 : 120) - have;
    for (int i = 0; i < 8; i++) pad[k + (size_t)i] = (uint8_t)(bits >> (56 - 8 * i));
    sy_spawn_sha_add(s, pad, k + 8);
    for (int i = 0; i < 32; i++) out[i] = (uint8_t)(s->h[i / 4] >> (24 - 8 * (i % 4)));
}
