/* crypto/mac.h: an HMAC-SHA256 whose key is set once, for what checks many messages under one key (webhooks). Keying costs two
 * compressions and a look-up; a message that follows pays for itself only. */
#ifndef SY_CRYPTO_MAC_H
#define SY_CRYPTO_MAC_H
#include "symbi/crypto.h"

typedef struct sy_mac sy_mac;

/* The key is copied into OpenSSL's context, which wipes it. One thread at a time. */
SYMBI_MUST_USE symbi_status sy_mac_new(symbi_ctx *cx, symbi_str key, sy_mac **out, symbi_err *err);
void sy_mac_free(sy_mac *m); /* NULL is fine */
/* The MAC of the parts one after the other. out is zeroed on failure. */
SYMBI_MUST_USE symbi_status sy_mac_sum(sy_mac *m, const symbi_str *parts, size_t n, uint8_t out[32], symbi_err *err);
#endif
