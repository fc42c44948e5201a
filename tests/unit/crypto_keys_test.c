/* crypto_keys_test.c: keys from and to PEM and JWK: what is taken gives the same key, what is not is refused for its own reason. */
#include "crypto_pems.h"
#include "test.h"
#include "symbi/crypto.h"
#include "symbi/json.h"

#include <openssl/err.h>

static symbi_ctx *cx;
static symbi_err err;

static void unhex(const char *h, uint8_t *out)
{
    for (size_t i = 0; h[2 * i]; i++) {
        unsigned v = 0;
        sscanf(h + 2 * i, "%2x", &v);
        out[i] = (uint8_t)v;
    }
}
static bool is_hex(const uint8_t *p, size_t n, const char *h)
{
    uint8_t b[128];
    if (strlen(h) != 2 * n) return false;
    unhex(h, b);
    return memcmp(b, p, n) == 0;
}

/* RFC 6979 A.2.5 */
#define UX "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
#define UY "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
#define ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"

static symbi_key *pem(const char *text)
{
    symbi_key *k = NULL;
    CHECK_OK(symbi_key_from_pem(cx, symbi_str_z(text), &k, &err), err);
    return k;
}
static symbi_status jwk_of(const char *json, symbi_key **out, bool cached)
{
    symbi_doc *d = NULL;
    symbi_status st;
    *out = NULL;
    st = symbi_json_parse(cx, symbi_str_z(json), &d, &err);
    if (st) return st;
    st = cached ? symbi_key_cached_jwk(cx, symbi_doc_root(d), out, &err) : symbi_key_from_jwk(cx, symbi_doc_root(d), out, &err);
    symbi_doc_unref(d);
    return st;
}

/* Each text that openssl wrote comes out as openssl writes it. */
static void test_pem_round_trip(void)
{
    static const struct { const char *in, *pub, *priv; symbi_key_kind kind; } t[] = {
        { P256_PKCS8, P256_SPKI, P256_PKCS8, SYMBI_KEY_P256 },
        { P256_SEC1, P256_SPKI, P256_PKCS8, SYMBI_KEY_P256 },
        { P256_SPKI, P256_SPKI, NULL, SYMBI_KEY_P256 },
        { ED_PKCS8, ED_SPKI, ED_PKCS8, SYMBI_KEY_ED25519 },
        { ED_SPKI, ED_SPKI, NULL, SYMBI_KEY_ED25519 },
        { RSA_2048, RSA_2048, NULL, SYMBI_KEY_RSA },
        { RSA_8192, RSA_8192, NULL, SYMBI_KEY_RSA },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        symbi_key *k = pem(t[i].in);
        symbi_text x;
        REQUIRE(k);
        CHECK(symbi_key_kind_of(k) == t[i].kind);
        CHECK(symbi_key_is_private(k) == (t[i].priv != NULL));
        CHECK_OK(symbi_key_public_pem(cx, k, &x, &err), err);
        CHECK_STR(symbi_text_str(&x), t[i].pub);
        symbi_text_free(&x);
        if (t[i].priv) {
            CHECK_OK(symbi_key_private_pem(cx, k, &x, &err), err);
            CHECK_STR(symbi_text_str(&x), t[i].priv);
            symbi_text_wipe(&x);
            CHECK(x.p == NULL);
        } else {
            CHECK(symbi_key_private_pem(cx, k, &x, &err) == SYMBI_EINVAL);
            CHECK(x.p == NULL);
        }
        symbi_key_unref(k);
    }
}

/* White space around and CRLF are what editors and Windows do. */
static void test_pem_layout(void)
{
    char b[4096];
    const char *s = P256_SPKI;
    size_t n = 0;
    symbi_key *k;
    b[n++] = '\r';
    b[n++] = '\n';
    b[n++] = ' ';
    for (; *s; s++) {
        if (*s == '\n') b[n++] = '\r';
        b[n++] = *s;
    }
    memcpy(b + n, "\n\t \n", 5);
    k = pem(b);
    REQUIRE(k);
    symbi_key_unref(k);
    n = strlen(P256_SPKI) - 1; /* no line end after the last line */
    memcpy(b, P256_SPKI, n);
    b[n] = 0;
    k = pem(b);
    REQUIRE(k);
    symbi_key_unref(k);
}

static void refused(const char *text, symbi_status st, const char *part)
{
    symbi_key *k = (symbi_key *)8;
    symbi_status got = symbi_key_from_pem(cx, symbi_str_z(text), &k, &err);
    if (got != st || k || !strstr(err.msg, part)) {
        printf("expected %s with \"%s\", got %s \"%s\"\n", symbi_status_name(st), part, symbi_status_name(got), err.msg);
        t_now_failed = 1;
    }
    if (!got) symbi_key_unref(k);
    CHECK(symbi_key_cached_pem(cx, symbi_str_z(text), &k, &err) == st);
    CHECK(k == NULL);
}

static void test_pem_other_keys(void)
{
    refused(P384, SYMBI_EUNSUPPORTED, "curve P-384");
    refused(P384_PRIVATE, SYMBI_EUNSUPPORTED, "curve P-384");
    refused(SECP256K1, SYMBI_EUNSUPPORTED, "curve secp256k1");
    refused(P256_EXPLICIT, SYMBI_EUNSUPPORTED, "explicit parameters");
    refused(P256_EXPLICIT_PRIVATE, SYMBI_EUNSUPPORTED, "explicit parameters");
    refused(P256_SPKI_COMPRESSED, SYMBI_EUNSUPPORTED, "compressed");
    refused(P256_SEC1_COMPRESSED, SYMBI_EUNSUPPORTED, "compressed");
    refused(P256_PARAMETERS_FIRST, SYMBI_EUNSUPPORTED, "EC PARAMETERS");
    refused(PKCS8_ENCRYPTED, SYMBI_EUNSUPPORTED, "encrypted");
    refused(SEC1_ENCRYPTED, SYMBI_EUNSUPPORTED, "encrypted");
    refused(RSA_1024, SYMBI_EUNSUPPORTED, "less than 2048 bits");
    refused(RSA_PRIVATE, SYMBI_EUNSUPPORTED, "RSA private keys");
    refused(X25519_PRIVATE, SYMBI_EUNSUPPORTED, "X25519");
    refused(ED448_PRIVATE, SYMBI_EUNSUPPORTED, "Ed448");
    refused("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", SYMBI_EUNSUPPORTED, "certificate");
    refused("-----BEGIN RSA PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----\n", SYMBI_EUNSUPPORTED, "PKCS#1");
}

/* A key that lost its line breaks on the way, as keys in variables do, or whose frame is damaged: no message quotes any of it. */
static void test_pem_quotes_nothing(void)
{
    static const char *const keys[] = { P256_PKCS8, ED_PKCS8, P256_SEC1, PKCS8_ENCRYPTED }, *const breaks[] = { "", " ", "\t", "\r", "\\n", "\\r\\n", ",", "-" };
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        const char *body = strchr(keys[k], '\n') + 1;
        for (size_t b = 0; b <= sizeof breaks / sizeof *breaks; b++) {
            char text[2000], *o = text;
            symbi_key *out = NULL;
            if (b == sizeof breaks / sizeof *breaks) snprintf(text, sizeof text, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END %.64s-----\n", body);
            else {
                for (const char *p = keys[k]; *p; p++) {
                    if (*p != '\n') *o++ = *p;
                    else if (p[1]) o += sprintf(o, "%s", breaks[b]);
                }
                *o = 0;
            }
            CHECK(symbi_key_from_pem(cx, symbi_str_z(text), &out, &err) == SYMBI_EPARSE && !out);
            for (size_t i = 0; i + 12 < 64; i++) {
                char part[13] = "";
                memcpy(part, body + i, 12);
                if (!strstr(err.msg, part)) continue;
                printf("%zu %zu: %s\n", k, b, err.msg);
                t_now_failed = 1;
                break;
            }
        }
    }
}

static void test_pem_text(void)
{
    char *big = malloc(17000);
    REQUIRE(big);
    refused("", SYMBI_EPARSE, "not PEM");
    refused("  \n", SYMBI_EPARSE, "not PEM");
    refused("hello", SYMBI_EPARSE, "not PEM");
    refused("x\n" P256_SPKI, SYMBI_EPARSE, "not PEM");
    refused(P256_SPKI "x\n", SYMBI_EPARSE, "text follows");
    refused(P256_SPKI P256_SPKI, SYMBI_EPARSE, "second PEM block");
    refused("-----BEGIN PUBLIC KEY-----\n", SYMBI_EPARSE, "no line -----END");
    refused("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n", SYMBI_EPARSE, "empty");
    refused("-----BEGIN PUBLIC KEY-----\nMFk=\n-----END PRIVATE KEY-----\n", SYMBI_EPARSE, "ends as");
    refused("-----BEGIN PUBLIC KEY-----\nMFk\n-----END PUBLIC KEY-----\n", SYMBI_EPARSE, "not base64");
    refused("-----BEGIN PUBLIC KEY-----\nM Fk=\n-----END PUBLIC KEY-----\n", SYMBI_EPARSE, "not base64");
    refused("-----BEGIN PUBLIC KEY-----\nMF_=\n-----END PUBLIC KEY-----\n", SYMBI_EPARSE, "not base64");
    refused("-----BEGIN PUBLIC KEY-----\nMFk=\n-----END PUBLIC KEY-----\n", SYMBI_EPARSE, "cut off");
    refused("-----BEGIN  PUBLIC KEY-----\nMFk=\n-----END PUBLIC KEY-----\n", SYMBI_EUNSUPPORTED, "PEM block \" PUBLIC KEY\"");
    memset(big, '\n', 16999);
    big[16999] = 0;
    refused(big, SYMBI_ELIMIT, "larger than 16384");
    big[16384] = 0;
    refused(big, SYMBI_EPARSE, "not PEM");
    memcpy(big, P256_SPKI, strlen(P256_SPKI)); /* a key and white space, at the limit */
    symbi_key_unref(pem(big));
    memset(big, 'A', 16384);
    memcpy(big, "-----BEGIN PUBLIC KEY-----\n", 27);
    refused(big, SYMBI_ELIMIT, "larger than any");
    free(big);
}

/* A good key's DER with one change at a time: text made by hand, over the published key. */
static char *armour(const uint8_t *der, size_t n, const char *label)
{
    static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static char out[2048];
    char *o = out + sprintf(out, "-----BEGIN %s-----\n", label);
    for (size_t i = 0; i < n; i += 3) {
        uint32_t w = (uint32_t)der[i] << 16 | (i + 1 < n ? (uint32_t)der[i + 1] << 8 : 0) | (i + 2 < n ? der[i + 2] : 0u);
        *o++ = abc[w >> 18];
        *o++ = abc[w >> 12 & 63];
        *o++ = i + 1 < n ? abc[w >> 6 & 63] : '=';
        *o++ = i + 2 < n ? abc[w & 63] : '=';
    }
    sprintf(o, "\n-----END %s-----\n", label);
    return out;
}
static char *armour_hex(const char *hex, const char *label)
{
    uint8_t b[512];
    unhex(hex, b);
    return armour(b, strlen(hex) / 2, label);
}

#define ALG_EC "301306072a8648ce3d020106082a8648ce3d030107"
static void test_der_public(void)
{
    symbi_key *k = pem(armour_hex("3059" ALG_EC "03420004" UX UY, "PUBLIC KEY"));
    uint8_t d[64];
    REQUIRE(k);
    symbi_p256_point(k, d);
    CHECK(is_hex(d, 64, UX UY));
    symbi_key_unref(k);
    refused(armour_hex("3059" ALG_EC "03420004" UX UY "00", "PUBLIC KEY"), SYMBI_EPARSE, "bytes follow");
    refused(armour_hex("305a" ALG_EC "03420004" UX UY "00", "PUBLIC KEY"), SYMBI_EPARSE, "bytes follow");
    refused(armour_hex("308159" ALG_EC "03420004" UX UY, "PUBLIC KEY"), SYMBI_EPARSE, "shortest form");
    refused(armour_hex("30820059" ALG_EC "03420004" UX UY, "PUBLIC KEY"), SYMBI_EPARSE, "shortest form");
    refused(armour_hex("3080" ALG_EC "03420004" UX UY "0000", "PUBLIC KEY"), SYMBI_EPARSE, "indefinite");
    refused(armour_hex("308400000059" ALG_EC "03420004" UX UY, "PUBLIC KEY"), SYMBI_EPARSE, "too large");
    refused(armour_hex("3159" ALG_EC "03420004" UX UY, "PUBLIC KEY"), SYMBI_EPARSE, "another type");
    refused(armour_hex("3059" ALG_EC "03420104" UX UY, "PUBLIC KEY"), SYMBI_EPARSE, "whole bytes");
    refused(armour_hex("3058" ALG_EC "03410004" UX "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d44622", "PUBLIC KEY"), SYMBI_EPARSE, "65 bytes");
    refused(armour_hex("301a" ALG_EC "03020000" "00", "PUBLIC KEY"), SYMBI_EPARSE, "");
    refused(armour_hex("3059" ALG_EC "03420006" UX UY, "PUBLIC KEY"), SYMBI_EPARSE, "begin with 04"); /* hybrid */
    /* y one more: not on the curve */
    refused(armour_hex("3059" ALG_EC "03420004" UX "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d446229a", "PUBLIC KEY"), SYMBI_EVERIFY, "not on the curve");
    /* x and y of the point plus the field prime do not fit 32 bytes; zero and the prime itself are refused */
    refused(armour_hex("3059" ALG_EC "03420004" "0000000000000000000000000000000000000000000000000000000000000000" UY, "PUBLIC KEY"), SYMBI_EVERIFY, "not on the curve");
    refused(armour_hex("3059" ALG_EC "03420004" "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff" UY, "PUBLIC KEY"), SYMBI_EVERIFY, "not on the curve");
    /* Ed25519 with parameters, of 31 bytes */
    refused(armour_hex("302c300706032b657005000321" "00d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "PUBLIC KEY"), SYMBI_EPARSE, "bytes follow");
    refused(armour_hex("3029300506032b65700320" "00d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f70751", "PUBLIC KEY"), SYMBI_EPARSE, "32 bytes");
}

#define PRIV "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"
static void test_der_private(void)
{
    static const char *const good[] = {
        "303102010104" "20" PRIV "a00a06082a8648ce3d030107",
        "307702010104" "20" PRIV "a00a06082a8648ce3d030107" "a144034200" "04" UX UY,
    };
    uint8_t d[64];
    for (size_t i = 0; i < 2; i++) {
        symbi_key *k = pem(armour_hex(good[i], "EC PRIVATE KEY"));
        REQUIRE(k);
        symbi_p256_point(k, d);
        CHECK(is_hex(d, 64, UX UY)); /* computed from the private number */
        CHECK(symbi_key_is_private(k));
        symbi_key_unref(k);
    }
    refused(armour_hex("302502010104" "20" PRIV, "EC PRIVATE KEY"), SYMBI_EPARSE, "curve is missing");
    refused(armour_hex("303102010204" "20" PRIV "a00a06082a8648ce3d030107", "EC PRIVATE KEY"), SYMBI_EPARSE, "version");
    refused(armour_hex("302e02010104" "20" PRIV "a00706052b8104000a", "EC PRIVATE KEY"), SYMBI_EUNSUPPORTED, "secp256k1");
    refused(armour_hex("307702010104" "20" PRIV "a00a06082a8648ce3d030107" "a144034200" "04" UY UX, "EC PRIVATE KEY"), SYMBI_EVERIFY, "does not belong");
    refused(armour_hex("303102010104" "20" ORDER "a00a06082a8648ce3d030107", "EC PRIVATE KEY"), SYMBI_EVERIFY, "1..n-1");
    refused(armour_hex("303102010104" "20" "0000000000000000000000000000000000000000000000000000000000000000" "a00a06082a8648ce3d030107", "EC PRIVATE KEY"), SYMBI_EVERIFY, "1..n-1");
    refused(armour_hex("303002010104" "1f" "afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721" "a00a06082a8648ce3d030107", "EC PRIVATE KEY"), SYMBI_EPARSE, "32 bytes");
    /* PKCS#8 of Ed25519 with its public key (RFC 8410 section 10.3), right and wrong */
    {
        symbi_key *k = pem("-----BEGIN PRIVATE KEY-----\n"
                           "MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
                           "oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB\n"
                           "Z9w7lshQhqowtrbLDFw4rXAxZuE=\n"
                           "-----END PRIVATE KEY-----\n");
        REQUIRE(k);
        symbi_ed25519_public(k, d);
        CHECK(is_hex(d, 32, "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"));
        symbi_key_unref(k);
    }
    refused("-----BEGIN PRIVATE KEY-----\n"
            "MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
            "oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB\n"
            "Z9w7lshQhqowtrbLDFw4rXAxZuI=\n"
            "-----END PRIVATE KEY-----\n", SYMBI_EVERIFY, "does not belong");
}

static void test_points(void)
{
    uint8_t xy[64], back[64];
    symbi_key *k = NULL;
    unhex(UX UY, xy);
    CHECK_OK(symbi_p256_from_point(cx, xy, &k, &err), err);
    REQUIRE(k);
    symbi_p256_point(k, back);
    CHECK(memcmp(xy, back, 64) == 0);
    symbi_ed25519_public(k, back); /* of another kind: zeros, not some bytes */
    CHECK(is_hex(back, 32, "0000000000000000000000000000000000000000000000000000000000000000"));
    symbi_key_unref(k);
    for (size_t bit = 0; bit < 512; bit += 5) {
        memcpy(back, xy, 64);
        back[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(symbi_p256_from_point(cx, back, &k, &err) == SYMBI_EVERIFY);
        CHECK(k == NULL);
    }
    memset(back, 0, 64);
    CHECK(symbi_p256_from_point(cx, back, &k, &err) == SYMBI_EVERIFY);
    memset(back, 0xff, 64);
    CHECK(symbi_p256_from_point(cx, back, &k, &err) == SYMBI_EVERIFY);
}

/* Small orders in both signs, y not below the prime, y = 2 that no x belongs to. */
static void test_ed25519_points(void)
{
    static const char *const bad[] = {
        "0100000000000000000000000000000000000000000000000000000000000000", "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080", "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "0200000000000000000000000000000000000000000000000000000000000000",
        "0700000000000000000000000000000000000000000000000000000000000080",
    };
    uint8_t b[32];
    symbi_key *k;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        unhex(bad[i], b);
        CHECK(symbi_ed25519_from_public(cx, b, &k, &err) == SYMBI_EVERIFY);
        CHECK(k == NULL);
    }
    unhex("0300000000000000000000000000000000000000000000000000000000000000", b); /* y = 3 is on the curve */
    CHECK_OK(symbi_ed25519_from_public(cx, b, &k, &err), err);
    symbi_key_unref(k);
}

/* ---- JWK ---- */

#define RSA_7638 "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
#define EC_7515 "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""

static void test_jwk(void)
{
    static const struct { const char *in, *out, *thumb; } t[] = {
        /* RFC 7638 section 3.1 */
        { "{\"kty\":\"RSA\",\"n\":\"" RSA_7638 "\",\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}", "{\"kty\":\"RSA\",\"n\":\"" RSA_7638 "\",\"e\":\"AQAB\"}",
          "3736cbb1787cb8309c77ee8c3705c5e16ffb9e859715901f1e4c59b11182f57b" },
        /* RFC 8037 A.2, A.3 */
        { "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
          "90facafea9b1556698540f70c0117a22ea37bd5cf3ed3c47093c1707282b4b89" },
        { "{" EC_7515 ",\"crv\":\"P-256\",\"kty\":\"EC\",\"use\":\"sig\"}", "{\"kty\":\"EC\",\"crv\":\"P-256\"," EC_7515 "}", NULL },
    };
    uint8_t d[32];
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        symbi_key *k, *k2;
        symbi_text x;
        CHECK_OK(jwk_of(t[i].in, &k, false), err);
        REQUIRE(k);
        CHECK_OK(symbi_key_to_jwk(cx, k, &x, &err), err);
        CHECK_STR(symbi_text_str(&x), t[i].out);
        symbi_text_free(&x);
        symbi_key_thumbprint(k, d);
        if (t[i].thumb) CHECK(is_hex(d, 32, t[i].thumb));
        CHECK_OK(symbi_key_public_pem(cx, k, &x, &err), err);
        k2 = pem(x.p);
        symbi_text_free(&x);
        REQUIRE(k2);
        symbi_key_thumbprint(k2, d);
        if (t[i].thumb) CHECK(is_hex(d, 32, t[i].thumb));
        symbi_key_unref(k2);
        symbi_key_unref(k);
    }
}

static void bad_jwk(const char *json, symbi_status st, const char *part)
{
    for (int cached = 0; cached < 2; cached++) {
        symbi_key *k;
        symbi_status got = jwk_of(json, &k, cached);
        if (got != st || k || !strstr(err.msg, part)) {
            printf("%s: expected %s with \"%s\", got %s \"%s\"\n", json, symbi_status_name(st), part, symbi_status_name(got), err.msg);
            t_now_failed = 1;
        }
        if (k) symbi_key_unref(k);
    }
}

static void test_jwk_refused(void)
{
#define EC(x, y) "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":" x ",\"y\":" y "}"
#define X "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\""
#define Y "\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
    bad_jwk("[]", SYMBI_ESCHEMA, "object");
    bad_jwk("{}", SYMBI_ESCHEMA, "kty");
    bad_jwk("{\"kty\":1}", SYMBI_ESCHEMA, "must be a string");
    bad_jwk("{\"kty\":\"oct\",\"k\":\"AAAA\"}", SYMBI_EUNSUPPORTED, "oct");
    bad_jwk("{\"kty\":\"ec\",\"crv\":\"P-256\",\"x\":" X ",\"y\":" Y "}", SYMBI_EUNSUPPORTED, "\"ec\"");
    bad_jwk("{\"kty\":\"EC\",\"crv\":\"p-256\",\"x\":" X ",\"y\":" Y "}", SYMBI_EUNSUPPORTED, "\"p-256\"");
    bad_jwk("{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":" X ",\"y\":" Y "}", SYMBI_EUNSUPPORTED, "P-384");
    bad_jwk("{\"kty\":\"EC\",\"crv\":\"Ed25519\",\"x\":" X ",\"y\":" Y "}", SYMBI_EUNSUPPORTED, "Ed25519");
    bad_jwk("{\"kty\":\"OKP\",\"crv\":\"P-256\",\"x\":" X "}", SYMBI_EUNSUPPORTED, "P-256");
    bad_jwk("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":" X "}", SYMBI_EUNSUPPORTED, "X25519");
    bad_jwk("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":" X "}", SYMBI_ESCHEMA, "no member \"y\"");
    bad_jwk("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":" X ",\"y\":" Y ",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}", SYMBI_ESCHEMA, "private");
    bad_jwk("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":" X ",\"y\":" Y ",\"d\":null}", SYMBI_ESCHEMA, "private");
    bad_jwk(EC(Y, X), SYMBI_EVERIFY, "not on the curve");
    bad_jwk(EC("\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU=\"", Y), SYMBI_ESCHEMA, "padding");
    bad_jwk(EC(X, "\"x/FEzRu9m36HLN/tue659LNpXW6pCyStikYjKIWI5a0\""), SYMBI_ESCHEMA, "alphabet");
    bad_jwk(EC("\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEV\"", Y), SYMBI_ESCHEMA, "unused bits");
    bad_jwk(EC("\" f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"", Y), SYMBI_ESCHEMA, "");
    bad_jwk(EC("\"AH_NzidwtsRdQYPL7m_bS3tYBzM1e-nvE7rPbjx70VRF\"", Y), SYMBI_ESCHEMA, "32 bytes"); /* 33 bytes, a leading zero */
    bad_jwk(EC("\"zidw9sRdQYPL7m_bS3tYBzM1e-nvE7rPbjx70VRF\"", Y), SYMBI_ESCHEMA, "exactly 32 bytes");
    bad_jwk(EC("\"\"", Y), SYMBI_ESCHEMA, "exactly 32 bytes");
    bad_jwk(EC("5", Y), SYMBI_ESCHEMA, "must be a string");
    bad_jwk("{\"kty\":\"RSA\",\"n\":\"" RSA_7638 "\",\"e\":\"AQ\"}", SYMBI_EVERIFY, "exponent");
    bad_jwk("{\"kty\":\"RSA\",\"n\":\"" RSA_7638 "\",\"e\":\"AQAA\"}", SYMBI_EVERIFY, "exponent");
    bad_jwk("{\"kty\":\"RSA\",\"n\":\"" RSA_7638 "\",\"e\":\"AAEAAQ\"}", SYMBI_EPARSE, "leading zeros");
    bad_jwk("{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", SYMBI_EUNSUPPORTED, "less than 2048");
    bad_jwk("{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"}", SYMBI_EPARSE, "empty");
}

/* ---- the cache ---- */

static void test_cache(void)
{
    symbi_key *a, *b, *c, *first;
    CHECK_OK(symbi_key_cached_pem(cx, symbi_str_z(P256_SPKI), &a, &err), err);
    CHECK_OK(symbi_key_cached_pem(cx, symbi_str_z(P256_SPKI), &b, &err), err);
    CHECK(a == b);
    CHECK_OK(symbi_key_cached_pem(cx, symbi_str_z("\n" P256_SPKI), &c, &err), err);
    CHECK(a != c); /* other bytes */
    symbi_key_unref(a);
    symbi_key_unref(b);
    symbi_key_unref(c);
    CHECK_OK(symbi_key_cached_pem(cx, symbi_str_z(P256_PKCS8), &a, &err), err);
    CHECK_OK(symbi_key_cached_pem(cx, symbi_str_z(P256_PKCS8), &b, &err), err);
    CHECK(a != b && symbi_key_is_private(a)); /* private keys are not kept */
    symbi_key_unref(a);
    symbi_key_unref(b);
    CHECK_OK(jwk_of("{\"kty\":\"EC\",\"crv\":\"P-256\"," EC_7515 "}", &a, true), err);
    CHECK_OK(jwk_of("{\"kid\":\"other\",\"crv\":\"P-256\",\"kty\":\"EC\"," EC_7515 "}", &b, true), err);
    CHECK(a == b); /* by curve and point, whatever else it says */
    symbi_key_unref(b);
    CHECK(jwk_of("{\"kty\":\"EC\",\"crv\":\"P-256\"," EC_7515 ",\"d\":\"AA\"}", &b, true) == SYMBI_ESCHEMA);
    first = a;
    /* 64 others push it out; used again in between, it stays. */
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 64; i++) {
            char text[2048];
            snprintf(text, sizeof text, "%*s%s", i + 1 + 64 * round, "", P256_SPKI);
            CHECK_OK(symbi_key_cached_pem(cx, symbi_str_z(text), &c, &err), err);
            symbi_key_unref(c);
            if (round == 0 && i % 20 == 0) {
                CHECK_OK(jwk_of("{\"kty\":\"EC\",\"crv\":\"P-256\"," EC_7515 "}", &b, true), err);
                CHECK(b == first);
                symbi_key_unref(b);
            }
        }
    }
    CHECK_OK(jwk_of("{\"kty\":\"EC\",\"crv\":\"P-256\"," EC_7515 "}", &b, true), err);
    CHECK(b != first);
    symbi_key_unref(b);
    symbi_key_unref(first);
}

/* ---- generation ---- */

typedef struct source { uint8_t fill; int left; } source;
static int scripted(void *ud, void *buf, size_t n)
{
    source *s = ud;
    memset(buf, s->left-- > 0 ? 0xff : s->fill, n); /* 0xff.. is above the order: to be refused */
    return 0;
}
static void test_generate(void)
{
    symbi_key *a, *b;
    uint8_t pa[64], pb[64];
    symbi_env env;
    symbi_ctx *own;
    source s = { 0x11, 0 };
    symbi_text t;
    CHECK_OK(symbi_p256_generate(cx, &a, &err), err);
    CHECK_OK(symbi_p256_generate(cx, &b, &err), err);
    REQUIRE(a && b);
    symbi_p256_point(a, pa);
    symbi_p256_point(b, pb);
    CHECK(memcmp(pa, pb, 64) != 0);
    CHECK(symbi_key_is_private(a) && symbi_key_kind_of(a) == SYMBI_KEY_P256);
    symbi_key_unref(a);
    symbi_key_unref(b);
    symbi_env_init(&env);
    env.rand.fill = scripted;
    env.rand.ud = &s;
    CHECK_OK(symbi_ctx_new(&env, &own, &err), err);
    REQUIRE(own);
    s.left = 3;
    CHECK_OK(symbi_p256_generate(own, &a, &err), err);
    REQUIRE(a);
    symbi_p256_point(a, pa); /* 0x1111.. times the base point, by an independent computation (Python) */
    CHECK(is_hex(pa, 64, "0217e617f0b6443928278f96999e69a23a4f2c152bdf6d6cdf66e5b80282d4ed194a7debcb97712d2dda3ca85aa8765a56f45fc758599652f2897c65306e5794"));
    CHECK_OK(symbi_key_private_pem(own, a, &t, &err), err);
    CHECK(t.p && strstr(t.p, "BEGIN PRIVATE KEY"));
    symbi_text_wipe(&t);
    symbi_key_unref(a);
    s.left = 1000; /* a source stuck at ones never ends the loop otherwise */
    CHECK(symbi_p256_generate(own, &a, &err) == SYMBI_ECRYPTO);
    CHECK(a == NULL);
    symbi_ctx_free(own);
}

static void test_kinds(void)
{
    symbi_key *p = pem(P256_PKCS8), *e = pem(ED_PKCS8), *r = pem(RSA_2048);
    uint8_t sig[72];
    size_t n;
    symbi_str s = { (const char *)sig, 64 };
    REQUIRE(p && e && r);
    memset(sig, 1, sizeof sig);
    CHECK(symbi_es256_verify(cx, e, symbi_str_z("x"), SYMBI_ES256_RAW, s, &err) == SYMBI_EINVAL);
    CHECK(symbi_es256_verify(cx, r, symbi_str_z("x"), SYMBI_ES256_RAW, s, &err) == SYMBI_EINVAL);
    CHECK(symbi_es256_verify(cx, NULL, symbi_str_z("x"), SYMBI_ES256_RAW, s, &err) == SYMBI_EINVAL);
    CHECK(symbi_rs256_verify(cx, p, symbi_str_z("x"), s, &err) == SYMBI_EINVAL);
    CHECK(symbi_ed25519_verify(cx, p, symbi_str_z("x"), sig, &err) == SYMBI_EINVAL);
    CHECK(symbi_ed25519_sign(cx, p, symbi_str_z("x"), sig, &err) == SYMBI_EINVAL);
    CHECK(symbi_ed25519_seed(p, sig, &err) == SYMBI_EINVAL);
    CHECK(symbi_es256_sign(cx, e, symbi_str_z("x"), SYMBI_ES256_RAW, sig, &n, &err) == SYMBI_EINVAL);
    CHECK(strstr(err.msg, "P-256") && strstr(err.msg, "Ed25519"));
    CHECK_STR(symbi_str_z(symbi_key_kind_name(SYMBI_KEY_RSA)), "rsa");
    CHECK_STR(symbi_str_z(symbi_key_kind_name((symbi_key_kind)77)), "none");
    CHECK(symbi_key_kind_of(NULL) == SYMBI_KEY_NONE);
    symbi_key_unref(p);
    symbi_key_unref(e);
    symbi_key_unref(r);
}

static void test_error_queue(void)
{
    symbi_key *k;
    unsigned long mine;
    uint8_t xy[64] = { 1 };
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 7);
    mine = ERR_peek_last_error();
    CHECK(symbi_p256_from_point(cx, xy, &k, &err) == SYMBI_EVERIFY);
    CHECK(symbi_ed25519_from_public(cx, xy, &k, &err) == SYMBI_EVERIFY);
    k = pem(P256_PKCS8);
    symbi_key_unref(k);
    refused(P384, SYMBI_EUNSUPPORTED, "");
    CHECK(ERR_peek_last_error() == mine);
    CHECK(ERR_get_error() == mine);
    CHECK(ERR_get_error() == 0);
}

static symbi_status oom_keys(symbi_ctx *c, void *ud)
{
    static const char *const texts[] = { P256_PKCS8, P256_SPKI, ED_SPKI, RSA_2048 };
    symbi_key *k = NULL;
    symbi_text t = { 0 };
    symbi_status st = SYMBI_OK;
    (void)ud;
    for (size_t i = 0; i < 4 && !st; i++) {
        st = symbi_key_cached_pem(c, symbi_str_z(texts[i]), &k, NULL);
        if (!st) st = symbi_key_public_pem(c, k, &t, NULL);
        symbi_text_free(&t);
        if (!st) st = symbi_key_to_jwk(c, k, &t, NULL);
        symbi_text_free(&t);
        if (!st && symbi_key_is_private(k)) st = symbi_key_private_pem(c, k, &t, NULL);
        symbi_text_wipe(&t);
        symbi_key_unref(k);
        k = NULL;
    }
    if (!st) st = symbi_p256_generate(c, &k, NULL);
    symbi_key_unref(k);
    return st;
}
static void test_out_of_memory(void) { test_oom(oom_keys, NULL, SYMBI_OK); }

int main(void)
{
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_pem_round_trip);
    RUN(test_pem_layout);
    RUN(test_pem_other_keys);
    RUN(test_pem_text);
    RUN(test_pem_quotes_nothing);
    RUN(test_der_public);
    RUN(test_der_private);
    RUN(test_points);
    RUN(test_ed25519_points);
    RUN(test_jwk);
    RUN(test_jwk_refused);
    RUN(test_cache);
    RUN(test_generate);
    RUN(test_kinds);
    RUN(test_error_queue);
    RUN(test_out_of_memory);
    symbi_ctx_free(cx);
    return test_end();
}
