/* crypto/jwt_check.c: the signature, then the registered claims. The expected algorithm comes from the caller; the header's is
 * compared with it and selects nothing (RFC 8725 section 3.1). */
#include "base/err.h"
#include "base/str.h"
#include "crypto/jwt.h"

#include <math.h>
#include <string.h>

enum { MIN_SECRET = 32 };

/* ---- the signature ---- */

static bool is_mac(symbi_jwt_alg alg) { return alg == SYMBI_JWT_HS256 || alg == SYMBI_JWT_HS384 || alg == SYMBI_JWT_HS512; }

symbi_key_kind sy_jwt_key_kind(symbi_jwt_alg alg)
{
    switch (alg) {
    case SYMBI_JWT_ES256:
    case SYMBI_JWT_ES256_DER: return SYMBI_KEY_P256;
    case SYMBI_JWT_RS256: return SYMBI_KEY_RSA;
    case SYMBI_JWT_EDDSA: return SYMBI_KEY_ED25519;
    default: return SYMBI_KEY_NONE;
    }
}

static bool has_pem(symbi_str s)
{
    const symbi_str mark = SY_LIT("-----BEGIN ");
    for (size_t i = 0; i + mark.n <= s.n; i++)
        if (s.p[i] == '-' && memcmp(s.p + i, mark.p, mark.n) == 0) return true;
    return false;
}

symbi_status sy_jwt_key_fits(symbi_jwt_alg alg, const symbi_jwt_key *key, bool sign, symbi_err *err)
{
    symbi_key_kind want = sy_jwt_key_kind(alg);
    if (!key) return sy_fail(err, SYMBI_EINVAL, "no key is given for %s", symbi_jwt_alg_name(alg));
    if (is_mac(alg)) {
        if (!key->secret.n) return sy_fail(err, SYMBI_EINVAL, "%s needs a secret", symbi_jwt_alg_name(alg));
        if (key->secret.n < MIN_SECRET && !key->short_secret_ok) return sy_fail(err, SYMBI_EINVAL, "the secret for %s is shorter than %d bytes", symbi_jwt_alg_name(alg), MIN_SECRET);
        if (has_pem(key->secret)) return sy_fail(err, SYMBI_EINVAL, "the secret for %s is a PEM key: whoever knows it could sign", symbi_jwt_alg_name(alg));
        return SYMBI_OK;
    }
    if (want == SYMBI_KEY_NONE) return sy_fail(err, SYMBI_EINVAL, "there is no such algorithm to verify with");
    if (symbi_key_kind_of(key->key) != want)
        return sy_fail(err, SYMBI_EINVAL, "%s needs a key of the kind %s, this is %s", symbi_jwt_alg_name(alg), symbi_key_kind_name(want), symbi_key_kind_name(symbi_key_kind_of(key->key)));
    if (sign && !symbi_key_is_private(key->key)) return sy_fail(err, SYMBI_EINVAL, "signing needs a private key, this is a public one");
    return SYMBI_OK;
}

symbi_status sy_jwt_mac(symbi_ctx *cx, symbi_jwt_alg alg, symbi_str secret, symbi_str data, uint8_t *out, size_t *n, symbi_err *err)
{
    symbi_hash h = alg == SYMBI_JWT_HS256 ? SYMBI_HASH_SHA256 : alg == SYMBI_JWT_HS384 ? SYMBI_HASH_SHA384 : SYMBI_HASH_SHA512;
    *n = symbi_hash_bytes(h);
    return symbi_hmac(cx, h, secret, data, out, err);
}

static symbi_status check_bytes(symbi_ctx *cx, const symbi_jwt *j, symbi_jwt_alg alg, const symbi_jwt_key *key, symbi_err *err)
{
    symbi_str data = symbi_jwt_signed_part(j), sig = symbi_jwt_signature(j);
    if (!sig.n) return sy_fail(err, SYMBI_EVERIFY, "it is empty");
    if (is_mac(alg)) {
        uint8_t mac[SYMBI_HASH_MAX_BYTES];
        symbi_str good = { (const char *)mac, 0 };
        symbi_status st = sy_jwt_mac(cx, alg, key->secret, data, mac, &good.n, err);
        if (!st && !symbi_ct_equal(good, sig)) st = sy_fail(err, SYMBI_EVERIFY, "the MAC differs");
        symbi_wipe(mac, sizeof mac); /* of a forged token, it would be the way to forge it */
        return st;
    }
    switch (alg) {
    case SYMBI_JWT_ES256: return symbi_es256_verify(cx, key->key, data, SYMBI_ES256_RAW, sig, err);
    case SYMBI_JWT_ES256_DER: return symbi_es256_verify(cx, key->key, data, SYMBI_ES256_DER, sig, err);
    case SYMBI_JWT_RS256: return symbi_rs256_verify(cx, key->key, data, sig, err);
    case SYMBI_JWT_EDDSA:
        if (sig.n != SYMBI_ED25519_SIG_BYTES) return sy_fail(err, SYMBI_EVERIFY, "it is not 64 bytes long");
        return symbi_ed25519_verify(cx, key->key, data, (const uint8_t *)sig.p, err);
    default: return sy_fail(err, SYMBI_EVERIFY, "no algorithm");
    }
}

static symbi_status check_header(const symbi_jwt *j, symbi_jwt_alg alg, symbi_jwt_reason *reason, symbi_err *err)
{
    const symbi_value *h = symbi_jwt_header(j), *a = symbi_value_getz(h, "alg");
    if (reason) *reason = SYMBI_JWT_R_OK;
    if ((unsigned)alg > SYMBI_JWT_EDDSA || alg == SYMBI_JWT_NONE) return sy_jwt_refuse(reason, SYMBI_JWT_R_ALG, SYMBI_EINVAL, err, "the verifier names none");
    if (!a || a->kind != SYMBI_STRING) return sy_jwt_refuse(reason, SYMBI_JWT_R_ALG, SYMBI_EVERIFY, err, "the header has none, expected %s", symbi_jwt_alg_name(alg));
    if (!sy_str_eqz(a->u.s, symbi_jwt_alg_name(alg)))
        return sy_jwt_refuse(reason, SYMBI_JWT_R_ALG, SYMBI_EVERIFY, err, "\"%.*s\", expected %s", (int)(a->u.s.n > 40 ? 40 : a->u.s.n), a->u.s.p, symbi_jwt_alg_name(alg));
    if (symbi_value_getz(h, "crit")) return sy_jwt_refuse(reason, SYMBI_JWT_R_CRIT, SYMBI_EVERIFY, err, NULL);
    return SYMBI_OK;
}

symbi_status symbi_jwt_check_signature(symbi_ctx *cx, const symbi_jwt *j, symbi_jwt_alg alg, const symbi_jwt_key *key, symbi_jwt_reason *reason, symbi_err *err)
{
    symbi_err why;
    symbi_status st = check_header(j, alg, reason, err);
    if (st) return st;
    symbi_err_clear(&why);
    st = sy_jwt_key_fits(alg, key, false, &why);
    if (st) return sy_jwt_refuse(reason, SYMBI_JWT_R_KEY, st, err, "%s", why.msg);
    st = check_bytes(cx, j, alg, key, &why);
    if (st == SYMBI_ENOMEM) {
        if (reason) *reason = SYMBI_JWT_R_SIGNATURE;
        return sy_fail_nomem(err);
    }
    return st ? sy_jwt_refuse(reason, SYMBI_JWT_R_SIGNATURE, st, err, "%s", why.msg) : SYMBI_OK;
}

/* ---- the claims ---- */

static int64_t add(int64_t a, int64_t b)
{
    int64_t r;
    if (!__builtin_add_overflow(a, b, &r)) return r;
    return a < 0 ? INT64_MIN : INT64_MAX;
}

static symbi_status refuse_claim(symbi_jwt_reason *reason, symbi_jwt_reason r, const char *claim, symbi_err *err)
{
    symbi_status st = sy_jwt_refuse(reason, r, SYMBI_EVERIFY, err, r == SYMBI_JWT_R_CLAIM_TYPE || r == SYMBI_JWT_R_MISSING_CLAIM ? "%s" : NULL, claim);
    sy_err_path(err, symbi_str_z(claim));
    return st;
}

/* A time in whole seconds, rounded up: with an integer clock that decides every comparison as the fraction would. */
typedef struct when { bool there; int64_t at; } when;

static bool read_time(const symbi_value *claims, const char *name, bool float_times, when *out)
{
    const symbi_value *v = symbi_value_getz(claims, name);
    out->there = v != NULL;
    out->at = 0;
    if (!v) return true;
    if (v->kind == SYMBI_INT) {
        out->at = v->u.i;
        return true;
    }
    if (!float_times || v->kind != SYMBI_DOUBLE || !isfinite(v->u.d)) return false;
    out->at = v->u.d >= 9.2e18 ? INT64_MAX : v->u.d <= -9.2e18 ? INT64_MIN : (int64_t)ceil(v->u.d);
    return true;
}

static symbi_status check_times(const symbi_value *c, const symbi_jwt_rules *r, symbi_jwt_reason *reason, symbi_err *err)
{
    int64_t leeway = r->leeway > 0 ? r->leeway : 0;
    when exp, nbf, iat;
    if (!read_time(c, "exp", r->float_times, &exp)) return refuse_claim(reason, SYMBI_JWT_R_CLAIM_TYPE, "exp", err);
    if (!read_time(c, "nbf", r->float_times, &nbf)) return refuse_claim(reason, SYMBI_JWT_R_CLAIM_TYPE, "nbf", err);
    if (!read_time(c, "iat", r->float_times, &iat)) return refuse_claim(reason, SYMBI_JWT_R_CLAIM_TYPE, "iat", err);
    if (!exp.there && (!r->exp_optional || r->max_lifetime > 0)) return refuse_claim(reason, SYMBI_JWT_R_MISSING_EXP, "exp", err);
    if (exp.there && add(exp.at, leeway) <= r->now) return refuse_claim(reason, SYMBI_JWT_R_EXPIRED, "exp", err);
    if (nbf.there && nbf.at > add(r->now, leeway)) return refuse_claim(reason, SYMBI_JWT_R_NOT_YET, "nbf", err);
    if (iat.there && r->check_iat && iat.at > add(r->now, leeway)) return refuse_claim(reason, SYMBI_JWT_R_FUTURE, "iat", err);
    if (r->max_lifetime > 0) {
        int64_t life;
        if (!iat.there) return refuse_claim(reason, SYMBI_JWT_R_MISSING_CLAIM, "iat", err);
        if (__builtin_sub_overflow(exp.at, iat.at, &life)) life = exp.at > iat.at ? INT64_MAX : INT64_MIN;
        if (life > r->max_lifetime) return refuse_claim(reason, SYMBI_JWT_R_LIFETIME, "exp", err);
    }
    return SYMBI_OK;
}

static symbi_status check_audience(const symbi_value *c, const symbi_jwt_rules *r, symbi_jwt_reason *reason, symbi_err *err)
{
    const symbi_value *aud = symbi_value_getz(c, "aud");
    bool found = false;
    if (!r->audience.n) return aud && r->refuse_audience ? refuse_claim(reason, SYMBI_JWT_R_AUDIENCE, "aud", err) : SYMBI_OK;
    if (!aud) return refuse_claim(reason, SYMBI_JWT_R_MISSING_CLAIM, "aud", err);
    if (aud->kind == SYMBI_STRING) found = sy_str_eq(aud->u.s, r->audience);
    else if (aud->kind == SYMBI_ARRAY) {
        for (size_t i = 0; i < aud->u.a.n; i++) {
            if (aud->u.a.items[i].kind != SYMBI_STRING) return refuse_claim(reason, SYMBI_JWT_R_CLAIM_TYPE, "aud", err);
            found |= sy_str_eq(aud->u.a.items[i].u.s, r->audience);
        }
    } else return refuse_claim(reason, SYMBI_JWT_R_CLAIM_TYPE, "aud", err);
    return found ? SYMBI_OK : refuse_claim(reason, SYMBI_JWT_R_AUDIENCE, "aud", err);
}

static symbi_status take_rules(const symbi_jwt_rules *in, symbi_jwt_rules *r, symbi_err *err)
{
    if (!in || in->size < offsetof(symbi_jwt_rules, short_secret_ok) + sizeof in->short_secret_ok || in->size > 4096)
        return sy_fail(err, SYMBI_EINVAL, "symbi_jwt_rules.size is not set: zero-initialise the rules and set size to their sizeof");
    memcpy(r, in, sizeof *r);
    return SYMBI_OK;
}

static symbi_status check_claims(const symbi_jwt *j, const symbi_jwt_rules *r, symbi_jwt_reason *reason, symbi_err *err)
{
    const symbi_value *c = symbi_jwt_claims(j), *v;
    symbi_status st;
    if (r->typ.n) {
        v = symbi_value_getz(symbi_jwt_header(j), "typ");
        if (!v || v->kind != SYMBI_STRING || !sy_str_eq(v->u.s, r->typ)) return sy_jwt_refuse(reason, SYMBI_JWT_R_TYP, SYMBI_EVERIFY, err, "expected \"%.*s\"", SY_FMT(r->typ));
    }
    st = check_times(c, r, reason, err);
    if (st) return st;
    for (size_t i = 0; i < r->required_n; i++) {
        v = symbi_value_get(c, r->required[i]);
        if (v && v->kind != SYMBI_NULL) continue;
        st = sy_jwt_refuse(reason, SYMBI_JWT_R_MISSING_CLAIM, SYMBI_EVERIFY, err, "%.*s", SY_FMT(r->required[i]));
        sy_err_path(err, r->required[i]);
        return st;
    }
    if (r->issuer.n) {
        v = symbi_value_getz(c, "iss");
        if (!v) return refuse_claim(reason, SYMBI_JWT_R_MISSING_CLAIM, "iss", err);
        if (v->kind != SYMBI_STRING || !sy_str_eq(v->u.s, r->issuer)) return refuse_claim(reason, SYMBI_JWT_R_ISSUER, "iss", err);
    }
    return check_audience(c, r, reason, err);
}

symbi_status symbi_jwt_check_claims(const symbi_jwt *j, const symbi_jwt_rules *rules, symbi_jwt_reason *reason, symbi_err *err)
{
    symbi_jwt_rules r;
    symbi_status st = take_rules(rules, &r, err);
    if (reason) *reason = st ? SYMBI_JWT_R_CLAIM_TYPE : SYMBI_JWT_R_OK;
    return st ? st : check_claims(j, &r, reason, err);
}

/* key, or else the one that jwks has for the token. */
static symbi_status verify(symbi_ctx *cx, symbi_str token, symbi_jwt_alg alg, const symbi_jwt_key *key, const symbi_value *jwks, const symbi_jwt_rules *rules, symbi_jwt **out, symbi_jwt_reason *reason, symbi_err *err)
{
    symbi_jwt_rules r;
    symbi_jwt_key k;
    symbi_key *found = NULL;
    symbi_jwt *j = NULL;
    symbi_status st = take_rules(rules, &r, err);
    if (out) *out = NULL;
    if (reason) *reason = SYMBI_JWT_R_CLAIM_TYPE;
    if (st) return st;
    memset(&k, 0, sizeof k);
    if (key) k = *key;
    k.short_secret_ok |= r.short_secret_ok;
    st = symbi_jwt_parse(cx, token, &j, reason, err);
    if (!st && jwks) {
        st = check_header(j, alg, reason, err);
        if (!st) {
            const symbi_value *kid = symbi_value_getz(symbi_jwt_header(j), "kid");
            symbi_str id = { NULL, 0 };
            if (kid && kid->kind != SYMBI_STRING) st = sy_fail(err, SYMBI_EVERIFY, "no key for this token: its kid is no text");
            else st = symbi_jwks_find(cx, jwks, kid ? kid->u.s : id, alg, &found, err);
            if (st && reason) *reason = SYMBI_JWT_R_KEY;
            k.key = found;
        }
    }
    if (!st) st = symbi_jwt_check_signature(cx, j, alg, &k, reason, err);
    if (!st) st = check_claims(j, &r, reason, err);
    symbi_key_unref(found);
    if (!st && out) *out = j;
    else symbi_jwt_free(j);
    return st;
}

symbi_status symbi_jwt_verify(symbi_ctx *cx, symbi_str token, symbi_jwt_alg alg, const symbi_jwt_key *key, const symbi_jwt_rules *rules, symbi_jwt **out, symbi_jwt_reason *reason, symbi_err *err)
{
    return verify(cx, token, alg, key, NULL, rules, out, reason, err);
}

symbi_status symbi_jwt_verify_jwks(symbi_ctx *cx, symbi_str token, symbi_jwt_alg alg, const symbi_value *jwks, const symbi_jwt_rules *rules, symbi_jwt **out, symbi_jwt_reason *reason, symbi_err *err)
{
    static const symbi_value none = { .kind = SYMBI_NULL };
    return verify(cx, token, alg, NULL, jwks ? jwks : &none, rules, out, reason, err);
}
