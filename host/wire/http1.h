/* wire/http1.h: what the two files of the HTTP/1 codec share. */
#ifndef SY_WIRE_HTTP1_H
#define SY_WIRE_HTTP1_H
#include "symbi/wire.h"

bool sy_http1_is(symbi_str s, const char *lower); /* equal but for ASCII case */
bool sy_http1_token(symbi_str s);
bool sy_http1_value(symbi_str s); /* no control character but tab, no blank at either end */
#endif
