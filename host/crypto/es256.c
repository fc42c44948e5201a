/* crypto/es256.c: ECDSA over P-256 with SHA-256 in its two encodings, and RS256. A signature is taken apart by our own
 * strict DER reader (or as 64 bytes) and given to OpenSSL as canonical DER, so that what OpenSSL tolerates cannot matter. */
#include "base/err.h"
#include "crypto/cache.h"
#include "crypto/der.h"
#include "crypto/key.h"

#include <string.h>

/* Canonical DER of r and s; returns the length, at most 72. */
static size_t to_der(const uint8_t rs[64], uint8_t out[SYMBI_ES256_MAX_BYTES])
{
    uint8_t *o = sy_der_put_head(out, SY_DER_SEQUENCE, sy_der_uint_len(rs, 32) + sy_der_uint_len(rs + 32, 32));
    o = sy_der_put_uint(o, rs, 32);
    o = sy_der_put_uint(o, rs + 32, 32);
    return (size_t)(o - out);
}

#define RAW "64 bytes r||s where DER is expected"
#define TRAILING "bytes follow after the DER"

/* NULL, or what is wrong. */
static const char *from_der(symbi_str sig, uint8_t rs[64])
{
    sy_der d = sy_der_over(sig.p, sig.n), b;
    const char *why = sy_der_get(&d, SY_DER_SEQUENCE, &b);
    if (why) return sig.n == SYMBI_ES256_RAW_BYTES ? RAW : why;
    if (sy_der_left(&d)) return TRAILING;
    for (int i = 0; i < 2; i++) {
        symbi_str m;
        why = sy_der_uint(&b, &m);
        if (why) return why;
        if (m.n > 32) return "an INTEGER is larger than the order of the curve";
        memset(rs + 32 * i, 0, 32 - m.n);
        memcpy(rs + 32 * i + 32 - m.n, m.p, m.n);
    }
    return sy_der_left(&b) ? "the SEQUENCE holds more than r and s" : NULL;
}

static const char *parse(symbi_str sig, symbi_es256_form form, uint8_t rs[64])
{
    const char *why = NULL;
    if (!sig.n) return "it is empty";
    if (form == SYMBI_ES256_DER) why = from_der(sig, rs);
    else if (sig.n != SYMBI_ES256_RAW_BYTES) return (unsigned char)sig.p[0] == 0x30 && sig.n > 66 ? "DER where 64 bytes r||s are expected" : "it is not 64 bytes long";
    else memcpy(rs, sig.p, 64);
    if (!why && (!sy_p256_scalar_ok(rs) || !sy_p256_scalar_ok(rs + 32))) why = "r or s is zero or not below the order of the curve";
    return why;
}

sy_es256_flaw sy_es256_look(symbi_str sig)
{
    static const struct {
        const char *why;
        sy_es256_flaw flaw;
    } known[] = { { RAW, SY_ES256_RAW_FORM }, { SY_DER_CUT, SY_ES256_CUT }, { TRAILING, SY_ES256_TRAILING }, { SY_DER_ZEROS, SY_ES256_ZEROS }, { SY_DER_NEGATIVE, SY_ES256_NEGATIVE } };
    uint8_t rs[64];
    const char *why = parse(sig, SYMBI_ES256_DER, rs);
    if (!why) return SY_ES256_WELL_FORMED;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(why, known[i].why)) return known[i].flaw;
    return SY_ES256_MALFORMED;
}

static bool form_ok(symbi_es256_form form) { return form == SYMBI_ES256_RAW || form == SYMBI_ES256_DER; }

symbi_status symbi_es256_sign(symbi_ctx *cx, const symbi_key *k, symbi_str data, symbi_es256_form form, uint8_t sig[72], size_t *n, symbi_err *err)
{
    symbi_status st;
    uint8_t digest[32], der[SYMBI_ES256_MAX_BYTES], rs[64];
    size_t len = sizeof der;
    EVP_PKEY_CTX *c;
    *n = 0;
    memset(sig, 0, SYMBI_ES256_MAX_BYTES);
    if (!form_ok(form)) return sy_fail(err, SYMBI_EINVAL, "unknown form of an ES256 signature");
    st = sy_key_need(k, SYMBI_KEY_P256, true, "signing with ES256", err);
    if (!st) st = symbi_sha256(cx, data, digest, err);
    if (st) return st;
    ERR_set_mark();
    c = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
    if (!c || EVP_PKEY_sign_init(c) != 1 || EVP_PKEY_sign(c, der, &len, digest, 32) != 1) st = sy_ossl_fail(err, "ES256 signing");
    EVP_PKEY_CTX_free(c);
    ERR_pop_to_mark();
    if (!st) {
        symbi_str s = { (const char *)der, len };
        if (parse(s, SYMBI_ES256_DER, rs)) st = sy_fail(err, SYMBI_ECRYPTO, "ES256 signing gave no canonical signature");
    }
    if (st) return st;
    if (form == SYMBI_ES256_RAW) memcpy(sig, rs, *n = 64);
    else memcpy(sig, der, *n = len);
    return SYMBI_OK;
}

/* sig is canonical for the kind of key. */
static symbi_status verify_digest(symbi_ctx *cx, const symbi_key *k, const uint8_t digest[32], const uint8_t *sig, size_t n, const char *what, symbi_err *err)
{
    symbi_status st;
    bool own;
    EVP_PKEY_CTX *c;
    ERR_set_mark();
    st = sy_verify_ctx(cx, k, &c, &own, err);
    if (!st && EVP_PKEY_verify(c, sig, n, digest, 32) != 1) st = sy_fail(err, SYMBI_EVERIFY, "the %s signature does not verify", what);
    if (c && own) EVP_PKEY_CTX_free(c);
    ERR_pop_to_mark();
    return st;
}

symbi_status symbi_es256_verify(symbi_ctx *cx, const symbi_key *k, symbi_str data, symbi_es256_form form, symbi_str sig, symbi_err *err)
{
    symbi_status st;
    uint8_t digest[32], rs[64], der[SYMBI_ES256_MAX_BYTES];
    const char *why;
    if (!form_ok(form)) return sy_fail(err, SYMBI_EINVAL, "unknown form of an ES256 signature");
    st = sy_key_need(k, SYMBI_KEY_P256, false, "checking an ES256 signature", err);
    if (st) return st;
    why = parse(sig, form, rs);
    if (why) return sy_fail(err, SYMBI_EVERIFY, "the ES256 signature is malformed: %s", why);
    st = symbi_sha256(cx, data, digest, err);
    return st ? st : verify_digest(cx, k, digest, der, to_der(rs, der), "ES256", err);
}

symbi_status symbi_rs256_verify(symbi_ctx *cx, const symbi_key *k, symbi_str data, symbi_str sig, symbi_err *err)
{
    uint8_t digest[32];
    symbi_status st = sy_key_need(k, SYMBI_KEY_RSA, false, "checking an RS256 signature", err);
    if (st) return st;
    if (sig.n != k->n_len) return sy_fail(err, SYMBI_EVERIFY, "the RS256 signature is %zu bytes long, the key's are %zu", sig.n, k->n_len);
    st = symbi_sha256(cx, data, digest, err);
    return st ? st : verify_digest(cx, k, digest, (const uint8_t *)sig.p, sig.n, "RS256", err);
}
