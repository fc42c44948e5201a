/* agentpin/bundle.c: trust bundles: many domains' documents in one file, for verification without a network. A bundle carries
 * no signature: whoever can write it decides. Strict checking finds what is wrong in it before it is used. */
#include "agentpin/result.h"

static bool empty_object(const symbi_value *v) { return v->kind == SYMBI_OBJECT && !v->u.o.n; }

symbi_status symbi_agentpin_bundle_create(symbi_ctx *cx, const symbi_value *documents, const symbi_value *revocations, int64_t now, symbi_doc **out, symbi_err *err)
{
    const symbi_value *in[] = { documents, revocations };
    static const char *const names[] = { "documents", "revocations" };
    symbi_status st;
    symbi_doc *d;
    sy_obj o;
    *out = NULL;
    for (int i = 0; i < 2; i++) {
        if (!sy_ap_is_null(in[i]) && in[i]->kind != SYMBI_ARRAY && !empty_object(in[i])) return sy_fail(err, SYMBI_EINVAL, "%s must be a list", names[i]);
        if (!sy_ap_is_null(in[i]) && in[i]->kind == SYMBI_ARRAY && in[i]->u.a.n > SYMBI_AGENTPIN_MAX_DOMAINS) return sy_fail(err, SYMBI_ELIMIT, "more than %d %s", SYMBI_AGENTPIN_MAX_DOMAINS, names[i]);
    }
    if ((st = sy_ap_doc_new(cx, &d, err))) return st;
    o = sy_obj_new(&d->arena);
    sy_obj_str(&o, "agentpin_bundle_version", SY_LIT(SY_AP_VERSION));
    sy_obj_put(&o, "created_at", sy_ap_time(d, now));
    for (int i = 0; i < 2; i++) sy_obj_put(&o, names[i], sy_ap_is_null(in[i]) || empty_object(in[i]) ? sy_val_array(NULL, 0) : sy_ap_copy(cx, d, in[i], &st, err));
    return sy_ap_doc_done(d, st, sy_obj_value(&o), out, err);
}

static symbi_status bad(symbi_agentpin_code *code, symbi_err *err, const char *fmt, ...) SYMBI_PRINTF(3, 4);
static symbi_status bad(symbi_agentpin_code *code, symbi_err *err, const char *fmt, ...)
{
    va_list ap;
    symbi_status st;
    if (code) *code = SYMBI_AGENTPIN_BUNDLE_INVALID;
    va_start(ap, fmt);
    st = sy_vfail(err, SYMBI_EVERIFY, 0, 0, fmt, ap);
    va_end(ap);
    return st;
}

/* Is the entity of document i there before it? Quadratic: SYMBI_AGENTPIN_STRICT_BUNDLE bounds it. */
static bool twice(const symbi_value *list, size_t i, symbi_str entity)
{
    symbi_str s;
    for (size_t k = 0; k < i; k++) {
        if (sy_ap_str(&list->u.a.items[k], "entity", &s) && sy_str_eq(s, entity)) return true;
    }
    return false;
}

static symbi_status check_strict(const symbi_value *b, const symbi_value *docs, const symbi_value *revs, symbi_agentpin_code *code, symbi_err *err)
{
    symbi_str s;
    symbi_err why;
    if (!sy_ap_str(b, "agentpin_bundle_version", &s) || !sy_str_eqz(s, SY_AP_VERSION)) return bad(code, err, "the trust bundle is of another version than " SY_AP_VERSION);
    if (docs->u.a.n > SYMBI_AGENTPIN_STRICT_BUNDLE || (revs && revs->u.a.n > SYMBI_AGENTPIN_STRICT_BUNDLE)) {
        return bad(code, err, "a trust bundle with more than %d documents cannot be checked strictly", SYMBI_AGENTPIN_STRICT_BUNDLE);
    }
    for (size_t i = 0; i < docs->u.a.n; i++) {
        const symbi_value *d = &docs->u.a.items[i];
        if (!sy_ap_str(d, "entity", &s) || !symbi_agentpin_domain_ok(s)) return bad(code, err, "document %zu of the trust bundle has no entity that is a domain name", i + 1);
        if (twice(docs, i, s)) return bad(code, err, "the trust bundle has two documents for '%.*s'", SY_FMT(s));
        if (symbi_agentpin_discovery_validate(d, s, true, NULL, NULL, &why)) return bad(code, err, "the trust bundle's document for '%.*s': %s", SY_FMT(s), why.msg);
    }
    for (size_t i = 0; revs && i < revs->u.a.n; i++) {
        const symbi_value *d = &revs->u.a.items[i];
        if (!sy_ap_str(d, "entity", &s) || !symbi_agentpin_domain_ok(s)) return bad(code, err, "revocation document %zu of the trust bundle has no entity that is a domain name", i + 1);
        if (twice(revs, i, s)) return bad(code, err, "the trust bundle has two revocation documents for '%.*s'", SY_FMT(s));
        if (symbi_agentpin_revocation_check(d, s, SY_LIT(""), SY_LIT(""), SY_LIT(""), NULL, NULL, &why)) return bad(code, err, "the trust bundle's revocations for '%.*s': %s", SY_FMT(s), why.msg);
    }
    return SYMBI_OK;
}

symbi_status symbi_agentpin_bundle_check(const symbi_value *b, const symbi_agentpin_bundle_rules *rules, symbi_agentpin_code *code, symbi_err *err)
{
    const symbi_value *docs = sy_ap_array(b, "documents"), *revs = symbi_value_getz(b, "revocations");
    symbi_str created = { "", 0 };
    int64_t t = 0, floor, now;
    symbi_status st;
    bool readable;
    if (code) *code = SYMBI_AGENTPIN_NONE;
    SY_AP_SIZED(rules, "symbi_agentpin_bundle_rules");
    now = sy_ap_seconds(rules->now);
    if (!b || b->kind != SYMBI_OBJECT) return bad(code, err, "the trust bundle is not a JSON object");
    if (!docs) return bad(code, err, "the trust bundle has no list 'documents'");
    if (sy_ap_is_null(revs)) revs = NULL;
    else if (revs->kind != SYMBI_ARRAY) return bad(code, err, "'revocations' of the trust bundle is not a list");
    if (docs->u.a.n > SYMBI_AGENTPIN_MAX_DOMAINS || (revs && revs->u.a.n > SYMBI_AGENTPIN_MAX_DOMAINS)) return bad(code, err, "the trust bundle has more than %d documents", SYMBI_AGENTPIN_MAX_DOMAINS);
    readable = sy_ap_str(b, "created_at", &created) && symbi_agentpin_parse_time(created, &t);
    if (rules->strict && !readable) return bad(code, err, "the trust bundle has no readable created_at");
    if (rules->strict && t - 60 > now) return bad(code, err, "the trust bundle was created in the future (%.*s)", SY_FMT(created));
    if (rules->max_age_secs > 0) {
        if (!readable) return bad(code, err, "the trust bundle's age cannot be told: it has no readable created_at");
        if (now - t > rules->max_age_secs) return bad(code, err, "the trust bundle of %.*s is older than %lld seconds", SY_FMT(created), (long long)rules->max_age_secs);
    }
    if (rules->not_before.n) {
        if (!symbi_agentpin_parse_time(rules->not_before, &floor)) return sy_fail(err, SYMBI_EINVAL, "not_before is not an RFC 3339 time");
        if (!readable || t < floor) {
            return sy_ap_fail(err, SYMBI_EVERIFY, code, SYMBI_AGENTPIN_BUNDLE_DOWNGRADE, "the trust bundle of %.*s is older than the one in use (%.*s)", SY_FMT(created), SY_FMT(rules->not_before));
        }
    }
    st = rules->strict ? check_strict(b, docs, revs, code, err) : SYMBI_OK;
    return st;
}

const symbi_value *symbi_agentpin_bundle_discovery(const symbi_value *bundle, symbi_str domain) { return sy_ap_by_entity(symbi_value_getz(bundle, "documents"), domain); }
const symbi_value *symbi_agentpin_bundle_revocation(const symbi_value *bundle, symbi_str domain) { return sy_ap_by_entity(symbi_value_getz(bundle, "revocations"), domain); }

symbi_status symbi_agentpin_verify_with_bundle(symbi_ctx *cx, symbi_str jwt, const symbi_value *bundle, const symbi_agentpin_options *o, symbi_agentpin_result **out, symbi_err *err)
{
    symbi_agentpin_options with;
    symbi_agentpin_result *r;
    sy_ap_token t;
    symbi_status st;
    bool go;
    *out = NULL;
    SY_AP_SIZED(o, "symbi_agentpin_options");
    with = *o;
    if ((st = sy_ap_result_new(cx, &r, err))) return st;
    st = sy_ap_verify_token(cx, jwt, o, &t, r, &go, err);
    if (!st && go) {
        const symbi_value *doc = symbi_agentpin_bundle_discovery(bundle, t.iss);
        with.document_over_https = false;
        if (!with.delegation_documents) with.delegation_documents = symbi_value_getz(bundle, "documents");
        if (!with.delegation_revocations) with.delegation_revocations = symbi_value_getz(bundle, "revocations");
        if (doc) {
            st = sy_ap_verify_rest(cx, &t, doc, symbi_agentpin_bundle_revocation(bundle, t.iss), &with, r, err);
        } else {
            (void)sy_ap_result_refuse(r, SYMBI_AGENTPIN_STEP_DISCOVERY, SYMBI_AGENTPIN_DISCOVERY_FETCH_FAILED, SYMBI_AGENTPIN_R_NO_DOCUMENT, "Domain '%.*s' not found in trust bundle", SY_FMT(t.iss));
        }
    }
    sy_ap_token_free(&t);
    if (!st && r->arena.status && r->valid) st = sy_arena_fail(&r->arena, "the result", err);
    if (st) symbi_agentpin_result_unref(r);
    else *out = r;
    return st;
}
