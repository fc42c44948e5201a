/* crypto/jwks.c: the key for a token out of a key set (RFC 7517 section 5). A kid is compared, byte for byte, and used for
 * nothing else; what a token says picks among the keys that the verifier was given, never the algorithm. */
#include "base/err.h"
#include "base/str.h"
#include "crypto/jwt.h"

static symbi_status none(symbi_err *err, const char *why) { return sy_fail(err, SYMBI_ENOTFOUND, "no key for this token: %s", why); }

/* NULL when the key may verify signatures of this algorithm, else why not. */
static const char *unfit(const symbi_value *k, symbi_jwt_alg alg)
{
    const symbi_value *v = symbi_value_getz(k, "use");
    if (v && (v->kind != SYMBI_STRING || !sy_str_eqz(v->u.s, "sig"))) return "the key is not for signatures (use)";
    v = symbi_value_getz(k, "key_ops");
    if (v) {
        bool verify = false;
        if (v->kind != SYMBI_ARRAY) return "key_ops is not an array";
        for (size_t i = 0; i < v->u.a.n; i++) verify |= v->u.a.items[i].kind == SYMBI_STRING && sy_str_eqz(v->u.a.items[i].u.s, "verify");
        if (!verify) return "the key is not for verifying (key_ops)";
    }
    v = symbi_value_getz(k, "alg");
    if (v && (v->kind != SYMBI_STRING || !sy_str_eqz(v->u.s, symbi_jwt_alg_name(alg)))) return "the key is for another algorithm (alg)";
    return NULL;
}

symbi_status symbi_jwks_find(symbi_ctx *cx, const symbi_value *jwks, symbi_str kid, symbi_jwt_alg alg, symbi_key **out, symbi_err *err)
{
    const symbi_value *keys = symbi_value_getz(jwks, "keys"), *hit = NULL;
    const char *why;
    symbi_status st;
    *out = NULL;
    if (sy_jwt_key_kind(alg) == SYMBI_KEY_NONE) return sy_fail(err, SYMBI_EINVAL, "a key set holds no key for %s", symbi_jwt_alg_name(alg));
    if (!keys || keys->kind != SYMBI_ARRAY) return sy_fail(err, SYMBI_ESCHEMA, "a key set is an object with an array \"keys\"");
    if (keys->u.a.n > SYMBI_JWKS_MAX) return sy_fail(err, SYMBI_ELIMIT, "the key set has more than %d keys", SYMBI_JWKS_MAX);
    if (!kid.p) {
        if (keys->u.a.n != 1) return none(err, "it has no kid, and the set does not have exactly one key");
        hit = &keys->u.a.items[0];
    } else {
        for (size_t i = 0; i < keys->u.a.n; i++) {
            const symbi_value *id = symbi_value_getz(&keys->u.a.items[i], "kid");
            if (!id || id->kind != SYMBI_STRING || !sy_str_eq(id->u.s, kid)) continue;
            if (hit) return none(err, "two keys have its kid");
            hit = &keys->u.a.items[i];
        }
        if (!hit) return none(err, "the set has no key with its kid");
    }
    why = unfit(hit, alg);
    if (why) return none(err, why);
    st = symbi_key_cached_jwk(cx, hit, out, err);
    if (st || symbi_key_kind_of(*out) == sy_jwt_key_kind(alg)) return st;
    symbi_key_unref(*out);
    *out = NULL;
    return none(err, "the key is of another kind than the algorithm needs");
}
