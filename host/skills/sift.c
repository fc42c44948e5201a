/* skills/sift.c: see sift.h. A block of 64 bytes becomes one bit per byte and class; lines, runs and lists are found in these bits. */
#include "skills/sift.h"
#include "skills/view.h"
#include <stddef.h>
#include <string.h>

enum { BLOCK = 64 };
typedef struct classes { uint64_t nl, high, quote, escape, pay, pad, comma; } classes;

#if defined(__SSE2__)
#include <emmintrin.h>

static __m128i is(__m128i v, char c) { return _mm_cmpeq_epi8(v, _mm_set1_epi8(c)); }
static __m128i within(__m128i v, char from, char to) /* of unsigned bytes */
{
    __m128i d = _mm_sub_epi8(v, _mm_set1_epi8(from));
    return _mm_cmpeq_epi8(_mm_min_epu8(d, _mm_set1_epi8((char)(to - from))), d);
}
static __m128i any(__m128i a, __m128i b) { return _mm_or_si128(a, b); }
static uint64_t bits(__m128i v, unsigned shift) { return (uint64_t)(unsigned)_mm_movemask_epi8(v) << shift; }

static classes classify(const char *p)
{
    classes c = { 0 };
    for (unsigned k = 0; k < BLOCK; k += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + k));
        c.nl |= bits(is(v, '\n'), k);
        c.high |= bits(v, k);
        c.quote |= bits(any(any(is(v, '\''), is(v, '"')), is(v, '`')), k);
        c.escape |= bits(any(any(any(within(v, '$', '&'), is(v, '\\')), any(is(v, '{'), within(v, 1, 8))), any(within(v, 11, 12), is(v, 27))), k);
        c.pay |= bits(any(any(within(any(v, _mm_set1_epi8(0x20)), 'a', 'z'), within(v, '/', '9')), any(any(is(v, '+'), is(v, '-')), is(v, '_'))), k);
        c.pad |= bits(is(v, '='), k);
        c.comma |= bits(is(v, ','), k);
    }
    return c;
}
#else
/* One bit per class, in the order of the fields. */
static unsigned class_of(unsigned char b)
{
    unsigned k = 0;
    bool letter = (b | 0x20) >= 'a' && (b | 0x20) <= 'z';
    if (b == '\n') k |= 1;
    if (b >= 0x80) k |= 2;
    if (b == '\'' || b == '"' || b == '`') k |= 4;
    if ((b >= '$' && b <= '&') || b == '\\' || b == '{' || (b >= 1 && b <= 8) || b == 11 || b == 12 || b == 27) k |= 8;
    if (letter || (b >= '/' && b <= '9') || b == '+' || b == '-' || b == '_') k |= 16;
    if (b == '=') k |= 32;
    if (b == ',') k |= 64;
    return k;
}

static classes classify(const char *p)
{
    classes c = { 0 };
    for (unsigned i = 0; i < BLOCK; i++) {
        uint64_t k = class_of((unsigned char)p[i]);
        c.nl |= (k & 1) << i;
        c.high |= (k >> 1 & 1) << i;
        c.quote |= (k >> 2 & 1) << i;
        c.escape |= (k >> 3 & 1) << i;
        c.pay |= (k >> 4 & 1) << i;
        c.pad |= (k >> 5 & 1) << i;
        c.comma |= (k >> 6 & 1) << i;
    }
    return c;
}
#endif

/* now, moved up by k, with what moves in from the block before. */
static uint64_t up(uint64_t now, uint64_t before, unsigned k) { return now << k | before >> (64 - k); }

static void emit(sy_sift *f, size_t end)
{
    size_t n = end - f->start;
    const char *p = f->text.p + f->start;
    if (n && p[n - 1] == '\r') n--;
    if (f->commas >= SY_PAYLOAD_COMMAS) f->kinds |= SY_LINE_PAYLOAD;
    if (n < SY_PAYLOAD_LEAST) f->kinds &= ~(unsigned)SY_LINE_PAYLOAD;
    f->line[f->n++] = (sy_sline){ { p, n }, f->kinds };
    f->start = end + 1;
    f->kinds = 0;
    f->commas = 0;
}

/* What the bits in `in` say about the line that begins at f->start. runs: the twelfth byte of each run. */
static void look(sy_sift *f, const classes *c, uint64_t in, uint64_t runs, uint64_t padded)
{
    if (c->high & in) f->kinds |= SY_LINE_HIGH;
    if (c->quote & in) f->kinds |= SY_LINE_QUOTE;
    if (c->escape & in) f->kinds |= SY_LINE_ESCAPE;
    if (padded & in) f->kinds |= SY_LINE_PAYLOAD;
    if (c->comma & in) f->commas += (size_t)__builtin_popcountll(c->comma & in);
    for (runs &= in; runs && !(f->kinds & SY_LINE_PAYLOAD); runs &= runs - 1)
        if (sy_payload_run(f->text, f->start, f->at + (size_t)__builtin_ctzll(runs) + 1 - SY_PAYLOAD_RUN)) f->kinds |= SY_LINE_PAYLOAD;
}

static void block(sy_sift *f)
{
    char last[BLOCK] = { 0 };
    const char *p = f->text.p + f->at;
    classes c;
    uint64_t pay2, pay4, pay8, pay12, pay6, runs, padded, from = 0; /* from: bits of lines that have ended */
    if (f->text.n - f->at < BLOCK) p = memcpy(last, p, f->text.n - f->at);
    c = classify(p);
    pay2 = c.pay & up(c.pay, f->pay, 1);
    pay4 = pay2 & up(pay2, f->pay2, 2);
    pay8 = pay4 & up(pay4, f->pay4, 4);
    pay12 = pay8 & up(pay4, f->pay4, 8);
    pay6 = pay4 & up(pay2, f->pay2, 4);
    runs = pay12 & ~up(pay12, f->pay12, 1);
    /* six bytes in front of a =, in this block or at the end of the one before */
    padded = c.pad & up(pay6, (f->pay4 & up(f->pay2, 0, 4)), 1);
    f->pay = c.pay, f->pay2 = pay2, f->pay4 = pay4, f->pay8 = pay8, f->pay12 = pay12;
    for (uint64_t nl = c.nl; nl; nl &= nl - 1) {
        uint64_t upto = nl ^ (nl - 1); /* the line feed and all below */
        look(f, &c, upto & ~from, runs, padded);
        emit(f, f->at + (size_t)__builtin_ctzll(nl));
        from = upto;
    }
    look(f, &c, ~from, runs, padded);
    f->at += BLOCK;
    if (f->at < f->text.n) return;
    f->end = true;
    if (f->start < f->text.n) emit(f, f->text.n);
}

void sy_sift_fill(sy_sift *f)
{
    memmove(f->line, f->line + f->i, (f->n - f->i) * sizeof *f->line);
    f->n -= f->i;
    f->i = 0;
    while (!f->end && f->n + BLOCK + 1 <= SY_SIFT_LINES) block(f);
}

void sy_sift_begin(sy_sift *f, symbi_str text)
{
    memset(f, 0, offsetof(sy_sift, line));
    f->text = text;
    f->end = !text.n;
    sy_sift_fill(f);
}
