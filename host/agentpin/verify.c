/* agentpin/verify.c: the twelve steps, in upstream's order and with its codes and words; what we check beyond them stands at the
 * step it belongs to and goes away with its flag. Nothing is written (pin, replay store) before everything passed. */
#include "agentpin/result.h"
#include "crypto/der.h"

#include <inttypes.h>

#define R(name) SYMBI_AGENTPIN_R_##name
#define C(name) SYMBI_AGENTPIN_##name
#define S(name) SYMBI_AGENTPIN_STEP_##name

void symbi_agentpin_options_init(symbi_agentpin_options *o)
{
    memset(o, 0, sizeof *o);
    o->size = sizeof *o;
    o->clock_skew_secs = 60;
    o->max_ttl_secs = 86400;
}

static int64_t clamp(int64_t v, int64_t lo, int64_t hi) { return v < lo ? lo : v > hi ? hi : v; }
int64_t sy_ap_now(const symbi_agentpin_options *o) { return sy_ap_seconds(o->now); }
int64_t sy_ap_skew(const symbi_agentpin_options *o) { return clamp(o->clock_skew_secs, 0, (int64_t)1 << 40); }

const symbi_value *sy_ap_by_entity(const symbi_value *list, symbi_str domain)
{
    symbi_str s;
    for (size_t i = 0; list && list->kind == SYMBI_ARRAY && i < list->u.a.n; i++) {
        if (sy_ap_str(&list->u.a.items[i], "entity", &s) && sy_str_eq(s, domain)) return &list->u.a.items[i];
    }
    return NULL;
}

/* exp - iat without overflow; 0 when it is not positive. */
static uint64_t lifetime(const sy_ap_token *t) { return t->exp > t->iat ? (uint64_t)t->exp - (uint64_t)t->iat : 0; }

/* Trouble of our own, as opposed to a no. */
static bool broken(symbi_status st) { return st == SYMBI_ENOMEM || st == SYMBI_ECRYPTO || st == SYMBI_EINVAL; }

symbi_status sy_ap_verify_token(symbi_ctx *cx, symbi_str jwt, const symbi_agentpin_options *o, sy_ap_token *t, symbi_agentpin_result *r, bool *go, symbi_err *err)
{
    symbi_err why;
    symbi_status st;
    symbi_err_clear(&why);
    *go = false;
    st = sy_ap_token_parse(cx, jwt, o->flags, t, &why);
    if (st && st != SYMBI_EVERIFY) {
        if (err) *err = why;
        return st;
    }
    sy_ap_result_claimed(r, t->claims, t->kid);
    if (st) return sy_ap_result_refuse(r, S(TOKEN), C(ALGORITHM_REJECTED), t->reason, "JWT parse failed: %s", why.msg);
    r->step[S(TOKEN)] = SYMBI_AGENTPIN_PASSED;
    *go = true;
    return SYMBI_OK;
}

/* Each step below returns true when it passed; else r says why. */

bool sy_ap_verify_time(const sy_ap_token *t, const symbi_agentpin_options *o, symbi_agentpin_result *r)
{
    const int64_t now = sy_ap_now(o), skew = sy_ap_skew(o);
    if (t->iat > now + skew) return sy_ap_result_refuse(r, S(TIME), C(CREDENTIAL_EXPIRED), R(ISSUED_IN_FUTURE), "Credential issued in the future");
    if (t->exp <= now - skew) return sy_ap_result_refuse(r, S(TIME), C(CREDENTIAL_EXPIRED), R(EXPIRED), "Credential has expired");
    if (t->has_nbf && t->nbf > now + skew) return sy_ap_result_refuse(r, S(TIME), C(CREDENTIAL_EXPIRED), R(NOT_YET), "Credential not yet valid (nbf)");
    if (lifetime(t) > (uint64_t)clamp(o->max_ttl_secs, 0, INT64_MAX)) {
        return sy_ap_result_refuse(r, S(TIME), C(CREDENTIAL_EXPIRED), R(LIFETIME), "Credential lifetime %" PRIu64 " exceeds max TTL %" PRId64, lifetime(t), o->max_ttl_secs);
    }
    if (t->exp <= t->iat && !(o->flags & SYMBI_AGENTPIN_NO_EXP_ORDER)) {
        return sy_ap_result_refuse(r, S(TIME), C(CREDENTIAL_EXPIRED), R(EXP_BEFORE_IAT), "Credential expires before it was issued");
    }
    r->step[S(TIME)] = SYMBI_AGENTPIN_PASSED;
    return true;
}

static symbi_status check_discovery(symbi_ctx *cx, const sy_ap_token *t, const symbi_value *doc, const symbi_agentpin_options *o, symbi_agentpin_result *r, bool *ok, symbi_err *err)
{
    symbi_err why;
    symbi_agentpin_reason reason;
    symbi_status st;
    *ok = false;
    if (!(o->flags & SYMBI_AGENTPIN_NO_ISSUER_DOMAIN) && !symbi_agentpin_domain_ok(t->iss)) {
        return sy_ap_result_refuse(r, S(DISCOVERY), C(DISCOVERY_INVALID), sy_ap_issuer_reason(t->iss), "Discovery validation failed: issuer '%.*s' is not a domain name", SY_FMT(t->iss));
    }
    if (sy_ap_is_null(doc)) return sy_ap_result_refuse(r, S(DISCOVERY), C(DISCOVERY_FETCH_FAILED), R(NO_DOCUMENT), "No discovery document for '%.*s'", SY_FMT(t->iss));
    if (symbi_agentpin_discovery_validate(doc, t->iss, !(o->flags & SYMBI_AGENTPIN_NO_STRICT_DOCUMENT), NULL, &reason, &why)) {
        return sy_ap_result_refuse(r, S(DISCOVERY), C(DISCOVERY_INVALID), reason, "Discovery validation failed: %s", why.msg);
    }
    if (o->dns_txt.p) {
        symbi_doc *record;
        st = symbi_agentpin_dns_parse(cx, o->dns_txt, &record, NULL, &why);
        if (!st) {
            st = symbi_agentpin_dns_match(cx, doc, symbi_doc_root(record), NULL, &why);
            symbi_doc_unref(record);
        }
        if (broken(st)) {
            if (err) *err = why;
            return st;
        }
        if (st) return sy_ap_result_refuse(r, S(DISCOVERY), C(DISCOVERY_INVALID), R(DNS), "%s", why.msg);
    }
    *ok = true;
    return SYMBI_OK;
}

static symbi_agentpin_reason which_key(const symbi_value *jwk, symbi_status st)
{
    symbi_str kty, crv;
    if (sy_ap_str(jwk, "kty", &kty) && sy_ap_str(jwk, "crv", &crv) && (!sy_str_eqz(kty, "EC") || !sy_str_eqz(crv, "P-256"))) return R(KEY_CURVE);
    return st == SYMBI_EVERIFY ? R(KEY_POINT) : R(KEY_UNUSABLE);
}

static symbi_agentpin_reason which_signature(const sy_ap_token *t)
{
    if (t->bad_signature) return R(SIGNATURE_FORM);
    switch (sy_es256_look(symbi_jwt_signature(t->jwt))) {
    case SY_ES256_WELL_FORMED: break;
    case SY_ES256_MALFORMED: return R(SIGNATURE_FORM);
    case SY_ES256_RAW_FORM: return R(SIGNATURE_RAW);
    case SY_ES256_CUT: return R(SIGNATURE_CUT);
    case SY_ES256_TRAILING: return R(SIGNATURE_TRAILING);
    case SY_ES256_ZEROS: return R(SIGNATURE_ZEROS);
    case SY_ES256_NEGATIVE: return R(SIGNATURE_NEGATIVE);
    }
    return R(SIGNATURE);
}

/* Step 4: the key, one reference in *key when it passed. */
static symbi_status check_key(symbi_ctx *cx, const sy_ap_token *t, const symbi_value *doc, const symbi_agentpin_options *o, symbi_agentpin_result *r, const symbi_value **jwk, symbi_key **key, symbi_err *err)
{
    symbi_err why;
    symbi_status st;
    int expiry;
    *key = NULL;
    *jwk = symbi_agentpin_find_key(doc, t->kid);
    if (!*jwk) return sy_ap_result_refuse(r, S(KEY), C(KEY_NOT_FOUND), R(KEY_UNKNOWN), "Key '%.*s' not found in discovery document", SY_FMT(t->kid));
    expiry = sy_ap_key_expiry(*jwk, sy_ap_now(o), sy_ap_skew(o));
    if (expiry > 0 || (expiry < 0 && !(o->flags & SYMBI_AGENTPIN_NO_KEY_USE))) {
        return sy_ap_result_refuse(r, S(KEY), C(KEY_EXPIRED), R(KEY_EXPIRED), expiry > 0 ? "Key '%.*s' has expired" : "Key '%.*s' has an expiry that cannot be read", SY_FMT(t->kid));
    }
    if (!(o->flags & SYMBI_AGENTPIN_NO_KEY_USE) && !sy_ap_key_use_ok(*jwk)) {
        return sy_ap_result_refuse(r, S(KEY), C(KEY_NOT_FOUND), R(KEY_USE), "Invalid key format for '%.*s': the key is not for verifying signatures", SY_FMT(t->kid));
    }
    st = symbi_agentpin_jwk_key(cx, *jwk, key, &why);
    if (st == SYMBI_ENOMEM || st == SYMBI_ECRYPTO) {
        if (err) *err = why;
        return st;
    }
    if (st) return sy_ap_result_refuse(r, S(KEY), C(KEY_NOT_FOUND), which_key(*jwk, st), "Invalid key format for '%.*s': %s", SY_FMT(t->kid), why.msg);
    return SYMBI_OK;
}

static symbi_status check_signature(symbi_ctx *cx, const sy_ap_token *t, const symbi_key *key, symbi_agentpin_result *r, bool *ok, symbi_err *err)
{
    symbi_err why;
    symbi_status st = sy_ap_token_signature(cx, t, key, &why);
    *ok = st == SYMBI_OK;
    if (!st) return SYMBI_OK;
    if (broken(st)) {
        if (err) *err = why;
        return st;
    }
    return sy_ap_result_refuse(r, S(SIGNATURE), C(SIGNATURE_INVALID), which_signature(t), "JWT signature verification failed for kid '%.*s'", SY_FMT(t->kid));
}

static bool check_agent(const sy_ap_token *t, const symbi_value *agent, const symbi_agentpin_options *o, symbi_agentpin_result *r)
{
    const symbi_value *status = symbi_value_getz(agent, "status");
    int64_t ttl = 86400;
    char buf[24];
    if (!agent) return sy_ap_result_refuse(r, S(AGENT), C(AGENT_NOT_FOUND), R(AGENT_UNKNOWN), "Agent '%.*s' not found in discovery document", SY_FMT(t->sub));
    if (!status || status->kind != SYMBI_STRING || !sy_str_eqz(status->u.s, "active")) {
        symbi_str s = sy_ap_show(status, buf);
        return sy_ap_result_refuse(r, S(AGENT), C(AGENT_INACTIVE), R(AGENT_STATUS), "Agent '%.*s' status is %.*s", SY_FMT(t->sub), SY_FMT(s));
    }
    (void)sy_ap_int(agent, "credential_ttl_max", &ttl);
    if (!(o->flags & SYMBI_AGENTPIN_NO_AGENT_TTL) && (ttl < 0 || lifetime(t) > (uint64_t)ttl)) {
        return sy_ap_result_refuse(r, S(AGENT), C(CREDENTIAL_EXPIRED), R(AGENT_TTL), "Credential lifetime %" PRIu64 " exceeds credential_ttl_max %" PRId64 " of agent '%.*s'",
                                   lifetime(t), ttl, SY_FMT(t->sub));
    }
    return true;
}

static bool check_capabilities(const sy_ap_token *t, const symbi_value *agent, const symbi_agentpin_options *o, symbi_agentpin_result *r)
{
    const symbi_value *declared = symbi_value_getz(agent, "capabilities");
    if (!symbi_agentpin_capabilities_subset(declared, t->capabilities, true)) {
        return sy_ap_result_refuse(r, S(CAPABILITIES), C(CAPABILITY_EXCEEDED), R(CAPABILITY), "Credential capabilities exceed discovery document");
    }
    if (!(o->flags & SYMBI_AGENTPIN_NO_ADMIN) && !symbi_agentpin_capabilities_subset(declared, t->capabilities, false)) {
        return sy_ap_result_refuse(r, S(CAPABILITIES), C(CAPABILITY_EXCEEDED), R(CAPABILITY_ADMIN), "Credential capabilities exceed discovery document: admin is never granted by a wildcard");
    }
    return true;
}

/* Step 10. */
static symbi_status check_delegation(symbi_ctx *cx, const sy_ap_token *t, const symbi_value *doc, const symbi_value *revocation, const symbi_agentpin_options *o, symbi_agentpin_result *r, bool *ok, symbi_err *err)
{
    int64_t depth = 3;
    sy_arr list;
    *ok = true;
    if (!t->chain) {
        r->step[S(DELEGATION)] = SYMBI_AGENTPIN_SKIPPED;
        return SYMBI_OK;
    }
    (void)sy_ap_int(doc, "max_delegation_depth", &depth);
    if (!(o->flags & SYMBI_AGENTPIN_NO_DEPTH) || o->verify_delegation) {
        symbi_err why;
        if (symbi_agentpin_chain_depth((int64_t)t->chain->u.a.n, &depth, 1, NULL, &why)) {
            *ok = false;
            return sy_ap_result_refuse(r, S(DELEGATION), C(DELEGATION_DEPTH_EXCEEDED), R(CHAIN_DEPTH), "%s", why.msg);
        }
    }
    if (o->verify_delegation) {
        symbi_status st = sy_ap_verify_chain(cx, t, doc, revocation, o, r, ok, err);
        if (!st && *ok) r->step[S(DELEGATION)] = SYMBI_AGENTPIN_PASSED;
        return st;
    }
    list = sy_arr_new(&r->arena);
    for (size_t i = 0; i < t->chain->u.a.n; i++) {
        const symbi_value *e = &t->chain->u.a.items[i];
        sy_obj out = sy_obj_new(&r->arena);
        sy_obj_str(&out, "domain", sy_arena_dup(&r->arena, symbi_value_str(e, "domain", SY_LIT(""))));
        sy_obj_str(&out, "role", sy_arena_dup(&r->arena, symbi_value_str(e, "role", SY_LIT(""))));
        sy_obj_bool(&out, "verified", false);
        sy_arr_add(&list, sy_obj_value(&out));
    }
    r->delegation = sy_arr_value(&list);
    r->delegation_verified = 0;
    list = sy_arr_new(&r->arena);
    sy_arr_add(&list, sy_val_str(SY_LIT("Delegation chain present but not verified in offline mode")));
    r->warnings = sy_arr_value(&list);
    r->step[S(DELEGATION)] = SYMBI_AGENTPIN_SKIPPED;
    return SYMBI_OK;
}

/* May this key take over: is one that was pinned still published, unexpired and not revoked? */
static symbi_status rotated(symbi_ctx *cx, const sy_ap_token *t, const symbi_value *doc, const symbi_value *revocation, const symbi_agentpin_options *o, bool *yes, symbi_err *err)
{
    const symbi_value *keys = sy_ap_array(doc, "public_keys");
    *yes = false;
    if (o->pin_policy != SYMBI_AGENTPIN_PIN_ROTATE || !o->document_over_https) return SYMBI_OK;
    for (size_t i = 0; keys && i < keys->u.a.n; i++) {
        const symbi_value *k = &keys->u.a.items[i];
        symbi_str kid;
        char hash[65];
        symbi_status st;
        if (!sy_ap_str(k, "kid", &kid) || symbi_agentpin_find_key(doc, kid) != k) continue;
        if (sy_ap_key_expiry(k, sy_ap_now(o), sy_ap_skew(o)) || !sy_ap_key_use_ok(k)) continue;
        if (revocation && symbi_agentpin_revocation_check(revocation, t->iss, SY_LIT(""), SY_LIT(""), kid, NULL, NULL, NULL)) continue;
        st = symbi_agentpin_thumbprint(cx, k, hash, err);
        if (broken(st)) return st;
        if (!st && sy_ap_pins_look(o->pins, t->iss, hash, NULL) == SYMBI_AGENTPIN_PIN_MATCHED) {
            *yes = true;
            return SYMBI_OK;
        }
    }
    return SYMBI_OK;
}

/* Step 11, without writing. */
static symbi_status check_pin(symbi_ctx *cx, const sy_ap_token *t, const symbi_value *doc, const symbi_value *revocation, const symbi_agentpin_options *o, symbi_agentpin_result *r, const char hash[65], bool *ok, symbi_err *err)
{
    symbi_str first = { "", 0 };
    symbi_status st;
    *ok = true;
    if (!o->pins) {
        r->step[S(PIN)] = SYMBI_AGENTPIN_SKIPPED;
        return SYMBI_OK;
    }
    r->pinning = sy_ap_pins_look(o->pins, t->iss, hash, &first);
    if (r->pinning == SYMBI_AGENTPIN_PIN_CHANGED) {
        bool yes;
        if ((st = rotated(cx, t, doc, revocation, o, &yes, err))) return st;
        if (!yes) {
            *ok = false;
            return sy_ap_result_refuse(r, S(PIN), C(KEY_PIN_MISMATCH), R(PIN_CHANGED), "Key for '%.*s' has changed since last pinned", SY_FMT(t->iss));
        }
        r->pinning = SYMBI_AGENTPIN_PIN_ROTATED;
    } else if (r->pinning == SYMBI_AGENTPIN_PIN_NONE) {
        if (o->pin_policy == SYMBI_AGENTPIN_PIN_STRICT) {
            *ok = false;
            return sy_ap_result_refuse(r, S(PIN), C(KEY_PIN_MISMATCH), R(PIN_UNKNOWN), "No key is pinned for '%.*s'", SY_FMT(t->iss));
        }
        r->pinning = SYMBI_AGENTPIN_PIN_FIRST_USE;
    }
    if (r->pinning != SYMBI_AGENTPIN_PIN_MATCHED && !sy_ap_pins_room(o->pins, t->iss)) {
        *ok = false;
        return sy_ap_result_refuse(r, S(PIN), C(KEY_PIN_MISMATCH), R(PIN_FULL), "The key for '%.*s' cannot be pinned: the pin store is full", SY_FMT(t->iss));
    }
    if (r->pinning == SYMBI_AGENTPIN_PIN_FIRST_USE) {
        char now[SYMBI_AGENTPIN_TIME_CHARS];
        symbi_agentpin_format_time(o->now, now);
        r->first_seen = sy_arena_dup(&r->arena, symbi_str_z(now));
    } else {
        r->first_seen = sy_arena_dup(&r->arena, first);
    }
    r->step[S(PIN)] = SYMBI_AGENTPIN_PASSED;
    return SYMBI_OK;
}

static bool check_audience(const sy_ap_token *t, const symbi_agentpin_options *o, symbi_agentpin_result *r)
{
    if (!o->audience.n || (!t->has_aud && !o->require_audience)) {
        r->step[S(AUDIENCE)] = SYMBI_AGENTPIN_SKIPPED;
        return true;
    }
    if (!t->has_aud || !(sy_str_eqz(t->aud, "*") || sy_str_eq(t->aud, o->audience))) {
        return sy_ap_result_refuse(r, S(AUDIENCE), C(AUDIENCE_MISMATCH), R(AUDIENCE), "Credential audience '%.*s' does not match verifier '%.*s'", SY_FMT(t->aud), SY_FMT(o->audience));
    }
    r->step[S(AUDIENCE)] = SYMBI_AGENTPIN_PASSED;
    return true;
}

/* The identity, copied into the result. */
static symbi_status fill(symbi_ctx *cx, const sy_ap_token *t, const symbi_value *agent, const symbi_agentpin_options *o, symbi_agentpin_result *r, symbi_err *err)
{
    symbi_status st;
    sy_arena *a = &r->arena;
    /* The texts of `claimed` are copies of just these; a failed copy is in a->status. */
    r->agent_id = symbi_value_str(&r->claimed, "sub", SY_LIT(""));
    r->issuer = symbi_value_str(&r->claimed, "iss", SY_LIT(""));
    r->audience = t->has_aud ? symbi_value_str(&r->claimed, "aud", SY_LIT("")) : SY_LIT("");
    r->jti = symbi_value_str(&r->claimed, "jti", SY_LIT(""));
    r->kid = symbi_value_str(&r->claimed, "kid", SY_LIT(""));
    r->agent_name = sy_arena_dup(a, symbi_value_str(agent, "name", SY_LIT("")));
    r->iat = t->iat;
    r->exp = t->exp;
    r->skew = sy_ap_skew(o);
    st = sy_value_copy(a, t->capabilities, &r->capabilities, 2, err);
    if (!st && t->constraints) st = sy_value_copy(a, t->constraints, &r->constraints, cx->limits.doc_depth, err);
    if (!st && a->status) st = sy_arena_fail(a, "the result", err);
    return st;
}

/* Step 13 and the writing: a jti of an issuer once, then the pin. */
static symbi_status commit(symbi_ctx *cx, const sy_ap_token *t, const symbi_agentpin_options *o, symbi_agentpin_result *r, const char pin[65], bool *ok, symbi_err *err)
{
    const int64_t now = sy_ap_now(o);
    symbi_status st;
    *ok = true;
    r->step[S(REPLAY)] = o->replays ? SYMBI_AGENTPIN_PASSED : SYMBI_AGENTPIN_SKIPPED;
    if (o->replays) {
        char id[65];
        sy_buf b;
        sy_buf_init(&b, cx->alloc, 2 * SYMBI_AGENTPIN_MAX_TOKEN);
        sy_buf_u32be(&b, (uint32_t)t->iss.n);
        sy_buf_adds(&b, t->iss);
        sy_buf_adds(&b, t->jti);
        st = sy_buf_status(&b);
        if (st) (void)sy_fail(err, st, "%s", symbi_status_text(st));
        else st = sy_ap_hash_hex(cx, sy_buf_str(&b), id, err);
        sy_buf_free(&b);
        if (st) return st;
        st = symbi_agentpin_nonces_use(o->replays, symbi_str_z(id), now, clamp(t->exp, now + 1, (int64_t)1 << 51) + sy_ap_skew(o), err);
        if (st == SYMBI_EEXISTS || st == SYMBI_ELIMIT) {
            *ok = false;
            if (st == SYMBI_EEXISTS) return sy_ap_result_refuse(r, S(REPLAY), C(CREDENTIAL_REPLAYED), R(REPLAYED), "Credential '%.*s' has been used before", SY_FMT(t->jti));
            return sy_ap_result_refuse(r, S(REPLAY), C(CREDENTIAL_REPLAYED), R(REPLAY_FULL), "The replay store is full: whether this credential was used cannot be told");
        }
        if (st) return st;
    }
    if (!o->pins) return SYMBI_OK;
    return sy_ap_pins_put(o->pins, t->iss, t->kid, pin, o->now, r->pinning == SYMBI_AGENTPIN_PIN_ROTATED, err);
}

symbi_status sy_ap_verify_rest(symbi_ctx *cx, const sy_ap_token *t, const symbi_value *doc, const symbi_value *revocation, const symbi_agentpin_options *o, symbi_agentpin_result *r, symbi_err *err)
{
    const symbi_value *jwk, *agent;
    symbi_key *key;
    symbi_err why;
    symbi_agentpin_code code;
    symbi_agentpin_reason reason;
    symbi_status st;
    char pin[65];
    bool ok;
#define PASSED(name) r->step[S(name)] = SYMBI_AGENTPIN_PASSED
    if (!sy_ap_verify_time(t, o, r)) return SYMBI_OK;
    if ((st = check_discovery(cx, t, doc, o, r, &ok, err)) || !ok) return st;
    PASSED(DISCOVERY);
    if ((st = check_key(cx, t, doc, o, r, &jwk, &key, err)) || !key) return st;
    PASSED(KEY);
    st = check_signature(cx, t, key, r, &ok, err);
    sy_ap_key_hash(key, pin);
    symbi_key_unref(key);
    if (st || !ok) return st;
    PASSED(SIGNATURE);
    if (sy_ap_is_null(revocation)) {
        revocation = NULL;
        r->step[S(REVOCATION)] = SYMBI_AGENTPIN_SKIPPED;
    } else {
        symbi_str entity = o->flags & SYMBI_AGENTPIN_NO_REVOCATION_ENTITY ? (symbi_str){ "", 0 } : t->iss;
        if (symbi_agentpin_revocation_check(revocation, entity, t->jti, t->sub, t->kid, &code, &reason, &why)) return sy_ap_result_refuse(r, S(REVOCATION), code, reason, "%s", why.msg);
        PASSED(REVOCATION);
    }
    agent = symbi_agentpin_find_agent(doc, t->sub);
    if (!check_agent(t, agent, o, r)) return SYMBI_OK;
    PASSED(AGENT);
    if (!check_capabilities(t, agent, o, r)) return SYMBI_OK;
    PASSED(CAPABILITIES);
    if (!symbi_agentpin_constraints_subset(symbi_value_getz(agent, "constraints"), t->constraints, !(o->flags & SYMBI_AGENTPIN_NO_STRICT_CONSTRAINTS))) {
        return sy_ap_result_refuse(r, S(CONSTRAINTS), C(CONSTRAINT_VIOLATION), R(CONSTRAINT), "Credential constraints are less restrictive than discovery defaults");
    }
    PASSED(CONSTRAINTS);
    if ((st = check_delegation(cx, t, doc, revocation, o, r, &ok, err)) || !ok) return st;
    if ((st = check_pin(cx, t, doc, revocation, o, r, pin, &ok, err)) || !ok) return st;
    if (!check_audience(t, o, r)) return SYMBI_OK;
    if ((st = fill(cx, t, agent, o, r, err))) return st;
    if ((st = commit(cx, t, o, r, pin, &ok, err)) || !ok) return st;
    r->valid = true;
    return SYMBI_OK;
#undef PASSED
}

symbi_status symbi_agentpin_verify(symbi_ctx *cx, symbi_str jwt, const symbi_value *discovery, const symbi_value *revocation, const symbi_agentpin_options *o, symbi_agentpin_result **out, symbi_err *err)
{
    symbi_agentpin_result *r;
    sy_ap_token t;
    symbi_status st;
    bool go;
    *out = NULL;
    SY_AP_SIZED(o, "symbi_agentpin_options");
    if ((st = sy_ap_result_new(cx, &r, err))) return st;
    st = sy_ap_verify_token(cx, jwt, o, &t, r, &go, err);
    if (!st && go) st = sy_ap_verify_rest(cx, &t, discovery, revocation, o, r, err);
    sy_ap_token_free(&t);
    if (!st && r->arena.status && r->valid) st = sy_arena_fail(&r->arena, "the result", err);
    if (st) symbi_agentpin_result_unref(r);
    else *out = r;
    return st;
}
