/* crypto/p256.c: P-256 and RSA keys from their numbers. Points are checked to be on the curve by OpenSSL's import, which
 * tests/unit/crypto_keys_test.c holds it to. */
#include "base/err.h"
#include "crypto/cache.h"
#include "crypto/key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>
#include <string.h>

/* The order of the base point, big-endian. */
static const uint8_t g_order[32] = { 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51 };

/* In time that does not depend on d: it may be a secret. */
bool sy_p256_scalar_ok(const uint8_t d[32])
{
    unsigned borrow = 0, any = 0;
    for (size_t i = 32; i-- > 0;) {
        borrow = ((unsigned)d[i] - g_order[i] - borrow) >> 8 & 1u;
        any |= d[i];
    }
    return borrow & (any != 0);
}

static symbi_status from_data(EVP_PKEY_CTX **slot, const char *alg, int selection, OSSL_PARAM *p, EVP_PKEY **out, symbi_err *err)
{
    *out = NULL;
    if (!*slot) {
        EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, alg, NULL);
        if (!c || EVP_PKEY_fromdata_init(c) != 1) {
            EVP_PKEY_CTX_free(c);
            return sy_ossl_fail(err, "preparing a key");
        }
        *slot = c;
    }
    if (EVP_PKEY_fromdata(*slot, out, selection, p) == 1) return SYMBI_OK;
    EVP_PKEY_free(*out);
    *out = NULL;
    return SYMBI_EVERIFY;
}

/* A public key: a copy of the empty key, and the point put into it. EVP_PKEY_fromdata would set the curve up anew, which takes
 * OpenSSL 3.0 four times as long as all the rest. */
static symbi_status make_public(symbi_ctx *cx, const uint8_t xy[64], symbi_key **out, symbi_err *err)
{
    char group[] = "prime256v1";
    uint8_t point[65];
    symbi_str pub = { (const char *)xy, 64 };
    EVP_PKEY *pkey;
    sy_ossl_keys *c;
    symbi_status st = sy_ossl_keys_get(cx, &c, err);
    if (st) return st;
    if (!c->p256_empty) {
        OSSL_PARAM p[2] = { OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0), OSSL_PARAM_construct_end() };
        st = from_data(&c->make_ec, "EC", EVP_PKEY_KEY_PARAMETERS, p, &c->p256_empty, err);
        if (st) return st == SYMBI_EVERIFY ? sy_ossl_fail(err, "setting up P-256") : st;
    }
    pkey = EVP_PKEY_dup(c->p256_empty);
    if (!pkey) return sy_ossl_fail(err, "making a P-256 key");
    point[0] = 4;
    memcpy(point + 1, xy, 64);
    if (EVP_PKEY_set1_encoded_public_key(pkey, point, sizeof point) == 1) return sy_key_wrap(cx, SYMBI_KEY_P256, pkey, false, pub, 0, out, err);
    EVP_PKEY_free(pkey);
    return sy_fail(err, SYMBI_EVERIFY, "the point is not on the curve P-256");
}

/* d_native: the scalar in the byte order of the machine; xy belongs to it. */
static symbi_status make_pair(symbi_ctx *cx, const uint8_t xy[64], uint8_t d_native[32], symbi_key **out, symbi_err *err)
{
    char group[] = "prime256v1";
    uint8_t point[65];
    OSSL_PARAM p[4];
    symbi_str pub = { (const char *)xy, 64 };
    EVP_PKEY *pkey;
    sy_ossl_keys *c;
    symbi_status st = sy_ossl_keys_get(cx, &c, err);
    if (st) return st;
    point[0] = 4;
    memcpy(point + 1, xy, 64);
    p[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
    p[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point);
    p[2] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, d_native, 32);
    p[3] = OSSL_PARAM_construct_end();
    st = from_data(&c->make_ec, "EC", EVP_PKEY_KEYPAIR, p, &pkey, err);
    if (st == SYMBI_EVERIFY) return sy_ossl_fail(err, "making a P-256 key");
    return st ? st : sy_key_wrap(cx, SYMBI_KEY_P256, pkey, true, pub, 0, out, err);
}

symbi_status symbi_p256_from_point(symbi_ctx *cx, const uint8_t xy[64], symbi_key **out, symbi_err *err)
{
    symbi_status st;
    *out = NULL;
    ERR_set_mark();
    st = make_public(cx, xy, out, err);
    ERR_pop_to_mark();
    return st;
}

/* xy = d * G */
static symbi_status multiply(sy_ossl_keys *c, const BIGNUM *d, uint8_t xy[64], symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    uint8_t point[65];
    EC_POINT *pt = NULL;
    if (!c->p256) c->p256 = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    if (c->p256) pt = EC_POINT_new(c->p256);
    if (!pt || EC_POINT_mul(c->p256, pt, d, NULL, NULL, NULL) != 1 ||
        EC_POINT_point2oct(c->p256, pt, POINT_CONVERSION_UNCOMPRESSED, point, sizeof point, NULL) != sizeof point)
        st = sy_ossl_fail(err, "computing a public key");
    else memcpy(xy, point + 1, 64);
    EC_POINT_clear_free(pt);
    return st;
}

symbi_status sy_p256_from_scalar(symbi_ctx *cx, const uint8_t d[32], const uint8_t *xy, symbi_key **out, symbi_err *err)
{
    uint8_t native[32], computed[64];
    symbi_status st;
    sy_ossl_keys *c;
    BIGNUM *bn;
    *out = NULL;
    if (!sy_p256_scalar_ok(d)) return sy_fail(err, SYMBI_EVERIFY, "the private number is not within 1..n-1 of P-256");
    ERR_set_mark();
    st = sy_ossl_keys_get(cx, &c, err);
    bn = BN_secure_new();
    if (!st && (!bn || !BN_bin2bn(d, 32, bn) || BN_bn2nativepad(bn, native, 32) != 32)) st = sy_ossl_fail(err, "parsing a P-256 key");
    if (!st) {
        BN_set_flags(bn, BN_FLG_CONSTTIME);
        st = multiply(c, bn, computed, err);
    }
    if (!st && xy && memcmp(xy, computed, 64) != 0) st = sy_fail(err, SYMBI_EVERIFY, "the public point does not belong to the private number");
    if (!st) st = make_pair(cx, computed, native, out, err);
    BN_clear_free(bn);
    OPENSSL_cleanse(native, sizeof native);
    ERR_pop_to_mark();
    return st;
}

symbi_status symbi_p256_generate(symbi_ctx *cx, symbi_key **out, symbi_err *err)
{
    /* The scalar comes from the ctx's random source, so that an embedder's (or a test's) counts here too. A good source is
     * refused once in 2^32 draws. */
    uint8_t d[32];
    symbi_status st = SYMBI_OK;
    int tries = 0;
    *out = NULL;
    do st = symbi_ctx_random(cx, d, sizeof d, err);
    while (!st && !sy_p256_scalar_ok(d) && ++tries < 16);
    if (!st && tries == 16) st = sy_fail(err, SYMBI_ECRYPTO, "the random source gives no number fit for a P-256 key");
    if (!st) st = sy_p256_from_scalar(cx, d, NULL, out, err);
    OPENSSL_cleanse(d, sizeof d);
    return st;
}

void symbi_p256_point(const symbi_key *k, uint8_t xy[64])
{
    if (k->kind == SYMBI_KEY_P256) memcpy(xy, k->pub, 64);
    else memset(xy, 0, 64);
}

symbi_status sy_p256_scalar(const symbi_key *k, uint8_t d[32], symbi_err *err)
{
    symbi_status st = sy_key_need(k, SYMBI_KEY_P256, true, "this", err);
    BIGNUM *bn = NULL;
    if (st) return st;
    ERR_set_mark();
    if (EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_PRIV_KEY, &bn) != 1 || BN_bn2binpad(bn, d, 32) != 32) st = sy_ossl_fail(err, "reading a P-256 key");
    BN_clear_free(bn);
    ERR_pop_to_mark();
    return st;
}

/* ---- RSA, public only ---- */

static unsigned bit_length(symbi_str s)
{
    unsigned n = (unsigned)s.n * 8;
    for (unsigned top = (unsigned char)s.p[0]; !(top & 0x80); top <<= 1) n--;
    return n;
}
static bool odd(symbi_str s) { return s.p[s.n - 1] & 1; }

symbi_status sy_rsa_from_public(symbi_ctx *cx, symbi_str n, symbi_str e, symbi_key **out, symbi_err *err)
{
    uint8_t both[SY_RSA_MAX_BYTES + SY_RSA_E_MAX_BYTES], nn[SY_RSA_MAX_BYTES], ne[SY_RSA_E_MAX_BYTES];
    OSSL_PARAM p[3];
    symbi_str pub = { (const char *)both, n.n + e.n };
    symbi_status st;
    EVP_PKEY *pkey = NULL;
    sy_ossl_keys *c;
    unsigned bits;
    *out = NULL;
    if (!n.n || !e.n || !n.p[0] || !e.p[0]) return sy_fail(err, SYMBI_EPARSE, "an RSA number is empty or has leading zeros");
    if (n.n > SY_RSA_MAX_BYTES) return sy_fail(err, SYMBI_EUNSUPPORTED, "RSA keys of more than %d bits are refused", SY_RSA_MAX_BITS);
    bits = bit_length(n);
    if (bits < SY_RSA_MIN_BITS) return sy_fail(err, SYMBI_EUNSUPPORTED, "RSA keys of less than %d bits are refused, this one has %u", SY_RSA_MIN_BITS, bits);
    if (e.n > SY_RSA_E_MAX_BYTES || !odd(e) || (e.n == 1 && e.p[0] == 1)) return sy_fail(err, SYMBI_EVERIFY, "the RSA exponent must be an odd number of at least 3, of at most 64 bits");
    if (!odd(n)) return sy_fail(err, SYMBI_EVERIFY, "the RSA modulus is even");
    memcpy(both, n.p, n.n);
    memcpy(both + n.n, e.p, e.n);
    for (size_t i = 0; i < n.n; i++) nn[i] = (uint8_t)n.p[n.n - 1 - i];
    for (size_t i = 0; i < e.n; i++) ne[i] = (uint8_t)e.p[e.n - 1 - i];
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    memcpy(nn, n.p, n.n);
    memcpy(ne, e.p, e.n);
#endif
    p[0] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, nn, n.n);
    p[1] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, ne, e.n);
    p[2] = OSSL_PARAM_construct_end();
    ERR_set_mark();
    st = sy_ossl_keys_get(cx, &c, err);
    if (!st) st = from_data(&c->make_rsa, "RSA", EVP_PKEY_PUBLIC_KEY, p, &pkey, err);
    if (st == SYMBI_EVERIFY) st = sy_ossl_fail(err, "parsing an RSA key");
    if (!st) st = sy_key_wrap(cx, SYMBI_KEY_RSA, pkey, false, pub, n.n, out, err);
    ERR_pop_to_mark();
    return st;
}
