/* agentpin/delegation.c: attestations and chains. A chain reads outermost maker first; each entry attests to the next one, the
 * last to the credential's own issuer and agent. The text that is signed is joined by "|" without escapes, so a "|" inside a
 * field is refused where we decide what is true (upstream's text form itself is kept). */
#include "agentpin/result.h"

symbi_status symbi_agentpin_attestation_input(symbi_ctx *cx, const symbi_agentpin_attestation *a, symbi_text *out, symbi_err *err)
{
    const symbi_str parts[] = { a->domain, a->role, a->agent_id, a->delegatee_domain, a->delegatee_agent_id };
    char hash[65];
    sy_buf b;
    symbi_status st;
    memset(out, 0, sizeof *out);
    if ((st = symbi_agentpin_capabilities_hash(cx, a->capabilities, hash, err))) return st;
    sy_buf_init(&b, cx->alloc, cx->limits.output_bytes);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        sy_buf_adds(&b, parts[i]);
        sy_buf_addc(&b, '|');
    }
    sy_buf_addz(&b, hash);
    return sy_buf_take(&b, out, "the attestation", err);
}

static bool has_bar(symbi_str s) { return s.n && memchr(s.p, '|', s.n); }

symbi_status symbi_agentpin_attestation_create(symbi_ctx *cx, const symbi_key *key, symbi_str kid, const symbi_agentpin_attestation *a, symbi_doc **out, symbi_err *err)
{
    symbi_text text, sig;
    symbi_status st;
    symbi_doc *d;
    sy_obj o;
    *out = NULL;
    if (has_bar(a->domain) || has_bar(a->agent_id) || has_bar(a->delegatee_domain) || has_bar(a->delegatee_agent_id)) {
        return sy_fail(err, SYMBI_EINVAL, "a field with '|' makes the attested text ambiguous");
    }
    if (!sy_str_eqz(a->role, "maker") && !sy_str_eqz(a->role, "deployer")) return sy_fail(err, SYMBI_EINVAL, "role '%.*s' is not maker or deployer", SY_FMT(a->role));
    if (!kid.n || kid.n > 128) return sy_fail(err, SYMBI_EINVAL, "kid must have 1 to 128 bytes");
    if ((st = symbi_agentpin_attestation_input(cx, a, &text, err))) return st;
    st = symbi_agentpin_sign(cx, key, symbi_text_str(&text), &sig, err);
    symbi_text_free(&text);
    if (st) return st;
    if ((st = sy_ap_doc_new(cx, &d, err))) {
        symbi_text_free(&sig);
        return st;
    }
    o = sy_obj_new(&d->arena);
    sy_obj_put(&o, "domain", sy_ap_dup(d, a->domain));
    sy_obj_put(&o, "role", sy_ap_dup(d, a->role));
    sy_obj_put(&o, "agent_id", sy_ap_dup(d, a->agent_id));
    sy_obj_put(&o, "kid", sy_ap_dup(d, kid));
    sy_obj_put(&o, "attestation", sy_ap_dup(d, symbi_text_str(&sig)));
    symbi_text_free(&sig);
    return sy_ap_doc_done(d, st, sy_obj_value(&o), out, err);
}

symbi_status symbi_agentpin_attestation_verify(symbi_ctx *cx, const symbi_value *entry, const symbi_key *key, symbi_str delegatee_domain, symbi_str delegatee_agent_id, const symbi_value *capabilities, symbi_agentpin_code *code, symbi_err *err)
{
    symbi_agentpin_attestation a = { .delegatee_domain = delegatee_domain, .delegatee_agent_id = delegatee_agent_id, .capabilities = capabilities };
    uint8_t sig[SY_AP_SIG_MAX];
    symbi_str text;
    symbi_text input;
    symbi_status st;
    size_t n;
    if (code) *code = SYMBI_AGENTPIN_NONE;
    if (!sy_ap_str(entry, "domain", &a.domain) || !sy_ap_str(entry, "role", &a.role) || !sy_ap_str(entry, "agent_id", &a.agent_id) || !sy_ap_str(entry, "attestation", &text)) {
        return sy_ap_fail(err, SYMBI_EVERIFY, code, SYMBI_AGENTPIN_DELEGATION_INVALID, "a delegation entry needs domain, role, agent_id and attestation");
    }
    if (!key || symbi_key_kind_of(key) != SYMBI_KEY_P256) return sy_fail(err, SYMBI_EINVAL, "an EC P-256 key is needed");
    st = symbi_agentpin_attestation_input(cx, &a, &input, err);
    if (st) return st;
    if (!sy_ap_signature_bytes(text, true, sig, &n)) st = SYMBI_EVERIFY;
    else st = symbi_es256_verify(cx, key, symbi_text_str(&input), SYMBI_ES256_DER, (symbi_str){ (const char *)sig, n }, err);
    symbi_text_free(&input);
    if (st == SYMBI_EVERIFY) {
        return sy_ap_fail(err, st, code, SYMBI_AGENTPIN_DELEGATION_INVALID, "Delegation attestation from %.*s failed signature verification", SY_FMT(a.domain));
    }
    return st;
}

symbi_status symbi_agentpin_chain_depth(int64_t length, const int64_t *depths, size_t n, symbi_agentpin_code *code, symbi_err *err)
{
    int64_t least = n ? depths[0] : 0;
    if (code) *code = SYMBI_AGENTPIN_NONE;
    for (size_t i = 1; i < n; i++) least = depths[i] < least ? depths[i] : least;
    if (length <= least) return SYMBI_OK;
    return sy_ap_fail(err, SYMBI_EVERIFY, code, SYMBI_AGENTPIN_DELEGATION_DEPTH_EXCEEDED, "Delegation chain depth %lld exceeds minimum max_delegation_depth %lld",
                      (long long)length, (long long)least);
}

/* ---- a chain as part of a verification ---- */

#define REFUSE(code, reason, ...) sy_ap_result_refuse(r, SYMBI_AGENTPIN_STEP_DELEGATION, SYMBI_AGENTPIN_##code, SYMBI_AGENTPIN_R_##reason, __VA_ARGS__)

/* One entry against its domain's document. own: the issuer's revocations, where the entry is of the issuer's domain. */
static symbi_status verify_entry(symbi_ctx *cx, const symbi_value *e, const symbi_value *doc, const symbi_value *own, symbi_str to_domain, symbi_str to_agent, const sy_ap_token *t, const symbi_agentpin_options *o, symbi_agentpin_result *r, bool *ok, symbi_err *err)
{
    symbi_str domain = symbi_value_str(e, "domain", SY_LIT("")), kid = symbi_value_str(e, "kid", SY_LIT("")), agent_id = symbi_value_str(e, "agent_id", SY_LIT(""));
    const symbi_value *jwk = symbi_agentpin_find_key(doc, kid), *agent, *const lists[] = { own, sy_ap_by_entity(o->delegation_revocations, domain) };
    symbi_err why;
    symbi_key *key;
    symbi_status st;
    *ok = false;
    if (has_bar(agent_id) || has_bar(to_agent)) return REFUSE(DELEGATION_INVALID, CHAIN_SHAPE, "Delegation from %.*s: a name with '|' makes the attested text ambiguous", SY_FMT(domain));
    if (!jwk || sy_ap_key_expiry(jwk, sy_ap_now(o), sy_ap_skew(o)) || !sy_ap_key_use_ok(jwk)) {
        return REFUSE(DELEGATION_INVALID, CHAIN_KEY, "Delegation from %.*s: key '%.*s' is not published, expired or not for signatures", SY_FMT(domain), SY_FMT(kid));
    }
    agent = symbi_agentpin_find_agent(doc, agent_id);
    if (agent && !sy_str_eqz(symbi_value_str(agent, "status", SY_LIT("")), "active")) {
        return REFUSE(DELEGATION_INVALID, CHAIN_KEY, "Delegation from %.*s: agent '%.*s' is not active", SY_FMT(domain), SY_FMT(agent_id));
    }
    for (int i = 0; i < 2; i++) { /* whose document the first is was checked at its own step */
        if (!lists[i] || !symbi_agentpin_revocation_check(lists[i], i ? domain : (symbi_str){ "", 0 }, SY_LIT(""), agent_id, kid, NULL, NULL, &why)) continue;
        return REFUSE(DELEGATION_INVALID, CHAIN_KEY, "Delegation from %.*s: %s", SY_FMT(domain), why.msg);
    }
    st = symbi_agentpin_jwk_key(cx, jwk, &key, &why);
    if (!st) {
        st = symbi_agentpin_attestation_verify(cx, e, key, to_domain, to_agent, t->capabilities, NULL, &why);
        symbi_key_unref(key);
        *ok = !st;
        if (st == SYMBI_EVERIFY) return REFUSE(DELEGATION_INVALID, CHAIN_ATTESTATION, "%s", why.msg);
    } else if (st != SYMBI_ENOMEM && st != SYMBI_ECRYPTO) {
        return REFUSE(DELEGATION_INVALID, CHAIN_KEY, "Delegation from %.*s: %s", SY_FMT(domain), why.msg);
    }
    if (st && err) *err = why;
    return st;
}

symbi_status sy_ap_verify_chain(symbi_ctx *cx, const sy_ap_token *t, const symbi_value *discovery, const symbi_value *revocation, const symbi_agentpin_options *o, symbi_agentpin_result *r, bool *ok, symbi_err *err)
{
    const symbi_value *docs[SYMBI_AGENTPIN_MAX_CHAIN];
    int64_t depths[SYMBI_AGENTPIN_MAX_CHAIN + 1];
    size_t n = t->chain->u.a.n;
    sy_arr list = sy_arr_new(&r->arena);
    symbi_err why;
    symbi_status st;
    *ok = false;
    if (!sy_ap_int(discovery, "max_delegation_depth", &depths[n])) depths[n] = 0;
    for (size_t i = 0; i < n; i++) {
        symbi_str domain = symbi_value_str(&t->chain->u.a.items[i], "domain", SY_LIT(""));
        docs[i] = sy_str_eq(domain, t->iss) ? discovery : sy_ap_by_entity(o->delegation_documents, domain);
        if (!symbi_agentpin_domain_ok(domain) || !docs[i]) return REFUSE(DELEGATION_INVALID, CHAIN_DOCUMENT, "No discovery document for delegating domain '%.*s'", SY_FMT(domain));
        if (symbi_agentpin_discovery_validate(docs[i], domain, true, NULL, NULL, &why)) {
            return REFUSE(DELEGATION_INVALID, CHAIN_DOCUMENT, "Discovery document of delegating domain '%.*s': %s", SY_FMT(domain), why.msg);
        }
        if (!sy_ap_int(docs[i], "max_delegation_depth", &depths[i])) depths[i] = 0;
    }
    if (symbi_agentpin_chain_depth((int64_t)n, depths, n + 1, NULL, &why)) return REFUSE(DELEGATION_DEPTH_EXCEEDED, CHAIN_DEPTH, "%s", why.msg);
    for (size_t i = 0; i < n; i++) {
        const symbi_value *e = &t->chain->u.a.items[i], *next = i + 1 < n ? e + 1 : NULL;
        sy_obj out = sy_obj_new(&r->arena);
        bool good;
        st = verify_entry(cx, e, docs[i], docs[i] == discovery ? revocation : NULL, next ? symbi_value_str(next, "domain", SY_LIT("")) : t->iss, next ? symbi_value_str(next, "agent_id", SY_LIT("")) : t->sub, t, o, r, &good, err);
        if (st || !good) return st;
        sy_obj_str(&out, "domain", sy_arena_dup(&r->arena, symbi_value_str(e, "domain", SY_LIT(""))));
        sy_obj_str(&out, "role", sy_arena_dup(&r->arena, symbi_value_str(e, "role", SY_LIT(""))));
        sy_obj_bool(&out, "verified", true);
        sy_arr_add(&list, sy_obj_value(&out));
    }
    r->delegation = sy_arr_value(&list);
    r->delegation_verified = 1;
    *ok = true;
    return SYMBI_OK;
}
