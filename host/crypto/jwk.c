/* crypto/jwk.c: public keys from and to JSON Web Keys (RFC 7517, 7518, 8037). */
#include "base/err.h"
#include "base/str.h"
#include "codec/base64.h"
#include "crypto/cache.h"
#include "crypto/key.h"
#include "symbi/value.h"

#include <string.h>

/* The text of a member, which must be there. */
static symbi_status text_of(const symbi_value *jwk, const char *name, symbi_str *out, symbi_err *err)
{
    const symbi_value *v = symbi_value_getz(jwk, name);
    if (!v) return sy_fail(err, SYMBI_ESCHEMA, "the JWK has no member \"%s\"", name);
    if (v->kind != SYMBI_STRING) return sy_fail(err, SYMBI_ESCHEMA, "the member \"%s\" of a JWK must be a string", name);
    *out = v->u.s;
    return SYMBI_OK;
}

static symbi_status bytes_of(symbi_str text, const char *name, uint8_t *out, size_t max, size_t *n, symbi_err *err)
{
    uint8_t b[SY_RSA_MAX_BYTES + 8];
    symbi_err why;
    if (text.n > (max + 2) / 3 * 4) return sy_fail(err, SYMBI_ESCHEMA, "the member \"%s\" of the JWK is longer than %zu bytes", name, max);
    if (sy_base64_decode(text, SY_BASE64_URL | SY_BASE64_NOPAD, b, n, &why)) return sy_fail(err, SYMBI_ESCHEMA, "the member \"%s\" of the JWK: %s", name, why.msg);
    if (*n > max) return sy_fail(err, SYMBI_ESCHEMA, "the member \"%s\" of the JWK is longer than %zu bytes", name, max);
    memcpy(out, b, *n);
    return SYMBI_OK;
}

static symbi_status coordinate(symbi_str text, const char *name, uint8_t out[32], symbi_err *err)
{
    size_t n;
    symbi_status st = bytes_of(text, name, out, 32, &n, err);
    if (!st && n != 32) st = sy_fail(err, SYMBI_ESCHEMA, "the member \"%s\" of the JWK must be exactly 32 bytes (43 characters), it is %zu", name, n);
    return st;
}

/* The members that make the key, as text. */
typedef struct parts {
    symbi_key_kind kind;
    symbi_str a, b; /* x y, x, n e */
} parts;

static symbi_status take_apart(const symbi_value *jwk, parts *p, symbi_err *err)
{
    symbi_str kty, crv;
    symbi_status st;
    memset(p, 0, sizeof *p);
    if (!jwk || jwk->kind != SYMBI_OBJECT) return sy_fail(err, SYMBI_ESCHEMA, "a JWK is a JSON object");
    if (symbi_value_getz(jwk, "d")) return sy_fail(err, SYMBI_ESCHEMA, "the JWK holds a private key (member \"d\"): a public one is expected");
    st = text_of(jwk, "kty", &kty, err);
    if (st) return st;
    if (sy_str_eqz(kty, "RSA")) {
        p->kind = SYMBI_KEY_RSA;
        st = text_of(jwk, "n", &p->a, err);
        return st ? st : text_of(jwk, "e", &p->b, err);
    }
    if (!sy_str_eqz(kty, "EC") && !sy_str_eqz(kty, "OKP"))
        return sy_fail(err, SYMBI_EUNSUPPORTED, "a JWK of the type \"%.*s\" is not taken: EC, OKP or RSA", SY_FMT(kty));
    st = text_of(jwk, "crv", &crv, err);
    if (st) return st;
    p->kind = sy_str_eqz(kty, "EC") ? SYMBI_KEY_P256 : SYMBI_KEY_ED25519;
    if (!sy_str_eqz(crv, p->kind == SYMBI_KEY_P256 ? "P-256" : "Ed25519"))
        return sy_fail(err, SYMBI_EUNSUPPORTED, "the JWK is on the curve \"%.*s\", only %s is taken for the type %.*s", SY_FMT(crv), p->kind == SYMBI_KEY_P256 ? "P-256" : "Ed25519", SY_FMT(kty));
    st = text_of(jwk, "x", &p->a, err);
    return st || p->kind == SYMBI_KEY_ED25519 ? st : text_of(jwk, "y", &p->b, err);
}

static symbi_status build(symbi_ctx *cx, const parts *p, symbi_key **out, symbi_err *err)
{
    uint8_t a[SY_RSA_MAX_BYTES + 1], b[SY_RSA_E_MAX_BYTES + 1];
    symbi_str n = { (const char *)a, 0 }, e = { (const char *)b, 0 };
    symbi_status st;
    if (p->kind == SYMBI_KEY_RSA) {
        st = bytes_of(p->a, "n", a, SY_RSA_MAX_BYTES, &n.n, err);
        if (!st) st = bytes_of(p->b, "e", b, SY_RSA_E_MAX_BYTES, &e.n, err);
        return st ? st : sy_rsa_from_public(cx, n, e, out, err);
    }
    st = coordinate(p->a, "x", a, err);
    if (!st && p->kind == SYMBI_KEY_P256) st = coordinate(p->b, "y", a + 32, err);
    if (st) return st;
    return p->kind == SYMBI_KEY_P256 ? symbi_p256_from_point(cx, a, out, err) : symbi_ed25519_from_public(cx, a, out, err);
}

symbi_status symbi_key_from_jwk(symbi_ctx *cx, const symbi_value *jwk, symbi_key **out, symbi_err *err)
{
    parts p;
    symbi_status st = take_apart(jwk, &p, err);
    *out = NULL;
    return st ? st : build(cx, &p, out, err);
}

symbi_status symbi_key_cached_jwk(symbi_ctx *cx, const symbi_value *jwk, symbi_key **out, symbi_err *err)
{
    /* base64url is strict here, one text for one number: the texts stand for the key. They contain no '.', so that the joined
     * text is not ambiguous for a key that exists. */
    char text[SY_JWK_MAX_BYTES];
    uint8_t hash[32];
    parts p;
    symbi_str s = { text, 0 };
    symbi_status st = take_apart(jwk, &p, err);
    *out = NULL;
    if (st) return st;
    if (p.a.n + p.b.n > sizeof text - 2) return build(cx, &p, out, err);
    text[s.n++] = (char)('0' + (int)p.kind);
    memcpy(text + s.n, p.a.p, p.a.n);
    s.n += p.a.n;
    text[s.n++] = '.';
    if (p.b.n) memcpy(text + s.n, p.b.p, p.b.n);
    s.n += p.b.n;
    st = symbi_sha256(cx, s, hash, err);
    if (st) return st;
    *out = sy_cache_key_get(cx, SY_FROM_JWK, hash);
    if (*out) return SYMBI_OK;
    st = build(cx, &p, out, err);
    if (!st) sy_cache_key_put(cx, SY_FROM_JWK, hash, *out);
    return st;
}

symbi_status symbi_key_to_jwk(symbi_ctx *cx, const symbi_key *k, symbi_text *out, symbi_err *err)
{
    char text[SY_JWK_MAX_BYTES];
    sy_buf b;
    memset(out, 0, sizeof *out);
    sy_buf_init(&b, cx->alloc, sizeof text + 1);
    sy_buf_add(&b, text, sy_key_jwk_text(k, false, text));
    return sy_buf_take(&b, out, "the JWK", err);
}
