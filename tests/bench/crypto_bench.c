/* crypto_bench.c: ours against raw OpenSSL in the same run, turn by turn: short rounds of both alternate (under a millisecond, so
 * that a busy machine slows both), in CPU time; a number is the median of its rounds, a ratio that of neighbours. "raw" is the least that OpenSSL can do it with: contexts made and keyed beforehand where that is
 * possible, no allocation, no parsing. One JSON object on the standard output. */
#include "symbi/json.h"
#include "symbi/jwt.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 401, PER_ROUND = 10, KEYS = 64 };

static symbi_ctx *cx;
static symbi_err err;
static symbi_key *priv, *pub, *ed, *ed_pub;
static symbi_text pem[KEYS], priv_pem, jwt_text;
static symbi_doc *jwk_doc, *claims;
static EVP_PKEY *raw_priv, *raw_pub, *raw_ed_pub;
static EVP_PKEY_CTX *raw_verify_ctx, *raw_sign_ctx;
static EVP_MD_CTX *raw_md;
static EVP_MD *sha256;
static EVP_MAC_CTX *raw_mac;
static uint8_t data[600], body[10240], der[72], rs[72], ed_sig[64];
static size_t der_n, rs_n, turn;
static const char secret[] = "0123456789abcdef0123456789abcdef";

#define NEED(c)                                                                                    \
    do {                                                                                           \
        if (!(c)) {                                                                                \
            fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #c, err.msg);                  \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}
static symbi_str bytes(const void *p, size_t n)
{
    symbi_str s = { p, n };
    return s;
}

static void raw_digest(uint8_t d[32])
{
    unsigned n;
    NEED(EVP_DigestInit_ex2(raw_md, NULL, NULL) == 1 && EVP_DigestUpdate(raw_md, data, sizeof data) == 1 && EVP_DigestFinal_ex(raw_md, d, &n) == 1);
}
static void raw_verify(void)
{
    uint8_t d[32];
    raw_digest(d);
    NEED(EVP_PKEY_verify(raw_verify_ctx, der, der_n, d, 32) == 1);
}
static void raw_digest_verify(void) /* as most programs write it: a context each time */
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    NEED(EVP_DigestVerifyInit_ex(c, NULL, "SHA256", NULL, NULL, raw_pub, NULL) == 1 && EVP_DigestVerify(c, der, der_n, data, sizeof data) == 1);
    EVP_MD_CTX_free(c);
}
static void our_verify(void) { NEED(symbi_es256_verify(cx, pub, bytes(data, sizeof data), SYMBI_ES256_DER, bytes(der, der_n), &err) == SYMBI_OK); }
static void our_verify_raw_form(void) { NEED(symbi_es256_verify(cx, pub, bytes(data, sizeof data), SYMBI_ES256_RAW, bytes(rs, rs_n), &err) == SYMBI_OK); }

static void raw_sign(void)
{
    uint8_t d[32], s[72];
    size_t n = sizeof s;
    raw_digest(d);
    NEED(EVP_PKEY_sign(raw_sign_ctx, s, &n, d, 32) == 1);
}
static void our_sign(void)
{
    uint8_t s[72];
    size_t n;
    NEED(symbi_es256_sign(cx, priv, bytes(data, sizeof data), SYMBI_ES256_DER, s, &n, &err) == SYMBI_OK);
}

/* A key not seen before each time (64 texts in turn, none kept): parse, verify. */
static void first_pem(void)
{
    symbi_key *k;
    NEED(symbi_key_from_pem(cx, symbi_text_str(&pem[turn++ % KEYS]), &k, &err) == SYMBI_OK);
    (void)!symbi_es256_verify(cx, k, bytes(data, sizeof data), SYMBI_ES256_DER, bytes(der, der_n), &err);
    symbi_key_unref(k);
}
static void first_jwk(void)
{
    symbi_key *k;
    NEED(symbi_key_from_jwk(cx, symbi_doc_root(jwk_doc), &k, &err) == SYMBI_OK);
    NEED(symbi_es256_verify(cx, k, bytes(data, sizeof data), SYMBI_ES256_DER, bytes(der, der_n), &err) == SYMBI_OK);
    symbi_key_unref(k);
}
static void first_pem_openssl(void)
{
    symbi_text *t = &pem[turn++ % KEYS];
    BIO *b = BIO_new_mem_buf(t->p, (int)t->n);
    EVP_PKEY *k = PEM_read_bio_PUBKEY(b, NULL, NULL, NULL);
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    NEED(k && EVP_DigestVerifyInit_ex(c, NULL, "SHA256", NULL, NULL, k, NULL) == 1);
    (void)!EVP_DigestVerify(c, der, der_n, data, sizeof data);
    EVP_MD_CTX_free(c);
    EVP_PKEY_free(k);
    BIO_free(b);
}
static void cached_pem(void)
{
    symbi_key *k;
    NEED(symbi_key_cached_pem(cx, symbi_text_str(&pem[0]), &k, &err) == SYMBI_OK);
    NEED(symbi_es256_verify(cx, k, bytes(data, sizeof data), SYMBI_ES256_DER, bytes(der, der_n), &err) == SYMBI_OK);
    symbi_key_unref(k);
}
static void private_pem_sign(void)
{
    symbi_key *k;
    uint8_t s[72];
    size_t n;
    NEED(symbi_key_from_pem(cx, symbi_text_str(&priv_pem), &k, &err) == SYMBI_OK);
    NEED(symbi_es256_sign(cx, k, bytes(data, sizeof data), SYMBI_ES256_DER, s, &n, &err) == SYMBI_OK);
    symbi_key_unref(k);
}

static void raw_hmac(void)
{
    uint8_t m[32];
    size_t n;
    NEED(EVP_MAC_init(raw_mac, (const unsigned char *)secret, 32, NULL) == 1 && EVP_MAC_update(raw_mac, body, sizeof body) == 1 && EVP_MAC_final(raw_mac, m, &n, 32) == 1);
}
static void our_hmac(void)
{
    uint8_t m[32];
    NEED(symbi_hmac_sha256(cx, symbi_str_z(secret), bytes(body, sizeof body), m, &err) == SYMBI_OK);
}

static void raw_ed_verify(void)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    NEED(EVP_DigestVerifyInit_ex(c, NULL, NULL, NULL, NULL, raw_ed_pub, NULL) == 1 && EVP_DigestVerify(c, ed_sig, 64, data, sizeof data) == 1);
    EVP_MD_CTX_free(c);
}
static void our_ed_verify(void) { NEED(symbi_ed25519_verify(cx, ed_pub, bytes(data, sizeof data), ed_sig, &err) == SYMBI_OK); }

static void jwt_verify(void)
{
    symbi_jwt_rules r = { .size = sizeof r, .now = 1700000000 };
    symbi_jwt_key k = { .key = pub };
    NEED(symbi_jwt_verify(cx, symbi_text_str(&jwt_text), SYMBI_JWT_ES256_DER, &k, &r, NULL, NULL, &err) == SYMBI_OK);
}
static void jwt_issue(void)
{
    symbi_jwt_key k = { .key = priv };
    symbi_text t;
    NEED(symbi_jwt_issue(cx, SYMBI_JWT_ES256_DER, &k, NULL, symbi_doc_root(claims), &t, &err) == SYMBI_OK);
    symbi_text_free(&t);
}

static int order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static bool begun;
/* target 0: for information */
static void compare(const char *name, const char *peer_name, void (*ours)(void), void (*peer)(void), double target)
{
    double a[ROUNDS], b[ROUNDS], ratio[ROUNDS];
    for (int r = -10; r < ROUNDS; r++) { /* some to warm up */
        double t0 = now(), t1, t2;
        for (int i = 0; i < PER_ROUND; i++) ours();
        t1 = now();
        for (int i = 0; i < PER_ROUND; i++) peer();
        t2 = now();
        if (r < 0) continue;
        a[r] = (t1 - t0) / PER_ROUND;
        b[r] = (t2 - t1) / PER_ROUND;
        ratio[r] = a[r] / b[r];
    }
    qsort(a, ROUNDS, sizeof *a, order);
    qsort(b, ROUNDS, sizeof *b, order);
    qsort(ratio, ROUNDS, sizeof *ratio, order);
    printf("%s{\"name\":\"%s\",\"us\":%.2f,\"peer\":\"%s\",\"peer_us\":%.2f,\"ratio\":%.3f", begun ? ",\n" : "", name, a[ROUNDS / 2], peer_name, b[ROUNDS / 2], ratio[ROUNDS / 2]);
    if (target > 0) printf(",\"target\":%.2f,\"met\":%s", target, ratio[ROUNDS / 2] <= target ? "true" : "false");
    printf("}");
    begun = true;
    fflush(stdout);
}

static EVP_PKEY *read_raw(const symbi_text *t, bool private)
{
    BIO *b = BIO_new_mem_buf(t->p, (int)t->n);
    EVP_PKEY *k = private ? PEM_read_bio_PrivateKey(b, NULL, NULL, NULL) : PEM_read_bio_PUBKEY(b, NULL, NULL, NULL);
    BIO_free(b);
    NEED(k);
    return k;
}

int main(void)
{
    symbi_text t;
    symbi_jwt_key k;
    EVP_MAC *mac;
    char digest[] = "SHA256";
    OSSL_PARAM p[2] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end() };
    memset(data, 'd', sizeof data);
    memset(body, 'b', sizeof body);
    NEED(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK);
    NEED(symbi_p256_generate(cx, &priv, &err) == SYMBI_OK);
    NEED(symbi_key_private_pem(cx, priv, &priv_pem, &err) == SYMBI_OK);
    NEED(symbi_key_public_pem(cx, priv, &pem[0], &err) == SYMBI_OK);
    for (int i = 1; i < KEYS; i++) {
        symbi_key *other;
        NEED(symbi_p256_generate(cx, &other, &err) == SYMBI_OK);
        NEED(symbi_key_public_pem(cx, other, &pem[i], &err) == SYMBI_OK);
        symbi_key_unref(other);
    }
    NEED(symbi_key_from_pem(cx, symbi_text_str(&pem[0]), &pub, &err) == SYMBI_OK);
    NEED(symbi_key_to_jwk(cx, pub, &t, &err) == SYMBI_OK);
    NEED(symbi_json_parse(cx, symbi_text_str(&t), &jwk_doc, &err) == SYMBI_OK);
    symbi_text_free(&t);
    NEED(symbi_es256_sign(cx, priv, bytes(data, sizeof data), SYMBI_ES256_DER, der, &der_n, &err) == SYMBI_OK);
    NEED(symbi_es256_sign(cx, priv, bytes(data, sizeof data), SYMBI_ES256_RAW, rs, &rs_n, &err) == SYMBI_OK);
    NEED(symbi_ed25519_generate(cx, &ed, &err) == SYMBI_OK);
    NEED(symbi_key_public_pem(cx, ed, &t, &err) == SYMBI_OK);
    NEED(symbi_key_from_pem(cx, symbi_text_str(&t), &ed_pub, &err) == SYMBI_OK);
    raw_ed_pub = read_raw(&t, false);
    symbi_text_free(&t);
    NEED(symbi_ed25519_sign(cx, ed, bytes(data, sizeof data), ed_sig, &err) == SYMBI_OK);
    NEED(symbi_json_parse(cx, symbi_str_z("{\"iss\":\"example.com\",\"sub\":\"urn:agentpin:example.com:bot\",\"aud\":\"api.example.org\",\"iat\":1699999999,\"exp\":1700003599,"
                                          "\"jti\":\"6f1f7a0e-94b8-4ef4-9d2c-0d6f5f0f8f11\",\"agentpin_version\":\"0.1\",\"capabilities\":[\"read:codebase\",\"write:report\",\"execute:tests\"],"
                                          "\"constraints\":{\"allowed_domains\":[\"example.org\"],\"max_rate\":\"100/hour\"}}"), &claims, &err) == SYMBI_OK);
    memset(&k, 0, sizeof k);
    k.key = priv;
    NEED(symbi_jwt_issue(cx, SYMBI_JWT_ES256_DER, &k, NULL, symbi_doc_root(claims), &jwt_text, &err) == SYMBI_OK);

    raw_priv = read_raw(&priv_pem, true);
    raw_pub = read_raw(&pem[0], false);
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    raw_md = EVP_MD_CTX_new();
    NEED(EVP_DigestInit_ex2(raw_md, sha256, NULL) == 1);
    raw_verify_ctx = EVP_PKEY_CTX_new_from_pkey(NULL, raw_pub, NULL);
    raw_sign_ctx = EVP_PKEY_CTX_new_from_pkey(NULL, raw_priv, NULL);
    NEED(EVP_PKEY_verify_init(raw_verify_ctx) == 1 && EVP_PKEY_sign_init(raw_sign_ctx) == 1);
    mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    raw_mac = EVP_MAC_CTX_new(mac);
    NEED(EVP_MAC_CTX_set_params(raw_mac, p) == 1);

    printf("{\"bench\":\"crypto\",\"openssl\":\"%s\",\"data_bytes\":%zu,\"token_bytes\":%zu,\"rows\":[\n", OpenSSL_version(OPENSSL_VERSION_STRING), sizeof data, jwt_text.n);
    compare("es256 verify, known key, DER", "EVP_PKEY_verify, context kept", our_verify, raw_verify, 1.10);
    compare("es256 verify, known key, raw", "EVP_PKEY_verify, context kept", our_verify_raw_form, raw_verify, 1.10);
    compare("es256 verify, known key, DER", "EVP_DigestVerify, context each time", our_verify, raw_digest_verify, 0);
    compare("es256 verify, key known by its PEM text", "EVP_PKEY_verify, context kept", cached_pem, raw_verify, 1.10);
    compare("es256 verify, first-seen PEM", "EVP_PKEY_verify, context kept", first_pem, raw_verify, 1.5);
    compare("es256 verify, first-seen JWK", "EVP_PKEY_verify, context kept", first_jwk, raw_verify, 1.5);
    compare("es256 verify, first-seen PEM", "PEM_read_bio_PUBKEY, EVP_DigestVerify", first_pem, first_pem_openssl, 0);
    compare("es256 sign", "EVP_PKEY_sign, context kept", our_sign, raw_sign, 1.3);
    compare("es256 sign, private PEM parsed each time", "EVP_PKEY_sign, context kept", private_pem_sign, raw_sign, 0);
    compare("jwt verify, known key", "EVP_PKEY_verify, context kept", jwt_verify, raw_verify, 1.10);
    compare("jwt issue", "EVP_PKEY_sign, context kept", jwt_issue, raw_sign, 1.3);
    compare("ed25519 verify", "EVP_DigestVerify", our_ed_verify, raw_ed_verify, 1.10);
    compare("hmac-sha256 of 10 kB", "EVP_MAC, context kept", our_hmac, raw_hmac, 1.1);
    printf("\n]}\n");
    return 0;
}
