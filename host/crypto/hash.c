/* crypto/hash.c: SHA-256 (at once and in pieces), HMAC over SHA-2, constant-time compare. */
#include "crypto/cache.h"
#include "base/alloc.h"
#include "base/err.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <string.h>

static void ossl_free(symbi_ctx *cx, void *p)
{
    sy_ossl *o = p;
    ERR_set_mark();
    EVP_MD_CTX_free(o->md);
    EVP_MD_free(o->sha256);
    EVP_MAC_CTX_free(o->mac); /* clears the last key */
    sy_ossl_keys_free(cx, o->keys);
    ERR_pop_to_mark();
    memset(o, 0, sizeof *o);
    cx->slot[SY_SLOT_CRYPTO] = NULL;
}

symbi_status sy_ossl_fail(symbi_err *err, const char *what)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());
    return why ? sy_fail(err, SYMBI_ECRYPTO, "%s failed in OpenSSL: %s", what, why)
               : sy_fail(err, SYMBI_ECRYPTO, "%s failed in OpenSSL", what);
}

sy_ossl *sy_ossl_get(symbi_ctx *cx, symbi_err *err)
{
    sy_ossl *o = cx->slot[SY_SLOT_CRYPTO];
    if (o) return o;
    _Static_assert(sizeof *o <= sizeof cx->crypto_mem, "the cache fits into the ctx");
    o = (sy_ossl *)cx->crypto_mem;
    o->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    o->md = EVP_MD_CTX_new();
    if (!o->sha256 || !o->md || EVP_DigestInit_ex2(o->md, o->sha256, NULL) != 1) {
        sy_ossl_fail(err, "fetching SHA-256");
        ossl_free(cx, o);
        return NULL;
    }
    cx->slot[SY_SLOT_CRYPTO] = o;
    cx->slot_free[SY_SLOT_CRYPTO] = ossl_free;
    return o;
}

symbi_status symbi_sha256(symbi_ctx *cx, symbi_str data, uint8_t out[32], symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    sy_ossl *o;
    unsigned n = 32;
    ERR_set_mark();
    o = sy_ossl_get(cx, err);
    if (!o) st = SYMBI_ECRYPTO;
    /* Passing the digest again would make OpenSSL set its context up anew; NULL restarts it. */
    else if (EVP_DigestInit_ex2(o->md, NULL, NULL) != 1 || EVP_DigestUpdate(o->md, data.p, data.n) != 1 ||
             EVP_DigestFinal_ex(o->md, out, &n) != 1 || n != 32)
        st = sy_ossl_fail(err, "SHA-256");
    ERR_pop_to_mark();
    if (st) memset(out, 0, 32);
    return st;
}

/* The ctx's HMAC context for this hash, made on first use. */
static symbi_status hmac_ctx(symbi_ctx *cx, symbi_hash h, EVP_MAC_CTX **out, symbi_err *err)
{
    symbi_status st;
    char digest[8];
    OSSL_PARAM p[2];
    EVP_MAC *mac;
    EVP_MAC_CTX **slot;
    sy_ossl *o = sy_ossl_get(cx, err);
    *out = NULL;
    if (!o) return SYMBI_ECRYPTO;
    if (h == SYMBI_HASH_SHA256) slot = &o->mac;
    else {
        sy_ossl_keys *more;
        st = sy_ossl_keys_get(cx, &more, err);
        if (st) return st;
        slot = &more->mac[h == SYMBI_HASH_SHA512];
    }
    *out = *slot;
    if (*slot) return SYMBI_OK;
    strcpy(digest, h == SYMBI_HASH_SHA256 ? "SHA256" : h == SYMBI_HASH_SHA384 ? "SHA384" : "SHA512");
    p[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0);
    p[1] = OSSL_PARAM_construct_end();
    mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    *slot = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac); /* the context has its own reference */
    if (*slot && EVP_MAC_CTX_set_params(*slot, p) == 1) {
        *out = *slot;
        return SYMBI_OK;
    }
    st = sy_ossl_fail(err, "fetching HMAC");
    EVP_MAC_CTX_free(*slot);
    *slot = NULL;
    return st;
}

size_t symbi_hash_bytes(symbi_hash h)
{
    return h == SYMBI_HASH_SHA256 ? 32 : h == SYMBI_HASH_SHA384 ? 48 : h == SYMBI_HASH_SHA512 ? 64 : 0;
}

symbi_status symbi_hmac(symbi_ctx *cx, symbi_hash h, symbi_str key, symbi_str data, uint8_t *out, symbi_err *err)
{
    symbi_status st;
    EVP_MAC_CTX *c;
    size_t n = 0, want = symbi_hash_bytes(h);
    if (!want) return sy_fail(err, SYMBI_EINVAL, "unknown hash");
    ERR_set_mark();
    st = hmac_ctx(cx, h, &c, err);
    if (!st) {
        /* A NULL key would mean "the key of last time". */
        const char *k = key.n ? key.p : "";
        if (EVP_MAC_init(c, (const unsigned char *)k, key.n, NULL) != 1 || EVP_MAC_update(c, (const unsigned char *)data.p, data.n) != 1 ||
            EVP_MAC_final(c, out, &n, want) != 1 || n != want)
            st = sy_ossl_fail(err, "HMAC");
    }
    ERR_pop_to_mark();
    if (st) memset(out, 0, want);
    return st;
}

symbi_status symbi_hmac_sha256(symbi_ctx *cx, symbi_str key, symbi_str data, uint8_t out[32], symbi_err *err)
{
    return symbi_hmac(cx, SYMBI_HASH_SHA256, key, data, out, err);
}

bool symbi_ct_equal(symbi_str a, symbi_str b)
{
    if (a.n != b.n) return false;
    return a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0;
}

/* In pieces. */
struct symbi_hasher {
    symbi_alloc alloc;
    EVP_MD_CTX *md;
    bool done;
};

symbi_status symbi_hasher_new(symbi_ctx *cx, symbi_hasher **out, symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    symbi_hasher *h;
    sy_ossl *o;
    *out = NULL;
    h = sy_calloc(&cx->alloc, 1, sizeof *h);
    if (!h) return sy_fail_nomem(err);
    h->alloc = cx->alloc;
    ERR_set_mark();
    o = sy_ossl_get(cx, err);
    if (!o) st = SYMBI_ECRYPTO;
    else {
        h->md = EVP_MD_CTX_new();
        if (!h->md || EVP_DigestInit_ex2(h->md, o->sha256, NULL) != 1) st = sy_ossl_fail(err, "SHA-256");
    }
    ERR_pop_to_mark();
    if (st) symbi_hasher_free(h);
    else *out = h;
    return st;
}

symbi_status symbi_hasher_add(symbi_hasher *h, symbi_str data, symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    if (h->done) return sy_fail(err, SYMBI_ESTATE, "the hash is finished; make a new one");
    ERR_set_mark();
    if (data.n && EVP_DigestUpdate(h->md, data.p, data.n) != 1) st = sy_ossl_fail(err, "SHA-256");
    ERR_pop_to_mark();
    return st;
}

symbi_status symbi_hasher_end(symbi_hasher *h, uint8_t out[32], symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    unsigned n = 32;
    memset(out, 0, 32);
    if (h->done) return sy_fail(err, SYMBI_ESTATE, "the hash is finished; make a new one");
    h->done = true;
    ERR_set_mark();
    if (EVP_DigestFinal_ex(h->md, out, &n) != 1 || n != 32) st = sy_ossl_fail(err, "SHA-256");
    ERR_pop_to_mark();
    if (st) memset(out, 0, 32);
    return st;
}

void symbi_hasher_free(symbi_hasher *h)
{
    if (!h) return;
    symbi_alloc a = h->alloc;
    ERR_set_mark();
    EVP_MD_CTX_free(h->md);
    ERR_pop_to_mark();
    sy_free(&a, h, sizeof *h);
}

void symbi_wipe(void *p, size_t n) { OPENSSL_cleanse(p, n); }
