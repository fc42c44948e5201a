/* Fuzz target: tokens. The first byte says what the rest is: 't' a whole token; 'c' options, a line, a header, a line, claims, which
 * are signed here so that the claims are reached. Refusals have a reason and a message; what is accepted is checked again by
 * plainer means: one text for one token, algorithm and signature as expected, every rule kept. */
#include "codec/base64.h"
#include "symbi/jwt.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}
static const char secret[] = "0123456789abcdef0123456789abcdef";
enum { NOW = 1700000000, LEEWAY = 60 };

static bool is(const symbi_value *v, const char *z) { return v && v->kind == SYMBI_STRING && v->u.s.n == strlen(z) && !memcmp(v->u.s.p, z, v->u.s.n); }
static bool is_time(const symbi_value *v) { return !v || v->kind == SYMBI_INT; }

static void kept(const symbi_jwt *j, const symbi_jwt_rules *r)
{
    const symbi_value *c = symbi_jwt_claims(j), *exp = symbi_value_getz(c, "exp"), *nbf = symbi_value_getz(c, "nbf"), *iat = symbi_value_getz(c, "iat"), *aud = symbi_value_getz(c, "aud");
    must(is(symbi_value_getz(symbi_jwt_header(j), "alg"), "HS256"));
    must(!symbi_value_getz(symbi_jwt_header(j), "crit"));
    must(exp || r->exp_optional);
    if (!r->float_times) {
        must(is_time(exp) && is_time(nbf) && is_time(iat));
        if (exp) must(exp->u.i > NOW - LEEWAY);
        if (nbf) must(nbf->u.i <= NOW + LEEWAY);
        if (iat && r->check_iat) must(iat->u.i <= NOW + LEEWAY);
        if (r->max_lifetime) must(iat && exp && exp->u.i > NOW - LEEWAY && (iat->u.i > INT64_MAX - r->max_lifetime || exp->u.i <= iat->u.i + r->max_lifetime));
    } else {
        if (exp && exp->kind == SYMBI_DOUBLE) must(exp->u.d > NOW - LEEWAY);
        if (nbf && nbf->kind == SYMBI_DOUBLE) must(nbf->u.d <= NOW + LEEWAY);
    }
    if (r->issuer.n) must(is(symbi_value_getz(c, "iss"), "issuer"));
    if (r->typ.n) must(is(symbi_value_getz(symbi_jwt_header(j), "typ"), "JWT"));
    if (r->audience.n) {
        bool found = is(aud, "api");
        must(aud != NULL);
        for (size_t i = 0; aud->kind == SYMBI_ARRAY && i < aud->u.a.n; i++) found |= is(&aud->u.a.items[i], "api");
        must(found);
    } else if (r->refuse_audience) must(!aud);
}

static void one(symbi_ctx *cx, symbi_str token, unsigned flags)
{
    static const symbi_str required = SYMBI_STR_INIT("sub");
    symbi_jwt_rules r = { .size = sizeof r, .now = NOW, .leeway = LEEWAY };
    symbi_jwt_key k = { .secret = { secret, 32 } };
    symbi_jwt *j = NULL, *v = NULL;
    symbi_jwt_reason why, why2;
    symbi_err err;
    symbi_status st, st2;
    r.exp_optional = flags & 1;
    r.float_times = flags & 2;
    r.check_iat = flags & 4;
    r.max_lifetime = flags & 8 ? 3600 : 0;
    if (flags & 16) r.issuer = symbi_str_z("issuer");
    if (flags & 32) r.audience = symbi_str_z("api");
    r.refuse_audience = flags & 64;
    if (flags & 128) r.typ = symbi_str_z("JWT"), r.required = &required, r.required_n = 1;
    symbi_err_clear(&err);
    st = symbi_jwt_parse(cx, token, &j, &why, &err);
    must((st == SYMBI_OK) == (j != NULL) && (st == SYMBI_OK) == (why == SYMBI_JWT_R_OK) && (st == SYMBI_OK || err.msg[0]));
    st2 = symbi_jwt_verify(cx, token, SYMBI_JWT_HS256, &k, &r, &v, &why2, &err);
    must((st2 == SYMBI_OK) == (v != NULL) && (st2 == SYMBI_OK) == (why2 == SYMBI_JWT_R_OK));
    if (st) must(st2 == st && why2 == why);
    if (v) {
        uint8_t mac[32];
        symbi_str sig = symbi_jwt_signature(v), part = symbi_jwt_signed_part(v);
        char text[64];
        must(j != NULL);
        must(symbi_hmac_sha256(cx, symbi_str_z(secret), part, mac, NULL) == SYMBI_OK && sig.n == 32 && !memcmp(sig.p, mac, 32));
        must(sy_base64_encode(mac, 32, SY_BASE64_URL | SY_BASE64_NOPAD, text) == 43 && token.n == part.n + 44 && !memcmp(token.p + part.n + 1, text, 43));
        kept(v, &r);
    }
    if (j) { /* no key for these: refused, without a crash */
        symbi_jwt_key none = { .key = NULL };
        for (int alg = SYMBI_JWT_NONE; alg <= SYMBI_JWT_EDDSA + 1; alg++) must(symbi_jwt_check_signature(cx, j, (symbi_jwt_alg)alg, &none, &why, &err) != SYMBI_OK && why != SYMBI_JWT_R_OK);
    }
    symbi_jwt_free(j);
    symbi_jwt_free(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = (const char *)data;
    symbi_ctx *cx;
    if (size < 2 || symbi_ctx_new(NULL, &cx, NULL)) return 0;
    if (p[0] == 't') {
        symbi_str t = { p + 1, size - 1 };
        one(cx, t, 0);
    } else if (p[0] == 'c') {
        const char *end = p + size, *h = memchr(p, '\n', size), *c = h ? memchr(h + 1, '\n', (size_t)(end - h - 1)) : NULL;
        if (c) {
            size_t hn = (size_t)(c - h - 1), cn = (size_t)(end - c - 1), n;
            char *t = malloc(sy_base64_encoded_len(hn, 0) + sy_base64_encoded_len(cn, 0) + 64);
            uint8_t mac[32];
            symbi_str s = { t, 0 };
            must(t != NULL);
            n = sy_base64_encode(h + 1, hn, SY_BASE64_URL | SY_BASE64_NOPAD, t);
            t[n++] = '.';
            n += sy_base64_encode(c + 1, cn, SY_BASE64_URL | SY_BASE64_NOPAD, t + n);
            s.n = n;
            must(symbi_hmac_sha256(cx, symbi_str_z(secret), s, mac, NULL) == SYMBI_OK);
            t[n++] = '.';
            s.n = n + sy_base64_encode(mac, 32, SY_BASE64_URL | SY_BASE64_NOPAD, t + n);
            one(cx, s, (unsigned char)p[1]);
            free(t);
        }
    }
    symbi_ctx_free(cx);
    return 0;
}
