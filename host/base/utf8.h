/* base/utf8.h: strict UTF-8 (RFC 3629: no surrogates, no overlong forms, nothing above U+10FFFF). */
#ifndef SY_BASE_UTF8_H
#define SY_BASE_UTF8_H
#include "symbi/base.h"

/* Length of the first character of p[0..n) and its code point; 0 when it is not valid (or n is 0). */
size_t sy_utf8_next(const char *p, size_t n, uint32_t *cp);
/* Writes cp (a scalar value) to out[4]; returns the length, 0 for a surrogate or a number too large. */
size_t sy_utf8_put(uint32_t cp, char out[4]);
/* True when all of s is valid; else *bad is the offset of the first bad byte (bad may be NULL). */
bool sy_utf8_valid(symbi_str s, size_t *bad);
#endif
