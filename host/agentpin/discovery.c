/* agentpin/discovery.c: discovery documents and revocation documents: build, validate, look things up, edit, rotate keys. */
#include "agentpin/int.h"

/* ---- discovery ---- */

static bool type_ok(symbi_str t) { return sy_str_eqz(t, "maker") || sy_str_eqz(t, "deployer") || sy_str_eqz(t, "both"); }

static symbi_value well_known(symbi_doc *d, symbi_str domain, const char *path)
{
    sy_buf b;
    symbi_value v;
    sy_buf_init(&b, d->alloc, 1024);
    sy_buf_addz(&b, "https://");
    sy_buf_adds(&b, domain);
    sy_buf_addz(&b, path);
    if (sy_buf_status(&b)) d->arena.status = sy_buf_status(&b);
    v = sy_ap_dup(d, sy_buf_str(&b));
    sy_buf_free(&b);
    return v;
}

symbi_status symbi_agentpin_discovery_build(symbi_ctx *cx, const symbi_agentpin_discovery *in, symbi_doc **out, symbi_err *err)
{
    static const symbi_value none = { .kind = SYMBI_ARRAY };
    const symbi_value *agents;
    symbi_status st;
    symbi_doc *d;
    sy_obj o;
    int64_t t;
    *out = NULL;
    SY_AP_SIZED(in, "symbi_agentpin_discovery");
    agents = sy_ap_is_null(in->agents) || (in->agents->kind == SYMBI_OBJECT && !in->agents->u.o.n) ? &none : in->agents;
    if (!symbi_agentpin_domain_ok(in->entity)) return sy_fail(err, SYMBI_EINVAL, "entity '%.*s' is not a domain name", SY_FMT(in->entity));
    if (!type_ok(in->entity_type)) return sy_fail(err, SYMBI_EINVAL, "entity_type '%.*s' is not maker, deployer or both", SY_FMT(in->entity_type));
    if (!in->public_keys || in->public_keys->kind != SYMBI_ARRAY || !in->public_keys->u.a.n) {
        return sy_fail(err, SYMBI_EINVAL, "Discovery document must have at least one public key");
    }
    if (agents->kind != SYMBI_ARRAY) return sy_fail(err, SYMBI_EINVAL, "agents must be a list");
    if (in->max_delegation_depth < 0 || in->max_delegation_depth > 3) return sy_fail(err, SYMBI_EINVAL, "max_delegation_depth must be 0-3");
    if (in->updated_at.n && !symbi_agentpin_parse_time(in->updated_at, &t)) return sy_fail(err, SYMBI_EINVAL, "updated_at is not an RFC 3339 time");
    if ((st = sy_ap_doc_new(cx, &d, err))) return st;
    o = sy_obj_new(&d->arena);
    sy_obj_str(&o, "agentpin_version", SY_LIT(SY_AP_VERSION));
    sy_obj_put(&o, "entity", sy_ap_dup(d, in->entity));
    sy_obj_put(&o, "entity_type", sy_ap_dup(d, in->entity_type));
    sy_obj_put(&o, "public_keys", sy_ap_copy(cx, d, in->public_keys, &st, err));
    sy_obj_put(&o, "agents", sy_ap_copy(cx, d, agents, &st, err));
    sy_obj_put(&o, "revocation_endpoint", well_known(d, in->entity, SY_AP_REVOCATION_PATH));
    sy_obj_int(&o, "max_delegation_depth", in->max_delegation_depth);
    sy_obj_put(&o, "updated_at", in->updated_at.n ? sy_ap_dup(d, in->updated_at) : sy_ap_time(d, in->now));
    if (in->a2a_endpoint.n) sy_obj_put(&o, "a2a_endpoint", sy_ap_dup(d, in->a2a_endpoint));
    return sy_ap_doc_done(d, st, sy_obj_value(&o), out, err);
}

symbi_status symbi_agentpin_discovery_validate(const symbi_value *doc, symbi_str entity, bool strict, symbi_agentpin_code *code, symbi_agentpin_reason *reason, symbi_err *err)
{
    const symbi_value *v;
    symbi_agentpin_reason r = SYMBI_AGENTPIN_R_OK;
    symbi_status st = SYMBI_OK;
    char buf[24], buf2[24];
    if (code) *code = SYMBI_AGENTPIN_NONE;
    v = symbi_value_getz(doc, "agentpin_version");
    if (!v || v->kind != SYMBI_STRING || !sy_str_eqz(v->u.s, SY_AP_VERSION)) {
        symbi_str s = sy_ap_show(v, buf);
        r = SYMBI_AGENTPIN_R_DOCUMENT_VERSION;
        st = sy_ap_fail(err, SYMBI_EVERIFY, code, SYMBI_AGENTPIN_DISCOVERY_INVALID, "Unsupported version: %.*s", SY_FMT(s));
        goto end;
    }
    v = symbi_value_getz(doc, "entity");
    if (!v || v->kind != SYMBI_STRING || !sy_str_eq(v->u.s, entity)) {
        symbi_str s = sy_ap_show(v, buf2);
        r = SYMBI_AGENTPIN_R_DOCUMENT_ENTITY;
        st = sy_ap_fail(err, SYMBI_EVERIFY, code, SYMBI_AGENTPIN_DOMAIN_MISMATCH, "Discovery entity '%.*s' does not match expected '%.*s'", SY_FMT(s), SY_FMT(entity));
        goto end;
    }
    v = sy_ap_array(doc, "public_keys");
    if (!v || !v->u.a.n) {
        r = SYMBI_AGENTPIN_R_DOCUMENT_KEYS;
        st = sy_ap_fail(err, SYMBI_EVERIFY, code, SYMBI_AGENTPIN_DISCOVERY_INVALID, "Discovery document must have at least one public key");
        goto end;
    }
    v = symbi_value_getz(doc, "max_delegation_depth");
    if (v ? v->kind != SYMBI_INT || v->u.i < 0 || v->u.i > 3 : strict) {
        r = SYMBI_AGENTPIN_R_DOCUMENT_DEPTH;
        st = sy_ap_fail(err, SYMBI_EVERIFY, code, SYMBI_AGENTPIN_DISCOVERY_INVALID, "max_delegation_depth must be 0-3");
        goto end;
    }
    if (strict) {
        symbi_str t;
        if (!sy_ap_str(doc, "entity_type", &t) || !type_ok(t)) {
            r = SYMBI_AGENTPIN_R_DOCUMENT_SHAPE;
            st = sy_ap_fail(err, SYMBI_EVERIFY, code, SYMBI_AGENTPIN_DISCOVERY_INVALID, "entity_type must be maker, deployer or both");
        } else if (!sy_ap_array(doc, "agents")) {
            r = SYMBI_AGENTPIN_R_DOCUMENT_SHAPE;
            st = sy_ap_fail(err, SYMBI_EVERIFY, code, SYMBI_AGENTPIN_DISCOVERY_INVALID, "agents must be a list");
        }
    }
end:
    if (reason) *reason = r;
    return st;
}

static const symbi_value *find(const symbi_value *list, const char *key, symbi_str want)
{
    symbi_str s;
    for (size_t i = 0; list && i < list->u.a.n; i++) {
        if (sy_ap_str(&list->u.a.items[i], key, &s) && sy_str_eq(s, want)) return &list->u.a.items[i];
    }
    return NULL;
}
const symbi_value *symbi_agentpin_find_key(const symbi_value *doc, symbi_str kid) { return find(sy_ap_array(doc, "public_keys"), "kid", kid); }
const symbi_value *symbi_agentpin_find_agent(const symbi_value *doc, symbi_str id) { return find(sy_ap_array(doc, "agents"), "agent_id", id); }

/* ---- revocation ---- */

static const struct {
    const char *list, *id, *what;
    symbi_agentpin_code code;
    symbi_agentpin_reason reason;
} kinds[] = {
    { "revoked_credentials", "jti", "Credential", SYMBI_AGENTPIN_CREDENTIAL_REVOKED, SYMBI_AGENTPIN_R_REVOKED_CREDENTIAL },
    { "revoked_agents", "agent_id", "Agent", SYMBI_AGENTPIN_AGENT_INACTIVE, SYMBI_AGENTPIN_R_REVOKED_AGENT },
    { "revoked_keys", "kid", "Key", SYMBI_AGENTPIN_KEY_REVOKED, SYMBI_AGENTPIN_R_REVOKED_KEY },
};

symbi_status symbi_agentpin_revocation_check(const symbi_value *doc, symbi_str entity, symbi_str jti, symbi_str agent_id, symbi_str kid, symbi_agentpin_code *code, symbi_agentpin_reason *reason, symbi_err *err)
{
    const symbi_str ids[] = { jti, agent_id, kid };
    const symbi_value *lists[3];
    if (code) *code = SYMBI_AGENTPIN_NONE;
    if (reason) *reason = SYMBI_AGENTPIN_R_OK;
    if (entity.n) {
        const symbi_value *v = symbi_value_getz(doc, "entity");
        if (!v || v->kind != SYMBI_STRING || !sy_str_eq(v->u.s, entity)) {
            char buf[24];
            symbi_str s = sy_ap_show(v, buf);
            if (reason) *reason = SYMBI_AGENTPIN_R_REVOCATION_ENTITY;
            return sy_ap_fail(err, SYMBI_EVERIFY, code, SYMBI_AGENTPIN_DISCOVERY_INVALID, "Revocation document is for '%.*s', not for '%.*s'", SY_FMT(s), SY_FMT(entity));
        }
    }
    for (int k = 0; k < 3; k++) { /* all of the document before any of it counts: an entry that cannot be read may be ours */
        symbi_str s;
        lists[k] = sy_ap_array(doc, kinds[k].list);
        for (size_t i = 0; lists[k] && i < lists[k]->u.a.n; i++) {
            if (!sy_ap_str(&lists[k]->u.a.items[i], kinds[k].id, &s)) lists[k] = NULL;
        }
        if (!lists[k]) {
            if (reason) *reason = SYMBI_AGENTPIN_R_REVOCATION_SHAPE;
            return sy_ap_fail(err, SYMBI_EVERIFY, code, SYMBI_AGENTPIN_DISCOVERY_INVALID, "Revocation document without a usable list '%s'", kinds[k].list);
        }
    }
    for (int k = 0; k < 3; k++) {
        const symbi_value *e = find(lists[k], kinds[k].id, ids[k]);
        symbi_str why = SY_LIT("unspecified");
        if (!e) continue;
        (void)sy_ap_str(e, "reason", &why);
        if (reason) *reason = kinds[k].reason;
        return sy_ap_fail(err, SYMBI_EVERIFY, code, kinds[k].code, "%s %.*s revoked: %.*s", kinds[k].what, SY_FMT(ids[k]), SY_FMT(why));
    }
    return SYMBI_OK;
}

bool symbi_agentpin_revocation_reason_ok(symbi_str r)
{
    static const char *const names[] = { "key_compromise", "affiliation_changed", "superseded", "cessation_of_operation", "privilege_withdrawn", "policy_violation" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (sy_str_eqz(r, names[i])) return true;
    }
    return false;
}

symbi_status symbi_agentpin_revocation_build(symbi_ctx *cx, symbi_str entity, int64_t now, symbi_doc **out, symbi_err *err)
{
    symbi_status st;
    symbi_doc *d;
    sy_obj o;
    *out = NULL;
    if (!symbi_agentpin_domain_ok(entity)) return sy_fail(err, SYMBI_EINVAL, "entity '%.*s' is not a domain name", SY_FMT(entity));
    if ((st = sy_ap_doc_new(cx, &d, err))) return st;
    o = sy_obj_new(&d->arena);
    sy_obj_str(&o, "agentpin_version", SY_LIT(SY_AP_VERSION));
    sy_obj_put(&o, "entity", sy_ap_dup(d, entity));
    sy_obj_put(&o, "updated_at", sy_ap_time(d, now));
    for (int k = 0; k < 3; k++) sy_obj_put(&o, kinds[k].list, sy_val_array(NULL, 0));
    return sy_ap_doc_done(d, st, sy_obj_value(&o), out, err);
}

/* The document's members copied into d, with one entry more. */
static symbi_value revoked(symbi_ctx *cx, symbi_doc *d, const symbi_value *doc, symbi_agentpin_revoke what, symbi_str id, symbi_str reason, int64_t now, symbi_status *st, symbi_err *err)
{
    symbi_value copy = sy_ap_copy(cx, d, doc, st, err);
    sy_obj o;
    sy_arr list = sy_arr_new(&d->arena);
    const symbi_value *old = sy_ap_array(&copy, kinds[what].list);
    if (*st || find(old, kinds[what].id, id)) return copy;
    o = sy_ap_open(d, &copy);
    for (size_t i = 0; old && i < old->u.a.n; i++) sy_arr_add(&list, old->u.a.items[i]);
    {
        sy_obj e = sy_obj_new(&d->arena);
        sy_obj_put(&e, kinds[what].id, sy_ap_dup(d, id));
        sy_obj_put(&e, "revoked_at", sy_ap_time(d, now));
        sy_obj_put(&e, "reason", sy_ap_dup(d, reason));
        sy_arr_add(&list, sy_obj_value(&e));
    }
    sy_ap_set(&o, kinds[what].list, sy_arr_value(&list));
    sy_ap_set(&o, "updated_at", sy_ap_time(d, now));
    return sy_obj_value(&o);
}

static symbi_status check_revoke(const symbi_value *doc, symbi_str id, symbi_str reason, symbi_err *err)
{
    if (!doc || doc->kind != SYMBI_OBJECT) return sy_fail(err, SYMBI_ESCHEMA, "the revocation document is not an object");
    for (int k = 0; k < 3; k++) {
        if (!sy_ap_array(doc, kinds[k].list)) return sy_fail(err, SYMBI_ESCHEMA, "the revocation document has no list '%s'", kinds[k].list);
    }
    if (!id.n) return sy_fail(err, SYMBI_EINVAL, "nothing to revoke: the id is empty");
    if (!symbi_agentpin_revocation_reason_ok(reason)) return sy_fail(err, SYMBI_EINVAL, "'%.*s' is no reason for a revocation (superseded, key_compromise, ...)", SY_FMT(reason));
    return SYMBI_OK;
}

symbi_status symbi_agentpin_revocation_add(symbi_ctx *cx, const symbi_value *doc, symbi_agentpin_revoke what, symbi_str id, symbi_str reason, int64_t now, symbi_doc **out, symbi_err *err)
{
    symbi_status st = check_revoke(doc, id, reason, err);
    symbi_value root;
    symbi_doc *d;
    *out = NULL;
    if (st) return st;
    if ((unsigned)what > SYMBI_AGENTPIN_REVOKE_KEY) return sy_fail(err, SYMBI_EINVAL, "no such kind of revocation");
    if ((st = sy_ap_doc_new(cx, &d, err))) return st;
    root = revoked(cx, d, doc, what, id, reason, now, &st, err);
    return sy_ap_doc_done(d, st, root, out, err);
}

/* ---- key rotation ---- */

symbi_status symbi_agentpin_rotation_apply(symbi_ctx *cx, const symbi_value *doc, const symbi_value *jwk, int64_t now, symbi_doc **out, symbi_err *err)
{
    const symbi_value *keys = sy_ap_array(doc, "public_keys");
    symbi_status st;
    symbi_value copy;
    symbi_key *k;
    symbi_str kid;
    symbi_doc *d;
    sy_obj o;
    sy_arr list;
    *out = NULL;
    if (!keys) return sy_fail(err, SYMBI_ESCHEMA, "the discovery document has no public_keys");
    if (!sy_ap_str(jwk, "kid", &kid) || !kid.n) return sy_fail(err, SYMBI_ESCHEMA, "the new key has no kid");
    if ((st = symbi_agentpin_jwk_key(cx, jwk, &k, err))) return st;
    symbi_key_unref(k);
    if (find(keys, "kid", kid)) return sy_fail(err, SYMBI_EEXISTS, "key '%.*s' is in the document already", SY_FMT(kid));
    if ((st = sy_ap_doc_new(cx, &d, err))) return st;
    copy = sy_ap_copy(cx, d, doc, &st, err);
    o = sy_ap_open(d, &copy);
    list = sy_arr_new(&d->arena);
    keys = sy_ap_array(&copy, "public_keys");
    for (size_t i = 0; keys && i < keys->u.a.n; i++) sy_arr_add(&list, keys->u.a.items[i]);
    sy_arr_add(&list, sy_ap_copy(cx, d, jwk, &st, err));
    sy_ap_set(&o, "public_keys", sy_arr_value(&list));
    sy_ap_set(&o, "updated_at", sy_ap_time(d, now));
    return sy_ap_doc_done(d, st, sy_obj_value(&o), out, err);
}

symbi_status symbi_agentpin_rotation_complete(symbi_ctx *cx, const symbi_value *doc, const symbi_value *revocation, symbi_str old_kid, symbi_str reason, int64_t now, symbi_doc **new_doc, symbi_doc **new_revocation, symbi_err *err)
{
    const symbi_value *keys = sy_ap_array(doc, "public_keys");
    symbi_status st;
    symbi_value copy;
    symbi_str kid;
    symbi_doc *d;
    sy_obj o;
    sy_arr list;
    *new_doc = *new_revocation = NULL;
    if (!keys) return sy_fail(err, SYMBI_ESCHEMA, "the discovery document has no public_keys");
    if ((st = check_revoke(revocation, old_kid, reason, err))) return st;
    if ((st = sy_ap_doc_new(cx, &d, err))) return st;
    copy = sy_ap_copy(cx, d, doc, &st, err);
    o = sy_ap_open(d, &copy);
    list = sy_arr_new(&d->arena);
    keys = sy_ap_array(&copy, "public_keys");
    for (size_t i = 0; keys && i < keys->u.a.n; i++) {
        if (!sy_ap_str(&keys->u.a.items[i], "kid", &kid) || !sy_str_eq(kid, old_kid)) sy_arr_add(&list, keys->u.a.items[i]);
    }
    if (!st && !d->arena.status && !list.n) {
        st = sy_fail(err, SYMBI_ESTATE, "no key would be left: publish the new one first, and keep both for at least credential_ttl_max");
    }
    sy_ap_set(&o, "public_keys", sy_arr_value(&list));
    sy_ap_set(&o, "updated_at", sy_ap_time(d, now));
    if ((st = sy_ap_doc_done(d, st, sy_obj_value(&o), new_doc, err))) return st;
    st = symbi_agentpin_revocation_add(cx, revocation, SYMBI_AGENTPIN_REVOKE_KEY, old_kid, reason, now, new_revocation, err);
    if (st) {
        symbi_doc_unref(*new_doc);
        *new_doc = NULL;
    }
    return st;
}
