/* crypto/ossl.h: what the files of this folder share: the per-ctx cache of fetched algorithms and the error bracket.
 * OpenSSL is included in this folder only. */
#ifndef SY_CRYPTO_OSSL_H
#define SY_CRYPTO_OSSL_H
#include "base/ctx.h"
#include "symbi/crypto.h"

#include <openssl/err.h>
#include <openssl/evp.h>

typedef struct sy_ossl_keys sy_ossl_keys;

/* Fetching an algorithm costs more than hashing 200 bytes with it, hence one cache per ctx (one thread). */
typedef struct sy_ossl {
    EVP_MD *sha256;
    EVP_MD_CTX *md;     /* used by symbi_sha256 */
    EVP_MAC_CTX *mac;   /* HMAC-SHA256, made by the first HMAC */
    sy_ossl_keys *keys; /* what needs memory of its own, made on first use: cache.h */
} sy_ossl;

/* The ctx's cache, made on first use; NULL with *err set. Call inside a bracket. */
sy_ossl *sy_ossl_get(symbi_ctx *cx, symbi_err *err);
/* ECRYPTO "<what> failed: <OpenSSL's reason>". Call before the bracket is closed. */
symbi_status sy_ossl_fail(symbi_err *err, const char *what);

/* Every public function opens with ERR_set_mark() and closes with ERR_pop_to_mark(), so that the thread's error queue (that
 * of nginx, of libcurl) is as it was. */
#endif
