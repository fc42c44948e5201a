/* codec/num.h: number text, independent of the locale. Writing gives the shortest digits that read back as the same
 * double, reading is correctly rounded for any number of digits; both are exact for every double. Used by JSON, TOML and
 * tool arguments, whose texts are hashed and signed: printf and strtod are not fit for that. */
#ifndef SY_CODEC_NUM_H
#define SY_CODEC_NUM_H
#include "symbi/base.h"

enum {
    SY_NUM_ES = 0,  /* ECMAScript / RFC 8785: 1 -> "1", -0.0 -> "0", 1e21 -> "1e+21", 1e-7 -> "1e-7" */
    SY_NUM_JSON = 1 /* the same, but a text that would read as an integer gets ".0" and -0.0 is "-0.0": the kind survives */
};
/* Writes d (not NUL-terminated) and returns the length; 0 for NaN and infinities, which no form can write. */
size_t sy_num_write_double(double d, int form, char out[32]);
/* Decimal text of i; returns the length (at most 20). */
size_t sy_num_write_int64(int64_t i, char out[24]);
size_t sy_num_write_uint64(uint64_t u, char *out); /* at most 20 bytes */

/* What a scanned number is. */
typedef enum sy_num_kind {
    SY_NUM_BAD = 0,   /* not a number by the grammar; p tells where it goes wrong */
    SY_NUM_INT,       /* no fraction, no exponent, fits in 64 bits: i */
    SY_NUM_DOUBLE,    /* finite: d */
    SY_NUM_BIGINT,    /* no fraction, no exponent, beyond 64 bits: d is the nearest double (may be infinite) */
    SY_NUM_OVERFLOW   /* with fraction or exponent, beyond the largest double */
} sy_num_kind;
typedef struct sy_num {
    sy_num_kind kind;
    const char *p; /* first byte after the number, or the byte at fault */
    int64_t i;
    double d;
} sy_num;
/* Scans the number that starts at p by the grammar of JSON: -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? What follows it
 * is not looked at. */
sy_num_kind sy_num_scan(const char *p, const char *end, sy_num *out);

/* All of s as a JSON number, integer or not, rounded to nearest even. False when it is not one or is too large. */
bool sy_num_parse_double(symbi_str s, double *out);
/* All of s as -?[0-9]+ without leading zeros. False when it is not that or does not fit. */
bool sy_num_parse_int64(symbi_str s, int64_t *out);

/* 10^k as a 128-bit significand, rounded up, first bit set; k in SY_POW10_MIN..SY_POW10_MAX. Exact for 0..55. */
enum { SY_POW10_MIN = -342, SY_POW10_MAX = 324 };
extern const uint64_t sy_num_pow10[SY_POW10_MAX - SY_POW10_MIN + 1][2]; /* {high, low} */
#endif
