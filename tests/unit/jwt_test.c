/* jwt_test.c: tokens: the examples of RFC 7515 and RFC 8037, the attack table (one row, one reason), claims at their limits, key
 * sets, issuing. Tokens are put together here, character by character, not by the code under test. */
#include "crypto_pems.h"
#include "test.h"
#include "symbi/json.h"
#include "symbi/jwt.h"

static symbi_ctx *cx;
static symbi_err err;
static symbi_key *ec, *ec_pub, *ed, *rsa;
static const char SECRET[] = "0123456789abcdef0123456789abcdef";
enum { NOW = 1700000000 };

static symbi_str bytes(const void *p, size_t n)
{
    symbi_str s = { p, n };
    return s;
}

/* ---- making tokens ---- */

static size_t b64url(const void *data, size_t n, char *out)
{
    static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const uint8_t *p = data;
    char *o = out;
    for (size_t i = 0; i < n; i += 3) {
        uint32_t w = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0u);
        *o++ = abc[w >> 18];
        *o++ = abc[w >> 12 & 63];
        if (i + 1 < n) *o++ = abc[w >> 6 & 63];
        if (i + 2 < n) *o++ = abc[w & 63];
    }
    *o = 0;
    return (size_t)(o - out);
}

typedef enum how { BY_SECRET, BY_PEM, BY_EC_RAW, BY_EC_DER, BY_ED, BY_NOTHING } how;
/* The token for these texts, signed as told; static. */
static const char *token(const char *header, const char *claims, how by)
{
    static char out[2][40000];
    static unsigned turn;
    char *t = out[turn++ & 1];
    size_t n = b64url(header, strlen(header), t);
    uint8_t sig[72];
    size_t sn = 0;
    t[n++] = '.';
    n += b64url(claims, strlen(claims), t + n);
    switch (by) {
    case BY_SECRET:
        CHECK(!symbi_hmac_sha256(cx, symbi_str_z(SECRET), bytes(t, n), sig, &err));
        sn = 32;
        break;
    case BY_PEM:
        CHECK(!symbi_hmac_sha256(cx, symbi_str_z(P256_SPKI), bytes(t, n), sig, &err));
        sn = 32;
        break;
    case BY_EC_RAW: CHECK(!symbi_es256_sign(cx, ec, bytes(t, n), SYMBI_ES256_RAW, sig, &sn, &err)); break;
    case BY_EC_DER: CHECK(!symbi_es256_sign(cx, ec, bytes(t, n), SYMBI_ES256_DER, sig, &sn, &err)); break;
    case BY_ED:
        CHECK(!symbi_ed25519_sign(cx, ed, bytes(t, n), sig, &err));
        sn = 64;
        break;
    case BY_NOTHING: break;
    }
    t[n++] = '.';
    b64url(sig, sn, t + n);
    return t;
}

static symbi_jwt_rules plain_rules(void)
{
    symbi_jwt_rules r;
    memset(&r, 0, sizeof r);
    r.size = sizeof r;
    r.now = NOW;
    return r;
}
static symbi_jwt_key secret_key(void)
{
    symbi_jwt_key k = { .secret = symbi_str_z(SECRET) };
    return k;
}
static symbi_jwt_key public_key(void)
{
    symbi_jwt_key k = { .key = ec_pub };
    return k;
}

static void expect(const char *what, symbi_status st, symbi_jwt_reason got, symbi_jwt_reason want)
{
    if (got != want || (want == SYMBI_JWT_R_OK) != (st == SYMBI_OK)) {
        printf("%s: expected %s, got %s (%s: %s)\n", what, symbi_jwt_reason_name(want), symbi_jwt_reason_name(got), symbi_status_name(st), err.msg);
        t_now_failed = 1;
    }
}
static void check_with(symbi_jwt_alg alg, symbi_jwt_key key, symbi_jwt_rules r, symbi_str t, symbi_jwt_reason want)
{
    symbi_jwt_reason got = SYMBI_JWT_REASON_COUNT;
    symbi_jwt *j = (symbi_jwt *)8;
    symbi_status st = symbi_jwt_verify(cx, t, alg, &key, &r, &j, &got, &err);
    expect(symbi_jwt_reason_name(want), st, got, want);
    CHECK((st == SYMBI_OK) == (j != NULL));
    if (j) symbi_jwt_free(j);
}
static void hs(const char *header, const char *claims, symbi_jwt_rules r, symbi_jwt_reason want)
{
    check_with(SYMBI_JWT_HS256, secret_key(), r, symbi_str_z(token(header, claims, BY_SECRET)), want);
}
#define HS256 "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define GOOD "{\"sub\":\"u1\",\"exp\":1700000600}"
static void claims_are(const char *claims, symbi_jwt_rules r, symbi_jwt_reason want) { hs(HS256, claims, r, want); }

/* ---- published ---- */

#define RFC_CLAIMS "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define RFC_A1 "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." RFC_CLAIMS ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define RFC_A2 "eyJhbGciOiJSUzI1NiJ9." RFC_CLAIMS ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
#define RFC_A3 "eyJhbGciOiJFUzI1NiJ9." RFC_CLAIMS ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define RSA_JWK "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\"}"
#define EC_JWK_MEMBERS "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""

static symbi_key *jwk(const char *json)
{
    symbi_doc *d = NULL;
    symbi_key *k = NULL;
    CHECK_OK(symbi_json_parse(cx, symbi_str_z(json), &d, &err), err);
    if (d) CHECK_OK(symbi_key_from_jwk(cx, symbi_doc_root(d), &k, &err), err);
    symbi_doc_unref(d);
    return k;
}

static void test_published(void)
{
    static const uint8_t k[64] = { 3, 35, 53, 75, 43, 15, 165, 188, 131, 126, 6, 101, 119, 123, 166, 143, 90, 179, 40, 230, 240, 84, 201, 40, 169, 15, 132, 178, 210, 80, 46, 191,
                                   211, 251, 90, 146, 210, 6, 71, 239, 150, 138, 180, 195, 119, 98, 61, 34, 61, 46, 33, 114, 5, 46, 79, 8, 192, 205, 154, 245, 103, 208, 128, 163 };
    symbi_jwt_rules r = plain_rules();
    symbi_jwt_key mac = { .secret = { (const char *)k, 64 } }, p = { .key = NULL }, q = { .key = NULL };
    symbi_key *rk = jwk(RSA_JWK), *ek = jwk("{" EC_JWK_MEMBERS "}"), *o = jwk("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}");
    uint8_t sig[64];
    REQUIRE(rk && ek && o);
    p.key = rk;
    q.key = ek;
    r.now = 1300819379;
    check_with(SYMBI_JWT_HS256, mac, r, symbi_str_z(RFC_A1), SYMBI_JWT_R_OK);
    check_with(SYMBI_JWT_RS256, p, r, symbi_str_z(RFC_A2), SYMBI_JWT_R_OK);
    check_with(SYMBI_JWT_ES256, q, r, symbi_str_z(RFC_A3), SYMBI_JWT_R_OK);
    check_with(SYMBI_JWT_ES256_DER, q, r, symbi_str_z(RFC_A3), SYMBI_JWT_R_SIGNATURE); /* never both */
    r.now = 1300819380;
    check_with(SYMBI_JWT_ES256, q, r, symbi_str_z(RFC_A3), SYMBI_JWT_R_EXPIRED);
    /* RFC 8037 A.4: its payload is no JSON, so the signature alone */
    {
        static const char part[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        static const char hex[] = "860c98d2297f3060a33f42739672d61b53cf3adefed3d3c672f320dc021b411e9d59b8628dc351e248b88b29468e0e41855b0fb7d83bb15be902bfccb8cd0a02";
        for (int i = 0; i < 64; i++) {
            unsigned v;
            sscanf(hex + 2 * i, "%2x", &v);
            sig[i] = (uint8_t)v;
        }
        CHECK_OK(symbi_ed25519_verify(cx, o, symbi_str_z(part), sig, &err), err);
    }
    symbi_key_unref(rk);
    symbi_key_unref(ek);
    symbi_key_unref(o);
}

static void test_good(void)
{
    symbi_jwt_rules r = plain_rules();
    symbi_jwt_key e = { .key = ed };
    symbi_jwt *j = NULL;
    symbi_jwt_reason why;
    symbi_jwt_key k = secret_key();
    const char *t = token(HS256, "{\"sub\":\"\\u00e4\",\"exp\":1700000600,\"n\":{\"a\":[1,2]}}", BY_SECRET);
    CHECK_OK(symbi_jwt_verify(cx, symbi_str_z(t), SYMBI_JWT_HS256, &k, &r, &j, &why, &err), err);
    REQUIRE(j);
    CHECK_STR(symbi_value_str(symbi_jwt_claims(j), "sub", bytes("", 0)), "\xc3\xa4");
    CHECK_STR(symbi_value_str(symbi_jwt_header(j), "typ", bytes("", 0)), "JWT");
    CHECK(symbi_jwt_signature(j).n == 32);
    CHECK(symbi_jwt_signed_part(j).n == (size_t)(strrchr(t, '.') - t));
    symbi_jwt_free(j);
    symbi_jwt_free(NULL);
    CHECK_OK(symbi_jwt_verify(cx, symbi_str_z(t), SYMBI_JWT_HS256, &k, &r, NULL, NULL, NULL), err);
    check_with(SYMBI_JWT_ES256, public_key(), r, symbi_str_z(token("{\"alg\":\"ES256\"}", GOOD, BY_EC_RAW)), SYMBI_JWT_R_OK);
    check_with(SYMBI_JWT_ES256_DER, public_key(), r, symbi_str_z(token("{\"alg\":\"ES256\"}", GOOD, BY_EC_DER)), SYMBI_JWT_R_OK);
    check_with(SYMBI_JWT_EDDSA, e, r, symbi_str_z(token("{\"alg\":\"EdDSA\"}", GOOD, BY_ED)), SYMBI_JWT_R_OK);
}

/* ---- the attack table of the issue ---- */

static void test_attacks(void)
{
    symbi_jwt_rules r = plain_rules();
    symbi_jwt_key pub = public_key(), sec = secret_key(), pem_secret = { .secret = symbi_str_z(P256_SPKI) };
    char b[20000];
    /* alg none, in every spelling, with and without a signature */
    check_with(SYMBI_JWT_HS256, sec, r, symbi_str_z(token("{\"alg\":\"none\"}", GOOD, BY_NOTHING)), SYMBI_JWT_R_ALG);
    check_with(SYMBI_JWT_HS256, sec, r, symbi_str_z(token("{\"alg\":\"None\"}", GOOD, BY_SECRET)), SYMBI_JWT_R_ALG);
    check_with(SYMBI_JWT_ES256, pub, r, symbi_str_z(token("{\"alg\":\"none\"}", GOOD, BY_EC_RAW)), SYMBI_JWT_R_ALG);
    check_with(SYMBI_JWT_NONE, sec, r, symbi_str_z(token("{\"alg\":\"none\"}", GOOD, BY_NOTHING)), SYMBI_JWT_R_ALG);
    check_with((symbi_jwt_alg)99, sec, r, symbi_str_z(token(HS256, GOOD, BY_SECRET)), SYMBI_JWT_R_ALG);
    hs("{\"typ\":\"JWT\"}", GOOD, r, SYMBI_JWT_R_ALG);
    hs("{\"alg\":null}", GOOD, r, SYMBI_JWT_R_ALG);
    hs("{\"alg\":[\"HS256\"]}", GOOD, r, SYMBI_JWT_R_ALG);
    hs("{\"alg\":\"hs256\"}", GOOD, r, SYMBI_JWT_R_ALG);
    hs("{\"alg\":\"HS256\\u0000\"}", GOOD, r, SYMBI_JWT_R_ALG);
    hs("{\"alg\":\"HS512\"}", GOOD, r, SYMBI_JWT_R_ALG);
    /* HS256 keyed with the text of the public key: to its ES256 verifier; and a verifier set up that way by mistake */
    check_with(SYMBI_JWT_ES256, pub, r, symbi_str_z(token(HS256, GOOD, BY_PEM)), SYMBI_JWT_R_ALG);
    check_with(SYMBI_JWT_HS256, pem_secret, r, symbi_str_z(token(HS256, GOOD, BY_PEM)), SYMBI_JWT_R_KEY);
    /* RS256 to an ES256 verifier; its key to it */
    check_with(SYMBI_JWT_ES256, pub, r, symbi_str_z(token("{\"alg\":\"RS256\"}", GOOD, BY_EC_RAW)), SYMBI_JWT_R_ALG);
    {
        symbi_jwt_key k = { .key = rsa };
        check_with(SYMBI_JWT_ES256, k, r, symbi_str_z(token("{\"alg\":\"ES256\"}", GOOD, BY_EC_RAW)), SYMBI_JWT_R_KEY);
        k.key = NULL;
        check_with(SYMBI_JWT_ES256, k, r, symbi_str_z(token("{\"alg\":\"ES256\"}", GOOD, BY_EC_RAW)), SYMBI_JWT_R_KEY);
        check_with(SYMBI_JWT_HS256, k, r, symbi_str_z(token(HS256, GOOD, BY_SECRET)), SYMBI_JWT_R_KEY);
        k.key = ec_pub; /* a key is no secret */
        check_with(SYMBI_JWT_HS256, k, r, symbi_str_z(token(HS256, GOOD, BY_SECRET)), SYMBI_JWT_R_KEY);
    }
    /* the token brings its own key along: not looked at */
    snprintf(b, sizeof b, "{\"alg\":\"ES256\",\"jwk\":{%s},\"jku\":\"https://evil.example/k\",\"x5u\":\"https://evil.example/c\"}", EC_JWK_MEMBERS);
    check_with(SYMBI_JWT_ES256, pub, r, symbi_str_z(token(b, GOOD, BY_EC_RAW)), SYMBI_JWT_R_OK);
    {
        symbi_key *theirs = NULL;
        symbi_jwt_key k = { .key = NULL };
        CHECK_OK(symbi_p256_generate(cx, &theirs, &err), err);
        k.key = theirs;
        check_with(SYMBI_JWT_ES256, k, r, symbi_str_z(token(b, GOOD, BY_EC_RAW)), SYMBI_JWT_R_SIGNATURE);
        symbi_key_unref(theirs);
    }
    /* signatures: none, cut, of the other encoding, of another token */
    check_with(SYMBI_JWT_ES256, pub, r, symbi_str_z(token("{\"alg\":\"ES256\"}", GOOD, BY_NOTHING)), SYMBI_JWT_R_SIGNATURE);
    check_with(SYMBI_JWT_HS256, sec, r, symbi_str_z(token(HS256, GOOD, BY_NOTHING)), SYMBI_JWT_R_SIGNATURE);
    check_with(SYMBI_JWT_ES256, pub, r, symbi_str_z(token("{\"alg\":\"ES256\"}", GOOD, BY_EC_DER)), SYMBI_JWT_R_SIGNATURE);
    check_with(SYMBI_JWT_ES256_DER, pub, r, symbi_str_z(token("{\"alg\":\"ES256\"}", GOOD, BY_EC_RAW)), SYMBI_JWT_R_SIGNATURE);
    strcpy(b, token(HS256, GOOD, BY_SECRET));
    b[strlen(b) - 4] = 0; /* three bytes of the MAC missing */
    check_with(SYMBI_JWT_HS256, sec, r, symbi_str_z(b), SYMBI_JWT_R_SIGNATURE);
    strcpy(b, token(HS256, GOOD, BY_SECRET));
    memcpy(strchr(b, '.') + 1, "eyJzdWIiOiJ1Mi", 14); /* u2 instead of u1 */
    check_with(SYMBI_JWT_HS256, sec, r, symbi_str_z(b), SYMBI_JWT_R_SIGNATURE);
    /* an unknown extension, or an empty list of them */
    hs("{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}", GOOD, r, SYMBI_JWT_R_CRIT);
    hs("{\"alg\":\"HS256\",\"crit\":[]}", GOOD, r, SYMBI_JWT_R_CRIT);
    hs("{\"alg\":\"HS256\",\"crit\":null}", GOOD, r, SYMBI_JWT_R_CRIT);
    /* duplicates, nested and escaped too */
    hs("{\"alg\":\"none\",\"alg\":\"HS256\"}", GOOD, r, SYMBI_JWT_R_DUPLICATE);
    hs(HS256, "{\"sub\":\"u1\",\"exp\":1700000600,\"sub\":\"admin\"}", r, SYMBI_JWT_R_DUPLICATE);
    hs(HS256, "{\"sub\":\"u1\",\"exp\":1700000600,\"s\\u0075b\":\"admin\"}", r, SYMBI_JWT_R_DUPLICATE);
    hs(HS256, "{\"exp\":1700000600,\"a\":{\"b\":1,\"b\":2}}", r, SYMBI_JWT_R_DUPLICATE);
    /* secrets too short to be one */
    {
        symbi_jwt_key k = { .secret = { SECRET, 31 } };
        check_with(SYMBI_JWT_HS256, k, r, symbi_str_z(token(HS256, GOOD, BY_SECRET)), SYMBI_JWT_R_KEY);
        r.short_secret_ok = true;
        check_with(SYMBI_JWT_HS256, k, r, symbi_str_z(token(HS256, GOOD, BY_SECRET)), SYMBI_JWT_R_SIGNATURE);
        k.secret.n = 0;
        check_with(SYMBI_JWT_HS256, k, r, symbi_str_z(token(HS256, GOOD, BY_SECRET)), SYMBI_JWT_R_KEY);
        r.short_secret_ok = false;
        k.secret.n = 31;
        k.short_secret_ok = true;
        check_with(SYMBI_JWT_HS256, k, r, symbi_str_z(token(HS256, GOOD, BY_SECRET)), SYMBI_JWT_R_SIGNATURE);
    }
}

static void parse_is(const char *t, size_t n, symbi_jwt_reason want)
{
    symbi_jwt *j = (symbi_jwt *)8;
    symbi_jwt_reason why = SYMBI_JWT_REASON_COUNT;
    symbi_status st = symbi_jwt_parse(cx, bytes(t, n), &j, &why, &err);
    expect(n < 200 ? t : "long", st, why, want);
    CHECK((j != NULL) == (st == SYMBI_OK));
    if (j) symbi_jwt_free(j);
}
static void parse_z(const char *t, symbi_jwt_reason want) { parse_is(t, strlen(t), want); }

static void test_form(void)
{
    const char *good = token(HS256, GOOD, BY_SECRET);
    size_t n = strlen(good), h = (size_t)(strchr(good, '.') - good);
    char b[40000], *big;
    parse_is("", 0, SYMBI_JWT_R_EMPTY);
    parse_z(".", SYMBI_JWT_R_PARTS);
    parse_z("..", SYMBI_JWT_R_HEADER_JSON);
    parse_z("a.b", SYMBI_JWT_R_PARTS);
    parse_z("a.b.c.d.e", SYMBI_JWT_R_PARTS); /* JWE */
    parse_z("e30.e30.", SYMBI_JWT_R_OK); /* a form only: check_signature refuses it */
    parse_z("W10.e30.", SYMBI_JWT_R_HEADER_JSON); /* [] */
    parse_z("e30.W10.", SYMBI_JWT_R_CLAIMS_JSON);
    parse_z("e30.bnVsbA.", SYMBI_JWT_R_CLAIMS_JSON); /* null */
    parse_z("e30.e30K.", SYMBI_JWT_R_OK);            /* white space after the object */
    parse_z("e30.e30x.", SYMBI_JWT_R_CLAIMS_JSON);   /* something after it */
    parse_z("e30.eyJhIjoi_yJ9.", SYMBI_JWT_R_CLAIMS_JSON); /* not UTF-8 */
    /* every truncation is refused or is no valid signature; none of them crashes */
    for (size_t i = 0; i < n; i++) {
        symbi_jwt_rules r = plain_rules();
        symbi_jwt_key k = secret_key();
        CHECK(symbi_jwt_verify(cx, bytes(good, i), SYMBI_JWT_HS256, &k, &r, NULL, NULL, NULL) != SYMBI_OK);
    }
    /* base64: padding, white space, the other alphabet, bits left over, in each part */
    snprintf(b, sizeof b, "%s=", good);
    parse_z(b, SYMBI_JWT_R_BASE64);
    snprintf(b, sizeof b, "%.*s==%s", (int)h, good, good + h);
    parse_z(b, SYMBI_JWT_R_BASE64);
    snprintf(b, sizeof b, "%s\n", good);
    parse_z(b, SYMBI_JWT_R_BASE64);
    snprintf(b, sizeof b, " %s", good);
    parse_z(b, SYMBI_JWT_R_BASE64);
    snprintf(b, sizeof b, "%.10s %s", good, good + 10);
    parse_z(b, SYMBI_JWT_R_BASE64);
    parse_z("e30.e30.-_8", SYMBI_JWT_R_OK);
    parse_z("e30.e30.+/8", SYMBI_JWT_R_BASE64);
    parse_z("e30.e30.-_9", SYMBI_JWT_R_BASE64);
    parse_z("e30.e30.-", SYMBI_JWT_R_BASE64);
    parse_is("e30.e30.AA\0A", 12, SYMBI_JWT_R_BASE64);
    parse_is("e30.e30.\0", 9, SYMBI_JWT_R_BASE64);
    /* the limit, one past it, and 10 MB */
    memset(b, 'A', sizeof b);
    memcpy(b, "e30.e30.", 8);
    parse_is(b, SYMBI_JWT_MAX_BYTES, SYMBI_JWT_R_OK);
    parse_is(b, SYMBI_JWT_MAX_BYTES + 1, SYMBI_JWT_R_TOO_LONG);
    big = malloc(10u << 20);
    REQUIRE(big);
    memset(big, '.', 10u << 20);
    parse_is(big, 10u << 20, SYMBI_JWT_R_TOO_LONG);
    free(big);
    /* nested deeper than documents may be */
    memset(b, 0, sizeof b);
    {
        char deep[1000];
        memset(deep, '[', 400);
        memset(deep + 400, ']', 400);
        deep[800] = 0;
        snprintf(b, sizeof b, "{\"a\":%s}", deep);
        parse_z(token(HS256, b, BY_NOTHING), SYMBI_JWT_R_CLAIMS_JSON);
    }
    hs(HS256, "{\"exp\":99999999999999999999}", plain_rules(), SYMBI_JWT_R_CLAIMS_JSON); /* beyond 64 bits */
}

/* ---- claims ---- */

static void test_times(void)
{
    symbi_jwt_rules r = plain_rules();
    claims_are("{}", r, SYMBI_JWT_R_MISSING_EXP);
    claims_are("{\"exp\":1700000001}", r, SYMBI_JWT_R_OK);
    claims_are("{\"exp\":1700000000}", r, SYMBI_JWT_R_EXPIRED);
    claims_are("{\"exp\":0}", r, SYMBI_JWT_R_EXPIRED);
    claims_are("{\"exp\":-315619200}", r, SYMBI_JWT_R_EXPIRED); /* 1960 */
    claims_are("{\"exp\":253402300799}", r, SYMBI_JWT_R_OK);    /* 9999 */
    claims_are("{\"exp\":9223372036854775807}", r, SYMBI_JWT_R_OK);
    claims_are("{\"exp\":-9223372036854775808}", r, SYMBI_JWT_R_EXPIRED);
    claims_are("{\"exp\":\"1700000600\"}", r, SYMBI_JWT_R_CLAIM_TYPE);
    claims_are("{\"exp\":null}", r, SYMBI_JWT_R_CLAIM_TYPE);
    claims_are("{\"exp\":true}", r, SYMBI_JWT_R_CLAIM_TYPE);
    claims_are("{\"exp\":1700000600.5}", r, SYMBI_JWT_R_CLAIM_TYPE);
    claims_are("{\"exp\":1700000600,\"nbf\":\"x\"}", r, SYMBI_JWT_R_CLAIM_TYPE);
    claims_are("{\"exp\":1700000600,\"iat\":[]}", r, SYMBI_JWT_R_CLAIM_TYPE);
    claims_are("{\"exp\":1700000600,\"nbf\":1700000000}", r, SYMBI_JWT_R_OK);
    claims_are("{\"exp\":1700000600,\"nbf\":1700000001}", r, SYMBI_JWT_R_NOT_YET);
    claims_are("{\"exp\":1700000600,\"iat\":1700000001}", r, SYMBI_JWT_R_OK); /* not asked for */
    r.check_iat = true;
    claims_are("{\"exp\":1700000600,\"iat\":1700000001}", r, SYMBI_JWT_R_FUTURE);
    claims_are("{\"exp\":1700000600,\"iat\":1700000000}", r, SYMBI_JWT_R_OK);
    r.leeway = 60;
    claims_are("{\"exp\":1699999941}", r, SYMBI_JWT_R_OK);
    claims_are("{\"exp\":1699999940}", r, SYMBI_JWT_R_EXPIRED);
    claims_are("{\"exp\":1700000600,\"nbf\":1700000060}", r, SYMBI_JWT_R_OK);
    claims_are("{\"exp\":1700000600,\"nbf\":1700000061}", r, SYMBI_JWT_R_NOT_YET);
    claims_are("{\"exp\":1700000600,\"iat\":1700000061}", r, SYMBI_JWT_R_FUTURE);
    r.leeway = -100; /* counts as none */
    claims_are("{\"exp\":1700000001}", r, SYMBI_JWT_R_OK);
    claims_are("{\"exp\":1700000000}", r, SYMBI_JWT_R_EXPIRED);
    r.leeway = INT64_MAX; /* sums at the end of the range */
    claims_are("{\"exp\":1}", r, SYMBI_JWT_R_OK);
    claims_are("{\"exp\":9223372036854775807,\"nbf\":9223372036854775807}", r, SYMBI_JWT_R_OK);
    r = plain_rules();
    r.exp_optional = true;
    claims_are("{}", r, SYMBI_JWT_R_OK);
    claims_are("{\"exp\":1}", r, SYMBI_JWT_R_EXPIRED);
    claims_are("{\"exp\":null}", r, SYMBI_JWT_R_CLAIM_TYPE);
    r = plain_rules();
    r.float_times = true;
    claims_are("{\"exp\":1700000000.5}", r, SYMBI_JWT_R_OK);
    claims_are("{\"exp\":1700000000.0}", r, SYMBI_JWT_R_EXPIRED);
    claims_are("{\"exp\":1.7000006e9}", r, SYMBI_JWT_R_OK);
    claims_are("{\"exp\":1e300}", r, SYMBI_JWT_R_OK);
    claims_are("{\"exp\":-1e300}", r, SYMBI_JWT_R_EXPIRED);
    claims_are("{\"exp\":\"1\"}", r, SYMBI_JWT_R_CLAIM_TYPE);
    claims_are("{\"exp\":1700000600,\"nbf\":1700000000.5}", r, SYMBI_JWT_R_NOT_YET);
    claims_are("{\"exp\":1700000600,\"nbf\":1699999999.5}", r, SYMBI_JWT_R_OK);
}

static void test_lifetime(void)
{
    symbi_jwt_rules r = plain_rules();
    r.max_lifetime = 3600;
    claims_are("{\"exp\":1700003600,\"iat\":1700000000}", r, SYMBI_JWT_R_OK);
    claims_are("{\"exp\":1700003601,\"iat\":1700000000}", r, SYMBI_JWT_R_LIFETIME);
    claims_are("{\"exp\":1700003600}", r, SYMBI_JWT_R_MISSING_CLAIM);
    claims_are("{\"exp\":9223372036854775807,\"iat\":-9223372036854775808}", r, SYMBI_JWT_R_LIFETIME);
    r.exp_optional = true; /* no end, no lifetime to show */
    claims_are("{\"iat\":1700000000}", r, SYMBI_JWT_R_MISSING_EXP);
}

static void test_names(void)
{
    symbi_jwt_rules r = plain_rules();
    symbi_str req[2] = { symbi_str_z("sub"), symbi_str_z("jti") };
    r.issuer = symbi_str_z("symbiont");
    claims_are(GOOD, r, SYMBI_JWT_R_MISSING_CLAIM);
    CHECK_STR(symbi_str_z(err.path), "iss");
    claims_are("{\"exp\":1700000600,\"iss\":\"symbiont\"}", r, SYMBI_JWT_R_OK);
    claims_are("{\"exp\":1700000600,\"iss\":\"Symbiont\"}", r, SYMBI_JWT_R_ISSUER);
    claims_are("{\"exp\":1700000600,\"iss\":\"symbiont\\u0000\"}", r, SYMBI_JWT_R_ISSUER);
    claims_are("{\"exp\":1700000600,\"iss\":[\"symbiont\"]}", r, SYMBI_JWT_R_ISSUER);
    r = plain_rules();
    r.audience = symbi_str_z("api");
    claims_are(GOOD, r, SYMBI_JWT_R_MISSING_CLAIM);
    CHECK_STR(symbi_str_z(err.path), "aud");
    claims_are("{\"exp\":1700000600,\"aud\":\"api\"}", r, SYMBI_JWT_R_OK);
    claims_are("{\"exp\":1700000600,\"aud\":[\"x\",\"api\"]}", r, SYMBI_JWT_R_OK);
    claims_are("{\"exp\":1700000600,\"aud\":\"apis\"}", r, SYMBI_JWT_R_AUDIENCE);
    claims_are("{\"exp\":1700000600,\"aud\":[\"x\"]}", r, SYMBI_JWT_R_AUDIENCE);
    claims_are("{\"exp\":1700000600,\"aud\":[]}", r, SYMBI_JWT_R_AUDIENCE);
    claims_are("{\"exp\":1700000600,\"aud\":[\"api\",5]}", r, SYMBI_JWT_R_CLAIM_TYPE);
    claims_are("{\"exp\":1700000600,\"aud\":{\"api\":1}}", r, SYMBI_JWT_R_CLAIM_TYPE);
    r = plain_rules();
    claims_are("{\"exp\":1700000600,\"aud\":\"api\"}", r, SYMBI_JWT_R_OK);
    r.refuse_audience = true;
    claims_are("{\"exp\":1700000600,\"aud\":\"api\"}", r, SYMBI_JWT_R_AUDIENCE);
    claims_are(GOOD, r, SYMBI_JWT_R_OK);
    r = plain_rules();
    r.required = req;
    r.required_n = 2;
    claims_are(GOOD, r, SYMBI_JWT_R_MISSING_CLAIM);
    CHECK_STR(symbi_str_z(err.path), "jti");
    claims_are("{\"exp\":1700000600,\"sub\":\"a\",\"jti\":null}", r, SYMBI_JWT_R_MISSING_CLAIM);
    claims_are("{\"exp\":1700000600,\"sub\":\"a\",\"jti\":\"1\"}", r, SYMBI_JWT_R_OK);
    r = plain_rules();
    r.typ = symbi_str_z("agentpin-credential+jwt");
    claims_are(GOOD, r, SYMBI_JWT_R_TYP);
    hs("{\"alg\":\"HS256\"}", GOOD, r, SYMBI_JWT_R_TYP);
    hs("{\"alg\":\"HS256\",\"typ\":1}", GOOD, r, SYMBI_JWT_R_TYP);
    hs("{\"alg\":\"HS256\",\"typ\":\"agentpin-credential+jwt\"}", GOOD, r, SYMBI_JWT_R_OK);
    r.size = 0; /* forgotten */
    claims_are(GOOD, r, SYMBI_JWT_R_CLAIM_TYPE);
    CHECK(err.code == SYMBI_EINVAL);
}

/* ---- key sets ---- */

static symbi_status find(const char *json, const char *kid, symbi_jwt_alg alg)
{
    symbi_doc *d = NULL;
    symbi_key *k = (symbi_key *)8;
    symbi_str id = { kid, kid ? strlen(kid) : 0 };
    symbi_status st = symbi_json_parse(cx, symbi_str_z(json), &d, &err);
    if (st) return st;
    st = symbi_jwks_find(cx, symbi_doc_root(d), id, alg, &k, &err);
    CHECK((st == SYMBI_OK) == (k != NULL));
    if (st == SYMBI_OK) symbi_key_unref(k);
    symbi_doc_unref(d);
    return st;
}

#define ED_MEMBERS "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""
static void test_jwks(void)
{
    const char *two = "{\"keys\":[{\"kid\":\"a\"," EC_JWK_MEMBERS ",\"use\":\"sig\",\"alg\":\"ES256\",\"key_ops\":[\"verify\"]},{\"kid\":\"b\"," ED_MEMBERS "}]}";
    char *b;
    size_t n;
    CHECK(find(two, "a", SYMBI_JWT_ES256) == SYMBI_OK);
    CHECK(find(two, "a", SYMBI_JWT_ES256_DER) == SYMBI_OK);
    CHECK(find(two, "b", SYMBI_JWT_EDDSA) == SYMBI_OK);
    CHECK(find(two, "b", SYMBI_JWT_ES256) == SYMBI_ENOTFOUND); /* of another kind */
    CHECK(find(two, "a", SYMBI_JWT_EDDSA) == SYMBI_ENOTFOUND);
    CHECK(find(two, NULL, SYMBI_JWT_ES256) == SYMBI_ENOTFOUND); /* two keys, no kid */
    CHECK(find(two, "", SYMBI_JWT_ES256) == SYMBI_ENOTFOUND);
    /* kid injection: names are compared, nothing else */
    CHECK(find(two, "../../../../dev/null", SYMBI_JWT_ES256) == SYMBI_ENOTFOUND);
    CHECK(find(two, "a' OR '1'='1", SYMBI_JWT_ES256) == SYMBI_ENOTFOUND);
    CHECK(find(two, "http://evil.example/a", SYMBI_JWT_ES256) == SYMBI_ENOTFOUND);
    CHECK(find(two, "A", SYMBI_JWT_ES256) == SYMBI_ENOTFOUND);
    CHECK(find(two, "a", SYMBI_JWT_HS256) == SYMBI_EINVAL); /* sets hold no secrets */
    CHECK(find("{\"keys\":[{" EC_JWK_MEMBERS "}]}", NULL, SYMBI_JWT_ES256) == SYMBI_OK);
    CHECK(find("{\"keys\":[{" EC_JWK_MEMBERS "}]}", "a", SYMBI_JWT_ES256) == SYMBI_ENOTFOUND);
    CHECK(find("{\"keys\":[{\"kid\":\"a\"," EC_JWK_MEMBERS ",\"use\":\"enc\"}]}", "a", SYMBI_JWT_ES256) == SYMBI_ENOTFOUND);
    CHECK(find("{\"keys\":[{\"kid\":\"a\"," EC_JWK_MEMBERS ",\"use\":null}]}", "a", SYMBI_JWT_ES256) == SYMBI_ENOTFOUND);
    CHECK(find("{\"keys\":[{\"kid\":\"a\"," EC_JWK_MEMBERS ",\"key_ops\":[\"sign\"]}]}", "a", SYMBI_JWT_ES256) == SYMBI_ENOTFOUND);
    CHECK(find("{\"keys\":[{\"kid\":\"a\"," EC_JWK_MEMBERS ",\"key_ops\":\"verify\"}]}", "a", SYMBI_JWT_ES256) == SYMBI_ENOTFOUND);
    CHECK(find("{\"keys\":[{\"kid\":\"a\"," EC_JWK_MEMBERS ",\"alg\":\"ES384\"}]}", "a", SYMBI_JWT_ES256) == SYMBI_ENOTFOUND);
    CHECK(find("{\"keys\":[{\"kid\":\"a\"," EC_JWK_MEMBERS "},{\"kid\":\"a\"," ED_MEMBERS "}]}", "a", SYMBI_JWT_ES256) == SYMBI_ENOTFOUND); /* which? */
    CHECK(find("{\"keys\":[{\"kid\":\"a\"," EC_JWK_MEMBERS "},{\"kid\":\"a\"," EC_JWK_MEMBERS "}]}", "a", SYMBI_JWT_ES256) == SYMBI_ENOTFOUND);
    CHECK(find("{\"keys\":[{\"kid\":\"a\"," EC_JWK_MEMBERS ",\"d\":\"AA\"}]}", "a", SYMBI_JWT_ES256) == SYMBI_ESCHEMA);
    CHECK(find("{\"keys\":[5,null,{\"kid\":5},{\"kid\":\"a\"," EC_JWK_MEMBERS "}]}", "a", SYMBI_JWT_ES256) == SYMBI_OK);
    CHECK(find("{\"keys\":[5]}", NULL, SYMBI_JWT_ES256) == SYMBI_ESCHEMA);
    CHECK(find("{\"keys\":[]}", NULL, SYMBI_JWT_ES256) == SYMBI_ENOTFOUND);
    CHECK(find("{\"keys\":{}}", "a", SYMBI_JWT_ES256) == SYMBI_ESCHEMA);
    CHECK(find("{}", "a", SYMBI_JWT_ES256) == SYMBI_ESCHEMA);
    CHECK(find("[]", "a", SYMBI_JWT_ES256) == SYMBI_ESCHEMA);
    b = malloc(400 * 300);
    REQUIRE(b);
    for (int count = SYMBI_JWKS_MAX; count <= SYMBI_JWKS_MAX + 1; count++) {
        n = (size_t)sprintf(b, "{\"keys\":[");
        for (int i = 0; i < count; i++) n += (size_t)sprintf(b + n, "%s{\"kid\":\"%d\",%s}", i ? "," : "", i, EC_JWK_MEMBERS);
        strcpy(b + n, "]}");
        CHECK(find(b, "7", SYMBI_JWT_ES256) == (count > SYMBI_JWKS_MAX ? SYMBI_ELIMIT : SYMBI_OK));
    }
    free(b);
}

static void by_set(const char *set, const char *header, symbi_jwt_reason want)
{
    symbi_doc *d = NULL;
    symbi_jwt_rules r = plain_rules();
    symbi_jwt_reason got = SYMBI_JWT_REASON_COUNT;
    symbi_jwt *j = NULL;
    symbi_status st;
    CHECK_OK(symbi_json_parse(cx, symbi_str_z(set), &d, &err), err);
    REQUIRE(d);
    st = symbi_jwt_verify_jwks(cx, symbi_str_z(token(header, GOOD, BY_EC_RAW)), SYMBI_JWT_ES256, symbi_doc_root(d), &r, &j, &got, &err);
    expect(header, st, got, want);
    if (j) symbi_jwt_free(j);
    symbi_doc_unref(d);
}
static void test_verify_jwks(void)
{
    symbi_text t;
    char set[1000], other[1000];
    symbi_jwt_rules r = plain_rules();
    CHECK_OK(symbi_key_to_jwk(cx, ec_pub, &t, &err), err);
    REQUIRE(t.p);
    snprintf(set, sizeof set, "{\"keys\":[{\"kid\":\"old\"," EC_JWK_MEMBERS "},{\"kid\":\"a\",%s]}", t.p + 1);
    snprintf(other, sizeof other, "{\"keys\":[%s]}", t.p);
    symbi_text_free(&t);
    by_set(set, "{\"alg\":\"ES256\",\"kid\":\"a\"}", SYMBI_JWT_R_OK);
    by_set(other, "{\"alg\":\"ES256\"}", SYMBI_JWT_R_OK);
    by_set(set, "{\"alg\":\"ES256\",\"kid\":\"old\"}", SYMBI_JWT_R_SIGNATURE);
    by_set(set, "{\"alg\":\"ES256\",\"kid\":\"../a\"}", SYMBI_JWT_R_KEY);
    by_set(set, "{\"alg\":\"ES256\",\"kid\":1}", SYMBI_JWT_R_KEY);
    by_set(set, "{\"alg\":\"ES256\"}", SYMBI_JWT_R_KEY);
    by_set(set, "{\"alg\":\"none\",\"kid\":\"a\"}", SYMBI_JWT_R_ALG);
    by_set(set, "{\"alg\":\"HS256\",\"kid\":\"a\"}", SYMBI_JWT_R_ALG);
    by_set(set, "{\"alg\":\"ES256\",\"kid\":\"a\",\"crit\":[\"x\"]}", SYMBI_JWT_R_CRIT);
    by_set("{}", "{\"alg\":\"ES256\",\"kid\":\"a\"}", SYMBI_JWT_R_KEY);
    CHECK(symbi_jwt_verify_jwks(cx, symbi_str_z(token("{\"alg\":\"ES256\"}", GOOD, BY_EC_RAW)), SYMBI_JWT_ES256, NULL, &r, NULL, NULL, &err) == SYMBI_ESCHEMA);
    symbi_crypto_trim(cx);
    by_set(set, "{\"alg\":\"ES256\",\"kid\":\"a\"}", SYMBI_JWT_R_OK);
}

/* ---- issuing ---- */

static symbi_doc *doc(const char *json)
{
    symbi_doc *d = NULL;
    CHECK_OK(symbi_json_parse(cx, symbi_str_z(json), &d, &err), err);
    return d;
}

static void test_issue(void)
{
    symbi_doc *claims = doc("{\"sub\":\"u1\",\"exp\":1700000600,\"a\":[1,\"x\"]}"), *head = doc("{\"typ\":\"agentpin-credential+jwt\",\"kid\":\"k1\"}"), *bad1 = doc("{\"alg\":\"none\"}"), *bad2 = doc("{\"crit\":[]}"),
              *arr = doc("[]");
    symbi_jwt_key sec = secret_key(), priv = { .key = ec }, edk = { .key = ed }, pub = public_key();
    static const symbi_jwt_alg algs[] = { SYMBI_JWT_HS256, SYMBI_JWT_HS384, SYMBI_JWT_HS512, SYMBI_JWT_ES256, SYMBI_JWT_ES256_DER, SYMBI_JWT_EDDSA };
    symbi_text t;
    REQUIRE(claims && head && bad1 && bad2 && arr);
    for (size_t i = 0; i < sizeof algs / sizeof *algs; i++) {
        const symbi_jwt_key *k = i < 3 ? &sec : algs[i] == SYMBI_JWT_EDDSA ? &edk : &priv;
        symbi_jwt_key v = *k;
        CHECK_OK(symbi_jwt_issue(cx, algs[i], k, NULL, symbi_doc_root(claims), &t, &err), err);
        check_with(algs[i], v, plain_rules(), symbi_text_str(&t), SYMBI_JWT_R_OK);
        for (size_t o = 0; o < sizeof algs / sizeof *algs; o++) /* for its own algorithm only */
            if (o != i) {
                symbi_jwt_key w = o < 3 ? sec : algs[o] == SYMBI_JWT_EDDSA ? edk : priv;
                symbi_jwt_rules r = plain_rules();
                CHECK(symbi_jwt_verify(cx, symbi_text_str(&t), algs[o], &w, &r, NULL, NULL, NULL) != SYMBI_OK);
            }
        symbi_text_free(&t);
    }
    CHECK_OK(symbi_jwt_issue(cx, SYMBI_JWT_HS256, &sec, NULL, symbi_doc_root(claims), &t, &err), err);
    CHECK_STR(symbi_text_str(&t), token(HS256, "{\"sub\":\"u1\",\"exp\":1700000600,\"a\":[1,\"x\"]}", BY_SECRET)); /* byte for byte */
    symbi_text_free(&t);
    CHECK_OK(symbi_jwt_issue(cx, SYMBI_JWT_HS256, &sec, symbi_doc_root(head), symbi_doc_root(claims), &t, &err), err);
    CHECK_STR(symbi_text_str(&t), token("{\"alg\":\"HS256\",\"typ\":\"agentpin-credential+jwt\",\"kid\":\"k1\"}", "{\"sub\":\"u1\",\"exp\":1700000600,\"a\":[1,\"x\"]}", BY_SECRET));
    symbi_text_free(&t);
    CHECK(symbi_jwt_issue(cx, SYMBI_JWT_HS256, &sec, symbi_doc_root(bad1), symbi_doc_root(claims), &t, &err) == SYMBI_EINVAL);
    CHECK(t.p == NULL);
    CHECK(symbi_jwt_issue(cx, SYMBI_JWT_HS256, &sec, symbi_doc_root(bad2), symbi_doc_root(claims), &t, &err) == SYMBI_EINVAL);
    CHECK(symbi_jwt_issue(cx, SYMBI_JWT_HS256, &sec, symbi_doc_root(arr), symbi_doc_root(claims), &t, &err) == SYMBI_EINVAL);
    CHECK(symbi_jwt_issue(cx, SYMBI_JWT_HS256, &sec, NULL, symbi_doc_root(arr), &t, &err) == SYMBI_EINVAL);
    CHECK(symbi_jwt_issue(cx, SYMBI_JWT_HS256, &sec, NULL, NULL, &t, &err) == SYMBI_EINVAL);
    CHECK(symbi_jwt_issue(cx, SYMBI_JWT_NONE, &sec, NULL, symbi_doc_root(claims), &t, &err) == SYMBI_EUNSUPPORTED);
    CHECK(symbi_jwt_issue(cx, SYMBI_JWT_RS256, &sec, NULL, symbi_doc_root(claims), &t, &err) == SYMBI_EUNSUPPORTED);
    CHECK(symbi_jwt_issue(cx, SYMBI_JWT_ES256, &pub, NULL, symbi_doc_root(claims), &t, &err) == SYMBI_EINVAL);
    CHECK(symbi_jwt_issue(cx, SYMBI_JWT_ES256, &edk, NULL, symbi_doc_root(claims), &t, &err) == SYMBI_EINVAL);
    CHECK(symbi_jwt_issue(cx, SYMBI_JWT_ES256, NULL, NULL, symbi_doc_root(claims), &t, &err) == SYMBI_EINVAL);
    sec.secret.n = 31;
    CHECK(symbi_jwt_issue(cx, SYMBI_JWT_HS256, &sec, NULL, symbi_doc_root(claims), &t, &err) == SYMBI_EINVAL);
    sec = secret_key();
    { /* nothing is issued that would not be taken back */
        char *big = malloc(20000);
        symbi_value v = { .kind = SYMBI_STRING };
        symbi_member m = { SYMBI_STR_INIT("exp"), v };
        symbi_value o = { .kind = SYMBI_OBJECT };
        REQUIRE(big);
        memset(big, 'x', 20000);
        m.val.u.s = bytes(big, 20000);
        o.u.o.members = &m;
        o.u.o.n = 1;
        CHECK(symbi_jwt_issue(cx, SYMBI_JWT_HS256, &sec, NULL, &o, &t, &err) == SYMBI_ELIMIT);
        m.val.u.s.n = 12000;
        CHECK_OK(symbi_jwt_issue(cx, SYMBI_JWT_HS256, &sec, NULL, &o, &t, &err), err);
        CHECK(t.n <= SYMBI_JWT_MAX_BYTES);
        symbi_text_free(&t);
        free(big);
    }
    symbi_doc_unref(claims);
    symbi_doc_unref(head);
    symbi_doc_unref(bad1);
    symbi_doc_unref(bad2);
    symbi_doc_unref(arr);
}

static void test_lists(void)
{
    for (int i = 0; i < SYMBI_JWT_REASON_COUNT; i++)
        for (int j = 0; j < i; j++) {
            CHECK(strcmp(symbi_jwt_reason_name((symbi_jwt_reason)i), symbi_jwt_reason_name((symbi_jwt_reason)j)) != 0);
            CHECK(strcmp(symbi_jwt_reason_text((symbi_jwt_reason)i), symbi_jwt_reason_text((symbi_jwt_reason)j)) != 0);
        }
    CHECK_STR(symbi_str_z(symbi_jwt_reason_name(SYMBI_JWT_R_EXPIRED)), "EXPIRED");
    CHECK_STR(symbi_str_z(symbi_jwt_reason_name((symbi_jwt_reason)-1)), "UNKNOWN");
    CHECK_STR(symbi_str_z(symbi_jwt_alg_name(SYMBI_JWT_ES256_DER)), "ES256");
    CHECK_STR(symbi_str_z(symbi_jwt_alg_name((symbi_jwt_alg)50)), "none");
}

static symbi_status oom(symbi_ctx *c, void *ud)
{
    symbi_jwt_rules r = plain_rules();
    symbi_jwt_key k = secret_key();
    symbi_text t = { 0 };
    symbi_doc *d = NULL;
    symbi_jwt *j = NULL;
    symbi_status st = symbi_json_parse(c, symbi_str_z(GOOD), &d, NULL);
    (void)ud;
    if (!st) st = symbi_jwt_issue(c, SYMBI_JWT_HS256, &k, NULL, symbi_doc_root(d), &t, NULL);
    if (!st) st = symbi_jwt_verify(c, symbi_text_str(&t), SYMBI_JWT_HS256, &k, &r, &j, NULL, NULL);
    symbi_jwt_free(j);
    symbi_text_free(&t);
    symbi_doc_unref(d);
    return st;
}
static void test_out_of_memory(void) { test_oom(oom, NULL, SYMBI_OK); }

int main(void)
{
    if (symbi_ctx_new(NULL, &cx, &err) || symbi_key_from_pem(cx, symbi_str_z(P256_PKCS8), &ec, &err) || symbi_key_from_pem(cx, symbi_str_z(P256_SPKI), &ec_pub, &err) ||
        symbi_key_from_pem(cx, symbi_str_z(ED_PKCS8), &ed, &err) || symbi_key_from_pem(cx, symbi_str_z(RSA_2048), &rsa, &err))
        return 1;
    RUN(test_published);
    RUN(test_good);
    RUN(test_attacks);
    RUN(test_form);
    RUN(test_times);
    RUN(test_lifetime);
    RUN(test_names);
    RUN(test_jwks);
    RUN(test_verify_jwks);
    RUN(test_issue);
    RUN(test_lists);
    RUN(test_out_of_memory);
    symbi_key_unref(ec);
    symbi_key_unref(ec_pub);
    symbi_key_unref(ed);
    symbi_key_unref(rsa);
    symbi_ctx_free(cx);
    return test_end();
}
