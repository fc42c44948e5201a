/* schemapin/sign.c: keys and signatures: P-256 only, DER in strict base64, and times as the documents write them. */
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "codec/base64.h"
#include "schemapin/docs.h"

bool symbi_schemapin_canonicalization_ok(symbi_str name)
{
    return !name.p || sy_str_eqz(name, "schemapin-v1");
}

symbi_status symbi_schemapin_public_key(symbi_ctx *cx, symbi_str pem, symbi_key **out, symbi_err *err)
{
    const symbi_str begin = SY_LIT("-----BEGIN PUBLIC KEY-----"), end = SY_LIT("-----END PUBLIC KEY-----");
    const char *at, *stop;
    symbi_str rest;
    symbi_key *k;
    symbi_status st;
    *out = NULL;
    /* Before parsing, so that a private key in a public document is never even loaded. Text around the one block is fine, as it is
     * elsewhere; a second block would leave it to the reader which one counts. */
    at = sy_sp_find(pem, begin);
    if (!at) return sy_fail(err, SYMBI_EPARSE, "not a PEM public key (BEGIN PUBLIC KEY)");
    rest = (symbi_str){ at + begin.n, pem.n - (size_t)(at - pem.p) - begin.n };
    stop = sy_sp_find(rest, end);
    if (!stop) return sy_fail(err, SYMBI_EPARSE, "the PEM public key has no end");
    if (sy_sp_find(rest, SY_LIT("-----BEGIN")) || sy_sp_find((symbi_str){ pem.p, (size_t)(at - pem.p) }, SY_LIT("-----BEGIN")))
        return sy_fail(err, SYMBI_EPARSE, "more than one PEM block: which key is meant?");
    pem = (symbi_str){ at, (size_t)(stop - at) + end.n };
    st = symbi_key_cached_pem(cx, pem, &k, err);
    if (st) return st;
    if (symbi_key_kind_of(k) != SYMBI_KEY_P256 || symbi_key_is_private(k)) {
        st = sy_fail(err, SYMBI_ESCHEMA, "the key is not a P-256 public key (%s%s)", symbi_key_is_private(k) ? "private " : "", symbi_key_kind_name(symbi_key_kind_of(k)));
        symbi_key_unref(k);
        return st;
    }
    *out = k;
    return SYMBI_OK;
}

void symbi_schemapin_fingerprint(const symbi_key *k, char out[SYMBI_SCHEMAPIN_FINGERPRINT + 1])
{
    uint8_t d[32];
    symbi_key_spki_sha256(k, d);
    sy_sp_hash_text(d, out);
}

void sy_sp_hash_text(const uint8_t d[32], char out[SYMBI_SCHEMAPIN_FINGERPRINT + 1])
{
    static const char hex[] = "0123456789abcdef";
    memcpy(out, "sha256:", 7);
    for (int i = 0; i < 32; i++) {
        out[7 + 2 * i] = hex[d[i] >> 4];
        out[8 + 2 * i] = hex[d[i] & 15];
    }
    out[SYMBI_SCHEMAPIN_FINGERPRINT] = 0;
}

symbi_status symbi_schemapin_sign(symbi_ctx *cx, const symbi_key *k, symbi_str message, symbi_text *out, symbi_err *err)
{
    uint8_t sig[72];
    size_t n;
    sy_buf b;
    symbi_status st;
    memset(out, 0, sizeof *out);
    if (!symbi_key_is_private(k)) return sy_fail(err, SYMBI_EINVAL, "signing needs the private key");
    st = symbi_es256_sign(cx, k, message, SYMBI_ES256_DER, sig, &n, err);
    if (st) return st;
    sy_buf_init(&b, cx->alloc, 128);
    sy_base64_add(&b, sig, n, SY_BASE64);
    return sy_buf_take(&b, out, "the signature", err);
}

symbi_status symbi_schemapin_verify(symbi_ctx *cx, const symbi_key *k, symbi_str message, symbi_str signature, symbi_err *err)
{
    uint8_t sig[160];
    size_t n;
    symbi_err why;
    if (!signature.n) return sy_fail(err, SYMBI_EVERIFY, "the signature is empty");
    if (signature.n > 160) return sy_fail(err, SYMBI_EVERIFY, "the signature is too long (%zu characters)", signature.n);
    if (sy_base64_decode(signature, SY_BASE64, sig, &n, &why)) return sy_fail(err, SYMBI_EVERIFY, "the signature is not base64 with padding: %s", why.msg);
    return symbi_es256_verify(cx, k, message, SYMBI_ES256_DER, (symbi_str){ (const char *)sig, n }, err);
}

/* ---- text ------------------------------------------------------------------------------------------------------------ */

const char *sy_sp_find(symbi_str s, symbi_str part)
{
    const char *p = s.p, *end = p ? p + s.n : p;
    while (p && (size_t)(end - p) >= part.n && (p = memchr(p, part.p[0], (size_t)(end - p) - part.n + 1))) {
        if (!memcmp(p, part.p, part.n)) return p;
        p++;
    }
    return NULL;
}

bool sy_sp_contains(symbi_str s, symbi_str part)
{
    return sy_sp_find(s, part) != NULL;
}

bool sy_sp_same_hash(symbi_str a, symbi_str b)
{
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++) {
        char x = a.p[i], y = b.p[i];
        if (x >= 'A' && x <= 'Z') x = (char)(x + 32);
        if (y >= 'A' && y <= 'Z') y = (char)(y + 32);
        if (x != y) return false;
    }
    return true;
}

bool sy_sp_same_domain(symbi_str a, symbi_str b)
{
    while (a.n && a.p[a.n - 1] == '.') a.n--;
    while (b.n && b.p[b.n - 1] == '.') b.n--;
    return sy_sp_same_hash(a, b);
}

/* ---- times ----------------------------------------------------------------------------------------------------------- */

bool symbi_schemapin_time(symbi_str text, int64_t *ms)
{
    int64_t seconds;
    int millis;
    if (text.n < 4 || text.n > 64 || !memcmp(text.p, "0000", 4) || !sy_time_parse(text, 0, &seconds, &millis)) return false;
    *ms = seconds * 1000 + millis;
    return true;
}

void sy_sp_time_text(int64_t now, char out[21])
{
    char ms[SY_RFC3339_MS];
    sy_time_rfc3339(now > INT64_MAX / 1000 || now < INT64_MIN / 1000 ? (now < 0 ? INT64_MIN : INT64_MAX) : now * 1000, ms);
    memcpy(out, ms, 19);
    out[19] = 'Z';
    out[20] = 0;
}
