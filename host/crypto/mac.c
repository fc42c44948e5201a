/* crypto/mac.c: see mac.h. */
#include "crypto/mac.h"
#include "base/alloc.h"
#include "base/err.h"
#include "crypto/ossl.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <string.h>

struct sy_mac {
    symbi_alloc alloc;
    EVP_MAC_CTX *mac;
    bool fresh; /* the key was set and nothing was added yet */
};

symbi_status sy_mac_new(symbi_ctx *cx, symbi_str key, sy_mac **out, symbi_err *err)
{
    char digest[] = "SHA256";
    OSSL_PARAM p[2];
    EVP_MAC *alg;
    sy_mac *m;
    symbi_status st = SYMBI_OK;
    *out = NULL;
    m = sy_calloc(&cx->alloc, 1, sizeof *m);
    if (!m) return sy_fail_nomem(err);
    m->alloc = cx->alloc;
    ERR_set_mark();
    p[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0);
    p[1] = OSSL_PARAM_construct_end();
    alg = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (alg) m->mac = EVP_MAC_CTX_new(alg);
    if (!m->mac || EVP_MAC_init(m->mac, (const unsigned char *)(key.n ? key.p : ""), key.n, p) != 1) st = sy_ossl_fail(err, "HMAC-SHA256");
    EVP_MAC_free(alg); /* the context holds it */
    ERR_pop_to_mark();
    m->fresh = true;
    if (st) sy_mac_free(m);
    else *out = m;
    return st;
}

void sy_mac_free(sy_mac *m)
{
    symbi_alloc a;
    if (!m) return;
    a = m->alloc;
    ERR_set_mark();
    EVP_MAC_CTX_free(m->mac);
    ERR_pop_to_mark();
    sy_free(&a, m, sizeof *m);
}

symbi_status sy_mac_sum(sy_mac *m, const symbi_str *parts, size_t n, uint8_t out[32], symbi_err *err)
{
    size_t len = 0;
    bool good;
    symbi_status st = SYMBI_OK;
    ERR_set_mark();
    /* A NULL key starts again under the key that is there. */
    good = m->fresh || EVP_MAC_init(m->mac, NULL, 0, NULL) == 1;
    m->fresh = false;
    for (size_t i = 0; i < n && good; i++) good = !parts[i].n || EVP_MAC_update(m->mac, (const unsigned char *)parts[i].p, parts[i].n) == 1;
    if (!good || EVP_MAC_final(m->mac, out, &len, 32) != 1 || len != 32) st = sy_ossl_fail(err, "HMAC-SHA256");
    ERR_pop_to_mark();
    if (st) memset(out, 0, 32);
    return st;
}
