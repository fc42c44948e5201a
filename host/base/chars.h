/* base/chars.h: ASCII character classes, independent of any locale. */
#ifndef SY_BASE_CHARS_H
#define SY_BASE_CHARS_H
#include <stdbool.h>
#include <string.h>

static inline bool sy_is_digit(int c) { return c >= '0' && c <= '9'; }
static inline bool sy_is_alpha(int c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static inline char sy_lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }
/* The value of a hexadecimal digit, -1 for anything else. */
static inline int sy_hex(int c)
{
    if (sy_is_digit(c)) return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
static inline bool sy_in(char c, const char *set) { return c && strchr(set, c); }
#endif
