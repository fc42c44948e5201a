/* agentpin/issue.c: a new credential. Order of the claims as Python's SDK writes them, so that both make the same bytes. */
#include "agentpin/int.h"

#include <stdio.h>

/* UUID version 4 from the ctx's random source. */
static symbi_status uuid4(symbi_ctx *cx, char out[37], symbi_err *err)
{
    uint8_t b[16];
    symbi_status st = symbi_ctx_random(cx, b, sizeof b, err);
    if (st) return st;
    b[6] = (uint8_t)((b[6] & 15) | 0x40);
    b[8] = (uint8_t)((b[8] & 63) | 0x80);
    (void)snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8],
                   b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
    return SYMBI_OK;
}

static bool empty(const symbi_value *v, symbi_kind kind)
{
    if (sy_ap_is_null(v)) return true;
    /* An empty Lua table is an object: both kinds count as nothing. */
    if (v->kind == SYMBI_OBJECT && !v->u.o.n) return true;
    return kind == SYMBI_ARRAY && v->kind == SYMBI_ARRAY && !v->u.a.n;
}

static symbi_status check(const symbi_agentpin_claims *c, symbi_err *err)
{
    if (!c->kid.n || c->kid.n > 128) return sy_fail(err, SYMBI_EINVAL, "kid must have 1 to 128 bytes, not %zu", c->kid.n);
    if (!c->issuer.n) return sy_fail(err, SYMBI_EINVAL, "issuer is missing: the domain that publishes the key");
    if (!c->agent_id.n) return sy_fail(err, SYMBI_EINVAL, "agent_id is missing");
    if (!sy_ap_strings(c->capabilities)) return sy_fail(err, SYMBI_ESCHEMA, "capabilities must be a list of strings");
    if (c->capabilities->u.a.n > SYMBI_AGENTPIN_MAX_CAPABILITIES) return sy_fail(err, SYMBI_ELIMIT, "more than %d capabilities", SYMBI_AGENTPIN_MAX_CAPABILITIES);
    if (!empty(c->constraints, SYMBI_OBJECT) && c->constraints->kind != SYMBI_OBJECT) return sy_fail(err, SYMBI_ESCHEMA, "constraints must be an object");
    if (!empty(c->delegation_chain, SYMBI_ARRAY) && c->delegation_chain->kind != SYMBI_ARRAY) return sy_fail(err, SYMBI_ESCHEMA, "delegation_chain must be a list");
    if (c->ttl_secs > 0 ? c->now > INT64_MAX - c->ttl_secs : c->now < INT64_MIN - c->ttl_secs) return sy_fail(err, SYMBI_EINVAL, "ttl_secs is out of range");
    return SYMBI_OK;
}

symbi_status symbi_agentpin_issue(symbi_ctx *cx, const symbi_key *key, const symbi_agentpin_claims *c, symbi_text *out, symbi_err *err)
{
    symbi_member m[11], h[2];
    symbi_value claims, header, none = { .kind = SYMBI_ARRAY }, caps;
    symbi_jwt_key k = { .key = key };
    symbi_agentpin_claims fixed;
    char jti[37];
    size_t n = 0;
    symbi_status st;
    memset(out, 0, sizeof *out);
    SY_AP_SIZED(c, "symbi_agentpin_claims");
    fixed = *c;
    if (!key || symbi_key_kind_of(key) != SYMBI_KEY_P256 || !symbi_key_is_private(key)) return sy_fail(err, SYMBI_EINVAL, "a private EC P-256 key is needed");
    caps = c->capabilities && !(c->capabilities->kind == SYMBI_OBJECT && !c->capabilities->u.o.n) ? *c->capabilities : none;
    fixed.capabilities = &caps;
    if ((st = check(&fixed, err))) return st;
    if (!c->jti.n && (st = uuid4(cx, jti, err))) return st;
#define PUT(name, value) m[n++] = (symbi_member){ SY_LIT(name), value }
    PUT("iss", sy_val_str(c->issuer));
    PUT("sub", sy_val_str(c->agent_id));
    PUT("iat", sy_val_int(c->now));
    PUT("exp", sy_val_int(c->now + c->ttl_secs));
    PUT("jti", sy_val_str(c->jti.n ? c->jti : (symbi_str){ jti, 36 }));
    PUT("agentpin_version", sy_val_str(SY_LIT(SY_AP_VERSION)));
    PUT("capabilities", caps);
    if (c->audience.n) PUT("aud", sy_val_str(c->audience));
    if (!empty(c->constraints, SYMBI_OBJECT)) PUT("constraints", *c->constraints);
    if (!empty(c->delegation_chain, SYMBI_ARRAY)) PUT("delegation_chain", *c->delegation_chain);
#undef PUT
    claims = sy_val_object(m, n);
    h[0] = (symbi_member){ SY_LIT("typ"), sy_val_str(SY_LIT(SY_AP_TYP)) };
    h[1] = (symbi_member){ SY_LIT("kid"), sy_val_str(c->kid) };
    header = sy_val_object(h, 2);
    return symbi_jwt_issue(cx, SYMBI_JWT_ES256_DER, &k, &header, &claims, out, err);
}
