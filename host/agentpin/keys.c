/* agentpin/keys.c: keys as AgentPin writes them: ids, JWKs, thumbprints, detached signatures. */
#include "agentpin/int.h"
#include "codec/base64.h"

static void hex(const uint8_t *p, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) out[2 * i] = digits[p[i] >> 4], out[2 * i + 1] = digits[p[i] & 15];
    out[2 * n] = 0;
}

symbi_status sy_ap_hash_hex(symbi_ctx *cx, symbi_str data, char out[65], symbi_err *err)
{
    uint8_t h[32];
    symbi_status st = symbi_sha256(cx, data, h, err);
    if (!st) hex(h, sizeof h, out);
    return st;
}

static symbi_status want_p256(const symbi_key *k, symbi_err *err)
{
    if (k && symbi_key_kind_of(k) == SYMBI_KEY_P256) return SYMBI_OK;
    return sy_fail(err, SYMBI_EINVAL, "an EC P-256 key is needed%s%s", k ? ", this one is " : "", k ? symbi_key_kind_name(symbi_key_kind_of(k)) : "");
}

symbi_status symbi_agentpin_key_id(const symbi_key *k, char out[65], symbi_err *err)
{
    uint8_t h[32];
    symbi_status st = want_p256(k, err);
    memset(out, 0, 65);
    if (st) return st;
    symbi_key_spki_sha256(k, h);
    hex(h, sizeof h, out);
    return SYMBI_OK;
}

symbi_status symbi_agentpin_jwk(symbi_ctx *cx, const symbi_key *k, symbi_str kid, symbi_doc **out, symbi_err *err)
{
    uint8_t xy[64];
    char text[2][44];
    symbi_status st = want_p256(k, err);
    symbi_doc *d;
    sy_obj o;
    sy_arr ops;
    *out = NULL;
    if (st) return st;
    if (!kid.n || kid.n > 128) return sy_fail(err, SYMBI_EINVAL, "a key id has 1 to 128 bytes, not %zu", kid.n);
    if ((st = sy_ap_doc_new(cx, &d, err))) return st;
    symbi_p256_point(k, xy);
    o = sy_obj_new(&d->arena);
    ops = sy_arr_new(&d->arena);
    sy_obj_put(&o, "kid", sy_ap_dup(d, kid));
    sy_obj_str(&o, "kty", SY_LIT("EC"));
    sy_obj_str(&o, "crv", SY_LIT("P-256"));
    for (int i = 0; i < 2; i++) {
        size_t n = sy_base64_encode(xy + 32 * i, 32, SY_BASE64_URL | SY_BASE64_NOPAD, text[i]);
        sy_obj_put(&o, i ? "y" : "x", sy_ap_dup(d, (symbi_str){ text[i], n }));
    }
    sy_obj_str(&o, "use", SY_LIT("sig"));
    sy_arr_add(&ops, sy_val_str(SY_LIT("verify")));
    sy_obj_put(&o, "key_ops", sy_arr_value(&ops));
    return sy_ap_doc_done(d, SYMBI_OK, sy_obj_value(&o), out, err);
}

symbi_status symbi_agentpin_jwk_key(symbi_ctx *cx, const symbi_value *jwk, symbi_key **out, symbi_err *err)
{
    static const char *const names[] = { "x", "y" };
    symbi_str kty, crv, c;
    symbi_status st;
    *out = NULL;
    if (!sy_ap_str(jwk, "kty", &kty) || !sy_ap_str(jwk, "crv", &crv) || !sy_str_eqz(kty, "EC") || !sy_str_eqz(crv, "P-256")) {
        return sy_fail(err, SYMBI_ESCHEMA, "Invalid JWK: must be EC P-256");
    }
    st = symbi_key_cached_jwk(cx, jwk, out, err);
    if (!st || st == SYMBI_ENOMEM || st == SYMBI_ECRYPTO) return st;
    for (int i = 0; i < 2; i++) { /* the protocol has words for this one */
        uint8_t buf[36];
        size_t n;
        if (!sy_ap_str(jwk, names[i], &c) || c.n != 43 || sy_base64_decode(c, SY_BASE64_URL | SY_BASE64_NOPAD, buf, &n, NULL) || n != 32) {
            return sy_fail(err, SYMBI_ESCHEMA, "Invalid JWK: x and y must be 32 bytes each");
        }
    }
    return st;
}

void sy_ap_key_hash(const symbi_key *k, char out[65])
{
    uint8_t h[32];
    symbi_key_thumbprint(k, h);
    hex(h, sizeof h, out);
}

symbi_status symbi_agentpin_thumbprint(symbi_ctx *cx, const symbi_value *jwk, char out[65], symbi_err *err)
{
    static const char *const names[] = { "crv", "kty", "x", "y" };
    char fixed[512];
    size_t n = 0;
    sy_buf b;
    symbi_status st;
    symbi_str part[4];
    size_t total = 0;
    memset(out, 0, 65);
    for (int i = 0; i < 4; i++) {
        if (!sy_ap_str(jwk, names[i], &part[i])) return sy_fail(err, SYMBI_ESCHEMA, "the JWK has no text %s", names[i]);
        total += part[i].n;
    }
    if (total <= sizeof fixed - 64) { /* the usual case without memory */
        for (int i = 0; i < 4; i++) {
            size_t k = strlen(names[i]);
            fixed[n++] = i ? ',' : '{';
            fixed[n++] = '"';
            memcpy(fixed + n, names[i], k);
            n += k;
            memcpy(fixed + n, "\":\"", 3);
            n += 3;
            if (part[i].n) memcpy(fixed + n, part[i].p, part[i].n);
            n += part[i].n;
            fixed[n++] = '"';
        }
        fixed[n++] = '}';
        return sy_ap_hash_hex(cx, (symbi_str){ fixed, n }, out, err);
    }
    sy_buf_init(&b, cx->alloc, cx->limits.output_bytes);
    for (int i = 0; i < 4; i++) {
        sy_buf_addz(&b, i ? ",\"" : "{\"");
        sy_buf_addz(&b, names[i]);
        sy_buf_addz(&b, "\":\"");
        sy_buf_adds(&b, part[i]);
        sy_buf_addc(&b, '"');
    }
    sy_buf_addc(&b, '}');
    st = sy_buf_status(&b);
    if (st) sy_fail(err, st, "the JWK cannot be hashed: %s", symbi_status_text(st));
    else st = sy_ap_hash_hex(cx, sy_buf_str(&b), out, err);
    sy_buf_free(&b);
    return st;
}

symbi_status symbi_agentpin_sign(symbi_ctx *cx, const symbi_key *k, symbi_str data, symbi_text *out, symbi_err *err)
{
    uint8_t sig[SYMBI_ES256_MAX_BYTES];
    size_t n;
    sy_buf b;
    symbi_status st = want_p256(k, err);
    memset(out, 0, sizeof *out);
    if (!st) st = symbi_es256_sign(cx, k, data, SYMBI_ES256_DER, sig, &n, err);
    if (st) return st;
    sy_buf_init(&b, cx->alloc, 256);
    sy_base64_add(&b, sig, n, SY_BASE64);
    return sy_buf_take(&b, out, "the signature", err);
}

bool sy_ap_signature_bytes(symbi_str text, bool either, uint8_t *out, size_t *n)
{
    *n = 0;
    if (sy_base64_decoded_max(text.n) > SY_AP_SIG_MAX) return false;
    if (!sy_base64_decode(text, SY_BASE64, out, n, NULL)) return true;
    return either && !sy_base64_decode(text, SY_BASE64_URL | SY_BASE64_ANYPAD, out, n, NULL);
}

symbi_status symbi_agentpin_check_signature(symbi_ctx *cx, const symbi_key *k, symbi_str data, symbi_str signature, symbi_err *err)
{
    uint8_t sig[SY_AP_SIG_MAX];
    size_t n;
    symbi_status st = want_p256(k, err);
    if (st) return st;
    if (!sy_ap_signature_bytes(signature, false, sig, &n)) return sy_fail(err, SYMBI_EVERIFY, "the signature is not standard base64 of a DER signature");
    return symbi_es256_verify(cx, k, data, SYMBI_ES256_DER, (symbi_str){ (const char *)sig, n }, err);
}

bool sy_ap_key_use_ok(const symbi_value *jwk)
{
    const symbi_value *use = symbi_value_getz(jwk, "use"), *ops = symbi_value_getz(jwk, "key_ops");
    if (!sy_ap_is_null(use) && (use->kind != SYMBI_STRING || !sy_str_eqz(use->u.s, "sig"))) return false;
    if (sy_ap_is_null(ops)) return true;
    for (size_t i = 0; ops->kind == SYMBI_ARRAY && i < ops->u.a.n; i++) {
        if (ops->u.a.items[i].kind == SYMBI_STRING && sy_str_eqz(ops->u.a.items[i].u.s, "verify")) return true;
    }
    return false;
}

/* A day alone, or a time without a zone, as upstream's languages read them: in UTC. */
static bool loose_time(symbi_str s, int64_t *out)
{
    const symbi_str rest = s.n == 10 ? SY_LIT("T00:00:00Z") : SY_LIT("Z");
    char text[40];
    if (s.n < 10 || s.n + rest.n > sizeof text) return false;
    memcpy(text, s.p, s.n);
    memcpy(text + s.n, rest.p, rest.n);
    return symbi_agentpin_parse_time((symbi_str){ text, s.n + rest.n }, out);
}

int sy_ap_key_expiry(const symbi_value *jwk, int64_t now, int64_t skew)
{
    const symbi_value *exp = symbi_value_getz(jwk, "exp");
    int64_t t;
    if (sy_ap_is_null(exp) || (exp->kind == SYMBI_STRING && !exp->u.s.n)) return 0;
    if (exp->kind == SYMBI_STRING && symbi_agentpin_parse_time(exp->u.s, &t)) return t < now - skew;
    /* That it is over is believed of a time that is not spelled as it should be; that it is not, is not. */
    return exp->kind == SYMBI_STRING && loose_time(exp->u.s, &t) && t < now - skew ? 1 : -1;
}
