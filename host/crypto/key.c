/* crypto/key.c: keys of every kind: making, counting, fingerprints. OpenSSL wipes the private half when it frees the
 * EVP_PKEY, and this folder wipes the copies that pass through it. */
#include "crypto/key.h"
#include "base/alloc.h"
#include "base/err.h"
#include "codec/base64.h"
#include "crypto/der.h"

#include <openssl/crypto.h>
#include <string.h>

symbi_status sy_key_wrap(symbi_ctx *cx, symbi_key_kind kind, EVP_PKEY *pkey, bool is_private, symbi_str pub, size_t n_len, symbi_key **out, symbi_err *err)
{
    uint8_t spki[SY_SPKI_MAX_BYTES];
    char jwk[SY_JWK_MAX_BYTES];
    symbi_str s;
    symbi_status st;
    symbi_key *k = sy_calloc(&cx->shared, 1, sizeof *k + pub.n);
    *out = NULL;
    if (!k) {
        EVP_PKEY_free(pkey);
        return sy_fail_nomem(err);
    }
    sy_ref_init(&k->refs);
    k->alloc = cx->shared;
    k->pkey = pkey;
    k->kind = kind;
    k->is_private = is_private;
    k->pub_n = pub.n;
    k->n_len = n_len;
    memcpy(k->pub, pub.p, pub.n);
    s.p = (const char *)spki;
    s.n = sy_key_spki(k, spki);
    st = symbi_sha256(cx, s, k->spki, err);
    if (!st) {
        s.p = jwk;
        s.n = sy_key_jwk_text(k, true, jwk);
        st = symbi_sha256(cx, s, k->thumb, err);
    }
    if (st) symbi_key_unref(k);
    else *out = k;
    return st;
}

symbi_key *symbi_key_ref(symbi_key *k)
{
    sy_ref_inc(&k->refs);
    return k;
}

void symbi_key_unref(symbi_key *k)
{
    if (!k || !sy_ref_dec(&k->refs)) return;
    symbi_alloc a = k->alloc;
    size_t n = sizeof *k + k->pub_n;
    ERR_set_mark();
    EVP_PKEY_free(k->pkey);
    ERR_pop_to_mark();
    OPENSSL_cleanse(k, n);
    sy_free(&a, k, n);
}

bool symbi_key_is_private(const symbi_key *k) { return k->is_private; }
symbi_key_kind symbi_key_kind_of(const symbi_key *k) { return k ? k->kind : SYMBI_KEY_NONE; }

const char *symbi_key_kind_name(symbi_key_kind kind)
{
    switch (kind) {
    case SYMBI_KEY_ED25519: return "ed25519";
    case SYMBI_KEY_P256: return "p256";
    case SYMBI_KEY_RSA: return "rsa";
    case SYMBI_KEY_NONE: break;
    }
    return "none";
}

void symbi_key_spki_sha256(const symbi_key *k, uint8_t out[32]) { memcpy(out, k->spki, 32); }
void symbi_key_thumbprint(const symbi_key *k, uint8_t out[32]) { memcpy(out, k->thumb, 32); }

symbi_status sy_key_need(const symbi_key *k, symbi_key_kind kind, bool is_private, const char *what, symbi_err *err)
{
    static const char *const name[] = { "no", "an Ed25519", "a P-256", "an RSA" };
    if (!k) return sy_fail(err, SYMBI_EINVAL, "%s needs %s key, there is none", what, name[kind]);
    if (k->kind != kind) return sy_fail(err, SYMBI_EINVAL, "%s needs %s key, this is %s one", what, name[kind], name[k->kind]);
    if (is_private && !k->is_private) return sy_fail(err, SYMBI_EINVAL, "%s needs a private key, this is a public one", what);
    return SYMBI_OK;
}

/* ---- encodings ---- */

size_t sy_key_spki(const symbi_key *k, uint8_t *out)
{
    static const uint8_t ed[] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };
    static const uint8_t ec[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04 };
    static const uint8_t rsa[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00 };
    uint8_t *o = out;
    if (k->kind == SYMBI_KEY_RSA) {
        const uint8_t *e = k->pub + k->n_len;
        size_t e_len = k->pub_n - k->n_len;
        size_t nums = sy_der_uint_len(k->pub, k->n_len) + sy_der_uint_len(e, e_len);
        size_t bits = 1 + sy_der_head_len(nums) + nums;
        o = sy_der_put_head(o, SY_DER_SEQUENCE, sizeof rsa + sy_der_head_len(bits) + bits);
        memcpy(o, rsa, sizeof rsa);
        o = sy_der_put_head(o + sizeof rsa, SY_DER_BITS, bits);
        *o++ = 0;
        o = sy_der_put_head(o, SY_DER_SEQUENCE, nums);
        o = sy_der_put_uint(o, k->pub, k->n_len);
        o = sy_der_put_uint(o, e, e_len);
        return (size_t)(o - out);
    }
    if (k->kind == SYMBI_KEY_P256) {
        memcpy(o, ec, sizeof ec);
        o += sizeof ec;
    } else {
        memcpy(o, ed, sizeof ed);
        o += sizeof ed;
    }
    memcpy(o, k->pub, k->pub_n);
    return (size_t)(o - out) + k->pub_n;
}

static char *put(char *o, const char *z)
{
    size_t n = strlen(z);
    memcpy(o, z, n);
    return o + n;
}
static char *put64(char *o, const uint8_t *p, size_t n) { return o + sy_base64_encode(p, n, SY_BASE64_URL | SY_BASE64_NOPAD, o); }

size_t sy_key_jwk_text(const symbi_key *k, bool sorted, char *out)
{
    char *o = out;
    switch (k->kind) {
    case SYMBI_KEY_RSA:
        o = put(o, sorted ? "{\"e\":\"" : "{\"kty\":\"RSA\",\"n\":\"");
        o = sorted ? put64(o, k->pub + k->n_len, k->pub_n - k->n_len) : put64(o, k->pub, k->n_len);
        o = put(o, sorted ? "\",\"kty\":\"RSA\",\"n\":\"" : "\",\"e\":\"");
        o = sorted ? put64(o, k->pub, k->n_len) : put64(o, k->pub + k->n_len, k->pub_n - k->n_len);
        break;
    case SYMBI_KEY_P256:
        o = put(o, sorted ? "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"" : "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"");
        o = put64(o, k->pub, 32);
        o = put(o, "\",\"y\":\"");
        o = put64(o, k->pub + 32, 32);
        break;
    case SYMBI_KEY_ED25519:
        o = put(o, sorted ? "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"" : "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"");
        o = put64(o, k->pub, 32);
        break;
    case SYMBI_KEY_NONE: return 0;
    }
    o = put(o, "\"}");
    return (size_t)(o - out);
}
