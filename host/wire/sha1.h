/* wire/sha1.h: SHA-1 of short texts, for two protocols that name it and do not depend on its strength: the handshake of WebSocket, and time-based
 * one-time codes (RFC 6238, through HMAC). Nothing else may use it. */
#ifndef SY_WIRE_SHA1_H
#define SY_WIRE_SHA1_H
#include <stddef.h>
#include <stdint.h>

/* Of at most 119 bytes. */
void sy_sha1_short(const char *p, size_t n, uint8_t out[20]);
#endif
