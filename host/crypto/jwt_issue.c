/* crypto/jwt_issue.c: writing tokens (RFC 7515 section 7.1). What is issued here is what symbi_jwt_verify takes. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/base64.h"
#include "codec/value.h"
#include "crypto/jwt.h"
#include "symbi/json.h"

#include <string.h>

enum { HEADER_MAX = 32, SIG_MAX = 72 };

static symbi_status make_header(symbi_jwt_alg alg, const symbi_value *more, symbi_member m[HEADER_MAX + 1], symbi_value *out, symbi_err *err)
{
    size_t n = 1;
    m[0].key = SY_LIT("alg");
    m[0].val = sy_val_str(symbi_str_z(symbi_jwt_alg_name(alg)));
    if (!more) {
        m[1].key = SY_LIT("typ");
        m[1].val = sy_val_str(SY_LIT("JWT"));
        n = 2;
    } else {
        if (more->kind != SYMBI_OBJECT) return sy_fail(err, SYMBI_EINVAL, "the header of a token is an object");
        if (more->u.o.n > HEADER_MAX) return sy_fail(err, SYMBI_ELIMIT, "the header of a token has more than %d members", HEADER_MAX);
        for (size_t i = 0; i < more->u.o.n; i++) {
            symbi_str key = more->u.o.members[i].key;
            if (sy_str_eqz(key, "alg") || sy_str_eqz(key, "crit")) return sy_fail(err, SYMBI_EINVAL, "the header member \"%.*s\" is not the caller's to set", SY_FMT(key));
            m[n++] = more->u.o.members[i];
        }
    }
    *out = sy_val_object(m, n);
    return SYMBI_OK;
}

static symbi_status add_json(symbi_ctx *cx, sy_buf *b, const symbi_value *v, symbi_err *err)
{
    symbi_text t;
    symbi_status st = symbi_json_write(cx, v, 0, &t, err);
    if (st) return st;
    sy_base64_add(b, t.p, t.n, SY_BASE64_URL | SY_BASE64_NOPAD);
    symbi_text_free(&t);
    return SYMBI_OK;
}

static symbi_status sign(symbi_ctx *cx, symbi_jwt_alg alg, const symbi_jwt_key *key, symbi_str data, uint8_t sig[SIG_MAX], size_t *n, symbi_err *err)
{
    switch (alg) {
    case SYMBI_JWT_HS256:
    case SYMBI_JWT_HS384:
    case SYMBI_JWT_HS512: return sy_jwt_mac(cx, alg, key->secret, data, sig, n, err);
    case SYMBI_JWT_ES256: return symbi_es256_sign(cx, key->key, data, SYMBI_ES256_RAW, sig, n, err);
    case SYMBI_JWT_ES256_DER: return symbi_es256_sign(cx, key->key, data, SYMBI_ES256_DER, sig, n, err);
    case SYMBI_JWT_EDDSA:
        *n = SYMBI_ED25519_SIG_BYTES;
        return symbi_ed25519_sign(cx, key->key, data, sig, err);
    default: return sy_fail(err, SYMBI_EUNSUPPORTED, "tokens are not issued with %s", symbi_jwt_alg_name(alg));
    }
}

symbi_status symbi_jwt_issue(symbi_ctx *cx, symbi_jwt_alg alg, const symbi_jwt_key *key, const symbi_value *header, const symbi_value *claims, symbi_text *out, symbi_err *err)
{
    symbi_member m[HEADER_MAX + 1];
    symbi_value head;
    uint8_t sig[SIG_MAX];
    size_t n = 0;
    sy_buf b;
    symbi_status st;
    memset(out, 0, sizeof *out);
    if ((unsigned)alg > SYMBI_JWT_EDDSA || alg == SYMBI_JWT_NONE || alg == SYMBI_JWT_RS256) return sy_fail(err, SYMBI_EUNSUPPORTED, "tokens are not issued with %s", symbi_jwt_alg_name(alg));
    if (!claims || claims->kind != SYMBI_OBJECT) return sy_fail(err, SYMBI_EINVAL, "the claims of a token are an object");
    st = sy_jwt_key_fits(alg, key, true, err);
    if (!st) st = make_header(alg, header, m, &head, err);
    if (st) return st;
    sy_buf_init(&b, cx->alloc, SYMBI_JWT_MAX_BYTES);
    st = add_json(cx, &b, &head, err);
    sy_buf_addc(&b, '.');
    if (!st) st = add_json(cx, &b, claims, err);
    if (!st && !sy_buf_status(&b)) st = sign(cx, alg, key, sy_buf_str(&b), sig, &n, err);
    if (st) {
        sy_buf_free(&b);
        return st;
    }
    sy_buf_addc(&b, '.');
    sy_base64_add(&b, sig, n, SY_BASE64_URL | SY_BASE64_NOPAD);
    return sy_buf_take(&b, out, "the token", err);
}
