/* agentpin/token.c: step 1 and step 5: a credential taken apart, with typed claims (what is missing or of another type is
 * refused), and its signature. The header selects nothing: alg and typ are compared with constants. */
#include "agentpin/int.h"

static symbi_status refuse(sy_ap_token *t, symbi_agentpin_reason r, symbi_err *err, const char *fmt, ...) SYMBI_PRINTF(4, 5);
static symbi_status refuse(sy_ap_token *t, symbi_agentpin_reason r, symbi_err *err, const char *fmt, ...)
{
    va_list ap;
    t->reason = r;
    va_start(ap, fmt);
    (void)sy_vfail(err, SYMBI_EVERIFY, 0, 0, fmt, ap);
    va_end(ap);
    return SYMBI_EVERIFY;
}

static symbi_agentpin_reason reason_of(symbi_jwt_reason r)
{
    switch (r) {
    case SYMBI_JWT_R_EMPTY: return SYMBI_AGENTPIN_R_TOKEN_EMPTY;
    case SYMBI_JWT_R_TOO_LONG: return SYMBI_AGENTPIN_R_TOKEN_TOO_LONG;
    case SYMBI_JWT_R_PARTS: return SYMBI_AGENTPIN_R_TOKEN_PARTS;
    case SYMBI_JWT_R_BASE64: return SYMBI_AGENTPIN_R_TOKEN_ENCODING;
    case SYMBI_JWT_R_CLAIMS_JSON: return SYMBI_AGENTPIN_R_TOKEN_CLAIMS;
    case SYMBI_JWT_R_DUPLICATE: return SYMBI_AGENTPIN_R_TOKEN_DUPLICATE;
    case SYMBI_JWT_R_CRIT: return SYMBI_AGENTPIN_R_TOKEN_CRIT;
    default: return SYMBI_AGENTPIN_R_TOKEN_HEADER;
    }
}

/* Upstream looks at the third part only when it verifies: a token whose signature is no base64 has a bad signature, not a bad
 * form. It is parsed again with a stand-in, for its claims alone. */
static symbi_status without_signature(symbi_ctx *cx, symbi_str token, sy_ap_token *t, symbi_jwt_reason *why, symbi_err *err)
{
    symbi_jwt_reason again = SYMBI_JWT_R_OK;
    size_t n = token.n;
    symbi_status st;
    symbi_err e2;
    char *copy;
    while (n && token.p[n - 1] != '.') n--;
    if (!n) return SYMBI_EVERIFY;
    copy = sy_alloc(&cx->alloc, n + 2);
    if (!copy) return sy_fail_nomem(err);
    memcpy(copy, token.p, n);
    copy[n] = copy[n + 1] = 'A';
    symbi_err_clear(&e2);
    st = symbi_jwt_parse(cx, (symbi_str){ copy, n + 2 }, &t->jwt, &again, &e2);
    sy_free(&cx->alloc, copy, n + 2);
    if (!st) {
        t->bad_signature = true;
    } else if (st == SYMBI_ENOMEM) {
        if (err) *err = e2;
    } else if (again != SYMBI_JWT_R_BASE64) { /* what else is wrong tells more */
        *why = again;
        if (err) *err = e2;
    }
    return st;
}

static symbi_status claim_text(sy_ap_token *t, const char *name, symbi_str *out, symbi_err *err)
{
    if (sy_ap_str(t->claims, name, out)) return SYMBI_OK;
    return refuse(t, SYMBI_AGENTPIN_R_CLAIM, err, "claim '%s' %s", name, symbi_value_getz(t->claims, name) ? "is not a string" : "is missing");
}

static symbi_status claim_int(sy_ap_token *t, const char *name, int64_t *out, symbi_err *err)
{
    if (sy_ap_int(t->claims, name, out)) return SYMBI_OK;
    return refuse(t, SYMBI_AGENTPIN_R_CLAIM, err, "claim '%s' %s", name, symbi_value_getz(t->claims, name) ? "is not an integer" : "is missing");
}

/* An optional member: NULL when absent or null, as Rust's Option reads it. */
static const symbi_value *optional(const symbi_value *claims, const char *name)
{
    const symbi_value *v = symbi_value_getz(claims, name);
    return sy_ap_is_null(v) ? NULL : v;
}

/* Two attacks that are as old as JWT have names of their own. */
static symbi_agentpin_reason which_alg(symbi_str s)
{
    if (s.n == 4 && (s.p[0] | 32) == 'n' && (s.p[1] | 32) == 'o' && (s.p[2] | 32) == 'n' && (s.p[3] | 32) == 'e') return SYMBI_AGENTPIN_R_TOKEN_ALG_NONE;
    return s.n > 2 && (s.p[0] | 32) == 'h' && (s.p[1] | 32) == 's' ? SYMBI_AGENTPIN_R_TOKEN_ALG_HMAC : SYMBI_AGENTPIN_R_TOKEN_ALG;
}

static symbi_status read_header(sy_ap_token *t, symbi_err *err)
{
    const symbi_value *h = symbi_jwt_header(t->jwt), *alg = symbi_value_getz(h, "alg"), *typ = symbi_value_getz(h, "typ");
    char buf[24];
    if (!alg || alg->kind != SYMBI_STRING || !sy_str_eqz(alg->u.s, SY_AP_ALG)) {
        symbi_str s = sy_ap_show(alg, buf);
        return refuse(t, which_alg(s), err, "Algorithm '%.*s' rejected, must be '" SY_AP_ALG "'", SY_FMT(s));
    }
    if (!typ || typ->kind != SYMBI_STRING || !sy_str_eqz(typ->u.s, SY_AP_TYP)) {
        symbi_str s = sy_ap_show(typ, buf);
        return refuse(t, SYMBI_AGENTPIN_R_TOKEN_TYP, err, "Token type '%.*s' rejected, must be '" SY_AP_TYP "'", SY_FMT(s));
    }
    if (symbi_value_getz(h, "crit")) return refuse(t, SYMBI_AGENTPIN_R_TOKEN_CRIT, err, "the header has critical extensions, which are not supported");
    if (!sy_ap_str(h, "kid", &t->kid)) return refuse(t, SYMBI_AGENTPIN_R_TOKEN_KID, err, "header member 'kid' is missing or not a string");
    if (t->kid.n > 128) return refuse(t, SYMBI_AGENTPIN_R_TOKEN_KID, err, "header member 'kid' has more than 128 bytes");
    return SYMBI_OK;
}

static symbi_status read_claims(sy_ap_token *t, unsigned flags, symbi_err *err)
{
    const symbi_value *c = t->claims, *v;
    symbi_str version;
    symbi_status st;
    if ((st = claim_text(t, "iss", &t->iss, err)) || (st = claim_text(t, "sub", &t->sub, err))) return st;
    if ((st = claim_int(t, "iat", &t->iat, err)) || (st = claim_int(t, "exp", &t->exp, err))) return st;
    if ((st = claim_text(t, "jti", &t->jti, err)) || (st = claim_text(t, "agentpin_version", &version, err))) return st;
    if (!sy_str_eqz(version, SY_AP_VERSION) && !(flags & SYMBI_AGENTPIN_NO_VERSION)) {
        return refuse(t, SYMBI_AGENTPIN_R_VERSION, err, "agentpin_version '%.*s' is not supported, must be '" SY_AP_VERSION "'", SY_FMT(version));
    }
    if (optional(c, "nbf")) {
        if ((st = claim_int(t, "nbf", &t->nbf, err))) return st;
        t->has_nbf = true;
    }
    if (optional(c, "aud")) {
        if ((st = claim_text(t, "aud", &t->aud, err))) return st;
        t->has_aud = true;
    }
    v = symbi_value_getz(c, "capabilities");
    if (!sy_ap_strings(v)) return refuse(t, SYMBI_AGENTPIN_R_CLAIM, err, "claim 'capabilities' %s", v ? "is not a list of strings" : "is missing");
    if (v->u.a.n > SYMBI_AGENTPIN_MAX_CAPABILITIES) {
        return refuse(t, SYMBI_AGENTPIN_R_CLAIM, err, "claim 'capabilities' has more than %d entries", SYMBI_AGENTPIN_MAX_CAPABILITIES);
    }
    t->capabilities = v;
    v = optional(c, "constraints");
    if (v && v->kind != SYMBI_OBJECT) return refuse(t, SYMBI_AGENTPIN_R_CLAIM, err, "claim 'constraints' is not an object");
    t->constraints = v;
    v = optional(c, "delegation_chain");
    if (v && v->kind != SYMBI_ARRAY) return refuse(t, SYMBI_AGENTPIN_R_CLAIM, err, "claim 'delegation_chain' is not a list");
    if (v && v->u.a.n > SYMBI_AGENTPIN_MAX_CHAIN) {
        return refuse(t, SYMBI_AGENTPIN_R_CHAIN_DEPTH, err, "claim 'delegation_chain' has more than %d entries", SYMBI_AGENTPIN_MAX_CHAIN);
    }
    for (size_t i = 0; v && i < v->u.a.n; i++) {
        static const char *const members[] = { "domain", "role", "agent_id", "kid", "attestation" };
        symbi_str text[5];
        for (size_t k = 0; k < 5; k++) {
            if (!sy_ap_str(&v->u.a.items[i], members[k], &text[k])) {
                return refuse(t, SYMBI_AGENTPIN_R_CHAIN_SHAPE, err, "entry %zu of 'delegation_chain' has no text '%s'", i + 1, members[k]);
            }
        }
        if (!sy_str_eqz(text[1], "maker") && !sy_str_eqz(text[1], "deployer")) {
            return refuse(t, SYMBI_AGENTPIN_R_CHAIN_SHAPE, err, "entry %zu of 'delegation_chain' has the role '%.*s'", i + 1, SY_FMT(text[1]));
        }
    }
    t->chain = v && v->u.a.n ? v : NULL;
    return SYMBI_OK;
}

symbi_status sy_ap_token_parse(symbi_ctx *cx, symbi_str token, unsigned flags, sy_ap_token *t, symbi_err *err)
{
    symbi_jwt_reason why = SYMBI_JWT_R_OK;
    symbi_status st;
    memset(t, 0, sizeof *t);
    st = symbi_jwt_parse(cx, token, &t->jwt, &why, err);
    if (st && st != SYMBI_ENOMEM && why == SYMBI_JWT_R_BASE64) st = without_signature(cx, token, t, &why, err);
    if (st == SYMBI_ENOMEM) return st;
    if (st) {
        if (why == SYMBI_JWT_R_EMPTY || why == SYMBI_JWT_R_PARTS) return refuse(t, reason_of(why), err, "JWT must have 3 parts");
        t->reason = reason_of(why);
        if (err) err->code = SYMBI_EVERIFY;
        return SYMBI_EVERIFY;
    }
    if (!t->bad_signature) t->signed_part = symbi_jwt_signed_part(t->jwt);
    if ((st = read_header(t, err))) return st;
    t->claims = symbi_jwt_claims(t->jwt);
    return read_claims(t, flags, err);
}

void sy_ap_token_free(sy_ap_token *t)
{
    symbi_jwt_free(t->jwt);
    t->jwt = NULL;
    t->claims = NULL;
}

symbi_status sy_ap_token_signature(symbi_ctx *cx, const sy_ap_token *t, const symbi_key *key, symbi_err *err)
{
    symbi_jwt_key k = { .key = key };
    symbi_jwt_reason why = SYMBI_JWT_R_OK;
    if (t->bad_signature) return sy_fail(err, SYMBI_EVERIFY, "the signature is not base64url without padding");
    return symbi_jwt_check_signature(cx, t->jwt, SYMBI_JWT_ES256_DER, &k, &why, err);
}

/* {header, payload, signature} */
static symbi_status describe(symbi_ctx *cx, symbi_str jwt, const sy_ap_token *t, symbi_doc **out, symbi_err *err)
{
    symbi_status st;
    symbi_doc *d;
    sy_obj o;
    size_t n = jwt.n;
    if ((st = sy_ap_doc_new(cx, &d, err))) return st;
    while (n && jwt.p[n - 1] != '.') n--;
    o = sy_obj_new(&d->arena);
    sy_obj_put(&o, "header", sy_ap_copy(cx, d, symbi_jwt_header(t->jwt), &st, err));
    sy_obj_put(&o, "payload", sy_ap_copy(cx, d, t->claims, &st, err));
    sy_obj_put(&o, "signature", sy_ap_dup(d, (symbi_str){ jwt.p + n, jwt.n - n }));
    return sy_ap_doc_done(d, st, sy_obj_value(&o), out, err);
}

symbi_status symbi_agentpin_decode(symbi_ctx *cx, symbi_str jwt, symbi_doc **out, symbi_err *err)
{
    sy_ap_token t;
    symbi_status st;
    *out = NULL;
    st = sy_ap_token_parse(cx, jwt, SYMBI_AGENTPIN_NO_VERSION, &t, err);
    if (!st) st = describe(cx, jwt, &t, out, err);
    sy_ap_token_free(&t);
    return st;
}

symbi_status symbi_agentpin_verify_jwt(symbi_ctx *cx, symbi_str jwt, const symbi_key *key, symbi_doc **out, symbi_err *err)
{
    sy_ap_token t;
    symbi_status st;
    symbi_err why;
    *out = NULL;
    st = sy_ap_token_parse(cx, jwt, SYMBI_AGENTPIN_NO_VERSION, &t, err);
    if (!st && (st = sy_ap_token_signature(cx, &t, key, &why))) {
        if (st == SYMBI_ENOMEM || st == SYMBI_EINVAL || st == SYMBI_ECRYPTO) {
            if (err) *err = why;
        } else {
            st = sy_fail(err, SYMBI_EVERIFY, "JWT signature verification failed: %s", why.msg);
        }
    }
    if (!st) st = describe(cx, jwt, &t, out, err);
    sy_ap_token_free(&t);
    return st;
}

symbi_status symbi_agentpin_claimed_issuer(symbi_ctx *cx, symbi_str jwt, symbi_text *out, symbi_err *err)
{
    sy_ap_token t;
    symbi_status st;
    memset(out, 0, sizeof *out);
    st = sy_ap_token_parse(cx, jwt, SYMBI_AGENTPIN_NO_VERSION, &t, err);
    if (!st && !symbi_agentpin_domain_ok(t.iss)) st = sy_fail(err, SYMBI_ESCHEMA, "the issuer '%.*s' is not a domain name", SY_FMT(t.iss));
    if (!st) {
        sy_buf b;
        sy_buf_init(&b, cx->alloc, SYMBI_AGENTPIN_MAX_DOMAIN);
        sy_buf_adds(&b, t.iss);
        st = sy_buf_take(&b, out, "the issuer", err);
    }
    sy_ap_token_free(&t);
    return st;
}
