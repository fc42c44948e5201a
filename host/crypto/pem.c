/* crypto/pem.c: keys from and to PEM: the text, and the three structures in it (SPKI, PKCS#8, SEC1), read by our own strict DER
 * reader: one key has one text, and each refusal says what it found and what is taken. */
#include "base/err.h"
#include "base/str.h"
#include "codec/base64.h"
#include "crypto/cache.h"
#include "crypto/der.h"
#include "crypto/key.h"

#include <openssl/crypto.h>
#include <string.h>

enum {
    PEM_MAX = 16384,
    DER_MAX = SY_SPKI_MAX_BYTES + 256, /* the largest key that is taken, and room to tell why another is not */
    B64_MAX = DER_MAX / 3 * 4 + 4
};
typedef enum label { L_PUBLIC, L_PRIVATE, L_EC_PRIVATE } label;

/* ---- the text ---- */

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
static void skip_space(symbi_str *s)
{
    while (s->n && is_space(*s->p)) s->p++, s->n--;
}
/* The next line without its end; false at the end of the text. */
static bool next_line(symbi_str *s, symbi_str *line)
{
    const char *nl = s->n ? memchr(s->p, '\n', s->n) : NULL;
    if (!s->n) return false;
    line->p = s->p;
    line->n = nl ? (size_t)(nl - s->p) : s->n;
    s->n -= line->n + (nl ? 1 : 0);
    s->p += line->n + (nl ? 1 : 0);
    if (line->n && line->p[line->n - 1] == '\r') line->n--;
    return true;
}
/* "-----<what> <label>-----" */
static bool is_frame(symbi_str line, symbi_str what, symbi_str *name)
{
    const symbi_str dashes = SY_LIT("-----");
    while (line.n && (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t')) line.n--;
    if (line.n < what.n + dashes.n || !sy_str_starts(line, what) || !sy_str_ends(line, dashes)) return false;
    name->p = line.p + what.n;
    name->n = line.n - what.n - dashes.n;
    return true;
}

/* Words in capitals. What is not may be the key itself, where the line breaks were lost: no message quotes it. */
static bool is_label(symbi_str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!((name.p[i] >= 'A' && name.p[i] <= 'Z') || (name.p[i] >= '0' && name.p[i] <= '9') || name.p[i] == ' ')) return false;
    return name.n && name.n <= 40;
}

static symbi_status find_label(symbi_str name, label *out, symbi_err *err)
{
    if (sy_str_eqz(name, "PUBLIC KEY")) *out = L_PUBLIC;
    else if (sy_str_eqz(name, "PRIVATE KEY")) *out = L_PRIVATE;
    else if (sy_str_eqz(name, "EC PRIVATE KEY")) *out = L_EC_PRIVATE;
    else if (sy_str_eqz(name, "ENCRYPTED PRIVATE KEY")) return sy_fail(err, SYMBI_EUNSUPPORTED, "the private key is encrypted: decrypt it first (openssl pkcs8 -in key.pem -out plain.pem)");
    else if (sy_str_eqz(name, "EC PARAMETERS")) return sy_fail(err, SYMBI_EUNSUPPORTED, "the text starts with EC PARAMETERS: keep only the block EC PRIVATE KEY (openssl ecparam -genkey -noout)");
    else if (sy_str_eqz(name, "RSA PRIVATE KEY")) return sy_fail(err, SYMBI_EUNSUPPORTED, "RSA private keys are not taken: RSA only verifies here");
    else if (sy_str_eqz(name, "RSA PUBLIC KEY")) return sy_fail(err, SYMBI_EUNSUPPORTED, "PKCS#1 is not taken: write the key as PUBLIC KEY (openssl rsa -RSAPublicKey_in -pubout)");
    else if (sy_str_eqz(name, "CERTIFICATE")) return sy_fail(err, SYMBI_EUNSUPPORTED, "this is a certificate, a key is expected (openssl x509 -pubkey -noout)");
    else return sy_fail(err, SYMBI_EUNSUPPORTED, "a PEM block \"%.*s\" is not a key that is taken: PUBLIC KEY, PRIVATE KEY or EC PRIVATE KEY", SY_FMT(name));
    return SYMBI_OK;
}

/* The bytes of the one block. */
static symbi_status read_text(symbi_str pem, label *kind, uint8_t der[DER_MAX + 3], size_t *der_n, symbi_err *err)
{
    char b64[B64_MAX];
    symbi_str line, name, end_name, text = { b64, 0 };
    symbi_status st;
    bool ended = false;
    *der_n = 0;
    if (pem.n > PEM_MAX) return sy_fail(err, SYMBI_ELIMIT, "the PEM text is larger than %d bytes", PEM_MAX);
    skip_space(&pem);
    if (!next_line(&pem, &line) || !is_frame(line, SY_LIT("-----BEGIN "), &name)) return sy_fail(err, SYMBI_EPARSE, "not PEM: the text does not start with a line -----BEGIN ...-----");
    if (!is_label(name)) return sy_fail(err, SYMBI_EPARSE, "not PEM: the line breaks are missing; -----BEGIN ...----- and -----END ...----- stand on lines of their own");
    st = find_label(name, kind, err);
    if (st) return st;
    while (!ended && next_line(&pem, &line)) {
        if (is_frame(line, SY_LIT("-----END "), &end_name)) {
            ended = true;
            if (!is_label(end_name)) st = sy_fail(err, SYMBI_EPARSE, "the PEM block begins as \"%.*s\" and ends as something else", SY_FMT(name));
            else if (!sy_str_eq(name, end_name)) st = sy_fail(err, SYMBI_EPARSE, "the PEM block begins as \"%.*s\" and ends as \"%.*s\"", SY_FMT(name), SY_FMT(end_name));
        } else if (line.n && memchr(line.p, ':', line.n)) {
            st = sy_fail(err, SYMBI_EUNSUPPORTED, memchr(line.p, 'E', line.n) ? "the PEM block has headers: it is an encrypted key in the old form; decrypt it first" : "the PEM block has headers");
        } else if (line.n > sizeof b64 - text.n) {
            st = sy_fail(err, SYMBI_ELIMIT, "the key is larger than any that is taken");
        } else if (line.n) {
            memcpy(b64 + text.n, line.p, line.n);
            text.n += line.n;
        }
        if (st) break;
    }
    if (!st && !ended) st = sy_fail(err, SYMBI_EPARSE, "the PEM block has no line -----END %.*s-----", SY_FMT(name));
    skip_space(&pem);
    if (!st && pem.n) st = sy_fail(err, SYMBI_EPARSE, sy_str_starts(pem, SY_LIT("-----BEGIN ")) ? "a second PEM block follows: one key is expected" : "text follows after the PEM block");
    if (!st && sy_base64_decode(text, SY_BASE64, der, der_n, NULL)) st = sy_fail(err, SYMBI_EPARSE, "the PEM block is not base64");
    if (!st && !*der_n) st = sy_fail(err, SYMBI_EPARSE, "the PEM block is empty");
    OPENSSL_cleanse(b64, sizeof b64);
    return st;
}

/* ---- the structures ---- */

static const uint8_t g_ec[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 }, g_p256[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 },
                     g_ed[] = { 0x2b, 0x65, 0x70 }, g_rsa[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 };

static symbi_status broken(symbi_err *err, const char *why) { return sy_fail(err, SYMBI_EPARSE, "the key is malformed: %s", why); }

/* What follows ecPublicKey: the named curve P-256 and nothing else. */
static symbi_status read_curve(sy_der *d, symbi_err *err)
{
    static const struct { uint8_t n, oid[9]; const char *name; } other[] = {
        { 5, { 0x2b, 0x81, 0x04, 0x00, 0x22 }, "P-384" },
        { 5, { 0x2b, 0x81, 0x04, 0x00, 0x23 }, "P-521" },
        { 5, { 0x2b, 0x81, 0x04, 0x00, 0x0a }, "secp256k1" },
        { 5, { 0x2b, 0x81, 0x04, 0x00, 0x21 }, "P-224" },
        { 9, { 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07 }, "brainpoolP256r1" },
    };
    if (sy_der_oid(d, g_p256, sizeof g_p256)) return SYMBI_OK;
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (sy_der_oid(d, other[i].oid, other[i].n)) return sy_fail(err, SYMBI_EUNSUPPORTED, "the key is on the curve %s, only P-256 is taken", other[i].name);
    if (sy_der_is(d, SY_DER_SEQUENCE)) return sy_fail(err, SYMBI_EUNSUPPORTED, "the key spells its curve out in explicit parameters: the named curve P-256 is expected");
    if (sy_der_is(d, SY_DER_OID)) return sy_fail(err, SYMBI_EUNSUPPORTED, "the key is on another curve than P-256");
    return broken(err, "the curve is missing");
}

static symbi_status read_algorithm(sy_der *d, symbi_key_kind *kind, symbi_err *err)
{
    static const struct { uint8_t n, oid[9]; const char *name; } other[] = {
        { 3, { 0x2b, 0x65, 0x71 }, "Ed448" },
        { 3, { 0x2b, 0x65, 0x6e }, "X25519, which cannot sign" },
        { 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a }, "RSASSA-PSS" },
        { 7, { 0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01 }, "DSA" },
    };
    sy_der a, none;
    symbi_status st = SYMBI_OK;
    const char *why = sy_der_get(d, SY_DER_SEQUENCE, &a);
    if (why) return broken(err, why);
    *kind = SYMBI_KEY_NONE;
    if (sy_der_oid(&a, g_ec, sizeof g_ec)) {
        *kind = SYMBI_KEY_P256;
        st = read_curve(&a, err);
    } else if (sy_der_oid(&a, g_ed, sizeof g_ed)) *kind = SYMBI_KEY_ED25519;
    else if (sy_der_oid(&a, g_rsa, sizeof g_rsa)) {
        *kind = SYMBI_KEY_RSA;
        why = sy_der_get(&a, SY_DER_NULL, &none);
        if (why || sy_der_left(&none)) return broken(err, "RSA parameters must be NULL");
    } else {
        for (size_t i = 0; i < sizeof other / sizeof *other; i++)
            if (sy_der_oid(&a, other[i].oid, other[i].n)) return sy_fail(err, SYMBI_EUNSUPPORTED, "the key is of the kind %s; P-256, Ed25519 and RSA are taken", other[i].name);
        return sy_fail(err, SYMBI_EUNSUPPORTED, "the key is of an unknown kind; P-256, Ed25519 and RSA are taken");
    }
    if (!st && sy_der_left(&a)) st = broken(err, "bytes follow after the algorithm");
    return st;
}

/* 04 x y */
static symbi_status read_point(sy_der b, const uint8_t **xy, symbi_err *err)
{
    size_t n = sy_der_left(&b);
    if (n == 33 && (*b.p == 2 || *b.p == 3)) return sy_fail(err, SYMBI_EUNSUPPORTED, "the point is compressed: write the key with an uncompressed one (openssl ec -conv_form uncompressed)");
    if (n != 65 || *b.p != 4) return broken(err, "the point is not 65 bytes that begin with 04");
    *xy = b.p + 1;
    return SYMBI_OK;
}

static symbi_status read_rsa(symbi_ctx *cx, sy_der bits, symbi_key **out, symbi_err *err)
{
    sy_der s;
    symbi_str n, e;
    const char *why = sy_der_get(&bits, SY_DER_SEQUENCE, &s);
    if (!why) why = sy_der_uint(&s, &n);
    if (!why) why = sy_der_uint(&s, &e);
    if (!why && (sy_der_left(&s) || sy_der_left(&bits))) why = "bytes follow after the RSA numbers";
    return why ? broken(err, why) : sy_rsa_from_public(cx, n, e, out, err);
}

static symbi_status read_spki(symbi_ctx *cx, sy_der d, symbi_key **out, symbi_err *err)
{
    sy_der s, bits;
    symbi_key_kind kind;
    const uint8_t *xy;
    symbi_status st;
    const char *why = sy_der_get(&d, SY_DER_SEQUENCE, &s);
    if (!why && sy_der_left(&d)) why = "bytes follow after the key";
    if (why) return broken(err, why);
    st = read_algorithm(&s, &kind, err);
    if (st) return st;
    why = sy_der_bits(&s, &bits);
    if (!why && sy_der_left(&s)) why = "bytes follow after the key";
    if (why) return broken(err, why);
    if (kind == SYMBI_KEY_RSA) return read_rsa(cx, bits, out, err);
    if (kind == SYMBI_KEY_ED25519) return sy_der_left(&bits) == 32 ? symbi_ed25519_from_public(cx, bits.p, out, err) : broken(err, "an Ed25519 key has 32 bytes");
    st = read_point(bits, &xy, err);
    return st ? st : symbi_p256_from_point(cx, xy, out, err);
}

/* ECPrivateKey (RFC 5915). named: the curve is given outside, so that it may be missing here. */
static symbi_status read_sec1(symbi_ctx *cx, sy_der d, bool named, symbi_key **out, symbi_err *err)
{
    sy_der s, v, num, ctx_tag, bits;
    const uint8_t *xy = NULL;
    symbi_status st = SYMBI_OK;
    const char *why = sy_der_get(&d, SY_DER_SEQUENCE, &s);
    if (!why && sy_der_left(&d)) why = "bytes follow after the key";
    if (!why) why = sy_der_get(&s, SY_DER_INTEGER, &v);
    if (!why && (sy_der_left(&v) != 1 || *v.p != 1)) why = "the version is not 1";
    if (!why) why = sy_der_get(&s, SY_DER_OCTETS, &num);
    if (why) return broken(err, why);
    if (sy_der_is(&s, 0xa0)) {
        why = sy_der_get(&s, 0xa0, &ctx_tag);
        if (why) return broken(err, why);
        st = read_curve(&ctx_tag, err);
        if (!st && sy_der_left(&ctx_tag)) st = broken(err, "bytes follow after the curve");
    } else if (!named) st = broken(err, "the curve is missing");
    if (st) return st;
    if (sy_der_is(&s, 0xa1)) {
        why = sy_der_get(&s, 0xa1, &ctx_tag);
        if (!why) why = sy_der_bits(&ctx_tag, &bits);
        if (!why && sy_der_left(&ctx_tag)) why = "bytes follow after the point";
        if (why) return broken(err, why);
        st = read_point(bits, &xy, err);
        if (st) return st;
    }
    if (sy_der_left(&s)) return broken(err, "bytes follow after the key");
    if (sy_der_left(&num) != 32) return broken(err, "the private number is not 32 bytes long");
    return sy_p256_from_scalar(cx, num.p, xy, out, err);
}

/* PKCS#8 version 1, and version 2 (RFC 5958), which carries the public key along. */
static symbi_status read_pkcs8(symbi_ctx *cx, sy_der d, symbi_key **out, symbi_err *err)
{
    sy_der s, v, oct, inner, attrs, pub = { NULL, NULL };
    symbi_key_kind kind;
    symbi_status st;
    uint8_t own[32];
    const char *why = sy_der_get(&d, SY_DER_SEQUENCE, &s);
    if (!why && sy_der_left(&d)) why = "bytes follow after the key";
    if (!why) why = sy_der_get(&s, SY_DER_INTEGER, &v);
    if (!why && (sy_der_left(&v) != 1 || *v.p > 1)) why = "the version is neither 0 nor 1";
    if (why) return broken(err, why);
    st = read_algorithm(&s, &kind, err);
    if (st) return st;
    if (kind == SYMBI_KEY_RSA) return sy_fail(err, SYMBI_EUNSUPPORTED, "RSA private keys are not taken: RSA only verifies here");
    why = sy_der_get(&s, SY_DER_OCTETS, &oct);
    if (!why && sy_der_is(&s, 0xa0)) why = sy_der_get(&s, 0xa0, &attrs); /* attributes say nothing about the key */
    if (!why && *v.p == 1 && sy_der_is(&s, 0x81)) why = sy_der_get(&s, 0x81, &pub);
    if (!why && sy_der_left(&s)) why = "bytes follow after the key";
    if (!why && pub.p && (pub.p == pub.end || *pub.p++ != 0)) why = "a BIT STRING does not hold whole bytes";
    if (!why && pub.p && kind == SYMBI_KEY_P256) why = "the public key stands in the wrong place";
    if (why) return broken(err, why);
    if (kind == SYMBI_KEY_P256) return read_sec1(cx, oct, true, out, err);
    why = sy_der_get(&oct, SY_DER_OCTETS, &inner);
    if (!why && (sy_der_left(&oct) || sy_der_left(&inner) != 32)) why = "an Ed25519 key has 32 bytes";
    if (why) return broken(err, why);
    st = symbi_ed25519_from_seed(cx, inner.p, out, err);
    if (st || !pub.p) return st;
    symbi_ed25519_public(*out, own);
    if (sy_der_left(&pub) == 32 && memcmp(own, pub.p, 32) == 0) return SYMBI_OK;
    symbi_key_unref(*out);
    *out = NULL;
    return sy_fail(err, SYMBI_EVERIFY, "the public key does not belong to the private one");
}

symbi_status symbi_key_from_pem(symbi_ctx *cx, symbi_str pem, symbi_key **out, symbi_err *err)
{
    uint8_t der[DER_MAX + 3];
    size_t n;
    label kind = L_PUBLIC;
    symbi_status st;
    *out = NULL;
    st = read_text(pem, &kind, der, &n, err);
    if (!st) {
        sy_der d = sy_der_over(der, n);
        st = kind == L_PUBLIC ? read_spki(cx, d, out, err) : kind == L_PRIVATE ? read_pkcs8(cx, d, out, err) : read_sec1(cx, d, false, out, err);
    }
    OPENSSL_cleanse(der, sizeof der);
    return st;
}

symbi_status symbi_key_cached_pem(symbi_ctx *cx, symbi_str pem, symbi_key **out, symbi_err *err)
{
    const symbi_str begin = SY_LIT("-----BEGIN PUBLIC KEY-----");
    symbi_str text = pem;
    uint8_t hash[32];
    symbi_status st;
    *out = NULL;
    skip_space(&text);
    /* A private key is not even hashed: nothing of it stays behind. */
    if (pem.n > PEM_MAX || !sy_str_starts(text, begin)) return symbi_key_from_pem(cx, pem, out, err);
    st = symbi_sha256(cx, pem, hash, err);
    if (st) return st;
    *out = sy_cache_key_get(cx, SY_FROM_PEM, hash);
    if (*out) return SYMBI_OK;
    st = symbi_key_from_pem(cx, pem, out, err);
    if (!st) sy_cache_key_put(cx, SY_FROM_PEM, hash, *out);
    return st;
}

/* ---- writing ---- */

static symbi_status write_text(symbi_ctx *cx, const char *name, const uint8_t *der, size_t n, symbi_text *out, symbi_err *err)
{
    char b64[B64_MAX];
    size_t len = sy_base64_encode(der, n, SY_BASE64, b64);
    sy_buf b;
    sy_buf_init(&b, cx->alloc, PEM_MAX);
    /* One piece of memory from the start, so that growing leaves no copy of a secret behind. */
    if (sy_buf_reserve(&b, len + len / 64 + 80)) {
        sy_buf_addf(&b, "-----BEGIN %s-----\n", name);
        for (size_t i = 0; i < len; i += 64) {
            sy_buf_add(&b, b64 + i, len - i < 64 ? len - i : 64);
            sy_buf_addc(&b, '\n');
        }
        sy_buf_addf(&b, "-----END %s-----\n", name);
    }
    OPENSSL_cleanse(b64, sizeof b64);
    return sy_buf_take(&b, out, "the PEM text", err);
}

symbi_status symbi_key_public_pem(symbi_ctx *cx, const symbi_key *k, symbi_text *out, symbi_err *err)
{
    uint8_t der[SY_SPKI_MAX_BYTES];
    memset(out, 0, sizeof *out);
    return write_text(cx, "PUBLIC KEY", der, sy_key_spki(k, der), out, err);
}

symbi_status symbi_key_private_pem(symbi_ctx *cx, const symbi_key *k, symbi_text *out, symbi_err *err)
{
    static const uint8_t ed[] = { 0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20 };
    static const uint8_t ec[] = { 0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
                                  0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01, 0x04, 0x20 };
    static const uint8_t ec_pub[] = { 0xa1, 0x44, 0x03, 0x42, 0x00, 0x04 };
    uint8_t der[160], *o = der;
    symbi_status st;
    memset(out, 0, sizeof *out);
    if (!k->is_private) return sy_fail(err, SYMBI_EINVAL, "this is a public key: there is no private part to write");
    if (k->kind == SYMBI_KEY_ED25519) {
        memcpy(o, ed, sizeof ed);
        o += sizeof ed;
        st = symbi_ed25519_seed(k, o, err);
        o += 32;
    } else {
        memcpy(o, ec, sizeof ec);
        o += sizeof ec;
        st = sy_p256_scalar(k, o, err);
        o += 32;
        memcpy(o, ec_pub, sizeof ec_pub);
        o += sizeof ec_pub;
        memcpy(o, k->pub, 64);
        o += 64;
    }
    if (!st) st = write_text(cx, "PRIVATE KEY", der, (size_t)(o - der), out, err);
    OPENSSL_cleanse(der, sizeof der);
    return st;
}

void symbi_text_wipe(symbi_text *t)
{
    if (t->p) OPENSSL_cleanse(t->p, t->cap);
    symbi_text_free(t);
}
