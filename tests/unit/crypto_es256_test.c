/* crypto_es256_test.c: ES256 in both encodings and RS256: published signatures (RFC 6979, RFC 7515), the tricks that DER allows
 * elsewhere, each refused for its own reason, one key in several threads. */
#include "crypto_pems.h"
#include "test.h"
#include "symbi/crypto.h"
#include "symbi/json.h"

#include <openssl/err.h>
#include <pthread.h>

static symbi_ctx *cx;
static symbi_err err;

static size_t unhex(const char *h, uint8_t *out)
{
    size_t n = strlen(h) / 2;
    for (size_t i = 0; i < n; i++) {
        unsigned v = 0;
        sscanf(h + 2 * i, "%2x", &v);
        out[i] = (uint8_t)v;
    }
    return n;
}
static symbi_str bytes(const void *p, size_t n)
{
    symbi_str s = { p, n };
    return s;
}
static symbi_str hex(const char *h)
{
    static uint8_t b[4][600];
    static unsigned i;
    uint8_t *p = b[i++ & 3];
    return bytes(p, unhex(h, p));
}

/* RFC 6979 A.2.5, SHA-256 */
#define POINT "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
#define R1 "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
#define S1 "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
#define S1_LOW "0834e36ad29a83bf2bc9385e491d6099c8fdf9d1ed67aa7ea5f51f93782857a9" /* n - S1: "low s" of the same signature */
#define R2 "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
#define S2 "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083"
#define ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"

static symbi_key *published(void)
{
    uint8_t xy[64];
    symbi_key *k = NULL;
    unhex(POINT, xy);
    CHECK_OK(symbi_p256_from_point(cx, xy, &k, &err), err);
    return k;
}

static void test_published(void)
{
    symbi_key *k = published();
    REQUIRE(k);
    CHECK_OK(symbi_es256_verify(cx, k, symbi_str_z("sample"), SYMBI_ES256_RAW, hex(R1 S1), &err), err);
    CHECK_OK(symbi_es256_verify(cx, k, symbi_str_z("sample"), SYMBI_ES256_DER, hex("3046022100" R1 "022100" S1), &err), err);
    CHECK_OK(symbi_es256_verify(cx, k, symbi_str_z("test"), SYMBI_ES256_RAW, hex(R2 S2), &err), err);
    CHECK_OK(symbi_es256_verify(cx, k, symbi_str_z("test"), SYMBI_ES256_DER, hex("3045022100" R2 "0220" S2), &err), err);
    /* both s of a pair are accepted, as everywhere (agentpin.md section 1) */
    CHECK_OK(symbi_es256_verify(cx, k, symbi_str_z("sample"), SYMBI_ES256_RAW, hex(R1 S1_LOW), &err), err);
    CHECK_OK(symbi_es256_verify(cx, k, symbi_str_z("sample"), SYMBI_ES256_DER, hex("3045022100" R1 "0220" S1_LOW), &err), err);
    CHECK(symbi_es256_verify(cx, k, symbi_str_z("samplE"), SYMBI_ES256_RAW, hex(R1 S1), &err) == SYMBI_EVERIFY);
    CHECK(strstr(err.msg, "does not verify"));
    CHECK(symbi_es256_verify(cx, k, symbi_str_z(""), SYMBI_ES256_RAW, hex(R1 S1), &err) == SYMBI_EVERIFY);
    symbi_key_unref(k);
}

static void refused(symbi_key *k, symbi_es256_form form, const char *sig, const char *part)
{
    symbi_status st = symbi_es256_verify(cx, k, symbi_str_z("sample"), form, hex(sig), &err);
    if (st != SYMBI_EVERIFY || !strstr(err.msg, part)) {
        printf("expected \"%s\", got %s \"%s\" for %.24s...\n", part, symbi_status_name(st), err.msg, sig);
        t_now_failed = 1;
    }
}

static void test_der_tricks(void)
{
    symbi_key *k = published();
    REQUIRE(k);
    refused(k, SYMBI_ES256_DER, "", "empty");
    refused(k, SYMBI_ES256_DER, "30", "cut off");
    refused(k, SYMBI_ES256_DER, R1 S1, "r||s where DER");
    refused(k, SYMBI_ES256_DER, "3046022100" R1 "022100" S1 "00", "bytes follow");
    refused(k, SYMBI_ES256_DER, "3047022100" R1 "022100" S1 "00", "more than r and s");
    refused(k, SYMBI_ES256_DER, "3049022100" R1 "022100" S1 "020101", "more than r and s");
    refused(k, SYMBI_ES256_DER, "308146022100" R1 "022100" S1, "shortest form");
    refused(k, SYMBI_ES256_DER, "30820046022100" R1 "022100" S1, "shortest form");
    refused(k, SYMBI_ES256_DER, "304702812100" R1 "022100" S1, "shortest form");
    refused(k, SYMBI_ES256_DER, "3080022100" R1 "022100" S1 "0000", "indefinite");
    refused(k, SYMBI_ES256_DER, "304702220000" R1 "022100" S1, "leading zeros");
    refused(k, SYMBI_ES256_DER, "3046022100" R1 "022100" S1_LOW, "leading zeros");
    refused(k, SYMBI_ES256_DER, "30450220" R1 "022100" S1, "negative"); /* r without its zero byte */
    refused(k, SYMBI_ES256_DER, "3026020100022100" S1, "zero");
    refused(k, SYMBI_ES256_DER, "3026022100" R1 "020100", "zero");
    refused(k, SYMBI_ES256_DER, "30250200022100" S1, "empty");
    refused(k, SYMBI_ES256_DER, "3046022100" ORDER "022100" S1, "not below the order");
    refused(k, SYMBI_ES256_DER, "3046022100" R1 "022100" ORDER, "not below the order");
    refused(k, SYMBI_ES256_DER, "3046022101" R1 "022100" S1, "larger than the order");
    refused(k, SYMBI_ES256_DER, "3023022100" R1, "cut off");
    refused(k, SYMBI_ES256_DER, "3046022100" R1 "022100" "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acd", "cut off");
    refused(k, SYMBI_ES256_DER, "3046032100" R1 "022100" S1, "another type");
    refused(k, SYMBI_ES256_DER, "3146022100" R1 "022100" S1, "another type");
    refused(k, SYMBI_ES256_DER, "3006020101020101", "does not verify"); /* canonical and wrong */
    symbi_key_unref(k);
}

static void test_raw_tricks(void)
{
    symbi_key *k = published();
    char b[129];
    REQUIRE(k);
    refused(k, SYMBI_ES256_RAW, "", "empty");
    refused(k, SYMBI_ES256_RAW, "3046022100" R1 "022100" S1, "DER where 64 bytes");
    refused(k, SYMBI_ES256_RAW, R1 S1 "00", "not 64 bytes");
    refused(k, SYMBI_ES256_RAW, R1, "not 64 bytes");
    refused(k, SYMBI_ES256_RAW, "0000000000000000000000000000000000000000000000000000000000000000" S1, "zero");
    refused(k, SYMBI_ES256_RAW, R1 "0000000000000000000000000000000000000000000000000000000000000000", "zero");
    refused(k, SYMBI_ES256_RAW, ORDER S1, "order");
    refused(k, SYMBI_ES256_RAW, R1 ORDER, "order");
    refused(k, SYMBI_ES256_RAW, R1 "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "order");
    for (size_t i = 0; i < 128; i += 3) { /* any change of a digit */
        memcpy(b, R1 S1, 129);
        b[i] = b[i] == '3' ? '4' : '3';
        CHECK(symbi_es256_verify(cx, k, symbi_str_z("sample"), SYMBI_ES256_RAW, hex(b), &err) == SYMBI_EVERIFY);
    }
    CHECK(symbi_es256_verify(cx, k, symbi_str_z("sample"), (symbi_es256_form)0, hex(R1 S1), &err) == SYMBI_EINVAL);
    CHECK(symbi_es256_verify(cx, k, symbi_str_z("sample"), (symbi_es256_form)3, hex(R1 S1), &err) == SYMBI_EINVAL);
    symbi_key_unref(k);
}

static void test_sign(void)
{
    symbi_key *k = NULL, *pub = NULL, *other = NULL;
    uint8_t sig[72], two[72];
    size_t n, n2;
    CHECK_OK(symbi_key_from_pem(cx, symbi_str_z(P256_PKCS8), &k, &err), err);
    CHECK_OK(symbi_key_from_pem(cx, symbi_str_z(P256_SPKI), &pub, &err), err);
    other = published();
    REQUIRE(k && pub && other);
    for (int i = 0; i < 50; i++) { /* lengths of DER vary with the leading bits */
        symbi_str msg = bytes(&i, sizeof i);
        CHECK_OK(symbi_es256_sign(cx, k, msg, SYMBI_ES256_DER, sig, &n, &err), err);
        CHECK_OK(symbi_es256_verify(cx, pub, msg, SYMBI_ES256_DER, bytes(sig, n), &err), err);
        CHECK_OK(symbi_es256_verify(cx, k, msg, SYMBI_ES256_DER, bytes(sig, n), &err), err);
        CHECK(symbi_es256_verify(cx, pub, msg, SYMBI_ES256_RAW, bytes(sig, n), &err) == SYMBI_EVERIFY);
        CHECK(symbi_es256_verify(cx, other, msg, SYMBI_ES256_DER, bytes(sig, n), &err) == SYMBI_EVERIFY);
        CHECK_OK(symbi_es256_sign(cx, k, msg, SYMBI_ES256_RAW, two, &n2, &err), err);
        CHECK(n2 == 64);
        CHECK_OK(symbi_es256_verify(cx, pub, msg, SYMBI_ES256_RAW, bytes(two, n2), &err), err);
        CHECK(symbi_es256_verify(cx, pub, msg, SYMBI_ES256_DER, bytes(two, n2), &err) == SYMBI_EVERIFY);
        CHECK(memcmp(sig, two, 64) != 0);
    }
    CHECK(symbi_es256_sign(cx, pub, symbi_str_z("x"), SYMBI_ES256_RAW, sig, &n, &err) == SYMBI_EINVAL);
    CHECK(n == 0 && sig[0] == 0);
    CHECK(symbi_es256_sign(cx, k, symbi_str_z("x"), (symbi_es256_form)9, sig, &n, &err) == SYMBI_EINVAL);
    symbi_key_unref(k);
    symbi_key_unref(pub);
    symbi_key_unref(other);
}

/* More keys than contexts kept: each verifies with its own, whatever was used before. */
static void test_many_keys(void)
{
    enum { N = 40 };
    symbi_key *k[N], *pub[N];
    uint8_t sig[N][72], xy[64];
    size_t n;
    for (int i = 0; i < N; i++) {
        CHECK_OK(symbi_p256_generate(cx, &k[i], &err), err);
        REQUIRE(k[i]);
        symbi_p256_point(k[i], xy);
        CHECK_OK(symbi_p256_from_point(cx, xy, &pub[i], &err), err);
        REQUIRE(pub[i]);
        CHECK_OK(symbi_es256_sign(cx, k[i], symbi_str_z("m"), SYMBI_ES256_RAW, sig[i], &n, &err), err);
    }
    for (int i = 0; i < 4 * N; i++) {
        int a = i * 7 % N, b = (a + 1) % N;
        CHECK(symbi_es256_verify(cx, pub[a], symbi_str_z("m"), SYMBI_ES256_RAW, bytes(sig[a], 64), &err) == SYMBI_OK);
        CHECK(symbi_es256_verify(cx, pub[a], symbi_str_z("m"), SYMBI_ES256_RAW, bytes(sig[b], 64), &err) == SYMBI_EVERIFY);
    }
    for (int i = 0; i < N; i++) { /* keys freed while their contexts are kept; new ones may get their addresses */
        symbi_key_unref(pub[i]);
        symbi_p256_point(k[(i + 1) % N], xy);
        CHECK_OK(symbi_p256_from_point(cx, xy, &pub[i], &err), err);
        CHECK(symbi_es256_verify(cx, pub[i], symbi_str_z("m"), SYMBI_ES256_RAW, bytes(sig[(i + 1) % N], 64), &err) == SYMBI_OK);
        CHECK(symbi_es256_verify(cx, pub[i], symbi_str_z("m"), SYMBI_ES256_RAW, bytes(sig[i], 64), &err) == SYMBI_EVERIFY);
    }
    for (int i = 0; i < N; i++) {
        symbi_key_unref(k[i]);
        symbi_key_unref(pub[i]);
    }
}

/* ---- RS256: RFC 7515 A.2 ---- */
#define RSA_N "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
static void test_rs256(void)
{
    static const char signed_part[] = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    static const uint8_t sig[256] = {
        112, 46, 33, 137, 67, 232, 143, 209, 30, 181, 216, 45, 191, 120, 69, 243, 65, 6, 174, 27, 129, 255, 247, 115, 17, 22, 173, 209, 113, 125,
        131, 101, 109, 66, 10, 253, 60, 150, 238, 221, 115, 162, 102, 62, 81, 102, 104, 123, 0, 11, 135, 34, 110, 1, 135, 237, 16, 115, 249, 69,
        229, 130, 173, 252, 239, 22, 216, 90, 121, 142, 232, 198, 109, 219, 61, 184, 151, 91, 23, 208, 148, 2, 190, 237, 213, 217, 217, 112, 7, 16,
        141, 178, 129, 96, 213, 248, 4, 12, 167, 68, 87, 98, 184, 31, 190, 127, 249, 217, 46, 10, 231, 111, 36, 242, 91, 51, 187, 230, 244, 74,
        230, 30, 177, 4, 10, 203, 32, 4, 77, 62, 249, 18, 142, 212, 1, 48, 121, 91, 212, 189, 59, 65, 238, 202, 208, 102, 171, 101, 25, 129,
        253, 228, 141, 247, 127, 55, 45, 195, 139, 159, 175, 221, 59, 239, 177, 139, 93, 163, 204, 60, 46, 176, 47, 158, 58, 65, 214, 18, 202, 173,
        21, 145, 18, 115, 160, 95, 35, 185, 232, 56, 250, 175, 132, 157, 105, 132, 41, 239, 90, 30, 136, 121, 130, 54, 195, 212, 14, 96, 69, 34,
        165, 68, 200, 242, 122, 122, 45, 184, 6, 99, 209, 108, 247, 202, 234, 86, 222, 64, 92, 178, 33, 90, 69, 178, 194, 85, 102, 181, 90, 193,
        167, 72, 160, 112, 223, 200, 163, 42, 70, 149, 67, 208, 25, 238, 251, 71 };
    symbi_doc *d = NULL;
    symbi_key *k = NULL, *other = NULL;
    uint8_t bad[257];
    CHECK_OK(symbi_json_parse(cx, symbi_str_z("{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\"}"), &d, &err), err);
    REQUIRE(d);
    CHECK_OK(symbi_key_from_jwk(cx, symbi_doc_root(d), &k, &err), err);
    CHECK_OK(symbi_key_from_pem(cx, symbi_str_z(RSA_2048), &other, &err), err);
    REQUIRE(k && other);
    CHECK_OK(symbi_rs256_verify(cx, k, symbi_str_z(signed_part), bytes(sig, 256), &err), err);
    CHECK_OK(symbi_rs256_verify(cx, k, symbi_str_z(signed_part), bytes(sig, 256), &err), err); /* the kept context again */
    CHECK(symbi_rs256_verify(cx, other, symbi_str_z(signed_part), bytes(sig, 256), &err) == SYMBI_EVERIFY);
    CHECK(symbi_rs256_verify(cx, k, symbi_str_z("x"), bytes(sig, 256), &err) == SYMBI_EVERIFY);
    CHECK(symbi_rs256_verify(cx, k, symbi_str_z(signed_part), bytes(sig, 255), &err) == SYMBI_EVERIFY);
    CHECK(symbi_rs256_verify(cx, k, symbi_str_z(signed_part), bytes(NULL, 0), &err) == SYMBI_EVERIFY);
    memcpy(bad, sig, 256);
    bad[256] = 0;
    CHECK(symbi_rs256_verify(cx, k, symbi_str_z(signed_part), bytes(bad, 257), &err) == SYMBI_EVERIFY);
    bad[200] ^= 1;
    CHECK(symbi_rs256_verify(cx, k, symbi_str_z(signed_part), bytes(bad, 256), &err) == SYMBI_EVERIFY);
    memset(bad, 0, 256);
    CHECK(symbi_rs256_verify(cx, k, symbi_str_z(signed_part), bytes(bad, 256), &err) == SYMBI_EVERIFY);
    memset(bad, 0xff, 256);
    CHECK(symbi_rs256_verify(cx, k, symbi_str_z(signed_part), bytes(bad, 256), &err) == SYMBI_EVERIFY);
    symbi_doc_unref(d);
    symbi_key_unref(k);
    symbi_key_unref(other);
}

/* ---- one key, four threads, a ctx each ---- */
typedef struct job { symbi_key *priv, *pub; int failures; } job;
static void *work(void *ud)
{
    job *j = ud;
    symbi_ctx *own = NULL;
    symbi_key *k = symbi_key_ref(j->pub);
    if (symbi_ctx_new(NULL, &own, NULL)) return NULL;
    for (int i = 0; i < 60; i++) {
        uint8_t sig[72];
        size_t n;
        symbi_str msg = { (const char *)&i, sizeof i };
        if (symbi_es256_sign(own, j->priv, msg, SYMBI_ES256_DER, sig, &n, NULL)) j->failures++;
        if (symbi_es256_verify(own, j->pub, msg, SYMBI_ES256_DER, bytes(sig, n), NULL)) j->failures++;
        sig[n - 1] ^= 1;
        if (symbi_es256_verify(own, k, msg, SYMBI_ES256_DER, bytes(sig, n), NULL) != SYMBI_EVERIFY) j->failures++;
        symbi_key_ref(k);
        symbi_key_unref(k);
    }
    symbi_key_unref(k);
    symbi_ctx_free(own);
    return NULL;
}
static void test_threads(void)
{
    pthread_t t[4];
    job j[4];
    symbi_key *priv = NULL, *pub = NULL;
    CHECK_OK(symbi_key_from_pem(cx, symbi_str_z(P256_PKCS8), &priv, &err), err);
    CHECK_OK(symbi_key_from_pem(cx, symbi_str_z(P256_SPKI), &pub, &err), err);
    REQUIRE(priv && pub);
    for (int i = 0; i < 4; i++) {
        j[i].priv = priv;
        j[i].pub = pub;
        j[i].failures = 0;
        REQUIRE(pthread_create(&t[i], NULL, work, &j[i]) == 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(t[i], NULL);
        CHECK(j[i].failures == 0);
    }
    symbi_key_unref(priv);
    symbi_key_unref(pub);
}

static void test_error_queue(void)
{
    symbi_key *k = published();
    unsigned long mine;
    REQUIRE(k);
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 7);
    mine = ERR_peek_last_error();
    refused(k, SYMBI_ES256_RAW, R1 R1, "does not verify");
    refused(k, SYMBI_ES256_DER, "3006020101020101", "does not verify");
    CHECK(ERR_get_error() == mine);
    CHECK(ERR_get_error() == 0);
    symbi_key_unref(k);
}

static symbi_status oom_sign(symbi_ctx *c, void *ud)
{
    symbi_key *k = NULL;
    uint8_t sig[72];
    size_t n;
    symbi_status st = symbi_key_cached_pem(c, symbi_str_z(P256_SPKI), &k, NULL);
    (void)ud;
    if (!st) {
        st = symbi_es256_verify(c, k, symbi_str_z("x"), SYMBI_ES256_RAW, hex(R1 S1), NULL);
        if (st == SYMBI_EVERIFY) st = SYMBI_OK;
    }
    symbi_key_unref(k);
    if (!st) st = symbi_key_from_pem(c, symbi_str_z(P256_PKCS8), &k, NULL);
    else k = NULL;
    if (!st) st = symbi_es256_sign(c, k, symbi_str_z("x"), SYMBI_ES256_RAW, sig, &n, NULL);
    symbi_key_unref(k);
    return st;
}
static void test_out_of_memory(void) { test_oom(oom_sign, NULL, SYMBI_OK); }

int main(void)
{
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_published);
    RUN(test_der_tricks);
    RUN(test_raw_tricks);
    RUN(test_sign);
    RUN(test_many_keys);
    RUN(test_rs256);
    RUN(test_threads);
    RUN(test_error_queue);
    RUN(test_out_of_memory);
    symbi_ctx_free(cx);
    return test_end();
}
