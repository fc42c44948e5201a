/* crypto/cache.c */
#include "crypto/cache.h"
#include "base/alloc.h"
#include "base/err.h"
#include "crypto/key.h"

#include <openssl/rsa.h>
#include <string.h>

symbi_status sy_ossl_keys_get(symbi_ctx *cx, sy_ossl_keys **out, symbi_err *err)
{
    sy_ossl *o = sy_ossl_get(cx, err);
    *out = NULL;
    if (!o) return SYMBI_ECRYPTO;
    if (!o->keys) o->keys = sy_calloc(&cx->alloc, 1, sizeof *o->keys);
    *out = o->keys;
    return o->keys ? SYMBI_OK : sy_fail_nomem(err);
}

void sy_ossl_keys_free(symbi_ctx *cx, sy_ossl_keys *k)
{
    if (!k) return;
    for (size_t i = 0; i < SY_VERIFY_CACHE_MAX; i++) EVP_PKEY_CTX_free(k->verify[i].c);
    for (size_t i = 0; i < SY_KEY_CACHE_MAX; i++) symbi_key_unref(k->key[i].key);
    EVP_PKEY_CTX_free(k->make_ec);
    EVP_PKEY_CTX_free(k->make_rsa);
    EVP_PKEY_free(k->p256_empty);
    EC_GROUP_free(k->p256);
    EVP_MAC_CTX_free(k->mac[0]);
    EVP_MAC_CTX_free(k->mac[1]);
    EVP_CIPHER_free(k->gcm);
    sy_free(&cx->alloc, k, sizeof *k);
}

void symbi_crypto_trim(symbi_ctx *cx)
{
    sy_ossl *o = cx->slot[SY_SLOT_CRYPTO];
    if (!o) return;
    ERR_set_mark();
    sy_ossl_keys_free(cx, o->keys);
    o->keys = NULL;
    ERR_pop_to_mark();
}

static sy_ossl_keys *there(symbi_ctx *cx)
{
    sy_ossl *o = cx->slot[SY_SLOT_CRYPTO];
    return o ? o->keys : NULL;
}

symbi_key *sy_cache_key_get(symbi_ctx *cx, sy_key_origin from, const uint8_t hash[32])
{
    sy_ossl_keys *c = there(cx);
    if (!c) return NULL;
    for (size_t i = 0; i < SY_KEY_CACHE_MAX; i++) {
        sy_cached_key *e = &c->key[i];
        if (e->key && e->origin == from && memcmp(e->hash, hash, 32) == 0) {
            e->used = ++c->clock;
            return symbi_key_ref(e->key);
        }
    }
    return NULL;
}

void sy_cache_key_put(symbi_ctx *cx, sy_key_origin from, const uint8_t hash[32], symbi_key *k)
{
    sy_ossl_keys *c;
    sy_cached_key *e;
    if (k->is_private || sy_ossl_keys_get(cx, &c, NULL)) return;
    e = &c->key[0];
    for (size_t i = 0; i < SY_KEY_CACHE_MAX && e->key; i++)
        if (!c->key[i].key || c->key[i].used < e->used) e = &c->key[i];
    symbi_key_unref(e->key);
    memcpy(e->hash, hash, 32);
    e->origin = (uint8_t)from;
    e->used = ++c->clock;
    e->key = symbi_key_ref(k);
}

static symbi_status verify_new(const symbi_key *k, EVP_PKEY_CTX **out, symbi_err *err)
{
    symbi_status st;
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
    bool ok = c && EVP_PKEY_verify_init(c) == 1;
    if (ok && k->kind == SYMBI_KEY_RSA)
        ok = EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1 && EVP_PKEY_CTX_set_signature_md(c, EVP_sha256()) == 1;
    *out = ok ? c : NULL;
    if (ok) return SYMBI_OK;
    st = sy_ossl_fail(err, "preparing a signature check");
    EVP_PKEY_CTX_free(c);
    return st;
}

symbi_status sy_verify_ctx(symbi_ctx *cx, const symbi_key *k, EVP_PKEY_CTX **out, bool *own, symbi_err *err)
{
    symbi_status st;
    sy_ossl_keys *c;
    sy_cached_verify *e;
    *out = NULL;
    *own = k->is_private; /* a cached context would keep a private key alive after its owner dropped it */
    if (*own) return verify_new(k, out, err);
    st = sy_ossl_keys_get(cx, &c, err);
    if (st) return st;
    e = &c->verify[0];
    for (size_t i = 0; i < SY_VERIFY_CACHE_MAX; i++) {
        if (c->verify[i].pkey == k->pkey) {
            c->verify[i].used = ++c->clock;
            *out = c->verify[i].c;
            return SYMBI_OK;
        }
        if (c->verify[i].used < e->used) e = &c->verify[i];
    }
    st = verify_new(k, out, err);
    if (st) return st;
    EVP_PKEY_CTX_free(e->c);
    e->pkey = k->pkey;
    e->c = *out;
    e->used = ++c->clock;
    return SYMBI_OK;
}
