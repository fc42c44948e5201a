/* Fuzz target: keys and ES256 signatures. The first byte says what the rest is: 'p' PEM text; 'u', 'k', 'e' the DER of a PUBLIC KEY,
 * PRIVATE KEY, EC PRIVATE KEY; 'j' a JWK; 's' a DER signature. OpenSSL is asked too: what we take it takes and writes as the same
 * bytes (public keys, signatures), and a key that we take survives writing and reading. */
#include "codec/base64.h"
#include "symbi/crypto.h"
#include "symbi/json.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}

/* Written and read again it is the same key; OpenSSL reads its SPKI. */
static void accepted(symbi_ctx *cx, symbi_key *k)
{
    symbi_text t;
    symbi_key *again;
    symbi_doc *d;
    uint8_t a[32], b[32];
    symbi_key_spki_sha256(k, a);
    must(symbi_key_public_pem(cx, k, &t, NULL) == SYMBI_OK);
    {
        BIO *bio = BIO_new_mem_buf(t.p, (int)t.n);
        EVP_PKEY *theirs = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
        must(theirs != NULL);
        EVP_PKEY_free(theirs);
        BIO_free(bio);
    }
    must(symbi_key_from_pem(cx, symbi_text_str(&t), &again, NULL) == SYMBI_OK);
    symbi_text_free(&t);
    symbi_key_spki_sha256(again, b);
    must(!memcmp(a, b, 32) && !symbi_key_is_private(again));
    symbi_key_unref(again);
    must(symbi_key_to_jwk(cx, k, &t, NULL) == SYMBI_OK && symbi_json_parse(cx, symbi_text_str(&t), &d, NULL) == SYMBI_OK);
    must(symbi_key_from_jwk(cx, symbi_doc_root(d), &again, NULL) == SYMBI_OK);
    symbi_key_spki_sha256(again, b);
    must(!memcmp(a, b, 32));
    symbi_key_unref(again);
    symbi_doc_unref(d);
    symbi_text_free(&t);
    if (!symbi_key_is_private(k)) return;
    must(symbi_key_private_pem(cx, k, &t, NULL) == SYMBI_OK && symbi_key_from_pem(cx, symbi_text_str(&t), &again, NULL) == SYMBI_OK);
    symbi_key_spki_sha256(again, b);
    must(!memcmp(a, b, 32) && symbi_key_is_private(again));
    symbi_key_unref(again);
    symbi_text_wipe(&t);
}

static void pem(symbi_ctx *cx, symbi_str text)
{
    symbi_key *k, *cached;
    symbi_err err;
    symbi_status st, st2;
    symbi_err_clear(&err);
    st = symbi_key_from_pem(cx, text, &k, &err);
    st2 = symbi_key_cached_pem(cx, text, &cached, NULL);
    must(st == st2 && (st == SYMBI_OK) == (k != NULL) && (st == SYMBI_OK) == (cached != NULL) && (st == SYMBI_OK || err.msg[0]));
    if (st) return;
    accepted(cx, k);
    symbi_key_unref(k);
    symbi_key_unref(cached);
}

static void der(symbi_ctx *cx, const uint8_t *p, size_t n, const char *label)
{
    char *t = malloc(n * 2 + 200);
    symbi_str s = { t, 0 };
    must(t != NULL);
    s.n = (size_t)sprintf(t, "-----BEGIN %s-----\n", label);
    s.n += sy_base64_encode(p, n, SY_BASE64, t + s.n);
    s.n += (size_t)sprintf(t + s.n, "\n-----END %s-----\n", label);
    pem(cx, s);
    if (label[1] == 'U') { /* what we take is the one encoding */
        symbi_key *k;
        if (symbi_key_from_pem(cx, s, &k, NULL) == SYMBI_OK) {
            const unsigned char *q = p;
            EVP_PKEY *theirs = d2i_PUBKEY(NULL, &q, (long)n);
            unsigned char *out = NULL;
            must(theirs && q == p + n && i2d_PUBKEY(theirs, &out) == (int)n && !memcmp(out, p, n));
            OPENSSL_free(out);
            EVP_PKEY_free(theirs);
            symbi_key_unref(k);
        }
    }
    free(t);
}

static void jwk(symbi_ctx *cx, symbi_str text)
{
    symbi_doc *d;
    symbi_key *k, *cached;
    symbi_err err;
    symbi_status st, st2;
    if (symbi_json_parse(cx, text, &d, NULL)) return;
    symbi_err_clear(&err);
    st = symbi_key_from_jwk(cx, symbi_doc_root(d), &k, &err);
    st2 = symbi_key_cached_jwk(cx, symbi_doc_root(d), &cached, NULL);
    must(st == st2 && (st == SYMBI_OK) == (k != NULL) && (st == SYMBI_OK || err.msg[0]));
    if (!st) {
        must(!symbi_key_is_private(k));
        accepted(cx, k);
    }
    symbi_key_unref(k);
    symbi_key_unref(cached);
    symbi_doc_unref(d);
}

static void signature(symbi_ctx *cx, const uint8_t *p, size_t n)
{
    static const uint8_t xy[64] = { 0x60, 0xfe, 0xd4, 0xba, 0x25, 0x5a, 0x9d, 0x31, 0xc9, 0x61, 0xeb, 0x74, 0xc6, 0x35, 0x6d, 0x68, 0xc0, 0x49, 0xb8, 0x92, 0x3b, 0x61,
                                    0xfa, 0x6c, 0xe6, 0x69, 0x62, 0x2e, 0x60, 0xf2, 0x9f, 0xb6, 0x79, 0x03, 0xfe, 0x10, 0x08, 0xb8, 0xbc, 0x99, 0xa4, 0x1a, 0xe9, 0xe9,
                                    0x56, 0x28, 0xbc, 0x64, 0xf2, 0xf1, 0xb2, 0x0c, 0x2d, 0x7e, 0x9f, 0x51, 0x77, 0xa3, 0xc2, 0x94, 0xd4, 0x46, 0x22, 0x99 };
    static const char order[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    symbi_str s = { (const char *)p, n };
    symbi_key *k;
    symbi_err err;
    symbi_status st;
    const unsigned char *q = p;
    ECDSA_SIG *sig;
    bool canonical = false, taken;
    must(symbi_p256_from_point(cx, xy, &k, NULL) == SYMBI_OK);
    symbi_err_clear(&err);
    st = symbi_es256_verify(cx, k, symbi_str_z("sample"), SYMBI_ES256_DER, s, &err);
    must(st == SYMBI_OK || st == SYMBI_EVERIFY);
    taken = st == SYMBI_OK || !strstr(err.msg, "malformed");
    sig = d2i_ECDSA_SIG(NULL, &q, (long)n);
    if (sig && q == p + n) {
        unsigned char *out = NULL;
        BIGNUM *o = NULL;
        int len = i2d_ECDSA_SIG(sig, &out);
        BN_hex2bn(&o, order);
        canonical = len == (int)n && !memcmp(out, p, n);
        for (int i = 0; i < 2; i++) {
            const BIGNUM *x = i ? ECDSA_SIG_get0_s(sig) : ECDSA_SIG_get0_r(sig);
            canonical = canonical && !BN_is_negative(x) && !BN_is_zero(x) && BN_cmp(x, o) < 0;
        }
        BN_free(o);
        OPENSSL_free(out);
    }
    must(taken == canonical);
    ECDSA_SIG_free(sig);
    must(symbi_es256_verify(cx, k, symbi_str_z("sample"), SYMBI_ES256_RAW, s, NULL) != SYMBI_OK || n == 64);
    symbi_key_unref(k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    symbi_ctx *cx;
    symbi_str rest = { (const char *)data + 1, size - 1 };
    if (size < 2 || symbi_ctx_new(NULL, &cx, NULL)) return 0;
    switch (data[0]) {
    case 'p': pem(cx, rest); break;
    case 'u': der(cx, data + 1, size - 1, "PUBLIC KEY"); break;
    case 'k': der(cx, data + 1, size - 1, "PRIVATE KEY"); break;
    case 'e': der(cx, data + 1, size - 1, "EC PRIVATE KEY"); break;
    case 'j': jwk(cx, rest); break;
    case 's': signature(cx, data + 1, size - 1); break;
    default: break;
    }
    symbi_ctx_free(cx);
    ERR_clear_error(); /* OpenSSL's own attempts */
    return 0;
}
