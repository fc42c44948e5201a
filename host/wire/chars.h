/* wire/chars.h: the character classes of the HTTP grammar (RFC 9110, 5.6.2). */
#ifndef SY_WIRE_CHARS_H
#define SY_WIRE_CHARS_H
#include "base/chars.h"

static inline bool sy_is_tchar(char c) { return sy_is_digit(c) || sy_is_alpha(c) || sy_in(c, "!#$%&'*+-.^_`|~"); }
#endif
