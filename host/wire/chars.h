/* wire/chars.h: character classes of the URL and HTTP grammars, independent of any locale. */
#ifndef SY_WIRE_CHARS_H
#define SY_WIRE_CHARS_H
#include <stdbool.h>
#include <string.h>

static inline bool sy_is_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool sy_is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static inline char sy_lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }
static inline int sy_hex(char c)
{
    if (sy_is_digit(c)) return c - '0';
    c = sy_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
static inline bool sy_in(char c, const char *set) { return c && strchr(set, c); }
static inline bool sy_is_tchar(char c) { return sy_is_digit(c) || sy_is_alpha(c) || sy_in(c, "!#$%&'*+-.^_`|~"); }
#endif
