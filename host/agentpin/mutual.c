/* agentpin/mutual.c: challenge and response. Upstream's response signs the nonce alone, so it can be relayed; with a binding the
 * signed text also holds what both sides know about each other. A nonce counts as used only after the signature verified, so
 * that junk cannot use one up. */
#include "agentpin/int.h"
#include "codec/base64.h"

#define CHALLENGE "agentpin-challenge"
#define RESPONSE "agentpin-response"

symbi_status symbi_agentpin_challenge(symbi_ctx *cx, symbi_str credential, int64_t now, symbi_doc **out, symbi_err *err)
{
    uint8_t raw[16];
    char text[24];
    symbi_status st;
    symbi_doc *d;
    sy_obj o;
    *out = NULL;
    if ((st = symbi_ctx_random(cx, raw, sizeof raw, err)) || (st = sy_ap_doc_new(cx, &d, err))) return st;
    o = sy_obj_new(&d->arena);
    sy_obj_str(&o, "type", SY_LIT(CHALLENGE));
    sy_obj_put(&o, "nonce", sy_ap_dup(d, (symbi_str){ text, sy_base64_encode(raw, sizeof raw, SY_BASE64_URL | SY_BASE64_NOPAD, text) }));
    sy_obj_put(&o, "timestamp", sy_ap_time(d, now));
    if (credential.n) sy_obj_put(&o, "verifier_credential", sy_ap_dup(d, credential));
    return sy_ap_doc_done(d, st, sy_obj_value(&o), out, err);
}

/* The nonce of a challenge of the right type. */
static bool challenge_nonce(const symbi_value *c, symbi_str *nonce)
{
    symbi_str type;
    return sy_ap_str(c, "type", &type) && sy_str_eqz(type, CHALLENGE) && sy_ap_str(c, "nonce", nonce) && nonce->n && nonce->n <= SYMBI_AGENTPIN_MAX_NONCE;
}

static symbi_status signed_text(symbi_ctx *cx, symbi_str nonce, symbi_str binding, sy_buf *b, symbi_err *err)
{
    symbi_status st;
    sy_buf_init(b, cx->alloc, cx->limits.arg_bytes);
    sy_buf_adds(b, nonce);
    if (binding.n) {
        sy_buf_addc(b, '|'); /* no nonce has one: it is base64url */
        sy_buf_adds(b, binding);
    }
    st = sy_buf_status(b);
    if (st) (void)sy_fail(err, st, "the text to sign is too long, or there is no memory");
    return st;
}

symbi_status symbi_agentpin_response(symbi_ctx *cx, const symbi_value *challenge, const symbi_key *key, symbi_str kid, symbi_str binding, symbi_doc **out, symbi_err *err)
{
    symbi_str nonce;
    symbi_text sig;
    symbi_status st;
    symbi_doc *d;
    sy_obj o;
    sy_buf b;
    *out = NULL;
    if (!challenge_nonce(challenge, &nonce)) return sy_fail(err, SYMBI_ESCHEMA, "not a challenge: it has no type '" CHALLENGE "' or no nonce of 1 to %d bytes", SYMBI_AGENTPIN_MAX_NONCE);
    if (!kid.n) return sy_fail(err, SYMBI_EINVAL, "kid is missing");
    st = signed_text(cx, nonce, binding, &b, err);
    if (!st) st = symbi_agentpin_sign(cx, key, sy_buf_str(&b), &sig, err);
    sy_buf_free(&b);
    if (st) return st;
    if ((st = sy_ap_doc_new(cx, &d, err))) {
        symbi_text_free(&sig);
        return st;
    }
    o = sy_obj_new(&d->arena);
    sy_obj_str(&o, "type", SY_LIT(RESPONSE));
    sy_obj_put(&o, "nonce", sy_ap_dup(d, nonce));
    sy_obj_put(&o, "signature", sy_ap_dup(d, symbi_text_str(&sig)));
    sy_obj_put(&o, "kid", sy_ap_dup(d, kid));
    symbi_text_free(&sig);
    return sy_ap_doc_done(d, st, sy_obj_value(&o), out, err);
}

symbi_status symbi_agentpin_response_verify(symbi_ctx *cx, const symbi_value *response, const symbi_value *challenge, const symbi_key *key, const symbi_agentpin_mutual *m, bool *ok, symbi_agentpin_code *code, symbi_err *err)
{
    int64_t ttl, now;
    symbi_str nonce, mine, stamp, text, type, kid;
    uint8_t sig[SY_AP_SIG_MAX];
    int64_t t, age;
    symbi_status st;
    size_t n;
    sy_buf b;
    *ok = false;
    if (code) *code = SYMBI_AGENTPIN_NONE;
    SY_AP_SIZED(m, "symbi_agentpin_mutual");
    now = sy_ap_seconds(m->now);
    ttl = m->ttl_secs > 0 ? sy_ap_seconds(m->ttl_secs) : SYMBI_AGENTPIN_NONCE_TTL;
    if (!key || symbi_key_kind_of(key) != SYMBI_KEY_P256) return sy_fail(err, SYMBI_EINVAL, "an EC P-256 key is needed");
    if (!challenge_nonce(challenge, &nonce)) return sy_ap_fail(err, SYMBI_EVERIFY, code, SYMBI_AGENTPIN_CHALLENGE_INVALID, "not a challenge: wrong type, or no nonce");
    if (!sy_ap_str(response, "type", &type) || !sy_str_eqz(type, RESPONSE)) return sy_ap_fail(err, SYMBI_EVERIFY, code, SYMBI_AGENTPIN_CHALLENGE_INVALID, "not a response: its type is not '" RESPONSE "'");
    if (!sy_ap_str(response, "nonce", &mine) || !symbi_ct_equal(mine, nonce)) return SYMBI_OK;
    if (!sy_ap_str(challenge, "timestamp", &stamp) || !symbi_agentpin_parse_time(stamp, &t)) {
        return sy_ap_fail(err, SYMBI_EVERIFY, code, SYMBI_AGENTPIN_CHALLENGE_INVALID, "the challenge has no readable timestamp");
    }
    age = now - t;
    if (age > ttl) return sy_ap_fail(err, SYMBI_EVERIFY, code, SYMBI_AGENTPIN_NONCE_EXPIRED, "Challenge nonce expired (%lld seconds old, max %lld)", (long long)age, (long long)ttl);
    if (age < -ttl) return sy_ap_fail(err, SYMBI_EVERIFY, code, SYMBI_AGENTPIN_CHALLENGE_INVALID, "the challenge is from the future (%lld seconds ahead)", (long long)-age);
    if (m->nonces && symbi_agentpin_nonces_seen(m->nonces, nonce, now)) {
        return sy_ap_fail(err, SYMBI_EVERIFY, code, SYMBI_AGENTPIN_NONCE_REPLAYED, "Nonce '%.*s' has already been used (replay attack)", SY_FMT(nonce));
    }
    if (m->kid.n && (!sy_ap_str(response, "kid", &kid) || !sy_str_eq(kid, m->kid))) return SYMBI_OK;
    if (!sy_ap_str(response, "signature", &text) || !sy_ap_signature_bytes(text, true, sig, &n)) return SYMBI_OK;
    st = signed_text(cx, nonce, m->binding, &b, err);
    if (!st) st = symbi_es256_verify(cx, key, sy_buf_str(&b), SYMBI_ES256_DER, (symbi_str){ (const char *)sig, n }, err);
    sy_buf_free(&b);
    if (st == SYMBI_EVERIFY) return SYMBI_OK;
    if (st) return st;
    if (m->nonces) { /* until the challenge cannot be accepted any more */
        st = symbi_agentpin_nonces_use(m->nonces, nonce, now, t + ttl + 1, err);
        if (st == SYMBI_EEXISTS && code) *code = SYMBI_AGENTPIN_NONCE_REPLAYED;
        if (st) return st;
    }
    *ok = true;
    return SYMBI_OK;
}
